//! Levels of a guild: what activity brings, by the settings of the content.
//!
//! Keeps true: levels never fall; a guild never has more members or tabs than the fixed bounds.

use super::MEMBERS_MAX;
use super::bank::TABS_MAX;
use crate::content::book::Book;

/// The level of a guild with so many points of activity: each level needs `guild_level_points`
/// more than the one before it needed, the second that many.
pub fn level_of(points: u64, book: &Book) -> u8 {
    let step = number(book, "guild_level_points").max(1);
    let most = u8::try_from(number(book, "guild_level_max")).unwrap_or(u8::MAX).max(1);
    let (mut level, mut left) = (1_u8, points);
    while level < most {
        let needed = step.saturating_mul(u64::from(level));
        let Some(rest) = left.checked_sub(needed) else { break };
        left = rest;
        level += 1;
    }
    level
}

/// Points of activity for experience that a member gained, rounded down.
pub fn points_for(experience: u32, book: &Book) -> u64 {
    u64::from(experience).saturating_mul(number(book, "guild_points_per_experience_percent")) / 100
}

/// How many members a guild of that level has at most.
pub fn members_max(level: u8, book: &Book) -> u16 {
    let more = number(book, "guild_members_per_level").saturating_mul(above_first(level));
    let most = number(book, "guild_members_base").saturating_add(more);
    u16::try_from(most).unwrap_or(MEMBERS_MAX).clamp(1, MEMBERS_MAX)
}

/// How many tabs the bank of a guild of that level has at most.
pub fn tabs_max(level: u8, book: &Book) -> u8 {
    let more = number(book, "guild_tabs_per_level").saturating_mul(above_first(level));
    let most = number(book, "guild_tabs_base").saturating_add(more);
    u8::try_from(most).unwrap_or(TABS_MAX).min(TABS_MAX)
}

fn above_first(level: u8) -> u64 {
    u64::from(level.saturating_sub(1))
}

fn number(book: &Book, key: &str) -> u64 {
    u64::try_from(book.setting(key)).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn activity_brings_levels_and_levels_bring_room() {
        let book = Book::default();
        for (points, level, members, tabs) in [
            (0, 1, 100, 2),
            (99_999, 1, 100, 2),
            (100_000, 2, 150, 3),
            (299_999, 2, 150, 3),
            (300_000, 3, 200, 4),
            (600_000, 4, 250, 5),
            (1_000_000, 5, 300, 6),
            (3_600_000, 9, 500, 6),
            (4_500_000, 10, 500, 6),
            (u64::MAX, 10, 500, 6),
        ] {
            assert_eq!(level_of(points, &book), level, "{points}");
            assert_eq!(members_max(level, &book), members, "{level}");
            assert_eq!(tabs_max(level, &book), tabs, "{level}");
        }
        assert_eq!(members_max(u8::MAX, &book), MEMBERS_MAX);
        assert_eq!(tabs_max(0, &book), 2);
        assert_eq!(points_for(u32::MAX, &book), u64::from(u32::MAX));
    }
}
