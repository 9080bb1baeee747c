//! `haven keys`: the keys that sign tokens.

use std::path::PathBuf;

use clap::{Args, Subcommand};

use crate::args::Loader;
use crate::config::Flags;
use crate::owner::Owner;
use crate::terminal;

/// Rotate the keys that sign tokens
#[derive(Debug, Args)]
pub(crate) struct KeysArgs {
    #[command(subcommand)]
    command: KeysCommand,
}

#[derive(Debug, Subcommand)]
enum KeysCommand {
    /// Sign with a new key from now on
    ///
    /// Gateways and hosts that read the same directory notice within seconds. Tokens signed with
    /// the key before stay valid until they end by themselves; the owner's token is signed anew.
    Rotate {
        /// Data directory of `haven up` or `haven host` [default: .haven]
        #[arg(long, value_name = "DIR")]
        data_dir: Option<PathBuf>,
    },
}

/// Runs the subcommand.
pub(crate) fn run(args: KeysArgs, loader: &Loader) -> anyhow::Result<()> {
    let KeysCommand::Rotate { data_dir } = args.command;
    let config = loader.load(&Flags { data_dir, ..Flags::default() })?;
    let owner = Owner::open(&config)?;
    let kid = owner.keys().rotate()?;
    owner.renew_file_token()?;
    terminal::done(&format!("the key {kid} signs from now on"));
    Ok(())
}
