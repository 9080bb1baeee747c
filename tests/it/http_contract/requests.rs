//! Requests as such: routes, methods, bodies, ids and origins.

use super::{Front, PASSWORD, ROUTES, Route, on_front, on_front_with};
use crate::support::http::{Answer, assert_problem, send, send_bytes, send_raw};
use serde_json::{Value, json};

const BODY_BYTES_MAX: usize = 2_048;

/// A body that the route takes.
fn good_body(route: &Route) -> Value {
    match route.path {
        "/v1/auth/register" | "/v1/auth/login" => {
            json!({ "email": "bob@example.org", "password": PASSWORD })
        }
        "/v1/auth/refresh" => json!({ "refresh_token": "never given" }),
        "/v1/auth/password" => {
            json!({ "current_password": "wrong horse", "new_password": "a new password" })
        }
        "/v1/characters" => json!({ "name": "Aldric", "race": "human", "class": "fighter" }),
        other => panic!("{other} reads no body"),
    }
}

fn bodies() -> impl Iterator<Item = Route> {
    ROUTES.into_iter().filter(|route| route.body)
}

async fn post(front: &Front, route: &Route, token: &str, kind: &str, body: String) -> Answer {
    let bearer = format!("Bearer {token}");
    let mut headers = vec![];
    if !kind.is_empty() {
        headers.push(("content-type", kind));
    }
    if route.bearer {
        headers.push(("authorization", bearer.as_str()));
    }
    send_raw("POST", &front.url(route.path), &headers, body).await
}

#[test]
fn bodies_that_are_not_the_expected_json_are_refused_with_400() {
    on_front(async |front| {
        let session = front.register("ann@example.org").await;
        for route in bodies() {
            let good = good_body(&route);
            let mut extra = good.clone();
            extra["role"] = json!("administrator");
            let mut bad = vec![
                String::new(),
                "{".to_owned(),
                "null".to_owned(),
                "[]".to_owned(),
                "{}".to_owned(),
                "\"text\"".to_owned(),
                format!("{good} {good}"),
                format!("{good}x"),
                extra.to_string(),
            ];
            for name in good.as_object().expect("an object").keys() {
                for value in [json!(null), json!(7), json!(["x"]), json!({})] {
                    let mut wrong = good.clone();
                    wrong[name] = value;
                    bad.push(wrong.to_string());
                }
                let twice = format!("{{\"{name}\":\"x\",{}", &good.to_string()[1..]);
                bad.push(twice);
            }
            for body in bad {
                let case = format!("{}: {body}", route.path);
                let answer = post(front, &route, &session.access, "application/json", body).await;
                assert_problem(&answer, 400, "request.malformed", &case);
            }
            let good = good.to_string();
            let answer = post(front, &route, &session.access, "application/json", good).await;
            assert_ne!(answer.status, 400, "{}: {}", route.path, answer.text);
        }
    });
}

#[test]
fn bodies_of_another_type_are_refused_with_415() {
    on_front(async |front| {
        let session = front.register("ann@example.org").await;
        for route in bodies() {
            for kind in ["", "text/plain", "application/x-www-form-urlencoded", "json", "image/png"]
            {
                let body = good_body(&route).to_string();
                let answer = post(front, &route, &session.access, kind, body).await;
                let case = format!("{} as {kind}", route.path);
                assert_problem(&answer, 415, "request.media_type", &case);
            }
            let body = good_body(&route).to_string();
            let kind = "application/json; charset=utf-8";
            let answer = post(front, &route, &session.access, kind, body).await;
            assert_ne!(answer.status, 415, "{}", route.path);
        }
    });
}

#[test]
fn bodies_over_the_configured_bound_are_refused_with_413() {
    let change = |config: &mut haven_gateway::GatewayConfig| config.body_bytes_max = BODY_BYTES_MAX;
    on_front_with(change, async |front| {
        let session = front.register("ann@example.org").await;
        for route in bodies() {
            let good = good_body(&route).to_string();
            let fill = |bytes: usize| format!("{good}{}", " ".repeat(bytes - good.len()));
            let large = fill(BODY_BYTES_MAX + 1);
            let answer = post(front, &route, &session.access, "application/json", large).await;
            assert_problem(&answer, 413, "request.too_large", route.path);
            let most = fill(BODY_BYTES_MAX);
            let answer = post(front, &route, &session.access, "application/json", most).await;
            assert_ne!(answer.status, 413, "{}: {}", route.path, answer.text);
        }
        let line = "POST /v1/auth/login";
        let headers = "Content-Type: application/json\r\n";
        let announced = format!("{headers}Content-Length: 1000000000\r\n\r\n");
        let answer = send_bytes(&front.gateway.uri(), line, &announced).await;
        assert_problem(&answer, 413, "request.too_large", "only announced");
        let (bytes, hex) = (BODY_BYTES_MAX * 2, format!("{:x}", BODY_BYTES_MAX * 2));
        let chunk = format!("{hex}\r\n{}\r\n0\r\n\r\n", " ".repeat(bytes));
        let chunked = format!("{headers}Transfer-Encoding: chunked\r\n\r\n{chunk}");
        let answer = send_bytes(&front.gateway.uri(), line, &chunked).await;
        assert_problem(&answer, 413, "request.too_large", "in chunks, unannounced");
    });
}

#[test]
fn what_is_not_there_is_refused_with_404() {
    on_front(async |front| {
        let token = front.register("ann@example.org").await.access;
        for path in [
            "/",
            "/v1",
            "/v1/",
            "/v2/realms",
            "/v1/nothing",
            "/v1/auth",
            "/v1/auth/",
            "/V1/realms",
            "/v1/realms/",
            "//v1/realms",
            "/v1//realms",
            "/v1/realms/1",
            "/v1/realms/1/leave",
            "/v1/characters/",
            "/v1/characters/1/x",
            "/healthz/",
            "/.well-known",
            "/openapi.json",
            "/v1/database/haven/sql",
            "/internal/heap",
        ] {
            for method in ["GET", "POST"] {
                let line = format!("{method} {path}");
                let rest = format!("Authorization: Bearer {token}\r\nContent-Length: 0\r\n\r\n");
                let answer = send_bytes(&front.gateway.uri(), &line, &rest).await;
                assert_problem(&answer, 404, "request.route_unknown", &line);
            }
        }
    });
}

#[test]
fn methods_that_a_route_does_not_have_are_refused_with_405() {
    on_front(async |front| {
        let token = front.register("ann@example.org").await.access;
        for route in ROUTES {
            let has = |method: &str| {
                ROUTES.iter().any(|other| other.path == route.path && other.method == method)
            };
            for method in ["GET", "POST", "PUT", "DELETE", "PATCH"] {
                if has(method) {
                    continue;
                }
                let answer = send(method, &front.url(&route.address()), Some(&token), None).await;
                let case = format!("{method} {}", route.path);
                assert_problem(&answer, 405, "request.method_not_allowed", &case);
                let allowed = answer.header("allow");
                assert!(allowed.contains(route.method), "{case}: allow is {allowed:?}");
            }
        }
    });
}

#[test]
fn every_answer_has_a_request_id_and_takes_over_a_callers() {
    on_front(async |front| {
        for route in ROUTES {
            let url = front.url(&route.address());
            let own = send(route.method, &url, None, None).await;
            assert!(!own.header("x-request-id").is_empty(), "{route:?}");
            let id = "3f2a-client.id_7";
            let taken = send_raw(route.method, &url, &[("x-request-id", id)], "").await;
            assert_eq!(taken.header("x-request-id"), id, "{route:?}");
            if taken.status >= 400 {
                assert_eq!(taken.json["request_id"], id, "{route:?}");
            }
            for wild in ["a b", "x".repeat(300).as_str(), "<script>"] {
                let answer = send_raw(route.method, &url, &[("x-request-id", wild)], "").await;
                let id = answer.header("x-request-id");
                assert!(!id.is_empty() && id != wild, "{route:?}: {wild}");
            }
        }
        let (one, other) = (front.get("/healthz", None).await, front.get("/healthz", None).await);
        assert_ne!(one.header("x-request-id"), other.header("x-request-id"));
    });
}

const ORIGIN: &str = "https://play.example.org";

async fn with_origin(front: &Front, method: &str, origin: &str) -> Answer {
    let headers = [
        ("origin", origin),
        ("access-control-request-method", "POST"),
        ("access-control-request-headers", "authorization,content-type"),
    ];
    let headers = if method == "OPTIONS" { &headers[..] } else { &headers[..1] };
    send_raw(method, &front.url("/v1/auth/login"), headers, "").await
}

#[test]
fn pages_of_configured_origins_may_call_and_no_others() {
    let change =
        |config: &mut haven_gateway::GatewayConfig| config.cors_origins = vec![ORIGIN.to_owned()];
    on_front_with(change, async |front| {
        let preflight = with_origin(front, "OPTIONS", ORIGIN).await;
        assert_eq!(preflight.status, 200, "{preflight:?}");
        assert_eq!(preflight.header("access-control-allow-origin"), ORIGIN);
        assert!(preflight.header("access-control-allow-methods").contains("POST"));
        let allowed = preflight.header("access-control-allow-headers").to_lowercase();
        assert!(allowed.contains("authorization") && allowed.contains("content-type"), "{allowed}");
        // A refusal must be readable by the page too.
        let refused = with_origin(front, "POST", ORIGIN).await;
        assert_eq!(refused.status, 415);
        assert_eq!(refused.header("access-control-allow-origin"), ORIGIN);
        let exposed = refused.header("access-control-expose-headers").to_lowercase();
        assert!(exposed.contains("x-request-id") && exposed.contains("retry-after"), "{exposed}");
        for origin in ["https://evil.example", "http://play.example.org", "null"] {
            for method in ["OPTIONS", "POST"] {
                let answer = with_origin(front, method, origin).await;
                let allowed = answer.header("access-control-allow-origin");
                assert!(allowed.is_empty(), "{method} {origin}: {allowed}");
            }
        }
    });
}

#[test]
fn no_page_may_call_unless_configured_and_any_with_a_star() {
    on_front(async |front| {
        let answer = with_origin(front, "OPTIONS", ORIGIN).await;
        assert_eq!(answer.header("access-control-allow-origin"), "");
    });
    let change =
        |config: &mut haven_gateway::GatewayConfig| config.cors_origins = vec!["*".to_owned()];
    on_front_with(change, async |front| {
        let answer = with_origin(front, "OPTIONS", ORIGIN).await;
        assert_eq!(answer.header("access-control-allow-origin"), "*");
        assert_eq!(answer.header("access-control-allow-credentials"), "");
    });
}
