//! Checkpoints: snapshots between the engine's own, so that a start has little to replay.
//!
//! The engine takes a snapshot every 1,000,000 transactions, cannot be asked for one, and replays
//! what its log holds behind the newest: many seconds' worth after a crash. So more are made of its
//! files, beside the running database: the newest snapshot, and what the log holds behind it.
//! Keeps true: a checkpoint holds nothing that is not on disk; the running database is neither
//! locked nor counted; the newest two checkpoints stay, and all snapshots of the engine's own.
//! Leaves out on purpose: databases whose snapshot is large, since a checkpoint takes a second copy
//! of the database in memory while it is made.

use std::collections::BTreeMap;
use std::io;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Context as _, ensure};
use spacetimedb::Identity;
use spacetimedb::db::relational_db::{SNAPSHOT_FREQUENCY, open_snapshot_repo};
use spacetimedb::messages::control_db::Database;
use spacetimedb_datastore::locking_tx_datastore::datastore::Locking;
use spacetimedb_paths::server::ReplicaDir;
use spacetimedb_table::page_pool::PagePool;
use tokio::task::JoinHandle;

use crate::backup::files_below;
use crate::node::Node;
use crate::snapshots;

/// What [`EngineConfig::checkpoint_transactions`](crate::EngineConfig) usually is: a start replays
/// them in a quarter of a second.
pub const CHECKPOINT_TRANSACTIONS: u64 = 25_000;

/// How often the logs are looked at.
const LOOK_EVERY: Duration = Duration::from_millis(250);
/// Shortest time between two checkpoints of one database, whatever is written.
const REST: Duration = Duration::from_mins(1);
/// Databases whose newest snapshot is larger have no checkpoints.
const SNAPSHOT_BYTES_MAX: u64 = 256 << 20;
/// Checkpoints that stay: the newest may be the one that a crash spoils.
const KEPT: usize = 2;
/// Transactions between two looks at whether the engine stops.
const STOP_STRIDE: usize = 1_024;
/// Under which the copy counts its rows: the engine plans queries by those of the running database.
const COUNTED_AS: Identity = Identity::ZERO;

/// Makes checkpoints until it is dropped.
pub(crate) struct Checkpoints {
    task: JoinHandle<()>,
    stops: Arc<AtomicBool>,
}

impl Checkpoints {
    /// Starts now: a database has one whenever its log holds so many transactions behind its newest
    /// snapshot.
    pub(crate) fn start(node: Arc<Node>, transactions: u64) -> Self {
        let stops = Arc::new(AtomicBool::new(false));
        let stopped = stops.clone();
        let task = tokio::spawn(async move {
            let mut looks = tokio::time::interval(LOOK_EVERY);
            looks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
            // Of each database: from where the next checkpoint is counted, and not before when.
            let mut next = BTreeMap::<u64, (u64, Option<Instant>)>::new();
            loop {
                looks.tick().await;
                for (id, _, written) in node.logs().progress() {
                    let (from, not_before) = next.entry(id).or_default();
                    let rests = not_before.is_some_and(|instant| Instant::now() < instant);
                    if rests || written.saturating_sub(*from) < transactions {
                        continue;
                    }
                    let Some((database, replica)) = node.files_of(id) else { continue };
                    let stops = stopped.clone();
                    let work = Work { replica, database, written, transactions, stops };
                    let made = tokio::task::spawn_blocking(move || work.run()).await;
                    match made {
                        Ok(Ok(Newest { offset, is_made })) => {
                            *from = offset;
                            *not_before = is_made.then(|| Instant::now() + REST);
                        }
                        Ok(Err(error)) => {
                            tracing::warn!(database = id, "no checkpoint: {error:#}");
                            *not_before = Some(Instant::now() + REST);
                        }
                        Err(_) => *not_before = Some(Instant::now() + REST),
                    }
                }
            }
        });
        Self { task, stops }
    }
}

impl Drop for Checkpoints {
    fn drop(&mut self) {
        self.stops.store(true, Ordering::Relaxed);
        self.task.abort();
    }
}

/// The newest snapshot there is.
struct Newest {
    offset: u64,
    is_made: bool,
}

/// One database's checkpoint.
struct Work {
    replica: ReplicaDir,
    database: Database,
    /// Transactions on disk.
    written: u64,
    transactions: u64,
    stops: Arc<AtomicBool>,
}

impl Work {
    /// Makes a checkpoint, unless there is a newer snapshot than was known.
    fn run(&self) -> anyhow::Result<Newest> {
        let began = Instant::now();
        let folder = self.replica.snapshots().0;
        let newest = snapshots::complete(&folder)?.pop().context("there is no snapshot")?;
        if self.written < newest.offset + self.transactions {
            return Ok(Newest { offset: newest.offset, is_made: false });
        }
        let bytes = bytes_below(&newest.path)?;
        if bytes > SNAPSHOT_BYTES_MAX {
            tracing::debug!(database = self.database.id, bytes, "too large for a checkpoint");
            // Looked at again when the engine has taken another one.
            return Ok(Newest { offset: self.written, is_made: false });
        }
        let offset = self.written - 1;
        self.copy(newest.offset, offset)?;
        drop_old(&folder)?;
        let millis = u64::try_from(began.elapsed().as_millis()).unwrap_or(u64::MAX);
        tracing::info!(database = self.database.id, offset, millis, "checkpoint");
        Ok(Newest { offset, is_made: true })
    }

    /// Takes a snapshot of what the files hold up to a transaction, the last one.
    fn copy(&self, from: u64, last: u64) -> anyhow::Result<()> {
        let (identity, id) = (self.database.database_identity, self.database.id);
        let repository = open_snapshot_repo(self.replica.snapshots(), identity, id)?;
        let pages = PagePool::new(None);
        let mut snapshot = repository.read_snapshot(from, &pages)?;
        ensure!(snapshot.database_identity == identity, "the snapshot is another database's");
        snapshot.database_identity = COUNTED_AS;
        let copy = Locking::restore_from_snapshot(snapshot, pages)?;
        let replay = copy.replay(|_| ());
        let missing = usize::try_from(last - from)?;
        // Not one more: what follows may still be being written.
        let log = self.replica.commit_log();
        let transactions = spacetimedb_commitlog::transactions_from(log, from + 1, &replay)?;
        for (number, transaction) in transactions.take(missing).enumerate() {
            transaction?;
            ensure!(number % STOP_STRIDE > 0 || !self.stops.load(Ordering::Relaxed), "it stops");
        }
        ensure!(replay.next_tx_offset() == last + 1, "the log ends before {last}");
        copy.take_snapshot(&repository)?;
        Ok(())
    }
}

/// Removes the checkpoints before the newest ones.
fn drop_old(folder: &Path) -> io::Result<()> {
    let mut checkpoints = snapshots::complete(folder)?;
    checkpoints.retain(|snapshot| snapshot.offset % SNAPSHOT_FREQUENCY > 0);
    let old = checkpoints.len().saturating_sub(KEPT);
    checkpoints[..old].iter().try_for_each(|old| std::fs::remove_dir_all(&old.path))
}

fn bytes_below(folder: &Path) -> anyhow::Result<u64> {
    let mut bytes = 0;
    for file in files_below(folder)? {
        bytes += file.metadata()?.len();
    }
    Ok(bytes)
}
