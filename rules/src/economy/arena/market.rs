//! Auctions, and the order book.

use super::realm::{Auction, Holder, Order, Purse, Realm, check_free, check_gives, sink, wallet};
use super::{Def, Done, ITEMS, Refused, account_of};
use crate::economy::book::{
    Desk, Fill, Level, Links, Next, Resting, Shelf, Side, Taker, join, leave, run, worth,
};
use crate::economy::market::{
    Asked, HOUR_MICROS, MarketError, ORDER_HOURS, OVERTIME_MICROS, Standing, bid, buyout,
    check_cancel, check_count, cut, deposit, next_bid, step_of, validate_asked,
};
use crate::economy::{PurseKind, Sink};
use crate::items::stacks::Spot;
use crate::items::{HolderKind, ItemError};

const CUT_BPS: u32 = 500;
const DEPOSIT_BPS: u32 = 100;
const RAISE_BPS: u32 = 500;
/// Auctions and orders of an account.
const AUCTIONS_MAX: u32 = 6;
const ORDERS_MAX: u32 = 12;
/// How much of what is due is looked at in one go.
const DUE_MAX: usize = 50;

const fn of_auction(auction_id: u64) -> (Purse, Holder) {
    ((PurseKind::Auction, auction_id), (HolderKind::Auction, auction_id))
}

const fn of_order(order_id: u64) -> (Purse, Holder) {
    ((PurseKind::Order, order_id), (HolderKind::Order, order_id))
}

const fn standing(auction: &Auction) -> Standing {
    Standing {
        seller_account_id: account_of(auction.seller),
        ends_at_micros: auction.ends_at,
        last_end_at_micros: auction.last_end_at,
        next_bid_copper: auction.next_bid_copper,
        buyout_copper: auction.buyout_copper,
        bids: auction.bids,
    }
}

impl Realm {
    /// One auction or one order more of an account, or less.
    fn use_up(&mut self, account: u64, (auctions, orders): (i32, i32)) {
        let (had, ordered) = self.used.get(account).copied().unwrap_or_default();
        let used = had.checked_add_signed(auctions).zip(ordered.checked_add_signed(orders));
        self.used.put(account, Some(used.expect("nothing is given back that was not used")));
    }

    fn check_escrow(&self, (purse, holder): (Purse, Holder)) -> Done {
        if self.frozen.has(purse) {
            return Err(crate::economy::EconomyError::Frozen.into());
        }
        self.contents(holder).iter().try_for_each(check_free)
    }

    fn save_auction(&mut self, auction_id: u64, auction: Option<Auction>) {
        if let Some(before) = self.auctions.get(auction_id) {
            self.auctions_due.put((before.due_at, auction_id), None);
        }
        if let Some(auction) = &auction {
            self.auctions_due.put((auction.due_at, auction_id), Some(()));
        }
        self.auctions.put(auction_id, auction);
    }

    pub(super) fn create_auction(
        &mut self,
        own: u64,
        (item_id, count): (u64, u32),
        asked: Asked,
    ) -> Done {
        validate_asked(asked)?;
        let stack = self.stack_in(&[(HolderKind::Bag, own)], item_id)?;
        check_gives(&stack)?;
        if count == 0 || count > stack.count {
            return Err(ItemError::CountInvalid.into());
        }
        if self.used.get(account_of(own)).is_some_and(|used| used.0 >= AUCTIONS_MAX) {
            return Err(MarketError::AuctionsTooMany.into());
        }
        let auction_id = self.next_id();
        let (purse, holder) = of_auction(auction_id);
        let deposit_copper = deposit(asked.bid_copper, asked.hours, DEPOSIT_BPS);
        if deposit_copper > 0 {
            self.pay(wallet(own), purse, deposit_copper)?;
        }
        self.take(&stack, count, holder, Spot::Anywhere)?;
        let ends_at = self.now + i64::from(asked.hours) * HOUR_MICROS;
        let auction = Auction {
            seller: own,
            bidder: 0,
            bid_copper: 0,
            next_bid_copper: asked.bid_copper,
            buyout_copper: asked.buyout_copper,
            deposit_copper,
            ends_at,
            last_end_at: ends_at + OVERTIME_MICROS,
            due_at: ends_at,
            bids: 0,
        };
        self.save_auction(auction_id, Some(auction));
        self.use_up(account_of(own), (1, 0));
        Ok(())
    }

    fn auction(&self, auction_id: u64) -> Done<Auction> {
        Ok(*self.auctions.get(auction_id).ok_or(MarketError::AuctionUnknown)?)
    }

    pub(super) fn bid(&mut self, own: u64, auction_id: u64, copper: u64) -> Done {
        let auction = self.auction(auction_id)?;
        let ends_at = bid(&standing(&auction), account_of(own), copper, self.now)?;
        self.check_escrow(of_auction(auction_id))?;
        self.refund(auction_id, &auction);
        self.pay(wallet(own), of_auction(auction_id).0, copper)?;
        let next_bid_copper = next_bid(copper, RAISE_BPS);
        let bids = auction.bids.saturating_add(1);
        let raised = Auction { bidder: own, bid_copper: copper, next_bid_copper, bids, ..auction };
        self.save_auction(auction_id, Some(Auction { ends_at, due_at: ends_at, ..raised }));
        Ok(())
    }

    pub(super) fn buyout(&mut self, own: u64, auction_id: u64) -> Done {
        let auction = self.auction(auction_id)?;
        let price = buyout(&standing(&auction), account_of(own), self.now)?;
        self.check_escrow(of_auction(auction_id))?;
        self.refund(auction_id, &auction);
        self.pay(wallet(own), of_auction(auction_id).0, price)?;
        self.auction_sold(auction_id, &Auction { bidder: own, ..auction }, price);
        Ok(())
    }

    pub(super) fn cancel_auction(&mut self, own: u64, auction_id: u64) -> Done {
        let auction = self.auction(auction_id)?;
        check_cancel(&standing(&auction), account_of(own), self.now)?;
        self.check_escrow(of_auction(auction_id))?;
        for stack in self.contents(of_auction(auction_id).1) {
            // What finds no room comes by mail.
            let bag = (HolderKind::Bag, auction.seller);
            let _ = self.take(&stack, stack.count, bag, Spot::Anywhere);
        }
        self.give_back(auction_id, &auction);
        Ok(())
    }

    /// Gives the highest bid back, if there is one.
    fn refund(&mut self, auction_id: u64, auction: &Auction) {
        if auction.bidder == 0 {
            return;
        }
        let from = of_auction(auction_id).0;
        if self.pay(from, wallet(auction.bidder), auction.bid_copper).is_err() {
            self.send_by_realm(auction.bidder, &[], Some((from, auction.bid_copper)));
        }
    }

    fn keep(&mut self, auction_id: u64, copper: u64) {
        if copper > 0 {
            let _ = self.pay(of_auction(auction_id).0, sink(Sink::Market), copper);
        }
    }

    fn give_back(&mut self, auction_id: u64, auction: &Auction) {
        self.keep(auction_id, auction.deposit_copper);
        let (purse, holder) = of_auction(auction_id);
        let (left, stacks) = (self.copper(purse), self.contents(holder));
        if left > 0 || !stacks.is_empty() {
            self.send_by_realm(auction.seller, &stacks, Some((purse, left)));
        }
        self.forget_auction(auction_id, auction);
    }

    fn auction_sold(&mut self, auction_id: u64, auction: &Auction, price: u64) {
        self.keep(auction_id, cut(price, CUT_BPS));
        let (purse, holder) = of_auction(auction_id);
        let stacks = self.contents(holder);
        self.send_by_realm(auction.bidder, &stacks, None);
        let brought = self.copper(purse);
        self.send_by_realm(auction.seller, &[], Some((purse, brought)));
        self.forget_auction(auction_id, auction);
    }

    fn forget_auction(&mut self, auction_id: u64, auction: &Auction) {
        self.save_auction(auction_id, None);
        self.use_up(account_of(auction.seller), (-1, 0));
    }

    /// Auctions and orders whose time has come.
    pub(super) fn market_run(&mut self) -> Done {
        let due = self.auctions_due.range(..=(self.now, u64::MAX)).take(DUE_MAX);
        let due: Vec<u64> = due.map(|((_, auction_id), ())| auction_id).collect();
        for auction_id in due {
            let auction = self.auction(auction_id)?;
            let is_kept = self.frozen.has(wallet(auction.bidder));
            if is_kept || self.check_escrow(of_auction(auction_id)).is_err() {
                let due_at = self.now + HOUR_MICROS;
                self.save_auction(auction_id, Some(Auction { due_at, ..auction }));
            } else if auction.bidder == 0 {
                self.give_back(auction_id, &auction);
            } else {
                self.auction_sold(auction_id, &auction, auction.bid_copper);
            }
        }
        let due = self.orders_due.range(..=(self.now, u64::MAX)).take(DUE_MAX);
        let due: Vec<u64> = due.map(|((_, order_id), ())| order_id).collect();
        for order_id in due {
            self.order_is_due(order_id)?;
        }
        Ok(())
    }

    fn order_is_due(&mut self, order_id: u64) -> Done {
        let mut order = self.order(order_id)?;
        order.due_at = self.now + ORDER_HOURS * HOUR_MICROS;
        if order.remaining > 0 {
            self.take_out(order_id, &mut order);
        } else if self.check_escrow(of_order(order_id)).is_ok() {
            let (purse, holder) = of_order(order_id);
            let (copper, stacks) = (self.copper(purse), self.contents(holder));
            self.send_by_realm(order.character, &stacks, Some((purse, copper)));
            (order.coins_due, order.goods_due) = (0, 0);
        }
        self.save_order(order_id, order);
        Ok(())
    }

    fn order(&self, order_id: u64) -> Done<Order> {
        Ok(*self.orders.get(order_id).ok_or(MarketError::OrderUnknown)?)
    }

    /// Writes what an order has come to; removes it when nothing is left of it.
    fn save_order(&mut self, order_id: u64, order: Order) {
        let account = account_of(order.character);
        let before = self.orders.get(order_id).map(|before| before.due_at);
        let stays = (order.remaining, order.goods_due, order.coins_due) != (0, 0, 0);
        if let Some(due_at) = before {
            self.orders_due.put((due_at, order_id), None);
        }
        if stays {
            self.orders_due.put((order.due_at, order_id), Some(()));
        }
        if stays != before.is_some() {
            self.use_up(account, (0, if stays { 1 } else { -1 }));
            self.orders_of.put((order.character, order_id), stays.then_some(()));
        }
        self.orders.put(order_id, stays.then_some(order));
    }

    pub(super) fn place(
        &mut self,
        own: u64,
        (def, side): (Def, Side),
        price_copper: u64,
        count: u32,
    ) -> Done {
        let step = step_of(price_copper)?;
        let item = ITEMS.get(usize::from(def)).ok_or(ItemError::DefinitionUnknown)?;
        check_count(count, item.shape.stack_max)?;
        let account_id = account_of(own);
        if self.used.get(account_id).is_some_and(|used| used.1 >= ORDERS_MAX) {
            return Err(MarketError::OrdersTooMany.into());
        }
        let order_id = self.next_id();
        let order = Order {
            character: own,
            def,
            side,
            price_copper,
            remaining: count,
            coins_due: 0,
            goods_due: 0,
            due_at: self.now + ORDER_HOURS * HOUR_MICROS,
        };
        self.hold(order_id, &order)?;
        self.save_order(order_id, order);
        let mut taker = Taker { account_id, side, price_copper, remaining: count, fills: 0 };
        let mut counter = Counter { realm: self, def, order_id };
        let end = run(&mut counter, &mut taker)?;
        if end == Next::Waits {
            join(&mut counter, side, step, order_id, taker.remaining);
        }
        let mut order = self.order(order_id)?;
        if end != Next::Waits {
            close(&mut order);
        }
        self.collect(order_id, &mut order);
        self.save_order(order_id, order);
        Ok(())
    }

    /// Whoever orders gives what is offered out of his hands.
    fn hold(&mut self, order_id: u64, order: &Order) -> Done {
        let (purse, holder) = of_order(order_id);
        if order.side == Side::Buy {
            let copper = worth(order.price_copper, order.remaining);
            return self.pay(wallet(order.character), purse, copper);
        }
        let mut left = order.remaining;
        for stack in self.contents((HolderKind::Bag, order.character)) {
            let is_sold = (stack.def, stack.flags, stack.bound_to) == (order.def, 0, 0);
            let part = if is_sold { left.min(stack.count) } else { 0 };
            if part > 0 {
                left -= part;
                self.take(&stack, part, holder, Spot::Anywhere)?;
            }
        }
        if left > 0 { Err(MarketError::GoodsMissing.into()) } else { Ok(()) }
    }

    pub(super) fn cancel_order(&mut self, own: u64, order_id: u64) -> Done {
        let mut order = self.order(order_id)?;
        if order.character != own {
            return Err(MarketError::OrderUnknown.into());
        }
        if order.remaining == 0 {
            return Err(MarketError::OrderDone.into());
        }
        self.take_out(order_id, &mut order);
        self.collect(order_id, &mut order);
        self.save_order(order_id, order);
        Ok(())
    }

    /// An order that waits leaves the book.
    fn take_out(&mut self, order_id: u64, order: &mut Order) {
        let step = step_of(order.price_copper).expect("an order that waits has a step");
        let remaining = order.remaining;
        let mut counter = Counter { realm: self, def: order.def, order_id };
        leave(&mut counter, order.side, step, order_id, remaining);
        close(order);
    }

    pub(super) fn collect_all(&mut self, own: u64) -> Done {
        let orders = self.orders_of.range((own, 0)..=(own, u64::MAX));
        let orders: Vec<u64> = orders.map(|((_, order_id), ())| order_id).collect();
        let mut moved = false;
        for order_id in orders {
            let mut order = self.order(order_id)?;
            let before = (order.coins_due, order.goods_due);
            self.collect(order_id, &mut order);
            moved |= before != (order.coins_due, order.goods_due);
            self.save_order(order_id, order);
        }
        if moved { Ok(()) } else { Err(MarketError::NothingToCollect.into()) }
    }

    /// Collects what an order has brought as far as there is room: what does not move stays.
    fn collect(&mut self, order_id: u64, order: &mut Order) {
        let (purse, holder) = of_order(order_id);
        if order.coins_due > 0 && self.pay(purse, wallet(order.character), order.coins_due).is_ok()
        {
            order.coins_due = 0;
        }
        let bag = (HolderKind::Bag, order.character);
        if order.goods_due > 0 {
            for stack in self.contents(holder) {
                if self.take(&stack, stack.count, bag, Spot::Anywhere).is_ok() {
                    order.goods_due -= stack.count;
                }
            }
        }
    }
}

/// Nothing of an order waits any more: what it still held can be collected.
fn close(order: &mut Order) {
    match order.side {
        Side::Buy => order.coins_due += worth(order.price_copper, order.remaining),
        Side::Sell => order.goods_due += order.remaining,
    }
    order.remaining = 0;
}

/// The book of a definition, while an order is at it.
struct Counter<'a> {
    realm: &'a mut Realm,
    def: Def,
    order_id: u64,
}

impl Shelf for Counter<'_> {
    fn top(&self, side: Side) -> u128 {
        self.realm.tops.get((self.def, side)).copied().unwrap_or(0)
    }

    fn set_top(&mut self, side: Side, bits: u128) {
        self.realm.tops.put((self.def, side), (bits != 0).then_some(bits));
    }

    fn word(&self, side: Side, word: u8) -> u128 {
        self.realm.words.get((self.def, side, word)).copied().unwrap_or(0)
    }

    fn set_word(&mut self, side: Side, word: u8, bits: u128) {
        self.realm.words.put((self.def, side, word), (bits != 0).then_some(bits));
    }

    fn level(&self, side: Side, step: u16) -> Level {
        self.realm.levels.get((self.def, side, step)).copied().unwrap_or_default()
    }

    fn set_level(&mut self, side: Side, step: u16, level: Level) {
        let row = (level != Level::default()).then_some(level);
        self.realm.levels.put((self.def, side, step), row);
    }

    fn links(&self, order_id: u64) -> Links {
        self.realm.links.get(order_id).copied().unwrap_or_default()
    }

    fn set_links(&mut self, order_id: u64, links: Option<Links>) {
        self.realm.links.put(order_id, links);
    }
}

impl Desk for Counter<'_> {
    type Error = Refused;

    fn resting(&self, order_id: u64) -> Resting {
        let order = self.realm.order(order_id).expect("an order that waits has a row");
        let (price_copper, remaining) = (order.price_copper, order.remaining);
        Resting { order_id, account_id: account_of(order.character), price_copper, remaining }
    }

    fn is_free(&self, resting: &Resting) -> bool {
        let owner = self.realm.orders.get(resting.order_id).map_or(0, |order| order.character);
        !self.realm.frozen.has(wallet(owner))
            && self.realm.check_escrow(of_order(resting.order_id)).is_ok()
    }

    fn fill(&mut self, taker: &Taker, resting: &Resting, fill: &Fill) -> Done {
        let (buyer_id, seller_id) = match taker.side {
            Side::Buy => (self.order_id, resting.order_id),
            Side::Sell => (resting.order_id, self.order_id),
        };
        let (mut buyer, mut seller) = (self.realm.order(buyer_id)?, self.realm.order(seller_id)?);
        let (from, to) = (of_order(buyer_id).0, of_order(seller_id).0);
        let mut left = fill.count;
        for stack in self.realm.contents(of_order(seller_id).1) {
            let part = left.min(stack.count);
            if part > 0 {
                left -= part;
                self.realm.take(&stack, part, of_order(buyer_id).1, Spot::Anywhere)?;
            }
        }
        assert_eq!(left, 0, "an order to sell holds what it offers");
        let kept = cut(fill.copper, CUT_BPS);
        let is_kept = kept > 0 && self.realm.pay(from, sink(Sink::Market), kept).is_ok();
        let arrives = if is_kept { fill.copper - kept } else { fill.copper };
        self.realm.pay(from, to, arrives)?;
        buyer.remaining -= fill.count;
        buyer.goods_due += fill.count;
        buyer.coins_due += fill.spared_copper;
        seller.remaining -= fill.count;
        seller.coins_due += arrives;
        self.realm.save_order(buyer_id, buyer);
        self.realm.save_order(seller_id, seller);
        Ok(())
    }

    fn withdraw(&mut self, resting: &Resting) {
        let mut order = self.realm.order(resting.order_id).expect("an order that waits has a row");
        close(&mut order);
        self.realm.save_order(resting.order_id, order);
    }
}
