//! The ground that walkers walk on, kept in memory.
//!
//! Keeps true: the ground is the one that Haven makes of the same seed and recipe.

use crate::require_owner;
use haven_rules::motion::{Ground, path};
use haven_rules::world::terrain::{RECIPE_BYTES_MAX, Recipe, Terrain};
use haven_rules::world::{Area, BLOCK_CELLS, BLOCK_MM, BlockGround, GroundClass, block_of_cell};
use spacetimedb::{ReducerContext, Table, reducer, table};
use std::cell::RefCell;
use std::collections::BTreeMap;
use std::rc::Rc;

/// Widest world, blocks.
const BLOCKS_MAX: u32 = 256;

/// The world: one row. Written by the owner.
#[table(name = bench_world)]
pub struct BenchWorld {
    /// Always 0.
    #[primary_key]
    pub singleton_id: u8,
    /// What chance in the recipe hangs on.
    pub seed: u64,
    /// The recipe: TOML.
    pub recipe: String,
    /// Blocks along each edge; the middle is the origin.
    pub blocks: u32,
    /// How fast everybody walks.
    pub walk_speed_mm_per_s: i32,
}

/// Lays out a world of that many blocks along each edge, around the origin. Owner only.
///
/// # Errors
/// In this order: for others; an odd, no or too great number of blocks; an impossible speed; a
/// recipe that cannot be read.
#[reducer]
pub fn world_set(
    ctx: &ReducerContext,
    seed: u64,
    recipe: String,
    blocks: u32,
    walk_speed_mm_per_s: i32,
) -> Result<(), String> {
    require_owner(ctx)?;
    if !(2..=BLOCKS_MAX).contains(&blocks) || !blocks.is_multiple_of(2) {
        return Err(format!("a world is 2 to {BLOCKS_MAX} blocks wide, and even"));
    }
    if !(2..=50_000).contains(&walk_speed_mm_per_s) {
        return Err("walkers walk at 2 to 50000 mm/s".to_owned());
    }
    terrain_of(seed, &recipe)?;
    ctx.db.bench_world().singleton_id().delete(0);
    let row = BenchWorld { singleton_id: 0, seed, recipe, blocks, walk_speed_mm_per_s };
    ctx.db.bench_world().insert(row);
    LAND.set(None);
    Ok(())
}

/// Makes the ground of a row of blocks ahead of need, counted from the south. Owner only.
///
/// # Errors
/// In this order: for others; before `world_set`; for a row outside of the world.
#[reducer]
pub fn world_survey(ctx: &ReducerContext, row: u32) -> Result<(), String> {
    require_owner(ctx)?;
    with_land(ctx, |land| {
        if row >= land.blocks {
            return Err(format!("the world is {} blocks high", land.blocks));
        }
        let first = land.bounds.min_x_mm / BLOCK_MM;
        let block_y = land.bounds.min_y_mm / BLOCK_MM + i32::try_from(row).unwrap_or(0);
        for offset in 0..i32::try_from(land.blocks).unwrap_or(0) {
            land.block(first + offset, block_y);
        }
        Ok(())
    })?
}

/// The terrain of a recipe that may be too long or wrong.
fn terrain_of(seed: u64, recipe: &str) -> Result<Terrain, String> {
    if recipe.len() > RECIPE_BYTES_MAX {
        return Err(format!("a recipe has at most {RECIPE_BYTES_MAX} bytes"));
    }
    let recipe = Recipe::from_toml(recipe).map_err(|error| error.to_string())?;
    Ok(Terrain::new(seed, recipe))
}

/// The ground as far as it is known.
pub(crate) struct Land {
    pub(crate) blocks: u32,
    pub(crate) bounds: Area,
    pub(crate) walk_speed_mm_per_s: i32,
    pub(crate) terrain: Terrain,
    known: BTreeMap<(i32, i32), Rc<BlockGround>>,
    last: Option<((i32, i32), Rc<BlockGround>)>,
}

thread_local! {
    static LAND: RefCell<Option<Land>> = const { RefCell::new(None) };
}

/// Works on the land; makes it when the module was just loaded.
///
/// # Errors
/// Before `world_set`.
pub(crate) fn with_land<T>(
    ctx: &ReducerContext,
    work: impl FnOnce(&mut Land) -> T,
) -> Result<T, String> {
    LAND.with_borrow_mut(|land| match land {
        Some(land) => Ok(work(land)),
        None => Ok(work(land.insert(Land::read(ctx)?))),
    })
}

impl Land {
    fn read(ctx: &ReducerContext) -> Result<Self, String> {
        let row = ctx.db.bench_world().singleton_id().find(0).ok_or("there is no world yet")?;
        let half_mm = i32::try_from(row.blocks / 2).unwrap_or(0) * BLOCK_MM;
        Ok(Self {
            blocks: row.blocks,
            bounds: Area {
                min_x_mm: -half_mm,
                min_y_mm: -half_mm,
                max_x_mm: half_mm,
                max_y_mm: half_mm,
            },
            walk_speed_mm_per_s: row.walk_speed_mm_per_s,
            terrain: terrain_of(row.seed, &row.recipe)?,
            known: BTreeMap::new(),
            last: None,
        })
    }

    /// Plans something over the land.
    pub(crate) fn with_ground<T>(&mut self, run: impl FnOnce(&mut Ground<'_>) -> T) -> T {
        let bounds = self.bounds;
        let mut class = |x: i32, y: i32| self.class(x, y);
        run(&mut Ground { bounds, class: &mut class })
    }

    fn class(&mut self, cell_x: i32, cell_y: i32) -> GroundClass {
        let block = self.block(block_of_cell(cell_x), block_of_cell(cell_y));
        let inside = |cell: i32| usize::try_from(cell.rem_euclid(BLOCK_CELLS)).unwrap_or(0);
        block.map_or(GroundClass::Blocked, |block| block.class(inside(cell_x), inside(cell_y)))
    }

    /// The ground of a block; none outside of the world.
    fn block(&mut self, block_x: i32, block_y: i32) -> Option<Rc<BlockGround>> {
        let key = (block_x, block_y);
        if let Some((_, block)) = self.last.as_ref().filter(|(last, _)| *last == key) {
            return Some(Rc::clone(block));
        }
        let corner = (block_x.checked_mul(BLOCK_MM)?, block_y.checked_mul(BLOCK_MM)?);
        if !self.bounds.contains(corner.0, corner.1) {
            return None;
        }
        let terrain = &self.terrain;
        let made = self.known.entry(key);
        let block = made.or_insert_with(|| Rc::new(terrain.block(block_x, block_y).ground));
        let block = Rc::clone(block);
        self.last = Some((key, Rc::clone(&block)));
        Some(block)
    }
}

impl path::Land for Land {
    fn open_rows(&mut self, block_x: i32, block_y: i32) -> Option<[u64; 64]> {
        self.block(block_x, block_y).map(|block| path::open_rows_of(&block))
    }
}
