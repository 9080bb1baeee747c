//! Camps as rows: placed once, awake while somebody is near, asleep otherwise.
//!
//! Keeps true: a camp that sleeps is one row and costs nothing; one that is awake has its living
//! creatures in the world; who died is there again when the camp is filled. Flat worlds have no
//! camps but those the owner scatters.

use super::spawn::{self, New};
use crate::authority::{require_database, require_owner, require_room};
use crate::combat::CREATURES;
use crate::content::book;
use crate::sequences;
use crate::world::land::{Land, terrain_of};
use crate::world::{self, blocks};
use crate::{Refusal, at_micros, now_micros};
use haven_rules::combat::aim::CombatError;
use haven_rules::combat::areas::Point;
use haven_rules::content::CampDef;
use haven_rules::content::book::Book;
use haven_rules::motion::mix;
use haven_rules::npcs::camps::{Country, Placed, members, place, refill_at};
use haven_rules::npcs::mind::Mood;
use haven_rules::sequences::Numbered;
use haven_rules::world::terrain::Block;
use haven_rules::world::{BLOCK_MM, block_of_mm, chunk_index, chunk_parts};
use haven_tables::npcs::{Camp, CampBlock, Creature, camp, camp_block, creature};
use haven_tables::world::terrain_block;
use spacetimedb::{ReducerContext, ScheduleAt, Table, reducer, table};

/// Most camps that one call scatters.
const CAMPS_AT_ONCE_MAX: u32 = 20_000;

/// When a camp that is awake is filled again: [`camp_fill()`].
#[table(name = camp_fill_timer, scheduled(camp_fill))]
pub struct CampFillTimer {
    /// The timer's number.
    #[primary_key]
    pub scheduled_id: u64,
    /// When it fires.
    pub scheduled_at: ScheduleAt,
    /// The camp.
    #[unique]
    pub camp_id: u64,
}

/// Somebody watches a block: its camps wake.
pub(super) fn block_watched(ctx: &ReducerContext, chunk: u64) {
    let book = book(ctx);
    // Without content there is nothing to place, and later there may be.
    if ctx.db.camp_block().chunk_index().find(chunk).is_none() && !book.camps().is_empty() {
        place_camps(ctx, chunk, &book);
    }
    let asleep: Vec<Camp> =
        ctx.db.camp().by_chunk().filter(chunk).filter(|camp| !camp.is_awake).collect();
    for camp in asleep {
        wake(ctx, camp, &book);
    }
}

/// Places the camps of a block whose land is made.
fn place_camps(ctx: &ReducerContext, chunk: u64, book: &Book) {
    let (world, block_x, block_y) = chunk_parts(chunk);
    let Some((version, terrain)) = terrain_of(ctx, world) else { return };
    let row = ctx.db.terrain_block().chunk_index().find(chunk);
    let row = row.filter(|row| row.version == version);
    let Some(block) = row.and_then(|row| Block::decode(&row.data)) else { return };
    let Ok(land) = Land::new(ctx, world) else { return };
    let country = Country {
        seed: terrain.seed(),
        block_x,
        block_y,
        biomes: &block.biomes,
        ground: &block.ground,
        home: Point { x_mm: land.config.spawn_x_mm, y_mm: land.config.spawn_y_mm },
    };
    ctx.db.camp_block().insert(CampBlock { chunk_index: chunk, world });
    for placed in place(&country, book) {
        if let Some(def) = book.camp(&placed.camp) {
            found(ctx, chunk, &placed, def);
        }
    }
}

/// A camp is there from now on, asleep and full.
fn found(ctx: &ReducerContext, chunk: u64, placed: &Placed, def: &CampDef) {
    let seed = mix(chunk, u64::from(placed.x_mm.unsigned_abs()));
    ctx.db.camp().insert(Camp {
        camp_id: sequences::next(ctx, Numbered::Camp),
        chunk_index: chunk,
        world: chunk_parts(chunk).0,
        pos_x_mm: placed.x_mm,
        pos_y_mm: placed.y_mm,
        fills_at_micros: 0,
        is_awake: false,
        key: placed.camp.clone(),
        living: members(def, seed),
    });
}

/// A camp's creatures appear; those that died meanwhile too if their time has come.
fn wake(ctx: &ReducerContext, mut camp: Camp, book: &Book) {
    let Some(def) = book.camp(&camp.key) else { return };
    let now = now_micros(ctx);
    let is_due = camp.fills_at_micros != 0 && camp.fills_at_micros <= now;
    // A camp whose members are others than when it was placed is a new one.
    if camp.living.len() != def.members.len() || (is_due && book.switch("creature_respawn")) {
        camp.living = members(def, mix(camp.camp_id, now.unsigned_abs()));
        camp.fills_at_micros = 0;
    }
    populate(ctx, &camp, def, &camp.living, book);
    camp.is_awake = true;
    if camp.fills_at_micros != 0 {
        fill_later(ctx, camp.camp_id, camp.fills_at_micros.max(now));
    }
    ctx.db.camp().camp_id().update(camp);
}

/// So many of each member appear in a camp.
fn populate(ctx: &ReducerContext, camp: &Camp, def: &CampDef, counts: &[u8], book: &Book) {
    let Ok(land) = Land::new(ctx, camp.world) else { return };
    // No land is made only to stand on it.
    let mut land = land.making_at_most(0);
    let count = counts.iter().map(|count| u32::from(*count)).sum();
    let Ok(mut ids) = world::reserve_entity_ids(ctx, count) else { return };
    let middle = Point { x_mm: camp.pos_x_mm, y_mm: camp.pos_y_mm };
    let radius_mm = def.radius_mm;
    for (member, count) in def.members.iter().zip(counts) {
        let Some(def) = book.creature(&member.creature) else { continue };
        for number in 0..u32::from(*count) {
            let Some(entity_id) = ids.next() else { return };
            let new = New {
                def,
                world: camp.world,
                place: spawn::stand(&mut land, middle, radius_mm, entity_id, number),
                side: CREATURES,
                camp_id: camp.camp_id,
                master_id: 0,
                goes_at_micros: i64::MAX,
            };
            spawn::appear(ctx, entity_id, &new);
        }
    }
}

/// Nobody watches a block any more: camps in it sleep, unless one of their creatures fights
/// elsewhere.
pub(super) fn block_unwatched(ctx: &ReducerContext, chunk: u64) {
    if blocks::keeps_vigil(ctx, chunk_parts(chunk).0) {
        return;
    }
    let awake: Vec<Camp> =
        ctx.db.camp().by_chunk().filter(chunk).filter(|camp| camp.is_awake).collect();
    for camp in awake {
        put_away(ctx, camp);
    }
}

/// One of a camp's creatures found itself unwatched: the camp sleeps if its block is, too.
pub(super) fn fall_asleep(ctx: &ReducerContext, camp_id: u64) {
    let camp = ctx.db.camp().camp_id().find(camp_id);
    let camp = camp.filter(|camp| camp.is_awake && !blocks::is_watched(ctx, camp.chunk_index));
    if let Some(camp) = camp {
        put_away(ctx, camp);
    }
}

/// Takes a camp's creatures and corpses out of the world, unless one of them is where somebody
/// watches it fight.
fn put_away(ctx: &ReducerContext, camp: Camp) {
    let rows: Vec<Creature> = ctx.db.creature().by_camp().filter(camp.camp_id).collect();
    let fights = |row: &Creature| {
        let is_at_it = [Mood::Fighting, Mood::Fleeing].iter().any(|mood| row.mood == mood.code());
        let chunk = crate::motion::chunk_of(ctx, row.entity_id);
        is_at_it && chunk.is_some_and(|chunk| blocks::is_watched(ctx, chunk))
    };
    if rows.iter().any(fights) {
        return;
    }
    for row in rows {
        spawn::remove(ctx, row.entity_id);
    }
    ctx.db.camp_fill_timer().camp_id().delete(camp.camp_id);
    ctx.db.camp().camp_id().update(Camp { is_awake: false, ..camp });
}

/// One of a camp's creatures died: the camp is filled again after its time.
pub(super) fn lost(ctx: &ReducerContext, row: &Creature, now: i64) {
    let Some(mut camp) = ctx.db.camp().camp_id().find(row.camp_id) else { return };
    let book = book(ctx);
    let Some(def) = book.camp(&camp.key) else { return };
    let mut members = def.members.iter().zip(&mut camp.living);
    let found = members.find(|(member, living)| member.creature == row.key && **living > 0);
    if let Some((_, living)) = found {
        *living -= 1;
    }
    camp.fills_at_micros = refill_at(def, now, book.setting("camp_respawn_percent"));
    fill_later(ctx, camp.camp_id, camp.fills_at_micros);
    ctx.db.camp().camp_id().update(camp);
}

fn fill_later(ctx: &ReducerContext, camp_id: u64, at: i64) {
    ctx.db.camp_fill_timer().camp_id().delete(camp_id);
    let scheduled_at = ScheduleAt::Time(at_micros(at));
    ctx.db.camp_fill_timer().insert(CampFillTimer {
        scheduled_id: sequences::next(ctx, Numbered::CampFillTimer),
        scheduled_at,
        camp_id,
    });
}

/// Fills a camp again of which somebody is missing, if it is awake and its time has come.
///
/// # Errors
/// `realm.database_only` for clients.
#[reducer]
pub fn camp_fill(ctx: &ReducerContext, timer: CampFillTimer) -> Result<(), Refusal> {
    require_database(ctx)?;
    ctx.db.camp_fill_timer().scheduled_id().delete(timer.scheduled_id);
    let now = now_micros(ctx);
    let camp = ctx.db.camp().camp_id().find(timer.camp_id);
    let camp = camp.filter(|camp| camp.is_awake && camp.fills_at_micros != 0);
    let Some(mut camp) = camp else { return Ok(()) };
    let book = book(ctx);
    let Some(def) = book.camp(&camp.key) else { return Ok(()) };
    let is_early = camp.fills_at_micros > now;
    if is_early || !book.switch("creature_respawn") || require_room(ctx).is_err() {
        let later = refill_at(def, now, book.setting("camp_respawn_percent"));
        fill_later(ctx, camp.camp_id, if is_early { camp.fills_at_micros } else { later });
        return Ok(());
    }
    let full = members(def, mix(camp.camp_id, now.unsigned_abs()));
    camp.living.resize(full.len(), 0);
    let missing = |(full, living): (&u8, &u8)| full.saturating_sub(*living);
    let missing: Vec<u8> = full.iter().zip(&camp.living).map(missing).collect();
    populate(ctx, &camp, def, &missing, &book);
    for (living, more) in camp.living.iter_mut().zip(missing) {
        *living = living.saturating_add(more);
    }
    camp.fills_at_micros = 0;
    ctx.db.camp().camp_id().update(camp);
    Ok(())
}

/// Scatters camps over a world, one to a block that has none, row by row from its south-west, each
/// kind in turn wherever it usually lives. For flat worlds. Owner only.
///
/// # Errors
/// In this order: `account.permission_denied`, `world.unknown`, `combat.creature_unknown` where
/// content has no camps, `combat.creatures_too_many` for more than 20,000 at once.
#[reducer]
pub fn camp_scatter(ctx: &ReducerContext, world: u32, count: u32) -> Result<(), Refusal> {
    require_owner(ctx)?;
    let land = Land::new(ctx, world)?;
    let book = book(ctx);
    if book.camps().is_empty() {
        return Err(CombatError::CreatureUnknown.into());
    }
    if count > CAMPS_AT_ONCE_MAX {
        return Err(CombatError::CreaturesTooMany.into());
    }
    let bounds = land.bounds();
    let columns = block_of_mm(bounds.min_x_mm)..=block_of_mm(bounds.max_x_mm - 1);
    let rows = block_of_mm(bounds.min_y_mm)..=block_of_mm(bounds.max_y_mm - 1);
    let blocks = rows.flat_map(|y| columns.clone().map(move |x| (x, y)));
    let is_free = |(x, y): &(i32, i32)| {
        let chunk = chunk_index(world, *x, *y);
        ctx.db.camp_block().chunk_index().find(chunk).is_none()
    };
    // At most so many blocks are looked at, however large the world is.
    let looked = blocks.take(usize::try_from(4 * CAMPS_AT_ONCE_MAX).unwrap_or(0));
    let free: Vec<(i32, i32)> =
        looked.filter(is_free).take(usize::try_from(count).unwrap_or(0)).collect();
    for ((x, y), def) in free.into_iter().zip(book.camps().iter().cycle()) {
        let chunk = chunk_index(world, x, y);
        let middle = |block: i32| block * BLOCK_MM + BLOCK_MM / 2;
        let placed = Placed { camp: def.key.clone(), x_mm: middle(x), y_mm: middle(y) };
        ctx.db.camp_block().insert(CampBlock { chunk_index: chunk, world });
        found(ctx, chunk, &placed, def);
    }
    Ok(())
}

/// Whether a world has creatures or camps.
pub(super) fn is_inhabited(ctx: &ReducerContext, world: u32) -> bool {
    ctx.db.creature().by_world().filter(world).next().is_some()
        || ctx.db.camp_block().by_world().filter(world).next().is_some()
        || ctx.db.camp().by_world().filter(world).next().is_some()
}

/// Removes a world's creatures, at most so many, and once there are none its camps.
pub(super) fn clear(ctx: &ReducerContext, world: u32, count: usize) {
    let rows = ctx.db.creature().by_world().filter(world).take(count);
    let gone: Vec<u64> = rows.map(|row| row.entity_id).collect();
    let is_done = gone.len() < count;
    for entity_id in gone {
        spawn::remove(ctx, entity_id);
    }
    if is_done {
        forget(ctx, world);
    }
}

/// Forgets where a world's camps lie, and takes their creatures out of it: its land is another.
pub(super) fn forget(ctx: &ReducerContext, world: u32) {
    let camps: Vec<Camp> = ctx.db.camp().by_world().filter(world).collect();
    for camp in camps.iter().filter(|camp| camp.is_awake) {
        let rows = ctx.db.creature().by_camp().filter(camp.camp_id);
        let gone: Vec<u64> = rows.map(|row| row.entity_id).collect();
        for entity_id in gone {
            spawn::remove(ctx, entity_id);
        }
        ctx.db.camp_fill_timer().camp_id().delete(camp.camp_id);
    }
    ctx.db.camp().by_world().delete(world);
    ctx.db.camp_block().by_world().delete(world);
}
