//! The schema of Haven: rows, limits and indexes, one file per domain. No logic.
//!
//! A released table keeps its columns: what comes later is a new table. Instants that an index
//! orders are `i64` microseconds since 1970 (`…_at_micros`), because the engine indexes integers
//! but not timestamps; all others are `Timestamp`. States and roles are small numbers whose
//! meaning stands beside the column, because a new case of an enum would be a changed column.
#![allow(missing_docs, reason = "the table macro makes items that cannot carry any")]

pub mod accounts;
pub mod audit;
pub mod characters;
pub mod chat;
pub mod combat;
pub mod commands;
pub mod content;
pub mod economy;
pub mod friends;
pub mod guilds;
pub mod instances;
pub mod items;
pub mod leaderboards;
pub mod mail;
pub mod motion;
pub mod notices;
pub mod npcs;
pub mod parties;
pub mod realms;
pub mod sequences;
pub mod world;
