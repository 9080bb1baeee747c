//! The server under test: `haven up` in a process of its own, on disk, on ports the system picks.
//!
//! Keeps true: it is ended and its directory removed whatever comes of the work.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, bail};
use haven_gateway::GatewayConfig;
use haven_gateway::keys::KeyStore;
use haven_gateway::stdb::{Link, LinkConfig};
use tempfile::TempDir;

use super::Interrupted;
use super::proc::Usage;
use crate::child::{Launch, Running};
use crate::config::DatabaseSection;
use crate::signals::StopSignal;

/// How long a database may take to accept a connection.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);

/// What is measured: a database behind its guard, and the process it is in.
#[derive(Clone, Debug)]
pub(crate) struct Target {
    /// Where the database is reached, `http://host:port`.
    pub(crate) uri: String,
    /// The database's name.
    pub(crate) database: String,
    /// Who issues its tokens.
    pub(crate) issuer: String,
    /// The keys its tokens are signed with.
    pub(crate) keys: Arc<KeyStore>,
    /// The process.
    pub(crate) process_id: u32,
}

impl Target {
    /// What its process has used so far.
    pub(crate) fn usage(&self) -> anyhow::Result<Usage> {
        Usage::of(self.process_id)
    }

    /// A link to its database, as its owner.
    pub(crate) async fn owner(&self) -> anyhow::Result<Link> {
        let keys = Arc::clone(&self.keys);
        let link = Link::open(LinkConfig::owner(&self.uri, &self.database, keys, &self.issuer));
        if !link.wait_connected(CONNECT_TIMEOUT).await {
            let reason = link.last_failure().unwrap_or_else(|| "no answer".to_owned());
            bail!("the server's database cannot be reached: {reason}");
        }
        Ok(link)
    }
}

/// A running server.
#[derive(Debug)]
pub(crate) struct Server {
    // Before the directory, so that it is killed before that is removed.
    running: Running,
    /// What is measured.
    pub(crate) target: Target,
    dir: TempDir,
}

/// Starts a server with these variables `HAVEN_…`, lets `work` use it, and ends it whatever comes
/// of that; a request to stop ends the work.
pub(crate) async fn with_server<T>(
    variables: &[(&str, String)],
    stop: &mut StopSignal,
    work: impl AsyncFnOnce(&Server) -> anyhow::Result<T>,
) -> anyhow::Result<T> {
    let server = tokio::select! {
        started = Server::start(variables) => started?,
        () = stop.wait() => return Err(Interrupted.into()),
    };
    let outcome = tokio::select! {
        outcome = work(&server) => outcome,
        () = stop.wait() => Err(Interrupted.into()),
    };
    let stopped = server.stop().await;
    let value = outcome?;
    stopped?;
    Ok(value)
}

impl Server {
    /// Where it keeps its data.
    pub(crate) fn data_dir(&self) -> PathBuf {
        self.dir.path().join("data")
    }

    async fn start(variables: &[(&str, String)]) -> anyhow::Result<Self> {
        let dir = TempDir::with_prefix("haven-bench-")?;
        let mut launch = Launch::up(dir.path(), "127.0.0.1:0", "127.0.0.1:0");
        for (name, value) in variables {
            launch = launch.variable(name, value);
        }
        let running = launch.start().await?;
        let keys = Arc::new(KeyStore::open_or_create(dir.path().join("data/keys"))?);
        let database = DatabaseSection::default().name;
        let issuer = GatewayConfig::default().issuer;
        let (uri, process_id) = (running.told("database")?, running.process_id);
        let target = Target { uri, database, issuer, keys, process_id };
        Ok(Self { running, target, dir })
    }

    async fn stop(self) -> anyhow::Result<()> {
        self.running.stop().await?;
        self.dir.close().context("the server's directory cannot be removed")
    }
}
