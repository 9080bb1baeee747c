//! The fields of one block on a grid of 8 m, and what they are in between.
//!
//! Keeps true: grid points are the world's, not the block's, so that neighbours compute the same
//! values and heights and classes go on across their border. In between, cubic B-splines: smooth in
//! slope, never beyond the values around. Leaves out on purpose: what single cells are.

use super::noise::{blend, smooth_step};
use super::settlements::Site;
use super::survey::{Land, Survey, length};
use crate::world::BLOCK_CELLS;

/// Metres and cells between grid points.
const SPACING: i32 = 8;
/// The same as a real number, metres.
const SPACING_M: f32 = 8.0;
/// Cells along a block's edge.
const EDGE: usize = BLOCK_CELLS as usize;
/// Cells between grid points, for indices.
const STEP: usize = SPACING as usize;
/// Grid points that a block's cells look at, along an edge: from one before its corner on.
const POINTS: usize = EDGE / STEP + 3;
/// Most erosion passes, and so the widest margin.
const PASSES_MAX: usize = 4;
/// Grid points with the margin for erosion, and one more for the gradients of rivers.
const WIDE_MAX: usize = POINTS + 2 * PASSES_MAX + 2;

/// What is sampled on the grid.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Field {
    /// Height without beds and bumps, cm.
    Height,
    /// Signed distance to a river, metres.
    River,
    /// Signed distance to a brook, metres.
    Brook,
    /// Half of a river's width, metres.
    RiverHalf,
    /// Half of a brook's width, metres.
    BrookHalf,
    /// Depth of a lake, cm; below 0 outside.
    Lake,
    /// Temperature, °C.
    Temperature,
    /// Moisture, percent.
    Moisture,
    /// Cover, percent.
    Cover,
    /// Passes of cliffs.
    Pass,
    /// Fords of rivers.
    Ford,
    /// The rim, 0 to 1.
    Rim,
}

/// How many fields there are.
const FIELDS: usize = 12;

type Grid<const N: usize> = [[f32; N]; N];

/// The fields of one block.
pub(super) struct Lattice {
    fields: [Grid<POINTS>; FIELDS],
}

/// One row of cells: every field, and the slopes of the height in cm per metre.
pub(super) struct Row {
    fields: [[f32; EDGE]; FIELDS],
    pub(super) slope_x: [f32; EDGE],
    pub(super) slope_y: [f32; EDGE],
}

impl Row {
    pub(super) const fn new() -> Self {
        Self { fields: [[0.0; EDGE]; FIELDS], slope_x: [0.0; EDGE], slope_y: [0.0; EDGE] }
    }

    pub(super) const fn field(&self, field: Field) -> &[f32; EDGE] {
        &self.fields[field as usize]
    }
}

/// The grid with its margins while it is made.
struct Wide {
    /// Points along an edge, without the outermost that only rivers have.
    size: usize,
    lands: Vec<Land>,
    distances: [Vec<f32>; 2],
    height: Vec<f32>,
    half_width: [Vec<f32>; 2],
    lake: Vec<f32>,
}

/// Cubic B-spline weights of the four grid points around, for each cell between two of them.
const fn weights() -> [[f32; 4]; STEP] {
    let mut table = [[0.0; 4]; STEP];
    let mut cell = 0;
    let mut t = 0.5 / SPACING_M;
    while cell < STEP {
        let (square, cube) = (t * t, t * t * t);
        table[cell] = [
            (1.0 - 3.0 * t + 3.0 * square - cube) / 6.0,
            (4.0 - 6.0 * square + 3.0 * cube) / 6.0,
            (1.0 + 3.0 * t + 3.0 * square - 3.0 * cube) / 6.0,
            cube / 6.0,
        ];
        cell += 1;
        t += 1.0 / SPACING_M;
    }
    table
}

/// Their derivatives, per metre.
const fn slopes() -> [[f32; 4]; STEP] {
    let mut table = [[0.0; 4]; STEP];
    let mut cell = 0;
    let mut t = 0.5 / SPACING_M;
    while cell < STEP {
        let (square, scale) = (t * t, 1.0 / (2.0 * SPACING_M));
        table[cell] = [
            (-1.0 + 2.0 * t - square) * scale,
            (-4.0 * t + 3.0 * square) * scale,
            (1.0 + 2.0 * t - 3.0 * square) * scale,
            square * scale,
        ];
        cell += 1;
        t += 1.0 / SPACING_M;
    }
    table
}

const WEIGHTS: [[f32; 4]; STEP] = weights();
const SLOPES: [[f32; 4]; STEP] = slopes();

fn weighted(weights: [f32; 4], values: [f32; 4]) -> f32 {
    weights[0] * values[0]
        + weights[1] * values[1]
        + weights[2] * values[2]
        + weights[3] * values[3]
}

impl Lattice {
    /// Samples the fields around a block.
    pub(super) fn new(survey: &Survey, (block_x, block_y): (i32, i32), sites: &[Site]) -> Self {
        let passes = usize::from(survey.recipe().erosion.passes).min(PASSES_MAX);
        let mut wide = Wide::sample(survey, block_x, block_y, passes);
        for pass in 0..passes {
            wide.erode(survey, pass);
        }
        let mut lattice = Self { fields: [[[0.0; POINTS]; POINTS]; FIELDS] };
        for y in 0..POINTS {
            for x in 0..POINTS {
                let place = (metres(block_x, x, 1), metres(block_y, y, 1));
                let from = (y + passes) * wide.size + x + passes;
                lattice.fill(survey, (x, y), place, &wide, from, sites);
            }
        }
        lattice
    }

    fn fill(
        &mut self,
        survey: &Survey,
        (x, y): (usize, usize),
        (x_m, y_m): (f64, f64),
        wide: &Wide,
        from: usize,
        sites: &[Site],
    ) {
        let land = &wide.lands[from];
        let mut height = wide.height[from];
        for site in sites {
            let [centre_x, centre_y] = site.centre_m();
            let distance = length(x_m - centre_x, y_m - centre_y);
            // A little wider than the settlement, so that the spline is level on all of it.
            let away = smooth_step(site.radius_m() + 10.0, site.reach_m() - 4.0, distance);
            height = blend(site.level_cm(), height, away);
        }
        let mut set = |field: Field, value: f32| self.fields[field as usize][y][x] = value;
        set(Field::Height, height);
        set(Field::River, wide.distances[0][from]);
        set(Field::Brook, wide.distances[1][from]);
        set(Field::RiverHalf, wide.half_width[0][from]);
        set(Field::BrookHalf, wide.half_width[1][from]);
        set(Field::Lake, wide.lake[from]);
        set(Field::Temperature, survey.temperature_at(x_m, y_m, land, height));
        set(Field::Moisture, land.moisture);
        set(Field::Cover, survey.cover_at(x_m, y_m, land));
        set(Field::Pass, survey.pass_at(x_m, y_m));
        set(Field::Ford, survey.ford_at(0, x_m, y_m));
        set(Field::Rim, land.rim);
    }

    /// Works out one row of cells.
    pub(super) fn row(&self, y: usize, row: &mut Row) {
        let (first, weights, slopes) = (y / STEP, WEIGHTS[y % STEP], SLOPES[y % STEP]);
        let column = |grid: &Grid<POINTS>, weights: [f32; 4], x: usize| {
            let values =
                [grid[first][x], grid[first + 1][x], grid[first + 2][x], grid[first + 3][x]];
            weighted(weights, values)
        };
        for (grid, cells) in self.fields.iter().zip(&mut row.fields) {
            let across = std::array::from_fn(|x| column(grid, weights, x));
            spread(&across, &WEIGHTS, cells);
        }
        let height = &self.fields[Field::Height as usize];
        let across = std::array::from_fn(|x| column(height, weights, x));
        spread(&across, &SLOPES, &mut row.slope_x);
        let along = std::array::from_fn(|x| column(height, slopes, x));
        spread(&along, &WEIGHTS, &mut row.slope_y);
    }
}

/// From the grid points of one row to its cells.
fn spread(points: &[f32; POINTS], table: &[[f32; 4]; STEP], cells: &mut [f32; EDGE]) {
    for (index, cells) in cells.as_chunks_mut::<STEP>().0.iter_mut().enumerate() {
        let around = [points[index], points[index + 1], points[index + 2], points[index + 3]];
        for (cell, weights) in cells.iter_mut().zip(table) {
            *cell = weighted(*weights, around);
        }
    }
}

/// The place of a grid point in metres; point `margin` is on the block's edge.
fn metres(block: i32, point: usize, margin: usize) -> f64 {
    let point = i32::try_from(point).unwrap_or(0) - i32::try_from(margin).unwrap_or(0);
    f64::from(block) * f64::from(BLOCK_CELLS) + f64::from(point * SPACING)
}

impl Wide {
    fn sample(survey: &Survey, block_x: i32, block_y: i32, passes: usize) -> Self {
        let size = POINTS + 2 * passes;
        let outer = size + 2;
        let margin = passes + 2;
        let mut bent = [(0.0, 0.0); WIDE_MAX * WIDE_MAX];
        let mut noise = [[0.0_f32; WIDE_MAX * WIDE_MAX]; 2];
        for y in 0..outer {
            for x in 0..outer {
                let place = (metres(block_x, x, margin), metres(block_y, y, margin));
                let at = y * outer + x;
                bent[at] = survey.bent(place.0, place.1);
                noise[0][at] = survey.stream_noise(0, bent[at]);
                noise[1][at] = survey.stream_noise(1, bent[at]);
            }
        }
        let mut wide = Self::empty(size);
        for y in 0..size {
            for x in 0..size {
                let place = (metres(block_x, x, margin - 1), metres(block_y, y, margin - 1));
                let at = (y + 1) * outer + x + 1;
                let land = survey.land(place.0, place.1, bent[at]);
                let distance = [0, 1].map(|kind: usize| {
                    let noise = &noise[kind];
                    let across = 2.0 * SPACING_M;
                    let gradient = [
                        (noise[at + 1] - noise[at - 1]) / across,
                        (noise[at + outer] - noise[at - outer]) / across,
                    ];
                    survey.stream_distance_m(kind, noise[at], gradient)
                });
                wide.push(survey, place, land, distance);
            }
        }
        wide
    }

    fn empty(size: usize) -> Self {
        let list = || Vec::with_capacity(size * size);
        Self {
            size,
            lands: Vec::with_capacity(size * size),
            distances: [list(), list()],
            height: list(),
            half_width: [list(), list()],
            lake: list(),
        }
    }

    fn push(&mut self, survey: &Survey, place: (f64, f64), land: Land, distance: [f32; 2]) {
        let watered = survey.watered(place, &land, distance);
        self.lands.push(land);
        self.height.push(watered.height_cm);
        self.lake.push(watered.lake_cm);
        for (list, value) in self.distances.iter_mut().zip(distance) {
            list.push(value);
        }
        for (list, value) in self.half_width.iter_mut().zip(watered.half_width_m) {
            list.push(value);
        }
    }

    /// One pass of thermal erosion (after Musgrave, Kolb and Mace 1989): of what is steeper than
    /// the talus, a part slides to the lower neighbour. Each pass loses one point of margin.
    fn erode(&mut self, survey: &Survey, pass: usize) {
        let step = &survey.recipe().erosion;
        let stays_cm = step.talus_percent * SPACING_M;
        let before = self.height.clone();
        for y in pass + 1..self.size - pass - 1 {
            for x in pass + 1..self.size - pass - 1 {
                let at = y * self.size + x;
                let around = [
                    before[at - 1],
                    before[at + 1],
                    before[at - self.size],
                    before[at + self.size],
                ];
                let slid = |other: f32| {
                    let rise = other - before[at];
                    (rise - stays_cm).max(0.0) - (-rise - stays_cm).max(0.0)
                };
                let sum = slid(around[0]) + slid(around[1]) + slid(around[2]) + slid(around[3]);
                self.height[at] = before[at] + step.rate * sum;
            }
        }
    }
}
