//! `haven token`: the database owner's token, for SpacetimeDB's own command line.

use std::path::PathBuf;

use clap::Args;

use crate::args::Loader;
use crate::config::Flags;
use crate::owner::Owner;

/// Print the database owner's token, for `spacetime login --token`
///
/// Whoever has it may do everything in the databases. It is valid for a year, is renewed by this
/// command when it is about to end, and is kept in owner.token in the data directory, readable by
/// its owner only.
#[derive(Debug, Args)]
pub(crate) struct TokenArgs {
    /// Data directory of `haven up` or `haven host` [default: .haven]
    #[arg(long, value_name = "DIR")]
    data_dir: Option<PathBuf>,
}

/// Prints the token alone, so that `$(haven token)` is it.
pub(crate) fn run(args: TokenArgs, loader: &Loader) -> anyhow::Result<()> {
    let config = loader.load(&Flags { data_dir: args.data_dir, ..Flags::default() })?;
    anstream::println!("{}", Owner::open(&config)?.file_token()?);
    Ok(())
}
