//! Motion by segments: where an entity is at any instant, and how far a course leads.
//!
//! A segment is a constant velocity from one instant to another. Keeps true: a segment never
//! leaves its block but for the instant it ends at the border, never enters a blocked cell, never
//! leaves the world, and never exceeds its speed. The module and clients use these functions alike.

use crate::errors::domain_errors;

mod course;
mod crowd;
mod pace;
pub mod path;
mod plan;
pub mod rhythm;
mod segment;
mod wheel;

pub use course::{Advanced, Course, advance, mix, next_event_micros, set_out, wander};
pub use crowd::{
    BLOCK_MESSAGES_CALM_PER_S, BLOCK_MESSAGES_MAX_PER_S, CROWD_WINDOW_MICROS, Crowding,
    REALM_MESSAGES_MAX_PER_S, is_crowd_already, is_crowded, publish_every_ticks,
};
pub use pace::{Effect, EffectKind, Pace};
pub use plan::{Ground, plan};
pub use segment::{PREDICT_BEYOND_MICROS, Segment, SegmentEnd};
pub use wheel::{SLOT_MICROS, slot_of, slots_between};

/// One movement tick, microseconds: 20 Hz.
pub const TICK_MICROS: i64 = 50_000;
/// An entity this near to its goal has arrived, millimetres: below what a velocity in whole
/// millimetres per second can aim.
pub const GOAL_REACHED_MM: i64 = 10;
/// Most segments that one call of [`advance`] may go through, so that a tick that was late for long
/// stays bounded: a minute of running over mixed ground.
pub const ADVANCE_SEGMENTS_MAX: u32 = 20;
/// Most rows one movement tick handles; the rest waits for the next.
pub const TICK_ROWS_MAX: usize = 20_000;
/// Most effects on one entity's pace.
pub const EFFECTS_MAX: usize = 16;
/// The longest an effect may last unless it is for ever, milliseconds: an hour.
pub const EFFECT_MILLIS_MAX: u32 = 3_600_000;
/// How near a follower comes to whom it follows, millimetres.
pub const FOLLOW_NEAR_MM: i64 = 2_000;
/// How far somebody may be to be followed, millimetres.
pub const FOLLOW_RANGE_MM: i64 = 64_000;
/// How often a follower aims anew, microseconds.
pub const FOLLOW_AIM_MICROS: i64 = 500_000;
/// How often an entity may have a path found, microseconds: the search is the dearest thing a
/// player can ask for.
pub const PATH_INTERVAL_MICROS: i64 = 250_000;
/// How long an entity waits after a search that found nothing, microseconds.
pub const PATH_RETRY_MICROS: i64 = 1_000_000;
/// Most paths found within one tick, whoever asks.
pub const PATHS_PER_TICK_MAX: u32 = 8;
/// Most blocks of land made for one path.
pub const PATH_BLOCKS_MADE_MAX: u32 = 4;
/// Most wanderers in a realm.
pub const WANDERERS_MAX: u64 = 2_000_000;
/// Most wanderers made by one call.
pub const WANDERERS_AT_ONCE_MAX: u32 = 20_000;

domain_errors! {
    /// Why a course was refused.
    MotionError {
        NotInWorld = 500, "motion.not_in_world", "the caller has no character in the world";
        GoalOutside = 501, "motion.goal_outside", "the goal lies outside of the world";
        GoalBlocked = 502, "motion.goal_blocked", "the goal lies in an obstacle";
        GoalTooFar = 503, "motion.goal_too_far", "the goal is more than 1000 m away";
        TooOften = 504, "motion.too_often", "paths are found four times a second at most";
        NoPath = 505, "motion.no_path", "no way leads there, or none that could be found";
        LandUnknown = 506, "motion.land_unknown", "the land on the way is not surveyed yet; try again";
        TargetUnknown = 507, "motion.target_unknown", "there is nobody of that id within 64 m";
        TargetSelf = 508, "motion.target_self", "nobody follows itself";
        EffectInvalid = 509, "motion.effect_invalid", "there is no such effect, or not that strong or long";
        EffectsTooMany = 510, "motion.effects_too_many", "at most 16 effects act on one entity";
        Busy = 511, "motion.busy", "too many paths are looked for right now; try again";
        WanderersTooMany = 512, "motion.wanderers_too_many", "at most 2000000 wanderers, 20000 at once";
    }
}

/// What an entity means to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Intent {
    /// Stand still.
    Stand,
    /// Go in a direction; only the angle counts. Never both zero.
    Direction {
        /// East component.
        dx: i16,
        /// North component.
        dy: i16,
    },
    /// Go straight to a place.
    Goal {
        /// Millimetres east of the origin.
        x_mm: i32,
        /// Millimetres north of the origin.
        y_mm: i32,
    },
    /// Go in a direction, and in another one from where that leads no further.
    Wander {
        /// East component.
        dx: i16,
        /// North component. Never both zero.
        dy: i16,
    },
}

impl Intent {
    /// The numbers that stand in rows: kind, x, y.
    pub fn code(self) -> (u8, i32, i32) {
        match self {
            Self::Stand => (0, 0, 0),
            Self::Direction { dx, dy } => (1, i32::from(dx), i32::from(dy)),
            Self::Goal { x_mm, y_mm } => (2, x_mm, y_mm),
            Self::Wander { dx, dy } => (3, i32::from(dx), i32::from(dy)),
        }
    }

    /// The intent of those numbers; whatever is not one stands still.
    pub fn from_code(kind: u8, x: i32, y: i32) -> Self {
        match (kind, i16::try_from(x), i16::try_from(y)) {
            (1, Ok(dx), Ok(dy)) => Self::direction(dx, dy),
            (2, _, _) => Self::Goal { x_mm: x, y_mm: y },
            (3, Ok(dx), Ok(dy)) if (dx, dy) != (0, 0) => Self::Wander { dx, dy },
            _ => Self::Stand,
        }
    }

    /// A direction; `0, 0` stands still.
    pub fn direction(dx: i16, dy: i16) -> Self {
        if (dx, dy) == (0, 0) { Self::Stand } else { Self::Direction { dx, dy } }
    }
}

/// The tick an instant belongs to.
pub const fn tick_of(at_micros: i64) -> i64 {
    at_micros.div_euclid(TICK_MICROS)
}

/// When the tick after that instant starts, microseconds since 1970.
pub const fn next_tick_at_micros(at_micros: i64) -> i64 {
    (tick_of(at_micros) + 1) * TICK_MICROS
}

/// Whether an input is applied at once: only the first of a tick is.
pub const fn applies_at_once(course_at_micros: i64, now_micros: i64) -> bool {
    tick_of(course_at_micros) < tick_of(now_micros)
}

#[cfg(test)]
mod tests;
