//! Motion by segments: where an entity is at any instant, and how far a course leads.
//!
//! A segment is a constant velocity from one instant to another. Keeps true: a segment never
//! leaves its block but for the instant it ends at the border, never enters a blocked cell, never
//! leaves the world, and never exceeds its speed. The module and clients use these functions alike.

use crate::errors::domain_errors;
use crate::world::{Area, CELL_MM, block_of_mm, cell_of_mm};

/// One movement tick, microseconds: 20 Hz.
pub const TICK_MICROS: i64 = 50_000;
/// How far a client may extrapolate past a block border before the next row arrives, microseconds.
pub const PREDICT_BORDER_MICROS: i64 = 150_000;
/// An entity this near to its goal has arrived, millimetres: below what a velocity in whole
/// millimetres per second can aim.
pub const GOAL_REACHED_MM: i64 = 10;
/// Most segments that one call of [`advance`] may go through: 20 blocks at most, a minute of
/// running, so that a tick that was late for long stays bounded.
pub const ADVANCE_SEGMENTS_MAX: u32 = 20;
/// Most rows one movement tick handles; the rest waits for the next.
pub const TICK_ROWS_MAX: usize = 20_000;

const MICROS_PER_S: i64 = 1_000_000;
/// Cells a segment can touch: from one corner of a block to the other and one beyond.
const SEGMENT_CELLS_MAX: u32 = 130;

domain_errors! {
    /// Why a course was refused.
    MotionError {
        NotInWorld = 500, "motion.not_in_world", "the caller has no character in the world";
        GoalOutside = 501, "motion.goal_outside", "the goal lies outside of the world";
        GoalBlocked = 502, "motion.goal_blocked", "the goal lies in an obstacle";
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
}

impl Intent {
    /// The numbers that stand in rows: kind, x, y.
    pub fn code(self) -> (u8, i32, i32) {
        match self {
            Self::Stand => (0, 0, 0),
            Self::Direction { dx, dy } => (1, i32::from(dx), i32::from(dy)),
            Self::Goal { x_mm, y_mm } => (2, x_mm, y_mm),
        }
    }

    /// The intent of those numbers; whatever is not one stands still.
    pub fn from_code(kind: u8, x: i32, y: i32) -> Self {
        match (kind, i16::try_from(x), i16::try_from(y)) {
            (1, Ok(dx), Ok(dy)) => Self::direction(dx, dy),
            (2, _, _) => Self::Goal { x_mm: x, y_mm: y },
            _ => Self::Stand,
        }
    }

    /// A direction; `0, 0` stands still.
    pub fn direction(dx: i16, dy: i16) -> Self {
        if (dx, dy) == (0, 0) { Self::Stand } else { Self::Direction { dx, dy } }
    }
}

/// What happens when a segment ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum SegmentEnd {
    /// Nothing: the entity stands.
    Stands = 0,
    /// It enters the next block.
    Border = 1,
    /// It has met an obstacle.
    Obstacle = 2,
    /// It has reached its goal, or is so near that it must aim anew.
    Goal = 3,
    /// It has met the edge of the world.
    Edge = 4,
}

impl SegmentEnd {
    /// The number that stands in rows.
    pub const fn code(self) -> u8 {
        self as u8
    }

    /// The end with that number; an unknown one stands.
    pub const fn from_code(code: u8) -> Self {
        match code {
            1 => Self::Border,
            2 => Self::Obstacle,
            3 => Self::Goal,
            4 => Self::Edge,
            _ => Self::Stands,
        }
    }
}

/// Constant velocity from one instant to another. Instants are microseconds since 1970.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Segment {
    /// When the entity was at `pos`.
    pub started_at_micros: i64,
    /// When the segment ends.
    pub ends_at_micros: i64,
    /// Millimetres east of the origin at the start.
    pub pos_x_mm: i32,
    /// Millimetres north of the origin at the start.
    pub pos_y_mm: i32,
    /// Velocity to the east, millimetres per second.
    pub vel_x_mm_per_s: i32,
    /// Velocity to the north, millimetres per second.
    pub vel_y_mm_per_s: i32,
    /// What happens at the end.
    pub end: SegmentEnd,
}

impl Segment {
    /// An entity that stands there from then on.
    pub const fn standing(at_micros: i64, pos_x_mm: i32, pos_y_mm: i32) -> Self {
        Self {
            started_at_micros: at_micros,
            ends_at_micros: at_micros,
            pos_x_mm,
            pos_y_mm,
            vel_x_mm_per_s: 0,
            vel_y_mm_per_s: 0,
            end: SegmentEnd::Stands,
        }
    }

    /// Whether the entity stands.
    pub const fn stands(&self) -> bool {
        matches!(self.end, SegmentEnd::Stands)
    }

    /// Where the entity is at that instant: the authoritative position. Before the start it is at
    /// the start, after the end at the end. Millimetres are cut off toward the start, so that the
    /// speed is never exceeded.
    pub fn position_at(&self, now_micros: i64) -> (i32, i32) {
        self.position_after(now_micros.min(self.ends_at_micros))
    }

    /// Where a client may draw the entity at that instant: as [`Self::position_at`], but past a
    /// block border it goes on for up to [`PREDICT_BORDER_MICROS`], because the next segment will.
    pub fn predict_at(&self, now_micros: i64) -> (i32, i32) {
        let beyond = match self.end {
            SegmentEnd::Border => PREDICT_BORDER_MICROS,
            SegmentEnd::Stands | SegmentEnd::Obstacle | SegmentEnd::Goal | SegmentEnd::Edge => 0,
        };
        self.position_after(now_micros.min(self.ends_at_micros.saturating_add(beyond)))
    }

    fn position_after(&self, at_micros: i64) -> (i32, i32) {
        let elapsed = at_micros.saturating_sub(self.started_at_micros).max(0);
        (
            travelled(self.pos_x_mm, self.vel_x_mm_per_s, elapsed),
            travelled(self.pos_y_mm, self.vel_y_mm_per_s, elapsed),
        )
    }
}

fn travelled(pos_mm: i32, vel_mm_per_s: i32, elapsed_micros: i64) -> i32 {
    let way = i128::from(vel_mm_per_s) * i128::from(elapsed_micros) / i128::from(MICROS_PER_S);
    let pos = (i128::from(pos_mm) + way).clamp(i128::from(i32::MIN), i128::from(i32::MAX));
    i32::try_from(pos).unwrap_or(pos_mm)
}

/// What a course is planned over.
pub struct Ground<'a> {
    /// The world's bounds.
    pub bounds: Area,
    /// Whether a cell inside the bounds cannot be entered: cell x, cell y.
    pub is_blocked: &'a mut dyn FnMut(i32, i32) -> bool,
}

impl Ground<'_> {
    fn blocked(&mut self, cell_x: i32, cell_y: i32) -> bool {
        (self.is_blocked)(cell_x, cell_y)
    }
}

/// The segment an entity enters when it takes up an intent there and then.
///
/// The velocity's components are cut toward zero, so the speed is never exceeded. A course that
/// cannot even begin stands.
pub fn plan(
    at_micros: i64,
    (pos_x_mm, pos_y_mm): (i32, i32),
    intent: Intent,
    speed_mm_per_s: i32,
    ground: &mut Ground<'_>,
) -> Segment {
    let standing = Segment::standing(at_micros, pos_x_mm, pos_y_mm);
    let (way_x, way_y) = match intent {
        Intent::Stand => return standing,
        Intent::Direction { dx, dy } => (i64::from(dx), i64::from(dy)),
        Intent::Goal { x_mm, y_mm } => {
            (i64::from(x_mm) - i64::from(pos_x_mm), i64::from(y_mm) - i64::from(pos_y_mm))
        }
    };
    let (vel_x_mm_per_s, vel_y_mm_per_s) = velocity(way_x, way_y, speed_mm_per_s);
    let goal_micros = match intent {
        Intent::Stand | Intent::Direction { .. } => i64::MAX,
        Intent::Goal { .. } if way_x.abs().max(way_y.abs()) <= GOAL_REACHED_MM => return standing,
        Intent::Goal { .. } if way_x.abs() >= way_y.abs() => micros_for(way_x, vel_x_mm_per_s),
        Intent::Goal { .. } => micros_for(way_y, vel_y_mm_per_s),
    };
    let course = Segment {
        ends_at_micros: i64::MAX,
        vel_x_mm_per_s,
        vel_y_mm_per_s,
        end: SegmentEnd::Border,
        ..standing
    };
    let (elapsed_micros, end) = first_event(&course, goal_micros, ground);
    if elapsed_micros == 0 {
        return standing;
    }
    Segment { ends_at_micros: at_micros.saturating_add(elapsed_micros), end, ..course }
}

/// Velocity of that speed along a way: each component cut toward zero. Millimetres per second.
fn velocity(way_x: i64, way_y: i64, speed_mm_per_s: i32) -> (i32, i32) {
    let square = |way: i64| u128::from(way.unsigned_abs()).pow(2);
    let squares = square(way_x) + square(way_y);
    let root = squares.isqrt();
    // Rounded up, so that dividing by it never yields more than the speed.
    let length = if root * root == squares { root } else { root + 1 };
    let Ok(length) = i128::try_from(length) else { return (0, 0) };
    if length == 0 {
        return (0, 0);
    }
    let component = |way: i64| {
        let exact = i128::from(way) * i128::from(speed_mm_per_s) / length;
        i32::try_from(exact).unwrap_or(0)
    };
    (component(way_x), component(way_y))
}

/// How long it takes to travel at least that far in the velocity's direction, microseconds,
/// rounded up; for ever without velocity.
fn micros_for(way_mm: i64, vel_mm_per_s: i32) -> i64 {
    let vel = i64::from(vel_mm_per_s).abs();
    if vel == 0 {
        return i64::MAX;
    }
    let micros = i128::from(way_mm.abs()) * i128::from(MICROS_PER_S);
    let rounded_up = (micros + i128::from(vel) - 1) / i128::from(vel);
    i64::try_from(rounded_up).unwrap_or(i64::MAX)
}

/// How long until a coordinate leaves its cell, microseconds.
fn micros_to_next_cell(start_mm: i32, vel_mm_per_s: i32, cell: i32) -> i64 {
    let border = i64::from(cell) * i64::from(CELL_MM);
    let way = match vel_mm_per_s.signum() {
        1 => border + i64::from(CELL_MM) - i64::from(start_mm),
        -1 => i64::from(start_mm) - border + 1,
        _ => return i64::MAX,
    };
    micros_for(way, vel_mm_per_s)
}

/// Follows a course cell by cell to the first thing that matters: how long, and what.
fn first_event(course: &Segment, goal_micros: i64, ground: &mut Ground<'_>) -> (i64, SegmentEnd) {
    let home = (block_of_mm(course.pos_x_mm), block_of_mm(course.pos_y_mm));
    let mut cell = (cell_of_mm(course.pos_x_mm), cell_of_mm(course.pos_y_mm));
    let mut elapsed = 0;
    for _ in 0..SEGMENT_CELLS_MAX {
        let next_x = micros_to_next_cell(course.pos_x_mm, course.vel_x_mm_per_s, cell.0);
        let next_y = micros_to_next_cell(course.pos_y_mm, course.vel_y_mm_per_s, cell.1);
        let next = next_x.min(next_y);
        if goal_micros < next {
            return (goal_micros, SegmentEnd::Goal);
        }
        if next == i64::MAX {
            return (0, SegmentEnd::Stands);
        }
        let (pos_x, pos_y) = course.position_at(course.started_at_micros.saturating_add(next));
        let entered = (cell_of_mm(pos_x), cell_of_mm(pos_y));
        if !ground.bounds.contains(pos_x, pos_y) {
            return (next - 1, SegmentEnd::Edge);
        }
        let squeezed = entered.0 != cell.0
            && entered.1 != cell.1
            && ground.blocked(entered.0, cell.1)
            && ground.blocked(cell.0, entered.1);
        if squeezed || ground.blocked(entered.0, entered.1) {
            return (next - 1, SegmentEnd::Obstacle);
        }
        if (block_of_mm(pos_x), block_of_mm(pos_y)) != home {
            return (next, SegmentEnd::Border);
        }
        cell = entered;
        elapsed = next;
    }
    // Not reached: a block has fewer cells in any row. Kept as a bound that stays legal.
    (elapsed, SegmentEnd::Goal)
}

/// What [`advance`] found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Advanced {
    /// The segment that holds at that instant.
    pub segment: Segment,
    /// How many segments ended on the way to it.
    pub steps: u32,
}

/// Carries an entity over every segment that has ended by then.
///
/// The next segment starts at the very instant and place at which the last one ended, however late
/// the call comes, so lateness neither gains nor loses ground.
pub fn advance(
    mut segment: Segment,
    intent: Intent,
    speed_mm_per_s: i32,
    now_micros: i64,
    ground: &mut Ground<'_>,
) -> Advanced {
    let mut steps = 0;
    while !segment.stands() && segment.ends_at_micros <= now_micros && steps < ADVANCE_SEGMENTS_MAX
    {
        let at = segment.ends_at_micros;
        let (pos_x_mm, pos_y_mm) = segment.position_at(at);
        segment = match segment.end {
            SegmentEnd::Border | SegmentEnd::Goal => {
                plan(at, (pos_x_mm, pos_y_mm), intent, speed_mm_per_s, ground)
            }
            SegmentEnd::Stands | SegmentEnd::Obstacle | SegmentEnd::Edge => {
                Segment::standing(at, pos_x_mm, pos_y_mm)
            }
        };
        steps += 1;
    }
    Advanced { segment, steps }
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
