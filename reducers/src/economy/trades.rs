//! Trades between two players who stand near each other.
//!
//! Keeps true: both see the same; a stack that is offered is marked until the trade ends; goods and
//! coins change hands in the call that confirms last, all of them or none. A trade ends when it is
//! cancelled, when one of the two falls or leaves, and when its time is over.

mod look;
mod settle;
mod state;

pub use look::{TradeTimer, trade_look, trade_timer};
pub(crate) use state::fell;
pub(super) use state::{end_of, rebound, unoffer};

use super::near::{are_near, is_awake, require_awake};
use crate::commands::once;
use crate::content::book;
use crate::items::{check_gives, mark, stack_of};
use crate::sequences;
use crate::{Refusal, characters, friends, now_micros};
use haven_rules::economy::trade::{ASK_SECONDS, Outcome, Step, TRADE_SECONDS};
use haven_rules::economy::{EconomyError, PurseKind};
use haven_rules::friends::What;
use haven_rules::items::{FLAG_OFFERED, HolderKind, ItemError};
use haven_rules::sequences::Numbered;
use haven_tables::commands::CommandId;
use haven_tables::economy::trades::{Trade, trade};
use spacetimedb::{ReducerContext, Table, reducer};
use state::{Going, begin_sides, end, going_of, hide, show};

/// Asks a player who is near to trade.
///
/// # Errors
/// In this order: the caller's, `economy.not_in_world`, `economy.not_awake`, `economy.trade_self`,
/// `economy.trade_partner_unknown`, `economy.trade_too_far`, `economy.trade_blocked`,
/// `economy.trade_busy`.
#[reducer]
pub fn trade_request(ctx: &ReducerContext, character_id: u64) -> Result<(), Refusal> {
    let (player, own) = require_awake(ctx)?;
    check_partner(ctx, (player.account_id, own), character_id)?;
    if going_of(ctx, own).is_some() || going_of(ctx, character_id).is_some() {
        return Err(EconomyError::TradeBusy.into());
    }
    let ends_at_micros = now_micros(ctx) + seconds(ASK_SECONDS);
    let trade_id = sequences::next(ctx, Numbered::Trade);
    let row = Trade { trade_id, asker_id: own, asked_id: character_id, ends_at_micros };
    let row = ctx.db.trade().insert(row);
    begin_sides(ctx, &row, tax_bps(ctx));
    look::set(ctx, &row);
    Ok(())
}

/// Agrees to trade, or does not.
///
/// # Errors
/// In this order: the caller's, `economy.not_in_world`, `economy.not_awake`,
/// `economy.trade_unknown`, `economy.trade_over`, `economy.trade_open`, `economy.trade_not_open`
/// where the caller itself has asked, `economy.trade_too_far`.
#[reducer]
pub fn trade_answer(ctx: &ReducerContext, trade_id: u64, accepts: bool) -> Result<(), Refusal> {
    let (_, own) = require_awake(ctx)?;
    let mut going = require_going(ctx, own)?;
    if going.trade.trade_id != trade_id {
        return Err(EconomyError::TradeUnknown.into());
    }
    going.deal.step(going.who, Step::Agree)?;
    if !accepts {
        end(ctx, &going.trade);
        return Ok(());
    }
    require_near(ctx, own, going.other_id())?;
    going.trade.ends_at_micros = now_micros(ctx) + seconds(TRADE_SECONDS);
    ctx.db.trade().trade_id().update(going.trade.clone());
    going.save(ctx);
    Ok(())
}

/// Offers a whole stack of the caller's bag.
///
/// # Errors
/// In this order: the caller's, `economy.not_in_world`, `economy.not_awake`,
/// `economy.trade_unknown`, `economy.trade_over`, `economy.trade_not_open`,
/// `economy.trade_offered`, `economy.trade_full`, `item.unknown`, `item.frozen`, `item.locked`,
/// `item.bound`, `economy.trade_too_far`.
#[reducer]
pub fn trade_offer_item(ctx: &ReducerContext, item_id: u64) -> Result<(), Refusal> {
    let (_, own) = require_awake(ctx)?;
    let mut going = require_going(ctx, own)?;
    going.deal.step(going.who, Step::Offer(item_id))?;
    let stack = stack_of(ctx, &[HolderKind::Bag], own, item_id).ok_or(ItemError::Unknown)?;
    check_gives(&stack)?;
    require_near(ctx, own, going.other_id())?;
    mark(ctx, item_id, FLAG_OFFERED, true);
    show(ctx, &going, &stack);
    going.save(ctx);
    Ok(())
}

/// Offers so much copper, in place of what the caller offered before.
///
/// # Errors
/// In this order: the caller's, `economy.not_in_world`, `economy.not_awake`,
/// `economy.trade_unknown`, `economy.trade_over`, `economy.trade_not_open`,
/// `economy.amount_invalid`, `economy.coins_missing`, `economy.trade_too_far`.
#[reducer]
pub fn trade_offer_coins(ctx: &ReducerContext, copper: u64) -> Result<(), Refusal> {
    let (_, own) = require_awake(ctx)?;
    let mut going = require_going(ctx, own)?;
    going.deal.step(going.who, Step::Coins(copper))?;
    if super::copper_of(ctx, PurseKind::Wallet, own) < copper {
        return Err(EconomyError::CoinsMissing.into());
    }
    require_near(ctx, own, going.other_id())?;
    going.save(ctx);
    Ok(())
}

/// Takes a stack back that the caller offered.
///
/// # Errors
/// In this order: the caller's, `economy.not_in_world`, `economy.not_awake`,
/// `economy.trade_unknown`, `economy.trade_over`, `economy.trade_not_open`,
/// `economy.trade_not_offered`.
#[reducer]
pub fn trade_withdraw(ctx: &ReducerContext, item_id: u64) -> Result<(), Refusal> {
    let (_, own) = require_awake(ctx)?;
    let mut going = require_going(ctx, own)?;
    going.deal.step(going.who, Step::Withdraw(item_id))?;
    mark(ctx, item_id, FLAG_OFFERED, false);
    hide(ctx, &going.trade, item_id);
    going.save(ctx);
    Ok(())
}

/// Locks what both offer, as the caller sees it.
///
/// # Errors
/// In this order: the caller's, `economy.not_in_world`, `economy.not_awake`,
/// `economy.trade_unknown`, `economy.trade_over`, `economy.trade_not_open`,
/// `economy.trade_changed`, `economy.trade_empty`, `economy.trade_too_far`.
#[reducer]
pub fn trade_lock(ctx: &ReducerContext, revision: u32) -> Result<(), Refusal> {
    let (_, own) = require_awake(ctx)?;
    let mut going = require_going(ctx, own)?;
    going.deal.step(going.who, Step::Lock(revision))?;
    require_near(ctx, own, going.other_id())?;
    going.save(ctx);
    Ok(())
}

/// Confirms what both have locked. With the second one goods and coins change hands.
///
/// # Errors
/// In this order: the caller's, `economy.not_in_world`, the command's (`command.…`),
/// `economy.not_awake`, `economy.trade_unknown`, `economy.trade_over`, `economy.trade_not_open`,
/// `economy.trade_changed`, `economy.trade_not_locked`, `economy.trade_too_far`; with the second
/// one those of items and coins that cannot move: `item.…`, `economy.frozen`,
/// `economy.coins_missing`, `economy.too_rich`.
#[reducer]
pub fn trade_confirm(
    ctx: &ReducerContext,
    trade_id: u64,
    revision: u32,
    command: CommandId,
) -> Result<(), Refusal> {
    let player = crate::authority::require_player(ctx)?;
    let what = ("trade_confirm", trade_id, revision);
    once(ctx, player.account_id, command, &what, || confirm(ctx, trade_id, revision))
}

fn confirm(ctx: &ReducerContext, trade_id: u64, revision: u32) -> Result<(), Refusal> {
    let (player, own) = require_awake(ctx)?;
    let mut going = require_going(ctx, own)?;
    if going.trade.trade_id != trade_id {
        return Err(EconomyError::TradeUnknown.into());
    }
    let outcome = going.deal.step(going.who, Step::Confirm(revision))?;
    require_near(ctx, own, going.other_id())?;
    match outcome {
        Outcome::GoesOn => going.save(ctx),
        Outcome::Done => settle::exchange(ctx, player.account_id, own, &going)?,
    }
    Ok(())
}

/// Ends the caller's trade, or takes back that it asked for one.
///
/// # Errors
/// In this order: the caller's, `economy.not_in_world`, `economy.trade_unknown`.
#[reducer]
pub fn trade_cancel(ctx: &ReducerContext) -> Result<(), Refusal> {
    let player = crate::authority::require_player(ctx)?;
    let own = characters::entity_of(ctx, player.account_id).ok_or(EconomyError::CharacterAbsent)?;
    let going = going_of(ctx, own).ok_or(EconomyError::TradeUnknown)?;
    end(ctx, &going.trade);
    Ok(())
}

fn require_going(ctx: &ReducerContext, own: u64) -> Result<Going, EconomyError> {
    let going = going_of(ctx, own).ok_or(EconomyError::TradeUnknown)?;
    if now_micros(ctx) < going.trade.ends_at_micros {
        Ok(going)
    } else {
        Err(EconomyError::TradeOver)
    }
}

/// Checks that a caller, an account and its character, may deal with another character, wherever
/// that one stands.
///
/// # Errors
/// In this order: `TradeSelf`, `TradePartnerUnknown`, `TradeBlocked`.
pub(super) fn check_partner(
    ctx: &ReducerContext,
    (account_id, own): (u64, u64),
    character_id: u64,
) -> Result<(), EconomyError> {
    if character_id == own {
        return Err(EconomyError::TradeSelf);
    }
    let is_there = characters::is_present(ctx, character_id) && is_awake(ctx, character_id);
    let other = characters::account_of(ctx, character_id).filter(|_| is_there);
    let other = other.ok_or(EconomyError::TradePartnerUnknown)?;
    // Who asks from afar learns nothing about what the other one takes.
    require_near(ctx, own, character_id)?;
    let takes = friends::may(ctx, What::Trade, other, account_id);
    if !takes || friends::has_blocked(ctx, account_id, other) {
        return Err(EconomyError::TradeBlocked);
    }
    Ok(())
}

/// Checks that two are near enough to deal with each other.
///
/// # Errors
/// `TradeFar`.
pub(super) fn require_near(ctx: &ReducerContext, own: u64, other: u64) -> Result<(), EconomyError> {
    if are_near(ctx, own, other, range_mm(ctx)) { Ok(()) } else { Err(EconomyError::TradeFar) }
}

/// How near the two have to be, millimetres.
fn range_mm(ctx: &ReducerContext) -> u32 {
    u32::try_from(book(ctx).setting("trade_range_mm")).unwrap_or(0)
}

fn tax_bps(ctx: &ReducerContext) -> u16 {
    u16::try_from(book(ctx).setting("trade_tax_bps")).unwrap_or(0)
}

fn seconds(seconds: u32) -> i64 {
    i64::from(seconds) * 1_000_000
}
