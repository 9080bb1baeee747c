//! Making characters of content: every choice, and every refusal of one.

use super::{code_of, plan};
use crate::support::content::srd;
use crate::support::{Database, on_database};
use serde_json::{Value, json};

/// The row of a table that is about a character.
async fn row_of(database: &Database, table: &str, character_id: &Value) -> Value {
    let rows = database.rows(table).await;
    let row = rows.into_iter().find(|row| &row["character_id"] == character_id);
    row.unwrap_or_else(|| panic!("{table} has no row of {character_id}"))
}

async fn named(database: &Database, name: &str) -> Value {
    let rows = database.rows("character").await;
    let row = rows.into_iter().find(|row| row["name"] == name).expect("the character's row");
    row["character_id"].clone()
}

fn scores(build: &Value) -> Vec<i64> {
    ["strength", "dexterity", "constitution", "intelligence", "wisdom", "charisma"]
        .iter()
        .map(|attribute| build[attribute].as_i64().expect("a score"))
        .collect()
}

#[test]
fn character_make_refuses_what_the_rules_do_not_allow() {
    on_database(|database| async move {
        let pack = srd();
        database.put_in_force(&pack).await;
        let account_id = database.register("ann@example.org").await;
        let spell = |level: u8, at: usize| {
            let wanted = |class: &String| class == "sorcerer";
            let spells = pack
                .ability
                .iter()
                .filter(|ability| ability.level == level && ability.classes.iter().any(wanted));
            spells.map(|ability| ability.key.clone()).nth(at).expect("a spell")
        };
        let three: Vec<_> = (0..3).map(|at| spell(1, at)).collect();
        for (change, code) in [
            (json!({ "name": "x" }), "character.name_length"),
            (json!({ "race": "dragon" }), "character.race_unknown"),
            (json!({ "class": "fighter/wizard" }), "character.multiclass_unsupported"),
            (json!({ "class": "fighter/king" }), "character.class_unknown"),
            (json!({ "background": "noble" }), "character.background_unknown"),
            (json!({ "method": 4 }), "character.method_unknown"),
            (json!({ "order": ["luck"] }), "character.order_invalid"),
            (json!({ "order": ["wisdom", "wisdom"] }), "character.order_invalid"),
            (json!({ "scores": [15, 14, 13, 12, 10, 9] }), "character.scores_not_standard"),
            (json!({ "scores": [-128, 127] }), "character.scores_not_standard"),
            (json!({ "method": 2 }), "character.scores_not_bought"),
            (
                json!({ "method": 2, "scores": [15, 15, 15, 9, 8, 8] }),
                "character.scores_not_bought",
            ),
            (
                json!({ "method": 3, "scores": [18, 18, 18, 18, 18, 18] }),
                "character.scores_not_chosen",
            ),
            (json!({ "skills": ["arcana"] }), "character.skills_invalid"),
            (json!({ "skills": ["arcana", "arcana"] }), "character.skills_invalid"),
            (json!({ "skills": vec!["arcana"; 10_000] }), "character.skills_invalid"),
            (json!({ "spells": ["second_wind"] }), "character.spell_unknown"),
            (json!({ "spells": [spell(2, 0)] }), "character.spell_too_high"),
            (json!({ "spells": [spell(1, 0), spell(1, 0)] }), "character.spell_twice"),
            (json!({ "spells": three }), "character.spells_too_many"),
            (json!({ "spells": vec!["x"; 10_000] }), "character.spells_too_many"),
        ] {
            let args = json!([account_id, plan("Aldric", &change)]);
            let refused = code_of(&database.owner, "character_make", args).await;
            assert_eq!(refused, code, "{change}");
        }
        for table in ["character", "character_build", "character_progress", "character_spell"] {
            assert!(database.rows(table).await.is_empty(), "{table}");
        }
    });
}

#[test]
fn what_is_chosen_is_what_the_character_is_made_of() {
    on_database(|database| async move {
        database.put_in_force(&srd()).await;
        let account_id = database.register("ann@example.org").await;
        let standard = json!({ "scores": [8, 13, 14, 10, 12, 15], "background": "scribe",
            "race": "tiefling", "skills": ["arcana", "deception"] });
        let bought = json!({ "method": 2, "scores": [15, 15, 15, 8, 8, 8], "class": "fighter" });
        for (name, change, expected) in [
            // Dealt as a sorcerer has use for them: charisma, constitution, then in order.
            ("Plain", json!({}), [14, 13, 15, 11, 9, 16]),
            ("Standard", standard, [8, 13, 14, 11, 12, 17]),
            ("Bought", bought, [16, 16, 16, 9, 9, 9]),
        ] {
            let args = json!([account_id, plan(name, &change)]);
            assert_eq!(code_of(&database.owner, "character_make", args).await, "", "{name}");
            let id = named(&database, name).await;
            let build = row_of(&database, "character_build", &id).await;
            assert_eq!(scores(&build), expected, "{name}");
            let progress = row_of(&database, "character_progress", &id).await;
            assert_eq!((&progress["level"], &progress["experience"]), (&json!(1), &json!(0)));
            let spells = database.rows("character_spell").await;
            let count = spells.iter().filter(|row| row["character_id"] == id).count();
            assert_eq!(count, if name == "Bought" { 0 } else { 4 + 2 }, "{name}");
        }
        let id = named(&database, "Standard").await;
        let build = row_of(&database, "character_build", &id).await;
        assert_eq!(build["background"], "scribe");
        assert_eq!(build["skills"], json!(["history", "investigation", "arcana", "deception"]));
    });
}

#[test]
fn rolled_scores_are_the_realms_own_and_a_repeated_command_rolls_nothing_again() {
    on_database(|database| async move {
        database.put_in_force(&srd()).await;
        let account_id = database.register("ann@example.org").await;
        let rolled = plan("Rolled", &json!({ "method": 3, "order": ["wisdom"] }));
        let args = json!([account_id, rolled, { "session": 7, "sequence": 1 }]);
        let owner = &database.owner;
        owner.call("character_make_once", args.clone()).await.expect("made");
        let id = named(&database, "Rolled").await;
        let build = row_of(&database, "character_build", &id).await;
        owner.call("character_make_once", args).await.expect("done already");
        assert_eq!(row_of(&database, "character_build", &id).await, build);
        assert_eq!(database.rows("character_build").await.len(), 1);
        let got = scores(&build);
        assert!(got.iter().all(|score| (4..=19).contains(score)), "{build}");
        // A human has one more of each: the highest is where it was wanted.
        assert_eq!(got.iter().max(), Some(&got[4]), "{build}");
        let other = plan("Other", &json!({ "method": 3, "order": ["wisdom"] }));
        owner.call("character_make", json!([account_id, other])).await.expect("made");
        let id = named(&database, "Other").await;
        let other = row_of(&database, "character_build", &id).await;
        assert_ne!(other["rolls"], build["rolls"], "the same 24 dice twice");
    });
}

#[test]
fn without_content_there_is_nothing_to_choose_until_some_is_in_force() {
    on_database(|database| async move {
        let account_id = database.register("ann@example.org").await;
        let owner = &database.owner;
        let chosen = json!({ "race": "elf", "class": "wizard", "method": 1 });
        let args = json!([account_id, plan("Aldric", &chosen)]);
        let refused = code_of(owner, "character_make", args).await;
        assert_eq!(refused, "character.abilities_unsupported");
        let args =
            json!([account_id, plan("Aldric", &json!({ "race": "elf", "class": "wizard" }))]);
        assert_eq!(code_of(owner, "character_make", args).await, "");
        let args = json!([account_id, plan("Berta", &json!({ "class": "bard" }))]);
        assert_eq!(code_of(owner, "character_make", args).await, "character.class_unknown");
        let id = named(&database, "Aldric").await;
        let player = database.admit(account_id, "player").await;
        player.call("character_enter", json!([id])).await.expect("entered");
        for table in ["character_build", "character_sheet"] {
            assert!(database.rows(table).await.is_empty(), "{table}");
        }
        let refused = code_of(&player, "spell_prepare", json!([[]])).await;
        assert_eq!(refused, "character.abilities_unsupported");
        database.put_in_force(&srd()).await;
        player.call("spell_prepare", json!([[]])).await.expect("prepared");
        assert_eq!(scores(&row_of(&database, "character_build", &id).await)[3], 16);
        assert_eq!(row_of(&database, "character_sheet", &id).await["level"], 1);
    });
}

#[test]
fn a_sheet_follows_content_while_its_character_is_in_the_world() {
    on_database(|database| async move {
        database.put_in_force(&srd()).await;
        let (id, player) = database.hero("Aldric", "human", "fighter").await;
        let sheet = row_of(&database, "character_sheet", &json!(id)).await;
        assert_eq!((&sheet["hit_points_max"], &sheet["hit_die"]), (&json!(12), &json!(10)));
        assert_eq!((&sheet["proficiency"], &sheet["experience_next"]), (&json!(2), &json!(300)));
        assert_eq!(sheet["scores"], json!([16, 15, 14, 13, 11, 9]));
        assert_eq!(sheet["features"], json!(["second_wind", "fighting_style_defense"]));
        let mut pack = srd();
        let human = pack.race.iter_mut().find(|race| race.key == "human").expect("humans");
        human.speed_mm_per_round += 1_500;
        database.put_in_force(&pack).await;
        let faster = row_of(&database, "character_sheet", &json!(id)).await;
        assert_eq!(sheet["speed_mm_per_round"], 9_000);
        assert_eq!(faster["speed_mm_per_round"], 10_500, "other content is in force");
        player.call("character_leave", json!([])).await.expect("left");
        assert!(database.rows("character_sheet").await.is_empty());
    });
}
