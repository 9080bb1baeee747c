//! Planning: from a place and an intent to the segment that follows, over the ground.
//!
//! Keeps true: a segment never leaves its block but for the instant it ends at the border, never
//! enters a blocked cell, never leaves the world, never exceeds the speed its ground allows. Who
//! meets an obstacle at an angle slides along it. Work is bounded by the cells of a block's
//! diagonal.

use super::segment::{Segment, SegmentEnd, micros_for, velocity};
use super::{GOAL_REACHED_MM, Intent};
use crate::world::{Area, CELL_MM, GroundClass, block_of_cell, cell_of_mm};

/// Cells a segment can touch: from one corner of a block to the other and one beyond.
const SEGMENT_CELLS_MAX: u32 = 130;
/// Whoever meets an obstacle at so steep an angle that less than this part of the speed would be
/// left along it stands instead of creeping: one eighth.
const SLIDE_PART_MIN: i32 = 8;

/// Whoever comes this near to an obstacle slides instead of going on toward it, millimetres.
const SLIDE_NEAR_MM: u32 = 200;

/// What a course is planned over.
pub struct Ground<'a> {
    /// The world's bounds.
    pub bounds: Area,
    /// The class of a cell inside the bounds: cell x, cell y.
    pub class: &'a mut dyn FnMut(i32, i32) -> GroundClass,
}

impl Ground<'_> {
    fn class(&mut self, cell: (i32, i32)) -> GroundClass {
        (self.class)(cell.0, cell.1)
    }

    fn blocked(&mut self, cell: (i32, i32)) -> bool {
        self.class(cell) == GroundClass::Blocked
    }

    /// Whether a cell is in the world and can be entered.
    pub fn is_open(&mut self, cell: (i32, i32)) -> bool {
        let (Some(x), Some(y)) = (cell.0.checked_mul(CELL_MM), cell.1.checked_mul(CELL_MM)) else {
            return false;
        };
        self.bounds.contains(x, y) && !self.blocked(cell)
    }

    /// The speed left where somebody stands. Whoever was walled in gets out at half speed.
    fn speed_on(&mut self, cell: (i32, i32), speed_mm_per_s: i32) -> i32 {
        let class = match self.class(cell) {
            GroundClass::Blocked => GroundClass::Hard,
            class @ (GroundClass::Easy | GroundClass::Rough | GroundClass::Hard) => class,
        };
        percent(speed_mm_per_s, class.speed_percent())
    }
}

/// That many percent of a speed, rounded down.
pub(super) fn percent(speed_mm_per_s: i32, percent: u16) -> i32 {
    let speed = i64::from(speed_mm_per_s) * i64::from(percent) / 100;
    i32::try_from(speed).unwrap_or(i32::MAX)
}

/// The segment an entity enters when it takes up an intent there and then, on easy ground at that
/// speed.
///
/// The velocity's components are cut toward zero, so the speed is never exceeded. A course that
/// cannot even begin slides along what is in the way, or stands.
pub fn plan(
    at_micros: i64,
    position: (i32, i32),
    intent: Intent,
    speed_mm_per_s: i32,
    ground: &mut Ground<'_>,
) -> Segment {
    let standing = Segment::standing(at_micros, position.0, position.1);
    let Some(way) = way_of(intent, position) else { return standing };
    let home = (cell_of_mm(position.0), cell_of_mm(position.1));
    let speed = ground.speed_on(home, speed_mm_per_s);
    let vel = velocity(way.0, way.1, speed);
    let has_goal = matches!(intent, Intent::Goal { .. });
    let goal_micros = if has_goal { goal_micros(way, vel) } else { i64::MAX };
    let course = with_velocity(standing, vel);
    let direct = follow(course, goal_micros, None, ground);
    if !matches!(direct.end, SegmentEnd::Obstacle | SegmentEnd::Edge) {
        return if direct.ends_at_micros > at_micros { direct } else { standing };
    }
    let reach_mm = reach_mm(&direct);
    let is_near = reach_mm < SLIDE_NEAR_MM;
    if is_near && matches!(intent, Intent::Wander { .. }) {
        // It turns; going on millimetre by millimetre would cost an event each.
        return standing;
    }
    let slide = is_near.then(|| slide(standing, way, vel, has_goal, speed, ground)).flatten();
    slide.unwrap_or(if reach_mm > 0 { direct } else { standing })
}

/// How far a segment leads, millimetres along its longer axis.
fn reach_mm(segment: &Segment) -> u32 {
    let (x, y) = segment.position_at(segment.ends_at_micros);
    x.abs_diff(segment.pos_x_mm).max(y.abs_diff(segment.pos_y_mm))
}

/// The way an intent leads from there; none when there is none to go.
fn way_of(intent: Intent, (pos_x_mm, pos_y_mm): (i32, i32)) -> Option<(i64, i64)> {
    match intent {
        Intent::Stand => None,
        Intent::Direction { dx, dy } | Intent::Wander { dx, dy } => {
            Some((i64::from(dx), i64::from(dy)))
        }
        Intent::Goal { x_mm, y_mm } => {
            let way_x = i64::from(x_mm) - i64::from(pos_x_mm);
            let way_y = i64::from(y_mm) - i64::from(pos_y_mm);
            (way_x.abs().max(way_y.abs()) > GOAL_REACHED_MM).then_some((way_x, way_y))
        }
    }
}

/// How long until the goal's longer coordinate is reached, microseconds.
fn goal_micros(way: (i64, i64), vel: (i32, i32)) -> i64 {
    if way.0.abs() >= way.1.abs() { micros_for(way.0, vel.0) } else { micros_for(way.1, vel.1) }
}

const fn with_velocity(standing: Segment, vel: (i32, i32)) -> Segment {
    Segment {
        ends_at_micros: i64::MAX,
        vel_x_mm_per_s: vel.0,
        vel_y_mm_per_s: vel.1,
        end: SegmentEnd::Border,
        ..standing
    }
}

/// Goes along what is in the way, with what is left of the velocity in that direction. The axis
/// with more of it is tried first.
fn slide(
    standing: Segment,
    way: (i64, i64),
    vel: (i32, i32),
    has_goal: bool,
    speed: i32,
    ground: &mut Ground<'_>,
) -> Option<Segment> {
    let east = ((vel.0, 0), (0, vel.1.signum()));
    let north = ((0, vel.1), (vel.0.signum(), 0));
    let axes = if vel.0.abs() >= vel.1.abs() { [east, north] } else { [north, east] };
    axes.into_iter().find_map(|(along, side)| {
        if along.0.abs().max(along.1.abs()) < (speed / SLIDE_PART_MIN).max(1) {
            return None;
        }
        let goal_micros = match along {
            _ if !has_goal => i64::MAX,
            (0, vel_y) => micros_for(way.1, vel_y),
            (vel_x, _) => micros_for(way.0, vel_x),
        };
        let course = with_velocity(standing, along);
        let slid = follow(course, goal_micros, Some(side), ground);
        let moves = slid.position_at(slid.ends_at_micros) != (standing.pos_x_mm, standing.pos_y_mm);
        moves.then_some(slid)
    })
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

/// Follows a course cell by cell to the first thing that matters. One that slides along an obstacle
/// ends as soon as the cells on that side are free again.
fn follow(
    course: Segment,
    goal_micros: i64,
    side: Option<(i32, i32)>,
    ground: &mut Ground<'_>,
) -> Segment {
    let ends = |elapsed: i64, end: SegmentEnd| Segment {
        ends_at_micros: course.started_at_micros.saturating_add(elapsed),
        end,
        ..course
    };
    // Who slides has not arrived: the goal lies behind the obstacle.
    let arrival = if side.is_some() { SegmentEnd::Obstacle } else { SegmentEnd::Goal };
    let mut cell = (cell_of_mm(course.pos_x_mm), cell_of_mm(course.pos_y_mm));
    let home = (block_of_cell(cell.0), block_of_cell(cell.1));
    let class = ground.class(cell);
    let mut elapsed = 0;
    for _ in 0..SEGMENT_CELLS_MAX {
        let next_x = micros_to_next_cell(course.pos_x_mm, course.vel_x_mm_per_s, cell.0);
        let next_y = micros_to_next_cell(course.pos_y_mm, course.vel_y_mm_per_s, cell.1);
        let next = next_x.min(next_y);
        if goal_micros < next {
            return ends(goal_micros, arrival);
        }
        if next == i64::MAX {
            return ends(0, SegmentEnd::Stands);
        }
        let (pos_x, pos_y) = course.position_at(course.started_at_micros.saturating_add(next));
        if !ground.bounds.contains(pos_x, pos_y) {
            return ends(next - 1, SegmentEnd::Edge);
        }
        let entered = (cell_of_mm(pos_x), cell_of_mm(pos_y));
        let entered_class = ground.class(entered);
        if entered_class == GroundClass::Blocked || is_squeezed(cell, entered, ground) {
            return ends(next - 1, SegmentEnd::Obstacle);
        }
        if (block_of_cell(entered.0), block_of_cell(entered.1)) != home {
            return ends(next, SegmentEnd::Border);
        }
        let freed = side.is_some_and(|(x, y)| ground.is_open((entered.0 + x, entered.1 + y)));
        if freed || entered_class != class {
            return ends(next, SegmentEnd::Ground);
        }
        cell = entered;
        elapsed = next;
    }
    // Not reached: a block has fewer cells in any row. Kept as a bound that stays legal.
    ends(elapsed, SegmentEnd::Ground)
}

/// Whether a step leads between two obstacles that touch at their corners.
fn is_squeezed(from: (i32, i32), to: (i32, i32), ground: &mut Ground<'_>) -> bool {
    from.0 != to.0
        && from.1 != to.1
        && ground.blocked((to.0, from.1))
        && ground.blocked((from.0, to.1))
}
