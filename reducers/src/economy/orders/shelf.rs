//! The rows of one item's book, and what happens at its counter: fills.

use super::super::ledger::{Cause, Purse, copper_of, is_frozen, pay};
use super::super::market::{Trader, check_escrow, escrow, setting};
use super::{SLOTS, close, purse, save, save_closed};
use crate::Refusal;
use crate::items::{Spot, contents, take};
use haven_rules::economy::book::{
    Desk, Fill, Level, Links, Resting, Shelf, Side, Taker, best, worth,
};
use haven_rules::economy::market::{Prices, cut, price_of};
use haven_rules::economy::{CauseKind, PurseKind, Sink};
use haven_rules::items::HolderKind;
use haven_tables::economy::market::{
    MarketBook, MarketItem, MarketLevel, MarketOrder, MarketOrderLink, MarketWord, market_book,
    market_level, market_order, market_order_link, market_word,
};
use spacetimedb::{ReducerContext, Table};

/// The rows of a book.
pub(super) struct Rows<'a> {
    ctx: &'a ReducerContext,
    item: &'a MarketItem,
    /// As it is stored.
    book: MarketBook,
}

impl<'a> Rows<'a> {
    /// The book of an item; an empty one where it has none yet.
    pub(super) fn new(ctx: &'a ReducerContext, item: &'a MarketItem) -> Self {
        let market_item_id = item.market_item_id;
        let known = ctx.db.market_book().market_item_id().find(market_item_id);
        let book = known.unwrap_or(MarketBook { market_item_id, buy_top: 0, sell_top: 0 });
        Self { ctx, item, book }
    }

    /// The best steps of who buys and who sells.
    pub(super) fn best(&self) -> (Option<u16>, Option<u16>) {
        let step = |side| best(self, side).map(|(step, _)| step);
        (step(Side::Buy), step(Side::Sell))
    }

    fn word_key(&self, side: Side, word: u8) -> u64 {
        let side = if side == Side::Sell { 1 << 7 } else { 0 };
        (u64::from(self.item.market_item_id) << 8) | side | u64::from(word)
    }

    fn level_key(&self, side: Side, step: u16) -> u64 {
        let side = if side == Side::Sell { 1 << 15 } else { 0 };
        (u64::from(self.item.market_item_id) << 16) | side | u64::from(step)
    }
}

impl Shelf for Rows<'_> {
    fn top(&self, side: Side) -> u128 {
        match side {
            Side::Buy => self.book.buy_top,
            Side::Sell => self.book.sell_top,
        }
    }

    fn set_top(&mut self, side: Side, bits: u128) {
        match side {
            Side::Buy => self.book.buy_top = bits,
            Side::Sell => self.book.sell_top = bits,
        }
        let table = self.ctx.db.market_book();
        table.market_item_id().delete(self.book.market_item_id);
        if (self.book.buy_top, self.book.sell_top) != (0, 0) {
            table.insert(self.book.clone());
        }
    }

    fn word(&self, side: Side, word: u8) -> u128 {
        let row = self.ctx.db.market_word().word_key().find(self.word_key(side, word));
        row.map_or(0, |row| row.bits)
    }

    fn set_word(&mut self, side: Side, word: u8, bits: u128) {
        let word_key = self.word_key(side, word);
        self.ctx.db.market_word().word_key().delete(word_key);
        if bits != 0 {
            self.ctx.db.market_word().insert(MarketWord { word_key, bits });
        }
    }

    fn level(&self, side: Side, step: u16) -> Level {
        let row = self.ctx.db.market_level().level_key().find(self.level_key(side, step));
        row.map_or_else(Level::default, |row| Level {
            first: row.first_order_id,
            last: row.last_order_id,
            count: row.count,
            orders: row.orders,
        })
    }

    fn set_level(&mut self, side: Side, step: u16, level: Level) {
        let level_key = self.level_key(side, step);
        self.ctx.db.market_level().level_key().delete(level_key);
        if level.orders == 0 {
            return;
        }
        self.ctx.db.market_level().insert(MarketLevel {
            level_key,
            price_copper: price_of(step),
            count: level.count,
            first_order_id: level.first,
            last_order_id: level.last,
            def_hash: self.item.def_hash,
            market_item_id: self.item.market_item_id,
            orders: level.orders,
            is_buy: side == Side::Buy,
        });
    }

    fn links(&self, order_id: u64) -> Links {
        let row = self.ctx.db.market_order_link().order_id().find(order_id);
        let row = row.expect("invariant: an order that waits stands in a line");
        Links { before: row.before, after: row.after }
    }

    fn set_links(&mut self, order_id: u64, links: Option<Links>) {
        self.ctx.db.market_order_link().order_id().delete(order_id);
        if let Some(Links { before, after }) = links {
            self.ctx.db.market_order_link().insert(MarketOrderLink { order_id, before, after });
        }
    }
}

/// The book while an order comes.
pub(super) struct Counter<'a> {
    rows: Rows<'a>,
    trader: Trader,
    /// The order that comes: written by whoever placed it.
    order: &'a mut MarketOrder,
    cut_bps: u32,
    prices: Option<Prices>,
}

impl<'a> Counter<'a> {
    pub(super) fn new(
        ctx: &'a ReducerContext,
        item: &'a MarketItem,
        trader: Trader,
        order: &'a mut MarketOrder,
    ) -> Self {
        let cut_bps = setting(ctx, "market_cut_bps");
        Self { rows: Rows::new(ctx, item), trader, order, cut_bps, prices: None }
    }

    /// What was paid, if anything was.
    pub(super) fn prices(&self) -> Option<Prices> {
        self.prices
    }

    /// The best steps of who buys and who sells.
    pub(super) fn best(&self) -> (Option<u16>, Option<u16>) {
        self.rows.best()
    }

    fn resting_row(&self, order_id: u64) -> MarketOrder {
        let row = self.rows.ctx.db.market_order().order_id().find(order_id);
        row.expect("invariant: an order that waits has a row")
    }

    /// Coins go from who buys to who sells, less the market's cut; answers how many arrive.
    fn settle(&self, cause: &Cause, buyer: u64, seller: u64, copper: u64) -> Result<u64, Refusal> {
        let ctx = self.rows.ctx;
        let kept = cut(copper, self.cut_bps);
        let sink = Purse::sink(Sink::Market);
        // Where the market cannot take its cut, it has none.
        let is_kept = kept > 0 && pay(ctx, cause, purse(buyer), sink, kept).is_ok();
        let arrives = if is_kept { copper - kept } else { copper };
        pay(ctx, cause, purse(buyer), purse(seller), arrives)?;
        Ok(arrives)
    }

    /// Goods go from who sells to who buys.
    fn hand_over(&self, cause: &Cause, buyer: u64, seller: u64, count: u32) -> Result<(), Refusal> {
        let to = escrow(HolderKind::Order, buyer, SLOTS);
        let mut left = count;
        for stack in contents(self.rows.ctx, HolderKind::Order, seller) {
            let part = left.min(stack.count);
            if part == 0 {
                break;
            }
            left -= part;
            take(self.rows.ctx, cause, &stack, part, to, Spot::Anywhere)?;
        }
        assert!(left == 0, "invariant: an order to sell holds what it offers");
        Ok(())
    }
}

impl Shelf for Counter<'_> {
    fn top(&self, side: Side) -> u128 {
        self.rows.top(side)
    }

    fn set_top(&mut self, side: Side, bits: u128) {
        self.rows.set_top(side, bits);
    }

    fn word(&self, side: Side, word: u8) -> u128 {
        self.rows.word(side, word)
    }

    fn set_word(&mut self, side: Side, word: u8, bits: u128) {
        self.rows.set_word(side, word, bits);
    }

    fn level(&self, side: Side, step: u16) -> Level {
        self.rows.level(side, step)
    }

    fn set_level(&mut self, side: Side, step: u16, level: Level) {
        self.rows.set_level(side, step, level);
    }

    fn links(&self, order_id: u64) -> Links {
        self.rows.links(order_id)
    }

    fn set_links(&mut self, order_id: u64, links: Option<Links>) {
        self.rows.set_links(order_id, links);
    }
}

impl Desk for Counter<'_> {
    type Error = Refusal;

    fn resting(&self, order_id: u64) -> Resting {
        let row = self.resting_row(order_id);
        Resting {
            order_id,
            account_id: row.account_id,
            price_copper: row.price_copper,
            remaining: row.remaining,
        }
    }

    fn is_free(&self, resting: &Resting) -> bool {
        let (ctx, order_id) = (self.rows.ctx, resting.order_id);
        let (stacks, has_all) = if self.order.is_buy {
            let stacks = contents(ctx, HolderKind::Order, order_id);
            let count = stacks.iter().map(|stack| u64::from(stack.count)).sum::<u64>();
            (stacks, count >= u64::from(resting.remaining))
        } else {
            let offers = worth(resting.price_copper, resting.remaining);
            (vec![], copper_of(ctx, PurseKind::Order, order_id) >= offers)
        };
        // Whoever may move no coins does not move them by what he has ordered before either.
        let owner = self.resting_row(order_id).character_id;
        has_all
            && !is_frozen(ctx, PurseKind::Wallet, owner)
            && check_escrow(ctx, PurseKind::Order, order_id, &stacks).is_ok()
    }

    fn fill(&mut self, taker: &Taker, resting: &Resting, fill: &Fill) -> Result<(), Refusal> {
        let ctx = self.rows.ctx;
        let mut other = self.resting_row(resting.order_id);
        let cause = Cause::new(ctx, CauseKind::Order, self.trader.caller(), other.order_id);
        let (buyer, seller) = match taker.side {
            Side::Buy => (&mut *self.order, &mut other),
            Side::Sell => (&mut other, &mut *self.order),
        };
        let (buyer_id, seller_id) = (buyer.order_id, seller.order_id);
        buyer.remaining -= fill.count;
        buyer.goods_due += fill.count;
        buyer.coins_due += fill.spared_copper;
        seller.remaining -= fill.count;
        self.hand_over(&cause, buyer_id, seller_id, fill.count)?;
        let arrives = self.settle(&cause, buyer_id, seller_id, fill.copper)?;
        let seller = match taker.side {
            Side::Buy => &mut other,
            Side::Sell => &mut *self.order,
        };
        seller.coins_due += arrives;
        if other.remaining == 0 {
            save_closed(ctx, other);
        } else {
            save(ctx, other);
        }
        let prices = Prices::of(fill.count, fill.copper);
        self.prices = Some(self.prices.map_or(prices, |before| before.and(prices)));
        Ok(())
    }

    fn withdraw(&mut self, resting: &Resting) {
        let mut row = self.resting_row(resting.order_id);
        close(&mut row);
        save_closed(self.rows.ctx, row);
    }
}
