//! The market: auctions, and orders for what stacks.
//!
//! Keeps true: what moves something is a command (`crate::handles`).

use crate::error::HavenError;
use crate::kept::rows::{Auction, AuctionParty, MarketItem, MarketLevel, MarketOrder, MarketPrice};
use crate::link::Call;
use std::sync::Arc;

handle! {
    /// The market. [`Topic::Market`](crate::Topic::Market) keeps one's own part of it known here,
    /// [`Topic::Wares`](crate::Topic::Wares) all about a definition.
    MarketHandle
}

impl MarketHandle<'_> {
    /// Offers some or all of a stack in the player's bags for 12, 24 or 48 hours. A deposit is held
    /// until it is sold; what is not sold, or taken back, loses it.
    ///
    /// # Errors
    /// `economy.not_in_world`, `market.dead`, `market.price_invalid`, `market.buyout_invalid`,
    /// `market.hours_invalid`, `item.unknown`, `market.not_in_bags`, `item.frozen`, `item.locked`,
    /// `item.bound`, `item.count_invalid`, `market.auctions_too_many`, `economy.frozen`,
    /// `economy.coins_missing`.
    pub async fn create_auction(
        &self,
        item_id: u64,
        count: u32,
        bid_copper: u64,
        buyout_copper: u64,
        hours: u8,
    ) -> Result<(), HavenError> {
        self.realm
            .command(|command| Call::AuctionCreate {
                item_id,
                count,
                bid_copper,
                buyout_copper,
                hours,
                command,
            })
            .await
    }

    /// Bids in an auction. Coins of a bid that is beaten go back at once: into the wallet, or where
    /// it cannot take them by mail. A bid in the last five minutes puts the end off to five minutes
    /// later, at most an hour in all.
    ///
    /// # Errors
    /// `economy.not_in_world`, `market.dead`, `market.auction_unknown`, `market.auction_ended`,
    /// `market.auction_own`, `market.bid_too_low`, `market.bid_too_high`, `market.bids_too_many`,
    /// `economy.frozen`, `item.frozen`, `economy.coins_missing`.
    pub async fn bid(&self, auction_id: u64, bid_copper: u64) -> Result<(), HavenError> {
        self.realm.command(|command| Call::AuctionBid { auction_id, bid_copper, command }).await
    }

    /// Buys what is offered in an auction, for its buyout, whatever is bid.
    ///
    /// # Errors
    /// `economy.not_in_world`, `market.dead`, `market.auction_unknown`, `market.auction_ended`,
    /// `market.auction_own`, `market.no_buyout`, `economy.frozen`, `item.frozen`,
    /// `economy.coins_missing`.
    pub async fn buy_out(&self, auction_id: u64) -> Result<(), HavenError> {
        self.realm.command(|command| Call::AuctionBuyout { auction_id, command }).await
    }

    /// Takes an auction back in which nobody has bid: the stack comes into the bags of the
    /// character that offered it, or where there is no room by mail; the deposit is lost.
    ///
    /// # Errors
    /// `economy.not_in_world`, `market.auction_unknown`, `market.auction_not_own`,
    /// `market.auction_ended`, `market.auction_has_bids`, `economy.frozen`, `item.frozen`.
    pub async fn cancel_auction(&self, auction_id: u64) -> Result<(), HavenError> {
        self.realm.command(|command| Call::AuctionCancel { auction_id, command }).await
    }

    /// Buys or sells so many pieces for at most, or at least, so much a piece. It meets the best
    /// orders of the other side, at their price, at most 16 of them; what is left then waits for 30
    /// days, or where it could still be filled comes back. What it brings comes into the bags and
    /// the wallet at once as far as there is room.
    ///
    /// # Errors
    /// `economy.not_in_world`, `market.dead`, `market.price_invalid`, `market.price_step`,
    /// `item.definition_unknown`, `market.count_invalid`, `market.not_a_commodity`,
    /// `market.orders_too_many`, `market.goods_missing`, `economy.frozen`, `economy.coins_missing`,
    /// `market.order_own`.
    pub async fn place_order(
        &self,
        def: &str,
        is_buy: bool,
        price_copper: u64,
        count: u32,
    ) -> Result<(), HavenError> {
        let def = def.to_owned();
        self.realm
            .command(|command| Call::OrderPlace { def, is_buy, price_copper, count, command })
            .await
    }

    /// Takes back what waits of an order of the player's character; it comes into its bags and its
    /// wallet as far as there is room.
    ///
    /// # Errors
    /// `economy.not_in_world`, `market.order_unknown`, `market.order_done`.
    pub async fn cancel_order(&self, order_id: u64) -> Result<(), HavenError> {
        self.realm.command(|command| Call::OrderCancel { order_id, command }).await
    }

    /// Collects what orders of the player's character have brought, of at most 50 orders: into its
    /// bags as far as there is room, whole stacks, and its wallet.
    ///
    /// # Errors
    /// `economy.not_in_world`, `market.nothing_to_collect`; where nothing could be collected why
    /// not, `economy.frozen`, `economy.too_rich`, `item.frozen` or `item.no_room`.
    pub async fn collect(&self) -> Result<(), HavenError> {
        self.realm.command(|command| Call::MarketCollect { command }).await
    }

    snapshots! {
        /// Auctions of the definitions that are watched.
        auctions = auction: Auction;
        /// What one has to do with auctions: 1 sells, 2 leads, 3 was outbid.
        parts = auction_party: AuctionParty;
        /// Best prices of the definitions that are watched.
        definitions = market_item: MarketItem;
        /// Orders by price and side.
        levels = market_level: MarketLevel;
        /// One's own orders.
        orders = market_order: MarketOrder;
        /// What went for how much, by hour and day.
        prices = market_price: MarketPrice;
    }
}
