//! Ranges of a unique column's index, for rows that belong together by the head of their key.
//!
//! An ordered index that is not unique costs as many steps as rows share a key, and the engine
//! never forgets a key that it has had; a unique one does neither. So rows that belong together
//! have one unique key, owner above and number below, and are found by its range.
//! The macro gives unique columns no ranges of their own, though their index is ordered.
//!
//! Two things to know of the engine. It reads a whole range before it hands out the first row, so a
//! range must be no longer than what is wanted of it. And what the running transaction has written
//! comes before everything else, whatever its key: whoever needs an order sorts. A range that can
//! be longer than what is wanted of it is read a window at a time: [`Walk`].

pub(crate) use haven_rules::walk::Walk;
use spacetimedb::table::{Column, Index};
use spacetimedb::{RangedIndex, Table, UniqueColumn};

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
