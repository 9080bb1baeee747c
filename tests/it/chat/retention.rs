//! What is kept has an end.

use super::{BLOCK, REALM, WHISPER, call, next, say, unlimited};
use crate::support::{on_database, until};
use serde_json::json;

/// Messages of a block that are kept (`rules::chat::ChatKind::retention`).
const BLOCK_ROWS_MAX: usize = 50;
/// They go so many at a time.
const TRIM_ROWS: usize = haven_rules::chat::TRIM_ROWS as usize;

#[test]
fn a_channel_keeps_its_newest_messages_in_their_order() {
    on_database(|database| async move {
        unlimited(&database).await;
        let (_, _, ann) = database.enter("ann@example.org", "Ann").await;
        for number in 0..BLOCK_ROWS_MAX + TRIM_ROWS + 7 {
            say(&ann, BLOCK, &number.to_string()).await.expect("said");
        }
        for table in ["chat_log", "chat_message"] {
            let mut rows: Vec<(u64, String)> = database
                .rows(table)
                .await
                .iter()
                .map(|row| {
                    let id = row["message_id"].as_u64().expect("a number");
                    (id, row["text"].as_str().expect("a text").to_owned())
                })
                .collect();
            rows.sort();
            let texts: Vec<String> = rows.into_iter().map(|(_, text)| text).collect();
            let expected: Vec<String> = (TRIM_ROWS..BLOCK_ROWS_MAX + TRIM_ROWS + 7)
                .map(|number| number.to_string())
                .collect();
            assert_eq!(texts, expected, "{table}");
        }
        let head = &database.rows("chat_head").await[0];
        assert_eq!(head["held"], BLOCK_ROWS_MAX + 7);
    });
}

#[test]
fn what_is_too_old_is_swept_everywhere() {
    on_database(|database| async move {
        unlimited(&database).await;
        let (_, _, ann) = database.enter("ann@example.org", "Ann").await;
        let (_, _, bob) = database.enter("bob@example.org", "Bob").await;
        say(&ann, REALM, "old").await.expect("said");
        say(&ann, REALM, "young").await.expect("said");
        call(&ann, "chat_whisper", json!(["Bob", "old too", [], next()])).await.expect("whispered");
        call(&ann, "chat_edit", json!([2, "younger", next()])).await.expect("changed");
        call(&bob, "chat_report", json!([2, "x", next()])).await.expect("reported");
        // The last two messages stay in inboxes: they may be under way still.
        for text in ["younger still", "youngest"] {
            say(&ann, REALM, text).await.expect("said");
        }
        for statement in [
            // An instant of 1970 above the message's number.
            "UPDATE chat_log SET expiry_key = 18446744073709551617 WHERE message_id = 1",
            "UPDATE chat_delivery SET sent_at_micros = 1",
            "UPDATE chat_revision SET revision_key = 18446744073709551618",
            "UPDATE chat_reported SET reported_at_micros = 1",
        ] {
            database.run(statement).await;
        }
        for (table, left) in [
            ("chat_log", 5),
            ("chat_message", 3),
            ("chat_delivery", 0),
            ("chat_revision", 0),
            ("chat_reported", 0),
        ] {
            until(&format!("{table} is swept"), || async {
                (database.rows(table).await.len() == left).then_some(())
            })
            .await;
        }
        until("nothing that is full again is kept", || async {
            database.rows("chat_bucket").await.is_empty().then_some(())
        })
        .await;
        call(&bob, "chat_history", json!([WHISPER, 0, 0, 9])).await.expect("the log has it still");
        let page = &database.rows("chat_page").await[0];
        assert_eq!(page["lines"].as_array().expect("lines").len(), 1);
    });
}
