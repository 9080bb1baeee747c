//! What stands on the map: woods, houses, ruins, camps and fords.
//!
//! Keeps true: from north to south, so that what is nearer covers what is farther. At small scales
//! symbols stand for what would be too small to see.

use haven_rules::world::terrain::{Feature, FeatureKind, Settlement, SettlementKind};

use super::canvas::{Canvas, Colour, mixed, pixel, wide};
use super::map::Projection;
use super::palette::{CAMP, GLOW, INK, ROOF, ROOF_HALL, STONE};
use super::raster::{Raster, cells_of};

/// Below this scale houses are not drawn one by one, pixels per metre.
const HOUSES_FROM: f32 = 0.3;
const LEAVES: [Colour; 3] = [[92.0, 132.0, 66.0], [106.0, 146.0, 72.0], [82.0, 122.0, 62.0]];
const NEEDLES: [Colour; 3] = [[62.0, 104.0, 78.0], [72.0, 114.0, 82.0], [56.0, 94.0, 74.0]];

/// Words that look drawn by chance, for where decoration stands: the same map each time.
fn chance(x: usize, y: usize) -> u32 {
    let word = (x.wrapping_mul(0x9e37_79b1) ^ y.wrapping_mul(0x85eb_ca77)) & 0xffff_ffff;
    let word = (word ^ (word >> 15)).wrapping_mul(0x2c1b_3c6d) & 0xffff_ffff;
    u32::try_from((word ^ (word >> 12)) & 0xffff).unwrap_or(0)
}

fn part(word: u32, shift: u32) -> f32 {
    f32::from(u8::try_from((word >> shift) & 0xff).unwrap_or(0)) / 255.0
}

/// How large a tree's crown is drawn, pixels.
fn crown(projection: Projection) -> f32 {
    (2.4 * projection.pixels_per_m).clamp(1.5, 8.0)
}

/// Tree after tree where woods are.
pub(super) fn woods(canvas: &mut Canvas, raster: &Raster, projection: Projection) {
    let radius = crown(projection);
    let step = usize::try_from(pixel(radius * 2.1)).unwrap_or(2).max(3);
    for row in (0..raster.height).step_by(step) {
        for column in (0..raster.width).step_by(step) {
            let word = chance(column, row);
            let x = wide(column) + part(word, 0) * wide(step);
            let y = wide(row) + part(word, 8) * wide(step);
            let at = |value: f32| usize::try_from(pixel(value)).unwrap_or(0);
            let pixel = raster.at(at(x), at(y));
            let other = chance(row + 7, column + 3);
            if pixel.forest > 0.6 && pixel.wet < 0.1 && other % 100 < 84 {
                let size = radius * (0.8 + 0.4 * part(other, 3));
                if part(other, 7) < pixel.pines {
                    pine(canvas, (x, y), size, other);
                } else {
                    tree(canvas, (x, y), size, other);
                }
            }
        }
    }
}

fn one(colours: [Colour; 3], word: u32) -> Colour {
    colours[usize::try_from(word % 3).unwrap_or(0)]
}

fn tree(canvas: &mut Canvas, (x, y): (f32, f32), radius: f32, word: u32) {
    let colour = one(LEAVES, word);
    canvas.disc(x + radius * 0.45, y + radius * 0.55, radius, [40.0, 48.0, 44.0], 0.26);
    canvas.disc(x, y, radius, colour, 0.92);
    if radius > 2.0 {
        let light = mixed(colour, [222.0, 230.0, 150.0], 0.42);
        canvas.disc(x - radius * 0.3, y - radius * 0.32, radius * 0.5, light, 0.6);
    }
}

fn pine(canvas: &mut Canvas, (x, y): (f32, f32), radius: f32, word: u32) {
    let colour = one(NEEDLES, word);
    canvas.disc(x + radius * 0.5, y + radius * 0.5, radius * 0.8, [36.0, 42.0, 48.0], 0.26);
    let (half, tall) = (radius * 0.85, radius * 1.35);
    canvas.triangle(
        [(x - half, y + radius * 0.7), (x + half, y + radius * 0.7), (x, y - tall)],
        colour,
        0.95,
    );
    if radius > 2.0 {
        let light = mixed(colour, [206.0, 226.0, 190.0], 0.36);
        let west = [(x - half * 0.8, y + radius * 0.6), (x, y + radius * 0.4), (x, y - tall * 0.9)];
        canvas.triangle(west, light, 0.5);
    }
}

/// Everything that stands singly, and what settlements are built of.
pub(super) fn features(canvas: &mut Canvas, raster: &Raster, projection: Projection) {
    let mut ordered: Vec<([i32; 4], Feature)> =
        raster.features.iter().map(|placed| (cells_of(placed), placed.1)).collect();
    ordered.sort_by_key(|(cells, _)| (std::cmp::Reverse(cells[1]), cells[0]));
    for (cells, feature) in &ordered {
        let [x, y, width, height] = *cells;
        let (left, bottom) = projection.place(x, y);
        let (right, top) = projection.place(x + width, y + height);
        let bounds = [left, top, right, bottom];
        let middle = (f32::midpoint(left, right), f32::midpoint(top, bottom));
        let at = |value: f32| usize::try_from(pixel(value)).unwrap_or(0);
        let in_woods = raster.at(at(middle.0), at(middle.1)).forest > 0.6;
        single(canvas, *feature, bounds, middle, (projection, in_woods));
    }
}

fn single(
    canvas: &mut Canvas,
    feature: Feature,
    bounds: [f32; 4],
    middle: (f32, f32),
    (projection, in_woods): (Projection, bool),
) {
    let scale = projection.pixels_per_m;
    let (radius, word) = (crown(projection), u32::from(feature.variant));
    match feature.kind {
        FeatureKind::Tree if scale >= 0.2 && !in_woods => tree(canvas, middle, radius, word),
        FeatureKind::Pine if scale >= 0.2 && !in_woods => pine(canvas, middle, radius, word),
        FeatureKind::DeadTree if scale >= 0.5 => {
            canvas.disc(middle.0, middle.1, radius * 0.4, [104.0, 90.0, 76.0], 0.9);
        }
        FeatureKind::Cactus if scale >= 0.5 => {
            canvas.disc(middle.0, middle.1, radius * 0.5, [104.0, 132.0, 84.0], 0.9);
        }
        FeatureKind::Rock | FeatureKind::Ore if scale >= 0.5 => {
            let colour = [134.0, 126.0, 118.0];
            canvas.disc(middle.0 + 0.6, middle.1 + 0.7, radius * 0.5, INK, 0.35);
            canvas.disc(middle.0, middle.1, radius * 0.48, colour, 1.0);
        }
        FeatureKind::Bush if scale >= 0.7 => {
            canvas.disc(middle.0, middle.1, radius * 0.42, [110.0, 140.0, 74.0], 0.8);
        }
        FeatureKind::House | FeatureKind::Hall if scale >= HOUSES_FROM => {
            house(canvas, bounds, feature.kind == FeatureKind::Hall);
        }
        FeatureKind::Wall | FeatureKind::RuinWall if scale >= HOUSES_FROM => {
            let [left, top, right, bottom] = bounds;
            canvas.rect([left + 0.8, top + 0.8, right + 0.8, bottom + 0.8], INK, 0.35);
            let least = [left, top, right.max(left + 1.0), bottom.max(top + 1.0)];
            canvas.rect(least, STONE, 1.0);
        }
        FeatureKind::Well if scale >= HOUSES_FROM => {
            canvas.disc(middle.0, middle.1, (1.4 * scale).max(1.2), STONE, 1.0);
            canvas.disc(middle.0, middle.1, (0.8 * scale).max(0.6), [90.0, 140.0, 170.0], 1.0);
        }
        FeatureKind::Ruin => ruin(canvas, middle, scale),
        FeatureKind::Camp => camp(canvas, middle, scale),
        FeatureKind::Ford if scale >= 0.2 => ford(canvas, middle),
        FeatureKind::Tree
        | FeatureKind::Pine
        | FeatureKind::DeadTree
        | FeatureKind::Cactus
        | FeatureKind::Rock
        | FeatureKind::Ore
        | FeatureKind::Bush
        | FeatureKind::Herb
        | FeatureKind::RuinWall
        | FeatureKind::House
        | FeatureKind::Hall
        | FeatureKind::Well
        | FeatureKind::Wall
        | FeatureKind::Ford => {}
    }
}

fn house(canvas: &mut Canvas, [left, top, right, bottom]: [f32; 4], hall: bool) {
    let roof = if hall { ROOF_HALL } else { ROOF };
    canvas.rect([left + 1.2, top + 1.2, right + 1.2, bottom + 1.2], INK, 0.4);
    canvas.rect([left, top, right, bottom], roof, 1.0);
    let middle = f32::midpoint(top, bottom);
    // The roof's northern half lies in the light.
    canvas.rect([left, top, right, middle], mixed(roof, [255.0, 226.0, 190.0], 0.28), 1.0);
    if right - left > 3.5 {
        canvas.frame([left, top, right, bottom], 0.7, INK, 0.6);
    }
}

/// A symbol's size: a little larger on detailed maps.
fn symbol_size(scale: f32) -> f32 {
    (3.4 + 2.4 * scale).clamp(3.4, 6.5)
}

/// Two broken columns.
pub(super) fn ruin(canvas: &mut Canvas, (x, y): (f32, f32), scale: f32) {
    let size = symbol_size(scale);
    for (dx, tall) in [(-0.8, 1.0), (0.0, 0.5), (0.8, 1.3)] {
        let left = x + dx * size - size * 0.22;
        let bounds = [left, y - size * tall, left + size * 0.44, y + size * 0.7];
        canvas.rect(
            [bounds[0] - 1.0, bounds[1] - 1.0, bounds[2] + 1.0, bounds[3] + 1.0],
            GLOW,
            0.7,
        );
        canvas.rect(bounds, [88.0, 78.0, 74.0], 1.0);
    }
    canvas.rect([x - size * 1.2, y + size * 0.6, x + size * 1.2, y + size * 0.9], INK, 0.85);
}

/// A tent with a flag.
pub(super) fn camp(canvas: &mut Canvas, (x, y): (f32, f32), scale: f32) {
    let size = symbol_size(scale);
    let tent = |grow: f32| {
        let (half, tall) = (size * 0.95 + grow, size * 0.95 + grow);
        [
            (x - half, y + size * 0.7 + grow * 0.6),
            (x + half, y + size * 0.7 + grow * 0.6),
            (x, y - tall),
        ]
    };
    canvas.triangle(tent(1.5), GLOW, 0.8);
    canvas.triangle(tent(0.0), CAMP, 1.0);
    let door = size * 0.3;
    let opening = [(x - door, y + size * 0.7), (x + door, y + size * 0.7), (x, y - size * 0.1)];
    canvas.triangle(opening, [54.0, 24.0, 24.0], 1.0);
}

/// Stepping stones.
pub(super) fn ford(canvas: &mut Canvas, (x, y): (f32, f32)) {
    for step in [-1.0, 0.0, 1.0] {
        canvas.disc(x + step * 3.2, y - step * 1.4, 1.5, INK, 0.55);
        canvas.disc(x + step * 3.2, y - step * 1.4, 1.0, [240.0, 234.0, 214.0], 1.0);
    }
}

/// A star: where players start.
pub(super) fn start(canvas: &mut Canvas, (x, y): (f32, f32)) {
    for (reach, waist, colour) in [(12.0, 4.2, GLOW), (9.5, 2.8, INK)] {
        for (dx, dy) in [(0.0, -1.0), (1.0, 0.0), (0.0, 1.0), (-1.0, 0.0)] {
            let left = (x - dy * waist, y + dx * waist);
            let right = (x + dy * waist, y - dx * waist);
            canvas.triangle([left, right, (x + dx * reach, y + dy * reach)], colour, 1.0);
        }
    }
    canvas.disc(x, y, 1.6, GLOW, 1.0);
}

/// Symbols of settlements where houses are too small.
pub(super) fn settlements(canvas: &mut Canvas, all: &[&Settlement], projection: Projection) {
    if projection.pixels_per_m >= HOUSES_FROM {
        return;
    }
    for settlement in all {
        let place = projection.place(settlement.cell_x, settlement.cell_y);
        settlement_symbol(canvas, place, settlement.kind);
    }
}

/// A circle, a circle in a ring, or a walled square.
pub(super) fn settlement_symbol(canvas: &mut Canvas, (x, y): (f32, f32), kind: SettlementKind) {
    match kind {
        SettlementKind::Hamlet => {
            canvas.disc(x, y, 3.2, INK, 1.0);
            canvas.disc(x, y, 2.2, GLOW, 1.0);
        }
        SettlementKind::Village => {
            canvas.disc(x, y, 4.4, INK, 1.0);
            canvas.disc(x, y, 3.3, GLOW, 1.0);
            canvas.disc(x, y, 1.8, ROOF, 1.0);
        }
        SettlementKind::Town => {
            canvas.rect([x - 5.5, y - 5.5, x + 5.5, y + 5.5], INK, 1.0);
            canvas.rect([x - 4.2, y - 4.2, x + 4.2, y + 4.2], GLOW, 1.0);
            canvas.rect([x - 2.6, y - 2.6, x + 2.6, y + 2.6], ROOF, 1.0);
        }
    }
}
