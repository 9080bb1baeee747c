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
    /// How many inputs of its player had been taken in when this course was applied; those that
    /// were overwritten before they could be applied count too. What prediction goes by.
    pub input_number: u32,
    /// What happens at `ends_at`: 0 stands, 1 crosses a block border, 2 obstacle, 3 goal,
    /// 4 edge of the world, 5 other ground, 6 rests until then (`rules::motion::SegmentEnd`).
    pub end_kind: u8,
}

// The hottest row: 57 bytes of columns, which is also what a client is sent of it.
const _: () = assert!(size_of::<Motion>() == 64, "a motion row has grown");

/// What an entity means to do: its course, and the one intent that waits for the next tick.
#[table(name = motion_course)]
#[expect(clippy::struct_excessive_bools, reason = "columns that are asked for one by one")]
pub struct MotionCourse {
    /// The entity.
    #[primary_key]
    pub entity_id: u64,
    /// Whom it follows; 0 nobody. `course_x` and `course_y` are then where that one was last.
    pub target_id: u64,
    /// As `target_id`, of the waiting intent.
    pub pending_target_id: u64,
    /// When its course last changed, microseconds since 1970; one change per tick is immediate.
    pub course_at_micros: i64,
    /// East component of the direction, or the goal in millimetres.
    pub course_x: i32,
    /// North component of the direction, or the goal in millimetres.
    pub course_y: i32,
    /// As `course_x`, of the waiting intent.
    pub pending_x: i32,
    /// As `course_y`, of the waiting intent.
    pub pending_y: i32,
    /// Inputs of its player taken in so far.
    pub inputs: u32,
    /// 0 none, 1 direction, 2 goal, 3 wandering (`rules::motion::Intent`).
    pub course_kind: u8,
    /// The waiting intent's kind plus 1; 0 is none.
    pub pending_kind: u8,
    /// Whether it runs.
    pub running: bool,
    /// As `running`, of the waiting intent.
    pub pending_running: bool,
    /// Whether it has a row in `motion_path`.
    pub has_path: bool,
    /// Whether it has rows in `motion_effect`.
    pub has_effects: bool,
    /// Whether a player steers it. Who is not steered sleeps where nobody watches.
    pub is_player: bool,
}

/// The way to a goal that no straight line leads to. Written when the course is set.
#[table(name = motion_path)]
pub struct MotionPath {
    /// The entity.
    #[primary_key]
    pub entity_id: u64,
    /// How many of the places are behind it.
    pub passed: u32,
    /// East and north of each place to pass, in turn, millimetres; the goal is the last.
    pub places_mm: Vec<i32>,
}

/// What slows, hastens or holds an entity. Removed by the movement tick when it ends.
#[table(
    name = motion_effect,
    // Read whenever a segment of an entity with effects is planned; at most 16 rows each.
    index(name = by_entity, btree(columns = [entity_id]))
)]
pub struct MotionEffect {
    /// The effect.
    #[primary_key]
    pub effect_id: u64,
    /// Whom it acts on.
    pub entity_id: u64,
    /// When it ends, microseconds since 1970; `i64::MAX` is never.
    pub ends_at_micros: i64,
    /// By how much, percent; 0 for a root.
    pub percent: u16,
    /// 1 root, 2 slow, 3 haste, 4 load (`rules::motion::EffectKind`).
    pub kind: u8,
}

/// A creature that walks about. Written by the owner (`wanderer_spawn`, `wanderer_clear`).
#[table(
    name = wanderer,
    // Read to remove a world's wanderers.
    index(name = by_world, btree(columns = [world]))
)]
pub struct Wanderer {
    /// Its entity.
    #[primary_key]
    pub entity_id: u64,
    /// The world it was made in.
    pub world: u32,
}

/// When the movement tick must look at an entity again. No row: not before its next input.
#[table(
    name = motion_due,
    // Read by the movement tick: the slots since its last run.
    index(name = by_slot, btree(columns = [slot]))
)]
pub struct MotionDue {
    /// The entity.
    #[primary_key]
    pub entity_id: u64,
    /// Microseconds since 1970.
    pub due_at_micros: i64,
    /// The slot of that instant, or of when it was written if that was later
    /// (`rules::motion::slot_of`).
    pub slot: u16,
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
    /// Courses of players published at once since then.
    pub published_at_once_total: u64,
    /// Courses of players gathered and published by the tick since then.
    pub published_by_tick_total: u64,
    /// Blocks that became crowded or calm since then.
    pub crowd_switches_total: u64,
    /// Messages a second that courses would cost, were each published at once; as of the last
    /// window of a second in each block.
    pub messages_per_s: u64,
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
    /// Blocks whose courses are published by the tick now, because many watch them.
    pub blocks_crowded: u32,
}
