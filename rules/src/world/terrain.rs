//! The terrain of worlds: blocks and regions from a seed and a recipe, and from nothing else.
//!
//! The steps, in their order: continents, mountains and hills, home and rim (`survey`), valleys and
//! basins (`survey`), erosion and settlements' plots (`lattice`), biomes, beds and classes
//! (`cells`), houses, ruins, camps and trees (`settlements`, `scatter`). Keeps true: the same seed
//! and recipe give the same bits natively and in wasm, so floats see only `+ − × ÷`, square roots,
//! floors and comparisons, and all that leaves is integers; blocks agree at their borders; no
//! coordinate panics. Leaves out on purpose: storing and changing blocks.

mod biome;
mod block;
mod cells;
mod feature;
mod lattice;
mod names;
mod noise;
pub mod recipe;
mod scatter;
mod settlements;
mod survey;

pub use biome::Biome;
pub use block::{Block, CELLS, FEATURES_MAX};
pub use feature::{Feature, FeatureKind};
pub use recipe::{RECIPE_BYTES_MAX, Recipe, RecipeError, SHIPPED};

use crate::world::region::REGION_BOUND;
use crate::world::{BLOCK_BOUND, BlockGround, GroundClass};
use biome::{BiomeTable, Traits};
use cells::{Cells, Kiln};
use lattice::Lattice;
use scatter::{PLACE_M2, Strewn};
use survey::Survey;

/// The seed of the shipped open world, unless its owner chooses another.
pub const OPEN_SEED: u64 = 7;
/// Cells along the edge of a patch, all of whose open cells have one class.
const PATCH_CELLS: usize = 8;

/// A terrain: a seed and a recipe, ready for use. Some 20 KB; blocks are not kept.
pub struct Terrain {
    seed: u64,
    survey: Survey,
    biomes: BiomeTable,
}

/// A named square of 16×16 blocks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Region {
    /// Its place on the grid of regions.
    pub region_x: i32,
    /// Its place on the grid of regions.
    pub region_y: i32,
    /// What it is called.
    pub name: String,
    /// What most of it is, as far as 25 samples tell.
    pub biome: Biome,
    /// Its settlements, at most 3.
    pub settlements: Vec<Settlement>,
}

/// How large a settlement is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u8)]
pub enum SettlementKind {
    /// A few houses.
    Hamlet = 0,
    /// Many.
    Village = 1,
    /// With a wall around.
    Town = 2,
}

/// A settlement.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Settlement {
    /// What it is called.
    pub name: String,
    /// How large it is.
    pub kind: SettlementKind,
    /// The cell in its middle.
    pub cell_x: i32,
    /// The cell in its middle.
    pub cell_y: i32,
    /// How far it reaches, cells.
    pub radius_cells: u16,
}

impl Terrain {
    /// The terrain of a seed.
    pub fn new(seed: u64, recipe: Recipe) -> Self {
        let biomes = BiomeTable::new(&recipe, PLACE_M2);
        Self { seed, survey: Survey::new(noise::mix(seed), recipe), biomes }
    }

    /// The seed it was made with.
    pub const fn seed(&self) -> u64 {
        self.seed
    }

    /// The recipe it was made with.
    pub const fn recipe(&self) -> &Recipe {
        self.survey.recipe()
    }

    /// The block of those coordinates; beyond ±32768 the last one is repeated.
    pub fn block(&self, block_x: i32, block_y: i32) -> Block {
        let inside = |block: i32| block.clamp(-BLOCK_BOUND, BLOCK_BOUND - 1);
        let block = (inside(block_x), inside(block_y));
        let sites = settlements::sites_near(self, block.0, block.1);
        let lattice = Lattice::new(&self.survey, block, &sites);
        let kiln = Kiln { survey: &self.survey, biomes: &self.biomes, block, sites: &sites };
        let cells = kiln.cells(&lattice);
        let strewn = Strewn { terrain: self, block, sites: &sites, cells: &cells };
        let mut features = strewn.features();
        features.truncate(FEATURES_MAX);
        let ground = ground_of(&cells, &features);
        Block {
            heights_cm: cells.0.iter().map(|cell| cell.height_cm).collect(),
            biomes: cells.0.iter().map(|cell| cell.biome).collect(),
            ground,
            features,
        }
    }

    /// The region of those coordinates; beyond the grid the last one is repeated.
    pub fn region(&self, region_x: i32, region_y: i32) -> Region {
        let inside = |region: i32| region.clamp(-REGION_BOUND, REGION_BOUND - 1);
        settlements::region(self, inside(region_x), inside(region_y))
    }

    /// What the table of biomes looks at, at a place in metres, before erosion.
    fn traits_at(&self, x_m: f64, y_m: f64) -> Traits {
        let place = self.survey.place(x_m, y_m);
        let height_cm = place.watered.height_cm;
        let rise = |x_m: f64, y_m: f64| self.survey.place(x_m, y_m).watered.height_cm - height_cm;
        let across_m = 8.0;
        let rises = [rise(x_m + across_m, y_m), rise(x_m, y_m + across_m)];
        [
            height_cm,
            settlements::slope_percent(rises, across_m),
            self.survey.temperature_at(x_m, y_m, &place.land, height_cm),
            place.land.moisture,
            self.survey.cover_at(x_m, y_m, &place.land),
        ]
    }

    /// What most of 25 samples of a region are.
    fn commonest_biome(&self, region_x: i32, region_y: i32) -> Biome {
        let mut counts = [0_u32; Biome::ALL.len()];
        for sample in 0..25 {
            let x_m = settlements::strip_m(region_x, sample % 5, 5);
            let y_m = settlements::strip_m(region_y, sample / 5, 5);
            let traits = self.traits_at(x_m, y_m);
            let row = self.biomes.row(self.biomes.find(&traits));
            let kind = row.map_or(Biome::Ocean, |row| row.kind);
            let biome = if traits[0] < 0.0 { Biome::Ocean } else { kind };
            if let Some(count) = counts.get_mut(usize::from(biome.code())) {
                *count += 1;
            }
        }
        let ranked = Biome::ALL.iter().zip(counts);
        ranked.max_by_key(|(_, count)| *count).map_or(Biome::Ocean, |(biome, _)| *biome)
    }
}

/// The ground of cells with what stands on them.
fn ground_of(cells: &Cells, features: &[Feature]) -> BlockGround {
    let mut ground = BlockGround::uniform(GroundClass::Easy);
    let edge = usize::from(u8::try_from(crate::world::BLOCK_CELLS).unwrap_or(64));
    for (index, cell) in cells.0.iter().enumerate() {
        ground.set(index % edge, index / edge, cell.class);
    }
    even_out(&mut ground);
    for feature in features.iter().filter(|feature| feature.kind.blocks()) {
        for y in 0..usize::from(feature.height) {
            for x in 0..usize::from(feature.width) {
                let (x, y) = (x + usize::from(feature.cell_x), y + usize::from(feature.cell_y));
                ground.set(x, y, GroundClass::Blocked);
            }
        }
    }
    ground
}

/// Gives all open cells of a patch the class that most of them have; of two as common the faster
/// one. So whoever walks along a border between classes does not change its pace at every step.
fn even_out(ground: &mut BlockGround) {
    let edge = usize::from(u8::try_from(crate::world::BLOCK_CELLS).unwrap_or(64));
    for patch in 0..(edge / PATCH_CELLS).pow(2) {
        let west = patch % (edge / PATCH_CELLS) * PATCH_CELLS;
        let south = patch / (edge / PATCH_CELLS) * PATCH_CELLS;
        let cells = (0..PATCH_CELLS * PATCH_CELLS)
            .map(|cell| (west + cell % PATCH_CELLS, south + cell / PATCH_CELLS));
        let mut counts = [0_u32; GroundClass::ALL.len()];
        for (x, y) in cells.clone() {
            counts[usize::from(ground.class(x, y).code())] += 1;
        }
        let open = [GroundClass::Hard, GroundClass::Rough, GroundClass::Easy];
        let commonest = open.into_iter().max_by_key(|class| counts[usize::from(class.code())]);
        for (x, y) in cells {
            if ground.class(x, y) != GroundClass::Blocked {
                ground.set(x, y, commonest.unwrap_or(GroundClass::Easy));
            }
        }
    }
}

#[cfg(test)]
mod tests;
