//! Characters: every reducer with every refusal, and their way in and out of the world. What they
//! are made of, what they learn and what staff does with them have their own files.

mod learning;
mod making;
mod staff;

use crate::support::client::Client;
use crate::support::snapshot::Story;
use crate::support::{Database, on_database, player_token, until};
use serde_json::json;

#[test]
fn character_create_follows_the_rules_of_names_and_numbers() {
    on_database(|database| async move {
        let account_id = database.register("ann@example.org").await;
        let owner = &database.owner;
        let mut story = Story::begin(&database).await;
        for args in [
            json!([account_id, "x", "human", "fighter"]),
            json!([account_id, "x".repeat(100_000), "human", "fighter"]),
            json!([account_id, "Bob7", "human", "fighter"]),
            json!([account_id, "P\u{430}ul", "human", "fighter"]),
            json!([account_id, "Admin", "human", "fighter"]),
            json!([account_id, "Aldric", "dragon", "fighter"]),
            json!([account_id, "Aldric", "human", "king"]),
            json!([account_id, "Aldric", "human", "fighter"]),
            json!([account_id, "ALDRlC", "elf", "wizard"]),
            json!([u64::MAX, "Aldr-ic", "elf", "wizard"]),
        ] {
            story.call("owner", owner, "character_create", args).await;
        }
        insta::assert_snapshot!(story.end());
    });
}

#[test]
fn an_account_has_at_most_eight_characters_and_keeps_a_bounded_number_of_deleted_ones() {
    on_database(|database| async move {
        let account_id = database.register("ann@example.org").await;
        let owner = &database.owner;
        let name = |number: u8| format!("Hero{}", char::from(b'a' + number).to_string().repeat(3));
        let mut ids = vec![];
        for number in 0..8 {
            ids.push(database.create(account_id, &name(number)).await);
        }
        let args = json!([account_id, "Ninth", "human", "fighter"]);
        let refused = owner.call("character_create", args).await.expect_err("too many");
        assert!(refused.starts_with("character.too_many:"), "{refused}");
        owner.call("character_delete", json!([account_id, ids[0]])).await.expect("deleted");
        database.create(account_id, "Ninth").await;
        let refused = owner.call("character_restore", json!([account_id, ids[0]])).await;
        assert!(refused.expect_err("too many").starts_with("character.too_many:"));
        let mut newest = ids[1];
        for number in 0..30_u8 {
            owner.call("character_delete", json!([account_id, newest])).await.expect("deleted");
            let letters = [char::from(b'a' + number % 8), char::from(b'm' + number / 8)];
            let name = format!("Kept{}", String::from_iter(letters));
            let args = json!([account_id, name, "human", "fighter"]);
            if let Err(refused) = owner.call("character_create", args).await {
                assert!(refused.starts_with("character.too_many_kept:"), "{refused}");
                assert_eq!(database.rows("character").await.len(), 32);
                return;
            }
            let rows = database.rows("character").await;
            newest = rows.iter().filter_map(|row| row["character_id"].as_u64()).max().unwrap_or(0);
        }
        panic!("deleted characters are not bounded");
    });
}

#[test]
fn a_deleted_character_keeps_its_name_and_can_be_restored() {
    on_database(|database| async move {
        let ann = database.register("ann@example.org").await;
        let bob = database.register("bob@example.org").await;
        let id = database.create(ann, "Aldric").await;
        let owner = &database.owner;
        let mut story = Story::begin(&database).await;
        for (reducer, args) in [
            ("character_delete", json!([bob, id])),
            ("character_delete", json!([ann, u64::MAX])),
            ("character_restore", json!([bob, id])),
            ("character_restore", json!([ann, id])),
            ("character_delete", json!([ann, id])),
            ("character_delete", json!([ann, id])),
            ("character_create", json!([bob, "Aldric", "human", "fighter"])),
            ("character_restore", json!([ann, id])),
        ] {
            story.call("owner", owner, reducer, args).await;
        }
        insta::assert_snapshot!(story.end());
    });
}

#[test]
fn character_enter_brings_a_character_into_the_world_and_leave_takes_it_out() {
    on_database(|database| async move {
        let ann = database.register("ann@example.org").await;
        let bob = database.register("bob@example.org").await;
        let aldric = database.create(ann, "Aldric").await;
        let berta = database.create(ann, "Berta").await;
        let gone = database.create(ann, "Gone").await;
        let other = database.create(bob, "Other").await;
        let owner = &database.owner;
        owner.call("character_delete", json!([ann, gone])).await.expect("deleted");
        let player = database.admit(ann, "player").await;
        let mut story = Story::begin(&database).await;
        story.call("ann", &player, "character_leave", json!([])).await;
        for id in [u64::MAX, other, gone, aldric, aldric, berta] {
            story.call("ann", &player, "character_enter", json!([id])).await;
        }
        story.call("owner", owner, "character_delete", json!([ann, aldric])).await;
        story.call("ann", &player, "character_leave", json!([])).await;
        insta::assert_snapshot!(story.end());
    });
}

#[test]
fn a_full_realm_and_an_unconfigured_one_let_nobody_in() {
    on_database(|database| async move {
        let (_, _, _first) = database.enter("ann@example.org", "Ann").await;
        let configure = json!([1, "Haven", true, 1]);
        database.owner.call("realm_configure", configure).await.expect("configured");
        let bob = database.register("bob@example.org").await;
        let id = database.create(bob, "Bob").await;
        let player = database.admit(bob, "player").await;
        let refused = player.call("character_enter", json!([id])).await.expect_err("full");
        assert!(refused.starts_with("realm.full:"), "{refused}");

        let empty = Database::publish(database.stage.clone()).await;
        let ann = empty.register("ann@example.org").await;
        let args = json!([ann, "Ann", "human", "fighter"]);
        let refused = empty.owner.call("character_create", args).await.expect_err("unconfigured");
        assert!(refused.starts_with("realm.not_configured:"), "{refused}");
        let configure = json!([1, "Haven", true, 1]);
        empty.owner.call("realm_configure", configure).await.expect("configured");
        let id = empty.create(ann, "Ann").await;
        let player = empty.admit(ann, "player").await;
        let refused = player.call("character_enter", json!([id])).await.expect_err("no world");
        assert!(refused.starts_with("world.unknown:"), "{refused}");
    });
}

#[test]
fn a_disconnect_takes_the_character_out_and_keeps_its_place() {
    on_database(|database| async move {
        let (account_id, character_id, player) = database.enter("ann@example.org", "Ann").await;
        player.call("course_to", json!([33_500, 32_500])).await.expect("going");
        until("the goal is reached", || async {
            let rows = database.rows("motion").await;
            (rows[0]["pos_x_mm"] == 33_500 && rows[0]["end_kind"] == 0).then_some(())
        })
        .await;
        player.close().await;
        until("the character is out", || async {
            database.rows("entity").await.is_empty().then_some(())
        })
        .await;
        for table in ["motion", "motion_course", "motion_due", "character_presence"] {
            assert!(database.rows(table).await.is_empty(), "{table}");
        }
        assert_eq!(database.rows("realm_population").await[0]["online"], 0);
        let player = database.connect(account_id, "player").await.expect("back");
        player.call("character_enter", json!([character_id])).await.expect("entered");
        let row = &database.rows("motion").await[0];
        assert_eq!((&row["pos_x_mm"], &row["pos_y_mm"]), (&json!(33_500), &json!(32_500)));
    });
}

#[test]
fn a_second_connection_of_the_account_takes_over() {
    on_database(|database| async move {
        let (account_id, character_id, first) = database.enter("ann@example.org", "Ann").await;
        let second = database.connect(account_id, "player").await.expect("connected");
        let refused = first.call("course_set", json!([1, 0, false])).await.expect_err("taken over");
        assert!(refused.starts_with("realm.taken_over:"), "{refused}");
        second.call("character_enter", json!([character_id])).await.expect("still there");
        first.close().await;
        second.call("course_set", json!([0, 1, false])).await.expect("in control");
        assert_eq!(database.rows("entity").await.len(), 1);
    });
}

/// The code of a call's refusal; empty if it succeeded.
async fn code_of(client: &Client, reducer: &str, args: serde_json::Value) -> String {
    let refused = client.call(reducer, args).await.err().unwrap_or_default();
    refused.split(':').next().unwrap_or_default().to_owned()
}

async fn with_connection_id(database: &Database, account_id: u64, id: u128) -> Client {
    let token = player_token(&database.stage.keys, &database.name, account_id, "player");
    let (uri, name) = (&database.stage.uri, &database.name);
    let url = format!("{uri}/v1/database/{name}/subscribe?connection_id={id:032x}");
    Client::connect_to(&url, Some(&token)).await.expect("connected")
}

#[test]
fn a_connection_id_chosen_by_another_client_takes_nothing_over() {
    on_database(|database| async move {
        let ann = database.register("ann@example.org").await;
        let id = database.create(ann, "Ann").await;
        database.grant(ann, "player", 900).await.expect("admitted");
        let ann = with_connection_id(&database, ann, 77).await;
        ann.call("character_enter", json!([id])).await.expect("entered");
        let bob = database.register("bob@example.org").await;
        database.grant(bob, "player", 900).await.expect("admitted");
        let thief = with_connection_id(&database, bob, 77).await;
        let refused = thief.call("course_set", json!([1, 0, false])).await.expect_err("no");
        assert!(refused.starts_with("motion.not_in_world:"), "{refused}");
        thief.close().await;
        ann.call("course_set", json!([1, 0, false])).await.expect("undisturbed");
    });
}

#[test]
fn a_client_that_reconnects_with_its_connection_id_stays_in_the_world() {
    on_database(|database| async move {
        let account_id = database.register("ann@example.org").await;
        let id = database.create(account_id, "Ann").await;
        database.grant(account_id, "player", 900).await.expect("admitted");
        let old = with_connection_id(&database, account_id, 77).await;
        old.call("character_enter", json!([id])).await.expect("entered");
        let new = with_connection_id(&database, account_id, 77).await;
        new.call("character_enter", json!([id])).await.expect("still there");
        old.close().await;
        until("the end of the old socket is noticed", || async {
            let row = database.rows("realm_connection").await.into_iter().next()?;
            (row["sockets"] == 1).then_some(())
        })
        .await;
        new.call("course_set", json!([1, 0, false])).await.expect("still there");
        new.close().await;
        until("the character is out", || async {
            database.rows("entity").await.is_empty().then_some(())
        })
        .await;
    });
}

/// A plan for a character of a class that casts, with changes.
pub(crate) fn plan(name: &str, change: &serde_json::Value) -> serde_json::Value {
    let good = json!({
        "name": name, "race": "human", "class": "sorcerer", "background": "", "method": 0,
        "scores": [], "order": [], "skills": [], "spells": [],
    });
    crate::support::forge::changed(&good, change)
}
