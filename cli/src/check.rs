//! `haven check`: all rows of a database against the rules of every domain.

use std::path::PathBuf;

use anyhow::ensure;
use clap::Args;
use haven_checks::{Snapshot, check, check_ground, rules};

use crate::args::Loader;
use crate::config::Flags;
use crate::owner::Owner;
use crate::terminal;

/// Check all rows of a database against the rules of every domain
///
/// Reads every row as of one transaction, while players play, and changes nothing: after a restore,
/// or when something seems wrong. A rule that is broken is told with the rows that break it, and
/// the exit code is 1.
#[derive(Debug, Args)]
pub(crate) struct CheckArgs {
    /// Host of the database [default: http://127.0.0.1:3000]
    #[arg(long, value_name = "URI")]
    server: Option<String>,
    /// Name of the database [default: haven]
    #[arg(long, value_name = "NAME")]
    database: Option<String>,
    /// Data directory whose keys the host trusts [default: .haven]
    #[arg(long, value_name = "DIR")]
    data_dir: Option<PathBuf>,
}

/// Reads, checks and tells.
pub(crate) async fn run(args: CheckArgs, loader: &Loader) -> anyhow::Result<()> {
    let flags = Flags { data_dir: args.data_dir, server: args.server, ..Flags::default() };
    let config = loader.load(&flags)?;
    let token = Owner::open(&config)?.request_token()?;
    let database = args.database.unwrap_or_else(|| config.database.name.clone());
    let spinner = terminal::spinner(format!("checking {database}"));
    let now = Snapshot::read(&config.database_uri(), &database, &token).await;
    spinner.finish_and_clear();
    let now = now?;
    let mut broken = check(&now);
    broken.extend(check_ground(&now));
    for rule in rules() {
        match broken.iter().find(|broken| broken.rule == rule) {
            None => terminal::done(rule),
            Some(broken) => anstream::println!("{broken}"),
        }
    }
    ensure!(broken.is_empty(), "{} rules are broken", broken.len());
    terminal::done(&format!("{} rows of {} tables", now.rows_total(), now.tables().count()));
    Ok(())
}
