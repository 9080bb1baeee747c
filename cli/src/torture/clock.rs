//! A server's clock that jumps forwards and backwards, by libfaketime.

use std::fs;
use std::path::PathBuf;
use std::time::Duration;

use anyhow::Context;
use rand::rngs::StdRng;
use rand::seq::SliceRandom as _;
use tokio::time::Instant;

use super::bystanders::Bystanders;
use super::players::{Crowd, Pace};
use super::site::Site;
use super::{Extent, Findings, audit, finish, spread};
use crate::child::Launch;

/// Where Debian's package `libfaketime` puts it, below a folder for each architecture.
const LIBRARY: &str = "faketime/libfaketimeMT.so.1";
/// How far the clock jumps each time, seconds. Together they lead back to where it was.
const JUMPS_S: [i64; 6] = [2, -2, 3_600, -3_600, 86_400, -86_400];
/// How long players may take until all play again.
const BACK_TIMEOUT: Duration = Duration::from_mins(1);
const ACTS_PER_S: f64 = 1.0;

pub(super) async fn run(extent: Extent, mut chance: StdRng) -> anyhow::Result<Findings> {
    let Some(library) = library() else {
        return Ok(
            "left out: libfaketime is not installed (Debian: apt install libfaketime)".into()
        );
    };
    let file = tempfile::NamedTempFile::new()?;
    fs::write(file.path(), "+0")?;
    let (library, path) = (library.to_string_lossy(), file.path().to_string_lossy());
    let faked = [
        ("LD_PRELOAD", &*library),
        ("FAKETIME_TIMESTAMP_FILE", &*path),
        ("FAKETIME_NO_CACHE", "1"),
        ("FAKETIME_DONT_FAKE_MONOTONIC", "1"),
    ];
    let site = Site::open(&faked).await?;
    let token = Launch::new(site.dir(), &["token", "--data-dir", "data"]);
    let token = faked.iter().fold(token, |launch, (name, value)| launch.variable(name, *value));
    let pace = Pace { players: extent.players, acts_per_s: ACTS_PER_S, stay: false };
    let crowd = Crowd::gather(&site.reach, extent.seed, pace).await?;
    let mut bystanders = Bystanders::come(&site.reach).await?;
    let mut jumps = if extent.is_short { vec![3_600, -3_600] } else { JUMPS_S.to_vec() };
    jumps.shuffle(&mut chance);
    let (mut offset, mut back) = (0, vec![]);
    for jump in &jumps {
        offset += jump;
        fs::write(file.path(), format!("{offset:+}"))?;
        let jumped = Instant::now();
        let context = || format!("after the clock jumped by {jump} s");
        tokio::time::sleep(Duration::from_secs(1)).await;
        // By an hour and more their admissions end, and they are sent out of the world.
        bystanders.step_anew(BACK_TIMEOUT).await.with_context(context)?;
        crowd.wait_in_world(BACK_TIMEOUT).await.with_context(context)?;
        back.push(jumped.elapsed().saturating_sub(Duration::from_secs(1)));
        // The owner's token may be of a day that has not come yet; a new one is signed then.
        token.run().await.with_context(context)?;
        audit(&site.reach, &crowd).await.with_context(context)?;
    }
    let (kept, _) = finish(site, crowd).await?;
    Ok(format!(
        "the server's clock jumped by {jumps:?} s; everybody moves again {}; {kept} commands told \
         as written, all there",
        spread(&mut back)
    ))
}

fn library() -> Option<PathBuf> {
    let folders = fs::read_dir("/usr/lib").ok()?.filter_map(Result::ok);
    folders.map(|folder| folder.path().join(LIBRARY)).find(|library| library.exists())
}
