//! What a process has used so far, as Linux tells it under `/proc`.
//!
//! Keeps true: reading costs microseconds and needs no rights over the own processes. Leaves out
//! other systems: there reading fails, and with it the benchmark that needs it.

use std::fs;
use std::time::Instant;

use anyhow::Context;

/// Ticks of `utime` and `stime` in a second: `USER_HZ`, fixed at 100 towards programs (proc(5)).
const TICKS_PER_S: f64 = 100.0;

/// One reading.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Usage {
    at: Instant,
    cpu_s: f64,
    /// Resident memory, bytes.
    memory_bytes: f64,
}

impl Usage {
    /// Of a process and all its threads, now.
    pub(crate) fn of(process_id: u32) -> anyhow::Result<Self> {
        let read = |name: &str| {
            let path = format!("/proc/{process_id}/{name}");
            fs::read_to_string(&path).with_context(|| format!("{path} cannot be read"))
        };
        let (stat, status) = (read("stat")?, read("status")?);
        let cpu_s = cpu_seconds(&stat).context("the CPU time cannot be read from /proc")?;
        let memory_bytes = memory_bytes(&status).context("the process has ended")?;
        Ok(Self { at: Instant::now(), cpu_s, memory_bytes })
    }

    /// Of this process.
    pub(crate) fn of_this_process() -> anyhow::Result<Self> {
        Self::of(std::process::id())
    }

    /// Cores kept busy since an earlier reading: 1.0 is one core all the time.
    pub(crate) fn cpu_share_since(&self, earlier: &Self) -> f64 {
        let seconds = self.at.duration_since(earlier.at).as_secs_f64();
        if seconds > 0.0 { (self.cpu_s - earlier.cpu_s) / seconds } else { 0.0 }
    }

    /// Resident memory in megabytes of 10⁶ bytes.
    pub(crate) fn memory_mb(&self) -> f64 {
        self.memory_bytes / 1e6
    }

    /// What resident memory has grown by since an earlier reading, kilobytes of 10³ bytes.
    pub(crate) fn memory_kb_since(&self, earlier: &Self) -> f64 {
        (self.memory_bytes - earlier.memory_bytes) / 1e3
    }
}

/// The most memory a process has held so far, megabytes of 10⁶ bytes.
pub(crate) fn peak_memory_mb(process_id: u32) -> anyhow::Result<u64> {
    let status = fs::read_to_string(format!("/proc/{process_id}/status"))?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    let kib = line.and_then(|line| line.split_whitespace().next()?.parse::<u64>().ok());
    Ok(kib.context("the process has ended")? * 1_024 / 1_000_000)
}

/// User and system time; the name before them may hold spaces and parentheses.
fn cpu_seconds(stat: &str) -> Option<f64> {
    let (_, fields) = stat.rsplit_once(')')?;
    let mut fields = fields.split_whitespace().skip(11);
    let user: f64 = fields.next()?.parse().ok()?;
    let system: f64 = fields.next()?.parse().ok()?;
    Some((user + system) / TICKS_PER_S)
}

fn memory_bytes(status: &str) -> Option<f64> {
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
    let kib: f64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
    Some(kib * 1_024.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_read_behind_any_name() {
        let stat = "42 (a) b (c) S 1 42 42 0 -1 4194560 100 0 0 0 150 50 7 7 20 0 9 0 1 1 1";
        assert_eq!(cpu_seconds(stat), Some(2.0));
        assert_eq!(cpu_seconds("42 (a) S 1"), None);
        assert_eq!(cpu_seconds(""), None);
    }

    #[test]
    fn memory_is_read_in_bytes() {
        let status = "Name:\thaven\nVmPeak:\t  9 kB\nVmRSS:\t    2 kB\nThreads:\t3\n";
        assert_eq!(memory_bytes(status), Some(2_048.0));
        assert_eq!(memory_bytes("Name:\thaven\n"), None);
    }

    #[test]
    fn shares_are_time_over_time() {
        let now = Instant::now();
        let earlier = Usage { at: now, cpu_s: 1.0, memory_bytes: 1e6 };
        let later = now + std::time::Duration::from_secs(4);
        let later = Usage { at: later, cpu_s: 7.0, memory_bytes: 3e6 };
        let near = |one: f64, other: f64| (one - other).abs() < 1e-9;
        assert!(near(later.cpu_share_since(&earlier), 1.5));
        assert!(near(later.memory_kb_since(&earlier), 2_000.0));
        assert!(near(earlier.cpu_share_since(&earlier), 0.0));
    }
}
