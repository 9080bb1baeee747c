//! Equipment: putting on and off, what it is worth, how it wears, and what a character begins with.
//!
//! Keeps true: what a character is worth follows from what it has put on and is not broken; a bag
//! has the slots that its containers bring; a new character gets its goods once.

use super::own::Own;
use super::store::swap;
use super::{Holder, Spot, contents, make, resize, take};
use crate::authority::require_player;
use crate::commands::once;
use crate::content::book;
use crate::economy::{Cause, Purse, pay};
use crate::{Refusal, characters, combat, motion};
use haven_rules::combat::sheet::Outfit;
use haven_rules::content::Wear;
use haven_rules::content::book::Book;
use haven_rules::economy::{CauseKind, Sink, Source};
use haven_rules::items::worn::{
    after_death, bag_slots, check_hands, check_wear, kit, load_percent, outfit, repair_cost,
    slot_for,
};
use haven_rules::items::{HolderKind, ItemError, place_parts};
use haven_tables::characters::{character, character_build};
use haven_tables::commands::CommandId;
use haven_tables::items::{Item, ItemOutfit, item, item_outfit};
use spacetimedb::{ReducerContext, Table, reducer};

/// As a slot of the equipment: the first that fits and is free.
const ANY_SLOT: u16 = u16::MAX;

/// Puts on a stack of the bag, into a slot of the equipment: 0 to 3 weapons, 4 shield, 5 armor,
/// 6 head, 7 neck, 8 cloak, 9 hands, 10 waist, 11 feet, 12 and 13 rings, 14 to 17 containers; or
/// 65535 for the first that fits. What was there goes to where it lay.
///
/// # Errors
/// In this order: the caller's, the command's, `item.not_in_world`, `item.not_awake`,
/// `item.unknown`, `item.frozen`, `item.locked`, `item.definition_unknown`, `item.not_wearable`,
/// `item.level_too_low`, `item.class_unfit`, `item.in_fight`, `item.broken`, `item.slot_unfit`,
/// those of what is there (`item.frozen`, `item.locked`), `item.hands_full`, `item.bag_in_use`.
#[reducer]
pub fn item_equip(
    ctx: &ReducerContext,
    item_id: u64,
    slot: u16,
    command: CommandId,
) -> Result<(), Refusal> {
    let player = require_player(ctx)?;
    once(ctx, player.account_id, command, &("item_equip", item_id, slot), || {
        let own = Own::awake(ctx, player)?;
        let stack = own.stack(ctx, &[HolderKind::Bag], item_id)?;
        let book = book(ctx);
        let def = book.item(&stack.def).ok_or(ItemError::DefinitionUnknown)?;
        let wear = check_wear(def, &own.build(ctx, &book)?, &book)?;
        check_peace(ctx, own, wear)?;
        if def.durability > 0 && stack.durability == 0 {
            return Err(ItemError::Broken.into());
        }
        let worn = contents(ctx, HolderKind::Equipment, own.character_id);
        let at = |row: &Item| place_parts(row.place_key).1;
        let taken: Vec<u16> = worn.iter().map(at).collect();
        let slot = slot_for(wear, Some(slot).filter(|slot| *slot != ANY_SLOT), &taken)?;
        let cause = own.cause(ctx, CauseKind::Equip, item_id);
        if let Some(other) = worn.iter().find(|row| at(row) == slot) {
            swap(ctx, &cause, &stack, other)?;
        } else {
            let to = Holder::equipment(ctx, own.character_id);
            take(ctx, &cause, &stack, stack.count, to, Spot::Slot(slot))?;
        }
        dressed(ctx, own.character_id, &book)?;
        Ok(())
    })
}

/// Puts off what the caller's character has put on, into its bag.
///
/// # Errors
/// In this order: the caller's, the command's, `item.not_in_world`, `item.not_awake`,
/// `item.unknown`, `item.frozen`, `item.locked`, `item.in_fight`, `item.no_room`,
/// `item.bag_in_use`.
#[reducer]
pub fn item_unequip(ctx: &ReducerContext, item_id: u64, command: CommandId) -> Result<(), Refusal> {
    let player = require_player(ctx)?;
    once(ctx, player.account_id, command, &("item_unequip", item_id), || {
        let own = Own::awake(ctx, player)?;
        let stack = own.stack(ctx, &[HolderKind::Equipment], item_id)?;
        let book = book(ctx);
        let wear =
            book.item(&stack.def).and_then(|def| haven_rules::items::worn::wear_of(def, &book));
        check_peace(ctx, own, wear.unwrap_or(Wear::Bag))?;
        let cause = own.cause(ctx, CauseKind::Equip, item_id);
        let to = Holder::bag(ctx, own.character_id);
        take(ctx, &cause, &stack, stack.count, to, Spot::Anywhere)?;
        dressed(ctx, own.character_id, &book)?;
        Ok(())
    })
}

/// # Errors
/// `item.in_fight`.
fn check_peace(ctx: &ReducerContext, own: Own, wear: Wear) -> Result<(), ItemError> {
    if wear == Wear::Armor && combat::is_fighting(ctx, own.character_id) {
        return Err(ItemError::InFight);
    }
    Ok(())
}

/// Repairs something of the caller's, for `repair_percent` of that part of its price which is worn
/// off.
///
/// # Errors
/// In this order: the caller's, the command's, `item.not_in_world`, `item.not_awake`,
/// `item.unknown`, `item.frozen`, `item.locked`, `item.definition_unknown`, `item.not_worn`, those
/// of paying (`economy.frozen`, `economy.coins_missing`).
#[reducer]
pub fn item_repair(ctx: &ReducerContext, item_id: u64, command: CommandId) -> Result<(), Refusal> {
    let player = require_player(ctx)?;
    once(ctx, player.account_id, command, &("item_repair", item_id), || {
        let own = Own::awake(ctx, player)?;
        let kinds = [HolderKind::Bag, HolderKind::Equipment];
        let stack = own.stack(ctx, &kinds, item_id)?;
        let book = book(ctx);
        let def = book.item(&stack.def).ok_or(ItemError::DefinitionUnknown)?;
        let left = (stack.durability, def.durability);
        let cost = repair_cost(def.price_copper, left, book.setting("repair_percent"));
        let cost = cost.ok_or(ItemError::NotWorn)?;
        let cause = own.cause(ctx, CauseKind::Repair, item_id);
        let wallet = Purse::wallet(ctx, own.character_id);
        pay(ctx, &cause, wallet, Purse::sink(Sink::Repair), cost)?;
        ctx.db.item().item_id().update(Item { durability: def.durability, ..stack });
        dressed(ctx, own.character_id, &book)?;
        Ok(())
    })
}

/// What a character has put on is worth; none for what its class begins with.
pub(crate) fn outfit_of(ctx: &ReducerContext, character_id: u64, book: &Book) -> Option<Outfit> {
    let row = ctx.db.item_outfit().character_id().find(character_id)?;
    Some(outfit(row.defs.iter().map(String::as_str), book))
}

/// What a character has put on is not what it was: everything follows.
///
/// # Errors
/// In this order: `item.hands_full`, `item.bag_in_use`. Something was changed already then.
fn dressed(ctx: &ReducerContext, character_id: u64, book: &Book) -> Result<(), ItemError> {
    let worn = contents(ctx, HolderKind::Equipment, character_id);
    check_hands(worn.iter().map(|row| row.def.as_str()), book)?;
    let slots = bag_slots(worn.iter().map(|row| row.def.as_str()), book);
    let bag = contents(ctx, HolderKind::Bag, character_id);
    if bag.iter().any(|row| place_parts(row.place_key).1 >= slots) {
        return Err(ItemError::BagInUse);
    }
    Holder::bag(ctx, character_id).open(ctx);
    resize(ctx, HolderKind::Bag, character_id, slots);
    show_worth(ctx, character_id, &worn, book);
    Ok(())
}

/// Staff took something that a character had put on: everything follows. What lies beyond the slots
/// that are left stays there.
pub(crate) fn stripped(ctx: &ReducerContext, character_id: u64) {
    let book = book(ctx);
    let worn = contents(ctx, HolderKind::Equipment, character_id);
    let slots = bag_slots(worn.iter().map(|row| row.def.as_str()), &book);
    resize(ctx, HolderKind::Bag, character_id, slots);
    show_worth(ctx, character_id, &worn, &book);
}

/// Writes what counts of what is put on, and lets the character's sheet follow.
fn show_worth(ctx: &ReducerContext, character_id: u64, worn: &[Item], book: &Book) {
    let is_broken = |row: &&Item| {
        row.durability == 0 && book.item(&row.def).is_some_and(|def| def.durability > 0)
    };
    let counting = worn.iter().filter(|row| !is_broken(row));
    let defs: Vec<String> = counting.map(|row| row.def.clone()).collect();
    let Some(row) = ctx.db.item_outfit().character_id().find(character_id) else {
        let row = ItemOutfit { character_id, motion_effect_id: 0, load_percent: 0, defs };
        ctx.db.item_outfit().insert(row);
        characters::sheet_changed(ctx, character_id);
        return;
    };
    if row.defs != defs {
        ctx.db.item_outfit().character_id().update(ItemOutfit { defs, ..row });
        characters::sheet_changed(ctx, character_id);
    }
}

/// What a character carries is not what it was: if it is in the world, its pace follows.
pub(super) fn weighed(ctx: &ReducerContext, character_id: u64) {
    let Some(row) = ctx.db.item_outfit().character_id().find(character_id) else { return };
    let percent =
        if characters::is_present(ctx, character_id) { load_of(ctx, character_id) } else { 0 };
    if percent != row.load_percent {
        let known = row.motion_effect_id;
        let motion_effect_id = motion::set_load(ctx, character_id, known, percent);
        let row = ItemOutfit { motion_effect_id, load_percent: percent, ..row };
        ctx.db.item_outfit().character_id().update(row);
    }
}

fn load_of(ctx: &ReducerContext, character_id: u64) -> u16 {
    let book = book(ctx);
    let Some(build) = characters::build_of(ctx, character_id, &book) else { return 0 };
    let kinds = [HolderKind::Bag, HolderKind::Equipment];
    let stacks = kinds.into_iter().flat_map(|kind| contents(ctx, kind, character_id));
    let weight = |row: Item| {
        let each = book.item(&row.def).map_or(0, |def| def.weight_g);
        u64::from(each) * u64::from(row.count)
    };
    let weight_g = stacks.map(weight).sum();
    load_percent(weight_g, build.scores.strength, book.setting("carry_g_per_strength"))
}

/// Nothing weighs on who leaves.
pub(super) fn unload(ctx: &ReducerContext, character_id: u64) {
    let row = ctx.db.item_outfit().character_id().find(character_id);
    if let Some(row) = row.filter(|row| row.motion_effect_id != 0) {
        motion::set_load(ctx, character_id, row.motion_effect_id, 0);
        let row = ItemOutfit { motion_effect_id: 0, load_percent: 0, ..row };
        ctx.db.item_outfit().character_id().update(row);
    }
}

/// A character enters: the first time it gets what its class begins with and its background's
/// coins; whenever content changed since, what it has put on is looked at again.
pub(super) fn entered(ctx: &ReducerContext, account_id: u64, character_id: u64) {
    let book = book(ctx);
    if ctx.db.item_outfit().character_id().find(character_id).is_none() {
        begin(ctx, account_id, character_id, &book);
    } else {
        let worn = contents(ctx, HolderKind::Equipment, character_id);
        show_worth(ctx, character_id, &worn, &book);
    }
    weighed(ctx, character_id);
}

/// Nothing where content has no items for its class: then later.
fn begin(ctx: &ReducerContext, account_id: u64, character_id: u64, book: &Book) {
    let Some(row) = ctx.db.character().character_id().find(character_id) else { return };
    let class = book.class(&row.class);
    let Some(kit) = class.and_then(|class| kit(class, book)) else { return };
    let cause = Cause::new(ctx, CauseKind::Birth, (account_id, character_id), character_id);
    let to = Holder::equipment(ctx, character_id);
    to.open(ctx);
    for (key, slot) in kit {
        // It cannot be given away, or characters would be made for their goods.
        let made = make(ctx, &cause, key, 1, to, Spot::Slot(slot)).unwrap_or_default();
        for row in made.into_iter().filter_map(|item_id| ctx.db.item().item_id().find(item_id)) {
            ctx.db.item().item_id().update(Item { bound_to: character_id, ..row });
        }
    }
    let made = ctx.db.character_build().character_id().find(character_id);
    let background = made.and_then(|row| book.background(&row.background));
    if let Some(coins) = background.map(|def| u64::from(def.coins)).filter(|coins| *coins > 0) {
        let wallet = Purse::wallet(ctx, character_id);
        // An account that can hold no more has nothing to begin.
        let _ = pay(ctx, &cause, Purse::source(Source::Birth), wallet, coins);
    }
    // What a class begins with can be held, and brings no slots.
    let _ = dressed(ctx, character_id, book);
}

/// A character died: what it has put on wears.
pub(crate) fn worn_by_death(ctx: &ReducerContext, character_id: u64) {
    let book = book(ctx);
    let percent = book.setting("death_durability_percent");
    let mut worn = contents(ctx, HolderKind::Equipment, character_id);
    for row in &mut worn {
        let whole = book.item(&row.def).map_or(0, |def| def.durability);
        let left = after_death(row.durability, whole, percent);
        if left != row.durability {
            row.durability = left;
            ctx.db.item().item_id().update(row.clone());
        }
    }
    if ctx.db.item_outfit().character_id().find(character_id).is_some() {
        show_worth(ctx, character_id, &worn, &book);
    }
}
