//! Walks: a range of numbers that is longer than what is wanted of it, read a window at a time.

use std::ops::RangeInclusive;

/// A window with fewer rows is followed by a wider one.
const FEW_ROWS: usize = 64;
/// A window with more rows is followed by a narrower one.
const MANY_ROWS: usize = 4 * FEW_ROWS;
/// How much wider or narrower.
const GROWTH: u64 = 4;
/// Behind so many windows in turn without a row there may be wider ones than were asked for.
const EMPTY_WINDOWS: u32 = 64;

/// Windows of numbers, one behind the other, for ranges that are longer than what is wanted of
/// them.
///
/// They grow as long as there is little in them, so twenty or so reach the greatest number, and a
/// window has about as many rows as lie in a stretch as long as the empty one before it, or as in
/// the narrowest. Where that may be too many, they have a bound ([`Self::up_to`]).
#[derive(Clone, Debug)]
pub struct Walk {
    /// The first number of the next window; none after the greatest.
    from: Option<u64>,
    /// The greatest number of all windows.
    last: u64,
    width: u64,
    narrowest: u64,
    widest: u64,
    /// How many windows without a row are behind it in turn.
    empty: u32,
}

impl Walk {
    /// From a number on, in windows of at least so many numbers.
    pub const fn new(from: u64, narrowest: u64) -> Self {
        let (width, last) = (narrowest, u64::MAX);
        Self { from: Some(from), last, width, narrowest, widest: u64::MAX, empty: 0 }
    }

    /// The same with no window of more numbers than that, but behind `EMPTY_WINDOWS` without a
    /// row: so whatever there is, is reached, however long the gap before it.
    #[must_use]
    pub const fn up_to(self, widest: u64) -> Self {
        Self { widest, ..self }
    }

    /// The same with nothing behind that number.
    #[must_use]
    pub const fn until(self, last: u64) -> Self {
        Self { last, ..self }
    }

    /// The next window; none when the greatest number was passed.
    pub fn window(&self) -> Option<RangeInclusive<u64>> {
        let from = self.from.filter(|from| *from <= self.last)?;
        Some(from..=from.saturating_add(self.width - 1).min(self.last))
    }

    /// Goes on behind the window, in which so many rows were found.
    pub fn pass(&mut self, found: usize) {
        self.from = self.window().and_then(|window| window.end().checked_add(1));
        self.empty = if found == 0 { self.empty.saturating_add(1) } else { 0 };
        let width = if found < FEW_ROWS {
            self.width.saturating_mul(GROWTH)
        } else if found > MANY_ROWS {
            (self.width / GROWTH).max(self.narrowest)
        } else {
            self.width
        };
        let is_gap = self.empty >= EMPTY_WINDOWS;
        self.width = if is_gap { width } else { width.min(self.widest) };
    }

    /// The first rows, `most` at most. `read` answers those of a window, in their order.
    pub fn rows<T>(
        mut self,
        most: usize,
        mut read: impl FnMut(RangeInclusive<u64>) -> Vec<T>,
    ) -> Vec<T> {
        let mut rows = Vec::new();
        while let Some(window) = self.window().filter(|_| rows.len() < most) {
            let found = read(window);
            self.pass(found.len());
            rows.extend(found);
        }
        rows.truncate(most);
        rows
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The windows a walk asks for until it has so many of the rows that are there.
    fn check(walk: &Walk, most: usize, there: &[u64]) -> Vec<RangeInclusive<u64>> {
        let (from, last) = (walk.from.unwrap_or(u64::MAX), walk.last);
        let mut asked: Vec<RangeInclusive<u64>> = Vec::new();
        let found = walk.clone().rows(most, |window| {
            let rows = there.iter().copied().filter(|row| window.contains(row)).collect();
            asked.push(window);
            rows
        });
        let wanted = there.iter().copied().filter(|row| (from..=last).contains(row)).take(most);
        assert_eq!(found, wanted.collect::<Vec<_>>(), "{walk:?}");
        assert!(asked.first().is_none_or(|window| *window.start() == from), "{asked:?}");
        for pair in asked.windows(2) {
            assert_eq!(pair[0].end().checked_add(1), Some(*pair[1].start()), "{asked:?}");
        }
        asked
    }

    #[test]
    fn windows_grow_while_there_is_little_in_them() {
        let walk = Walk::new(10, 2).until(200);
        assert_eq!(check(&walk, 1, &[]), [10..=11, 12..=19, 20..=51, 52..=179, 180..=200]);
        assert_eq!(check(&walk, 1, &[3, 15, 16]), [10..=11, 12..=19]);
        assert_eq!(check(&walk, 3, &[3, 15, 16, 201]).len(), 5);
    }

    #[test]
    fn windows_narrow_where_there_is_much() {
        let there: Vec<u64> = (1_000..3_000).collect();
        let asked = check(&Walk::new(0, 16), 700, &there);
        let wanted = [0..=15, 16..=79, 80..=335, 336..=1_359, 1_360..=1_615, 1_616..=1_871];
        assert_eq!(asked, wanted);
        let asked = check(&Walk::new(1_000, 512), 600, &there);
        assert_eq!(asked, [1_000..=1_511, 1_512..=2_023], "no narrower than the narrowest");
    }

    #[test]
    fn a_walk_ends_at_the_greatest_number() {
        let (greatest, near) = (u64::MAX, u64::MAX - 3);
        let asked = check(&Walk::new(near, 2), 9, &[greatest]);
        assert_eq!(asked, [near..=near + 1, near + 2..=greatest]);
        assert!(check(&Walk::new(0, 2), 1, &[]).len() < 40);
        let whole = Walk::new(0, greatest);
        assert_eq!(check(&whole, 9, &[0, greatest]), [0..=greatest - 1, greatest..=greatest]);
        assert!(check(&Walk::new(9, 1).until(8), 1, &[8, 9]).is_empty());
        assert!(check(&Walk::new(0, 1), 0, &[0]).is_empty(), "nothing is wanted");
    }

    #[test]
    fn windows_keep_to_their_bound_and_still_pass_a_long_gap() {
        let width = |window: &RangeInclusive<u64>| window.end() - window.start() + 1;
        let walk = Walk::new(0, 2).up_to(8);
        let behind = u64::MAX / 2;
        let asked = check(&walk, 2, &[behind, u64::MAX]);
        let (bounded, wider) = asked.split_at(usize::try_from(EMPTY_WINDOWS).expect("small"));
        assert!(bounded.iter().all(|window| width(window) <= 8), "{asked:?}");
        assert_eq!(wider.first().map(width), Some(32));
        assert!(asked.len() < 200, "{}", asked.len());
        let mut walk = walk;
        for _ in 0..80 {
            walk.pass(0);
        }
        walk.pass(FEW_ROWS);
        assert_eq!(walk.window().as_ref().map(width), Some(8), "behind the gap it holds again");
    }
}
