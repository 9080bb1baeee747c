//! SpacetimeDB, linked in-process behind Haven's guard, with the compiled module as bytes.
//!
//! [`Engine::start`] gives the genuine HTTP and WebSocket server on an address, on disk or in
//! memory; [`publish`] puts a module into it; [`Engine::stop`] leaves everything on disk.
//! Keeps true: nothing of the engine is reachable without the guard; everything that depends on
//! the engine's release lives in this crate.
//! Leaves out on purpose: the game (the module has it), the gateway, and configuration files.

pub mod backup;
mod bindings;
mod boot;
mod checkpoints;
mod control;
mod door;
mod durability;
mod engine;
mod error;
mod guard;
mod limits;
mod log;
mod module;
mod module_logs;
mod node;
mod places;
mod publish;
mod reopen;
mod schema;
mod server;
mod snapshots;
mod swaps;
mod ticket;
mod versions;

#[cfg(test)]
mod tests;

pub use bindings::{BindingsLanguage, generate_bindings, generate_player_bindings};
pub use checkpoints::CHECKPOINT_TRANSACTIONS;
pub use engine::{Engine, EngineConfig, EngineMetrics, MODULE_LOGS_BYTES_MAX};
pub use error::EngineError;
pub use guard::{GuardConfig, KeySource, Refusal, TOKEN_BYTES_MAX};
pub use limits::Limits;
pub use publish::{PublishOutcome, publish};
pub use schema::module_schema;

/// The published module, compiled for WebAssembly by this crate's build script.
pub const MODULE_WASM: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/haven_module.wasm"));

/// What benchmarks compare it with: a module that is published beside it to be measured.
pub const BENCH_MODULE_WASM: &[u8] =
    include_bytes!(concat!(env!("OUT_DIR"), "/haven_bench_module.wasm"));
