//! `haven host`: the guarded engine alone, for further machines.

use std::net::SocketAddr;
use std::path::PathBuf;

use clap::Args;
use haven_engine::{Engine, EngineConfig, GuardConfig};

use crate::args::Loader;
use crate::config::{Config, Flags};
use crate::owner::Owner;
use crate::signals::StopSignal;
use crate::terminal::{self, BOLD, DIM, LINK};
use crate::up::{QUIET, init_logs};

/// Start the guarded engine alone, for further machines
///
/// It holds no database until something is published to it, with `haven realm add` or `haven
/// publish`. Tokens are checked with the keys in its data directory or, with guard.jwks_uri, with
/// those a gateway serves. Stops at Ctrl-C or SIGTERM with everything on disk.
#[derive(Debug, Args)]
pub(crate) struct HostArgs {
    /// Directory for everything that is kept [default: .haven]
    #[arg(long, value_name = "DIR")]
    data_dir: Option<PathBuf>,
    /// Where to listen; port 0 takes any free one [default: 127.0.0.1:3000]
    #[arg(long, visible_alias = "stdb-listen", value_name = "ADDR")]
    listen: Option<SocketAddr>,
    /// Keep databases in memory only
    #[arg(long)]
    in_memory: bool,
}

/// Runs until it is told to stop.
pub(crate) async fn run(args: HostArgs, loader: &Loader) -> anyhow::Result<()> {
    let config = loader.load(&Flags {
        data_dir: args.data_dir,
        stdb_listen: args.listen,
        in_memory: args.in_memory,
        ..Flags::default()
    })?;
    init_logs(&config, QUIET)?;
    let mut stop = StopSignal::catch()?;
    if config.guard.jwks_uri.is_none() {
        Owner::open_or_create(&config)?.file_token()?;
    }
    let engine = start_engine(&config, false).await?;
    tell_repairs(&engine);
    anstream::println!("{BOLD}The engine is running.{BOLD:#}");
    anstream::println!("  databases  {LINK}{}{LINK:#}", engine.uri());
    anstream::println!("  data       {}", config.server.data_dir.display());
    anstream::println!("{DIM}Ctrl-C stops it.{DIM:#}");
    stop.wait().await;
    terminal::note("stopping …");
    engine.stop().await?;
    terminal::done("stopped, everything is on disk");
    Ok(())
}

/// Says what a crash or a full disk had left and is mended now.
pub(crate) fn tell_repairs(engine: &Engine) {
    for repair in engine.repairs() {
        terminal::note(&format!("repaired: {repair}"));
    }
}

/// The engine as configured, behind its guard; players may have to wait until they are let in.
pub(crate) async fn start_engine(config: &Config, players_wait: bool) -> anyhow::Result<Engine> {
    let jwks_file = config.gateway.keys_dir.join("jwks.json");
    let guard = GuardConfig { players_wait, ..config.guard(&jwks_file) };
    let engine = Engine::start(EngineConfig {
        data_dir: config.server.data_dir.clone(),
        listen: config.server.stdb_listen,
        in_memory: config.server.in_memory,
        module_logs_bytes_max: u64::from(config.server.module_logs_mib) << 20,
        checkpoint_transactions: config.server.checkpoint_transactions,
        guard,
    });
    Ok(engine.await?)
}
