//! Requests: what reaches the engine, and in which form.
//!
//! Keeps true: the stand-in for the engine sees a request only if the guard let it through, and
//! tells what it saw.
//! Leaves out on purpose: the list of routes, which is tested beside it.

use axum07::body::{Body, Bytes, to_bytes};
use axum07::http::{Request, Response, StatusCode};
use axum07::{Router, response::IntoResponse, routing};
use serde_json::{Value, json};
use spacetimedb::auth::token_validation::TokenValidator as _;
use spacetimedb_client_api::auth::JwtAuthProvider as _;
use tower::{Layer as _, ServiceExt as _};

use super::super::{Refusal, admit};
use super::Issuer;

const SUBSCRIBE: &str = "/v1/database/haven/subscribe";

/// Answers with what arrived: method, path and query, and the headers, a line each.
async fn echo(request: Request<Body>) -> Response<Body> {
    let (parts, body) = request.into_parts();
    let mut seen = format!("{} {}\n", parts.method, parts.uri);
    for (name, value) in &parts.headers {
        seen.extend([name.as_str(), ": ", value.to_str().expect("text"), "\n"]);
    }
    match to_bytes(body, usize::MAX).await {
        Ok(Bytes { .. }) => ([("spacetime-identity-token", "ticket")], seen).into_response(),
        Err(_) => StatusCode::PAYLOAD_TOO_LARGE.into_response(),
    }
}

async fn send(issuer: &Issuer, request: Request<Body>) -> Response<Body> {
    let engine = Router::new().fallback(routing::any(echo));
    let door = axum07::middleware::from_fn_with_state(issuer.guard.clone(), admit);
    door.layer(engine).oneshot(request).await.expect("the guard always answers")
}

async fn text(response: Response<Body>) -> String {
    let bytes = to_bytes(response.into_body(), usize::MAX).await.expect("a body");
    String::from_utf8(bytes.to_vec()).expect("text")
}

/// The code of the refusal, or `None` when the engine was reached.
async fn refusal(issuer: &Issuer, request: Request<Body>) -> Option<String> {
    let response = send(issuer, request).await;
    assert!(response.headers().contains_key("x-request-id"));
    if response.status() == StatusCode::OK {
        return None;
    }
    let status = response.status().as_u16();
    let document: Value = serde_json::from_str(&text(response).await).expect("a document");
    assert_eq!(document["status"], status);
    document["code"].as_str().map(str::to_owned)
}

fn get(path: &str, token: &str) -> Request<Body> {
    request("GET", path, token)
}

fn request(method: &str, path: &str, token: &str) -> Request<Body> {
    let request = Request::builder().method(method).uri(path);
    let request = request.header("authorization", format!("Bearer {token}"));
    request.body(Body::empty()).expect("a request")
}

#[tokio::test]
async fn the_engine_sees_a_ticket_in_place_of_the_token() {
    let issuer = Issuer::new();
    let token = issuer.token(&json!({}));
    let mut request = get(&format!("{SUBSCRIBE}?light=false&compression=None"), &token);
    for (name, value) in [
        ("x-forwarded-for", "10.0.0.1"),
        ("forwarded", "for=10.0.0.1"),
        ("x-real-ip", "10.0.0.1"),
        ("cookie", "a=b"),
        ("sec-websocket-protocol", "v1.bsatn.spacetimedb"),
    ] {
        request.headers_mut().insert(name, value.parse().expect("a value"));
    }
    let response = send(&issuer, request).await;
    assert!(!response.headers().contains_key("spacetime-identity-token"));
    let seen = text(response).await;
    let start = format!("GET {SUBSCRIBE}?compression=None&connection_id=");
    assert!(seen.starts_with(&start) && seen.contains("&light=true\n"), "{seen}");
    assert!(seen.contains("sec-websocket-protocol: v1.bsatn.spacetimedb\n"), "{seen}");
    assert!(!seen.contains("10.0.0.1") && !seen.contains("cookie"), "{seen}");
    assert!(!seen.contains(&token), "the token itself reached the engine");

    let ticket = seen.lines().find_map(|line| line.strip_prefix("authorization: Bearer "));
    let ticket = ticket.expect("a ticket");
    let claims = issuer.tickets.validator().validate_token(ticket).await.expect("a ticket");
    assert_eq!((claims.issuer.as_str(), claims.subject.as_str()), ("haven", "42"));

    // The engine shows the ticket to its holder; from outside it opens nothing.
    let code = refusal(&issuer, get(SUBSCRIBE, ticket)).await;
    assert_eq!(code.as_deref(), Some("guard.token_key_unknown"));
    // And the engine takes nothing but tickets, should a request ever get past the guard.
    assert!(issuer.tickets.validator().validate_token(&token).await.is_err());
}

#[tokio::test]
async fn a_token_in_the_query_works_and_stays_outside() {
    let issuer = Issuer::new();
    let token = issuer.token(&json!({}));
    let path = format!("{SUBSCRIBE}?token={token}&connection_id=0a");
    let request = Request::builder().uri(path).body(Body::empty()).expect("a request");
    let seen = text(send(&issuer, request).await).await;
    let id = format!("{:032x}", 0x0a);
    let start = format!("GET {SUBSCRIBE}?connection_id={id}&light=true\n");
    assert!(seen.starts_with(&start), "{seen}");
    assert!(!seen.contains(&token));
}

#[tokio::test]
async fn the_header_counts_before_the_query() {
    let issuer = Issuer::new();
    let good = issuer.token(&json!({}));
    let code = refusal(&issuer, get(&format!("{SUBSCRIBE}?token={good}"), "x.y.z")).await;
    assert_eq!(code.as_deref(), Some("guard.token_malformed"));
}

#[tokio::test]
async fn headers_that_are_not_one_bearer_token_are_refused() {
    let issuer = Issuer::new();
    let good = format!("Bearer {}", issuer.token(&json!({})));
    for values in [
        vec!["Basic b3duZXI6"],
        vec!["Bearer"],
        vec![""],
        vec![good.as_str(), good.as_str()],
        vec!["Bearer x", good.as_str()],
    ] {
        let mut request = Request::builder().uri(SUBSCRIBE);
        for value in &values {
            request = request.header("authorization", *value);
        }
        let request = request.body(Body::empty()).expect("a request");
        let code = refusal(&issuer, request).await;
        assert_eq!(code.as_deref(), Some("guard.token_malformed"), "{values:?}");
    }
}

const OWNERS_ROUTES: [(&str, &str); 8] = [
    ("PUT", "/v1/database/haven"),
    ("POST", "/v1/database"),
    ("DELETE", "/v1/database/haven"),
    ("POST", "/v1/database/haven/sql"),
    ("POST", "/v1/database/haven/call/account_register"),
    ("GET", "/v1/database/haven/logs"),
    ("GET", "/v1/database/haven/schema"),
    ("GET", "/v1/database/haven"),
];

#[tokio::test]
async fn a_player_does_not_reach_the_owners_routes_and_the_owner_does() {
    let issuer = Issuer::new();
    for role in ["player", "moderator", "game_master", "administrator", "service"] {
        let token = issuer.token(&json!({ "role": role }));
        for (method, path) in OWNERS_ROUTES {
            let code = refusal(&issuer, request(method, path, &token)).await;
            assert_eq!(code.as_deref(), Some("guard.route_forbidden"), "{role} {method} {path}");
        }
    }
    let owner = issuer.owner_token();
    for (method, path) in OWNERS_ROUTES {
        assert_eq!(refusal(&issuer, request(method, path, &owner)).await, None, "{path}");
    }
}

#[tokio::test]
async fn nobody_reaches_anything_but_the_name_of_a_database() {
    let issuer = Issuer::new();
    for (method, path) in OWNERS_ROUTES.into_iter().chain([("GET", SUBSCRIBE), ("GET", "/v1/ping")])
    {
        let request = Request::builder().method(method).uri(path);
        let code = refusal(&issuer, request.body(Body::empty()).expect("a request")).await;
        assert_eq!(code.as_deref(), Some("guard.token_missing"), "{method} {path}");
    }
    let request = Request::builder().uri("/v1/database/haven/identity");
    assert_eq!(refusal(&issuer, request.body(Body::empty()).expect("a request")).await, None);
}

#[tokio::test]
async fn the_barrier_is_answered_here_and_the_engine_sees_nothing_of_it() {
    let issuer = Issuer::new();
    let (player, owner) = (issuer.token(&json!({})), issuer.owner_token());
    let written = "/v1/database/haven/written";
    for token in [&player, &owner] {
        let response = send(&issuer, get(written, token)).await;
        assert_eq!(response.status(), StatusCode::NO_CONTENT);
        assert_eq!(response.headers()["cache-control"], "no-store");
        assert!(text(response).await.is_empty(), "the stand-in for the engine would have spoken");
    }
    let code = refusal(&issuer, get("/v1/database/other/written", &player)).await;
    assert_eq!(code.as_deref(), Some("guard.token_audience"));
    let code = refusal(&issuer, get("/v1/database/other/written", &owner)).await;
    assert_eq!(code.as_deref(), Some("guard.database_unknown"));
    let nobody = Request::builder().uri(written).body(Body::empty()).expect("a request");
    assert_eq!(refusal(&issuer, nobody).await.as_deref(), Some("guard.token_missing"));
}

#[tokio::test]
async fn every_answer_says_which_run_it_is_from() {
    let (issuer, other) = (Issuer::new(), Issuer::new());
    let run = async |issuer: &Issuer, path: &str| {
        let response = send(issuer, get(path, &issuer.token(&json!({})))).await;
        response.headers()["x-haven-run"].to_str().expect("text").to_owned()
    };
    let first = run(&issuer, "/v1/ping").await;
    assert_eq!(first.len(), 32);
    for path in ["/v1/database/haven/written", SUBSCRIBE, "/nowhere"] {
        assert_eq!(run(&issuer, path).await, first, "{path}");
    }
    assert_ne!(run(&other, "/v1/ping").await, first);
}

#[tokio::test]
async fn a_token_of_another_realm_is_refused() {
    let issuer = Issuer::new();
    let token = issuer.token(&json!({ "aud": ["haven-realm:other"] }));
    let identity = "c2".repeat(32);
    for database in ["haven", "Other", &identity] {
        let path = format!("/v1/database/{database}/subscribe");
        let code = refusal(&issuer, get(&path, &token)).await;
        assert_eq!(code.as_deref(), Some("guard.token_audience"), "{database}");
    }
    assert_eq!(refusal(&issuer, get("/v1/database/other/subscribe", &token)).await, None);
}

#[tokio::test]
async fn the_inside_of_the_engine_does_not_exist_for_the_owner_either() {
    let issuer = Issuer::new();
    let owner = issuer.owner_token();
    for path in ["/internal/heap", "/metrics", "/v1/prometheus", "/v1/energy/c2"] {
        let code = refusal(&issuer, get(path, &owner)).await;
        assert_eq!(code.as_deref(), Some("guard.route_unknown"), "{path}");
    }
}

#[tokio::test]
async fn a_body_that_is_too_large_is_refused() {
    let issuer = Issuer::new();
    let owner = issuer.owner_token();
    let sql = "/v1/database/haven/sql";
    let large = vec![b'x'; 1024 * 1024 + 1];
    let declared = |length: &str, body: Body| {
        let mut request = request("POST", sql, &owner);
        request.headers_mut().insert("content-length", length.parse().expect("a value"));
        *request.body_mut() = body;
        request
    };
    let undeclared = |path: &str| {
        let mut request = request("POST", path, &owner);
        *request.body_mut() = Body::from(large.clone());
        request
    };
    for request in [
        declared("1048577", Body::empty()),
        declared("99999999999999999999", Body::empty()),
        declared("many", Body::empty()),
        undeclared(sql),
    ] {
        let code = refusal(&issuer, request).await;
        assert_eq!(code.as_deref(), Some("guard.body_too_large"));
    }
    assert_eq!(refusal(&issuer, undeclared("/v1/database")).await, None);
}

#[tokio::test]
async fn a_refusal_is_a_problem_document_and_is_counted() {
    let issuer = Issuer::new();
    let response = send(&issuer, get(SUBSCRIBE, "x")).await;
    let headers = response.headers().clone();
    assert_eq!(headers["content-type"], "application/problem+json");
    assert_eq!(headers["www-authenticate"], "Bearer error=\"invalid_token\"");
    let document: Value = serde_json::from_str(&text(response).await).expect("a document");
    for field in ["type", "title", "status", "code", "detail", "request_id"] {
        assert!(!document[field].is_null(), "{field}");
    }
    assert_eq!(document["request_id"], headers["x-request-id"].to_str().expect("text"));
    let counted: Vec<_> =
        issuer.guard.door().refusals().into_iter().filter(|(_, number)| *number > 0).collect();
    assert_eq!(counted, [(Refusal::TokenMalformed.code(), 1)]);
}
