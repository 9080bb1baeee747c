//! Auctions: one stack, the highest bid within a time, or a buyout.
//!
//! Keeps true: the stack and the coins of the deposit and of the highest bid are the auction's own
//! until it ends, and then its seller's, its winner's or the market's; whoever is outbid has the
//! coins back in the same call. What ends an auction leaves no row of it.

use super::ledger::{Cause, Purse, copper_of, is_frozen, pay};
use super::market::{
    DUE_ROWS_MAX, Trader, check_escrow, due_key, due_until, escrow, item_of, living_trader,
    save_item, setting, sold, trader, use_up, used_by, viewer_of,
};
use crate::authority::{Player, require_player};
use crate::commands::once;
use crate::items::{Holder, Spot, check_gives, contents, stack_of, take};
use crate::mail::{RealmLetter, send_by_realm};
use crate::ordered::ranges;
use crate::sequences;
use crate::{Refusal, characters, now_micros};
use haven_rules::economy::market::{
    Asked, FROZEN_WAIT_MICROS, HOUR_MICROS, MarketError, OVERTIME_MICROS, Prices, Standing, bid,
    buyout, check_cancel, cut, deposit, next_bid, validate_asked,
};
use haven_rules::economy::{CauseKind, PurseKind, Sink};
use haven_rules::items::{HolderKind, ItemError};
use haven_rules::keys::{joint_key, keys_of, part_of};
use haven_rules::sequences::Numbered;
use haven_tables::characters::character;
use haven_tables::commands::CommandId;
use haven_tables::economy::market::{
    Auction, AuctionDue, AuctionParty, AuctionState, MarketItem, auction, auction_due,
    auction_party, auction_state,
};
use haven_tables::items::Item;
use spacetimedb::{Identity, ReducerContext, Table, reducer};

/// `auction_party.role` of the seller.
const SELLS: u8 = 1;
/// `auction_party.role` of who has the highest bid.
const LEADS: u8 = 2;
/// `auction_party.role` of who had it.
const OUTBID: u8 = 3;

/// Offers some or all of a stack in the caller's bags for 12, 24 or 48 hours. A deposit is held
/// until it is sold; what is not sold, or taken back, loses it.
///
/// # Errors
/// In this order: the caller's, the command's, `economy.not_in_world`, `market.dead`,
/// `market.price_invalid`, `market.buyout_invalid`, `market.hours_invalid`, `item.unknown`,
/// `market.not_in_bags`, `item.frozen`, `item.locked`, `item.bound`, `item.count_invalid`,
/// `market.auctions_too_many`, `economy.frozen`, `economy.coins_missing`.
#[reducer]
pub fn auction_create(
    ctx: &ReducerContext,
    item_id: u64,
    count: u32,
    bid_copper: u64,
    buyout_copper: u64,
    hours: u8,
    command: CommandId,
) -> Result<(), Refusal> {
    let player = require_player(ctx)?;
    let what = ("auction_create", item_id, count, bid_copper, buyout_copper, hours);
    let asked = Asked { bid_copper, buyout_copper, hours };
    once(ctx, player.account_id, command, &what, || create(ctx, player, (item_id, count), asked))
}

/// Bids in an auction. Coins of a bid that is beaten go back at once: into the wallet, or where it
/// cannot take them by mail. A bid in the last five minutes puts the end off to five minutes later,
/// at most an hour in all.
///
/// # Errors
/// In this order: the caller's, the command's, `economy.not_in_world`, `market.dead`,
/// `market.auction_unknown`, `market.auction_ended`, `market.auction_own`, `market.bid_too_low`,
/// `market.bid_too_high`, `market.bids_too_many`, `economy.frozen`, `item.frozen`,
/// `economy.coins_missing`.
#[reducer]
pub fn auction_bid(
    ctx: &ReducerContext,
    auction_id: u64,
    bid_copper: u64,
    command: CommandId,
) -> Result<(), Refusal> {
    let player = require_player(ctx)?;
    let what = ("auction_bid", auction_id, bid_copper);
    once(ctx, player.account_id, command, &what, || raise(ctx, player, auction_id, bid_copper))
}

/// Buys what is offered in an auction, for its buyout, whatever is bid.
///
/// # Errors
/// In this order: the caller's, the command's, `economy.not_in_world`, `market.dead`,
/// `market.auction_unknown`, `market.auction_ended`, `market.auction_own`, `market.no_buyout`,
/// `economy.frozen`, `item.frozen`, `economy.coins_missing`.
#[reducer]
pub fn auction_buyout(
    ctx: &ReducerContext,
    auction_id: u64,
    command: CommandId,
) -> Result<(), Refusal> {
    let player = require_player(ctx)?;
    let what = ("auction_buyout", auction_id);
    once(ctx, player.account_id, command, &what, || buy_out(ctx, player, auction_id))
}

/// Takes an auction back in which nobody has bid: the stack comes into the bags of the character
/// that offered it, or where there is no room by mail; the deposit is lost.
///
/// # Errors
/// In this order: the caller's, the command's, `economy.not_in_world`, `market.auction_unknown`,
/// `market.auction_not_own`, `market.auction_ended`, `market.auction_has_bids`, `economy.frozen`,
/// `item.frozen`.
#[reducer]
pub fn auction_cancel(
    ctx: &ReducerContext,
    auction_id: u64,
    command: CommandId,
) -> Result<(), Refusal> {
    let player = require_player(ctx)?;
    let what = ("auction_cancel", auction_id);
    once(ctx, player.account_id, command, &what, || cancel(ctx, player, auction_id))
}

fn create(
    ctx: &ReducerContext,
    player: Player,
    (item_id, count): (u64, u32),
    asked: Asked,
) -> Result<(), Refusal> {
    let trader = living_trader(ctx, player)?;
    validate_asked(asked)?;
    let stack = own_stack(ctx, trader, item_id)?;
    check_gives(&stack)?;
    if count == 0 || count > stack.count {
        return Err(ItemError::CountInvalid.into());
    }
    if used_by(ctx, trader.account_id).auctions >= setting(ctx, "market_auctions_per_account") {
        return Err(MarketError::AuctionsTooMany.into());
    }
    let before = item_of(ctx, &stack.def);
    let ends_at_micros = now_micros(ctx) + i64::from(asked.hours) * HOUR_MICROS;
    let row = open(ctx, trader, (&stack, count), &before, asked, ends_at_micros);
    let auction_id = row.auction_id;
    let deposit_bps = setting(ctx, "market_deposit_bps");
    let deposit_copper = deposit(asked.bid_copper, asked.hours, deposit_bps);
    let cause = Cause::new(ctx, CauseKind::Auction, trader.caller(), auction_id);
    if deposit_copper > 0 {
        let wallet = Purse::wallet(ctx, trader.character_id);
        pay(ctx, &cause, wallet, purse(auction_id), deposit_copper)?;
    }
    let to = escrow(HolderKind::Auction, auction_id, 1);
    take(ctx, &cause, &stack, count, to, Spot::Anywhere)?;
    ctx.db.auction_state().insert(AuctionState {
        auction_id,
        seller_account_id: trader.account_id,
        seller_id: trader.character_id,
        bidder_account_id: 0,
        bidder_id: 0,
        first_bid_copper: asked.bid_copper,
        deposit_copper,
        last_end_at_micros: ends_at_micros + OVERTIME_MICROS,
        due_at_micros: ends_at_micros,
    });
    ctx.db.auction_due().insert(AuctionDue { due_key: due_key(ends_at_micros, auction_id) });
    join(ctx, trader.account_id, auction_id, 0, SELLS);
    let after = MarketItem { auctions: before.auctions + 1, ..before.clone() };
    save_item(ctx, &before, after);
    Ok(())
}

/// The row that everybody sees.
fn open(
    ctx: &ReducerContext,
    trader: Trader,
    (stack, count): (&Item, u32),
    item: &MarketItem,
    asked: Asked,
    ends_at_micros: i64,
) -> Auction {
    let seller = ctx.db.character().character_id().find(trader.character_id);
    ctx.db.auction().insert(Auction {
        auction_id: sequences::next(ctx, Numbered::Auction),
        bid_copper: 0,
        next_bid_copper: asked.bid_copper,
        buyout_copper: asked.buyout_copper,
        ends_at_micros,
        def_hash: item.def_hash,
        count,
        bids: 0,
        durability: stack.durability,
        def: stack.def.clone(),
        seller_name: seller.map(|row| row.name).unwrap_or_default(),
    })
}

/// A stack in the bags of who trades.
fn own_stack(ctx: &ReducerContext, trader: Trader, item_id: u64) -> Result<Item, Refusal> {
    if let Some(stack) = stack_of(ctx, &[HolderKind::Bag], trader.character_id, item_id) {
        return Ok(stack);
    }
    let worn = stack_of(ctx, &[HolderKind::Equipment], trader.character_id, item_id);
    Err(worn.map_or(ItemError::Unknown.into(), |_| MarketError::NotInBags.into()))
}

fn raise(
    ctx: &ReducerContext,
    player: Player,
    auction_id: u64,
    bid_copper: u64,
) -> Result<(), Refusal> {
    let trader = living_trader(ctx, player)?;
    let (row, state) = find(ctx, auction_id)?;
    let account_id = trader.account_id;
    let ends_at_micros = bid(&standing(&row, &state), account_id, bid_copper, now_micros(ctx))?;
    let party_key = joint_key(account_id, auction_id);
    let is_new = ctx.db.auction_party().party_key().find(party_key).is_none();
    if is_new && used_by(ctx, account_id).bids >= setting(ctx, "market_bids_per_account") {
        return Err(MarketError::BidsTooMany.into());
    }
    check_escrow(ctx, PurseKind::Auction, auction_id, &stacks_of(ctx, auction_id))?;
    let cause = Cause::new(ctx, CauseKind::Auction, trader.caller(), auction_id);
    refund(ctx, &cause, &row, &state);
    let wallet = Purse::wallet(ctx, trader.character_id);
    pay(ctx, &cause, wallet, purse(auction_id), bid_copper)?;
    join(ctx, account_id, auction_id, bid_copper, LEADS);
    let next_bid_copper = next_bid(bid_copper, setting(ctx, "market_raise_bps"));
    let bids = row.bids.saturating_add(1);
    let row = Auction { bid_copper, next_bid_copper, ends_at_micros, bids, ..row };
    ctx.db.auction().auction_id().update(row);
    let (bidder_account_id, bidder_id) = trader.caller();
    put_off(ctx, AuctionState { bidder_account_id, bidder_id, ..state }, ends_at_micros);
    Ok(())
}

fn buy_out(ctx: &ReducerContext, player: Player, auction_id: u64) -> Result<(), Refusal> {
    let trader = living_trader(ctx, player)?;
    let (row, state) = find(ctx, auction_id)?;
    let price = buyout(&standing(&row, &state), trader.account_id, now_micros(ctx))?;
    let stacks = stacks_of(ctx, auction_id);
    check_escrow(ctx, PurseKind::Auction, auction_id, &stacks)?;
    let cause = Cause::new(ctx, CauseKind::Auction, trader.caller(), auction_id);
    refund(ctx, &cause, &row, &state);
    let wallet = Purse::wallet(ctx, trader.character_id);
    pay(ctx, &cause, wallet, purse(auction_id), price)?;
    let (bidder_account_id, bidder_id) = trader.caller();
    let state = AuctionState { bidder_account_id, bidder_id, ..state };
    sell(ctx, &cause, &row, &state, &stacks, price);
    Ok(())
}

fn cancel(ctx: &ReducerContext, player: Player, auction_id: u64) -> Result<(), Refusal> {
    let trader = trader(ctx, player)?;
    let (row, state) = find(ctx, auction_id)?;
    check_cancel(&standing(&row, &state), trader.account_id, now_micros(ctx))?;
    let stacks = stacks_of(ctx, auction_id);
    check_escrow(ctx, PurseKind::Auction, auction_id, &stacks)?;
    let cause = Cause::new(ctx, CauseKind::Auction, trader.caller(), auction_id);
    let bags = Holder::bag(ctx, state.seller_id);
    for stack in &stacks {
        // What finds no room comes by mail.
        let _ = take(ctx, &cause, stack, stack.count, bags, Spot::Anywhere);
    }
    give_back(ctx, &cause, &row, &state, &stacks_of(ctx, auction_id));
    forget(ctx, &row);
    Ok(())
}

/// Ends the auctions whose time is over, the earliest first. One in which staff has frozen
/// something, or the wallet of who leads, waits and is looked at again later.
pub(super) fn end_due(ctx: &ReducerContext) {
    let now = now_micros(ctx);
    let due: Vec<u128> = ranges(ctx.db.auction_due().due_key())
        .filter(due_until(now))
        .take(DUE_ROWS_MAX)
        .map(|row| row.due_key)
        .collect();
    for due_key in due {
        // First: of an auction that is gone it would stay, and hold up those behind it.
        ctx.db.auction_due().due_key().delete(due_key);
        let auction_id = part_of(due_key);
        let Ok((row, state)) = find(ctx, auction_id) else { continue };
        let stacks = stacks_of(ctx, auction_id);
        let is_kept = is_frozen(ctx, PurseKind::Wallet, state.bidder_id);
        if is_kept || check_escrow(ctx, PurseKind::Auction, auction_id, &stacks).is_err() {
            put_off(ctx, state, now + FROZEN_WAIT_MICROS);
            continue;
        }
        let cause = Cause::new(ctx, CauseKind::Auction, (0, 0), auction_id);
        if state.bidder_id == 0 {
            give_back(ctx, &cause, &row, &state, &stacks);
            forget(ctx, &row);
        } else {
            sell(ctx, &cause, &row, &state, &stacks, row.bid_copper);
        }
    }
}

/// A character is removed for good: its auctions end without a sale, and its bids are taken back.
///
/// One whose coins staff has frozen goes on, because nobody can be paid out of it: whatever it
/// brings in the end finds its account by mail.
pub(super) fn character_purged(ctx: &ReducerContext, account_id: u64, character_id: u64) {
    let parties: Vec<AuctionParty> =
        ranges(ctx.db.auction_party().party_key()).filter(keys_of(account_id)).collect();
    for party in parties {
        let Ok((row, state)) = find(ctx, party.auction_id) else { continue };
        if is_frozen(ctx, PurseKind::Auction, row.auction_id) {
            continue;
        }
        let cause = Cause::new(ctx, CauseKind::Purge, (0, 0), row.auction_id);
        if state.seller_id == character_id {
            refund(ctx, &cause, &row, &state);
            give_back(ctx, &cause, &row, &state, &stacks_of(ctx, row.auction_id));
            forget(ctx, &row);
        } else if state.bidder_id == character_id {
            refund(ctx, &cause, &row, &state);
            let next_bid_copper = state.first_bid_copper;
            let row = Auction { bid_copper: 0, next_bid_copper, bids: 0, ..row };
            ctx.db.auction().auction_id().update(row);
            let state = AuctionState { bidder_account_id: 0, bidder_id: 0, ..state };
            ctx.db.auction_state().auction_id().update(state);
        }
    }
}

/// An account's rows are shown to somebody else.
pub(super) fn account_rebound(ctx: &ReducerContext, account_id: u64, viewer: Identity) {
    let parties: Vec<AuctionParty> =
        ranges(ctx.db.auction_party().party_key()).filter(keys_of(account_id)).collect();
    for party in parties {
        ctx.db.auction_party().party_key().update(AuctionParty { viewer, ..party });
    }
}

fn find(ctx: &ReducerContext, auction_id: u64) -> Result<(Auction, AuctionState), MarketError> {
    let row = ctx.db.auction().auction_id().find(auction_id);
    let state = ctx.db.auction_state().auction_id().find(auction_id);
    row.zip(state).ok_or(MarketError::AuctionUnknown)
}

const fn standing(row: &Auction, state: &AuctionState) -> Standing {
    Standing {
        seller_account_id: state.seller_account_id,
        ends_at_micros: row.ends_at_micros,
        last_end_at_micros: state.last_end_at_micros,
        next_bid_copper: row.next_bid_copper,
        buyout_copper: row.buyout_copper,
        bids: row.bids,
    }
}

const fn purse(auction_id: u64) -> Purse {
    Purse::of(PurseKind::Auction, auction_id, Identity::ZERO)
}

fn stacks_of(ctx: &ReducerContext, auction_id: u64) -> Vec<Item> {
    contents(ctx, HolderKind::Auction, auction_id)
}

/// What an account has to do with the auction from now on.
fn join(ctx: &ReducerContext, account_id: u64, auction_id: u64, bid_copper: u64, role: u8) {
    let row = AuctionParty {
        party_key: joint_key(account_id, auction_id),
        auction_key: joint_key(auction_id, account_id),
        viewer: viewer_of(ctx, account_id),
        account_id,
        auction_id,
        bid_copper,
        role,
    };
    if ctx.db.auction_party().party_key().find(row.party_key).is_some() {
        ctx.db.auction_party().party_key().update(row);
        return;
    }
    ctx.db.auction_party().insert(row);
    use_up(ctx, account_id, |used| {
        let counted = if role == SELLS { &mut used.auctions } else { &mut used.bids };
        *counted += 1;
    });
}

/// The auction is looked at then.
fn put_off(ctx: &ReducerContext, state: AuctionState, due_at_micros: i64) {
    let auction_id = state.auction_id;
    if due_at_micros != state.due_at_micros {
        ctx.db.auction_due().due_key().delete(due_key(state.due_at_micros, auction_id));
        ctx.db.auction_due().insert(AuctionDue { due_key: due_key(due_at_micros, auction_id) });
    }
    ctx.db.auction_state().auction_id().update(AuctionState { due_at_micros, ..state });
}

/// Gives the highest bid back, if there is one.
fn refund(ctx: &ReducerContext, cause: &Cause, row: &Auction, state: &AuctionState) {
    if state.bidder_id == 0 {
        return;
    }
    let from = purse(row.auction_id);
    let copper = row.bid_copper.min(copper_of(ctx, PurseKind::Auction, row.auction_id));
    let wallet = Purse::wallet(ctx, state.bidder_id);
    // One that was removed for good has no wallet.
    let is_there = characters::owner_of(ctx, state.bidder_id).is_some();
    if !is_there || pay(ctx, cause, from, wallet, copper).is_err() {
        let words = vec![row.def.clone(), row.count.to_string(), copper.to_string()];
        let coins = Some((from, copper));
        let template = "auction_outbid";
        let to_character_id = state.bidder_id;
        send_by_realm(
            ctx,
            cause,
            RealmLetter { to_character_id, template, words, stacks: &[], coins },
        );
    }
    join(ctx, state.bidder_account_id, row.auction_id, copper, OUTBID);
}

/// The market takes so much. Where it cannot, it goes without.
fn keep(ctx: &ReducerContext, cause: &Cause, auction_id: u64, copper: u64) {
    let (from, to) = (purse(auction_id), Purse::sink(Sink::Market));
    if copper > 0 {
        let _ = pay(ctx, cause, from, to, copper);
    }
}

/// The deposit is lost, and the stack goes back by mail.
fn give_back(
    ctx: &ReducerContext,
    cause: &Cause,
    row: &Auction,
    state: &AuctionState,
    stacks: &[Item],
) {
    keep(ctx, cause, row.auction_id, state.deposit_copper);
    let left = copper_of(ctx, PurseKind::Auction, row.auction_id);
    let coins = (left > 0).then_some((purse(row.auction_id), left));
    if stacks.is_empty() && coins.is_none() {
        return;
    }
    let words = vec![row.def.clone(), row.count.to_string()];
    let (to_character_id, template) = (state.seller_id, "auction_unsold");
    send_by_realm(ctx, cause, RealmLetter { to_character_id, template, words, stacks, coins });
}

/// The stack goes to who has the highest bid, the coins to who sold it, and the market has its cut.
fn sell(
    ctx: &ReducerContext,
    cause: &Cause,
    row: &Auction,
    state: &AuctionState,
    stacks: &[Item],
    price: u64,
) {
    let from = purse(row.auction_id);
    keep(ctx, cause, row.auction_id, cut(price, setting(ctx, "market_cut_bps")));
    let words = vec![row.def.clone(), row.count.to_string(), price.to_string()];
    let (to_character_id, template) = (state.bidder_id, "auction_won");
    let letter =
        RealmLetter { to_character_id, template, words: words.clone(), stacks, coins: None };
    send_by_realm(ctx, cause, letter);
    // What was paid, less the cut, and the deposit.
    let brought = copper_of(ctx, PurseKind::Auction, row.auction_id);
    let coins = (brought > 0).then_some((from, brought));
    let (to_character_id, template) = (state.seller_id, "auction_sold");
    let letter = RealmLetter { to_character_id, template, words, stacks: &[], coins };
    send_by_realm(ctx, cause, letter);
    let before = item_of(ctx, &row.def);
    let prices = Prices::of(row.count, price);
    sold(ctx, &before, prices);
    let after = MarketItem { last_copper: prices.last_copper, ..before.clone() };
    save_item(ctx, &before, after);
    forget(ctx, row);
}

/// Removes every row of an auction.
fn forget(ctx: &ReducerContext, row: &Auction) {
    let auction_id = row.auction_id;
    let parties: Vec<AuctionParty> =
        ranges(ctx.db.auction_party().auction_key()).filter(keys_of(auction_id)).collect();
    for party in parties {
        ctx.db.auction_party().party_key().delete(party.party_key);
        use_up(ctx, party.account_id, |used| {
            let counted = if party.role == SELLS { &mut used.auctions } else { &mut used.bids };
            *counted = counted.saturating_sub(1);
        });
    }
    if let Some(state) = ctx.db.auction_state().auction_id().find(auction_id) {
        ctx.db.auction_due().due_key().delete(due_key(state.due_at_micros, auction_id));
    }
    ctx.db.auction_state().auction_id().delete(auction_id);
    ctx.db.auction().auction_id().delete(auction_id);
    let before = item_of(ctx, &row.def);
    let after = MarketItem { auctions: before.auctions.saturating_sub(1), ..before.clone() };
    save_item(ctx, &before, after);
}
