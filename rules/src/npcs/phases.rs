//! Phases of bosses: which one begins, and what it brings.
//!
//! Keeps true: a phase begins once a fight and is not left before that is over; content has them in
//! the order in which they begin.

use crate::content::{Behavior, CreatureDef};

/// Percent of its hit points that something has, rounded down, so that below 50 percent is below
/// half to the hit point; 0 to 100.
pub fn percent_of(hit_points: i32, hit_points_max: i32) -> u8 {
    let percent = i64::from(hit_points.max(0)) * 100 / i64::from(hit_points_max.max(1));
    u8::try_from(percent.min(100)).unwrap_or(100)
}

/// The phase that begins now, by its place in the list; none while the last that began goes on.
/// `begun_so_far` is how many have begun. Who is hurt through two at once skips the first.
pub fn begun(def: &CreatureDef, hit_points_percent: u8, begun_so_far: u8) -> Option<usize> {
    let next = usize::from(begun_so_far);
    def.phases
        .iter()
        .enumerate()
        .skip(next)
        .take_while(|(_, phase)| hit_points_percent < phase.below_percent)
        .last()
        .map(|(index, _)| index)
}

/// Keys of the abilities a creature has and what it tends to do, after so many phases have begun.
pub fn current(def: &CreatureDef, begun_so_far: u8) -> (&[String], &[Behavior]) {
    let last = usize::from(begun_so_far).min(def.phases.len());
    match last.checked_sub(1).and_then(|index| def.phases.get(index)) {
        Some(phase) => (&phase.abilities, &phase.behaviors),
        None => (&def.abilities, &def.behaviors),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::content::PhaseDef;
    use crate::content::tests::read_shipped;
    use proptest::prelude::*;
    use std::sync::OnceLock;

    fn boss() -> CreatureDef {
        static BOSS: OnceLock<CreatureDef> = OnceLock::new();
        BOSS.get_or_init(made).clone()
    }

    fn made() -> CreatureDef {
        let pack = read_shipped();
        let mut def = pack.creature[0].clone();
        def.abilities = vec!["one".to_owned()];
        def.behaviors = vec![Behavior::Hunt];
        let phase = |below_percent, ability: &str| PhaseDef {
            below_percent,
            abilities: vec![ability.to_owned()],
            behaviors: vec![Behavior::Cast],
        };
        def.phases = vec![phase(75, "two"), phase(30, "three")];
        def
    }

    fn check(percent: u8, begun_so_far: u8, expected: Option<usize>) {
        let found = begun(&boss(), percent, begun_so_far);
        assert_eq!(found, expected, "{percent} % after {begun_so_far}");
    }

    #[test]
    fn a_phase_begins_below_its_percent_and_once() {
        check(100, 0, None);
        check(75, 0, None);
        check(74, 0, Some(0));
        check(74, 1, None);
        check(29, 0, Some(1));
        check(29, 1, Some(1));
        check(0, 2, None);
        check(0, 255, None);
    }

    #[test]
    fn a_phase_replaces_what_was_before() {
        let boss = boss();
        for (begun_so_far, ability) in [(0, "one"), (1, "two"), (2, "three"), (9, "three")] {
            assert_eq!(current(&boss, begun_so_far).0, [ability]);
        }
        assert_eq!(current(&boss, 1).1, [Behavior::Cast]);
    }

    #[test]
    fn percents_are_rounded_down() {
        for (hit_points, max, expected) in
            [(50, 100, 50), (99, 200, 49), (1, 300, 0), (-5, 9, 0), (9, 0, 100), (i32::MAX, 1, 100)]
        {
            assert_eq!(percent_of(hit_points, max), expected, "{hit_points} of {max}");
        }
    }

    proptest! {
        #[test]
        fn phases_only_go_forward(percents in prop::collection::vec(0_u8..=100, 0..20)) {
            let boss = boss();
            let mut so_far = 0_u8;
            for percent in percents {
                if let Some(index) = begun(&boss, percent, so_far) {
                    prop_assert!(index >= usize::from(so_far));
                    so_far = u8::try_from(index + 1).expect("few");
                }
            }
            prop_assert!(usize::from(so_far) <= boss.phases.len());
        }
    }
}
