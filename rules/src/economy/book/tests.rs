//! The book against a model of it that is a plain list, searched from end to end.

use super::super::market::{price_of, step_of};
use super::*;
use proptest::prelude::*;
use std::collections::BTreeMap;

/// Coins and goods that everybody begins with.
const COINS: i128 = 1_000_000_000_000_000_000;
const GOODS: i128 = 1_000_000;

/// An order, as both sides of the comparison keep it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(clippy::struct_field_names, reason = "the names of the columns")]
struct Order {
    order_id: u64,
    account_id: u64,
    side: Side,
    price_copper: u64,
    remaining: u32,
    is_frozen: bool,
}

/// A fill, as both tell it.
type Told = (u64, u32, u64);

/// A book that is kept in memory.
#[derive(Clone, Debug, Default, PartialEq)]
struct Hall {
    tops: BTreeMap<Side, u128>,
    words: BTreeMap<(Side, u8), u128>,
    levels: BTreeMap<(Side, u16), Level>,
    links: BTreeMap<u64, Links>,
    orders: BTreeMap<u64, Order>,
    /// Coins and goods by account, those that wait with an order included.
    purses: BTreeMap<u64, (i128, i128)>,
    told: Vec<Told>,
    /// How often a row was read or written.
    steps: std::cell::Cell<u32>,
}

fn keep<K: Ord, V: Default + PartialEq>(rows: &mut BTreeMap<K, V>, key: K, value: V) {
    if value == V::default() {
        rows.remove(&key);
    } else {
        rows.insert(key, value);
    }
}

impl Hall {
    fn count(&self) {
        self.steps.set(self.steps.get() + 1);
    }

    fn purse(&mut self, account_id: u64) -> &mut (i128, i128) {
        self.purses.entry(account_id).or_insert((COINS, GOODS))
    }
}

impl Shelf for Hall {
    fn top(&self, side: Side) -> u128 {
        self.count();
        self.tops.get(&side).copied().unwrap_or_default()
    }

    fn set_top(&mut self, side: Side, bits: u128) {
        self.count();
        keep(&mut self.tops, side, bits);
    }

    fn word(&self, side: Side, word: u8) -> u128 {
        self.count();
        self.words.get(&(side, word)).copied().unwrap_or_default()
    }

    fn set_word(&mut self, side: Side, word: u8, bits: u128) {
        self.count();
        keep(&mut self.words, (side, word), bits);
    }

    fn level(&self, side: Side, step: u16) -> Level {
        self.count();
        self.levels.get(&(side, step)).copied().unwrap_or_default()
    }

    fn set_level(&mut self, side: Side, step: u16, level: Level) {
        self.count();
        keep(&mut self.levels, (side, step), level);
    }

    fn links(&self, order_id: u64) -> Links {
        self.count();
        self.links[&order_id]
    }

    fn set_links(&mut self, order_id: u64, links: Option<Links>) {
        self.count();
        match links {
            Some(links) => self.links.insert(order_id, links),
            None => self.links.remove(&order_id),
        };
    }
}

impl Desk for Hall {
    type Error = MarketError;

    fn resting(&self, order_id: u64) -> Resting {
        let Order { account_id, price_copper, remaining, .. } = self.orders[&order_id];
        Resting { order_id, account_id, price_copper, remaining }
    }

    fn is_free(&self, resting: &Resting) -> bool {
        !self.orders[&resting.order_id].is_frozen
    }

    fn fill(&mut self, taker: &Taker, resting: &Resting, fill: &Fill) -> Result<(), MarketError> {
        let (buyer, seller) = match taker.side {
            Side::Buy => (taker.account_id, resting.account_id),
            Side::Sell => (resting.account_id, taker.account_id),
        };
        let (copper, count) = (i128::from(fill.copper), i128::from(fill.count));
        *self.purse(buyer) = (self.purse(buyer).0 - copper, self.purse(buyer).1 + count);
        *self.purse(seller) = (self.purse(seller).0 + copper, self.purse(seller).1 - count);
        self.told.push((resting.order_id, fill.count, fill.price_copper));
        let order = self.orders.get_mut(&resting.order_id).expect("it waits");
        order.remaining -= fill.count;
        if order.remaining == 0 {
            self.orders.remove(&resting.order_id);
        }
        Ok(())
    }

    fn withdraw(&mut self, resting: &Resting) {
        self.orders.remove(&resting.order_id);
    }
}

/// The model: all orders that wait, in no order.
#[derive(Clone, Debug, Default)]
struct Model(Vec<Order>);

impl Model {
    /// The best of a side, looked for everywhere.
    fn best(&self, side: Side) -> Option<usize> {
        let of_side = |index: &usize| self.0[*index].side == side;
        let rank = |index: &usize| {
            let order = &self.0[*index];
            let price = i128::from(order.price_copper);
            (if side == Side::Buy { -price } else { price }, order.order_id)
        };
        (0..self.0.len()).filter(of_side).min_by_key(rank)
    }

    /// What comes of an order: its fills, or nothing where it meets its own.
    fn place(&mut self, mut order: Order) -> Option<Vec<Told>> {
        let mut told = vec![];
        let mut met = 0;
        let before = self.0.clone();
        while order.remaining > 0 {
            let Some(index) = self.best(order.side.other()) else { break };
            let other = self.0[index];
            let (bid, ask) = match order.side {
                Side::Buy => (order.price_copper, other.price_copper),
                Side::Sell => (other.price_copper, order.price_copper),
            };
            if bid < ask {
                break;
            }
            if other.account_id == order.account_id {
                self.0 = before;
                return None;
            }
            if met == FILLS_MAX {
                return Some(told);
            }
            met += 1;
            if other.is_frozen {
                self.0.remove(index);
                continue;
            }
            let count = order.remaining.min(other.remaining);
            told.push((other.order_id, count, other.price_copper));
            order.remaining -= count;
            self.0[index].remaining -= count;
            self.0.retain(|order| order.remaining > 0);
        }
        if order.remaining > 0 {
            self.0.push(order);
        }
        Some(told)
    }
}

/// Something that somebody does.
#[derive(Clone, Copy, Debug)]
enum Act {
    Place { account_id: u64, is_buy: bool, step: u16, count: u32 },
    Cancel { pick: usize },
    Freeze { pick: usize },
}

fn act() -> impl Strategy<Value = Act> {
    // Few prices, so that orders meet; some far away, in other words of bits.
    let step = prop_oneof![4 => 120..136_u16, 1 => 1..STEPS];
    let place =
        (1..5_u64, any::<bool>(), step, 1..30_u32).prop_map(|(account_id, is_buy, step, count)| {
            Act::Place { account_id, is_buy, step, count }
        });
    prop_oneof![
        8 => place,
        2 => any::<usize>().prop_map(|pick| Act::Cancel { pick }),
        1 => any::<usize>().prop_map(|pick| Act::Freeze { pick }),
    ]
}

/// Places an order in the hall as a reducer does: all of it or nothing.
fn place(hall: &mut Hall, order: Order) -> Option<Vec<Told>> {
    let mut tried = hall.clone();
    tried.told.clear();
    place_in(&mut tried, order)?;
    *hall = tried;
    Some(hall.told.clone())
}

/// The same without a way back.
fn place_in(hall: &mut Hall, order: Order) -> Option<()> {
    let Order { account_id, side, price_copper, remaining, .. } = order;
    let mut taker = Taker { account_id, side, price_copper, remaining, fills: 0 };
    let end = run(hall, &mut taker).ok()?;
    assert!(taker.fills <= FILLS_MAX);
    assert_eq!(end == Next::Filled, taker.remaining == 0);
    if end == Next::Waits {
        let step = step_of(price_copper).expect("a price");
        join(hall, side, step, order.order_id, taker.remaining);
        hall.orders.insert(order.order_id, Order { remaining: taker.remaining, ..order });
    }
    Some(())
}

fn cancel(hall: &mut Hall, order_id: u64) {
    let order = hall.orders.remove(&order_id).expect("it waits");
    let step = step_of(order.price_copper).expect("a price");
    leave(hall, order.side, step, order_id, order.remaining);
}

/// Everybody who waits at a price, from the first to the last.
fn line(hall: &Hall, level: Level) -> Vec<u64> {
    let mut line = vec![];
    let mut order_id = level.first;
    while order_id != 0 {
        line.push(order_id);
        order_id = hall.links(order_id).after;
    }
    line
}

/// What holds of a book, whatever was done.
fn check(hall: &Hall, model: &Model) {
    let mut seen = vec![];
    for ((side, step), level) in &hall.levels {
        let line = line(hall, *level);
        assert!(line.windows(2).all(|pair| pair[0] < pair[1]), "who came first is first: {line:?}");
        assert_eq!(line.last(), Some(&level.last));
        assert_eq!(line.len(), level.orders as usize);
        let orders = line.iter().map(|order_id| hall.orders[order_id]);
        let all = orders.clone().map(|order| u64::from(order.remaining)).sum::<u64>();
        assert_eq!(all, level.count);
        assert!(orders.clone().all(|order| order.remaining > 0));
        let price = price_of(*step);
        assert!(orders.clone().all(|order| (order.side, order.price_copper) == (*side, price)));
        seen.extend(orders);
        let (word, bit) = (u8::try_from(step / WORD_STEPS).expect("fits"), step % WORD_STEPS);
        assert_ne!(hall.word(*side, word) & (1 << bit), 0, "a level that is not marked");
        assert_ne!(hall.top(*side) & (1 << word), 0, "a word that is not marked");
    }
    let marked: u32 = hall.words.values().map(|bits| bits.count_ones()).sum();
    assert_eq!(marked as usize, hall.levels.len(), "nothing else is marked");
    let words: u32 = hall.tops.values().map(|bits| bits.count_ones()).sum();
    assert_eq!(words as usize, hall.words.len());
    assert_eq!(hall.links.len(), seen.len());
    seen.sort_unstable_by_key(|order| order.order_id);
    let mut expected = model.0.clone();
    expected.sort_unstable_by_key(|order| order.order_id);
    assert_eq!(seen, expected, "the same orders wait");
    let price = |side| best(hall, side).map(|(step, _)| price_of(step));
    if let (Some(buy), Some(sell)) = (price(Side::Buy), price(Side::Sell)) {
        assert!(buy < sell, "the book is crossed: {buy} {sell}");
    }
    for side in [Side::Buy, Side::Sell] {
        let first = model.best(side).map(|index| model.0[index].order_id);
        assert_eq!(best(hall, side).map(|(_, order_id)| order_id), first);
    }
    let total = |which: fn(&(i128, i128)) -> i128| hall.purses.values().map(which).sum::<i128>();
    let everybody = i128::try_from(hall.purses.len()).expect("fits");
    assert_eq!(total(|purse| purse.0), everybody * COINS, "coins are neither more nor less");
    assert_eq!(total(|purse| purse.1), everybody * GOODS, "goods are neither more nor less");
}

fn play(acts: &[Act]) {
    let (mut hall, mut model) = (Hall::default(), Model::default());
    for (order_id, act) in (1..).zip(acts) {
        let picked = |pick: usize| {
            let index = pick.checked_rem(model.0.len())?;
            Some((index, model.0[index].order_id))
        };
        match *act {
            Act::Place { account_id, is_buy, step, count: remaining } => {
                let (side, price_copper) = (Side::of(is_buy), price_of(step));
                let is_frozen = false;
                let order =
                    Order { order_id, account_id, side, price_copper, remaining, is_frozen };
                assert_eq!(place(&mut hall, order), model.place(order), "{order:?}");
            }
            Act::Cancel { pick } => {
                let Some((index, order_id)) = picked(pick) else { continue };
                cancel(&mut hall, order_id);
                model.0.remove(index);
            }
            Act::Freeze { pick } => {
                let Some((index, order_id)) = picked(pick) else { continue };
                hall.orders.get_mut(&order_id).expect("it waits").is_frozen = true;
                model.0[index].is_frozen = true;
            }
        }
        check(&hall, &model);
    }
}

const fn taker(side: Side, price_copper: u64, remaining: u32) -> Taker {
    Taker { account_id: 1, side, price_copper, remaining, fills: 0 }
}

const fn resting(price_copper: u64, remaining: u32) -> Resting {
    Resting { order_id: 7, account_id: 2, price_copper, remaining }
}

#[test]
fn orders_meet_at_the_price_of_the_one_that_waited() {
    use Side::{Buy, Sell};
    let meets = |count, price_copper, copper, spared_copper| {
        Ok(Next::Meets(Fill { count, price_copper, copper, spared_copper }))
    };
    for (taker, resting, expected) in [
        (taker(Buy, 10, 5), Some(resting(8, 3)), meets(3, 8, 24, 6)),
        (taker(Buy, 10, 2), Some(resting(10, 3)), meets(2, 10, 20, 0)),
        (taker(Sell, 8, 5), Some(resting(10, 9)), meets(5, 10, 50, 0)),
        (taker(Buy, 9, 5), Some(resting(10, 3)), Ok(Next::Waits)),
        (taker(Sell, 11, 5), Some(resting(10, 3)), Ok(Next::Waits)),
        (taker(Sell, 11, 5), None, Ok(Next::Waits)),
        (taker(Buy, 10, 0), Some(resting(8, 3)), Ok(Next::Filled)),
        (taker(Buy, 10, 0), None, Ok(Next::Filled)),
        (Taker { fills: FILLS_MAX, ..taker(Buy, 10, 1) }, Some(resting(8, 3)), Ok(Next::ComesBack)),
        (Taker { fills: FILLS_MAX, ..taker(Buy, 7, 1) }, Some(resting(8, 3)), Ok(Next::Waits)),
        (
            Taker { account_id: 2, ..taker(Buy, 10, 1) },
            Some(resting(8, 3)),
            Err(MarketError::OrderOwn),
        ),
        (Taker { account_id: 2, ..taker(Buy, 7, 1) }, Some(resting(8, 3)), Ok(Next::Waits)),
    ] {
        assert_eq!(next(&taker, resting.as_ref()), expected, "{taker:?} {resting:?}");
    }
}

#[test]
fn the_same_few_steps_are_taken_with_ten_orders_as_with_ten_thousand() {
    let mut steps = vec![];
    for orders in [10_u64, 10_000] {
        let mut hall = Hall::default();
        for order_id in 1..=orders {
            let step = u16::try_from(5_000 + order_id % 4_000).expect("fits");
            let (side, price_copper) = (Side::Sell, price_of(step));
            let order = Order {
                order_id,
                account_id: 2,
                side,
                price_copper,
                remaining: 5,
                is_frozen: false,
            };
            place_in(&mut hall, order);
        }
        let mut taken = vec![];
        let mut measure = |hall: &mut Hall, act: &dyn Fn(&mut Hall)| {
            hall.steps.set(0);
            act(hall);
            taken.push(hall.steps.get());
        };
        let order = |order_id, side, step: u16| Order {
            order_id,
            account_id: 1,
            side,
            price_copper: price_of(step),
            remaining: 5,
            is_frozen: false,
        };
        measure(&mut hall, &|hall| {
            place_in(hall, order(orders + 1, Side::Sell, 9_500));
        });
        measure(&mut hall, &|hall| cancel(hall, orders + 1));
        measure(&mut hall, &|hall| {
            place_in(hall, order(orders + 2, Side::Buy, 9_000));
        });
        assert!(taken.iter().all(|steps| *steps <= 24), "{taken:?}");
        steps.push(taken);
    }
    let differ = |(few, many): (&u32, &u32)| many.abs_diff(*few) > 3;
    assert!(!steps[0].iter().zip(&steps[1]).any(differ), "{steps:?}");
}

#[test]
fn the_first_and_the_last_step_are_found() {
    let mut hall = Hall::default();
    for (order_id, step) in [(1, 1), (2, STEPS - 1)] {
        join(&mut hall, Side::Buy, step, order_id, 1);
        join(&mut hall, Side::Sell, step, order_id + 10, 1);
    }
    assert_eq!(best(&hall, Side::Buy), Some((STEPS - 1, 2)));
    assert_eq!(best(&hall, Side::Sell), Some((1, 11)));
    leave(&mut hall, Side::Buy, STEPS - 1, 2, 1);
    leave(&mut hall, Side::Sell, 1, 11, 1);
    assert_eq!(best(&hall, Side::Buy), Some((1, 1)));
    assert_eq!(best(&hall, Side::Sell), Some((STEPS - 1, 12)));
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 10_000, ..ProptestConfig::default() })]

    #[test]
    fn a_book_does_what_a_plain_list_does(acts in prop::collection::vec(act(), 0..60)) {
        play(&acts);
    }
}
