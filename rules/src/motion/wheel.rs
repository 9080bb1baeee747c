//! The wheel that instants are found by: slots of 4 ms, one turn in 262 s.
//!
//! The engine never forgets a key that an ordered index has had (`SpacetimeDB` 1.3), so an index
//! over instants grows with every event and slows down every look at its beginning. Slots come
//! round again, so an index over them has 65,536 keys at most. Keeps true: every slot between two
//! instants is among those swept from the one to the other.

use std::ops::RangeInclusive;

/// How long a slot is, microseconds.
pub const SLOT_MICROS: i64 = 4_000;
/// Slots of one turn.
const SLOTS: i64 = 65_536;

/// The slot of an instant.
pub fn slot_of(at_micros: i64) -> u16 {
    let slot = at_micros.div_euclid(SLOT_MICROS).rem_euclid(SLOTS);
    u16::try_from(slot).unwrap_or(0)
}

/// The slots from one instant to another, in their order: two pieces where the wheel comes round,
/// the whole of it when it turned at least once. None when there is no time between.
pub fn slots_between(from_micros: i64, to_micros: i64) -> Vec<RangeInclusive<u16>> {
    if from_micros > to_micros {
        return vec![];
    }
    let first = from_micros.div_euclid(SLOT_MICROS);
    let last = to_micros.div_euclid(SLOT_MICROS);
    let (from, to) = (slot_of(from_micros), slot_of(to_micros));
    if last - first >= SLOTS - 1 {
        vec![0..=u16::MAX]
    } else if from <= to {
        vec![from..=to]
    } else {
        vec![from..=u16::MAX, 0..=to]
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const TURN: i64 = SLOTS * SLOT_MICROS;

    fn check(from: i64, to: i64, expected: &[RangeInclusive<u16>]) {
        assert_eq!(slots_between(from, to), expected, "{from} to {to}");
    }

    #[test]
    fn the_wheel_comes_round() {
        check(0, 3_999, &[0..=0]);
        check(0, 4_000, &[0..=1]);
        check(5, 4, &[]);
        check(TURN - 1, TURN, &[u16::MAX..=u16::MAX, 0..=0]);
        check(-1, 0, &[u16::MAX..=u16::MAX, 0..=0]);
        check(0, TURN - 1, &[0..=u16::MAX]);
        check(7_000_000, i64::MAX / 2, &[0..=u16::MAX]);
    }

    proptest! {
        #[test]
        fn every_slot_between_is_swept(
            from in -TURN..TURN,
            lasts in 0..2 * TURN,
            part in 0..=1_000_i64,
        ) {
            let to = from + lasts;
            let between = from + lasts / 1_000 * part;
            let slot = slot_of(between);
            prop_assert!(slots_between(from, to).iter().any(|slots| slots.contains(&slot)));
        }
    }
}
