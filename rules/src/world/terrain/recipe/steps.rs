//! The steps of a recipe: their keys, each with its unit and range.
//!
//! Keeps true: a key that is not known is refused, so that a misspelt one is noticed.

use serde::Deserialize;

use crate::world::GroundClass;
use crate::world::terrain::{Biome, FeatureKind};

/// A fractal sum of gradient noise.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NoiseRecipe {
    /// Wavelength of the first octave, metres, 8 to 100,000.
    pub wavelength_m: f64,
    /// How many octaves, each of half the wavelength of the one before; 1 to 8.
    pub octaves: u8,
    /// An octave's weight against that of the one before, 0.1 to 0.9.
    pub gain: f32,
}

/// Land and sea: noise, bent by noise, read off a curve.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Continents {
    /// The noise that says where land is; mostly within ±0.6.
    pub noise: NoiseRecipe,
    /// Added to the noise, −1 to 1: more is more land.
    pub bias: f32,
    /// What bends the noise, and with it mountains and rivers.
    pub warp: NoiseRecipe,
    /// How far it is bent at most, metres, 0 to 5,000.
    pub warp_m: f32,
    /// Height over noise: 2 to 16 pairs of noise, rising, and height in cm within ±20,000; straight
    /// between them. Water stands at 0 cm.
    pub curve: Vec<[f32; 2]>,
}

/// Ridged mountains within ranges, on land only.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Mountains {
    /// The ridges.
    pub noise: NoiseRecipe,
    /// Height of the highest, cm, 0 to 30,000.
    pub amplitude_cm: f32,
    /// The noise that says where ranges are.
    pub ranges: NoiseRecipe,
    /// A range starts where its noise is this, −1 to 1, …
    pub range_from: f32,
    /// … and is at its full height where it is this; above `range_from`, up to 1.
    pub range_full: f32,
    /// Land this high, cm, 0 to 20,000, is far enough from the sea for full mountains.
    pub inland_cm: f32,
}

/// Rolling country: smooth noise on land.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Hills {
    /// The hills.
    pub noise: NoiseRecipe,
    /// Height of the highest, cm, 0 to 10,000.
    pub amplitude_cm: f32,
}

/// Where players start: a gentle dry meadow around the origin, on land.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Home {
    /// Flat, dry and empty up to here, metres, 8 to 1,000.
    pub radius_m: f32,
    /// As the world is from here on, metres; above `radius_m`, up to 4,000.
    pub blend_m: f32,
    /// Land reaches at least about this far, metres, 0 to 50,000; 0 leaves it to the noise.
    pub land_radius_m: f32,
    /// The continents' noise is at least this there, −1 to 1.
    pub land_noise: f32,
    /// Its height, cm, 100 to 10,000.
    pub height_cm: f32,
    /// Its temperature, °C, −50 to 50.
    pub temperature_c: f32,
    /// Its moisture, percent, 0 to 100.
    pub moisture: f32,
    /// Its cover, percent, 0 to 100.
    pub cover: f32,
    /// No camps nearer than this to the origin, metres, 0 to 4,000.
    pub camps_from_m: f32,
}

/// A ring of cliffs around the origin, for enclosed worlds.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Rim {
    /// Where it begins to rise, metres, 32 to 8,000.
    pub radius_m: f32,
    /// How far it rises, metres, 8 to 1,000.
    pub width_m: f32,
    /// How high it rises, cm, 500 to 20,000.
    pub height_cm: f32,
    /// What bends the ring.
    pub wobble: NoiseRecipe,
    /// How far it is bent at most, metres, 0 to 1,000.
    pub wobble_m: f32,
}

/// Running water: where bent noise is 0, with a valley along it.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Rivers {
    /// The noise; its zeros are the rivers.
    pub noise: NoiseRecipe,
    /// Width near the source, metres, 1 to 100.
    pub width_source_m: f32,
    /// Width near the sea, metres, 1 to 200.
    pub width_mouth_m: f32,
    /// Depth in the middle, cm, 10 to 1,000, where it is as wide as at the mouth; less in between.
    pub depth_cm: f32,
    /// Half of the valley's width on flat land, metres, 16 to 1,000.
    pub valley_m: f32,
    /// How much further it reaches for each metre of height that it is cut into, metres, 0 to 10.
    pub valley_per_height: f32,
    /// Land above this has no river, cm, 100 to 30,000.
    pub source_cm: f32,
    /// Land drier than this has no river, percent, 0 to 100.
    pub source_moisture: f32,
    /// What says where it can be waded.
    pub fords: NoiseRecipe,
    /// Where that noise is within ± this, 0 to 1, there is a ford.
    pub ford_width: f32,
}

/// Standing water in the hollows of noise.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Lakes {
    /// The noise; a lake is where it is high.
    pub noise: NoiseRecipe,
    /// How high, −1 to 1.
    pub threshold: f32,
    /// Depth for each unit of noise above it, cm, 0 to 20,000.
    pub depth_cm: f32,
    /// How far below the threshold the land starts to even out toward it, 0.01 to 1.
    pub basin: f32,
    /// Land above this has no lake, cm, 100 to 30,000.
    pub source_cm: f32,
    /// Land drier than this has no lake, percent, 0 to 100.
    pub source_moisture: f32,
}

/// Thermal erosion on an 8 m grid: what is too steep slides to the neighbour.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Erosion {
    /// How often, 0 to 4; each pass costs time.
    pub passes: u8,
    /// The slope that stays, percent, 5 to 500.
    pub talus_percent: f32,
    /// Which part of what is too steep slides at once, 0 to 0.125.
    pub rate: f32,
}

/// Small bumps.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Detail {
    /// Their noise; its octaves are sampled for every single cell.
    pub noise: NoiseRecipe,
    /// Height of the highest on flat land, cm, 0 to 200.
    pub amplitude_cm: f32,
    /// What each percent of slope adds, cm, 0 to 20.
    pub amplitude_per_slope_cm: f32,
}

/// Temperature and moisture, and cover: how densely things grow.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Climate {
    /// Where it is warm.
    pub temperature: NoiseRecipe,
    /// Mean temperature at the sea, °C, −50 to 50.
    pub temperature_mean_c: f32,
    /// What the noise adds at most, °C, 0 to 100.
    pub temperature_range_c: f32,
    /// How much colder each 100 m of height are, °C, 0 to 50.
    pub lapse_c_per_100_m: f32,
    /// Where it is moist.
    pub moisture: NoiseRecipe,
    /// Mean moisture, percent, 0 to 100.
    pub moisture_mean: f32,
    /// What the noise adds at most, percent, 0 to 200.
    pub moisture_range: f32,
    /// Where much grows: read as 50 percent ± 100 times the noise.
    pub cover: NoiseRecipe,
}

/// How slopes and water are walked. Slopes are those of the 8 m grid.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Ground {
    /// Steeper is rough, percent, 1 to 500.
    pub rough_slope: f32,
    /// Steeper is hard, percent, above `rough_slope`.
    pub hard_slope: f32,
    /// Steeper is a cliff, percent, above `hard_slope`.
    pub cliff_slope: f32,
    /// What says where a cliff has a pass.
    pub passes: NoiseRecipe,
    /// Where that noise is within ± this, 0 to 1, a cliff can be climbed.
    pub pass_width: f32,
    /// Deeper water cannot be entered, cm, 10 to 300.
    pub wade_cm: f32,
}

/// A class of ground, as content files spell it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Footing {
    /// Full speed.
    Easy,
    /// Three quarters of it.
    Rough,
    /// Half of it.
    Hard,
}

impl Footing {
    /// The class it is.
    pub const fn class(self) -> GroundClass {
        match self {
            Self::Easy => GroundClass::Easy,
            Self::Rough => GroundClass::Rough,
            Self::Hard => GroundClass::Hard,
        }
    }
}

/// One kind of country: where it is and what is on it. A range is `[from, to]`, both included; a
/// missing one fits everywhere.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BiomeRecipe {
    /// Which one.
    pub kind: Biome,
    /// Height, cm.
    pub height_cm: Option<[f32; 2]>,
    /// Slope of the 8 m grid, percent.
    pub slope: Option<[f32; 2]>,
    /// Temperature, °C.
    pub temperature_c: Option<[f32; 2]>,
    /// Moisture, percent.
    pub moisture: Option<[f32; 2]>,
    /// Cover, percent.
    pub cover: Option<[f32; 2]>,
    /// How its level ground is walked.
    pub ground: Footing,
    /// Chance that a settlement that could stand here does, 0 to 1.
    #[serde(default)]
    pub settled: f32,
    /// What grows and lies about; all densities together at most 156 per 10,000 m².
    #[serde(default)]
    pub scatter: Vec<Scatter>,
}

/// Something that grows or lies about singly.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Scatter {
    /// What.
    pub kind: FeatureKind,
    /// How many on 10,000 m², 0 to 156.
    pub density: f32,
}

/// Villages and towns: up to three a region.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Settlements {
    /// Radius of the smallest, metres, 16 to 64.
    pub radius_min_m: u16,
    /// Radius of the largest, metres, `radius_min_m` to 64.
    pub radius_max_m: u16,
    /// From this radius on a settlement is a town with a wall, metres.
    pub wall_from_m: u16,
    /// How far around it the land is evened out, metres, 8 to 64.
    pub blend_m: u16,
    /// Most that its land may rise or fall, cm, 10 to 5,000.
    pub uneven_cm: f32,
    /// Chance that a plot has a house, 0 to 1.
    pub houses: f32,
}

/// Ruins or camps: at most one a block.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Sites {
    /// How many on 10,000 m² of land, 0 to 2.4.
    pub density: f32,
    /// Smallest width, cells, 5 to 24.
    pub size_min: u8,
    /// Largest width, cells, `size_min` to 24.
    pub size_max: u8,
}

/// What regions and settlements are called.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Names {
    /// Syllables of settlements.
    pub settlements: Syllables,
    /// Syllables of regions.
    pub regions: Syllables,
    /// What is made of a region's name: the patterns of the first entry that lists its commonest
    /// biome; a `*` stands for the name. Regions that none lists have the name as it is.
    #[serde(default)]
    pub patterns: Vec<NamePatterns>,
}

/// Patterns for the regions of some biomes.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NamePatterns {
    /// For which biomes.
    pub biomes: Vec<Biome>,
    /// The patterns: 1 to 16, each with one `*`, at most 32 characters.
    pub patterns: Vec<String>,
}

/// Parts of names: each list 1 to 128 parts of at most 12 characters.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Syllables {
    /// How a name begins.
    pub starts: Vec<String>,
    /// What may come in between; may be empty.
    #[serde(default)]
    pub middles: Vec<String>,
    /// How a name ends.
    pub ends: Vec<String>,
    /// Chance of a middle, 0 to 1.
    #[serde(default)]
    pub middle: f32,
}
