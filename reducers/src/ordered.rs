//! Ranges of a unique column's index, for rows that belong together by the head of their key.
//!
//! An ordered index that is not unique costs as many steps as rows share a key, and the engine
//! never forgets a key that it has had; a unique one does neither. So rows that belong together
//! have one unique key, owner above and number below, and are found by its range.
//! The macro gives unique columns no ranges of their own, though their index is ordered.
//!
//! Two things to know of the engine. It reads a whole range before it hands out the first row, so a
//! range must be no longer than what is wanted of it. And what the running transaction has written
//! comes before everything else, whatever its key: whoever needs an order sorts. A range that can be
//! longer than what is wanted of it is read a window at a time: [`Walk`].

use spacetimedb::table::{Column, Index};
use spacetimedb::{RangedIndex, Table, UniqueColumn};
use std::ops::RangeInclusive;

/// The ordered index behind a unique column: `filter` it by a range of keys, in their order.
pub(crate) fn ranges<Tbl, Col>(
    _column: UniqueColumn<Tbl, Col::ColType, Col>,
) -> RangedIndex<Tbl, (Col::ColType,), Col>
where
    Tbl: Table,
    Col: Index + Column<Table = Tbl>,
{
    RangedIndex::__NEW
}

/// A window with fewer rows is followed by a wider one.
const FEW_ROWS: usize = 64;
/// A window with more rows is followed by a narrower one.
const MANY_ROWS: usize = 4 * FEW_ROWS;
/// How much wider or narrower.
const GROWTH: u64 = 4;

/// Windows of numbers, one behind the other, for ranges that are longer than what is wanted of them.
///
/// They grow as long as there is little in them, so twenty or so reach the greatest number, and a
/// window has about as many rows as lie in a stretch as long as the empty one before it, or as in
/// the narrowest.
#[derive(Clone, Debug)]
pub(crate) struct Walk {
    /// The first number of the next window; none after the greatest.
    from: Option<u64>,
    width: u64,
    narrowest: u64,
    widest: u64,
}

impl Walk {
    /// From a number on, in windows of at least so many numbers.
    pub(crate) const fn new(from: u64, narrowest: u64) -> Self {
        Self { from: Some(from), width: narrowest, narrowest, widest: u64::MAX }
    }

    /// The same with no window of more numbers than that.
    pub(crate) const fn up_to(self, widest: u64) -> Self {
        Self { widest, ..self }
    }

    /// The next window; none when the greatest number was passed.
    pub(crate) fn window(&self) -> Option<RangeInclusive<u64>> {
        self.from.map(|from| from..=from.saturating_add(self.width - 1))
    }

    /// Goes on behind the window, in which so many rows were found.
    pub(crate) fn pass(&mut self, found: usize) {
        let last = self.window().map_or(u64::MAX, |window| *window.end());
        self.from = last.checked_add(1);
        if found < FEW_ROWS {
            self.width = self.width.saturating_mul(GROWTH).min(self.widest);
        } else if found > MANY_ROWS {
            self.width = (self.width / GROWTH).max(self.narrowest);
        }
    }

    /// The first rows, `most` at most. `read` answers those of a window, in their order.
    pub(crate) fn rows<T>(
        mut self,
        most: usize,
        mut read: impl FnMut(RangeInclusive<u64>) -> Vec<T>,
    ) -> Vec<T> {
        let mut rows = Vec::new();
        while let Some(window) = self.window().filter(|_| rows.len() < most) {
            let found = read(window);
            self.pass(found.len());
            rows.extend(found);
        }
        rows.truncate(most);
        rows
    }
}
