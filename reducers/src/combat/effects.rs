//! Effects as rows: read, written where they differ, ended.
//!
//! Keeps true: an effect that has a row has one row in `combat_due` for its next moment or its end,
//! whichever comes first; nothing lies on a body that is gone.

use super::bodies::{self, micros, millis};
use super::due::{self, Kind};
use crate::content::book;
use crate::sequences;
use haven_rules::combat::dice::Dice;
use haven_rules::combat::fighter::{Effect, Fighter, What};
use haven_rules::content::{Attribute, Condition, DamageType, Stat};
use haven_rules::sequences::Numbered;
use haven_tables::combat::{CombatEffect, combat_effect};
use spacetimedb::{ReducerContext, Table};
use std::collections::BTreeSet;

/// What lies on a body and is not over.
pub(super) fn of(ctx: &ReducerContext, entity_id: u64, now: i64) -> Vec<Effect> {
    let rows = ctx.db.combat_effect().by_entity().filter(entity_id);
    let lies = rows.filter(|row| millis(row.ends_at_micros) > now);
    let mut effects: Vec<Effect> = lies.filter_map(|row| effect_of(&row)).collect();
    effects.sort_unstable_by_key(|effect| effect.effect_id);
    effects
}

fn effect_of(row: &CombatEffect) -> Option<Effect> {
    let subject = usize::from(row.subject);
    let (count, sides, bonus) = (row.dice_count, row.dice_sides, row.dice_bonus);
    let dice = Dice { count, sides, bonus };
    let stat = || Stat::ALL.get(subject).copied();
    let damage = || DamageType::ALL.get(subject).copied();
    let what = match row.kind {
        1 => What::Condition(Condition::ALL.get(subject).copied()?),
        2 => What::Modifier(stat()?, row.amount),
        3 => What::ModifierDice(stat()?, dice, false),
        4 => What::ModifierDice(stat()?, dice, true),
        5 => What::Resistance(damage()?),
        6 => What::OverTime(dice, Some(damage()?)),
        7 => What::OverTime(dice, None),
        8 => What::Temporary,
        _ => return None,
    };
    let save = usize::from(row.save).checked_sub(1).and_then(|at| Attribute::ALL.get(at));
    let next_at = row.next_at_micros;
    Some(Effect {
        effect_id: row.effect_id,
        ability: row.ability.clone(),
        by: row.source_id,
        what,
        ends_at: millis(row.ends_at_micros),
        next_at: if next_at == i64::MAX { i64::MAX } else { millis(next_at) },
        every_millis: row.every_millis,
        save: save.map(|attribute| (*attribute, i32::from(row.difficulty))),
        is_concentration: row.is_concentration,
    })
}

/// Row of an effect. What a list holds fits a byte: they are shorter than 20.
fn row_of(entity_id: u64, effect: &Effect) -> CombatEffect {
    let no_dice = Dice { count: 0, sides: 0, bonus: 0 };
    let (kind, subject, amount, dice) = match effect.what {
        What::Condition(condition) => (1, condition as usize, 0, no_dice),
        What::Modifier(stat, amount) => (2, stat as usize, amount, no_dice),
        What::ModifierDice(stat, dice, false) => (3, stat as usize, 0, dice),
        What::ModifierDice(stat, dice, true) => (4, stat as usize, 0, dice),
        What::Resistance(damage) => (5, damage as usize, 0, no_dice),
        What::OverTime(dice, Some(damage)) => (6, damage as usize, 0, dice),
        What::OverTime(dice, None) => (7, 0, 0, dice),
        What::Temporary => (8, 0, 0, no_dice),
    };
    let save = effect.save.map_or(0, |(attribute, _)| attribute as usize + 1);
    let difficulty = effect.save.map_or(0, |(_, difficulty)| difficulty);
    CombatEffect {
        effect_id: effect.effect_id,
        entity_id,
        source_id: effect.by,
        ends_at_micros: micros(effect.ends_at),
        next_at_micros: micros(effect.next_at),
        every_millis: effect.every_millis,
        amount,
        dice_bonus: dice.bonus,
        difficulty: i16::try_from(difficulty).unwrap_or(i16::MAX),
        kind,
        subject: u8::try_from(subject).unwrap_or(u8::MAX),
        dice_count: dice.count,
        dice_sides: dice.sides,
        save: u8::try_from(save).unwrap_or(0),
        is_concentration: effect.is_concentration,
        ability: effect.ability.clone(),
    }
}

/// Writes what differs: new effects get their numbers, those that are gone lose their rows.
pub(super) fn write(ctx: &ReducerContext, fighter: &mut Fighter, before: &[Effect]) {
    let entity_id = fighter.entity_id;
    let stays: BTreeSet<u64> = fighter.effects.iter().map(|effect| effect.effect_id).collect();
    let gone: BTreeSet<u64> =
        before.iter().map(|effect| effect.effect_id).filter(|id| !stays.contains(id)).collect();
    forget(ctx, entity_id, &gone);
    for effect in &mut fighter.effects {
        if effect.effect_id == 0 {
            effect.effect_id = sequences::next(ctx, Numbered::CombatEffect);
            ctx.db.combat_effect().insert(row_of(entity_id, effect));
            look_at(ctx, entity_id, effect);
        } else if before.iter().all(|known| known != effect) {
            ctx.db.combat_effect().effect_id().update(row_of(entity_id, effect));
            look_at(ctx, entity_id, effect);
        }
    }
}

fn look_at(ctx: &ReducerContext, entity_id: u64, effect: &Effect) {
    let at = micros(effect.next_at.min(effect.ends_at));
    due::set(ctx, entity_id, effect.effect_id, Kind::Effect, at);
}

fn forget(ctx: &ReducerContext, entity_id: u64, gone: &BTreeSet<u64>) {
    if gone.is_empty() {
        return;
    }
    for effect_id in gone {
        ctx.db.combat_effect().effect_id().delete(effect_id);
    }
    let is_gone = |kind: u8, subject: u64| kind == Kind::Effect as u8 && gone.contains(&subject);
    due::forget(ctx, entity_id, |row| is_gone(row.kind, row.subject_id));
}

/// An effect is over: its row goes, and the body is as it is without it.
pub(super) fn end(ctx: &ReducerContext, entity_id: u64, effect_id: u64) {
    let Some(mut body) = bodies::load(ctx, entity_id, &book(ctx)) else { return };
    // It is over and was not loaded, so that it is not among those that differ either.
    forget(ctx, entity_id, &BTreeSet::from([effect_id]));
    body.fighter.forget(|effect| effect.effect_id == effect_id);
    if !body.fighter.effects.iter().any(|effect| effect.what == What::Temporary) {
        body.fighter.health.temporary = 0;
    }
    bodies::store(ctx, body);
}

/// Somebody concentrates no more: what hung on it ends, wherever it lies.
pub(super) fn end_concentration(ctx: &ReducerContext, source_id: u64) {
    let rows = ctx.db.combat_effect().by_source().filter(source_id);
    let hang = rows.filter(|row| row.is_concentration);
    let bodies: BTreeSet<u64> = hang.map(|row| row.entity_id).collect();
    for entity_id in bodies {
        let Some(mut body) = bodies::load(ctx, entity_id, &book(ctx)) else { continue };
        body.fighter.forget(|effect| effect.is_concentration && effect.by == source_id);
        bodies::store(ctx, body);
    }
}

/// A body is gone: nothing lies on it, and what hangs on its concentration ends.
pub(super) fn end_all(ctx: &ReducerContext, entity_id: u64) {
    end_concentration(ctx, entity_id);
    ctx.db.combat_effect().by_entity().delete(entity_id);
}
