//! What follows a decision: rows, threat, the fallen, the moved, and the event that tells of it.
//!
//! Keeps true: a creature's death is paid for once, in the transaction that kills it; who falls
//! does nothing of what it had begun.

use super::bodies::{self, Body, micros};
use super::casts;
use super::dice::Throws;
use super::due::{self, Kind};
use super::{effects, threat};
use crate::{items, motion, now_micros, npcs};
use haven_rules::characters::resources::vital_of;
use haven_rules::combat::EVENT_SECONDS;
use haven_rules::combat::deed::{Consequence, Line, Told};
use haven_rules::combat::health::{Fell, Vital};
use haven_rules::content::AbilityDef;
use haven_rules::content::book::Book;
use haven_rules::motion::slot_of;
use haven_tables::combat::CombatLine;
use spacetimedb::ReducerContext;
use std::rc::Rc;

/// Writes what a deed did to the bodies, the user first, and lets everything follow from it.
pub(super) fn settle(
    ctx: &ReducerContext,
    bodies: Vec<Body>,
    targets: &[usize],
    told: &Told,
    ability: &AbilityDef,
    book: &Rc<Book>,
) {
    let now = now_micros(ctx);
    let user = bodies[0].clone();
    let mut touched = vec![false; bodies.len()];
    touched[0] = true;
    for target in targets {
        touched[*target] = true;
    }
    // Before new effects have rows: those of what it concentrated on before must go.
    for consequence in &told.consequences {
        if let Consequence::ConcentrationEnded(entity_id) = consequence {
            effects::end_concentration(ctx, *entity_id);
        }
    }
    let is_hostile = super::scene::harms(ability);
    let after: Vec<(u64, bool, Vital, Vital)> = bodies.iter().map(vitals_of).collect();
    for (mut body, is_touched) in bodies.into_iter().zip(touched) {
        if is_touched {
            if is_hostile {
                body.state.fought_at_micros = now;
            }
            bodies::store(ctx, body);
        }
    }
    // The dead keep nobody in mind, whatever else falls on them.
    let was_dead = |entity_id: u64| {
        after.iter().any(|(id, _, was, _)| *id == entity_id && *was == Vital::Dead)
    };
    for line in told.lines.iter().filter(|line| !was_dead(line.target_id)) {
        threat::count(ctx, &user, line, is_hostile, book);
    }
    for consequence in &told.consequences {
        follow(ctx, &user, consequence);
    }
    for (entity_id, is_player, was, is) in after {
        if was != is {
            changed(ctx, entity_id, is_player, was, is, book);
        }
    }
    for line in &told.lines {
        if line.damage.is_some() && line.amount > 0 {
            super::rests::disturb(ctx, line.target_id);
        }
    }
}

/// Writes what an effect's moment did to the body it lies on; `source` is who laid it, if it is
/// still there.
pub(super) fn settle_moment(
    ctx: &ReducerContext,
    body: Body,
    source: Option<&Body>,
    told: &Told,
    book: &Rc<Book>,
) {
    for consequence in &told.consequences {
        if let Consequence::ConcentrationEnded(entity_id) = consequence {
            effects::end_concentration(ctx, *entity_id);
        }
    }
    let (entity_id, is_player, was, is) = vitals_of(&body);
    bodies::store(ctx, body);
    if let Some(source) = source.filter(|_| was != Vital::Dead) {
        for line in told.lines.iter().filter(|line| line.damage.is_some() || line.is_healing) {
            threat::count(ctx, source, line, line.damage.is_some(), book);
        }
    }
    for consequence in &told.consequences {
        if let Consequence::CastBroken(entity_id) = consequence {
            casts::break_off(ctx, *entity_id);
        }
    }
    if was != is {
        changed(ctx, entity_id, is_player, was, is, book);
    }
    if told.lines.iter().any(|line| line.damage.is_some() && line.amount > 0) {
        super::rests::disturb(ctx, entity_id);
    }
}

fn vitals_of(body: &Body) -> (u64, bool, Vital, Vital) {
    let Body { row, state, .. } = body;
    let was = vital_of(row.vital, state.death_successes, state.death_failures);
    (body.fighter.entity_id, body.fighter.is_player, was, body.fighter.health.vital)
}

/// Somebody fell, died, woke or lives again.
pub(super) fn changed(
    ctx: &ReducerContext,
    entity_id: u64,
    is_player: bool,
    was: Vital,
    is: Vital,
    book: &Rc<Book>,
) {
    due::forget(ctx, entity_id, |row| {
        let kinds = [Kind::DeathSave, Kind::Waking, Kind::Corpse];
        kinds.iter().any(|kind| row.kind == *kind as u8)
    });
    if is_player {
        resume(ctx, entity_id, is, book);
        if is == Vital::Dead {
            items::worn_by_death(ctx, entity_id);
        }
    } else if is == Vital::Dead {
        items::fallen(ctx, entity_id);
        threat::reward(ctx, entity_id, book);
        wait(ctx, entity_id, Kind::Corpse, "corpse_millis", book);
        npcs::died(ctx, entity_id, now_micros(ctx));
    }
    if is == Vital::Awake {
        return;
    }
    casts::drop_deeds(ctx, entity_id);
    if was == Vital::Awake {
        motion::halt(ctx, entity_id);
        effects::end_concentration(ctx, entity_id);
        super::duels::decided(ctx, entity_id);
        crate::economy::fell(ctx, entity_id);
    }
    if is == Vital::Dead {
        threat::forget(ctx, entity_id);
    }
}

/// What is next for a player who is dying, stable or dead.
pub(super) fn resume(ctx: &ReducerContext, entity_id: u64, is: Vital, book: &Rc<Book>) {
    match is {
        Vital::Awake => {}
        Vital::Dying { .. } => wait(ctx, entity_id, Kind::DeathSave, "death_save_millis", book),
        Vital::Stable => wait(ctx, entity_id, Kind::Waking, "stable_millis", book),
        Vital::Dead => wait(ctx, entity_id, Kind::Corpse, "player_corpse_millis", book),
    }
}

/// Somebody is looked at after a time of the balance.
fn wait(ctx: &ReducerContext, entity_id: u64, kind: Kind, setting: &str, book: &Rc<Book>) {
    due::set(ctx, entity_id, 0, kind, now_micros(ctx) + micros(book.setting(setting)));
}

fn follow(ctx: &ReducerContext, user: &Body, consequence: &Consequence) {
    match consequence {
        Consequence::ConcentrationEnded(_) => {}
        Consequence::CastBroken(entity_id) => {
            casts::break_off(ctx, *entity_id);
        }
        Consequence::Moved { entity_id, to, is_teleport } => {
            motion::carry(ctx, *entity_id, (to.x_mm, to.y_mm), *is_teleport);
        }
        Consequence::Summoned { creature, count, duration_millis } => {
            let goes_at_micros = now_micros(ctx) + i64::from(*duration_millis) * 1_000;
            npcs::summon(ctx, user, creature, *count, goes_at_micros);
        }
        Consequence::Taunted { entity_id, threat } => {
            threat::taunt(ctx, *entity_id, user.fighter.entity_id, *threat);
        }
    }
}

/// Writes the event.
pub(super) fn tell(ctx: &ReducerContext, throws: Throws, chunk_index: u64, lines: Vec<Line>) {
    let ends_at = now_micros(ctx) + i64::from(EVENT_SECONDS) * 1_000_000;
    let lines = lines.into_iter().map(line_of).collect();
    throws.tell(ctx, chunk_index, slot_of(ends_at), lines);
}

fn line_of(line: Line) -> CombatLine {
    let short = |number: i32| i16::try_from(number).unwrap_or(i16::MAX);
    let damage = line.damage.map_or(0, |damage| damage as usize + 1);
    CombatLine {
        target_id: line.target_id,
        rolled: line.rolled,
        amount: line.amount,
        modifier: short(line.modifier),
        against: short(line.against),
        natural: line.natural,
        verdict: line.verdict.code(),
        damage: u8::try_from(damage).unwrap_or(0),
        is_healing: line.is_healing,
        fell: match line.fell {
            Fell::No => 0,
            Fell::Endured => 1,
            Fell::Dying => 2,
            Fell::KnockedOut => 3,
            Fell::Failures(_) => 4,
            Fell::Dead => 5,
        },
        text: line.text,
    }
}
