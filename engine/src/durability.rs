//! The commit logs of all databases, watched: how far they are written, and how far they must be.
//!
//! Keeps true: a transaction counts from the moment the engine hands it over, before anybody is
//! answered, so "written" here includes everything that was acknowledged. A log is looked at by one
//! task however many wait for it, and by none while nobody does. A transaction that publishes a
//! module is noted in the database's list of versions.
//! Leaves out on purpose: the writing itself, which is the engine's own `Local` durability.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, Weak};
use std::time::{Duration, Instant};

use async_trait::async_trait;
use spacetimedb::db::relational_db::{self, LocalDurability, Txdata};
use spacetimedb::host::{DurabilityProvider, ExternalDurability, StartSnapshotWatcher};
use spacetimedb_durability::{Durability, TxOffset};
use spacetimedb_paths::server::{ReplicaDir, ServerDataDir};
use spacetimedb_paths::standalone::{ProgramBytesDir, StandaloneDataDirExt as _};
use tokio::sync::watch;
use tokio::task::JoinHandle;

use crate::versions;

/// How often a wait looks again. The engine syncs every 500 ms and tells nobody.
const POLL_MILLIS: u64 = 5;

/// One database's commit log, and how many transactions it was given.
struct WatchedLog {
    log: LocalDurability,
    /// Transactions in the log once all that was handed over is written.
    expected: AtomicU64,
    replica: ReplicaDir,
    programs: ProgramBytesDir,
    /// Transactions on disk, for those who wait; up to date while somebody does.
    told: watch::Sender<u64>,
    /// Whether a task looks at the log for those who wait.
    looking: Mutex<bool>,
}

impl WatchedLog {
    fn new(log: LocalDurability, replica: ReplicaDir, programs: ProgramBytesDir) -> Self {
        let written = log.durable_tx_offset().map_or(0, |offset| offset + 1);
        let (told, looking) = (watch::Sender::new(written), Mutex::new(false));
        Self { log, expected: AtomicU64::new(written), told, looking, replica, programs }
    }

    /// Keeps a module that was published. The log holds it too, so a failure loses nothing.
    fn keep_version(&self, offset: TxOffset, program: &[u8]) {
        let kept = versions::keep(&self.programs.0, &self.replica.0, offset, program);
        if let Err(error) = kept {
            tracing::warn!("a published module is not in the list of versions: {error}");
        }
    }

    /// Waits until everything that was handed over before this call is on disk; `false` when the
    /// log was closed first.
    async fn wait_written(log: Arc<Self>) -> bool {
        let target = log.expected.load(Ordering::Acquire);
        if log.written() >= target {
            return true;
        }
        // Listens before the task looks whether anybody does.
        let mut heard = log.told.subscribe();
        Self::look_out(&log);
        // Who waits must not keep a database open that is being closed.
        drop(log);
        heard.wait_for(|written| *written >= target).await.is_ok()
    }

    /// Sees to it that a task looks at the log until nobody listens any more.
    fn look_out(log: &Arc<Self>) {
        let mut looking = log.looking();
        if std::mem::replace(&mut *looking, true) {
            return;
        }
        let log = Arc::downgrade(log);
        tokio::spawn(async move {
            while log.upgrade().is_some_and(|log| log.look()) {
                tokio::time::sleep(Duration::from_millis(POLL_MILLIS)).await;
            }
        });
    }

    /// Tells how much is written, and whether anybody still listens.
    fn look(&self) -> bool {
        let written = self.written();
        self.told.send_if_modified(|told| std::mem::replace(told, written) != written);
        // Under the lock: who begins to listen now either is counted or finds that nobody looks.
        let mut looking = self.looking();
        *looking = self.told.receiver_count() > 0;
        *looking
    }

    fn looking(&self) -> MutexGuard<'_, bool> {
        self.looking.lock().expect("invariant: no holder of this lock panics")
    }

    /// Transactions on disk.
    fn written(&self) -> u64 {
        self.log.durable_tx_offset().map_or(0, |offset| offset + 1)
    }

    /// Transactions that were acknowledged and are not on disk yet.
    fn backlog(&self) -> u64 {
        self.expected.load(Ordering::Acquire).saturating_sub(self.written())
    }
}

impl Durability for WatchedLog {
    type TxData = Txdata;

    fn append_tx(&self, tx: Txdata) {
        let offset = self.expected.fetch_add(1, Ordering::AcqRel);
        if let Some(program) = versions::published(&tx) {
            self.keep_version(offset, program);
        }
        self.log.append_tx(tx);
    }

    fn durable_tx_offset(&self) -> Option<TxOffset> {
        self.log.durable_tx_offset()
    }
}

/// Opens commit logs for the host controller and remembers them by replica.
pub(crate) struct WatchedLogs {
    data_dir: Arc<ServerDataDir>,
    logs: Mutex<BTreeMap<u64, Opened>>,
    reopened: AtomicU32,
    /// Logs of databases that the engine has dropped, while they are ended.
    ending: tokio::sync::Mutex<BTreeMap<u64, JoinHandle<()>>>,
}

/// A log that was opened.
struct Opened {
    /// Gone when its database is.
    watched: Weak<WatchedLog>,
    /// What writes it; taken when it is ended.
    log: Option<LocalDurability>,
    /// Somebody has begun to open it again.
    is_attempted: bool,
    /// It was ended and mended.
    is_ended: bool,
}

impl WatchedLogs {
    /// Logs below `data_dir`.
    pub(crate) fn new(data_dir: Arc<ServerDataDir>) -> Self {
        let ending = tokio::sync::Mutex::default();
        Self { data_dir, logs: Mutex::default(), reopened: AtomicU32::new(0), ending }
    }

    /// The sum of acknowledged but unwritten transactions.
    pub(crate) fn backlog(&self) -> u64 {
        self.open_logs().iter().map(|log| log.backlog()).sum()
    }

    /// Of each open log: the replica, transactions it was given, and transactions on disk.
    pub(crate) fn progress(&self) -> Vec<(u64, u64, u64)> {
        let logs = self.logs();
        let open = logs.iter().filter_map(|(id, log)| Some((*id, log.watched.upgrade()?)));
        open.map(|(id, log)| (id, log.expected.load(Ordering::Acquire), log.written())).collect()
    }

    /// Waits until all that was handed over is on disk. `false` when `patience` ran out first.
    pub(crate) async fn wait_written(&self, patience: Duration) -> bool {
        wait(patience, || self.backlog() == 0).await
    }

    /// Waits until everything one database has committed before this call is on disk: at once in
    /// memory, where nothing is written. `false` when it was closed first.
    pub(crate) async fn wait_written_of(&self, replica_id: u64) -> bool {
        match self.log(replica_id) {
            Some(log) => match log.upgrade() {
                Some(log) => WatchedLog::wait_written(log).await,
                // What it had not written is lost.
                None => false,
            },
            None => true,
        }
    }

    /// How often a log was opened that had been open before: the engine drops a database whose
    /// reducer panics, as on a full disk, and opens it again from what is on disk.
    pub(crate) fn reopened(&self) -> u32 {
        self.reopened.load(Ordering::Acquire)
    }

    /// Waits until every database is closed. `false` when `patience` ran out first.
    pub(crate) async fn wait_closed(&self, patience: Duration) -> bool {
        wait(patience, || self.open_logs().is_empty()).await
    }

    /// Whether a database's log was opened and not ended since.
    pub(crate) fn is_open(&self, replica_id: u64) -> bool {
        self.logs().get(&replica_id).is_some_and(|log| !log.is_ended)
    }

    /// Whether this is the first time that it is asked since the log was opened.
    pub(crate) fn is_first_attempt(&self, replica_id: u64) -> bool {
        let mut logs = self.logs();
        let log = logs.get_mut(&replica_id);
        log.is_some_and(|log| !std::mem::replace(&mut log.is_attempted, true))
    }

    /// Ends the log of a database that the engine has dropped, once nobody holds that any more:
    /// writes what it was handed over, unless what writes it has failed. `false` when either takes
    /// longer than `patience`, as on a full disk; it goes on meanwhile.
    pub(crate) async fn end(&self, replica_id: u64, patience: Duration) -> bool {
        let is_dropped = || {
            let logs = self.logs();
            logs.get(&replica_id).is_none_or(|log| log.watched.strong_count() == 0)
        };
        if !wait(patience, is_dropped).await {
            return false;
        }
        let mut ending = self.ending.lock().await;
        let left = self.logs().get_mut(&replica_id).and_then(|log| log.log.take());
        if let Some(log) = left {
            ending.insert(replica_id, tokio::spawn(close(log)));
        }
        let Some(task) = ending.get_mut(&replica_id) else { return true };
        let is_ended = tokio::time::timeout(patience, task).await.is_ok();
        if is_ended {
            ending.remove(&replica_id);
        }
        is_ended
    }

    /// Says that an ended log was mended, so that it may be opened again.
    pub(crate) fn may_open(&self, replica_id: u64) {
        if let Some(log) = self.logs().get_mut(&replica_id) {
            log.is_ended = true;
        }
    }

    fn logs(&self) -> MutexGuard<'_, BTreeMap<u64, Opened>> {
        self.logs.lock().expect("invariant: no holder of the log list panics")
    }

    fn log(&self, replica_id: u64) -> Option<Weak<WatchedLog>> {
        self.logs().get(&replica_id).map(|log| log.watched.clone())
    }

    fn open_logs(&self) -> Vec<Arc<WatchedLog>> {
        self.logs().values().filter_map(|log| log.watched.upgrade()).collect()
    }
}

/// Ends a log once nobody else holds it.
async fn close(mut log: LocalDurability) {
    loop {
        match Arc::try_unwrap(log) {
            Ok(log) => {
                if let Err(error) = log.close().await {
                    tracing::warn!("a log could not be written to its end: {error:#}");
                }
                return;
            }
            Err(held) => log = held,
        }
        tokio::time::sleep(Duration::from_millis(POLL_MILLIS)).await;
    }
}

/// Looks at `done` until it holds; `false` when `patience` ran out first.
pub(crate) async fn wait(patience: Duration, mut done: impl FnMut() -> bool) -> bool {
    let deadline = Instant::now() + patience;
    loop {
        if done() {
            return true;
        }
        if Instant::now() >= deadline {
            return false;
        }
        tokio::time::sleep(Duration::from_millis(POLL_MILLIS)).await;
    }
}

#[async_trait]
impl DurabilityProvider for WatchedLogs {
    async fn durability(
        &self,
        replica_id: u64,
    ) -> anyhow::Result<(ExternalDurability, Option<StartSnapshotWatcher>)> {
        // Two that write one log would spoil it.
        anyhow::ensure!(!self.is_open(replica_id), "its log is still open");
        let replica = self.data_dir.replica(replica_id);
        let (log, disk_size) = relational_db::local_durability(replica.commit_log()).await?;
        let programs = self.data_dir.program_bytes();
        let watched = Arc::new(WatchedLog::new(log.clone(), replica, programs));
        let opened = Opened {
            watched: Arc::downgrade(&watched),
            log: Some(log.clone()),
            is_attempted: false,
            is_ended: false,
        };
        {
            let mut logs = self.logs();
            // Before it can be waited for: whoever hears that it is written hears of another run.
            if logs.contains_key(&replica_id) {
                self.reopened.fetch_add(1, Ordering::AcqRel);
            }
            logs.insert(replica_id, opened);
        }
        let compress: StartSnapshotWatcher = Box::new(|snapshots| {
            tokio::spawn(relational_db::snapshot_watching_commitlog_compressor(snapshots, log));
        });
        Ok(((watched, disk_size), Some(compress)))
    }
}
