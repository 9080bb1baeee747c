//! The sheet around a map: frame, title, coordinates, legend, scale bar and north.
//!
//! Keeps true: the legend explains what is on the map and nothing else.

use haven_rules::world::region::REGION_CELLS;
use haven_rules::world::terrain::{Biome, FeatureKind, Region, SettlementKind, Terrain};

use super::canvas::{Canvas, Face, Lettering, real, text_width, wide};
use super::map::{Area, Projection};
use super::palette::{self, INK, PAPER};
use super::raster::Raster;
use super::symbols;

/// Space around the map, pixels.
const MARGIN: usize = 44;
const HEAD: usize = 104;
/// Height of one row of the legend, pixels.
const ENTRY: f32 = 25.0;
const ENTRY_WIDTH: f32 = 128.0;
const SMALL: Lettering = Lettering {
    face: Face::Regular,
    size: 17.0,
    spacing: 0.1,
    colour: INK,
    alpha: 0.92,
    halo: None,
};

/// What the legend has: a symbol and a word.
#[derive(Clone, Copy)]
enum Entry {
    Country(Biome, &'static str),
    Settlement(SettlementKind, &'static str),
    Feature(FeatureKind, &'static str),
    Start(&'static str),
}

/// Puts a map on its sheet.
pub(super) fn sheet(
    map: &Canvas,
    terrain: &Terrain,
    area: Area,
    projection: Projection,
    regions: &[Region],
    raster: &Raster,
) -> Canvas {
    let (width, height) = map.size();
    let entries = entries(terrain, regions, raster);
    let columns = usize::try_from(super::canvas::pixel((wide(width) - 230.0) / ENTRY_WIDTH));
    let columns = columns.unwrap_or(1).max(1);
    let rows = entries.len().div_ceil(columns).max(3);
    let foot = 44.0 + wide(rows) * ENTRY + 22.0;
    let foot_pixels = usize::try_from(super::canvas::pixel(foot)).unwrap_or(120);
    let mut sheet = Canvas::new(width + 2 * MARGIN, height + HEAD + foot_pixels, PAPER);
    grain(&mut sheet);
    sheet.paste(map, MARGIN, HEAD);
    let (left, top) = (wide(MARGIN), wide(HEAD));
    let (right, bottom) = (left + wide(width), top + wide(height));
    sheet.frame([left - 1.5, top - 1.5, right + 1.5, bottom + 1.5], 1.5, INK, 1.0);
    sheet.frame([left - 7.0, top - 7.0, right + 7.0, bottom + 7.0], 2.5, INK, 1.0);
    title(&mut sheet, terrain, area, regions);
    ticks(&mut sheet, area, projection, [left, top, right, bottom]);
    for (index, entry) in entries.iter().enumerate() {
        let (column, row) = (index / rows, index % rows);
        let x = left + wide(column) * ENTRY_WIDTH;
        legend_entry(&mut sheet, *entry, (x, bottom + 54.0 + wide(row) * ENTRY));
    }
    scale_bar(&mut sheet, projection, right - 4.0, bottom + 58.0);
    north(&mut sheet, right - 22.0, bottom + 96.0);
    sheet
}

/// A little unevenness, as paper has.
fn grain(sheet: &mut Canvas) {
    let (width, height) = sheet.size();
    let mut word = 0x2545_f491_u32;
    for y in 0..height {
        for x in 0..width {
            word ^= word << 13;
            word ^= word >> 17;
            word ^= word << 5;
            let shift = f32::from(u8::try_from(word & 7).unwrap_or(0)) - 3.5;
            sheet.set(x, y, PAPER.map(|part| part + shift * 0.5));
        }
    }
}

fn title(sheet: &mut Canvas, terrain: &Terrain, area: Area, regions: &[Region]) {
    let middle = wide(sheet.size().0) / 2.0;
    let recipe = &terrain.recipe().title;
    let heading = match regions {
        [only] => only.name.clone(),
        _ => recipe.clone(),
    };
    let large = Lettering { face: Face::SmallCaps, size: 46.0, spacing: 2.0, ..SMALL };
    sheet.text_centred(middle, 52.0, &heading, &large);
    let last = (area.region_x + area.regions - 1, area.region_y + area.regions - 1);
    let place = if area.regions == 1 {
        format!("{recipe} · region {}, {}", area.region_x, area.region_y)
    } else {
        format!("regions {}, {} to {}, {}", area.region_x, area.region_y, last.0, last.1)
    };
    let line = format!("seed {} · {place}", terrain.seed());
    let italic = Lettering { face: Face::Italic, size: 21.0, spacing: 0.4, ..SMALL };
    sheet.text_centred(middle, 80.0, &line, &italic);
    let half = text_width(&line, &italic) / 2.0 + 16.0;
    for side in [-1.0, 1.0] {
        let from = (middle + side * half, 74.0);
        sheet.line(from, (middle + side * (half + 90.0), 74.0), 1.0, INK, 0.6);
        sheet.disc(from.0, from.1, 1.8, INK, 0.8);
    }
}

/// Coordinates in metres at the borders of regions.
fn ticks(sheet: &mut Canvas, area: Area, projection: Projection, bounds: [f32; 4]) {
    let [left, _, _, bottom] = bounds;
    let style = Lettering { face: Face::Italic, size: 14.0, alpha: 0.8, ..SMALL };
    let step = if area.regions == 1 { REGION_CELLS / 4 } else { REGION_CELLS };
    let stride = (area.cells() / step / 8).max(1);
    let (first_x, first_y) = area.first_cell();
    for index in (0..=area.cells() / step).step_by(usize::try_from(stride).unwrap_or(1)) {
        let along = real(index * step) * projection.pixels_per_m;
        sheet.line((left + along, bottom + 7.0), (left + along, bottom + 12.0), 1.2, INK, 1.0);
        sheet.line((left - 12.0, bottom - along), (left - 7.0, bottom - along), 1.2, INK, 1.0);
        let east = format!("{}", first_x + index * step);
        sheet.text_centred(left + along, bottom + 25.0, &east, &style);
        let north = format!("{}", first_y + index * step);
        let width = text_width(&north, &style);
        let base = if index == 0 { bottom - 3.0 } else { bottom - along + 13.0 };
        sheet.text(left - 10.0 - width, base, &north, &style);
    }
}

/// What the map has, in the legend's order.
fn entries(terrain: &Terrain, regions: &[Region], raster: &Raster) -> Vec<Entry> {
    let mut entries = Vec::new();
    for (word, biome) in palette::LEGEND {
        let colour = palette::land(biome);
        let same = |pixel: &&super::raster::Pixel| {
            pixel.wet < 0.5
                && pixel.land.iter().zip(colour).all(|(one, two)| (one - two).abs() < 0.6)
        };
        if raster.pixels.iter().filter(same).count() > raster.pixels.len() / 2_000 {
            entries.push(Entry::Country(biome, word));
        }
    }
    let kinds = [
        (SettlementKind::Town, "town"),
        (SettlementKind::Village, "village"),
        (SettlementKind::Hamlet, "hamlet"),
    ];
    for (kind, word) in kinds {
        let mut all = regions.iter().flat_map(|region| &region.settlements);
        if all.any(|settlement| settlement.kind == kind) {
            entries.push(Entry::Settlement(kind, word));
        }
    }
    let features =
        [(FeatureKind::Ruin, "ruin"), (FeatureKind::Camp, "camp"), (FeatureKind::Ford, "ford")];
    for (kind, word) in features {
        if raster.features.iter().any(|(_, feature)| feature.kind == kind) {
            entries.push(Entry::Feature(kind, word));
        }
    }
    let home = terrain.recipe().home.is_some();
    if home && regions.iter().any(|region| (region.region_x, region.region_y) == (0, 0)) {
        entries.push(Entry::Start("start"));
    }
    entries
}

fn legend_entry(sheet: &mut Canvas, entry: Entry, (x, y): (f32, f32)) {
    let middle = (x + 11.0, y - 5.0);
    let word = match entry {
        Entry::Country(biome, word) => {
            let bounds = [x, y - 13.0, x + 22.0, y + 2.0];
            sheet.rect(bounds, palette::land(biome), 1.0);
            sheet.frame(bounds, 1.0, INK, 0.7);
            word
        }
        Entry::Settlement(kind, word) => {
            symbols::settlement_symbol(sheet, middle, kind);
            word
        }
        Entry::Feature(kind, word) => {
            match kind {
                FeatureKind::Ruin => symbols::ruin(sheet, middle, 0.5),
                FeatureKind::Camp => symbols::camp(sheet, middle, 0.5),
                _ => symbols::ford(sheet, middle),
            }
            word
        }
        Entry::Start(word) => {
            symbols::start(sheet, middle);
            word
        }
    };
    sheet.text(x + 31.0, y, word, &SMALL);
}

/// A bar of a round length near 180 pixels.
fn scale_bar(sheet: &mut Canvas, projection: Projection, right: f32, y: f32) {
    let lengths = [50, 100, 200, 250, 500, 1_000, 2_000, 2_500, 5_000, 10_000, 20_000];
    let fits = |length: &&i32| real(**length) * projection.pixels_per_m <= 190.0;
    let length = lengths.iter().rev().find(fits).copied().unwrap_or(50);
    let width = real(length) * projection.pixels_per_m;
    let left = right - width - 12.0;
    for part in 0..4 {
        let from = left + width * real(part) / 4.0;
        let colour = if part % 2 == 0 { INK } else { PAPER };
        sheet.rect([from, y - 12.0, from + width / 4.0, y - 6.0], colour, 1.0);
    }
    sheet.frame([left, y - 12.0, left + width, y - 6.0], 1.0, INK, 1.0);
    let style = Lettering { size: 15.0, ..SMALL };
    sheet.text_centred(left, y + 9.0, "0", &style);
    let words = if length < 1_000 {
        format!("{length} m")
    } else {
        format!("{} km", f64::from(length) / 1_000.0)
    };
    sheet.text_centred(left + width, y + 9.0, &words, &style);
}

fn north(sheet: &mut Canvas, x: f32, y: f32) {
    sheet.triangle([(x - 6.0, y + 16.0), (x, y + 11.0), (x, y - 14.0)], INK, 1.0);
    sheet.triangle([(x + 6.0, y + 16.0), (x, y + 11.0), (x, y - 14.0)], PAPER, 1.0);
    sheet.line((x + 6.0, y + 16.0), (x, y - 14.0), 1.0, INK, 1.0);
    sheet.line((x + 6.0, y + 16.0), (x, y + 11.0), 1.0, INK, 1.0);
    let style = Lettering { face: Face::SmallCaps, size: 18.0, ..SMALL };
    sheet.text_centred(x - 18.0, y + 6.0, "N", &style);
}
