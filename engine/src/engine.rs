//! The engine's life: start, run, stop.
//!
//! Keeps true: nothing of the engine is reachable without the guard; one engine works on a data
//! directory; when `stop` has returned `Ok`, every acknowledged transaction is on disk.
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
use tokio::net::TcpListener;
use tokio::runtime::{Handle, RuntimeFlavor};
use tower::Layer as _;

use crate::EngineError;
use crate::guard::{self, Guard, GuardConfig};
use crate::node::Node;
use crate::server::Server;
use crate::ticket::TicketOffice;

// A stop has ten seconds altogether.
const CONNECTIONS_PATIENCE: Duration = Duration::from_millis(2500);
const DISCONNECTS_PATIENCE: Duration = Duration::from_millis(1500);
const EXIT_PATIENCE: Duration = Duration::from_secs(2);
const WRITE_PATIENCE: Duration = Duration::from_secs(3);
const CLOSE_PATIENCE: Duration = Duration::from_millis(500);

/// How to start an engine.
#[derive(Debug, Clone)]
pub struct EngineConfig {
    /// The engine keeps its files in the folder `engine` below this one. Not used in memory.
    pub data_dir: PathBuf,
    /// Where to listen; port 0 takes any free one.
    pub listen: SocketAddr,
    /// Keep everything in memory, and what needs files in a temporary folder, until the stop.
    pub in_memory: bool,
    /// Whom to let in.
    pub guard: GuardConfig,
}

/// A running engine behind its guard. Call [`Engine::stop`]: a drop does not wait for the disk.
pub struct Engine {
    server: Server,
    node: Arc<Node>,
    guard: Arc<Guard>,
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
    /// [`EngineError::DataDirInUse`], and [`EngineError::DataDirUnusable`] when another release
    /// wrote it; for the address [`EngineError::PortTaken`] or [`EngineError::Listen`];
    /// [`EngineError::Keys`].
    pub async fn start(config: EngineConfig) -> Result<Self, EngineError> {
        if Handle::current().runtime_flavor() == RuntimeFlavor::CurrentThread {
            return Err(EngineError::Runtime);
        }
        let (folder, temporary) = engine_folder(&config)?;
        let data_dir = Arc::new(ServerDataDir::from_path_unchecked(&folder));
        let lock = lock(&data_dir)?;
        check_release(&data_dir)?;
        let listener = listen(config.listen).await?;

        let tickets = Arc::new(TicketOffice::new()?);
        let unusable = |error: anyhow::Error| EngineError::DataDirUnusable {
            path: folder.clone(),
            reason: format!("{error:#}"),
        };
        let node = Node::open(data_dir, config.in_memory, tickets.clone()).await;
        let node = Arc::new(node.map_err(unusable)?);
        node.launch_all().await.map_err(unusable)?;
        let guard = Arc::new(Guard::new(config.guard, tickets, node.clone()));

        let router = routes::router(&node, database_routes(), axum07::Router::new());
        let router = router.with_state(node.clone());
        let door = axum07::middleware::from_fn_with_state(guard.clone(), guard::admit);
        let server = Server::start(listener, door.layer(router))
            .map_err(|source| EngineError::Listen { addr: config.listen, source })?;
        Ok(Self { server, node, guard, _lock: lock, _temporary: temporary })
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
        self.guard.refusals()
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
    pub async fn stop(self) -> Result<(), EngineError> {
        let started = Instant::now();
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
fn create_private(folder: &Path) -> std::io::Result<()> {
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

async fn listen(addr: SocketAddr) -> Result<TcpListener, EngineError> {
    TcpListener::bind(addr).await.map_err(|source| match source.kind() {
        std::io::ErrorKind::AddrInUse => EngineError::PortTaken(addr),
        _ => EngineError::Listen { addr, source },
    })
}

/// The engine's own routes, without their own limits: the guard has counted the bytes.
fn database_routes() -> DatabaseRoutes<Arc<Node>> {
    let mut routes = DatabaseRoutes::default();
    routes.root_post = routes.root_post.layer(DefaultBodyLimit::disable());
    routes.db_put = routes.db_put.layer(DefaultBodyLimit::disable());
    routes
}
