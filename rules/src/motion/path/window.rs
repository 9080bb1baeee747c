//! The part of the land that one search may see.
//!
//! Keeps true: each block is asked for at most once and at most [`BLOCKS_MAX`] of them; whatever
//! is not known is blocked. Coordinates in here are local: from the window's south-western corner.

use super::Land;
use crate::world::{BLOCK_BOUND, BLOCK_CELLS, BLOCK_MM, block_of_mm};

/// Most blocks one search asks for.
pub(super) const BLOCKS_MAX: usize = 512;
/// How far around start and goal a detour may lead, blocks.
const MARGIN_BLOCKS: i32 = 6;
/// A block that was not asked for yet.
const UNASKED: u16 = u16::MAX;
/// A block that nobody enters.
const CLOSED: u16 = u16::MAX - 1;

/// A place in the window, millimetres from its south-western corner.
pub(super) type Place = (i32, i32);

/// What a search has done so far; every part of it has a bound.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Work {
    /// Blocks asked for.
    pub(super) blocks: u32,
    /// Parts of tiles expanded or flooded.
    pub(super) parts: u32,
    /// Rows of cells looked through for clear lines.
    pub(super) rows: u32,
    /// Cells expanded one by one.
    pub(super) cells: u32,
}

/// The blocks around start and goal, as far as they were asked for.
pub(super) struct Window<'a> {
    land: &'a mut dyn Land,
    origin_block: (i32, i32),
    width_blocks: i32,
    height_blocks: i32,
    slots: Vec<u16>,
    rows: Vec<[u64; 64]>,
    /// A start nearer to an obstacle than the clearance: lines from it are judged more gently.
    pub(super) tight_start: Option<Place>,
    /// What was done so far.
    pub(super) work: Work,
    /// Whether some block was wanted beyond the window or beyond [`BLOCKS_MAX`].
    pub(super) cut_off: bool,
}

impl<'a> Window<'a> {
    /// A window around two positions, millimetres of the world, at most some 1,000 blocks.
    pub(super) fn around(land: &'a mut dyn Land, from: (i32, i32), to: (i32, i32)) -> Self {
        let low = |a: i32, b: i32| block_of_mm(a.min(b)) - MARGIN_BLOCKS;
        let size = |a: i32, b: i32| block_of_mm(a.max(b)) + MARGIN_BLOCKS + 1 - low(a, b);
        let (width_blocks, height_blocks) = (size(from.0, to.0), size(from.1, to.1));
        let count = usize::try_from(width_blocks * height_blocks).unwrap_or(0);
        Self {
            land,
            origin_block: (low(from.0, to.0), low(from.1, to.1)),
            width_blocks,
            height_blocks,
            slots: vec![UNASKED; count],
            rows: Vec::with_capacity(64),
            tight_start: None,
            work: Work::default(),
            cut_off: false,
        }
    }

    /// A world's position as a place in here. The position must be one of those it was made around.
    pub(super) fn place_of(&self, (x_mm, y_mm): (i32, i32)) -> Place {
        let local = |mm: i32, block: i32| {
            let local = i64::from(mm) - i64::from(block) * i64::from(BLOCK_MM);
            i32::try_from(local).unwrap_or(-1)
        };
        (local(x_mm, self.origin_block.0), local(y_mm, self.origin_block.1))
    }

    /// The world's position of a place. Places in known blocks always have one.
    pub(super) fn position_of(&self, (x, y): Place) -> (i32, i32) {
        let global = |mm: i32, block: i32| {
            let global = i64::from(mm) + i64::from(block) * i64::from(BLOCK_MM);
            i32::try_from(global).unwrap_or(if global < 0 { i32::MIN } else { i32::MAX })
        };
        (global(x, self.origin_block.0), global(y, self.origin_block.1))
    }

    /// The number of a block's rows; none where nothing is to be entered.
    pub(super) fn slot(&mut self, block_x: i32, block_y: i32) -> Option<usize> {
        if !(0..self.width_blocks).contains(&block_x) || !(0..self.height_blocks).contains(&block_y)
        {
            self.cut_off = true;
            return None;
        }
        let index = usize::try_from(block_y * self.width_blocks + block_x).ok()?;
        match self.slots[index] {
            CLOSED => None,
            UNASKED => {
                let slot = self.ask(block_x, block_y);
                self.slots[index] = slot.unwrap_or(CLOSED);
                slot.map(usize::from)
            }
            slot => Some(usize::from(slot)),
        }
    }

    #[cold]
    fn ask(&mut self, block_x: i32, block_y: i32) -> Option<u16> {
        let (x, y) = (block_x + self.origin_block.0, block_y + self.origin_block.1);
        let in_grid = |block: i32| (-BLOCK_BOUND..BLOCK_BOUND).contains(&block);
        if !in_grid(x) || !in_grid(y) {
            return None;
        }
        if self.rows.len() >= BLOCKS_MAX {
            self.cut_off = true;
            return None;
        }
        self.work.blocks += 1;
        let rows = self.land.open_rows(x, y)?;
        let slot = u16::try_from(self.rows.len()).ok()?;
        self.rows.push(rows);
        Some(slot)
    }

    /// The rows of a slot: bit x of row y for the block's cell (x, y).
    pub(super) fn rows(&self, slot: usize) -> &[u64; 64] {
        &self.rows[slot]
    }

    /// Whether a cell can be entered.
    pub(super) fn is_open(&mut self, cell_x: i32, cell_y: i32) -> bool {
        self.are_open(cell_y, cell_x, cell_x)
    }

    /// Whether the cells of a row from the first to the last can all be entered.
    #[inline]
    pub(super) fn are_open(&mut self, cell_y: i32, first_x: i32, last_x: i32) -> bool {
        let block_y = cell_y >> 6;
        for block_x in first_x >> 6..=last_x >> 6 {
            let Some(slot) = self.slot(block_x, block_y) else { return false };
            let low = (first_x - block_x * BLOCK_CELLS).max(0);
            let high = (last_x - block_x * BLOCK_CELLS).min(BLOCK_CELLS - 1);
            let wanted = (u64::MAX >> (BLOCK_CELLS - 1 - high)) & (u64::MAX << low);
            let row = self.rows[slot][(cell_y & 63).unsigned_abs() as usize];
            if row & wanted != wanted {
                return false;
            }
        }
        true
    }
}
