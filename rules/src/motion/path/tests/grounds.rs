//! Grounds that try to break a search: sparse and dense ones, walls, mazes, combs, lakes, rivers.

use super::synthetic::dice;
use crate::world::cell_of_mm;

/// How many kinds of ground there are.
pub(super) const KINDS: u32 = 10;

/// Whether a search may be given up on that kind of ground, even on a small one.
pub(super) const fn is_hard(kind: u32) -> bool {
    matches!(kind, 3..=6)
}

/// A square of blocks, from block (0, 0) on.
pub(super) struct Cells {
    size_blocks: i32,
    blocks: Vec<[u64; 64]>,
}

impl Cells {
    /// The cells that are open.
    pub(super) fn new(size_blocks: i32, is_open: impl Fn(i32, i32) -> bool) -> Self {
        let made = (0..size_blocks * size_blocks).map(|index| {
            let (left, below) = (index % size_blocks * 64, index / size_blocks * 64);
            let row = |y: i32| {
                let open = (0..64).filter(|x| is_open(left + x, below + y));
                open.fold(0, |row, x| row | 1_u64 << x)
            };
            std::array::from_fn(|y| row(i32::try_from(y).unwrap_or(0)))
        });
        Self { size_blocks, blocks: made.collect() }
    }

    /// The blocks of some land.
    pub(super) fn of(size_blocks: i32, rows: impl Fn(i32, i32) -> Option<[u64; 64]>) -> Self {
        let made = (0..size_blocks * size_blocks)
            .map(|index| rows(index % size_blocks, index / size_blocks).unwrap_or([0; 64]));
        Self { size_blocks, blocks: made.collect() }
    }

    /// Cells along its edge.
    pub(super) fn size_cells(&self) -> i32 {
        self.size_blocks * 64
    }

    /// A block's rows.
    pub(super) fn rows(&self, block_x: i32, block_y: i32) -> Option<[u64; 64]> {
        let inside = |block: i32| (0..self.size_blocks).contains(&block);
        let index = usize::try_from(block_y.checked_mul(self.size_blocks)? + block_x).ok()?;
        (inside(block_x) && inside(block_y)).then(|| self.blocks[index])
    }

    /// As a search asks for it.
    pub(super) fn land(&self) -> impl Fn(i32, i32) -> Option<[u64; 64]> + '_ {
        |x, y| self.rows(x, y)
    }

    /// Whether a cell is open.
    pub(super) fn is_open(&self, x: i32, y: i32) -> bool {
        let row = self.rows(x >> 6, y >> 6).map(|rows| rows[(y & 63).unsigned_abs() as usize]);
        row.is_some_and(|row| row >> (x & 63) & 1 == 1)
    }

    /// Whether a position is in an open cell.
    pub(super) fn is_open_at(&self, (x_mm, y_mm): (i32, i32)) -> bool {
        self.is_open(cell_of_mm(x_mm), cell_of_mm(y_mm))
    }

    /// Whether steps over open edges lead from one cell to the other.
    pub(super) fn is_reachable(&self, from: (i32, i32), to: (i32, i32)) -> bool {
        let size = self.size_cells();
        let index = |(x, y): (i32, i32)| usize::try_from(y * size + x).unwrap_or(0);
        let mut is_met = vec![false; index((0, size))];
        let mut met = vec![from];
        while let Some((x, y)) = met.pop() {
            if !self.is_open(x, y) || std::mem::replace(&mut is_met[index((x, y))], true) {
                continue;
            }
            met.extend([(x + 1, y), (x - 1, y), (x, y + 1), (x, y - 1)]);
        }
        is_met[index(to)]
    }
}

/// Every sixth cell blocked by chance.
pub(super) fn random_cells(seed: u64, size_blocks: i32) -> Cells {
    let is_corner = |x: i32, y: i32| x.min(y) < 3 || x.max(y) > size_blocks * 64 - 4;
    Cells::new(size_blocks, |x, y| is_corner(x, y) || !dice(seed, x, y).is_multiple_of(6))
}

/// A ground of one of the kinds.
pub(super) fn of_kind(kind: u32, seed: u64, size_blocks: i32) -> Cells {
    let chance = |x: i32, y: i32| dice(seed, x, y) % 1_000;
    let is_open = |x: i32, y: i32| match kind {
        0 => true,
        1 => chance(x, y) >= 7,
        2 => chance(x, y) >= 100,
        3 => chance(x, y) >= 300,
        4 => chance(x, y) >= 380,
        5 => is_maze_open(seed, x, y),
        // A serpentine: walls with a gap at one end and then at the other.
        6 => y % 2 == 0 || x % 128 == y % 4 / 2 * 127,
        7 => x % 2 == 0 || y % 2 == 0,
        // Rivers with fords, and trees.
        8 => (y % 40 != 4 || (x + y) % 97 < 3) && chance(x, y) >= 7,
        // Houses with a door each.
        _ => {
            let (in_x, in_y) = (x % 11, y % 9);
            let wall = in_x == 2 || in_x == 8 || in_y == 2 || in_y == 7;
            let within = (2..=8).contains(&in_x) && (2..=7).contains(&in_y);
            !(wall && within) || dice(seed, x / 11, y / 9) % 6 == u64::from(in_x.unsigned_abs())
        }
    };
    Cells::new(size_blocks, is_open)
}

/// A maze: every other cell is open, and from each a passage leads to the east or to the north.
fn is_maze_open(seed: u64, x: i32, y: i32) -> bool {
    let leads_east = |x: i32, y: i32| dice(seed, x, y).is_multiple_of(2);
    match (x % 2, y % 2) {
        (0, 0) => true,
        (1, 0) => leads_east(x - 1, y),
        (0, _) => !leads_east(x, y - 1),
        (_, _) => false,
    }
}
