//! Characters: who they are, where they were left, and who is in the world. All tables private.
//!
//! Keeps true: no two characters of a realm have names that look alike, deleted ones included,
//! until they are purged; an account has at most one character in the world.

use spacetimedb::{Timestamp, table};

/// A character. Written at creation; its owner and race never change.
#[table(
    name = character,
    // Read to list and count an account's characters.
    index(name = by_account, btree(columns = [account_id]))
)]
pub struct Character {
    /// Unique across realms: the realm's number in the top 16 bits. Also its entity's id.
    #[primary_key]
    pub character_id: u64,
    /// The account that plays it.
    pub account_id: u64,
    /// The name as typed, after normalisation.
    pub name: String,
    /// The name with look-alike letters folded together; what must be unique.
    #[unique]
    pub name_skeleton: String,
    /// One of `rules::characters::RACES`.
    pub race: String,
    /// One of `rules::characters::CLASSES`.
    pub class: String,
    /// When it was created.
    pub created_at: Timestamp,
}

/// A deleted character that can still be restored; without this row a character is alive.
#[table(
    name = character_deletion,
    // Read by the purge.
    index(name = by_purge_at, btree(columns = [purge_at_micros]))
)]
pub struct CharacterDeletion {
    /// The character.
    #[primary_key]
    pub character_id: u64,
    /// When it is removed for good, microseconds since 1970.
    pub purge_at_micros: i64,
    /// When it was deleted.
    pub deleted_at: Timestamp,
}

/// Where a character was when it last left the world; without this row it starts at the spawn.
#[table(name = character_position)]
pub struct CharacterPosition {
    /// The character.
    #[primary_key]
    pub character_id: u64,
    /// The world: 0 is the open world.
    pub world: u32,
    /// Millimetres east of the origin.
    pub pos_x_mm: i32,
    /// Millimetres north of the origin.
    pub pos_y_mm: i32,
    /// When it was saved.
    pub saved_at: Timestamp,
}

/// The character an account has in the world now.
#[table(name = character_presence)]
pub struct CharacterPresence {
    /// The account.
    #[primary_key]
    pub account_id: u64,
    /// The character, which is also the entity's id.
    #[unique]
    pub character_id: u64,
    /// When it entered.
    pub entered_at: Timestamp,
}

/// When a character may return to the spawn again; without a row it may now. Removed with it.
#[table(name = character_respawn_cooldown)]
pub struct CharacterRespawnCooldown {
    /// The character.
    #[primary_key]
    pub character_id: u64,
    /// Microseconds since 1970.
    pub ready_at_micros: i64,
}
