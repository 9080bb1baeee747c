//! Creatures that nobody plays: what they notice, what they decide, how bosses change, and where
//! camps lie.
//!
//! Keeps true: what a creature does hangs on what it sees and on nothing else; the same land always
//! has the same camps. Leaves out on purpose: what a deed does (`combat`), and when creatures
//! think.

use crate::errors::domain_errors;

pub mod aggro;
pub mod camps;
pub mod mind;
pub mod phases;
#[cfg(test)]
mod scenes;
mod ways;

/// Most creatures that one call puts into the world or takes out of it.
pub const CREATURES_AT_ONCE_MAX: u32 = 1_000;
/// Most creatures in a realm.
pub const CREATURES_MAX: u64 = 200_000;
/// How long between two calls for help of one creature, microseconds.
pub const CALL_MICROS: i64 = 12_000_000;
/// How long until a creature that fights thinks again, microseconds.
pub const THINK_FIGHTING_MICROS: i64 = 1_000_000;
/// How long a creature that fights and stands well waits for its action at most, microseconds.
pub const THINK_WAITING_MICROS: i64 = 3_000_000;
/// How long until a creature that does not thinks again, microseconds.
pub const THINK_IDLE_MICROS: i64 = 4_000_000;

domain_errors! {
    /// Why creatures were not put into the world.
    NpcError {
        PlaceInvalid = 700, "npc.place_invalid", "creatures stand where somebody can stand, in a world there is";
    }
}
