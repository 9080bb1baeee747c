//! Trees and rocks on a jittered grid; ruins, camps and fords, at most a few a block.
//!
//! Keeps true: things that stand singly keep a free cell around them within their place of the
//! grid, so they never close a way; nothing stands on water, cliffs, settlements or home. Leaves
//! out on purpose: settlements.

use super::cells::Cells;
use super::feature::{Feature, FeatureKind, Footprint};
use super::noise::{Dice, mix};
use super::recipe::Sites;
use super::settlements::Site;
use super::survey::length;
use super::{Biome, Terrain};
use crate::world::{BLOCK_CELLS, GroundClass};

/// The edge of the place that one thing has, cells.
pub(super) const PLACE_CELLS: i32 = 8;
/// Its area, m².
pub(super) const PLACE_M2: f32 = 64.0;
/// A block's area over that of 10,000 m².
const BLOCK_PER_HECTARE: f32 = 0.4096;
const SALT: u64 = 0x5ca7_7e20;
/// Places of the grid that fords are looked for on, cells.
const FORD_PLACE: i32 = 16;

/// What a block is strewn with.
pub(super) struct Strewn<'a> {
    pub(super) terrain: &'a Terrain,
    pub(super) block: (i32, i32),
    pub(super) sites: &'a [Site],
    pub(super) cells: &'a Cells,
}

impl Strewn<'_> {
    /// Everything, in a fixed order.
    pub(super) fn features(&self) -> Vec<Feature> {
        let mut features = Vec::new();
        for site in self.sites {
            let standing = site.footprints();
            let origin = (self.block.0 * BLOCK_CELLS, self.block.1 * BLOCK_CELLS);
            features.extend(standing.iter().filter_map(|footprint| footprint.cut(origin)));
        }
        let ruin = self.ruin(&mut features);
        let camp = self.camp(ruin);
        features.extend(camp);
        self.fords(&mut features);
        let taken: Vec<Feature> = ruin.into_iter().chain(camp).collect();
        self.singles(&taken, &mut features);
        features
    }

    fn dice(&self, salt: u64) -> Dice {
        Dice::at(mix(self.terrain.seed ^ mix(SALT ^ salt)), self.block.0, self.block.1)
    }

    /// A block's cell as one of the world.
    fn world_cell(&self, x: i32, y: i32) -> (i32, i32) {
        (self.block.0 * BLOCK_CELLS + x, self.block.1 * BLOCK_CELLS + y)
    }

    /// Metres from the origin.
    fn metres_out(&self, x: i32, y: i32) -> f32 {
        let (x, y) = self.world_cell(x, y);
        length(f64::from(x) + 0.5, f64::from(y) + 0.5)
    }

    fn is_near_site(&self, x: i32, y: i32, beyond: i32) -> bool {
        let (x, y) = self.world_cell(x, y);
        self.sites.iter().any(|site| site.is_near(x, y, beyond))
    }

    /// Trees, rocks and the like: at most one a place.
    fn singles(&self, taken: &[Feature], features: &mut Vec<Feature>) {
        let places = BLOCK_CELLS / PLACE_CELLS;
        let home_m = self.terrain.survey.recipe().home.map_or(0.0, |home| home.radius_m);
        for place in 0..places * places {
            let (place_x, place_y) = (place % places, place / places);
            let world = (self.block.0 * places + place_x, self.block.1 * places + place_y);
            let mut dice = Dice::at(mix(self.terrain.seed ^ SALT), world.0, world.1);
            let x = place_x * PLACE_CELLS + dice.between(1, PLACE_CELLS - 2);
            let y = place_y * PLACE_CELLS + dice.between(1, PLACE_CELLS - 2);
            let (drawn, variant) = (dice.fraction(), dice.below(256));
            let Some(cell) = self.cells.dry(x, y) else { continue };
            let row = self.terrain.biomes.row(cell.row);
            let Some(kind) = row.and_then(|row| row.scattered(drawn)) else { continue };
            let near_home = home_m > 0.0 && self.metres_out(x, y) < home_m + 8.0;
            let on_taken = taken.iter().any(|feature| covers(*feature, x, y));
            if near_home || on_taken || self.is_near_site(x, y, 6) {
                continue;
            }
            let variant = u8::try_from(variant).unwrap_or(0);
            features.extend(feature(kind, (x, y), (1, 1), variant));
        }
    }

    /// A free square of dry, level land for a ruin or a camp.
    fn free_square(&self, sites: Sites, from_origin_m: f32, dice: &mut Dice) -> Option<Square> {
        if !dice.happens(sites.density * BLOCK_PER_HECTARE) {
            return None;
        }
        let size = dice.between(i32::from(sites.size_min), i32::from(sites.size_max));
        let x = dice.between(2, BLOCK_CELLS - 2 - size);
        let y = dice.between(2, BLOCK_CELLS - 2 - size);
        let middle = (x + size / 2, y + size / 2);
        let corners = [(x, y), (x + size, y), (x, y + size), (x + size, y + size), middle];
        let level = corners.iter().all(|(x, y)| {
            let cell = self.cells.dry(*x, *y);
            cell.is_some_and(|cell| matches!(cell.class, GroundClass::Easy | GroundClass::Rough))
        });
        let away = self.metres_out(middle.0, middle.1) >= from_origin_m;
        (level && away && !self.is_near_site(middle.0, middle.1, 40)).then_some(Square {
            x,
            y,
            size,
        })
    }

    fn home_blend_m(&self) -> f32 {
        self.terrain.survey.recipe().home.map_or(0.0, |home| home.blend_m + 30.0)
    }

    /// One ruin: a square or two rooms with broken walls, each room with a way in.
    fn ruin(&self, features: &mut Vec<Feature>) -> Option<Feature> {
        let sites = self.terrain.survey.recipe().ruins?;
        let mut dice = self.dice(1);
        let Square { x, y, size } = self.free_square(sites, self.home_blend_m(), &mut dice)?;
        let variant = u8::try_from(dice.below(256)).unwrap_or(0);
        let whole = feature(FeatureKind::Ruin, (x, y), (size, size), variant)?;
        features.push(whole);
        let inner = if size > 9 { Some(size / 2) } else { None };
        for row in 0..size {
            for column in 0..size {
                let edge = row == 0 || column == 0 || row == size - 1 || column == size - 1;
                let wall = edge || inner == Some(row) || inner == Some(column);
                // The middle of each side is open, so that no room is closed.
                let quarter = size / 4;
                let door = [row, column]
                    .iter()
                    .any(|at| *at == quarter || *at == quarter + 1 || *at == size - 2 - quarter);
                let crumbled = dice.happens(0.25);
                if wall && !door && !crumbled {
                    let corner = (x + column, y + row);
                    features.extend(feature(FeatureKind::RuinWall, corner, (1, 1), variant));
                }
            }
        }
        Some(whole)
    }

    fn camp(&self, ruin: Option<Feature>) -> Option<Feature> {
        let recipe = self.terrain.survey.recipe();
        let sites = recipe.camps?;
        let from_m = recipe.home.map_or(0.0, |home| home.camps_from_m.max(home.blend_m));
        let mut dice = self.dice(2);
        let Square { x, y, size } = self.free_square(sites, from_m, &mut dice)?;
        let variant = u8::try_from(dice.below(256)).unwrap_or(0);
        let camp = feature(FeatureKind::Camp, (x, y), (size, size), variant)?;
        (!ruin.is_some_and(|ruin| overlap(ruin, camp))).then_some(camp)
    }

    /// Marks where a river that is deep elsewhere can be waded.
    fn fords(&self, features: &mut Vec<Feature>) {
        let places = BLOCK_CELLS / FORD_PLACE;
        for place in 0..places * places {
            let (x, y) = (place % places * FORD_PLACE + 8, place / places * FORD_PLACE + 8);
            let near = [(0, 0), (-4, 0), (4, 0), (0, -4), (0, 4)];
            let found = near.iter().map(|(dx, dy)| (x + dx, y + dy)).find(|(x, y)| {
                let cell = self.cells.at(*x, *y);
                cell.is_some_and(|cell| cell.ford && cell.biome == Biome::River)
            });
            let Some((x, y)) = found else { continue };
            features.extend(feature(FeatureKind::Ford, (x - 1, y - 1), (3, 3), 0));
        }
    }
}

/// A square of a block's cells.
struct Square {
    x: i32,
    y: i32,
    size: i32,
}

fn feature(
    kind: FeatureKind,
    (x, y): (i32, i32),
    (width, height): (i32, i32),
    variant: u8,
) -> Option<Feature> {
    Footprint { kind, cell_x: x, cell_y: y, width, height, variant }.cut((0, 0))
}

fn covers(feature: Feature, x: i32, y: i32) -> bool {
    let (dx, dy) = (x - i32::from(feature.cell_x), y - i32::from(feature.cell_y));
    (-1..=i32::from(feature.width)).contains(&dx) && (-1..=i32::from(feature.height)).contains(&dy)
}

fn overlap(one: Feature, other: Feature) -> bool {
    let apart = |start: u8, length: u8, next: u8, long: u8| {
        start.saturating_add(length) < next || next.saturating_add(long) < start
    };
    !apart(one.cell_x, one.width, other.cell_x, other.width)
        && !apart(one.cell_y, one.height, other.cell_y, other.height)
}
