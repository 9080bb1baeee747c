//! `haven content`: packs as files, checked and compared.
//!
//! Keeps true: every fault is told, with its file and line, and nothing is changed by looking.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, bail, ensure};
use clap::{Args, Subcommand};
use haven_rules::content::Pack;
use haven_rules::content::diff::{Change, What, diff};
use haven_rules::content::pack::{Source, read};

use crate::terminal;

/// Check and compare packs of content
///
/// A pack is a folder of TOML files; the one that comes with Haven is content/srd.
#[derive(Debug, Args)]
pub(crate) struct ContentArgs {
    #[command(subcommand)]
    command: ContentCommand,
}

#[derive(Debug, Subcommand)]
enum ContentCommand {
    /// Find every broken reference, range and formula of a pack, with file and line
    ///
    /// The exit code is 1 when there is any.
    Check {
        /// Folder with the pack's files
        #[arg(default_value = "content/srd")]
        folder: PathBuf,
    },
    /// Tell what differs between two packs
    Diff {
        /// Folder with the old pack's files
        old: PathBuf,
        /// Folder with the new pack's files
        new: PathBuf,
    },
}

/// Does what was typed.
pub(crate) fn run(args: ContentArgs) -> anyhow::Result<()> {
    match args.command {
        ContentCommand::Check { folder } => {
            let pack = load(&folder)?;
            terminal::done(&format!("{}: {}", folder.display(), contents(&pack)));
        }
        ContentCommand::Diff { old, new } => {
            let changes = diff(&load(&old)?, &load(&new)?);
            for change in &changes {
                anstream::println!("{}", line(change));
            }
            terminal::done(&format!("{} entries differ", changes.len()));
        }
    }
    Ok(())
}

/// Reads a pack from its folder; each fault is a line.
fn load(folder: &Path) -> anyhow::Result<Pack> {
    let mut texts = vec![];
    let entries = fs::read_dir(folder).with_context(|| folder.display().to_string())?;
    for entry in entries {
        let path = entry?.path();
        if path.extension().is_some_and(|extension| extension == "toml") {
            let text = fs::read_to_string(&path).with_context(|| path.display().to_string())?;
            texts.push((path.display().to_string(), text));
        }
    }
    ensure!(!texts.is_empty(), "{}: there are no files *.toml", folder.display());
    let sources: Vec<_> = texts.iter().map(|(file, text)| Source { file, text }).collect();
    match read(&sources) {
        Ok(pack) => Ok(pack),
        Err(faults) => {
            for fault in &faults {
                anstream::println!("{fault}");
            }
            bail!("{}: {} faults", folder.display(), faults.len())
        }
    }
}

/// How much of each kind there is.
fn contents(pack: &Pack) -> String {
    let counts = [
        (pack.race.len(), "races"),
        (pack.class.len(), "classes"),
        (pack.background.len(), "backgrounds"),
        (pack.feature.len(), "features"),
        (pack.ability.len(), "abilities"),
        (pack.creature.len(), "creatures"),
        (pack.weapon.len(), "weapons"),
        (pack.armor.len(), "pieces of armor"),
        (pack.camp.len(), "camps"),
        (pack.level.len(), "levels"),
        (pack.setting.len(), "settings"),
        (pack.switch.len(), "switches"),
    ];
    counts.map(|(count, kind)| format!("{count} {kind}")).join(", ")
}

/// A change as a line: `changed ability fire_bolt: range_mm, effects`.
fn line(change: &Change) -> String {
    let Change { kind, key, what } = change;
    let kind = kind.word();
    match what {
        What::Added => format!("added {kind} {key}"),
        What::Removed => format!("removed {kind} {key}"),
        What::Changed { fields } => format!("changed {kind} {key}: {}", fields.join(", ")),
    }
}
