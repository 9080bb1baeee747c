//! Creatures appear in the world and go from it.
//!
//! Keeps true: a creature has an entity, a motion row, a body that can fight and a row here, or
//! none of them; it stands where somebody can stand.

use crate::authority::require_owner;
use crate::combat::{self, Body, Kind};
use crate::content::book;
use crate::world::land::Land;
use crate::{Refusal, motion, now_micros, world};
use haven_rules::combat::aim::CombatError;
use haven_rules::combat::areas::Point;
use haven_rules::content::CreatureDef;
use haven_rules::motion::mix;
use haven_rules::npcs::camps::scattered;
use haven_rules::npcs::mind::Mood;
use haven_rules::npcs::{CREATURES_AT_ONCE_MAX, CREATURES_MAX, NpcError, THINK_FIGHTING_MICROS};
use haven_rules::world::{EntityKind, cell_of_mm};
use haven_tables::npcs::{Creature, creature};
use spacetimedb::{ReducerContext, Table, reducer};

/// Sides that creatures can fight on.
const SIDES: std::ops::RangeInclusive<u32> = 1..=65_535;
/// How much wider a group stands for each of it, millimetres.
const EACH_MM: u32 = 400;
/// Most creatures that one body has summoned at a time.
const SUMMONED_MAX: usize = 8;
/// How far from its master a summoned creature appears at most, millimetres.
const SUMMON_MM: u32 = 3_000;
/// Places that are tried for one creature.
const TRIES: u32 = 6;

/// A creature that is to appear.
pub(super) struct New<'a> {
    pub(super) def: &'a CreatureDef,
    pub(super) world: u32,
    /// Where it stands and belongs.
    pub(super) place: Point,
    pub(super) side: u32,
    /// 0 for none.
    pub(super) camp_id: u64,
    /// 0 for nobody.
    pub(super) master_id: u64,
    /// `i64::MAX` for never.
    pub(super) goes_at_micros: i64,
}

/// A creature appears.
pub(super) fn appear(ctx: &ReducerContext, entity_id: u64, new: &New<'_>) {
    let now = now_micros(ctx);
    let Point { x_mm, y_mm } = new.place;
    let chunk_index = motion::place(ctx, entity_id, new.world, (x_mm, y_mm), false);
    let name = new.def.name.clone();
    world::show_entity(ctx, entity_id, chunk_index, EntityKind::Creature, name);
    combat::join_creature(ctx, entity_id, new.def, new.side);
    ctx.db.creature().insert(Creature {
        entity_id,
        camp_id: new.camp_id,
        master_id: new.master_id,
        target_id: 0,
        goes_at_micros: new.goes_at_micros,
        called_at_micros: 0,
        world: new.world,
        home_x_mm: x_mm,
        home_y_mm: y_mm,
        mood: Mood::Idle.code(),
        phase: 0,
        key: new.def.key.clone(),
    });
    // Not all of them in the same tick.
    let later = i64::try_from(mix(entity_id, 0) % THINK_FIGHTING_MICROS.unsigned_abs());
    combat::set(ctx, entity_id, 0, Kind::Thought, now + later.unwrap_or(0));
    if new.goes_at_micros != i64::MAX {
        combat::set(ctx, entity_id, GOES, Kind::Thought, new.goes_at_micros);
    }
}

/// What a thought is about that a creature goes with.
const GOES: u64 = 1;

/// A creature goes, or what is left of it.
pub(crate) fn remove(ctx: &ReducerContext, entity_id: u64) {
    combat::leave(ctx, entity_id);
    motion::remove(ctx, entity_id);
    world::hide_entity(ctx, entity_id);
    ctx.db.creature().entity_id().delete(entity_id);
}

/// Where the one of that number of a group stands: somewhere around its middle where somebody can
/// stand and walk to it, else in the middle.
pub(super) fn stand(
    land: &mut Land<'_>,
    middle: Point,
    radius_mm: u32,
    seed: u64,
    number: u32,
) -> Point {
    let place = |attempt| scattered(middle, radius_mm, seed, number * TRIES + attempt);
    (0..TRIES).map(place).find(|place| is_open(land, *place)).unwrap_or(middle)
}

fn is_open(land: &mut Land<'_>, place: Point) -> bool {
    land.bounds().contains(place.x_mm, place.y_mm)
        && land.is_open(cell_of_mm(place.x_mm), cell_of_mm(place.y_mm))
}

/// Puts creatures of a kind into a world around a place, on a side of 1 (that of camps) to 65535:
/// sides fight each other, and all of them players. They belong where they appear, and are there
/// until they die or are cleared. Owner only.
///
/// # Errors
/// In this order: `account.permission_denied`, `world.unknown`, `combat.side_invalid`,
/// `combat.creature_unknown`, `combat.creatures_too_many` for more than 1,000 at once or 200,000 in
/// all, `npc.place_invalid`, `realm.not_configured`.
#[reducer]
pub fn creature_spawn(
    ctx: &ReducerContext,
    world: u32,
    key: String,
    x_mm: i32,
    y_mm: i32,
    count: u32,
    side: u32,
) -> Result<(), Refusal> {
    require_owner(ctx)?;
    let mut land = Land::new(ctx, world)?;
    if !SIDES.contains(&side) {
        return Err(CombatError::SideInvalid.into());
    }
    let book = book(ctx);
    let def = book.creature(&key).ok_or(CombatError::CreatureUnknown)?;
    let total = ctx.db.creature().count() + u64::from(count);
    if count > CREATURES_AT_ONCE_MAX || total > CREATURES_MAX {
        return Err(CombatError::CreaturesTooMany.into());
    }
    let middle = Point { x_mm, y_mm };
    if !is_open(&mut land, middle) {
        return Err(NpcError::PlaceInvalid.into());
    }
    for (number, entity_id) in (0_u32..).zip(world::reserve_entity_ids(ctx, count)?) {
        let place = stand(&mut land, middle, count * EACH_MM, entity_id, number);
        let goes_at_micros = i64::MAX;
        let new = New { def, world, place, side, camp_id: 0, master_id: 0, goes_at_micros };
        appear(ctx, entity_id, &new);
    }
    Ok(())
}

/// Removes creatures of a world that belong to no camp, at most that many, and their corpses. Owner
/// only.
///
/// # Errors
/// In this order: `account.permission_denied`, `combat.creatures_too_many`.
#[reducer]
pub fn creature_clear(ctx: &ReducerContext, world: u32, count: u32) -> Result<(), Refusal> {
    require_owner(ctx)?;
    if count > CREATURES_AT_ONCE_MAX {
        return Err(CombatError::CreaturesTooMany.into());
    }
    let rows = ctx.db.creature().by_camp().filter(0_u64).filter(|row| row.world == world);
    let rows = rows.take(usize::try_from(count).unwrap_or(0));
    let gone: Vec<u64> = rows.map(|row| row.entity_id).collect();
    for entity_id in gone {
        remove(ctx, entity_id);
    }
    Ok(())
}

/// Somebody calls creatures to its side, for a time.
pub(crate) fn summon(ctx: &ReducerContext, user: &Body, key: &str, count: u8, goes_at: i64) {
    let master_id = user.fighter.entity_id;
    let book = book(ctx);
    let Some(def) = book.creature(key) else { return };
    let Ok(land) = Land::new(ctx, user.world) else { return };
    let mut land = land.making_at_most(0);
    let known = ctx.db.creature().by_master().filter(master_id).count();
    let room = SUMMONED_MAX.saturating_sub(known).min(usize::from(count));
    let Ok(ids) = world::reserve_entity_ids(ctx, u32::try_from(room).unwrap_or(0)) else { return };
    for (number, entity_id) in (0_u32..).zip(ids) {
        let middle = user.fighter.place;
        let new = New {
            def,
            world: user.world,
            place: stand(&mut land, middle, SUMMON_MM, entity_id, number),
            side: user.fighter.side,
            camp_id: 0,
            master_id,
            goes_at_micros: goes_at,
        };
        appear(ctx, entity_id, &new);
    }
}
