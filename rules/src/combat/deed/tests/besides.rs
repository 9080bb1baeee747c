//! What is pushed, drawn, summoned, left alone; and what the balance makes of it.

use super::*;

fn only(effect: EffectDef, key: &str) -> AbilityDef {
    AbilityDef { effects: vec![effect], attack: None, save: None, ..ability(key).clone() }
}

#[test]
fn strength_shoves_and_who_saves_stays() {
    let mut play = Play::new([hero(1, "fighter", 1), at(foe(2, "ogre"), 1_000)]);
    let pushed = "2 strength save 8 + 4 = 12 against 13: failure; pushed";
    let told = play.check("shove", &[1], &[8], &[pushed]);
    let to = Point { x_mm: 2_500, y_mm: 0 };
    let moved = Consequence::Moved { entity_id: 2, to, is_teleport: false };
    assert_eq!(told.consequences, [moved]);
    let stays = "2 strength save 9 + 4 = 13 against 13: success";
    assert!(play.check("shove", &[1], &[9], &[stays]).consequences.is_empty());
}

#[test]
fn nobody_is_pulled_past_who_pulls() {
    for (far_mm, from_mm, expected_mm) in
        [(3_000, 5_000, 2_000), (9_000, 5_000, 1_000), (9_000, 700, 700)]
    {
        let pull = only(EffectDef::Pull { distance_mm: far_mm }, "shove");
        let mut play = Play::new([hero(1, "fighter", 1), at(foe(2, "ogre"), from_mm)]);
        let told = play.check_with(&pull, &[1], &[], &["2 pulled"]);
        let to = Point { x_mm: expected_mm, y_mm: 0 };
        let moved = Consequence::Moved { entity_id: 2, to, is_teleport: false };
        assert_eq!(told.consequences, [moved], "{far_mm} from {from_mm}");
    }
}

#[test]
fn magic_carries_its_user_to_where_it_aims() {
    let mut play = Play::new([hero(1, "wizard", 3)]);
    let told = play.check("misty_step", &[0], &[], &["1 "]);
    let to = Point { x_mm: 7_000, y_mm: 7_000 };
    let moved = Consequence::Moved { entity_id: 1, to, is_teleport: true };
    assert_eq!(told.consequences, [moved]);
}

#[test]
fn who_is_taunted_turns() {
    let taunt = only(EffectDef::Taunt { threat: 50 }, "shove");
    let mut play = Play::new([hero(1, "fighter", 1), foe(2, "ogre")]);
    let told = play.check_with(&taunt, &[1], &[], &["2 "]);
    assert_eq!(told.consequences, [Consequence::Taunted { entity_id: 2, threat: 50 }]);
}

#[test]
fn creatures_come_once_whoever_is_reached() {
    let mut play = Play::new([hero(1, "druid", 5)]);
    let told = play.check("conjure_animals", &[0], &[], &["1 "]);
    let wolves = Consequence::Summoned {
        creature: "dire_wolf".to_owned(),
        count: 2,
        duration_millis: 3_600_000,
    };
    assert_eq!(told.consequences, [wolves]);
    assert_eq!(play.fighters[0].concentrates_on, "conjure_animals");
    play.house.summoning = false;
    let told = play.check("conjure_animals", &[0], &[], &["1 "]);
    assert_eq!(told.consequences, [Consequence::ConcentrationEnded(1)]);
    assert_eq!(play.fighters[0].concentrates_on, "");
}

#[test]
fn the_dead_are_left_alone_and_nothing_is_rolled_for_nobody() {
    let mut dead = foe(2, "ogre");
    dead.health.kill();
    let mut play = Play::new([hero(1, "wizard", 5), dead, foe(3, "ogre")]);
    play.slot_level = 3;
    play.check("fireball", &[1], &[], &[]);
    play.check("fireball", &[], &[], &[]);
    play.check("fire_bolt", &[1], &[], &[]);
    let dice = [1, 1, 1, 1, 1, 1, 1, 1, 9];
    let burnt = "3 dexterity save 9 - 1 = 8 against 14: failure; \
                 8d6: 1 + 1 + 1 + 1 + 1 + 1 + 1 + 1 = 8; 8 fire";
    play.check("fireball", &[1, 2], &dice, &[burnt]);
    assert_eq!(play.fighters[1].effects.len(), 0);
}

#[test]
fn who_dies_of_the_first_effect_feels_no_other() {
    let mut play = Play::new([hero(1, "wizard", 5), at(hurt(foe(2, "goblin"), 6), 2_000)]);
    play.slot_level = 1;
    let dies = "2 constitution save 2 + 0 = 2 against 14: failure; 2d8: 1 + 1 = 2; 2 thunder; dies";
    let told = play.check("thunderwave", &[1], &[1, 1, 2], &[dies]);
    assert_eq!((told.consequences, told.lines[0].fell), (vec![], Fell::Dead));
    let mut play = Play::new([hero(1, "bard", 5), at(hurt(foe(2, "goblin"), 6), 2_000)]);
    let dies = "2 wisdom save 2 - 1 = 1 against 14: failure; 2d4: 1 + 1 = 2; 2 psychic; dies";
    play.check("vicious_mockery", &[1], &[1, 1, 2], &[dies]);
    assert!(play.fighters[1].effects.is_empty());
}

#[test]
fn the_balance_changes_what_arrives_but_not_nothing() {
    let darts = |percent: &str| {
        let dart = format!("1d4+1: 1 + 1 = 2; 2 force{percent}");
        format!("2 {dart}; {dart}; {dart}")
    };
    for (percent, words, amount) in [
        (100, "", 6),
        (150, "; 150 percent: 3", 9),
        // What is above nothing stays above it.
        (1, "; 1 percent: 1", 3),
        (0, "; 0 percent: 0", 0),
    ] {
        let mut play = Play::new([hero(1, "wizard", 1), foe(2, "ogre")]);
        play.slot_level = 1;
        play.house.damage_percent = percent;
        let told = play.check("magic_missile", &[1], &[1, 1, 1], &[&darts(words)]);
        assert_eq!(told.lines[0].amount, amount);
    }
    let immune = "2 wisdom save 1 + 0 = 1 against 13: failure; 1d12: 9; 9 poison, immune";
    let mut play = Play::new([hero(1, "wizard", 1), foe(2, "skeleton")]);
    play.house.damage_percent = 1_000;
    let immune = immune.replace("wisdom save 1 + 0 = 1", "constitution save 1 + 2 = 3");
    let told = play.check("poison_spray", &[1], &[9, 1], &[&immune]);
    assert_eq!((told.lines[0].amount, told.lines[0].rolled), (0, 9));
}

#[test]
fn what_comes_each_round_for_a_minute_comes_ten_times() {
    let mut play = Play::new([hero(1, "druid", 1), hero(2, "fighter", 1)]);
    play.slot_level = 1;
    play.check("goodberry", &[1], &[], &["2 goodberry"]);
    let effect = &play.fighters[1].effects[0];
    assert_eq!((effect.next_at, effect.every_millis), (NOW + 6_000, 6_000));
    assert!(effect.next_at + 9 * 6_000 < effect.ends_at);
    assert!(effect.next_at + 10 * 6_000 >= effect.ends_at);
}

#[test]
fn a_cure_ends_what_it_names_and_nothing_else() {
    let afraid = What::Condition(Condition::Frightened);
    let blind = What::Condition(Condition::Blinded);
    let fighter = lies(lies(hero(2, "fighter", 1), "fear", 9, afraid), "color_spray", 9, blind);
    let mut play = Play::new([hero(1, "bard", 6), fighter]);
    play.check("countercharm", &[0, 1], &[], &["1 ", "2 cured"]);
    assert_eq!(lying(&play.fighters[1]), ["color_spray"]);
}

#[test]
fn a_line_tells_the_gravest_of_its_blows() {
    for (before, after, expected) in [
        (Fell::No, Fell::Endured, Fell::Endured),
        (Fell::Dying, Fell::Failures(1), Fell::Dying),
        (Fell::Endured, Fell::Dying, Fell::Dying),
        (Fell::Failures(1), Fell::Dead, Fell::Dead),
        (Fell::Dead, Fell::No, Fell::Dead),
    ] {
        assert_eq!(graver(before, after), expected);
    }
}

#[test]
fn who_endures_keeps_its_last_hit_point_once() {
    let orc = crate::combat::stage::sheet("half_orc", "fighter", 1);
    let orc = crate::combat::stage::body(2, orc, true);
    let mut play = Play::new([hero(1, "wizard", 5), hurt(orc, 8)]);
    play.slot_level = 1;
    let darts = "2 1d4+1: 1 + 1 = 2; 2 force; 1d4+1: 1 + 1 = 2; 2 force; 1d4+1: 1 + 1 = 2; 2 force";
    play.check("magic_missile", &[1], &[1, 1, 1], &[&format!("{darts}; endures")]);
    assert!(play.fighters[1].has_endured);
    play.check("magic_missile", &[1], &[1, 1, 1], &[&format!("{darts}; falls")]);
    // Where nobody rolls for its life, who falls is dead.
    let mut play = Play::new([hero(1, "wizard", 5), hurt(hero(2, "fighter", 1), 8)]);
    play.slot_level = 1;
    play.house.death_saves = false;
    play.check("magic_missile", &[1], &[1, 1, 1], &[&format!("{darts}; dies")]);
}
