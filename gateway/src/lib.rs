//! The gateway of Haven: accounts, tokens, realms and characters over HTTP.
//!
//! Owns the signing keys, the password hashes and the HTTP contract. Everything else is rows of
//! the home database and of the realms' databases, reached over SpacetimeDB's public API: several
//! gateways serve one deployment. Leaves out TLS (a proxy's work) and the game (SpacetimeDB's).

pub mod config;
pub mod error;
pub mod keys;
pub mod logs;
pub mod stdb;
pub mod tokens;

mod app;
mod http;
mod limits;
mod metrics;
mod passwords;
mod problem;
mod realms;
mod server;
mod sessions;

pub use self::{app::Gateway, config::GatewayConfig, error::GatewayError};
