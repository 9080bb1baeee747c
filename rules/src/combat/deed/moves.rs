//! Who is moved: pushed, pulled, carried off by magic.

use super::super::aim::{distance_mm, distance_squared};
use super::super::areas::Point;
use super::{Act, Consequence, Line};

/// How near somebody is pulled, millimetres.
const PULLED_TO_MM: u32 = 1_000;

/// Away from the user.
pub(super) fn push(act: &mut Act<'_, '_>, far_mm: u32, line: &mut Line) {
    let (from, at) = (act.user().place, act.target().place);
    carry(act, along(from, at, i64::from(far_mm)));
    line.say("pushed");
}

/// Towards the user, and not past it.
pub(super) fn pull(act: &mut Act<'_, '_>, far_mm: u32, line: &mut Line) {
    let (from, at) = (act.user().place, act.target().place);
    let most_mm = distance_mm(from, at).saturating_sub(PULLED_TO_MM);
    carry(act, along(from, at, -i64::from(far_mm.min(most_mm))));
    line.say("pulled");
}

fn carry(act: &mut Act<'_, '_>, to: Point) {
    let entity_id = act.target().entity_id;
    act.told.consequences.push(Consequence::Moved { entity_id, to, is_teleport: false });
}

/// The user itself, to where it aimed.
pub(super) fn teleport(act: &mut Act<'_, '_>) {
    let (entity_id, to) = (act.user().entity_id, act.deed.at);
    act.told.consequences.push(Consequence::Moved { entity_id, to, is_teleport: true });
}

/// The place so far from `at` on the line from `from` through it, the north where both are one; cut
/// off to whole millimetres.
fn along(from: Point, at: Point, far_mm: i64) -> Point {
    let way = |a: i32, b: i32| i64::from(b) - i64::from(a);
    let (dx, dy) = (way(from.x_mm, at.x_mm), way(from.y_mm, at.y_mm));
    let length = distance_squared(from, at).isqrt();
    let (dx, dy, length) = if length == 0 { (0, 1, 1) } else { (dx, dy, length) };
    let moved = |start: i32, part: i64| {
        let to = i64::from(start) + part * far_mm / length;
        i32::try_from(to).unwrap_or(start)
    };
    Point { x_mm: moved(at.x_mm, dx), y_mm: moved(at.y_mm, dy) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_way_goes_on_along_the_line() {
        let at = |x_mm, y_mm| Point { x_mm, y_mm };
        let far = at(i32::MAX, i32::MIN);
        for (from, to, far_mm, expected) in [
            (at(0, 0), at(3_000, 4_000), 1_500, at(3_900, 5_200)),
            (at(0, 0), at(3_000, 4_000), -1_500, at(2_100, 2_800)),
            (at(0, 0), at(-3_000, 0), 1_500, at(-4_500, 0)),
            (at(7, 7), at(7, 7), 1_500, at(7, 1_507)),
            (at(i32::MIN, i32::MAX), far, 1_500, far),
        ] {
            assert_eq!(along(from, to, far_mm), expected, "{from:?} {to:?}");
        }
    }
}
