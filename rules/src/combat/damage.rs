//! Damage: how much is rolled, and how much of it arrives.
//!
//! Keeps true: damage is never below 0; each step from the dice to what is taken is kept. The
//! order is the SRD's: what a save spares, then other reductions, then resistance, then
//! vulnerability. Leaves out on purpose: hit points (`health`).

use std::fmt;

use super::dice::{COUNT_MAX, Dice, Rolled, Roller, roll};
use crate::content::{DamageType, OnSave};

/// The dice of a hit. A critical hit throws all dice twice, and `more` dice of the same sides
/// once (a barbarian's); the bonus counts once (SRD 5.1, "Combat", Critical Hits).
#[must_use]
pub fn dice_of_hit(dice: Dice, is_critical: bool, more: u8) -> Dice {
    if !is_critical || dice.count == 0 {
        return dice;
    }
    let count = dice.count.saturating_mul(2).saturating_add(more);
    Dice { count: count.min(COUNT_MAX.saturating_mul(2)), ..dice }
}

/// Throws the dice of a hit.
pub fn roll_hit(dice: Dice, is_critical: bool, more: u8, roller: &mut dyn Roller) -> Rolled {
    roll(dice_of_hit(dice, is_critical, more), roller)
}

/// A set of damage types.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct DamageTypes(u16);

impl DamageTypes {
    /// None of them.
    pub const NONE: Self = Self(0);
    /// All of them.
    pub const ALL: Self = Self((1 << DamageType::ALL.len()) - 1);

    /// Those of a list.
    pub fn of(types: &[DamageType]) -> Self {
        types.iter().fold(Self::NONE, |set, damage| set.with(*damage))
    }

    /// These and one more.
    #[must_use]
    pub const fn with(self, damage: DamageType) -> Self {
        Self(self.0 | 1 << damage as u16)
    }

    /// All of both.
    #[must_use]
    pub const fn and(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    /// Whether one is among them.
    pub const fn has(self, damage: DamageType) -> bool {
        self.0 & 1 << damage as u16 != 0
    }

    /// The number that stands in a row: bit `n` for type `n`.
    pub const fn bits(self) -> u16 {
        self.0
    }

    /// The set of such a number; other bits are dropped.
    pub const fn from_bits(bits: u16) -> Self {
        Self(bits & Self::ALL.0)
    }
}

/// What a body is hardened or delicate against.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Defenses {
    /// Half of it arrives, rounded down.
    pub resistances: DamageTypes,
    /// Twice as much arrives.
    pub vulnerabilities: DamageTypes,
    /// Nothing of it arrives.
    pub immunities: DamageTypes,
}

impl Defenses {
    /// Those of two sources. Each counts once, however many give it (SRD 5.1, "Combat", Damage
    /// Resistance and Vulnerability).
    #[must_use]
    pub const fn and(self, other: Self) -> Self {
        Self {
            resistances: self.resistances.and(other.resistances),
            vulnerabilities: self.vulnerabilities.and(other.vulnerabilities),
            immunities: self.immunities.and(other.immunities),
        }
    }
}

/// How much of the damage a save leaves.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Share {
    /// All of it.
    #[default]
    All,
    /// Half of it, rounded down.
    Half,
    /// Nothing.
    Nothing,
}

/// What is left of the damage after a save. Who evades takes nothing in place of half, and half
/// in place of all, of what a dexterity save halves (SRD 5.1, "Classes", Rogue, Evasion).
pub const fn share(is_saved: bool, on_success: OnSave, evades: bool) -> Share {
    match (on_success, is_saved, evades) {
        (OnSave::Nothing, true, _) | (OnSave::Half, true, true) => Share::Nothing,
        (OnSave::Half, true, false) | (OnSave::Half, false, true) => Share::Half,
        (OnSave::Nothing | OnSave::NoCondition, false, _)
        | (OnSave::NoCondition, true, _)
        | (OnSave::Half, false, false) => Share::All,
    }
}

/// Damage on its way.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Incoming {
    /// As rolled; below 0 counts as 0.
    pub rolled: i32,
    /// What it is made of.
    pub damage: DamageType,
    /// What a save left of it.
    pub share: Share,
    /// What else is taken off; below 0 counts as 0.
    pub reduction: i32,
}

/// What became of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Taken {
    /// As rolled, at least 0.
    pub rolled: i32,
    /// What it was made of.
    pub damage: DamageType,
    /// What the save and reductions left.
    pub reduced: i32,
    /// Whether immunity took it away.
    pub is_immune: bool,
    /// Whether resistance halved it.
    pub is_resisted: bool,
    /// Whether vulnerability doubled it.
    pub is_doubled: bool,
    /// What arrives.
    pub amount: i32,
}

/// Works out what arrives (SRD 5.1, "Combat", Damage Resistance and Vulnerability).
pub fn mitigate(incoming: &Incoming, defenses: &Defenses) -> Taken {
    let Incoming { damage, share, .. } = *incoming;
    let rolled = incoming.rolled.max(0);
    let saved = match share {
        Share::All => rolled,
        Share::Half => rolled / 2,
        Share::Nothing => 0,
    };
    let reduced = saved.saturating_sub(incoming.reduction.max(0)).max(0);
    let is_immune = defenses.immunities.has(damage);
    let is_resisted = !is_immune && defenses.resistances.has(damage);
    let is_doubled = !is_immune && defenses.vulnerabilities.has(damage);
    let halved = if is_resisted { reduced / 2 } else { reduced };
    let doubled = if is_doubled { halved.saturating_mul(2) } else { halved };
    let amount = if is_immune { 0 } else { doubled };
    Taken { rolled, damage, reduced, is_immune, is_resisted, is_doubled, amount }
}

/// `11 slashing, 5 resisted`: what was rolled, and what arrives where it is not the same.
impl fmt::Display for Taken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { rolled, damage, reduced, amount, .. } = *self;
        write!(f, "{rolled} {}", damage.word())?;
        if reduced != rolled {
            write!(f, ", {reduced} left")?;
        }
        match (self.is_immune, self.is_resisted, self.is_doubled) {
            (true, ..) => write!(f, ", immune"),
            (_, true, true) => write!(f, ", {amount} resisted and doubled"),
            (_, true, false) => write!(f, ", {amount} resisted"),
            (_, false, true) => write!(f, ", {amount} doubled"),
            (_, false, false) => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const FIRE: DamageTypes = DamageTypes::NONE.with(DamageType::Fire);

    fn check(incoming: (i32, Share, i32), defenses: Defenses, expected: &str) {
        let (rolled, share, reduction) = incoming;
        let incoming = Incoming { rolled, damage: DamageType::Fire, share, reduction };
        assert_eq!(mitigate(&incoming, &defenses).to_string(), expected);
    }

    #[test]
    fn each_step_comes_in_its_order() {
        let none = Defenses::default();
        let resists = Defenses { resistances: FIRE, ..none };
        let both = Defenses { vulnerabilities: FIRE, ..resists };
        check((25, Share::All, 5), resists, "25 fire, 20 left, 10 resisted");
        check((25, Share::Half, 0), none, "25 fire, 12 left");
        check((25, Share::Half, 0), resists.and(resists), "25 fire, 12 left, 6 resisted");
        check((25, Share::All, 0), both, "25 fire, 24 resisted and doubled");
        check((25, Share::All, 0), Defenses { immunities: FIRE, ..both }, "25 fire, immune");
        check((7, Share::Nothing, 0), none, "7 fire, 0 left");
        check((-3, Share::All, 0), none, "0 fire");
        check((3, Share::All, 9), none, "3 fire, 0 left");
    }

    #[test]
    fn a_save_leaves_what_it_says() {
        for (saved, on_success, evades, expected) in [
            (true, OnSave::Half, false, Share::Half),
            (false, OnSave::Half, false, Share::All),
            (true, OnSave::Half, true, Share::Nothing),
            (false, OnSave::Half, true, Share::Half),
            (true, OnSave::Nothing, false, Share::Nothing),
            (false, OnSave::Nothing, true, Share::All),
            (true, OnSave::NoCondition, false, Share::All),
        ] {
            assert_eq!(share(saved, on_success, evades), expected);
        }
    }

    #[test]
    fn sets_hold_what_was_put_in() {
        let set = DamageTypes::of(&[DamageType::Acid, DamageType::Thunder]);
        let held: Vec<_> = DamageType::ALL.iter().filter(|damage| set.has(**damage)).collect();
        assert_eq!(held, [&DamageType::Acid, &DamageType::Thunder]);
        assert_eq!(DamageTypes::from_bits(u16::MAX), DamageTypes::ALL);
        assert_eq!(DamageTypes::from_bits(set.bits()), set);
    }

    proptest! {
        #[test]
        fn damage_is_never_below_0_and_at_most_doubled(
            rolled in any::<i32>(),
            reduction in any::<i32>(),
            share in prop::sample::select(vec![Share::All, Share::Half, Share::Nothing]),
            sets in prop::array::uniform3(any::<u16>()),
            damage in prop::sample::select(DamageType::ALL),
        ) {
            let [resistances, vulnerabilities, immunities] = sets.map(DamageTypes::from_bits);
            let defenses = Defenses { resistances, vulnerabilities, immunities };
            let taken = mitigate(&Incoming { rolled, damage, share, reduction }, &defenses);
            prop_assert!(taken.amount >= 0);
            prop_assert!(i64::from(taken.amount) <= 2 * i64::from(rolled.max(0)));
            prop_assert!(!taken.is_immune || taken.amount == 0);
        }

        #[test]
        fn a_critical_doubles_dice_alone(count in 1_u8..=100, bonus in -9_i16..9, more in 0_u8..3) {
            let dice = Dice { count, sides: 6, bonus };
            let critical = dice_of_hit(dice, true, more);
            prop_assert_eq!(critical.bonus, bonus);
            prop_assert!(critical.count >= 2 * count);
            prop_assert_eq!(dice_of_hit(dice, false, more), dice);
        }
    }
}
