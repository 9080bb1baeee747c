//! Files of backups: copied, hashed, linked, and readable by their owner alone.
//!
//! Keeps true: what was copied is on disk, with its hash, before it is spoken of.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};

use sha2::{Digest as _, Sha256};

use super::BackupError;
use crate::engine::create_private;

const BUFFER_BYTES: usize = 1 << 20;

/// Length and hash of what was read or written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Digested {
    pub(super) bytes: u64,
    /// SHA-256, lower-case hexadecimal.
    pub(super) sha256: String,
}

/// Hands on what is written, and hashes it.
struct Hashing<W> {
    inner: W,
    bytes: u64,
    hasher: Sha256,
}

impl<W: Write> Hashing<W> {
    fn new(inner: W) -> Self {
        Self { inner, bytes: 0, hasher: Sha256::new() }
    }

    fn finish(self) -> (W, Digested) {
        let sha256 = hex::encode(self.hasher.finalize());
        (self.inner, Digested { bytes: self.bytes, sha256 })
    }
}

impl<W: Write> Write for Hashing<W> {
    fn write(&mut self, buffer: &[u8]) -> io::Result<usize> {
        let written = self.inner.write(buffer)?;
        self.hasher.update(&buffer[..written]);
        self.bytes += written as u64;
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.inner.flush()
    }
}

/// Length and hash of a file, or of its first `bytes`.
pub(super) fn digest(path: &Path, bytes: Option<u64>) -> Result<Digested, BackupError> {
    let hash = || {
        let mut hashing = Hashing::new(io::sink());
        copy_through(&mut File::open(path)?.take(bytes.unwrap_or(u64::MAX)), &mut hashing)?;
        io::Result::Ok(hashing.finish().1)
    };
    hash().map_err(|error| match error.kind() {
        io::ErrorKind::NotFound => BackupError::FileMissing(path.to_owned()),
        _ => BackupError::io(path)(error),
    })
}

/// Writes a new file with what `fill` writes, makes its folders, and syncs it.
pub(super) fn write_new(
    path: &Path,
    fill: impl FnOnce(&mut dyn Write) -> io::Result<()>,
) -> Result<Digested, BackupError> {
    let write = || {
        if let Some(folder) = path.parent() {
            create_private(folder)?;
        }
        let mut hashing = Hashing::new(private_file(path, true)?);
        fill(&mut hashing)?;
        let (file, digested) = hashing.finish();
        file.sync_all()?;
        Ok(digested)
    };
    write().map_err(BackupError::io(path))
}

/// Copies the first `bytes` of a file, or all of it.
pub(super) fn copy(
    source: &Path,
    target: &Path,
    bytes: Option<u64>,
) -> Result<Digested, BackupError> {
    let file = File::open(source).map_err(|error| match error.kind() {
        io::ErrorKind::NotFound => BackupError::FileMissing(source.to_owned()),
        _ => BackupError::io(source)(error),
    })?;
    let mut limited = file.take(bytes.unwrap_or(u64::MAX));
    let digested = write_new(target, |output| copy_through(&mut limited, output))?;
    match bytes {
        Some(wanted) if wanted != digested.bytes => {
            let shorter = io::Error::new(io::ErrorKind::UnexpectedEof, "it became shorter");
            Err(BackupError::io(source)(shorter))
        }
        Some(_) | None => Ok(digested),
    }
}

/// Makes `target` the same file as `source`, or a copy where the file system has no links.
pub(super) fn link_or_copy(source: &Path, target: &Path) -> Result<(), BackupError> {
    if let Some(folder) = target.parent() {
        create_private(folder).map_err(BackupError::io(folder))?;
    }
    match fs::hard_link(source, target) {
        Ok(()) => Ok(()),
        Err(_) => copy(source, target, None).map(|_| ()),
    }
}

/// Replaces a file by one with these contents that nobody else can read.
pub(super) fn write_private(path: &Path, contents: &[u8]) -> Result<(), BackupError> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => {
            return Err(BackupError::io(path)(error));
        }
        Err(_) | Ok(()) => {}
    }
    write_new(path, |output| output.write_all(contents)).map(|_| ())
}

/// All files below a folder; none when it is missing. Symbolic links are not followed.
pub(crate) fn files_below(folder: &Path) -> Result<Vec<PathBuf>, BackupError> {
    let mut files = Vec::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(folder) = folders.pop() {
        let entries = match fs::read_dir(&folder) {
            Ok(entries) => entries,
            Err(error) if error.kind() == io::ErrorKind::NotFound => continue,
            Err(error) => return Err(BackupError::io(&folder)(error)),
        };
        for entry in entries {
            let entry = entry.map_err(BackupError::io(&folder))?;
            let kind = entry.file_type().map_err(BackupError::io(&entry.path()))?;
            if kind.is_dir() {
                folders.push(entry.path());
            } else if kind.is_file() {
                files.push(entry.path());
            }
        }
    }
    files.sort_unstable();
    Ok(files)
}

/// Copies what is below a folder, if there is one.
pub(crate) fn copy_below(from: &Path, to: &Path) -> Result<(), BackupError> {
    for path in files_below(from)? {
        if let Ok(below) = path.strip_prefix(from) {
            copy(&path, &to.join(below), None)?;
        }
    }
    Ok(())
}

/// Puts the names in a folder, and below it, on disk.
pub(crate) fn sync_folders(folder: &Path) -> Result<(), BackupError> {
    let mut folders = vec![folder.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).map_err(BackupError::io(&folder))? {
            let path = entry.map_err(BackupError::io(&folder))?.path();
            if path.is_dir() {
                folders.push(path);
            }
        }
        sync_folder(&folder)?;
    }
    Ok(())
}

/// Puts the names in a folder on disk.
pub(crate) fn sync_folder(folder: &Path) -> Result<(), BackupError> {
    let opened = File::open(folder);
    opened.and_then(|opened| opened.sync_all()).map_err(BackupError::io(folder))
}

/// Opens a file that only its owner can read; with `new`, one that is not there yet.
pub(super) fn private_file(path: &Path, new: bool) -> io::Result<File> {
    let mut options = OpenOptions::new();
    options.write(true).create(true).truncate(false).create_new(new);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path)
}

fn copy_through(input: &mut dyn Read, output: &mut dyn Write) -> io::Result<()> {
    let mut buffer = vec![0; BUFFER_BYTES];
    loop {
        match input.read(&mut buffer)? {
            0 => return Ok(()),
            read => output.write_all(&buffer[..read])?,
        }
    }
}
