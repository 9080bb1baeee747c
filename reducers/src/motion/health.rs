//! The health rows of the movement tick and of the combat tick.
//!
//! Keeps true: the movement tick's is written when it handled rows or a block's second was over,
//! and once a second while anything moves; the combat tick's when it handled rows; their maxima are
//! of the last minute.

use crate::now_micros;
use crate::world::blocks::CrowdChange;
use haven_rules::motion::TICK_ROWS_MAX;
use haven_tables::motion::{TickHealth, motion_due, tick_health};
use spacetimedb::{ReducerContext, Table, Timestamp};

/// The name of the movement tick's health row.
const TICK: &str = "motion";
/// The name of the combat tick's health row.
const COMBAT_TICK: &str = "combat";
/// How often the tick writes its health row while anything moves and nothing is due, microseconds.
const HEALTH_MICROS: i64 = 1_000_000;
/// How long after the last health row an entity may have gone on moving, microseconds. After a
/// crash the database was down for longer than that, and nobody moved meanwhile.
const HEALTH_GRACE_MICROS: i64 = 2_000_000;
/// The window over which the health row keeps its maxima, microseconds.
const HEALTH_WINDOW_MICROS: i64 = 60_000_000;

/// What one run of the tick did.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Run {
    /// Rows handled.
    pub(super) rows: usize,
    /// How late the first of them was, microseconds.
    pub(super) late_micros: i64,
    /// Whether rows that are due were left for the next run.
    pub(super) is_over_budget: bool,
    /// What closing the blocks' windows changed.
    pub(super) crowd: CrowdChange,
}

/// The row, if it has been written.
pub(super) fn read(ctx: &ReducerContext) -> Option<TickHealth> {
    ctx.db.tick_health().tick().find(TICK.to_owned())
}

/// Now, but after a crash not later than the database was last known to live.
pub(super) fn last_lived_micros(ctx: &ReducerContext) -> i64 {
    let now = now_micros(ctx);
    let at = |row: TickHealth| row.written_at.to_micros_since_unix_epoch() + HEALTH_GRACE_MICROS;
    read(ctx).map_or(now, |row| now.min(at(row)))
}

/// Writes the row, if there is a reason to; `known` is what stands there.
pub(super) fn write(ctx: &ReducerContext, known: Option<TickHealth>, run: &Run) {
    let now = now_micros(ctx);
    let age = |at: Timestamp| now - at.to_micros_since_unix_epoch();
    let stale = known.as_ref().is_none_or(|row| age(row.written_at) >= HEALTH_MICROS);
    let quiet = run.rows == 0 && run.crowd.is_nothing();
    if quiet && !(stale && ctx.db.motion_due().count() > 0) {
        return;
    }
    let exists = known.is_some();
    let row = after(ctx, known.unwrap_or_else(|| empty(ctx.timestamp, TICK, TICK_ROWS_MAX)), run);
    if exists {
        ctx.db.tick_health().tick().update(row);
    } else {
        ctx.db.tick_health().insert(row);
    }
}

/// Writes the combat tick's row after a run that handled rows.
pub(crate) fn note_combat(
    ctx: &ReducerContext,
    rows: usize,
    late_micros: i64,
    is_over_budget: bool,
    budget: usize,
) {
    let known = ctx.db.tick_health().tick().find(COMBAT_TICK.to_owned());
    let exists = known.is_some();
    let run = Run { rows, late_micros, is_over_budget, ..Run::default() };
    let known = known.unwrap_or_else(|| empty(ctx.timestamp, COMBAT_TICK, budget));
    let row = after(ctx, known, &run);
    if exists {
        ctx.db.tick_health().tick().update(row);
    } else {
        ctx.db.tick_health().insert(row);
    }
}

/// The row after a run.
fn after(ctx: &ReducerContext, mut row: TickHealth, run: &Run) -> TickHealth {
    let now = now_micros(ctx);
    let age = |at: Timestamp| now - at.to_micros_since_unix_epoch();
    if age(row.window_started_at) >= HEALTH_WINDOW_MICROS {
        row.window_started_at = ctx.timestamp;
        (row.window_late_max_micros, row.window_rows_max, row.window_runs_over_budget) = (0, 0, 0);
    }
    let rows = u32::try_from(run.rows).unwrap_or(u32::MAX);
    row.written_at = ctx.timestamp;
    row.rows_total += u64::from(rows);
    row.window_late_max_micros = row.window_late_max_micros.max(run.late_micros);
    row.window_rows_max = row.window_rows_max.max(rows);
    row.window_runs_over_budget += u32::from(run.is_over_budget);
    row.published_at_once_total += u64::from(run.crowd.at_once);
    row.published_by_tick_total += u64::from(run.crowd.by_tick);
    row.crowd_switches_total += u64::from(run.crowd.switches);
    row.blocks_crowded = row.blocks_crowded.saturating_add_signed(run.crowd.crowded);
    row.messages_per_s = row.messages_per_s.saturating_add_signed(run.crowd.messages_per_s);
    row
}

fn empty(now: Timestamp, tick: &str, budget: usize) -> TickHealth {
    TickHealth {
        tick: tick.to_owned(),
        rows_total: 0,
        published_at_once_total: 0,
        published_by_tick_total: 0,
        crowd_switches_total: 0,
        messages_per_s: 0,
        window_late_max_micros: 0,
        window_started_at: now,
        written_at: now,
        rows_budget: u32::try_from(budget).unwrap_or(u32::MAX),
        window_rows_max: 0,
        window_runs_over_budget: 0,
        blocks_crowded: 0,
    }
}
