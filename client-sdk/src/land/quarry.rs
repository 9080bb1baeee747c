//! A terrain and the blocks made of it, shared by all clients of a process.
//!
//! Keeps true: the same seed and recipe are one terrain, however many realms and clients have it,
//! so that a thousand bots make each block once; a block is here as long as some client keeps it.

use haven_rules::world::terrain::{Block, Recipe, Terrain};
use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError, Weak};

/// Entries of blocks that nobody keeps any more are removed when there are this many, at first.
const PRUNE_FIRST: usize = 512;

/// All terrains that some client has.
static QUARRIES: Mutex<Vec<Weak<Quarry>>> = Mutex::new(Vec::new());

/// A terrain.
pub(super) struct Quarry {
    recipe: String,
    terrain: Terrain,
    made: Mutex<Made>,
}

struct Made {
    blocks: HashMap<(i32, i32), Weak<Block>>,
    prune_at: usize,
}

impl Quarry {
    /// The terrain of a seed and a recipe; none when this release cannot read the recipe.
    pub(super) fn of(seed: u64, recipe: &str) -> Option<Arc<Self>> {
        let mut quarries = QUARRIES.lock().unwrap_or_else(PoisonError::into_inner);
        quarries.retain(|quarry| quarry.strong_count() > 0);
        let known = quarries.iter().filter_map(Weak::upgrade);
        let mut same = known.filter(|it| it.terrain.seed() == seed && it.recipe == recipe);
        if let Some(known) = same.next() {
            return Some(known);
        }
        drop(same);
        let terrain = Terrain::new(seed, Recipe::from_toml(recipe).ok()?);
        let made = Mutex::new(Made { blocks: HashMap::new(), prune_at: PRUNE_FIRST });
        let quarry = Arc::new(Self { recipe: recipe.to_owned(), terrain, made });
        quarries.push(Arc::downgrade(&quarry));
        Some(quarry)
    }

    /// A block, made here and now unless somebody keeps it: about a millisecond.
    pub(super) fn block(&self, block_x: i32, block_y: i32) -> Arc<Block> {
        let known = |made: &Made| made.blocks.get(&(block_x, block_y)).and_then(Weak::upgrade);
        if let Some(block) = known(&self.made.lock().unwrap_or_else(PoisonError::into_inner)) {
            return block;
        }
        // Nobody waits meanwhile; who wants the same block makes it too, and one of them is kept.
        let block = Arc::new(self.terrain.block(block_x, block_y));
        let mut made = self.made.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(block) = known(&made) {
            return block;
        }
        if made.blocks.len() >= made.prune_at {
            made.blocks.retain(|_, block| block.strong_count() > 0);
            made.prune_at = PRUNE_FIRST.max(made.blocks.len() * 2);
        }
        made.blocks.insert((block_x, block_y), Arc::downgrade(&block));
        block
    }
}
