//! The world at the map's scale: heights, colours and water of every pixel, and what stands there.
//!
//! Keeps true: a pixel is the mean of the cells it covers, or the cell it lies in. Rows go from
//! north to south, as on the map. Work is shared by all cores.

use haven_rules::world::BLOCK_CELLS;
use haven_rules::world::terrain::{Biome, Block, Feature, Terrain};

use super::canvas::Colour;
use super::map::{Area, Scale};
use super::palette;

/// A block's edge, cells.
const EDGE: usize = 64;

/// One pixel.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Pixel {
    /// Height of the ground, metres; under water, of the bed.
    pub(super) height_m: f32,
    /// Colour of the land.
    pub(super) land: Colour,
    /// Colour of the water.
    pub(super) water: Colour,
    /// How much of it is water, 0 to 1.
    pub(super) wet: f32,
    /// How much of it is sea, 0 to 1.
    pub(super) sea: f32,
    /// How much of it is forest, 0 to 1, and of that, how much is conifers.
    pub(super) forest: f32,
    pub(super) pines: f32,
}

/// A feature with its block.
pub(super) type Placed = ((i32, i32), Feature);

/// All pixels, row by row from the north.
pub(super) struct Raster {
    pub(super) width: usize,
    pub(super) height: usize,
    pub(super) pixels: Vec<Pixel>,
    pub(super) features: Vec<Placed>,
}

impl Raster {
    pub(super) fn new(terrain: &Terrain, area: Area, scale: Scale) -> Self {
        let first = area.first_block();
        let count = area.blocks();
        let edge = scale.block_pixels();
        let width = edge * usize::try_from(count).unwrap_or(0);
        let mut pixels = vec![Pixel::default(); width * width];
        let mut features = Vec::new();
        let threads = std::thread::available_parallelism().map_or(1, usize::from);
        // The northernmost strip of blocks comes first.
        let mut strips: Vec<(i32, &mut [Pixel])> =
            (0..count).rev().zip(pixels.chunks_exact_mut((width * edge).max(1))).collect();
        let share = strips.len().div_ceil(threads).max(1);
        std::thread::scope(|scope| {
            let work = |strips: &mut [(i32, &mut [Pixel])]| {
                let mut found = Vec::new();
                for (strip, pixels) in strips {
                    for column in 0..count {
                        let place = (first.0 + column, first.1 + *strip);
                        let block = terrain.block(place.0, place.1);
                        found.extend(block.features.iter().map(|feature| (place, *feature)));
                        let left = edge * usize::try_from(column).unwrap_or(0);
                        draw_block(&block, scale, (pixels, width, left));
                    }
                }
                found
            };
            let workers: Vec<_> =
                strips.chunks_mut(share).map(|strips| scope.spawn(move || work(strips))).collect();
            for worker in workers {
                features.extend(worker.join().unwrap_or_default());
            }
        });
        Self { width, height: width, pixels, features }
    }

    pub(super) fn at(&self, x: usize, y: usize) -> Pixel {
        let (x, y) = (x.min(self.width.saturating_sub(1)), y.min(self.height.saturating_sub(1)));
        self.pixels.get(y * self.width + x).copied().unwrap_or_default()
    }
}

/// Fills in the pixels of one block within its strip.
fn draw_block(block: &Block, scale: Scale, (pixels, width, left): (&mut [Pixel], usize, usize)) {
    let edge = scale.block_pixels();
    for row in 0..edge {
        for column in 0..edge {
            // Southern rows come first in a block and last on a map.
            let cells = scale.cells_of(column, edge - 1 - row);
            if let Some(pixel) = pixels.get_mut(row * width + left + column) {
                *pixel = mean(block, cells);
            }
        }
    }
}

/// The mean of a square of cells: its south-western one and its edge.
fn mean(block: &Block, (west, south, edge): (usize, usize, usize)) -> Pixel {
    let mut sum = Pixel::default();
    let (mut dry, mut count) = (0.0_f32, 0.0_f32);
    for y in south..(south + edge).min(EDGE) {
        for x in west..(west + edge).min(EDGE) {
            let index = y * EDGE + x;
            let (Some(height), Some(biome)) =
                (block.heights_cm.get(index), block.biomes.get(index))
            else {
                continue;
            };
            let height_m = f32::from(*height) / 100.0;
            count += 1.0;
            sum.height_m += height_m;
            if biome.is_water() {
                sum.wet += 1.0;
                sum.sea += f32::from(u8::from(*biome == Biome::Ocean));
                // Beds of rivers and lakes do not tell their depth; their middle is lighter.
                let depth_m = if *biome == Biome::Ocean { -height_m } else { 0.5 };
                add(&mut sum.water, palette::water(*biome, depth_m));
            } else {
                dry += 1.0;
                add(&mut sum.land, palette::land(*biome));
                let pines = f32::from(u8::from(*biome == Biome::PineForest));
                sum.pines += pines;
                sum.forest += f32::from(u8::from(*biome == Biome::Forest)) + pines;
            }
        }
    }
    let over = |value: f32, count: f32| if count > 0.0 { value / count } else { 0.0 };
    Pixel {
        height_m: over(sum.height_m, count),
        land: sum.land.map(|part| over(part, dry)),
        water: sum.water.map(|part| over(part, sum.wet)),
        pines: over(sum.pines, sum.forest),
        wet: over(sum.wet, count),
        sea: over(sum.sea, count),
        forest: over(sum.forest, count),
    }
}

fn add(sum: &mut Colour, colour: Colour) {
    for (sum, part) in sum.iter_mut().zip(colour) {
        *sum += part;
    }
}

/// A feature's rectangle in cells of the world: west, south, width, height.
pub(super) fn cells_of(((block_x, block_y), feature): &Placed) -> [i32; 4] {
    [
        block_x * BLOCK_CELLS + i32::from(feature.cell_x),
        block_y * BLOCK_CELLS + i32::from(feature.cell_y),
        i32::from(feature.width),
        i32::from(feature.height),
    ]
}
