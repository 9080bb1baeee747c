//! Paths: waypoints around obstacles, found in bounded work.
//!
//! What is short is the length of the way, not its time: a path leads straight through rough
//! ground. Keeps true: every leg can be walked straight with room on both sides, so that a walker
//! who strays as [`super::plan`] lets him never meets an obstacle; the same ground gives the same
//! path on every machine, integers only; and no search does more than its bounds allow, whatever
//! the ground. Leaves out on purpose: who walks, how fast, and where the ground is from.
//!
//! In three steps: an any-angle search over connected parts of 8×8 cells (`search`), cells one by
//! one where no straight line leads on (`cells`), and tightening (`pull`).

use crate::world::BlockGround;

mod cells;
mod line;
mod pull;
mod search;
mod tiles;
mod window;

use line::{cell_of, centre_of, has_room};
use tiles::Tiles;
use window::{Place, Window, Work};

/// How far a goal may be, millimetres in a straight line.
pub const PATH_RANGE_MM: i32 = 1_000_000;
/// Most waypoints of a path.
pub const WAYPOINTS_MAX: usize = 256;

/// Why there is no path, in the order it is checked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PathError {
    /// The goal is farther than [`PATH_RANGE_MM`].
    TooFar,
    /// The start lies in a cell that cannot be entered.
    StartBlocked,
    /// The goal lies in a cell that cannot be entered.
    GoalBlocked,
    /// Nothing leads there, or only a detour of more than 384 m around both ends.
    NoPath,
    /// The search was given up at one of its bounds, or the path has too many waypoints.
    TooComplex,
}

/// Where the ground comes from.
pub trait Land {
    /// The open cells of a block: bit x of row y for its cell (x, y), counted from its
    /// south-western corner. None where there is no world, or where it is not known; nobody goes
    /// there.
    fn open_rows(&mut self, block_x: i32, block_y: i32) -> Option<[u64; 64]>;
}

impl<F: FnMut(i32, i32) -> Option<[u64; 64]>> Land for F {
    fn open_rows(&mut self, block_x: i32, block_y: i32) -> Option<[u64; 64]> {
        self(block_x, block_y)
    }
}

/// The open cells of a block's ground, as [`Land`] answers them.
pub fn open_rows_of(ground: &BlockGround) -> [u64; 64] {
    std::array::from_fn(|y| ground.open_row(y))
}

/// Waypoints from one position to the other, millimetres: without the start, the goal itself last.
/// A free straight line gives just the goal. At most [`WAYPOINTS_MAX`].
///
/// # Errors
/// In the order of [`PathError`].
pub fn find(
    land: &mut impl Land,
    from_mm: (i32, i32),
    to_mm: (i32, i32),
) -> Result<Vec<(i32, i32)>, PathError> {
    find_counted(land, from_mm, to_mm).0
}

/// Whether a walker gets straight from one position to the other; never beyond [`PATH_RANGE_MM`].
pub fn is_clear(land: &mut impl Land, from_mm: (i32, i32), to_mm: (i32, i32)) -> bool {
    if is_too_far(from_mm, to_mm) {
        return false;
    }
    let mut window = Window::around(land, from_mm, to_mm);
    let (from, to) = (window.place_of(from_mm), window.place_of(to_mm));
    let ends = Ends::of(&mut window, from, to);
    window.tight_start = ends.is_tight_start.then_some(from);
    line::is_clear(&mut window, from, to)
}

/// Whether two positions are more than [`PATH_RANGE_MM`] apart.
pub fn is_too_far(from: (i32, i32), to: (i32, i32)) -> bool {
    let square = |a: i32, b: i32| u128::from(a.abs_diff(b)).pow(2);
    square(from.0, to.0) + square(from.1, to.1) > u128::from(PATH_RANGE_MM.unsigned_abs()).pow(2)
}

/// As [`find`], and what it took.
fn find_counted(
    land: &mut dyn Land,
    from_mm: (i32, i32),
    to_mm: (i32, i32),
) -> (Result<Vec<(i32, i32)>, PathError>, Work) {
    if is_too_far(from_mm, to_mm) {
        return (Err(PathError::TooFar), Work::default());
    }
    let mut window = Window::around(land, from_mm, to_mm);
    let (from, to) = (window.place_of(from_mm), window.place_of(to_mm));
    let found = find_in(&mut window, from, to).and_then(|places| {
        let waypoints = places.into_iter().skip(1).map(|place| window.position_of(place));
        let waypoints: Vec<_> = waypoints.collect();
        if waypoints.len() > WAYPOINTS_MAX { Err(PathError::TooComplex) } else { Ok(waypoints) }
    });
    (found, window.work)
}

/// A path's ends: the exact ones may be nearer to an obstacle than a leg may lead.
struct Ends {
    is_tight_start: bool,
    is_tight_goal: bool,
}

impl Ends {
    fn of(window: &mut Window<'_>, from: Place, to: Place) -> Self {
        Self { is_tight_start: !has_room(window, from), is_tight_goal: !has_room(window, to) }
    }
}

fn find_in(window: &mut Window<'_>, from: Place, to: Place) -> Result<Vec<Place>, PathError> {
    let (from_cell, to_cell) = (cell_of(from), cell_of(to));
    if !window.is_open(from_cell.0, from_cell.1) {
        return Err(PathError::StartBlocked);
    }
    if !window.is_open(to_cell.0, to_cell.1) {
        return Err(PathError::GoalBlocked);
    }
    let ends = Ends::of(window, from, to);
    window.tight_start = ends.is_tight_start.then_some(from);
    if line::is_clear(window, from, to) {
        return Ok(vec![from, to]);
    }
    let first = if ends.is_tight_start { centre_of(from_cell) } else { from };
    let last = if ends.is_tight_goal { centre_of(to_cell) } else { to };
    let mut places = vec![];
    if first != from {
        places.push(from);
    }
    places.extend(legs(window, first, last)?);
    if last != to {
        places.push(to);
    }
    Ok(pull::tighten(window, places))
}

/// A path of clear legs between two places that have room.
fn legs(window: &mut Window<'_>, first: Place, last: Place) -> Result<Vec<Place>, PathError> {
    let mut tiles = Tiles::default();
    let start = tiles.part_at(window, cell_of(first)).ok_or(PathError::StartBlocked)?;
    let goal = tiles.part_at(window, cell_of(last)).ok_or(PathError::GoalBlocked)?;
    if start == goal {
        return bridge(window, &[first, last]);
    }
    tiles.set_place(start, first);
    tiles.set_place(goal, last);
    let places = search::search(window, &mut tiles, start, goal)?;
    bridge(window, &places)
}

/// Fills in cells where a step is not clear.
fn bridge(window: &mut Window<'_>, places: &[Place]) -> Result<Vec<Place>, PathError> {
    let mut filled = vec![places[0]];
    let mut at = 0;
    while at + 1 < places.len() {
        if window.work.rows > pull::ROWS_MAX {
            return Err(PathError::TooComplex);
        }
        let mut end = at + 1;
        if line::is_clear(window, places[at], places[end]) {
            filled.push(places[end]);
        } else {
            while end + 1 < places.len() && !line::is_clear(window, places[end], places[end + 1]) {
                end += 1;
            }
            let (from, to) = (places[at], places[end]);
            // Cells are walked from centre to centre; the ends need not be centres.
            filled.extend((centre_of(cell_of(from)) != from).then(|| centre_of(cell_of(from))));
            filled.extend(cells::walk(window, &places[at..=end])?);
            filled.extend((centre_of(cell_of(to)) != to).then_some(to));
        }
        at = end;
    }
    Ok(filled)
}

#[cfg(test)]
mod tests;
