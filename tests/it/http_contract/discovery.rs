//! Public documents: how to verify tokens, how to call, whether it lives, and its numbers.

use super::{ROUTES, assert_members, assert_shape, on_front, on_front_with};
use crate::support::ISSUER;
use crate::support::http::{Answer, send};
use haven_gateway::tokens::realm_audience;
use jsonwebtoken::{Algorithm, DecodingKey, Validation, decode, decode_header};
use serde_json::{Value, json};

/// Verifies a token as a stranger would: by the key set alone.
fn verify(token: &str, keys: &Value, issuer: &str, audience: &str) -> Result<Value, String> {
    let kid = decode_header(token).map_err(|error| error.to_string())?.kid.ok_or("no kid")?;
    let listed = keys["keys"].as_array().ok_or("no keys")?;
    let key = listed.iter().find(|key| key["kid"] == kid.as_str()).ok_or("an unknown kid")?;
    let text = |name: &str| key[name].as_str().expect("text");
    let key = DecodingKey::from_ec_components(text("x"), text("y"));
    let key = key.map_err(|error| error.to_string())?;
    let mut validation = Validation::new(Algorithm::ES256);
    validation.set_issuer(&[issuer]);
    validation.set_audience(&[audience]);
    let data = decode::<Value>(token, &key, &validation);
    data.map(|data| data.claims).map_err(|error| error.to_string())
}

#[test]
fn tokens_verify_by_what_discovery_leads_to() {
    on_front(async |front| {
        let provider = front.get("/.well-known/openid-configuration", None).await;
        assert_eq!(provider.status, 200);
        assert_eq!(provider.header("content-type"), "application/json");
        assert_eq!(provider.json["issuer"], ISSUER);
        assert_eq!(provider.json["id_token_signing_alg_values_supported"], json!(["ES256"]));
        let at = provider.json["jwks_uri"].as_str().expect("an address");
        assert_eq!(at, front.url("/.well-known/jwks.json"));
        let keys = send("GET", at, None, None).await;
        assert_eq!((keys.status, keys.header("content-type")), (200, "application/json"));

        let session = front.register("ann@example.org").await;
        let claims = verify(&session.access, &keys.json, ISSUER, "haven-gateway");
        assert_eq!(claims.expect("it verifies")["sub"], session.account_id.to_string());
        let entry = front.order("/v1/realms/1/enter", &session.access).await;
        let realm = entry.json["token"].as_str().expect("a token");
        let audience = realm_audience(&front.database.name);
        let claims = verify(realm, &keys.json, ISSUER, &audience).expect("it verifies");
        assert_eq!(claims["role"], "player");
        for (token, issuer, audience) in [
            (session.access.as_str(), "evil", "haven-gateway"),
            (session.access.as_str(), ISSUER, audience.as_str()),
            (realm, ISSUER, "haven-admin"),
        ] {
            verify(token, &keys.json, issuer, audience).expect_err("another issuer or audience");
        }
        let (signed, _) = session.access.rsplit_once('.').expect("three parts");
        let (_, signature) = realm.rsplit_once('.').expect("three parts");
        let spliced = format!("{signed}.{signature}");
        verify(&spliced, &keys.json, ISSUER, "haven-gateway").expect_err("another signature");
    });
}

#[test]
fn the_key_set_has_public_keys_only() {
    on_front(async |front| {
        let keys = front.get("/.well-known/jwks.json", None).await;
        let listed = keys.json["keys"].as_array().expect("keys");
        assert!(!listed.is_empty());
        for key in listed {
            assert_eq!((&key["kty"], &key["crv"]), (&json!("EC"), &json!("P-256")));
            assert_eq!((&key["alg"], &key["use"]), (&json!("ES256"), &json!("sig")));
            for private in ["d", "p", "q", "k"] {
                assert!(key.get(private).is_none(), "{private} in {key}");
            }
            assert_eq!(key["kid"].as_str().map(str::len), Some(16));
        }
    });
}

#[test]
fn a_public_address_stands_in_the_discovery_document() {
    let change = |config: &mut haven_gateway::GatewayConfig| {
        config.public_uri = Some("https://haven.example.org/".to_owned());
    };
    on_front_with(change, async |front| {
        let provider = front.get("/.well-known/openid-configuration", None).await.json;
        assert_eq!(provider["jwks_uri"], "https://haven.example.org/.well-known/jwks.json");
        assert_eq!(provider["token_endpoint"], "https://haven.example.org/v1/auth/login");
    });
}

#[test]
fn the_description_lists_every_route_and_no_other() {
    on_front(async |front| {
        let answer = front.get("/v1/openapi.json", None).await;
        assert_eq!((answer.status, answer.header("content-type")), (200, "application/json"));
        assert!(answer.json["openapi"].as_str().is_some_and(|text| text.starts_with("3.")));
        let paths = answer.json["paths"].as_object().expect("paths");
        let mut described: Vec<(String, String)> = vec![];
        for (path, operations) in paths {
            for method in operations.as_object().expect("operations").keys() {
                described.push((method.to_uppercase(), path.clone()));
            }
        }
        let mut expected: Vec<(String, String)> =
            ROUTES.iter().map(|route| (route.method.to_owned(), route.path.to_owned())).collect();
        described.sort();
        expected.sort();
        assert_eq!(described, expected);
        for route in ROUTES {
            let operation = &paths[route.path][route.method.to_lowercase()];
            assert!(operation["responses"].is_object(), "{route:?}");
            assert_eq!(operation["requestBody"].is_object(), route.body, "{route:?}");
            assert_eq!(operation["security"].is_array(), route.bearer, "{route:?}");
        }
        let problem = &answer.json["components"]["schemas"]["ProblemDocument"]["properties"];
        let members = ["type", "title", "status", "code", "detail", "request_id"];
        assert_members(problem, &members);
    });
}

#[test]
fn the_gateway_says_that_it_is_alive_and_ready() {
    on_front(async |front| {
        let alive = front.get("/healthz", None).await;
        assert_shape(&alive, 200, &["status"]);
        assert_eq!(alive.json["status"], "ok");
        let ready = front.get("/readyz", None).await;
        assert_shape(&ready, 200, &["status", "home", "realms"]);
        assert_eq!((&ready.json["status"], &ready.json["home"]), (&json!("ready"), &json!("up")));
    });
}

#[test]
fn the_numbers_are_prometheus_text_that_counts_and_tells_nothing_else() {
    on_front(async |front| {
        let session = front.register("ann@example.org").await;
        front.get("/v1/characters/7", Some(&session.access)).await;
        front.get("/v1/characters", None).await;
        let answer: Answer = front.get("/metrics", None).await;
        assert_eq!(answer.status, 200);
        assert!(answer.header("content-type").starts_with("text/plain; version=0.0.4"));
        for part in [
            r#"route="/v1/auth/register",status="201"} 1"#,
            r#"route="/v1/characters/{id}",status="404"} 1"#,
            r#"refusals_total{code="token.missing"} 1"#,
            r#"link_up{link="home"} 1"#,
        ] {
            assert!(answer.text.contains(part), "{part} in {}", answer.text);
        }
        for secret in ["ann@example.org", &session.access, &session.refresh] {
            assert!(!answer.text.contains(secret));
        }
        let samples = answer.text.lines().filter(|line| !line.starts_with('#'));
        for line in samples.filter(|line| !line.is_empty()) {
            let value = line.rsplit(' ').next().and_then(|value| value.parse::<f64>().ok());
            assert!(value.is_some(), "{line}");
        }
    });
}
