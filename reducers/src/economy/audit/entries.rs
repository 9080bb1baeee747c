//! The entries of an account, in turn and a window at a time: of a sink there are millions.

use super::EconomyAudit;
use crate::ordered::{Walk, ranges};
use haven_rules::economy::{PurseKind, cause_key};
use haven_rules::keys::{joint_keys, part_of};
use haven_tables::economy::{LedgerAccount, LedgerEntry, ledger_entry};
use spacetimedb::ReducerContext;
use std::ops::RangeInclusive;

/// Entries of a source or a sink that one scan asks for at least: those of 2¹⁰ causes.
const BUSY_WINDOW: u64 = 1 << 26;
/// The same of anybody's account: those of 2²⁴ causes.
const WINDOW: u64 = 1 << 40;

/// Adds entries of the account in turn, windows counting like rows. Answers what is left of the
/// budget, and whether no entry is left out.
pub(super) fn add_up(
    ctx: &ReducerContext,
    row: &mut EconomyAudit,
    account: &LedgerAccount,
    budget: usize,
) -> (usize, bool) {
    let own = account.ledger_account_id;
    let walk = entries_after(row.out_up_to, account.kind, row.last_cause_id);
    let left_by = |parts: &RangeInclusive<u64>| -> Vec<LedgerEntry> {
        ranges(ctx.db.ledger_entry().from_key()).filter(joint_keys(own, parts)).collect()
    };
    let (left, is_whole) = each_entry(walk, budget, left_by, |entry| {
        row.out_up_to = part_of(entry.from_key);
        row.copper_out += u128::from(entry.copper);
        row.entries += 1;
    });
    if !is_whole {
        return (0, false);
    }
    let walk = entries_after(row.in_up_to, account.kind, row.last_cause_id);
    let came_by = |parts: &RangeInclusive<u64>| -> Vec<LedgerEntry> {
        ranges(ctx.db.ledger_entry().to_key()).filter(joint_keys(own, parts)).collect()
    };
    each_entry(walk, left, came_by, |entry| {
        row.in_up_to = part_of(entry.to_key);
        row.copper_in += u128::from(entry.copper);
        row.entries += 1;
    })
}

/// The entries of an account after one. Of sources and sinks there are many, and in every window.
pub(super) fn entries_after(entry_key: u64, kind: u8, last_cause_id: u64) -> Walk {
    let from = entry_key.saturating_add(1);
    let is_busy = [PurseKind::Source, PurseKind::Sink].map(|kind| kind as u8);
    if is_busy.contains(&kind) {
        return Walk::new(from, BUSY_WINDOW);
    }
    let is_small = cause_key(last_cause_id, 0).saturating_sub(from) < WINDOW;
    Walk::new(from, if is_small { u64::MAX } else { WINDOW })
}

/// Has what is done with each entry, window by window, as far as the budget goes. Answers what is
/// left of it, and whether that was all.
fn each_entry(
    mut walk: Walk,
    mut left: usize,
    read: impl Fn(&RangeInclusive<u64>) -> Vec<LedgerEntry>,
    mut add: impl FnMut(&LedgerEntry),
) -> (usize, bool) {
    while let Some(window) = walk.window() {
        let entries = read(&window);
        entries.iter().take(left).for_each(&mut add);
        if entries.len() >= left {
            return (0, false);
        }
        left = (left - entries.len()).saturating_sub(1);
        walk.pass(entries.len());
    }
    (left, true)
}
