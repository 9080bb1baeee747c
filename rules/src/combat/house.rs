//! The house's numbers: what a realm's content makes of the table game's.
//!
//! Keeps true: everything here is a setting or a switch of content, read once for a decision.

use crate::content::Action;
use crate::content::book::Book;

/// What a fight asks of the balance. Times are milliseconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(clippy::struct_excessive_bools, reason = "switches that are asked for one by one")]
pub struct House {
    /// Percent of what players do to creatures.
    pub damage_percent: i64,
    /// Percent of what creatures do to players.
    pub creature_damage_percent: i64,
    /// Percent of what players do to players.
    pub pvp_damage_percent: i64,
    /// Percent of what heals.
    pub healing_percent: i64,
    /// From one action to the next.
    pub action_millis: i64,
    /// From one bonus action to the next.
    pub bonus_action_millis: i64,
    /// From one reaction to the next.
    pub reaction_millis: i64,
    /// Between any two abilities.
    pub global_cooldown_millis: i64,
    /// A round.
    pub round_millis: i64,
    /// From one death save to the next.
    pub death_save_millis: i64,
    /// What a death save must reach.
    pub death_save_difficulty: i32,
    /// How many death saves of either kind decide.
    pub death_saves_needed: u8,
    /// Least that a save for concentration must reach.
    pub concentration_difficulty_min: i32,
    /// Whether the best roll hits harder.
    pub critical_hits: bool,
    /// Whether a character without hit points rolls for its life.
    pub death_saves: bool,
    /// Whether areas hurt friends.
    pub friendly_fire: bool,
    /// Whether damage may break concentration.
    pub concentration: bool,
    /// Whether two on opposite sides of an enemy have advantage.
    pub flanking: bool,
    /// Whether the dead can be brought back.
    pub resurrection: bool,
    /// Whether abilities may bring creatures.
    pub summoning: bool,
    /// Whether players may fight players anywhere.
    pub pvp: bool,
    /// Whether they may not near the spawn of a world all the same.
    pub safe_settlements: bool,
    /// How near that is, millimetres.
    pub safe_radius_mm: u32,
}

impl House {
    /// As content has it.
    pub fn of(book: &Book) -> Self {
        let number = |key: &str| i32::try_from(book.setting(key)).unwrap_or(i32::MAX);
        Self {
            damage_percent: book.setting("damage_percent"),
            creature_damage_percent: book.setting("creature_damage_percent"),
            pvp_damage_percent: book.setting("pvp_damage_percent"),
            healing_percent: book.setting("healing_percent"),
            action_millis: book.setting("attack_millis"),
            bonus_action_millis: book.setting("bonus_action_millis"),
            reaction_millis: book.setting("reaction_millis"),
            global_cooldown_millis: book.setting("global_cooldown_millis"),
            round_millis: book.setting("round_millis"),
            death_save_millis: book.setting("death_save_millis"),
            death_save_difficulty: number("death_save_difficulty"),
            death_saves_needed: u8::try_from(number("death_saves_needed")).unwrap_or(u8::MAX),
            concentration_difficulty_min: number("concentration_difficulty_min"),
            critical_hits: book.switch("critical_hits"),
            death_saves: book.switch("death_saves"),
            friendly_fire: book.switch("friendly_fire"),
            concentration: book.switch("concentration"),
            flanking: book.switch("flanking"),
            resurrection: book.switch("resurrection"),
            summoning: book.switch("summoning"),
            pvp: book.switch("pvp"),
            safe_settlements: book.switch("safe_settlements"),
            safe_radius_mm: u32::try_from(book.setting("safe_radius_mm")).unwrap_or(0),
        }
    }

    /// How long until what an ability took of a turn is back.
    pub const fn turn_millis(&self, action: Action) -> i64 {
        match action {
            Action::Action => self.action_millis,
            Action::BonusAction => self.bonus_action_millis,
            Action::Reaction => self.reaction_millis,
            Action::Free => 0,
        }
    }

    /// Percent of damage that one does to another.
    pub const fn percent(&self, is_by_player: bool, is_to_player: bool) -> i64 {
        match (is_by_player, is_to_player) {
            (true, true) => self.pvp_damage_percent,
            (true, false) => self.damage_percent,
            (false, true) => self.creature_damage_percent,
            (false, false) => 100,
        }
    }
}

/// So many percent of something, rounded down; what is above 0 stays at least 1 unless the percent
/// is 0.
pub fn percent_of(amount: i32, percent: i64) -> i32 {
    let scaled = i64::from(amount).saturating_mul(percent.max(0)) / 100;
    let least = i64::from(amount > 0 && percent > 0);
    i32::try_from(scaled.max(least)).unwrap_or(i32::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::combat::stage::{book, house};

    #[test]
    fn percents_are_rounded_down_and_leave_nothing_at_nothing() {
        for (amount, percent, expected) in [
            (10, 100, 10),
            (10, 150, 15),
            (7, 50, 3),
            (1, 50, 1),
            (1, 1, 1),
            (10, 0, 0),
            (10, -5, 0),
            (0, 1_000, 0),
            (-5, 100, 0),
            (i32::MAX, 1_000, i32::MAX),
            (i32::MAX, i64::MAX, i32::MAX),
            (i32::MIN, i64::MAX, 0),
        ] {
            assert_eq!(percent_of(amount, percent), expected, "{percent} percent of {amount}");
        }
    }

    #[test]
    fn each_pair_has_its_percent_and_each_action_its_time() {
        let house = House {
            damage_percent: 1,
            creature_damage_percent: 2,
            pvp_damage_percent: 3,
            action_millis: 4,
            bonus_action_millis: 5,
            reaction_millis: 6,
            ..house()
        };
        let pairs = [(true, false), (false, true), (true, true), (false, false)];
        let percents = pairs.map(|(by_player, to_player)| house.percent(by_player, to_player));
        assert_eq!(percents, [1, 2, 3, 100]);
        let times: Vec<i64> = Action::ALL.iter().map(|action| house.turn_millis(*action)).collect();
        assert_eq!(times, [4, 5, 6, 0]);
    }

    #[test]
    fn the_shipped_house_is_that_of_the_table_game() {
        let house = house();
        assert_eq!(house, House::of(book()));
        assert_eq!((house.round_millis, house.action_millis), (6_000, 6_000));
        assert_eq!((house.death_save_difficulty, house.death_saves_needed), (10, 3));
        assert_eq!((house.concentration_difficulty_min, house.healing_percent), (10, 100));
        assert!(house.critical_hits && house.death_saves && !house.pvp && !house.flanking);
    }
}
