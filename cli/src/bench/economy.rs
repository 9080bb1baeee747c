//! `haven bench economy`: what coins and goods cost the server.
//!
//! Keeps true: the server is on disk and in a process of its own; whatever is measured is done by
//! players' own calls, as commands.

mod bags;
mod orders;
mod payments;
mod player;

use std::path::PathBuf;

use anyhow::{Context, ensure};
use clap::{Args, ValueEnum};
use serde_json::Value;

use self::payments::Plan;
use super::peer::{Peer, name_of};
use super::plot::Plot;
use super::report::{Metric, Report};
use super::{Interrupted, OutputArgs};
use crate::signals::StopSignal;
use crate::terminal;

/// Orders that wait in a book.
const RESTING: [u32; 3] = [1_000, 10_000, 100_000];
const RESTING_QUICK: [u32; 1] = [2_000];
/// Characters that have full bags.
const BAGS: [u32; 2] = [1, 1_000];
const BAGS_QUICK: [u32; 2] = [1, 100];
/// What the guard lets a socket send, bytes per second: more than a player may in play, so that the
/// database is what is measured.
const INBOUND_BYTES_PER_S: u32 = 10_000_000;
/// Payments under way at once.
const IN_FLIGHT: [u32; 1] = [32];
/// Players who pay each other.
const ACCOUNTS: u32 = 64;

const fn metric(name: &'static str, unit: &'static str, heading: &'static str) -> Metric {
    Metric { name, unit, heading, decimals: 3 }
}

const fn whole(name: &'static str, unit: &'static str, heading: &'static str) -> Metric {
    Metric { name, unit, heading, decimals: 0 }
}

const TRANSACTIONS: Metric = whole("transactions_per_s", "1/s", "paid/s");
const P50: Metric = metric("p50_ms", "ms", "p50");
const P99: Metric = metric("p99_ms", "ms", "p99");
const PLACE_P50: Metric = metric("place_p50_ms", "ms", "place p50");
const PLACE_P99: Metric = metric("place_p99_ms", "ms", "place p99");
const CANCEL_P50: Metric = metric("cancel_p50_ms", "ms", "cancel p50");
const CANCEL_P99: Metric = metric("cancel_p99_ms", "ms", "cancel p99");
const FILL_P50: Metric = metric("fill_p50_ms", "ms", "fill p50");
const FILL_P99: Metric = metric("fill_p99_ms", "ms", "fill p99");
const MOVE_P50: Metric = metric("item_move_p50_ms", "ms", "move p50");
const MOVE_P99: Metric = metric("item_move_p99_ms", "ms", "move p99");
const ROUND_TRIP_P50: Metric = metric("round_trip_p50_ms", "ms", "trip p50");
const ROUND_TRIP_P99: Metric = metric("round_trip_p99_ms", "ms", "trip p99");
const PLACED: Metric = whole("placed_per_s", "1/s", "placed/s");
const MEMORY: Metric = whole("memory_mb", "MB", "MB");

pub(crate) const COLUMNS: [Metric; 15] = [
    TRANSACTIONS,
    P50,
    P99,
    PLACE_P50,
    PLACE_P99,
    CANCEL_P50,
    CANCEL_P99,
    FILL_P50,
    FILL_P99,
    MOVE_P50,
    MOVE_P99,
    ROUND_TRIP_P50,
    ROUND_TRIP_P99,
    PLACED,
    MEMORY,
];
/// What a peer tells.
const PEER_METRICS: [Metric; 3] = [TRANSACTIONS, P50, P99];

/// What is measured.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Case {
    #[value(name = "haven")]
    Haven,
    #[value(name = "haven_durable")]
    HavenDurable,
    #[value(name = "bags")]
    Bags,
    #[value(name = "orders")]
    Orders,
}

/// What lets a server's players send that much.
fn without_byte_limit() -> [(&'static str, String); 1] {
    [("HAVEN_GUARD__LIMITS__INBOUND_BYTES_PER_S", INBOUND_BYTES_PER_S.to_string())]
}

/// What coins and goods cost the server
///
/// It starts `haven up` in a process of its own for each of the following, with its data on disk in
/// a temporary directory and ports the system picks.
///
/// Case `haven`: 64 players, each with a socket of its own and a character at the spawn, pay each
/// other 1 copper to and fro (`coins_pay`), n payments under way at once. It is answered once it is
/// committed; the engine writes it to disk up to 0.5 s later. In `haven_durable` each payment also
/// waits until the guard says that it is on disk. With `--peer bench/peers/postgres` the same
/// transfer is measured on PostgreSQL after that, as `postgres` (`synchronous_commit = off`,
/// written up to 0.6 s later) and `postgres_durable` (`on`). Haven's guard lets these players send
/// more bytes than it does by default.
///
/// Case `bags`: n characters have full bags, and the player of one of them lets two stacks of it
/// change places (`item_move`), again and again, one call at a time.
///
/// Case `orders`: accounts fill the book of one commodity until n orders wait, half of them to buy
/// and half to sell, at some 800 prices; then one more account places an order that waits, takes it
/// back, and fills one of each side, again and again, one call at a time.
///
/// Columns: payments per second, and milliseconds from one being sent to its answer (p50, p99); of
/// moves and orders milliseconds inside the engine that such a call took (p50, p99), the whole
/// command with its receipt and its ledger; the round trip of all of them as the player sees it;
/// orders placed per second while the book was filled, several calls under way; resident memory of
/// the server in MB with bags or book full. `engine_limit` is an empty reducer in an engine of its
/// own.
#[derive(Debug, Args)]
pub(crate) struct EconomyArgs {
    #[command(flatten)]
    pub(crate) output: OutputArgs,
    /// What to measure [default: all of them]
    #[arg(long, value_name = "LIST", value_delimiter = ',')]
    cases: Vec<Case>,
    /// Orders that wait [default: 1000,10000,100000; with --quick 2000]
    #[arg(long, value_name = "LIST", value_delimiter = ',',
        value_parser = clap::value_parser!(u32).range(100..=1_000_000))]
    orders: Vec<u32>,
    /// Characters that have full bags [default: 1,1000; with --quick 1,100]
    #[arg(long, value_name = "LIST", value_delimiter = ',',
        value_parser = clap::value_parser!(u32).range(1..=10_000))]
    bags: Vec<u32>,
    /// How often each order and move is measured, orders half as often as n at most [default: 2000;
    /// with --quick 300]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(10..=100_000))]
    rounds: Option<u32>,
    /// Payments under way at once [default: 32]
    #[arg(long, value_name = "LIST", value_delimiter = ',',
        value_parser = clap::value_parser!(u32).range(1..=200))]
    in_flight: Vec<u32>,
    /// Players who pay each other, at least twice as many as payments are under way
    #[arg(long, value_name = "N", default_value_t = ACCOUNTS,
        value_parser = clap::value_parser!(u32).range(2..=1_000))]
    accounts: u32,
    /// How long payments are measured [default: 10; with --quick 2]
    #[arg(long, value_name = "S", value_parser = clap::value_parser!(u32).range(1..=600))]
    seconds: Option<u32>,
    /// How long they go on before that [default: 2; with --quick 1]
    #[arg(long, value_name = "S", value_parser = clap::value_parser!(u32).range(0..=60))]
    warmup: Option<u32>,
    /// Measure payments on another server in turn: a directory with a crate, run by cargo
    #[arg(long, value_name = "DIR")]
    peer: Option<PathBuf>,
}

/// Measures what was asked for; what was measured before a failure stays in the report.
pub(crate) async fn run(
    args: &EconomyArgs,
    report: &mut Report,
    stop: &mut StopSignal,
) -> anyhow::Result<()> {
    let peer = args.peer.as_deref().map(Peer::open).transpose()?;
    if let Some(peer) = &peer {
        let spinner = terminal::spinner("building the peer");
        let built = tokio::select! {
            built = peer.build() => built,
            () = stop.wait() => Err(Interrupted.into()),
        };
        spinner.finish_and_clear();
        built?;
    }
    for _ in 0..args.output.runs {
        for in_flight in args.list(&args.in_flight, &IN_FLIGHT, &IN_FLIGHT) {
            run_payments(args, in_flight, peer.as_ref(), report, stop).await?;
        }
        if args.has(Case::Bags) {
            run_bags(args, report, stop).await?;
        }
        if args.has(Case::Orders) {
            for resting in args.list(&args.orders, &RESTING, &RESTING_QUICK) {
                let spinner = terminal::spinner(format!("{resting} orders"));
                let measured = orders::measure(resting, args.rounds(), stop).await;
                spinner.finish_and_clear();
                add_orders(report, resting, measured?);
            }
        }
    }
    Ok(())
}

impl EconomyArgs {
    fn has(&self, case: Case) -> bool {
        self.cases.is_empty() || self.cases.contains(&case)
    }

    fn rounds(&self) -> u32 {
        self.rounds.unwrap_or(if self.output.quick { 300 } else { 2_000 })
    }

    /// What was given, or else the default, in rising order.
    fn list(&self, given: &[u32], full: &[u32], quick: &[u32]) -> Vec<u32> {
        let list = match (given.is_empty(), self.output.quick) {
            (false, _) => given,
            (true, true) => quick,
            (true, false) => full,
        };
        let mut list = list.to_vec();
        list.sort_unstable();
        list.dedup();
        list
    }

    fn plan(&self, in_flight: u32) -> Plan {
        let of = |given: Option<u32>, full, short| {
            given.unwrap_or(if self.output.quick { short } else { full })
        };
        let accounts = self.accounts.max(2 * in_flight).next_multiple_of(2);
        let (seconds, warmup) = (of(self.seconds, 10, 2), of(self.warmup, 2, 1));
        Plan { in_flight, accounts, seconds, warmup }
    }
}

/// Payments on Haven, and on the peer after that.
async fn run_payments(
    args: &EconomyArgs,
    in_flight: u32,
    peer: Option<&Peer>,
    report: &mut Report,
    stop: &mut StopSignal,
) -> anyhow::Result<()> {
    let ways = [(Case::Haven, false), (Case::HavenDurable, true)];
    let durable: Vec<bool> =
        ways.into_iter().filter(|(case, _)| args.has(*case)).map(|(_, durable)| durable).collect();
    if durable.is_empty() {
        return Ok(());
    }
    let plan = args.plan(in_flight);
    let spinner = terminal::spinner(format!("{in_flight} payments at once"));
    let measured = payments::measure(plan, &durable, stop, |is_durable, measured| {
        add_payments(report, in_flight, is_durable, measured);
    });
    let measured = measured.await;
    spinner.finish_and_clear();
    measured?;
    let Some(peer) = peer else { return Ok(()) };
    for is_durable in durable {
        let spinner = terminal::spinner(format!("the peer's {in_flight} payments at once"));
        let peer_args = peer_args(plan, is_durable);
        let figures = tokio::select! {
            figures = peer.run(&peer_args, plan.seconds + plan.warmup) => figures,
            () = stop.wait() => Err(Interrupted.into()),
        };
        spinner.finish_and_clear();
        add_peer(report, in_flight, is_durable, &figures?)?;
    }
    Ok(())
}

async fn run_bags(
    args: &EconomyArgs,
    report: &mut Report,
    stop: &mut StopSignal,
) -> anyhow::Result<()> {
    let bags = args.list(&args.bags, &BAGS, &BAGS_QUICK);
    let spinner = terminal::spinner("full bags");
    let measured = bags::measure(&bags, args.rounds(), stop, |characters, measured| {
        add_bags(report, characters, measured);
    });
    let measured = measured.await;
    spinner.finish_and_clear();
    measured
}

fn peer_args(plan: Plan, is_durable: bool) -> Vec<String> {
    let Plan { in_flight, accounts, seconds, warmup } = plan;
    let flags = [
        ("--in-flight", in_flight),
        ("--accounts", accounts),
        ("--seconds", seconds),
        ("--warmup", warmup),
    ];
    let mut args: Vec<String> =
        flags.into_iter().flat_map(|(flag, value)| [flag.to_owned(), value.to_string()]).collect();
    if is_durable {
        args.push("--durable".to_owned());
    }
    args
}

/// Every column that something was measured for.
pub(crate) fn columns(report: &Report) -> Vec<Metric> {
    let cases = report.cases();
    let is_measured =
        |metric: &Metric| cases.iter().any(|case| !report.curve(case, *metric).is_empty());
    COLUMNS.into_iter().filter(is_measured).collect()
}

/// What calls take, over the number of orders, bags or payments.
pub(crate) fn plot(report: &Report) -> Plot {
    let curve =
        |case: &str, name: &str, metric| (format!("{case} {name}"), report.curve(case, metric));
    let mut curves = vec![
        curve("orders", "place", PLACE_P99),
        curve("orders", "cancel", CANCEL_P99),
        curve("orders", "fill", FILL_P99),
        curve("bags", "move", MOVE_P99),
    ];
    curves.extend(report.cases().into_iter().map(|case| curve(case, "payment", P99)));
    curves.retain(|(_, points)| !points.is_empty());
    Plot {
        title: "Orders, bags and payments".to_owned(),
        axes: ("orders that wait, full bags, payments at once", "p99, ms"),
        curves,
        guide: Some(("1 ms", 1.0)),
    }
}

fn case_of(server: &str, is_durable: bool) -> String {
    format!("{server}{}", if is_durable { "_durable" } else { "" })
}

fn add_payments(report: &mut Report, n: u32, is_durable: bool, mut measured: payments::Measured) {
    let [p50, _, p99] = measured.round_trip.percentiles_ms();
    let case = case_of("haven", is_durable);
    for (metric, value) in [(TRANSACTIONS, measured.transactions_per_s), (P50, p50), (P99, p99)] {
        report.add(&case, n, metric, value);
    }
}

/// Adds a peer's figures.
fn add_peer(report: &mut Report, n: u32, is_durable: bool, figures: &Value) -> anyhow::Result<()> {
    let told = figures["durable"].as_bool();
    ensure!(told == Some(is_durable), "the peer tells another durability than it was asked for");
    let case = case_of(&name_of(figures), is_durable);
    for metric in PEER_METRICS {
        let value = figures[metric.name].as_f64();
        let value = value.with_context(|| format!("the peer tells no {}", metric.name))?;
        report.add(&case, n, metric, value);
    }
    Ok(())
}

fn add_bags(report: &mut Report, characters: u32, mut measured: bags::Measured) {
    let [move_p50, _, move_p99] = measured.inside.percentiles_ms();
    let [trip_p50, _, trip_p99] = measured.round_trip.percentiles_ms();
    for (metric, value) in [
        (MOVE_P50, move_p50),
        (MOVE_P99, move_p99),
        (ROUND_TRIP_P50, trip_p50),
        (ROUND_TRIP_P99, trip_p99),
        (MEMORY, measured.memory_mb),
    ] {
        report.add("bags", characters, metric, value);
    }
}

fn add_orders(report: &mut Report, resting: u32, mut measured: orders::Measured) {
    let [place_p50, _, place_p99] = measured.place.percentiles_ms();
    let [cancel_p50, _, cancel_p99] = measured.cancel.percentiles_ms();
    let [fill_p50, _, fill_p99] = measured.fill.percentiles_ms();
    let [_, _, round_trip_p99] = measured.round_trip.percentiles_ms();
    for (metric, value) in [
        (PLACE_P50, place_p50),
        (PLACE_P99, place_p99),
        (CANCEL_P50, cancel_p50),
        (CANCEL_P99, cancel_p99),
        (FILL_P50, fill_p50),
        (FILL_P99, fill_p99),
        (ROUND_TRIP_P99, round_trip_p99),
        (PLACED, measured.placed_per_s),
        (MEMORY, measured.memory_mb),
    ] {
        report.add("orders", resting, metric, value);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::Parser;
    use serde_json::json;

    #[derive(Parser)]
    struct Line {
        #[command(flatten)]
        args: EconomyArgs,
    }

    fn args(line: &[&str]) -> EconomyArgs {
        Line::try_parse_from([&["economy"], line].concat()).expect("a valid line").args
    }

    #[test]
    fn cases_and_numbers_can_be_chosen() {
        let full = args(&[]);
        assert!(
            [Case::Haven, Case::HavenDurable, Case::Bags, Case::Orders].map(|it| full.has(it))
                == [true; 4]
        );
        assert_eq!(full.list(&full.bags, &BAGS, &BAGS_QUICK), BAGS);
        let plan = full.plan(32);
        assert_eq!((plan.accounts, plan.seconds, plan.warmup), (64, 10, 2));
        let quick = args(&["--quick"]);
        assert_eq!(quick.list(&quick.bags, &BAGS, &BAGS_QUICK), BAGS_QUICK);
        assert_eq!((quick.plan(32).seconds, quick.plan(32).warmup), (2, 1));
        let chosen = args(&["--cases", "haven,bags", "--bags", "7,1,7", "--accounts", "5"]);
        assert!(chosen.has(Case::Haven) && !chosen.has(Case::HavenDurable));
        assert_eq!(chosen.list(&chosen.bags, &BAGS, &BAGS_QUICK), [1, 7]);
        assert_eq!((chosen.plan(1).accounts, chosen.plan(32).accounts), (6, 64));
        for line in [["--cases", "postgres"], ["--in-flight", "201"], ["--bags", "0"]] {
            assert!(Line::try_parse_from([&["economy"], &line[..]].concat()).is_err(), "{line:?}");
        }
    }

    #[test]
    fn the_peer_is_asked_for_the_same() {
        let plan = args(&["--seconds", "3", "--warmup", "0"]).plan(32);
        let expected = "--in-flight 32 --accounts 64 --seconds 3 --warmup 0";
        assert_eq!(peer_args(plan, false).join(" "), expected);
        assert_eq!(peer_args(plan, true).join(" "), format!("{expected} --durable"));
    }

    #[test]
    fn a_peers_figures_stand_under_its_name() {
        let mut report = Report::new("economy");
        let mut figures = json!({ "peer": "postgres", "durable": false });
        assert!(add_peer(&mut report, 32, false, &figures).is_err(), "it tells nothing");
        for metric in PEER_METRICS {
            figures[metric.name] = json!(4.5);
        }
        assert!(add_peer(&mut report, 32, true, &figures).is_err(), "it was asked for another");
        add_peer(&mut report, 32, false, &figures).expect("figures");
        figures["durable"] = json!(true);
        add_peer(&mut report, 32, true, &figures).expect("figures");
        assert_eq!(report.cases(), ["postgres", "postgres_durable"]);
        assert_eq!(report.curve("postgres_durable", TRANSACTIONS), [(32.0, 4.5)]);
        assert_eq!(columns(&report).len(), PEER_METRICS.len());
        assert!(plot(&report).svg().expect("a picture").contains("postgres_durable"));
    }
}
