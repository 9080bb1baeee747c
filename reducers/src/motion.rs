//! Motion: courses, and the tick that handles what is due.
//!
//! Keeps true: nothing is written while an entity moves straight; the first course of a tick is
//! applied at once unless its block is crowded, later ones overwrite one pending intent; the tick
//! handles only rows that are due, earliest first, at most `rules::motion::TICK_ROWS_MAX` a run.

mod carried;
mod due;
mod effects;
mod health;
mod paths;
mod rhythm;
mod state;
mod wanderers;

pub(crate) use carried::{carry, halt, is_moving, send, set_load, set_pace};
pub use effects::{motion_effect_apply, motion_effect_clear};
pub(crate) use health::note_combat;
pub(crate) use wanderers::{clear_wanderers, has_wanderers};
pub use wanderers::{wanderer_clear, wanderer_spawn};

use crate::authority::{require_database, require_player, require_room};
use crate::world::blocks;
use crate::world::land::Land;
use crate::{Refusal, characters, combat, now_micros, world};
use haven_rules::motion::{
    FOLLOW_AIM_MICROS, FOLLOW_NEAR_MM, FOLLOW_RANGE_MM, Intent, MotionError, Segment, SegmentEnd,
    TICK_MICROS, applies_at_once, next_tick_at_micros,
};
use haven_rules::world::{chunk_of as block_of, chunk_parts};
use haven_tables::motion::{
    Motion, MotionCourse, MotionDue, motion, motion_course, motion_due, motion_effect, motion_path,
};
use spacetimedb::{ReducerContext, ScheduleAt, Table, TimeDuration, reducer, table};
use state::{Due, State, segment_of};
use std::collections::BTreeMap;
use std::collections::btree_map::Entry;

/// Most blocks of land made in one run of the tick; who needs more waits for the next.
const TICK_BLOCKS_MAX: u32 = 8;

/// The timer of [`motion_tick()`]: 20 Hz. A run that changes nothing leaves nothing in the log.
#[table(name = motion_tick_timer, scheduled(motion_tick))]
pub struct MotionTickTimer {
    /// The timer's number.
    #[primary_key]
    #[auto_inc]
    pub scheduled_id: u64,
    /// When it fires.
    pub scheduled_at: ScheduleAt,
}

pub(crate) fn ensure_timers(ctx: &ReducerContext) {
    if ctx.db.motion_tick_timer().count() == 0 {
        let scheduled_at = TimeDuration::from_micros(TICK_MICROS).into();
        ctx.db.motion_tick_timer().insert(MotionTickTimer { scheduled_id: 0, scheduled_at });
    }
}

/// Sets the caller's course to a direction; `0, 0` stops. Only the angle counts, not the length.
/// Whoever meets an obstacle at an angle slides along it.
///
/// # Errors
/// In this order: the caller's, `motion.not_in_world`.
#[reducer]
pub fn course_set(ctx: &ReducerContext, dx: i16, dy: i16, running: bool) -> Result<(), Refusal> {
    let mut state = player_state(ctx)?;
    state.set_places(ctx, &[]);
    steer(ctx, state, Intent::direction(dx, dy), Some(running), 0)
}

/// Sends the caller to a place at most 1000 m away, around what is in the way, walking or running
/// as before.
///
/// # Errors
/// In this order: the caller's, `motion.not_in_world`, `motion.goal_outside`,
/// `motion.goal_too_far`, `motion.goal_blocked`; where no straight line leads `motion.too_often`,
/// `motion.busy`, `motion.land_unknown`, `motion.no_path`.
#[reducer]
pub fn course_to(ctx: &ReducerContext, x_mm: i32, y_mm: i32) -> Result<(), Refusal> {
    let mut state = player_state(ctx)?;
    let now = now_micros(ctx);
    let mut land = Land::new(ctx, state.world())?;
    state.advance(now, &mut land);
    let from = state.segment().position_at(now);
    let entity_id = state.row.entity_id;
    let places = paths::find(ctx, entity_id, state.world(), from, (x_mm, y_mm), now)?;
    state.set_places(ctx, &places);
    steer(ctx, state, Intent::Goal { x_mm, y_mm }, None, 0)
}

/// Lets the caller follow somebody within 64 m, walking or running as before, until it sets another
/// course or that one is gone.
///
/// # Errors
/// In this order: the caller's, `motion.not_in_world`, `motion.target_self`,
/// `motion.target_unknown`.
#[reducer]
pub fn course_follow(ctx: &ReducerContext, entity_id: u64) -> Result<(), Refusal> {
    let mut state = player_state(ctx)?;
    if entity_id == state.row.entity_id {
        return Err(MotionError::TargetSelf.into());
    }
    let now = now_micros(ctx);
    let from = state.segment().position_at(now);
    let (x_mm, y_mm) =
        target_place(ctx, &state, entity_id, from, now).ok_or(MotionError::TargetUnknown)?;
    state.set_places(ctx, &[]);
    steer(ctx, state, Intent::Goal { x_mm, y_mm }, None, entity_id)
}

/// Handles what is due: segments that ended, paces that change and intents that waited. 20 times a
/// second.
///
/// # Errors
/// `realm.database_only` for clients.
#[reducer]
pub fn motion_tick(ctx: &ReducerContext, timer: MotionTickTimer) -> Result<(), Refusal> {
    require_database(ctx)?;
    rhythm::keep(ctx, timer);
    // Who walks stands where his segment ends until there is room to write the next one.
    if require_room(ctx).is_err() {
        return Ok(());
    }
    let now = now_micros(ctx);
    let since = due::look_from();
    let (due, is_more) = due::due(ctx, since, now);
    let mut run = health::Run {
        late_micros: due.first().map_or(0, |row| now - row.due_at_micros),
        is_over_budget: is_more,
        ..health::Run::default()
    };
    let mut lands = BTreeMap::new();
    for row in due {
        handle_due(ctx, &row, now, &mut lands);
        run.rows += 1;
        if lands.values().map(|land: &Land<'_>| land.made).sum::<u32>() >= TICK_BLOCKS_MAX {
            run.is_over_budget = true;
            break;
        }
    }
    let known = health::read(ctx);
    let messages_per_s = known.as_ref().map_or(0, |row| row.messages_per_s);
    run.crowd = blocks::close_windows(ctx, since, now, messages_per_s);
    if !run.is_over_budget && !run.crowd.is_full {
        due::handled_until(now);
    }
    health::write(ctx, known, &run);
    Ok(())
}

fn handle_due<'a>(
    ctx: &'a ReducerContext,
    due: &MotionDue,
    now: i64,
    lands: &mut BTreeMap<u32, Land<'a>>,
) {
    let Some(mut state) = State::load(ctx, due.entity_id) else {
        ctx.db.motion_due().entity_id().delete(due.entity_id);
        return;
    };
    let land = match lands.entry(state.world()) {
        Entry::Occupied(entry) => entry.into_mut(),
        Entry::Vacant(entry) => {
            let Ok(land) = Land::new(ctx, state.world()) else {
                ctx.db.motion_due().entity_id().delete(due.entity_id);
                return;
            };
            entry.insert(land)
        }
    };
    state.advance(now, land);
    state.end_effects(ctx, now);
    if state.course.pending_kind != 0 {
        state.apply_pending(now, land);
    }
    let due = if state.course.target_id == 0 {
        Due::Was(due.due_at_micros)
    } else {
        follow(ctx, &mut state, now, land)
    };
    state.write(ctx, due, land.vigil);
}

/// The motion of the caller's character.
///
/// # Errors
/// In this order: the caller's, `motion.not_in_world`.
fn player_state(ctx: &ReducerContext) -> Result<State, Refusal> {
    let player = require_player(ctx)?;
    let entity_id = characters::entity_of(ctx, player.account_id);
    let state = entity_id.and_then(|entity_id| State::load(ctx, entity_id));
    state.ok_or_else(|| MotionError::NotInWorld.into())
}

/// Takes up an intent now, or keeps it for a later tick: if the course was changed in this one
/// already, or if the block is so crowded that courses are published together.
fn steer(
    ctx: &ReducerContext,
    mut state: State,
    intent: Intent,
    running: Option<bool>,
    target_id: u64,
) -> Result<(), Refusal> {
    let now = now_micros(ctx);
    if intent != Intent::Stand {
        combat::sets_out(ctx, state.row.entity_id);
    }
    let running = running.unwrap_or(state.course.running);
    state.count_input();
    // What overwrites an intent that waits already is no message more.
    let is_new = state.course.pending_kind == 0;
    let gathered = blocks::count_input(ctx, state.row.chunk_index, now, is_new);
    if gathered.is_none() && applies_at_once(state.course.course_at_micros, now) {
        let mut land = Land::new(ctx, state.world())?;
        state.advance(now, &mut land);
        state.apply(intent, running, target_id, now, &mut land);
        let due = if target_id == 0 { Due::Unknown } else { Due::By(now + FOLLOW_AIM_MICROS) };
        state.write(ctx, due, land.vigil);
    } else {
        state.keep(intent, running, target_id);
        let publish_at = match gathered {
            Some(TICK_MICROS) => now,
            Some(every) => (now.div_euclid(every) + 1) * every,
            None => next_tick_at_micros(now),
        };
        let entity_id = state.row.entity_id;
        let due_at = due::known(ctx, entity_id).map_or(publish_at, |due| due.min(publish_at));
        ctx.db.motion_course().entity_id().update(state.course);
        due::set(ctx, entity_id, Some(due_at));
    }
    Ok(())
}

/// Where somebody is who is to be followed; none when it is gone or too far.
fn target_place(
    ctx: &ReducerContext,
    state: &State,
    target_id: u64,
    from: (i32, i32),
    now: i64,
) -> Option<(i32, i32)> {
    let target = State::load(ctx, target_id).filter(|target| target.world() == state.world())?;
    let place = target.segment().position_at(now);
    (distance_mm(from, place) <= FOLLOW_RANGE_MM).then_some(place)
}

/// The longer of the two ways along the axes, millimetres.
fn distance_mm(from: (i32, i32), to: (i32, i32)) -> i64 {
    let way = |a: i32, b: i32| (i64::from(a) - i64::from(b)).abs();
    way(from.0, to.0).max(way(from.1, to.1))
}

/// Aims anew at whom it follows, if that one has moved on: straight, or by a path.
fn follow(ctx: &ReducerContext, state: &mut State, now: i64, land: &mut Land<'_>) -> Due {
    let from = state.segment().position_at(now);
    let target_id = state.course.target_id;
    let Some(goal) = target_place(ctx, state, target_id, from, now) else {
        state.set_places(ctx, &[]);
        let running = state.course.running;
        state.apply(Intent::Stand, running, 0, now, land);
        return Due::Unknown;
    };
    let again = Due::By(now + FOLLOW_AIM_MICROS);
    let aim = match state.intent() {
        Intent::Goal { x_mm, y_mm } => (x_mm, y_mm),
        Intent::Stand | Intent::Direction { .. } | Intent::Wander { .. } => from,
    };
    let running = state.course.running;
    if distance_mm(from, goal) <= FOLLOW_NEAR_MM {
        if !state.segment().stands() {
            state.set_places(ctx, &[]);
            state.apply(Intent::Stand, running, target_id, now, land);
        }
        return again;
    }
    if distance_mm(aim, goal) <= FOLLOW_NEAR_MM / 2 && !state.segment().stands() {
        return again;
    }
    let entity_id = state.row.entity_id;
    // What is refused now is tried again in half a second.
    let found = paths::find(ctx, entity_id, state.world(), from, goal, now);
    let Some(places) = found.ok().filter(|places| !places.is_empty()) else { return again };
    state.set_places(ctx, &places);
    let (x_mm, y_mm) = goal;
    state.apply(Intent::Goal { x_mm, y_mm }, running, target_id, now, land);
    again
}

fn standing_course(entity_id: u64, is_player: bool) -> MotionCourse {
    MotionCourse {
        entity_id,
        target_id: 0,
        pending_target_id: 0,
        course_at_micros: 0,
        course_x: 0,
        course_y: 0,
        pending_x: 0,
        pending_y: 0,
        inputs: 0,
        course_kind: 0,
        pending_kind: 0,
        running: false,
        pending_running: false,
        has_path: false,
        has_effects: false,
        is_player,
    }
}

/// Places an entity that stands, and answers its block.
pub(crate) fn place(
    ctx: &ReducerContext,
    entity_id: u64,
    world: u32,
    (pos_x_mm, pos_y_mm): (i32, i32),
    is_player: bool,
) -> u64 {
    let chunk_index = block_of(world, pos_x_mm, pos_y_mm);
    ctx.db.motion().insert(Motion {
        entity_id,
        chunk_index,
        started_at: ctx.timestamp,
        ends_at: ctx.timestamp,
        pos_x_mm,
        pos_y_mm,
        vel_x_mm_per_s: 0,
        vel_y_mm_per_s: 0,
        course_number: 0,
        input_number: 0,
        end_kind: SegmentEnd::Stands.code(),
    });
    ctx.db.motion_course().insert(standing_course(entity_id, is_player));
    if is_player {
        world::player_moved(ctx, None, Some(chunk_index));
        if let Some(mut state) = State::load(ctx, entity_id) {
            state.resume_effects(ctx, now_micros(ctx));
            state.write(ctx, Due::Unknown, true);
        }
    }
    chunk_index
}

/// Puts an entity somewhere else, where it stands; false if it is not there.
pub(crate) fn relocate(
    ctx: &ReducerContext,
    entity_id: u64,
    world: u32,
    place: (i32, i32),
) -> bool {
    let Some(mut state) = State::load(ctx, entity_id) else { return false };
    let segment = haven_rules::motion::Segment::standing(now_micros(ctx), place.0, place.1);
    state.set_places(ctx, &[]);
    state.stand_in(world, segment);
    let vigil = blocks::keeps_vigil(ctx, world);
    state.write(ctx, Due::Unknown, vigil);
    true
}

/// Forgets the effects of an entity that is gone for good.
pub(crate) fn forget_effects(ctx: &ReducerContext, entity_id: u64) {
    ctx.db.motion_effect().by_entity().delete(entity_id);
}

/// Removes an entity's motion, and answers its world and where it was. A player's effects go on:
/// leaving is no way out of them.
pub(crate) fn remove(ctx: &ReducerContext, entity_id: u64) -> Option<(u32, i32, i32)> {
    let mut state = State::load(ctx, entity_id)?;
    let world = state.world();
    let now = health::last_lived_micros(ctx);
    if let Ok(mut land) = Land::new(ctx, world) {
        state.advance(now, &mut land);
    }
    let (pos_x_mm, pos_y_mm) = state.segment().position_at(now);
    let was_in = ctx.db.motion().entity_id().find(entity_id).map(|row| row.chunk_index);
    ctx.db.motion().entity_id().delete(entity_id);
    ctx.db.motion_course().entity_id().delete(entity_id);
    ctx.db.motion_path().entity_id().delete(entity_id);
    due::set(ctx, entity_id, None);
    if state.course.is_player {
        world::player_moved(ctx, was_in, None);
    } else {
        forget_effects(ctx, entity_id);
        if let Some(chunk) = was_in {
            let is_empty = ctx.db.motion().by_chunk().filter(chunk).next().is_none();
            blocks::creature_gone(ctx, chunk, is_empty);
        }
    }
    Some((world, pos_x_mm, pos_y_mm))
}

/// Somebody watches a block again: its creatures go on from when it fell asleep. The tick carries
/// them, within its budget.
pub(crate) fn wake(ctx: &ReducerContext, chunk_index: u64) {
    let now = now_micros(ctx);
    let rows = ctx.db.motion().by_chunk().filter(chunk_index);
    let asleep = rows.filter(|row| row.end_kind != SegmentEnd::Stands.code() || is_held(ctx, row));
    let asleep: Vec<u64> = asleep.map(|row| row.entity_id).collect();
    for entity_id in asleep {
        if due::known(ctx, entity_id).is_none() {
            due::set(ctx, entity_id, Some(now));
        }
    }
}

/// Whether somebody stands only until an effect ends.
fn is_held(ctx: &ReducerContext, row: &Motion) -> bool {
    let course = ctx.db.motion_course().entity_id().find(row.entity_id);
    course.is_some_and(|course| course.has_effects)
}

/// The world an entity is in; none if it is in none.
pub(crate) fn world_of(ctx: &ReducerContext, entity_id: u64) -> Option<u32> {
    let row = ctx.db.motion().entity_id().find(entity_id)?;
    Some(chunk_parts(row.chunk_index).0)
}

/// The block an entity's motion row is in.
pub(crate) fn chunk_of(ctx: &ReducerContext, entity_id: u64) -> Option<u64> {
    Some(ctx.db.motion().entity_id().find(entity_id)?.chunk_index)
}

/// The block an entity's motion row is in, and how it moves.
pub(crate) fn segment(ctx: &ReducerContext, entity_id: u64) -> Option<(u64, Segment)> {
    let row = ctx.db.motion().entity_id().find(entity_id)?;
    Some((row.chunk_index, segment_of(&row)))
}

/// Where an entity is now: its world and its place.
pub(crate) fn place_of(ctx: &ReducerContext, entity_id: u64) -> Option<(u32, i32, i32)> {
    let row = ctx.db.motion().entity_id().find(entity_id)?;
    let (x, y) = segment_of(&row).position_at(now_micros(ctx));
    Some((chunk_parts(row.chunk_index).0, x, y))
}
