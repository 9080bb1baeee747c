//! Opportunity attacks: who walks out of an enemy's reach is struck at.
//!
//! Keeps true: nobody is looked at who does not fight; a reaction is taken once a round.

use super::bodies::{self, Body, millis};
use super::deeds;
use super::dice::Cup;
use super::due::{self, Kind};
use super::near;
use crate::content::book;
use crate::{motion, now_micros};
use haven_rules::combat::aim::{OPPORTUNITY_ATTACK, Relation, distance_mm};
use haven_rules::combat::opportunity::{Leaving, provokes};
use haven_rules::content::{Action, Stat};
use haven_tables::combat::combat_due;
use spacetimedb::ReducerContext;

/// How long after somebody sets out it is seen whether it has left an enemy's reach, microseconds.
const LOOK_MICROS: i64 = 250_000;
/// How far the longest reach is, millimetres.
const REACH_MM_MAX: u32 = 4_500;

/// How far somebody reaches with what is in its hand.
fn reach_of(body: &Body) -> u32 {
    let strikes = body.fighter.sheet.strikes.iter().filter(|strike| !strike.is_ranged);
    strikes.map(|strike| strike.range_mm).max().unwrap_or(0)
}

/// Somebody sets out: enemies whose reach it is in watch it for a moment.
pub(crate) fn watch(ctx: &ReducerContext, entity_id: u64) {
    if !super::rests::is_fighting(ctx, entity_id) {
        return;
    }
    let book = book(ctx);
    if !book.switch("opportunity_attacks") {
        return;
    }
    let Some(body) = bodies::load(ctx, entity_id, &book) else { return };
    let house = bodies::house(&book);
    let at = body.fighter.place;
    for other in near::around(ctx, body.world, at, REACH_MM_MAX, &book) {
        let stands = deeds::relation_of(ctx, &other.fighter, &body.fighter, &house);
        let reaches = distance_mm(other.fighter.place, at) <= reach_of(&other);
        if stands == Relation::Enemy && reaches && other.fighter.conditions().can_react() {
            let watcher = other.fighter.entity_id;
            let mut known = ctx.db.combat_due().by_entity().filter(watcher);
            let watches =
                known.any(|row| row.kind == Kind::Leaving as u8 && row.subject_id == entity_id);
            if !watches {
                due::set(ctx, watcher, entity_id, Kind::Leaving, now_micros(ctx) + LOOK_MICROS);
            }
        }
    }
}

/// It is looked whether somebody has left a watcher's reach: then the watcher strikes.
pub(super) fn look(ctx: &ReducerContext, cup: &mut Cup, watcher: u64, left: u64) {
    let book = book(ctx);
    let both = (bodies::load(ctx, watcher, &book), bodies::load(ctx, left, &book));
    let (Some(watcher), Some(left)) = both else { return };
    if watcher.world != left.world || !left.fighter.health.is_awake() {
        return;
    }
    let reach_mm = reach_of(&watcher);
    let now = now_micros(ctx);
    let way = Leaving {
        before_mm: reach_mm,
        after_mm: distance_mm(watcher.fighter.place, left.fighter.place),
        reach_mm,
        is_disengaged: left.fighter.sum(Stat::Elusive) > 0,
        is_own_movement: true,
    };
    let fighter = &watcher.fighter;
    let turn =
        fighter.turn.check(Action::Reaction, millis(now), &fighter.health, fighter.conditions());
    if provokes(&way, turn.is_ok(), fighter.conditions().can_see()) {
        if let Some(ability) = book.ability(OPPORTUNITY_ATTACK) {
            let left_id = left.fighter.entity_id;
            deeds::strike_at(ctx, cup, watcher, left_id, ability, &book);
        }
    } else if way.after_mm <= reach_mm && motion::is_moving(ctx, left.fighter.entity_id) {
        let (watcher_id, left_id) = (fighter.entity_id, left.fighter.entity_id);
        due::set(ctx, watcher_id, left_id, Kind::Leaving, now + LOOK_MICROS);
    }
}
