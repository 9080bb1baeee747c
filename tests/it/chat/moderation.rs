//! What staff does: mutes, shadows, limits, taking messages back.

use super::{REALM, SAY, TRADE, call, inbox, next, say, unlimited};
use crate::support::snapshot::Story;
use crate::support::{on_database, until};
use serde_json::json;

#[test]
fn staff_mutes_takes_back_and_turns_limits_and_each_is_audited() {
    on_database(|database| async move {
        unlimited(&database).await;
        let (_, _, ann) = database.enter("ann@example.org", "Ann").await;
        say(&ann, REALM, "rude").await.expect("said");
        let account_id = database.register("mod@example.org").await;
        let moderator = database.admit(account_id, "moderator").await;
        let mut story = Story::begin(&database).await;
        for (who, client, reducer, args) in [
            ("ann", &ann, "chat_mute", json!(["Ann", 60, false, "me"])),
            ("ann", &ann, "chat_unmute", json!(["Ann"])),
            ("ann", &ann, "chat_message_remove", json!([1, "me"])),
            ("ann", &ann, "chat_limit_set", json!([1, 1, 1])),
            ("moderator", &moderator, "chat_mute", json!(["Ann", 0, false, "rude"])),
            ("moderator", &moderator, "chat_mute", json!(["Ann", 31_536_001, false, "rude"])),
            ("moderator", &moderator, "chat_mute", json!(["Ann", 60, false, ""])),
            ("moderator", &moderator, "chat_mute", json!(["Nobodyhere", 60, false, "rude"])),
            ("moderator", &moderator, "chat_unmute", json!(["Ann"])),
            ("moderator", &moderator, "chat_mute", json!(["Ann", 3_600, false, "rude"])),
            ("ann", &ann, "chat_say", json!([SAY, 0, "hm", [], { "session": 9, "sequence": 1 }])),
            (
                "ann",
                &ann,
                "chat_whisper",
                json!(["Ann", "hm", [], { "session": 9, "sequence": 2 }]),
            ),
            ("ann", &ann, "chat_edit", json!([1, "hm", { "session": 9, "sequence": 3 }])),
            (
                "ann",
                &ann,
                "chat_channel_create",
                json!(["Hm hm", true, { "session": 9, "sequence": 4 }]),
            ),
            ("moderator", &moderator, "chat_mute", json!(["Ann", 3_600, true, "spam"])),
            ("moderator", &moderator, "chat_unmute", json!(["Ann"])),
            ("moderator", &moderator, "chat_message_remove", json!([1, ""])),
            ("moderator", &moderator, "chat_message_remove", json!([1, "rude"])),
            ("moderator", &moderator, "chat_message_remove", json!([1, "rude"])),
            ("moderator", &moderator, "chat_limit_set", json!([0, 1, 1])),
            ("moderator", &moderator, "chat_limit_set", json!([17, 1, 1])),
            ("moderator", &moderator, "chat_limit_set", json!([1, 0, 1])),
            ("moderator", &moderator, "chat_limit_set", json!([1, 1, 3_600_001])),
            ("moderator", &moderator, "chat_limit_set", json!([1, 1, 5_000])),
        ] {
            story.call(who, client, reducer, args).await;
        }
        insta::assert_snapshot!(story.end());
    });
}

#[test]
fn a_mute_ends_by_itself() {
    on_database(|database| async move {
        unlimited(&database).await;
        let (_, _, ann) = database.enter("ann@example.org", "Ann").await;
        let mute = json!(["Ann", 1, false, "a second"]);
        database.owner.call("chat_mute", mute).await.expect("muted");
        assert_eq!(say(&ann, REALM, "hm").await.expect_err("muted"), "chat.muted");
        until("the mute is over", || async {
            database.rows("chat_muted").await.is_empty().then_some(())
        })
        .await;
        say(&ann, REALM, "back").await.expect("said");
    });
}

#[test]
fn a_shadow_hears_itself_and_nobody_else_does() {
    on_database(|database| async move {
        unlimited(&database).await;
        let (ann_account, _, ann) = database.enter("ann@example.org", "Ann").await;
        let (bob_account, bob_id, bob) = database.enter("bob@example.org", "Bob").await;
        let mute = json!(["Ann", 3_600, true, "spam"]);
        database.owner.call("chat_mute", mute).await.expect("muted");
        for kind in [REALM, TRADE, SAY] {
            say(&ann, kind, "anybody?").await.expect("it sees no difference");
        }
        let args = json!(["Bob", "hello?", [], next()]);
        call(&ann, "chat_whisper", args).await.expect("nor here");
        let own = inbox(&database, ann_account).await;
        assert_eq!(own, ["anybody?", "anybody?", "anybody?", "hello?"]);
        assert!(inbox(&database, bob_account).await.is_empty());
        assert!(database.rows("chat_message").await.is_empty());
        // Nor is an invitation of its shown, by which a channel's name would be read.
        let args = json!(["Anybody There", false, next()]);
        call(&ann, "chat_channel_create", args).await.expect("made");
        call(&ann, "chat_channel_invite", json!([1, "Bob", next()])).await.expect("invited");
        assert!(crate::friends::shown(&database, "chat_member", bob_account).await.is_empty());
        assert_eq!(crate::friends::shown(&database, "chat_member", ann_account).await.len(), 1);
        // Nor do pages, counts and reports tell of it.
        bob.call("character_leave", json!([])).await.expect("left");
        bob.call("character_enter", json!([bob_id])).await.expect("entered");
        assert!(database.rows("chat_cursor").await.is_empty());
        bob.call("chat_history", json!([REALM, 0, 0, 50])).await.expect("read");
        ann.call("chat_history", json!([REALM, 0, 0, 50])).await.expect("read");
        let pages = database.rows("chat_page").await;
        let lengths: Vec<(u64, usize)> = pages
            .iter()
            .map(|row| {
                let lines = row["lines"].as_array().expect("lines").len();
                (row["account_id"].as_u64().expect("a number"), lines)
            })
            .collect();
        assert!(lengths.contains(&(ann_account, 1)), "{lengths:?}");
        assert!(lengths.contains(&(bob_account, 0)), "{lengths:?}");
        let refused = call(&bob, "chat_report", json!([1, "what?", next()])).await;
        assert_eq!(refused.expect_err("not seen"), "chat.message_unknown");
        let flags: Vec<_> =
            database.rows("chat_delivery").await.iter().map(|row| row["flags"].clone()).collect();
        assert!(flags.iter().all(|flags| *flags == 0), "it is not told: {flags:?}");
    });
}
