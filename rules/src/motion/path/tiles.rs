//! Tiles of 8×8 cells and their connected parts: what the search expands.
//!
//! A tile is one `u64`, bit `8 y + x`; its parts are found by bit-parallel flood fill. Keeps true:
//! any two cells of one part, and of two parts that are neighbours, are joined by steps between
//! cells that share an edge.

use super::line::centre_of;
use super::window::{Place, Window};

/// Cells along a tile's edge.
pub(super) const TILE_CELLS: i32 = 8;
const WEST: u64 = 0x0101_0101_0101_0101;
const EAST: u64 = WEST << 7;
const SOUTH: u64 = 0xff;
const NORTH: u64 = SOUTH << 56;
/// Cells by their distance from the middle of the tile.
const RINGS: [u64; 4] =
    [0x0000_0018_1800_0000, 0x0000_3c3c_3c3c_0000, 0x007e_7e7e_7e7e_7e00, u64::MAX];
/// Not built yet, or nothing in it.
const UNBUILT: u32 = u32::MAX;
const EMPTY: u32 = u32::MAX - 1;

/// Number of a part.
pub(super) type PartId = u32;

/// A connected part of a tile.
#[derive(Clone, Copy, Debug)]
pub(super) struct Part {
    /// Its cells.
    pub(super) mask: u64,
    /// Its tile in the window.
    pub(super) tile_x: i32,
    /// Its tile in the window.
    pub(super) tile_y: i32,
    /// Where paths go through it.
    pub(super) place: Place,
    /// Whether it is its tile's last.
    is_last: bool,
}

/// The parts that were met so far.
#[derive(Default)]
pub(super) struct Tiles {
    parts: Vec<Part>,
    /// By slot of the window: each tile's first part.
    firsts: Vec<[u32; 64]>,
}

impl Tiles {
    /// How many parts there are.
    pub(super) fn len(&self) -> usize {
        self.parts.len()
    }

    /// A part.
    pub(super) fn part(&self, id: PartId) -> &Part {
        &self.parts[id as usize]
    }

    /// Makes paths lead through that place of the part.
    pub(super) fn set_place(&mut self, id: PartId, place: Place) {
        self.parts[id as usize].place = place;
    }

    /// The part a cell belongs to.
    pub(super) fn part_at(&mut self, window: &mut Window<'_>, cell: (i32, i32)) -> Option<PartId> {
        let bit = 1_u64 << ((cell.1 & 7) * TILE_CELLS + (cell.0 & 7));
        self.part_with(window, (cell.0 >> 3, cell.1 >> 3), bit)
    }

    /// The first part of a tile that has one of those cells.
    fn part_with(
        &mut self,
        window: &mut Window<'_>,
        tile: (i32, i32),
        bits: u64,
    ) -> Option<PartId> {
        let mut id = self.first(window, tile)?;
        loop {
            let part = self.part(id);
            if part.mask & bits != 0 {
                return Some(id);
            }
            if part.is_last {
                return None;
            }
            id += 1;
        }
    }

    fn first(&mut self, window: &mut Window<'_>, (tile_x, tile_y): (i32, i32)) -> Option<PartId> {
        let slot = window.slot(tile_x >> 3, tile_y >> 3)?;
        while self.firsts.len() <= slot {
            self.firsts.push([UNBUILT; 64]);
        }
        let index = ((tile_y & 7) * TILE_CELLS + (tile_x & 7)).unsigned_abs() as usize;
        let mut first = self.firsts[slot][index];
        if first == UNBUILT {
            first =
                self.build(tile_mask(window.rows(slot), tile_x & 7, tile_y & 7), tile_x, tile_y);
            self.firsts[slot][index] = first;
        }
        (first != EMPTY).then_some(first)
    }

    fn build(&mut self, open: u64, tile_x: i32, tile_y: i32) -> u32 {
        if open == 0 {
            return EMPTY;
        }
        let first = u32::try_from(self.parts.len()).unwrap_or(EMPTY);
        let mut left = open;
        while left != 0 {
            let mask = flood(left & left.wrapping_neg(), open);
            left &= !mask;
            let place = centre_of(middle_cell(mask, tile_x, tile_y));
            self.parts.push(Part { mask, tile_x, tile_y, place, is_last: left == 0 });
        }
        first
    }

    /// Puts the parts around one into the list: those that share an open edge, and those across an
    /// open corner. Sorted by direction, so that the order is always the same.
    pub(super) fn neighbours(
        &mut self,
        window: &mut Window<'_>,
        id: PartId,
        found: &mut Vec<PartId>,
    ) {
        found.clear();
        let Part { mask, tile_x, tile_y, .. } = *self.part(id);
        let sides = [
            ((1, 0), (mask & EAST) >> 7),
            ((0, 1), (mask & NORTH) >> 56),
            ((-1, 0), (mask & WEST) << 7),
            ((0, -1), (mask & SOUTH) << 56),
        ];
        for ((x, y), bits) in sides {
            if bits != 0 {
                let first = self.first(window, (tile_x + x, tile_y + y));
                self.parts_with(first, bits, found);
            }
        }
        // Each corner: its cell here, and the cells across it to the side, ahead and diagonally.
        let corners = [
            ((1, 1), 63, (56, 7, 0)),
            ((-1, 1), 56, (63, 0, 7)),
            ((-1, -1), 0, (7, 56, 63)),
            ((1, -1), 7, (0, 63, 56)),
        ];
        // The cells beside a corner belong to neighbours already found.
        let beside = found.len();
        for ((x, y), here, (side, ahead, across)) in corners {
            let has = |found: &[PartId], parts: &[Part], tile: (i32, i32), bit: u32| {
                let of = |id: &PartId| parts[*id as usize];
                let is =
                    |part: Part| (part.tile_x, part.tile_y) == tile && part.mask >> bit & 1 == 1;
                found.iter().any(|id| is(of(id)))
            };
            if mask >> here & 1 == 1
                && has(&found[..beside], &self.parts, (tile_x + x, tile_y), side)
                && has(&found[..beside], &self.parts, (tile_x, tile_y + y), ahead)
            {
                let first = self.first(window, (tile_x + x, tile_y + y));
                self.parts_with(first, 1 << across, found);
            }
        }
    }

    fn parts_with(&self, first: Option<PartId>, bits: u64, found: &mut Vec<PartId>) {
        let Some(mut id) = first else { return };
        loop {
            let part = self.part(id);
            if part.mask & bits != 0 {
                found.push(id);
            }
            if part.is_last {
                return;
            }
            id += 1;
        }
    }
}

/// The open cells of one of a block's 64 tiles.
fn tile_mask(rows: &[u64; 64], tile_x: i32, tile_y: i32) -> u64 {
    let first = (tile_y * TILE_CELLS).unsigned_abs() as usize;
    let rows = rows[first..first + 8].iter().enumerate();
    rows.fold(0, |mask, (y, row)| mask | ((row >> (tile_x * TILE_CELLS)) & 0xff) << (8 * y))
}

/// All open cells that can be reached from the seed by steps over edges.
fn flood(seed: u64, open: u64) -> u64 {
    if open == u64::MAX {
        return open;
    }
    let mut reached = seed;
    loop {
        let sideways = (reached << 1) & !WEST | (reached >> 1) & !EAST;
        let next = (reached | sideways | reached << 8 | reached >> 8) & open;
        if next == reached {
            return reached;
        }
        reached = next;
    }
}

/// A cell of the part that is near the middle of its tile.
fn middle_cell(mask: u64, tile_x: i32, tile_y: i32) -> (i32, i32) {
    let ring = RINGS.iter().map(|ring| mask & ring).find(|cells| *cells != 0).unwrap_or(1);
    let bit = ring.trailing_zeros().cast_signed();
    (tile_x * TILE_CELLS + bit % TILE_CELLS, tile_y * TILE_CELLS + bit / TILE_CELLS)
}
