//! Areas: which points a sphere, cone, line or cube holds, exactly.
//!
//! Keeps true: whole numbers decide; nothing is rounded, and turning an area by a quarter changes
//! nothing. Leaves out on purpose: walls, and height: the world is flat for areas.

use crate::content::Area;

/// The longest extent that counts, millimetres; longer ones are cut off here.
pub const EXTENT_MM_MAX: u32 = 1_000_000;

/// A point of the ground, millimetres east and north of the origin.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Point {
    /// East.
    pub x_mm: i32,
    /// North.
    pub y_mm: i32,
}

/// A direction; only its angle counts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Direction {
    /// East.
    pub dx: i32,
    /// North.
    pub dy: i32,
}

impl Direction {
    /// From one point towards another; without length if they are the same.
    pub const fn between(from: Point, to: Point) -> Self {
        // Halved, so that it fits whatever the points are.
        let dx = (to.x_mm as i64 - from.x_mm as i64) / 2;
        let dy = (to.y_mm as i64 - from.y_mm as i64) / 2;
        let is_near = dx.abs() < 1_000_000 && dy.abs() < 1_000_000;
        if is_near {
            return Self { dx: to.x_mm - from.x_mm, dy: to.y_mm - from.y_mm };
        }
        Self { dx: cut(dx), dy: cut(dy) }
    }
}

/// Half of a difference of `i32`s, as one.
#[expect(clippy::cast_possible_truncation, reason = "half of the difference fits")]
const fn cut(half: i64) -> i32 {
    half as i32
}

/// Where a point lies as seen along a direction, each times the direction's length.
struct Seen {
    /// How far along it, times its length.
    along: i128,
    /// How far beside it, times its length.
    beside: i128,
    /// The square of its length.
    length_squared: i128,
}

impl Seen {
    fn of(dx: i64, dy: i64, direction: Direction) -> Self {
        let (dx, dy) = (i128::from(dx), i128::from(dy));
        let (east, north) = (i128::from(direction.dx), i128::from(direction.dy));
        Self {
            along: dx * east + dy * north,
            beside: (dx * north - dy * east).abs(),
            length_squared: east * east + north * north,
        }
    }

    /// Whether some multiple of a length is at most so many millimetres.
    const fn is_within(&self, times_length: i128, limit_mm: i128) -> bool {
        times_length * times_length <= limit_mm * limit_mm * self.length_squared
    }
}

/// Whether an area holds a point (SRD 5.1, "Spellcasting", Areas of Effect).
///
/// A sphere and a cube have `origin` as their middle, the cube turned to the direction; a cone and
/// a line begin there and do not hold it. A cone is as wide at a distance as that distance. Without
/// a direction a cube lies along the axes, and a cone and a line hold nothing. Edges count.
pub fn holds(area: &Area, origin: Point, direction: Direction, point: Point) -> bool {
    let dx = i64::from(point.x_mm) - i64::from(origin.x_mm);
    let dy = i64::from(point.y_mm) - i64::from(origin.y_mm);
    let far = dx.abs().max(dy.abs());
    if far > 2 * i64::from(EXTENT_MM_MAX) {
        return false;
    }
    let extent = |extent_mm: u32| i128::from(extent_mm.min(EXTENT_MM_MAX));
    let has_direction = direction != Direction::default();
    let seen = Seen::of(dx, dy, direction);
    let is_ahead = has_direction && (dx, dy) != (0, 0) && seen.along >= 0;
    match *area {
        Area::Sphere { radius_mm } => {
            let (dx, dy) = (i128::from(dx), i128::from(dy));
            dx * dx + dy * dy <= extent(radius_mm) * extent(radius_mm)
        }
        Area::Cone { length_mm } => {
            is_ahead
                && seen.is_within(seen.along, extent(length_mm))
                && 2 * seen.beside <= seen.along
        }
        Area::Line { length_mm, width_mm } => {
            is_ahead
                && seen.is_within(seen.along, extent(length_mm))
                && seen.is_within(2 * seen.beside, extent(width_mm))
        }
        Area::Cube { side_mm } if has_direction => {
            seen.is_within(2 * seen.along.abs(), extent(side_mm))
                && seen.is_within(2 * seen.beside, extent(side_mm))
        }
        Area::Cube { side_mm } => 2 * i128::from(far) <= extent(side_mm),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const EAST: (i32, i32) = (1, 0);

    fn check(area: Area, (dx, dy): (i32, i32), holding: &[(i32, i32)], not: &[(i32, i32)]) {
        let holds = |(x_mm, y_mm): (i32, i32)| {
            holds(&area, Point::default(), Direction { dx, dy }, Point { x_mm, y_mm })
        };
        for point in holding {
            assert!(holds(*point), "{area:?} holds {point:?}");
        }
        for point in not {
            assert!(!holds(*point), "{area:?} does not hold {point:?}");
        }
    }

    #[test]
    fn a_sphere_is_round() {
        let sphere = Area::Sphere { radius_mm: 5 };
        check(sphere, (0, 0), &[(0, 0), (3, 4), (-5, 0)], &[(4, 4), (6, 0), (i32::MIN, 0)]);
    }

    #[test]
    fn a_cone_is_as_wide_as_far() {
        let cone = Area::Cone { length_mm: 10 };
        let out = [(0, 0), (11, 0), (10, 6), (3, 2), (-1, 0), (0, 1)];
        check(cone, EAST, &[(10, 0), (10, 5), (10, -5), (4, 2), (1, 0)], &out);
        check(cone, (i32::MAX, i32::MAX), &[(7, 7), (3, 1)], &[(8, 7), (3, 0)]);
        check(cone, (0, 0), &[], &[(0, 0), (1, 0)]);
    }

    #[test]
    fn a_line_is_long_and_thin() {
        let line = Area::Line { length_mm: 10, width_mm: 4 };
        check(line, EAST, &[(10, 2), (1, -2), (0, 2)], &[(0, 0), (11, 0), (5, 3), (-1, 0)]);
        check(line, (3, 4), &[(6, 8)], &[(7, 8), (-3, -4)]);
    }

    #[test]
    fn a_cube_turns() {
        let cube = Area::Cube { side_mm: 10 };
        check(cube, (0, 0), &[(0, 0), (5, 5), (-5, 5)], &[(6, 0)]);
        check(cube, (1, 1), &[(7, 0), (0, -7), (3, 4)], &[(5, 5), (8, 0)]);
    }

    #[test]
    fn directions_fit() {
        let (west, east) = (Point { x_mm: i32::MIN, y_mm: 0 }, Point { x_mm: i32::MAX, y_mm: 0 });
        assert_eq!(Direction::between(west, east), Direction { dx: i32::MAX, dy: 0 });
        assert_eq!(Direction::between(west, west), Direction::default());
        let near = Point { x_mm: i32::MIN + 1, y_mm: 3 };
        assert_eq!(Direction::between(west, near), Direction { dx: 1, dy: 3 });
    }

    proptest! {
        #[test]
        fn a_quarter_turn_changes_nothing(
            at in prop::array::uniform2(-1_500_i32..1_500),
            to in prop::array::uniform2(-1_000_i32..1_000),
            mm in 1_u32..1_500,
        ) {
            let [x_mm, y_mm] = at;
            let [dx, dy] = to;
            for area in [
                Area::Sphere { radius_mm: mm },
                Area::Cone { length_mm: mm },
                Area::Line { length_mm: mm, width_mm: mm / 2 },
                Area::Cube { side_mm: mm },
            ] {
                let origin = Point::default();
                let one = holds(&area, origin, Direction { dx, dy }, Point { x_mm, y_mm });
                let turned = Point { x_mm: -y_mm, y_mm: x_mm };
                let other = holds(&area, origin, Direction { dx: -dy, dy: dx }, turned);
                prop_assert_eq!(one, other);
            }
        }

        #[test]
        fn any_numbers_get_an_answer(
            points in prop::array::uniform6(any::<i32>()),
            mm in any::<u32>(),
        ) {
            let [x, y, dx, dy, x_mm, y_mm] = points;
            for area in [Area::Cone { length_mm: mm }, Area::Cube { side_mm: mm }] {
                let origin = Point { x_mm: x, y_mm: y };
                let point = Point { x_mm, y_mm };
                let is_held = holds(&area, origin, Direction { dx, dy }, point);
                let east = (i64::from(x) - i64::from(x_mm)).abs();
                prop_assert!(!is_held || east <= 2 * i64::from(EXTENT_MM_MAX));
            }
        }
    }
}
