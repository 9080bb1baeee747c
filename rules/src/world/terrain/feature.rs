//! What stands on a block: trees, rocks, walls, and places that something else will fill.
//!
//! Keeps true: numbers are fixed, because rows and clients hold them; a feature lies within its
//! block, and those that block are blocked in the block's ground. Leaves out on purpose: which of
//! them stand where, which is up to `scatter`, `sites` and `settlements`.

use serde::Deserialize;

/// A kind of feature. The numbers stand in rows and are never used again for another.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Deserialize)]
#[serde(rename_all = "snake_case")]
#[repr(u8)]
pub enum FeatureKind {
    /// A broad-leaved tree. Blocks.
    Tree = 0,
    /// A conifer. Blocks.
    Pine = 1,
    /// A tree without leaves. Blocks.
    DeadTree = 2,
    /// A cactus. Blocks.
    Cactus = 3,
    /// A boulder. Blocks.
    Rock = 4,
    /// A vein of ore in a boulder. Blocks.
    Ore = 5,
    /// A shrub; nothing stops at it.
    Bush = 6,
    /// A herb to gather; nothing stops at it.
    Herb = 7,
    /// The footprint of a ruin; its walls are features of their own.
    Ruin = 8,
    /// A piece of a ruin's wall. Blocks.
    RuinWall = 9,
    /// A house. Blocks.
    House = 10,
    /// The largest house of a settlement. Blocks.
    Hall = 11,
    /// A well. Blocks.
    Well = 12,
    /// A piece of a town's wall. Blocks.
    Wall = 13,
    /// Where creatures gather; nothing stops at it.
    Camp = 14,
    /// Where a deep river can be waded; nothing stops at it.
    Ford = 15,
}

impl FeatureKind {
    /// All kinds, by their number.
    pub const ALL: [Self; 16] = [
        Self::Tree,
        Self::Pine,
        Self::DeadTree,
        Self::Cactus,
        Self::Rock,
        Self::Ore,
        Self::Bush,
        Self::Herb,
        Self::Ruin,
        Self::RuinWall,
        Self::House,
        Self::Hall,
        Self::Well,
        Self::Wall,
        Self::Camp,
        Self::Ford,
    ];

    /// The number that stands in rows.
    pub const fn code(self) -> u8 {
        self as u8
    }

    /// The kind with that number.
    pub fn from_code(code: u8) -> Option<Self> {
        Self::ALL.get(usize::from(code)).copied()
    }

    /// Whether its cells cannot be entered.
    pub const fn blocks(self) -> bool {
        !matches!(self, Self::Bush | Self::Herb | Self::Ruin | Self::Camp | Self::Ford)
    }

    /// Whether it stands singly, so that a biome may scatter it.
    pub const fn is_scattered(self) -> bool {
        self.code() <= Self::Herb.code()
    }
}

/// Something that stands on a rectangle of a block's cells.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Feature {
    /// What it is.
    pub kind: FeatureKind,
    /// Its westernmost cell, from the block's western edge, 0 to 63.
    pub cell_x: u8,
    /// Its southernmost cell, from the block's southern edge, 0 to 63.
    pub cell_y: u8,
    /// How many cells wide, 1 to 64; `cell_x + width` is at most 64.
    pub width: u8,
    /// How many cells high, 1 to 64; `cell_y + height` is at most 64.
    pub height: u8,
    /// Chosen by chance, 0 to 255: for looks, or for which creatures gather.
    pub variant: u8,
}

impl Feature {
    /// Whether it lies within a block.
    pub(super) fn is_inside(self) -> bool {
        let fits = |start: u8, length: u8| length > 0 && u16::from(start) + u16::from(length) <= 64;
        fits(self.cell_x, self.width) && fits(self.cell_y, self.height)
    }
}

/// A rectangle of the world's cells, before it is cut at block borders.
#[derive(Clone, Copy, Debug)]
pub(super) struct Footprint {
    pub(super) kind: FeatureKind,
    pub(super) cell_x: i32,
    pub(super) cell_y: i32,
    pub(super) width: i32,
    pub(super) height: i32,
    pub(super) variant: u8,
}

impl Footprint {
    /// The part of it that lies on a block whose south-western cell is that one.
    pub(super) fn cut(&self, (west, south): (i32, i32)) -> Option<Feature> {
        let (cell_x, width) = cut_span(self.cell_x - west, self.width)?;
        let (cell_y, height) = cut_span(self.cell_y - south, self.height)?;
        Some(Feature { kind: self.kind, cell_x, cell_y, width, height, variant: self.variant })
    }
}

/// The part of a span that lies within 0 to 64: its start and length.
fn cut_span(start: i32, length: i32) -> Option<(u8, u8)> {
    let (from, to) = (start.max(0), (start + length).min(64));
    (from < to).then(|| Some((u8::try_from(from).ok()?, u8::try_from(to - from).ok()?)))?
}
