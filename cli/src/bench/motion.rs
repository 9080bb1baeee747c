//! `haven bench motion`: what walkers cost the server, and what their rules take.
//!
//! Keeps true: every land and speed has a fresh server on disk; nobody watches the walkers, so that
//! moving them is all that is measured; numbers and times are bounded.

mod case;
mod check;
mod health;
mod rules;
mod stage;
mod walk;
pub(super) mod watch;

use std::time::Duration;

use anyhow::{bail, ensure};
use clap::{Args, ValueEnum};

use self::case::{Case, WALKERS_MAX, WALKERS_MIN, Way};
use self::walk::{Measured, Session, Timing};
use super::plot::Plot;
use super::report::{Metric, Report, approximate, metric};
use super::{Interrupted, OutputArgs};
use crate::signals::StopSignal;
use crate::terminal;

/// Walkers of a point.
const WALKERS: [u32; 4] = [1_000, 10_000, 100_000, 1_000_000];
const WALKERS_QUICK: [u32; 2] = [1_000, 10_000];
/// Cases of a quick run: one without walkers of its own is left out.
const CASES_QUICK: [Case; 4] =
    [Case::Segments, Case::RewrittenRows, Case::TerrainBlock, Case::Path];
/// Blocks made one by one.
const BLOCKS: u32 = 200;
const BLOCKS_QUICK: u32 = 50;
/// Paths found one by one.
const PATHS: u32 = 1_000;
const PATHS_QUICK: u32 = 100;

const TICK_P50: Metric = metric("tick_p50_ms", "ms", "tick p50", 2);
const TICK_P99: Metric = metric("tick_p99_ms", "ms", "tick p99", 2);
const INTERVAL: Metric = metric("tick_interval_p99_ms", "ms", "every p99", 0);
const LATE: Metric = metric("late_max_ms", "ms", "late max", 0);
const CPU: Metric = metric("cpu_share", "cores", "cpu", 3);
const IDLE_CPU: Metric = metric("idle_cpu_share", "cores", "idle cpu", 3);
const MEMORY: Metric = metric("memory_mb", "MB", "MB", 0);
const LOG: Metric = metric("log_bytes_per_s", "B/s", "log B/s", 0);
const EVENTS: Metric = metric("events_per_s", "1/s", "events/s", 0);
const SEGMENT: Metric = metric("segment_mean_s", "s", "segment s", 1);
const COST: Metric = metric("cost_ratio", "1", "cost ratio", 2);
const TICK_RATIO: Metric = metric("tick_p50_ratio", "1", "tick ratio", 2);
const CHECKED: Metric = metric("rows_checked", "1", "checked", 0);
const VIOLATIONS: Metric = metric("violations", "1", "violations", 0);
const NATIVE_P50: Metric = metric("native_p50_ms", "ms", "native p50", 3);
const NATIVE_P99: Metric = metric("native_p99_ms", "ms", "native p99", 3);
const MODULE_P50: Metric = metric("module_p50_ms", "ms", "module p50", 3);
const MODULE_P99: Metric = metric("module_p99_ms", "ms", "module p99", 3);

const COLUMNS: [Metric; 18] = [
    TICK_P50, TICK_P99, INTERVAL, LATE, CPU, IDLE_CPU, MEMORY, LOG, EVENTS, SEGMENT, COST,
    TICK_RATIO, CHECKED, VIOLATIONS, NATIVE_P50, NATIVE_P99, MODULE_P50, MODULE_P99,
];

/// What walkers cost the server, and what their rules take
///
/// For each case and size of land it starts `haven up` in a process of its own, with its data on
/// disk in a temporary directory and ports the system picks, makes the shipped land, and lets n
/// walkers wander about at 1.8 m/s with nobody watching: 16×16 blocks of 64 m for up to 10,000 of
/// them, 64×64 for up to 100,000, 128×128 for more. They walk for 5 seconds (1 with --quick) before
/// anything is measured.
///
/// Cases: `segments`, Haven's own way: a row is written when somebody turns; afterwards every row
/// is compared with land made anew, and a walker outside of the world, in a blocked cell or too
/// fast fails the benchmark. `rewritten_rows`, up to 100,000: another module in the same server
/// that writes every walker's row 20 times a second, by the same rules. `same_events`, from 10,000
/// on: segments, but ten times as many walk a tenth as fast, so that about as many turn each
/// second, on 64×64 blocks whatever their number. `terrain_block` makes n blocks of land, `path`
/// finds n paths between places at most 500 m apart; each in this process and in the database, and
/// both must find the same.
///
/// Columns: milliseconds a tick that moved somebody took inside the engine (p50, p99), and from one
/// such tick to the next (`every p99`; 20 are due a second); the latest a row was handled after it
/// was due, in milliseconds, if that was reached while measuring; cores the server keeps busy,
/// 1.000 being one core, and the same before there are walkers (`idle cpu`); its resident memory in
/// MB; bytes its logs grow by per second; rows the tick handles per second, and n over that, the
/// mean length of a segment in seconds; CPU less idle over that of 10,000 walkers (`cost ratio`),
/// and the p50 of the tick over theirs (`tick ratio`); rows compared with the land, and how many
/// broke a rule; milliseconds per block or path in this process (`native`) and in the database
/// (`module`), by the engine's own word. `engine_limit` is an empty reducer in an engine of its
/// own, called by the same client as Haven's services.
#[derive(Debug, Args)]
pub(crate) struct MotionArgs {
    #[command(flatten)]
    pub(crate) output: OutputArgs,
    /// Cases to measure [default: all; with --quick all but `same_events`]
    #[arg(long, value_name = "LIST", value_delimiter = ',', value_enum)]
    cases: Vec<Case>,
    /// Numbers of walkers [default: 1000,10000,100000,1000000; with --quick 1000,10000]
    #[arg(long, value_name = "LIST", value_delimiter = ',',
        value_parser = clap::value_parser!(u32)
            .range(i64::from(WALKERS_MIN)..=i64::from(WALKERS_MAX)))]
    walkers: Vec<u32>,
    /// How long a point is measured [default: 60; with --quick 6]
    #[arg(long, value_name = "S", value_parser = clap::value_parser!(u32).range(1..=600))]
    seconds: Option<u32>,
}

/// What is to be measured.
struct Plan {
    cases: Vec<Case>,
    walkers: Vec<u32>,
    timing: Timing,
    blocks: u32,
    paths: u32,
}

impl Plan {
    fn new(args: &MotionArgs) -> anyhow::Result<Self> {
        let quick = args.output.quick;
        let cases = match (args.cases.is_empty(), quick) {
            (false, _) => args.cases.clone(),
            (true, true) => CASES_QUICK.to_vec(),
            (true, false) => Case::value_variants().to_vec(),
        };
        let mut walkers = match (args.walkers.is_empty(), quick) {
            (false, _) => args.walkers.clone(),
            (true, true) => WALKERS_QUICK.to_vec(),
            (true, false) => WALKERS.to_vec(),
        };
        walkers.sort_unstable();
        walkers.dedup();
        for case in &cases {
            let has_none = !walkers.iter().any(|walkers| case.takes(*walkers));
            let is_empty = case.has_walkers() && has_none;
            ensure!(!is_empty, "{} takes no such number of walkers", case.name());
        }
        let seconds = |full: u64, short: u64| Duration::from_secs(if quick { short } else { full });
        let window = args.seconds.map(|seconds| Duration::from_secs(seconds.into()));
        let timing = Timing {
            idle: seconds(4, 1),
            warmup: seconds(5, 1),
            window: window.unwrap_or(seconds(60, 6)),
        };
        let (blocks, paths) = if quick { (BLOCKS_QUICK, PATHS_QUICK) } else { (BLOCKS, PATHS) };
        Ok(Self { cases, walkers, timing, blocks, paths })
    }
}

/// Measures what was asked for; what was measured before a failure stays in the report. A point
/// that fails does not end the others.
pub(crate) async fn run(
    args: &MotionArgs,
    report: &mut Report,
    stop: &mut StopSignal,
) -> anyhow::Result<()> {
    let plan = Plan::new(args)?;
    let mut failures = Vec::new();
    for _ in 0..args.output.runs {
        for case in &plan.cases {
            run_case(*case, &plan, report, &mut failures, stop).await?;
        }
    }
    match failures.first() {
        None => Ok(()),
        Some(first) => bail!("points that failed: {}, first {first}", failures.len()),
    }
}

/// Every column its table can have.
pub(crate) fn all_columns() -> &'static [Metric] {
    &COLUMNS
}

/// The columns of its table: those that something was measured for.
pub(crate) fn columns(report: &Report) -> Vec<Metric> {
    let cases = report.cases();
    let is_measured =
        |metric: &Metric| cases.iter().any(|case| !report.curve(case, *metric).is_empty());
    COLUMNS.into_iter().filter(is_measured).collect()
}

/// CPU over walkers, a curve per case.
pub(crate) fn plot(report: &Report) -> Plot {
    let curve = |case: &str| (case.to_owned(), report.curve(case, CPU));
    let has_points = |curve: &(String, Vec<(f64, f64)>)| !curve.1.is_empty();
    Plot {
        title: "What walkers cost the server".to_owned(),
        axes: ("walkers", "server CPU, cores"),
        curves: report.cases().into_iter().map(curve).filter(has_points).collect(),
        guide: Some(("one core", 1.0)),
    }
}

/// Measures a case once. A point that fails ends those after it on the same server, and no others.
async fn run_case(
    case: Case,
    plan: &Plan,
    report: &mut Report,
    failures: &mut Vec<String>,
    stop: &mut StopSignal,
) -> anyhow::Result<()> {
    if !case.has_walkers() {
        let count = if case == Case::Path { plan.paths } else { plan.blocks };
        let spinner = terminal::spinner(format!("{} with {count}", case.name()));
        let done = |case: Case, count, measured| add_rules(report, case, count, &measured);
        let measured = rules::measure(&[(case, count)], stop, done).await;
        spinner.finish_and_clear();
        return keep(measured, case, &[count], failures);
    }
    let mut base = None;
    for (session, walkers) in sessions(case, plan) {
        let spinner = terminal::spinner(format!("{} with {walkers:?}", case.name()));
        let mut broken = Vec::new();
        let done = |walkers: u32, measured: Measured| {
            add(report, case, walkers, &measured);
            if case == Case::SameEvents {
                let base = base.get_or_insert_with(|| measured.clone());
                add_ratios(report, case, walkers, &measured, base);
            }
            broken.extend(measured.checked.filter(|checked| !checked.violations.is_empty()));
        };
        let measured = walk::measure(&session, &walkers, stop, done).await;
        spinner.finish_and_clear();
        keep(measured, case, &walkers, failures)?;
        for checked in broken {
            let violations: u64 = checked.violations.values().sum();
            let rows = checked.rows;
            failures.push(format!("{}: {violations} of {rows} broke a rule", case.name()));
        }
    }
    Ok(())
}

/// Keeps a failure for later; a request to stop is passed on.
fn keep(
    measured: anyhow::Result<()>,
    case: Case,
    counts: &[u32],
    failures: &mut Vec<String>,
) -> anyhow::Result<()> {
    match measured {
        Err(error) if error.is::<Interrupted>() => return Err(error),
        Err(error) => failures.push(format!("{} {counts:?}: {error:#}", case.name())),
        Ok(()) => {}
    }
    Ok(())
}

/// The servers of a case with their rising numbers of walkers: those with the same land and speed
/// share one.
fn sessions(case: Case, plan: &Plan) -> Vec<(Session, Vec<u32>)> {
    let mut sessions: Vec<(Session, Vec<u32>)> = Vec::new();
    for walkers in plan.walkers.iter().copied().filter(|walkers| case.takes(*walkers)) {
        let (blocks, speed_mm_per_s) = (case.blocks(walkers), case.speed_mm_per_s(walkers));
        match sessions.last_mut() {
            Some((last, points))
                if (last.blocks, last.speed_mm_per_s) == (blocks, speed_mm_per_s) =>
            {
                points.push(walkers);
            }
            _ => {
                let is_checked = case.way() == Way::Segments;
                let (way, timing) = (case.way(), plan.timing);
                let session = Session { way, blocks, speed_mm_per_s, timing, is_checked };
                sessions.push((session, vec![walkers]));
            }
        }
    }
    sessions
}

fn add_rules(report: &mut Report, case: Case, count: u32, measured: &rules::Measured) {
    let ([native_p50, native_p99], [module_p50, module_p99]) =
        (measured.native_ms, measured.module_ms);
    for (metric, value) in [
        (NATIVE_P50, native_p50),
        (NATIVE_P99, native_p99),
        (MODULE_P50, module_p50),
        (MODULE_P99, module_p99),
    ] {
        report.add(case.name(), count, metric, value);
    }
}

fn add(report: &mut Report, case: Case, walkers: u32, measured: &Measured) {
    let mut put = |metric, value| report.add(case.name(), walkers, metric, value);
    let ticks = &measured.ticks;
    for (metric, value) in [
        (TICK_P50, ticks.took_ms[0]),
        (TICK_P99, ticks.took_ms[1]),
        (CPU, measured.cpu_share),
        (MEMORY, measured.memory_mb),
        (LOG, measured.log_bytes_per_s),
        (EVENTS, ticks.events_per_s),
        (INTERVAL, ticks.interval_p99_ms),
        (IDLE_CPU, measured.idle_cpu_share),
    ] {
        put(metric, value);
    }
    if let Some(late_ms) = ticks.late_max_ms {
        put(LATE, late_ms);
    }
    if case != Case::RewrittenRows && ticks.events_per_s > 0.0 {
        put(SEGMENT, f64::from(walkers) / ticks.events_per_s);
    }
    if let Some(checked) = &measured.checked {
        put(CHECKED, approximate(checked.rows));
        put(VIOLATIONS, approximate(checked.violations.values().sum()));
        report.add_errors(case.name(), walkers, &checked.violations);
    }
}

fn add_ratios(report: &mut Report, case: Case, walkers: u32, of: &Measured, base: &Measured) {
    let cost = |measured: &Measured| measured.cpu_share - measured.idle_cpu_share;
    let took = |measured: &Measured| measured.ticks.took_ms[0];
    for (metric, value, against) in
        [(COST, cost(of), cost(base)), (TICK_RATIO, took(of), took(base))]
    {
        // A machine too fast to be measured has no ratio.
        if against > 0.0 {
            report.add(case.name(), walkers, metric, value / against);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bench::motion::health::Ticks;
    use clap::Parser;

    #[derive(Debug, Parser)]
    struct Line {
        #[command(flatten)]
        args: MotionArgs,
    }

    fn plan(line: &[&str]) -> anyhow::Result<Plan> {
        let line = Line::try_parse_from([&["motion"], line].concat())?;
        Plan::new(&line.args)
    }

    #[test]
    fn cases_and_walkers_can_be_chosen() {
        let full = plan(&[]).expect("a plan");
        assert_eq!((full.cases.len(), full.walkers.len()), (5, 4));
        assert_eq!((full.timing.window, full.paths), (Duration::from_mins(1), 1_000));
        let quick = plan(&["--quick"]).expect("a plan");
        assert_eq!((quick.cases.len(), quick.walkers), (4, WALKERS_QUICK.to_vec()));
        assert_eq!(quick.timing.window, Duration::from_secs(6));
        let chosen = ["--cases", "segments,path", "--walkers", "300,200,300", "--seconds", "2"];
        let chosen = plan(&chosen).expect("a plan");
        assert_eq!(
            (chosen.cases, chosen.walkers),
            (vec![Case::Segments, Case::Path], vec![200, 300])
        );
        for line in [
            &["--walkers", "99"][..],
            &["--walkers", "1000001"],
            &["--cases", "alone"],
            &["--cases", "rewritten_rows", "--walkers", "1000000"],
        ] {
            assert!(plan(line).is_err(), "{line:?}");
        }
    }

    #[test]
    fn ratios_stand_beside_the_base_and_only_measured_columns_are_shown() {
        let measured = |cpu_share: f64, took_ms: f64| Measured {
            ticks: Ticks {
                took_ms: [took_ms, took_ms],
                interval_p99_ms: 50.0,
                events_per_s: 500.0,
                late_max_ms: None,
            },
            cpu_share,
            idle_cpu_share: 0.5,
            memory_mb: 100.0,
            log_bytes_per_s: 1.0,
            checked: None,
        };
        let mut report = Report::new("motion");
        let (base, of) = (measured(1.0, 2.0), measured(1.5, 3.0));
        add(&mut report, Case::SameEvents, 100_000, &of);
        add_ratios(&mut report, Case::SameEvents, 100_000, &of, &base);
        assert_eq!(report.curve("same_events", COST), [(100_000.0, 2.0)]);
        assert_eq!(report.curve("same_events", TICK_RATIO), [(100_000.0, 1.5)]);
        assert_eq!(report.curve("same_events", SEGMENT), [(100_000.0, 200.0)]);
        let shown: Vec<&str> = columns(&report).iter().map(|metric| metric.name).collect();
        assert!(shown.contains(&"cost_ratio") && !shown.contains(&"late_max_ms"), "{shown:?}");
        assert!(plot(&report).svg().expect("a picture").contains("same_events"));
    }
}
