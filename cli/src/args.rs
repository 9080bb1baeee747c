//! The command line: what can be typed, and which file does it.
//!
//! Keeps true: every help text stands beside the argument it is about and names its default.

use std::path::PathBuf;

use clap::builder::styling::{AnsiColor, Styles};
use clap::{Args, Parser, Subcommand};
use spacetimedb_lib::Timestamp;

use crate::config::{Config, Environment, Flags, load};
use crate::{
    account, backup, bench, bots, check, content, dice, gateway, host, keys, publish, realm, token,
    torture, up, world,
};

const STYLES: Styles = Styles::styled()
    .header(AnsiColor::Green.on_default().bold())
    .usage(AnsiColor::Green.on_default().bold())
    .literal(AnsiColor::Cyan.on_default().bold())
    .placeholder(AnsiColor::Cyan.on_default());

/// An MMORPG backend that lives inside SpacetimeDB.
///
/// Without a subcommand it does what `haven up` does: start everything with the defaults.
#[derive(Debug, Parser)]
#[command(name = "haven", version, styles = STYLES, disable_help_subcommand = true)]
pub(crate) struct Cli {
    #[command(flatten)]
    common: Common,
    #[command(subcommand)]
    command: Option<Command>,
}

/// What every subcommand takes.
#[derive(Debug, Args)]
struct Common {
    /// Configuration file [default: spacetime.toml, where there is one]
    ///
    /// Every key can also be set as an environment variable HAVEN_SECTION__KEY.
    #[arg(long, global = true, value_name = "FILE", help_heading = "Configuration")]
    config: Option<PathBuf>,
}

#[derive(Debug, Subcommand)]
enum Command {
    Up(up::UpArgs),
    Gateway(gateway::GatewayArgs),
    Host(host::HostArgs),
    Publish(publish::PublishArgs),
    Token(token::TokenArgs),
    Realm(realm::RealmArgs),
    Account(account::AccountArgs),
    Keys(keys::KeysArgs),
    Backup(backup::BackupArgs),
    Check(check::CheckArgs),
    Content(content::ContentArgs),
    Dice(dice::DiceArgs),
    Bots(bots::BotsArgs),
    Bench(bench::BenchArgs),
    Torture(torture::TortureArgs),
    World(world::WorldArgs),
}

/// How to load the configuration once a subcommand knows its flags.
#[derive(Debug)]
pub(crate) struct Loader {
    file: Option<PathBuf>,
}

impl Loader {
    /// Defaults, file, environment, and these flags over all.
    pub(crate) fn load(&self, flags: &Flags) -> anyhow::Result<Config> {
        Ok(load(self.file.as_deref(), &Environment::of_process(), flags)?)
    }
}

/// Runs what was typed.
pub(crate) async fn run(cli: Cli) -> anyhow::Result<()> {
    let loader = Loader { file: cli.common.config };
    match cli.command.unwrap_or_else(|| Command::Up(up::UpArgs::default())) {
        Command::Up(args) => up::run(args, &loader).await,
        Command::Gateway(args) => gateway::run(args, &loader).await,
        Command::Host(args) => host::run(args, &loader).await,
        Command::Publish(args) => publish::run(args, &loader).await,
        Command::Token(args) => token::run(args, &loader),
        Command::Realm(args) => realm::run(args, &loader).await,
        Command::Account(args) => account::run(args, &loader).await,
        Command::Keys(args) => keys::run(args, &loader),
        Command::Backup(args) => backup::run(args, &loader).await,
        Command::Check(args) => check::run(args, &loader).await,
        Command::Content(args) => content::run(args, &loader).await,
        Command::Dice(args) => dice::run(args, &loader).await,
        Command::Bots(args) => bots::run(args).await,
        Command::Bench(args) => bench::run(args).await,
        Command::Torture(args) => torture::run(args).await,
        Command::World(args) => world::run(args),
    }
}

/// A moment as it is typed.
pub(crate) fn moment(text: &str) -> Result<Timestamp, String> {
    Timestamp::parse_from_rfc3339(text)
        .map_err(|_| "a time is written as 2026-11-21T17:30:00Z, with its zone".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory;

    #[test]
    fn moments_have_a_zone() {
        let at = moment("2026-11-21T18:30:00.5+01:00").expect("a moment");
        assert_eq!(Ok(at), moment("2026-11-21T17:30:00.500Z"));
        assert!(moment("2026-11-21T17:30:00").is_err());
        assert!(moment("yesterday").is_err());
    }

    #[test]
    fn the_command_line_is_well_formed() {
        Cli::command().debug_assert();
    }

    #[test]
    fn no_subcommand_means_up() {
        let cli = Cli::try_parse_from(["haven"]).expect("valid");
        assert!(cli.command.is_none());
        assert!(Cli::try_parse_from(["haven", "no-such-thing"]).is_err());
    }
}
