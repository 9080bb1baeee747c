//! What staff does with characters, and that all of it goes with them.

use super::code_of;
use crate::support::content::srd;
use crate::support::on_database;
use serde_json::json;

#[test]
fn staff_renames_characters_changes_their_looks_and_gives_experience() {
    on_database(|database| async move {
        database.put_in_force(&srd()).await;
        let (id, player) = database.hero("Aldric", "human", "fighter").await;
        let ann = database.register("ann@example.org").await;
        let gone = database.create(ann, "Gone").await;
        let owner = &database.owner;
        owner.call("character_delete", json!([ann, gone])).await.expect("deleted");
        let helper = database.register("helper@example.org").await;
        let helper = database.admit(helper, "game_master").await;
        let looks = r#"{"hair":"red"}"#;
        for (reducer, args, code) in [
            ("character_rename", json!([id, "x"]), "character.name_length"),
            ("character_rename", json!([7, "Berta"]), "character.unknown"),
            ("character_rename", json!([gone, "Berta"]), "character.deleted"),
            ("character_rename", json!([id, "GONE"]), "character.name_taken"),
            ("character_rename", json!([id, "Aldrich"]), ""),
            ("character_appearance_set", json!([id, "[]"]), "character.appearance_invalid"),
            (
                "character_appearance_set",
                json!([id, "x".repeat(2_049)]),
                "character.appearance_invalid",
            ),
            ("character_appearance_set", json!([7, "{}"]), "character.unknown"),
            ("character_appearance_set", json!([id, "{}"]), ""),
            ("character_appearance_set", json!([id, looks]), ""),
            ("character_experience_give", json!([7, 300]), "character.unknown"),
            ("character_experience_give", json!([gone, 300]), "character.deleted"),
            ("character_experience_give", json!([id, 300]), ""),
        ] {
            let refused = code_of(&player, reducer, args.clone()).await;
            assert_eq!(refused, "account.permission_denied", "{reducer} {args}");
            assert_eq!(code_of(&helper, reducer, args.clone()).await, code, "{reducer} {args}");
        }
        let entities = database.rows("entity").await;
        let row = entities.iter().find(|row| row["entity_id"] == id).expect("in the world");
        assert_eq!(row["name"], "Aldrich");
        assert_eq!(database.rows("character_appearance").await[0]["appearance"], looks);
        let progress = database.rows("character_progress").await;
        let row = progress.iter().find(|row| row["character_id"] == id).expect("a row");
        assert_eq!(row["level"], 2);
        let entries = database.rows("audit_entry").await;
        for (action, count) in [
            ("character_renamed", 1),
            ("character_appearance_set", 2),
            ("character_experience_given", 1),
        ] {
            let found = entries.iter().filter(|row| row["action"] == action).count();
            assert_eq!(found, count, "{action}");
        }
    });
}
