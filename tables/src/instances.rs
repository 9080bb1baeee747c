//! Instances: worlds of their own, opened by a player for a party and gone some time later.
//!
//! An instance is no process but a world number above 0 in the keys of `rules::world`. What lives
//! in one is in the same tables as what lives in the open world.

use spacetimedb::{SpacetimeType, table};

/// A kind of instance: what its world is like. Written by the owner (`instance_define`).
#[table(name = instance_def)]
#[derive(Clone)]
pub struct InstanceDef {
    /// Its name, such as `hollow`.
    #[primary_key]
    pub name: String,
    /// Bounds, spawn and speeds.
    pub shape: InstanceShape,
    /// The terrain's seed.
    pub seed: u64,
    /// The terrain's recipe: TOML, at most 32 KiB; empty is flat.
    pub recipe: String,
    /// Most characters in it at once.
    pub capacity: u32,
    /// How long after its opening it ends, seconds.
    pub lifetime_seconds: u32,
    /// How long it stays when nobody is in it, seconds.
    pub empty_seconds: u32,
}

/// The shape of an instance's world.
#[derive(SpacetimeType, Clone, Debug)]
pub struct InstanceShape {
    /// Westernmost block.
    pub min_block_x: i32,
    /// Southernmost block.
    pub min_block_y: i32,
    /// First block to the east of it.
    pub max_block_x: i32,
    /// First block to the north of it.
    pub max_block_y: i32,
    /// Where characters enter, millimetres.
    pub spawn_x_mm: i32,
    /// Where characters enter, millimetres.
    pub spawn_y_mm: i32,
    /// 2 to 50000 mm/s.
    pub walk_speed_mm_per_s: i32,
    /// Walking speed to 50000 mm/s.
    pub run_speed_mm_per_s: i32,
}

/// An open instance. Removed with everything in it when it ends.
#[table(
    name = instance,
    // Read by the sweep.
    index(name = by_ends_at, btree(columns = [ends_at_micros]))
)]
#[derive(Clone)]
pub struct Instance {
    /// Its world's number, from 1, never used again.
    #[primary_key]
    pub world: u32,
    /// Who opened it; an account has at most one.
    #[unique]
    pub account_id: u64,
    /// When it was opened, microseconds since 1970.
    pub opened_at_micros: i64,
    /// When it ends: its time is over, or it was empty for too long. Microseconds since 1970.
    pub ends_at_micros: i64,
    /// When its time is over at the latest, microseconds since 1970.
    pub closes_at_micros: i64,
    /// Characters in it.
    pub players: u32,
    /// Its kind.
    pub name: String,
}

/// A character that may enter an instance: whose player opened it, and who was invited. Removed
/// with the instance.
#[table(
    name = instance_pass,
    public,
    // Read to remove an instance's passes, and to find whether somebody has one.
    index(name = by_world, btree(columns = [world])),
    // Subscribed to by the character's player, to learn where it may go.
    index(name = by_character, btree(columns = [character_id]))
)]
pub struct InstancePass {
    /// The pass.
    #[primary_key]
    pub pass_id: u64,
    /// The character.
    pub character_id: u64,
    /// The instance.
    pub world: u32,
    /// Its kind.
    pub name: String,
}

/// Where a character in an instance came from, and goes when it leaves.
#[table(
    name = instance_return,
    // Read when an instance ends.
    index(name = by_world, btree(columns = [world]))
)]
pub struct InstanceReturn {
    /// The character.
    #[primary_key]
    pub character_id: u64,
    /// The instance it is in, or was in when it left the realm.
    pub world: u32,
    /// Millimetres east of the open world's origin.
    pub pos_x_mm: i32,
    /// Millimetres north of the open world's origin.
    pub pos_y_mm: i32,
}

/// The next instance's number: one row.
#[table(name = instance_counter)]
pub struct InstanceCounter {
    /// Always 0.
    #[primary_key]
    pub singleton_id: u8,
    /// From 1.
    pub next_world: u32,
}
