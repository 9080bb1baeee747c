//! A canvas of colours: shapes with soft edges, text, and the way to a PNG.
//!
//! Keeps true: drawing outside of the canvas does nothing. Coordinates are pixels from the upper
//! left corner; a shape's are real numbers, for soft edges.

use std::sync::LazyLock;

use ab_glyph::{Font, FontRef, Glyph, PxScale, ScaleFont, point};

/// Colours are written in steps of this: too small to see, and a third less to store.
const STEP: f32 = 4.0;

/// Red, green and blue, 0 to 255 each.
pub(super) type Colour = [f32; 3];

/// A face of the map's lettering.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Face {
    Regular,
    Italic,
    SmallCaps,
}

static FACES: LazyLock<Option<[FontRef<'static>; 3]>> = LazyLock::new(|| {
    Some([
        FontRef::try_from_slice(include_bytes!("../../assets/fonts/regular.ttf")).ok()?,
        FontRef::try_from_slice(include_bytes!("../../assets/fonts/italic.ttf")).ok()?,
        FontRef::try_from_slice(include_bytes!("../../assets/fonts/small_caps.ttf")).ok()?,
    ])
});

/// How text is set.
#[derive(Clone, Copy, Debug)]
pub(super) struct Lettering {
    pub(super) face: Face,
    /// Height of a line, pixels.
    pub(super) size: f32,
    /// Added between letters, pixels.
    pub(super) spacing: f32,
    pub(super) colour: Colour,
    /// 0 to 1.
    pub(super) alpha: f32,
    /// A glow around the letters, so that they stand out.
    pub(super) halo: Option<(Colour, f32)>,
}

/// An image under way.
#[derive(Clone, Debug)]
pub(super) struct Canvas {
    width: usize,
    height: usize,
    pixels: Vec<Colour>,
}

impl Canvas {
    pub(super) fn new(width: usize, height: usize, colour: Colour) -> Self {
        Self { width, height, pixels: vec![colour; width * height] }
    }

    /// Width and height in pixels.
    pub(super) const fn size(&self) -> (usize, usize) {
        (self.width, self.height)
    }

    pub(super) fn set(&mut self, x: usize, y: usize, colour: Colour) {
        if x < self.width
            && let Some(pixel) = self.pixels.get_mut(y * self.width + x)
        {
            *pixel = colour;
        }
    }

    /// Lays a colour over a pixel; `alpha` is 0 to 1.
    pub(super) fn lay(&mut self, x: i32, y: i32, colour: Colour, alpha: f32) {
        let (Ok(x), Ok(y)) = (usize::try_from(x), usize::try_from(y)) else { return };
        if x < self.width
            && let Some(pixel) = self.pixels.get_mut(y * self.width + x)
        {
            *pixel = mixed(*pixel, colour, alpha);
        }
    }

    /// Copies another canvas onto this one, its upper left corner there.
    pub(super) fn paste(&mut self, other: &Self, left: usize, top: usize) {
        for (row, pixels) in other.pixels.chunks_exact(other.width).enumerate() {
            for (column, colour) in pixels.iter().enumerate() {
                self.set(left + column, top + row, *colour);
            }
        }
    }

    /// Lays a colour over all pixels by how far a shape covers them.
    fn cover(
        &mut self,
        [left, top, right, bottom]: [f32; 4],
        colour: Colour,
        alpha: f32,
        covered: impl Fn(f32, f32) -> f32,
    ) {
        for y in pixel(top) - 1..=pixel(bottom) + 1 {
            for x in pixel(left) - 1..=pixel(right) + 1 {
                let part = covered(real(x) + 0.5, real(y) + 0.5).clamp(0.0, 1.0);
                if part > 0.0 {
                    self.lay(x, y, colour, alpha * part);
                }
            }
        }
    }

    /// A filled circle.
    pub(super) fn disc(&mut self, x: f32, y: f32, radius: f32, colour: Colour, alpha: f32) {
        let bounds = [x - radius, y - radius, x + radius, y + radius];
        self.cover(bounds, colour, alpha, |px, py| radius - (px - x).hypot(py - y) + 0.5);
    }

    /// A line with round ends.
    pub(super) fn line(
        &mut self,
        (from_x, from_y): (f32, f32),
        (to_x, to_y): (f32, f32),
        width: f32,
        colour: Colour,
        alpha: f32,
    ) {
        let half = width / 2.0;
        let bounds = [
            from_x.min(to_x) - half,
            from_y.min(to_y) - half,
            from_x.max(to_x) + half,
            from_y.max(to_y) + half,
        ];
        let (way_x, way_y) = (to_x - from_x, to_y - from_y);
        let square = (way_x * way_x + way_y * way_y).max(0.000_1);
        self.cover(bounds, colour, alpha, |px, py| {
            let part = ((px - from_x) * way_x + (py - from_y) * way_y) / square;
            let part = part.clamp(0.0, 1.0);
            half - (px - from_x - part * way_x).hypot(py - from_y - part * way_y) + 0.5
        });
    }

    /// A filled rectangle: left, top, right and bottom.
    pub(super) fn rect(&mut self, bounds: [f32; 4], colour: Colour, alpha: f32) {
        let [left, top, right, bottom] = bounds;
        self.cover(bounds, colour, alpha, |px, py| {
            let within = |at: f32, low: f32, high: f32| {
                ((at + 0.5).min(high) - (at - 0.5).max(low)).clamp(0.0, 1.0)
            };
            within(px, left, right) * within(py, top, bottom)
        });
    }

    /// The outline of a rectangle.
    pub(super) fn frame(&mut self, bounds: [f32; 4], width: f32, colour: Colour, alpha: f32) {
        let [left, top, right, bottom] = bounds;
        self.rect([left, top, right, top + width], colour, alpha);
        self.rect([left, bottom - width, right, bottom], colour, alpha);
        self.rect([left, top + width, left + width, bottom - width], colour, alpha);
        self.rect([right - width, top + width, right, bottom - width], colour, alpha);
    }

    /// A filled triangle, corners in any order.
    pub(super) fn triangle(&mut self, corners: [(f32, f32); 3], colour: Colour, alpha: f32) {
        let [a, b, c] = corners;
        let bounds = [
            a.0.min(b.0).min(c.0),
            a.1.min(b.1).min(c.1),
            a.0.max(b.0).max(c.0),
            a.1.max(b.1).max(c.1),
        ];
        let turn = (b.0 - a.0) * (c.1 - a.1) - (b.1 - a.1) * (c.0 - a.0);
        let side = |from: (f32, f32), to: (f32, f32), px: f32, py: f32| {
            let length = (to.0 - from.0).hypot(to.1 - from.1).max(0.001);
            let cross = (to.0 - from.0) * (py - from.1) - (to.1 - from.1) * (px - from.0);
            cross * turn.signum() / length + 0.5
        };
        self.cover(bounds, colour, alpha, |px, py| {
            side(a, b, px, py).min(side(b, c, px, py)).min(side(c, a, px, py))
        });
    }

    /// Text with its baseline's left end there; answers its width.
    pub(super) fn text(&mut self, x: f32, y: f32, text: &str, style: &Lettering) -> f32 {
        let (glyphs, width) = set_text(text, style);
        if let Some((colour, reach)) = style.halo {
            for glyph in &glyphs {
                let ring = [(-1.0, 0.0), (1.0, 0.0), (0.0, -1.0), (0.0, 1.0)];
                let slant = [(-0.7, -0.7), (0.7, -0.7), (-0.7, 0.7), (0.7, 0.7)];
                for (dx, dy) in ring.into_iter().chain(slant) {
                    self.glyph(
                        glyph,
                        style.face,
                        (x + dx * reach, y + dy * reach),
                        colour,
                        0.55 * style.alpha,
                    );
                }
            }
        }
        for glyph in &glyphs {
            self.glyph(glyph, style.face, (x, y), style.colour, style.alpha);
        }
        width
    }

    /// Text whose middle is there.
    pub(super) fn text_centred(&mut self, x: f32, y: f32, text: &str, style: &Lettering) {
        self.text(x - text_width(text, style) / 2.0, y, text, style);
    }

    fn glyph(&mut self, glyph: &Glyph, face: Face, (x, y): (f32, f32), colour: Colour, alpha: f32) {
        let Some(faces) = FACES.as_ref() else { return };
        let mut placed = glyph.clone();
        placed.position.x += x;
        placed.position.y += y;
        let Some(outline) = faces[face as usize].outline_glyph(placed) else { return };
        let bounds = outline.px_bounds();
        let (left, top) = (pixel(bounds.min.x), pixel(bounds.min.y));
        outline.draw(|column, row, covered| {
            let x = left.saturating_add_unsigned(column);
            let y = top.saturating_add_unsigned(row);
            self.lay(x, y, colour, alpha * covered.clamp(0.0, 1.0));
        });
    }

    /// The image as a PNG.
    pub(super) fn to_png(&self) -> Result<Vec<u8>, png::EncodingError> {
        let (width, height) = (self.width, self.height);
        let limit = |length: usize| u32::try_from(length).unwrap_or(u32::MAX);
        let mut bytes = Vec::new();
        let mut encoder = png::Encoder::new(&mut bytes, limit(width), limit(height));
        encoder.set_color(png::ColorType::Rgb);
        encoder.set_depth(png::BitDepth::Eight);
        encoder.set_compression(png::Compression::High);
        let mut writer = encoder.write_header()?;
        let data: Vec<u8> = self.pixels.iter().flatten().map(|part| byte(*part)).collect();
        writer.write_image_data(&data)?;
        writer.finish()?;
        Ok(bytes)
    }
}

/// The width of a text, pixels.
pub(super) fn text_width(text: &str, style: &Lettering) -> f32 {
    set_text(text, style).1
}

fn set_text(text: &str, style: &Lettering) -> (Vec<Glyph>, f32) {
    let Some(faces) = FACES.as_ref() else { return (Vec::new(), 0.0) };
    let font = faces[style.face as usize].as_scaled(PxScale::from(style.size));
    let (mut glyphs, mut x, mut last) = (Vec::new(), 0.0, None);
    for letter in text.chars() {
        let mut glyph = font.scaled_glyph(letter);
        if let Some(last) = last {
            x += font.kern(last, glyph.id) + style.spacing;
        }
        last = Some(glyph.id);
        glyph.position = point(x, 0.0);
        x += font.h_advance(glyph.id);
        glyphs.push(glyph);
    }
    (glyphs, x)
}

/// From `under` at 0 to `over` at 1.
pub(super) fn mixed(under: Colour, over: Colour, part: f32) -> Colour {
    std::array::from_fn(|index| under[index] + (over[index] - under[index]) * part)
}

/// The pixel that a real coordinate lies in.
#[expect(clippy::cast_possible_truncation, reason = "casts saturate; a canvas is far smaller")]
pub(super) fn pixel(at: f32) -> i32 {
    at.floor() as i32
}

/// A pixel's coordinate as a real number.
#[expect(clippy::cast_precision_loss, reason = "a canvas has fewer than 2^24 pixels a side")]
pub(super) const fn real(at: i32) -> f32 {
    at as f32
}

/// A length as a real number.
#[expect(clippy::cast_precision_loss, reason = "a canvas has fewer than 2^24 pixels a side")]
pub(super) const fn wide(length: usize) -> f32 {
    length as f32
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a cast to an integer saturates"
)]
fn byte(part: f32) -> u8 {
    ((part / STEP).round() * STEP) as u8
}
