//! What staff does with characters: names, looks, experience. Each leaves an audit entry.

use super::{give_experience, world};
use crate::authority::{Actor, require};
use crate::{Refusal, audit, friends, guilds, leaderboards, parties};
use haven_rules::accounts::Permission;
use haven_rules::characters::{CharacterError, validate_appearance, validate_name};
use haven_tables::characters::{
    Character, CharacterAppearance, character, character_appearance, character_deletion,
};
use spacetimedb::{ReducerContext, Table, reducer};

/// Gives a character another name, which is what is shown of it from then on. For staff. What tells
/// of the past keeps the one before: chat, letters, logs.
///
/// # Errors
/// In this order: the caller's, the name's (`character.name_…`), `character.unknown`,
/// `character.deleted`, `character.name_taken`.
#[reducer]
pub fn character_rename(
    ctx: &ReducerContext,
    character_id: u64,
    name: String,
) -> Result<(), Refusal> {
    let actor = require(ctx, Permission::ManageCharacters)?;
    let name = validate_name(&name)?;
    let row = living(ctx, character_id)?;
    let other = ctx.db.character().name_skeleton().find(&name.skeleton);
    if other.is_some_and(|other| other.character_id != character_id) {
        return Err(CharacterError::NameTaken.into());
    }
    let detail = format!("{character_id} {} {}", row.name, name.display);
    record(ctx, actor, &row, "character_renamed", &detail);
    let (account_id, before) = (row.account_id, row.name.clone());
    let row = ctx.db.character().character_id().update(Character {
        name: name.display,
        name_skeleton: name.skeleton,
        ..row
    });
    let (before, name) = (before.as_str(), row.name.as_str());
    world::rename_entity(ctx, character_id, name);
    guilds::character_renamed(ctx, character_id, before, name);
    leaderboards::character_renamed(ctx, character_id);
    parties::character_renamed(ctx, character_id, name);
    friends::character_renamed(ctx, (account_id, character_id), before, name);
    Ok(())
}

/// Changes how a character looks: a JSON object that clients make sense of. For staff.
///
/// # Errors
/// In this order: the caller's, `character.appearance_invalid`, `character.unknown`,
/// `character.deleted`.
#[reducer]
pub fn character_appearance_set(
    ctx: &ReducerContext,
    character_id: u64,
    appearance: String,
) -> Result<(), Refusal> {
    let actor = require(ctx, Permission::ManageCharacters)?;
    validate_appearance(&appearance)?;
    let row = living(ctx, character_id)?;
    let detail = format!("{character_id} {appearance}");
    record(ctx, actor, &row, "character_appearance_set", &detail);
    let row = CharacterAppearance { character_id, appearance };
    if ctx.db.character_appearance().character_id().find(character_id).is_some() {
        ctx.db.character_appearance().character_id().update(row);
    } else {
        ctx.db.character_appearance().insert(row);
    }
    Ok(())
}

/// Gives a character experience. For staff.
///
/// # Errors
/// In this order: the caller's, `character.unknown`, `character.deleted`.
#[reducer]
pub fn character_experience_give(
    ctx: &ReducerContext,
    character_id: u64,
    amount: u32,
) -> Result<(), Refusal> {
    let actor = require(ctx, Permission::ManageCharacters)?;
    let row = living(ctx, character_id)?;
    let detail = format!("{character_id} {amount}");
    record(ctx, actor, &row, "character_experience_given", &detail);
    give_experience(ctx, character_id, amount);
    Ok(())
}

fn living(ctx: &ReducerContext, character_id: u64) -> Result<Character, CharacterError> {
    let row = ctx.db.character().character_id().find(character_id);
    let row = row.ok_or(CharacterError::Unknown)?;
    if ctx.db.character_deletion().character_id().find(character_id).is_some() {
        return Err(CharacterError::Deleted);
    }
    Ok(row)
}

fn record(
    ctx: &ReducerContext,
    actor: Actor,
    subject: &Character,
    action: &'static str,
    detail: &str,
) {
    audit::record(ctx, actor.account_id, subject.account_id, action, detail);
}
