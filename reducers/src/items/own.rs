//! The caller's character, and what of its goods it may touch.

use super::{check_free, stack_of};
use crate::authority::Player;
use crate::economy::Cause;
use crate::{characters, motion};
use haven_rules::combat::aim::is_within;
use haven_rules::combat::areas::Point;
use haven_rules::combat::sheet::Build;
use haven_rules::content::book::Book;
use haven_rules::economy::CauseKind;
use haven_rules::items::{HolderKind, ItemError};
use haven_tables::combat::combatant;
use haven_tables::items::Item;
use spacetimedb::ReducerContext;

/// A player's character in the world.
#[derive(Clone, Copy)]
pub(super) struct Own {
    pub(super) account_id: u64,
    pub(super) character_id: u64,
}

impl Own {
    /// # Errors
    /// `item.not_in_world`.
    pub(super) fn find(ctx: &ReducerContext, player: Player) -> Result<Self, ItemError> {
        let character_id = characters::entity_of(ctx, player.account_id);
        let character_id = character_id.ok_or(ItemError::CharacterAbsent)?;
        Ok(Self { account_id: player.account_id, character_id })
    }

    /// # Errors
    /// In this order: `item.not_in_world`, `item.not_awake`.
    pub(super) fn awake(ctx: &ReducerContext, player: Player) -> Result<Self, ItemError> {
        let own = Self::find(ctx, player)?;
        let body = ctx.db.combatant().entity_id().find(own.character_id);
        if body.is_none_or(|row| row.vital == 0) { Ok(own) } else { Err(ItemError::NotAwake) }
    }

    /// A cause of the caller's.
    pub(super) fn cause(&self, ctx: &ReducerContext, kind: CauseKind, subject_id: u64) -> Cause {
        Cause::new(ctx, kind, (self.account_id, self.character_id), subject_id)
    }

    /// A stack of the caller's that it may move.
    ///
    /// # Errors
    /// In this order: `item.unknown`, `item.frozen`, `item.locked`.
    pub(super) fn stack(
        &self,
        ctx: &ReducerContext,
        kinds: &[HolderKind],
        item_id: u64,
    ) -> Result<Item, ItemError> {
        let stack = stack_of(ctx, kinds, self.character_id, item_id).ok_or(ItemError::Unknown)?;
        check_free(&stack)?;
        Ok(stack)
    }

    /// What the character is made of.
    ///
    /// # Errors
    /// `item.class_unfit` where content does not know its race or class.
    pub(super) fn build(&self, ctx: &ReducerContext, book: &Book) -> Result<Build, ItemError> {
        characters::build_of(ctx, self.character_id, book).ok_or(ItemError::ClassUnfit)
    }

    /// # Errors
    /// `item.too_far`.
    pub(super) fn check_near(
        &self,
        ctx: &ReducerContext,
        (world, at): (u32, Point),
        reach_mm: u32,
    ) -> Result<(), ItemError> {
        let is_near = is_near(ctx, self.character_id, (world, at), reach_mm);
        if is_near { Ok(()) } else { Err(ItemError::TooFar) }
    }
}

/// Whether a character is in that world, no further from there than that.
pub(super) fn is_near(
    ctx: &ReducerContext,
    character_id: u64,
    (world, at): (u32, Point),
    reach_mm: u32,
) -> bool {
    characters::is_present(ctx, character_id)
        && motion::place_of(ctx, character_id).is_some_and(|(in_world, x_mm, y_mm)| {
            in_world == world && is_within(at, Point { x_mm, y_mm }, reach_mm)
        })
}
