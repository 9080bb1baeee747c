//! Creatures that are nobody's character, and the camps they live in.

use spacetimedb::table;

/// A creature in the world. Gone with its body; its camp remembers how many there were.
#[table(
    name = creature,
    // Read to empty a camp.
    index(name = by_camp, btree(columns = [camp_id])),
    // Read when a world ends.
    index(name = by_world, btree(columns = [world])),
    // Read when who summoned it is gone.
    index(name = by_master, btree(columns = [master_id]))
)]
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Creature {
    /// Its entity.
    #[primary_key]
    pub entity_id: u64,
    /// The camp it belongs to; 0 for none.
    pub camp_id: u64,
    /// Who summoned it; 0 for nobody.
    pub master_id: u64,
    /// Whom it fights; 0 for nobody.
    pub target_id: u64,
    /// When it goes by itself, microseconds since 1970; `i64::MAX` never.
    pub goes_at_micros: i64,
    /// When it last called for help, microseconds since 1970.
    pub called_at_micros: i64,
    /// The world it is in.
    pub world: u32,
    /// Where it belongs, millimetres.
    pub home_x_mm: i32,
    /// Where it belongs, millimetres.
    pub home_y_mm: i32,
    /// 0 idle, 1 fighting, 2 fleeing, 3 going home.
    pub mood: u8,
    /// Phases of a boss that have begun.
    pub phase: u8,
    /// Key in content.
    pub key: String,
}

/// A camp: where creatures live. Its creatures are there only while somebody is near.
#[table(
    name = camp,
    // Read when a block is watched or not any more.
    index(name = by_chunk, btree(columns = [chunk_index])),
    // Read when a world ends.
    index(name = by_world, btree(columns = [world]))
)]
#[derive(Clone)]
pub struct Camp {
    /// The camp.
    #[primary_key]
    pub camp_id: u64,
    /// The block it lies in.
    pub chunk_index: u64,
    /// The world it lies in.
    pub world: u32,
    /// Its middle, millimetres.
    pub pos_x_mm: i32,
    /// Its middle, millimetres.
    pub pos_y_mm: i32,
    /// When it is filled again, microseconds since 1970; 0 while nobody of it is missing.
    pub fills_at_micros: i64,
    /// Whether its creatures are in the world now.
    pub is_awake: bool,
    /// Key in content.
    pub key: String,
    /// How many of each member live, in content's order.
    pub living: Vec<u8>,
}

/// A block whose camps were placed, so that it is done once.
#[table(
    name = camp_block,
    // Read when a world ends.
    index(name = by_world, btree(columns = [world]))
)]
pub struct CampBlock {
    /// The block.
    #[primary_key]
    pub chunk_index: u64,
    /// The world it lies in.
    pub world: u32,
}
