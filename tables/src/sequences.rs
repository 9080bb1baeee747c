//! Sequences: the last number of each kind that was given.
//!
//! Keeps true: from its first row on, a number is given once, whatever was refused and whenever the
//! process died: the row is written in the transaction that uses the number.
//! Leaves out on purpose: the engine's own `auto_inc`. It reserves 4,096 numbers at a time and
//! forgets the reservation when that call is refused, but goes on giving them; after a restart they
//! are given again. Timers of which there is one at a time have it.

use spacetimedb::table;

/// The last number of a kind. One row for each kind.
#[table(name = sequence)]
pub struct Sequence {
    /// Of what (`rules::sequences::Numbered`).
    #[primary_key]
    pub code: u8,
    /// The last number given, 0 for none.
    pub last: u64,
}
