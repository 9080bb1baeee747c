//! Parties and raids: members, leaders, ready checks, loot rules.
//!
//! Keeps true: `rules::parties` decides over a party as a whole; its rows and its members' copies
//! of them are written in the same transaction (`rows`). Members and what they may do (`acts`),
//! invitations (`invites`), and what is due (`due`) have their own files.

mod acts;
mod due;
mod invites;
mod rows;

pub use acts::{
    party_assistant_set, party_convert, party_group_set, party_kick, party_leader_pass,
    party_leave, party_loot_set, party_marker_set, party_ready_answer, party_ready_begin,
};
pub use due::{PartyTickTimer, party_tick, party_tick_timer};
pub use invites::{party_answer, party_invite};

pub(crate) use invites::blocked;

use crate::now_micros;
use haven_rules::parties::sharing::next_in_turn;
use haven_rules::parties::{Loot, Member, Party};
use haven_tables::parties::{party_pace, party_seat};
use spacetimedb::{Identity, ReducerContext};

pub(crate) fn ensure_timers(ctx: &ReducerContext) {
    due::ensure_timers(ctx);
}

pub(crate) fn character_entered(ctx: &ReducerContext, _account_id: u64, character_id: u64) {
    rows::change_of(ctx, character_id, |party| party.comes(character_id));
}

pub(crate) fn character_leaving(ctx: &ReducerContext, account_id: u64, character_id: u64) {
    let now = now_micros(ctx);
    rows::change_of(ctx, character_id, |party| party.goes(character_id, now));
    let pace = ctx.db.party_pace().account_id().find(account_id);
    let is_past = |at: i64| at <= now;
    if pace.is_some_and(|row| {
        is_past(row.invites_on_time_at_micros) && is_past(row.changes_on_time_at_micros)
    }) {
        ctx.db.party_pace().account_id().delete(account_id);
    }
}

pub(crate) fn character_purged(ctx: &ReducerContext, _account_id: u64, character_id: u64) {
    invites::purged(ctx, character_id);
    rows::take_out(ctx, character_id);
}

pub(crate) fn account_rebound(ctx: &ReducerContext, account_id: u64, viewer: Identity) {
    for character_id in crate::characters::characters_of(ctx, account_id) {
        rows::rebound(ctx, character_id, viewer);
        invites::rebound(ctx, character_id, viewer);
    }
}

/// A character has another name: all members of its party see it. Invitations that it has sent show
/// the one before until they lapse: they are found by who is invited alone.
pub(crate) fn character_renamed(ctx: &ReducerContext, character_id: u64, name: &str) {
    rows::renamed(ctx, character_id, name);
}

/// The party of a character.
pub(crate) fn party_of(ctx: &ReducerContext, character_id: u64) -> Option<u64> {
    let seat = ctx.db.party_seat().character_id().find(character_id)?;
    Some(rows::party_id_of(&seat))
}

/// The party of a character, as it is.
pub(crate) fn of(ctx: &ReducerContext, character_id: u64) -> Option<(u64, Party)> {
    let party_id = party_of(ctx, character_id)?;
    Some((party_id, rows::load(ctx, party_id)?))
}

/// The characters of a character's party, itself among them; itself alone where it has none. Those
/// who are away for less than the grace are among them.
pub(crate) fn companions(ctx: &ReducerContext, character_id: u64) -> Vec<u64> {
    let Some(party_id) = party_of(ctx, character_id) else { return vec![character_id] };
    rows::members_of(ctx, party_id)
}

/// The loot rule of a character's party, and the party.
pub(crate) fn loot_of(ctx: &ReducerContext, character_id: u64) -> Option<(u64, Loot)> {
    of(ctx, character_id).map(|(party_id, party)| (party_id, party.loot))
}

/// Whose turn it is to take, of those who are eligible; it has had its turn then.
pub(crate) fn take_turn(ctx: &ReducerContext, party_id: u64, eligible: &[u64]) -> Option<u64> {
    let party = rows::load(ctx, party_id)?;
    let members: Vec<u64> = party.members.iter().map(|member| member.character_id).collect();
    let next = next_in_turn(&members, eligible, rows::turn_of(ctx, party_id))?;
    rows::set_turn(ctx, party_id, next);
    Some(next)
}

/// Who hears what a character says to its party, in a raid to its group: a number for all of them,
/// and who they are, itself among them.
pub(crate) fn circle_of(ctx: &ReducerContext, character_id: u64) -> Option<(u64, Vec<u64>)> {
    let (party_id, party) = of(ctx, character_id)?;
    let own = party.members.iter().find(|member| member.character_id == character_id)?.group;
    let (group, is_raid) = (if party.is_raid { own } else { 0 }, party.is_raid);
    let hears = |member: &&Member| !is_raid || member.group == own;
    let members = party.members.iter().filter(hears).map(|member| member.character_id);
    Some(((party_id << 8) | u64::from(group), members.collect()))
}

/// The number of the raid that a character is in.
pub(crate) fn raid_of(ctx: &ReducerContext, character_id: u64) -> Option<u64> {
    of(ctx, character_id).filter(|(_, party)| party.is_raid).map(|(party_id, _)| party_id)
}
