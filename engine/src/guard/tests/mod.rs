//! What the guard's tests share: an issuer with keys, a guard that trusts it, and tokens.
//!
//! Keeps true: a token of [`Issuer::token`] is accepted as it is, so each test's single change is
//! what its refusal is about.
//! Leaves out on purpose: the engine; none runs here.

mod requests;
mod sources;
mod tokens;

use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use jsonwebtoken::{Algorithm, EncodingKey, Header, encode};
use serde_json::{Value, json};
use spacetimedb::Identity;
use spacetimedb::auth::EcKeyPair;
use tempfile::TempDir;

use super::{Guard, GuardConfig, KeySource, Logbook};
use crate::ticket::TicketOffice;

pub(super) const ISSUER: &str = "haven";
pub(super) const KID: &str = "key-1";

/// A key pair in the forms that tests need.
pub(super) struct Pair {
    pub(super) private: EncodingKey,
    pub(super) public_pem: String,
    /// As `SubjectPublicKeyInfo`; its last 65 bytes are the uncompressed point.
    pub(super) public_der: Vec<u8>,
}

impl Pair {
    pub(super) fn generate() -> Self {
        let pair = EcKeyPair::generate().expect("a key pair");
        let public_pem = String::from_utf8(pair.public_key_bytes).expect("PEM is text");
        let body: String = public_pem.lines().filter(|line| !line.starts_with("---")).collect();
        Self {
            private: EncodingKey::from_ec_pem(&pair.private_key_bytes).expect("our own key"),
            public_der: STANDARD.decode(body).expect("PEM is base64"),
            public_pem,
        }
    }

    pub(super) fn point(&self) -> &[u8] {
        &self.public_der[self.public_der.len() - 65..]
    }

    pub(super) fn jwk(&self, kid: &str) -> Value {
        let (x, y) = self.point()[1..].split_at(32);
        json!({
            "kty": "EC", "crv": "P-256", "alg": "ES256", "use": "sig", "kid": kid,
            "x": URL_SAFE_NO_PAD.encode(x), "y": URL_SAFE_NO_PAD.encode(y),
        })
    }
}

/// A logbook whose one database, `haven`, is always written.
struct Written;

#[async_trait::async_trait]
impl Logbook for Written {
    fn identity(&self, database: &str) -> Option<Identity> {
        (database == "haven").then_some(Identity::ONE)
    }

    async fn written(&self, database: &str) -> Option<bool> {
        (database == "haven").then_some(true)
    }
}

/// An issuer, its key set in a file, and a guard that trusts it.
pub(crate) struct Issuer {
    pub(super) pair: Pair,
    pub(super) guard: Arc<Guard>,
    pub(super) tickets: Arc<TicketOffice>,
    pub(crate) folder: TempDir,
}

impl Issuer {
    pub(crate) fn new() -> Self {
        let folder = tempfile::tempdir().expect("a temporary directory");
        let file = folder.path().join("jwks.json");
        let pair = Pair::generate();
        let set = json!({ "keys": [pair.jwk(KID)] });
        std::fs::write(&file, set.to_string()).expect("a writable directory");
        let tickets = Arc::new(TicketOffice::new().expect("a key pair"));
        let config = GuardConfig::new(ISSUER, KeySource::File(file));
        let guard =
            Arc::new(Guard::new(config, tickets.clone(), Arc::new(Written), Arc::default()));
        Self { pair, guard, tickets, folder }
    }

    /// The claims of a good token of a player, with `change` laid over them; `null` removes.
    pub(super) fn claims(change: &Value) -> Value {
        let now = now();
        let mut claims = json!({
            "iss": ISSUER, "sub": "42", "aud": ["haven-realm:haven"], "role": "player",
            "iat": now, "exp": now + 900, "jti": "1", "sid": "7",
        });
        let fields = claims.as_object_mut().expect("an object");
        for (name, value) in change.as_object().expect("an object") {
            if value.is_null() {
                fields.remove(name);
            } else {
                fields.insert(name.clone(), value.clone());
            }
        }
        claims
    }

    pub(crate) fn token(&self, change: &Value) -> String {
        sign(&header(Algorithm::ES256), &Self::claims(change), &self.pair.private)
    }

    pub(crate) fn owner_token(&self) -> String {
        self.token(&json!({ "sub": "owner", "role": "owner", "aud": ["haven-admin"] }))
    }
}

pub(super) fn header(algorithm: Algorithm) -> Header {
    Header { kid: Some(KID.to_owned()), ..Header::new(algorithm) }
}

pub(super) fn sign(header: &Header, claims: &Value, key: &EncodingKey) -> String {
    encode(header, claims, key).expect("claims that can be signed")
}

/// A token of any header, with a signature that is just bytes.
pub(super) fn forge(header: &Value, claims: &Value, signature: &[u8]) -> String {
    let part = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
    format!("{}.{}.{}", part(header), part(claims), URL_SAFE_NO_PAD.encode(signature))
}

pub(super) fn now() -> i64 {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).expect("a clock after 1970");
    i64::try_from(now.as_secs()).expect("a clock before the year 292277026596")
}
