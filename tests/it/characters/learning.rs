//! Levels and what they leave to choose: scores, spells that are learned, prepared, put in the
//! place of others.

use super::code_of;
use crate::support::content::srd;
use crate::support::{Database, on_database};
use haven_rules::content::Pack;
use serde_json::{Value, json};

/// Keys of a class's spells of a level.
fn spells(pack: &Pack, class: &str, level: u8) -> Vec<String> {
    let is_of = |ability: &&haven_rules::content::AbilityDef| {
        ability.level == level && ability.classes.iter().any(|known| known == class)
    };
    let mut keys: Vec<_> =
        pack.ability.iter().filter(is_of).map(|ability| ability.key.clone()).collect();
    keys.sort_unstable();
    keys
}

async fn progress(database: &Database) -> Value {
    database.rows("character_progress").await.into_iter().next().expect("a row")
}

async fn sheet(database: &Database) -> Value {
    database.rows("character_sheet").await.into_iter().next().expect("a row")
}

#[test]
fn levels_come_with_experience_and_leave_scores_to_raise() {
    on_database(|database| async move {
        database.put_in_force(&srd()).await;
        let (id, player) = database.hero("Aldric", "human", "fighter").await;
        let raise = |first: &str, second: &str| json!([first, second]);
        let reducer = "character_score_increase";
        let refused = code_of(&player, reducer, raise("strength", "strength")).await;
        assert_eq!(refused, "character.increase_none");
        let owner = &database.owner;
        owner.call("character_experience_give", json!([id, 2_700])).await.expect("given");
        let row = progress(&database).await;
        assert_eq!((&row["level"], &row["increases"]), (&json!(4), &json!(1)));
        let before = sheet(&database).await;
        assert_eq!((&before["level"], &before["hit_points_max"]), (&json!(4), &json!(36)));
        let refused = code_of(&player, reducer, raise("strength", "luck")).await;
        assert_eq!(refused, "character.attribute_unknown");
        player.call(reducer, raise("constitution", "dexterity")).await.expect("raised");
        assert_eq!(sheet(&database).await["scores"], json!([16, 16, 15, 13, 11, 9]));
        assert_eq!(progress(&database).await["increases"], 0);
        owner.call("character_experience_give", json!([id, u32::MAX])).await.expect("given");
        let row = progress(&database).await;
        assert_eq!((&row["level"], &row["increases"]), (&json!(20), &json!(4)));
        assert_eq!(sheet(&database).await["experience_next"], 0);
        for _ in 0..2 {
            player.call(reducer, raise("strength", "strength")).await.expect("raised");
        }
        let refused = code_of(&player, reducer, raise("strength", "wisdom")).await;
        assert_eq!(refused, "character.score_too_high");
    });
}

#[test]
fn a_second_class_is_refused_plainly() {
    on_database(|database| async move {
        database.put_in_force(&srd()).await;
        let (_, player) = database.hero("Aldric", "human", "fighter").await;
        for (class, code) in
            [("wizard", "character.multiclass_unsupported"), ("king", "character.class_unknown")]
        {
            assert_eq!(code_of(&player, "character_class_add", json!([class])).await, code);
        }
        player.call("character_leave", json!([])).await.expect("left");
        let refused = code_of(&player, "character_class_add", json!(["wizard"])).await;
        assert_eq!(refused, "character.not_in_world");
    });
}

#[test]
fn spells_are_learned_and_put_in_the_place_of_others_as_levels_come() {
    on_database(|database| async move {
        let pack = srd();
        database.put_in_force(&pack).await;
        let (id, player) = database.hero("Aldric", "human", "sorcerer").await;
        let (cantrips, first) = (spells(&pack, "sorcerer", 0), spells(&pack, "sorcerer", 1));
        let second = spells(&pack, "sorcerer", 2);
        assert_eq!(sheet(&database).await["spells"], json!(first[..2]));
        for (reducer, args, code) in [
            ("spell_learn", json!(["second_wind"]), "character.spell_unknown"),
            ("spell_learn", json!([second[0]]), "character.spell_too_high"),
            ("spell_learn", json!([first[0]]), "character.spell_known"),
            ("spell_learn", json!([first[2]]), "character.spells_too_many"),
            ("spell_learn", json!([cantrips[4]]), "character.spells_too_many"),
            ("spell_swap", json!([first[0], first[2]]), "character.swap_none"),
            ("spell_prepare", json!([[first[0]]]), "character.spells_not_prepared"),
        ] {
            assert_eq!(code_of(&player, reducer, args.clone()).await, code, "{reducer} {args}");
        }
        let give = json!([id, 300]);
        database.owner.call("character_experience_give", give).await.expect("given");
        assert_eq!(sheet(&database).await["spells_to_learn"], 1);
        for (reducer, args, code) in [
            ("spell_learn", json!([first[2]]), ""),
            ("spell_learn", json!([first[3]]), "character.spells_too_many"),
            ("spell_swap", json!([first[3], first[4]]), "character.spell_not_known"),
            ("spell_swap", json!([cantrips[0], first[3]]), "character.spell_not_known"),
            ("spell_swap", json!([first[0], second[0]]), "character.spell_too_high"),
            ("spell_swap", json!([first[0], first[1]]), "character.spell_known"),
            ("spell_swap", json!([first[0], first[3]]), ""),
            ("spell_swap", json!([first[3], first[0]]), "character.swap_none"),
        ] {
            assert_eq!(code_of(&player, reducer, args.clone()).await, code, "{reducer} {args}");
        }
        assert_eq!(sheet(&database).await["spells"], json!(first[1..4]));
    });
}

#[test]
fn who_prepares_names_all_that_is_prepared_and_not_in_a_fight() {
    on_database(|database| async move {
        let pack = srd();
        database.put_in_force(&pack).await;
        let (_, player) = database.hero("Aldric", "human", "cleric").await;
        let (cantrips, first) = (spells(&pack, "cleric", 0), spells(&pack, "cleric", 1));
        let second = spells(&pack, "cleric", 2);
        let most = sheet(&database).await["prepared_max"].as_u64().expect("a number");
        let most = usize::try_from(most).expect("few");
        let last = &first[first.len() - most..];
        assert!(most < first.len(), "there is something to choose");
        for (wanted, code) in [
            (json!([second[0]]), "character.spell_too_high"),
            (json!(["second_wind"]), "character.spell_unknown"),
            (json!([cantrips[0]]), "character.spell_known"),
            (json!([first[0], first[0]]), "character.spell_twice"),
            (json!(first[..=most]), "character.spells_too_many"),
            (json!(last), ""),
        ] {
            let args = json!([wanted]);
            assert_eq!(code_of(&player, "spell_prepare", args).await, code, "{wanted}");
        }
        let row = sheet(&database).await;
        assert_eq!((&row["prepared"], &row["spells"]), (&json!(last), &json!(first)));
        assert_eq!(row["cantrips"].as_array().map(Vec::len), Some(3));
        player.call("ability_use", json!(["dash", { "Oneself": [] }, 0])).await.expect("dashes");
        let refused = code_of(&player, "spell_prepare", json!([[]])).await;
        assert_eq!(refused, "character.fighting");
    });
}
