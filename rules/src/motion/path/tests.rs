//! Cases and properties of paths: what is clear, that walkers arrive, that refusals are true, that
//! paths are short, and that no ground makes a search exceed its bounds.

mod grounds;
mod reference;
mod statistics;
mod synthetic;

use super::*;
use crate::motion::{Course, Ground, Intent, Pace, SegmentEnd, advance, set_out};
use crate::world::{Area, CELL_MM, GroundClass, cell_of_mm};
use grounds::{Cells, random_cells};
use proptest::prelude::*;

/// A map of cells, the northernmost row first; `#` is blocked, and so is what lies around it.
fn map(rows: &[&str]) -> Cells {
    let is_open = |x: i32, y: i32| {
        let row = rows.iter().rev().nth(usize::try_from(y).unwrap_or(usize::MAX));
        row.and_then(|row| row.as_bytes().get(usize::try_from(x).unwrap_or(usize::MAX)))
            .is_some_and(|cell| *cell != b'#')
    };
    Cells::new(1, is_open)
}

fn check(
    rows: &[&str],
    from: (i32, i32),
    to: (i32, i32),
    expected: Result<&[(i32, i32)], PathError>,
) {
    let cells = map(rows);
    let found = find(&mut cells.land(), from, to);
    assert_eq!(found.as_deref().map_err(|error| *error), expected, "{rows:#?}");
    if let Ok(waypoints) = &found {
        assert_walkable(&cells, from, waypoints);
    }
    let is_straight = expected == Ok(&[to]);
    assert_eq!(is_clear(&mut cells.land(), from, to), is_straight, "{rows:#?}");
}

/// Follows the legs centimetre by centimetre: no blocked cell is entered, and none squeezed by.
fn assert_walkable(cells: &Cells, from: (i32, i32), waypoints: &[(i32, i32)]) {
    let mut at = from;
    for next in waypoints.iter().copied() {
        let way = (i64::from(next.0 - at.0), i64::from(next.1 - at.1));
        let parts = way.0.abs().max(way.1.abs()) / 10 + 1;
        let mut last = (cell_of_mm(at.0), cell_of_mm(at.1));
        for part in 0..=parts {
            let on = |from: i32, way: i64| {
                cell_of_mm(from + i32::try_from(way * part / parts).unwrap_or(0))
            };
            let cell = (on(at.0, way.0), on(at.1, way.1));
            let beside = cells.is_open(cell.0, last.1) && cells.is_open(last.0, cell.1);
            let is_fine = cells.is_open(cell.0, cell.1) && beside;
            assert!(is_fine, "{at:?} to {next:?} through {cell:?}");
            last = cell;
        }
        at = next;
    }
}

/// Walks a path as the module does: it must end at its goal without ever meeting an obstacle.
fn assert_arrives(cells: &Cells, from: (i32, i32), waypoints: &[(i32, i32)], speed_mm_per_s: i32) {
    let edge = cells.size_cells() * CELL_MM;
    let bounds = Area { min_x_mm: 0, min_y_mm: 0, max_x_mm: edge, max_y_mm: edge };
    let mut class = |x: i32, y: i32| match synthetic::dice(3, x / 9, y / 9) % 8 {
        _ if !cells.is_open(x, y) => GroundClass::Blocked,
        0 => GroundClass::Hard,
        1 | 2 => GroundClass::Rough,
        _ => GroundClass::Easy,
    };
    let mut ground = Ground { bounds, class: &mut class };
    let pace = Pace::steady(speed_mm_per_s);
    let (x_mm, y_mm) = *waypoints.last().expect("a path has a goal");
    let mut left = waypoints;
    let intent = Intent::Goal { x_mm, y_mm };
    let course = |waypoints| Course { intent, pace: &pace, waypoints, seed: 0 };
    let begun = set_out(0, from, &course(left), &mut ground);
    let mut segment = begun.segment;
    left = &left[begun.passed..];
    for _ in 0..20_000 {
        if segment.stands() {
            break;
        }
        let is_met = matches!(segment.end, SegmentEnd::Obstacle | SegmentEnd::Edge);
        assert!(!is_met, "{segment:?} on {from:?} {waypoints:?}");
        let next = advance(segment, &course(left), segment.ends_at_micros, &mut ground);
        segment = next.segment;
        left = &left[next.passed..];
    }
    let last = segment.position_at(i64::MAX);
    let near = last.0.abs_diff(x_mm).max(last.1.abs_diff(y_mm));
    assert!(segment.stands() && near <= 10, "{last:?} from {from:?} along {waypoints:?}");
}

#[test]
fn a_free_line_is_the_path() {
    let open = ["......", "......", "..#...", "......"];
    check(&open, (500, 500), (5_500, 500), Ok(&[(5_500, 500)]));
    check(&open, (500, 500), (500, 3_500), Ok(&[(500, 3_500)]));
    check(&open, (700, 500), (700, 500), Ok(&[(700, 500)]));
    // The tree is as near as a walker may come, and then a little nearer.
    check(&open, (500, 790), (4_500, 790), Ok(&[(4_500, 790)]));
    let nearer = find(&mut map(&open).land(), (500, 810), (4_500, 810)).expect("around");
    assert!(nearer.len() > 1, "{nearer:?}");
}

#[test]
fn nobody_squeezes_between_cells_that_touch() {
    let touching = ["..#.", "..#.", "##..", "...."];
    check(&touching, (1_500, 2_500), (2_500, 1_500), Err(PathError::NoPath));
    check(&touching, (2_500, 1_500), (500, 500), Ok(&[(2_209, 791), (500, 500)]));
}

#[test]
fn refusals_come_in_their_order() {
    let pocket = ["....#..", "....#..", "....###", "......."];
    check(&pocket, (500, 500), (5_500, 3_500), Err(PathError::NoPath));
    check(&pocket, (5_500, 3_500), (500, 500), Err(PathError::NoPath));
    check(&pocket, (500, 500), (4_500, 2_500), Err(PathError::GoalBlocked));
    check(&pocket, (4_500, 2_500), (4_500, 3_500), Err(PathError::StartBlocked));
    check(&pocket, (4_500, 2_500), (1_004_501, 2_500), Err(PathError::TooFar));
    for far in [(i32::MIN, i32::MAX), (i32::MAX, i32::MIN)] {
        check(&pocket, (500, 500), far, Err(PathError::TooFar));
        check(&pocket, far, far, Err(PathError::StartBlocked));
    }
}

#[test]
fn the_rim_of_the_numbers_is_no_obstacle() {
    let mut everywhere = |_: i32, _: i32| Some([u64::MAX; 64]);
    for rim in [-2_097_100_000, 2_097_100_000] {
        let goal = (rim + 5_000, rim - 5_000);
        assert_eq!(find(&mut everywhere, (rim, rim), goal), Ok(vec![goal]));
    }
    let corner = (i32::MAX, i32::MAX);
    assert_eq!(find(&mut everywhere, corner, corner), Err(PathError::StartBlocked));
}

#[test]
fn each_block_is_asked_for_once() {
    let cells = random_cells(5, 3);
    let mut asked = std::collections::BTreeMap::new();
    let mut land = |x: i32, y: i32| {
        *asked.entry((x, y)).or_insert(0) += 1;
        cells.rows(x, y)
    };
    let _ = find(&mut land, (1_500, 1_500), (190_500, 190_500));
    assert!(asked.len() >= 9 && asked.values().all(|times| *times == 1), "{asked:?}");
}

#[test]
fn equal_ground_gives_an_equal_path() {
    let land = synthetic::Synthetic::new(11, 4);
    let mut rows = |x: i32, y: i32| land.rows(x, y);
    let (from, to) = ((20_500, 30_500), (228_500, 215_500));
    let found = find(&mut rows, from, to);
    assert_eq!(found, find(&mut rows, from, to));
}

const CASES: u32 = if cfg!(debug_assertions) { 100 } else { 3_000 };

proptest! {
    #![proptest_config(ProptestConfig::with_cases(CASES))]

    #[test]
    fn walkers_arrive_and_refusals_are_true(
        kind in 0..grounds::KINDS,
        seed: u64,
        from in (0..128_000_i32, 0..128_000_i32),
        to in (0..128_000_i32, 0..128_000_i32),
    ) {
        let cells = grounds::of_kind(kind, seed, 2);
        let cell_of = |(x, y): (i32, i32)| (cell_of_mm(x), cell_of_mm(y));
        let expected = cells.is_reachable(cell_of(from), cell_of(to));
        let (found, work) = find_counted(&mut cells.land(), from, to);
        match found {
            Ok(waypoints) => {
                prop_assert!(expected && waypoints.len() <= WAYPOINTS_MAX);
                prop_assert_eq!(waypoints.last(), Some(&to));
                assert_walkable(&cells, from, &waypoints);
                for speed_mm_per_s in [1_500, 2_000, 5_000, 12_000] {
                    assert_arrives(&cells, from, &waypoints, speed_mm_per_s);
                }
            }
            Err(PathError::NoPath) => prop_assert!(!expected),
            Err(PathError::StartBlocked) => prop_assert!(!cells.is_open_at(from)),
            Err(PathError::GoalBlocked) => prop_assert!(!cells.is_open_at(to)),
            Err(PathError::TooComplex) => prop_assert!(grounds::is_hard(kind)),
            Err(PathError::TooFar) => prop_assert!(false),
        }
        statistics::assert_bounded(work);
    }

    #[test]
    fn a_clear_line_can_be_walked(
        seed: u64,
        from in (0..64_000_i32, 0..64_000_i32),
        way in (-9_000..9_000_i32, -9_000..9_000_i32),
    ) {
        let cells = random_cells(seed, 1);
        let to = (from.0 + way.0, from.1 + way.1);
        if is_clear(&mut cells.land(), from, to) {
            assert_walkable(&cells, from, &[to]);
            if from != to {
                assert_arrives(&cells, from, &[to], 1_500);
            }
        }
    }
}

#[test]
fn the_corners_of_the_widest_world_are_too_far_apart() {
    let (west, east) = (i32::MIN, i32::MAX);
    for (from, to) in [((west, west), (east, east)), ((east, west), (west, east))] {
        assert!(is_too_far(from, to));
        assert!(!is_too_far(from, from));
    }
    assert!(!is_too_far((0, 0), (PATH_RANGE_MM, 0)));
    assert!(is_too_far((0, 0), (PATH_RANGE_MM, 1)));
}
