//! Access tokens: every route that wants one refuses all that are none.

use super::{Front, ROUTES, Route, on_front};
use crate::support::ISSUER;
use crate::support::forge::{Forge, assemble, changed, claims_of, hmac, now_seconds};
use crate::support::http::{Answer, assert_problem, send, send_raw};
use haven_gateway::keys::KeyStore;
use haven_gateway::tokens::{owner_token, realm_audience};
use jsonwebtoken::Algorithm;
use serde_json::{Value, json};

fn bearers() -> impl Iterator<Item = Route> {
    ROUTES.into_iter().filter(|route| route.bearer)
}

/// A request that would succeed or fail for another reason if its token were good.
async fn ask(front: &Front, route: Route, token: Option<&str>) -> Answer {
    let body = route.body.then(|| json!({}));
    send(route.method, &front.url(&route.address()), token, body.as_ref()).await
}

async fn refuse_everywhere(front: &Front, case: &str, token: Option<&str>, code: &str) {
    for route in bearers() {
        let answer = ask(front, route, token).await;
        let case = format!("{case}: {} {}", route.method, route.path);
        assert_problem(&answer, 401, code, &case);
    }
}

#[test]
fn a_good_token_passes_where_the_others_are_refused() {
    on_front(async |front| {
        let session = front.register("ann@example.org").await;
        // Logging out comes last: it ends the session.
        let (last, first): (Vec<Route>, Vec<Route>) =
            bearers().partition(|route| route.path.ends_with("/logout"));
        assert_eq!((first.len(), last.len()), (8, 1));
        for route in first.into_iter().chain(last) {
            let answer = ask(front, route, Some(&session.access)).await;
            assert_ne!(answer.status, 401, "{route:?}: {}", answer.text);
        }
    });
}

#[test]
fn routes_that_want_a_token_refuse_a_missing_one() {
    on_front(async |front| {
        refuse_everywhere(front, "none", None, "token.missing").await;
        for value in ["", "Bearer", "Bearer ", "Basic YW5uOng=", "x"] {
            let headers = [("authorization", value)];
            let answer = send_raw("GET", &front.url("/v1/characters"), &headers, "").await;
            assert_problem(&answer, 401, "token.missing", value);
        }
        let session = front.register("ann@example.org").await;
        let path = format!("/v1/characters?token={}", session.access);
        assert_ne!(front.get(&path, None).await.status, 200, "the query is no place for it");
    });
}

#[test]
fn routes_refuse_tokens_that_are_not_ours() {
    on_front(async |front| {
        let session = front.register("ann@example.org").await;
        let forge = Forge::new(&front.database.stage.keys);
        let (header, claims) = (forge.header(), claims_of(&session.access));
        let dir = tempfile::TempDir::new().expect("a directory");
        let stranger = Forge::new(&KeyStore::open_or_create(dir.path()).expect("keys"));
        let none = changed(&header, &json!({ "alg": "none" }));
        let hs256 = changed(&header, &json!({ "alg": "HS256" }));
        let mut cases: Vec<(String, String)> = vec![
            ("garbage".to_owned(), "a.b.c".to_owned()),
            ("no token".to_owned(), "x".to_owned()),
            ("long".to_owned(), "x".repeat(5_000)),
            ("alg none".to_owned(), assemble(&none, &claims, b"")),
            ("alg none, signed".to_owned(), forge.sign(&none, &claims)),
            ("stripped".to_owned(), assemble(&header, &claims, b"")),
            ("foreign key".to_owned(), stranger.sign(&header, &claims)),
            ("foreign key and kid".to_owned(), stranger.sign(&stranger.header(), &claims)),
        ];
        for kid in [json!(null), json!("0123456789abcdef"), json!("")] {
            let header = changed(&header, &json!({ "kid": kid }));
            cases.push((format!("kid {kid}"), forge.sign(&header, &claims)));
        }
        for (form, secret) in forge.public_encodings() {
            let token = hmac(&hs256, &claims, &secret, Algorithm::HS256);
            cases.push((format!("HS256 with {form}"), token));
        }
        for (case, token) in cases {
            let answer = front.get("/v1/characters", Some(&token)).await;
            assert_problem(&answer, 401, "token.invalid", &case);
        }
        refuse_everywhere(front, "alg none", Some(&assemble(&none, &claims, b"")), "token.invalid")
            .await;
        let good = forge.sign(&header, &claims);
        assert_eq!(front.get("/v1/characters", Some(&good)).await.status, 200);
    });
}

#[test]
fn routes_refuse_our_tokens_of_other_kinds() {
    on_front(async |front| {
        let session = front.register("ann@example.org").await;
        let entry = front.order("/v1/realms/1/enter", &session.access).await;
        let realm = entry.json["token"].as_str().expect("a token");
        refuse_everywhere(front, "a realm token", Some(realm), "token.invalid").await;
        let owner = owner_token(&front.database.stage.keys, ISSUER, 60).expect("a token");
        refuse_everywhere(front, "the owner's token", Some(&owner), "token.invalid").await;
        refuse_everywhere(front, "a refresh token", Some(&session.refresh), "token.invalid").await;
    });
}

#[test]
fn routes_refuse_claims_that_do_not_hold() {
    on_front(async |front| {
        let ann = front.register("ann@example.org").await;
        let bob = front.register("bob@example.org").await;
        let forge = Forge::new(&front.database.stage.keys);
        let claims = claims_of(&ann.access);
        let soon = now_seconds() + 120;
        let sign = |change: &Value| forge.sign(&forge.header(), &changed(&claims, change));
        for (change, code) in [
            (json!({ "exp": now_seconds() - 6 }), "token.expired"),
            (json!({ "exp": 0 }), "token.expired"),
            (json!({ "exp": null }), "token.invalid"),
            (json!({ "nbf": soon }), "token.invalid"),
            (json!({ "iss": "evil" }), "token.invalid"),
            (json!({ "iss": null }), "token.invalid"),
            (json!({ "aud": [] }), "token.invalid"),
            (json!({ "aud": null }), "token.invalid"),
            (json!({ "aud": [realm_audience(&front.database.name)] }), "token.invalid"),
            (json!({ "sub": "4711" }), "token.invalid"),
            (json!({ "sub": "owner" }), "token.invalid"),
            (json!({ "sid": null }), "token.invalid"),
            (json!({ "sid": "4711" }), "session.ended"),
            (json!({ "sid": claims_of(&bob.access)["sid"] }), "session.ended"),
        ] {
            let answer = front.get("/v1/characters", Some(&sign(&change))).await;
            assert_problem(&answer, 401, code, &change.to_string());
        }
        refuse_everywhere(front, "expired", Some(&sign(&json!({ "exp": 1 }))), "token.expired")
            .await;
        let unchanged = front.get("/v1/characters", Some(&sign(&json!({})))).await;
        assert_eq!(unchanged.status, 200, "{}", unchanged.text);
        let later = sign(&json!({ "exp": soon }));
        assert_eq!(front.get("/v1/characters", Some(&later)).await.status, 200);
    });
}

#[test]
fn a_role_in_a_token_gives_nothing_that_the_account_does_not_have() {
    on_front(async |front| {
        let ann = front.register("ann@example.org").await;
        let forge = Forge::new(&front.database.stage.keys);
        let change = json!({ "role": "administrator" });
        let token = forge.sign(&forge.header(), &changed(&claims_of(&ann.access), &change));
        let entry = front.order("/v1/realms/1/enter", &token).await;
        assert_eq!(entry.status, 200, "{}", entry.text);
        let claims = claims_of(entry.json["token"].as_str().expect("a token"));
        assert_eq!(claims["role"], "player");
        assert_eq!(front.database.rows("admission").await[0]["role"], 1);
    });
}
