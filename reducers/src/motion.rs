//! Motion: courses, and the tick that handles what is due.
//!
//! Keeps true: nothing is written while an entity moves straight; the first course of a tick is
//! applied at once, later ones overwrite one pending intent; the tick handles only rows that are
//! due, earliest first, at most `rules::motion::TICK_ROWS_MAX` a run.

use crate::authority::{require_database, require_player};
use crate::world::GroundCache;
use crate::{Refusal, at_micros, characters, now_micros, world};
use haven_rules::motion::{
    Ground, Intent, MotionError, Segment, SegmentEnd, TICK_MICROS, TICK_ROWS_MAX, advance,
    applies_at_once, next_tick_at_micros, plan,
};
use haven_rules::world::{OPEN_WORLD, cell_of_mm, chunk_of, chunk_parts};
use haven_tables::motion::{
    Motion, MotionCourse, MotionDue, TickHealth, motion, motion_course, motion_due, tick_health,
};
use spacetimedb::{ReducerContext, ScheduleAt, Table, TimeDuration, Timestamp, reducer, table};
use std::collections::BTreeMap;

/// The name of the movement tick's health row.
const TICK: &str = "motion";
/// How often the tick writes its health row while anything moves and nothing is due, microseconds.
const HEALTH_MICROS: i64 = 1_000_000;
/// How long after the last health row an entity may have gone on moving, microseconds. After a
/// crash the database was down for longer than that, and nobody moved meanwhile.
const HEALTH_GRACE_MICROS: i64 = 2_000_000;
/// The window over which the health row keeps its maxima, microseconds.
const HEALTH_WINDOW_MICROS: i64 = 60_000_000;

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
///
/// # Errors
/// In this order: the caller's, `motion.not_in_world`.
#[reducer]
pub fn course_set(ctx: &ReducerContext, dx: i16, dy: i16, running: bool) -> Result<(), Refusal> {
    let player = require_player(ctx)?;
    let entity_id = characters::entity_of(ctx, player.account_id).ok_or(MotionError::NotInWorld)?;
    steer(ctx, entity_id, Intent::direction(dx, dy), Some(running))
}

/// Sets the caller's course straight to a place, walking or running as before.
///
/// # Errors
/// In this order: the caller's, `motion.not_in_world`, `motion.goal_outside`,
/// `motion.goal_blocked`.
#[reducer]
pub fn course_to(ctx: &ReducerContext, x_mm: i32, y_mm: i32) -> Result<(), Refusal> {
    let player = require_player(ctx)?;
    let entity_id = characters::entity_of(ctx, player.account_id).ok_or(MotionError::NotInWorld)?;
    let mut ground = GroundCache::new(ctx, OPEN_WORLD)?;
    if !ground.bounds().contains(x_mm, y_mm) {
        return Err(MotionError::GoalOutside.into());
    }
    if ground.is_blocked(cell_of_mm(x_mm), cell_of_mm(y_mm)) {
        return Err(MotionError::GoalBlocked.into());
    }
    steer(ctx, entity_id, Intent::Goal { x_mm, y_mm }, None)
}

/// Handles what is due: segments that ended and intents that waited. 20 times a second.
///
/// # Errors
/// `realm.database_only` for clients.
#[reducer]
pub fn motion_tick(ctx: &ReducerContext, _timer: MotionTickTimer) -> Result<(), Refusal> {
    require_database(ctx)?;
    let now = now_micros(ctx);
    let due: Vec<MotionDue> =
        ctx.db.motion_due().by_due_at().filter(..=now).take(TICK_ROWS_MAX).collect();
    let late_micros = due.first().map_or(0, |row| now - row.due_at_micros);
    let mut grounds = BTreeMap::new();
    for row in &due {
        handle_due(ctx, row.entity_id, now, &mut grounds);
    }
    write_health(ctx, due.len(), late_micros);
    Ok(())
}

fn handle_due<'a>(
    ctx: &'a ReducerContext,
    entity_id: u64,
    now: i64,
    grounds: &mut BTreeMap<u32, GroundCache<'a>>,
) {
    let row = ctx.db.motion().entity_id().find(entity_id);
    let course = ctx.db.motion_course().entity_id().find(entity_id);
    let (Some(row), Some(course)) = (row, course) else {
        ctx.db.motion_due().entity_id().delete(entity_id);
        return;
    };
    let world = chunk_parts(row.chunk_index).0;
    if let std::collections::btree_map::Entry::Vacant(entry) = grounds.entry(world) {
        let Ok(ground) = GroundCache::new(ctx, world) else { return };
        entry.insert(ground);
    }
    let Some(ground) = grounds.get_mut(&world) else { return };
    let mut state = State { row, course };
    state.advance(now, ground);
    if state.course.pending_kind != 0 {
        state.apply_pending(now, ground);
    }
    state.write(ctx);
}

/// Takes up an intent now, or keeps it for the next tick if the course was changed in this one.
fn steer(
    ctx: &ReducerContext,
    entity_id: u64,
    intent: Intent,
    running: Option<bool>,
) -> Result<(), Refusal> {
    let row = ctx.db.motion().entity_id().find(entity_id).ok_or(MotionError::NotInWorld)?;
    let course =
        ctx.db.motion_course().entity_id().find(entity_id).ok_or(MotionError::NotInWorld)?;
    let now = now_micros(ctx);
    let running = running.unwrap_or(course.running);
    let mut state = State { row, course };
    if applies_at_once(state.course.course_at_micros, now) {
        let mut ground = GroundCache::new(ctx, chunk_parts(state.row.chunk_index).0)?;
        state.advance(now, &mut ground);
        state.apply(intent, running, now, &mut ground);
        state.write(ctx);
    } else {
        state.keep(intent, running);
        let next = next_tick_at_micros(now);
        let due = ctx.db.motion_due().entity_id().find(entity_id);
        let due_at_micros = due.map_or(next, |row| row.due_at_micros.min(next));
        ctx.db.motion_course().entity_id().update(state.course);
        set_due(ctx, entity_id, Some(due_at_micros));
    }
    Ok(())
}

/// An entity's motion and course, changed in memory and written once.
struct State {
    row: Motion,
    course: MotionCourse,
}

impl State {
    fn segment(&self) -> Segment {
        Segment {
            started_at_micros: self.row.started_at.to_micros_since_unix_epoch(),
            ends_at_micros: self.row.ends_at.to_micros_since_unix_epoch(),
            pos_x_mm: self.row.pos_x_mm,
            pos_y_mm: self.row.pos_y_mm,
            vel_x_mm_per_s: self.row.vel_x_mm_per_s,
            vel_y_mm_per_s: self.row.vel_y_mm_per_s,
            end: SegmentEnd::from_code(self.row.end_kind),
        }
    }

    fn set_segment(&mut self, segment: Segment) {
        let world = chunk_parts(self.row.chunk_index).0;
        self.row.chunk_index = chunk_of(world, segment.pos_x_mm, segment.pos_y_mm);
        self.row.started_at = at_micros(segment.started_at_micros);
        self.row.ends_at = at_micros(segment.ends_at_micros);
        self.row.pos_x_mm = segment.pos_x_mm;
        self.row.pos_y_mm = segment.pos_y_mm;
        self.row.vel_x_mm_per_s = segment.vel_x_mm_per_s;
        self.row.vel_y_mm_per_s = segment.vel_y_mm_per_s;
        self.row.end_kind = segment.end.code();
    }

    /// Carries the entity over the segments that have ended.
    fn advance(&mut self, now: i64, cache: &mut GroundCache<'_>) {
        let course = &self.course;
        let intent = Intent::from_code(course.course_kind, course.course_x, course.course_y);
        let speed = cache.speed_mm_per_s(course.running);
        let segment = self.segment();
        let advanced = on(cache, |ground| advance(segment, intent, speed, now, ground));
        if advanced.steps > 0 {
            self.set_segment(advanced.segment);
        }
    }

    /// Takes up an intent where the entity is now.
    fn apply(&mut self, intent: Intent, running: bool, now: i64, cache: &mut GroundCache<'_>) {
        let speed = cache.speed_mm_per_s(running);
        let position = self.segment().position_at(now);
        let segment = on(cache, |ground| plan(now, position, intent, speed, ground));
        self.set_segment(segment);
        self.row.course_number = self.row.course_number.wrapping_add(1);
        let (course_kind, course_x, course_y) = intent.code();
        self.course = MotionCourse {
            entity_id: self.row.entity_id,
            course_at_micros: now,
            course_kind,
            course_x,
            course_y,
            running,
            ..standing_course(self.row.entity_id)
        };
    }

    /// Keeps an intent for the next tick; the one before it is forgotten.
    fn keep(&mut self, intent: Intent, running: bool) {
        let (kind, x, y) = intent.code();
        self.course.pending_kind = kind + 1;
        self.course.pending_x = x;
        self.course.pending_y = y;
        self.course.pending_running = running;
    }

    fn apply_pending(&mut self, now: i64, cache: &mut GroundCache<'_>) {
        let course = &self.course;
        let kind = course.pending_kind.saturating_sub(1);
        let intent = Intent::from_code(kind, course.pending_x, course.pending_y);
        self.apply(intent, course.pending_running, now, cache);
    }

    fn write(self, ctx: &ReducerContext) {
        let segment = self.segment();
        let entity_id = self.row.entity_id;
        let chunk_index = self.row.chunk_index;
        let before = ctx.db.motion().entity_id().find(entity_id).map(|row| row.chunk_index);
        ctx.db.motion().entity_id().update(self.row);
        ctx.db.motion_course().entity_id().update(self.course);
        if before != Some(chunk_index) {
            world::move_entity(ctx, entity_id, chunk_index);
        }
        let due_at_micros = (!segment.stands()).then_some(segment.ends_at_micros);
        set_due(ctx, entity_id, due_at_micros);
    }
}

fn on<T>(cache: &mut GroundCache<'_>, run: impl FnOnce(&mut Ground<'_>) -> T) -> T {
    let bounds = cache.bounds();
    let mut is_blocked = |x: i32, y: i32| cache.is_blocked(x, y);
    run(&mut Ground { bounds, is_blocked: &mut is_blocked })
}

fn set_due(ctx: &ReducerContext, entity_id: u64, due_at_micros: Option<i64>) {
    let known = ctx.db.motion_due().entity_id().find(entity_id).map(|row| row.due_at_micros);
    if known == due_at_micros {
        return;
    }
    match due_at_micros {
        None => {
            ctx.db.motion_due().entity_id().delete(entity_id);
        }
        Some(due_at_micros) if known.is_some() => {
            ctx.db.motion_due().entity_id().update(MotionDue { entity_id, due_at_micros });
        }
        Some(due_at_micros) => {
            ctx.db.motion_due().insert(MotionDue { entity_id, due_at_micros });
        }
    }
}

fn standing_course(entity_id: u64) -> MotionCourse {
    MotionCourse {
        entity_id,
        course_at_micros: 0,
        course_kind: 0,
        course_x: 0,
        course_y: 0,
        running: false,
        pending_kind: 0,
        pending_x: 0,
        pending_y: 0,
        pending_running: false,
    }
}

/// Places an entity that stands, and answers its block.
pub(crate) fn place(
    ctx: &ReducerContext,
    entity_id: u64,
    world: u32,
    (pos_x_mm, pos_y_mm): (i32, i32),
) -> u64 {
    let chunk_index = chunk_of(world, pos_x_mm, pos_y_mm);
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
        end_kind: SegmentEnd::Stands.code(),
    });
    ctx.db.motion_course().insert(standing_course(entity_id));
    chunk_index
}

/// Removes an entity's motion, and answers its world and where it was.
pub(crate) fn remove(ctx: &ReducerContext, entity_id: u64) -> Option<(u32, i32, i32)> {
    let row = ctx.db.motion().entity_id().find(entity_id)?;
    let world = chunk_parts(row.chunk_index).0;
    let course = ctx.db.motion_course().entity_id().find(entity_id)?;
    let now = last_lived_micros(ctx);
    let mut state = State { row, course };
    if let Ok(mut ground) = GroundCache::new(ctx, world) {
        state.advance(now, &mut ground);
    }
    let (pos_x_mm, pos_y_mm) = state.segment().position_at(now);
    ctx.db.motion().entity_id().delete(entity_id);
    ctx.db.motion_course().entity_id().delete(entity_id);
    set_due(ctx, entity_id, None);
    Some((world, pos_x_mm, pos_y_mm))
}

/// Now, but after a crash not later than the database was last known to live.
fn last_lived_micros(ctx: &ReducerContext) -> i64 {
    let now = now_micros(ctx);
    let health = ctx.db.tick_health().tick().find(TICK.to_owned());
    health.map_or(now, |row| {
        now.min(row.written_at.to_micros_since_unix_epoch() + HEALTH_GRACE_MICROS)
    })
}

fn write_health(ctx: &ReducerContext, rows: usize, late_micros: i64) {
    let now = now_micros(ctx);
    let known = ctx.db.tick_health().tick().find(TICK.to_owned());
    let age = |at: Timestamp| now - at.to_micros_since_unix_epoch();
    let stale = known.as_ref().is_none_or(|row| age(row.written_at) >= HEALTH_MICROS);
    if rows == 0 && !(stale && ctx.db.motion_due().count() > 0) {
        return;
    }
    let exists = known.is_some();
    let rows_total = known.as_ref().map_or(0, |row| row.rows_total);
    let window = known.filter(|row| age(row.window_started_at) < HEALTH_WINDOW_MICROS);
    let rows_now = u32::try_from(rows).unwrap_or(u32::MAX);
    let over_budget = u32::from(rows >= TICK_ROWS_MAX);
    let kept = |value: fn(&TickHealth) -> u32| window.as_ref().map_or(0, value);
    let row = TickHealth {
        tick: TICK.to_owned(),
        rows_total: rows_total + u64::from(rows_now),
        window_late_max_micros: window
            .as_ref()
            .map_or(0, |row| row.window_late_max_micros)
            .max(late_micros),
        window_started_at: window.as_ref().map_or(ctx.timestamp, |row| row.window_started_at),
        written_at: ctx.timestamp,
        rows_budget: u32::try_from(TICK_ROWS_MAX).unwrap_or(u32::MAX),
        window_rows_max: kept(|row| row.window_rows_max).max(rows_now),
        window_runs_over_budget: kept(|row| row.window_runs_over_budget) + over_budget,
    };
    if exists {
        ctx.db.tick_health().tick().update(row);
    } else {
        ctx.db.tick_health().insert(row);
    }
}
