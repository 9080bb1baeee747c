//! Events that are a minute old go.

use crate::authority::require_database;
use crate::wheel::Wheel;
use crate::{Refusal, now_micros};
use haven_rules::combat::EVENT_SECONDS;
use haven_rules::motion::slots_between;
use haven_tables::combat::combat_event;
use spacetimedb::{ReducerContext, ScheduleAt, Table, reducer, table};
use std::time::Duration;

/// How often events are swept.
const SWEEP_INTERVAL: Duration = Duration::from_secs(5);
/// Most events that one sweep removes.
const SWEEP_ROWS_MAX: usize = 20_000;

/// The timer of [`combat_event_sweep()`].
#[table(name = combat_event_sweep_timer, scheduled(combat_event_sweep))]
pub struct CombatEventSweepTimer {
    /// The timer's number.
    #[primary_key]
    #[auto_inc]
    pub scheduled_id: u64,
    /// When it fires.
    pub scheduled_at: ScheduleAt,
}

thread_local! {
    static WHEEL: Wheel = const { Wheel::new() };
}

pub(super) fn ensure_timers(ctx: &ReducerContext) {
    if ctx.db.combat_event_sweep_timer().count() == 0 {
        let scheduled_at = SWEEP_INTERVAL.into();
        let timer = CombatEventSweepTimer { scheduled_id: 0, scheduled_at };
        ctx.db.combat_event_sweep_timer().insert(timer);
    }
}

/// Removes events whose time is over, at most `SWEEP_ROWS_MAX` a run.
///
/// # Errors
/// `realm.database_only` for clients.
#[reducer]
pub fn combat_event_sweep(
    ctx: &ReducerContext,
    _timer: CombatEventSweepTimer,
) -> Result<(), Refusal> {
    require_database(ctx)?;
    if ctx.db.combat_event().count() == 0 {
        return Ok(());
    }
    let now = now_micros(ctx);
    let lasts = i64::from(EVENT_SECONDS) * 1_000_000;
    let from = WHEEL.with(Wheel::look_from);
    let over: Vec<u64> = slots_between(if from > now { 0 } else { from }, now)
        .into_iter()
        .flat_map(|slots| ctx.db.combat_event().by_slot().filter(slots))
        .filter(|row| row.at_micros + lasts <= now)
        .take(SWEEP_ROWS_MAX)
        .map(|row| row.event_id)
        .collect();
    let is_full = over.len() >= SWEEP_ROWS_MAX;
    for event_id in over {
        ctx.db.combat_event().event_id().delete(event_id);
    }
    if !is_full {
        WHEEL.with(|wheel| wheel.handled_until(now));
    }
    Ok(())
}
