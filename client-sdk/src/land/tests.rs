//! The ground a client plans on, against the terrain itself.

use super::*;
use haven_rules::motion::{Intent, SegmentEnd, plan};
use haven_rules::world::terrain::{Biome, Recipe, SHIPPED, Terrain};
use proptest::prelude::*;

const BOUNDS: Area = Area {
    min_x_mm: -40 * BLOCK_MM,
    min_y_mm: -40 * BLOCK_MM,
    max_x_mm: 40 * BLOCK_MM,
    max_y_mm: 40 * BLOCK_MM,
};

fn world(number: u32) -> World {
    World {
        world: number,
        bounds: BOUNDS,
        spawn_x_mm: 0,
        spawn_y_mm: 0,
        walk_speed_mm_per_s: 1_500,
        run_speed_mm_per_s: 6_000,
    }
}

fn terrain(number: u32, seed: u64) -> WorldTerrain {
    WorldTerrain { world: number, seed, version: seed, recipe: SHIPPED[0].1.to_owned() }
}

fn obstacle(obstacle_id: u64, chunk_index: u64, cell_x: i32, cell_y: i32) -> Obstacle {
    let (min_x_mm, min_y_mm) = (cell_x * CELL_MM, cell_y * CELL_MM);
    Obstacle {
        obstacle_id,
        chunk_index,
        min_x_mm,
        min_y_mm,
        max_x_mm: min_x_mm + CELL_MM,
        max_y_mm: min_y_mm + CELL_MM,
    }
}

fn itself(seed: u64) -> Terrain {
    Terrain::new(seed, Recipe::from_toml(SHIPPED[0].1).expect("the shipped recipe"))
}

#[test]
fn the_ground_is_the_realms_with_obstacles_laid_over_it() {
    let (land, world) = (Land::default(), world(0));
    land.apply(&LandChange::TerrainIs(terrain(0, 7)));
    let truth = itself(7).block(3, -2);
    let chunk = chunk_index(0, 3, -2);
    assert_eq!(land.block(&world, chunk).as_deref(), Some(&truth));
    let open = (0..64 * 64_i32).find_map(|cell| {
        let (x, y) = (cell % 64, cell / 64);
        let inside = |cell: i32| usize::try_from(cell).expect("positive");
        let class = truth.ground.class(inside(x), inside(y));
        (class != GroundClass::Blocked).then_some((x + 3 * 64, y - 2 * 64, class))
    });
    let (x, y, class) = open.expect("somewhere to stand");
    let place = (x * CELL_MM + 500, y * CELL_MM + 500);
    assert_eq!(land.class_at(&world, place), Some(class));
    let rock = obstacle(1, chunk, x, y);
    land.apply(&LandChange::ObstacleIs(rock.clone()));
    assert_eq!(land.class_at(&world, place), Some(GroundClass::Blocked));
    assert_eq!(land.block(&world, chunk).as_deref(), Some(&truth), "as it was made");
    assert_eq!((land.obstacles(0).len(), land.obstacles(1).len()), (1, 0));
    land.apply(&LandChange::ObstacleGone(rock));
    assert_eq!(land.class_at(&world, place), Some(class));
}

#[test]
fn beyond_the_bounds_nobody_goes() {
    let (land, world) = (Land::default(), world(0));
    land.apply(&LandChange::TerrainIs(terrain(0, 7)));
    assert_eq!(land.class_at(&world, (BOUNDS.max_x_mm, 0)), None);
    assert!(land.block(&world, chunk_index(0, 40, 0)).is_none());
    assert!(land.block(&world, chunk_index(1, 0, 0)).is_none(), "another world");
    let class = land.plan(&world, |ground| (ground.class)(40 * BLOCK_CELLS, 0));
    assert_eq!(class, GroundClass::Blocked);
}

#[test]
fn a_flat_world_is_easy_but_for_its_obstacles() {
    let (land, world) = (Land::default(), world(0));
    land.apply(&LandChange::ObstacleIs(obstacle(1, chunk_index(0, 0, 0), 3, 0)));
    let segment =
        land.plan(&world, |ground| plan(0, (0, 500), Intent::direction(1, 0), 5_000, ground));
    assert_eq!((segment.end, segment.position_at(i64::MAX)), (SegmentEnd::Obstacle, (2_999, 500)));
    assert!(land.block(&world, 0).is_none());
}

#[test]
fn another_recipe_is_other_land_and_none_is_flat() {
    let (land, world) = (Land::default(), world(2));
    let chunk = chunk_index(2, 1, 1);
    land.apply(&LandChange::TerrainIs(terrain(2, 7)));
    let first = land.block(&world, chunk).expect("made");
    land.apply(&LandChange::TerrainIs(terrain(2, 7)));
    assert!(Arc::ptr_eq(&first, &land.block(&world, chunk).expect("kept")));
    land.apply(&LandChange::TerrainIs(terrain(2, 8)));
    assert_eq!(land.block(&world, chunk).as_deref(), Some(&itself(8).block(1, 1)));
    // The connection is lost, and the terrain comes again or not.
    land.suspend();
    assert!(land.block(&world, chunk).is_some());
    land.apply(&LandChange::TerrainIs(terrain(2, 8)));
    land.world_arrived(2);
    assert!(land.block(&world, chunk).is_some());
    land.suspend();
    land.world_arrived(2);
    assert!(land.block(&world, chunk).is_none());
    land.apply(&LandChange::TerrainIs(WorldTerrain { recipe: "?".into(), ..terrain(2, 8) }));
    assert!(land.block(&world, chunk).is_none(), "a recipe of a later release");
    assert_eq!(land.class_at(&world, (1, 1)), Some(GroundClass::Easy));
}

#[test]
fn clients_of_one_process_make_a_block_once() {
    let (one, other, world) = (Land::default(), Land::default(), world(0));
    for land in [&one, &other] {
        land.apply(&LandChange::TerrainIs(terrain(0, 11)));
    }
    let chunk = chunk_index(0, 5, 5);
    let made = one.block(&world, chunk).expect("made");
    assert!(Arc::ptr_eq(&made, &other.block(&world, chunk).expect("made")));
    assert!(made.biomes.iter().all(|biome| Biome::ALL.contains(biome)));
}

#[test]
fn what_was_not_used_for_longest_is_forgotten() {
    let (land, world) = (Land::default(), world(0));
    let plots = i32::try_from(PLOTS_MAX).expect("few");
    let places = (0..plots + 9).map(|index| (index % 20 * BLOCK_MM, index / 20 * BLOCK_MM));
    for place in places {
        land.class_at(&world, place);
        land.class_at(&world, (0, 0));
    }
    let known = land.lock();
    assert_eq!(known.plots.len(), PLOTS_MAX);
    assert!(known.plots.contains_key(&chunk_index(0, 0, 0)));
    assert!(!known.plots.contains_key(&chunk_index(0, 1, 0)));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]
    /// What a client plans is what the realm plans on the same ground.
    #[test]
    fn a_course_over_land_is_the_realms(
        x in -20 * BLOCK_MM..20 * BLOCK_MM,
        y in -20 * BLOCK_MM..20 * BLOCK_MM,
        dx: i16,
        dy: i16,
    ) {
        let (land, world, truth) = (Land::default(), world(0), itself(7));
        land.apply(&LandChange::TerrainIs(terrain(0, 7)));
        let intent = Intent::direction(dx, dy);
        let planned = land.plan(&world, |ground| plan(0, (x, y), intent, 6_000, ground));
        let mut blocks = HashMap::new();
        let mut class = |x: i32, y: i32| {
            let block = (block_of_cell(x), block_of_cell(y));
            let made: &mut Block =
                blocks.entry(block).or_insert_with(|| truth.block(block.0, block.1));
            let inside = |cell: i32| usize::try_from(cell.rem_euclid(64)).expect("positive");
            made.ground.class(inside(x), inside(y))
        };
        let mut ground = Ground { bounds: BOUNDS, class: &mut class };
        prop_assert_eq!(planned, plan(0, (x, y), intent, 6_000, &mut ground));
    }
}
