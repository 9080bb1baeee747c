//! Latencies and what is said about them.

use std::time::Duration;

/// Measured durations, microseconds each. One run's are few enough to keep.
#[derive(Clone, Debug, Default)]
pub(crate) struct Latencies(Vec<u32>);

impl Latencies {
    /// The percentiles that are reported.
    const PERCENTILES: [u32; 3] = [50, 95, 99];

    /// Adds one; more than an hour counts as an hour.
    pub(crate) fn add(&mut self, latency: Duration) {
        self.0.push(u32::try_from(latency.as_micros()).unwrap_or(u32::MAX));
    }

    /// Adds another run's.
    pub(crate) fn extend(&mut self, other: Self) {
        self.0.extend(other.0);
    }

    /// How many there are.
    pub(crate) fn count(&self) -> usize {
        self.0.len()
    }

    /// p50, p95 and p99 in milliseconds, by the nearest-rank method; zeros when there are none.
    pub(crate) fn percentiles_ms(&mut self) -> [f64; 3] {
        self.0.sort_unstable();
        Self::PERCENTILES.map(|percent| {
            let rank = (self.0.len() * percent as usize).div_ceil(100);
            let micros = self.0.get(rank.saturating_sub(1)).copied().unwrap_or(0);
            f64::from(micros) / 1_000.0
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(millis: impl IntoIterator<Item = u64>, expected: [f64; 3]) {
        let mut latencies = Latencies::default();
        millis.into_iter().for_each(|millis| latencies.add(Duration::from_millis(millis)));
        assert_eq!(latencies.percentiles_ms().map(f64::to_bits), expected.map(f64::to_bits));
    }

    #[test]
    fn percentiles_are_nearest_ranks() {
        check([], [0.0, 0.0, 0.0]);
        check([7], [7.0, 7.0, 7.0]);
        check((1..=100).rev(), [50.0, 95.0, 99.0]);
        check(1..=10, [5.0, 10.0, 10.0]);
        check(1..=200, [100.0, 190.0, 198.0]);
    }

    #[test]
    fn absurd_latencies_are_bounded() {
        check([u64::MAX / 1_000], [f64::from(u32::MAX) / 1_000.0; 3]);
    }
}
