//! What is due: when somebody must look at an entity again.
//!
//! Keeps true: a row that is due is found by the first run of the tick after it, whatever this
//! instance of the module remembers (`wheel`). Rows stand in the slot of their instant, or of when
//! they were written if that was later.

use crate::now_micros;
use crate::wheel::Wheel;
use haven_rules::motion::{TICK_ROWS_MAX, slot_of, slots_between};
use haven_tables::motion::{MotionDue, motion_due};
use spacetimedb::{ReducerContext, Table};

thread_local! {
    static WHEEL: Wheel = const { Wheel::new() };
}

/// From when on a run of the tick has to look.
pub(super) fn look_from() -> i64 {
    WHEEL.with(Wheel::look_from)
}

/// Everything up to that instant has been handled.
pub(super) fn handled_until(micros: i64) {
    WHEEL.with(|wheel| wheel.handled_until(micros));
}

/// What is due now, earliest first, at most [`TICK_ROWS_MAX`], and whether more is. Of very many,
/// as after a restart, the earliest of the first that are found.
pub(super) fn due(ctx: &ReducerContext, from: i64, now: i64) -> (Vec<MotionDue>, bool) {
    // A clock that was set back finds everything again when it gets there.
    let from = if from > now { 0 } else { from };
    let mut rows: Vec<MotionDue> = slots_between(from, now)
        .into_iter()
        .flat_map(|slots| ctx.db.motion_due().by_slot().filter(slots))
        .filter(|row| row.due_at_micros <= now)
        .take(2 * TICK_ROWS_MAX)
        .collect();
    rows.sort_unstable_by_key(|row| (row.due_at_micros, row.entity_id));
    let is_more = rows.len() > TICK_ROWS_MAX;
    rows.truncate(TICK_ROWS_MAX);
    (rows, is_more)
}

fn row_of(ctx: &ReducerContext, entity_id: u64, due_at_micros: i64) -> MotionDue {
    MotionDue { entity_id, due_at_micros, slot: slot_of(due_at_micros.max(now_micros(ctx))) }
}

/// Says when somebody must look at an entity again; none is never.
pub(super) fn set(ctx: &ReducerContext, entity_id: u64, due_at_micros: Option<i64>) {
    let known = ctx.db.motion_due().entity_id().find(entity_id).map(|row| row.due_at_micros);
    match (known, due_at_micros) {
        (None, None) => {}
        (None, Some(due)) => {
            ctx.db.motion_due().insert(row_of(ctx, entity_id, due));
        }
        (Some(known), Some(due)) if known == due => {}
        (Some(_), due) => replace(ctx, entity_id, due),
    }
}

/// The same for an entity that has a row.
pub(super) fn replace(ctx: &ReducerContext, entity_id: u64, due_at_micros: Option<i64>) {
    match due_at_micros {
        None => {
            ctx.db.motion_due().entity_id().delete(entity_id);
        }
        Some(due) => {
            ctx.db.motion_due().entity_id().update(row_of(ctx, entity_id, due));
        }
    }
}

/// When somebody must look at an entity, if ever.
pub(super) fn known(ctx: &ReducerContext, entity_id: u64) -> Option<i64> {
    ctx.db.motion_due().entity_id().find(entity_id).map(|row| row.due_at_micros)
}
