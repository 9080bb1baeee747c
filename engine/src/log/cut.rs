//! Cutting a log after the last transaction of a moment.
//!
//! Keeps true: a cut falls between two commits, so what is before it is a log of its own; the
//! segment that becomes the last is never compressed, because the engine appends to it.

use std::fs::File;
use std::io::{self, Read, Write};
use std::path::Path;

use spacetimedb_fs_utils::compression::CompressReader;
use spacetimedb_lib::Timestamp;

use super::walk;

/// Where a log ends from now on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Cut {
    /// The last transaction that stays.
    pub(crate) last_offset: u64,
    /// When it began.
    pub(crate) last_at: Timestamp,
    /// First offset of the segment it stands in, which becomes the last.
    pub(crate) segment: u64,
    /// How long that segment will be, uncompressed.
    pub(crate) bytes: u64,
}

/// How much of a log is from a moment or before.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Kept {
    /// All of it: nothing in it is known to be later.
    Everything,
    /// What is before the cut.
    Until(Cut),
    /// None of it.
    Nothing,
}

/// Finds the last transaction that began at `until` or before.
///
/// Calls of reducers say when they began. Publishing does not, so `published` tells: offset and
/// time. What knows no time (statements of SQL) stays when something after it that does stays, and
/// at the end of a log in which nothing is later.
pub(crate) fn find_cut(
    folder: &Path,
    until: Timestamp,
    published: &[(u64, Timestamp)],
) -> io::Result<Kept> {
    let mut cut = None;
    let mut is_later = false;
    walk(folder, 0, |segment, commit| {
        let known = || published.iter().find(|(offset, _)| *offset == commit.first_offset);
        let Some(at) = commit.at.or_else(|| known().map(|(_, at)| *at)) else {
            return;
        };
        if at > until {
            is_later = true;
            return;
        }
        cut = Some(Cut {
            last_offset: commit.first_offset,
            last_at: at,
            segment: segment.first_offset,
            bytes: commit.end_byte,
        });
    })?;
    Ok(match cut {
        _ if !is_later => Kept::Everything,
        Some(cut) => Kept::Until(cut),
        None => Kept::Nothing,
    })
}

/// Writes the first `bytes` of a segment, uncompressed, to `target`.
pub(crate) fn write_cut(segment: &Path, bytes: u64, target: &mut dyn Write) -> io::Result<()> {
    let input = CompressReader::new(File::open(segment)?)?;
    let written = io::copy(&mut input.take(bytes), target)?;
    if written == bytes {
        return Ok(());
    }
    Err(io::Error::new(io::ErrorKind::UnexpectedEof, "the segment became shorter"))
}
