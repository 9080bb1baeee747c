//! The tests of Haven on the real engine: one binary, one file per domain, and the rest.
//!
//! Each test has a database of its own. Nothing here waits for a fixed time where it can wait for
//! a condition, and nothing outlives the run.

mod support;

mod accounts;
mod audit;
mod characters;
mod errors;
mod motion;
mod realms;
mod restart;
mod schema;
mod sdk;
mod tidy;
mod world;
