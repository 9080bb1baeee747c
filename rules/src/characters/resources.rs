//! Resources: what a character has left of its hit points, hit dice, slots and uses, and what rests
//! and levels give back.
//!
//! Keeps true: nothing is left that there never was, whatever content made of the sheet meanwhile.
//! Leaves out on purpose: what changes within a fight (`combat`).

use crate::combat::casting::Slots;
use crate::combat::health::{Health, Vital};
use crate::combat::rest::{HitDice, Rested};
use crate::combat::sheet::Sheet;
use crate::content::{AbilityDef, Casting};

/// The highest level of exhaustion.
pub const EXHAUSTION_MAX: u8 = 6;

/// What a character has left.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Resources {
    /// 0 to the most it can have; more than 0 exactly while it is awake.
    pub hit_points: i32,
    /// Hit dice.
    pub hit_dice: HitDice,
    /// Spell slots.
    pub slots: Slots,
    /// 0 to 6.
    pub exhaustion: u8,
    /// Whether it has kept its last hit point since its last long rest.
    pub has_endured: bool,
    /// How alive it is.
    pub vital: Vital,
    /// When its last long rest ended, microseconds since 1970; 0 for never.
    pub long_rest_at_micros: i64,
}

impl Resources {
    /// All there is.
    pub fn full(sheet: &Sheet) -> Self {
        Self {
            hit_points: sheet.hit_points_max,
            hit_dice: HitDice { sides: sheet.hit_die, max: sheet.level, left: sheet.level },
            slots: sheet.slots,
            exhaustion: 0,
            has_endured: false,
            vital: Vital::Awake,
            long_rest_at_micros: 0,
        }
    }

    /// The same within what the sheet allows now. Who is awake has at least 1 hit point, who is not
    /// has none.
    #[must_use]
    pub fn within(mut self, sheet: &Sheet) -> Self {
        self.hit_points = match self.vital {
            Vital::Awake => self.hit_points.clamp(1, sheet.hit_points_max.max(1)),
            Vital::Dying { .. } | Vital::Stable | Vital::Dead => 0,
        };
        let left = self.hit_dice.left.min(sheet.level);
        self.hit_dice = HitDice { sides: sheet.hit_die, max: sheet.level, left };
        self.slots.max = sheet.slots.max;
        for (left, max) in self.slots.left.iter_mut().zip(sheet.slots.max) {
            *left = (*left).min(max);
        }
        self.exhaustion = self.exhaustion.min(EXHAUSTION_MAX);
        self
    }

    /// What a better sheet adds: hit points to who is awake, hit dice and slots unspent.
    #[must_use]
    pub fn grown(mut self, before: &Sheet, after: &Sheet) -> Self {
        if matches!(self.vital, Vital::Awake) {
            let more = after.hit_points_max.saturating_sub(before.hit_points_max).max(0);
            self.hit_points = self.hit_points.saturating_add(more);
        }
        let more = after.level.saturating_sub(before.level);
        self.hit_dice.left = self.hit_dice.left.saturating_add(more);
        self.slots.grow(after.slots.max);
        self.within(after)
    }

    /// What a rest gives back, but for uses; nothing to who is not awake.
    #[must_use]
    pub fn rested(
        mut self,
        is_long: bool,
        casting: Casting,
        sheet: &Sheet,
        now_micros: i64,
    ) -> Self {
        if !matches!(self.vital, Vital::Awake) {
            return self;
        }
        let (max, current) = (sheet.hit_points_max, self.hit_points);
        let mut rested = Rested {
            health: Health { max, current, temporary: 0, vital: self.vital },
            hit_dice: self.hit_dice,
            slots: self.slots,
            exhaustion: self.exhaustion,
        };
        if is_long {
            rested.rest_long();
            self.has_endured = false;
            self.long_rest_at_micros = now_micros;
        } else {
            rested.rest_short(casting);
        }
        self.hit_points = rested.health.current;
        self.hit_dice = rested.hit_dice;
        self.slots = rested.slots;
        self.exhaustion = rested.exhaustion;
        self
    }
}

/// How rows write that: 0 awake, 1 dying, 2 stable, 3 dead; then death saves made and missed.
pub const fn vital_codes(vital: Vital) -> (u8, u8, u8) {
    match vital {
        Vital::Awake => (0, 0, 0),
        Vital::Dying { successes, failures } => (1, successes, failures),
        Vital::Stable => (2, 0, 0),
        Vital::Dead => (3, 0, 0),
    }
}

/// What rows have written; who is neither awake nor dying nor stable is dead.
pub const fn vital_of(code: u8, successes: u8, failures: u8) -> Vital {
    match code {
        0 => Vital::Awake,
        1 => Vital::Dying { successes, failures },
        2 => Vital::Stable,
        _ => Vital::Dead,
    }
}

/// How often an ability can be used at a level, and whether only a long rest gives that back; none
/// for any number.
pub fn uses_max(ability: &AbilityDef, level: u8) -> Option<(u8, bool)> {
    let is_long = ability.uses_per_long_rest > 0;
    let fixed = ability.uses_per_long_rest.max(ability.uses_per_short_rest);
    if fixed == 0 {
        return None;
    }
    let at = usize::from(level.clamp(1, 20)) - 1;
    Some((ability.uses_by_level.get(at).copied().unwrap_or(fixed), is_long))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::characters::creation::usual;
    use crate::combat::sheet::{Build, of_character};
    use crate::content::tests::shipped_book;
    use proptest::prelude::*;

    fn sheet(class: &str, level: u8) -> Sheet {
        let book = shipped_book();
        let scores = usual("human", class, book).expect("made").scores;
        let build = Build {
            race: "human".to_owned(),
            class: class.to_owned(),
            level,
            scores,
            outfit: None,
        };
        of_character(&build, book).expect("a sheet")
    }

    fn spent(sheet: &Sheet) -> Resources {
        let mut spent = Resources::full(sheet);
        spent.hit_points = 1;
        spent.hit_dice.left = 0;
        spent.slots.left = [0; 9];
        (spent.exhaustion, spent.has_endured) = (2, true);
        spent
    }

    #[test]
    fn a_long_rest_gives_back_what_a_short_one_does_not() {
        let wizard = sheet("wizard", 5);
        let short = spent(&wizard).rested(false, Casting::Full, &wizard, 7);
        assert_eq!(short, spent(&wizard));
        let long = spent(&wizard).rested(true, Casting::Full, &wizard, 7);
        let hit_dice = HitDice { left: 2, ..spent(&wizard).hit_dice };
        let expected = Resources {
            hit_dice,
            exhaustion: 1,
            long_rest_at_micros: 7,
            ..Resources::full(&wizard)
        };
        assert_eq!(long, expected);
        let warlock = sheet("warlock", 5);
        let short = spent(&warlock).rested(false, Casting::Pact, &warlock, 7);
        assert_eq!(short.slots, warlock.slots);
        let down = Resources { vital: Vital::Stable, hit_points: 0, ..spent(&wizard) };
        assert_eq!(down.rested(true, Casting::Full, &wizard, 7), down);
    }

    #[test]
    fn a_level_adds_what_is_new_and_mends_nothing() {
        let (before, after) = (sheet("cleric", 2), sheet("cleric", 3));
        let grown = spent(&before).grown(&before, &after);
        let more = after.hit_points_max - before.hit_points_max;
        assert_eq!((grown.hit_points, grown.hit_dice.left), (1 + more, 1));
        assert_eq!(grown.slots.left[..3], [1, 2, 0]);
        let full = Resources::full(&before).grown(&before, &after);
        assert_eq!(full, Resources::full(&after));
        let dead = Resources { vital: Vital::Dead, hit_points: 0, ..spent(&before) };
        assert_eq!(dead.grown(&before, &after).hit_points, 0);
    }

    #[test]
    fn how_alive_it_is_survives_its_row() {
        let dying = Vital::Dying { successes: 1, failures: 2 };
        for vital in [Vital::Awake, dying, Vital::Stable, Vital::Dead] {
            let (code, successes, failures) = vital_codes(vital);
            assert_eq!(vital_of(code, successes, failures), vital);
        }
        assert_eq!(vital_of(9, 0, 0), Vital::Dead);
    }

    #[test]
    fn uses_are_counted_by_level_and_rest() {
        let mut ability = shipped_book().pack().ability[0].clone();
        let mut check = |long, short, by_level: &[u8], level, expected| {
            ability.uses_per_long_rest = long;
            ability.uses_per_short_rest = short;
            ability.uses_by_level = by_level.to_vec();
            assert_eq!(uses_max(&ability, level), expected, "{long} {short} {level}");
        };
        let rising: Vec<u8> = (1..=20).collect();
        check(0, 0, &[], 5, None);
        check(2, 0, &[], 5, Some((2, true)));
        check(0, 1, &[], 5, Some((1, false)));
        check(2, 0, &rising, 7, Some((7, true)));
        check(0, 2, &rising, 20, Some((20, false)));
        check(0, 2, &rising, 0, Some((1, false)));
    }

    proptest! {
        #[test]
        fn nothing_is_left_that_there_never_was(
            hit_points in any::<i32>(),
            left in any::<u8>(),
            slots in any::<[u8; 9]>(),
            exhaustion in any::<u8>(),
            vital in 0_u8..5,
            is_long in any::<bool>(),
        ) {
            let (small, large) = (sheet("druid", 3), sheet("druid", 9));
            let mut any = Resources::full(&small);
            (any.hit_points, any.exhaustion) = (hit_points, exhaustion);
            (any.hit_dice.left, any.slots.left) = (left, slots);
            any.vital = vital_of(vital, 1, 1);
            let small_one = any.within(&small);
            for (got, sheet) in [
                (small_one, &small),
                (small_one.within(&large), &large),
                (small_one.grown(&small, &large), &large),
                (small_one.rested(is_long, Casting::Full, &small, 1), &small),
            ] {
                let is_awake = matches!(got.vital, Vital::Awake);
                prop_assert!((0..=sheet.hit_points_max).contains(&got.hit_points));
                prop_assert_eq!(got.hit_points > 0, is_awake);
                prop_assert!(got.hit_dice.left <= sheet.level && got.exhaustion <= EXHAUSTION_MAX);
                prop_assert!(got.slots.left.iter().zip(sheet.slots.max).all(|(a, b)| *a <= b));
            }
        }
    }
}
