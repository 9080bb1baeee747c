//! Trades between two players: what each offers, as each of them sees it.
//!
//! Keeps true: a character is in one trade at most; the two sides of a trade say the same from two
//! ends; what is offered lies in its owner's bag and is marked, and nothing has moved before both
//! have confirmed.

use spacetimedb::{Filter, Identity, client_visibility_filter, table};

/// A trade that is asked for or goes on. Removed when it ends.
#[table(name = trade)]
#[derive(Clone)]
pub struct Trade {
    /// Never reused.
    #[primary_key]
    pub trade_id: u64,
    /// The character that asked for it.
    #[unique]
    pub asker_id: u64,
    /// The character that was asked.
    #[unique]
    pub asked_id: u64,
    /// When it ends by itself, microseconds since 1970.
    pub ends_at_micros: i64,
}

/// A trade as one of the two sees it.
#[table(name = trade_side, public)]
#[derive(Clone)]
#[expect(clippy::struct_excessive_bools, reason = "columns that are asked for one by one")]
pub struct TradeSide {
    /// Whose side it is.
    #[primary_key]
    pub character_id: u64,
    /// Which trade.
    pub trade_id: u64,
    /// The other character.
    pub other_id: u64,
    /// The player of `character_id`.
    pub viewer: Identity,
    /// Copper offered by the viewer, less than 2^60.
    pub copper: u64,
    /// Copper offered by the other.
    pub other_copper: u64,
    /// When it ends by itself, microseconds since 1970.
    pub ends_at_micros: i64,
    /// Grows with each change of what is offered: locking and confirming name it.
    pub revision: u32,
    /// What is taken of coins that change hands, basis points; as it was when it began.
    pub tax_bps: u16,
    /// Whether it was agreed to; until then nothing can be offered.
    pub is_open: bool,
    /// Whether the viewer asked for it.
    pub has_asked: bool,
    /// Whether the viewer has locked what is offered.
    pub is_locked: bool,
    /// Whether the other has.
    pub other_is_locked: bool,
    /// Whether the viewer has confirmed.
    pub has_confirmed: bool,
    /// Whether the other has.
    pub other_has_confirmed: bool,
}

#[client_visibility_filter]
const TRADE_SIDE_FILTER: Filter = Filter::Sql("SELECT * FROM trade_side WHERE viewer = :sender");

/// A stack that is offered, once for each of the two.
#[table(name = trade_offer, public)]
#[derive(Clone)]
pub struct TradeOffer {
    /// The viewer's character in the upper 64 bits, the stack in the lower.
    #[primary_key]
    pub offer_key: u128,
    /// The stack.
    pub item_id: u64,
    /// The viewer's character.
    pub character_id: u64,
    /// The player of it.
    pub viewer: Identity,
    /// How many.
    pub count: u32,
    /// What is left of it.
    pub durability: u16,
    /// Whether the viewer offers it.
    pub is_own: bool,
    /// Key of its definition.
    pub def: String,
}

#[client_visibility_filter]
const TRADE_OFFER_FILTER: Filter = Filter::Sql("SELECT * FROM trade_offer WHERE viewer = :sender");
