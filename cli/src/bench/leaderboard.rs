//! `haven bench leaderboard`: a board with many records, beside a sorted set of Redis.
//!
//! Keeps true: both are asked the same by one client over one socket each, one call at a time, in
//! turn on the same machine; each has its log on disk; what is measured begins when a request is
//! sent and ends when its answer is there.
//! Leaves out on purpose: what a sorted set does not have: who was first, subscores, seasons.

mod haven;
mod redis;

use std::time::Duration;

use anyhow::ensure;
use clap::Args;
use rand::rngs::StdRng;
use rand::{RngExt as _, SeedableRng as _};

use self::haven::Haven;
use self::redis::Redis;
use super::OutputArgs;
use super::plot::Plot;
use super::report::{Metric, Report, metric};
use super::server::with_server;
use crate::bots::latency::Latencies;
use crate::signals::StopSignal;
use crate::terminal;

/// Records of a board.
const RECORDS: u32 = 1_000_000;
const RECORDS_QUICK: u32 = 50_000;
/// Calls of each kind that are measured.
const CALLS: u32 = 10_000;
const CALLS_QUICK: u32 = 1_500;
/// Calls of one side before it is the other one's turn.
const TURN: u32 = 250;
/// Calls of each kind before anything is measured.
const WARMUP: u32 = 200;
/// Records that are submitted by one call while a board is filled.
const FILL: u32 = 1_000;
/// Scores are below this.
const SCORE_MAX: i64 = 1_000_000_000;

const SUBMIT_P50: Metric = metric("submit_p50_ms", "ms", "submit p50", 3);
const SUBMIT_P99: Metric = metric("submit_p99_ms", "ms", "submit p99", 3);
const SUBMIT_ENGINE: Metric = metric("submit_engine_p99_ms", "ms", "in engine", 3);
const RANK_P50: Metric = metric("rank_p50_ms", "ms", "rank p50", 3);
const RANK_P99: Metric = metric("rank_p99_ms", "ms", "rank p99", 3);
const RANK_ENGINE: Metric = metric("rank_engine_p99_ms", "ms", "in engine", 3);
const AROUND_P50: Metric = metric("around_p50_ms", "ms", "around p50", 3);
const AROUND_P99: Metric = metric("around_p99_ms", "ms", "around p99", 3);
const AROUND_ENGINE: Metric = metric("around_engine_p99_ms", "ms", "in engine", 3);
const FILLED: Metric = metric("filled_per_s", "1/s", "filled/s", 0);
const MEMORY: Metric = metric("memory_bytes_per_record", "B", "B/record", 0);

const COLUMNS: [Metric; 11] = [
    SUBMIT_P50,
    SUBMIT_P99,
    SUBMIT_ENGINE,
    RANK_P50,
    RANK_P99,
    RANK_ENGINE,
    AROUND_P50,
    AROUND_P99,
    AROUND_ENGINE,
    FILLED,
    MEMORY,
];

/// What a leaderboard with many records costs, beside a sorted set of Redis
///
/// It starts `haven up` in a process of its own, with its data on disk in a temporary directory,
/// and `redis-server` from the PATH in another one, with a log that is synchronised once a second,
/// on a Unix socket; without `redis-server` that case is left out. Both are filled with n records
/// of random scores. Then one client for each makes calls one at a time, 250 of the one side, 250
/// of the other one.
///
/// Calls: submit gives somebody another score (`board_submit`, a command that is done once; ZADD);
/// rank asks for anybody's rank (`board_look`, whose answer is a row; ZREVRANK); around asks for
/// the 21 records around anybody (`board_look`; ZREVRANK and ZREVRANGE in one script).
///
/// Columns: milliseconds from the request to its answer, p50 and p99; of Haven also how long the
/// engine says that the call took (`in engine`, p99); records filled in per second, 1,000 a call;
/// resident memory of the server by which it grew, for each record. `engine_limit` is an empty
/// reducer in an engine of its own, called by the same client as Haven's services.
#[derive(Debug, Args)]
pub(crate) struct LeaderboardArgs {
    #[command(flatten)]
    pub(crate) output: OutputArgs,
    /// Records of the board [default: 1000000; with --quick 50000]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1_000..=4_000_000))]
    records: Option<u32>,
    /// Calls of each kind that are measured [default: 10000; with --quick 1500]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(100..=1_000_000))]
    calls: Option<u32>,
}

/// What is asked of a board.
#[derive(Clone, Copy, Debug)]
enum Call {
    Submit,
    Rank,
    Around,
}

impl Call {
    const ALL: [Self; 3] = [Self::Submit, Self::Rank, Self::Around];
}

/// How long calls took: from request to answer, and inside of the server where it says so.
#[derive(Debug, Default)]
struct Took {
    calls: [Latencies; 3],
    inside: [Latencies; 3],
}

impl Took {
    fn add(&mut self, call: Call, took: Duration, inside: Option<Duration>) {
        self.calls[call as usize].add(took);
        if let Some(inside) = inside {
            self.inside[call as usize].add(inside);
        }
    }

    fn report(&mut self, report: &mut Report, case: &str, n: u32) {
        for (call, p50, p99, engine) in [
            (Call::Submit, SUBMIT_P50, SUBMIT_P99, SUBMIT_ENGINE),
            (Call::Rank, RANK_P50, RANK_P99, RANK_ENGINE),
            (Call::Around, AROUND_P50, AROUND_P99, AROUND_ENGINE),
        ] {
            let [median, _, worst] = self.calls[call as usize].percentiles_ms();
            report.add(case, n, p50, median);
            report.add(case, n, p99, worst);
            let inside = &mut self.inside[call as usize];
            if inside.count() > 0 {
                report.add(case, n, engine, inside.percentiles_ms()[2]);
            }
        }
    }
}

/// Measures what was asked for; what was measured before a failure stays in the report.
pub(crate) async fn run(
    args: &LeaderboardArgs,
    report: &mut Report,
    stop: &mut StopSignal,
) -> anyhow::Result<()> {
    let quick = args.output.quick;
    let of = |given: Option<u32>, full, short| given.unwrap_or(if quick { short } else { full });
    let records = of(args.records, RECORDS, RECORDS_QUICK);
    let calls = of(args.calls, CALLS, CALLS_QUICK);
    for _ in 0..args.output.runs {
        let variables = [("HAVEN_WORLD__TERRAIN", String::new())];
        with_server(&variables, stop, async |server| {
            let mut haven = Haven::open(&server.target).await?;
            let mut redis = Redis::start().await?;
            if redis.is_none() {
                terminal::note("there is no redis-server on the PATH: that case is left out");
            }
            fill(&mut haven, redis.as_mut(), records, report).await?;
            measure(&mut haven, redis.as_mut(), (records, calls), report).await
        })
        .await?;
    }
    Ok(())
}

/// Random scores for holders 1 to n, by 1,000.
fn scores(random: &mut StdRng, first: u32, n: u32) -> Vec<(u64, i64)> {
    let last = first.saturating_add(FILL - 1).min(n);
    (first..=last).map(|holder| (holder.into(), random.random_range(0..SCORE_MAX))).collect()
}

async fn fill(
    haven: &mut Haven,
    mut redis: Option<&mut Redis>,
    records: u32,
    report: &mut Report,
) -> anyhow::Result<()> {
    let bar = terminal::progress(u64::from(records), format!("{records} records"));
    let before = (haven.memory_bytes()?, redis.as_ref().map(|redis| redis.memory_bytes()));
    let mut random = StdRng::seed_from_u64(7);
    let (mut took, mut took_redis) = (Duration::ZERO, Duration::ZERO);
    let mut first = 1;
    while first <= records {
        let lines = scores(&mut random, first, records);
        took += haven.fill(&lines).await?;
        if let Some(redis) = redis.as_mut() {
            took_redis += redis.fill(&lines).await?;
        }
        bar.inc(u64::try_from(lines.len())?);
        first += FILL;
    }
    bar.finish_and_clear();
    let n = f64::from(records);
    report.add("haven", records, FILLED, n / took.as_secs_f64());
    report.add("haven", records, MEMORY, (haven.memory_bytes()? - before.0) / n);
    if let (Some(redis), Some(before)) = (redis, before.1) {
        report.add("redis", records, FILLED, n / took_redis.as_secs_f64());
        report.add("redis", records, MEMORY, (redis.memory_bytes()? - before?) / n);
    }
    Ok(())
}

async fn measure(
    haven: &mut Haven,
    mut redis: Option<&mut Redis>,
    (records, calls): (u32, u32),
    report: &mut Report,
) -> anyhow::Result<()> {
    let spinner = terminal::spinner(format!("{calls} calls of each kind"));
    let mut random = StdRng::seed_from_u64(8);
    let (mut of_haven, mut of_redis) = (Took::default(), Took::default());
    let mut next = || {
        let holder = u64::from(random.random_range(1..=records));
        (holder, random.random_range(0..SCORE_MAX))
    };
    for call in Call::ALL {
        let (mut warm, mut warm_redis) = (Took::default(), Took::default());
        let mut left = calls + WARMUP;
        while left > 0 {
            let turn = left.min(TURN);
            let is_warm = left <= calls;
            for _ in 0..turn {
                let (took, inside) = haven.call(call, next()).await?;
                let to = if is_warm { &mut of_haven } else { &mut warm };
                to.add(call, took, Some(inside));
            }
            if let Some(redis) = redis.as_mut() {
                for _ in 0..turn {
                    let took = redis.call(call, next()).await?;
                    let to = if is_warm { &mut of_redis } else { &mut warm_redis };
                    to.add(call, took, None);
                }
            }
            left -= turn;
        }
    }
    spinner.finish_and_clear();
    ensure!(of_haven.calls.iter().all(|calls| calls.count() > 0), "nothing was measured");
    of_haven.report(report, "haven", records);
    if redis.is_some() {
        of_redis.report(report, "redis", records);
    }
    Ok(())
}

/// Every column its table can have.
pub(crate) fn columns() -> &'static [Metric] {
    &COLUMNS
}

/// p99 over the number of records.
pub(crate) fn plot(report: &Report) -> Plot {
    let curve =
        |case: &str, name: &str, metric| (format!("{case} {name}"), report.curve(case, metric));
    Plot {
        title: "A leaderboard beside a sorted set".to_owned(),
        axes: ("records", "p99, ms"),
        curves: vec![
            curve("haven", "submit", SUBMIT_P99),
            curve("haven", "rank", RANK_P99),
            curve("haven", "around", AROUND_P99),
            curve("redis", "submit", SUBMIT_P99),
            curve("redis", "rank", RANK_P99),
            curve("redis", "around", AROUND_P99),
        ],
        guide: Some(("1 ms", 1.0)),
    }
}
