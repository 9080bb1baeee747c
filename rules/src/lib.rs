//! The rules of Haven: plain values in, decisions out, one file per domain.
//!
//! Keeps true: no clock, no chance, no I/O, no SpacetimeDB, no floats outside of
//! `world::terrain`, which says which ones. The module decides with these functions and clients
//! predict with the very same ones.

#![deny(clippy::wildcard_enum_match_arm)]

pub mod accounts;
pub mod audit;
pub mod characters;
pub mod chat;
pub mod combat;
pub mod commands;
pub mod content;
pub mod economy;
pub mod errors;
pub mod friends;
pub mod guilds;
pub mod instances;
pub mod items;
pub mod keys;
pub mod leaderboards;
pub mod mail;
pub mod motion;
pub mod notices;
pub mod npcs;
pub mod parties;
pub mod realms;
pub mod sequences;
pub mod walk;
pub mod world;
