//! How long the ledger remembers: causes, entries and histories of items, the oldest first.
//!
//! Keeps true: an entry that goes is added to the fold of both its accounts, so an account is
//! always what its fold and its entries add up to. An account that is empty stays as long as an
//! entry names it, because entries are traced and reversed by their accounts, and goes with the
//! last one: those of auctions, orders and letters that are over, too. One that staff has frozen
//! goes when it is thawed.
//! Kept for `rules::economy::LEDGER_RETENTION_DAYS`. A run that leaves something is followed by
//! another soon after, so that what players can write is not more than what goes.

use super::audit;
use crate::authority::require_database;
use crate::ordered::{Walk, ranges};
use crate::{Refusal, at_micros, now_micros};
use haven_rules::economy::{PurseKind, cause_keys, kept_from_micros};
use haven_rules::keys::joint_keys;
use haven_tables::economy::audit::economy_audit;
use haven_tables::economy::{
    LedgerCause, LedgerEntry, LedgerFold, LedgerSwept, ledger_account, ledger_cause, ledger_entry,
    ledger_fold, ledger_reversal, ledger_swept,
};
use haven_tables::items::item_history;
use spacetimedb::{ReducerContext, ScheduleAt, Table, reducer, table};
use std::time::Duration;

/// How often the ledger is swept.
const SWEEP_INTERVAL: Duration = Duration::from_secs(2);
/// Most rows one sweep removes.
const SWEEP_ROWS_MAX: usize = 1_000;
/// How long it is from a run that left something to the next, microseconds: calls of players come
/// in between.
const SOON_MICROS: i64 = 20_000;
/// Causes that one scan asks for, by their numbers.
const CAUSES_WINDOW: u64 = 512;
/// Most scans of a sweep for causes.
const SCANS_MAX: usize = 64;
/// Entries of an account that one scan asks for at least: those of 2¹⁰ causes.
const ENTRIES_WINDOW: u64 = 1 << 26;

/// The timer of [`ledger_sweep()`].
#[table(name = ledger_sweep_timer, scheduled(ledger_sweep))]
pub struct LedgerSweepTimer {
    /// The timer's number.
    #[primary_key]
    #[auto_inc]
    pub scheduled_id: u64,
    /// When it fires.
    pub scheduled_at: ScheduleAt,
}

pub(super) fn ensure_timers(ctx: &ReducerContext) {
    if ctx.db.ledger_sweep_timer().count() == 0 {
        let scheduled_at = SWEEP_INTERVAL.into();
        ctx.db.ledger_sweep_timer().insert(LedgerSweepTimer { scheduled_id: 0, scheduled_at });
    }
}

/// Removes what is older than its retention, at most `SWEEP_ROWS_MAX` rows a run; what is left goes
/// soon after.
///
/// # Errors
/// `realm.database_only` for clients.
#[reducer]
pub fn ledger_sweep(ctx: &ReducerContext, timer: LedgerSweepTimer) -> Result<(), Refusal> {
    require_database(ctx)?;
    if let ScheduleAt::Time(_) = timer.scheduled_at {
        ctx.db.ledger_sweep_timer().scheduled_id().delete(timer.scheduled_id);
    }
    let kept_from = kept_from_micros(now_micros(ctx));
    let known = ctx.db.ledger_swept().singleton_id().find(0);
    let row = known.unwrap_or_else(|| {
        ctx.db.ledger_swept().insert(LedgerSwept { singleton_id: 0, cause_id: 0 })
    });
    let (cause_id, is_behind) = sweep_after(ctx, row.cause_id, kept_from);
    if cause_id != row.cause_id {
        ctx.db.ledger_swept().singleton_id().update(LedgerSwept { cause_id, ..row });
    }
    // Besides the timer that always is, one at most that hurries.
    if is_behind && ctx.db.ledger_sweep_timer().count() < 2 {
        let scheduled_at = ScheduleAt::Time(at_micros(now_micros(ctx) + SOON_MICROS));
        ctx.db.ledger_sweep_timer().insert(LedgerSweepTimer { scheduled_id: 0, scheduled_at });
    }
    Ok(())
}

/// Removes causes after that one that are too old, and answers up to which they are all gone, and
/// whether there may be more that are.
///
/// Numbers without a cause are passed up to the one that the auditor wrote last: behind it there
/// may be causes yet.
fn sweep_after(ctx: &ReducerContext, mut swept: u64, kept_from: i64) -> (u64, bool) {
    let given = ctx.db.economy_audit().singleton_id().find(0).map_or(0, |row| row.last_cause_id);
    let mut budget = SWEEP_ROWS_MAX;
    for _ in 0..SCANS_MAX {
        let window = swept + 1..=swept + CAUSES_WINDOW;
        let causes: Vec<LedgerCause> =
            ranges(ctx.db.ledger_cause().cause_id()).filter(window.clone()).collect();
        if causes.is_empty() {
            if *window.end() > given {
                return (swept, false);
            }
            swept = *window.end();
        }
        for cause in causes {
            if cause.at_micros >= kept_from {
                return (swept, false);
            }
            budget = forget(ctx, &cause, budget);
            if budget == 0 {
                return (swept, true);
            }
            swept = cause.cause_id;
        }
    }
    (swept, true)
}

/// Removes a cause with all that belongs to it, as far as the budget goes; answers what is left.
fn forget(ctx: &ReducerContext, cause: &LedgerCause, budget: usize) -> usize {
    let keys = cause_keys(cause.cause_id);
    let entries: Vec<LedgerEntry> =
        ranges(ctx.db.ledger_entry().entry_key()).filter(keys.clone()).take(budget).collect();
    for entry in &entries {
        ctx.db.ledger_entry().entry_key().delete(entry.entry_key);
        fold(ctx, entry);
    }
    let budget = budget - entries.len();
    let lines: Vec<u64> = ranges(ctx.db.item_history().history_key())
        .filter(keys)
        .take(budget)
        .map(|row| row.history_key)
        .collect();
    for history_key in &lines {
        ctx.db.item_history().history_key().delete(*history_key);
    }
    let budget = budget - lines.len();
    if budget == 0 {
        return 0;
    }
    // What took it back came later, and is there still.
    ctx.db.ledger_reversal().cause_id().delete(cause.cause_id);
    ctx.db.ledger_cause().cause_id().delete(cause.cause_id);
    budget - 1
}

fn fold(ctx: &ReducerContext, entry: &LedgerEntry) {
    let (from, to) = (entry.from_account_id, entry.to_account_id);
    add(ctx, from, |row| row.copper_out = row.copper_out.saturating_add(entry.copper));
    add(ctx, to, |row| row.copper_in = row.copper_in.saturating_add(entry.copper));
    audit::folded(ctx, entry, from, to);
    // It was the oldest entry there is.
    for ledger_account_id in [from, to] {
        close_if_bare(ctx, ledger_account_id, entry.entry_key);
    }
}

fn add(ctx: &ReducerContext, ledger_account_id: u64, change: impl FnOnce(&mut LedgerFold)) {
    let known = ctx.db.ledger_fold().ledger_account_id().find(ledger_account_id);
    let is_known = known.is_some();
    let new = LedgerFold { ledger_account_id, copper_in: 0, copper_out: 0 };
    let mut row = known.unwrap_or(new);
    change(&mut row);
    if is_known {
        ctx.db.ledger_fold().ledger_account_id().update(row);
    } else {
        ctx.db.ledger_fold().insert(row);
    }
}

/// Removes an account that holds nothing and of which nothing is known any more. No entry of it is
/// older than `entry_key`.
pub(super) fn close_if_bare(ctx: &ReducerContext, ledger_account_id: u64, entry_key: u64) {
    let row = ctx.db.ledger_account().ledger_account_id().find(ledger_account_id);
    let Some(row) = row.filter(|row| row.copper == 0 && !row.is_frozen) else { return };
    let keeps = [PurseKind::Source, PurseKind::Sink].map(|kind| kind as u8);
    let fold = ctx.db.ledger_fold().ledger_account_id().find(ledger_account_id);
    let adds_up = fold.is_none_or(|row| row.copper_in == row.copper_out);
    if keeps.contains(&row.kind) || !adds_up {
        return;
    }
    let walk = Walk::new(entry_key, ENTRIES_WINDOW);
    let left = walk.clone().rows(1, |parts| {
        let keys = joint_keys(ledger_account_id, &parts);
        ranges(ctx.db.ledger_entry().from_key()).filter(keys).collect()
    });
    let came = || {
        walk.rows(1, |parts| {
            let keys = joint_keys(ledger_account_id, &parts);
            ranges(ctx.db.ledger_entry().to_key()).filter(keys).collect()
        })
    };
    if left.is_empty() && came().is_empty() {
        ctx.db.ledger_account().ledger_account_id().delete(ledger_account_id);
        ctx.db.ledger_fold().ledger_account_id().delete(ledger_account_id);
    }
}
