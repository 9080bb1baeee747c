//! Realms: the list, admissions, connections; every reducer with every refusal.

use crate::support::client::Client;
use crate::support::snapshot::Story;
use crate::support::{Database, ISSUER, PHC, now_micros, on_database, on_stage, sha256, until};
use haven_gateway::tokens;
use serde_json::{Value, json};

#[test]
fn the_realm_list_takes_only_what_clients_can_use() {
    on_database(|database| async move {
        let owner = &database.owner;
        let mut story = Story::begin(&database).await;
        let uri = "http://127.0.0.1:3000";
        for (reducer, args) in [
            ("realm_configure", json!([0, "Haven", true, 100])),
            ("realm_configure", json!([1, "", true, 100])),
            ("realm_configure", json!([1, "Haven", true, 0])),
            ("realm_configure", json!([2, "Second", false, 7])),
            ("realm_upsert", json!([0, "Haven", uri, "haven", 10])),
            ("realm_upsert", json!([1, " Haven", uri, "haven", 10])),
            ("realm_upsert", json!([1, "Haven", "file:///etc", "haven", 10])),
            ("realm_upsert", json!([1, "Haven", uri, "haven'; DROP", 10])),
            ("realm_upsert", json!([1, "Haven", uri, "haven", u32::MAX])),
            ("realm_upsert", json!([1, "Haven", uri, "haven", 10])),
            ("realm_upsert", json!([2, "Haven", uri, "haven2", 10])),
            ("realm_upsert", json!([1, "Haven", uri, "haven", 20])),
            ("realm_close", json!([9])),
            ("realm_open", json!([9])),
            ("realm_heartbeat", json!([9, 3])),
            ("realm_close", json!([1])),
            ("realm_open", json!([1])),
            ("realm_heartbeat", json!([1, 3])),
            ("realm_upgrade", json!([])),
        ] {
            story.call("owner", owner, reducer, args).await;
        }
        insta::assert_snapshot!(story.end());
    });
}

#[test]
fn an_administrator_manages_realms_and_a_moderator_does_not() {
    on_database(|database| async move {
        let ann = database.register("ann@example.org").await;
        let bob = database.register("bob@example.org").await;
        let administrator = database.admit(ann, "administrator").await;
        let moderator = database.admit(bob, "moderator").await;
        let upsert = json!([1, "Haven", "http://127.0.0.1:3000", "haven", 10]);
        for (reducer, args) in
            [("realm_upsert", upsert), ("realm_close", json!([1])), ("realm_open", json!([1]))]
        {
            let refused = moderator.call(reducer, args.clone()).await.expect_err(reducer);
            assert!(refused.starts_with("account.permission_denied:"), "{reducer}: {refused}");
            administrator.call(reducer, args).await.expect(reducer);
        }
    });
}

fn grant(identity: &str, role: u8, issued_at_micros: i64, seconds: u32) -> Value {
    json!([{ "__identity__": format!("0x{identity}") }, 1, 1, role, issued_at_micros, seconds])
}

#[test]
fn admission_grant_wants_a_fresh_short_and_new_admission() {
    on_database(|database| async move {
        let identity = tokens::account_identity(ISSUER, 1).to_hex().to_string();
        let owner = &database.owner;
        let mut story = Story::begin(&database).await;
        let now = now_micros();
        for args in [
            grant(&identity, 0, now, 900),
            grant(&identity, 1, now - 61_000_000, 900),
            grant(&identity, 1, now + 90_000_000, 900),
            grant(&identity, 1, i64::MIN, 900),
            grant(&identity, 1, i64::MAX, 900),
            grant(&identity, 1, now, 0),
            grant(&identity, 1, now, u32::MAX),
            grant(&identity, 1, now, 900),
            grant(&identity, 1, now, 900),
            grant(&identity, 1, now - 1, 900),
            grant(&identity, 1, now + 1, 900),
        ] {
            story.call("owner", owner, "admission_grant", args).await;
        }
        story.call("owner", owner, "admission_revoke", json!([1])).await;
        story.call("owner", owner, "admission_grant", grant(&identity, 1, now + 1, 900)).await;
        insta::assert_snapshot!(story.end());
    });
}

async fn refused(database: &Database, account_id: u64) {
    let error = database.connect(account_id, "player").await.err();
    assert_eq!(error.as_deref(), Some("closed"), "the database refuses the connection");
}

#[test]
fn nobody_connects_without_an_admission_that_holds() {
    on_database(|database| async move {
        refused(&database, 1).await;
        database.grant(1, "player", 1).await.expect("admitted for a second");
        until("the admission has expired", || async {
            let row = database.rows("admission").await;
            let over = row.first().is_none_or(|row| {
                row["expires_at_micros"].as_i64().is_some_and(|at| at < now_micros())
            });
            over.then_some(())
        })
        .await;
        refused(&database, 1).await;
        database.grant(1, "player", 900).await.expect("admitted again");
        database.owner.call("admission_revoke", json!([1])).await.expect("revoked");
        refused(&database, 1).await;
    });
}

async fn code_of_a_step(client: &Client) -> String {
    let outcome = client.call("course_set", json!([1, 0, false])).await;
    let message = outcome.expect_err("refused");
    message.split(':').next().unwrap_or_default().to_owned()
}

#[test]
fn an_admission_that_ends_takes_the_character_out() {
    on_database(|database| async move {
        let (account_id, character_id, player) = database.enter("ann@example.org", "Ann").await;
        let revoke = json!([account_id, account_id]);
        database.owner.call("admission_revoke_account", revoke).await.expect("kept");
        player.call("course_set", json!([1, 0, false])).await.expect("the session is kept");
        let revoke = json!([account_id, 0]);
        database.owner.call("admission_revoke_account", revoke).await.expect("revoked");
        assert_eq!(code_of_a_step(&player).await, "realm.admission_revoked");
        assert!(database.rows("entity").await.is_empty());

        database.grant(account_id, "player", 2).await.expect("admitted for two seconds");
        let player = database.connect(account_id, "player").await.expect("connected");
        player.call("character_enter", json!([character_id])).await.expect("entered");
        until("the admission has expired", || async {
            let outcome = player.call("course_set", json!([1, 0, false])).await;
            outcome.is_err().then_some(())
        })
        .await;
        let code = code_of_a_step(&player).await;
        let ended = ["realm.admission_expired", "realm.not_admitted"];
        assert!(ended.contains(&code.as_str()), "{code}");
        until("the sweep has taken the character out", || async {
            database.rows("entity").await.is_empty().then_some(())
        })
        .await;
        assert_eq!(code_of_a_step(&player).await, "realm.not_admitted");
    });
}

#[test]
fn a_read_only_realm_shows_everything_and_changes_nothing() {
    on_database(|database| async move {
        let (account_id, _, player) = database.enter("ann@example.org", "Aldric").await;
        player.subscribe(&["SELECT * FROM realm_notice"]).await;
        let set = async |read_only: bool| {
            let set = database.owner.call("realm_read_only_set", json!([read_only])).await;
            set.expect("the owner may");
        };
        let refused = player.call("realm_read_only_set", json!([true])).await;
        let refused = refused.expect_err("the owner's alone");
        assert!(refused.starts_with("account.permission_denied:"), "{refused}");
        player.call("course_set", json!([1, 0, false])).await.expect("going");
        set(true).await;
        set(true).await;
        let notice = &database.rows("realm_notice").await[0];
        assert_eq!(notice["is_read_only"], true);
        for (reducer, args) in [
            ("course_set", json!([-1, 0, false])),
            ("course_to", json!([1_000, 1_000])),
            ("character_leave", json!([])),
        ] {
            let refused = player.call(reducer, args).await.expect_err(reducer);
            assert!(refused.starts_with("realm.read_only:"), "{reducer}: {refused}");
        }
        let digest = sha256("bob@example.org");
        let args = json!(["bob@example.org", digest, PHC, sha256("token"), 3600]);
        let refused = database.owner.call("account_register", args).await.expect_err("no room");
        assert!(refused.starts_with("realm.read_only:"), "{refused}");
        let args = json!([account_id, 1, sha256("another token"), 3600]);
        let refused = database.owner.call("session_open", args).await.expect_err("no room");
        assert!(refused.starts_with("realm.read_only:"), "{refused}");
        until("players are told why", || async {
            let told = |message: &Value| message.to_string().contains("nearly full");
            player.messages().iter().any(told).then_some(())
        })
        .await;
        set(false).await;
        assert!(database.rows("realm_notice").await.is_empty());
        player.call("course_set", json!([-1, 0, false])).await.expect("going");
    });
}

#[test]
fn an_admission_that_has_just_expired_is_called_so() {
    on_database(|database| async move {
        let (account_id, _, player) = database.enter("ann@example.org", "Ann").await;
        database.grant(account_id, "player", 1).await.expect("shortened to a second");
        let message = until("a step is refused", || async {
            player.call("course_set", json!([1, 0, false])).await.err()
        })
        .await;
        let code = message.split(':').next().unwrap_or_default();
        assert!(["realm.admission_expired", "realm.not_admitted"].contains(&code), "{message}");
    });
}

#[test]
fn a_connection_plays_on_only_while_its_own_session_is_admitted() {
    on_database(|database| async move {
        let (account_id, character_id, first) = database.enter("ann@example.org", "Ann").await;
        let identity = tokens::account_identity(ISSUER, account_id).to_hex().to_string();
        let admit = |session_id: u64| {
            json!([{ "__identity__": format!("0x{identity}") }, account_id, session_id, 1,
                now_micros(), 900])
        };
        let owner = &database.owner;
        owner.call("admission_grant", admit(77)).await.expect("admitted through another session");
        assert_eq!(code_of_a_step(&first).await, "realm.taken_over");

        let second = database.connect(account_id, "player").await.expect("connected");
        second.call("character_enter", json!([character_id])).await.expect("entered");
        owner.call("admission_grant", admit(78)).await.expect("admitted through a third session");
        owner.call("admission_revoke_account", json!([account_id, 78])).await.expect("kept");
        assert_eq!(code_of_a_step(&second).await, "realm.not_admitted");
        assert!(database.rows("entity").await.is_empty(), "a connection of another session left");

        let third = database.connect(account_id, "player").await.expect("connected");
        third.call("character_enter", json!([character_id])).await.expect("entered");
        owner.call("admission_grant", admit(79)).await.expect("admitted through a fourth session");
        owner.call("admission_revoke", json!([78])).await.expect("the third session ended");
        assert_eq!(code_of_a_step(&third).await, "realm.not_admitted");
        assert!(database.rows("entity").await.is_empty(), "its connection left with it");
    });
}

#[test]
fn an_identity_that_becomes_another_accounts_leaves_nobody_behind() {
    on_database(|database| async move {
        let (ann, ann_id, player) = database.enter("ann@example.org", "Ann").await;
        let bob = database.register("bob@example.org").await;
        let identity = tokens::account_identity(ISSUER, ann).to_hex().to_string();
        let identity = json!({ "__identity__": format!("0x{identity}") });
        let args = json!([identity, bob, ann, 1, now_micros(), 900]);
        database.owner.call("admission_grant", args).await.expect("granted");
        assert_eq!(database.rows("character_presence").await, Vec::<Value>::new());
        let refused = player.call("character_enter", json!([ann_id])).await.expect_err("out");
        assert!(refused.starts_with("realm.not_admitted:"), "{refused}");

        let _again = database.connect(ann, "player").await.expect("connected");
        let rows = database.rows("realm_connection").await;
        assert_eq!((rows.len(), &rows[0]["account_id"]), (1, &json!(bob)));
    });
}

#[test]
fn scheduled_reducers_refuse_every_client() {
    on_database(|database| async move {
        let ann = database.register("ann@example.org").await;
        let player = database.admit(ann, "service").await;
        let timer = json!([{ "scheduled_id": 1, "scheduled_at": { "Interval": {
            "__time_duration_micros__": 1
        }}}]);
        for reducer in [
            "motion_tick",
            "session_sweep",
            "admission_sweep",
            "character_purge",
            "command_sweep",
            "audit_sweep",
        ] {
            for client in [&player, &database.owner] {
                let refused = client.call(reducer, timer.clone()).await.expect_err(reducer);
                assert!(refused.starts_with("realm.database_only:"), "{reducer}: {refused}");
            }
        }
    });
}

#[test]
fn lifecycle_reducers_cannot_be_called() {
    on_database(|database| async move {
        let before = database.rows("realm_connection").await;
        for reducer in ["init", "client_connected", "client_disconnected"] {
            database.owner.call(reducer, json!([])).await.expect_err(reducer);
        }
        assert_eq!(database.rows("realm_connection").await, before);
    });
}

#[test]
fn a_realm_that_was_not_configured_admits_nobody_into_its_world() {
    on_stage(|stage| async move {
        let database = Database::publish(stage).await;
        let ann = database.register("ann@example.org").await;
        let player = database.admit(ann, "player").await;
        let refused = player.call("character_enter", json!([1])).await.expect_err("nothing there");
        assert!(refused.starts_with("character.unknown:"), "{refused}");
    });
}
