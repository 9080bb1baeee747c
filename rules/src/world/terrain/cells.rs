//! The cells of one block: height, biome and class, from the fields of the grid.
//!
//! Keeps true: a cell's class comes from smoothed fields alone, so that it holds for many metres;
//! what is seen of a height, its small bumps, never decides how it is walked. Leaves out on
//! purpose: what stands on cells.

use super::biome::{Biome, BiomeTable};
use super::lattice::{Field, Lattice, Row};
use super::noise::smooth_step;
use super::recipe::Recipe;
use super::settlements::Site;
use super::survey::Survey;
use crate::world::{BLOCK_CELLS, GroundClass};

const EDGE: usize = BLOCK_CELLS as usize;
const CELLS: usize = EDGE * EDGE;
/// Water at a ford, cm.
const FORD_CM: f32 = 40.0;

/// One cell.
#[derive(Clone, Copy, Debug)]
pub(super) struct Cell {
    pub(super) height_cm: i16,
    pub(super) biome: Biome,
    pub(super) class: GroundClass,
    /// The row of the table of biomes.
    pub(super) row: u8,
    /// Whether it would be too deep without a ford.
    pub(super) ford: bool,
}

/// The cells of a block, row by row from the south.
pub(super) struct Cells(pub(super) Vec<Cell>);

impl Cells {
    /// A cell of the block; none outside.
    pub(super) fn at(&self, x: i32, y: i32) -> Option<&Cell> {
        let inside = (0..BLOCK_CELLS).contains(&x) && (0..BLOCK_CELLS).contains(&y);
        let index = usize::try_from(y * BLOCK_CELLS + x).ok().filter(|_| inside)?;
        self.0.get(index)
    }

    /// A cell that is neither water nor blocked.
    pub(super) fn dry(&self, x: i32, y: i32) -> Option<&Cell> {
        let free = |cell: &&Cell| cell.class != GroundClass::Blocked && !cell.biome.is_water();
        self.at(x, y).filter(free)
    }
}

/// What cells are made with.
pub(super) struct Kiln<'a> {
    pub(super) survey: &'a Survey,
    pub(super) biomes: &'a BiomeTable,
    pub(super) block: (i32, i32),
    pub(super) sites: &'a [Site],
}

/// Water on a cell.
#[derive(Clone, Copy)]
struct Water {
    biome: Biome,
    depth_cm: f32,
    ford: bool,
}

impl Kiln<'_> {
    pub(super) fn cells(&self, lattice: &Lattice) -> Cells {
        let mut cells = Vec::with_capacity(CELLS);
        let mut row = Row::new();
        for y in 0..EDGE {
            lattice.row(y, &mut row);
            cells.extend((0..EDGE).map(|x| self.cell(&row, x, y)));
        }
        Cells(cells)
    }

    fn cell(&self, row: &Row, x: usize, y: usize) -> Cell {
        let recipe = self.survey.recipe();
        let at = |field: Field| row.field(field)[x];
        let height_cm = at(Field::Height);
        // Centimetres per metre are percent.
        let slope = (row.slope_x[x] * row.slope_x[x] + row.slope_y[x] * row.slope_y[x]).sqrt();
        let world = (cell_of(self.block.0, x), cell_of(self.block.1, y));
        let settled = self.sites.iter().any(|site| site.is_near(world.0, world.1, 0));
        let traits =
            [height_cm, slope, at(Field::Temperature), at(Field::Moisture), at(Field::Cover)];
        let index = self.biomes.find(&traits);
        let (kind, class) = self
            .biomes
            .row(index)
            .map_or((Biome::Rock, GroundClass::Rough), |row| (row.kind, row.class));
        let water = if settled { None } else { water(recipe, row, x, height_cm) };
        let (biome, class) = match water {
            Some(water) if water.depth_cm > recipe.ground.wade_cm => {
                (water.biome, GroundClass::Blocked)
            }
            Some(water) => (water.biome, GroundClass::Hard),
            None if settled => (Biome::Settlement, GroundClass::Easy),
            None => (kind, harder(class, sloped(recipe, slope, at(Field::Pass)))),
        };
        let class = if at(Field::Rim) > 0.5 { GroundClass::Blocked } else { class };
        let bed_cm = match water {
            Some(Water { biome: Biome::Ocean, .. }) | None => height_cm,
            Some(water) => height_cm - water.depth_cm,
        };
        let bumps_cm =
            if settled || water.is_some() { 0.0 } else { self.bumps(world, height_cm, slope) };
        Cell {
            height_cm: centimetres(bed_cm + bumps_cm),
            biome,
            class,
            row: index,
            ford: water.is_some_and(|water| water.ford),
        }
    }

    /// Small bumps: none at the water's edge, more on slopes.
    fn bumps(&self, (x, y): (i32, i32), height_cm: f32, slope: f32) -> f32 {
        let detail = &self.survey.recipe().detail;
        let most = detail.amplitude_cm + detail.amplitude_per_slope_cm * slope.min(200.0);
        let dry = smooth_step(0.0, 150.0, height_cm);
        most * dry * self.survey.detail_at(f64::from(x), f64::from(y))
    }
}

/// The water on a cell; the sea before a lake, a lake before a river.
fn water(recipe: &Recipe, row: &Row, x: usize, height_cm: f32) -> Option<Water> {
    let at = |field: Field| row.field(field)[x];
    if height_cm < 0.0 {
        return Some(Water { biome: Biome::Ocean, depth_cm: -height_cm, ford: false });
    }
    let lake_cm = at(Field::Lake);
    if lake_cm > 0.0 {
        return Some(Water { biome: Biome::Lake, depth_cm: lake_cm, ford: false });
    }
    let streams = [
        (recipe.rivers, Field::River, Field::RiverHalf),
        (recipe.brooks, Field::Brook, Field::BrookHalf),
    ];
    let mut found: Option<Water> = None;
    for (step, distance, half) in streams {
        let Some(step) = step else { continue };
        let (distance_m, half_m) = (at(distance).abs(), at(half));
        // Less than a metre of water is a wet spot, not a river.
        if half_m < 0.5 || distance_m >= half_m {
            continue;
        }
        let across = distance_m / half_m;
        let middle_cm = step.depth_cm * (2.0 * half_m / step.width_mouth_m).min(1.0);
        let deep_cm = middle_cm * (1.0 - across * across);
        let ford =
            1.0 - smooth_step(0.6 * step.ford_width, step.ford_width + 0.01, at(Field::Ford).abs());
        let depth_cm = deep_cm + (deep_cm.min(FORD_CM) - deep_cm) * ford;
        let crossed = depth_cm <= recipe.ground.wade_cm && deep_cm > recipe.ground.wade_cm;
        if found.is_none_or(|water| water.depth_cm < depth_cm) {
            found = Some(Water { biome: Biome::River, depth_cm, ford: crossed });
        }
    }
    found
}

/// How a slope is walked.
fn sloped(recipe: &Recipe, slope: f32, pass: f32) -> GroundClass {
    let ground = &recipe.ground;
    if slope > ground.cliff_slope && pass.abs() > ground.pass_width {
        GroundClass::Blocked
    } else if slope > ground.hard_slope {
        GroundClass::Hard
    } else if slope > ground.rough_slope {
        GroundClass::Rough
    } else {
        GroundClass::Easy
    }
}

/// The slower of two classes.
fn harder(one: GroundClass, other: GroundClass) -> GroundClass {
    if one.speed_percent() < other.speed_percent() { one } else { other }
}

/// A cell of the world by its block and its index in it.
fn cell_of(block: i32, cell: usize) -> i32 {
    block * BLOCK_CELLS + i32::try_from(cell).unwrap_or(0)
}

/// Whole centimetres, to the nearest, as far as they fit.
#[expect(clippy::cast_possible_truncation, reason = "a cast to an integer saturates, as is meant")]
fn centimetres(height_cm: f32) -> i16 {
    (height_cm + 0.5).floor() as i16
}
