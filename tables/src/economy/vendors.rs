//! Vendors: where they stand, what lies on their shelves at which price, and what players have sold
//! to them and can have back.
//!
//! Keeps true: a shelf says what one piece costs now; prices follow the stock on a slow tick.

use spacetimedb::{Filter, Identity, client_visibility_filter, table};

/// Somebody who buys and sells. Placed by staff; it neither walks nor fights.
#[table(
    name = vendor,
    public,
    // Subscribed to by whoever is near; keys are few and stay.
    index(name = by_chunk, btree(columns = [chunk_index]))
)]
#[derive(Clone)]
pub struct Vendor {
    /// Never reused.
    #[primary_key]
    pub vendor_id: u64,
    /// The block it stands in, of the open world.
    pub chunk_index: u64,
    /// Millimetres.
    pub pos_x_mm: i32,
    /// Millimetres.
    pub pos_y_mm: i32,
    /// Key of its definition in content, kind `vendor`.
    pub def: String,
}

/// What a vendor deals in, and its price now.
#[table(
    name = vendor_shelf,
    public,
    // Subscribed to by whoever looks at a vendor: `rules::economy::prices::SHELVES_MAX` rows.
    index(name = by_vendor, btree(columns = [vendor_id]))
)]
#[derive(Clone)]
pub struct VendorShelf {
    /// Never reused.
    #[primary_key]
    pub shelf_id: u64,
    /// Whose.
    pub vendor_id: u64,
    /// Copper for one piece that is bought, without tax; 0 where it is not sold.
    pub asks_copper: u64,
    /// Copper for one piece that is sold to it, before tax; 0 where it is not bought.
    pub pays_copper: u64,
    /// Pieces that lie there.
    pub stock: u32,
    /// The price now, basis points of the definition's.
    pub price_bps: u32,
    /// Key of the item's definition.
    pub def: String,
}

/// When a vendor's shelves are looked at next.
#[table(name = vendor_due)]
pub struct VendorDue {
    /// Which vendor.
    #[primary_key]
    pub vendor_id: u64,
    /// The instant, microseconds since 1970, in the upper 64 bits, the vendor in the lower: read by
    /// the tick.
    #[unique]
    pub due_key: u128,
}

/// What a character sold and can have back: the stack lies in its `HolderKind::BuyBack`.
#[table(name = vendor_buy_back_offer, public)]
#[derive(Clone)]
pub struct VendorBuyBackOffer {
    /// The stack.
    #[primary_key]
    pub item_id: u64,
    /// When it is gone, microseconds since 1970, in the upper 64 bits, the stack in the lower: read
    /// by the sweep.
    #[unique]
    pub due_key: u128,
    /// Who sold it.
    pub character_id: u64,
    /// That one's player.
    pub viewer: Identity,
    /// Copper for the whole stack: what the vendor paid, before tax.
    pub copper: u64,
    /// The vendor.
    pub vendor_id: u64,
}

#[client_visibility_filter]
const VENDOR_BUY_BACK_OFFER_FILTER: Filter =
    Filter::Sql("SELECT * FROM vendor_buy_back_offer WHERE viewer = :sender");
