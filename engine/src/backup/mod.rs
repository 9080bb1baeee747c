//! Backups of a data directory: made while players play, checked, restored.
//!
//! A folder of backups holds generations, each a folder `generation-000001` with `manifest.json`
//! and the files below the data directory that a start needs: `engine/control.json`, the programs,
//! and for each database its two newest snapshots and its whole commit log; and the signing keys.
//! What a generation shares with the one before it is the same file (a hard link) where the file
//! system can do that.
//!
//! Keeps true: control state is copied before the logs, so what it names is there; a log ends at
//! its last whole commit; a generation appears when all of it is on disk and, unless that was
//! waived, an engine has started from a copy of it; a restore touches nothing but a new directory.
//! Leaves out on purpose: one moment for all databases. Each is whole at a moment of its own,
//! within the time the copying took. Module logs, caches and the owner's token, which is signed
//! anew.

mod check;
mod create;
mod error;
mod files;
mod manifest;
mod restore;
mod store;

use std::path::PathBuf;

use spacetimedb_lib::Timestamp;

pub use error::BackupError;
#[cfg(test)]
pub(crate) use files::copy_below;
pub(crate) use files::{files_below, sync_folder, sync_folders};
pub use manifest::{DatabaseEntry, FORMAT, FileEntry, Manifest};

use store::Store;

/// Where the engine's files are, below a data directory and below a generation.
const ENGINE_FOLDER: &str = "engine";
/// Where the signing keys are, below a generation and below a restored data directory.
const KEYS_FOLDER: &str = "keys";

/// What to back up, and where to.
#[derive(Debug, Clone)]
pub struct CreateOptions {
    /// The data directory, in use or not.
    pub data_dir: PathBuf,
    /// The directory of the signing keys; need not exist.
    pub keys_dir: PathBuf,
    /// The folder of backups; made where it is missing.
    pub backups: PathBuf,
    /// Whether to start an engine from a copy and count rows.
    pub verify: bool,
    /// How many generations to keep; all when none.
    pub keep: Option<usize>,
}

/// What was backed up.
#[derive(Debug, Clone)]
pub struct Created {
    /// The new generation's folder.
    pub path: PathBuf,
    /// Its manifest.
    pub manifest: Manifest,
    /// Bytes that were written.
    pub copied_bytes: u64,
    /// Bytes that are shared with the generation before.
    pub reused_bytes: u64,
    /// Generations that were removed.
    pub removed: Vec<u64>,
}

/// What to restore, and where to.
#[derive(Debug, Clone)]
pub struct RestoreOptions {
    /// The folder of backups.
    pub backups: PathBuf,
    /// Which generation; the newest when none.
    pub generation: Option<u64>,
    /// Leave out what began later.
    pub until: Option<Timestamp>,
    /// The new data directory; missing or empty.
    pub data_dir: PathBuf,
}

/// What was restored.
#[derive(Debug, Clone)]
pub struct Restored {
    /// The manifest of the generation.
    pub manifest: Manifest,
    /// What each database holds now, by its id.
    pub databases: Vec<RestoredDatabase>,
}

/// Where a restored database ends.
#[derive(Debug, Clone)]
pub struct RestoredDatabase {
    /// Its first name, or its identity.
    pub label: String,
    /// Its last transaction; none when it was left out, because it did not exist yet.
    pub last_offset: Option<u64>,
    /// When that began, RFC 3339, if it is known.
    pub last_tx_at: Option<String>,
}

/// Makes a new generation from a data directory that may be in use.
///
/// Needs a multi-threaded tokio runtime.
///
/// # Errors
///
/// In this order: [`BackupError::NothingThere`], [`BackupError::Busy`],
/// [`BackupError::LogDamaged`]; with `verify` those of [`verify`]; [`BackupError::Io`] anywhere.
/// No generation is left, and none is removed, then.
pub async fn create(options: CreateOptions) -> Result<Created, BackupError> {
    create::create(options).await
}

/// Puts a generation into a new data directory. Its hashes are checked first.
///
/// # Errors
///
/// In this order: [`BackupError::TargetNotEmpty`], [`BackupError::GenerationUnknown`], those of
/// [`Manifest::read`], [`BackupError::FileMissing`], [`BackupError::FileChanged`],
/// [`BackupError::LogDamaged`], [`BackupError::UntilTooEarly`]; [`BackupError::Io`] anywhere. The
/// new directory is not there, or as it was, then.
pub async fn restore(options: RestoreOptions) -> Result<Restored, BackupError> {
    blocking(move || restore::restore(&options)).await
}

/// Checks a generation, the newest when none is named: every file's hash, and the number of rows of
/// every table after an engine has started from a copy. Answers its manifest.
///
/// Needs a multi-threaded tokio runtime.
///
/// # Errors
///
/// In this order: [`BackupError::GenerationUnknown`], those of [`Manifest::read`],
/// [`BackupError::FileMissing`], [`BackupError::FileChanged`], [`BackupError::Busy`],
/// [`BackupError::DoesNotBoot`], [`BackupError::CountsDiffer`]; [`BackupError::Io`] anywhere.
pub async fn verify(backups: PathBuf, generation: Option<u64>) -> Result<Manifest, BackupError> {
    let store = Store::new(&backups);
    let (store, folder, manifest) = blocking(move || {
        let (folder, manifest) = store.open(generation)?;
        check::hashes(&folder, &manifest)?;
        Ok((store, folder, manifest))
    })
    .await?;
    // What holds no writer, such as a disk mounted for reading, is tried out elsewhere.
    let (lock, scratch) = match store.lock() {
        Ok(lock) => (Some(lock), store.work_folder()?),
        Err(BackupError::Io { .. }) => {
            (None, tempfile::tempdir().map_err(BackupError::io(&std::env::temp_dir()))?)
        }
        Err(error) => return Err(error),
    };
    let found = check::boot(&folder, &manifest, scratch.path(), None).await?;
    check::compare(&manifest, &found)?;
    drop((lock, scratch));
    Ok(manifest)
}

/// Runs what waits for the disk where it holds up nobody.
async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, BackupError> + Send + 'static,
) -> Result<T, BackupError> {
    let joined = tokio::task::spawn_blocking(work).await;
    joined.map_err(|error| BackupError::Internal(error.to_string()))?
}
