//! Tokens: every forgery is refused with its own code before anything is opened.

use super::{Door, at_the_door};
use crate::support::forge::{Forge, assemble, changed, hmac, now_seconds, owner_claims};
use crate::support::http::{assert_problem, send_raw};
use crate::support::{Database, owner_token, player_token};
use haven_gateway::keys::KeyStore;
use haven_gateway::tokens::{self, Bearer};
use jsonwebtoken::{Algorithm, DecodingKey, Validation};
use serde_json::{Value, json};
use std::time::Duration;

#[test]
fn guard_refuses_a_token_without_a_signature() {
    at_the_door(async |door| {
        for alg in ["none", "None", "NONE", "nOnE", "none ", ""] {
            let header = changed(&door.forge.header(), &json!({ "alg": alg }));
            let (claims, owner) = (door.claims(&json!({})), owner_claims());
            for token in [
                assemble(&header, &claims, b""),
                assemble(&header, &claims, &[1; 64]),
                door.forge.sign(&header, &claims),
                assemble(&header, &owner, b""),
            ] {
                door.refuses(alg, &token, "guard.token_algorithm").await;
            }
        }
        let header = door.forge.header();
        let stripped = assemble(&header, &door.claims(&json!({})), b"");
        door.refuses("stripped", &stripped, "guard.token_signature").await;
        let no_alg = changed(&header, &json!({ "alg": null }));
        let token = assemble(&no_alg, &door.claims(&json!({})), b"");
        door.refuses("no alg", &token, "guard.token_malformed").await;
    });
}

/// The HMAC is a true one: who took this secret for the key would let the token in.
fn assert_verifies(token: &str, secret: &[u8], case: &str) {
    let mut validation = Validation::new(Algorithm::HS256);
    validation.validate_aud = false;
    let key = DecodingKey::from_secret(secret);
    let read = jsonwebtoken::decode::<Value>(token, &key, &validation);
    assert!(read.is_ok(), "{case}: {read:?}");
}

#[test]
fn guard_refuses_an_hmac_keyed_with_the_public_key() {
    at_the_door(async |door| {
        for (case, secret) in door.forge.public_encodings() {
            let header = changed(&door.forge.header(), &json!({ "alg": "HS256" }));
            let token = hmac(&header, &door.claims(&json!({})), &secret, Algorithm::HS256);
            assert_verifies(&token, &secret, case);
            door.refuses(case, &token, "guard.token_algorithm").await;
            let owner = hmac(&header, &owner_claims(), &secret, Algorithm::HS256);
            let refused = sql(door, &owner).await;
            assert_problem(&refused, 401, "guard.token_algorithm", case);
            // The same, but calling itself ES256.
            let lie = door.forge.header();
            let token = hmac(&lie, &door.claims(&json!({})), &secret, Algorithm::HS256);
            door.refuses(case, &token, "guard.token_signature").await;
        }
    });
}

async fn sql(door: &Door, token: &str) -> crate::support::http::Answer {
    let url = format!("{}/v1/database/{}/sql", door.uri(), door.database.name);
    let bearer = format!("Bearer {token}");
    send_raw("POST", &url, &[("authorization", &bearer)], "SELECT * FROM realm_owner").await
}

#[test]
fn guard_takes_a_forged_owner_for_the_owner_only_with_the_right_key() {
    at_the_door(async |door| {
        let good = door.forge.sign(&door.forge.header(), &owner_claims());
        assert_eq!(sql(door, &good).await.status, 200);
        let stranger = stranger();
        let header = door.forge.header();
        let refused = sql(door, &stranger.sign(&header, &owner_claims())).await;
        assert_problem(&refused, 401, "guard.token_signature", "foreign key, our kid");
        for change in [
            json!({ "aud": ["haven-realm:haven"] }),
            json!({ "role": "administrator" }),
            json!({ "sub": "1" }),
            json!({ "aud": [tokens::realm_audience(&door.database.name)], "sub": "1" }),
        ] {
            let token = door.forge.sign(&header, &changed(&owner_claims(), &change));
            let refused = sql(door, &token).await;
            assert_problem(&refused, 401, "guard.token_role", &change.to_string());
        }
    });
}

fn stranger() -> Forge {
    let dir = tempfile::TempDir::new().expect("a directory");
    Forge::new(&KeyStore::open_or_create(dir.path()).expect("keys"))
}

#[test]
fn guard_refuses_other_algorithms_even_over_a_true_signature() {
    at_the_door(async |door| {
        for alg in ["RS256", "RS512", "PS256", "ES384", "ES256K", "EdDSA", "HS256", "es256"] {
            let header = changed(&door.forge.header(), &json!({ "alg": alg }));
            let token = door.forge.sign(&header, &door.claims(&json!({})));
            door.refuses(alg, &token, "guard.token_algorithm").await;
        }
    });
}

#[test]
fn guard_refuses_a_foreign_key_under_the_right_kid() {
    at_the_door(async |door| {
        let stranger = stranger();
        let claims = door.claims(&json!({}));
        let token = stranger.sign(&door.forge.header(), &claims);
        door.refuses("our kid", &token, "guard.token_signature").await;
        let brought = json!({
            "jwk": stranger.jwk, "jku": "http://127.0.0.1:1/jwks.json", "x5u": "http://127.0.0.1:1",
        });
        let token = stranger.sign(&changed(&door.forge.header(), &brought), &claims);
        door.refuses("a key of its own", &token, "guard.token_signature").await;
        let other = door.token(&json!({ "sub": "4711" }));
        let (_, signature) = other.rsplit_once('.').expect("three parts");
        let good = door.good();
        let (signed, _) = good.rsplit_once('.').expect("three parts");
        let spliced = format!("{signed}.{signature}");
        door.refuses("another token's signature", &spliced, "guard.token_signature").await;
    });
}

#[test]
fn guard_refuses_an_unknown_kid_and_a_missing_one() {
    at_the_door(async |door| {
        let claims = door.claims(&json!({}));
        let stranger = stranger();
        let own = stranger.sign(&stranger.header(), &claims);
        door.refuses("a foreign key, its kid", &own, "guard.token_key_unknown").await;
        for kid in [json!(null), json!(""), json!("0123456789abcdef"), json!("../jwks.json")] {
            let header = changed(&door.forge.header(), &json!({ "kid": kid }));
            let token = door.forge.sign(&header, &claims);
            door.refuses(&kid.to_string(), &token, "guard.token_key_unknown").await;
        }
        let header = changed(&door.forge.header(), &json!({ "kid": 7 }));
        let token = door.forge.sign(&header, &claims);
        door.refuses("a number", &token, "guard.token_malformed").await;
    });
}

/// Every change of the claims in turn is refused with that code.
fn refuses_claims(changes: impl FnOnce(&Door) -> Vec<Value>, code: &str) {
    at_the_door(async |door| {
        for change in changes(door) {
            door.refuses(&change.to_string(), &door.token(&change), code).await;
        }
    });
}

#[test]
fn guard_refuses_a_foreign_issuer() {
    let issuers = ["http://evil.example", "haven", "Haven-Tests", "haven-tests/", "", "localhost"];
    let changes = issuers.map(|issuer| json!({ "iss": issuer })).to_vec();
    refuses_claims(|_| changes, "guard.token_issuer");
}

#[test]
fn guard_refuses_a_token_without_exp() {
    refuses_claims(|_| vec![json!({ "exp": null })], "guard.token_expiry_missing");
}

#[test]
fn guard_refuses_an_expired_token() {
    let over = [now_seconds() - 6, now_seconds() - 86_400, 0, -1, i64::MIN];
    let changes = over.map(|exp| json!({ "exp": exp })).to_vec();
    refuses_claims(|_| changes, "guard.token_expired");
}

#[test]
fn guard_refuses_a_token_that_is_not_yet_valid() {
    let soon = now_seconds() + 120;
    let changes = vec![json!({ "nbf": soon }), json!({ "iat": soon }), json!({ "nbf": i64::MAX })];
    refuses_claims(|_| changes, "guard.token_not_yet_valid");
}

#[test]
fn guard_refuses_the_wrong_audience_and_both_at_once() {
    let changes = |door: &Door| {
        let own = tokens::realm_audience(&door.database.name);
        vec![
            json!({ "aud": ["haven-gateway"] }),
            json!({ "aud": "haven-gateway" }),
            json!({ "aud": [] }),
            json!({ "aud": ["haven-realm:"] }),
            json!({ "aud": ["haven-realm:*"] }),
            json!({ "aud": [own.to_uppercase()] }),
            json!({ "aud": [format!("{own}x")] }),
            json!({ "aud": [door.database.name] }),
            json!({ "aud": ["haven-admin", own] }),
            json!({ "aud": [own, "haven-admin"], "sub": "owner", "role": "owner" }),
        ]
    };
    refuses_claims(changes, "guard.token_audience");
}

#[test]
fn guard_refuses_a_role_that_does_not_go_with_its_audience() {
    let changes = |_: &Door| {
        vec![
            json!({ "role": "owner" }),
            json!({ "role": "owner", "sub": "owner" }),
            json!({ "sub": "owner" }),
            json!({ "sub": "" }),
            json!({ "role": "king" }),
            json!({ "role": "Player" }),
            json!({ "aud": ["haven-admin"] }),
        ]
    };
    refuses_claims(changes, "guard.token_role");
}

#[test]
fn guard_refuses_another_realms_token() {
    at_the_door(async |door| {
        let other = Database::publish(door.database.stage.clone()).await;
        other.configure().await;
        other.grant(door.account_id, "player", 900).await.expect("admitted there");
        let token = player_token(&door.database.stage.keys, &other.name, door.account_id, "player");
        door.refuses("another realm's", &token, "guard.token_audience").await;
        let there = other.connect(door.account_id, "player").await.expect("good where it is for");
        there.close().await;
        // One that names both opens both, and nothing else.
        let both = json!({ "aud": [
            tokens::realm_audience(&door.database.name), tokens::realm_audience(&other.name),
        ]});
        door.admits("both realms", &door.token(&both)).await;
    });
}

#[test]
fn guard_refuses_the_gateways_own_tokens() {
    at_the_door(async |door| {
        let (keys, account_id) = (&door.database.stage.keys, door.account_id);
        let bearer = Bearer { account_id, session_id: account_id, role: "player" };
        let lifetime = Duration::from_mins(1);
        let token = tokens::access_token(keys, crate::support::ISSUER, bearer, lifetime);
        let token = token.expect("a token");
        door.refuses("an access token", &token, "guard.token_audience").await;
    });
}

#[test]
fn guard_refuses_garbage() {
    at_the_door(async |door| {
        let good = door.good();
        let critical = changed(&door.forge.header(), &json!({ "crit": ["exp"] }));
        let encrypted = changed(&door.forge.header(), &json!({ "typ": "JWE" }));
        let claims = door.claims(&json!({}));
        for token in [
            "x".to_owned(),
            "..".to_owned(),
            "a.b.c".to_owned(),
            format!("{good}.more"),
            format!(".{good}"),
            good.replace('.', ""),
            good.replacen('.', "=.", 1),
            format!("{good} {good}"),
            assemble(&json!([]), &claims, b""),
            assemble(&json!("ES256"), &claims, b""),
            door.forge.sign(&critical, &claims),
            door.forge.sign(&encrypted, &claims),
            door.forge.sign(&door.forge.header(), &json!([1])),
            door.token(&json!({ "exp": "tomorrow" })),
            door.token(&json!({ "iss": null })),
            door.token(&json!({ "aud": null })),
            door.token(&json!({ "sub": null })),
            door.token(&json!({ "role": null })),
        ] {
            door.refuses(&token, &token, "guard.token_malformed").await;
        }
    });
}

#[test]
fn guard_refuses_an_oversized_token_unread() {
    at_the_door(async |door| {
        let padded = |bytes: usize| door.token(&json!({ "jti": "x".repeat(bytes) }));
        let max = haven_engine::TOKEN_BYTES_MAX;
        door.refuses("signed and long", &padded(max), "guard.token_too_long").await;
        door.refuses("long", &"x".repeat(max + 1), "guard.token_too_long").await;
        door.refuses("just not too long", &"x".repeat(max), "guard.token_malformed").await;
        door.admits("half as long", &padded(max / 2)).await;
    });
}

#[test]
fn guard_checks_a_token_in_the_query_like_one_in_the_header() {
    at_the_door(async |door| {
        let good = door.good();
        let opened = door.upgrade(&[], &format!("?token={good}")).await;
        assert_eq!(opened.status, 101, "{opened:?}");
        let unsigned = changed(&door.forge.header(), &json!({ "alg": "none" }));
        for (token, code) in [
            ("x".to_owned(), "guard.token_malformed"),
            (String::new(), "guard.token_malformed"),
            (assemble(&unsigned, &door.claims(&json!({})), b""), "guard.token_algorithm"),
            (door.token(&json!({ "exp": now_seconds() - 60 })), "guard.token_expired"),
            (door.token(&json!({ "exp": null })), "guard.token_expiry_missing"),
            (door.token(&json!({ "iss": "evil" })), "guard.token_issuer"),
            ("x".repeat(haven_engine::TOKEN_BYTES_MAX + 1), "guard.token_too_long"),
        ] {
            let refused = door.upgrade(&[], &format!("?token={token}")).await;
            assert_problem(&refused, 401, code, &token);
        }
        assert_problem(&door.upgrade(&[], "").await, 401, "guard.token_missing", "no token");
        let twice = format!("?token={good}&token={good}");
        let refused = door.upgrade(&[], &twice).await;
        assert_problem(&refused, 400, "guard.query_malformed", "two tokens");
    });
}

#[test]
fn guard_takes_one_authorization_header_and_never_falls_back_to_the_query() {
    at_the_door(async |door| {
        let (good, owner) = (door.good(), owner_token(&door.database.stage.keys));
        let (bearer, owners) = (format!("Bearer {good}"), format!("Bearer {owner}"));
        let query = format!("?token={good}");
        for headers in [
            vec![("authorization", bearer.as_str()), ("authorization", bearer.as_str())],
            vec![("authorization", bearer.as_str()), ("authorization", owners.as_str())],
            vec![("authorization", "Bearer x"), ("authorization", bearer.as_str())],
            vec![("authorization", "Basic b3duZXI6")],
            vec![("authorization", "Bearer")],
            vec![("authorization", good.as_str())],
            vec![("authorization", "")],
        ] {
            for query in ["", query.as_str()] {
                let refused = door.upgrade(&headers, query).await;
                let case = format!("{headers:?} {query}");
                assert_problem(&refused, 401, "guard.token_malformed", &case);
            }
        }
        let lower = format!("bearer {good}");
        let opened = door.upgrade(&[("authorization", lower.as_str())], "").await;
        assert_eq!(opened.status, 101, "the scheme is not case-sensitive (RFC 9110, 11.1)");
    });
}
