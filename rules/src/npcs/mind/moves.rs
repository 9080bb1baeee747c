//! Where a creature goes: towards somebody, around somebody, away, home, and about.
//!
//! Keeps true: nobody approaches a place beyond its leash; a pack spreads around whom it fights
//! without leaving its reach on the way.

use super::view::{Seen, View};
use crate::combat::areas::Point;
use crate::content::Behavior;
use crate::npcs::ways::{SIDES, beside, distance_mm, side_of, towards, turn};

/// Percent of its reach at which a creature stands, so that a small step does not take it out.
const STAND_PERCENT: i64 = 80;
/// Allies at the same prey from which on it is a pack, the creature itself not counted.
const PACK_ALLIES: usize = 2;
/// Who stands further away than this needs no side of its own.
const SPREAD_WITHIN_MM: i64 = 4_500;
/// How far around a prey a pack spreads, at most this beyond the place where one stands.
const RING_MM: i64 = 3_000;
/// What it costs to stand so many sides from an ally at the same prey, and what each side of way
/// costs: the far side of an ally is the best one.
const CROWDED: [i64; 5] = [100, 60, 25, 10, 0];
const STEP: i64 = 5;
/// Sides that are passed at once: a quarter of a turn cuts no deeper than the reach is.
const STEP_SIDES: i8 = 2;
/// Nearer than this to where it wants to stand a creature is there.
const THERE_MM: i64 = 400;
/// How far who keeps its distance stays at most, and which part of its range that is.
const KEEP_MM_MAX: i64 = 15_000;
const KEEP_PERCENT: i64 = 75;
/// Nearer than this part of the distance it keeps a creature steps back.
const TOO_NEAR_PERCENT: i64 = 50;
/// How far one step back leads at most, millimetres.
const STEP_BACK_MM: i64 = 9_000;
/// How far who flees runs before it thinks again, and by how much that must help.
const FLEE_MM: i64 = 12_000;
const FLEE_GAIN_MM: i64 = 3_000;
/// Enemies that who flees looks at.
const FEARED_MAX: usize = 4;
/// Nearer than this to home a creature is at home.
pub(super) const HOME_NEAR_MM: i64 = 2_000;
/// The shortest way worth walking about for.
const STROLL_MM_MIN: i64 = 1_500;

fn is_inside_leash(view: &View<'_, '_>, to: Point) -> bool {
    distance_mm(view.home, to) <= i64::from(view.leash_mm)
}

/// Where to go to stand within a distance of somebody; none where it stands there already, or
/// where that lies beyond the leash.
pub(super) fn approach(view: &View<'_, '_>, target: &Seen, within_mm: i64) -> Option<Point> {
    let stand_mm = within_mm * STAND_PERCENT / 100;
    let way_mm = distance_mm(view.oneself.place, target.place);
    let to = if within_mm <= SPREAD_WITHIN_MM && spreads(view, target) {
        around(view, target, stand_mm)
    } else if way_mm > within_mm {
        towards(target.place, view.oneself.place, stand_mm)
    } else {
        return None;
    };
    let is_there = way_mm <= within_mm && distance_mm(view.oneself.place, to) <= THERE_MM;
    (view.can_go() && !is_there && is_inside_leash(view, to)).then_some(to)
}

fn is_at_same(ally: &Seen, target: &Seen) -> bool {
    !ally.is_down && ally.target_id == Some(target.entity_id)
}

/// Whether a creature takes care on which side it stands.
fn spreads(view: &View<'_, '_>, target: &Seen) -> bool {
    let beside_it = view.allies.iter().filter(|ally| is_at_same(ally, target)).count();
    beside_it >= PACK_ALLIES || (beside_it > 0 && view.tends(Behavior::Flank))
}

/// The next place on the way to the side where it crowds its allies least. Those who are nearer,
/// or as near with a lower id, have chosen before it.
fn around(view: &View<'_, '_>, target: &Seen, stand_mm: i64) -> Point {
    let rank = |seen: &Seen| {
        let beyond_mm = distance_mm(seen.place, target.place) - stand_mm - RING_MM;
        (beyond_mm.max(0), seen.entity_id)
    };
    let own_rank = rank(&view.oneself);
    let own_side = side_of(target.place, view.oneself.place);
    let mut costs = [0_i64; SIDES as usize];
    for ally in view.allies {
        if is_at_same(ally, target) && rank(ally) < own_rank {
            let taken = side_of(target.place, ally.place);
            for (side, cost) in (0..SIDES).zip(&mut costs) {
                let apart = usize::from(turn(taken, side).unsigned_abs());
                *cost += CROWDED.get(apart).copied().unwrap_or(0);
            }
        }
    }
    let cost = |side: &u8| {
        let steps = i64::from(turn(own_side, *side).unsigned_abs());
        (costs[usize::from(*side)] + steps * STEP, *side)
    };
    let best = (0..SIDES).min_by_key(cost).unwrap_or(own_side);
    let steps = turn(own_side, best);
    if steps == 0 {
        // Its own side: straight on, or where it stands.
        let way_mm = distance_mm(view.oneself.place, target.place);
        return towards(target.place, view.oneself.place, stand_mm.min(way_mm));
    }
    let step = steps.clamp(-STEP_SIDES, STEP_SIDES);
    let size = i8::try_from(SIDES).unwrap_or(8);
    let next = (i8::try_from(own_side).unwrap_or(0) + step).rem_euclid(size);
    beside(target.place, next.unsigned_abs(), stand_mm)
}

/// How far who keeps its distance wants to be away, given how far it reaches.
pub(super) fn keeps_mm(reach_mm: u32) -> i64 {
    (i64::from(reach_mm) * KEEP_PERCENT / 100).min(KEEP_MM_MAX)
}

/// Where who keeps its distance steps back to from whoever is too near: straight away, else as far
/// to a side as its leash allows.
pub(super) fn step_back(view: &View<'_, '_>, reach_mm: u32) -> Option<Point> {
    let keeps_mm = keeps_mm(reach_mm);
    let nearest = view.enemies.iter().find(|enemy| !enemy.is_down)?;
    let own = view.oneself.place;
    let way_mm = distance_mm(own, nearest.place);
    if !view.can_go() || way_mm * 100 >= keeps_mm * TOO_NEAR_PERCENT {
        return None;
    }
    let step_mm = (keeps_mm - way_mm).min(STEP_BACK_MM);
    let straight = towards(nearest.place, own, way_mm + step_mm);
    let away = side_of(nearest.place, own);
    let aslant = [1, SIDES - 1, 2, SIDES - 2].map(|turned| beside(own, away + turned, step_mm));
    std::iter::once(straight).chain(aslant).find(|to| is_inside_leash(view, *to))
}

/// Where who flees runs to: where its enemies are furthest, inside its leash; none where no way
/// helps.
pub(super) fn flee(view: &View<'_, '_>) -> Option<Point> {
    let feared = || view.enemies.iter().filter(|enemy| !enemy.is_down).take(FEARED_MAX);
    let nearest_mm = |from: Point| feared().map(|enemy| distance_mm(enemy.place, from)).min();
    let own = view.oneself.place;
    let now_mm = nearest_mm(own)?;
    let nearest = feared().next()?;
    let straight = towards(nearest.place, own, distance_mm(nearest.place, own) + FLEE_MM);
    let sides = (0..SIDES).map(|side| beside(own, side, FLEE_MM));
    let best = std::iter::once(straight)
        .chain(sides)
        .filter(|to| is_inside_leash(view, *to))
        .filter_map(|to| Some((nearest_mm(to)?, to)))
        .reduce(|best, other| if other.0 > best.0 { other } else { best });
    let (mm, to) = best?;
    (view.can_go() && mm >= now_mm + FLEE_GAIN_MM).then_some(to)
}

/// A place to stroll to, by chance; none where that is hardly a step.
pub(super) fn wander(view: &View<'_, '_>, chance: u64) -> Option<Point> {
    let side = u8::try_from(chance % u64::from(SIDES)).unwrap_or(0);
    let reach_mm = u64::from(view.roam_mm.min(view.leash_mm));
    let mm = i64::try_from((chance >> 8) % (reach_mm + 1)).unwrap_or(0);
    let to = beside(view.home, side, mm);
    (view.can_go() && distance_mm(view.oneself.place, to) >= STROLL_MM_MIN).then_some(to)
}

/// The next place on a round about home, counter-clockwise.
pub(super) fn patrol(view: &View<'_, '_>) -> Option<Point> {
    let mm = i64::from(view.roam_mm.min(view.leash_mm));
    let own = view.oneself.place;
    let side = if distance_mm(view.home, own) < mm / 2 {
        side_of(view.home, own)
    } else {
        side_of(view.home, own) + 1
    };
    let to = beside(view.home, side, mm);
    (view.can_go() && mm >= STROLL_MM_MIN).then_some(to)
}
