//! What an ability's effects do to whom they reach.

use super::super::areas::Point;
use super::super::casting::{cantrip_times, times, upcast};
use super::super::damage::{Share, roll_hit};
use super::super::dice::{Dice, Rolled, Roller, roll};
use super::super::fighter::{Effect, What};
use super::super::house::percent_of;
use super::super::scores::modifier;
use super::{Act, Consequence, Deed, Fighter, Line, Told, share_of, stacking_of};
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

/// Damage and healing that are rolled once for all who are reached, in the order of the effects;
/// none for effects that roll for each, or not at all.
pub(super) type Shared = Vec<Option<Rolled>>;

/// Rolls once for all. Who is attacked is rolled for by itself.
pub(super) fn roll_shared(deed: &Deed<'_>, user: &Fighter, roller: &mut dyn Roller) -> Shared {
    if deed.ability.attack.is_some() {
        return vec![];
    }
    let effects = deed.ability.effects.iter();
    effects.map(|effect| dice_of(deed, user, effect).map(|dice| roll_all(&dice, roller))).collect()
}

fn roll_all(dice: &[Dice], roller: &mut dyn Roller) -> Rolled {
    let mut rolled = roll(dice[0], roller);
    for more in &dice[1..] {
        let more = roll(*more, roller);
        rolled.total += more.total;
        rolled.shown.extend(more.shown);
    }
    rolled
}

/// The dice of an effect that hurts or heals at once: with what the slot, the level and the
/// attribute add. Dice of other sides come besides.
fn dice_of(deed: &Deed<'_>, user: &Fighter, effect: &EffectDef) -> Option<Vec<Dice>> {
    let (dice, more, adds) = match effect {
        EffectDef::Damage { dice, upcast, add_modifier, .. }
        | EffectDef::Heal { dice, upcast, add_modifier } => (*dice, *upcast, *add_modifier),
        EffectDef::TemporaryHitPoints { dice, upcast, .. } => (*dice, *upcast, false),
        EffectDef::Condition { .. }
        | EffectDef::Modifier { .. }
        | EffectDef::ModifierDice { .. }
        | EffectDef::Resistance { .. }
        | EffectDef::OverTime { .. }
        | EffectDef::Push { .. }
        | EffectDef::Pull { .. }
        | EffectDef::Teleport
        | EffectDef::Dash { .. }
        | EffectDef::Summon { .. }
        | EffectDef::Cure { .. }
        | EffectDef::Dispel { .. }
        | EffectDef::Revive { .. }
        | EffectDef::Stabilize
        | EffectDef::Taunt { .. } => return None,
    };
    let ability = deed.ability;
    let is_cantrip = ability.kind == AbilityKind::Spell && ability.level == 0;
    let dice = if ability.scales && is_cantrip {
        times(dice, cantrip_times(user.sheet.level))
    } else {
        dice
    };
    let (mut dice, besides) = upcast(dice, more, ability.level, deed.slot_level);
    if adds {
        let by = modifier(user.sheet.scores.get(user.sheet.casting_by));
        dice.bonus = dice.bonus.saturating_add(i16::try_from(by).unwrap_or(0));
    }
    Some(std::iter::once(dice).chain(besides).collect())
}

/// An ability without an attack reaches a target: it saves if it may, and the effects follow.
pub(super) fn reach(act: &mut Act<'_, '_>, shared: &Shared, roller: &mut dyn Roller) {
    let mut line = Line::of(act.target().entity_id);
    let reached = try_save(act, &mut line, false, roller);
    apply_all(act, reached, Some(shared), &mut line, roller);
    act.told.lines.push(line);
}

/// What follows a hit: the save if there is one, then the effects, rolled for this target.
pub(super) fn after_hit(
    act: &mut Act<'_, '_>,
    line: &mut Line,
    is_critical: bool,
    roller: &mut dyn Roller,
) {
    if act.deed.ability.effects.is_empty() {
        return;
    }
    let mut rolled = Line::of(line.target_id);
    let reached = try_save(act, &mut rolled, is_critical, roller);
    if !rolled.text.is_empty() {
        line.say(&rolled.text);
    }
    apply_all(act, reached, None, line, roller);
}

fn try_save(
    act: &Act<'_, '_>,
    line: &mut Line,
    is_critical: bool,
    roller: &mut dyn Roller,
) -> Reached {
    let all =
        Reached { share: Share::All, takes_hold: true, is_conditioned: true, is_critical };
    let Some(def) = act.deed.ability.save else { return all };
    let own = act.user().sheet.difficulty();
    let difficulty = def.difficulty.map_or(own, i32::from);
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
        let rolled = match shared {
            Some(shared) => shared.get(number).cloned().flatten(),
            None => roll_for(act, effect, reached.is_critical, roller),
        };
        apply(act, effect, rolled.as_ref(), reached, line, roller);
    }
}

/// Rolls an effect for one target; a critical hit doubles the dice that hurt.
fn roll_for(
    act: &Act<'_, '_>,
    effect: &EffectDef,
    is_critical: bool,
    roller: &mut dyn Roller,
) -> Option<Rolled> {
    let dice = dice_of(act.deed, act.user(), effect)?;
    let hurts = matches!(effect, EffectDef::Damage { .. });
    if !(hurts && is_critical) {
        return Some(roll_all(&dice, roller));
    }
    let mut rolled = roll_hit(dice[0], true, 0, roller);
    for more in &dice[1..] {
        let more = roll_hit(*more, true, 0, roller);
        rolled.total += more.total;
        rolled.shown.extend(more.shown);
    }
    Some(rolled)
}

fn apply(
    act: &mut Act<'_, '_>,
    effect: &EffectDef,
    rolled: Option<&Rolled>,
    reached: Reached,
    line: &mut Line,
    roller: &mut dyn Roller,
) {
    let total = rolled.map_or(0, |rolled| rolled.total);
    match effect {
        EffectDef::Damage { damage, .. } => {
            say_dice(line, rolled);
            act.hurt(line, (total, *damage), reached.share, reached.is_critical, roller);
        }
        EffectDef::Heal { .. } => heal(act, total, rolled, line),
        EffectDef::TemporaryHitPoints { duration_millis, .. } => {
            say_dice(line, rolled);
            shield(act, total, *duration_millis, line);
        }
        EffectDef::Condition { condition, duration_millis, save_ends } => {
            if reached.is_conditioned {
                befall(act, *condition, *duration_millis, *save_ends, line);
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
        EffectDef::Push { .. }
        | EffectDef::Pull { .. }
        | EffectDef::Teleport
        | EffectDef::Taunt { .. } => {
            if reached.takes_hold {
                displace(act, effect, line);
            }
        }
        EffectDef::Modifier { .. }
        | EffectDef::ModifierDice { .. }
        | EffectDef::Resistance { .. }
        | EffectDef::OverTime { .. }
        | EffectDef::Dash { .. } => {
            if reached.takes_hold {
                last(act, effect, line);
            }
        }
        // Once for all targets: in `besides`.
        EffectDef::Summon { .. } => {}
    }
}

fn say_dice(line: &mut Line, rolled: Option<&Rolled>) {
    if let Some(rolled) = rolled.filter(|rolled| rolled.dice.count > 0) {
        line.say(&format!("{}: {rolled}", rolled.dice));
    }
}

fn heal(act: &mut Act<'_, '_>, total: i32, rolled: Option<&Rolled>, line: &mut Line) {
    say_dice(line, rolled);
    let amount = percent_of(total.max(0), act.deed.house.healing_percent);
    let healed = act.fighters[act.target].health.heal(amount);
    line.rolled = line.rolled.saturating_add(total.max(0));
    line.amount = line.amount.saturating_add(healed);
    line.is_healing = true;
    line.say(&format!("{healed} healed"));
}

fn shield(act: &mut Act<'_, '_>, total: i32, duration_millis: u32, line: &mut Line) {
    let effect = effect_of(act, What::Temporary, duration_millis);
    let stacking = stacking_of(act.deed.ability);
    let target = &mut act.fighters[act.target];
    if target.health.is_dead() || !target.lay(effect, stacking) {
        return;
    }
    target.health.shield(total.max(0));
    line.say(&format!("{} temporary", target.health.temporary));
}

/// A condition, if the target is not immune to it.
fn befall(
    act: &mut Act<'_, '_>,
    condition: Condition,
    duration_millis: u32,
    save_ends: bool,
    line: &mut Line,
) {
    let mut effect = effect_of(act, What::Condition(condition), duration_millis);
    if save_ends {
        with_save(act, &mut effect);
    }
    let stacking = stacking_of(act.deed.ability);
    let target = &mut act.fighters[act.target];
    if target.health.is_dead() {
        return;
    }
    if target.is_immune(condition) {
        line.say(&format!("immune to {}", condition.word()));
    } else if target.lay(effect, stacking) {
        line.say(condition.word());
    }
}

/// An effect of the ability that lasts.
fn effect_of(act: &Act<'_, '_>, what: What, duration_millis: u32) -> Effect {
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
    let difficulty = def.difficulty.map_or(act.user().sheet.difficulty(), i32::from);
    effect.save = Some((def.attribute, difficulty));
    let round = act.deed.house.round_millis.max(1);
    effect.every_millis = u32::try_from(round).unwrap_or(u32::MAX);
    effect.next_at = act.deed.now.saturating_add(round);
}

/// Something that changes a number for a time, or hurts again and again.
fn last(act: &mut Act<'_, '_>, def: &EffectDef, line: &mut Line) {
    let now = act.deed.now;
    let effect = match *def {
        EffectDef::Modifier { stat, amount, duration_millis } => {
            effect_of(act, What::Modifier(stat, amount), duration_millis)
        }
        EffectDef::ModifierDice { stat, dice, negative, duration_millis } => {
            effect_of(act, What::ModifierDice(stat, dice, negative), duration_millis)
        }
        EffectDef::Resistance { damage, duration_millis } => {
            effect_of(act, What::Resistance(damage), duration_millis)
        }
        EffectDef::Dash { percent, duration_millis } => {
            let amount = i16::try_from(percent).unwrap_or(i16::MAX);
            effect_of(act, What::Modifier(Stat::SpeedPercent, amount), duration_millis)
        }
        EffectDef::OverTime { dice, damage, every_millis, duration_millis, save_ends } => {
            let mut effect = effect_of(act, What::OverTime(dice, damage), duration_millis);
            if save_ends {
                with_save(act, &mut effect);
            }
            effect.every_millis = every_millis.max(1);
            effect.next_at = now.saturating_add(i64::from(every_millis.max(1)));
            effect
        }
        _ => return,
    };
    let stacking = stacking_of(act.deed.ability);
    let (key, target) = (act.deed.ability.key.as_str(), &mut act.fighters[act.target]);
    if !target.health.is_dead() && target.lay(effect, stacking) {
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

fn revive(act: &mut Act<'_, '_>, hit_points: u16, line: &mut Line) {
    let target = &mut act.fighters[act.target];
    if act.deed.house.resurrection && target.health.revive(i32::from(hit_points)) {
        line.amount = target.health.current;
        line.is_healing = true;
        line.say("lives again");
    }
}

/// Moves somebody, or draws its attention.
fn displace(act: &mut Act<'_, '_>, effect: &EffectDef, line: &mut Line) {
    let (from, at) = (act.user().place, act.target().place);
    let entity_id = act.target().entity_id;
    let consequence = match *effect {
        EffectDef::Push { distance_mm } => {
            let to = along(from, at, i64::from(distance_mm));
            line.say("pushed");
            Consequence::Moved { entity_id, to, is_teleport: false }
        }
        EffectDef::Pull { distance_mm } => {
            let way = i64::from(super::distance_mm(from, at));
            // Nobody is pulled past who pulls.
            let far = i64::from(distance_mm).min((way - PULLED_TO_MM).max(0));
            line.say("pulled");
            Consequence::Moved { entity_id, to: along(from, at, -far), is_teleport: false }
        }
        EffectDef::Teleport => {
            let entity_id = act.user().entity_id;
            Consequence::Moved { entity_id, to: act.deed.at, is_teleport: true }
        }
        EffectDef::Taunt { threat } => Consequence::Taunted { entity_id, threat },
        _ => return,
    };
    act.told.consequences.push(consequence);
}

/// How near somebody is pulled, millimetres.
const PULLED_TO_MM: i64 = 1_000;

/// The place so far from `at` on the line from `from` through it; the north where both are one.
fn along(from: Point, at: Point, far_mm: i64) -> Point {
    let way = |a: i32, b: i32| i64::from(b) - i64::from(a);
    let (dx, dy) = (way(from.x_mm, at.x_mm), way(from.y_mm, at.y_mm));
    let length = (dx * dx + dy * dy).isqrt();
    let (dx, dy, length) = if length == 0 { (0, 1, 1) } else { (dx, dy, length) };
    let moved = |start: i32, part: i64| {
        let to = i64::from(start) + part * far_mm / length;
        i32::try_from(to).unwrap_or(start)
    };
    Point { x_mm: moved(at.x_mm, dx), y_mm: moved(at.y_mm, dy) }
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
