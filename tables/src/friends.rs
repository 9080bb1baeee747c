//! Friends, blocks, presence and who may see it.
//!
//! Keeps true: rows that clients read are shown to one account each, and hold no number of another
//! account: whoever knew it could tell which characters belong together. What accounts are behind
//! them is in private tables. Bounded by `rules::friends` for each account.

use spacetimedb::{Filter, Identity, client_visibility_filter, table};

/// A friend, a request of the viewer's, or a request to it, as the viewer sees it.
#[table(name = friend, public)]
#[derive(Clone, Debug, PartialEq)]
pub struct Friend {
    /// What the viewer calls it by. Never reused.
    #[primary_key]
    pub friend_id: u64,
    /// Whose row it is.
    pub viewer: Identity,
    /// Since when it is so, microseconds since 1970.
    pub since_at_micros: i64,
    /// `rules::friends::State`: 1 friends, 2 the viewer has asked, 3 the other one asks.
    pub state: u8,
    /// The character it was asked as; while they are friends see `friend_presence`.
    pub name: String,
    /// What the viewer wrote about it: nobody else sees that.
    pub note: String,
}

#[client_visibility_filter]
const FRIEND_FILTER: Filter = Filter::Sql("SELECT * FROM friend WHERE viewer = :sender");

/// What a friend lets the viewer see of itself: one row for each friend, for as long as they are.
#[table(name = friend_presence, public)]
#[derive(Clone, Debug, PartialEq)]
pub struct FriendPresence {
    /// `friend.friend_id`.
    #[primary_key]
    pub friend_id: u64,
    /// Whose row it is.
    pub viewer: Identity,
    /// The character it plays, or was last seen to play; 0 where that is not known.
    pub character_id: u64,
    /// `rules::world::region_index`, which has the world's number in it; 0 where it is not shown.
    pub region_index: u64,
    /// When it was seen last, microseconds since 1970; 0 while it is online, or not shown.
    pub last_seen_at_micros: i64,
    /// `rules::friends::Status`: 0 offline, 1 online, 2 away, 3 busy.
    pub status: u8,
    /// The character's name.
    pub name: String,
}

#[client_visibility_filter]
const FRIEND_PRESENCE_FILTER: Filter =
    Filter::Sql("SELECT * FROM friend_presence WHERE viewer = :sender");

/// What `presence_look` has found: one row for each account, until its character leaves.
#[table(name = friend_look, public)]
#[derive(Clone, Debug, PartialEq)]
pub struct FriendLook {
    /// Who looked.
    #[primary_key]
    pub account_id: u64,
    /// The same, as clients are known.
    pub viewer: Identity,
    /// When, microseconds since 1970.
    pub looked_at_micros: i64,
    /// See `friend_presence`.
    pub region_index: u64,
    /// See `friend_presence`.
    pub last_seen_at_micros: i64,
    /// See `friend_presence`; 0 also where it is not shown.
    pub status: u8,
    /// The name that was looked for, as its character has it.
    pub name: String,
}

#[client_visibility_filter]
const FRIEND_LOOK_FILTER: Filter = Filter::Sql("SELECT * FROM friend_look WHERE viewer = :sender");

/// When friends were told the region of a character. There from the first border that it crosses
/// until it leaves the world.
#[table(name = friend_place)]
#[derive(Clone, Debug, PartialEq)]
pub struct FriendPlace {
    /// When what is not told yet may be, microseconds since 1970, in the upper 64 bits, the largest
    /// number where all is told; the character in the lower: read by the sweep.
    #[unique]
    pub due_key: u128,
    /// The character.
    #[primary_key]
    pub character_id: u64,
    /// When it was told last, microseconds since 1970.
    pub told_at_micros: i64,
}

/// What an account says of itself, and when it was seen last. Made when it first enters the world.
#[table(name = friend_profile, public)]
#[derive(Clone, Debug, PartialEq)]
pub struct FriendProfile {
    /// The account.
    #[primary_key]
    pub account_id: u64,
    /// The same, as clients are known.
    pub viewer: Identity,
    /// The character that was in the world last, as friends were shown it; 0 for none that is still
    /// there.
    pub character_id: u64,
    /// When it left, or became invisible, microseconds since 1970; 0 for never.
    pub last_seen_at_micros: i64,
    /// `rules::friends::pace` of requests and looks, microseconds since 1970.
    pub asks_on_time_at_micros: i64,
    /// The same of what is told to all friends.
    pub tells_on_time_at_micros: i64,
    /// `rules::friends::Status`: 1 online, 2 away, 3 busy, 4 invisible.
    pub status: u8,
}

#[client_visibility_filter]
const FRIEND_PROFILE_FILTER: Filter =
    Filter::Sql("SELECT * FROM friend_profile WHERE viewer = :sender");

/// A choice of an account that is not the default.
#[table(name = friend_choice, public)]
#[derive(Clone, Debug, PartialEq)]
pub struct FriendChoice {
    /// The account in the upper 64 bits, `what` in the lower.
    #[primary_key]
    pub choice_key: u128,
    /// Whose it is.
    pub viewer: Identity,
    /// `rules::friends::What`.
    pub what: u8,
    /// `rules::friends::Whom`: 0 everyone, 1 friends, 2 nobody.
    pub whom: u8,
}

#[client_visibility_filter]
const FRIEND_CHOICE_FILTER: Filter =
    Filter::Sql("SELECT * FROM friend_choice WHERE viewer = :sender");

/// A name that the viewer has blocked.
#[table(name = friend_block_name, public)]
#[derive(Clone, Debug, PartialEq)]
pub struct FriendBlockName {
    /// What the viewer calls it by. Never reused.
    #[primary_key]
    pub block_id: u64,
    /// Whose row it is.
    pub viewer: Identity,
    /// When, microseconds since 1970.
    pub blocked_at_micros: i64,
    /// The name of the character, as it was then.
    pub name: String,
}

#[client_visibility_filter]
const FRIEND_BLOCK_NAME_FILTER: Filter =
    Filter::Sql("SELECT * FROM friend_block_name WHERE viewer = :sender");

/// What is behind a `friend_block_name`.
#[table(name = friend_block_link)]
#[derive(Clone, Debug, PartialEq)]
pub struct FriendBlockLink {
    /// `friend_block_name.block_id`.
    #[primary_key]
    pub block_id: u64,
    /// The account that has blocked in the upper 64 bits, `block_id` in the lower: read to list an
    /// account's.
    #[unique]
    pub owner_key: u128,
    /// The account whose character it was.
    pub other_account_id: u64,
}

/// An account that another one has blocked, by one of its names or by several.
#[table(name = friend_block)]
#[derive(Clone, Debug, PartialEq)]
pub struct FriendBlock {
    /// The account that has blocked in the upper 64 bits, the other one in the lower.
    #[primary_key]
    pub pair_key: u128,
    /// By how many names, at least 1.
    pub names: u32,
}

/// What is behind a `friend`.
#[table(name = friend_tie)]
#[derive(Clone, Debug, PartialEq)]
pub struct FriendTie {
    /// `friend.friend_id`.
    #[primary_key]
    pub friend_id: u64,
    /// The account whose row it is in the upper 64 bits, `friend_id` in the lower: read to list an
    /// account's.
    #[unique]
    pub owner_key: u128,
    /// The account whose row it is.
    pub account_id: u64,
    /// The other one.
    pub other_account_id: u64,
    /// The row of the other one that belongs to it; 0 where that one is shown none.
    pub mirror_id: u64,
    /// The character that is asked, or asks; 0 for friends.
    pub character_id: u64,
    /// When the request lapses, microseconds since 1970; 0 for friends, and for who is asked.
    pub lapses_at_micros: i64,
    /// `rules::friends::State`.
    pub state: u8,
}

/// Two who are friends, in both orders.
#[table(name = friend_pair)]
#[derive(Clone, Debug, PartialEq)]
pub struct FriendPair {
    /// The one account in the upper 64 bits, the other in the lower.
    #[primary_key]
    pub pair_key: u128,
    /// The one's `friend.friend_id`.
    pub friend_id: u64,
}

/// A request that lapses.
#[table(name = friend_due)]
#[derive(Clone, Debug, PartialEq)]
pub struct FriendDue {
    /// When, microseconds since 1970, in the upper 64 bits, the asker's `friend_id` in the lower:
    /// read by the sweep.
    #[primary_key]
    pub due_key: u128,
}
