//! Casting: spell slots, difficulties, and how spells grow.
//!
//! Keeps true: no more slots are spent than there are. Leaves out on purpose: rituals and
//! material components.

use super::dice::Dice;
use crate::content::Casting;

/// The highest level of a spell.
pub const SPELL_LEVEL_MAX: u8 = 9;
/// What a spell's difficulty begins with (SRD 5.1, "Spellcasting", Saving Throws).
pub const DIFFICULTY_BASE: i32 = 8;

/// Slots of levels 1 to 9 of who casts fully, at levels 1 to 20 (SRD 5.1, "Classes", Wizard).
const FULL: [[u8; 9]; 20] = [
    [2, 0, 0, 0, 0, 0, 0, 0, 0],
    [3, 0, 0, 0, 0, 0, 0, 0, 0],
    [4, 2, 0, 0, 0, 0, 0, 0, 0],
    [4, 3, 0, 0, 0, 0, 0, 0, 0],
    [4, 3, 2, 0, 0, 0, 0, 0, 0],
    [4, 3, 3, 0, 0, 0, 0, 0, 0],
    [4, 3, 3, 1, 0, 0, 0, 0, 0],
    [4, 3, 3, 2, 0, 0, 0, 0, 0],
    [4, 3, 3, 3, 1, 0, 0, 0, 0],
    [4, 3, 3, 3, 2, 0, 0, 0, 0],
    [4, 3, 3, 3, 2, 1, 0, 0, 0],
    [4, 3, 3, 3, 2, 1, 0, 0, 0],
    [4, 3, 3, 3, 2, 1, 1, 0, 0],
    [4, 3, 3, 3, 2, 1, 1, 0, 0],
    [4, 3, 3, 3, 2, 1, 1, 1, 0],
    [4, 3, 3, 3, 2, 1, 1, 1, 0],
    [4, 3, 3, 3, 2, 1, 1, 1, 1],
    [4, 3, 3, 3, 3, 1, 1, 1, 1],
    [4, 3, 3, 3, 3, 2, 1, 1, 1],
    [4, 3, 3, 3, 3, 2, 2, 1, 1],
];

/// Slots of levels 1 to 9 at a level of 1 to 20. Who casts by half has those of half the level,
/// rounded up, and none at level 1 (SRD 5.1, "Classes", Paladin, Ranger, Warlock).
pub fn slots_at(casting: Casting, level: u8) -> [u8; 9] {
    let level = level.clamp(1, 20);
    let full = |level: u8| FULL[usize::from(level) - 1];
    match casting {
        Casting::None => [0; 9],
        Casting::Full => full(level),
        Casting::Half if level == 1 => [0; 9],
        Casting::Half => full(level.div_ceil(2)),
        Casting::Pact => {
            let count = match level {
                1 => 1,
                2..=10 => 2,
                11..=16 => 3,
                _ => 4,
            };
            let mut slots = [0; 9];
            slots[usize::from(level.div_ceil(2).min(5)) - 1] = count;
            slots
        }
    }
}

/// Why a spell has no slot.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NoSlot {
    /// There is no slot of that level at all, or the spell is of a higher one.
    Level,
    /// All of that level are spent.
    Spent,
}

/// Somebody's spell slots.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Slots {
    /// Of levels 1 to 9.
    pub max: [u8; 9],
    /// How many are left of each, at most `max`.
    pub left: [u8; 9],
}

impl Slots {
    /// All that there are, unspent.
    pub fn new(casting: Casting, level: u8) -> Self {
        let max = slots_at(casting, level);
        Self { max, left: max }
    }

    /// Spends a slot for a spell; cantrips (level 0) spend none.
    ///
    /// # Errors
    /// In this order: `Level`, `Spent`.
    pub fn spend(&mut self, spell_level: u8, slot_level: u8) -> Result<(), NoSlot> {
        if spell_level == 0 {
            return Ok(());
        }
        if slot_level < spell_level || slot_level > SPELL_LEVEL_MAX {
            return Err(NoSlot::Level);
        }
        let at = usize::from(slot_level) - 1;
        if self.max[at] == 0 {
            return Err(NoSlot::Level);
        }
        self.left[at] = self.left[at].checked_sub(1).ok_or(NoSlot::Spent)?;
        Ok(())
    }

    /// The lowest slot that is left for a spell.
    pub fn lowest_for(&self, spell_level: u8) -> Option<u8> {
        let levels = spell_level.max(1)..=SPELL_LEVEL_MAX;
        levels.into_iter().find(|level| self.left[usize::from(*level) - 1] > 0)
    }

    /// Gives back one slot; whether one was spent.
    pub fn regain(&mut self, slot_level: u8) -> bool {
        let Some(at) = usize::from(slot_level).checked_sub(1).filter(|at| *at < 9) else {
            return false;
        };
        let is_spent = self.left[at] < self.max[at];
        self.left[at] += u8::from(is_spent);
        is_spent
    }

    /// Gives back all of them.
    pub fn regain_all(&mut self) {
        self.left = self.max;
    }

    /// Changes what there is, at a new level: what comes newly is unspent.
    pub fn grow(&mut self, max: [u8; 9]) {
        for ((left, old), new) in self.left.iter_mut().zip(self.max).zip(max) {
            *left = left.saturating_add(new.saturating_sub(old)).min(new);
        }
        self.max = max;
    }
}

/// What saves against one's spells must reach.
pub const fn difficulty(proficiency: i32, modifier: i32) -> i32 {
    DIFFICULTY_BASE + proficiency + modifier
}

/// What is added to one's spell attacks (SRD 5.1, "Spellcasting", Attack Rolls).
pub const fn attack_bonus(proficiency: i32, modifier: i32) -> i32 {
    proficiency + modifier
}

/// Dice times a number; the bonus too.
#[must_use]
pub fn times(dice: Dice, number: u8) -> Dice {
    Dice {
        count: dice.count.saturating_mul(number),
        sides: dice.sides,
        bonus: dice.bonus.saturating_mul(i16::from(number)),
    }
}

/// The dice of a spell from a higher slot: its own, and what each level above its own adds. Dice
/// of other sides come besides (SRD 5.1, "Spellcasting", Casting a Spell at a Higher Level).
pub fn upcast(
    dice: Dice,
    per_level: Option<Dice>,
    spell_level: u8,
    slot_level: u8,
) -> (Dice, Option<Dice>) {
    let levels = slot_level.saturating_sub(spell_level);
    let Some(more) = per_level.filter(|_| levels > 0).map(|more| times(more, levels)) else {
        return (dice, None);
    };
    let bonus = dice.bonus.saturating_add(more.bonus);
    if more.count == 0 || more.sides == dice.sides {
        (Dice { count: dice.count.saturating_add(more.count), bonus, ..dice }, None)
    } else if dice.count == 0 {
        (Dice { bonus, ..more }, None)
    } else {
        (dice, Some(more))
    }
}

/// By how much a cantrip's dice are multiplied: 2 from level 5, 3 from 11, 4 from 17 (SRD 5.1,
/// "Spell Descriptions").
pub const fn cantrip_times(level: u8) -> u8 {
    match level {
        0..=4 => 1,
        5..=10 => 2,
        11..=16 => 3,
        17.. => 4,
    }
}

/// How many spells who prepares has ready: the modifier and the level, half of it for who casts by
/// half, at least one; none for those who do not cast (SRD 5.1, "Classes", Cleric, Paladin).
pub fn prepared_count(casting: Casting, level: u8, modifier: i32) -> i32 {
    let level = i32::from(level);
    match casting {
        Casting::None => 0,
        Casting::Half if level < 2 => 0,
        Casting::Half => (modifier + level / 2).max(1),
        Casting::Full | Casting::Pact => (modifier + level).max(1),
    }
}

/// How many are known at a level, by a list of levels 1 to 20; 0 where the list has none.
pub fn known_count(by_level: &[u8], level: u8) -> u8 {
    let at = usize::from(level.clamp(1, 20)) - 1;
    by_level.get(at).copied().unwrap_or(0)
}

/// The highest level of spells that can be learned or prepared, 0 for none.
pub fn highest_spell_level(casting: Casting, level: u8) -> u8 {
    let slots = slots_at(casting, level);
    (1..=SPELL_LEVEL_MAX).rev().find(|level| slots[usize::from(*level) - 1] > 0).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn slots_come_with_levels() {
        for (casting, level, expected) in [
            (Casting::None, 20, [0; 9]),
            (Casting::Full, 1, [2, 0, 0, 0, 0, 0, 0, 0, 0]),
            (Casting::Full, 20, [4, 3, 3, 3, 3, 2, 2, 1, 1]),
            (Casting::Half, 1, [0; 9]),
            (Casting::Half, 2, [2, 0, 0, 0, 0, 0, 0, 0, 0]),
            (Casting::Half, 5, [4, 2, 0, 0, 0, 0, 0, 0, 0]),
            (Casting::Half, 20, [4, 3, 3, 3, 2, 0, 0, 0, 0]),
            (Casting::Pact, 1, [1, 0, 0, 0, 0, 0, 0, 0, 0]),
            (Casting::Pact, 5, [0, 0, 2, 0, 0, 0, 0, 0, 0]),
            (Casting::Pact, 11, [0, 0, 0, 0, 3, 0, 0, 0, 0]),
            (Casting::Pact, 20, [0, 0, 0, 0, 4, 0, 0, 0, 0]),
        ] {
            assert_eq!(slots_at(casting, level), expected, "{casting:?} {level}");
        }
        for casting in Casting::ALL {
            for level in 1..20 {
                let highest = highest_spell_level(*casting, level);
                assert!(highest <= highest_spell_level(*casting, level + 1));
            }
        }
    }

    #[test]
    fn slots_are_spent_and_come_back() {
        let mut slots = Slots::new(Casting::Full, 3);
        assert_eq!(slots.spend(2, 1), Err(NoSlot::Level));
        assert_eq!(slots.spend(1, 3), Err(NoSlot::Level));
        assert_eq!(slots.spend(1, 10), Err(NoSlot::Level));
        assert_eq!((slots.spend(1, 2), slots.spend(2, 2)), (Ok(()), Ok(())));
        assert_eq!(slots.spend(2, 2), Err(NoSlot::Spent));
        assert_eq!(slots.spend(0, 0), Ok(()));
        assert_eq!((slots.lowest_for(1), slots.lowest_for(2)), (Some(1), None));
        slots.grow(slots_at(Casting::Full, 4));
        assert_eq!(slots.left[1], 1);
        assert!(slots.regain(2) && slots.regain(2) && !slots.regain(2));
        assert!(!slots.regain(0) && !slots.regain(10));
        assert_eq!(slots.left, slots.max);
    }

    #[test]
    fn spells_grow_with_the_slot() {
        let dice = |text: &str| text.parse::<Dice>().expect("dice");
        for (base, more, level, slot, expected, besides) in [
            ("8d6", Some("1d6"), 3, 5, "10d6", None),
            ("3d8", Some("1d6"), 1, 3, "3d8", Some("2d6")),
            ("70", Some("10"), 6, 8, "90", None),
            ("1d8", None, 1, 9, "1d8", None),
            ("1d8", Some("1d8"), 1, 1, "1d8", None),
        ] {
            let got = upcast(dice(base), more.map(dice), level, slot);
            assert_eq!(got, (dice(expected), besides.map(dice)), "{base}");
        }
        let levels = [1, 4, 5, 10, 11, 16, 17, 20].map(cantrip_times);
        assert_eq!(levels, [1, 1, 2, 2, 3, 3, 4, 4]);
    }

    #[test]
    fn spells_are_prepared_and_known() {
        for (casting, level, modifier, expected) in [
            (Casting::Full, 5, 3, 8),
            (Casting::Full, 1, -2, 1),
            (Casting::Half, 1, 3, 0),
            (Casting::Half, 5, 3, 5),
            (Casting::None, 5, 3, 0),
        ] {
            assert_eq!(prepared_count(casting, level, modifier), expected);
        }
        assert_eq!((known_count(&[4, 5], 2), known_count(&[4, 5], 3)), (5, 0));
    }

    proptest! {
        #[test]
        fn slots_stay_between_none_and_all(
            level in 1_u8..=20,
            casting in prop::sample::select(Casting::ALL),
            steps in prop::collection::vec((any::<bool>(), 0_u8..12, 0_u8..12), 0..60),
        ) {
            let mut slots = Slots::new(casting, level);
            for (spends, one, other) in steps {
                let before: u32 = slots.left.iter().copied().map(u32::from).sum();
                let spent = if spends { slots.spend(one, other).is_ok() && one > 0 } else { false };
                let back = !spends && slots.regain(one);
                let after: u32 = slots.left.iter().copied().map(u32::from).sum();
                prop_assert_eq!(after + u32::from(spent), before + u32::from(back));
                prop_assert!(slots.left.iter().zip(slots.max).all(|(left, max)| *left <= max));
            }
        }
    }
}
