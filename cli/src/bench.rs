//! `haven bench`: benchmarks that anybody can repeat, each against a server of its own.
//!
//! Keeps true: the server is another process than the load; a figure stands beside the engine's
//! own limit, measured on the same machine at the same time; figures that were measured before a
//! failure are printed and written all the same.

mod chat;
mod combat;
mod crowd;
mod economy;
mod leaderboard;
mod motion;
mod peer;
mod plot;
pub(crate) mod proc;
mod redraw;
mod report;
mod server;

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::Context;
use clap::{Args, Subcommand};

use self::chat::ChatArgs;
use self::combat::CombatArgs;
use self::crowd::CrowdArgs;
use self::economy::EconomyArgs;
use self::leaderboard::LeaderboardArgs;
use self::motion::MotionArgs;
use self::plot::Plot;
use self::redraw::PlotArgs;
use self::report::{Metric, Report};
use crate::signals::StopSignal;
use crate::{engine_limit, terminal};

/// Measure what this machine can do
///
/// Each benchmark starts servers of its own, on ports the system picks and in temporary
/// directories, and removes them again. Nothing else should run meanwhile: server and load share
/// this machine, and each benchmark tells what either of them used. It prints a table;
/// `--json` writes every figure as a line with `case`, `n`, `metric`, `unit` and `value`.
/// Case `engine_limit` is an empty reducer, the limit no figure can pass.
#[derive(Debug, Args)]
pub(crate) struct BenchArgs {
    #[command(subcommand)]
    bench: Bench,
}

#[derive(Debug, Subcommand)]
enum Bench {
    Chat(ChatArgs),
    Combat(CombatArgs),
    Crowd(CrowdArgs),
    Economy(EconomyArgs),
    Leaderboard(LeaderboardArgs),
    Motion(MotionArgs),
    Plot(PlotArgs),
}

/// Somebody asked to stop.
#[derive(Debug)]
struct Interrupted;

impl std::fmt::Display for Interrupted {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("interrupted")
    }
}

impl std::error::Error for Interrupted {}

/// What every benchmark takes.
#[derive(Debug, Args)]
pub(crate) struct OutputArgs {
    /// Measure little, and end within 45 seconds
    #[arg(long)]
    pub(crate) quick: bool,
    /// Also write the figures to a file
    #[arg(long, value_name = "FILE", help_heading = "Output")]
    json: Option<PathBuf>,
    /// Also draw a plot
    #[arg(long, value_name = "FILE", help_heading = "Output")]
    svg: Option<PathBuf>,
    /// Measure everything so often; figures are medians, with `min` and `max` in the document
    #[arg(long, value_name = "N", default_value_t = 1,
        value_parser = clap::value_parser!(u32).range(1..=100))]
    pub(crate) runs: u32,
}

/// Measures, prints and writes. What goes wrong beyond what a server can bear is a figure, not a
/// failure.
pub(crate) async fn run(args: BenchArgs) -> anyhow::Result<()> {
    let mut stop = StopSignal::catch()?;
    match args.bench {
        Bench::Plot(args) => redraw::run(&args),
        Bench::Chat(args) => {
            let mut report = Report::new("chat");
            let outcome = chat::run(&args, &mut report, &mut stop).await;
            let output = &args.output;
            finish(outcome, report, output, chat::columns(), chat::plot, &mut stop).await
        }
        Bench::Combat(args) => {
            let mut report = Report::new("combat");
            let outcome = combat::run(&args, &mut report, &mut stop).await;
            let output = &args.output;
            finish(outcome, report, output, combat::columns(), combat::plot, &mut stop).await
        }
        Bench::Crowd(args) => {
            let mut report = Report::new("crowd");
            let outcome = crowd::run(&args, &mut report, &mut stop).await;
            let output = &args.output;
            finish(outcome, report, output, crowd::columns(), crowd::plot, &mut stop).await
        }
        Bench::Leaderboard(args) => {
            let mut report = Report::new("leaderboard");
            let outcome = leaderboard::run(&args, &mut report, &mut stop).await;
            let (output, columns) = (&args.output, leaderboard::columns());
            finish(outcome, report, output, columns, leaderboard::plot, &mut stop).await
        }
        Bench::Economy(args) => {
            let mut report = Report::new("economy");
            let outcome = economy::run(&args, &mut report, &mut stop).await;
            let columns = economy::columns(&report);
            finish(outcome, report, &args.output, &columns, economy::plot, &mut stop).await
        }
        Bench::Motion(args) => {
            let mut report = Report::new("motion");
            let outcome = motion::run(&args, &mut report, &mut stop).await;
            let columns = motion::columns(&report);
            finish(outcome, report, &args.output, &columns, motion::plot, &mut stop).await
        }
    }
}

/// Measures the engine's limit and shows everything, also after a failure.
async fn finish(
    outcome: anyhow::Result<()>,
    mut report: Report,
    output: &OutputArgs,
    columns: &[Metric],
    plot: impl FnOnce(&Report) -> Plot,
    stop: &mut StopSignal,
) -> anyhow::Result<()> {
    let outcome = match outcome {
        Ok(()) => add_engine_limit(&mut report, output.runs, stop).await,
        Err(error) => Err(error),
    };
    if !report.is_empty() {
        anstream::print!("{}", report.table(columns));
        if let Some(file) = &output.json {
            write(file, &serde_json::to_string_pretty(&report.document())?)?;
        }
        if let Some(file) = &output.svg {
            write(file, &plot(&report).svg()?)?;
        }
    }
    outcome
}

async fn add_engine_limit(
    report: &mut Report,
    runs: u32,
    stop: &mut StopSignal,
) -> anyhow::Result<()> {
    for _ in 0..runs {
        let spinner = terminal::spinner("measuring the engine's own limit");
        let limit = tokio::select! {
            limit = engine_limit::measure() => limit?,
            () = stop.wait() => return Err(Interrupted.into()),
        };
        spinner.finish_and_clear();
        report.add_engine_limit(&limit);
    }
    Ok(())
}

fn write(file: &Path, text: &str) -> anyhow::Result<()> {
    fs::write(file, text).with_context(|| format!("{} cannot be written", file.display()))
}
