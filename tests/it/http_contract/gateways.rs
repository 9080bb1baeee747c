//! Two gateways before one database: neither has a state that the other would miss.

use super::{Front, Session, assert_done, cheap};
use crate::support::http::{Answer, assert_problem, send};
use crate::support::{Database, PATIENCE, gateway, on_own_stage, on_stage, until};
use haven_gateway::Gateway;
use jsonwebtoken::decode_header;
use serde_json::{Value, json};
use std::sync::Arc;
use std::time::Duration;

/// A gateway, and another one before the same database.
struct Pair {
    one: Front,
    other: Gateway,
}

impl Pair {
    async fn open(stage: Arc<crate::support::Stage>) -> Self {
        let database = Database::publish(stage).await;
        database.configure().await;
        let one = Front::open(database, |_| ()).await;
        let other = gateway(&one.database.stage, &one.database.name, cheap).await;
        assert!(other.wait_ready(PATIENCE).await, "the other gateway is ready");
        Self { one, other }
    }

    async fn at_other(
        &self,
        method: &str,
        path: &str,
        token: &str,
        body: Option<&Value>,
    ) -> Answer {
        send(method, &format!("{}{path}", self.other.uri()), Some(token), body).await
    }

    async fn both_see(&self, token: &str) {
        assert_eq!(self.one.get("/v1/characters", Some(token)).await.status, 200, "at one");
        assert_eq!(self.at_other("GET", "/v1/characters", token, None).await.status, 200, "other");
    }

    async fn close(self) {
        self.other.stop().await;
        self.one.gateway.stop().await;
    }
}

fn kid(token: &str) -> String {
    decode_header(token).expect("a header").kid.expect("a kid")
}

async fn kids(uri: &str) -> Vec<String> {
    let answer = send("GET", &format!("{uri}/.well-known/jwks.json"), None, None).await;
    let keys = answer.json["keys"].as_array().expect("keys").clone();
    keys.iter().map(|key| key["kid"].as_str().expect("a kid").to_owned()).collect()
}

/// A token that opens a realm opens it; what that says is the guard's view of the keys.
async fn opens(entry: &Value) -> bool {
    let text = |name: &str| entry[name].as_str().expect("text");
    let url = format!("{}/v1/ping", text("uri"));
    send("GET", &url, Some(text("token")), None).await.status == 200
}

#[test]
fn what_one_gateway_begins_another_goes_on_with() {
    on_stage(|stage| async move {
        let pair = Pair::open(stage).await;
        let session = pair.one.register("ann@example.org").await;
        pair.both_see(&session.access).await;
        let body = json!({ "name": "Aldric", "race": "human", "class": "fighter" });
        let made = pair.at_other("POST", "/v1/characters", &session.access, Some(&body)).await;
        assert_eq!(made.status, 201, "{}", made.text);
        let path = format!("/v1/characters/{}", made.json["character_id"]);
        let shown = pair.one.get(&path, Some(&session.access)).await;
        assert_eq!(shown.json, made.json);
        let taken = pair.one.post("/v1/characters", Some(&session.access), &body).await;
        assert_problem(&taken, 409, "character.name_taken", "taken at the other");

        let refresh = json!({ "refresh_token": session.refresh });
        let url = format!("{}/v1/auth/refresh", pair.other.uri());
        let next = Session::read(&send("POST", &url, None, Some(&refresh)).await, 200);
        pair.both_see(&next.access).await;
        let entry = pair.at_other("POST", "/v1/realms/1/enter", &next.access, None).await;
        assert_eq!(entry.status, 200, "{}", entry.text);
        assert!(opens(&entry.json).await);
        assert_done(&pair.at_other("POST", "/v1/auth/logout", &next.access, None).await);
        let over = pair.one.get("/v1/characters", Some(&next.access)).await;
        assert_problem(&over, 401, "session.ended", "ended at the other");
        let reused = pair.one.refresh(&next.refresh).await;
        assert_problem(&reused, 401, "session.unknown", "ended at the other");
        pair.close().await;
    });
}

#[test]
fn a_rotated_key_signs_everywhere_and_the_old_one_verifies_until_its_end() {
    on_own_stage(|stage| async move {
        let pair = Pair::open(stage).await;
        let before = pair.one.register("ann@example.org").await;
        let entered = pair.one.order("/v1/realms/1/enter", &before.access).await.json;
        let old = kid(&before.access);
        assert_eq!(kids(&pair.other.uri()).await, std::slice::from_ref(&old));

        let new = pair.one.gateway.keys().rotate().expect("rotated");
        assert_ne!(old, new);
        let after = pair.one.login("ann@example.org").await;
        assert_eq!(kid(&after.access), new, "the rotating gateway signs with it at once");
        pair.both_see(&after.access).await;
        pair.both_see(&before.access).await;
        let entry = until("the other gateway signs with the new key", || async {
            let entry = pair.at_other("POST", "/v1/realms/1/enter", &after.access, None).await;
            assert_eq!(entry.status, 200, "{}", entry.text);
            (kid(entry.json["token"].as_str()?) == new).then_some(entry.json)
        })
        .await;
        for uri in [pair.one.gateway.uri(), pair.other.uri()] {
            assert_eq!(kids(&uri).await, [old.clone(), new.clone()], "both are listed");
        }
        until("the guard knows the new key", || async { opens(&entry).await.then_some(()) }).await;
        assert!(opens(&entered).await, "and the old one still");

        // A key that leaked is ended at once, and with it what it signed.
        pair.one.gateway.keys().rotate_with_overlap(Duration::ZERO).expect("rotated");
        until("tokens of ended keys are refused everywhere", || async {
            let (one, other) = (
                pair.one.get("/v1/characters", Some(&after.access)).await.status,
                pair.at_other("GET", "/v1/characters", &after.access, None).await.status,
            );
            let guarded = opens(&entered).await || opens(&entry).await;
            (one == 401 && other == 401 && !guarded).then_some(())
        })
        .await;
        let refused = pair.one.get("/v1/characters", Some(&before.access)).await;
        assert_problem(&refused, 401, "token.invalid", "signed by the first key");
        // Sessions outlive keys: a refresh token is no signed one.
        let next = Session::read(&pair.one.refresh(&before.refresh).await, 200);
        pair.both_see(&next.access).await;
        pair.close().await;
    });
}
