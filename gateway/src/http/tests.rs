//! The contract without a database: what is refused before one is asked, and how.

use std::{sync::Arc, time::Duration};

use axum::{
    Router,
    body::{Body, to_bytes},
    extract::{Path, State, rejection::PathRejection},
};
use http::{HeaderMap, Method, Request, StatusCode, header};
use serde_json::{Value, json};
use tower::ServiceExt;

use super::*;
use crate::{
    app::tests::config_without_database,
    config::GatewayConfig,
    sessions::Caller,
    stdb::rows::Account,
    tokens::{self, Bearer},
};

struct Served {
    _dir: tempfile::TempDir,
    app: Shared,
    router: Router,
}

struct Answer {
    status: StatusCode,
    headers: HeaderMap,
    body: Value,
}

fn served(change: impl FnOnce(&mut GatewayConfig)) -> Served {
    let (dir, mut config) = config_without_database();
    change(&mut config);
    let addr = config.listen;
    let app = Arc::new(App::new(config, addr).expect("an app"));
    let router = router(Arc::clone(&app));
    Served { _dir: dir, app, router }
}

impl Served {
    async fn send(&self, request: Request<Body>) -> Answer {
        let response = self.router.clone().oneshot(request).await.expect("an answer");
        let (parts, body) = response.into_parts();
        let bytes = to_bytes(body, 1 << 20).await.expect("a body");
        let body = serde_json::from_slice(&bytes)
            .unwrap_or_else(|_| Value::String(String::from_utf8_lossy(&bytes).into_owned()));
        Answer { status: parts.status, headers: parts.headers, body }
    }

    async fn get(&self, path: &str) -> Answer {
        self.send(Request::get(path).body(Body::empty()).expect("a request")).await
    }

    async fn post(&self, path: &str, body: &Value) -> Answer {
        self.send(post(path, body)).await
    }

    /// A request whose token is good, as far as it can be told without a database.
    async fn with_token(&self, method: Method, path: &str, token: &str) -> Answer {
        let request = Request::builder()
            .method(method)
            .uri(path)
            .header(header::AUTHORIZATION, format!("Bearer {token}"))
            .body(Body::empty());
        self.send(request.expect("a request")).await
    }

    fn token(&self) -> String {
        let bearer = Bearer { account_id: 1, session_id: 1, role: "player" };
        let lifetime = Duration::from_mins(1);
        tokens::access_token(&self.app.keys, "haven", bearer, lifetime).expect("a token")
    }
}

fn post(path: &str, body: &Value) -> Request<Body> {
    let request = Request::post(path).header(header::CONTENT_TYPE, "application/json");
    request.body(Body::from(body.to_string())).expect("a request")
}

/// Every refusal is the document of RFC 9457 with the headers that go with it.
fn check(answer: &Answer, status: u16, code: &str) {
    assert_eq!(answer.status.as_u16(), status, "{code}: {}", answer.body);
    assert_eq!(answer.headers[header::CONTENT_TYPE], "application/problem+json");
    assert_eq!(answer.body["code"], code);
    assert_eq!(answer.body["status"], status);
    assert_eq!(answer.body["type"], format!("urn:haven:problem:{code}"));
    for member in ["title", "detail", "request_id"] {
        assert!(answer.body[member].as_str().is_some_and(|text| !text.is_empty()), "{member}");
    }
    assert_eq!(answer.headers["x-request-id"], answer.body["request_id"].as_str().expect("an id"));
    assert_eq!(answer.headers[header::X_CONTENT_TYPE_OPTIONS], "nosniff");
    assert_eq!(answer.headers[header::CACHE_CONTROL], "no-store");
    let waits = matches!(status, 429 | 503);
    assert_eq!(answer.headers.contains_key(header::RETRY_AFTER), waits, "{code}");
    assert_eq!(answer.headers.contains_key(header::WWW_AUTHENTICATE), status == 401, "{code}");
}

#[tokio::test]
async fn what_no_route_handles_is_refused_with_a_document() {
    let served = served(|_| ());
    check(&served.get("/").await, 404, "request.route_unknown");
    check(&served.get("/v1/nothing").await, 404, "request.route_unknown");
    check(&served.get("/v1/auth/login").await, 405, "request.method_not_allowed");
    let answer = served.post("/v1/realms", &json!({})).await;
    check(&answer, 405, "request.method_not_allowed");
}

#[tokio::test]
async fn bodies_that_are_not_what_is_expected_are_refused() {
    let served = served(|_| ());
    let path = "/v1/auth/register";
    let good = json!({"email": "ann@example.org", "password": "correct horse"});
    let mut request = post(path, &good);
    request.headers_mut().remove(header::CONTENT_TYPE);
    check(&served.send(request).await, 415, "request.media_type");
    let mut request = post(path, &good);
    request.headers_mut().insert(header::CONTENT_TYPE, "text/plain".parse().expect("a type"));
    check(&served.send(request).await, 415, "request.media_type");
    let mut request = post(path, &good);
    *request.body_mut() = Body::from("{");
    check(&served.send(request).await, 400, "request.malformed");
    for body in [
        json!([]),
        json!({}),
        json!({"email": "ann@example.org"}),
        json!({"email": "ann@example.org", "password": 12_345_678}),
        json!({"email": "ann@example.org", "password": "correct horse", "role": "administrator"}),
    ] {
        check(&served.post(path, &body).await, 400, "request.malformed");
    }
    let large = json!({"email": "ann@example.org", "password": "x".repeat(20_000)});
    check(&served.post(path, &large).await, 413, "request.too_large");
    let mut request = post(path, &json!({}));
    request.headers_mut().insert(header::CONTENT_LENGTH, "16385".parse().expect("a length"));
    check(&served.send(request).await, 413, "request.too_large");
}

#[tokio::test]
async fn fields_out_of_bounds_are_named() {
    let served = served(|_| ());
    let path = "/v1/auth/register";
    for password in ["", "1234567", &"x".repeat(129)] {
        let body = json!({"email": "ann@example.org", "password": password});
        let answer = served.post(path, &body).await;
        check(&answer, 400, "request.invalid");
        assert_eq!(answer.body["errors"][0]["field"], "password");
    }
    for password in ["ünïcödé!", &"é".repeat(128)] {
        let body = json!({"email": "ann@example.org", "password": password});
        check(&served.post(path, &body).await, 503, "gateway.unavailable");
    }
    let long = json!({"email": "x".repeat(300), "password": "correct horse"});
    check(&served.post(path, &long).await, 400, "request.invalid");
    for email in ["", "ann", "ann@", "ann@localhost", "' OR 1=1 --@x.y"] {
        let body = json!({"email": email, "password": "correct horse"});
        check(&served.post(path, &body).await, 400, "account.email_invalid");
        check(&served.post("/v1/auth/login", &body).await, 400, "account.email_invalid");
    }
}

#[tokio::test]
async fn a_token_is_needed_and_must_be_good() {
    let served = served(|_| ());
    for (method, path) in [
        (Method::POST, "/v1/auth/logout"),
        (Method::POST, "/v1/auth/password"),
        (Method::POST, "/v1/realms/1/enter"),
        (Method::GET, "/v1/characters"),
        (Method::POST, "/v1/characters"),
        (Method::GET, "/v1/characters/1"),
        (Method::DELETE, "/v1/characters/1"),
        (Method::POST, "/v1/characters/1/restore"),
        (Method::GET, "/v1/characters/1/export"),
    ] {
        let request = Request::builder().method(&method).uri(path).body(Body::empty());
        let answer = served.send(request.expect("a request")).await;
        check(&answer, 401, "token.missing");
        let answer = served.with_token(method.clone(), path, "a.b.c").await;
        check(&answer, 401, "token.invalid");
        let owner = tokens::owner_token(&served.app.keys, "haven", 60).expect("a token");
        let answer = served.with_token(method.clone(), path, &owner).await;
        check(&answer, 401, "token.invalid");
        let long = "x".repeat(5_000);
        check(&served.with_token(method.clone(), path, &long).await, 401, "token.invalid");
        let answer = served.with_token(method, path, &served.token()).await;
        check(&answer, 503, "gateway.unavailable");
    }
}

#[tokio::test]
async fn without_a_database_calls_get_503_and_the_gateway_is_alive() {
    let served = served(|_| ());
    let login = json!({"email": "ann@example.org", "password": "correct horse"});
    check(&served.post("/v1/auth/login", &login).await, 503, "gateway.unavailable");
    let refresh = json!({"refresh_token": "x"});
    check(&served.post("/v1/auth/refresh", &refresh).await, 503, "gateway.unavailable");
    check(&served.get("/v1/realms").await, 503, "gateway.unavailable");
    let ready = served.get("/readyz").await;
    check(&ready, 503, "gateway.not_ready");
    assert_eq!(ready.body["home"], "down");
    let alive = served.get("/healthz").await;
    assert_eq!((alive.status, &alive.body), (StatusCode::OK, &json!({"status": "ok"})));
    assert!(alive.headers.contains_key("x-request-id"));
}

#[tokio::test]
async fn who_asks_too_often_is_told_when_to_come_back() {
    let served = served(|config| {
        config.limits.auth_burst = 2;
        config.limits.auth_per_second = 1;
        config.limits.login_burst = 1;
    });
    let login = |email: &str| json!({"email": email, "password": "correct horse"});
    let path = "/v1/auth/login";
    check(&served.post(path, &login("ann@example.org")).await, 503, "gateway.unavailable");
    let answer = served.post(path, &login("ANN@example.org")).await;
    check(&answer, 429, "request.rate_limited");
    let wait: u32 = answer.headers[header::RETRY_AFTER]
        .to_str()
        .ok()
        .and_then(|text| text.parse().ok())
        .expect("seconds");
    assert!((5..=6).contains(&wait), "{wait}");
    let answer = served.post(path, &login("ben@example.org")).await;
    check(&answer, 429, "request.rate_limited");
    assert_eq!(served.get("/healthz").await.status, StatusCode::OK);
}

#[tokio::test]
async fn request_ids_of_callers_are_taken_over() {
    let served = served(|_| ());
    let request = |id: &str| Request::get("/healthz").header("x-request-id", id);
    let plain = request("abc-123").body(Body::empty()).expect("a request");
    assert_eq!(served.send(plain).await.headers["x-request-id"], "abc-123");
    let wild = request("a b").body(Body::empty()).expect("a request");
    assert_ne!(served.send(wild).await.headers["x-request-id"], "a b");
}

#[tokio::test]
async fn pages_may_call_from_configured_origins_only() {
    let origin = "https://play.example.org";
    let served = served(|config| config.cors_origins = vec![origin.to_owned()]);
    let preflight = |origin: &str| {
        Request::options("/v1/realms")
            .header(header::ORIGIN, origin)
            .header(header::ACCESS_CONTROL_REQUEST_METHOD, "GET")
            .body(Body::empty())
            .expect("a request")
    };
    let answer = served.send(preflight(origin)).await;
    assert_eq!(answer.status, StatusCode::OK);
    assert_eq!(answer.headers[header::ACCESS_CONTROL_ALLOW_ORIGIN], origin);
    let answer = served.send(preflight("https://evil.example.org")).await;
    assert!(!answer.headers.contains_key(header::ACCESS_CONTROL_ALLOW_ORIGIN));
}

#[tokio::test]
async fn public_documents_say_how_to_verify_and_to_call() {
    let served = served(|config| config.public_uri = Some("https://haven.example.org/".to_owned()));
    let provider = served.get("/.well-known/openid-configuration").await.body;
    assert_eq!(provider["issuer"], "haven");
    assert_eq!(provider["jwks_uri"], "https://haven.example.org/.well-known/jwks.json");
    let keys = served.get("/.well-known/jwks.json").await;
    assert_eq!(keys.headers[header::CONTENT_TYPE], "application/json");
    assert_eq!(keys.body["keys"][0]["alg"], "ES256");
    assert!(keys.body["keys"][0].get("d").is_none(), "the private part stays here");
}

#[tokio::test]
async fn the_description_lists_every_route_of_the_contract() {
    let served = served(|_| ());
    let document = served.get("/v1/openapi.json").await.body;
    for (method, path) in [
        ("post", "/v1/auth/register"),
        ("post", "/v1/auth/login"),
        ("post", "/v1/auth/refresh"),
        ("post", "/v1/auth/logout"),
        ("post", "/v1/auth/password"),
        ("get", "/v1/realms"),
        ("post", "/v1/realms/{realm_id}/enter"),
        ("get", "/v1/characters"),
        ("post", "/v1/characters"),
        ("get", "/v1/characters/{id}"),
        ("delete", "/v1/characters/{id}"),
        ("post", "/v1/characters/{id}/restore"),
        ("get", "/v1/characters/{id}/export"),
        ("get", "/healthz"),
        ("get", "/readyz"),
        ("get", "/metrics"),
        ("get", "/.well-known/openid-configuration"),
        ("get", "/.well-known/jwks.json"),
        ("get", "/v1/openapi.json"),
    ] {
        let operation = &document["paths"][path][method];
        assert!(operation["responses"].is_object(), "{method} {path}");
    }
    let operations = document["paths"].as_object().expect("paths").values();
    let operations = operations.filter_map(Value::as_object).flat_map(|path| path.values());
    let mut ids: Vec<_> = operations.map(|operation| operation["operationId"].as_str()).collect();
    let all = ids.len();
    ids.sort_unstable();
    ids.dedup();
    assert_eq!(ids.len(), all, "operation ids are unique");
    let bearer = &document["components"]["securitySchemes"]["bearer"];
    assert_eq!(bearer["scheme"], "bearer");
    assert!(document["components"]["schemas"]["ProblemDocument"].is_object());
    let refusal = &document["components"]["responses"]["ProblemDocument"];
    assert!(refusal["content"]["application/problem+json"].is_object(), "{refusal}");
}

#[tokio::test]
async fn numbers_count_answers_by_route_and_refusals_by_code() {
    let served = served(|_| ());
    served.get("/v1/characters/42").await;
    served.get("/nowhere").await;
    let text = served.get("/metrics").await.body;
    let text = text.as_str().expect("text");
    for line in [
        r#"requests_total{method="GET",route="/v1/characters/{id}",status="401"} 1"#,
        r#"requests_total{method="GET",route="unmatched",status="404"} 1"#,
        r#"refusals_total{code="token.missing"} 1"#,
        r#"link_up{link="home"} 0"#,
    ] {
        assert!(text.contains(line), "{line} in {text}");
    }
}

#[tokio::test]
async fn a_number_that_is_not_even_text_is_unknown() {
    let served = served(|_| ());
    let now = spacetimedb_lib::Timestamp::now();
    let caller = || Caller {
        account: Account {
            account_id: 1,
            email_sha256: String::new(),
            email: String::new(),
            password_phc: String::new(),
            password_version: 1,
            status: 1,
            role: 1,
            created_at: now,
            last_login_at: now,
        },
        session_id: 1,
    };
    let shared = || State(Arc::clone(&served.app));
    let at_path = |text: String| async move {
        // What axum makes of a path, through a route of its own.
        let (told, heard) = tokio::sync::oneshot::channel();
        let told = Arc::new(std::sync::Mutex::new(Some(told)));
        let take = move |path: Result<Path<String>, PathRejection>| async move {
            let told = told.lock().expect("a lock").take();
            told.map(|told| told.send(path).ok());
        };
        let router = Router::new().route("/{id}", axum::routing::get(take));
        let request = Request::get(text).body(Body::empty()).expect("a request");
        router.oneshot(request).await.expect("an answer");
        heard.await.expect("a path")
    };
    let check = |problem: Option<Problem>, code: &str| {
        assert_eq!(problem.map(|problem| problem.code()), Some(code));
    };
    for text in ["/%ff", "/x"] {
        let path = at_path(text.to_owned()).await;
        check(characters::get(shared(), caller(), path).await.err(), "character.unknown");
        let path = at_path(text.to_owned()).await;
        check(realms::enter(shared(), caller(), path).await.err(), "realm.unknown");
    }
}
