//! Making characters: the name, the kind, and what their player chose.

use super::{build, chance, count};
use crate::authority::require;
use crate::commands::once;
use crate::content::book;
use crate::{Refusal, world};
use haven_rules::accounts::Permission;
use haven_rules::characters::creation::{Plan, make as made_of};
use haven_rules::characters::{CharacterError, check_kind, check_room, validate_name};
use haven_tables::characters::{Character, CharacterPlan, character};
use haven_tables::commands::CommandId;
use spacetimedb::{ReducerContext, Table, reducer};

/// Makes a character for an account, with what its class has use for. For gateways.
///
/// # Errors
/// In this order: the caller's, the name's (`character.name_length`, `…_letters`, `…_scripts`,
/// `…_reserved`), `character.race_unknown`, `character.multiclass_unsupported`,
/// `character.class_unknown`, `character.too_many`, `character.too_many_kept`,
/// `character.name_taken`, `realm.not_configured`.
#[reducer]
pub fn character_create(
    ctx: &ReducerContext,
    account_id: u64,
    name: String,
    race: String,
    class: String,
) -> Result<(), Refusal> {
    require(ctx, Permission::Serve)?;
    make(ctx, account_id, CharacterPlan { name, race, class, ..CharacterPlan::default() })
}

/// Makes a character as [`character_create()`] does, as a command of the account's client: a
/// repetition of what was done changes nothing and succeeds. For gateways.
///
/// # Errors
/// In this order: the caller's, the command's (`command.…`), those of [`character_create()`].
#[reducer]
pub fn character_create_once(
    ctx: &ReducerContext,
    account_id: u64,
    name: String,
    race: String,
    class: String,
    command: CommandId,
) -> Result<(), Refusal> {
    require(ctx, Permission::Serve)?;
    let what = ("character_create", &name, &race, &class);
    once(ctx, account_id, command, &what, || {
        let (name, race, class) = (name.clone(), race.clone(), class.clone());
        make(ctx, account_id, CharacterPlan { name, race, class, ..CharacterPlan::default() })
    })
}

/// Makes a character for an account, with what its player chose. For gateways.
///
/// # Errors
/// In this order: the caller's, the name's (`character.name_…`), `character.race_unknown`,
/// `character.multiclass_unsupported`, `character.class_unknown`,
/// `character.abilities_unsupported` where no content is in force and something was chosen,
/// `character.background_unknown`, `character.method_unknown`, `character.order_invalid`, the
/// scores' (`character.scores_…`), `character.skills_invalid`, the spells' (`character.spell_…`,
/// `character.spells_too_many`), `character.too_many`, `character.too_many_kept`,
/// `character.name_taken`, `realm.not_configured`.
#[reducer]
pub fn character_make(
    ctx: &ReducerContext,
    account_id: u64,
    plan: CharacterPlan,
) -> Result<(), Refusal> {
    require(ctx, Permission::Serve)?;
    make(ctx, account_id, plan)
}

/// Makes a character as [`character_make()`] does, as a command of the account's client: a
/// repetition of what was done changes nothing, rolls nothing and succeeds. For gateways.
///
/// # Errors
/// In this order: the caller's, the command's (`command.…`), those of [`character_make()`].
#[reducer]
pub fn character_make_once(
    ctx: &ReducerContext,
    account_id: u64,
    plan: CharacterPlan,
    command: CommandId,
) -> Result<(), Refusal> {
    require(ctx, Permission::Serve)?;
    let what = ("character_make", &plan);
    once(ctx, account_id, command, &what, || make(ctx, account_id, plan.clone()))
}

fn make(ctx: &ReducerContext, account_id: u64, plan: CharacterPlan) -> Result<(), Refusal> {
    let CharacterPlan { name, race, class, background, method, scores, order, skills, spells } =
        plan;
    let name = validate_name(&name)?;
    let book = book(ctx);
    let is_content = check_kind(&race, &class, &book)?;
    let plan = Plan { race, class, background, method, scores, order, skills, spells };
    let made = if is_content {
        let mut dice = chance::dice(ctx, account_id);
        Some(made_of(&plan, &book, &mut dice)?)
    } else if plan.is_plain() {
        None
    } else {
        return Err(CharacterError::AbilitiesUnsupported.into());
    };
    let (living, deleted) = count(ctx, account_id);
    check_room(living, deleted)?;
    if ctx.db.character().name_skeleton().find(&name.skeleton).is_some() {
        return Err(CharacterError::NameTaken.into());
    }
    let row = ctx.db.character().insert(Character {
        character_id: world::next_entity_id(ctx)?,
        account_id,
        name: name.display,
        name_skeleton: name.skeleton,
        race: plan.race,
        class: plan.class,
        created_at: ctx.timestamp,
    });
    if let Some(made) = made {
        build::write(ctx, row.character_id, made);
    }
    Ok(())
}
