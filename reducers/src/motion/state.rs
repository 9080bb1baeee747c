//! An entity on its course: loaded, changed in memory, written once.
//!
//! Keeps true: what did not change is not written; whoever is not a player and is watched by nobody
//! is left where it is until somebody comes; a player's block is that of its `motion` row.

use super::due;
use crate::world::land::Land;
use crate::world::{self, blocks};
use crate::{at_micros, friends, now_micros};
use haven_rules::motion::{
    Advanced, Course, EFFECTS_MAX, Effect, EffectKind, Intent, Pace, Segment, SegmentEnd, advance,
    next_event_micros, set_out,
};
use haven_rules::world::{chunk_of, chunk_parts};
use haven_tables::motion::{
    Motion, MotionCourse, MotionPath, motion, motion_course, motion_effect, motion_path,
};
use spacetimedb::{ReducerContext, Table};

/// How far a creature that slept or waited is carried on at most, microseconds; what came before is
/// as if it had stood still.
const CATCH_UP_MICROS: i64 = 60_000_000;

/// An entity's motion and course.
pub(super) struct State {
    pub(super) row: Motion,
    pub(super) course: MotionCourse,
    /// The places still to pass, the goal last.
    places: Vec<(i32, i32)>,
    pace: Pace,
    /// The block it was in when it was loaded.
    from_chunk: u64,
    moved: bool,
    course_changed: bool,
    passed: usize,
}

impl State {
    pub(super) fn load(ctx: &ReducerContext, entity_id: u64) -> Option<Self> {
        let row = ctx.db.motion().entity_id().find(entity_id)?;
        let course = ctx.db.motion_course().entity_id().find(entity_id)?;
        let places = if course.has_path { remaining_places(ctx, entity_id) } else { vec![] };
        let effects = if course.has_effects { effects_of(ctx, entity_id) } else { vec![] };
        Some(Self {
            from_chunk: row.chunk_index,
            row,
            course,
            places,
            pace: Pace { speed_mm_per_s: 0, effects },
            moved: false,
            course_changed: false,
            passed: 0,
        })
    }

    pub(super) fn world(&self) -> u32 {
        chunk_parts(self.row.chunk_index).0
    }

    pub(super) fn segment(&self) -> Segment {
        segment_of(&self.row)
    }

    pub(super) fn set_segment(&mut self, segment: Segment) {
        self.row.chunk_index = chunk_of(self.world(), segment.pos_x_mm, segment.pos_y_mm);
        self.row.started_at = at_micros(segment.started_at_micros);
        self.row.ends_at = at_micros(segment.ends_at_micros);
        self.row.pos_x_mm = segment.pos_x_mm;
        self.row.pos_y_mm = segment.pos_y_mm;
        self.row.vel_x_mm_per_s = segment.vel_x_mm_per_s;
        self.row.vel_y_mm_per_s = segment.vel_y_mm_per_s;
        self.row.end_kind = segment.end.code();
        self.moved = true;
    }

    pub(super) fn intent(&self) -> Intent {
        let course = &self.course;
        Intent::from_code(course.course_kind, course.course_x, course.course_y)
    }

    fn set_intent(&mut self, intent: Intent) {
        let code = intent.code();
        let course = &mut self.course;
        if code != (course.course_kind, course.course_x, course.course_y) {
            (course.course_kind, course.course_x, course.course_y) = code;
            self.course_changed = true;
        }
    }

    fn plan_with(
        &mut self,
        land: &mut Land<'_>,
        plan: impl FnOnce(&Course<'_>, &mut haven_rules::motion::Ground<'_>) -> Advanced,
    ) {
        self.pace.speed_mm_per_s = land.speed_mm_per_s(self.course.running);
        let course = Course {
            intent: self.intent(),
            pace: &self.pace,
            waypoints: &self.places,
            seed: self.row.entity_id,
        };
        let advanced = land.with_ground(|ground| plan(&course, ground));
        if advanced.steps > 0 {
            self.set_segment(advanced.segment);
            self.set_intent(advanced.intent);
            self.places.drain(..advanced.passed.min(self.places.len()));
            self.passed += advanced.passed;
        }
    }

    /// Carries the entity over the segments that have ended.
    pub(super) fn advance(&mut self, now: i64, land: &mut Land<'_>) {
        let segment = self.segment();
        let oldest = now - CATCH_UP_MICROS;
        if !self.course.is_player && !segment.stands() && segment.ends_at_micros < oldest {
            let position = segment.position_at(oldest);
            self.plan_with(land, |course, ground| set_out(oldest, position, course, ground));
        }
        let segment = self.segment();
        self.plan_with(land, |course, ground| advance(segment, course, now, ground));
    }

    /// Plans anew what it means to do, where it is at that instant.
    pub(super) fn set_out(&mut self, at: i64, land: &mut Land<'_>) {
        let position = self.segment().position_at(at);
        self.plan_with(land, |course, ground| set_out(at, position, course, ground));
    }

    /// Takes up an intent where it is now; `places` lead to its goal.
    pub(super) fn apply(
        &mut self,
        intent: Intent,
        running: bool,
        target_id: u64,
        now: i64,
        land: &mut Land<'_>,
    ) {
        self.course.running = running;
        self.course.target_id = target_id;
        self.course.course_at_micros = now;
        self.course.pending_kind = 0;
        self.course_changed = true;
        self.set_intent(intent);
        self.set_out(now, land);
        self.row.course_number = self.row.course_number.wrapping_add(1);
        self.row.input_number = self.course.inputs;
    }

    /// Lets it stand in a world, without a course.
    pub(super) fn stand_in(&mut self, world: u32, segment: Segment) {
        self.row.chunk_index = chunk_of(world, segment.pos_x_mm, segment.pos_y_mm);
        self.set_segment(segment);
        self.set_intent(Intent::Stand);
        self.course.target_id = 0;
        self.course.pending_kind = 0;
        self.course_changed = true;
        self.row.course_number = self.row.course_number.wrapping_add(1);
    }

    pub(super) fn count_input(&mut self) {
        self.course.inputs = self.course.inputs.wrapping_add(1);
        self.course_changed = true;
    }

    /// Keeps an intent for a later tick; the one before it is forgotten.
    pub(super) fn keep(&mut self, intent: Intent, running: bool, target_id: u64) {
        let (kind, x, y) = intent.code();
        let course = &mut self.course;
        course.pending_kind = kind + 1;
        (course.pending_x, course.pending_y) = (x, y);
        course.pending_running = running;
        course.pending_target_id = target_id;
        self.course_changed = true;
    }

    pub(super) fn apply_pending(&mut self, now: i64, land: &mut Land<'_>) {
        let course = &self.course;
        let kind = course.pending_kind.saturating_sub(1);
        let intent = Intent::from_code(kind, course.pending_x, course.pending_y);
        let (running, target_id) = (course.pending_running, course.pending_target_id);
        self.apply(intent, running, target_id, now, land);
    }

    /// Gives it a way to pass on to its goal; none is straight. Stands in `motion_path` at once.
    pub(super) fn set_places(&mut self, ctx: &ReducerContext, places: &[(i32, i32)]) {
        let entity_id = self.row.entity_id;
        // The last place is the goal, which the intent has already.
        self.places = if places.len() > 1 { places.to_vec() } else { vec![] };
        self.passed = 0;
        let has_path = !self.places.is_empty();
        if self.course.has_path {
            ctx.db.motion_path().entity_id().delete(entity_id);
        }
        if has_path {
            let places_mm = self.places.iter().flat_map(|(x, y)| [*x, *y]).collect();
            ctx.db.motion_path().insert(MotionPath { entity_id, passed: 0, places_mm });
        }
        if self.course.has_path != has_path {
            self.course.has_path = has_path;
            self.course_changed = true;
        }
    }

    /// Forgets effects that are over.
    pub(super) fn end_effects(&mut self, ctx: &ReducerContext, now: i64) {
        if self.course.has_effects && self.pace.effects.iter().any(|e| e.ends_at_micros <= now) {
            self.resume_effects(ctx, now);
        }
    }

    /// Takes up the effects that rows tell of, and forgets those that are over.
    pub(super) fn resume_effects(&mut self, ctx: &ReducerContext, now: i64) {
        let over = ctx.db.motion_effect().by_entity().filter(self.row.entity_id);
        let over: Vec<u64> =
            over.filter(|row| row.ends_at_micros <= now).map(|row| row.effect_id).collect();
        for effect_id in over {
            ctx.db.motion_effect().effect_id().delete(effect_id);
        }
        self.reload_effects(ctx);
    }

    /// Reads its effects anew.
    pub(super) fn reload_effects(&mut self, ctx: &ReducerContext) {
        self.pace.effects = effects_of(ctx, self.row.entity_id);
        let has_effects = !self.pace.effects.is_empty();
        if self.course.has_effects != has_effects {
            self.course.has_effects = has_effects;
            self.course_changed = true;
        }
    }

    /// Writes what changed, and when somebody must look again: `known` says what is known of that.
    /// `vigil` says that nothing in its world sleeps.
    pub(super) fn write(self, ctx: &ReducerContext, known: Due, vigil: bool) {
        let entity_id = self.row.entity_id;
        let to_chunk = self.row.chunk_index;
        let is_player = self.course.is_player;
        let has_pending = self.course.pending_kind != 0;
        let next = next_event_micros(&self.segment(), &self.pace);
        let mut due_at = (next != i64::MAX).then_some(next);
        if let Due::By(at) = known {
            due_at = Some(due_at.map_or(at, |next| next.min(at)));
        }
        if self.passed > 0 {
            pass_places(ctx, entity_id, self.passed);
        }
        if self.moved {
            ctx.db.motion().entity_id().update(self.row);
        }
        if self.course_changed {
            ctx.db.motion_course().entity_id().update(self.course);
        }
        if self.from_chunk != to_chunk {
            world::move_entity(ctx, entity_id, to_chunk);
            if is_player {
                world::player_moved(ctx, Some(self.from_chunk), Some(to_chunk));
                friends::moved(ctx, entity_id, self.from_chunk, to_chunk);
            }
        }
        let may_sleep = !vigil && !is_player && !has_pending && due_at.is_some();
        if may_sleep && !blocks::is_watched(ctx, to_chunk) {
            blocks::fall_asleep(ctx, to_chunk, now_micros(ctx));
            due_at = None;
        }
        match known {
            Due::Was(was) if Some(was) == due_at => {}
            Due::Was(_) => due::replace(ctx, entity_id, due_at),
            Due::Unknown | Due::By(_) => due::set(ctx, entity_id, due_at),
        }
    }
}

/// What is known of an entity's row in `motion_due`.
#[derive(Clone, Copy)]
pub(super) enum Due {
    /// Nothing.
    Unknown,
    /// It is there, with that instant.
    Was(i64),
    /// Nothing, and somebody must look by then.
    By(i64),
}

/// The segment of a row.
pub(super) fn segment_of(row: &Motion) -> Segment {
    Segment {
        started_at_micros: row.started_at.to_micros_since_unix_epoch(),
        ends_at_micros: row.ends_at.to_micros_since_unix_epoch(),
        pos_x_mm: row.pos_x_mm,
        pos_y_mm: row.pos_y_mm,
        vel_x_mm_per_s: row.vel_x_mm_per_s,
        vel_y_mm_per_s: row.vel_y_mm_per_s,
        end: SegmentEnd::from_code(row.end_kind),
    }
}

fn remaining_places(ctx: &ReducerContext, entity_id: u64) -> Vec<(i32, i32)> {
    let Some(row) = ctx.db.motion_path().entity_id().find(entity_id) else { return vec![] };
    let passed = usize::try_from(row.passed).unwrap_or(usize::MAX);
    row.places_mm.chunks_exact(2).skip(passed).map(|place| (place[0], place[1])).collect()
}

fn pass_places(ctx: &ReducerContext, entity_id: u64, passed: usize) {
    if let Some(row) = ctx.db.motion_path().entity_id().find(entity_id) {
        let passed = row.passed.saturating_add(u32::try_from(passed).unwrap_or(u32::MAX));
        ctx.db.motion_path().entity_id().update(MotionPath { passed, ..row });
    }
}

fn effects_of(ctx: &ReducerContext, entity_id: u64) -> Vec<Effect> {
    let rows = ctx.db.motion_effect().by_entity().filter(entity_id).take(EFFECTS_MAX);
    rows.filter_map(|row| {
        let kind = EffectKind::from_code(row.kind)?;
        Some(Effect { kind, percent: row.percent, ends_at_micros: row.ends_at_micros })
    })
    .collect()
}
