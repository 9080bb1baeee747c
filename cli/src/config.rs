//! The configuration: what `spacetime.toml` and `HAVEN_…` variables may say, and its defaults.
//!
//! Keeps true: every key has a default, so a missing file is a valid configuration; what is loaded
//! has been checked. Flags are merged by the subcommands through [`Flags`]. Reading is `load`.

mod error;
mod load;
mod world;

use std::collections::BTreeMap;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};

use haven_engine::{CHECKPOINT_TRANSACTIONS, GuardConfig, KeySource, Limits};
use haven_gateway::GatewayConfig;
use haven_gateway::tokens::{ADMIN_AUDIENCE, realm_audience};
use serde::Deserialize;

pub(crate) use error::ConfigError;
pub(crate) use load::{Environment, Flags, load};
pub(crate) use world::{InstanceSection, WorldSection, recipe_text};

/// The file that is read when it is there and no other is named.
pub(crate) const DEFAULT_FILE: &str = "spacetime.toml";

/// Everything that can be configured; one field per section of the file.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Config {
    pub(crate) server: ServerSection,
    pub(crate) database: DatabaseSection,
    pub(crate) realm: RealmSection,
    pub(crate) world: WorldSection,
    /// The kinds of instances players may open, by name.
    pub(crate) instances: BTreeMap<String, InstanceSection>,
    pub(crate) gateway: GatewayConfig,
    pub(crate) guard: GuardSection,
    /// Whether `gateway.log_format` and `gateway.log_filter` were said by somebody.
    #[serde(skip)]
    pub(crate) log_said: LogSaid,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            server: ServerSection::default(),
            database: DatabaseSection::default(),
            realm: RealmSection::default(),
            world: WorldSection::default(),
            instances: BTreeMap::from([("hollow".to_owned(), InstanceSection::default())]),
            gateway: GatewayConfig::default(),
            guard: GuardSection::default(),
            log_said: LogSaid::default(),
        }
    }
}

/// Which keys about logging are not at their defaults.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) struct LogSaid {
    pub(crate) format: bool,
    pub(crate) filter: bool,
}

/// Where this process keeps its data and listens.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct ServerSection {
    pub(crate) data_dir: PathBuf,
    pub(crate) listen: SocketAddr,
    pub(crate) stdb_listen: SocketAddr,
    pub(crate) in_memory: bool,
    /// Of each database, MiB.
    pub(crate) module_logs_mib: u32,
    /// Between two snapshots of a database; 0 for the engine's own alone.
    pub(crate) checkpoint_transactions: u64,
}

impl Default for ServerSection {
    fn default() -> Self {
        Self {
            data_dir: PathBuf::from(".haven"),
            listen: SocketAddr::from((Ipv4Addr::LOCALHOST, 8080)),
            stdb_listen: SocketAddr::from((Ipv4Addr::LOCALHOST, 3000)),
            in_memory: false,
            module_logs_mib: 64,
            checkpoint_transactions: CHECKPOINT_TRANSACTIONS,
        }
    }
}

/// The home database.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct DatabaseSection {
    pub(crate) name: String,
    pub(crate) uri: Option<String>,
}

impl Default for DatabaseSection {
    fn default() -> Self {
        Self { name: "haven".to_owned(), uri: None }
    }
}

/// The realm that the home database is.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct RealmSection {
    pub(crate) id: u16,
    pub(crate) name: String,
    pub(crate) capacity: u32,
    pub(crate) uri: Option<String>,
}

impl Default for RealmSection {
    fn default() -> Self {
        Self { id: 1, name: "Haven".to_owned(), capacity: 2_000, uri: None }
    }
}

/// Whose keys the guard before the engine trusts, and what callers may cost.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct GuardSection {
    pub(crate) jwks_uri: Option<String>,
    pub(crate) limits: Limits,
}

impl Config {
    /// Where the database is reached by this process.
    pub(crate) fn database_uri(&self) -> String {
        self.database.uri.clone().unwrap_or_else(|| uri_of(self.server.stdb_listen))
    }

    /// The guard's configuration: keys from this data directory unless an address is given.
    pub(crate) fn guard(&self, jwks_file: &Path) -> GuardConfig {
        let keys = match &self.guard.jwks_uri {
            Some(uri) => KeySource::Uri(uri.clone()),
            None => KeySource::File(jwks_file.to_owned()),
        };
        GuardConfig {
            issuer: self.gateway.issuer.clone(),
            audience_admin: ADMIN_AUDIENCE.to_owned(),
            audience_realm_prefix: realm_audience(""),
            keys,
            limits: self.guard.limits.clone(),
            players_wait: false,
        }
    }

    /// The file that holds the owner's token.
    pub(crate) fn owner_token_file(&self) -> PathBuf {
        self.server.data_dir.join("owner.token")
    }
}

/// The address a program on this machine reaches a listener at.
pub(crate) fn uri_of(listen: SocketAddr) -> String {
    if listen.ip().is_unspecified() {
        format!("http://127.0.0.1:{}", listen.port())
    } else {
        format!("http://{listen}")
    }
}
