//! Motion by segments: one row says where an entity was and where it is heading.
//!
//! Nothing is written while an entity moves straight. `motion` is the hot public row; its position
//! at any instant is `rules::motion::Segment::position_at`, in the module and in every client.

use spacetimedb::{Timestamp, table};

/// A segment: constant velocity from `started_at` to `ends_at`. One row per entity.
#[table(
    name = motion,
    public,
    // Subscribed to per block.
    index(name = by_chunk, btree(columns = [chunk_index]))
)]
pub struct Motion {
    /// The entity that moves.
    #[primary_key]
    pub entity_id: u64,
    /// The block the segment starts in; it ends at that block's border at the latest.
    pub chunk_index: u64,
    /// When the entity was at `pos`.
    pub started_at: Timestamp,
    /// When the segment ends; equal to `started_at` while the entity stands.
    pub ends_at: Timestamp,
    /// Millimetres east of the origin at `started_at`.
    pub pos_x_mm: i32,
    /// Millimetres north of the origin at `started_at`.
    pub pos_y_mm: i32,
    /// Velocity to the east, millimetres per second.
    pub vel_x_mm_per_s: i32,
    /// Velocity to the north, millimetres per second.
    pub vel_y_mm_per_s: i32,
    /// Counts the courses applied to this entity, so that a client knows which is its own.
    pub course_number: u32,
    /// What happens at `ends_at`: 0 stands, 1 crosses a block border, 2 obstacle, 3 goal,
    /// 4 edge of the world (`rules::motion::SegmentEnd`).
    pub end_kind: u8,
}

/// What an entity means to do: its course, and the one intent that waits for the next tick.
#[table(name = motion_course)]
pub struct MotionCourse {
    /// The entity.
    #[primary_key]
    pub entity_id: u64,
    /// When its course last changed, microseconds since 1970; one change per tick is immediate.
    pub course_at_micros: i64,
    /// 0 none, 1 direction, 2 goal (`rules::motion::Intent`).
    pub course_kind: u8,
    /// East component of the direction, or the goal in millimetres.
    pub course_x: i32,
    /// North component of the direction, or the goal in millimetres.
    pub course_y: i32,
    /// Whether it runs.
    pub running: bool,
    /// The waiting intent's kind; 0 is none.
    pub pending_kind: u8,
    /// As `course_x`, of the waiting intent.
    pub pending_x: i32,
    /// As `course_y`, of the waiting intent.
    pub pending_y: i32,
    /// As `running`, of the waiting intent.
    pub pending_running: bool,
}

/// When the movement tick must look at an entity again. No row: not before its next input.
#[table(
    name = motion_due,
    // Read by the movement tick, earliest first.
    index(name = by_due_at, btree(columns = [due_at_micros]))
)]
pub struct MotionDue {
    /// The entity.
    #[primary_key]
    pub entity_id: u64,
    /// Microseconds since 1970.
    pub due_at_micros: i64,
}

/// How a tick is doing, in windows of a minute. Written by the tick: when it handled rows, and
/// once a second while anything moves.
#[table(name = tick_health)]
pub struct TickHealth {
    /// Which tick: `motion`.
    #[primary_key]
    pub tick: String,
    /// Rows handled since the row was first written.
    pub rows_total: u64,
    /// The longest time a row was handled after it was due, in this window. Microseconds.
    pub window_late_max_micros: i64,
    /// When this window began.
    pub window_started_at: Timestamp,
    /// When the tick last wrote this row.
    pub written_at: Timestamp,
    /// How many rows one run may handle.
    pub rows_budget: u32,
    /// The most rows one run handled in this window.
    pub window_rows_max: u32,
    /// Runs of this window that left due rows for the next.
    pub window_runs_over_budget: u32,
}
