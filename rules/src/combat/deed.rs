//! Deeds: what the use of an ability does to those it reaches, with every die that was thrown.
//!
//! Keeps true: damage of an area is rolled once for all it reaches; what somebody concentrated on
//! ends before the next begins; nothing here asks who may. Leaves out on purpose: rows, walls, and
//! who is reached (`aim`, `areas`).

mod effects;
mod strikes;

use super::aim::distance_mm;
use super::areas::Point;
use super::check::{Cover, Save, Throw, save};
use super::conditions::{Bout, Conditions};
use super::damage::{Incoming, Share, Taken, mitigate};
use super::dice::Roller;
use super::fighter::Fighter;
use super::health::{Blow, Fate, Fell, Health};
use super::house::{House, percent_of};
use crate::content::book::Book;
use crate::content::{
    AbilityDef, Attribute, AttackKind, Condition, DamageType, OnSave, Passive, Stat, Stacking,
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

    /// Adds words, set off from those before.
    pub(super) fn say(&mut self, words: &str) {
        if !self.text.is_empty() {
            self.text.push_str("; ");
        }
        self.text.push_str(words);
    }
}

/// Uses an ability: `fighters[user]` on those of `targets`, each at most once. What it costs has
/// been paid.
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
    let shared = effects::roll_shared(deed, &fighters[user], roller);
    for target in targets.iter().copied().take(TARGETS_MAX) {
        let mut act = Act { deed, fighters: &mut *fighters, user, target, told: &mut told };
        match deed.ability.attack {
            Some(AttackKind::Weapon) => strikes::strike(&mut act, roller),
            Some(AttackKind::MeleeSpell | AttackKind::RangedSpell) => {
                strikes::spell_attack(&mut act, roller);
            }
            None => effects::reach(&mut act, &shared, roller),
        }
    }
    effects::besides(deed, &mut told);
    told
}

/// One target of a deed.
pub(super) struct Act<'a, 'b> {
    pub(super) deed: &'a Deed<'b>,
    pub(super) fighters: &'a mut [Fighter],
    pub(super) user: usize,
    pub(super) target: usize,
    pub(super) told: &'a mut Told,
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

    /// Whether an enemy of the user that can act stands beside it.
    fn is_beside_enemy(&self) -> bool {
        let user = self.user();
        self.fighters.iter().any(|other| {
            other.side != user.side
                && distance_mm(other.place, user.place) <= super::conditions::CLOSE_MM
                && other.conditions().can_act()
        })
    }

    /// Whether somebody of the user's side stands beside the target, on its other side if the
    /// house asks for that.
    pub(super) fn has_help(&self, opposite: bool) -> bool {
        let (user, target) = (self.user(), self.target());
        let from = |point: Point| {
            let way = |a: i32, b: i32| i64::from(a) - i64::from(b);
            (way(point.x_mm, target.place.x_mm), way(point.y_mm, target.place.y_mm))
        };
        let (user_x, user_y) = from(user.place);
        self.fighters.iter().any(|other| {
            let (x, y) = from(other.place);
            let is_other = other.entity_id != user.entity_id && other.side == user.side;
            is_other
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

    /// The target takes damage; then whatever that breaks.
    pub(super) fn hurt(
        &mut self,
        line: &mut Line,
        hurt: (i32, DamageType),
        share: Share,
        is_critical: bool,
        roller: &mut dyn Roller,
    ) {
        let is_by_player = self.user().is_player;
        let percent = self.deed.house.percent(is_by_player, self.target().is_player);
        let (rolled, damage) = hurt;
        let hurting = Hurting { rolled, damage, share, percent, is_critical };
        take(self.deed.house, self.fighters, self.target, &hurting, line, self.told, roller);
    }
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
    let Hurting { rolled, damage, share, percent, is_critical } = *hurting;
    let of = &mut fighters[target];
    let incoming = Incoming { rolled, damage, share, reduction: 0 };
    let taken: Taken = mitigate(&incoming, &of.defenses());
    let amount = percent_of(taken.amount, percent);
    let fate = fate_of(of, house);
    let hurt = of.health.hurt(&Blow { amount, is_critical, is_sparing: false }, fate);
    of.has_endured |= hurt.fell == Fell::Endured;
    let arrived = hurt.absorbed + hurt.lost;
    line.rolled = line.rolled.saturating_add(taken.rolled);
    line.amount = line.amount.saturating_add(arrived);
    line.damage = Some(damage);
    if hurt.fell != Fell::No {
        line.fell = hurt.fell;
    }
    line.say(&taken.to_string());
    if amount != taken.amount {
        line.say(&format!("{percent} percent: {amount}"));
    }
    say_fell(line, hurt.fell);
    hold_on(house, fighters, target, amount, line, told, roller);
}

fn fate_of(of: &Fighter, house: &House) -> Fate {
    match of.sheet.fate {
        Fate::Falls => Fate::Falls,
        Fate::Endures if !of.has_endured => Fate::Endures,
        Fate::Dies | Fate::Endures if house.death_saves => Fate::Dies,
        Fate::Dies | Fate::Endures => Fate::Falls,
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
        let least = house.concentration_difficulty_min;
        let difficulty = super::concentration::difficulty(amount).max(least);
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

/// How effects of an ability stack unless it says.
pub(super) fn stacking_of(ability: &AbilityDef) -> Stacking {
    ability.stacking.unwrap_or(Stacking::Longest)
}
