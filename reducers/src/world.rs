//! The world: its configuration, its obstacles, and what stands in it.
//!
//! Keeps true: an entity's `chunk_index` is that of its motion row, and entity ids are unique
//! across realms.

use crate::authority::require_owner;
use crate::{Refusal, audit, realms};
use haven_rules::realms::RealmError;
use haven_rules::world::{
    Area, CELL_MM, CellRect, EntityKind, OPEN_WORLD, WorldError, WorldPlan, block_of_cell,
    cell_of_mm, chunk_index, validate_world,
};
use haven_tables::world::{
    Entity, EntityCounter, Obstacle, WorldConfig, WorldDefinition, entity, entity_counter,
    obstacle, world_config,
};
use spacetimedb::{ReducerContext, Table, reducer};
use std::collections::BTreeMap;

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
            (row.walk_speed_mm_per_s, row.run_speed_mm_per_s),
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
            obstacle_id: 0,
            chunk_index: *chunk_index,
            min_x_mm: area.min_x_mm,
            min_y_mm: area.min_y_mm,
            max_x_mm: area.max_x_mm,
            max_y_mm: area.max_y_mm,
        });
    }
}

/// The ground of one world, read block by block when it is first asked about.
pub(crate) struct GroundCache<'a> {
    ctx: &'a ReducerContext,
    /// The world's configuration.
    pub config: WorldConfig,
    blocks: BTreeMap<u64, Vec<Area>>,
}

impl<'a> GroundCache<'a> {
    /// # Errors
    /// `world.unknown`.
    pub(crate) fn new(ctx: &'a ReducerContext, world: u32) -> Result<Self, WorldError> {
        let config = ctx.db.world_config().world().find(world).ok_or(WorldError::Unknown)?;
        Ok(Self { ctx, config, blocks: BTreeMap::new() })
    }

    pub(crate) fn bounds(&self) -> Area {
        Area {
            min_x_mm: self.config.min_x_mm,
            min_y_mm: self.config.min_y_mm,
            max_x_mm: self.config.max_x_mm,
            max_y_mm: self.config.max_y_mm,
        }
    }

    pub(crate) fn speed_mm_per_s(&self, running: bool) -> i32 {
        if running { self.config.run_speed_mm_per_s } else { self.config.walk_speed_mm_per_s }
    }

    pub(crate) fn is_blocked(&mut self, cell_x: i32, cell_y: i32) -> bool {
        let chunk = chunk_index(self.config.world, block_of_cell(cell_x), block_of_cell(cell_y));
        let ctx = self.ctx;
        let areas = self.blocks.entry(chunk).or_insert_with(|| {
            ctx.db.obstacle().by_chunk().filter(chunk).map(|row| area_of(&row)).collect()
        });
        areas.iter().any(|area| area.contains(cell_x * CELL_MM, cell_y * CELL_MM))
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
    let mut ground = GroundCache::new(ctx, world)?;
    let free = wanted.filter(|(x, y)| {
        ground.bounds().contains(*x, *y) && !ground.is_blocked(cell_of_mm(*x), cell_of_mm(*y))
    });
    Ok(free.unwrap_or((ground.config.spawn_x_mm, ground.config.spawn_y_mm)))
}

/// Shows a character's entity in a block.
pub(crate) fn show_character(ctx: &ReducerContext, entity_id: u64, chunk_index: u64, name: String) {
    let kind = EntityKind::Character.code();
    ctx.db.entity().insert(Entity { entity_id, chunk_index, kind, name });
}

/// Moves an entity to another block.
pub(crate) fn move_entity(ctx: &ReducerContext, entity_id: u64, chunk_index: u64) {
    if let Some(row) = ctx.db.entity().entity_id().find(entity_id) {
        ctx.db.entity().entity_id().update(Entity { chunk_index, ..row });
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
    let realm_id = realms::config(ctx)?.realm_id;
    let counter = ctx.db.entity_counter().singleton_id().find(0);
    let number = counter.as_ref().map_or(1, |row| row.next_number);
    let row = EntityCounter { singleton_id: 0, next_number: number + 1 };
    if counter.is_some() {
        ctx.db.entity_counter().singleton_id().update(row);
    } else {
        ctx.db.entity_counter().insert(row);
    }
    Ok((u64::from(realm_id) << 48) | number)
}
