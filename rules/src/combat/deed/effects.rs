//! What an ability's effects do to whom they reach.
//!
//! Keeps true: the dead are hurt, held and moved no more; damage of one hit or one spell is one
//! blow.

use super::super::damage::Share;
use super::super::dice::Roller;
use super::super::fighter::{Effect, What};
use super::super::house::percent_of;
use super::moves::{pull, push, teleport};
use super::throws::{Shared, Thrown, roll_for};
use super::{Act, Consequence, Deed, Line, Told, difficulty_of, share_of};
use crate::content::{AbilityKind, Condition, EffectDef, OnSave, Stat};

/// Who is reached: what a save left, and whether it was a critical hit.
#[derive(Clone, Copy)]
struct Reached {
    share: Share,
    /// Whether what does not hurt takes hold.
    takes_hold: bool,
    /// Whether conditions do.
    is_conditioned: bool,
    is_critical: bool,
}

/// An ability without an attack reaches a target: it saves if it may, and the effects follow.
pub(super) fn reach(act: &mut Act<'_, '_>, shared: &Shared, roller: &mut dyn Roller) {
    let mut line = Line::of(act.target().entity_id);
    let reached = try_save(act, &mut line, false, roller);
    apply_all(act, reached, Some(shared), &mut line, roller);
    act.told.lines.push(line);
}

/// What follows a hit: the damage of the hit and the ability's own lands as one blow, unless there
/// is a save in between; then all else, rolled for this target.
pub(super) fn after_hit(
    act: &mut Act<'_, '_>,
    line: &mut Line,
    is_critical: bool,
    roller: &mut dyn Roller,
) {
    let mut rolled = Line::of(line.target_id);
    if act.deed.ability.save.is_some() {
        act.land(line, is_critical, roller);
        if act.target().health.is_dead() {
            return;
        }
    }
    let reached = try_save(act, &mut rolled, is_critical, roller);
    line.say(&rolled.text);
    apply_all(act, reached, None, line, roller);
}

fn try_save(
    act: &Act<'_, '_>,
    line: &mut Line,
    is_critical: bool,
    roller: &mut dyn Roller,
) -> Reached {
    let all = Reached { share: Share::All, takes_hold: true, is_conditioned: true, is_critical };
    let Some(def) = act.deed.ability.save.filter(|_| !act.deed.ability.effects.is_empty()) else {
        return all;
    };
    let difficulty = difficulty_of(act.user(), act.deed.ability.kind, def);
    let against = act.deed.ability.effects.iter().find_map(condition_of);
    let is_saved = act.save(line, def.attribute, difficulty, against, roller);
    Reached {
        share: share_of(act.target(), def.attribute, def.on_success, is_saved),
        takes_hold: !is_saved || def.on_success == OnSave::NoCondition,
        is_conditioned: !is_saved,
        is_critical,
    }
}

fn condition_of(effect: &EffectDef) -> Option<Condition> {
    if let EffectDef::Condition { condition, .. } = effect { Some(*condition) } else { None }
}

fn apply_all(
    act: &mut Act<'_, '_>,
    reached: Reached,
    shared: Option<&Shared>,
    line: &mut Line,
    roller: &mut dyn Roller,
) {
    let ability = act.deed.ability;
    for (number, effect) in ability.effects.iter().enumerate() {
        if !matches!(effect, EffectDef::Damage { .. }) {
            act.land(line, reached.is_critical, roller);
        }
        let is_for_the_dead = matches!(effect, EffectDef::Revive { .. } | EffectDef::Teleport);
        if act.target().health.is_dead() && !is_for_the_dead {
            // What was thrown for all who are reached is told all the same.
            if let Some(thrown) = shared.and_then(|shared| shared.get(number)) {
                line.say(&thrown.text);
            }
            continue;
        }
        let thrown = match shared {
            Some(shared) => shared.get(number).cloned().unwrap_or_default(),
            None => roll_for(act, effect, reached.is_critical, roller),
        };
        apply(act, effect, &thrown, reached, line, roller);
    }
    act.land(line, reached.is_critical, roller);
}

fn apply(
    act: &mut Act<'_, '_>,
    effect: &EffectDef,
    thrown: &Thrown,
    reached: Reached,
    line: &mut Line,
    roller: &mut dyn Roller,
) {
    match effect {
        EffectDef::Damage { damage, .. } => {
            line.say(&thrown.text);
            act.hurt(line, (thrown.total, *damage), reached.share);
        }
        EffectDef::Heal { .. } => heal(act, thrown, line),
        EffectDef::TemporaryHitPoints { duration_millis, .. } => {
            shield(act, thrown, *duration_millis, line);
        }
        EffectDef::Condition { condition, duration_millis, save_ends } => {
            if reached.is_conditioned {
                let mut effect = effect_of(act, What::Condition(*condition), *duration_millis);
                if *save_ends {
                    with_save(act, &mut effect);
                }
                befall(act, *condition, effect, line, roller);
            }
        }
        EffectDef::Cure { conditions } => cure(act, conditions, line),
        EffectDef::Dispel { level } => dispel(act, *level, line),
        EffectDef::Revive { hit_points } => revive(act, *hit_points, line),
        EffectDef::Stabilize => {
            if act.fighters[act.target].health.stabilize() {
                line.say("stable");
            }
        }
        EffectDef::Modifier { .. }
        | EffectDef::ModifierDice { .. }
        | EffectDef::Resistance { .. }
        | EffectDef::OverTime { .. }
        | EffectDef::Dash { .. }
        | EffectDef::Push { .. }
        | EffectDef::Pull { .. }
        | EffectDef::Teleport
        | EffectDef::Taunt { .. } => {
            if reached.takes_hold {
                hold(act, effect, line);
            }
        }
        // Once for all targets: in `besides`.
        EffectDef::Summon { .. } => {}
    }
}

/// What happens only where no save kept it off.
fn hold(act: &mut Act<'_, '_>, effect: &EffectDef, line: &mut Line) {
    match *effect {
        EffectDef::Modifier { stat, amount, duration_millis } => {
            last(act, What::Modifier(stat, amount), duration_millis, line);
        }
        EffectDef::ModifierDice { stat, dice, negative, duration_millis } => {
            last(act, What::ModifierDice(stat, dice, negative), duration_millis, line);
        }
        EffectDef::Resistance { damage, duration_millis } => {
            last(act, What::Resistance(damage), duration_millis, line);
        }
        EffectDef::Dash { percent, duration_millis } => {
            let amount = i16::try_from(percent).unwrap_or(i16::MAX);
            last(act, What::Modifier(Stat::SpeedPercent, amount), duration_millis, line);
        }
        EffectDef::OverTime { dice, damage, every_millis, duration_millis, save_ends } => {
            let mut effect = effect_of(act, What::OverTime(dice, damage), duration_millis);
            if save_ends {
                with_save(act, &mut effect);
            }
            come_again(&mut effect, act.deed.now, every_millis);
            lay(act, effect, line);
        }
        EffectDef::Push { distance_mm } => push(act, distance_mm, line),
        EffectDef::Pull { distance_mm } => pull(act, distance_mm, line),
        EffectDef::Teleport => teleport(act),
        EffectDef::Taunt { threat } => {
            let entity_id = act.target().entity_id;
            act.told.consequences.push(Consequence::Taunted { entity_id, threat });
        }
        EffectDef::Damage { .. }
        | EffectDef::Heal { .. }
        | EffectDef::TemporaryHitPoints { .. }
        | EffectDef::Condition { .. }
        | EffectDef::Summon { .. }
        | EffectDef::Cure { .. }
        | EffectDef::Dispel { .. }
        | EffectDef::Revive { .. }
        | EffectDef::Stabilize => {}
    }
}

fn heal(act: &mut Act<'_, '_>, thrown: &Thrown, line: &mut Line) {
    line.say(&thrown.text);
    let amount = percent_of(thrown.total.max(0), act.deed.house.healing_percent);
    let healed = act.fighters[act.target].health.heal(amount);
    line.rolled = line.rolled.saturating_add(thrown.total.max(0));
    line.amount = line.amount.saturating_add(healed);
    line.is_healing = true;
    line.say(&format!("{healed} healed"));
}

fn shield(act: &mut Act<'_, '_>, thrown: &Thrown, duration_millis: u32, line: &mut Line) {
    line.say(&thrown.text);
    let effect = effect_of(act, What::Temporary, duration_millis);
    if act.lay(effect) {
        let health = &mut act.fighters[act.target].health;
        health.shield(thrown.total.max(0));
        line.say(&format!("{} temporary", health.temporary));
    }
}

/// A condition, if the target is not immune to it; who cannot act lets go of what it holds.
pub(super) fn befall(
    act: &mut Act<'_, '_>,
    condition: Condition,
    effect: Effect,
    line: &mut Line,
    roller: &mut dyn Roller,
) {
    if act.target().is_immune(condition) {
        line.say(&format!("immune to {}", condition.word()));
    } else if act.lay(effect) {
        line.say(condition.word());
        act.let_go(line, roller);
    }
}

/// An effect of the ability that lasts.
pub(super) fn effect_of(act: &Act<'_, '_>, what: What, duration_millis: u32) -> Effect {
    Effect {
        effect_id: 0,
        ability: act.deed.ability.key.clone(),
        by: act.user().entity_id,
        what,
        ends_at: act.deed.now.saturating_add(i64::from(duration_millis)),
        next_at: i64::MAX,
        every_millis: 0,
        save: None,
        is_concentration: act.deed.ability.concentration,
    }
}

/// It can be shaken off once a round, by the save of the ability.
fn with_save(act: &Act<'_, '_>, effect: &mut Effect) {
    let Some(def) = act.deed.ability.save else { return };
    let difficulty = difficulty_of(act.user(), act.deed.ability.kind, def);
    effect.save = Some((def.attribute, difficulty));
    let round = act.deed.house.round_millis.max(1);
    effect.every_millis = u32::try_from(round).unwrap_or(u32::MAX);
    effect.next_at = act.deed.now.saturating_add(round);
}

/// It comes again and again. What lasts a minute and comes each round comes ten times: the last
/// time falls on its end, so it lies half a step longer.
fn come_again(effect: &mut Effect, now: i64, every_millis: u32) {
    let every = i64::from(every_millis.max(1));
    effect.every_millis = every_millis.max(1);
    effect.next_at = now.saturating_add(every);
    effect.ends_at = effect.ends_at.saturating_add(every / 2);
}

/// Something that changes a number for a time.
fn last(act: &mut Act<'_, '_>, what: What, duration_millis: u32, line: &mut Line) {
    let effect = effect_of(act, what, duration_millis);
    lay(act, effect, line);
}

/// Lays it, and says so once, however much the ability lays.
fn lay(act: &mut Act<'_, '_>, effect: Effect, line: &mut Line) {
    let key = act.deed.ability.key.as_str();
    if act.lay(effect) && !line.text.ends_with(key) {
        line.say(key);
    }
}

fn cure(act: &mut Act<'_, '_>, conditions: &[Condition], line: &mut Line) {
    let is_cured = |effect: &Effect| {
        conditions.iter().any(|condition| effect.what == What::Condition(*condition))
    };
    if act.fighters[act.target].forget(is_cured) > 0 {
        line.say("cured");
    }
}

/// Ends what spells of at most a level do; 0 for the level of the slot.
fn dispel(act: &mut Act<'_, '_>, level: u8, line: &mut Line) {
    let highest = if level == 0 { act.deed.slot_level } else { level };
    let book = act.deed.book;
    let is_weak = |effect: &Effect| {
        let ability = book.ability(&effect.ability);
        ability.is_some_and(|a| a.kind == AbilityKind::Spell && a.level <= highest)
    };
    let ended = act.fighters[act.target].forget(is_weak);
    line.say(&format!("{ended} dispelled"));
}

/// Brings a character back. A creature's death has been paid for, and its place is filled anew: it
/// stays dead.
fn revive(act: &mut Act<'_, '_>, hit_points: u16, line: &mut Line) {
    let target = &mut act.fighters[act.target];
    let can_be = act.deed.house.resurrection && target.is_player;
    if can_be && target.health.revive(i32::from(hit_points)) {
        line.amount = target.health.current;
        line.is_healing = true;
        line.say("lives again");
    } else {
        line.say("stays as it is");
    }
}

/// What happens once, whoever is reached.
pub(super) fn besides(deed: &Deed<'_>, told: &mut Told) {
    for effect in &deed.ability.effects {
        if let EffectDef::Summon { creature, count, duration_millis } = effect
            && deed.house.summoning
        {
            told.consequences.push(Consequence::Summoned {
                creature: creature.clone(),
                count: *count,
                duration_millis: *duration_millis,
            });
        }
    }
}
