//! Who sees what: top pages everybody, answers whoever asked, everything else nobody.

use super::{board, define, id};
use crate::support::client::Client;
use crate::support::{on_database, until};
use serde_json::{Value, json};

/// How a row of an answer says the score that is submitted here, and no subscore.
const SCORE: &str = ",77,0,";

/// What of a client's messages tells of a table.
fn told(client: &Client, table: &str) -> usize {
    let messages = client.messages();
    messages.iter().filter(|message| message.to_string().contains(table)).count()
}

#[test]
fn a_stranger_sees_neither_answers_nor_records() {
    on_database(|database| async move {
        define(&database, vec![board("best")]).await;
        let (ann_id, ann, player) = database.enter("ann@example.org", "Ann").await;
        let (_, _, bob) = database.enter("bob@example.org", "Bob").await;
        for client in [&player, &bob] {
            client.subscribe(&["SELECT * FROM board_answer"]).await;
        }
        let args = json!(["best", ann, 77, 0, id(1, 1)]);
        database.owner.call("board_submit", args).await.expect("submitted");
        let before = told(&player, "board_answer");
        for request in 1..3 {
            let args = json!(["best", 0, { "Around": [] }, request]);
            player.call("board_ask", args).await.expect("asked");
        }
        let shown = || {
            let messages = player.messages();
            let answered = |message: &&Value| message.to_string().contains(SCORE);
            messages.iter().filter(answered).count()
        };
        let told_both = || async { (told(&player, "board_answer") >= before + 2).then_some(()) };
        until("ann sees both answers", told_both).await;
        assert_eq!(shown(), 2, "{:?}", player.messages());
        player.call("character_leave", json!([])).await.expect("left");
        until("ann sees that they are gone", || async {
            database.rows("board_answer").await.is_empty().then_some(())
        })
        .await;
        bob.call("board_ask", json!(["best", 0, { "Rank": [] }, 9])).await.expect("asked");
        let strange = bob.messages().iter().any(|message| {
            let text = message.to_string();
            text.contains(SCORE) || text.contains(&ann.to_string())
        });
        assert!(!strange, "{:?}", bob.messages());
        assert!(told(&bob, "board_answer") > 0, "bob sees his own");
        for (number, table) in [
            "board_record",
            "board_joined",
            "board_tree",
            "board_node",
            "board_count",
            "board_top_due",
            "board_payout",
            "board_reward",
            "board_sweep",
            "board_asker",
        ]
        .into_iter()
        .enumerate()
        {
            let number = 900 + number;
            bob.send(&json!({ "SubscribeMulti": {
                "query_strings": [format!("SELECT * FROM {table}")],
                "request_id": number, "query_id": { "id": number },
            }}));
        }
        until("all of them are refused", || async {
            let messages = bob.messages();
            let refused = |message: &&Value| message.get("SubscriptionError").is_some();
            (messages.iter().filter(refused).count() == 10).then_some(())
        })
        .await;
        // Nobody calls what is the database's own.
        let timer = json!([{ "scheduled_id": 1, "scheduled_at": { "Interval": 1 } }]);
        for client in [&bob, &database.owner] {
            let refused = client.call("board_tick", timer.clone()).await.expect_err("a client");
            assert!(!refused.is_empty());
        }
        assert!(ann_id > 0);
    });
}

#[test]
fn everybody_watches_a_top_page_by_its_season() {
    on_database(|database| async move {
        define(&database, vec![board("best")]).await;
        let (_, ann, _player) = database.enter("ann@example.org", "Ann").await;
        let (_, _, bob) = database.enter("bob@example.org", "Bob").await;
        let tree_id = super::row_of(&database, "best").await["tree_id"].clone();
        bob.subscribe(&[&format!("SELECT * FROM board_top WHERE tree_id = {tree_id}")]).await;
        let args = json!(["best", ann, 4_321, 0, id(1, 1)]);
        database.owner.call("board_submit", args).await.expect("submitted");
        until("bob sees who leads", || async {
            let messages = bob.messages();
            let leads = |text: &str| text.contains("4321") && text.contains("Ann");
            messages.iter().any(|message| leads(&message.to_string())).then_some(())
        })
        .await;
        let renamed = database.owner.call("character_rename", json!([ann, "Berenike"])).await;
        renamed.expect("renamed");
        until("bob sees what the leader is called now", || async {
            let messages = bob.messages();
            messages.iter().any(|message| message.to_string().contains("Berenike")).then_some(())
        })
        .await;
    });
}
