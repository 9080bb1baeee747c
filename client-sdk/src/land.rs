//! The land of the worlds a client watches: blocks made from a world's recipe when they are first
//! asked for, with the obstacles of the watched blocks laid over them.
//!
//! Keeps true: what is planned here is planned on the ground the realm uses, class by class, as far
//! as obstacles are watched; nothing is made that nobody asked for; at most [`PLOTS_MAX`] blocks
//! are kept, those used last; nobody waits for a block that somebody else makes.
//! Leaves out on purpose: drawing it.

mod quarry;

use crate::module_bindings::{Obstacle, WorldTerrain};
use crate::world::World;
use haven_rules::motion::Ground;
use haven_rules::world::terrain::Block;
use haven_rules::world::{
    Area, BLOCK_CELLS, BLOCK_MM, BlockGround, CELL_MM, GroundClass, block_of_cell, cell_of_mm,
    chunk_index, chunk_of, chunk_parts,
};
use quarry::Quarry;
use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// Most blocks a client keeps, some 20 KB each.
pub(crate) const PLOTS_MAX: usize = 256;

/// A change of a row.
#[derive(Clone, Debug)]
pub(crate) enum LandChange {
    ObstacleIs(Obstacle),
    ObstacleGone(Obstacle),
    TerrainIs(WorldTerrain),
    TerrainGone(WorldTerrain),
}

/// A block as it is walked.
struct Plot {
    /// As it was made; none in a flat world.
    made: Option<Arc<Block>>,
    /// With obstacles; none where there are none.
    laid: Option<BlockGround>,
}

impl Plot {
    fn class(&self, cell_x: i32, cell_y: i32) -> GroundClass {
        let made = self.made.as_ref().map(|block| &block.ground);
        let inside = |cell: i32| usize::try_from(cell.rem_euclid(BLOCK_CELLS)).unwrap_or(0);
        let class = |ground: &BlockGround| ground.class(inside(cell_x), inside(cell_y));
        self.laid.as_ref().or(made).map_or(GroundClass::Easy, class)
    }
}

struct Kept {
    plot: Arc<Plot>,
    /// When it was last asked for: the higher, the later.
    used: u64,
    /// Whether its obstacles have changed since.
    is_stale: bool,
}

/// A terrain of a world; a recipe that this release cannot read is none.
struct Landscape {
    quarry: Arc<Quarry>,
    /// Whether the row is known to be there still.
    is_certain: bool,
}

#[derive(Default)]
struct Known {
    terrains: HashMap<u32, Landscape>,
    obstacles: HashMap<u64, Vec<(u64, Area)>>,
    plots: HashMap<u64, Kept>,
    uses: u64,
}

/// What is known of the land. Locked by itself, so that whoever makes a block holds up nobody.
#[derive(Default)]
pub(crate) struct Land {
    known: Mutex<Known>,
}

impl Land {
    fn lock(&self) -> MutexGuard<'_, Known> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn apply(&self, change: &LandChange) {
        let mut known = self.lock();
        match change {
            LandChange::ObstacleIs(row) => known.put_obstacle(row),
            LandChange::ObstacleGone(row) => known.take_obstacle(row),
            LandChange::TerrainIs(row) => {
                known.set_terrain(row.world, Quarry::of(row.seed, &row.recipe));
            }
            LandChange::TerrainGone(row) => known.set_terrain(row.world, None),
        }
    }

    /// The connection is lost: obstacles will come again, and terrains stay until it is clear
    /// whether they still are.
    pub(crate) fn suspend(&self) {
        let mut known = self.lock();
        known.obstacles.clear();
        known.plots.values_mut().for_each(|kept| kept.is_stale = true);
        known.terrains.values_mut().for_each(|terrain| terrain.is_certain = false);
    }

    /// The rows of a world are here: a terrain that did not come with them is gone.
    pub(crate) fn world_arrived(&self, world: u32) {
        let mut known = self.lock();
        if known.terrains.get(&world).is_some_and(|terrain| !terrain.is_certain) {
            known.set_terrain(world, None);
        }
    }

    /// Everything that is watched is here again: a terrain that did not come back is gone.
    pub(crate) fn restored(&self) {
        let mut known = self.lock();
        let uncertain =
            |(world, terrain): (&u32, &Landscape)| (!terrain.is_certain).then_some(*world);
        let gone: Vec<u32> = known.terrains.iter().filter_map(uncertain).collect();
        for world in gone {
            known.set_terrain(world, None);
        }
    }

    /// The obstacles of a world's watched blocks.
    pub(crate) fn obstacles(&self, world: u32) -> Vec<Area> {
        let known = self.lock();
        let blocks = known.obstacles.iter().filter(|(chunk, _)| chunk_parts(**chunk).0 == world);
        blocks.flat_map(|(_, areas)| areas.iter().map(|(_, area)| *area)).collect()
    }

    /// A block as it was made; none in a flat world, in one that is not watched, and beyond bounds.
    pub(crate) fn block(&self, world: &World, chunk: u64) -> Option<Arc<Block>> {
        let (number, block_x, block_y) = chunk_parts(chunk);
        let inside = number == world.world && is_inside(&world.bounds, block_x, block_y);
        inside.then(|| self.plot(chunk).made.clone()).flatten()
    }

    /// The class of the ground at a place, obstacles included; none beyond the world's bounds.
    pub(crate) fn class_at(&self, world: &World, (x_mm, y_mm): (i32, i32)) -> Option<GroundClass> {
        let chunk = chunk_of(world.world, x_mm, y_mm);
        let inside = world.bounds.contains(x_mm, y_mm);
        inside.then(|| self.plot(chunk).class(cell_of_mm(x_mm), cell_of_mm(y_mm)))
    }

    /// Plans on the ground of a world: without a terrain and without obstacles it is easy.
    pub(crate) fn plan<T>(&self, world: &World, plan: impl FnOnce(&mut Ground<'_>) -> T) -> T {
        let mut last: Option<((i32, i32), Arc<Plot>)> = None;
        let mut class = |x: i32, y: i32| {
            let block = (block_of_cell(x), block_of_cell(y));
            if let Some((_, plot)) = last.as_ref().filter(|(at, _)| *at == block) {
                return plot.class(x, y);
            }
            if !is_inside(&world.bounds, block.0, block.1) {
                return GroundClass::Blocked;
            }
            let plot = self.plot(chunk_index(world.world, block.0, block.1));
            last.insert((block, plot)).1.class(x, y)
        };
        plan(&mut Ground { bounds: world.bounds, class: &mut class })
    }

    fn plot(&self, chunk: u64) -> Arc<Plot> {
        let (world, block_x, block_y) = chunk_parts(chunk);
        let quarry = {
            let mut known = self.lock();
            if let Some(plot) = known.find(chunk) {
                return plot;
            }
            known.quarry(world)
        };
        let made = quarry.as_ref().map(|quarry| quarry.block(block_x, block_y));
        self.lock().keep(chunk, quarry.as_ref(), made)
    }
}

/// Whether a block lies in the world.
fn is_inside(bounds: &Area, block_x: i32, block_y: i32) -> bool {
    let corner = block_x.checked_mul(BLOCK_MM).zip(block_y.checked_mul(BLOCK_MM));
    corner.is_some_and(|(x, y)| bounds.contains(x, y))
}

impl Known {
    fn put_obstacle(&mut self, row: &Obstacle) {
        self.take_obstacle(row);
        let Obstacle { min_x_mm, min_y_mm, max_x_mm, max_y_mm, .. } = *row;
        let area = Area { min_x_mm, min_y_mm, max_x_mm, max_y_mm };
        self.obstacles.entry(row.chunk_index).or_default().push((row.obstacle_id, area));
    }

    fn take_obstacle(&mut self, row: &Obstacle) {
        if let Some(areas) = self.obstacles.get_mut(&row.chunk_index) {
            areas.retain(|(obstacle_id, _)| *obstacle_id != row.obstacle_id);
            if areas.is_empty() {
                self.obstacles.remove(&row.chunk_index);
            }
        }
        if let Some(kept) = self.plots.get_mut(&row.chunk_index) {
            kept.is_stale = true;
        }
    }

    fn set_terrain(&mut self, world: u32, quarry: Option<Arc<Quarry>>) {
        let before = self.quarry(world);
        match quarry {
            Some(quarry) => {
                self.terrains.insert(world, Landscape { quarry, is_certain: true });
            }
            None => {
                self.terrains.remove(&world);
            }
        }
        if !is_same(before.as_ref(), self.quarry(world).as_ref()) {
            self.plots.retain(|chunk, _| chunk_parts(*chunk).0 != world);
        }
    }

    fn quarry(&self, world: u32) -> Option<Arc<Quarry>> {
        Some(Arc::clone(&self.terrains.get(&world)?.quarry))
    }

    fn find(&mut self, chunk: u64) -> Option<Arc<Plot>> {
        let kept = self.plots.get_mut(&chunk)?;
        self.uses += 1;
        kept.used = self.uses;
        if std::mem::take(&mut kept.is_stale) {
            let made = kept.plot.made.clone();
            kept.plot = Arc::new(lay(made, self.obstacles.get(&chunk)));
        }
        Some(Arc::clone(&kept.plot))
    }

    /// Keeps a block that was made of a terrain, unless the world has another one by now.
    fn keep(
        &mut self,
        chunk: u64,
        quarry: Option<&Arc<Quarry>>,
        made: Option<Arc<Block>>,
    ) -> Arc<Plot> {
        let plot = Arc::new(lay(made, self.obstacles.get(&chunk)));
        if is_same(quarry, self.quarry(chunk_parts(chunk).0).as_ref()) {
            self.uses += 1;
            let kept = Kept { plot: Arc::clone(&plot), used: self.uses, is_stale: false };
            self.plots.insert(chunk, kept);
            if self.plots.len() > PLOTS_MAX {
                let oldest = self.plots.iter().min_by_key(|(_, kept)| kept.used);
                if let Some(oldest) = oldest.map(|(chunk, _)| *chunk) {
                    self.plots.remove(&oldest);
                }
            }
        }
        plot
    }
}

fn is_same(one: Option<&Arc<Quarry>>, other: Option<&Arc<Quarry>>) -> bool {
    match (one, other) {
        (Some(one), Some(other)) => Arc::ptr_eq(one, other),
        (None, None) => true,
        (Some(_), None) | (None, Some(_)) => false,
    }
}

/// Lays obstacles over a block, as the realm does.
fn lay(made: Option<Arc<Block>>, obstacles: Option<&Vec<(u64, Area)>>) -> Plot {
    let laid = obstacles.map(|areas| {
        let bare = made.as_ref().map(|block| block.ground.clone());
        let mut ground = bare.unwrap_or(BlockGround::uniform(GroundClass::Easy));
        let cells = |min_mm: i32, max_mm: i32| {
            let inside = |cell: i32| usize::try_from(cell.rem_euclid(BLOCK_CELLS)).unwrap_or(0);
            (min_mm.div_euclid(CELL_MM)..max_mm.div_euclid(CELL_MM)).map(inside)
        };
        for (_, area) in areas {
            for y in cells(area.min_y_mm, area.max_y_mm) {
                for x in cells(area.min_x_mm, area.max_x_mm) {
                    ground.set(x, y, GroundClass::Blocked);
                }
            }
        }
        ground
    });
    Plot { made, laid }
}

#[cfg(test)]
mod tests;
