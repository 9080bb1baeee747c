//! Where keys come from: a file that changes, a file that is missing, keys that do not fit, and an
//! address that is asked seldom.
//!
//! Keeps true: what left the source is not accepted; what is not there is not guessed.
//! Leaves out on purpose: HTTPS, which is the HTTP client's.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use axum07::{Json, Router, routing};
use serde_json::{Value, json};

use super::super::keys::KeyRing;
use super::super::{KeySource, Refusal};
use super::{Issuer, KID, Pair};

async fn accepts(issuer: &Issuer, token: &str) -> Result<(), Refusal> {
    issuer.guard.caller(token).await.map(|_| ())
}

/// Asks until the answer is `expected`: the source is looked at again after a while.
async fn wait_for(ring: &KeyRing, kid: &str, expected: Option<Refusal>) {
    let deadline = Instant::now() + Duration::from_secs(10);
    loop {
        let found = ring.key(kid).await.err();
        if found == expected {
            return;
        }
        assert!(Instant::now() < deadline, "{kid}: {found:?} instead of {expected:?}");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

fn write(issuer: &Issuer, keys: &[Value]) {
    let beside = issuer.folder.path().join("new");
    std::fs::write(&beside, json!({ "keys": keys }).to_string()).expect("writable");
    std::fs::rename(beside, issuer.folder.path().join("jwks.json")).expect("writable");
}

fn ring_of(issuer: &Issuer) -> KeyRing {
    KeyRing::new(KeySource::File(issuer.folder.path().join("jwks.json")))
}

#[tokio::test]
async fn a_file_that_is_missing_means_no() {
    let issuer = Issuer::new();
    std::fs::remove_file(issuer.folder.path().join("jwks.json")).expect("it was there");
    let token = issuer.token(&json!({}));
    assert_eq!(accepts(&issuer, &token).await, Err(Refusal::KeysUnavailable));
}

#[tokio::test]
async fn a_new_key_is_found_and_a_retired_one_forgotten() {
    let issuer = Issuer::new();
    let ring = ring_of(&issuer);
    wait_for(&ring, KID, None).await;
    wait_for(&ring, "key-2", Some(Refusal::TokenKeyUnknown)).await;
    write(&issuer, &[Pair::generate().jwk("key-2")]);
    wait_for(&ring, "key-2", None).await;
    wait_for(&ring, KID, Some(Refusal::TokenKeyUnknown)).await;
}

#[tokio::test]
async fn keys_that_do_not_fit_are_passed_over() {
    let issuer = Issuer::new();
    let good = issuer.pair.jwk("good");
    let with = |name: &str, value: Value| {
        let mut key = issuer.pair.jwk("bad");
        key[name] = value;
        key
    };
    for bad in [
        with("kty", json!("oct")),
        with("kty", json!("RSA")),
        with("crv", json!("P-384")),
        with("alg", json!("HS256")),
        with("use", json!("enc")),
        with("x", json!("AA")),
        with("y", json!("not base64!")),
        with("kid", json!("")),
        json!({ "kty": "oct", "kid": "bad", "k": "AAAA", "alg": "HS256" }),
        json!("bad"),
    ] {
        write(&issuer, &[bad.clone(), good.clone()]);
        let ring = ring_of(&issuer);
        assert!(ring.key("good").await.is_ok(), "{bad}");
        assert_eq!(ring.key("bad").await.err(), Some(Refusal::TokenKeyUnknown), "{bad}");
    }
}

#[tokio::test]
async fn an_address_is_asked_once_for_many_unknown_keys() {
    let asked = Arc::new(AtomicUsize::new(0));
    let set = json!({ "keys": [Pair::generate().jwk(KID)] });
    let count = asked.clone();
    let app = Router::new().route(
        "/jwks.json",
        routing::get(move || async move {
            count.fetch_add(1, Ordering::SeqCst);
            Json(set)
        }),
    );
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let addr = listener.local_addr().expect("bound");
    tokio::spawn(async move { axum07::serve(listener, app).await });

    let ring = KeyRing::new(KeySource::Uri(format!("http://{addr}/jwks.json")));
    assert!(ring.key(KID).await.is_ok());
    for n in 0..100 {
        let refusal = ring.key(&format!("unknown-{n}")).await.err();
        assert_eq!(refusal, Some(Refusal::TokenKeyUnknown));
    }
    assert!(asked.load(Ordering::SeqCst) <= 2, "{asked:?}");
    assert!(ring.key(KID).await.is_ok());
}

#[tokio::test]
async fn an_address_that_does_not_answer_means_no() {
    let ring = KeyRing::new(KeySource::Uri("http://127.0.0.1:1/jwks.json".to_owned()));
    assert_eq!(ring.key(KID).await.err(), Some(Refusal::KeysUnavailable));
}
