//! What abilities are worth at an instant, and at what they are best aimed.
//!
//! Keeps true: only what is ready is weighed, and only at what it reaches.

use super::view::{Aimed, Kind, Ready, Seen, View};
use super::{Act, Weigh, weights};
use crate::combat::areas::{Direction, Point, holds};
use crate::content::{Area, AttackKind, Behavior, Target};
use crate::npcs::ways::distance_mm;

/// Enemies at which an area is tried out, the nearest.
const AIMS_MAX: usize = 4;
/// How much worse it is to hurt a friend than good to hurt an enemy.
const FRIEND: i64 = 2;
/// Allies with whom a creature summons no more.
const ALLIES_ENOUGH: usize = 4;

/// How far an ability reaches from where its user stands, millimetres.
pub(super) fn range_mm(view: &View<'_, '_>, ready: &Ready<'_>) -> i64 {
    let is_weapon = ready.attack == Some(AttackKind::Weapon);
    i64::from(if is_weapon { view.melee_mm.max(view.ranged_mm) } else { ready.range_mm })
}

/// Weighs every ability that is ready, against the one it fights.
pub(super) fn weigh_all<'a>(view: &View<'_, 'a>, target: &Seen, weigh: &mut Weigh<'_, 'a>) {
    for ready in view.ready.iter().filter(|ready| ready.is_ready) {
        match ready.kind {
            Kind::Harm | Kind::Control => weigh_hostile(view, ready, target, weigh),
            Kind::Help => weigh_help(view, ready, weigh),
            Kind::Summon => weigh_summon(view, ready, target, weigh),
            Kind::Heal => {}
        }
    }
}

/// What it is worth to use something of a kind that reaches so many.
fn score(view: &View<'_, '_>, ready: &Ready<'_>, reached: i64) -> i64 {
    let skill = if view.tends(Behavior::Cast) { weights::CASTS } else { 0 };
    if ready.kind == Kind::Control {
        return weights::CONTROL + skill + (reached * weights::EACH).min(weights::EACH_MAX);
    }
    weights::HARM + skill + (i64::from(ready.power) * reached).min(weights::POWER_MAX)
}

/// Weighs what hurts or hinders: at its target, or where it reaches most.
fn weigh_hostile<'a>(
    view: &View<'_, 'a>,
    ready: &Ready<'a>,
    target: &Seen,
    weigh: &mut Weigh<'_, 'a>,
) {
    let own = view.oneself.place;
    if ready.target == Target::Oneself {
        let reached = reached(view, ready, own, Direction::default());
        offer(view, ready, Aimed::Oneself, reached, weigh);
        return;
    }
    let range_mm = range_mm(view, ready);
    let others = view.enemies.iter().take(AIMS_MAX);
    // Without an area there is no reason to aim at anybody but the one it fights.
    let others = others.filter(|other| ready.area.is_some() && other.entity_id != target.entity_id);
    for enemy in std::iter::once(target).chain(others) {
        let is_good = !enemy.is_down && enemy.is_in_sight;
        if !is_good || distance_mm(own, enemy.place) > range_mm {
            continue;
        }
        let (aimed, origin, direction) = match ready.target {
            Target::Point => (Aimed::Point(enemy.place), enemy.place, Direction::default()),
            Target::Direction => {
                let direction = Direction::between(own, enemy.place);
                (Aimed::Direction(direction), own, direction)
            }
            Target::Enemy | Target::Anyone => {
                (Aimed::Entity(enemy.entity_id), enemy.place, Direction::default())
            }
            Target::Oneself | Target::Ally | Target::Corpse => continue,
        };
        let reached = if ready.area.is_some() {
            reached(view, ready, origin, direction)
        } else {
            i64::from(counts(ready, enemy))
        };
        offer(view, ready, aimed, reached, weigh);
    }
}

fn offer<'a>(
    view: &View<'_, 'a>,
    ready: &Ready<'a>,
    aimed: Aimed,
    reached: i64,
    weigh: &mut Weigh<'_, 'a>,
) {
    if reached > 0 {
        weigh(Act::Use { ability: ready.key, aimed }, score(view, ready, reached));
    }
}

/// Whether it makes a difference to an enemy: who is hindered already is not hindered again.
fn counts(ready: &Ready<'_>, enemy: &Seen) -> bool {
    !enemy.is_down && (ready.kind == Kind::Harm || !enemy.is_hampered)
}

/// How many enemies an area reaches, less the friends it would hurt.
fn reached(view: &View<'_, '_>, ready: &Ready<'_>, origin: Point, direction: Direction) -> i64 {
    let Some(area) = ready.area else { return 0 };
    let is_held = |seen: &&Seen| is_in(&area, origin, direction, seen.place);
    let count = |seen: usize| i64::try_from(seen).unwrap_or(0);
    let enemies = view.enemies.iter().filter(|enemy| counts(ready, enemy)).filter(is_held);
    let enemies = count(enemies.count());
    if ready.spares_allies || !view.is_friendly_fire {
        return enemies;
    }
    let oneself = std::iter::once(&view.oneself).filter(|_| ready.target != Target::Oneself);
    let friends = view.allies.iter().filter(|ally| !ally.is_down).chain(oneself).filter(is_held);
    enemies - FRIEND * count(friends.count())
}

/// As [`holds`], but spheres, which are most of what there is, cost no wide numbers.
fn is_in(area: &Area, origin: Point, direction: Direction, place: Point) -> bool {
    if let Area::Sphere { radius_mm } = area {
        return distance_mm(origin, place) <= i64::from(*radius_mm);
    }
    holds(area, origin, direction, place)
}

/// At what an ability for friends is aimed to reach one of them.
fn aimed_at(view: &View<'_, '_>, ready: &Ready<'_>, friend: &Seen) -> Option<Aimed> {
    let own = &view.oneself;
    let is_oneself = friend.entity_id == own.entity_id;
    let way_mm = distance_mm(own.place, friend.place);
    let is_near = is_oneself || (friend.is_in_sight && way_mm <= range_mm(view, ready));
    match ready.target {
        Target::Oneself => {
            let reaches = match ready.area {
                Some(Area::Sphere { radius_mm }) => way_mm <= i64::from(radius_mm),
                Some(Area::Cone { .. } | Area::Line { .. } | Area::Cube { .. }) | None => false,
            };
            (is_oneself || reaches).then_some(Aimed::Oneself)
        }
        Target::Ally | Target::Anyone => is_near.then_some(Aimed::Entity(friend.entity_id)),
        Target::Point => is_near.then_some(Aimed::Point(friend.place)),
        Target::Direction => {
            let direction = Direction::between(own.place, friend.place);
            (is_near && !is_oneself).then_some(Aimed::Direction(direction))
        }
        Target::Enemy | Target::Corpse => None,
    }
}

/// Whether an ability can be used on itself, or else on others.
fn suits(ready: &Ready<'_>, is_oneself: bool) -> bool {
    match ready.target {
        Target::Oneself => is_oneself || ready.area.is_some(),
        Target::Direction => !is_oneself,
        Target::Ally | Target::Anyone | Target::Point => true,
        Target::Enemy | Target::Corpse => false,
    }
}

/// Itself and its allies, those who stand.
fn friends<'v>(view: &'v View<'_, '_>) -> impl Iterator<Item = &'v Seen> {
    std::iter::once(&view.oneself).chain(view.allies).filter(|friend| !friend.is_down)
}

/// Weighs help for itself or the nearest ally in the fight that has none yet.
fn weigh_help<'a>(view: &View<'_, 'a>, ready: &Ready<'a>, weigh: &mut Weigh<'_, 'a>) {
    let fights =
        |friend: &&Seen| friend.entity_id == view.oneself.entity_id || friend.target_id.is_some();
    let mut helpless = friends(view).filter(fights).filter(|friend| !friend.is_helped);
    if let Some(aimed) = helpless.find_map(|friend| aimed_at(view, ready, friend)) {
        let skill = if view.tends(Behavior::Cast) { weights::CASTS } else { 0 };
        weigh(Act::Use { ability: ready.key, aimed }, weights::HELP + skill);
    }
}

/// Weighs calling creatures to its side.
fn weigh_summon<'a>(
    view: &View<'_, 'a>,
    ready: &Ready<'a>,
    target: &Seen,
    weigh: &mut Weigh<'_, 'a>,
) {
    if friends(view).count() > ALLIES_ENOUGH {
        return;
    }
    let aimed = match ready.target {
        Target::Oneself => Aimed::Oneself,
        Target::Point => Aimed::Point(view.oneself.place),
        Target::Enemy => Aimed::Entity(target.entity_id),
        Target::Direction => Aimed::Direction(Direction::between(view.oneself.place, target.place)),
        Target::Ally | Target::Anyone => Aimed::Entity(view.oneself.entity_id),
        Target::Corpse => return,
    };
    weigh(Act::Use { ability: ready.key, aimed }, weights::SUMMON);
}

/// Weighs healing: whoever of its side has lost most, and going to who is too far.
pub(super) fn weigh_healing<'a>(view: &View<'_, 'a>, weigh: &mut Weigh<'_, 'a>) {
    let heals = |ready: &&Ready<'_>| ready.is_ready && ready.kind == Kind::Heal;
    if !view.ready.iter().any(|ready| heals(&ready)) {
        return;
    }
    let is_patient = |friend: &&Seen| {
        friend.hit_points_percent < weights::PATIENT_PERCENT
            && (friend.entity_id == view.oneself.entity_id || view.tends(Behavior::HealAllies))
    };
    for patient in friends(view).filter(is_patient) {
        let lost = i64::from(100 - patient.hit_points_percent.min(100));
        let urgency = lost * weights::EACH_PERCENT;
        let is_oneself = patient.entity_id == view.oneself.entity_id;
        let suits = |ready: &&Ready<'_>| heals(ready) && suits(ready, is_oneself);
        for ready in view.ready.iter().filter(suits) {
            let target_id = patient.entity_id;
            if let Some(aimed) = aimed_at(view, ready, patient) {
                let act = Act::HealAlly { target_id, ability: ready.key, aimed };
                let power = i64::from(ready.power).min(weights::HEAL_POWER_MAX);
                weigh(act, weights::HEAL + urgency + power);
            } else if let Some(to) = super::moves::approach(view, patient, range_mm(view, ready)) {
                weigh(Act::Approach { target_id, to }, weights::HEAL_FROM_NEAR + urgency);
            }
        }
    }
}
