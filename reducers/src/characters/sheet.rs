//! What a client shows of a character: one row for each that is in the world.
//!
//! Keeps true: the row follows the character and the content in force.

use super::build::{build_of, row_of};
use super::spells::spells_of;
use crate::combat;
use crate::content::book;
use haven_rules::characters::spells::{all_known, allowance, to_learn};
use haven_rules::combat::sheet::{Build, Sheet, features_of, of_character};
use haven_rules::content::Attribute;
use haven_rules::content::book::Book;
use haven_tables::characters::{CharacterSheet, character_presence, character_sheet};
use spacetimedb::{ReducerContext, Table};

/// Something of a character is not as it was: its level, scores or spells. Whoever keeps something
/// of its sheet has to be told from here.
pub(crate) fn changed(ctx: &ReducerContext, character_id: u64) {
    combat::sheet_changed(ctx, character_id);
    let Some(shown) = ctx.db.character_sheet().character_id().find(character_id) else {
        // It is not in the world, or content came in force since it entered.
        if super::is_present(ctx, character_id) {
            show(ctx, character_id);
        }
        return;
    };
    match row(ctx, character_id) {
        Some(row) if row == shown => {}
        Some(row) => {
            ctx.db.character_sheet().character_id().update(row);
        }
        None => hide(ctx, character_id),
    }
}

/// Other content is in force: all who are in the world are looked at again.
pub(crate) fn all_changed(ctx: &ReducerContext) {
    #[expect(clippy::disallowed_methods, reason = "bounded by the realm's capacity")]
    let present: Vec<u64> =
        ctx.db.character_presence().iter().map(|row| row.character_id).collect();
    for character_id in present {
        changed(ctx, character_id);
    }
}

/// Shows the sheet of a character that enters the world.
pub(super) fn show(ctx: &ReducerContext, character_id: u64) {
    hide(ctx, character_id);
    if let Some(row) = row(ctx, character_id) {
        ctx.db.character_sheet().insert(row);
    }
}

/// Hides the sheet of a character that leaves the world.
pub(super) fn hide(ctx: &ReducerContext, character_id: u64) {
    ctx.db.character_sheet().character_id().delete(character_id);
}

/// None where content does not know its race or class.
fn row(ctx: &ReducerContext, character_id: u64) -> Option<CharacterSheet> {
    let book = book(ctx);
    let build = build_of(ctx, character_id, &book)?;
    let sheet = of_character(&build, &book)?;
    let made = row_of(ctx, character_id);
    let progress = super::progress::progress_of(ctx, character_id);
    let rows = spells_of(ctx, character_id, &book);
    let known = all_known(&build, &rows, &book);
    let may = allowance(book.class(&build.class)?, &build);
    let (cantrips_to_learn, spells_to_learn) = to_learn(&build, &rows, &book);
    let number = |number: i32| i16::try_from(number).unwrap_or(i16::MAX);
    Some(CharacterSheet {
        character_id,
        experience_next: progress.next(&book),
        hit_points_max: sheet.hit_points_max,
        armor_class: number(sheet.armor_class),
        spell_difficulty: number(sheet.difficulty()),
        spell_attack: number(sheet.spell_attack()),
        speed_mm_per_round: sheet.speed_mm_per_round,
        level: sheet.level,
        proficiency: u8::try_from(sheet.proficiency).unwrap_or(u8::MAX),
        hit_die: sheet.hit_die,
        prepared_max: if may.prepares { may.spells } else { 0 },
        cantrips_to_learn,
        spells_to_learn,
        background: made.as_ref().map(|made| made.background.clone()).unwrap_or_default(),
        scores: scores(&build),
        saves: saves(&sheet),
        slots_max: sheet.slots.max.to_vec(),
        skills: made.map(|made| made.skills).unwrap_or_default(),
        features: features(&build, &book),
        cantrips: known.cantrips,
        spells: known.spells,
        prepared: known.prepared,
        race: build.race,
        class: build.class,
    })
}

fn scores(build: &Build) -> Vec<i8> {
    Attribute::ALL.iter().map(|attribute| build.scores.get(*attribute)).collect()
}

fn saves(sheet: &Sheet) -> Vec<i8> {
    sheet.saves.iter().map(|save| i8::try_from(*save).unwrap_or(i8::MAX)).collect()
}

/// In the order in which they came; each once.
fn features(build: &Build, book: &Book) -> Vec<String> {
    let mut features = Vec::new();
    for feature in features_of(build, book) {
        if !features.contains(&feature) {
            features.push(feature);
        }
    }
    features
}
