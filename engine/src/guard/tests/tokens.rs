//! Tokens that are accepted, and every kind that is not.
//!
//! Keeps true: each refusal of a token is reached, by the forgery it exists for.
//! Leaves out on purpose: where a token stands in a request.

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use jsonwebtoken::{Algorithm, DecodingKey, EncodingKey, Header};
use serde_json::{Value, json};

use super::super::token::{self, Standing};
use super::super::{Refusal, TOKEN_BYTES_MAX};
use super::{Issuer, KID, Pair, forge, header, now, sign};

async fn verdict(issuer: &Issuer, token: &str) -> Result<Standing, Refusal> {
    issuer.guard.caller(token).await.map(|caller| caller.standing)
}

#[track_caller]
fn assert_refused(verdict: &Result<Standing, Refusal>, expected: Refusal, case: &str) {
    assert_eq!(verdict, &Err(expected), "{case}");
}

/// A good token with one claim changed.
async fn check(change: Value, expected: Result<Standing, Refusal>) {
    let issuer = Issuer::new();
    let token = issuer.token(&change);
    assert_eq!(verdict(&issuer, &token).await, expected, "{change}");
}

fn player_of(database: &str) -> Standing {
    Standing::Player(vec![database.to_owned()])
}

#[tokio::test]
async fn a_players_token_is_accepted_for_its_realm() {
    let issuer = Issuer::new();
    let caller = issuer.guard.caller(&issuer.token(&json!({}))).await.expect("accepted");
    assert_eq!((&*caller.issuer, &*caller.subject), ("haven", "42"));
    assert_eq!(caller.standing, player_of("haven"));
    let remaining = caller.remaining().as_secs();
    assert!(caller.is_metered() && (890..=900).contains(&remaining), "{remaining}");
    for role in ["moderator", "game_master", "administrator", "service"] {
        check(json!({ "role": role }), Ok(player_of("haven"))).await;
    }
    check(json!({ "aud": "haven-realm:other" }), Ok(player_of("other"))).await;
}

#[tokio::test]
async fn the_owners_token_is_accepted() {
    let issuer = Issuer::new();
    assert_eq!(verdict(&issuer, &issuer.owner_token()).await, Ok(Standing::Owner));
}

#[tokio::test]
async fn a_token_without_signature_is_refused() {
    let issuer = Issuer::new();
    for alg in ["none", "None", "NONE", "nOnE", ""] {
        let header = json!({ "alg": alg, "typ": "JWT", "kid": KID });
        let token = forge(&header, &Issuer::claims(&json!({})), b"");
        assert_refused(&verdict(&issuer, &token).await, Refusal::TokenAlgorithm, alg);
    }
}

/// The public key in every form somebody might use as the secret of an HMAC.
fn encodings(pair: &Pair) -> Vec<(&'static str, Vec<u8>)> {
    let jwk = pair.jwk(KID);
    let text = |name: &str| jwk[name].as_str().expect("text").as_bytes().to_vec();
    let point = pair.point().to_vec();
    let mut compressed = vec![2 + (point[64] & 1)];
    compressed.extend_from_slice(&point[1..33]);
    vec![
        ("PEM", pair.public_pem.clone().into_bytes()),
        ("PEM without newline", pair.public_pem.trim_end().as_bytes().to_vec()),
        ("PEM with CRLF", pair.public_pem.replace('\n', "\r\n").into_bytes()),
        ("DER", pair.public_der.clone()),
        ("DER as text", STANDARD.encode(&pair.public_der).into_bytes()),
        ("point", point.clone()),
        ("point without tag", point[1..].to_vec()),
        ("compressed point", compressed),
        ("x", point[1..33].to_vec()),
        ("y", point[33..].to_vec()),
        ("JWK x", text("x")),
        ("JWK y", text("y")),
        ("JWK x and y", [text("x"), text("y")].concat()),
        ("JWK", jwk.to_string().into_bytes()),
        ("nothing", Vec::new()),
    ]
}

#[tokio::test]
async fn an_hmac_with_the_public_key_is_refused() {
    let issuer = Issuer::new();
    let claims = json!({ "sub": "owner", "role": "owner", "aud": ["haven-admin"] });
    let key = DecodingKey::from_ec_der(issuer.pair.point());
    for (case, secret) in encodings(&issuer.pair) {
        for algorithm in [Algorithm::HS256, Algorithm::HS384, Algorithm::HS512] {
            let secret = EncodingKey::from_secret(&secret);
            let token = sign(&header(algorithm), &Issuer::claims(&claims), &secret);
            assert_refused(&verdict(&issuer, &token).await, Refusal::TokenAlgorithm, case);
            // And the library alone, should the look at the header ever be lost.
            let library = token::caller(&token, &key, &issuer.guard.config);
            assert_eq!(library, Err(Refusal::TokenAlgorithm), "{case}");
        }
    }
}

#[tokio::test]
async fn an_hmac_that_calls_itself_es256_is_refused() {
    let issuer = Issuer::new();
    for (case, secret) in encodings(&issuer.pair) {
        let secret = EncodingKey::from_secret(&secret);
        let token = sign(&header(Algorithm::HS256), &Issuer::claims(&json!({})), &secret);
        let (_, rest) = token.split_once('.').expect("three parts");
        let lie = URL_SAFE_NO_PAD.encode(json!({ "alg": "ES256", "kid": KID }).to_string());
        let verdict = verdict(&issuer, &format!("{lie}.{rest}")).await;
        assert_refused(&verdict, Refusal::TokenSignature, case);
    }
}

#[tokio::test]
async fn other_algorithms_are_refused() {
    let issuer = Issuer::new();
    for alg in ["ES384", "ES256K", "RS256", "PS256", "EdDSA", "es256", "ES256 "] {
        let header = json!({ "alg": alg, "typ": "JWT", "kid": KID });
        let token = forge(&header, &Issuer::claims(&json!({})), &[1; 64]);
        assert_refused(&verdict(&issuer, &token).await, Refusal::TokenAlgorithm, alg);
    }
}

#[tokio::test]
async fn a_key_that_is_not_listed_is_refused() {
    let issuer = Issuer::new();
    let claims = Issuer::claims(&json!({}));
    for kid in [None, Some(""), Some("key-2"), Some("../jwks.json")] {
        let kid = kid.map(str::to_owned);
        let header = Header { kid, ..Header::new(Algorithm::ES256) };
        let token = sign(&header, &claims, &issuer.pair.private);
        let case = format!("{:?}", header.kid);
        assert_refused(&verdict(&issuer, &token).await, Refusal::TokenKeyUnknown, &case);
    }
}

#[tokio::test]
async fn a_signature_from_another_key_is_refused() {
    let issuer = Issuer::new();
    let stranger = Pair::generate();
    let claims = Issuer::claims(&json!({}));
    let token = sign(&header(Algorithm::ES256), &claims, &stranger.private);
    assert_refused(&verdict(&issuer, &token).await, Refusal::TokenSignature, "another key");

    // A header that brings its own key, or says where to fetch one, changes nothing.
    let mut own = header(Algorithm::ES256);
    own.jwk = serde_json::from_value(stranger.jwk(KID)).ok();
    own.jku = Some("http://127.0.0.1:1/jwks.json".to_owned());
    let token = sign(&own, &claims, &stranger.private);
    assert_refused(&verdict(&issuer, &token).await, Refusal::TokenSignature, "a key of its own");

    let good = issuer.token(&json!({}));
    let (signed, _) = good.rsplit_once('.').expect("three parts");
    let other = issuer.token(&json!({ "sub": "43" }));
    let (_, signature) = other.rsplit_once('.').expect("three parts");
    let token = format!("{signed}.{signature}");
    assert_refused(&verdict(&issuer, &token).await, Refusal::TokenSignature, "another token's");
    for signature in [&[0; 64][..], &[0xff; 64], &[1; 63], b""] {
        let token = format!("{signed}.{}", URL_SAFE_NO_PAD.encode(signature));
        let verdict = verdict(&issuer, &token).await;
        assert_refused(&verdict, Refusal::TokenSignature, "bytes");
    }
}

#[tokio::test]
async fn a_foreign_issuer_is_refused() {
    for issuer in ["http://evil.example", "Haven", "haven/", "", "localhost", "haven-engine"] {
        check(json!({ "iss": issuer }), Err(Refusal::TokenIssuer)).await;
    }
    check(json!({ "iss": null }), Err(Refusal::TokenMalformed)).await;
    check(json!({ "iss": ["haven"] }), Err(Refusal::TokenMalformed)).await;
}

#[tokio::test]
async fn a_token_needs_an_expiry_that_is_not_over() {
    check(json!({ "exp": null }), Err(Refusal::TokenExpiryMissing)).await;
    check(json!({ "exp": now() - 10 }), Err(Refusal::TokenExpired)).await;
    check(json!({ "exp": 0 }), Err(Refusal::TokenExpired)).await;
    check(json!({ "exp": i64::MIN }), Err(Refusal::TokenExpired)).await;
    check(json!({ "exp": now() - 2 }), Ok(player_of("haven"))).await;
    check(json!({ "exp": i64::MAX }), Ok(player_of("haven"))).await;
    check(json!({ "exp": "tomorrow" }), Err(Refusal::TokenMalformed)).await;
    check(json!({ "exp": u64::MAX }), Err(Refusal::TokenMalformed)).await;
}

#[tokio::test]
async fn a_token_from_the_future_is_refused() {
    check(json!({ "nbf": now() + 60 }), Err(Refusal::TokenNotYetValid)).await;
    check(json!({ "iat": now() + 60 }), Err(Refusal::TokenNotYetValid)).await;
    check(json!({ "nbf": now() + 2 }), Ok(player_of("haven"))).await;
    check(json!({ "iat": null }), Ok(player_of("haven"))).await;
}

#[tokio::test]
async fn a_token_for_another_purpose_is_refused() {
    for audience in [
        json!(["haven-gateway"]),
        json!("haven-gateway"),
        json!([]),
        json!(["haven-engine"]),
        json!(["haven-realm:"]),
        json!(["Haven-Realm:haven"]),
        json!(["haven-admin", "haven-realm:haven"]),
    ] {
        check(json!({ "aud": audience }), Err(Refusal::TokenAudience)).await;
    }
    check(json!({ "aud": null }), Err(Refusal::TokenMalformed)).await;
}

#[tokio::test]
async fn a_role_goes_with_its_audience_and_subject_only() {
    let admin = ["haven-admin"];
    for change in [
        json!({ "role": "owner" }),
        json!({ "role": "owner", "sub": "owner" }),
        json!({ "sub": "owner" }),
        json!({ "sub": "" }),
        json!({ "role": "king" }),
        json!({ "role": "" }),
        json!({ "aud": admin }),
        json!({ "aud": admin, "role": "administrator", "sub": "owner" }),
        json!({ "aud": admin, "role": "owner" }),
        json!({ "aud": admin, "role": "owner", "sub": "o".repeat(129) }),
    ] {
        check(change, Err(Refusal::TokenRole)).await;
    }
    check(json!({ "role": null }), Err(Refusal::TokenMalformed)).await;
    check(json!({ "sub": null }), Err(Refusal::TokenMalformed)).await;
}

#[tokio::test]
async fn what_is_not_a_token_is_refused() {
    let issuer = Issuer::new();
    let good = issuer.token(&json!({}));
    let critical = json!({ "alg": "ES256", "kid": KID, "crit": ["exp"], "exp": 1 });
    let other_type = json!({ "alg": "ES256", "kid": KID, "typ": "at+jwt" });
    for token in [
        String::new(),
        "x".to_owned(),
        "..".to_owned(),
        "a.b.c".to_owned(),
        format!("{good}.more"),
        format!(".{good}"),
        good.replace('.', ""),
        good.replacen('.', "=.", 1),
        forge(&json!([]), &json!({}), b""),
        forge(&critical, &Issuer::claims(&json!({})), &[1; 64]),
        forge(&other_type, &Issuer::claims(&json!({})), &[1; 64]),
        sign(&header(Algorithm::ES256), &json!([1]), &issuer.pair.private),
    ] {
        assert_refused(&verdict(&issuer, &token).await, Refusal::TokenMalformed, &token);
    }
    let twice = r#"{"alg":"ES256","alg":"ES256","kid":"key-1"}"#;
    let token = format!("{}.e30.AA", URL_SAFE_NO_PAD.encode(twice));
    assert_refused(&verdict(&issuer, &token).await, Refusal::TokenMalformed, "alg twice");
}

#[tokio::test]
async fn a_token_that_is_too_long_is_refused_unread() {
    let issuer = Issuer::new();
    let long = issuer.token(&json!({ "jti": "x".repeat(TOKEN_BYTES_MAX) }));
    assert_refused(&verdict(&issuer, &long).await, Refusal::TokenTooLong, "a long claim");
}
