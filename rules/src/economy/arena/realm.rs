//! What lies where: rows in memory, and how goods and coins move between them.
//!
//! Keeps true: a command that is refused leaves nothing, as the database takes back what it wrote.

use std::collections::BTreeMap;
use std::ops::RangeBounds;

use super::{DEFS, Def, Done, ITEMS};
use crate::commands;
use crate::economy::book::{Level, Links, Side};
use crate::economy::prices::Shelf;
use crate::economy::trade::Deal;
use crate::economy::{EconomyError, PurseKind, Sink, Source, moved};
use crate::guilds::bank::{TAB_SLOTS, Taken};
use crate::items::stacks::{Spot, There, plan};
use crate::items::{
    BAG_SLOTS, BUY_BACK_SLOTS, EQUIPMENT_SLOTS, FLAG_FROZEN, FLAG_OFFERED, HolderKind, ItemError,
    SLOTS_UNBOUNDED, bound_at,
};
use crate::mail::{ATTACHMENTS_MAX, LetterKind};

/// Rows of a table, and what they were before the command that is being done.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Rows<K, V> {
    rows: BTreeMap<K, V>,
    undo: Vec<(K, Option<V>)>,
}

impl<K, V> Default for Rows<K, V> {
    fn default() -> Self {
        Self { rows: BTreeMap::new(), undo: vec![] }
    }
}

impl<K: Ord + Copy, V: Clone> Rows<K, V> {
    pub(super) fn get(&self, key: K) -> Option<&V> {
        self.rows.get(&key)
    }

    pub(super) fn has(&self, key: K) -> bool {
        self.rows.contains_key(&key)
    }

    pub(super) fn put(&mut self, key: K, row: Option<V>) {
        let before = match row {
            Some(row) => self.rows.insert(key, row),
            None => self.rows.remove(&key),
        };
        self.undo.push((key, before));
    }

    pub(super) fn range(&self, keys: impl RangeBounds<K>) -> impl Iterator<Item = (K, &V)> {
        self.rows.range(keys).map(|(key, row)| (*key, row))
    }

    pub(super) fn all(&self) -> impl Iterator<Item = (K, &V)> {
        self.rows.iter().map(|(key, row)| (*key, row))
    }

    pub(super) fn len(&self) -> usize {
        self.rows.len()
    }

    fn commit(&mut self) {
        self.undo.clear();
    }

    fn roll_back(&mut self) {
        while let Some((key, before)) = self.undo.pop() {
            match before {
                Some(row) => self.rows.insert(key, row),
                None => self.rows.remove(&key),
            };
        }
    }
}

/// A stack.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Stack {
    pub(super) item_id: u64,
    pub(super) def: Def,
    pub(super) count: u32,
    pub(super) bound_to: u64,
    pub(super) flags: u8,
}

/// Whose slots.
pub(super) type Holder = (HolderKind, u64);
/// A slot.
pub(super) type Place = (HolderKind, u64, u16);
/// An account of the ledger.
pub(super) type Purse = (PurseKind, u64);

/// A letter.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Mail {
    pub(super) kind: LetterKind,
    pub(super) from: u64,
    pub(super) to: u64,
    pub(super) cod_copper: u64,
    pub(super) is_there: bool,
    pub(super) is_returned: bool,
    pub(super) is_paid: bool,
    /// When it is delivered, or over.
    pub(super) due_at: i64,
}

/// A trade between two.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Trade {
    /// Who asked, and who was asked.
    pub(super) both: [u64; 2],
    pub(super) deal: Deal,
    pub(super) ends_at: i64,
}

/// An auction.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Auction {
    pub(super) seller: u64,
    pub(super) bidder: u64,
    pub(super) bid_copper: u64,
    pub(super) next_bid_copper: u64,
    pub(super) buyout_copper: u64,
    pub(super) deposit_copper: u64,
    pub(super) ends_at: i64,
    pub(super) last_end_at: i64,
    pub(super) due_at: i64,
    pub(super) bids: u32,
}

/// An order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Order {
    pub(super) character: u64,
    pub(super) def: Def,
    pub(super) side: Side,
    pub(super) price_copper: u64,
    pub(super) remaining: u32,
    pub(super) coins_due: u64,
    pub(super) goods_due: u32,
    pub(super) due_at: i64,
}

/// What an account has in the market: auctions, and orders.
pub(super) type Used = (u32, u32);

macro_rules! realm {
    ($($name:ident: $key:ty => $row:ty,)*) => {
        /// Everything.
        #[derive(Clone, Debug, Default, PartialEq)]
        pub(super) struct Realm {
            /// Microseconds since 1970.
            pub(super) now: i64,
            pub(super) last_id: u64,
            /// Coins that anything holds or has taken, less those that sources gave.
            pub(super) coins: i128,
            /// Pieces that lie anywhere, by definition.
            pub(super) lying: [i128; DEFS],
            /// What lies as it must not.
            pub(super) problem: Option<String>,
            $(pub(super) $name: Rows<$key, $row>,)*
        }

        impl Realm {
            fn commit(&mut self) {
                $(self.$name.commit();)*
            }

            fn roll_back(&mut self) {
                $(self.$name.roll_back();)*
            }

            /// How many rows there are.
            pub(super) fn rows(&self) -> usize {
                [$(self.$name.len()),*].iter().sum()
            }
        }
    };
}

realm! {
    purses: Purse => u64,
    frozen: Purse => (),
    places: Place => Stack,
    whereabouts: u64 => Place,
    tallies: Def => (u64, u64),
    destroyed: (u64, u64) => (),
    sold: u64 => (u64, u64),
    shelves: Def => Shelf,
    letters: u64 => Mail,
    boxes: (u64, u64) => (),
    letters_due: (i64, u64) => (),
    rates: u64 => i64,
    held: (u64, u64) => (),
    trades: u64 => Trade,
    trading: u64 => u64,
    auctions: u64 => Auction,
    auctions_due: (i64, u64) => (),
    orders: u64 => Order,
    orders_due: (i64, u64) => (),
    orders_of: (u64, u64) => (),
    used: u64 => Used,
    tops: (Def, Side) => u128,
    words: (Def, Side, u8) => u128,
    levels: (Def, Side, u16) => Level,
    links: u64 => Links,
    taken: (u64, u8) => Taken,
    away: u64 => (),
    done: (u64, u64) => commands::Done,
}

pub(super) const fn slots_of(kind: HolderKind) -> u16 {
    match kind {
        HolderKind::Bag => BAG_SLOTS,
        HolderKind::Equipment => EQUIPMENT_SLOTS,
        #[expect(clippy::cast_possible_truncation, reason = "12 of them")]
        HolderKind::Mail | HolderKind::Loot => ATTACHMENTS_MAX as u16,
        HolderKind::Auction => 1,
        HolderKind::Order => 1_000,
        HolderKind::GuildTab => TAB_SLOTS,
        HolderKind::LostAndFound | HolderKind::Destroyed => SLOTS_UNBOUNDED,
        HolderKind::BuyBack => BUY_BACK_SLOTS,
        HolderKind::Trade => 8,
    }
}

/// A source.
pub(super) const fn source(source: Source) -> Purse {
    (PurseKind::Source, source as u64)
}

/// A sink.
pub(super) const fn sink(sink: Sink) -> Purse {
    (PurseKind::Sink, sink as u64)
}

/// A character's wallet.
pub(super) const fn wallet(character: u64) -> Purse {
    (PurseKind::Wallet, character)
}

impl Realm {
    /// Does something wholly or not at all.
    pub(super) fn whole(&mut self, what: impl FnOnce(&mut Self) -> Done) -> Done {
        let (coins, lying) = (self.coins, self.lying);
        let outcome = what(self);
        if outcome.is_ok() {
            self.commit();
        } else {
            self.roll_back();
            (self.coins, self.lying) = (coins, lying);
        }
        outcome
    }

    /// Whether it is what it was before, but for numbers that were given in vain.
    pub(super) fn is_as(&self, before: Self) -> bool {
        let last_id = self.last_id;
        Self { last_id, ..before } == *self
    }

    /// A number that nothing has had.
    pub(super) fn next_id(&mut self) -> u64 {
        self.last_id += 1;
        self.last_id
    }

    pub(super) fn copper(&self, purse: Purse) -> u64 {
        self.purses.get(purse).copied().unwrap_or(0)
    }

    fn set_copper(&mut self, purse: Purse, copper: u64) {
        let change = i128::from(copper) - i128::from(self.copper(purse));
        self.coins += if purse.0 == PurseKind::Source { -change } else { change };
        self.purses.put(purse, (copper > 0).then_some(copper));
    }

    /// Moves coins, as the ledger does.
    pub(super) fn pay(&mut self, from: Purse, to: Purse, copper: u64) -> Done {
        if self.frozen.has(from) || self.frozen.has(to) {
            return Err(EconomyError::Frozen.into());
        }
        let side = |purse: Purse| (purse.0 == PurseKind::Source, self.copper(purse));
        let (left, came) = moved(side(from), side(to), copper)?;
        if from != to {
            self.set_copper(from, left);
            self.set_copper(to, came);
        }
        Ok(())
    }

    /// What lies in a holder, in the order of its slots.
    pub(super) fn contents(&self, (kind, owner): Holder) -> Vec<Stack> {
        let slots = (kind, owner, 0)..=(kind, owner, u16::MAX);
        self.places.range(slots).map(|(_, stack)| *stack).collect()
    }

    /// A stack, if it lies in one of those holders.
    pub(super) fn stack_in(&self, holders: &[Holder], item_id: u64) -> Done<Stack> {
        let place = *self.whereabouts.get(item_id).ok_or(ItemError::Unknown)?;
        if !holders.contains(&(place.0, place.1)) {
            return Err(ItemError::Unknown.into());
        }
        Ok(*self.places.get(place).ok_or(ItemError::Unknown)?)
    }

    fn lay(&mut self, place: Place, stack: Stack) {
        let (kind, owner, slot) = place;
        let item = &ITEMS[usize::from(stack.def)];
        let bound = stack.bound_to == 0 || kind.takes_bound(owner, stack.bound_to);
        let fits = (1..=item.shape.stack_max).contains(&stack.count) && slot < slots_of(kind);
        let known = self.places.get(place).copied();
        if !bound || !fits || known.is_some_and(|known| known.item_id != stack.item_id) {
            self.problem.get_or_insert(format!("{stack:?} at {place:?} with {known:?}"));
        }
        let change = i128::from(stack.count) - known.map_or(0, |known| known.count.into());
        self.lying[usize::from(stack.def)] += change;
        self.places.put(place, Some(stack));
        self.whereabouts.put(stack.item_id, Some(place));
    }

    fn lift(&mut self, stack: &Stack) -> Option<Place> {
        let place = *self.whereabouts.get(stack.item_id)?;
        self.lying[usize::from(stack.def)] -= i128::from(stack.count);
        self.places.put(place, None);
        self.whereabouts.put(stack.item_id, None);
        Some(place)
    }

    /// Changes a stack where it lies; one without pieces is gone.
    pub(super) fn change(&mut self, before: &Stack, after: Stack) {
        let place = self.lift(before);
        if let Some(place) = place.filter(|_| after.count > 0) {
            self.lay(place, after);
        }
    }

    pub(super) fn mark(&mut self, item_id: u64, flag: u8, is_set: bool) {
        let place = self.whereabouts.get(item_id).copied();
        let stack = place.and_then(|place| self.places.get(place).copied());
        if let Some(stack) = stack {
            let flags = if is_set { stack.flags | flag } else { stack.flags & !flag };
            self.change(&stack, Stack { flags, ..stack });
        }
    }

    fn check_unique(&self, def: Def, (kind, owner): Holder, count: u32) -> Done {
        if !ITEMS[usize::from(def)].shape.is_unique || !kind.is_own() {
            return Ok(());
        }
        let own = [HolderKind::Bag, HolderKind::Equipment];
        let has_one =
            own.iter().any(|kind| self.contents((*kind, owner)).iter().any(|one| one.def == def));
        if has_one || count > 1 { Err(ItemError::UniqueTaken.into()) } else { Ok(()) }
    }

    fn there(&self, to: Holder, is_alike: impl Fn(&Stack) -> bool) -> Vec<There> {
        let slots = (to.0, to.1, 0)..=(to.0, to.1, u16::MAX);
        let there = self.places.range(slots).map(|((_, _, slot), stack)| There {
            slot,
            item_id: stack.item_id,
            count: stack.count,
            is_alike: is_alike(stack),
        });
        there.collect()
    }

    /// Makes what was not there before.
    pub(super) fn make(&mut self, def: Def, count: u32, to: Holder) -> Done {
        self.check_unique(def, to, count)?;
        let (made, gone) = self.tallies.get(def).copied().unwrap_or_default();
        let new = Stack { item_id: 0, def, count: 0, bound_to: 0, flags: 0 };
        self.put(&new, count, to, Spot::Anywhere)?;
        self.tallies.put(def, Some((made + u64::from(count), gone)));
        Ok(())
    }

    /// Removes some of a stack for good.
    pub(super) fn remove(&mut self, stack: &Stack, count: u32) {
        let (made, gone) = self.tallies.get(stack.def).copied().unwrap_or_default();
        self.tallies.put(stack.def, Some((made, gone + u64::from(count))));
        self.change(stack, Stack { count: stack.count - count, ..*stack });
    }

    /// Moves some or all of a stack, as `items::take` does: the stack it is in now.
    pub(super) fn take(&mut self, stack: &Stack, count: u32, to: Holder, spot: Spot) -> Done<u64> {
        check_free(stack)?;
        if stack.bound_to != 0 && !to.0.takes_bound(to.1, stack.bound_to) {
            return Err(ItemError::Bound.into());
        }
        if count == 0 || count > stack.count {
            return Err(ItemError::CountInvalid.into());
        }
        let from = self.whereabouts.get(stack.item_id).copied().ok_or(ItemError::Unknown)?;
        if !(from.0.is_own() && to.0.is_own() && from.1 == to.1) {
            self.check_unique(stack.def, to, count)?;
        }
        self.put(stack, count, to, spot)
    }

    /// Lays `count` of a stack where the rules say; one with number 0 is made.
    fn put(&mut self, stack: &Stack, count: u32, to: Holder, spot: Spot) -> Done<u64> {
        let shape = &ITEMS[usize::from(stack.def)].shape;
        let bound_to = bound_at(shape.binding, to.0, to.1, stack.bound_to);
        let there = self.there(to, |other| {
            let is_like = (other.def, other.bound_to, other.flags) == (stack.def, bound_to, 0);
            to.0.merges() && is_like && other.item_id != stack.item_id
        });
        let steps = plan(&there, slots_of(to.0), shape.stack_max, count, spot)?;
        let (mut rest, mut last) = (*stack, stack.item_id);
        for step in steps {
            let place = (to.0, to.1, step.slot);
            if step.onto.is_none() && step.count == rest.count {
                self.lift(&rest);
                last = rest.item_id;
                self.lay(place, Stack { bound_to, ..rest });
                return Ok(last);
            }
            if stack.item_id != 0 {
                let less = Stack { count: rest.count - step.count, ..rest };
                self.change(&rest, less);
                rest = less;
            }
            let known = self.places.get(place).copied();
            let onto = known.filter(|known| Some(known.item_id) == step.onto);
            let new = if let Some(known) = onto {
                Stack { count: known.count + step.count, ..known }
            } else {
                let item_id = self.next_id();
                Stack { item_id, count: step.count, bound_to, flags: 0, ..*stack }
            };
            last = new.item_id;
            self.lay(place, new);
        }
        Ok(last)
    }

    /// Moves a whole stack as it is, as `items::push` does.
    pub(super) fn push(&mut self, stack: &Stack, to: Holder) -> Done {
        let there = self.there(to, |_| false);
        let steps = plan(&there, slots_of(to.0), stack.count, stack.count, Spot::Anywhere)?;
        let slot = steps.first().ok_or(ItemError::NoRoom)?.slot;
        self.lift(stack);
        self.lay((to.0, to.1, slot), Stack { flags: stack.flags & !FLAG_OFFERED, ..*stack });
        Ok(())
    }
}

/// Whether a stack can move.
pub(super) fn check_free(stack: &Stack) -> Done {
    if stack.flags & FLAG_FROZEN != 0 {
        return Err(ItemError::Frozen.into());
    }
    if stack.flags & FLAG_OFFERED != 0 { Err(ItemError::Locked.into()) } else { Ok(()) }
}

/// Whether a stack can be given to somebody else.
pub(super) fn check_gives(stack: &Stack) -> Done {
    check_free(stack)?;
    if stack.bound_to == 0 { Ok(()) } else { Err(ItemError::Bound.into()) }
}
