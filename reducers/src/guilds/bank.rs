//! The bank of a guild: putting in, taking out, ordering, coins, tabs.
//!
//! Keeps true: who takes has the right and takes no more in a day than the rank may; each movement
//! is a line of the guild's log and a cause of the ledger; what is bound to a character stays out.

use super::{Own, windows};
use crate::authority::require_player;
use crate::commands::once;
use crate::content::book;
use crate::economy::{Cause, Purse, pay};
use crate::items::{self, Holder, Spot};
use crate::ordered::ranges;
use crate::{Refusal, now_micros};
use haven_rules::economy::{CauseKind, PurseKind, Sink};
use haven_rules::guilds::GuildError;
use haven_rules::guilds::bank::{
    ANYWHERE, COINS, TAB_SLOTS, Taken, check_tab, tab_cost, tab_id, tab_parts,
};
use haven_rules::guilds::levels::tabs_max;
use haven_rules::guilds::log::Line;
use haven_rules::guilds::ranks::{COPPER_UNBOUNDED, Grant, ITEMS_UNBOUNDED, check_right};
use haven_rules::guilds::rights::{Right, TabRight, has_tab};
use haven_rules::items::{HolderKind, ItemError};
use haven_rules::keys::{joint_key, keys_of};
use haven_tables::commands::CommandId;
use haven_tables::guilds::bank::{GuildAllowance, guild_allowance};
use haven_tables::guilds::{Guild, GuildMember, guild};
use haven_tables::items::{Item, item};
use spacetimedb::{Identity, ReducerContext, Table, reducer};

/// Puts some or all of a stack of the caller's bag into a tab: into that slot, or, where `slot` is
/// 65535, wherever there is room.
///
/// # Errors
/// In this order: the caller's, the command's, `guild.not_in_world`, `guild.none`,
/// `guild.too_fast`, `guild.tab_unknown`, `guild.tab_forbidden`, `item.unknown`, those of moving it
/// (`item.…`).
#[reducer]
pub fn guild_bank_put(
    ctx: &ReducerContext,
    item_id: u64,
    count: u32,
    tab: u8,
    slot: u16,
    command: CommandId,
) -> Result<(), Refusal> {
    let player = require_player(ctx)?;
    let what = ("guild_bank_put", item_id, count, tab, slot);
    once(ctx, player.account_id, command, &what, || {
        let own = Own::of(ctx, player)?;
        check_tab(tab, own.guild.tabs)?;
        check_may(&own.grant(), tab, TabRight::Put)?;
        let stack = stack_in(ctx, item_id, |kind, owner_id| {
            kind == HolderKind::Bag as u8 && owner_id == own.character_id()
        })?;
        let cause = cause(ctx, &own);
        items::take(ctx, &cause, &stack, count, holder(&own, tab), spot(slot))?;
        own.tell(ctx, Line::ItemPut, (item_id, &stack.def), count.into(), tab);
        windows::tab_changed(ctx, own.guild_id(), tab);
        Ok(())
    })
}

/// Takes some or all of a stack out of the bank into the caller's bag: into that slot, or, where
/// `slot` is 65535, wherever there is room.
///
/// # Errors
/// In this order: the caller's, the command's, `guild.not_in_world`, `guild.none`,
/// `guild.too_fast`, `item.unknown`, `guild.tab_forbidden`, `guild.items_spent`, those of moving it
/// (`item.…`).
#[reducer]
pub fn guild_bank_take(
    ctx: &ReducerContext,
    item_id: u64,
    count: u32,
    slot: u16,
    command: CommandId,
) -> Result<(), Refusal> {
    let player = require_player(ctx)?;
    let what = ("guild_bank_take", item_id, count, slot);
    once(ctx, player.account_id, command, &what, || {
        let own = Own::of(ctx, player)?;
        let (stack, tab) = banked(ctx, &own, item_id)?;
        check_may(&own.grant(), tab, TabRight::Take)?;
        spend(ctx, &own, tab, count.into())?;
        let cause = cause(ctx, &own);
        let bag = Holder::bag(ctx, own.character_id());
        items::take(ctx, &cause, &stack, count, bag, spot(slot))?;
        own.tell(ctx, Line::ItemTaken, (item_id, &stack.def), count.into(), tab);
        windows::tab_changed(ctx, own.guild_id(), tab);
        windows::refresh(ctx, own.character_id());
        Ok(())
    })
}

/// Moves some or all of a stack within the bank. Out of one tab into another it counts as taken
/// from the first.
///
/// # Errors
/// In this order: the caller's, the command's, `guild.not_in_world`, `guild.none`,
/// `guild.too_fast`, `guild.tab_unknown`, `guild.tab_forbidden`, `item.unknown`,
/// `guild.items_spent`, those of moving it (`item.…`).
#[reducer]
pub fn guild_bank_move(
    ctx: &ReducerContext,
    item_id: u64,
    count: u32,
    tab: u8,
    slot: u16,
    command: CommandId,
) -> Result<(), Refusal> {
    let player = require_player(ctx)?;
    let what = ("guild_bank_move", item_id, count, tab, slot);
    once(ctx, player.account_id, command, &what, || {
        let own = Own::of(ctx, player)?;
        check_tab(tab, own.guild.tabs)?;
        check_may(&own.grant(), tab, TabRight::Put)?;
        let (stack, from) = banked(ctx, &own, item_id)?;
        if from != tab {
            check_may(&own.grant(), from, TabRight::Take)?;
            spend(ctx, &own, from, count.into())?;
        }
        let cause = cause(ctx, &own);
        items::take(ctx, &cause, &stack, count, holder(&own, tab), spot(slot))?;
        own.tell(ctx, Line::ItemMoved, (item_id, &stack.def), count.into(), tab);
        windows::tab_changed(ctx, own.guild_id(), from);
        if from != tab {
            windows::tab_changed(ctx, own.guild_id(), tab);
            windows::refresh(ctx, own.character_id());
        }
        Ok(())
    })
}

/// Puts coins of the caller's into the bank. Every member may.
///
/// # Errors
/// In this order: the caller's, the command's, `guild.not_in_world`, `guild.none`,
/// `guild.too_fast`, those of the coins (`economy.…`).
#[reducer]
pub fn guild_coins_put(
    ctx: &ReducerContext,
    copper: u64,
    command: CommandId,
) -> Result<(), Refusal> {
    let player = require_player(ctx)?;
    once(ctx, player.account_id, command, &("guild_coins_put", copper), || {
        let own = Own::of(ctx, player)?;
        let wallet = Purse::wallet(ctx, own.character_id());
        pay(ctx, &cause(ctx, &own), wallet, purse(own.guild_id()), copper)?;
        own.tell(ctx, Line::CoinsPut, (0, ""), copper, 0);
        windows::coins_changed(ctx, own.guild_id());
        Ok(())
    })
}

/// Takes coins out of the bank, as much as the caller's rank may in a day.
///
/// # Errors
/// In this order: the caller's, the command's, `guild.not_in_world`, `guild.none`,
/// `guild.too_fast`, `guild.copper_spent`, those of the coins (`economy.…`).
#[reducer]
pub fn guild_coins_take(
    ctx: &ReducerContext,
    copper: u64,
    command: CommandId,
) -> Result<(), Refusal> {
    let player = require_player(ctx)?;
    once(ctx, player.account_id, command, &("guild_coins_take", copper), || {
        let own = Own::of(ctx, player)?;
        spend(ctx, &own, COINS, copper)?;
        let wallet = Purse::wallet(ctx, own.character_id());
        pay(ctx, &cause(ctx, &own), purse(own.guild_id()), wallet, copper)?;
        own.tell(ctx, Line::CoinsTaken, (0, ""), copper, 0);
        windows::coins_changed(ctx, own.guild_id());
        Ok(())
    })
}

/// Buys the next tab with the caller's own coins: the first costs `guild_tab_cost_copper`, the
/// second twice that, and so on.
///
/// # Errors
/// In this order: the caller's, the command's, `guild.not_in_world`, `guild.none`,
/// `guild.too_fast`, `guild.right_missing`, `guild.tabs_too_many`, those of the coins
/// (`economy.…`).
#[reducer]
pub fn guild_tab_buy(ctx: &ReducerContext, command: CommandId) -> Result<(), Refusal> {
    let player = require_player(ctx)?;
    once(ctx, player.account_id, command, &"guild_tab_buy", || {
        let own = Own::of(ctx, player)?;
        check_right(own.grant().rights, Right::Tabs)?;
        let book = book(ctx);
        let first = u64::try_from(book.setting("guild_tab_cost_copper")).unwrap_or(0);
        let most = tabs_max(own.guild.level, &book);
        let cost = tab_cost(own.guild.tabs, most, first)?;
        if cost > 0 {
            let cause = Cause::new(ctx, CauseKind::GuildCost, own.who(), own.guild_id());
            let wallet = Purse::wallet(ctx, own.character_id());
            pay(ctx, &cause, wallet, Purse::sink(Sink::Guild), cost)?;
        }
        let tabs = own.guild.tabs + 1;
        ctx.db.guild().guild_id().update(Guild { tabs, ..own.guild.clone() });
        own.tell(ctx, Line::Tab, (0, ""), cost, own.guild.tabs);
        Ok(())
    })
}

/// Refuses what a rank may not do with a tab.
///
/// # Errors
/// `guild.tab_forbidden`.
pub(super) fn check_may(grant: &Grant, tab: u8, right: TabRight) -> Result<(), GuildError> {
    let may = has_tab(grant.tab_rights, tab, right);
    if may { Ok(()) } else { Err(GuildError::TabForbidden) }
}

/// How much a rank takes in a day; `None` for no limit.
fn limit_of(grant: &Grant, what: u8) -> Option<u64> {
    if what == COINS {
        return Some(grant.copper_per_day).filter(|limit| *limit != COPPER_UNBOUNDED);
    }
    let limit = grant.items_per_day.get(usize::from(what)).copied().unwrap_or(0);
    Some(limit).filter(|limit| *limit != ITEMS_UNBOUNDED).map(u64::from)
}

/// What a member took in its day, of whichever guild's bank: who goes to another guild and comes
/// back has no new day.
fn taken(ctx: &ReducerContext, member: &GuildMember, what: u8) -> Taken {
    let key = joint_key(member.character_id, what.into());
    let known = ctx.db.guild_allowance().allowance_key().find(key);
    known.map_or_else(Taken::default, |row| Taken {
        began_at_micros: row.began_at_micros,
        amount: row.amount,
    })
}

/// How much more of a tab or of the coins a member may take now.
pub(super) fn left(ctx: &ReducerContext, member: &GuildMember, grant: &Grant, what: u8) -> u64 {
    taken(ctx, member, what).left(now_micros(ctx), limit_of(grant, what))
}

/// Counts what the caller takes.
///
/// # Errors
/// `guild.items_spent` or `guild.copper_spent`.
fn spend(ctx: &ReducerContext, own: &Own, what: u8, amount: u64) -> Result<(), GuildError> {
    let limit = limit_of(&own.grant(), what);
    let before = taken(ctx, &own.member, what);
    let spent = if what == COINS { GuildError::CopperSpent } else { GuildError::ItemsSpent };
    let Taken { began_at_micros, amount } =
        before.take(now_micros(ctx), limit, amount).ok_or(spent)?;
    let allowance_key = joint_key(own.character_id(), what.into());
    let row = GuildAllowance { allowance_key, guild_id: own.guild_id(), began_at_micros, amount };
    if ctx.db.guild_allowance().allowance_key().find(allowance_key).is_some() {
        ctx.db.guild_allowance().allowance_key().update(row);
    } else {
        ctx.db.guild_allowance().insert(row);
    }
    Ok(())
}

/// Forgets what a character took: at most seven rows.
pub(super) fn forget_taken(ctx: &ReducerContext, character_id: u64) {
    let rows = ranges(ctx.db.guild_allowance().allowance_key());
    let rows = rows.filter(keys_of(character_id));
    for key in rows.map(|row| row.allowance_key).collect::<Vec<_>>() {
        ctx.db.guild_allowance().allowance_key().delete(key);
    }
}

fn cause(ctx: &ReducerContext, own: &Own) -> Cause {
    Cause::new(ctx, CauseKind::GuildBank, own.who(), own.guild_id())
}

/// A stack whose container that is.
fn stack_in(
    ctx: &ReducerContext,
    item_id: u64,
    is_good: impl Fn(u8, u64) -> bool,
) -> Result<Item, ItemError> {
    let stack = ctx.db.item().item_id().find(item_id).ok_or(ItemError::Unknown)?;
    let (container, _) = items::holder_of(ctx, &stack);
    if is_good(container.kind, container.owner_id) { Ok(stack) } else { Err(ItemError::Unknown) }
}

/// A stack in the bank of the caller's guild, and its tab.
fn banked(ctx: &ReducerContext, own: &Own, item_id: u64) -> Result<(Item, u8), ItemError> {
    let stack = stack_in(ctx, item_id, |kind, owner_id| {
        kind == HolderKind::GuildTab as u8 && tab_parts(owner_id).0 == own.guild_id()
    })?;
    let (container, _) = items::holder_of(ctx, &stack);
    Ok((stack, tab_parts(container.owner_id).1))
}

fn holder(own: &Own, tab: u8) -> Holder {
    Holder::of(HolderKind::GuildTab, tab_id(own.guild_id(), tab), Identity::ZERO, TAB_SLOTS)
}

const fn spot(slot: u16) -> Spot {
    if slot == ANYWHERE { Spot::Anywhere } else { Spot::Slot(slot) }
}

/// A guild's coins.
pub(super) const fn purse(guild_id: u64) -> Purse {
    Purse::of(PurseKind::Guild, guild_id, Identity::ZERO)
}
