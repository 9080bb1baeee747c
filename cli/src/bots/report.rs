//! What a run of bots says: a table for people, a document for programs.

use std::collections::BTreeMap;
use std::time::Duration;

use serde::Serialize;

use super::latency::Latencies;
use crate::engine_limit::EngineLimit;
use crate::terminal;

/// What one bot counted, or all of them together.
#[derive(Clone, Debug, Default)]
pub(crate) struct Tally {
    /// Courses that were set.
    pub(crate) inputs: u64,
    /// Rows that arrived about others and oneself.
    pub(crate) updates: u64,
    /// From a course being set to its row arriving at another bot.
    pub(crate) latencies: Latencies,
    /// What went wrong, and how often.
    pub(crate) errors: BTreeMap<String, u64>,
}

impl Tally {
    /// Counts something that went wrong.
    pub(crate) fn error(&mut self, what: impl Into<String>) {
        *self.errors.entry(what.into()).or_default() += 1;
    }

    /// Adds another's.
    pub(crate) fn add(&mut self, other: Self) {
        self.inputs += other.inputs;
        self.updates += other.updates;
        self.latencies.extend(other.latencies);
        for (what, times) in other.errors {
            *self.errors.entry(what).or_default() += times;
        }
    }
}

/// The figures of a run.
#[derive(Clone, Debug)]
pub(crate) struct Report {
    count: u32,
    seconds: f64,
    logins_per_s: f64,
    inputs_per_s: f64,
    updates_per_s: f64,
    observation_ms: [f64; 3],
    observations: usize,
    errors: BTreeMap<String, u64>,
    engine_limit: Option<EngineLimit>,
}

/// One line of the document.
#[derive(Debug, Serialize, PartialEq)]
struct Line {
    case: &'static str,
    n: u32,
    metric: &'static str,
    unit: &'static str,
    value: f64,
}

impl Report {
    /// Divides what was counted by the time it took.
    pub(crate) fn new(
        count: u32,
        logins: (u32, Duration),
        played: Duration,
        mut tally: Tally,
        engine_limit: Option<EngineLimit>,
    ) -> Self {
        let seconds = played.as_secs_f64();
        Self {
            count,
            seconds,
            logins_per_s: rate(f64::from(logins.0), logins.1.as_secs_f64()),
            inputs_per_s: rate(approximate(tally.inputs), seconds),
            updates_per_s: rate(approximate(tally.updates), seconds),
            observations: tally.latencies.count(),
            observation_ms: tally.latencies.percentiles_ms(),
            errors: tally.errors,
            engine_limit,
        }
    }

    /// How often something went wrong.
    pub(crate) fn errors_total(&self) -> u64 {
        self.errors.values().sum()
    }

    /// The table, and below it what went wrong.
    pub(crate) fn table(&self) -> String {
        let heading = [
            "case",
            "n",
            "logins/s",
            "inputs/s",
            "updates/s",
            "p50 ms",
            "p95 ms",
            "p99 ms",
            "errors",
        ];
        let [p50, p95, p99] = self.observation_ms;
        let mut rows = vec![vec![
            "bots".to_owned(),
            self.count.to_string(),
            format!("{:.1}", self.logins_per_s),
            format!("{:.0}", self.inputs_per_s),
            format!("{:.0}", self.updates_per_s),
            format!("{p50:.1}"),
            format!("{p95:.1}"),
            format!("{p99:.1}"),
            self.errors_total().to_string(),
        ]];
        if let Some(limit) = &self.engine_limit {
            let [p50, p95, p99] = limit.latencies;
            rows.push(vec![
                "engine_limit".to_owned(),
                "1".to_owned(),
                "–".to_owned(),
                format!("{:.0}", limit.calls_per_s),
                "–".to_owned(),
                format!("{p50:.2}"),
                format!("{p95:.2}"),
                format!("{p99:.2}"),
                "0".to_owned(),
            ]);
        }
        let mut text = terminal::table(&heading, &rows);
        for (what, times) in &self.errors {
            text.extend([&times.to_string(), " × ", what, "\n"]);
        }
        text
    }

    /// The document of `--json`.
    pub(crate) fn document(&self) -> serde_json::Value {
        let [p50, p95, p99] = self.observation_ms;
        serde_json::json!({
            "bench": "bots",
            "count": self.count,
            "seconds": self.seconds,
            "logins_per_s": self.logins_per_s,
            "inputs_per_s": self.inputs_per_s,
            "updates_per_s": self.updates_per_s,
            "input_to_observation_p50_ms": p50,
            "input_to_observation_p95_ms": p95,
            "input_to_observation_p99_ms": p99,
            "observations": self.observations,
            "errors": self.errors_total(),
            "error_kinds": self.errors,
            "results": self.lines(),
        })
    }

    fn lines(&self) -> Vec<Line> {
        let [p50, p95, p99] = self.observation_ms;
        let errors = approximate(self.errors_total());
        let line = |case, n, metric, unit, value| Line { case, n, metric, unit, value };
        let bots = |metric, unit, value| line("bots", self.count, metric, unit, value);
        let mut lines = vec![
            bots("logins_per_s", "1/s", self.logins_per_s),
            bots("inputs_per_s", "1/s", self.inputs_per_s),
            bots("updates_per_s", "1/s", self.updates_per_s),
            bots("input_to_observation_p50_ms", "ms", p50),
            bots("input_to_observation_p95_ms", "ms", p95),
            bots("input_to_observation_p99_ms", "ms", p99),
            bots("errors", "1", errors),
        ];
        if let Some(limit) = &self.engine_limit {
            let [p50, p95, p99] = limit.latencies;
            let limit_line = |metric, unit, value| line("engine_limit", 1, metric, unit, value);
            lines.push(limit_line("calls_per_s", "1/s", limit.calls_per_s));
            lines.push(limit_line("round_trip_p50_ms", "ms", p50));
            lines.push(limit_line("round_trip_p95_ms", "ms", p95));
            lines.push(limit_line("round_trip_p99_ms", "ms", p99));
        }
        lines
    }
}

fn rate(count: f64, seconds: f64) -> f64 {
    if seconds > 0.0 { count / seconds } else { 0.0 }
}

#[expect(clippy::cast_precision_loss, reason = "counts stay far below 2^53")]
fn approximate(count: u64) -> f64 {
    count as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tally(inputs: u64, updates: u64, millis: &[u64]) -> Tally {
        let mut tally = Tally { inputs, updates, ..Tally::default() };
        for millis in millis {
            tally.latencies.add(Duration::from_millis(*millis));
        }
        tally
    }

    #[test]
    fn rates_are_counts_over_time() {
        let mut sum = tally(30, 600, &[1, 2]);
        let mut other = tally(10, 400, &[3, 4]);
        other.error("refused");
        sum.add(other);
        let limit = EngineLimit { calls_per_s: 5.0, latencies: [0.1, 0.2, 0.3] };
        let took = (Duration::from_secs(2), Duration::from_secs(4));
        let report = Report::new(8, (8, took.0), took.1, sum, Some(limit));
        let document = report.document();
        let expected = [
            ("logins_per_s", 4.0),
            ("inputs_per_s", 10.0),
            ("updates_per_s", 250.0),
            ("input_to_observation_p50_ms", 2.0),
            ("input_to_observation_p99_ms", 4.0),
        ];
        for (metric, value) in expected {
            assert_eq!(document[metric], value, "{metric}");
        }
        assert_eq!(document["errors"], 1);
        assert_eq!(document["results"].as_array().map(Vec::len), Some(11));
        let table = anstream::adapter::strip_str(&report.table()).to_string();
        assert!(table.contains("engine_limit") && table.contains("1 × refused"), "{table}");
    }

    #[test]
    fn nothing_in_no_time_is_zero() {
        let report = Report::new(0, (0, Duration::ZERO), Duration::ZERO, Tally::default(), None);
        assert_eq!(report.document()["updates_per_s"], 0.0);
        assert_eq!(report.errors_total(), 0);
    }
}
