//! Everything at once that one caller can do to a server, with bystanders who play.
//!
//! Leaves out on purpose: many callers. What they may cost together is limited by address and in
//! all, and is a matter of the machine.

use std::time::Duration;

use anyhow::{Context as _, ensure};
use futures::future::join_all;
use haven_client_sdk::{Admission, Haven};
use tokio::io::AsyncWriteExt as _;
use tokio::net::TcpStream;
use tokio::task::JoinSet;

use super::bystanders::Bystanders;
use super::players::{Crowd, Pace};
use super::raw::{addr_of, call, frame, socket};
use super::site::Site;
use super::{Extent, Findings, audit, audit_end};
use crate::bench::proc::peak_memory_mb;

/// How long the attack lasts.
const ATTACK: Duration = Duration::from_secs(10);
/// Most memory the server may ever hold, megabytes.
const MEMORY_MB_MAX: u64 = 500;
/// What a bystander's p99 must stay below, milliseconds.
const P99_MS_MAX: f64 = 100.0;
const FLOOD_CALLS: u32 = 3_000_000;
const SOCKETS_OF_ONE_ACCOUNT: u32 = 500;
const CONNECTS: u32 = 2_000;
const SLOW_HEADERS: u32 = 50;
const HUGE_FRAMES: u32 = 20;
/// Players beside the bystanders, who keep account of what they are told.
const PLAYERS: u32 = 10;
const ACTS_PER_S: f64 = 2.0;

pub(super) async fn run(extent: Extent) -> anyhow::Result<Findings> {
    let mut site = Site::open(&[]).await?;
    let pace = Pace { players: PLAYERS, acts_per_s: ACTS_PER_S, stay: false };
    let crowd = Crowd::gather(&site.reach, extent.seed, pace).await?;
    let mut bystanders = Bystanders::come(&site.reach).await?;
    let haven = site.reach.haven()?;
    let mut attack = JoinSet::new();
    attack.spawn(flood(admitted(&haven, "flooder").await?));
    attack.spawn(huge_frames(admitted(&haven, "huge").await?));
    attack.spawn(come_and_go(admitted(&haven, "coming").await?));
    attack.spawn(slow_headers(admitted(&haven, "slow").await?));
    let many = tokio::spawn(many_sockets(admitted(&haven, "many").await?));
    let ((), mut latencies) = bystanders.step_during(tokio::time::sleep(ATTACK)).await?;
    let refused = many.await?;
    let told = site.reach.metrics().await?;
    attack.shutdown().await;
    audit(&site.reach, &crowd).await?;
    bystanders.step().await.context("after the attack")?;
    bystanders.go().await?;
    let (ledger, _) = crowd.dismiss().await?;
    let peak_mb = peak_memory_mb(site.running()?.process_id)?;
    site.kill().await?;
    site.start().await?;
    let kept = audit_end(&site.reach, &ledger).await?;
    site.stop().await?;

    let [p50, _, p99] = latencies.percentiles_ms();
    ensure!(extent.is_short || p99 < P99_MS_MAX, "a bystander's p99 is {p99} ms, p50 {p50} ms");
    ensure!(peak_mb < MEMORY_MB_MAX, "the server held {peak_mb} MB");
    ensure!(refused > SOCKETS_OF_ONE_ACCOUNT / 2, "only {refused} sockets were refused");
    let counted = told.refusals("guard.account_full");
    ensure!(counted >= u64::from(refused), "{refused} sockets were refused, {counted} counted");
    ensure!(told.refusals("guard.message_too_long") > 0, "no long message is counted");
    ensure!(told.number("haven_guard_slowed_total") > 0, "the flood is not slowed");
    Ok(format!(
        "a flood of calls, {SOCKETS_OF_ONE_ACCOUNT} sockets of one account, frames of 32 MiB, headers byte by \
         byte, up to {CONNECTS} connects, for {} s: from input to observation p50 {p50:.1}, p99 \
         {p99:.1} \
         ms over {} steps; at most {peak_mb} MB; {refused} sockets refused, all counted; {kept} \
         commands told as written, all there",
        ATTACK.as_secs(),
        latencies.count(),
    ))
}

/// An account of its own, admitted.
async fn admitted(haven: &Haven, name: &str) -> anyhow::Result<Admission> {
    let email = format!("{name}@attackers.example");
    let session = haven.register(&email, "they mean no good").await?;
    Ok(session.admission(1).await?)
}

/// Calls without end, whose answers nobody reads.
async fn flood(admission: Admission) {
    let Ok((mut stream, true)) = socket(&admission).await else { return };
    let calls = call("course_to", "[1,1]").repeat(1_000);
    for _ in 0..FLOOD_CALLS / 1_000 {
        if stream.write_all(&calls).await.is_err() {
            return;
        }
    }
}

/// How many sockets of one account are refused.
async fn many_sockets(admission: Admission) -> u32 {
    let (mut held, mut refused) = (vec![], 0);
    for _ in 0..SOCKETS_OF_ONE_ACCOUNT {
        match socket(&admission).await {
            Ok((stream, true)) => held.push(stream),
            Ok((_, false)) | Err(_) => refused += 1,
        }
    }
    tokio::time::sleep(ATTACK / 2).await;
    refused
}

async fn huge_frames(admission: Admission) {
    let megabyte = "x".repeat(1 << 20);
    for _ in 0..HUGE_FRAMES {
        let Ok((mut stream, true)) = socket(&admission).await else { continue };
        let _ = stream.write_all(&frame(32 << 20, "")).await;
        for _ in 0..32 {
            if stream.write_all(megabyte.as_bytes()).await.is_err() {
                break;
            }
        }
    }
}

async fn slow_headers(admission: Admission) {
    let one = async || -> std::io::Result<()> {
        let mut stream = TcpStream::connect(addr_of(&admission)).await?;
        for byte in "GET /v1/ping HTTP/1.1\r\nhost: somebody.example.org\r\n".bytes() {
            stream.write_all(&[byte]).await?;
            tokio::time::sleep(Duration::from_secs(1)).await;
        }
        Ok(())
    };
    join_all((0..SLOW_HEADERS).map(|_| one())).await;
}

async fn come_and_go(admission: Admission) {
    for number in 0..CONNECTS {
        if number % 4 == 0 {
            drop(socket(&admission).await);
        } else {
            drop(TcpStream::connect(addr_of(&admission)).await);
        }
    }
}
