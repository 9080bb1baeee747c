//! What must hold after every command, whatever it was.

use super::acts::can_do;
use super::{Arena, Body, Vital};
use crate::combat::deed::{Line, Told};
use crate::combat::fighter::{EFFECTS_MAX, Effect, Fighter, What};
use crate::combat::health::Fell;
use crate::content::{AbilityDef, EffectDef, Target};

/// Who was how, before a command.
pub(super) struct Seen {
    dead: Vec<u64>,
}

impl Arena {
    pub(super) fn seen(&mut self) -> Seen {
        self.returned.clear();
        let dead = self.bodies.iter().filter(|body| body.fighter.health.is_dead());
        Seen { dead: dead.map(|body| body.fighter.entity_id).collect() }
    }

    /// Everything that must hold.
    pub(super) fn judge(&mut self, before: &Seen) {
        let mut problem = None;
        for body in &self.bodies {
            let id = body.fighter.entity_id;
            let was_dead = before.dead.contains(&id);
            let found = is_sound(body)
                .or_else(|| lies_soundly(body, self.now))
                .or_else(|| has_enough(body))
                .or_else(|| self.holds_one(body))
                .or_else(|| {
                    let may = self.returned.contains(&id);
                    let lives = was_dead && !body.fighter.health.is_dead();
                    (lives && !may).then(|| "lives again by itself".to_owned())
                });
            if let Some(found) = found {
                problem.get_or_insert(format!("{id}: {found}: {:?}", body.fighter));
            }
        }
        let held: u64 = self.bodies.iter().map(|body| body.experience).sum();
        let given: u64 = self.paid.values().sum();
        if held + self.gone != given {
            problem.get_or_insert(format!("{held} and {} experience of {given}", self.gone));
        }
        if let Some(problem) = problem {
            self.breaks(problem);
        }
    }

    /// Who concentrates can, on one thing, and all that hangs on it is of that.
    fn holds_one(&self, body: &Body) -> Option<String> {
        let lying = body.fighter.effects.iter().filter(|effect| effect.ends_at > self.now);
        for effect in lying.filter(|effect| effect.is_concentration) {
            let by = self.at_of(effect.by).map(|at| &self.bodies[at].fighter);
            if by.is_none_or(|by| by.concentrates_on != effect.ability) {
                let on = by.map(|by| by.concentrates_on.clone());
                return Some(format!("{effect:?} hangs on nothing: {on:?}"));
            }
        }
        let at = self.at_of(body.fighter.entity_id)?;
        let is_idle = body.fighter.concentrates_on.is_empty();
        (!is_idle && !can_do(&self.load(at))).then(|| "concentrates and cannot act".to_owned())
    }

    /// What a deed told is what it did, to those it reached and to nobody else.
    pub(super) fn judge_told(
        &mut self,
        order: &[usize],
        targets: &[usize],
        after: &[Fighter],
        told: &Told,
        ability: &AbilityDef,
    ) {
        let revives = |effect: &EffectDef| matches!(effect, EffectDef::Revive { .. });
        for (number, (at, after)) in order.iter().zip(after).enumerate() {
            let before = self.load(*at);
            let id = before.entity_id;
            let lines: Vec<&Line> = told.lines.iter().filter(|line| line.target_id == id).collect();
            if !targets.contains(&number) && !lines.is_empty() {
                self.breaks(format!("{id} was not reached by {}: {lines:?}", ability.key));
            }
            let is_for_the_dead = ability.target == Target::Corpse;
            if before.health.is_dead() != is_for_the_dead && !lines.is_empty() {
                self.breaks(format!("{} reached the dead: {lines:?}", ability.key));
            }
            if lines.iter().any(|line| line.amount < 0 || line.rolled < 0) {
                self.breaks(format!("less than nothing: {lines:?}"));
            }
            if ability.effects.iter().any(revives) && lines.iter().any(|line| line.is_healing) {
                self.returned.insert(id);
            }
            if let Some(problem) = accounts(&before, after, &lines) {
                self.breaks(format!("{problem}: {before:?} became {after:?} by {lines:?}"));
            }
        }
    }

    /// A run in which nothing happened proves nothing.
    pub(super) fn judge_run(&self, commands: u64) {
        let count = &self.count;
        let least = |part: u64| commands / part;
        assert!(count.begun > least(20), "{count:?}");
        assert!(count.moments > least(100), "{count:?}");
        assert!(count.deaths > least(500), "{count:?}");
        assert!(count.revived > least(10_000), "{count:?}");
        assert!(count.broken > least(500), "{count:?}");
        assert!(self.paid.values().sum::<u64>() > 0, "{count:?}");
        for kind in ["spell", "feature", "basic", "creature"] {
            assert!(count.done.get(kind).copied() > Some(least(200)), "{kind}: {count:?}");
        }
    }
}

/// Hit points lie within their bounds, and say how alive it is.
fn is_sound(body: &Body) -> Option<String> {
    let health = &body.fighter.health;
    let has_some = health.current > 0;
    if health.max < 1 || !(0..=health.max).contains(&health.current) || health.temporary < 0 {
        return Some("hit points out of bounds".to_owned());
    }
    if has_some != (health.vital == Vital::Awake) {
        return Some("hit points do not say how alive it is".to_owned());
    }
    let is_temporary = |effect: &Effect| effect.what == What::Temporary;
    if health.temporary > 0 && !body.fighter.effects.iter().any(is_temporary) {
        return Some("temporary hit points of nothing".to_owned());
    }
    None
}

/// No more lies on it than may, and nothing it is immune to.
fn lies_soundly(body: &Body, now: i64) -> Option<String> {
    let lying = || body.fighter.effects.iter().filter(|effect| effect.ends_at > now);
    if lying().count() > EFFECTS_MAX {
        return Some("too much lies on it".to_owned());
    }
    let immune = &body.fighter.sheet.condition_immunities;
    let befell =
        |effect: &Effect| immune.iter().any(|condition| effect.what == What::Condition(*condition));
    lying().find(|effect| befell(effect)).map(|effect| format!("is immune to {effect:?}"))
}

/// No slot and no hit die is spent that was not there.
fn has_enough(body: &Body) -> Option<String> {
    let had = &body.had;
    let slots = had.slots.left.iter().zip(had.slots.max).all(|(left, max)| *left <= max);
    let is_good = slots && had.hit_dice.left <= had.hit_dice.max;
    (!is_good).then(|| format!("resources out of bounds: {had:?}"))
}

/// Whether lines account for every hit point that was lost or came back.
fn accounts(before: &Fighter, after: &Fighter, lines: &[&Line]) -> Option<String> {
    let (was, is) = (&before.health, &after.health);
    let shields = |fighter: &Fighter| {
        let lying = fighter.effects.iter().filter(|effect| effect.what == What::Temporary);
        lying.map(|effect| effect.effect_id).collect::<Vec<u64>>()
    };
    let ended = lines.iter().any(|line| matches!(line.fell, Fell::Dead | Fell::Endured));
    if ended || was.max != is.max || shields(before) != shields(after) || was.is_dead() {
        let fell = was.vital == Vital::Awake && is.vital != Vital::Awake;
        return (fell && lines.is_empty()).then(|| "fell unseen".to_owned());
    }
    let sum = |is_healing: bool| -> i32 {
        let lines = lines.iter().filter(|line| line.is_healing == is_healing);
        lines.map(|line| line.amount).sum()
    };
    let expected = was.current + was.temporary - sum(false) + sum(true);
    let got = is.current + is.temporary;
    (expected != got).then(|| format!("{got} hit points in place of {expected}"))
}
