//! Spells that characters know and prepare.

use super::build::{Own, build_of, row_of};
use super::{progress, sheet};
use crate::sequences;
use crate::{Refusal, combat};
use haven_rules::characters::CharacterError;
use haven_rules::characters::creation::usual;
use haven_rules::characters::progress::Progress;
use haven_rules::characters::spells::{self, Spell};
use haven_rules::content::AbilityDef;
use haven_rules::content::book::Book;
use haven_rules::sequences::Numbered;
use haven_tables::characters::{CharacterSpell, character, character_spell};
use spacetimedb::{ReducerContext, Table, reducer};

/// Whether a character knows an ability, and whether it can use it now, as far as spells have to be
/// prepared. Uses, slots and cooldowns are looked at elsewhere.
pub(crate) fn knows(
    ctx: &ReducerContext,
    character_id: u64,
    ability: &AbilityDef,
    book: &Book,
) -> (bool, bool) {
    let Some(build) = build_of(ctx, character_id, book) else { return (false, false) };
    spells::knows(&build, &spells_of(ctx, character_id, book), ability, book)
}

/// The spells of a character; of one that was made without content those of its class.
pub(super) fn spells_of(ctx: &ReducerContext, character_id: u64, book: &Book) -> Vec<Spell> {
    if row_of(ctx, character_id).is_none() {
        let character = ctx.db.character().character_id().find(character_id);
        let usual = character.and_then(|row| usual(&row.race, &row.class, book));
        return usual.map(|made| made.spells).unwrap_or_default();
    }
    let mut rows: Vec<_> = ctx.db.character_spell().by_character().filter(character_id).collect();
    rows.sort_unstable_by_key(|row| row.character_spell_id);
    let spell = |row: CharacterSpell| Spell { ability: row.ability, is_prepared: row.is_prepared };
    rows.into_iter().map(spell).collect()
}

/// Writes spells in place of all that a character has.
pub(super) fn replace(ctx: &ReducerContext, character_id: u64, spells: &[Spell]) {
    ctx.db.character_spell().by_character().delete(character_id);
    for spell in spells {
        add(ctx, character_id, &spell.ability);
    }
}

fn add(ctx: &ReducerContext, character_id: u64, ability: &str) {
    ctx.db.character_spell().insert(CharacterSpell {
        character_spell_id: sequences::next(ctx, Numbered::CharacterSpell),
        character_id,
        is_prepared: true,
        ability: ability.to_owned(),
    });
}

/// Prepares spells in place of those that the caller's character has prepared. Cantrips are always
/// ready.
///
/// # Errors
/// In this order: the caller's, `character.not_in_world`, `character.abilities_unsupported`,
/// `character.fighting`, `character.spells_not_prepared`; for each spell `character.spell_unknown`,
/// `character.spell_too_high`, `character.spell_known` for a cantrip; then
/// `character.spell_twice`, `character.spells_too_many`.
#[reducer]
pub fn spell_prepare(ctx: &ReducerContext, abilities: Vec<String>) -> Result<(), Refusal> {
    let Own { character_id, book, build } = Own::find(ctx)?;
    if combat::is_fighting(ctx, character_id) {
        return Err(CharacterError::Fighting.into());
    }
    spells::prepare(&build, &abilities, &book)?;
    let is_cantrip = |spell: &Spell| book.ability(&spell.ability).is_some_and(|it| it.level == 0);
    let mut kept = spells_of(ctx, character_id, &book);
    kept.retain(is_cantrip);
    let prepared = abilities.into_iter().map(|ability| Spell { ability, is_prepared: true });
    kept.extend(prepared);
    replace(ctx, character_id, &kept);
    sheet::changed(ctx, character_id);
    Ok(())
}

/// The caller's character learns a cantrip or spell, where its level has brought one more than it
/// knows.
///
/// # Errors
/// In this order: the caller's, `character.not_in_world`, `character.abilities_unsupported`,
/// `character.spell_unknown`, `character.spell_too_high`, `character.spell_known`,
/// `character.spells_too_many`.
#[reducer]
pub fn spell_learn(ctx: &ReducerContext, ability: String) -> Result<(), Refusal> {
    let Own { character_id, book, build } = Own::find(ctx)?;
    spells::learn(&build, &spells_of(ctx, character_id, &book), &ability, &book)?;
    add(ctx, character_id, &ability);
    sheet::changed(ctx, character_id);
    Ok(())
}

/// The caller's character learns a spell in the place of one it knows, once for each level it
/// gained.
///
/// # Errors
/// In this order: the caller's, `character.not_in_world`, `character.abilities_unsupported`,
/// `character.swap_none`, `character.spell_not_known`, `character.spell_unknown`,
/// `character.spell_too_high`, `character.spell_known`.
#[reducer]
pub fn spell_swap(ctx: &ReducerContext, given: String, wanted: String) -> Result<(), Refusal> {
    let Own { character_id, book, build } = Own::find(ctx)?;
    let progress = progress::progress_of(ctx, character_id);
    let known = spells_of(ctx, character_id, &book);
    spells::swap(&build, &known, progress.swaps, (&given, &wanted), &book)?;
    let rows = ctx.db.character_spell().by_character().filter(character_id);
    let given: Vec<_> = rows.filter(|row| row.ability == given).collect();
    for row in given {
        ctx.db.character_spell().character_spell_id().delete(row.character_spell_id);
    }
    add(ctx, character_id, &wanted);
    let swaps = progress.swaps.saturating_sub(1);
    progress::save(ctx, character_id, Progress { swaps, ..progress });
    sheet::changed(ctx, character_id);
    Ok(())
}
