//! How long to wait before trying again.
//!
//! Keeps true: waits are bounded, grow, and are spread by chance so that many clients that failed
//! together do not come back together. Chance comes in as a number, so the rules can be tested.

use std::time::Duration;

/// Longest wait between two attempts to reconnect.
const RECONNECT_WAIT_MAX: Duration = Duration::from_secs(15);
/// The first of them.
const RECONNECT_WAIT_FIRST: Duration = Duration::from_millis(500);

/// Whether and how calls to the gateway wait when it answers 429 or 503. Without one, the refusal
/// is returned at once.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RetryPolicy {
    /// Attempts in all, the first included.
    pub attempts_max: u32,
    /// Longest single wait; a longer `Retry-After` is not waited for.
    pub wait_max: Duration,
    /// The first wait when the gateway does not say how long; it doubles with each attempt.
    pub fallback_wait: Duration,
}

impl Default for RetryPolicy {
    fn default() -> Self {
        Self {
            attempts_max: 4,
            wait_max: Duration::from_secs(10),
            fallback_wait: Duration::from_millis(250),
        }
    }
}

impl RetryPolicy {
    /// For load tools, which rather wait than fail: up to 40 attempts, 60 s each.
    pub fn patient() -> Self {
        Self { attempts_max: 40, wait_max: Duration::from_mins(1), ..Self::default() }
    }

    /// How long to wait after that many attempts, or none when it is time to give up. `chance` is
    /// 0 to 1 and adds up to a quarter.
    pub(crate) fn wait_after(
        &self,
        attempts: u32,
        retry_after: Option<Duration>,
        chance: f64,
    ) -> Option<Duration> {
        if attempts >= self.attempts_max {
            return None;
        }
        let doubled = || doubled(self.fallback_wait, attempts.saturating_sub(1), self.wait_max);
        let wait = retry_after.unwrap_or_else(doubled);
        (wait <= self.wait_max).then(|| wait + wait.mul_f64(chance.clamp(0.0, 1.0) / 4.0))
    }
}

/// Waits between attempts to reconnect: 0.5 s, doubling to 15 s, each between half and all of it.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Backoff {
    attempts: u32,
}

impl Backoff {
    /// The next wait. `chance` is 0 to 1.
    pub(crate) fn next_wait(&mut self, chance: f64) -> Duration {
        let full = doubled(RECONNECT_WAIT_FIRST, self.attempts, RECONNECT_WAIT_MAX);
        self.attempts = self.attempts.saturating_add(1);
        full / 2 + (full / 2).mul_f64(chance.clamp(0.0, 1.0))
    }
}

fn doubled(first: Duration, times: u32, max: Duration) -> Duration {
    first.saturating_mul(1_u32.checked_shl(times).unwrap_or(u32::MAX)).min(max)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const MILLI: Duration = Duration::from_millis(1);

    #[test]
    fn a_reconnect_waits_longer_each_time_up_to_a_bound() {
        let mut backoff = Backoff::default();
        let waits: Vec<_> = (0..8).map(|_| backoff.next_wait(1.0).as_millis()).collect();
        assert_eq!(waits, [500, 1_000, 2_000, 4_000, 8_000, 15_000, 15_000, 15_000]);
    }

    #[test]
    fn the_gateways_word_on_waiting_is_kept() {
        let policy = RetryPolicy { attempts_max: 3, wait_max: 1_000 * MILLI, fallback_wait: MILLI };
        for (attempts, said, expected) in [
            (1, Some(700), Some(700)),
            (1, None, Some(1)),
            (2, None, Some(2)),
            (1, Some(1_001), None),
            (3, Some(1), None),
        ] {
            let said = said.map(Duration::from_millis);
            let expected = expected.map(Duration::from_millis);
            assert_eq!(policy.wait_after(attempts, said, 0.0), expected, "{attempts} {said:?}");
        }
    }

    proptest! {
        #[test]
        fn every_wait_is_half_to_all_of_its_step(attempts in 0..200_u32, chance in 0.0..=1.0) {
            let mut backoff = Backoff { attempts };
            let full = Backoff { attempts }.next_wait(1.0);
            let wait = backoff.next_wait(chance);
            prop_assert!(wait >= full / 2 && wait <= full && wait <= RECONNECT_WAIT_MAX);
        }
    }
}
