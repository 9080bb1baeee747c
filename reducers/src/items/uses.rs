//! Using up what does something.

use super::own::Own;
use super::remove;
use crate::Refusal;
use crate::authority::require_player;
use crate::combat::{AbilityAim, begin_with_item};
use crate::commands::once;
use crate::content::book;
use haven_rules::economy::CauseKind;
use haven_rules::items::worn::check_needs;
use haven_rules::items::{HolderKind, ItemError};
use haven_tables::commands::CommandId;
use spacetimedb::{ReducerContext, reducer};

/// Uses one of a stack of the caller's bag: it is used up, and its ability begins as if the
/// character knew it; a spell takes no slot. What comes of it stands in `combat_event`.
///
/// # Errors
/// In this order: the caller's, the command's, `item.not_in_world`, `item.not_awake`,
/// `item.unknown`, `item.frozen`, `item.locked`, `item.definition_unknown`, `item.not_usable`,
/// `item.level_too_low`, `item.class_unfit`, then those of the ability (`combat.…`).
#[reducer]
pub fn item_use(
    ctx: &ReducerContext,
    item_id: u64,
    aim: AbilityAim,
    command: CommandId,
) -> Result<(), Refusal> {
    let player = require_player(ctx)?;
    once(ctx, player.account_id, command, &("item_use", item_id, aim), || {
        let own = Own::awake(ctx, player)?;
        let stack = own.stack(ctx, &[HolderKind::Bag], item_id)?;
        let book = book(ctx);
        let def = book.item(&stack.def).ok_or(ItemError::DefinitionUnknown)?;
        let ability = def.ability.as_ref().ok_or(ItemError::NotUsable)?;
        check_needs(def, &own.build(ctx, &book)?)?;
        let cause = own.cause(ctx, CauseKind::Use, item_id);
        remove(ctx, &cause, &stack, 1)?;
        // Last: what begins throws dice, and nothing is refused after that.
        begin_with_item(ctx, own.character_id, ability, aim.into())
    })
}
