//! The market: what a price may be, what it costs to sell there, and how auctions go.
//!
//! Keeps true: a cut and a deposit are never more than what they are taken of; a bid rises by at
//! least one copper; the steps that orders' prices stand on rise with the price.

use crate::errors::domain_errors;
use crate::keys::joint_key;

domain_errors! {
    /// Why something about auctions or orders was refused.
    MarketError {
        Dead = 950, "market.dead", "the dead do not trade";
        PriceInvalid = 951, "market.price_invalid", "a price is at least 1 copper, and at most what the market takes";
        PriceStep = 952, "market.price_step", "the price of an order has at most three significant digits";
        BuyoutInvalid = 953, "market.buyout_invalid", "a buyout is not below the first bid, and at most what the market takes";
        HoursInvalid = 954, "market.hours_invalid", "an auction lasts 12, 24 or 48 hours";
        CountInvalid = 955, "market.count_invalid", "an order is for at least 1 and at most 1000 pieces and 20 stacks";
        NotACommodity = 956, "market.not_a_commodity", "only goods that stack and are bound to nobody are ordered by number";
        NotInBags = 957, "market.not_in_bags", "only what lies in the caller's bags is sold";
        GoodsMissing = 958, "market.goods_missing", "there are not that many of them, free to be sold, in the caller's bags";
        AuctionsTooMany = 959, "market.auctions_too_many", "the account has as many auctions as it may";
        BidsTooMany = 960, "market.bids_too_many", "the account has bids in as many auctions as it may";
        OrdersTooMany = 961, "market.orders_too_many", "the account has as many orders as it may, those counted in which something is left to collect";
        AuctionUnknown = 962, "market.auction_unknown", "there is no such auction";
        AuctionEnded = 963, "market.auction_ended", "the auction is over";
        AuctionOwn = 964, "market.auction_own", "one does not bid in one's own auction";
        AuctionNotOwn = 965, "market.auction_not_own", "the auction is somebody else's";
        AuctionHasBids = 966, "market.auction_has_bids", "an auction in which somebody has bid goes on";
        NoBuyout = 967, "market.no_buyout", "the auction has no buyout";
        BidTooLow = 968, "market.bid_too_low", "the bid is below the least that is taken";
        BidTooHigh = 969, "market.bid_too_high", "whoever bids the buyout or more buys it out";
        OrderUnknown = 970, "market.order_unknown", "there is no such order of the caller";
        OrderDone = 971, "market.order_done", "nothing of the order waits any more";
        OrderOwn = 972, "market.order_own", "the order would meet one of the same account";
        NothingToCollect = 973, "market.nothing_to_collect", "there is nothing to collect";
    }
}

/// Most copper of a bid or a buyout.
pub const BID_COPPER_MAX: u64 = 1_000_000_000_000_000;
/// Most copper of one piece in an order.
pub const PRICE_COPPER_MAX: u64 = 9_990_000_000_000;
/// Most pieces of an order.
pub const ORDER_COUNT_MAX: u32 = 1_000;
/// Most stacks that the pieces of an order make.
pub const ORDER_STACKS_MAX: u32 = 20;
/// How long an order waits, hours.
pub const ORDER_HOURS: i64 = 720;
/// How long something waits to be collected before it comes by mail, hours.
pub const COLLECT_HOURS: i64 = 720;
/// How long after a bid an auction goes on at least, microseconds.
pub const LAST_CALL_MICROS: i64 = 300_000_000;
/// How long after its own end an auction is over whatever is bid, microseconds.
pub const OVERTIME_MICROS: i64 = 3_600_000_000;
/// How long what staff has frozen keeps an auction or an order open beyond its end, microseconds.
pub const FROZEN_WAIT_MICROS: i64 = 3_600_000_000;
/// An hour, microseconds.
pub const HOUR_MICROS: i64 = 3_600_000_000;
/// How long prices of hours are kept, hours.
pub const HOURS_RETENTION: i64 = 168;
/// How long prices of days are kept, days.
pub const DAYS_RETENTION: i64 = 365;
/// How many steps prices have, 0 included, which is none.
pub const STEPS: u16 = 10_000;

/// Basis points of the whole.
const BPS: u128 = 10_000;
/// The highest number that is a price of three digits.
const DIGITS_MAX: u64 = 999;
/// Steps of each power of ten above three digits.
const DECADE_STEPS: u16 = 900;

/// What the market keeps of a sale, rounded down.
pub fn cut(copper: u64, cut_bps: u32) -> u64 {
    let cut = u128::from(copper) * u128::from(cut_bps) / BPS;
    u64::try_from(cut).unwrap_or(copper).min(copper)
}

/// What is held until something is sold, for each twelve hours that part of the first bid, the sum
/// rounded up.
pub fn deposit(bid_copper: u64, hours: u8, deposit_bps: u32) -> u64 {
    let halves = u128::from(hours / 12);
    let deposit = (u128::from(bid_copper) * u128::from(deposit_bps) * halves).div_ceil(BPS);
    u64::try_from(deposit).unwrap_or(u64::MAX)
}

/// The least that beats a bid: more by that part of it, rounded up, and by 1 copper at least.
pub fn next_bid(bid_copper: u64, raise_bps: u32) -> u64 {
    let raise = (u128::from(bid_copper) * u128::from(raise_bps)).div_ceil(BPS);
    bid_copper.saturating_add(u64::try_from(raise).unwrap_or(u64::MAX).max(1))
}

/// What an auction asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Asked {
    /// The first bid, copper.
    pub bid_copper: u64,
    /// For which it goes at once, copper; 0 for not at all.
    pub buyout_copper: u64,
    /// How long it lasts.
    pub hours: u8,
}

/// Whether somebody may ask for that.
///
/// # Errors
/// In this order: `PriceInvalid`, `BuyoutInvalid`, `HoursInvalid`.
pub fn validate_asked(asked: Asked) -> Result<(), MarketError> {
    if !(1..=BID_COPPER_MAX).contains(&asked.bid_copper) {
        return Err(MarketError::PriceInvalid);
    }
    let is_buyout = (asked.bid_copper..=BID_COPPER_MAX).contains(&asked.buyout_copper);
    if asked.buyout_copper != 0 && !is_buyout {
        return Err(MarketError::BuyoutInvalid);
    }
    if [12, 24, 48].contains(&asked.hours) { Ok(()) } else { Err(MarketError::HoursInvalid) }
}

/// How an auction stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Standing {
    /// Whose it is.
    pub seller_account_id: u64,
    /// When it is over, microseconds since 1970.
    pub ends_at_micros: i64,
    /// When it is over whatever is bid, microseconds since 1970.
    pub last_end_at_micros: i64,
    /// The least that is taken, copper.
    pub next_bid_copper: u64,
    /// For which it goes at once, copper; 0 for not at all.
    pub buyout_copper: u64,
    /// How many have bid.
    pub bids: u32,
}

/// Decides about a bid: when the auction ends now. A bid in the last minutes puts its end off to
/// [`LAST_CALL_MICROS`] later, at most [`OVERTIME_MICROS`] in all.
///
/// # Errors
/// In this order: `AuctionEnded`, `AuctionOwn`, `BidTooLow`, `BidTooHigh`.
pub fn bid(
    standing: &Standing,
    account_id: u64,
    bid_copper: u64,
    now_micros: i64,
) -> Result<i64, MarketError> {
    check_buyer(standing, account_id, now_micros)?;
    if bid_copper < standing.next_bid_copper {
        return Err(MarketError::BidTooLow);
    }
    let most = if standing.buyout_copper == 0 {
        BID_COPPER_MAX
    } else {
        standing.buyout_copper.saturating_sub(1)
    };
    if bid_copper > most {
        return Err(MarketError::BidTooHigh);
    }
    let called = now_micros.saturating_add(LAST_CALL_MICROS).min(standing.last_end_at_micros);
    Ok(standing.ends_at_micros.max(called))
}

/// Decides about a buyout: what it costs, copper.
///
/// # Errors
/// In this order: `AuctionEnded`, `AuctionOwn`, `NoBuyout`.
pub fn buyout(standing: &Standing, account_id: u64, now_micros: i64) -> Result<u64, MarketError> {
    check_buyer(standing, account_id, now_micros)?;
    if standing.buyout_copper == 0 {
        return Err(MarketError::NoBuyout);
    }
    Ok(standing.buyout_copper)
}

/// Decides whether an auction may be taken back.
///
/// # Errors
/// In this order: `AuctionNotOwn`, `AuctionEnded`, `AuctionHasBids`.
pub fn check_cancel(
    standing: &Standing,
    account_id: u64,
    now_micros: i64,
) -> Result<(), MarketError> {
    if standing.seller_account_id != account_id {
        return Err(MarketError::AuctionNotOwn);
    }
    if now_micros >= standing.ends_at_micros {
        return Err(MarketError::AuctionEnded);
    }
    if standing.bids > 0 { Err(MarketError::AuctionHasBids) } else { Ok(()) }
}

fn check_buyer(standing: &Standing, account_id: u64, now_micros: i64) -> Result<(), MarketError> {
    if now_micros >= standing.ends_at_micros {
        return Err(MarketError::AuctionEnded);
    }
    if standing.seller_account_id == account_id {
        return Err(MarketError::AuctionOwn);
    }
    Ok(())
}

/// The step that a price stands on, 1 to 9,999: prices of orders have three significant digits, so
/// that a book has no more levels than that, however many orders wait in it.
///
/// # Errors
/// In this order: `PriceInvalid`, `PriceStep`.
pub fn step_of(price_copper: u64) -> Result<u16, MarketError> {
    if !(1..=PRICE_COPPER_MAX).contains(&price_copper) {
        return Err(MarketError::PriceInvalid);
    }
    let (mut digits, mut decades) = (price_copper, 0_u16);
    while digits > DIGITS_MAX {
        if !digits.is_multiple_of(10) {
            return Err(MarketError::PriceStep);
        }
        digits /= 10;
        decades += 1;
    }
    let digits = u16::try_from(digits).map_err(|_| MarketError::PriceInvalid)?;
    Ok(if decades == 0 { digits } else { digits + decades * DECADE_STEPS })
}

/// The price of a step, copper; 0 for a number that is none.
pub fn price_of(step: u16) -> u64 {
    if step >= STEPS {
        return 0;
    }
    if u64::from(step) <= DIGITS_MAX {
        return u64::from(step);
    }
    let above = step - 1_000;
    let (decades, digits) = (1 + above / DECADE_STEPS, 100 + above % DECADE_STEPS);
    u64::from(digits) * 10_u64.pow(u32::from(decades))
}

/// Whether an order may be for so many, of goods that stack that high.
///
/// # Errors
/// In this order: `CountInvalid`, `NotACommodity`.
pub fn check_count(count: u32, stack_max: u32) -> Result<(), MarketError> {
    if !(1..=ORDER_COUNT_MAX).contains(&count) {
        return Err(MarketError::CountInvalid);
    }
    if stack_max < 2 {
        return Err(MarketError::NotACommodity);
    }
    let stacks = count.div_ceil(stack_max);
    if stacks <= ORDER_STACKS_MAX { Ok(()) } else { Err(MarketError::CountInvalid) }
}

/// The number that everything about a definition is subscribed to by: 32-bit FNV-1a of its key's
/// bytes. Two definitions may share one.
pub fn def_hash(def: &str) -> u32 {
    def.bytes().fold(0x811c_9dc5, |hash, byte| (hash ^ u32::from(byte)).wrapping_mul(0x0100_0193))
}

/// What prices are gathered over. The numbers stand in rows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Span {
    /// An hour of UTC.
    Hour = 1,
    /// A day of UTC.
    Day = 2,
}

impl Span {
    /// How long it is, microseconds.
    pub const fn micros(self) -> i64 {
        match self {
            Self::Hour => HOUR_MICROS,
            Self::Day => 24 * HOUR_MICROS,
        }
    }

    /// How many of it are kept.
    pub const fn retention(self) -> i64 {
        match self {
            Self::Hour => HOURS_RETENTION,
            Self::Day => DAYS_RETENTION,
        }
    }

    /// The number, counted from 1970, of the one that an instant lies in.
    pub fn period(self, at_micros: i64) -> u32 {
        u32::try_from(at_micros.div_euclid(self.micros())).unwrap_or(0)
    }

    /// The key of what is known of an item in one of them: span, number, item.
    pub const fn key(self, period: u32, market_item_id: u32) -> u128 {
        joint_key(self as u64, ((period as u64) << 32) | market_item_id as u64)
    }

    /// The keys of what is older than it is kept.
    pub fn stale(self, now_micros: i64) -> std::ops::Range<u128> {
        let kept = u32::try_from(self.retention()).unwrap_or(u32::MAX);
        let oldest = self.period(now_micros).saturating_sub(kept);
        self.key(0, 0)..self.key(oldest, 0)
    }
}

/// What something went for over a time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Prices {
    /// Pieces.
    pub volume: u64,
    /// Copper for all of them.
    pub sum_copper: u64,
    /// The least that was paid for a piece.
    pub low_copper: u64,
    /// The most.
    pub high_copper: u64,
    /// What was paid last.
    pub last_copper: u64,
}

impl Prices {
    /// Those of one sale: what a piece went for is rounded down.
    pub fn of(count: u32, copper: u64) -> Self {
        let each = copper / u64::from(count.max(1));
        let volume = u64::from(count);
        Self { volume, sum_copper: copper, low_copper: each, high_copper: each, last_copper: each }
    }

    /// Those of this time and of what came after it. Sums end at the largest number.
    #[must_use]
    pub fn and(self, later: Self) -> Self {
        Self {
            volume: self.volume.saturating_add(later.volume),
            sum_copper: self.sum_copper.saturating_add(later.sum_copper),
            low_copper: self.low_copper.min(later.low_copper),
            high_copper: self.high_copper.max(later.high_copper),
            last_copper: later.last_copper,
        }
    }
}

#[cfg(test)]
mod tests;
