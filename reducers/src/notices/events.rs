//! World events: beginning them, ending them, moving them on.
//!
//! Keeps true: an event's row shows the phase that the clock says, whenever it was last looked at.

use super::instant;
use crate::authority::require;
use crate::{Refusal, audit, now_micros, sequences};
use haven_rules::accounts::Permission;
use haven_rules::keys::joint_key;
use haven_rules::notices::schedule::Schedule;
use haven_rules::notices::{
    EVENTS_MAX, NoticeError, Standing, Wording, read_when, standing_of_round, validate_phases,
    validate_wording,
};
use haven_rules::sequences::Numbered;
use haven_tables::notices::{
    WorldEvent, WorldEventPhase, WorldEventPlan, world_event, world_event_plan,
};
use spacetimedb::{ReducerContext, Table, reducer};

/// Begins a world event: at `at_micros`, microseconds since 1970, or at once where that is 0 and
/// there is no pattern, or whenever `pattern` says so by the clock of `zone`. For staff.
///
/// # Errors
/// In this order: the caller's, `notice.title_length`, `notice.body_length`,
/// `notice.text_letters`, `notice.phases_invalid`, `notice.time_invalid`,
/// `notice.pattern_invalid`, `notice.zone_unknown`, `notice.never_due`, `notice.too_many`.
#[reducer]
pub fn world_event_begin(
    ctx: &ReducerContext,
    title: String,
    body: String,
    phases: Vec<WorldEventPhase>,
    at_micros: i64,
    pattern: String,
    zone: String,
) -> Result<(), Refusal> {
    let actor = require(ctx, Permission::Announce)?;
    let Wording { title, body } = validate_wording(&title, &body)?;
    let named: Vec<(&str, u32)> =
        phases.iter().map(|phase| (phase.name.as_str(), phase.seconds)).collect();
    validate_phases(&named)?;
    let now = now_micros(ctx);
    let begins_at_micros = if at_micros == 0 && pattern.is_empty() {
        now
    } else {
        read_when(now, at_micros, (&pattern, &zone), 0)?.first_at_micros
    };
    if ctx.db.world_event().count() >= EVENTS_MAX {
        return Err(NoticeError::TooMany.into());
    }
    let event_id = sequences::next(ctx, Numbered::Notice);
    let detail = format!("{event_id} {pattern} {zone}: {title}");
    audit::record(ctx, actor.account_id, 0, "world_event_begun", &detail);
    ctx.db.world_event().insert(WorldEvent {
        event_id,
        began_at_micros: now,
        ends_at_micros: begins_at_micros,
        audience: 0,
        phase: 0,
        phases: u8::try_from(phases.len()).unwrap_or(u8::MAX),
        phase_name: String::new(),
        title,
        body,
    });
    let due_key = joint_key(instant(begins_at_micros), event_id);
    let plan = WorldEventPlan { event_id, due_key, begins_at_micros, pattern, zone, phases };
    let plan = ctx.db.world_event_plan().insert(plan);
    move_on(ctx, plan);
    Ok(())
}

/// Ends a world event, and those of it that were to come. For staff.
///
/// # Errors
/// In this order: the caller's, `notice.unknown`.
#[reducer]
pub fn world_event_end(ctx: &ReducerContext, event_id: u64) -> Result<(), Refusal> {
    let actor = require(ctx, Permission::Announce)?;
    if !forget(ctx, event_id) {
        return Err(NoticeError::Unknown.into());
    }
    audit::record(ctx, actor.account_id, 0, "world_event_ended", &event_id.to_string());
    Ok(())
}

/// Shows the phase that an event is in now, and notes when that one ends.
pub(super) fn move_on(ctx: &ReducerContext, plan: WorldEventPlan) {
    let now = now_micros(ctx);
    let event_id = plan.event_id;
    let seconds: Vec<u32> = plan.phases.iter().map(|phase| phase.seconds).collect();
    let schedule = Schedule::new(&plan.pattern, &plan.zone).ok();
    let (begins_at_micros, standing) =
        standing_of_round(schedule.as_ref(), plan.begins_at_micros, &seconds, now);
    let Some(row) = ctx.db.world_event().event_id().find(event_id) else {
        ctx.db.world_event_plan().event_id().delete(event_id);
        return;
    };
    let (phase, phase_name, began_at_micros, ends_at_micros) = match standing {
        Standing::Over => {
            forget(ctx, event_id);
            return;
        }
        Standing::Waiting(at) if row.phase == 0 => (0, String::new(), row.began_at_micros, at),
        Standing::Waiting(at) => (0, String::new(), now, at),
        Standing::Phase(index, began, ends) => {
            let name = plan.phases.get(index).map(|phase| phase.name.clone());
            let phase = u8::try_from(index + 1).unwrap_or(u8::MAX);
            (phase, name.unwrap_or_default(), began, ends)
        }
    };
    ctx.db.world_event().event_id().update(WorldEvent {
        phase,
        phase_name,
        began_at_micros,
        ends_at_micros,
        ..row
    });
    let due_key = joint_key(instant(ends_at_micros), event_id);
    let plan = WorldEventPlan { due_key, begins_at_micros, ..plan };
    ctx.db.world_event_plan().event_id().update(plan);
}

fn forget(ctx: &ReducerContext, event_id: u64) -> bool {
    ctx.db.world_event_plan().event_id().delete(event_id);
    ctx.db.world_event().event_id().delete(event_id)
}
