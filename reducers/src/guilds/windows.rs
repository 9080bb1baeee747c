//! Looking into the bank: a member who opens a tab has copies of its stacks, which follow what is
//! in it until he closes it, leaves the guild or the world, or may not see it any more.
//!
//! A row has one viewer and a filter one column, so each who looks needs rows of his own. A change
//! of a slot costs one row for each who looks at the tab, at most 50.
//! Keeps true: all who have a tab open have the same rows of it, those of its container.

use super::{Own, bank, grant_of, rank_row};
use crate::ordered::ranges;
use crate::{Refusal, characters, economy, items};
use haven_rules::economy::PurseKind;
use haven_rules::guilds::GuildError;
use haven_rules::guilds::bank::{COINS, TAB_VIEWERS_MAX, TABS_MAX, check_tab, tab_id, tab_parts};
use haven_rules::guilds::rights::{TabRight, has_tab};
use haven_rules::items::{HolderKind, place_parts};
use haven_rules::keys::{joint_key, keys_of};
use haven_tables::guilds::bank::{
    GuildBankView, GuildBankWindow, guild_bank_view, guild_bank_window,
};
use haven_tables::guilds::guild_member;
use haven_tables::items::Item;
use spacetimedb::{Identity, ReducerContext, Table, reducer};
use std::collections::{BTreeMap, BTreeSet};

/// Opens a tab of the guild's bank, in the place of the one that the caller has open.
///
/// # Errors
/// In this order: the caller's, `guild.not_in_world`, `guild.none`, `guild.too_fast`,
/// `guild.tab_unknown`, `guild.tab_forbidden`, `guild.viewers_too_many`.
#[reducer]
pub fn guild_bank_open(ctx: &ReducerContext, tab: u8) -> Result<(), Refusal> {
    let own = Own::find(ctx)?;
    check_tab(tab, own.guild.tabs)?;
    bank::check_may(&own.grant(), tab, TabRight::View)?;
    let character_id = own.character_id();
    let tab_id = tab_id(own.guild_id(), tab);
    let known = ctx.db.guild_bank_window().character_id().find(character_id);
    if known.is_some_and(|row| row.tab == tab) {
        return Ok(());
    }
    close(ctx, character_id);
    let mut viewers = ranges(ctx.db.guild_bank_window().tab_key()).filter(keys_of(tab_id));
    if viewers.nth(TAB_VIEWERS_MAX - 1).is_some() {
        return Err(GuildError::ViewersTooMany.into());
    }
    let viewer = characters::viewer_of(ctx, character_id);
    ctx.db.guild_bank_window().insert(GuildBankWindow {
        character_id,
        tab_key: joint_key(tab_id, character_id),
        viewer,
        guild_id: own.guild_id(),
        copper: 0,
        copper_left: 0,
        items_left: 0,
        tab,
    });
    for stack in items::contents(ctx, HolderKind::GuildTab, tab_id) {
        ctx.db.guild_bank_view().insert(copy(&stack, character_id, viewer));
    }
    refresh(ctx, character_id);
    Ok(())
}

/// Closes the tab that the caller has open, if any.
///
/// # Errors
/// In this order: the caller's, `guild.not_in_world`.
#[reducer]
pub fn guild_bank_close(ctx: &ReducerContext) -> Result<(), Refusal> {
    let player = crate::authority::require_player(ctx)?;
    let own = characters::entity_of(ctx, player.account_id);
    close(ctx, own.ok_or(GuildError::CharacterAbsent)?);
    Ok(())
}

fn copy(stack: &Item, character_id: u64, viewer: Identity) -> GuildBankView {
    let (_, slot) = place_parts(stack.place_key);
    GuildBankView {
        view_key: joint_key(character_id, slot.into()),
        viewer,
        item_id: stack.item_id,
        count: stack.count,
        durability: stack.durability,
        slot,
        flags: stack.flags,
        def: stack.def.clone(),
    }
}

/// Closes what a character has open.
pub(super) fn close(ctx: &ReducerContext, character_id: u64) {
    if !ctx.db.guild_bank_window().character_id().delete(character_id) {
        return;
    }
    let rows = ranges(ctx.db.guild_bank_view().view_key()).filter(keys_of(character_id));
    for key in rows.map(|row| row.view_key).collect::<Vec<_>>() {
        ctx.db.guild_bank_view().view_key().delete(key);
    }
}

/// What is in a tab has changed: whoever has it open is shown that. For all who move stacks there.
pub(super) fn tab_changed(ctx: &ReducerContext, guild_id: u64, tab: u8) {
    let tab_id = tab_id(guild_id, tab);
    let windows = ranges(ctx.db.guild_bank_window().tab_key()).filter(keys_of(tab_id));
    let viewers: Vec<_> = windows.map(|row| (row.character_id, row.viewer)).collect();
    let Some((one, viewer)) = viewers.first() else { return };
    // All of them have the same rows, so what differs is looked for once.
    let shown: BTreeMap<u16, GuildBankView> = ranges(ctx.db.guild_bank_view().view_key())
        .filter(keys_of(*one))
        .map(|row| (row.slot, row))
        .collect();
    let there: BTreeMap<u16, Item> = items::contents(ctx, HolderKind::GuildTab, tab_id)
        .into_iter()
        .map(|stack| (place_parts(stack.place_key).1, stack))
        .collect();
    let gone: Vec<u16> = shown.keys().filter(|slot| !there.contains_key(slot)).copied().collect();
    let is_new = |(slot, stack): &(&u16, &Item)| {
        shown.get(slot).is_none_or(|row| *row != copy(stack, *one, *viewer))
    };
    let new: Vec<_> = there.iter().filter(is_new).collect();
    for (character_id, viewer) in &viewers {
        for slot in &gone {
            let key = joint_key(*character_id, (*slot).into());
            ctx.db.guild_bank_view().view_key().delete(key);
        }
        for (slot, stack) in &new {
            let row = copy(stack, *character_id, *viewer);
            if shown.contains_key(slot) {
                ctx.db.guild_bank_view().view_key().update(row);
            } else {
                ctx.db.guild_bank_view().insert(row);
            }
        }
    }
}

/// The coins of a bank have changed: whoever has a tab open is shown that.
pub(super) fn coins_changed(ctx: &ReducerContext, guild_id: u64) {
    for tab in 0..TABS_MAX {
        let keys = keys_of(tab_id(guild_id, tab));
        let windows = ranges(ctx.db.guild_bank_window().tab_key()).filter(keys);
        for character_id in windows.map(|row| row.character_id).collect::<Vec<_>>() {
            refresh(ctx, character_id);
        }
    }
}

/// Staff has changed what lies in holders, each by its kind and number: whoever has one of them
/// open is shown that.
pub(crate) fn holders_changed(ctx: &ReducerContext, holders: &BTreeSet<(u8, u64)>) {
    for (_, tab_id) in holders.iter().filter(|(kind, _)| *kind == HolderKind::GuildTab as u8) {
        let (guild_id, tab) = tab_parts(*tab_id);
        tab_changed(ctx, guild_id, tab);
    }
}

/// Staff has changed purses, each by its kind and number: whoever looks at a bank with one of them
/// is shown that.
pub(crate) fn purses_changed(ctx: &ReducerContext, purses: &BTreeSet<(u8, u64)>) {
    for (_, guild_id) in purses.iter().filter(|(kind, _)| *kind == PurseKind::Guild as u8) {
        coins_changed(ctx, *guild_id);
    }
}

/// A member's rank gives something else than before.
pub(super) fn rank_changed(ctx: &ReducerContext, character_id: u64) {
    refresh(ctx, character_id);
}

/// Writes the numbers of an open window anew; one whose tab may not be seen is closed.
pub(super) fn refresh(ctx: &ReducerContext, character_id: u64) {
    let known = ctx.db.guild_bank_window().character_id().find(character_id);
    let member = ctx.db.guild_member().character_id().find(character_id);
    let (Some(window), Some(member)) = (known, member) else { return };
    let grant = grant_of(&rank_row(ctx, member.guild_id, member.rank));
    if !has_tab(grant.tab_rights, window.tab, TabRight::View) {
        close(ctx, character_id);
        return;
    }
    let left = |what| bank::left(ctx, &member, &grant, what);
    let is_taking = has_tab(grant.tab_rights, window.tab, TabRight::Take);
    let is_frozen = economy::is_frozen(ctx, PurseKind::Guild, member.guild_id);
    let row = GuildBankWindow {
        copper: economy::copper_of(ctx, PurseKind::Guild, member.guild_id),
        copper_left: if is_frozen { 0 } else { left(COINS) },
        items_left: if is_taking { left(window.tab) } else { 0 },
        ..window.clone()
    };
    if row != window {
        ctx.db.guild_bank_window().character_id().update(row);
    }
}

/// A character's window is shown to somebody else than before.
pub(super) fn rebind(ctx: &ReducerContext, character_id: u64, viewer: Identity) {
    let Some(window) = ctx.db.guild_bank_window().character_id().find(character_id) else { return };
    ctx.db.guild_bank_window().character_id().update(GuildBankWindow { viewer, ..window });
    let rows = ranges(ctx.db.guild_bank_view().view_key()).filter(keys_of(character_id));
    for row in rows.collect::<Vec<_>>() {
        ctx.db.guild_bank_view().view_key().update(GuildBankView { viewer, ..row });
    }
}
