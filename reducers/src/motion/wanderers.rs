//! Wanderers: creatures that walk about, and make a world look inhabited or busy.
//!
//! Keeps true: they cost an event where they turn or cross a border and nothing between, and where
//! nobody watches nothing at all, unless the world's vigil says otherwise.

use super::state::{Due, State};
use crate::authority::require_owner;
use crate::world::land::Land;
use crate::{Refusal, now_micros, world};
use haven_rules::motion::{MotionError, WANDERERS_AT_ONCE_MAX, WANDERERS_MAX, mix, wander};
use haven_rules::world::{
    BLOCK_CELLS, BLOCK_MM, CELL_MM, EntityKind, SURVEY_BLOCKS_MAX, WorldError,
};
use haven_tables::motion::{Wanderer, wanderer};
use spacetimedb::{ReducerContext, Table, reducer};

/// Places tried for each wanderer before it is left out.
const TRIES: u64 = 8;

/// Lets creatures walk about: up to that many, spread over blocks from one on to the north-east,
/// where they can stand. Owner only. The same seed in the same land gives the same places.
///
/// # Errors
/// In this order: `account.permission_denied`, `world.unknown`, `motion.wanderers_too_many`,
/// `world.survey_invalid`, `realm.not_configured`.
#[reducer]
pub fn wanderer_spawn(
    ctx: &ReducerContext,
    world: u32,
    block_x: i32,
    block_y: i32,
    blocks: u32,
    count: u32,
    seed: u64,
) -> Result<(), Refusal> {
    require_owner(ctx)?;
    let mut land = Land::new(ctx, world)?.making_at_most(SURVEY_BLOCKS_MAX);
    let total = ctx.db.wanderer().count() + u64::from(count);
    if count > WANDERERS_AT_ONCE_MAX || total > WANDERERS_MAX {
        return Err(MotionError::WanderersTooMany.into());
    }
    let corner = (block_x.checked_mul(BLOCK_MM), block_y.checked_mul(BLOCK_MM));
    let inside = match corner {
        (Some(x), Some(y)) => land.bounds().contains(x, y),
        (_, _) => false,
    };
    if !inside || blocks == 0 || blocks > 65_536 {
        return Err(WorldError::SurveyInvalid.into());
    }
    let first = (block_x * BLOCK_CELLS, block_y * BLOCK_CELLS);
    let edge = u64::from(blocks) * u64::try_from(BLOCK_CELLS).unwrap_or(1);
    let mut ids = world::reserve_entity_ids(ctx, count)?;
    for number in 0..u64::from(count) {
        let tries = (0..TRIES).map(|attempt| scatter(seed, number * TRIES + attempt, edge));
        let mut cells = tries.map(|(x, y)| (first.0 + x, first.1 + y));
        if let Some(cell) = cells.find(|cell| land.is_open(cell.0, cell.1)) {
            let Some(entity_id) = ids.next() else { break };
            appear(ctx, entity_id, world, cell, &mut land);
        }
    }
    Ok(())
}

/// Two numbers below a bound, the same for the same seed and number.
fn scatter(seed: u64, number: u64, below: u64) -> (i32, i32) {
    let mixed = mix(seed, number);
    let part = |bits: u64| i32::try_from((bits & 0xffff_ffff) % below).unwrap_or(0);
    (part(mixed), part(mixed >> 32))
}

fn appear(ctx: &ReducerContext, entity_id: u64, world: u32, cell: (i32, i32), land: &mut Land<'_>) {
    let place = (cell.0 * CELL_MM + CELL_MM / 2, cell.1 * CELL_MM + CELL_MM / 2);
    let chunk_index = super::place(ctx, entity_id, world, place, false);
    world::show_entity(ctx, entity_id, chunk_index, EntityKind::Wanderer, "Wanderer".to_owned());
    ctx.db.wanderer().insert(Wanderer { entity_id, world });
    if let Some(mut state) = State::load(ctx, entity_id) {
        let now = now_micros(ctx);
        state.apply(wander(entity_id, now.unsigned_abs()), false, 0, now, land);
        state.write(ctx, Due::Unknown, land.vigil);
    }
}

/// Removes wanderers of a world, at most that many. Owner only.
///
/// # Errors
/// In this order: `account.permission_denied`, `motion.wanderers_too_many`.
#[reducer]
pub fn wanderer_clear(ctx: &ReducerContext, world: u32, count: u32) -> Result<(), Refusal> {
    require_owner(ctx)?;
    if count > WANDERERS_AT_ONCE_MAX {
        return Err(MotionError::WanderersTooMany.into());
    }
    clear_wanderers(ctx, world, usize::try_from(count).unwrap_or(0));
    Ok(())
}

/// Whether a world has wanderers.
pub(crate) fn has_wanderers(ctx: &ReducerContext, world: u32) -> bool {
    ctx.db.wanderer().by_world().filter(world).next().is_some()
}

/// Removes wanderers of a world, at most that many.
pub(crate) fn clear_wanderers(ctx: &ReducerContext, world: u32, count: usize) {
    let gone: Vec<u64> =
        ctx.db.wanderer().by_world().filter(world).take(count).map(|row| row.entity_id).collect();
    for entity_id in gone {
        super::remove(ctx, entity_id);
        world::hide_entity(ctx, entity_id);
        ctx.db.wanderer().entity_id().delete(entity_id);
    }
}
