//! Vendors.
//!
//! Keeps true: a price is agreed to by its bound: what costs more, or brings less, is refused.

use crate::error::HavenError;
use crate::kept::rows::{Vendor, VendorBuyBackOffer, VendorShelf};
use crate::link::Call;
use std::sync::Arc;

handle! {
    /// Vendors. [`Topic::Around`](crate::Topic::Around) tells where they are,
    /// [`Topic::Vendor`](crate::Topic::Vendor) what one has.
    VendorsHandle
}

impl VendorsHandle<'_> {
    /// Buys pieces of a vendor who is near, for `copper_max` in all, tax included, or less.
    ///
    /// # Errors
    /// `economy.not_in_world`, `economy.not_awake`, `item.count_invalid`, `economy.vendor_unknown`,
    /// `economy.vendor_too_far`, `economy.goods_unknown`, `economy.worthless`,
    /// `economy.stock_missing`, `economy.price_changed`, `economy.frozen`, `economy.coins_missing`,
    /// those of making items (`item.…`).
    pub async fn buy(
        &self,
        vendor_id: u64,
        def: &str,
        count: u32,
        copper_max: u64,
    ) -> Result<(), HavenError> {
        let def = def.to_owned();
        self.realm
            .command(|command| Call::VendorBuy { vendor_id, def, count, copper_max, command })
            .await
    }

    /// Sells some or all of a stack of the player's bag to a vendor who is near, for `copper_min`
    /// in all, tax taken out, or more.
    ///
    /// # Errors
    /// `economy.not_in_world`, `economy.not_awake`, `item.count_invalid`, `economy.vendor_unknown`,
    /// `economy.vendor_too_far`, `item.unknown`, `item.frozen`, `item.locked`, `item.bound`,
    /// `item.count_invalid`, `economy.goods_unknown`, `economy.stock_full`, `economy.worthless`,
    /// `economy.price_changed`, `economy.frozen`, `economy.too_rich`, `item.no_room` where staff
    /// has frozen all that can be bought back.
    pub async fn sell(
        &self,
        vendor_id: u64,
        item_id: u64,
        count: u32,
        copper_min: u64,
    ) -> Result<(), HavenError> {
        self.realm
            .command(|command| Call::VendorSell { vendor_id, item_id, count, copper_min, command })
            .await
    }

    /// Has a stack back that the player sold, for what the vendor paid; the tax of the sale is not
    /// given back. The vendor it was sold to has to be near.
    ///
    /// # Errors
    /// `economy.not_in_world`, `economy.not_awake`, `economy.not_sold`, `economy.vendor_unknown`,
    /// `economy.vendor_too_far`, `item.frozen`, `item.no_room`, `economy.frozen`,
    /// `economy.coins_missing`.
    pub async fn buy_back(&self, item_id: u64) -> Result<(), HavenError> {
        self.realm.command(|command| Call::VendorBuyBack { item_id, command }).await
    }

    snapshots! {
        /// Vendors around.
        around = vendor: Vendor;
        /// Shelves of the vendors that are watched.
        shelves = vendor_shelf: VendorShelf;
        /// What one has sold and could have back.
        sold = vendor_buy_back_offer: VendorBuyBackOffer;
    }
}
