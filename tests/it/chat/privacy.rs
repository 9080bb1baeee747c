//! What a stranger's token sees of what is not its own: nothing.

use super::{CHANNEL, REALM, SAY, WHISPER, call, next, say, unlimited};
use crate::support::{on_database, until};
use serde_json::{Value, json};

const PERSONAL: [&str; 6] =
    ["chat_delivery", "chat_page", "chat_cursor", "chat_member", "chat_roster", "chat_muted"];
const PRIVATE: [&str; 9] = [
    "chat_log",
    "chat_head",
    "chat_swept",
    "chat_bucket",
    "chat_channel",
    "chat_ban",
    "chat_slow",
    "chat_revision",
    "chat_reported",
];

#[test]
fn a_stranger_sees_no_row_no_change_and_no_removal_of_others() {
    on_database(|database| async move {
        unlimited(&database).await;
        let (_, _, ann) = database.enter("ann@example.org", "Ann").await;
        let (_, bob_id, bob) = database.enter("bob@example.org", "Bob").await;
        let (_, cid_id, cid) = database.enter("cid@example.org", "Cid").await;
        // Far away, so that nothing that is said aloud is heard there.
        let away = json!([cid_id, 200_500, 200_500]);
        database.owner.call("character_teleport", away).await.expect("put");
        let own: Vec<String> =
            PERSONAL.iter().map(|table| format!("SELECT * FROM {table}")).collect();
        let own: Vec<&str> = own.iter().map(String::as_str).collect();
        cid.subscribe(&own).await;
        bob.subscribe(&own).await;

        say(&ann, SAY, "marzipan aloud").await.expect("said");
        let args = json!(["Bob", "marzipan softly", [], next()]);
        call(&ann, "chat_whisper", args).await.expect("whispered");
        let made = call(&ann, "chat_channel_create", json!(["Marzipan", false, next()])).await;
        made.expect("made");
        call(&ann, "chat_channel_invite", json!([1, "Bob", next()])).await.expect("invited");
        call(&bob, "chat_channel_join", json!(["Marzipan", next()])).await.expect("joined");
        let args = json!([CHANNEL, 1, "marzipan among us", [], next()]);
        call(&ann, "chat_say", args).await.expect("said");
        for (reducer, args) in [
            ("chat_history", json!([CHANNEL, 1, 0, 50])),
            ("chat_history", json!([WHISPER, 0, 0, 50])),
            ("chat_read", json!([WHISPER, 0, 2])),
            ("chat_channel_roster", json!([1])),
        ] {
            call(&bob, reducer, args).await.expect(reducer);
        }
        // Changes and removals.
        call(&ann, "chat_edit", json!([3, "marzipan again", next()])).await.expect("changed");
        call(&ann, "chat_remove", json!([4, next()])).await.expect("taken back");
        let mute = json!(["Bob", 3_600, false, "marzipan"]);
        database.owner.call("chat_mute", mute).await.expect("muted");
        database.owner.call("chat_unmute", json!(["Bob"])).await.expect("unmuted");
        call(&ann, "chat_channel_kick", json!([1, bob_id, next()])).await.expect("put out");
        bob.call("character_leave", json!([])).await.expect("left");
        // What everybody may read comes last: whoever has that has had all before it.
        cid.subscribe(&["SELECT * FROM chat_message WHERE channel_key = 5764607523034234880"])
            .await;
        say(&ann, REALM, "the end").await.expect("said");
        until("the last message came", || async {
            let messages = cid.messages();
            messages.iter().any(|message| message.to_string().contains("the end")).then_some(())
        })
        .await;
        let seen = Value::Array(cid.messages()).to_string().to_lowercase();
        assert!(!seen.contains("marzipan"), "{seen}");
        assert!(Value::Array(bob.messages()).to_string().contains("marzipan softly"), "he does");
    });
}

#[test]
fn private_tables_are_refused_whoever_asks() {
    on_database(|database| async move {
        let (_, _, ann) = database.enter("ann@example.org", "Ann").await;
        for (number, table) in PRIVATE.iter().enumerate() {
            let number = number + 900;
            ann.send(&json!({ "SubscribeMulti": {
                "query_strings": [format!("SELECT * FROM {table}")],
                "request_id": number, "query_id": { "id": number },
            }}));
        }
        until("each is refused", || async {
            let messages = ann.messages();
            let applied = |message: &Value| message.get("SubscribeMultiApplied").is_some();
            assert!(!messages.iter().any(applied), "{messages:?}");
            let refused = |message: &&Value| message.get("SubscriptionError").is_some();
            (messages.iter().filter(refused).count() == PRIVATE.len()).then_some(())
        })
        .await;
    });
}

#[test]
fn whoever_is_not_in_a_channel_does_not_learn_that_it_is_there() {
    on_database(|database| async move {
        unlimited(&database).await;
        let (_, ann_id, ann) = database.enter("ann@example.org", "Ann").await;
        let (_, _, bob) = database.enter("bob@example.org", "Bob").await;
        let made = call(&ann, "chat_channel_create", json!(["Hidden", false, next()])).await;
        made.expect("made");
        let args = json!([CHANNEL, 1, "quietly", [], next()]);
        call(&ann, "chat_say", args).await.expect("said");
        for channel in [1, 2, u64::MAX] {
            for (reducer, args) in [
                ("chat_say", json!([CHANNEL, channel, "x", [], next()])),
                ("chat_history", json!([CHANNEL, channel, 0, 1])),
                ("chat_read", json!([CHANNEL, channel, 1])),
                ("chat_channel_roster", json!([channel])),
                ("chat_channel_leave", json!([channel, next()])),
                ("chat_channel_invite", json!([channel, "Bob", next()])),
                ("chat_channel_kick", json!([channel, ann_id, next()])),
                ("chat_channel_ban", json!([channel, ann_id, next()])),
                ("chat_channel_unban", json!([channel, ann_id, next()])),
                ("chat_channel_role_set", json!([channel, ann_id, 2, next()])),
                ("chat_channel_slow_set", json!([channel, 1, next()])),
                ("chat_channel_delete", json!([channel, next()])),
            ] {
                let refused = call(&bob, reducer, args).await.expect_err(reducer);
                assert_eq!(refused, "chat.channel_unknown", "{reducer} {channel}");
            }
        }
        for name in ["Hidden", "Nothing"] {
            let refused = call(&bob, "chat_channel_join", json!([name, next()])).await;
            assert_eq!(refused.expect_err("closed"), "chat.channel_unknown");
        }
        for message in [1, 2] {
            for (reducer, args) in [
                ("chat_edit", json!([message, "x", next()])),
                ("chat_remove", json!([message, next()])),
                ("chat_report", json!([message, "x", next()])),
            ] {
                let refused = call(&bob, reducer, args).await.expect_err(reducer);
                assert_eq!(refused, "chat.message_unknown", "{reducer} {message}");
            }
        }
    });
}
