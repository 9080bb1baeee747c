//! SIGSTOP: a server that stands still for seconds, and clients that do.

use std::time::Duration;

use anyhow::{Context, ensure};
use rand::RngExt as _;
use rand::rngs::StdRng;
use tokio::time::Instant;

use super::bystanders::Bystanders;
use super::players::{Crowd, Pace};
use super::site::Site;
use super::{Extent, Findings, audit, finish, spread};
use crate::child::Launch;

/// How long the server stands still, milliseconds.
const PAUSE_MILLIS: std::ops::Range<u64> = 500..7_000;
/// How long clients stand still: longer than the guard keeps what it owes to whom does not read.
const CLIENTS_PAUSE: Duration = Duration::from_secs(12);
/// How long players may take to be back.
const BACK_TIMEOUT: Duration = Duration::from_mins(1);
const ACTS_PER_S: f64 = 1.0;

pub(super) async fn run(extent: Extent, mut chance: StdRng) -> anyhow::Result<Findings> {
    let mut site = Site::open(&[]).await?;
    let pace = Pace { players: extent.players, acts_per_s: ACTS_PER_S, stay: false };
    let crowd = Crowd::gather(&site.reach, extent.seed, pace).await?;
    let mut bystanders = Bystanders::come(&site.reach).await?;
    let pauses = if extent.is_short { 1 } else { 5 };
    let mut back = vec![];
    for number in 1..=pauses {
        let pause = Duration::from_millis(chance.random_range(PAUSE_MILLIS));
        site.running()?.signal("STOP").await?;
        tokio::time::sleep(pause).await;
        site.running()?.signal("CONT").await?;
        let resumed = Instant::now();
        bystanders.step_again(BACK_TIMEOUT).await?;
        crowd.wait_in_world(BACK_TIMEOUT).await?;
        back.push(resumed.elapsed());
        audit(&site.reach, &crowd).await.with_context(|| format!("after pause {number}"))?;
    }
    let clients_pause = if extent.is_short { CLIENTS_PAUSE / 2 } else { CLIENTS_PAUSE };
    let p99_ms = clients_stand_still(&site, &mut bystanders, clients_pause).await?;
    bystanders.go().await?;
    let (kept, _) = finish(site, crowd).await?;
    Ok(format!(
        "the server stood still {pauses} times, everybody moves again {}; 30 clients stood still for \
         {} s, a bystander's p99 meanwhile {p99_ms:.1} ms; {kept} commands told as written, all there",
        spread(&mut back),
        clients_pause.as_secs(),
    ))
}

/// Bots in a process of their own stop reading, and go on later; a bystander's p99 meanwhile.
async fn clients_stand_still(
    site: &Site,
    bystanders: &mut Bystanders,
    time: Duration,
) -> anyhow::Result<f64> {
    let bots = [
        "bots",
        "--gateway",
        &site.reach.gateway,
        "--count",
        "30",
        "--inputs-per-second",
        "2",
        "--seconds",
        "600",
        "--no-engine-limit",
    ];
    let mut bots = Launch::new(site.dir(), &bots).spawn()?;
    let before = online(site).await?;
    while online(site).await? < before + 30 {
        ensure!(!bots.has_ended(), "the bots have ended");
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    bots.signal("STOP").await?;
    let pause = tokio::time::sleep(time);
    let ((), mut latencies) = bystanders.step_during(pause).await?;
    bots.signal("CONT").await?;
    // They come back by themselves.
    let until = Instant::now() + BACK_TIMEOUT;
    while online(site).await? < before + 30 {
        ensure!(Instant::now() < until, "clients that stood still do not come back");
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    bots.kill().await?;
    let [_, _, p99_ms] = latencies.percentiles_ms();
    Ok(p99_ms)
}

/// How many are in the world, the crowd left out.
async fn online(site: &Site) -> anyhow::Result<usize> {
    let now = site.reach.snapshot().await?;
    let bots: std::collections::BTreeSet<_> = now
        .rows("account")
        .iter()
        .filter(|row| haven_checks::text(row, "email").ends_with("@bots.example"))
        .map(|row| haven_checks::number(row, "account_id"))
        .collect();
    let present = now.column("character_presence", "account_id");
    Ok(present.iter().filter(|account| bots.contains(account)).count())
}
