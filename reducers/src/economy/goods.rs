//! What staff does with coins and items: giving and taking coins, and keeping goods from moving.
//!
//! Keeps true: each leaves an audit entry that says who, what and why; coins that staff gives come
//! from `Source::Staff`, those it takes go to `Sink::Staff`.

use super::ledger::{Cause, Purse, open, pay_by_staff};
use super::retention::close_if_bare;
use super::reversal::trace;
use crate::authority::{Actor, require};
use crate::commands::once;
use crate::items::{holder_of, mark};
use crate::{Refusal, audit, characters, guilds};
use haven_rules::accounts::Permission;
use haven_rules::characters::CharacterError;
use haven_rules::economy::{CauseKind, EconomyError, Sink, Source, validate_reason};
use haven_rules::items::{FLAG_FROZEN, ItemError};
use haven_tables::commands::CommandId;
use haven_tables::economy::{LedgerAccount, ledger_account};
use haven_tables::items::item;
use spacetimedb::{ReducerContext, SpacetimeType, reducer};
use std::collections::BTreeSet;

/// What staff keeps from moving.
#[derive(SpacetimeType, Clone, Copy, Debug, PartialEq, Eq)]
pub enum Goods {
    /// The coins of a character, by its number.
    Wallet(u64),
    /// The coins of an account of the ledger, by its number.
    Account(u64),
    /// A stack.
    Item(u64),
    /// A stack, and whatever came of it since it was made: what was split from it and what it was
    /// added to, whoever has it.
    Descent(u64),
}

/// Gives coins to a character. For staff.
///
/// # Errors
/// In this order: the caller's, `economy.reason_invalid`, `character.unknown`, the command's
/// (`command.…`), `economy.amount_invalid`, `economy.too_rich`.
#[reducer]
pub fn coins_give(
    ctx: &ReducerContext,
    character_id: u64,
    copper: u64,
    reason: String,
    command: CommandId,
) -> Result<(), Refusal> {
    let actor = require(ctx, Permission::ManageGoods)?;
    validate_reason(&reason)?;
    let owner = characters::owner_of(ctx, character_id).ok_or(CharacterError::Unknown)?;
    let what = ("coins_give", character_id, copper, reason.as_str());
    once(ctx, actor.account_id, command, &what, || {
        let cause = Cause::new(ctx, CauseKind::Staff, (actor.account_id, 0), character_id);
        let to = Purse::wallet(ctx, character_id);
        pay_by_staff(ctx, &cause, Purse::source(Source::Staff), to, copper)?;
        let detail = format!("{character_id} {copper} cause {}: {reason}", cause.cause_id);
        audit::record(ctx, actor.account_id, owner, "coins_given", &detail);
        Ok(())
    })
}

/// Takes coins from a character. For staff.
///
/// # Errors
/// In this order: the caller's, `economy.reason_invalid`, `character.unknown`, the command's
/// (`command.…`), `economy.amount_invalid`, `economy.coins_missing`.
#[reducer]
pub fn coins_take(
    ctx: &ReducerContext,
    character_id: u64,
    copper: u64,
    reason: String,
    command: CommandId,
) -> Result<(), Refusal> {
    let actor = require(ctx, Permission::ManageGoods)?;
    validate_reason(&reason)?;
    let owner = characters::owner_of(ctx, character_id).ok_or(CharacterError::Unknown)?;
    let what = ("coins_take", character_id, copper, reason.as_str());
    once(ctx, actor.account_id, command, &what, || {
        let cause = Cause::new(ctx, CauseKind::Staff, (actor.account_id, 0), character_id);
        let from = Purse::wallet(ctx, character_id);
        pay_by_staff(ctx, &cause, from, Purse::sink(Sink::Staff), copper)?;
        let detail = format!("{character_id} {copper} cause {}: {reason}", cause.cause_id);
        audit::record(ctx, actor.account_id, owner, "coins_taken", &detail);
        Ok(())
    })
}

/// Keeps goods from moving until staff lets them. For staff.
///
/// # Errors
/// In this order: the caller's, `economy.reason_invalid`, `character.unknown`,
/// `economy.account_unknown`, `item.unknown`, `economy.cause_too_long`.
#[reducer]
pub fn goods_freeze(ctx: &ReducerContext, goods: Goods, reason: String) -> Result<(), Refusal> {
    let actor = require(ctx, Permission::ManageGoods)?;
    set(ctx, actor, goods, &reason, true)
}

/// Lets goods move again. For staff.
///
/// # Errors
/// Those of [`goods_freeze()`].
#[reducer]
pub fn goods_thaw(ctx: &ReducerContext, goods: Goods, reason: String) -> Result<(), Refusal> {
    let actor = require(ctx, Permission::ManageGoods)?;
    set(ctx, actor, goods, &reason, false)
}

fn set(
    ctx: &ReducerContext,
    actor: Actor,
    goods: Goods,
    reason: &str,
    is_frozen: bool,
) -> Result<(), Refusal> {
    validate_reason(reason)?;
    let (subject, what) = match goods {
        Goods::Wallet(character_id) => {
            let owner = characters::owner_of(ctx, character_id).ok_or(CharacterError::Unknown)?;
            set_account(ctx, open(ctx, &Purse::wallet(ctx, character_id)), is_frozen);
            (owner, format!("wallet {character_id}"))
        }
        Goods::Account(ledger_account_id) => {
            let row = ctx.db.ledger_account().ledger_account_id().find(ledger_account_id);
            set_account(ctx, row.ok_or(EconomyError::AccountUnknown)?, is_frozen);
            (0, format!("account {ledger_account_id}"))
        }
        Goods::Item(item_id) => {
            ctx.db.item().item_id().find(item_id).ok_or(ItemError::Unknown)?;
            set_stacks(ctx, &[item_id], is_frozen);
            (0, format!("item {item_id}"))
        }
        Goods::Descent(item_id) => {
            let stacks = trace(ctx, item_id)?;
            set_stacks(ctx, &stacks, is_frozen);
            (0, format!("item {item_id} and what came of it, {} stacks", stacks.len()))
        }
    };
    let action = if is_frozen { "goods_frozen" } else { "goods_thawed" };
    audit::record(ctx, actor.account_id, subject, action, &format!("{what}: {reason}"));
    Ok(())
}

fn set_stacks(ctx: &ReducerContext, item_ids: &[u64], is_frozen: bool) {
    let mut holders = BTreeSet::new();
    for item_id in item_ids {
        mark(ctx, *item_id, FLAG_FROZEN, is_frozen);
        if let Some(stack) = ctx.db.item().item_id().find(item_id) {
            let (container, _) = holder_of(ctx, &stack);
            holders.insert((container.kind, container.owner_id));
        }
    }
    guilds::holders_changed(ctx, &holders);
}

fn set_account(ctx: &ReducerContext, row: LedgerAccount, is_frozen: bool) {
    let ledger_account_id = row.ledger_account_id;
    let purse = (row.kind, row.owner_id);
    ctx.db.ledger_account().ledger_account_id().update(LedgerAccount { is_frozen, ..row });
    guilds::purses_changed(ctx, &BTreeSet::from([purse]));
    if !is_frozen {
        // The sweep has passed it by while it was frozen.
        close_if_bare(ctx, ledger_account_id, 0);
    }
}
