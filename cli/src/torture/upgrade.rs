//! Another module published while all play: their connections break, their sessions do not.
//!
//! Leaves out on purpose: what another schema needs; tests publish this release's module over the
//! data of the release before.

use std::sync::atomic::Ordering;
use std::time::Duration;

use anyhow::{Context as _, ensure};
use tempfile::TempDir;
use tokio::time::Instant;

use super::bystanders::Bystanders;
use super::players::{Crowd, Pace};
use super::restarts::{Pair, publish};
use super::{Extent, Findings, audit, audit_end, spread};

/// How long a player may be away: from his lost connection until he is in the world again.
const BACK_MAX: Duration = Duration::from_secs(3);
/// How long it is waited until all are there.
const BACK_TIMEOUT: Duration = Duration::from_secs(30);
const ACTS_PER_S: f64 = 1.0;
/// A section that changes nothing but the module's hash: its name is as long as the number.
const NOTE: [u8; 6] = [0, 4, 3, b'n', b'o', b't'];

pub(super) async fn run(extent: Extent) -> anyhow::Result<Findings> {
    let dir = TempDir::with_prefix("haven-torture-")?;
    let pair = Pair::open(dir.path()).await?;
    // They wait for the SDK to bring them back.
    let pace = Pace { players: extent.players, acts_per_s: ACTS_PER_S, stay: true };
    let crowd = Crowd::gather(&pair.reach, extent.seed, pace).await?;
    let mut bystanders = Bystanders::come(&pair.reach).await?;
    let logins = crowd.counts.logins.load(Ordering::Relaxed);
    let publishes = if extent.is_short { 1 } else { 3 };
    let (mut back, mut module) = (vec![], haven_engine::MODULE_WASM.to_vec());
    for number in 1..=publishes {
        // What is compiled by the clients of a host counts too: nobody waits in between.
        module.extend(NOTE);
        let file = dir.path().join("module.wasm");
        std::fs::write(&file, &module)?;
        let file = file.to_string_lossy();
        back.extend(crowd.counts.take_back());
        let before = back.len();
        publish(dir.path(), &pair.reach.uri, Some(&file)).await?;
        // Who is on his way in or out at that moment is not sent away, and who waits for something
        // else notices later.
        let wanted = before + usize::try_from(extent.players)? * 9 / 10;
        let until = Instant::now() + BACK_TIMEOUT;
        while back.len() < wanted {
            ensure!(Instant::now() < until, "only {} of {wanted} came back", back.len());
            tokio::time::sleep(Duration::from_millis(50)).await;
            back.extend(crowd.counts.take_back());
        }
        crowd.wait_in_world(BACK_TIMEOUT).await?;
        back.extend(crowd.counts.take_back());
        bystanders.step_again(BACK_TIMEOUT).await?;
        audit(&pair.reach, &crowd).await.with_context(|| format!("after publishing {number}"))?;
    }
    let logins_since = crowd.counts.logins.load(Ordering::Relaxed) - logins;
    let (ledger, _) = crowd.dismiss().await?;
    let kept = audit_end(&pair.reach, &ledger).await?;
    pair.close().await?;
    let slowest = back.iter().max().copied().unwrap_or_default();
    let spread = spread(&mut back);
    ensure!(logins_since == 0, "{logins_since} players had to log in again");
    ensure!(extent.is_short || slowest <= BACK_MAX, "not back in time: {spread}");
    Ok(format!(
        "{publishes} modules published while {} play, nobody had to log in again; each in the \
         world again {spread}; {kept} commands told as written, all there",
        extent.players,
    ))
}
