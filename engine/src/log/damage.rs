//! Telling a log that is damaged from one whose last write was cut short.
//!
//! Keeps true: a tail counts as torn only when no whole commit stands behind it; one that does
//! means that bytes in between were changed, and that going on would lose what stands there.

use std::fs::File;
use std::io::{self, BufReader, Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};

use spacetimedb_commitlog::StoredCommit;

use super::{CHECKSUM_BYTES, COMMIT_HEADER_BYTES, Segment, records_bytes};

/// How much of a file is looked through at once.
const WINDOW_BYTES: usize = 1 << 20;
/// A commit holds at least one record, and a record at least its flags.
const COMMIT_BYTES_MIN: u64 = (COMMIT_HEADER_BYTES + CHECKSUM_BYTES + 1) as u64;

/// Where a log cannot be read on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Damage {
    pub(crate) path: PathBuf,
    /// The first byte that is not understood, in the uncompressed segment.
    pub(crate) byte: u64,
    /// Where the very next transaction begins, if nothing is in between but what attempts to write
    /// to a full disk leave: then nothing is lost when that is taken out.
    pub(crate) goes_on_at: Option<u64>,
}

impl Damage {
    /// At that byte of that segment.
    pub(crate) fn at(segment: &Segment, byte: u64) -> Self {
        Self { path: segment.path.clone(), byte, goes_on_at: None }
    }
}

/// The damage at `byte` of an uncompressed segment, if a whole commit newer than `offset` stands
/// anywhere behind it.
pub(super) fn behind(segment: &Segment, byte: u64, offset: u64) -> io::Result<Option<Damage>> {
    let path = &segment.path;
    let mut file = File::open(path)?;
    let length = file.metadata()?.len();
    let mut window = Vec::new();
    let mut at = byte;
    while at + COMMIT_BYTES_MIN <= length {
        file.seek(SeekFrom::Start(at))?;
        window.clear();
        (&mut file).take(WINDOW_BYTES as u64).read_to_end(&mut window)?;
        for (index, header) in window.windows(COMMIT_HEADER_BYTES).enumerate() {
            let start = at + index as u64;
            if plausible(header, offset, length - start) && checksum(path, start, header)?.is_some()
            {
                return Ok(Some(Damage::at(segment, byte)));
            }
        }
        // Headers may stand across the border of two windows.
        at += window.len().saturating_sub(COMMIT_HEADER_BYTES - 1).max(1) as u64;
    }
    Ok(None)
}

/// Whether these bytes can be the header of a commit after `offset`, with `room` bytes left.
fn plausible(header: &[u8], offset: u64, room: u64) -> bool {
    let number = |range: std::ops::Range<usize>| {
        header[range].try_into().map(u64::from_le_bytes).unwrap_or_default()
    };
    let (first_offset, epoch) = (number(0..8), number(8..16));
    let count = u16::from_le_bytes([header[16], header[17]]);
    let bytes = u64::from(records_bytes(header)) + (COMMIT_HEADER_BYTES + CHECKSUM_BYTES) as u64;
    first_offset > offset
        && first_offset - offset <= room
        && epoch == 0
        && count > 0
        && bytes >= COMMIT_BYTES_MIN
        && bytes <= room
}

/// The checksum of the commit with that head, if all of it is there.
pub(super) fn checksum(path: &Path, start: u64, header: &[u8]) -> io::Result<Option<u32>> {
    let mut file = BufReader::new(File::open(path)?);
    file.seek(SeekFrom::Start(start))?;
    let bytes = u64::from(records_bytes(header)) + (COMMIT_HEADER_BYTES + CHECKSUM_BYTES) as u64;
    let commit = StoredCommit::decode(file.take(bytes)).ok().flatten();
    Ok(commit.map(|commit| commit.checksum))
}
