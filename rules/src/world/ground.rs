//! The ground of one block: for each cell, whether it can be entered and how fast.
//!
//! Keeps true: two bits a cell, 1,024 bytes a block, whatever made it; rows of 64 cells are one
//! `u64` each, so that lines and floods go word by word. Leaves out on purpose: where it is from.

use super::BLOCK_CELLS;

/// Cells along a block's edge.
const EDGE: usize = BLOCK_CELLS as usize;
/// Bytes of a block's ground.
pub const GROUND_BYTES: usize = EDGE * EDGE / 4;

/// What walking over a cell is like. Few, so that whoever walks straight is seldom slowed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u8)]
pub enum GroundClass {
    /// Nothing enters: cliffs, deep water, trees, rocks, walls.
    Blocked = 0,
    /// Meadow, road, sand: full speed.
    Easy = 1,
    /// Forest floor, scree, slopes: three quarters of it.
    Rough = 2,
    /// Shallow water, snow, steep slopes: half of it.
    Hard = 3,
}

impl GroundClass {
    /// All classes, by their number.
    pub const ALL: [Self; 4] = [Self::Blocked, Self::Easy, Self::Rough, Self::Hard];

    /// The speed left on it, percent of the full one; 0 where nothing enters.
    pub const fn speed_percent(self) -> u16 {
        match self {
            Self::Blocked => 0,
            Self::Easy => 100,
            Self::Rough => 75,
            Self::Hard => 50,
        }
    }

    /// The number that stands in two bits.
    pub const fn code(self) -> u8 {
        self as u8
    }

    /// The class of the lowest two bits.
    pub const fn from_code(code: u8) -> Self {
        match code & 3 {
            0 => Self::Blocked,
            1 => Self::Easy,
            2 => Self::Rough,
            _ => Self::Hard,
        }
    }
}

/// The ground of one block. Cells count from its south-western corner, x to the east.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BlockGround {
    /// Bit `x` of `low[y]` and `high[y]` are the two bits of cell (x, y).
    low: [u64; EDGE],
    high: [u64; EDGE],
}

impl BlockGround {
    /// The same class everywhere.
    pub const fn uniform(class: GroundClass) -> Self {
        let low = if class.code() & 1 == 0 { 0 } else { u64::MAX };
        let high = if class.code() & 2 == 0 { 0 } else { u64::MAX };
        Self { low: [low; EDGE], high: [high; EDGE] }
    }

    /// The class of a cell; both coordinates count modulo 64.
    pub const fn class(&self, x: usize, y: usize) -> GroundClass {
        let (x, y) = (x % EDGE, y % EDGE);
        let low = (self.low[y] >> x) & 1;
        let high = (self.high[y] >> x) & 1;
        match (high, low) {
            (0, 0) => GroundClass::Blocked,
            (0, _) => GroundClass::Easy,
            (_, 0) => GroundClass::Rough,
            (_, _) => GroundClass::Hard,
        }
    }

    /// Gives a cell a class; both coordinates count modulo 64.
    pub const fn set(&mut self, x: usize, y: usize, class: GroundClass) {
        let (x, y) = (x % EDGE, y % EDGE);
        let bit = 1_u64 << x;
        let code = class.code();
        self.low[y] = if code & 1 == 0 { self.low[y] & !bit } else { self.low[y] | bit };
        self.high[y] = if code & 2 == 0 { self.high[y] & !bit } else { self.high[y] | bit };
    }

    /// Which cells of a row can be entered: bit x for cell (x, y). The row counts modulo 64.
    pub const fn open_row(&self, y: usize) -> u64 {
        self.low[y % EDGE] | self.high[y % EDGE]
    }

    /// The bytes that stand in rows: 64 low words, then 64 high ones, little-endian.
    pub fn to_bytes(&self) -> Vec<u8> {
        self.low.iter().chain(&self.high).flat_map(|word| word.to_le_bytes()).collect()
    }

    /// The ground of those bytes; none unless there are [`GROUND_BYTES`].
    pub fn from_bytes(bytes: &[u8]) -> Option<Self> {
        if bytes.len() != GROUND_BYTES {
            return None;
        }
        let mut ground = Self::uniform(GroundClass::Blocked);
        let words = ground.low.iter_mut().chain(&mut ground.high);
        for (word, bytes) in words.zip(bytes.as_chunks::<8>().0) {
            *word = u64::from_le_bytes(*bytes);
        }
        Some(ground)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_uniform_block_has_one_class() {
        for class in GroundClass::ALL {
            let ground = BlockGround::uniform(class);
            assert_eq!(GroundClass::from_code(class.code()), class);
            assert_eq!((ground.class(0, 0), ground.class(63, 63)), (class, class));
            assert_eq!(ground.open_row(9) == u64::MAX, class != GroundClass::Blocked);
        }
        assert_eq!(BlockGround::from_bytes(&[0; GROUND_BYTES - 1]), None);
    }

    proptest! {
        #[test]
        fn cells_keep_their_class(
            cells in prop::collection::btree_map((0..64_usize, 0..64_usize), 0..4_u8, 0..300),
        ) {
            let mut ground = BlockGround::uniform(GroundClass::Rough);
            for ((x, y), code) in &cells {
                ground.set(*x, *y, GroundClass::from_code(*code));
            }
            let read = BlockGround::from_bytes(&ground.to_bytes()).expect("as many bytes");
            for (x, y) in (0..64).flat_map(|x| (0..64).map(move |y| (x, y))) {
                let code = cells.get(&(x, y)).copied().unwrap_or(GroundClass::Rough.code());
                prop_assert_eq!(read.class(x, y).code(), code);
                prop_assert_eq!((read.open_row(y) >> x) & 1 == 1, code != 0);
            }
        }
    }
}
