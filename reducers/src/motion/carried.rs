//! Bodies that are moved by what happens to them: halted, sent, pushed, slowed.

use super::state::{Due, State};
use super::{Intent, distance_mm, paths};
use crate::now_micros;
use crate::sequences;
use crate::world::land::Land;
use haven_rules::motion::{EffectKind, path};
use haven_rules::sequences::Numbered;
use haven_rules::world::cell_of_mm;
use haven_tables::motion::{MotionEffect, motion, motion_effect};
use spacetimedb::{ReducerContext, Table};

/// Nearer than this a goal need not be aimed at anew, millimetres.
const SAME_GOAL_MM: i64 = 500;
/// How finely it is tried how far somebody can be pushed.
const PUSH_STEPS: i32 = 8;

/// Lets an entity stand where it is.
pub(crate) fn halt(ctx: &ReducerContext, entity_id: u64) {
    let Some(mut state) = State::load(ctx, entity_id) else { return };
    if state.segment().stands() && state.course.pending_kind == 0 {
        return;
    }
    let now = now_micros(ctx);
    let Ok(mut land) = Land::new(ctx, state.world()) else { return };
    state.set_places(ctx, &[]);
    state.advance(now, &mut land);
    state.apply(Intent::Stand, false, 0, now, &mut land);
    state.write(ctx, Due::Unknown, land.vigil);
}

/// Sends an entity to a place, around what is in the way; false where no way is found now.
pub(crate) fn send(ctx: &ReducerContext, entity_id: u64, goal: (i32, i32), running: bool) -> bool {
    let Some(mut state) = State::load(ctx, entity_id) else { return false };
    let now = now_micros(ctx);
    let goes_there = match state.intent() {
        Intent::Goal { x_mm, y_mm } => distance_mm((x_mm, y_mm), goal) <= SAME_GOAL_MM,
        Intent::Stand | Intent::Direction { .. } | Intent::Wander { .. } => false,
    };
    if goes_there && !state.segment().stands() && state.course.running == running {
        return true;
    }
    let Ok(mut land) = Land::new(ctx, state.world()) else { return false };
    state.advance(now, &mut land);
    let from = state.segment().position_at(now);
    let Ok(places) = paths::find(ctx, entity_id, state.world(), from, goal, now) else {
        return false;
    };
    state.set_places(ctx, &places);
    let (x_mm, y_mm) = goal;
    state.apply(Intent::Goal { x_mm, y_mm }, running, 0, now, &mut land);
    state.write(ctx, Due::Unknown, land.vigil);
    true
}

/// Whether an entity goes anywhere.
pub(crate) fn is_moving(ctx: &ReducerContext, entity_id: u64) -> bool {
    let row = ctx.db.motion().entity_id().find(entity_id);
    row.is_some_and(|row| row.vel_x_mm_per_s != 0 || row.vel_y_mm_per_s != 0)
}

/// Puts an entity elsewhere in its world, where it then stands: as far on the way to a place as
/// nothing blocks, or, by magic, there or not at all. Whether it moved.
pub(crate) fn carry(
    ctx: &ReducerContext,
    entity_id: u64,
    to: (i32, i32),
    is_teleport: bool,
) -> bool {
    let Some((world, x_mm, y_mm)) = super::place_of(ctx, entity_id) else { return false };
    let Ok(land) = Land::new(ctx, world) else { return false };
    let mut land = land.making_at_most(0);
    let bounds = land.bounds();
    let mut is_open = |place: (i32, i32)| {
        bounds.contains(place.0, place.1)
            && land.is_open(cell_of_mm(place.0), cell_of_mm(place.1))
            && (is_teleport || path::is_clear(&mut land, (x_mm, y_mm), place))
    };
    let part = |from: i32, to: i32, step: i32| {
        let way = (i64::from(to) - i64::from(from)) * i64::from(step) / i64::from(PUSH_STEPS);
        i32::try_from(i64::from(from) + way).unwrap_or(from)
    };
    let steps = if is_teleport { PUSH_STEPS..=PUSH_STEPS } else { 1..=PUSH_STEPS };
    let place = |step| (part(x_mm, to.0, step), part(y_mm, to.1, step));
    let found = steps.rev().map(place).find(|place| is_open(*place));
    found.is_some_and(|place| super::relocate(ctx, entity_id, world, place))
}

/// Lets what an entity carries take a percentage of its speed, 0 for nothing, until that is set
/// anew. `known` is the effect that does so now, 0 for none; answers the one that does so then.
pub(crate) fn set_load(ctx: &ReducerContext, entity_id: u64, known: u64, percent: u16) -> u64 {
    let had = known != 0 && ctx.db.motion_effect().effect_id().delete(known);
    let percent = percent.min(EffectKind::Load.percent_max());
    let effect_id = if percent == 0 {
        0
    } else {
        let row = ctx.db.motion_effect().insert(MotionEffect {
            effect_id: sequences::next(ctx, Numbered::MotionEffect),
            entity_id,
            ends_at_micros: i64::MAX,
            percent,
            kind: EffectKind::Load.code(),
        });
        row.effect_id
    };
    if had || percent > 0 {
        go_on(ctx, entity_id);
    }
    effect_id
}

/// Lets an entity go at a percentage of its world's speed, until another one is set: 100 is as
/// usual. `known` is the effect that does so now, 0 for none; answers the one that does so then.
pub(crate) fn set_pace(ctx: &ReducerContext, entity_id: u64, known: u64, percent: u16) -> u64 {
    let had = known != 0 && ctx.db.motion_effect().effect_id().delete(known);
    let (kind, by) = match percent {
        0 => (EffectKind::Root, 0),
        1..100 => (EffectKind::Slow, (100 - percent).min(EffectKind::Slow.percent_max())),
        100 => {
            if had {
                go_on(ctx, entity_id);
            }
            return 0;
        }
        101.. => (EffectKind::Haste, (percent - 100).min(EffectKind::Haste.percent_max())),
    };
    let row = ctx.db.motion_effect().insert(MotionEffect {
        effect_id: sequences::next(ctx, Numbered::MotionEffect),
        entity_id,
        ends_at_micros: i64::MAX,
        percent: by,
        kind: kind.code(),
    });
    go_on(ctx, entity_id);
    row.effect_id
}

fn go_on(ctx: &ReducerContext, entity_id: u64) {
    let Some(mut state) = State::load(ctx, entity_id) else { return };
    let now = now_micros(ctx);
    let Ok(mut land) = Land::new(ctx, state.world()) else { return };
    state.advance(now, &mut land);
    super::effects::go_on(ctx, state, now, &mut land);
}
