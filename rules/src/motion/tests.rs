//! Cases and properties of motion: bounds, speed, obstacles, and indifference to lateness.

use super::*;
use crate::world::{BLOCK_MM, chunk_of};
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
    let mut is_blocked = |x: i32, y: i32| blocked.contains(&(x, y));
    run(&mut Ground { bounds: BOUNDS, is_blocked: &mut is_blocked })
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
    check((999, 0), east(), &[(1, 0)], (SegmentEnd::Obstacle, 199, (999, 0)));
    check((127_999, 0), east(), &[], (SegmentEnd::Edge, 199, (127_999, 0)));
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

#[test]
fn before_and_after_a_segment_the_entity_is_at_its_ends() {
    let segment = on_ground(&BTreeSet::new(), |ground| plan(50, (7, 7), east(), 5_000, ground));
    assert_eq!(segment.position_at(i64::MIN), (7, 7));
    assert_eq!(segment.position_at(i64::MAX), (64_000, 7));
    assert_eq!(segment.predict_at(segment.ends_at_micros + SECOND), (64_750, 7));
}

#[test]
fn intents_come_back_from_their_numbers() {
    for intent in [east(), Intent::Stand, Intent::Goal { x_mm: i32::MIN, y_mm: i32::MAX }] {
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
    ]
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
    mut segment: Segment,
    intent: Intent,
    speed: i32,
    at: i64,
    ground: &mut Ground<'_>,
) -> Segment {
    loop {
        let advanced = advance(segment, intent, speed, at, ground);
        segment = advanced.segment;
        if advanced.steps < ADVANCE_SEGMENTS_MAX {
            return segment;
        }
    }
}

proptest! {
    #[test]
    fn nobody_enters_obstacles_leaves_the_world_or_exceeds_the_speed(
        (blocked, from, intent, speed, instants) in scenes()
    ) {
        on_ground(&blocked, |ground| {
            let mut segment = plan(0, from, intent, speed, ground);
            let mut last = (0, from);
            for at in instants {
                segment = run_to(segment, intent, speed, at, ground);
                let (x, y) = segment.position_at(at);
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
    fn a_late_tick_finds_what_a_punctual_one_found(
        (blocked, from, intent, speed, instants) in scenes()
    ) {
        on_ground(&blocked, |ground| {
            let first = plan(0, from, intent, speed, ground);
            let mut punctual = first;
            for at in instants {
                punctual = run_to(punctual, intent, speed, at, ground);
                prop_assert_eq!(run_to(first, intent, speed, at, ground), punctual);
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
            let rest = run_to(segment, intent, speed, 10_000 * SECOND, ground);
            prop_assert!(rest.stands());
            let near = i64::from(rest.pos_x_mm - goal.0).abs()
                .max(i64::from(rest.pos_y_mm - goal.1).abs());
            prop_assert!(near <= GOAL_REACHED_MM, "{rest:?}");
            Ok(())
        })?;
    }
}
