//! What attempts to write to a full disk leave in the middle of a log.
//!
//! The engine's log keeps what it could not write in a buffer and tries again. Each attempt adds
//! the commit once more, field by field, as far as the buffer has room: all of it, or some fields
//! of its head, or all but its checksum. When there is room again all of that is written out, and
//! the next commits behind it, where nobody reads them any more.
//! Keeps true: nothing is left out but beginnings and whole copies of the commit before, or
//! beginnings of the commit that follows, so no transaction is lost. Nothing is searched for: each
//! step goes from one piece to where the next must begin, with the offset of either commit. Where
//! that is inside a commit, whose first bytes are the engine's own and no head, it ends; so no
//! player can write what is taken for a commit.

use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};
use std::path::Path;

use super::damage::checksum;
use super::{CHECKSUM_BYTES, COMMIT_HEADER_BYTES, CommitHead, records_bytes};

/// Most bytes that are looked through: many times what the engine buffers.
const BYTES_MAX: u64 = 1 << 20;

/// Where the fields of a head end: offset, epoch, how many transactions, how many bytes.
const FIELD_ENDS: [usize; 4] = [COMMIT_HEADER_BYTES, 18, 16, 8];

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
    while at - from <= BYTES_MAX {
        let Some(head) = read_at::<COMMIT_HEADER_BYTES>(&mut file, at)? else { return Ok(None) };
        let follows = head[..8] == next_offset.to_le_bytes();
        let found = checksum(path, at, &head)?;
        let is_last = last.is_some_and(|(last, _)| *last == head);
        let is_copy = is_last && found.is_some() && found == last.map(|(_, checksum)| checksum);
        at += match found {
            Some(_) if follows => return Ok(Some(at)),
            Some(_) if is_copy => whole_bytes(&head),
            // Another commit under the same number, or none.
            Some(_) => return Ok(None),
            None => {
                let known = if follows { None } else { last.map(|(last, _)| last) };
                if !follows && known.is_none() {
                    return Ok(None);
                }
                let offsets = [Some(next_offset.to_le_bytes()), last.map(|(last, _)| offset(last))];
                match beginning(&mut file, at, &head, known, &offsets)? {
                    Some(bytes) => bytes,
                    None => return Ok(None),
                }
            }
        };
    }
    Ok(None)
}

/// How long the beginning of a commit at `at` is, if one stands there and is followed by another
/// piece: its head as far as it goes is that of `known`, where that is known.
fn beginning(
    file: &mut File,
    at: u64,
    head: &CommitHead,
    known: Option<&CommitHead>,
    offsets: &[Option<[u8; 8]>],
) -> io::Result<Option<u64>> {
    let is_of_it = |bytes: usize| known.is_none_or(|known| known[..bytes] == head[..bytes]);
    let all_but_checksum = whole_bytes(head) - CHECKSUM_BYTES as u64;
    let ends = FIELD_ENDS.iter().filter(|end| is_of_it(**end)).map(|end| *end as u64);
    let with_records = is_of_it(COMMIT_HEADER_BYTES).then_some(all_but_checksum);
    for bytes in ends.chain(with_records) {
        let next = read_at::<8>(file, at + bytes)?;
        if next.is_some() && offsets.contains(&next) {
            return Ok(Some(bytes));
        }
    }
    Ok(None)
}

fn offset(head: &CommitHead) -> [u8; 8] {
    let mut offset = [0; 8];
    offset.copy_from_slice(&head[..8]);
    offset
}

fn whole_bytes(head: &CommitHead) -> u64 {
    (COMMIT_HEADER_BYTES + CHECKSUM_BYTES) as u64 + u64::from(records_bytes(head))
}

/// Bytes of a file; none where it ends before.
fn read_at<const N: usize>(file: &mut File, at: u64) -> io::Result<Option<[u8; N]>> {
    let mut bytes = [0; N];
    file.seek(SeekFrom::Start(at))?;
    match file.read_exact(&mut bytes) {
        Ok(()) => Ok(Some(bytes)),
        Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => Ok(None),
        Err(error) => Err(error),
    }
}
