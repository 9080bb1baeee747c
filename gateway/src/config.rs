//! What a gateway can be told: one plain structure, filled by whoever starts it.
//!
//! Keeps true: every field has a default, unknown fields are refused, and a checked configuration
//! needs no further checks while the gateway runs. Holds no secret, so printing it is safe.
//! Leaves out where the values come from: files and environment are the binary's business.

use std::{
    collections::BTreeMap,
    net::{Ipv4Addr, SocketAddr},
    path::PathBuf,
    time::Duration,
};

use haven_rules::realms::ADMISSION_SECONDS_MAX;
use serde::{Deserialize, Serialize};

use crate::{error::GatewayError, logs::LogFormat};

/// The configuration of one gateway.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct GatewayConfig {
    /// Address and port to listen on; port 0 takes any free one.
    pub listen: SocketAddr,
    /// Where the gateway reaches the SpacetimeDB host of the home database, as `http://host:port`.
    pub home_uri: String,
    /// Name of the home database on that host.
    pub home_database: String,
    /// The `iss` of every token. Identities derive from it: changing it orphans all characters.
    pub issuer: String,
    /// Where others reach this gateway, for discovery documents. None is `http://` and the address.
    pub public_uri: Option<String>,
    /// Directory of the signing keys, shared by all gateways of a deployment.
    pub keys_dir: PathBuf,
    /// Lifetime of an access token, seconds, 60 to 86,400.
    pub access_token_seconds: u32,
    /// Lifetime of a realm token and of its admission, seconds, 60 to 3,600.
    pub realm_token_seconds: u32,
    /// Lifetime of a session that is not refreshed, days, 1 to 400.
    pub session_days: u32,
    /// Parameters of the password hash.
    pub argon2: Argon2Config,
    /// Requests per address and account, and connections.
    pub limits: LimitsConfig,
    /// Origins that browsers may call from, such as `https://play.example.org`; `*` is any.
    pub cors_origins: Vec<String>,
    /// Whether the last address of `X-Forwarded-For` is the caller. Only behind one's own proxy.
    pub trust_forwarded_for: bool,
    /// How often realms are looked after (list, population, heartbeat), seconds, 1 to 15.
    pub heartbeat_seconds: u32,
    /// Age of the last heartbeat from which a realm counts as offline, seconds.
    pub realm_offline_seconds: u32,
    /// How this gateway reaches a realm's host where that differs from the address players use:
    /// realm number to `http://host:port`.
    pub realm_uris: BTreeMap<String, String>,
    /// Longest time a request may take, seconds.
    pub request_timeout_seconds: u32,
    /// Longest wait for the head of a request, also between two on one connection, seconds.
    pub header_read_seconds: u32,
    /// Longest request body, bytes.
    pub body_bytes_max: usize,
    /// Longest wait for the outcome of one database call, seconds.
    pub database_timeout_seconds: u32,
    /// Form of the log lines. Carried for the binary, which owns logging.
    pub log_format: LogFormat,
    /// Which log lines, in the syntax of `tracing_subscriber::EnvFilter`. Carried for the binary.
    pub log_filter: String,
}

impl Default for GatewayConfig {
    fn default() -> Self {
        Self {
            listen: SocketAddr::from((Ipv4Addr::LOCALHOST, 8080)),
            home_uri: "http://127.0.0.1:3000".to_owned(),
            home_database: "haven".to_owned(),
            issuer: "haven".to_owned(),
            public_uri: None,
            keys_dir: PathBuf::from(".haven/keys"),
            access_token_seconds: 900,
            realm_token_seconds: 900,
            session_days: 30,
            argon2: Argon2Config::default(),
            limits: LimitsConfig::default(),
            cors_origins: Vec::new(),
            trust_forwarded_for: false,
            heartbeat_seconds: 5,
            realm_offline_seconds: 30,
            realm_uris: BTreeMap::new(),
            request_timeout_seconds: 10,
            header_read_seconds: 30,
            body_bytes_max: 16 * 1024,
            database_timeout_seconds: 5,
            log_format: LogFormat::Json,
            log_filter: "info".to_owned(),
        }
    }
}

/// Parameters of argon2id and of the pool that computes it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Argon2Config {
    /// Memory of one hash, KiB, 8,192 to 1,048,576.
    pub memory_kib: u32,
    /// Passes over the memory, 1 to 16.
    pub iterations: u32,
    /// Lanes, 1 to 16.
    pub parallelism: u32,
    /// Hashes computed at the same time, 1 to 256; each takes `memory_kib` and a core.
    pub concurrent: usize,
    /// Requests that may wait for a hash, 0 to 65,536; the next one is refused with 503.
    pub queue: usize,
}

impl Default for Argon2Config {
    fn default() -> Self {
        Self { memory_kib: 19_456, iterations: 2, parallelism: 1, concurrent: 2, queue: 256 }
    }
}

/// How much one caller may ask for. An address is an IPv4 address or an IPv6 /64 network.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct LimitsConfig {
    /// Requests to `/v1/auth/*` per address and second, in the long run.
    pub auth_per_second: u32,
    /// Requests to `/v1/auth/*` an address may send at once.
    pub auth_burst: u32,
    /// Requests to other routes per address and second, in the long run.
    pub other_per_second: u32,
    /// Requests to other routes an address may send at once.
    pub other_burst: u32,
    /// Time in which an account regains one login attempt, milliseconds.
    pub login_interval_millis: u32,
    /// Login attempts an account may use at once.
    pub login_burst: u32,
    /// Connections open at the same time; more wait in the listen queue.
    pub connections_max: usize,
    /// Connections one address may hold; more are closed. Not applied with `trust_forwarded_for`.
    pub connections_per_address_max: usize,
}

impl Default for LimitsConfig {
    fn default() -> Self {
        Self {
            auth_per_second: 50,
            auth_burst: 600,
            other_per_second: 200,
            other_burst: 2_000,
            login_interval_millis: 6_000,
            login_burst: 10,
            connections_max: 4_096,
            connections_per_address_max: 1_024,
        }
    }
}

impl GatewayConfig {
    /// Checks every bound.
    ///
    /// # Errors
    /// [`GatewayError::Config`] naming the first field that is out of its range.
    pub fn validate(&self) -> Result<(), GatewayError> {
        within("access_token_seconds", self.access_token_seconds, 60, 86_400)?;
        within("realm_token_seconds", self.realm_token_seconds, 60, ADMISSION_SECONDS_MAX)?;
        within("session_days", self.session_days, 1, 400)?;
        within("heartbeat_seconds", self.heartbeat_seconds, 1, 15)?;
        let heartbeats = self.heartbeat_seconds.saturating_mul(2);
        within("realm_offline_seconds", self.realm_offline_seconds, heartbeats, 3_600)?;
        within("request_timeout_seconds", self.request_timeout_seconds, 1, 120)?;
        within("header_read_seconds", self.header_read_seconds, 1, 300)?;
        within("database_timeout_seconds", self.database_timeout_seconds, 1, 60)?;
        within("body_bytes_max", self.body_bytes_max, 1_024, 1 << 20)?;
        within("argon2.memory_kib", self.argon2.memory_kib, 8_192, 1 << 20)?;
        within("argon2.iterations", self.argon2.iterations, 1, 16)?;
        within("argon2.parallelism", self.argon2.parallelism, 1, 16)?;
        within("argon2.concurrent", self.argon2.concurrent, 1, 256)?;
        within("argon2.queue", self.argon2.queue, 0, 65_536)?;
        self.validate_limits()?;
        self.validate_names()
    }

    fn validate_limits(&self) -> Result<(), GatewayError> {
        let limits = &self.limits;
        within("limits.auth_per_second", limits.auth_per_second, 1, 1_000_000)?;
        within("limits.auth_burst", limits.auth_burst, 1, 1_000_000)?;
        within("limits.other_per_second", limits.other_per_second, 1, 1_000_000)?;
        within("limits.other_burst", limits.other_burst, 1, 1_000_000)?;
        within("limits.login_interval_millis", limits.login_interval_millis, 1, 3_600_000)?;
        within("limits.login_burst", limits.login_burst, 1, 1_000_000)?;
        within("limits.connections_max", limits.connections_max, 1, 1 << 20)?;
        let per_address = limits.connections_per_address_max;
        within("limits.connections_per_address_max", per_address, 1, 1 << 20)
    }

    fn validate_names(&self) -> Result<(), GatewayError> {
        let plain = |text: &str| text.chars().all(|char| char.is_ascii_graphic());
        if self.issuer.is_empty() || self.issuer.len() > 256 || !plain(&self.issuer) {
            return refuse("issuer", "1 to 256 visible ASCII characters are expected");
        }
        check_database("home_database", &self.home_database)?;
        check_uri("home_uri", &self.home_uri)?;
        if let Some(uri) = &self.public_uri {
            check_uri("public_uri", uri)?;
        }
        for (realm_id, uri) in &self.realm_uris {
            if realm_id.parse::<u16>().is_err() {
                return refuse("realm_uris", "each key is a realm's number");
            }
            check_uri("realm_uris", uri)?;
        }
        for origin in &self.cors_origins {
            if origin != "*" && http::HeaderValue::from_str(origin).is_err() {
                return refuse("cors_origins", "an origin such as https://play.example.org or *");
            }
        }
        Ok(())
    }

    /// Longest wait for one database call.
    pub(crate) fn database_timeout(&self) -> Duration {
        Duration::from_secs(u64::from(self.database_timeout_seconds))
    }

    /// Lifetime of a session in seconds.
    pub(crate) fn session_seconds(&self) -> u32 {
        self.session_days * 24 * 3_600
    }
}

/// Whether a text can stand as the name of a database in a path.
pub(crate) fn is_database_name(name: &str) -> bool {
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_';
    (1..=128).contains(&name.len()) && name.bytes().all(allowed)
}

fn within<N: PartialOrd + Copy + std::fmt::Display>(
    field: &'static str,
    value: N,
    min: N,
    max: N,
) -> Result<(), GatewayError> {
    if value < min || value > max {
        let reason = format!("{value} is not within {min} to {max}");
        return Err(GatewayError::Config { field, reason });
    }
    Ok(())
}

fn check_database(field: &'static str, name: &str) -> Result<(), GatewayError> {
    if is_database_name(name) {
        return Ok(());
    }
    refuse(field, "letters, digits, - and _ are expected")
}

fn check_uri(field: &'static str, uri: &str) -> Result<(), GatewayError> {
    let Ok(parsed) = uri.parse::<http::Uri>() else {
        return refuse(field, "an address such as http://127.0.0.1:3000 is expected");
    };
    let scheme_good = matches!(parsed.scheme_str(), Some("http" | "https"));
    if scheme_good && parsed.host().is_some() && parsed.query().is_none() {
        return Ok(());
    }
    refuse(field, "an address such as http://127.0.0.1:3000 is expected")
}

fn refuse(field: &'static str, reason: &str) -> Result<(), GatewayError> {
    Err(GatewayError::Config { field, reason: reason.to_owned() })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(change: impl FnOnce(&mut GatewayConfig), field: Option<&str>) {
        let mut config = GatewayConfig::default();
        change(&mut config);
        let named = match config.validate() {
            Err(GatewayError::Config { field, .. }) => Some(field),
            _ => None,
        };
        assert_eq!(named, field);
    }

    #[test]
    fn the_defaults_are_valid() {
        check(|_| (), None);
    }

    #[test]
    fn values_out_of_range_are_named() {
        check(|config| config.access_token_seconds = 0, Some("access_token_seconds"));
        check(|config| config.realm_offline_seconds = 1, Some("realm_offline_seconds"));
        check(|config| config.argon2.concurrent = 0, Some("argon2.concurrent"));
        check(|config| config.limits.auth_burst = 0, Some("limits.auth_burst"));
        check(|config| config.home_uri = "ftp://x".to_owned(), Some("home_uri"));
        check(|config| config.home_database = "a/b".to_owned(), Some("home_database"));
        check(|config| config.issuer = String::new(), Some("issuer"));
        let uri = "http://127.0.0.1:1".to_owned();
        check(|config| drop(config.realm_uris.insert("x".to_owned(), uri)), Some("realm_uris"));
    }

    #[test]
    fn unknown_fields_are_refused() {
        let refused = serde_json::from_str::<GatewayConfig>(r#"{"lisen": "127.0.0.1:1"}"#);
        assert!(refused.is_err());
        let accepted = serde_json::from_str::<GatewayConfig>(r#"{"argon2": {"queue": 3}}"#);
        assert_eq!(accepted.expect("a partial configuration").argon2.queue, 3);
    }
}
