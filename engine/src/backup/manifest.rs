//! The manifest: what a generation holds, in `manifest.json`, with its own SHA-256 beside it.
//!
//! Keeps true: a manifest is written after every file it names; one whose hash does not match, or
//! that names a path outside its generation, is not read.

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::path::{Component, Path, PathBuf};

use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use super::BackupError;
use super::files::write_private;

/// The format that this release writes and reads.
pub const FORMAT: u32 = 1;
const MANIFEST_FILE: &str = "manifest.json";
const MANIFEST_HASH_FILE: &str = "manifest.json.sha256";

/// What a generation of a backup holds.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Manifest {
    /// [`FORMAT`] of the release that wrote it.
    pub format: u32,
    /// When it was begun, RFC 3339.
    pub created_at: String,
    /// Which generation it is, from 1.
    pub generation: u64,
    /// The release that wrote it.
    pub haven: String,
    /// Every file, by its path below the generation.
    pub files: Vec<FileEntry>,
    /// Every database, by its id.
    pub databases: Vec<DatabaseEntry>,
}

/// What every format has: a later one may have other fields, and is to be told from a broken one.
#[derive(Deserialize)]
struct Format {
    format: u32,
}

/// A file of a generation.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FileEntry {
    /// Below the generation, as below the data directory, with `/` between its parts.
    pub path: String,
    /// Its length.
    pub bytes: u64,
    /// SHA-256, lower-case hexadecimal.
    pub sha256: String,
}

/// A database of a generation.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DatabaseEntry {
    /// Its number in the engine, and the name of its folder.
    pub id: u64,
    /// Hexadecimal.
    pub identity: String,
    /// What leads to it.
    pub names: Vec<String>,
    /// Offset of the first transaction; none when nothing was written yet.
    pub first_offset: Option<u64>,
    /// Offset of the last transaction.
    pub last_offset: Option<u64>,
    /// When the last transaction that knows its time began, RFC 3339.
    pub last_tx_at: Option<String>,
    /// Hash of the module it runs, hexadecimal.
    pub module: String,
    /// Rows by table, counted by the engine started from a copy; none when that was skipped.
    pub counts: Option<BTreeMap<String, u64>>,
}

impl DatabaseEntry {
    /// Its first name, or its identity while it has none.
    pub fn label(&self) -> &str {
        self.names.first().unwrap_or(&self.identity)
    }
}

impl FileEntry {
    /// Where the file is, below `root`.
    pub(crate) fn below(&self, root: &Path) -> PathBuf {
        root.join(&self.path)
    }

    fn is_inside(&self) -> bool {
        let path = Path::new(&self.path);
        let normal = |part: Component<'_>| matches!(part, Component::Normal(_));
        !self.path.is_empty() && path.components().all(normal)
    }
}

impl Manifest {
    /// Writes it, and its hash, into a generation.
    pub(crate) fn write(&self, generation: &Path) -> Result<(), BackupError> {
        let path = generation.join(MANIFEST_FILE);
        let mut text = serde_json::to_vec_pretty(self)
            .map_err(|error| BackupError::io(&path)(io::Error::other(error)))?;
        text.push(b'\n');
        write_private(&path, &text)?;
        let line = format!("{}  {MANIFEST_FILE}\n", sha256(&text));
        write_private(&generation.join(MANIFEST_HASH_FILE), line.as_bytes())
    }

    /// Reads it from a generation.
    ///
    /// # Errors
    ///
    /// [`BackupError::FileMissing`], [`BackupError::FileChanged`], [`BackupError::FormatUnknown`],
    /// [`BackupError::ManifestUnreadable`], [`BackupError::Io`].
    pub fn read(generation: &Path) -> Result<Self, BackupError> {
        let path = generation.join(MANIFEST_FILE);
        let text = read_present(&path)?;
        let line = read_present(&generation.join(MANIFEST_HASH_FILE))?;
        if !line.starts_with(sha256(&text).as_bytes()) {
            return Err(BackupError::FileChanged(path));
        }
        let unreadable =
            |reason: String| BackupError::ManifestUnreadable { path: path.clone(), reason };
        let Format { format } =
            serde_json::from_slice(&text).map_err(|error| unreadable(error.to_string()))?;
        if format != FORMAT {
            return Err(BackupError::FormatUnknown { path, format, known: FORMAT });
        }
        let manifest: Self =
            serde_json::from_slice(&text).map_err(|error| unreadable(error.to_string()))?;
        match manifest.files.iter().find(|file| !file.is_inside()) {
            Some(file) => Err(unreadable(format!("{:?} leads out of the backup", file.path))),
            None => Ok(manifest),
        }
    }
}

fn read_present(path: &Path) -> Result<Vec<u8>, BackupError> {
    fs::read(path).map_err(|error| match error.kind() {
        io::ErrorKind::NotFound => BackupError::FileMissing(path.to_owned()),
        _ => BackupError::io(path)(error),
    })
}

fn sha256(bytes: &[u8]) -> String {
    hex::encode(Sha256::digest(bytes))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn manifest(path: &str) -> Manifest {
        Manifest {
            format: FORMAT,
            created_at: "2026-11-21T17:00:00+00:00".to_owned(),
            generation: 1,
            haven: "0.1.0".to_owned(),
            files: vec![FileEntry { path: path.to_owned(), bytes: 3, sha256: sha256(b"abc") }],
            databases: vec![],
        }
    }

    #[test]
    fn a_manifest_is_read_as_it_was_written() {
        let folder = tempfile::tempdir().expect("a temporary directory");
        let written = manifest("engine/control.json");
        written.write(folder.path()).expect("written");
        assert_eq!(Manifest::read(folder.path()).expect("readable"), written);
    }

    #[test]
    fn a_changed_or_missing_manifest_is_not_read() {
        let folder = tempfile::tempdir().expect("a temporary directory");
        let error = Manifest::read(folder.path()).expect_err("nothing is there");
        assert_eq!(error.code(), "backup.file_missing");
        manifest("keys/a").write(folder.path()).expect("written");
        let path = folder.path().join(MANIFEST_FILE);
        let text = fs::read_to_string(&path).expect("text").replace("keys/a", "keys/b");
        fs::write(&path, text).expect("written");
        let error = Manifest::read(folder.path()).expect_err("it was changed");
        assert_eq!(error.code(), "backup.file_changed");
    }

    #[test]
    fn a_path_that_leads_out_and_a_later_format_are_refused() {
        let folder = tempfile::tempdir().expect("a temporary directory");
        for path in ["../outside", "/etc/passwd", "keys/../../x", ""] {
            manifest(path).write(folder.path()).expect("written");
            let error = Manifest::read(folder.path()).expect_err(path);
            assert_eq!(error.code(), "backup.manifest_unreadable");
        }
        let later = Manifest { format: FORMAT + 1, ..manifest("keys/a") };
        later.write(folder.path()).expect("written");
        let error = Manifest::read(folder.path()).expect_err("it is later");
        assert_eq!(error.code(), "backup.format_unknown");
    }
}
