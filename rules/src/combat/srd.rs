//! The rules of the SRD 5.1 as one table: where each stands, what it says, dice, and what happens.
//!
//! Keeps true: every row goes through the public functions, and throws exactly the dice it names.

use std::collections::BTreeSet;

use super::armor::{
    self, Grip, Unarmored, Worn, armor_class, attack_attribute, check_grip, weapon_dice,
    weapon_edges,
};
use super::casting::{self, Slots, cantrip_times, prepared_count, upcast};
use super::check::{
    Attack, Cover, Edges, Modifier, Range, Save, Throw, attack, check, contest, group_succeeds,
    passive, save,
};
use super::concentration::{self, Concentration};
use super::conditions::{Bout, Conditions, Meeting, attack_edges, hit_points_max, is_deadly, meet};
use super::damage::{DamageTypes, Defenses, Incoming, Share, mitigate, roll_hit, share};
use super::dice::{Dice, Fixed};
use super::experience::{hit_points_max as most_hit_points, increases, level_of, of_challenge};
use super::health::{Blow, Fate, Health};
use super::initiative::roll_initiative;
use super::opportunity::{Leaving, provokes};
use super::rest::{HitDice, Rested, spend_hit_die};
use super::scores::{modifier, proficiency};
use super::turn::Turn;
use crate::content::{
    Action, ArmorKind, Attribute, Casting, Condition, DamageType, OnSave, Size, Stacking,
    WeaponProperty,
};

type Run = fn(&mut Fixed<'_>) -> String;

/// One rule.
struct Rule {
    section: &'static str,
    says: &'static str,
    dice: &'static [u8],
    run: Run,
    expected: &'static str,
}

/// A row is: section, what the rule says, the dice, what is done with them, what comes out.
macro_rules! table {
    ($($section:literal: $says:literal,
        [$($die:literal),*] |$dice:pat_param| $run:expr => $expected:literal;)*) => {
        const RULES: &[Rule] = &[$(Rule {
            section: $section,
            says: $says,
            dice: &[$($die),*],
            run: |$dice| ($run).to_string(),
            expected: $expected,
        },)*];
    };
}

const UP: Edges = Edges::ADVANTAGE;
const DOWN: Edges = Edges::DISADVANTAGE;
const EVEN: Edges = Edges::NONE;
const FIVE_FEET: u32 = 1_500;

fn dice(text: &str) -> Dice {
    text.parse().expect("dice")
}

/// An attack with a bonus against armor.
fn strike(d: &mut Fixed<'_>, edges: Edges, bonus: i32, armor_class: i32) -> String {
    special(d, edges, bonus, armor_class, |_| {})
}

fn special(
    d: &mut Fixed<'_>,
    edges: Edges,
    bonus: i32,
    armor_class: i32,
    change: impl Fn(&mut Attack<'_>),
) -> String {
    let modifiers = [Modifier::flat("bonus", bonus)];
    let throw = Throw { edges, is_lucky: false, modifiers: &modifiers };
    let (cover, critical_from, is_critical) = (Cover::None, 20, false);
    let mut of = Attack { throw, armor_class, cover, critical_from, is_critical };
    change(&mut of);
    attack(&of, d).to_string()
}

/// A saving throw.
fn resist(
    d: &mut Fixed<'_>,
    attribute: Attribute,
    edges: Edges,
    modifiers: &[Modifier<'_>],
    difficulty: i32,
    cover: Cover,
    fails: bool,
) -> String {
    let throw = Throw { edges, is_lucky: false, modifiers };
    save(&Save { attribute, throw, difficulty, cover, fails }, d).to_string()
}

fn dexterity_save(d: &mut Fixed<'_>, bonus: i32, difficulty: i32, cover: Cover) -> String {
    let modifiers = [Modifier::flat("dexterity", bonus)];
    resist(d, Attribute::Dexterity, EVEN, &modifiers, difficulty, cover, false)
}

fn edge(bout: Bout) -> String {
    format!("{:?}", attack_edges(&bout).edge())
}

/// A check of nothing but a bonus.
fn attempt(d: &mut Fixed<'_>, bonus: i32, difficulty: i32) -> String {
    let modifiers = [Modifier::flat("bonus", bonus)];
    check(&Throw { modifiers: &modifiers, ..Throw::default() }, difficulty, d).to_string()
}

/// A contest of bare dice.
fn compete(d: &mut Fixed<'_>) -> String {
    format!("{:?}", contest(&Throw::default(), &Throw::default(), d).won)
}

fn reactions_at(times: [i64; 2]) -> String {
    let mut turn = Turn::default();
    turn.take(Action::Reaction, 0);
    let check = |now| turn.check(Action::Reaction, now, &Health::new(1), Conditions::NONE);
    format!("{:?}", times.map(|now| check(now).is_ok()))
}

/// A weapon in the other hand beside a light one.
fn off_hand(properties: &[WeaponProperty]) -> String {
    let light = weapon("1d6", &[WeaponProperty::Light]);
    format!("{:?}", check_grip(&weapon("1d8", properties), Grip::OffHand, true, Some(&light)))
}

fn off_hand_dice(modifier: i32) -> Dice {
    weapon_dice(&weapon("1d6", &[]), Grip::OffHand, modifier, false)
}

/// What is left of 20 of cold, or of something else.
fn freeze(damage: DamageType, defenses: Defenses) -> String {
    let incoming = Incoming { rolled: 20, damage, share: Share::All, reduction: 0 };
    mitigate(&incoming, &defenses).to_string()
}

/// A save with wisdom, against 15.
fn will(d: &mut Fixed<'_>, modifier: Modifier<'_>) -> String {
    resist(d, Attribute::Wisdom, EVEN, &[modifier], 15, Cover::None, false)
}

/// A save with strength, against 1, by somebody in a condition.
fn strain(d: &mut Fixed<'_>, condition: Condition) -> String {
    let fails = is_in(&[condition]).fails_save(Attribute::Strength);
    resist(d, Attribute::Strength, EVEN, &[], 1, Cover::None, fails)
}

/// How somebody in a condition attacks, and is attacked.
fn both_ways(condition: Condition) -> String {
    format!("{} {}", bout(&[condition], &[], 0), bout(&[], &[condition], 0))
}

fn is_in(conditions: &[Condition]) -> Conditions {
    Conditions::of(conditions)
}

/// How somebody in a condition attacks somebody in a condition.
fn bout(attacker: &[Condition], target: &[Condition], distance_mm: u32) -> String {
    let (attacker, target) = (is_in(attacker), is_in(target));
    let bout = Bout { attacker, target, distance_mm, ..Bout::default() };
    format!("{:?}", attack_edges(&bout).edge())
}

/// What is left of damage of fire.
fn burn(rolled: i32, share: Share, reduction: i32, resists: bool, is_weak: bool) -> String {
    let fire = DamageTypes::NONE.with(DamageType::Fire);
    let of = |is_so: bool| if is_so { fire } else { DamageTypes::NONE };
    let (resistances, vulnerabilities) = (of(resists), of(is_weak));
    let defenses = Defenses { resistances, vulnerabilities, immunities: DamageTypes::NONE };
    mitigate(&Incoming { rolled, damage: DamageType::Fire, share, reduction }, &defenses)
        .to_string()
}

fn blow(amount: i32) -> Blow {
    Blow { amount, is_critical: false, is_sparing: false }
}

/// Twelve hit points take blows.
fn hurt(fate: Fate, blows: &[Blow]) -> Health {
    let mut health = Health::new(12);
    for blow in blows {
        health.hurt(blow, fate);
    }
    health
}

/// Somebody dying rolls so often for its life.
fn dying(d: &mut Fixed<'_>, saves: u8) -> Health {
    let mut health = hurt(Fate::Dies, &[blow(12)]);
    for _ in 0..saves {
        health.death_save(&Throw::default(), d);
    }
    health
}

fn then(mut health: Health, step: impl Fn(&mut Health)) -> Health {
    step(&mut health);
    health
}

fn leaving(is_disengaged: bool, is_own_movement: bool) -> bool {
    let (before_mm, after_mm, reach_mm) = (FIVE_FEET, 3_000, FIVE_FEET);
    let leaving = Leaving { before_mm, after_mm, reach_mm, is_disengaged, is_own_movement };
    provokes(&leaving, true, true)
}

fn wear(kind: ArmorKind, class: u8, most: u8, dexterity: i32, shield: Option<u8>) -> i32 {
    let worn = Worn { kind, armor_class: class, dexterity_max: most };
    armor_class(dexterity, Some(worn), shield, None).total
}

fn weapon(dice: &str, properties: &[WeaponProperty]) -> crate::content::WeaponDef {
    armor::tests::weapon(dice, properties)
}

fn rested(lost: i32, hit_dice_left: u8, exhaustion: u8) -> Rested {
    let hit_dice = HitDice { sides: 10, max: 5, left: hit_dice_left };
    let slots = Slots { left: [0; 9], ..Slots::new(Casting::Full, 5) };
    let mut rested =
        Rested { health: hurt(Fate::Dies, &[blow(lost)]), hit_dice, slots, exhaustion };
    rested.rest_long();
    rested
}

table! {
    "Using Ability Scores, Ability Scores and Modifiers":
        "a modifier is half of what is above 10, rounded down",
        [] |_| format!("{:?}", [1, 9, 10, 15, 30].map(modifier)) => "[-5, -1, 0, 2, 10]";
    "Using Ability Scores, Advantage and Disadvantage": "with advantage the higher of two counts",
        [4, 17] |d| strike(d, UP, 5, 20) => "(4, 17) 17 + 5 = 22 against 20: hit";
    "Using Ability Scores, Advantage and Disadvantage": "with disadvantage the lower of two counts",
        [17, 4] |d| strike(d, DOWN, 5, 20) => "(17, 4) 4 + 5 = 9 against 20: miss";
    "Using Ability Scores, Advantage and Disadvantage": "two advantages and a disadvantage cancel",
        [11] |d| strike(d, UP.and(UP).and(DOWN), 5, 16) => "11 + 5 = 16 against 16: hit";
    "Beyond 1st Level, Proficiency Bonus": "it is 2 at level 1 and 6 from level 17 on",
        [] |_| format!("{:?}", [1, 5, 9, 13, 17].map(proficiency)) => "[2, 3, 4, 5, 6]";
    "Using Ability Scores, Ability Checks": "a check succeeds at its difficulty",
        [12] |d| attempt(d, 3, 15)
        => "12 + 3 = 15 against 15: success";
    "Using Ability Scores, Contests": "in a contest the higher wins",
        [12, 9] |d| compete(d) => "First";
    "Using Ability Scores, Contests": "a tie changes nothing",
        [12, 12] |d| compete(d) => "Nobody";
    "Using Ability Scores, Passive Checks": "a passive score is 10 and modifiers",
        [] |_| passive(4, EVEN) => "14";
    "Using Ability Scores, Passive Checks":
        "advantage adds 5 to a passive score, disadvantage takes 5",
        [] |_| format!("{} {}", passive(4, UP), passive(4, DOWN)) => "19 9";
    "Using Ability Scores, Group Checks": "a group succeeds if half of it does",
        [] |_| format!("{} {}", group_succeeds(2, 4), group_succeeds(1, 3)) => "true false";
    "Using Ability Scores, Saving Throws": "a natural 20 of a save is nothing special",
        [20] |d| dexterity_save(d, 0, 25, Cover::None) => "20 + 0 = 20 against 25: failure";
    "Using Ability Scores, Saving Throws": "a natural 1 of a save is nothing special",
        [1] |d| dexterity_save(d, 9, 10, Cover::None) => "1 + 9 = 10 against 10: success";

    "Combat, Initiative": "initiative is a check of dexterity",
        [13] |d| roll_initiative(
            &Throw { modifiers: &[Modifier::flat("dexterity", 2)], ..Throw::default() }, d)
        => "13 + 2 = 15";
    "Combat, Making an Attack": "an attack that reaches the armor class hits",
        [14] |d| strike(d, EVEN, 5, 19) => "14 + 5 = 19 against 19: hit";
    "Combat, Making an Attack": "an attack below the armor class misses",
        [13] |d| strike(d, EVEN, 5, 19) => "13 + 5 = 18 against 19: miss";
    "Combat, Making an Attack, Rolling 1 or 20": "a natural 20 hits any armor and is critical",
        [20] |d| strike(d, EVEN, 5, 30) => "20 + 5 = 25 against 30: critical hit";
    "Combat, Making an Attack, Rolling 1 or 20": "a natural 1 misses whatever is added",
        [1] |d| strike(d, EVEN, 15, 10) => "1 + 15 = 16 against 10: miss";
    "Classes, Fighter, Improved Critical": "a champion's hit is critical on 19",
        [19] |d| special(d, EVEN, 5, 15, |of| of.critical_from = 19)
        => "19 + 5 = 24 against 15: critical hit";
    "Combat, Making an Attack, Ranged Attacks, Range": "beyond normal range there is disadvantage",
        [15, 3] |d| strike(d, Range::of(30_000, 24_000, 96_000).edges(), 5, 12)
        => "(15, 3) 3 + 5 = 8 against 12: miss";
    "Combat, Making an Attack, Ranged Attacks, Range": "beyond long range nothing can be attacked",
        [] |_| format!("{:?}", Range::of(96_001, 24_000, 96_000)) => "Beyond";
    "Combat, Making an Attack, Ranged Attacks in Close Combat":
        "an enemy within 5 feet gives disadvantage",
        [] |_| edge(Bout { is_hindered: true, ..Bout::default() }) => "Disadvantage";
    "Combat, Cover": "half cover adds 2 to armor",
        [12] |d| special(d, EVEN, 5, 16, |of| of.cover = Cover::Half)
        => "12 + 5 = 17 against 18: miss";
    "Combat, Cover": "three-quarters cover adds 5 to armor",
        [15] |d| special(d, EVEN, 5, 15, |of| of.cover = Cover::ThreeQuarters)
        => "15 + 5 = 20 against 20: hit";
    "Combat, Cover": "cover adds to dexterity saves",
        [11] |d| dexterity_save(d, 2, 15, Cover::Half)
        => "11 + 2 = 13 and 2 for cover against 15: success";
    "Combat, Cover": "cover adds to no other saves",
        [14] |d| resist(d, Attribute::Wisdom, EVEN, &[], 15, Cover::ThreeQuarters, false)
        => "14 against 15: failure";
    "Combat, Cover": "through total cover nothing hits",
        [19] |d| special(d, EVEN, 9, 10, |of| of.cover = Cover::Total)
        => "19 + 9 = 28 against 10: miss";
    "Combat, Actions in Combat, Dodge": "attacks against who dodges have disadvantage",
        [] |_| edge(Bout { is_dodged: true, ..Bout::default() }) => "Disadvantage";
    "Combat, Actions in Combat, Dodge": "who cannot move does not dodge",
        [] |_| edge(Bout {
            is_dodged: true, target: is_in(&[Condition::Grappled]), ..Bout::default() })
        => "Straight";
    "Combat, Opportunity Attacks": "who leaves an enemy's reach invites a strike",
        [] |_| leaving(false, true) => "true";
    "Combat, Actions in Combat, Disengage": "who disengages invites none",
        [] |_| leaving(true, true) => "false";
    "Combat, Opportunity Attacks": "who is moved or teleports invites none",
        [] |_| leaving(false, false) => "false";
    "Combat, The Order of Combat, Reactions": "one reaction a round",
        [] |_| reactions_at([5_999, 6_000]) => "[false, true]";
    "Combat, Two-Weapon Fighting": "both weapons must be light",
        [] |_| off_hand(&[])
        => "Err(NotLight)";
    "Combat, Two-Weapon Fighting": "the other hand's modifier counts only below 0",
        [] |_| format!("{} {}", off_hand_dice(3), off_hand_dice(-1))
        => "1d6 1d6-1";

    "Combat, Damage and Healing, Damage Rolls": "dice and modifier hurt",
        [4, 4] |d| roll_hit(dice("2d6+3"), false, 0, d) => "4 + 4 + 3 = 11";
    "Combat, Damage and Healing, Damage Rolls": "a penalty makes damage 0 at the least",
        [1] |d| burn(roll_hit(dice("1d4-3"), false, 0, d).total, Share::All, 0, false, false)
        => "0 fire";
    "Combat, Damage and Healing, Critical Hits":
        "a critical hit throws all dice twice and adds the modifier once",
        [4, 2, 6, 1] |d| roll_hit(dice("2d6+3"), true, 0, d) => "4 + 2 + 6 + 1 + 3 = 16";
    "Classes, Barbarian, Brutal Critical": "one more die on a critical hit",
        [7, 3, 12] |d| roll_hit(dice("1d12+4"), true, 1, d) => "7 + 3 + 12 + 4 = 26";
    "Combat, Damage and Healing, Damage Resistance and Vulnerability":
        "resistance halves, rounded down",
        [] |_| burn(11, Share::All, 0, true, false) => "11 fire, 5 resisted";
    "Combat, Damage and Healing, Damage Resistance and Vulnerability": "vulnerability doubles",
        [] |_| burn(11, Share::All, 0, false, true) => "11 fire, 22 doubled";
    "Combat, Damage and Healing, Damage Resistance and Vulnerability":
        "other modifiers come before resistance",
        [] |_| burn(25, Share::All, 5, true, false) => "25 fire, 20 left, 10 resisted";
    "Combat, Damage and Healing, Damage Resistance and Vulnerability":
        "resistance comes before vulnerability",
        [] |_| burn(25, Share::All, 0, true, true) => "25 fire, 24 resisted and doubled";
    "Combat, Damage and Healing, Damage Resistance and Vulnerability":
        "two resistances count as one",
        [] |_| {
            let resists = Defenses { resistances: DamageTypes::ALL, ..Defenses::default() };
            freeze(DamageType::Cold, resists.and(resists)) }
        => "20 cold, 10 resisted";
    "Spellcasting, Saving Throws": "a save halves, rounded down",
        [] |_| burn(25, share(true, OnSave::Half, false), 0, false, false) => "25 fire, 12 left";
    "Classes, Rogue, Evasion": "who evades takes nothing for a save made, and half for one missed",
        [] |_| format!("{:?}", [true, false].map(|is_saved| share(is_saved, OnSave::Half, true)))
        => "[Nothing, Half]";
    "Combat, Damage and Healing, Healing": "hit points do not rise above the maximum",
        [] |_| then(hurt(Fate::Dies, &[blow(5)]), |health| { health.heal(9); }) => "12 of 12";
    "Combat, Damage and Healing, Dropping to 0 Hit Points": "a character at 0 is dying",
        [] |_| hurt(Fate::Dies, &[blow(12)]) => "dying, 0 made, 0 missed";
    "Combat, Damage and Healing, Instant Death": "as much beyond 0 as the maximum kills",
        [] |_| format!("{}; {}", hurt(Fate::Dies, &[blow(23)]), hurt(Fate::Dies, &[blow(24)]))
        => "dying, 0 made, 0 missed; dead";
    "Combat, Damage and Healing, Monsters and Death": "a monster at 0 is dead",
        [] |_| hurt(Fate::Falls, &[blow(12)]) => "dead";
    "Combat, Damage and Healing, Knocking a Creature Out": "a melee attack can spare a life",
        [] |_| hurt(Fate::Falls, &[Blow { is_sparing: true, ..blow(15) }]) => "stable";
    "Combat, Damage and Healing, Death Saving Throws": "10 or more is a success",
        [10] |d| dying(d, 1) => "dying, 1 made, 0 missed";
    "Combat, Damage and Healing, Death Saving Throws": "below 10 is a failure",
        [9] |d| dying(d, 1) => "dying, 0 made, 1 missed";
    "Combat, Damage and Healing, Death Saving Throws": "three successes make stable",
        [10, 3, 15, 12] |d| dying(d, 4) => "stable";
    "Combat, Damage and Healing, Death Saving Throws": "three failures kill",
        [2, 12, 9, 5] |d| dying(d, 4) => "dead";
    "Combat, Damage and Healing, Death Saving Throws": "a natural 1 fails twice",
        [1] |d| dying(d, 1) => "dying, 0 made, 2 missed";
    "Combat, Damage and Healing, Death Saving Throws": "a natural 20 gives 1 hit point",
        [20] |d| dying(d, 1) => "1 of 12";
    "Combat, Damage and Healing, Damage at 0 Hit Points": "damage is a failure",
        [] |_| hurt(Fate::Dies, &[blow(12), blow(3)]) => "dying, 0 made, 1 missed";
    "Combat, Damage and Healing, Damage at 0 Hit Points": "a critical hit is two failures",
        [] |_| hurt(Fate::Dies,
            &[blow(12), Blow { is_critical: true, ..blow(3) }]) => "dying, 0 made, 2 missed";
    "Combat, Damage and Healing, Damage at 0 Hit Points": "as much as the maximum kills",
        [] |_| hurt(Fate::Dies, &[blow(12), blow(12)]) => "dead";
    "Combat, Damage and Healing, Stabilizing a Creature": "the stable roll no more",
        [] |d| {
            let mut health = then(dying(d, 0), |health| { health.stabilize(); });
            format!("{health}, {}", health.death_save(&Throw::default(), d).is_none()) }
        => "stable, true";
    "Combat, Damage and Healing, Stabilizing a Creature": "damage ends being stable",
        [] |d| then(dying(d, 0), |health| {
            health.stabilize();
            health.hurt(&blow(1), Fate::Dies); }) => "dying, 0 made, 1 missed";
    "Combat, Damage and Healing, Falling Unconscious": "any healing wakes",
        [4] |d| then(dying(d, 1), |health| { health.heal(3); }) => "3 of 12";
    "Combat, Damage and Healing, Temporary Hit Points": "they are lost first",
        [] |_| then(Health::new(12), |health| {
            health.shield(5);
            health.hurt(&blow(7), Fate::Dies); }) => "10 of 12";
    "Combat, Damage and Healing, Temporary Hit Points": "they are not added together",
        [] |_| then(Health::new(12), |health| {
            health.shield(5);
            health.shield(8);
            health.shield(3); }) => "12 and 8 of 12";
    "Combat, Damage and Healing, Temporary Hit Points": "they wake nobody",
        [] |d| then(dying(d, 0), |health| health.shield(9)) => "dying, 0 made, 0 missed";
    "Races, Half-Orc, Relentless Endurance": "1 hit point in place of 0",
        [] |_| hurt(Fate::Endures, &[blow(15)]) => "1 of 12";
    "Races, Halfling, Lucky": "a 1 is thrown again",
        [1, 14] |d| check(&Throw { is_lucky: true, ..Throw::default() }, 10, d)
        => "(1, again 14) 14 against 10: success";

    "Appendix PH-A: Conditions, Blinded": "attacks worse, is attacked better",
        [] |_| both_ways(Condition::Blinded) => "Disadvantage Advantage";
    "Appendix PH-A: Conditions, Invisible": "attacks better, is attacked worse",
        [] |_| both_ways(Condition::Invisible) => "Advantage Disadvantage";
    "Appendix PH-A: Conditions, Paralyzed": "hits from within 5 feet are critical",
        [9] |d| special(d, EVEN, 5, 12, |of| {
            of.is_critical = is_in(&[Condition::Paralyzed]).makes_critical(FIVE_FEET); })
        => "9 + 5 = 14 against 12: critical hit";
    "Appendix PH-A: Conditions, Paralyzed": "hits from further away are not",
        [] |_| is_in(&[Condition::Paralyzed]).makes_critical(FIVE_FEET + 1) => "false";
    "Appendix PH-A: Conditions, Stunned": "saves with strength and dexterity fail",
        [] |d| strain(d, Condition::Stunned)
        => "no roll against 1: failure";
    "Appendix PH-A: Conditions, Stunned": "brings incapacitated with it: no actions",
        [] |_| is_in(&[Condition::Stunned]).can_act() => "false";
    "Appendix PH-A: Conditions, Petrified": "resists all damage",
        [] |_| freeze(DamageType::Force, is_in(&[Condition::Petrified]).defenses())
        => "20 force, 10 resisted";
    "Appendix PH-A: Conditions, Poisoned": "attacks and checks have disadvantage",
        [] |_| format!("{} {:?}", bout(&[Condition::Poisoned], &[], 0),
            is_in(&[Condition::Poisoned]).check_edges(false, 0).edge())
        => "Disadvantage Disadvantage";
    "Appendix PH-A: Conditions, Prone": "is attacked better from within 5 feet and worse from afar",
        [] |_| format!("{} {}",
            bout(&[], &[Condition::Prone], FIVE_FEET), bout(&[], &[Condition::Prone], 9_000))
        => "Advantage Disadvantage";
    "Appendix PH-A: Conditions, Prone": "crawls at half the speed",
        [] |_| is_in(&[Condition::Prone]).speed(9_000, 0) => "4500";
    "Appendix PH-A: Conditions, Restrained": "speed 0, worse dexterity saves",
        [] |_| {
            let held = is_in(&[Condition::Restrained]);
            let save = held.save_edges(Attribute::Dexterity, 0).edge();
            format!("{} {save:?}", held.speed(9_000, 0)) }
        => "0 Disadvantage";
    "Appendix PH-A: Conditions, Frightened": "attacks worse while it sees what it fears",
        [] |_| edge(Bout {
            attacker: is_in(&[Condition::Frightened]), sees_fear: true, ..Bout::default() })
        => "Disadvantage";
    "Appendix PH-A: Conditions, Grappled": "speed 0",
        [] |_| is_in(&[Condition::Grappled]).speed(9_000, 0) => "0";
    "Appendix PH-A: Conditions, Unconscious": "falls prone and cannot act",
        [] |_| format!("{:?}", is_in(&[Condition::Unconscious]).iter().collect::<Vec<_>>())
        => "[Incapacitated, Prone, Unconscious]";
    "Appendix PH-A: Conditions, Exhaustion": "level 2 halves the speed, level 5 ends it",
        [] |_| format!("{:?}", [1, 2, 5].map(|level| Conditions::NONE.speed(9_000, level)))
        => "[9000, 4500, 0]";
    "Appendix PH-A: Conditions, Exhaustion": "level 4 halves the most hit points",
        [] |_| format!("{} {}", hit_points_max(31, 3), hit_points_max(31, 4)) => "31 15";
    "Appendix PH-A: Conditions, Exhaustion": "level 6 kills",
        [] |_| format!("{} {}", is_deadly(5), is_deadly(6)) => "false true";

    "Spellcasting, Concentration": "a save against half the damage, at least 10",
        [] |_| format!("{:?}", [7, 22, 41].map(concentration::difficulty)) => "[10, 11, 20]";
    "Spellcasting, Concentration": "a save that fails ends it",
        [9] |d| {
            let mut mind = Concentration { on: Some(1) };
            mind.hurt(7, Throw::default(), d);
            format!("{:?}", mind.on) } => "None";
    "Spellcasting, Concentration": "another spell ends the first",
        [] |_| format!("{:?}", Concentration { on: Some(1) }.begin(2)) => "Some(1)";
    "Spellcasting, Concentration": "who is incapacitated lets go",
        [] |_| format!("{:?}", Concentration { on: Some(1) }
            .end_if_broken(is_in(&[Condition::Incapacitated]), &Health::new(1))) => "Some(1)";
    "Spellcasting, Saving Throws": "the difficulty is 8, proficiency and modifier",
        [] |_| casting::difficulty(3, 4) => "15";
    "Spellcasting, Attack Rolls": "the bonus is proficiency and modifier",
        [] |_| casting::attack_bonus(3, 4) => "7";
    "Spellcasting, Casting a Spell at a Higher Level": "a higher slot adds dice",
        [] |_| upcast(dice("8d6"), Some(dice("1d6")), 3, 5).0 => "10d6";
    "Spellcasting, Spell Slots": "a slot must be as high as the spell",
        [] |_| format!("{:?}", Slots::new(Casting::Full, 5).spend(3, 2)) => "Err(Level)";
    "Spellcasting, Cantrips": "a cantrip spends no slot",
        [] |_| format!("{:?}", Slots::default().spend(0, 0)) => "Ok(())";
    "Spell Descriptions, Fire Bolt": "a cantrip's dice grow at levels 5, 11 and 17",
        [] |_| format!("{:?}", [4, 5, 11, 17].map(cantrip_times)) => "[1, 2, 3, 4]";
    "Spell Descriptions, Bless": "1d4 is added to saves",
        [11, 4] |d| will(d, Modifier::plus("bless", dice("1d4")))
        => "11 + 4 = 15 against 15: success";
    "Spell Descriptions, Bane": "1d4 is taken from saves",
        [16, 2] |d| will(d, Modifier::minus("bane", dice("1d4")))
        => "16 - 2 = 14 against 15: failure";
    "Spellcasting, Combining Magical Effects": "the same spell twice does not add up",
        [] |_| format!("{:?}", meet(Stacking::Longest, 100, 50) == Meeting::Keeps) => "true";
    "Classes, Cleric, Preparing and Casting Spells": "modifier and level are prepared",
        [] |_| prepared_count(Casting::Full, 5, 3) => "8";
    "Classes, Warlock, Pact Magic": "slots of one level, back after a short rest",
        [] |_| format!("{:?}", Slots::new(Casting::Pact, 5).left) => "[0, 0, 2, 0, 0, 0, 0, 0, 0]";

    "Adventuring, Resting, Short Rest": "a hit die and constitution come back",
        [6] |d| {
            let mut health = hurt(Fate::Dies, &[blow(11)]);
            spend_hit_die(&mut health, &mut HitDice { sides: 10, max: 5, left: 1 }, 2, d);
            health }
        => "9 of 12";
    "Adventuring, Resting, Long Rest": "all hit points come back",
        [] |_| rested(11, 0, 0).health => "12 of 12";
    "Adventuring, Resting, Long Rest": "half of the hit dice come back",
        [] |_| rested(1, 0, 0).hit_dice.left => "2";
    "Adventuring, Resting, Long Rest": "all slots come back",
        [] |_| format!("{:?}", rested(1, 0, 0).slots.left) => "[4, 3, 2, 0, 0, 0, 0, 0, 0]";
    "Appendix PH-A: Conditions, Exhaustion, Long Rest": "one level of exhaustion goes",
        [] |_| rested(1, 0, 3).exhaustion => "2";
    "Adventuring, Resting, Long Rest": "who has no hit points gains nothing",
        [] |_| rested(12, 0, 0).health => "dying, 0 made, 0 missed";

    "Equipment, Armor, Light Armor": "all of dexterity counts",
        [] |_| wear(ArmorKind::Light, 11, 10, 4, None) => "15";
    "Equipment, Armor, Medium Armor": "at most 2 of dexterity counts",
        [] |_| wear(ArmorKind::Medium, 14, 2, 4, None) => "16";
    "Equipment, Armor, Heavy Armor": "nothing of dexterity counts, nor below 0",
        [] |_| format!("{:?}",
            [4, -2].map(|dexterity| wear(ArmorKind::Heavy, 16, 0, dexterity, None))) => "[16, 16]";
    "Equipment, Armor, Shields": "a shield adds 2",
        [] |_| wear(ArmorKind::Light, 12, 10, 3, Some(2)) => "17";
    "Classes, Barbarian, Unarmored Defense": "10, dexterity and constitution",
        [] |_| armor_class(2, None, None, Some(Unarmored { modifier: 3, with_shield: true })).total
        => "15";
    "Equipment, Weapons, Finesse": "the better of strength and dexterity",
        [] |_| format!("{:?}",
            attack_attribute(&weapon("1d8", &[WeaponProperty::Finesse]), 1, 3)) => "Dexterity";
    "Equipment, Weapons, Thrown": "a thrown weapon uses what it uses in the hand",
        [] |_| format!("{:?}", attack_attribute(&weapon("1d6", &[WeaponProperty::Thrown]), 1, 3))
        => "Strength";
    "Equipment, Weapons, Heavy": "the small have disadvantage",
        [] |_| format!("{:?}",
            weapon_edges(&weapon("2d6", &[WeaponProperty::Heavy]), Size::Small).edge())
        => "Disadvantage";

    "Beyond 1st Level, Character Advancement": "levels begin at 300, 900, 2700 and on",
        [] |_| format!("{:?}", [299, 300, 900, 355_000].map(level_of)) => "[1, 2, 3, 20]";
    "Beyond 1st Level, Hit Points": "most of the die first, its average after",
        [] |_| format!("{:?}", [1, 2, 3].map(|level| most_hit_points(level, 10, 2)))
        => "[12, 20, 28]";
    "Classes, Fighter, Ability Score Improvement": "scores rise at 4, 8, 12, 16 and 19",
        [] |_| format!("{:?}", [3, 4, 8, 12, 16, 19].map(increases)) => "[0, 1, 2, 3, 4, 5]";
    "Monsters, Experience Points by Challenge Rating": "a challenge has its worth",
        [] |_| format!("{:?}", ["1/4", "3", "20"].map(|text| of_challenge(text).unwrap_or(0)))
        => "[50, 700, 25000]";
}

#[test]
fn the_rules_are_those_of_the_srd() {
    let distinct: BTreeSet<_> = RULES.iter().map(|rule| (rule.section, rule.says)).collect();
    assert_eq!(distinct.len(), RULES.len(), "a rule stands twice");
    assert!(distinct.len() >= 70, "{} rules", distinct.len());
    for Rule { section, says, dice, run, expected } in RULES {
        let mut fixed = Fixed::new(dice);
        assert_eq!(run(&mut fixed), *expected, "{section}: {says}");
        assert!(fixed.is_used_up(), "{section}: {says}: other dice than {dice:?}");
    }
}
