//! Accounts, sessions and refresh tokens: every reducer with every refusal.

use crate::support::snapshot::Story;
use crate::support::{PHC, on_database, sha256};
use serde_json::json;

#[test]
fn account_register_makes_an_account_with_a_session() {
    on_database(|database| async move {
        let mut story = Story::begin(&database).await;
        let owner = &database.owner;
        let email = "ann@example.org";
        let (digest, token) = (sha256(email), sha256("token"));
        for args in [
            json!(["Ann@Example.org", digest, PHC, token, 3600]),
            json!(["", digest, PHC, token, 3600]),
            json!([email, "abc", PHC, token, 3600]),
            json!([email, digest, PHC, token.to_uppercase(), 3600]),
            json!([email, digest, "hunter2", token, 3600]),
            json!([email, digest, PHC, token, 0]),
            json!([email, digest, PHC, token, u32::MAX]),
            json!([email, digest, PHC, token, 3600]),
            json!([email, digest, PHC, sha256("other"), 3600]),
            json!(["bob@example.org", sha256("bob"), PHC, token, 3600]),
        ] {
            story.call("owner", owner, "account_register", args).await;
        }
        insta::assert_snapshot!(story.end());
    });
}

#[test]
fn session_open_wants_the_current_password_and_an_active_account() {
    on_database(|database| async move {
        let account_id = database.register("ann@example.org").await;
        let owner = &database.owner;
        let mut story = Story::begin(&database).await;
        let token = sha256("second");
        for args in [
            json!([account_id, 1, "abc", 3600]),
            json!([u64::MAX, 1, token, 3600]),
            json!([account_id, 0, token, 3600]),
            json!([account_id, 1, token, 59]),
            json!([account_id, 1, token, 3600]),
            json!([account_id, 1, token, 3600]),
        ] {
            story.call("owner", owner, "session_open", args).await;
        }
        story.call("owner", owner, "account_login_refused", json!([account_id])).await;
        story.call("owner", owner, "account_login_refused", json!([0])).await;
        story.call("owner", owner, "account_status_set", json!([account_id, 2])).await;
        let args = json!([account_id, 1, sha256("third"), 3600]);
        story.call("owner", owner, "session_open", args).await;
        insta::assert_snapshot!(story.end());
    });
}

#[test]
fn an_account_keeps_its_newest_sixteen_sessions() {
    on_database(|database| async move {
        let account_id = database.register("ann@example.org").await;
        for number in 0..20 {
            let args = json!([account_id, 1, sha256(&format!("token {number}")), 3600]);
            database.owner.call("session_open", args).await.expect("opened");
        }
        let sessions = database.rows("account_session").await;
        let mut ids: Vec<_> = sessions.iter().map(|row| row["session_id"].as_u64()).collect();
        ids.sort_unstable();
        assert_eq!(ids.len(), 16);
        assert_eq!(ids[0], Some(6));
        assert_eq!(database.rows("refresh_token").await.len(), 16);
    });
}

#[test]
fn session_refresh_exchanges_a_token_once_and_ends_the_session_when_it_is_reused() {
    on_database(|database| async move {
        database.register("ann@example.org").await;
        let owner = &database.owner;
        let mut story = Story::begin(&database).await;
        let (first, second, third) =
            (sha256("token of ann@example.org"), sha256("second"), sha256("third"));
        for args in [
            json!(["abc", second, 3600]),
            json!([first, "abc", 3600]),
            json!([first, second, 1]),
            json!([sha256("unknown"), second, 3600]),
            json!([first, first, 3600]),
            json!([first, second, 3600]),
            json!([first, third, 3600]),
            json!([second, third, 3600]),
        ] {
            story.call("owner", owner, "session_refresh", args).await;
        }
        insta::assert_snapshot!(story.end());
    });
}

#[test]
fn a_banned_account_cannot_refresh() {
    on_database(|database| async move {
        let account_id = database.register("ann@example.org").await;
        let owner = &database.owner;
        owner.call("account_status_set", json!([account_id, 2])).await.expect("banned");
        let token = sha256("token of ann@example.org");
        let refused = owner.call("session_refresh", json!([token, sha256("next"), 3600])).await;
        assert_eq!(
            refused.expect_err("refused").split(':').next(),
            Some("session.unknown"),
            "a ban ends the sessions"
        );
    });
}

#[test]
fn a_session_keeps_a_bounded_number_of_spent_tokens() {
    on_database(|database| async move {
        database.register("ann@example.org").await;
        let mut spent = sha256("token of ann@example.org");
        for number in 0..40 {
            let next = sha256(&format!("token {number}"));
            let args = json!([spent, next, 3600]);
            database.owner.call("session_refresh", args).await.expect("refreshed");
            spent = next;
        }
        assert_eq!(database.rows("refresh_token").await.len(), 32);
    });
}

#[test]
fn session_close_ends_a_session_and_its_admission() {
    on_database(|database| async move {
        let (account_id, _, player) = database.enter("ann@example.org", "Ann").await;
        let session = database.rows("account_session").await[0]["session_id"].clone();
        assert_eq!(session, json!(account_id), "the helper admits through the first session");
        let owner = &database.owner;
        let mut story = Story::begin(&database).await;
        story.call("owner", owner, "session_close", json!([u64::MAX])).await;
        story.call("owner", owner, "session_close", json!([session])).await;
        story.call("owner", owner, "session_close", json!([session])).await;
        story.call("ann", &player, "course_set", json!([1, 0, false])).await;
        insta::assert_snapshot!(story.end());
    });
}

#[test]
fn account_password_set_ends_the_other_sessions() {
    on_database(|database| async move {
        let account_id = database.register("ann@example.org").await;
        let owner = &database.owner;
        let args = json!([account_id, 1, sha256("second"), 3600]);
        owner.call("session_open", args).await.expect("opened");
        let mut story = Story::begin(&database).await;
        for args in [
            json!([account_id, 1, "hunter2", 2]),
            json!([0, 1, PHC, 2]),
            json!([account_id, 7, PHC, 2]),
            json!([account_id, 1, PHC, 2]),
            json!([account_id, 1, PHC, 2]),
        ] {
            story.call("owner", owner, "account_password_set", args).await;
        }
        insta::assert_snapshot!(story.end());
    });
}

#[test]
fn staff_gives_and_takes_only_what_is_below_its_own_role() {
    on_database(|database| async move {
        let ann = database.register("ann@example.org").await;
        let bob = database.register("bob@example.org").await;
        let cid = database.register("cid@example.org").await;
        let owner = &database.owner;
        let mut story = Story::begin(&database).await;
        story.call("owner", owner, "account_role_set", json!([ann, 0])).await;
        story.call("owner", owner, "account_role_set", json!([u64::MAX, 1])).await;
        story.call("owner", owner, "account_role_set", json!([ann, 4])).await;
        story.call("owner", owner, "account_role_set", json!([cid, 5])).await;
        let ann_client = database.admit(ann, "administrator").await;
        let bob_client = database.admit(bob, "moderator").await;
        story.note("ann and bob connect").await;
        story.call("ann", &ann_client, "account_role_set", json!([bob, 3])).await;
        story.call("ann", &ann_client, "account_role_set", json!([bob, 4])).await;
        story.call("ann", &ann_client, "account_role_set", json!([cid, 1])).await;
        story.call("bob", &bob_client, "account_role_set", json!([bob, 4])).await;
        story.call("bob", &bob_client, "account_status_set", json!([ann, 2])).await;
        story.call("ann", &ann_client, "account_status_set", json!([bob, 3])).await;
        story.call("ann", &ann_client, "account_status_set", json!([u64::MAX, 2])).await;
        story.call("ann", &ann_client, "account_status_set", json!([cid, 2])).await;
        story.call("ann", &ann_client, "account_status_set", json!([bob, 2])).await;
        story.call("ann", &ann_client, "account_status_set", json!([bob, 1])).await;
        insta::assert_snapshot!(story.end());
    });
}

#[test]
fn service_reducers_refuse_players_and_administrators() {
    on_database(|database| async move {
        let ann = database.register("ann@example.org").await;
        let bob = database.register("bob@example.org").await;
        let player = database.admit(ann, "player").await;
        let administrator = database.admit(bob, "administrator").await;
        let digest = sha256("x");
        let identity = json!({ "__identity__": format!("0x{}", "00".repeat(32)) });
        for client in [&player, &administrator] {
            for (reducer, args) in [
                ("account_register", json!(["x@example.org", digest, PHC, digest, 3600])),
                ("session_open", json!([ann, 1, digest, 3600])),
                ("account_login_refused", json!([ann])),
                ("session_refresh", json!([digest, digest, 3600])),
                ("session_close", json!([1])),
                ("account_password_set", json!([ann, 1, PHC, 1])),
                ("realm_heartbeat", json!([1, 0])),
                ("admission_grant", json!([identity, ann, 1, 5, 0, 900])),
                ("admission_revoke", json!([1])),
                ("admission_revoke_account", json!([ann, 0])),
                ("character_create", json!([ann, "Zed", "human", "fighter"])),
                ("character_make", json!([ann, crate::characters::plan("Zed", &json!({}))])),
                ("character_delete", json!([ann, 1])),
                ("character_restore", json!([ann, 1])),
                ("realm_configure", json!([1, "Mine", true, 1])),
                ("realm_upgrade", json!([])),
                ("world_configure", json!([crate::support::world()])),
            ] {
                let refused = client.call(reducer, args).await.expect_err(reducer);
                assert!(refused.starts_with("account.permission_denied:"), "{reducer}: {refused}");
            }
        }
    });
}
