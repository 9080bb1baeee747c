//! The databases' owner: the keys of a data directory, tokens signed with them, links to databases.
//!
//! Keeps true: the owner's token file can be read by its owner only, holds a token that is valid
//! for at least a month more, and is replaced whole.

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use anyhow::{Context, bail};
use haven_gateway::keys::KeyStore;
use haven_gateway::stdb::{Link, LinkConfig};
use haven_gateway::tokens::{ADMIN_AUDIENCE, owner_token};

use crate::config::Config;

/// Lifetime of the token in the file.
const FILE_TOKEN_SECONDS: u64 = 365 * 24 * 3_600;
/// A token that ends sooner than this is replaced.
const RENEW_BEFORE_SECONDS: u64 = 30 * 24 * 3_600;
/// Lifetime of a token for one request.
const REQUEST_TOKEN_SECONDS: u64 = 600;
/// How long a database may take to accept a connection.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);
/// How long an owner's long call may take. The engine lets a reducer run for about a minute.
const PATIENT_CALL_TIMEOUT: Duration = Duration::from_mins(1);

/// Who may do everything in the databases of a deployment.
pub(crate) struct Owner {
    keys: Arc<KeyStore>,
    issuer: String,
    token_file: PathBuf,
}

impl Owner {
    /// Opens the keys of the data directory; makes both where they are missing.
    pub(crate) fn open_or_create(config: &Config) -> anyhow::Result<Self> {
        let data_dir = &config.server.data_dir;
        fs::create_dir_all(data_dir)
            .with_context(|| format!("{} cannot be made", data_dir.display()))?;
        Ok(Self {
            keys: Arc::new(KeyStore::open_or_create(&config.gateway.keys_dir)?),
            issuer: config.gateway.issuer.clone(),
            token_file: config.owner_token_file(),
        })
    }

    /// Opens the keys of a data directory that `haven up` has made before.
    pub(crate) fn open(config: &Config) -> anyhow::Result<Self> {
        let keys_dir = &config.gateway.keys_dir;
        if !keys_dir.is_dir() {
            bail!(
                "there are no keys in {}: start `haven up` first, or name its --data-dir",
                keys_dir.display()
            );
        }
        Self::open_or_create(config)
    }

    /// The signing keys.
    pub(crate) fn keys(&self) -> &KeyStore {
        &self.keys
    }

    /// The file that holds the owner's token.
    pub(crate) fn token_file(&self) -> &Path {
        &self.token_file
    }

    /// A token for a request that is made now.
    pub(crate) fn request_token(&self) -> anyhow::Result<String> {
        Ok(owner_token(&self.keys, &self.issuer, REQUEST_TOKEN_SECONDS)?)
    }

    /// The token in the file, renewed when it is missing, foreign, about to end, or signed later
    /// than now.
    pub(crate) fn file_token(&self) -> anyhow::Result<String> {
        if let Ok(text) = fs::read_to_string(&self.token_file) {
            let claims = self.keys.verify(text.trim(), &self.issuer, ADMIN_AUDIENCE);
            let now = unix_seconds();
            // One that was signed later than now, before the clock was set back, is refused by the
            // guard.
            let is_good = |exp, iat| exp > now + RENEW_BEFORE_SECONDS && iat <= now;
            if claims.is_ok_and(|claims| is_good(claims.exp, claims.iat)) {
                return Ok(text.trim().to_owned());
            }
        }
        self.renew_file_token()
    }

    /// Signs a new token with the newest key and puts it into the file.
    pub(crate) fn renew_file_token(&self) -> anyhow::Result<String> {
        let token = owner_token(&self.keys, &self.issuer, FILE_TOKEN_SECONDS)?;
        write_private(&self.token_file, &token)
            .with_context(|| format!("{} cannot be written", self.token_file.display()))?;
        Ok(token)
    }

    /// A link to a database that is known to answer.
    pub(crate) async fn connect(&self, uri: &str, database: &str) -> anyhow::Result<Link> {
        let config = LinkConfig::owner(uri, database, Arc::clone(&self.keys), &self.issuer);
        connect(config).await
    }

    /// The same, for calls that may take longer than those of players.
    pub(crate) async fn connect_patiently(
        &self,
        uri: &str,
        database: &str,
    ) -> anyhow::Result<Link> {
        let keys = Arc::clone(&self.keys);
        let config = LinkConfig::owner(uri, database, keys, &self.issuer);
        connect(LinkConfig { call_timeout: PATIENT_CALL_TIMEOUT, ..config }).await
    }
}

async fn connect(config: LinkConfig) -> anyhow::Result<Link> {
    let (uri, database) = (config.uri.clone(), config.database.clone());
    let link = Link::open(config);
    if !link.wait_connected(CONNECT_TIMEOUT).await {
        let reason = link.last_failure().unwrap_or_else(|| "no answer".to_owned());
        bail!("the database {database} at {uri} cannot be reached: {reason}");
    }
    Ok(link)
}

/// Replaces a file by one that nobody else can read, at no moment half written.
fn write_private(path: &Path, text: &str) -> std::io::Result<()> {
    let mut name = path.as_os_str().to_owned();
    name.push(format!(".{}", std::process::id()));
    let beside = PathBuf::from(name);
    let mut options = fs::OpenOptions::new();
    options.write(true).create(true).truncate(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut file = options.open(&beside)?;
    writeln!(file, "{text}")?;
    file.sync_all()?;
    fs::rename(&beside, path)
}

fn unix_seconds() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_private_file_is_replaced_whole_and_readable_by_its_owner_only() {
        let dir = tempfile::TempDir::new().expect("a directory");
        let path = dir.path().join("owner.token");
        for text in ["first", "second"] {
            write_private(&path, text).expect("written");
            assert_eq!(fs::read_to_string(&path).expect("readable"), format!("{text}\n"));
        }
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt;
            let mode = fs::metadata(&path).expect("there").permissions().mode();
            assert_eq!(mode & 0o777, 0o600);
        }
        assert_eq!(fs::read_dir(dir.path()).expect("a directory").count(), 1);
    }
}
