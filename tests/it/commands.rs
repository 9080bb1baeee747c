//! Commands: done once however often they are sent, refused where that cannot be told any more, and
//! nobody's business but their account's.

use crate::support::snapshot::Story;
use crate::support::{Database, on_database, until};
use serde_json::{Value, json};

fn id(session: u64, sequence: u64) -> Value {
    json!({ "session": session, "sequence": sequence })
}

fn creation(account_id: u64, name: &str, command: &Value) -> Value {
    json!([account_id, name, "human", "fighter", command])
}

/// Sends a creation as the gateway does, and answers the code of its refusal.
async fn create(database: &Database, args: Value) -> Result<(), String> {
    let outcome = database.owner.call("character_create_once", args).await;
    outcome.map_err(|refused| refused.split(':').next().unwrap_or_default().to_owned())
}

async fn names(database: &Database) -> Vec<String> {
    let rows = database.rows("character").await;
    let mut names: Vec<String> =
        rows.iter().map(|row| row["name"].as_str().expect("a name").to_owned()).collect();
    names.sort();
    names
}

#[test]
fn a_command_that_is_repeated_succeeds_and_changes_nothing() {
    on_database(|database| async move {
        let ann = database.register("ann@example.org").await;
        let bob = database.register("bob@example.org").await;
        let owner = &database.owner;
        let mut story = Story::begin(&database).await;
        for args in [
            creation(ann, "Aldric", &id(7, 1)),
            creation(ann, "Aldric", &id(7, 1)),
            // Another number, another session and another account are other commands.
            creation(ann, "Aldric", &id(7, 2)),
            creation(ann, "Aldric", &id(8, 1)),
            creation(bob, "Aldric", &id(7, 1)),
            creation(bob, "Berta", &id(7, 1)),
            // A refused command changed nothing: its number is still free, for a better name too.
            creation(ann, "Cedric", &id(7, 2)),
            creation(ann, "Cedric", &id(7, 2)),
            // What was done under a number stays so.
            creation(ann, "Dagmar", &id(7, 2)),
            creation(ann, "x", &id(7, 1)),
            creation(ann, "Dagmar", &id(0, 1)),
            creation(ann, "Dagmar", &id(7, 0)),
        ] {
            story.call("owner", owner, "character_create_once", args).await;
        }
        insta::assert_snapshot!(story.end());
    });
}

#[test]
fn a_repeated_refusal_has_the_same_code_while_its_reason_lasts() {
    on_database(|database| async move {
        let ann = database.register("ann@example.org").await;
        for _ in 0..3 {
            let refused = create(&database, creation(ann, "Admin", &id(7, 1))).await;
            assert_eq!(refused.expect_err("reserved"), "character.name_reserved");
        }
        assert!(database.rows("command_session").await.is_empty(), "a refusal leaves nothing");
    });
}

#[test]
fn numbers_may_come_in_any_order_within_the_window_and_older_ones_are_refused() {
    on_database(|database| async move {
        let ann = database.register("ann@example.org").await;
        create(&database, creation(ann, "Late", &id(7, 65))).await.expect("the first to arrive");
        create(&database, creation(ann, "Early", &id(7, 2))).await.expect("63 behind");
        let refused = create(&database, creation(ann, "Older", &id(7, 1))).await;
        assert_eq!(refused.expect_err("64 behind"), "command.too_old");
        for _ in 0..2 {
            create(&database, creation(ann, "Last", &id(7, u64::MAX))).await.expect("the largest");
        }
        let refused = create(&database, creation(ann, "Older", &id(7, 63))).await;
        assert_eq!(refused.expect_err("shares the slot of the largest"), "command.too_old");
        let largest = id(u64::MAX, u64::MAX);
        for _ in 0..2 {
            create(&database, creation(ann, "Huge", &largest)).await.expect("the largest session");
        }
        let refused = create(&database, creation(ann, "Other", &largest)).await;
        assert_eq!(refused.expect_err("not what was done"), "command.reused");
        assert_eq!(names(&database).await, ["Early", "Huge", "Last", "Late"]);
    });
}

#[test]
fn what_is_remembered_of_an_account_is_bounded() {
    on_database(|database| async move {
        let ann = database.register("ann@example.org").await;
        let (_, hero, player) = database.enter("bob@example.org", "Bob").await;
        for sequence in 1..=200_u64 {
            let args = json!([hero, id(7, sequence)]);
            player.call("character_enter_once", args).await.expect("there already");
        }
        assert_eq!(database.rows("command_receipt").await.len(), 64);
        for session in 1..=32 {
            let args = json!([hero, id(session, 1)]);
            let sent = player.call("character_enter_once", args).await;
            assert_eq!(sent.is_err(), session == 7, "{session}: {sent:?}");
        }
        for _ in 0..2 {
            let refused = player.call("character_enter_once", json!([hero, id(33, 1)])).await;
            let refused = refused.expect_err("too many sessions");
            assert!(refused.starts_with("command.sessions_too_many:"), "{refused}");
        }
        assert_eq!(database.rows("command_session").await.len(), 32);
        let args = json!([hero, id(32, 2)]);
        player.call("character_enter_once", args).await.expect("known sessions go on");
        create(&database, creation(ann, "Ann", &id(33, 1))).await.expect("others have room");
    });
}

#[test]
fn an_old_enter_does_not_bring_a_character_back() {
    on_database(|database| async move {
        let (_, hero, player) = database.enter("ann@example.org", "Ann").await;
        player.call("character_leave", json!([])).await.expect("left");
        let enter = json!([hero, id(7, 1)]);
        player.call("character_enter_once", enter.clone()).await.expect("entered");
        assert_eq!(database.rows("entity").await.len(), 1);
        player.call("character_leave", json!([])).await.expect("left again");
        player.call("character_enter_once", enter).await.expect("was done");
        assert!(database.rows("entity").await.is_empty(), "it has left since");
        let enter = json!([hero, id(7, 2)]);
        player.call("character_enter_once", enter).await.expect("another command");
        assert_eq!(database.rows("entity").await.len(), 1);
    });
}

#[test]
fn a_stranger_neither_reads_nor_uses_receipts() {
    on_database(|database| async move {
        let (ann, anns, player) = database.enter("ann@example.org", "Ann").await;
        player.call("character_enter_once", json!([anns, id(7, 1)])).await.expect("there already");
        let (_, bobs, bob) = database.enter("bob@example.org", "Bob").await;
        for client in [&bob, &player] {
            for (number, table) in [(900, "command_receipt"), (901, "command_session")] {
                client.send(&json!({ "SubscribeMulti": {
                    "query_strings": [format!("SELECT * FROM {table}")],
                    "request_id": number, "query_id": { "id": number },
                }}));
            }
            until("both are refused, one's own rows too", || async {
                let messages = client.messages();
                let refused = |message: &&Value| message.get("SubscriptionError").is_some();
                let applied = |message: &Value| message.get("SubscribeMultiApplied").is_some();
                assert!(!messages.iter().any(applied), "{messages:?}");
                (messages.iter().filter(refused).count() == 2).then_some(())
            })
            .await;
        }
        let args = creation(ann, "Thief", &id(9, 1));
        let refused = bob.call("character_create_once", args).await.expect_err("for gateways");
        assert!(refused.starts_with("account.permission_denied:"), "{refused}");
        let refused = bob.call("character_enter_once", json!([anns, id(7, 1)])).await;
        let refused = refused.expect_err("somebody else's number helps nobody");
        assert!(refused.starts_with("character.unknown:"), "{refused}");
        bob.call("character_enter_once", json!([bobs, id(7, 1)])).await.expect("his own number");
        assert_eq!(database.rows("command_session").await.len(), 2);
    });
}

/// Lets a session look as if it was last used that many microseconds earlier.
async fn age(database: &Database, session: &Value, micros: i64) {
    let used = session["used_at_micros"].as_i64().expect("an instant") - micros;
    let slot = used.div_euclid(900_000_000).rem_euclid(128);
    let id = &session["command_session_id"];
    let change = format!("used_at_micros = {used}, wheel_slot = {slot}");
    let statement = format!("UPDATE command_session SET {change} WHERE command_session_id = {id}");
    let token = crate::support::owner_token(&database.stage.keys);
    let url = format!("{}/v1/database/{}/sql", database.stage.uri, database.name);
    let bearer = format!("Bearer {token}");
    let headers = [("authorization", bearer.as_str())];
    let answer = crate::support::http::send_raw("POST", &url, &headers, statement).await;
    assert_eq!(answer.status, 200, "{}", answer.text);
}

#[test]
fn a_session_is_forgotten_a_day_after_its_last_command_with_all_it_did() {
    const HOUR: i64 = 3_600_000_000;
    on_database(|database| async move {
        let ann = database.register("ann@example.org").await;
        for (session, name) in [(1, "Old"), (2, "Young")] {
            create(&database, creation(ann, name, &id(session, 1))).await.expect("created");
        }
        let sessions = database.rows("command_session").await;
        let of = |number: u64| {
            let of_number = |row: &&Value| row["command_session_id"] == number;
            sessions.iter().find(of_number).expect("a session").clone()
        };
        age(&database, &of(1), 25 * HOUR).await;
        age(&database, &of(2), 23 * HOUR).await;
        until("the old session is swept", || async {
            (database.rows("command_session").await.len() == 1).then_some(())
        })
        .await;
        let receipts = database.rows("command_receipt").await;
        assert_eq!(receipts.len(), 1, "{receipts:?}");
        create(&database, creation(ann, "Young", &id(2, 1))).await.expect("still known");
        let kept = &database.rows("command_session").await[0];
        assert_eq!(kept["command_session_id"], 2);
        let used = |row: &Value| row["used_at_micros"].as_i64().expect("an instant");
        assert!(used(kept) >= used(&of(2)), "and remembered for another day");
        let refused = create(&database, creation(ann, "Old", &id(1, 1))).await;
        assert_eq!(refused.expect_err("decided anew"), "character.name_taken");
    });
}
