//! Joint keys: a whole in the upper half, a part of it in the lower one.
//!
//! Keeps true: joint keys are in the order of their wholes, and within a whole in that of its
//! parts, so that all of a whole is one range. What whole and part are is their domain's matter;
//! so are keys of another width.

use std::ops::RangeInclusive;

/// A key of a whole and a part of it: that of whatever is read by its whole.
pub const fn joint_key(whole: u64, part: u64) -> u128 {
    ((whole as u128) << 64) | part as u128
}

/// The joint keys of a whole whose parts are in a range.
pub const fn joint_keys(whole: u64, parts: &RangeInclusive<u64>) -> RangeInclusive<u128> {
    joint_key(whole, *parts.start())..=joint_key(whole, *parts.end())
}

/// All joint keys of a whole.
pub const fn keys_of(whole: u64) -> RangeInclusive<u128> {
    joint_key(whole, 0)..=joint_key(whole, u64::MAX)
}

/// The part of a joint key.
#[expect(clippy::cast_possible_truncation, reason = "it is the lower half")]
pub const fn part_of(joint_key: u128) -> u64 {
    (joint_key & u64::MAX as u128) as u64
}

/// The whole of a joint key.
pub const fn whole_of(joint_key: u128) -> u64 {
    (joint_key >> 64) as u64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_taken_apart_again() {
        for (whole, part) in [(0, 0), (7, 9), (0, u64::MAX), (u64::MAX, 0), (u64::MAX, u64::MAX)] {
            let key = joint_key(whole, part);
            assert_eq!((whole_of(key), part_of(key)), (whole, part));
            assert!(keys_of(whole).contains(&key), "{whole} {part}");
        }
    }

    #[test]
    fn ranges_have_all_of_their_whole_and_nothing_else() {
        assert_eq!(keys_of(7), joint_keys(7, &(0..=u64::MAX)));
        assert_eq!(*keys_of(7).end() + 1, *keys_of(8).start());
        let keys = joint_keys(7, &(9..=10));
        assert!(keys.contains(&joint_key(7, 9)) && keys.contains(&joint_key(7, 10)));
        assert!(!keys.contains(&joint_key(7, 8)) && !keys.contains(&joint_key(7, 11)));
        assert!(!keys.contains(&joint_key(6, 9)) && !keys.contains(&joint_key(8, 9)));
    }
}
