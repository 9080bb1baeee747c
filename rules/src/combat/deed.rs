//! Deeds: what the use of an ability does to those it reaches, with every die that was thrown.
//!
//! Keeps true: damage of an area is rolled once for all it reaches; what somebody concentrated on
//! ends before the next begins, and who cannot act concentrates on nothing; one hit is one blow,
//! whatever its damage is made of; nothing here asks who may. Leaves out on purpose: rows, walls,
//! and who is reached (`aim`, `areas`).

mod effects;
mod moves;
mod strikes;
#[cfg(test)]
mod tests;
mod throws;

pub(super) use throws::words_of;

use super::aim::distance_mm;
use super::areas::Point;
use super::check::{Cover, Save, Throw, save};
use super::conditions::{Bout, Conditions};
use super::damage::{Incoming, Share, Taken, mitigate};
use super::dice::Roller;
use super::fighter::{Effect, Fighter};
use super::health::{Blow, Fate, Fell, Health};
use super::house::{House, percent_of};
use crate::content::book::Book;
use crate::content::{
    AbilityDef, AbilityKind, AttackKind, Attribute, Condition, DamageType, OnSave, Passive,
    SaveDef, Stacking, Stat, Target,
};

/// Most that one use reaches, whatever its area holds.
pub const TARGETS_MAX: usize = 32;

/// What is used, how, and when.
#[derive(Clone, Copy)]
pub struct Deed<'a> {
    /// What.
    pub ability: &'a AbilityDef,
    /// Level of the slot that was spent; 0 for none.
    pub slot_level: u8,
    /// Where it is aimed.
    pub at: Point,
    /// Milliseconds since 1970.
    pub now: i64,
    /// The house's numbers.
    pub house: &'a House,
    /// What else content says.
    pub book: &'a Book,
}

/// How a roll for or against a target ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// There was none.
    None,
    /// The attack missed.
    Miss,
    /// It hit.
    Hit,
    /// It hit critically.
    Critical,
    /// The target saved.
    Saved,
    /// The target did not save.
    Failed,
}

impl Verdict {
    /// The number that stands in a row.
    pub const fn code(self) -> u8 {
        match self {
            Self::None => 0,
            Self::Miss => 1,
            Self::Hit => 2,
            Self::Critical => 3,
            Self::Saved => 4,
            Self::Failed => 5,
        }
    }
}

/// What happened to one target, once.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Line {
    /// Who.
    pub target_id: u64,
    /// How the roll ended.
    pub verdict: Verdict,
    /// What the d20 showed; 0 without a roll.
    pub natural: u8,
    /// What was added to it.
    pub modifier: i32,
    /// What it had to reach.
    pub against: i32,
    /// What was rolled for damage or healing.
    pub rolled: i32,
    /// What arrived: lost and absorbed, or healed.
    pub amount: i32,
    /// What hurt; none for healing and for what does neither.
    pub damage: Option<DamageType>,
    /// Whether it healed.
    pub is_healing: bool,
    /// What it ended in.
    pub fell: Fell,
    /// All of it in words: `14 + 5 = 19 against 17: hit; 2d6+3: 4 + 4 + 3 = 11 slashing`.
    pub text: String,
}

/// What must happen besides.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Consequence {
    /// Somebody concentrates no more: all that hangs on it ends.
    ConcentrationEnded(u64),
    /// Somebody casts no more what it had begun.
    CastBroken(u64),
    /// Somebody is moved towards a place, as far as nothing is in the way; by magic at once.
    Moved {
        /// Who.
        entity_id: u64,
        /// To.
        to: Point,
        /// Whether walls do not matter.
        is_teleport: bool,
    },
    /// Creatures come to fight for the user.
    Summoned {
        /// Key of the creature.
        creature: String,
        /// How many.
        count: u8,
        /// For how long, milliseconds.
        duration_millis: u32,
    },
    /// A target turns to the user.
    Taunted {
        /// Who.
        entity_id: u64,
        /// How much threat more than the highest.
        threat: u32,
    },
}

/// Everything that came of a deed.
#[derive(Clone, Debug, Default)]
pub struct Told {
    /// In order.
    pub lines: Vec<Line>,
    /// In order.
    pub consequences: Vec<Consequence>,
}

impl Line {
    /// A line about somebody, without a roll.
    pub const fn of(target_id: u64) -> Self {
        Self {
            target_id,
            verdict: Verdict::None,
            natural: 0,
            modifier: 0,
            against: 0,
            rolled: 0,
            amount: 0,
            damage: None,
            is_healing: false,
            fell: Fell::No,
            text: String::new(),
        }
    }

    /// Adds words if there are any, set off from those before.
    pub(super) fn say(&mut self, words: &str) {
        if words.is_empty() {
            return;
        }
        if !self.text.is_empty() {
            self.text.push_str("; ");
        }
        self.text.push_str(words);
    }
}

/// Uses an ability: `fighters[user]` on those of `targets`, each at most once. Who has died since
/// it was aimed is not reached, and no dice are thrown for nobody. What it costs has been paid.
pub fn perform(
    deed: &Deed<'_>,
    fighters: &mut [Fighter],
    user: usize,
    targets: &[usize],
    roller: &mut dyn Roller,
) -> Told {
    let mut told = Told::default();
    if deed.ability.concentration {
        end_concentration(fighters, user, &mut told);
        fighters[user].concentrates_on.clone_from(&deed.ability.key);
    }
    let is_for_the_dead = deed.ability.target == Target::Corpse;
    let is_there = |target: &usize| fighters[*target].health.is_dead() == is_for_the_dead;
    let reached: Vec<usize> = targets.iter().copied().filter(is_there).take(TARGETS_MAX).collect();
    if reached.is_empty() && !targets.is_empty() {
        return settled(deed, fighters, user, told);
    }
    let shared = if reached.is_empty() {
        vec![]
    } else {
        throws::roll_shared(deed, &fighters[user], roller)
    };
    for target in reached {
        let fighters = &mut *fighters;
        let mut act = Act { deed, fighters, user, target, told: &mut told, coming: 0 };
        match deed.ability.attack {
            Some(AttackKind::Weapon) => strikes::strike(&mut act, roller),
            Some(AttackKind::MeleeSpell | AttackKind::RangedSpell) => {
                strikes::spell_attack(&mut act, roller);
            }
            None => effects::reach(&mut act, &shared, roller),
        }
    }
    effects::besides(deed, &mut told);
    settled(deed, fighters, user, told)
}

/// Who concentrates on something that took hold of nobody lets go of it.
fn settled(deed: &Deed<'_>, fighters: &mut [Fighter], user: usize, told: Told) -> Told {
    let by = fighters[user].entity_id;
    let hangs = |effect: &Effect| effect.is_concentration && effect.by == by;
    let is_summon = |what: &Consequence| matches!(what, Consequence::Summoned { .. });
    let holds = fighters.iter().any(|fighter| fighter.effects.iter().any(hangs))
        || told.consequences.iter().any(is_summon);
    if deed.ability.concentration && !holds {
        fighters[user].concentrates_on.clear();
    }
    told
}

/// One target of a deed.
pub(super) struct Act<'a, 'b> {
    pub(super) deed: &'a Deed<'b>,
    pub(super) fighters: &'a mut [Fighter],
    pub(super) user: usize,
    pub(super) target: usize,
    pub(super) told: &'a mut Told,
    /// Damage of a blow that has not landed yet.
    coming: i32,
}

impl Act<'_, '_> {
    pub(super) fn user(&self) -> &Fighter {
        &self.fighters[self.user]
    }

    pub(super) fn target(&self) -> &Fighter {
        &self.fighters[self.target]
    }

    pub(super) fn distance_mm(&self) -> u32 {
        distance_mm(self.user().place, self.target().place)
    }

    /// The bout between both.
    pub(super) fn bout(&self, is_ranged: bool) -> Bout {
        let (user, target) = (self.user(), self.target());
        let attacker = user.conditions();
        Bout {
            attacker,
            attacker_exhaustion: user.exhaustion,
            target: target.conditions(),
            distance_mm: self.distance_mm(),
            sees_fear: attacker.has(Condition::Frightened),
            is_dodged: false,
            is_hindered: is_ranged && self.is_beside_enemy(),
        }
    }

    /// Whether an enemy of the user that can act stands beside it; whom it attacks is one.
    fn is_beside_enemy(&self) -> bool {
        let (user, target) = (self.user(), self.target());
        self.fighters.iter().any(|other| {
            let is_enemy = other.side != user.side || other.entity_id == target.entity_id;
            is_enemy
                && distance_mm(other.place, user.place) <= super::conditions::CLOSE_MM
                && other.conditions().can_act()
        })
    }

    /// Whether somebody of the user's side, and not of the target's, stands beside the target; on
    /// its other side if that is asked for.
    pub(super) fn has_help(&self, opposite: bool) -> bool {
        let (user, target) = (self.user(), self.target());
        let from = |point: Point| {
            let way = |a: i32, b: i32| i64::from(a) - i64::from(b);
            (way(point.x_mm, target.place.x_mm), way(point.y_mm, target.place.y_mm))
        };
        let (user_x, user_y) = from(user.place);
        self.fighters.iter().any(|other| {
            let (x, y) = from(other.place);
            let is_other = other.entity_id != user.entity_id;
            let is_with = other.side == user.side && other.side != target.side;
            is_other
                && is_with
                && other.conditions().can_act()
                && distance_mm(other.place, target.place) <= super::conditions::CLOSE_MM
                && (!opposite || x * user_x + y * user_y < 0)
        })
    }

    /// The target tries to save; whether it did.
    pub(super) fn save(
        &self,
        line: &mut Line,
        attribute: Attribute,
        difficulty: i32,
        against: Option<Condition>,
        roller: &mut dyn Roller,
    ) -> bool {
        saves(self.target(), line, attribute, difficulty, against, roller)
    }

    /// Damage comes at the target; it lands with all else of the same blow.
    pub(super) fn hurt(&mut self, line: &mut Line, hurt: (i32, DamageType), share: Share) {
        let is_by_player = self.user().is_player;
        let percent = self.deed.house.percent(is_by_player, self.target().is_player);
        let (rolled, damage) = hurt;
        let hurting = Hurting { rolled, damage, share, percent, is_critical: false };
        self.coming = self.coming.saturating_add(soften(self.target(), &hurting, line));
    }

    /// What has come at the target lands as one blow; then whatever that breaks.
    pub(super) fn land(&mut self, line: &mut Line, is_critical: bool, roller: &mut dyn Roller) {
        let blow =
            Blow { amount: std::mem::take(&mut self.coming), is_critical, is_sparing: false };
        land(self.deed.house, self.fighters, self.target, blow, line, self.told, roller);
    }

    /// Lays something on the target as its ability stacks; false where it does not take hold: on
    /// the dead, or where what it hangs on was broken meanwhile.
    pub(super) fn lay(&mut self, effect: Effect) -> bool {
        let ability = self.deed.ability;
        let holds = !effect.is_concentration || self.user().concentrates_on == ability.key;
        let target = &mut self.fighters[self.target];
        let stacking = ability.stacking.unwrap_or(Stacking::Longest);
        holds && !target.health.is_dead() && target.lay(effect, stacking)
    }

    /// The target lets go of what it concentrates on and casts if it cannot act any more.
    pub(super) fn let_go(&mut self, line: &mut Line, roller: &mut dyn Roller) {
        hold_on(self.deed.house, self.fighters, self.target, 0, line, self.told, roller);
    }
}

/// What a save against an ability must reach: against what everybody can do, the strength of who
/// does it counts, as it does in the contests of the table game (SRD 5.1, "Combat", Grappling,
/// Shoving a Creature).
pub(super) fn difficulty_of(user: &Fighter, kind: AbilityKind, def: SaveDef) -> i32 {
    let by = match kind {
        AbilityKind::Basic => Attribute::Strength,
        AbilityKind::Spell | AbilityKind::Feature | AbilityKind::Creature | AbilityKind::Item => {
            user.sheet.casting_by
        }
    };
    def.difficulty.map_or(user.sheet.difficulty_by(by), i32::from)
}

/// Somebody tries to save; what it had to reach and threw stands in the line.
pub fn saves(
    of: &Fighter,
    line: &mut Line,
    attribute: Attribute,
    difficulty: i32,
    against: Option<Condition>,
    roller: &mut dyn Roller,
) -> bool {
    let modifiers = of.modifiers(Stat::SavingThrow, of.sheet.save(attribute));
    let is_lucky = of.sheet.has(&Passive::Lucky);
    let edges = of.save_edges(attribute, against);
    let fails = of.conditions().fails_save(attribute);
    let throw = Throw { edges, is_lucky, modifiers: &modifiers };
    let saved = save(&Save { attribute, throw, difficulty, cover: Cover::None, fails }, roller);
    line.verdict = if saved.is_success { Verdict::Saved } else { Verdict::Failed };
    line.against = difficulty;
    if let Some(roll) = &saved.roll {
        line.natural = roll.d20.natural;
        line.modifier = roll.total - i32::from(roll.d20.natural);
    }
    line.say(&format!("{} save {saved}", attribute.word()));
    saved.is_success
}

/// Damage on its way to somebody.
#[derive(Clone, Copy, Debug)]
pub struct Hurting {
    /// As rolled.
    pub rolled: i32,
    /// What it is made of.
    pub damage: DamageType,
    /// What a save left of it.
    pub share: Share,
    /// The balance's percent.
    pub percent: i64,
    /// Whether it came of a critical hit.
    pub is_critical: bool,
}

/// Somebody takes damage: defenses, temporary hit points, falling, dying, concentration.
pub fn take(
    house: &House,
    fighters: &mut [Fighter],
    target: usize,
    hurting: &Hurting,
    line: &mut Line,
    told: &mut Told,
    roller: &mut dyn Roller,
) {
    let amount = soften(&fighters[target], hurting, line);
    let blow = Blow { amount, is_critical: hurting.is_critical, is_sparing: false };
    land(house, fighters, target, blow, line, told, roller);
}

/// How much of damage arrives: what defends the target, and the balance.
fn soften(of: &Fighter, hurting: &Hurting, line: &mut Line) -> i32 {
    let Hurting { rolled, damage, share, percent, is_critical: _ } = *hurting;
    let incoming = Incoming { rolled, damage, share, reduction: 0 };
    let taken: Taken = mitigate(&incoming, &of.defenses());
    let amount = percent_of(taken.amount, percent);
    line.rolled = line.rolled.saturating_add(taken.rolled);
    line.damage = line.damage.or(Some(damage));
    line.say(&taken.to_string());
    if amount != taken.amount {
        line.say(&format!("{percent} percent: {amount}"));
    }
    amount
}

/// A blow lands: temporary hit points, falling, dying, concentration.
fn land(
    house: &House,
    fighters: &mut [Fighter],
    target: usize,
    blow: Blow,
    line: &mut Line,
    told: &mut Told,
    roller: &mut dyn Roller,
) {
    if blow.amount <= 0 {
        return;
    }
    let of = &mut fighters[target];
    let fate = fate_of(of, house);
    let hurt = of.health.hurt_until(&blow, fate, house.death_saves_needed);
    of.has_endured |= hurt.fell == Fell::Endured;
    line.amount = line.amount.saturating_add(hurt.absorbed + hurt.lost);
    line.fell = graver(line.fell, hurt.fell);
    say_fell(line, hurt.fell);
    hold_on(house, fighters, target, blow.amount, line, told, roller);
}

/// What a line tells of two blows: who fell and is struck once more has fallen.
fn graver(before: Fell, after: Fell) -> Fell {
    let rank = |fell: Fell| match fell {
        Fell::No => 0,
        Fell::Endured => 1,
        Fell::Failures(_) => 2,
        Fell::KnockedOut => 3,
        Fell::Dying => 4,
        Fell::Dead => 5,
    };
    if rank(after) >= rank(before) { after } else { before }
}

fn fate_of(of: &Fighter, house: &House) -> Fate {
    match of.sheet.fate {
        Fate::Endures if !of.has_endured => Fate::Endures,
        Fate::Dies | Fate::Endures if house.death_saves => Fate::Dies,
        Fate::Falls | Fate::Dies | Fate::Endures => Fate::Falls,
    }
}

fn say_fell(line: &mut Line, fell: Fell) {
    match fell {
        Fell::No => {}
        Fell::Endured => line.say("endures"),
        Fell::Dying => line.say("falls"),
        Fell::KnockedOut => line.say("is knocked out"),
        Fell::Failures(_) => line.say("a death save is missed"),
        Fell::Dead => line.say("dies"),
    }
}

/// Who was hurt tries to keep its concentration and what it casts, with one roll; who cannot act or
/// is down lets go.
fn hold_on(
    house: &House,
    fighters: &mut [Fighter],
    target: usize,
    amount: i32,
    line: &mut Line,
    told: &mut Told,
    roller: &mut dyn Roller,
) {
    let of = &fighters[target];
    if of.concentrates_on.is_empty() && !of.is_casting {
        return;
    }
    let mut is_kept = can_hold(of.conditions(), &of.health);
    if is_kept && amount > 0 && house.concentration {
        let difficulty = house.concentration_difficulty_min.max(amount / 2);
        // The roll is told in words alone: the line's numbers are those of what hurt.
        let mut rolled = Line::of(of.entity_id);
        is_kept = saves(of, &mut rolled, Attribute::Constitution, difficulty, None, roller);
        line.say(&format!("concentration: {}", rolled.text));
    }
    if is_kept {
        return;
    }
    end_concentration(fighters, target, told);
    if std::mem::take(&mut fighters[target].is_casting) {
        told.consequences.push(Consequence::CastBroken(fighters[target].entity_id));
    }
}

fn can_hold(conditions: Conditions, health: &Health) -> bool {
    conditions.can_act() && health.is_awake()
}

/// Somebody lets go of what it concentrated on, and all of it in this fight ends.
pub fn end_concentration(fighters: &mut [Fighter], of: usize, told: &mut Told) {
    let by = fighters[of].entity_id;
    if fighters[of].concentrates_on.is_empty() {
        return;
    }
    fighters[of].concentrates_on.clear();
    for fighter in fighters.iter_mut() {
        fighter.forget(|effect| effect.is_concentration && effect.by == by);
    }
    told.consequences.push(Consequence::ConcentrationEnded(by));
}

/// What is left of damage after a save.
pub(super) fn share_of(
    target: &Fighter,
    attribute: Attribute,
    on_success: OnSave,
    is_saved: bool,
) -> Share {
    let evades = attribute == Attribute::Dexterity
        && on_success == OnSave::Half
        && target.sheet.has(&Passive::Evasion)
        && target.conditions().can_act();
    super::damage::share(is_saved, on_success, evades)
}
