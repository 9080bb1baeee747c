//! Concentration: one spell at a time, and what ends it.
//!
//! Keeps true: nobody concentrates on two spells. Leaves out on purpose: ending what the spell
//! did.

use super::check::{Checked, Cover, Save, Throw, save};
use super::conditions::Conditions;
use super::dice::Roller;
use super::health::Health;
use crate::content::Attribute;

/// The least that a save against damage must reach.
pub const DIFFICULTY_MIN: i32 = 10;

/// What the save must reach after so much damage of one source (SRD 5.1, "Spellcasting",
/// Concentration).
pub fn difficulty(damage: i32) -> i32 {
    DIFFICULTY_MIN.max(damage / 2)
}

/// What somebody concentrates on, by the number its row has.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Concentration {
    /// The spell's effect; none if on nothing.
    pub on: Option<u64>,
}

impl Concentration {
    /// Turns to a spell; what it was on before ends.
    pub fn begin(&mut self, effect_id: u64) -> Option<u64> {
        self.on.replace(effect_id).filter(|before| *before != effect_id)
    }

    /// Lets go; what it was on ends.
    pub fn end(&mut self) -> Option<u64> {
        self.on.take()
    }

    /// Ends where who concentrates cannot act or is not awake; what it was on.
    pub fn end_if_broken(&mut self, conditions: Conditions, health: &Health) -> Option<u64> {
        let holds = conditions.can_act() && health.is_awake();
        if holds { None } else { self.end() }
    }

    /// Rolls to hold on after damage; none where there is nothing to hold or nothing arrived. One
    /// roll for each source of damage.
    pub fn hurt<'a>(
        &mut self,
        damage: i32,
        throw: Throw<'a>,
        roller: &mut dyn Roller,
    ) -> Option<Checked<'a>> {
        if self.on.is_none() || damage <= 0 {
            return None;
        }
        let held = save(
            &Save {
                attribute: Attribute::Constitution,
                throw,
                difficulty: difficulty(damage),
                cover: Cover::None,
                fails: false,
            },
            roller,
        );
        if !held.is_success {
            self.end();
        }
        Some(held)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::combat::dice::Fixed;
    use crate::content::Condition;

    #[test]
    fn the_difficulty_is_half_the_damage_and_at_least_10() {
        for (damage, expected) in [(1, 10), (21, 10), (22, 11), (45, 22)] {
            assert_eq!(difficulty(damage), expected);
        }
    }

    #[test]
    fn there_is_one_spell_at_a_time() {
        let mut mind = Concentration::default();
        assert_eq!(mind.begin(1), None);
        assert_eq!(mind.begin(2), Some(1));
        assert_eq!(mind.begin(2), None);
        assert_eq!(mind.end(), Some(2));
        assert_eq!(mind.end(), None);
    }

    #[test]
    fn who_cannot_act_or_is_down_lets_go() {
        let well = Health::new(5);
        let mut down = well;
        down.kill();
        let stunned = Conditions::of(&[Condition::Stunned]);
        for (conditions, health, ended) in [
            (Conditions::NONE, &well, None),
            (stunned, &well, Some(3)),
            (Conditions::NONE, &down, Some(3)),
        ] {
            let mut mind = Concentration { on: Some(3) };
            assert_eq!(mind.end_if_broken(conditions, health), ended);
        }
    }

    #[test]
    fn damage_asks_for_a_save() {
        for (damage, number, on, expected) in [
            (30, 15, Some(3), "15 against 15: success"),
            (30, 14, None, "14 against 15: failure"),
            (4, 10, Some(3), "10 against 10: success"),
        ] {
            let mut mind = Concentration { on: Some(3) };
            let roll = mind.hurt(damage, Throw::default(), &mut Fixed::new(&[number]));
            assert_eq!(roll.map(|roll| roll.to_string()).as_deref(), Some(expected));
            assert_eq!(mind.on, on);
        }
        let mut nothing = Concentration::default();
        assert_eq!(nothing.hurt(30, Throw::default(), &mut Fixed::new(&[])), None);
    }
}
