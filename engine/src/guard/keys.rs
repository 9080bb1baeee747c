//! The public keys tokens are checked with, from a file or from one configured address.
//!
//! Keeps true: only P-256 keys for ES256 signatures are taken; the address is configuration, never
//! something a token says; a key that left the source is forgotten when the source is read again.
//! Leaves out on purpose: making and rotating keys, which is the gateway's.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant, SystemTime};

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jsonwebtoken::DecodingKey;
use serde::Deserialize;

use super::refusal::Refusal;
use crate::publish::http_client;

/// Where the keys are.
#[derive(Debug, Clone)]
pub enum KeySource {
    /// A `jwks.json` that is read again when it changes.
    File(PathBuf),
    /// The address of a key set, fetched over HTTP or HTTPS.
    Uri(String),
}

const KEYS_MAX: usize = 64;
const KEY_SET_BYTES_MAX: usize = 64 * 1024;
const COORDINATE_BYTES: usize = 32;
/// A file is looked at again after this time, so a retired key is gone as soon.
const FILE_FRESH: Duration = Duration::from_secs(1);
/// For a key that is not known: a gateway may have rotated a moment ago.
const FILE_RETRY: Duration = Duration::from_millis(50);
const URI_FRESH: Duration = Duration::from_mins(5);
const URI_RETRY: Duration = Duration::from_secs(1);
/// Keys from an address that cannot be reached any more are believed for so long.
const URI_STALE_MAX: Duration = Duration::from_hours(2);
const URI_TIMEOUT: Duration = Duration::from_secs(5);

type Keys = HashMap<String, VerifyingKey>;

/// The keys that are known, and when to look again.
pub(crate) struct KeyRing {
    source: KeySource,
    known: Mutex<Known>,
    /// Held while the source is read, so that it is read once for all who wait.
    reading: tokio::sync::Mutex<()>,
    client: reqwest::Client,
}

#[derive(Clone, Default)]
struct Known {
    keys: Arc<Keys>,
    /// When the source was last asked, successfully or not.
    asked: Option<Instant>,
    /// When it last answered.
    answered: Option<Instant>,
    /// What the file looked like then.
    stamp: Option<(SystemTime, u64)>,
}

impl KeyRing {
    /// A ring that has read nothing yet.
    pub(crate) fn new(source: KeySource) -> Self {
        let client = http_client(match &source {
            KeySource::File(_) => "",
            KeySource::Uri(uri) => uri,
        });
        Self { source, known: Mutex::default(), reading: tokio::sync::Mutex::default(), client }
    }

    /// The key with this id.
    ///
    /// # Errors
    ///
    /// [`Refusal::TokenKeyUnknown`], or [`Refusal::KeysUnavailable`] when there are no keys at all.
    pub(crate) async fn key(&self, kid: &str) -> Result<DecodingKey, Refusal> {
        if self.must_ask(kid) {
            // Whose key is known does not wait while another caller asks a source that is slow.
            let reading = if self.known().keys.contains_key(kid) {
                self.reading.try_lock().ok()
            } else {
                Some(self.reading.lock().await)
            };
            if reading.is_some() && self.must_ask(kid) {
                self.ask().await;
            }
        }
        let known = self.known();
        if known.answered.is_none() {
            return Err(Refusal::KeysUnavailable);
        }
        let key = known.keys.get(kid).filter(|key| !key.has_ended());
        key.map(|key| key.decoding.clone()).ok_or(Refusal::TokenKeyUnknown)
    }

    fn must_ask(&self, kid: &str) -> bool {
        let known = self.known();
        let Some(asked) = known.asked else {
            return true;
        };
        let (fresh, retry) = match self.source {
            KeySource::File(_) => (FILE_FRESH, FILE_RETRY),
            KeySource::Uri(_) => (URI_FRESH, URI_RETRY),
        };
        let answered = known.answered.is_some_and(|answered| answered.elapsed() < fresh);
        let satisfied = known.keys.contains_key(kid) && answered;
        !satisfied && asked.elapsed() >= retry
    }

    async fn ask(&self) {
        let asked = Some(Instant::now());
        let mut next = Known { asked, ..self.known() };
        let result = match &self.source {
            KeySource::File(path) => read_file(path, &mut next),
            KeySource::Uri(uri) => self.fetch(uri).await.map(|keys| next.keys = Arc::new(keys)),
        };
        match result {
            Ok(()) => next.answered = asked,
            Err(reason) => {
                tracing::warn!("token keys could not be read: {reason}");
                let stale = next.answered.is_none_or(|then| then.elapsed() > URI_STALE_MAX);
                if stale || matches!(self.source, KeySource::File(_)) {
                    next = Known { asked, ..Known::default() };
                }
            }
        }
        *self.known.lock().expect("invariant: no holder of the key list panics") = next;
    }

    async fn fetch(&self, uri: &str) -> Result<Keys, String> {
        let mut answer = self
            .client
            .get(uri)
            .timeout(URI_TIMEOUT)
            .send()
            .await
            .and_then(reqwest::Response::error_for_status)
            .map_err(|error| error.to_string())?;
        let mut bytes = Vec::new();
        while let Some(chunk) = answer.chunk().await.map_err(|error| error.to_string())? {
            bytes.extend_from_slice(&chunk);
            if bytes.len() > KEY_SET_BYTES_MAX {
                return Err("the key set is too large".to_owned());
            }
        }
        parse(&bytes)
    }

    fn known(&self) -> Known {
        self.known.lock().expect("invariant: no holder of the key list panics").clone()
    }
}

fn read_file(path: &Path, known: &mut Known) -> Result<(), String> {
    let metadata =
        std::fs::metadata(path).map_err(|error| format!("{}: {error}", path.display()))?;
    let changed = metadata.modified().map_err(|error| error.to_string())?;
    let stamp = Some((changed, metadata.len()));
    if known.stamp == stamp {
        return Ok(());
    }
    if metadata.len() > KEY_SET_BYTES_MAX as u64 {
        return Err("the key set is too large".to_owned());
    }
    let bytes = std::fs::read(path).map_err(|error| format!("{}: {error}", path.display()))?;
    known.keys = Arc::new(parse(&bytes)?);
    known.stamp = stamp;
    Ok(())
}

#[derive(Deserialize)]
struct KeySet {
    keys: Vec<serde_json::Value>,
}

/// One key of a set (RFC 7517), as far as it is used.
#[derive(Deserialize)]
struct Key {
    kty: String,
    crv: String,
    kid: String,
    x: String,
    y: String,
    alg: Option<String>,
    #[serde(rename = "use")]
    usage: Option<String>,
    /// A member of our own: when the key ends, seconds since 1970. A key that leaked ends early.
    exp: Option<u64>,
}

/// A key that verifies, until it ends.
#[derive(Clone)]
struct VerifyingKey {
    decoding: DecodingKey,
    ends_at_seconds: Option<u64>,
}

impl VerifyingKey {
    fn has_ended(&self) -> bool {
        let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH);
        let now = now.map_or(u64::MAX, |since| since.as_secs());
        self.ends_at_seconds.is_some_and(|ends_at| ends_at <= now)
    }
}

/// Takes the keys that fit and passes over the others, as RFC 7517 wants.
fn parse(bytes: &[u8]) -> Result<Keys, String> {
    let set: KeySet = serde_json::from_slice(bytes).map_err(|error| error.to_string())?;
    if set.keys.len() > KEYS_MAX {
        return Err("the key set has too many keys".to_owned());
    }
    let keys = set.keys.into_iter().filter_map(|key| serde_json::from_value::<Key>(key).ok());
    let verifying = |key: Key| {
        let decoding = decoding_key(&key)?;
        Some((key.kid, VerifyingKey { decoding, ends_at_seconds: key.exp }))
    };
    Ok(keys.filter_map(verifying).collect())
}

fn decoding_key(key: &Key) -> Option<DecodingKey> {
    let fits = key.kty == "EC"
        && key.crv == "P-256"
        && !key.kid.is_empty()
        && key.alg.as_deref().is_none_or(|alg| alg == "ES256")
        && key.usage.as_deref().is_none_or(|usage| usage == "sig");
    let is_coordinate = |text: &str| {
        URL_SAFE_NO_PAD.decode(text).is_ok_and(|bytes| bytes.len() == COORDINATE_BYTES)
    };
    if !fits || !is_coordinate(&key.x) || !is_coordinate(&key.y) {
        return None;
    }
    DecodingKey::from_ec_components(&key.x, &key.y).ok()
}
