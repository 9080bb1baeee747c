//! What is tortured: a `haven up` on disk, which can be killed, stopped and started where it was.
//!
//! Keeps true: its addresses stay the same over all starts; it is ended and its directory removed
//! whatever comes of the work.

use std::net::{Ipv4Addr, TcpListener};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use anyhow::{Context, bail, ensure};
use haven_checks::{Snapshot, check, check_ground};
use haven_client_sdk::{Haven, RetryPolicy};
use tempfile::TempDir;

use crate::child::{Launch, Running};
use crate::config::DatabaseSection;
use crate::terminal;

/// For how long players repeat a command: a start compiles the module, which takes a while where
/// much else is going on.
const PATIENCE: Duration = Duration::from_mins(5);
/// How long a gateway that says that it runs may take to answer.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(5);
/// A start that took longer is told, with how long each of its steps took.
const SLOW: Duration = Duration::from_secs(1);
/// Ports for servers that are started again: below those that the system gives to connections,
/// or a client that knocks while its server is away may be given the server's own port.
const PORTS: std::ops::Range<u16> = 15_000..30_000;

/// A server and where it lives.
pub(super) struct Site {
    // Before the directory, so that it is killed before that is removed.
    running: Option<Running>,
    dir: PathBuf,
    launch: Launch,
    /// How it is reached.
    pub(super) reach: Reach,
    _removed: Option<TempDir>,
}

/// How a server is reached, and what it says of itself.
#[derive(Clone, Debug)]
pub(super) struct Reach {
    /// Where its gateway is.
    pub(super) gateway: String,
    /// Where its database is.
    pub(super) uri: String,
    /// Where the owner's token is.
    pub(super) token_file: PathBuf,
}

impl Site {
    /// Starts one with these variables `HAVEN_…` besides those that all have.
    pub(super) async fn open(variables: &[(&str, &str)]) -> anyhow::Result<Self> {
        let dir = TempDir::with_prefix("haven-torture-")?;
        let path = dir.path().to_owned();
        Self::start_in(path, Some(dir), variables).await
    }

    /// The same, in a directory that somebody else removes.
    pub(super) async fn at(dir: &Path, variables: &[(&str, &str)]) -> anyhow::Result<Self> {
        Self::start_in(dir.to_owned(), None, variables).await
    }

    async fn start_in(
        dir: PathBuf,
        removed: Option<TempDir>,
        variables: &[(&str, &str)],
    ) -> anyhow::Result<Self> {
        let (listen, stdb_listen) = (free_address()?, free_address()?);
        let mut launch = with_room(Launch::up(&dir, &listen, &stdb_listen));
        for (name, value) in variables {
            launch = launch.variable(name, *value);
        }
        let running = launch.start().await?;
        let (gateway, uri) = (running.told("gateway")?, running.told("database")?);
        let token_file = dir.join("data/owner.token");
        let reach = Reach { gateway, uri, token_file };
        Ok(Self { running: Some(running), dir, launch, reach, _removed: removed })
    }

    /// The directory it was started in; its data is in `data` below.
    pub(super) fn dir(&self) -> &Path {
        &self.dir
    }

    /// The process that runs.
    pub(super) fn running(&mut self) -> anyhow::Result<&mut Running> {
        self.running.as_mut().context("the server does not run")
    }

    /// Ends it as a power cut would.
    pub(super) async fn kill(&mut self) -> anyhow::Result<()> {
        let mut running = self.running.take().context("the server does not run")?;
        ensure!(!running.has_ended(), "the server had ended by itself");
        running.kill().await
    }

    /// Asks it to stop.
    pub(super) async fn stop(&mut self) -> anyhow::Result<()> {
        self.running.take().context("the server does not run")?.stop().await
    }

    /// Starts it again; how long it took until its gateway answered.
    pub(super) async fn start(&mut self) -> anyhow::Result<Duration> {
        let began = Instant::now();
        let running = self.launch.start().await?;
        let said = began.elapsed();
        self.reach.wait_answers(ANSWER_TIMEOUT).await?;
        let took = began.elapsed();
        if took > SLOW {
            let (said, steps) = (said.as_millis(), running.started());
            let all = took.as_millis();
            terminal::note(&format!("a slow start: {all} ms, said after {said} ms, {steps}"));
        }
        self.running = Some(running);
        Ok(took)
    }

    /// The file that the newest part of the commit log is in.
    pub(super) fn newest_segment(&self) -> anyhow::Result<PathBuf> {
        let folder = self.dir.join("data/engine/replicas/1/clog");
        let entries = std::fs::read_dir(&folder)?.collect::<Result<Vec<_>, _>>()?;
        let logs = entries.iter().map(std::fs::DirEntry::path);
        let logs = logs.filter(|path| path.to_string_lossy().ends_with(".stdb.log"));
        logs.max().context("there is no commit log")
    }
}

impl Reach {
    /// Waits until its gateway knows a realm.
    pub(super) async fn wait_answers(&self, patience: Duration) -> anyhow::Result<()> {
        let until = Instant::now() + patience;
        loop {
            // On a connection of its own each time: one that was held may be of a run before.
            match Haven::new(&self.gateway)?.realms().await {
                Ok(realms) if !realms.is_empty() => return Ok(()),
                Ok(_) => bail!("the gateway knows no realm"),
                Err(error) if Instant::now() > until => {
                    bail!("the gateway does not answer: {error}")
                }
                Err(_) => tokio::time::sleep(Duration::from_millis(20)).await,
            }
        }
    }

    /// Its gateway, as players see it who wait out what is in their way.
    pub(super) fn haven(&self) -> anyhow::Result<Haven> {
        let haven = Haven::new(&self.gateway)?.with_retry(RetryPolicy::patient());
        Ok(haven.command_patience(PATIENCE))
    }

    /// All rows, as of one transaction.
    pub(super) async fn snapshot(&self) -> anyhow::Result<Snapshot> {
        let token = self.owner_token()?;
        Ok(Snapshot::read(&self.uri, &DatabaseSection::default().name, &token).await?)
    }

    /// The token that `haven up` leaves for the owner.
    pub(super) fn owner_token(&self) -> anyhow::Result<String> {
        let token =
            std::fs::read_to_string(&self.token_file).context("there is no owner's token")?;
        Ok(token.trim().to_owned())
    }

    /// What the gateway of `haven up` tells Prometheus.
    pub(super) async fn metrics(&self) -> anyhow::Result<Metrics> {
        let answer = reqwest::get(format!("{}/metrics", self.gateway)).await?;
        Ok(Metrics(answer.error_for_status()?.text().await?))
    }
}

/// Fails with the rules that a snapshot breaks.
pub(super) fn ensure_sound(now: &Snapshot) -> anyhow::Result<()> {
    let mut broken = check(now);
    broken.extend(check_ground(now));
    if broken.is_empty() {
        return Ok(());
    }
    let broken: Vec<String> = broken.iter().map(ToString::to_string).collect();
    bail!("{}", broken.join("; "))
}

/// A launch whose gateway lets one address do what many do elsewhere, and whose instances outlive
/// whatever is done to it.
pub(super) fn with_room(launch: Launch) -> Launch {
    let launch = launch
        .variable("HAVEN_INSTANCES__HOLLOW__LIFETIME_SECONDS", "604800")
        .variable("HAVEN_INSTANCES__HOLLOW__EMPTY_SECONDS", "604800");
    let limit = |name: &str| format!("HAVEN_GATEWAY__LIMITS__{name}");
    let limits = [
        ("AUTH_PER_SECOND", "10000"),
        ("AUTH_BURST", "10000"),
        ("OTHER_PER_SECOND", "10000"),
        ("OTHER_BURST", "10000"),
        ("LOGIN_BURST", "1000"),
        ("LOGIN_INTERVAL_MILLIS", "10"),
        ("CONNECTIONS_PER_ADDRESS_MAX", "4096"),
    ];
    limits.iter().fold(launch, |launch, (name, value)| launch.variable(&limit(name), *value))
}

/// An address of this machine that nobody listens on.
pub(super) fn free_address() -> anyhow::Result<String> {
    for _ in 0..1_000 {
        let addr = (Ipv4Addr::LOCALHOST, rand::random_range(PORTS));
        if TcpListener::bind(addr).is_ok() {
            return Ok(format!("{}:{}", addr.0, addr.1));
        }
    }
    bail!("no port is free")
}

/// What a server tells Prometheus.
pub(super) struct Metrics(String);

impl Metrics {
    /// A number by its name and labels; 0 of what was never counted.
    pub(super) fn number(&self, name: &str) -> u64 {
        let line = self.0.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(' '));
        line.and_then(|number| number.trim().parse().ok()).unwrap_or_default()
    }

    /// Connections and messages that were refused for that reason.
    pub(super) fn refusals(&self, code: &str) -> u64 {
        self.number(&format!("haven_guard_refusals_total{{code=\"{code}\"}}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_is_found_by_its_whole_name() {
        let text = "haven_guard_refusals_total{code=\"guard.x\"} 7\nhaven_ab 2\nhaven_a 1\n";
        let metrics = Metrics(text.to_owned());
        assert_eq!((metrics.number("haven_a"), metrics.number("haven_ab")), (1, 2));
        assert_eq!((metrics.refusals("guard.x"), metrics.refusals("guard.y")), (7, 0));
    }
}
