//! Sheets worked out by hand from the SRD, for a human of each kind with the standard scores, and
//! for creatures.

use super::*;
use crate::combat::stage::{beast, build, sheet};
use crate::content::tests::shipped_book;

/// What a sheet comes to: armor class, hit points, way of a round, saves, attacks of an action.
fn check(sheet: &Sheet, numbers: (i32, i32, u32), saves: [i32; 6], strikes: &[&str]) {
    let got = (sheet.armor_class, sheet.hit_points_max, sheet.speed_mm_per_round);
    assert_eq!(got, numbers);
    assert_eq!(sheet.saves, saves);
    let told: Vec<String> = sheet.strikes.iter().map(tell).collect();
    assert_eq!(told, strikes);
}

/// `Rapier +5 1d8+3 piercing 1500, subtle`.
fn tell(strike: &Strike) -> String {
    let Strike { name, to_hit, dice, damage, range_mm, long_range_mm, .. } = strike;
    let when = |is_so: bool, words: String| if is_so { words } else { String::new() };
    let extra = strike.extra.map(|(dice, damage)| format!(" and {dice} {}", damage.word()));
    [
        format!("{name} {to_hit:+} {dice} {} {range_mm}", damage.word()),
        when(*long_range_mm > 0, format!("/{long_range_mm}")),
        extra.unwrap_or_default(),
        when(strike.is_ranged, ", ranged".to_owned()),
        when(strike.is_subtle, ", subtle".to_owned()),
        when(strike.times_max > 0, format!(", {} times", strike.times_max)),
    ]
    .concat()
}

#[test]
fn a_fighter_begins_as_the_srd_has_it() {
    check(
        &sheet("human", "fighter", 1),
        // Chain mail 16, shield 2, defense 1.
        (19, 12, 9_000),
        [5, 2, 4, 1, 0, -1],
        &[
            "Longsword +5 1d8+3 slashing 1500",
            "Light Crossbow +4 1d8+2 piercing 24000/96000, ranged, subtle, 1 times",
            "Fist +5 4 bludgeoning 1500",
        ],
    );
}

#[test]
fn a_wizard_begins_as_the_srd_has_it() {
    let wizard = sheet("human", "wizard", 1);
    let strikes = ["Quarterstaff +4 1d8+2 bludgeoning 1500", "Fist +4 3 bludgeoning 1500"];
    check(&wizard, (11, 8, 9_000), [2, 1, 2, 5, 2, -1], &strikes);
    assert_eq!((wizard.spell_attack(), wizard.difficulty()), (5, 13));
    assert_eq!(wizard.slots, Slots::new(Casting::Full, 1));
    assert_eq!((wizard.hit_die, wizard.proficiency), (6, 2));
}

#[test]
fn a_cleric_begins_as_the_srd_has_it() {
    let cleric = sheet("human", "cleric", 1);
    let strikes = [
        "Mace +4 1d6+2 bludgeoning 1500",
        "Light Crossbow +4 1d8+2 piercing 24000/96000, ranged, subtle, 1 times",
        "Fist +4 3 bludgeoning 1500",
    ];
    // Scale mail 14, dexterity 2, shield 2.
    check(&cleric, (18, 9, 9_000), [2, 2, 1, 0, 5, 1], &strikes);
    assert_eq!((cleric.spell_attack(), cleric.difficulty()), (5, 13));
}

#[test]
fn a_rogue_begins_as_the_srd_has_it() {
    let rogue = sheet("human", "rogue", 1);
    let strikes = [
        "Rapier +5 1d8+3 piercing 1500, subtle",
        "Shortbow +5 1d6+3 piercing 24000/96000, ranged, subtle",
        "Dagger +5 1d4+3 piercing 1500, subtle",
        "Dagger +5 1d4+3 piercing 6000/18000, ranged, subtle",
        "Fist +4 3 bludgeoning 1500",
    ];
    check(&rogue, (14, 9, 9_000), [2, 5, 1, 2, -1, 2], &strikes);
    assert_eq!((rogue.sneak_dice(), sheet("human", "rogue", 20).sneak_dice()), (1, 10));
}

#[test]
fn a_barbarian_begins_as_the_srd_has_it() {
    let strikes = [
        "Greataxe +5 1d12+3 slashing 1500",
        "Handaxe +5 1d6+3 slashing 1500",
        "Handaxe +5 1d6+3 slashing 6000/18000, ranged",
        "Javelin +5 1d6+3 piercing 1500",
        "Javelin +5 1d6+3 piercing 9000/36000, ranged",
        "Fist +5 4 bludgeoning 1500",
    ];
    // Without armor 10, dexterity 2, constitution 2.
    check(&sheet("human", "barbarian", 1), (14, 14, 9_000), [5, 2, 4, 1, 0, -1], &strikes);
}

#[test]
fn a_monk_begins_as_the_srd_has_it() {
    let monk = sheet("human", "monk", 1);
    let strikes = [
        "Shortsword +5 1d6+3 piercing 1500, subtle",
        "Dart +5 1d4+3 piercing 1500, subtle",
        "Dart +5 1d4+3 piercing 6000/18000, ranged, subtle",
        "Fist +4 3 bludgeoning 1500",
    ];
    // Without armor and shield 10, dexterity 3, wisdom 2.
    check(&monk, (15, 9, 9_000), [4, 5, 1, 0, 2, -1], &strikes);
    // What it forces with is saved against by its wisdom.
    assert_eq!((monk.casting_by, monk.difficulty()), (Attribute::Wisdom, 12));
}

#[test]
fn creatures_are_as_the_srd_has_them() {
    let goblin = beast("goblin");
    let strikes =
        ["Scimitar +4 1d6+2 slashing 1500", "Shortbow +4 1d6+2 piercing 24000/96000, ranged"];
    check(&goblin, (15, 7, 9_000), [-1, 2, 0, 0, -1, -1], &strikes);
    assert_eq!((goblin.experience, goblin.level, goblin.fate), (50, 1, Fate::Falls));
    let ogre = beast("ogre");
    let strikes = [
        "Greatclub +6 2d8+4 bludgeoning 1500",
        "Javelin +6 2d6+4 piercing 1500",
        "Thrown Javelin +6 2d6+4 piercing 9000/36000, ranged",
    ];
    check(&ogre, (11, 59, 12_000), [4, -1, 3, -3, -2, -2], &strikes);
    assert_eq!((ogre.experience, ogre.proficiency), (450, 2));
    let dragon = beast("young_white_dragon");
    let strikes = [
        "Bite +7 2d10+4 piercing 3000 and 1d8 cold, 1 times",
        "Claw +7 2d6+4 slashing 1500, 2 times",
    ];
    check(&dragon, (17, 133, 12_000), [4, 3, 7, -2, 3, 4], &strikes);
    assert_eq!((dragon.experience, dragon.proficiency, dragon.attacks), (2_300, 3, 3));
    assert!(dragon.defenses.immunities.has(DamageType::Cold));
}

#[test]
fn the_balance_makes_creatures_tougher_and_never_less_than_alive() {
    let book = shipped_book();
    let ogre = book.creature("ogre").expect("content has it");
    for (percent, expected) in [(100, 59), (150, 88), (1, 1), (0, 1), (i64::MAX, 590)] {
        assert_eq!(of_creature(ogre, percent).hit_points_max, expected, "{percent}");
    }
    let levels = ["0", "1/8", "1/2", "1", "5", "20"].map(level_of_challenge);
    assert_eq!(levels, [1, 1, 1, 1, 5, 20]);
}

#[test]
fn features_change_what_a_class_begins_with() {
    // 1 hit point a level, and slow feet.
    let dwarf = sheet("dwarf", "fighter", 3);
    assert_eq!((dwarf.hit_points_max, dwarf.speed_mm_per_round), (12 + 2 * 8 + 3, 7_500));
    assert!(dwarf.defenses.resistances.has(DamageType::Poison));
    // Scales are 13 and dexterity.
    let sorcerer = sheet("human", "sorcerer", 1);
    assert_eq!((sorcerer.armor_class, sorcerer.hit_points_max), (14, 9));
    // At level 20 a barbarian's constitution is 4 more: 2 hit points a level, 40 in all.
    let champion = sheet("human", "barbarian", 20);
    assert_eq!(champion.hit_points_max, 14 + 19 * 9 + 40);
    assert_eq!(
        (champion.brutal_dice(), champion.attacks, champion.speed_mm_per_round),
        (3, 2, 11_970)
    );
    let master = sheet("human", "monk", 18);
    assert_eq!((master.speed_mm_per_round, master.saves), (18_000, [8, 9, 7, 6, 8, 5]));
    assert!(master.has(&Passive::Evasion));
    assert!(master.condition_immunities.contains(&Condition::Poisoned));
    for (class, level, attacks, critical_from) in [
        ("fighter", 1, 1, 20),
        ("fighter", 5, 2, 19),
        ("fighter", 11, 3, 19),
        ("fighter", 20, 4, 18),
        ("wizard", 20, 1, 20),
    ] {
        let sheet = sheet("human", class, level);
        assert_eq!((sheet.attacks, sheet.critical_from()), (attacks, critical_from), "{class}");
    }
}

#[test]
fn who_does_not_cast_still_has_a_mind() {
    for (class, expected) in [
        ("fighter", Attribute::Charisma),
        ("barbarian", Attribute::Charisma),
        ("rogue", Attribute::Charisma),
        ("monk", Attribute::Wisdom),
        ("paladin", Attribute::Charisma),
        ("wizard", Attribute::Intelligence),
    ] {
        assert_eq!(sheet("human", class, 1).casting_by, expected, "{class}");
    }
}

#[test]
fn what_content_does_not_know_has_no_sheet() {
    let book = shipped_book();
    for (race, class) in [("goat", "fighter"), ("human", "king")] {
        let build = Build {
            race: race.to_owned(),
            class: class.to_owned(),
            ..build("human", "fighter", 1)
        };
        assert_eq!(of_character(&build, book), None);
        assert!(features_of(&build, book).len() < 3);
    }
    for (level, expected) in [(0, 1), (21, 20)] {
        let build = Build { level, ..build("human", "fighter", 1) };
        assert_eq!(of_character(&build, book).map(|sheet| sheet.level), Some(expected));
    }
}
