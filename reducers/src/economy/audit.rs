//! The auditor: recounts all coins and all items, a slice at a time, while everybody plays.
//!
//! Keeps true: an account is recounted from its fold and all its entries, and compared in the
//! transaction that reads the last of them; what has been counted is kept up with what happens
//! after, so that a pass ends with sums as of one instant. A pass changes nothing but its own rows.
//!
//! How: accounts are gone through by their number. While one is recounted, entries that are added
//! to it have higher numbers than those that were read, so they are read later; entries that are
//! folded are added if they were not read yet. Stacks are gone through by their number, too;
//! `economy_audit_mark` says up to where, and what happens to counted ones is added.

mod entries;
mod found;
mod marks;

pub(crate) use marks::stack_counted;
pub(super) use marks::{coins_moved, folded};

use super::ledger::Cause;
use crate::authority::{require, require_database};
use crate::ordered::{Walk, ranges};
use crate::sequences;
use crate::{Refusal, audit, now_micros, realms};
use entries::add_up;
use found::{Imbalance, first_cause_of_account, first_cause_of_items, report};
use haven_rules::accounts::Permission;
use haven_rules::economy::{AuditStage, CauseKind, PurseKind, Sink, Source, purse_key};
use haven_rules::sequences::{Numbered, across_realms};
use haven_tables::economy::audit::{
    EconomyAudit, EconomyAuditCount, EconomyAuditMark, EconomyHealth, economy_audit,
    economy_audit_count, economy_audit_mark, economy_health, economy_imbalance,
};
use haven_tables::economy::{LedgerAccount, ledger_account, ledger_fold};
use haven_tables::items::{item, item_tally};
use spacetimedb::{ReducerContext, ScheduleAt, Table, reducer, table};
use std::collections::BTreeMap;
use std::ops::RangeInclusive;
use std::time::Duration;

/// How often a slice is counted.
const SLICE_INTERVAL: Duration = Duration::from_millis(250);
/// Most rows a slice reads.
const SLICE_ROWS: usize = 1_000;
/// Most scans of a slice that goes through numbers of which many are gone.
const SLICE_SCANS: usize = 64;
/// Accounts or stacks that one scan asks for at least, by their numbers.
const WINDOW_NUMBERS: u64 = 256;
/// The same at most.
const WINDOW_NUMBERS_MAX: u64 = 16_384;
/// How long it rests between two passes, microseconds.
const REST_MICROS: i64 = 600_000_000;

/// The timer of [`economy_audit_slice()`].
#[table(name = economy_audit_timer, scheduled(economy_audit_slice))]
pub struct EconomyAuditTimer {
    /// The timer's number.
    #[primary_key]
    #[auto_inc]
    pub scheduled_id: u64,
    /// When it fires.
    pub scheduled_at: ScheduleAt,
}

pub(super) fn ensure_timers(ctx: &ReducerContext) {
    if ctx.db.economy_audit_timer().count() == 0 {
        let scheduled_at = SLICE_INTERVAL.into();
        ctx.db.economy_audit_timer().insert(EconomyAuditTimer { scheduled_id: 0, scheduled_at });
    }
}

/// Lets the auditor begin a pass at once. One that goes on goes on. For staff.
///
/// # Errors
/// The caller's.
#[reducer]
pub fn economy_audit_begin(ctx: &ReducerContext) -> Result<(), Refusal> {
    let actor = require(ctx, Permission::ManageGoods)?;
    let row = state(ctx);
    if AuditStage::of(row.stage) == AuditStage::Rest {
        save(ctx, EconomyAudit { began_at_micros: now_micros(ctx), ..row });
    }
    audit::record(ctx, actor.account_id, 0, "economy_audited", "");
    Ok(())
}

/// Counts the next slice, at most `SLICE_ROWS` rows.
///
/// # Errors
/// `realm.database_only` for clients.
#[reducer]
pub fn economy_audit_slice(ctx: &ReducerContext, _timer: EconomyAuditTimer) -> Result<(), Refusal> {
    require_database(ctx)?;
    let row = state(ctx);
    match AuditStage::of(row.stage) {
        AuditStage::Rest if now_micros(ctx) < row.began_at_micros => {}
        AuditStage::Rest => begin(ctx, row),
        AuditStage::Accounts => count_accounts(ctx, row),
        AuditStage::Stacks => count_stacks(ctx, row),
        AuditStage::Definitions => finish(ctx, row),
    }
    Ok(())
}

/// The row of the auditor; the first pass begins when the realm has been there for a rest.
fn state(ctx: &ReducerContext) -> EconomyAudit {
    let known = ctx.db.economy_audit().singleton_id().find(0);
    known.unwrap_or_else(|| {
        ctx.db.economy_audit().insert(EconomyAudit {
            singleton_id: 0,
            stage: AuditStage::Rest as u8,
            pass: 0,
            began_at_micros: now_micros(ctx) + REST_MICROS,
            ledger_account_id: 0,
            out_up_to: 0,
            in_up_to: 0,
            copper_out: 0,
            copper_in: 0,
            last_cause_id: 0,
            sound_cause_id: 0,
            accounts: 0,
            entries: 0,
            stacks: 0,
            definitions: 0,
            first_cause_id: 0,
            imbalances: 0,
        })
    })
}

fn save(ctx: &ReducerContext, row: EconomyAudit) {
    ctx.db.economy_audit().singleton_id().update(row);
}

fn begin(ctx: &ReducerContext, row: EconomyAudit) {
    forget_counts(ctx);
    let mark = EconomyAuditMark { singleton_id: 0, ledger_account_id: 0, item_id: 0, copper: 0 };
    ctx.db.economy_audit_mark().insert(mark);
    let cause = Cause::new(ctx, CauseKind::Audit, (0, 0), row.pass + 1);
    save(
        ctx,
        EconomyAudit {
            stage: AuditStage::Accounts as u8,
            pass: row.pass + 1,
            began_at_micros: now_micros(ctx),
            ledger_account_id: 0,
            last_cause_id: cause.cause_id,
            accounts: 0,
            entries: 0,
            stacks: 0,
            definitions: 0,
            first_cause_id: 0,
            imbalances: 0,
            ..row
        },
    );
}

fn forget_counts(ctx: &ReducerContext) {
    #[expect(clippy::disallowed_methods, reason = "bounded by the definitions there ever were")]
    let defs: Vec<String> = ctx.db.economy_audit_count().iter().map(|row| row.def).collect();
    for def in defs {
        ctx.db.economy_audit_count().def().delete(def);
    }
    ctx.db.economy_audit_mark().singleton_id().delete(0);
}

/// Recounts accounts until the slice is full.
fn count_accounts(ctx: &ReducerContext, mut row: EconomyAudit) {
    let Some(mut mark) = ctx.db.economy_audit_mark().singleton_id().find(0) else { return };
    let mut budget = SLICE_ROWS;
    let mut walk = numbers_after(mark.ledger_account_id);
    for _ in 0..SLICE_SCANS {
        let Some(window) = walk.window().filter(|_| budget > 0) else { break };
        let accounts: Vec<LedgerAccount> =
            ranges(ctx.db.ledger_account().ledger_account_id()).filter(window.clone()).collect();
        if accounts.is_empty() && *window.end() >= sequences::last(ctx, Numbered::LedgerAccount) {
            // From now on whatever moves is counted.
            mark.ledger_account_id = u64::MAX;
            row.stage = AuditStage::Stacks as u8;
            break;
        }
        walk.pass(accounts.len());
        for account in &accounts {
            budget = count_account(ctx, &mut row, &mut mark, account, budget);
        }
        if accounts.is_empty() {
            mark.ledger_account_id = *window.end();
        }
    }
    ctx.db.economy_audit_mark().singleton_id().update(mark);
    save(ctx, row);
}

/// Recounts an account as far as the budget goes; answers what is left of it.
fn count_account(
    ctx: &ReducerContext,
    row: &mut EconomyAudit,
    mark: &mut EconomyAuditMark,
    account: &LedgerAccount,
    budget: usize,
) -> usize {
    if budget == 0 {
        return 0;
    }
    if row.ledger_account_id != account.ledger_account_id {
        turn_to(ctx, row, account.ledger_account_id);
    }
    let (left, is_whole) = add_up(ctx, row, account, budget - 1);
    if is_whole {
        compare(ctx, row, account);
        row.accounts += 1;
        mark.ledger_account_id = account.ledger_account_id;
        mark.copper += signed(account);
        return left;
    }
    0
}

fn numbers_after(number: u64) -> Walk {
    Walk::new(number.saturating_add(1), WINDOW_NUMBERS).up_to(WINDOW_NUMBERS_MAX)
}

fn turn_to(ctx: &ReducerContext, row: &mut EconomyAudit, ledger_account_id: u64) {
    let fold = ctx.db.ledger_fold().ledger_account_id().find(ledger_account_id);
    let (came, left) = fold.map_or((0, 0), |fold| (fold.copper_in, fold.copper_out));
    row.ledger_account_id = ledger_account_id;
    (row.copper_in, row.copper_out) = (came.into(), left.into());
    (row.in_up_to, row.out_up_to) = (0, 0);
}

/// What an account holds; less than nothing for a source.
fn signed(account: &LedgerAccount) -> i128 {
    let copper = i128::from(account.copper);
    if account.kind == PurseKind::Source as u8 { -copper } else { copper }
}

fn compare(ctx: &ReducerContext, row: &mut EconomyAudit, account: &LedgerAccount) {
    let sum = |copper: u128| i128::try_from(copper).unwrap_or(i128::MAX);
    let expected = sum(row.copper_in) - sum(row.copper_out);
    let found = signed(account);
    if expected != found {
        let ledger_account_id = account.ledger_account_id;
        let cause_id = first_cause_of_account(ctx, account, row);
        let def = String::new();
        report(ctx, row, Imbalance { ledger_account_id, def, expected, found, cause_id });
    }
}

/// Counts the next stacks.
fn count_stacks(ctx: &ReducerContext, mut row: EconomyAudit) {
    let Some(mut mark) = ctx.db.economy_audit_mark().singleton_id().find(0) else { return };
    let mut counts: BTreeMap<String, i128> = BTreeMap::new();
    let mut read = 0;
    let own = own_numbers(ctx);
    let mut walk = numbers_after(mark.item_id.max(own.start().saturating_sub(1)));
    for _ in 0..SLICE_SCANS {
        let Some(from) = mark.item_id.checked_add(1).filter(|_| read < SLICE_ROWS) else { break };
        // Below and above the realm's own numbers there is nothing of its making.
        let window = match walk.window() {
            _ if from < *own.start() => from..=own.start() - 1,
            Some(window) if from <= *own.end() => from..=*window.end().min(own.end()),
            Some(_) | None => from..=u64::MAX,
        };
        let mut found = 0;
        for stack in ranges(ctx.db.item().item_id()).filter(window.clone()) {
            *counts.entry(stack.def).or_default() += i128::from(stack.count);
            found += 1;
        }
        if own.contains(&from) {
            walk.pass(found);
        }
        // What gets a number up to the mark later is counted when it is made.
        mark.item_id = *window.end();
        read += found;
    }
    for (def, count) in counts {
        marks::count(ctx, &def, count);
    }
    row.stacks += u64::try_from(read).unwrap_or(u64::MAX);
    if mark.item_id == u64::MAX {
        row.stage = AuditStage::Definitions as u8;
    }
    ctx.db.economy_audit_mark().singleton_id().update(mark);
    save(ctx, row);
}

/// The numbers that the realm has given to stacks.
fn own_numbers(ctx: &ReducerContext) -> RangeInclusive<u64> {
    let realm_id = realms::config(ctx).map_or(0, |row| row.realm_id);
    let number = |own| across_realms(realm_id, own);
    number(0)..=number(sequences::last(ctx, Numbered::Item))
}

/// Compares all sums as of now, and publishes what the pass found.
fn finish(ctx: &ReducerContext, mut row: EconomyAudit) {
    compare_definitions(ctx, &mut row);
    let mark = ctx.db.economy_audit_mark().singleton_id().find(0);
    let balance = mark.map_or(0, |mark| mark.copper);
    let all = |kind: PurseKind, numbers: &[u64]| -> i128 {
        let of = |number: &u64| ctx.db.ledger_account().owner_key().find(purse_key(kind, *number));
        numbers.iter().filter_map(of).map(|row| i128::from(row.copper)).sum()
    };
    let copper_given = all(PurseKind::Source, &Source::ALL.map(|source| source as u64));
    let copper_taken = all(PurseKind::Sink, &Sink::ALL.map(|sink| sink as u64));
    if balance != 0 {
        let cause_id = row.first_cause_id;
        let (ledger_account_id, def) = (0, String::new());
        let (expected, found) = (0, balance);
        report(ctx, &mut row, Imbalance { ledger_account_id, def, expected, found, cause_id });
    }
    let held = balance.saturating_add(copper_given).saturating_sub(copper_taken);
    let health = EconomyHealth {
        singleton_id: 0,
        pass: row.pass,
        began_at_micros: row.began_at_micros,
        ended_at_micros: now_micros(ctx),
        accounts: row.accounts,
        entries: row.entries,
        stacks: row.stacks,
        definitions: row.definitions,
        copper_given: shown(copper_given),
        copper_taken: shown(copper_taken),
        copper_held: shown(held),
        first_cause_id: row.first_cause_id,
        imbalances: row.imbalances,
    };
    if ctx.db.economy_health().singleton_id().find(0).is_some() {
        ctx.db.economy_health().singleton_id().update(health);
    } else {
        ctx.db.economy_health().insert(health);
    }
    forget_counts(ctx);
    if row.imbalances == 0 {
        row.sound_cause_id = row.last_cause_id;
    } else {
        log::error!("the economy does not add up: {} imbalances", row.imbalances);
    }
    row.stage = AuditStage::Rest as u8;
    row.began_at_micros = now_micros(ctx) + REST_MICROS;
    save(ctx, row);
}

/// A sum as a row shows it: no less than nothing, no more than a number of 64 bits.
fn shown(copper: i128) -> u64 {
    u64::try_from(copper.max(0)).unwrap_or(u64::MAX)
}

fn compare_definitions(ctx: &ReducerContext, row: &mut EconomyAudit) {
    let mut sums: BTreeMap<String, (i128, i128)> = BTreeMap::new();
    #[expect(clippy::disallowed_methods, reason = "bounded by the definitions there ever were")]
    for tally in ctx.db.item_tally().iter() {
        sums.entry(tally.def).or_default().0 = i128::from(tally.made) - i128::from(tally.gone);
    }
    #[expect(clippy::disallowed_methods, reason = "bounded by the definitions there ever were")]
    for EconomyAuditCount { def, count } in ctx.db.economy_audit_count().iter() {
        sums.entry(def).or_default().1 = count;
    }
    for (def, (expected, found)) in sums {
        row.definitions += 1;
        if expected != found {
            let cause_id = first_cause_of_items(ctx, &def, row.sound_cause_id);
            let ledger_account_id = 0;
            report(ctx, row, Imbalance { ledger_account_id, def, expected, found, cause_id });
        }
    }
}
