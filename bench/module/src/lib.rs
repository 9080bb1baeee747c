//! What the benchmarks compare Haven with: a module that is published beside it, to be measured.
//!
//! `walkers` moves everybody by writing every row every tick; `timing` runs rules of Haven so often
//! that their time in WebAssembly can be told; [`empty()`] does nothing. Keeps true: only whoever
//! published it may call it, every loop is bounded, and it moves by the very rules of Haven.
#![allow(missing_docs, reason = "the macros make items that cannot carry any")]
// Reducers take their arguments by value: that is the shape the engine calls.
#![allow(clippy::needless_pass_by_value)]

pub mod land;
pub mod timing;
pub mod walkers;

use spacetimedb::{Identity, ReducerContext, Table, reducer, table};

/// Who may call: one row, written when the database is made.
#[table(name = bench_owner)]
pub struct BenchOwner {
    /// Always 0.
    #[primary_key]
    pub singleton_id: u8,
    /// Who published the module.
    pub identity: Identity,
}

/// The database is made.
#[reducer(init)]
pub fn init(ctx: &ReducerContext) {
    ctx.db.bench_owner().insert(BenchOwner { singleton_id: 0, identity: ctx.sender });
}

/// Does nothing: what a call costs at least.
///
/// # Errors
/// For everybody but the owner.
#[reducer]
pub fn empty(ctx: &ReducerContext) -> Result<(), String> {
    require_owner(ctx)
}

/// The publisher of the module.
///
/// # Errors
/// For everybody else.
fn require_owner(ctx: &ReducerContext) -> Result<(), String> {
    let owner = ctx.db.bench_owner().singleton_id().find(0);
    let is_owner = owner.is_some_and(|owner| owner.identity == ctx.sender);
    is_owner.then_some(()).ok_or_else(|| "the owner alone may call".to_owned())
}
