//! What members do with their party.
//!
//! Keeps true: each is decided by `rules::parties` over the whole party, and changes nothing where
//! nothing is different afterwards.

use super::{invites, rows};
use crate::authority::require_player;
use crate::{Refusal, characters, motion, now_micros};
use haven_rules::combat::aim::is_within;
use haven_rules::combat::areas::Point;
use haven_rules::parties::{MARK_RANGE_MM, Party, PartyError};
use spacetimedb::{ReducerContext, reducer};

/// Leaves the caller's party. Where it led, the next leader does: of those who are there the
/// assistant who is a member for longest, else the member who is. It is always in time.
///
/// # Errors
/// In this order: the caller's, `party.not_in_world`, `party.none`.
#[reducer]
pub fn party_leave(ctx: &ReducerContext) -> Result<(), Refusal> {
    let now = now_micros(ctx);
    change(ctx, |_, _| Ok(()), |party, own| party.leave(own, now))
}

/// Takes a member out of the caller's party.
///
/// # Errors
/// In this order: the caller's, `party.not_in_world`, `party.none`, `party.not_assistant`,
/// `party.member_unknown`, `party.self`, `party.not_leader` for assistants, whom the leader takes
/// out, and the leader, `party.too_fast`.
#[reducer]
pub fn party_kick(ctx: &ReducerContext, character_id: u64) -> Result<(), Refusal> {
    let now = now_micros(ctx);
    act(ctx, |party, own| party.kick(own, character_id, now))
}

/// Makes another member the leader; the caller is an assistant then.
///
/// # Errors
/// In this order: the caller's, `party.not_in_world`, `party.none`, `party.not_leader`,
/// `party.member_unknown`, `party.self`, `party.member_away`, `party.too_fast`.
#[reducer]
pub fn party_leader_pass(ctx: &ReducerContext, character_id: u64) -> Result<(), Refusal> {
    act(ctx, |party, own| party.pass(own, character_id))
}

/// Makes a member an assistant, who may invite, take out, group, mark and ask whether all are
/// ready; or no longer.
///
/// # Errors
/// In this order: the caller's, `party.not_in_world`, `party.none`, `party.not_leader`,
/// `party.member_unknown`, `party.self`, `party.too_fast`.
#[reducer]
pub fn party_assistant_set(
    ctx: &ReducerContext,
    character_id: u64,
    assists: bool,
) -> Result<(), Refusal> {
    act(ctx, |party, own| party.assist(own, character_id, assists))
}

/// Makes a raid of the caller's party, or a party of it again.
///
/// # Errors
/// In this order: the caller's, `party.not_in_world`, `party.none`, `party.not_leader`,
/// `party.too_large`, `party.too_fast`.
#[reducer]
pub fn party_convert(ctx: &ReducerContext, is_raid: bool) -> Result<(), Refusal> {
    act(ctx, |party, own| party.convert(own, is_raid))
}

/// Puts a member of the caller's raid into a group of 1 to 8.
///
/// # Errors
/// In this order: the caller's, `party.not_in_world`, `party.none`, `party.group_unknown`,
/// `party.not_assistant`, `party.not_raid`, `party.member_unknown`, `party.group_full`,
/// `party.too_fast`.
#[reducer]
pub fn party_group_set(ctx: &ReducerContext, character_id: u64, group: u8) -> Result<(), Refusal> {
    act(ctx, |party, own| party.regroup(own, character_id, group))
}

/// Says who may take what lies on corpses: 1 everybody, 2 members in turn, 3 need before greed, 4
/// one member gives it out; for 3 and 4 from a rarity of 0 to 5 on. `master_id` counts for 4 alone.
///
/// # Errors
/// In this order: the caller's, `party.not_in_world`, `party.none`, `party.loot_invalid`,
/// `party.not_leader`, `party.member_unknown`, `party.too_fast`.
#[reducer]
pub fn party_loot_set(
    ctx: &ReducerContext,
    mode: u8,
    threshold: u8,
    master_id: u64,
) -> Result<(), Refusal> {
    act(ctx, |party, own| party.loot_by(own, mode, threshold, master_id))
}

/// Puts a marker of 1 to 8 on a target that is near the caller, 0 to take it away. In a raid the
/// leader and assistants do, in a party everybody.
///
/// # Errors
/// In this order: the caller's, `party.not_in_world`, `party.none`, `party.marker_unknown`,
/// `party.not_assistant`, `party.target_unknown`, `party.too_fast`.
#[reducer]
pub fn party_marker_set(ctx: &ReducerContext, marker: u8, entity_id: u64) -> Result<(), Refusal> {
    act(ctx, |party, own| {
        party.mark(own, marker, entity_id)?;
        let is_near = entity_id == 0 || is_near(ctx, own, entity_id);
        if is_near { Ok(()) } else { Err(PartyError::TargetUnknown) }
    })
}

/// Asks all members who are there whether they are ready. It ends when all have answered, and after
/// 30 seconds.
///
/// # Errors
/// In this order: the caller's, `party.not_in_world`, `party.none`, `party.not_assistant`,
/// `party.ready_going`, `party.too_fast`.
#[reducer]
pub fn party_ready_begin(ctx: &ReducerContext) -> Result<(), Refusal> {
    let now = now_micros(ctx);
    act(ctx, |party, own| party.ask_ready(own, now))
}

/// Answers a ready check; while it goes on also anew.
///
/// # Errors
/// In this order: the caller's, `party.not_in_world`, `party.none`, `party.ready_none`,
/// `party.too_fast`.
#[reducer]
pub fn party_ready_answer(ctx: &ReducerContext, is_ready: bool) -> Result<(), Refusal> {
    act(ctx, |party, own| party.answer_ready(own, is_ready))
}

/// Changes the party of the caller's character as that decides, as often as an account may. What
/// changes nothing costs nothing.
fn act(
    ctx: &ReducerContext,
    decide: impl FnOnce(&mut Party, u64) -> Result<(), PartyError>,
) -> Result<(), Refusal> {
    change(ctx, invites::spend_change, decide)
}

/// The same, where `spend` counts the account's changes.
fn change(
    ctx: &ReducerContext,
    spend: impl FnOnce(&ReducerContext, u64) -> Result<(), PartyError>,
    decide: impl FnOnce(&mut Party, u64) -> Result<(), PartyError>,
) -> Result<(), Refusal> {
    let account_id = require_player(ctx)?.account_id;
    let own = characters::entity_of(ctx, account_id).ok_or(PartyError::CharacterAbsent)?;
    let (party_id, before) = super::of(ctx, own).ok_or(PartyError::NoParty)?;
    let mut after = before.clone();
    decide(&mut after, own)?;
    if after == before {
        return Ok(());
    }
    spend(ctx, account_id)?;
    rows::write(ctx, party_id, &before, &after);
    Ok(())
}

/// Whether something in the world is near enough to be marked.
fn is_near(ctx: &ReducerContext, own: u64, entity_id: u64) -> bool {
    let place = |id: u64| {
        let (world, x_mm, y_mm) = motion::place_of(ctx, id)?;
        Some((world, Point { x_mm, y_mm }))
    };
    match (place(own), place(entity_id)) {
        (Some((here, from)), Some((there, to))) => {
            here == there && is_within(from, to, MARK_RANGE_MM)
        }
        (Some(_) | None, _) => false,
    }
}
