//! What players have sold to vendors, and can have back for what the vendor paid.
//!
//! Keeps true: each such stack lies in its seller's `BuyBack` by itself and has one offer; the
//! oldest is gone when there is no room for another one, and each after `BUY_BACK_HOURS`. What
//! staff has frozen stays there with its offer, and goes when it is thawed: it is paid for.

use super::{near_vendor, require_awake};
use crate::authority::require_database;
use crate::commands::once;
use crate::economy::{Cause, Purse, pay};
use crate::items::{Holder, Spot, check_free, contents, lay_aside, remove, take};
use crate::ordered::ranges;
use crate::{Refusal, now_micros};
use haven_rules::economy::prices::SHELVES_MAX;
use haven_rules::economy::{CauseKind, EconomyError, Sink};
use haven_rules::items::{BUY_BACK_SLOTS, HolderKind};
use haven_rules::keys::joint_key;
use haven_tables::commands::CommandId;
use haven_tables::economy::vendors::{
    VendorBuyBackOffer, VendorShelf, vendor_buy_back_offer, vendor_shelf,
};
use haven_tables::items::{Item, item};
use spacetimedb::{Identity, ReducerContext, ScheduleAt, Table, reducer, table};
use std::time::Duration;

/// How long something can be bought back, hours.
const BUY_BACK_HOURS: i64 = 24;
/// How often it is seen what is gone.
const SWEEP_INTERVAL: Duration = Duration::from_mins(1);
/// Most offers a sweep removes.
const SWEEP_ROWS_MAX: usize = 200;
/// How long it is until what staff has frozen is looked at again, microseconds.
const FROZEN_WAIT_MICROS: i64 = 86_400_000_000;

/// The timer of [`vendor_buy_back_sweep()`].
#[table(name = vendor_buy_back_timer, scheduled(vendor_buy_back_sweep))]
pub struct VendorBuyBackTimer {
    /// The timer's number.
    #[primary_key]
    #[auto_inc]
    pub scheduled_id: u64,
    /// When it fires.
    pub scheduled_at: ScheduleAt,
}

pub(super) fn ensure_timers(ctx: &ReducerContext) {
    if ctx.db.vendor_buy_back_timer().count() == 0 {
        let scheduled_at = SWEEP_INTERVAL.into();
        ctx.db.vendor_buy_back_timer().insert(VendorBuyBackTimer { scheduled_id: 0, scheduled_at });
    }
}

/// Has a stack back that the caller sold, for what the vendor paid; the tax of the sale is not
/// given back. The vendor it was sold to has to be near.
///
/// # Errors
/// In this order: the caller's, the command's (`command.…`), `economy.not_in_world`,
/// `economy.not_awake`, `economy.not_sold`, `economy.vendor_unknown`, `economy.vendor_too_far`,
/// `item.frozen`, `item.no_room`, `economy.frozen`, `economy.coins_missing`.
#[reducer]
pub fn vendor_buy_back(
    ctx: &ReducerContext,
    item_id: u64,
    command: CommandId,
) -> Result<(), Refusal> {
    let player = crate::authority::require_player(ctx)?;
    once(ctx, player.account_id, command, &("vendor_buy_back", item_id), || buy_back(ctx, item_id))
}

fn buy_back(ctx: &ReducerContext, item_id: u64) -> Result<(), Refusal> {
    let (player, own) = require_awake(ctx)?;
    let offer = ctx.db.vendor_buy_back_offer().item_id().find(item_id);
    let offer = offer.filter(|row| row.character_id == own).ok_or(EconomyError::NotSold)?;
    let stack = ctx.db.item().item_id().find(item_id).ok_or(EconomyError::NotSold)?;
    near_vendor(ctx, own, offer.vendor_id)?;
    let cause = Cause::new(ctx, CauseKind::Vendor, (player.account_id, own), offer.vendor_id);
    take(ctx, &cause, &stack, stack.count, Holder::bag(ctx, own), Spot::Anywhere)?;
    pay(ctx, &cause, Purse::wallet(ctx, own), Purse::sink(Sink::Vendor), offer.copper)?;
    ctx.db.vendor_buy_back_offer().item_id().delete(item_id);
    let shelves = ctx.db.vendor_shelf().by_vendor().filter(offer.vendor_id).take(SHELVES_MAX);
    let row = shelves.into_iter().find(|row| row.def == stack.def);
    if let Some(row) = row {
        let stock = row.stock.saturating_sub(stack.count);
        ctx.db.vendor_shelf().shelf_id().update(VendorShelf { stock, ..row });
    }
    Ok(())
}

/// Keeps what was sold for its seller.
///
/// # Errors
/// Those of moving items (`item.…`): `item.no_room` where staff keeps all that there is room for.
pub(super) fn keep(
    ctx: &ReducerContext,
    cause: &Cause,
    own: u64,
    (stack, count): (&Item, u32),
    (vendor_id, copper): (u64, u64),
) -> Result<(), Refusal> {
    make_room(ctx, cause, own);
    let to = Holder::buy_back(ctx, own);
    let item_id = take(ctx, cause, stack, count, to, Spot::Anywhere)?;
    ctx.db.vendor_buy_back_offer().insert(VendorBuyBackOffer {
        item_id,
        due_key: due_key(now_micros(ctx) + BUY_BACK_HOURS * 3_600_000_000, item_id),
        character_id: own,
        viewer: to.viewer,
        copper,
        vendor_id,
    });
    Ok(())
}

/// When something is gone, in front of its number.
fn due_key(gone_at_micros: i64, item_id: u64) -> u128 {
    joint_key(u64::try_from(gone_at_micros).unwrap_or(0), item_id)
}

/// The oldest that staff does not keep goes until there is room for another one.
fn make_room(ctx: &ReducerContext, cause: &Cause, own: u64) {
    let mut stacks = contents(ctx, HolderKind::BuyBack, own);
    let over = (stacks.len() + 1).saturating_sub(usize::from(BUY_BACK_SLOTS));
    stacks.retain(|stack| check_free(stack).is_ok());
    stacks.sort_by_key(|stack| {
        let offer = ctx.db.vendor_buy_back_offer().item_id().find(stack.item_id);
        offer.map_or(0, |row| row.due_key)
    });
    for stack in stacks.into_iter().take(over) {
        drop_stack(ctx, cause, &stack);
    }
}

/// A stack that was sold is gone, unless staff keeps it; whether it is.
fn drop_stack(ctx: &ReducerContext, cause: &Cause, stack: &Item) -> bool {
    let is_gone = remove(ctx, cause, stack, stack.count).is_ok();
    if is_gone {
        ctx.db.vendor_buy_back_offer().item_id().delete(stack.item_id);
    }
    is_gone
}

/// Removes what cannot be bought back any more, at most `SWEEP_ROWS_MAX` a run. What staff has
/// frozen is looked at again tomorrow.
///
/// # Errors
/// `realm.database_only` for clients.
#[reducer]
pub fn vendor_buy_back_sweep(
    ctx: &ReducerContext,
    _timer: VendorBuyBackTimer,
) -> Result<(), Refusal> {
    require_database(ctx)?;
    let up_to = joint_key(u64::try_from(now_micros(ctx)).unwrap_or(0), u64::MAX);
    let over = ranges(ctx.db.vendor_buy_back_offer().due_key()).filter(..=up_to);
    let over: Vec<VendorBuyBackOffer> = over.take(SWEEP_ROWS_MAX).collect();
    for row in over {
        let Some(stack) = ctx.db.item().item_id().find(row.item_id) else {
            ctx.db.vendor_buy_back_offer().item_id().delete(row.item_id);
            continue;
        };
        let cause = Cause::new(ctx, CauseKind::Vendor, (0, row.character_id), row.vendor_id);
        if !drop_stack(ctx, &cause, &stack) {
            cause.forget_if_bare(ctx);
            let due_key = due_key(now_micros(ctx) + FROZEN_WAIT_MICROS, row.item_id);
            let row = VendorBuyBackOffer { due_key, ..row };
            ctx.db.vendor_buy_back_offer().item_id().update(row);
        }
    }
    Ok(())
}

/// A character is removed for good: what it sold is sold. What staff has frozen lies among what its
/// account destroyed: nobody but staff can have it back.
pub(in crate::economy) fn purged(ctx: &ReducerContext, (account_id, own): (u64, u64)) {
    let stacks = contents(ctx, HolderKind::BuyBack, own);
    if stacks.is_empty() {
        return;
    }
    let cause = Cause::new(ctx, CauseKind::Purge, (account_id, own), own);
    for stack in stacks {
        if !drop_stack(ctx, &cause, &stack) {
            ctx.db.vendor_buy_back_offer().item_id().delete(stack.item_id);
            lay_aside(ctx, &cause, &stack, account_id);
        }
    }
}

/// What a character sold is shown to somebody else than before. Its stacks are shown by `items`.
pub(in crate::economy) fn rebound(ctx: &ReducerContext, character_id: u64, viewer: Identity) {
    for stack in contents(ctx, HolderKind::BuyBack, character_id) {
        if let Some(row) = ctx.db.vendor_buy_back_offer().item_id().find(stack.item_id) {
            let row = VendorBuyBackOffer { viewer, ..row };
            ctx.db.vendor_buy_back_offer().item_id().update(row);
        }
    }
}
