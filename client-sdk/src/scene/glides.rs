//! How somebody is drawn whose rows come late: gliding, bounded, and right in the end.

use super::tests::{come, entity, motion};
use super::*;
use crate::fade::{FADE, FADE_MAX_MM};
use proptest::prelude::*;
use spacetimedb_sdk::Timestamp;

/// Between two looks, milliseconds.
const LOOK_MILLIS: i64 = 5;
const MICROS_PER_MILLI: i64 = 1_000;
/// Fastest along either axis, millimetres per second.
const SPEED: i32 = 2_000;

/// A course that somebody took up at a millisecond, and when its row comes.
#[derive(Clone, Debug)]
struct Told {
    segment: Segment,
    comes_at_millis: i64,
}

/// Courses of somebody who turns now and then: how long each lasts, its velocity, and how late its
/// row is. Rows come in their order.
fn told(courses: &[(i64, (i32, i32), i64)]) -> Vec<Told> {
    let (mut at, mut place, mut last) = (0, (0, 0), 0);
    let mut told = vec![];
    for (lasts, (vel_x_mm_per_s, vel_y_mm_per_s), late) in courses {
        let standing = Segment::standing(at * MICROS_PER_MILLI, place.0, place.1);
        let segment = Segment {
            ends_at_micros: i64::from(i32::MAX),
            vel_x_mm_per_s: *vel_x_mm_per_s,
            vel_y_mm_per_s: *vel_y_mm_per_s,
            end: SegmentEnd::Edge,
            ..standing
        };
        last = last.max(at + late);
        told.push(Told { segment, comes_at_millis: last });
        at += lasts;
        place = segment.position_at(at * MICROS_PER_MILLI);
    }
    told
}

fn row(course: u32, segment: &Segment) -> RowChange {
    RowChange::MotionIs(Motion {
        started_at: Timestamp::from_micros_since_unix_epoch(segment.started_at_micros),
        ends_at: Timestamp::from_micros_since_unix_epoch(segment.ends_at_micros),
        pos_x_mm: segment.pos_x_mm,
        pos_y_mm: segment.pos_y_mm,
        vel_x_mm_per_s: segment.vel_x_mm_per_s,
        vel_y_mm_per_s: segment.vel_y_mm_per_s,
        end_kind: segment.end.code(),
        ..motion(1, 5, course)
    })
}

/// Where it was drawn, where the last row that has come says it is, and at which millisecond.
type Look = ((i32, i32), (i32, i32), i64);

/// Looks every few milliseconds.
fn watch(told: &[Told]) -> Vec<Look> {
    let (mut scene, start) = (Scene::default(), Instant::now());
    scene.apply(RowChange::EntityIs(entity(1, 5)));
    let until = told.last().map_or(0, |told| told.comes_at_millis) + 400;
    let (mut next, mut looks) = (0, vec![]);
    for millis in (0..until).step_by(usize::try_from(LOOK_MILLIS).expect("positive")) {
        let now = start + Duration::from_millis(millis.unsigned_abs());
        let server_micros = millis * MICROS_PER_MILLI;
        while told.get(next).is_some_and(|told| told.comes_at_millis <= millis) {
            scene.apply(row(u32::try_from(next).expect("few"), &told[next].segment));
            scene.settle(now, server_micros);
            next += 1;
        }
        if let Some(known) = next.checked_sub(1) {
            let drawn = scene.position(1, server_micros, now).expect("in view");
            looks.push((drawn, told[known].segment.predict_at(server_micros), millis));
        }
    }
    looks
}

#[test]
fn somebody_in_another_world_is_not_drawn_gliding_there() {
    let (mut scene, now) = (Scene::default(), Instant::now());
    let elsewhere = 5 | (3 << 32);
    for chunk in [5, elsewhere] {
        for change in come(1, chunk, 1) {
            scene.apply(change);
        }
        scene.settle(now, 0);
        scene.glide(1, (900, 0), 0, now);
        assert_eq!(scene.position(1, 0, now), Some((900, 0)));
    }
    for change in come(1, 5, 2) {
        scene.apply(change);
    }
    scene.settle(now, 0);
    assert_eq!(scene.position(1, 0, now), Some((0, 0)));
}

prop_compose! {
    fn course(late_max_millis: i64)(
        looks in 20..300_i64,
        velocity in (-SPEED..=SPEED, -SPEED..=SPEED),
        late in 0..=late_max_millis,
    ) -> (i64, (i32, i32), i64) {
        (looks * LOOK_MILLIS, velocity, late)
    }
}

fn courses(late_max_millis: i64) -> impl Strategy<Value = Vec<Told>> {
    prop::collection::vec(course(late_max_millis), 1..12).prop_map(|courses| told(&courses))
}

proptest! {
    #[test]
    fn whoever_is_told_of_late_glides_and_arrives(told in courses(300)) {
        let looks = watch(&told);
        let fade_millis = i64::try_from(FADE.as_millis()).expect("short");
        // What is left of a fade goes evenly; a millimetre or two for cutting off.
        let fading = i64::from(FADE_MAX_MM) * LOOK_MILLIS / fade_millis;
        let step_max = i64::from(SPEED) * LOOK_MILLIS / 1_000 + fading + 3;
        for pair in looks.windows(2) {
            let [(before, ..), (after, ..)] = pair else { unreachable!("pairs") };
            let step = (after.0 - before.0).abs().max((after.1 - before.1).abs());
            prop_assert!(i64::from(step) <= step_max, "{pair:?}");
        }
        for (drawn, truth, millis) in looks {
            let fades = told.iter().any(|told| {
                (told.comes_at_millis..told.comes_at_millis + fade_millis + LOOK_MILLIS)
                    .contains(&millis)
            });
            prop_assert!(fades || drawn == truth, "{millis} ms: {drawn:?} {truth:?}");
        }
    }

    #[test]
    fn whoever_is_told_of_in_time_is_drawn_where_it_is(told in courses(0)) {
        for (drawn, truth, _) in watch(&told) {
            prop_assert_eq!(drawn, truth);
        }
    }
}
