//! The folder of a deployment's backups: its generations, and who may write to it.
//!
//! Keeps true: a generation's folder appears whole, by a rename; numbers grow and are not used
//! again while a later one is there; one process writes at a time.

use std::fs::{self, File, TryLockError};
use std::io;
use std::path::{Path, PathBuf};

use tempfile::TempDir;

use super::manifest::Manifest;
use super::{BackupError, files};
use crate::engine::create_private;

const GENERATION_PREFIX: &str = "generation-";
/// What is being written or tried out; left only by a process that died.
const WORK_PREFIX: &str = ".work-";
const LOCK_FILE: &str = ".lock";

/// A folder of backups.
#[derive(Debug)]
pub(super) struct Store {
    folder: PathBuf,
}

/// The right to write to a folder of backups.
pub(super) struct StoreLock {
    _file: File,
}

impl Store {
    /// The backups in that folder, which need not exist.
    pub(super) fn new(folder: &Path) -> Self {
        Self { folder: folder.to_owned() }
    }

    /// Creates the folder where it is missing, and takes the right to write to it.
    pub(super) fn lock(&self) -> Result<StoreLock, BackupError> {
        create_private(&self.folder).map_err(BackupError::io(&self.folder))?;
        let path = self.folder.join(LOCK_FILE);
        let file = files::private_file(&path, false).map_err(BackupError::io(&path))?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => return Err(BackupError::Busy(self.folder.clone())),
            Err(TryLockError::Error(error)) => return Err(BackupError::io(&path)(error)),
        }
        self.remove_leftovers()?;
        Ok(StoreLock { _file: file })
    }

    /// The numbers of the generations, oldest first.
    pub(super) fn generations(&self) -> Result<Vec<u64>, BackupError> {
        let mut numbers = Vec::new();
        let entries = match fs::read_dir(&self.folder) {
            Ok(entries) => entries,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(numbers),
            Err(error) => return Err(BackupError::io(&self.folder)(error)),
        };
        for entry in entries {
            let name = entry.map_err(BackupError::io(&self.folder))?.file_name();
            let number = name.to_str().and_then(|name| name.strip_prefix(GENERATION_PREFIX));
            numbers.extend(number.and_then(|number| number.parse::<u64>().ok()));
        }
        numbers.sort_unstable();
        Ok(numbers)
    }

    /// Where a generation is or will be.
    pub(super) fn generation(&self, number: u64) -> PathBuf {
        self.folder.join(format!("{GENERATION_PREFIX}{number:06}"))
    }

    /// The folder of that generation, or of the newest, with its manifest.
    pub(super) fn open(&self, number: Option<u64>) -> Result<(PathBuf, Manifest), BackupError> {
        let number = match number {
            Some(number) => number,
            None => self.generations()?.last().copied().unwrap_or(1),
        };
        let folder = self.generation(number);
        if !folder.is_dir() {
            return Err(BackupError::GenerationUnknown(folder));
        }
        let manifest = Manifest::read(&folder)?;
        Ok((folder, manifest))
    }

    /// A folder beside the generations, on the same file system, that goes when it is dropped.
    pub(super) fn work_folder(&self) -> Result<TempDir, BackupError> {
        let made = tempfile::Builder::new().prefix(WORK_PREFIX).tempdir_in(&self.folder);
        made.map_err(BackupError::io(&self.folder))
    }

    /// Removes all but the newest `keep` generations, and answers which went.
    pub(super) fn remove_oldest(&self, keep: usize) -> Result<Vec<u64>, BackupError> {
        let mut numbers = self.generations()?;
        numbers.truncate(numbers.len().saturating_sub(keep));
        for number in &numbers {
            let folder = self.generation(*number);
            fs::remove_dir_all(&folder).map_err(BackupError::io(&folder))?;
        }
        Ok(numbers)
    }

    fn remove_leftovers(&self) -> Result<(), BackupError> {
        for entry in fs::read_dir(&self.folder).map_err(BackupError::io(&self.folder))? {
            let entry = entry.map_err(BackupError::io(&self.folder))?;
            if entry.file_name().to_string_lossy().starts_with(WORK_PREFIX) {
                fs::remove_dir_all(entry.path()).map_err(BackupError::io(&entry.path()))?;
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_writes_at_a_time_and_finds_no_leftovers() {
        let folder = tempfile::tempdir().expect("a temporary directory");
        let store = Store::new(&folder.path().join("backups"));
        let lock = store.lock().expect("free");
        let error = store.lock().err().expect("it is held");
        assert_eq!(error.code(), "backup.busy");
        let left = store.work_folder().expect("made").keep();
        drop(lock);
        store.lock().expect("free again");
        assert!(!left.exists());
    }

    #[test]
    fn the_newest_generations_are_kept() {
        let folder = tempfile::tempdir().expect("a temporary directory");
        let store = Store::new(folder.path());
        for number in [1, 2, 10, 11] {
            create_private(&store.generation(number)).expect("made");
        }
        assert!(store.remove_oldest(5).expect("nothing to do").is_empty());
        assert_eq!(store.remove_oldest(2).expect("removed"), [1, 2]);
        assert_eq!(store.generations().expect("readable"), [10, 11]);
        let error = store.open(Some(1)).expect_err("it went");
        assert_eq!(error.code(), "backup.generation_unknown");
    }
}
