//! Making a generation.
//!
//! Keeps true: nothing in the data directory is written or locked; control state first, programs
//! after it, then the logs, so that everything the control state names is in the backup and no log
//! is older than it. A database that has no transaction yet starts from its program.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use spacetimedb::messages::control_db::Database;
use spacetimedb_lib::Timestamp;
use spacetimedb_paths::FromPathUnchecked as _;
use spacetimedb_paths::server::ServerDataDir;
use spacetimedb_paths::standalone::StandaloneDataDirExt as _;
use tempfile::TempDir;

use super::files::{self, files_below};
use super::manifest::{DatabaseEntry, FORMAT, FileEntry, Manifest};
use super::store::{Store, StoreLock};
use super::{BackupError, CreateOptions, Created, ENGINE_FOLDER, KEYS_FOLDER, blocking, check};
use crate::control::{CONTROL_FILE, Control};
use crate::engine::create_private;
use crate::log::{self, Scan, Tail};
use crate::snapshots::{self, Snapshot};
use crate::versions::{self, VERSIONS_FILE};

/// The newest one makes a start fast; the one before stands in should it be unreadable.
const SNAPSHOTS_KEPT: usize = 2;
/// A log that is written while it is read can look damaged where its end was.
const SCANS_MAX: usize = 5;

/// A generation on its way.
struct Draft {
    store: Store,
    _lock: StoreLock,
    work: TempDir,
    manifest: Manifest,
    copied_bytes: u64,
    reused_bytes: u64,
}

impl Draft {
    fn folder(&self) -> PathBuf {
        self.work.path().join("generation")
    }
}

pub(super) async fn create(options: CreateOptions) -> Result<Created, BackupError> {
    let CreateOptions { verify, keep, .. } = options;
    let like = ServerDataDir::from_path_unchecked(options.data_dir.join(ENGINE_FOLDER));
    let mut draft = blocking(move || write(&options)).await?;
    if verify {
        let (folder, manifest) = (draft.folder(), draft.manifest.clone());
        blocking(move || check::hashes(&folder, &manifest)).await?;
        let scratch = draft.store.work_folder()?;
        let (folder, scratch) = (draft.folder(), scratch.path());
        let found = check::boot(&folder, &draft.manifest, scratch, Some(&like)).await?;
        for (entry, contents) in draft.manifest.databases.iter_mut().zip(found) {
            entry.module = contents.module;
            entry.counts = Some(contents.counts);
        }
    }
    blocking(move || finish(draft, keep)).await
}

/// Writes everything but the manifest.
fn write(options: &CreateOptions) -> Result<Draft, BackupError> {
    let engine = options.data_dir.join(ENGINE_FOLDER);
    if !engine.join(CONTROL_FILE).is_file() {
        return Err(BackupError::NothingThere(options.data_dir.clone()));
    }
    let store = Store::new(&options.backups);
    let lock = store.lock()?;
    let newest = store.generations()?.last().copied();
    // One that cannot be read is no reason to make no other: everything is copied then.
    let previous = newest.and_then(|number| store.open(Some(number)).ok());
    let work = store.work_folder()?;
    let mut writer = Writer::new(work.path().join("generation"), previous);
    create_private(&writer.target).map_err(BackupError::io(&writer.target))?;
    let created_at = rfc3339(Timestamp::now());
    let databases = writer.add_engine(&engine)?;
    for path in files_below(&options.keys_dir)? {
        writer.add_below(&options.keys_dir, &path, KEYS_FOLDER)?;
    }
    let manifest = Manifest {
        format: FORMAT,
        created_at,
        generation: newest.unwrap_or(0) + 1,
        haven: env!("CARGO_PKG_VERSION").to_owned(),
        files: writer.files,
        databases,
    };
    let (copied_bytes, reused_bytes) = (writer.copied_bytes, writer.reused_bytes);
    Ok(Draft { store, _lock: lock, work, manifest, copied_bytes, reused_bytes })
}

/// Lets the generation be seen, then removes old ones.
fn finish(draft: Draft, keep: Option<usize>) -> Result<Created, BackupError> {
    let folder = draft.folder();
    draft.manifest.write(&folder)?;
    files::sync_folders(&folder)?;
    let path = draft.store.generation(draft.manifest.generation);
    std::fs::rename(&folder, &path).map_err(BackupError::io(&path))?;
    files::sync_folder(path.parent().unwrap_or(&path))?;
    let removed = keep.map_or(Ok(Vec::new()), |keep| draft.store.remove_oldest(keep.max(1)))?;
    let Draft { manifest, copied_bytes, reused_bytes, .. } = draft;
    Ok(Created { path, manifest, copied_bytes, reused_bytes, removed })
}

/// Fills a generation.
struct Writer {
    target: PathBuf,
    /// The generation before, and its files by their paths.
    previous: Option<(PathBuf, BTreeMap<String, FileEntry>)>,
    files: Vec<FileEntry>,
    copied_bytes: u64,
    reused_bytes: u64,
}

impl Writer {
    fn new(target: PathBuf, previous: Option<(PathBuf, Manifest)>) -> Self {
        let previous = previous.map(|(folder, manifest)| {
            let files = manifest.files.into_iter();
            (folder, files.map(|file| (file.path.clone(), file)).collect())
        });
        Self { target, previous, files: Vec::new(), copied_bytes: 0, reused_bytes: 0 }
    }

    /// Adds what is in the engine's folder, and answers its databases.
    fn add_engine(&mut self, engine: &Path) -> Result<Vec<DatabaseEntry>, BackupError> {
        let data_dir = ServerDataDir::from_path_unchecked(engine);
        self.add_below(engine, &engine.join(CONTROL_FILE), ENGINE_FOLDER)?;
        // The copy is read, not the original, which may be a later one by now.
        let copied = ServerDataDir::from_path_unchecked(self.target.join(ENGINE_FOLDER));
        let unreadable = |error: anyhow::Error| BackupError::ManifestUnreadable {
            path: engine.join(CONTROL_FILE),
            reason: format!("{error:#}"),
        };
        let control = Control::open_in(&copied).map_err(unreadable)?;
        let metadata = data_dir.metadata_toml().0;
        if metadata.is_file() {
            self.add_below(engine, &metadata, ENGINE_FOLDER)?;
        }
        for path in files_below(&data_dir.program_bytes().0)? {
            // What has an extension is being written.
            if path.extension().is_none() {
                self.add_below(engine, &path, ENGINE_FOLDER)?;
            }
        }
        let mut databases = Vec::new();
        for database in control.databases().map_err(unreadable)? {
            let names = control.names_of(&database.database_identity);
            databases.push(self.add_database(&data_dir, &database, names)?);
        }
        Ok(databases)
    }

    fn add_database(
        &mut self,
        data_dir: &ServerDataDir,
        database: &Database,
        names: Vec<String>,
    ) -> Result<DatabaseEntry, BackupError> {
        let replica = data_dir.replica(database.id);
        let folder = replica.snapshots().0;
        let mut snapshots = snapshots::complete(&folder).map_err(BackupError::io(&folder))?;
        let scan = scan_in_use(&replica.commit_log().0)?;
        let mut entry = DatabaseEntry {
            id: database.id,
            identity: database.database_identity.to_hex().to_string(),
            names,
            first_offset: scan.last_offset().map(|_| scan.first_offset),
            last_offset: scan.last_offset(),
            last_tx_at: scan.last_at.map(rfc3339),
            module: database.initial_program.to_hex().to_string(),
            counts: None,
        };
        if let Some(damage) = scan.damage {
            let database = entry.label().to_owned();
            return Err(BackupError::LogDamaged { database, path: damage.path, byte: damage.byte });
        }
        // A snapshot can be ahead of the log, whose writing lags behind; the engine drops it then.
        snapshots.retain(|snapshot| Some(snapshot.offset) <= entry.last_offset);
        for snapshot in snapshots.iter().rev().take(SNAPSHOTS_KEPT) {
            self.add_snapshot(&data_dir.0, snapshot)?;
        }
        self.add_log(&data_dir.0, &scan)?;
        let listed = versions::read(&replica.0).map_err(BackupError::io(&replica.0))?;
        let lines = versions::lines_until(&listed, entry.last_offset);
        let lines = lines.map_err(BackupError::io(&replica.0))?;
        self.add_contents(&data_dir.0, &replica.0.join(VERSIONS_FILE), &lines)?;
        let version = listed.iter().rfind(|v| Some(v.first_offset) <= entry.last_offset);
        if let Some(version) = version {
            entry.module.clone_from(&version.program);
        }
        Ok(entry)
    }

    fn add_log(&mut self, engine: &Path, scan: &Scan) -> Result<(), BackupError> {
        let last = scan.segments.len().saturating_sub(1);
        for (index, scanned) in scan.segments.iter().enumerate() {
            if scanned.tail == Tail::Stub {
                continue;
            }
            // Earlier segments are never written again; behind the last whole commit of the newest
            // one more may be coming.
            let bytes = (index == last).then_some(scanned.whole_bytes);
            let path = relative(engine, &scanned.segment.path, ENGINE_FOLDER)?;
            self.add(&scanned.segment.path, path, bytes)?;
        }
        Ok(())
    }

    /// Adds a snapshot, unless the engine takes it away meanwhile.
    fn add_snapshot(&mut self, engine: &Path, snapshot: &Snapshot) -> Result<(), BackupError> {
        let before = self.files.len();
        for path in files_below(&snapshot.path)? {
            // The engine compresses a file into another beside it, which then takes its place.
            if path.extension().is_some_and(|extension| extension == "_tmp") {
                continue;
            }
            match self.add_below(engine, &path, ENGINE_FOLDER) {
                Err(BackupError::FileMissing(_)) => {
                    self.files.truncate(before);
                    let copied = relative(engine, &snapshot.path, ENGINE_FOLDER)?;
                    let copied = self.target.join(copied);
                    return match std::fs::remove_dir_all(&copied) {
                        Err(error) if copied.exists() => Err(BackupError::io(&copied)(error)),
                        Err(_) | Ok(()) => Ok(()),
                    };
                }
                added => added?,
            }
        }
        Ok(())
    }

    /// Adds a file below `root` at the same place below `folder` of the generation.
    fn add_below(&mut self, root: &Path, path: &Path, folder: &str) -> Result<(), BackupError> {
        self.add(path, relative(root, path, folder)?, None)
    }

    /// Adds a file, or its first `bytes`: the previous generation's where that is the same.
    fn add(&mut self, source: &Path, path: String, bytes: Option<u64>) -> Result<(), BackupError> {
        let target = self.target.join(&path);
        if let Some((previous, entry)) = self.same_before(source, &path, bytes)? {
            files::link_or_copy(&previous, &target)?;
            self.reused_bytes += entry.bytes;
            self.files.push(entry);
            return Ok(());
        }
        let digested = files::copy(source, &target, bytes)?;
        self.copied_bytes += digested.bytes;
        self.files.push(FileEntry { path, bytes: digested.bytes, sha256: digested.sha256 });
        Ok(())
    }

    /// The file of the previous generation that holds the same, and still does.
    fn same_before(
        &self,
        source: &Path,
        path: &str,
        bytes: Option<u64>,
    ) -> Result<Option<(PathBuf, FileEntry)>, BackupError> {
        let Some((folder, files)) = &self.previous else {
            return Ok(None);
        };
        let Some(entry) = files.get(path) else {
            return Ok(None);
        };
        let length = std::fs::metadata(source).map_or(0, |metadata| metadata.len());
        if bytes.unwrap_or(length) != entry.bytes {
            return Ok(None);
        }
        let noted = files::Digested { bytes: entry.bytes, sha256: entry.sha256.clone() };
        let before = entry.below(folder);
        let is_same = files::digest(source, bytes)? == noted
            && files::digest(&before, None).is_ok_and(|found| found == noted);
        Ok(is_same.then(|| (before, entry.clone())))
    }

    /// Adds a file with contents that are not those of the one it stands for.
    fn add_contents(
        &mut self,
        root: &Path,
        original: &Path,
        contents: &[u8],
    ) -> Result<(), BackupError> {
        let path = relative(root, original, ENGINE_FOLDER)?;
        let digested =
            files::write_new(&self.target.join(&path), |output| output.write_all(contents))?;
        self.copied_bytes += digested.bytes;
        self.files.push(FileEntry { path, bytes: digested.bytes, sha256: digested.sha256 });
        Ok(())
    }
}

/// Reads a log that may be written meanwhile: what looks like damage has to look so twice.
fn scan_in_use(folder: &Path) -> Result<Scan, BackupError> {
    let scan = || log::scan(folder, 0).map_err(BackupError::io(folder));
    let mut last = scan()?;
    for _ in 1..SCANS_MAX {
        if last.damage.is_none() {
            break;
        }
        let next = scan()?;
        let confirmed = next.damage == last.damage;
        last = next;
        if confirmed {
            break;
        }
    }
    Ok(last)
}

/// Where a file below `root` is below `folder`, with `/` between the parts.
fn relative(root: &Path, path: &Path, folder: &str) -> Result<String, BackupError> {
    let outside = || BackupError::Internal(format!("{} is not below", path.display()));
    let below = path.strip_prefix(root).map_err(|_| outside())?;
    let mut parts = vec![folder];
    for part in below {
        parts.push(part.to_str().ok_or_else(outside)?);
    }
    Ok(parts.join("/"))
}

/// A time as people write it, with the zone.
pub(super) fn rfc3339(at: Timestamp) -> String {
    at.to_rfc3339().unwrap_or_else(|_| at.to_micros_since_unix_epoch().to_string())
}
