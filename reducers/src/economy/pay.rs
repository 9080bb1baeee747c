//! Coins that a player hands to another one.
//!
//! Keeps true: what leaves one wallet comes to the other in the same call; whoever could not ask
//! the other one to trade cannot hand it anything either.

use super::ledger::{Cause, Purse, pay};
use super::near::require_awake;
use super::trades::check_partner;
use crate::Refusal;
use crate::authority::require_player;
use crate::commands::once;
use haven_rules::economy::CauseKind;
use haven_tables::commands::CommandId;
use spacetimedb::{ReducerContext, reducer};

/// Hands copper to another player's character that is near, out of the caller's wallet into the
/// other one's.
///
/// # Errors
/// In this order: the caller's, the command's, `economy.not_in_world`, `economy.not_awake`,
/// `economy.trade_self`, `economy.trade_partner_unknown`, `economy.trade_too_far`,
/// `economy.trade_blocked`, `economy.frozen`, `economy.amount_invalid`, `economy.coins_missing`,
/// `economy.too_rich`.
#[reducer]
pub fn coins_pay(
    ctx: &ReducerContext,
    character_id: u64,
    copper: u64,
    command: CommandId,
) -> Result<(), Refusal> {
    let player = require_player(ctx)?;
    once(ctx, player.account_id, command, &("coins_pay", character_id, copper), || {
        let (player, own) = require_awake(ctx)?;
        check_partner(ctx, (player.account_id, own), character_id)?;
        let caller = (player.account_id, own);
        let cause = Cause::new(ctx, CauseKind::Payment, caller, character_id);
        let (from, to) = (Purse::wallet(ctx, own), Purse::wallet(ctx, character_id));
        Ok(pay(ctx, &cause, from, to, copper)?)
    })
}
