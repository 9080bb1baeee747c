//! Tests of packs: a table of bad inputs through one `check`, what always holds, and the packs that
//! are shipped.

use std::fmt::Write as _;
use std::path::Path;

use proptest::prelude::*;

use super::diff::{Change, What, diff};
use super::pack::{Source, read};
use super::{ENTRIES_MAX, Kind, Pack};

/// One good entry of each kind.
const GOOD: &str = include_str!("tests/good.toml");

/// Twenty good levels.
fn levels() -> String {
    (1..=20).fold(String::new(), |mut text, level: u32| {
        let (experience, proficiency) = ((level - 1) * 300, 2 + (level - 1) / 4);
        writeln!(text, "[[level]]\nlevel = {level}\nexperience = {experience}")
            .expect("invariant: into a text");
        writeln!(text, "proficiency = {proficiency}\n").expect("invariant: into a text");
        text
    })
}

fn read_texts(good: &str, levels: &str) -> Result<Pack, Vec<String>> {
    let sources =
        [Source { file: "levels.toml", text: levels }, Source { file: "good.toml", text: good }];
    read(&sources).map_err(|faults| faults.iter().map(ToString::to_string).collect())
}

/// Changes one place of the good pack, and expects these faults at the line of that place.
fn check(from: &str, to: &str, expected: &[&str]) {
    let levels = levels();
    let (file, good, levels) = if let Some(at) = GOOD.find(from) {
        assert_eq!(GOOD.matches(from).count(), 1, "{from:?} stands there more than once");
        (("good.toml", at), GOOD.replacen(from, to, 1), levels)
    } else {
        let at = levels.find(from).expect("invariant: the place is there");
        (("levels.toml", at), GOOD.to_owned(), levels.replacen(from, to, 1))
    };
    let text = if file.0 == "good.toml" { &good } else { &levels };
    let found = read_texts(&good, &levels).err().unwrap_or_default();
    let line_at = |at: usize| text[..at].matches('\n').count() + 1;
    let (first, last) = (line_at(file.1), line_at(file.1) + to.matches('\n').count());
    // What is missing is complained of where the entry begins.
    let headers = text.match_indices("[[").map(|(at, _)| at).filter(|at| *at <= file.1);
    let header =
        headers.filter(|at| !text[*at..].starts_with("[[ability.")).last().map_or(1, line_at);
    let mut bare = Vec::new();
    for fault in found {
        let mut parts = fault.splitn(3, ':');
        assert_eq!(parts.next(), Some(file.0), "{fault}");
        let line: usize = parts.next().and_then(|line| line.parse().ok()).unwrap_or(0);
        let is_there = (first..=last).contains(&line) || line == header;
        assert!(is_there, "{fault}: line {header} or {first} to {last} expected");
        bare.push(parts.next().unwrap_or_default().trim().to_owned());
    }
    assert_eq!(bare, expected, "{from:?} to {to:?}");
}

#[test]
fn a_good_pack_is_read_and_comes_back_from_its_fields() {
    let pack = read_texts(GOOD, &levels()).expect("invariant: it is good");
    assert_eq!(pack.level.len(), 20);
    assert_eq!(pack.ability[1].effects.len(), 2);
    let value = toml::Value::try_from(&pack).expect("invariant: TOML has all of it");
    assert_eq!(value.try_into::<Pack>(), Ok(pack));
}

#[test]
fn keys_names_and_texts_are_bounded() {
    let key = "key is not 1 to 48 of a-z, 0-9 and _, with a letter first";
    check(r#"key = "den""#, r#"key = "Den""#, &[&format!("camp Den: {key}")]);
    check(r#"key = "den""#, r#"key = "1den""#, &[&format!("camp 1den: {key}")]);
    check(r#"key = "den""#, r#"key = """#, &[&format!("camp: {key}")]);
    let long = "d".repeat(49);
    check(r#"key = "den""#, &format!("key = {long:?}"), &[&format!("camp {long}: {key}")]);
    check(r#"key = "pvp""#, "", &["switch without a key: missing field `key`"]);
    check(
        r#"key = "pvp""#,
        "key = 5",
        &["switch without a key: key: invalid type: integer `5`, expected a string"],
    );
    check(r#"name = "Den""#, r#"name = """#, &["camp den: name has 0 characters, at least 1"]);
    check(
        r#"name = "Den""#,
        r#"name = "De\nn""#,
        &["camp den: name has blanks around it or control characters in it"],
    );
    let long = "x".repeat(601);
    check(
        r#"text = "Stands fast.""#,
        &format!("text = {long:?}"),
        &["feature brave: text has 601 characters, at most 600"],
    );
    check(
        r#"text = "Players may fight.""#,
        r#"text = """#,
        &["switch pvp: text has 0 characters, at least 1"],
    );
    check(
        r#"source = "SRD 5.1, Races"
size"#,
        r#"source = ""
size"#,
        &["race human: source has 0 characters, at least 1"],
    );
    let twice =
        "[[switch]]\nkey = \"pvp\"\ntext = \"Again.\"\non = true\n[[switch]]\nkey = \"pvp\"";
    check("[[switch]]\nkey = \"pvp\"", twice, &["switch pvp: key is there twice"]);
}

#[test]
fn whatever_is_referred_to_is_there() {
    check(
        r#"features = ["brave"]"#,
        r#"features = ["fly"]"#,
        &[r#"race human: features[0] is "fly", but there is no such feature"#],
    );
    check(
        r#"features = ["brave"]"#,
        r#"features = ["brave", "brave"]"#,
        &["race human: features has something twice"],
    );
    check(
        r#"level = 1, feature = "brave""#,
        r#"level = 1, feature = "fly""#,
        &[r#"class fighter: features[0].feature is "fly", but there is no such feature"#],
    );
    check(
        r#"equipment = ["longsword", "shield"]"#,
        r#"equipment = ["brave"]"#,
        &[r#"class fighter: equipment[0] is "brave", but there is no such weapon or armor"#],
    );
    check(
        r#"weapons_besides = ["longsword"]"#,
        r#"weapons_besides = ["shield"]"#,
        &[r#"class bard: weapons_besides[0] is "shield", but there is no such weapon"#],
    );
    check(
        r#"ability = "strike""#,
        r#"ability = "brave""#,
        &[r#"feature brave: ability is "brave", but there is no such ability"#],
    );
    check(
        r#"classes = ["bard"]"#,
        r#"classes = ["monk"]"#,
        &[r#"ability fire_bolt: classes[0] is "monk", but there is no such class"#],
    );
    check(
        r#"kind = "summon", creature = "wolf""#,
        r#"kind = "summon", creature = "owl""#,
        &[r#"ability calls: effects[0].creature is "owl", but there is no such creature"#],
    );
    check(
        r#"abilities = ["calls"]"#,
        r#"abilities = ["wolf"]"#,
        &[r#"creature wolf: abilities[0] is "wolf", but there is no such ability"#],
    );
    check(
        r#"abilities = ["strike"]"#,
        r#"abilities = ["den"]"#,
        &[r#"creature wolf: phases[0].abilities[0] is "den", but there is no such ability"#],
    );
    check(
        r#"{ creature = "wolf""#,
        r#"{ creature = "owl""#,
        &[r#"camp den: members[0].creature is "owl", but there is no such creature"#],
    );
    check(r#""pine_forest""#, r#""moon""#, &[r#"camp den: biomes[0] is "moon", no biome"#]);
}

#[test]
fn what_people_are_made_of_is_bounded() {
    check(
        "speed_mm_per_round = 9000",
        "speed_mm_per_round = 60001",
        &["race human: speed_mm_per_round is 60001, at most 60000"],
    );
    check(
        "bonuses = { strength = 1 }",
        "bonuses = { strength = 3, wisdom = -1 }",
        &[
            "race human: bonuses.strength is 3, at most 2",
            "race human: bonuses.wisdom is -1, at least 0",
        ],
    );
    check("hit_die = 10", "hit_die = 9", &["class fighter: hit_die is 9, not 6, 8, 10 or 12"]);
    check(
        r#"primary = ["charisma"]"#,
        "primary = []",
        &["class bard: primary has 0 attributes, at least 1"],
    );
    check(
        r#"saves = ["dexterity", "charisma"]"#,
        r#"saves = ["dexterity"]"#,
        &["class bard: saves has 1 attributes, not 2"],
    );
    check(
        "skills_count = 2",
        "skills_count = 4",
        &["class fighter: skills_count is 4, but there are 3 to choose from"],
    );
    check(
        "level = 1, feature",
        "level = 21, feature",
        &["class fighter: features[0].level is 21, at most 20"],
    );
    check(
        r#"casting_by = "charisma""#,
        "",
        &["class bard: casting_by is missing, though it casts"],
    );
    check(
        r#"casting = "none""#,
        "casting = \"none\"\ncasting_by = \"wisdom\"",
        &["class fighter: casting_by is there, though it does not cast"],
    );
    check(
        "cantrips_known = [2, 2,",
        "cantrips_known = [2,",
        &["class bard: cantrips_known has 19 numbers, not 20"],
    );
    check("cantrips_known = [2,", "cantrips_known = [3,", &["class bard: cantrips_known falls"]);
    check(
        r#"skills = ["insight", "religion"]"#,
        r#"skills = ["insight"]"#,
        &["background acolyte: skills has 1 skills, not 2"],
    );
    check(
        "coins = 1500",
        "coins = 100001",
        &["background acolyte: coins is 100001, at most 100000"],
    );
    check(
        "amount = 1 }",
        "amount = 0 }",
        &["feature brave: passives[0].amount is 0, which changes nothing"],
    );
    check(
        r#"stat = "armor_class", amount = 1"#,
        r#"stat = "saves_with", amount = 2"#,
        &["feature brave: passives[0].amount is 2, but of saves_with 1 or -1"],
    );
    check(
        r#"save_advantage", against = "frightened""#,
        r#"save_advantage""#,
        &["feature brave: passives[1] is against nothing and with no attribute"],
    );
    check("attacks = 2", "attacks = 7", &["feature brave: passives[2].attacks is 7, at most 6"]);
    check("roll = 19", "roll = 1", &["feature brave: passives[3].roll is 1, at least 2"]);
}

#[test]
fn abilities_have_what_their_kind_asks_for() {
    check(
        "range_mm = 36000",
        "range_mm = 400000",
        &["ability fire_bolt: range_mm is 400000, at most 300000"],
    );
    check(
        "cast_millis = 500",
        "cast_millis = 60001",
        &["ability fire_bolt: cast_millis is 60001, at most 60000"],
    );
    check(
        "cast_millis = 500",
        "cooldown_millis = 86400001",
        &["ability fire_bolt: cooldown_millis is 86400001, at most 86400000"],
    );
    check(
        r#"school = "evocation""#,
        "",
        &["ability fire_bolt: school is missing, though it is a spell"],
    );
    check(
        r#"classes = ["bard"]"#,
        "",
        &["ability fire_bolt: classes are missing, though it is a spell"],
    );
    check(
        "level = 1\nschool",
        "level = 10\nschool",
        &["ability fire_bolt: level is 10, at most 9"],
    );
    check(
        "concentration = true",
        "concentration = true\nscales = true",
        &["ability fire_bolt: scales is true, though it is no cantrip"],
    );
    check(
        r#"kind = "creature""#,
        "kind = \"creature\"\nlevel = 1\nschool = \"illusion\"\nclasses = [\"bard\"]",
        &[
            "ability calls: level is 1, though it is no spell",
            "ability calls: school is there, though it is no spell",
            "ability calls: classes are there, though it is no spell",
        ],
    );
    check(
        "uses_per_long_rest = 2",
        "uses_by_level = [1, 2]",
        &[
            "ability strike: uses_by_level has 2 numbers, not 20",
            "ability strike: uses_by_level is there, but not which rest brings them back",
        ],
    );
    check(
        "radius_mm = 3000 }",
        "radius_mm = 0 }",
        &["ability fire_bolt: area.radius_mm is 0, at least 1"],
    );
    check(
        "difficulty = 12",
        "difficulty = 31",
        &["ability fire_bolt: save.difficulty is 31, at most 30"],
    );
    check(
        "attack = \"weapon\"\neffects = []",
        "attack = \"melee_spell\"\neffects = []",
        &["ability strike: attack is there, but no effect of a hit"],
    );
    check(
        "attack = \"weapon\"\neffects = []",
        "save = { attribute = \"wisdom\", on_success = \"half\" }\neffects = []",
        &["ability strike: save is there, but no effect to save from"],
    );
    check(
        "uses_per_long_rest = 2",
        "concentration = true",
        &["ability strike: concentration is true, but no effect lasts"],
    );
}

#[test]
fn effects_have_what_they_need() {
    for (from, to, fault) in [
        (
            "dice = \"1d10\"\ndamage",
            "dice = \"0\"\ndamage",
            "dice is 0, which never shows more than 0",
        ),
        ("duration_millis = 6000\n", "duration_millis = 0\n", "duration_millis is 0, at least 1"),
    ] {
        let effect = usize::from(fault.starts_with("duration"));
        check(from, to, &[&format!("ability fire_bolt: effects[{effect}].{fault}")]);
    }
    for (from, to, fault) in [
        ("count = 1, d", "count = 21, d", "[0].count is 21, at most 20"),
        ("every_millis = 1000", "every_millis = 100", "[1].every_millis is 100, at least 500"),
        ("every_millis = 1000", "every_millis = 6000", "[1].every_millis is longer than it lasts"),
        ("distance_mm = 3000", "distance_mm = 0", "[2].distance_mm is 0, at least 1"),
        (
            "stat = \"attack_roll\"",
            "stat = \"saves_with\"",
            "[3].stat is saves_with, which is not rolled",
        ),
        ("\"dispel\", level = 3", "\"dispel\", level = 10", "[4].level is 10, at most 9"),
        (
            "conditions = [\"prone\"]",
            "conditions = []",
            "[5].conditions has 0 conditions, at least 1",
        ),
        ("hit_points = 1 ", "hit_points = 0 ", "[6].hit_points is 0, at least 1"),
        ("threat = 50", "threat = 0", "[7].threat is 0, at least 1"),
        ("percent = 100, ", "percent = 501, ", "[8].percent is 501, at most 500"),
    ] {
        check(from, to, &[&format!("ability calls: effects{fault}")]);
    }
}

#[test]
fn creatures_are_bounded() {
    for (from, to, fault) in [
        (
            r#"challenge = "1/4""#,
            r#"challenge = "1/3""#,
            r#"challenge is "1/3", not 0, 1/8, 1/4, 1/2, 1 to 20"#,
        ),
        ("armor_class = 13", "armor_class = 0", "armor_class is 0, at least 1"),
        ("hit_dice = \"2d8+2\"", "hit_dice = \"0\"", "hit_dice is 0, less than 1 on average"),
        ("intelligence = 3", "intelligence = 0", "scores.intelligence is 0, at least 1"),
        ("bonus = 4 }", "bonus = 26 }", "saves[0].bonus is 26, at most 25"),
        ("sight_mm = 30000", "sight_mm = 120001", "sight_mm is 120001, at most 120000"),
        ("leash_mm = 60000", "leash_mm = 300001", "leash_mm is 300001, at most 300000"),
        ("attacks_per_action = 1", "attacks_per_action = 0", "attacks_per_action is 0, at least 1"),
        ("range_mm = 1500, dice", "range_mm = 0, dice", "attacks[0].range_mm is 0, at least 1"),
        (
            "condition_millis = 3000",
            "condition_millis = 0",
            "attacks[0].condition_millis is 0, at least 1",
        ),
        ("difficulty = 11", "difficulty = 0", "attacks[0].save.difficulty is 0, at least 1"),
        (
            "long_range_mm = 18000, d",
            "long_range_mm = 1, d",
            "attacks[1].long_range_mm is less than the normal range",
        ),
        (
            ", extra_damage = \"fire\"",
            "",
            "attacks[1].extra_damage is missing, though there is extra_dice",
        ),
        (
            "extra_dice = \"1d6\", ",
            "",
            "attacks[1].extra_dice is missing, though there is extra_damage",
        ),
        (
            "dice = \"1d4\", damage = \"cold\"",
            "dice = \"0\", damage = \"cold\"",
            "attacks[1].dice is 0, which never shows more than 0",
        ),
        ("below_percent = 50", "below_percent = 100", "phases[0].below_percent is 100, at most 99"),
    ] {
        check(from, to, &[&format!("creature wolf: {fault}")]);
    }
    check(
        "phases = [\n    { below_percent = 50",
        "phases = [\n    { below_percent = 20",
        &["creature wolf: phases are not in the order in which they begin"],
    );
}

#[test]
fn things_and_camps_are_bounded() {
    for (from, to, fault) in [
        (
            "dice_two_handed = \"1d10\"",
            "",
            "weapon longsword: dice_two_handed is missing, though it is versatile",
        ),
        (
            "\"1d10\"\ndamage = \"slashing\"\nproperties = [\"versatile\"]",
            "\"1d10\"\ndamage = \"slashing\"",
            "weapon longsword: dice_two_handed is there, though it is not versatile",
        ),
        (
            "range_mm = 6000\nlong_range_mm = 18000",
            "range_mm = 6000",
            "weapon dart: long_range_mm is less than the normal range",
        ),
        (
            "properties = [\"thrown\", \"finesse\"]\nrange_mm = 6000\nlong",
            "range_mm = 6000\nlong",
            "weapon dart: long_range_mm is there, though it is neither shot nor thrown",
        ),
        (
            "weight_g = 113",
            "weight_g = 1000001",
            "weapon dart: weight_g is 1000001, at most 1000000",
        ),
        ("kind = \"shield\"", "kind = \"heavy\"", "armor shield: armor_class is 2, at least 10"),
        (
            "dexterity_max = 10",
            "dexterity_max = 11",
            "armor shield: dexterity_max is 11, at most 10",
        ),
        ("weight = 10", "weight = 0", "camp den: weight is 0, at least 1"),
        ("home_m_min = 200", "home_m_min = 4001", "camp den: home_m_min is more than home_m_max"),
        ("radius_mm = 8000", "radius_mm = 999", "camp den: radius_mm is 999, at least 1000"),
        (
            "respawn_millis = 300000",
            "respawn_millis = 0",
            "camp den: respawn_millis is 0, at least 1000",
        ),
        ("count_min = 2", "count_min = 6", "camp den: members[0].count_min is more than count_max"),
        (
            "count_min = 2, count_max = 5",
            "count_min = 0, count_max = 0",
            "camp den: members are none at most",
        ),
        ("value = 6000", "value = 999", "setting round_millis: value is 999, at least 1000"),
        ("min = 1000", "min = 20001", "setting round_millis: min is 20001, more than max, 20000"),
    ] {
        check(from, to, &[fault]);
    }
}

#[test]
fn levels_are_whole_and_rise() {
    check(
        "experience = 600\n",
        "experience = 300\n",
        &["level 3: experience is not more than that of the level before"],
    );
    check("experience = 0\n", "experience = 1\n", &["level 1: experience is 1, but begins with 0"]);
    check(
        "proficiency = 6\n\n[[level]]\nlevel = 18\nexperience = 5100\n",
        "proficiency = 7\n\n[[level]]\nlevel = 18\nexperience = 5100\n",
        &[
            "level 17: proficiency is 7, at most 6",
            "level 18: proficiency is less than that of the level before",
        ],
    );
    let bad = read_texts(GOOD, &levels().replace("level = 7\n", "level = 8\n"));
    let expected =
        ["levels.toml:30: level 8: level is there twice", "the pack: level 7: is missing"];
    let mut found = bad.err().unwrap_or_default();
    found.sort();
    assert_eq!(found, expected);
}

#[test]
fn a_fault_hides_no_other() {
    let bad = GOOD
        .replace("range_mm = 36000", "range_mm = \"far\"\nradius = 3\nlevel = -1")
        .replace("dice = \"1d10\"\n", "dice = \"1x10\"\n")
        .replace("[[camp]]", "[[tent]]")
        .replace("ability = \"strike\"", "ability = \"fire_bolt\"")
        .replace("hit_die = 10", "hit_die = 9");
    let sources = [
        Source { file: "b.toml", text: "[[race]\n" },
        Source { file: "good.toml", text: &bad.replace("level = 1\nschool", "school") },
        Source { file: "a.toml", text: "race = 5\n\n[[switch]]\n" },
        Source { file: "levels.toml", text: &levels() },
    ];
    let faults = read(&sources).err().unwrap_or_default();
    let found: Vec<_> = faults.iter().map(ToString::to_string).collect();
    let bolt = "ability fire_bolt:";
    let expected = [
        "a.toml:1: race is not written as [[…]]".to_owned(),
        "a.toml:3: switch without a key: missing field `key`".to_owned(),
        "b.toml:1: unclosed array table, expected `]`".to_owned(),
        "good.toml:16: class fighter: hit_die is 9, not 6, 8, 10 or 12".to_owned(),
        format!("good.toml:86: {bolt} range_mm: invalid type: string \"far\", expected u32"),
        format!("good.toml:87: {bolt} unknown field `radius`"),
        format!("good.toml:88: {bolt} level: invalid value: integer `-1`, expected u8"),
        format!("good.toml:93: {bolt} effects: \"1x10\" is not dice as in 2d6+3"),
        "good.toml:184: there is no kind tent".to_owned(),
    ];
    assert_eq!(found.len(), expected.len(), "{found:#?}");
    for (found, expected) in std::iter::zip(&found, &expected) {
        assert!(found.starts_with(expected), "{found} is not {expected}");
    }
}

#[test]
fn a_pack_is_not_endless() {
    let mut text = String::new();
    for number in 0..=ENTRIES_MAX {
        writeln!(text, "[[switch]]\nkey = \"s{number}\"\ntext = \"x\"\non = true")
            .expect("invariant: into a text");
    }
    let levels = levels();
    let read_all = |text: &str| {
        let sources = [Source { file: "a", text: &levels }, Source { file: "b", text }];
        read(&sources).map_err(|faults| faults[0].to_string())
    };
    let fault =
        format!("b:{}: switch s4096: is one more than 4096, the most of a kind", 4096 * 4 + 1);
    assert_eq!(read_all(&text), Err(fault));
    let long = "#".repeat(super::limits::FILE_BYTES_MAX + 1);
    assert_eq!(read_all(&long), Err("b: has 2097153 bytes, at most 2097152".to_owned()));
    let many = vec![Source { file: "a", text: "" }; super::limits::FILES_MAX + 1];
    let faults = read(&many).err().unwrap_or_default();
    assert_eq!(faults[0].to_string(), "the pack: has 257 files, at most 256");
}

#[test]
fn packs_differ_by_kind_key_and_field() {
    let old = read_texts(GOOD, &levels()).expect("invariant: it is good");
    let new = GOOD
        .replace("key = \"pvp\"", "key = \"duels\"")
        .replace("range_mm = 36000\n", "range_mm = 30000\n")
        .replace("concentration = true\n", "targets_max = 3\n")
        .replace("casting_by = \"charisma\"", "casting_by = \"wisdom\"");
    let new = read_texts(&new, &levels()).expect("invariant: it is good");
    let change = |kind, key: &str, what| Change { kind, key: key.to_owned(), what };
    let changed = |fields: &[&str]| What::Changed {
        fields: fields.iter().map(ToString::to_string).collect(),
    };
    assert_eq!(
        diff(&old, &new),
        [
            change(Kind::Class, "bard", changed(&["casting_by"])),
            change(
                Kind::Ability,
                "fire_bolt",
                changed(&["concentration", "range_mm", "targets_max"])
            ),
            change(Kind::Switch, "duels", What::Added),
            change(Kind::Switch, "pvp", What::Removed),
        ]
    );
    assert_eq!(diff(&old, &old), []);
}

/// The files below a folder of `content`, with their texts.
fn shipped(folder: &str) -> Vec<(String, String)> {
    let content = Path::new(env!("CARGO_MANIFEST_DIR")).join("../content").join(folder);
    let entries = std::fs::read_dir(content).expect("invariant: the folder is there");
    let mut files = Vec::new();
    for entry in entries {
        let path = entry.expect("invariant: it can be listed").path();
        let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default().to_owned();
        if path.extension().is_some_and(|extension| extension == "toml") {
            let text = std::fs::read_to_string(&path).expect("invariant: it can be read");
            files.push((format!("content/{folder}/{name}"), text));
        }
    }
    files
}

fn read_shipped() -> Pack {
    let files = shipped("srd");
    let sources: Vec<_> = files.iter().map(|(file, text)| Source { file, text }).collect();
    let faults = match read(&sources) {
        Ok(pack) => return pack,
        Err(faults) => faults,
    };
    let faults: Vec<_> = faults.iter().map(ToString::to_string).collect();
    panic!("{} faults:\n{}", faults.len(), faults.join("\n"));
}

#[test]
fn shipped_files_are_without_fault_and_whole() {
    let pack = read_shipped();
    let of_srd = |source: &str| source.starts_with("SRD 5.1");
    assert_eq!(pack.race.iter().filter(|race| of_srd(&race.source)).count(), 9);
    assert_eq!(pack.class.len(), 12);
    assert_eq!(pack.weapon.iter().filter(|weapon| of_srd(&weapon.source)).count(), 37);
    assert_eq!(pack.armor.iter().filter(|armor| of_srd(&armor.source)).count(), 13);
    assert_eq!(pack.background.len(), 6);
    for race in crate::characters::RACES {
        assert!(pack.race.iter().any(|def| def.key == *race), "{race}");
    }
    for class in crate::characters::CLASSES {
        assert!(pack.class.iter().any(|def| def.key == *class), "{class}");
    }
    for class in &pack.class {
        assert!(class.features.len() >= 2, "{}", class.key);
    }
}

#[test]
fn whatever_is_shipped_is_used() {
    let pack = read_shipped();
    for feature in &pack.feature {
        let key = &feature.key;
        let of_races = pack.race.iter().flat_map(|race| &race.features);
        let of_classes = pack.class.iter().flat_map(|class| &class.features).map(|at| &at.feature);
        assert!(of_races.chain(of_classes).any(|used| used == key), "feature {key} is nobody's");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn any_text_gets_an_answer(text in "\\PC{0,200}") {
        let answer = read(&[Source { file: "any", text: &text }]);
        prop_assert!(answer.is_err());
    }

    #[test]
    fn any_change_of_a_good_text_gets_an_answer(
        at in 0..GOOD.len(), cut in 0..40_usize, paste in "[\\[\\]{}=\"a-z0-9_,.#\n -]{0,12}",
    ) {
        let end = (at + cut).min(GOOD.len());
        let text = format!("{}{paste}{}", &GOOD[..at], &GOOD[end..]);
        match read_texts(&text, &levels()) {
            Ok(pack) => prop_assert!(diff(&pack, &pack).is_empty()),
            Err(faults) => prop_assert!(!faults.is_empty()),
        }
    }

    #[test]
    fn the_order_of_files_does_not_matter(first in 0..12_usize) {
        let levels = levels();
        let mut files: Vec<_> =
            GOOD.split_inclusive("\n\n").map(str::to_owned).collect();
        files.retain(|text| text.contains("[[") && !text.contains("fire"));
        let names: Vec<_> = (0..files.len()).map(|number| format!("{number:02}.toml")).collect();
        let mut sources: Vec<_> = std::iter::zip(&names, &files)
            .map(|(file, text)| Source { file, text })
            .chain([Source { file: "levels.toml", text: &levels }])
            .collect();
        let sorted = read(&sources);
        sources.rotate_left(first % files.len());
        prop_assert_eq!(read(&sources), sorted);
    }
}
