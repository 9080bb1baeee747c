//! The realm list and the way in, end to end.

use super::{Front, assert_members, assert_shape, on_front};
use crate::support::client::Client;
use crate::support::forge::claims_of;
use crate::support::http::assert_problem;
use crate::support::{ISSUER, now_micros, until};
use haven_gateway::tokens::account_identity;
use serde_json::{Value, json};

async fn connect(entry: &Value) -> Client {
    let text = |name: &str| entry[name].as_str().expect("text");
    let connected = Client::connect(text("uri"), text("database"), text("token")).await;
    connected.expect("the token opens the realm")
}

async fn enter(front: &Front, email: &str) -> (super::Session, Value) {
    let session = front.register(email).await;
    let entry = front.order("/v1/realms/1/enter", &session.access).await;
    assert_shape(&entry, 200, &["uri", "database", "token", "identity", "expires_in"]);
    (session, entry.json)
}

#[test]
fn realms_answers_200_with_the_list() {
    on_front(async |front| {
        let answer = front.get("/v1/realms", None).await;
        assert_shape(&answer, 200, &["realms"]);
        let realms = answer.json["realms"].as_array().expect("realms");
        assert_eq!(realms.len(), 1);
        let members = ["realm_id", "name", "status", "population", "capacity", "uri", "database"];
        assert_members(&realms[0], &members);
        let (uri, database) = (&front.database.stage.uri, &front.database.name);
        assert_eq!(
            realms[0],
            json!({
                "realm_id": 1, "name": "Haven", "status": "open", "population": 0, "capacity": 100,
                "uri": uri, "database": database,
            })
        );
    });
}

#[test]
fn the_list_is_sorted_and_counts_who_is_in_the_world() {
    on_front(async |front| {
        for (number, name) in [(9, "Ninth"), (3, "Third")] {
            let listed = json!([number, name, "http://127.0.0.1:1", "nowhere", 5]);
            front.owner("realm_upsert", listed).await;
        }
        let (_, _, _player) = front.database.enter("ann@example.org", "Aldric").await;
        until("the population is counted", || async {
            let entry = front.realm_with_status(1, "open").await;
            (entry["population"] == 1).then_some(())
        })
        .await;
        let answer = front.get("/v1/realms", None).await;
        let realms = answer.json["realms"].as_array().expect("realms");
        let numbers: Vec<_> = realms.iter().map(|realm| &realm["realm_id"]).collect();
        assert_eq!(numbers, [1, 3, 9]);
        assert_eq!(realms[1]["status"], "offline");
    });
}

#[test]
fn enter_answers_200_and_its_token_leads_into_the_world() {
    on_front(async |front| {
        let (session, entry) = enter(front, "ann@example.org").await;
        assert_eq!(entry["uri"], front.database.stage.uri.as_str());
        assert_eq!(entry["database"], front.database.name.as_str());
        assert_eq!(entry["expires_in"], 900);
        let identity = account_identity(ISSUER, session.account_id).to_hex().to_string();
        assert_eq!(entry["identity"], identity);
        let claims = claims_of(entry["token"].as_str().expect("a token"));
        assert_eq!(claims["aud"], json!([format!("haven-realm:{}", front.database.name)]));
        assert_eq!(claims["sub"], session.account_id.to_string());
        assert_eq!(claims["sid"], claims_of(&session.access)["sid"]);
        let lifetime = claims["exp"].as_i64().zip(claims["iat"].as_i64());
        assert_eq!(lifetime.map(|(exp, iat)| exp - iat), Some(900));

        let character_id = front.create(&session, 1, "Aldric").await;
        let client = connect(&entry).await;
        let welcome = client.wait_for("IdentityToken").await.expect("a welcome").to_string();
        assert!(welcome.contains(&identity), "{welcome}");
        client.subscribe(&["SELECT * FROM entity", "SELECT * FROM motion"]).await;
        client.call("character_enter", json!([character_id])).await.expect("entered");
        client.call("course_to", json!([33_500, 32_500])).await.expect("going");
        let entity = &front.database.rows("entity").await[0];
        assert_eq!(
            (&entity["entity_id"], &entity["name"]),
            (&json!(character_id), &json!("Aldric"))
        );
        until("the goal is reached", || async {
            let rows = front.database.rows("motion").await;
            (rows[0]["pos_x_mm"] == 33_500).then_some(())
        })
        .await;
        client.call("character_leave", json!([])).await.expect("left");
        assert!(front.database.rows("entity").await.is_empty());
    });
}

#[test]
fn enter_writes_an_admission_that_lasts_as_long_as_the_token() {
    on_front(async |front| {
        let (session, entry) = enter(front, "ann@example.org").await;
        let rows = front.database.rows("admission").await;
        assert_eq!(rows.len(), 1);
        assert_eq!(rows[0]["account_id"], session.account_id);
        let exp = claims_of(entry["token"].as_str().expect("a token"))["exp"].as_i64();
        let ends = rows[0]["expires_at_micros"].as_i64().expect("an instant") / 1_000_000;
        let difference = ends - exp.expect("an instant");
        assert!((-2..=2).contains(&difference), "{difference}");
        assert!(ends > now_micros() / 1_000_000 + 800);
        // Entering again renews it, and both tokens open the realm.
        let again = front.order("/v1/realms/1/enter", &session.access).await;
        assert_eq!(again.status, 200);
        assert_eq!(front.database.rows("admission").await.len(), 1);
        connect(&entry).await.close().await;
        connect(&again.json).await.close().await;
    });
}

#[test]
fn a_role_that_was_given_shows_in_the_next_token() {
    on_front(async |front| {
        let session = front.register("ann@example.org").await;
        front.owner("account_role_set", json!([session.account_id, 2])).await;
        let entry = front.order("/v1/realms/1/enter", &session.access).await;
        let claims = claims_of(entry.json["token"].as_str().expect("a token"));
        assert_eq!(claims["role"], "moderator");
        assert_eq!(front.database.rows("admission").await[0]["role"], 2);
        connect(&entry.json).await.close().await;
        assert_eq!(claims_of(&front.login("ann@example.org").await.access)["role"], "moderator");
    });
}

#[test]
fn enter_refuses_a_closed_realm_with_403() {
    on_front(async |front| {
        let session = front.register("ann@example.org").await;
        front.owner("realm_close", json!([1])).await;
        let refused = front.order("/v1/realms/1/enter", &session.access).await;
        assert_problem(&refused, 403, "realm.closed", "closed");
        front.realm_with_status(1, "closed").await;
        assert!(front.database.rows("admission").await.is_empty(), "nobody was admitted");
        front.owner("realm_open", json!([1])).await;
        let entry = front.order("/v1/realms/1/enter", &session.access).await;
        assert_eq!(entry.status, 200, "{}", entry.text);
    });
}

#[test]
fn enter_refuses_a_full_realm_with_503() {
    on_front(async |front| {
        let (uri, name) = (&front.database.stage.uri, &front.database.name);
        front.owner("realm_upsert", json!([1, "Haven", uri, name, 1])).await;
        let session = front.register("ann@example.org").await;
        let (_, _, player) = front.database.enter("bob@example.org", "Berta").await;
        let refused = front.order("/v1/realms/1/enter", &session.access).await;
        assert_problem(&refused, 503, "realm.full", "full");
        front.realm_with_status(1, "full").await;
        player.call("character_leave", json!([])).await.expect("left");
        let entry = front.order("/v1/realms/1/enter", &session.access).await;
        assert_eq!(entry.status, 200, "{}", entry.text);
    });
}

#[test]
fn who_is_admitted_renews_in_a_realm_that_closed_and_filled_up() {
    on_front(async |front| {
        let (uri, name) = (&front.database.stage.uri, &front.database.name);
        let (session, entry) = enter(front, "ann@example.org").await;
        let (_, _, _player) = front.database.enter("bob@example.org", "Berta").await;
        front.owner("realm_upsert", json!([1, "Haven", uri, name, 1])).await;
        front.owner("realm_close", json!([1])).await;
        let again = front.order("/v1/realms/1/enter", &session.access).await;
        assert_eq!(again.status, 200, "{}", again.text);
        assert_eq!(again.json["identity"], entry["identity"]);
        let stranger = front.register("cid@example.org").await;
        let refused = front.order("/v1/realms/1/enter", &stranger.access).await;
        assert_problem(&refused, 403, "realm.closed", "closed");
    });
}

#[test]
fn enter_refuses_a_realm_that_does_not_answer_with_503() {
    on_front(async |front| {
        let away = json!([2, "Away", "http://127.0.0.1:1", "nowhere", 10]);
        front.owner("realm_upsert", away).await;
        let session = front.register("ann@example.org").await;
        let refused = front.order("/v1/realms/2/enter", &session.access).await;
        assert_problem(&refused, 503, "realm.offline", "offline");
        front.realm_with_status(2, "offline").await;
        let body = json!({ "realm_id": 2, "name": "Aldric", "race": "elf", "class": "rogue" });
        let refused = front.post("/v1/characters", Some(&session.access), &body).await;
        assert_problem(&refused, 503, "realm.offline", "no character either");
        let other = front.order("/v1/realms/1/enter", &session.access).await;
        assert_eq!(other.status, 200, "the others are entered as before");
        assert_eq!(front.get("/readyz", None).await.status, 200);
    });
}

#[test]
fn enter_refuses_a_realm_that_is_not_listed_with_404() {
    on_front(async |front| {
        let session = front.register("ann@example.org").await;
        for realm_id in ["2", "0", "65535", "65536", "-1", "one", "1x", "%31%00"] {
            let path = format!("/v1/realms/{realm_id}/enter");
            let refused = front.order(&path, &session.access).await;
            assert_problem(&refused, 404, "realm.unknown", realm_id);
        }
    });
}
