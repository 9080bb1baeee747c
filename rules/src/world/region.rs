//! Regions: named squares of 16×16 blocks.
//!
//! `World → Region (16×16 blocks) → Block (64×64 cells) → Cell (1 m) → millimetre`. Keeps true:
//! every block has just one region and one `region_index`. Leaves out on purpose: what is in them.

use super::{BLOCK_BOUND, BLOCK_CELLS, BLOCK_MM, block_of_cell, block_of_mm};

/// A region's edge, blocks.
pub const REGION_BLOCKS: i32 = 16;
/// A region's edge, cells.
pub const REGION_CELLS: i32 = REGION_BLOCKS * BLOCK_CELLS;
/// A region's edge, millimetres.
pub const REGION_MM: i32 = REGION_BLOCKS * BLOCK_MM;
/// Regions reach from `-REGION_BOUND` to `REGION_BOUND - 1`: as far as blocks do.
pub const REGION_BOUND: i32 = BLOCK_BOUND / REGION_BLOCKS;

/// The region coordinate of a block coordinate, rounding down.
pub const fn region_of_block(block: i32) -> i32 {
    block.div_euclid(REGION_BLOCKS)
}

/// The region coordinate of a cell, rounding down.
pub const fn region_of_cell(cell: i32) -> i32 {
    region_of_block(block_of_cell(cell))
}

/// The region coordinate of a millimetre, rounding down.
pub const fn region_of_mm(mm: i32) -> i32 {
    region_of_block(block_of_mm(mm))
}

/// The first block coordinate of a region; regions beyond the grid saturate.
pub const fn first_block_of_region(region: i32) -> i32 {
    region.saturating_mul(REGION_BLOCKS)
}

/// The first cell coordinate of a region; regions beyond the grid saturate.
pub const fn first_cell_of_region(region: i32) -> i32 {
    region.saturating_mul(REGION_CELLS)
}

/// The packed key of a region: world in the upper 32 bits, then biased x and y, 16 bits each, as a
/// block's `chunk_index` has them. Coordinates outside of ±32768 wrap.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "the low 16 bits are what the key holds"
)]
pub const fn region_index(world: u32, region_x: i32, region_y: i32) -> u64 {
    let biased_x = region_x.wrapping_add(BLOCK_BOUND) as u16;
    let biased_y = region_y.wrapping_add(BLOCK_BOUND) as u16;
    ((world as u64) << 32) | ((biased_x as u64) << 16) | biased_y as u64
}

/// World, region x and region y of a packed key.
pub const fn region_parts(region_index: u64) -> (u32, i32, i32) {
    let region_x = ((region_index >> 16) & 0xffff) as i32 - BLOCK_BOUND;
    let region_y = (region_index & 0xffff) as i32 - BLOCK_BOUND;
    ((region_index >> 32) as u32, region_x, region_y)
}

/// The packed key of the region a position lies in.
pub const fn region_of(world: u32, x_mm: i32, y_mm: i32) -> u64 {
    region_index(world, region_of_mm(x_mm), region_of_mm(y_mm))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::world::cell_of_mm;
    use proptest::prelude::*;

    #[test]
    fn regions_start_at_their_first_block() {
        for (block, region) in [(0, 0), (15, 0), (16, 1), (-1, -1), (-16, -1), (-17, -2)] {
            assert_eq!(region_of_block(block), region, "{block}");
        }
        assert_eq!(region_of_block(-BLOCK_BOUND), -REGION_BOUND);
        assert_eq!(region_of_block(BLOCK_BOUND - 1), REGION_BOUND - 1);
        assert_eq!((REGION_CELLS, REGION_MM), (1_024, 1_024_000));
    }

    proptest! {
        #[test]
        fn packed_keys_unpack(world: u32, x in -2_048..2_048_i32, y in -2_048..2_048_i32) {
            prop_assert_eq!(region_parts(region_index(world, x, y)), (world, x, y));
        }

        #[test]
        fn a_position_has_one_region(x_mm: i32, y_mm: i32) {
            let cell = cell_of_mm(x_mm);
            prop_assert_eq!(region_of_mm(x_mm), region_of_cell(cell));
            let first = first_cell_of_region(region_of_mm(x_mm));
            prop_assert!((first..first + REGION_CELLS).contains(&cell));
            let (_, region_x, region_y) = region_parts(region_of(7, x_mm, y_mm));
            prop_assert_eq!((region_x, region_y), (region_of_mm(x_mm), region_of_mm(y_mm)));
        }
    }
}
