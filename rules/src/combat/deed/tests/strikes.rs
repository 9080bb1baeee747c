//! Strikes with what is in hand.

use std::rc::Rc;

use super::*;
use crate::combat::health::Vital;
use crate::combat::sheet::Sheet;
use crate::combat::stage::body;

/// The same body with another sheet.
fn with(fighter: &Fighter, change: impl Fn(&mut Sheet)) -> Fighter {
    let mut sheet = Sheet::clone(&fighter.sheet);
    change(&mut sheet);
    Fighter { sheet: Rc::new(sheet), ..fighter.clone() }
}

const RAPIER: &str = "3 Rapier: 10 + 5 = 15 against 11: hit; 1d8+3: 5 + 3 = 8";

#[test]
fn a_sneak_attack_needs_help_and_comes_once_a_round() {
    let fighters = [hero(1, "rogue", 1), hero(2, "fighter", 1), foe(3, "ogre")];
    let mut play = Play::new(fighters);
    let sneaky = format!("{RAPIER}; 1d6: 4; 12 piercing");
    let plain = format!("{RAPIER}; 8 piercing");
    play.check("attack", &[2], &[10, 5, 4], &[&sneaky]);
    play.check("attack", &[2], &[10, 5], &[&plain]);
    play.now += 5_999;
    play.check("attack", &[2], &[10, 5], &[&plain]);
    play.now += 1;
    play.check("attack", &[2], &[10, 5, 4], &[&sneaky]);
    // Who lies unconscious beside it helps nobody.
    play.now += 6_000;
    play.fighters[1] = hurt(hero(2, "fighter", 1), 12);
    play.check("attack", &[2], &[10, 5], &[&plain]);
    // With an advantage it needs no help; its dice are doubled, too.
    play.fighters[2] = lies(foe(3, "ogre"), "entangle", 9, What::Condition(Condition::Restrained));
    let best = "3 Rapier: (3, 20) 20 + 5 = 25 against 11: critical hit; 2d8+3: 1 + 2 + 3 = 6; \
                2d6: 5 + 6 = 11; 17 piercing";
    play.check("attack", &[2], &[3, 20, 1, 2, 5, 6], &[best]);
}

#[test]
fn a_disadvantage_spoils_a_sneak_attack_unless_it_is_made_up_for() {
    let fighters = [hero(1, "rogue", 1), hero(2, "fighter", 1), foe(3, "ogre")];
    let mut play = Play::new(fighters);
    play.fighters[0] = lies(hero(1, "rogue", 1), "grease", 9, What::Condition(Condition::Prone));
    let poor = "3 Rapier: (10, 12) 10 + 5 = 15 against 11: hit; 1d8+3: 5 + 3 = 8; 8 piercing";
    play.check("attack", &[2], &[10, 12, 5], &[poor]);
    // Both at once are neither, and then help is enough.
    play.fighters[2] = lies(foe(3, "ogre"), "entangle", 9, What::Condition(Condition::Restrained));
    play.check("attack", &[2], &[10, 5, 4], &[&format!("{RAPIER}; 1d6: 4; 12 piercing")]);
}

#[test]
fn in_a_duel_nobody_helps_and_who_is_shot_at_hinders() {
    let mut play = Play::new([hero(1, "rogue", 1), hero(2, "wizard", 5), hero(3, "fighter", 1)]);
    let plain = "2 Rapier: 10 + 5 = 15 against 11: hit; 1d8+3: 5 + 3 = 8; 8 piercing";
    play.check("attack", &[1], &[10, 5], &[plain]);
    let mut play = Play::new([hero(1, "wizard", 5), hero(2, "wizard", 5)]);
    let bolt = "2 (9, 8) 8 + 6 = 14 against 11: hit; 2d10: 1 + 2 = 3; 3 fire";
    play.check("fire_bolt", &[1], &[9, 8, 1, 2], &[bolt]);
}

#[test]
fn a_dragon_bites_once_and_claws_twice_as_far_as_each_reaches() {
    let dragon = || foe(1, "young_white_dragon");
    let mut play = Play::new([dragon(), at(hero(2, "fighter", 20), 1_500)]);
    let bite = "2 Bite: 15 + 7 = 22 against 19: hit; 2d10+4: 6 + 7 + 4 = 17; 17 piercing; \
                1d8: 4; 4 cold";
    let claws = [
        "2 Claw: 2 + 7 = 9 against 19: miss",
        "2 Claw: 15 + 7 = 22 against 19: hit; 2d6+4: 5 + 5 + 4 = 14; 14 slashing",
    ];
    let dice = [15, 6, 7, 4, 2, 15, 5, 5];
    let told = play.check("attack", &[1], &dice, &[bite, claws[0], claws[1]]);
    let amounts: Vec<i32> = told.lines.iter().map(|line| line.amount).collect();
    assert_eq!((amounts, play.hit_points()[1]), (vec![21, 0, 14], 164 - 35));
    let mut play = Play::new([dragon(), at(hero(2, "fighter", 20), 1_501)]);
    play.check("attack", &[1], &[15, 6, 7, 4], &[bite]);
    let mut play = Play::new([dragon(), at(hero(2, "fighter", 20), 3_001)]);
    play.check("attack", &[1], &[], &[]);
    // Who is down is struck no more.
    let mut play = Play::new([dragon(), at(hurt(hero(2, "fighter", 20), 150), 1_500)]);
    play.check("attack", &[1], &[15, 6, 7, 4], &[&format!("{bite}; falls")]);
}

#[test]
fn what_must_be_loaded_shoots_once() {
    let mut play = Play::new([hero(1, "fighter", 5), at(foe(2, "ogre"), 9_000)]);
    let shot = "2 Light Crossbow: 10 + 5 = 15 against 11: hit; 1d8+2: 5 + 2 = 7; 7 piercing";
    play.check("attack", &[1], &[10, 5], &[shot]);
    play.fighters[1].place.x_mm = 1_000;
    let twice = ["2 Longsword: 2 + 6 = 8 against 11: miss"; 2];
    play.check("attack", &[1], &[2, 2], &twice);
    // Beyond its normal range it shoots at a disadvantage.
    play.fighters[1].place.x_mm = 24_001;
    let far = "2 Light Crossbow: (10, 2) 2 + 5 = 7 against 11: miss";
    play.check("attack", &[1], &[10, 2], &[far]);
}

#[test]
fn who_leaves_is_struck_at_the_edge_of_the_reach() {
    let mut play = Play::new([hero(1, "fighter", 5), at(foe(2, "ogre"), 1_700)]);
    let blow = "2 Longsword: 10 + 6 = 16 against 11: hit; 1d8+3: 5 + 3 = 8; 8 slashing";
    play.check("opportunity_attack", &[1], &[10, 5], &[blow]);
    // The same away from a reaction is a shot.
    let shot = "2 Light Crossbow: 2 + 5 = 7 against 11: miss";
    play.check("action_surge", &[1], &[2], &[shot]);
}

#[test]
fn what_has_no_dice_is_not_doubled() {
    let fighter = with(&hero(1, "fighter", 1), |sheet| {
        sheet.strikes.retain(|strike| strike.name == "Fist");
    });
    let mut play = Play::new([fighter, foe(2, "ogre")]);
    let blow = "2 Fist: 20 + 5 = 25 against 11: critical hit; 4 bludgeoning";
    play.check("attack", &[1], &[20], &[blow]);
}

#[test]
fn criticals_are_those_of_the_sheet_and_the_house() {
    let mut play = Play::new([hero(1, "fighter", 3), foe(2, "ogre")]);
    let hard = "2 Longsword: 19 + 5 = 24 against 11: critical hit; 2d8+3: 5 + 6 + 3 = 14; \
                14 slashing";
    play.check("attack", &[1], &[19, 5, 6], &[hard]);
    play.house.critical_hits = false;
    let plain = "2 Longsword: 20 + 5 = 25 against 11: hit; 1d8+3: 5 + 3 = 8; 8 slashing";
    let told = play.check("attack", &[1], &[20, 5], &[plain]);
    assert_eq!(told.lines[0].verdict, Verdict::Hit);
    let mut play = Play::new([hero(1, "barbarian", 9), foe(2, "ogre")]);
    let brutal = "2 Greataxe: 20 + 7 = 27 against 11: critical hit; \
                  3d12+3: 1 + 2 + 3 + 3 = 9; 9 slashing";
    play.check(
        "attack",
        &[1],
        &[20, 1, 2, 3, 3],
        &[brutal, "2 Greataxe: 3 + 7 = 10 against 11: miss"],
    );
}

#[test]
fn effects_add_to_the_damage_of_a_strike() {
    let mark = |dice: &str, is_negative| {
        let dice = dice.parse().expect("dice");
        What::ModifierDice(Stat::DamageRoll, dice, is_negative)
    };
    let blow = |rest: &str| {
        format!("2 Longsword: 10 + 5 = 15 against 11: hit; 1d8+3: 5 + 3 = 8; {rest} slashing")
    };
    for (what, dice, rest) in [
        (mark("1d6", false), &[10, 5, 4][..], "1d6: 4; 12"),
        (mark("1d4", true), &[10, 5, 4], "less 1d4: 4; 4"),
        (
            mark("10d4", true),
            &[10, 5, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4],
            "less 10d4: 4 + 4 + 4 + 4 + 4 + 4 + 4 + 4 + 4 + 4 = 40; 0",
        ),
    ] {
        let fighter = lies(hero(1, "fighter", 1), "hunters_mark", 1, what);
        let mut play = Play::new([fighter, foe(2, "ogre")]);
        play.check("attack", &[1], dice, &[&blow(rest)]);
    }
    let raging = lies(hero(1, "fighter", 1), "rage", 1, What::Modifier(Stat::DamageRoll, 2));
    let mut play = Play::new([raging, foe(2, "ogre")]);
    let blow = "2 Longsword: 10 + 5 = 15 against 11: hit; 1d8+5: 5 + 5 = 10; 10 slashing";
    play.check("attack", &[1], &[10, 5], &[blow]);
}

#[test]
fn one_hit_is_one_blow_whatever_it_is_made_of() {
    // Who is down within reach is hit critically: two missed saves, and not two for each kind.
    let dying = || at(hurt(hero(2, "fighter", 20), 164), 1_500);
    let mut play = Play::new([foe(1, "young_white_dragon"), dying()]);
    let bite = "2 Bite: (5, 15) 15 + 7 = 22 against 19: critical hit; \
                4d10+4: 1 + 1 + 1 + 1 + 4 = 8; 8 piercing; 2d8: 1 + 1 = 2; 2 cold; \
                a death save is missed";
    let told = play.check("attack", &[1], &[5, 15, 1, 1, 1, 1, 1, 1], &[bite]);
    assert_eq!(told.lines[0].fell, Fell::Failures(2));
    let vital = Vital::Dying { successes: 0, failures: 2 };
    assert_eq!(play.fighters[1].health.vital, vital);
    // What is left of both kinds together kills outright.
    let frail = at(hurt(hero(2, "wizard", 1), 5), 1_500);
    let mut play = Play::new([foe(1, "young_white_dragon"), frail]);
    let bite = "2 Bite: 15 + 7 = 22 against 11: hit; 2d10+4: 1 + 2 + 4 = 7; 7 piercing; \
                1d8: 4; 4 cold; dies";
    let told = play.check("attack", &[1], &[15, 1, 2, 4], &[bite]);
    assert_eq!((told.lines[0].fell, told.lines[0].amount), (Fell::Dead, 3));
}

#[test]
fn a_smite_lands_with_its_strike() {
    let cleric = concentrating(hurt(hero(2, "cleric", 5), 20), "shield_of_faith");
    let mut play = Play::new([hero(1, "paladin", 2), cleric]);
    let smite = "2 Longsword: 14 + 5 = 19 against 20: miss";
    play.check("divine_smite", &[1], &[14], &[smite]);
    let smite = "2 Longsword: 17 + 5 = 22 against 20: hit; 1d8+3: 5 + 3 = 8; 8 slashing; \
                 2d8: 1 + 2 = 3; 3 radiant; \
                 concentration: constitution save 9 + 1 = 10 against 10: success";
    play.check("divine_smite", &[1], &[17, 5, 1, 2, 9], &[smite]);
}

#[test]
fn who_withstands_a_stunning_strike_is_hurt_all_the_same() {
    let mut play = Play::new([hero(1, "monk", 5), foe(2, "ogre")]);
    let blow = "2 Shortsword: 10 + 6 = 16 against 11: hit; 1d6+3: 2 + 3 = 5; 5 piercing";
    let withstood = format!("{blow}; constitution save 10 + 3 = 13 against 13: success");
    play.check("stunning_strike", &[1], &[10, 2, 10], &[&withstood]);
    assert!(play.fighters[1].conditions().can_act());
    let stunned = format!("{blow}; constitution save 9 + 3 = 12 against 13: failure; stunned");
    play.check("stunning_strike", &[1], &[10, 2, 9], &[&stunned]);
    assert!(!play.fighters[1].conditions().can_act());
    // The dead need not save.
    play.fighters[1] = hurt(foe(2, "ogre"), 55);
    let dies = format!("{blow}; dies");
    play.check("stunning_strike", &[1], &[10, 2], &[&dies]);
    assert!(play.fighters[1].effects.is_empty());
}

#[test]
fn a_creatures_hit_forces_more_on_who_lives() {
    let wolf = || foe(1, "wolf");
    let mut play = Play::new([wolf(), hero(2, "wizard", 5)]);
    let bite = "2 Bite: 10 + 4 = 14 against 11: hit; 2d4+2: 1 + 2 + 2 = 5; 5 piercing";
    let down = format!("{bite}; strength save 8 + 2 = 10 against 11: failure; prone");
    play.check("attack", &[1], &[10, 1, 2, 8], &[&down]);
    let mut play = Play::new([wolf(), foe(2, "goblin")]);
    play.fighters[1] = hurt(hero(2, "wizard", 5), 32);
    let immune = with(&hero(2, "wizard", 5), |sheet| {
        sheet.condition_immunities.push(Condition::Prone);
    });
    play.fighters[1] = immune;
    let stands = format!("{bite}; strength save 8 + 2 = 10 against 11: failure; immune to prone");
    play.check("attack", &[1], &[10, 1, 2, 8], &[&stands]);
    let mut play = Play::new([wolf(), body(2, Sheet::clone(&foe(2, "commoner").sheet), false)]);
    let dies = "2 Bite: 10 + 4 = 14 against 10: hit; 2d4+2: 1 + 2 + 2 = 5; 5 piercing; dies";
    play.check("attack", &[1], &[10, 1, 2], &[dies]);
}
