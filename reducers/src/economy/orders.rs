//! Orders: so many pieces of a commodity at a price, met by whoever offers as much.
//!
//! Keeps true: an order that waits holds what it offers, goods or coins, and nobody else can move
//! them; what it has brought lies with it until it is collected; a row goes when nothing is left
//! of it. What is decided stands in `rules::economy::book`; the rows of a book are in `shelf`.

mod shelf;

use self::shelf::Counter;
use super::ledger::{Cause, Purse, copper_of, is_frozen, pay};
use super::market::{
    DUE_ROWS_MAX, Trader, check_escrow, commodity, due_key, due_until, escrow, item_of,
    living_trader, save_item, setting, sold, trader, use_up, used_by, viewer_of,
};
use crate::authority::{Player, require_player};
use crate::commands::once;
use crate::items::{Holder, Spot, contents, take};
use crate::mail::{RealmLetter, send_by_realm};
use crate::ordered::ranges;
use crate::sequences;
use crate::{Refusal, now_micros};
use haven_rules::economy::book::{self, Next, Side, Taker, worth};
use haven_rules::economy::market::{
    COLLECT_HOURS, FROZEN_WAIT_MICROS, HOUR_MICROS, MarketError, ORDER_COUNT_MAX, ORDER_HOURS,
    check_count, price_of, step_of,
};
use haven_rules::economy::{CauseKind, PurseKind};
use haven_rules::items::HolderKind;
use haven_rules::keys::{joint_key, keys_of, part_of};
use haven_rules::sequences::Numbered;
use haven_tables::commands::CommandId;
use haven_tables::economy::market::{
    MarketItem, MarketOrder, MarketOrderDue, market_order, market_order_due,
};
use haven_tables::items::Item;
use spacetimedb::{Identity, ReducerContext, Table, reducer};

/// Most orders that one call collects from.
const COLLECT_ORDERS_MAX: usize = 50;
/// Most stacks that come out of one order at a time: a cause has room for that many moves.
const COLLECT_STACKS_MAX: usize = 20;
/// Most orders, and most stacks, that one call looks at: those of which nothing can be collected
/// are passed over.
const COLLECT_LOOKED_AT_MAX: usize = 1_000;
/// Most stacks of a character's bags that one order is filled from.
const BAG_STACKS_MAX: usize = 100;
/// Slots of what an order holds: each piece has one, so there is always room.
const SLOTS: u16 = 1_000;

const _: () = assert!(SLOTS as u32 >= ORDER_COUNT_MAX);

/// Buys or sells so many pieces for at most, or at least, so much a piece. It meets the best orders
/// of the other side, at their price, at most 16 of them; what is left then waits for 30 days, or
/// where it could still be filled comes back. What it brings comes into the bags and the wallet at
/// once as far as there is room.
///
/// # Errors
/// In this order: the caller's, the command's, `economy.not_in_world`, `market.dead`,
/// `market.price_invalid`, `market.price_step`, `item.definition_unknown`, `market.count_invalid`,
/// `market.not_a_commodity`, `market.orders_too_many`, `market.goods_missing`, `economy.frozen`,
/// `economy.coins_missing`, `market.order_own`.
#[reducer]
pub fn order_place(
    ctx: &ReducerContext,
    def: String,
    is_buy: bool,
    price_copper: u64,
    count: u32,
    command: CommandId,
) -> Result<(), Refusal> {
    let player = require_player(ctx)?;
    let what = ("order_place", def.as_str(), is_buy, price_copper, count);
    let wanted = Wanted { side: Side::of(is_buy), price_copper, count };
    once(ctx, player.account_id, command, &what, || place(ctx, player, &def, wanted))
}

/// Takes back what waits of an order of the caller's character; it comes into its bags and its
/// wallet as far as there is room.
///
/// # Errors
/// In this order: the caller's, the command's, `economy.not_in_world`, `market.order_unknown`,
/// `market.order_done`.
#[reducer]
pub fn order_cancel(
    ctx: &ReducerContext,
    order_id: u64,
    command: CommandId,
) -> Result<(), Refusal> {
    let player = require_player(ctx)?;
    let what = ("order_cancel", order_id);
    once(ctx, player.account_id, command, &what, || cancel(ctx, player, order_id))
}

/// Collects what orders of the caller's character have brought, of at most 50 orders: into its bags
/// as far as there is room, whole stacks, and its wallet. Orders of which nothing can be collected
/// are passed over.
///
/// # Errors
/// In this order: the caller's, the command's, `economy.not_in_world`,
/// `market.nothing_to_collect`; where nothing could be collected why not, `economy.frozen`,
/// `economy.too_rich`, `item.frozen` or `item.no_room`.
#[reducer]
pub fn market_collect(ctx: &ReducerContext, command: CommandId) -> Result<(), Refusal> {
    let player = require_player(ctx)?;
    once(ctx, player.account_id, command, &"market_collect", || collect_all(ctx, player))
}

/// What somebody wants.
#[derive(Clone, Copy, Debug)]
struct Wanted {
    side: Side,
    price_copper: u64,
    count: u32,
}

fn place(ctx: &ReducerContext, player: Player, def: &str, wanted: Wanted) -> Result<(), Refusal> {
    let trader = living_trader(ctx, player)?;
    let Wanted { side, price_copper, count } = wanted;
    let step = step_of(price_copper)?;
    check_count(count, commodity(ctx, def)?.0)?;
    if used_by(ctx, trader.account_id).orders >= setting(ctx, "market_orders_per_account") {
        return Err(MarketError::OrdersTooMany.into());
    }
    let item = item_of(ctx, def);
    let mut order = open(ctx, trader, &item, wanted);
    let cause = Cause::new(ctx, CauseKind::Order, trader.caller(), order.order_id);
    hold(ctx, &cause, trader, &order)?;
    let account_id = trader.account_id;
    let mut taker = Taker { account_id, side, price_copper, remaining: count, fills: 0 };
    let order_id = order.order_id;
    let mut counter = Counter::new(ctx, &item, trader, &mut order);
    let end = book::run(&mut counter, &mut taker)?;
    if end == Next::Waits {
        book::join(&mut counter, side, step, order_id, taker.remaining);
    }
    let prices = counter.prices();
    let best = counter.best();
    if end == Next::Waits {
        put_off(ctx, &mut order, now_micros(ctx) + ORDER_HOURS * HOUR_MICROS);
    } else {
        close(&mut order);
    }
    let last_copper = prices.map_or(item.last_copper, |prices| prices.last_copper);
    if let Some(prices) = prices {
        sold(ctx, &item, prices);
    }
    show_best(ctx, &item, best, last_copper);
    // What cannot be collected now can be later.
    let mut looks = COLLECT_LOOKED_AT_MAX;
    let _ = collect(ctx, &cause, &mut order, &mut looks);
    if end == Next::Waits {
        save(ctx, order);
    } else {
        save_closed(ctx, order);
    }
    Ok(())
}

/// A new order; its row is not complete before it is saved.
fn open(ctx: &ReducerContext, trader: Trader, item: &MarketItem, wanted: Wanted) -> MarketOrder {
    let order_id = sequences::next(ctx, Numbered::MarketOrder);
    use_up(ctx, trader.account_id, |used| used.orders += 1);
    ctx.db.market_order().insert(MarketOrder {
        order_id,
        owner_key: joint_key(trader.account_id, order_id),
        viewer: viewer_of(ctx, trader.account_id),
        account_id: trader.account_id,
        character_id: trader.character_id,
        price_copper: wanted.price_copper,
        coins_due: 0,
        due_at_micros: 0,
        market_item_id: item.market_item_id,
        count: wanted.count,
        remaining: wanted.count,
        goods_due: 0,
        is_buy: wanted.side == Side::Buy,
        def: item.def.clone(),
    })
}

/// Whoever orders gives what is offered out of his hands.
fn hold(
    ctx: &ReducerContext,
    cause: &Cause,
    trader: Trader,
    order: &MarketOrder,
) -> Result<(), Refusal> {
    if order.is_buy {
        let copper = worth(order.price_copper, order.count);
        let wallet = Purse::wallet(ctx, trader.character_id);
        pay(ctx, cause, wallet, purse(order.order_id), copper)?;
        return Ok(());
    }
    let (_, full) = commodity(ctx, &order.def)?;
    let is_sold = |stack: &Item| {
        stack.def == order.def && (stack.flags, stack.bound_to, stack.durability) == (0, 0, full)
    };
    let bags = contents(ctx, HolderKind::Bag, trader.character_id);
    let mut left = order.count;
    let mut parts = vec![];
    for stack in bags.into_iter().filter(is_sold).take(BAG_STACKS_MAX) {
        let part = left.min(stack.count);
        if part == 0 {
            break;
        }
        left -= part;
        parts.push((stack, part));
    }
    if left > 0 {
        return Err(MarketError::GoodsMissing.into());
    }
    let to = escrow(HolderKind::Order, order.order_id, SLOTS);
    for (stack, part) in parts {
        take(ctx, cause, &stack, part, to, Spot::Anywhere)?;
    }
    Ok(())
}

fn cancel(ctx: &ReducerContext, player: Player, order_id: u64) -> Result<(), Refusal> {
    let trader = trader(ctx, player)?;
    let row = ctx.db.market_order().order_id().find(order_id);
    let is_own = |row: &MarketOrder| row.character_id == trader.character_id;
    let mut order = row.filter(is_own).ok_or(MarketError::OrderUnknown)?;
    if order.remaining == 0 {
        return Err(MarketError::OrderDone.into());
    }
    let cause = Cause::new(ctx, CauseKind::Order, trader.caller(), order_id);
    take_out(ctx, &mut order);
    // What cannot be collected now can be later.
    let mut looks = COLLECT_LOOKED_AT_MAX;
    let _ = collect(ctx, &cause, &mut order, &mut looks);
    save_closed(ctx, order);
    Ok(())
}

fn collect_all(ctx: &ReducerContext, player: Player) -> Result<(), Refusal> {
    let trader = trader(ctx, player)?;
    let is_wanted = |row: &MarketOrder| {
        row.character_id == trader.character_id && (row.coins_due > 0 || row.goods_due > 0)
    };
    let orders: Vec<MarketOrder> = ranges(ctx.db.market_order().owner_key())
        .filter(keys_of(trader.account_id))
        .filter(is_wanted)
        .take(COLLECT_LOOKED_AT_MAX)
        .collect();
    let mut refused = None;
    let (mut collected, mut looks) = (0, COLLECT_LOOKED_AT_MAX);
    for mut order in orders {
        if collected == COLLECT_ORDERS_MAX {
            break;
        }
        let cause = Cause::new(ctx, CauseKind::Order, trader.caller(), order.order_id);
        let before = (order.coins_due, order.goods_due);
        if let Err(refusal) = collect(ctx, &cause, &mut order, &mut looks) {
            refused = refused.or(Some(refusal));
        }
        cause.forget_if_bare(ctx);
        if before != (order.coins_due, order.goods_due) {
            collected += 1;
            save(ctx, order);
        }
    }
    if collected > 0 {
        return Ok(());
    }
    Err(refused.unwrap_or_else(|| MarketError::NothingToCollect.into()))
}

/// Ends the orders whose time is over, the earliest first: what they hold can be collected, and
/// what nobody collected comes by mail.
pub(super) fn end_due(ctx: &ReducerContext) {
    let now = now_micros(ctx);
    let due: Vec<u128> = ranges(ctx.db.market_order_due().due_key())
        .filter(due_until(now))
        .take(DUE_ROWS_MAX)
        .map(|row| row.due_key)
        .collect();
    for due_key in due {
        // First: of an order that is gone it would stay, and hold up those behind it.
        ctx.db.market_order_due().due_key().delete(due_key);
        let order_id = part_of(due_key);
        let Some(mut order) = ctx.db.market_order().order_id().find(order_id) else { continue };
        if order.remaining > 0 {
            take_out(ctx, &mut order);
            save_closed(ctx, order);
            continue;
        }
        let stacks = contents(ctx, HolderKind::Order, order_id);
        if check_escrow(ctx, PurseKind::Order, order_id, &stacks).is_err() {
            put_off(ctx, &mut order, now + FROZEN_WAIT_MICROS);
            save(ctx, order);
            continue;
        }
        let cause = Cause::new(ctx, CauseKind::Order, (0, 0), order_id);
        send(ctx, &cause, &mut order, &stacks);
        save(ctx, order);
    }
}

/// A character is removed for good: its orders end, and what they hold comes by mail, which knows
/// where to put it. What staff has frozen stays with its order and comes when it may.
pub(super) fn character_purged(ctx: &ReducerContext, account_id: u64, character_id: u64) {
    let orders: Vec<MarketOrder> = ranges(ctx.db.market_order().owner_key())
        .filter(keys_of(account_id))
        .filter(|row| row.character_id == character_id)
        .collect();
    for mut order in orders {
        if order.remaining > 0 {
            take_out(ctx, &mut order);
        }
        if is_frozen(ctx, PurseKind::Order, order.order_id) {
            put_off(ctx, &mut order, now_micros(ctx) + FROZEN_WAIT_MICROS);
            save(ctx, order);
            continue;
        }
        let cause = Cause::new(ctx, CauseKind::Purge, (0, 0), order.order_id);
        let stacks = contents(ctx, HolderKind::Order, order.order_id);
        send(ctx, &cause, &mut order, &stacks);
        save(ctx, order);
    }
}

/// An account's rows are shown to somebody else.
pub(super) fn account_rebound(ctx: &ReducerContext, account_id: u64, viewer: Identity) {
    let orders: Vec<MarketOrder> =
        ranges(ctx.db.market_order().owner_key()).filter(keys_of(account_id)).collect();
    for order in orders {
        ctx.db.market_order().order_id().update(MarketOrder { viewer, ..order });
    }
}

const fn purse(order_id: u64) -> Purse {
    Purse::of(PurseKind::Order, order_id, Identity::ZERO)
}

/// An order that waits leaves the book; what it held can be collected.
fn take_out(ctx: &ReducerContext, order: &mut MarketOrder) {
    let item = item_of(ctx, &order.def);
    let mut shelf = shelf::Rows::new(ctx, &item);
    let step = step_of(order.price_copper).expect("invariant: an order that waits has a step");
    let side = Side::of(order.is_buy);
    book::leave(&mut shelf, side, step, order.order_id, order.remaining);
    let best = shelf.best();
    close(order);
    show_best(ctx, &item, best, item.last_copper);
}

/// Nothing of an order waits any more: what it still held can be collected.
fn close(order: &mut MarketOrder) {
    if order.is_buy {
        order.coins_due += worth(order.price_copper, order.remaining);
    } else {
        order.goods_due += order.remaining;
    }
    order.remaining = 0;
}

/// The order is looked at then.
fn put_off(ctx: &ReducerContext, order: &mut MarketOrder, due_at_micros: i64) {
    forget_due(ctx, order);
    let due_key = due_key(due_at_micros, order.order_id);
    ctx.db.market_order_due().insert(MarketOrderDue { due_key });
    order.due_at_micros = due_at_micros;
}

fn forget_due(ctx: &ReducerContext, order: &MarketOrder) {
    if order.due_at_micros != 0 {
        let due_key = due_key(order.due_at_micros, order.order_id);
        ctx.db.market_order_due().due_key().delete(due_key);
    }
}

/// Writes an order of which nothing waits since this call: what is left can be collected for its
/// time.
fn save_closed(ctx: &ReducerContext, mut order: MarketOrder) {
    if (order.goods_due, order.coins_due) != (0, 0) {
        put_off(ctx, &mut order, now_micros(ctx) + COLLECT_HOURS * HOUR_MICROS);
    }
    save(ctx, order);
}

/// Writes what an order has come to; removes it when nothing is left of it.
fn save(ctx: &ReducerContext, order: MarketOrder) {
    if (order.remaining, order.goods_due, order.coins_due) != (0, 0, 0) {
        ctx.db.market_order().order_id().update(order);
        return;
    }
    forget_due(ctx, &order);
    ctx.db.market_order().order_id().delete(order.order_id);
    use_up(ctx, order.account_id, |used| used.orders = used.orders.saturating_sub(1));
}

/// Collects what an order has brought as far as its character has room: what does not move stays.
/// `looks` is at how many stacks the call may look yet.
///
/// # Errors
/// Why the first did not move.
fn collect(
    ctx: &ReducerContext,
    cause: &Cause,
    order: &mut MarketOrder,
    looks: &mut usize,
) -> Result<(), Refusal> {
    let mut outcome = Ok(());
    let coins = order.coins_due.min(copper_of(ctx, PurseKind::Order, order.order_id));
    if coins > 0 {
        let wallet = Purse::wallet(ctx, order.character_id);
        match pay(ctx, cause, purse(order.order_id), wallet, coins) {
            Ok(()) => order.coins_due = 0,
            Err(error) => outcome = Err(error.into()),
        }
    }
    if order.goods_due > 0 {
        let bags = Holder::bag(ctx, order.character_id);
        let stacks = contents(ctx, HolderKind::Order, order.order_id);
        let mut moved = 0;
        for stack in &stacks {
            if moved == COLLECT_STACKS_MAX || *looks == 0 {
                break;
            }
            *looks -= 1;
            match take(ctx, cause, stack, stack.count, bags, Spot::Anywhere) {
                Ok(_) => {
                    moved += 1;
                    order.goods_due = order.goods_due.saturating_sub(stack.count);
                }
                Err(refusal) => outcome = outcome.and(Err(refusal)),
            }
        }
    }
    outcome
}

/// Sends what an order has brought by mail.
fn send(ctx: &ReducerContext, cause: &Cause, order: &mut MarketOrder, stacks: &[Item]) {
    let words = vec![order.def.clone(), order.count.to_string(), order.price_copper.to_string()];
    let copper = copper_of(ctx, PurseKind::Order, order.order_id);
    let coins = (copper > 0).then(|| (purse(order.order_id), copper));
    let (to_character_id, template) = (order.character_id, "order_ended");
    send_by_realm(ctx, cause, RealmLetter { to_character_id, template, words, stacks, coins });
    (order.coins_due, order.goods_due) = (0, 0);
}

/// Everybody sees the best prices of an item, and what it went for last.
fn show_best(
    ctx: &ReducerContext,
    item: &MarketItem,
    (buy, sell): (Option<u16>, Option<u16>),
    last_copper: u64,
) {
    let price = |step: Option<u16>| step.map_or(0, price_of);
    let (buy_copper, sell_copper) = (price(buy), price(sell));
    save_item(ctx, item, MarketItem { buy_copper, sell_copper, last_copper, ..item.clone() });
}
