//! What a benchmark measured: a table for people, a document for programs, curves for a plot.
//!
//! Keeps true: a figure is the median of its runs; a figure that was not measured is missing, not
//! zero; the document's names of cases and metrics are those that others read.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use crate::engine_limit::EngineLimit;
use crate::terminal;

/// The case of the engine's own limit, in every benchmark.
const ENGINE_LIMIT: &str = "engine_limit";

/// Something that is measured.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Metric {
    /// Its name in the document.
    pub(crate) name: &'static str,
    /// Its unit in the document.
    pub(crate) unit: &'static str,
    /// Its column in the table.
    pub(crate) heading: &'static str,
    /// Decimals in the table.
    pub(crate) decimals: usize,
}

/// A column, by its name, unit, heading and decimals.
pub(crate) const fn metric(
    name: &'static str,
    unit: &'static str,
    heading: &'static str,
    decimals: usize,
) -> Metric {
    Metric { name, unit, heading, decimals }
}

/// One figure, once per run.
#[derive(Clone, Debug)]
struct Figure {
    case: String,
    n: u32,
    metric: &'static str,
    unit: &'static str,
    runs: Vec<f64>,
}

/// The figures of a benchmark, in the order they were first measured.
#[derive(Clone, Debug)]
pub(crate) struct Report {
    bench: &'static str,
    figures: Vec<Figure>,
    errors: BTreeMap<String, u64>,
}

impl Report {
    /// No figures yet.
    pub(crate) fn new(bench: &'static str) -> Self {
        Self { bench, figures: Vec::new(), errors: BTreeMap::new() }
    }

    /// Adds what one run measured.
    pub(crate) fn add(&mut self, case: &str, n: u32, metric: Metric, value: f64) {
        self.put(case, n, metric.name, metric.unit, value);
    }

    fn put(&mut self, case: &str, n: u32, metric: &'static str, unit: &'static str, value: f64) {
        let same =
            |figure: &&mut Figure| (&*figure.case, figure.n, figure.metric) == (case, n, metric);
        if let Some(figure) = self.figures.iter_mut().find(same) {
            figure.runs.push(value);
        } else {
            let case = case.to_owned();
            self.figures.push(Figure { case, n, metric, unit, runs: vec![value] });
        }
    }

    /// Adds the engine's own limit.
    pub(crate) fn add_engine_limit(&mut self, limit: &EngineLimit) {
        let [p50, p95, p99] = limit.latencies;
        for (metric, unit, value) in [
            ("calls_per_s", "1/s", limit.calls_per_s),
            ("round_trip_p50_ms", "ms", p50),
            ("round_trip_p95_ms", "ms", p95),
            ("round_trip_p99_ms", "ms", p99),
        ] {
            self.put(ENGINE_LIMIT, 1, metric, unit, value);
        }
    }

    /// Counts things that went wrong, to be said below the table.
    pub(crate) fn add_errors(&mut self, case: &str, n: u32, errors: &BTreeMap<String, u64>) {
        for (what, times) in errors {
            *self.errors.entry(format!("{case} {n}: {what}")).or_default() += times;
        }
    }

    /// Whether nothing was measured.
    pub(crate) fn is_empty(&self) -> bool {
        self.figures.is_empty()
    }

    /// One metric of a case over n.
    pub(crate) fn curve(&self, case: &str, metric: Metric) -> Vec<(f64, f64)> {
        let of_case = |figure: &&Figure| figure.case == case && figure.metric == metric.name;
        let figures = self.figures.iter().filter(of_case);
        let mut points: Vec<_> =
            figures.map(|figure| (f64::from(figure.n), median(&figure.runs))).collect();
        points.sort_by(|one, other| one.0.total_cmp(&other.0));
        points
    }

    /// The cases in the order they were first measured, without the engine's limit.
    pub(crate) fn cases(&self) -> Vec<&str> {
        let mut cases: Vec<&str> = Vec::new();
        for figure in &self.figures {
            if figure.case != ENGINE_LIMIT && !cases.contains(&&*figure.case) {
                cases.push(&figure.case);
            }
        }
        cases
    }

    /// A line per case and n with these columns, the engine's limit, and what went wrong.
    pub(crate) fn table(&self, columns: &[Metric]) -> String {
        let mut heading = vec!["case", "n"];
        heading.extend(columns.iter().map(|metric| metric.heading));
        let mut lines: Vec<(&str, u32)> = Vec::new();
        for figure in self.figures.iter().filter(|figure| figure.case != ENGINE_LIMIT) {
            if !lines.contains(&(&figure.case, figure.n)) {
                lines.push((&figure.case, figure.n));
            }
        }
        let row = |(case, n): &(&str, u32)| {
            let cells = columns.iter().map(|metric| match self.value(case, *n, metric.name) {
                Some(value) => format!("{value:.*}", metric.decimals),
                None => "–".to_owned(),
            });
            [(*case).to_owned(), n.to_string()].into_iter().chain(cells).collect()
        };
        let rows: Vec<Vec<String>> = lines.iter().map(row).collect();
        let mut text = terminal::table(&heading, &rows);
        text.push_str(&self.engine_limit_line());
        for (what, times) in &self.errors {
            text.extend([&times.to_string(), " × ", what, "\n"]);
        }
        text
    }

    fn engine_limit_line(&self) -> String {
        let value = |metric| self.value(ENGINE_LIMIT, 1, metric);
        let figures =
            (value("calls_per_s"), value("round_trip_p50_ms"), value("round_trip_p99_ms"));
        let (Some(calls), Some(p50), Some(p99)) = figures else { return String::new() };
        format!(
            "engine_limit: an empty reducer, {calls:.0} calls/s; one by one p50 {p50:.2} ms, \
             p99 {p99:.2} ms\n"
        )
    }

    fn value(&self, case: &str, n: u32, metric: &str) -> Option<f64> {
        let same = |figure: &&Figure| (&*figure.case, figure.n, figure.metric) == (case, n, metric);
        self.figures.iter().find(same).map(|figure| median(&figure.runs))
    }

    /// The document of `--json`. With several runs, `min` and `max` stand beside the median.
    pub(crate) fn document(&self) -> Value {
        let line = |figure: &Figure| {
            let Figure { case, n, metric, unit, runs } = figure;
            let value = median(runs);
            let mut line = json!({
                "case": case, "n": n, "metric": metric, "unit": unit, "value": value,
            });
            if runs.len() > 1 {
                line["min"] = runs.iter().copied().fold(f64::INFINITY, f64::min).into();
                line["max"] = runs.iter().copied().fold(f64::NEG_INFINITY, f64::max).into();
            }
            line
        };
        let results: Vec<Value> = self.figures.iter().map(line).collect();
        json!({ "bench": self.bench, "results": results })
    }
}

/// The middle value, or the mean of the middle two; zero for none.
pub(crate) fn median(values: &[f64]) -> f64 {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    let (below, above) = (sorted.len().saturating_sub(1) / 2, sorted.len() / 2);
    match (sorted.get(below), sorted.get(above)) {
        (Some(below), Some(above)) => f64::midpoint(*below, *above),
        _ => 0.0,
    }
}

/// A count as a number to calculate with.
#[expect(clippy::cast_precision_loss, reason = "counts stay far below 2^53")]
pub(crate) fn approximate(count: u64) -> f64 {
    count as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    const P99: Metric = Metric { name: "p99_ms", unit: "ms", heading: "p99 ms", decimals: 1 };
    const RATE: Metric = Metric { name: "rate", unit: "1/s", heading: "1/s", decimals: 0 };

    fn report() -> Report {
        let mut report = Report::new("crowd");
        for value in [3.0, 1.0, 2.0] {
            report.add("packed", 500, P99, value);
        }
        report.add("packed", 100, P99, 9.0);
        report.add("spread", 100, RATE, 7.0);
        report
    }

    #[test]
    fn a_median_stands_in_the_middle() {
        let check = |values: &[f64], expected: f64| {
            assert!((median(values) - expected).abs() < 1e-9, "{values:?}");
        };
        check(&[], 0.0);
        check(&[4.0], 4.0);
        check(&[9.0, 1.0, 5.0], 5.0);
        check(&[9.0, 1.0, 5.0, 7.0], 6.0);
    }

    #[test]
    fn the_document_has_a_line_per_figure_and_a_spread_with_several_runs() {
        let expected = json!({ "bench": "crowd", "results": [
            { "case": "packed", "n": 500, "metric": "p99_ms", "unit": "ms",
              "value": 2.0, "min": 1.0, "max": 3.0 },
            { "case": "packed", "n": 100, "metric": "p99_ms", "unit": "ms", "value": 9.0 },
            { "case": "spread", "n": 100, "metric": "rate", "unit": "1/s", "value": 7.0 },
        ]});
        assert_eq!(report().document(), expected);
    }

    #[test]
    fn the_table_has_a_line_per_case_and_n_and_no_zero_for_what_is_missing() {
        let mut report = report();
        let limit = EngineLimit { calls_per_s: 5.0, latencies: [0.1, 0.2, 0.3] };
        report.add_engine_limit(&limit);
        report.add_errors("spread", 100, &BTreeMap::from([("refused".to_owned(), 2)]));
        let table = anstream::adapter::strip_str(&report.table(&[P99, RATE])).to_string();
        assert_eq!(
            table,
            "case      n  p99 ms  1/s\n\
             packed  500     2.0    –\n\
             packed  100     9.0    –\n\
             spread  100       –    7\n\
             engine_limit: an empty reducer, 5 calls/s; one by one p50 0.10 ms, p99 0.30 ms\n\
             2 × spread 100: refused\n"
        );
        assert!(!report.is_empty() && Report::new("crowd").is_empty());
    }

    #[test]
    fn a_curve_runs_over_n() {
        let report = report();
        assert_eq!(report.curve("packed", P99), [(100.0, 9.0), (500.0, 2.0)]);
        assert_eq!(report.curve("spread", P99), []);
        assert_eq!(report.cases(), ["packed", "spread"]);
    }
}
