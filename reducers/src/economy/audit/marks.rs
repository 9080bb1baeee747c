//! What happens to what the auditor has counted already, while its pass goes on.
//!
//! Keeps true: the sums of a pass are those of what it has counted as it is now. Costs one row that
//! is read where nothing is counted, and one that is written where something counted changes.

use haven_rules::economy::AuditStage;
use haven_rules::items::Happened;
use haven_rules::keys::part_of;
use haven_tables::economy::LedgerEntry;
use haven_tables::economy::audit::{
    EconomyAuditCount, EconomyAuditMark, economy_audit, economy_audit_count, economy_audit_mark,
};
use spacetimedb::{ReducerContext, Table};

/// Coins moved from one account to another.
pub(in crate::economy) fn coins_moved(ctx: &ReducerContext, from: u64, to: u64, copper: u64) {
    let Some(mark) = ctx.db.economy_audit_mark().singleton_id().find(0) else { return };
    let counted = mark.ledger_account_id;
    let change = match (from <= counted, to <= counted) {
        (true, false) => -i128::from(copper),
        (false, true) => i128::from(copper),
        (true, true) | (false, false) => return,
    };
    let copper = mark.copper + change;
    ctx.db.economy_audit_mark().singleton_id().update(EconomyAuditMark { copper, ..mark });
}

/// An entry was folded: if its account is being recounted and it was not read yet, it is added now,
/// because the fold was read before.
pub(in crate::economy) fn folded(ctx: &ReducerContext, entry: &LedgerEntry, from: u64, to: u64) {
    let Some(mut row) = ctx.db.economy_audit().singleton_id().find(0) else { return };
    if AuditStage::of(row.stage) != AuditStage::Accounts {
        return;
    }
    let is_out = from == row.ledger_account_id && part_of(entry.from_key) > row.out_up_to;
    let is_in = to == row.ledger_account_id && part_of(entry.to_key) > row.in_up_to;
    if is_out {
        row.copper_out += u128::from(entry.copper);
    }
    if is_in {
        row.copper_in += u128::from(entry.copper);
    }
    if is_out || is_in {
        ctx.db.economy_audit().singleton_id().update(row);
    }
}

/// Something happened to a stack, and to the one it came of: by the line of its history.
pub(crate) fn stack_counted(
    ctx: &ReducerContext,
    def: &str,
    happened: Happened,
    (item_id, other_item_id): (u64, u64),
    count: u32,
) {
    let Some(mark) = ctx.db.economy_audit_mark().singleton_id().find(0) else { return };
    let (item, other) = match happened {
        Happened::Made => (1, 0),
        Happened::Moved => (0, 0),
        Happened::Split | Happened::Merged => (1, -1),
        Happened::Gone => (-1, 0),
    };
    let counted = |item_id: u64, sign: i128| if item_id <= mark.item_id { sign } else { 0 };
    let change = counted(item_id, item) + counted(other_item_id, other);
    if change != 0 {
        self::count(ctx, def, change * i128::from(count));
    }
}

/// Adds to what is counted of a definition.
pub(super) fn count(ctx: &ReducerContext, def: &str, change: i128) {
    let known = ctx.db.economy_audit_count().def().find(def.to_owned());
    if let Some(row) = known {
        let count = row.count + change;
        ctx.db.economy_audit_count().def().update(EconomyAuditCount { count, ..row });
    } else {
        ctx.db
            .economy_audit_count()
            .insert(EconomyAuditCount { def: def.to_owned(), count: change });
    }
}
