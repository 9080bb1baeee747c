//! Scenes: everybody that a deed may touch, as they are when it is done.
//!
//! Keeps true: its user is the first; whom it reaches is near enough, in sight and not dead, and at
//! most [`TARGETS_MAX`], the nearest first.

use super::bodies::Body;
use super::deeds::{other, relation_of};
use super::near;
use haven_rules::combat::aim::{Aim, Relation, is_within};
use haven_rules::combat::areas::{Direction, Point, holds};
use haven_rules::combat::deed::TARGETS_MAX;
use haven_rules::combat::fighter::Fighter;
use haven_rules::combat::house::House;
use haven_rules::combat::sheet::Strike;
use haven_rules::content::book::Book;
use haven_rules::content::{AbilityDef, Area, AttackKind, EffectDef, Target};
use spacetimedb::ReducerContext;
use std::rc::Rc;

/// How far beside a target others matter to an attack, millimetres.
const BESIDE_MM: u32 = 1_500;

/// Everybody that a deed may touch.
pub(super) struct Scene {
    /// Its user first.
    pub(super) bodies: Vec<Body>,
    /// Which of them it reaches.
    pub(super) targets: Vec<usize>,
    /// Where it is aimed.
    pub(super) at: Point,
}

/// A deed that is about to be done.
struct Meant<'a> {
    ctx: &'a ReducerContext,
    ability: &'a AbilityDef,
    aim: Aim,
    house: &'a House,
    book: &'a Rc<Book>,
}

impl Scene {
    /// Who is reached now; none where the target is gone.
    pub(super) fn find(
        ctx: &ReducerContext,
        user: Body,
        ability: &AbilityDef,
        aim: Aim,
        house: &House,
        book: &Rc<Book>,
    ) -> Option<Self> {
        let meant = Meant { ctx, ability, aim, house, book };
        let target = match aim {
            Aim::Entity(target_id) if target_id != user.fighter.entity_id => {
                let target = other(ctx, &user, target_id, book).ok()?;
                // Somebody else was faster.
                let is_late = target.fighter.health.is_dead() && ability.target != Target::Corpse;
                if is_late {
                    return None;
                }
                Some(target)
            }
            Aim::Entity(_) | Aim::Oneself | Aim::Point(_) | Aim::Direction(..) => None,
        };
        let at = match (&target, aim) {
            (Some(target), _) => target.fighter.place,
            (None, Aim::Point(point)) => point,
            (None, Aim::Entity(_) | Aim::Oneself | Aim::Direction(..)) => user.fighter.place,
        };
        Some(match (ability.area, target) {
            (Some(area), _) => meant.over(user, area, at),
            (None, Some(target)) => meant.at_one(user, target, at),
            (None, None) => {
                // What harms and meets nobody does nothing; all else is done to oneself.
                let targets = if harms(ability) { vec![] } else { vec![0] };
                Self { bodies: vec![user], targets, at }
            }
        })
    }
}

impl Meant<'_> {
    /// One target, and who stands beside it, where that matters.
    fn at_one(&self, user: Body, target: Body, at: Point) -> Scene {
        let mut known = vec![user.fighter.entity_id, target.fighter.entity_id];
        let asks = asks_beside(&user.fighter, &target.fighter, self.ability, self.house);
        let (world, from) = (user.world, user.fighter.place);
        let mut bodies = vec![user, target];
        for (place, is_asked) in [(at, asks.target), (from, asks.user)] {
            if is_asked {
                for body in near::around(self.ctx, world, place, BESIDE_MM, self.book) {
                    if !known.contains(&body.fighter.entity_id) {
                        known.push(body.fighter.entity_id);
                        bodies.push(body);
                    }
                }
            }
        }
        Scene { bodies, targets: vec![1], at }
    }

    /// All that an area holds.
    fn over(&self, user: Body, area: Area, at: Point) -> Scene {
        let Self { ctx, ability, aim, book, .. } = *self;
        let (user_id, from, world) = (user.fighter.entity_id, user.fighter.place, user.world);
        let direction = match aim {
            Aim::Direction(dx, dy) => Direction { dx, dy },
            Aim::Oneself | Aim::Entity(_) | Aim::Point(_) => Direction::between(from, at),
        };
        let (origin, radius_mm) = match area {
            Area::Sphere { radius_mm } => (at, radius_mm),
            Area::Cube { side_mm } => (at, side_mm),
            Area::Cone { length_mm } | Area::Line { length_mm, .. } => (from, length_mm),
        };
        let reaches = |body: &Body| {
            let place = body.fighter.place;
            self.is_meant(&user.fighter, &body.fighter)
                && body.fighter.health.is_dead() == (ability.target == Target::Corpse)
                && holds(&area, origin, direction, place)
                && near::sees(ctx, world, origin, place)
        };
        let most = if ability.targets_max == 0 { TARGETS_MAX } else { ability.targets_max.into() };
        let found = near::around(ctx, world, origin, radius_mm, book);
        let mut reached: Vec<Body> = found.into_iter().filter(reaches).take(most).collect();
        let own = reached.iter().position(|body| body.fighter.entity_id == user_id);
        let mut targets = Vec::new();
        if let Some(own) = own {
            reached.remove(own);
            targets.push(0);
        }
        let mut bodies = vec![user];
        targets.extend(1..=reached.len());
        bodies.extend(reached);
        Scene { bodies, targets, at }
    }

    /// Whether an area that holds somebody is meant for it.
    fn is_meant(&self, user: &Fighter, other: &Fighter) -> bool {
        let stands = relation_of(self.ctx, user, other, self.house);
        match (stands, harms(self.ability)) {
            (Relation::Oneself, is_harmful) => !is_harmful,
            (Relation::Ally, true) => {
                let both = user.is_player && other.is_player;
                self.house.friendly_fire && !self.ability.spares_allies && !both
            }
            (Relation::Enemy, is_harmful) => is_harmful,
            (Relation::Rival, _) | (Relation::Ally, false) => true,
        }
    }
}

/// Beside whom it matters to an attack who stands.
struct Beside {
    /// Beside the target: for a sneak attack, and where flanking counts.
    target: bool,
    /// Beside the user: for who shoots.
    user: bool,
}

fn asks_beside(user: &Fighter, target: &Fighter, ability: &AbilityDef, house: &House) -> Beside {
    let reach = |strike: &Strike| if strike.is_ranged { 0 } else { strike.range_mm };
    let in_hand = user.sheet.strikes.iter().map(reach).max().unwrap_or(0);
    let shoots = match ability.attack {
        Some(AttackKind::RangedSpell) => true,
        Some(AttackKind::Weapon) => !is_within(user.place, target.place, in_hand),
        Some(AttackKind::MeleeSpell) | None => false,
    };
    let attacks = ability.attack.is_some();
    Beside { target: attacks && (house.flanking || user.sheet.sneak_dice() > 0), user: shoots }
}

/// Whether an ability does something that nobody wants.
pub(super) fn harms(ability: &AbilityDef) -> bool {
    let hurts = |effect: &EffectDef| {
        matches!(effect, EffectDef::Damage { .. } | EffectDef::OverTime { damage: Some(_), .. })
    };
    let is_forced = ability.attack.is_some() || ability.save.is_some();
    match ability.target {
        Target::Enemy => true,
        Target::Ally | Target::Oneself | Target::Corpse => is_forced,
        Target::Anyone | Target::Point | Target::Direction => {
            is_forced || ability.effects.iter().any(hurts)
        }
    }
}
