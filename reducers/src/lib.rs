//! The reducers of Haven: who may, load, decide (`haven_rules`), apply. One file per domain.
//!
//! Keeps true: a reducer that answers with an error has changed nothing, every caller is checked in
//! `authority`, and a table is written only by functions of its own domain.
#![allow(missing_docs, reason = "the macros make items that cannot carry any")]
#![deny(clippy::float_arithmetic, clippy::wildcard_enum_match_arm)]
// Reducers take their arguments by value: that is the shape the engine calls.
#![allow(clippy::needless_pass_by_value)]

pub mod accounts;
pub mod audit;
pub mod authority;
pub mod characters;
pub mod combat;
pub mod commands;
pub mod content;
pub mod instances;
pub mod motion;
pub mod npcs;
pub mod realms;
mod refusal;
mod wheel;
pub mod world;

pub use refusal::Refusal;

use spacetimedb::{ReducerContext, Timestamp};

/// The instant of the transaction, microseconds since 1970.
pub(crate) fn now_micros(ctx: &ReducerContext) -> i64 {
    ctx.timestamp.to_micros_since_unix_epoch()
}

/// The instant that many microseconds after 1970.
pub(crate) fn at_micros(micros: i64) -> Timestamp {
    Timestamp::from_micros_since_unix_epoch(micros)
}

/// Makes the timers that are missing. Called when the database is made and after each publish.
pub(crate) fn ensure_timers(ctx: &ReducerContext) {
    accounts::ensure_timers(ctx);
    audit::ensure_timers(ctx);
    characters::ensure_timers(ctx);
    combat::ensure_timers(ctx);
    commands::ensure_timers(ctx);
    instances::ensure_timers(ctx);
    motion::ensure_timers(ctx);
    realms::ensure_timers(ctx);
    world::ensure_timers(ctx);
}
