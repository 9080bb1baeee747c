//! The steps of a terrain at one place: land and sea, mountains, hills, home, rim, water, climate.
//!
//! Keeps true: what it answers depends on the seed, the recipe and the place alone, so that blocks
//! agree wherever they meet. Heights are centimetres, places metres. Leaves out on purpose:
//! erosion, which needs neighbours, and settlements.

use super::noise::{Fractal, blend, smooth_step};
use super::recipe::{Recipe, Rivers};

/// Salts that keep the steps of one seed apart. Changing one changes every world.
mod salt {
    pub(super) const CONTINENTS: u64 = 1;
    pub(super) const WARP_X: u64 = 2;
    pub(super) const WARP_Y: u64 = 3;
    pub(super) const MOUNTAINS: u64 = 4;
    pub(super) const RANGES: u64 = 5;
    pub(super) const HILLS: u64 = 6;
    pub(super) const RIM: u64 = 7;
    pub(super) const RIVERS: u64 = 8;
    pub(super) const RIVER_FORDS: u64 = 9;
    pub(super) const BROOKS: u64 = 10;
    pub(super) const BROOK_FORDS: u64 = 11;
    pub(super) const LAKES: u64 = 12;
    pub(super) const TEMPERATURE: u64 = 13;
    pub(super) const MOISTURE: u64 = 14;
    pub(super) const COVER: u64 = 15;
    pub(super) const PASSES: u64 = 16;
    pub(super) const DETAIL: u64 = 17;
}

/// Running water of one kind.
pub(super) struct Streams {
    recipe: Rivers,
    noise: Fractal,
    fords: Fractal,
    /// The least gradient that distances are told by, 1/m: a tenth of a usual one.
    gradient_min: f32,
}

/// Everything that is sampled, for one seed.
pub(super) struct Survey {
    recipe: Recipe,
    continents: Fractal,
    warp: [Fractal; 2],
    mountains: Option<(Fractal, Fractal)>,
    hills: Option<Fractal>,
    rim: Option<Fractal>,
    /// Rivers, then brooks.
    streams: [Option<Streams>; 2],
    lakes: Option<Fractal>,
    temperature: Fractal,
    moisture: Fractal,
    cover: Fractal,
    passes: Fractal,
    detail: Fractal,
}

/// A place bent by the warp, metres.
pub(super) type Bent = (f64, f64);

/// The land at a place before water shapes it.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Land {
    /// Height of the smooth country under mountains and hills, cm.
    pub(super) base_cm: f32,
    /// Height with them, cm.
    pub(super) height_cm: f32,
    /// How much of a home it is, 0 to 1.
    pub(super) home: f32,
    /// How much of the rim it is, 0 to 1.
    pub(super) rim: f32,
    /// Moisture, percent.
    pub(super) moisture: f32,
}

/// What water makes of it.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Watered {
    /// Height with valleys and basins, without beds, cm.
    pub(super) height_cm: f32,
    /// Half of the width of rivers and of brooks there, metres; 0 where there are none.
    pub(super) half_width_m: [f32; 2],
    /// Depth of a lake, cm; below 0 outside.
    pub(super) lake_cm: f32,
}

/// Everything about one place but for erosion.
#[derive(Clone, Copy, Debug)]
pub(super) struct Place {
    pub(super) land: Land,
    pub(super) watered: Watered,
    /// Signed distance to a river and to a brook, metres.
    pub(super) distance_m: [f32; 2],
}

/// No water comes near: a distance in metres.
const FAR_M: f32 = 10_000.0;

impl Streams {
    fn new(seed: u64, recipe: Option<&Rivers>, (noise, fords): (u64, u64)) -> Option<Self> {
        let recipe = *recipe?;
        let gradient_min = single(0.5 / recipe.noise.wavelength_m);
        let noise = Fractal::new(seed, noise, &recipe.noise);
        let fords = Fractal::new(seed, fords, &recipe.fords);
        Some(Self { recipe, noise, fords, gradient_min })
    }
}

impl Survey {
    pub(super) fn new(seed: u64, recipe: Recipe) -> Self {
        let fractal = |salt, noise| Fractal::new(seed, salt, noise);
        let warp = &recipe.continents.warp;
        Self {
            continents: fractal(salt::CONTINENTS, &recipe.continents.noise),
            warp: [fractal(salt::WARP_X, warp), fractal(salt::WARP_Y, warp)],
            mountains: recipe.mountains.as_ref().map(|mountains| {
                let ridges = fractal(salt::MOUNTAINS, &mountains.noise);
                (ridges, fractal(salt::RANGES, &mountains.ranges))
            }),
            hills: recipe.hills.as_ref().map(|hills| fractal(salt::HILLS, &hills.noise)),
            rim: recipe.rim.as_ref().map(|rim| fractal(salt::RIM, &rim.wobble)),
            streams: [
                Streams::new(seed, recipe.rivers.as_ref(), (salt::RIVERS, salt::RIVER_FORDS)),
                Streams::new(seed, recipe.brooks.as_ref(), (salt::BROOKS, salt::BROOK_FORDS)),
            ],
            lakes: recipe.lakes.as_ref().map(|lakes| fractal(salt::LAKES, &lakes.noise)),
            temperature: fractal(salt::TEMPERATURE, &recipe.climate.temperature),
            moisture: fractal(salt::MOISTURE, &recipe.climate.moisture),
            cover: fractal(salt::COVER, &recipe.climate.cover),
            passes: fractal(salt::PASSES, &recipe.ground.passes),
            detail: fractal(salt::DETAIL, &recipe.detail.noise),
            recipe,
        }
    }

    pub(super) const fn recipe(&self) -> &Recipe {
        &self.recipe
    }

    /// Where the warp bends a place to.
    pub(super) fn bent(&self, x_m: f64, y_m: f64) -> Bent {
        let reach = f64::from(self.recipe.continents.warp_m);
        let [along_x, along_y] = &self.warp;
        (
            x_m + reach * f64::from(along_x.at(x_m, y_m)),
            y_m + reach * f64::from(along_y.at(x_m, y_m)),
        )
    }

    /// The land at a place.
    pub(super) fn land(&self, x_m: f64, y_m: f64, bent: Bent) -> Land {
        let base_cm = self.base_cm(bent);
        let home = self.home_weight(x_m, y_m);
        let rim = self.rim_weight(x_m, y_m);
        let raised = base_cm + self.relief_cm(x_m, y_m, bent, base_cm) * (1.0 - rim);
        let settled =
            self.recipe.home.map_or(raised, |home_step| blend(raised, home_step.height_cm, home));
        let rim_cm = self.recipe.rim.map_or(0.0, |step| step.height_cm * rim);
        let moisture = self.moisture_at(x_m, y_m, home);
        Land { base_cm, height_cm: settled + rim_cm, home, rim, moisture }
    }

    /// Height of the smooth country, cm: bent noise read off the curve, at least land near home.
    fn base_cm(&self, (x_m, y_m): Bent) -> f32 {
        let step = &self.recipe.continents;
        let mut noise = self.continents.at(x_m, y_m) + step.bias;
        if let Some(home) = self.recipe.home
            && home.land_radius_m > 0.0
        {
            let distance = length(x_m, y_m);
            let near =
                1.0 - smooth_step(0.7 * home.land_radius_m, 1.5 * home.land_radius_m, distance);
            noise = blend(noise, noise.max(home.land_noise), near);
        }
        read_curve(&step.curve, noise)
    }

    /// What mountains and hills add, cm.
    fn relief_cm(&self, x_m: f64, y_m: f64, bent: Bent, base_cm: f32) -> f32 {
        let mut relief_cm = 0.0;
        if let (Some(step), Some((ridges, ranges))) = (self.recipe.mountains, &self.mountains) {
            let inland = smooth_step(0.0, step.inland_cm, base_cm);
            let range = ranges.at(bent.0, bent.1);
            let mask = inland * smooth_step(step.range_from, step.range_full, range);
            if mask > 0.0 {
                let crest = ridges.ridged(x_m, y_m);
                relief_cm += mask * crest * step.amplitude_cm;
            }
        }
        if let (Some(step), Some(hills)) = (self.recipe.hills, &self.hills) {
            let on_land = smooth_step(0.0, 300.0, base_cm);
            if on_land > 0.0 {
                relief_cm += on_land * step.amplitude_cm * (0.4 + hills.at(x_m, y_m)).max(0.0);
            }
        }
        relief_cm
    }

    fn home_weight(&self, x_m: f64, y_m: f64) -> f32 {
        self.recipe
            .home
            .map_or(0.0, |home| 1.0 - smooth_step(home.radius_m, home.blend_m, length(x_m, y_m)))
    }

    fn rim_weight(&self, x_m: f64, y_m: f64) -> f32 {
        let (Some(step), Some(wobble)) = (self.recipe.rim, &self.rim) else { return 0.0 };
        let distance = length(x_m, y_m) + step.wobble_m * wobble.at(x_m, y_m);
        smooth_step(step.radius_m, step.radius_m + step.width_m, distance)
    }

    fn moisture_at(&self, x_m: f64, y_m: f64, home: f32) -> f32 {
        let climate = &self.recipe.climate;
        let noise = self.moisture.at(x_m, y_m);
        let moisture = climate.moisture_mean + climate.moisture_range * noise;
        let moisture = moisture.clamp(0.0, 100.0);
        self.recipe.home.map_or(moisture, |step| blend(moisture, step.moisture, home))
    }

    /// Temperature in °C at a height.
    pub(super) fn temperature_at(&self, x_m: f64, y_m: f64, land: &Land, height_cm: f32) -> f32 {
        let climate = &self.recipe.climate;
        let noise = self.temperature.at(x_m, y_m);
        let at_sea = climate.temperature_mean_c + climate.temperature_range_c * noise;
        let aloft = at_sea - climate.lapse_c_per_100_m * height_cm.max(0.0) / 10_000.0;
        self.recipe.home.map_or(aloft, |step| blend(aloft, step.temperature_c, land.home))
    }

    /// Cover in percent.
    pub(super) fn cover_at(&self, x_m: f64, y_m: f64, land: &Land) -> f32 {
        let cover = (50.0 + 100.0 * self.cover.at(x_m, y_m)).clamp(0.0, 100.0);
        self.recipe.home.map_or(cover, |step| blend(cover, step.cover, land.home))
    }

    /// Where cliffs have passes: they do where it is near 0.
    pub(super) fn pass_at(&self, x_m: f64, y_m: f64) -> f32 {
        self.passes.at(x_m, y_m)
    }

    /// Small bumps, −1 to 1.
    pub(super) fn detail_at(&self, x_m: f64, y_m: f64) -> f32 {
        self.detail.at(x_m, y_m)
    }

    /// The noise of rivers (0) or brooks (1), which run where it is 0; 1 without such a step.
    pub(super) fn stream_noise(&self, kind: usize, (x_m, y_m): Bent) -> f32 {
        let streams = self.streams.get(kind).and_then(Option::as_ref);
        streams.map_or(1.0, |streams| streams.noise.at(x_m, y_m))
    }

    /// About how far a river or brook is, metres: its noise over the noise's gradient per metre.
    pub(super) fn stream_distance_m(&self, kind: usize, noise: f32, gradient: [f32; 2]) -> f32 {
        let Some(streams) = self.streams.get(kind).and_then(Option::as_ref) else { return FAR_M };
        let [along_x, along_y] = gradient;
        let steep = (along_x * along_x + along_y * along_y).sqrt();
        noise / steep.max(streams.gradient_min)
    }

    /// A place by itself, for spot checks; a block samples many at once instead.
    pub(super) fn place(&self, x_m: f64, y_m: f64) -> Place {
        let across_m = 8.0;
        let bent = self.bent(x_m, y_m);
        let (east, north) = (self.bent(x_m + across_m, y_m), self.bent(x_m, y_m + across_m));
        let distance_m = [0, 1].map(|kind: usize| {
            let noise = self.stream_noise(kind, bent);
            let rise = |bent: Bent| (self.stream_noise(kind, bent) - noise) / single(across_m);
            self.stream_distance_m(kind, noise, [rise(east), rise(north)])
        });
        let land = self.land(x_m, y_m, bent);
        Place { land, watered: self.watered((x_m, y_m), &land, distance_m), distance_m }
    }

    /// Where rivers or brooks have fords: they do where it is near 0.
    pub(super) fn ford_at(&self, kind: usize, x_m: f64, y_m: f64) -> f32 {
        let streams = self.streams.get(kind).and_then(Option::as_ref);
        streams.map_or(1.0, |streams| streams.fords.at(x_m, y_m))
    }

    /// Carves valleys and basins: the land and how far rivers and brooks are.
    pub(super) fn watered(
        &self,
        (x_m, y_m): (f64, f64),
        land: &Land,
        distance_m: [f32; 2],
    ) -> Watered {
        // Water lies on the smooth country, lower than most of what is around.
        let floor_cm = if land.base_cm > 0.0 {
            land.height_cm.min(40.0 + 0.6 * land.base_cm)
        } else {
            land.height_cm
        };
        let mut watered = Watered { height_cm: land.height_cm, lake_cm: -FAR_M, ..<_>::default() };
        let parts = self.streams.iter().zip(distance_m).enumerate();
        for (kind, (streams, distance_m)) in parts {
            let Some(Streams { recipe: step, .. }) = streams else { continue };
            let presence = presence(land, step.source_cm, step.source_moisture);
            if presence <= 0.0 {
                continue;
            }
            let down = 1.0 - (floor_cm / step.source_cm).clamp(0.0, 1.0);
            let width_m = blend(step.width_source_m, step.width_mouth_m, down * down);
            let half_width_m = 0.5 * width_m * presence;
            let cut_m = (land.height_cm - floor_cm) / 100.0;
            let reach_m = half_width_m + step.valley_m + step.valley_per_height * cut_m;
            let away = smooth_step(half_width_m, reach_m, distance_m.abs());
            let carved = blend(floor_cm, land.height_cm, away.max(1.0 - presence));
            watered.height_cm = watered.height_cm.min(carved);
            if let Some(half) = watered.half_width_m.get_mut(kind) {
                *half = half_width_m;
            }
        }
        if let (Some(step), Some(lakes)) = (self.recipe.lakes, &self.lakes) {
            let presence = presence(land, step.source_cm, step.source_moisture);
            if presence > 0.0 {
                let above = lakes.at(x_m, y_m) - step.threshold - (1.0 - presence);
                let basin = smooth_step(-step.basin, 0.0, above);
                watered.height_cm =
                    blend(watered.height_cm, floor_cm.min(watered.height_cm), basin);
                watered.lake_cm = above * step.depth_cm;
            }
        }
        watered
    }
}

/// How much of running or standing water there is, 0 to 1: none high up, where it is dry, at home,
/// on the rim and in the sea.
fn presence(land: &Land, source_cm: f32, source_moisture: f32) -> f32 {
    let low = 1.0 - smooth_step(0.6 * source_cm, source_cm, land.height_cm);
    let moist = smooth_step(source_moisture - 12.0, source_moisture + 4.0, land.moisture);
    let on_land = smooth_step(-200.0, -50.0, land.height_cm);
    low * moist * on_land * (1.0 - smooth_step(0.0, 0.5, land.home.max(land.rim)))
}

/// Straight between the points of a rising curve, level beyond them.
fn read_curve(curve: &[[f32; 2]], at: f32) -> f32 {
    let mut before: Option<[f32; 2]> = None;
    for [point, value] in curve {
        if at < *point {
            return before
                .map_or(*value, |[low, start]| blend(start, *value, (at - low) / (*point - low)));
        }
        before = Some([*point, *value]);
    }
    before.map_or(0.0, |[_, value]| value)
}

/// The length of a way, metres.
pub(super) fn length(x_m: f64, y_m: f64) -> f32 {
    single((x_m * x_m + y_m * y_m).sqrt())
}

/// The nearest `f32`.
#[expect(clippy::cast_possible_truncation, reason = "rounds to the nearest, which is meant")]
pub(super) const fn single(value: f64) -> f32 {
    value as f32
}
