//! How fast one connection may send: a budget of bytes that refills with time.
//!
//! Keeps true: over any span a connection is read at most `burst + rate × span` bytes, and one
//! read more.

use std::time::{Duration, Instant};

/// One connection's budget.
#[derive(Debug)]
pub(crate) struct Budget {
    /// Nanoseconds that a byte costs, times 2^16.
    cost: u64,
    /// How far the debt may run ahead of the clock.
    slack: Duration,
    /// When what was read so far is paid for.
    paid_at: Instant,
}

impl Budget {
    /// A full budget.
    pub(crate) fn new(bytes_per_s: u32, burst_bytes: u32, now: Instant) -> Self {
        let cost = (1_000_000_000_u64 << 16) / u64::from(bytes_per_s.max(1));
        Self { cost, slack: span(cost, u64::from(burst_bytes)), paid_at: now }
    }

    /// How long to wait before the next read; none when there is something left.
    pub(crate) fn wait(&self, now: Instant) -> Option<Duration> {
        let debt = self.paid_at.saturating_duration_since(now);
        debt.checked_sub(self.slack).filter(|wait| !wait.is_zero())
    }

    /// So many bytes were read.
    pub(crate) fn spend(&mut self, bytes: usize, now: Instant) {
        let bytes = u64::try_from(bytes).unwrap_or(u64::MAX);
        self.paid_at = self.paid_at.max(now) + span(self.cost, bytes);
    }
}

fn span(cost: u64, bytes: u64) -> Duration {
    let nanos = (u128::from(cost) * u128::from(bytes)) >> 16;
    Duration::from_nanos(u64::try_from(nanos).unwrap_or(u64::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Bytes read within a span by a caller that always sends, in reads of one size.
    fn read_within(span: Duration, read_bytes: usize) -> usize {
        let start = Instant::now();
        let mut budget = Budget::new(1_000, 5_000, start);
        let (mut now, mut total) = (start, 0);
        while now <= start + span {
            if let Some(wait) = budget.wait(now) {
                now += wait;
            } else {
                budget.spend(read_bytes, now);
                total += read_bytes;
            }
        }
        total
    }

    #[test]
    fn the_burst_comes_at_once_and_the_rest_at_the_rate() {
        for read_bytes in [1, 10, 1_000] {
            for seconds in [0, 1, 10, 100] {
                let total = read_within(Duration::from_secs(seconds), read_bytes);
                let due = 5_000 + 1_000 * usize::try_from(seconds).expect("small");
                assert!(total >= due, "{total} < {due}");
                assert!(total <= due + 2 * read_bytes, "{total} > {due}");
            }
        }
    }

    #[test]
    fn rest_refills_no_more_than_the_burst() {
        let start = Instant::now();
        let mut budget = Budget::new(1_000, 5_000, start);
        let later = start + Duration::from_hours(1);
        budget.spend(5_000, later);
        assert_eq!(budget.wait(later), None);
        budget.spend(1_000, later);
        assert!(budget.wait(later).is_some());
    }

    #[test]
    fn the_largest_numbers_do_not_overflow() {
        let start = Instant::now();
        let mut budget = Budget::new(1, 1_000_000_000, start);
        budget.spend(64 << 20, start);
        assert_eq!(budget.wait(start), None);
        assert!(Budget::new(u32::MAX, u32::MAX, start).wait(start).is_none());
    }
}
