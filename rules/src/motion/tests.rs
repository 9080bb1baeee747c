//! Cases and properties of motion: bounds, speed, obstacles, and indifference to lateness.

use super::*;
use crate::world::GroundClass::{self, Blocked, Easy, Hard, Rough};
use crate::world::{Area, BLOCK_MM, cell_of_mm, chunk_of};
use proptest::prelude::*;
use std::collections::BTreeSet;

const BOUNDS: Area = Area {
    min_x_mm: -2 * BLOCK_MM,
    min_y_mm: -2 * BLOCK_MM,
    max_x_mm: 2 * BLOCK_MM,
    max_y_mm: 2 * BLOCK_MM,
};
const SECOND: i64 = 1_000_000;

fn on_ground<T>(blocked: &BTreeSet<(i32, i32)>, run: impl FnOnce(&mut Ground<'_>) -> T) -> T {
    on_classes(|x, y| if blocked.contains(&(x, y)) { Blocked } else { Easy }, run)
}

fn on_classes<T>(
    class_of: impl Fn(i32, i32) -> GroundClass,
    run: impl FnOnce(&mut Ground<'_>) -> T,
) -> T {
    let mut class = |x: i32, y: i32| class_of(x, y);
    run(&mut Ground { bounds: BOUNDS, class: &mut class })
}

/// Plans from a place at instant 0 with 5 m/s and compares end, duration and last position.
fn check(
    from: (i32, i32),
    intent: Intent,
    blocked: &[(i32, i32)],
    expected: (SegmentEnd, i64, (i32, i32)),
) {
    let blocked = blocked.iter().copied().collect();
    let segment = on_ground(&blocked, |ground| plan(0, from, intent, 5_000, ground));
    let last = segment.position_at(i64::MAX);
    assert_eq!((segment.end, segment.ends_at_micros, last), expected, "{segment:?}");
}

fn east() -> Intent {
    Intent::direction(1, 0)
}

#[test]
fn a_course_ends_at_the_first_thing_that_matters() {
    check((0, 0), east(), &[], (SegmentEnd::Border, 12_800_000, (64_000, 0)));
    check((0, 0), Intent::direction(-1, 0), &[], (SegmentEnd::Border, 200, (-1, 0)));
    check((0, 0), east(), &[(3, 0)], (SegmentEnd::Obstacle, 599_999, (2_999, 0)));
    check((127_000, 0), east(), &[], (SegmentEnd::Edge, 199_999, (127_999, 0)));
    let goal = Intent::Goal { x_mm: 5_000, y_mm: 0 };
    check((0, 0), goal, &[], (SegmentEnd::Goal, 1_000_000, (5_000, 0)));
    check((0, 0), Intent::Stand, &[], (SegmentEnd::Stands, 0, (0, 0)));
    check((0, 0), Intent::Goal { x_mm: 10, y_mm: -10 }, &[], (SegmentEnd::Stands, 0, (0, 0)));
}

#[test]
fn a_course_against_a_wall_stands() {
    check((999, 0), east(), &[(1, 0)], (SegmentEnd::Stands, 0, (999, 0)));
    check((127_999, 0), east(), &[], (SegmentEnd::Stands, 0, (127_999, 0)));
}

#[test]
fn nobody_squeezes_between_two_obstacles_that_touch() {
    let north_east = Intent::direction(1, 1);
    let stopped = [(1, 0), (0, 1)];
    let segment = on_ground(&stopped.into_iter().collect(), |ground| {
        plan(0, (500, 500), north_east, 5_000, ground)
    });
    assert_eq!(segment.end, SegmentEnd::Obstacle);
    assert_eq!(segment.position_at(i64::MAX), (999, 999));
}

#[test]
fn the_largest_numbers_are_only_angles() {
    for (dx, dy) in [(i16::MAX, i16::MIN), (i16::MIN, i16::MIN), (1, i16::MAX), (i16::MIN, 0)] {
        let intent = Intent::direction(dx, dy);
        let segment = on_ground(&BTreeSet::new(), |ground| plan(0, (5, 5), intent, 5_000, ground));
        let (x, y) = (i64::from(segment.vel_x_mm_per_s), i64::from(segment.vel_y_mm_per_s));
        assert!(x * x + y * y <= 5_000 * 5_000, "{segment:?}");
        assert!(x * x + y * y >= 4_990 * 4_990, "{segment:?}");
    }
    let far = Intent::Goal { x_mm: i32::MAX, y_mm: i32::MIN };
    let segment = on_ground(&BTreeSet::new(), |ground| plan(0, (5, 5), far, 5_000, ground));
    assert_eq!(segment.end, SegmentEnd::Border);
}

/// Goes for a minute at 5 m/s and compares where it stands or is, and how many segments it took.
fn check_walk(
    from: (i32, i32),
    intent: Intent,
    class_of: impl Fn(i32, i32) -> GroundClass,
    expected: (SegmentEnd, (i32, i32), u32),
) {
    on_classes(class_of, |ground| {
        let pace = Pace::steady(5_000);
        let course = Course { intent, pace: &pace, waypoints: &[], seed: 0 };
        let first = set_out(0, from, &course, ground).segment;
        let advanced = advance(first, &course, 60 * SECOND, ground);
        let last = advanced.segment.position_at(60 * SECOND);
        assert_eq!((advanced.segment.end, last, advanced.steps), expected, "{advanced:?}");
    });
}

#[test]
fn whoever_meets_a_wall_at_an_angle_slides_along_it() {
    let north_east = Intent::Goal { x_mm: 20_500, y_mm: 9_500 };
    // A wall to the north of y = 3 that ends at x = 12: along it, then on to the goal.
    let wall = |x: i32, y: i32| if y == 3 && x < 12 { Blocked } else { Easy };
    check_walk((500, 500), north_east, wall, (SegmentEnd::Stands, (20_500, 9_499), 3));
    // A corner holds whoever walks into it.
    let corner = |x: i32, y: i32| if y == 3 || x == 5 { Blocked } else { Easy };
    let walk = (SegmentEnd::Stands, (4_999, 2_999), 2);
    check_walk((500, 500), Intent::direction(1, 1), corner, walk);
    // At too steep an angle nobody creeps along.
    let steep = Intent::direction(1, 20);
    let across = |_: i32, y: i32| if y == 3 { Blocked } else { Easy };
    check_walk((500, 500), steep, across, (SegmentEnd::Stands, (624, 2_999), 1));
}

#[test]
fn the_ground_decides_the_speed() {
    let stripes = |x: i32, _: i32| match x {
        10..20 => Rough,
        20..30 => Hard,
        30 => Blocked,
        _ => Easy,
    };
    on_classes(stripes, |ground| {
        let pace = Pace::steady(4_000);
        let course = Course { intent: east(), pace: &pace, waypoints: &[], seed: 0 };
        let mut segment = set_out(0, (0, 500), &course, ground).segment;
        let mut seen = vec![];
        while !segment.stands() {
            seen.push((segment.vel_x_mm_per_s, segment.end, segment.ends_at_micros));
            segment = advance(segment, &course, segment.ends_at_micros, ground).segment;
        }
        let first = 2_500_000;
        let second = first + 3_333_334;
        let third = second + 5_000_000 - 1;
        assert_eq!(
            seen,
            [
                (4_000, SegmentEnd::Ground, first),
                (3_000, SegmentEnd::Ground, second),
                (2_000, SegmentEnd::Obstacle, third),
            ]
        );
    });
}

#[test]
fn whoever_was_walled_in_gets_out_at_half_speed() {
    on_ground(&BTreeSet::from([(0, 0)]), |ground| {
        let segment = plan(0, (500, 500), east(), 5_000, ground);
        assert_eq!((segment.vel_x_mm_per_s, segment.end), (2_500, SegmentEnd::Ground));
    });
}

#[test]
fn effects_change_a_running_segment_at_the_instant_they_end() {
    let slow = Effect { kind: EffectKind::Slow, percent: 50, ends_at_micros: 2 * SECOND };
    let root = Effect { kind: EffectKind::Root, percent: 0, ends_at_micros: SECOND };
    let pace = Pace { speed_mm_per_s: 4_000, effects: vec![slow, root] };
    let course = Course { intent: east(), pace: &pace, waypoints: &[], seed: 0 };
    on_ground(&BTreeSet::new(), |ground| {
        let first = set_out(0, (0, 0), &course, ground).segment;
        assert!(first.stands(), "rooted: {first:?}");
        assert_eq!(next_event_micros(&first, &pace), SECOND);
        for (at, expected) in [(1, 0), (2, 2_000), (3, 6_000), (5, 14_000)] {
            let segment = advance(first, &course, at * SECOND, ground).segment;
            assert_eq!(segment.position_at(at * SECOND), (expected, 0), "{at} s: {segment:?}");
        }
    });
}

#[test]
fn waypoints_are_passed_one_after_the_other() {
    let pace = Pace::steady(5_000);
    let waypoints = [(10_000, 0), (10_000, 10_000), (30_000, 10_000)];
    let intent = Intent::Goal { x_mm: 30_000, y_mm: 10_000 };
    let course = Course { intent, pace: &pace, waypoints: &waypoints, seed: 0 };
    on_ground(&BTreeSet::new(), |ground| {
        let first = set_out(0, (0, 0), &course, ground).segment;
        assert_eq!(first.position_at(i64::MAX), (10_000, 0));
        let advanced = advance(first, &course, 3 * SECOND, ground);
        assert_eq!(
            (advanced.passed, advanced.segment.position_at(3 * SECOND)),
            (1, (10_000, 5_000))
        );
        let rest = advance(first, &course, 60 * SECOND, ground);
        assert!(rest.segment.stands() && rest.passed == 3, "{rest:?}");
        assert_eq!(rest.segment.position_at(0), (30_000, 10_000));
    });
}

#[test]
fn a_wanderer_turns_where_it_cannot_go_on_and_rests_when_it_is_shut_in() {
    let pace = Pace::steady(5_000);
    let room =
        |x: i32, y: i32| if (0..8).contains(&x) && (0..8).contains(&y) { Easy } else { Blocked };
    on_classes(room, |ground| {
        let course = Course { intent: wander(3, 1), pace: &pace, waypoints: &[], seed: 3 };
        let first = set_out(0, (4_000, 4_000), &course, ground);
        let later = advance(first.segment, &course, 10 * SECOND, ground);
        assert!(later.steps > 2 && later.intent != course.intent, "{later:?}");
        assert!(!later.segment.stands());
    });
    let cell = |x: i32, y: i32| if (x, y) == (0, 0) { Easy } else { Blocked };
    on_classes(cell, |ground| {
        let course = Course { intent: wander(3, 1), pace: &pace, waypoints: &[], seed: 3 };
        let first = set_out(0, (0, 0), &course, ground).segment;
        let later = advance(first, &course, 60 * SECOND, ground).segment;
        assert!(!later.stands(), "it looks again later: {later:?}");
    });
}

#[test]
fn nobody_creeps_along_an_edge_event_by_event() {
    let pace = Pace::steady(1_800);
    for (dx, dy) in [(1, 1_000), (1_000, 1), (1, 60), (3, 1), (-1_000, -1), (1, -900)] {
        for intent in [Intent::Wander { dx, dy }, Intent::direction(dx, dy)] {
            let pen = |x: i32, y: i32| {
                if (-20..20).contains(&x) && (-20..20).contains(&y) { Easy } else { Blocked }
            };
            on_classes(pen, |ground| {
                let mut held = (Segment::standing(0, 19_500, 19_900), intent);
                let course = Course { intent, pace: &pace, waypoints: &[], seed: 5 };
                held.0 = set_out(0, (19_500, 19_900), &course, ground).segment;
                let mut steps = 0;
                for second in 1..=60 {
                    let course = Course { intent: held.1, ..course.clone() };
                    let advanced = advance(held.0, &course, second * SECOND, ground);
                    held = (advanced.segment, advanced.intent);
                    steps += advanced.steps;
                }
                assert!(steps <= 40, "{intent:?}: {steps} segments in a minute");
            });
        }
    }
}

#[test]
fn before_and_after_a_segment_the_entity_is_at_its_ends() {
    let segment = on_ground(&BTreeSet::new(), |ground| plan(50, (7, 7), east(), 5_000, ground));
    assert_eq!(segment.position_at(i64::MIN), (7, 7));
    assert_eq!(segment.position_at(i64::MAX), (64_000, 7));
    assert_eq!(segment.predict_at(segment.ends_at_micros + SECOND), (64_750, 7));
}

#[test]
fn intents_come_back_from_their_numbers() {
    let far = Intent::Goal { x_mm: i32::MIN, y_mm: i32::MAX };
    for intent in [east(), Intent::Stand, far, wander(1, 2)] {
        let (kind, x, y) = intent.code();
        assert_eq!(Intent::from_code(kind, x, y), intent);
    }
    assert_eq!(Intent::from_code(1, 40_000, 0), Intent::Stand);
    assert_eq!(Intent::from_code(1, 0, 0), Intent::Stand);
    assert_eq!(Intent::from_code(9, 1, 1), Intent::Stand);
}

#[test]
fn one_input_a_tick_is_applied_at_once() {
    assert!(applies_at_once(49_999, 50_000));
    assert!(!applies_at_once(50_000, 99_999));
    assert!(!applies_at_once(50_000, 10));
    assert_eq!(next_tick_at_micros(50_000), 100_000);
    assert_eq!(next_tick_at_micros(-1), 0);
}

fn intents() -> impl Strategy<Value = Intent> {
    let edge = 2 * BLOCK_MM;
    prop_oneof![
        (any::<i16>(), any::<i16>()).prop_map(|(dx, dy)| Intent::direction(dx, dy)),
        (-3_i16..4, -3_i16..4).prop_map(|(dx, dy)| Intent::direction(dx, dy)),
        (-edge..edge, -edge..edge).prop_map(|(x_mm, y_mm)| Intent::Goal { x_mm, y_mm }),
        any::<u64>().prop_map(|salt| wander(1, salt)),
    ]
}

fn effects() -> impl Strategy<Value = Effect> {
    let kinds = [EffectKind::Root, EffectKind::Slow, EffectKind::Haste, EffectKind::Load];
    (prop::sample::select(kinds.to_vec()), 0..300_u16, 0..200 * SECOND)
        .prop_map(|(kind, percent, ends_at_micros)| Effect { kind, percent, ends_at_micros })
}

prop_compose! {
    fn scenes()(
        cells in prop::collection::btree_set((-128..128_i32, -128..128_i32), 0..6_000),
        from in (-128_000..128_000_i32, -128_000..128_000_i32),
        intent in intents(),
        speed in 2..50_000_i32,
        instants in prop::collection::btree_set(0..200 * SECOND, 1..30),
    ) -> (BTreeSet<(i32, i32)>, (i32, i32), Intent, i32, Vec<i64>) {
        let mut cells = cells;
        cells.remove(&(cell_of_mm(from.0), cell_of_mm(from.1)));
        (cells, from, intent, speed, instants.into_iter().collect())
    }
}

/// Goes on until the segment holds at that instant, as a tick that is called again would.
fn run_to(
    segment: Segment,
    intent: Intent,
    pace: &Pace,
    at: i64,
    ground: &mut Ground<'_>,
) -> (Segment, Intent) {
    let mut held = (segment, intent);
    loop {
        let course = Course { intent: held.1, pace, waypoints: &[], seed: 7 };
        let advanced = advance(held.0, &course, at, ground);
        held = (advanced.segment, advanced.intent);
        if advanced.steps < ADVANCE_SEGMENTS_MAX {
            return held;
        }
    }
}

proptest! {
    #[test]
    fn nobody_enters_obstacles_leaves_the_world_or_exceeds_the_speed(
        (blocked, from, intent, speed, instants) in scenes()
    ) {
        on_ground(&blocked, |ground| {
            let mut held = (plan(0, from, intent, speed, ground), intent);
            let pace = Pace::steady(speed);
            let mut last = (0, from);
            for at in instants {
                held = run_to(held.0, held.1, &pace, at, ground);
                let (x, y) = held.0.position_at(at);
                prop_assert!(BOUNDS.contains(x, y));
                prop_assert!(!blocked.contains(&(cell_of_mm(x), cell_of_mm(y))));
                let way_x = i128::from(x - last.1.0);
                let way_y = i128::from(y - last.1.1);
                // One millimetre each way for cutting off to whole millimetres.
                let far = i128::from(speed) * i128::from(at - last.0) / 1_000_000 + 3;
                prop_assert!(way_x * way_x + way_y * way_y <= far * far);
                last = (at, (x, y));
            }
            Ok(())
        })?;
    }

    #[test]
    fn nobody_is_faster_than_ground_and_effects_allow(
        (blocked, from, intent, speed, instants) in scenes(),
        (class, percent) in prop::sample::select(vec![(Easy, 100_i64), (Rough, 75), (Hard, 50)]),
        effects in prop::collection::vec(effects(), 0..4),
    ) {
        let class_of = |x: i32, y: i32| if blocked.contains(&(x, y)) { Blocked } else { class };
        on_classes(class_of, |ground| {
            let hastes = effects.iter().filter(|effect| effect.kind == EffectKind::Haste);
            let haste = hastes.map(|effect| i64::from(effect.percent)).max().unwrap_or(0);
            let pace = Pace { speed_mm_per_s: speed, effects: effects.clone() };
            let course = Course { intent, pace: &pace, waypoints: &[], seed: 7 };
            let first = set_out(0, from, &course, ground);
            let mut held = (first.segment, first.intent);
            let mut last = (0, from);
            for at in instants {
                held = run_to(held.0, held.1, &pace, at, ground);
                let (x, y) = held.0.position_at(at);
                prop_assert!(BOUNDS.contains(x, y));
                prop_assert!(!blocked.contains(&(cell_of_mm(x), cell_of_mm(y))));
                let way_x = i128::from(x - last.1.0);
                let way_y = i128::from(y - last.1.1);
                let most = i128::from(speed) * i128::from(percent) * i128::from(100 + haste);
                let far = most * i128::from(at - last.0) / 10_000_000_000 + 3;
                prop_assert!(way_x * way_x + way_y * way_y <= far * far, "{:?}", held);
                last = (at, (x, y));
            }
            Ok(())
        })?;
    }

    #[test]
    fn a_late_tick_finds_what_a_punctual_one_found(
        (blocked, from, intent, speed, instants) in scenes(),
        effects in prop::collection::vec(effects(), 0..4),
    ) {
        on_ground(&blocked, |ground| {
            let first = (plan(0, from, intent, speed, ground), intent);
            let pace = Pace { speed_mm_per_s: speed, effects };
            let mut punctual = first;
            for at in instants {
                punctual = run_to(punctual.0, punctual.1, &pace, at, ground);
                prop_assert_eq!(run_to(first.0, first.1, &pace, at, ground), punctual);
            }
            Ok(())
        })?;
    }

    #[test]
    fn a_segment_stays_in_its_block_until_it_ends(
        (blocked, from, intent, speed, instants) in scenes()
    ) {
        let segment = on_ground(&blocked, |ground| plan(0, from, intent, speed, ground));
        for at in instants.into_iter().filter(|at| *at < segment.ends_at_micros) {
            let (x, y) = segment.position_at(at);
            prop_assert_eq!(chunk_of(0, x, y), chunk_of(0, from.0, from.1));
        }
        prop_assert!(segment.stands() || segment.ends_at_micros > 0);
    }

    #[test]
    fn a_goal_in_the_open_is_reached(
        from in (-128_000..128_000_i32, -128_000..128_000_i32),
        goal in (-128_000..128_000_i32, -128_000..128_000_i32),
        speed in 100..50_000_i32,
    ) {
        let intent = Intent::Goal { x_mm: goal.0, y_mm: goal.1 };
        on_ground(&BTreeSet::new(), |ground| {
            let segment = plan(0, from, intent, speed, ground);
            let rest = run_to(segment, intent, &Pace::steady(speed), 10_000 * SECOND, ground).0;
            prop_assert!(rest.stands());
            let near = i64::from(rest.pos_x_mm - goal.0).abs()
                .max(i64::from(rest.pos_y_mm - goal.1).abs());
            prop_assert!(near <= GOAL_REACHED_MM, "{rest:?}");
            Ok(())
        })?;
    }
}
