//! Walkers the usual way: every tick reads everybody's row, moves it and writes it back.
//!
//! Keeps true: they walk by the rules that Haven's wanderers walk by, from places found the same
//! way. What they are about is kept in memory and not in rows, in favour of this way: a server
//! that kept it in rows would write more.

use crate::land::{Land, with_land};
use crate::require_owner;
use haven_rules::motion::{
    Advanced, Course, Intent, Pace, Segment, TICK_MICROS, advance, mix, set_out, wander,
};
use haven_rules::world::{BLOCK_CELLS, CELL_MM, OPEN_WORLD, chunk_of};
use spacetimedb::{ReducerContext, ScheduleAt, Table, TimeDuration, Timestamp, reducer, table};
use std::cell::RefCell;
use std::collections::BTreeMap;

/// Most walkers there are.
const WALKERS_MAX: u64 = 1_000_000;
/// Most walkers made by one call.
const AT_ONCE_MAX: u32 = 20_000;
/// Places tried for each before it is left out; as `wanderer_spawn` does.
const TRIES: u64 = 8;

/// Where somebody is and how fast it goes.
#[table(
    name = walker_row,
    public,
    // Subscribed to per block.
    index(name = by_chunk, btree(columns = [chunk_index]))
)]
pub struct WalkerRow {
    /// Who.
    #[primary_key]
    pub entity_id: u64,
    /// The block it is in.
    pub chunk_index: u64,
    /// Millimetres east of the origin.
    pub pos_x_mm: i32,
    /// Millimetres north of the origin.
    pub pos_y_mm: i32,
    /// Velocity to the east, millimetres per second.
    pub vel_x_mm_per_s: i32,
    /// Velocity to the north, millimetres per second.
    pub vel_y_mm_per_s: i32,
}

/// How the tick is doing: one row, written by each run that moved anybody.
#[table(name = tick_health)]
pub struct TickHealth {
    /// Always `walkers`.
    #[primary_key]
    pub tick: String,
    /// Rows written since the first run.
    pub rows_total: u64,
    /// When it was written.
    pub written_at: Timestamp,
}

/// The timer of [`walker_tick()`]: 20 Hz.
#[table(name = walker_tick_timer, scheduled(walker_tick))]
pub struct WalkerTickTimer {
    /// The timer's number.
    #[primary_key]
    #[auto_inc]
    pub scheduled_id: u64,
    /// When it fires.
    pub scheduled_at: ScheduleAt,
}

/// What a walker is about.
#[derive(Clone, Copy)]
struct Walk {
    segment: Segment,
    intent: Intent,
}

thread_local! {
    static WALKS: RefCell<BTreeMap<u64, Walk>> = RefCell::default();
}

/// Lets up to that many walkers appear where they can stand, all over the world. Owner only. The
/// first call starts the tick.
///
/// # Errors
/// In this order: for others; for too many; before `world_set`.
#[reducer]
pub fn walkers_spawn(ctx: &ReducerContext, count: u32, seed: u64) -> Result<(), String> {
    require_owner(ctx)?;
    let first = ctx.db.walker_row().count() + 1;
    if count > AT_ONCE_MAX || first + u64::from(count) > WALKERS_MAX + 1 {
        return Err(format!("at most {WALKERS_MAX} walkers, {AT_ONCE_MAX} at once"));
    }
    let places = with_land(ctx, |land| places(land, count, seed))?;
    for (entity_id, (pos_x_mm, pos_y_mm)) in (first..).zip(places) {
        ctx.db.walker_row().insert(WalkerRow {
            entity_id,
            chunk_index: chunk_of(OPEN_WORLD, pos_x_mm, pos_y_mm),
            pos_x_mm,
            pos_y_mm,
            vel_x_mm_per_s: 0,
            vel_y_mm_per_s: 0,
        });
    }
    if ctx.db.walker_tick_timer().count() == 0 {
        let scheduled_at = TimeDuration::from_micros(TICK_MICROS).into();
        ctx.db.walker_tick_timer().insert(WalkerTickTimer { scheduled_id: 0, scheduled_at });
    }
    Ok(())
}

/// Places to begin at: those of `wanderer_spawn` for the same seed.
fn places(land: &mut Land, count: u32, seed: u64) -> Vec<(i32, i32)> {
    let edge = u64::from(land.blocks) * u64::try_from(BLOCK_CELLS).unwrap_or(1);
    let corner = (land.bounds.min_x_mm / CELL_MM, land.bounds.min_y_mm / CELL_MM);
    let part = |bits: u64| i32::try_from((bits & 0xffff_ffff) % edge).unwrap_or(0);
    let place = |number: u64| {
        let tries = (0..TRIES).map(|attempt| mix(seed, number * TRIES + attempt));
        let mut cells = tries.map(|mixed| (corner.0 + part(mixed), corner.1 + part(mixed >> 32)));
        let cell = cells.find(|cell| land.with_ground(|ground| ground.is_open(*cell)))?;
        Some((cell.0 * CELL_MM + CELL_MM / 2, cell.1 * CELL_MM + CELL_MM / 2))
    };
    (0..u64::from(count)).filter_map(place).collect()
}

/// Moves everybody. 20 times a second.
///
/// # Errors
/// For clients; before `world_set`.
#[reducer]
pub fn walker_tick(ctx: &ReducerContext, _timer: WalkerTickTimer) -> Result<(), String> {
    if ctx.sender != ctx.identity() || ctx.connection_id.is_some() {
        return Err("the database alone may call".to_owned());
    }
    let now = ctx.timestamp.to_micros_since_unix_epoch();
    let rows = read_all(ctx);
    let moved: Vec<WalkerRow> = with_land(ctx, |land| {
        WALKS.with_borrow_mut(|walks| {
            rows.into_iter().filter_map(|row| move_one(row, now, walks, land)).collect()
        })
    })?;
    let written = moved.len();
    for row in moved {
        ctx.db.walker_row().entity_id().update(row);
    }
    let known = ctx.db.tick_health().tick().find("walkers".to_owned());
    let total = known.as_ref().map_or(0, |row| row.rows_total);
    let rows_total = total + u64::try_from(written).unwrap_or(0);
    let row = TickHealth { tick: "walkers".to_owned(), rows_total, written_at: ctx.timestamp };
    if known.is_some() {
        ctx.db.tick_health().tick().update(row);
    } else {
        ctx.db.tick_health().insert(row);
    }
    Ok(())
}

fn read_all(ctx: &ReducerContext) -> Vec<WalkerRow> {
    ctx.db.walker_row().iter().collect()
}

/// The row after a tick; none when nothing about it changed.
fn move_one(
    row: WalkerRow,
    now: i64,
    walks: &mut BTreeMap<u64, Walk>,
    land: &mut Land,
) -> Option<WalkerRow> {
    let pace = Pace::steady(land.walk_speed_mm_per_s);
    let known = walks.get(&row.entity_id).copied();
    let intent = match known {
        Some(walk) => walk.intent,
        None => wander(row.entity_id, now.unsigned_abs()),
    };
    let course = Course { intent, pace: &pace, waypoints: &[], seed: row.entity_id };
    let Advanced { segment, intent, .. } = land.with_ground(|ground| match known {
        Some(walk) => advance(walk.segment, &course, now, ground),
        None => set_out(now, (row.pos_x_mm, row.pos_y_mm), &course, ground),
    });
    walks.insert(row.entity_id, Walk { segment, intent });
    let (pos_x_mm, pos_y_mm) = segment.position_at(now);
    let (vel_x_mm_per_s, vel_y_mm_per_s) = (segment.vel_x_mm_per_s, segment.vel_y_mm_per_s);
    let was = (row.pos_x_mm, row.pos_y_mm, row.vel_x_mm_per_s, row.vel_y_mm_per_s);
    if was == (pos_x_mm, pos_y_mm, vel_x_mm_per_s, vel_y_mm_per_s) {
        return None;
    }
    let chunk_index = chunk_of(OPEN_WORLD, pos_x_mm, pos_y_mm);
    Some(WalkerRow { chunk_index, pos_x_mm, pos_y_mm, vel_x_mm_per_s, vel_y_mm_per_s, ..row })
}
