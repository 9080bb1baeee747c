//! The kinds of country, and the table that says which is where.
//!
//! Keeps true: numbers are fixed, because rows and clients hold them; water is made by its own
//! steps, never by the table's ranges alone.

use serde::Deserialize;

use super::feature::FeatureKind;
use super::recipe::{BiomeRecipe, Recipe, Scatter};
use crate::world::GroundClass;

/// A kind of country. The numbers stand in rows and are never used again for another.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Deserialize)]
#[serde(rename_all = "snake_case")]
#[repr(u8)]
pub enum Biome {
    /// Salt water; its depth is below a height of 0.
    #[default]
    Ocean = 0,
    /// A lake.
    Lake = 1,
    /// A river or brook.
    River = 2,
    /// Beach.
    Shore = 3,
    /// Grass and flowers.
    Meadow = 4,
    /// Dry grass.
    Steppe = 5,
    /// Shrubs and bracken on poor soil.
    Heath = 6,
    /// Broad-leaved trees.
    Forest = 7,
    /// Conifers.
    PineForest = 8,
    /// Wet ground.
    Swamp = 9,
    /// Sand and stones.
    Desert = 10,
    /// Frozen ground with moss.
    Tundra = 11,
    /// Grass above the trees.
    Alpine = 12,
    /// Bare stone.
    Rock = 13,
    /// What does not melt.
    Snow = 14,
    /// Trodden ground of a settlement.
    Settlement = 15,
}

impl Biome {
    /// All of them, by their number.
    pub const ALL: [Self; 16] = [
        Self::Ocean,
        Self::Lake,
        Self::River,
        Self::Shore,
        Self::Meadow,
        Self::Steppe,
        Self::Heath,
        Self::Forest,
        Self::PineForest,
        Self::Swamp,
        Self::Desert,
        Self::Tundra,
        Self::Alpine,
        Self::Rock,
        Self::Snow,
        Self::Settlement,
    ];

    /// The number that stands in rows.
    pub const fn code(self) -> u8 {
        self as u8
    }

    /// The biome with that number.
    pub fn from_code(code: u8) -> Option<Self> {
        Self::ALL.get(usize::from(code)).copied()
    }

    /// As recipes and content write it.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Ocean => "ocean",
            Self::Lake => "lake",
            Self::River => "river",
            Self::Shore => "shore",
            Self::Meadow => "meadow",
            Self::Steppe => "steppe",
            Self::Heath => "heath",
            Self::Forest => "forest",
            Self::PineForest => "pine_forest",
            Self::Swamp => "swamp",
            Self::Desert => "desert",
            Self::Tundra => "tundra",
            Self::Alpine => "alpine",
            Self::Rock => "rock",
            Self::Snow => "snow",
            Self::Settlement => "settlement",
        }
    }

    /// Whether it is water.
    pub const fn is_water(self) -> bool {
        matches!(self, Self::Ocean | Self::Lake | Self::River)
    }
}

/// What the table looks at, in this order: height in cm, slope in percent, temperature in °C,
/// moisture and cover in percent.
pub(super) type Traits = [f32; 5];

/// A row of the table, ready for use.
#[derive(Debug)]
pub(super) struct BiomeRow {
    pub(super) kind: Biome,
    pub(super) class: GroundClass,
    pub(super) settled: f32,
    low: Traits,
    high: Traits,
    /// Kinds with the chance of all up to it to stand on one place of the grid.
    scatter: Vec<(FeatureKind, f32)>,
}

impl BiomeRow {
    fn new(recipe: &BiomeRecipe, place_m2: f32) -> Self {
        let ranges =
            [recipe.height_cm, recipe.slope, recipe.temperature_c, recipe.moisture, recipe.cover];
        let mut chance = 0.0;
        let cumulate = |scatter: &Scatter| {
            chance += scatter.density * place_m2 / 10_000.0;
            (scatter.kind, chance)
        };
        Self {
            kind: recipe.kind,
            class: recipe.ground.class(),
            settled: recipe.settled,
            low: ranges.map(|range| range.map_or(f32::MIN, |[from, _]| from)),
            high: ranges.map(|range| range.map_or(f32::MAX, |[_, to]| to)),
            scatter: recipe.scatter.iter().map(cumulate).collect(),
        }
    }

    fn fits(&self, traits: &Traits) -> bool {
        let bounds = self.low.iter().zip(&self.high);
        traits.iter().zip(bounds).all(|(value, (low, high))| low <= value && value <= high)
    }

    /// What stands on a place for which `drawn`, 0 to 1, was drawn.
    pub(super) fn scattered(&self, drawn: f32) -> Option<FeatureKind> {
        self.scatter.iter().find(|(_, chance)| drawn < *chance).map(|(kind, _)| *kind)
    }
}

/// The table of biomes.
#[derive(Debug)]
pub(super) struct BiomeTable(Vec<BiomeRow>);

impl BiomeTable {
    /// The table of a recipe, for things scattered on places of so many square metres.
    pub(super) fn new(recipe: &Recipe, place_m2: f32) -> Self {
        Self(recipe.biomes.iter().map(|row| BiomeRow::new(row, place_m2)).collect())
    }

    /// The first row that fits, by its index; the last one fits everywhere.
    pub(super) fn find(&self, traits: &Traits) -> u8 {
        let found = self.0.iter().position(|row| row.fits(traits));
        u8::try_from(found.unwrap_or(self.0.len().saturating_sub(1))).unwrap_or(0)
    }

    /// The row of an index.
    pub(super) fn row(&self, index: u8) -> Option<&BiomeRow> {
        self.0.get(usize::from(index))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde::de::IntoDeserializer;
    use serde::de::value::{Error, StrDeserializer};

    #[test]
    fn a_biome_is_read_by_its_word() {
        for biome in Biome::ALL {
            let word: StrDeserializer<'_, Error> = biome.word().into_deserializer();
            assert_eq!(Biome::deserialize(word), Ok(biome));
            assert_eq!(Biome::from_code(biome.code()), Some(biome));
        }
    }
}
