//! The bank of a guild: what members have taken, and copies of a tab for those who look at it. What
//! is in it lies in the containers of `items`, its coins on the account of `economy`.
//!
//! Keeps true: whoever has a tab open sees what is in it now, and nobody else does; at most 50
//! members have the same tab open, each one tab.

use spacetimedb::{Filter, Identity, client_visibility_filter, table};

/// What a character took out of the tabs of that number, or of the coins, of all banks in the day
/// that began then. It outlives the membership, so that leaving and coming back gives nothing, by
/// way of another guild neither; removed with the character.
#[table(name = guild_allowance)]
pub struct GuildAllowance {
    /// The character in the upper 64 bits; the tab in the lower, 7 for coins.
    #[primary_key]
    pub allowance_key: u128,
    /// The guild it took from last.
    pub guild_id: u64,
    /// When the day began, microseconds since 1970.
    pub began_at_micros: i64,
    /// Items, or copper.
    pub amount: u64,
}

/// A member who has a tab open.
#[table(name = guild_bank_window, public)]
#[derive(Clone, PartialEq)]
pub struct GuildBankWindow {
    /// The member.
    #[primary_key]
    pub character_id: u64,
    /// `rules::guilds::bank::tab_id` in the upper 64 bits, the member in the lower: read to find
    /// who looks at a tab.
    #[unique]
    pub tab_key: u128,
    /// Its player.
    pub viewer: Identity,
    /// Whose bank.
    pub guild_id: u64,
    /// Coins in it, copper.
    pub copper: u64,
    /// How much copper the member may take now; the largest number for no limit.
    pub copper_left: u64,
    /// How many items it may take out of the tab now; the largest number for no limit.
    pub items_left: u64,
    /// The tab, 0 to 5.
    pub tab: u8,
}

#[client_visibility_filter]
const GUILD_BANK_WINDOW_FILTER: Filter =
    Filter::Sql("SELECT * FROM guild_bank_window WHERE viewer = :sender");

/// A stack in the tab that a member has open: a copy of the row in `item`.
#[table(name = guild_bank_view, public)]
#[derive(Clone, PartialEq)]
pub struct GuildBankView {
    /// The member in the upper 64 bits, the slot in the lower.
    #[primary_key]
    pub view_key: u128,
    /// Its player.
    pub viewer: Identity,
    /// The stack's number.
    pub item_id: u64,
    /// How many.
    pub count: u32,
    /// What is left of it.
    pub durability: u16,
    /// Where, 0 to 97.
    pub slot: u16,
    /// As in `item`.
    pub flags: u8,
    /// Key of its definition.
    pub def: String,
}

#[client_visibility_filter]
const GUILD_BANK_VIEW_FILTER: Filter =
    Filter::Sql("SELECT * FROM guild_bank_view WHERE viewer = :sender");

/// The bank of a guild that ended with its last member: it goes to that one's account, a tab at a
/// time.
#[table(name = guild_estate)]
pub struct GuildEstate {
    /// The guild that was.
    #[primary_key]
    pub guild_id: u64,
    /// Who inherits.
    pub account_id: u64,
}
