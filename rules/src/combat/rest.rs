//! Rests: hit dice, and what comes back.
//!
//! Keeps true: no more hit dice are spent than there are; the dead and the dying do not rest.
//! An hour of the table game is a minute here, so that a short rest takes one minute and a long
//! one eight; these are the values that content begins with. Leaves out on purpose: watching over
//! a rest while it lasts.

use super::casting::Slots;
use super::dice::{Dice, Roller, roll};
use super::health::Health;
use crate::content::Casting;

/// How long a short rest takes, milliseconds: an hour of the table game.
pub const SHORT_REST_MILLIS: i64 = 60_000;
/// How long a long rest takes, milliseconds: eight hours of the table game.
pub const LONG_REST_MILLIS: i64 = 480_000;
/// How long after a long rest the next one may end, milliseconds: a day of the table game.
pub const LONG_REST_EVERY_MILLIS: i64 = 1_440_000;

/// Somebody's hit dice.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct HitDice {
    /// Sides: 6, 8, 10 or 12.
    pub sides: u8,
    /// As many as levels.
    pub max: u8,
    /// How many are left, at most `max`.
    pub left: u8,
}

/// A hit die that was spent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct HitDieSpent {
    /// What it showed.
    pub shown: u8,
    /// What constitution added.
    pub constitution: i32,
    /// Hit points that came back.
    pub healed: i32,
}

/// Which rest.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rest {
    /// Hit dice may be spent after it.
    Short,
    /// Everything comes back after it.
    Long,
}

/// When what happened, milliseconds since 1970.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RestTimes {
    /// Now.
    pub now: i64,
    /// When the rest began.
    pub began_at: i64,
    /// When it last fought, cast or was hurt.
    pub disturbed_at: i64,
    /// When its last long rest ended; far in the past for none.
    pub long_rest_at: i64,
}

/// Why a rest brings nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NoRest {
    /// It has no hit points.
    Down,
    /// It was disturbed since it began.
    Disturbed,
    /// It has not lasted long enough.
    TooShort,
    /// There was a long rest not long ago.
    TooSoon,
}

/// Decides whether a rest is over and counts (SRD 5.1, "Adventuring", Resting).
///
/// # Errors
/// In this order: `Down`, `Disturbed`, `TooShort`, `TooSoon`.
pub const fn check_rest(rest: Rest, health: &Health, times: &RestTimes) -> Result<(), NoRest> {
    let lasted = times.now.saturating_sub(times.began_at);
    let (needed, is_soon) = match rest {
        Rest::Short => (SHORT_REST_MILLIS, false),
        Rest::Long => {
            let since = times.now.saturating_sub(times.long_rest_at);
            (LONG_REST_MILLIS, since < LONG_REST_EVERY_MILLIS)
        }
    };
    if !health.is_awake() {
        Err(NoRest::Down)
    } else if times.disturbed_at > times.began_at {
        Err(NoRest::Disturbed)
    } else if lasted < needed {
        Err(NoRest::TooShort)
    } else if is_soon {
        Err(NoRest::TooSoon)
    } else {
        Ok(())
    }
}

/// Spends one hit die after a short rest: what it shows and constitution come back, at least 0.
/// None where no die is left or nobody is awake to rest.
pub fn spend_hit_die(
    health: &mut Health,
    hit_dice: &mut HitDice,
    constitution: i32,
    roller: &mut dyn Roller,
) -> Option<HitDieSpent> {
    let left = hit_dice.left.checked_sub(1).filter(|_| health.is_awake())?;
    hit_dice.left = left;
    let rolled = roll(Dice::new(1, hit_dice.sides), roller);
    let healed = health.heal((rolled.total + constitution).max(0));
    let shown = rolled.shown.first().copied().unwrap_or(0);
    Some(HitDieSpent { shown, constitution, healed })
}

/// What a rest renews.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rested {
    /// Hit points.
    pub health: Health,
    /// Hit dice.
    pub hit_dice: HitDice,
    /// Spell slots.
    pub slots: Slots,
    /// Level of exhaustion, 0 to 6.
    pub exhaustion: u8,
}

impl Rested {
    /// What a short rest gives without hit dice: the slots of a pact.
    pub fn rest_short(&mut self, casting: Casting) {
        match casting {
            Casting::Pact => self.slots.regain_all(),
            Casting::None | Casting::Full | Casting::Half => {}
        }
    }

    /// What a long rest gives: all hit points, half of all hit dice but at least one, all slots,
    /// one level of exhaustion less. Temporary hit points end. Who is not awake gains nothing.
    pub fn rest_long(&mut self) {
        if !self.health.is_awake() {
            return;
        }
        self.health.heal(self.health.max);
        self.health.temporary = 0;
        let back = (self.hit_dice.max / 2).max(1);
        self.hit_dice.left = self.hit_dice.left.saturating_add(back).min(self.hit_dice.max);
        self.slots.regain_all();
        self.exhaustion = self.exhaustion.saturating_sub(1);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::combat::dice::Fixed;
    use crate::combat::health::{Blow, Fate};

    fn hurt(amount: i32) -> Health {
        let mut health = Health::new(20);
        health.hurt(&Blow { amount, is_critical: false, is_sparing: false }, Fate::Dies);
        health
    }

    #[test]
    fn hit_dice_are_spent_one_by_one() {
        let (mut health, mut dice) = (hurt(15), HitDice { sides: 8, max: 3, left: 2 });
        let mut spend = |constitution, number| {
            spend_hit_die(&mut health, &mut dice, constitution, &mut Fixed::new(&[number]))
        };
        assert_eq!(spend(2, 6), Some(HitDieSpent { shown: 6, constitution: 2, healed: 8 }));
        assert_eq!(spend(-3, 1), Some(HitDieSpent { shown: 1, constitution: -3, healed: 0 }));
        assert_eq!(spend(2, 6), None);
        let mut whole = HitDice { sides: 8, max: 3, left: 3 };
        assert_eq!(spend_hit_die(&mut hurt(20), &mut whole, 0, &mut Fixed::new(&[8])), None);
        assert_eq!(whole.left, 3);
    }

    #[test]
    fn a_long_rest_renews() {
        for (max, left, expected) in [(1, 0, 1), (5, 0, 2), (4, 3, 4), (20, 1, 11)] {
            let mut slots = Slots::new(Casting::Full, 5);
            assert_eq!(slots.spend(3, 3), Ok(()));
            let hit_dice = HitDice { sides: 6, max, left };
            let mut health = hurt(19);
            health.shield(4);
            let mut rested = Rested { health, hit_dice, slots, exhaustion: 2 };
            rested.rest_short(Casting::Full);
            assert_eq!(rested.slots, slots);
            rested.rest_long();
            assert_eq!(rested.hit_dice.left, expected);
            assert_eq!(rested.health, Health::new(20));
            assert_eq!((rested.slots.left, rested.exhaustion), (slots.max, 1));
        }
        let mut pact = Slots::new(Casting::Pact, 5);
        assert_eq!(pact.spend(1, 3), Ok(()));
        let hit_dice = HitDice { sides: 8, max: 5, left: 5 };
        let mut rested = Rested { health: hurt(20), hit_dice, slots: pact, exhaustion: 0 };
        rested.rest_long();
        assert_eq!(rested.health, hurt(20));
        rested.rest_short(Casting::Pact);
        assert_eq!(rested.slots.left, pact.max);
    }

    #[test]
    fn a_rest_lasts_and_is_not_disturbed() {
        let times =
            RestTimes { now: 480_000, began_at: 0, disturbed_at: 0, long_rest_at: i64::MIN };
        for (rest, times, lost, expected) in [
            (Rest::Long, times, 1, Ok(())),
            (Rest::Long, times, 20, Err(NoRest::Down)),
            (Rest::Long, RestTimes { disturbed_at: 1, ..times }, 1, Err(NoRest::Disturbed)),
            (Rest::Long, RestTimes { now: 479_999, ..times }, 1, Err(NoRest::TooShort)),
            (Rest::Long, RestTimes { long_rest_at: -900_000, ..times }, 1, Err(NoRest::TooSoon)),
            (Rest::Short, RestTimes { now: 60_000, long_rest_at: 0, ..times }, 1, Ok(())),
            (Rest::Short, RestTimes { now: 59_999, ..times }, 1, Err(NoRest::TooShort)),
        ] {
            assert_eq!(check_rest(rest, &hurt(lost), &times), expected, "{rest:?} {times:?}");
        }
    }
}
