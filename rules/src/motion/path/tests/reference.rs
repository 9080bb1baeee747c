//! The shortest way as well as a test can tell: slow, and made without the code it judges.
//!
//! A* over single cells with steps in 32 directions (all coprime ones up to three cells), so the
//! choice of the way is at most 1.3 % off; then the shortest chain of straight lines over all the
//! cells of that way. Lines need no room at all, but do not touch a blocked cell's corner.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

/// A world's cells, one by one, and what a search writes on them.
pub(super) struct Reference {
    size: i32,
    open: Vec<bool>,
    lengths: Vec<(u32, u32, u32)>,
    round: u32,
    steps: Vec<Step>,
}

struct Step {
    way: (i32, i32),
    length_mm: u32,
    touched: Vec<(i32, i32)>,
}

impl Reference {
    /// Over the cells from (0, 0) on.
    pub(super) fn new(size: i32, is_open: impl Fn(i32, i32) -> bool) -> Self {
        let cells = (0..size * size).map(|index| is_open(index % size, index / size));
        let open: Vec<_> = cells.collect();
        Self { size, lengths: vec![(0, 0, 0); open.len()], open, round: 0, steps: steps() }
    }

    /// Whether a cell is open.
    pub(super) fn is_open(&self, x: i32, y: i32) -> bool {
        let inside = (0..self.size).contains(&x) && (0..self.size).contains(&y);
        inside && self.open[usize::try_from(y * self.size + x).unwrap_or(0)]
    }

    fn index(&self, (x, y): (i32, i32)) -> usize {
        usize::try_from(y * self.size + x).unwrap_or(0)
    }

    /// The length of the shortest way, millimetres; none if there is none.
    pub(super) fn shortest_mm(&mut self, from: (i32, i32), to: (i32, i32)) -> Option<f64> {
        if self.is_clear(from, to) {
            return Some(far(from, to));
        }
        let cells = self.cells((from.0 / 1_000, from.1 / 1_000), (to.0 / 1_000, to.1 / 1_000))?;
        let middle = |cell: &(i32, i32)| (cell.0 * 1_000 + 500, cell.1 * 1_000 + 500);
        let mut places = vec![from];
        places.extend(cells.iter().map(middle));
        places.push(to);
        let mut best = vec![f64::MAX; places.len()];
        best[0] = 0.0;
        for end in 1..places.len() {
            for start in (0..end).rev() {
                let length = best[start] + far(places[start], places[end]);
                if length < best[end] && self.is_clear(places[start], places[end]) {
                    best[end] = length;
                }
            }
        }
        best.last().copied().filter(|length| *length < f64::MAX)
    }

    fn cells(&mut self, from: (i32, i32), to: (i32, i32)) -> Option<Vec<(i32, i32)>> {
        self.round += 1;
        let mut queue = BinaryHeap::new();
        let start = self.index(from);
        self.lengths[start] = (self.round, 0, u32::MAX);
        queue.push((Reverse(0), 0, from));
        while let Some((_, length, cell)) = queue.pop() {
            if cell == to {
                return Some(self.back(cell));
            }
            let here = self.index(cell);
            if self.lengths[here].1 < length {
                continue;
            }
            for step in &self.steps {
                let on = |way: &(i32, i32)| (cell.0 + way.0, cell.1 + way.1);
                if !step.touched.iter().map(on).all(|(x, y)| self.is_open(x, y)) {
                    continue;
                }
                let (next, length) = (on(&step.way), length + step.length_mm);
                let there = self.index(next);
                let seen = self.lengths[there];
                if seen.0 != self.round || length < seen.1 {
                    self.lengths[there] = (self.round, length, u32::try_from(here).unwrap_or(0));
                    queue.push((Reverse(length + whole(far(next, to) * 1_000.0)), length, next));
                }
            }
        }
        None
    }

    fn back(&self, mut cell: (i32, i32)) -> Vec<(i32, i32)> {
        let mut cells = vec![cell];
        // The start came from no cell: its number does not fit.
        while let Ok(before) = i32::try_from(self.lengths[self.index(cell)].2) {
            cell = (before % self.size, before / self.size);
            cells.push(cell);
        }
        cells.reverse();
        cells
    }

    /// Whether no cell that the line touches is blocked.
    pub(super) fn is_clear(&self, from: (i32, i32), to: (i32, i32)) -> bool {
        let (low, high) = if from.1 <= to.1 { (from, to) } else { (to, from) };
        let (rise, run) = (i64::from(high.1 - low.1), i64::from(high.0 - low.0));
        let first = (low.1 - 1).div_euclid(1_000);
        (first..=high.1.div_euclid(1_000)).all(|row| {
            let mut ends = (i64::from(low.0) * 1_000, i64::from(high.0) * 1_000);
            if rise > 0 {
                // In thousandths of a millimetre, so that rounding hides nothing that matters.
                let at = |y: i32| {
                    let way = i64::from(y.clamp(low.1, high.1) - low.1);
                    i64::from(low.0) * 1_000 + run * way * 1_000 / rise
                };
                ends = (at(row * 1_000), at(row * 1_000 + 1_000));
            }
            let cell = |micros: i64| i32::try_from(micros.div_euclid(1_000_000)).unwrap_or(-1);
            let (left, right) = (ends.0.min(ends.1), ends.0.max(ends.1));
            let before_first = row == first && low.1.div_euclid(1_000) != row;
            before_first && low.1 % 1_000 != 0
                || (cell(left - 1)..=cell(right)).all(|x| self.is_open(x, row))
        })
    }
}

/// How far two places are apart.
pub(super) fn far(a: (i32, i32), b: (i32, i32)) -> f64 {
    f64::from(a.0 - b.0).hypot(f64::from(a.1 - b.1))
}

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "lengths of a test")]
fn whole(length: f64) -> u32 {
    length as u32
}

/// The 32 ways to go, and the cells whose closed square the straight line to there touches.
fn steps() -> Vec<Step> {
    let near = || (-3..=3).flat_map(|x: i32| (-3..=3).map(move |y: i32| (x, y)));
    let is_whole = |way: &(i32, i32)| {
        let (x, y) = (way.0.abs(), way.1.abs());
        (2..=3).all(|part| x % part != 0 || y % part != 0)
            && x.max(y) > 0
            && (x.min(y) > 0 || x + y == 1)
    };
    let made = near().filter(is_whole).map(|way| {
        let length_mm = whole(far((0, 0), way) * 1_000.0);
        let touched = near().filter(|cell| touches(way, *cell)).collect();
        Step { way, length_mm, touched }
    });
    made.collect()
}

/// Whether the line from the origin to that cell's centre touches the other cell's square: the
/// square's middle is not farther from the line than its half diagonal seen along the line.
fn touches(way: (i32, i32), cell: (i32, i32)) -> bool {
    let within = |way: i32, cell: i32| (way.min(0)..=way.max(0)).contains(&cell);
    let aside = 2 * (way.0 * cell.1 - way.1 * cell.0).abs();
    within(way.0, cell.0) && within(way.1, cell.1) && aside <= way.0.abs() + way.1.abs()
}
