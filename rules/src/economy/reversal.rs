//! Taking back a cause: what came of the goods it moved, and where they have to go.
//!
//! Keeps true: of what a cause made or moved, each piece is followed from stack to stack; once it
//! comes to somebody else, the cause that brought it there is taken back, too, with whatever was
//! given for it. What leaves a stack counts as the followed pieces first, so that none is lost
//! sight of. Pieces that are used up cannot be taken back.
//! Leaves out on purpose: reading lines, coins, and how stacks are moved.

use crate::items::{Happened, HolderKind};
use std::collections::BTreeMap;

/// Most causes that are taken back together.
pub const CAUSES_MAX: usize = 100;
/// Most lines of history that are followed.
pub const LINES_MAX: usize = 1_000;

/// A holder: its kind and whose.
pub type Place = (u8, u64);

/// A line of history.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Line {
    /// In the order in which they happened.
    pub key: u64,
    /// The stack.
    pub item_id: u64,
    /// The stack that it came of; 0 for none.
    pub other_item_id: u64,
    /// How many.
    pub count: u32,
    /// `Happened`.
    pub happened: u8,
    /// Whose it was.
    pub from: Place,
    /// Whose it is after.
    pub to: Place,
}

/// Pieces that have to go somewhere.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Parcel {
    /// How many, at least 1.
    pub count: u32,
    /// Where to; they were nowhere, and are removed, where it is none.
    pub to: Option<Place>,
}

/// The pieces that are followed, by stack.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Traced {
    parcels: BTreeMap<u64, Vec<Parcel>>,
}

/// Pieces are used up: the cause cannot be taken back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct UsedUp;

const MADE: u8 = Happened::Made as u8;
const MOVED: u8 = Happened::Moved as u8;
const SPLIT: u8 = Happened::Split as u8;
const MERGED: u8 = Happened::Merged as u8;

/// Whether two holders are one character's own.
fn is_same_owner(one: Place, other: Place) -> bool {
    let is_own = |kind: u8| kind == HolderKind::Bag as u8 || kind == HolderKind::Equipment as u8;
    one == other || one.1 == other.1 && is_own(one.0) && is_own(other.0)
}

impl Traced {
    /// How many pieces of a stack are followed.
    pub fn count(&self, item_id: u64) -> u32 {
        let parcels = self.parcels.get(&item_id).map_or(&[][..], Vec::as_slice);
        parcels.iter().map(|parcel| parcel.count).fold(0, u32::saturating_add)
    }

    /// What is followed, and where it has to go.
    pub fn parcels(&self) -> impl Iterator<Item = (u64, Parcel)> + '_ {
        let each = |(item_id, parcels): (&u64, &Vec<Parcel>)| {
            let item_id = *item_id;
            parcels.clone().into_iter().map(move |parcel| (item_id, parcel))
        };
        self.parcels.iter().flat_map(each)
    }

    /// Whether a line brings followed pieces to somebody else.
    pub fn crosses(&self, line: &Line) -> bool {
        let is_followed = match line.happened {
            MOVED => self.count(line.item_id) > 0,
            SPLIT | MERGED => self.count(line.other_item_id) > 0,
            _ => false,
        };
        is_followed && !is_same_owner(line.from, line.to)
    }

    /// Follows a line of a cause that stands.
    ///
    /// # Errors
    /// `UsedUp`.
    pub fn follow(&mut self, line: &Line) -> Result<(), UsedUp> {
        match line.happened {
            MADE | MOVED => {}
            SPLIT | MERGED => {
                self.pour(line);
            }
            _ if self.count(line.item_id) > 0 => return Err(UsedUp),
            _ => {}
        }
        Ok(())
    }

    /// Follows a line of a cause that is taken back.
    ///
    /// # Errors
    /// `UsedUp`.
    pub fn take_back(&mut self, line: &Line) -> Result<(), UsedUp> {
        let (carried, to) = match line.happened {
            MADE => (0, None),
            MOVED => (self.count(line.item_id), Some(line.from)),
            SPLIT | MERGED => (self.pour(line), Some(line.from)),
            _ => return Err(UsedUp),
        };
        let rest = line.count.saturating_sub(carried);
        self.add(line.item_id, Parcel { count: rest, to });
        Ok(())
    }

    /// Moves followed pieces with a part of their stack; answers how many.
    fn pour(&mut self, line: &Line) -> u32 {
        let mut left = line.count;
        let Some(mut source) = self.parcels.remove(&line.other_item_id) else { return 0 };
        while left > 0 {
            let Some(parcel) = source.pop() else { break };
            let part = parcel.count.min(left);
            left -= part;
            self.add(line.item_id, Parcel { count: part, ..parcel });
            if part < parcel.count {
                source.push(Parcel { count: parcel.count - part, ..parcel });
            }
        }
        if !source.is_empty() {
            self.parcels.insert(line.other_item_id, source);
        }
        line.count - left
    }

    fn add(&mut self, item_id: u64, parcel: Parcel) {
        if parcel.count == 0 {
            return;
        }
        let parcels = self.parcels.entry(item_id).or_default();
        match parcels.iter_mut().find(|known| known.to == parcel.to) {
            Some(known) => known.count = known.count.saturating_add(parcel.count),
            None => parcels.push(parcel),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const ANN: Place = (HolderKind::Bag as u8, 1);
    const WORN: Place = (HolderKind::Equipment as u8, 1);
    const BOB: Place = (HolderKind::Bag as u8, 2);
    const NOWHERE: Place = (0, 0);

    const fn line(happened: Happened, item_id: u64, other: u64, count: u32) -> Line {
        let (from, to) = (ANN, ANN);
        Line { key: 0, item_id, other_item_id: other, count, happened: happened as u8, from, to }
    }

    fn shown(traced: &Traced) -> Vec<(u64, u32, Option<Place>)> {
        traced.parcels().map(|(item_id, parcel)| (item_id, parcel.count, parcel.to)).collect()
    }

    #[test]
    fn pieces_are_followed_from_stack_to_stack() {
        let mut traced = Traced::default();
        let made = Line { from: NOWHERE, ..line(Happened::Made, 1, 0, 20) };
        assert_eq!(traced.take_back(&made), Ok(()));
        // Five are split off, three of them added to six of her own.
        assert_eq!(traced.follow(&line(Happened::Split, 2, 1, 5)), Ok(()));
        assert_eq!(traced.follow(&line(Happened::Merged, 3, 2, 3)), Ok(()));
        assert_eq!(shown(&traced), [(1, 15, None), (2, 2, None), (3, 3, None)]);
        // What is made or used up of another stack is nobody's business.
        assert_eq!(traced.follow(&line(Happened::Made, 3, 0, 9)), Ok(()));
        assert_eq!(traced.follow(&line(Happened::Gone, 4, 0, 9)), Ok(()));
        assert_eq!(traced.follow(&line(Happened::Gone, 3, 0, 1)), Err(UsedUp));
        let worn = Line { to: WORN, ..line(Happened::Moved, 2, 0, 2) };
        assert!(!traced.crosses(&worn), "she wears it");
        let given = Line { to: BOB, ..line(Happened::Merged, 9, 3, 9) };
        assert!(traced.crosses(&given));
        assert!(!traced.crosses(&Line { other_item_id: 7, ..given }));
        // Nine were given: the three, and six that go back to her.
        assert_eq!(traced.take_back(&given), Ok(()));
        assert_eq!(shown(&traced), [(1, 15, None), (2, 2, None), (9, 3, None), (9, 6, Some(ANN))]);
    }

    #[test]
    fn what_was_given_in_return_goes_back() {
        let mut traced = Traced::default();
        let paid = Line { from: BOB, to: ANN, ..line(Happened::Moved, 5, 0, 4) };
        assert_eq!(traced.take_back(&paid), Ok(()));
        assert_eq!(shown(&traced), [(5, 4, Some(BOB))]);
        let further = Line { to: BOB, ..line(Happened::Moved, 5, 0, 4) };
        assert!(traced.crosses(&further));
        assert_eq!(traced.take_back(&further), Ok(()));
        assert_eq!(shown(&traced), [(5, 4, Some(BOB))], "where it was at first");
        assert_eq!(traced.take_back(&line(Happened::Gone, 5, 0, 1)), Err(UsedUp));
    }

    proptest! {
        #[test]
        fn no_piece_is_lost_sight_of(
            made in 1..1_000_u32,
            steps in prop::collection::vec((1..5_u64, 1..5_u64, 1..400_u32, any::<bool>()), 0..40),
        ) {
            let mut stacks = BTreeMap::from([(1_u64, made), (2, 50), (3, 7)]);
            let mut traced = Traced::default();
            let first = Line { from: NOWHERE, ..line(Happened::Made, 1, 0, made) };
            prop_assert_eq!(traced.take_back(&first), Ok(()));
            for (onto, of, count, is_given) in steps {
                let count = count.min(stacks.get(&of).copied().unwrap_or(0));
                if onto == of || count == 0 {
                    continue;
                }
                *stacks.entry(onto).or_default() += count;
                stacks.entry(of).and_modify(|known| *known -= count);
                let to = if is_given { BOB } else { ANN };
                let line = Line { to, ..line(Happened::Merged, onto, of, count) };
                let followed = if traced.crosses(&line) {
                    traced.take_back(&line)
                } else {
                    traced.follow(&line)
                };
                prop_assert_eq!(followed, Ok(()));
                let removed = traced.parcels().filter(|(_, parcel)| parcel.to.is_none());
                prop_assert_eq!(removed.map(|(_, parcel)| parcel.count).sum::<u32>(), made);
                for (item_id, count) in &stacks {
                    prop_assert!(traced.count(*item_id) <= *count);
                }
            }
        }
    }
}
