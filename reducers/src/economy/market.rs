//! What auctions and orders have in common: who trades, how much of the market an account uses,
//! what things went for, and the clock.
//!
//! Keeps true: what is due is handled by the first run of the tick after it that has room for it,
//! also after the database was down; an account's counts are those of its rows.

use super::{auctions, orders};
use crate::authority::{Player, require_database};
use crate::content::book;
use crate::items::{self, Holder};
use crate::ordered::ranges;
use crate::sequences;
use crate::{Refusal, characters, now_micros, realms};
use haven_rules::economy::market::{MarketError, Prices, Span, def_hash};
use haven_rules::economy::{EconomyError, PurseKind, purse_key};
use haven_rules::items::{Binding, FLAG_FROZEN, HolderKind, ItemError};
use haven_rules::keys::joint_key;
use haven_rules::sequences::Numbered;
use haven_tables::combat::combatant;
use haven_tables::economy::ledger_account;
use haven_tables::economy::market::{
    MarketAccount, MarketItem, MarketPrice, market_account, market_item, market_price,
};
use haven_tables::items::Item;
use spacetimedb::{Identity, ReducerContext, ScheduleAt, Table, reducer, table};
use std::time::Duration;

/// How often it is looked for what is due.
const TICK_INTERVAL: Duration = Duration::from_secs(1);
/// Most auctions, and most orders, that one run handles.
pub(super) const DUE_ROWS_MAX: usize = 100;
/// How often old prices are removed.
const SWEEP_INTERVAL: Duration = Duration::from_mins(10);
/// Most prices that one sweep removes.
const SWEEP_ROWS_MAX: usize = 2_000;
/// `combatant.vital` of the dead.
const DEAD: u8 = 3;
/// Shelves that everything on the market is spread over.
const SHELVES: u32 = 16;

/// The timer of [`market_tick()`].
#[table(name = market_tick_timer, scheduled(market_tick))]
pub struct MarketTickTimer {
    /// The timer's number.
    #[primary_key]
    #[auto_inc]
    pub scheduled_id: u64,
    /// When it fires.
    pub scheduled_at: ScheduleAt,
}

/// The timer of [`market_sweep()`].
#[table(name = market_sweep_timer, scheduled(market_sweep))]
pub struct MarketSweepTimer {
    /// The timer's number.
    #[primary_key]
    #[auto_inc]
    pub scheduled_id: u64,
    /// When it fires.
    pub scheduled_at: ScheduleAt,
}

pub(super) fn ensure_timers(ctx: &ReducerContext) {
    if ctx.db.market_tick_timer().count() == 0 {
        let scheduled_at = TICK_INTERVAL.into();
        ctx.db.market_tick_timer().insert(MarketTickTimer { scheduled_id: 0, scheduled_at });
    }
    if ctx.db.market_sweep_timer().count() == 0 {
        let scheduled_at = SWEEP_INTERVAL.into();
        ctx.db.market_sweep_timer().insert(MarketSweepTimer { scheduled_id: 0, scheduled_at });
    }
}

/// Ends auctions and orders whose time is over, at most `DUE_ROWS_MAX` of each a run.
///
/// # Errors
/// `realm.database_only` for clients.
#[reducer]
pub fn market_tick(ctx: &ReducerContext, _timer: MarketTickTimer) -> Result<(), Refusal> {
    require_database(ctx)?;
    auctions::end_due(ctx);
    orders::end_due(ctx);
    Ok(())
}

/// Removes prices that are older than they are kept, at most `SWEEP_ROWS_MAX` a run.
///
/// # Errors
/// `realm.database_only` for clients.
#[reducer]
pub fn market_sweep(ctx: &ReducerContext, _timer: MarketSweepTimer) -> Result<(), Refusal> {
    require_database(ctx)?;
    let now = now_micros(ctx);
    let stale: Vec<u128> = [Span::Hour, Span::Day]
        .into_iter()
        .flat_map(|span| ranges(ctx.db.market_price().price_key()).filter(span.stale(now)))
        .take(SWEEP_ROWS_MAX)
        .map(|row| row.price_key)
        .collect();
    for price_key in stale {
        ctx.db.market_price().price_key().delete(price_key);
    }
    Ok(())
}

/// Somebody who trades.
#[derive(Clone, Copy, Debug)]
pub(super) struct Trader {
    /// The account.
    pub(super) account_id: u64,
    /// The character it trades as.
    pub(super) character_id: u64,
}

impl Trader {
    /// Who calls, and what a cause says of it.
    pub(super) const fn caller(self) -> (u64, u64) {
        (self.account_id, self.character_id)
    }
}

/// Whoever is in the world, wherever that is.
///
/// # Errors
/// `economy.not_in_world`.
pub(super) fn trader(ctx: &ReducerContext, player: Player) -> Result<Trader, Refusal> {
    let account_id = player.account_id;
    let character_id = characters::entity_of(ctx, account_id);
    let character_id = character_id.ok_or(EconomyError::CharacterAbsent)?;
    Ok(Trader { account_id, character_id })
}

/// The same, alive.
///
/// # Errors
/// In this order: `economy.not_in_world`, `market.dead`.
pub(super) fn living_trader(ctx: &ReducerContext, player: Player) -> Result<Trader, Refusal> {
    let trader = trader(ctx, player)?;
    let body = ctx.db.combatant().entity_id().find(trader.character_id);
    if body.is_some_and(|body| body.vital == DEAD) {
        return Err(MarketError::Dead.into());
    }
    Ok(trader)
}

/// A number of the market's balance.
pub(super) fn setting(ctx: &ReducerContext, key: &str) -> u32 {
    u32::try_from(book(ctx).setting(key)).unwrap_or(0)
}

/// How high a commodity stacks, and how durable it is when it is new. What is bound to whoever has
/// it, or is there once, is no commodity: it stacks no higher than one.
///
/// # Errors
/// `item.definition_unknown`.
pub(super) fn commodity(ctx: &ReducerContext, def: &str) -> Result<(u32, u16), ItemError> {
    let shape = items::shape_of(ctx, def).ok_or(ItemError::DefinitionUnknown)?;
    let is_free = shape.binding == Binding::None && !shape.is_unique;
    Ok((if is_free { shape.stack_max } else { 1 }, shape.durability))
}

/// Slots that nobody sees into.
pub(super) const fn escrow(kind: HolderKind, owner_id: u64, slots: u16) -> Holder {
    Holder::of(kind, owner_id, Identity::ZERO, slots)
}

/// Whether what is in escrow can move: staff may have frozen it.
///
/// # Errors
/// In this order: `economy.frozen`, `item.frozen`.
pub(super) fn check_escrow(
    ctx: &ReducerContext,
    kind: PurseKind,
    owner_id: u64,
    stacks: &[Item],
) -> Result<(), Refusal> {
    let purse = ctx.db.ledger_account().owner_key().find(purse_key(kind, owner_id));
    if purse.is_some_and(|row| row.is_frozen) {
        return Err(EconomyError::Frozen.into());
    }
    if stacks.iter().any(|stack| stack.flags & FLAG_FROZEN != 0) {
        return Err(ItemError::Frozen.into());
    }
    Ok(())
}

/// How much of the market an account uses.
pub(super) fn used_by(ctx: &ReducerContext, account_id: u64) -> MarketAccount {
    let row = ctx.db.market_account().account_id().find(account_id);
    row.unwrap_or(MarketAccount { account_id, auctions: 0, bids: 0, orders: 0 })
}

/// Changes that.
pub(super) fn use_up(
    ctx: &ReducerContext,
    account_id: u64,
    change: impl FnOnce(&mut MarketAccount),
) {
    let mut row = used_by(ctx, account_id);
    change(&mut row);
    ctx.db.market_account().account_id().delete(account_id);
    if (row.auctions, row.bids, row.orders) != (0, 0, 0) {
        ctx.db.market_account().insert(row);
    }
}

/// What is known of a definition on the market. As many rows as definitions were ever sold.
pub(super) fn item_of(ctx: &ReducerContext, def: &str) -> MarketItem {
    if let Some(row) = ctx.db.market_item().def().find(def.to_owned()) {
        return row;
    }
    let def_hash = def_hash(def);
    ctx.db.market_item().insert(MarketItem {
        market_item_id: sequences::next_of_few(ctx, Numbered::MarketItem),
        def_hash,
        buy_copper: 0,
        sell_copper: 0,
        last_copper: 0,
        auctions: 0,
        shelf: def_hash % SHELVES,
        def: def.to_owned(),
    })
}

/// Writes what has changed of it.
pub(super) fn save_item(ctx: &ReducerContext, before: &MarketItem, after: MarketItem) {
    if *before != after {
        ctx.db.market_item().market_item_id().update(after);
    }
}

/// Something was sold: the hour and the day have it.
pub(super) fn sold(ctx: &ReducerContext, item: &MarketItem, prices: Prices) {
    let now = now_micros(ctx);
    for span in [Span::Hour, Span::Day] {
        let period = span.period(now);
        let price_key = span.key(period, item.market_item_id);
        let known = ctx.db.market_price().price_key().find(price_key);
        let all = known.as_ref().map_or(prices, |row| prices_of(row).and(prices));
        let row = MarketPrice {
            price_key,
            begins_at_micros: i64::from(period) * span.micros(),
            volume: all.volume,
            sum_copper: all.sum_copper,
            low_copper: all.low_copper,
            high_copper: all.high_copper,
            last_copper: all.last_copper,
            def_hash: item.def_hash,
            market_item_id: item.market_item_id,
            span: span as u8,
        };
        if known.is_some() {
            ctx.db.market_price().price_key().update(row);
        } else {
            ctx.db.market_price().insert(row);
        }
    }
}

fn prices_of(row: &MarketPrice) -> Prices {
    Prices {
        volume: row.volume,
        sum_copper: row.sum_copper,
        low_copper: row.low_copper,
        high_copper: row.high_copper,
        last_copper: row.last_copper,
    }
}

/// The key of something that is looked at at an instant.
pub(super) fn due_key(at_micros: i64, id: u64) -> u128 {
    joint_key(at_micros.unsigned_abs(), id)
}

/// The keys of all that is due.
pub(super) fn due_until(now_micros: i64) -> std::ops::RangeInclusive<u128> {
    0..=due_key(now_micros, u64::MAX)
}

/// Whom an account's rows are shown to.
pub(super) fn viewer_of(ctx: &ReducerContext, account_id: u64) -> Identity {
    realms::viewer_of(ctx, account_id)
}
