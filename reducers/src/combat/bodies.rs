//! Bodies: fighters as rows, loaded, changed in memory, written once.
//!
//! Keeps true: what did not change is not written; an effect that is over is not loaded; the
//! conditions and hit points that others see are those that the fight counts with.

use super::due;
use super::effects;
use crate::content::book;
use crate::{characters, motion, now_micros};
use haven_rules::characters::resources::{vital_codes, vital_of};
use haven_rules::combat::areas::Point;
use haven_rules::combat::fighter::{Effect, Fighter};
use haven_rules::combat::health::Health;
use haven_rules::combat::house::House;
use haven_rules::combat::sheet::{Sheet, of_character, of_creature};
use haven_rules::combat::turn::Turn;
use haven_rules::content::book::Book;
use haven_rules::content::{CreatureDef, FOOT_MM};
use haven_tables::combat::{
    CombatState, Combatant, combat_cooldown, combat_rest, combat_state, combat_threat, combatant,
};
use spacetimedb::{ReducerContext, Table};
use std::cell::RefCell;
use std::collections::BTreeMap;
use std::rc::Rc;

/// The side of players.
pub(crate) const PLAYERS: u32 = 0;
/// The side of creatures that nobody summoned.
pub(crate) const CREATURES: u32 = 1;
/// The way of a round at which a body goes as fast as its world says: 30 feet.
const USUAL_MM_PER_ROUND: u32 = 30 * FOOT_MM;
/// Most percent of the world's speed that a body goes with.
const PERCENT_MAX: u32 = 300;

/// A body in a fight, and what stood in its rows.
#[derive(Clone)]
pub(crate) struct Body {
    pub(crate) fighter: Fighter,
    pub(crate) row: Combatant,
    pub(crate) state: CombatState,
    /// The world it is in.
    pub(crate) world: u32,
    /// Its effects as they were.
    before: Vec<Effect>,
}

#[derive(Default)]
struct Sheets {
    of: Rc<Book>,
    house: Option<Rc<House>>,
    creatures: BTreeMap<String, Rc<Sheet>>,
}

thread_local! {
    static SHEETS: RefCell<Sheets> = RefCell::default();
}

fn with_sheets<T>(book: &Rc<Book>, run: impl FnOnce(&mut Sheets) -> T) -> T {
    SHEETS.with_borrow_mut(|kept| {
        if !Rc::ptr_eq(&kept.of, book) {
            *kept = Sheets { of: Rc::clone(book), ..Sheets::default() };
        }
        run(kept)
    })
}

/// The balance of a fight, read once for each version of content.
pub(crate) fn house(book: &Rc<Book>) -> Rc<House> {
    with_sheets(book, |kept| Rc::clone(kept.house.get_or_insert_with(|| Rc::new(House::of(book)))))
}

/// The sheet of a creature, worked out once for each version of content.
pub(crate) fn creature_sheet(book: &Rc<Book>, key: &str) -> Option<Rc<Sheet>> {
    with_sheets(book, |kept| {
        if let Some(sheet) = kept.creatures.get(key) {
            return Some(Rc::clone(sheet));
        }
        let def = book.creature(key)?;
        let sheet = Rc::new(of_creature(def, book.setting("creature_hit_points_percent")));
        kept.creatures.insert(key.to_owned(), Rc::clone(&sheet));
        Some(sheet)
    })
}

fn sheet_of(ctx: &ReducerContext, state: &CombatState, book: &Rc<Book>) -> Option<Rc<Sheet>> {
    if !state.creature.is_empty() {
        return creature_sheet(book, &state.creature);
    }
    let build = characters::build_of(ctx, state.entity_id, book)?;
    of_character(&build, book).map(Rc::new)
}

/// Milliseconds of microseconds, rounded down.
pub(crate) const fn millis(micros: i64) -> i64 {
    micros.div_euclid(1_000)
}

/// Microseconds of milliseconds.
pub(crate) const fn micros(millis: i64) -> i64 {
    millis.saturating_mul(1_000)
}

/// A body that can fight; none where there is none, or where content does not know it.
pub(crate) fn load(ctx: &ReducerContext, entity_id: u64, book: &Rc<Book>) -> Option<Body> {
    let row = ctx.db.combatant().entity_id().find(entity_id)?;
    load_row(ctx, row, book)
}

/// The body of a row.
pub(crate) fn load_row(ctx: &ReducerContext, row: Combatant, book: &Rc<Book>) -> Option<Body> {
    let entity_id = row.entity_id;
    let state = ctx.db.combat_state().entity_id().find(entity_id)?;
    let sheet = sheet_of(ctx, &state, book)?;
    let (world, x_mm, y_mm) = motion::place_of(ctx, entity_id)?;
    let now = millis(now_micros(ctx));
    let effects = if state.effects > 0 { effects::of(ctx, entity_id, now) } else { vec![] };
    let vital = vital_of(row.vital, state.death_successes, state.death_failures);
    let health = Health {
        max: row.hit_points_max,
        current: row.hit_points,
        temporary: row.temporary_hit_points,
        vital,
    };
    let turn = Turn {
        action_at: millis(state.action_at_micros),
        bonus_action_at: millis(state.bonus_action_at_micros),
        reaction_at: millis(state.reaction_at_micros),
    };
    let mut fighter = Fighter {
        entity_id,
        is_player: row.is_player,
        side: row.side,
        sheet,
        place: Point { x_mm, y_mm },
        health,
        turn,
        exhaustion: state.exhaustion,
        has_endured: state.has_endured,
        sneaked_at: millis(state.sneaked_at_micros),
        is_casting: super::casts::is_casting(ctx, entity_id),
        concentrates_on: state.concentrates_on.clone(),
        effects,
    };
    fighter.health.set_max(fighter.hit_points_max());
    let before = fighter.effects.clone();
    Some(Body { fighter, row, state, world, before })
}

/// Writes what changed of a body.
pub(crate) fn store(ctx: &ReducerContext, body: Body) {
    let Body { mut fighter, row, state, before, .. } = body;
    let entity_id = fighter.entity_id;
    effects::write(ctx, &mut fighter, &before);
    let (vital, successes, failures) = vital_codes(fighter.health.vital);
    let seen = Combatant {
        hit_points: fighter.health.current,
        hit_points_max: fighter.health.max,
        temporary_hit_points: fighter.health.temporary,
        conditions: fighter.conditions().bits(),
        level: fighter.sheet.level,
        side: fighter.side,
        vital,
        ..row.clone()
    };
    let percent = pace_percent(&fighter);
    let mut kept = CombatState {
        action_at_micros: micros(fighter.turn.action_at),
        bonus_action_at_micros: micros(fighter.turn.bonus_action_at),
        reaction_at_micros: micros(fighter.turn.reaction_at),
        sneaked_at_micros: micros(fighter.sneaked_at),
        effects: u16::try_from(fighter.effects.len()).unwrap_or(u16::MAX),
        exhaustion: fighter.exhaustion,
        death_successes: successes,
        death_failures: failures,
        has_endured: fighter.has_endured,
        concentrates_on: fighter.concentrates_on.clone(),
        ..state.clone()
    };
    if percent != state.speed_percent {
        kept.motion_effect_id = motion::set_pace(ctx, entity_id, state.motion_effect_id, percent);
        kept.speed_percent = percent;
    }
    if seen != row {
        ctx.db.combatant().entity_id().update(seen);
    }
    let known = ctx.db.combat_state().entity_id().find(entity_id);
    if known.is_some_and(|known| known != kept) {
        ctx.db.combat_state().entity_id().update(kept);
    }
}

/// Percent of the world's speed at which a body goes.
fn pace_percent(fighter: &Fighter) -> u16 {
    let own = fighter.sheet.speed_mm_per_round;
    let percent = u32::from(fighter.speed_percent()).saturating_mul(own) / USUAL_MM_PER_ROUND;
    u16::try_from(percent.min(PERCENT_MAX)).unwrap_or(100)
}

fn new_state(entity_id: u64, creature: &str) -> CombatState {
    CombatState {
        entity_id,
        action_at_micros: 0,
        bonus_action_at_micros: 0,
        reaction_at_micros: 0,
        ready_at_micros: 0,
        fought_at_micros: 0,
        sneaked_at_micros: 0,
        motion_effect_id: 0,
        initiative: 0,
        dexterity: 0,
        effects: 0,
        speed_percent: 100,
        exhaustion: 0,
        death_successes: 0,
        death_failures: 0,
        has_endured: false,
        concentrates_on: String::new(),
        creature: creature.to_owned(),
    }
}

/// A character in the world can fight: as well or ill as it was when it left. Nothing where content
/// does not know its race or class.
pub(crate) fn join_character(ctx: &ReducerContext, entity_id: u64) {
    let Some(chunk_index) = motion::chunk_of(ctx, entity_id) else { return };
    let book = book(ctx);
    let Some(build) = characters::build_of(ctx, entity_id, &book) else { return };
    let Some(sheet) = of_character(&build, &book) else { return };
    let had = characters::resources(ctx, entity_id, &sheet);
    let (vital, death_successes, death_failures) = vital_codes(had.vital);
    ctx.db.combatant().insert(Combatant {
        entity_id,
        chunk_index,
        hit_points: had.hit_points.clamp(0, sheet.hit_points_max),
        hit_points_max: sheet.hit_points_max,
        temporary_hit_points: 0,
        side: PLAYERS,
        conditions: 0,
        level: sheet.level,
        vital,
        is_player: true,
    });
    ctx.db.combat_state().insert(CombatState {
        exhaustion: had.exhaustion,
        death_successes,
        death_failures,
        has_endured: had.has_endured,
        ..new_state(entity_id, "")
    });
    super::aftermath::resume(ctx, entity_id, had.vital, &book);
    if let Some(body) = load(ctx, entity_id, &book) {
        store(ctx, body);
    }
}

/// A creature that stands in the world can fight.
pub(crate) fn join_creature(ctx: &ReducerContext, entity_id: u64, def: &CreatureDef, side: u32) {
    let Some(chunk_index) = motion::chunk_of(ctx, entity_id) else { return };
    let book = book(ctx);
    let Some(sheet) = creature_sheet(&book, &def.key) else { return };
    ctx.db.combatant().insert(Combatant {
        entity_id,
        chunk_index,
        hit_points: sheet.hit_points_max,
        hit_points_max: sheet.hit_points_max,
        temporary_hit_points: 0,
        side,
        conditions: 0,
        level: sheet.level,
        vital: 0,
        is_player: false,
    });
    ctx.db.combat_state().insert(new_state(entity_id, &def.key));
    if let Some(body) = load(ctx, entity_id, &book) {
        store(ctx, body);
    }
}

/// A body is gone: nothing of its fight stays but, of a character, how it is.
pub(crate) fn leave(ctx: &ReducerContext, entity_id: u64) {
    super::casts::drop_deeds(ctx, entity_id);
    let Some(row) = ctx.db.combatant().entity_id().find(entity_id) else { return };
    let book = book(ctx);
    if row.is_player {
        if let Some(body) = load_row(ctx, row, &book) {
            keep(ctx, &body);
        }
        super::duels::end_of(ctx, entity_id);
    }
    crate::items::forget_fallen(ctx, entity_id);
    super::effects::end_all(ctx, entity_id);
    if let Some(state) = ctx.db.combat_state().entity_id().find(entity_id) {
        motion::set_pace(ctx, entity_id, state.motion_effect_id, 100);
    }
    due::forget(ctx, entity_id, |_| true);
    ctx.db.combat_cooldown().by_entity().delete(entity_id);
    ctx.db.combat_threat().by_creature().delete(entity_id);
    ctx.db.combat_threat().by_entity().delete(entity_id);
    ctx.db.combat_rest().entity_id().delete(entity_id);
    ctx.db.combat_state().entity_id().delete(entity_id);
    ctx.db.combatant().entity_id().delete(entity_id);
}

/// Keeps how a character is, for when it comes back.
pub(super) fn keep(ctx: &ReducerContext, body: &Body) {
    let Body { fighter, .. } = body;
    let mut kept = characters::resources(ctx, fighter.entity_id, &fighter.sheet);
    kept.hit_points = fighter.health.current;
    (kept.exhaustion, kept.has_endured) = (fighter.exhaustion, fighter.has_endured);
    kept.vital = fighter.health.vital;
    characters::save_resources(ctx, fighter.entity_id, &kept);
}

/// A body is in another block now.
pub(crate) fn moved_to(ctx: &ReducerContext, entity_id: u64, chunk_index: u64) {
    if let Some(row) = ctx.db.combatant().entity_id().find(entity_id) {
        ctx.db.combatant().entity_id().update(Combatant { chunk_index, ..row });
    }
}

/// What makes a character changed: its hit points, armor and speed follow. What is more it has.
pub(crate) fn sheet_changed(ctx: &ReducerContext, entity_id: u64) {
    if let Some(mut body) = load(ctx, entity_id, &book(ctx)) {
        let more = body.fighter.health.max.saturating_sub(body.row.hit_points_max);
        if body.fighter.health.is_awake() {
            body.fighter.health.heal(more);
        }
        store(ctx, body);
    }
}
