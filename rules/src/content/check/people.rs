//! What is checked of races, classes, backgrounds, features and levels.

use crate::content::entry::Kind;
use crate::content::{
    Attribute, BackgroundDef, Casting, ClassDef, FeatureDef, LevelDef, Passive, RaceDef, Scores,
    Stat, limits,
};

use super::Check;

pub(super) fn race(check: &mut Check<'_>, race: &RaceDef) {
    let RaceDef {
        key,
        name,
        source,
        text,
        size: _,
        speed_mm_per_round,
        bonuses,
        darkvision_mm,
        resistances,
        features,
    } = race;
    check.key(key);
    check.name("name", name);
    check.source(source);
    check.text_if_any(text);
    check.range("speed_mm_per_round", *speed_mm_per_round, &limits::SPEED_MM_PER_ROUND);
    scores(check, "bonuses", *bonuses, &limits::RACE_BONUS);
    check.range("darkvision_mm", *darkvision_mm, &limits::DARKVISION_MM);
    check.list("resistances", resistances);
    check.keys("features", Kind::Feature, features);
}

pub(super) fn scores(check: &mut Check<'_>, path: &str, scores: Scores, range: &limits::Range) {
    for attribute in Attribute::ALL {
        check.range(&format!("{path}.{}", attribute.word()), scores.get(*attribute), range);
    }
}

pub(super) fn class(check: &mut Check<'_>, class: &ClassDef) {
    check.key(&class.key);
    check.name("name", &class.name);
    check.source(&class.source);
    check.text_if_any(&class.text);
    if !limits::HIT_DICE.contains(&class.hit_die) {
        check.fail("hit_die", format!("is {}, not 6, 8, 10 or 12", class.hit_die));
    }
    check.list("primary", &class.primary);
    check.length("primary", class.primary.len(), 1, Attribute::ALL.len(), "attributes");
    check.list("saves", &class.saves);
    if class.saves.len() != limits::CLASS_SAVES {
        check.fail("saves", format!("has {} attributes, not 2", class.saves.len()));
    }
    class_skills(check, class);
    check.list("armors", &class.armors);
    check.list("weapons", &class.weapons);
    check.keys("weapons_besides", Kind::Weapon, &class.weapons_besides);
    class_casting(check, class);
    check.length("features", class.features.len(), 0, limits::LIST_MAX, "entries");
    for (index, at) in class.features.iter().enumerate() {
        check.range(&format!("features[{index}].level"), at.level, &limits::LEVEL);
        check.refers(&format!("features[{index}].feature"), &[Kind::Feature], &at.feature);
        if class.features.iter().take(index).any(|before| before.feature == at.feature) {
            check.fail(&format!("features[{index}].feature"), "is there twice");
        }
    }
    check.length("equipment", class.equipment.len(), 0, limits::LIST_MAX, "entries");
    for (index, key) in class.equipment.iter().enumerate() {
        check.refers(&format!("equipment[{index}]"), &[Kind::Weapon, Kind::Armor], key);
    }
}

fn class_skills(check: &mut Check<'_>, class: &ClassDef) {
    check.list("skills", &class.skills);
    check.range("skills_count", class.skills_count, &limits::SKILLS_COUNT);
    if usize::from(class.skills_count) > class.skills.len() {
        let (count, skills) = (class.skills_count, class.skills.len());
        check.fail("skills_count", format!("is {count}, but there are {skills} to choose from"));
    }
}

/// Only who casts knows spells, and it needs an attribute for it.
fn class_casting(check: &mut Check<'_>, class: &ClassDef) {
    check.by_level("cantrips_known", &class.cantrips_known, &limits::CANTRIPS_KNOWN);
    check.by_level("spells_known", &class.spells_known, &limits::SPELLS_KNOWN);
    let casts = class.casting != Casting::None;
    if casts && class.casting_by.is_none() {
        check.fail("casting_by", "is missing, though it casts");
    }
    if !casts && class.casting_by.is_some() {
        check.fail("casting_by", "is there, though it does not cast");
    }
    if !casts && class.prepares {
        check.fail("prepares", "is true, though it does not cast");
    }
    if !casts && !class.cantrips_known.is_empty() {
        check.fail("cantrips_known", "is there, though it does not cast");
    }
    match (casts && !class.prepares, class.spells_known.is_empty()) {
        (true, true) => check.fail("spells_known", "is missing, though it casts unprepared"),
        (false, false) => {
            check.fail("spells_known", "is there, though it does not cast unprepared");
        }
        (true, false) | (false, true) => {}
    }
}

pub(super) fn background(check: &mut Check<'_>, background: &BackgroundDef) {
    let BackgroundDef { key, name, source, text, skills, coins } = background;
    check.key(key);
    check.name("name", name);
    check.source(source);
    check.text_if_any(text);
    check.list("skills", skills);
    if skills.len() != limits::BACKGROUND_SKILLS {
        check.fail("skills", format!("has {} skills, not 2", skills.len()));
    }
    check.range("coins", *coins, &limits::COINS);
}

pub(super) fn feature(check: &mut Check<'_>, feature: &FeatureDef) {
    let FeatureDef { key, name, source, text, ability, passives } = feature;
    check.key(key);
    check.name("name", name);
    check.source(source);
    check.text(text);
    if let Some(ability) = ability {
        check.refers("ability", &[Kind::Ability], ability);
    }
    check.length("passives", passives.len(), 0, limits::LIST_MAX, "entries");
    for (index, of) in passives.iter().enumerate() {
        passive(check, &format!("passives[{index}]"), of);
    }
}

pub(super) fn passive(check: &mut Check<'_>, path: &str, passive: &Passive) {
    let at = |field: &str| format!("{path}.{field}");
    match passive {
        Passive::Modifier { stat, amount } => modifier(check, path, *stat, *amount),
        Passive::SaveAdvantage { against, attribute } => {
            if against.is_none() && attribute.is_none() {
                check.fail(path, "is against nothing and with no attribute");
            }
        }
        Passive::ExtraAttacks { attacks } => {
            check.range(&at("attacks"), *attacks, &limits::ATTACKS);
        }
        Passive::SneakAttack { dice } => {
            if dice.is_empty() {
                check.fail(&at("dice"), "has no numbers");
            }
            check.by_level(&at("dice"), dice, &limits::SNEAK_DICE);
        }
        Passive::CriticalFrom { roll } => check.range(&at("roll"), *roll, &limits::CRITICAL_FROM),
        Passive::BrutalCritical { dice } => check.range(&at("dice"), *dice, &limits::BRUTAL_DICE),
        Passive::ConditionImmunity { condition: _ }
        | Passive::Resistance { damage: _ }
        | Passive::UnarmoredDefense { attribute: _, shield: _ }
        | Passive::Lucky
        | Passive::Relentless
        | Passive::Evasion
        | Passive::AllSaves => {}
    }
}

/// What a modifier adds, or 1 or −1 where it is about advantage.
pub(super) fn modifier(check: &mut Check<'_>, path: &str, stat: Stat, amount: i16) {
    let path = format!("{path}.amount");
    check.range(&path, amount, &limits::MODIFIER);
    if is_advantage(stat) && amount.abs() != 1 {
        check.fail(&path, format!("is {amount}, but of {} 1 or -1", stat.word()));
    } else if amount == 0 {
        check.fail(&path, "is 0, which changes nothing");
    }
}

/// Whether a stat is about advantage in place of a number.
pub(super) const fn is_advantage(stat: Stat) -> bool {
    match stat {
        Stat::AttackedWith | Stat::AttacksWith | Stat::SavesWith | Stat::Elusive => true,
        Stat::ArmorClass
        | Stat::AttackRoll
        | Stat::DamageRoll
        | Stat::SavingThrow
        | Stat::SpeedPercent
        | Stat::HitPointsMax => false,
    }
}

pub(super) fn level(check: &mut Check<'_>, level: &LevelDef) {
    check.range("level", level.level, &limits::LEVEL);
    check.range("experience", level.experience, &limits::EXPERIENCE);
    check.range("proficiency", level.proficiency, &limits::PROFICIENCY);
}

/// All levels are there, and each asks for more than the one before.
pub(super) fn levels(check: &mut Check<'_>, levels: &[LevelDef]) {
    check.kind = Kind::Level;
    let mut last: Option<&LevelDef> = None;
    for number in limits::LEVEL {
        let found = levels.iter().position(|level| i64::from(level.level) == number);
        check.key = number.to_string();
        check.index = found;
        let Some(level) = found.and_then(|index| levels.get(index)) else {
            check.fail("", "is missing");
            continue;
        };
        match last {
            None if level.experience != 0 => {
                check.fail("experience", format!("is {}, but begins with 0", level.experience));
            }
            Some(last) if level.experience <= last.experience => {
                check.fail("experience", "is not more than that of the level before");
            }
            Some(_) | None => {}
        }
        if last.is_some_and(|last| level.proficiency < last.proficiency) {
            check.fail("proficiency", "is less than that of the level before");
        }
        last = Some(level);
    }
}
