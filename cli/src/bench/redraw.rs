//! `haven bench plot`: the figures of earlier runs, together.
//!
//! Keeps true: every document counts once, so that what is printed and drawn is the median of the
//! runs; documents of different benchmarks are not mixed.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, bail, ensure};
use clap::Args;
use serde_json::Value;

use super::report::{Metric, Report};
use super::{combat, crowd, economy, motion, write};

/// Draw the figures of earlier runs together
///
/// Takes documents that `--json` wrote, all of one benchmark; prints the medians as that
/// benchmark's table and draws them as its plot.
#[derive(Debug, Args)]
pub(super) struct PlotArgs {
    /// Documents of one benchmark
    #[arg(required = true, value_name = "JSON", num_args = 1..=100)]
    files: Vec<PathBuf>,
    /// The plot
    #[arg(long, value_name = "FILE", help_heading = "Output")]
    svg: PathBuf,
}

/// Reads, prints and draws.
pub(super) fn run(args: &PlotArgs) -> anyhow::Result<()> {
    let documents: Vec<Value> =
        args.files.iter().map(|file| read(file)).collect::<Result<_, _>>()?;
    let bench = documents.first().and_then(|first| first["bench"].as_str());
    let (name, known) = match bench {
        Some("combat") => ("combat", combat::columns()),
        Some("crowd") => ("crowd", crowd::columns()),
        Some("economy") => ("economy", &economy::COLUMNS[..]),
        Some("motion") => ("motion", motion::all_columns()),
        _ => bail!("the documents are of no benchmark that is known"),
    };
    ensure!(
        documents.iter().all(|document| document["bench"] == name),
        "the documents are of different benchmarks"
    );
    let report = gather(name, known, &documents);
    let (columns, plot) = match name {
        "combat" => (known.to_vec(), combat::plot(&report)),
        "crowd" => (known.to_vec(), crowd::plot(&report)),
        "economy" => (economy::columns(&report), economy::plot(&report)),
        _ => (motion::columns(&report), motion::plot(&report)),
    };
    anstream::print!("{}", report.table(&columns));
    write(&args.svg, &plot.svg()?)
}

fn read(file: &Path) -> anyhow::Result<Value> {
    let text = fs::read_to_string(file);
    let text = text.with_context(|| format!("{} cannot be read", file.display()))?;
    serde_json::from_str(&text).with_context(|| format!("{} is no document", file.display()))
}

fn gather(bench: &'static str, known: &[Metric], documents: &[Value]) -> Report {
    let mut report = Report::new(bench);
    let lines = documents.iter().filter_map(|document| document["results"].as_array()).flatten();
    for line in lines {
        let metric = known.iter().find(|metric| line["metric"] == metric.name);
        let n = line["n"].as_u64().and_then(|n| u32::try_from(n).ok());
        let figure = (metric, line["case"].as_str(), n, line["value"].as_f64());
        if let (Some(metric), Some(case), Some(n), Some(value)) = figure {
            report.add(case, n, *metric, value);
        }
    }
    report
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn several_runs_are_their_median() {
        let run = |value: f64| {
            json!({ "bench": "crowd", "results": [
                { "case": "packed", "n": 100, "metric": "input_to_observation_p99_ms",
                  "unit": "ms", "value": value },
                { "case": "packed", "n": 100, "metric": "of another release", "value": 1 },
            ]})
        };
        let documents = [run(3.0), run(1.0), run(2.0)];
        let report = gather("crowd", crowd::columns(), &documents);
        let document = report.document();
        assert_eq!(document["results"].as_array().map(Vec::len), Some(1));
        assert_eq!(document["results"][0]["value"], 2.0);
    }

    #[test]
    fn what_cannot_be_drawn_together_is_refused() {
        let folder = tempfile::tempdir().expect("a directory");
        let check = |texts: &[&str], expected: &str| {
            let files = texts.iter().enumerate().map(|(number, text)| {
                let file = folder.path().join(format!("{number}.json"));
                fs::write(&file, text).expect("written");
                file
            });
            let args = PlotArgs { files: files.collect(), svg: folder.path().join("x.svg") };
            let error = run(&args).expect_err(expected).to_string();
            assert!(error.contains(expected), "{error}");
        };
        check(&["no JSON"], "is no document");
        check(&["{}"], "of no benchmark");
        check(&[r#"{"bench":"crowd"}"#, r#"{"bench":"motion"}"#], "different");
    }
}
