//! The engine's life: start, run, stop.
//!
//! Keeps true: nothing of the engine is reachable without the guard; one engine works on a data
//! directory; no database starts from a log that cannot be read to its end; when `stop` has
//! returned `Ok`, every acknowledged transaction is on disk.
//! Leaves out on purpose: log output (the caller installs a `tracing` subscriber or not), the
//! allocator (the binary's choice), and signals.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use axum07::extract::DefaultBodyLimit;
use spacetimedb::config::MetadataFile;
use spacetimedb_client_api::routes;
use spacetimedb_client_api::routes::database::DatabaseRoutes;
use spacetimedb_paths::FromPathUnchecked as _;
use spacetimedb_paths::server::{PidFile, PidFileError, ServerDataDir};
use tempfile::TempDir;
use tokio::net::{TcpListener, TcpSocket};
use tokio::runtime::{Handle, RuntimeFlavor};
use tokio_util::sync::DropGuard;
use tower::Layer as _;

use crate::checkpoints::Checkpoints;
use crate::control::Control;
use crate::door::Door;
use crate::guard::{self, Guard, GuardConfig};
use crate::module_logs::LogJanitor;
use crate::node::Node;
use crate::server::Server;
use crate::ticket::TicketOffice;
use crate::{EngineError, boot};

// A stop has ten seconds altogether.
const CONNECTIONS_PATIENCE: Duration = Duration::from_millis(2500);
const DISCONNECTS_PATIENCE: Duration = Duration::from_millis(1500);
const EXIT_PATIENCE: Duration = Duration::from_secs(2);
const WRITE_PATIENCE: Duration = Duration::from_secs(3);
const CLOSE_PATIENCE: Duration = Duration::from_millis(500);

/// What the system keeps of one connection's output; it doubles the number for its own account.
/// Beyond it a reader that does not keep up is noticed.
const SEND_BUFFER_BYTES: u32 = 256 << 10;
/// Connections that may wait to be accepted.
const BACKLOG: u32 = 1_024;

/// How to start an engine.
#[derive(Debug, Clone)]
pub struct EngineConfig {
    /// The engine keeps its files in the folder `engine` below this one. Not used in memory.
    pub data_dir: PathBuf,
    /// Where to listen; port 0 takes any free one.
    pub listen: SocketAddr,
    /// Keep everything in memory, and what needs files in a temporary folder, until the stop.
    pub in_memory: bool,
    /// What each database's module may log before the oldest is removed, bytes.
    pub module_logs_bytes_max: u64,
    /// A database has a snapshot whenever its log holds so many transactions behind the newest one,
    /// unless it is large, so that a start replays little; 0 leaves it at the engine's own
    /// snapshots, every 1,000,000 transactions.
    pub checkpoint_transactions: u64,
    /// Whom to let in.
    pub guard: GuardConfig,
}

/// What [`EngineConfig::module_logs_bytes_max`] usually is: 64 MiB.
pub const MODULE_LOGS_BYTES_MAX: u64 = 64 << 20;

/// A running engine behind its guard. Call [`Engine::stop`]: a drop does not wait for the disk.
pub struct Engine {
    server: Server,
    node: Arc<Node>,
    guard: Arc<Guard>,
    /// What looks at logs and disk; ended first, for it holds the node.
    watches: Option<(DropGuard, Option<DropGuard>)>,
    checkpoints: Option<Checkpoints>,
    repairs: Vec<String>,
    _janitor: LogJanitor,
    // Dropped last, in this order: the lock on the data directory, then the directory itself.
    _lock: PidFile,
    _temporary: Option<TempDir>,
}

impl Engine {
    /// Locks the data directory, starts every database in it, and listens.
    ///
    /// Needs a multi-threaded tokio runtime.
    ///
    /// # Errors
    ///
    /// In this order: [`EngineError::Runtime`]; for the data directory [`EngineError::Io`],
    /// [`EngineError::DataDirInUse`], [`EngineError::DataDirUnusable`] when another release wrote
    /// it, and [`EngineError::LogDamaged`]; for the address [`EngineError::PortTaken`] or
    /// [`EngineError::Listen`]; [`EngineError::Keys`].
    pub async fn start(config: EngineConfig) -> Result<Self, EngineError> {
        if Handle::current().runtime_flavor() == RuntimeFlavor::CurrentThread {
            return Err(EngineError::Runtime);
        }
        let (folder, temporary) = engine_folder(&config)?;
        let data_dir = Arc::new(ServerDataDir::from_path_unchecked(&folder));
        let lock = lock(&data_dir)?;
        check_release(&data_dir)?;
        let repairs = repair(&data_dir, config.in_memory, config.checkpoint_transactions).await?;
        let listener = listen(config.listen)?;

        let tickets = Arc::new(TicketOffice::new()?);
        let unusable = |error: anyhow::Error| EngineError::DataDirUnusable {
            path: folder.clone(),
            reason: format!("{error:#}"),
        };
        let janitor = LogJanitor::start(&data_dir, config.module_logs_bytes_max);
        let node = Node::open(data_dir, config.in_memory, tickets.clone()).await;
        let node = Arc::new(node.map_err(unusable)?);
        node.launch_all().await.map_err(unusable)?;
        let swaps = node.swaps().clone();
        let guard = Arc::new(Guard::new(config.guard, tickets, node.clone(), swaps));

        let router = routes::router(&node, database_routes(), axum07::Router::new());
        let router = router.with_state(node.clone());
        let layer = axum07::middleware::from_fn_with_state(guard.clone(), guard::admit);
        let watch = guard.door().watch(node.logs().clone());
        let watch_space = (!config.in_memory).then(|| {
            let told = node.clone();
            let announce = move |read_only| {
                let node = told.clone();
                async move { node.set_read_only(read_only).await }
            };
            guard.door().watch_space(folder.clone(), announce)
        });
        let checkpoints = (!config.in_memory && config.checkpoint_transactions > 0).then(|| {
            let door = guard.door().clone();
            let has_room = move || door.has_room();
            Checkpoints::start(node.clone(), config.checkpoint_transactions, has_room)
        });
        let server = Server::start(listener, layer.layer(router), guard.door().clone())
            .map_err(|source| EngineError::Listen { addr: config.listen, source })?;
        Ok(Self {
            server,
            node,
            guard,
            watches: Some((watch, watch_space)),
            checkpoints,
            repairs,
            _janitor: janitor,
            _lock: lock,
            _temporary: temporary,
        })
    }

    /// Everything that players need is ready: who waited for it by
    /// [`GuardConfig::players_wait`] may come. Again is no error.
    pub fn let_players_in(&self) {
        self.guard.door().let_players_in();
    }

    /// What was repaired in the data directory before it was used, a line each.
    pub fn repairs(&self) -> &[String] {
        &self.repairs
    }

    /// Where it listens, with the port that was found for port 0.
    pub fn addr(&self) -> SocketAddr {
        self.server.addr()
    }

    /// Where it listens, as clients write it: `http://127.0.0.1:3000`.
    pub fn uri(&self) -> String {
        format!("http://{}", self.addr())
    }

    /// How often the guard refused, by code, since the start; codes that never occurred are 0.
    pub fn guard_refusals(&self) -> Vec<(&'static str, u64)> {
        self.guard.door().refusals()
    }

    /// What the guard counts.
    pub fn metrics(&self) -> EngineMetrics {
        EngineMetrics(self.guard.door().clone())
    }

    /// Transactions that were acknowledged and are not on disk yet. Always 0 in memory.
    pub fn durability_backlog(&self) -> u64 {
        self.node.logs().backlog()
    }

    /// Stops within ten seconds: no new connections, requests in flight answered, sockets
    /// closed, `client_disconnected` run, everything written, all files closed.
    ///
    /// # Errors
    ///
    /// [`EngineError::NotWritten`] when the disk did not keep up; what could be is written.
    pub async fn stop(mut self) -> Result<(), EngineError> {
        let started = Instant::now();
        self.watches = None;
        if let Some(checkpoints) = &self.checkpoints {
            checkpoints.stop();
        }
        if !self.close_connections().await {
            tracing::warn!("some clients could not be disconnected; the next start does it");
        }
        match tokio::time::timeout(EXIT_PATIENCE, self.node.exit_all()).await {
            Ok(Ok(())) => {}
            Ok(Err(error)) => tracing::warn!("a database did not end cleanly: {error:#}"),
            Err(_) => tracing::warn!("a database is still busy"),
        }
        let logs = self.node.logs().clone();
        let written = logs.wait_written(WRITE_PATIENCE).await;
        if let Some(checkpoints) = self.checkpoints
            && !checkpoints.wait_stopped(CLOSE_PATIENCE).await
        {
            tracing::debug!("a checkpoint is still being made");
        }
        // The guard asks the node what is written.
        drop((self.guard, self.node));
        if !logs.wait_closed(CLOSE_PATIENCE).await {
            tracing::debug!("a database is still open");
        }
        if written { Ok(()) } else { Err(EngineError::NotWritten(started.elapsed())) }
    }

    /// Ends the listener and all connections, and waits until the engine has run
    /// `client_disconnected` for each; `false` when that took too long.
    pub(crate) async fn close_connections(&self) -> bool {
        if !self.server.stop(CONNECTIONS_PATIENCE).await {
            return false;
        }
        let emptied = async {
            while self.connected_clients().await > 0 {
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
        };
        tokio::time::timeout(DISCONNECTS_PATIENCE, emptied).await.is_ok()
    }

    /// Clients whose `client_disconnected` has not run yet; none when that cannot be counted.
    pub(crate) async fn connected_clients(&self) -> usize {
        self.node.connected_clients().await.unwrap_or_else(|error| {
            tracing::warn!("connected clients could not be counted: {error:#}");
            0
        })
    }

    /// The folder with the engine's files.
    #[cfg(test)]
    pub(crate) fn folder(&self) -> &Path {
        self.node.folder()
    }
}

/// What the guard of a running engine counts; outlives it.
#[derive(Clone)]
pub struct EngineMetrics(Arc<Door>);

impl EngineMetrics {
    /// Prometheus text, the same as `GET /v1/metrics` with the owner's token.
    pub fn text(&self) -> String {
        self.0.metrics()
    }
}

impl std::fmt::Debug for EngineMetrics {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("EngineMetrics").finish_non_exhaustive()
    }
}

impl std::fmt::Debug for Engine {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Engine").field("addr", &self.addr()).finish_non_exhaustive()
    }
}

fn engine_folder(config: &EngineConfig) -> Result<(PathBuf, Option<TempDir>), EngineError> {
    if config.in_memory {
        let temporary = tempfile::Builder::new()
            .prefix("haven-engine-")
            .tempdir()
            .map_err(EngineError::io(std::env::temp_dir()))?;
        return Ok((temporary.path().to_owned(), Some(temporary)));
    }
    let folder = config.data_dir.join("engine");
    create_private(&folder).map_err(EngineError::io(&folder))?;
    Ok((folder, None))
}

/// Creates a folder that only its owner may enter: it holds every player's data.
pub(crate) fn create_private(folder: &Path) -> std::io::Result<()> {
    let mut builder = std::fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(folder)
}

fn lock(data_dir: &ServerDataDir) -> Result<PidFile, EngineError> {
    data_dir.pid_file().map_err(|error| match error {
        PidFileError::Exists { pid } => EngineError::DataDirInUse { path: data_dir.0.clone(), pid },
        PidFileError::Io(source) => EngineError::Io { path: data_dir.0.clone(), source },
    })
}

/// Refuses data that a newer or an incompatible release has written, and signs our own.
fn check_release(data_dir: &ServerDataDir) -> Result<(), EngineError> {
    let file = data_dir.metadata_toml();
    let unusable = |error: anyhow::Error| EngineError::DataDirUnusable {
        path: data_dir.0.clone(),
        reason: format!("{error:#}"),
    };
    let current = MetadataFile::new("haven");
    let metadata = match MetadataFile::read(&file).map_err(unusable)? {
        Some(existing) => existing.check_compatibility_and_update(current).map_err(unusable)?,
        None => current,
    };
    metadata.write(&file).map_err(EngineError::io(&file.0))
}

/// Makes the data directory one that the databases can start from; see `boot`.
async fn repair(
    data_dir: &ServerDataDir,
    in_memory: bool,
    checkpoint_transactions: u64,
) -> Result<Vec<String>, EngineError> {
    if in_memory {
        return Ok(Vec::new());
    }
    let data_dir = data_dir.clone();
    let repaired = tokio::task::spawn_blocking(move || {
        let control = Control::open_in(&data_dir).map_err(|error| {
            EngineError::DataDirUnusable { path: data_dir.0.clone(), reason: format!("{error:#}") }
        })?;
        boot::repair_all(&data_dir, &control, checkpoint_transactions)
    });
    repaired.await.map_err(|_| EngineError::Runtime)?
}

fn listen(addr: SocketAddr) -> Result<TcpListener, EngineError> {
    bind(addr).map_err(|source| match source.kind() {
        std::io::ErrorKind::AddrInUse => EngineError::PortTaken(addr),
        _ => EngineError::Listen { addr, source },
    })
}

fn bind(addr: SocketAddr) -> std::io::Result<TcpListener> {
    let socket = if addr.is_ipv4() { TcpSocket::new_v4()? } else { TcpSocket::new_v6()? };
    // As tokio's own bind does: a port is free again at once after a stop.
    socket.set_reuseaddr(true)?;
    socket.set_send_buffer_size(SEND_BUFFER_BYTES)?;
    socket.bind(addr)?;
    socket.listen(BACKLOG)
}

/// The engine's own routes, without their own limits: the guard has counted the bytes.
fn database_routes() -> DatabaseRoutes<Arc<Node>> {
    let mut routes = DatabaseRoutes::default();
    routes.root_post = routes.root_post.layer(DefaultBodyLimit::disable());
    routes.db_put = routes.db_put.layer(DefaultBodyLimit::disable());
    routes
}
