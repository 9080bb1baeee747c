//! Rolls of a twenty-sided die: attacks, saving throws, checks and contests.
//!
//! Keeps true: every die, modifier and target number goes out with the outcome, which shows itself
//! as `14 + 5 = 19 against 17: hit`. Leaves out on purpose: what gives an advantage
//! (`conditions`), and what a hit does (`damage`).

use std::fmt;

use super::dice::{Dice, Roller, roll};
use crate::content::Attribute;

/// What natural roll is a critical hit for most.
pub const CRITICAL_FROM: u8 = 20;
/// What a passive score begins with (SRD 5.1, "Using Ability Scores", Passive Checks).
pub const PASSIVE_BASE: i32 = 10;
/// What an advantage adds to a passive score, and a disadvantage takes.
pub const PASSIVE_EDGE: i32 = 5;

/// How a d20 is thrown.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Edge {
    /// Once.
    #[default]
    Straight,
    /// Twice, the higher counts.
    Advantage,
    /// Twice, the lower counts.
    Disadvantage,
}

/// What speaks for a roll and against it. However many there are of each, they cancel as one
/// (SRD 5.1, "Using Ability Scores", Advantage and Disadvantage).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Edges {
    /// Something gives advantage.
    pub advantage: bool,
    /// Something gives disadvantage.
    pub disadvantage: bool,
}

impl Edges {
    /// Nothing.
    pub const NONE: Self = Self { advantage: false, disadvantage: false };
    /// An advantage.
    pub const ADVANTAGE: Self = Self { advantage: true, disadvantage: false };
    /// A disadvantage.
    pub const DISADVANTAGE: Self = Self { advantage: false, disadvantage: true };

    /// Of a modifier in content: above 0 an advantage, below 0 a disadvantage.
    pub const fn of_sign(amount: i16) -> Self {
        Self { advantage: amount > 0, disadvantage: amount < 0 }
    }

    /// These and others.
    #[must_use]
    pub const fn and(self, other: Self) -> Self {
        Self {
            advantage: self.advantage || other.advantage,
            disadvantage: self.disadvantage || other.disadvantage,
        }
    }

    /// These, and others where something holds.
    #[must_use]
    pub const fn and_if(self, holds: bool, other: Self) -> Self {
        if holds { self.and(other) } else { self }
    }

    /// How the die is thrown.
    pub const fn edge(self) -> Edge {
        match (self.advantage, self.disadvantage) {
            (true, false) => Edge::Advantage,
            (false, true) => Edge::Disadvantage,
            (true, true) | (false, false) => Edge::Straight,
        }
    }
}

/// Something added to a roll, by name: a proficiency, a bless of 1d4, a bane taken away.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Modifier<'a> {
    /// What it comes from, as a client can show it.
    pub name: &'a str,
    /// How much; a number is dice without any.
    pub dice: Dice,
    /// Whether it is taken away.
    pub is_negative: bool,
}

impl<'a> Modifier<'a> {
    /// A number; beyond what dice can add it is cut off.
    pub fn flat(name: &'a str, amount: i32) -> Self {
        let bonus = i16::try_from(amount.clamp(-1_000, 1_000)).unwrap_or(0);
        Self { name, dice: Dice { count: 0, sides: 0, bonus }, is_negative: false }
    }

    /// Dice that are added.
    pub const fn plus(name: &'a str, dice: Dice) -> Self {
        Self { name, dice, is_negative: false }
    }

    /// Dice that are taken away.
    pub const fn minus(name: &'a str, dice: Dice) -> Self {
        Self { name, dice, is_negative: true }
    }
}

/// A modifier after its dice were thrown.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Applied<'a> {
    /// What it comes from.
    pub name: &'a str,
    /// What its dice showed; empty for a number.
    pub shown: Vec<u8>,
    /// What it added, below 0 where it took away.
    pub amount: i32,
}

/// How a d20 is thrown, and what is added.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Throw<'a> {
    /// What speaks for it and against it.
    pub edges: Edges,
    /// Whether one die that shows 1 is thrown again (SRD 5.1, "Races", Halfling, Lucky).
    pub is_lucky: bool,
    /// What is added, in order.
    pub modifiers: &'a [Modifier<'a>],
}

/// A d20 that was thrown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct D20 {
    /// How it was thrown.
    pub edge: Edge,
    /// What the dice showed: the first, the second or 0, and what the lucky threw again or 0.
    pub shown: [u8; 3],
    /// What counts, 1 to 20.
    pub natural: u8,
}

/// A d20, what was added, and the sum.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Total<'a> {
    /// The die.
    pub d20: D20,
    /// What was added, in order.
    pub added: Vec<Applied<'a>>,
    /// The sum.
    pub total: i32,
}

/// Throws a d20.
pub fn d20(edge: Edge, is_lucky: bool, roller: &mut dyn Roller) -> D20 {
    let first = roller.roll(20);
    let second = if edge == Edge::Straight { 0 } else { roller.roll(20) };
    let again = if is_lucky && (first == 1 || second == 1) { roller.roll(20) } else { 0 };
    let (one, other) = match (again, first) {
        (0, _) => (first, second),
        (_, 1) => (again, second),
        (..) => (first, again),
    };
    let natural = match edge {
        Edge::Straight => one,
        Edge::Advantage => one.max(other),
        Edge::Disadvantage => one.min(other),
    };
    D20 { edge, shown: [first, second, again], natural }
}

/// Throws a d20 and adds everything.
pub fn throw<'a>(throw: &Throw<'a>, roller: &mut dyn Roller) -> Total<'a> {
    let d20 = d20(throw.edges.edge(), throw.is_lucky, roller);
    let mut total = i32::from(d20.natural);
    let mut added = Vec::with_capacity(throw.modifiers.len());
    for modifier in throw.modifiers {
        let rolled = roll(modifier.dice, roller);
        let amount = if modifier.is_negative { -rolled.total } else { rolled.total };
        total += amount;
        added.push(Applied { name: modifier.name, shown: rolled.shown, amount });
    }
    Total { d20, added, total }
}

/// `14 + 5 = 19`; with advantage `(3, 14) 14 + 5 = 19`.
impl fmt::Display for Total<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [first, second, again] = self.d20.shown;
        match (second, again) {
            (0, 0) => {}
            (0, again) => write!(f, "({first}, again {again}) ")?,
            (second, 0) => write!(f, "({first}, {second}) ")?,
            (second, again) => write!(f, "({first}, {second}, again {again}) ")?,
        }
        write!(f, "{}", self.d20.natural)?;
        for applied in &self.added {
            let sign = if applied.amount < 0 { '-' } else { '+' };
            write!(f, " {sign} {}", applied.amount.unsigned_abs())?;
        }
        if self.added.is_empty() { Ok(()) } else { write!(f, " = {}", self.total) }
    }
}

/// How much stands between attacker and target (SRD 5.1, "Combat", Cover).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum Cover {
    /// Nothing that matters.
    #[default]
    None,
    /// Half of the target: +2.
    Half,
    /// Three quarters of it: +5.
    ThreeQuarters,
    /// All of it: it cannot be aimed at.
    Total,
}

impl Cover {
    /// What it adds to armor and to dexterity saves.
    pub const fn bonus(self) -> i32 {
        match self {
            Self::None | Self::Total => 0,
            Self::Half => 2,
            Self::ThreeQuarters => 5,
        }
    }
}

/// How far a target is for a weapon (SRD 5.1, "Equipment", Weapon Properties, Range).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Range {
    /// Within its normal range.
    Normal,
    /// Beyond, but within its long range: with disadvantage.
    Long,
    /// Too far.
    Beyond,
}

impl Range {
    /// How far a distance is; `long_mm` is 0 for what has no long range.
    pub const fn of(distance_mm: u32, normal_mm: u32, long_mm: u32) -> Self {
        if distance_mm <= normal_mm {
            Self::Normal
        } else if distance_mm <= long_mm {
            Self::Long
        } else {
            Self::Beyond
        }
    }

    /// What it means for the roll.
    pub const fn edges(self) -> Edges {
        match self {
            Self::Normal | Self::Beyond => Edges::NONE,
            Self::Long => Edges::DISADVANTAGE,
        }
    }
}

/// An attack.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Attack<'a> {
    /// How the die is thrown.
    pub throw: Throw<'a>,
    /// The target's, before cover.
    pub armor_class: i32,
    /// What is between.
    pub cover: Cover,
    /// The lowest natural roll that is a critical hit if it hits, 2 to 20.
    pub critical_from: u8,
    /// Whether every hit is critical, as on the paralyzed.
    pub is_critical: bool,
}

/// How an attack went.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Hit {
    /// By.
    Miss,
    /// It hits.
    Hit,
    /// It hits with twice the dice.
    Critical,
}

/// An attack that was rolled.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Attacked<'a> {
    /// The roll.
    pub roll: Total<'a>,
    /// What it was against, cover included.
    pub armor_class: i32,
    /// What was between.
    pub cover: Cover,
    /// How it went.
    pub hit: Hit,
}

/// Rolls an attack (SRD 5.1, "Combat", Making an Attack). A natural 1 misses, a natural 20 hits
/// and is critical, whatever is added; a natural roll from `critical_from` on is critical if it
/// hits. Nothing gets through total cover.
pub fn attack<'a>(attack: &Attack<'a>, roller: &mut dyn Roller) -> Attacked<'a> {
    let roll = throw(&attack.throw, roller);
    let armor_class = attack.armor_class + attack.cover.bonus();
    let natural = roll.d20.natural;
    let hits = natural != 1 && (natural >= 20 || roll.total >= armor_class);
    let is_critical = attack.is_critical || natural >= attack.critical_from.clamp(2, 20);
    let hit = match (hits && attack.cover != Cover::Total, is_critical) {
        (false, _) => Hit::Miss,
        (true, false) => Hit::Hit,
        (true, true) => Hit::Critical,
    };
    Attacked { roll, armor_class, cover: attack.cover, hit }
}

/// `14 + 5 = 19 against 17: hit`.
impl fmt::Display for Attacked<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let hit = match self.hit {
            Hit::Miss => "miss",
            Hit::Hit => "hit",
            Hit::Critical => "critical hit",
        };
        write!(f, "{} against {}: {hit}", self.roll, self.armor_class)
    }
}

/// A saving throw.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Save<'a> {
    /// By which attribute.
    pub attribute: Attribute,
    /// How the die is thrown.
    pub throw: Throw<'a>,
    /// What it is against.
    pub difficulty: i32,
    /// What is between it and where it comes from; counts for dexterity alone.
    pub cover: Cover,
    /// Whether it fails without a roll, as for the paralyzed.
    pub fails: bool,
}

/// A saving throw or a check that was made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Checked<'a> {
    /// The roll; none where it failed without.
    pub roll: Option<Total<'a>>,
    /// What it was against.
    pub difficulty: i32,
    /// What cover added, 0 to 5.
    pub cover_bonus: i32,
    /// Whether the sum reached the difficulty.
    pub is_success: bool,
}

/// Makes a saving throw (SRD 5.1, "Using Ability Scores", Saving Throws). A natural 1 or 20 is
/// nothing special here.
pub fn save<'a>(save: &Save<'a>, roller: &mut dyn Roller) -> Checked<'a> {
    let Save { attribute, difficulty, cover, .. } = *save;
    if save.fails {
        return Checked { roll: None, difficulty, cover_bonus: 0, is_success: false };
    }
    let cover_bonus = if attribute == Attribute::Dexterity { cover.bonus() } else { 0 };
    let roll = throw(&save.throw, roller);
    let is_success = roll.total + cover_bonus >= difficulty;
    Checked { roll: Some(roll), difficulty, cover_bonus, is_success }
}

/// Makes a check (SRD 5.1, "Using Ability Scores", Ability Checks).
pub fn check<'a>(of: &Throw<'a>, difficulty: i32, roller: &mut dyn Roller) -> Checked<'a> {
    let roll = throw(of, roller);
    let is_success = roll.total >= difficulty;
    Checked { roll: Some(roll), difficulty, cover_bonus: 0, is_success }
}

/// `14 + 5 = 19 against 15: success`.
impl fmt::Display for Checked<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.roll {
            Some(roll) => write!(f, "{roll}")?,
            None => write!(f, "no roll")?,
        }
        if self.cover_bonus > 0 {
            write!(f, " and {} for cover", self.cover_bonus)?;
        }
        let word = if self.is_success { "success" } else { "failure" };
        write!(f, " against {}: {word}", self.difficulty)
    }
}

/// How a contest ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Won {
    /// Who wants to change something.
    First,
    /// Who holds against it.
    Second,
    /// Nobody: all stays as it was.
    Nobody,
}

/// A contest.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Contest<'a> {
    /// Of who wants to change something.
    pub first: Total<'a>,
    /// Of who holds against it.
    pub second: Total<'a>,
    /// How it ended.
    pub won: Won,
}

/// Has two roll against each other (SRD 5.1, "Using Ability Scores", Contests).
pub fn contest<'a>(first: &Throw<'a>, second: &Throw<'a>, roller: &mut dyn Roller) -> Contest<'a> {
    let (first, second) = (throw(first, roller), throw(second, roller));
    let won = match first.total.cmp(&second.total) {
        std::cmp::Ordering::Greater => Won::First,
        std::cmp::Ordering::Less => Won::Second,
        std::cmp::Ordering::Equal => Won::Nobody,
    };
    Contest { first, second, won }
}

/// A score that needs no roll (SRD 5.1, "Using Ability Scores", Passive Checks).
pub const fn passive(modifiers: i32, edges: Edges) -> i32 {
    PASSIVE_BASE
        + modifiers
        + match edges.edge() {
            Edge::Straight => 0,
            Edge::Advantage => PASSIVE_EDGE,
            Edge::Disadvantage => -PASSIVE_EDGE,
        }
}

/// Whether a group succeeds: at least half of it (SRD 5.1, "Using Ability Scores", Group Checks).
pub const fn group_succeeds(successes: usize, members: usize) -> bool {
    members > 0 && successes.saturating_mul(2) >= members
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::combat::dice::Fixed;
    use proptest::prelude::*;

    #[test]
    fn any_number_of_edges_cancel_as_one() {
        let both = Edges::ADVANTAGE.and(Edges::ADVANTAGE).and(Edges::DISADVANTAGE);
        assert_eq!(both.edge(), Edge::Straight);
        assert_eq!(Edges::of_sign(2).edge(), Edge::Advantage);
        assert_eq!(Edges::of_sign(-1).edge(), Edge::Disadvantage);
        assert_eq!(Edges::NONE.and_if(false, Edges::ADVANTAGE).edge(), Edge::Straight);
    }

    #[test]
    fn the_lucky_throw_one_die_again() {
        for (edge, numbers, natural) in [
            (Edge::Straight, &[1, 15][..], 15),
            (Edge::Straight, &[2], 2),
            (Edge::Advantage, &[1, 1, 9], 9),
            (Edge::Disadvantage, &[12, 1, 9], 9),
            (Edge::Disadvantage, &[1, 7, 20], 7),
        ] {
            let mut dice = Fixed::new(numbers);
            assert_eq!(d20(edge, true, &mut dice).natural, natural, "{numbers:?}");
            assert!(dice.is_used_up());
        }
    }

    #[test]
    fn a_wide_critical_range_does_not_hit_by_itself() {
        let modifiers = [Modifier::flat("strength", 1)];
        let throw = Throw { modifiers: &modifiers, ..Throw::default() };
        let wide = Attack {
            throw,
            armor_class: 21,
            cover: Cover::None,
            critical_from: 19,
            is_critical: false,
        };
        assert_eq!(attack(&wide, &mut Fixed::new(&[19])).hit, Hit::Miss);
        let near = Attack { armor_class: 20, ..wide };
        assert_eq!(attack(&near, &mut Fixed::new(&[19])).hit, Hit::Critical);
        let covered = Attack { cover: Cover::Total, ..wide };
        assert_eq!(attack(&covered, &mut Fixed::new(&[20])).hit, Hit::Miss);
    }

    proptest! {
        #[test]
        fn the_sum_is_of_what_is_shown(
            numbers in prop::collection::vec(1_u8..=4, 8),
            flat in -30_i32..30,
        ) {
            let modifiers = [
                Modifier::flat("some", flat),
                Modifier::plus("bless", Dice::new(1, 4)),
                Modifier::minus("bane", Dice::new(1, 4)),
            ];
            let of = Throw { edges: Edges::ADVANTAGE, is_lucky: true, modifiers: &modifiers };
            let total = throw(&of, &mut Fixed::new(&numbers));
            let added: i32 = total.added.iter().map(|applied| applied.amount).sum();
            prop_assert_eq!(total.total, i32::from(total.d20.natural) + added);
        }
    }
}
