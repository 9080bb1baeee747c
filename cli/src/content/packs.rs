//! Packs as files: from a folder, or the one that comes with Haven.
//!
//! Keeps true: every fault is told, each on a line of its own, before the command fails.

use std::fs;
use std::path::Path;

use anyhow::{Context as _, bail, ensure};
use haven_rules::content::Pack;
use haven_rules::content::pack::{Source, read};

use super::shipped::FILES;

/// A pack and what it is called.
#[derive(Debug)]
pub(super) struct Named {
    /// Its folder's name, or the release it came with.
    pub(super) name: String,
    pub(super) pack: Pack,
}

/// Reads the pack of a folder; without one, the pack that comes with Haven.
pub(super) fn load(folder: Option<&Path>) -> anyhow::Result<Named> {
    let Some(folder) = folder else {
        let files: Vec<_> = FILES.iter().map(|(file, text)| Source { file, text }).collect();
        let name = format!("Haven {}", env!("CARGO_PKG_VERSION"));
        return Ok(Named { pack: of(&files, &name)?, name });
    };
    let place = folder.display().to_string();
    let mut texts = vec![];
    for entry in fs::read_dir(folder).with_context(|| place.clone())? {
        let path = entry?.path();
        if path.extension().is_some_and(|extension| extension == "toml") {
            let text = fs::read_to_string(&path).with_context(|| path.display().to_string())?;
            texts.push((path.display().to_string(), text));
        }
    }
    ensure!(!texts.is_empty(), "{place}: there are no files *.toml");
    let files: Vec<_> = texts.iter().map(|(file, text)| Source { file, text }).collect();
    let pack = of(&files, &place)?;
    let name = folder.canonicalize().ok();
    let name = name.as_deref().and_then(Path::file_name).and_then(|name| name.to_str());
    Ok(Named { name: name.unwrap_or(&place).to_owned(), pack })
}

fn of(files: &[Source<'_>], place: &str) -> anyhow::Result<Pack> {
    read(files).or_else(|faults| {
        for fault in &faults {
            anstream::println!("{fault}");
        }
        bail!("{place}: {} fault{}", faults.len(), if faults.len() == 1 { "" } else { "s" })
    })
}

/// How much of each kind there is.
pub(super) fn contents(pack: &Pack) -> String {
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
        (pack.item.len(), "items"),
        (pack.loot_table.len(), "loot tables"),
        (pack.recipe.len(), "recipes"),
        (pack.gather_node.len(), "kinds of places to gather at"),
        (pack.board.len(), "boards"),
        (pack.level.len(), "levels"),
        (pack.vendor.len(), "vendors"),
        (pack.setting.len(), "settings"),
        (pack.switch.len(), "switches"),
        (pack.filter_word.len(), "filtered words"),
    ];
    counts.map(|(count, kind)| format!("{count} {kind}")).join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use haven_rules::content::versions::{entries_of, pack_of, validate_title};

    #[test]
    fn the_pack_that_comes_with_haven_can_be_staged() {
        let Named { name, pack } = load(None).expect("without fault");
        assert_eq!(validate_title(&name), Ok(()));
        assert_eq!(pack_of(&entries_of(&pack)), Ok(pack));
    }
}
