//! What can go wrong with a backup. The code before the colon never changes.

use std::io;
use std::path::{Path, PathBuf};

/// Why a backup was not made, not restored, or is not good.
#[derive(Debug, thiserror::Error)]
pub enum BackupError {
    /// There is no control state, so no engine ever kept data there.
    #[error("backup.nothing_there: {0} holds no engine's data; name its --data-dir")]
    NothingThere(PathBuf),
    /// Another process writes to the same backups.
    #[error("backup.busy: another backup is being written to {0}")]
    Busy(PathBuf),
    /// The folder has no generation, or not the one that was asked for.
    #[error("backup.generation_unknown: {0} is not there")]
    GenerationUnknown(PathBuf),
    /// The target of a restore exists and holds something.
    #[error("backup.target_not_empty: {0} is not empty; restore into a new directory")]
    TargetNotEmpty(PathBuf),
    /// A manifest that was changed, or written by something else.
    #[error("backup.manifest_unreadable: {path}: {reason}")]
    ManifestUnreadable {
        /// The manifest.
        path: PathBuf,
        /// What is wrong with it.
        reason: String,
    },
    /// The manifest's format is one that a later release wrote.
    #[error("backup.format_unknown: {path} has format {format}, and this release reads {known}")]
    FormatUnknown {
        /// The manifest.
        path: PathBuf,
        /// Its format.
        format: u32,
        /// The format of this release.
        known: u32,
    },
    /// A file of the manifest is missing.
    #[error("backup.file_missing: {0}")]
    FileMissing(PathBuf),
    /// A file's length or SHA-256 is not the manifest's.
    #[error("backup.file_changed: {0} is not what was written")]
    FileChanged(PathBuf),
    /// A commit log cannot be read to its end.
    #[error("backup.log_damaged: database {database}: {path} cannot be read from byte {byte} on")]
    LogDamaged {
        /// The database's name.
        database: String,
        /// The segment.
        path: PathBuf,
        /// Where reading it ends.
        byte: u64,
    },
    /// The engine did not start from a copy of the backup.
    #[error("backup.does_not_boot: database {database}: {reason}")]
    DoesNotBoot {
        /// The database's name.
        database: String,
        /// What the engine said.
        reason: String,
    },
    /// The engine started from a copy, and a table has another number of rows than noted.
    #[error("backup.counts_differ: database {database}: {table} has {found} rows, not {noted}")]
    CountsDiffer {
        /// The database's name.
        database: String,
        /// The table.
        table: String,
        /// Rows that were found.
        found: u64,
        /// Rows in the manifest.
        noted: u64,
    },
    /// No database had a transaction at that time yet.
    #[error("backup.until_too_early: nothing had happened yet at {0}")]
    UntilTooEarly(String),
    /// A file or folder could not be read or written.
    #[error("backup.io: {path}: {source}")]
    Io {
        /// The file or folder.
        path: PathBuf,
        /// What the operating system said.
        source: io::Error,
    },
    /// Something that never happens unless this program is wrong.
    #[error("backup.internal: {0}")]
    Internal(String),
}

impl BackupError {
    /// An [`BackupError::Io`] about `path`.
    pub(crate) fn io(path: &Path) -> impl FnOnce(io::Error) -> Self {
        let path = path.to_owned();
        move |source| Self::Io { path, source }
    }

    /// The stable code: what stands before the first colon.
    pub fn code(&self) -> String {
        let text = self.to_string();
        text.split_once(':').map_or(text.clone(), |(code, _)| code.to_owned())
    }
}
