//! `haven content`: packs checked and compared; versions staged, put in force and taken back.
//!
//! Keeps true: every fault of a pack is told, with its file and line, and nothing of it is sent;
//! looking changes nothing.

mod live;
mod packs;
mod shipped;
mod touched;

use std::path::{Path, PathBuf};

use clap::{Args, Subcommand};
use haven_rules::content::diff::{Change, What, diff};
use spacetimedb_lib::Timestamp;

use crate::args::{Loader, moment};
use crate::terminal;

pub(crate) use live::{RealmOf, ensure, replace};

/// The pack that comes with Haven.
pub(crate) fn shipped() -> anyhow::Result<haven_rules::content::Pack> {
    Ok(packs::load(None)?.pack)
}

/// Check packs of content, and change what is in force in a realm
///
/// A pack is a folder of TOML files. The one that comes with Haven is in force in a new realm.
#[derive(Debug, Args)]
pub(crate) struct ContentArgs {
    #[command(flatten)]
    realm: RealmOf,
    #[command(subcommand)]
    command: ContentCommand,
}

#[derive(Debug, Subcommand)]
enum ContentCommand {
    /// Find every broken reference, range and formula of a pack, with file and line
    ///
    /// The exit code is 1 when there is any.
    Check {
        /// Folder with the pack's files [default: the pack that comes with Haven]
        folder: Option<PathBuf>,
    },
    /// Tell what differs between two packs, or between a pack and what is in force
    ///
    /// One folder is compared with what is in force in the realm, and none stands for the pack that
    /// comes with Haven; then it is also told how many characters, creatures and items each change
    /// touches: those whose race or class has what changes. A dash is where that is not kept.
    Diff {
        /// Folder with the pack's files; or two, the old pack's and the new pack's
        #[arg(value_name = "FOLDER", num_args = 0..=2)]
        folders: Vec<PathBuf>,
    },
    /// Bring a pack into the realm, checked and whole, without putting it in force
    Stage {
        /// Folder with the pack's files [default: the pack that comes with Haven]
        folder: Option<PathBuf>,
        /// What the version is called [default: the folder's name]
        #[arg(long, value_name = "TEXT")]
        title: Option<String>,
    },
    /// Show the realm's versions
    List,
    /// Put a version in force, in one transaction, while all play
    Activate {
        /// The version's number
        version: u32,
        /// Not now but at this moment, within 30 days, such as 2026-11-21T17:30:00Z
        #[arg(long, value_name = "TIME", value_parser = moment)]
        at: Option<Timestamp>,
    },
    /// Put the version in force again that was before
    Rollback,
    /// Forget a version that is not in force
    Drop {
        /// The version's number
        version: u32,
    },
}

/// Does what was typed.
pub(crate) async fn run(args: ContentArgs, loader: &Loader) -> anyhow::Result<()> {
    match args.command {
        ContentCommand::Check { folder } => {
            let named = packs::load(folder.as_deref())?;
            let place = folder.map_or(named.name, |folder| folder.display().to_string());
            terminal::done(&format!("{place}: {}", packs::contents(&named.pack)));
            Ok(())
        }
        ContentCommand::Diff { folders } => match folders.as_slice() {
            [old, new] => compare(old, new),
            folders => {
                let named = packs::load(folders.first().map(PathBuf::as_path))?;
                live::diff_in_force(args.realm, loader, &named).await
            }
        },
        ContentCommand::Stage { folder, title } => {
            let named = packs::load(folder.as_deref())?;
            live::stage(args.realm, loader, &named, title.as_deref()).await
        }
        ContentCommand::List => live::list(args.realm, loader).await,
        ContentCommand::Activate { version, at } => {
            live::activate(args.realm, loader, version, at).await
        }
        ContentCommand::Rollback => live::rollback(args.realm, loader).await,
        ContentCommand::Drop { version } => live::forget(args.realm, loader, version).await,
    }
}

fn compare(old: &Path, new: &Path) -> anyhow::Result<()> {
    let changes = diff(&packs::load(Some(old))?.pack, &packs::load(Some(new))?.pack);
    for change in &changes {
        anstream::println!("{}", line(change));
    }
    terminal::done(&format!("entries that differ: {}", changes.len()));
    Ok(())
}

/// A change as a line: `changed ability fire_bolt: range_mm, effects`.
fn line(change: &Change) -> String {
    let Change { kind, key, .. } = change;
    let (done, fields) = words(change);
    let colon = if fields.is_empty() { "" } else { ": " };
    format!("{done} {} {key}{colon}{fields}", kind.word())
}

/// How an entry differs, and in which fields.
fn words(change: &Change) -> (&'static str, String) {
    match &change.what {
        What::Added => ("added", String::new()),
        What::Removed => ("removed", String::new()),
        What::Changed { fields } => ("changed", fields.join(", ")),
    }
}
