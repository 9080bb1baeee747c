//! The world's bounds, its obstacles, and what stands in it.
//!
//! Whatever lives in space carries `chunk_index` (`rules::world::chunk_index`), the one key that
//! clients subscribe by. Public tables can be read by every admitted client.

use spacetimedb::{SpacetimeType, Timestamp, table};

/// The bounds and speeds of a world. Written by the owner (`world_configure`).
#[table(name = world_config, public)]
pub struct WorldConfig {
    /// The world's number: 0 is the open world.
    #[primary_key]
    pub world: u32,
    /// The westernmost millimetre inside, a block border.
    pub min_x_mm: i32,
    /// The southernmost millimetre inside, a block border.
    pub min_y_mm: i32,
    /// The first millimetre outside to the east, a block border.
    pub max_x_mm: i32,
    /// The first millimetre outside to the north, a block border.
    pub max_y_mm: i32,
    /// Where characters without a position enter.
    pub spawn_x_mm: i32,
    /// Where characters without a position enter.
    pub spawn_y_mm: i32,
    /// How fast characters walk.
    pub walk_speed_mm_per_s: i32,
    /// How fast characters run.
    pub run_speed_mm_per_s: i32,
    /// When the row was last written.
    pub configured_at: Timestamp,
}

/// A rectangle of cells that nothing can enter, cut at block borders. Written with `world_config`.
#[table(
    name = obstacle,
    public,
    // Read by the planner and subscribed to per block.
    index(name = by_chunk, btree(columns = [chunk_index]))
)]
pub struct Obstacle {
    /// The obstacle's number, new each time the world is configured.
    #[primary_key]
    #[auto_inc]
    pub obstacle_id: u64,
    /// The block it lies in.
    pub chunk_index: u64,
    /// Its westernmost millimetre, a cell border.
    pub min_x_mm: i32,
    /// Its southernmost millimetre, a cell border.
    pub min_y_mm: i32,
    /// The first millimetre east of it, a cell border.
    pub max_x_mm: i32,
    /// The first millimetre north of it, a cell border.
    pub max_y_mm: i32,
}

/// What stands in the world. Written when it appears, crosses a block border, or goes.
#[table(
    name = entity,
    public,
    // Subscribed to per block.
    index(name = by_chunk, btree(columns = [chunk_index]))
)]
pub struct Entity {
    /// Unique across realms; a character's entity has the character's id.
    #[primary_key]
    pub entity_id: u64,
    /// The block it is in, always that of its `motion` row.
    pub chunk_index: u64,
    /// 1 character (`rules::world::EntityKind`).
    pub kind: u8,
    /// The name clients show.
    pub name: String,
}

/// The next entity id: one row. Written by whoever makes an entity.
#[table(name = entity_counter)]
pub struct EntityCounter {
    /// Always 0.
    #[primary_key]
    pub singleton_id: u8,
    /// The lower 48 bits of the next id, from 1.
    pub next_number: u64,
}

/// A rectangle of cells that nothing can enter: an argument of `world_configure`.
#[derive(SpacetimeType, Clone, Debug)]
pub struct ObstacleDefinition {
    /// Its westernmost cell.
    pub cell_x: i32,
    /// Its southernmost cell.
    pub cell_y: i32,
    /// 1 to 256 cells.
    pub width_cells: u32,
    /// 1 to 256 cells.
    pub height_cells: u32,
}

/// A flat world: the argument of `world_configure`. Block bounds: minimum inside, maximum outside.
#[derive(SpacetimeType, Clone, Debug)]
pub struct WorldDefinition {
    /// 0, the open world.
    pub world: u32,
    /// Westernmost block.
    pub min_block_x: i32,
    /// Southernmost block.
    pub min_block_y: i32,
    /// First block to the east of it.
    pub max_block_x: i32,
    /// First block to the north of it.
    pub max_block_y: i32,
    /// Where characters without a position enter, millimetres.
    pub spawn_x_mm: i32,
    /// Where characters without a position enter, millimetres.
    pub spawn_y_mm: i32,
    /// 2 to 50000 mm/s.
    pub walk_speed_mm_per_s: i32,
    /// Walking speed to 50000 mm/s.
    pub run_speed_mm_per_s: i32,
    /// At most 4096.
    pub obstacles: Vec<ObstacleDefinition>,
}
