//! The market: auctions, the order book, and what things went for.
//!
//! Keeps true: whose an auction or an order is stands in private and personal rows alone; others
//! see a seller's name in an auction, and of an order nothing but that it waits at its price.
//! Everything public about a definition is subscribed to by `def_hash`
//! (`rules::economy::market::def_hash`), which two definitions may share.

use spacetimedb::{Filter, Identity, client_visibility_filter, table};

/// An auction that goes on, as everybody sees it.
#[table(
    name = auction,
    public,
    // Subscribed to.
    index(name = by_def_hash, btree(columns = [def_hash]))
)]
#[derive(Clone)]
pub struct Auction {
    /// Never reused.
    #[primary_key]
    pub auction_id: u64,
    /// The highest bid, copper; 0 while there is none.
    pub bid_copper: u64,
    /// The least that is taken, copper.
    pub next_bid_copper: u64,
    /// For which it goes at once, copper; 0 for not at all.
    pub buyout_copper: u64,
    /// When it is over, microseconds since 1970; a late bid puts it off.
    pub ends_at_micros: i64,
    /// `def_hash` of the definition.
    pub def_hash: u32,
    /// How many there are in the stack.
    pub count: u32,
    /// How often was bid.
    pub bids: u32,
    /// What is left of it; 0 where it does not wear out.
    pub durability: u16,
    /// Key of its definition.
    pub def: String,
    /// The seller's name when it began.
    pub seller_name: String,
}

/// What nobody sees of an auction.
#[table(name = auction_state)]
#[derive(Clone)]
pub struct AuctionState {
    /// The auction.
    #[primary_key]
    pub auction_id: u64,
    /// Whose it is.
    pub seller_account_id: u64,
    /// Who gets what it brings.
    pub seller_id: u64,
    /// Whose the highest bid is; 0 while there is none.
    pub bidder_account_id: u64,
    /// Who gets it; 0 while there is no bid.
    pub bidder_id: u64,
    /// The first bid, copper.
    pub first_bid_copper: u64,
    /// What is held until it is sold, copper.
    pub deposit_copper: u64,
    /// When it is over whatever is bid, microseconds since 1970.
    pub last_end_at_micros: i64,
    /// When it is looked at next, microseconds since 1970: at its end, or later where staff has
    /// frozen what is in it.
    pub due_at_micros: i64,
}

/// What an account has to do with an auction. Kept until the auction is over.
#[table(name = auction_party, public)]
#[derive(Clone)]
pub struct AuctionParty {
    /// The account in the upper 64 bits, the auction in the lower: read to list an account's.
    #[primary_key]
    pub party_key: u128,
    /// The auction in the upper 64 bits, the account in the lower: read when it ends.
    #[unique]
    pub auction_key: u128,
    /// Who sees it.
    pub viewer: Identity,
    /// The account.
    pub account_id: u64,
    /// The auction.
    pub auction_id: u64,
    /// The account's last bid, copper; 0 for the seller.
    pub bid_copper: u64,
    /// 1 sells, 2 has the highest bid, 3 was outbid and has its coins back.
    pub role: u8,
}

#[client_visibility_filter]
const AUCTION_PARTY_FILTER: Filter =
    Filter::Sql("SELECT * FROM auction_party WHERE viewer = :sender");

/// When an auction is looked at.
#[table(name = auction_due)]
pub struct AuctionDue {
    /// Microseconds since 1970 in the upper 64 bits, the auction in the lower.
    #[primary_key]
    pub due_key: u128,
}

/// How much of the market an account uses.
#[table(name = market_account)]
#[derive(Clone)]
pub struct MarketAccount {
    /// The account.
    #[primary_key]
    pub account_id: u64,
    /// Auctions it has.
    pub auctions: u32,
    /// Auctions of others in which it has bid.
    pub bids: u32,
    /// Orders it has, those counted in which something is left to collect.
    pub orders: u32,
}

/// Something that was ever ordered or sold on the market. Written with what happens to it.
#[table(
    name = market_item,
    public,
    // Subscribed to.
    index(name = by_def_hash, btree(columns = [def_hash])),
    // Subscribed to, a sixteenth of everything at a time.
    index(name = by_shelf, btree(columns = [shelf]))
)]
#[derive(Clone, PartialEq)]
pub struct MarketItem {
    /// Never reused.
    #[primary_key]
    pub market_item_id: u32,
    /// `def_hash` of the definition.
    pub def_hash: u32,
    /// The most that is offered for a piece, copper; 0 for nothing.
    pub buy_copper: u64,
    /// The least that is asked for a piece, copper; 0 for nothing.
    pub sell_copper: u64,
    /// What a piece went for last, copper; 0 for never.
    pub last_copper: u64,
    /// Auctions that go on.
    pub auctions: u32,
    /// `def_hash` modulo 16.
    pub shelf: u32,
    /// Key of the definition.
    #[unique]
    pub def: String,
}

/// Where the best prices of an item are found. A row for each that was ever ordered.
#[table(name = market_book)]
#[derive(Clone)]
pub struct MarketBook {
    /// The item.
    #[primary_key]
    pub market_item_id: u32,
    /// Bit `n`: the `n`th word of who buys has bits.
    pub buy_top: u128,
    /// The same of who sells.
    pub sell_top: u128,
}

/// Which prices have orders, 128 steps of a side.
#[table(name = market_word)]
pub struct MarketWord {
    /// The item times 2⁸, plus 2⁷ for who sells, plus the word's number.
    #[primary_key]
    pub word_key: u64,
    /// Bit `n`: there are orders at the step `n` of the word.
    pub bits: u128,
}

/// The orders that wait at one price.
#[table(
    name = market_level,
    public,
    // Subscribed to.
    index(name = by_def_hash, btree(columns = [def_hash]))
)]
#[derive(Clone)]
pub struct MarketLevel {
    /// The item times 2¹⁶, plus 2¹⁵ for who sells, plus the price's step.
    #[primary_key]
    pub level_key: u64,
    /// For a piece, copper.
    pub price_copper: u64,
    /// Pieces of all orders.
    pub count: u64,
    /// The order that is served first.
    pub first_order_id: u64,
    /// The order that is served last.
    pub last_order_id: u64,
    /// `def_hash` of the definition.
    pub def_hash: u32,
    /// The item.
    pub market_item_id: u32,
    /// How many orders wait, at least 1.
    pub orders: u32,
    /// Whether they want to buy.
    pub is_buy: bool,
}

/// Who stands around an order that waits, at its price.
#[table(name = market_order_link)]
pub struct MarketOrderLink {
    /// The order.
    #[primary_key]
    pub order_id: u64,
    /// Who is served before it; 0 for nobody.
    pub before: u64,
    /// Who is served after it; 0 for nobody.
    pub after: u64,
}

/// An order, as its account sees it: it waits, or something is left to collect.
#[table(name = market_order, public)]
#[derive(Clone)]
pub struct MarketOrder {
    /// Never reused. Orders of a price are served in the order of their numbers.
    #[primary_key]
    pub order_id: u64,
    /// The account in the upper 64 bits, the order in the lower: read to list an account's.
    #[unique]
    pub owner_key: u128,
    /// Who sees it.
    pub viewer: Identity,
    /// The account.
    pub account_id: u64,
    /// Whose it is: what is collected comes from and goes to this character.
    pub character_id: u64,
    /// For a piece, copper.
    pub price_copper: u64,
    /// Copper to collect.
    pub coins_due: u64,
    /// When it ends, or what is left to collect comes by mail, microseconds since 1970.
    pub due_at_micros: i64,
    /// The item.
    pub market_item_id: u32,
    /// Pieces it was placed for.
    pub count: u32,
    /// Pieces that wait; 0 when nothing does.
    pub remaining: u32,
    /// Pieces to collect.
    pub goods_due: u32,
    /// Whether it wants to buy.
    pub is_buy: bool,
    /// Key of the definition.
    pub def: String,
}

#[client_visibility_filter]
const MARKET_ORDER_FILTER: Filter =
    Filter::Sql("SELECT * FROM market_order WHERE viewer = :sender");

/// When an order is looked at.
#[table(name = market_order_due)]
pub struct MarketOrderDue {
    /// Microseconds since 1970 in the upper 64 bits, the order in the lower.
    #[primary_key]
    pub due_key: u128,
}

/// What an item went for in an hour or a day. Hours are kept for
/// `rules::economy::market::HOURS_RETENTION`, days for `DAYS_RETENTION`.
#[table(
    name = market_price,
    public,
    // Subscribed to.
    index(name = by_def_hash, btree(columns = [def_hash]))
)]
#[derive(Clone)]
pub struct MarketPrice {
    /// `rules::economy::market::Span::key`: read by it, and by the sweep.
    #[primary_key]
    pub price_key: u128,
    /// When the hour or day began, microseconds since 1970, UTC.
    pub begins_at_micros: i64,
    /// Pieces that were sold.
    pub volume: u64,
    /// What was paid for all of them, copper.
    pub sum_copper: u64,
    /// The least that was paid for a piece, copper.
    pub low_copper: u64,
    /// The most.
    pub high_copper: u64,
    /// What was paid last.
    pub last_copper: u64,
    /// `def_hash` of the definition.
    pub def_hash: u32,
    /// The item.
    pub market_item_id: u32,
    /// 1 an hour, 2 a day.
    pub span: u8,
}
