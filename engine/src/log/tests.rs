//! Logs written as the engine writes them, and what is read from them.
//!
//! Keeps true: commits are encoded by the engine's own crates, so a time or an offset that is read
//! here is one the engine wrote.

use std::fs::{self, File, OpenOptions};
use std::io::Write as _;
use std::path::{Path, PathBuf};

use spacetimedb_commitlog::payload::txdata::{Mutations, Txdata};
use spacetimedb_commitlog::{Commit as EngineCommit, Commitlog, Options};
use spacetimedb_datastore::execution_context::ReducerContext;
use spacetimedb_fs_utils::compression::compress_with_zstd;
use spacetimedb_lib::{ConnectionId, Identity, ProductValue, Timestamp};
use spacetimedb_paths::FromPathUnchecked as _;
use spacetimedb_paths::server::CommitLogDir;
use tempfile::TempDir;

use super::cut::Cut;
use super::*;

/// A commit of a call at that time, or of something else.
fn commit(offset: u64, at_micros: Option<i64>) -> Vec<u8> {
    let context = at_micros.map(|micros| ReducerContext {
        name: "character_enter".to_owned(),
        caller_identity: Identity::ONE,
        caller_connection_id: ConnectionId::ZERO,
        timestamp: Timestamp::from_micros_since_unix_epoch(micros),
        arg_bsatn: vec![7; 3].into(),
    });
    let nothing =
        Mutations::<ProductValue> { inserts: [].into(), deletes: [].into(), truncates: [].into() };
    let inputs = context.as_ref().map(Into::into);
    let mut records = Vec::new();
    Txdata { inputs, outputs: None, mutations: Some(nothing) }.encode(&mut records);
    let mut bytes = Vec::new();
    let commit = EngineCommit { min_tx_offset: offset, epoch: 0, n: 1, records };
    commit.write(&mut bytes).expect("memory is writable");
    bytes
}

/// A segment with a commit for each time, and where each ends.
fn segment(folder: &Path, first_offset: u64, times: &[Option<i64>]) -> (PathBuf, Vec<u64>) {
    let path = folder.join(segment_name(first_offset));
    let mut file = File::create(&path).expect("created");
    Header::default().write(&mut file).expect("written");
    let mut ends = vec![SEGMENT_HEADER_BYTES];
    for (offset, at) in (first_offset..).zip(times) {
        let bytes = commit(offset, *at);
        file.write_all(&bytes).expect("written");
        ends.push(ends[ends.len() - 1] + bytes.len() as u64);
    }
    (path, ends)
}

fn folder() -> TempDir {
    tempfile::tempdir().expect("a temporary directory")
}

fn append(path: &Path, bytes: &[u8]) {
    let mut file = OpenOptions::new().append(true).open(path).expect("open");
    file.write_all(bytes).expect("written");
}

fn micros(scan: &Scan) -> Option<i64> {
    scan.last_at.map(Timestamp::to_micros_since_unix_epoch)
}

#[test]
fn a_whole_log_is_read_with_its_times() {
    let folder = folder();
    segment(folder.path(), 0, &[None, Some(1_000), Some(2_000)]);
    segment(folder.path(), 3, &[Some(3_000), None]);
    let scan = scan(folder.path(), 0).expect("readable");
    assert_eq!((scan.first_offset, scan.last_offset(), micros(&scan)), (0, Some(4), Some(3_000)));
    assert_eq!(scan.damage, None);
    assert!(scan.segments.iter().all(|scanned| scanned.tail == Tail::Clean));
    let late = super::scan(folder.path(), 3).expect("readable");
    assert_eq!((late.first_offset, late.last_offset(), late.segments.len()), (3, Some(4), 1));
    let nothing = super::scan(&folder.path().join("missing"), 0).expect("readable");
    assert_eq!((nothing.last_offset(), nothing.segments.len()), (None, 0));
}

#[test]
fn a_write_that_was_cut_short_is_a_tail_and_no_damage() {
    let whole = commit(2, Some(3));
    let zeros = [0; 300];
    for (left, tail) in [
        (&whole[..0], Tail::Clean),
        (&whole[..1], Tail::Partial),
        (&whole[..21], Tail::Partial),
        (&whole[..22], Tail::Torn),
        (&whole[..whole.len() - 1], Tail::Torn),
        (&zeros[..], Tail::Torn),
    ] {
        let folder = folder();
        let (path, ends) = segment(folder.path(), 0, &[Some(1), Some(2)]);
        append(&path, left);
        let scan = scan(folder.path(), 0).expect("readable");
        let last = &scan.segments[0];
        assert_eq!((last.tail, last.whole_bytes), (tail, ends[2]), "{} bytes", left.len());
        assert_eq!((scan.last_offset(), scan.damage), (Some(1), None));
    }
}

#[test]
fn the_engine_writes_where_nobody_reads_behind_a_part_of_a_header() {
    let folder = folder();
    let (path, ends) = segment(folder.path(), 0, &[Some(1), Some(2)]);
    append(&path, &commit(2, Some(3))[..21]);
    let logs = CommitLogDir::from_path_unchecked(folder.path());
    let engine = Commitlog::<[u8; 9]>::open(logs, Options::default()).expect("it opens");
    engine.append([0; 9]).expect("room");
    assert_eq!(engine.flush().expect("written"), Some(2), "the engine counts it as written");
    drop(engine);
    let scan = scan(folder.path(), 0).expect("readable");
    assert_eq!(scan.last_offset(), Some(1), "which is why a start cuts it off");
    assert!(fs::metadata(&path).expect("there").len() > ends[2] + 21);
}

#[test]
fn a_segment_without_a_header_is_a_stub_and_no_damage() {
    for bytes in [&b""[..], b"(ds)^2"] {
        let folder = folder();
        segment(folder.path(), 0, &[Some(1), Some(2)]);
        fs::write(folder.path().join(segment_name(2)), bytes).expect("written");
        let scan = scan(folder.path(), 0).expect("readable");
        assert_eq!((scan.segments[1].tail, scan.last_offset()), (Tail::Stub, Some(1)));
        assert_eq!(scan.damage, None);
    }
}

#[test]
fn a_flipped_bit_before_the_last_commit_is_damage_that_names_the_last_good_one() {
    let folder = folder();
    let times = [Some(10), Some(20), Some(30), Some(40), Some(50)];
    let (path, ends) = segment(folder.path(), 0, &times);
    let good = fs::read(&path).expect("readable");
    for byte in SEGMENT_HEADER_BYTES..ends[4] {
        for bit in [0, 3, 7] {
            let mut bad = good.clone();
            bad[usize::try_from(byte).expect("it fits")] ^= 1 << bit;
            fs::write(&path, bad).expect("written");
            let scan = scan(folder.path(), 0).expect("readable");
            let before = ends.iter().rposition(|end| *end <= byte).expect("the header's end");
            let damage = scan.damage.as_ref().map(|damage| damage.byte);
            assert_eq!(damage, Some(ends[before]), "byte {byte} bit {bit}");
            assert_eq!(scan.last_offset(), before.checked_sub(1).map(|last| last as u64));
        }
    }
    fs::write(&path, [b"X", &good[1..]].concat()).expect("written");
    assert!(scan(folder.path(), 0).expect("readable").damage.is_some(), "no header, no segment");
}

#[test]
fn a_torn_segment_is_no_damage_where_the_next_goes_on() {
    let folder = folder();
    let (path, _) = segment(folder.path(), 0, &[Some(1), Some(2)]);
    append(&path, &commit(2, Some(3))[..40]);
    segment(folder.path(), 2, &[Some(3)]);
    let scan = scan(folder.path(), 0).expect("readable");
    assert_eq!((scan.last_offset(), scan.damage), (Some(2), None));
    // What a write that failed late left is repeated by the segment after it.
    let (path, _) = segment(folder.path(), 0, &[Some(1), Some(2), Some(3)]);
    let scan = super::scan(folder.path(), 0).expect("readable");
    assert_eq!((scan.last_offset(), scan.damage), (Some(2), None));
    // A hole is damage.
    fs::remove_file(folder.path().join(segment_name(2))).expect("removed");
    segment(folder.path(), 5, &[Some(6)]);
    let scan = super::scan(folder.path(), 0).expect("readable");
    assert_eq!(scan.damage.map(|damage| damage.path), Some(path));
}

#[test]
fn what_a_full_disk_leaves_between_two_commits_is_told_from_damage() {
    const HEAD: usize = COMMIT_HEADER_BYTES;
    let [last, next, later] = [1, 2, 3].map(|offset| commit(offset, Some(10)));
    let check = |between: &[&[u8]], after: &[&[u8]], expected: bool| {
        let folder = folder();
        let (path, ends) = segment(folder.path(), 0, &[Some(1), Some(10)]);
        append(&path, &between.concat());
        let to = fs::metadata(&path).expect("there").len();
        append(&path, &after.concat());
        let scan = scan(folder.path(), 0).expect("readable");
        let damage = scan.damage.expect("it cannot be read on");
        assert_eq!(damage.byte, ends[2]);
        assert_eq!(damage.goes_on_at, expected.then_some(to), "{}", between.len());
    };
    let on: &[&[u8]] = &[&next, &later];
    check(&[&last[..HEAD]], on, true);
    check(&[&last], on, true);
    check(&[&last[..HEAD], &last[..HEAD], &last, &last[..HEAD]], on, true);
    check(&[&last[..HEAD], &next[..HEAD], &next[..HEAD]], on, true);
    // The buffer was full within a head, or before the checksum.
    for cut in [8, 16, 18, last.len() - CHECKSUM_BYTES] {
        check(&[&last, &last[..HEAD], &last[..cut], &last], on, true);
        check(&[&last[..cut]], on, true);
    }
    for cut in [8, 16, 18, next.len() - CHECKSUM_BYTES] {
        check(&[&last[..HEAD], &next[..cut], &next[..HEAD]], on, true);
    }
    for cut in [7, 9, 17, 19, 21, HEAD + 1, last.len() - 1] {
        check(&[&last[..cut]], on, false);
    }
    // A single transaction behind it, and another one under the number of the last.
    check(&[&last[..HEAD]], &[&next], true);
    check(&[&last], &[&next], true);
    check(&[&commit(1, Some(11))], on, false);
    // One transaction is missing.
    check(&[&last[..HEAD]], &[&later], false);
    // Bytes of neither, and a commit that stands within another one.
    check(&[&last[..HEAD], b"x"], on, false);
    check(&[&next[..HEAD], &later[..HEAD]], on, false);
    let mut torn = next.clone();
    torn[HEAD] ^= 1;
    check(&[&torn], on, false);
}

#[test]
fn a_commit_that_is_repeated_at_the_end_is_where_the_log_ends() {
    let folder = folder();
    let (path, ends) = segment(folder.path(), 0, &[Some(1), Some(10)]);
    append(&path, &commit(1, Some(10)));
    append(&path, &commit(1, Some(10))[..30]);
    let scan = scan(folder.path(), 0).expect("readable");
    let last = scan.segments.last().expect("a segment");
    assert_eq!((last.tail, last.whole_bytes, scan.damage), (Tail::Repeated, ends[2], None));
}

#[test]
fn a_commit_that_is_repeated_before_the_next_segment_keeps_nobody_from_reading_that() {
    let folder = folder();
    let (path, _) = segment(folder.path(), 0, &[Some(1), Some(10)]);
    append(&path, &commit(1, Some(10)));
    segment(folder.path(), 2, &[Some(20)]);
    let logs = CommitLogDir::from_path_unchecked(folder.path());
    let read = spacetimedb_commitlog::commits(logs).expect("readable");
    let read: Vec<_> = read.map(|commit| commit.expect("readable").min_tx_offset).collect();
    assert_eq!(read, [0, 1, 2], "the engine reads on");
    let scan = scan(folder.path(), 0).expect("readable");
    assert_eq!((scan.last_offset(), scan.damage), (Some(2), None));
}

#[test]
fn every_moment_cuts_after_its_last_transaction() {
    let folder = folder();
    let times = [None, Some(10), None, Some(20), Some(20), None, Some(40)];
    let (_, ends) = segment(folder.path(), 0, &times[..4]);
    let (_, later) = segment(folder.path(), 4, &times[4..]);
    let at = Timestamp::from_micros_since_unix_epoch;
    for (until, offset, segment, bytes) in
        [(10, 1, 0, ends[2]), (19, 1, 0, ends[2]), (20, 4, 4, later[1]), (39, 4, 4, later[1])]
    {
        let last_at = at(if until < 20 { 10 } else { 20 });
        let cut = Cut { last_offset: offset, last_at, segment, bytes };
        let found = find_cut(folder.path(), at(until), &[]).expect("readable");
        assert_eq!(found, Kept::Until(cut), "until {until}");
    }
    let found = |until, published: &[_]| find_cut(folder.path(), at(until), published);
    assert_eq!(found(9, &[]).expect("readable"), Kept::Nothing);
    assert_eq!(found(40, &[]).expect("readable"), Kept::Everything);
    let Kept::Until(cut) = found(9, &[(0, at(5))]).expect("readable") else {
        panic!("a publish knows its time from the list");
    };
    assert_eq!((cut.last_offset, cut.bytes), (0, ends[1]));
}

#[test]
fn a_compressed_segment_is_read_and_cut_like_another() {
    let folder = folder();
    let (path, ends) = segment(folder.path(), 0, &[Some(10), Some(20), Some(30)]);
    let mut compressed = Vec::new();
    compress_with_zstd(File::open(&path).expect("open"), &mut compressed, Some(0x1000))
        .expect("compressed");
    fs::write(&path, &compressed).expect("written");
    segment(folder.path(), 3, &[Some(40)]);
    let scan = scan(folder.path(), 0).expect("readable");
    assert_eq!((scan.last_offset(), scan.damage), (Some(3), None));
    let until = Timestamp::from_micros_since_unix_epoch(25);
    let Kept::Until(cut) = find_cut(folder.path(), until, &[]).expect("readable") else {
        panic!("30 is later");
    };
    assert_eq!((cut.segment, cut.bytes), (0, ends[2]));
    let target = tempfile::tempdir().expect("a temporary directory");
    let mut file = File::create(target.path().join(segment_name(0))).expect("created");
    write_cut(&path, cut.bytes, &mut file).expect("written");
    let scan = super::scan(target.path(), 0).expect("readable");
    assert_eq!((scan.last_offset(), scan.segments[0].tail), (Some(1), Tail::Clean));
    let middle = compressed.len() / 2;
    compressed[middle] ^= 1;
    fs::write(&path, compressed).expect("written");
    let scan = super::scan(folder.path(), 0).expect("readable");
    assert!(scan.damage.is_some(), "what follows cannot be joined");
}
