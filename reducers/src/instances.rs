//! Instances: worlds of their own. Opened by a player from a definition, entered by whoever was
//! invited, gone when their time is over or nobody has been inside for a while.
//!
//! Keeps true: an instance is a world number and a definition's land; nobody gets in but its owner
//! and the guests; whoever is inside when it ends stands where it came from; nothing of it is left.

use crate::authority::{Player, require_database, require_owner, require_player};
use crate::commands::once;
use crate::sequences;
use crate::world;
use crate::{Refusal, audit, characters, friends, motion, now_micros, npcs};
use haven_rules::characters::CharacterError;
use haven_rules::friends::What;
use haven_rules::instances::{
    Definition, GUESTS_MAX, INSTANCES_MAX, InstanceError, closes_at_micros, ends_at_micros,
    validate_definition,
};
use haven_rules::sequences::Numbered;
use haven_rules::world::{OPEN_WORLD, WorldPlan, validate_world};
use haven_tables::commands::CommandId;
use haven_tables::instances::{
    Instance, InstanceCounter, InstanceDef, InstancePass, InstanceReturn, InstanceShape, instance,
    instance_counter, instance_def, instance_pass, instance_return,
};
use spacetimedb::{ReducerContext, ScheduleAt, Table, reducer, table};
use std::time::Duration;

/// How often instances that are over are removed.
const SWEEP_INTERVAL: Duration = Duration::from_secs(1);
/// Most instances removed in one sweep.
const SWEEP_ROWS_MAX: usize = 20;
/// Most wanderers removed with an instance in one sweep; the rest with the next.
const SWEEP_WANDERERS_MAX: usize = 2_000;
/// The same for creatures.
const SWEEP_CREATURES_MAX: usize = 200;

/// The timer of [`instance_sweep()`].
#[table(name = instance_sweep_timer, scheduled(instance_sweep))]
pub struct InstanceSweepTimer {
    /// The timer's number.
    #[primary_key]
    #[auto_inc]
    pub scheduled_id: u64,
    /// When it fires.
    pub scheduled_at: ScheduleAt,
}

pub(crate) fn ensure_timers(ctx: &ReducerContext) {
    if ctx.db.instance_sweep_timer().count() == 0 {
        let scheduled_at = SWEEP_INTERVAL.into();
        ctx.db.instance_sweep_timer().insert(InstanceSweepTimer { scheduled_id: 0, scheduled_at });
    }
}

/// Says what a kind of instance is like; the same name again replaces it for instances that open
/// from then on. Owner only.
///
/// # Errors
/// In this order: `account.permission_denied`, `world.bounds_invalid`, `world.speed_invalid`,
/// `world.spawn_invalid`, `instance.definition_invalid`, `world.recipe_invalid`.
#[reducer]
pub fn instance_define(ctx: &ReducerContext, definition: InstanceDef) -> Result<(), Refusal> {
    require_owner(ctx)?;
    let (bounds, _) = validate_world(&plan_of(&definition.shape))?;
    validate_definition(&Definition {
        name: &definition.name,
        bounds,
        capacity: definition.capacity,
        lifetime_seconds: definition.lifetime_seconds,
        empty_seconds: definition.empty_seconds,
    })?;
    let spawn = (definition.shape.spawn_x_mm, definition.shape.spawn_y_mm);
    world::validate_terrain(definition.seed, &definition.recipe, spawn)?;
    audit::record(ctx, 0, 0, "instance_defined", &definition.name);
    if ctx.db.instance_def().name().find(&definition.name).is_some() {
        ctx.db.instance_def().name().update(definition);
    } else {
        ctx.db.instance_def().insert(definition);
    }
    Ok(())
}

/// Opens an instance for the caller; `instance_pass` says its number. It can be entered at once, by
/// the caller's character and whoever is invited.
///
/// # Errors
/// In this order: the caller's, `character.not_in_world`, `instance.definition_unknown`,
/// `instance.already_open`, `instance.too_many`.
#[reducer]
pub fn instance_open(ctx: &ReducerContext, name: String) -> Result<(), Refusal> {
    let player = require_player(ctx)?;
    open(ctx, player, name)
}

/// Opens an instance as [`instance_open()`] does, as a command: a repetition of what was done
/// changes nothing and succeeds.
///
/// # Errors
/// In this order: the caller's, the command's (`command.…`), those of [`instance_open()`].
#[reducer]
pub fn instance_open_once(
    ctx: &ReducerContext,
    name: String,
    command: CommandId,
) -> Result<(), Refusal> {
    let player = require_player(ctx)?;
    let what = ("instance_open", &name);
    once(ctx, player.account_id, command, &what, || open(ctx, player, name.clone()))
}

fn open(ctx: &ReducerContext, player: Player, name: String) -> Result<(), Refusal> {
    let character_id =
        characters::entity_of(ctx, player.account_id).ok_or(CharacterError::NotInWorld)?;
    let definition = ctx.db.instance_def().name().find(&name);
    let definition = definition.ok_or(InstanceError::DefinitionUnknown)?;
    if ctx.db.instance().account_id().find(player.account_id).is_some() {
        return Err(InstanceError::AlreadyOpen.into());
    }
    if ctx.db.instance().count() >= INSTANCES_MAX {
        return Err(InstanceError::TooMany.into());
    }
    let now = now_micros(ctx);
    let closes_at = closes_at_micros(now, definition.lifetime_seconds);
    let number = next_world(ctx);
    lay_out(ctx, number, &definition)?;
    ctx.db.instance().insert(Instance {
        world: number,
        account_id: player.account_id,
        opened_at_micros: now,
        ends_at_micros: ends_at_micros(now, 0, definition.empty_seconds, closes_at),
        closes_at_micros: closes_at,
        players: 0,
        name: name.clone(),
    });
    let_in(ctx, character_id, number, name);
    Ok(())
}

/// Invites a character into the caller's instance; again changes nothing.
///
/// # Errors
/// In this order: the caller's, `instance.unknown`, `instance.not_owner`,
/// `instance.guest_unknown`, `instance.guests_too_many`.
#[reducer]
pub fn instance_invite(ctx: &ReducerContext, world: u32, character_id: u64) -> Result<(), Refusal> {
    let player = require_player(ctx)?;
    let row = ctx.db.instance().world().find(world).ok_or(InstanceError::Unknown)?;
    if row.account_id != player.account_id {
        return Err(InstanceError::NotOwner.into());
    }
    let guest = characters::account_of(ctx, character_id).ok_or(InstanceError::GuestUnknown)?;
    if may_enter(ctx, world, character_id) {
        return Ok(());
    }
    if !friends::may(ctx, What::Invites, guest, player.account_id) {
        return Err(InstanceError::GuestUnknown.into());
    }
    if ctx.db.instance_pass().by_world().filter(world).count() > GUESTS_MAX {
        return Err(InstanceError::GuestsTooMany.into());
    }
    let name = row.name;
    let_in(ctx, character_id, world, name);
    Ok(())
}

fn let_in(ctx: &ReducerContext, character_id: u64, world: u32, name: String) {
    let pass_id = sequences::next(ctx, Numbered::InstancePass);
    ctx.db.instance_pass().insert(InstancePass { pass_id, character_id, world, name });
}

/// Takes the caller's character into an instance, to its spawn.
///
/// # Errors
/// In this order: the caller's, `character.not_in_world`, `instance.already_inside`,
/// `instance.unknown`, `instance.not_invited`, `instance.full`.
#[reducer]
pub fn instance_enter(ctx: &ReducerContext, world: u32) -> Result<(), Refusal> {
    let player = require_player(ctx)?;
    let character_id =
        characters::entity_of(ctx, player.account_id).ok_or(CharacterError::NotInWorld)?;
    let (now_in, pos_x_mm, pos_y_mm) =
        motion::place_of(ctx, character_id).ok_or(CharacterError::NotInWorld)?;
    if now_in != OPEN_WORLD {
        return Err(InstanceError::AlreadyInside.into());
    }
    let row = ctx.db.instance().world().find(world).ok_or(InstanceError::Unknown)?;
    if !may_enter(ctx, world, character_id) {
        return Err(InstanceError::NotInvited.into());
    }
    if is_full(ctx, &row) {
        return Err(InstanceError::Full.into());
    }
    let place = world::place_to_stand(ctx, world, None)?;
    ctx.db.instance_return().character_id().delete(character_id);
    ctx.db.instance_return().insert(InstanceReturn { character_id, world, pos_x_mm, pos_y_mm });
    motion::relocate(ctx, character_id, world, place);
    count(ctx, row, 1);
    Ok(())
}

/// Takes the caller's character out of the instance it is in, back to where it came from.
///
/// # Errors
/// In this order: the caller's, `character.not_in_world`, `instance.not_inside`.
#[reducer]
pub fn instance_leave(ctx: &ReducerContext) -> Result<(), Refusal> {
    let player = require_player(ctx)?;
    let character_id =
        characters::entity_of(ctx, player.account_id).ok_or(CharacterError::NotInWorld)?;
    let now_in = motion::world_of(ctx, character_id).ok_or(CharacterError::NotInWorld)?;
    if now_in == OPEN_WORLD {
        return Err(InstanceError::NotInside.into());
    }
    let back = take_return(ctx, character_id);
    let place = world::place_to_stand(ctx, OPEN_WORLD, back)?;
    motion::relocate(ctx, character_id, OPEN_WORLD, place);
    if let Some(row) = ctx.db.instance().world().find(now_in) {
        count(ctx, row, -1);
    }
    Ok(())
}

/// Removes instances that are over, and takes out who is inside.
///
/// # Errors
/// `realm.database_only` for clients.
#[reducer]
pub fn instance_sweep(ctx: &ReducerContext, _timer: InstanceSweepTimer) -> Result<(), Refusal> {
    require_database(ctx)?;
    let over: Vec<Instance> =
        ctx.db.instance().by_ends_at().filter(..=now_micros(ctx)).take(SWEEP_ROWS_MAX).collect();
    for row in over {
        end(ctx, &row);
    }
    Ok(())
}

fn end(ctx: &ReducerContext, row: &Instance) {
    let inside: Vec<InstanceReturn> =
        ctx.db.instance_return().by_world().filter(row.world).collect();
    for back in inside {
        let place = Some((back.pos_x_mm, back.pos_y_mm));
        if let Ok(place) = world::place_to_stand(ctx, OPEN_WORLD, place) {
            if characters::is_present(ctx, back.character_id) {
                motion::relocate(ctx, back.character_id, OPEN_WORLD, place);
            } else {
                characters::save_position(ctx, back.character_id, OPEN_WORLD, place);
            }
        }
        ctx.db.instance_return().character_id().delete(back.character_id);
    }
    motion::clear_wanderers(ctx, row.world, SWEEP_WANDERERS_MAX);
    npcs::clear(ctx, row.world, SWEEP_CREATURES_MAX);
    if motion::has_wanderers(ctx, row.world) || npcs::is_inhabited(ctx, row.world) {
        return;
    }
    ctx.db.instance_pass().by_world().delete(row.world);
    world::remove(ctx, row.world);
    ctx.db.instance().world().delete(row.world);
}

/// Where a character comes into the world that was saved there: in the instance if that is still
/// open to it and not full, else where it went in from.
pub(crate) fn come_back(
    ctx: &ReducerContext,
    character_id: u64,
    saved: Option<(u32, i32, i32)>,
) -> (u32, Option<(i32, i32)>) {
    match saved {
        None => (OPEN_WORLD, None),
        Some((OPEN_WORLD, x, y)) => (OPEN_WORLD, Some((x, y))),
        Some((world, x, y)) => {
            let open = ctx.db.instance().world().find(world);
            let open = open.filter(|row| may_enter(ctx, row.world, character_id));
            match open.filter(|row| !is_full(ctx, row)) {
                Some(row) => {
                    count(ctx, row, 1);
                    (world, Some((x, y)))
                }
                None => (OPEN_WORLD, take_return(ctx, character_id)),
            }
        }
    }
}

/// A character has left the realm out of that world.
pub(crate) fn count_out(ctx: &ReducerContext, world: u32) {
    if let Some(row) = ctx.db.instance().world().find(world) {
        count(ctx, row, -1);
    }
}

/// A character is gone for good.
pub(crate) fn forget_character(ctx: &ReducerContext, character_id: u64) {
    ctx.db.instance_pass().by_character().delete(character_id);
    ctx.db.instance_return().character_id().delete(character_id);
}

fn take_return(ctx: &ReducerContext, character_id: u64) -> Option<(i32, i32)> {
    let row = ctx.db.instance_return().character_id().find(character_id)?;
    ctx.db.instance_return().character_id().delete(character_id);
    Some((row.pos_x_mm, row.pos_y_mm))
}

fn is_full(ctx: &ReducerContext, row: &Instance) -> bool {
    let definition = ctx.db.instance_def().name().find(&row.name);
    definition.is_some_and(|definition| row.players >= definition.capacity)
}

fn may_enter(ctx: &ReducerContext, world: u32, character_id: u64) -> bool {
    ctx.db.instance_pass().by_world().filter(world).any(|pass| pass.character_id == character_id)
}

fn count(ctx: &ReducerContext, row: Instance, change: i32) {
    let players = row.players.saturating_add_signed(change);
    let definition = ctx.db.instance_def().name().find(&row.name);
    let empty_seconds = definition.map_or(0, |definition| definition.empty_seconds);
    let ends_at_micros =
        ends_at_micros(now_micros(ctx), players, empty_seconds, row.closes_at_micros);
    ctx.db.instance().world().update(Instance { players, ends_at_micros, ..row });
}

fn next_world(ctx: &ReducerContext) -> u32 {
    let counter = ctx.db.instance_counter().singleton_id().find(0);
    let world = counter.as_ref().map_or(1, |row| row.next_world);
    let row = InstanceCounter { singleton_id: 0, next_world: world + 1 };
    if counter.is_some() {
        ctx.db.instance_counter().singleton_id().update(row);
    } else {
        ctx.db.instance_counter().insert(row);
    }
    world
}

fn plan_of(shape: &InstanceShape) -> WorldPlan {
    WorldPlan {
        min_block_x: shape.min_block_x,
        min_block_y: shape.min_block_y,
        max_block_x: shape.max_block_x,
        max_block_y: shape.max_block_y,
        spawn_x_mm: shape.spawn_x_mm,
        spawn_y_mm: shape.spawn_y_mm,
        walk_speed_mm_per_s: shape.walk_speed_mm_per_s,
        run_speed_mm_per_s: shape.run_speed_mm_per_s,
        obstacles: vec![],
    }
}

/// Makes the world of an instance.
fn lay_out(ctx: &ReducerContext, world: u32, definition: &InstanceDef) -> Result<(), Refusal> {
    let plan = plan_of(&definition.shape);
    let (bounds, _) = validate_world(&plan)?;
    world::lay_out(ctx, world, &plan, &bounds, definition.seed, &definition.recipe);
    Ok(())
}
