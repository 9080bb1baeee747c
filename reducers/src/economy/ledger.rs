//! The ledger: causes, accounts, and the one way in which coins move.

use super::retention::close_if_bare;
use crate::now_micros;
use crate::sequences;
use haven_rules::economy::{
    CauseKind, EconomyError, PurseKind, Sink, Source, cause_key, moved, purse_key,
};
use haven_rules::keys::joint_key;
use haven_rules::sequences::Numbered;
use haven_tables::economy::{
    LedgerAccount, LedgerCause, LedgerEntry, ledger_account, ledger_cause, ledger_entry,
};
use spacetimedb::{Identity, ReducerContext, Table};
use std::cell::Cell;

/// Why something moves in this transaction: a row, and how much of it has happened.
#[expect(clippy::struct_field_names, reason = "the name of the column")]
pub(crate) struct Cause {
    /// The row's number.
    pub(crate) cause_id: u64,
    entries: Cell<u16>,
    histories: Cell<u16>,
}

impl Cause {
    /// Writes the row. `account_id` and `character_id` are the caller's, 0 for the realm itself;
    /// `subject_id` is what it is about.
    pub(crate) fn new(
        ctx: &ReducerContext,
        kind: CauseKind,
        (account_id, character_id): (u64, u64),
        subject_id: u64,
    ) -> Self {
        Self::reversing(ctx, kind, (account_id, character_id), subject_id, 0)
    }

    /// Writes the row of a cause that takes another one back.
    pub(crate) fn reversing(
        ctx: &ReducerContext,
        kind: CauseKind,
        (account_id, character_id): (u64, u64),
        subject_id: u64,
        reverses: u64,
    ) -> Self {
        let row = ctx.db.ledger_cause().insert(LedgerCause {
            cause_id: sequences::next(ctx, Numbered::LedgerCause),
            at_micros: now_micros(ctx),
            account_id,
            character_id,
            subject_id,
            reverses,
            kind: kind as u16,
        });
        Self { cause_id: row.cause_id, entries: Cell::new(0), histories: Cell::new(0) }
    }

    /// Removes the row again where nothing moved: a call that only puts a bag in order, or finds no
    /// room, leaves nothing behind, however often it is made.
    pub(crate) fn forget_if_bare(&self, ctx: &ReducerContext) {
        if self.entries.get() == 0 && self.histories.get() == 0 {
            ctx.db.ledger_cause().cause_id().delete(self.cause_id);
        }
    }

    /// The key of the next entry.
    fn next_entry(&self) -> u64 {
        cause_key(self.cause_id, next(&self.entries))
    }

    /// The key of the next line of an item's history.
    pub(crate) fn next_history(&self) -> u64 {
        cause_key(self.cause_id, next(&self.histories))
    }
}

fn next(counter: &Cell<u16>) -> u16 {
    let number = counter.get();
    counter.set(number.checked_add(1).expect("invariant: a cause has at most 65,535 of each"));
    number
}

/// An account of the ledger, whether or not it has a row yet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Purse {
    /// Whose.
    pub(crate) kind: PurseKind,
    /// Whose, by kind.
    pub(crate) owner_id: u64,
    /// Who sees it, if it is made now.
    pub(crate) viewer: Identity,
}

impl Purse {
    /// A source.
    pub(crate) const fn source(source: Source) -> Self {
        Self { kind: PurseKind::Source, owner_id: source as u64, viewer: Identity::ZERO }
    }

    /// A sink.
    pub(crate) const fn sink(sink: Sink) -> Self {
        Self { kind: PurseKind::Sink, owner_id: sink as u64, viewer: Identity::ZERO }
    }

    /// The purse of an account that there is.
    pub(super) fn known(row: &LedgerAccount) -> Option<Self> {
        let kind = PurseKind::of(row.kind)?;
        Some(Self { kind, owner_id: row.owner_id, viewer: row.viewer })
    }

    /// What could not be given back to an account.
    pub(crate) fn lost_and_found(ctx: &ReducerContext, account_id: u64) -> Self {
        let viewer = crate::realms::viewer_of(ctx, account_id);
        Self { kind: PurseKind::LostAndFound, owner_id: account_id, viewer }
    }

    /// A character's wallet.
    pub(crate) fn wallet(ctx: &ReducerContext, character_id: u64) -> Self {
        let viewer = crate::characters::viewer_of(ctx, character_id);
        Self { kind: PurseKind::Wallet, owner_id: character_id, viewer }
    }

    /// Anything else's, seen by that identity alone.
    pub(crate) const fn of(kind: PurseKind, owner_id: u64, viewer: Identity) -> Self {
        Self { kind, owner_id, viewer }
    }

    const fn key(&self) -> u128 {
        purse_key(self.kind, self.owner_id)
    }
}

/// How many coins an account holds.
pub(crate) fn copper_of(ctx: &ReducerContext, kind: PurseKind, owner_id: u64) -> u64 {
    let row = ctx.db.ledger_account().owner_key().find(purse_key(kind, owner_id));
    row.map_or(0, |row| row.copper)
}

/// Whether staff keeps the coins of an account from moving.
pub(crate) fn is_frozen(ctx: &ReducerContext, kind: PurseKind, owner_id: u64) -> bool {
    let row = ctx.db.ledger_account().owner_key().find(purse_key(kind, owner_id));
    row.is_some_and(|row| row.is_frozen)
}

/// Moves coins. Nothing is changed where it is refused.
///
/// # Errors
/// In this order: `economy.frozen`, `economy.amount_invalid`, `economy.coins_missing`,
/// `economy.too_rich`.
pub(crate) fn pay(
    ctx: &ReducerContext,
    cause: &Cause,
    from: Purse,
    to: Purse,
    copper: u64,
) -> Result<(), EconomyError> {
    if [from, to].iter().any(|purse| is_frozen(ctx, purse.kind, purse.owner_id)) {
        return Err(EconomyError::Frozen);
    }
    pay_by_staff(ctx, cause, from, to, copper)
}

/// Moves coins whether or not staff keeps them from moving: for what staff itself does.
///
/// # Errors
/// In this order: `economy.amount_invalid`, `economy.coins_missing`, `economy.too_rich`.
pub(super) fn pay_by_staff(
    ctx: &ReducerContext,
    cause: &Cause,
    from: Purse,
    to: Purse,
    copper: u64,
) -> Result<(), EconomyError> {
    let giver = ctx.db.ledger_account().owner_key().find(from.key());
    let taker = ctx.db.ledger_account().owner_key().find(to.key());
    let holds = |row: &Option<LedgerAccount>| row.as_ref().map_or(0, |row| row.copper);
    let is_source = |purse: &Purse| purse.kind == PurseKind::Source;
    let (left, came) =
        moved((is_source(&from), holds(&giver)), (is_source(&to), holds(&taker)), copper)?;
    if from.key() == to.key() {
        return Ok(());
    }
    let from_id = store(ctx, giver, &from, left);
    let to_id = store(ctx, taker, &to, came);
    let entry_key = cause.next_entry();
    ctx.db.ledger_entry().insert(LedgerEntry {
        entry_key,
        from_key: joint_key(from_id, entry_key),
        to_key: joint_key(to_id, entry_key),
        from_account_id: from_id,
        to_account_id: to_id,
        copper,
    });
    super::audit::coins_moved(ctx, from_id, to_id, copper);
    Ok(())
}

/// Moves all coins of an account that ends, none too, whether or not staff keeps them from moving.
/// If it does, it keeps those of the account that they come to from moving instead: nobody gets at
/// coins by ending what they were frozen in.
///
/// # Errors
/// In this order: `economy.amount_invalid`, `economy.coins_missing`, `economy.too_rich`.
pub(super) fn give_up(
    ctx: &ReducerContext,
    cause: &Cause,
    from: Purse,
    to: Purse,
    copper: u64,
) -> Result<(), EconomyError> {
    if copper > 0 {
        pay_by_staff(ctx, cause, from, to, copper)?;
    }
    let row = ctx.db.ledger_account().owner_key().find(from.key());
    if let Some(row) = row.filter(|row| row.is_frozen) {
        let ledger_account_id = row.ledger_account_id;
        ctx.db.ledger_account().owner_key().update(LedgerAccount { is_frozen: false, ..row });
        // The sweep has passed it by while it was frozen.
        close_if_bare(ctx, ledger_account_id, 0);
        freeze(ctx, to);
    }
    Ok(())
}

/// Keeps the coins of an account from moving until staff lets them, those too that are to come.
pub(crate) fn freeze(ctx: &ReducerContext, purse: Purse) {
    let row = open(ctx, &purse);
    ctx.db.ledger_account().owner_key().update(LedgerAccount { is_frozen: true, ..row });
}

/// The account of a purse, made now if it has none.
pub(super) fn open(ctx: &ReducerContext, purse: &Purse) -> LedgerAccount {
    if let Some(row) = ctx.db.ledger_account().owner_key().find(purse.key()) {
        return row;
    }
    store(ctx, None, purse, 0);
    let row = ctx.db.ledger_account().owner_key().find(purse.key());
    row.expect("invariant: the account was made")
}

/// Shows an account to somebody else than before.
pub(crate) fn show_to(ctx: &ReducerContext, kind: PurseKind, owner_id: u64, viewer: Identity) {
    let row = ctx.db.ledger_account().owner_key().find(purse_key(kind, owner_id));
    if let Some(row) = row.filter(|row| row.viewer != viewer) {
        ctx.db.ledger_account().owner_key().update(LedgerAccount { viewer, ..row });
    }
}

fn store(ctx: &ReducerContext, known: Option<LedgerAccount>, purse: &Purse, copper: u64) -> u64 {
    if let Some(row) = known {
        let ledger_account_id = row.ledger_account_id;
        ctx.db.ledger_account().owner_key().update(LedgerAccount { copper, ..row });
        return ledger_account_id;
    }
    let row = ctx.db.ledger_account().insert(LedgerAccount {
        owner_key: purse.key(),
        ledger_account_id: sequences::next(ctx, Numbered::LedgerAccount),
        owner_id: purse.owner_id,
        copper,
        viewer: purse.viewer,
        kind: purse.kind as u8,
        is_frozen: false,
    });
    row.ledger_account_id
}
