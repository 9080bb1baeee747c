//! Courses: carrying an entity from segment to segment, waypoints and changes of pace included.
//!
//! Keeps true: the next segment starts at the very instant and place at which the last one ended,
//! however late the call comes, so lateness neither gains nor loses ground.

use super::pace::Pace;
use super::plan::{Ground, plan};
use super::segment::Segment;
use super::{ADVANCE_SEGMENTS_MAX, GOAL_REACHED_MM, Intent};

/// How long a wanderer rests when it finds no way, microseconds.
const WANDER_REST_MICROS: i64 = 3_000_000;
/// Directions a wanderer tries before it rests.
const WANDER_TRIES: u64 = 4;

/// What an entity is about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Course<'a> {
    /// What it means to do.
    pub intent: Intent,
    /// How fast.
    pub pace: &'a Pace,
    /// Places to pass on the way to a goal, nearest first, the goal itself last.
    pub waypoints: &'a [(i32, i32)],
    /// What its wandering hangs on: the entity's id.
    pub seed: u64,
}

/// What [`advance`] found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Advanced {
    /// The segment that holds at that instant.
    pub segment: Segment,
    /// What it means to do now: a wanderer may have turned.
    pub intent: Intent,
    /// How many segments ended on the way to it.
    pub steps: u32,
    /// How many waypoints are behind it.
    pub passed: usize,
}

impl Advanced {
    fn begin(segment: Segment, intent: Intent) -> Self {
        Self { segment, intent, steps: 0, passed: 0 }
    }

    /// Plans the next segment from the end of this one.
    fn step(&mut self, at: i64, course: &Course<'_>, ground: &mut Ground<'_>) {
        let position = self.segment.position_at(at);
        while course.waypoints.get(self.passed).is_some_and(|place| is_at(position, *place)) {
            self.passed += 1;
        }
        let speed = course.pace.speed_at(at);
        let aim = match self.intent {
            Intent::Goal { .. } => {
                let next = course.waypoints.get(self.passed);
                next.map_or(self.intent, |(x_mm, y_mm)| Intent::Goal { x_mm: *x_mm, y_mm: *y_mm })
            }
            Intent::Stand | Intent::Direction { .. } | Intent::Wander { .. } => self.intent,
        };
        self.segment = plan(at, position, aim, speed, ground);
        if matches!(self.intent, Intent::Wander { .. }) && self.segment.stands() && speed > 0 {
            self.turn(at, position, speed, course.seed, ground);
        }
        self.steps += 1;
    }

    /// A wanderer that cannot go on looks for another direction, or rests.
    fn turn(&mut self, at: i64, pos: (i32, i32), speed: i32, seed: u64, ground: &mut Ground<'_>) {
        for attempt in 0..WANDER_TRIES {
            self.intent = wander(seed, at.cast_unsigned().wrapping_add(attempt));
            self.segment = plan(at, pos, self.intent, speed, ground);
            if !self.segment.stands() {
                return;
            }
        }
        self.segment = Segment::resting(at, pos, WANDER_REST_MICROS);
    }
}

fn is_at(position: (i32, i32), place: (i32, i32)) -> bool {
    let near = |a: i32, b: i32| (i64::from(a) - i64::from(b)).abs() <= GOAL_REACHED_MM;
    near(position.0, place.0) && near(position.1, place.1)
}

/// Takes up a course where the entity is at that instant.
pub fn set_out(
    at_micros: i64,
    position: (i32, i32),
    course: &Course<'_>,
    ground: &mut Ground<'_>,
) -> Advanced {
    let standing = Segment::standing(at_micros, position.0, position.1);
    let mut begun = Advanced::begin(standing, course.intent);
    begun.step(at_micros, course, ground);
    begun
}

/// Carries an entity over every segment that has ended by then, and every change of its pace; at
/// most [`ADVANCE_SEGMENTS_MAX`] of them.
pub fn advance(
    segment: Segment,
    course: &Course<'_>,
    now_micros: i64,
    ground: &mut Ground<'_>,
) -> Advanced {
    let mut carried = Advanced::begin(segment, course.intent);
    while carried.steps < ADVANCE_SEGMENTS_MAX {
        let at = next_event_micros(&carried.segment, course.pace);
        if at > now_micros {
            break;
        }
        carried.step(at, course, ground);
    }
    carried
}

/// When somebody must look at an entity again: its segment ends or its pace changes; `i64::MAX` is
/// never.
pub fn next_event_micros(segment: &Segment, pace: &Pace) -> i64 {
    let ends = if segment.stands() { i64::MAX } else { segment.ends_at_micros };
    if pace.effects.is_empty() {
        return ends;
    }
    ends.min(pace.changes_after(segment.started_at_micros))
}

/// A number at random, the same for the same numbers (`SplitMix64`, Steele and others, 2014). Not
/// for what anybody would gain by foreseeing.
pub const fn mix(seed: u64, salt: u64) -> u64 {
    let mut mixed = seed ^ salt.wrapping_mul(0x9e37_79b9_7f4a_7c15);
    mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    mixed ^ (mixed >> 31)
}

/// A direction at random, the same for the same numbers.
pub fn wander(seed: u64, salt: u64) -> Intent {
    let mixed = mix(seed, salt);
    let component = |bits: u64| i16::try_from(bits & 0x7ff).unwrap_or(0) - 1_024;
    Intent::Wander { dx: component(mixed), dy: component(mixed >> 32) | 1 }
}
