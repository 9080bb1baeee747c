//! Walks, and what is watched on them.

use super::*;
use haven_rules::world::{SPEED_MAX_MM_PER_S, chunk_of};
use proptest::prelude::*;
use std::collections::BTreeSet;

const BOUNDS: Area =
    Area { min_x_mm: -640_000, min_y_mm: -640_000, max_x_mm: 640_000, max_y_mm: 640_000 };
/// As far as a world can reach.
const WIDE: Area = Area {
    min_x_mm: -2_000_000_000,
    min_y_mm: -2_000_000_000,
    max_x_mm: 2_000_000_000,
    max_y_mm: 2_000_000_000,
};

/// How far a player may get between two looks, millimetres.
const STEP: std::ops::Range<i32> = -40_000..40_000;

fn blocks() -> Ring {
    Ring::new(Grid::BLOCKS)
}

fn apply_all(ring: &mut Ring, change: &RingChange) {
    for chunk in &change.watch {
        ring.applied(*chunk);
    }
}

/// Walks through positions, everything arriving at once; answers how many blocks were asked for
/// and dropped at each.
fn check(walk: &[(i32, i32)], expected: &[(usize, usize)]) {
    let mut ring = blocks();
    let mut counts = Vec::new();
    for position in walk {
        let asked = ring.follow(0, *position, &BOUNDS);
        apply_all(&mut ring, &asked);
        let dropped = ring.follow(0, *position, &BOUNDS).drop.len() + asked.drop.len();
        counts.push((asked.watch.len(), dropped));
    }
    assert_eq!(counts, expected, "{walk:?}");
}

#[test]
fn the_ring_follows_the_player() {
    check(&[(1, 1)], &[(9, 0)]);
    check(&[(639_000, 1)], &[(6, 0)]);
    check(&[(639_000, 639_000)], &[(4, 0)]);
    // Over the eastern border: three new at once, three old once 16 m beyond.
    check(&[(1, 1), (64_000, 1), (79_999, 1), (80_000, 1)], &[(9, 0), (3, 0), (0, 0), (0, 3)]);
    // To and fro: nothing.
    check(&[(63_000, 1), (64_500, 1), (63_000, 1), (64_500, 1)], &[(9, 0), (3, 0), (0, 0), (0, 0)]);
    // Somewhere else altogether.
    check(&[(1, 1), (320_000, 320_000)], &[(9, 0), (9, 9)]);
}

#[test]
fn nothing_is_dropped_while_a_block_around_is_missing() {
    let mut ring = blocks();
    let first = ring.follow(0, (1, 1), &BOUNDS);
    assert!(!ring.is_complete());
    apply_all(&mut ring, &first);
    assert!(ring.is_complete() && !ring.has_extra());
    let moved = ring.follow(0, (100_000, 1), &BOUNDS);
    assert_eq!((moved.watch.len(), moved.drop.len()), (3, 0));
    assert!(ring.has_extra() && ring.is_behind(0, (100_000, 1)));
    assert_eq!(ring.follow(0, (100_000, 1), &BOUNDS), RingChange::default());
    apply_all(&mut ring, &moved);
    assert_eq!(ring.follow(0, (100_000, 1), &BOUNDS).drop.len(), 3);
    assert!(!ring.is_behind(0, (100_000, 1)));
    assert_eq!(ring.clear().len(), 9);
    assert!(!ring.is_complete());
}

#[test]
fn a_block_left_behind_before_it_came_keeps_nothing_and_goes_later() {
    let mut ring = blocks();
    let first = ring.follow(0, (1, 1), &BOUNDS);
    let second = ring.follow(0, (320_000, 320_000), &BOUNDS);
    apply_all(&mut ring, &second);
    assert!(ring.is_complete());
    assert_eq!(ring.follow(0, (320_000, 320_000), &BOUNDS).drop.len(), 0);
    apply_all(&mut ring, &first);
    assert_eq!(ring.follow(0, (320_000, 320_000), &BOUNDS).drop.len(), 9);
}

#[test]
fn a_realm_that_never_answers_is_not_asked_for_ever_more() {
    let mut ring = blocks();
    for step in 0..100 {
        let position = (step * 200_000, 1);
        let change = ring.follow(0, position, &WIDE);
        let around = neighbours(chunk_of(0, position.0, position.1));
        assert!(around.iter().all(|chunk| ring.squares.contains_key(chunk)));
        assert!(ring.len() <= SQUARES_MAX, "{change:?}");
    }
}

#[test]
fn a_runner_whose_blocks_come_late_does_not_keep_those_out_of_reach() {
    let mut ring = blocks();
    let first = ring.follow(0, (1, 1), &WIDE);
    apply_all(&mut ring, &first);
    // Over the next border before the blocks behind the last one are here, again and again.
    let mut late = ring.follow(0, (64_000, 1), &WIDE);
    for border in 2..30 {
        let next = ring.follow(0, (border * 64_000, 1), &WIDE);
        apply_all(&mut ring, &late);
        assert!(!ring.is_complete());
        ring.follow(0, (border * 64_000, 1), &WIDE);
        assert!(ring.len() <= SQUARES_STRAIGHT, "{} after {border} borders", ring.len());
        late = next;
    }
}

#[test]
fn another_world_is_watched_before_the_old_one_is_left() {
    let mut ring = blocks();
    let first = ring.follow(0, (1, 1), &BOUNDS);
    apply_all(&mut ring, &first);
    assert!(ring.is_complete_in(0) && !ring.is_complete_in(5));
    let small = Area { min_x_mm: 0, min_y_mm: 0, max_x_mm: 128_000, max_y_mm: 64_000 };
    let entered = ring.follow(5, (1, 1), &small);
    assert_eq!((entered.watch.len(), entered.drop.len()), (2, 0));
    assert!(entered.watch.iter().all(|chunk| chunk_parts(*chunk).0 == 5));
    assert!(!ring.is_complete_in(5));
    apply_all(&mut ring, &entered);
    assert!(ring.is_complete_in(5));
    let left = ring.follow(5, (1, 1), &small).drop;
    assert!(left.len() == 9 && left.iter().all(|chunk| chunk_parts(*chunk).0 == 0));
}

#[test]
fn regions_are_followed_like_blocks() {
    let mut ring = Ring::new(Grid::REGIONS);
    let first = ring.follow(0, (1, 1), &BOUNDS);
    assert_eq!(first.watch.len(), 4, "the world reaches into four regions");
    ring.clear();
    apply_all(&mut ring, &first);
    let first = ring.follow(0, (1, 1), &WIDE);
    assert!(first.watch.contains(&chunk_index(0, 0, 0)) && first.watch.len() == 9);
    apply_all(&mut ring, &first);
    let moved = ring.follow(0, (REGION_MM + 63_999, 1), &WIDE);
    apply_all(&mut ring, &moved);
    assert_eq!(moved.watch.len(), 3);
    assert_eq!(ring.follow(0, (REGION_MM + 63_999, 1), &WIDE).drop.len(), 0);
    assert_eq!(ring.follow(0, (REGION_MM + 64_000, 1), &WIDE).drop.len(), 3);
}

proptest! {
    #[test]
    fn the_player_always_watches_the_blocks_around_it(
        steps in prop::collection::vec((STEP, STEP, any::<bool>()), 1..60),
    ) {
        let mut ring = blocks();
        let (mut x, mut y) = (0, 0);
        let mut waiting = Vec::new();
        for (dx, dy, arrives) in steps {
            x = (x + dx).clamp(-639_999, 639_999);
            y = (y + dy).clamp(-639_999, 639_999);
            let before: BTreeSet<u64> = ring.squares.keys().copied().collect();
            let change = ring.follow(0, (x, y), &BOUNDS);
            let watched = before.len() + change.watch.len();
            let too_many = watched > SQUARES_MAX;
            let may_drop = ring.is_complete() || watched > SQUARES_STRAIGHT;
            prop_assert!(change.drop.is_empty() || may_drop);
            let out_of_reach = |chunk: &u64| !Grid::BLOCKS.keeps(*chunk, 0, (x, y));
            prop_assert!(change.drop.iter().all(out_of_reach));
            prop_assert!(change.drop.iter().all(|chunk| before.contains(chunk)));
            prop_assert!(too_many || change.drop.iter().all(|chunk| !waiting.contains(chunk)));
            waiting.extend(change.watch);
            if arrives {
                waiting.drain(..).for_each(|chunk| ring.applied(chunk));
            }
            for block in neighbours(chunk_of(0, x, y)) {
                let (_, bx, by) = chunk_parts(block);
                let inside = bx.abs() < 10 && by.abs() < 10;
                prop_assert!(!inside || ring.squares.contains_key(&chunk_index(0, bx, by)));
            }
            prop_assert!(ring.has_extra() || ring.squares.len() <= 9);
            prop_assert_eq!(ring.centre, Some(chunk_of(0, x, y)));
        }
    }

    /// Straight on for 2 km, at any speed there is, with any delay up to 300 ms.
    #[test]
    fn walking_straight_holds_fifteen_blocks_at_most(
        from in (-1_000_000..1_000_000_i32, -1_000_000..1_000_000_i32),
        way in (-1_000..=1_000_i32, -1_000..=1_000_i32),
        speed in 1_000..=SPEED_MAX_MM_PER_S,
        looks_late in 0..6_usize,
    ) {
        const LOOK_MILLIS: i32 = 50;
        const WAY_MM: i32 = 2_000_000;
        prop_assume!(way != (0, 0));
        let length = f64::from(way.0).hypot(f64::from(way.1));
        let step = speed * LOOK_MILLIS / 1_000;
        let mut ring = blocks();
        let first = ring.follow(0, from, &WIDE);
        apply_all(&mut ring, &first);
        let mut under_way: std::collections::VecDeque<Vec<u64>> = vec![vec![]; looks_late].into();
        for gone in (0..WAY_MM).step_by(usize::try_from(step).expect("positive")) {
            let along = |from: i32, part: i32| {
                #[expect(clippy::cast_possible_truncation, reason = "2 km at most")]
                let way = (f64::from(gone) * f64::from(part) / length) as i32;
                from + way
            };
            let position = (along(from.0, way.0), along(from.1, way.1));
            let change = ring.follow(0, position, &WIDE);
            under_way.push_back(change.watch);
            for chunk in under_way.pop_front().into_iter().flatten() {
                ring.applied(chunk);
            }
            let around = neighbours(chunk_of(0, position.0, position.1));
            prop_assert!(around.iter().all(|chunk| ring.squares.contains_key(chunk)));
            prop_assert!(ring.squares.len() <= 15, "{} blocks", ring.squares.len());
        }
    }
}
