//! The ranges of a recipe's numbers, in the order in which they are checked.
//!
//! Keeps true: what passes here the generator can take: no division by zero, no height beyond an
//! `i16` of centimetres, no endless loop. NaN is in no range.

use super::{BiomeRecipe, Names, NoiseRecipe, Recipe, Rivers, Sites, Syllables};

/// Most things on 10,000 m²: one on each place of the grid they stand on.
const DENSITY_MAX: f32 = 156.0;
const BIOMES_MAX: usize = 32;
const CURVE_MAX: usize = 16;

/// A key and what is wrong with it.
type Offence = (String, String);

/// Keeps the first offence.
struct Check(Option<Offence>);

impl Check {
    fn fail(&mut self, key: &str, reason: String) {
        if self.0.is_none() {
            self.0 = Some((key.to_owned(), reason));
        }
    }

    fn range(&mut self, key: &str, value: f32, low: f32, high: f32) {
        if !(low..=high).contains(&value) {
            self.fail(key, format!("is {value}; it has to be {low} to {high}"));
        }
    }

    fn count(&mut self, key: &str, count: usize, low: usize, high: usize) {
        if !(low..=high).contains(&count) {
            self.fail(key, format!("has a length of {count}; it has to be {low} to {high}"));
        }
    }

    fn noise(&mut self, key: &str, noise: &NoiseRecipe) {
        if !(8.0..=100_000.0).contains(&noise.wavelength_m) {
            let reason = format!("is {}; it has to be 8 to 100000", noise.wavelength_m);
            self.fail(&format!("{key}.wavelength_m"), reason);
        }
        self.range(&format!("{key}.octaves"), f32::from(noise.octaves), 1.0, 8.0);
        self.range(&format!("{key}.gain"), noise.gain, 0.1, 0.9);
    }
}

/// The first value out of its range: its key and the reason.
pub(super) fn first_offence(recipe: &Recipe) -> Option<Offence> {
    let mut check = Check(None);
    check.count("title", recipe.title.chars().count(), 1, 64);
    continents(&mut check, recipe);
    uplands(&mut check, recipe);
    home(&mut check, recipe);
    for (key, rivers) in [("rivers", &recipe.rivers), ("brooks", &recipe.brooks)] {
        if let Some(rivers) = rivers {
            running_water(&mut check, key, rivers);
        }
    }
    lakes(&mut check, recipe);
    climate(&mut check, recipe);
    ground(&mut check, recipe);
    check.count("biomes", recipe.biomes.len(), 1, BIOMES_MAX);
    for (index, biome) in recipe.biomes.iter().enumerate() {
        biome_row(&mut check, &format!("biomes[{index}]"), biome);
    }
    if recipe.biomes.last().is_some_and(is_bounded) {
        let key = format!("biomes[{}]", recipe.biomes.len() - 1);
        check.fail(&key, "is the last one and has to fit everywhere: without ranges".to_owned());
    }
    places(&mut check, recipe);
    names(&mut check, &recipe.names);
    check.0
}

fn continents(check: &mut Check, recipe: &Recipe) {
    let continents = &recipe.continents;
    check.noise("continents.noise", &continents.noise);
    check.range("continents.bias", continents.bias, -1.0, 1.0);
    check.noise("continents.warp", &continents.warp);
    check.range("continents.warp_m", continents.warp_m, 0.0, 5_000.0);
    check.count("continents.curve", continents.curve.len(), 2, CURVE_MAX);
    for [noise, height_cm] in &continents.curve {
        check.range("continents.curve", *noise, -2.0, 2.0);
        check.range("continents.curve", *height_cm, -20_000.0, 20_000.0);
    }
    for pair in continents.curve.windows(2) {
        if pair[1][0] - pair[0][0] < 0.001 {
            check.fail("continents.curve", "has to rise by 0.001 of noise a pair".to_owned());
        }
    }
}

fn uplands(check: &mut Check, recipe: &Recipe) {
    if let Some(mountains) = &recipe.mountains {
        check.noise("mountains.noise", &mountains.noise);
        check.range("mountains.amplitude_cm", mountains.amplitude_cm, 0.0, 30_000.0);
        check.noise("mountains.ranges", &mountains.ranges);
        check.range("mountains.range_from", mountains.range_from, -1.0, 1.0);
        let above = mountains.range_from + 0.01;
        check.range("mountains.range_full", mountains.range_full, above, 1.0);
        check.range("mountains.inland_cm", mountains.inland_cm, 1.0, 20_000.0);
    }
    if let Some(hills) = &recipe.hills {
        check.noise("hills.noise", &hills.noise);
        check.range("hills.amplitude_cm", hills.amplitude_cm, 0.0, 10_000.0);
    }
    check.range("erosion.passes", f32::from(recipe.erosion.passes), 0.0, 4.0);
    check.range("erosion.talus_percent", recipe.erosion.talus_percent, 5.0, 500.0);
    check.range("erosion.rate", recipe.erosion.rate, 0.0, 0.125);
    check.noise("detail.noise", &recipe.detail.noise);
    check.range("detail.amplitude_cm", recipe.detail.amplitude_cm, 0.0, 200.0);
    let per_slope = recipe.detail.amplitude_per_slope_cm;
    check.range("detail.amplitude_per_slope_cm", per_slope, 0.0, 20.0);
}

fn home(check: &mut Check, recipe: &Recipe) {
    if let Some(home) = &recipe.home {
        check.range("home.radius_m", home.radius_m, 8.0, 1_000.0);
        check.range("home.blend_m", home.blend_m, home.radius_m + 8.0, 4_000.0);
        check.range("home.land_radius_m", home.land_radius_m, 0.0, 50_000.0);
        check.range("home.land_noise", home.land_noise, -1.0, 1.0);
        check.range("home.height_cm", home.height_cm, 100.0, 10_000.0);
        check.range("home.temperature_c", home.temperature_c, -50.0, 50.0);
        check.range("home.moisture", home.moisture, 0.0, 100.0);
        check.range("home.cover", home.cover, 0.0, 100.0);
        check.range("home.camps_from_m", home.camps_from_m, 0.0, 4_000.0);
    }
    if let Some(rim) = &recipe.rim {
        check.range("rim.radius_m", rim.radius_m, 32.0, 8_000.0);
        check.range("rim.width_m", rim.width_m, 8.0, 1_000.0);
        check.range("rim.height_cm", rim.height_cm, 500.0, 20_000.0);
        check.noise("rim.wobble", &rim.wobble);
        check.range("rim.wobble_m", rim.wobble_m, 0.0, 1_000.0);
    }
}

fn running_water(check: &mut Check, key: &str, rivers: &Rivers) {
    let named = |name: &str| format!("{key}.{name}");
    check.noise(&named("noise"), &rivers.noise);
    check.range(&named("width_source_m"), rivers.width_source_m, 1.0, 100.0);
    check.range(&named("width_mouth_m"), rivers.width_mouth_m, 1.0, 200.0);
    check.range(&named("depth_cm"), rivers.depth_cm, 10.0, 1_000.0);
    check.range(&named("valley_m"), rivers.valley_m, 16.0, 1_000.0);
    check.range(&named("valley_per_height"), rivers.valley_per_height, 0.0, 10.0);
    check.range(&named("source_cm"), rivers.source_cm, 100.0, 30_000.0);
    check.range(&named("source_moisture"), rivers.source_moisture, 0.0, 100.0);
    check.noise(&named("fords"), &rivers.fords);
    check.range(&named("ford_width"), rivers.ford_width, 0.0, 1.0);
}

fn lakes(check: &mut Check, recipe: &Recipe) {
    let Some(lakes) = &recipe.lakes else { return };
    check.noise("lakes.noise", &lakes.noise);
    check.range("lakes.threshold", lakes.threshold, -1.0, 1.0);
    check.range("lakes.depth_cm", lakes.depth_cm, 0.0, 20_000.0);
    check.range("lakes.basin", lakes.basin, 0.01, 1.0);
    check.range("lakes.source_cm", lakes.source_cm, 100.0, 30_000.0);
    check.range("lakes.source_moisture", lakes.source_moisture, 0.0, 100.0);
}

fn climate(check: &mut Check, recipe: &Recipe) {
    let climate = &recipe.climate;
    check.noise("climate.temperature", &climate.temperature);
    check.range("climate.temperature_mean_c", climate.temperature_mean_c, -50.0, 50.0);
    check.range("climate.temperature_range_c", climate.temperature_range_c, 0.0, 100.0);
    check.range("climate.lapse_c_per_100_m", climate.lapse_c_per_100_m, 0.0, 50.0);
    check.noise("climate.moisture", &climate.moisture);
    check.range("climate.moisture_mean", climate.moisture_mean, 0.0, 100.0);
    check.range("climate.moisture_range", climate.moisture_range, 0.0, 200.0);
    check.noise("climate.cover", &climate.cover);
}

fn ground(check: &mut Check, recipe: &Recipe) {
    let ground = &recipe.ground;
    check.range("ground.rough_slope", ground.rough_slope, 1.0, 500.0);
    check.range("ground.hard_slope", ground.hard_slope, ground.rough_slope, 500.0);
    check.range("ground.cliff_slope", ground.cliff_slope, ground.hard_slope, 500.0);
    check.noise("ground.passes", &ground.passes);
    check.range("ground.pass_width", ground.pass_width, 0.0, 1.0);
    check.range("ground.wade_cm", ground.wade_cm, 10.0, 300.0);
}

fn ranges(biome: &BiomeRecipe) -> [(&'static str, Option<[f32; 2]>); 5] {
    [
        ("height_cm", biome.height_cm),
        ("slope", biome.slope),
        ("temperature_c", biome.temperature_c),
        ("moisture", biome.moisture),
        ("cover", biome.cover),
    ]
}

fn is_bounded(biome: &BiomeRecipe) -> bool {
    ranges(biome).iter().any(|(_, range)| range.is_some())
}

fn biome_row(check: &mut Check, key: &str, biome: &BiomeRecipe) {
    for (name, range) in ranges(biome) {
        if range.is_some_and(|[from, to]| from.is_nan() || to.is_nan() || from > to) {
            check.fail(&format!("{key}.{name}"), "has to be [from, to], rising".to_owned());
        }
    }
    check.range(&format!("{key}.settled"), biome.settled, 0.0, 1.0);
    let scatter_key = format!("{key}.scatter");
    check.count(&scatter_key, biome.scatter.len(), 0, 16);
    for scatter in &biome.scatter {
        check.range(&scatter_key, scatter.density, 0.0, DENSITY_MAX);
        if !scatter.kind.is_scattered() {
            check.fail(&scatter_key, "has a kind that does not stand singly".to_owned());
        }
    }
    let total = biome.scatter.iter().map(|scatter| scatter.density).sum();
    check.range(&scatter_key, total, 0.0, DENSITY_MAX);
}

fn places(check: &mut Check, recipe: &Recipe) {
    if let Some(settlements) = &recipe.settlements {
        let least = f32::from(settlements.radius_min_m);
        check.range("settlements.radius_min_m", least, 16.0, 64.0);
        let most = f32::from(settlements.radius_max_m);
        check.range("settlements.radius_max_m", most, least, 64.0);
        check.range("settlements.blend_m", f32::from(settlements.blend_m), 8.0, 64.0);
        check.range("settlements.uneven_cm", settlements.uneven_cm, 10.0, 5_000.0);
        check.range("settlements.houses", settlements.houses, 0.0, 1.0);
    }
    for (key, sites) in [("ruins", &recipe.ruins), ("camps", &recipe.camps)] {
        if let Some(Sites { density, size_min, size_max }) = sites {
            check.range(&format!("{key}.density"), *density, 0.0, 2.4);
            let least = f32::from(*size_min);
            check.range(&format!("{key}.size_min"), least, 5.0, 24.0);
            check.range(&format!("{key}.size_max"), f32::from(*size_max), least, 24.0);
        }
    }
}

fn names(check: &mut Check, names: &Names) {
    syllables(check, "names.settlements", &names.settlements);
    syllables(check, "names.regions", &names.regions);
    check.count("names.patterns", names.patterns.len(), 0, 32);
    for (index, entry) in names.patterns.iter().enumerate() {
        let key = format!("names.patterns[{index}].patterns");
        check.count(&key, entry.patterns.len(), 1, 16);
        for pattern in &entry.patterns {
            if pattern.matches('*').count() != 1 || pattern.chars().count() > 32 {
                check.fail(&key, format!("has {pattern:?}; it takes one * and 32 characters"));
            }
        }
    }
}

fn syllables(check: &mut Check, key: &str, parts: &Syllables) {
    check.range(&format!("{key}.middle"), parts.middle, 0.0, 1.0);
    let lists =
        [("starts", &parts.starts, 1), ("middles", &parts.middles, 0), ("ends", &parts.ends, 1)];
    for (name, list, least) in lists {
        let key = format!("{key}.{name}");
        check.count(&key, list.len(), least, 128);
        if let Some(long) = list.iter().find(|part| part.chars().count() > 12) {
            check.fail(&key, format!("has {long:?}; a part has at most 12 characters"));
        }
    }
}
