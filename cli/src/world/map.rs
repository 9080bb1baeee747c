//! A map of some regions: how its parts are laid over each other.
//!
//! Keeps true: the same seed, recipe, area and scale give the same image. Leaves out on purpose:
//! the sheet around it, which is `page`'s.

use haven_rules::world::BLOCK_CELLS;
use haven_rules::world::region::{REGION_BLOCKS, REGION_CELLS, first_block_of_region};
use haven_rules::world::terrain::{Biome, Region, Settlement, SettlementKind, Terrain};

use super::canvas::{Canvas, Face, Lettering, real, text_width, wide};
use super::palette::{GLOW, INK, SEA_INK};
use super::raster::Raster;
use super::{page, relief, symbols};

/// A square of regions.
#[derive(Clone, Copy, Debug)]
pub(super) struct Area {
    /// The south-western region.
    pub(super) region_x: i32,
    pub(super) region_y: i32,
    /// Regions along an edge.
    pub(super) regions: i32,
}

impl Area {
    pub(super) const fn cells(self) -> i32 {
        self.regions * REGION_CELLS
    }

    pub(super) const fn blocks(self) -> i32 {
        self.regions * REGION_BLOCKS
    }

    /// Its south-western block.
    pub(super) const fn first_block(self) -> (i32, i32) {
        (first_block_of_region(self.region_x), first_block_of_region(self.region_y))
    }

    /// Its south-western cell.
    pub(super) const fn first_cell(self) -> (i32, i32) {
        (self.region_x * REGION_CELLS, self.region_y * REGION_CELLS)
    }
}

/// How large a block is on the map, pixels: a whole number, so that blocks fit side by side.
#[derive(Clone, Copy, Debug)]
pub(super) struct Scale {
    block_pixels: u16,
}

impl Scale {
    /// The scale nearest to so many pixels per metre.
    pub(super) fn nearest(pixels_per_m: f32) -> Self {
        let wanted = (pixels_per_m * real(BLOCK_CELLS)).round();
        let fitting = (1..=256).min_by_key(|pixels: &u16| {
            super::canvas::pixel((f32::from(*pixels) - wanted).abs() * 16.0)
        });
        Self { block_pixels: fitting.unwrap_or(1) }
    }

    /// The scale at which so many cells are about so many pixels, a pixel a metre at most.
    pub(super) fn for_width(cells: i32, pixels: i32) -> Self {
        Self::nearest((real(pixels) / real(cells.max(1))).min(1.0))
    }

    pub(super) fn block_pixels(self) -> usize {
        usize::from(self.block_pixels)
    }

    pub(super) fn pixels_per_m(self) -> f32 {
        f32::from(self.block_pixels) / real(BLOCK_CELLS)
    }

    /// The cells of a pixel of a block: the south-western one and how many along an edge.
    pub(super) fn cells_of(self, column: usize, row: usize) -> (usize, usize, usize) {
        let edge = self.block_pixels().max(1);
        (column * 64 / edge, row * 64 / edge, 64_usize.div_ceil(edge))
    }
}

/// From cells of the world to pixels of the map.
#[derive(Clone, Copy, Debug)]
pub(super) struct Projection {
    west: i32,
    north: i32,
    pub(super) pixels_per_m: f32,
}

impl Projection {
    /// The pixel of a cell's south-western corner.
    pub(super) fn place(self, cell_x: i32, cell_y: i32) -> (f32, f32) {
        (
            real(cell_x - self.west) * self.pixels_per_m,
            real(self.north - cell_y) * self.pixels_per_m,
        )
    }
}

/// Rectangles that letters already stand on.
#[derive(Default)]
pub(super) struct Taken(Vec<[f32; 4]>);

impl Taken {
    fn overlap(&self, bounds: [f32; 4]) -> usize {
        let [left, top, right, bottom] = bounds;
        let hits = |other: &&[f32; 4]| {
            left < other[2] && other[0] < right && top < other[3] && other[1] < bottom
        };
        self.0.iter().filter(hits).count()
    }

    fn add(&mut self, bounds: [f32; 4]) {
        self.0.push(bounds);
    }
}

/// Draws a map with its sheet.
pub(super) fn draw(terrain: &Terrain, area: Area, scale: Scale) -> Canvas {
    let raster = Raster::new(terrain, area, scale);
    let (west, south) = area.first_cell();
    let pixels_per_m = scale.pixels_per_m();
    let projection = Projection { west, north: south + area.cells(), pixels_per_m };
    let regions: Vec<Region> = (0..area.regions * area.regions)
        .map(|index| {
            let (x, y) = (index % area.regions, index / area.regions);
            terrain.region(area.region_x + x, area.region_y + y)
        })
        .collect();
    let mut canvas = relief::painted(&raster, pixels_per_m);
    symbols::woods(&mut canvas, &raster, projection);
    symbols::features(&mut canvas, &raster, projection);
    let settlements: Vec<&Settlement> =
        regions.iter().flat_map(|region| &region.settlements).collect();
    symbols::settlements(&mut canvas, &settlements, projection);
    borders(&mut canvas, area, projection);
    if terrain.recipe().home.is_some() {
        let (x, y) = projection.place(0, 0);
        symbols::start(&mut canvas, (x, y));
    }
    let mut taken = Taken::default();
    settlement_names(&mut canvas, &settlements, projection, &mut taken);
    for region in &regions {
        region_name(&mut canvas, region, projection, &mut taken);
    }
    page::sheet(&canvas, terrain, area, projection, &regions, &raster)
}

/// Dashed lines between regions.
fn borders(canvas: &mut Canvas, area: Area, projection: Projection) {
    let edge = wide(canvas.size().0);
    let step = real(REGION_CELLS) * projection.pixels_per_m;
    for index in 1..area.regions {
        let at = step * real(index);
        let mut from = 0.0;
        while from < edge {
            canvas.line((at, from), (at, from + 5.0), 1.0, INK, 0.38);
            canvas.line((from, at), (from + 5.0, at), 1.0, INK, 0.38);
            from += 11.0;
        }
    }
}

fn settlement_names(
    canvas: &mut Canvas,
    settlements: &[&Settlement],
    projection: Projection,
    taken: &mut Taken,
) {
    let (width, height) = canvas.size();
    let mut ordered = settlements.to_vec();
    ordered.sort_by_key(|settlement| std::cmp::Reverse(settlement.radius_cells));
    for settlement in ordered {
        let (x, y) = projection.place(settlement.cell_x, settlement.cell_y);
        let style = name_style(settlement.kind, projection.pixels_per_m);
        let length = text_width(&settlement.name, &style);
        let off = (f32::from(settlement.radius_cells) * projection.pixels_per_m).clamp(6.0, 60.0);
        let places = [
            (x - length / 2.0, y + off + style.size * 0.75),
            (x - length / 2.0, y - off - style.size * 0.2),
            (x + off + 4.0, y + style.size * 0.3),
            (x - off - 4.0 - length, y + style.size * 0.3),
        ];
        let bounds = |(left, base): (f32, f32)| {
            [left - 2.0, base - style.size * 0.8, left + length + 2.0, base + style.size * 0.3]
        };
        let fits = |place: &&(f32, f32)| {
            let [left, top, right, bottom] = bounds(**place);
            let inside = left > 4.0 && top > 4.0;
            let within = right < wide(width) - 4.0 && bottom < wide(height) - 4.0;
            inside && within && taken.overlap(bounds(**place)) == 0
        };
        if let Some((left, base)) = places.iter().find(fits).copied() {
            canvas.text(left, base, &settlement.name, &style);
            taken.add(bounds((left, base)));
        }
        taken.add([x - off, y - off, x + off, y + off]);
    }
}

fn name_style(kind: SettlementKind, pixels_per_m: f32) -> Lettering {
    let (face, size) = match kind {
        SettlementKind::Town => (Face::SmallCaps, 22.0),
        SettlementKind::Village => (Face::Regular, 18.0),
        SettlementKind::Hamlet => (Face::Regular, 16.0),
    };
    let size = if pixels_per_m < 0.25 { size * 0.78 } else { size };
    Lettering { face, size, spacing: 0.2, colour: INK, alpha: 1.0, halo: Some((GLOW, 1.6)) }
}

/// A region's name in the quietest part of it.
fn region_name(canvas: &mut Canvas, region: &Region, projection: Projection, taken: &mut Taken) {
    let edge = real(REGION_CELLS) * projection.pixels_per_m;
    let corner = (region.region_x * REGION_CELLS, region.region_y * REGION_CELLS);
    let (left, bottom) = projection.place(corner.0, corner.1);
    let size = (edge / 13.0).clamp(13.0, 34.0);
    let mut style = Lettering {
        face: Face::Italic,
        size,
        spacing: size * 0.14,
        colour: INK,
        alpha: 0.82,
        halo: Some((GLOW, 1.8)),
    };
    let mut length = text_width(&region.name, &style);
    if length > edge * 0.94 {
        let shrunk = edge * 0.94 / length;
        (style.size, style.spacing) = (style.size * shrunk, style.spacing * shrunk);
        length = text_width(&region.name, &style);
    }
    let bounds = |part: f32| {
        let (x, base) = (left + edge / 2.0 - length / 2.0, bottom - edge * part);
        [x - 3.0, base - style.size * 0.8, x + length + 3.0, base + style.size * 0.3]
    };
    let quiet = [0.62, 0.5, 0.74, 0.38, 0.84, 0.26, 0.14, 0.92];
    let Some(part) = quiet.iter().copied().min_by_key(|part| taken.overlap(bounds(*part))) else {
        return;
    };
    let base = bottom - edge * part;
    if region.biome == Biome::Ocean {
        style.colour = SEA_INK;
        style.halo = Some(([206.0, 226.0, 226.0], 1.6));
    }
    canvas.text_centred(left + edge / 2.0, base, &region.name, &style);
    taken.add(bounds(part));
}
