//! Snapshots as files: which are complete, and what a process that died left of others.
//!
//! Keeps true: a snapshot counts when the engine would take it: its file is there and no lock
//! stands beside it.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

/// What a snapshot's folder ends in; before it stands the last transaction it holds.
const SNAPSHOT_EXTENSION: &str = "snapshot_dir";
/// What the lock beside a snapshot ends in while it is made or compressed.
const LOCK_EXTENSION: &str = "lock";

/// A snapshot's folder and the last transaction it holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Snapshot {
    pub(crate) offset: u64,
    pub(crate) path: PathBuf,
}

impl Snapshot {
    /// Whether it is finished and nobody works on it.
    pub(crate) fn is_complete(&self) -> bool {
        self.has_file() && !self.lock().exists()
    }

    /// The file that is written last.
    fn has_file(&self) -> bool {
        self.path.join(format!("{:0>20}.snapshot_bsatn", self.offset)).is_file()
    }

    fn lock(&self) -> PathBuf {
        self.path.with_extension(LOCK_EXTENSION)
    }
}

/// All snapshots in a folder, oldest first; none when the folder is missing.
fn all(folder: &Path) -> io::Result<Vec<Snapshot>> {
    let mut found = Vec::new();
    let entries = match fs::read_dir(folder) {
        Ok(entries) => entries,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(found),
        Err(error) => return Err(error),
    };
    for entry in entries {
        let path = entry?.path();
        let is_snapshot = path.extension().is_some_and(|extension| extension == SNAPSHOT_EXTENSION);
        let offset = path.file_stem().and_then(|stem| stem.to_str()?.parse().ok());
        if let Some(offset) = offset.filter(|_| is_snapshot) {
            found.push(Snapshot { offset, path });
        }
    }
    found.sort_unstable_by_key(|snapshot| snapshot.offset);
    Ok(found)
}

/// The complete snapshots in a folder, oldest first.
pub(crate) fn complete(folder: &Path) -> io::Result<Vec<Snapshot>> {
    let mut snapshots = all(folder)?;
    snapshots.retain(Snapshot::is_complete);
    Ok(snapshots)
}

/// Frees the snapshots that a process held when it died: finished ones become usable again,
/// unfinished ones go. Answers how many there were. Only for who holds the data directory.
pub(crate) fn release_stale(folder: &Path) -> io::Result<usize> {
    let mut released = 0;
    for snapshot in all(folder)? {
        let lock = snapshot.lock();
        if lock.exists() {
            if !snapshot.has_file() {
                fs::remove_dir_all(&snapshot.path)?;
            }
            fs::remove_file(lock)?;
            released += 1;
        }
    }
    Ok(released)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn make(folder: &Path, offset: u64, finished: bool, locked: bool) {
        let path = folder.join(format!("{offset:0>20}.{SNAPSHOT_EXTENSION}"));
        fs::create_dir_all(path.join("objects")).expect("made");
        if finished {
            fs::write(path.join(format!("{offset:0>20}.snapshot_bsatn")), b"x").expect("written");
        }
        if locked {
            fs::write(path.with_extension(LOCK_EXTENSION), b"").expect("written");
        }
    }

    #[test]
    fn what_a_dead_process_held_is_freed_or_goes() {
        let folder = tempfile::tempdir().expect("a temporary directory");
        make(folder.path(), 1, true, false);
        make(folder.path(), 2, true, true);
        make(folder.path(), 3, false, true);
        let offsets = |folder: &Path| -> Vec<u64> {
            complete(folder).expect("readable").iter().map(|found| found.offset).collect()
        };
        assert_eq!(offsets(folder.path()), [1]);
        assert_eq!(release_stale(folder.path()).expect("released"), 2);
        assert_eq!(offsets(folder.path()), [1, 2]);
        assert_eq!(fs::read_dir(folder.path()).expect("a folder").count(), 2);
        assert_eq!(release_stale(folder.path()).expect("nothing to do"), 0);
    }
}
