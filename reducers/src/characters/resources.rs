//! What characters have left: hit points, hit dice, slots and uses between rests and between visits
//! to the world. Fights keep present hit points themselves and save them here.

use super::build::sheet_of;
use crate::sequences;
use haven_rules::characters::resources::{Resources, uses_max, vital_codes, vital_of};
use haven_rules::combat::casting::Slots;
use haven_rules::combat::health::Vital;
use haven_rules::combat::rest::HitDice;
use haven_rules::combat::sheet::Sheet;
use haven_rules::content::book::Book;
use haven_rules::content::{AbilityDef, Casting};
use haven_rules::sequences::Numbered;
use haven_tables::characters::{
    CharacterResources, CharacterUse, character, character_resources, character_use,
};
use spacetimedb::{ReducerContext, Table};

/// What a character has left, within what its sheet allows; all there is for who has no row.
pub(crate) fn resources(ctx: &ReducerContext, character_id: u64, sheet: &Sheet) -> Resources {
    let row = ctx.db.character_resources().character_id().find(character_id);
    row.map_or_else(|| Resources::full(sheet), |row| of_row(&row, sheet))
}

fn of_row(row: &CharacterResources, sheet: &Sheet) -> Resources {
    let mut left = [0; 9];
    for (left, stored) in left.iter_mut().zip(&row.slots_left) {
        *left = *stored;
    }
    let resources = Resources {
        hit_points: row.hit_points,
        hit_dice: HitDice { sides: sheet.hit_die, max: sheet.level, left: row.hit_dice_left },
        slots: Slots { max: sheet.slots.max, left },
        exhaustion: row.exhaustion,
        has_endured: row.has_endured,
        vital: vital_of(row.vital, row.death_successes, row.death_failures),
        long_rest_at_micros: row.long_rest_at_micros,
    };
    resources.within(sheet)
}

/// Keeps what a character has left.
pub(crate) fn save_resources(ctx: &ReducerContext, character_id: u64, resources: &Resources) {
    let (vital, death_successes, death_failures) = vital_codes(resources.vital);
    let row = CharacterResources {
        character_id,
        long_rest_at_micros: resources.long_rest_at_micros,
        hit_points: resources.hit_points,
        hit_dice_left: resources.hit_dice.left,
        exhaustion: resources.exhaustion,
        vital,
        death_successes,
        death_failures,
        has_endured: resources.has_endured,
        slots_left: resources.slots.left.to_vec(),
    };
    if ctx.db.character_resources().character_id().find(character_id).is_some() {
        ctx.db.character_resources().character_id().update(row);
    } else {
        ctx.db.character_resources().insert(row);
    }
}

/// Adds what a character's sheet has now and had not before. Who has no row has it all anyway.
pub(super) fn grow(ctx: &ReducerContext, character_id: u64, before: Option<&Sheet>, book: &Book) {
    let row = ctx.db.character_resources().character_id().find(character_id);
    if let (Some(row), Some(before), Some(after)) = (row, before, sheet_of(ctx, character_id, book))
    {
        save_resources(ctx, character_id, &of_row(&row, before).grown(before, &after));
    }
}

/// How often a character of that level can still use an ability; none for any number.
pub(crate) fn uses_left(
    ctx: &ReducerContext,
    character_id: u64,
    ability: &AbilityDef,
    level: u8,
) -> Option<u8> {
    let (max, _) = uses_max(ability, level)?;
    let used = use_of(ctx, character_id, ability).map_or(0, |row| row.used);
    Some(max.saturating_sub(used))
}

/// Counts a use of an ability, if its uses are counted; whether one was left.
pub(crate) fn spend_use(
    ctx: &ReducerContext,
    character_id: u64,
    ability: &AbilityDef,
    level: u8,
) -> bool {
    let Some((max, is_long)) = uses_max(ability, level) else { return true };
    let row = use_of(ctx, character_id, ability);
    let used = row.as_ref().map_or(0, |row| row.used);
    if used >= max {
        return false;
    }
    let used = used + 1;
    if let Some(row) = row {
        let row = CharacterUse { used, is_long, ..row };
        ctx.db.character_use().character_use_id().update(row);
    } else {
        let ability = ability.key.clone();
        let character_use_id = sequences::next(ctx, Numbered::CharacterUse);
        let row = CharacterUse { character_use_id, character_id, used, is_long, ability };
        ctx.db.character_use().insert(row);
    }
    true
}

fn use_of(ctx: &ReducerContext, character_id: u64, ability: &AbilityDef) -> Option<CharacterUse> {
    let mut rows = ctx.db.character_use().by_character().filter(character_id);
    rows.find(|row| row.ability == ability.key)
}

/// Gives a character back what a rest does, and keeps that: what it has left afterwards. Its
/// present hit points must have been saved before. Nothing comes back to who is not awake.
pub(crate) fn rested(
    ctx: &ReducerContext,
    character_id: u64,
    is_long: bool,
    sheet: &Sheet,
) -> Resources {
    let before = resources(ctx, character_id, sheet);
    if !matches!(before.vital, Vital::Awake) {
        return before;
    }
    let uses: Vec<u64> = ctx
        .db
        .character_use()
        .by_character()
        .filter(character_id)
        .filter(|row| is_long || !row.is_long)
        .map(|row| row.character_use_id)
        .collect();
    for character_use_id in uses {
        ctx.db.character_use().character_use_id().delete(character_use_id);
    }
    let character = ctx.db.character().character_id().find(character_id);
    let book = crate::content::book(ctx);
    let class = character.as_ref().and_then(|row| book.class(&row.class));
    let casting = class.map_or(Casting::None, |class| class.casting);
    let after = before.rested(is_long, casting, sheet, crate::now_micros(ctx));
    save_resources(ctx, character_id, &after);
    after
}
