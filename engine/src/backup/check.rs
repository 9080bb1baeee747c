//! Checking a generation: hashes, and an engine that starts from a copy.
//!
//! Keeps true: the generation itself is only read; rows are counted before any module runs, so the
//! same files always have the same counts; then every module is started once, on no address.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context as _, ensure};
use spacetimedb::db::relational_db::{self, RelationalDB};
use spacetimedb::messages::control_db::Database;
use spacetimedb_datastore::execution_context::Workload;
use spacetimedb_lib::hash_bytes;
use spacetimedb_paths::FromPathUnchecked as _;
use spacetimedb_paths::server::ServerDataDir;
use spacetimedb_table::page_pool::PagePool;

use super::files::{self, Digested};
use super::manifest::Manifest;
use super::{BackupError, ENGINE_FOLDER, blocking};
use crate::control::Control;
use crate::log::segments;
use crate::node::Node;
use crate::ticket::TicketOffice;

/// How long the databases of a copy may take to close; what they still write is thrown away.
const CLOSE_PATIENCE: Duration = Duration::from_secs(2);

/// What a database was found to hold.
pub(super) struct Contents {
    /// Hash of the module its system table names, hexadecimal.
    pub(super) module: String,
    /// Rows by table.
    pub(super) counts: BTreeMap<String, u64>,
}

/// Compares every file with the manifest.
pub(super) fn hashes(generation: &Path, manifest: &Manifest) -> Result<(), BackupError> {
    for file in &manifest.files {
        let path = file.below(generation);
        let noted = Digested { bytes: file.bytes, sha256: file.sha256.clone() };
        if files::digest(&path, None)? != noted {
            return Err(BackupError::FileChanged(path));
        }
    }
    Ok(())
}

/// Compares what was found with what was noted, where anything was.
pub(super) fn compare(manifest: &Manifest, found: &[Contents]) -> Result<(), BackupError> {
    for (entry, contents) in manifest.databases.iter().zip(found) {
        let Some(noted) = &entry.counts else {
            continue;
        };
        let tables = noted.keys().chain(contents.counts.keys());
        let count = |counts: &BTreeMap<String, u64>, table| counts.get(table).copied().unwrap_or(0);
        for table in tables {
            let (noted, found) = (count(noted, table), count(&contents.counts, table));
            if noted != found {
                let (database, table) = (entry.label().to_owned(), table.clone());
                return Err(BackupError::CountsDiffer { database, table, found, noted });
            }
        }
    }
    Ok(())
}

/// Starts an engine from a copy in `scratch`, and answers what each database holds. Modules that
/// the engine with the data directory `like` has compiled are not compiled again: that would take
/// all cores for seconds, while players play.
pub(super) async fn boot(
    generation: &Path,
    manifest: &Manifest,
    scratch: &Path,
    like: Option<&ServerDataDir>,
) -> Result<Vec<Contents>, BackupError> {
    let data_dir = ServerDataDir::from_path_unchecked(scratch.join(ENGINE_FOLDER));
    let (from, to, entries) = (generation.to_owned(), scratch.to_owned(), manifest.clone());
    let compiled = like.map(|like| (like.wasmtime_cache().0, data_dir.wasmtime_cache().0));
    blocking(move || {
        copy_for_trial(&from, &entries, &to)?;
        if let Some((from, to)) = compiled
            && files::copy_below(&from, &to).is_err()
        {
            // The engine sweeps there too; then they are compiled again.
            std::fs::remove_dir_all(&to).ok();
        }
        Ok(())
    })
    .await?;
    let mut found = Vec::new();
    for entry in &manifest.databases {
        let does_not_boot = |error: anyhow::Error| BackupError::DoesNotBoot {
            database: entry.label().to_owned(),
            reason: format!("{error:#}"),
        };
        let database = database(&data_dir, entry.id).map_err(does_not_boot)?;
        let contents = count(&data_dir, database, &entry.module).await.map_err(does_not_boot)?;
        found.push(contents);
    }
    let does_not_boot = |error: anyhow::Error| BackupError::DoesNotBoot {
        database: "of this backup".to_owned(),
        reason: format!("{error:#}"),
    };
    start_modules(data_dir).await.map_err(does_not_boot)?;
    Ok(found)
}

/// Copies what a start needs. Only what an engine never writes to is linked.
fn copy_for_trial(
    generation: &Path,
    manifest: &Manifest,
    scratch: &Path,
) -> Result<(), BackupError> {
    let engine = ServerDataDir::from_path_unchecked(generation.join(ENGINE_FOLDER));
    let mut appended = Vec::new();
    for entry in &manifest.databases {
        let folder = engine.replica(entry.id).commit_log().0;
        let listed = segments(&folder).map_err(BackupError::io(&folder))?;
        appended.extend(listed.last().map(|segment| segment.path.clone()));
    }
    for file in &manifest.files {
        let (source, target) = (file.below(generation), file.below(scratch));
        let is_engines = file.path.starts_with(ENGINE_FOLDER);
        let is_sealed = file.path.contains("/clog/") || file.path.contains("/snapshots/");
        if is_engines && is_sealed && !appended.contains(&source) {
            files::link_or_copy(&source, &target)?;
        } else if is_engines {
            files::copy(&source, &target, None)?;
        }
    }
    Ok(())
}

fn database(data_dir: &ServerDataDir, id: u64) -> anyhow::Result<Database> {
    Control::open_in(data_dir)?.database(id)?.context("it is not in the control state")
}

/// Replays a database without its module, and counts.
async fn count(
    data_dir: &ServerDataDir,
    database: Database,
    initial: &str,
) -> anyhow::Result<Contents> {
    let replica = data_dir.replica(database.id);
    let (log, disk_size) = relational_db::local_durability(replica.commit_log()).await?;
    let initial = initial.to_owned();
    let counted = tokio::task::spawn_blocking(move || {
        let identity = database.database_identity;
        let snapshots =
            relational_db::open_snapshot_repo(replica.snapshots(), identity, database.id)?;
        let durability: Arc<relational_db::Durability> = log.clone();
        let (opened, _) = RelationalDB::open(
            &replica,
            identity,
            database.owner_identity,
            log,
            Some((durability, disk_size)),
            Some(snapshots),
            None,
            PagePool::new(None),
        )?;
        contents(&opened, initial)
    });
    counted.await?
}

fn contents(database: &RelationalDB, initial: String) -> anyhow::Result<Contents> {
    // A database whose log is empty starts from its first program.
    let program = database.program()?;
    if let Some(program) = &program {
        ensure!(hash_bytes(&program.bytes) == program.hash, "its module was changed");
    }
    let module = program.map_or(initial, |program| program.hash.to_hex().to_string());
    let counts = database.with_read_only(Workload::Internal, |tx| {
        let mut counts = BTreeMap::new();
        for table in database.get_all_tables(tx)? {
            let rows = database.iter(tx, table.table_id)?.count() as u64;
            counts.insert(table.table_name.to_string(), rows);
        }
        anyhow::Ok(counts)
    })?;
    Ok(Contents { module, counts })
}

/// Starts every database with its module, without an address, and ends them again.
async fn start_modules(data_dir: ServerDataDir) -> anyhow::Result<()> {
    let tickets = Arc::new(TicketOffice::new()?);
    let node = Node::open(Arc::new(data_dir), false, tickets).await?;
    let started = node.launch_each().await;
    let ended = node.exit_all().await;
    let logs = node.logs().clone();
    drop(node);
    logs.wait_closed(CLOSE_PATIENCE).await;
    started.and(ended)
}
