//! Settlements: which sites of a region have one, and what stands in it.
//!
//! Keeps true: a site lies in one quarter of its region, so far from the quarter's edge that no
//! other region or quarter can touch it; between any two houses there is a street. Whether a site
//! is settled depends on the survey at nine places, never on generated blocks.

use super::Region;
use super::feature::{FeatureKind, Footprint};
use super::noise::{Dice, mix};
use super::recipe::Settlements;
use super::survey::{Survey, single};
use super::{Settlement, SettlementKind, Terrain, names};
use crate::world::BLOCK_CELLS;
use crate::world::region::{REGION_CELLS, first_cell_of_region};

/// Quarters along a region's edge.
const QUARTERS: i32 = 2;
/// A quarter's edge, cells.
const QUARTER_CELLS: i32 = REGION_CELLS / QUARTERS;
/// Sites tried in a quarter; the first good one is settled.
const TRIES: i32 = 3;
/// Most settlements of a region; the last quarter stays wild.
const SETTLED_QUARTERS: usize = 3;
/// From one plot to the next, cells: a house of at most 8 and a street of at least 4.
const PLOT: i32 = 12;
const GATE_HALF: i32 = 4;
const SALT: u64 = 0x5e77_1e00;

/// A settled site.
#[derive(Clone, Copy, Debug)]
pub(super) struct Site {
    /// The cell in its middle.
    pub(super) cell_x: i32,
    pub(super) cell_y: i32,
    radius: u16,
    blend: u16,
    walled: bool,
    houses: f32,
    level_cm: f32,
    /// What its layout and its name are drawn from.
    word: u64,
}

impl Site {
    pub(super) fn centre_m(&self) -> [f64; 2] {
        [f64::from(self.cell_x), f64::from(self.cell_y)]
    }

    pub(super) fn radius_m(&self) -> f32 {
        f32::from(self.radius)
    }

    /// How far the land around is evened out, metres.
    pub(super) fn reach_m(&self) -> f32 {
        f32::from(self.radius) + 14.0 + f32::from(self.blend)
    }

    pub(super) const fn level_cm(&self) -> f32 {
        self.level_cm
    }

    /// Whether a cell lies within that many cells around it.
    pub(super) fn is_near(&self, cell_x: i32, cell_y: i32, beyond: i32) -> bool {
        let (x, y) = (cell_x - self.cell_x, cell_y - self.cell_y);
        let reach = i32::from(self.radius) + beyond;
        x * x + y * y < reach * reach
    }

    fn touches(&self, block_x: i32, block_y: i32) -> bool {
        let reach = i32::from(self.radius) + i32::from(self.blend) + 14 + 16;
        let overlaps = |centre: i32, block: i32| {
            let first = block * BLOCK_CELLS;
            centre + reach >= first && centre - reach < first + BLOCK_CELLS
        };
        overlaps(self.cell_x, block_x) && overlaps(self.cell_y, block_y)
    }

    /// What stands in it, before it is cut at block borders.
    pub(super) fn footprints(&self) -> Vec<Footprint> {
        let mut dice = Dice::at(mix(self.word), self.cell_x, self.cell_y);
        let plots = i32::from(self.radius) / PLOT;
        let mut standing = vec![self.footprint(FeatureKind::Well, (-1, -1), (2, 2), &mut dice)];
        let half = self.wall_half();
        for plot_y in -plots..=plots {
            for plot_x in -plots..=plots {
                let hall = (plot_x, plot_y) == (0, 1);
                let (width, height) =
                    if hall { (8, 8) } else { (dice.between(5, 8), dice.between(5, 7)) };
                let slack = (dice.between(0, 8 - width), dice.between(0, 8 - height));
                let corner = (plot_x * PLOT - 4 + slack.0, plot_y * PLOT - 4 + slack.1);
                let built = hall || dice.happens(self.houses);
                let far = corner.0.abs().max((corner.0 + width).abs());
                let high = corner.1.abs().max((corner.1 + height).abs());
                let inside = if self.walled {
                    far.max(high) < half - 2
                } else {
                    far * far + high * high < i32::from(self.radius).pow(2)
                };
                if built && inside && (plot_x, plot_y) != (0, 0) {
                    let kind = if hall { FeatureKind::Hall } else { FeatureKind::House };
                    standing.push(self.footprint(kind, corner, (width, height), &mut dice));
                }
            }
        }
        if self.walled {
            self.wall(half, &mut dice, &mut standing);
        }
        standing
    }

    /// Half of the edge of a town's square wall, cells.
    fn wall_half(&self) -> i32 {
        i32::from(self.radius) * 3 / 4
    }

    /// A square wall with a gate in the middle of each side and a tower at each corner.
    fn wall(&self, half: i32, dice: &mut Dice, standing: &mut Vec<Footprint>) {
        let length = half - GATE_HALF;
        for side in [-half, half - 1] {
            for start in [-half, GATE_HALF] {
                let wall = FeatureKind::Wall;
                standing.push(self.footprint(wall, (start, side), (length, 1), dice));
                standing.push(self.footprint(wall, (side, start), (1, length), dice));
            }
        }
        for (x, y) in [(-1, -1), (-1, 1), (1, -1), (1, 1)] {
            let corner = (x * half - 2, y * half - 2);
            standing.push(self.footprint(FeatureKind::Wall, corner, (4, 4), dice));
        }
    }

    fn footprint(
        &self,
        kind: FeatureKind,
        (x, y): (i32, i32),
        (width, height): (i32, i32),
        dice: &mut Dice,
    ) -> Footprint {
        let variant = u8::try_from(dice.below(256)).unwrap_or(0);
        let (cell_x, cell_y) = (self.cell_x + x, self.cell_y + y);
        Footprint { kind, cell_x, cell_y, width, height, variant }
    }
}

/// The settled sites that change anything on a block.
pub(super) fn sites_near(terrain: &Terrain, block_x: i32, block_y: i32) -> Vec<Site> {
    let Some(step) = terrain.survey.recipe().settlements else { return Vec::new() };
    let region_x = crate::world::region::region_of_block(block_x);
    let region_y = crate::world::region::region_of_block(block_y);
    let near = |site: &Site| site.touches(block_x, block_y);
    quarters(terrain, region_x, region_y)
        .into_iter()
        .filter(|quarter| candidates(terrain, &step, *quarter).iter().any(near))
        .filter_map(|quarter| settled(terrain, &step, quarter))
        .filter(near)
        .collect()
}

/// All settled sites of a region.
pub(super) fn sites_of(terrain: &Terrain, region_x: i32, region_y: i32) -> Vec<Site> {
    let Some(step) = terrain.survey.recipe().settlements else { return Vec::new() };
    quarters(terrain, region_x, region_y)
        .into_iter()
        .filter_map(|quarter| settled(terrain, &step, quarter))
        .collect()
}

/// The quarters of a region that may be settled, by their place on the grid of quarters.
fn quarters(terrain: &Terrain, region_x: i32, region_y: i32) -> [(i32, i32); SETTLED_QUARTERS] {
    let wild = Dice::at(terrain.seed ^ SALT, region_x, region_y).between(0, 3);
    std::array::from_fn(|index| {
        let index = i32::try_from(index).unwrap_or(0);
        let quarter = if index < wild { index } else { index + 1 };
        (region_x * QUARTERS + quarter % QUARTERS, region_y * QUARTERS + quarter / QUARTERS)
    })
}

/// The sites of a quarter, in the order in which they are tried; their level is not known yet.
fn candidates(terrain: &Terrain, step: &Settlements, quarter: (i32, i32)) -> Vec<Site> {
    let mut dice = Dice::at(terrain.seed ^ mix(SALT), quarter.0, quarter.1);
    let margin = i32::from(step.radius_max_m) + i32::from(step.blend_m) + 32;
    let first = (quarter.0 * QUARTER_CELLS, quarter.1 * QUARTER_CELLS);
    (0..TRIES)
        .map(|_| {
            let least = i32::from(step.radius_min_m);
            let most = i32::from(step.radius_max_m);
            // The smaller of two draws: villages are commoner than towns.
            let drawn = dice.between(least, most).min(dice.between(least, most));
            let radius = u16::try_from(drawn).unwrap_or(step.radius_min_m);
            Site {
                cell_x: first.0 + dice.between(margin, QUARTER_CELLS - margin),
                cell_y: first.1 + dice.between(margin, QUARTER_CELLS - margin),
                radius,
                blend: step.blend_m,
                walled: radius >= step.wall_from_m,
                houses: step.houses,
                level_cm: 0.0,
                word: mix(terrain.seed ^ u64::from(dice.below(u32::MAX))),
            }
        })
        .collect()
}

/// The first site of a quarter on good land, with its level.
fn settled(terrain: &Terrain, step: &Settlements, quarter: (i32, i32)) -> Option<Site> {
    candidates(terrain, step, quarter).into_iter().find_map(|site| {
        let level_cm = level_of(terrain, step, &site)?;
        Some(Site { level_cm, ..site })
    })
}

/// The level of a site: its height, where land is dry, level, away from home and worth it.
fn level_of(terrain: &Terrain, step: &Settlements, site: &Site) -> Option<f32> {
    let survey = &terrain.survey;
    let [centre_x, centre_y] = site.centre_m();
    let reach = f64::from(site.reach_m());
    let centre = spot(survey, centre_x, centre_y, 0.0)?;
    for (x, y) in [(1, 0), (-1, 0), (0, 1), (0, -1), (1, 1), (1, -1), (-1, 1), (-1, -1)] {
        // Diagonals at 0.7 of the way, so that all eight lie on a circle.
        let part = if x == 0 || y == 0 { reach } else { 0.7 * reach };
        let place = (centre_x + part * f64::from(x), centre_y + part * f64::from(y));
        let around = spot(survey, place.0, place.1, 0.0)?;
        if (around - centre).abs() > step.uneven_cm {
            return None;
        }
    }
    let traits = terrain.traits_at(centre_x, centre_y);
    let row = terrain.biomes.row(terrain.biomes.find(&traits))?;
    Dice::at(site.word, site.cell_x, site.cell_y).happens(row.settled).then_some(centre)
}

/// The height of a place that is dry land and none of home's.
fn spot(survey: &Survey, x_m: f64, y_m: f64, wet_cm: f32) -> Option<f32> {
    let place = survey.place(x_m, y_m);
    let dry = place.watered.height_cm > 150.0 && place.watered.lake_cm < wet_cm;
    let away = (0..2).all(|kind: usize| {
        place.distance_m[kind].abs() > place.watered.half_width_m[kind] + 12.0
            || place.watered.half_width_m[kind] <= 0.0
    });
    (dry && away && place.land.home <= 0.0 && place.land.rim <= 0.0)
        .then_some(place.watered.height_cm)
}

/// A region: its name, and its settlements with theirs.
pub(super) fn region(terrain: &Terrain, region_x: i32, region_y: i32) -> Region {
    let recipe = &terrain.survey.recipe().names;
    let biome = terrain.commonest_biome(region_x, region_y);
    let mut dice = Dice::at(mix(terrain.seed ^ mix(SALT)), region_x, region_y);
    let settlements = sites_of(terrain, region_x, region_y)
        .into_iter()
        .map(|site| Settlement {
            name: names::settlement(recipe, &mut Dice::at(site.word, 0, 0)),
            kind: match (site.walled, site.radius) {
                (true, _) => SettlementKind::Town,
                (false, 0..=25) => SettlementKind::Hamlet,
                (false, _) => SettlementKind::Village,
            },
            cell_x: site.cell_x,
            cell_y: site.cell_y,
            radius_cells: site.radius,
        })
        .collect();
    Region { region_x, region_y, name: names::region(recipe, biome, &mut dice), biome, settlements }
}

/// The middle of the `index`th of `count` strips of a region, metres.
pub(super) fn strip_m(region: i32, index: i32, count: i32) -> f64 {
    let first = f64::from(first_cell_of_region(region));
    first + f64::from(REGION_CELLS) * (f64::from(index) + 0.5) / f64::from(count)
}

/// What a spot check of the survey finds: `f32` slopes of its height, percent.
pub(super) fn slope_percent(rise_cm: [f32; 2], across_m: f64) -> f32 {
    let [x, y] = rise_cm;
    (x * x + y * y).sqrt() / single(across_m)
}
