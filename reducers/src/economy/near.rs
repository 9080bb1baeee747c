//! Who deals: an awake character in the world, near enough to what it deals with.

use crate::authority::{Player, require_player};
use crate::{Refusal, characters, motion};
use haven_rules::combat::aim::is_within;
use haven_rules::combat::areas::Point;
use haven_rules::economy::EconomyError;
use haven_tables::combat::combatant;
use spacetimedb::ReducerContext;

/// The account that calls, and its character, which is in the world and awake.
///
/// # Errors
/// In this order: the caller's, `economy.not_in_world`, `economy.not_awake`.
pub(super) fn require_awake(ctx: &ReducerContext) -> Result<(Player, u64), Refusal> {
    let player = require_player(ctx)?;
    let own = characters::entity_of(ctx, player.account_id).ok_or(EconomyError::CharacterAbsent)?;
    if is_awake(ctx, own) { Ok((player, own)) } else { Err(EconomyError::NotAwake.into()) }
}

/// Whether a character neither dies nor is dead.
pub(super) fn is_awake(ctx: &ReducerContext, character_id: u64) -> bool {
    let body = ctx.db.combatant().entity_id().find(character_id);
    body.is_some_and(|row| row.vital == 0)
}

/// Where somebody is: its world and its place.
pub(super) fn place_of(ctx: &ReducerContext, entity_id: u64) -> Option<(u32, Point)> {
    let (world, x_mm, y_mm) = motion::place_of(ctx, entity_id)?;
    Some((world, Point { x_mm, y_mm }))
}

/// Whether two are within reach of each other, both in the world.
pub(super) fn are_near(ctx: &ReducerContext, one: u64, other: u64, reach_mm: u32) -> bool {
    let places = place_of(ctx, one).zip(place_of(ctx, other));
    places.is_some_and(|((world, at), (there, to))| world == there && is_within(at, to, reach_mm))
}
