//! Places and directions in whole millimetres: how far, towards what, and on which of eight sides.
//!
//! Keeps true: no coordinate panics; a place that would lie beyond the grid lies at its edge.

use crate::combat::areas::Point;

/// How many sides something has.
pub(super) const SIDES: u8 = 8;
/// Directions of the sides, counter-clockwise from the east, thousandths.
const DIRECTIONS: [(i64, i64); SIDES as usize] = [
    (1_000, 0),
    (707, 707),
    (0, 1_000),
    (-707, 707),
    (-1_000, 0),
    (-707, -707),
    (0, -1_000),
    (707, -707),
];
/// Beyond this differences are not measured, millimetres: nobody sees so far, and squares fit.
const FAR_MM: i64 = 1_000_000_000;

/// East and north of one place as seen from another.
fn difference(from: Point, to: Point) -> (i64, i64) {
    let way = |from: i32, to: i32| (i64::from(to) - i64::from(from)).clamp(-FAR_MM, FAR_MM);
    (way(from.x_mm, to.x_mm), way(from.y_mm, to.y_mm))
}

/// How far it is, millimetres, rounded up; what is further than a thousand kilometres is cut off.
pub(super) fn distance_mm(one: Point, other: Point) -> i64 {
    let (dx, dy) = difference(one, other);
    let squared = dx * dx + dy * dy;
    let root = squared.isqrt();
    if root * root < squared { root + 1 } else { root }
}

fn shifted(from: Point, dx: i64, dy: i64) -> Point {
    let add = |mm: i32, way: i64| {
        let sum = i64::from(mm).saturating_add(way);
        i32::try_from(sum.clamp(i64::from(i32::MIN), i64::from(i32::MAX))).unwrap_or(mm)
    };
    Point { x_mm: add(from.x_mm, dx), y_mm: add(from.y_mm, dy) }
}

/// The place that far from one towards another, which may lie beyond it; eastwards where both are
/// the same. Cut towards `from`.
pub(super) fn towards(from: Point, to: Point, mm: i64) -> Point {
    let (dx, dy) = difference(from, to);
    let length = distance_mm(from, to);
    let mm = mm.clamp(-FAR_MM, FAR_MM);
    if length == 0 {
        return shifted(from, mm, 0);
    }
    shifted(from, dx * mm / length, dy * mm / length)
}

/// On which side of a place another lies, 0 to 7; 0 where both are the same.
pub(super) fn side_of(middle: Point, place: Point) -> u8 {
    let (dx, dy) = difference(middle, place);
    // The tangent of half of an eighth of a turn is 0.414.
    let is_flat = |along: i64, across: i64| across.abs() * 1_000 <= along.abs() * 414;
    match (dx, dy) {
        _ if is_flat(dx, dy) => u8::from(dx < 0) * 4,
        _ if is_flat(dy, dx) => 2 + u8::from(dy < 0) * 4,
        (0.., 0..) => 1,
        (_, 0..) => 3,
        (..0, _) => 5,
        (0.., _) => 7,
    }
}

/// The place that far from another on one of its sides.
pub(super) fn beside(middle: Point, side: u8, mm: i64) -> Point {
    let (dx, dy) = DIRECTIONS[usize::from(side % SIDES)];
    let mm = mm.clamp(-FAR_MM, FAR_MM);
    shifted(middle, dx * mm / 1_000, dy * mm / 1_000)
}

/// How many sides lie from one to another, the shorter way: -3 to 4, counter-clockwise above 0.
pub(super) fn turn(from: u8, to: u8) -> i8 {
    let steps = (to + SIDES - from % SIDES) % SIDES;
    let steps = i8::try_from(steps).unwrap_or(0);
    if steps > 4 { steps - 8 } else { steps }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const fn at(x_mm: i32, y_mm: i32) -> Point {
        Point { x_mm, y_mm }
    }

    #[test]
    fn sides_are_counted_from_the_east() {
        for (side, (x, y)) in [(9, 1), (5, 5), (1, 9), (-5, 5), (-9, 1), (-5, -5), (1, -9), (5, -5)]
            .iter()
            .enumerate()
        {
            let side = u8::try_from(side).expect("eight");
            assert_eq!(side_of(at(3, 3), at(3 + x, 3 + y)), side, "{x} {y}");
            assert_eq!(side_of(at(0, 0), beside(at(0, 0), side, 900)), side);
        }
        for (from, to, expected) in [(0, 1, 1), (1, 0, -1), (7, 1, 2), (0, 4, 4), (6, 1, 3)] {
            assert_eq!(turn(from, to), expected, "{from} {to}");
        }
    }

    #[test]
    fn a_place_lies_on_the_way() {
        assert_eq!(towards(at(0, 0), at(300, 400), 100), at(60, 80));
        assert_eq!(towards(at(0, 0), at(300, 400), -100), at(-60, -80));
        assert_eq!(towards(at(5, 5), at(5, 5), 100), at(105, 5));
        assert_eq!(distance_mm(at(0, 0), at(1, 1)), 2);
    }

    proptest! {
        #[test]
        fn any_places_have_an_answer(x: i32, y: i32, to_x: i32, to_y: i32, mm: i64) {
            let (one, other) = (at(x, y), at(to_x, to_y));
            prop_assert!(distance_mm(one, other) >= 0);
            towards(one, other, mm);
            prop_assert!(side_of(one, other) < SIDES);
            beside(one, side_of(one, other), mm);
        }

        #[test]
        fn it_is_never_further_than_asked(
            place in prop::array::uniform4(-100_000_i32..100_000),
            mm in 0_i64..50_000,
        ) {
            let [x, y, to_x, to_y] = place;
            let there = towards(at(x, y), at(to_x, to_y), mm);
            prop_assert!(distance_mm(at(x, y), there) <= mm);
            let side = side_of(at(x, y), at(to_x, to_y));
            prop_assert!(distance_mm(at(x, y), beside(at(x, y), side, mm)) <= mm);
        }
    }
}
