//! What modules log, bounded: each database's folder of log files stays below a size.
//!
//! Keeps true: the files of earlier days go first, the oldest before the others; only when today's
//! alone is too long does it lose its older half, at the beginning of a line.
//! Leaves out on purpose: writing. The engine appends to the file of the day through a handle it
//! keeps, so a file is never replaced by another: it is emptied and its newer half put back. Lines
//! written in the instant between are lost, and one may stand before the older ones.

use std::fs::{self, OpenOptions};
use std::io::{self, BufRead as _, BufReader, Read as _, Seek as _, SeekFrom, Write as _};
use std::path::{Path, PathBuf};
use std::time::Duration;

use spacetimedb_paths::server::ServerDataDir;

/// How often the folders are looked at; a flood of refused calls writes some 4 MB/s.
const SWEEP_INTERVAL: Duration = Duration::from_secs(5);

/// Keeps the log folders below a data directory small until it is dropped.
pub(crate) struct LogJanitor(tokio::task::JoinHandle<()>);

impl LogJanitor {
    /// Starts now; each database may keep `bytes_max` bytes.
    pub(crate) fn start(data_dir: &ServerDataDir, bytes_max: u64) -> Self {
        let replicas = data_dir.0.join("replicas");
        Self(tokio::spawn(async move {
            let mut ticks = tokio::time::interval(SWEEP_INTERVAL);
            ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
            loop {
                ticks.tick().await;
                let replicas = replicas.clone();
                let swept = tokio::task::spawn_blocking(move || sweep_all(&replicas, bytes_max));
                if let Ok(Err(error)) = swept.await {
                    tracing::warn!("module logs were not shortened: {error}");
                }
            }
        }))
    }
}

impl Drop for LogJanitor {
    fn drop(&mut self) {
        self.0.abort();
    }
}

fn sweep_all(replicas: &Path, bytes_max: u64) -> io::Result<()> {
    let entries = match fs::read_dir(replicas) {
        Ok(entries) => entries,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        Err(error) => return Err(error),
    };
    for entry in entries {
        let logs = entry?.path().join("module_logs");
        if logs.is_dir() {
            sweep(&logs, bytes_max)?;
        }
    }
    Ok(())
}

/// Shortens the files in one folder to `bytes_max` bytes together.
fn sweep(folder: &Path, bytes_max: u64) -> io::Result<()> {
    let mut files: Vec<(PathBuf, u64)> = Vec::new();
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        files.push((entry.path(), entry.metadata()?.len()));
    }
    // They are named by their day, so the last one is the one that is written.
    files.sort_unstable();
    let mut total: u64 = files.iter().map(|(_, bytes)| bytes).sum();
    let Some((newest, _)) = files.pop() else {
        return Ok(());
    };
    for (path, bytes) in files {
        if total <= bytes_max {
            return Ok(());
        }
        fs::remove_file(path)?;
        total -= bytes;
    }
    if total > bytes_max { keep_newest(&newest, bytes_max / 2) } else { Ok(()) }
}

/// Leaves at most the last `bytes` of a file, from the beginning of a line.
fn keep_newest(path: &Path, bytes: u64) -> io::Result<()> {
    let mut file = OpenOptions::new().read(true).append(true).open(path)?;
    let length = file.seek(SeekFrom::End(0))?;
    file.seek(SeekFrom::Start(length.saturating_sub(bytes)))?;
    let mut newest = Vec::new();
    let mut reader = BufReader::new(&file);
    reader.read_until(b'\n', &mut newest)?;
    newest.clear();
    reader.read_to_end(&mut newest)?;
    drop(reader);
    file.set_len(0)?;
    file.write_all(&newest)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn write(folder: &Path, name: &str, lines: std::ops::Range<u32>) {
        let lines: Vec<String> = lines.map(|number| format!("line {number:05}\n")).collect();
        let text = lines.concat();
        fs::write(folder.join(name), text).expect("written");
    }

    fn names(folder: &Path) -> Vec<String> {
        let entries = fs::read_dir(folder).expect("a folder");
        let name = |entry: fs::DirEntry| entry.file_name().to_string_lossy().into_owned();
        let mut names: Vec<String> = entries.map(|entry| name(entry.expect("an entry"))).collect();
        names.sort();
        names
    }

    #[test]
    fn the_oldest_days_go_first_and_no_more_than_must() {
        let folder = tempfile::tempdir().expect("a temporary directory");
        for day in ["2026-11-19.log", "2026-11-20.log", "2026-11-21.log"] {
            write(folder.path(), day, 0..100);
        }
        sweep(folder.path(), 3_300).expect("swept");
        assert_eq!(names(folder.path()).len(), 3, "3,300 bytes are allowed");
        sweep(folder.path(), 2_200).expect("swept");
        assert_eq!(names(folder.path()), ["2026-11-20.log", "2026-11-21.log"]);
    }

    #[test]
    fn the_file_of_the_day_keeps_its_newer_half_and_is_appended_to() {
        let folder = tempfile::tempdir().expect("a temporary directory");
        write(folder.path(), "2026-11-20.log", 0..10);
        write(folder.path(), "2026-11-21.log", 0..1_000);
        let today = folder.path().join("2026-11-21.log");
        let mut engine = OpenOptions::new().append(true).open(&today).expect("open as the engine");
        sweep(folder.path(), 5_500).expect("swept");
        engine.write_all(b"line after\n").expect("appended");
        assert_eq!(names(folder.path()), ["2026-11-21.log"]);
        let text = fs::read_to_string(&today).expect("text");
        let lines: Vec<&str> = text.lines().collect();
        assert!(text.len() <= 5_500 / 2 + 11, "{} bytes", text.len());
        assert!(lines.iter().all(|line| line.starts_with("line ") && line.len() == 10));
        assert_eq!(lines[lines.len() - 2..], ["line 00999", "line after"]);
    }
}
