//! Scores: their modifiers, how a new character gets them, and how they rise.
//!
//! Keeps true: a character's score never rises above 20; what was rolled is kept. Leaves out on
//! purpose: which way of getting scores a realm allows. The SRD leaves that way open; the three
//! ways here are the usual ones.

use super::dice::Roller;
use crate::content::{Attribute, Scores};

/// The highest score that a character reaches by rising.
pub const SCORE_MAX: i8 = 20;
/// Points of which scores can be bought.
pub const POINTS: u8 = 27;
/// The lowest score that can be bought, for nothing.
pub const BOUGHT_MIN: i8 = 8;
/// The highest score that can be bought.
pub const BOUGHT_MAX: i8 = 15;
/// What scores of 8 to 15 cost.
const COSTS: [u8; 8] = [0, 1, 2, 3, 4, 5, 7, 9];
/// Six scores that can be dealt out.
pub const STANDARD: [i8; 6] = [15, 14, 13, 12, 10, 8];

/// The modifier of a score: half of what it has above 10, rounded down (SRD 5.1, "Using Ability
/// Scores").
pub const fn modifier(score: i8) -> i32 {
    (score as i32 - 10).div_euclid(2)
}

/// The proficiency bonus of a level, 2 to 6 (SRD 5.1, "Beyond 1st Level").
pub fn proficiency(level: u8) -> i32 {
    2 + i32::from((level.clamp(1, 20) - 1) / 4)
}

/// What the six scores cost; none where one is below 8 or above 15.
pub fn cost(scores: &Scores) -> Option<u8> {
    Attribute::ALL.iter().try_fold(0, |sum, attribute| {
        let at = usize::try_from(scores.get(*attribute).checked_sub(BOUGHT_MIN)?).ok()?;
        Some(sum + COSTS.get(at)?)
    })
}

/// Whether the scores can be bought.
pub fn can_be_bought(scores: &Scores) -> bool {
    cost(scores).is_some_and(|cost| cost <= POINTS)
}

/// Whether the scores are the standard ones in some order.
pub fn are_standard(scores: &Scores) -> bool {
    let mut dealt = [0; 6];
    for (dealt, attribute) in dealt.iter_mut().zip(Attribute::ALL) {
        *dealt = scores.get(*attribute);
    }
    dealt.sort_unstable_by(|a, b| b.cmp(a));
    dealt == STANDARD
}

/// A score that was rolled: four dice, the lowest left out.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ScoreRoll {
    /// What the four showed.
    pub shown: [u8; 4],
    /// Which of them is left out, 0 to 3: the first of the lowest.
    pub dropped: u8,
    /// The sum of the others, 3 to 18.
    pub score: i8,
}

/// Rolls one score.
pub fn roll_score(roller: &mut dyn Roller) -> ScoreRoll {
    let shown = [0; 4].map(|_: u8| roller.roll(6).clamp(1, 6));
    let (mut dropped, mut lowest, mut sum) = (0, u8::MAX, 0);
    for (at, number) in (0..).zip(shown) {
        if number < lowest {
            (dropped, lowest) = (at, number);
        }
        sum += number;
    }
    ScoreRoll { shown, dropped, score: (sum - lowest).cast_signed() }
}

/// Rolls six scores, to be dealt out as one likes.
pub fn roll_scores(roller: &mut dyn Roller) -> [ScoreRoll; 6] {
    [ScoreRoll::default(); 6].map(|_| roll_score(roller))
}

/// Adds to one score, up to `max`; a score that is above it already stays.
pub fn add(scores: &mut Scores, attribute: Attribute, amount: i8, max: i8) {
    let score = match attribute {
        Attribute::Strength => &mut scores.strength,
        Attribute::Dexterity => &mut scores.dexterity,
        Attribute::Constitution => &mut scores.constitution,
        Attribute::Intelligence => &mut scores.intelligence,
        Attribute::Wisdom => &mut scores.wisdom,
        Attribute::Charisma => &mut scores.charisma,
    };
    *score = score.saturating_add(amount).min(max.max(*score));
}

/// The scores with what a race adds (SRD 5.1, "Racial Traits").
#[must_use]
pub fn with_bonuses(mut scores: Scores, bonuses: &Scores) -> Scores {
    for attribute in Attribute::ALL {
        add(&mut scores, *attribute, bonuses.get(*attribute), SCORE_MAX);
    }
    scores
}

/// The scores after an increase: one by 2, or two by 1 each. None where one would rise above 20
/// (SRD 5.1, "Classes", Ability Score Improvement).
pub fn increased(mut scores: Scores, by_one: [Attribute; 2]) -> Option<Scores> {
    for attribute in by_one {
        if scores.get(attribute) >= SCORE_MAX {
            return None;
        }
        add(&mut scores, attribute, 1, SCORE_MAX);
    }
    Some(scores)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::combat::dice::Fixed;

    fn scores(all: [i8; 6]) -> Scores {
        let [strength, dexterity, constitution, intelligence, wisdom, charisma] = all;
        Scores { strength, dexterity, constitution, intelligence, wisdom, charisma }
    }

    #[test]
    fn modifiers_are_rounded_down() {
        for (score, expected) in
            [(1, -5), (3, -4), (8, -1), (9, -1), (10, 0), (11, 0), (12, 1), (20, 5), (30, 10)]
        {
            assert_eq!(modifier(score), expected, "{score}");
        }
    }

    #[test]
    fn proficiency_rises_every_four_levels() {
        for (level, bonus) in [(0, 2), (1, 2), (4, 2), (5, 3), (9, 4), (13, 5), (17, 6), (20, 6)] {
            assert_eq!(proficiency(level), bonus, "{level}");
        }
    }

    #[test]
    fn scores_are_bought_of_27_points() {
        assert_eq!(cost(&scores([15, 15, 15, 8, 8, 8])), Some(27));
        assert_eq!(cost(&scores(STANDARD)), Some(27));
        assert!(can_be_bought(&scores([8; 6])));
        assert!(!can_be_bought(&scores([15, 15, 15, 9, 8, 8])));
        for outside in [7, 16, i8::MIN, i8::MAX] {
            assert_eq!(cost(&scores([outside, 8, 8, 8, 8, 8])), None);
        }
    }

    #[test]
    fn the_standard_scores_are_dealt_in_any_order() {
        assert!(are_standard(&scores([8, 10, 12, 13, 14, 15])));
        assert!(!are_standard(&scores([15, 15, 13, 12, 10, 8])));
    }

    #[test]
    fn of_four_dice_the_lowest_is_left_out() {
        for (numbers, dropped, score) in
            [([3, 6, 1, 4], 2, 13), ([6; 4], 0, 18), ([1; 4], 0, 3), ([5, 2, 2, 6], 1, 13)]
        {
            let rolled = roll_score(&mut Fixed::new(&numbers));
            assert_eq!(rolled, ScoreRoll { shown: numbers, dropped, score });
        }
    }

    #[test]
    fn scores_rise_to_20() {
        let elf = with_bonuses(scores([10; 6]), &scores([0, 2, 0, 0, 0, 0]));
        assert_eq!(elf.dexterity, 12);
        let most = scores([19, 20, 10, 10, 10, 10]);
        let both = increased(most, [Attribute::Strength, Attribute::Wisdom]);
        assert_eq!(both, Some(scores([20, 20, 10, 10, 11, 10])));
        assert_eq!(increased(most, [Attribute::Strength; 2]), None);
        assert_eq!(increased(most, [Attribute::Dexterity, Attribute::Wisdom]), None);
    }
}
