//! What follows: rows, threat, the fallen, the paid; and what happens by itself.

use super::acts::harms;
use super::{Arena, Begun, Vital};
use crate::combat::aim::is_within;
use crate::combat::areas::Point;
use crate::combat::deed::{Consequence, Line, Told};
use crate::combat::experience::shares;
use crate::combat::fighter::{Fighter, What};
use crate::combat::house::percent_of;
use crate::combat::lasting::{death_save, moment};
use crate::combat::stage;
use crate::combat::threat::{Entry, Threat};
use crate::content::AbilityDef;

impl Arena {
    /// Writes what a deed did and lets everything follow, as `aftermath::settle` does.
    pub(super) fn settle(
        &mut self,
        order: &[usize],
        targets: &[usize],
        fighters: Vec<Fighter>,
        told: &Told,
        ability: &AbilityDef,
    ) {
        self.judge_told(order, targets, &fighters, told, ability);
        let user_id = fighters[0].entity_id;
        for consequence in &told.consequences {
            if let Consequence::ConcentrationEnded(entity_id) = consequence {
                self.count.broken += 1;
                self.end_concentration(*entity_id);
            }
        }
        let mut changed = Vec::new();
        for (number, (at, fighter)) in order.iter().zip(fighters).enumerate() {
            if number == 0 || targets.contains(&number) {
                changed.push((fighter.entity_id, self.bodies[*at].fighter.health.vital));
                self.store(*at, fighter);
            }
        }
        for line in &told.lines {
            self.draw(user_id, line, harms(ability));
        }
        for consequence in &told.consequences {
            self.follow(user_id, consequence);
        }
        for (entity_id, was) in changed {
            self.changed(entity_id, was);
        }
    }

    /// Counts what a line did, as `threat::count` does.
    fn draw(&mut self, user_id: u64, line: &Line, is_hostile: bool) {
        let amount = u32::try_from(line.amount).unwrap_or(0);
        if line.is_healing {
            for body in &mut self.bodies {
                let fights = body.threat.entries().iter();
                if fights.clone().any(|entry| entry.entity_id == line.target_id) {
                    body.threat.heal(user_id, amount);
                }
            }
            return;
        }
        let Some(at) = self.at_of(line.target_id).filter(|_| is_hostile) else { return };
        if !self.bodies[at].fighter.is_player && line.target_id != user_id {
            self.bodies[at].threat.hurt(user_id, amount);
        }
    }

    fn follow(&mut self, user_id: u64, consequence: &Consequence) {
        match consequence {
            Consequence::ConcentrationEnded(_) => {}
            Consequence::CastBroken(entity_id) => {
                self.begun.retain(|begun| begun.entity_id != *entity_id);
            }
            Consequence::Moved { entity_id, to, is_teleport: _ } => {
                if let Some(at) = self.at_of(*entity_id) {
                    self.bodies[at].fighter.place = *to;
                }
            }
            Consequence::Summoned { creature, count, .. } => self.summon(user_id, creature, *count),
            Consequence::Taunted { entity_id, threat } => {
                if let Some(at) = self.at_of(*entity_id) {
                    self.bodies[at].threat.taunt(user_id, *threat);
                }
            }
        }
    }

    /// Creatures come, while there is room, on the side of who called them.
    fn summon(&mut self, user_id: u64, creature: &str, count: u8) {
        let Some(by) = self.at_of(user_id) else { return };
        let Point { x_mm, y_mm } = self.bodies[by].fighter.place;
        let side = self.bodies[by].fighter.side;
        for _ in 0..count.min(2) {
            if self.bodies.len() >= *super::FIGHTERS.end() {
                return;
            }
            self.join();
            let last = self.bodies.len() - 1;
            let entity_id = self.bodies[last].fighter.entity_id;
            let place = Point { x_mm: x_mm.saturating_add(1_000), y_mm };
            let fighter = Fighter { side, place, ..stage::foe(entity_id, creature) };
            self.bodies[last].known = self.of_kind(crate::content::AbilityKind::Basic);
            self.bodies[last].fighter = fighter;
        }
    }

    /// Somebody fell, died, woke or lives again, as `aftermath::changed` has it.
    fn changed(&mut self, entity_id: u64, was: Vital) {
        let Some(at) = self.at_of(entity_id) else { return };
        let (is, is_player) =
            (self.bodies[at].fighter.health.vital, self.bodies[at].fighter.is_player);
        if was == is {
            return;
        }
        let wait = |key: &str| self.now + self.book.setting(key);
        let looked_at = match is {
            Vital::Awake => i64::MAX,
            Vital::Dying { .. } => wait("death_save_millis"),
            Vital::Stable => wait("stable_millis"),
            Vital::Dead if is_player => wait("player_corpse_millis"),
            Vital::Dead => wait("corpse_millis"),
        };
        self.bodies[at].looked_at = looked_at;
        if is == Vital::Awake {
            self.count.revived += u64::from(was == Vital::Dead);
            return;
        }
        if is == Vital::Dead {
            self.count.deaths += 1;
            if !is_player {
                self.reward(at);
            }
        }
        self.begun.retain(|begun| begun.entity_id != entity_id);
        if was == Vital::Awake {
            self.end_concentration(entity_id);
        }
        if is == Vital::Dead {
            for body in &mut self.bodies {
                body.threat.forget(entity_id);
            }
            if !is_player {
                self.bodies[at].threat = Threat::default();
            }
        }
    }

    /// Gives experience for a creature that died, as `threat::reward` does.
    fn reward(&mut self, at: usize) {
        let radius = u32::try_from(self.book.setting("experience_share_radius_mm")).unwrap_or(0);
        let (place, entity_id) = (self.bodies[at].fighter.place, self.bodies[at].fighter.entity_id);
        let is_paid = |entry: &&Entry| {
            let other = self.at_of(entry.entity_id).map(|at| &self.bodies[at].fighter);
            let is_near =
                |other: &Fighter| other.is_player && is_within(place, other.place, radius);
            entry.contribution > 0 && other.is_some_and(is_near)
        };
        let entries: Vec<Entry> =
            self.bodies[at].threat.entries().iter().filter(is_paid).copied().collect();
        let worth = i32::try_from(self.bodies[at].fighter.sheet.experience).unwrap_or(i32::MAX);
        let whole = percent_of(worth, self.book.setting("experience_percent"));
        let whole = u32::try_from(whole).unwrap_or(0);
        let contributions: Vec<u64> = entries.iter().map(|entry| entry.contribution).collect();
        let given = shares(whole, &contributions);
        let mut sum = 0;
        for (entry, share) in entries.iter().zip(&given) {
            sum += u64::from(*share);
            if let Some(at) = self.at_of(entry.entity_id) {
                self.bodies[at].experience += u64::from(*share);
            }
        }
        let expected = if entries.is_empty() { 0 } else { u64::from(whole) };
        if sum != expected {
            self.breaks(format!("{sum} experience was given in place of {expected}"));
        }
        if self.paid.insert(entity_id, sum).is_some() {
            self.breaks(format!("{entity_id} was paid for twice"));
        }
    }

    /// Everything that is due happens, the earliest first.
    pub(super) fn tick(&mut self) -> &'static str {
        let now = self.now;
        let mut due: Vec<Begun> =
            self.begun.iter().filter(|begun| begun.done_at <= now).copied().collect();
        due.sort_by_key(|begun| begun.done_at);
        for begun in due {
            let same = |other: &Begun| {
                other.entity_id == begun.entity_id
                    && other.done_at == begun.done_at
                    && other.ability.key == begun.ability.key
            };
            // What one deed ends the next finds gone.
            let Some(found) = self.begun.iter().position(same) else { continue };
            self.begun.remove(found);
            self.finish(begun);
        }
        let mut moments: Vec<(i64, u64, u64)> = Vec::new();
        for body in &self.bodies {
            let of = body.fighter.entity_id;
            let at = |next_at: i64, ends_at: i64| next_at.min(ends_at);
            moments.extend(body.fighter.effects.iter().filter_map(|effect| {
                let due_at = at(effect.next_at, effect.ends_at);
                (due_at <= now).then_some((due_at, of, effect.effect_id))
            }));
        }
        moments.sort_unstable();
        for (_, of, effect_id) in moments {
            self.moment_of(of, effect_id);
        }
        let ids: Vec<u64> = self
            .bodies
            .iter()
            .filter(|body| body.looked_at <= now)
            .map(|body| body.fighter.entity_id)
            .collect();
        for entity_id in ids {
            self.look(entity_id);
        }
        "the tick"
    }

    /// A dying one rolls, a stable one wakes, a corpse goes.
    fn look(&mut self, entity_id: u64) {
        let Some(at) = self.at_of(entity_id) else { return };
        match self.bodies[at].fighter.health.vital {
            Vital::Awake => self.bodies[at].looked_at = i64::MAX,
            Vital::Dying { .. } => {
                self.roll_for_life(at);
            }
            Vital::Stable => {
                let mut fighter = self.load(at);
                fighter.health.wake();
                self.bodies[at].looked_at = i64::MAX;
                self.store(at, fighter);
            }
            Vital::Dead if self.bodies[at].fighter.is_player => self.return_of(at),
            Vital::Dead => {
                self.remove(at);
                self.join();
            }
        }
    }

    fn roll_for_life(&mut self, at: usize) {
        let mut fighter = self.load(at);
        let (entity_id, was) = (fighter.entity_id, fighter.health.vital);
        let house = self.house;
        if death_save(&house, &mut fighter, &mut self.chance).is_some() {
            self.store(at, fighter);
            self.changed(entity_id, was);
            if let Some(at) = self.at_of(entity_id)
                && matches!(self.bodies[at].fighter.health.vital, Vital::Dying { .. })
            {
                self.bodies[at].looked_at = self.now + self.house.death_save_millis;
            }
        }
    }

    /// Somebody, dying or not, is made to roll for its life.
    pub(super) fn save_of_somebody(&mut self) -> &'static str {
        let at = self.chance.below(self.bodies.len());
        self.roll_for_life(at);
        "a death save"
    }

    /// An effect's moment, as `effect_moment` and `settle_moment` have it.
    fn moment_of(&mut self, of: u64, effect_id: u64) {
        let Some(at) = self.at_of(of) else { return };
        let stored = &self.bodies[at].fighter.effects;
        let Some(effect) = stored.iter().find(|effect| effect.effect_id == effect_id).cloned()
        else {
            return;
        };
        if effect.ends_at <= self.now {
            self.end_of(at, effect_id);
            return;
        }
        let fighter = self.load(at);
        let was = fighter.health;
        let by = self.at_of(effect.by);
        let by_player = by.is_some_and(|by| self.bodies[by].fighter.is_player);
        let (house, now) = (self.house, self.now);
        let mut fighters = [fighter];
        let told = moment(&house, &mut fighters, 0, effect_id, by_player, now, &mut self.chance);
        self.count.moments += u64::from(!told.lines.is_empty());
        let [fighter] = fighters;
        if now < effect.next_at && (fighter.health != was || !told.lines.is_empty()) {
            self.breaks(format!("{effect:?} acts before its moment"));
        }
        for consequence in &told.consequences {
            if let Consequence::ConcentrationEnded(entity_id) = consequence {
                self.count.broken += 1;
                self.end_concentration(*entity_id);
            }
        }
        self.store(at, fighter);
        if by.is_some() {
            for line in told.lines.iter().filter(|line| line.damage.is_some() || line.is_healing) {
                self.draw(effect.by, line, line.damage.is_some());
            }
        }
        for consequence in &told.consequences {
            self.follow(effect.by, consequence);
        }
        self.changed(of, was.vital);
    }

    /// An effect is over, as `effects::end` has it.
    fn end_of(&mut self, at: usize, effect_id: u64) {
        self.bodies[at].fighter.effects.retain(|effect| effect.effect_id != effect_id);
        let mut fighter = self.load(at);
        if !fighter.effects.iter().any(|effect| effect.what == What::Temporary) {
            fighter.health.temporary = 0;
        }
        self.store(at, fighter);
    }

    /// Any effect of anybody is looked at, due or not, over or not.
    pub(super) fn moment_of_anything(&mut self) -> &'static str {
        let at = self.chance.below(self.bodies.len());
        let fighter = &self.bodies[at].fighter;
        let ids: Vec<u64> = fighter.effects.iter().map(|effect| effect.effect_id).collect();
        let of = fighter.entity_id;
        let Some(effect_id) = self.chance.pick(&ids).copied() else { return "no moment" };
        // The rules themselves must see that it is over.
        let (house, now) = (self.house, self.now);
        let mut fighters = [self.bodies[at].fighter.clone()];
        let is_over = fighters[0]
            .effects
            .iter()
            .any(|effect| effect.effect_id == effect_id && effect.ends_at <= now);
        if is_over {
            let was = fighters[0].health;
            let told = moment(&house, &mut fighters, 0, effect_id, false, now, &mut self.chance);
            let is = fighters[0].health;
            if !told.lines.is_empty() || is.current > was.current || is.vital != was.vital {
                self.breaks(format!("effect {effect_id} acts at or after its end"));
            }
        }
        self.moment_of(of, effect_id);
        "a moment"
    }

    /// A dead player returns.
    pub(super) fn come_back(&mut self) -> &'static str {
        let dead = self
            .bodies
            .iter()
            .position(|body| body.fighter.is_player && body.fighter.health.is_dead());
        if let Some(at) = dead {
            self.return_of(at);
        }
        "a return"
    }

    fn return_of(&mut self, at: usize) {
        let mut fighter = self.load(at);
        fighter.forget(|_| true);
        let percent = self.book.setting("respawn_hit_points_percent");
        let hit_points = percent_of(fighter.health.max, percent);
        fighter.health.revive(hit_points);
        let entity_id = fighter.entity_id;
        self.store(at, fighter);
        self.returned.insert(entity_id);
        self.changed(entity_id, Vital::Dead);
        self.bodies[at].fighter.place = self.place();
    }
}
