//! Tightening: a path of clear legs made shorter, leg by leg.
//!
//! Keeps true: every leg stays clear, and no change makes the path longer. Three moves, repeated
//! at most [`ROUNDS_MAX`] times: skip waypoints that need not be met, move a waypoint toward the
//! line between its neighbours, and cut the corner at a waypoint.

use super::line::{distance, is_clear};
use super::window::{Place, Window};

/// How often the moves are repeated.
const ROUNDS_MAX: usize = 6;
/// Most rows of cells looked through for clear lines by a whole search.
pub(super) const ROWS_MAX: u32 = super::search::SEARCH_ROWS_MAX + 100_000;
/// Waypoints looked ahead before the nearest one that is out of sight ends a leg.
const AHEAD_MAX: usize = 6;
/// Corners are not cut nearer to their waypoint than this, millimetres.
const CUT_MM: u32 = 700;
/// Halvings of the way a waypoint is moved.
const HALVINGS: u32 = 5;
/// A round that gains less than one part in this many is the last.
const GAIN_PARTS: u64 = 1_000;

/// The length of a path, millimetres.
pub(super) fn length(places: &[Place]) -> u64 {
    places.windows(2).map(|leg| u64::from(distance(leg[0], leg[1]))).sum()
}

/// Shortens a path whose legs are all clear.
pub(super) fn tighten(window: &mut Window<'_>, mut places: Vec<Place>) -> Vec<Place> {
    places = skip(window, &places);
    for _ in 0..ROUNDS_MAX {
        let before = length(&places);
        relax(window, &mut places);
        places = cut_corners(window, &places);
        places.reverse();
        places = skip(window, &places);
        places.reverse();
        places = skip(window, &places);
        let gain = before.saturating_sub(length(&places));
        if gain <= before / GAIN_PARTS {
            break;
        }
    }
    places
}

fn may_look(window: &mut Window<'_>, from: Place, to: Place) -> bool {
    window.work.rows < ROWS_MAX && is_clear(window, from, to)
}

/// Goes from each waypoint straight to the farthest one in sight.
fn skip(window: &mut Window<'_>, places: &[Place]) -> Vec<Place> {
    let mut kept = vec![places[0]];
    let mut at = 0;
    while at + 1 < places.len() {
        let mut far = at + 1;
        let mut misses = 0;
        for next in at + 2..places.len() {
            if may_look(window, places[at], places[next]) {
                (far, misses) = (next, 0);
            } else {
                misses += 1;
                if misses == AHEAD_MAX {
                    break;
                }
            }
        }
        kept.push(places[far]);
        at = far;
    }
    kept
}

/// The place that many 1024ths of the way from one to the other.
fn between(from: Place, to: Place, parts: i64) -> Place {
    let on = |from: i32, to: i32| {
        let way = i64::from(to) - i64::from(from);
        from + i32::try_from(way * parts / 1_024).unwrap_or(0)
    };
    (on(from.0, to.0), on(from.1, to.1))
}

/// Moves each waypoint toward the line between its neighbours, as far as it goes.
fn relax(window: &mut Window<'_>, places: &mut [Place]) {
    for index in 1..places.len().saturating_sub(1) {
        let (before, corner, after) = (places[index - 1], places[index], places[index + 1]);
        let (to, on) = (u64::from(distance(before, corner)), u64::from(distance(corner, after)));
        let parts = i64::try_from(to * 1_024 / (to + on).max(1)).unwrap_or(512);
        let foot = between(before, after, parts);
        let (mut free, mut step) = (0, 512);
        for _ in 0..HALVINGS {
            let moved = between(corner, foot, free + step);
            if may_look(window, before, moved) && may_look(window, moved, after) {
                free += step;
            }
            step /= 2;
        }
        let moved = between(corner, foot, free);
        let new = u64::from(distance(before, moved)) + u64::from(distance(moved, after));
        if new < to + on {
            places[index] = moved;
        }
    }
}

/// Replaces waypoints by two, one before and one after, that see each other.
fn cut_corners(window: &mut Window<'_>, places: &[Place]) -> Vec<Place> {
    let mut kept = vec![places[0]];
    for index in 1..places.len().saturating_sub(1) {
        let (corner, after) = (places[index], places[index + 1]);
        let before = kept[kept.len() - 1];
        let legs = (distance(corner, before), distance(corner, after));
        let mut reach = legs.0.min(legs.1);
        let mut cut = None;
        while reach >= CUT_MM && cut.is_none() {
            let toward = |end: Place, leg: u32| {
                between(corner, end, i64::from(reach) * 1_024 / i64::from(leg.max(1)))
            };
            let (near, far) = (toward(before, legs.0), toward(after, legs.1));
            let is_cut = may_look(window, near, far)
                && may_look(window, before, near)
                && may_look(window, far, after);
            cut = is_cut.then_some([near, far]);
            reach /= 2;
        }
        match cut {
            Some(cut) => kept.extend(cut),
            None => kept.push(corner),
        }
    }
    if places.len() > 1 {
        kept.push(places[places.len() - 1]);
    }
    kept.dedup();
    kept
}
