//! One generated block: heights, biomes, ground and features; as bytes and back.
//!
//! Keeps true: equal blocks have equal bytes and an equal hash on every machine; bytes that are not
//! of a block are refused, whatever they are. Leaves out on purpose: how a block is generated.

use miniz_oxide::deflate::compress_to_vec;
use miniz_oxide::inflate::decompress_to_vec_with_limit;

use super::biome::Biome;
use super::feature::{Feature, FeatureKind};
use crate::world::{BLOCK_CELLS, BlockGround, GROUND_BYTES};

const EDGE: usize = BLOCK_CELLS as usize;
/// Cells of a block.
pub const CELLS: usize = EDGE * EDGE;
/// Most features of a block.
pub const FEATURES_MAX: usize = 1_024;
/// The first byte of an encoded block; a new format gets a new one.
const FORMAT: u8 = 1;
const FEATURE_BYTES: usize = 6;
/// Heights in two planes, biomes, ground.
const FIXED_BYTES: usize = 3 * CELLS + GROUND_BYTES;
/// More saves less than 1 in 20 and takes up to three times as long; measured on the shipped world.
const EFFORT: u8 = 3;

/// One block of 64×64 cells, row by row from the south, from west to east: cell (x, y) is the
/// `y * 64 + x`th.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Block {
    /// Heights above the sea, cm; under water, that of its bed.
    pub heights_cm: Vec<i16>,
    /// Kinds of country.
    pub biomes: Vec<Biome>,
    /// How cells are walked, features included.
    pub ground: BlockGround,
    /// What stands on it, at most [`FEATURES_MAX`].
    pub features: Vec<Feature>,
}

impl Block {
    /// A number that tells blocks apart: 64-bit FNV-1a (Fowler, Noll, Vo 1991) of the bytes that
    /// are compressed.
    pub fn hash(&self) -> u64 {
        self.planes().iter().fold(0xcbf2_9ce4_8422_2325, |hash: u64, byte| {
            (hash ^ u64::from(*byte)).wrapping_mul(0x0000_0100_0000_01b3)
        })
    }

    /// The bytes that stand in rows: a format byte, then deflated planes.
    pub fn encode(&self) -> Vec<u8> {
        let mut bytes = vec![FORMAT];
        bytes.extend(compress_to_vec(&self.planes(), EFFORT));
        bytes
    }

    /// The block of those bytes; none unless they are of one.
    pub fn decode(bytes: &[u8]) -> Option<Self> {
        let (format, deflated) = bytes.split_first()?;
        if *format != FORMAT {
            return None;
        }
        let most = FIXED_BYTES + FEATURES_MAX * FEATURE_BYTES;
        let planes = decompress_to_vec_with_limit(deflated, most).ok()?;
        Self::from_planes(&planes)
    }

    /// What is nearly the same stands together: each height less what its neighbours suggest, low
    /// bytes, then high bytes; biomes; ground; features.
    fn planes(&self) -> Vec<u8> {
        let mut planes = Vec::with_capacity(FIXED_BYTES + self.features.len() * FEATURE_BYTES);
        let differences: Vec<u16> = (0..self.heights_cm.len().min(CELLS))
            .map(|index| {
                zigzag(self.heights_cm[index].wrapping_sub(suggested(&self.heights_cm, index)))
            })
            .collect();
        planes.extend(differences.iter().map(|difference| difference.to_le_bytes()[0]));
        planes.extend(differences.iter().map(|difference| difference.to_le_bytes()[1]));
        planes.extend(self.biomes.iter().map(|biome| biome.code()));
        planes.extend(self.ground.to_bytes());
        for feature in &self.features {
            let Feature { kind, cell_x, cell_y, width, height, variant } = *feature;
            planes.extend([kind.code(), cell_x, cell_y, width, height, variant]);
        }
        planes
    }

    fn from_planes(planes: &[u8]) -> Option<Self> {
        let (low, rest) = planes.split_at_checked(CELLS)?;
        let (high, rest) = rest.split_at_checked(CELLS)?;
        let (biomes, rest) = rest.split_at_checked(CELLS)?;
        let (ground, rest) = rest.split_at_checked(GROUND_BYTES)?;
        let mut heights_cm = Vec::with_capacity(CELLS);
        for (low, high) in low.iter().zip(high) {
            let difference = unzigzag(u16::from_le_bytes([*low, *high]));
            let suggestion = suggested(&heights_cm, heights_cm.len());
            heights_cm.push(suggestion.wrapping_add(difference));
        }
        let (features, []) = rest.as_chunks::<FEATURE_BYTES>() else { return None };
        if features.len() > FEATURES_MAX {
            return None;
        }
        Some(Self {
            heights_cm,
            biomes: biomes.iter().map(|code| Biome::from_code(*code)).collect::<Option<_>>()?,
            ground: BlockGround::from_bytes(ground)?,
            features: features.iter().copied().map(feature_of).collect::<Option<_>>()?,
        })
    }
}

fn feature_of(bytes: [u8; FEATURE_BYTES]) -> Option<Feature> {
    let [kind, cell_x, cell_y, width, height, variant] = bytes;
    let kind = FeatureKind::from_code(kind)?;
    Some(Feature { kind, cell_x, cell_y, width, height, variant })
        .filter(|feature| feature.is_inside())
}

/// The height that the plane through the western, the southern and the south-western cell has.
fn suggested(heights_cm: &[i16], index: usize) -> i16 {
    let at = |back: usize| index.checked_sub(back).and_then(|at| heights_cm.get(at)).copied();
    let west = if index.is_multiple_of(EDGE) { None } else { at(1) };
    match (west, at(EDGE)) {
        (Some(west), Some(south)) => {
            let corner = at(EDGE + 1).unwrap_or(south);
            west.wrapping_add(south).wrapping_sub(corner)
        }
        (Some(only), None) | (None, Some(only)) => only,
        (None, None) => 0,
    }
}

/// Small numbers of either sign as small numbers without.
const fn zigzag(value: i16) -> u16 {
    ((value << 1) ^ (value >> 15)).cast_unsigned()
}

const fn unzigzag(value: u16) -> i16 {
    (value >> 1).cast_signed() ^ -((value & 1).cast_signed())
}
