//! `haven bench chat`: many clients that speak in channels and time what they hear.
//!
//! Keeps true: every point has a fresh server; every message that was accepted is expected by every
//! member of its channel, and one that does not come is counted as lost; the order is looked at in
//! every client.

mod stage;
mod talker;

use clap::{Args, ValueEnum};

use self::stage::{Measured, Point};
use super::plot::Plot;
use super::report::{Metric, Report, approximate, metric};
use super::{Interrupted, OutputArgs};
use crate::signals::StopSignal;
use crate::terminal;

/// Clients of a point.
const CLIENTS: u32 = 1_000;
const CLIENTS_QUICK: u32 = 200;
/// What the load is spread over.
const CHANNELS: u32 = 10;
/// All clients together.
const MESSAGES_PER_S: u32 = 500;
const MESSAGES_PER_S_QUICK: u32 = 100;
/// What nobody should wait longer for, milliseconds; a line in the plot.
const GOOD_MS: f64 = 50.0;

const P50: Metric = metric("delivery_p50_ms", "ms", "p50 ms", 1);
const P95: Metric = metric("delivery_p95_ms", "ms", "p95 ms", 1);
const P99: Metric = metric("delivery_p99_ms", "ms", "p99 ms", 1);
const MESSAGES: Metric = metric("messages_per_s", "1/s", "messages/s", 0);
const DELIVERIES: Metric = metric("deliveries_per_s", "1/s", "deliveries/s", 0);
const LOST: Metric = metric("lost", "1", "lost", 0);
const MISORDERED: Metric = metric("out_of_order", "1", "misordered", 0);
const ROWS: Metric = metric("rows_max", "1", "rows", 0);
const SERVER_CPU: Metric = metric("server_cpu_share", "cores", "server cpu", 2);
const GENERATOR_CPU: Metric = metric("generator_cpu_share", "cores", "load cpu", 2);
const MEMORY: Metric = metric("memory_mb", "MB", "MB", 0);
const ERRORS: Metric = metric("errors", "1", "errors", 0);

const COLUMNS: [Metric; 12] = [
    MESSAGES,
    DELIVERIES,
    P50,
    P95,
    P99,
    LOST,
    MISORDERED,
    ROWS,
    SERVER_CPU,
    GENERATOR_CPU,
    MEMORY,
    ERRORS,
];

/// How a channel's messages come to its members.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(super) enum Case {
    /// One row that all subscribe to: who stands in a block.
    #[value(name = "shared")]
    Shared,
    /// A row for each member: channels that players have made.
    #[value(name = "private")]
    Private,
}

impl Case {
    fn name(self) -> &'static str {
        match self {
            Self::Shared => "shared",
            Self::Private => "private",
        }
    }
}

/// Many clients that speak in channels and time what they hear
///
/// For each case it starts `haven up` in a process of its own, with its data on disk, lets the
/// clients in, in equal parts to ten channels, and has them speak in turn. Every client times every
/// message of its channel, from being sent to its row arriving.
///
/// Cases: `shared`, channels of blocks, one row a message; `private`, channels that players have
/// made, a row for each member, of which the realm delivers 10,000 a second and refuses messages
/// beyond. Columns: messages that were not refused, and how often one was heard, per second;
/// milliseconds to arrive; messages that did not come within 1.5 s after the end, and those that
/// came after a later one; rows of messages and inboxes at the end; cores the server and the load
/// keep busy; resident memory of the server; refused messages and what else went wrong.
#[derive(Debug, Args)]
pub(crate) struct ChatArgs {
    #[command(flatten)]
    pub(crate) output: OutputArgs,
    /// Cases to measure [default: all]
    #[arg(long, value_name = "LIST", value_delimiter = ',', value_enum)]
    cases: Vec<Case>,
    /// Number of clients [default: 1000; with --quick 200]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(20..=5_000))]
    clients: Option<u32>,
    /// Messages of all clients a second [default: 500; with --quick 100]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=10_000))]
    messages_per_s: Option<u32>,
    /// How long a case is measured [default: 60; with --quick 5]
    #[arg(long, value_name = "S", value_parser = clap::value_parser!(u32).range(1..=600))]
    seconds: Option<u32>,
}

/// Measures what was asked for; what was measured before a failure stays in the report.
pub(crate) async fn run(
    args: &ChatArgs,
    report: &mut Report,
    stop: &mut StopSignal,
) -> anyhow::Result<()> {
    let quick = args.output.quick;
    let cases =
        if args.cases.is_empty() { Case::value_variants().to_vec() } else { args.cases.clone() };
    let default = |full: u32, small: u32| if quick { small } else { full };
    let messages_per_s = args.messages_per_s;
    for _ in 0..args.output.runs {
        for case in &cases {
            let point = Point {
                case: *case,
                clients: args.clients.unwrap_or(default(CLIENTS, CLIENTS_QUICK)),
                channels: CHANNELS,
                messages_per_s: messages_per_s
                    .unwrap_or(default(MESSAGES_PER_S, MESSAGES_PER_S_QUICK)),
                seconds: args.seconds.unwrap_or(default(60, 5)),
            };
            let what = format!("{} with {} clients", case.name(), point.clients);
            let spinner = terminal::spinner(what);
            let measured = stage::measure(&point, stop).await;
            spinner.finish_and_clear();
            match measured {
                Ok(measured) => add(report, &point, &measured),
                Err(error) if error.is::<Interrupted>() => return Err(error),
                Err(error) => return Err(error.context(case.name())),
            }
        }
    }
    Ok(())
}

fn add(report: &mut Report, point: &Point, measured: &Measured) {
    let errors = measured.errors.values().sum();
    let [p50, p95, p99] = measured.latencies_ms;
    for (metric, value) in [
        (MESSAGES, measured.messages_per_s),
        (DELIVERIES, measured.deliveries_per_s),
        (P50, p50),
        (P95, p95),
        (P99, p99),
        (LOST, approximate(measured.lost)),
        (MISORDERED, approximate(measured.out_of_order)),
        (ROWS, approximate(measured.rows)),
        (SERVER_CPU, measured.server_cpu_share),
        (GENERATOR_CPU, measured.generator_cpu_share),
        (MEMORY, measured.memory_mb),
        (ERRORS, approximate(errors)),
    ] {
        report.add(point.case.name(), point.clients, metric, value);
    }
    report.add_errors(point.case.name(), point.clients, &measured.errors);
}

/// The columns of its table.
pub(crate) fn columns() -> &'static [Metric] {
    &COLUMNS
}

/// p95 over clients, a curve per case.
pub(crate) fn plot(report: &Report) -> Plot {
    let curve = |case: &str| (case.to_owned(), report.curve(case, P95));
    Plot {
        title: "From a message being sent to others hearing it, p95".to_owned(),
        axes: ("clients", "p95, ms"),
        curves: report.cases().into_iter().map(curve).collect(),
        guide: Some(("50 ms", GOOD_MS)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cases_are_called_what_their_flags_say() {
        for case in Case::value_variants() {
            let value = case.to_possible_value().expect("named");
            assert_eq!(value.get_name(), case.name());
        }
    }
}
