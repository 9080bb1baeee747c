//! `haven backup`: backups of a data directory, made, checked and restored.

use std::path::{Path, PathBuf};

use clap::{Args, Subcommand};
use haven_engine::backup::{
    CreateOptions, DatabaseEntry, Manifest, RestoreOptions, create, restore, verify,
};
use spacetimedb_lib::Timestamp;

use crate::args::{Loader, moment};
use crate::config::Flags;
use crate::terminal;

/// Back up a data directory while it is in use, check backups, restore them
///
/// A backup holds the signing keys and every account: whoever can read it can be anybody. Its files
/// can be read by their owner only; keep it where that is enough, or encrypt what you carry away.
#[derive(Debug, Args)]
pub(crate) struct BackupArgs {
    #[command(subcommand)]
    command: BackupCommand,
}

#[derive(Debug, Subcommand)]
enum BackupCommand {
    /// Add a generation to a folder of backups
    ///
    /// Players play on meanwhile. Files that have not changed since the generation before are
    /// shared with it. An engine is then started from a copy, without an address, and the rows of
    /// every table are counted.
    Create(CreateArgs),
    /// Make a new data directory from a generation
    Restore(RestoreArgs),
    /// Check a generation: hashes, and the rows an engine finds in a copy of it
    Verify(VerifyArgs),
}

#[derive(Debug, Args)]
struct CreateArgs {
    /// The folder of backups; made where it is missing
    #[arg(value_name = "DIR")]
    backups: PathBuf,
    /// Data directory of `haven up` or `haven host` [default: .haven]
    #[arg(long, value_name = "DIR")]
    data_dir: Option<PathBuf>,
    /// Remove the oldest generations beyond this many, once the new one is checked
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..))]
    keep: Option<u16>,
    /// Do not start an engine from a copy
    #[arg(long, conflicts_with = "keep")]
    no_verify: bool,
}

#[derive(Debug, Args)]
struct RestoreArgs {
    /// The folder of backups
    #[arg(value_name = "DIR")]
    backups: PathBuf,
    /// The new data directory: missing or empty
    #[arg(long, value_name = "NEW")]
    data_dir: PathBuf,
    /// Which generation [default: the newest]
    #[arg(long, value_name = "G")]
    generation: Option<u64>,
    /// Leave out what began after this moment, such as 2026-11-21T17:30:00Z
    #[arg(long, value_name = "TIME", value_parser = moment)]
    until: Option<Timestamp>,
}

#[derive(Debug, Args)]
struct VerifyArgs {
    /// The folder of backups
    #[arg(value_name = "DIR")]
    backups: PathBuf,
    /// Which generation [default: the newest]
    #[arg(long, value_name = "G")]
    generation: Option<u64>,
}

/// Runs the subcommand.
pub(crate) async fn run(args: BackupArgs, loader: &Loader) -> anyhow::Result<()> {
    match args.command {
        BackupCommand::Create(args) => run_create(args, loader).await,
        BackupCommand::Restore(args) => run_restore(args).await,
        BackupCommand::Verify(args) => run_verify(args).await,
    }
}

async fn run_create(args: CreateArgs, loader: &Loader) -> anyhow::Result<()> {
    let config = loader.load(&Flags { data_dir: args.data_dir, ..Flags::default() })?;
    let spinner = terminal::spinner("backing up");
    let created = create(CreateOptions {
        data_dir: config.server.data_dir,
        keys_dir: config.gateway.keys_dir,
        backups: args.backups,
        verify: !args.no_verify,
        keep: args.keep.map(usize::from),
    })
    .await;
    spinner.finish_and_clear();
    let created = created?;
    anstream::print!("{}", contents(&created.manifest));
    let (copied, reused) = (size(created.copied_bytes), size(created.reused_bytes));
    terminal::done(&format!("{}: {copied} written, {reused} shared", created.path.display()));
    if !created.removed.is_empty() {
        let removed: Vec<String> = created.removed.iter().map(u64::to_string).collect();
        terminal::done(&format!("removed generation {}", removed.join(", ")));
    }
    Ok(())
}

async fn run_restore(args: RestoreArgs) -> anyhow::Result<()> {
    let spinner = terminal::spinner("restoring");
    let restored = restore(RestoreOptions {
        backups: args.backups,
        generation: args.generation,
        until: args.until,
        data_dir: args.data_dir.clone(),
    })
    .await;
    spinner.finish_and_clear();
    let restored = restored?;
    let rows: Vec<Vec<String>> = restored
        .databases
        .iter()
        .map(|database| {
            let offset = database.last_offset.map_or("–".to_owned(), |offset| offset.to_string());
            vec![database.label.clone(), offset, or_dash(database.last_tx_at.as_deref())]
        })
        .collect();
    anstream::print!("{}", terminal::table(&["database", "last transaction", "of"], &rows));
    let generation = restored.manifest.generation;
    terminal::done(&format!("generation {generation} is in {}", args.data_dir.display()));
    terminal::note(&start_hint(&args.data_dir));
    Ok(())
}

async fn run_verify(args: VerifyArgs) -> anyhow::Result<()> {
    let spinner = terminal::spinner("checking");
    let verified = verify(args.backups, args.generation).await;
    spinner.finish_and_clear();
    let manifest = verified?;
    anstream::print!("{}", contents(&manifest));
    let files = manifest.files.len();
    terminal::done(&format!("generation {} is good: {files} files", manifest.generation));
    Ok(())
}

fn contents(manifest: &Manifest) -> String {
    let row = |database: &DatabaseEntry| {
        let rows = database.counts.as_ref().map(|counts| counts.values().sum::<u64>().to_string());
        let transactions = match (database.first_offset, database.last_offset) {
            (Some(first), Some(last)) => format!("{first} to {last}"),
            _ => "–".to_owned(),
        };
        let module = database.module.chars().take(12).collect();
        let last_tx_at = or_dash(database.last_tx_at.as_deref());
        vec![
            database.label().to_owned(),
            transactions,
            last_tx_at,
            module,
            or_dash(rows.as_deref()),
        ]
    };
    let rows: Vec<Vec<String>> = manifest.databases.iter().map(row).collect();
    terminal::table(&["database", "transactions", "until", "module", "rows"], &rows)
}

fn or_dash(text: Option<&str>) -> String {
    text.unwrap_or("–").to_owned()
}

/// Bytes as people write them.
fn size(bytes: u64) -> String {
    match bytes {
        0..1_000_000 => format!("{} KB", bytes.div_ceil(1_000)),
        1_000_000..10_000_000_000 => format!("{} MB", bytes / 1_000_000),
        _ => format!("{} GB", bytes / 1_000_000_000),
    }
}

fn start_hint(data_dir: &Path) -> String {
    format!("start it with: haven up --data-dir {}", data_dir.display())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_are_rounded() {
        assert_eq!(size(1), "1 KB");
        assert_eq!(size(2_500_000), "2 MB");
        assert_eq!(size(11_000_000_000), "11 GB");
    }
}
