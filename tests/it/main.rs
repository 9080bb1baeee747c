//! The tests of Haven on the real engine: one binary, one file per domain, and the rest.
//!
//! Each test has a database of its own. Nothing here waits for a fixed time where it can wait for
//! a condition, and nothing outlives the run.

#![allow(unreachable_pub, reason = "a test binary has no outside")]

mod support;

/// The one that `haven` runs with. It is part of what is tested: a length prefix that nothing
/// comes up to makes the engine reserve that much, and where memory is counted before it is used
/// such a message would end the process.
#[global_allocator]
static ALLOCATOR: tikv_jemallocator::Jemalloc = tikv_jemallocator::Jemalloc;

mod accounts;
mod audit;
mod backups;
mod characters;
mod chat;
mod combat;
mod commands;
mod content;
mod economy;
mod errors;
mod friends;
mod fuzz;
mod guard;
mod guilds;
mod http_contract;
mod instances;
mod items;
mod leaderboards;
mod mail;
mod motion;
mod notices;
mod npcs;
mod parties;
mod realms;
mod restart;
mod schema;
mod sdk;
mod tidy;
mod upgrade;
mod world;
