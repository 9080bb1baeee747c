//! Stacks: making, moving and removing them.
//!
//! Keeps true: a stack lies in one slot, and whoever sees the container sees it; each step leaves a
//! line of history; counts are neither more nor less after a move; what is bound stays its
//! character's. What is refused has changed nothing, so a caller may go on after a refusal.

use super::holders::{Holder, close_if_bare, contents, holder_of, stacks_in};
use super::past::{Line, count_gone, count_made, tell};
use crate::economy::Cause;
use crate::{Refusal, realms, sequences};
use haven_rules::items::stacks::{Spot, Step, There, plan};
use haven_rules::items::{
    Binding, FLAG_FROZEN, FLAG_OFFERED, Happened, HolderKind, ItemError, SLOTS_MAX, Shape,
    bound_at, place_key, place_parts,
};
use haven_rules::sequences::{Numbered, across_realms};
use haven_tables::items::{Item, ItemContainer, item};
use spacetimedb::{ReducerContext, Table};

/// Slots of a holder without bound that are looked at one after the other for a free one.
const FIRST_SLOTS: u16 = 256;
/// How many of those behind them are tried.
const TRIED_SLOTS: u64 = 64;
/// From one to the next that is tried: a prime, so that they lie far from one another.
const TRIED_STEP: u64 = 7_919;

/// Makes items that were not there before. Answers the stacks they are in, in whole or in part.
///
/// # Errors
/// In this order: `item.definition_unknown`, `item.unique_taken`, `item.count_invalid`,
/// `item.slot_invalid`, `item.slot_taken`, `item.no_room`; `realm.not_configured`.
pub(crate) fn make(
    ctx: &ReducerContext,
    cause: &Cause,
    def: &str,
    count: u32,
    to: Holder,
    spot: Spot,
) -> Result<Vec<u64>, Refusal> {
    let shape = shape_of(ctx, def).ok_or(ItemError::DefinitionUnknown)?;
    let lot = Lot { durability: shape.durability, ..Lot::new(def, shape, to, 0, 0) };
    lot.check_unique(ctx, to, count)?;
    let steps = lot.plan(ctx, to, count, spot)?;
    let realm_id = realms::config(ctx)?.realm_id;
    let container = to.open(ctx);
    count_made(ctx, def, count);
    let mut made = vec![];
    for step in steps {
        let item_id = lot.put(ctx, realm_id, &container, step);
        let (from, to, happened) = (None, Some(&container), Happened::Made);
        let count = step.count;
        tell(ctx, cause, Line { item_id, other_item_id: 0, def, count, happened, from, to });
        made.push(item_id);
    }
    weigh(ctx, &container);
    Ok(made)
}

/// Moves some or all of a stack. Answers the stack that `count` of it are in now, the last one if
/// they are in several. Whether the caller may move it has been checked.
///
/// # Errors
/// In this order: `item.frozen`, `item.locked`, `item.bound`, `item.count_invalid`,
/// `item.unique_taken`, `item.slot_invalid`, `item.slot_taken`, `item.no_room`;
/// `realm.not_configured`.
pub(crate) fn take(
    ctx: &ReducerContext,
    cause: &Cause,
    stack: &Item,
    count: u32,
    to: Holder,
    spot: Spot,
) -> Result<u64, Refusal> {
    check_free(stack)?;
    if stack.bound_to != 0 && !to.kind.takes_bound(to.owner_id, stack.bound_to) {
        return Err(ItemError::Bound.into());
    }
    if count == 0 || count > stack.count {
        return Err(ItemError::CountInvalid.into());
    }
    let shape = shape_of_stack(ctx, stack);
    let lot = Lot {
        durability: stack.durability,
        ..Lot::new(&stack.def, shape, to, stack.bound_to, stack.item_id)
    };
    let (from, _) = holder_of(ctx, stack);
    if !is_same_character(&from, to) {
        lot.check_unique(ctx, to, count)?;
    }
    let steps = lot.plan(ctx, to, count, spot)?;
    let realm_id = realms::config(ctx)?.realm_id;
    let container = to.open(ctx);
    let mut rest = stack.clone();
    let mut last = stack.item_id;
    for step in steps {
        let is_whole = step.onto.is_none() && step.count == rest.count;
        let happened = if is_whole {
            rest.place_key = place_key(container.container_id, step.slot);
            (rest.viewer, rest.bound_to) = (container.viewer, lot.bound_to);
            last = rest.item_id;
            Happened::Moved
        } else {
            rest.count -= step.count;
            last = lot.put(ctx, realm_id, &container, step);
            if step.onto.is_some() { Happened::Merged } else { Happened::Split }
        };
        if !is_whole || from.owner_key != container.owner_key {
            let other_item_id = if is_whole { 0 } else { rest.item_id };
            let (from, to) = (Some(&from), Some(&container));
            let (item_id, def, count) = (last, stack.def.as_str(), step.count);
            tell(ctx, cause, Line { item_id, other_item_id, def, count, happened, from, to });
        }
    }
    if rest.count == 0 {
        ctx.db.item().item_id().delete(rest.item_id);
    } else {
        ctx.db.item().item_id().update(rest);
    }
    close_if_bare(ctx, &from);
    if !is_same_character(&from, to) {
        weigh(ctx, &from);
        weigh(ctx, &container);
    }
    Ok(last)
}

/// Moves a whole stack as it is, frozen, offered, bound or unique as it may be, into a free slot:
/// for what must not fail, where a holder ends or staff decides. It is not offered any more.
///
/// # Errors
/// `item.no_room`.
pub(crate) fn push(
    ctx: &ReducerContext,
    cause: &Cause,
    stack: &Item,
    to: Holder,
) -> Result<(), ItemError> {
    let slot = free_slot(ctx, to, stack.item_id)?;
    let (from, _) = holder_of(ctx, stack);
    let container = to.open(ctx);
    let row = Item {
        place_key: place_key(container.container_id, slot),
        viewer: container.viewer,
        flags: stack.flags & !FLAG_OFFERED,
        ..stack.clone()
    };
    ctx.db.item().item_id().update(row);
    let (from_, to_) = (Some(&from), Some(&container));
    let (item_id, def, count) = (stack.item_id, stack.def.as_str(), stack.count);
    let happened = Happened::Moved;
    let line = Line { item_id, other_item_id: 0, def, count, happened, from: from_, to: to_ };
    tell(ctx, cause, line);
    close_if_bare(ctx, &from);
    weigh(ctx, &from);
    weigh(ctx, &container);
    Ok(())
}

/// A free slot, found without reading what lies in the others: the first one, or, of a holder
/// without bound whose first ones are taken, one of some that follow from the stack's number.
///
/// # Errors
/// `item.no_room`.
fn free_slot(ctx: &ReducerContext, to: Holder, item_id: u64) -> Result<u16, ItemError> {
    let Some(row) = to.find(ctx) else {
        return if to.slots == 0 { Err(ItemError::NoRoom) } else { Ok(0) };
    };
    let is_free =
        |slot: u16| ctx.db.item().place_key().find(place_key(row.container_id, slot)).is_none();
    let first = if row.slots > SLOTS_MAX { FIRST_SLOTS } else { row.slots };
    if let Some(slot) = (0..first).find(|slot| is_free(*slot)) {
        return Ok(slot);
    }
    let others = u64::from(row.slots - first);
    if others == 0 {
        return Err(ItemError::NoRoom);
    }
    let tried = (0..TRIED_SLOTS).map(|turn| (item_id % others + turn * TRIED_STEP) % others);
    let mut slots = tried.filter_map(|other| u16::try_from(u64::from(first) + other).ok());
    slots.find(|slot| is_free(*slot)).ok_or(ItemError::NoRoom)
}

/// Whether a holder has a slot in which nothing lies, of those that are looked at for one.
pub(super) fn has_free_slot(ctx: &ReducerContext, holder: Holder) -> bool {
    free_slot(ctx, holder, 0).is_ok()
}

/// Moves all that a holder has to an account's lost-and-found, as it is, and removes the holder.
/// What finds no room there lies among what the account destroyed.
pub(crate) fn give_up(
    ctx: &ReducerContext,
    cause: &Cause,
    (kind, owner_id): (HolderKind, u64),
    account_id: u64,
) {
    let to = Holder::lost_and_found(ctx, account_id);
    for stack in contents(ctx, kind, owner_id) {
        if push(ctx, cause, &stack, to).is_err() {
            super::moves::lay_aside(ctx, cause, &stack, account_id);
        }
    }
    super::holders::close(ctx, kind, owner_id);
}

/// Lets two stacks change places. Whether the caller may move them has been checked.
///
/// # Errors
/// Of either, in this order: `item.frozen`, `item.locked`, `item.bound`.
pub(crate) fn swap(
    ctx: &ReducerContext,
    cause: &Cause,
    one: &Item,
    other: &Item,
) -> Result<(), ItemError> {
    let (one_holder, _) = holder_of(ctx, one);
    let (other_holder, _) = holder_of(ctx, other);
    let sides =
        [(one, &one_holder, other, &other_holder), (other, &other_holder, one, &one_holder)];
    for (stack, _, _, to) in sides {
        check_free(stack)?;
        let takes = HolderKind::of(to.kind)
            .is_some_and(|kind| kind.takes_bound(to.owner_id, stack.bound_to));
        if stack.bound_to != 0 && !takes {
            return Err(ItemError::Bound);
        }
    }
    ctx.db.item().item_id().delete(one.item_id);
    ctx.db.item().item_id().delete(other.item_id);
    for (stack, from, place, to) in sides {
        let binding = shape_of_stack(ctx, stack).binding;
        let bound_to = HolderKind::of(to.kind)
            .map_or(stack.bound_to, |kind| bound_at(binding, kind, to.owner_id, stack.bound_to));
        let (place_key, viewer) = (place.place_key, to.viewer);
        ctx.db.item().insert(Item { place_key, viewer, bound_to, ..stack.clone() });
        if from.owner_key != to.owner_key {
            let (from, to, happened) = (Some(from), Some(to), Happened::Moved);
            let (item_id, def, count) = (stack.item_id, stack.def.as_str(), stack.count);
            tell(ctx, cause, Line { item_id, other_item_id: 0, def, count, happened, from, to });
        }
    }
    Ok(())
}

/// Removes some or all of a stack for good.
///
/// # Errors
/// In this order: `item.frozen`, `item.locked`, `item.count_invalid`.
pub(crate) fn remove(
    ctx: &ReducerContext,
    cause: &Cause,
    stack: &Item,
    count: u32,
) -> Result<(), ItemError> {
    check_free(stack)?;
    if count == 0 || count > stack.count {
        return Err(ItemError::CountInvalid);
    }
    let (from, _) = holder_of(ctx, stack);
    count_gone(ctx, &stack.def, count);
    let (from_, to, happened) = (Some(&from), None, Happened::Gone);
    let (item_id, def) = (stack.item_id, stack.def.as_str());
    tell(ctx, cause, Line { item_id, other_item_id: 0, def, count, happened, from: from_, to });
    if count == stack.count {
        ctx.db.item().item_id().delete(stack.item_id);
        close_if_bare(ctx, &from);
    } else {
        let row = Item { count: stack.count - count, ..stack.clone() };
        ctx.db.item().item_id().update(row);
    }
    weigh(ctx, &from);
    Ok(())
}

/// What a character carries is not what it was.
fn weigh(ctx: &ReducerContext, container: &ItemContainer) {
    if HolderKind::of(container.kind).is_some_and(HolderKind::is_own) {
        super::gear::weighed(ctx, container.owner_id);
    }
}

/// Marks a stack, or takes the mark away: `FLAG_FROZEN` or `FLAG_OFFERED`.
pub(crate) fn mark(ctx: &ReducerContext, item_id: u64, flag: u8, is_set: bool) {
    let Some(row) = ctx.db.item().item_id().find(item_id) else { return };
    let flags = if is_set { row.flags | flag } else { row.flags & !flag };
    if flags != row.flags {
        ctx.db.item().item_id().update(Item { flags, ..row });
    }
}

/// Binds a stack to a character, or with 0 to nobody.
pub(crate) fn bind(ctx: &ReducerContext, item_id: u64, bound_to: u64) {
    let row = ctx.db.item().item_id().find(item_id);
    if let Some(row) = row.filter(|row| row.bound_to != bound_to) {
        ctx.db.item().item_id().update(Item { bound_to, ..row });
    }
}

/// Whether a stack can be moved by its owner.
///
/// # Errors
/// In this order: `item.frozen`, `item.locked`.
pub(crate) fn check_free(stack: &Item) -> Result<(), ItemError> {
    if stack.flags & FLAG_FROZEN != 0 {
        return Err(ItemError::Frozen);
    }
    if stack.flags & FLAG_OFFERED != 0 {
        return Err(ItemError::Locked);
    }
    Ok(())
}

/// Whether a stack can be given to somebody else.
///
/// # Errors
/// In this order: `item.frozen`, `item.locked`, `item.bound`.
pub(crate) fn check_gives(stack: &Item) -> Result<(), ItemError> {
    check_free(stack)?;
    if stack.bound_to == 0 { Ok(()) } else { Err(ItemError::Bound) }
}

/// How stacks of a definition lie; none where content does not know it.
pub(crate) fn shape_of(ctx: &ReducerContext, def: &str) -> Option<Shape> {
    crate::content::book(ctx).item(def).map(Shape::from)
}

/// The same for a stack that is there, whether or not content still knows it.
fn shape_of_stack(ctx: &ReducerContext, stack: &Item) -> Shape {
    shape_of(ctx, &stack.def).unwrap_or(Shape {
        stack_max: stack.count,
        durability: stack.durability,
        binding: Binding::None,
        is_unique: false,
    })
}

/// Something that goes somewhere.
struct Lot<'a> {
    def: &'a str,
    shape: Shape,
    /// To whom it is bound once it is there.
    bound_to: u64,
    durability: u16,
    /// The stack it comes of, 0 for none: it is not added to itself.
    item_id: u64,
}

impl<'a> Lot<'a> {
    fn new(def: &'a str, shape: Shape, to: Holder, bound_to: u64, item_id: u64) -> Self {
        let bound_to = bound_at(shape.binding, to.kind, to.owner_id, bound_to);
        Self { def, shape, bound_to, durability: 0, item_id }
    }

    /// A character has one of what is unique, in its bag or on it.
    fn check_unique(&self, ctx: &ReducerContext, to: Holder, count: u32) -> Result<(), ItemError> {
        if !self.shape.is_unique || !to.kind.is_own() {
            return Ok(());
        }
        let own = [HolderKind::Bag, HolderKind::Equipment];
        let has_one = own.iter().any(|kind| {
            contents(ctx, *kind, to.owner_id).iter().any(|stack| stack.def == self.def)
        });
        if has_one || count > 1 { Err(ItemError::UniqueTaken) } else { Ok(()) }
    }

    fn plan(
        &self,
        ctx: &ReducerContext,
        to: Holder,
        count: u32,
        spot: Spot,
    ) -> Result<Vec<Step>, ItemError> {
        let is_alike = |stack: &Item| {
            to.kind.merges()
                && stack.def == self.def
                && stack.item_id != self.item_id
                && (stack.durability, stack.bound_to) == (self.durability, self.bound_to)
                && stack.flags == 0
        };
        let slots = to.find(ctx).map_or(to.slots, |row| row.slots);
        let stack_max = self.shape.stack_max;
        // Content may have let it stack higher before.
        let stack_max = if to.kind.keeps_whole() { stack_max.max(count) } else { stack_max };
        plan(&there_in(ctx, to, is_alike), slots, stack_max, count, spot)
    }

    /// Adds a part of it to a stack, or lays it into a free slot. Answers the stack.
    fn put(
        &self,
        ctx: &ReducerContext,
        realm_id: u16,
        container: &ItemContainer,
        step: Step,
    ) -> u64 {
        if let Some(row) = step.onto.and_then(|item_id| ctx.db.item().item_id().find(item_id)) {
            let count = row.count + step.count;
            return ctx.db.item().item_id().update(Item { count, ..row }).item_id;
        }
        let row = ctx.db.item().insert(Item {
            item_id: across_realms(realm_id, sequences::next(ctx, Numbered::Item)),
            place_key: place_key(container.container_id, step.slot),
            viewer: container.viewer,
            bound_to: self.bound_to,
            count: step.count,
            durability: self.durability,
            flags: 0,
            def: self.def.to_owned(),
        });
        row.item_id
    }
}

/// Whether both are one character's own.
fn is_same_character(from: &ItemContainer, to: Holder) -> bool {
    let is_own = HolderKind::of(from.kind).is_some_and(HolderKind::is_own) && to.kind.is_own();
    is_own && from.owner_id == to.owner_id
}

fn there_in(ctx: &ReducerContext, holder: Holder, is_alike: impl Fn(&Item) -> bool) -> Vec<There> {
    let stacks = holder.find(ctx).map_or_else(Vec::new, |row| stacks_in(ctx, row.container_id));
    let there = stacks.iter().map(|stack| There {
        slot: place_parts(stack.place_key).1,
        item_id: stack.item_id,
        count: stack.count,
        is_alike: is_alike(stack),
    });
    there.collect()
}
