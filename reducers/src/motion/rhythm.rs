//! Keeps the tick at its 20 Hz: see `rules::motion::rhythm`.
//!
//! Keeps true: the timer's row is written only when its interval changes, and there is always one.

use super::{MotionTickTimer, motion_tick_timer};
use crate::now_micros;
use haven_rules::motion::rhythm::{RHYTHM_RUNS, steadied};
use spacetimedb::{ReducerContext, ScheduleAt, TimeDuration};
use std::cell::Cell;

thread_local! {
    /// When the first run that is measured began, and how many came after it.
    static MEASURED: Cell<Option<(i64, u32)>> = const { Cell::new(None) };
}

/// A run of the tick begins.
pub(super) fn keep(ctx: &ReducerContext, timer: MotionTickTimer) {
    let now = now_micros(ctx);
    let Some((since, runs)) = MEASURED.get() else {
        MEASURED.set(Some((now, 0)));
        return;
    };
    let runs = runs + 1;
    if runs < RHYTHM_RUNS {
        MEASURED.set(Some((since, runs)));
        return;
    }
    MEASURED.set(Some((now, 0)));
    let ScheduleAt::Interval(interval) = timer.scheduled_at else { return };
    if let Some(micros) = steadied(interval.to_micros(), now - since, runs) {
        let scheduled_at = TimeDuration::from_micros(micros).into();
        ctx.db.motion_tick_timer().scheduled_id().update(MotionTickTimer { scheduled_at, ..timer });
    }
}
