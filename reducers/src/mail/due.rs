//! What is due: letters that are delivered, letters whose time is over, what is held, and what is
//! kept no longer.
//!
//! Keeps true: a letter that is due is found by the first run after it, after the realm was down
//! too; no run handles more than `ROWS_MAX`, and what is left is handled soon after.

use super::{letters, lost, send};
use crate::authority::require_database;
use crate::ordered::ranges;
use crate::{Refusal, at_micros, now_micros};
use haven_rules::mail::{DueKind, due_keys};
use haven_tables::mail::{mail, mail_due};
use spacetimedb::{ReducerContext, ScheduleAt, Table, reducer, table};
use std::time::Duration;

/// How often it is looked what is due.
const INTERVAL: Duration = Duration::from_secs(1);
/// Most letters that a run handles, each with at most twelve stacks.
const ROWS_MAX: usize = 50;
/// How long it is from a run that left something to the next, microseconds: calls of players come
/// in between.
const SOON_MICROS: i64 = 20_000;

/// The timer of [`mail_due_run()`].
#[table(name = mail_due_timer, scheduled(mail_due_run))]
pub struct MailDueTimer {
    /// The timer's number.
    #[primary_key]
    #[auto_inc]
    pub scheduled_id: u64,
    /// When it fires.
    pub scheduled_at: ScheduleAt,
}

pub(crate) fn ensure_timers(ctx: &ReducerContext) {
    if ctx.db.mail_due_timer().count() == 0 {
        let scheduled_at = INTERVAL.into();
        ctx.db.mail_due_timer().insert(MailDueTimer { scheduled_id: 0, scheduled_at });
    }
}

/// Handles what is due, at most `ROWS_MAX` letters a run.
///
/// # Errors
/// `realm.database_only` for clients.
#[reducer]
pub fn mail_due_run(ctx: &ReducerContext, timer: MailDueTimer) -> Result<(), Refusal> {
    require_database(ctx)?;
    if let ScheduleAt::Time(_) = timer.scheduled_at {
        ctx.db.mail_due_timer().scheduled_id().delete(timer.scheduled_id);
    }
    let due = ranges(ctx.db.mail_due().due_key()).filter(due_keys(now_micros(ctx)));
    let due: Vec<(u64, u8)> = due.take(ROWS_MAX).map(|row| (row.mail_id, row.kind)).collect();
    let is_full = due.len() == ROWS_MAX;
    for (mail_id, kind) in due {
        handle(ctx, mail_id, kind);
    }
    lost::sweep(ctx);
    send::sweep_rates(ctx);
    // Besides the timer that always is, one at most that hurries.
    if is_full && ctx.db.mail_due_timer().count() < 2 {
        let scheduled_at = ScheduleAt::Time(at_micros(now_micros(ctx) + SOON_MICROS));
        ctx.db.mail_due_timer().insert(MailDueTimer { scheduled_id: 0, scheduled_at });
    }
    Ok(())
}

fn handle(ctx: &ReducerContext, mail_id: u64, kind: u8) {
    if kind == DueKind::Held as u8 {
        lost::try_held(ctx, mail_id);
        return;
    }
    let Some(mail) = ctx.db.mail().mail_id().find(mail_id) else {
        // Somebody has removed it by hand: the others do not wait for it.
        ctx.db.mail_due().mail_id().delete(mail_id);
        return;
    };
    let is_living = letters::account_of_living(ctx, mail.to_character_id).is_some();
    if kind == DueKind::Delivery as u8 && is_living {
        letters::deliver(ctx, mail);
    } else {
        letters::end(ctx, mail);
    }
}
