//! Sheets: what content and a player's choices make of a body, before any fight.
//!
//! Keeps true: a sheet depends on content and choices alone, so it can be worked out anew at any
//! time and stands in no row. Leaves out on purpose: what changes in a fight (`fighter`).

use super::armor::{
    Grip, Unarmored, Worn, armor_class, attack_attribute, attacks_with, check_grip, shoots,
    speed_in, weapon_dice,
};
use super::casting::{Slots, attack_bonus, difficulty};
use super::damage::{DamageTypes, Defenses};
use super::dice::Dice;
use super::experience::{hit_points_max, of_challenge};
use super::health::Fate;
use super::scores::{modifier, proficiency};
use crate::content::book::Book;
use crate::content::{
    ArmorKind, Attribute, Casting, ClassDef, Condition, CreatureAttack, CreatureDef, DamageType,
    Passive, SaveDef, Scores, Size, Stat, WeaponDef, WeaponProperty,
};

#[cfg(test)]
mod tests;

/// How far a fist reaches, millimetres: 5 feet.
pub const REACH_MM: u32 = 1_500;

/// What a character is made of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Build {
    /// Key of its race.
    pub race: String,
    /// Key of its class.
    pub class: String,
    /// 1 to 20.
    pub level: u8,
    /// With what its race and its increases add.
    pub scores: Scores,
    /// What it wears and wields; none for what its class begins with.
    pub outfit: Option<Outfit>,
}

/// What a character wears and wields.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Outfit {
    /// Keys of weapons, armor and shields in content, those that come first being preferred.
    pub keys: Vec<String>,
    /// What it brings besides.
    pub passives: Vec<Passive>,
}

/// One way to strike with an attack action.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Strike {
    /// What it is called.
    pub name: String,
    /// What is added to the roll.
    pub to_hit: i32,
    /// With everything added.
    pub dice: Dice,
    /// What it hurts with.
    pub damage: DamageType,
    /// A second kind of damage.
    pub extra: Option<(Dice, DamageType)>,
    /// As far as it strikes or shoots without disadvantage.
    pub range_mm: u32,
    /// As far as it shoots with disadvantage; 0 for what does not shoot.
    pub long_range_mm: u32,
    /// Whether it is shot or thrown.
    pub is_ranged: bool,
    /// Whether it suits a sneak attack: finesse, or a ranged weapon; no thrown axe.
    pub is_subtle: bool,
    /// Most of it among the attacks of one action; 0 for any number.
    pub times_max: u8,
    /// What a hit forces besides.
    pub save: Option<SaveDef>,
    /// What befalls who misses that save, and for how long, milliseconds.
    pub condition: Option<(Condition, u32)>,
}

/// What a body is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sheet {
    /// Level of a character, or that which a creature's challenge is worth.
    pub level: u8,
    /// With everything added.
    pub scores: Scores,
    /// 2 to 9.
    pub proficiency: i32,
    /// How large it is.
    pub size: Size,
    /// What a roll must reach to hit it.
    pub armor_class: i32,
    /// The most it can have.
    pub hit_points_max: i32,
    /// How far it goes in a round, millimetres.
    pub speed_mm_per_round: u32,
    /// What is added to saving throws, in the order of [`Attribute`].
    pub saves: [i32; 6],
    /// What damage does not do.
    pub defenses: Defenses,
    /// What does not befall it.
    pub condition_immunities: Vec<Condition>,
    /// What it strikes with, the best first.
    pub strikes: Vec<Strike>,
    /// What it strikes with in its other hand, if it holds a light weapon in each.
    pub off_hand: Option<Strike>,
    /// Attacks of one action, at least 1.
    pub attacks: u8,
    /// By what it casts, and forces others.
    pub casting_by: Attribute,
    /// What is always so.
    pub passives: Vec<Passive>,
    /// What becomes of it without hit points.
    pub fate: Fate,
    /// Spell slots, unspent.
    pub slots: Slots,
    /// Sides of its hit dice.
    pub hit_die: u8,
    /// What its death is worth.
    pub experience: u32,
}

impl Sheet {
    /// The modifier of a score.
    pub fn modifier(&self, attribute: Attribute) -> i32 {
        modifier(self.scores.get(attribute))
    }

    /// What is added to a saving throw.
    pub fn save(&self, attribute: Attribute) -> i32 {
        self.saves[attribute as usize]
    }

    /// What saves against its spells must reach.
    pub fn difficulty(&self) -> i32 {
        self.difficulty_by(self.casting_by)
    }

    /// What saves must reach against what it does with an attribute.
    pub fn difficulty_by(&self, attribute: Attribute) -> i32 {
        difficulty(self.proficiency, self.modifier(attribute))
    }

    /// What is added to its spell attacks.
    pub fn spell_attack(&self) -> i32 {
        attack_bonus(self.proficiency, self.modifier(self.casting_by))
    }

    /// Sum of what is always added to something.
    pub fn always(&self, wanted: Stat) -> i32 {
        let amounts = self.passives.iter().filter_map(|passive| modifies(passive, wanted));
        amounts.map(i32::from).sum()
    }

    /// Whether something is always so.
    pub fn has(&self, wanted: &Passive) -> bool {
        self.passives.contains(wanted)
    }

    /// From which roll on its hits are critical.
    pub fn critical_from(&self) -> u8 {
        let roll = |passive: &Passive| {
            if let Passive::CriticalFrom { roll } = passive { Some(*roll) } else { None }
        };
        self.passives.iter().filter_map(roll).min().unwrap_or(super::check::CRITICAL_FROM)
    }

    /// Dice more of a melee weapon's critical hit.
    pub fn brutal_dice(&self) -> u8 {
        let dice = |passive: &Passive| {
            if let Passive::BrutalCritical { dice } = passive { Some(*dice) } else { None }
        };
        self.passives.iter().filter_map(dice).max().unwrap_or(0)
    }

    /// Dice of a sneak attack at its level.
    pub fn sneak_dice(&self) -> u8 {
        let at = usize::from(self.level.clamp(1, 20)) - 1;
        let dice = |passive: &Passive| {
            if let Passive::SneakAttack { dice } = passive { dice.get(at).copied() } else { None }
        };
        self.passives.iter().filter_map(dice).max().unwrap_or(0)
    }
}

/// What is always added to something; none where something else is always so.
pub(super) fn modifies(passive: &Passive, wanted: Stat) -> Option<i16> {
    if let Passive::Modifier { stat, amount } = passive {
        (*stat == wanted).then_some(*amount)
    } else {
        None
    }
}

/// The sheet of a creature. Its hit points are the average of its hit dice, times a percentage of
/// the balance.
pub fn of_creature(def: &CreatureDef, hit_points_percent: i64) -> Sheet {
    let level = level_of_challenge(&def.challenge);
    // A challenge's bonus is that of the level (SRD 5.1, "Monsters", Proficiency Bonus).
    let proficiency = proficiency(level);
    let mut saves = [0; 6];
    for attribute in Attribute::ALL {
        saves[*attribute as usize] = modifier(def.scores.get(*attribute));
    }
    for save in &def.saves {
        saves[save.attribute as usize] = i32::from(save.bonus);
    }
    let average = i64::from(def.hit_dice.average().max(1));
    let hit_points = (average * hit_points_percent.clamp(1, 1_000) / 100).max(1);
    Sheet {
        level,
        scores: def.scores,
        proficiency,
        size: def.size,
        armor_class: i32::from(def.armor_class),
        hit_points_max: i32::try_from(hit_points).unwrap_or(i32::MAX),
        speed_mm_per_round: def.speed_mm_per_round,
        saves,
        defenses: Defenses {
            resistances: DamageTypes::of(&def.resistances),
            vulnerabilities: DamageTypes::of(&def.vulnerabilities),
            immunities: DamageTypes::of(&def.immunities),
        },
        condition_immunities: def.condition_immunities.clone(),
        strikes: def.attacks.iter().map(strike_of_creature).collect(),
        off_hand: None,
        attacks: def.attacks_per_action.max(1),
        casting_by: best(def.scores),
        passives: vec![],
        fate: Fate::Falls,
        slots: Slots::default(),
        hit_die: 8,
        experience: of_challenge(&def.challenge).unwrap_or(0),
    }
}

/// The level a challenge stands for, 1 to 20.
fn level_of_challenge(challenge: &str) -> u8 {
    challenge.parse::<u8>().unwrap_or(1).clamp(1, 20)
}

/// By what a creature casts: the best of the mind's scores.
fn best(scores: Scores) -> Attribute {
    let minds = [Attribute::Charisma, Attribute::Intelligence, Attribute::Wisdom];
    let best = minds.into_iter().max_by_key(|attribute| scores.get(*attribute));
    best.unwrap_or(Attribute::Wisdom)
}

fn strike_of_creature(attack: &CreatureAttack) -> Strike {
    let is_ranged = attack.long_range_mm > 0;
    Strike {
        name: attack.name.clone(),
        to_hit: i32::from(attack.to_hit),
        dice: attack.dice,
        damage: attack.damage,
        extra: attack.extra_dice.zip(attack.extra_damage),
        range_mm: attack.range_mm,
        long_range_mm: attack.long_range_mm,
        is_ranged,
        is_subtle: false,
        times_max: attack.times_max,
        save: attack.save,
        condition: attack.condition.map(|condition| (condition, attack.condition_millis)),
    }
}

/// The sheet of a character; none where content knows its race or class no more.
pub fn of_character(build: &Build, book: &Book) -> Option<Sheet> {
    let race = book.race(&build.race)?;
    let class = book.class(&build.class)?;
    let level = build.level.clamp(1, 20);
    let passives = passives_of(build, book);
    let scores = build.scores;
    let proficiency = proficiency(level);
    let gear = Gear::of(build, class, book);
    let constitution = modifier(scores.constitution);
    let mut sheet = Sheet {
        level,
        scores,
        proficiency,
        size: race.size,
        armor_class: gear.armor_class(scores, &passives),
        hit_points_max: 0,
        speed_mm_per_round: gear.speed(race.speed_mm_per_round, scores),
        saves: saves_of(scores, class, proficiency, &passives),
        defenses: defenses_of(&race.resistances, &passives),
        condition_immunities: immunities_of(&passives),
        strikes: gear.strikes(class, scores, proficiency),
        off_hand: gear.off_hand(class, scores, proficiency),
        attacks: gear.attacks(&passives),
        casting_by: class.casting_by.unwrap_or_else(|| mind_of(class)),
        fate: if passives.contains(&Passive::Relentless) { Fate::Endures } else { Fate::Dies },
        passives,
        slots: Slots::new(class.casting, level),
        hit_die: class.hit_die,
        experience: 0,
    };
    // What a feature adds to hit points it adds at each level (SRD 5.1, "Races", Dwarf).
    let more = sheet.always(Stat::HitPointsMax) * i32::from(level);
    sheet.hit_points_max = (hit_points_max(level, class.hit_die, constitution) + more).max(1);
    sheet.armor_class += sheet.always(Stat::ArmorClass);
    let percent = u32::try_from((100 + sheet.always(Stat::SpeedPercent)).clamp(0, 1_000));
    sheet.speed_mm_per_round = sheet.speed_mm_per_round * percent.unwrap_or(100) / 100;
    Some(sheet)
}

/// By what who does not cast forces others: the attribute of the mind it lives by, as a monk's
/// wisdom; its presence where it lives by none.
fn mind_of(class: &ClassDef) -> Attribute {
    let minds = [Attribute::Intelligence, Attribute::Wisdom, Attribute::Charisma];
    let first = class.primary.iter().find(|attribute| minds.contains(attribute));
    first.copied().unwrap_or(Attribute::Charisma)
}

/// Keys of the features that a character has.
pub fn features_of(build: &Build, book: &Book) -> Vec<String> {
    let of_race = book.race(&build.race).map(|race| race.features.clone()).unwrap_or_default();
    let class = book.class(&build.class);
    let of_class = class.into_iter().flat_map(|class| &class.features);
    let reached = of_class.filter(|at| at.level <= build.level).map(|at| at.feature.clone());
    of_race.into_iter().chain(reached).collect()
}

fn passives_of(build: &Build, book: &Book) -> Vec<Passive> {
    let features = features_of(build, book);
    let defs = features.iter().filter_map(|feature| book.feature(feature));
    let worn = build.outfit.iter().flat_map(|outfit| outfit.passives.clone());
    defs.flat_map(|feature| feature.passives.clone()).chain(worn).collect()
}

fn saves_of(scores: Scores, class: &ClassDef, proficiency: i32, passives: &[Passive]) -> [i32; 6] {
    let all = passives.contains(&Passive::AllSaves);
    let mut saves = [0; 6];
    for attribute in Attribute::ALL {
        let is_proficient = all || class.saves.contains(attribute);
        let bonus = if is_proficient { proficiency } else { 0 };
        saves[*attribute as usize] = modifier(scores.get(*attribute)) + bonus;
    }
    saves
}

fn defenses_of(resistances: &[DamageType], passives: &[Passive]) -> Defenses {
    let resisted = |passive: &Passive| {
        if let Passive::Resistance { damage } = passive { Some(*damage) } else { None }
    };
    let more: Vec<DamageType> = passives.iter().filter_map(resisted).collect();
    let resistances = DamageTypes::of(resistances).and(DamageTypes::of(&more));
    Defenses { resistances, ..Defenses::default() }
}

fn immunities_of(passives: &[Passive]) -> Vec<Condition> {
    let immune = |passive: &Passive| {
        if let Passive::ConditionImmunity { condition } = passive { Some(*condition) } else { None }
    };
    passives.iter().filter_map(immune).collect()
}

/// What counts of what a character wears and wields.
struct Gear<'a> {
    worn: Option<(Worn, u8)>,
    shield: Option<u8>,
    weapons: Vec<&'a WeaponDef>,
}

impl<'a> Gear<'a> {
    fn of(build: &Build, class: &ClassDef, book: &'a Book) -> Self {
        let keys = build.outfit.as_ref().map_or(&class.equipment, |outfit| &outfit.keys);
        let armors = || keys.iter().filter_map(|key| book.armor(key));
        let worn = armors().find(|armor| armor.kind != ArmorKind::Shield);
        let shield = armors().find(|armor| armor.kind == ArmorKind::Shield);
        Self {
            worn: worn.map(|armor| (Worn::from(armor), armor.strength_min)),
            shield: shield.map(|armor| armor.armor_class),
            weapons: keys.iter().filter_map(|key| book.weapon(key)).collect(),
        }
    }

    fn armor_class(&self, scores: Scores, passives: &[Passive]) -> i32 {
        let unarmored = passives.iter().find_map(|passive| {
            let Passive::UnarmoredDefense { attribute, shield } = *passive else { return None };
            let modifier = modifier(scores.get(attribute));
            Some(Unarmored { modifier, with_shield: shield })
        });
        let worn = self.worn.map(|(worn, _)| worn);
        armor_class(modifier(scores.dexterity), worn, self.shield, unarmored).total
    }

    fn speed(&self, speed_mm_per_round: u32, scores: Scores) -> u32 {
        let strength_min = self.worn.map_or(0, |(_, strength_min)| strength_min);
        speed_in(speed_mm_per_round, scores.strength, strength_min)
    }

    fn attacks(&self, passives: &[Passive]) -> u8 {
        let extra = |passive: &Passive| {
            if let Passive::ExtraAttacks { attacks } = passive { Some(*attacks) } else { None }
        };
        let attacks = passives.iter().filter_map(extra).max().unwrap_or(1).max(1);
        self.weapons.first().map_or(attacks, |weapon| attacks_with(weapon, attacks))
    }

    fn strikes(&self, class: &ClassDef, scores: Scores, proficiency: i32) -> Vec<Strike> {
        let mut strikes: Vec<Strike> = Vec::new();
        for weapon in &self.weapons {
            let bonus = bonus_with(weapon, class, proficiency);
            for ranged in [false, true] {
                if let Some(strike) = self.strike(weapon, ranged, scores, bonus) {
                    let is_new = strikes.iter().all(|known| *known != strike);
                    strikes.extend(is_new.then_some(strike));
                }
            }
        }
        strikes.push(fists(scores, proficiency));
        strikes
    }

    /// The light weapon that is left for the other hand when another one is in the first.
    fn second_weapon(&self) -> Option<&'a WeaponDef> {
        let is_light = |weapon: &&&WeaponDef| weapon.properties.contains(&WeaponProperty::Light);
        let mut light = self.weapons.iter().filter(is_light);
        let (first, second) = (light.next()?, light.next()?);
        let is_taken = self.shield.is_some();
        check_grip(second, Grip::OffHand, is_taken, Some(first)).is_ok().then_some(second)
    }

    fn off_hand(&self, class: &ClassDef, scores: Scores, proficiency: i32) -> Option<Strike> {
        let weapon = self.second_weapon()?;
        let bonus = bonus_with(weapon, class, proficiency);
        let dice = weapon_dice(weapon, Grip::OffHand, modifier_with(weapon, scores), false);
        self.strike(weapon, false, scores, bonus).map(|strike| Strike { dice, ..strike })
    }

    fn strike(
        &self,
        weapon: &WeaponDef,
        is_ranged: bool,
        scores: Scores,
        proficiency: i32,
    ) -> Option<Strike> {
        let has = |property| weapon.properties.contains(&property);
        let is_thrown = has(WeaponProperty::Thrown);
        let possible = if is_ranged { shoots(weapon) || is_thrown } else { !shoots(weapon) };
        if !possible {
            return None;
        }
        let by = modifier_with(weapon, scores);
        let both = has(WeaponProperty::TwoHanded)
            || has(WeaponProperty::Versatile) && self.shield.is_none();
        let grip = match (is_ranged, both) {
            (true, _) => Grip::Ranged,
            (false, true) => Grip::TwoHands,
            (false, false) => Grip::OneHand,
        };
        let reach = if has(WeaponProperty::Reach) { 2 * REACH_MM } else { REACH_MM };
        Some(Strike {
            name: weapon.name.clone(),
            to_hit: proficiency + by,
            dice: weapon_dice(weapon, grip, by, false),
            damage: weapon.damage,
            extra: None,
            range_mm: if is_ranged { weapon.range_mm } else { reach },
            long_range_mm: if is_ranged { weapon.long_range_mm } else { 0 },
            is_ranged,
            is_subtle: shoots(weapon) || has(WeaponProperty::Finesse),
            times_max: u8::from(has(WeaponProperty::Loading)),
            save: None,
            condition: None,
        })
    }
}

/// The modifier that counts with a weapon.
fn modifier_with(weapon: &WeaponDef, scores: Scores) -> i32 {
    let (strength, dexterity) = (modifier(scores.strength), modifier(scores.dexterity));
    modifier(scores.get(attack_attribute(weapon, strength, dexterity)))
}

/// What a class adds with a weapon: its proficiency, if it is trained with it.
fn bonus_with(weapon: &WeaponDef, class: &ClassDef, proficiency: i32) -> i32 {
    let is_trained =
        class.weapons.contains(&weapon.kind) || class.weapons_besides.contains(&weapon.key);
    if is_trained { proficiency } else { 0 }
}

/// Whether a character has a light weapon for each hand.
pub fn has_two_weapons(build: &Build, book: &Book) -> bool {
    let class = book.class(&build.class);
    class.is_some_and(|class| Gear::of(build, class, book).second_weapon().is_some())
}

/// What everybody can strike with: 1 and strength (SRD 5.1, "Combat", Melee Attacks).
fn fists(scores: Scores, proficiency: i32) -> Strike {
    let strength = modifier(scores.strength);
    let bonus = i16::try_from(1 + strength).unwrap_or(1).max(0);
    Strike {
        name: "Fist".to_owned(),
        to_hit: proficiency + strength,
        dice: Dice { count: 0, sides: 0, bonus },
        damage: DamageType::Bludgeoning,
        extra: None,
        range_mm: REACH_MM,
        long_range_mm: 0,
        is_ranged: false,
        is_subtle: false,
        times_max: 0,
        save: None,
        condition: None,
    }
}

/// Whether a class casts at all.
pub const fn casts(class: &ClassDef) -> bool {
    !matches!(class.casting, Casting::None)
}
