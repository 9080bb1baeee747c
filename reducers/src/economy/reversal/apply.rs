//! Moving followed pieces to where they have to go.
//!
//! Keeps true: what staff froze or somebody offered moves all the same; goods that are part of a
//! running sale do not. What has no room where it belongs goes to the account's lost-and-found.
//! What somebody bound to itself is not bound to it any more.

use super::InWay;
use crate::economy::{Cause, trades};
use crate::items::{
    Holder, Spot, bind, holder_of, mark, push, remove, shape_of, stripped, take, taken_back,
};
use crate::ordered::ranges;
use crate::{characters, guilds};
use haven_rules::economy::cause_of;
use haven_rules::economy::reversal::{Parcel, Place, Traced};
use haven_rules::items::{FLAG_FROZEN, HolderKind, bound_at};
use haven_rules::keys::{keys_of, part_of};
use haven_tables::economy::vendors::vendor_buy_back_offer;
use haven_tables::items::{Item, item, item_container, item_history};
use spacetimedb::ReducerContext;
use std::collections::BTreeSet;

/// Moves or removes all that is followed.
pub(super) fn settle(
    ctx: &ReducerContext,
    cause: &Cause,
    traced: &Traced,
    cause_id: u64,
) -> Result<(), InWay> {
    let mut holders = BTreeSet::new();
    for (item_id, parcel) in traced.parcels() {
        let stack = ctx.db.item().item_id().find(item_id);
        let in_way = || InWay::of(last_cause(ctx, item_id).unwrap_or(cause_id));
        let stack = stack.filter(|stack| stack.count >= parcel.count).ok_or_else(in_way)?;
        let (container, _) = holder_of(ctx, &stack);
        let is_bound_up = [HolderKind::Auction, HolderKind::Order].map(|kind| kind as u8);
        if is_bound_up.contains(&container.kind) {
            return Err(in_way());
        }
        let stack = release(ctx, stack);
        let here = (container.kind, container.owner_id);
        holders.extend([Some(here), parcel.to].into_iter().flatten());
        match parcel.to {
            None => remove(ctx, cause, &stack, parcel.count).map_err(|_| in_way())?,
            Some(to) if to == here => {}
            Some(to) => bring(ctx, cause, &stack, parcel, to).ok_or_else(in_way)?,
        }
        ctx.db.vendor_buy_back_offer().item_id().delete(item_id);
        taken_back(ctx, item_id);
        if container.kind == HolderKind::Equipment as u8 {
            stripped(ctx, container.owner_id);
        }
    }
    guilds::holders_changed(ctx, &holders);
    Ok(())
}

/// The last cause that a stack has in its history.
fn last_cause(ctx: &ReducerContext, item_id: u64) -> Option<u64> {
    let all = keys_of(item_id);
    let keys = ranges(ctx.db.item_history().item_key()).filter(all).map(|row| row.item_key);
    keys.max().map(|key| cause_of(part_of(key)))
}

/// Neither frozen nor offered any more.
fn release(ctx: &ReducerContext, stack: Item) -> Item {
    let item_id = stack.item_id;
    trades::unoffer(ctx, item_id);
    mark(ctx, item_id, FLAG_FROZEN, false);
    ctx.db.item().item_id().find(item_id).unwrap_or(stack)
}

/// Brings pieces to a holder; none where there is no such any more.
fn bring(
    ctx: &ReducerContext,
    cause: &Cause,
    stack: &Item,
    parcel: Parcel,
    to: Place,
) -> Option<()> {
    let (wanted, account_id) = holder(ctx, to)?;
    let otherwise = account_id.map(|account_id| Holder::lost_and_found(ctx, account_id));
    let freed = Item { bound_to: bound_back(ctx, stack, wanted), ..stack.clone() };
    for to in [Some(wanted), otherwise].into_iter().flatten() {
        let moved = if parcel.count == stack.count {
            push(ctx, cause, &freed, to).is_ok()
        } else {
            take(ctx, cause, &freed, parcel.count, to, Spot::Anywhere).is_ok()
        };
        if moved {
            if parcel.count < stack.count {
                // What stays is bound as it was.
                bind(ctx, stack.item_id, stack.bound_to);
            }
            return Some(());
        }
    }
    None
}

/// To whom a stack is bound when it comes back: whoever had it after may have bound it. It stays
/// bound to a character that it comes back to, or whose account it comes back to; to anybody else
/// it is not, and it is bound anew where having it binds it.
fn bound_back(ctx: &ReducerContext, stack: &Item, to: Holder) -> u64 {
    let bound_to = stack.bound_to;
    let is_account = to.kind == HolderKind::LostAndFound
        && characters::owner_of(ctx, bound_to) == Some(to.owner_id);
    if is_account || (to.kind.is_own() && to.owner_id == bound_to) {
        return bound_to;
    }
    let shape = shape_of(ctx, &stack.def);
    shape.map_or(0, |shape| bound_at(shape.binding, to.kind, to.owner_id, 0))
}

/// A holder that goods can be put back to, and the account whose it is. What was worn goes to the
/// bag.
fn holder(ctx: &ReducerContext, (kind, owner_id): Place) -> Option<(Holder, Option<u64>)> {
    let is = |known: HolderKind| kind == known as u8;
    if is(HolderKind::Bag) || is(HolderKind::Equipment) {
        let account_id = characters::owner_of(ctx, owner_id)?;
        return Some((Holder::bag(ctx, owner_id), Some(account_id)));
    }
    if is(HolderKind::LostAndFound) {
        return Some((Holder::lost_and_found(ctx, owner_id), None));
    }
    if is(HolderKind::GuildTab) {
        let key = haven_rules::items::owner_key(HolderKind::GuildTab, owner_id);
        let row = ctx.db.item_container().owner_key().find(key)?;
        return Some((Holder::of(HolderKind::GuildTab, owner_id, row.viewer, row.slots), None));
    }
    None
}
