//! Names of regions and settlements, put together from the recipe's syllables.
//!
//! Keeps true: a name depends on its dice alone, starts with a capital letter and has at most 68
//! characters. Leaves out on purpose: that names differ; two villages may share one, as they do.

use super::biome::Biome;
use super::noise::Dice;
use super::recipe::{Names, Syllables};

/// A settlement's name.
pub(super) fn settlement(names: &Names, dice: &mut Dice) -> String {
    spoken(&names.settlements, dice)
}

/// A region's name, by its commonest biome.
pub(super) fn region(names: &Names, biome: Biome, dice: &mut Dice) -> String {
    let bare = spoken(&names.regions, dice);
    let entry = names.patterns.iter().find(|entry| entry.biomes.contains(&biome));
    match entry.and_then(|entry| dice.pick(&entry.patterns)) {
        Some(pattern) => pattern.replacen('*', &bare, 1),
        None => bare,
    }
}

fn spoken(parts: &Syllables, dice: &mut Dice) -> String {
    let mut name = String::new();
    let mut add = |part: Option<&String>| name.extend(part.map(String::as_str));
    add(dice.pick(&parts.starts));
    if dice.happens(parts.middle) {
        add(dice.pick(&parts.middles));
    }
    add(dice.pick(&parts.ends));
    let mut letters = name.chars();
    let first = letters.next().map(|letter| letter.to_uppercase().to_string());
    first.unwrap_or_default() + letters.as_str()
}
