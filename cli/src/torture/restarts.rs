//! A host and a gateway, in processes of their own, that end and start in any order.

use std::path::Path;
use std::time::Duration;

use anyhow::{Context, ensure};
use rand::RngExt as _;
use rand::rngs::StdRng;
use tempfile::TempDir;

use super::players::{Crowd, Pace};
use super::site::{Reach, free_address, with_room};
use super::{Extent, Findings, audit, audit_end, spread};
use crate::child::{Launch, Running};

/// How long both run before something happens to one of them, milliseconds.
const ALIVE_MILLIS: std::ops::Range<u64> = 100..1_200;
/// How long one is away, milliseconds.
const AWAY_MILLIS: std::ops::Range<u64> = 0..1_000;
/// How long players may take to be back at the end.
const BACK_TIMEOUT: Duration = Duration::from_mins(1);
const ACTS_PER_S: f64 = 1.0;

/// One of the two processes.
struct Part {
    launch: Launch,
    running: Option<Running>,
}

impl Part {
    async fn start(&mut self) -> anyhow::Result<()> {
        self.running = Some(self.launch.start().await?);
        Ok(())
    }

    async fn end(&mut self, kill: bool) -> anyhow::Result<()> {
        let mut running = self.running.take().context("it does not run")?;
        ensure!(!running.has_ended(), "it had ended by itself");
        if kill { running.kill().await } else { running.stop().await }
    }
}

/// A host with the module, and a gateway in front of it.
pub(super) struct Pair {
    host: Part,
    gateway: Part,
    /// How they are reached.
    pub(super) reach: Reach,
}

impl Pair {
    /// Starts both on `data` in that directory.
    pub(super) async fn open(dir: &Path) -> anyhow::Result<Self> {
        let (host_addr, gateway_addr) = (free_address()?, free_address()?);
        let server = format!("http://{host_addr}");
        let host = Launch::new(dir, &["host", "--data-dir", "data", "--listen", &host_addr]);
        let gateway =
            ["gateway", "--data-dir", "data", "--listen", &gateway_addr, "--server", &server];
        let gateway =
            with_room(Launch::new(dir, &gateway)).variable("HAVEN_GATEWAY__LOG_FILTER", "warn");
        let mut host = Part { launch: host, running: None };
        host.start().await?;
        publish(dir, &server, None).await?;
        let mut gateway = Part { launch: gateway, running: None };
        gateway.start().await?;
        let (gateway_uri, token_file) =
            (format!("http://{gateway_addr}"), dir.join("data/owner.token"));
        let reach = Reach { gateway: gateway_uri, uri: server, token_file };
        reach.wait_answers(BACK_TIMEOUT).await?;
        Ok(Self { host, gateway, reach })
    }

    /// Ends both.
    pub(super) async fn close(mut self) -> anyhow::Result<()> {
        self.gateway.end(false).await?;
        self.host.end(false).await
    }
}

/// Publishes to a host, the module that is built in or that of a file.
pub(super) async fn publish(dir: &Path, server: &str, wasm: Option<&str>) -> anyhow::Result<()> {
    let mut args = vec!["publish", "--data-dir", "data", "--server", server];
    args.extend(wasm.iter().flat_map(|file| ["--wasm", file]));
    // It is the publisher who says how long instances live.
    with_room(Launch::new(dir, &args)).run().await.map(|_| ())
}

pub(super) async fn run(extent: Extent, mut chance: StdRng) -> anyhow::Result<Findings> {
    let dir = TempDir::with_prefix("haven-torture-")?;
    let mut pair = Pair::open(dir.path()).await?;
    let pace = Pace { players: extent.players, acts_per_s: ACTS_PER_S, stay: false };
    let crowd = Crowd::gather(&pair.reach, extent.seed, pace).await?;
    let rounds = if extent.is_short { 3 } else { 20 };
    let mut back = vec![];
    for number in 1..=rounds {
        let millis = |range, chance: &mut StdRng| Duration::from_millis(chance.random_range(range));
        tokio::time::sleep(millis(ALIVE_MILLIS, &mut chance)).await;
        let (first, second) = if chance.random() {
            (&mut pair.host, &mut pair.gateway)
        } else {
            (&mut pair.gateway, &mut pair.host)
        };
        let (both, order): (bool, bool) = (chance.random(), chance.random());
        first.end(chance.random()).await?;
        if both {
            tokio::time::sleep(millis(AWAY_MILLIS, &mut chance)).await;
            second.end(chance.random()).await?;
        }
        tokio::time::sleep(millis(AWAY_MILLIS, &mut chance)).await;
        let in_order = if order { [first, second] } else { [second, first] };
        for part in in_order {
            if part.running.is_none() {
                part.start().await?;
                tokio::time::sleep(millis(AWAY_MILLIS, &mut chance)).await;
            }
        }
        back.push(crowd.wait_in_world(BACK_TIMEOUT).await?);
        audit(&pair.reach, &crowd).await.with_context(|| format!("after round {number}"))?;
    }
    let (ledger, _) = crowd.dismiss().await?;
    let kept = audit_end(&pair.reach, &ledger).await?;
    pair.close().await?;
    Ok(format!(
        "host and gateway ended and started {rounds} times in any order; players back in {}; \
         {kept} commands told as written, all there",
        spread(&mut back)
    ))
}
