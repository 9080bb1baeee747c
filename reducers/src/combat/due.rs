//! What is due in fights: when somebody must look at a body again, and why.
//!
//! Keeps true: a row that is due is found by the first run of the tick after it; while there is any
//! the tick runs, and while there is none it does not.

use super::{CombatTickTimer, combat_tick_timer};
use crate::now_micros;
use crate::sequences;
use crate::wheel::Wheel;
use haven_rules::motion::{TICK_MICROS, slot_of, slots_between};
use haven_rules::sequences::Numbered;
use haven_tables::combat::{CombatDue, combat_due};
use spacetimedb::{ReducerContext, Table, TimeDuration};

/// Most rows that one run of the tick handles: nobody else's call waits for longer than that.
pub(crate) const ROWS_MAX: usize = 100;
/// How long it is from the end of a run that left something to the next, microseconds: calls of
/// players come in between.
const SOON_MICROS: i64 = 5_000;

/// Why somebody must look.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub(crate) enum Kind {
    /// A deed is done.
    Deed = 1,
    /// An effect's moment, or its end.
    Effect = 2,
    /// A death save.
    DeathSave = 3,
    /// A corpse vanishes, or a dead player returns.
    Corpse = 4,
    /// Somebody may have left another's reach.
    Leaving = 5,
    /// A rest is over.
    Rest = 6,
    /// A duel or its offer is over.
    Duel = 7,
    /// A creature thinks.
    Thought = 8,
    /// Who is stable wakes.
    Waking = 9,
    /// Something lies on a corpse.
    Spoils = 10,
}

impl Kind {
    const ALL: [Self; 10] = [
        Self::Deed,
        Self::Effect,
        Self::DeathSave,
        Self::Corpse,
        Self::Leaving,
        Self::Rest,
        Self::Duel,
        Self::Thought,
        Self::Waking,
        Self::Spoils,
    ];

    pub(crate) fn from_code(code: u8) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| *kind as u8 == code)
    }
}

thread_local! {
    static WHEEL: Wheel = const { Wheel::new() };
}

/// Somebody must look at a body at an instant, once more than already.
pub(crate) fn set(
    ctx: &ReducerContext,
    entity_id: u64,
    subject_id: u64,
    kind: Kind,
    due_at_micros: i64,
) {
    ctx.db.combat_due().insert(CombatDue {
        due_id: sequences::next(ctx, Numbered::CombatDue),
        entity_id,
        subject_id,
        due_at_micros,
        slot: slot_of(due_at_micros.max(now_micros(ctx))),
        kind: kind as u8,
    });
    if ctx.db.combat_tick_timer().count() == 0 {
        let scheduled_at = TimeDuration::from_micros(TICK_MICROS).into();
        ctx.db.combat_tick_timer().insert(CombatTickTimer { scheduled_id: 0, scheduled_at });
    }
}

/// The same in place of what was due of that kind.
pub(crate) fn replace(
    ctx: &ReducerContext,
    entity_id: u64,
    subject_id: u64,
    kind: Kind,
    due_at_micros: i64,
) {
    forget(ctx, entity_id, |row| row.kind == kind as u8 && row.subject_id == subject_id);
    set(ctx, entity_id, subject_id, kind, due_at_micros);
}

/// Nobody must look at a body any more for what is asked.
pub(crate) fn forget(ctx: &ReducerContext, entity_id: u64, is_gone: impl Fn(&CombatDue) -> bool) {
    let rows = ctx.db.combat_due().by_entity().filter(entity_id);
    let gone: Vec<u64> = rows.filter(|row| is_gone(row)).map(|row| row.due_id).collect();
    for due_id in gone {
        ctx.db.combat_due().due_id().delete(due_id);
    }
}

/// What is due now, earliest first, at most [`ROWS_MAX`], and whether more is.
pub(super) fn due(ctx: &ReducerContext, now: i64) -> (Vec<CombatDue>, bool) {
    let from = WHEEL.with(Wheel::look_from);
    let from = if from > now { 0 } else { from };
    let mut rows: Vec<CombatDue> = slots_between(from, now)
        .into_iter()
        .flat_map(|slots| ctx.db.combat_due().by_slot().filter(slots))
        .filter(|row| row.due_at_micros <= now)
        .take(2 * ROWS_MAX)
        .collect();
    rows.sort_unstable_by_key(|row| (row.due_at_micros, row.due_id));
    let is_more = rows.len() > ROWS_MAX;
    rows.truncate(ROWS_MAX);
    (rows, is_more)
}

/// The next run comes with the next tick, or soon, where this one left something. The timer's row
/// is written by its own run alone, else the engine would keep two of it.
pub(super) fn next_run(ctx: &ReducerContext, timer: CombatTickTimer, is_soon: bool) {
    let micros = if is_soon { SOON_MICROS } else { TICK_MICROS };
    let scheduled_at = TimeDuration::from_micros(micros).into();
    if timer.scheduled_at != scheduled_at {
        ctx.db.combat_tick_timer().scheduled_id().update(CombatTickTimer { scheduled_at, ..timer });
    }
}

/// Everything up to that instant has been handled.
pub(super) fn handled_until(now: i64) {
    WHEEL.with(|wheel| wheel.handled_until(now));
}

/// When somebody must be looked at for that, if ever.
pub(crate) fn at_of(ctx: &ReducerContext, entity_id: u64, kind: Kind) -> Option<i64> {
    let mut rows = ctx.db.combat_due().by_entity().filter(entity_id);
    rows.find(|row| row.kind == kind as u8).map(|row| row.due_at_micros)
}
