//! Threat: whom a creature turns to, who contributed to its end, and who may take from it.
//!
//! Keeps true: a list is bounded; contributions only grow. Healing counts half as much as damage,
//! for threat and contribution alike. The SRD leaves both to the one who runs the game: the
//! numbers are the house's own. Leaves out on purpose: what is taken.

/// Most that one creature keeps in mind; the least of them gives way to a new one.
pub const ENTRIES_MAX: usize = 40;
/// Another must have so many percent of the target's threat to be turned to.
pub const SWITCH_PERCENT: u64 = 110;
/// Who contributed so many percent of the most has a right to take.
pub const LOOT_PERCENT: u64 = 10;

/// Somebody a creature keeps in mind.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Entry {
    /// Who.
    pub entity_id: u64,
    /// How much it draws the creature.
    pub threat: u64,
    /// How much it did: damage, and half of healing.
    pub contribution: u64,
}

/// All that a creature keeps in mind, in no order.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Threat {
    entries: Vec<Entry>,
}

impl Threat {
    /// Of rows; what is beyond the bound is dropped.
    pub fn new(mut entries: Vec<Entry>) -> Self {
        entries.truncate(ENTRIES_MAX);
        Self { entries }
    }

    /// All of them.
    pub fn entries(&self) -> &[Entry] {
        &self.entries
    }

    fn entry(&mut self, entity_id: u64) -> &mut Entry {
        let found = self.entries.iter().position(|entry| entry.entity_id == entity_id);
        let at = found.unwrap_or_else(|| self.make_room());
        if found.is_none() {
            self.entries.insert(at, Entry { entity_id, threat: 0, contribution: 0 });
        }
        &mut self.entries[at]
    }

    /// Where a new one goes; who contributed least, and then threatens least, leaves.
    fn make_room(&mut self) -> usize {
        if self.entries.len() >= ENTRIES_MAX {
            let rank = |entry: &Entry| (entry.contribution, entry.threat);
            let least = (0..self.entries.len()).min_by_key(|at| rank(&self.entries[*at]));
            self.entries.remove(least.unwrap_or(0));
        }
        self.entries.len()
    }

    fn add(&mut self, entity_id: u64, threat: u64, contribution: u64) {
        let entry = self.entry(entity_id);
        entry.threat = entry.threat.saturating_add(threat);
        entry.contribution = entry.contribution.saturating_add(contribution);
    }

    /// Somebody hurt it.
    pub fn hurt(&mut self, entity_id: u64, damage: u32) {
        self.add(entity_id, damage.into(), damage.into());
    }

    /// Somebody healed one of those it fights.
    pub fn heal(&mut self, entity_id: u64, healed: u32) {
        self.add(entity_id, u64::from(healed / 2), u64::from(healed / 2));
    }

    /// Somebody came near or helped: threat that is no contribution.
    pub fn draw(&mut self, entity_id: u64, threat: u32) {
        self.add(entity_id, threat.into(), 0);
    }

    /// Somebody taunts: its threat is that of the highest, and more.
    pub fn taunt(&mut self, entity_id: u64, more: u32) {
        let highest = self.entries.iter().map(|entry| entry.threat).max().unwrap_or(0);
        let entry = self.entry(entity_id);
        entry.threat = highest.saturating_add(more.into());
    }

    /// Somebody is gone or dead: it draws no more, what it did still counts.
    pub fn forget(&mut self, entity_id: u64) {
        for entry in self.entries.iter_mut().filter(|entry| entry.entity_id == entity_id) {
            entry.threat = 0;
        }
    }

    /// Whom it turns to: the highest of those it can reach, the lower id of equals; it stays with
    /// `current` until another has a tenth more. None where nobody draws it.
    pub fn target(&self, current: Option<u64>, can_reach: impl Fn(u64) -> bool) -> Option<u64> {
        let drawn = |entry: &&Entry| entry.threat > 0 && can_reach(entry.entity_id);
        let rank = |entry: &&Entry| (entry.threat, std::cmp::Reverse(entry.entity_id));
        let top = self.entries.iter().filter(drawn).max_by_key(rank)?;
        let kept = self.entries.iter().filter(drawn).find(|entry| Some(entry.entity_id) == current);
        let stays = kept.filter(|kept| {
            let (top, kept) = (u128::from(top.threat), u128::from(kept.threat));
            top * 100 < kept * u128::from(SWITCH_PERCENT)
        });
        Some(stays.unwrap_or(top).entity_id)
    }

    /// Who may take from it: all who did at least a tenth of what the foremost did, by id.
    pub fn loot_rights(&self) -> Vec<u64> {
        let most = self.entries.iter().map(|entry| entry.contribution).max().unwrap_or(0);
        let has_right = |entry: &&Entry| {
            let (done, most) = (u128::from(entry.contribution), u128::from(most));
            done > 0 && done * 100 >= most * u128::from(LOOT_PERCENT)
        };
        let mut ids: Vec<u64> =
            self.entries.iter().filter(has_right).map(|entry| entry.entity_id).collect();
        ids.sort_unstable();
        ids
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn it_turns_to_who_threatens_a_tenth_more() {
        let mut threat = Threat::default();
        assert_eq!(threat.target(None, |_| true), None);
        threat.hurt(1, 100);
        threat.heal(2, 218);
        assert_eq!(threat.target(None, |_| true), Some(2));
        assert_eq!(threat.target(Some(1), |_| true), Some(1));
        threat.draw(2, 1);
        assert_eq!(threat.target(Some(1), |_| true), Some(2));
        assert_eq!(threat.target(Some(1), |id| id != 2), Some(1));
        threat.taunt(3, 50);
        assert_eq!(threat.target(Some(2), |_| true), Some(3));
        threat.forget(3);
        assert_eq!(threat.target(Some(3), |_| true), Some(2));
    }

    #[test]
    fn who_did_enough_may_take() {
        let mut threat = Threat::default();
        threat.hurt(3, 200);
        threat.hurt(1, 19);
        threat.heal(2, 40);
        threat.draw(4, 999);
        assert_eq!(threat.loot_rights(), [2, 3]);
        assert!(Threat::default().loot_rights().is_empty());
    }

    proptest! {
        #[test]
        fn the_list_is_bounded_and_keeps_who_did_most(
            deeds in prop::collection::vec((0_u64..80, 1_u32..1_000), 1..200),
        ) {
            let mut threat = Threat::default();
            for (entity_id, damage) in &deeds {
                threat.hurt(*entity_id, *damage);
                prop_assert!(threat.entries().len() <= ENTRIES_MAX);
                prop_assert!(threat.entries().iter().any(|entry| entry.entity_id == *entity_id));
            }
            prop_assert!(!threat.loot_rights().is_empty());
        }
    }
}
