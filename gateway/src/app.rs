//! One running gateway: what its routes share, and how it starts and stops.
//!
//! Keeps true: it keeps no state of its own that another gateway would miss; it starts without a
//! database and finds it later; requests under way are finished when it stops.

use std::{
    net::SocketAddr,
    sync::{Arc, OnceLock, atomic::AtomicUsize},
    time::{Duration, Instant},
};

use tokio::{net::TcpListener, sync::watch, task::JoinHandle, time::timeout};

use crate::{
    config::GatewayConfig,
    error::GatewayError,
    http,
    keys::KeyStore,
    limits::Limits,
    metrics::Metrics,
    passwords::Passwords,
    realms::Realms,
    server,
    stdb::{Filter, Link, LinkConfig, rows::RealmConfig},
};

/// Requests under way when the gateway stops get this long.
const DRAIN: Duration = Duration::from_secs(2);
/// Callers that have recovered are forgotten this often.
const SWEEP_EVERY: Duration = Duration::from_secs(10);
/// A dependency answers within this time, or it does not.
const PROBE: Duration = Duration::from_secs(1);

/// What the routes share.
pub(crate) struct App {
    pub(crate) config: GatewayConfig,
    pub(crate) keys: Arc<KeyStore>,
    /// The home database.
    pub(crate) home: Link,
    pub(crate) realms: Arc<Realms>,
    pub(crate) passwords: Passwords,
    pub(crate) limits: Limits,
    pub(crate) metrics: Metrics,
    /// Where others reach this gateway.
    pub(crate) public_uri: String,
    /// Open connections.
    pub(crate) connections: AtomicUsize,
    /// Numbers of what runs beside the gateway, as Prometheus text.
    pub(crate) beside: OnceLock<MetricsSource>,
}

/// Where further Prometheus text comes from.
pub(crate) type MetricsSource = Box<dyn Fn() -> String + Send + Sync>;

/// What `/readyz` reports.
#[derive(Clone, Debug)]
pub(crate) struct Readiness {
    /// Whether the home database answers.
    pub(crate) home: bool,
    /// Whether every realm was looked after once.
    pub(crate) settled: bool,
    /// The realms elsewhere, and whether they are connected.
    pub(crate) realms: Vec<(u16, bool)>,
}

impl Readiness {
    /// Whether players can be served. A realm that is away does not keep them from the others.
    pub(crate) fn is_ready(&self) -> bool {
        self.home && self.settled
    }
}

impl App {
    /// Opens the keys and starts to connect. Needs a tokio runtime.
    pub(crate) fn new(config: GatewayConfig, addr: SocketAddr) -> Result<Self, GatewayError> {
        config.validate()?;
        let keys = Arc::new(KeyStore::open_or_create(&config.keys_dir)?);
        let metrics = Metrics::new();
        let passwords = Passwords::new(&config.argon2, &metrics)?;
        let (uri, database) = (&config.home_uri, &config.home_database);
        let mut link = LinkConfig::owner(uri, database, Arc::clone(&keys), &config.issuer);
        link.call_timeout = config.database_timeout();
        let home = Link::open(link);
        let realms = Arc::new(Realms::new(&config, home.clone(), Arc::clone(&keys)));
        let public_uri = config.public_uri.clone().unwrap_or_else(|| format!("http://{addr}"));
        Ok(Self {
            limits: Limits::new(&config.limits),
            keys,
            home,
            realms,
            passwords,
            metrics,
            public_uri: public_uri.trim_end_matches('/').to_owned(),
            connections: AtomicUsize::new(0),
            beside: OnceLock::new(),
            config,
        })
    }

    /// Asks the dependencies.
    pub(crate) async fn readiness(&self) -> Readiness {
        let probe = self.home.query::<RealmConfig>(Filter::number("singleton_id", 0u8));
        let home = matches!(timeout(PROBE, probe).await, Ok(Ok(_)));
        Readiness { home, settled: self.realms.settled(), realms: self.realms.links() }
    }

    async fn sweep(self: Arc<Self>) {
        loop {
            tokio::time::sleep(SWEEP_EVERY).await;
            self.limits.sweep();
        }
    }
}

/// One running gateway. Dropping it stops it without waiting; [`Gateway::stop`] waits.
pub struct Gateway {
    app: Arc<App>,
    addr: SocketAddr,
    stopping: watch::Sender<bool>,
    server: JoinHandle<()>,
    tasks: Vec<JoinHandle<()>>,
}

impl std::fmt::Debug for Gateway {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("Gateway").field("addr", &self.addr).finish_non_exhaustive()
    }
}

impl Gateway {
    /// Listens and serves. Does not wait for the database: `/readyz` tells when it is there.
    ///
    /// # Errors
    /// [`GatewayError::Config`], [`GatewayError::PortTaken`], [`GatewayError::Listen`] or
    /// [`GatewayError::Keys`].
    pub async fn start(config: GatewayConfig) -> Result<Self, GatewayError> {
        config.validate()?;
        let asked = config.listen;
        let listener = TcpListener::bind(asked).await.map_err(|source| match source.kind() {
            std::io::ErrorKind::AddrInUse => GatewayError::PortTaken(asked),
            _ => GatewayError::Listen { addr: asked, source },
        })?;
        let addr =
            listener.local_addr().map_err(|source| GatewayError::Listen { addr: asked, source })?;
        let app = Arc::new(App::new(config, addr)?);
        let (stopping, stop) = watch::channel(false);
        let router = http::router(Arc::clone(&app));
        let server = tokio::spawn(server::serve(Arc::clone(&app), listener, router, stop));
        let tasks = vec![
            tokio::spawn(Arc::clone(&app.realms).look_after()),
            tokio::spawn(Arc::clone(&app).sweep()),
        ];
        tracing::info!(%addr, "the gateway listens");
        Ok(Self { app, addr, stopping, server, tasks })
    }

    /// Where it listens.
    pub fn addr(&self) -> SocketAddr {
        self.addr
    }

    /// Where it listens, as `http://ip:port`.
    pub fn uri(&self) -> String {
        format!("http://{}", self.addr)
    }

    /// Has `/metrics` also tell what runs in the same process. The first source stays.
    pub fn add_metrics(&self, source: impl Fn() -> String + Send + Sync + 'static) {
        // A second source would repeat the first one's families.
        let _ = self.app.beside.set(Box::new(source));
    }

    /// The signing keys.
    pub fn keys(&self) -> &Arc<KeyStore> {
        &self.app.keys
    }

    /// Waits until every dependency answers. Returns whether they do in time.
    pub async fn wait_ready(&self, limit: Duration) -> bool {
        let began = Instant::now();
        loop {
            if self.app.readiness().await.is_ready() {
                return true;
            }
            if began.elapsed() >= limit {
                return false;
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }

    /// Stops listening, finishes what is under way within 2 seconds, and closes the links.
    pub async fn stop(mut self) {
        self.stopping.send_replace(true);
        if timeout(DRAIN, &mut self.server).await.is_err() {
            tracing::warn!("requests were cut off");
            self.server.abort();
        }
        for task in &self.tasks {
            task.abort();
        }
        self.app.realms.close().await;
        self.app.home.close().await;
        tracing::info!("the gateway has stopped");
    }
}

impl Drop for Gateway {
    fn drop(&mut self) {
        self.stopping.send_replace(true);
        for task in &self.tasks {
            task.abort();
        }
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    /// A configuration with keys of its own and a database that never answers.
    pub(crate) fn config_without_database() -> (tempfile::TempDir, GatewayConfig) {
        let dir = tempfile::TempDir::new().expect("a directory");
        let mut config = GatewayConfig {
            listen: SocketAddr::from(([127, 0, 0, 1], 0)),
            home_uri: "http://127.0.0.1:1".to_owned(),
            keys_dir: dir.path().join("keys"),
            ..GatewayConfig::default()
        };
        config.argon2.memory_kib = 8_192;
        config.argon2.iterations = 1;
        (dir, config)
    }

    #[tokio::test]
    async fn a_gateway_starts_without_a_database_and_stops() {
        let (_dir, config) = config_without_database();
        let gateway = Gateway::start(config.clone()).await.expect("a gateway");
        assert!(!gateway.wait_ready(Duration::from_millis(50)).await);
        let taken = GatewayConfig { listen: gateway.addr(), ..config };
        let refused = Gateway::start(taken).await.expect_err("the port is taken");
        assert_eq!(refused.to_string(), format!("{} is in use by another program", gateway.addr()));
        gateway.stop().await;
    }
}
