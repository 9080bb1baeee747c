//! The module that is published: the lifecycle of the database, and everything in `haven_reducers`.
//!
//! Leaves out the game on purpose. Naming the crate below is what links its reducers in.
#![allow(missing_docs, reason = "the reducer macro makes items that cannot carry any")]

use haven_reducers::{Refusal, realms};
use spacetimedb::{ReducerContext, reducer};

/// The database is made.
#[reducer(init)]
pub fn init(ctx: &ReducerContext) {
    realms::on_init(ctx);
}

/// A client connects; whoever is not admitted is refused.
///
/// # Errors
/// See [`realms::on_connected`].
#[reducer(client_connected)]
pub fn client_connected(ctx: &ReducerContext) -> Result<(), Refusal> {
    realms::on_connected(ctx)
}

/// A client disconnects; its character leaves the world.
#[reducer(client_disconnected)]
pub fn client_disconnected(ctx: &ReducerContext) {
    realms::on_disconnected(ctx);
}
