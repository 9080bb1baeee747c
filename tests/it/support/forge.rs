//! Tokens that nobody should accept: any header, any claims, any signature.
//!
//! Keeps true: what [`Forge::sign`] makes of an unchanged header and unchanged claims is accepted,
//! so a refusal is about the one thing that a test changes.

use super::ISSUER;
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use haven_gateway::keys::KeyStore;
use haven_gateway::tokens::realm_audience;
use jsonwebtoken::{Algorithm, EncodingKey};
use serde_json::{Value, json};

/// What stands before the point in a public key on P-256 (RFC 5480, 2).
const SPKI_PREFIX: [u8; 26] = [
    0x30, 0x59, 0x30, 0x13, 0x06, 0x07, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01, 0x06, 0x08, 0x2a,
    0x86, 0x48, 0xce, 0x3d, 0x03, 0x01, 0x07, 0x03, 0x42, 0x00,
];

/// A key pair of a deployment, private half included.
pub(crate) struct Forge {
    private: EncodingKey,
    /// The public half as it stands in the key set.
    pub(crate) jwk: Value,
}

impl Forge {
    /// The pair that signs there.
    pub(crate) fn new(keys: &KeyStore) -> Self {
        let set: Value = serde_json::from_str(&keys.jwks()).expect("JSON");
        let listed = set["keys"].as_array().expect("keys");
        let jwk = listed.iter().find(|key| key["exp"].is_null()).expect("a key that signs").clone();
        let kid = jwk["kid"].as_str().expect("a kid");
        let pem = std::fs::read(keys.jwks_path().with_file_name(format!("{kid}.pem")));
        let private = EncodingKey::from_ec_pem(&pem.expect("readable")).expect("a private key");
        Self { private, jwk }
    }

    /// The header of a good token.
    pub(crate) fn header(&self) -> Value {
        json!({ "typ": "JWT", "alg": "ES256", "kid": self.jwk["kid"] })
    }

    /// A token with that header and a true ES256 signature, whatever the header says.
    pub(crate) fn sign(&self, header: &Value, claims: &Value) -> String {
        signed(header, claims, &self.private, Algorithm::ES256)
    }

    /// The public key in every form that somebody might take for the secret of an HMAC.
    pub(crate) fn public_encodings(&self) -> Vec<(&'static str, Vec<u8>)> {
        let text = |name: &str| self.jwk[name].as_str().expect("text").to_owned();
        let (jwk_x, jwk_y) = (text("x"), text("y"));
        let coordinate = |text: &str| URL_SAFE_NO_PAD.decode(text).expect("base64");
        let (x, y) = (coordinate(&jwk_x), coordinate(&jwk_y));
        let point = [&[4][..], &x, &y].concat();
        let compressed = [&[2 + (y[31] & 1)][..], &x].concat();
        let der = [&SPKI_PREFIX[..], &point].concat();
        let base64 = STANDARD.encode(&der);
        let (one, other) = base64.split_at(64);
        let pem = format!("-----BEGIN PUBLIC KEY-----\n{one}\n{other}\n-----END PUBLIC KEY-----");
        let hex = |bytes: &[u8]| {
            let digit = |nibble: u8| char::from_digit(nibble.into(), 16).expect("a digit");
            bytes.iter().flat_map(|byte| [digit(byte >> 4), digit(byte & 15)]).collect::<String>()
        };
        let set = json!({ "keys": [self.jwk] });
        vec![
            ("PEM", format!("{pem}\n").into_bytes()),
            ("PEM without newline", pem.clone().into_bytes()),
            ("PEM with CRLF", pem.replace('\n', "\r\n").into_bytes()),
            ("DER as base64", base64.into_bytes()),
            ("DER as base64url", URL_SAFE_NO_PAD.encode(&der).into_bytes()),
            ("DER as hex", hex(&der).into_bytes()),
            ("DER", der),
            ("point as base64", STANDARD.encode(&point).into_bytes()),
            ("point as hex", hex(&point).into_bytes()),
            ("point without tag", point[1..].to_vec()),
            ("point", point),
            ("compressed point as hex", hex(&compressed).into_bytes()),
            ("compressed point", compressed),
            ("x", x),
            ("y", y),
            ("JWK x", jwk_x.into_bytes()),
            ("JWK y", jwk_y.into_bytes()),
            ("JWK", self.jwk.to_string().into_bytes()),
            ("JWK, indented", format!("{:#}", self.jwk).into_bytes()),
            ("JWK set", set.to_string().into_bytes()),
            ("kid", text("kid").into_bytes()),
            ("nothing", vec![]),
        ]
    }
}

/// A token signed with a secret.
pub(crate) fn hmac(header: &Value, claims: &Value, secret: &[u8], algorithm: Algorithm) -> String {
    signed(header, claims, &EncodingKey::from_secret(secret), algorithm)
}

/// A token of any parts.
pub(crate) fn assemble(header: &Value, claims: &Value, signature: &[u8]) -> String {
    format!("{}.{}", unsigned(header, claims), URL_SAFE_NO_PAD.encode(signature))
}

fn signed(header: &Value, claims: &Value, key: &EncodingKey, algorithm: Algorithm) -> String {
    let message = unsigned(header, claims);
    let signature = jsonwebtoken::crypto::sign(message.as_bytes(), key, algorithm);
    format!("{message}.{}", signature.expect("a signature"))
}

fn unsigned(header: &Value, claims: &Value) -> String {
    let part = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
    format!("{}.{}", part(header), part(claims))
}

/// The claims of a good token of a player.
pub(crate) fn player_claims(database: &str, account_id: u64) -> Value {
    let (now, account) = (now_seconds(), account_id.to_string());
    json!({
        "iss": ISSUER, "sub": account, "aud": [realm_audience(database)], "role": "player",
        "iat": now, "exp": now + 900, "jti": "1", "sid": account,
    })
}

/// The claims of a good token of the owner.
pub(crate) fn owner_claims() -> Value {
    let now = now_seconds();
    json!({
        "iss": ISSUER, "sub": "owner", "aud": ["haven-admin"], "role": "owner",
        "iat": now, "exp": now + 900, "jti": "1",
    })
}

/// An object with others' fields laid over it; `null` removes.
pub(crate) fn changed(object: &Value, change: &Value) -> Value {
    let mut fields = object.as_object().expect("an object").clone();
    for (name, value) in change.as_object().expect("an object") {
        if value.is_null() {
            fields.remove(name);
        } else {
            fields.insert(name.clone(), value.clone());
        }
    }
    Value::Object(fields)
}

/// What a token says, unchecked.
pub(crate) fn claims_of(token: &str) -> Value {
    let part = token.split('.').nth(1).expect("three parts");
    let bytes = URL_SAFE_NO_PAD.decode(part).expect("base64");
    serde_json::from_slice(&bytes).expect("JSON")
}

/// Now, seconds since 1970.
pub(crate) fn now_seconds() -> i64 {
    super::now_micros() / 1_000_000
}
