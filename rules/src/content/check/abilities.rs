//! What is checked of abilities: what a spell has and nothing else does, what each effect needs.

use crate::combat::dice::Dice;
use crate::content::entry::Kind;
use crate::content::{AbilityDef, AbilityKind, Area, AttackKind, EffectDef, limits};

use super::{Check, people};

pub(super) fn ability(check: &mut Check<'_>, ability: &AbilityDef) {
    check.key(&ability.key);
    check.name("name", &ability.name);
    check.source(&ability.source);
    check.text_if_any(&ability.text);
    match ability.kind {
        AbilityKind::Spell => spell(check, ability),
        AbilityKind::Feature | AbilityKind::Basic | AbilityKind::Creature | AbilityKind::Item => {
            no_spell(check, ability);
        }
    }
    check.range("cast_millis", ability.cast_millis, &limits::CAST_MILLIS);
    check.range("cooldown_millis", ability.cooldown_millis, &limits::COOLDOWN_MILLIS);
    check.range("range_mm", ability.range_mm, &limits::ABILITY_RANGE_MM);
    uses(check, ability);
    if let Some(size) = ability.area {
        area(check, size);
    }
    if let Some(difficulty) = ability.save.and_then(|save| save.difficulty) {
        check.range("save.difficulty", difficulty, &limits::DIFFICULTY);
    }
    check.length("effects", ability.effects.len(), 0, limits::LIST_MAX, "entries");
    for (index, of) in ability.effects.iter().enumerate() {
        effect(check, &format!("effects[{index}]"), of);
    }
    effects(check, ability);
}

fn spell(check: &mut Check<'_>, ability: &AbilityDef) {
    check.range("level", ability.level, &limits::SPELL_LEVEL);
    if ability.school.is_none() {
        check.fail("school", "is missing, though it is a spell");
    }
    if ability.classes.is_empty() {
        check.fail("classes", "are missing, though it is a spell");
    }
    check.keys("classes", Kind::Class, &ability.classes);
    if ability.scales && ability.level != 0 {
        check.fail("scales", "is true, though it is no cantrip");
    }
}

fn no_spell(check: &mut Check<'_>, ability: &AbilityDef) {
    if ability.level != 0 {
        check.fail("level", format!("is {}, though it is no spell", ability.level));
    }
    if ability.school.is_some() {
        check.fail("school", "is there, though it is no spell");
    }
    if !ability.classes.is_empty() {
        check.fail("classes", "are there, though it is no spell");
    }
}

/// Uses by level are of one kind of rest.
fn uses(check: &mut Check<'_>, ability: &AbilityDef) {
    check.by_level("uses_by_level", &ability.uses_by_level, &(0..=i64::from(u8::MAX)));
    let rests = [ability.uses_per_long_rest, ability.uses_per_short_rest];
    if !ability.uses_by_level.is_empty() && rests.iter().filter(|uses| **uses > 0).count() != 1 {
        check.fail("uses_by_level", "is there, but not which rest brings them back");
    }
}

fn area(check: &mut Check<'_>, area: Area) {
    let mut size = |field: &str, value: u32| {
        check.range(&format!("area.{field}"), value, &limits::AREA_MM);
    };
    match area {
        Area::Sphere { radius_mm } => size("radius_mm", radius_mm),
        Area::Cone { length_mm } => size("length_mm", length_mm),
        Area::Line { length_mm, width_mm } => {
            size("length_mm", length_mm);
            size("width_mm", width_mm);
        }
        Area::Cube { side_mm } => size("side_mm", side_mm),
    }
}

/// What attacks, saves and concentration need of the effects together.
fn effects(check: &mut Check<'_>, ability: &AbilityDef) {
    let has_none = ability.effects.is_empty();
    if ability.save.is_some() && has_none && ability.attack != Some(AttackKind::Weapon) {
        check.fail("save", "is there, but no effect to save from");
    }
    if let Some(AttackKind::MeleeSpell | AttackKind::RangedSpell) = ability.attack
        && has_none
    {
        check.fail("attack", "is there, but no effect of a hit");
    }
    if ability.concentration && !ability.effects.iter().any(|effect| lasts(effect).is_some()) {
        check.fail("concentration", "is true, but no effect lasts");
    }
}

/// For how long an effect lasts, milliseconds; none where it is done at once.
const fn lasts(effect: &EffectDef) -> Option<u32> {
    match effect {
        EffectDef::TemporaryHitPoints { duration_millis, .. }
        | EffectDef::Condition { duration_millis, .. }
        | EffectDef::Modifier { duration_millis, .. }
        | EffectDef::ModifierDice { duration_millis, .. }
        | EffectDef::Resistance { duration_millis, .. }
        | EffectDef::OverTime { duration_millis, .. }
        | EffectDef::Dash { duration_millis, .. }
        | EffectDef::Summon { duration_millis, .. } => Some(*duration_millis),
        EffectDef::Damage { .. }
        | EffectDef::Heal { .. }
        | EffectDef::Push { .. }
        | EffectDef::Pull { .. }
        | EffectDef::Teleport
        | EffectDef::Cure { .. }
        | EffectDef::Dispel { .. }
        | EffectDef::Revive { .. }
        | EffectDef::Stabilize
        | EffectDef::Taunt { .. } => None,
    }
}

fn effect(check: &mut Check<'_>, path: &str, effect: &EffectDef) {
    let at = |field: &str| format!("{path}.{field}");
    if let Some(duration_millis) = lasts(effect) {
        check.range(&at("duration_millis"), duration_millis, &limits::DURATION_MILLIS);
    }
    match effect {
        EffectDef::Damage { dice: thrown, upcast, add_modifier, .. }
        | EffectDef::Heal { dice: thrown, upcast, add_modifier } => {
            if !add_modifier {
                dice(check, &at("dice"), *thrown);
            }
            more_dice(check, &at("upcast"), *upcast);
        }
        EffectDef::TemporaryHitPoints { dice: thrown, upcast, duration_millis: _ } => {
            dice(check, &at("dice"), *thrown);
            more_dice(check, &at("upcast"), *upcast);
        }
        EffectDef::Modifier { stat, amount, duration_millis: _ } => {
            people::modifier(check, path, *stat, *amount);
        }
        EffectDef::ModifierDice { stat, dice: thrown, .. } => {
            dice(check, &at("dice"), *thrown);
            if people::is_advantage(*stat) {
                check.fail(&at("stat"), format!("is {}, which is not rolled", stat.word()));
            }
        }
        EffectDef::OverTime { dice: thrown, every_millis, duration_millis, .. } => {
            dice(check, &at("dice"), *thrown);
            check.range(&at("every_millis"), *every_millis, &limits::EVERY_MILLIS);
            if every_millis > duration_millis {
                check.fail(&at("every_millis"), "is longer than it lasts");
            }
        }
        EffectDef::Push { distance_mm } | EffectDef::Pull { distance_mm } => {
            check.range(&at("distance_mm"), *distance_mm, &limits::DISTANCE_MM);
        }
        EffectDef::Dash { percent, duration_millis: _ } => {
            check.range(&at("percent"), *percent, &limits::DASH_PERCENT);
        }
        EffectDef::Summon { creature, count, duration_millis: _ } => {
            check.refers(&at("creature"), &[Kind::Creature], creature);
            check.range(&at("count"), *count, &limits::SUMMON_COUNT);
        }
        EffectDef::Cure { conditions } => {
            check.list(&at("conditions"), conditions);
            check.length(&at("conditions"), conditions.len(), 1, limits::LIST_MAX, "conditions");
        }
        EffectDef::Dispel { level } => check.range(&at("level"), *level, &limits::SPELL_LEVEL),
        EffectDef::Revive { hit_points } => {
            check.range(&at("hit_points"), *hit_points, &limits::REVIVE_HIT_POINTS);
        }
        EffectDef::Taunt { threat } => check.range(&at("threat"), *threat, &limits::THREAT),
        EffectDef::Condition { .. }
        | EffectDef::Resistance { .. }
        | EffectDef::Teleport
        | EffectDef::Stabilize => {}
    }
}

/// Dice that can show something and never less than nothing.
pub(super) fn dice(check: &mut Check<'_>, path: &str, dice: Dice) {
    if dice.max() < 1 {
        check.fail(path, format!("is {dice}, which never shows more than 0"));
    }
}

fn more_dice(check: &mut Check<'_>, path: &str, more: Option<Dice>) {
    if let Some(more) = more {
        dice(check, path, more);
    }
}
