//! Who is around a creature, block by block, as it was a moment ago.
//!
//! Keeps true: places are those of this instant; all else is at most `KEPT_MICROS` old, which is
//! how long anybody takes to notice. What is decided by it is checked again when it is done. So
//! many creatures of one fight share one look at their block.

use haven_rules::combat::aim::is_within;
use haven_rules::combat::areas::Point;
use haven_rules::combat::conditions::Conditions;
use haven_rules::content::Condition;
use haven_rules::content::book::Book;
use haven_rules::motion::Segment;
use haven_rules::npcs::mind::{Mood, Seen};
use haven_rules::npcs::phases::percent_of;
use haven_rules::world::{BLOCK_MM, block_of_mm, chunk_index, chunk_parts};
use haven_tables::characters::character_sheet;
use haven_tables::combat::{Combatant, combat_cast, combat_state, combatant};
use haven_tables::npcs::creature;
use spacetimedb::ReducerContext;
use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;

/// How long what was seen of a block is kept, microseconds.
const KEPT_MICROS: i64 = 250_000;
/// Most blocks that are kept; beyond that all are forgotten and looked at again.
const BLOCKS_KEPT_MAX: usize = 2_000;
/// Most bodies of one block that are looked at.
const BODIES_MAX: usize = 200;
/// Armor class of a player of whom nothing is known.
const USUAL_ARMOR_CLASS: u8 = 14;

/// A body near a creature.
#[derive(Clone, Copy, Debug)]
pub(super) struct Near {
    /// What is seen of it. Its place is that of the last look, and whether it is in sight is not
    /// known yet.
    pub(super) seen: Seen,
    /// On whose side it fights.
    pub(super) side: u32,
    /// Whether somebody plays it.
    pub(super) is_player: bool,
    /// Whether nobody sees it.
    pub(super) is_invisible: bool,
    /// What a creature is about.
    pub(super) mood: Mood,
    /// How it moves.
    segment: Segment,
}

impl Near {
    /// Whether it goes anywhere.
    pub(super) fn is_moving(&self) -> bool {
        self.segment.is_moving()
    }

    fn at(mut self, now: i64) -> Self {
        let (x_mm, y_mm) = self.segment.position_at(now);
        self.seen.place = Point { x_mm, y_mm };
        self
    }
}

/// When a block was looked at, and who was in it.
type Look = (i64, Rc<Vec<Near>>);

thread_local! {
    static LOOKS: RefCell<BTreeMap<u64, Look>> = const { RefCell::new(BTreeMap::new()) };
}

/// Who stands in a block.
fn look(ctx: &ReducerContext, chunk: u64, book: &Book, now: i64) -> Rc<Vec<Near>> {
    let kept = LOOKS.with_borrow(|looks| looks.get(&chunk).cloned());
    if let Some((_, bodies)) = kept.filter(|(at, _)| (0..KEPT_MICROS).contains(&(now - at))) {
        return bodies;
    }
    let rows = ctx.db.combatant().by_chunk().filter(chunk);
    let awake = rows.filter(|row| row.vital == 0).take(BODIES_MAX);
    let casts = ctx.db.combat_cast().by_chunk().filter(chunk);
    let casting: BTreeSet<u64> = casts.map(|row| row.entity_id).collect();
    let bodies = awake.filter_map(|row| near(ctx, &row, &casting, book)).collect();
    let bodies = Rc::new(bodies);
    LOOKS.with_borrow_mut(|looks| {
        if looks.len() >= BLOCKS_KEPT_MAX {
            looks.clear();
        }
        looks.insert(chunk, (now, Rc::clone(&bodies)));
    });
    bodies
}

/// What is seen of a body.
fn near(
    ctx: &ReducerContext,
    row: &Combatant,
    casting: &BTreeSet<u64>,
    book: &Book,
) -> Option<Near> {
    let entity_id = row.entity_id;
    let (_, segment) = crate::motion::segment(ctx, entity_id)?;
    let conditions = Conditions::from_bits(row.conditions);
    let mut seen = Seen {
        entity_id,
        level: row.level,
        armor_class: USUAL_ARMOR_CLASS,
        hit_points_percent: percent_of(row.hit_points, row.hit_points_max),
        is_casting: casting.contains(&entity_id),
        is_hampered: !conditions.can_act() || !conditions.can_move(),
        ..Seen::default()
    };
    let mut mood = Mood::Idle;
    if row.is_player {
        let sheet = ctx.db.character_sheet().character_id().find(entity_id);
        let known = sheet.and_then(|sheet| u8::try_from(sheet.armor_class).ok());
        seen.armor_class = known.unwrap_or(USUAL_ARMOR_CLASS);
        let state = ctx.db.combat_state().entity_id().find(entity_id);
        seen.is_casting |= state.is_some_and(|state| !state.concentrates_on.is_empty());
    } else if let Some(creature) = ctx.db.creature().entity_id().find(entity_id) {
        seen.target_id = Some(creature.target_id).filter(|target_id| *target_id != 0);
        mood = Mood::from_code(creature.mood);
        let def = book.creature(&creature.key);
        seen.armor_class = def.map_or(USUAL_ARMOR_CLASS, |def| def.armor_class);
    }
    Some(Near {
        seen,
        side: row.side,
        is_player: row.is_player,
        is_invisible: conditions.has(Condition::Invisible),
        mood,
        segment,
    })
}

/// Everybody awake within a distance of a place.
pub(super) fn within(
    ctx: &ReducerContext,
    world: u32,
    at: Point,
    radius_mm: u32,
    book: &Book,
    now: i64,
) -> Vec<Near> {
    let radius = i32::try_from(radius_mm).unwrap_or(i32::MAX).min(2 * BLOCK_MM);
    let blocks = |middle: i32| {
        block_of_mm(middle.saturating_sub(radius))..=block_of_mm(middle.saturating_add(radius))
    };
    let mut found = Vec::new();
    for block_x in blocks(at.x_mm) {
        for block_y in blocks(at.y_mm) {
            let bodies = look(ctx, chunk_index(world, block_x, block_y), book, now);
            let here = bodies.iter().map(|near| near.at(now));
            found.extend(here.filter(|near| is_within(at, near.seen.place, radius_mm)));
        }
    }
    found
}

/// Somebody wherever it is, if it is awake in that world.
pub(super) fn one(
    ctx: &ReducerContext,
    world: u32,
    entity_id: u64,
    book: &Book,
    now: i64,
) -> Option<Near> {
    let row = ctx.db.combatant().entity_id().find(entity_id).filter(|row| row.vital == 0)?;
    let (in_world, ..) = chunk_parts(row.chunk_index);
    let cast = ctx.db.combat_cast().entity_id().find(entity_id);
    let casting = cast.map(|row| row.entity_id).into_iter().collect();
    let near = near(ctx, &row, &casting, book).filter(|_| in_world == world)?;
    Some(near.at(now))
}
