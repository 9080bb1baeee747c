//! Another server under the same load: a directory with a program that measures it, a `run.mjs` for
//! node or a crate for cargo.
//!
//! Keeps true: it is told what Haven's own point was told; its figures get cases of their own, with
//! its name before them. Leaves out how it measures: that stands in its directory.

use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use anyhow::{Context, bail, ensure};
use serde_json::Value;
use tokio::process::Command;
use tokio::time::timeout;

/// What it may take beyond the time it measures: to start, to let everybody in, and to stop.
const EXTRA_TIME: Duration = Duration::from_mins(2);
/// How long a crate may take to be built.
const BUILD_TIME: Duration = Duration::from_mins(15);

/// One point of the peer's that is about a crowd.
#[derive(Clone, Debug)]
pub(crate) struct PeerPoint {
    /// The peer's own name for the case.
    pub(crate) case: &'static str,
    pub(crate) clients: u32,
    pub(crate) inputs_per_s: u32,
    /// Blocks from edge to edge of the world.
    pub(crate) blocks: i32,
    pub(crate) seconds: u32,
    pub(crate) warmup: u32,
}

impl PeerPoint {
    fn args(&self) -> Vec<String> {
        let flags = [
            ("--case", self.case.to_owned()),
            ("--clients", self.clients.to_string()),
            ("--inputs-per-second", self.inputs_per_s.to_string()),
            ("--blocks", self.blocks.to_string()),
            ("--seconds", self.seconds.to_string()),
            ("--warmup", self.warmup.to_string()),
        ];
        flags.into_iter().flat_map(|(flag, value)| [flag.to_owned(), value]).collect()
    }
}

/// What a peer is run by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Runner {
    /// Its `run.mjs` is.
    Node,
    /// It is a crate.
    Cargo,
}

/// A peer in its directory.
#[derive(Clone, Debug)]
pub(crate) struct Peer {
    dir: PathBuf,
    runner: Runner,
}

impl Peer {
    /// Finds its `run.mjs`, or else its `Cargo.toml`.
    pub(crate) fn open(dir: &Path) -> anyhow::Result<Self> {
        let runners = [("run.mjs", Runner::Node), ("Cargo.toml", Runner::Cargo)];
        let found = runners.into_iter().find(|(file, _)| dir.join(file).is_file());
        let place = dir.display();
        let (_, runner) = found
            .with_context(|| format!("there is neither a run.mjs nor a Cargo.toml in {place}"))?;
        Ok(Self { dir: dir.to_owned(), runner })
    }

    /// Builds what has to be built, so that it is not measured.
    pub(crate) async fn build(&self) -> anyhow::Result<()> {
        if self.runner == Runner::Node {
            return Ok(());
        }
        let mut command = self.cargo("build");
        command.stdin(Stdio::null()).kill_on_drop(true);
        let built = timeout(BUILD_TIME, command.output()).await;
        let built = built.context("building the peer takes too long")?;
        let built = built.context("cargo cannot be run")?;
        let complaint = String::from_utf8_lossy(&built.stderr);
        let complaint = complaint.trim().lines().last().unwrap_or("no reason");
        ensure!(built.status.success(), "the peer cannot be built: {complaint}");
        Ok(())
    }

    /// Measures a point of a crowd; answers the object it prints.
    pub(crate) async fn measure(&self, point: &PeerPoint) -> anyhow::Result<Value> {
        self.run(&point.args(), point.seconds + point.warmup).await
    }

    /// Runs it with these arguments, by which it measures for so many seconds; answers the object
    /// it prints.
    pub(crate) async fn run(&self, args: &[String], seconds: u32) -> anyhow::Result<Value> {
        let (mut command, program) = match self.runner {
            Runner::Node => {
                let mut node = Command::new("node");
                node.arg("run.mjs");
                (node, "node")
            }
            Runner::Cargo => {
                let mut cargo = self.cargo("run");
                cargo.arg("--");
                (cargo, "cargo")
            }
        };
        command.args(args).current_dir(&self.dir).stdin(Stdio::null()).kill_on_drop(true);
        let limit = Duration::from_secs(seconds.into()) + EXTRA_TIME;
        let output = timeout(limit, command.output()).await.context("the peer takes too long")?;
        let output = output.with_context(|| format!("{program} cannot be run"))?;
        let said = String::from_utf8_lossy(&output.stdout);
        match parse(&said) {
            Some(figures) if output.status.success() => Ok(figures),
            _ => {
                let complaint = String::from_utf8_lossy(&output.stderr);
                let complaint = complaint.trim().lines().last().unwrap_or("no figures");
                bail!("the peer failed: {complaint}")
            }
        }
    }

    fn cargo(&self, what: &str) -> Command {
        let mut command = Command::new("cargo");
        command.args([what, "--release", "--quiet", "--locked"]).current_dir(&self.dir);
        command
    }
}

/// The object in the last line.
fn parse(said: &str) -> Option<Value> {
    let line = said.trim().lines().last()?;
    serde_json::from_str(line).ok().filter(Value::is_object)
}

/// What the peer is called in the names of cases.
pub(crate) fn name_of(figures: &Value) -> String {
    let name = figures["peer"].as_str().unwrap_or("peer");
    let word = name.split(|letter: char| !letter.is_alphanumeric()).next().unwrap_or("peer");
    word.to_lowercase()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_peer_is_a_script_or_a_crate() {
        let dir = tempfile::tempdir().expect("a directory");
        assert!(Peer::open(dir.path()).is_err());
        for (file, runner) in [("Cargo.toml", Runner::Cargo), ("run.mjs", Runner::Node)] {
            std::fs::write(dir.path().join(file), "").expect("written");
            assert_eq!(Peer::open(dir.path()).expect("a peer").runner, runner);
        }
    }

    #[test]
    fn the_last_line_holds_the_figures() {
        let figures = parse("starting\n{\"peer\": \"Colyseus 0.16\", \"errors\": 0}\n");
        let figures = figures.expect("an object");
        assert_eq!(figures["errors"], 0);
        assert_eq!(name_of(&figures), "colyseus");
        for said in ["", "nothing", "[1]", "{\"errors\": 0"] {
            assert_eq!(parse(said), None, "{said}");
        }
    }
}
