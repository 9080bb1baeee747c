//! A creature thinks: what it sees is gathered, `rules` decides, and what it decided is begun.
//!
//! Keeps true: what a creature does goes the way that players' deeds go, and may be refused like
//! theirs; nobody thinks where nobody watches, unless the world's vigil says otherwise.

use super::scene::{Own, ROAM_MM, Scene};
use crate::combat::{self, Kind};
use crate::content::book;
use crate::motion;
use crate::now_micros;
use crate::world::{blocks, land};
use haven_rules::combat::aim::{ATTACK, Aim, distance_mm};
use haven_rules::combat::areas::Point;
use haven_rules::content::CreatureDef;
use haven_rules::content::book::Book;
use haven_rules::motion::mix;
use haven_rules::npcs::mind::{Act, Aimed, Decision, Mood, decide};
use haven_rules::npcs::phases::{begun, percent_of};
use haven_rules::npcs::{THINK_FIGHTING_MICROS, THINK_IDLE_MICROS, THINK_WAITING_MICROS};
use haven_rules::world::chunk_parts;
use haven_tables::combat::{Combatant, combatant};
use haven_tables::npcs::{Creature, creature};
use spacetimedb::ReducerContext;

/// One of so many times that no way is found a creature gives up.
const GIVE_UP_ONE_OF: u64 = 8;
/// The number of a body that is dead.
const DEAD: u8 = 3;

/// A creature thinks, and says when it thinks again.
pub(crate) fn think(ctx: &ReducerContext, entity_id: u64) {
    let now = now_micros(ctx);
    let Some(row) = ctx.db.creature().entity_id().find(entity_id) else { return };
    if row.goes_at_micros <= now || is_orphan(ctx, &row) {
        super::remove(ctx, entity_id);
        return;
    }
    let Some(mut own) = Own::load(ctx, row, now).filter(|own| own.body.vital != DEAD) else {
        return;
    };
    let vigil = land::has_vigil(ctx, own.row.world);
    if !vigil && !blocks::is_watched(ctx, own.chunk_index) {
        fall_asleep(ctx, &own);
        return;
    }
    let book = book(ctx);
    let Some(def) = book.creature(&own.row.key) else { return };
    begin_phase(&mut own, def, &book);
    let scene = Scene::gather(ctx, &mut own, def, &book, now);
    let view = scene.view(&own, def);
    let chance = mix(entity_id, now.unsigned_abs());
    let decision = decide(&view, chance);
    let mut next = next_micros(&own, &scene, &decision, now);
    if apply(ctx, own, &scene, &decision, chance, now) && !scene.is_target_moving {
        // It has struck at somebody who stands: there is nothing to decide until it can again.
        let strikes_at = now.saturating_add(book.setting("attack_millis").saturating_mul(1_000));
        next = strikes_at.clamp(now + THINK_FIGHTING_MICROS, now + THINK_WAITING_MICROS);
    }
    combat::replace(ctx, entity_id, 0, Kind::Thought, next);
}

/// Whether who summoned it is dead, gone or elsewhere.
fn is_orphan(ctx: &ReducerContext, row: &Creature) -> bool {
    row.master_id != 0 && {
        let master = ctx.db.combatant().entity_id().find(row.master_id);
        let is_with = |master: &Combatant| {
            master.vital != DEAD && chunk_parts(master.chunk_index).0 == row.world
        };
        !master.as_ref().is_some_and(is_with)
    }
}

/// Nobody watches a creature: it is home and whole when somebody comes, and its camp sleeps.
fn fall_asleep(ctx: &ReducerContext, own: &Own) {
    let row = &own.row;
    if row.mood != Mood::Idle.code() {
        combat::recover(ctx, row.entity_id);
        let (target_id, mood, phase) = (0, Mood::Idle.code(), 0);
        ctx.db.creature().entity_id().update(Creature { target_id, mood, phase, ..row.clone() });
    }
    if row.master_id == 0 && distance_mm(own.home(), own.place) > ROAM_MM {
        motion::relocate(ctx, row.entity_id, row.world, (row.home_x_mm, row.home_y_mm));
    }
    super::camps::fall_asleep(ctx, row.camp_id);
}

fn begin_phase(own: &mut Own, def: &CreatureDef, book: &Book) {
    if !def.phases.is_empty() && book.switch("boss_phases") {
        let percent = percent_of(own.body.hit_points, own.body.hit_points_max);
        if let Some(index) = begun(def, percent, own.row.phase) {
            own.row.phase = u8::try_from(index + 1).unwrap_or(u8::MAX);
        }
    }
}

/// When it thinks again, microseconds since 1970.
fn next_micros(own: &Own, scene: &Scene<'_>, decision: &Decision<'_>, now: i64) -> i64 {
    let until = |at: i64| at.clamp(now + THINK_FIGHTING_MICROS, now + THINK_WAITING_MICROS);
    let wait = match (decision.mood, &decision.act) {
        // It stands where it wants to and waits for its action.
        (Mood::Fighting, Act::Guard) if !scene.is_target_moving => {
            return until(own.state.action_at_micros);
        }
        (Mood::Fighting | Mood::Fleeing | Mood::GoingHome, _) => THINK_FIGHTING_MICROS,
        (Mood::Idle, _) if scene.has_company => THINK_FIGHTING_MICROS,
        (Mood::Idle, _) => THINK_IDLE_MICROS,
    };
    now + wait
}

/// Writes what changed of its mind, and begins what it decided; whether it has begun an attack.
fn apply(
    ctx: &ReducerContext,
    own: Own,
    scene: &Scene<'_>,
    decision: &Decision<'_>,
    chance: u64,
    now: i64,
) -> bool {
    let entity_id = own.row.entity_id;
    let mut has_struck = false;
    let mut after = Creature {
        target_id: decision.target_id.unwrap_or(0),
        mood: decision.mood.code(),
        ..own.row.clone()
    };
    if decision.forgets {
        combat::recover(ctx, entity_id);
        // The next fight begins anew.
        after.phase = 0;
    }
    let is_stuck = match decision.act {
        Act::Attack { target_id } => {
            // What is refused is decided anew.
            has_struck = combat::begin(ctx, entity_id, ATTACK, Aim::Entity(target_id), 0).is_ok();
            false
        }
        Act::Use { ability, aimed } | Act::HealAlly { ability, aimed, .. } => {
            combat::begin(ctx, entity_id, ability, aim_of(aimed), 0).ok();
            false
        }
        Act::Approach { to, .. } => !go(ctx, &own, to, true),
        Act::KeepDistance { to } | Act::Flee { to } => !leave(ctx, &own, to),
        Act::GoHome => !leave(ctx, &own, scene.home),
        Act::Wander { to } | Act::Patrol { to } => {
            go(ctx, &own, to, false);
            false
        }
        Act::CallForHelp => {
            after.called_at_micros = now;
            call(ctx, &own, scene, after.target_id);
            false
        }
        Act::Guard => {
            if own.is_moving && decision.mood == Mood::Idle {
                motion::halt(ctx, entity_id);
            }
            false
        }
        Act::Rest => false,
    };
    // Whom no way leads to cannot keep it standing there to be shot at.
    if is_stuck && !own.is_moving && chance.is_multiple_of(GIVE_UP_ONE_OF) {
        combat::recover(ctx, entity_id);
        motion::relocate(ctx, entity_id, own.row.world, (scene.home.x_mm, scene.home.y_mm));
        (after.target_id, after.mood, after.phase) = (0, Mood::Idle.code(), 0);
    }
    if after != own.known {
        ctx.db.creature().entity_id().update(after);
    }
    has_struck
}

/// Sends it somewhere; whether it goes.
fn go(ctx: &ReducerContext, own: &Own, to: Point, running: bool) -> bool {
    motion::send(ctx, own.row.entity_id, (to.x_mm, to.y_mm), running)
}

/// The same away from enemies, who may strike at it.
fn leave(ctx: &ReducerContext, own: &Own, to: Point) -> bool {
    if !own.is_moving {
        combat::sets_out(ctx, own.row.entity_id);
    }
    go(ctx, own, to, true)
}

fn aim_of(aimed: Aimed) -> Aim {
    match aimed {
        Aimed::Oneself => Aim::Oneself,
        Aimed::Entity(entity_id) => Aim::Entity(entity_id),
        Aimed::Point(point) => Aim::Point(point),
        Aimed::Direction(direction) => Aim::Direction(direction.dx, direction.dy),
    }
}

/// Calls whoever of its side is at peace and near enough to the one it fights.
fn call(ctx: &ReducerContext, own: &Own, scene: &Scene<'_>, target_id: u64) {
    let radius = book(ctx).setting("help_radius_mm");
    if ctx.db.combatant().entity_id().find(target_id).is_none() {
        return;
    }
    // Who was seen a moment ago may be dead or gone.
    let hears = |entity_id: u64| {
        let row = ctx.db.combatant().entity_id().find(entity_id);
        row.is_some_and(|row| row.vital != DEAD)
    };
    for ally in &scene.allies {
        let is_near = i64::from(distance_mm(own.place, ally.place)) <= radius;
        if is_near && scene.idle.contains(&ally.entity_id) && hears(ally.entity_id) {
            combat::change_threat(ctx, ally.entity_id, |threat| threat.draw(target_id, 1));
            super::wake(ctx, ally.entity_id);
        }
    }
}
