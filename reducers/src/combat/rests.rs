//! Rests, dying and coming back.
//!
//! Keeps true: a rest that is disturbed gives nothing; the dead return to the spawn with what the
//! balance leaves them, by their own wish or when their corpse is gone.

use super::aftermath;
use super::bodies::{self, Body, micros, millis};
use super::casts;
use super::dice::Cup;
use super::due::{self, Kind};
use crate::authority::require_player;
use crate::content::book;
use crate::{Refusal, characters, motion, now_micros, world};
use haven_rules::combat::aim::CombatError;
use haven_rules::combat::deed::Line;
use haven_rules::combat::dice::{Dice, Rolled};
use haven_rules::combat::health::Vital;
use haven_rules::combat::house::percent_of;
use haven_rules::combat::lasting::death_save;
use haven_rules::combat::rest::{HitDieSpent, spend_hit_die};
use haven_rules::combat::scores::modifier;
use haven_rules::content::book::Book;
use haven_tables::combat::{CombatRest, combat_rest, combat_state};
use spacetimedb::{ReducerContext, Table, reducer};
use std::rc::Rc;

/// Begins a rest: a short one, or a long one after which everything is back. Moving, fighting and
/// being hurt break it off. The same rest again changes nothing.
///
/// # Errors
/// In this order: the caller's, `combat.not_in_world`, `combat.dead`, `combat.down`,
/// `combat.rest_fighting`, `combat.rest_too_soon`.
#[reducer]
pub fn rest_begin(ctx: &ReducerContext, is_long: bool) -> Result<(), Refusal> {
    let (entity_id, body, book) = own_body(ctx)?;
    check_awake(&body)?;
    let now = now_micros(ctx);
    if now < body.state.fought_at_micros + micros(book.setting("in_combat_millis")) {
        return Err(CombatError::RestFighting.into());
    }
    let had = characters::resources(ctx, entity_id, &body.fighter.sheet);
    let wait = micros(book.setting("long_rest_wait_millis"));
    if is_long && had.long_rest_at_micros != 0 && now < had.long_rest_at_micros + wait {
        return Err(CombatError::RestTooSoon.into());
    }
    if let Some(row) = ctx.db.combat_rest().entity_id().find(entity_id) {
        if row.is_long == is_long {
            return Ok(());
        }
        disturb(ctx, entity_id);
    }
    let lasts = book.setting(if is_long { "long_rest_millis" } else { "short_rest_millis" });
    let ends_at_micros = now + micros(lasts);
    motion::halt(ctx, entity_id);
    ctx.db.combat_rest().insert(CombatRest {
        entity_id,
        began_at_micros: now,
        ends_at_micros,
        is_long,
    });
    due::set(ctx, entity_id, 0, Kind::Rest, ends_at_micros);
    Ok(())
}

/// Breaks off the caller's rest.
///
/// # Errors
/// In this order: the caller's, `combat.not_in_world`, `combat.not_resting`.
#[reducer]
pub fn rest_end(ctx: &ReducerContext) -> Result<(), Refusal> {
    let (entity_id, ..) = own_body(ctx)?;
    if disturb(ctx, entity_id) { Ok(()) } else { Err(CombatError::NotResting.into()) }
}

/// A dead character returns to the spawn of the world it is in, alive.
///
/// # Errors
/// In this order: the caller's, `combat.not_in_world`, `combat.not_dead`,
/// `combat.respawn_too_early`.
#[reducer]
pub fn death_return(ctx: &ReducerContext) -> Result<(), Refusal> {
    let (entity_id, body, book) = own_body(ctx)?;
    if !body.fighter.health.is_dead() {
        return Err(CombatError::NotDead.into());
    }
    let waits = due::at_of(ctx, entity_id, Kind::Corpse).unwrap_or(0);
    let lies = micros(book.setting("player_corpse_millis"));
    let ready_at = waits - lies + micros(book.setting("respawn_wait_millis"));
    if now_micros(ctx) < ready_at {
        return Err(CombatError::RespawnTooEarly.into());
    }
    come_back(ctx, body, &book);
    Ok(())
}

/// The body of the caller's character.
///
/// # Errors
/// In this order: the caller's, `combat.not_in_world`.
fn own_body(ctx: &ReducerContext) -> Result<(u64, Body, Rc<Book>), Refusal> {
    let player = require_player(ctx)?;
    let entity_id = characters::entity_of(ctx, player.account_id);
    let entity_id = entity_id.ok_or(CombatError::NotInWorld)?;
    let book = book(ctx);
    let body = bodies::load(ctx, entity_id, &book).ok_or(CombatError::NotInWorld)?;
    Ok((entity_id, body, book))
}

/// # Errors
/// In this order: `combat.dead`, `combat.down`.
fn check_awake(body: &Body) -> Result<(), CombatError> {
    if body.fighter.health.is_dead() {
        Err(CombatError::Dead)
    } else if body.fighter.health.is_awake() {
        Ok(())
    } else {
        Err(CombatError::Down)
    }
}

/// Breaks off somebody's rest; whether there was one.
pub(super) fn disturb(ctx: &ReducerContext, entity_id: u64) -> bool {
    let rests = ctx.db.combat_rest().entity_id().delete(entity_id);
    if rests {
        due::forget(ctx, entity_id, |row| row.kind == Kind::Rest as u8);
    }
    rests
}

/// A rest is over: hit dice are spent while hit points are missing, or everything comes back.
pub(super) fn over(ctx: &ReducerContext, cup: &mut Cup, entity_id: u64) {
    let Some(row) = ctx.db.combat_rest().entity_id().find(entity_id) else { return };
    ctx.db.combat_rest().entity_id().delete(entity_id);
    let Some(mut body) = bodies::load(ctx, entity_id, &book(ctx)) else { return };
    if !body.fighter.health.is_awake() {
        return;
    }
    let sheet = Rc::clone(&body.fighter.sheet);
    let mut line = Line::of(entity_id);
    line.is_healing = true;
    let mut throws =
        cup.event(ctx, entity_id, if row.is_long { "long_rest" } else { "short_rest" });
    let before = body.fighter.health.current;
    if !row.is_long {
        let mut had = characters::resources(ctx, entity_id, &sheet);
        let constitution = modifier(sheet.scores.constitution);
        while body.fighter.health.current < body.fighter.health.max {
            let health = &mut body.fighter.health;
            let spent = spend_hit_die(health, &mut had.hit_dice, constitution, &mut throws);
            let Some(spent) = spent else { break };
            let apart = if line.text.is_empty() { "" } else { "; " };
            line.text = format!("{}{apart}{}", line.text, words_of(had.hit_dice.sides, &spent));
        }
        characters::save_resources(ctx, entity_id, &had);
    }
    bodies::keep(ctx, &body);
    let had = characters::rested(ctx, entity_id, row.is_long, &sheet);
    if row.is_long {
        (body.fighter.exhaustion, body.fighter.has_endured) = (had.exhaustion, had.has_endured);
        body.fighter.health.temporary = 0;
        let max = body.fighter.hit_points_max();
        body.fighter.health.set_max(max);
        body.fighter.health.heal(max);
    }
    line.amount = body.fighter.health.current - before;
    let chunk_index = body.row.chunk_index;
    bodies::store(ctx, body);
    aftermath::tell(ctx, throws, chunk_index, vec![line]);
}

/// A hit die as a line tells of it: `1d8+2: 7 + 2 = 9`.
fn words_of(sides: u8, spent: &HitDieSpent) -> String {
    let bonus = i16::try_from(spent.constitution).unwrap_or(0);
    let dice = Dice { bonus, ..Dice::new(1, sides) };
    let total = i32::from(spent.shown) + spent.constitution;
    format!("{dice}: {}", Rolled { dice, shown: vec![spent.shown], total })
}

/// Somebody who is dying rolls for its life.
pub(super) fn roll_for_life(ctx: &ReducerContext, cup: &mut Cup, entity_id: u64) {
    let book = book(ctx);
    let Some(mut body) = bodies::load(ctx, entity_id, &book) else { return };
    let was = body.fighter.health.vital;
    let mut throws = cup.event(ctx, entity_id, "death_save");
    let house = bodies::house(&book);
    let Some(line) = death_save(&house, &mut body.fighter, &mut throws) else { return };
    let (is, chunk_index) = (body.fighter.health.vital, body.row.chunk_index);
    bodies::store(ctx, body);
    aftermath::changed(ctx, entity_id, true, was, is, &book);
    aftermath::tell(ctx, throws, chunk_index, vec![line]);
}

/// Who was stable long enough wakes.
pub(super) fn wake(ctx: &ReducerContext, entity_id: u64) {
    let book = book(ctx);
    let Some(mut body) = bodies::load(ctx, entity_id, &book) else { return };
    if body.fighter.health.wake() {
        bodies::store(ctx, body);
    }
}

/// A dead player waited long enough: it returns by itself.
pub(super) fn return_dead(ctx: &ReducerContext, entity_id: u64) {
    let book = book(ctx);
    let Some(body) = bodies::load(ctx, entity_id, &book) else { return };
    if body.fighter.health.is_dead() {
        come_back(ctx, body, &book);
    }
}

fn come_back(ctx: &ReducerContext, mut body: Body, book: &Rc<Book>) {
    let entity_id = body.fighter.entity_id;
    let percent = book.setting("respawn_hit_points_percent");
    let fighter = &mut body.fighter;
    fighter.forget(|_| true);
    let hit_points = percent_of(fighter.health.max, percent);
    fighter.health.revive(hit_points);
    let (in_world, is) = (body.world, fighter.health.vital);
    characters::lose_experience(ctx, entity_id);
    bodies::store(ctx, body);
    aftermath::changed(ctx, entity_id, true, Vital::Dead, is, book);
    if let Ok(place) = world::place_to_stand(ctx, in_world, None) {
        motion::relocate(ctx, entity_id, in_world, place);
    }
}

/// Somebody goes: that ends its rest and what it casts.
pub(crate) fn moved(ctx: &ReducerContext, entity_id: u64) {
    casts::break_off(ctx, entity_id);
    disturb(ctx, entity_id);
}

/// Whether somebody fights, or has a moment ago.
pub(crate) fn is_fighting(ctx: &ReducerContext, entity_id: u64) -> bool {
    let state = ctx.db.combat_state().entity_id().find(entity_id);
    let wait = book(ctx).setting("in_combat_millis");
    state.is_some_and(|row| millis(now_micros(ctx) - row.fought_at_micros) < wait)
}
