//! Progress: experience, levels, and what they leave to choose.
//!
//! Keeps true: a level never falls, and each level that is gained leaves its choices exactly once.
//! Leaves out on purpose: how much a fight is worth (`combat::experience`).

use super::CharacterError;
use super::creation::attribute_of;
use crate::combat::experience::{LEVEL_MAX, increases, level_def};
use crate::combat::scores::increased;
use crate::content::Scores;
use crate::content::book::Book;

/// How far a character has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Progress {
    /// All it ever gained, less what deaths took.
    pub experience: u32,
    /// 1 to 20.
    pub level: u8,
    /// Increases of its scores that it has not chosen yet.
    pub increases: u8,
    /// Spells it may put others in the place of.
    pub swaps: u8,
}

impl Default for Progress {
    /// A beginner.
    fn default() -> Self {
        Self { experience: 0, level: 1, increases: 0, swaps: 0 }
    }
}

impl Progress {
    /// Adds experience; how many levels came with it.
    pub fn gain(&mut self, amount: u32, book: &Book) -> u8 {
        self.experience = self.experience.saturating_add(amount);
        let before = self.level;
        self.level = level_at(self.experience, book).max(before);
        let gained = self.level - before;
        let more = increases(self.level).saturating_sub(increases(before));
        self.increases = self.increases.saturating_add(more);
        self.swaps = self.swaps.saturating_add(gained);
        gained
    }

    /// Takes so many percent of the experience gained since its level began, rounded down; how much
    /// that was. The level stays.
    pub fn lose(&mut self, percent: i64, book: &Book) -> u32 {
        let since = self.experience.saturating_sub(begins_at(self.level, book).unwrap_or(0));
        let lost = i64::from(since) * percent.clamp(0, 100) / 100;
        let lost = u32::try_from(lost).unwrap_or(0);
        self.experience -= lost;
        lost
    }

    /// Experience from which its next level begins; 0 where there is none.
    pub fn next(&self, book: &Book) -> u32 {
        let next = Some(self.level + 1).filter(|next| *next <= level_max(book));
        next.and_then(|next| begins_at(next, book)).unwrap_or(0)
    }
}

/// The highest level there is, 1 to 20.
fn level_max(book: &Book) -> u8 {
    u8::try_from(book.setting("level_max")).unwrap_or(LEVEL_MAX).clamp(1, LEVEL_MAX)
}

/// Experience from which a level begins: that of the content, else that of the SRD.
fn begins_at(level: u8, book: &Book) -> Option<u32> {
    let own = book.level(level).map(|level| level.experience);
    own.or_else(|| level_def(level).map(|level| level.experience))
}

/// The level that so much experience is.
pub fn level_at(experience: u32, book: &Book) -> u8 {
    let reached = |level: &u8| begins_at(*level, book).is_some_and(|begin| begin <= experience);
    (1..=level_max(book)).rev().find(reached).unwrap_or(1)
}

/// Decides about an increase: two attributes by 1 each, or one by 2 if it is named twice.
///
/// # Errors
/// In this order: `AttributeUnknown`, `IncreaseNone`, `ScoreTooHigh`.
pub fn increase(
    scores: Scores,
    progress: &Progress,
    (first, second): (&str, &str),
) -> Result<Scores, CharacterError> {
    let both = attribute_of(first).zip(attribute_of(second));
    let (first, second) = both.ok_or(CharacterError::AttributeUnknown)?;
    if progress.increases == 0 {
        return Err(CharacterError::IncreaseNone);
    }
    increased(scores, [first, second]).ok_or(CharacterError::ScoreTooHigh)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::content::Pack;
    use crate::content::tests::read_shipped;
    use proptest::prelude::*;

    fn capped(level_max: i64) -> Book {
        let mut pack = read_shipped();
        for setting in pack.setting.iter_mut().filter(|it| it.key == "level_max") {
            setting.value = level_max;
        }
        Book::new(pack)
    }

    #[test]
    fn levels_come_with_experience_up_to_the_highest() {
        let mut steep = read_shipped();
        for level in &mut steep.level {
            level.experience *= 10;
        }
        for (book, experience, level, next) in [
            (Book::default(), 0, 1, 300),
            (Book::default(), 300, 2, 900),
            (capped(20), 355_000, 20, 0),
            (capped(20), u32::MAX, 20, 0),
            (capped(3), u32::MAX, 3, 0),
            (capped(3), 300, 2, 900),
            (Book::new(steep), 3_000, 2, 9_000),
            (Book::new(Pack::default()), 2_699, 3, 2_700),
        ] {
            let mut progress = Progress::default();
            assert_eq!(progress.gain(experience, &book), level - 1, "{experience}");
            assert_eq!((progress.level, progress.next(&book)), (level, next), "{experience}");
        }
    }

    #[test]
    fn levels_leave_something_to_choose() {
        let book = Book::default();
        let mut progress = Progress::default();
        assert_eq!(progress.gain(2_700, &book), 3);
        assert_eq!((progress.increases, progress.swaps), (1, 3));
        assert_eq!(progress.gain(u32::MAX, &book), 16);
        assert_eq!((progress.increases, progress.swaps), (5, 19));
        assert_eq!(progress.gain(1, &book), 0);
        assert_eq!((progress.increases, progress.swaps), (5, 19));
    }

    #[test]
    fn what_is_lost_is_of_the_level_alone() {
        let book = Book::default();
        for (experience, percent, lost) in
            [(299, 50, 149), (300, 100, 0), (900, 0, 0), (1_100, 10, 20), (1_100, 1_000, 200)]
        {
            let mut progress = Progress::default();
            progress.gain(experience, &book);
            let level = progress.level;
            assert_eq!(progress.lose(percent, &book), lost, "{experience}");
            assert_eq!((progress.experience, progress.level), (experience - lost, level));
        }
    }

    #[test]
    fn scores_rise_where_there_is_an_increase() {
        use CharacterError as E;
        let scores = Scores { strength: 19, dexterity: 20, wisdom: 10, ..Scores::default() };
        let some = Progress { increases: 1, ..Progress::default() };
        let none = Progress::default();
        let rise = |progress: &Progress, both| increase(scores, progress, both);
        let expected = Scores { strength: 20, wisdom: 11, ..scores };
        assert_eq!(rise(&some, ("strength", "wisdom")), Ok(expected));
        assert_eq!(rise(&some, ("wisdom", "wisdom")), Ok(Scores { wisdom: 12, ..scores }));
        for (progress, both, error) in [
            (&some, ("strength", "luck"), E::AttributeUnknown),
            (&none, ("strength", "wisdom"), E::IncreaseNone),
            (&some, ("strength", "strength"), E::ScoreTooHigh),
            (&some, ("dexterity", "wisdom"), E::ScoreTooHigh),
        ] {
            assert_eq!(rise(progress, both), Err(error), "{both:?}");
        }
    }

    proptest! {
        #[test]
        fn experience_in_parts_is_experience_at_once(
            parts in prop::collection::vec(0_u32..60_000, 0..30),
            losses in prop::collection::vec(0_i64..200, 30),
        ) {
            let book = Book::default();
            let (mut in_parts, mut at_once) = (Progress::default(), Progress::default());
            for part in &parts {
                in_parts.gain(*part, &book);
            }
            at_once.gain(parts.iter().sum(), &book);
            prop_assert_eq!(in_parts, at_once);
            for (part, percent) in parts.iter().zip(losses) {
                let before = in_parts;
                in_parts.lose(percent, &book);
                prop_assert_eq!(in_parts.level, before.level);
                in_parts.gain(*part, &book);
                let most = increases(in_parts.level);
                prop_assert!(in_parts.increases <= most && in_parts.swaps < in_parts.level);
            }
        }
    }
}
