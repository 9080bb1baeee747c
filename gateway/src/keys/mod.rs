//! The signing keys of a deployment, in a directory that all its gateways can read.
//!
//! Keeps true: however many gateways start at once, they end with one key set; a token verifies
//! until it expires, also across a rotation; private keys leave neither the directory nor memory.
//! `jwks.json` holds the public keys, `<kid>.pem` the private key that signs.
//! Leaves out what the tokens are for: see `tokens`.

mod files;
mod set;
#[cfg(test)]
mod tests;

use std::{
    collections::HashMap,
    fmt, fs, io,
    path::{Path, PathBuf},
    sync::{
        Mutex, PoisonError, RwLock,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, Instant, SystemTime, UNIX_EPOCH},
};

use jsonwebtoken::{Algorithm, DecodingKey, EncodingKey, Header, Validation, errors::ErrorKind};
use serde::{Deserialize, Serialize};

use self::{
    files::{DirLock, Stamp},
    set::{KeyPair, KeySet},
};

/// Longest lifetime of a token signed with these keys, seconds: the owner's, one year. A key that
/// was rotated out verifies for as long.
pub const LONGEST_TOKEN_SECONDS: u64 = 366 * 24 * 3_600;

/// Clocks of two machines may differ by this much, seconds.
const LEEWAY_SECONDS: u64 = 5;
/// The directory is looked at no more often than this.
const CHECK_EVERY: Duration = Duration::from_secs(1);

/// What a token says.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Claims {
    /// Who issued it.
    pub iss: String,
    /// Whom it speaks for: an account's number, or `owner`.
    pub sub: String,
    /// Whom it is for.
    pub aud: Vec<String>,
    /// When it was issued, seconds since 1970.
    pub iat: u64,
    /// When it expires, seconds since 1970.
    pub exp: u64,
    /// Unlike any other token's.
    pub jti: String,
    /// The session it belongs to, a number as text; an owner's has none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sid: Option<String>,
    /// The name of the role, or `owner`.
    pub role: String,
}

/// Why the keys cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum KeyError {
    /// A file of the directory cannot be read or written.
    #[error("{path}: {source}", path = .path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// What the system says.
        source: io::Error,
    },
    /// A file of the directory is not what it should be.
    #[error("{path}: {reason}", path = .path.display())]
    Unusable {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        reason: String,
    },
    /// The token could not be signed.
    #[error("a token could not be signed: {0}")]
    Sign(String),
}

/// Why a token is not accepted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TokenError {
    /// Not signed by us, not for us, or not a token at all.
    #[error("the token is not valid")]
    Invalid,
    /// It was valid once.
    #[error("the token has expired")]
    Expired,
}

/// The keys of a deployment. Rereads its directory when that has changed.
pub struct KeyStore {
    dir: PathBuf,
    loaded: RwLock<Loaded>,
    /// Only one thread reloads at a time.
    reloading: Mutex<()>,
    opened_at: Instant,
    checked_after_millis: AtomicU64,
}

struct Loaded {
    stamp: Stamp,
    set: KeySet,
    text: String,
    kid: String,
    signing: EncodingKey,
    verifying: HashMap<String, DecodingKey>,
}

impl fmt::Debug for KeyStore {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("KeyStore").field("dir", &self.dir).finish_non_exhaustive()
    }
}

impl KeyStore {
    /// Opens the directory, or makes it with a first key.
    ///
    /// # Errors
    /// [`KeyError::Io`] when the directory cannot be read or written, [`KeyError::Unusable`] when
    /// its files are not keys.
    pub fn open_or_create(dir: impl AsRef<Path>) -> Result<Self, KeyError> {
        let dir = dir.as_ref().to_owned();
        files::create_dir(&dir).map_err(at(&dir))?;
        let lock = DirLock::acquire(&dir).map_err(at(&dir))?;
        if !jwks_path(&dir).exists() {
            add_key(&dir, KeySet::default(), unix_seconds())?;
        }
        drop(lock);
        let loaded = Loaded::read(&dir)?;
        Ok(Self {
            dir,
            loaded: RwLock::new(loaded),
            reloading: Mutex::new(()),
            opened_at: Instant::now(),
            checked_after_millis: AtomicU64::new(0),
        })
    }

    /// Makes a new key that signs from now on. The old one verifies for
    /// [`LONGEST_TOKEN_SECONDS`]. Returns the kid of the new key.
    ///
    /// # Errors
    /// As [`KeyStore::open_or_create`].
    pub fn rotate(&self) -> Result<String, KeyError> {
        self.rotate_with_overlap(Duration::from_secs(LONGEST_TOKEN_SECONDS))
    }

    /// As [`KeyStore::rotate`], but older keys verify for `overlap` at most: a short one is for
    /// keys that leaked, and ends the tokens signed with them.
    ///
    /// # Errors
    /// As [`KeyStore::open_or_create`].
    pub fn rotate_with_overlap(&self, overlap: Duration) -> Result<String, KeyError> {
        let lock = DirLock::acquire(&self.dir).map_err(at(&self.dir))?;
        let mut set = read_set(&self.dir)?.0;
        let now = unix_seconds();
        let retired = set.retire(now, now.saturating_add(overlap.as_secs()));
        let kid = add_key(&self.dir, set, now)?;
        for old in retired {
            // Nobody signs with it any more; a file that stays behind is not an error.
            let _ = fs::remove_file(pem_path(&self.dir, &old));
        }
        drop(lock);
        self.reload(true)?;
        Ok(kid)
    }

    /// Signs with the newest key.
    ///
    /// # Errors
    /// [`KeyError::Sign`].
    pub fn sign(&self, claims: &Claims) -> Result<String, KeyError> {
        self.refresh(false);
        let loaded = self.loaded.read().unwrap_or_else(PoisonError::into_inner);
        let mut header = Header::new(Algorithm::ES256);
        header.kid = Some(loaded.kid.clone());
        jsonwebtoken::encode(&header, claims, &loaded.signing)
            .map_err(|error| KeyError::Sign(error.to_string()))
    }

    /// The public keys, as text of a JSON Web Key Set.
    pub fn jwks(&self) -> String {
        self.refresh(false);
        self.loaded.read().unwrap_or_else(PoisonError::into_inner).text.clone()
    }

    /// Where the public keys are, for who verifies from a file.
    pub fn jwks_path(&self) -> PathBuf {
        jwks_path(&self.dir)
    }

    /// Reads a token that must be signed by one of the keys, issued by `issuer` for `audience`.
    ///
    /// # Errors
    /// [`TokenError::Expired`] when that is all that is wrong, [`TokenError::Invalid`] otherwise.
    pub fn verify(&self, token: &str, issuer: &str, audience: &str) -> Result<Claims, TokenError> {
        let header = jsonwebtoken::decode_header(token).map_err(|_| TokenError::Invalid)?;
        let kid = header.kid.ok_or(TokenError::Invalid)?;
        if header.alg != Algorithm::ES256 {
            return Err(TokenError::Invalid);
        }
        self.refresh(false);
        if !self.knows(&kid) {
            self.refresh(true);
        }
        let loaded = self.loaded.read().unwrap_or_else(PoisonError::into_inner);
        let now = unix_seconds();
        let current = loaded.set.keys.iter().find(|key| key.kid == kid);
        let key = current
            .filter(|key| key.verifies_at(now))
            .and_then(|key| loaded.verifying.get(&key.kid))
            .ok_or(TokenError::Invalid)?;
        let mut validation = Validation::new(Algorithm::ES256);
        validation.leeway = LEEWAY_SECONDS;
        validation.validate_nbf = true;
        validation.set_issuer(&[issuer]);
        validation.set_audience(&[audience]);
        validation.set_required_spec_claims(&["exp", "iss", "aud", "sub"]);
        match jsonwebtoken::decode::<Claims>(token, key, &validation) {
            Ok(data) => Ok(data.claims),
            Err(error) if *error.kind() == ErrorKind::ExpiredSignature => Err(TokenError::Expired),
            Err(_) => Err(TokenError::Invalid),
        }
    }

    fn knows(&self, kid: &str) -> bool {
        let loaded = self.loaded.read().unwrap_or_else(PoisonError::into_inner);
        loaded.verifying.contains_key(kid)
    }

    /// Looks at the directory again, unless that was done within the last second and `now` is not
    /// asked for. What cannot be read leaves the keys as they are.
    fn refresh(&self, now: bool) {
        let millis = u64::try_from(self.opened_at.elapsed().as_millis()).unwrap_or(u64::MAX);
        let interval = u64::try_from(CHECK_EVERY.as_millis()).unwrap_or(u64::MAX);
        let checked = self.checked_after_millis.load(Ordering::Relaxed);
        if !now && millis.saturating_sub(checked) < interval {
            return;
        }
        self.checked_after_millis.store(millis, Ordering::Relaxed);
        if let Err(error) = self.reload(false) {
            tracing::warn!(%error, "the signing keys could not be read again");
        }
    }

    fn reload(&self, always: bool) -> Result<(), KeyError> {
        let _one = self.reloading.lock().unwrap_or_else(PoisonError::into_inner);
        let path = self.jwks_path();
        let stamp = Stamp::of(&path).map_err(at(&path))?;
        let known = self.loaded.read().unwrap_or_else(PoisonError::into_inner).stamp;
        if stamp == known && !always {
            return Ok(());
        }
        let loaded = Loaded::read(&self.dir)?;
        *self.loaded.write().unwrap_or_else(PoisonError::into_inner) = loaded;
        Ok(())
    }
}

impl Loaded {
    /// Reads the directory. A rotation between two of its files is met by reading again.
    fn read(dir: &Path) -> Result<Self, KeyError> {
        const ATTEMPTS: u32 = 3;
        let mut attempt = 1;
        loop {
            match Self::read_once(dir) {
                Err(KeyError::Io { source, .. })
                    if source.kind() == io::ErrorKind::NotFound && attempt < ATTEMPTS =>
                {
                    attempt += 1;
                }
                result => return result,
            }
        }
    }

    fn read_once(dir: &Path) -> Result<Self, KeyError> {
        let jwks = jwks_path(dir);
        let stamp = Stamp::of(&jwks).map_err(at(&jwks))?;
        let (set, text) = read_set(dir)?;
        let kid = set.signing().map(|key| key.kid.clone());
        let kid = kid.ok_or_else(|| unusable(&jwks, "no key of it signs"))?;
        let pem_path = pem_path(dir, &kid);
        let pem = fs::read(&pem_path).map_err(at(&pem_path))?;
        let signing = EncodingKey::from_ec_pem(&pem)
            .map_err(|_| unusable(&pem_path, "a private key on P-256 in PKCS#8 is expected"))?;
        let mut verifying = HashMap::new();
        for key in &set.keys {
            let decoding = key.decoding_key().map_err(|reason| unusable(&jwks, &reason))?;
            verifying.insert(key.kid.clone(), decoding);
        }
        Ok(Self { stamp, set, text, kid, signing, verifying })
    }
}

/// Adds a key that signs. The private key is written first, so that a reader of the set finds it.
fn add_key(dir: &Path, mut set: KeySet, now: u64) -> Result<String, KeyError> {
    let pair = KeyPair::generate(now);
    let kid = pair.public.kid.clone();
    let pem_path = pem_path(dir, &kid);
    files::write_atomically(&pem_path, pair.pem.as_bytes()).map_err(at(&pem_path))?;
    set.keys.push(pair.public);
    let jwks_path = jwks_path(dir);
    files::write_atomically(&jwks_path, set.to_text().as_bytes()).map_err(at(&jwks_path))?;
    tracing::info!(kid, "a signing key was made");
    Ok(kid)
}

fn read_set(dir: &Path) -> Result<(KeySet, String), KeyError> {
    let path = jwks_path(dir);
    let text = fs::read_to_string(&path).map_err(at(&path))?;
    let set = KeySet::parse(&text).map_err(|reason| unusable(&path, &reason))?;
    Ok((set, text))
}

fn jwks_path(dir: &Path) -> PathBuf {
    dir.join("jwks.json")
}

fn pem_path(dir: &Path, kid: &str) -> PathBuf {
    dir.join(format!("{kid}.pem"))
}

fn at(path: &Path) -> impl Fn(io::Error) -> KeyError + use<> {
    let path = path.to_owned();
    move |source| KeyError::Io { path: path.clone(), source }
}

fn unusable(path: &Path, reason: &str) -> KeyError {
    KeyError::Unusable { path: path.to_owned(), reason: reason.to_owned() }
}

/// Seconds since 1970 by this machine's clock.
pub(crate) fn unix_seconds() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH);
    since.map_or(0, |elapsed| elapsed.as_secs())
}
