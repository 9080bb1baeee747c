//! Files of the key directory: locked, atomic, readable by their owner only.
//!
//! Keeps true: a reader sees a whole file or none, and two processes never change the directory at
//! the same time.

use std::{
    fs::{self, File, OpenOptions},
    io::{self, Write},
    path::{Path, PathBuf},
    time::SystemTime,
};

#[cfg(unix)]
use std::os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt};

/// Mode of every file of the directory: its owner reads and writes, nobody else.
const FILE_MODE: u32 = 0o600;
/// Mode of the directory itself.
const DIR_MODE: u32 = 0o700;

/// Holds the directory until it is dropped; the system lets go when a process dies.
pub(super) struct DirLock {
    _file: File,
}

impl DirLock {
    /// Waits until no other process changes the directory.
    pub(super) fn acquire(dir: &Path) -> io::Result<Self> {
        let mut options = OpenOptions::new();
        options.create(true).truncate(false).write(true);
        #[cfg(unix)]
        options.mode(FILE_MODE);
        let file = options.open(dir.join(".lock"))?;
        file.lock()?;
        Ok(Self { _file: file })
    }
}

/// Makes the directory and its parents where they are missing.
pub(super) fn create_dir(dir: &Path) -> io::Result<()> {
    let mut builder = fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    builder.mode(DIR_MODE);
    builder.create(dir)
}

/// Replaces a file as a whole: written beside it, synced, renamed. The caller holds the lock.
pub(super) fn write_atomically(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let temporary = temporary_beside(path);
    let written = write_new(&temporary, bytes).and_then(|()| fs::rename(&temporary, path));
    if written.is_err() {
        // Best effort: a leftover is never read, and the error matters more.
        let _ = fs::remove_file(&temporary);
        return written;
    }
    let parent = path.parent().unwrap_or(Path::new("."));
    File::open(parent)?.sync_all()
}

fn write_new(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let mut options = OpenOptions::new();
    options.create_new(true).write(true);
    #[cfg(unix)]
    options.mode(FILE_MODE);
    let mut file = options.open(path)?;
    file.write_all(bytes)?;
    file.sync_all()
}

fn temporary_beside(path: &Path) -> PathBuf {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    path.with_file_name(format!(".{name}.{:016x}.tmp", rand::random::<u64>()))
}

/// What changes when a file is replaced.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Stamp {
    bytes: u64,
    modified_at: Option<SystemTime>,
    inode: u64,
}

impl Stamp {
    /// The stamp of the file as it is now.
    pub(super) fn of(path: &Path) -> io::Result<Self> {
        let metadata = fs::metadata(path)?;
        #[cfg(unix)]
        let inode = metadata.ino();
        #[cfg(not(unix))]
        let inode = 0;
        Ok(Self { bytes: metadata.len(), modified_at: metadata.modified().ok(), inode })
    }
}
