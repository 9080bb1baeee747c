//! Experience and levels: thresholds, what a creature is worth, fair shares, and what levels give.
//!
//! Keeps true: a share is never lost and never given twice. Leaves out on purpose: who contributed
//! (`threat`).

use super::scores::proficiency;
use crate::content::LevelDef;

/// The highest level.
pub const LEVEL_MAX: u8 = 20;
/// Experience from which a level of 1 to 20 begins (SRD 5.1, "Beyond 1st Level").
pub const THRESHOLDS: [u32; 20] = [
    0, 300, 900, 2_700, 6_500, 14_000, 23_000, 34_000, 48_000, 64_000, 85_000, 100_000, 120_000,
    140_000, 165_000, 195_000, 225_000, 265_000, 305_000, 355_000,
];
/// What a creature of a challenge is worth (SRD 5.1, "Monsters", Experience Points by Challenge
/// Rating).
const CHALLENGES: [(&str, u32); 24] = [
    ("0", 10),
    ("1/8", 25),
    ("1/4", 50),
    ("1/2", 100),
    ("1", 200),
    ("2", 450),
    ("3", 700),
    ("4", 1_100),
    ("5", 1_800),
    ("6", 2_300),
    ("7", 2_900),
    ("8", 3_900),
    ("9", 5_000),
    ("10", 5_900),
    ("11", 7_200),
    ("12", 8_400),
    ("13", 10_000),
    ("14", 11_500),
    ("15", 13_000),
    ("16", 15_000),
    ("17", 18_000),
    ("18", 20_000),
    ("19", 22_000),
    ("20", 25_000),
];
/// Levels at which scores rise (SRD 5.1, "Classes", Ability Score Improvement).
pub const INCREASE_LEVELS: [u8; 5] = [4, 8, 12, 16, 19];

/// What a creature of a challenge of 0 to 20 is worth; none for what is no challenge.
pub fn of_challenge(challenge: &str) -> Option<u32> {
    CHALLENGES.iter().find(|(name, _)| *name == challenge).map(|(_, worth)| *worth)
}

/// The level that so much experience is, 1 to 20.
pub fn level_of(experience: u32) -> u8 {
    let reached = THRESHOLDS.iter().take_while(|threshold| **threshold <= experience).count();
    u8::try_from(reached).unwrap_or(LEVEL_MAX).max(1)
}

/// How many levels come with more experience.
pub fn levels_gained(before: u32, after: u32) -> u8 {
    level_of(after).saturating_sub(level_of(before))
}

/// The level as content has it; none beyond 1 to 20.
pub fn level_def(level: u8) -> Option<LevelDef> {
    let experience = *THRESHOLDS.get(usize::from(level.checked_sub(1)?))?;
    let proficiency = u8::try_from(proficiency(level)).ok()?;
    Some(LevelDef { level, experience, proficiency })
}

/// How often scores have risen at a level, each time by 2 in all.
pub fn increases(level: u8) -> u8 {
    INCREASE_LEVELS.iter().map(|at| u8::from(*at <= level)).sum()
}

/// Most hit points at a level: at level 1 the most of the hit die and constitution, then for each
/// level its average, rounded up, and constitution; at least 1 for each level (SRD 5.1, "Beyond
/// 1st Level").
pub fn hit_points_max(level: u8, hit_die: u8, constitution: i32) -> i32 {
    let later = i32::from(level.clamp(1, LEVEL_MAX) - 1);
    let first = (i32::from(hit_die) + constitution).max(1);
    let each = (i32::from(hit_die) / 2 + 1 + constitution).max(1);
    first + later * each
}

/// Divides a reward by contributions: each gets its share rounded down, and what is left goes one
/// by one to the largest remainders, the earlier of equals first. Where nobody contributed, all get
/// the same. The shares sum to the whole; of nobody there are none.
pub fn shares(whole: u32, contributions: &[u64]) -> Vec<u32> {
    let total: u128 = contributions.iter().copied().map(u128::from).sum();
    let weight = |contribution: u64| if total == 0 { 1 } else { u128::from(contribution) };
    let sum = contributions.iter().map(|contribution| weight(*contribution)).sum::<u128>().max(1);
    let exact = |contribution: u64| u128::from(whole) * weight(contribution);
    let mut shares: Vec<u32> = contributions
        .iter()
        .map(|contribution| u32::try_from(exact(*contribution) / sum).unwrap_or(whole))
        .collect();
    let given: u32 = shares.iter().sum();
    let mut order: Vec<usize> = (0..shares.len()).collect();
    order.sort_by_key(|at| std::cmp::Reverse(exact(contributions[*at]) % sum));
    let left = usize::try_from(whole - given).unwrap_or(usize::MAX);
    for at in order.into_iter().take(left) {
        shares[at] += 1;
    }
    shares
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn experience_makes_levels() {
        for (experience, level) in
            [(0, 1), (299, 1), (300, 2), (899, 2), (355_000, 20), (u32::MAX, 20)]
        {
            assert_eq!(level_of(experience), level, "{experience}");
        }
        assert_eq!(levels_gained(0, 2_700), 3);
        assert_eq!(levels_gained(2_700, 0), 0);
        let fifth = LevelDef { level: 5, experience: 6_500, proficiency: 3 };
        assert_eq!(level_def(5), Some(fifth));
        assert_eq!((level_def(0), level_def(21)), (None, None));
    }

    #[test]
    fn challenges_have_their_worth() {
        for (challenge, worth) in [("0", 10), ("1/8", 25), ("1/2", 100), ("5", 1_800)] {
            assert_eq!(of_challenge(challenge), Some(worth));
        }
        assert_eq!((of_challenge("21"), of_challenge("1/3")), (None, None));
    }

    #[test]
    fn levels_give_hit_points_and_scores() {
        for (level, hit_die, constitution, expected) in
            [(1, 10, 2, 12), (2, 10, 2, 20), (20, 6, 0, 82), (3, 6, -5, 3), (0, 8, 0, 8)]
        {
            assert_eq!(hit_points_max(level, hit_die, constitution), expected);
        }
        assert_eq!([1, 3, 4, 8, 12, 16, 18, 19, 20].map(increases), [0, 0, 1, 2, 3, 4, 4, 5, 5]);
    }

    #[test]
    fn shares_are_fair() {
        for (whole, contributions, expected) in [
            (100, &[1, 1, 1][..], &[34, 33, 33][..]),
            (10, &[0, 0], &[5, 5]),
            (10, &[1, 0, 3], &[3, 0, 7]),
            (1, &[1, 9], &[0, 1]),
            (7, &[], &[]),
        ] {
            assert_eq!(shares(whole, contributions), expected);
        }
    }

    proptest! {
        #[test]
        fn shares_sum_to_the_whole(
            whole in any::<u32>(),
            contributions in prop::collection::vec(any::<u64>(), 1..40),
        ) {
            let shares = shares(whole, &contributions);
            let sum: u64 = shares.iter().copied().map(u64::from).sum();
            prop_assert_eq!(sum, u64::from(whole));
            let total: u128 = contributions.iter().copied().map(u128::from).sum();
            for (share, contribution) in shares.iter().zip(&contributions) {
                let exact = u128::from(whole) * u128::from(*contribution);
                if let Some(floor) = exact.checked_div(total) {
                    prop_assert!((floor..=floor + 1).contains(&u128::from(*share)));
                }
            }
        }
    }
}
