//! Guilds: members, ranks and their rights, the bank.
//!
//! Who is in which guild and with which rank, everybody may know: `guild`, `guild_member` and
//! `guild_rank` are public. The message of the day, notes, the log, who asks and who is banned
//! are shown to members alone, by rows of their own that are there while they are in the world.
//! Keeps true: a character is in one guild at most; a guild that is there has members, and a leader
//! among them. Who is asked and who asks (`asking`) and the bank (`bank`) have their own files.

pub mod asking;
pub mod bank;

use spacetimedb::{Filter, Identity, SpacetimeType, client_visibility_filter, table};

/// What stands on a guild's banner: numbers that clients draw, each below its bound in
/// `rules::guilds`.
#[derive(SpacetimeType, Clone, Copy, Debug, PartialEq, Eq)]
pub struct GuildEmblem {
    /// The symbol, 0 to 127.
    pub symbol: u8,
    /// Its colour, 0 to 63.
    pub symbol_color: u8,
    /// The border, 0 to 15.
    pub border: u8,
    /// Its colour, 0 to 63.
    pub border_color: u8,
    /// The ground's colour, 0 to 63.
    pub ground_color: u8,
}

/// What a rank gives to who has it.
#[derive(SpacetimeType, Clone, Debug, PartialEq, Eq)]
pub struct GuildGrant {
    /// Bits of `rules::guilds::rights::Right`.
    pub rights: u32,
    /// Three bits for each tab of the bank, `rules::guilds::rights::TabRight`.
    pub tab_rights: u32,
    /// How many items it takes out of each of the six tabs in a day; the largest number for no
    /// limit.
    pub items_per_day: Vec<u32>,
    /// How much copper it takes out of the bank in a day; the largest number for no limit.
    pub copper_per_day: u64,
}

/// A guild that is there.
#[table(name = guild, public)]
#[derive(Clone)]
pub struct Guild {
    /// Never reused; below 2⁴⁸.
    #[primary_key]
    pub guild_id: u64,
    /// When it was founded, microseconds since 1970.
    pub founded_at_micros: i64,
    /// How many members it has, 1 to 500.
    pub members: u16,
    /// How many of them lead it, 1 to 3.
    pub leaders: u8,
    /// At least 1; never falls.
    pub level: u8,
    /// How many tabs its bank has, 0 to 6.
    pub tabs: u8,
    /// Its banner.
    pub emblem: GuildEmblem,
    /// The name as typed, after normalisation.
    pub name: String,
    /// The name with look-alike letters folded together; what must be unique.
    #[unique]
    pub name_skeleton: String,
}

/// A character that is in a guild.
#[table(
    name = guild_member,
    public,
    // Read to list a guild's members, at most 500; subscribed to by clients that show a roster.
    // Keys are guilds that ever were, which cost what founding costs.
    index(name = by_guild, btree(columns = [guild_id]))
)]
#[derive(Clone)]
pub struct GuildMember {
    /// The character.
    #[primary_key]
    pub character_id: u64,
    /// Its guild.
    pub guild_id: u64,
    /// When it became a member, microseconds since 1970.
    pub joined_at_micros: i64,
    /// Which rank of the guild's it has.
    pub rank: u8,
    /// The character's name.
    pub name: String,
    /// The character's class.
    pub class: String,
}

/// A rank of a guild.
#[table(
    name = guild_rank,
    public,
    // Read to list a guild's ranks, at most 10; subscribed to by clients that show them.
    index(name = by_guild, btree(columns = [guild_id]))
)]
#[derive(Clone)]
pub struct GuildRank {
    /// The guild's number times 16 plus the rank's.
    #[primary_key]
    pub rank_key: u64,
    /// Whose.
    pub guild_id: u64,
    /// How much copper it takes out of the bank in a day; the largest number for no limit.
    pub copper_per_day: u64,
    /// Bits of `rules::guilds::rights::Right`.
    pub rights: u32,
    /// Three bits for each tab of the bank, `rules::guilds::rights::TabRight`.
    pub tab_rights: u32,
    /// Its number in the guild, 0 to 9; the leaders' is 0. It does not change.
    pub rank: u8,
    /// How high it is: 0 is the leaders', the greatest that of new members. Without gaps.
    pub position: u8,
    /// How many items it takes out of each of the six tabs in a day; the largest number for no
    /// limit.
    pub items_per_day: Vec<u32>,
    /// Its name.
    pub name: String,
}

/// When a member was last in the world.
#[table(name = guild_seen)]
pub struct GuildSeen {
    /// The member.
    #[primary_key]
    pub character_id: u64,
    /// When it last entered or left it, microseconds since 1970.
    pub seen_at_micros: i64,
}

/// How active a guild is. Without a row: not at all.
#[table(name = guild_activity)]
pub struct GuildActivity {
    /// The guild.
    #[primary_key]
    pub guild_id: u64,
    /// Points; they never fall.
    pub points: u64,
}

/// A guild's message of the day. Without a row it has none.
#[table(name = guild_message)]
#[derive(Clone)]
pub struct GuildMessage {
    /// The guild.
    #[primary_key]
    pub guild_id: u64,
    /// When it was written, microseconds since 1970.
    pub at_micros: i64,
    /// Who wrote it: the character's name then.
    pub by_name: String,
    /// At most `rules::guilds::MESSAGE_CHARS_MAX`.
    pub message: String,
}

/// What is noted about a member. Without a row nothing.
#[table(name = guild_note)]
#[derive(Clone)]
pub struct GuildNote {
    /// The member.
    #[primary_key]
    pub character_id: u64,
    /// What all members may read; at most `rules::guilds::NOTE_CHARS_MAX`.
    pub note: String,
    /// What officers alone may read; as long.
    pub officer_note: String,
}

/// How often an account may call what guilds have. Removed when its character leaves, unless it was
/// too quick.
#[table(name = guild_pace)]
pub struct GuildPace {
    /// The account.
    #[primary_key]
    pub account_id: u64,
    /// `rules::friends::pace`, microseconds since 1970.
    pub on_time_at_micros: i64,
}

/// What a member in the world is shown of its guild.
#[table(name = guild_membership, public)]
#[derive(Clone, PartialEq)]
pub struct GuildMembership {
    /// The member.
    #[primary_key]
    pub character_id: u64,
    /// The guild's number in the upper 64 bits, the member's in the lower: read to find those who
    /// are in the world.
    #[unique]
    pub guild_key: u128,
    /// Its player.
    pub viewer: Identity,
    /// The guild.
    pub guild_id: u64,
    /// When the message was written, microseconds since 1970; 0 for none.
    pub message_at_micros: i64,
    /// What its rank may: bits of `rules::guilds::rights::Right`.
    pub rights: u32,
    /// What its rank may do with tabs of the bank.
    pub tab_rights: u32,
    /// Who wrote the message.
    pub message_by: String,
    /// The message of the day.
    pub message: String,
}

#[client_visibility_filter]
const GUILD_MEMBERSHIP_FILTER: Filter =
    Filter::Sql("SELECT * FROM guild_membership WHERE viewer = :sender");

/// A line of a list that a member asked for (`guild_list_show`), as it was then. There until the
/// member asks for that list again, has another rank, or leaves the guild or the world.
#[table(name = guild_page, public)]
#[derive(Clone)]
pub struct GuildPage {
    /// The member's number in the upper 64 bits, then the list times 2⁸ plus the place.
    #[primary_key]
    pub page_key: u128,
    /// Its player.
    pub viewer: Identity,
    /// What the next page comes after: the number of the line's member, or of the line in the log.
    pub cursor: u64,
    /// When it happened, or ends; microseconds since 1970; 0 for never.
    pub at_micros: i64,
    /// Whom it is about, or an item; 0 for nobody.
    pub subject_id: u64,
    /// How many items, how much copper and so on.
    pub amount: u64,
    /// `rules::guilds::List`.
    pub list: u8,
    /// Where on the page, from 0.
    pub place: u8,
    /// Of the log: `rules::guilds::log::Line`.
    pub line: u8,
    /// Of the log: the tab of the bank, or the rank.
    pub tab: u8,
    /// Who did it, by the name then; empty for nobody.
    pub by_name: String,
    /// Whom it is about, by name; of an item its definition.
    pub subject: String,
    /// The note, what a request says, and so on.
    pub text: String,
    /// The officers' note, for those who may read it.
    pub officer_text: String,
}

#[client_visibility_filter]
const GUILD_PAGE_FILTER: Filter = Filter::Sql("SELECT * FROM guild_page WHERE viewer = :sender");

/// What happened in a guild. Kept for `rules::guilds::log::LOG_RETENTION_DAYS`.
#[table(name = guild_log)]
pub struct GuildLog {
    /// In the order in which it happened.
    #[primary_key]
    pub log_id: u64,
    /// `rules::guilds::log::line_key`: read to list a guild's lines, the newest first.
    #[unique]
    pub line_key: u128,
    /// When, microseconds since 1970.
    pub at_micros: i64,
    /// Who did it; 0 for the realm itself.
    pub by_id: u64,
    /// Whom it is about, or an item; 0 for nobody.
    pub subject_id: u64,
    /// How many items, how much copper, which level.
    pub amount: u64,
    /// `rules::guilds::log::Line`.
    pub line: u8,
    /// The tab of the bank, or the rank.
    pub tab: u8,
    /// That one's name then.
    pub by_name: String,
    /// The subject's name then; of an item its definition.
    pub subject: String,
}

/// Up to where the log is swept: one row.
#[table(name = guild_swept)]
pub struct GuildSwept {
    /// Always 0.
    #[primary_key]
    pub singleton_id: u8,
    /// No line up to this number is there any more.
    pub log_id: u64,
}

/// How far the slow looks at all guilds and at all that is left of guilds have come: one row.
#[table(name = guild_sweep_state)]
#[derive(Clone, PartialEq, Eq)]
pub struct GuildSweepState {
    /// Always 0.
    #[primary_key]
    pub singleton_id: u8,
    /// The last guild that was looked at.
    pub guild_id: u64,
    /// The last guild that was and whose bank was handed over, or could not be.
    pub estate_guild_id: u64,
}
