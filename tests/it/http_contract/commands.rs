//! Creations with an `Idempotency-Key`: one character however often one is asked for.

use super::{Front, Session, assert_shape, on_front};
use crate::support::http::{Answer, assert_problem, send_raw};
use serde_json::json;

const MEMBERS: [&str; 8] =
    ["character_id", "realm_id", "name", "race", "class", "level", "experience", "created_at"];

async fn create(front: &Front, session: &Session, keys: &[&str], name: &str) -> Answer {
    let bearer = format!("Bearer {}", session.access);
    let mut headers = vec![("content-type", "application/json"), ("authorization", &bearer)];
    headers.extend(keys.iter().map(|key| ("idempotency-key", *key)));
    let body = json!({ "name": name, "race": "human", "class": "fighter" });
    send_raw("POST", &front.url("/v1/characters"), &headers, body.to_string()).await
}

#[test]
fn a_creation_that_is_repeated_has_the_same_answer_and_makes_no_second_character() {
    on_front(async |front| {
        let ann = front.register("ann@example.org").await;
        let first = create(front, &ann, &["7-1"], "Aldric").await;
        assert_shape(&first, 201, &MEMBERS);
        for key in ["7-1", "\"7-1\""] {
            let again = create(front, &ann, &[key], "Aldric").await;
            assert_eq!((again.status, &again.json), (201, &first.json), "{key}");
        }
        let other = create(front, &ann, &["7-2"], "Aldric").await;
        assert_problem(&other, 409, "character.name_taken", "another command");
        let keyless = create(front, &ann, &[], "Aldric").await;
        assert_problem(&keyless, 409, "character.name_taken", "no command at all");
        let bob = front.register("bob@example.org").await;
        let other = create(front, &bob, &["7-1"], "Aldric").await;
        assert_problem(&other, 409, "character.name_taken", "somebody else's command");
        assert_eq!(front.database.rows("character").await.len(), 1);
    });
}

#[test]
fn a_creation_that_was_deleted_since_is_shown_so_and_not_made_again() {
    on_front(async |front| {
        let ann = front.register("ann@example.org").await;
        let first = create(front, &ann, &["7-1"], "Aldric").await;
        let path = format!("/v1/characters/{}", first.json["character_id"]);
        assert_eq!(front.delete(&path, &ann.access).await.status, 204);
        let again = create(front, &ann, &["7-1"], "Aldric").await;
        assert_shape(&again, 201, &[&MEMBERS[..], &["deleted_at"]].concat());
        assert_eq!(again.json["character_id"], first.json["character_id"]);
    });
}

#[test]
fn keys_that_are_no_commands_number_are_refused() {
    on_front(async |front| {
        let ann = front.register("ann@example.org").await;
        for keys in [
            &["a key"][..],
            &["7"],
            &["7-"],
            &["-7-1"],
            &["18446744073709551616-1"],
            &["7-1", "7-2"],
        ] {
            let answer = create(front, &ann, keys, "Aldric").await;
            assert_problem(&answer, 400, "request.invalid", &format!("{keys:?}"));
        }
        for key in ["0-1", "7-0"] {
            let answer = create(front, &ann, &[key], "Aldric").await;
            assert_problem(&answer, 400, "command.id_invalid", key);
        }
        assert!(front.database.rows("character").await.is_empty());
        let largest = format!("{}-{}", u64::MAX, u64::MAX);
        let answer = create(front, &ann, &[&largest], "Aldric").await;
        assert_eq!(answer.status, 201, "{}", answer.text);
        let answer = create(front, &ann, &[&largest], "Berta").await;
        assert_problem(&answer, 409, "command.reused", "another name");
        let older = format!("{}-63", u64::MAX);
        let answer = create(front, &ann, &[&older], "Berta").await;
        assert_problem(&answer, 409, "command.too_old", "far behind");
    });
}
