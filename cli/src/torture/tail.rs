//! Power cuts: what was written to the log after its last sync is torn, or comes back as zeros.

use std::fs::File;
use std::io::{Seek as _, SeekFrom, Write as _};
use std::path::Path;
use std::time::Duration;

use anyhow::{Context, ensure};
use rand::RngExt as _;
use rand::rngs::StdRng;

use super::players::{Crowd, Pace};
use super::site::Site;
use super::{Extent, Findings, audit, audit_end, spread};

/// How long players play between the last sync that counts and the cut, milliseconds.
const UNSYNCED_MILLIS: std::ops::Range<u64> = 50..600;
const ACTS_PER_S: f64 = 2.0;

/// What a disk leaves of what it had not yet written.
#[derive(Clone, Copy, Debug)]
enum Damage {
    /// The file ends somewhere within it.
    Torn,
    /// It is as long as it was, and zeros from somewhere on.
    Zeroed,
    /// Something else stands there from somewhere on.
    Noise,
}

pub(super) async fn run(extent: Extent, mut chance: StdRng) -> anyhow::Result<Findings> {
    let mut site = Site::open(&[]).await?;
    let pace = Pace { players: extent.players, acts_per_s: ACTS_PER_S, stay: false };
    let crowd = Crowd::gather(&site.reach, extent.seed, pace).await?;
    let cuts = if extent.is_short { 3 } else { 15 };
    let (mut ready, mut bytes_lost) = (vec![], 0);
    for number in 1..=cuts {
        crowd.wait_in_world(Duration::from_mins(1)).await?;
        // What was told until here is within these bytes; what is told from here on may be lost.
        let page = crowd.ledger.page();
        let segment = site.newest_segment()?;
        let synced_bytes = segment.metadata()?.len();
        let unsynced = Duration::from_millis(chance.random_range(UNSYNCED_MILLIS));
        tokio::time::sleep(unsynced).await;
        site.kill().await?;
        ensure!(site.newest_segment()? == segment, "the log has begun another segment meanwhile");
        let damage = [Damage::Torn, Damage::Zeroed, Damage::Noise][chance.random_range(0..3)];
        let lost = spoil(&segment, synced_bytes, damage, &mut chance);
        bytes_lost += lost.with_context(|| format!("{damage:?}"))?;
        crowd.ledger.doubt_since(&page);
        ready.push(site.start().await.with_context(|| format!("after cut {number}, {damage:?}"))?);
        audit(&site.reach, &crowd).await.with_context(|| format!("cut {number}, {damage:?}"))?;
    }
    let (ledger, _) = crowd.dismiss().await?;
    let kept = audit_end(&site.reach, &ledger).await?;
    site.stop().await?;
    Ok(format!(
        "{cuts} logs torn, zeroed or overwritten behind their last sync, {bytes_lost} bytes in all; \
         {kept} commands told as written before, all there; ready {}",
        spread(&mut ready)
    ))
}

/// Spoils a file from a random byte after those that were synced; how many bytes that are.
fn spoil(path: &Path, synced: u64, damage: Damage, chance: &mut StdRng) -> anyhow::Result<u64> {
    let mut file = File::options().write(true).open(path)?;
    let length = file.metadata()?.len();
    let from = chance.random_range(synced..=length);
    let lost = length - from;
    match damage {
        Damage::Torn => file.set_len(from)?,
        Damage::Zeroed | Damage::Noise => {
            let mut bytes = vec![0; usize::try_from(lost)?];
            if matches!(damage, Damage::Noise) {
                chance.fill(&mut bytes[..]);
            }
            file.seek(SeekFrom::Start(from))?;
            file.write_all(&bytes)?;
        }
    }
    file.sync_all()?;
    Ok(lost)
}
