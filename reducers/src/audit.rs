//! The audit trail: appending to it, and its retention.
//!
//! Kept for `rules::audit::RETENTION_DAYS`; the sweep takes the oldest by index.

use crate::authority::require_database;
use crate::sequences;
use crate::{Refusal, now_micros};
use haven_rules::audit::{swept_up_to_micros, tidy_detail};
use haven_rules::sequences::Numbered;
use haven_tables::audit::{AuditEntry, audit_entry};
use spacetimedb::{ReducerContext, ScheduleAt, Table, reducer, table};
use std::time::Duration;

/// How often old entries are swept.
const SWEEP_INTERVAL: Duration = Duration::from_mins(1);
/// Most entries one sweep removes.
const SWEEP_ROWS_MAX: usize = 1_000;

/// The timer of [`audit_sweep()`].
#[table(name = audit_sweep_timer, scheduled(audit_sweep))]
pub struct AuditSweepTimer {
    /// The timer's number.
    #[primary_key]
    #[auto_inc]
    pub scheduled_id: u64,
    /// When it fires.
    pub scheduled_at: ScheduleAt,
}

pub(crate) fn ensure_timers(ctx: &ReducerContext) {
    if ctx.db.audit_sweep_timer().count() == 0 {
        let scheduled_at = SWEEP_INTERVAL.into();
        ctx.db.audit_sweep_timer().insert(AuditSweepTimer { scheduled_id: 0, scheduled_at });
    }
}

/// Records an action in the transaction that does it.
pub(crate) fn record(
    ctx: &ReducerContext,
    actor_account_id: u64,
    subject_account_id: u64,
    action: &'static str,
    detail: &str,
) {
    debug_assert!(haven_rules::audit::ACTIONS.contains(&action));
    ctx.db.audit_entry().insert(AuditEntry {
        audit_id: sequences::next(ctx, Numbered::AuditEntry),
        at_micros: now_micros(ctx),
        actor: ctx.sender,
        actor_account_id,
        subject_account_id,
        action: action.to_owned(),
        detail: tidy_detail(detail),
    });
}

/// Removes entries older than their retention, at most `SWEEP_ROWS_MAX` a run.
///
/// # Errors
/// `realm.database_only` for clients.
#[reducer]
pub fn audit_sweep(ctx: &ReducerContext, _timer: AuditSweepTimer) -> Result<(), Refusal> {
    require_database(ctx)?;
    let up_to = swept_up_to_micros(now_micros(ctx));
    let old: Vec<u64> = ctx
        .db
        .audit_entry()
        .by_at()
        .filter(..=up_to)
        .take(SWEEP_ROWS_MAX)
        .map(|entry| entry.audit_id)
        .collect();
    for audit_id in old {
        ctx.db.audit_entry().audit_id().delete(audit_id);
    }
    Ok(())
}
