//! The own character from an input to the realm's row, as the game sees it.

use super::*;
use crate::land::LandChange;
use crate::module_bindings::{Entity, Motion, WorldConfig, WorldTerrain};
use crate::scene::RowChange;
use haven_rules::motion::{Segment, SegmentEnd};
use haven_rules::world::terrain::SHIPPED;
use haven_rules::world::{BLOCK_MM, GroundClass, chunk_of};
use spacetimedb_sdk::Timestamp;
use std::time::Duration;

const ME: u64 = 1;

fn config(world: u32) -> WorldConfig {
    WorldConfig {
        world,
        min_x_mm: -BLOCK_MM,
        min_y_mm: -BLOCK_MM,
        max_x_mm: BLOCK_MM,
        max_y_mm: BLOCK_MM,
        spawn_x_mm: 0,
        spawn_y_mm: 0,
        walk_speed_mm_per_s: 2_000,
        run_speed_mm_per_s: 6_000,
        ground_version: 1,
        configured_at: Timestamp::from_micros_since_unix_epoch(0),
    }
}

fn row(world: u32, segment: &Segment, input_number: u32) -> Motion {
    Motion {
        entity_id: ME,
        chunk_index: chunk_of(world, segment.pos_x_mm, segment.pos_y_mm),
        started_at: Timestamp::from_micros_since_unix_epoch(segment.started_at_micros),
        ends_at: Timestamp::from_micros_since_unix_epoch(segment.ends_at_micros),
        pos_x_mm: segment.pos_x_mm,
        pos_y_mm: segment.pos_y_mm,
        vel_x_mm_per_s: segment.vel_x_mm_per_s,
        vel_y_mm_per_s: segment.vel_y_mm_per_s,
        course_number: input_number,
        input_number,
        end_kind: segment.end.code(),
    }
}

/// The character stands at that place of a world.
fn standing(world: u32, place: (i32, i32)) -> Shared {
    let shared = Shared::new();
    let mut state = shared.lock();
    state.me = Some(ME);
    state.worlds.insert(world, World::new(&config(world)));
    let segment = Segment::standing(0, place.0, place.1);
    let motion = row(world, &segment, 0);
    let chunk_index = motion.chunk_index;
    let entity = Entity { entity_id: ME, chunk_index, kind: 1, name: "Ada".to_owned() };
    state.scene.apply(RowChange::EntityIs(entity));
    state.scene.apply(RowChange::MotionIs(motion));
    state.scene.settle(Instant::now(), 0);
    drop(state);
    shared
}

#[test]
fn an_input_shows_at_once_and_the_realms_word_fades_in() {
    let shared = standing(0, (0, 0));
    let foreseen = shared.foresee_unlocked(Intent::direction(1, 0), false).expect("a world");
    assert_eq!((foreseen.segment.vel_x_mm_per_s, foreseen.speed_mm_per_s), (2_000, 2_000));
    let mut state = shared.lock();
    state.own.reconcile(0, Instant::now());
    state.own.input(Some(foreseen), false);
    // The realm takes it up 100 ms later than it was shown, and its row comes 30 ms after that.
    let late = foreseen.segment.started_at_micros + 100_000;
    let truth = Segment { started_at_micros: late, ..foreseen.segment };
    let now = Instant::now() + Duration::from_millis(130);
    let server_micros = shared.server_micros(&state, now);
    let drawn = shared.position_of(&state, ME, now).expect("in view");
    state.scene.apply(RowChange::MotionIs(row(0, &truth, 1)));
    state.scene.settle(now, server_micros);
    state.own.outcome(true, now);
    assert!(state.own.reconcile(1, now));
    state.scene.glide(ME, drawn, server_micros, now);
    assert_eq!(shared.position_of(&state, ME, now), Some(drawn), "no jump");
    let ahead = drawn.0 - truth.predict_at(server_micros).0;
    assert!((195..=205).contains(&ahead), "{ahead}");
    let later = now + Duration::from_millis(150);
    let expected = truth.predict_at(shared.server_micros(&state, later));
    assert_eq!(shared.position_of(&state, ME, later), Some(expected));
}

#[test]
fn what_is_foreseen_is_foreseen_in_the_world_the_character_is_in() {
    let shared = standing(3, (500, 500));
    let world = *shared.lock().world().expect("configured");
    assert_eq!(world.world, 3);
    let foresee =
        || shared.foresee_unlocked(Intent::direction(1, 0), true).expect("a world").segment;
    assert_eq!((foresee().end, foresee().vel_x_mm_per_s), (SegmentEnd::Edge, 6_000));
    let recipe = SHIPPED[0].1.to_owned();
    shared.land.apply(&LandChange::TerrainIs(WorldTerrain {
        world: 3,
        seed: 7,
        version: 1,
        recipe,
    }));
    let class = shared.land.class_at(&world, (500, 500)).expect("inside");
    let percent = if class == GroundClass::Blocked { 50 } else { i32::from(class.speed_percent()) };
    let planned = shared.land.plan(&world, |ground| {
        plan(foresee().started_at_micros, (500, 500), Intent::direction(1, 0), 6_000, ground)
    });
    assert_eq!((foresee().vel_x_mm_per_s, foresee().end), (planned.vel_x_mm_per_s, planned.end));
    assert!(planned.vel_x_mm_per_s == 60 * percent || planned.stands());
}
