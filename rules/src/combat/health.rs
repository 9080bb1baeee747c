//! Hit points, dying and coming back.
//!
//! Keeps true: hit points lie within 0 and their maximum; temporary ones are never below 0; who has
//! hit points is awake, who has none is dying, stable or dead; the dead stay so until revived.
//! Leaves out on purpose: conditions that lie on the dying (`conditions` has unconscious).

use std::fmt;

use super::check::{Checked, Throw, check};
use super::dice::Roller;
use crate::content::ROUND_MILLIS;

/// What a death save must reach.
pub const DEATH_SAVE_DIFFICULTY: i32 = 10;
/// How many of either kind decide.
pub const DEATH_SAVES: u8 = 3;
/// How often the dying roll, milliseconds: once a round.
pub const DEATH_SAVE_EVERY_MILLIS: u32 = ROUND_MILLIS;
/// What a check of medicine must reach to stabilize (SRD 5.1, "Combat", Stabilizing a Creature).
pub const STABILIZE_DIFFICULTY: i32 = 10;

/// How alive a body is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Vital {
    /// It has hit points.
    Awake,
    /// It has none, and rolls for its life.
    Dying {
        /// Death saves made, fewer than decide.
        successes: u8,
        /// Death saves missed, fewer than decide.
        failures: u8,
    },
    /// It has none, and rolls no more.
    Stable,
    /// It is dead.
    Dead,
}

/// What becomes of a body without hit points.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fate {
    /// It rolls for its life: characters.
    Dies,
    /// As those, but the first time it keeps 1 hit point (SRD 5.1, "Races", Half-Orc).
    Endures,
    /// It is dead at once: creatures.
    Falls,
}

/// A body's hit points.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Health {
    /// Most it can have, at least 1.
    pub max: i32,
    /// What it has, 0 to `max`.
    pub current: i32,
    /// What is lost first, at least 0.
    pub temporary: i32,
    /// How alive it is.
    pub vital: Vital,
}

/// Damage that arrives.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Blow {
    /// How much; below 0 counts as 0.
    pub amount: i32,
    /// Whether it came of a critical hit.
    pub is_critical: bool,
    /// Whether it knocks out and does not kill; for melee attacks alone.
    pub is_sparing: bool,
}

/// What a blow ended in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fell {
    /// It is as awake, dying or dead as before.
    No,
    /// It would have fallen and kept 1 hit point.
    Endured,
    /// It is dying.
    Dying,
    /// It is knocked out, and stable.
    KnockedOut,
    /// It was down, and so many death saves are missed for it.
    Failures(u8),
    /// It is dead.
    Dead,
}

/// What a blow did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Hurt {
    /// Taken by temporary hit points.
    pub absorbed: i32,
    /// Hit points lost.
    pub lost: i32,
    /// What was left at 0.
    pub beyond: i32,
    /// What it ended in.
    pub fell: Fell,
}

/// How a death save ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DeathSave {
    /// One more made.
    Success,
    /// So many more missed, 1 or 2.
    Failure(u8),
    /// The third made: stable.
    Stable,
    /// The third missed: dead.
    Dead,
    /// A natural 20: 1 hit point.
    Awake,
}

impl Health {
    /// A body that is well.
    pub fn new(max: i32) -> Self {
        let max = max.max(1);
        Self { max, current: max, temporary: 0, vital: Vital::Awake }
    }

    /// Whether it is awake.
    pub const fn is_awake(&self) -> bool {
        matches!(self.vital, Vital::Awake)
    }

    /// Whether it is dead.
    pub const fn is_dead(&self) -> bool {
        matches!(self.vital, Vital::Dead)
    }

    /// Takes a blow where [`DEATH_SAVES`] decide.
    pub fn hurt(&mut self, blow: &Blow, fate: Fate) -> Hurt {
        self.hurt_until(blow, fate, DEATH_SAVES)
    }

    /// Takes a blow; so many missed death saves kill (SRD 5.1, "Combat", Dropping to 0 Hit Points).
    ///
    /// Temporary hit points go first. What kills outright: as much left at 0, or at once while at
    /// 0, as the maximum is. Damage that temporary hit points take in full is no missed death save.
    pub fn hurt_until(&mut self, blow: &Blow, fate: Fate, saves_needed: u8) -> Hurt {
        let amount = blow.amount.max(0);
        if self.is_dead() || amount == 0 {
            return Hurt { absorbed: 0, lost: 0, beyond: 0, fell: Fell::No };
        }
        let absorbed = amount.min(self.temporary);
        self.temporary -= absorbed;
        let lost = (amount - absorbed).min(self.current);
        self.current -= lost;
        let beyond = amount - absorbed - lost;
        let fell = match self.vital {
            Vital::Awake if self.current == 0 => self.fall(beyond, blow.is_sparing, fate),
            Vital::Dying { .. } | Vital::Stable if beyond >= self.max => self.die(),
            Vital::Dying { .. } | Vital::Stable if beyond > 0 => {
                self.miss(if blow.is_critical { 2 } else { 1 }, saves_needed)
            }
            Vital::Awake | Vital::Dying { .. } | Vital::Stable | Vital::Dead => Fell::No,
        };
        Hurt { absorbed, lost, beyond, fell }
    }

    /// Comes down to 0 hit points.
    fn fall(&mut self, beyond: i32, is_sparing: bool, fate: Fate) -> Fell {
        if is_sparing {
            self.vital = Vital::Stable;
            return Fell::KnockedOut;
        }
        match fate {
            Fate::Falls => self.die(),
            Fate::Dies | Fate::Endures if beyond >= self.max => self.die(),
            Fate::Dies => {
                self.vital = Vital::Dying { successes: 0, failures: 0 };
                Fell::Dying
            }
            Fate::Endures => {
                self.current = 1;
                Fell::Endured
            }
        }
    }

    fn die(&mut self) -> Fell {
        (self.current, self.temporary, self.vital) = (0, 0, Vital::Dead);
        Fell::Dead
    }

    /// Counts death saves as missed; who was stable begins anew.
    fn miss(&mut self, count: u8, needed: u8) -> Fell {
        let (successes, missed) = match self.vital {
            Vital::Dying { successes, failures } => (successes, failures.saturating_add(count)),
            Vital::Awake | Vital::Stable | Vital::Dead => (0, count),
        };
        if missed >= needed {
            return self.die();
        }
        self.vital = Vital::Dying { successes, failures: missed };
        Fell::Failures(count)
    }

    /// Rolls for its life, if it is dying, by the numbers of the table game.
    pub fn death_save<'a>(
        &mut self,
        throw: &Throw<'a>,
        roller: &mut dyn Roller,
    ) -> Option<(Checked<'a>, DeathSave)> {
        self.death_save_until(throw, DEATH_SAVE_DIFFICULTY, DEATH_SAVES, roller)
    }

    /// Rolls for its life, if it is dying; so many of either kind decide (SRD 5.1, "Combat", Death
    /// Saving Throws).
    pub fn death_save_until<'a>(
        &mut self,
        throw: &Throw<'a>,
        difficulty: i32,
        needed: u8,
        roller: &mut dyn Roller,
    ) -> Option<(Checked<'a>, DeathSave)> {
        let Vital::Dying { successes, .. } = self.vital else { return None };
        let checked = check(throw, difficulty, roller);
        let natural = checked.roll.as_ref().map_or(0, |roll| roll.d20.natural);
        let ended = match (natural, checked.is_success) {
            (20, _) => {
                (self.current, self.vital) = (1, Vital::Awake);
                DeathSave::Awake
            }
            (2.., true) if successes.saturating_add(1) >= needed => {
                self.vital = Vital::Stable;
                DeathSave::Stable
            }
            (2.., true) => {
                self.add_success();
                DeathSave::Success
            }
            (..=1, _) | (_, false) => {
                let count = if natural <= 1 { 2 } else { 1 };
                match self.miss(count, needed) {
                    Fell::Dead => DeathSave::Dead,
                    Fell::No
                    | Fell::Endured
                    | Fell::Dying
                    | Fell::KnockedOut
                    | Fell::Failures(_) => DeathSave::Failure(count),
                }
            }
        };
        Some((checked, ended))
    }

    fn add_success(&mut self) {
        if let Vital::Dying { successes, .. } = &mut self.vital {
            *successes += 1;
        }
    }

    /// Heals, and wakes who is not dead; how many hit points came back (SRD 5.1, "Combat",
    /// Healing).
    pub fn heal(&mut self, amount: i32) -> i32 {
        if self.is_dead() || amount <= 0 {
            return 0;
        }
        let healed = amount.min(self.max - self.current);
        self.current += healed;
        self.vital = Vital::Awake;
        healed
    }

    /// Gives temporary hit points. They do not add up: the higher number stays; they wake nobody
    /// (SRD 5.1, "Combat", Temporary Hit Points).
    pub fn shield(&mut self, amount: i32) {
        if !self.is_dead() {
            self.temporary = self.temporary.max(amount);
        }
    }

    /// Steadies the dying; whether there was something to steady.
    pub fn stabilize(&mut self) -> bool {
        let is_dying = matches!(self.vital, Vital::Dying { .. });
        if is_dying {
            self.vital = Vital::Stable;
        }
        is_dying
    }

    /// Wakes who was stable long enough, with 1 hit point; whether it did.
    pub fn wake(&mut self) -> bool {
        self.vital == Vital::Stable && self.heal(1) == 1
    }

    /// Brings the dead back, with at least 1 hit point; whether it was dead.
    pub fn revive(&mut self, hit_points: i32) -> bool {
        let was_dead = self.is_dead();
        if was_dead {
            let current = hit_points.clamp(1, self.max);
            (self.current, self.temporary, self.vital) = (current, 0, Vital::Awake);
        }
        was_dead
    }

    /// Kills without damage, as the sixth level of exhaustion does.
    pub fn kill(&mut self) {
        self.die();
    }

    /// Changes the most it can have; what it has is cut off there.
    pub fn set_max(&mut self, max: i32) {
        self.max = max.max(1);
        self.current = self.current.min(self.max);
    }
}

/// `7 of 12`, `7 and 5 of 12` with temporary ones, `dying`, `stable`, `dead`.
impl fmt::Display for Health {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.vital, self.temporary) {
            (Vital::Awake, 0) => write!(f, "{} of {}", self.current, self.max),
            (Vital::Awake, more) => write!(f, "{} and {more} of {}", self.current, self.max),
            (Vital::Dying { successes, failures }, _) => {
                write!(f, "dying, {successes} made, {failures} missed")
            }
            (Vital::Stable, _) => write!(f, "stable"),
            (Vital::Dead, _) => write!(f, "dead"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::combat::dice::Fixed;
    use proptest::prelude::*;

    const fn blow(amount: i32) -> Blow {
        Blow { amount, is_critical: false, is_sparing: false }
    }

    /// Ten hit points take some blows.
    fn check(fate: Fate, blows: &[Blow], expected: &str) {
        let mut health = Health::new(10);
        for blow in blows {
            health.hurt(blow, fate);
        }
        assert_eq!(health.to_string(), expected, "{blows:?}");
    }

    #[test]
    fn blows_end_as_they_must() {
        let critical = Blow { is_critical: true, ..blow(1) };
        let sparing = Blow { is_sparing: true, ..blow(99) };
        check(Fate::Dies, &[blow(4)], "6 of 10");
        check(Fate::Dies, &[blow(-4)], "10 of 10");
        check(Fate::Dies, &[blow(19)], "dying, 0 made, 0 missed");
        check(Fate::Dies, &[blow(20)], "dead");
        check(Fate::Falls, &[blow(10)], "dead");
        check(Fate::Falls, &[sparing], "stable");
        check(Fate::Endures, &[blow(19)], "1 of 10");
        check(Fate::Endures, &[blow(20)], "dead");
        check(Fate::Dies, &[blow(10), blow(1)], "dying, 0 made, 1 missed");
        check(Fate::Dies, &[blow(10), critical], "dying, 0 made, 2 missed");
        check(Fate::Dies, &[blow(10), critical, blow(1)], "dead");
        check(Fate::Dies, &[blow(10), blow(10)], "dead");
        check(Fate::Dies, &[sparing, blow(1)], "dying, 0 made, 1 missed");
    }

    #[test]
    fn death_saves_count_to_three() {
        for (numbers, expected) in [
            (&[10, 11, 19][..], "stable"),
            (&[9, 2, 3], "dead"),
            (&[1, 9], "dead"),
            (&[1, 10, 10], "dying, 2 made, 2 missed"),
            (&[9, 20], "1 of 10"),
        ] {
            let mut health = Health::new(10);
            health.hurt(&blow(10), Fate::Dies);
            let mut dice = Fixed::new(numbers);
            for _ in numbers {
                health.death_save(&Throw::default(), &mut dice);
            }
            assert_eq!(health.to_string(), expected, "{numbers:?}");
            assert!(dice.is_used_up());
        }
    }

    #[test]
    fn healing_wakes_and_temporary_ones_do_not() {
        let mut health = Health::new(10);
        health.hurt(&blow(10), Fate::Dies);
        health.shield(5);
        assert!(!health.is_awake());
        assert_eq!(health.hurt(&blow(4), Fate::Dies).fell, Fell::No);
        assert_eq!(health.heal(3), 3);
        health.shield(8);
        health.shield(6);
        assert_eq!(health.to_string(), "3 and 8 of 10");
        assert_eq!(health.heal(99), 7);
    }

    #[test]
    fn the_dead_come_back_by_revival_alone() {
        let mut health = Health::new(10);
        assert!(!health.revive(5));
        health.kill();
        assert_eq!(health.heal(5), 0);
        assert!(!health.stabilize() && !health.wake());
        assert!(health.revive(0));
        assert_eq!(health.to_string(), "1 of 10");
    }

    fn is_sound(health: &Health) -> bool {
        let is_within = (0..=health.max).contains(&health.current) && health.temporary >= 0;
        is_within && health.is_awake() == (health.current > 0)
    }

    proptest! {
        #[test]
        fn hit_points_stay_within_their_bounds(
            max in any::<i32>(),
            steps in prop::collection::vec(
                (0_u8..8, any::<i32>(), any::<bool>(), 1_u8..=20),
                1..40,
            ),
        ) {
            let mut health = Health::new(max);
            for (step, amount, flag, number) in steps {
                let fate = if flag { Fate::Dies } else { Fate::Falls };
                let small = amount % 50;
                let was_dead = health.is_dead();
                match step {
                    0 => { health.hurt(&Blow { is_critical: flag, ..blow(amount) }, fate); }
                    1 => { health.hurt(&Blow { is_sparing: flag, ..blow(small) }, Fate::Endures); }
                    2 => { health.heal(small); }
                    3 => health.shield(amount),
                    4 => { health.stabilize(); health.wake(); }
                    5 => health.set_max(amount),
                    6 => { health.death_save(&Throw::default(), &mut Fixed::new(&[number])); }
                    _ => { health.hurt(&blow(small), Fate::Dies); }
                }
                prop_assert!(is_sound(&health), "{health:?} after {step}");
                prop_assert!(!was_dead || health.is_dead());
            }
        }
    }
}
