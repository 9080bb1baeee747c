//! Content: the entries that are in force, the versions there are, and what each holds.
//!
//! Keeps true: `content_def` holds exactly the entries of the active version. Entries are JSON, so
//! that a new field is no new column; `docs/CONTENT.md` gives their shapes.

use spacetimedb::{Timestamp, table};

/// An entry that is in force. Written by an activation alone.
#[table(
    name = content_def,
    public,
    // Read by clients that want all of a kind.
    index(name = by_kind, btree(columns = [kind]))
)]
pub struct ContentDef {
    /// Kind and key: `ability/fire_bolt`.
    #[primary_key]
    pub def_key: String,
    /// `race`, `class`, `ability` and so on.
    pub kind: String,
    /// Its key among its kind; of a level its number.
    pub key: String,
    /// The entry, JSON.
    pub body: String,
}

/// A version. Private: its title may say what players are not to know yet.
#[table(
    name = content_version,
    // Read by whoever asks what is in force.
    index(name = by_state, btree(columns = [state]))
)]
pub struct ContentVersion {
    /// 1 for the first, and so on.
    #[primary_key]
    pub version: u32,
    /// What it is called.
    pub title: String,
    /// 0 staged, 1 active, 2 was active.
    pub state: u8,
    /// How many entries it has.
    pub entries: u32,
    /// When it becomes active by itself, microseconds since 1970; 0 for never.
    pub activate_at_micros: i64,
    /// When it became active last, microseconds since 1970; 0 for never.
    pub activated_at_micros: i64,
    /// The version that was active before it; 0 for none.
    pub follows: u32,
    /// When it was staged.
    pub staged_at: Timestamp,
}

/// An entry of a version.
#[table(
    name = content_entry,
    // Read by an activation, and when a version is dropped.
    index(name = by_version, btree(columns = [version]))
)]
pub struct ContentEntry {
    /// Its number.
    #[primary_key]
    pub content_entry_id: u64,
    /// The version it belongs to.
    pub version: u32,
    /// `race`, `class`, `ability` and so on.
    pub kind: String,
    /// Its key among its kind.
    pub key: String,
    /// The entry, JSON.
    pub body: String,
}
