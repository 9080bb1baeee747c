//! Conditions and exhaustion: what each does, and what they make of an attack, a save, a step.
//!
//! Keeps true: a condition does the same however often it lies on a body; what one brings with it
//! is worked out here and nowhere else. Leaves out on purpose: how long they last, and who laid
//! them.

use serde::{Deserialize, Serialize};

use super::check::Edges;
use super::damage::{DamageTypes, Defenses};
use crate::content::{Attribute, Condition, DamageType, FOOT_MM, Stacking, words};

/// Within this distance prone and helpless targets are easier, millimetres: 5 feet.
pub const CLOSE_MM: u32 = 5 * FOOT_MM;
/// The level of exhaustion that kills.
pub const EXHAUSTION_MAX: u8 = 6;

words! {
    /// What conditions do.
    Does {
        /// It takes no actions and no reactions.
        CannotAct = "cannot_act",
        /// It does not move, whatever its speed.
        CannotMove = "cannot_move",
        /// Its speed is 0.
        SpeedZero = "speed_zero",
        /// Each foot costs two until it stands up.
        Crawls = "crawls",
        /// It comes no nearer to what it fears.
        CannotApproach = "cannot_approach",
        /// It does not attack or harm who charmed it.
        SparesCharmer = "spares_charmer",
        CannotSpeak = "cannot_speak",
        CannotSee = "cannot_see",
        CannotHear = "cannot_hear",
        /// It is not seen without magic.
        Unseen = "unseen",
        /// Its own attacks have advantage.
        AttacksBetter = "attacks_better",
        /// Its own attacks have disadvantage.
        AttacksWorse = "attacks_worse",
        /// Its own attacks and checks have disadvantage while it sees what it fears.
        Fears = "fears",
        /// Attacks against it have advantage.
        EasyTarget = "easy_target",
        /// Attacks against it have disadvantage.
        HardTarget = "hard_target",
        /// Attacks against it have advantage within 5 feet and disadvantage from further away.
        LiesFlat = "lies_flat",
        /// Hits from within 5 feet are critical.
        Helpless = "helpless",
        /// Its saves with strength and dexterity fail.
        FailsBodySaves = "fails_body_saves",
        /// Its saves with dexterity have disadvantage.
        DodgesWorse = "dodges_worse",
        /// Its checks have disadvantage.
        ChecksWorse = "checks_worse",
        /// All damage is halved.
        ResistsAll = "resists_all",
        /// Poison does nothing.
        IgnoresPoison = "ignores_poison",
        /// It is not aware of what is around it.
        Unaware = "unaware",
    }
}

/// What a condition does by itself, without those that come with it (SRD 5.1, "Appendix PH-A:
/// Conditions").
pub const fn does(condition: Condition) -> &'static [Does] {
    match condition {
        Condition::Blinded => &[Does::CannotSee, Does::AttacksWorse, Does::EasyTarget],
        Condition::Charmed => &[Does::SparesCharmer],
        Condition::Deafened => &[Does::CannotHear],
        Condition::Frightened => &[Does::Fears, Does::CannotApproach],
        Condition::Grappled => &[Does::SpeedZero],
        Condition::Incapacitated => &[Does::CannotAct],
        Condition::Invisible => &[Does::Unseen, Does::AttacksBetter, Does::HardTarget],
        Condition::Paralyzed => &[
            Does::CannotMove,
            Does::CannotSpeak,
            Does::FailsBodySaves,
            Does::EasyTarget,
            Does::Helpless,
        ],
        Condition::Petrified => &[
            Does::CannotMove,
            Does::CannotSpeak,
            Does::Unaware,
            Does::FailsBodySaves,
            Does::EasyTarget,
            Does::ResistsAll,
            Does::IgnoresPoison,
        ],
        Condition::Poisoned => &[Does::AttacksWorse, Does::ChecksWorse],
        Condition::Prone => &[Does::Crawls, Does::AttacksWorse, Does::LiesFlat],
        Condition::Restrained => {
            &[Does::SpeedZero, Does::AttacksWorse, Does::EasyTarget, Does::DodgesWorse]
        }
        Condition::Silenced => &[Does::CannotSpeak, Does::CannotHear],
        Condition::Stunned => {
            &[Does::CannotMove, Does::CannotSpeak, Does::FailsBodySaves, Does::EasyTarget]
        }
        Condition::Unconscious => &[
            Does::CannotMove,
            Does::CannotSpeak,
            Does::Unaware,
            Does::FailsBodySaves,
            Does::EasyTarget,
            Does::Helpless,
        ],
    }
}

/// What comes with a condition.
pub const fn implied(condition: Condition) -> &'static [Condition] {
    match condition {
        Condition::Paralyzed | Condition::Petrified | Condition::Stunned => {
            &[Condition::Incapacitated]
        }
        Condition::Unconscious => &[Condition::Incapacitated, Condition::Prone],
        Condition::Blinded
        | Condition::Charmed
        | Condition::Deafened
        | Condition::Frightened
        | Condition::Grappled
        | Condition::Incapacitated
        | Condition::Invisible
        | Condition::Poisoned
        | Condition::Prone
        | Condition::Restrained
        | Condition::Silenced => &[],
    }
}

/// The conditions a body is in, with all that come with them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Conditions(u16);

impl Conditions {
    /// None.
    pub const NONE: Self = Self(0);

    /// Those of a list, and what comes with them.
    pub fn of(conditions: &[Condition]) -> Self {
        conditions.iter().fold(Self::NONE, |set, condition| set.with(*condition))
    }

    /// These and one more, and what comes with it.
    #[must_use]
    pub fn with(self, condition: Condition) -> Self {
        let set = Self(self.0 | 1 << condition as u16);
        implied(condition).iter().fold(set, |set, implied| Self(set.0 | 1 << *implied as u16))
    }

    /// Whether one is among them.
    pub const fn has(self, condition: Condition) -> bool {
        self.0 & 1 << condition as u16 != 0
    }

    /// All of them, in order.
    pub fn iter(self) -> impl Iterator<Item = Condition> {
        Condition::ALL.iter().copied().filter(move |condition| self.has(*condition))
    }

    /// Whether one of them does something.
    pub fn cause(self, what: Does) -> bool {
        self.iter().any(|condition| does(condition).contains(&what))
    }

    /// The number that stands in a row: bit `n` for condition `n`.
    pub const fn bits(self) -> u16 {
        self.0
    }

    /// The set of such a number, with what comes with it; other bits are dropped.
    pub fn from_bits(bits: u16) -> Self {
        Self(bits).iter().fold(Self::NONE, Self::with)
    }

    /// Whether actions can be taken.
    pub fn can_act(self) -> bool {
        !self.cause(Does::CannotAct)
    }

    /// Whether reactions can be taken: whoever can act can.
    pub fn can_react(self) -> bool {
        self.can_act()
    }

    /// Whether it can go anywhere.
    pub fn can_move(self) -> bool {
        !self.cause(Does::CannotMove) && !self.cause(Does::SpeedZero)
    }

    /// Whether it can speak, as most spells need.
    pub fn can_speak(self) -> bool {
        !self.cause(Does::CannotSpeak)
    }

    /// Whether it can see.
    pub fn can_see(self) -> bool {
        !self.cause(Does::CannotSee) && !self.cause(Does::Unaware)
    }

    /// Whether hits on it from there are critical.
    pub fn makes_critical(self, distance_mm: u32) -> bool {
        distance_mm <= CLOSE_MM && self.cause(Does::Helpless)
    }

    /// Whether its save fails without a roll.
    pub fn fails_save(self, attribute: Attribute) -> bool {
        let is_of_body = matches!(attribute, Attribute::Strength | Attribute::Dexterity);
        is_of_body && self.cause(Does::FailsBodySaves)
    }

    /// What they make of damage.
    pub fn defenses(self) -> Defenses {
        let all = if self.cause(Does::ResistsAll) { DamageTypes::ALL } else { DamageTypes::NONE };
        let poison = DamageTypes::NONE.with(DamageType::Poison);
        let immunities = if self.cause(Does::IgnoresPoison) { poison } else { DamageTypes::NONE };
        Defenses { resistances: all, immunities, ..Defenses::default() }
    }

    /// The speed that is left, in the unit it is given in. Crawling halves it; exhaustion halves it
    /// at level 2 and ends it at 5.
    pub fn speed(self, speed: u32, exhaustion: u8) -> u32 {
        if !self.can_move() || exhaustion >= 5 {
            return 0;
        }
        let walked = if exhaustion >= 2 { speed / 2 } else { speed };
        if self.cause(Does::Crawls) { walked / 2 } else { walked }
    }

    /// What they and exhaustion make of a saving throw.
    pub fn save_edges(self, attribute: Attribute, exhaustion: u8) -> Edges {
        let dodges_worse = attribute == Attribute::Dexterity && self.cause(Does::DodgesWorse);
        Edges::NONE.and_if(dodges_worse || exhaustion >= 3, Edges::DISADVANTAGE)
    }

    /// What they and exhaustion make of a check.
    pub fn check_edges(self, sees_fear: bool, exhaustion: u8) -> Edges {
        let is_worse = self.cause(Does::ChecksWorse) || sees_fear && self.cause(Does::Fears);
        Edges::NONE.and_if(is_worse || exhaustion >= 1, Edges::DISADVANTAGE)
    }
}

/// The most hit points that exhaustion leaves: half from level 4 on (SRD 5.1, "Appendix PH-A:
/// Conditions", Exhaustion).
pub const fn hit_points_max(max: i32, exhaustion: u8) -> i32 {
    if exhaustion >= 4 && max > 1 { max / 2 } else { max }
}

/// Whether exhaustion kills.
pub const fn is_deadly(exhaustion: u8) -> bool {
    exhaustion >= EXHAUSTION_MAX
}

/// Who attacks whom, how far apart.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Bout {
    /// Conditions of who attacks.
    pub attacker: Conditions,
    /// Its level of exhaustion.
    pub attacker_exhaustion: u8,
    /// Conditions of the target.
    pub target: Conditions,
    /// Between them.
    pub distance_mm: u32,
    /// Whether the attacker sees what it fears.
    pub sees_fear: bool,
    /// Whether the target dodges and sees the attacker.
    pub is_dodged: bool,
    /// Whether it is a ranged attack beside an enemy who sees and can act.
    pub is_hindered: bool,
}

/// What the conditions of both make of an attack (SRD 5.1, "Appendix PH-A: Conditions", and
/// "Combat", Dodge, Ranged Attacks in Close Combat). Who dodges and cannot act or move does not.
pub fn attack_edges(bout: &Bout) -> Edges {
    let Bout { attacker, target, .. } = *bout;
    let is_close = bout.distance_mm <= CLOSE_MM;
    let lies_flat = target.cause(Does::LiesFlat);
    let fears = bout.sees_fear && attacker.cause(Does::Fears);
    let dodges = bout.is_dodged && target.can_act() && target.can_move();
    Edges {
        advantage: attacker.cause(Does::AttacksBetter)
            || target.cause(Does::EasyTarget)
            || lies_flat && is_close,
        disadvantage: attacker.cause(Does::AttacksWorse)
            || fears
            || bout.attacker_exhaustion >= 3
            || target.cause(Does::HardTarget)
            || lies_flat && !is_close
            || dodges
            || bout.is_hindered,
    }
}

/// What happens when an effect meets another of its kind.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Meeting {
    /// The old one ends, the new one begins.
    Replaces,
    /// The new one does not begin.
    Keeps,
    /// Both run.
    Both,
}

/// Decides between two effects of the same ability by when they end. By the SRD they do not add up
/// (SRD 5.1, "Spellcasting", Combining Magical Effects); content says which one stays.
pub const fn meet(stacking: Stacking, old_ends_at: i64, new_ends_at: i64) -> Meeting {
    match stacking {
        Stacking::Refresh => Meeting::Replaces,
        Stacking::Longest if new_ends_at > old_ends_at => Meeting::Replaces,
        Stacking::Longest => Meeting::Keeps,
        Stacking::Both => Meeting::Both,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::combat::check::Edge;
    use proptest::prelude::*;

    fn bout(attacker: &[Condition], target: &[Condition], distance_mm: u32) -> Edge {
        let (attacker, target) = (Conditions::of(attacker), Conditions::of(target));
        attack_edges(&Bout { attacker, target, distance_mm, ..Bout::default() }).edge()
    }

    #[test]
    fn each_condition_does_to_attacks_what_it_says() {
        use Edge::{Advantage, Disadvantage, Straight};
        for (condition, own, close, far) in [
            (Condition::Blinded, Disadvantage, Advantage, Advantage),
            (Condition::Charmed, Straight, Straight, Straight),
            (Condition::Deafened, Straight, Straight, Straight),
            (Condition::Frightened, Straight, Straight, Straight),
            (Condition::Grappled, Straight, Straight, Straight),
            (Condition::Incapacitated, Straight, Straight, Straight),
            (Condition::Invisible, Advantage, Disadvantage, Disadvantage),
            (Condition::Paralyzed, Straight, Advantage, Advantage),
            (Condition::Petrified, Straight, Advantage, Advantage),
            (Condition::Poisoned, Disadvantage, Straight, Straight),
            (Condition::Prone, Disadvantage, Advantage, Disadvantage),
            (Condition::Restrained, Disadvantage, Advantage, Advantage),
            (Condition::Stunned, Straight, Advantage, Advantage),
            // Lying flat helps against arrows: both at once from afar.
            (Condition::Unconscious, Disadvantage, Advantage, Straight),
        ] {
            let got = [
                bout(&[condition], &[], CLOSE_MM),
                bout(&[], &[condition], CLOSE_MM),
                bout(&[], &[condition], CLOSE_MM + 1),
            ];
            assert_eq!(got, [own, close, far], "{condition:?}");
        }
    }

    #[test]
    fn fear_exhaustion_dodging_and_crowding_count() {
        let afraid = Conditions::of(&[Condition::Frightened]);
        let stunned = Conditions::of(&[Condition::Stunned]);
        let base = Bout { attacker: afraid, ..Bout::default() };
        assert_eq!(attack_edges(&base), Edges::NONE);
        for worse in [
            Bout { sees_fear: true, ..base },
            Bout { attacker_exhaustion: 3, ..base },
            Bout { is_dodged: true, ..base },
            Bout { is_hindered: true, ..base },
        ] {
            assert_eq!(attack_edges(&worse), Edges::DISADVANTAGE);
        }
        let dodger = Bout { is_dodged: true, target: stunned, ..base };
        assert_eq!(attack_edges(&dodger), Edges::ADVANTAGE);
    }

    #[test]
    fn conditions_bring_others_with_them() {
        let asleep = Conditions::of(&[Condition::Unconscious]);
        let all: Vec<_> = asleep.iter().collect();
        assert_eq!(all, [Condition::Incapacitated, Condition::Prone, Condition::Unconscious]);
        assert!(!asleep.can_act() && !asleep.can_react() && !asleep.can_move());
        assert!(!asleep.can_speak() && !asleep.can_see());
        for condition in [Condition::Paralyzed, Condition::Petrified, Condition::Stunned] {
            assert!(Conditions::of(&[condition]).has(Condition::Incapacitated));
            assert!(Conditions::of(&[condition]).fails_save(Attribute::Dexterity));
            assert!(!Conditions::of(&[condition]).fails_save(Attribute::Wisdom));
        }
    }

    #[test]
    fn exhaustion_has_six_levels() {
        let none = Conditions::NONE;
        for (level, speed, max, check, save) in [
            (0, 30, 21, false, false),
            (1, 30, 21, true, false),
            (2, 15, 21, true, false),
            (3, 15, 21, true, true),
            (4, 15, 10, true, true),
            (5, 0, 10, true, true),
        ] {
            assert_eq!(none.speed(30, level), speed);
            assert_eq!(hit_points_max(21, level), max);
            assert_eq!(none.check_edges(false, level).disadvantage, check);
            assert_eq!(none.save_edges(Attribute::Wisdom, level).disadvantage, save);
            assert!(!is_deadly(level));
        }
        assert!(is_deadly(6));
    }

    #[test]
    fn effects_meet_as_content_says() {
        for (stacking, old, new, expected) in [
            (Stacking::Refresh, 9, 5, Meeting::Replaces),
            (Stacking::Longest, 9, 5, Meeting::Keeps),
            (Stacking::Longest, 5, 9, Meeting::Replaces),
            (Stacking::Longest, 5, 5, Meeting::Keeps),
            (Stacking::Both, 5, 9, Meeting::Both),
        ] {
            assert_eq!(meet(stacking, old, new), expected);
        }
    }

    proptest! {
        #[test]
        fn more_conditions_never_free_anybody(bits in any::<u16>(), more in 0_usize..14) {
            let set = Conditions::from_bits(bits);
            let both = set.with(Condition::ALL[more]);
            prop_assert_eq!(Conditions::from_bits(both.bits()), both);
            prop_assert!(set.can_act() || !both.can_act());
            prop_assert!(both.speed(9_000, 0) <= set.speed(9_000, 0));
        }
    }
}
