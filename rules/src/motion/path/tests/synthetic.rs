//! Land made up for tests: lakes, cliffs with gaps, rivers with fords, settlements, single trees.
//!
//! It only has to look like a world to somebody who searches a way through it.

/// A square world of open and blocked cells, from cell (0, 0) on.
pub(super) struct Synthetic {
    size_blocks: i32,
    blocks: Vec<[u64; 64]>,
}

impl Synthetic {
    /// The world of that seed.
    pub(super) fn new(seed: u64, size_blocks: i32) -> Self {
        let made = (0..size_blocks * size_blocks).map(|index| {
            let (left, below) = (index % size_blocks * 64, index / size_blocks * 64);
            let row = |y: i32| {
                let open = |x: &i32| !is_blocked(seed, left + x, below + y);
                (0..64).filter(open).fold(0, |row, x| row | 1_u64 << x)
            };
            std::array::from_fn(|y| row(i32::try_from(y).unwrap_or(0)))
        });
        Self { size_blocks, blocks: made.collect() }
    }

    /// The rows of a block.
    pub(super) fn rows(&self, block_x: i32, block_y: i32) -> Option<[u64; 64]> {
        let inside = |block: i32| (0..self.size_blocks).contains(&block);
        let index = usize::try_from(block_y * self.size_blocks + block_x).ok()?;
        (inside(block_x) && inside(block_y)).then(|| self.blocks[index])
    }
}

/// Chance for a place, the same each time.
pub(super) fn dice(seed: u64, x: i32, y: i32) -> u64 {
    let mut word = seed ^ u64::from(x.cast_unsigned()) << 32 ^ u64::from(y.cast_unsigned());
    word = (word ^ word >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    word = (word ^ word >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
    word ^ word >> 31
}

/// Noise between 0 and 1023 that changes over that many cells.
fn value(seed: u64, x: i32, y: i32, scale: i32) -> i64 {
    let (left, below) = (x.div_euclid(scale), y.div_euclid(scale));
    let at = |x: i32, y: i32| i64::try_from(dice(seed, x, y) % 1_024).unwrap_or(0);
    let smooth = |way: i32| {
        let part = i64::from(way) * 1_024 / i64::from(scale);
        part * part * (3 * 1_024 - 2 * part) / (1_024 * 1_024)
    };
    let (right, up) = (smooth(x.rem_euclid(scale)), smooth(y.rem_euclid(scale)));
    let mix = |a: i64, b: i64, part: i64| (a * (1_024 - part) + b * part) / 1_024;
    let low = mix(at(left, below), at(left + 1, below), right);
    mix(low, mix(at(left, below + 1), at(left + 1, below + 1), right), up)
}

fn noise(seed: u64, x: i32, y: i32, scale: i32) -> i64 {
    let fine = value(seed ^ 1, x, y, scale / 3) + value(seed ^ 2, x, y, scale / 9) / 2;
    (value(seed, x, y, scale) * 4 + fine) * 2 / 11
}

fn is_blocked(seed: u64, x: i32, y: i32) -> bool {
    let lake = noise(seed ^ 0x10, x, y, 110) < 330;
    let cliff =
        (500..520).contains(&noise(seed ^ 0x20, x, y, 160)) && noise(seed ^ 0x30, x, y, 60) > 400;
    let river = (495..530).contains(&noise(seed ^ 0x40, x, y, 400));
    let ford = x.rem_euclid(150) < 7 || y.rem_euclid(150) < 7;
    let tree = dice(seed ^ 0x50, x, y) % 1_000 < 7;
    lake || cliff || river && !ford || tree || is_house(seed, x, y)
}

/// Every fifth square of 128 cells is a settlement: lots of 14 cells, most with a walled house.
fn is_house(seed: u64, x: i32, y: i32) -> bool {
    if !dice(seed ^ 0x60, x.div_euclid(128), y.div_euclid(128)).is_multiple_of(5) {
        return false;
    }
    let chance = dice(seed ^ 0x70, x.div_euclid(14), y.div_euclid(14));
    let (left, below) = (x.rem_euclid(14) - 2, y.rem_euclid(14) - 2);
    let width = 6 + i32::try_from(chance >> 8 & 3).unwrap_or(0);
    let height = 5 + i32::try_from(chance >> 16 & 3).unwrap_or(0);
    let within = (0..width).contains(&left) && (0..height).contains(&below);
    let wall = left == 0 || below == 0 || left == width - 1 || below == height - 1;
    let door = left == width / 2 && below == 0;
    within && wall && !door && !chance.is_multiple_of(4)
}
