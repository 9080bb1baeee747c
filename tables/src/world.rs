//! The world's bounds, its obstacles, and what stands in it.
//!
//! Whatever lives in space carries `chunk_index` (`rules::world::chunk_index`), the one key that
//! clients subscribe by. Public tables can be read by every admitted client.

use spacetimedb::{SpacetimeType, Timestamp, table};

/// The bounds and speeds of a world. Written by the owner (`world_configure`).
#[derive(Clone)]
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
    /// Changes whenever the ground does: terrain or obstacles.
    pub ground_version: u64,
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

/// The land of a world: everything a client needs to make it, block by block, as the module does
/// (`rules::world::terrain`). Written by the owner; without a row the world is flat.
#[table(name = world_terrain, public)]
pub struct WorldTerrain {
    /// The world's number.
    #[primary_key]
    pub world: u32,
    /// What chance in the recipe hangs on.
    pub seed: u64,
    /// Changes whenever seed or recipe do.
    pub version: u64,
    /// The recipe: TOML, at most 32 KiB.
    pub recipe: String,
}

/// A block of land as it was made, for clients that do not make it themselves. Written when the
/// block is first needed; removed with its world, or when the recipe changes.
#[table(
    name = terrain_block,
    public,
    // Read when a world's land is thrown away.
    index(name = by_world, btree(columns = [world]))
)]
pub struct TerrainBlock {
    /// The block.
    #[primary_key]
    pub chunk_index: u64,
    /// `world_terrain.version` when it was made.
    pub version: u64,
    /// The world it lies in.
    pub world: u32,
    /// Heights, biomes, ground and features (`rules::world::terrain::Block::encode`).
    pub data: Vec<u8>,
}

/// A block that players are in or watch, or that sleeps. Written when players cross its border,
/// when it falls asleep or wakes, and when it becomes crowded or calm.
#[table(name = block_state)]
pub struct BlockState {
    /// The block.
    #[primary_key]
    pub chunk_index: u64,
    /// Since when whoever is in it and not a player has not moved, microseconds since 1970; 0 while
    /// it is awake.
    pub simulated_until_micros: i64,
    /// Players in it.
    pub players: u32,
    /// Players in it and the eight blocks around it.
    pub watchers: u32,
    /// Whether the tick publishes its courses.
    pub crowded: bool,
}

/// The courses that players set in a block in this second. Gone a second after the last one.
#[table(
    name = block_input,
    // Read by the movement tick: whose second is over.
    index(name = by_slot, btree(columns = [slot]))
)]
pub struct BlockInput {
    /// The block.
    #[primary_key]
    pub chunk_index: u64,
    /// When the second ends, microseconds since 1970.
    pub ends_at_micros: i64,
    /// Courses set so far.
    pub inputs: u32,
    /// Those of them that the tick publishes.
    pub gathered: u32,
    /// Messages a second that publishing each at once would have cost in the second before.
    pub messages_per_s: u32,
    /// The slot of the end (`rules::motion::slot_of`).
    pub slot: u16,
}

/// What there is to know of a region from afar: 16×16 blocks. Written every few seconds if its
/// count has changed, and when a player first comes near.
#[table(
    name = region,
    public,
    // Read when a world's land is thrown away.
    index(name = by_world, btree(columns = [world]))
)]
pub struct Region {
    /// World, region x and region y (`rules::world::region_index`).
    #[primary_key]
    pub region_index: u64,
    /// The world it lies in.
    pub world: u32,
    /// Players in it when the row was written.
    pub players: u32,
    /// Its name; empty in flat worlds.
    pub name: String,
}

/// How many players are in a region, to the moment; `region` follows a few seconds later.
#[table(
    name = region_count,
    // Read by the timer that publishes.
    index(name = by_changed, btree(columns = [is_changed]))
)]
pub struct RegionCount {
    /// The region.
    #[primary_key]
    pub region_index: u64,
    /// Players in it.
    pub players: u32,
    /// Whether `region` does not say so yet.
    pub is_changed: bool,
}

/// Something worth seeing from afar. Written with its region.
#[table(
    name = landmark,
    public,
    // Subscribed to per region.
    index(name = by_region, btree(columns = [region_index]))
)]
pub struct Landmark {
    /// The landmark's number.
    #[primary_key]
    pub landmark_id: u64,
    /// The region it lies in.
    pub region_index: u64,
    /// Millimetres east of the origin.
    pub pos_x_mm: i32,
    /// Millimetres north of the origin.
    pub pos_y_mm: i32,
    /// 1 settlement (`rules::world::LandmarkKind`).
    pub kind: u8,
    /// Its name.
    pub name: String,
}

/// Blocks around which land is still to be made: one row for each block a player came to.
#[table(name = survey_request)]
pub struct SurveyRequest {
    /// The block in the middle.
    #[primary_key]
    pub chunk_index: u64,
    /// How many blocks around it are done, in rings from the middle.
    pub done: u32,
}

/// Whether a world's creatures move where no player is. Written by the owner; no row is no.
#[table(name = world_vigil)]
pub struct WorldVigil {
    /// The world's number.
    #[primary_key]
    pub world: u32,
    /// Whether nothing in it ever sleeps.
    pub always_awake: bool,
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
    /// 1 character, 2 wanderer, 3 creature (`rules::world::EntityKind`).
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
