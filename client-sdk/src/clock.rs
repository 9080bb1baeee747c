//! What the realm's clock shows, estimated from the round trips of the client's own calls.
//!
//! Keeps true: the estimate is off by at most half of the round trip it rests on (after Cristian's
//! algorithm, 1989), the quickest round trip counts, and it loses to slower ones as it ages.

use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

/// Microseconds of age that weigh as much as one microsecond of round trip: clocks that drift
/// 200 parts per million apart are 1 ms off after 5 s.
const AGE_PER_ROUND_TRIP: i64 = 5_000;

/// This machine's clock: monotonic, in microseconds since 1970 as of when it was made.
#[derive(Clone, Copy, Debug)]
pub(crate) struct LocalClock {
    origin: Instant,
    origin_micros: i64,
}

impl LocalClock {
    pub(crate) fn start() -> Self {
        let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        Self { origin: Instant::now(), origin_micros: micros(since) }
    }

    /// Microseconds since 1970 at that instant.
    pub(crate) fn micros_at(&self, at: Instant) -> i64 {
        match at.checked_duration_since(self.origin) {
            Some(after) => self.origin_micros + micros(after),
            None => self.origin_micros - micros(self.origin - at),
        }
    }
}

fn micros(duration: Duration) -> i64 {
    i64::try_from(duration.as_micros()).unwrap_or(i64::MAX / 4)
}

/// The estimate. All instants are microseconds since 1970.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct ServerClock {
    best: Option<Sample>,
}

#[derive(Clone, Copy, Debug)]
struct Sample {
    /// The realm's clock less the local one.
    offset_micros: i64,
    round_trip_micros: i64,
    /// When the outcome arrived, by the local clock.
    at: i64,
}

impl ServerClock {
    /// Learns from a call: when it was sent and its outcome received, by the local clock, and when
    /// the realm says it ran.
    pub(crate) fn learn(&mut self, sent_micros: i64, received_micros: i64, server_micros: i64) {
        let round_trip_micros = received_micros - sent_micros;
        if round_trip_micros < 0 {
            return;
        }
        let offset_micros = server_micros - (sent_micros + round_trip_micros / 2);
        let better = self.best.is_none_or(|best| {
            let age = received_micros - best.at;
            round_trip_micros <= best.round_trip_micros + age / AGE_PER_ROUND_TRIP
        });
        if better {
            self.best = Some(Sample { offset_micros, round_trip_micros, at: received_micros });
        }
    }

    /// What the realm's clock shows at a local instant; the local clock itself before any call.
    pub(crate) fn server_micros(&self, local_micros: i64) -> i64 {
        local_micros + self.best.map_or(0, |best| best.offset_micros)
    }

    /// The round trip the estimate rests on.
    pub(crate) fn round_trip(&self) -> Option<Duration> {
        let best = self.best?;
        Some(Duration::from_micros(u64::try_from(best.round_trip_micros).unwrap_or(0)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn the_quickest_round_trip_counts_until_it_is_old() {
        let mut clock = ServerClock::default();
        assert_eq!(clock.server_micros(7), 7);
        clock.learn(0, 10_000, 1_000_000);
        assert_eq!(clock.server_micros(5_000), 1_000_000);
        clock.learn(20_000, 22_000, 1_030_000);
        assert_eq!(clock.server_micros(21_000), 1_030_000);
        clock.learn(30_000, 90_000, 5_000_000);
        assert_eq!(clock.server_micros(21_000), 1_030_000, "a slower one changes nothing");
        clock.learn(600_000_000, 600_060_000, 605_000_000);
        assert_eq!(clock.server_micros(600_030_000), 605_000_000, "but in the long run it does");
        assert_eq!(clock.round_trip(), Some(Duration::from_millis(60)));
    }

    #[test]
    fn the_local_clock_counts_both_ways() {
        let clock = LocalClock::start();
        let later = clock.origin + Duration::from_millis(3);
        assert_eq!(clock.micros_at(later) - clock.micros_at(clock.origin), 3_000);
        if let Some(before) = clock.origin.checked_sub(Duration::from_millis(2)) {
            assert_eq!(clock.micros_at(before) - clock.micros_at(clock.origin), -2_000);
        }
    }

    proptest! {
        #[test]
        fn the_error_is_at_most_half_a_round_trip(
            offset in -1_000_000_000..1_000_000_000_i64,
            trips in prop::collection::vec((0..50_000_i64, 0..50_000_i64), 1..20),
        ) {
            let mut clock = ServerClock::default();
            let mut now = 0;
            for (there, back) in trips {
                clock.learn(now, now + there + back, now + there + offset);
                now += there + back + 1_000;
                let error = (clock.server_micros(now) - (now + offset)).abs();
                let bound = clock.round_trip().expect("learned").as_micros() / 2 + 1;
                prop_assert!(u128::from(error.unsigned_abs()) <= bound);
            }
        }
    }
}
