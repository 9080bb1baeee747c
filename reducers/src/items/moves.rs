//! What players and staff do with stacks: moving, destroying, restoring, giving, claiming.

use super::own::Own;
use super::store::{push, swap};
use super::{Holder, Spot, check_free, contents, holder_of, make, remove, stack_of, take};
use crate::authority::{require, require_player};
use crate::commands::once;
use crate::economy::{Cause, Purse, copper_of, pay};
use crate::{Refusal, audit, characters, now_micros};
use haven_rules::accounts::Permission;
use haven_rules::economy::{CauseKind, PurseKind, validate_reason};
use haven_rules::items::{DESTROYED_MAX, HolderKind, ItemError, RESTORE_DAYS, place_parts};
use haven_rules::keys::joint_key;
use haven_tables::commands::CommandId;
use haven_tables::items::{Item, ItemDestroyed, item, item_destroyed};
use spacetimedb::{ReducerContext, Table, reducer};

/// Microseconds of a day.
pub(super) const DAY_MICROS: i64 = 86_400_000_000;

/// Moves some or all of a stack of the caller's bag to another slot of it: into a free one, onto a
/// stack of its kind, or, all of it, into the place of another stack, which goes to where it lay.
///
/// # Errors
/// In this order: the caller's, the command's, `item.not_in_world`, `item.unknown`, `item.frozen`,
/// `item.locked`, `item.count_invalid`, `item.slot_invalid`, `item.slot_taken`, those of the other
/// stack (`item.frozen`, `item.locked`).
#[reducer]
pub fn item_move(
    ctx: &ReducerContext,
    item_id: u64,
    count: u32,
    slot: u16,
    command: CommandId,
) -> Result<(), Refusal> {
    let player = require_player(ctx)?;
    once(ctx, player.account_id, command, &("item_move", item_id, count, slot), || {
        let own = Own::find(ctx, player)?;
        let stack = own.stack(ctx, &[HolderKind::Bag], item_id)?;
        let cause = own.cause(ctx, CauseKind::Move, item_id);
        let to = Holder::bag(ctx, own.character_id);
        let moved = take(ctx, &cause, &stack, count, to, Spot::Slot(slot));
        if let Err(Refusal::Item(ItemError::SlotTaken)) = moved {
            let bag = contents(ctx, HolderKind::Bag, own.character_id);
            let there = bag.iter().find(|row| place_parts(row.place_key).1 == slot);
            let other = there.filter(|row| row.item_id != item_id && count == stack.count);
            swap(ctx, &cause, &stack, other.ok_or(ItemError::SlotTaken)?)?;
        } else {
            moved?;
        }
        cause.forget_if_bare(ctx);
        Ok(())
    })
}

/// Destroys some or all of a stack of the caller's bag. Staff can restore it for 30 days, at most
/// the last 200 stacks of an account.
///
/// # Errors
/// In this order: the caller's, the command's, `item.not_in_world`, `item.unknown`, `item.frozen`,
/// `item.locked`, `item.count_invalid`, `item.no_room` where staff keeps all of the 200.
#[reducer]
pub fn item_destroy(
    ctx: &ReducerContext,
    item_id: u64,
    count: u32,
    command: CommandId,
) -> Result<(), Refusal> {
    let player = require_player(ctx)?;
    once(ctx, player.account_id, command, &("item_destroy", item_id, count), || {
        let own = Own::find(ctx, player)?;
        let stack = own.stack(ctx, &[HolderKind::Bag], item_id)?;
        let cause = own.cause(ctx, CauseKind::Destroy, item_id);
        let to = Holder::destroyed(own.account_id);
        let item_id = take(ctx, &cause, &stack, count, to, Spot::Anywhere)?;
        make_room(ctx, &cause, own.account_id)?;
        remember(ctx, item_id, (own.account_id, own.character_id));
        Ok(())
    })
}

/// What was destroyed can be restored for so long.
fn remember(ctx: &ReducerContext, item_id: u64, (account_id, character_id): (u64, u64)) {
    let gone_at = now_micros(ctx) + i64::from(RESTORE_DAYS) * DAY_MICROS;
    let gone_key = key_at(gone_at, item_id);
    ctx.db.item_destroyed().insert(ItemDestroyed { item_id, gone_key, account_id, character_id });
}

/// Lays a stack of a holder that ends, for which there is no other place, among what its account
/// destroyed: staff can restore it. Where there is no room either, it stays where it is.
pub(crate) fn lay_aside(ctx: &ReducerContext, cause: &Cause, stack: &Item, account_id: u64) {
    if push(ctx, cause, stack, Holder::destroyed(account_id)).is_err() {
        log::error!("there is no place for {} of account {account_id}", stack.item_id);
        return;
    }
    // Where staff keeps all of them there is one more.
    let _ = make_room(ctx, cause, account_id);
    remember(ctx, stack.item_id, (account_id, 0));
}

/// An instant above, a number below.
pub(super) const fn key_at(at_micros: i64, number: u64) -> u128 {
    let at = if at_micros < 0 { 0 } else { at_micros.unsigned_abs() };
    joint_key(at, number)
}

/// The oldest of what an account destroyed, and staff does not keep, makes room for what has just
/// come there and is not remembered yet.
///
/// # Errors
/// `item.no_room`.
fn make_room(ctx: &ReducerContext, cause: &Cause, account_id: u64) -> Result<(), ItemError> {
    let known = contents(ctx, HolderKind::Destroyed, account_id);
    if known.len() <= DESTROYED_MAX {
        return Ok(());
    }
    let free = known.iter().filter(|stack| check_free(stack).is_ok());
    let rows = free.filter_map(|stack| ctx.db.item_destroyed().item_id().find(stack.item_id));
    let oldest = rows.min_by_key(|row| row.gone_key).ok_or(ItemError::NoRoom)?;
    forget(ctx, cause, oldest.item_id);
    Ok(())
}

/// Something that was destroyed is gone for good, unless staff keeps it; whether it is.
pub(super) fn forget(ctx: &ReducerContext, cause: &Cause, item_id: u64) -> bool {
    let stack = ctx.db.item().item_id().find(item_id);
    let is_gone = stack.is_none_or(|stack| remove(ctx, cause, &stack, stack.count).is_ok());
    if is_gone {
        ctx.db.item_destroyed().item_id().delete(item_id);
    }
    is_gone
}

/// Staff took a stack from where it lay: if that was among what was destroyed, it is not gone in
/// the end, and not restored either.
pub(crate) fn taken_back(ctx: &ReducerContext, item_id: u64) {
    let stack = ctx.db.item().item_id().find(item_id);
    let is_left =
        stack.is_some_and(|stack| holder_of(ctx, &stack).0.kind == HolderKind::Destroyed as u8);
    if !is_left {
        ctx.db.item_destroyed().item_id().delete(item_id);
    }
}

/// Gives back a stack that was destroyed: to the bag of the character it was taken from, or, where
/// that has no room or is gone, to its account's lost-and-found. For staff, who says why.
///
/// # Errors
/// In this order: the caller's, `economy.reason_invalid`, `item.not_destroyed`, `item.no_room`
/// where neither has any.
#[reducer]
pub fn item_restore(ctx: &ReducerContext, item_id: u64, reason: String) -> Result<(), Refusal> {
    let actor = require(ctx, Permission::ManageGoods)?;
    validate_reason(&reason)?;
    let row = ctx.db.item_destroyed().item_id().find(item_id).ok_or(ItemError::NotDestroyed)?;
    let stack = ctx.db.item().item_id().find(item_id).ok_or(ItemError::NotDestroyed)?;
    let (account_id, character_id) = (row.account_id, row.character_id);
    let cause = Cause::new(ctx, CauseKind::Staff, (actor.account_id, 0), item_id);
    if !deliver(ctx, &cause, &stack, (account_id, character_id)) {
        return Err(ItemError::NoRoom.into());
    }
    ctx.db.item_destroyed().item_id().delete(item_id);
    let detail = format!("{item_id} {} of {}: {reason}", stack.count, stack.def);
    audit::record(ctx, actor.account_id, account_id, "item_restored", &detail);
    Ok(())
}

/// Moves a stack to a character's bag, or, where that does not take it, to its account's
/// lost-and-found; whether either took it. Otherwise it lies where it lay.
pub(super) fn deliver(
    ctx: &ReducerContext,
    cause: &Cause,
    stack: &Item,
    (account_id, character_id): (u64, u64),
) -> bool {
    let is_there = characters::account_of(ctx, character_id) == Some(account_id);
    let bag = Holder::bag(ctx, character_id);
    let is_taken = is_there && take(ctx, cause, stack, stack.count, bag, Spot::Anywhere).is_ok();
    is_taken || push(ctx, cause, stack, Holder::lost_and_found(ctx, account_id)).is_ok()
}

/// Makes items in a character's bag, whether or not it is in the world. For staff, who says why.
///
/// # Errors
/// In this order: the caller's, `economy.reason_invalid`, the command's, `item.character_unknown`,
/// then those of making something: `item.definition_unknown`, `item.unique_taken`,
/// `item.count_invalid`, `item.no_room`.
#[reducer]
pub fn item_give(
    ctx: &ReducerContext,
    character_id: u64,
    def: String,
    count: u32,
    reason: String,
    command: CommandId,
) -> Result<(), Refusal> {
    let actor = require(ctx, Permission::ManageGoods)?;
    validate_reason(&reason)?;
    let what = ("item_give", character_id, &def, count, &reason);
    once(ctx, actor.account_id, command, &what, || {
        let account_id = characters::account_of(ctx, character_id);
        let account_id = account_id.ok_or(ItemError::CharacterUnknown)?;
        let cause = Cause::new(ctx, CauseKind::Staff, (actor.account_id, 0), character_id);
        let to = Holder::bag(ctx, character_id);
        make(ctx, &cause, &def, count, to, Spot::Anywhere)?;
        let detail = format!("{character_id} {count} of {def}: {reason}");
        audit::record(ctx, actor.account_id, account_id, "item_given", &detail);
        Ok(())
    })
}

/// Takes a stack from the account's lost-and-found into the bag of the caller's character, or, with
/// 0 for the stack, all coins. What was bound to a character that is gone is bound to this one.
///
/// # Errors
/// In this order: the caller's, the command's, `item.not_in_world`; of coins
/// `economy.amount_invalid` where there are none, `economy.frozen`, `economy.too_rich`; of a stack
/// `item.unknown`, `item.frozen`, `item.bound`, `item.unique_taken`, `item.no_room`.
#[reducer]
pub fn lost_item_claim(
    ctx: &ReducerContext,
    item_id: u64,
    command: CommandId,
) -> Result<(), Refusal> {
    let player = require_player(ctx)?;
    once(ctx, player.account_id, command, &("lost_item_claim", item_id), || {
        let own = Own::find(ctx, player)?;
        let Own { account_id, character_id } = own;
        if item_id == 0 {
            let cause = own.cause(ctx, CauseKind::Claim, 0);
            let copper = copper_of(ctx, PurseKind::LostAndFound, account_id);
            let viewer = crate::realms::viewer_of(ctx, account_id);
            let from = Purse::of(PurseKind::LostAndFound, account_id, viewer);
            pay(ctx, &cause, from, Purse::wallet(ctx, character_id), copper)?;
            return Ok(());
        }
        let stack = stack_of(ctx, &[HolderKind::LostAndFound], account_id, item_id);
        let stack = stack.ok_or(ItemError::Unknown)?;
        let cause = own.cause(ctx, CauseKind::Claim, item_id);
        claim(ctx, &cause, &stack, character_id)
    })
}

/// Takes a stack out of a lost-and-found into the bag of a character of its account. What was bound
/// to a character that is gone is bound to this one.
///
/// # Errors
/// In this order: `item.frozen`, `item.bound`, `item.unique_taken`, `item.no_room`.
pub(crate) fn claim(
    ctx: &ReducerContext,
    cause: &Cause,
    stack: &Item,
    character_id: u64,
) -> Result<(), Refusal> {
    let mut stack = stack.clone();
    if stack.bound_to != 0 && characters::owner_of(ctx, stack.bound_to).is_none() {
        stack.bound_to = character_id;
    }
    let to = Holder::bag(ctx, character_id);
    take(ctx, cause, &stack, stack.count, to, Spot::Anywhere)?;
    Ok(())
}
