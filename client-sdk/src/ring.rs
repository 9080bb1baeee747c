//! Which squares of a grid are watched: the 3×3 around the player, a little longer than needed.
//! Blocks near by, regions far off.
//!
//! Keeps true: new squares are asked for before any is dropped, only what is out of reach is
//! dropped, and up to [`SQUARES_STRAIGHT`] squares not even that while one around the player is not
//! there yet. Whoever walks to and fro across a border causes no traffic, and a player in another
//! world is followed there. Walking straight holds 15 squares at most: the 3×3, the row left
//! behind, and what a corner adds. Where squares take so long to come that more are watched, those
//! of the same world that are here and out of reach go at once; beyond [`SQUARES_MAX`] whatever is
//! out of reach.

use haven_rules::world::{Area, BLOCK_MM, REGION_MM, chunk_index, chunk_parts, neighbours};
use std::collections::BTreeMap;
use std::collections::btree_map::Entry;

/// As many as a straight way needs: above it nobody waits to drop what is out of reach.
const SQUARES_STRAIGHT: usize = 15;
/// Most squares watched before those left behind are dropped, whatever is still on its way: four
/// times the 3×3.
const SQUARES_MAX: usize = 36;

/// A grid of squares. Blocks and regions are packed alike.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Grid {
    /// A square's edge, millimetres.
    edge_mm: i32,
    /// How far beyond its range a square is kept, millimetres.
    keep_margin_mm: i32,
}

impl Grid {
    pub(crate) const BLOCKS: Self = Self { edge_mm: BLOCK_MM, keep_margin_mm: 16_000 };
    pub(crate) const REGIONS: Self = Self { edge_mm: REGION_MM, keep_margin_mm: BLOCK_MM };

    /// The packed key of the square a position lies in.
    pub(crate) const fn square_of(self, world: u32, (x, y): (i32, i32)) -> u64 {
        chunk_index(world, x.div_euclid(self.edge_mm), y.div_euclid(self.edge_mm))
    }

    /// From where to where a coordinate's squares reach, so many squares more on either side.
    fn span(self, coordinate: i32, more: i64) -> std::ops::Range<i64> {
        let (edge, first) = (i64::from(self.edge_mm), i64::from(coordinate));
        (first - more) * edge..(first + 1 + more) * edge
    }

    /// Whether a square lies in a world with those bounds, if only in part.
    fn is_inside(self, square: u64, bounds: &Area) -> bool {
        let (_, square_x, square_y) = chunk_parts(square);
        let meets = |coordinate: i32, min_mm: i32, max_mm: i32| {
            let span = self.span(coordinate, 0);
            span.start < i64::from(max_mm) && i64::from(min_mm) < span.end
        };
        meets(square_x, bounds.min_x_mm, bounds.max_x_mm)
            && meets(square_y, bounds.min_y_mm, bounds.max_y_mm)
    }

    /// Whether a position lies in a square or so many millimetres around it.
    pub(crate) fn is_near(
        self,
        square: u64,
        world: u32,
        (x, y): (i32, i32),
        margin_mm: i64,
    ) -> bool {
        let (square_world, square_x, square_y) = chunk_parts(square);
        let near = |coordinate: i32, mm: i32| {
            let span = self.span(coordinate, 0);
            (span.start - margin_mm..span.end + margin_mm).contains(&i64::from(mm))
        };
        square_world == world && near(square_x, x) && near(square_y, y)
    }

    /// Whether a square is still worth watching from there.
    fn keeps(self, square: u64, world: u32, position: (i32, i32)) -> bool {
        let margin_mm = i64::from(self.edge_mm) + i64::from(self.keep_margin_mm);
        self.is_near(square, world, position, margin_mm)
    }
}

/// The watched squares.
#[derive(Debug)]
pub(crate) struct Ring {
    grid: Grid,
    /// Whether the square's rows are here.
    squares: BTreeMap<u64, bool>,
    /// The square the player was in last.
    centre: Option<u64>,
    /// Those around it.
    wanted: Vec<u64>,
}

/// What to change.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct RingChange {
    /// Squares to subscribe to.
    pub(crate) watch: Vec<u64>,
    /// Squares to unsubscribe from.
    pub(crate) drop: Vec<u64>,
}

impl Ring {
    pub(crate) fn new(grid: Grid) -> Self {
        Self { grid, squares: BTreeMap::new(), centre: None, wanted: Vec::new() }
    }

    /// The player is at that position, in millimetres, of a world with those bounds.
    pub(crate) fn follow(&mut self, world: u32, position: (i32, i32), bounds: &Area) -> RingChange {
        let mut change = RingChange::default();
        let centre = self.grid.square_of(world, position);
        self.centre = Some(centre);
        self.wanted = neighbours(centre);
        self.wanted.retain(|square| self.grid.is_inside(*square, bounds));
        for square in &self.wanted {
            if let Entry::Vacant(unknown) = self.squares.entry(*square) {
                unknown.insert(false);
                change.watch.push(*square);
            }
        }
        let (watched, is_complete) = (self.squares.len(), self.is_complete());
        let too_many = watched > SQUARES_MAX;
        if is_complete || watched > SQUARES_STRAIGHT {
            let grid = self.grid;
            // What is still on its way is dropped when it is here.
            let left = |square: &u64, here: &mut bool| {
                let may_go = *here && (is_complete || chunk_parts(*square).0 == world);
                (may_go || too_many) && !grid.keeps(*square, world, position)
            };
            change.drop = self.squares.extract_if(.., left).map(|(square, _)| square).collect();
        }
        change
    }

    /// The rows of a square have arrived.
    pub(crate) fn applied(&mut self, square: u64) {
        if let Some(applied) = self.squares.get_mut(&square) {
            *applied = true;
        }
    }

    /// The squares that are watched.
    pub(crate) fn squares(&self) -> impl Iterator<Item = u64> + '_ {
        self.squares.keys().copied()
    }

    /// How many squares are watched.
    pub(crate) fn len(&self) -> usize {
        self.squares.len()
    }

    /// Whether the rows of all squares around the player have arrived.
    pub(crate) fn is_complete(&self) -> bool {
        let here = |square: &u64| self.squares.get(square).is_some_and(|applied| *applied);
        !self.wanted.is_empty() && self.wanted.iter().all(here)
    }

    /// Whether everything around a player in that world has arrived.
    pub(crate) fn is_complete_in(&self, world: u32) -> bool {
        self.centre.is_some_and(|centre| chunk_parts(centre).0 == world) && self.is_complete()
    }

    /// Whether more is watched than is wanted, so that something may have to be dropped soon.
    pub(crate) fn has_extra(&self) -> bool {
        self.squares.len() > self.wanted.len()
    }

    /// Whether [`Self::follow`] may change something for a player who is there.
    pub(crate) fn is_behind(&self, world: u32, position: (i32, i32)) -> bool {
        self.has_extra() || self.centre != Some(self.grid.square_of(world, position))
    }

    /// Watches nothing any more, and answers what was.
    pub(crate) fn clear(&mut self) -> Vec<u64> {
        self.centre = None;
        self.wanted.clear();
        std::mem::take(&mut self.squares).into_keys().collect()
    }
}

#[cfg(test)]
mod tests;
