//! Turns in real time: an action, a bonus action and a reaction, each back after a round.
//!
//! Keeps true: who is down, dead or incapacitated takes none of them; none is taken twice within a
//! round. Leaves out on purpose: cooldowns and casting times of single abilities.

use super::conditions::Conditions;
use super::health::Health;
use crate::content::{Action, ROUND_MILLIS};

/// Why nothing can be done now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NoTurn {
    /// It is dead.
    Dead,
    /// It has no hit points.
    Down,
    /// A condition holds it back.
    Incapacitated,
    /// It was done within the round.
    Used,
}

/// When each can be taken again, milliseconds since 1970.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Turn {
    /// The action.
    pub action_at: i64,
    /// The bonus action.
    pub bonus_action_at: i64,
    /// The reaction.
    pub reaction_at: i64,
}

impl Turn {
    /// When one can be taken again; what is free can always be.
    pub const fn ready_at(&self, action: Action) -> i64 {
        match action {
            Action::Action => self.action_at,
            Action::BonusAction => self.bonus_action_at,
            Action::Reaction => self.reaction_at,
            Action::Free => i64::MIN,
        }
    }

    /// Decides whether one can be taken (SRD 5.1, "Combat", Your Turn, Reactions).
    ///
    /// # Errors
    /// In the order of `NoTurn`.
    pub fn check(
        &self,
        action: Action,
        now: i64,
        health: &Health,
        conditions: Conditions,
    ) -> Result<(), NoTurn> {
        let can = match action {
            Action::Action | Action::BonusAction | Action::Free => conditions.can_act(),
            Action::Reaction => conditions.can_react(),
        };
        if health.is_dead() {
            Err(NoTurn::Dead)
        } else if !health.is_awake() {
            Err(NoTurn::Down)
        } else if !can {
            Err(NoTurn::Incapacitated)
        } else if now < self.ready_at(action) {
            Err(NoTurn::Used)
        } else {
            Ok(())
        }
    }

    /// Takes one: it is back a round later.
    pub fn take(&mut self, action: Action, now: i64) {
        let back_at = now.saturating_add(i64::from(ROUND_MILLIS));
        match action {
            Action::Action => self.action_at = back_at,
            Action::BonusAction => self.bonus_action_at = back_at,
            Action::Reaction => self.reaction_at = back_at,
            Action::Free => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::combat::health::{Blow, Fate};
    use crate::content::Condition;
    use proptest::prelude::*;

    #[test]
    fn each_is_back_after_a_round() {
        let (mut turn, well) = (Turn::default(), Health::new(9));
        let check = |turn: &Turn, action, now| turn.check(action, now, &well, Conditions::NONE);
        turn.take(Action::Action, 100);
        assert_eq!(check(&turn, Action::Action, 6_099), Err(NoTurn::Used));
        assert_eq!(check(&turn, Action::Action, 6_100), Ok(()));
        assert_eq!(check(&turn, Action::BonusAction, 100), Ok(()));
        turn.take(Action::Reaction, 100);
        assert_eq!(check(&turn, Action::Reaction, 100), Err(NoTurn::Used));
        turn.take(Action::Free, 100);
        assert_eq!(check(&turn, Action::Free, 100), Ok(()));
    }

    proptest! {
        #[test]
        fn nobody_acts_who_is_down_or_incapacitated(
            lost in 0_i32..40,
            bits in any::<u16>(),
            action in prop::sample::select(Action::ALL),
            now in 0_i64..20_000,
        ) {
            let mut health = Health::new(15);
            health.hurt(&Blow { amount: lost, is_critical: false, is_sparing: false }, Fate::Dies);
            let conditions = Conditions::from_bits(bits);
            let got = Turn::default().check(action, now, &health, conditions);
            let can = health.is_awake() && !conditions.has(Condition::Incapacitated);
            prop_assert_eq!(got.is_ok(), can);
            if lost >= 30 {
                prop_assert_eq!(got, Err(NoTurn::Dead));
            }
        }
    }
}
