//! Chance and noise of a terrain: hashes of integers, and fractal sums of gradient noise.
//!
//! Keeps true: the same seed gives the same bits on every machine. Integer mixing wraps; floats see
//! `+ − × ÷` and comparisons only, also inside of the noise crate for the kinds used here. Leaves
//! out on purpose: what the numbers mean.

use fastnoise_lite::{FastNoiseLite, NoiseType};

use super::recipe::NoiseRecipe;

/// Mixes a word: `SplitMix64`'s finaliser (Steele, Lea, Flood 2014).
pub(super) const fn mix(word: u64) -> u64 {
    let word = word.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let word = (word ^ (word >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let word = (word ^ (word >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    word ^ (word >> 31)
}

/// The bits of an integer, sign and all.
const fn bits(value: i32) -> u64 {
    value.cast_unsigned() as u64
}

/// A word that depends on a seed and a place of an integer grid.
pub(super) const fn hash_at(seed: u64, x: i32, y: i32) -> u64 {
    mix(mix(seed ^ bits(x)) ^ (bits(y) << 1))
}

/// Draws numbers from one word after another.
#[derive(Clone, Debug)]
pub(super) struct Dice(u64);

impl Dice {
    /// Dice for a place of an integer grid.
    pub(super) const fn at(seed: u64, x: i32, y: i32) -> Self {
        Self(hash_at(seed, x, y))
    }

    const fn next(&mut self) -> u64 {
        self.0 = mix(self.0);
        self.0 >> 16
    }

    /// A number from 0 to `sides - 1`; 0 for no sides.
    pub(super) fn below(&mut self, sides: u32) -> u32 {
        let drawn = self.next() % u64::from(sides.max(1));
        u32::try_from(drawn).unwrap_or(0)
    }

    /// A number from `low` to `high`, both included.
    pub(super) fn between(&mut self, low: i32, high: i32) -> i32 {
        let sides = high.saturating_sub(low).saturating_add(1);
        low.saturating_add_unsigned(self.below(u32::try_from(sides).unwrap_or(1)))
    }

    /// Whether a chance of `chance` in 1 comes true, in steps of 1 in 16,777,216.
    pub(super) fn happens(&mut self, chance: f32) -> bool {
        self.fraction() < chance
    }

    /// A fraction from 0, included, to 1, excluded.
    #[expect(clippy::cast_precision_loss, reason = "24 bits are what an f32 holds")]
    pub(super) fn fraction(&mut self) -> f32 {
        (self.next() & 0xff_ffff) as f32 / 16_777_216.0
    }

    /// One of several; none of none.
    pub(super) fn pick<'a, T>(&mut self, from: &'a [T]) -> Option<&'a T> {
        let drawn = self.below(u32::try_from(from.len()).unwrap_or(0));
        from.get(usize::try_from(drawn).unwrap_or(0))
    }
}

/// One octave: gradient noise of one wavelength.
struct Octave {
    noise: FastNoiseLite,
    /// Periods per metre.
    per_m: f64,
    /// Gradient noise is 0 at its grid; the shift keeps the octaves' grids and seeds apart.
    shift: (f64, f64),
    weight: f32,
}

impl Octave {
    fn at(&self, x_m: f64, y_m: f64) -> f32 {
        let (x, y) = (x_m * self.per_m + self.shift.0, y_m * self.per_m + self.shift.1);
        self.noise.get_noise_2d(x, y)
    }
}

/// A fractal sum of octaves, each of half the wavelength of the one before.
pub(super) struct Fractal {
    octaves: Vec<Octave>,
}

impl Fractal {
    /// The noise of a recipe; `salt` keeps the steps of one seed apart.
    pub(super) fn new(seed: u64, salt: u64, recipe: &NoiseRecipe) -> Self {
        let mut per_m = 1.0 / recipe.wavelength_m;
        let (mut weight, mut total) = (1.0_f32, 0.0_f32);
        let mut octaves = Vec::new();
        for octave in 0..recipe.octaves {
            let word = mix(seed ^ mix(salt.wrapping_mul(64).wrapping_add(u64::from(octave))));
            octaves.push(Octave { noise: gradient_noise(word), per_m, shift: shift(word), weight });
            total += weight;
            weight *= recipe.gain;
            per_m *= 2.0;
        }
        for octave in &mut octaves {
            octave.weight /= total;
        }
        Self { octaves }
    }

    /// The sum at a place in metres: −1 to 1, mostly within ±0.6.
    pub(super) fn at(&self, x_m: f64, y_m: f64) -> f32 {
        self.octaves.iter().map(|octave| octave.weight * octave.at(x_m, y_m)).sum()
    }

    /// Ridged multifractal, 0 to 1: crests where an octave is 0, and finer octaves only on them
    /// (after Musgrave, "Texturing and Modeling", 1994).
    pub(super) fn ridged(&self, x_m: f64, y_m: f64) -> f32 {
        let (mut sum, mut carry) = (0.0, 1.0_f32);
        for octave in &self.octaves {
            let crest = 1.0 - octave.at(x_m, y_m).abs();
            let crest = crest * crest * carry;
            sum += octave.weight * crest;
            carry = (crest * 2.0).min(1.0);
        }
        sum
    }
}

#[expect(clippy::cast_possible_truncation, reason = "the noise is seeded with 32 bits")]
fn gradient_noise(word: u64) -> FastNoiseLite {
    let mut noise = FastNoiseLite::with_seed((word >> 32).cast_signed() as i32);
    noise.set_noise_type(Some(NoiseType::OpenSimplex2));
    noise.set_frequency(Some(1.0));
    noise
}

/// A shift of up to 256 periods along each axis, in steps of 1 in 256.
fn shift(word: u64) -> (f64, f64) {
    let part = |bits: u64| f64::from(u16::try_from(bits & 0xffff).unwrap_or(0)) / 256.0;
    (part(word), part(word >> 16))
}

/// From 0 at `low` to 1 at `high`, without a kink at either.
pub(super) fn smooth_step(low: f32, high: f32, value: f32) -> f32 {
    let part = ((value - low) / (high - low)).clamp(0.0, 1.0);
    part * part * (3.0 - 2.0 * part)
}

/// From `from` at 0 to `to` at 1.
pub(super) fn blend(from: f32, to: f32, part: f32) -> f32 {
    from + (to - from) * part
}
