//! How land is walked: courses that hold, and places that are connected.

use super::*;

/// A square of blocks, cell by cell.
struct Tract {
    edge: usize,
    classes: Vec<GroundClass>,
    water: Vec<bool>,
}

impl Tract {
    fn new(terrain: &Terrain, (first_x, first_y): (i32, i32), blocks: i32) -> Self {
        let edge = index(blocks * BLOCK_CELLS);
        let mut tract = Self {
            edge,
            classes: vec![GroundClass::Blocked; edge * edge],
            water: vec![false; edge * edge],
        };
        for place in 0..blocks * blocks {
            let (block_x, block_y) = (place % blocks, place / blocks);
            let block = terrain.block(first_x + block_x, first_y + block_y);
            for (cell, biome) in block.biomes.iter().enumerate() {
                let (x, y) = (cell % 64, cell / 64);
                let at = (index(block_y) * 64 + y) * edge + index(block_x) * 64 + x;
                tract.classes[at] = block.ground.class(x, y);
                tract.water[at] = biome.is_water();
            }
        }
        tract
    }

    /// Cells of dry land that can be entered.
    fn starts(&self) -> Vec<usize> {
        let open = |at: &usize| self.classes[*at] != GroundClass::Blocked && !self.water[*at];
        (0..self.edge * self.edge).filter(open).collect()
    }

    /// How many cells of the same class lie straight ahead.
    fn run(&self, start: usize, (way_x, way_y): (isize, isize)) -> usize {
        let (mut x, mut y) = (start % self.edge, start / self.edge);
        let mut cells = 0;
        loop {
            let next = (x.checked_add_signed(way_x), y.checked_add_signed(way_y));
            let (Some(next_x), Some(next_y)) = next else { return cells };
            let inside = next_x < self.edge && next_y < self.edge;
            if !inside || self.classes[next_y * self.edge + next_x] != self.classes[start] {
                return cells;
            }
            (x, y) = (next_x, next_y);
            cells += 1;
        }
    }

    /// The number of the connected part that each cell belongs to; 0 for blocked ones.
    fn parts(&self) -> Vec<usize> {
        let mut parts = vec![0; self.classes.len()];
        let mut last = 0;
        for start in 0..parts.len() {
            if parts[start] != 0 || self.classes[start] == GroundClass::Blocked {
                continue;
            }
            last += 1;
            let mut open = vec![start];
            parts[start] = last;
            while let Some(at) = open.pop() {
                let (x, y) = (at % self.edge, at / self.edge);
                let around = [
                    (x > 0).then(|| at - 1),
                    (x + 1 < self.edge).then(|| at + 1),
                    (y > 0).then(|| at - self.edge),
                    (y + 1 < self.edge).then(|| at + self.edge),
                ];
                for next in around.into_iter().flatten() {
                    if parts[next] == 0 && self.classes[next] != GroundClass::Blocked {
                        parts[next] = last;
                        open.push(next);
                    }
                }
            }
        }
        parts
    }
}

#[test]
fn walkers_keep_their_pace_and_find_a_way() {
    let terrain = open(OPEN_SEED);
    let (mut cells, mut runs) = (0, 0);
    let (mut together, mut pairs) = (0, 0);
    for first in [(-4, -4), (20, 26), (-30, 20)] {
        let tract = Tract::new(&terrain, first, 8);
        let (starts, parts) = (tract.starts(), tract.parts());
        for (draw, start) in starts.iter().step_by(97).enumerate() {
            let way = [(1, 0), (-1, 1), (0, -1), (1, 1)][draw % 4];
            cells += tract.run(*start, way);
            runs += 1;
            let other = starts[(draw * 7_919) % starts.len()];
            together += usize::from(parts[*start] == parts[other]);
            pairs += 1;
        }
    }
    assert!(runs > 2_000, "{runs}");
    // Well over 5 s at 1.8 m/s, although the tract's edge cuts runs short.
    assert!(cells >= 20 * runs, "{cells} cells in {runs} runs");
    assert!(together * 100 >= 95 * pairs, "{together} of {pairs}");
}
