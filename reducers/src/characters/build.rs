//! What characters are made of: written when they are made, read by everything that plays.
//!
//! Keeps true: a character in the world has its rows wherever content knows its race and class.

use super::{progress, resources, sheet, spells};
use crate::Refusal;
use crate::authority::require_player;
use crate::content::book;
use haven_rules::characters::CharacterError;
use haven_rules::characters::creation::{Made, usual};
use haven_rules::characters::progress::{Progress, increase};
use haven_rules::combat::sheet::{Build, Sheet, of_character};
use haven_rules::content::Scores;
use haven_rules::content::book::Book;
use haven_tables::characters::{Character, CharacterBuild, character, character_build};
use spacetimedb::{ReducerContext, Table, reducer};
use std::rc::Rc;

/// What a character is made of; none where there is no such character, or where it was made
/// without content and that in force does not know its race or class.
pub(crate) fn build_of(ctx: &ReducerContext, character_id: u64, book: &Book) -> Option<Build> {
    let Character { race, class, .. } = ctx.db.character().character_id().find(character_id)?;
    let scores = match ctx.db.character_build().character_id().find(character_id) {
        Some(row) => scores_of(&row),
        None => usual(&race, &class, book)?.scores,
    };
    let level = progress::progress_of(ctx, character_id).level;
    let outfit = crate::items::outfit_of(ctx, character_id, book);
    Some(Build { race, class, level, scores, outfit })
}

/// A character's sheet; none where content in force does not know its race or class.
pub(crate) fn sheet_of(ctx: &ReducerContext, character_id: u64, book: &Book) -> Option<Sheet> {
    of_character(&build_of(ctx, character_id, book)?, book)
}

/// The row of what a character is made of.
pub(super) fn row_of(ctx: &ReducerContext, character_id: u64) -> Option<CharacterBuild> {
    ctx.db.character_build().character_id().find(character_id)
}

/// Gives a character that has none the rows of what its class has use for, if content knows it.
pub(super) fn ensure(ctx: &ReducerContext, character: &Character) {
    if row_of(ctx, character.character_id).is_some() {
        return;
    }
    if let Some(made) = usual(&character.race, &character.class, &book(ctx)) {
        write(ctx, character.character_id, made);
    }
}

/// Writes what a character without rows is made of.
pub(super) fn write(ctx: &ReducerContext, character_id: u64, made: Made) {
    let Made { background, method, scores, rolls, skills, spells } = made;
    ctx.db.character_build().insert(CharacterBuild {
        character_id,
        background,
        method: method.code(),
        strength: scores.strength,
        dexterity: scores.dexterity,
        constitution: scores.constitution,
        intelligence: scores.intelligence,
        wisdom: scores.wisdom,
        charisma: scores.charisma,
        rolls,
        skills: skills.iter().map(|skill| skill.word().to_owned()).collect(),
    });
    // Experience that staff gave it before stays.
    let progress = progress::progress_of(ctx, character_id);
    progress::save(ctx, character_id, progress);
    spells::replace(ctx, character_id, &spells);
}

const fn scores_of(row: &CharacterBuild) -> Scores {
    Scores {
        strength: row.strength,
        dexterity: row.dexterity,
        constitution: row.constitution,
        intelligence: row.intelligence,
        wisdom: row.wisdom,
        charisma: row.charisma,
    }
}

/// The caller's character in the world, with what it is made of.
pub(super) struct Own {
    pub(super) character_id: u64,
    pub(super) book: Rc<Book>,
    pub(super) build: Build,
}

impl Own {
    /// # Errors
    /// In this order: the caller's, `character.not_in_world`, `character.abilities_unsupported`.
    pub(super) fn find(ctx: &ReducerContext) -> Result<Self, Refusal> {
        let player = require_player(ctx)?;
        let character_id = super::entity_of(ctx, player.account_id);
        let character_id = character_id.ok_or(CharacterError::NotInWorld)?;
        let character = ctx.db.character().character_id().find(character_id);
        // Content may have come in force after it entered.
        ensure(ctx, &character.ok_or(CharacterError::NotInWorld)?);
        let book = book(ctx);
        let build = build_of(ctx, character_id, &book);
        let build = build.filter(|build| of_character(build, &book).is_some());
        let build = build.ok_or(CharacterError::AbilitiesUnsupported)?;
        Ok(Self { character_id, book, build })
    }
}

/// Raises two scores of the caller's character by 1 each, or one by 2 if it is named twice; once
/// for each increase that its levels brought.
///
/// # Errors
/// In this order: the caller's, `character.not_in_world`, `character.abilities_unsupported`,
/// `character.attribute_unknown`, `character.increase_none`, `character.score_too_high`.
#[reducer]
pub fn character_score_increase(
    ctx: &ReducerContext,
    first: String,
    second: String,
) -> Result<(), Refusal> {
    let Own { character_id, book, build } = Own::find(ctx)?;
    let progress = progress::progress_of(ctx, character_id);
    let scores = increase(build.scores, &progress, (&first, &second))?;
    let before = of_character(&build, &book);
    let row = row_of(ctx, character_id).ok_or(CharacterError::AbilitiesUnsupported)?;
    ctx.db.character_build().character_id().update(CharacterBuild {
        strength: scores.strength,
        dexterity: scores.dexterity,
        constitution: scores.constitution,
        intelligence: scores.intelligence,
        wisdom: scores.wisdom,
        charisma: scores.charisma,
        ..row
    });
    let increases = progress.increases.saturating_sub(1);
    progress::save(ctx, character_id, Progress { increases, ..progress });
    resources::grow(ctx, character_id, before.as_ref(), &book);
    sheet::changed(ctx, character_id);
    Ok(())
}
