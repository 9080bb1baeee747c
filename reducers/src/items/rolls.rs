//! Rolls: need before greed, one for each stack that is rare.
//!
//! Keeps true: a roll is decided once, when all have chosen who are in the world or its time is
//! over, with dice that everybody near can prove; who wins and is away gets it by mail.

use super::loot::{Reached, changed, shares_of};
use super::moves::{deliver, key_at};
use super::{Holder, Spot, contents, stack_of, take};
use crate::authority::require_player;
use crate::combat::dice::Cup;
use crate::commands::once;
use crate::content::book;
use crate::economy::Cause;
use crate::mail::{RealmLetter, send_by_realm};
use crate::ordered::ranges;
use crate::{Refusal, characters, now_micros};
use haven_rules::combat::EVENT_SECONDS;
use haven_rules::content::book::Book;
use haven_rules::economy::CauseKind;
use haven_rules::items::loot::{Throw, decide, withholds};
use haven_rules::items::worn::{check_wear, wear_of};
use haven_rules::items::{Choice, HolderKind, ItemError};
use haven_rules::keys::{joint_key, keys_of};
use haven_rules::motion::slot_of;
use haven_rules::parties::LootMode;
use haven_tables::combat::CombatLine;
use haven_tables::commands::CommandId;
use haven_tables::items::{
    Item, Loot, LootChoice, LootOpenRoll, item, loot, loot_choice, loot_open_roll,
};
use spacetimedb::{ReducerContext, Table, reducer};

/// The template of the letter with which somebody gets what it has won.
const LETTER: &str = "loot_won";

/// Begins a roll for whatever is rare of a loot, if its party rolls.
pub(super) fn begin(ctx: &ReducerContext, row: &Loot, book: &Book) {
    if row.mode != LootMode::NeedBeforeGreed as u8 {
        return;
    }
    let ends_at = now_micros(ctx) + book.setting("loot_roll_millis") * 1_000;
    let ends_at = ends_at.min(row.expires_at_micros);
    for stack in contents(ctx, HolderKind::Loot, row.loot_id) {
        let rarity = book.item(&stack.def).map(|def| def.rarity);
        if rarity.is_some_and(|rarity| withholds(LootMode::NeedBeforeGreed, row.threshold, rarity))
        {
            let (item_id, loot_id) = (stack.item_id, row.loot_id);
            let ends_key = key_at(ends_at, item_id);
            ctx.db.loot_open_roll().insert(LootOpenRoll { item_id, ends_key, loot_id });
        }
    }
}

/// Whether a stack is rolled for.
pub(super) fn is_open(ctx: &ReducerContext, item_id: u64) -> bool {
    ctx.db.loot_open_roll().item_id().find(item_id).is_some()
}

/// Ends a roll without a winner.
pub(super) fn drop_roll(ctx: &ReducerContext, loot_id: u64, item_id: u64) {
    ctx.db.loot_open_roll().item_id().delete(item_id);
    for share in shares_of(ctx, loot_id) {
        let key = joint_key(item_id, share.character_id);
        ctx.db.loot_choice().choice_key().delete(key);
    }
}

/// Says how much the caller wants something that is rolled for: 0 pass, 1 greed, 2 need. Once; it
/// is decided when all have chosen who are in the world, or after 60 s.
///
/// # Errors
/// In this order: the caller's, the command's, `item.choice_invalid`, `item.not_in_world`,
/// `item.not_awake`, `item.loot_unknown`, `item.not_rolled`, `item.chosen_already`,
/// `item.need_unfit` where it is put on, and not by the caller's character.
#[reducer]
pub fn loot_roll(
    ctx: &ReducerContext,
    loot_id: u64,
    item_id: u64,
    choice: u8,
    command: CommandId,
) -> Result<(), Refusal> {
    let player = require_player(ctx)?;
    once(ctx, player.account_id, command, &("loot_roll", loot_id, item_id, choice), || {
        let wanted = Choice::of(choice)?;
        let Reached { own, .. } = Reached::find(ctx, player, loot_id)?;
        let roll = ctx.db.loot_open_roll().item_id().find(item_id);
        let roll = roll.filter(|roll| roll.loot_id == loot_id).ok_or(ItemError::NotRolled)?;
        let character_id = own.character_id;
        let choice_key = joint_key(item_id, character_id);
        if ctx.db.loot_choice().choice_key().find(choice_key).is_some() {
            return Err(ItemError::ChosenAlready.into());
        }
        if wanted == Choice::Need {
            let stack = stack_of(ctx, &[HolderKind::Loot], loot_id, item_id);
            let book = book(ctx);
            let def = stack.as_ref().and_then(|stack| book.item(&stack.def));
            let build = own.build(ctx, &book)?;
            let is_fit = def.is_none_or(|def| {
                wear_of(def, &book).is_none() || check_wear(def, &build, &book).is_ok()
            });
            if !is_fit {
                return Err(ItemError::NeedUnfit.into());
            }
        }
        ctx.db.loot_choice().insert(LootChoice { choice_key, character_id, choice });
        let is_waited_for = |id: u64| {
            let has_chosen =
                ctx.db.loot_choice().choice_key().find(joint_key(item_id, id)).is_some();
            !has_chosen && characters::is_present(ctx, id)
        };
        let shares = shares_of(ctx, loot_id);
        if !shares.iter().any(|share| is_waited_for(share.character_id)) {
            settle(ctx, &roll);
        }
        Ok(())
    })
}

/// Decides a roll: who has not chosen passes.
pub(super) fn settle(ctx: &ReducerContext, roll: &LootOpenRoll) {
    let (item_id, loot_id) = (roll.item_id, roll.loot_id);
    let keys = keys_of(item_id);
    let said = ranges(ctx.db.loot_choice().choice_key()).filter(keys);
    let choices: Vec<(u64, Choice)> =
        said.filter_map(|row| Some((row.character_id, Choice::of(row.choice).ok()?))).collect();
    let stack = ctx.db.item().item_id().find(item_id);
    let (Some(row), Some(stack)) = (ctx.db.loot().loot_id().find(loot_id), stack) else {
        drop_roll(ctx, loot_id, item_id);
        return;
    };
    let mut cup = Cup::open(ctx);
    let mut throws = cup.event(ctx, row.creature_id, "loot_roll");
    let decided = decide(&choices, &mut throws);
    if !decided.is_empty() {
        let ends_at = now_micros(ctx) + i64::from(EVENT_SECONDS) * 1_000_000;
        let lines = decided.iter().map(line_of).collect();
        throws.tell(ctx, row.chunk_index, slot_of(ends_at), lines);
    }
    cup.close(ctx);
    drop_roll(ctx, loot_id, item_id);
    if let Some(won) = decided.first() {
        let cause = Cause::new(ctx, CauseKind::Loot, (0, won.character_id), loot_id);
        hand_over(ctx, &cause, &stack, won.character_id);
    }
    changed(ctx, loot_id);
}

/// A throw as a line of an event: what it was thrown for is not said.
fn line_of(throw: &Throw) -> CombatLine {
    let word = if throw.choice == Choice::Need { "need" } else { "greed" };
    CombatLine {
        target_id: throw.character_id,
        rolled: i32::from(throw.natural),
        amount: 0,
        modifier: 0,
        against: 0,
        natural: throw.natural,
        verdict: 0,
        damage: 0,
        is_healing: false,
        fell: 0,
        text: format!("{word} {}", throw.natural),
    }
}

/// Gives a stack to somebody: into the bag of who is in the world and has room for it, to others by
/// mail.
pub(super) fn hand_over(ctx: &ReducerContext, cause: &Cause, stack: &Item, character_id: u64) {
    if characters::is_present(ctx, character_id) {
        let bag = Holder::bag(ctx, character_id);
        if take(ctx, cause, stack, stack.count, bag, Spot::Anywhere).is_ok() {
            return;
        }
    }
    let letter = RealmLetter {
        to_character_id: character_id,
        template: LETTER,
        words: vec![stack.def.clone()],
        stacks: std::slice::from_ref(stack),
        coins: None,
    };
    send_by_realm(ctx, cause, letter);
    // Whatever the mail could not take is the account's anyway; without any room it stays there.
    let stays = ctx.db.item().item_id().find(stack.item_id);
    let stays = stays.filter(|row| row.place_key == stack.place_key);
    if let (Some(row), Some(account_id)) = (stays, characters::owner_of(ctx, character_id)) {
        deliver(ctx, cause, &row, (account_id, character_id));
    }
}
