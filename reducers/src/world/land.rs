//! The ground of a world, block by block: made from its recipe when first needed, kept as rows, and
//! kept in memory.
//!
//! Keeps true: what a block is depends on seed, recipe and obstacles alone, all of which
//! `ground_version` stands for, so what memory holds is never stale, whatever becomes of the
//! transaction that put it there. One `Land` makes at most `made_max` blocks.

use haven_rules::motion::{Ground, path};
use haven_rules::world::terrain::{Block, Recipe, Terrain};
use haven_rules::world::{
    Area, BLOCK_CELLS, BLOCK_MM, BlockGround, CELL_MM, GroundClass, WorldError, block_of_cell,
    chunk_index,
};
use haven_tables::world::{
    Obstacle, TerrainBlock, WorldConfig, obstacle, terrain_block, world_config, world_terrain,
};
use spacetimedb::{ReducerContext, Table};
use std::cell::RefCell;
use std::collections::BTreeMap;
use std::rc::Rc;

/// Most blocks kept in memory, 1 KiB each; beyond that all are forgotten and read again.
const BLOCKS_KEPT_MAX: usize = 20_000;
/// Most recipes kept in memory.
const TERRAINS_KEPT_MAX: usize = 64;

/// What this instance of the module remembers between calls.
#[derive(Default)]
struct Memory {
    /// By `world_terrain.version`.
    terrains: BTreeMap<u64, Rc<Terrain>>,
    /// By `world_config.ground_version`, block x and block y.
    blocks: BTreeMap<(u64, i32, i32), Rc<BlockGround>>,
}

/// Worlds by their number: how each is configured, and whether nothing in it sleeps.
type Worlds = BTreeMap<u32, (WorldConfig, bool)>;

thread_local! {
    /// The worlds of a call that has said that it configures none.
    static HELD: RefCell<Option<Worlds>> = const { RefCell::new(None) };
    static MEMORY: RefCell<Memory> = RefCell::default();
}

/// While it lives each world's rows are read once.
pub(crate) struct Holding(());

impl Drop for Holding {
    fn drop(&mut self) {
        HELD.take();
    }
}

/// Holds the worlds that are asked for during the rest of a call that configures none.
pub(crate) fn hold() -> Holding {
    HELD.set(Some(Worlds::new()));
    Holding(())
}

fn configured(ctx: &ReducerContext, world: u32) -> Result<(WorldConfig, bool), WorldError> {
    let held =
        HELD.with_borrow(|held| held.as_ref().and_then(|worlds| worlds.get(&world).cloned()));
    if let Some(known) = held {
        return Ok(known);
    }
    let config = ctx.db.world_config().world().find(world).ok_or(WorldError::Unknown)?;
    let known = (config, super::blocks::keeps_vigil(ctx, world));
    HELD.with_borrow_mut(|held| {
        if let Some(worlds) = held {
            worlds.insert(world, known.clone());
        }
    });
    Ok(known)
}

/// Whether nothing in a world sleeps; none where there is no such world.
pub(crate) fn has_vigil(ctx: &ReducerContext, world: u32) -> bool {
    configured(ctx, world).is_ok_and(|(_, vigil)| vigil)
}

/// The ground of one world.
pub(crate) struct Land<'a> {
    ctx: &'a ReducerContext,
    /// The world's configuration.
    pub(crate) config: WorldConfig,
    /// Whether nothing in it sleeps.
    pub(crate) vigil: bool,
    /// The block asked for last.
    last: Option<(i32, i32, Rc<BlockGround>)>,
    /// How many blocks were made.
    pub(crate) made: u32,
    made_max: u32,
    /// Whether a block was left unmade because `made_max` were.
    pub(crate) is_short: bool,
}

impl<'a> Land<'a> {
    /// The land of a world, all of it.
    ///
    /// # Errors
    /// `world.unknown`.
    pub(crate) fn new(ctx: &'a ReducerContext, world: u32) -> Result<Self, WorldError> {
        let (config, vigil) = configured(ctx, world)?;
        Ok(Self { ctx, config, vigil, last: None, made: 0, made_max: u32::MAX, is_short: false })
    }

    /// The same, but what would have to be made beyond that many blocks is not there.
    pub(crate) fn making_at_most(self, made_max: u32) -> Self {
        Self { made_max, is_short: false, ..self }
    }

    pub(crate) fn bounds(&self) -> Area {
        bounds_of(&self.config)
    }

    pub(crate) fn speed_mm_per_s(&self, running: bool) -> i32 {
        if running { self.config.run_speed_mm_per_s } else { self.config.walk_speed_mm_per_s }
    }

    /// Whether somebody can stand there.
    pub(crate) fn is_open(&mut self, cell_x: i32, cell_y: i32) -> bool {
        self.with_ground(|ground| ground.is_open((cell_x, cell_y)))
    }

    /// Plans something over the land.
    pub(crate) fn with_ground<T>(&mut self, run: impl FnOnce(&mut Ground<'_>) -> T) -> T {
        let bounds = self.bounds();
        let mut class = |x: i32, y: i32| self.class(x, y);
        run(&mut Ground { bounds, class: &mut class })
    }

    fn class(&mut self, cell_x: i32, cell_y: i32) -> GroundClass {
        let (block_x, block_y) = (block_of_cell(cell_x), block_of_cell(cell_y));
        let Some(block) = self.block(block_x, block_y) else { return GroundClass::Blocked };
        let inside = |cell: i32| usize::try_from(cell.rem_euclid(BLOCK_CELLS)).unwrap_or(0);
        block.class(inside(cell_x), inside(cell_y))
    }

    /// The ground of a block; none outside of the world, or when too many were made already.
    pub(crate) fn block(&mut self, block_x: i32, block_y: i32) -> Option<Rc<BlockGround>> {
        if let Some((x, y, block)) = &self.last {
            if (*x, *y) == (block_x, block_y) {
                return Some(Rc::clone(block));
            }
        }
        if !self.has(block_x, block_y) {
            return None;
        }
        let key = (self.config.ground_version, block_x, block_y);
        let known = MEMORY.with_borrow(|memory| memory.blocks.get(&key).cloned());
        let block = if let Some(block) = known {
            block
        } else {
            let block = Rc::new(self.load(block_x, block_y)?);
            remember(key, &block);
            block
        };
        self.last = Some((block_x, block_y, Rc::clone(&block)));
        Some(block)
    }

    /// Whether a block lies in the world.
    pub(crate) fn has(&self, block_x: i32, block_y: i32) -> bool {
        let corner = block_x.checked_mul(BLOCK_MM).zip(block_y.checked_mul(BLOCK_MM));
        corner.is_some_and(|(x_mm, y_mm)| self.bounds().contains(x_mm, y_mm))
    }

    /// Whether a block need not be made.
    pub(crate) fn is_known(&self, block_x: i32, block_y: i32) -> bool {
        let key = (self.config.ground_version, block_x, block_y);
        let chunk = chunk_index(self.config.world, block_x, block_y);
        MEMORY.with_borrow(|memory| memory.blocks.contains_key(&key))
            || self.ctx.db.terrain_block().chunk_index().find(chunk).is_some()
    }

    fn load(&mut self, block_x: i32, block_y: i32) -> Option<BlockGround> {
        let chunk = chunk_index(self.config.world, block_x, block_y);
        let mut ground = match terrain_of(self.ctx, self.config.world) {
            None => BlockGround::uniform(GroundClass::Easy),
            Some((version, terrain)) => {
                self.terrain_ground(chunk, version, &terrain, (block_x, block_y))?
            }
        };
        for row in self.ctx.db.obstacle().by_chunk().filter(chunk) {
            lay(&row, &mut ground);
        }
        Some(ground)
    }

    fn terrain_ground(
        &mut self,
        chunk: u64,
        version: u64,
        terrain: &Terrain,
        (block_x, block_y): (i32, i32),
    ) -> Option<BlockGround> {
        let kept = self.ctx.db.terrain_block().chunk_index().find(chunk);
        let current = kept.as_ref().filter(|row| row.version == version);
        if let Some(block) = current.and_then(|row| Block::decode(&row.data)) {
            return Some(block.ground);
        }
        if self.made >= self.made_max {
            self.is_short = true;
            return None;
        }
        self.made += 1;
        let block = terrain.block(block_x, block_y);
        let world = self.config.world;
        let row = TerrainBlock { chunk_index: chunk, version, world, data: block.encode() };
        if kept.is_some() {
            self.ctx.db.terrain_block().chunk_index().update(row);
        } else {
            self.ctx.db.terrain_block().insert(row);
        }
        Some(block.ground)
    }
}

impl path::Land for Land<'_> {
    fn open_rows(&mut self, block_x: i32, block_y: i32) -> Option<[u64; 64]> {
        self.block(block_x, block_y).map(|block| path::open_rows_of(&block))
    }
}

fn remember(key: (u64, i32, i32), block: &Rc<BlockGround>) {
    MEMORY.with_borrow_mut(|memory| {
        if memory.blocks.len() >= BLOCKS_KEPT_MAX {
            memory.blocks.clear();
        }
        memory.blocks.insert(key, Rc::clone(block));
    });
}

fn lay(row: &Obstacle, ground: &mut BlockGround) {
    let cells = |min_mm: i32, max_mm: i32| {
        let inside = move |cell: i32| usize::try_from(cell.rem_euclid(BLOCK_CELLS)).unwrap_or(0);
        (min_mm.div_euclid(CELL_MM)..max_mm.div_euclid(CELL_MM)).map(inside)
    };
    for y in cells(row.min_y_mm, row.max_y_mm) {
        for x in cells(row.min_x_mm, row.max_x_mm) {
            ground.set(x, y, GroundClass::Blocked);
        }
    }
}

/// The bounds of a configured world.
pub(crate) fn bounds_of(config: &WorldConfig) -> Area {
    let WorldConfig { min_x_mm, min_y_mm, max_x_mm, max_y_mm, .. } = *config;
    Area { min_x_mm, min_y_mm, max_x_mm, max_y_mm }
}

/// The terrain of a world and its version; none where it is flat.
pub(crate) fn terrain_of(ctx: &ReducerContext, world: u32) -> Option<(u64, Rc<Terrain>)> {
    let row = ctx.db.world_terrain().world().find(world)?;
    let known = MEMORY.with_borrow(|memory| memory.terrains.get(&row.version).cloned());
    if let Some(terrain) = known {
        return Some((row.version, terrain));
    }
    // Recipes are read before they are stored; one that a later module cannot read is no land,
    // which is better than no movement.
    let recipe = Recipe::from_toml(&row.recipe).ok()?;
    let terrain = Rc::new(Terrain::new(row.seed, recipe));
    MEMORY.with_borrow_mut(|memory| {
        if memory.terrains.len() >= TERRAINS_KEPT_MAX {
            memory.terrains.clear();
        }
        memory.terrains.insert(row.version, Rc::clone(&terrain));
    });
    Some((row.version, terrain))
}
