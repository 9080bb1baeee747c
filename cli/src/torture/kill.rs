//! SIGKILL at random moments while players do a bit of everything.

use std::time::Duration;

use anyhow::Context as _;
use rand::RngExt as _;
use rand::rngs::StdRng;

use super::ledger::Audit;
use super::players::{Crowd, Pace};
use super::site::Site;
use super::{Extent, Findings, audit, finish, in_time, spread};

/// How long a server runs before it is killed again, milliseconds.
const ALIVE_MILLIS: std::ops::Range<u64> = 50..800;
const ACTS_PER_S: f64 = 1.0;

pub(super) async fn run(extent: Extent, mut chance: StdRng) -> anyhow::Result<Findings> {
    let mut site = Site::open(&[]).await?;
    let pace = Pace { players: extent.players, acts_per_s: ACTS_PER_S, stay: false };
    let crowd = Crowd::gather(&site.reach, extent.seed, pace).await?;
    let (mut ready, mut unwaited_lost) = (vec![], 0);
    for number in 1..=extent.kills {
        let alive = Duration::from_millis(chance.random_range(ALIVE_MILLIS));
        tokio::time::sleep(alive).await;
        site.kill().await?;
        ready.push(site.start().await?);
        let audited = audit(&site.reach, &crowd).await;
        let Audit { unwaited_lost: lost, .. } =
            audited.with_context(|| format!("after kill {number}"))?;
        unwaited_lost += lost;
    }
    crowd.wait_in_world(Duration::from_mins(1)).await?;
    let (kept, counts) = finish(site, crowd).await?;
    let acts = counts.acts.load(std::sync::atomic::Ordering::Relaxed);
    in_time(&ready, extent)?;
    let kills = ready.len();
    Ok(format!(
        "{kills} kills, {acts} acts of {} players; {kept} commands told as written, all there; \
         {unwaited_lost} acknowledged changes that nobody waited for lost; ready {}",
        extent.players,
        spread(&mut ready)
    ))
}
