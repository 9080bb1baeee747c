//! What strangers see of a guild: that it is there and who is in it, and nothing else.

use super::Hall;
use crate::support::{on_database, until};
use haven_rules::accounts::Role;
use serde_json::json;

/// Tables with rows of one's own.
const PERSONAL: [&str; 7] = [
    "guild_membership",
    "guild_page",
    "guild_invite",
    "guild_request",
    "guild_charter",
    "guild_bank_window",
    "guild_bank_view",
];

/// Tables nobody sees.
const PRIVATE: [&str; 9] = [
    "guild_seen",
    "guild_activity",
    "guild_message",
    "guild_note",
    "guild_log",
    "guild_ban",
    "guild_allowance",
    "guild_pace",
    "guild_signature",
];

async fn private_tables_are_refused(hero: &super::Hero) {
    for (number, table) in (900..).zip(PRIVATE) {
        hero.player.send(&json!({ "SubscribeMulti": {
            "query_strings": [format!("SELECT * FROM {table}")],
            "request_id": number, "query_id": { "id": number },
        }}));
    }
    until("all are refused", || async {
        let messages = hero.player.messages();
        let refused = |row: &&serde_json::Value| row.get("SubscriptionError").is_some();
        (messages.iter().filter(refused).count() == PRIVATE.len()).then_some(())
    })
    .await;
}

#[test]
fn a_stranger_sees_no_row_no_change_and_no_removal() {
    on_database(|database| async move {
        let hall = Hall::open(database, |pack| {
            crate::support::content::set(pack, "guild_signatures_min", 0);
        })
        .await;
        let [ann, bob, cid, zoe] = hall.heroes(["Ann", "Bob", "Cid", "Zoe"]).await;
        let oak = hall.found(&ann, "Quiet Oak").await;
        hall.found(&zoe, "Loud Elm").await;
        hall.join(&ann, &bob).await;
        ann.does("guild_tab_buy", json!([ann.next()])).await;
        ann.does("guild_message_set", json!(["Xyzzy the first"])).await;
        let queries: Vec<String> =
            PERSONAL.iter().map(|table| format!("SELECT * FROM {table}")).collect();
        let queries: Vec<&str> = queries.iter().map(String::as_str).collect();
        for hero in [&ann, &bob, &cid, &zoe] {
            hero.player.subscribe(&queries).await;
        }
        let torch = hall.give(&ann, "secret_torch", 5).await;
        ann.does("guild_bank_open", json!([0])).await;
        ann.does("guild_bank_put", json!([torch, 5, 0, 0, ann.next()])).await;
        ann.does("guild_bank_move", json!([torch, 5, 0, 9, ann.next()])).await;
        ann.does("guild_message_set", json!(["Xyzzy the second"])).await;
        bob.does("guild_note_set", json!([bob.id, "Plugh of mine"])).await;
        ann.does("guild_officer_note_set", json!([bob.id, "Plover of his"])).await;
        for hero in [&ann, &bob] {
            hero.does("guild_list_show", json!([1, 0])).await;
        }
        ann.does("guild_list_show", json!([2, 0])).await;
        cid.does("guild_charter_open", json!(["Fee Fie Foe"])).await;
        cid.does("guild_request_send", json!([oak, "Foo of all"])).await;
        ann.does("guild_list_show", json!([3, 0])).await;
        ann.does("guild_member_invite", json!(["Cid"])).await;
        cid.does("guild_invite_accept", json!([oak])).await;
        ann.does("guild_bank_take", json!([torch, 5, 65_535, ann.next()])).await;
        ann.does("guild_bank_close", json!([])).await;
        for hero in [&bob, &cid] {
            hero.does("guild_leave", json!([])).await;
        }
        zoe.does("guild_message_set", json!(["The last"])).await;
        until("all of it has come", || async {
            let messages = |hero: &super::Hero| format!("{:?}", hero.player.messages());
            (messages(&zoe).contains("The last") && messages(&cid).contains("Foo of all"))
                .then_some(())
        })
        .await;
        let text = |hero: &super::Hero| format!("{:?}", hero.player.messages());
        for (word, who) in [
            ("Xyzzy the first", [true, true, false, false]),
            ("Xyzzy the second", [true, true, true, false]),
            ("Plugh", [true, true, false, false]),
            ("Plover", [true, false, false, false]),
            ("secret_torch", [true, false, false, false]),
            ("Fee Fie Foe", [false, false, true, false]),
            ("Foo of all", [true, false, true, false]),
        ] {
            let seen = [&ann, &bob, &cid, &zoe].map(|hero| {
                let calls = hero.player.messages().into_iter();
                // What somebody said himself comes back with the answer of his call.
                let rows = calls.map(|message| rows_of(&message));
                rows.collect::<String>().contains(word)
            });
            assert_eq!(seen, who, "{word}");
        }
        assert!(!text(&zoe).contains("Quiet Oak"), "{}", text(&zoe));
        for hero in [&zoe, &ann] {
            private_tables_are_refused(hero).await;
        }
    });
}

/// The rows of a message, without what the call was.
fn rows_of(message: &serde_json::Value) -> String {
    let update = &message["TransactionUpdate"]["status"];
    let others = ["TransactionUpdateLight", "SubscribeMultiApplied", "InitialSubscription"];
    let others = others.iter().filter_map(|kind| message.get(kind));
    format!("{update}{}", others.map(ToString::to_string).collect::<String>())
}

#[test]
fn rows_of_ones_own_follow_the_account_to_another_identity() {
    on_database(|database| async move {
        let hall = Hall::open(database, |_| {}).await;
        let [ann, bob] = hall.heroes(["Ann", "Bob"]).await;
        let oak = hall.found(&ann, "Quiet Oak").await;
        ann.does("guild_tab_buy", json!([ann.next()])).await;
        let torch = hall.give(&ann, "torch", 5).await;
        ann.does("guild_bank_put", json!([torch, 5, 0, 0, ann.next()])).await;
        ann.does("guild_bank_open", json!([0])).await;
        ann.does("guild_list_show", json!([2, 0])).await;
        ann.does("guild_member_invite", json!(["Bob"])).await;
        bob.does("guild_charter_open", json!(["Loud Elm"])).await;
        bob.does("guild_request_send", json!([oak, "Please"])).await;
        for (hero, digit) in [(&ann, "1"), (&bob, "2")] {
            let viewers = hall.database.rows("account_viewer").await;
            let before = viewers.iter().find(|row| row["account_id"] == hero.account_id);
            let before = before.expect("admitted")["viewer"].clone();
            let shown = async || {
                let mut shown = vec![];
                for table in PERSONAL {
                    let rows = hall.database.rows(table).await;
                    if rows.iter().any(|row| row["viewer"] == before) {
                        shown.push(table);
                    }
                }
                shown
            };
            let expected: &[&str] = match digit {
                "1" => &["guild_membership", "guild_page", "guild_bank_window", "guild_bank_view"],
                _ => &["guild_invite", "guild_request", "guild_charter"],
            };
            assert_eq!(shown().await, expected, "before");
            let identity = json!({ "__identity__": format!("0x{}", digit.repeat(64)) });
            let (now, role) = (crate::support::now_micros(), Role::Player.code());
            let args = json!([identity, hero.account_id, hero.account_id, role, now, 900]);
            hall.database.owner.call("admission_grant", args).await.expect("admitted");
            assert_eq!(shown().await, [""; 0], "after");
        }
    });
}
