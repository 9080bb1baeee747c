//! Channels that players make: members, roles, bans.
//!
//! Keeps true: a channel has one owner; its names are unique; members see their own row, which says
//! all that a client shows of the channel.

use spacetimedb::{Filter, Identity, SpacetimeType, client_visibility_filter, table};

/// A channel that a player has made. Gone with its last member.
#[table(name = chat_channel)]
#[derive(Clone)]
pub struct ChatChannel {
    /// Never reused.
    #[primary_key]
    pub channel_id: u64,
    /// The name with look-alike letters folded together.
    #[unique]
    pub name_skeleton: String,
    /// The name.
    pub name: String,
    /// Members and invited ones.
    pub members: u16,
    /// Accounts that are banned.
    pub bans: u16,
    /// Seconds between two messages of a member; 0 for any.
    pub slow_seconds: u16,
    /// Whether everybody may join who knows its name.
    pub is_open: bool,
}

/// A character's place in a channel, invited ones too.
#[table(name = chat_member, public)]
#[derive(Clone)]
pub struct ChatMember {
    /// The channel in the upper 64 bits, the character in the lower.
    #[primary_key]
    pub member_key: u128,
    /// The character in the upper 64 bits, the channel in the lower: read for a character's own.
    #[unique]
    pub own_key: u128,
    /// Whom it is shown to; nobody where the role is 0.
    pub viewer: Identity,
    /// The channel.
    pub channel_id: u64,
    /// The character.
    pub character_id: u64,
    /// Who invited it; 0 for nobody.
    pub invited_by: u64,
    /// Since when it is a member or invited, microseconds since 1970.
    pub joined_at_micros: i64,
    /// As the channel's.
    pub slow_seconds: u16,
    /// 1 invited, 2 member, 3 moderator, 4 owner (`rules::chat::roles::Role`); 0 an outsider who is
    /// invited by somebody that its account does not hear, and does not see it.
    pub role: u8,
    /// The channel's name.
    pub channel_name: String,
}

#[client_visibility_filter]
const CHAT_MEMBER_FILTER: Filter = Filter::Sql("SELECT * FROM chat_member WHERE viewer = :sender");

/// Who is in a channel: one of the names that a member asked for.
#[derive(SpacetimeType, Clone, Debug, PartialEq, Eq)]
pub struct ChatRosterName {
    /// The character.
    pub character_id: u64,
    /// Its role.
    pub role: u8,
    /// Whether it is a member that is in the world and shows that to who asked.
    pub is_present: bool,
    /// Its name.
    pub name: String,
}

/// The members of the channel that a player asked for last. Gone when its character leaves.
#[table(name = chat_roster, public)]
pub struct ChatRoster {
    /// The account.
    #[primary_key]
    pub account_id: u64,
    /// Whom it is shown to.
    pub viewer: Identity,
    /// The channel.
    pub channel_id: u64,
    /// In the order of their numbers.
    pub names: Vec<ChatRosterName>,
}

#[client_visibility_filter]
const CHAT_ROSTER_FILTER: Filter = Filter::Sql("SELECT * FROM chat_roster WHERE viewer = :sender");

/// An account that may not join a channel. Gone with the channel.
#[table(name = chat_ban)]
pub struct ChatBan {
    /// The channel in the upper 64 bits, the account in the lower.
    #[primary_key]
    pub ban_key: u128,
    /// The character that banned it.
    pub banned_by: u64,
    /// When, microseconds since 1970.
    pub banned_at_micros: i64,
}

/// When a member of a slow channel may speak again. Gone when it may.
#[table(name = chat_slow)]
pub struct ChatSlow {
    /// The channel in the upper 64 bits, the character in the lower.
    #[primary_key]
    pub slow_key: u128,
    /// When it may in the upper 64 bits, the character in the lower: read by the sweep.
    #[unique]
    pub ready_key: u128,
}
