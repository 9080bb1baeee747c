//! Casts: what is being cast, for all to see, and what breaks it off.
//!
//! Keeps true: a row in `combat_cast` has a deed; who moves, is hurt too much, falls or leaves has
//! neither.

use super::due::{self, Kind};
use crate::at_micros;
use haven_tables::combat::{CombatCast, CombatDeed, combat_cast, combat_deed};
use spacetimedb::{ReducerContext, Table};

/// Shows a cast that begins.
pub(super) fn show(ctx: &ReducerContext, chunk_index: u64, deed: &CombatDeed, ends_at_micros: i64) {
    ctx.db.combat_cast().insert(CombatCast {
        entity_id: deed.entity_id,
        chunk_index,
        began_at: ctx.timestamp,
        ends_at: at_micros(ends_at_micros),
        ability: deed.ability.clone(),
    });
}

/// Forgets a deed.
pub(super) fn drop_deed(ctx: &ReducerContext, deed: &CombatDeed) {
    ctx.db.combat_deed().deed_id().delete(deed.deed_id);
    if deed.is_cast {
        ctx.db.combat_cast().entity_id().delete(deed.entity_id);
    }
}

/// Forgets all deeds of somebody.
pub(super) fn drop_deeds(ctx: &ReducerContext, entity_id: u64) {
    let deeds: Vec<CombatDeed> = ctx.db.combat_deed().by_entity().filter(entity_id).collect();
    for deed in &deeds {
        drop_deed(ctx, deed);
    }
    if !deeds.is_empty() {
        due::forget(ctx, entity_id, |row| row.kind == Kind::Deed as u8);
    }
}

/// Whether somebody casts.
pub(super) fn is_casting(ctx: &ReducerContext, entity_id: u64) -> bool {
    ctx.db.combat_cast().entity_id().find(entity_id).is_some()
}

/// Breaks off what somebody casts; whether there was something. What it cost is spent.
pub(super) fn break_off(ctx: &ReducerContext, entity_id: u64) -> bool {
    let casts = is_casting(ctx, entity_id);
    if casts {
        drop_deeds(ctx, entity_id);
    }
    casts
}
