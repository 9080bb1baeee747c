//! Characters: making them, deleting and restoring them, and taking them in and out of the world.
//!
//! Keeps true: a character in the world has a presence, an entity and a motion row, and one that is
//! not has none of them. Deleted characters keep their name until they are purged.
//! Making them (`making`), what they are made of (`build`), their spells (`spells`), experience
//! (`progress`), what they have left (`resources`), what others see of that (`sheet`), and what
//! staff does (`staff`) have their own files.

mod build;
mod chance;
mod making;
mod progress;
mod resources;
mod sheet;
mod spells;
mod staff;

pub use build::character_score_increase;
pub use making::{character_create, character_create_once, character_make, character_make_once};
pub use progress::character_class_add;
pub use spells::{spell_learn, spell_prepare, spell_swap};
pub use staff::{character_appearance_set, character_experience_give, character_rename};

pub(crate) use self::{
    build::build_of,
    progress::{give_experience, lose_experience},
    resources::{resources, rested, save_resources, spend_use, uses_left},
    sheet::{all_changed as sheets_changed, changed as sheet_changed},
    spells::knows,
};

use crate::authority::{Player, require, require_database, require_player};
use crate::commands::once;
use crate::world::land::Land;
use crate::{Refusal, audit, combat, instances, motion, now_micros, realms, world};
use haven_rules::accounts::Permission;
use haven_rules::characters::{
    CharacterError, RESPAWN_SECONDS, check_restore, check_room, purge_at_micros, validate_name,
};
use haven_rules::motion::MotionError;
use haven_rules::world::{EntityKind, cell_of_mm};
use haven_tables::characters::{
    Character, CharacterDeletion, CharacterPosition, CharacterPresence, CharacterRespawnCooldown,
    character, character_appearance, character_build, character_deletion, character_position,
    character_presence, character_progress, character_resources, character_respawn_cooldown,
    character_spell, character_use,
};
use haven_tables::commands::CommandId;
use spacetimedb::{Identity, ReducerContext, ScheduleAt, Table, reducer, table};
use std::time::Duration;

/// How often deleted characters are purged.
const PURGE_INTERVAL: Duration = Duration::from_secs(10);
/// Most characters one purge removes.
const PURGE_ROWS_MAX: usize = 200;

/// The timer of [`character_purge()`].
#[table(name = character_purge_timer, scheduled(character_purge))]
pub struct CharacterPurgeTimer {
    /// The timer's number.
    #[primary_key]
    #[auto_inc]
    pub scheduled_id: u64,
    /// When it fires.
    pub scheduled_at: ScheduleAt,
}

pub(crate) fn ensure_timers(ctx: &ReducerContext) {
    if ctx.db.character_purge_timer().count() == 0 {
        let scheduled_at = PURGE_INTERVAL.into();
        ctx.db
            .character_purge_timer()
            .insert(CharacterPurgeTimer { scheduled_id: 0, scheduled_at });
    }
}

/// Deletes a character that is not in the world; it can be restored for 30 days. For gateways.
///
/// # Errors
/// In this order: the caller's, `character.unknown`, `character.deleted`, `character.in_world`.
#[reducer]
pub fn character_delete(
    ctx: &ReducerContext,
    account_id: u64,
    character_id: u64,
) -> Result<(), Refusal> {
    require(ctx, Permission::Serve)?;
    find_living(ctx, account_id, character_id)?;
    if ctx.db.character_presence().character_id().find(character_id).is_some() {
        return Err(CharacterError::InWorld.into());
    }
    ctx.db.character_deletion().insert(CharacterDeletion {
        character_id,
        purge_at_micros: purge_at_micros(now_micros(ctx)),
        deleted_at: ctx.timestamp,
    });
    Ok(())
}

/// Restores a deleted character. For gateways.
///
/// # Errors
/// In this order: the caller's, `character.unknown`, `character.not_deleted`,
/// `character.restore_over`, `character.too_many`.
#[reducer]
pub fn character_restore(
    ctx: &ReducerContext,
    account_id: u64,
    character_id: u64,
) -> Result<(), Refusal> {
    require(ctx, Permission::Serve)?;
    find_owned(ctx, account_id, character_id)?;
    let deletion = ctx.db.character_deletion().character_id().find(character_id);
    let deletion = deletion.ok_or(CharacterError::NotDeleted)?;
    check_restore(now_micros(ctx), deletion.purge_at_micros)?;
    check_room(count(ctx, account_id).0, 0)?;
    ctx.db.character_deletion().character_id().delete(character_id);
    Ok(())
}

/// Brings a character of the caller into the world, where it last was. Entering with the character
/// that is there already, from a new connection, changes nothing and succeeds.
///
/// # Errors
/// In this order: the caller's, `character.unknown`, `character.deleted`,
/// `character.other_in_world`, `world.unknown`, `realm.not_configured`, `realm.full`.
#[reducer]
pub fn character_enter(ctx: &ReducerContext, character_id: u64) -> Result<(), Refusal> {
    let player = require_player(ctx)?;
    enter(ctx, player, character_id)
}

/// Brings a character into the world as [`character_enter()`] does, as a command: one that was done
/// and arrives again after the character has left does not bring it back.
///
/// # Errors
/// In this order: the caller's, the command's (`command.…`), those of [`character_enter()`].
#[reducer]
pub fn character_enter_once(
    ctx: &ReducerContext,
    character_id: u64,
    command: CommandId,
) -> Result<(), Refusal> {
    let player = require_player(ctx)?;
    let what = ("character_enter", character_id);
    once(ctx, player.account_id, command, &what, || enter(ctx, player, character_id))
}

fn enter(ctx: &ReducerContext, player: Player, character_id: u64) -> Result<(), Refusal> {
    let character = find_living(ctx, player.account_id, character_id)?;
    if let Some(present) = ctx.db.character_presence().account_id().find(player.account_id) {
        return if present.character_id == character_id {
            Ok(())
        } else {
            Err(CharacterError::OtherInWorld.into())
        };
    }
    let saved = ctx.db.character_position().character_id().find(character_id);
    let saved = saved.map(|place| (place.world, place.pos_x_mm, place.pos_y_mm));
    let (in_world, wanted) = instances::come_back(ctx, character_id, saved);
    let place = world::place_to_stand(ctx, in_world, wanted)?;
    realms::count_in(ctx)?;
    ctx.db.character_presence().insert(CharacterPresence {
        account_id: player.account_id,
        character_id,
        entered_at: ctx.timestamp,
    });
    let chunk_index = motion::place(ctx, character_id, in_world, place, true);
    let kind = EntityKind::Character;
    build::ensure(ctx, &character);
    sheet::show(ctx, character_id);
    world::show_entity(ctx, character_id, chunk_index, kind, character.name);
    let connection = ctx.connection_id.map_or(0, |id| id.to_u128());
    combat::dice::stir(ctx, &connection.to_be_bytes());
    combat::dice::ensure_day(ctx);
    combat::join_character(ctx, character_id);
    crate::character_entered(ctx, player.account_id, character_id);
    Ok(())
}

/// Takes the caller's character back to the spawn of the world it is in, once in five minutes: the
/// way out for whoever is stuck.
///
/// # Errors
/// In this order: the caller's, `character.not_in_world`, `character.respawn_too_early`.
#[reducer]
pub fn character_respawn(ctx: &ReducerContext) -> Result<(), Refusal> {
    let player = require_player(ctx)?;
    let character_id = entity_of(ctx, player.account_id).ok_or(CharacterError::NotInWorld)?;
    let now = now_micros(ctx);
    let cooldown = ctx.db.character_respawn_cooldown().character_id().find(character_id);
    if cooldown.as_ref().is_some_and(|row| row.ready_at_micros > now) {
        return Err(CharacterError::RespawnTooEarly.into());
    }
    let in_world = motion::world_of(ctx, character_id).ok_or(CharacterError::NotInWorld)?;
    let place = world::place_to_stand(ctx, in_world, None)?;
    motion::relocate(ctx, character_id, in_world, place);
    let ready_at_micros = now + i64::from(RESPAWN_SECONDS) * 1_000_000;
    let row = CharacterRespawnCooldown { character_id, ready_at_micros };
    if cooldown.is_some() {
        ctx.db.character_respawn_cooldown().character_id().update(row);
    } else {
        ctx.db.character_respawn_cooldown().insert(row);
    }
    Ok(())
}

/// Puts a character that is in the world somewhere else in the same world. For staff.
///
/// # Errors
/// In this order: the caller's, `character.not_in_world`, `motion.goal_outside`,
/// `motion.goal_blocked`.
#[reducer]
pub fn character_teleport(
    ctx: &ReducerContext,
    character_id: u64,
    x_mm: i32,
    y_mm: i32,
) -> Result<(), Refusal> {
    let actor = require(ctx, Permission::MoveCharacters)?;
    let present = ctx.db.character_presence().character_id().find(character_id);
    let present = present.ok_or(CharacterError::NotInWorld)?;
    let in_world = motion::world_of(ctx, character_id).ok_or(CharacterError::NotInWorld)?;
    let mut land = Land::new(ctx, in_world)?;
    if !land.bounds().contains(x_mm, y_mm) {
        return Err(MotionError::GoalOutside.into());
    }
    if !land.is_open(cell_of_mm(x_mm), cell_of_mm(y_mm)) {
        return Err(MotionError::GoalBlocked.into());
    }
    motion::relocate(ctx, character_id, in_world, (x_mm, y_mm));
    let detail = format!("{character_id} {x_mm} {y_mm}");
    audit::record(ctx, actor.account_id, present.account_id, "character_teleported", &detail);
    Ok(())
}

/// Takes the caller's character out of the world.
///
/// # Errors
/// In this order: the caller's, `character.not_in_world`.
#[reducer]
pub fn character_leave(ctx: &ReducerContext) -> Result<(), Refusal> {
    let player = require_player(ctx)?;
    if take_out(ctx, player.account_id) { Ok(()) } else { Err(CharacterError::NotInWorld.into()) }
}

/// Removes characters whose time to be restored is over, at most `PURGE_ROWS_MAX` a run.
///
/// # Errors
/// `realm.database_only` for clients.
#[reducer]
pub fn character_purge(ctx: &ReducerContext, _timer: CharacterPurgeTimer) -> Result<(), Refusal> {
    require_database(ctx)?;
    let over: Vec<u64> = ctx
        .db
        .character_deletion()
        .by_purge_at()
        .filter(..=now_micros(ctx))
        .take(PURGE_ROWS_MAX)
        .map(|row| row.character_id)
        .collect();
    for character_id in over {
        ctx.db.character_deletion().character_id().delete(character_id);
        ctx.db.character_position().character_id().delete(character_id);
        ctx.db.character_respawn_cooldown().character_id().delete(character_id);
        forget_what_it_is(ctx, character_id);
        instances::forget_character(ctx, character_id);
        motion::forget_effects(ctx, character_id);
        if let Some(row) = ctx.db.character().character_id().find(character_id) {
            crate::character_purged(ctx, row.account_id, character_id);
        }
        ctx.db.character().character_id().delete(character_id);
    }
    Ok(())
}

/// Removes what a character was made of, has learned and has left.
fn forget_what_it_is(ctx: &ReducerContext, character_id: u64) {
    ctx.db.character_build().character_id().delete(character_id);
    ctx.db.character_progress().character_id().delete(character_id);
    ctx.db.character_spell().by_character().delete(character_id);
    ctx.db.character_resources().character_id().delete(character_id);
    ctx.db.character_use().by_character().delete(character_id);
    ctx.db.character_appearance().character_id().delete(character_id);
}

/// Takes an account's character out of the world and saves where it was; false if it is not there.
pub(crate) fn take_out(ctx: &ReducerContext, account_id: u64) -> bool {
    let Some(present) = ctx.db.character_presence().account_id().find(account_id) else {
        return false;
    };
    let character_id = present.character_id;
    crate::character_leaving(ctx, account_id, character_id);
    ctx.db.character_presence().account_id().delete(account_id);
    combat::leave(ctx, character_id);
    if let Some((world, pos_x_mm, pos_y_mm)) = motion::remove(ctx, character_id) {
        instances::count_out(ctx, world);
        save_position(ctx, character_id, world, (pos_x_mm, pos_y_mm));
    }
    sheet::hide(ctx, character_id);
    world::hide_entity(ctx, character_id);
    realms::count_out(ctx);
    true
}

/// The entity the account plays in the world.
pub(crate) fn entity_of(ctx: &ReducerContext, account_id: u64) -> Option<u64> {
    let present = ctx.db.character_presence().account_id().find(account_id)?;
    Some(present.character_id)
}

/// The account that plays a living character.
pub(crate) fn account_of(ctx: &ReducerContext, character_id: u64) -> Option<u64> {
    let deleted = ctx.db.character_deletion().character_id().find(character_id).is_some();
    let row = ctx.db.character().character_id().find(character_id).filter(|_| !deleted)?;
    Some(row.account_id)
}

/// The account of a character, deleted or not.
pub(crate) fn owner_of(ctx: &ReducerContext, character_id: u64) -> Option<u64> {
    Some(ctx.db.character().character_id().find(character_id)?.account_id)
}

/// Whom a character's personal rows are shown to.
pub(crate) fn viewer_of(ctx: &ReducerContext, character_id: u64) -> Identity {
    let account_id = owner_of(ctx, character_id);
    account_id.map_or(Identity::ZERO, |account_id| realms::viewer_of(ctx, account_id))
}

/// All characters of an account, deleted ones too.
pub(crate) fn characters_of(ctx: &ReducerContext, account_id: u64) -> Vec<u64> {
    let rows = ctx.db.character().by_account().filter(account_id);
    rows.map(|row| row.character_id).collect()
}

/// The character of a name, however it is spelled; deleted ones keep theirs.
pub(crate) fn by_name(ctx: &ReducerContext, name: &str) -> Option<Character> {
    let name = validate_name(name).ok()?;
    ctx.db.character().name_skeleton().find(name.skeleton)
}

/// Whether a character is in the world now.
pub(crate) fn is_present(ctx: &ReducerContext, character_id: u64) -> bool {
    ctx.db.character_presence().character_id().find(character_id).is_some()
}

/// Where a character that is not in the world will enter it.
pub(crate) fn save_position(
    ctx: &ReducerContext,
    character_id: u64,
    world: u32,
    (pos_x_mm, pos_y_mm): (i32, i32),
) {
    let row =
        CharacterPosition { character_id, world, pos_x_mm, pos_y_mm, saved_at: ctx.timestamp };
    if ctx.db.character_position().character_id().find(character_id).is_some() {
        ctx.db.character_position().character_id().update(row);
    } else {
        ctx.db.character_position().insert(row);
    }
}

fn find_owned(
    ctx: &ReducerContext,
    account_id: u64,
    character_id: u64,
) -> Result<Character, CharacterError> {
    let row = ctx.db.character().character_id().find(character_id);
    row.filter(|row| row.account_id == account_id).ok_or(CharacterError::Unknown)
}

fn find_living(
    ctx: &ReducerContext,
    account_id: u64,
    character_id: u64,
) -> Result<Character, CharacterError> {
    let row = find_owned(ctx, account_id, character_id)?;
    if ctx.db.character_deletion().character_id().find(character_id).is_some() {
        return Err(CharacterError::Deleted);
    }
    Ok(row)
}

/// How many living and how many deleted characters an account has.
fn count(ctx: &ReducerContext, account_id: u64) -> (usize, usize) {
    let deleted = |row: &Character| {
        ctx.db.character_deletion().character_id().find(row.character_id).is_some()
    };
    let rows = ctx.db.character().by_account().filter(account_id);
    let (gone, living): (Vec<_>, Vec<_>) = rows.partition(deleted);
    (living.len(), gone.len())
}
