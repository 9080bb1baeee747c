//! Holders: whose slots stacks lie in, and the containers that stand for them.
//!
//! Keeps true: a container is there while something lies in it, and a character's own bag and
//! equipment also while they are empty; the number of one that is gone is given again.

use crate::ordered::ranges;
use crate::{characters, realms, sequences};
use haven_rules::items::{
    BAG_SLOTS, BUY_BACK_SLOTS, EQUIPMENT_SLOTS, HolderKind, SLOTS_MAX, SLOTS_UNBOUNDED, owner_key,
    place_parts, places_of,
};
use haven_rules::sequences::Numbered;
use haven_tables::items::{
    Item, ItemContainer, ItemContainerFree, item, item_container, item_container_free,
};
use spacetimedb::{Identity, ReducerContext, Table};

/// Whose slots they are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Holder {
    /// What it belongs to.
    pub(crate) kind: HolderKind,
    /// Which one.
    pub(crate) owner_id: u64,
    /// Who sees it, if its container is made now.
    pub(crate) viewer: Identity,
    /// How many slots it has, if its container is made now.
    pub(crate) slots: u16,
}

impl Holder {
    /// A character's bag.
    pub(crate) fn bag(ctx: &ReducerContext, character_id: u64) -> Self {
        Self::of_character(ctx, HolderKind::Bag, character_id, BAG_SLOTS)
    }

    /// What a character wears and wields.
    pub(crate) fn equipment(ctx: &ReducerContext, character_id: u64) -> Self {
        Self::of_character(ctx, HolderKind::Equipment, character_id, EQUIPMENT_SLOTS)
    }

    /// What a character sold and can buy back.
    pub(crate) fn buy_back(ctx: &ReducerContext, character_id: u64) -> Self {
        Self::of_character(ctx, HolderKind::BuyBack, character_id, BUY_BACK_SLOTS)
    }

    /// What could not be given back to an account. It has a slot for each number of one.
    pub(crate) fn lost_and_found(ctx: &ReducerContext, account_id: u64) -> Self {
        let viewer = realms::viewer_of(ctx, account_id);
        Self::of(HolderKind::LostAndFound, account_id, viewer, SLOTS_UNBOUNDED)
    }

    /// What an account destroyed and staff can restore. Nobody sees it; it has a slot for each
    /// number of one.
    pub(crate) const fn destroyed(account_id: u64) -> Self {
        Self::of(HolderKind::Destroyed, account_id, Identity::ZERO, SLOTS_UNBOUNDED)
    }

    /// Anything else's. A tab of a guild's bank has its own `slots`, a letter as many as it may
    /// have attachments, and so on.
    pub(crate) const fn of(kind: HolderKind, owner_id: u64, viewer: Identity, slots: u16) -> Self {
        Self { kind, owner_id, viewer, slots }
    }

    fn of_character(ctx: &ReducerContext, kind: HolderKind, character_id: u64, slots: u16) -> Self {
        Self::of(kind, character_id, characters::viewer_of(ctx, character_id), slots)
    }

    const fn key(&self) -> u128 {
        owner_key(self.kind, self.owner_id)
    }

    /// Its container, if it has one.
    pub(super) fn find(&self, ctx: &ReducerContext) -> Option<ItemContainer> {
        ctx.db.item_container().owner_key().find(self.key())
    }

    /// Its container, made now if it has none.
    pub(super) fn open(&self, ctx: &ReducerContext) -> ItemContainer {
        self.find(ctx).unwrap_or_else(|| {
            ctx.db.item_container().insert(ItemContainer {
                owner_key: self.key(),
                container_id: next_container_id(ctx),
                owner_id: self.owner_id,
                viewer: self.viewer,
                slots: self.slots.max(1),
                kind: self.kind as u8,
            })
        })
    }
}

/// The stacks of a holder in the order of their slots.
pub(crate) fn contents(ctx: &ReducerContext, kind: HolderKind, owner_id: u64) -> Vec<Item> {
    let container = ctx.db.item_container().owner_key().find(owner_key(kind, owner_id));
    container.map_or_else(Vec::new, |row| stacks_in(ctx, row.container_id))
}

/// Whether nothing lies in a holder's slots.
pub(crate) fn is_empty(ctx: &ReducerContext, kind: HolderKind, owner_id: u64) -> bool {
    let container = ctx.db.item_container().owner_key().find(owner_key(kind, owner_id));
    container.is_none_or(|row| is_bare(ctx, row.container_id))
}

/// Whose a stack is, and in which slot.
pub(crate) fn holder_of(ctx: &ReducerContext, item: &Item) -> (ItemContainer, u16) {
    let (container_id, slot) = place_parts(item.place_key);
    let container = ctx.db.item_container().container_id().find(container_id);
    (container.expect("invariant: a stack lies in a container"), slot)
}

/// The stack of a number, if it lies in one of that owner's holders of those kinds.
pub(crate) fn stack_of(
    ctx: &ReducerContext,
    kinds: &[HolderKind],
    owner_id: u64,
    item_id: u64,
) -> Option<Item> {
    let stack = ctx.db.item().item_id().find(item_id)?;
    let (container, _) = holder_of(ctx, &stack);
    let is_of = |kind: &HolderKind| container.owner_key == owner_key(*kind, owner_id);
    kinds.iter().any(is_of).then_some(stack)
}

/// Shows a holder and what is in it to somebody else than before.
pub(crate) fn show_to(ctx: &ReducerContext, kind: HolderKind, owner_id: u64, viewer: Identity) {
    let known = ctx.db.item_container().owner_key().find(owner_key(kind, owner_id));
    let Some(row) = known.filter(|row| row.viewer != viewer) else { return };
    for stack in stacks_in(ctx, row.container_id) {
        ctx.db.item().item_id().update(Item { viewer, ..stack });
    }
    ctx.db.item_container().owner_key().update(ItemContainer { viewer, ..row });
}

/// Gives a holder that is there another number of slots; what lies beyond them stays there.
pub(crate) fn resize(ctx: &ReducerContext, kind: HolderKind, owner_id: u64, slots: u16) {
    let known = ctx.db.item_container().owner_key().find(owner_key(kind, owner_id));
    let slots = slots.clamp(1, SLOTS_MAX);
    if let Some(row) = known.filter(|row| row.slots != slots) {
        ctx.db.item_container().owner_key().update(ItemContainer { slots, ..row });
    }
}

/// Removes a holder's container if it is there and empty, even a character's own: for what ends.
pub(crate) fn close(ctx: &ReducerContext, kind: HolderKind, owner_id: u64) {
    let known = ctx.db.item_container().owner_key().find(owner_key(kind, owner_id));
    if let Some(row) = known.filter(|row| is_bare(ctx, row.container_id)) {
        remove_row(ctx, &row);
    }
}

/// Bags and equipment stay while they are empty; everything else goes.
pub(super) fn close_if_bare(ctx: &ReducerContext, container: &ItemContainer) {
    let is_own = HolderKind::of(container.kind).is_some_and(HolderKind::is_own);
    if !is_own && is_bare(ctx, container.container_id) {
        remove_row(ctx, container);
    }
}

fn remove_row(ctx: &ReducerContext, container: &ItemContainer) {
    ctx.db.item_container().owner_key().delete(container.owner_key);
    let container_id = container.container_id;
    let free_number = ctx.db.item_container_free().count() + 1;
    ctx.db.item_container_free().insert(ItemContainerFree { free_number, container_id });
}

fn is_bare(ctx: &ReducerContext, container_id: u64) -> bool {
    ranges(ctx.db.item().place_key()).filter(places_of(container_id)).next().is_none()
}

pub(super) fn stacks_in(ctx: &ReducerContext, container_id: u64) -> Vec<Item> {
    let places = places_of(container_id);
    let mut stacks: Vec<Item> = ranges(ctx.db.item().place_key()).filter(places).collect();
    // Those that this transaction has moved come before those that lie where they lay.
    stacks.sort_unstable_by_key(|stack| stack.place_key);
    stacks
}

fn next_container_id(ctx: &ReducerContext) -> u64 {
    // The last one that became free: an iterator would read all of them.
    let last = ctx.db.item_container_free().count();
    let free = ctx.db.item_container_free().free_number().find(last);
    let Some(row) = free else { return sequences::next(ctx, Numbered::ItemContainer) };
    ctx.db.item_container_free().free_number().delete(last);
    row.container_id
}
