//! The server under test: `haven up` in a process of its own, on disk, on ports the system picks.
//!
//! Keeps true: what it uses can be told from what the load generator uses; it knows nothing of the
//! configuration around it; it is ended and its directory removed whatever comes of the work.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, bail};
use haven_gateway::GatewayConfig;
use haven_gateway::keys::KeyStore;
use haven_gateway::stdb::{Link, LinkConfig};
use tempfile::TempDir;
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::process::{Child, ChildStdout, Command};
use tokio::time::timeout;

use super::Interrupted;
use super::proc::Usage;
use crate::config::DatabaseSection;
use crate::signals::StopSignal;

/// What the server's complaints are written to.
const LOG_FILE: &str = "server.log";
/// How long it may take to start.
const START_TIMEOUT: Duration = Duration::from_mins(1);
/// How long it may take to stop before it is killed: `haven up` takes 10 seconds at most.
const STOP_TIMEOUT: Duration = Duration::from_secs(15);
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
    child: Child,
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
        data_dir(self.dir.path())
    }

    async fn start(variables: &[(&str, String)]) -> anyhow::Result<Self> {
        let dir = TempDir::with_prefix("haven-bench-")?;
        let mut child = command(dir.path(), variables)?.spawn().context("it does not start")?;
        let process_id = child.id().context("the server ended at once")?;
        let output = child.stdout.take().context("the server has no output")?;
        let uri = match timeout(START_TIMEOUT, greeting(output)).await {
            Ok(Some(uri)) => uri,
            Ok(None) => bail!("the server did not start: {}", last_complaint(dir.path())),
            Err(_) => bail!("the server did not start within {} s", START_TIMEOUT.as_secs()),
        };
        let keys = Arc::new(KeyStore::open_or_create(data_dir(dir.path()).join("keys"))?);
        let database = DatabaseSection::default().name;
        let issuer = GatewayConfig::default().issuer;
        let target = Target { uri, database, issuer, keys, process_id };
        Ok(Self { child, target, dir })
    }

    /// Asks it to stop, waits, and kills it when that takes too long.
    async fn stop(mut self) -> anyhow::Result<()> {
        let id = self.target.process_id.to_string();
        let asked = Command::new("kill").args(["-TERM", &id]).stderr(Stdio::null()).status().await;
        if asked.is_ok_and(|status| status.success())
            && timeout(STOP_TIMEOUT, self.child.wait()).await.is_ok()
        {
            return self.remove();
        }
        self.child.kill().await.context("the server cannot be ended")?;
        self.remove()
    }

    fn remove(self) -> anyhow::Result<()> {
        self.dir.close().context("the server's directory cannot be removed")
    }
}

/// Where the server in that directory keeps its data.
fn data_dir(dir: &Path) -> PathBuf {
    dir.join("data")
}

fn command(dir: &Path, variables: &[(&str, String)]) -> anyhow::Result<Command> {
    let mut command = Command::new(std::env::current_exe()?);
    // A directory without a configuration file, and no variables but the given ones.
    command.current_dir(dir);
    for (name, _) in std::env::vars_os() {
        if name.to_string_lossy().starts_with("HAVEN_") {
            command.env_remove(name);
        }
    }
    command.envs(variables.iter().map(|(name, value)| (name, value)));
    command.env("NO_COLOR", "1");
    command.arg("up").arg("--data-dir").arg(data_dir(dir));
    command.args(["--listen", "127.0.0.1:0", "--stdb-listen", "127.0.0.1:0"]);
    let log = fs::File::create(dir.join(LOG_FILE))?;
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(log).kill_on_drop(true);
    Ok(command)
}

/// The database's address from what `haven up` prints; nothing when it ends before. The rest of
/// the output is read by a task: a server whose output nobody reads could not print.
async fn greeting(output: ChildStdout) -> Option<String> {
    let mut lines = BufReader::new(output).lines();
    let mut database_uri = None;
    while let Ok(Some(line)) = lines.next_line().await {
        let mut words = line.split_whitespace();
        match words.next() {
            Some("database") => database_uri = words.next().map(str::to_owned),
            Some("Ctrl-C") => {
                tokio::spawn(async move { while let Ok(Some(_)) = lines.next_line().await {} });
                return database_uri;
            }
            _ => {}
        }
    }
    None
}

fn last_complaint(dir: &Path) -> String {
    let log = fs::read_to_string(dir.join(LOG_FILE)).unwrap_or_default();
    log.lines().last().unwrap_or("it said nothing").to_owned()
}
