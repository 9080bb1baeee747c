//! What rows' changes mean, told as short stories.

use super::*;
use proptest::prelude::*;
use spacetimedb_sdk::Timestamp;

pub(super) fn entity(entity_id: u64, chunk_index: u64) -> Entity {
    Entity { entity_id, chunk_index, kind: 1, name: format!("Name{entity_id}") }
}

pub(super) fn motion(entity_id: u64, chunk_index: u64, course_number: u32) -> Motion {
    let started_at = Timestamp::from_micros_since_unix_epoch(i64::from(course_number));
    Motion {
        entity_id,
        chunk_index,
        started_at,
        ends_at: started_at,
        pos_x_mm: 0,
        pos_y_mm: 0,
        vel_x_mm_per_s: 0,
        vel_y_mm_per_s: 0,
        course_number,
        input_number: 0,
        end_kind: 0,
    }
}

pub(super) fn come(entity_id: u64, chunk: u64, course: u32) -> Vec<RowChange> {
    let motion = motion(entity_id, chunk, course);
    vec![RowChange::EntityIs(entity(entity_id, chunk)), RowChange::MotionIs(motion)]
}

fn go(entity_id: u64, chunk: u64) -> Vec<RowChange> {
    let motion = motion(entity_id, chunk, 0);
    vec![RowChange::EntityGone(entity(entity_id, chunk)), RowChange::MotionGone(motion)]
}

fn play(scene: &mut Scene, changes: impl IntoIterator<Item = RowChange>) {
    for change in changes {
        scene.apply(change);
    }
}

/// One letter for each sight: `E`ntered, `L`eft, `c`ourse changed, block `x`ed, `m`oved otherwise.
fn letters(sights: &[Sight]) -> String {
    let mut letters: Vec<String> = sights
        .iter()
        .map(|sight| match sight {
            Sight::Entered(seen) => format!("E{}", seen.entity_id),
            Sight::Left(seen) => format!("L{}", seen.entity_id),
            Sight::Moved { seen, course_changed, block_crossed } => {
                let kind = match (course_changed, block_crossed) {
                    (_, true) => 'x',
                    (true, false) => 'c',
                    (false, false) => 'm',
                };
                format!("{kind}{}", seen.entity_id)
            }
        })
        .collect();
    letters.sort();
    letters.join(" ")
}

/// Plays transactions at milliseconds, and answers the sights of each.
fn check(transactions: &[(u64, Vec<RowChange>)], expected: &[&str]) {
    let mut scene = Scene::default();
    let start = Instant::now();
    let mut told = Vec::new();
    for (millis, changes) in transactions {
        play(&mut scene, changes.clone());
        told.push(letters(&scene.settle(start + Duration::from_millis(*millis), 0)));
    }
    assert_eq!(told, expected, "{transactions:?}");
}

#[test]
fn who_comes_moves_and_goes_is_told_once_each() {
    let story = [
        (0, come(1, 5, 0)),
        (1, vec![RowChange::MotionIs(motion(1, 5, 1))]),
        (2, vec![RowChange::MotionIs(motion(1, 5, 1))]),
        (3, go(1, 5)),
        (102, vec![]),
        (103, vec![]),
        (300, vec![]),
    ];
    check(&story, &["E1", "c1", "", "", "", "L1", ""]);
}

#[test]
fn who_crosses_a_border_has_moved_in_whatever_order_the_rows_come() {
    // One transaction that updates both rows.
    check(&[(0, come(1, 5, 0)), (1, come(1, 6, 0))], &["E1", "x1"]);
    // The new block's rows first, then the old block's go.
    check(
        &[(0, come(1, 5, 0)), (1, [come(1, 6, 0), go(1, 5)].concat()), (500, vec![])],
        &["E1", "x1", ""],
    );
    // Out of view, and into view again before patience ends.
    check(
        &[(0, come(1, 5, 0)), (1, go(1, 5)), (90, come(1, 6, 0)), (500, vec![])],
        &["E1", "", "x1", ""],
    );
    // And after it ended.
    check(
        &[(0, come(1, 5, 0)), (1, go(1, 5)), (101, vec![]), (102, come(1, 6, 0))],
        &["E1", "", "L1", "E1"],
    );
}

#[test]
fn half_of_an_entity_is_not_seen() {
    let (name, course) = (come(1, 5, 0).swap_remove(0), come(1, 5, 0).swap_remove(1));
    check(&[(0, vec![name]), (1, vec![course])], &["", "E1"]);
}

#[test]
fn somebody_who_leaves_twice_is_held_for_the_whole_time() {
    let story = [(0, come(1, 5, 0)), (10, go(1, 5)), (50, come(1, 5, 0)), (60, go(1, 5))];
    let story = [&story[..], &[(120, vec![]), (160, vec![])]].concat();
    check(&story, &["E1", "", "", "", "", "L1"]);
}

#[test]
fn a_reconnect_tells_only_what_changed() {
    let mut scene = Scene::default();
    let now = Instant::now();
    for id in 1..=3 {
        play(&mut scene, come(id, 5, 0));
    }
    assert_eq!(letters(&scene.settle(now, 0)), "E1 E2 E3");
    scene.suspend();
    assert_eq!(scene.all().count(), 3);
    assert!(!scene.is_present(1) && scene.seen(1).is_some());
    let again = [come(1, 5, 0), come(2, 6, 4), come(4, 5, 0)].concat();
    play(&mut scene, again);
    assert_eq!(letters(&scene.settle(now, 0)), "E4 x2");
    assert_eq!(letters(&scene.restored()), "L3");
    assert_eq!(letters(&scene.settle(now + HOLD, 0)), "");
}

proptest! {
    #[test]
    fn sights_alternate_and_end_where_the_rows_are(
        steps in prop::collection::vec((0..4_u64, 0..3_u64, 0..150_u64), 0..80),
    ) {
        let mut scene = Scene::default();
        let mut now = Instant::now();
        let mut rows = HashMap::new();
        let mut shown = HashSet::new();
        let hear = |sights: Vec<Sight>, shown: &mut HashSet<u64>| {
            for sight in sights {
                let fine = match sight {
                    Sight::Entered(seen) => shown.insert(seen.entity_id),
                    Sight::Left(seen) => shown.remove(&seen.entity_id),
                    Sight::Moved { seen, .. } => shown.contains(&seen.entity_id),
                };
                assert!(fine);
            }
        };
        for (course, (id, chunk, millis)) in steps.into_iter().enumerate() {
            now += Duration::from_millis(millis);
            let course = u32::try_from(course).expect("few");
            // Block 0 is not watched.
            let gone = rows.remove(&id).map(|chunk| go(id, chunk)).unwrap_or_default();
            let here = if chunk > 0 { come(id, chunk, course) } else { vec![] };
            if chunk > 0 {
                rows.insert(id, chunk);
            }
            play(&mut scene, here.into_iter().chain(gone));
            // The old block is the new one: the row was updated, not removed.
            if rows.contains_key(&id) {
                play(&mut scene, come(id, chunk, course));
            }
            hear(scene.settle(now, 0), &mut shown);
        }
        hear(scene.settle(now + HOLD, 0), &mut shown);
        prop_assert_eq!(shown, rows.keys().copied().collect::<HashSet<_>>());
        prop_assert!(scene.next_deadline().is_none());
        prop_assert_eq!(scene.all().count(), rows.len());
    }
}
