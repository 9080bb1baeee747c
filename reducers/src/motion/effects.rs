//! Effects on an entity's pace: roots, slows, hastes and loads.
//!
//! Keeps true: an effect changes a running segment at the instant it begins and at the instant it
//! ends, whenever the tick gets there. Leaves out on purpose: what causes effects.

use super::state::{Due, State};
use crate::authority::require;
use crate::sequences;
use crate::world::land::Land;
use crate::{Refusal, audit, characters, now_micros};
use haven_rules::accounts::Permission;
use haven_rules::motion::{EFFECT_MILLIS_MAX, EFFECTS_MAX, EffectKind, MotionError};
use haven_rules::sequences::Numbered;
use haven_tables::motion::{MotionEffect, motion_effect};
use spacetimedb::{ReducerContext, Table, reducer};

/// Lets an effect act on an entity: 1 root, 2 slow, 3 haste, 4 load, by that many percent, for so
/// many milliseconds; 0 is until it is cleared. For staff.
///
/// # Errors
/// In this order: the caller's, `motion.effect_invalid`, `motion.target_unknown`,
/// `motion.effects_too_many`.
#[reducer]
pub fn motion_effect_apply(
    ctx: &ReducerContext,
    entity_id: u64,
    kind: u8,
    percent: u16,
    millis: u32,
) -> Result<(), Refusal> {
    let actor = require(ctx, Permission::MoveCharacters)?;
    let kind = EffectKind::from_code(kind).ok_or(MotionError::EffectInvalid)?;
    let weakest = u16::from(kind != EffectKind::Root);
    if !(weakest..=kind.percent_max()).contains(&percent) || millis > EFFECT_MILLIS_MAX {
        return Err(MotionError::EffectInvalid.into());
    }
    let mut state = State::load(ctx, entity_id).ok_or(MotionError::TargetUnknown)?;
    if ctx.db.motion_effect().by_entity().filter(entity_id).count() >= EFFECTS_MAX {
        return Err(MotionError::EffectsTooMany.into());
    }
    let now = now_micros(ctx);
    let mut land = Land::new(ctx, state.world())?;
    state.advance(now, &mut land);
    let lasts_micros = i64::from(millis) * 1_000;
    let ends_at_micros = if millis == 0 { i64::MAX } else { now + lasts_micros };
    let kind = kind.code();
    ctx.db.motion_effect().insert(MotionEffect {
        effect_id: sequences::next(ctx, Numbered::MotionEffect),
        entity_id,
        ends_at_micros,
        percent,
        kind,
    });
    go_on(ctx, state, now, &mut land);
    let detail = format!("{entity_id} {kind} {percent} {millis}");
    audit::record(ctx, actor.account_id, subject(ctx, entity_id), "motion_effect_applied", &detail);
    Ok(())
}

/// Ends every effect of a kind on an entity. For staff.
///
/// # Errors
/// In this order: the caller's, `motion.effect_invalid`, `motion.target_unknown`.
#[reducer]
pub fn motion_effect_clear(ctx: &ReducerContext, entity_id: u64, kind: u8) -> Result<(), Refusal> {
    let actor = require(ctx, Permission::MoveCharacters)?;
    let kind = EffectKind::from_code(kind).ok_or(MotionError::EffectInvalid)?.code();
    let mut state = State::load(ctx, entity_id).ok_or(MotionError::TargetUnknown)?;
    let now = now_micros(ctx);
    let mut land = Land::new(ctx, state.world())?;
    state.advance(now, &mut land);
    let rows = ctx.db.motion_effect().by_entity().filter(entity_id);
    let ended: Vec<u64> = rows.filter(|row| row.kind == kind).map(|row| row.effect_id).collect();
    for effect_id in ended {
        ctx.db.motion_effect().effect_id().delete(effect_id);
    }
    go_on(ctx, state, now, &mut land);
    let detail = format!("{entity_id} {kind}");
    audit::record(ctx, actor.account_id, subject(ctx, entity_id), "motion_effect_cleared", &detail);
    Ok(())
}

/// The account of a character; 0 for who is none.
fn subject(ctx: &ReducerContext, entity_id: u64) -> u64 {
    characters::account_of(ctx, entity_id).unwrap_or(0)
}

/// Goes on as before at the pace that holds now.
pub(super) fn go_on(ctx: &ReducerContext, mut state: State, now: i64, land: &mut Land<'_>) {
    state.reload_effects(ctx);
    state.set_out(now, land);
    state.write(ctx, Due::Unknown, land.vigil);
}
