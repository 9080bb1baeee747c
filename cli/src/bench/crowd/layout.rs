//! Where the clients of a case stand, and who sees whom.
//!
//! Keeps true: everybody stands in the middle of a block and sees the 3×3 blocks around, less those
//! beyond the world's edge.

use haven_rules::world::{BLOCK_MM, OPEN_WORLD, chunk_index};

use crate::config::WorldSection;

/// Clients for each block of a spread crowd: with 3×3 blocks in sight everybody sees 17 others.
const SPREAD_PER_BLOCK: u32 = 2;

/// How a crowd stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::bench) enum Formation {
    /// Two in each block, in as many blocks as that takes.
    Spread,
    /// Evenly over 10×10 blocks.
    TenByTen,
    /// All in one block.
    Packed,
}

/// A formation of a known number of clients.
#[derive(Clone, Copy, Debug)]
pub(in crate::bench) struct Layout {
    formation: Formation,
    clients: u32,
    /// Blocks from edge to edge.
    side: i32,
}

impl Layout {
    /// Room for that many.
    pub(in crate::bench) fn new(formation: Formation, clients: u32) -> Self {
        let side = match formation {
            Formation::Spread => square_for(clients.div_ceil(SPREAD_PER_BLOCK)),
            Formation::TenByTen => 10,
            Formation::Packed => 3,
        };
        Self { formation, clients, side }
    }

    /// How many clients there are.
    pub(in crate::bench) fn clients(&self) -> u32 {
        self.clients
    }

    /// Blocks from edge to edge of the world.
    pub(in crate::bench) fn side(&self) -> i32 {
        self.side
    }

    /// The block a client stands in.
    pub(in crate::bench) fn block(&self, client: u32) -> (i32, i32) {
        match self.formation {
            Formation::Packed => (1, 1),
            Formation::Spread | Formation::TenByTen => {
                let number = i32::try_from(client).unwrap_or(0) % (self.side * self.side);
                (number % self.side, number / self.side)
            }
        }
    }

    /// Whether a client is counted: in a spread crowd those at the edge see fewer than the others.
    pub(in crate::bench) fn is_counted(&self, client: u32) -> bool {
        let inside = |block| 0 < block && block < self.side - 1;
        let (x, y) = self.block(client);
        self.formation != Formation::Spread || self.side < 3 || (inside(x) && inside(y))
    }

    /// The clients a client sees, itself left out.
    pub(in crate::bench) fn others_in_sight(&self, client: u32) -> impl Iterator<Item = u32> {
        let layout = *self;
        let (x, y) = layout.block(client);
        (0..layout.clients).filter(move |other| {
            let (other_x, other_y) = layout.block(*other);
            *other != client && (x - other_x).abs() <= 1 && (y - other_y).abs() <= 1
        })
    }

    /// The keys of the blocks a client watches.
    pub(in crate::bench) fn chunks_in_sight(&self, client: u32) -> Vec<u64> {
        let (x, y) = self.block(client);
        let near = |block: i32| (block - 1).max(0)..=(block + 1).min(self.side - 1);
        near(x).flat_map(|x| near(y).map(move |y| chunk_index(OPEN_WORLD, x, y))).collect()
    }

    /// The flat world they stand in, where who enters appears in that block.
    pub(in crate::bench) fn world(&self, spawn_block: (i32, i32)) -> WorldSection {
        let middle = |block: i32| block * BLOCK_MM + BLOCK_MM / 2;
        WorldSection {
            min_block_x: 0,
            min_block_y: 0,
            max_block_x: self.side,
            max_block_y: self.side,
            spawn_x_mm: middle(spawn_block.0),
            spawn_y_mm: middle(spawn_block.1),
            obstacles: Vec::new(),
            ..WorldSection::default()
        }
    }
}

/// The side of the smallest square of that many blocks.
fn square_for(blocks: u32) -> i32 {
    let root = i32::try_from(blocks.isqrt()).unwrap_or(i32::MAX);
    if blocks.isqrt().pow(2) < blocks { root.saturating_add(1) } else { root }
}

#[cfg(test)]
mod tests {
    use super::*;
    use haven_rules::world::neighbours;

    fn check(formation: Formation, clients: u32, side: i32, counted: usize, in_sight: usize) {
        let layout = Layout::new(formation, clients);
        assert_eq!(layout.side(), side, "{formation:?} {clients}");
        let inner: Vec<u32> = (0..clients).filter(|client| layout.is_counted(*client)).collect();
        assert_eq!(inner.len(), counted, "{formation:?} {clients}");
        let most = inner.iter().map(|client| layout.others_in_sight(*client).count()).max();
        assert_eq!(most, Some(in_sight), "{formation:?} {clients}");
        for client in 0..clients {
            let (x, y) = layout.block(client);
            assert!((0..side).contains(&x) && (0..side).contains(&y));
            layout.world((x, y)).validate().expect("a world");
        }
    }

    #[test]
    fn formations_have_the_density_they_claim() {
        check(Formation::Spread, 2, 1, 2, 1);
        check(Formation::Spread, 200, 10, 128, 17);
        check(Formation::Spread, 4_000, 45, 3_694, 17);
        check(Formation::TenByTen, 1_000, 10, 1_000, 89);
        check(Formation::Packed, 300, 3, 300, 299);
    }

    #[test]
    fn blocks_in_sight_end_at_the_edge() {
        let layout = Layout::new(Formation::TenByTen, 100);
        assert_eq!(layout.chunks_in_sight(0).len(), 4);
        let mut inner = layout.chunks_in_sight(55);
        inner.sort_unstable();
        assert_eq!(inner, neighbours(chunk_index(OPEN_WORLD, 5, 5)));
    }
}
