//! Whether a straight line can be walked.
//!
//! Keeps true: a clear line stays [`CLEARANCE_MM`] away from every blocked cell, because a walker
//! whose velocity is cut to whole millimetres per second strays from it. Only at a start that
//! is itself nearer to an obstacle the clearance begins at nothing: there nobody has strayed yet.
//! A goal that is nearer is entered from the middle of its own cell.

use super::window::{Place, Window};
use crate::world::CELL_MM;

/// How far every obstacle must be from a line, millimetres, measured along both axes.
pub(super) const CLEARANCE_MM: i32 = 200;
/// What rounding places along a line to whole millimetres may hide, millimetres.
const ROUNDING_MM: i32 = 5;
/// Half the width of the band that must be open.
const BAND_MM: i32 = CLEARANCE_MM + ROUNDING_MM;
/// Half the width of the band just after a start that is near an obstacle.
const START_BAND_MM: i32 = 20;
/// How long that narrower band is, millimetres along the longer axis.
const START_MM: i32 = 1_000;
/// Binary places of a fixed-point number of cells.
const CELL_BITS: u32 = 32;

/// The cell of a place.
pub(super) const fn cell_of((x, y): Place) -> (i32, i32) {
    (x.div_euclid(CELL_MM), y.div_euclid(CELL_MM))
}

/// The middle of a cell.
pub(super) const fn centre_of((cell_x, cell_y): (i32, i32)) -> Place {
    (cell_x * CELL_MM + CELL_MM / 2, cell_y * CELL_MM + CELL_MM / 2)
}

/// How far two places are apart, millimetres, rounded down.
pub(super) fn distance(a: Place, b: Place) -> u32 {
    let square = |from: i32, to: i32| u64::from(from.abs_diff(to)).pow(2);
    let root = (square(a.0, b.0) + square(a.1, b.1)).isqrt();
    u32::try_from(root).unwrap_or(u32::MAX)
}

/// Whether no obstacle is nearer to the place than the clearance.
pub(super) fn has_room(window: &mut Window<'_>, place: Place) -> bool {
    is_band_open(window, place, place, BAND_MM)
}

/// Whether somebody can walk straight from one place to the other.
pub(super) fn is_clear(window: &mut Window<'_>, from: Place, to: Place) -> bool {
    let cell = cell_of(from);
    if cell == cell_of(to) {
        return window.is_open(cell.0, cell.1);
    }
    if window.tight_start == Some(from) {
        return is_clear_from_tight(window, from, to);
    }
    is_band_open(window, from, to, BAND_MM)
}

fn is_clear_from_tight(window: &mut Window<'_>, from: Place, to: Place) -> bool {
    let way = (i64::from(to.0 - from.0), i64::from(to.1 - from.1));
    let longer = way.0.abs().max(way.1.abs());
    if longer <= i64::from(START_MM) {
        return false;
    }
    let at = |along: i64| {
        let on = |start: i32, way: i64| start + i32::try_from(way * along / longer).unwrap_or(0);
        (on(from.0, way.0), on(from.1, way.1))
    };
    // The last millimetre in the start's own cell; within that cell any line is clear.
    let home = cell_of(from);
    let (mut inside, mut outside) = (0, i64::from(START_MM));
    while outside - inside > 1 {
        let middle = i64::midpoint(inside, outside);
        if cell_of(at(middle)) == home { inside = middle } else { outside = middle }
    }
    let free = at(i64::from(START_MM));
    window.is_open(home.0, home.1)
        && is_band_open(window, at(inside), free, START_BAND_MM)
        && is_band_open(window, free, to, BAND_MM)
}

/// Whether every cell is open that a square of that half width touches while its middle goes from
/// one place to the other.
///
/// Row by row: the stretch of the line that is near enough to a row of cells, widened, is one mask
/// of a block's row, seldom two. Both ends of the stretch move on by the line's slope, a fixed-
/// point number of cells, but never beyond the ends of the line.
fn is_band_open(window: &mut Window<'_>, from: Place, to: Place, half_mm: i32) -> bool {
    let (low, high) = if from.1 <= to.1 { (from, to) } else { (to, from) };
    let first_row = (low.1 - half_mm).div_euclid(CELL_MM);
    let last_row = (high.1 + half_mm).div_euclid(CELL_MM);
    let (west, east) = (cells(low.0.min(high.0) - half_mm), cells(low.0.max(high.0) + half_mm));
    let (mut left, mut right, mut slope) = (west, east, 0);
    if high.1 != low.1 {
        slope = (i64::from(high.0 - low.0) << CELL_BITS) / i64::from(high.1 - low.1);
        let x_at = |y_mm: i32| cells(low.0) + slope * i64::from(y_mm - low.1) / i64::from(CELL_MM);
        let at_south = x_at(first_row * CELL_MM - half_mm);
        let at_north = x_at(first_row * CELL_MM + CELL_MM + half_mm);
        left = at_south.min(at_north) - cells(half_mm);
        right = at_south.max(at_north) + cells(half_mm);
    }
    let mut known = (i32::MIN, i32::MIN, 0);
    for row in first_row..=last_row {
        window.work.rows += 1;
        let first = whole_cells(left.clamp(west, east));
        let last = whole_cells(right.clamp(west, east));
        let (block_x, block_y) = (first >> 6, row >> 6);
        if last >> 6 == block_x {
            if (known.0, known.1) != (block_x, block_y) {
                let Some(slot) = window.slot(block_x, block_y) else { return false };
                known = (block_x, block_y, slot);
            }
            let wanted = (u64::MAX >> (63 - (last & 63))) & (u64::MAX << (first & 63));
            if !window.rows(known.2)[(row & 63).unsigned_abs() as usize] & wanted != 0 {
                return false;
            }
        } else if !window.are_open(row, first, last) {
            return false;
        }
        left += slope;
        right += slope;
    }
    true
}

/// Millimetres as a fixed-point number of cells.
const fn cells(mm: i32) -> i64 {
    ((mm as i64) << CELL_BITS) / CELL_MM as i64
}

/// The cell of a fixed-point number that lies in a window.
const fn whole_cells(cells: i64) -> i32 {
    (cells >> CELL_BITS) as i32
}
