//! The `[world]` and `[instances]` sections, and their shapes as arguments of the reducers
//! `world_configure`, `world_terrain_set` and `instance_define`.

use std::path::Path;

use haven_rules::world::terrain::{OPEN_SEED, Recipe, SHIPPED};
use haven_rules::world::{CellRect, WorldError, WorldPlan, validate_world};
use serde::Deserialize;
use spacetimedb_lib::SpacetimeType;

/// The open world: its land, its bounds, obstacles. Blocks are 64 m wide, cells 1 m.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct WorldSection {
    /// The name of a recipe that comes with Haven, a recipe's file, or nothing for a flat world.
    pub(crate) terrain: String,
    pub(crate) seed: u64,
    pub(crate) min_block_x: i32,
    pub(crate) min_block_y: i32,
    pub(crate) max_block_x: i32,
    pub(crate) max_block_y: i32,
    pub(crate) spawn_x_mm: i32,
    pub(crate) spawn_y_mm: i32,
    pub(crate) walk_speed_mm_per_s: i32,
    pub(crate) run_speed_mm_per_s: i32,
    pub(crate) obstacles: Vec<ObstacleSection>,
}

/// A rectangle of cells that nothing can enter.
#[derive(Clone, Copy, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct ObstacleSection {
    pub(crate) cell_x: i32,
    pub(crate) cell_y: i32,
    pub(crate) width_cells: u32,
    pub(crate) height_cells: u32,
}

/// The argument of `world_configure`, fields in the reducer's order.
#[derive(Clone, Debug, PartialEq, SpacetimeType)]
#[sats(crate = spacetimedb_lib)]
pub(crate) struct WorldDefinition {
    pub(crate) world: u32,
    pub(crate) min_block_x: i32,
    pub(crate) min_block_y: i32,
    pub(crate) max_block_x: i32,
    pub(crate) max_block_y: i32,
    pub(crate) spawn_x_mm: i32,
    pub(crate) spawn_y_mm: i32,
    pub(crate) walk_speed_mm_per_s: i32,
    pub(crate) run_speed_mm_per_s: i32,
    pub(crate) obstacles: Vec<ObstacleDefinition>,
}

/// One obstacle of a [`WorldDefinition`], fields in the reducer's order.
#[derive(Clone, Copy, Debug, PartialEq, SpacetimeType)]
#[sats(crate = spacetimedb_lib)]
pub(crate) struct ObstacleDefinition {
    pub(crate) cell_x: i32,
    pub(crate) cell_y: i32,
    pub(crate) width_cells: u32,
    pub(crate) height_cells: u32,
}

/// A walled square of 30 m around the spawn with a gate in each side, and some rocks outside.
const DEFAULT_OBSTACLES: [(i32, i32, u32, u32); 12] = [
    (-15, 14, 13, 1),
    (2, 14, 13, 1),
    (-15, -15, 13, 1),
    (2, -15, 13, 1),
    (-15, -14, 1, 12),
    (-15, 2, 1, 12),
    (14, -14, 1, 12),
    (14, 2, 1, 12),
    (24, 6, 3, 2),
    (-30, 18, 2, 2),
    (20, -26, 4, 3),
    (-22, -20, 2, 3),
];

impl Default for WorldSection {
    fn default() -> Self {
        let obstacle = |(cell_x, cell_y, width_cells, height_cells)| ObstacleSection {
            cell_x,
            cell_y,
            width_cells,
            height_cells,
        };
        Self {
            terrain: "open".to_owned(),
            seed: OPEN_SEED,
            min_block_x: -64,
            min_block_y: -64,
            max_block_x: 64,
            max_block_y: 64,
            spawn_x_mm: 4_500,
            spawn_y_mm: 4_500,
            walk_speed_mm_per_s: 1_800,
            run_speed_mm_per_s: 5_000,
            obstacles: DEFAULT_OBSTACLES.map(obstacle).to_vec(),
        }
    }
}

impl WorldSection {
    /// What the module would say to this world.
    pub(crate) fn validate(&self) -> Result<(), WorldError> {
        let rect = |obstacle: &ObstacleSection| CellRect {
            cell_x: obstacle.cell_x,
            cell_y: obstacle.cell_y,
            width_cells: obstacle.width_cells,
            height_cells: obstacle.height_cells,
        };
        validate_world(&WorldPlan {
            min_block_x: self.min_block_x,
            min_block_y: self.min_block_y,
            max_block_x: self.max_block_x,
            max_block_y: self.max_block_y,
            spawn_x_mm: self.spawn_x_mm,
            spawn_y_mm: self.spawn_y_mm,
            walk_speed_mm_per_s: self.walk_speed_mm_per_s,
            run_speed_mm_per_s: self.run_speed_mm_per_s,
            obstacles: self.obstacles.iter().map(rect).collect(),
        })
        .map(|_| ())
    }

    /// The open world, as the reducer wants it.
    pub(crate) fn definition(&self) -> WorldDefinition {
        let obstacle = |obstacle: &ObstacleSection| ObstacleDefinition {
            cell_x: obstacle.cell_x,
            cell_y: obstacle.cell_y,
            width_cells: obstacle.width_cells,
            height_cells: obstacle.height_cells,
        };
        WorldDefinition {
            world: haven_rules::world::OPEN_WORLD,
            min_block_x: self.min_block_x,
            min_block_y: self.min_block_y,
            max_block_x: self.max_block_x,
            max_block_y: self.max_block_y,
            spawn_x_mm: self.spawn_x_mm,
            spawn_y_mm: self.spawn_y_mm,
            walk_speed_mm_per_s: self.walk_speed_mm_per_s,
            run_speed_mm_per_s: self.run_speed_mm_per_s,
            obstacles: self.obstacles.iter().map(obstacle).collect(),
        }
    }
}

/// The text of a terrain's recipe: one that comes with Haven by its name, any other by its file;
/// nothing stays nothing. It has been read, so the module can read it too.
pub(crate) fn recipe_text(terrain: &str) -> Result<String, String> {
    let shipped = SHIPPED.iter().find(|(name, _)| *name == terrain);
    let text = match shipped {
        Some((_, text)) => (*text).to_owned(),
        None if terrain.is_empty() => return Ok(String::new()),
        None => std::fs::read_to_string(Path::new(terrain)).map_err(|error| {
            let known = SHIPPED.map(|(name, _)| name).join(", ");
            format!("{terrain} cannot be read: {error}; recipes of that name are {known}")
        })?,
    };
    match Recipe::from_toml(&text) {
        Ok(_) => Ok(text),
        Err(error) => Err(format!("{terrain}: {error}")),
    }
}

/// A kind of instance.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct InstanceSection {
    pub(crate) terrain: String,
    pub(crate) seed: u64,
    pub(crate) min_block_x: i32,
    pub(crate) min_block_y: i32,
    pub(crate) max_block_x: i32,
    pub(crate) max_block_y: i32,
    pub(crate) spawn_x_mm: i32,
    pub(crate) spawn_y_mm: i32,
    pub(crate) walk_speed_mm_per_s: i32,
    pub(crate) run_speed_mm_per_s: i32,
    pub(crate) capacity: u32,
    pub(crate) lifetime_seconds: u32,
    pub(crate) empty_seconds: u32,
}

impl Default for InstanceSection {
    fn default() -> Self {
        Self {
            terrain: "hollow".to_owned(),
            seed: 1,
            min_block_x: -4,
            min_block_y: -4,
            max_block_x: 4,
            max_block_y: 4,
            spawn_x_mm: 4_500,
            spawn_y_mm: 4_500,
            walk_speed_mm_per_s: 1_800,
            run_speed_mm_per_s: 5_000,
            capacity: 5,
            lifetime_seconds: 7_200,
            empty_seconds: 300,
        }
    }
}

/// The argument of `instance_define`, fields in the reducer's order.
#[derive(Clone, Debug, PartialEq, SpacetimeType)]
#[sats(crate = spacetimedb_lib)]
pub(crate) struct InstanceDefinition {
    pub(crate) name: String,
    pub(crate) shape: InstanceShape,
    pub(crate) seed: u64,
    pub(crate) recipe: String,
    pub(crate) capacity: u32,
    pub(crate) lifetime_seconds: u32,
    pub(crate) empty_seconds: u32,
}

/// The world of an [`InstanceDefinition`], fields in the reducer's order.
#[derive(Clone, Debug, PartialEq, SpacetimeType)]
#[sats(crate = spacetimedb_lib)]
pub(crate) struct InstanceShape {
    pub(crate) min_block_x: i32,
    pub(crate) min_block_y: i32,
    pub(crate) max_block_x: i32,
    pub(crate) max_block_y: i32,
    pub(crate) spawn_x_mm: i32,
    pub(crate) spawn_y_mm: i32,
    pub(crate) walk_speed_mm_per_s: i32,
    pub(crate) run_speed_mm_per_s: i32,
}

impl InstanceSection {
    /// The kind of instance, as the reducer wants it.
    pub(crate) fn definition(&self, name: &str) -> Result<InstanceDefinition, String> {
        let shape = InstanceShape {
            min_block_x: self.min_block_x,
            min_block_y: self.min_block_y,
            max_block_x: self.max_block_x,
            max_block_y: self.max_block_y,
            spawn_x_mm: self.spawn_x_mm,
            spawn_y_mm: self.spawn_y_mm,
            walk_speed_mm_per_s: self.walk_speed_mm_per_s,
            run_speed_mm_per_s: self.run_speed_mm_per_s,
        };
        Ok(InstanceDefinition {
            name: name.to_owned(),
            shape,
            seed: self.seed,
            recipe: recipe_text(&self.terrain)?,
            capacity: self.capacity,
            lifetime_seconds: self.lifetime_seconds,
            empty_seconds: self.empty_seconds,
        })
    }
}
