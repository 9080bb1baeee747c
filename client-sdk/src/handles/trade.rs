//! Trade between two players who stand near each other.
//!
//! Keeps true: whatever changes in an offer has another revision; one locks and confirms what one
//! has seen.

use crate::error::HavenError;
use crate::kept::rows::{TradeOffer, TradeSide};
use crate::link::Call;
use std::sync::Arc;

handle! {
    /// A trade. [`Topic::Trade`](crate::Topic::Trade) keeps it known here.
    TradeHandle
}

impl TradeHandle<'_> {
    /// Asks a player who is near to trade.
    ///
    /// # Errors
    /// `economy.not_in_world`, `economy.not_awake`, `economy.trade_self`,
    /// `economy.trade_partner_unknown`, `economy.trade_too_far`, `economy.trade_blocked`,
    /// `economy.trade_busy`.
    pub async fn request(&self, character_id: u64) -> Result<(), HavenError> {
        self.realm.ask(Call::TradeRequest { character_id }).await
    }

    /// Agrees to trade, or does not.
    ///
    /// # Errors
    /// `economy.not_in_world`, `economy.not_awake`, `economy.trade_unknown`, `economy.trade_over`,
    /// `economy.trade_open`, `economy.trade_not_open` where the player itself has asked,
    /// `economy.trade_too_far`.
    pub async fn answer(&self, trade_id: u64, accepts: bool) -> Result<(), HavenError> {
        self.realm.ask(Call::TradeAnswer { trade_id, accepts }).await
    }

    /// Offers a whole stack of the player's bag.
    ///
    /// # Errors
    /// `economy.not_in_world`, `economy.not_awake`, `economy.trade_unknown`, `economy.trade_over`,
    /// `economy.trade_not_open`, `economy.trade_offered`, `economy.trade_full`, `item.unknown`,
    /// `item.frozen`, `item.locked`, `item.bound`, `economy.trade_too_far`.
    pub async fn offer_item(&self, item_id: u64) -> Result<(), HavenError> {
        self.realm.ask(Call::TradeOfferItem { item_id }).await
    }

    /// Offers so much copper, in place of what the player offered before.
    ///
    /// # Errors
    /// `economy.not_in_world`, `economy.not_awake`, `economy.trade_unknown`, `economy.trade_over`,
    /// `economy.trade_not_open`, `economy.amount_invalid`, `economy.coins_missing`,
    /// `economy.trade_too_far`.
    pub async fn offer_coins(&self, copper: u64) -> Result<(), HavenError> {
        self.realm.ask(Call::TradeOfferCoins { copper }).await
    }

    /// Takes a stack back that the player offered.
    ///
    /// # Errors
    /// `economy.not_in_world`, `economy.not_awake`, `economy.trade_unknown`, `economy.trade_over`,
    /// `economy.trade_not_open`, `economy.trade_not_offered`.
    pub async fn withdraw(&self, item_id: u64) -> Result<(), HavenError> {
        self.realm.ask(Call::TradeWithdraw { item_id }).await
    }

    /// Locks what both offer, as the player sees it.
    ///
    /// # Errors
    /// `economy.not_in_world`, `economy.not_awake`, `economy.trade_unknown`, `economy.trade_over`,
    /// `economy.trade_not_open`, `economy.trade_changed`, `economy.trade_empty`,
    /// `economy.trade_too_far`.
    pub async fn lock(&self, revision: u32) -> Result<(), HavenError> {
        self.realm.ask(Call::TradeLock { revision }).await
    }

    /// Confirms what both have locked. With the second one goods and coins change hands.
    ///
    /// # Errors
    /// `economy.not_in_world`, `economy.not_awake`, `economy.trade_unknown`, `economy.trade_over`,
    /// `economy.trade_not_open`, `economy.trade_changed`, `economy.trade_not_locked`,
    /// `economy.trade_too_far`; with the second one those of items and coins that cannot move:
    /// `item.…`, `economy.frozen`, `economy.coins_missing`, `economy.too_rich`.
    pub async fn confirm(&self, trade_id: u64, revision: u32) -> Result<(), HavenError> {
        self.realm.command(|command| Call::TradeConfirm { trade_id, revision, command }).await
    }

    /// Hands coins to somebody who is near.
    ///
    /// # Errors
    /// `economy.not_in_world`, `economy.not_awake`, `economy.amount_invalid`, those of a trade with
    /// whoever is asked, `economy.frozen`, `economy.coins_missing`, `economy.too_rich`.
    pub async fn pay(&self, character_id: u64, copper: u64) -> Result<(), HavenError> {
        self.realm.command(|command| Call::CoinsPay { character_id, copper, command }).await
    }

    /// Ends the player's trade, or takes back that it asked for one.
    ///
    /// # Errors
    /// `economy.not_in_world`, `economy.trade_unknown`.
    pub async fn cancel(&self) -> Result<(), HavenError> {
        self.realm.ask(Call::TradeCancel).await
    }

    snapshots! {
        /// One's own side of the trade that goes on; none or one for each character.
        sides = trade_side: TradeSide;
        /// What both offer.
        offers = trade_offer: TradeOffer;
    }
}
