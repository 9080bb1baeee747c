//! What is checked of creatures and of the camps they live in.

use serde::Deserialize;
use serde::de::IntoDeserializer;
use serde::de::value::{Error as WordError, StrDeserializer};

use crate::content::entry::Kind;
use crate::content::{CampDef, CreatureAttack, CreatureDef, limits};
use crate::world::terrain::Biome;

use super::{Check, abilities, people};

pub(super) fn creature(check: &mut Check<'_>, creature: &CreatureDef) {
    check.key(&creature.key);
    check.name("name", &creature.name);
    check.source(&creature.source);
    check.text_if_any(&creature.text);
    challenge(check, "challenge", &creature.challenge);
    check.range("armor_class", creature.armor_class, &limits::ARMOR_CLASS);
    if creature.hit_dice.average() < 1 {
        check.fail("hit_dice", format!("is {}, less than 1 on average", creature.hit_dice));
    }
    check.range("speed_mm_per_round", creature.speed_mm_per_round, &limits::SPEED_MM_PER_ROUND);
    people::scores(check, "scores", creature.scores, &limits::SCORE);
    let saves: Vec<_> = creature.saves.iter().map(|save| save.attribute).collect();
    check.list("saves", &saves);
    for (index, save) in creature.saves.iter().enumerate() {
        check.range(&format!("saves[{index}].bonus"), save.bonus, &limits::SAVE_BONUS);
    }
    check.list("resistances", &creature.resistances);
    check.list("immunities", &creature.immunities);
    check.list("vulnerabilities", &creature.vulnerabilities);
    check.list("condition_immunities", &creature.condition_immunities);
    check.range("sight_mm", creature.sight_mm, &limits::SIGHT_MM);
    check.range("leash_mm", creature.leash_mm, &limits::LEASH_MM);
    check.range("attacks_per_action", creature.attacks_per_action, &limits::ATTACKS);
    check.length("attacks", creature.attacks.len(), 0, limits::LIST_MAX, "entries");
    for (index, of) in creature.attacks.iter().enumerate() {
        let path = format!("attacks[{index}]");
        attack(check, &path, of);
        let times_max = 0..=i64::from(creature.attacks_per_action);
        check.range(&format!("{path}.times_max"), of.times_max, &times_max);
    }
    check.keys("abilities", Kind::Ability, &creature.abilities);
    check.list("behaviors", &creature.behaviors);
    phases(check, creature);
}

/// A challenge is one of a few words.
pub(super) fn challenge(check: &mut Check<'_>, path: &str, challenge: &str) {
    if !limits::CHALLENGES.contains(&challenge) {
        let challenge: String = challenge.chars().take(limits::LIST_MAX).collect();
        check.fail(path, format!("is {challenge:?}, not 0, 1/8, 1/4, 1/2, 1 to 20"));
    }
}

/// Each phase begins later than the one before.
fn phases(check: &mut Check<'_>, creature: &CreatureDef) {
    check.length("phases", creature.phases.len(), 0, limits::LIST_MAX, "entries");
    for (index, phase) in creature.phases.iter().enumerate() {
        let path = format!("phases[{index}]");
        check.range(&format!("{path}.below_percent"), phase.below_percent, &limits::BELOW_PERCENT);
        check.keys(&format!("{path}.abilities"), Kind::Ability, &phase.abilities);
        check.list(&format!("{path}.behaviors"), &phase.behaviors);
    }
    if !creature.phases.is_sorted_by(|one, next| one.below_percent > next.below_percent) {
        check.fail("phases", "are not in the order in which they begin");
    }
}

fn attack(check: &mut Check<'_>, path: &str, attack: &CreatureAttack) {
    let at = |field: &str| format!("{path}.{field}");
    check.name(&at("name"), &attack.name);
    check.range(&at("to_hit"), attack.to_hit, &limits::TO_HIT);
    check.range(&at("range_mm"), attack.range_mm, &limits::ATTACK_RANGE_MM);
    check.range(&at("long_range_mm"), attack.long_range_mm, &limits::LONG_RANGE_MM);
    if attack.long_range_mm != 0 && attack.long_range_mm < attack.range_mm {
        check.fail(&at("long_range_mm"), "is less than the normal range");
    }
    if attack.condition.is_none() {
        abilities::dice(check, &at("dice"), attack.dice);
    }
    match (attack.extra_dice, attack.extra_damage) {
        (Some(dice), Some(_)) => abilities::dice(check, &at("extra_dice"), dice),
        (Some(_), None) => {
            check.fail(&at("extra_damage"), "is missing, though there is extra_dice");
        }
        (None, Some(_)) => {
            check.fail(&at("extra_dice"), "is missing, though there is extra_damage");
        }
        (None, None) => {}
    }
    if let Some(difficulty) = attack.save.and_then(|save| save.difficulty) {
        check.range(&at("save.difficulty"), difficulty, &limits::DIFFICULTY);
    }
    if attack.save.is_some() && attack.condition.is_none() && attack.extra_dice.is_none() {
        check.fail(&at("save"), "is there, but neither a condition nor extra_dice to save from");
    }
    if attack.condition.is_some() {
        check.range(&at("condition_millis"), attack.condition_millis, &limits::DURATION_MILLIS);
    } else if attack.condition_millis != 0 {
        check.fail(&at("condition_millis"), "is there, but no condition");
    }
}

pub(super) fn camp(check: &mut Check<'_>, camp: &CampDef) {
    check.key(&camp.key);
    check.name("name", &camp.name);
    check.range("weight", camp.weight, &limits::CAMP_WEIGHT);
    biomes(check, &camp.biomes);
    check.range("home_m_min", camp.home_m_min, &limits::HOME_M);
    check.range("home_m_max", camp.home_m_max, &limits::HOME_M);
    if camp.home_m_min > camp.home_m_max {
        check.fail("home_m_min", "is more than home_m_max");
    }
    check.range("radius_mm", camp.radius_mm, &limits::CAMP_RADIUS_MM);
    check.range("respawn_millis", camp.respawn_millis, &limits::RESPAWN_MILLIS);
    check.length("members", camp.members.len(), 1, limits::LIST_MAX, "entries");
    for (index, member) in camp.members.iter().enumerate() {
        let path = format!("members[{index}]");
        check.refers(&format!("{path}.creature"), &[Kind::Creature], &member.creature);
        check.range(&format!("{path}.count_min"), member.count_min, &limits::MEMBER_COUNT);
        check.range(&format!("{path}.count_max"), member.count_max, &limits::MEMBER_COUNT);
        if member.count_min > member.count_max {
            check.fail(&format!("{path}.count_min"), "is more than count_max");
        }
    }
    if !camp.members.is_empty() && camp.members.iter().all(|member| member.count_max == 0) {
        check.fail("members", "are none at most");
    }
}

/// Names of biomes, each once.
pub(super) fn biomes(check: &mut Check<'_>, words: &[String]) {
    check.list("biomes", words);
    for (index, word) in words.iter().enumerate() {
        if !is_biome(word) {
            let word: String = word.chars().take(limits::LIST_MAX).collect();
            check.fail(&format!("biomes[{index}]"), format!("is {word:?}, no biome"));
        }
    }
}

/// Whether a word is a biome's, as recipes of terrains write it.
fn is_biome(word: &str) -> bool {
    let word: StrDeserializer<'_, WordError> = word.into_deserializer();
    Biome::deserialize(word).is_ok()
}
