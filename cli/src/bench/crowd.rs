//! `haven bench crowd`: many clients that walk in sight of each other.
//!
//! Keeps true: every point has a fresh server; the clients are light, so that the server is what is
//! measured; the number of clients, the time and the observers are bounded.

mod case;
pub(super) mod cast;
mod client;
mod eyes;
pub(super) mod frames;
mod inputs;
pub(super) mod layout;
pub(super) mod messages;
mod point;

use std::path::PathBuf;

use anyhow::{Context, bail};
use clap::{Args, ValueEnum};
use serde_json::Value;

use self::case::Case;
use self::point::{Measured, Point};
use super::peer::{Peer, PeerPoint, name_of};
use super::plot::Plot;
use super::report::{Metric, Report, metric};
use super::{Interrupted, OutputArgs};
use crate::signals::StopSignal;
use crate::terminal;

/// Clients of a point.
const CLIENTS: [u32; 6] = [100, 500, 1_000, 2_000, 3_000, 4_000];
const CLIENTS_QUICK: u32 = 200;
const CLIENTS_MAX: i64 = 5_000;
/// A case with more clients is not measured once p99 has passed this, milliseconds.
const P99_MAX_MS: f64 = 1_000.0;
/// What a player should not wait longer for, milliseconds; a line in the plot.
const GOOD_MS: f64 = 100.0;

const P50: Metric = metric("input_to_observation_p50_ms", "ms", "p50 ms", 1);
const P95: Metric = metric("input_to_observation_p95_ms", "ms", "p95 ms", 1);
const P99: Metric = metric("input_to_observation_p99_ms", "ms", "p99 ms", 1);
const BYTES: Metric = metric("bytes_per_client_s", "B/s", "B/client/s", 0);
const SERVER_CPU: Metric = metric("server_cpu_share", "cores", "server cpu", 2);
const GENERATOR_CPU: Metric = metric("generator_cpu_share", "cores", "load cpu", 2);
const MEMORY: Metric = metric("memory_mb", "MB", "MB", 0);
const CLIENT_MEMORY: Metric = metric("memory_per_client_kb", "kB", "kB/client", 0);
const UPDATES: Metric = metric("updates_per_s", "1/s", "updates/s", 0);
const MESSAGES: Metric = metric("messages_per_s", "1/s", "messages/s", 0);
const INPUTS: Metric = metric("inputs_per_s", "1/s", "inputs/s", 0);
const IN_SIGHT: Metric = metric("others_in_sight", "1", "in sight", 1);
const UNSEEN: Metric = metric("unseen_share", "1", "unseen", 3);
const ERRORS: Metric = metric("errors", "1", "errors", 0);

const COLUMNS: [Metric; 12] = [
    IN_SIGHT,
    INPUTS,
    UPDATES,
    P50,
    P95,
    P99,
    BYTES,
    SERVER_CPU,
    GENERATOR_CPU,
    MEMORY,
    CLIENT_MEMORY,
    ERRORS,
];
/// What a peer's object holds.
const PEER_METRICS: [Metric; 8] = [P50, P95, P99, BYTES, SERVER_CPU, GENERATOR_CPU, MEMORY, ERRORS];

/// Many clients that walk in sight of each other
///
/// For each point it starts `haven up` in a process of its own, with its data on disk in a
/// temporary directory and ports the system picks, lets n characters in, and has each change its
/// course once or five times a second, in turn around the place where it stands. All clients are
/// WebSockets of this process that read every frame; 24 of them also decode every row and time it.
///
/// Cases: `spread`, two clients per block, so that everybody sees some 17 others (who stands in an
/// outermost block is not counted); `spread_10x10`, evenly over 10 × 10 blocks of 64 m; `packed`,
/// all in one block. Each with one input per client and second, and with five as `…_5_per_s`.
/// A case is not raised further once p99 has passed one second.
///
/// Columns: clients in sight of a client; inputs sent and rows received by all clients, per second;
/// milliseconds from an input being sent to its row arriving at each sampled other client in sight
/// (p50, p95, p99; what never arrives counts as still on its way at the end); bytes of the
/// messages a client receives per second; cores the server and the load generator keep busy, 1.00
/// being one core; the server's resident memory in MB, and what it grew by for each client in kB;
/// what went wrong. The document also has `messages_per_s`, and `unseen_share`, the share of inputs
/// that did not arrive within 1.5 s after the end. `engine_limit` is an empty reducer in an engine
/// of its own, called by the same client as Haven's services.
#[derive(Debug, Args)]
pub(crate) struct CrowdArgs {
    #[command(flatten)]
    pub(crate) output: OutputArgs,
    /// Cases to measure [default: all; with --quick spread,packed]
    #[arg(long, value_name = "LIST", value_delimiter = ',', value_enum)]
    cases: Vec<Case>,
    /// Numbers of clients [default: 100,500,1000,2000,3000,4000; with --quick 200]
    #[arg(long, value_name = "LIST", value_delimiter = ',',
        value_parser = clap::value_parser!(u32).range(2..=CLIENTS_MAX))]
    clients: Vec<u32>,
    /// How long a point is measured [default: 10; with --quick 5]
    #[arg(long, value_name = "S", value_parser = clap::value_parser!(u32).range(1..=600))]
    seconds: Option<u32>,
    /// How long clients walk before that [default: 3; with --quick 1]
    #[arg(long, value_name = "S", value_parser = clap::value_parser!(u32).range(0..=60))]
    warmup: Option<u32>,
    /// Measure another server in alternation: a directory with a run.mjs, run by node
    ///
    /// Its cases stand beside `spread_10x10` and `packed`, with its name before them.
    #[arg(long, value_name = "DIR")]
    peer: Option<PathBuf>,
}

/// What is to be measured.
struct Plan {
    cases: Vec<Case>,
    clients: Vec<u32>,
    seconds: u32,
    warmup: u32,
    peer: Option<Peer>,
}

impl Plan {
    fn new(args: &CrowdArgs) -> anyhow::Result<Self> {
        let quick = args.output.quick;
        let cases = match (args.cases.is_empty(), quick) {
            (false, _) => args.cases.clone(),
            (true, true) => vec![Case::Spread, Case::Packed],
            (true, false) => Case::value_variants().to_vec(),
        };
        let mut clients = match (args.clients.is_empty(), quick) {
            (false, _) => args.clients.clone(),
            (true, true) => vec![CLIENTS_QUICK],
            (true, false) => CLIENTS.to_vec(),
        };
        clients.sort_unstable();
        clients.dedup();
        Ok(Self {
            cases,
            clients,
            seconds: args.seconds.unwrap_or(if quick { 5 } else { 10 }),
            warmup: args.warmup.unwrap_or(if quick { 1 } else { 3 }),
            peer: args.peer.as_deref().map(Peer::open).transpose()?,
        })
    }
}

/// Measures what was asked for; what was measured before a failure stays in the report. A point
/// that fails ends its case, not the others.
pub(crate) async fn run(
    args: &CrowdArgs,
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
        Some(first) => bail!("cases that failed: {}, first {first}", failures.len()),
    }
}

/// The columns of its table.
pub(crate) fn columns() -> &'static [Metric] {
    &COLUMNS
}

/// p99 over clients, a curve per case.
pub(crate) fn plot(report: &Report) -> Plot {
    let curve = |case: &str| (case.to_owned(), report.curve(case, P99));
    Plot {
        title: "From a course being set to others seeing it, p99".to_owned(),
        axes: ("clients", "p99, ms"),
        curves: report.cases().into_iter().map(curve).collect(),
        guide: Some(("100 ms", GOOD_MS)),
    }
}

/// One curve: Haven's, or a peer's beside it.
#[derive(Clone, Copy, Debug)]
enum Side<'a> {
    Own,
    Peer { peer: &'a Peer, theirs: &'static str, ours: &'static str },
}

async fn run_case(
    case: Case,
    plan: &Plan,
    report: &mut Report,
    failures: &mut Vec<String>,
    stop: &mut StopSignal,
) -> anyhow::Result<()> {
    let mut sides = vec![Side::Own];
    if let Some(peer) = &plan.peer {
        let cases = case.peer_cases().iter();
        sides.extend(cases.map(|(theirs, ours)| Side::Peer { peer, theirs, ours }));
    }
    for clients in plan.clients.iter().copied() {
        let mut raised = Vec::new();
        for side in sides {
            let p99_ms = match side {
                Side::Own => measure_own(case, clients, plan, report, stop).await,
                Side::Peer { peer, theirs, ours } => {
                    let point = peer_point(case, theirs, clients, plan);
                    measure_peer(peer, ours, &point, report, stop).await
                }
            };
            match p99_ms {
                Ok(p99_ms) if p99_ms <= P99_MAX_MS => raised.push(side),
                Ok(_) => {}
                Err(error) if error.is::<Interrupted>() => return Err(error),
                Err(error) => failures.push(format!("{} {clients}: {error:#}", case.name())),
            }
        }
        sides = raised;
    }
    Ok(())
}

/// Measures a point of Haven's; answers p99 in milliseconds.
async fn measure_own(
    case: Case,
    clients: u32,
    plan: &Plan,
    report: &mut Report,
    stop: &mut StopSignal,
) -> anyhow::Result<f64> {
    let spinner = terminal::spinner(format!("{} with {clients} clients", case.name()));
    let point = Point {
        formation: case.formation(),
        clients,
        inputs_per_s: case.inputs_per_s(),
        seconds: plan.seconds,
        warmup: plan.warmup,
    };
    let measured = point::measure(&point, stop).await;
    spinner.finish_and_clear();
    let measured = measured?;
    add(report, case.name(), clients, &measured);
    Ok(measured.latencies_ms[2])
}

/// Measures a point of the peer's; answers p99 in milliseconds.
async fn measure_peer(
    peer: &Peer,
    ours: &str,
    point: &PeerPoint,
    report: &mut Report,
    stop: &mut StopSignal,
) -> anyhow::Result<f64> {
    let spinner =
        terminal::spinner(format!("the peer's {}, {} clients", point.case, point.clients));
    let figures = tokio::select! {
        figures = peer.measure(point) => figures,
        () = stop.wait() => Err(Interrupted.into()),
    };
    spinner.finish_and_clear();
    add_peer(report, ours, point.clients, &figures?)
}

fn peer_point(case: Case, theirs: &'static str, clients: u32, plan: &Plan) -> PeerPoint {
    let layout = layout::Layout::new(case.formation(), clients);
    PeerPoint {
        case: theirs,
        clients,
        inputs_per_s: case.inputs_per_s(),
        blocks: layout.side(),
        seconds: plan.seconds,
        warmup: plan.warmup,
    }
}

fn add(report: &mut Report, case: &str, clients: u32, measured: &Measured) {
    let mut put = |metric, value| report.add(case, clients, metric, value);
    let [p50, p95, p99] = measured.latencies_ms;
    for (metric, value) in [
        (P50, p50),
        (P95, p95),
        (P99, p99),
        (BYTES, measured.bytes_per_client_s),
        (SERVER_CPU, measured.server_cpu_share),
        (GENERATOR_CPU, measured.generator_cpu_share),
        (MEMORY, measured.memory_mb),
        (CLIENT_MEMORY, measured.memory_per_client_kb),
        (UPDATES, measured.updates_per_s),
        (MESSAGES, measured.messages_per_s),
        (INPUTS, measured.inputs_per_s),
        (IN_SIGHT, measured.others_in_sight),
        (UNSEEN, measured.unseen_share),
        (ERRORS, super::report::approximate(measured.errors.values().sum())),
    ] {
        put(metric, value);
    }
    report.add_errors(case, clients, &measured.errors);
}

/// Adds a peer's figures; answers p99 in milliseconds.
fn add_peer(report: &mut Report, ours: &str, clients: u32, figures: &Value) -> anyhow::Result<f64> {
    let case = format!("{}_{ours}", name_of(figures));
    let p99_ms = figures[P99.name].as_f64().context("the peer tells no p99")?;
    for metric in PEER_METRICS {
        if let Some(value) = figures[metric.name].as_f64() {
            report.add(&case, clients, metric, value);
        }
    }
    Ok(p99_ms)
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::Parser;
    use serde_json::json;

    #[derive(Debug, Parser)]
    struct Line {
        #[command(flatten)]
        args: CrowdArgs,
    }

    fn plan(line: &[&str]) -> Plan {
        let line = Line::try_parse_from([&["crowd"], line].concat()).expect("valid");
        Plan::new(&line.args).expect("a plan")
    }

    #[test]
    fn cases_and_clients_can_be_chosen() {
        let full = plan(&[]);
        assert_eq!((full.cases.len(), full.clients.len()), (6, 6));
        assert_eq!((full.seconds, full.warmup), (10, 3));
        let quick = plan(&["--quick"]);
        assert_eq!((quick.cases, quick.clients), (vec![Case::Spread, Case::Packed], vec![200]));
        let chosen = plan(&["--cases", "packed_5_per_s,spread_10x10", "--clients", "300,20,300"]);
        assert_eq!(chosen.cases, [Case::Packed5, Case::TenByTen]);
        assert_eq!(chosen.clients, [20, 300]);
        for line in [["--clients", "1"], ["--clients", "5001"], ["--cases", "alone"]] {
            assert!(Line::try_parse_from([&["crowd"], &line[..]].concat()).is_err(), "{line:?}");
        }
        let none = Line::try_parse_from(["crowd", "--peer", "/no/such/place"]).expect("valid");
        assert!(Plan::new(&none.args).is_err());
    }

    #[test]
    fn a_peers_figures_stand_under_its_name() {
        let mut report = Report::new("crowd");
        let figures = json!({ "peer": "colyseus", "input_to_observation_p99_ms": 40.0 });
        add_peer(&mut report, "packed", 100, &figures).expect("figures");
        let figures = json!({ "peer": "colyseus", "input_to_observation_p99_ms": 1_001 });
        add_peer(&mut report, "packed", 500, &figures).expect("figures");
        assert_eq!(report.curve("colyseus_packed", P99), [(100.0, 40.0), (500.0, 1_001.0)]);
        assert!(add_peer(&mut report, "packed", 1_000, &json!({ "peer": "colyseus" })).is_err());
        assert!(plot(&report).svg().expect("a picture").contains("colyseus_packed"));
    }
}
