//! The key set: what `jwks.json` says, and how a key pair comes to be.
//!
//! Keeps true: exactly one key of a set signs (the one without `exp`), and a set holds public keys
//! only. `iat` and `exp` are members of our own; RFC 7517, 4 lets readers ignore them.

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use jsonwebtoken::DecodingKey;
use p256::{
    SecretKey,
    elliptic_curve::sec1::ToEncodedPoint,
    pkcs8::{EncodePrivateKey, LineEnding},
};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

/// A JSON Web Key Set (RFC 7517, 5).
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(super) struct KeySet {
    /// The keys, oldest first.
    pub(super) keys: Vec<PublicKey>,
}

/// One public key as a JSON Web Key (RFC 7517, 4; RFC 7518, 6.2.1).
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct PublicKey {
    pub(super) kid: String,
    kty: String,
    crv: String,
    alg: String,
    #[serde(rename = "use")]
    purpose: String,
    x: String,
    y: String,
    /// When the key was made, seconds since 1970.
    pub(super) iat: u64,
    /// When it stops verifying, seconds since 1970; the key that signs has none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) exp: Option<u64>,
}

/// A fresh key pair.
pub(super) struct KeyPair {
    pub(super) public: PublicKey,
    /// The private key, PKCS#8 in PEM.
    pub(super) pem: String,
}

impl KeySet {
    /// Reads `jwks.json`.
    pub(super) fn parse(text: &str) -> Result<Self, String> {
        serde_json::from_str(text).map_err(|error| error.to_string())
    }

    /// The text of `jwks.json`.
    pub(super) fn to_text(&self) -> String {
        serde_json::to_string_pretty(self).expect("invariant: a key set is plain JSON")
    }

    /// The key that signs.
    pub(super) fn signing(&self) -> Option<&PublicKey> {
        self.keys.iter().rev().find(|key| key.exp.is_none())
    }

    /// Lets every key end at `ends_at` at the latest, and forgets those that have ended.
    /// Returns the kids of the keys that no longer sign.
    pub(super) fn retire(&mut self, now: u64, ends_at: u64) -> Vec<String> {
        for key in &mut self.keys {
            key.exp = Some(key.exp.map_or(ends_at, |exp| exp.min(ends_at)));
        }
        let kids = self.keys.iter().map(|key| key.kid.clone()).collect();
        self.keys.retain(|key| key.exp.is_none_or(|exp| exp > now));
        kids
    }
}

impl PublicKey {
    /// Whether the key verifies at that instant, seconds since 1970.
    pub(super) fn verifies_at(&self, now: u64) -> bool {
        self.exp.is_none_or(|exp| now < exp)
    }

    /// The key in the form that verifies.
    pub(super) fn decoding_key(&self) -> Result<DecodingKey, String> {
        if self.kty != "EC" || self.crv != "P-256" || self.alg != "ES256" {
            return Err(format!("key {} is not an ES256 key", self.kid));
        }
        DecodingKey::from_ec_components(&self.x, &self.y).map_err(|error| error.to_string())
    }
}

impl KeyPair {
    /// Makes a key pair on P-256. Its kid is the first 16 hex digits of the SHA-256 of the public
    /// key as an uncompressed point (SEC 1, 2.3.3).
    pub(super) fn generate(now: u64) -> Self {
        let secret = loop {
            // All but one in 2^32 draws lie within the order of the curve.
            if let Ok(secret) = SecretKey::from_slice(&rand::random::<[u8; 32]>()) {
                break secret;
            }
        };
        let point = secret.public_key().to_encoded_point(false);
        let digest = hex::encode(Sha256::digest(point.as_bytes()));
        let coordinate = |bytes: Option<&p256::FieldBytes>| {
            URL_SAFE_NO_PAD.encode(bytes.expect("invariant: an uncompressed point has both"))
        };
        let public = PublicKey {
            kid: digest[..16].to_owned(),
            kty: "EC".to_owned(),
            crv: "P-256".to_owned(),
            alg: "ES256".to_owned(),
            purpose: "sig".to_owned(),
            x: coordinate(point.x()),
            y: coordinate(point.y()),
            iat: now,
            exp: None,
        };
        let pem = secret
            .to_pkcs8_pem(LineEnding::LF)
            .expect("invariant: a secret key can be written as PKCS#8")
            .to_string();
        Self { public, pem }
    }
}
