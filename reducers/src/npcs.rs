//! Creatures that nobody plays: they appear, think, die and go; and the camps they live in.
//!
//! Keeps true: a creature thinks only where somebody watches, unless its world's vigil says
//! otherwise; elsewhere it sleeps, and its camp is put away. What a creature does goes the way that
//! players' deeds go.

mod around;
pub mod camps;
mod scene;
mod spawn;
mod thought;

pub use camps::{camp_fill, camp_scatter};
pub use spawn::{creature_clear, creature_spawn};
pub(crate) use spawn::{remove, summon};
pub(crate) use thought::think;

use crate::combat::{self, Kind};
use crate::now_micros;
use haven_rules::motion::mix;
use haven_rules::npcs::THINK_FIGHTING_MICROS;
use haven_rules::npcs::mind::Mood;
use haven_tables::combat::combatant;
use haven_tables::npcs::{Creature, creature};
use spacetimedb::ReducerContext;

/// A creature thinks in the next tick.
fn wake(ctx: &ReducerContext, entity_id: u64) {
    combat::replace(ctx, entity_id, 0, Kind::Thought, now_micros(ctx));
}

/// Somebody hurt a creature, or taunted it: it turns to the fight at once, unless it is at it
/// already. Whom it turns to is threat's business.
pub(crate) fn hurt_by(ctx: &ReducerContext, creature_id: u64, _by: u64) {
    let row = ctx.db.creature().entity_id().find(creature_id);
    let is_at_it =
        |row: &Creature| [Mood::Fighting, Mood::Fleeing].iter().any(|mood| row.mood == mood.code());
    if row.is_some_and(|row| !is_at_it(&row)) {
        wake(ctx, creature_id);
    }
}

/// A creature died: it thinks no more, its camp counts. Its corpse stays until combat says so.
pub(crate) fn died(ctx: &ReducerContext, creature_id: u64, now: i64) {
    let Some(row) = ctx.db.creature().entity_id().find(creature_id) else { return };
    combat::forget(ctx, creature_id, |due| due.kind == Kind::Thought as u8);
    if row.camp_id != 0 {
        camps::lost(ctx, &row, now);
    }
    let (target_id, mood) = (0, Mood::Idle.code());
    ctx.db.creature().entity_id().update(Creature { target_id, mood, ..row });
}

/// Somebody watches a block now: its camps wake, and its creatures think.
pub(crate) fn block_watched(ctx: &ReducerContext, chunk: u64) {
    camps::block_watched(ctx, chunk);
    let bodies = ctx.db.combatant().by_chunk().filter(chunk);
    let awake = bodies.filter(|row| !row.is_player && row.vital == 0);
    let awake: Vec<u64> = awake.map(|row| row.entity_id).collect();
    let now = now_micros(ctx);
    for entity_id in awake {
        let later = i64::try_from(mix(entity_id, 0) % THINK_FIGHTING_MICROS.unsigned_abs());
        combat::replace(ctx, entity_id, 0, Kind::Thought, now + later.unwrap_or(0));
    }
}

/// Nobody watches a block any more.
pub(crate) fn block_unwatched(ctx: &ReducerContext, chunk: u64) {
    camps::block_unwatched(ctx, chunk);
}

/// The land of a world is another, or the world ends: its camps are gone.
pub(crate) fn forget_camps(ctx: &ReducerContext, world: u32) {
    camps::forget(ctx, world);
}

/// Whether a world has creatures or camps.
pub(crate) fn is_inhabited(ctx: &ReducerContext, world: u32) -> bool {
    camps::is_inhabited(ctx, world)
}

/// Removes a world's creatures, at most so many, and once there are none its camps.
pub(crate) fn clear(ctx: &ReducerContext, world: u32, count: usize) {
    camps::clear(ctx, world, count);
}
