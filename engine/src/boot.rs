//! Before the databases start: what a crash or a full disk left is repaired, damage is refused.
//!
//! Keeps true: a repair removes nothing that was ever a transaction, and is told; a log that cannot
//! be read to its end is never opened, because the engine may take what it can read for all there
//! is and write on from there. Only for who holds the data directory.
//! Leaves out on purpose: logs before the newest snapshot, which a start does not read.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Read as _, Seek as _, SeekFrom};
use std::path::Path;

use spacetimedb::messages::control_db::Database;
use spacetimedb_paths::server::{ReplicaDir, ServerDataDir};

use crate::EngineError;
use crate::checkpoints;
use crate::control::Control;
use crate::log::{self, Damage, Scan, Tail};
use crate::snapshots;

/// Repairs what is safe to repair in every database, and answers a line for each repair. Where more
/// than so many transactions would be replayed, a checkpoint is made first.
///
/// # Errors
///
/// [`EngineError::LogDamaged`] for the first database whose log cannot be read to its end, and
/// [`EngineError::Io`].
pub(crate) fn repair_all(
    data_dir: &ServerDataDir,
    control: &Control,
    checkpoint_transactions: u64,
) -> Result<Vec<String>, EngineError> {
    let unusable = |error: anyhow::Error| EngineError::DataDirUnusable {
        path: data_dir.0.clone(),
        reason: format!("{error:#}"),
    };
    let mut repairs = Vec::new();
    for database in control.databases().map_err(unusable)? {
        let label = control.label(&database.database_identity);
        let replica = data_dir.replica(database.id);
        for repair in repair(&replica, &database, &label, checkpoint_transactions)? {
            repairs.push(format!("{label}: {repair}"));
        }
    }
    Ok(repairs)
}

fn repair(
    replica: &ReplicaDir,
    database: &Database,
    label: &str,
    checkpoint_transactions: u64,
) -> Result<Vec<String>, EngineError> {
    let snapshots = replica.snapshots().0;
    let mut repairs = Vec::new();
    checkpoints::clear_unfinished(replica).map_err(EngineError::io(&replica.0))?;
    let released = snapshots::release_stale(&snapshots).map_err(EngineError::io(&snapshots))?;
    if released > 0 {
        repairs.push(format!("freed {released} snapshots that a dead process held"));
    }
    let (mended, last) = repair_log(replica, database, label)?;
    repairs.extend(mended);
    if let Some(last) = last.filter(|_| checkpoint_transactions > 0) {
        // Without one the start is slower, and no less right.
        checkpoints::catch_up(replica, database, checkpoint_transactions, last + 1)
            .unwrap_or_else(|error| tracing::warn!("{label}: no checkpoint: {error:#}"));
    }
    Ok(repairs)
}

/// Repairs a log, so that the engine can read all of it and write on from there; a line for each
/// repair, and the last transaction that is in it.
///
/// # Errors
///
/// [`EngineError::LogDamaged`] and [`EngineError::Io`].
pub(crate) fn repair_log(
    replica: &ReplicaDir,
    database: &Database,
    label: &str,
) -> Result<(Vec<String>, Option<u64>), EngineError> {
    let (logs, snapshots) = (replica.commit_log().0, replica.snapshots().0);
    let mut repairs = Vec::new();
    loop {
        let scan = scan_from_snapshot(&logs, &snapshots).map_err(EngineError::io(&logs))?;
        match &scan.damage {
            Some(Damage { path, byte, goes_on_at: Some(to) }) => {
                cut_out(path, *byte, *to).map_err(EngineError::io(path))?;
                let name = path.file_name().unwrap_or_default().display();
                let bytes = to - byte;
                repairs.push(format!("cut {bytes} bytes of unfinished writes out of {name}"));
            }
            Some(damage) => {
                return Err(EngineError::LogDamaged {
                    database: format!("{label} ({})", database.database_identity.to_hex()),
                    path: damage.path.clone(),
                    byte: damage.byte,
                    last_good: last_good(&scan),
                });
            }
            None => {
                repairs.extend(repair_tail(&scan).map_err(EngineError::io(&logs))?);
                // Behind an empty segment the one before it is the last, and its end counts.
                if scan.segments.last().is_none_or(|last| last.tail != Tail::Stub) {
                    return Ok((repairs, scan.last_offset()));
                }
            }
        }
    }
}

/// Leaves a part of a file out; the file is replaced whole.
fn cut_out(path: &Path, from: u64, to: u64) -> io::Result<()> {
    let mended = path.with_extension("mended");
    let replaced = copy_without(path, &mended, from, to).and_then(|()| fs::rename(&mended, path));
    if replaced.is_err() {
        // The disk may be full: what was begun must not stay.
        fs::remove_file(&mended).ok();
        return replaced;
    }
    if let Some(folder) = path.parent() {
        File::open(folder)?.sync_all()?;
    }
    remove_index(path)
}

fn copy_without(path: &Path, mended: &Path, from: u64, to: u64) -> io::Result<()> {
    let (mut file, mut copy) = (File::open(path)?, File::create(mended)?);
    io::copy(&mut (&mut file).take(from), &mut copy)?;
    file.seek(SeekFrom::Start(to))?;
    io::copy(&mut file, &mut copy)?;
    copy.sync_all()
}

/// Removes the index beside a segment, which may point behind its end; the engine makes a new one.
fn remove_index(path: &Path) -> io::Result<()> {
    match fs::remove_file(path.with_extension("ofs")) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        Err(_) | Ok(()) => Ok(()),
    }
}

/// Reads what a start would read.
fn scan_from_snapshot(logs: &Path, snapshots: &Path) -> io::Result<Scan> {
    let written = log::segments(logs)?.last().map_or(0, |segment| segment.first_offset);
    let complete = snapshots::complete(snapshots)?;
    let usable = complete.iter().rfind(|snapshot| snapshot.offset <= written);
    log::scan(logs, usable.map_or(0, |snapshot| snapshot.offset))
}

fn last_good(scan: &Scan) -> String {
    let Some(offset) = scan.last_offset() else {
        return "none".to_owned();
    };
    match scan.last_at.and_then(|at| at.to_rfc3339().ok()) {
        Some(at) => format!("{offset}, of {at}"),
        None => format!("{offset}, of an unknown time"),
    }
}

/// Makes the end of a log one that the engine can write on from.
fn repair_tail(scan: &Scan) -> io::Result<Option<String>> {
    let Some(last) = scan.segments.last() else {
        return Ok(None);
    };
    let path = &last.segment.path;
    let name = path.file_name().unwrap_or_default().display();
    let bytes = last.segment.bytes - last.whole_bytes;
    match last.tail {
        Tail::Clean => return Ok(None),
        Tail::Torn => {
            // The engine goes on in a new segment; the bytes stay for who wants to look at them.
            let repair = format!("passed over {bytes} bytes of an unfinished write in {name}");
            return Ok(Some(repair));
        }
        Tail::Stub => fs::remove_file(path)?,
        Tail::Partial | Tail::Repeated => cut_off(path, last.whole_bytes)?,
    }
    remove_index(path)?;
    Ok(Some(match last.tail {
        Tail::Stub => format!("removed the empty log segment {name}, as a full disk leaves it"),
        _ => format!("cut {bytes} bytes of an unfinished write from {name}"),
    }))
}

fn cut_off(path: &Path, bytes: u64) -> io::Result<()> {
    let file = OpenOptions::new().write(true).open(path)?;
    file.set_len(bytes)?;
    file.sync_all()
}
