//! Deeds: begun by a call, done by the tick.
//!
//! Keeps true: whatever is refused has changed nothing; what an ability costs is paid when it is
//! begun; who does a deed can still do it when it is done; deeds that fall into the same run of the
//! tick are done in the order of initiative.

use super::bodies::{self, Body, micros, millis};
use super::casts;
use super::dice::Cup;
use super::due::{self, Kind};
use super::scene::Scene;
use super::{aftermath, duels, near};
use crate::content::book;
use crate::sequences;
use crate::{Refusal, characters, motion, now_micros, world};
use haven_rules::combat::aim::{
    Aim, CombatError, Means, OPPORTUNITY_ATTACK, Relation, check_means, check_target, is_within,
    reach_mm, relation, take_turn,
};
use haven_rules::combat::areas::Point;
use haven_rules::combat::deed::{Deed, Told, perform};
use haven_rules::combat::fighter::Fighter;
use haven_rules::combat::house::House;
use haven_rules::combat::lasting::initiative;
use haven_rules::content::book::Book;
use haven_rules::content::{AbilityDef, AbilityKind, EffectDef, Target};
use haven_rules::motion::next_tick_at_micros;
use haven_rules::sequences::Numbered;
use haven_tables::combat::{CombatCooldown, CombatDeed, combat_cooldown, combat_deed};
use spacetimedb::{ReducerContext, Table};
use std::rc::Rc;

/// How long a creature waits to cast the same spell again, milliseconds: its slots are not counted.
const CREATURE_SPELL_MILLIS: i64 = 30_000;

/// Begins a deed.
///
/// # Errors
/// In the order of [`CombatError`], from `ability_unknown` to `no_sight`.
pub(crate) fn begin(
    ctx: &ReducerContext,
    entity_id: u64,
    key: &str,
    aim: Aim,
    slot_level: u8,
) -> Result<(), Refusal> {
    start(ctx, entity_id, key, aim, Some(slot_level))
}

/// Begins a deed that an item does for who uses it: nobody has to know it, and a spell takes no
/// slot. That ends its rest.
///
/// # Errors
/// As [`begin`].
pub(crate) fn begin_with_item(
    ctx: &ReducerContext,
    entity_id: u64,
    key: &str,
    aim: Aim,
) -> Result<(), Refusal> {
    super::rests::disturb(ctx, entity_id);
    start(ctx, entity_id, key, aim, None)
}

/// `asked` is the slot's level, none for what an item does.
fn start(
    ctx: &ReducerContext,
    entity_id: u64,
    key: &str,
    aim: Aim,
    asked: Option<u8>,
) -> Result<(), Refusal> {
    let book = book(ctx);
    let now = millis(now_micros(ctx));
    let ability = book.ability(key).ok_or(CombatError::AbilityUnknown)?;
    let mut body = bodies::load(ctx, entity_id, &book).ok_or(CombatError::NotInWorld)?;
    let slot_level = asked.map_or(0, |asked| slot_of(&body, ability, asked));
    let means = means(ctx, &body, ability, slot_level, &book);
    let means =
        if asked.is_some() { means } else { Means { is_known: true, is_prepared: true, ..means } };
    check_means(&body.fighter, ability, &means, now)?;
    let house = bodies::house(&book);
    check_switches(ability, &house)?;
    check_aim(ctx, &body, ability, aim, &house, &book)?;
    join_fight(ctx, &mut body, &book);
    pay(ctx, &mut body, ability, slot_level, now, &house);
    let slot_level = if asked.is_some() { slot_level } else { ability.level };
    put_off(ctx, &mut body, ability, aim, slot_level);
    bodies::store(ctx, body);
    Ok(())
}

/// Who has not fought for a while begins to: it rolls for initiative, by which deeds of the same
/// tick are ordered until it stops.
fn join_fight(ctx: &ReducerContext, body: &mut Body, book: &Rc<Book>) {
    let quiet = now_micros(ctx).saturating_sub(body.state.fought_at_micros);
    if quiet < micros(book.setting("in_combat_millis")) {
        return;
    }
    let fighter = &body.fighter;
    let mut cup = Cup::open(ctx);
    let mut throws = cup.event(ctx, fighter.entity_id, "initiative");
    let line = initiative(fighter, &mut throws);
    body.state.initiative = i16::from(line.natural).saturating_add(short(line.modifier));
    body.state.dexterity = fighter.sheet.scores.dexterity;
    aftermath::tell(ctx, throws, body.row.chunk_index, vec![line]);
    cup.close(ctx);
}

fn short(number: i32) -> i16 {
    i16::try_from(number).unwrap_or(i16::MAX)
}

/// The level of the slot that a spell takes: as asked, its own where nothing was; creatures and
/// what is no spell take none.
fn slot_of(body: &Body, ability: &AbilityDef, asked: u8) -> u8 {
    let needs = ability.kind == AbilityKind::Spell && ability.level > 0;
    match (needs, body.fighter.is_player, asked) {
        (false, ..) => 0,
        (true, false, _) | (true, true, 0) => ability.level,
        (true, true, asked) => asked,
    }
}

fn means(
    ctx: &ReducerContext,
    body: &Body,
    ability: &AbilityDef,
    slot_level: u8,
    book: &Rc<Book>,
) -> Means {
    let entity_id = body.fighter.entity_id;
    let known = cooldown(ctx, entity_id, &ability.key);
    let cooldown_at = known.map_or(i64::MIN, |row| millis(row.ready_at_micros));
    let (is_known, is_prepared, uses_left, slots) = if body.fighter.is_player {
        let (is_known, is_prepared) = characters::knows(ctx, entity_id, ability, book);
        let level = body.fighter.sheet.level;
        let slots = (slot_level > 0).then(|| {
            let slots = characters::resources(ctx, entity_id, &body.fighter.sheet).slots;
            let at = usize::from(slot_level) - 1;
            let is_low = slot_level < ability.level || at >= slots.max.len();
            if is_low { (0, 0) } else { (slots.left[at], slots.max[at]) }
        });
        (is_known, is_prepared, characters::uses_left(ctx, entity_id, ability, level), slots)
    } else {
        (true, true, None, None)
    };
    Means {
        // Nobody chooses it: it follows from who goes away.
        is_known: is_known && ability.key != OPPORTUNITY_ATTACK,
        is_prepared,
        is_casting: body.fighter.is_casting,
        ready_at: cooldown_at.max(ready_at(body, ability)),
        uses_left,
        slots,
    }
}

/// When anything can be used again; what is free or a reaction waits for nothing.
fn ready_at(body: &Body, ability: &AbilityDef) -> i64 {
    match ability.action {
        haven_rules::content::Action::Action | haven_rules::content::Action::BonusAction => {
            millis(body.state.ready_at_micros)
        }
        haven_rules::content::Action::Reaction | haven_rules::content::Action::Free => i64::MIN,
    }
}

fn cooldown(ctx: &ReducerContext, entity_id: u64, key: &str) -> Option<CombatCooldown> {
    ctx.db.combat_cooldown().by_entity().filter(entity_id).find(|row| row.ability == key)
}

/// # Errors
/// `combat.switched_off`.
fn check_switches(ability: &AbilityDef, house: &House) -> Result<(), CombatError> {
    let summons = |effect: &EffectDef| matches!(effect, EffectDef::Summon { .. });
    let revives = |effect: &EffectDef| matches!(effect, EffectDef::Revive { .. });
    let effects = &ability.effects;
    let is_off = !house.summoning && effects.iter().any(summons)
        || !house.resurrection && effects.iter().any(revives);
    if is_off { Err(CombatError::SwitchedOff) } else { Ok(()) }
}

/// Decides whether an ability may be aimed so, from where its user is now.
///
/// # Errors
/// In this order: `combat.aim_wrong`, `combat.target_unknown`, the target's, `combat.out_of_range`,
/// `combat.no_sight`.
fn check_aim(
    ctx: &ReducerContext,
    body: &Body,
    ability: &AbilityDef,
    aim: Aim,
    house: &House,
    book: &Rc<Book>,
) -> Result<(), CombatError> {
    let user = &body.fighter;
    let at = match (ability.target, aim) {
        (Target::Oneself | Target::Ally | Target::Anyone, Aim::Oneself) => return Ok(()),
        (Target::Oneself, Aim::Entity(entity_id)) if entity_id == user.entity_id => return Ok(()),
        (Target::Direction, Aim::Direction(dx, dy)) if (dx, dy) != (0, 0) => return Ok(()),
        // Towards somebody or some place is a direction, too.
        (Target::Direction, Aim::Point(point)) if point != user.place => return Ok(()),
        (Target::Direction, Aim::Entity(entity_id)) => {
            let towards = other(ctx, body, entity_id, book)?;
            let is_same = towards.fighter.place == user.place;
            return if is_same { Err(CombatError::TargetSelf) } else { Ok(()) };
        }
        (Target::Point, Aim::Point(point)) => point,
        (Target::Point, Aim::Entity(entity_id)) => other(ctx, body, entity_id, book)?.fighter.place,
        (
            Target::Ally | Target::Enemy | Target::Anyone | Target::Corpse,
            Aim::Entity(entity_id),
        ) => {
            let target = other(ctx, body, entity_id, book)?;
            let relation = relation_of(ctx, user, &target.fighter, house);
            check_target(user, &target.fighter, ability.target, relation)?;
            target.fighter.place
        }
        (
            Target::Oneself
            | Target::Ally
            | Target::Enemy
            | Target::Anyone
            | Target::Point
            | Target::Direction
            | Target::Corpse,
            Aim::Oneself | Aim::Entity(_) | Aim::Point(_) | Aim::Direction(..),
        ) => return Err(CombatError::AimWrong),
    };
    check_way(ctx, body, ability, at)
}

/// # Errors
/// In this order: `combat.out_of_range`, `combat.no_sight`.
fn check_way(
    ctx: &ReducerContext,
    body: &Body,
    ability: &AbilityDef,
    at: Point,
) -> Result<(), CombatError> {
    let user = &body.fighter;
    if !is_within(user.place, at, reach_mm(ability, &user.sheet)) {
        return Err(CombatError::OutOfRange);
    }
    if !near::sees(ctx, body.world, user.place, at) {
        return Err(CombatError::NoSight);
    }
    Ok(())
}

/// Somebody in the same world.
///
/// # Errors
/// `combat.target_unknown`.
pub(super) fn other(
    ctx: &ReducerContext,
    body: &Body,
    entity_id: u64,
    book: &Rc<Book>,
) -> Result<Body, CombatError> {
    let found = bodies::load(ctx, entity_id, book);
    found.filter(|found| found.world == body.world).ok_or(CombatError::TargetUnknown)
}

/// How somebody stands to another now. Where players fight players, they do not so near the spawn
/// of the world, unless that is switched off.
pub(crate) fn relation_of(
    ctx: &ReducerContext,
    one: &Fighter,
    other: &Fighter,
    house: &House,
) -> Relation {
    let both = one.is_player && other.is_player;
    let duels = both && duels::are_in_one(ctx, one.entity_id, other.entity_id);
    let is_pvp = both && house.pvp && !(house.safe_settlements && is_safe(ctx, one, other, house));
    relation(one, other, duels, is_pvp)
}

fn is_safe(ctx: &ReducerContext, one: &Fighter, other: &Fighter, house: &House) -> bool {
    let world = motion::world_of(ctx, one.entity_id);
    let Some((x_mm, y_mm)) = world.and_then(|world| world::spawn_of(ctx, world)) else {
        return true;
    };
    let spawn = Point { x_mm, y_mm };
    [one, other].iter().any(|body| is_within(spawn, body.place, house.safe_radius_mm))
}

/// Takes what the ability costs.
fn pay(
    ctx: &ReducerContext,
    body: &mut Body,
    ability: &AbilityDef,
    slot_level: u8,
    now: i64,
    house: &House,
) {
    take_turn(&mut body.fighter, ability, now, house);
    if ready_at(body, ability) != i64::MIN {
        body.state.ready_at_micros = micros(now + house.global_cooldown_millis);
    }
    let entity_id = body.fighter.entity_id;
    let is_spell = ability.kind == AbilityKind::Spell && ability.level > 0;
    let own = i64::from(ability.cooldown_millis);
    let least = if is_spell && !body.fighter.is_player { CREATURE_SPELL_MILLIS } else { 0 };
    let cooldown_millis = own.max(least);
    if cooldown_millis > 0 {
        let ready_at_micros = micros(now + cooldown_millis);
        let row = CombatCooldown {
            cooldown_id: 0,
            entity_id,
            ready_at_micros,
            ability: ability.key.clone(),
        };
        if let Some(known) = cooldown(ctx, entity_id, &ability.key) {
            let row = CombatCooldown { cooldown_id: known.cooldown_id, ..row };
            ctx.db.combat_cooldown().cooldown_id().update(row);
        } else {
            let cooldown_id = sequences::next(ctx, Numbered::CombatCooldown);
            ctx.db.combat_cooldown().insert(CombatCooldown { cooldown_id, ..row });
        }
    }
    if body.fighter.is_player {
        characters::spend_use(ctx, entity_id, ability, body.fighter.sheet.level);
        if slot_level > 0 {
            let sheet = &body.fighter.sheet;
            let mut had = characters::resources(ctx, entity_id, sheet);
            // It was checked that one is left.
            if had.slots.spend(ability.level, slot_level).is_ok() {
                characters::save_resources(ctx, entity_id, &had);
            }
        }
    }
}

/// Puts the deed off to the next run of the tick, or to when it is cast.
fn put_off(ctx: &ReducerContext, body: &mut Body, ability: &AbilityDef, aim: Aim, slot_level: u8) {
    let (aim_kind, target_id, x, y) = match aim {
        Aim::Oneself => (0, 0, 0, 0),
        Aim::Entity(target_id) => (1, target_id, 0, 0),
        Aim::Point(Point { x_mm, y_mm }) => (2, 0, x_mm, y_mm),
        Aim::Direction(dx, dy) => (3, 0, dx, dy),
    };
    let (entity_id, now) = (body.fighter.entity_id, now_micros(ctx));
    let is_cast = ability.cast_millis > 0;
    let deed = ctx.db.combat_deed().insert(CombatDeed {
        deed_id: sequences::next(ctx, Numbered::CombatDeed),
        entity_id,
        target_id,
        x,
        y,
        aim_kind,
        slot_level,
        is_cast,
        ability: ability.key.clone(),
    });
    let done_at = if is_cast {
        motion::halt(ctx, entity_id);
        let ends_at = now + i64::from(ability.cast_millis) * 1_000;
        casts::show(ctx, body.row.chunk_index, &deed, ends_at);
        ends_at
    } else {
        next_tick_at_micros(now)
    };
    due::set(ctx, entity_id, deed.deed_id, Kind::Deed, done_at);
    body.state.fought_at_micros = now;
}

fn aim_of(row: &CombatDeed) -> Aim {
    match row.aim_kind {
        1 => Aim::Entity(row.target_id),
        2 => Aim::Point(Point { x_mm: row.x, y_mm: row.y }),
        3 => Aim::Direction(row.x, row.y),
        _ => Aim::Oneself,
    }
}

/// A deed is done, if who began it can still act and what it is aimed at is still there.
pub(super) fn finish(ctx: &ReducerContext, cup: &mut Cup, deed_id: u64) {
    let Some(row) = ctx.db.combat_deed().deed_id().find(deed_id) else { return };
    casts::drop_deed(ctx, &row);
    let book = book(ctx);
    let Some(user) = bodies::load(ctx, row.entity_id, &book) else { return };
    let Some(ability) = book.ability(&row.ability) else { return };
    let can_act = user.fighter.health.is_awake() && user.fighter.conditions().can_act();
    if can_act {
        let house = bodies::house(&book);
        run(ctx, cup, user, ability, aim_of(&row), row.slot_level, row.is_cast, &house, &book);
    }
}

/// Strikes at who goes away, at once.
pub(super) fn strike_at(
    ctx: &ReducerContext,
    cup: &mut Cup,
    mut user: Body,
    target_id: u64,
    ability: &AbilityDef,
    book: &Rc<Book>,
) {
    let house = bodies::house(book);
    let now = millis(now_micros(ctx));
    take_turn(&mut user.fighter, ability, now, &house);
    run(ctx, cup, user, ability, Aim::Entity(target_id), 0, false, &house, book);
}

#[expect(clippy::too_many_arguments, reason = "what a deed is made of")]
fn run(
    ctx: &ReducerContext,
    cup: &mut Cup,
    user: Body,
    ability: &AbilityDef,
    aim: Aim,
    slot_level: u8,
    is_cast: bool,
    house: &House,
    book: &Rc<Book>,
) {
    // Who had time to walk away or hide while it was cast is not reached.
    if is_cast && check_aim(ctx, &user, ability, aim, house, book).is_err() {
        return;
    }
    let Some(scene) = Scene::find(ctx, user, ability, aim, house, book) else { return };
    let Scene { mut bodies, targets, at } = scene;
    let (user_id, chunk) = (bodies[0].fighter.entity_id, bodies[0].row.chunk_index);
    let now = millis(now_micros(ctx));
    let deed = Deed { ability, slot_level, at, now, house, book };
    let mut fighters: Vec<Fighter> = bodies.iter().map(|body| body.fighter.clone()).collect();
    let mut throws = cup.event(ctx, user_id, &ability.key);
    let told = perform(&deed, &mut fighters, 0, &targets, &mut throws);
    for (body, fighter) in bodies.iter_mut().zip(fighters) {
        body.fighter = fighter;
    }
    aftermath::settle(ctx, bodies, &targets, &told, ability, book);
    let Told { lines, .. } = told;
    aftermath::tell(ctx, throws, chunk, lines);
}
