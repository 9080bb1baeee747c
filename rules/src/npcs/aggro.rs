//! Aggro: whom a creature notices by itself, before anybody hurt it.
//!
//! Keeps true: who is behind a wall or beyond sight is never noticed. Leaves out on purpose:
//! numbers; a lone creature attacks a group as readily as one.

use crate::content::Behavior;

/// Levels above its own that make no difference to a creature.
const LEVELS_EVEN: u8 = 2;
/// Percent of its sight that each level above those takes: who is twelve levels above is left
/// alone.
const PERCENT_PER_LEVEL: u32 = 10;
/// Percent of its sight within which a shy creature takes fright.
const SHY_PERCENT: u32 = 50;

/// Who may notice.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Watcher<'a> {
    /// How far it sees, millimetres.
    pub sight_mm: u32,
    /// 1 to 20.
    pub level: u8,
    /// What it tends to do now.
    pub behaviors: &'a [Behavior],
}

/// Whether something begins fights: it hunts, guards or patrols.
pub fn begins_fights(behaviors: &[Behavior]) -> bool {
    let begins = [Behavior::Hunt, Behavior::Guard, Behavior::Patrol];
    begins.iter().any(|behavior| behaviors.contains(behavior))
}

/// Whether something runs from whoever comes: it flees and begins no fights.
pub fn is_shy(behaviors: &[Behavior]) -> bool {
    behaviors.contains(&Behavior::Flee) && !begins_fights(behaviors)
}

/// How far a creature notices somebody of a level, millimetres; 0 for one that minds nobody.
pub fn notice_mm(watcher: &Watcher<'_>, other_level: u8) -> u32 {
    let percent = if is_shy(watcher.behaviors) {
        SHY_PERCENT
    } else if begins_fights(watcher.behaviors) {
        let above = other_level.saturating_sub(watcher.level.saturating_add(LEVELS_EVEN));
        100_u32.saturating_sub(u32::from(above) * PERCENT_PER_LEVEL)
    } else {
        0
    };
    let sight_mm = u64::from(watcher.sight_mm) * u64::from(percent) / 100;
    u32::try_from(sight_mm).unwrap_or(u32::MAX)
}

/// Whether a creature notices somebody at a distance. `is_in_sight` is whether nothing stands
/// between.
pub fn notices(
    watcher: &Watcher<'_>,
    distance_mm: u32,
    is_in_sight: bool,
    other_level: u8,
) -> bool {
    let range_mm = notice_mm(watcher, other_level);
    is_in_sight && range_mm > 0 && distance_mm <= range_mm
}

#[cfg(test)]
mod tests {
    use super::*;
    use Behavior::{Flee, Guard, Hunt, Wander};

    fn check(behaviors: &[Behavior], level: u8, other_level: u8, expected_mm: u32) {
        let watcher = Watcher { sight_mm: 20_000, level, behaviors };
        assert_eq!(notice_mm(&watcher, other_level), expected_mm, "{watcher:?} {other_level}");
        if expected_mm > 0 {
            assert!(notices(&watcher, expected_mm, true, other_level));
            assert!(!notices(&watcher, expected_mm, false, other_level));
        }
        assert!(!notices(&watcher, expected_mm + 1, true, other_level));
    }

    #[test]
    fn it_notices_as_far_as_it_sees_less_for_who_is_far_above_it() {
        check(&[Wander, Hunt], 1, 1, 20_000);
        check(&[Guard], 1, 3, 20_000);
        check(&[Guard], 1, 4, 18_000);
        check(&[Hunt], 1, 13, 0);
        check(&[Hunt], 20, 1, 20_000);
        check(&[Hunt], 255, 255, 20_000);
    }

    #[test]
    fn the_shy_are_frightened_near_and_others_mind_nobody() {
        check(&[Wander, Flee], 1, 20, 10_000);
        check(&[Flee, Hunt], 1, 1, 20_000);
        check(&[Wander], 1, 1, 0);
        check(&[], 1, 1, 0);
    }
}
