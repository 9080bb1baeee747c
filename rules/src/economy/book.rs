//! The order book: who is served first, what is filled at which price, and what waits.
//!
//! Keeps true: the best price comes first, and at one price who came first; a fill is at the price
//! of the order that waited; no two orders that could meet wait in a book; nobody meets himself.
//!
//! A book is read and written through a [`Shelf`], row by row: the best price stands in two words
//! of bits, orders of a price in a list from the first to the last. So whatever is done takes the
//! same few steps with ten orders as with a million, and nothing ever goes through a book.

use super::market::{MarketError, STEPS};

/// Most orders that one call fills. What could still be filled then comes back to whoever called.
pub const FILLS_MAX: u32 = 16;
/// Steps that share a word of bits.
const WORD_STEPS: u16 = 128;
/// Words of a side; a bit for each fits into one of their own.
pub const WORDS: u8 = 79;

const _: () = assert!((STEPS - 1) / WORD_STEPS < WORDS as u16 && WORDS < 128);

/// A side of the book.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Side {
    /// Who wants to buy: the highest price comes first.
    Buy,
    /// Who wants to sell: the lowest price comes first.
    Sell,
}

impl Side {
    /// The side that it meets.
    #[must_use]
    pub const fn other(self) -> Self {
        match self {
            Self::Buy => Self::Sell,
            Self::Sell => Self::Buy,
        }
    }

    /// That of who buys, or sells.
    pub const fn of(is_buy: bool) -> Self {
        if is_buy { Self::Buy } else { Self::Sell }
    }
}

/// The orders that wait at one price.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Level {
    /// Who is served first; 0 for nobody.
    pub first: u64,
    /// Who came last; 0 for nobody.
    pub last: u64,
    /// Pieces of all of them.
    pub count: u64,
    /// How many they are.
    pub orders: u32,
}

/// Who stands before and after an order at its price; 0 for nobody.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Links {
    /// Who came before it.
    pub before: u64,
    /// Who came after it.
    pub after: u64,
}

/// Where a book is kept. What is not there is nothing: no bits, an empty level, no neighbours; what
/// becomes nothing is removed.
pub trait Shelf {
    /// Which words of a side have bits.
    fn top(&self, side: Side) -> u128;
    /// Writes that.
    fn set_top(&mut self, side: Side, bits: u128);
    /// Which steps of a word have orders.
    fn word(&self, side: Side, word: u8) -> u128;
    /// Writes that.
    fn set_word(&mut self, side: Side, word: u8, bits: u128);
    /// Who waits at a step.
    fn level(&self, side: Side, step: u16) -> Level;
    /// Writes that.
    fn set_level(&mut self, side: Side, step: u16, level: Level);
    /// Who stands around an order.
    fn links(&self, order_id: u64) -> Links;
    /// Writes that; none when the order leaves.
    fn set_links(&mut self, order_id: u64, links: Option<Links>);
}

/// An order that waits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Resting {
    /// Its number.
    pub order_id: u64,
    /// Whose it is.
    pub account_id: u64,
    /// What it asks or offers for a piece, copper.
    pub price_copper: u64,
    /// Pieces that are not filled.
    pub remaining: u32,
}

/// An order that comes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Taker {
    /// Whose it is.
    pub account_id: u64,
    /// What it wants.
    pub side: Side,
    /// What it asks or offers for a piece, copper.
    pub price_copper: u64,
    /// Pieces that are not filled.
    pub remaining: u32,
    /// How many orders it has met.
    pub fills: u32,
}

/// What goes from the one to the other.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Fill {
    /// Pieces.
    pub count: u32,
    /// For each of them, copper: what the order that waited asks or offers.
    pub price_copper: u64,
    /// For all of them.
    pub copper: u64,
    /// What the buyer offered for them beyond that.
    pub spared_copper: u64,
}

/// What comes next for an order that comes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Next {
    /// It meets the best one.
    Meets(Fill),
    /// All of it is filled.
    Filled,
    /// What is left of it waits.
    Waits,
    /// What is left of it could be filled, but not in this call.
    ComesBack,
}

/// Decides what comes next, given the best of the other side.
///
/// # Errors
/// `OrderOwn`.
pub fn next(taker: &Taker, best: Option<&Resting>) -> Result<Next, MarketError> {
    if taker.remaining == 0 {
        return Ok(Next::Filled);
    }
    let meets = |resting: &&Resting| match taker.side {
        Side::Buy => resting.price_copper <= taker.price_copper,
        Side::Sell => resting.price_copper >= taker.price_copper,
    };
    let Some(resting) = best.filter(meets) else { return Ok(Next::Waits) };
    if resting.account_id == taker.account_id {
        return Err(MarketError::OrderOwn);
    }
    if taker.fills >= FILLS_MAX {
        return Ok(Next::ComesBack);
    }
    let count = taker.remaining.min(resting.remaining);
    let copper = worth(resting.price_copper, count);
    let offered = match taker.side {
        Side::Buy => worth(taker.price_copper, count),
        Side::Sell => copper,
    };
    let spared_copper = offered - copper;
    Ok(Next::Meets(Fill { count, price_copper: resting.price_copper, copper, spared_copper }))
}

/// What so many pieces cost.
pub fn worth(price_copper: u64, count: u32) -> u64 {
    let worth = price_copper.checked_mul(u64::from(count));
    worth.expect("invariant: prices and counts of orders are bounded")
}

/// A book, and those whose orders are in it.
pub trait Desk: Shelf {
    /// Why a fill cannot be.
    type Error: From<MarketError>;

    /// An order that waits.
    fn resting(&self, order_id: u64) -> Resting;
    /// Whether its goods or coins can move.
    fn is_free(&self, resting: &Resting) -> bool;
    /// Moves goods and coins, and writes what is left of the one that waited.
    ///
    /// # Errors
    /// Then nothing of the whole call may stay.
    fn fill(&mut self, taker: &Taker, resting: &Resting, fill: &Fill) -> Result<(), Self::Error>;
    /// One that waited is out of the book, though not filled.
    fn withdraw(&mut self, resting: &Resting);
}

/// Fills an order that comes with those that wait, the best first, and answers what becomes of the
/// rest: never [`Next::Meets`]. One whose goods or coins cannot move is withdrawn on the way.
///
/// # Errors
/// `OrderOwn`; those of [`Desk::fill`].
pub fn run<D: Desk>(desk: &mut D, taker: &mut Taker) -> Result<Next, D::Error> {
    let side = taker.side.other();
    loop {
        let first = best(desk, side);
        let resting = first.map(|(step, order_id)| (step, desk.resting(order_id)));
        let next = next(taker, resting.as_ref().map(|(_, resting)| resting))?;
        let (Next::Meets(fill), Some((step, resting))) = (next, resting) else {
            return Ok(next);
        };
        taker.fills += 1;
        if !desk.is_free(&resting) {
            leave(desk, side, step, resting.order_id, resting.remaining);
            desk.withdraw(&resting);
            continue;
        }
        desk.fill(taker, &resting, &fill)?;
        taker.remaining -= fill.count;
        if fill.count == resting.remaining {
            leave(desk, side, step, resting.order_id, fill.count);
        } else {
            let level = desk.level(side, step);
            let count = level.count - u64::from(fill.count);
            desk.set_level(side, step, Level { count, ..level });
        }
    }
}

/// The best step of a side, and who is served first there.
pub fn best(shelf: &impl Shelf, side: Side) -> Option<(u16, u64)> {
    let word = first_bit(side, shelf.top(side))?;
    let bit = first_bit(side, shelf.word(side, word))?;
    let step = u16::from(word) * WORD_STEPS + u16::from(bit);
    Some((step, shelf.level(side, step).first))
}

/// The best bit: the highest for who buys, the lowest for who sells.
fn first_bit(side: Side, bits: u128) -> Option<u8> {
    let highest = bits.checked_ilog2()?;
    let bit = match side {
        Side::Buy => highest,
        Side::Sell => bits.trailing_zeros(),
    };
    u8::try_from(bit).ok()
}

/// An order begins to wait, behind all others of its price.
pub fn join(shelf: &mut impl Shelf, side: Side, step: u16, order_id: u64, count: u32) {
    let level = shelf.level(side, step);
    if level.orders == 0 {
        mark(shelf, side, step, true);
    }
    shelf.set_links(order_id, Some(Links { before: level.last, after: 0 }));
    if level.last != 0 {
        let links = shelf.links(level.last);
        shelf.set_links(level.last, Some(Links { after: order_id, ..links }));
    }
    let first = if level.first == 0 { order_id } else { level.first };
    let (count, orders) = (level.count + u64::from(count), level.orders + 1);
    shelf.set_level(side, step, Level { first, last: order_id, count, orders });
}

/// An order that waited leaves, with so many pieces.
pub fn leave(shelf: &mut impl Shelf, side: Side, step: u16, order_id: u64, count: u32) {
    let Links { before, after } = shelf.links(order_id);
    shelf.set_links(order_id, None);
    if before != 0 {
        let links = shelf.links(before);
        shelf.set_links(before, Some(Links { after, ..links }));
    }
    if after != 0 {
        let links = shelf.links(after);
        shelf.set_links(after, Some(Links { before, ..links }));
    }
    let level = shelf.level(side, step);
    let first = if level.first == order_id { after } else { level.first };
    let last = if level.last == order_id { before } else { level.last };
    let (count, orders) = (level.count - u64::from(count), level.orders - 1);
    shelf.set_level(side, step, Level { first, last, count, orders });
    if orders == 0 {
        mark(shelf, side, step, false);
    }
}

/// Whether anybody waits at a step.
fn mark(shelf: &mut impl Shelf, side: Side, step: u16, waits: bool) {
    let (word, bit) = (step / WORD_STEPS, step % WORD_STEPS);
    let word = u8::try_from(word).expect("invariant: steps are bounded");
    let with = |bits: u128, bit: u32| {
        if waits { bits | (1 << bit) } else { bits & !(1 << bit) }
    };
    let before = shelf.word(side, word);
    let after = with(before, u32::from(bit));
    shelf.set_word(side, word, after);
    if (before == 0) != (after == 0) {
        let top = with(shelf.top(side), u32::from(word));
        shelf.set_top(side, top);
    }
}

#[cfg(test)]
mod tests;
