//! Backups while all play, restored, and compared row by row.

use std::path::Path;
use std::time::Duration;

use anyhow::{Context as _, bail, ensure};
use haven_checks::Snapshot;
use rand::RngExt as _;
use rand::rngs::StdRng;
use spacetimedb_lib::Timestamp;

use super::bystanders::Bystanders;
use super::players::{Crowd, Pace};
use super::site::{Reach, Site, ensure_sound, free_address};
use super::{Extent, Findings};
use crate::bots::latency::Latencies;
use crate::child::Launch;

/// What a bystander's p99 must stay below while a backup is made, milliseconds.
const P99_MS_MAX: f64 = 100.0;
/// How long players play before a backup is made.
const PLAY: Duration = Duration::from_secs(5);
const ACTS_PER_S: f64 = 1.0;
/// How many are made one after the other.
const BACKUPS: u32 = 10;
/// Rows that a database changes by itself while nobody plays: how its tick goes, whether somebody
/// is awake, who is connected, and who was let in to look.
const ALIVE: [&str; 6] =
    ["tick_health", "realm_population", "realm_connection", "realm", "block_state", "world_vigil"];
/// Differences that are told.
const TOLD_MAX: usize = 5;

pub(super) async fn run(extent: Extent, mut chance: StdRng) -> anyhow::Result<Findings> {
    let mut site = Site::open(&[]).await?;
    let pace = Pace { players: extent.players, acts_per_s: ACTS_PER_S, stay: false };
    let crowd = Crowd::gather(&site.reach, extent.seed, pace).await?;
    tokio::time::sleep(if extent.is_short { PLAY / 5 } else { PLAY }).await;
    crowd.dismiss().await?;
    // Nobody plays: the state of this moment stays for a moment.
    let (moment, then) = quiet(&site.reach).await?;
    let crowd = Crowd::gather(&site.reach, extent.seed + 1, pace).await?;
    let mut bystanders = Bystanders::come(&site.reach).await?;
    let create = backup(site.dir(), &["create", "backups", "--data-dir", "data"]);
    let backups = if extent.is_short { 2 } else { BACKUPS };
    let mut latencies = Latencies::default();
    for _ in 0..backups {
        let (created, seen) = bystanders.step_during(create.run()).await?;
        created?;
        latencies.extend(seen);
    }
    bystanders.go().await?;
    crowd.dismiss().await?;
    let (_, last) = quiet(&site.reach).await?;
    create.run().await?;
    site.stop().await?;

    compare(site.dir(), "newest", None, &last).await?;
    compare(site.dir(), "then", Some(moment), &then).await?;
    let flipped = flip(&site.dir().join("backups"), &mut chance)?;
    let verify = backup(site.dir(), &["verify", "backups"]).run().await;
    let Err(refusal) = verify else { bail!("a flipped bit in {flipped} is not found") };
    ensure!(refusal.to_string().contains("backup.file_changed"), "{refusal}");
    let [p50, _, p99] = latencies.percentiles_ms();
    ensure!(extent.is_short || p99 < P99_MS_MAX, "a bystander's p99 is {p99} ms, p50 {p50} ms");
    Ok(format!(
        "{backups} backups while {} play, each checked by an engine of its own: from input to \
         observation p50 {p50:.1}, p99 {p99:.1} ms over {} steps; {} rows restored as they were, \
         and \
         {} as of a moment before; a flipped bit is found",
        extent.players,
        latencies.count(),
        last.rows_total(),
        then.rows_total(),
    ))
}

fn backup(dir: &Path, args: &[&str]) -> Launch {
    Launch::new(dir, &[&["backup"], args].concat())
}

/// Waits until nothing changes any more; the moment, and the rows.
async fn quiet(reach: &Reach) -> anyhow::Result<(Timestamp, Snapshot)> {
    let mut before = reach.snapshot().await?;
    for _ in 0..60 {
        tokio::time::sleep(Duration::from_millis(500)).await;
        let now = reach.snapshot().await?;
        ensure_sound(&now)?;
        if !is_pending(&now) && differences(&before, &now).is_empty() {
            return Ok((Timestamp::now(), now));
        }
        before = now;
    }
    bail!("rows change though nobody plays")
}

/// Whether a timer will still change what nobody touches any more: a block's seconds of inputs end
/// up to two seconds later, and how many are in a region is published up to five seconds later.
fn is_pending(now: &Snapshot) -> bool {
    let mut counts = now.rows("region_count").iter();
    !now.rows("block_input").is_empty() || counts.any(|row| row["is_changed"] == true)
}

fn differences(before: &Snapshot, after: &Snapshot) -> Vec<String> {
    before.without(&ALIVE).differences(&after.without(&ALIVE), TOLD_MAX)
}

/// Restores the newest generation, as of a moment, and compares all rows.
async fn compare(
    dir: &Path,
    name: &str,
    until: Option<Timestamp>,
    expected: &Snapshot,
) -> anyhow::Result<()> {
    let until = until.map(|moment| moment.to_rfc3339()).transpose()?;
    let mut args = vec!["restore", "backups", "--data-dir", name];
    args.extend(until.iter().flat_map(|until| ["--until", until]));
    backup(dir, &args).run().await?;
    let listen = free_address()?;
    let host = Launch::new(dir, &["host", "--data-dir", name, "--listen", &listen]);
    let running = host.start().await?;
    let token_file = dir.join(name).join("owner.token");
    let uri = format!("http://{listen}");
    let found = Reach { gateway: String::new(), uri, token_file }.snapshot().await?;
    running.stop().await?;
    let differing = differences(expected, &found);
    ensure!(differing.is_empty(), "{name}: not as it was: {differing:?}");
    Ok(())
}

/// Flips a bit of a file of the newest generation; which one.
fn flip(backups: &Path, chance: &mut StdRng) -> anyhow::Result<String> {
    let generations = std::fs::read_dir(backups)?.collect::<Result<Vec<_>, _>>()?;
    let newest = generations.iter().map(std::fs::DirEntry::path).filter(|path| path.is_dir()).max();
    let log = newest.context("no backup")?.join("engine/replicas/1/clog");
    let mut files = std::fs::read_dir(log)?.map(|entry| Ok(entry?.path()));
    let files = files.by_ref().collect::<anyhow::Result<Vec<_>>>()?;
    let file = files.iter().max().context("a backup without a log")?;
    let mut bytes = std::fs::read(file)?;
    let at = chance.random_range(0..bytes.len());
    bytes[at] ^= 1 << chance.random_range(0..8_u32);
    std::fs::write(file, bytes)?;
    Ok(file.display().to_string())
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};

    #[test]
    fn what_a_timer_will_still_change_is_not_quiet() {
        let now = |table, row: Value| {
            let mut now = Snapshot::default();
            now.insert(table, row);
            now
        };
        let counted = |is_changed: bool| json!({ "region_index": 3, "is_changed": is_changed });
        assert!(!is_pending(&Snapshot::default()));
        assert!(is_pending(&now("block_input", json!({ "chunk_index": 3 }))));
        assert!(is_pending(&now("region_count", counted(true))));
        assert!(!is_pending(&now("region_count", counted(false))));
    }
}
