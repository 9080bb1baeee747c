//! The end of what is kept: messages, inboxes, mutes, buckets, revisions, reports.
//!
//! Keeps true: each run is bounded by `ROWS_MAX` rows of each table; what is swept is found by the
//! range of a unique key that an instant heads, or by the order of numbers.

use super::store::{drop_oldest, forget, instant, swept};
use crate::authority::require_database;
use crate::ordered::ranges;
use crate::{Refusal, now_micros, sequences};
use haven_rules::chat::{INBOX_ROWS_MAX, INBOX_SECONDS, REPORT_DAYS, REVISION_DAYS};
use haven_rules::keys::joint_key;
use haven_rules::sequences::Numbered;
use haven_tables::chat::channels::chat_slow;
use haven_tables::chat::moderation::{
    ChatSwept, chat_muted, chat_reported, chat_revision, chat_swept,
};
use haven_tables::chat::{chat_bucket, chat_delivery, chat_log};
use spacetimedb::{ReducerContext, ScheduleAt, Table, reducer, table};
use std::time::Duration;

/// How often it is swept.
const SWEEP_INTERVAL: Duration = Duration::from_secs(1);
/// Most rows of a table that one sweep removes.
const ROWS_MAX: usize = 500;
/// The same of inboxes: a guild of 500 fills 2,500 rows a second with five messages.
const INBOX_SWEPT_MAX: usize = 5_000;

/// The timer of [`chat_sweep()`].
#[table(name = chat_sweep_timer, scheduled(chat_sweep))]
pub struct ChatSweepTimer {
    /// The timer's number.
    #[primary_key]
    #[auto_inc]
    pub scheduled_id: u64,
    /// When it fires.
    pub scheduled_at: ScheduleAt,
}

pub(super) fn ensure_timers(ctx: &ReducerContext) {
    if ctx.db.chat_sweep_timer().count() == 0 {
        let scheduled_at = SWEEP_INTERVAL.into();
        ctx.db.chat_sweep_timer().insert(ChatSweepTimer { scheduled_id: 0, scheduled_at });
    }
}

/// Removes what is kept no longer.
///
/// # Errors
/// `realm.database_only` for clients.
#[reducer]
pub fn chat_sweep(ctx: &ReducerContext, _timer: ChatSweepTimer) -> Result<(), Refusal> {
    require_database(ctx)?;
    let now = now_micros(ctx);
    let past = ..=joint_key(instant(now), u64::MAX);
    let old: Vec<_> = ranges(ctx.db.chat_log().expiry_key()).filter(past).take(ROWS_MAX).collect();
    for row in old {
        forget(ctx, &row);
    }
    sweep_inboxes(ctx, now);
    let full = ranges(ctx.db.chat_bucket().full_key()).filter(past).take(ROWS_MAX);
    let full: Vec<u64> = full.map(|row| row.account_id).collect();
    for account_id in full {
        ctx.db.chat_bucket().account_id().delete(account_id);
    }
    let ready = ranges(ctx.db.chat_slow().ready_key()).filter(past).take(ROWS_MAX);
    let ready: Vec<u128> = ready.map(|row| row.slow_key).collect();
    for slow_key in ready {
        ctx.db.chat_slow().slow_key().delete(slow_key);
    }
    let over = ranges(ctx.db.chat_muted().end_key()).filter(past).take(ROWS_MAX);
    let over: Vec<u64> = over.map(|row| row.account_id).collect();
    for account_id in over {
        ctx.db.chat_muted().account_id().delete(account_id);
    }
    sweep_moderation(ctx, now);
    Ok(())
}

/// The oldest of all inboxes: those that are too old, and those that are too many.
fn sweep_inboxes(ctx: &ReducerContext, now: i64) {
    let old_micros = now - i64::from(INBOX_SECONDS) * 1_000_000;
    let held = ctx.db.chat_delivery().count();
    let surplus = usize::try_from(held.saturating_sub(INBOX_ROWS_MAX)).unwrap_or(usize::MAX);
    drop_oldest(ctx, INBOX_SWEPT_MAX, |index, row| {
        index < surplus || row.sent_at_micros <= old_micros
    });
}

fn sweep_moderation(ctx: &ReducerContext, now: i64) {
    const DAY_MICROS: i64 = 86_400_000_000;
    let up_to = instant(now - i64::from(REVISION_DAYS) * DAY_MICROS);
    let old = ranges(ctx.db.chat_revision().revision_key()).filter(..=joint_key(up_to, u64::MAX));
    let old: Vec<u128> = old.take(ROWS_MAX).map(|row| row.revision_key).collect();
    for revision_key in old {
        ctx.db.chat_revision().revision_key().delete(revision_key);
    }
    sweep_reports(ctx, now - i64::from(REPORT_DAYS) * DAY_MICROS);
}

/// Reports have all numbers in turn, so the oldest is the next one that is not swept.
fn sweep_reports(ctx: &ReducerContext, up_to_micros: i64) {
    let given = sequences::last(ctx, Numbered::ChatReport);
    let before = swept(ctx);
    let mut last = before.report_id;
    for report_id in (last + 1..=given).take(ROWS_MAX) {
        let row = ctx.db.chat_reported().report_id().find(report_id);
        if row.is_some_and(|row| row.reported_at_micros > up_to_micros) {
            break;
        }
        ctx.db.chat_reported().report_id().delete(report_id);
        last = report_id;
    }
    if last != before.report_id {
        ctx.db.chat_swept().singleton_id().update(ChatSwept { report_id: last, ..before });
    }
}
