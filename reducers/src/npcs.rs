//! stub
use spacetimedb::ReducerContext;
pub(crate) fn think(_: &ReducerContext, _: u64) {}
pub(crate) fn hurt_by(_: &ReducerContext, _: u64, _: u64) {}
pub(crate) fn died(_: &ReducerContext, _: u64, _: i64) {}
pub(crate) fn remove(_: &ReducerContext, _: u64) {}
pub(crate) fn summon(_: &ReducerContext, _: &crate::combat::Body, _: &str, _: u8, _: i64) {}
