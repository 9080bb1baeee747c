//! What somebody does: begun if it may, paid for, done with the tick.

use super::{Arena, Begun, are_in, turn_at};
use crate::characters::resources::uses_max;
use crate::combat::aim::{
    Aim, CombatError, Means, OPPORTUNITY_ATTACK, Relation, check_means, check_target, is_within,
    reach_mm, relation, take_turn,
};
use crate::combat::areas::{Direction, Point, holds};
use crate::combat::deed::{Deed, TARGETS_MAX, perform};
use crate::combat::fighter::{Fighter, What};
use crate::combat::health::Vital;
use crate::content::{AbilityDef, AbilityKind, Action, Area, Condition, EffectDef, Target};

/// How long a creature waits to cast the same spell again, milliseconds.
const CREATURE_SPELL_MILLIS: i64 = 30_000;
/// How far beside a target others matter to an attack, millimetres.
const BESIDE_MM: u32 = 1_500;
/// In which conditions nobody acts.
const HELD: [Condition; 5] = [
    Condition::Incapacitated,
    Condition::Paralyzed,
    Condition::Petrified,
    Condition::Stunned,
    Condition::Unconscious,
];

/// Whether somebody can do anything, by the judge's own reading of the table game.
pub(super) fn can_do(fighter: &Fighter) -> bool {
    let is_held = |what: What| matches!(what, What::Condition(held) if HELD.contains(&held));
    fighter.health.vital == Vital::Awake
        && fighter.health.current > 0
        && !fighter.effects.iter().any(|effect| is_held(effect.what))
}

impl Arena {
    /// Begins a deed, as `deeds::begin` does.
    pub(super) fn begin(
        &mut self,
        at: usize,
        ability: &'static AbilityDef,
        aim: Aim,
        asked: u8,
    ) -> Result<(), CombatError> {
        let fighter = self.load(at);
        let needs_slot = ability.kind == AbilityKind::Spell && ability.level > 0;
        let slot_level = match (needs_slot, fighter.is_player, asked) {
            (false, ..) => 0,
            (true, false, _) | (true, true, 0) => ability.level,
            (true, true, asked) => asked,
        };
        let means = self.means(at, &fighter, ability, slot_level);
        let checked = check_means(&fighter, ability, &means, self.now);
        let may = self.may(at, &fighter, ability, &means);
        if checked.is_ok() != may {
            let (key, who) = (&ability.key, fighter.entity_id);
            self.breaks(format!("{who} uses {key}: {checked:?}, but may is {may}: {means:?}"));
        }
        checked?;
        let is_off = ability.effects.iter().any(|effect| {
            matches!(effect, EffectDef::Summon { .. }) && !self.house.summoning
                || matches!(effect, EffectDef::Revive { .. }) && !self.house.resurrection
        });
        if is_off {
            return Err(CombatError::SwitchedOff);
        }
        self.check_aim(&fighter, ability, aim)?;
        self.pay(at, fighter, ability, slot_level);
        let is_cast = ability.cast_millis > 0;
        let lasts = if is_cast { i64::from(ability.cast_millis) } else { 50 };
        let entity_id = self.bodies[at].fighter.entity_id;
        let done_at = self.now + lasts;
        self.begun.push(Begun { entity_id, ability, aim, slot_level, is_cast, done_at });
        Ok(())
    }

    fn means(
        &mut self,
        at: usize,
        fighter: &Fighter,
        ability: &AbilityDef,
        slot_level: u8,
    ) -> Means {
        let body = &self.bodies[at];
        let cooldown_at = body.cooldowns.get(ability.key.as_str()).copied().unwrap_or(i64::MIN);
        let is_hasty = matches!(ability.action, Action::Action | Action::BonusAction);
        let ready_at = if is_hasty { cooldown_at.max(body.ready_at) } else { cooldown_at };
        let is_player = fighter.is_player;
        let uses = uses_max(ability, fighter.sheet.level).filter(|_| is_player);
        let used = body.used.get(ability.key.as_str()).copied().unwrap_or(0);
        let slots = body.had.slots;
        let slots = (slot_level > 0 && is_player).then(|| {
            let place = usize::from(slot_level) - 1;
            let is_low = slot_level < ability.level || place >= slots.max.len();
            if is_low { (0, 0) } else { (slots.left[place], slots.max[place]) }
        });
        Means {
            is_known: !self.chance.one_in(40),
            is_prepared: !self.chance.one_in(40),
            is_casting: fighter.is_casting,
            ready_at,
            uses_left: uses.map(|(most, _)| most.saturating_sub(used)),
            slots,
        }
    }

    /// Whether somebody may do it now, by the judge's own notes.
    fn may(&self, at: usize, fighter: &Fighter, ability: &AbilityDef, means: &Means) -> bool {
        let back_at = turn_at(ability.action).map_or(0, |turn| self.bodies[at].back_at[turn]);
        let has_slot = means.slots.is_none_or(|(left, most)| left > 0 && most > 0);
        let knows = means.is_known && means.is_prepared;
        let is_free = !means.is_casting && self.now >= means.ready_at && self.now >= back_at;
        let is_heard = ability.kind != AbilityKind::Spell
            || !fighter.conditions().iter().any(|it| it == Condition::Silenced);
        let has_means = means.uses_left != Some(0) && has_slot;
        knows && can_do(fighter) && is_heard && is_free && has_means
    }

    fn pay(&mut self, at: usize, mut fighter: Fighter, ability: &'static AbilityDef, slot: u8) {
        let (now, house) = (self.now, self.house);
        take_turn(&mut fighter, ability, now, &house);
        let is_player = fighter.is_player;
        let level = fighter.sheet.level;
        self.store(at, fighter);
        self.note_turn(at, ability.action);
        let body = &mut self.bodies[at];
        if matches!(ability.action, Action::Action | Action::BonusAction) {
            body.ready_at = now + house.global_cooldown_millis;
        }
        let is_spell = ability.kind == AbilityKind::Spell && ability.level > 0;
        let least = if is_spell && !is_player { CREATURE_SPELL_MILLIS } else { 0 };
        let cooldown = i64::from(ability.cooldown_millis).max(least);
        if cooldown > 0 {
            body.cooldowns.insert(&ability.key, now + cooldown);
        }
        if !is_player {
            return;
        }
        if let Some((most, _)) = uses_max(ability, level) {
            let used = body.used.entry(&ability.key).or_default();
            *used += 1;
            if *used > most {
                self.breaks(format!("{} was used more often than it can be", ability.key));
                return;
            }
        }
        if slot > 0 && self.bodies[at].had.slots.spend(ability.level, slot).is_err() {
            self.breaks(format!("{} took a slot that is not there", ability.key));
        }
    }

    fn note_turn(&mut self, at: usize, action: Action) {
        let back_at = self.now + self.house.turn_millis(action);
        if let Some(turn) = turn_at(action) {
            self.bodies[at].back_at[turn] = back_at;
        }
    }

    /// As `deeds::check_aim`, without walls.
    fn check_aim(&self, user: &Fighter, ability: &AbilityDef, aim: Aim) -> Result<(), CombatError> {
        let other = |entity_id: u64| {
            let at = self.at_of(entity_id).ok_or(CombatError::TargetUnknown)?;
            Ok(self.load(at))
        };
        let at = match (ability.target, aim) {
            (Target::Oneself | Target::Ally | Target::Anyone, Aim::Oneself) => return Ok(()),
            (Target::Oneself, Aim::Entity(id)) if id == user.entity_id => return Ok(()),
            (Target::Direction, Aim::Direction(dx, dy)) if (dx, dy) != (0, 0) => return Ok(()),
            (Target::Direction, Aim::Point(point)) if point != user.place => return Ok(()),
            (Target::Direction, Aim::Entity(id)) => {
                let is_same = other(id)?.place == user.place;
                return if is_same { Err(CombatError::TargetSelf) } else { Ok(()) };
            }
            (Target::Point, Aim::Point(point)) => point,
            (Target::Point, Aim::Entity(id)) => other(id)?.place,
            (Target::Ally | Target::Enemy | Target::Anyone | Target::Corpse, Aim::Entity(id)) => {
                let target = other(id)?;
                check_target(user, &target, ability.target, self.relation(user, &target))?;
                target.place
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
        let is_near = is_within(user.place, at, reach_mm(ability, &user.sheet));
        if is_near { Ok(()) } else { Err(CombatError::OutOfRange) }
    }

    fn relation(&self, one: &Fighter, other: &Fighter) -> Relation {
        relation(one, other, are_in(self.duel, one, other), self.house.pvp)
    }

    /// A deed is done, if who began it can still act.
    pub(super) fn finish(&mut self, begun: Begun) {
        let Some(at) = self.at_of(begun.entity_id) else { return };
        let fighter = self.load(at);
        let can_act = fighter.health.is_awake() && fighter.conditions().can_act();
        if can_act != can_do(&fighter) {
            self.breaks(format!("{} can act: {can_act}", fighter.entity_id));
        }
        if can_act {
            self.run(at, begun);
        }
    }

    /// Strikes with its reaction, as at who goes away.
    pub(super) fn strike_at_somebody(&mut self) -> &'static str {
        let ability = self.book.ability(OPPORTUNITY_ATTACK).expect("content has it");
        let at = self.chance.below(self.bodies.len());
        let other = self.chance.below(self.bodies.len());
        let mut fighter = self.load(at);
        let target = self.load(other);
        let conditions = fighter.conditions();
        let turn = fighter.turn.check(Action::Reaction, self.now, &fighter.health, conditions);
        let may = can_do(&fighter) && self.now >= self.bodies[at].back_at[2];
        if turn.is_ok() != may {
            self.breaks(format!("{} reacts: {turn:?}, but may is {may}", fighter.entity_id));
        }
        let is_enemy = self.relation(&fighter, &target) == Relation::Enemy;
        if turn.is_err() || !is_enemy || !target.health.is_awake() {
            return "no strike";
        }
        take_turn(&mut fighter, ability, self.now, &self.house);
        let entity_id = fighter.entity_id;
        self.store(at, fighter);
        self.note_turn(at, Action::Reaction);
        let aim = Aim::Entity(target.entity_id);
        let done_at = self.now;
        self.run(at, Begun { entity_id, ability, aim, slot_level: 0, is_cast: false, done_at });
        "an opportunity attack"
    }

    fn run(&mut self, at: usize, begun: Begun) {
        let Begun { ability, aim, slot_level, is_cast, .. } = begun;
        let user = self.load(at);
        if is_cast && self.check_aim(&user, ability, aim).is_err() {
            return;
        }
        let Some((order, targets, point)) = self.scene(at, &user, ability, aim) else { return };
        let mut fighters: Vec<Fighter> = order.iter().map(|at| self.load(*at)).collect();
        let (house, book, now) = (self.house, self.book, self.now);
        let deed = Deed { ability, slot_level, at: point, now, house: &house, book };
        let told = perform(&deed, &mut fighters, 0, &targets, &mut self.chance);
        *self.count.done.entry(ability.kind.word()).or_default() += 1;
        self.settle(&order, &targets, fighters, &told, ability);
    }

    /// Everybody a deed may touch, its user first, and which of them it reaches.
    fn scene(
        &self,
        at: usize,
        user: &Fighter,
        ability: &AbilityDef,
        aim: Aim,
    ) -> Option<(Vec<usize>, Vec<usize>, Point)> {
        let target = match aim {
            Aim::Entity(id) if id != user.entity_id => {
                let found = self.at_of(id)?;
                let is_late = self.bodies[found].fighter.health.is_dead();
                (!is_late || ability.target == Target::Corpse).then_some(found)?.into()
            }
            Aim::Entity(_) | Aim::Oneself | Aim::Point(_) | Aim::Direction(..) => None,
        };
        let place = |at: usize| self.bodies[at].fighter.place;
        let point = match (target, aim) {
            (Some(target), _) => place(target),
            (None, Aim::Point(point)) => point,
            (None, Aim::Entity(_) | Aim::Oneself | Aim::Direction(..)) => user.place,
        };
        let mut order = vec![at];
        let Some(area) = ability.area else {
            let Some(target) = target else { return Some((order, vec![0], point)) };
            order.push(target);
            let is_beside = |other: &usize| {
                ![at, target].contains(other) && is_within(place(*other), point, BESIDE_MM)
            };
            order.extend((0..self.bodies.len()).filter(is_beside));
            return Some((order, vec![1], point));
        };
        let direction = match aim {
            Aim::Direction(dx, dy) => Direction { dx, dy },
            Aim::Oneself | Aim::Entity(_) | Aim::Point(_) => Direction::between(user.place, point),
        };
        let origin = match area {
            Area::Sphere { .. } | Area::Cube { .. } => point,
            Area::Cone { .. } | Area::Line { .. } => user.place,
        };
        let is_reached = |other: &usize| {
            let fighter = &self.bodies[*other].fighter;
            self.is_meant(user, fighter, ability)
                && fighter.health.is_dead() == (ability.target == Target::Corpse)
                && holds(&area, origin, direction, fighter.place)
        };
        let most = if ability.targets_max == 0 { TARGETS_MAX } else { ability.targets_max.into() };
        let reached = (0..self.bodies.len()).filter(is_reached).take(most);
        let mut targets = Vec::new();
        for other in reached {
            if other == at {
                targets.push(0);
            } else {
                targets.push(order.len());
                order.push(other);
            }
        }
        Some((order, targets, point))
    }

    /// Whether an area is meant for somebody.
    fn is_meant(&self, user: &Fighter, other: &Fighter, ability: &AbilityDef) -> bool {
        let stands = self.relation(user, other);
        match (stands, harms(ability)) {
            (Relation::Oneself | Relation::Ally, true) => {
                let is_spared = ability.spares_allies || stands == Relation::Oneself;
                let are_players = other.is_player && user.is_player;
                self.house.friendly_fire && !is_spared && !are_players
            }
            (Relation::Enemy | Relation::Rival, true)
            | (Relation::Oneself | Relation::Ally | Relation::Rival, false) => true,
            (Relation::Enemy, false) => false,
        }
    }
}

/// Whether an ability does something that nobody wants, as `deeds::harms` says.
pub(super) fn harms(ability: &AbilityDef) -> bool {
    let hurts = |effect: &EffectDef| {
        let again = matches!(effect, EffectDef::OverTime { damage: Some(_), .. });
        again || matches!(effect, EffectDef::Damage { .. })
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
