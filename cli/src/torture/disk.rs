//! A disk that others fill: slowly, so that it is noticed, and all at once.
//!
//! Keeps true: the disk is a small one in memory, mounted for this process alone in a namespace of
//! its own; nothing else of the machine is filled.

use std::fs::{self, File};
use std::io::Write as _;
use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

use anyhow::{Context as _, bail, ensure};
use haven_client_sdk::{Haven, HavenError};
use tokio::process::Command;
use tokio::time::Instant;

use super::players::{Crowd, Pace};
use super::site::Site;
use super::{Extent, Findings, audit, finish};

/// The disk, MiB, and how much of it must be free for newcomers and for players.
const DISK_MIB: u32 = 256;
const NEWCOMERS_MIB: &str = "96";
const PLAYERS_MIB: &str = "48";
/// What another program writes at a time, and how often.
const STEP_BYTES: usize = 2 << 20;
const STEP_EVERY: Duration = Duration::from_millis(100);
/// How long the disk stays full.
const FULL: Duration = Duration::from_secs(3);
/// How long it may take until what follows from the disk's room follows.
const NOTICED_TIMEOUT: Duration = Duration::from_secs(20);
const BACK_TIMEOUT: Duration = Duration::from_mins(1);
const ACTS_PER_S: f64 = 1.0;

pub(super) async fn run(extent: Extent, disk: Option<&Path>) -> anyhow::Result<Findings> {
    match disk {
        Some(disk) => fill(extent, disk).await,
        None => within_a_namespace(extent).await,
    }
}

/// Starts this command again where a small disk is mounted.
async fn within_a_namespace(extent: Extent) -> anyhow::Result<Findings> {
    let dir = tempfile::TempDir::with_prefix("haven-torture-")?;
    let within = |script: &str| {
        let mut command = Command::new("unshare");
        command.args(["--mount", "--map-root-user", "sh", "-c", script]).arg(dir.path());
        command.stdin(Stdio::null()).kill_on_drop(true);
        command
    };
    let mount = format!("mount -t tmpfs -o size={DISK_MIB}m haven \"$0\"");
    let tried = within(&mount).output().await.context("unshare (Debian: util-linux)")?;
    if !tried.status.success() {
        let complaint = text(&tried.stderr);
        return Ok(format!("left out: no small disk can be mounted here: {complaint}"));
    }
    let mut command = within(&format!("{mount} && exec \"$@\""));
    command.arg(std::env::current_exe()?).args(["torture", "disk"]);
    let Extent { seed, players, .. } = extent;
    command.args(["--seed", &seed.to_string(), "--players", &players.to_string()]);
    let output = command.arg("--disk").arg(dir.path()).output().await?;
    let (told, complaint) = (text(&output.stdout), text(&output.stderr));
    ensure!(output.status.success(), "{complaint}");
    Ok(told)
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).trim().to_owned()
}

async fn fill(extent: Extent, disk: &Path) -> anyhow::Result<Findings> {
    let mut site = Site::at(
        disk,
        &[
            ("HAVEN_GUARD__LIMITS__DISK_FREE_NEWCOMERS_MIB", NEWCOMERS_MIB),
            ("HAVEN_GUARD__LIMITS__DISK_FREE_MIB_MIN", PLAYERS_MIB),
        ],
    )
    .await?;
    let process_id = site.running()?.process_id;
    let pace = Pace { players: extent.players, acts_per_s: ACTS_PER_S, stay: false };
    let crowd = Crowd::gather(&site.reach, extent.seed, pace).await?;
    let haven = site.reach.haven()?;
    let filler = disk.join("filler");

    // Slowly: newcomers are sent away, then nothing changes and the realm says why.
    let filling = fill_slowly(&filler);
    let noticed = room(&site, 2);
    tokio::select! {
        noticed = noticed => noticed?,
        filled = filling => { filled?; bail!("the disk was full before it was noticed") }
    }
    let notice = site.reach.snapshot().await?;
    let notice = notice.rows("realm_notice");
    ensure!(!notice.is_empty(), "the realm does not say why it is read-only");
    let refusal = newcomer(&haven, "late").await;
    let refusal = refusal.err().context("a newcomer is let in while the disk is full")?;
    tokio::time::sleep(FULL).await;
    audit(&site.reach, &crowd).await.context("while it is read-only")?;
    fs::remove_file(&filler)?;
    room(&site, 0).await?;
    goes_on(&site).await?;
    crowd.wait_in_world(BACK_TIMEOUT).await?;
    newcomer(&haven, "later").await.context("when there is room again")?;
    audit(&site.reach, &crowd).await.context("when there is room again")?;

    // At once: not a byte is left before anybody can look.
    let full_at = Instant::now();
    let filled = fill_at_once(&filler)?;
    tokio::time::sleep(FULL).await;
    fs::remove_file(&filler)?;
    room(&site, 0).await?;
    crowd.wait_in_world(BACK_TIMEOUT).await.context("after the disk was full at once")?;
    let back = full_at.elapsed().saturating_sub(FULL);
    ensure!(site.running()?.process_id == process_id && !site.running()?.has_ended(), "it ended");
    audit(&site.reach, &crowd).await.context("after the disk was full at once")?;
    let log = fs::read_to_string(disk.join("server.log")).unwrap_or_default();
    let reopened = log.matches("opened again after the engine dropped it").count();
    let (kept, _) = finish(site, crowd).await?;
    Ok(format!(
        "a disk of {DISK_MIB} MiB filled slowly: newcomers get {}, the realm is read-only and says \
         so, and goes on when there is room; filled at once ({} MiB): everybody plays again {:.1} \
         s \
         after there is room, without a restart (databases opened again: {reopened}); {kept} commands told as written, all there",
        refusal.code(),
        filled >> 20,
        back.as_secs_f64(),
    ))
}

/// Somebody who was never here before.
async fn newcomer(haven: &Haven, name: &str) -> Result<(), HavenError> {
    let session = haven.register(&format!("{name}@players.example"), "nothing to hide").await?;
    session.enter(1).await?.disconnect().await;
    Ok(())
}

/// Waits until the guard has noticed how much room there is: 0 plenty, 1 low, 2 none.
async fn room(site: &Site, wanted: u64) -> anyhow::Result<()> {
    let until = Instant::now() + NOTICED_TIMEOUT;
    loop {
        let room = site.reach.metrics().await?.number("haven_engine_disk_room");
        if room == wanted {
            return Ok(());
        }
        ensure!(Instant::now() < until, "the disk's room is {room}, expected {wanted}");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

/// Waits until the realm says that it is not read-only any more, which it hears after the guard.
async fn goes_on(site: &Site) -> anyhow::Result<()> {
    let until = Instant::now() + BACK_TIMEOUT;
    while !site.reach.snapshot().await?.rows("realm_notice").is_empty() {
        ensure!(Instant::now() < until, "the realm stays read-only");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    Ok(())
}

async fn fill_slowly(filler: &Path) -> anyhow::Result<()> {
    let mut file = File::create(filler)?;
    let bytes = vec![1; STEP_BYTES];
    while file.write_all(&bytes).is_ok() {
        tokio::time::sleep(STEP_EVERY).await;
    }
    Ok(())
}

/// Takes all there is; how many bytes that were.
fn fill_at_once(filler: &Path) -> anyhow::Result<u64> {
    let mut file = File::create(filler)?;
    // Smaller and smaller pieces, until not a byte is left.
    for piece in [1 << 20, 4_096, 1] {
        let bytes = vec![1_u8; piece];
        while file.write(&bytes).is_ok_and(|written| written > 0) {}
    }
    Ok(file.metadata()?.len())
}
