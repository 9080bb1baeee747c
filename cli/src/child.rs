//! This command in a process of its own, as servers under test run it.
//!
//! Keeps true: what it uses can be told from what the load uses; it knows nothing of the
//! configuration around it; it is killed when it is dropped.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use anyhow::{Context, bail};
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::process::{Child, ChildStdout, Command};
use tokio::time::timeout;

/// What a process complains of is written to.
const LOG_FILE: &str = "server.log";
/// How long it may take to start.
const START_TIMEOUT: Duration = Duration::from_mins(1);
/// How long it may take to stop before it is killed: `haven up` takes 10 seconds at most.
const STOP_TIMEOUT: Duration = Duration::from_secs(15);

/// How to start one.
#[derive(Clone, Debug)]
pub(crate) struct Launch {
    dir: PathBuf,
    args: Vec<String>,
    variables: BTreeMap<String, String>,
}

impl Launch {
    /// With these arguments, in a directory without a configuration file. What it complains of is
    /// appended to a file there.
    pub(crate) fn new(dir: &Path, args: &[&str]) -> Self {
        let args = args.iter().map(|arg| (*arg).to_owned()).collect();
        Self { dir: dir.to_owned(), args, variables: BTreeMap::new() }
    }

    /// `haven up` on `data` below that directory, listening there.
    pub(crate) fn up(dir: &Path, listen: &str, stdb_listen: &str) -> Self {
        let up = ["up", "--data-dir", "data", "--listen", listen, "--stdb-listen", stdb_listen];
        Self::new(dir, &up)
    }

    /// Also with this variable.
    pub(crate) fn variable(mut self, name: &str, value: impl Into<String>) -> Self {
        self.variables.insert(name.to_owned(), value.into());
        self
    }

    /// Starts it and waits until it says that it runs.
    pub(crate) async fn start(&self) -> anyhow::Result<Running> {
        let mut child = self.command()?.spawn().context("it does not start")?;
        let process_id = child.id().context("the server ended at once")?;
        let output = child.stdout.take().context("the server has no output")?;
        match timeout(START_TIMEOUT, greeting(output)).await {
            Ok(Some(told)) => Ok(Running { child, process_id, told }),
            Ok(None) => bail!("the server did not start: {}", self.last_complaint()),
            Err(_) => bail!("the server did not start within {} s", START_TIMEOUT.as_secs()),
        }
    }

    /// Starts it, for those that say nothing until they end.
    pub(crate) fn spawn(&self) -> anyhow::Result<Running> {
        let child = self.command()?.stdout(Stdio::null()).spawn()?;
        let process_id = child.id().context("it ended at once")?;
        Ok(Running { child, process_id, told: BTreeMap::new() })
    }

    /// Runs it to its end; what it prints.
    pub(crate) async fn run(&self) -> anyhow::Result<String> {
        let output = self.command()?.stderr(Stdio::piped()).output().await?;
        if !output.status.success() {
            bail!("{}: {}", self.args.join(" "), String::from_utf8_lossy(&output.stderr).trim());
        }
        Ok(String::from_utf8_lossy(&output.stdout).into_owned())
    }

    fn command(&self) -> anyhow::Result<Command> {
        let mut command = Command::new(std::env::current_exe()?);
        command.current_dir(&self.dir).args(&self.args);
        for (name, _) in std::env::vars_os() {
            if name.to_string_lossy().starts_with("HAVEN_") {
                command.env_remove(name);
            }
        }
        command.envs(&self.variables).env("NO_COLOR", "1");
        let log = fs::File::options().create(true).append(true).open(self.dir.join(LOG_FILE))?;
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(log).kill_on_drop(true);
        Ok(command)
    }

    /// The last line of what it complained of.
    fn last_complaint(&self) -> String {
        let log = fs::read_to_string(self.dir.join(LOG_FILE)).unwrap_or_default();
        log.lines().last().unwrap_or("it said nothing").to_owned()
    }
}

/// One that runs.
#[derive(Debug)]
pub(crate) struct Running {
    child: Child,
    /// The process.
    pub(crate) process_id: u32,
    told: BTreeMap<String, String>,
}

impl Running {
    /// What it said of itself, such as the address of its `gateway`: one word.
    pub(crate) fn told(&self, label: &str) -> anyhow::Result<String> {
        let said = self.told.get(label).and_then(|line| line.split_whitespace().next());
        said.map(str::to_owned).with_context(|| format!("it does not say its {label}"))
    }

    /// How long its start took, step by step; empty where it does not say.
    pub(crate) fn started(&self) -> &str {
        self.told.get("started").map_or("", String::as_str)
    }

    /// Ends it as a power cut would, and waits until it is gone.
    pub(crate) async fn kill(mut self) -> anyhow::Result<()> {
        self.child.kill().await.context("the server cannot be ended")
    }

    /// Asks it to stop, waits, and kills it when that takes too long.
    pub(crate) async fn stop(mut self) -> anyhow::Result<()> {
        if self.signal("TERM").await.is_ok()
            && timeout(STOP_TIMEOUT, self.child.wait()).await.is_ok()
        {
            return Ok(());
        }
        self.kill().await
    }

    /// Sends it a signal by its name, such as `STOP`.
    pub(crate) async fn signal(&self, name: &str) -> anyhow::Result<()> {
        let (signal, id) = (format!("-{name}"), self.process_id.to_string());
        let sent = Command::new("kill").args([&signal, &id]).stderr(Stdio::null()).status().await?;
        if !sent.success() {
            bail!("the process {id} cannot be sent {name}");
        }
        Ok(())
    }

    /// Whether it has ended by itself.
    pub(crate) fn has_ended(&mut self) -> bool {
        !matches!(self.child.try_wait(), Ok(None))
    }
}

/// What the process says of itself, by the first word of each line; nothing when it ends before.
/// The rest of the output is read by a task: a server whose output nobody reads could not print.
async fn greeting(output: ChildStdout) -> Option<BTreeMap<String, String>> {
    let mut lines = BufReader::new(output).lines();
    let mut told = BTreeMap::new();
    while let Ok(Some(line)) = lines.next_line().await {
        let (label, rest) = line.trim().split_once(' ').unwrap_or_default();
        match (label, rest.trim()) {
            ("Ctrl-C", _) => {
                tokio::spawn(async move { while let Ok(Some(_)) = lines.next_line().await {} });
                return Some(told);
            }
            (_, "") => {}
            (label, rest) => {
                told.insert(label.to_owned(), rest.to_owned());
            }
        }
    }
    None
}
