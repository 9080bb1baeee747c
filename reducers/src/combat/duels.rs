//! Duels: two players who both want to fight.
//!
//! Keeps true: nobody is in two duels; a duel ends when one falls, goes too far, leaves, or its
//! time is over; an offer ends by itself.

use super::bodies::micros;
use super::due::{self, Kind};
use crate::authority::require_player;
use crate::content::book;
use crate::{Refusal, characters, friends, leaderboards, motion, now_micros};
use haven_rules::combat::aim::{CombatError, is_within};
use haven_rules::combat::areas::Point;
use haven_rules::friends::What;
use haven_tables::combat::{CombatDuel, combat_duel, combatant};
use spacetimedb::{ReducerContext, Table, reducer};

/// How long an offer stands, microseconds.
const OFFER_MICROS: i64 = 30_000_000;
/// How often it is seen whether both are still there, microseconds.
const LOOK_MICROS: i64 = 1_000_000;

/// Offers a duel to a player who is near. Who has offered one, or was offered one, is busy until it
/// is answered or has lapsed. For whom it has blocked, or takes no invitations of, it is busy.
///
/// # Errors
/// In this order: the caller's, `combat.not_in_world`, `combat.switched_off`, `combat.target_self`,
/// `combat.target_unknown`, `combat.out_of_range`, `combat.duel_busy`.
#[reducer]
pub fn duel_offer(ctx: &ReducerContext, entity_id: u64) -> Result<(), Refusal> {
    let player = require_player(ctx)?;
    let own = characters::entity_of(ctx, player.account_id).ok_or(CombatError::NotInWorld)?;
    let book = book(ctx);
    if !book.switch("duels") {
        return Err(CombatError::SwitchedOff.into());
    }
    if entity_id == own {
        return Err(CombatError::TargetSelf.into());
    }
    let other = ctx.db.combatant().entity_id().find(entity_id);
    other.filter(|row| row.is_player).ok_or(CombatError::TargetUnknown)?;
    let (world, x_mm, y_mm) = motion::place_of(ctx, own).ok_or(CombatError::NotInWorld)?;
    let (there, other_x, other_y) =
        motion::place_of(ctx, entity_id).ok_or(CombatError::TargetUnknown)?;
    let range = u32::try_from(book.setting("duel_range_mm")).unwrap_or(0);
    let (at, to) = (Point { x_mm, y_mm }, Point { x_mm: other_x, y_mm: other_y });
    if there != world || !is_within(at, to, range) {
        return Err(CombatError::OutOfRange.into());
    }
    let other_account = characters::account_of(ctx, entity_id).ok_or(CombatError::TargetUnknown)?;
    let is_free = of(ctx, own).is_none() && of(ctx, entity_id).is_none();
    if !is_free || !friends::may(ctx, What::Invites, other_account, player.account_id) {
        return Err(CombatError::DuelBusy.into());
    }
    let ends_at_micros = now_micros(ctx) + OFFER_MICROS;
    ctx.db.combat_duel().insert(CombatDuel {
        entity_id: own,
        other_id: entity_id,
        pos_x_mm: x_mm,
        pos_y_mm: y_mm,
        ends_at_micros,
        is_on: false,
    });
    due::set(ctx, own, entity_id, Kind::Duel, ends_at_micros);
    Ok(())
}

/// Accepts or refuses the duel that a player has offered to the caller.
///
/// # Errors
/// In this order: the caller's, `combat.not_in_world`, `combat.duel_unknown`.
#[reducer]
pub fn duel_answer(ctx: &ReducerContext, entity_id: u64, accepts: bool) -> Result<(), Refusal> {
    let player = require_player(ctx)?;
    let own = characters::entity_of(ctx, player.account_id).ok_or(CombatError::NotInWorld)?;
    let offered = ctx.db.combat_duel().entity_id().find(entity_id);
    let is_open = |row: &CombatDuel| row.other_id == own && !row.is_on;
    let row = offered.filter(is_open).ok_or(CombatError::DuelUnknown)?;
    if accepts {
        let lasts = micros(book(ctx).setting("duel_millis_max"));
        let ends_at_micros = now_micros(ctx) + lasts;
        ctx.db.combat_duel().entity_id().update(CombatDuel { is_on: true, ends_at_micros, ..row });
        due::replace(ctx, entity_id, own, Kind::Duel, now_micros(ctx) + LOOK_MICROS);
    } else {
        end(ctx, &row);
    }
    Ok(())
}

/// Gives up the caller's duel or offer.
///
/// # Errors
/// In this order: the caller's, `combat.not_in_world`, `combat.duel_unknown`.
#[reducer]
pub fn duel_end(ctx: &ReducerContext) -> Result<(), Refusal> {
    let player = require_player(ctx)?;
    let own = characters::entity_of(ctx, player.account_id).ok_or(CombatError::NotInWorld)?;
    let row = of(ctx, own).ok_or(CombatError::DuelUnknown)?;
    end(ctx, &row);
    Ok(())
}

fn of(ctx: &ReducerContext, entity_id: u64) -> Option<CombatDuel> {
    let offered = ctx.db.combat_duel().entity_id().find(entity_id);
    offered.or_else(|| ctx.db.combat_duel().other_id().find(entity_id))
}

fn end(ctx: &ReducerContext, row: &CombatDuel) {
    due::forget(ctx, row.entity_id, |due| due.kind == Kind::Duel as u8);
    ctx.db.combat_duel().entity_id().delete(row.entity_id);
}

/// Whether two fight a duel with each other.
pub(super) fn are_in_one(ctx: &ReducerContext, one: u64, other: u64) -> bool {
    let row = of(ctx, one).filter(|row| row.is_on);
    row.is_some_and(|row| [row.entity_id, row.other_id].contains(&other))
}

/// Somebody is gone.
pub(super) fn end_of(ctx: &ReducerContext, entity_id: u64) {
    if let Some(row) = of(ctx, entity_id) {
        end(ctx, &row);
    }
}

/// Somebody fell: a duel it was in is over.
pub(super) fn decided(ctx: &ReducerContext, fallen: u64) {
    if let Some(row) = of(ctx, fallen).filter(|row| row.is_on) {
        let winner = if row.entity_id == fallen { row.other_id } else { row.entity_id };
        leaderboards::feed(ctx, "duels_won", winner, 1);
        end(ctx, &row);
    }
}

/// It is looked whether a duel goes on.
pub(super) fn look(ctx: &ReducerContext, entity_id: u64) {
    let Some(row) = ctx.db.combat_duel().entity_id().find(entity_id) else { return };
    let now = now_micros(ctx);
    let range = u32::try_from(book(ctx).setting("duel_range_mm")).unwrap_or(0);
    let began = Point { x_mm: row.pos_x_mm, y_mm: row.pos_y_mm };
    let is_there = |entity_id: u64| {
        let place = motion::place_of(ctx, entity_id);
        place.is_some_and(|(_, x_mm, y_mm)| is_within(began, Point { x_mm, y_mm }, 2 * range))
    };
    let both = is_there(row.entity_id) && is_there(row.other_id);
    if now >= row.ends_at_micros || row.is_on && !both {
        end(ctx, &row);
    } else {
        let next = row.ends_at_micros.min(now + LOOK_MICROS);
        due::set(ctx, entity_id, row.other_id, Kind::Duel, next);
    }
}
