//! Bags, equipment, what is in them, and where each of it came from.
//!
//! Keeps true: every stack has one place, a slot of one container, and no two share one; who may
//! see a stack is who may see its container. What belongs together has one unique key, the whole
//! above and its number below, and is found by its range.

use spacetimedb::{Filter, Identity, SpacetimeType, client_visibility_filter, table};

/// Something with slots that stacks lie in. Made when something is first put into it.
#[table(name = item_container, public)]
#[derive(Clone)]
pub struct ItemContainer {
    /// Whose it is: `kind` in the upper 64 bits, `owner_id` in the lower.
    #[primary_key]
    pub owner_key: u128,
    /// At least 1, below 2⁴⁸; that of a container which is gone is given again.
    #[unique]
    pub container_id: u64,
    /// By kind a character, an account, a letter, a tab of a guild's bank and so on.
    pub owner_id: u64,
    /// Who may see it and what is in it; nobody where it is zero.
    pub viewer: Identity,
    /// How many slots it has, at least 1.
    pub slots: u16,
    /// `rules::items::HolderKind`.
    pub kind: u8,
}

#[client_visibility_filter]
const ITEM_CONTAINER_FILTER: Filter =
    Filter::Sql("SELECT * FROM item_container WHERE viewer = :sender");

/// The number of a container that is gone. At most as many as there ever were at once.
#[table(name = item_container_free)]
pub struct ItemContainerFree {
    /// Counted from 1 without gaps: the last one is given first.
    #[primary_key]
    pub free_number: u64,
    /// Its number.
    pub container_id: u64,
}

/// A stack of items. Written by `reducers::items` alone.
#[table(name = item, public)]
#[derive(Clone, Debug, PartialEq)]
pub struct Item {
    /// Unique across realms: the realm's number in the top 16 bits.
    #[primary_key]
    pub item_id: u64,
    /// Where it is: the container's number times 2¹⁶ plus the slot.
    #[unique]
    pub place_key: u64,
    /// Who may see it: that of its container.
    pub viewer: Identity,
    /// The character it is bound to; 0 for none.
    pub bound_to: u64,
    /// At least 1, at most what the definition stacks.
    pub count: u32,
    /// What is left of it, 0 to the definition's; 0 where it does not wear out.
    pub durability: u16,
    /// Bit 0: frozen by staff. Bit 1: offered in a trade. Neither can be moved by its owner.
    pub flags: u8,
    /// Key of its definition in content, kind `item`.
    pub def: String,
}

#[client_visibility_filter]
const ITEM_FILTER: Filter = Filter::Sql("SELECT * FROM item WHERE viewer = :sender");

/// What happened to a stack, written in the transaction in which it did. Kept for
/// `rules::economy::LEDGER_RETENTION_DAYS`.
#[table(name = item_history)]
pub struct ItemHistory {
    /// The cause's number times 2¹⁶ plus a number: in the order in which it happened.
    #[primary_key]
    pub history_key: u64,
    /// The item's number in the upper 64 bits, `history_key` in the lower: read to trace it.
    #[unique]
    pub item_key: u128,
    /// The number of `other_item_id` in the upper 64 bits, `history_key` in the lower: read to
    /// trace it.
    #[unique]
    pub other_key: u128,
    /// The item's number.
    pub item_id: u64,
    /// The stack it was split from or merged into; 0 for none.
    pub other_item_id: u64,
    /// Whose it was before, and after: as `item_container.owner_id`; 0 for nobody's.
    pub from_owner_id: u64,
    /// See above.
    pub to_owner_id: u64,
    /// How many.
    pub count: u32,
    /// `rules::items::HolderKind`; 0 where it was nowhere.
    pub from_kind: u8,
    /// The same, after.
    pub to_kind: u8,
    /// `rules::items::Happened`.
    pub happened: u8,
    /// Key of its definition.
    pub def: String,
}

/// How many of a kind were ever made and are gone: what there is, is the difference.
#[table(name = item_tally)]
pub struct ItemTally {
    /// Key of the definition.
    #[primary_key]
    pub def: String,
    /// Made: looted, crafted, bought of vendors, given by staff.
    pub made: u64,
    /// Used up, sold to vendors, destroyed for good.
    pub gone: u64,
}

/// What of a character's equipment counts: written whenever that changes. A character without a
/// row has not entered the world since there are items, and has what its class begins with.
#[table(name = item_outfit)]
pub struct ItemOutfit {
    /// The character.
    #[primary_key]
    pub character_id: u64,
    /// The effect that its load has on its pace; 0 for none.
    pub motion_effect_id: u64,
    /// What its load takes off its speed, percent.
    pub load_percent: u16,
    /// Keys of what it has put on and is not broken, in the order of its slots.
    pub defs: Vec<String>,
}

/// A stack that was destroyed and can be restored for `rules::items::RESTORE_DAYS`. It lies among
/// what its account destroyed.
#[table(name = item_destroyed)]
pub struct ItemDestroyed {
    /// Which stack.
    #[primary_key]
    pub item_id: u64,
    /// When it is gone for good, microseconds since 1970, in the upper 64 bits; the stack's number
    /// in the lower: read by the sweep.
    #[unique]
    pub gone_key: u128,
    /// Whose it was.
    pub account_id: u64,
    /// Whose it was; 0 of a holder that ended while the lost-and-found had no room.
    pub character_id: u64,
}

/// When a character that made or gathered something can do so again. Removed with it.
#[table(name = item_work)]
pub struct ItemWork {
    /// The character.
    #[primary_key]
    pub character_id: u64,
    /// Microseconds since 1970.
    pub ready_at_micros: i64,
}

/// A place where all has been gathered for now. Gone when it can be gathered there again.
#[table(
    name = gather_spent,
    public,
    // Subscribed to per block.
    index(name = by_chunk, btree(columns = [chunk_index]))
)]
pub struct GatherSpent {
    /// The block, times 2⁸, plus the place's number in it.
    #[primary_key]
    pub node_key: u128,
    /// When it is ready again, microseconds since 1970, in the upper 64 bits; the block in the
    /// lower: read by the sweep.
    #[unique]
    pub ready_key: u128,
    /// The block.
    pub chunk_index: u64,
    /// When it is ready again, microseconds since 1970.
    pub ready_at_micros: i64,
    /// The place's number in the block, below `rules::items::nodes::NODES_MAX`.
    pub number: u8,
}

/// A creature that died and on which something will lie with the next run of the tick, when dice
/// are at hand.
#[table(name = loot_fallen)]
pub struct LootFallen {
    /// The creature.
    #[primary_key]
    pub creature_id: u64,
    /// Where it died.
    pub chunk_index: u64,
    /// Who assigns what is rare; 0 for nobody.
    pub master_id: u64,
    /// The party by which it is shared; 0 for none.
    pub party_id: u64,
    /// Where it died, millimetres east of the origin.
    pub pos_x_mm: i32,
    /// Where it died, millimetres north of the origin.
    pub pos_y_mm: i32,
    /// `rules::parties::LootMode`.
    pub mode: u8,
    /// From which rarity on things are rolled for or assigned: their order, from 0.
    pub threshold: u8,
    /// Key of the creature in content.
    pub creature: String,
    /// Characters that have a right, at most `rules::items::loot::HOLDERS_MAX`.
    pub holders: Vec<u64>,
}

/// Something lies on a corpse. What it is, only those know who have a right to it.
#[table(
    name = loot,
    public,
    // Subscribed to per block.
    index(name = by_chunk, btree(columns = [chunk_index]))
)]
#[derive(Clone)]
pub struct Loot {
    /// Never reused.
    #[primary_key]
    pub loot_id: u64,
    /// The block it lies in.
    pub chunk_index: u64,
    /// The creature that died. Its corpse may be gone before.
    pub creature_id: u64,
    /// Whose turn it is until `turn_ends_at_micros`; 0 for everybody's.
    pub turn_of: u64,
    /// Microseconds since 1970; 0 for no turn.
    pub turn_ends_at_micros: i64,
    /// Who assigns what is rare; 0 for nobody.
    pub master_id: u64,
    /// When what is left is gone, microseconds since 1970.
    pub expires_at_micros: i64,
    /// Millimetres east of the origin.
    pub pos_x_mm: i32,
    /// Millimetres north of the origin.
    pub pos_y_mm: i32,
    /// `rules::parties::LootMode`.
    pub mode: u8,
    /// From which rarity on things are rolled for or assigned: their order, from 0.
    pub threshold: u8,
}

/// When loot expires: read by the sweep.
#[table(name = loot_due)]
pub struct LootDue {
    /// Microseconds since 1970 in the upper 64 bits, the loot's number in the lower.
    #[primary_key]
    pub due_key: u128,
}

/// Coins that lie there, and the dice that decided it. Not in `loot`, which everybody sees.
#[table(name = loot_find)]
#[derive(Clone)]
pub struct LootFind {
    /// The loot.
    #[primary_key]
    pub loot_id: u64,
    /// Coins that nobody has taken yet, copper.
    pub copper: u64,
    /// The number of the event, as that of a `combat_event`; part of what its dice hang on.
    pub event_id: u64,
    /// When, microseconds since 1970; the same.
    pub at_micros: i64,
    /// The dice's day; the same.
    pub day: u32,
    /// Sides and what was shown, in turn.
    pub dice: Vec<u8>,
}

/// A stack that lies there.
#[derive(SpacetimeType, Clone, Debug, PartialEq, Eq)]
pub struct LootLine {
    /// Which stack.
    pub item_id: u64,
    /// How many.
    pub count: u32,
    /// 0 it can be taken, 1 it is rolled for, 2 the master assigns it.
    pub state: u8,
    /// Key of its definition.
    pub def: String,
}

/// What somebody who has a right to it sees of what lies there.
#[table(name = loot_share, public)]
#[derive(Clone)]
pub struct LootShare {
    /// The loot in the upper 64 bits, the character in the lower: read by the loot.
    #[primary_key]
    pub share_key: u128,
    /// The character in the upper 64 bits, the loot in the lower: read by the character.
    #[unique]
    pub character_key: u128,
    /// Who may see it.
    pub viewer: Identity,
    /// The loot.
    pub loot_id: u64,
    /// Who has a right to it.
    pub character_id: u64,
    /// Coins that nobody has taken yet, copper.
    pub copper: u64,
    /// The number of the event whose dice decided what lies there.
    pub event_id: u64,
    /// When that was, microseconds since 1970.
    pub rolled_at_micros: i64,
    /// The dice's day.
    pub day: u32,
    /// Sides and what was shown, in turn.
    pub dice: Vec<u8>,
    /// What is left.
    pub lines: Vec<LootLine>,
}

#[client_visibility_filter]
const LOOT_SHARE_FILTER: Filter = Filter::Sql("SELECT * FROM loot_share WHERE viewer = :sender");

/// A stack that is rolled for.
#[table(name = loot_open_roll)]
#[derive(Clone)]
pub struct LootOpenRoll {
    /// Which stack.
    #[primary_key]
    pub item_id: u64,
    /// When it is decided, microseconds since 1970, in the upper 64 bits; the stack in the lower:
    /// read by the sweep.
    #[unique]
    pub ends_key: u128,
    /// Where it lies.
    pub loot_id: u64,
}

/// What somebody said when something is rolled for. Gone when it is decided.
#[table(name = loot_choice)]
pub struct LootChoice {
    /// The stack in the upper 64 bits, the character in the lower.
    #[primary_key]
    pub choice_key: u128,
    /// Who.
    pub character_id: u64,
    /// `rules::items::Choice`.
    pub choice: u8,
}
