//! Spells.

use super::*;
use crate::combat::health::Vital;

#[test]
fn a_fire_bolt_hits_misses_and_hits_hard() {
    for (level, far_mm, dice, expected) in [
        (1, 9_000, &[12, 7][..], "2 12 + 5 = 17 against 11: hit; 1d10: 7; 7 fire"),
        (1, 9_000, &[5], "2 5 + 5 = 10 against 11: miss"),
        (1, 9_000, &[1], "2 1 + 5 = 6 against 11: miss"),
        (
            1,
            9_000,
            &[20, 7, 3],
            "2 20 + 5 = 25 against 11: critical hit; 2d10: 7 + 3 = 10; 10 fire",
        ),
        (5, 9_000, &[12, 7, 8], "2 12 + 6 = 18 against 11: hit; 2d10: 7 + 8 = 15; 15 fire"),
        // Beside an enemy nobody shoots well.
        (1, 1_500, &[12, 15, 7], "2 (12, 15) 12 + 5 = 17 against 11: hit; 1d10: 7; 7 fire"),
    ] {
        let mut play = Play::new([hero(1, "wizard", level), at(foe(2, "ogre"), far_mm)]);
        play.check("fire_bolt", &[1], dice, &[expected]);
    }
}

#[test]
fn a_line_has_the_numbers_of_its_words() {
    let mut play = Play::new([hero(1, "wizard", 1), at(foe(2, "ogre"), 9_000)]);
    let bolt = "2 20 + 5 = 25 against 11: critical hit; 2d10: 7 + 3 = 10; 10 fire";
    let told = play.check("fire_bolt", &[1], &[20, 7, 3], &[bolt]);
    let expected = Line {
        verdict: Verdict::Critical,
        natural: 20,
        modifier: 5,
        against: 11,
        rolled: 10,
        amount: 10,
        damage: Some(DamageType::Fire),
        text: bolt[2..].to_owned(),
        ..Line::of(2)
    };
    assert_eq!((told.lines, play.hit_points()), (vec![expected], vec![8, 49]));
}

#[test]
fn a_fireball_is_rolled_once_and_each_saves_for_itself() {
    let fighters = [
        hero(1, "wizard", 5),
        foe(2, "ogre"),
        foe(3, "goblin"),
        hero(4, "rogue", 7),
        hero(5, "rogue", 7),
    ];
    let mut play = Play::new(fighters);
    play.slot_level = 3;
    let fire = "8d6: 6 + 5 + 4 + 3 + 2 + 1 + 6 + 1 = 28; 28 fire";
    let told = play.check(
        "fireball",
        &[1, 2, 3, 4],
        &[6, 5, 4, 3, 2, 1, 6, 1, 15, 5, 2, 18],
        &[
            &format!("2 dexterity save 15 - 1 = 14 against 14: success; {fire}, 14 left"),
            &format!("3 dexterity save 5 + 2 = 7 against 14: failure; {fire}; dies"),
            // Who evades takes half where others take all, and nothing in place of half.
            &format!("4 dexterity save 2 + 6 = 8 against 14: failure; {fire}, 14 left"),
            &format!("5 dexterity save 18 + 6 = 24 against 14: success; {fire}, 0 left"),
        ],
    );
    assert_eq!(play.hit_points(), [32, 45, 0, 31, 45]);
    let amounts: Vec<i32> = told.lines.iter().map(|line| line.amount).collect();
    assert_eq!(amounts, [14, 7, 14, 0]);
}

#[test]
fn a_higher_slot_adds_dice() {
    let mut play = Play::new([hero(1, "wizard", 9), foe(2, "ogre")]);
    play.slot_level = 5;
    let dice = [1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 3];
    let burnt = "10d6: 1 + 1 + 1 + 1 + 1 + 1 + 1 + 1 + 1 + 1 = 10; 10 fire";
    let expected = format!("2 dexterity save 3 - 1 = 2 against 15: failure; {burnt}");
    play.check("fireball", &[1], &dice, &[&expected]);
    let mut play = Play::new([hero(1, "cleric", 3), hurt(hero(2, "fighter", 1), 10)]);
    play.slot_level = 2;
    play.check("cure_wounds", &[1], &[4, 5], &["2 2d8+3: 4 + 5 + 3 = 12; 10 healed"]);
    assert_eq!(play.hit_points()[1], 12);
}

#[test]
fn what_is_always_added_to_damage_is_added_to_a_spell_once() {
    let mut play = Play::new([hero(1, "wizard", 10), at(foe(2, "ogre"), 9_000)]);
    let bolt = "2 12 + 7 = 19 against 11: hit; 2d10+4: 7 + 8 + 4 = 19; 19 fire";
    play.check("fire_bolt", &[1], &[12, 7, 8], &[bolt]);
    let darts = "2 1d4+5: 1 + 5 = 6; 6 force; 1d4+1: 2 + 1 = 3; 3 force; 1d4+1: 3 + 1 = 4; 4 force";
    play.slot_level = 1;
    play.check("magic_missile", &[1], &[1, 2, 3], &[darts]);
}

#[test]
fn magic_missiles_do_not_miss() {
    let mut play = Play::new([hero(1, "wizard", 3), at(foe(2, "ogre"), 9_000)]);
    play.slot_level = 2;
    let darts =
        "2 2d4+2: 3 + 2 + 2 = 7; 7 force; 1d4+1: 1 + 1 = 2; 2 force; 1d4+1: 4 + 1 = 5; 5 force";
    let told = play.check("magic_missile", &[1], &[3, 2, 1, 4], &[darts]);
    assert_eq!((told.lines[0].amount, told.lines[0].verdict), (14, Verdict::None));
}

#[test]
fn who_is_blessed_attacks_and_saves_better() {
    let fighters = [hero(1, "cleric", 1), hero(2, "fighter", 1), foe(3, "ogre")];
    let mut play = Play::new(fighters);
    play.check("bless", &[0, 1], &[], &["1 bless", "2 bless"]);
    assert_eq!(play.fighters[0].concentrates_on, "bless");
    play.by = 1;
    let blow = "3 Longsword: 10 + 5 + 3 = 18 against 11: hit; 1d8+3: 5 + 3 = 8; 8 slashing";
    play.check("attack", &[2], &[10, 3, 5], &[blow]);
    play.by = 2;
    let shove = "2 strength save 10 + 5 + 1 = 16 against 14: success";
    play.check("shove", &[1], &[10, 1], &[shove]);
}

#[test]
fn who_is_held_can_shake_it_off() {
    let mut play = Play::new([hero(1, "cleric", 3), foe(2, "ogre")]);
    play.slot_level = 2;
    let held = "2 wisdom save 10 - 2 = 8 against 13: failure; paralyzed";
    play.check("hold_person", &[1], &[10], &[held]);
    let effect = play.fighters[1].effects[0].clone();
    assert_eq!(effect.what, What::Condition(Condition::Paralyzed));
    assert_eq!((effect.save, effect.every_millis), (Some((Attribute::Wisdom, 13)), 6_000));
    assert_eq!((effect.next_at, effect.ends_at), (NOW + 6_000, NOW + 60_000));
    assert!(!play.fighters[1].conditions().can_act());
}

#[test]
fn who_saves_is_not_held_and_nobody_concentrates_on_nothing() {
    let mut play = Play::new([hero(1, "cleric", 3), foe(2, "ogre"), foe(3, "skeleton")]);
    play.slot_level = 2;
    let free = "2 wisdom save 15 - 2 = 13 against 13: success";
    play.check("hold_person", &[1], &[15], &[free]);
    assert_eq!(
        (lying(&play.fighters[1]).len(), play.fighters[0].concentrates_on.as_str()),
        (0, "")
    );
    let undead = "3 constitution save 3 + 2 = 5 against 13: failure; immune to poisoned";
    let poison = AbilityDef {
        save: Some(SaveDef {
            attribute: Attribute::Constitution,
            on_success: OnSave::Nothing,
            difficulty: None,
        }),
        effects: vec![EffectDef::Condition {
            condition: Condition::Poisoned,
            duration_millis: 60_000,
            save_ends: true,
        }],
        ..ability("hold_person").clone()
    };
    play.check_with(&poison, &[2], &[3], &[undead]);
    assert_eq!(play.fighters[0].concentrates_on, "");
}

#[test]
fn a_new_concentration_ends_the_one_before_wherever_it_lies() {
    let mut play = Play::new([hero(1, "cleric", 3), hero(2, "fighter", 1), foe(3, "ogre")]);
    play.check("bless", &[0, 1], &[], &["1 bless", "2 bless"]);
    play.slot_level = 2;
    let held = "3 wisdom save 1 - 2 = -1 against 13: failure; paralyzed";
    let told = play.check("hold_person", &[2], &[1], &[held]);
    assert_eq!(told.consequences, [Consequence::ConcentrationEnded(1)]);
    assert_eq!(play.fighters[0].concentrates_on, "hold_person");
    let all: Vec<Vec<&str>> = play.fighters.iter().map(lying).collect();
    assert_eq!(all, [vec![], vec![], vec!["hold_person"]]);
}

#[test]
fn damage_breaks_concentration_and_one_blow_asks_once() {
    for (spell, dice, expected, on) in [
        ("magic_missile", &[3, 2, 1, 9][..], "9 + 1 = 10 against 10: success", "shield_of_faith"),
        ("magic_missile", &[3, 2, 1, 8], "8 + 1 = 9 against 10: failure", ""),
        (
            "inflict_wounds",
            &[19, 10, 9, 9, 13],
            "13 + 1 = 14 against 14: success",
            "shield_of_faith",
        ),
        ("inflict_wounds", &[19, 10, 9, 9, 12], "12 + 1 = 13 against 14: failure", ""),
    ] {
        let cleric = concentrating(hero(2, "cleric", 5), "shield_of_faith");
        let mut play = Play::new([hero(1, "wizard", 5), cleric]);
        let house = play.house;
        let deed = Deed {
            ability: ability(spell),
            slot_level: 1,
            at: Point::default(),
            now: NOW,
            house: &house,
            book: book(),
        };
        let mut fixed = Fixed::new(dice);
        let told = perform(&deed, &mut play.fighters, 0, &[1], &mut fixed);
        assert!(fixed.is_used_up(), "{told:?}");
        let text = &told.lines[0].text;
        let words = format!("concentration: constitution save {expected}");
        assert!(text.ends_with(&words), "{text}");
        assert_eq!(play.fighters[1].concentrates_on, on);
        assert_eq!(lying(&play.fighters[1]).is_empty(), on.is_empty());
        let ended = Consequence::ConcentrationEnded(2);
        assert_eq!(told.consequences.contains(&ended), on.is_empty());
    }
}

#[test]
fn concentration_counts_as_the_house_says() {
    let cleric = || concentrating(hero(2, "cleric", 5), "shield_of_faith");
    let mut play = Play::new([hero(1, "wizard", 3), cleric()]);
    play.slot_level = 1;
    play.house.concentration = false;
    let darts = "2 1d4+1: 3 + 1 = 4; 4 force; 1d4+1: 2 + 1 = 3; 3 force; 1d4+1: 1 + 1 = 2; 2 force";
    play.check("magic_missile", &[1], &[3, 2, 1], &[darts]);
    assert_eq!(play.fighters[1].concentrates_on, "shield_of_faith");
    // The least that is asked for can be less than in the table game: half of 9 is 4.
    play.house.concentration = true;
    play.house.concentration_difficulty_min = 1;
    let kept = format!("{darts}; concentration: constitution save 3 + 1 = 4 against 4: success");
    play.check("magic_missile", &[1], &[3, 2, 1, 3], &[&kept]);
}

#[test]
fn who_cannot_act_or_falls_lets_go_without_a_roll() {
    let cleric = || concentrating(hero(2, "cleric", 5), "shield_of_faith");
    let mut play = Play::new([hero(1, "wizard", 5), cleric()]);
    play.fighters[1].is_casting = true;
    play.slot_level = 2;
    let held = "2 wisdom save 3 + 6 = 9 against 14: failure; paralyzed";
    let told = play.check("hold_person", &[1], &[3], &[held]);
    let expected = [Consequence::ConcentrationEnded(2), Consequence::CastBroken(2)];
    assert_eq!(told.consequences, expected);
    assert_eq!(lying(&play.fighters[1]), ["hold_person"]);
    assert!(!play.fighters[1].is_casting && play.fighters[1].concentrates_on.is_empty());
    let mut play = Play::new([hero(1, "wizard", 5), hurt(cleric(), 30)]);
    play.slot_level = 1;
    let darts = "2 1d4+1: 3 + 1 = 4; 4 force; 1d4+1: 2 + 1 = 3; 3 force; 1d4+1: 1 + 1 = 2; 2 force";
    let told = play.check("magic_missile", &[1], &[3, 2, 1], &[&format!("{darts}; falls")]);
    assert_eq!(told.consequences, [Consequence::ConcentrationEnded(2)]);
    assert_eq!((told.lines[0].fell, told.lines[0].amount), (Fell::Dying, 3));
}

#[test]
fn what_hangs_on_a_concentration_that_breaks_meanwhile_is_not_laid() {
    // It hurts its own maker, who loses hold of it before it reaches the other.
    let pact = AbilityDef {
        effects: vec![
            EffectDef::Damage {
                dice: "1".parse().expect("dice"),
                damage: DamageType::Necrotic,
                upcast: None,
                add_modifier: false,
            },
            EffectDef::Modifier { stat: Stat::ArmorClass, amount: 1, duration_millis: 60_000 },
        ],
        ..ability("bless").clone()
    };
    let mut play = Play::new([hero(1, "cleric", 1), hero(2, "fighter", 1)]);
    let told = play.check_with(
        &pact,
        &[0, 1],
        &[2],
        &[
            "1 1 necrotic; concentration: constitution save 2 + 1 = 3 against 10: failure",
            "2 1 necrotic",
        ],
    );
    assert_eq!(told.consequences, [Consequence::ConcentrationEnded(1)]);
    assert!(play.fighters.iter().all(|fighter| fighter.effects.is_empty()));
}

#[test]
fn healing_wakes_the_dying_and_does_nothing_for_the_dead() {
    let mut play = Play::new([hero(1, "cleric", 1), hurt(hero(2, "fighter", 1), 12)]);
    play.check("cure_wounds", &[1], &[1], &["2 1d8+3: 1 + 3 = 4; 4 healed"]);
    assert_eq!(play.fighters[1].health.vital, Vital::Awake);
    play.house.healing_percent = 50;
    play.check("cure_wounds", &[1], &[2], &["2 1d8+3: 2 + 3 = 5; 2 healed"]);
    play.fighters[1].health.kill();
    play.check("cure_wounds", &[1], &[], &[]);
    assert!(play.fighters[1].health.is_dead());
}

#[test]
fn the_dead_come_back_as_the_house_allows_and_creatures_do_not() {
    let mut play = Play::new([hero(1, "cleric", 5), hero(2, "fighter", 1), foe(3, "goblin")]);
    play.check("revivify", &[1, 2], &[], &[]);
    play.fighters[1].health.kill();
    play.fighters[2].health.kill();
    play.house.resurrection = false;
    play.check("revivify", &[1], &[], &["2 stays as it is"]);
    play.house.resurrection = true;
    let told = play.check("revivify", &[1, 2], &[], &["2 lives again", "3 stays as it is"]);
    assert_eq!((told.lines[0].amount, told.lines[0].is_healing), (1, true));
    assert_eq!(play.hit_points(), [33, 1, 0]);
    play.fighters[1].health.kill();
    play.check("raise_dead", &[1], &[], &["2 lives again"]);
    play.fighters[1].health.kill();
    play.check("resurrection", &[1], &[], &["2 lives again"]);
    assert_eq!(play.hit_points()[1], 12);
}

#[test]
fn magic_of_the_slots_level_is_dispelled_and_nothing_else() {
    let one_more = What::Modifier(Stat::ArmorClass, 1);
    let mut ogre = foe(2, "ogre");
    for key in ["bless", "haste", "stoneskin", "rage"] {
        ogre = lies(ogre, key, 1, one_more);
    }
    let mut play = Play::new([hero(1, "wizard", 7), ogre]);
    play.slot_level = 3;
    play.check("dispel_magic", &[1], &[], &["2 2 dispelled"]);
    assert_eq!(lying(&play.fighters[1]), ["stoneskin", "rage"]);
    play.slot_level = 0;
    play.check("cleansing_touch", &[1], &[], &["2 1 dispelled"]);
    assert_eq!(lying(&play.fighters[1]), ["rage"]);
}

#[test]
fn who_is_steadied_lives() {
    let mut play = Play::new([hero(1, "cleric", 1), hurt(hero(2, "fighter", 1), 12)]);
    play.check("spare_the_dying", &[1], &[], &["2 stable"]);
    assert_eq!(play.fighters[1].health.vital, Vital::Stable);
    play.check("spare_the_dying", &[0], &[], &["1 "]);
}

#[test]
fn temporary_hit_points_come_with_an_effect_and_go_with_it() {
    let mut play = Play::new([hero(1, "wizard", 3)]);
    play.slot_level = 2;
    play.check("false_life", &[0], &[3], &["1 1d4+9: 3 + 9 = 12; 12 temporary"]);
    assert_eq!(play.fighters[0].health.temporary, 12);
    // Cast anew it lasts longer; the higher number stays.
    play.now += 1_000;
    play.slot_level = 1;
    play.check("false_life", &[0], &[1], &["1 1d4+4: 1 + 4 = 5; 12 temporary"]);
    assert_eq!(play.fighters[0].effects.len(), 1);
    play.fighters[0].forget(|effect| effect.ability == "false_life");
    assert_eq!(play.fighters[0].health.temporary, 0);
}
