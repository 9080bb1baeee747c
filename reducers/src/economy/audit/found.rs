//! What the auditor found: imbalances, and the transaction each can have come from.

use super::entries::entries_after;
use super::{EconomyAudit, economy_imbalance};
use crate::ordered::{Walk, ranges};
use crate::sequences;
use haven_rules::economy::{IMBALANCES_MAX, cause_key, cause_of};
use haven_rules::keys::{joint_keys, part_of};
use haven_rules::sequences::Numbered;
use haven_tables::economy::audit::EconomyImbalance;
use haven_tables::economy::{LedgerAccount, ledger_entry};
use haven_tables::items::item_history;
use spacetimedb::{ReducerContext, Table};

/// Most lines of history that are read to name the cause of an imbalance of items.
const LINES_MAX: usize = 10_000;
/// Lines of history that one scan asks for at least: those of 2⁸ causes.
const LINES_WINDOW: u64 = 1 << 24;

/// Something that does not add up.
pub(super) struct Imbalance {
    pub(super) ledger_account_id: u64,
    pub(super) def: String,
    pub(super) expected: i128,
    pub(super) found: i128,
    pub(super) cause_id: u64,
}

/// Writes it down. The first one of a pass takes the place of those of passes before.
pub(super) fn report(ctx: &ReducerContext, row: &mut EconomyAudit, found: Imbalance) {
    if row.imbalances == 0 {
        #[expect(clippy::disallowed_methods, reason = "bounded by IMBALANCES_MAX")]
        let old: Vec<u64> = ctx.db.economy_imbalance().iter().map(|row| row.imbalance_id).collect();
        for imbalance_id in old {
            ctx.db.economy_imbalance().imbalance_id().delete(imbalance_id);
        }
    }
    if row.first_cause_id == 0 {
        row.first_cause_id = found.cause_id;
    }
    if row.imbalances < IMBALANCES_MAX {
        ctx.db.economy_imbalance().insert(EconomyImbalance {
            imbalance_id: sequences::next(ctx, Numbered::EconomyImbalance),
            pass: row.pass,
            ledger_account_id: found.ledger_account_id,
            cause_id: found.cause_id,
            expected: found.expected,
            found: found.found,
            def: found.def,
        });
    }
    row.imbalances = row.imbalances.saturating_add(1);
}

/// The first cause that touched an account after all was sound; 0 for none.
pub(super) fn first_cause_of_account(
    ctx: &ReducerContext,
    account: &LedgerAccount,
    row: &EconomyAudit,
) -> u64 {
    let own = account.ledger_account_id;
    let sound = cause_key(row.sound_cause_id, u16::MAX);
    let walk = entries_after(sound, account.kind, row.last_cause_id);
    let left = walk.clone().rows(1, |parts| {
        let rows = ranges(ctx.db.ledger_entry().from_key()).filter(joint_keys(own, &parts));
        rows.map(|row| part_of(row.from_key)).collect()
    });
    let came = walk.rows(1, |parts| {
        let rows = ranges(ctx.db.ledger_entry().to_key()).filter(joint_keys(own, &parts));
        rows.map(|row| part_of(row.to_key)).collect()
    });
    left.into_iter().chain(came).min().map_or(0, cause_of)
}

/// The first cause that touched items of a definition after all was sound; 0 for none.
pub(super) fn first_cause_of_items(ctx: &ReducerContext, def: &str, sound: u64) -> u64 {
    let after = cause_key(sound, u16::MAX).saturating_add(1);
    let mut walk = Walk::new(after, LINES_WINDOW);
    let mut read = 0;
    while let Some(window) = walk.window().filter(|_| read < LINES_MAX) {
        let lines: Vec<_> = ranges(ctx.db.item_history().history_key()).filter(window).collect();
        if let Some(line) = lines.iter().find(|row| row.def == def) {
            return cause_of(line.history_key);
        }
        read += lines.len();
        walk.pass(lines.len());
    }
    0
}
