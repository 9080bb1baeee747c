//! What the dead leave: whose it is, what it is, and taking it.
//!
//! Keeps true: who has a right is known when a creature dies; what lies there is rolled once; coins
//! come out of their source when somebody takes them, never before; what is left at the end is gone
//! and counted.

use super::moves::{DAY_MICROS, key_at};
use super::own::{Own, is_near};
use super::{Holder, Spot, close, contents, is_empty, make, remove, rolls, stack_of, take};
use crate::authority::require_player;
use crate::combat::dice::{Cup, Record};
use crate::combat::{Kind, threat_of};
use crate::commands::once;
use crate::content::book;
use crate::economy::{Cause, Purse, pay};
use crate::ordered::ranges;
use crate::sequences;
use crate::{Refusal, characters, combat, motion, now_micros, parties};
use haven_rules::combat::EVENT_SECONDS;
use haven_rules::combat::areas::Point;
use haven_rules::content::Rarity;
use haven_rules::economy::{CauseKind, Source};
use haven_rules::items::loot::{
    HOLDERS_MAX, LOOT_REACH_MM, LOOT_SHARE_RADIUS_MM, LOOT_SLOTS, TURN_SECONDS, roll_creature,
    split_coins, withholds,
};
use haven_rules::items::{HolderKind, ItemError};
use haven_rules::keys::{joint_key, keys_of};
use haven_rules::motion::slot_of;
use haven_rules::parties::LootMode;
use haven_rules::sequences::Numbered;
use haven_rules::world::chunk_parts;
use haven_tables::combat::{combat_state, combatant};
use haven_tables::commands::CommandId;
use haven_tables::items::{
    Item, Loot, LootDue, LootFallen, LootFind, LootLine, LootShare, loot, loot_due, loot_fallen,
    loot_find, loot_share,
};
use haven_tables::npcs::creature;
use spacetimedb::{Identity, ReducerContext, Table, reducer};
use std::collections::BTreeSet;

/// A creature died: whose what it leaves will be. It is rolled with the next run of the tick.
pub(crate) fn fallen(ctx: &ReducerContext, creature_id: u64) {
    let Some(row) = ctx.db.creature().entity_id().find(creature_id) else { return };
    let Some(state) = ctx.db.combat_state().entity_id().find(creature_id) else { return };
    let Some(chunk_index) = motion::chunk_of(ctx, creature_id) else { return };
    let Some((world, x_mm, y_mm)) = motion::place_of(ctx, creature_id) else { return };
    let is_known = ctx.db.loot_fallen().creature_id().find(creature_id).is_some();
    // What was summoned leaves nothing.
    if row.master_id != 0 || is_known {
        return;
    }
    let (first, holders) = holders(ctx, creature_id, (world, Point { x_mm, y_mm }));
    let Some(first) = first else { return };
    let (party_id, sharing) = parties::loot_of(ctx, first).unwrap_or_default();
    ctx.db.loot_fallen().insert(LootFallen {
        creature_id,
        chunk_index,
        master_id: sharing.master_id,
        party_id,
        pos_x_mm: x_mm,
        pos_y_mm: y_mm,
        mode: sharing.mode as u8,
        threshold: sharing.threshold,
        creature: state.creature,
        holders,
    });
    combat::set(ctx, creature_id, 0, Kind::Spoils, now_micros(ctx));
}

/// A creature goes before it was rolled what it leaves: it leaves nothing.
pub(crate) fn forget_fallen(ctx: &ReducerContext, creature_id: u64) {
    ctx.db.loot_fallen().creature_id().delete(creature_id);
}

/// Who contributed most of those who are near, and all who have a right: those who contributed and
/// their companions, as far as they are near.
fn holders(ctx: &ReducerContext, creature_id: u64, at: (u32, Point)) -> (Option<u64>, Vec<u64>) {
    let is_player = |entity_id: u64| {
        ctx.db.combatant().entity_id().find(entity_id).is_some_and(|row| row.is_player)
    };
    let is_near = |entity_id: &u64| is_near(ctx, *entity_id, at, LOOT_SHARE_RADIUS_MM);
    let threat = threat_of(ctx, creature_id);
    let entries = threat.entries().iter().filter(|entry| entry.contribution > 0);
    let mut by: Vec<(u64, u64)> = entries
        .filter(|entry| is_player(entry.entity_id) && is_near(&entry.entity_id))
        .map(|entry| (entry.contribution, entry.entity_id))
        .collect();
    by.sort_unstable_by_key(|(contribution, entity_id)| {
        (std::cmp::Reverse(*contribution), *entity_id)
    });
    let first = by.first().map(|(_, entity_id)| *entity_id);
    let mut holders = BTreeSet::new();
    for (_, entity_id) in by {
        holders.insert(entity_id);
        let companions = parties::companions(ctx, entity_id);
        holders.extend(companions.into_iter().filter(is_near));
    }
    (first, holders.into_iter().take(HOLDERS_MAX).collect())
}

/// Rolls what lies on a creature that died, and shows it to those who have a right. Called while
/// the tick's dice are laid down.
pub(crate) fn spoils(ctx: &ReducerContext, creature_id: u64) {
    let Some(fallen) = ctx.db.loot_fallen().creature_id().find(creature_id) else { return };
    ctx.db.loot_fallen().creature_id().delete(creature_id);
    let book = book(ctx);
    let Some(def) = book.creature(&fallen.creature) else { return };
    let mut cup = Cup::open(ctx);
    let mut throws = cup.event(ctx, creature_id, "loot");
    let rolled = roll_creature(def, book.setting("loot_coins_percent"), &book, &mut throws);
    let record = throws.record();
    let ends_at = now_micros(ctx) + i64::from(EVENT_SECONDS) * 1_000_000;
    throws.tell(ctx, fallen.chunk_index, slot_of(ends_at), vec![]);
    cup.close(ctx);
    if rolled.copper == 0 && rolled.goods.is_empty() {
        return;
    }
    let row = lay(ctx, &fallen, book.setting("loot_millis"));
    let cause = Cause::new(ctx, CauseKind::Loot, (0, 0), row.loot_id);
    for (item, count) in rolled.goods {
        // What has no room is not made.
        let _ = make(ctx, &cause, &item, count, holder(row.loot_id), Spot::Anywhere);
    }
    let Record { event_id, at_micros, day, dice } = record;
    let (loot_id, copper) = (row.loot_id, rolled.copper);
    ctx.db.loot_find().insert(LootFind { loot_id, copper, event_id, at_micros, day, dice });
    rolls::begin(ctx, &row, &book);
    for character_id in fallen.holders {
        let viewer = characters::viewer_of(ctx, character_id);
        ctx.db.loot_share().insert(share(ctx, &row, character_id, viewer));
    }
    changed(ctx, loot_id);
}

/// The loot of a creature that died, with nothing in it yet.
fn lay(ctx: &ReducerContext, fallen: &LootFallen, millis: i64) -> Loot {
    let now = now_micros(ctx);
    let expires_at_micros = now + millis * 1_000;
    let is_in_turn = fallen.mode == LootMode::RoundRobin as u8;
    let row = ctx.db.loot().insert(Loot {
        loot_id: sequences::next(ctx, Numbered::Loot),
        chunk_index: fallen.chunk_index,
        creature_id: fallen.creature_id,
        turn_of: 0,
        turn_ends_at_micros: 0,
        master_id: fallen.master_id,
        expires_at_micros,
        pos_x_mm: fallen.pos_x_mm,
        pos_y_mm: fallen.pos_y_mm,
        mode: fallen.mode,
        threshold: fallen.threshold,
    });
    ctx.db.loot_due().insert(LootDue { due_key: key_at(expires_at_micros, row.loot_id) });
    let turn = is_in_turn.then(|| parties::take_turn(ctx, fallen.party_id, &fallen.holders));
    let Some(turn_of) = turn.flatten() else { return row };
    let turn_ends_at_micros = now + i64::from(TURN_SECONDS) * 1_000_000;
    ctx.db.loot().loot_id().update(Loot { turn_of, turn_ends_at_micros, ..row })
}

/// Where the stacks of a loot lie: nobody sees them there.
const fn holder(loot_id: u64) -> Holder {
    Holder::of(HolderKind::Loot, loot_id, Identity::ZERO, LOOT_SLOTS)
}

fn share(ctx: &ReducerContext, row: &Loot, character_id: u64, viewer: Identity) -> LootShare {
    let find = ctx.db.loot_find().loot_id().find(row.loot_id);
    let find = find.expect("invariant: what lies there was found");
    LootShare {
        share_key: joint_key(row.loot_id, character_id),
        character_key: joint_key(character_id, row.loot_id),
        viewer,
        loot_id: row.loot_id,
        character_id,
        copper: find.copper,
        event_id: find.event_id,
        rolled_at_micros: find.at_micros,
        day: find.day,
        dice: find.dice,
        lines: vec![],
    }
}

/// The shares of a loot.
pub(super) fn shares_of(ctx: &ReducerContext, loot_id: u64) -> Vec<LootShare> {
    let keys = keys_of(loot_id);
    ranges(ctx.db.loot_share().share_key()).filter(keys).collect()
}

/// The loots that a character has a share of.
pub(super) fn shares_for(ctx: &ReducerContext, character_id: u64) -> Vec<LootShare> {
    let keys = keys_of(character_id);
    ranges(ctx.db.loot_share().character_key()).filter(keys).collect()
}

/// Something of a loot is not what it was: who has a right sees it; what is empty is gone.
pub(super) fn changed(ctx: &ReducerContext, loot_id: u64) {
    let Some(row) = ctx.db.loot().loot_id().find(loot_id) else { return };
    let copper = ctx.db.loot_find().loot_id().find(loot_id).map_or(0, |find| find.copper);
    if copper == 0 && is_empty(ctx, HolderKind::Loot, loot_id) {
        end(ctx, &row);
        return;
    }
    let line = |stack: Item| LootLine {
        state: state_of(ctx, &row, &stack),
        item_id: stack.item_id,
        count: stack.count,
        def: stack.def,
    };
    let stacks = contents(ctx, HolderKind::Loot, loot_id);
    let lines: Vec<LootLine> = stacks.into_iter().map(line).collect();
    for share in shares_of(ctx, loot_id) {
        if share.copper != copper || share.lines != lines {
            let row = LootShare { copper, lines: lines.clone(), ..share };
            ctx.db.loot_share().share_key().update(row);
        }
    }
}

/// A line's `state` where the master assigns it.
const MASTERS: u8 = 2;

/// 0 it can be taken, 1 it is rolled for, 2 the master assigns it.
fn state_of(ctx: &ReducerContext, row: &Loot, stack: &Item) -> u8 {
    if rolls::is_open(ctx, stack.item_id) {
        return 1;
    }
    if is_masters(ctx, row, stack) { MASTERS } else { 0 }
}

/// Whether the master assigns a stack: while it is in the world.
fn is_masters(ctx: &ReducerContext, row: &Loot, stack: &Item) -> bool {
    let rarity = book(ctx).item(&stack.def).map_or(Rarity::Common, |def| def.rarity);
    row.mode == LootMode::Master as u8
        && withholds(LootMode::Master, row.threshold, rarity)
        && characters::is_present(ctx, row.master_id)
}

/// A loot is over: nothing of it stays.
fn end(ctx: &ReducerContext, row: &Loot) {
    forget_rights(ctx, row.loot_id);
    ctx.db.loot_due().due_key().delete(key_at(row.expires_at_micros, row.loot_id));
    ctx.db.loot().loot_id().delete(row.loot_id);
}

/// Nobody has a right to a loot any more, and coins of it stay in their source.
fn forget_rights(ctx: &ReducerContext, loot_id: u64) {
    for share in shares_of(ctx, loot_id) {
        ctx.db.loot_share().share_key().delete(share.share_key);
    }
    ctx.db.loot_find().loot_id().delete(loot_id);
}

/// The time of a loot is over, and nobody has a right to it any more: what is left is gone. What
/// staff keeps lies there until it does not any more, and is looked at again tomorrow.
pub(super) fn expire(ctx: &ReducerContext, loot_id: u64) {
    let Some(row) = ctx.db.loot().loot_id().find(loot_id) else { return };
    let left = contents(ctx, HolderKind::Loot, loot_id);
    if !left.is_empty() {
        let cause = Cause::new(ctx, CauseKind::Loot, (0, 0), loot_id);
        for stack in left {
            rolls::drop_roll(ctx, loot_id, stack.item_id);
            let _ = remove(ctx, &cause, &stack, stack.count);
        }
        cause.forget_if_bare(ctx);
    }
    close(ctx, HolderKind::Loot, loot_id);
    if is_empty(ctx, HolderKind::Loot, loot_id) {
        end(ctx, &row);
    } else {
        forget_rights(ctx, loot_id);
        let due_key = key_at(now_micros(ctx) + DAY_MICROS, loot_id);
        ctx.db.loot_due().insert(LootDue { due_key });
    }
}

/// A loot of which the caller has a share, near enough to reach.
pub(super) struct Reached {
    pub(super) own: Own,
    pub(super) row: Loot,
    /// Where it lies.
    pub(super) at: (u32, Point),
}

impl Reached {
    /// # Errors
    /// In this order: `item.not_in_world`, `item.not_awake`, `item.loot_unknown`.
    pub(super) fn find(
        ctx: &ReducerContext,
        player: crate::authority::Player,
        loot_id: u64,
    ) -> Result<Self, ItemError> {
        let own = Own::awake(ctx, player)?;
        let share = ctx.db.loot_share().share_key().find(joint_key(loot_id, own.character_id));
        let row = ctx.db.loot().loot_id().find(loot_id).filter(|_| share.is_some());
        // Its time may be over before the sweep comes to it.
        let row = row.filter(|row| now_micros(ctx) < row.expires_at_micros);
        let row = row.ok_or(ItemError::LootUnknown)?;
        let at = (chunk_parts(row.chunk_index).0, Point { x_mm: row.pos_x_mm, y_mm: row.pos_y_mm });
        Ok(Self { own, row, at })
    }

    /// # Errors
    /// In this order: `item.too_far`, `item.not_turn`.
    fn check_turn(&self, ctx: &ReducerContext) -> Result<(), ItemError> {
        self.own.check_near(ctx, self.at, LOOT_REACH_MM)?;
        let is_anothers = ![0, self.own.character_id].contains(&self.row.turn_of);
        if is_anothers && now_micros(ctx) < self.row.turn_ends_at_micros {
            return Err(ItemError::NotTurn);
        }
        Ok(())
    }

    /// Takes a stack into the caller's bag.
    ///
    /// # Errors
    /// In this order: `item.withheld`, those of moving it.
    fn take(&self, ctx: &ReducerContext, stack: &Item) -> Result<(), Refusal> {
        if state_of(ctx, &self.row, stack) != 0 {
            return Err(ItemError::Withheld.into());
        }
        let cause = self.own.cause(ctx, CauseKind::Loot, self.row.loot_id);
        let to = Holder::bag(ctx, self.own.character_id);
        let taken = take(ctx, &cause, stack, stack.count, to, Spot::Anywhere);
        cause.forget_if_bare(ctx);
        taken?;
        Ok(())
    }

    /// Splits the coins among those who have a share and are near, the caller first. Whoever cannot
    /// take coins gets none.
    fn take_coins(&self, ctx: &ReducerContext, find: LootFind) {
        let own_id = self.own.character_id;
        let near = shares_of(ctx, find.loot_id).into_iter().map(|share| share.character_id);
        let mut sharing: Vec<u64> = near
            .filter(|id| *id != own_id && is_near(ctx, *id, self.at, LOOT_SHARE_RADIUS_MM))
            .collect();
        sharing.insert(0, own_id);
        let cause = self.own.cause(ctx, CauseKind::Loot, find.loot_id);
        let parts = split_coins(find.copper, sharing.len());
        for (character_id, part) in sharing.into_iter().zip(parts).filter(|(_, part)| *part > 0) {
            let wallet = Purse::wallet(ctx, character_id);
            let _ = pay(ctx, &cause, Purse::source(Source::Loot), wallet, part);
        }
        cause.forget_if_bare(ctx);
        ctx.db.loot_find().loot_id().update(LootFind { copper: 0, ..find });
    }
}

/// Takes a stack of a loot into the caller's bag, or, with 0 for the stack, its coins, which are
/// split among those who have a share and are near. No further than 5 m from it.
///
/// # Errors
/// In this order: the caller's, the command's, `item.not_in_world`, `item.not_awake`,
/// `item.loot_unknown`, `item.too_far`, `item.not_turn`, `item.unknown` where there is no such
/// stack or there are no coins, `item.withheld`, `item.frozen`, `item.unique_taken`,
/// `item.no_room`.
#[reducer]
pub fn loot_take(
    ctx: &ReducerContext,
    loot_id: u64,
    item_id: u64,
    command: CommandId,
) -> Result<(), Refusal> {
    let player = require_player(ctx)?;
    once(ctx, player.account_id, command, &("loot_take", loot_id, item_id), || {
        let reached = Reached::find(ctx, player, loot_id)?;
        reached.check_turn(ctx)?;
        if item_id == 0 {
            let find = ctx.db.loot_find().loot_id().find(loot_id);
            let find = find.filter(|find| find.copper > 0).ok_or(ItemError::Unknown)?;
            reached.take_coins(ctx, find);
        } else {
            let stack = stack_of(ctx, &[HolderKind::Loot], loot_id, item_id);
            reached.take(ctx, &stack.ok_or(ItemError::Unknown)?)?;
        }
        changed(ctx, loot_id);
        Ok(())
    })
}

/// Takes the coins of a loot and whatever else of it the caller may have and has room for. What it
/// may not stays.
///
/// # Errors
/// In this order: the caller's, the command's, `item.not_in_world`, `item.not_awake`,
/// `item.loot_unknown`, `item.too_far`, `item.not_turn`.
#[reducer]
pub fn loot_take_all(
    ctx: &ReducerContext,
    loot_id: u64,
    command: CommandId,
) -> Result<(), Refusal> {
    let player = require_player(ctx)?;
    once(ctx, player.account_id, command, &("loot_take_all", loot_id), || {
        let reached = Reached::find(ctx, player, loot_id)?;
        reached.check_turn(ctx)?;
        let find = ctx.db.loot_find().loot_id().find(loot_id);
        if let Some(find) = find.filter(|find| find.copper > 0) {
            reached.take_coins(ctx, find);
        }
        for stack in contents(ctx, HolderKind::Loot, loot_id) {
            // Whatever is refused has changed nothing.
            let _ = reached.take(ctx, &stack);
        }
        changed(ctx, loot_id);
        Ok(())
    })
}

/// Gives a stack that is rare to somebody who has a share: into its bag, or by mail where it is not
/// in the world or has no room. For the master of the loot, from wherever it is; of what is free
/// for all nobody is the master.
///
/// # Errors
/// In this order: the caller's, the command's, `item.not_in_world`, `item.not_awake`,
/// `item.loot_unknown`, `item.unknown`, `item.not_master`, `item.holder_unknown`.
#[reducer]
pub fn loot_assign(
    ctx: &ReducerContext,
    loot_id: u64,
    item_id: u64,
    character_id: u64,
    command: CommandId,
) -> Result<(), Refusal> {
    let player = require_player(ctx)?;
    let what = ("loot_assign", loot_id, item_id, character_id);
    once(ctx, player.account_id, command, &what, || {
        let Reached { own, row, .. } = Reached::find(ctx, player, loot_id)?;
        let stack = stack_of(ctx, &[HolderKind::Loot], loot_id, item_id);
        let stack = stack.ok_or(ItemError::Unknown)?;
        if row.master_id != own.character_id || state_of(ctx, &row, &stack) != MASTERS {
            return Err(ItemError::NotMaster.into());
        }
        let share = ctx.db.loot_share().share_key().find(joint_key(loot_id, character_id));
        if share.is_none() {
            return Err(ItemError::HolderUnknown.into());
        }
        let cause = own.cause(ctx, CauseKind::Loot, loot_id);
        rolls::hand_over(ctx, &cause, &stack, character_id);
        changed(ctx, loot_id);
        Ok(())
    })
}
