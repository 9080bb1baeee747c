//! Segments: constant velocity from one instant to another.
//!
//! Keeps true: the authoritative position is cut to whole millimetres toward the start, so nobody
//! is ever further than speed times time allows.

/// How far a client may extrapolate past a segment that merely goes on, before the next row
/// arrives, microseconds.
pub const PREDICT_BEYOND_MICROS: i64 = 150_000;

const MICROS_PER_S: i64 = 1_000_000;

/// What happens when a segment ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum SegmentEnd {
    /// Nothing: the entity stands.
    Stands = 0,
    /// It enters the next block.
    Border = 1,
    /// It has met an obstacle, and slides along it or stands.
    Obstacle = 2,
    /// It has reached its goal or a waypoint, or is so near that it must aim anew.
    Goal = 3,
    /// It has met the edge of the world.
    Edge = 4,
    /// The ground changes, or the obstacle it slid along ends: it goes on at another velocity.
    Ground = 5,
    /// It has stood until now, and decides anew.
    Rest = 6,
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
            5 => Self::Ground,
            6 => Self::Rest,
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

    /// An entity that stands there for a while and then decides anew.
    pub const fn resting(at_micros: i64, (x_mm, y_mm): (i32, i32), for_micros: i64) -> Self {
        let standing = Self::standing(at_micros, x_mm, y_mm);
        let ends_at_micros = at_micros.saturating_add(for_micros);
        Self { ends_at_micros, end: SegmentEnd::Rest, ..standing }
    }

    /// Whether the entity stands until something happens to it.
    pub const fn stands(&self) -> bool {
        matches!(self.end, SegmentEnd::Stands)
    }

    /// Whether the entity goes anywhere before it ends.
    pub const fn is_moving(&self) -> bool {
        self.vel_x_mm_per_s != 0 || self.vel_y_mm_per_s != 0
    }

    /// Where the entity is at that instant: the authoritative position. Before the start it is at
    /// the start, after the end at the end. Millimetres are cut off toward the start, so that the
    /// speed is never exceeded.
    pub fn position_at(&self, now_micros: i64) -> (i32, i32) {
        self.position_after(now_micros.min(self.ends_at_micros))
    }

    /// Where a client may draw the entity at that instant: as [`Self::position_at`], but past an
    /// end where it merely goes on it does so for up to [`PREDICT_BEYOND_MICROS`].
    pub fn predict_at(&self, now_micros: i64) -> (i32, i32) {
        let beyond = match self.end {
            SegmentEnd::Border | SegmentEnd::Ground => PREDICT_BEYOND_MICROS,
            SegmentEnd::Stands
            | SegmentEnd::Obstacle
            | SegmentEnd::Goal
            | SegmentEnd::Edge
            | SegmentEnd::Rest => 0,
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
    let vel = i64::from(vel_mm_per_s);
    // Nearly always fits; wider arithmetic costs ten times as much in WebAssembly.
    let way = vel.checked_mul(elapsed_micros).map(|product| product / MICROS_PER_S);
    let way = way.unwrap_or_else(|| {
        let way = i128::from(vel) * i128::from(elapsed_micros) / i128::from(MICROS_PER_S);
        i64::try_from(way).unwrap_or(if vel < 0 { i64::MIN } else { i64::MAX })
    });
    let pos = i64::from(pos_mm).saturating_add(way);
    let pos = pos.clamp(i64::from(i32::MIN), i64::from(i32::MAX));
    i32::try_from(pos).unwrap_or(pos_mm)
}

/// Velocity of that speed along a way: each component cut toward zero. Millimetres per second.
pub(super) fn velocity(way_x: i64, way_y: i64, speed_mm_per_s: i32) -> (i32, i32) {
    // Ways are differences of `i32`, so their squares fit 66 bits; scaled down they fit 62.
    let scale = (way_x.unsigned_abs().max(way_y.unsigned_abs()) >> 30).max(1);
    let scale = i64::try_from(scale).unwrap_or(i64::MAX);
    let (way_x, way_y) = (way_x / scale, way_y / scale);
    let squares = way_x.unsigned_abs().pow(2) + way_y.unsigned_abs().pow(2);
    let root = squares.isqrt();
    // Rounded up, so that dividing by it never yields more than the speed.
    let length = if root * root == squares { root } else { root + 1 };
    let Ok(length @ 1..) = i64::try_from(length) else { return (0, 0) };
    let component = |way: i64| i32::try_from(way * i64::from(speed_mm_per_s) / length);
    (component(way_x).unwrap_or(0), component(way_y).unwrap_or(0))
}

/// How long it takes to travel at least that far in the velocity's direction, microseconds,
/// rounded up; for ever without velocity.
pub(super) fn micros_for(way_mm: i64, vel_mm_per_s: i32) -> i64 {
    let vel = i64::from(vel_mm_per_s).abs();
    if vel == 0 {
        return i64::MAX;
    }
    way_mm.abs().saturating_mul(MICROS_PER_S).saturating_add(vel - 1) / vel
}
