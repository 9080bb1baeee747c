//! What is done by the clock: plans that are due, events that go on, notices that expire.
//!
//! Keeps true: each run does at most `DUE_MAX` of each and goes on with the next; a plan moves to
//! its next time in the transaction that publishes it.

use super::{events, instant, publish, remove_marks, withdraw};
use crate::authority::require_database;
use crate::ordered::ranges;
use crate::{Refusal, now_micros};
use haven_rules::keys::joint_key;
use haven_rules::notices::schedule::Schedule;
use haven_rules::notices::{NOTICES_MAX, Wording, due};
use haven_tables::notices::{
    NoticeGone, NoticePlan, WorldEventPlan, notice, notice_gone, notice_personal, notice_plan,
    world_event_plan,
};
use spacetimedb::{ReducerContext, ScheduleAt, Table, reducer, table};
use std::time::Duration;

/// How often it is looked what is due: how late a notice or a phase may be.
const TICK_INTERVAL: Duration = Duration::from_millis(500);
/// Most of each that one run does.
const DUE_MAX: usize = 20;
/// Most personal notices that one run removes.
const EXPIRED_MAX: usize = 500;

/// The timer of [`notice_tick()`].
#[table(name = notice_tick_timer, scheduled(notice_tick))]
pub struct NoticeTickTimer {
    /// The timer's number.
    #[primary_key]
    #[auto_inc]
    pub scheduled_id: u64,
    /// When it fires.
    pub scheduled_at: ScheduleAt,
}

pub(super) fn ensure_timers(ctx: &ReducerContext) {
    if ctx.db.notice_tick_timer().count() == 0 {
        let scheduled_at = TICK_INTERVAL.into();
        ctx.db.notice_tick_timer().insert(NoticeTickTimer { scheduled_id: 0, scheduled_at });
    }
}

/// Does what is due.
///
/// # Errors
/// `realm.database_only` for clients.
#[reducer]
pub fn notice_tick(ctx: &ReducerContext, _timer: NoticeTickTimer) -> Result<(), Refusal> {
    require_database(ctx)?;
    let past = ..=joint_key(instant(now_micros(ctx)), u64::MAX);
    let expired = ranges(ctx.db.notice().expiry_key()).filter(past).take(DUE_MAX);
    let expired: Vec<u64> = expired.map(|row| row.notice_id).collect();
    for notice_id in expired {
        withdraw(ctx, notice_id);
    }
    let expired = ranges(ctx.db.notice_personal().expiry_key()).filter(past).take(EXPIRED_MAX);
    let expired: Vec<u128> = expired.map(|row| row.notice_key).collect();
    for notice_key in expired {
        ctx.db.notice_personal().notice_key().delete(notice_key);
    }
    let gone = ranges(ctx.db.notice_gone().notice_id()).filter(..=u64::MAX).take(1);
    for row in gone.collect::<Vec<_>>() {
        if let Some(account_id) = remove_marks(ctx, row.notice_id, row.account_id) {
            ctx.db.notice_gone().notice_id().update(NoticeGone { account_id, ..row });
        } else {
            ctx.db.notice_gone().notice_id().delete(row.notice_id);
        }
    }
    let plans: Vec<NoticePlan> =
        ranges(ctx.db.notice_plan().due_key()).filter(past).take(DUE_MAX).collect();
    for plan in plans {
        run(ctx, plan);
    }
    let plans: Vec<WorldEventPlan> =
        ranges(ctx.db.world_event_plan().due_key()).filter(past).take(DUE_MAX).collect();
    for plan in plans {
        events::move_on(ctx, plan);
    }
    Ok(())
}

/// Publishes what is due, once for all times that were missed, and waits for the next time. Where
/// there are too many notices, the one that would expire first gives way: it was planned. One that
/// is published in the same run does so last.
fn run(ctx: &ReducerContext, plan: NoticePlan) {
    let schedule = Schedule::new(&plan.pattern, &plan.zone).ok();
    let now = now_micros(ctx);
    let due = due(schedule.as_ref(), plan.due_at_micros, plan.until_micros, now);
    let Some(due) = due else { return };
    if ctx.db.notice().count() >= NOTICES_MAX {
        // What this transaction has written comes before all else: the order is our own.
        let all = ranges(ctx.db.notice().expiry_key()).filter(..=u128::MAX);
        let first = all.min_by_key(|row| (row.published_at_micros == now, row.expiry_key));
        if let Some(first) = first {
            withdraw(ctx, first.notice_id);
        }
    }
    let wording = Wording { title: plan.title.clone(), body: plan.body.clone() };
    publish(ctx, plan.kind, wording, plan.lifetime_seconds, due.last_at_micros);
    if let Some(next) = due.next_at_micros {
        ctx.db.notice_plan().plan_id().update(NoticePlan {
            due_key: joint_key(instant(next), plan.plan_id),
            due_at_micros: next,
            times: plan.times.saturating_add(1),
            ..plan
        });
    } else {
        ctx.db.notice_plan().plan_id().delete(plan.plan_id);
    }
}
