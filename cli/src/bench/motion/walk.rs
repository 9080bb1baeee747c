//! Points on one server: walkers that appear and walk, and what their tick costs meanwhile.
//!
//! Keeps true: a point is measured in one window, after its walkers are under way and caches are
//! filled; what the server does without walkers is measured in the same server before.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::Context;
use tokio::time::sleep;

use super::case::Way;
use super::check::{Checked, check};
use super::health::Ticks;
use super::stage::Stage;
use super::watch::{Watch, rows};
use crate::bench::report::approximate;
use crate::bench::server::{Target, with_server};
use crate::signals::StopSignal;

/// How long a server that has just made land is left alone.
const SETTLE: Duration = Duration::from_millis(300);

/// How long something is done.
#[derive(Clone, Copy, Debug)]
pub(super) struct Timing {
    /// Without walkers, measured.
    pub(super) idle: Duration,
    /// With walkers, not measured.
    pub(super) warmup: Duration,
    /// With walkers, measured.
    pub(super) window: Duration,
}

/// A server's part: points with the same land and speed, one after the other.
#[derive(Clone, Copy, Debug)]
pub(super) struct Session {
    pub(super) way: Way,
    /// Blocks along each edge of the world.
    pub(super) blocks: u32,
    pub(super) speed_mm_per_s: i32,
    pub(super) timing: Timing,
    /// Whether everybody is looked at after each point.
    pub(super) is_checked: bool,
}

/// What was measured.
#[derive(Clone, Debug)]
pub(super) struct Measured {
    pub(super) ticks: Ticks,
    pub(super) cpu_share: f64,
    pub(super) idle_cpu_share: f64,
    pub(super) memory_mb: f64,
    pub(super) log_bytes_per_s: f64,
    pub(super) checked: Option<Checked>,
}

/// Measures points on one server, rising numbers of walkers: those of the last point walk on.
pub(super) async fn measure(
    session: &Session,
    walkers: &[u32],
    stop: &mut StopSignal,
    mut done: impl FnMut(u32, Measured),
) -> anyhow::Result<()> {
    // The land is set afterwards: for one way of walking it is in another database.
    let variables = [("HAVEN_WORLD__TERRAIN", String::new())];
    with_server(&variables, stop, async |server| {
        let mut stage = Stage::open(&server.target, session.way, session.blocks).await?;
        let data_dir = server.data_dir();
        let outcome =
            measure_on(session, walkers, &server.target, &mut stage, &data_dir, &mut done).await;
        stage.close().await;
        outcome
    })
    .await
}

async fn measure_on(
    session: &Session,
    walkers: &[u32],
    target: &Target,
    stage: &mut Stage,
    data_dir: &Path,
    done: &mut impl FnMut(u32, Measured),
) -> anyhow::Result<()> {
    stage.lay_out(session.speed_mm_per_s).await?;
    stage.survey().await?;
    sleep(SETTLE).await;
    let empty = target.usage()?;
    sleep(session.timing.idle).await;
    let idle_cpu_share = target.usage()?.cpu_share_since(&empty);
    for walkers in walkers {
        let measured = measure_point(session, *walkers, target, stage, data_dir).await?;
        done(*walkers, Measured { idle_cpu_share, ..measured });
    }
    Ok(())
}

/// Measures a point; what the server does without walkers is still missing.
async fn measure_point(
    session: &Session,
    walkers: u32,
    target: &Target,
    stage: &mut Stage,
    data_dir: &Path,
) -> anyhow::Result<Measured> {
    let Timing { warmup, window, .. } = session.timing;
    let mut watch = Watch::open(target, &stage.database, "tick_health").await?;
    stage.fill(walkers).await?;
    sleep(warmup).await;
    let (warm, before) = (watch.heard()?, (target.usage()?, log_bytes(data_dir)?));
    sleep(window).await;
    let (runs, after) = (watch.heard()?, (target.usage()?, log_bytes(data_dir)?));
    drop(watch);

    let written = approximate(after.1.saturating_sub(before.1));
    let checked = if session.is_checked {
        let rows = rows(target, &stage.database, "motion").await?;
        Some(check(&rows, session.blocks, session.speed_mm_per_s).await?)
    } else {
        None
    };
    Ok(Measured {
        ticks: Ticks::sum_up(session.way, &warm, &runs)?,
        cpu_share: after.0.cpu_share_since(&before.0),
        idle_cpu_share: 0.0,
        memory_mb: after.0.memory_mb(),
        log_bytes_per_s: written / window.as_secs_f64(),
        checked,
    })
}

/// Bytes of all commit logs below a directory.
fn log_bytes(dir: &Path) -> anyhow::Result<u64> {
    let mut folders: Vec<(PathBuf, bool)> = vec![(dir.to_owned(), false)];
    let mut bytes = 0;
    while let Some((folder, is_log)) = folders.pop() {
        let entries = fs::read_dir(&folder);
        for entry in entries.with_context(|| format!("{} cannot be read", folder.display()))? {
            let entry = entry?;
            // What is gone meanwhile does not count.
            let Ok(metadata) = entry.metadata() else { continue };
            if metadata.is_dir() {
                let name = entry.file_name();
                // Snapshots have many folders and no log.
                if name != "snapshots" {
                    folders.push((entry.path(), is_log || name == "clog"));
                }
            } else if is_log {
                bytes += metadata.len();
            }
        }
    }
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bench::motion::case::WALK_SPEED_MM_PER_S;
    use haven_engine::{Engine, EngineConfig, GuardConfig, KeySource, MODULE_LOGS_BYTES_MAX};
    use haven_gateway::keys::KeyStore;
    use haven_gateway::stdb::reducers::realm_configure;
    use haven_gateway::tokens::owner_token;
    use std::collections::BTreeMap;
    use std::sync::Arc;

    const ISSUER: &str = "haven-bench-test";

    /// Haven's module on an engine inside this process.
    async fn start(dir: &Path) -> (Engine, Target) {
        let keys = KeyStore::open_or_create(dir.join("keys")).expect("keys");
        let engine = Engine::start(EngineConfig {
            data_dir: dir.to_owned(),
            listen: "127.0.0.1:0".parse().expect("an address"),
            in_memory: true,
            module_logs_bytes_max: MODULE_LOGS_BYTES_MAX,
            checkpoint_transactions: 0,
            guard: GuardConfig::new(ISSUER, KeySource::File(keys.jwks_path())),
        });
        let engine = engine.await.expect("the engine starts");
        let (uri, database, issuer) = (engine.uri(), "motion".to_owned(), ISSUER.to_owned());
        let token = owner_token(&keys, ISSUER, 60).expect("a token");
        let module = haven_engine::MODULE_WASM;
        haven_engine::publish(&uri, &database, &token, module).await.expect("published");
        let (keys, process_id) = (Arc::new(keys), std::process::id());
        let target = Target { uri, database, issuer, keys, process_id };
        let owner = target.owner().await.expect("a link");
        realm_configure(&owner, 1, "Haven", true, 20).await.expect("configured");
        owner.close().await;
        (engine, target)
    }

    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    async fn walkers_of_both_ways_are_measured_and_stay_in_their_world() {
        let dir = tempfile::TempDir::new().expect("a directory");
        let (engine, target) = start(dir.path()).await;
        for way in [Way::Segments, Way::Rewritten] {
            let session = Session {
                way,
                blocks: 4,
                speed_mm_per_s: WALK_SPEED_MM_PER_S,
                timing: Timing {
                    idle: Duration::ZERO,
                    warmup: Duration::from_millis(200),
                    window: Duration::from_millis(1_500),
                },
                is_checked: way == Way::Segments,
            };
            let mut stage = Stage::open(&target, way, session.blocks).await.expect("a stage");
            let mut points = Vec::new();
            let mut done = |walkers, measured| points.push((walkers, measured));
            let outcome =
                measure_on(&session, &[200, 400], &target, &mut stage, dir.path(), &mut done).await;
            stage.close().await;
            outcome.expect("measured");
            assert_eq!(points.len(), 2);
            for (walkers, measured) in points {
                assert!(measured.ticks.events_per_s > 0.0, "{measured:?}");
                assert!(measured.ticks.took_ms[0] > 0.0, "{measured:?}");
                if let Some(checked) = measured.checked {
                    let walkers = u64::from(walkers);
                    assert!((walkers * 3 / 4..=walkers).contains(&checked.rows), "{checked:?}");
                    assert_eq!(checked.violations, BTreeMap::new());
                }
            }
        }
        engine.stop().await.expect("stopped");
    }

    #[test]
    fn logs_are_counted_and_nothing_else() {
        let dir = tempfile::TempDir::new().expect("a directory");
        let replica = dir.path().join("engine/replicas/1");
        for (folder, bytes) in [("clog", 5), ("module_logs", 70), ("snapshots/clog", 900)] {
            let folder = replica.join(folder);
            fs::create_dir_all(&folder).expect("a folder");
            fs::write(folder.join("0.log"), vec![0; bytes]).expect("written");
        }
        assert_eq!(log_bytes(dir.path()).expect("readable"), 5);
        assert!(log_bytes(&dir.path().join("none")).is_err());
    }
}
