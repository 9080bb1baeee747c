//! Combat: who can fight, what is done to whom, and the tick that does it.
//!
//! Keeps true: a call begins a deed and the tick does it, in the order of initiative among those of
//! the same tick; the tick handles only what is due, at most `due::ROWS_MAX` rows a run, and does
//! not run while nothing is. Every die stands in an event.

mod aftermath;
mod bodies;
mod casts;
mod deeds;
pub mod dice;
mod due;
mod duels;
mod effects;
mod leaving;
mod near;
mod recover;
mod rests;
mod scene;
pub mod sweep;
mod threat;

pub(crate) use bodies::{
    Body, CREATURES, join_character, join_creature, leave, moved_to, sheet_changed,
};
pub(crate) use deeds::{begin, begin_with_item};
pub use dice::{dice_day_end, dice_stir};
pub(crate) use due::{Kind, forget, replace, set};
pub use duels::{duel_answer, duel_end, duel_offer};
pub(crate) use recover::recover;
pub(crate) use rests::is_fighting;
pub use rests::{death_return, rest_begin, rest_end};
pub use sweep::combat_event_sweep;
pub(crate) use threat::{change as change_threat, of as threat_of};

use crate::authority::{require_database, require_player, require_room};
use crate::content::{book, hold};
use crate::world::land;
use crate::{Refusal, characters, items, motion, now_micros, npcs};
use dice::Cup;
use haven_rules::combat::aim::{Aim, CombatError};
use haven_rules::combat::areas::Point;
use haven_rules::combat::deed::Told;
use haven_rules::combat::initiative::{Place, order};
use haven_rules::combat::lasting::moment;
use haven_rules::motion::tick_of;
use haven_tables::combat::{
    CombatDue, combat_cast, combat_deed, combat_due, combat_effect, combat_state, combatant,
};
use spacetimedb::{ReducerContext, ScheduleAt, SpacetimeType, Table, reducer, table};

/// The timer of [`combat_tick()`]: 20 Hz, while anything is due.
#[table(name = combat_tick_timer, scheduled(combat_tick))]
pub struct CombatTickTimer {
    /// The timer's number.
    #[primary_key]
    #[auto_inc]
    pub scheduled_id: u64,
    /// When it fires.
    pub scheduled_at: ScheduleAt,
}

pub(crate) fn ensure_timers(ctx: &ReducerContext) {
    sweep::ensure_timers(ctx);
}

/// A place, millimetres: an argument of [`ability_use()`].
#[derive(SpacetimeType, Clone, Copy, Debug, Hash)]
pub struct AimPoint {
    /// East of the origin.
    pub x_mm: i32,
    /// North of the origin.
    pub y_mm: i32,
}

/// A direction; only its angle counts.
#[derive(SpacetimeType, Clone, Copy, Debug, Hash)]
pub struct AimDirection {
    /// East.
    pub dx: i16,
    /// North.
    pub dy: i16,
}

/// At what an ability is aimed.
#[derive(SpacetimeType, Clone, Copy, Debug, Hash)]
pub enum AbilityAim {
    /// Nothing but oneself.
    Oneself,
    /// Somebody, by its entity's id.
    Entity(u64),
    /// A place.
    Point(AimPoint),
    /// A direction.
    Direction(AimDirection),
}

impl From<AbilityAim> for Aim {
    fn from(aim: AbilityAim) -> Self {
        match aim {
            AbilityAim::Oneself => Self::Oneself,
            AbilityAim::Entity(entity_id) => Self::Entity(entity_id),
            AbilityAim::Point(AimPoint { x_mm, y_mm }) => Self::Point(Point { x_mm, y_mm }),
            AbilityAim::Direction(AimDirection { dx, dy }) => Self::Direction(dx.into(), dy.into()),
        }
    }
}

/// Uses an ability of the caller's character. A spell takes a slot of that level, 0 for its own.
/// It is done with the next tick, or when it is cast; what came of it stands in `combat_event`.
///
/// # Errors
/// In this order: the caller's, `combat.not_in_world`, then those of a fight from
/// `combat.ability_unknown` to `combat.no_sight`, with `combat.switched_off` before the aim.
#[reducer]
pub fn ability_use(
    ctx: &ReducerContext,
    ability: String,
    aim: AbilityAim,
    slot_level: u8,
) -> Result<(), Refusal> {
    let player = require_player(ctx)?;
    let entity_id = characters::entity_of(ctx, player.account_id);
    let entity_id = entity_id.ok_or(CombatError::NotInWorld)?;
    rests::disturb(ctx, entity_id);
    deeds::begin(ctx, entity_id, &ability, aim.into(), slot_level)
}

/// Breaks off what the caller's character casts; what it cost is spent. Nothing is no error.
///
/// # Errors
/// In this order: the caller's, `combat.not_in_world`.
#[reducer]
pub fn cast_cancel(ctx: &ReducerContext) -> Result<(), Refusal> {
    let player = require_player(ctx)?;
    let entity_id = characters::entity_of(ctx, player.account_id);
    casts::break_off(ctx, entity_id.ok_or(CombatError::NotInWorld)?);
    Ok(())
}

/// Does what is due in fights: deeds in the order of initiative, effects, death saves, corpses, and
/// what creatures think. 20 times a second while anything is due, and soon again where one run was
/// not enough.
///
/// # Errors
/// `realm.database_only` for clients.
#[reducer]
pub fn combat_tick(ctx: &ReducerContext, timer: CombatTickTimer) -> Result<(), Refusal> {
    require_database(ctx)?;
    // Whoever fights waits until there is room to write what happens.
    if require_room(ctx).is_err() {
        return Ok(());
    }
    if ctx.db.combat_due().count() == 0 {
        ctx.db.combat_tick_timer().scheduled_id().delete(timer.scheduled_id);
        return Ok(());
    }
    let now = now_micros(ctx);
    let (mut due, is_more) = due::due(ctx, now);
    due::next_run(ctx, timer, is_more);
    if due.is_empty() {
        return Ok(());
    }
    let (rows, late_micros) = (due.len(), now - due[0].due_at_micros);
    by_initiative(ctx, &mut due);
    // Nothing that is due brings other content in force or configures a world.
    let _held = (hold(ctx), land::hold());
    let mut cup = Cup::open(ctx);
    for row in due {
        // What one deed ends the next finds gone.
        if ctx.db.combat_due().due_id().delete(row.due_id) {
            handle(ctx, &mut cup, &row);
        }
    }
    cup.close(ctx);
    motion::note_combat(ctx, rows, late_micros, is_more, due::ROWS_MAX);
    if !is_more {
        due::handled_until(now);
    }
    Ok(())
}

/// Puts deeds of the same tick in the order of initiative; all else stays where it is.
fn by_initiative(ctx: &ReducerContext, due: &mut [CombatDue]) {
    let place = |row: &CombatDue| {
        let state = ctx.db.combat_state().entity_id().find(row.entity_id);
        let (initiative, dexterity) =
            state.map_or((0, 0), |state| (state.initiative, state.dexterity));
        Place { initiative: initiative.into(), dexterity, entity_id: row.entity_id }
    };
    let deeds: Vec<usize> = (0..due.len()).filter(|at| due[*at].kind == Kind::Deed as u8).collect();
    let mut start = 0;
    while start < deeds.len() {
        let tick = tick_of(due[deeds[start]].due_at_micros);
        let same = |at: &&usize| tick_of(due[**at].due_at_micros) == tick;
        let end = start + deeds[start..].iter().take_while(same).count();
        if end - start > 1 {
            let mut places: Vec<Place> =
                deeds[start..end].iter().map(|at| place(&due[*at])).collect();
            order(&mut places);
            let rank =
                |row: &CombatDue| places.iter().position(|place| place.entity_id == row.entity_id);
            let mut rows: Vec<CombatDue> =
                deeds[start..end].iter().map(|at| due[*at].clone()).collect();
            rows.sort_by_key(rank);
            for (at, row) in deeds[start..end].iter().zip(rows) {
                due[*at] = row;
            }
        }
        start = end;
    }
}

fn handle(ctx: &ReducerContext, cup: &mut Cup, row: &CombatDue) {
    let (entity_id, subject_id) = (row.entity_id, row.subject_id);
    match Kind::from_code(row.kind) {
        Some(Kind::Deed) => deeds::finish(ctx, cup, subject_id),
        Some(Kind::Effect) => effect_moment(ctx, cup, entity_id, subject_id),
        Some(Kind::DeathSave) => rests::roll_for_life(ctx, cup, entity_id),
        Some(Kind::Corpse) => corpse_gone(ctx, entity_id),
        Some(Kind::Leaving) => leaving::look(ctx, cup, entity_id, subject_id),
        Some(Kind::Rest) => rests::over(ctx, cup, entity_id),
        Some(Kind::Duel) => duels::look(ctx, entity_id),
        // What it begins rolls for initiative.
        Some(Kind::Thought) => cup.aside(ctx, || npcs::think(ctx, entity_id)),
        Some(Kind::Waking) => rests::wake(ctx, entity_id),
        Some(Kind::Spoils) => cup.aside(ctx, || items::spoils(ctx, entity_id)),
        None => {}
    }
}

fn corpse_gone(ctx: &ReducerContext, entity_id: u64) {
    let Some(row) = ctx.db.combatant().entity_id().find(entity_id) else { return };
    if row.is_player {
        rests::return_dead(ctx, entity_id);
    } else {
        npcs::remove(ctx, entity_id);
    }
}

/// An effect hurts, heals, may be shaken off, or is over.
fn effect_moment(ctx: &ReducerContext, cup: &mut Cup, entity_id: u64, effect_id: u64) {
    let Some(row) = ctx.db.combat_effect().effect_id().find(effect_id) else { return };
    if row.ends_at_micros <= now_micros(ctx) {
        effects::end(ctx, entity_id, effect_id);
        return;
    }
    let book = book(ctx);
    let Some(mut body) = bodies::load(ctx, entity_id, &book) else { return };
    let source = ctx.db.combatant().entity_id().find(row.source_id);
    let by_player = source.is_some_and(|row| row.is_player);
    let mut throws = cup.event(ctx, row.source_id, &row.ability);
    let house = bodies::house(&book);
    let now = bodies::millis(now_micros(ctx));
    let mut fighters = [body.fighter.clone()];
    let told: Told = moment(&house, &mut fighters, 0, effect_id, by_player, now, &mut throws);
    [body.fighter] = fighters;
    let chunk_index = body.row.chunk_index;
    let source = bodies::load(ctx, row.source_id, &book);
    aftermath::settle_moment(ctx, body, source.as_ref(), &told, &book);
    aftermath::tell(ctx, throws, chunk_index, told.lines);
}

/// Somebody sets out: what it casts and its rest end, and enemies beside it watch.
pub(crate) fn sets_out(ctx: &ReducerContext, entity_id: u64) {
    rests::moved(ctx, entity_id);
    leaving::watch(ctx, entity_id);
}

/// Whether somebody casts, and so stands still.
pub(crate) fn is_casting(ctx: &ReducerContext, entity_id: u64) -> bool {
    ctx.db.combat_cast().entity_id().find(entity_id).is_some()
}

/// Whether somebody has begun something that is not done.
pub(crate) fn is_busy(ctx: &ReducerContext, entity_id: u64) -> bool {
    ctx.db.combat_deed().by_entity().filter(entity_id).next().is_some()
}
