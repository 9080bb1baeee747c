//! What is checked of each kind of entry: tables of bad inputs.

use super::{GOOD, check, levels, read_texts};

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
}

#[test]
fn who_casts_and_what_features_bring_is_bounded() {
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
}

#[test]
fn what_abilities_promise_they_have() {
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
            "\"modifier_dice\", stat = \"attack_roll\"",
            "\"modifier_dice\", stat = \"saves_with\"",
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
            "range_mm = 1500, dice",
            "range_mm = 1500, times_max = 2, dice",
            "attacks[0].times_max is 2, at most 1",
        ),
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
        (
            "kind = \"shield\"\narmor_class = 2",
            "kind = \"heavy\"\narmor_class = 2",
            "armor shield: armor_class is 2, at least 10",
        ),
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
            "members = [\n    { creature = \"wolf\", count_min = 2, count_max = 5",
            "members = [\n    { creature = \"wolf\", count_min = 0, count_max = 0",
            "camp den: members are none at most",
        ),
        ("value = 6000", "value = 999", "setting round_millis: value is 999, at least 1000"),
        ("min = 1000", "min = 20001", "setting round_millis: min is 20001, more than max, 20000"),
        ("min = 1000", "min = 999", "setting round_millis: min is 999, at least 1000"),
        ("max = 20000", "max = 60001", "setting round_millis: max is 60001, at most 60000"),
        (
            r#"key = "round_millis""#,
            r#"key = "round""#,
            r#"setting round: key is "round", no setting of the rules"#,
        ),
        (r#"key = "pvp""#, r#"key = "pve""#, r#"switch pve: key is "pve", no switch of the rules"#),
    ] {
        check(from, to, &[fault]);
    }
}

#[test]
fn boards_have_their_bounds() {
    for (from, to, fault) in [
        ("attempts_max = 12", "attempts_max = 1000001", "attempts_max is 1000001, at most 1000000"),
        (r#"reset = "0 4 * * MON""#, r#"reset = "0 4 * *""#, "reset is no pattern of cron"),
        (r#"reset = "0 4 * * MON""#, r#"reset = "0 4 30 2 *""#, "reset never comes"),
        (r#""Europe/Berlin""#, r#""Europe/Paradise""#, "reset_zone is no time zone there is"),
        ("reset = \"0 4 * * MON\"\n", "", "reset_zone is there, though there is no reset"),
        ("seasons_kept = 4", "seasons_kept = 53", "seasons_kept is 53, at most 52"),
        ("top = 50", "top = 0", "top is 0, at least 1"),
        ("top = 50", "top = 101", "top is 101, at most 100"),
        (
            r#"feed = "dungeon_time""#,
            r#"feed = "Dungeon""#,
            "feed is not 1 to 48 of a-z, 0-9 and _",
        ),
        ("from_rank = 1,", "from_rank = 4,", "rewards[0].to_rank is before from_rank"),
        ("from_rank = 1,", "from_rank = 0,", "rewards[0].from_rank is 0, at least 1"),
        ("copper = 5000", "copper = 10000001", "rewards[0].copper is 10000001, at most 10000000"),
        ("count = 7 }", "count = 0 }", "rewards[0].items[0].count is 0, at least 1"),
        (
            r#"item = "old_sword""#,
            r#"item = "trophy""#,
            r#"rewards[0].items[0].item is "trophy", but there is no such item"#,
        ),
        (
            r#"item = "old_sword""#,
            r#"item = """#,
            r#"rewards[0].items[0].item is "", but there is no such item"#,
        ),
    ] {
        check(from, to, &[&format!("board fastest: {fault}")]);
    }
    // Each is complained of at its own line.
    let rest = "feed = \"dungeon_time\"\nserved = true\nreset = \"0 4 * * MON\"\n\
                reset_zone = \"Europe/Berlin\"\nseasons_kept = 4\ntop = 50\nrewards = [";
    let board = |holder: &str| {
        format!("joined_only = true\nattempts_max = 12\nholder = \"{holder}\"\n{rest}")
    };
    check(
        &board("character"),
        &board("free"),
        &[
            "board fastest: joined_only is set, though no characters are on the board",
            "board fastest: feed is there, though no characters are on the board",
            "board fastest: rewards are there, though no characters are on the board",
        ],
    );
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
        ["levels.toml:37: level 8: level is there twice", "the pack: level 7: is missing"];
    let mut found = bad.err().unwrap_or_default();
    found.sort();
    assert_eq!(found, expected);
}

#[test]
fn goods_are_bounded_and_whole() {
    check("stack_max = 50", "stack_max = 0", &["item wool: stack_max is 0, at least 1"]);
    check("stack_max = 50", "stack_max = 1001", &["item wool: stack_max is 1001, at most 1000"]);
    check(
        "stack_max = 50",
        "stack_max = 50\nunique = true",
        &["item wool: stack_max is more than 1, though it is put on or unique"],
    );
    check(
        "stack_max = 50",
        "durability = 5",
        &["item wool: durability is there, though it is not put on"],
    );
    check(
        "durability = 100",
        "durability = 1001",
        &["item old_sword: durability is 1001, at most 1000"],
    );
    check("durability = 100", "level_min = 21", &["item old_sword: level_min is 21, at most 20"]);
    check(
        r#"weapon = "longsword""#,
        "",
        &["item old_sword: weapon is missing, though it is a weapon"],
    );
    check(
        r#"weapon = "longsword""#,
        r#"weapon = "lightsaber""#,
        &[r#"item old_sword: weapon is "lightsaber", but there is no such weapon"#],
    );
    check(
        "stack_max = 50",
        r#"ability = "strike""#,
        &["item wool: ability is there, though it is no consumable"],
    );
}

#[test]
fn containers_loot_and_work_are_bounded() {
    check("slots = 6", "slots = 33", &["item sack: slots is 33, at most 32"]);
    check(
        "slots = 6",
        "",
        &[
            "item sack: slots is 0, at least 1",
            "item sack: slots is missing, though it is a container",
        ],
    );
    check("coin_copper = 10", "", &["loot_table of_wolves: coin_copper is 0, at least 1"]);
    check(
        "coins = \"2d6\"\ncoin_copper = 10",
        "coin_copper = 10",
        &["loot_table of_wolves: coin_copper is there, but no coins"],
    );
    check(
        r#"challenge_min = "1/8""#,
        r#"challenge_min = "3""#,
        &["loot_table of_wolves: challenge_min is more than challenge_max"],
    );
    check(
        "percent = 40",
        "percent = 101",
        &["loot_table of_wolves: entries[0].percent is 101, at most 100"],
    );
    check(
        r#"count = "1d4" }"#,
        r#"count = "1d4-1" }"#,
        &["loot_table of_wolves: entries[0].count is 1d4-1, which can be less than 1"],
    );
    check(
        r#"item = "wool", count = 4"#,
        r#"item = "silk", count = 4"#,
        &[r#"recipe sack: materials[0].item is "silk", but there is no such item"#],
    );
    check("count = 4 }", "count = 0 }", &["recipe sack: materials[0].count is 0, at least 1"]);
    check(
        r#"biomes = ["heath"]"#,
        r#"biomes = ["heaven"]"#,
        &[r#"gather_node thorns: biomes[0] is "heaven", no biome"#],
    );
    check(
        "work_millis = 1000",
        "work_millis = 600001",
        &["gather_node thorns: work_millis is 600001, at most 600000"],
    );
}
