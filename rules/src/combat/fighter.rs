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
use super::sheet::{Sheet, modifies};
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

impl Effect {
    /// What it adds to something, dice left out; none where it changes something else.
    fn modifies(&self, wanted: Stat) -> Option<i16> {
        if let What::Modifier(stat, amount) = self.what {
            (stat == wanted).then_some(amount)
        } else {
            None
        }
    }
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
        if self.health.is_awake() { conditions } else { conditions.with(Condition::Unconscious) }
    }

    /// Whether a condition cannot befall it.
    pub fn is_immune(&self, condition: Condition) -> bool {
        self.sheet.condition_immunities.contains(&condition)
    }

    /// What effects add to something, dice left out.
    pub fn sum(&self, wanted: Stat) -> i32 {
        let amount = |effect: &Effect| effect.modifies(wanted).map_or(0, i32::from);
        self.effects.iter().map(amount).sum()
    }

    /// Dice that effects add to something, and whether they are taken away in place of added.
    pub fn dice(&self, wanted: Stat) -> impl Iterator<Item = (Dice, bool)> {
        self.effects.iter().filter_map(move |effect| {
            if let What::ModifierDice(stat, dice, is_negative) = effect.what {
                (stat == wanted).then_some((dice, is_negative))
            } else {
                None
            }
        })
    }

    /// What a roll of it is modified by: its own bonus, and what effects add, each by its name.
    pub fn modifiers(&self, wanted: Stat, own: i32) -> Vec<Modifier<'static>> {
        let flat = own + self.sum(wanted) + self.sheet.always(wanted);
        let mut modifiers = vec![Modifier::flat("", flat)];
        modifiers.extend(self.dice(wanted).map(|(dice, is_negative)| {
            if is_negative { Modifier::minus("", dice) } else { Modifier::plus("", dice) }
        }));
        modifiers
    }

    /// What effects and passives make of a roll: of `AttacksWith`, `AttackedWith`, `SavesWith`.
    pub fn edges(&self, wanted: Stat) -> Edges {
        let lying = self.effects.iter().filter_map(|effect| effect.modifies(wanted));
        let always = self.sheet.passives.iter().filter_map(|passive| modifies(passive, wanted));
        lying.chain(always).map(Edges::of_sign).fold(Edges::NONE, Edges::and)
    }

    /// What its nature makes of a save, against a condition if that is what threatens.
    pub fn save_edges(&self, by: Attribute, against: Option<Condition>) -> Edges {
        let helps = |passive: &Passive| {
            let Passive::SaveAdvantage { against: only, attribute } = *passive else {
                return false;
            };
            if only.is_some() { only == against } else { attribute == Some(by) }
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
        let resisted = |set: DamageTypes, effect: &Effect| {
            if let What::Resistance(damage) = effect.what { set.with(damage) } else { set }
        };
        let resistances = self.effects.iter().fold(DamageTypes::NONE, resisted);
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::combat::check::Edge;
    use crate::combat::health::{Blow, Vital};
    use crate::combat::stage::{body, foe, hero, sheet};

    fn effect(key: &str, what: What, ends_at: i64) -> Effect {
        Effect {
            effect_id: 0,
            ability: key.to_owned(),
            by: 7,
            what,
            ends_at,
            next_at: i64::MAX,
            every_millis: 0,
            save: None,
            is_concentration: false,
        }
    }

    /// One body on which all of this lies.
    fn under(mut fighter: Fighter, all: &[What]) -> Fighter {
        for what in all {
            assert!(fighter.lay(effect("spell", *what, 100), Stacking::Both));
        }
        fighter
    }

    #[test]
    fn effects_of_one_ability_meet_as_it_says() {
        use Stacking::{Both, Longest, Refresh};
        let armor = |amount| What::Modifier(Stat::ArmorClass, amount);
        for (stacking, old, new, is_laid, armor_class, ends) in [
            (Longest, (armor(2), 100), (armor(5), 200), true, 5, &[200][..]),
            (Longest, (armor(2), 100), (armor(5), 50), false, 2, &[100]),
            (Longest, (armor(2), 100), (armor(5), 100), false, 2, &[100]),
            (Refresh, (armor(2), 100), (armor(5), 50), true, 5, &[50]),
            (Both, (armor(2), 100), (armor(5), 50), true, 7, &[100, 50]),
            // What does something else is not met at all.
            (Longest, (armor(2), 100), (What::Temporary, 50), true, 2, &[100, 50]),
        ] {
            let mut fighter = hero(1, "fighter", 1);
            let own = fighter.armor_class();
            fighter.lay(effect("spell", old.0, old.1), stacking);
            assert_eq!(fighter.lay(effect("spell", new.0, new.1), stacking), is_laid);
            let got: Vec<i64> = fighter.effects.iter().map(|effect| effect.ends_at).collect();
            assert_eq!((fighter.armor_class() - own, &got[..]), (armor_class, ends));
        }
        let mut fighter = hero(1, "fighter", 1);
        for key in ["one", "other"] {
            assert!(fighter.lay(effect(key, armor(1), 100), Longest));
        }
        assert_eq!(fighter.sum(Stat::ArmorClass), 2);
    }

    #[test]
    fn kinds_of_effects_are_told_apart() {
        let dice = Dice::new(1, 4);
        let all = [
            What::Condition(Condition::Prone),
            What::Condition(Condition::Stunned),
            What::Modifier(Stat::ArmorClass, 1),
            What::Modifier(Stat::AttackRoll, 1),
            What::ModifierDice(Stat::AttackRoll, dice, false),
            What::Resistance(DamageType::Fire),
            What::Resistance(DamageType::Cold),
            What::OverTime(dice, Some(DamageType::Fire)),
            What::OverTime(dice, None),
            What::Temporary,
        ];
        for (number, one) in all.iter().enumerate() {
            for (other_number, other) in all.iter().enumerate() {
                assert_eq!(is_same_kind(*one, *other), number == other_number);
            }
        }
        let more = What::ModifierDice(Stat::AttackRoll, Dice::new(2, 6), true);
        assert!(
            is_same_kind(all[4], more)
                && is_same_kind(all[2], What::Modifier(Stat::ArmorClass, -5))
        );
    }

    #[test]
    fn nothing_befalls_who_is_immune() {
        let mut skeleton = foe(1, "skeleton");
        let poisoned = effect("spray", What::Condition(Condition::Poisoned), 100);
        assert!(!skeleton.lay(poisoned, Stacking::Both) && skeleton.effects.is_empty());
        assert!(skeleton.lay(effect("web", What::Condition(Condition::Prone), 9), Stacking::Both));
        assert!(skeleton.conditions().has(Condition::Prone));
    }

    #[test]
    fn no_more_lies_on_a_body_than_may() {
        let mut fighter = hero(1, "fighter", 1);
        for number in 0..EFFECTS_MAX + 5 {
            let key = format!("spell {number}");
            let is_laid = fighter.lay(effect(&key, What::Temporary, 100), Stacking::Longest);
            assert_eq!(is_laid, number < EFFECTS_MAX);
        }
        assert_eq!(fighter.effects.len(), EFFECTS_MAX);
        // What takes the place of another still finds room.
        assert!(fighter.lay(effect("spell 3", What::Temporary, 200), Stacking::Longest));
        assert_eq!(fighter.effects.len(), EFFECTS_MAX);
    }

    #[test]
    fn temporary_hit_points_go_with_the_last_that_gives_them() {
        let mut fighter = hero(1, "fighter", 1);
        for key in ["one", "other"] {
            assert!(fighter.lay(effect(key, What::Temporary, 100), Stacking::Longest));
        }
        fighter.health.shield(5);
        assert_eq!(fighter.forget(|effect| effect.ability == "one"), 1);
        assert_eq!(fighter.health.temporary, 5);
        assert_eq!(fighter.forget(|effect| effect.ability == "one"), 0);
        assert_eq!(fighter.forget(|effect| effect.ability == "other"), 1);
        assert_eq!(fighter.health.temporary, 0);
    }

    #[test]
    fn hit_points_rise_and_fall_with_their_maximum() {
        let more = What::Modifier(Stat::HitPointsMax, 5);
        let mut fighter = hero(1, "fighter", 1);
        assert!(fighter.lay(effect("aid", more, 100), Stacking::Longest));
        assert_eq!((fighter.health.max, fighter.health.current), (17, 12));
        fighter.health.heal(99);
        fighter.forget(|_| true);
        assert_eq!((fighter.health.max, fighter.health.current), (12, 12));
        // It never falls below 1, and who has hit points keeps one.
        let less = What::Modifier(Stat::HitPointsMax, -99);
        assert!(fighter.lay(effect("wither", less, 100), Stacking::Longest));
        assert_eq!((fighter.health.max, fighter.health.current), (1, 1));
        assert_eq!(fighter.health.vital, Vital::Awake);
        let tired = Fighter { exhaustion: 4, ..hero(1, "fighter", 1) };
        assert_eq!(tired.hit_points_max(), 6);
    }

    #[test]
    fn rolls_are_modified_by_the_sheet_and_what_lies() {
        let archer = body(1, sheet("human", "ranger", 2), true);
        let lying = [
            What::Modifier(Stat::AttackRoll, 1),
            What::ModifierDice(Stat::AttackRoll, Dice::new(1, 4), false),
            What::ModifierDice(Stat::AttackRoll, Dice::new(1, 6), true),
            What::ModifierDice(Stat::SavingThrow, Dice::new(1, 8), false),
        ];
        let archer = under(archer, &lying);
        let expected = [
            // Of archery 2, of the first effect 1.
            Modifier::flat("", 4 + 2 + 1),
            Modifier::plus("", Dice::new(1, 4)),
            Modifier::minus("", Dice::new(1, 6)),
        ];
        assert_eq!(archer.modifiers(Stat::AttackRoll, 4), expected);
        let dice: Vec<(Dice, bool)> = archer.dice(Stat::SavingThrow).collect();
        assert_eq!(dice, [(Dice::new(1, 8), false)]);
    }

    #[test]
    fn edges_come_of_effects_nature_and_exhaustion() {
        let plain = hero(1, "fighter", 1);
        let dodging = under(plain.clone(), &[What::Modifier(Stat::AttackedWith, -1)]);
        assert_eq!(dodging.edges(Stat::AttackedWith).edge(), Edge::Disadvantage);
        let both = under(dodging, &[What::Modifier(Stat::AttackedWith, 1)]);
        assert_eq!(both.edges(Stat::AttackedWith).edge(), Edge::Straight);
        let elf = body(1, sheet("elf", "fighter", 1), true);
        let barbarian = hero(1, "barbarian", 2);
        let tired = Fighter { exhaustion: 3, ..plain.clone() };
        let helped = under(plain.clone(), &[What::Modifier(Stat::SavesWith, 1)]);
        let (wisdom, dexterity) = (Attribute::Wisdom, Attribute::Dexterity);
        for (fighter, by, against, expected) in [
            (&plain, wisdom, None, Edge::Straight),
            (&elf, wisdom, Some(Condition::Charmed), Edge::Advantage),
            (&elf, wisdom, Some(Condition::Frightened), Edge::Straight),
            (&elf, wisdom, None, Edge::Straight),
            (&barbarian, dexterity, None, Edge::Advantage),
            (&barbarian, wisdom, None, Edge::Straight),
            (&tired, wisdom, None, Edge::Disadvantage),
            (&helped, wisdom, None, Edge::Advantage),
        ] {
            assert_eq!(fighter.save_edges(by, against).edge(), expected, "{by:?} {against:?}");
        }
    }

    #[test]
    fn what_lies_defends_and_slows() {
        let fire = DamageTypes::of(&[DamageType::Fire]);
        let plain = hero(1, "fighter", 1);
        let warded = under(plain.clone(), &[What::Resistance(DamageType::Fire)]);
        assert_eq!(warded.defenses().resistances, fire);
        let stone = under(plain.clone(), &[What::Condition(Condition::Petrified)]);
        assert_eq!(stone.defenses().resistances, DamageTypes::ALL);
        for (amounts, expected) in
            [(&[][..], 100), (&[100], 200), (&[-50], 50), (&[-100, -100], 0), (&[300, 300], 400)]
        {
            let all: Vec<What> =
                amounts.iter().map(|amount| What::Modifier(Stat::SpeedPercent, *amount)).collect();
            assert_eq!(under(plain.clone(), &all).speed_percent(), expected, "{amounts:?}");
        }
        let prone = under(plain.clone(), &[What::Condition(Condition::Prone)]);
        let held = under(plain, &[What::Condition(Condition::Grappled)]);
        assert_eq!((prone.speed_percent(), held.speed_percent()), (50, 0));
    }

    #[test]
    fn who_is_down_is_unconscious() {
        let mut fighter = hero(1, "fighter", 1);
        assert_eq!(fighter.conditions(), Conditions::NONE);
        let blow = Blow { amount: 12, is_critical: false, is_sparing: false };
        fighter.health.hurt(&blow, fighter.sheet.fate);
        assert!(fighter.conditions().has(Condition::Unconscious));
        assert!(fighter.conditions().has(Condition::Prone));
    }
}
