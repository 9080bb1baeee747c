//! What attempts to write to a full disk leave in the middle of a log.
//!
//! The engine's log keeps what it could not write in a buffer and tries again. Each attempt adds
//! the commit's head to the buffer once more, and sometimes all of it; when there is room again all
//! of that is written out, and the next commits behind it, where nobody reads them any more.
//! Keeps true: nothing is left out but heads and whole copies of the commit before, or heads of the
//! commit that follows, so no transaction is lost. Nothing is searched for: each step goes from one
//! piece to where the next must begin. Where that is inside a commit, whose first bytes are the
//! engine's own and no head, it ends; so no player can write what is taken for a commit.

use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};
use std::path::Path;

use super::damage::checksum;
use super::{CHECKSUM_BYTES, COMMIT_HEADER_BYTES, CommitHead, records_bytes};

/// Most bytes that are looked through: many times what the engine buffers.
const BYTES_MAX: u64 = 1 << 20;

/// Where the commit of `next_offset` begins, if nothing but leftovers stands between `from` and it.
/// `last` is the head and checksum of the last whole commit before.
pub(super) fn end(
    path: &Path,
    from: u64,
    last: Option<(&CommitHead, u32)>,
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
        let follows = head[..8] == next_offset.to_le_bytes();
        let last_checksum = last.filter(|(last, _)| **last == head).map(|(_, checksum)| checksum);
        let found = checksum(path, at, &head)?;
        let rest = match found {
            Some(_) if follows => return Ok(Some(at)),
            Some(_) if found == last_checksum => {
                u64::from(records_bytes(&head)) + CHECKSUM_BYTES as u64
            }
            None if follows || last_checksum.is_some() => 0,
            // Another commit under the same number, or none.
            Some(_) | None => return Ok(None),
        };
        at += COMMIT_HEADER_BYTES as u64 + rest;
    }
    Ok(None)
}
