//! What attempts to write to a full disk leave in the middle of a log.
//!
//! The engine's log keeps what it could not write in a buffer and tries again. Each attempt adds the
//! commit's head to the buffer once more, and sometimes all of it; when there is room again all of
//! that is written out, and the next commits behind it, where nobody reads them any more.
//! Keeps true: nothing is left out but heads and whole copies of the commit before, or heads of the
//! commit that follows, so no transaction is lost; what is inside a commit is never looked at, so
//! no player can write what is taken for one.

use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};
use std::path::Path;

use super::damage::whole;
use super::{CHECKSUM_BYTES, COMMIT_HEADER_BYTES, CommitHead, records_bytes};

/// Most bytes that are looked through: many times what the engine buffers.
const BYTES_MAX: u64 = 1 << 20;

/// Where the commit of `next_offset` begins, if nothing but leftovers stands between `from` and it.
/// `last` is the head of the last whole commit before.
pub(super) fn end(
    path: &Path,
    from: u64,
    last: Option<&CommitHead>,
    next_offset: u64,
) -> io::Result<Option<u64>> {
    let mut file = File::open(path)?;
    let mut at = from;
    let mut head: CommitHead = [0; COMMIT_HEADER_BYTES];
    while at - from <= BYTES_MAX {
        file.seek(SeekFrom::Start(at))?;
        if (&mut file).take(COMMIT_HEADER_BYTES as u64).read(&mut head)? < COMMIT_HEADER_BYTES {
            return Ok(None);
        }
        let repeats = last == Some(&head);
        let follows = head[..8] == next_offset.to_le_bytes();
        if !(repeats || follows) {
            return Ok(None);
        }
        let is_whole = whole(path, at, &head)?;
        if is_whole && follows {
            return Ok(Some(at));
        }
        let rest =
            if is_whole { u64::from(records_bytes(&head)) + CHECKSUM_BYTES as u64 } else { 0 };
        at += COMMIT_HEADER_BYTES as u64 + rest;
    }
    Ok(None)
}
