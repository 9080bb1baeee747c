//! How sessions go on and end: refresh, logout, a changed password, and what that closes.

use super::{Front, PASSWORD, Session, assert_done, on_front};
use crate::support::Database;
use crate::support::client::Client;
use crate::support::forge::claims_of;
use crate::support::http::assert_problem;
use serde_json::{Value, json};

/// Enters a realm and connects to it.
async fn socket(front: &Front, session: &Session, realm_id: u16) -> (Client, Value) {
    let path = format!("/v1/realms/{realm_id}/enter");
    let entry = front.order(&path, &session.access).await;
    assert_eq!(entry.status, 200, "{}", entry.text);
    (open(&entry.json).await.expect("the token opens the realm"), entry.json)
}

async fn open(entry: &Value) -> Result<Client, String> {
    let text = |name: &str| entry[name].as_str().expect("text");
    Client::connect(text("uri"), text("database"), text("token")).await
}

/// Adds realm 2, in a database of its own.
async fn second_realm(front: &Front) -> Database {
    let second = Database::publish(front.database.stage.clone()).await;
    second.configure().await;
    let configure = json!([2, "Second", false, 100]);
    second.owner.call("realm_configure", configure).await.expect("configured");
    let listed = json!([2, "Second", second.stage.uri, second.name, 100]);
    front.owner("realm_upsert", listed).await;
    front.realm_with_status(2, "open").await;
    second
}

/// A step of a player who is admitted but not in the world: `None` when only that is in the way.
async fn refusal(client: &Client) -> Option<String> {
    let outcome = client.call("course_set", json!([1, 0, false])).await;
    let message = outcome.expect_err("not in the world");
    let code = message.split(':').next().unwrap_or_default().to_owned();
    (code != "motion.not_in_world").then_some(code)
}

/// A session that was there is over: its tokens, and its sockets.
async fn assert_over(front: &Front, session: &Session, case: &str) {
    let answer = front.get("/v1/characters", Some(&session.access)).await;
    assert_problem(&answer, 401, "session.ended", case);
    let answer = front.refresh(&session.refresh).await;
    assert_problem(&answer, 401, "session.unknown", case);
    let answer = front.order("/v1/realms/1/enter", &session.access).await;
    assert_problem(&answer, 401, "session.ended", case);
    let answer = front.order("/v1/auth/logout", &session.access).await;
    assert_problem(&answer, 401, "session.ended", case);
}

#[test]
fn refresh_answers_200_with_the_next_tokens_of_the_same_session() {
    on_front(async |front| {
        let first = front.register("ann@example.org").await;
        let mut newest = first.clone();
        for _ in 0..3 {
            let next = Session::read(&front.refresh(&newest.refresh).await, 200);
            assert_eq!(next.account_id, first.account_id);
            assert_ne!(next.refresh, newest.refresh);
            assert_eq!(claims_of(&next.access)["sid"], claims_of(&first.access)["sid"]);
            assert_eq!(front.get("/v1/characters", Some(&next.access)).await.status, 200);
            newest = next;
        }
        assert_eq!(front.database.rows("account_session").await.len(), 1);
    });
}

#[test]
fn refresh_refuses_what_was_never_given() {
    on_front(async |front| {
        let session = front.register("ann@example.org").await;
        for token in ["", "x", &session.access, &"A".repeat(43)] {
            let answer = front.refresh(token).await;
            assert_problem(&answer, 401, "session.unknown", token);
        }
        let answer = front.refresh(&"x".repeat(513)).await;
        assert_problem(&answer, 400, "request.invalid", "too long to be looked at");
        Session::read(&front.refresh(&session.refresh).await, 200);
    });
}

#[test]
fn a_reused_refresh_token_ends_the_session_and_no_other() {
    on_front(async |front| {
        let first = front.register("ann@example.org").await;
        let other = front.login("ann@example.org").await;
        let second = Session::read(&front.refresh(&first.refresh).await, 200);
        let third = Session::read(&front.refresh(&second.refresh).await, 200);
        let reused = front.refresh(&first.refresh).await;
        assert_problem(&reused, 401, "session.refresh_reused", "the oldest one");
        for session in [&first, &second, &third] {
            assert_over(front, session, "the whole family").await;
        }
        assert_eq!(front.get("/v1/characters", Some(&other.access)).await.status, 200);
        Session::read(&front.refresh(&other.refresh).await, 200);
    });
}

#[test]
fn one_refresh_token_used_twice_at_once_is_not_two_sessions() {
    on_front(async |front| {
        let session = front.register("ann@example.org").await;
        let both = futures::join!(front.refresh(&session.refresh), front.refresh(&session.refresh));
        let answers = [both.0, both.1];
        let good: Vec<_> = answers.iter().filter(|answer| answer.status == 200).collect();
        assert!(good.len() <= 1, "{answers:?}");
        for answer in answers.iter().filter(|answer| answer.status != 200) {
            assert!(["session.refresh_reused", "session.unknown"].contains(&answer.code()));
        }
        assert!(front.database.rows("account_session").await.is_empty(), "the session is over");
    });
}

#[test]
fn a_reused_refresh_token_takes_the_thief_out_of_the_home_realm() {
    on_front(async |front| {
        let first = front.register("ann@example.org").await;
        let second = Session::read(&front.refresh(&first.refresh).await, 200);
        let (client, _) = socket(front, &second, 1).await;
        assert_eq!(refusal(&client).await, None);
        let reused = front.refresh(&first.refresh).await;
        assert_problem(&reused, 401, "session.refresh_reused", "reused");
        assert_eq!(refusal(&client).await.as_deref(), Some("realm.admission_revoked"));
    });
}

#[test]
fn a_reused_refresh_token_takes_the_thief_out_of_every_realm() {
    on_front(async |front| {
        let second_realm = second_realm(front).await;
        let first = front.register("ann@example.org").await;
        let second = Session::read(&front.refresh(&first.refresh).await, 200);
        let (client, entry) = socket(front, &second, 2).await;
        assert_eq!(entry["database"], second_realm.name.as_str());
        assert_eq!(refusal(&client).await, None);
        let reused = front.refresh(&first.refresh).await;
        assert_problem(&reused, 401, "session.refresh_reused", "reused");
        assert_eq!(refusal(&client).await.as_deref(), Some("realm.admission_revoked"));
    });
}

#[test]
fn logout_answers_204_and_ends_the_session_in_every_realm() {
    on_front(async |front| {
        let _second_realm = second_realm(front).await;
        let session = front.register("ann@example.org").await;
        let other = front.login("ann@example.org").await;
        let bystander = front.register("bob@example.org").await;
        let (bystanders, _) = socket(front, &bystander, 1).await;
        let (here, entry) = socket(front, &session, 1).await;
        let (there, _) = socket(front, &session, 2).await;
        for client in [&here, &there, &bystanders] {
            assert_eq!(refusal(client).await, None);
        }
        assert_done(&front.order("/v1/auth/logout", &session.access).await);
        assert_over(front, &session, "after logout").await;
        for client in [&here, &there] {
            assert_eq!(refusal(client).await.as_deref(), Some("realm.admission_revoked"));
        }
        // The realm token is still within its time; what is gone is the admission.
        assert_eq!(open(&entry).await.err().as_deref(), Some("closed"));
        assert_eq!(refusal(&bystanders).await, None, "nobody else notices");
        assert_eq!(front.get("/v1/characters", Some(&other.access)).await.status, 200);
        let (again, _) = socket(front, &other, 1).await;
        assert_eq!(refusal(&again).await, None, "another session may enter");
    });
}

#[test]
fn a_character_of_a_session_that_logs_out_leaves_the_world() {
    on_front(async |front| {
        let session = front.register("ann@example.org").await;
        let character_id = front.create(&session, 1, "Aldric").await;
        let (client, _) = socket(front, &session, 1).await;
        client.call("character_enter", json!([character_id])).await.expect("entered");
        assert_eq!(front.database.rows("entity").await.len(), 1);
        assert_done(&front.order("/v1/auth/logout", &session.access).await);
        assert!(front.database.rows("entity").await.is_empty());
        assert_eq!(refusal(&client).await.as_deref(), Some("realm.admission_revoked"));
    });
}

#[test]
fn a_changed_password_ends_the_other_sessions_in_every_realm() {
    on_front(async |front| {
        let _second_realm = second_realm(front).await;
        let other = front.register("ann@example.org").await;
        let own = front.login("ann@example.org").await;
        let (others, _) = socket(front, &other, 2).await;
        let (owns, _) = socket(front, &own, 1).await;
        assert_eq!((refusal(&others).await, refusal(&owns).await), (None, None));
        let body = json!({ "current_password": PASSWORD, "new_password": "a new password" });
        assert_done(&front.post("/v1/auth/password", Some(&own.access), &body).await);
        assert_over(front, &other, "the other session").await;
        assert_eq!(refusal(&others).await.as_deref(), Some("realm.admission_revoked"));
        assert_eq!(refusal(&owns).await, None, "one's own goes on");
        assert_eq!(front.get("/v1/characters", Some(&own.access)).await.status, 200);
        Session::read(&front.refresh(&own.refresh).await, 200);
    });
}

#[test]
fn a_ban_takes_a_player_out_of_the_home_realm() {
    on_front(async |front| {
        let session = front.register("ann@example.org").await;
        let (client, _) = socket(front, &session, 1).await;
        assert_eq!(refusal(&client).await, None);
        front.owner("account_status_set", json!([session.account_id, 2])).await;
        assert_eq!(refusal(&client).await.as_deref(), Some("realm.admission_revoked"));
    });
}
