//! Places where something is gathered: where they lie, for whoever has the land.
//!
//! Keeps true: a block's places hang on the world's seed, its land and content alone, so that
//! clients know them without being told; they lie where somebody can stand.

use crate::combat::areas::Point;
use crate::content::GatherNodeDef;
use crate::content::book::Book;
use crate::motion::mix;
use crate::world::terrain::Biome;
use crate::world::{BLOCK_CELLS, BLOCK_MM, BlockGround, CELL_MM, GroundClass};

/// Most such places of a block.
pub const NODES_MAX: u8 = 6;
/// How often each of those is there, in a thousand.
const NODE_PER_MILLE: u64 = 400;
/// How near somebody must be to gather, millimetres.
pub const GATHER_REACH_MM: u32 = 3_000;
/// So that these places are not those of camps.
const SALT: u64 = 0x6e6f_6465;

/// A block in which something may be gathered.
#[derive(Clone, Copy, Debug)]
pub struct Field<'a> {
    /// The world's seed; 0 where it is flat.
    pub seed: u64,
    /// Which block.
    pub block_x: i32,
    /// Which block.
    pub block_y: i32,
    /// What each cell is; empty where the world is flat, which is a meadow.
    pub biomes: &'a [Biome],
    /// Where somebody can stand.
    pub ground: &'a BlockGround,
}

/// Such a place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Node {
    /// Its number in the block, below [`NODES_MAX`].
    pub number: u8,
    /// Key in content, kind `gather_node`.
    pub key: String,
    /// Where.
    pub at: Point,
}

/// All places of a block.
pub fn place(field: &Field<'_>, book: &Book) -> Vec<Node> {
    (0..NODES_MAX).filter_map(|number| place_one(field, number, book)).collect()
}

/// One of them.
pub fn place_one(field: &Field<'_>, number: u8, book: &Book) -> Option<Node> {
    if number >= NODES_MAX {
        return None;
    }
    let (x, y) = (field.block_x.cast_unsigned(), field.block_y.cast_unsigned());
    let block = (u64::from(x) << 32) | u64::from(y);
    let drawn = mix(mix(field.seed ^ SALT, block), u64::from(number));
    if drawn % 1_000 >= NODE_PER_MILLE {
        return None;
    }
    let cells = u64::try_from(BLOCK_CELLS).unwrap_or(64);
    let cell = |bits: u64| usize::try_from((bits & 0xffff) % cells).unwrap_or(0);
    let (x, y) = (cell(drawn >> 16), cell(drawn >> 32));
    let edge = usize::try_from(BLOCK_CELLS).unwrap_or(64);
    let biome =
        if field.biomes.is_empty() { Biome::Meadow } else { *field.biomes.get(y * edge + x)? };
    if field.ground.class(x, y) == GroundClass::Blocked {
        return None;
    }
    let def = choose(book.gather_nodes(), biome, drawn >> 48)?;
    let middle = |block: i32, cell: usize| {
        let inside = i32::try_from(cell).ok()? * CELL_MM + CELL_MM / 2;
        block.checked_mul(BLOCK_MM)?.checked_add(inside)
    };
    let at = Point { x_mm: middle(field.block_x, x)?, y_mm: middle(field.block_y, y)? };
    Some(Node { number, key: def.key.clone(), at })
}

/// One of those that fit, by their weights.
fn choose(nodes: &[GatherNodeDef], biome: Biome, chance: u64) -> Option<&GatherNodeDef> {
    let fits = |node: &&GatherNodeDef| {
        node.biomes.is_empty() || node.biomes.iter().any(|word| word == biome.word())
    };
    let fitting = || nodes.iter().filter(fits);
    let total: u64 = fitting().map(|node| u64::from(node.weight)).sum();
    let mut drawn = chance.checked_rem(total)?;
    fitting().find(|node| {
        let weight = u64::from(node.weight);
        let is_it = drawn < weight;
        drawn = drawn.saturating_sub(weight);
        is_it
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::content::tests::shipped_book;
    use crate::world::block_of_mm;
    use crate::world::terrain::CELLS;

    #[test]
    fn the_same_land_has_the_same_places_and_they_lie_in_it() {
        let book = shipped_book();
        let ground = BlockGround::uniform(GroundClass::Easy);
        let mut found = 0;
        for (block_x, block_y) in [(0, 0), (-3, 7), (12, -40), (5, 5)] {
            let biomes = vec![Biome::Forest; CELLS];
            let field = Field { seed: 9, block_x, block_y, biomes: &biomes, ground: &ground };
            let nodes = place(&field, book);
            assert_eq!(nodes, place(&field, book));
            found += nodes.len();
            for node in nodes {
                let def = book.gather_node(&node.key).expect("content has it");
                assert!(def.biomes.iter().any(|word| word == "forest"), "{node:?}");
                let block = (block_of_mm(node.at.x_mm), block_of_mm(node.at.y_mm));
                assert_eq!(block, (block_x, block_y));
            }
        }
        assert!(found > 2, "{found}");
    }

    #[test]
    fn nothing_is_gathered_where_nobody_can_stand_or_there_is_no_such_place() {
        let book = shipped_book();
        let ground = BlockGround::uniform(GroundClass::Blocked);
        let field = Field { seed: 1, block_x: 0, block_y: 0, biomes: &[], ground: &ground };
        assert_eq!(place(&field, book), []);
        assert_eq!(place_one(&field, NODES_MAX, book), None);
        assert_eq!(place_one(&field, u8::MAX, book), None);
        let ground = BlockGround::uniform(GroundClass::Easy);
        let far = Field { block_x: i32::MAX, block_y: i32::MIN, ground: &ground, ..field };
        assert_eq!(place(&far, book), []);
    }
}
