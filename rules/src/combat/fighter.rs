//! Fighters: a body in a fight, with everything that lies on it.
//!
//! Keeps true: hit points lie within their bounds, nobody is in a condition it is immune to, and of
//! two effects of the same ability only those run that their stacking allows. Leaves out on
//! purpose: rows; and when effects end, which is the caller's clock.

use std::rc::Rc;

use super::areas::Point;
use super::check::{Edges, Modifier};
use super::conditions::{Conditions, Meeting, meet};
use super::damage::{DamageTypes, Defenses};
use super::dice::Dice;
use super::health::Health;
use super::sheet::Sheet;
use super::turn::Turn;
use crate::content::{Attribute, Condition, DamageType, Passive, Stacking, Stat};

/// Most effects that lie on one body; what comes beyond does nothing.
pub const EFFECTS_MAX: usize = 32;
/// Least and most percent of its own speed that effects leave a body.
pub const SPEED_PERCENT_RANGE: std::ops::RangeInclusive<i32> = 0..=400;

/// What an effect does while it lasts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum What {
    /// It is in a condition.
    Condition(Condition),
    /// Something is more or less.
    Modifier(Stat, i16),
    /// Something is more or less by dice.
    ModifierDice(Stat, Dice, bool),
    /// Damage of a kind is halved.
    Resistance(DamageType),
    /// It is hurt, or healed where there is no kind of damage, again and again.
    OverTime(Dice, Option<DamageType>),
    /// Temporary hit points last so long.
    Temporary,
}

/// Something that lies on a body for a time.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Effect {
    /// The number of its row; 0 while it has none.
    pub effect_id: u64,
    /// Key of the ability it comes of.
    pub ability: String,
    /// Who laid it.
    pub by: u64,
    /// What it does.
    pub what: What,
    /// When it ends, milliseconds since 1970.
    pub ends_at: i64,
    /// When it hurts, heals or can be shaken off next; [`i64::MAX`] for never.
    pub next_at: i64,
    /// How often that is, milliseconds.
    pub every_millis: u32,
    /// What shakes it off, and what that must reach.
    pub save: Option<(Attribute, i32)>,
    /// Whether it ends with its maker's concentration.
    pub is_concentration: bool,
}

/// A body in a fight.
#[derive(Clone, Debug)]
pub struct Fighter {
    /// Who.
    pub entity_id: u64,
    /// Whether somebody plays it.
    pub is_player: bool,
    /// On whose side it fights.
    pub side: u32,
    /// What it is.
    pub sheet: Rc<Sheet>,
    /// Where it is.
    pub place: Point,
    /// Its hit points.
    pub health: Health,
    /// When it can act again.
    pub turn: Turn,
    /// 0 to 6.
    pub exhaustion: u8,
    /// Whether it has kept its last hit point since its last long rest.
    pub has_endured: bool,
    /// When it last struck from an advantage, milliseconds since 1970.
    pub sneaked_at: i64,
    /// Whether it casts something that takes time.
    pub is_casting: bool,
    /// On what it concentrates; empty for nothing.
    pub concentrates_on: String,
    /// What lies on it.
    pub effects: Vec<Effect>,
}

impl Fighter {
    /// The conditions it is in.
    pub fn conditions(&self) -> Conditions {
        let mut conditions = Conditions::NONE;
        for effect in &self.effects {
            if let What::Condition(condition) = effect.what {
                conditions = conditions.with(condition);
            }
        }
        if self.health.is_awake() {
            conditions
        } else {
            conditions.with(Condition::Unconscious)
        }
    }

    /// Whether a condition cannot befall it.
    pub fn is_immune(&self, condition: Condition) -> bool {
        self.sheet.condition_immunities.contains(&condition)
    }

    /// What effects add to something, dice left out.
    pub fn sum(&self, wanted: Stat) -> i32 {
        let amount = |effect: &Effect| match effect.what {
            What::Modifier(stat, amount) if stat == wanted => i32::from(amount),
            _ => 0,
        };
        self.effects.iter().map(amount).sum()
    }

    /// What a roll of it is modified by: its own bonus, and what effects add, each by its name.
    pub fn modifiers(&self, wanted: Stat, own: i32) -> Vec<Modifier<'static>> {
        let flat = own + self.sum(wanted) + self.sheet.always(wanted);
        let mut modifiers = vec![Modifier::flat("", flat)];
        modifiers.extend(self.effects.iter().filter_map(|effect| match effect.what {
            What::ModifierDice(stat, dice, true) if stat == wanted => {
                Some(Modifier::minus("", dice))
            }
            What::ModifierDice(stat, dice, false) if stat == wanted => {
                Some(Modifier::plus("", dice))
            }
            _ => None,
        }));
        modifiers
    }

    /// What effects and passives make of a roll: of `AttacksWith`, `AttackedWith`, `SavesWith`.
    pub fn edges(&self, wanted: Stat) -> Edges {
        let of_effect = |effect: &Effect| match effect.what {
            What::Modifier(stat, amount) if stat == wanted => Edges::of_sign(amount),
            _ => Edges::NONE,
        };
        let of_passive = |passive: &Passive| match passive {
            Passive::Modifier { stat, amount } if *stat == wanted => Edges::of_sign(*amount),
            _ => Edges::NONE,
        };
        let lying = self.effects.iter().map(of_effect);
        lying.chain(self.sheet.passives.iter().map(of_passive)).fold(Edges::NONE, Edges::and)
    }

    /// What its nature makes of a save, against a condition if that is what threatens.
    pub fn save_edges(&self, by: Attribute, against: Option<Condition>) -> Edges {
        let helps = |passive: &Passive| match passive {
            Passive::SaveAdvantage { against: Some(condition), .. } => against == Some(*condition),
            Passive::SaveAdvantage { attribute: Some(attribute), .. } => *attribute == by,
            _ => false,
        };
        let helped = self.sheet.passives.iter().any(helps);
        self.conditions()
            .save_edges(by, self.exhaustion)
            .and(self.edges(Stat::SavesWith))
            .and_if(helped, Edges::ADVANTAGE)
    }

    /// What a roll must reach to hit it.
    pub fn armor_class(&self) -> i32 {
        self.sheet.armor_class + self.sum(Stat::ArmorClass)
    }

    /// What damage does not do to it now.
    pub fn defenses(&self) -> Defenses {
        let resisted = self.effects.iter().filter_map(|effect| match effect.what {
            What::Resistance(damage) => Some(damage),
            _ => None,
        });
        let resistances = resisted.fold(DamageTypes::NONE, DamageTypes::with);
        let lying = Defenses { resistances, ..Defenses::default() };
        self.sheet.defenses.and(lying).and(self.conditions().defenses())
    }

    /// Percent of its own speed that is left.
    pub fn speed_percent(&self) -> u16 {
        let range = SPEED_PERCENT_RANGE;
        let percent = (100 + self.sum(Stat::SpeedPercent)).clamp(*range.start(), *range.end());
        let left = u32::try_from(percent).unwrap_or(0);
        let left = self.conditions().speed(left, self.exhaustion);
        u16::try_from(left).unwrap_or(u16::MAX)
    }

    /// The most hit points it can have now.
    pub fn hit_points_max(&self) -> i32 {
        let max = self.sheet.hit_points_max.saturating_add(self.sum(Stat::HitPointsMax)).max(1);
        super::conditions::hit_points_max(max, self.exhaustion)
    }

    /// Lays something on it; false where it is immune or too much lies on it already. What it
    /// replaces by its stacking is gone from `effects`.
    pub fn lay(&mut self, effect: Effect, stacking: Stacking) -> bool {
        if let What::Condition(condition) = effect.what
            && self.is_immune(condition)
        {
            return false;
        }
        let same = |other: &Effect| {
            other.ability == effect.ability && is_same_kind(other.what, effect.what)
        };
        for other in self.effects.iter().filter(|other| same(other)) {
            match meet(stacking, other.ends_at, effect.ends_at) {
                Meeting::Keeps => return false,
                Meeting::Replaces | Meeting::Both => {}
            }
        }
        if stacking != Stacking::Both {
            self.effects.retain(|other| !same(other));
        }
        if self.effects.len() >= EFFECTS_MAX {
            return false;
        }
        self.effects.push(effect);
        self.bound();
        true
    }

    /// Forgets effects; how many there were.
    pub fn forget(&mut self, is_gone: impl Fn(&Effect) -> bool) -> usize {
        let before = self.effects.len();
        let had_temporary = self.has_temporary();
        self.effects.retain(|effect| !is_gone(effect));
        if had_temporary && !self.has_temporary() {
            self.health.temporary = 0;
        }
        self.bound();
        before - self.effects.len()
    }

    fn has_temporary(&self) -> bool {
        self.effects.iter().any(|effect| effect.what == What::Temporary)
    }

    /// Keeps hit points below what is most now.
    fn bound(&mut self) {
        self.health.set_max(self.hit_points_max());
    }
}

/// Whether two effects do the same kind of thing, however much of it.
fn is_same_kind(one: What, other: What) -> bool {
    match (one, other) {
        (What::Condition(one), What::Condition(other)) => one == other,
        (What::Modifier(one, _), What::Modifier(other, _))
        | (What::ModifierDice(one, ..), What::ModifierDice(other, ..)) => one == other,
        (What::Resistance(one), What::Resistance(other)) => one == other,
        (What::OverTime(_, one), What::OverTime(_, other)) => one == other,
        (What::Temporary, What::Temporary) => true,
        (
            What::Condition(_)
            | What::Modifier(..)
            | What::ModifierDice(..)
            | What::Resistance(_)
            | What::OverTime(..)
            | What::Temporary,
            _,
        ) => false,
    }
}
