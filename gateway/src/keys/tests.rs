//! The key store and the tokens it must refuse.

use std::{fs, sync::Barrier, thread, time::Duration};

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use jsonwebtoken::{Algorithm, EncodingKey, Header};
use serde_json::{Value, json};
use tempfile::TempDir;

use super::*;
use crate::tokens::{self, ADMIN_AUDIENCE, Bearer, GATEWAY_AUDIENCE};

const ISSUER: &str = "haven";

fn store() -> (TempDir, KeyStore) {
    let dir = TempDir::new().expect("a directory");
    let store = KeyStore::open_or_create(dir.path().join("keys")).expect("a key store");
    (dir, store)
}

fn access(store: &KeyStore) -> String {
    let bearer = Bearer { account_id: 7, session_id: 9, role: "player" };
    let lifetime = Duration::from_mins(15);
    tokens::access_token(store, ISSUER, bearer, lifetime).expect("a token")
}

fn check(store: &KeyStore, token: &str, expected: Result<(), TokenError>) {
    let read = store.verify(token, ISSUER, GATEWAY_AUDIENCE).map(drop);
    assert_eq!(read, expected, "{token}");
}

/// Signs claims of one's own with the store's private key.
fn forged(store: &KeyStore, header: &Header, claims: &Value) -> String {
    let loaded = store.loaded.read().expect("the keys");
    jsonwebtoken::encode(header, claims, &loaded.signing).expect("a token")
}

fn header(store: &KeyStore) -> Header {
    let mut header = Header::new(Algorithm::ES256);
    header.kid = Some(store.loaded.read().expect("the keys").kid.clone());
    header
}

fn claims(change: impl FnOnce(&mut Value)) -> Value {
    let now = unix_seconds();
    let mut claims = json!({
        "iss": ISSUER, "sub": "7", "aud": [GATEWAY_AUDIENCE], "iat": now, "exp": now + 900,
        "jti": "1", "sid": "9", "role": "player",
    });
    change(&mut claims);
    claims
}

#[test]
fn a_token_says_what_was_signed() {
    let (_dir, store) = store();
    let read = store.verify(&access(&store), ISSUER, GATEWAY_AUDIENCE).expect("claims");
    assert_eq!((read.sub.as_str(), read.sid.as_deref()), ("7", Some("9")));
    assert_eq!((read.role.as_str(), read.exp - read.iat), ("player", 900));
    check(&store, &forged(&store, &header(&store), &claims(|_| ())), Ok(()));
}

#[test]
fn tokens_for_others_are_refused() {
    let (_dir, store) = store();
    let invalid = Err(TokenError::Invalid);
    let owner = tokens::owner_token(&store, ISSUER, 60).expect("a token");
    check(&store, &owner, invalid);
    assert!(store.verify(&owner, ISSUER, ADMIN_AUDIENCE).is_ok());
    assert!(store.verify(&owner, "elsewhere", ADMIN_AUDIENCE).is_err());
    for change in [
        |claims: &mut Value| claims["iss"] = json!("elsewhere"),
        |claims: &mut Value| claims["aud"] = json!(["haven-realm:haven"]),
        |claims: &mut Value| drop(claims.as_object_mut().expect("claims").remove("aud")),
        |claims: &mut Value| drop(claims.as_object_mut().expect("claims").remove("exp")),
        |claims: &mut Value| claims["nbf"] = json!(unix_seconds() + 3_600),
    ] {
        check(&store, &forged(&store, &header(&store), &claims(change)), invalid);
    }
}

#[test]
fn an_expired_token_is_told_apart() {
    let (_dir, store) = store();
    let expired = claims(|claims| claims["exp"] = json!(unix_seconds() - 60));
    check(&store, &forged(&store, &header(&store), &expired), Err(TokenError::Expired));
}

#[test]
fn other_algorithms_are_refused() {
    let (_dir, store) = store();
    let invalid = Err(TokenError::Invalid);
    let kid = header(&store).kid;
    let encode = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
    let body = encode(&claims(|_| ()));
    for alg in ["none", "None", "nOnE", ""] {
        let head = encode(&json!({"alg": alg, "typ": "JWT", "kid": kid}));
        check(&store, &format!("{head}.{body}."), invalid);
    }
    let set: Value = serde_json::from_str(&store.jwks()).expect("a key set");
    let key = &set["keys"][0];
    let part = |name: &str| {
        URL_SAFE_NO_PAD.decode(key[name].as_str().expect("a coordinate")).expect("base64")
    };
    let raw = [vec![4], part("x"), part("y")].concat();
    let mut hmac = Header::new(Algorithm::HS256);
    hmac.kid = kid;
    for secret in [raw.as_slice(), &raw[1..], key.to_string().as_bytes(), store.jwks().as_bytes()] {
        let signing = EncodingKey::from_secret(secret);
        let token = jsonwebtoken::encode(&hmac, &claims(|_| ()), &signing).expect("a token");
        check(&store, &token, invalid);
    }
}

#[test]
fn unknown_keys_and_broken_tokens_are_refused() {
    let (_dir, store) = store();
    let invalid = Err(TokenError::Invalid);
    let (_other_dir, other) = self::store();
    check(&store, &access(&other), invalid);
    let mut foreign = header(&store);
    check(&store, &forged(&other, &foreign, &claims(|_| ())), invalid);
    foreign.kid = None;
    check(&store, &forged(&store, &foreign, &claims(|_| ())), invalid);
    foreign.kid = Some("../../etc/passwd".to_owned());
    check(&store, &forged(&store, &foreign, &claims(|_| ())), invalid);
    let good = access(&store);
    for token in ["", ".", "..", "a.b.c", &good[..good.len() - 4], &format!("{good}x")] {
        check(&store, token, invalid);
    }
}

#[test]
fn two_first_starts_end_with_one_key_set() {
    let dir = TempDir::new().expect("a directory");
    let path = dir.path().join("keys");
    let start = Barrier::new(8);
    let stores: Vec<KeyStore> = thread::scope(|scope| {
        let open = || {
            start.wait();
            KeyStore::open_or_create(&path).expect("a key store")
        };
        let threads: Vec<_> = (0..8).map(|_| scope.spawn(open)).collect();
        threads.into_iter().map(|thread| thread.join().expect("no panic")).collect()
    });
    for store in &stores {
        assert_eq!(store.jwks(), stores[0].jwks());
        check(store, &access(&stores[0]), Ok(()));
    }
    let files = fs::read_dir(&path).expect("the directory").count();
    assert_eq!(files, 3, "jwks.json, one private key and the lock");
}

#[test]
fn a_rotation_reaches_the_other_gateway_and_overlaps() {
    let (_dir, store) = store();
    let other = KeyStore::open_or_create(&store.dir).expect("a key store");
    let old = access(&store);
    let old_kid = header(&store).kid;
    let kid = store.rotate().expect("a rotation");
    let new = access(&store);
    assert_eq!(jsonwebtoken::decode_header(&new).expect("a header").kid, Some(kid.clone()));
    for store in [&store, &other] {
        check(store, &old, Ok(()));
        check(store, &new, Ok(()));
    }
    let set: Value = serde_json::from_str(&other.jwks()).expect("a key set");
    let retires_at = set["keys"][0]["exp"].as_u64().expect("an end");
    assert!(retires_at >= unix_seconds() + LONGEST_TOKEN_SECONDS - 60);
    assert!(!pem_path(&store.dir, &old_kid.expect("a kid")).exists());
    assert!(pem_path(&store.dir, &kid).exists());
}

#[test]
fn a_retired_key_no_longer_verifies() {
    let (_dir, store) = store();
    let old = access(&store);
    store.rotate_with_overlap(Duration::ZERO).expect("a rotation");
    check(&store, &old, Err(TokenError::Invalid));
    let set: Value = serde_json::from_str(&store.jwks()).expect("a key set");
    assert_eq!(set["keys"].as_array().expect("keys").len(), 1);
}

#[test]
fn the_key_set_holds_public_keys_only() {
    let (_dir, store) = store();
    store.rotate().expect("a rotation");
    let set: Value = serde_json::from_str(&store.jwks()).expect("a key set");
    for key in set["keys"].as_array().expect("keys") {
        let key = key.as_object().expect("a key");
        let allowed = ["kid", "kty", "crv", "alg", "use", "x", "y", "iat", "exp"];
        assert!(key.keys().all(|name| allowed.contains(&name.as_str())), "{key:?}");
    }
    assert!(!format!("{store:?}").contains("PRIVATE"));
}

#[cfg(unix)]
#[test]
fn files_are_readable_by_their_owner_only() {
    use std::os::unix::fs::PermissionsExt;
    let (_dir, store) = store();
    let mode = |path: &Path| fs::metadata(path).expect("metadata").permissions().mode() & 0o777;
    assert_eq!(mode(&store.dir), 0o700);
    for entry in fs::read_dir(&store.dir).expect("the directory") {
        let path = entry.expect("an entry").path();
        assert_eq!(mode(&path), 0o600, "{}", path.display());
    }
}

#[test]
fn broken_files_are_named() {
    let (_dir, store) = store();
    fs::write(store.jwks_path(), "{").expect("a write");
    let refused = KeyStore::open_or_create(&store.dir).expect_err("a broken key set");
    assert!(refused.to_string().contains("jwks.json"), "{refused}");
    assert!(!access(&store).is_empty(), "who has read the keys before goes on with them");
}
