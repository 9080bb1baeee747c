
use haven_rules::combat::sheet::{Build, Sheet};
use haven_rules::content::AbilityDef;
use haven_rules::content::book::Book;
use spacetimedb::ReducerContext;
pub(crate) use haven_rules::characters::resources::Resources;
pub(crate) fn build_of(_: &ReducerContext, _: u64, _: &Book) -> Option<Build> { None }
pub(crate) fn knows(_: &ReducerContext, _: u64, _: &AbilityDef, _: &Book) -> (bool, bool) { (true, true) }
pub(crate) fn resources(_: &ReducerContext, _: u64, _: &Sheet) -> Resources { unimplemented!() }
pub(crate) fn save_resources(_: &ReducerContext, _: u64, _: &Resources) {}
pub(crate) fn spend_use(_: &ReducerContext, _: u64, _: &AbilityDef, _: u8) {}
pub(crate) fn uses_left(_: &ReducerContext, _: u64, _: &AbilityDef, _: u8) -> Option<u8> { None }
pub(crate) fn give_experience(_: &ReducerContext, _: u64, _: u32) {}
pub(crate) fn rested(_: &ReducerContext, _: u64, _: bool, _: &Sheet) {}
