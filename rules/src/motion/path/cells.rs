//! The fine search: cells of a few tiles, where straight lines do not lead on.
//!
//! A* over 8-connected cells, no corner cut, from the crate `pathfinding`; only cells of the
//! corridor, the tiles marked for it, are looked at. Keeps true: at most [`CELLS_MAX`] cells are
//! expanded in one search for a path, all legs together.

use super::PathError;
use super::line::{cell_of, centre_of};
use super::tiles::TILE_CELLS;
use super::window::{Place, Window};
use pathfinding::prelude::astar;
use std::cell::Cell;

/// Most cells expanded one by one.
pub(super) const CELLS_MAX: u32 = 8_000;
/// Lengths of a step to the side and of a diagonal one, millimetres.
const SIDE_MM: u32 = 1_000;
const DIAGONAL_MM: u32 = 1_414;

/// The tiles a fine search may enter: a bit for each of a block's 64 tiles, by slot.
#[derive(Default)]
struct Corridor {
    tiles: Vec<u64>,
}

impl Corridor {
    fn add(&mut self, window: &mut Window<'_>, tile_x: i32, tile_y: i32) {
        let Some(slot) = window.slot(tile_x >> 3, tile_y >> 3) else { return };
        if self.tiles.len() <= slot {
            self.tiles.resize(slot + 1, 0);
        }
        self.tiles[slot] |= 1 << ((tile_y & 7) * TILE_CELLS + (tile_x & 7));
    }

    fn is_open(&self, window: &mut Window<'_>, x: i32, y: i32) -> bool {
        let Some(slot) = window.slot(x >> 6, y >> 6) else { return false };
        let tile = ((y >> 3) & 7) * TILE_CELLS + ((x >> 3) & 7);
        let row = window.rows(slot)[(y & 63).unsigned_abs() as usize];
        self.tiles.get(slot).is_some_and(|tiles| tiles >> tile & 1 == 1) && row >> (x & 63) & 1 == 1
    }
}

/// Cells' centres from after the first place to the last one, through the tiles of all the places
/// and those around them.
pub(super) fn walk(window: &mut Window<'_>, places: &[Place]) -> Result<Vec<Place>, PathError> {
    let (Some(from), Some(to)) = (places.first(), places.last()) else { return Ok(vec![]) };
    let mut corridor = Corridor::default();
    for (cell_x, cell_y) in places.iter().copied().map(cell_of) {
        for (x, y) in (-1..=1).flat_map(|x| (-1..=1).map(move |y| (x, y))) {
            corridor.add(window, (cell_x >> 3) + x, (cell_y >> 3) + y);
        }
    }
    let goal = cell_of(*to);
    // The crate has no bound of its own: at ours, any cell will do for the goal.
    let expanded = Cell::new(window.work.cells);
    let found = astar(
        &cell_of(*from),
        |cell| {
            expanded.set(expanded.get() + 1);
            successors(window, &corridor, *cell)
        },
        |cell| octile_mm(*cell, goal),
        |cell| *cell == goal || expanded.get() >= CELLS_MAX,
    );
    window.work.cells = expanded.get();
    match found {
        _ if expanded.get() >= CELLS_MAX => Err(PathError::TooComplex),
        Some((cells, _)) => Ok(cells.into_iter().skip(1).map(centre_of).collect()),
        None if window.cut_off => Err(PathError::TooComplex),
        None => Err(PathError::NoPath),
    }
}

fn successors(
    window: &mut Window<'_>,
    corridor: &Corridor,
    (x, y): (i32, i32),
) -> impl IntoIterator<Item = ((i32, i32), u32)> + use<> {
    let mut next = [None; 8];
    let sides = [(1, 0), (0, 1), (-1, 0), (0, -1)];
    let open = sides.map(|side| corridor.is_open(window, x + side.0, y + side.1));
    for index in 0..4 {
        let (side, turned) = (sides[index], sides[(index + 1) % 4]);
        if open[index] {
            next[index] = Some(((x + side.0, y + side.1), SIDE_MM));
        }
        let across = (x + side.0 + turned.0, y + side.1 + turned.1);
        if open[index] && open[(index + 1) % 4] && corridor.is_open(window, across.0, across.1) {
            next[index + 4] = Some((across, DIAGONAL_MM));
        }
    }
    next.into_iter().flatten()
}

/// The length of a way between two cells on open ground.
fn octile_mm(a: (i32, i32), b: (i32, i32)) -> u32 {
    let (x, y) = (a.0.abs_diff(b.0), a.1.abs_diff(b.1));
    let diagonal = x.min(y);
    (x.max(y) - diagonal) * SIDE_MM + diagonal * DIAGONAL_MM
}
