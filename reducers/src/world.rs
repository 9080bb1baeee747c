//! The world: its configuration, its land and obstacles, and what stands in it.
//!
//! Keeps true: an entity's `chunk_index` is that of its motion row, and entity ids are unique
//! across realms.

pub(crate) mod blocks;
pub(crate) mod land;
pub mod regions;
pub mod survey;

use crate::authority::require_owner;
use crate::sequences;
use crate::{Refusal, audit, combat, npcs, realms};
use haven_rules::realms::RealmError;
use haven_rules::sequences::{Numbered, across_realms};
use haven_rules::world::terrain::{RECIPE_BYTES_MAX, Recipe, Terrain};
use haven_rules::world::{
    Area, BLOCK_MM, CellRect, EntityKind, GroundClass, OPEN_WORLD, SURVEY_BLOCKS_MAX, WorldError,
    WorldPlan, block_of_cell, cell_of_mm, validate_world,
};
use haven_tables::world::{
    Entity, EntityCounter, Obstacle, WorldConfig, WorldDefinition, WorldTerrain, WorldVigil,
    entity, entity_counter, obstacle, terrain_block, world_config, world_terrain, world_vigil,
};
use land::Land;
use spacetimedb::{ReducerContext, Table, reducer};
use std::hash::{DefaultHasher, Hash, Hasher};

pub(crate) fn ensure_timers(ctx: &ReducerContext) {
    regions::ensure_timers(ctx);
    survey::ensure_timers(ctx);
}

/// Lays out a world. Owner only; may be called again, and changes nothing if nothing changed.
/// Characters that are in the world stay where they are.
///
/// # Errors
/// In this order: `account.permission_denied`, `world.unknown` for any world but 0,
/// `world.bounds_invalid`, `world.speed_invalid`, `world.obstacles_too_many`,
/// `world.obstacle_invalid`, `world.spawn_invalid`.
#[reducer]
pub fn world_configure(ctx: &ReducerContext, definition: WorldDefinition) -> Result<(), Refusal> {
    require_owner(ctx)?;
    if definition.world != OPEN_WORLD {
        return Err(WorldError::Unknown.into());
    }
    let plan = plan_of(&definition);
    let (bounds, obstacles) = validate_world(&plan)?;
    let row = WorldConfig {
        world: definition.world,
        min_x_mm: bounds.min_x_mm,
        min_y_mm: bounds.min_y_mm,
        max_x_mm: bounds.max_x_mm,
        max_y_mm: bounds.max_y_mm,
        spawn_x_mm: plan.spawn_x_mm,
        spawn_y_mm: plan.spawn_y_mm,
        walk_speed_mm_per_s: plan.walk_speed_mm_per_s,
        run_speed_mm_per_s: plan.run_speed_mm_per_s,
        ground_version: ground_version(ctx, definition.world, &obstacles),
        configured_at: ctx.timestamp,
    };
    let known = ctx.db.world_config().world().find(row.world);
    let laid_out = known.as_ref().is_some_and(|known| is_same(known, &row));
    if laid_out && all_obstacles(ctx).into_iter().map(|(_, at)| at).eq(obstacles.iter().copied()) {
        return Ok(());
    }
    if known.is_some() {
        ctx.db.world_config().world().update(row);
    } else {
        ctx.db.world_config().insert(row);
    }
    replace_obstacles(ctx, &obstacles);
    audit::record(ctx, 0, 0, "world_configured", &definition.world.to_string());
    Ok(())
}

/// Gives the open world its land: a seed and a recipe (`content/world/*.toml`), or none to make it
/// flat. Owner only; the same again changes nothing. Blocks are made anew when they are needed.
/// Characters that are in the world stay where they are.
///
/// # Errors
/// In this order: `account.permission_denied`, `world.unknown` for any world but 0 or before
/// `world_configure`, `world.recipe_invalid`.
#[reducer]
pub fn world_terrain_set(
    ctx: &ReducerContext,
    world: u32,
    seed: u64,
    recipe: String,
) -> Result<(), Refusal> {
    require_owner(ctx)?;
    let config = ctx.db.world_config().world().find(world).filter(|row| row.world == OPEN_WORLD);
    let config = config.ok_or(WorldError::Unknown)?;
    let version = validate_terrain(seed, &recipe, (config.spawn_x_mm, config.spawn_y_mm))?;
    let known = ctx.db.world_terrain().world().find(world);
    if known.as_ref().map_or(0, |row| row.version) == version {
        return Ok(());
    }
    set_terrain(ctx, world, seed, recipe, version);
    let obstacles: Vec<_> = all_obstacles(ctx).into_iter().map(|(_, at)| at).collect();
    let ground_version = ground_version(ctx, world, &obstacles);
    ctx.db.world_config().world().update(WorldConfig { ground_version, ..config });
    let occupied = forget_land(ctx, world);
    regions::describe_around(ctx, occupied);
    audit::record(ctx, 0, 0, "world_terrain_set", &format!("{world} {seed} {version:016x}"));
    Ok(())
}

/// Lets creatures of a world move where no player is, or sleep there. Who sleeps already wakes when
/// somebody comes. Owner only.
///
/// # Errors
/// In this order: `account.permission_denied`, `world.unknown`.
#[reducer]
pub fn world_vigil_set(
    ctx: &ReducerContext,
    world: u32,
    always_awake: bool,
) -> Result<(), Refusal> {
    require_owner(ctx)?;
    ctx.db.world_config().world().find(world).ok_or(WorldError::Unknown)?;
    ctx.db.world_vigil().world().delete(world);
    ctx.db.world_vigil().insert(WorldVigil { world, always_awake });
    Ok(())
}

/// Makes land ahead of need: that many blocks from one on, row by row to the north. Owner only.
///
/// # Errors
/// In this order: `account.permission_denied`, `world.unknown`, `world.survey_invalid`.
#[reducer]
pub fn world_survey(
    ctx: &ReducerContext,
    world: u32,
    block_x: i32,
    block_y: i32,
    blocks_x: u32,
    blocks_y: u32,
) -> Result<(), Refusal> {
    require_owner(ctx)?;
    let mut land = Land::new(ctx, world)?;
    let count = u64::from(blocks_x) * u64::from(blocks_y);
    let bounds = land.bounds();
    let blocks = bounds.min_x_mm / BLOCK_MM..bounds.max_x_mm / BLOCK_MM;
    let rows = bounds.min_y_mm / BLOCK_MM..bounds.max_y_mm / BLOCK_MM;
    let end = |start: i32, count: u32| i64::from(start) + i64::from(count);
    let inside = blocks.contains(&block_x)
        && rows.contains(&block_y)
        && end(block_x, blocks_x) <= i64::from(blocks.end)
        && end(block_y, blocks_y) <= i64::from(rows.end);
    if !inside || !(1..=u64::from(SURVEY_BLOCKS_MAX)).contains(&count) {
        return Err(WorldError::SurveyInvalid.into());
    }
    for y in 0..i32::try_from(blocks_y).unwrap_or(0) {
        for x in 0..i32::try_from(blocks_x).unwrap_or(0) {
            land.block(block_x + x, block_y + y);
        }
    }
    Ok(())
}

/// Refuses a recipe that cannot be read or that lets nobody stand at the spawn; answers the version
/// of seed and recipe, 0 for none.
///
/// # Errors
/// `world.recipe_invalid`.
pub(crate) fn validate_terrain(
    seed: u64,
    recipe: &str,
    (spawn_x_mm, spawn_y_mm): (i32, i32),
) -> Result<u64, WorldError> {
    if recipe.is_empty() {
        return Ok(0);
    }
    if recipe.len() > RECIPE_BYTES_MAX {
        return Err(WorldError::RecipeInvalid);
    }
    let read = Recipe::from_toml(recipe).map_err(|_| WorldError::RecipeInvalid)?;
    let (x, y) = (cell_of_mm(spawn_x_mm), cell_of_mm(spawn_y_mm));
    let block = Terrain::new(seed, read).block(block_of_cell(x), block_of_cell(y));
    let inside = |cell: i32| usize::try_from(cell.rem_euclid(64)).unwrap_or(0);
    if block.ground.class(inside(x), inside(y)) == GroundClass::Blocked {
        return Err(WorldError::RecipeInvalid);
    }
    Ok(terrain_version(seed, recipe))
}

/// Makes the world of an instance: flat where the recipe is empty. The recipe was read before.
pub(crate) fn lay_out(
    ctx: &ReducerContext,
    world: u32,
    plan: &WorldPlan,
    bounds: &Area,
    seed: u64,
    recipe: &str,
) {
    let version = terrain_version(seed, recipe);
    set_terrain(ctx, world, seed, recipe.to_owned(), version);
    ctx.db.world_config().insert(WorldConfig {
        world,
        min_x_mm: bounds.min_x_mm,
        min_y_mm: bounds.min_y_mm,
        max_x_mm: bounds.max_x_mm,
        max_y_mm: bounds.max_y_mm,
        spawn_x_mm: plan.spawn_x_mm,
        spawn_y_mm: plan.spawn_y_mm,
        walk_speed_mm_per_s: plan.walk_speed_mm_per_s,
        run_speed_mm_per_s: plan.run_speed_mm_per_s,
        ground_version: ground_version(ctx, world, &[]),
        configured_at: ctx.timestamp,
    });
}

/// Removes the world of an instance, at most 32×32 blocks of it.
pub(crate) fn remove(ctx: &ReducerContext, world: u32) {
    if let Some(config) = ctx.db.world_config().world().find(world) {
        blocks::forget(ctx, world, &land::bounds_of(&config));
    }
    forget_land(ctx, world);
    ctx.db.world_terrain().world().delete(world);
    ctx.db.world_vigil().world().delete(world);
    ctx.db.world_config().world().delete(world);
}

/// What stands for a seed and a recipe; 0 for none.
fn terrain_version(seed: u64, recipe: &str) -> u64 {
    if recipe.is_empty() { 0 } else { fingerprint(&(seed, recipe)).max(1) }
}

/// Writes down the land of a world; version 0 makes it flat.
pub(crate) fn set_terrain(
    ctx: &ReducerContext,
    world: u32,
    seed: u64,
    recipe: String,
    version: u64,
) {
    ctx.db.world_terrain().world().delete(world);
    if version != 0 {
        ctx.db.world_terrain().insert(WorldTerrain { world, seed, version, recipe });
    }
}

/// Throws away what was made of a world, and answers the regions that players are in.
fn forget_land(ctx: &ReducerContext, world: u32) -> Vec<u64> {
    ctx.db.terrain_block().by_world().delete(world);
    npcs::forget_camps(ctx, world);
    regions::forget(ctx, world)
}

/// What stands for the ground of a world: its terrain's version and its obstacles.
pub(crate) fn ground_version(ctx: &ReducerContext, world: u32, obstacles: &[(u64, Area)]) -> u64 {
    let terrain = ctx.db.world_terrain().world().find(world).map_or(0, |row| row.version);
    let corners = |(chunk, area): &(u64, Area)| {
        (*chunk, area.min_x_mm, area.min_y_mm, area.max_x_mm, area.max_y_mm)
    };
    fingerprint(&(terrain, obstacles.iter().map(corners).collect::<Vec<_>>()))
}

fn fingerprint(value: &impl Hash) -> u64 {
    let mut hasher = DefaultHasher::new();
    value.hash(&mut hasher);
    hasher.finish()
}

fn plan_of(definition: &WorldDefinition) -> WorldPlan {
    let rect = |obstacle: &haven_tables::world::ObstacleDefinition| CellRect {
        cell_x: obstacle.cell_x,
        cell_y: obstacle.cell_y,
        width_cells: obstacle.width_cells,
        height_cells: obstacle.height_cells,
    };
    WorldPlan {
        min_block_x: definition.min_block_x,
        min_block_y: definition.min_block_y,
        max_block_x: definition.max_block_x,
        max_block_y: definition.max_block_y,
        spawn_x_mm: definition.spawn_x_mm,
        spawn_y_mm: definition.spawn_y_mm,
        walk_speed_mm_per_s: definition.walk_speed_mm_per_s,
        run_speed_mm_per_s: definition.run_speed_mm_per_s,
        obstacles: definition.obstacles.iter().map(rect).collect(),
    }
}

/// Whether two rows say the same but for when.
fn is_same(one: &WorldConfig, other: &WorldConfig) -> bool {
    let shape = |row: &WorldConfig| {
        (
            (row.min_x_mm, row.min_y_mm, row.max_x_mm, row.max_y_mm),
            (row.spawn_x_mm, row.spawn_y_mm),
            (row.walk_speed_mm_per_s, row.run_speed_mm_per_s, row.ground_version),
        )
    };
    shape(one) == shape(other)
}

fn area_of(row: &Obstacle) -> Area {
    Area {
        min_x_mm: row.min_x_mm,
        min_y_mm: row.min_y_mm,
        max_x_mm: row.max_x_mm,
        max_y_mm: row.max_y_mm,
    }
}

/// Every obstacle in the order they were laid: its id, its block and its area.
#[expect(clippy::disallowed_methods, reason = "bounded by OBSTACLES_MAX, and owner only")]
fn all_obstacles(ctx: &ReducerContext) -> Vec<(u64, (u64, Area))> {
    let rows = ctx.db.obstacle().iter();
    let mut all: Vec<_> =
        rows.map(|row| (row.obstacle_id, (row.chunk_index, area_of(&row)))).collect();
    all.sort_unstable_by_key(|(obstacle_id, _)| *obstacle_id);
    all
}

fn replace_obstacles(ctx: &ReducerContext, obstacles: &[(u64, Area)]) {
    for (obstacle_id, _) in all_obstacles(ctx) {
        ctx.db.obstacle().obstacle_id().delete(obstacle_id);
    }
    for (chunk_index, area) in obstacles {
        ctx.db.obstacle().insert(Obstacle {
            obstacle_id: sequences::next(ctx, Numbered::Obstacle),
            chunk_index: *chunk_index,
            min_x_mm: area.min_x_mm,
            min_y_mm: area.min_y_mm,
            max_x_mm: area.max_x_mm,
            max_y_mm: area.max_y_mm,
        });
    }
}

/// Where an entity can stand: where it wants to if that is free, else at the spawn.
///
/// # Errors
/// `world.unknown`.
pub(crate) fn place_to_stand(
    ctx: &ReducerContext,
    world: u32,
    wanted: Option<(i32, i32)>,
) -> Result<(i32, i32), WorldError> {
    let mut land = Land::new(ctx, world)?;
    let free = wanted.filter(|(x, y)| land.is_open(cell_of_mm(*x), cell_of_mm(*y)));
    Ok(free.unwrap_or((land.config.spawn_x_mm, land.config.spawn_y_mm)))
}

/// Where characters without a place enter a world.
pub(crate) fn spawn_of(ctx: &ReducerContext, world: u32) -> Option<(i32, i32)> {
    let config = ctx.db.world_config().world().find(world)?;
    Some((config.spawn_x_mm, config.spawn_y_mm))
}

/// Shows an entity in a block.
pub(crate) fn show_entity(
    ctx: &ReducerContext,
    entity_id: u64,
    chunk_index: u64,
    kind: EntityKind,
    name: String,
) {
    ctx.db.entity().insert(Entity { entity_id, chunk_index, kind: kind.code(), name });
}

/// A player's character is in a block now; or in another one than before; or in none any more.
pub(crate) fn player_moved(ctx: &ReducerContext, from: Option<u64>, to: Option<u64>) {
    if from == to {
        return;
    }
    blocks::player_moved(ctx, from, to);
    regions::player_moved(ctx, from, to);
    if let Some(to) = to {
        survey::request(ctx, to);
    }
}

/// Moves an entity to another block.
pub(crate) fn move_entity(ctx: &ReducerContext, entity_id: u64, chunk_index: u64) {
    if let Some(row) = ctx.db.entity().entity_id().find(entity_id) {
        ctx.db.entity().entity_id().update(Entity { chunk_index, ..row });
    }
    combat::moved_to(ctx, entity_id, chunk_index);
}

/// Shows an entity under another name, if it is in the world.
pub(crate) fn rename_entity(ctx: &ReducerContext, entity_id: u64, name: &str) {
    if let Some(row) = ctx.db.entity().entity_id().find(entity_id) {
        ctx.db.entity().entity_id().update(Entity { name: name.to_owned(), ..row });
    }
}

/// Removes an entity from the world.
pub(crate) fn hide_entity(ctx: &ReducerContext, entity_id: u64) {
    ctx.db.entity().entity_id().delete(entity_id);
}

/// A new entity id: the realm's number in the top 16 bits, a counter below.
///
/// # Errors
/// `realm.not_configured`.
pub(crate) fn next_entity_id(ctx: &ReducerContext) -> Result<u64, RealmError> {
    Ok(reserve_entity_ids(ctx, 1)?.start)
}

/// As many new entity ids.
///
/// # Errors
/// `realm.not_configured`.
pub(crate) fn reserve_entity_ids(
    ctx: &ReducerContext,
    count: u32,
) -> Result<std::ops::Range<u64>, RealmError> {
    let realm_id = realms::config(ctx)?.realm_id;
    let counter = ctx.db.entity_counter().singleton_id().find(0);
    let number = counter.as_ref().map_or(1, |row| row.next_number);
    let next_number = number + u64::from(count);
    let row = EntityCounter { singleton_id: 0, next_number };
    if counter.is_some() {
        ctx.db.entity_counter().singleton_id().update(row);
    } else {
        ctx.db.entity_counter().insert(row);
    }
    Ok(across_realms(realm_id, number)..across_realms(realm_id, next_number))
}
