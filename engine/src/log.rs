//! Commit logs as files: which segments there are, how far each is whole, and what time it was.
//!
//! Keeps true: nothing here writes; a commit counts as whole only when its checksum holds and its
//! offset follows the one before, which is what the engine's replay asks for too.
//! Leaves out on purpose: the rows in a commit, which need the database's schema to be read.
//!
//! The engine writes one transaction to a commit. A write that was cut short leaves a torn tail;
//! the engine then goes on in a new segment, so a torn tail is no damage where the next segment
//! starts with the transaction that is missing. It also repeats a commit in a new segment when it
//! cannot know whether the first write succeeded.

mod cut;
mod damage;
mod leftover;
#[cfg(test)]
pub(crate) mod tests;

use std::fs::File;
use std::io::{self, BufRead, Read};
use std::path::{Path, PathBuf};

use spacetimedb_commitlog::StoredCommit;
use spacetimedb_commitlog::segment::{
    DEFAULT_CHECKSUM_ALGORITHM, DEFAULT_LOG_FORMAT_VERSION, Header,
};
use spacetimedb_fs_utils::compression::CompressReader;
use spacetimedb_lib::Timestamp;

pub(crate) use cut::{Kept, find_cut, write_cut};
pub(crate) use damage::Damage;

/// What a segment's file name ends in; before it stands its first offset.
const SEGMENT_SUFFIX: &str = ".stdb.log";
/// Bytes before a commit's records: first offset, epoch, number of records, length of records.
const COMMIT_HEADER_BYTES: usize = 8 + 8 + 2 + 4;
/// Bytes after them.
const CHECKSUM_BYTES: usize = 4;
/// What a commit begins with: offset, epoch, count and length of its records.
type CommitHead = [u8; COMMIT_HEADER_BYTES];
/// Bytes of a segment that holds nothing: its header.
pub(crate) const SEGMENT_HEADER_BYTES: u64 = Header::LEN as u64;

/// One file of a commit log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Segment {
    /// Offset of the first transaction in it, by its name.
    pub(crate) first_offset: u64,
    pub(crate) path: PathBuf,
    /// As the file system says; a compressed segment holds more.
    pub(crate) bytes: u64,
}

/// What stands after the last whole commit of a segment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Tail {
    /// Nothing.
    Clean,
    /// Not even the segment's own header: a full disk leaves such a file.
    Stub,
    /// Fewer bytes than a commit's header has. The engine takes them for the end and appends after
    /// them, which makes what it appends unreadable.
    Partial,
    /// Bytes that are no whole commit.
    Torn,
    /// The last commit once more, as attempts to write to a full disk leave it. The engine does not
    /// read on from there.
    Repeated,
}

/// A segment that was read.
#[derive(Debug, Clone)]
pub(crate) struct Scanned {
    pub(crate) segment: Segment,
    /// Where the last whole commit ends, in the uncompressed segment.
    pub(crate) whole_bytes: u64,
    pub(crate) tail: Tail,
}

/// A log that was read.
#[derive(Debug)]
pub(crate) struct Scan {
    pub(crate) segments: Vec<Scanned>,
    /// Offset of the first transaction that was read.
    pub(crate) first_offset: u64,
    /// Offset after the last whole transaction.
    pub(crate) next_offset: u64,
    /// When the last transaction that knows its time began.
    pub(crate) last_at: Option<Timestamp>,
    /// Why the log cannot be read on from there.
    pub(crate) damage: Option<Damage>,
}

impl Scan {
    /// The offset of the last whole transaction.
    pub(crate) fn last_offset(&self) -> Option<u64> {
        self.next_offset.checked_sub(1).filter(|last| *last >= self.first_offset)
    }
}

/// A whole commit.
pub(crate) struct Commit {
    pub(crate) first_offset: u64,
    /// Where it ends, in the uncompressed segment.
    pub(crate) end_byte: u64,
    /// When its first transaction began, for a call of a reducer; other transactions do not say.
    pub(crate) at: Option<Timestamp>,
}

/// The segments of a log by first offset; none when the folder is missing.
pub(crate) fn segments(folder: &Path) -> io::Result<Vec<Segment>> {
    let mut segments = Vec::new();
    let entries = match std::fs::read_dir(folder) {
        Ok(entries) => entries,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(segments),
        Err(error) => return Err(error),
    };
    for entry in entries {
        let entry = entry?;
        let name = entry.file_name();
        let offset = name.to_str().and_then(|name| name.strip_suffix(SEGMENT_SUFFIX));
        if let Some(first_offset) = offset.and_then(|offset| offset.parse().ok()) {
            let bytes = entry.metadata()?.len();
            segments.push(Segment { first_offset, path: entry.path(), bytes });
        }
    }
    segments.sort_unstable_by_key(|segment: &Segment| segment.first_offset);
    Ok(segments)
}

/// The file name of the segment that starts at an offset.
pub(crate) fn segment_name(first_offset: u64) -> String {
    format!("{first_offset:0>20}{SEGMENT_SUFFIX}")
}

/// Reads a log from the segment that holds `from_offset`, and judges it.
pub(crate) fn scan(folder: &Path, from_offset: u64) -> io::Result<Scan> {
    walk(folder, from_offset, |_, _| {})
}

/// Reads a log, showing every commit with its segment.
pub(crate) fn walk(
    folder: &Path,
    from_offset: u64,
    mut visit: impl FnMut(&Segment, &Commit),
) -> io::Result<Scan> {
    let mut segments = segments(folder)?;
    let start = segments.iter().rposition(|segment| segment.first_offset <= from_offset);
    segments.drain(..start.unwrap_or(0));
    let first_offset = segments.first().map_or(0, |segment| segment.first_offset);
    let mut chain = Chain { next_offset: first_offset, last: None, last_head: None, last_at: None };
    let mut scanned: Vec<Scanned> = Vec::new();
    let mut damage = None;
    let last_index = segments.len().saturating_sub(1);
    for (index, segment) in segments.into_iter().enumerate() {
        if segment.first_offset > chain.next_offset {
            let before = scanned.last();
            damage =
                before.map(|before| chain.gap(&before.segment, before.whole_bytes)).transpose()?;
            break;
        }
        let (whole_bytes, tail) = chain.read(&segment, &mut visit)?;
        if tail == Tail::Torn && whole_bytes == 0 {
            damage = Some(Damage::at(&segment, 0));
        } else if matches!(tail, Tail::Torn | Tail::Repeated) && index == last_index {
            let gap = chain.gap(&segment, whole_bytes)?;
            damage = match gap.goes_on_at {
                Some(_) => Some(gap),
                None => damage::behind(&segment, whole_bytes, chain.next_offset)?,
            };
        }
        scanned.push(Scanned { segment, whole_bytes, tail });
        if damage.is_some() {
            break;
        }
    }
    let Chain { next_offset, last_at, .. } = chain;
    Ok(Scan { segments: scanned, first_offset, next_offset, last_at, damage })
}

/// Where a reader of a log stands.
struct Chain {
    next_offset: u64,
    /// First offset and checksum of the last whole commit.
    last: Option<(u64, u32)>,
    /// Its head.
    last_head: Option<CommitHead>,
    last_at: Option<Timestamp>,
}

impl Chain {
    /// The damage behind the last whole commit, which ends at `byte` of an uncompressed segment.
    fn gap(&self, segment: &Segment, byte: u64) -> io::Result<Damage> {
        let last = self.last_head.as_ref().zip(self.last.map(|(_, checksum)| checksum));
        let goes_on_at = leftover::end(&segment.path, byte, last, self.next_offset)?;
        Ok(Damage { goes_on_at, ..Damage::at(segment, byte) })
    }

    /// Reads a segment: where its last whole commit ends, and what stands behind that.
    fn read(
        &mut self,
        segment: &Segment,
        visit: &mut impl FnMut(&Segment, &Commit),
    ) -> io::Result<(u64, Tail)> {
        if segment.bytes < SEGMENT_HEADER_BYTES {
            return Ok((0, Tail::Stub));
        }
        let mut input = match open(&segment.path) {
            Ok(input) => input,
            Err(error) => return unreadable(error).map(|tail| (0, tail)),
        };
        let mut whole_bytes = SEGMENT_HEADER_BYTES;
        let mut frame = Vec::new();
        loop {
            match next_frame(&mut input, &mut frame).or_else(|error| unreadable(error).map(Some))? {
                Some(tail) => return Ok((whole_bytes, tail)),
                // The engine takes a commit that is repeated by the next segment, and no other.
                None if whole_bytes > SEGMENT_HEADER_BYTES && self.repeats(&frame) => {
                    return Ok((whole_bytes, Tail::Repeated));
                }
                None => match self.take(&frame) {
                    Some((first_offset, at)) => {
                        whole_bytes += frame.len() as u64;
                        visit(segment, &Commit { first_offset, end_byte: whole_bytes, at });
                    }
                    None => return Ok((whole_bytes, Tail::Torn)),
                },
            }
        }
    }

    /// Whether a frame is the last commit once more.
    fn repeats(&self, frame: &[u8]) -> bool {
        let Some((offset, checksum)) = self.last else { return false };
        // Looked at first, so that only what repeats is read twice.
        frame.starts_with(&offset.to_le_bytes())
            && StoredCommit::decode(frame)
                .is_ok_and(|commit| commit.is_some_and(|commit| commit.checksum == checksum))
    }

    /// The offset and time of a frame that is a whole commit and follows, or repeats, the last.
    fn take(&mut self, frame: &[u8]) -> Option<(u64, Option<Timestamp>)> {
        let commit = StoredCommit::decode(frame).ok()??;
        let follows = commit.min_tx_offset == self.next_offset;
        let repeats = self.last == Some((commit.min_tx_offset, commit.checksum));
        if commit.n == 0 || !(follows || repeats) {
            return None;
        }
        let at = time_of(&commit.records);
        self.next_offset = commit.min_tx_offset + u64::from(commit.n);
        self.last = Some((commit.min_tx_offset, commit.checksum));
        self.last_head = frame.first_chunk().copied();
        self.last_at = at.or(self.last_at);
        Some((commit.min_tx_offset, at))
    }
}

/// What is wrong with the contents is a torn tail; what is wrong with the disk stays an error.
fn unreadable(error: io::Error) -> io::Result<Tail> {
    if error.raw_os_error().is_none() { Ok(Tail::Torn) } else { Err(error) }
}

/// Opens a segment, compressed or not, behind its header.
fn open(path: &Path) -> io::Result<CompressReader> {
    let mut input = CompressReader::new(File::open(path)?)?;
    let header = Header::decode(&mut input)?;
    let known = header.log_format_version == DEFAULT_LOG_FORMAT_VERSION;
    if known && header.checksum_algorithm == DEFAULT_CHECKSUM_ALGORITHM {
        return Ok(input);
    }
    let problem = format!("{} is of another format", path.display());
    Err(io::Error::new(io::ErrorKind::InvalidData, problem))
}

/// Reads the bytes of one commit into `frame`, or answers what stands there in its place.
fn next_frame(input: &mut impl BufRead, frame: &mut Vec<u8>) -> io::Result<Option<Tail>> {
    frame.clear();
    input.by_ref().take(COMMIT_HEADER_BYTES as u64).read_to_end(frame)?;
    if frame.len() < COMMIT_HEADER_BYTES {
        return Ok(Some(if frame.is_empty() { Tail::Clean } else { Tail::Partial }));
    }
    let records = records_bytes(frame);
    // A length that is nonsense must not become an allocation: this grows with what is there.
    let wanted = u64::from(records) + CHECKSUM_BYTES as u64;
    let got = input.by_ref().take(wanted).read_to_end(frame)?;
    Ok((got as u64 != wanted).then_some(Tail::Torn))
}

/// The length of the records, from a commit's header.
fn records_bytes(header: &[u8]) -> u32 {
    let at = COMMIT_HEADER_BYTES - 4;
    header[at..COMMIT_HEADER_BYTES].try_into().map_or(0, u32::from_le_bytes)
}

/// When the first transaction in `records` began, where it is a call of a reducer.
///
/// A record starts with flags; with the highest one set, what was called follows: its length
/// (4 bytes), the length of the name (1 byte), the name, the caller (32 bytes), the connection
/// (16 bytes) and the time (8 bytes, microseconds since 1970), then the arguments.
fn time_of(records: &[u8]) -> Option<Timestamp> {
    const HAS_INPUTS: u8 = 0b1000_0000;
    const CALLER_BYTES: usize = 32 + 16;
    let (flags, rest) = records.split_first()?;
    if flags & HAS_INPUTS == 0 {
        return None;
    }
    let (name_bytes, rest) = rest.get(4..)?.split_first()?;
    let context = rest.get(usize::from(*name_bytes)..)?;
    let micros = context.get(CALLER_BYTES..CALLER_BYTES + 8)?;
    let micros = i64::from_le_bytes(micros.try_into().ok()?);
    Some(Timestamp::from_micros_since_unix_epoch(micros))
}
