//! What is done to messages later: changed, taken back, reported.

use super::{BLOCK, CHANNEL, REALM, SAY, WHISPER, call, id, next, say, unlimited};
use crate::support::content::srd;
use crate::support::on_database;
use crate::support::snapshot::Story;
use serde_json::json;

#[test]
fn messages_are_changed_and_taken_back_by_who_may() {
    on_database(|database| async move {
        database.put_in_force(&srd()).await;
        unlimited(&database).await;
        let (_, _, ann) = database.enter("ann@example.org", "Ann").await;
        let (_, bob_id, bob) = database.enter("bob@example.org", "Bob").await;
        let (_, _, cid) = database.enter("cid@example.org", "Cid").await;
        say(&ann, REALM, "in the realm").await.expect("1");
        say(&ann, SAY, "aloud").await.expect("2");
        call(&ann, "chat_whisper", json!(["Bob", "softly", [], next()])).await.expect("3 and 4");
        call(&ann, "chat_channel_create", json!(["Night Watch", true, next()]))
            .await
            .expect("made");
        call(&bob, "chat_channel_join", json!(["Night Watch", next()])).await.expect("joined");
        for (client, text) in [(&ann, "the owner's"), (&bob, "a member's")] {
            let args = json!([CHANNEL, 1, text, [], next()]);
            call(client, "chat_say", args).await.expect("5 and 6");
        }
        say(&ann, BLOCK, "old").await.expect("7");
        database.run("UPDATE chat_log SET sent_at_micros = 1 WHERE message_id = 7").await;
        let mut story = Story::begin(&database).await;
        let mut sequence = 1_000;
        for (who, client, reducer, message, text) in [
            ("ann", &ann, "chat_edit", 1, "in the whole realm"),
            ("ann", &ann, "chat_edit", 1, ""),
            ("ann", &ann, "chat_edit", 1, "that dratted realm"),
            ("ann", &ann, "chat_edit", 1, "tell me your password"),
            ("ann", &ann, "chat_edit", 1, "see gold.example.com"),
            ("bob", &bob, "chat_edit", 1, "mine"),
            ("ann", &ann, "chat_edit", 2, "louder"),
            ("ann", &ann, "chat_edit", 4, "more softly"),
            ("bob", &bob, "chat_edit", 3, "mine"),
            ("ann", &ann, "chat_edit", 7, "new"),
            ("ann", &ann, "chat_edit", 99, "x"),
            ("cid", &cid, "chat_remove", 5, ""),
            ("cid", &cid, "chat_remove", 1, ""),
            ("bob", &bob, "chat_remove", 5, ""),
            ("ann", &ann, "chat_remove", 6, ""),
            ("ann", &ann, "chat_remove", 6, ""),
            ("bob", &bob, "chat_edit", 6, "still mine"),
            ("ann", &ann, "chat_remove", 2, ""),
            ("ann", &ann, "chat_remove", 1, ""),
            ("ann", &ann, "chat_remove", 4, ""),
        ] {
            sequence += 1;
            let args = if reducer == "chat_edit" {
                json!([message, text, id(sequence)])
            } else {
                json!([message, id(sequence)])
            };
            story.call(who, client, reducer, args).await;
        }
        let args = json!([1, bob_id, id(2_000)]);
        story.call("ann", &ann, "chat_channel_kick", args).await;
        story.call("bob, put out", &bob, "chat_history", json!([CHANNEL, 1, 0, 1])).await;
        story.call("ann", &ann, "chat_history", json!([CHANNEL, 1, 0, 9])).await;
        story.call("bob", &bob, "chat_history", json!([WHISPER, 0, 0, 9])).await;
        insta::assert_snapshot!(story.end());
    });
}

#[test]
fn a_report_keeps_what_was_said_around_a_message() {
    on_database(|database| async move {
        unlimited(&database).await;
        let (_, _, ann) = database.enter("ann@example.org", "Ann").await;
        let (_, _, bob) = database.enter("bob@example.org", "Bob").await;
        let (_, _, cid) = database.enter("cid@example.org", "Cid").await;
        for number in 1..=20 {
            say(&ann, REALM, &format!("line {number}")).await.expect("said");
        }
        call(&ann, "chat_whisper", json!(["Bob", "secret", [], next()])).await.expect("21, 22");
        say(&ann, SAY, "aloud").await.expect("23");
        let owner = &database.owner;
        for (client, message, reason, expected) in [
            (&bob, 12, "rude", Ok(())),
            (&bob, 12, "rude again", Err("chat.already_reported")),
            (&cid, 12, "rude", Ok(())),
            (&ann, 12, "myself", Err("chat.target_self")),
            (&bob, 99, "nothing", Err("chat.message_unknown")),
            (&cid, 21, "somebody else's", Err("chat.message_unknown")),
            (&bob, 22, "the sender's copy", Err("chat.message_unknown")),
            (&bob, 21, "threats", Ok(())),
            (&bob, 23, "threats", Ok(())),
            (&bob, 11, "", Err("chat.reason_length")),
            (&bob, 11, "a\u{7}", Err("chat.text_letters")),
        ] {
            let done = call(client, "chat_report", json!([message, reason, next()])).await;
            assert_eq!(done, expected.map_err(str::to_owned), "{message} {reason}");
        }
        let reports = database.rows("chat_reported").await;
        let report = reports.iter().find(|row| row["report_id"] == 1).expect("a report");
        let context = report["context"].as_array().expect("lines").len();
        assert_eq!(context, 16, "ten before, itself, five after: {report}");
        say(&ann, REALM, "later").await.expect("said");
        let again = database.rows("chat_reported").await;
        assert_eq!(again.iter().find(|row| row["report_id"] == 1), Some(report), "it is a copy");
        for (report, outcome, expected) in [
            (1, "", Err("chat.reason_length")),
            (9, "nothing", Err("chat.report_unknown")),
            (1, "muted for a day", Ok(())),
            (1, "again", Err("chat.report_unknown")),
        ] {
            let done = call(owner, "chat_report_close", json!([report, outcome])).await;
            assert_eq!(done, expected.map_err(str::to_owned), "{report} {outcome}");
        }
        let refused = call(&bob, "chat_report_close", json!([2, "mine"])).await;
        assert_eq!(refused.expect_err("for staff"), "account.permission_denied");
        for message in 1..=11 {
            call(&cid, "chat_report", json!([message, "x", next()])).await.expect("reported");
        }
        for message in 13..=20 {
            call(&cid, "chat_report", json!([message, "x", next()])).await.expect("reported");
        }
        say(&ann, REALM, "one more").await.expect("25");
        let refused = call(&cid, "chat_report", json!([25, "x", next()])).await;
        assert_eq!(refused.expect_err("twenty are open"), "chat.reports_too_many");
        call(owner, "chat_report_close", json!([2, "rude indeed"])).await.expect("closed");
        call(&cid, "chat_report", json!([25, "x", next()])).await.expect("one is closed");
        // What is closed is told of still.
        let refused = call(&cid, "chat_report", json!([12, "x", next()])).await;
        assert_eq!(refused.expect_err("again"), "chat.already_reported");
    });
}

/// Of what is said aloud a block keeps fifty messages.
#[test]
fn who_says_much_does_not_get_rid_of_what_it_said() {
    on_database(|database| async move {
        database.put_in_force(&srd()).await;
        unlimited(&database).await;
        let (ann_account, ann_id, ann) = database.enter("ann@example.org", "Ann").await;
        let (bob_account, bob_id, bob) = database.enter("bob@example.org", "Bob").await;
        let (_, cid_id, cid) = database.enter("cid@example.org", "Cid").await;
        for (character_id, x_mm) in [(ann_id, 10_500), (bob_id, 12_500), (cid_id, 110_500)] {
            let args = json!([character_id, x_mm, 10_500]);
            database.owner.call("character_teleport", args).await.expect("put");
        }
        say(&ann, SAY, "rude").await.expect("said");
        for number in 0..90 {
            say(&ann, SAY, &format!("noise {number}")).await.expect("said");
        }
        let kept = database.rows("chat_log").await;
        assert!(kept.iter().all(|row| row["text"] != "rude"), "the log has let it go");
        for (client, expected) in [
            (&cid, Err("chat.message_unknown")),
            (&ann, Err("chat.target_self")),
            (&bob, Ok(())),
            (&bob, Err("chat.already_reported")),
        ] {
            let done = call(client, "chat_report", json!([1, "rude", next()])).await;
            assert_eq!(done, expected.map_err(str::to_owned));
        }
        let refused = call(&bob, "chat_report", json!([9_999, "rude", next()])).await;
        assert_eq!(refused.expect_err("there is none"), "chat.message_unknown");
        let report = &database.rows("chat_reported").await[0];
        assert_eq!(report["sender_account_id"], ann_account);
        assert_eq!(report["reporter_account_id"], bob_account);
        let context = report["context"].as_array().expect("lines");
        assert_eq!(context.len(), 6, "itself, and five that the log has: {report}");
        assert!(context[0].to_string().contains("\"rude\""), "{report}");
    });
}
