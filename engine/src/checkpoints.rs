//! Checkpoints: snapshots between the engine's own, so that a start has little to replay.
//!
//! The engine takes a snapshot every 1,000,000 transactions, cannot be asked for one, and replays
//! what its log holds behind the newest: many seconds' worth after a crash. So more are made of its
//! files, beside the running database: the newest snapshot, and what the log holds behind it.
//! Keeps true: a checkpoint holds nothing that is not on disk, and is there whole and synced or not
//! at all; the running database is neither locked nor counted; the newest two checkpoints stay, and
//! all snapshots of the engine's own; a disk that fills up is left to the log.
//! Leaves out on purpose: databases whose snapshot is large, since a checkpoint takes a second copy
//! of the database in memory while it is made.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Context as _, ensure};
use spacetimedb::Identity;
use spacetimedb::db::relational_db::open_snapshot_repo;
use spacetimedb::messages::control_db::Database;
use spacetimedb_datastore::locking_tx_datastore::datastore::Locking;
use spacetimedb_paths::FromPathUnchecked as _;
use spacetimedb_paths::server::{ReplicaDir, SnapshotsPath};
use spacetimedb_snapshot::{ReconstructedSnapshot, SnapshotRepository};
use spacetimedb_table::page_pool::PagePool;
use tokio::task::JoinHandle;

use crate::backup::{files_below, sync_folder, sync_folders};
use crate::node::Node;
use crate::snapshots::{self, Snapshot};

/// What [`EngineConfig::checkpoint_transactions`](crate::EngineConfig) usually is: a start replays
/// them in a tenth of a second.
pub const CHECKPOINT_TRANSACTIONS: u64 = 10_000;

/// How often the logs are looked at.
const LOOK_EVERY: Duration = Duration::from_millis(250);
/// Shortest time between two checkpoints of one database, whatever is written.
const REST_MIN: Duration = Duration::from_secs(4);
/// That time as a multiple of what the last one took: a twentieth of one core goes into them.
const REST_TIMES: u32 = 19;
/// Time until the next attempt when one has failed.
const REST_AFTER_FAILURE: Duration = Duration::from_mins(1);
/// Databases whose newest snapshot is larger have no checkpoints.
const SNAPSHOT_BYTES_MAX: u64 = 256 << 20;
/// Checkpoints that stay.
const KEPT: usize = 2;
/// Transactions between two looks at whether the engine stops.
const STOP_STRIDE: usize = 1_024;
/// Under which the copy counts its rows: the engine plans queries by those of the running database.
const COUNTED_AS: Identity = Identity::ZERO;
/// Where one is made, beside a database's snapshots.
const WORKSHOP: &str = "checkpoint";
/// A file in those that were made here.
const MARK: &str = "checkpoint";

/// Makes checkpoints until it is told to stop.
pub(crate) struct Checkpoints {
    task: JoinHandle<()>,
    stops: Arc<AtomicBool>,
}

impl Checkpoints {
    /// Starts now: a database has one whenever its log holds so many transactions behind its newest
    /// snapshot and the disk has room.
    pub(crate) fn start(
        node: Arc<Node>,
        transactions: u64,
        has_room: impl Fn() -> bool + Send + Sync + 'static,
    ) -> Self {
        let stops = Arc::new(AtomicBool::new(false));
        let stopped = stops.clone();
        let task = tokio::spawn(async move {
            let mut looks = tokio::time::interval(LOOK_EVERY);
            looks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
            let mut next = BTreeMap::<u64, Next>::new();
            while !stopped.load(Ordering::Relaxed) {
                looks.tick().await;
                for (id, _, written) in node.logs().progress() {
                    let next = next.entry(id).or_default();
                    if !next.is_due(written, transactions) || !has_room() {
                        continue;
                    }
                    let Some((database, replica)) = node.files_of(id) else { continue };
                    let stops = stopped.clone();
                    let work = Checkpoint { replica, database, written, transactions, stops };
                    let made = tokio::task::spawn_blocking(move || work.make()).await;
                    match made.map_err(anyhow::Error::from).flatten() {
                        Ok(made) => *next = made,
                        Err(error) => {
                            tracing::warn!(database = id, "no checkpoint: {error:#}");
                            next.not_before = Some(Instant::now() + REST_AFTER_FAILURE);
                        }
                    }
                }
            }
        });
        Self { task, stops }
    }

    /// Begins no other, and gives up the one that is being made.
    pub(crate) fn stop(&self) {
        self.stops.store(true, Ordering::Relaxed);
    }

    /// Waits until none is being made any more; `false` when that takes longer.
    pub(crate) async fn wait_stopped(self, patience: Duration) -> bool {
        self.stop();
        tokio::time::timeout(patience, self.task).await.is_ok()
    }
}

/// When a database has its next checkpoint.
#[derive(Default)]
struct Next {
    /// The transaction from which is counted.
    from: u64,
    not_before: Option<Instant>,
}

impl Next {
    fn is_due(&self, written: u64, transactions: u64) -> bool {
        let rests = self.not_before.is_some_and(|instant| Instant::now() < instant);
        !rests && written.saturating_sub(self.from) >= transactions
    }
}

/// One that is to be made.
struct Checkpoint {
    replica: ReplicaDir,
    database: Database,
    /// Transactions on disk.
    written: u64,
    transactions: u64,
    stops: Arc<AtomicBool>,
}

impl Checkpoint {
    /// Makes it, unless there is a newer snapshot than was known; when the next one is due.
    fn make(&self) -> anyhow::Result<Next> {
        let began = Instant::now();
        let folder = self.replica.snapshots().0;
        let complete = snapshots::complete(&folder)?;
        let newest = complete.last().context("there is no snapshot")?;
        if self.written < newest.offset + self.transactions {
            return Ok(Next { from: newest.offset, not_before: None });
        }
        let bytes = bytes_below(&newest.path)?;
        if bytes > SNAPSHOT_BYTES_MAX {
            tracing::debug!(database = self.database.id, bytes, "too large for a checkpoint");
            // It is asked again when as much again is written.
            return Ok(Next { from: self.written, not_before: None });
        }
        let offset = self.written - 1;
        let workshop = self.replica.0.join(WORKSHOP);
        clear(&workshop)?;
        let made = self.make_in(&workshop, &complete, offset);
        let cleared = clear(&workshop);
        made?;
        cleared?;
        drop_old(&folder)?;
        let took = began.elapsed();
        let millis = u64::try_from(took.as_millis()).unwrap_or(u64::MAX);
        tracing::info!(database = self.database.id, offset, millis, "checkpoint");
        let rest = (took * REST_TIMES).max(REST_MIN);
        Ok(Next { from: offset, not_before: Some(Instant::now() + rest) })
    }

    /// Makes it somewhere else, and puts it among the snapshots when it is whole and on disk: the
    /// engine goes by their names, takes its own there at any moment, and shares files with them.
    fn make_in(&self, workshop: &Path, complete: &[Snapshot], last: u64) -> anyhow::Result<()> {
        let snapshots = self.replica.snapshots();
        let folder = snapshots.0.clone();
        let pages = PagePool::new(None);
        let copy =
            Locking::restore_from_snapshot(self.newest(snapshots, complete, &pages)?, pages)?;
        self.replay(&copy, last)?;
        self.go_on()?;
        let repository = self.repository(SnapshotsPath::from_path_unchecked(workshop))?;
        let made = copy.take_snapshot(&repository)?.context("it is empty")?.0;
        File::create(made.join(MARK))?;
        sync_below(&made)?;
        self.go_on()?;
        let name = made.file_name().context("it has no name")?;
        fs::rename(&made, folder.join(name))?;
        Ok(sync_folder(&folder)?)
    }

    /// The newest snapshot that can be read.
    fn newest(
        &self,
        snapshots: SnapshotsPath,
        complete: &[Snapshot],
        pages: &PagePool,
    ) -> anyhow::Result<ReconstructedSnapshot> {
        let repository = self.repository(snapshots)?;
        let mut problem = None;
        for snapshot in complete.iter().rev() {
            match repository.read_snapshot(snapshot.offset, pages) {
                Ok(read) => {
                    let identity = self.database.database_identity;
                    ensure!(read.database_identity == identity, "a snapshot is another database's");
                    return Ok(ReconstructedSnapshot { database_identity: COUNTED_AS, ..read });
                }
                Err(error) => problem = Some(error),
            }
        }
        Err(problem.map_or_else(|| anyhow::anyhow!("there is no snapshot"), Into::into))
    }

    /// Brings a copy to what it was after a transaction, the last one.
    fn replay(&self, copy: &Locking, last: u64) -> anyhow::Result<()> {
        let replay = copy.replay(|_| ());
        let from = replay.next_tx_offset();
        let missing = usize::try_from((last + 1).saturating_sub(from))?;
        let log = self.replica.commit_log();
        let transactions = spacetimedb_commitlog::transactions_from(log, from, &replay)?;
        // Not one more: what follows may still be being written.
        for (number, transaction) in transactions.take(missing).enumerate() {
            transaction?;
            if number % STOP_STRIDE == 0 {
                self.go_on()?;
            }
        }
        ensure!(replay.next_tx_offset() == last + 1, "the log ends before {last}");
        Ok(())
    }

    fn repository(&self, folder: SnapshotsPath) -> anyhow::Result<Arc<SnapshotRepository>> {
        let (identity, id) = (self.database.database_identity, self.database.id);
        Ok(open_snapshot_repo(folder, identity, id)?)
    }

    fn go_on(&self) -> anyhow::Result<()> {
        ensure!(!self.stops.load(Ordering::Relaxed), "the engine stops");
        Ok(())
    }
}

/// Makes one before a start that would replay more than so many transactions: a server that dies
/// again and again before its first is made would have more to replay each time. `written` is how
/// many transactions the log holds. Only for who holds the data directory.
pub(crate) fn catch_up(
    replica: &ReplicaDir,
    database: &Database,
    transactions: u64,
    written: u64,
) -> anyhow::Result<()> {
    // What a process wrote that died is read from memory, and may not be on disk yet.
    sync_below(&replica.commit_log().0)?;
    let (replica, database, stops) = (replica.clone(), database.clone(), Arc::default());
    Checkpoint { replica, database, written, transactions, stops }.make()?;
    Ok(())
}

/// Removes what a process that died had not finished. Only for who holds the data directory.
pub(crate) fn clear_unfinished(replica: &ReplicaDir) -> io::Result<()> {
    clear(&replica.0.join(WORKSHOP))
}

fn clear(folder: &Path) -> io::Result<()> {
    match fs::remove_dir_all(folder) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        Err(_) | Ok(()) => Ok(()),
    }
}

/// Removes the checkpoints before the newest ones.
fn drop_old(folder: &Path) -> io::Result<()> {
    let mut checkpoints = snapshots::complete(folder)?;
    checkpoints.retain(|snapshot| snapshot.path.join(MARK).is_file());
    let old = checkpoints.len().saturating_sub(KEPT);
    checkpoints[..old].iter().try_for_each(|old| fs::remove_dir_all(&old.path))
}

fn bytes_below(folder: &Path) -> anyhow::Result<u64> {
    let mut bytes = 0;
    for file in files_below(folder)? {
        bytes += file.metadata()?.len();
    }
    Ok(bytes)
}

/// Has all files below a folder on disk, and the folders that name them.
fn sync_below(folder: &Path) -> anyhow::Result<()> {
    for file in files_below(folder)? {
        File::open(file)?.sync_all()?;
    }
    Ok(sync_folders(folder)?)
}
