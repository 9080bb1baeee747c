//! Restoring a generation, whole or until a moment.
//!
//! Keeps true: hashes are checked before anything is written; what is written is beside the new
//! data directory until all of it is on disk; nothing of it is shared with the backup, because
//! the engine will write to it.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use spacetimedb_lib::{Identity, Timestamp};
use spacetimedb_paths::FromPathUnchecked as _;
use spacetimedb_paths::server::ServerDataDir;

use super::create::rfc3339;
use super::manifest::{DatabaseEntry, FileEntry, Manifest};
use super::store::Store;
use super::{BackupError, ENGINE_FOLDER, RestoreOptions, Restored, RestoredDatabase, check, files};
use crate::control::Control;
use crate::engine::create_private;
use crate::log::{self, Kept, segment_name};
use crate::versions::{self, ModuleVersion, VERSIONS_FILE};

pub(super) fn restore(options: &RestoreOptions) -> Result<Restored, BackupError> {
    let target = &options.data_dir;
    refuse_unless_empty(target)?;
    let (generation, manifest) = Store::new(&options.backups).open(options.generation)?;
    check::hashes(&generation, &manifest)?;
    let beside = beside(target);
    create_private(&beside).map_err(BackupError::io(&beside))?;
    let written = write(&generation, &manifest, options.until, &beside);
    let restored = written.and_then(|databases| {
        files::sync_folders(&beside)?;
        refuse_unless_empty(target)?;
        fs::rename(&beside, target).map_err(BackupError::io(target))?;
        Ok(Restored { manifest, databases })
    });
    if restored.is_err() {
        // The first failure is the one to tell about.
        fs::remove_dir_all(&beside).ok();
    }
    restored
}

fn refuse_unless_empty(target: &Path) -> Result<(), BackupError> {
    match fs::read_dir(target).map(Iterator::count) {
        Ok(0) => Ok(()),
        Ok(_) => Err(BackupError::TargetNotEmpty(target.to_owned())),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        Err(error) if error.kind() == io::ErrorKind::NotADirectory => {
            Err(BackupError::TargetNotEmpty(target.to_owned()))
        }
        Err(error) => Err(BackupError::io(target)(error)),
    }
}

/// A folder on the same file system that is nobody else's.
fn beside(target: &Path) -> PathBuf {
    let mut name = target.file_name().unwrap_or_default().to_owned();
    name.push(format!(".restoring-{}", std::process::id()));
    let parent = target.parent().filter(|parent| !parent.as_os_str().is_empty());
    parent.unwrap_or(Path::new(".")).join(name)
}

fn write(
    generation: &Path,
    manifest: &Manifest,
    until: Option<Timestamp>,
    target: &Path,
) -> Result<Vec<RestoredDatabase>, BackupError> {
    let mut ends = Vec::new();
    for entry in &manifest.databases {
        ends.push(End::find(generation, entry, until)?);
    }
    let nothing = ends.iter().all(|end| matches!(end.kept, Kept::Nothing));
    if let Some(until) = until.filter(|_| nothing && !ends.is_empty()) {
        return Err(BackupError::UntilTooEarly(rfc3339(until)));
    }
    for file in &manifest.files {
        match ends.iter().find(|end| file.path.starts_with(&end.prefix)) {
            Some(end) => end.write(generation, file, target)?,
            None => copy(generation, file, target)?,
        }
    }
    for end in ends.iter().filter(|end| matches!(end.kept, Kept::Nothing)) {
        forget(target, end.entry)?;
    }
    Ok(ends.iter().map(End::told).collect())
}

fn copy(generation: &Path, file: &FileEntry, target: &Path) -> Result<(), BackupError> {
    files::copy(&file.below(generation), &file.below(target), None).map(|_| ())
}

/// Takes a database that did not exist yet out of the control state.
fn forget(target: &Path, entry: &DatabaseEntry) -> Result<(), BackupError> {
    let folder = target.join(ENGINE_FOLDER);
    let failed = |error: anyhow::Error| BackupError::Internal(format!("{error:#}"));
    let control = Control::open_in(&ServerDataDir::from_path_unchecked(folder)).map_err(failed)?;
    let identity = Identity::from_hex(&entry.identity).map_err(|error| failed(error.into()))?;
    control.forget(entry.id, &identity).map_err(failed)
}

/// Where a database ends.
struct End<'a> {
    entry: &'a DatabaseEntry,
    /// What the paths of its files start with.
    prefix: String,
    versions: Vec<ModuleVersion>,
    kept: Kept,
}

impl<'a> End<'a> {
    fn find(
        generation: &Path,
        entry: &'a DatabaseEntry,
        until: Option<Timestamp>,
    ) -> Result<Self, BackupError> {
        let engine = ServerDataDir::from_path_unchecked(generation.join(ENGINE_FOLDER));
        let replica = engine.replica(entry.id);
        let prefix = format!("{ENGINE_FOLDER}/replicas/{}/", entry.id);
        let versions = versions::read(&replica.0).map_err(BackupError::io(&replica.0))?;
        let Some(until) = until else {
            return Ok(Self { entry, prefix, versions, kept: Kept::Everything });
        };
        let folder = replica.commit_log().0;
        let published: Vec<(u64, Timestamp)> =
            versions.iter().map(|version| (version.first_offset, version.at())).collect();
        let kept = log::find_cut(&folder, until, &published).map_err(BackupError::io(&folder))?;
        Ok(Self { entry, prefix, versions, kept })
    }

    /// Writes as much of a file as is kept.
    fn write(&self, generation: &Path, file: &FileEntry, target: &Path) -> Result<(), BackupError> {
        let cut = match &self.kept {
            Kept::Everything => return copy(generation, file, target),
            Kept::Nothing => return Ok(()),
            Kept::Until(cut) => cut,
        };
        let path = file.path.strip_prefix(&self.prefix).unwrap_or_default();
        let output = file.below(target);
        if path == VERSIONS_FILE {
            let lines = versions::lines_until(&self.versions, Some(cut.last_offset));
            let lines = lines.map_err(BackupError::io(&output))?;
            return files::write_private(&output, &lines);
        }
        let name = path.rsplit('/').next().unwrap_or_default();
        if path.starts_with("clog/") {
            return match segment_offset(name) {
                Some(offset) if offset == cut.segment => {
                    let source = file.below(generation);
                    let write = |out: &mut dyn io::Write| log::write_cut(&source, cut.bytes, out);
                    files::write_new(&output, write).map(|_| ())
                }
                Some(offset) if offset > cut.segment => Ok(()),
                Some(_) | None => copy(generation, file, target),
            };
        }
        // Every file of a snapshot is below a folder that is named by its last transaction.
        let snapshot = path.strip_prefix("snapshots/").and_then(|path| path.split('.').next());
        match snapshot.and_then(|offset| offset.parse::<u64>().ok()) {
            Some(offset) if offset > cut.last_offset => Ok(()),
            Some(_) | None => copy(generation, file, target),
        }
    }

    fn told(&self) -> RestoredDatabase {
        let label = self.entry.label().to_owned();
        let (last_offset, last_tx_at) = match &self.kept {
            Kept::Everything => (self.entry.last_offset, self.entry.last_tx_at.clone()),
            Kept::Until(cut) => (Some(cut.last_offset), Some(rfc3339(cut.last_at))),
            Kept::Nothing => (None, None),
        };
        RestoredDatabase { label, last_offset, last_tx_at }
    }
}

/// The first offset of the segment of that name.
fn segment_offset(name: &str) -> Option<u64> {
    let offset = name.split('.').next()?.parse().ok()?;
    (segment_name(offset) == name).then_some(offset)
}
