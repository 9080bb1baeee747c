//! `haven up`: everything from one command.
//!
//! Keeps true: what it prints is running when it prints it; it stops the gateway first and the
//! engine after, so that no request loses its database; a failed start leaves nothing running.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use anyhow::bail;
use clap::Args;
use haven_engine::Engine;
use haven_gateway::Gateway;
use haven_gateway::logs::{LogFormat, init_logs as start_logs};

use crate::args::Loader;
use crate::config::{Config, Flags, uri_of};
use crate::host::{start_engine, tell_repairs};
use crate::owner::Owner;
use crate::setup::{RealmPlan, prepare_home};
use crate::signals::StopSignal;
use crate::terminal::{self, BOLD, DIM, GOOD, LINK};

/// How long the gateway may take to reach its database.
const READY_TIMEOUT: Duration = Duration::from_secs(20);
/// How long a stop may take: the gateway's 4 seconds at most, then the engine, which writes
/// everything down.
const STOP_TIMEOUT: Duration = Duration::from_secs(9);

/// Log lines worth a terminal. The engine reports each client's bad message as an error of its own.
pub(crate) const QUIET: &str = "warn,spacetimedb=error,spacetimedb_client_api=off";

/// Start everything: database, module, gateway and one realm
///
/// The first start makes the data directory, its keys and the database; later ones find all that
/// was there. Stops at Ctrl-C or SIGTERM within ten seconds, with everything on disk.
#[derive(Debug, Default, Args)]
pub(crate) struct UpArgs {
    /// Directory for everything that is kept [default: .haven]
    #[arg(long, value_name = "DIR")]
    data_dir: Option<PathBuf>,
    /// Where the gateway listens; port 0 takes any free one [default: 127.0.0.1:8080]
    #[arg(long, value_name = "ADDR")]
    listen: Option<SocketAddr>,
    /// Where the database listens; port 0 takes any free one [default: 127.0.0.1:3000]
    #[arg(long, value_name = "ADDR")]
    stdb_listen: Option<SocketAddr>,
    /// Keep the database in memory only: it is gone when the process ends
    #[arg(long)]
    in_memory: bool,
}

/// Runs until it is told to stop.
pub(crate) async fn run(args: UpArgs, loader: &Loader) -> anyhow::Result<()> {
    let config = loader.load(&Flags {
        data_dir: args.data_dir,
        listen: args.listen,
        stdb_listen: args.stdb_listen,
        in_memory: args.in_memory,
        ..Flags::default()
    })?;
    init_logs(&config, QUIET)?;
    let mut stop = StopSignal::catch()?;
    let owner = Owner::open_or_create(&config)?;
    owner.file_token()?;
    let spinner = terminal::spinner("starting");
    let mut times = Times { began: Instant::now(), steps: vec![] };
    let started = tokio::select! {
        started = start_engine(&config, true) => Some(started),
        () = stop.wait() => None,
    };
    let Some(engine) = started.transpose()? else {
        spinner.finish_and_clear();
        terminal::done("stopped before it was ready");
        return Ok(());
    };
    times.is_done("database");
    spinner.suspend(|| tell_repairs(&engine));
    let started = tokio::select! {
        started = start_gateway(&owner, &config, &engine, &mut times) => started.map(Some),
        () = stop.wait() => Ok(None),
    };
    spinner.finish_and_clear();
    let (gateway, plan) = match started {
        Ok(Some(started)) => started,
        Ok(None) => {
            stop_engine(engine, Instant::now() + STOP_TIMEOUT).await?;
            terminal::done("stopped before it was ready");
            return Ok(());
        }
        Err(error) => {
            stop_engine(engine, Instant::now() + STOP_TIMEOUT).await?;
            return Err(error);
        }
    };
    engine.let_players_in();
    greet(&config, &gateway.uri(), &engine.uri(), &plan, &owner, &times);
    stop.wait().await;
    terminal::note("stopping …");
    let stop_by = Instant::now() + STOP_TIMEOUT;
    gateway.stop().await;
    stop_engine(engine, stop_by).await?;
    terminal::done("stopped, everything is on disk");
    Ok(())
}

/// How long each step of a start took.
struct Times {
    began: Instant,
    steps: Vec<(&'static str, Duration)>,
}

impl Times {
    fn is_done(&mut self, step: &'static str) {
        let before: Duration = self.steps.iter().map(|(_, took)| *took).sum();
        self.steps.push((step, self.began.elapsed().saturating_sub(before)));
    }
}

/// Everything behind the engine: the database made ready, then the gateway.
async fn start_gateway(
    owner: &Owner,
    config: &Config,
    engine: &Engine,
    times: &mut Times,
) -> anyhow::Result<(Gateway, RealmPlan)> {
    let here = uri_of(engine.addr());
    let (plan, _) = prepare_home(owner, config, &here, haven_engine::MODULE_WASM).await?;
    times.is_done("module");
    let mut settings = config.gateway.clone();
    settings.home_uri.clone_from(&here);
    settings.realm_uris.entry(plan.realm_id.to_string()).or_insert(here);
    let gateway = Gateway::start(settings).await?;
    let metrics = engine.metrics();
    gateway.add_metrics(move || metrics.text());
    if gateway.wait_ready(READY_TIMEOUT).await {
        times.is_done("gateway");
        return Ok((gateway, plan));
    }
    gateway.stop().await;
    bail!("the gateway did not reach its database within {} s", READY_TIMEOUT.as_secs());
}

async fn stop_engine(engine: Engine, stop_by: Instant) -> anyhow::Result<()> {
    match tokio::time::timeout_at(stop_by.into(), engine.stop()).await {
        Ok(stopped) => Ok(stopped?),
        Err(_) => bail!("the engine did not stop in time"),
    }
}

/// Log lines of a process that also prints: quiet unless something else was configured.
pub(crate) fn init_logs(config: &Config, quiet_filter: &str) -> anyhow::Result<()> {
    let gateway = &config.gateway;
    let filter = if config.log_said.filter { &gateway.log_filter } else { quiet_filter };
    let terminal = std::io::IsTerminal::is_terminal(&std::io::stderr());
    let format =
        if !config.log_said.format && terminal { LogFormat::Pretty } else { gateway.log_format };
    Ok(start_logs(format, filter)?)
}

fn greet(
    config: &Config,
    gateway: &str,
    engine: &str,
    plan: &RealmPlan,
    owner: &Owner,
    times: &Times,
) {
    let version = env!("CARGO_PKG_VERSION");
    let me = std::env::args().next().unwrap_or_else(|| "haven".to_owned());
    let data_dir = config.server.data_dir.display();
    let kept = if config.server.in_memory { "the database is in memory only" } else { "kept" };
    let world = &config.world;
    let blocks = (world.max_block_x - world.min_block_x, world.max_block_y - world.min_block_y);
    let RealmPlan { database, realm_id, name, .. } = plan;
    anstream::println!("{GOOD}Haven {version} is running.{GOOD:#}\n");
    anstream::println!(
        "  {BOLD}gateway{BOLD:#}   {LINK}{gateway}{LINK:#}  {DIM}/v1/openapi.json{DIM:#}"
    );
    anstream::println!(
        "  {BOLD}database{BOLD:#}  {LINK}{engine}{LINK:#}  {DIM}{database}, guarded{DIM:#}"
    );
    anstream::println!(
        "  {BOLD}realm{BOLD:#}     {realm_id} {name:?}  {DIM}{} × {} blocks of 64 m{DIM:#}",
        blocks.0,
        blocks.1
    );
    anstream::println!("  {BOLD}data{BOLD:#}      {data_dir}  {DIM}{kept}{DIM:#}");
    anstream::println!("  {BOLD}owner{BOLD:#}     {}", owner.token_file().display());
    let steps: Vec<String> =
        times.steps.iter().map(|(step, took)| format!("{step} {}", took.as_millis())).collect();
    let took: Duration = times.steps.iter().map(|(_, took)| *took).sum();
    anstream::println!(
        "  {BOLD}started{BOLD:#}   in {} ms  {DIM}{}{DIM:#}\n",
        took.as_millis(),
        steps.join(", ")
    );
    anstream::println!("Try next:");
    anstream::println!(
        "  {LINK}curl -s {gateway}/v1/auth/register -H 'content-type: application/json' \
         -d '{{\"email\":\"ann@example.org\",\"password\":\"correct horse\"}}'{LINK:#}"
    );
    anstream::println!("  {LINK}cargo run --release --example two_players {gateway}{LINK:#}");
    anstream::println!("  {LINK}{me} bots --gateway {gateway} --count 50 --seconds 20{LINK:#}");
    anstream::println!(
        "  {LINK}spacetime login --token \"$({me} token --data-dir {data_dir})\"{LINK:#}"
    );
    let query = "SELECT realm_id, name, uri FROM realm";
    anstream::println!("  {LINK}spacetime sql -s {engine} {database} \"{query}\"{LINK:#}\n");
    anstream::println!("{DIM}Ctrl-C stops it.{DIM:#}");
}
