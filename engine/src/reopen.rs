//! Databases that the engine has dropped: mended and opened again, as at a start.
//!
//! The engine drops a database when a call panics in it, as on a full disk, and would open it again
//! at the next request from whatever is there. Keeps true: before that its sockets end, its log is
//! written to its end and repaired; none of it is left half done when whoever asked goes away.
//! Leaves out on purpose: why it was dropped, which the log of the process tells.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use anyhow::{Context as _, ensure};
use spacetimedb::host::HostController;
use spacetimedb::messages::control_db::Database;

use crate::boot;
use crate::durability::WatchedLogs;
use crate::log::{self, Damage, Scan};
use crate::swaps::Swaps;

/// How long it is waited until a dropped database is let go of, and again until its log is written.
const END_PATIENCE: Duration = Duration::from_secs(3);
/// How long after a full disk has room again its logs have written what was held up: two syncs.
const SETTLED: Duration = Duration::from_millis(1_200);

/// Opens them again.
pub(crate) struct Reopener {
    hosts: HostController,
    logs: Arc<WatchedLogs>,
    swaps: Arc<Swaps>,
    /// Held while a database is opened again.
    busy: Mutex<BTreeMap<u64, Arc<tokio::sync::Mutex<()>>>>,
}

impl Reopener {
    pub(crate) fn new(
        hosts: HostController,
        logs: Arc<WatchedLogs>,
        swaps: Arc<Swaps>,
    ) -> Arc<Self> {
        Arc::new(Self { hosts, logs, swaps, busy: Mutex::default() })
    }

    /// Whether the engine has dropped a database that was open.
    pub(crate) async fn is_dropped(&self, id: u64) -> bool {
        self.logs.is_open(id) && !self.hosts.has_module_host(id).await
    }

    /// Opens a database again that was dropped; at most one at a time does so.
    ///
    /// # Errors
    /// Somebody else is at it, its log is still being written, damaged, or it does not start.
    pub(crate) async fn reopen(
        self: &Arc<Self>,
        database: Database,
        label: String,
    ) -> anyhow::Result<()> {
        let busy = {
            let mut busy = self.busy.lock().unwrap_or_else(PoisonError::into_inner);
            Arc::clone(busy.entry(database.id).or_default())
        };
        let held = busy.try_lock_owned().context("it is being opened again")?;
        let this = Arc::clone(self);
        // In a task of its own: who asks may hang up at any moment.
        tokio::spawn(async move {
            let _held = held;
            if this.is_dropped(database.id).await {
                this.mend(&database, label).await?;
            }
            this.hosts.get_or_launch_module_host(database.clone(), database.id).await?;
            Ok(())
        })
        .await?
    }

    async fn mend(&self, database: &Database, label: String) -> anyhow::Result<()> {
        let id = database.id;
        if self.logs.is_first_attempt(id) {
            // They would hang for ever: the engine neither ends them nor hands them to the database
            // that is opened in its place.
            self.swaps.end(database.database_identity);
        }
        ensure!(self.logs.end(id, END_PATIENCE).await, "its log is still being written");
        let (replica, known) = (self.hosts.data_dir.replica(id), database.clone());
        let repairs = tokio::task::spawn_blocking(move || {
            boot::repair_log(&replica, &known, &label).map(|(repairs, _)| (label, repairs))
        });
        let (label, repairs) = repairs.await??;
        self.logs.may_open(id);
        let repairs = repairs.join(", ");
        tracing::warn!(database = label, repairs, "opened again after the engine dropped it");
        Ok(())
    }

    /// Ends those databases whose log cannot be read on behind what attempts to write to a full
    /// disk have left in it, so that they are mended: what is written behind that would be lost.
    /// `false` when that could not be found out, or done.
    pub(crate) async fn end_disordered(&self, databases: &[Database]) -> bool {
        tokio::time::sleep(SETTLED).await;
        let mut all_well = true;
        for database in databases {
            let (id, identity) = (database.id, database.database_identity);
            let folder = self.hosts.data_dir.replica(id).commit_log().0;
            // The newest segment is the only one that was written to.
            let scan = tokio::task::spawn_blocking(move || log::scan(&folder, u64::MAX)).await;
            match scan {
                Ok(Ok(Scan { damage: Some(Damage { goes_on_at: Some(_), .. }), .. })) => {
                    tracing::warn!(database = %identity, "the full disk left its log in disorder");
                    all_well &= self.hosts.exit_module_host(id).await.is_ok();
                }
                Ok(Ok(_)) => {}
                Ok(Err(_)) | Err(_) => all_well = false,
            }
        }
        all_well
    }
}
