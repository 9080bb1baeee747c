//! Who asks whom: invitations, requests, bans and charters. A player sees what its own characters
//! are asked or have asked; members see those of their guild by `guild_page`.
//!
//! Keeps true: what is open is bounded for a character and for a guild, and ends by itself.

use spacetimedb::{Filter, Identity, client_visibility_filter, table};

/// A guild asks a character to join.
#[table(name = guild_invite, public)]
#[derive(Clone)]
pub struct GuildInvite {
    /// The character in the upper 64 bits, the guild in the lower.
    #[primary_key]
    pub invite_key: u128,
    /// The guild in the upper 64 bits, the character in the lower.
    #[unique]
    pub guild_key: u128,
    /// When it ends in the upper 64 bits, a number that is never reused in the lower: read by the
    /// sweep.
    #[unique]
    pub due_key: u128,
    /// The character's player; nobody where it does not want to hear of who invited it.
    pub viewer: Identity,
    /// Who is asked.
    pub character_id: u64,
    /// By which guild.
    pub guild_id: u64,
    /// When it ends, microseconds since 1970.
    pub ends_at_micros: i64,
    /// Whether nobody is shown it: it counts for the guild like any other.
    pub is_silent: bool,
    /// The guild's name.
    pub guild_name: String,
    /// The name of who invited it.
    pub by_name: String,
    /// The character's name.
    pub name: String,
}

#[client_visibility_filter]
const GUILD_INVITE_FILTER: Filter =
    Filter::Sql("SELECT * FROM guild_invite WHERE viewer = :sender");

/// A character asks a guild to be let in.
#[table(name = guild_request, public)]
#[derive(Clone)]
pub struct GuildRequest {
    /// The character in the upper 64 bits, the guild in the lower.
    #[primary_key]
    pub request_key: u128,
    /// The guild in the upper 64 bits, the character in the lower.
    #[unique]
    pub guild_key: u128,
    /// When it ends in the upper 64 bits, a number that is never reused in the lower: read by the
    /// sweep.
    #[unique]
    pub due_key: u128,
    /// The character's player.
    pub viewer: Identity,
    /// Who asks.
    pub character_id: u64,
    /// Which guild.
    pub guild_id: u64,
    /// When it ends, microseconds since 1970.
    pub ends_at_micros: i64,
    /// The guild's name.
    pub guild_name: String,
    /// The character's name.
    pub name: String,
    /// What it says; at most `rules::guilds::NOTE_CHARS_MAX`.
    pub text: String,
}

#[client_visibility_filter]
const GUILD_REQUEST_FILTER: Filter =
    Filter::Sql("SELECT * FROM guild_request WHERE viewer = :sender");

/// An account that a guild has banned. At most `rules::guilds::BANS_MAX` of each guild.
#[table(name = guild_ban)]
#[derive(Clone)]
pub struct GuildBan {
    /// The guild in the upper 64 bits, the account in the lower.
    #[primary_key]
    pub ban_key: u128,
    /// The guild.
    pub guild_id: u64,
    /// Since when, microseconds since 1970.
    pub at_micros: i64,
    /// The character whose account it is.
    pub character_id: u64,
    /// That one's name then.
    pub name: String,
    /// Who banned it.
    pub by_name: String,
}

/// A charter that collects signatures for a new guild: one of each character at most.
#[table(name = guild_charter, public)]
#[derive(Clone)]
pub struct GuildCharter {
    /// Who will found the guild.
    #[primary_key]
    pub character_id: u64,
    /// When it ends in the upper 64 bits, a number that is never reused in the lower: read by the
    /// sweep.
    #[unique]
    pub due_key: u128,
    /// The character's player.
    pub viewer: Identity,
    /// When it ends, microseconds since 1970.
    pub ends_at_micros: i64,
    /// How many have signed it.
    pub signatures: u16,
    /// The guild's name; it is taken when the guild is founded, not before.
    pub name: String,
}

#[client_visibility_filter]
const GUILD_CHARTER_FILTER: Filter =
    Filter::Sql("SELECT * FROM guild_charter WHERE viewer = :sender");

/// A signature: one of each account at most on a charter.
#[table(name = guild_signature)]
pub struct GuildSignature {
    /// The charter's character in the upper 64 bits, the account that signed in the lower.
    #[primary_key]
    pub signature_key: u128,
    /// The character that signed; it becomes a member.
    pub character_id: u64,
    /// Whether it counts for nothing: its account is blocked by the charter's, and is not told.
    pub is_hidden: bool,
}
