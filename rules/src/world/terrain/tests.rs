//! Terrain: what holds for every seed, block and recipe.

use std::collections::BTreeSet;

use proptest::prelude::*;

use super::*;
use crate::world::BLOCK_CELLS;

mod pinned;
mod ways;

fn recipe(name: &str) -> Recipe {
    let (_, text) = SHIPPED.iter().find(|(shipped, _)| *shipped == name).expect("shipped");
    match Recipe::from_toml(text) {
        Ok(recipe) => recipe,
        Err(error) => panic!("{name}: {error}"),
    }
}

fn open(seed: u64) -> Terrain {
    Terrain::new(seed, recipe("open"))
}

/// A block coordinate: near the origin, anywhere, or at the very edge.
fn coordinate() -> impl Strategy<Value = i32> {
    prop_oneof![
        -40..40_i32,
        -BLOCK_BOUND..BLOCK_BOUND,
        Just(-BLOCK_BOUND),
        Just(BLOCK_BOUND - 1),
        any::<i32>(),
    ]
}

#[test]
fn shipped_recipes_are_valid_and_short() {
    for (name, text) in SHIPPED {
        assert!(recipe(name).biomes.len() > 2, "{name}");
        assert!(text.len() <= RECIPE_BYTES_MAX / 2, "{name}");
    }
}

fn check_offence(change: (&str, &str), line: Option<usize>, message: &str) {
    let text = SHIPPED[0].1.replacen(change.0, change.1, 1);
    assert_ne!(text, SHIPPED[0].1, "{change:?}");
    let error = Recipe::from_toml(&text).expect_err("refused");
    assert!(error.message.contains(message), "{error}");
    if line.is_some() {
        assert_eq!(error.line, line, "{error}");
    }
}

#[test]
fn offences_name_key_and_line() {
    let line = |needle: &str| {
        let found = SHIPPED[0].1.lines().position(|line| line.starts_with(needle));
        Some(found.expect("in the file") + 1)
    };
    check_offence(("bias = ", "bais = "), line("bias"), "bais");
    check_offence(("wade_cm = ", "wade_cm = 9"), line("wade_cm"), "ground.wade_cm is 9110");
    check_offence(("wade_cm = 110", "wade_cm = nan"), line("wade_cm"), "ground.wade_cm");
    check_offence(("octaves = 5", "octaves = 9"), line("noise"), "continents.noise.octaves");
    check_offence(("kind = \"snow\"", "kind = \"slush\""), None, "slush");
    check_offence(("settled = 1\n", "moisture = [0, 1]\nsettled = 2\n"), None, "settled is 2");
    let long = " ".repeat(RECIPE_BYTES_MAX + 1);
    assert_eq!(Recipe::from_toml(&long).err().and_then(|error| error.line), None);
}

#[test]
fn seeds_and_places_make_blocks_differ() {
    let hashes: BTreeSet<u64> =
        (0..4).flat_map(|seed| (0..3).map(move |x| open(seed).block(x, 0).hash())).collect();
    assert_eq!(hashes.len(), 12);
}

#[test]
fn home_is_an_easy_empty_meadow() {
    for seed in [0, 1, OPEN_SEED, u64::MAX] {
        let terrain = open(seed);
        for (block_x, block_y) in [(-1, -1), (-1, 0), (0, -1), (0, 0)] {
            let block = terrain.block(block_x, block_y);
            for y in 0..BLOCK_CELLS {
                for x in 0..BLOCK_CELLS {
                    let (east, north) = (block_x * BLOCK_CELLS + x, block_y * BLOCK_CELLS + y);
                    if east * east + north * north < 60 * 60 {
                        let (x, y) = (index(x), index(y));
                        assert_eq!(block.ground.class(x, y), GroundClass::Easy, "{east},{north}");
                        assert_eq!(block.biomes[y * 64 + x], Biome::Meadow, "{east},{north}");
                    }
                }
            }
        }
    }
}

fn index(cell: i32) -> usize {
    usize::try_from(cell).expect("not negative")
}

/// Walks from the origin over whole blocks' cells to a distance in one of four directions, with
/// detours of at most `detour` blocks to either side.
fn reaches(terrain: &Terrain, (way_x, way_y): (i32, i32), blocks: i32, detour: i32) -> bool {
    let (width, length) = (2 * detour * BLOCK_CELLS, (blocks + 1) * BLOCK_CELLS);
    // Columns go across the way, rows along it, from one block behind the origin.
    let to_world = |across: i32, along: i32| {
        let (across, along) = (across - detour * BLOCK_CELLS, along - BLOCK_CELLS);
        let sign = way_x + way_y;
        if way_x == 0 { (across, along * sign) } else { (along * sign, across) }
    };
    let mut grounds = std::collections::BTreeMap::new();
    let mut seen = vec![false; index(width * length)];
    let mut open = vec![(detour * BLOCK_CELLS, BLOCK_CELLS)];
    while let Some((across, along)) = open.pop() {
        if along + 1 >= length {
            return true;
        }
        for (dx, dy) in [(0, -1), (1, 0), (-1, 0), (0, 1)] {
            let (across, along) = (across + dx, along + dy);
            let inside = (0..width).contains(&across) && (0..length).contains(&along);
            if !inside || std::mem::replace(&mut seen[index(along * width + across)], true) {
                continue;
            }
            let (x, y) = to_world(across, along);
            let block = (x.div_euclid(BLOCK_CELLS), y.div_euclid(BLOCK_CELLS));
            let ground =
                grounds.entry(block).or_insert_with(|| terrain.block(block.0, block.1).ground);
            let class = ground.class(index(x - block.0 * 64), index(y - block.1 * 64));
            if class != GroundClass::Blocked {
                open.push((across, along));
            }
        }
    }
    false
}

#[test]
fn one_walks_900_m_from_home_in_each_direction() {
    for way in [(1, 0), (-1, 0), (0, 1), (0, -1)] {
        assert!(reaches(&open(OPEN_SEED), way, 15, 3), "{way:?}");
    }
}

#[test]
fn the_hollow_is_closed() {
    let terrain = Terrain::new(3, recipe("hollow"));
    for way in [(1, 0), (-1, 0), (0, 1), (0, -1)] {
        assert!(!reaches(&terrain, way, 4, 4), "{way:?}");
        assert!(reaches(&terrain, way, 1, 2), "{way:?}");
    }
}

#[test]
fn settlements_stand_where_their_region_says() {
    let terrain = open(OPEN_SEED);
    let mut found = 0;
    for region_y in -3..3 {
        for region_x in -3..3 {
            let region = terrain.region(region_x, region_y);
            assert!(!region.name.is_empty() && region.settlements.len() <= 3);
            found += region.settlements.len();
            let Some(settlement) = region.settlements.first() else { continue };
            let place = (settlement.cell_x, settlement.cell_y);
            let block = (place.0.div_euclid(64), place.1.div_euclid(64));
            assert_eq!(crate::world::region::region_of_block(block.0), region_x);
            let made = terrain.block(block.0, block.1);
            let cell = (index(place.0 - block.0 * 64), index(place.1 - block.1 * 64));
            assert_eq!(made.biomes[cell.1 * 64 + cell.0], Biome::Settlement);
            assert!(made.features.iter().any(|feature| feature.kind == FeatureKind::Well));
        }
    }
    assert!(found >= 8, "{found}");
}

/// Greatest step between cells at a border, and how many classes and biomes differ there.
fn seam(one: &Block, other: &Block, east: bool) -> (i32, usize) {
    let (mut step, mut differing) = (0, 0);
    for along in 0..64 {
        let (last, first) =
            if east { ((63, along), (0, along)) } else { ((along, 63), (along, 0)) };
        let (here, there) = (last.1 * 64 + last.0, first.1 * 64 + first.0);
        let heights = (one.heights_cm[here], other.heights_cm[there]);
        step = step.max((i32::from(heights.0) - i32::from(heights.1)).abs());
        differing += usize::from(
            one.ground.class(last.0, last.1) != other.ground.class(first.0, first.1)
                || one.biomes[here] != other.biomes[there],
        );
    }
    (step, differing)
}

/// The same between two rows or columns within a block.
fn inner(block: &Block, east: bool) -> (i32, usize) {
    let (mut step, mut differing) = (0, 0);
    for along in 0..64 {
        for at in 0..63 {
            let (from, to) =
                if east { ((at, along), (at + 1, along)) } else { ((along, at), (along, at + 1)) };
            let (here, there) = (from.1 * 64 + from.0, to.1 * 64 + to.0);
            let rise = i32::from(block.heights_cm[here]) - i32::from(block.heights_cm[there]);
            step = step.max(rise.abs());
            differing +=
                usize::from(block.ground.class(from.0, from.1) != block.ground.class(to.0, to.1));
        }
    }
    (step, differing)
}

#[test]
fn borders_are_no_rougher_than_what_is_within() {
    let terrain = open(OPEN_SEED);
    let (mut worst_within, mut worst_seam) = (0, 0);
    let (mut differing, mut within) = (0, 0);
    for (x, y) in (0..24).map(|index| (index * 5 - 60, index * 7 % 40 - 20)) {
        let (block, east, north) =
            (terrain.block(x, y), terrain.block(x + 1, y), terrain.block(x, y + 1));
        for (seamed, inner) in [
            (seam(&block, &east, true), inner(&block, true)),
            (seam(&block, &north, false), inner(&block, false)),
        ] {
            worst_seam = worst_seam.max(seamed.0);
            worst_within = worst_within.max(inner.0);
            differing += seamed.1;
            within += inner.1;
        }
    }
    assert!(worst_seam <= worst_within, "{worst_seam} {worst_within}");
    // As many changes at a border as at a line within that one may lie on, give or take chance:
    // classes change between patches of 8 cells, at 7 lines of a block.
    assert!(differing * 7 < within * 3, "{differing} {within}");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn any_block_is_made_and_read_back(seed: u64, x in coordinate(), y in coordinate()) {
        let terrain = open(seed);
        let block = terrain.block(x, y);
        prop_assert_eq!(block.heights_cm.len(), CELLS);
        prop_assert_eq!(block.biomes.len(), CELLS);
        for feature in &block.features {
            prop_assert!(feature.is_inside());
            let (x, y) = (usize::from(feature.cell_x), usize::from(feature.cell_y));
            let blocked = block.ground.class(x, y) == GroundClass::Blocked;
            prop_assert!(blocked || !feature.kind.blocks());
        }
        let bytes = block.encode();
        prop_assert!(bytes.len() < 8_192);
        let read = Block::decode(&bytes).expect("its own bytes");
        prop_assert_eq!(read.hash(), block.hash());
        prop_assert_eq!(read, block);
    }

    #[test]
    fn any_region_has_a_name(seed: u64, x: i32, y: i32) {
        let region = open(seed).region(x, y);
        prop_assert!(region.name.chars().next().is_some_and(char::is_uppercase));
    }

    #[test]
    fn garbage_is_no_block(
        bytes in prop::collection::vec(any::<u8>(), 0..600),
        cut in 0..900_usize,
    ) {
        prop_assert_eq!(Block::decode(&bytes), None);
        let mut broken = open(1).block(3, 4).encode();
        broken.truncate(cut);
        for (byte, other) in broken.iter_mut().skip(1).step_by(37).zip(&bytes) {
            *byte ^= other;
        }
        if let Some(block) = Block::decode(&broken) {
            prop_assert_eq!(block.heights_cm.len(), CELLS);
        }
    }

    #[test]
    fn any_text_is_refused_without_panic(text in ".{0,200}") {
        prop_assert!(Recipe::from_toml(&text).is_err());
    }
}
