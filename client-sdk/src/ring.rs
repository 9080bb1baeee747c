//! Which blocks are watched: the 3×3 around the player, a little longer than needed.
//!
//! Keeps true: new blocks are asked for before any is dropped, none is dropped while another is not
//! there yet, and a player who walks to and fro across a border causes no traffic.

use haven_rules::world::{Area, BLOCK_MM, chunk_of, chunk_parts, neighbours};
use std::collections::BTreeMap;
use std::collections::btree_map::Entry;

/// How far beyond its range a block is kept, millimetres.
const KEEP_MARGIN_MM: i64 = 16_000;

/// The watched blocks.
#[derive(Debug, Default)]
pub(crate) struct Ring {
    /// Whether the block's rows are here.
    blocks: BTreeMap<u64, bool>,
    /// The block the player was in last, and how many are wanted around it.
    centre: Option<(u64, usize)>,
}

/// What to change.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct RingChange {
    /// Blocks to subscribe to.
    pub(crate) watch: Vec<u64>,
    /// Blocks to unsubscribe from.
    pub(crate) drop: Vec<u64>,
}

impl Ring {
    /// The player is at that position, in millimetres, of a world with those bounds.
    pub(crate) fn follow(&mut self, world: u32, (x, y): (i32, i32), bounds: &Area) -> RingChange {
        let mut change = RingChange::default();
        let centre = chunk_of(world, x, y);
        let mut wanted = neighbours(centre);
        wanted.retain(|chunk| {
            let (_, block_x, block_y) = chunk_parts(*chunk);
            bounds.contains(block_x * BLOCK_MM, block_y * BLOCK_MM)
        });
        self.centre = Some((centre, wanted.len()));
        for chunk in wanted {
            if let Entry::Vacant(unknown) = self.blocks.entry(chunk) {
                unknown.insert(false);
                change.watch.push(chunk);
            }
        }
        if self.is_complete() {
            change.drop =
                self.blocks.keys().copied().filter(|chunk| !keeps(*chunk, world, x, y)).collect();
            for chunk in &change.drop {
                self.blocks.remove(chunk);
            }
        }
        change
    }

    /// The rows of a block have arrived.
    pub(crate) fn applied(&mut self, chunk: u64) {
        if let Some(applied) = self.blocks.get_mut(&chunk) {
            *applied = true;
        }
    }

    /// Whether blocks are watched and the rows of all have arrived.
    pub(crate) fn is_complete(&self) -> bool {
        !self.blocks.is_empty() && self.blocks.values().all(|applied| *applied)
    }

    /// Whether more is watched than is wanted, so that something may have to be dropped soon.
    pub(crate) fn has_extra(&self) -> bool {
        self.centre.is_some_and(|(_, wanted)| self.blocks.len() > wanted)
    }

    /// The block the player was in last.
    pub(crate) fn centre(&self) -> Option<u64> {
        self.centre.map(|(centre, _)| centre)
    }

    /// Watches nothing any more, and answers what was.
    pub(crate) fn clear(&mut self) -> Vec<u64> {
        self.centre = None;
        std::mem::take(&mut self.blocks).into_keys().collect()
    }
}

fn keeps(chunk: u64, world: u32, x: i32, y: i32) -> bool {
    let near = |block: i32, mm: i32| {
        let from = (i64::from(block) - 1) * i64::from(BLOCK_MM) - KEEP_MARGIN_MM;
        let to = (i64::from(block) + 2) * i64::from(BLOCK_MM) + KEEP_MARGIN_MM;
        (from..to).contains(&i64::from(mm))
    };
    let (chunk_world, block_x, block_y) = chunk_parts(chunk);
    chunk_world == world && near(block_x, x) && near(block_y, y)
}

#[cfg(test)]
mod tests {
    use super::*;
    use haven_rules::world::chunk_index;
    use proptest::prelude::*;
    use std::collections::BTreeSet;

    const BOUNDS: Area =
        Area { min_x_mm: -640_000, min_y_mm: -640_000, max_x_mm: 640_000, max_y_mm: 640_000 };

    /// How far a player may get between two looks, millimetres.
    const STEP: std::ops::Range<i32> = -40_000..40_000;

    fn apply_all(ring: &mut Ring, change: &RingChange) {
        for chunk in &change.watch {
            ring.applied(*chunk);
        }
    }

    /// Walks through positions, everything arriving at once; answers how many blocks were asked for
    /// and dropped at each.
    fn check(walk: &[(i32, i32)], expected: &[(usize, usize)]) {
        let mut ring = Ring::default();
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
        check(
            &[(63_000, 1), (64_500, 1), (63_000, 1), (64_500, 1)],
            &[(9, 0), (3, 0), (0, 0), (0, 0)],
        );
        // Somewhere else altogether.
        check(&[(1, 1), (320_000, 320_000)], &[(9, 0), (9, 9)]);
    }

    #[test]
    fn nothing_is_dropped_while_a_block_is_missing() {
        let mut ring = Ring::default();
        let first = ring.follow(0, (1, 1), &BOUNDS);
        assert!(!ring.is_complete());
        apply_all(&mut ring, &first);
        assert!(ring.is_complete() && !ring.has_extra());
        let moved = ring.follow(0, (100_000, 1), &BOUNDS);
        assert_eq!((moved.watch.len(), moved.drop.len()), (3, 0));
        assert!(ring.has_extra());
        assert_eq!(ring.follow(0, (100_000, 1), &BOUNDS), RingChange::default());
        apply_all(&mut ring, &moved);
        assert_eq!(ring.follow(0, (100_000, 1), &BOUNDS).drop.len(), 3);
        assert_eq!(ring.clear().len(), 9);
        assert!(!ring.is_complete());
    }

    proptest! {
        #[test]
        fn the_player_always_watches_the_blocks_around_it(
            steps in prop::collection::vec((STEP, STEP, any::<bool>()), 1..60),
        ) {
            let mut ring = Ring::default();
            let (mut x, mut y) = (0, 0);
            let mut waiting = Vec::new();
            for (dx, dy, arrives) in steps {
                x = (x + dx).clamp(-639_999, 639_999);
                y = (y + dy).clamp(-639_999, 639_999);
                let before: BTreeSet<u64> = ring.blocks.keys().copied().collect();
                let change = ring.follow(0, (x, y), &BOUNDS);
                let complete = waiting.is_empty() && change.watch.is_empty();
                prop_assert!(change.drop.is_empty() || complete);
                prop_assert!(change.drop.iter().all(|chunk| before.contains(chunk)));
                waiting.extend(change.watch);
                if arrives {
                    waiting.drain(..).for_each(|chunk| ring.applied(chunk));
                }
                for block in neighbours(chunk_of(0, x, y)) {
                    let (_, bx, by) = chunk_parts(block);
                    let inside = bx.abs() < 10 && by.abs() < 10;
                    prop_assert!(!inside || ring.blocks.contains_key(&chunk_index(0, bx, by)));
                }
                prop_assert!(ring.has_extra() || ring.blocks.len() <= 9);
                prop_assert_eq!(ring.centre(), Some(chunk_of(0, x, y)));
            }
        }
    }
}
