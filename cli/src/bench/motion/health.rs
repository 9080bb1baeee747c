//! What the ticks of a while did, from the row each of them wrote.
//!
//! Keeps true: a lateness that was reached before the while is not counted to it; what no tick
//! said is missing, not zero.

use anyhow::{Context, ensure};
use spacetimedb_lib::{SpacetimeType, Timestamp, bsatn};

use super::case::Way;
use super::watch::Run;
use crate::bench::report::approximate;
use crate::bots::latency::Latencies;

/// The first columns of Haven's `tick_health`.
#[derive(Clone, Debug, SpacetimeType)]
#[sats(crate = spacetimedb_lib)]
struct MotionHealth {
    tick: String,
    rows_total: u64,
    published_at_once_total: u64,
    published_by_tick_total: u64,
    crowd_switches_total: u64,
    messages_per_s: u64,
    window_late_max_micros: i64,
    window_started_at: Timestamp,
}

/// The first columns of `tick_health` in the module that is compared with.
#[derive(Clone, Debug, SpacetimeType)]
#[sats(crate = spacetimedb_lib)]
struct WalkerHealth {
    tick: String,
    rows_total: u64,
}

/// One run of a tick.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Tick {
    at_micros: i64,
    rows_total: u64,
    /// When the window of its maxima began, and how late a row was in it at most.
    late: Option<(i64, i64)>,
}

/// What the ticks of a while did.
#[derive(Clone, Debug)]
pub(super) struct Ticks {
    /// How long they took: p50 and p99.
    pub(super) took_ms: [f64; 2],
    /// From one to the next: p99.
    pub(super) interval_p99_ms: f64,
    /// Rows they handled.
    pub(super) events_per_s: f64,
    /// How late the latest of these was, if that was reached in the while.
    pub(super) late_max_ms: Option<f64>,
}

impl Ticks {
    /// Sums up the ticks among these runs; `before` are the runs before them.
    pub(super) fn sum_up(way: Way, before: &[Run], runs: &[Run]) -> anyhow::Result<Self> {
        let is_tick = |run: &&Run| &*run.reducer == reducer_of(way);
        let known = before.iter().rfind(is_tick).map(|run| tick_of(way, run)).transpose()?;
        let ticks: Vec<Tick> =
            runs.iter().filter(is_tick).map(|run| tick_of(way, run)).collect::<Result<_, _>>()?;
        ensure!(ticks.len() >= 2, "the tick hardly ran: {} times", ticks.len());
        let (mut took, mut intervals) = (Latencies::default(), Latencies::default());
        runs.iter().filter(is_tick).for_each(|run| took.add(run.took));
        for pair in ticks.windows(2) {
            let micros = pair[1].at_micros.abs_diff(pair[0].at_micros);
            intervals.add(std::time::Duration::from_micros(micros));
        }
        let (first, last) = (ticks[0], ticks[ticks.len() - 1]);
        let seconds = approximate(last.at_micros.abs_diff(first.at_micros)) / 1e6;
        let [p50, _, p99] = took.percentiles_ms();
        Ok(Self {
            took_ms: [p50, p99],
            interval_p99_ms: intervals.percentiles_ms()[2],
            events_per_s: approximate(last.rows_total.saturating_sub(first.rows_total)) / seconds,
            late_max_ms: late_max_ms(known, &ticks),
        })
    }
}

fn reducer_of(way: Way) -> &'static str {
    match way {
        Way::Segments => "motion_tick",
        Way::Rewritten => "walker_tick",
    }
}

fn tick_of(way: Way, run: &Run) -> anyhow::Result<Tick> {
    let at_micros = run.at_micros;
    let unreadable = "a row of tick_health cannot be read";
    match way {
        Way::Segments => {
            let row: MotionHealth = bsatn::from_slice(&run.row).context(unreadable)?;
            let window = row.window_started_at.to_micros_since_unix_epoch();
            let late = Some((window, row.window_late_max_micros));
            Ok(Tick { at_micros, rows_total: row.rows_total, late })
        }
        Way::Rewritten => {
            let row: WalkerHealth = bsatn::from_slice(&run.row).context(unreadable)?;
            Ok(Tick { at_micros, rows_total: row.rows_total, late: None })
        }
    }
}

/// A window's maximum counts when it rose, or when its window began.
fn late_max_ms(before: Option<Tick>, ticks: &[Tick]) -> Option<f64> {
    let mut known = before.and_then(|tick| tick.late);
    let mut greatest = None;
    for (window, late) in ticks.iter().filter_map(|tick| tick.late) {
        if known.is_some_and(|(of, most)| of != window || late > most) {
            greatest = greatest.max(Some(late));
        }
        known = Some((window, late));
    }
    greatest.map(|micros| approximate(micros.unsigned_abs()) / 1e3)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    #[test]
    fn lateness_counts_where_it_was_reached() {
        let tick = |late| Tick { at_micros: 0, rows_total: 0, late: Some(late) };
        let check = |ticks: &[(i64, i64)], expected: Option<f64>| {
            let ticks: Vec<Tick> = ticks.iter().copied().map(tick).collect();
            assert_eq!(late_max_ms(Some(tick((1, 900))), &ticks), expected, "{ticks:?}");
        };
        check(&[], None);
        check(&[(1, 900), (1, 900)], None);
        check(&[(1, 900), (1, 2_000)], Some(2.0));
        check(&[(1, 900), (2, 500), (2, 700)], Some(0.7));
        assert_eq!(late_max_ms(None, &[tick((1, 900))]), None);
    }

    #[test]
    fn ticks_are_summed_up_and_other_runs_left_out() {
        let run = |reducer: &str, at_millis: i64, rows_total: u64| Run {
            reducer: reducer.into(),
            at_micros: at_millis * 1_000,
            took: Duration::from_millis(rows_total),
            row: bsatn::to_vec(&WalkerHealth { tick: "walkers".to_owned(), rows_total })
                .expect("written")
                .into(),
        };
        let tick = |at_millis, rows_total| run("walker_tick", at_millis, rows_total);
        let runs = [tick(0, 10), run("walkers_spawn", 20, 700), tick(50, 20), tick(200, 40)];
        let ticks = Ticks::sum_up(Way::Rewritten, &[], &runs).expect("ticks");
        let near = |one: f64, other: f64| (one - other).abs() < 1e-9;
        assert!(near(ticks.took_ms[0], 20.0) && near(ticks.took_ms[1], 40.0), "{ticks:?}");
        assert!(near(ticks.interval_p99_ms, 150.0) && near(ticks.events_per_s, 150.0));
        assert_eq!(ticks.late_max_ms, None);
        assert!(Ticks::sum_up(Way::Rewritten, &[], &runs[..2]).is_err());
    }
}
