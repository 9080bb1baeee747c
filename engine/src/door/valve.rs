//! The governor: players are let in and read from only as fast as the log follows.
//!
//! The engine answers a call before it is on disk, and one task writes. When more is acknowledged
//! than it can write, what a power cut would lose grows without end. So the lag of the log, in
//! time, first closes the door to newcomers and then holds the sockets of players: their own TCP
//! windows fill, and they slow down.
//! Keeps true: the door closes before anybody is held, and opens after; both have hysteresis.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use tokio_util::sync::{CancellationToken, WaitForCancellationFutureOwned};

use crate::limits::Limits;

/// How often the log is looked at.
pub(crate) const LOOK_EVERY: Duration = Duration::from_millis(50);
/// Looks that are remembered of one log; a lag of more than a minute reads as a minute.
const LOOKS_MAX: usize = 1_200;

/// How far one log is behind, in time.
#[derive(Debug, Default)]
pub(crate) struct LagClock {
    /// When which number of transactions had been handed over, the oldest unwritten first.
    handed_over: VecDeque<(Instant, u64)>,
}

impl LagClock {
    /// How long ago the oldest transaction that is not on disk was seen.
    pub(crate) fn look(&mut self, now: Instant, handed_over: u64, written: u64) -> Duration {
        while self.handed_over.front().is_some_and(|(_, number)| *number <= written) {
            self.handed_over.pop_front();
        }
        let known = self.handed_over.back().map_or(written, |(_, number)| *number);
        if handed_over > known && self.handed_over.len() < LOOKS_MAX {
            self.handed_over.push_back((now, handed_over));
        }
        let oldest = self.handed_over.front();
        oldest.map_or(Duration::ZERO, |(at, _)| now.saturating_duration_since(*at))
    }
}

/// What the guard asks before it lets somebody in or reads from him.
#[derive(Debug, Default)]
pub(crate) struct Valve {
    newcomers_wait: AtomicBool,
    lag_micros: AtomicU64,
    backlog: AtomicU64,
    held_total: AtomicU64,
    /// Present while players are held; cancelled when they are read from again.
    held: Mutex<Option<CancellationToken>>,
    is_held: AtomicBool,
}

impl Valve {
    /// Whether newcomers must wait.
    pub(crate) fn is_closed(&self) -> bool {
        self.newcomers_wait.load(Ordering::Relaxed)
    }

    /// Whether players are not read from.
    pub(crate) fn is_held(&self) -> bool {
        self.is_held.load(Ordering::Relaxed)
    }

    /// How far the log was behind at the last look.
    pub(crate) fn lag(&self) -> Duration {
        Duration::from_micros(self.lag_micros.load(Ordering::Relaxed))
    }

    /// Acknowledged transactions that were not on disk at the last look.
    pub(crate) fn backlog(&self) -> u64 {
        self.backlog.load(Ordering::Relaxed)
    }

    /// How often players were held.
    pub(crate) fn held_total(&self) -> u64 {
        self.held_total.load(Ordering::Relaxed)
    }

    /// Ends when players are read from again; none when they are.
    pub(crate) fn hold(&self) -> Option<WaitForCancellationFutureOwned> {
        if !self.is_held() {
            return None;
        }
        let held = self.held.lock().unwrap_or_else(PoisonError::into_inner);
        held.as_ref().map(|token| token.clone().cancelled_owned())
    }

    /// Decides by how far the log is behind.
    pub(crate) fn decide(&self, lag: Duration, backlog: u64, limits: &Limits) {
        self.backlog.store(backlog, Ordering::Relaxed);
        let micros = u64::try_from(lag.as_micros()).unwrap_or(u64::MAX);
        self.lag_micros.store(micros, Ordering::Relaxed);
        let waited = self.is_closed();
        let wait = beyond(lag, limits.log_lag_newcomers(), waited);
        self.newcomers_wait.store(wait, Ordering::Relaxed);
        if wait != waited {
            tracing::warn!(lag_millis = micros / 1_000, "newcomers {}", verb(wait));
        }
        let held = self.is_held();
        let hold = beyond(lag, limits.log_lag_max(), held);
        if hold != held {
            self.set_held(hold);
            tracing::warn!(lag_millis = micros / 1_000, "players {}", verb(hold));
        }
    }

    fn set_held(&self, hold: bool) {
        let mut held = self.held.lock().unwrap_or_else(PoisonError::into_inner);
        self.is_held.store(hold, Ordering::Relaxed);
        if hold {
            self.held_total.fetch_add(1, Ordering::Relaxed);
            *held = Some(CancellationToken::new());
        } else if let Some(token) = held.take() {
            token.cancel();
        }
    }
}

/// Beyond the limit, or beyond half of it when it was.
fn beyond(lag: Duration, limit: Duration, was: bool) -> bool {
    lag > if was { limit / 2 } else { limit }
}

fn verb(wait: bool) -> &'static str {
    if wait { "must wait for the log" } else { "go on" }
}

#[cfg(test)]
mod tests {
    use super::*;
    use futures::FutureExt as _;

    fn millis(millis: u64) -> Duration {
        Duration::from_millis(millis)
    }

    #[test]
    fn the_lag_is_the_age_of_the_oldest_unwritten_transaction() {
        let start = Instant::now();
        let mut clock = LagClock::default();
        let mut check = |at: u64, handed_over, written, lag| {
            assert_eq!(clock.look(start + millis(at), handed_over, written), millis(lag), "{at}");
        };
        check(0, 10, 10, 0);
        check(50, 20, 10, 0);
        check(100, 30, 10, 50);
        check(150, 30, 15, 100);
        check(200, 40, 20, 100);
        check(250, 40, 30, 50);
        check(300, 40, 40, 0);
        check(350, 41, 40, 0);
        check(60_000, 41, 40, 59_650);
    }

    #[test]
    fn a_log_that_stands_still_is_remembered_in_bounds() {
        let start = Instant::now();
        let mut clock = LagClock::default();
        for look in 0..10_000 {
            clock.look(start + millis(look), look + 1, 0);
        }
        assert_eq!(clock.handed_over.len(), LOOKS_MAX);
        assert_eq!(clock.look(start + millis(10_000), 10_001, 0), millis(10_000));
        assert_eq!(clock.look(start + millis(10_001), 10_001, 10_001), Duration::ZERO);
    }

    #[test]
    fn newcomers_wait_first_and_everybody_goes_on_after_half() {
        let limits = Limits {
            log_lag_newcomers_millis: 1_000,
            log_lag_millis_max: 2_000,
            ..Limits::default()
        };
        let valve = Valve::default();
        let steps = [
            (1_000, false, false),
            (1_001, true, false),
            (2_000, true, false),
            (2_001, true, true),
            (1_001, true, true),
            (1_000, true, false),
            (501, true, false),
            (500, false, false),
        ];
        for (lag, closed, held) in steps {
            valve.decide(millis(lag), 0, &limits);
            assert_eq!((valve.is_closed(), valve.is_held()), (closed, held), "{lag} ms");
        }
        assert_eq!(valve.held_total(), 1);
    }

    #[test]
    fn who_is_held_hears_when_it_is_over() {
        let (valve, limits) = (Valve::default(), Limits::default());
        assert!(valve.hold().is_none());
        valve.decide(Duration::MAX, 1, &limits);
        let mut held = Box::pin(valve.hold().expect("held"));
        assert!(held.as_mut().now_or_never().is_none());
        valve.decide(Duration::ZERO, 0, &limits);
        assert!(held.as_mut().now_or_never().is_some());
        assert!(valve.hold().is_none());
    }
}
