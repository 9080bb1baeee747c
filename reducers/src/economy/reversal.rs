//! Taking back a cause with everything that followed from it, or saying what stands in the way.
//!
//! Keeps true: it is done as a whole or not at all, as a cause of its own that names what it takes
//! back; each entry of coins goes back between the same two accounts; what was made is removed,
//! what was moved is moved back. What is no movement is not undone, so what was paid for it stays
//! paid. Bounded by `CAUSES_MAX` causes and `LINES_MAX` lines.

mod apply;

use super::ledger::{Cause, Purse, copper_of, pay_by_staff};
use crate::authority::require;
use crate::ordered::{Walk, ranges};
use crate::{Refusal, audit, characters, guilds};
use haven_rules::accounts::Permission;
use haven_rules::economy::reversal::{CAUSES_MAX, LINES_MAX, Line, Traced};
use haven_rules::economy::{
    CauseKind, EconomyError, PurseKind, cause_key, cause_keys, cause_of, validate_reason,
};
use haven_rules::items::ItemError;
use haven_rules::keys::{joint_keys, part_of};
use haven_tables::economy::market::{auction, market_order};
use haven_tables::economy::{
    LedgerEntry, LedgerReversal, ledger_account, ledger_cause, ledger_entry, ledger_reversal,
};
use haven_tables::guilds::bank::guild_estate;
use haven_tables::guilds::guild;
use haven_tables::items::{ItemHistory, item, item_history};
use haven_tables::mail::{mail, mail_held};
use spacetimedb::{ReducerContext, Table, reducer};
use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

/// Entries or lines that one scan asks for at least: those of 2¹⁰ causes.
const WINDOW: u64 = 1 << 26;

/// Why a cause was not taken back, and which cause stands in the way.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct InWay {
    error: Refusal,
    /// 0 for none.
    cause_id: u64,
    /// What counts on the coins that would move: what it is, and its number.
    holding: Option<(&'static str, u64)>,
}

impl InWay {
    fn of(cause_id: u64) -> Self {
        Self { error: EconomyError::CauseInWay.into(), cause_id, holding: None }
    }
}

impl<E: Into<Refusal>> From<E> for InWay {
    fn from(error: E) -> Self {
        Self { error: error.into(), cause_id: 0, holding: None }
    }
}

impl fmt::Display for InWay {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.error.fmt(formatter)?;
        match (self.cause_id, self.holding) {
            (0, _) => Ok(()),
            (cause_id, None) => write!(formatter, " (cause {cause_id})"),
            (cause_id, Some((what, number))) => {
                write!(formatter, " (cause {cause_id}, {what} {number})")
            }
        }
    }
}

/// Takes back a cause with everything that followed from it. For staff.
///
/// Repeating it does no harm: what was taken back is refused.
///
/// # Errors
/// In this order: the caller's, `economy.reason_invalid`, `economy.cause_unknown`,
/// `economy.cause_reversed`, `economy.cause_in_way` where it takes back another one itself,
/// `economy.cause_too_long`; `economy.cause_in_way` where it paid for a repair or for a guild,
/// where items are used up, or lie where they cannot be taken from or put back to, where an auction
/// or an order that is not over counts on the coins, or where they would go back to what is over or
/// to who is gone, and `economy.coins_missing` where coins are spent: each with the cause that did
/// it.
#[reducer]
pub fn cause_reverse(ctx: &ReducerContext, cause_id: u64, reason: String) -> Result<(), InWay> {
    let actor = require(ctx, Permission::ManageGoods)?;
    validate_reason(&reason)?;
    let row = ctx.db.ledger_cause().cause_id().find(cause_id).ok_or(EconomyError::CauseUnknown)?;
    if ctx.db.ledger_reversal().cause_id().find(cause_id).is_some() {
        return Err(EconomyError::CauseReversed.into());
    }
    if is_settled(ctx, cause_id) {
        return Err(InWay::of(cause_id));
    }
    let mut found = Found::default();
    found.take_back(ctx, cause_id)?;
    found.follow_all(ctx)?;
    let caller = (actor.account_id, 0);
    let cause = Cause::reversing(ctx, CauseKind::Reverse, caller, row.subject_id, cause_id);
    for taken in &found.causes {
        let row = LedgerReversal { cause_id: *taken, by_cause_id: cause.cause_id };
        ctx.db.ledger_reversal().insert(row);
    }
    let mut purses = BTreeSet::new();
    for taken in found.causes.iter().rev() {
        pay_back(ctx, &cause, *taken, &mut purses)?;
    }
    if purses.iter().any(|purse| is_stranded(ctx, *purse)) {
        return Err(InWay::of(cause_id));
    }
    guilds::purses_changed(ctx, &purses);
    apply::settle(ctx, &cause, &found.traced, cause_id)?;
    let others = found.causes.len() - 1;
    let detail = format!("{cause_id} and {others} others by cause {}: {reason}", cause.cause_id);
    audit::record(ctx, actor.account_id, row.account_id, "cause_reversed", &detail);
    Ok(())
}

/// What is found so far.
#[derive(Default)]
struct Found {
    traced: Traced,
    /// What is taken back.
    causes: BTreeSet<u64>,
    /// Lines that are looked at next, by their key.
    agenda: BTreeMap<u64, Line>,
    /// Up to which key the lines of a stack are on the agenda, from which on.
    watched: BTreeMap<u64, u64>,
    lines: usize,
}

impl Found {
    /// Takes back a cause: all its lines at once, and what passes through purses it paid into.
    fn take_back(&mut self, ctx: &ReducerContext, cause_id: u64) -> Result<(), InWay> {
        if !self.causes.insert(cause_id) {
            return Ok(());
        }
        if self.causes.len() > CAUSES_MAX {
            return Err(EconomyError::CauseTooLong.into());
        }
        let row = ctx.db.ledger_cause().cause_id().find(cause_id);
        if row.is_some_and(|row| CauseKind::pays_for_good(row.kind)) {
            return Err(InWay::of(cause_id));
        }
        let keys = cause_keys(cause_id);
        let lines = ranges(ctx.db.item_history().history_key()).filter(keys.clone());
        let lines: Vec<Line> = lines.take(LINES_MAX + 1).map(|row| line_of(&row)).collect();
        self.count(lines.len())?;
        for line in &lines {
            self.agenda.remove(&line.key);
            self.traced.take_back(line).map_err(|_| InWay::of(cause_id))?;
            self.watch(ctx, line.item_id, cause_key(cause_id, u16::MAX))?;
        }
        let entries: Vec<LedgerEntry> =
            ranges(ctx.db.ledger_entry().entry_key()).filter(keys).collect();
        for entry in entries {
            self.pass_on(ctx, &entry)?;
        }
        Ok(())
    }

    /// Coins that pass through a purse are taken back with what took them out of it.
    fn pass_on(&mut self, ctx: &ReducerContext, entry: &LedgerEntry) -> Result<(), InWay> {
        let to = entry.to_account_id;
        let row = ctx.db.ledger_account().ledger_account_id().find(to);
        let kind = row.and_then(|row| PurseKind::of(row.kind));
        if !kind.is_some_and(PurseKind::is_passing) {
            return Ok(());
        }
        let walk = Walk::new(entry.entry_key.saturating_add(1), WINDOW);
        let later: Vec<u64> = walk.rows(CAUSES_MAX + 1, |parts| {
            let rows = ranges(ctx.db.ledger_entry().from_key()).filter(joint_keys(to, &parts));
            rows.map(|row| cause_of(row.entry_key)).collect()
        });
        for cause_id in later.into_iter().filter(|cause_id| !is_settled(ctx, *cause_id)) {
            self.take_back(ctx, cause_id)?;
        }
        Ok(())
    }

    /// Puts on the agenda what happened to a stack after that key.
    fn watch(&mut self, ctx: &ReducerContext, item_id: u64, after: u64) -> Result<(), InWay> {
        if self.watched.get(&item_id).is_some_and(|from| *from <= after) {
            return Ok(());
        }
        self.watched.insert(item_id, after);
        let room = LINES_MAX + 1;
        let walk = Walk::new(after.saturating_add(1), WINDOW);
        let own: Vec<Line> = walk.clone().rows(room, |parts| {
            let rows = ranges(ctx.db.item_history().item_key());
            rows.filter(joint_keys(item_id, &parts)).map(|row| line_of(&row)).collect()
        });
        let of_it: Vec<Line> = walk.rows(room, |parts| {
            let rows = ranges(ctx.db.item_history().other_key());
            rows.filter(joint_keys(item_id, &parts)).map(|row| line_of(&row)).collect()
        });
        self.count(own.len() + of_it.len())?;
        for line in own.into_iter().chain(of_it) {
            if !self.causes.contains(&cause_of(line.key)) {
                self.agenda.insert(line.key, line);
            }
        }
        Ok(())
    }

    fn count(&mut self, lines: usize) -> Result<(), InWay> {
        self.lines += lines;
        if self.lines > LINES_MAX { Err(EconomyError::CauseTooLong.into()) } else { Ok(()) }
    }

    /// Goes through the agenda in the order in which things happened.
    fn follow_all(&mut self, ctx: &ReducerContext) -> Result<(), InWay> {
        while let Some((key, line)) = self.agenda.pop_first() {
            let cause_id = cause_of(key);
            if self.causes.contains(&cause_id) {
                continue;
            }
            if self.traced.crosses(&line) && !is_settled(ctx, cause_id) {
                self.take_back(ctx, cause_id)?;
                continue;
            }
            let before = self.traced.count(line.item_id);
            self.traced.follow(&line).map_err(|_| InWay::of(cause_id))?;
            if self.traced.count(line.item_id) > before {
                self.watch(ctx, line.item_id, key)?;
            }
        }
        Ok(())
    }
}

/// Whether a cause was taken back, or took one back: the two of them have moved nothing together.
fn is_settled(ctx: &ReducerContext, cause_id: u64) -> bool {
    let row = ctx.db.ledger_cause().cause_id().find(cause_id);
    ctx.db.ledger_reversal().cause_id().find(cause_id).is_some()
        || row.is_some_and(|row| row.reverses != 0)
}

fn line_of(row: &ItemHistory) -> Line {
    Line {
        key: row.history_key,
        item_id: row.item_id,
        other_item_id: row.other_item_id,
        count: row.count,
        happened: row.happened,
        from: (row.from_kind, row.from_owner_id),
        to: (row.to_kind, row.to_owner_id),
    }
}

/// Coins go back the way they came, the last ones first. Between which purses is added to what is
/// known. Those of an auction or an order stay: it would give its goods for coins that are gone.
fn pay_back(
    ctx: &ReducerContext,
    cause: &Cause,
    taken: u64,
    purses: &mut BTreeSet<(u8, u64)>,
) -> Result<(), InWay> {
    let entries = ranges(ctx.db.ledger_entry().entry_key()).filter(cause_keys(taken));
    let mut entries: Vec<LedgerEntry> = entries.collect();
    entries.reverse();
    for entry in entries {
        let purse = |ledger_account_id: u64| {
            let row = ctx.db.ledger_account().ledger_account_id().find(ledger_account_id);
            let purse = row.as_ref().and_then(Purse::known);
            purse.ok_or_else(|| InWay::of(taken))
        };
        let holder = entry.to_account_id;
        let (from, to) = (purse(holder)?, purse(entry.from_account_id)?);
        let holding = [from, to].into_iter().find_map(|purse| counting_on(ctx, purse));
        if holding.is_some() {
            return Err(InWay { holding, ..InWay::of(taken) });
        }
        purses.extend([from, to].map(|purse| (purse.kind as u8, purse.owner_id)));
        pay_by_staff(ctx, cause, from, to, entry.copper).map_err(|error| InWay {
            error: error.into(),
            cause_id: spender(ctx, holder, &entry, cause),
            holding: None,
        })?;
    }
    Ok(())
}

/// The auction or the order that is not over and whose coins are in a purse.
fn counting_on(ctx: &ReducerContext, purse: Purse) -> Option<(&'static str, u64)> {
    let number = purse.owner_id;
    let is_auction =
        purse.kind == PurseKind::Auction && ctx.db.auction().auction_id().find(number).is_some();
    let is_order =
        purse.kind == PurseKind::Order && ctx.db.market_order().order_id().find(number).is_some();
    let of_auction = is_auction.then_some(("auction", number));
    of_auction.or_else(|| is_order.then_some(("order", number)))
}

/// Whether coins came to lie in the account of what is over, or of who is gone: nobody would find
/// them there. Auctions and orders that are not over were refused before.
fn is_stranded(ctx: &ReducerContext, (kind, owner_id): (u8, u64)) -> bool {
    let kind = PurseKind::of(kind).filter(|kind| copper_of(ctx, *kind, owner_id) > 0);
    match kind {
        Some(PurseKind::Wallet) => characters::owner_of(ctx, owner_id).is_none(),
        Some(PurseKind::Mail) => {
            ctx.db.mail().mail_id().find(owner_id).is_none()
                && ctx.db.mail_held().mail_id().find(owner_id).is_none()
        }
        Some(PurseKind::Guild) => {
            ctx.db.guild().guild_id().find(owner_id).is_none()
                && ctx.db.guild_estate().guild_id().find(owner_id).is_none()
        }
        Some(PurseKind::Auction | PurseKind::Order) => true,
        Some(PurseKind::LostAndFound | PurseKind::Source | PurseKind::Sink) | None => false,
    }
}

/// The first cause by which coins left an account after an entry, before the one that takes back;
/// that of the entry where none did.
fn spender(ctx: &ReducerContext, holder: u64, entry: &LedgerEntry, cause: &Cause) -> u64 {
    let walk = Walk::new(entry.entry_key.saturating_add(1), WINDOW);
    let spent = walk.rows(1, |parts| {
        let rows = ranges(ctx.db.ledger_entry().from_key()).filter(joint_keys(holder, &parts));
        let causes = rows.map(|row| cause_of(row.entry_key));
        causes.filter(|cause_id| *cause_id < cause.cause_id).collect()
    });
    spent.first().copied().unwrap_or(cause_of(entry.entry_key))
}

/// A stack and whatever came of it, as far as it is there still.
///
/// # Errors
/// In this order: `item.unknown` where nothing is known of it, `economy.cause_too_long`.
pub(super) fn trace(ctx: &ReducerContext, item_id: u64) -> Result<Vec<u64>, Refusal> {
    let is_there = |item_id: &u64| ctx.db.item().item_id().find(*item_id).is_some();
    let first = Walk::new(0, WINDOW).rows(1, |parts| {
        ranges(ctx.db.item_history().item_key()).filter(joint_keys(item_id, &parts)).collect()
    });
    let is_known = !first.is_empty();
    if !is_known && !is_there(&item_id) {
        return Err(ItemError::Unknown.into());
    }
    let mut seen = BTreeMap::from([(item_id, 0)]);
    let mut agenda = vec![(item_id, 0)];
    let mut lines = 0;
    while let Some((of, after)) = agenda.pop() {
        let later = Walk::new(after + 1, WINDOW).rows(LINES_MAX, |parts| {
            ranges(ctx.db.item_history().other_key()).filter(joint_keys(of, &parts)).collect()
        });
        for row in later {
            lines += 1;
            if lines >= LINES_MAX {
                return Err(EconomyError::CauseTooLong.into());
            }
            let key = part_of(row.other_key);
            if seen.get(&row.item_id).is_none_or(|known| key < *known) {
                seen.insert(row.item_id, key);
                agenda.push((row.item_id, key));
            }
        }
    }
    Ok(seen.into_keys().filter(is_there).collect())
}
