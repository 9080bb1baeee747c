//! Bags, equipment, what is in them, and where each of it came from.
//!
//! Keeps true: a stack has one place; what is moved, split or merged is neither more nor less
//! after.

pub mod loot;
pub mod nodes;
pub mod stacks;
pub mod worn;

pub use crate::content::Binding;
use crate::content::ItemDef;
use crate::keys::joint_key;

pub use loot::Choice;

use crate::errors::domain_errors;

domain_errors! {
    /// Why something about items was refused.
    ItemError {
        CharacterAbsent = 800, "item.not_in_world", "the caller has no character in the world";
        NotAwake = 801, "item.not_awake", "the character is not awake";
        InFight = 802, "item.in_fight", "armor is not changed in a fight";
        Unknown = 803, "item.unknown", "there is no such item, or it is not the caller's";
        CharacterUnknown = 804, "item.character_unknown", "there is no such character";
        Frozen = 805, "item.frozen", "staff keeps the item from moving";
        Locked = 806, "item.locked", "the item is offered in a trade";
        Bound = 807, "item.bound", "the item is bound to a character, and stays its own";
        DefinitionUnknown = 808, "item.definition_unknown", "content knows no such item";
        CountInvalid = 809, "item.count_invalid", "the number of items is at least 1 and no more than there are";
        UniqueTaken = 810, "item.unique_taken", "the item is unique, and the character has one";
        SlotInvalid = 811, "item.slot_invalid", "there is no such slot";
        SlotTaken = 812, "item.slot_taken", "something else is in that slot";
        NoRoom = 813, "item.no_room", "there is no room for it";
        NotWearable = 814, "item.not_wearable", "the item is not put on";
        LevelTooLow = 815, "item.level_too_low", "the item asks for a higher level";
        ClassUnfit = 816, "item.class_unfit", "the character's class has no use for it";
        Broken = 817, "item.broken", "the item is broken, and must be repaired first";
        SlotUnfit = 818, "item.slot_unfit", "the item does not go into that slot";
        HandsFull = 819, "item.hands_full", "what strikes in both hands leaves none for a shield";
        BagInUse = 820, "item.bag_in_use", "something lies in the slots that the container brings";
        NotUsable = 821, "item.not_usable", "the item does nothing when it is used";
        NotWorn = 822, "item.not_worn", "nothing is worn off the item";
        NotDestroyed = 823, "item.not_destroyed", "there is no such item among what was destroyed";
        LootUnknown = 824, "item.loot_unknown", "nothing lies there, or not for the caller";
        TooFar = 825, "item.too_far", "it is too far away";
        NotTurn = 826, "item.not_turn", "it is another's turn for now";
        Withheld = 827, "item.withheld", "it is rolled for, or the master assigns it";
        ChoiceInvalid = 828, "item.choice_invalid", "it is 0 pass, 1 greed or 2 need";
        NotRolled = 829, "item.not_rolled", "nobody rolls for that";
        ChosenAlready = 830, "item.chosen_already", "the caller has chosen already";
        NeedUnfit = 831, "item.need_unfit", "who cannot use it does not need it";
        NotMaster = 832, "item.not_master", "the caller is not the master of the loot";
        HolderUnknown = 833, "item.holder_unknown", "that character has no right to the loot";
        NotReady = 834, "item.not_ready", "the character is still at work";
        NodeUnknown = 835, "item.node_unknown", "there is nothing to gather";
        NodeEmpty = 836, "item.node_empty", "all of it has been gathered for now";
        RecipeUnknown = 837, "item.recipe_unknown", "there is no such recipe";
        ToolMissing = 838, "item.tool_missing", "a tool is needed";
        MaterialMissing = 839, "item.material_missing", "a material is missing";
    }
}

/// Most slots a container can have.
pub const SLOTS_MAX: u16 = 1_000;
/// Slots of a character's bag without any container.
pub const BAG_SLOTS: u16 = 20;
/// Slots of a character's equipment.
pub const EQUIPMENT_SLOTS: u16 = 18;
/// Most stacks of an account that were destroyed and can be restored; beyond that the oldest is
/// gone.
pub const DESTROYED_MAX: usize = 200;
/// How long what was destroyed can be restored, days.
pub const RESTORE_DAYS: u32 = 30;
/// Stacks that a vendor keeps for whoever sold them to it.
pub const BUY_BACK_SLOTS: u16 = 12;
/// Slots of what could not be given back, and of what was destroyed: as many as have a number.
pub const SLOTS_UNBOUNDED: u16 = u16::MAX;
/// Bit of `item.flags`: staff keeps it from moving.
pub const FLAG_FROZEN: u8 = 1;
/// Bit of `item.flags`: it is offered in a trade.
pub const FLAG_OFFERED: u8 = 2;

/// What a container belongs to. The numbers stand in rows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[repr(u8)]
pub enum HolderKind {
    /// A character's bags.
    Bag = 1,
    /// What a character wears and wields.
    Equipment = 2,
    /// A letter's attachments; its number is the letter's.
    Mail = 3,
    /// What is offered in an auction; its number is the auction's.
    Auction = 4,
    /// What an order to sell offers; its number is the order's.
    Order = 5,
    /// What lies on a corpse; its number is the loot's.
    Loot = 6,
    /// A tab of a guild's bank; its number is the guild's times 8 plus the tab.
    GuildTab = 7,
    /// What could not be given back; its number is the account's.
    LostAndFound = 8,
    /// What was destroyed and can be restored; its number is the account's.
    Destroyed = 9,
    /// What was sold to vendors and can be bought back; its number is the character's.
    BuyBack = 10,
    /// What changes hands in a trade while it does; its number is the trade's.
    Trade = 11,
}

impl HolderKind {
    /// All of them.
    pub const ALL: [Self; 11] = [
        Self::Bag,
        Self::Equipment,
        Self::Mail,
        Self::Auction,
        Self::Order,
        Self::Loot,
        Self::GuildTab,
        Self::LostAndFound,
        Self::Destroyed,
        Self::BuyBack,
        Self::Trade,
    ];

    /// That of a number in a row.
    pub fn of(code: u8) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| *kind as u8 == code)
    }

    /// Whether it is a character's own: it stays while it is empty.
    pub const fn is_own(self) -> bool {
        matches!(self, Self::Bag | Self::Equipment)
    }

    /// Whether stacks are added to others there, or each stays by itself.
    pub const fn merges(self) -> bool {
        !matches!(
            self,
            Self::Equipment | Self::LostAndFound | Self::Destroyed | Self::BuyBack | Self::Trade
        )
    }

    /// Whether what comes there at once lies there as one stack, however high: a row somewhere else
    /// names it, and would know nothing of a second one.
    pub const fn keeps_whole(self) -> bool {
        matches!(self, Self::Destroyed | Self::BuyBack)
    }

    /// Whether what is bound to a character may lie there. `owner_id` is the holder's.
    pub const fn takes_bound(self, owner_id: u64, bound_to: u64) -> bool {
        match self {
            Self::Bag | Self::Equipment | Self::BuyBack => owner_id == bound_to,
            Self::LostAndFound | Self::Destroyed => true,
            Self::Mail
            | Self::Auction
            | Self::Order
            | Self::Loot
            | Self::GuildTab
            | Self::Trade => false,
        }
    }
}

/// To whom a stack is bound once it lies there.
pub const fn bound_at(binding: Binding, kind: HolderKind, owner_id: u64, bound_to: u64) -> u64 {
    let binds = match binding {
        Binding::None => false,
        Binding::OnPickup => kind.is_own(),
        Binding::OnEquip => matches!(kind, HolderKind::Equipment),
    };
    if binds && bound_to == 0 { owner_id } else { bound_to }
}

/// What of a definition decides how its stacks lie.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Shape {
    /// Most in one stack, at least 1.
    pub stack_max: u32,
    /// How durable it is when it is new; 0 for what does not wear out.
    pub durability: u16,
    /// What binds it.
    pub binding: Binding,
    /// Whether a character can have one only.
    pub is_unique: bool,
}

impl From<&ItemDef> for Shape {
    fn from(def: &ItemDef) -> Self {
        Self {
            stack_max: u32::from(def.stack_max.max(1)),
            durability: def.durability,
            binding: def.binding,
            is_unique: def.unique,
        }
    }
}

/// What happened to a stack. The numbers stand in rows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Happened {
    /// It was made.
    Made = 1,
    /// It moved from one holder to another.
    Moved = 2,
    /// It came of another stack, or another came of it.
    Split = 3,
    /// Some or all of another stack were added to it, or of it to another.
    Merged = 4,
    /// Some or all of it is gone for good.
    Gone = 5,
}

/// The key of a holder: kind above, number below.
pub const fn owner_key(kind: HolderKind, owner_id: u64) -> u128 {
    joint_key(kind as u64, owner_id)
}

/// The key of a slot.
pub const fn place_key(container_id: u64, slot: u16) -> u64 {
    (container_id << 16) | slot as u64
}

/// The container and the slot of a place.
pub const fn place_parts(place_key: u64) -> (u64, u16) {
    (place_key >> 16, (place_key & 0xFFFF) as u16)
}

/// The keys of all slots of a container.
pub const fn places_of(container_id: u64) -> std::ops::RangeInclusive<u64> {
    place_key(container_id, 0)..=place_key(container_id, u16::MAX)
}
