//! The recipe of a terrain: which steps are taken, with which numbers. Content files hold one.
//!
//! Keeps true: a [`Recipe`] that was made by [`Recipe::from_toml`] is within its ranges, so that
//! the generator needs no checks. A step whose section is missing is left out. Leaves out on
//! purpose: the steps themselves, and the ranges, which stand in `limits`.

use serde::Deserialize;

mod limits;
mod steps;

pub use steps::{
    BiomeRecipe, Climate, Continents, Detail, Erosion, Footing, Ground, Hills, Home, Lakes,
    Mountains, NamePatterns, Names, NoiseRecipe, Rim, Rivers, Scatter, Settlements, Sites,
    Syllables,
};

/// Longest content file of a terrain, bytes.
pub const RECIPE_BYTES_MAX: usize = 32_768;

/// The content files that come with the game.
pub const SHIPPED: [(&str, &str); 2] = [
    ("open", include_str!("../../../../content/world/open.toml")),
    ("hollow", include_str!("../../../../content/world/hollow.toml")),
];

/// Why a content file is no recipe; for whoever writes it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RecipeError {
    /// The line it is about, counted from 1; none where it is about the file as a whole.
    pub line: Option<usize>,
    /// What is wrong, with the key's name.
    pub message: String,
}

impl std::fmt::Display for RecipeError {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self.line {
            Some(line) => write!(formatter, "line {line}: {}", self.message),
            None => formatter.write_str(&self.message),
        }
    }
}

impl std::error::Error for RecipeError {}

/// How a terrain is made. The steps stand in the order in which they are taken.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Recipe {
    /// What the world is called, 1 to 64 characters.
    pub title: String,
    /// Land and sea.
    pub continents: Continents,
    /// Mountain ranges.
    pub mountains: Option<Mountains>,
    /// Rolling country.
    pub hills: Option<Hills>,
    /// Where players start.
    pub home: Option<Home>,
    /// A ring of cliffs around the origin.
    pub rim: Option<Rim>,
    /// Wide streams with valleys.
    pub rivers: Option<Rivers>,
    /// Narrow streams; as rivers, smaller and more.
    pub brooks: Option<Rivers>,
    /// Standing water.
    pub lakes: Option<Lakes>,
    /// What slopes do in time.
    pub erosion: Erosion,
    /// Small bumps that are seen and not felt.
    pub detail: Detail,
    /// Temperature and moisture.
    pub climate: Climate,
    /// How slopes and water are walked.
    pub ground: Ground,
    /// The kinds of country: the first whose ranges fit is taken; 1 to 32 of them, and the last one
    /// has to fit everywhere.
    pub biomes: Vec<BiomeRecipe>,
    /// Villages and towns.
    pub settlements: Option<Settlements>,
    /// What was left of older ones.
    pub ruins: Option<Sites>,
    /// Where creatures gather.
    pub camps: Option<Sites>,
    /// What regions and settlements are called.
    pub names: Names,
}

impl Recipe {
    /// Reads a content file and checks every range.
    ///
    /// # Errors
    /// In this order: the file is too long, it is not such TOML, a value is out of its range; with
    /// the line where it is known.
    pub fn from_toml(text: &str) -> Result<Self, RecipeError> {
        if text.len() > RECIPE_BYTES_MAX {
            let message = format!("the file has {} bytes; most is {RECIPE_BYTES_MAX}", text.len());
            return Err(RecipeError { line: None, message });
        }
        let recipe: Self = toml::from_str(text).map_err(|error| RecipeError {
            line: error.span().map(|span| line_at(text, span.start)),
            message: error.message().to_owned(),
        })?;
        match limits::first_offence(&recipe) {
            Some((key, reason)) => {
                let line = line_of_key(text, &key);
                Err(RecipeError { line, message: format!("{key} {reason}") })
            }
            None => Ok(recipe),
        }
    }
}

/// The line of a byte, counted from 1.
fn line_at(text: &str, byte: usize) -> usize {
    let before = text.as_bytes().iter().take(byte);
    before.filter(|byte| **byte == b'\n').count() + 1
}

/// The line of a dotted key like `rivers.noise.octaves` or `biomes[2].ground`: that of its last
/// part that is written out, as far as the file spells sections in the usual way.
fn line_of_key(text: &str, key: &str) -> Option<usize> {
    let mut from = 0;
    let mut found = None;
    for part in key.split('.') {
        let (name, index) = match part.split_once('[') {
            Some((name, rest)) => (name, rest.trim_end_matches(']').parse().unwrap_or(0)),
            None => (part, 0_usize),
        };
        let mentions = |line: &str| {
            let bare = line.trim().trim_start_matches('[').trim_end_matches(']');
            let bare = bare.rsplit('.').next().unwrap_or(bare);
            bare.split('=').next().unwrap_or(bare).trim() == name
                || line.contains(&format!("{name} ="))
        };
        let lines = text.lines().enumerate().skip(from);
        let Some((line, _)) = lines.filter(|(_, line)| mentions(line)).nth(index) else { break };
        from = line;
        found = Some(line + 1);
    }
    found
}
