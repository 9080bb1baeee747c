//! The map's colours.

use haven_rules::world::terrain::Biome;

use super::canvas::{Colour, mixed};

/// Lines and letters.
pub(super) const INK: Colour = [52.0, 40.0, 30.0];
/// The sheet.
pub(super) const PAPER: Colour = [240.0, 230.0, 206.0];
/// A glow around letters on the map.
pub(super) const GLOW: Colour = [250.0, 244.0, 226.0];
/// Roofs.
pub(super) const ROOF: Colour = [168.0, 82.0, 58.0];
/// Roofs of halls.
pub(super) const ROOF_HALL: Colour = [120.0, 56.0, 62.0];
/// Walls of towns and ruins.
pub(super) const STONE: Colour = [112.0, 104.0, 98.0];
/// Camps.
pub(super) const CAMP: Colour = [158.0, 44.0, 40.0];
/// Letters on water.
pub(super) const SEA_INK: Colour = [44.0, 78.0, 104.0];

/// The colour of a kind of country, on level ground.
pub(super) fn land(biome: Biome) -> Colour {
    match biome {
        Biome::Ocean | Biome::Lake | Biome::River => [120.0, 168.0, 178.0],
        Biome::Shore => [232.0, 216.0, 168.0],
        Biome::Meadow => [174.0, 192.0, 118.0],
        Biome::Steppe => [208.0, 198.0, 138.0],
        Biome::Heath => [164.0, 168.0, 122.0],
        Biome::Forest => [122.0, 154.0, 88.0],
        Biome::PineForest => [98.0, 134.0, 96.0],
        Biome::Swamp => [122.0, 142.0, 104.0],
        Biome::Desert => [228.0, 200.0, 142.0],
        Biome::Tundra => [190.0, 190.0, 168.0],
        Biome::Alpine => [172.0, 178.0, 128.0],
        Biome::Rock => [168.0, 158.0, 146.0],
        Biome::Snow => [242.0, 244.0, 246.0],
        Biome::Settlement => [206.0, 184.0, 144.0],
    }
}

/// The colour of water of a depth in metres.
pub(super) fn water(biome: Biome, depth_m: f32) -> Colour {
    let (shallow, deep, full_m) = match biome {
        Biome::Lake => ([132.0, 182.0, 192.0], [62.0, 116.0, 148.0], 5.0),
        Biome::River => ([126.0, 176.0, 190.0], [78.0, 134.0, 164.0], 3.0),
        Biome::Ocean
        | Biome::Shore
        | Biome::Meadow
        | Biome::Steppe
        | Biome::Heath
        | Biome::Forest
        | Biome::PineForest
        | Biome::Swamp
        | Biome::Desert
        | Biome::Tundra
        | Biome::Alpine
        | Biome::Rock
        | Biome::Snow
        | Biome::Settlement => ([148.0, 194.0, 192.0], [58.0, 106.0, 142.0], 42.0),
    };
    let part = (depth_m / full_m).clamp(0.0, 1.0).sqrt();
    mixed(shallow, deep, part)
}

/// The colours that a legend explains.
pub(super) const LEGEND: [(&str, Biome); 12] = [
    ("meadow", Biome::Meadow),
    ("steppe", Biome::Steppe),
    ("heath", Biome::Heath),
    ("forest", Biome::Forest),
    ("pine forest", Biome::PineForest),
    ("swamp", Biome::Swamp),
    ("desert", Biome::Desert),
    ("tundra", Biome::Tundra),
    ("alpine", Biome::Alpine),
    ("rock", Biome::Rock),
    ("snow", Biome::Snow),
    ("shore", Biome::Shore),
];
