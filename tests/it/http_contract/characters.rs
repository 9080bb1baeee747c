//! Characters over HTTP: every call and every refusal.

use super::{assert_done, assert_members, assert_shape, on_front};
use crate::support::content::srd;
use crate::support::http::{Answer, assert_problem};
use serde_json::{Value, json};

const MEMBERS: [&str; 8] =
    ["character_id", "realm_id", "name", "race", "class", "level", "experience", "created_at"];

fn body(change: &Value) -> Value {
    let good = json!({ "realm_id": 1, "name": "Aldric", "race": "human", "class": "fighter" });
    crate::support::forge::changed(&good, change)
}

fn names(answer: &Answer) -> Vec<&str> {
    let characters = answer.json["characters"].as_array().expect("characters");
    characters.iter().map(|character| character["name"].as_str().expect("a name")).collect()
}

#[test]
fn characters_are_created_listed_shown_deleted_and_restored() {
    on_front(async |front| {
        let ann = front.register("ann@example.org").await;
        let token = Some(ann.access.as_str());
        let empty = front.get("/v1/characters", token).await;
        assert_shape(&empty, 200, &["characters"]);
        assert!(names(&empty).is_empty());

        let created = front.post("/v1/characters", token, &body(&json!({}))).await;
        assert_shape(&created, 201, &MEMBERS);
        assert_eq!(created.json["realm_id"], 1);
        assert_eq!(created.json["name"], "Aldric");
        assert_eq!(
            (&created.json["race"], &created.json["class"]),
            (&json!("human"), &json!("fighter"))
        );
        let at = created.json["created_at"].as_str().expect("an instant");
        assert!(at.starts_with("20") && at.contains('T'), "RFC 3339: {at}");
        let unsaid = body(&json!({ "realm_id": null, "name": "Berta", "abilities": null }));
        let second = front.post("/v1/characters", token, &unsaid).await;
        assert_shape(&second, 201, &MEMBERS);
        assert_eq!(second.json["realm_id"], 1, "the first of the list");

        let listed = front.get("/v1/characters", token).await;
        assert_eq!(names(&listed), ["Aldric", "Berta"]);
        assert_members(&listed.json["characters"][0], &MEMBERS);
        let listed = front.get("/v1/characters?realm_id=1", token).await;
        assert_eq!(names(&listed), ["Aldric", "Berta"]);

        let path = format!("/v1/characters/{}", created.json["character_id"]);
        let shown = front.get(&path, token).await;
        assert_shape(&shown, 200, &MEMBERS);
        assert_eq!(shown.json, created.json);

        assert_done(&front.delete(&path, &ann.access).await);
        let shown = front.get(&path, token).await;
        assert_shape(&shown, 200, &[&MEMBERS[..], &["deleted_at"]].concat());
        let again = front.delete(&path, &ann.access).await;
        assert_problem(&again, 409, "character.deleted", "deleted already");

        let restored = front.order(&format!("{path}/restore"), &ann.access).await;
        assert_shape(&restored, 200, &MEMBERS);
        assert_eq!(restored.json, created.json);
        let again = front.order(&format!("{path}/restore"), &ann.access).await;
        assert_problem(&again, 409, "character.not_deleted", "restored already");
    });
}

#[test]
fn create_refuses_names_races_classes_and_abilities_with_400() {
    on_front(async |front| {
        let ann = front.register("ann@example.org").await;
        for (change, code) in [
            (json!({ "name": "" }), "character.name_length"),
            (json!({ "name": "x" }), "character.name_length"),
            (json!({ "name": "x".repeat(25) }), "character.name_length"),
            (json!({ "name": "Bob7" }), "character.name_letters"),
            (json!({ "name": " Bob" }), "character.name_letters"),
            (json!({ "name": "P\u{430}ul" }), "character.name_scripts"),
            (json!({ "name": "Admin" }), "character.name_reserved"),
            (json!({ "race": "dragon" }), "character.race_unknown"),
            (json!({ "race": "Human" }), "character.race_unknown"),
            (json!({ "class": "king" }), "character.class_unknown"),
            (json!({ "abilities": { "strength": 18 } }), "character.abilities_unsupported"),
            (json!({ "abilities": {} }), "character.abilities_unsupported"),
            (json!({ "background": "acolyte" }), "character.abilities_unsupported"),
            (json!({ "abilities": { "method": "luck" } }), "character.method_unknown"),
            (json!({ "class": "fighter/wizard" }), "character.multiclass_unsupported"),
            (json!({ "abilities": [] }), "request.malformed"),
            (json!({ "abilities": { "luck": 8 } }), "request.malformed"),
            (json!({ "abilities": { "strength": 300 } }), "request.malformed"),
            (json!({ "skills": vec!["arcana"; 19] }), "request.invalid"),
            (json!({ "spells": ["x".repeat(65)] }), "request.invalid"),
            (json!({ "name": "x".repeat(257) }), "request.invalid"),
            (json!({ "race": "x".repeat(65) }), "request.invalid"),
            (json!({ "class": "x".repeat(65) }), "request.invalid"),
        ] {
            let answer = front.post("/v1/characters", Some(&ann.access), &body(&change)).await;
            assert_problem(&answer, 400, code, &change.to_string());
        }
        assert!(front.database.rows("character").await.is_empty());
        let good = front.post("/v1/characters", Some(&ann.access), &body(&json!({}))).await;
        assert_eq!(good.status, 201, "{}", good.text);
    });
}

#[test]
fn a_character_of_content_is_made_of_what_was_chosen_and_shown_with_it() {
    on_front(async |front| {
        front.database.put_in_force(&srd()).await;
        let ann = front.register("ann@example.org").await;
        let token = Some(ann.access.as_str());
        let members = [&MEMBERS[..], &["background", "scores"]].concat();
        let bought = json!({ "method": "points", "strength": 15, "dexterity": 15,
            "constitution": 15, "intelligence": 8, "wisdom": 8, "charisma": 8 });
        let chosen = body(&json!({ "abilities": bought, "background": "scribe",
            "skills": ["athletics", "survival"] }));
        let created = front.post("/v1/characters", token, &chosen).await;
        assert_shape(&created, 201, &members);
        let scores = json!({ "strength": 16, "dexterity": 16, "constitution": 16,
            "intelligence": 9, "wisdom": 9, "charisma": 9 });
        assert_eq!(created.json["scores"], scores);
        assert_eq!(created.json["background"], "scribe");
        assert_eq!((&created.json["level"], &created.json["experience"]), (&json!(1), &json!(0)));
        let plain = front.post("/v1/characters", token, &body(&json!({ "name": "Berta" }))).await;
        assert_shape(&plain, 201, &members);
        let id = &created.json["character_id"];
        front.owner("character_experience_give", json!([id, 900])).await;
        let shown = front.get(&format!("/v1/characters/{id}"), token).await;
        assert_eq!((&shown.json["level"], &shown.json["experience"]), (&json!(3), &json!(900)));
        for (change, code) in [
            (json!({ "background": "noble" }), "character.background_unknown"),
            (json!({ "abilities": { "strength": 15 } }), "character.scores_not_standard"),
            (json!({ "abilities": { "method": "points" } }), "character.scores_not_bought"),
            (
                json!({ "abilities": { "method": "rolled", "strength": 18 } }),
                "character.scores_not_chosen",
            ),
            (json!({ "abilities": { "order": ["luck"] } }), "character.order_invalid"),
            (json!({ "skills": ["athletics"] }), "character.skills_invalid"),
            (json!({ "spells": ["fireball"] }), "character.spell_unknown"),
        ] {
            let answer = front.post("/v1/characters", token, &body(&change)).await;
            assert_problem(&answer, 400, code, &change.to_string());
        }
    });
}

#[test]
fn a_character_is_exported_whole() {
    on_front(async |front| {
        front.database.put_in_force(&srd()).await;
        let ann = front.register("ann@example.org").await;
        let token = Some(ann.access.as_str());
        let rolled = json!({ "abilities": { "method": "rolled" }, "class": "wizard" });
        let created = front.post("/v1/characters", token, &body(&rolled)).await;
        let id = &created.json["character_id"];
        front.owner("character_appearance_set", json!([id, r#"{"hair":"red"}"#])).await;
        front.owner("character_experience_give", json!([id, 2_700])).await;
        let path = format!("/v1/characters/{id}");
        let exported = front.get(&format!("{path}/export"), token).await;
        let members =
            ["format", "character", "build", "increases", "swaps", "spells", "uses", "appearance"];
        assert_shape(&exported, 200, &members);
        let whole = &exported.json;
        assert_eq!(whole["character"], front.get(&path, token).await.json);
        assert_eq!((&whole["increases"], &whole["swaps"]), (&json!(1), &json!(3)));
        assert_eq!(whole["appearance"], json!({ "hair": "red" }));
        assert_eq!((&whole["build"]["method"], &whole["uses"]), (&json!("rolled"), &json!([])));
        let rolls = whole["build"]["rolls"].as_array().expect("rolls");
        let mut sums: Vec<i64> = rolls
            .iter()
            .map(|dice| {
                let dice: Vec<i64> =
                    dice.as_array().expect("dice").iter().filter_map(Value::as_i64).collect();
                assert!(dice.len() == 4 && dice.iter().all(|shown| (1..=6).contains(shown)));
                dice.iter().sum::<i64>() - dice.iter().min().expect("four dice")
            })
            .collect();
        let scores = whole["character"]["scores"].as_object().expect("scores");
        // A human has one more of each than what was rolled.
        let mut scores: Vec<i64> =
            scores.values().filter_map(Value::as_i64).map(|score| score - 1).collect();
        sums.sort_unstable();
        scores.sort_unstable();
        assert_eq!(sums, scores, "four dice each, the lowest left out");
        let spells = whole["spells"].as_array().expect("spells");
        assert!(spells.len() > 3 && spells.iter().all(|spell| spell["is_prepared"] == true));
    });
}

#[test]
fn create_refuses_a_taken_name_and_its_look_alikes_with_409() {
    on_front(async |front| {
        let ann = front.register("ann@example.org").await;
        let bob = front.register("bob@example.org").await;
        front.create(&ann, 1, "Aldric").await;
        for name in ["Aldric", "ALDRIC", "ALDRlC", "Ald-ric"] {
            for session in [&ann, &bob] {
                let taken = body(&json!({ "name": name }));
                let answer = front.post("/v1/characters", Some(&session.access), &taken).await;
                assert_problem(&answer, 409, "character.name_taken", name);
            }
        }
        front.create(&bob, 1, "Aldrich").await;
    });
}

#[test]
fn create_refuses_a_ninth_character_with_409_and_an_unknown_realm_with_404() {
    on_front(async |front| {
        let ann = front.register("ann@example.org").await;
        let elsewhere = body(&json!({ "realm_id": 9 }));
        let answer = front.post("/v1/characters", Some(&ann.access), &elsewhere).await;
        assert_problem(&answer, 404, "realm.unknown", "realm 9");
        for letter in 'a'..='h' {
            front.create(&ann, 1, &format!("Hero{letter}")).await;
        }
        let ninth = body(&json!({ "name": "Ninth" }));
        let answer = front.post("/v1/characters", Some(&ann.access), &ninth).await;
        assert_problem(&answer, 409, "character.too_many", "the ninth");
    });
}

#[test]
fn somebody_elses_character_is_as_unknown_as_one_that_never_was() {
    on_front(async |front| {
        let ann = front.register("ann@example.org").await;
        let bob = front.register("bob@example.org").await;
        let anns = front.create(&ann, 1, "Aldric").await;
        let bobs = front.create(&bob, 1, "Berta").await;
        let never = anns + 1_000;
        for id in [anns.to_string(), never.to_string(), "7".to_owned(), "x".to_owned()] {
            let path = format!("/v1/characters/{id}");
            let token = bob.access.as_str();
            for answer in [
                front.get(&path, Some(token)).await,
                front.delete(&path, token).await,
                front.order(&format!("{path}/restore"), token).await,
                front.get(&format!("{path}/export"), Some(token)).await,
            ] {
                assert_problem(&answer, 404, "character.unknown", &path);
            }
        }
        for id in [u64::MAX.to_string(), "18446744073709551616".to_owned(), "-1".to_owned()] {
            let answer = front.get(&format!("/v1/characters/{id}"), Some(&bob.access)).await;
            assert_problem(&answer, 404, "character.unknown", &id);
        }
        let listed = front.get("/v1/characters", Some(&bob.access)).await;
        assert_eq!(names(&listed), ["Berta"]);
        assert_eq!(
            front.get(&format!("/v1/characters/{bobs}"), Some(&bob.access)).await.status,
            200
        );
        let shown = front.get(&format!("/v1/characters/{anns}"), Some(&ann.access)).await;
        assert_shape(&shown, 200, &MEMBERS);
    });
}

#[test]
fn somebody_elses_character_is_not_entered_either() {
    on_front(async |front| {
        let ann = front.register("ann@example.org").await;
        let anns = front.create(&ann, 1, "Aldric").await;
        let (_, _, bob) = front.database.enter("bob@example.org", "Berta").await;
        bob.call("character_leave", json!([])).await.expect("left");
        let refused = bob.call("character_enter", json!([anns])).await.expect_err("not bob's");
        assert!(refused.starts_with("character.unknown:"), "{refused}");
    });
}

#[test]
fn delete_refuses_a_character_in_the_world_with_409() {
    on_front(async |front| {
        let ann = front.register("ann@example.org").await;
        let id = front.create(&ann, 1, "Aldric").await;
        let entry = front.order("/v1/realms/1/enter", &ann.access).await.json;
        let text = |name: &str| entry[name].as_str().expect("text");
        let connect = crate::support::client::Client::connect;
        let client = connect(text("uri"), text("database"), text("token")).await;
        let client = client.expect("the token opens the realm");
        client.call("character_enter", json!([id])).await.expect("entered");
        let path = format!("/v1/characters/{id}");
        let refused = front.delete(&path, &ann.access).await;
        assert_problem(&refused, 409, "character.in_world", "in the world");
        client.call("character_leave", json!([])).await.expect("left");
        assert_done(&front.delete(&path, &ann.access).await);
    });
}

#[test]
fn the_list_refuses_filters_it_does_not_know() {
    on_front(async |front| {
        let ann = front.register("ann@example.org").await;
        for (query, status, code) in [
            ("?realm_id=9", 404, "realm.unknown"),
            ("?realm_id=x", 400, "request.invalid"),
            ("?realm_id=65536", 400, "request.invalid"),
            ("?account_id=1", 400, "request.invalid"),
        ] {
            let answer = front.get(&format!("/v1/characters{query}"), Some(&ann.access)).await;
            assert_problem(&answer, status, code, query);
        }
    });
}
