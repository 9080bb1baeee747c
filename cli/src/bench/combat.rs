//! `haven bench combat`: what fights cost the server, and what sleeping camps do.
//!
//! Keeps true: the server is on disk and in a process of its own; nobody watches the fights, and
//! nothing sleeps in their world; every creature fights when the measuring begins.

use std::time::Duration;

use anyhow::{Context, anyhow, ensure};
use clap::Args;
use haven_gateway::stdb::{self, Link, LinkConfig};
use haven_rules::world::OPEN_WORLD;
use spacetimedb_lib::{SpacetimeType, bsatn};
use tokio::time::sleep;

use super::OutputArgs;
use super::motion::watch::{Run, Watch};
use super::plot::Plot;
use super::report::{Metric, Report, approximate, metric};
use super::server::{Target, with_server};
use crate::bots::latency::Latencies;
use crate::config::WorldSection;
use crate::setup::refused;
use crate::signals::StopSignal;
use crate::terminal;

/// Fights of a point.
const FIGHTS: [u32; 3] = [50, 500, 1_000];
const FIGHTS_QUICK: [u32; 1] = [50];
/// Camps that sleep.
const CAMPS: u32 = 10_000;
/// Creatures on each side of a fight.
const SIDE: u32 = 5;
/// Who fights: it strikes, and lasts longer than the measuring.
const CREATURE: &str = "ogre";
/// How far fights are apart, millimetres: nobody sees another one.
const APART_MM: i32 = 96_000;
/// How far both sides of a fight begin from each other, millimetres.
const BETWEEN_MM: i32 = 6_000;
/// How long a call may take.
const CALL_TIMEOUT: Duration = Duration::from_mins(1);
/// How long the database may take to accept a connection.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);

const TICK_P50: Metric = metric("tick_p50_ms", "ms", "tick p50", 2);
const TICK_P99: Metric = metric("tick_p99_ms", "ms", "tick p99", 2);
const TICKS: Metric = metric("ticks_per_s", "1/s", "ticks/s", 1);
const ROWS: Metric = metric("rows_per_s", "1/s", "rows/s", 0);
const CPU: Metric = metric("cpu_share", "cores", "cpu", 3);
const IDLE_CPU: Metric = metric("idle_cpu_share", "cores", "idle cpu", 3);
const MEMORY: Metric = metric("memory_mb", "MB", "MB", 0);

const COLUMNS: [Metric; 7] = [TICK_P50, TICK_P99, TICKS, ROWS, CPU, IDLE_CPU, MEMORY];

/// What fights cost the server
///
/// It starts `haven up` in a process of its own, with its data on disk in a temporary directory and
/// ports the system picks, lays out a flat world in which nothing sleeps, and lets n fights of 5
/// ogres against 5 ogres begin, 96 m apart, with nobody watching. They fight for 8 seconds (3 with
/// --quick) before anything is measured.
///
/// Cases: `fights`, n fights; `sleeping_camps`, n camps with nobody near.
///
/// Columns: milliseconds a combat tick took inside the engine (p50, p99) of those that did
/// anything; ticks per second (20 are due); rows they handled per second; cores the server
/// keeps busy, 1.000 being one core, movement and the log included, and the same before there is
/// anybody (`idle cpu`); its resident memory in MB. `engine_limit` is an empty reducer in an engine
/// of its own, called by the same client as Haven's services.
#[derive(Debug, Args)]
pub(crate) struct CombatArgs {
    #[command(flatten)]
    pub(crate) output: OutputArgs,
    /// Numbers of fights [default: 50,500,1000; with --quick 50]
    #[arg(long, value_name = "LIST", value_delimiter = ',',
        value_parser = clap::value_parser!(u32).range(1..=4_000))]
    fights: Vec<u32>,
    /// How long a point is measured [default: 20; with --quick 5]
    #[arg(long, value_name = "S", value_parser = clap::value_parser!(u32).range(1..=60))]
    seconds: Option<u32>,
}

/// How long something is done.
#[derive(Clone, Copy, Debug)]
struct Timing {
    idle: Duration,
    warmup: Duration,
    window: Duration,
}

/// What was measured.
struct Measured {
    took: Latencies,
    ticks: usize,
    rows: u64,
    cpu_share: f64,
    idle_cpu_share: f64,
    memory_mb: f64,
}

/// Measures what was asked for; what was measured before a failure stays in the report.
pub(crate) async fn run(
    args: &CombatArgs,
    report: &mut Report,
    stop: &mut StopSignal,
) -> anyhow::Result<()> {
    let quick = args.output.quick;
    let fights = match (args.fights.is_empty(), quick) {
        (false, _) => args.fights.clone(),
        (true, true) => FIGHTS_QUICK.to_vec(),
        (true, false) => FIGHTS.to_vec(),
    };
    let seconds = |full: u64, short: u64| Duration::from_secs(if quick { short } else { full });
    let window = args.seconds.map(|seconds| Duration::from_secs(seconds.into()));
    let timing = Timing {
        idle: seconds(4, 1),
        warmup: seconds(8, 3),
        window: window.unwrap_or(seconds(20, 5)),
    };
    for _ in 0..args.output.runs {
        for fights in &fights {
            let spinner = terminal::spinner(format!("{fights} fights"));
            let measured = measure(*fights, timing, stop).await;
            spinner.finish_and_clear();
            add(report, *fights, timing, measured?);
        }
        let spinner = terminal::spinner(format!("{CAMPS} sleeping camps"));
        let asleep = measure_camps(timing, stop).await;
        spinner.finish_and_clear();
        let (before, after) = asleep?;
        report.add("sleeping_camps", CAMPS, IDLE_CPU, before);
        report.add("sleeping_camps", CAMPS, CPU, after);
    }
    Ok(())
}

/// Every column its table can have.
pub(crate) fn columns() -> &'static [Metric] {
    &COLUMNS
}

/// The tick over the number of fights.
pub(crate) fn plot(report: &Report) -> Plot {
    let curve = |name: &str, metric| (name.to_owned(), report.curve("fights", metric));
    Plot {
        title: "What fights of 5 against 5 cost the server".to_owned(),
        axes: ("fights", "combat tick, ms"),
        curves: vec![curve("p50", TICK_P50), curve("p99", TICK_P99)],
        guide: Some(("10 ms", 10.0)),
    }
}

fn add(report: &mut Report, fights: u32, timing: Timing, mut measured: Measured) {
    let window = timing.window.as_secs_f64();
    let [p50, _, p99] = measured.took.percentiles_ms();
    for (metric, value) in [
        (TICK_P50, p50),
        (TICK_P99, p99),
        (TICKS, approximate(u64::try_from(measured.ticks).unwrap_or(u64::MAX)) / window),
        (ROWS, approximate(measured.rows) / window),
        (CPU, measured.cpu_share),
        (IDLE_CPU, measured.idle_cpu_share),
        (MEMORY, measured.memory_mb),
    ] {
        report.add("fights", fights, metric, value);
    }
}

/// The first columns of `tick_health`.
#[derive(Clone, Debug, SpacetimeType)]
#[sats(crate = spacetimedb_lib)]
struct Health {
    tick: String,
    rows_total: u64,
}

/// Rows that the tick had handled after a run.
fn rows_total(run: &Run) -> anyhow::Result<u64> {
    let mut bytes = &*run.row;
    let health: Health = bsatn::from_reader(&mut bytes)
        .map_err(|error| anyhow!("a row of tick_health cannot be read: {error}"))?;
    ensure!(health.tick == "combat", "the combat tick wrote the row of another");
    Ok(health.rows_total)
}

async fn measure(fights: u32, timing: Timing, stop: &mut StopSignal) -> anyhow::Result<Measured> {
    // The land is flat: what walls cost is measured with the movement.
    let variables = [("HAVEN_WORLD__TERRAIN", String::new())];
    with_server(&variables, stop, async |server| {
        let target = &server.target;
        let edge = edge_of(fights);
        let link = lay_out(target, edge).await?;
        let empty = target.usage()?;
        sleep(timing.idle).await;
        let idle_cpu_share = target.usage()?.cpu_share_since(&empty);
        let mut watch = Watch::open(target, &target.database, "tick_health").await?;
        for number in 0..fights {
            begin_fight(&link, number, edge).await?;
        }
        sleep(timing.warmup).await;
        let (warm, before) = (watch.heard()?, target.usage()?);
        sleep(timing.window).await;
        let (runs, after) = (watch.heard()?, target.usage()?);
        link.close().await;
        let of_combat = |run: &&Run| &*run.reducer == "combat_tick";
        let last = warm.iter().rfind(of_combat).context("nobody fights")?;
        let mut measured = Measured {
            took: Latencies::default(),
            ticks: 0,
            rows: 0,
            cpu_share: after.cpu_share_since(&before),
            idle_cpu_share,
            memory_mb: after.memory_mb(),
        };
        let mut reached = rows_total(last)?;
        let first = reached;
        for run in runs.iter().filter(of_combat) {
            measured.took.add(run.took);
            measured.ticks += 1;
            reached = rows_total(run)?;
        }
        measured.rows = reached - first;
        ensure!(measured.ticks > 0, "nobody fought while it was measured");
        Ok(measured)
    })
    .await
}

/// Fights along each edge of the ground they stand on.
fn edge_of(fights: u32) -> u32 {
    (1..=64).find(|edge| edge * edge >= fights).unwrap_or(64)
}

/// A flat world with room for so many fights along each edge, in which nothing sleeps.
async fn lay_out(target: &Target, edge: u32) -> anyhow::Result<Link> {
    let keys = std::sync::Arc::clone(&target.keys);
    let config = LinkConfig::owner(&target.uri, &target.database, keys, &target.issuer);
    let link = Link::open(LinkConfig { call_timeout: CALL_TIMEOUT, ..config });
    ensure!(link.wait_connected(CONNECT_TIMEOUT).await, "the database cannot be reached");
    let blocks = i32::try_from(edge)? + 2;
    let world = WorldSection {
        min_block_x: -blocks,
        min_block_y: -blocks,
        max_block_x: blocks,
        max_block_y: blocks,
        obstacles: Vec::new(),
        ..WorldSection::default()
    };
    call(&link, "world_configure", stdb::Args::new().with(&world.definition())).await?;
    call(&link, "world_vigil_set", stdb::Args::new().with(&OPEN_WORLD).with(&true)).await?;
    Ok(link)
}

/// Two sides that stand before each other.
async fn begin_fight(link: &Link, number: u32, edge: u32) -> anyhow::Result<()> {
    let place = |at: u32| -> anyhow::Result<i32> {
        Ok((i32::try_from(at)? - i32::try_from(edge / 2)?) * APART_MM)
    };
    let (x_mm, y_mm) = (place(number % edge)?, place(number / edge)?);
    for (side, east_mm) in [(1_u32, 0), (2, BETWEEN_MM)] {
        let args = stdb::Args::new()
            .with(&OPEN_WORLD)
            .with(CREATURE)
            .with(&(x_mm + east_mm))
            .with(&y_mm)
            .with(&SIDE)
            .with(&side);
        call(link, "creature_spawn", args).await?;
    }
    Ok(())
}

async fn call(link: &Link, reducer: &str, args: stdb::Args) -> anyhow::Result<()> {
    link.call(reducer, args).await.map_err(|error| refused(reducer, &error))
}

/// Cores that the server keeps busy before there are camps, and with them.
async fn measure_camps(timing: Timing, stop: &mut StopSignal) -> anyhow::Result<(f64, f64)> {
    let variables = [("HAVEN_WORLD__TERRAIN", String::new())];
    with_server(&variables, stop, async |server| {
        let target = &server.target;
        let link = lay_out(target, 64).await?;
        let empty = target.usage()?;
        sleep(timing.window).await;
        let before = target.usage()?.cpu_share_since(&empty);
        let args = stdb::Args::new().with(&OPEN_WORLD).with(&CAMPS);
        call(&link, "camp_scatter", args).await?;
        sleep(timing.idle).await;
        let filled = target.usage()?;
        sleep(timing.window).await;
        let after = target.usage()?.cpu_share_since(&filled);
        link.close().await;
        Ok((before, after))
    })
    .await
}
