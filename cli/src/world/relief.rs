//! The map's ground: colours of the land, light from the north-west, contours, water and coasts.
//!
//! Keeps true: heights are exaggerated by the scale alone, so maps of one scale can be compared.

use super::canvas::{Canvas, Colour, mixed, wide};
use super::palette::{INK, SEA_INK};
use super::raster::{Pixel, Raster};

const LIGHT: Colour = [255.0, 250.0, 226.0];
const SHADE: Colour = [62.0, 58.0, 88.0];
/// Metres from one contour to the next, and to the next heavy one.
const CONTOUR_M: f32 = 10.0;
const CONTOUR_HEAVY_M: f32 = 50.0;
/// Distances of the lines along coasts, pixels, and how dark they are.
const WATERLINES: [(f32, f32); 4] = [(3.5, 0.34), (7.5, 0.24), (12.5, 0.17), (18.5, 0.11)];

/// A field of one number a pixel.
struct Plane {
    width: usize,
    height: usize,
    values: Vec<f32>,
}

impl Plane {
    fn of(raster: &Raster, value: impl Fn(usize) -> f32) -> Self {
        let values = (0..raster.pixels.len()).map(value).collect();
        Self { width: raster.width, height: raster.height, values }
    }

    fn at(&self, x: usize, y: usize) -> f32 {
        let (x, y) = (x.min(self.width - 1), y.min(self.height - 1));
        self.values.get(y * self.width + x).copied().unwrap_or(0.0)
    }

    /// The mean of a square around each pixel, by rows and then by columns.
    fn blurred(&self, reach: usize) -> Self {
        let pass = |plane: &Self, across: bool| {
            let mut values = Vec::with_capacity(plane.values.len());
            let (lines, length) =
                if across { (plane.height, plane.width) } else { (plane.width, plane.height) };
            for line in 0..lines {
                let get = |at: usize| if across { plane.at(at, line) } else { plane.at(line, at) };
                for at in 0..length {
                    let (from, to) = (at.saturating_sub(reach), (at + reach).min(length - 1));
                    let sum: f32 = (from..=to).map(get).sum();
                    values.push(sum / wide(to - from + 1));
                }
            }
            values
        };
        let rows = Self { width: self.width, height: self.height, values: pass(self, true) };
        let columns = pass(&rows, false);
        let mut values = vec![0.0; columns.len()];
        for x in 0..self.width {
            for y in 0..self.height {
                values[y * self.width + x] = columns[x * self.height + y];
            }
        }
        Self { width: self.width, height: self.height, values }
    }

    /// Rise to the east and to the north, per pixel.
    fn rise(&self, x: usize, y: usize) -> (f32, f32) {
        let east = self.at(x + 1, y) - self.at(x.saturating_sub(1), y);
        let north = self.at(x, y.saturating_sub(1)) - self.at(x, y + 1);
        (east / 2.0, north / 2.0)
    }
}

/// Paints the ground.
pub(super) fn painted(raster: &Raster, pixels_per_m: f32) -> Canvas {
    let mut canvas = Canvas::new(raster.width, raster.height, [0.0; 3]);
    let heights = Plane::of(raster, |index| {
        let pixel = &raster.pixels[index];
        // The sea's floor is nearly flat on a map; its depth is told by colour.
        if pixel.sea > 0.5 { pixel.height_m * 0.12 } else { pixel.height_m }
    });
    let soft = heights.blurred(1);
    let broad = heights.blurred(7);
    let contours = heights.blurred(2);
    let land = [0, 1, 2].map(|part: usize| {
        let lit = Plane::of(raster, |index| raster.pixels[index].land[part]);
        let wet = |index: usize| raster.pixels[index].wet >= 1.0;
        let weight = Plane::of(raster, |index| if wet(index) { 0.0 } else { 1.0 });
        (lit.blurred(2), weight.blurred(2))
    });
    let coast = shore_distance(raster, |pixel| pixel.sea);
    let bank = shore_distance(raster, |pixel| pixel.wet);
    let exaggeration = 1.5 * pixels_per_m * (1.0 / pixels_per_m).max(1.0).powf(0.45);
    for y in 0..raster.height {
        for x in 0..raster.width {
            let pixel = raster.at(x, y);
            let ground: Colour = std::array::from_fn(|part| {
                let (lit, weight) = &land[part];
                lit.at(x, y) / weight.at(x, y).max(0.02)
            });
            let tinted =
                mixed(ground, [206.0, 178.0, 140.0], (pixel.height_m / 420.0).clamp(0.0, 0.3));
            let fine = light(soft.rise(x, y), exaggeration);
            let coarse = light(broad.rise(x, y), exaggeration * 1.5);
            let lit = lighted(tinted, 0.6 * fine + 0.5 * coarse);
            let lined = mixed(lit, INK, contour(&contours, x, y) * (1.0 - pixel.wet));
            let inland = (1.0 - pixel.sea) * (bank.at(x, y) * pixels_per_m.recip() / 90.0).min(0.6);
            let water = mixed(pixel.water, SEA_INK, inland);
            let water = mixed(water, SEA_INK, waterline(coast.at(x, y)) * pixel.sea);
            canvas.set(x, y, mixed(lined, water, pixel.wet.clamp(0.0, 1.0)));
        }
    }
    shore(&mut canvas, raster);
    canvas
}

/// How much lighter or darker than level ground a slope is, about −1 to 0.5: Lambert's law with
/// light from the north-west, 45° high.
fn light((east, north): (f32, f32), exaggeration: f32) -> f32 {
    let (slope_x, slope_y) = (east * exaggeration, north * exaggeration);
    let towards = (slope_x - slope_y) * std::f32::consts::FRAC_1_SQRT_2 + 1.0;
    towards / (slope_x * slope_x + slope_y * slope_y + 1.0).sqrt() - 1.0
}

fn lighted(colour: Colour, light: f32) -> Colour {
    if light < 0.0 {
        mixed(colour, SHADE, (-light * 0.62).min(0.58))
    } else {
        mixed(colour, LIGHT, (light * 1.1).min(0.6))
    }
}

/// How dark a contour is on a pixel.
fn contour(heights: &Plane, x: usize, y: usize) -> f32 {
    let here = heights.at(x, y);
    let crosses = |step: f32| {
        let band = (here / step).floor();
        let differs = |other: f32| ((other / step).floor() - band).abs() > 0.5;
        here > 2.0 && (differs(heights.at(x + 1, y)) || differs(heights.at(x, y + 1)))
    };
    if crosses(CONTOUR_HEAVY_M) {
        0.22
    } else if crosses(CONTOUR_M) {
        0.085
    } else {
        0.0
    }
}

/// How dark the nearest line along a coast is.
fn waterline(distance: f32) -> f32 {
    let lines = WATERLINES.iter().map(|(at, dark)| dark * (1.0 - (distance - at).abs()).max(0.0));
    lines.fold(0.0, f32::max)
}

/// Distance of each pixel of water from what is none, pixels: a chamfer transform (Borgefors 1986).
fn shore_distance(raster: &Raster, water: impl Fn(&Pixel) -> f32) -> Plane {
    let (width, height) = (raster.width, raster.height);
    let mut plane =
        Plane::of(raster, |index| if water(&raster.pixels[index]) > 0.5 { 1e6 } else { 0.0 });
    let relax = |plane: &mut Plane, x: usize, y: usize, ahead: bool| {
        let (back, side) =
            if ahead { (y + 1, x + 1) } else { (y.wrapping_sub(1), x.wrapping_sub(1)) };
        let other = if ahead { x.wrapping_sub(1) } else { x + 1 };
        let mut best = plane.values[y * width + x];
        for (nx, ny, step) in
            [(side, y, 1.0), (x, back, 1.0), (side, back, 1.4), (other, back, 1.4)]
        {
            if nx < width && ny < height {
                best = best.min(plane.values[ny * width + nx] + step);
            }
        }
        plane.values[y * width + x] = best;
    };
    for y in 0..height {
        for x in 0..width {
            relax(&mut plane, x, y, false);
        }
    }
    for y in (0..height).rev() {
        for x in (0..width).rev() {
            relax(&mut plane, x, y, true);
        }
    }
    plane
}

/// A line where water meets land.
fn shore(canvas: &mut Canvas, raster: &Raster) {
    let edge = |value: usize| i32::try_from(value).unwrap_or(0);
    for y in 0..raster.height {
        for x in 0..raster.width {
            let wet = raster.at(x, y).wet;
            let other = raster.at(x + 1, y).wet.min(raster.at(x, y + 1).wet);
            let before =
                raster.at(x.saturating_sub(1), y).wet.min(raster.at(x, y.saturating_sub(1)).wet);
            if wet > 0.5 && other.min(before) <= 0.5 {
                canvas.lay(edge(x), edge(y), SEA_INK, 0.5);
            }
        }
    }
}
