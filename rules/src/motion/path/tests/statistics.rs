//! How long paths are against the shortest ones, and how much work the worst grounds make.

use super::super::{Work, find_counted, open_rows_of};
use super::grounds::{self, Cells};
use super::reference::{Reference, far};
use super::synthetic::{Synthetic, dice};
use crate::motion::path::{PathError, cells, pull, search, window};
use crate::world::terrain::{Recipe, Terrain};

/// Pairs compared with the reference, which is slow without optimisation.
const PAIRS: u32 = if cfg!(debug_assertions) { 15 } else { 1_000 };
/// Blocks along the edge of the land they lie in.
const SIZE_BLOCKS: i32 = if cfg!(debug_assertions) { 6 } else { 20 };
/// How far they are apart at most, millimetres.
const APART_MM: f64 = 500_000.0;
/// How much longer than the shortest a path may be.
const RATIO_MAX: f64 = 1.10;

/// The bounds of [`crate::motion::path`]: whatever the ground, no search does more than this. The
/// part and the lines a search is at when it meets a bound come on top.
pub(super) fn assert_bounded(work: Work) {
    let pocket = u32::try_from(search::POCKET_PARTS_MAX).unwrap_or(0);
    let one_line = 2 * 3_000;
    assert!(work.blocks as usize <= window::BLOCKS_MAX, "{work:?}");
    assert!(work.parts <= search::PARTS_MAX + pocket + 1, "{work:?}");
    assert!(work.rows <= pull::ROWS_MAX + 8 * one_line, "{work:?}");
    assert!(work.cells <= cells::CELLS_MAX, "{work:?}");
}

fn pair(seed: u64, turn: u32, size: i32) -> [(i32, i32); 2] {
    let edge = u64::from(size.unsigned_abs()) * 1_000;
    let chance = |which: i32| {
        let at = dice(seed, i32::try_from(turn).unwrap_or(0), which) % edge;
        i32::try_from(at).unwrap_or(0)
    };
    [(chance(1), chance(2)), (chance(3), chance(4))]
}

/// Compares as many paths as asked for with the shortest ones.
fn check(name: &str, cells: &Cells) {
    let size = cells.size_cells();
    let mut reference = Reference::new(size, |x, y| cells.is_open(x, y));
    let (mut ratios, mut refused) = (vec![], 0);
    for turn in 0..u32::MAX {
        let [from, to] = pair(77, turn, size);
        if ratios.len() >= PAIRS as usize {
            break;
        }
        if far(from, to) > APART_MM || !cells.is_open_at(from) || !cells.is_open_at(to) {
            continue;
        }
        let Some(shortest) = reference.shortest_mm(from, to) else { continue };
        let (found, work) = find_counted(&mut cells.land(), from, to);
        assert_bounded(work);
        match found {
            Ok(waypoints) => {
                let legs = std::iter::once(&from).chain(&waypoints).zip(&waypoints);
                let length: f64 = legs.map(|(a, b)| far(*a, *b)).sum();
                let ratio = length / shortest;
                assert!(ratio <= RATIO_MAX, "{name}: {ratio} from {from:?} to {to:?}");
                ratios.push(ratio);
            }
            // Given up only where the way around is more than twice as long.
            Err(error) => {
                let is_long = shortest > 2.0 * far(from, to);
                assert!(error == PathError::TooComplex && is_long, "{name}: {from:?} to {to:?}");
                refused += 1;
            }
        }
    }
    assert!(refused * 50 <= PAIRS, "{name}: {refused} of {PAIRS} refused");
}

#[test]
fn paths_are_at_most_a_tenth_longer_than_the_shortest() {
    let land = Synthetic::new(7, SIZE_BLOCKS);
    check("synthetic", &Cells::of(SIZE_BLOCKS, |x, y| land.rows(x, y)));
}

#[test]
fn so_they_are_in_the_open_world() {
    let recipe = include_str!("../../../../../content/world/open.toml");
    let recipe = Recipe::from_toml(recipe).expect("the world's own recipe");
    let terrain = Terrain::new(2, recipe);
    for corner in [-SIZE_BLOCKS / 2, 190] {
        let rows = |x: i32, y: i32| open_rows_of(&terrain.block(corner + x, corner + y).ground);
        check("open world", &Cells::of(SIZE_BLOCKS, |x, y| Some(rows(x, y))));
    }
}

#[test]
fn no_ground_makes_a_search_exceed_its_bounds() {
    let mut most = Work::default();
    for kind in 0..grounds::KINDS {
        let cells = grounds::of_kind(kind, 5, SIZE_BLOCKS);
        for turn in 0..PAIRS {
            let [from, to] = pair(5, turn, cells.size_cells());
            let (_, work) = find_counted(&mut cells.land(), from, to);
            assert_bounded(work);
            most.parts = most.parts.max(work.parts);
            most.rows = most.rows.max(work.rows);
            most.cells = most.cells.max(work.cells);
        }
    }
    assert!(most.parts > 1_000 && most.rows > 10_000 && most.cells > 1_000, "{most:?}");
}

#[test]
fn a_goal_in_a_pocket_is_refused_soon() {
    // A wall around the goal, of every size up to 200 m, in open land with trees.
    for half in [2, 10, 40, 100] {
        let is_wall = |x: i32, y: i32| (x - 300).abs().max((y - 300).abs()) == half;
        let cells = Cells::new(10, |x, y| !is_wall(x, y) && dice(1, x, y) % 1_000 >= 7);
        let (out, inside) = ((30_500, 40_500), (300_500, 300_500));
        if !cells.is_open_at(out) || !cells.is_open_at(inside) {
            continue;
        }
        let (found, work) = find_counted(&mut cells.land(), out, inside);
        assert_eq!(found, Err(PathError::NoPath), "{half}");
        assert!(work.parts < 2_500, "{half}: {work:?}");
        let (found, work) = find_counted(&mut cells.land(), inside, out);
        assert_eq!(found, Err(PathError::NoPath), "{half}");
        assert!(work.parts < 2_500, "{half}: {work:?}");
    }
}
