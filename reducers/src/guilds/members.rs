//! How members come and go, and how a guild ends.
//!
//! Keeps true: a guild's counts are those of its members' rows; who is not a member has no row of
//! it, neither a note nor anything that shows what is private to the guild.

use super::{asking, founding, guild_row, past, rank_key, rank_row, ranks_of, saw, shown};
use crate::content::book;
use crate::now_micros;
use crate::ordered::ranges;
use haven_rules::economy::PurseKind;
use haven_rules::guilds::GuildError;
use haven_rules::guilds::bank::{TABS_MAX, tab_id};
use haven_rules::guilds::levels::members_max;
use haven_rules::guilds::log::Line;
use haven_rules::guilds::ranks::LEADERS;
use haven_rules::items::HolderKind;
use haven_rules::keys::keys_of;
use haven_tables::characters::Character;
use haven_tables::guilds::asking::{guild_ban, guild_invite, guild_request};
use haven_tables::guilds::bank::{GuildEstate, guild_estate};
use haven_tables::guilds::{
    Guild, GuildMember, GuildRank, guild, guild_activity, guild_member, guild_message, guild_note,
    guild_rank, guild_seen,
};
use spacetimedb::{ReducerContext, Table};

/// Refuses one more member than the guild's level lets it have.
///
/// # Errors
/// `guild.full`.
pub(super) fn check_room(ctx: &ReducerContext, guild: &Guild) -> Result<(), GuildError> {
    let most = members_max(guild.level, &book(ctx));
    if guild.members < most { Ok(()) } else { Err(GuildError::Full) }
}

/// Makes a character without a guild a member with that rank. All that it was asked and has asked
/// is over.
pub(super) fn join(ctx: &ReducerContext, guild_id: u64, character: &Character, rank: &GuildRank) {
    let character_id = character.character_id;
    let member = ctx.db.guild_member().insert(GuildMember {
        character_id,
        guild_id,
        joined_at_micros: now_micros(ctx),
        rank: rank.rank,
        name: character.name.clone(),
        class: character.class.clone(),
    });
    let guild = guild_row(ctx, guild_id);
    let leaders = guild.leaders + u8::from(rank.position == LEADERS);
    let members = guild.members + 1;
    ctx.db.guild().guild_id().update(Guild { members, leaders, ..guild });
    saw(ctx, character_id);
    asking::forget_all(ctx, character_id);
    founding::forget_charter(ctx, character_id);
    shown::show(ctx, &member);
}

/// The rank of new members.
pub(super) fn lowest_rank(ctx: &ReducerContext, guild_id: u64) -> GuildRank {
    ranks_of(ctx, guild_id).pop().expect("invariant: a guild has ranks")
}

/// Gives a member another rank of its guild.
pub(super) fn set_rank(ctx: &ReducerContext, member: GuildMember, rank: &GuildRank) {
    let before = rank_row(ctx, member.guild_id, member.rank);
    let guild = guild_row(ctx, member.guild_id);
    let leaders =
        guild.leaders + u8::from(rank.position == LEADERS) - u8::from(before.position == LEADERS);
    if leaders != guild.leaders {
        ctx.db.guild().guild_id().update(Guild { leaders, ..guild });
    }
    let row = GuildMember { rank: rank.rank, ..member };
    let row = ctx.db.guild_member().character_id().update(row);
    shown::rank_changed(ctx, &row);
}

/// Takes a member out of its guild; the guild as it is then. Who does, sees to it that it has a
/// leader after.
pub(super) fn remove(ctx: &ReducerContext, member: &GuildMember) -> Guild {
    let GuildMember { character_id, guild_id, .. } = *member;
    let guild = guild_row(ctx, guild_id);
    let was_leader = rank_row(ctx, guild_id, member.rank).position == LEADERS;
    forget(ctx, character_id);
    let leaders = guild.leaders - u8::from(was_leader);
    let members = guild.members - 1;
    ctx.db.guild().guild_id().update(Guild { members, leaders, ..guild })
}

fn forget(ctx: &ReducerContext, character_id: u64) {
    shown::hide(ctx, character_id);
    ctx.db.guild_member().character_id().delete(character_id);
    ctx.db.guild_note().character_id().delete(character_id);
    ctx.db.guild_seen().character_id().delete(character_id);
}

/// Whether there is neither a coin nor an item in a guild's bank.
pub(super) fn is_bank_empty(ctx: &ReducerContext, guild_id: u64) -> bool {
    let is_empty =
        |tab| crate::items::contents(ctx, HolderKind::GuildTab, tab_id(guild_id, tab)).is_empty();
    crate::economy::copper_of(ctx, PurseKind::Guild, guild_id) == 0 && (0..TABS_MAX).all(is_empty)
}

/// Ends a guild and all that belongs to it, but for its log. What is in its bank goes to `heir`.
pub(super) fn end(ctx: &ReducerContext, guild_id: u64, heir: Option<u64>) {
    for character_id in super::members_of(ctx, guild_id) {
        forget(ctx, character_id);
    }
    for rank in ranks_of(ctx, guild_id) {
        ctx.db.guild_rank().rank_key().delete(rank_key(guild_id, rank.rank));
    }
    ctx.db.guild_message().guild_id().delete(guild_id);
    ctx.db.guild_activity().guild_id().delete(guild_id);
    let keys = keys_of(guild_id);
    let invites = ranges(ctx.db.guild_invite().guild_key()).filter(keys.clone());
    for key in invites.map(|row| row.invite_key).collect::<Vec<_>>() {
        ctx.db.guild_invite().invite_key().delete(key);
    }
    let requests = ranges(ctx.db.guild_request().guild_key()).filter(keys.clone());
    for key in requests.map(|row| row.request_key).collect::<Vec<_>>() {
        ctx.db.guild_request().request_key().delete(key);
    }
    let bans = ranges(ctx.db.guild_ban().ban_key()).filter(keys);
    for key in bans.map(|row| row.ban_key).collect::<Vec<_>>() {
        ctx.db.guild_ban().ban_key().delete(key);
    }
    ctx.db.guild().guild_id().delete(guild_id);
    if let Some(account_id) = heir.filter(|_| !is_bank_empty(ctx, guild_id)) {
        ctx.db.guild_estate().insert(GuildEstate { guild_id, account_id });
    }
}

/// Somebody becomes leader because those there were are gone: they stand one rank below.
pub(super) fn succeed(ctx: &ReducerContext, guild_id: u64, character_id: u64) {
    let ranks = ranks_of(ctx, guild_id);
    let (first, second) = (&ranks[0], &ranks[1]);
    let members = ctx.db.guild_member().by_guild().filter(guild_id);
    for leader in members.filter(|row| row.rank == first.rank).collect::<Vec<_>>() {
        set_rank(ctx, leader, second);
    }
    let Some(member) = ctx.db.guild_member().character_id().find(character_id) else { return };
    let name = member.name.clone();
    set_rank(ctx, member, first);
    let (actor, subject) = ((0, ""), (character_id, name.as_str()));
    let told = past::Told { line: Line::Succeeded, actor, subject, amount: 0, tab: first.rank };
    past::tell(ctx, guild_id, told);
}
