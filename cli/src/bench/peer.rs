//! Another server under the same load: a directory with a `run.mjs` that measures it.
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

/// One point of the peer's.
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

/// A peer in its directory.
#[derive(Clone, Debug)]
pub(crate) struct Peer {
    dir: PathBuf,
}

impl Peer {
    /// Finds its `run.mjs`.
    pub(crate) fn open(dir: &Path) -> anyhow::Result<Self> {
        ensure!(dir.join("run.mjs").is_file(), "there is no run.mjs in {}", dir.display());
        Ok(Self { dir: dir.to_owned() })
    }

    /// Measures a point; answers the object it prints.
    pub(crate) async fn measure(&self, point: &PeerPoint) -> anyhow::Result<Value> {
        let mut command = Command::new("node");
        command.arg("run.mjs").current_dir(&self.dir);
        for (flag, value) in [
            ("--case", point.case.to_owned()),
            ("--clients", point.clients.to_string()),
            ("--inputs-per-second", point.inputs_per_s.to_string()),
            ("--blocks", point.blocks.to_string()),
            ("--seconds", point.seconds.to_string()),
            ("--warmup", point.warmup.to_string()),
        ] {
            command.args([flag, &value]);
        }
        command.stdin(Stdio::null()).kill_on_drop(true);
        let limit = Duration::from_secs((point.seconds + point.warmup).into()) + EXTRA_TIME;
        let output = timeout(limit, command.output()).await.context("the peer takes too long")?;
        let output = output.context("node cannot be run")?;
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
