//! The rhythm of the tick: the engine waits an interval from the end of a run to the start of the
//! next, so that ticks come late by what a run takes. The interval is shortened by that.
//!
//! Keeps true: an interval stays between half a tick and a tick, whatever was measured.

use super::TICK_MICROS;

/// Over how many runs the rhythm is measured: about a second.
pub const RHYTHM_RUNS: u32 = 20;
/// How far the mean period may be from a tick before the interval is changed, microseconds.
const SLACK_MICROS: u64 = 1_000;

/// The interval to wait from now on, microseconds, if it is to change: after so many runs with
/// `interval_micros` in between took that long from the first to the last, all starts counted.
pub fn steadied(interval_micros: i64, elapsed_micros: i64, runs: u32) -> Option<i64> {
    let late = elapsed_micros.checked_div(i64::from(runs))?.saturating_sub(TICK_MICROS);
    let wanted = interval_micros.saturating_sub(late).clamp(TICK_MICROS / 2, TICK_MICROS);
    (wanted.abs_diff(interval_micros) >= SLACK_MICROS).then_some(wanted)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_interval_makes_up_for_what_a_run_takes() {
        let check = |interval, elapsed, runs, expected| {
            assert_eq!(steadied(interval, elapsed, runs), expected, "{interval} {elapsed} {runs}");
        };
        check(50_000, 1_000_000, 20, None);
        check(50_000, 1_018_000, 20, None);
        check(50_000, 1_020_000, 20, Some(49_000));
        check(50_000, 1_200_000, 20, Some(40_000));
        check(40_000, 1_000_000, 20, None);
        check(40_000, 900_000, 20, Some(45_000));
        check(40_000, 100_000, 20, Some(50_000));
        check(30_000, 60_000_000, 20, Some(25_000));
        check(25_000, 60_000_000, 20, None);
        check(50_000, i64::MAX, 1, Some(25_000));
        check(50_000, 0, 0, None);
        check(50_000, -9_000_000, 20, None);
    }
}
