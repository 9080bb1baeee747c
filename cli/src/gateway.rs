//! `haven gateway`: a gateway alone, before databases that run elsewhere.

use std::net::SocketAddr;
use std::path::PathBuf;

use clap::Args;
use haven_gateway::Gateway;

use crate::args::Loader;
use crate::config::Flags;
use crate::signals::StopSignal;
use crate::terminal::{self, BOLD, DIM, LINK};
use crate::up::init_logs;

/// Start a gateway alone, before databases that run elsewhere
///
/// It reads [gateway] and [database] of the configuration, keeps no state but the signing keys, and
/// can run beside others that read the same keys. While its database is away it answers 503.
#[derive(Debug, Args)]
pub(crate) struct GatewayArgs {
    /// Directory whose keys/ holds the signing keys [default: .haven]
    #[arg(long, value_name = "DIR")]
    data_dir: Option<PathBuf>,
    /// Where to listen; port 0 takes any free one [default: 127.0.0.1:8080]
    #[arg(long, value_name = "ADDR")]
    listen: Option<SocketAddr>,
    /// Host of the home database [default: http://127.0.0.1:3000]
    #[arg(long, value_name = "URI")]
    server: Option<String>,
    /// Name of the home database [default: haven]
    #[arg(long, value_name = "NAME")]
    database: Option<String>,
}

/// Runs until it is told to stop.
pub(crate) async fn run(args: GatewayArgs, loader: &Loader) -> anyhow::Result<()> {
    let config = loader.load(&Flags {
        data_dir: args.data_dir,
        listen: args.listen,
        server: args.server,
        database: args.database,
        ..Flags::default()
    })?;
    init_logs(&config, &config.gateway.log_filter)?;
    let mut stop = StopSignal::catch()?;
    let (database, uri) = (config.database.name.clone(), config.database_uri());
    let gateway = Gateway::start(config.gateway).await?;
    anstream::println!("{BOLD}The gateway is running.{BOLD:#}");
    anstream::println!("  gateway   {LINK}{}{LINK:#}", gateway.uri());
    anstream::println!("  database  {database} at {LINK}{uri}{LINK:#}");
    anstream::println!("{DIM}Ctrl-C stops it.{DIM:#}");
    stop.wait().await;
    terminal::note("stopping …");
    gateway.stop().await;
    terminal::done("stopped");
    Ok(())
}
