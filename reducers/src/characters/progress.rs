//! Experience and levels.
//!
//! Keeps true: what a level brings, it brings in the transaction that gives its experience.

use super::build::{Own, sheet_of};
use super::{resources, sheet};
use crate::content::book;
use crate::{Refusal, guilds, leaderboards};
use haven_rules::characters::check_class_added;
use haven_rules::characters::progress::Progress;
use haven_tables::characters::{CharacterProgress, character_progress};
use spacetimedb::{ReducerContext, Table, reducer};

/// How far a character has come.
pub(super) fn progress_of(ctx: &ReducerContext, character_id: u64) -> Progress {
    let row = ctx.db.character_progress().character_id().find(character_id);
    row.map_or_else(Progress::default, |row| {
        let CharacterProgress { character_id: _, experience, level, increases, swaps } = row;
        Progress { experience, level, increases, swaps }
    })
}

pub(super) fn save(ctx: &ReducerContext, character_id: u64, progress: Progress) {
    let Progress { experience, level, increases, swaps } = progress;
    let row = CharacterProgress { character_id, experience, level, increases, swaps };
    if ctx.db.character_progress().character_id().find(character_id).is_some() {
        ctx.db.character_progress().character_id().update(row);
    } else {
        ctx.db.character_progress().insert(row);
    }
}

/// Gives a character experience; how many levels came with it. What levels bring is there at once:
/// hit points, hit dice and slots, and choices that its player makes later.
pub(crate) fn give_experience(ctx: &ReducerContext, character_id: u64, amount: u32) -> u8 {
    if amount == 0 {
        return 0;
    }
    let book = book(ctx);
    let before = sheet_of(ctx, character_id, &book);
    let mut progress = progress_of(ctx, character_id);
    let gained = progress.gain(amount, &book);
    save(ctx, character_id, progress);
    let level = progress.level;
    guilds::experience_gained(ctx, character_id, amount);
    if gained > 0 {
        resources::grow(ctx, character_id, before.as_ref(), &book);
        sheet::changed(ctx, character_id);
        leaderboards::feed(ctx, "level", character_id, level.into());
    }
    gained
}

/// Takes from a character what a death costs (`respawn_experience_loss_percent`); how much that
/// was.
pub(crate) fn lose_experience(ctx: &ReducerContext, character_id: u64) -> u32 {
    let book = book(ctx);
    let mut progress = progress_of(ctx, character_id);
    let lost = progress.lose(book.setting("respawn_experience_loss_percent"), &book);
    if lost > 0 {
        save(ctx, character_id, progress);
    }
    lost
}

/// Refuses the caller's character a second class: it gains levels in its own alone.
///
/// # Errors
/// In this order: the caller's, `character.not_in_world`, `character.abilities_unsupported`,
/// `character.class_unknown`, `character.multiclass_unsupported`.
#[reducer]
pub fn character_class_add(ctx: &ReducerContext, class: String) -> Result<(), Refusal> {
    let own = Own::find(ctx)?;
    Ok(check_class_added(&class, &own.book)?)
}
