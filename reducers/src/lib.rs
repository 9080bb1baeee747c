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
mod ordered;
pub mod parties;
pub mod realms;
mod refusal;
mod sequences;
mod wheel;
pub mod world;

pub use refusal::Refusal;

use spacetimedb::{Identity, ReducerContext, Timestamp};

/// The instant of the transaction, microseconds since 1970.
pub(crate) fn now_micros(ctx: &ReducerContext) -> i64 {
    ctx.timestamp.to_micros_since_unix_epoch()
}

/// The instant that many microseconds after 1970.
pub(crate) fn at_micros(micros: i64) -> Timestamp {
    Timestamp::from_micros_since_unix_epoch(micros)
}

/// Makes the timers and sequences that are missing. Called when the database is made and after each
/// publish.
pub(crate) fn ensure_timers(ctx: &ReducerContext) {
    sequences::ensure(ctx);
    accounts::ensure_timers(ctx);
    audit::ensure_timers(ctx);
    characters::ensure_timers(ctx);
    chat::ensure_timers(ctx);
    combat::ensure_timers(ctx);
    commands::ensure_timers(ctx);
    economy::ensure_timers(ctx);
    friends::ensure_timers(ctx);
    guilds::ensure_timers(ctx);
    instances::ensure_timers(ctx);
    items::ensure_timers(ctx);
    leaderboards::ensure_timers(ctx);
    mail::ensure_timers(ctx);
    motion::ensure_timers(ctx);
    notices::ensure_timers(ctx);
    parties::ensure_timers(ctx);
    realms::ensure_timers(ctx);
    world::ensure_timers(ctx);
}

/// A character has entered the world: whoever keeps something for it shows it.
pub(crate) fn character_entered(ctx: &ReducerContext, account_id: u64, character_id: u64) {
    items::character_entered(ctx, account_id, character_id);
    economy::character_entered(ctx, account_id, character_id);
    mail::character_entered(ctx, account_id, character_id);
    guilds::character_entered(ctx, account_id, character_id);
    parties::character_entered(ctx, account_id, character_id);
    friends::character_entered(ctx, account_id, character_id);
    chat::character_entered(ctx, account_id, character_id);
    leaderboards::character_entered(ctx, account_id, character_id);
    notices::character_entered(ctx, account_id, character_id);
}

/// A character is about to leave the world: it is still where it was.
pub(crate) fn character_leaving(ctx: &ReducerContext, account_id: u64, character_id: u64) {
    items::character_leaving(ctx, account_id, character_id);
    economy::character_leaving(ctx, account_id, character_id);
    guilds::character_leaving(ctx, account_id, character_id);
    parties::character_leaving(ctx, account_id, character_id);
    friends::character_leaving(ctx, account_id, character_id);
    chat::character_leaving(ctx, account_id, character_id);
    leaderboards::character_leaving(ctx, account_id, character_id);
}

/// A character is removed for good: nothing may keep its number. Goods go to the account's
/// lost-and-found, so what holds them comes first.
pub(crate) fn character_purged(ctx: &ReducerContext, account_id: u64, character_id: u64) {
    economy::character_purged(ctx, account_id, character_id);
    mail::character_purged(ctx, account_id, character_id);
    guilds::character_purged(ctx, account_id, character_id);
    items::character_purged(ctx, account_id, character_id);
    parties::character_purged(ctx, account_id, character_id);
    friends::character_purged(ctx, account_id, character_id);
    chat::character_purged(ctx, account_id, character_id);
    leaderboards::character_purged(ctx, account_id, character_id);
    notices::character_purged(ctx, account_id, character_id);
}

/// An account comes with another identity than before: its personal rows are shown to that one.
pub(crate) fn account_rebound(ctx: &ReducerContext, account_id: u64, viewer: Identity) {
    items::account_rebound(ctx, account_id, viewer);
    economy::account_rebound(ctx, account_id, viewer);
    mail::account_rebound(ctx, account_id, viewer);
    guilds::account_rebound(ctx, account_id, viewer);
    parties::account_rebound(ctx, account_id, viewer);
    friends::account_rebound(ctx, account_id, viewer);
    chat::account_rebound(ctx, account_id, viewer);
    leaderboards::account_rebound(ctx, account_id, viewer);
    notices::account_rebound(ctx, account_id, viewer);
}
