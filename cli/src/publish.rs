//! `haven publish`: the module into a database, wherever that runs.

use std::path::PathBuf;

use anyhow::Context;
use clap::Args;

use crate::args::Loader;
use crate::config::Flags;
use crate::owner::Owner;
use crate::setup::{self, RealmPlan};
use crate::terminal;

/// Publish the module to a database and bring it up to date
///
/// Data stays: tables, indexes and reducers that are new are added. The home database is also
/// configured as [realm] and [world] say; further realms are made by `haven realm add`.
#[derive(Debug, Args)]
pub(crate) struct PublishArgs {
    /// Host of the database [default: http://127.0.0.1:3000]
    #[arg(long, value_name = "URI")]
    server: Option<String>,
    /// Name of the database [default: haven]
    #[arg(long, value_name = "NAME")]
    database: Option<String>,
    /// Publish this module and not the one that is built in
    #[arg(long, value_name = "FILE")]
    wasm: Option<PathBuf>,
    /// Data directory whose keys the host trusts [default: .haven]
    #[arg(long, value_name = "DIR")]
    data_dir: Option<PathBuf>,
}

/// Publishes, upgrades, and configures the home database.
pub(crate) async fn run(args: PublishArgs, loader: &Loader) -> anyhow::Result<()> {
    let flags = Flags { data_dir: args.data_dir, server: args.server, ..Flags::default() };
    let config = loader.load(&flags)?;
    let wasm = match &args.wasm {
        Some(file) => {
            std::fs::read(file).with_context(|| format!("{} cannot be read", file.display()))?
        }
        None => haven_engine::MODULE_WASM.to_vec(),
    };
    let owner = Owner::open(&config)?;
    let server = config.database_uri();
    let database = args.database.unwrap_or_else(|| config.database.name.clone());
    let spinner = terminal::spinner(format!("publishing {database}"));
    let (outcome, link) = setup::publish(&owner, &server, &database, &wasm).await?;
    if database == config.database.name {
        let plan = RealmPlan::home(&config, &server);
        setup::configure(&link, &plan, &config).await?;
        setup::list(&link, &plan).await?;
    }
    link.close().await;
    spinner.finish_and_clear();
    let done = if outcome.created { "was made" } else { "was brought up to date" };
    terminal::done(&format!("the database {database} at {server} {done}"));
    Ok(())
}
