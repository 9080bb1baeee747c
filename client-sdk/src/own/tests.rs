//! Inputs, their outcomes and the rows that count them, told as short stories.

use super::*;
use haven_rules::motion::{SegmentEnd, plan};
use haven_rules::world::{Area, BLOCK_MM, GroundClass};
use proptest::prelude::*;

const SECOND: i64 = 1_000_000;

fn walk(vel_x_mm_per_s: i32) -> Predicted {
    let segment = Segment {
        ends_at_micros: 60 * SECOND,
        vel_x_mm_per_s,
        end: SegmentEnd::Edge,
        ..Segment::standing(0, 0, 0)
    };
    Predicted { segment, intent: Intent::direction(1, 0), speed_mm_per_s: 1_000 }
}

/// What happens to the own character.
#[derive(Clone, Copy, Debug)]
enum Step {
    /// An input that leads that fast to the east.
    Input(i32),
    Accepted,
    Refused,
    /// A row with a new course that counts so many inputs.
    Row(u32),
    /// A row that merely goes on.
    Same(u32),
    /// So many milliseconds go by.
    Wait(u64),
}
use Step::{Accepted, Input, Refused, Row, Same, Wait};

/// Plays a story from a row that counts `first` inputs; answers after each step the speed of what
/// is predicted, 0 for nothing.
fn check(first: u32, story: &[(Step, i32)]) {
    let (mut own, mut now, mut counted) = (Own::default(), Instant::now(), first);
    own.reconcile(first, now);
    for (index, (step, expected)) in story.iter().enumerate() {
        match step {
            Input(speed) => own.input(Some(walk(*speed)), false),
            Accepted => own.outcome(true, now),
            Refused => own.outcome(false, now),
            Row(number) => {
                counted = *number;
                own.course_arrived(now);
            }
            Same(number) => counted = *number,
            Wait(millis) => now += Duration::from_millis(*millis),
        }
        own.reconcile(counted, now);
        let shown = own.predicted.map_or(0, |predicted| predicted.segment.vel_x_mm_per_s);
        assert_eq!(shown, *expected, "step {index} of {story:?}");
    }
}

#[test]
fn an_input_that_is_applied_at_once_is_answered_by_its_row() {
    check(0, &[(Input(7), 7), (Wait(40), 7), (Row(1), 7), (Accepted, 0)]);
}

#[test]
fn an_input_that_waits_for_the_tick_is_shown_meanwhile() {
    check(0, &[(Input(7), 7), (Accepted, 7), (Wait(60), 7), (Same(0), 7), (Row(1), 0)]);
}

#[test]
fn of_several_inputs_in_one_tick_the_last_is_shown_until_it_counts() {
    let story = [
        (Input(1), 1),
        (Input(2), 2),
        (Input(3), 3),
        (Row(1), 3),
        (Accepted, 3),
        (Accepted, 3),
        (Accepted, 3),
        (Wait(50), 3),
        // The second was overwritten by the third before it could be applied.
        (Row(3), 0),
    ];
    check(0, &story);
}

#[test]
fn a_refused_input_does_not_count() {
    let middle = [
        (Input(1), 1),
        (Input(2), 2),
        (Input(3), 3),
        (Row(8), 3),
        (Accepted, 3),
        (Refused, 3),
        (Accepted, 3),
        (Row(9), 0),
    ];
    check(7, &middle);
    // The newest is refused: what came before it is shown as the realm has it.
    check(7, &[(Input(1), 1), (Input(2), 2), (Accepted, 2), (Refused, 0), (Row(8), 0)]);
}

#[test]
fn in_a_crowd_the_row_may_come_four_ticks_late() {
    let story = [
        (Input(1), 1),
        (Accepted, 1),
        (Wait(150), 1),
        (Input(2), 2),
        (Wait(40), 2),
        // The realm published before the second input reached it.
        (Row(1), 2),
        (Accepted, 2),
        (Wait(250), 2),
        (Row(2), 0),
    ];
    check(0, &story);
}

#[test]
fn a_row_that_never_counts_the_input_is_believed_in_the_end() {
    let late = u64::try_from(LATE_MAX.as_millis()).expect("short");
    check(0, &[(Input(1), 1), (Accepted, 1), (Wait(late - 1), 1), (Wait(1), 0), (Row(1), 0)]);
    // The realm counts anew: the character has left and entered by another way.
    check(
        9,
        &[(Input(1), 1), (Accepted, 1), (Same(0), 0), (Input(2), 2), (Accepted, 2), (Row(1), 0)],
    );
    // Somebody was put elsewhere, and the input that waited was forgotten.
    check(5, &[(Input(1), 1), (Accepted, 1), (Row(5), 0), (Input(2), 2), (Wait(9), 2)]);
}

#[test]
fn counts_wrap_around() {
    check(u32::MAX, &[(Input(1), 1), (Accepted, 1), (Same(u32::MAX), 1), (Row(0), 0)]);
    assert!(is_before(u32::MAX, 0) && !is_before(0, u32::MAX) && !is_before(3, 3));
}

#[test]
fn inputs_of_an_earlier_connection_are_learned_from_rows() {
    // One was waiting when this connection came: the row that counts both counts two.
    check(
        5,
        &[(Input(1), 1), (Accepted, 1), (Row(7), 0), (Input(2), 2), (Accepted, 2), (Row(8), 0)],
    );
}

#[test]
fn a_prediction_goes_on_over_the_same_ground() {
    let half = BLOCK_MM / 2;
    let bounds = Area { min_x_mm: -half, min_y_mm: -half, max_x_mm: half, max_y_mm: half };
    let mut class = |x: i32, _: i32| if x >= 3 { GroundClass::Hard } else { GroundClass::Easy };
    let mut ground = Ground { bounds, class: &mut class };
    let intent = Intent::direction(1, 0);
    let segment = plan(0, (0, 500), intent, 1_000, &mut ground);
    let mut own = Own::default();
    own.input(Some(Predicted { segment, intent, speed_mm_per_s: 1_000 }), true);
    assert_eq!((own.ends_at_micros(), own.is_running()), (Some(3 * SECOND), true));
    own.carry(4 * SECOND, &mut ground);
    assert_eq!(own.position(5 * SECOND), Some((4_000, 500)));
    own.displaced();
    assert_eq!((own.position(5 * SECOND), own.in_flight()), (None, 1));
}

proptest! {
    /// A realm that takes inputs in and publishes now and then: whatever happens, the prediction is
    /// over exactly when a row counts the newest input, or the newest was refused.
    #[test]
    fn the_newest_input_is_shown_until_it_counts(
        first: u32,
        steps in prop::collection::vec((0..4_u8, any::<bool>()), 1..60),
    ) {
        let (mut own, now) = (Own::default(), Instant::now());
        own.reconcile(first, now);
        let (mut taken_in, mut row) = (first, first);
        let mut newest_counts_at = None;
        for (what, accepted) in steps {
            match what {
                0 => own.input(Some(walk(1)), false),
                1 if own.in_flight() > 0 => {
                    taken_in = taken_in.wrapping_add(u32::from(accepted));
                    own.outcome(accepted, now);
                    let is_newest = own.in_flight() == 0;
                    newest_counts_at = (is_newest && accepted).then_some(taken_in);
                }
                2 if row != taken_in => {
                    row = taken_in;
                    own.course_arrived(now);
                }
                _ => {}
            }
            own.reconcile(row, now);
            let waits = newest_counts_at.is_some_and(|number| is_before(row, number));
            prop_assert_eq!(own.predicted.is_some(), own.in_flight() > 0 || waits);
        }
    }
}
