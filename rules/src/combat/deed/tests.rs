//! Deeds told word for word, with fixed dice: exactly those that are named are thrown.

use super::*;
use crate::combat::dice::Fixed;
use crate::combat::fighter::What;
use crate::combat::stage::{ability, book, foe, hero, house};
use crate::content::EffectDef;

mod besides;
mod spells;
mod strikes;

const NOW: i64 = 1_000_000;

/// Some fighters; the first does something, unless another is named.
struct Play {
    fighters: Vec<Fighter>,
    house: House,
    by: usize,
    slot_level: u8,
    now: i64,
}

impl Play {
    fn new(fighters: impl IntoIterator<Item = Fighter>) -> Self {
        let fighters = fighters.into_iter().collect();
        Self { fighters, house: house(), by: 0, slot_level: 0, now: NOW }
    }

    /// Uses a shipped ability with these dice, and expects these lines: whom, and what is told.
    fn check(&mut self, key: &str, targets: &[usize], dice: &[u8], expected: &[&str]) -> Told {
        self.check_with(ability(key), targets, dice, expected)
    }

    fn check_with(
        &mut self,
        ability: &AbilityDef,
        targets: &[usize],
        dice: &[u8],
        expected: &[&str],
    ) -> Told {
        let (house, now, slot_level) = (self.house, self.now, self.slot_level);
        let at = Point { x_mm: 7_000, y_mm: 7_000 };
        let deed = Deed { ability, slot_level, at, now, house: &house, book: book() };
        let mut fixed = Fixed::new(dice);
        let told = perform(&deed, &mut self.fighters, self.by, targets, &mut fixed);
        let line = |line: &Line| format!("{} {}", line.target_id, line.text);
        let lines: Vec<String> = told.lines.iter().map(line).collect();
        assert_eq!(lines, expected, "{}", ability.key);
        assert!(fixed.is_used_up(), "other dice than {dice:?}: {lines:?}");
        told
    }

    /// How many hit points they have.
    fn hit_points(&self) -> Vec<i32> {
        self.fighters.iter().map(|fighter| fighter.health.current).collect()
    }
}

/// A body so far east of the origin.
fn at(mut fighter: Fighter, x_mm: i32) -> Fighter {
    fighter.place = Point { x_mm, y_mm: 0 };
    fighter
}

/// A body that has lost hit points.
fn hurt(mut fighter: Fighter, amount: i32) -> Fighter {
    let blow = Blow { amount, is_critical: false, is_sparing: false };
    fighter.health.hurt(&blow, fighter.sheet.fate);
    fighter
}

/// What lies on a body, by the key of its ability.
fn lying(fighter: &Fighter) -> Vec<&str> {
    fighter.effects.iter().map(|effect| effect.ability.as_str()).collect()
}

/// Something that lies on a body for a minute.
fn lies(mut fighter: Fighter, key: &str, by: u64, what: What) -> Fighter {
    let effect = Effect {
        effect_id: 0,
        ability: key.to_owned(),
        by,
        what,
        ends_at: NOW + 60_000,
        next_at: i64::MAX,
        every_millis: 0,
        save: None,
        is_concentration: ability(key).concentration,
    };
    assert!(fighter.lay(effect, Stacking::Both));
    fighter
}

/// A body that concentrates on something that lies on itself.
fn concentrating(fighter: Fighter, key: &str) -> Fighter {
    let by = fighter.entity_id;
    let mut fighter = lies(fighter, key, by, What::Modifier(Stat::ArmorClass, 2));
    key.clone_into(&mut fighter.concentrates_on);
    fighter
}
