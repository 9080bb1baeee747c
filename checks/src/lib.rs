//! What holds in every state of a realm's database, whatever was called before.
//!
//! Keeps true: a rule is checked over all rows as of one transaction, while others play; a rule
//! that is broken is told with the rows that break it. Nothing is changed.
//! Leaves out on purpose: mending.

mod combat;
mod ground;
mod invariants;
mod snapshot;

pub use ground::segment;
pub use snapshot::{Declarations, ReadError, Snapshot, instant, number, text};

use std::fmt;

/// A rule that does not hold.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Broken {
    /// The rule.
    pub rule: &'static str,
    /// What breaks it.
    pub rows: Vec<String>,
}

impl fmt::Display for Broken {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "broken: {}: {:?}", self.rule, self.rows)
    }
}

/// A rule's name, and what finds the rows that break it.
type Rule = (&'static str, fn(&Snapshot) -> Vec<String>);

/// Each rule once, in the order they are checked.
pub fn rules() -> impl Iterator<Item = &'static str> {
    let ground = std::iter::once(ground::RULE.0);
    let all = invariants::RULES.iter().chain(&combat::RULES);
    all.map(|(rule, _)| *rule).chain(ground)
}

/// Every rule but that about land.
pub fn check(now: &Snapshot) -> Vec<Broken> {
    [check_all(now, &invariants::RULES), check_all(now, &combat::RULES)].concat()
}

/// Whether everybody stands where one can stand: at the start of his segment, now, and at its end.
/// It does not hold while an administrator lays another land under those who play.
pub fn check_ground(now: &Snapshot) -> Vec<Broken> {
    check_all(now, &[ground::RULE])
}

fn check_all(now: &Snapshot, rules: &[Rule]) -> Vec<Broken> {
    let found = rules.iter().map(|(rule, find)| Broken { rule, rows: find(now) });
    found.filter(|broken| !broken.rows.is_empty()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};

    /// Rows of a database that nobody was ever in.
    fn empty() -> Snapshot {
        let mut now = Snapshot::default();
        now.insert("world_config", json!({ "world": 0 }));
        now.insert("realm_population", json!({ "online": 0 }));
        now
    }

    fn broken_by(table: &str, row: Value) -> Vec<&'static str> {
        let mut now = empty();
        now.insert(table, row);
        check(&now).iter().map(|broken| broken.rule).collect()
    }

    #[test]
    fn a_database_that_nobody_was_in_breaks_no_rule() {
        assert_eq!(check(&empty()), []);
        assert_eq!(check_ground(&empty()), []);
    }

    #[test]
    fn each_kind_of_stray_row_breaks_its_rule() {
        let present = json!({ "character_id": 7, "account_id": 1 });
        let connected = json!({ "identity": "x", "account_id": 1 });
        let instance = json!({ "world": 9, "players": 1 });
        let counted = json!({ "region_index": 3, "players": 2 });
        let body = json!({ "entity_id": 7, "hit_points": 3, "hit_points_max": 2, "vital": 0 });
        for (table, row, rule) in [
            ("character_presence", present, 0),
            ("motion_path", json!({ "entity_id": 7 }), 1),
            ("region_count", counted, 2),
            ("account_session", json!({ "session_id": 1, "account_id": 5 }), 3),
            ("character_position", json!({ "character_id": 7 }), 4),
            ("realm_connection", connected, 5),
            ("instance", instance, 6),
            ("terrain_block", json!({ "world": 9 }), 7),
            ("content_def", json!({ "kind": "switch", "key": "pvp", "body": "{}" }), 8),
            ("combatant", body, 9),
            ("combat_effect", json!({ "entity_id": 7 }), 10),
            ("combat_threat", json!({ "creature_id": 7, "entity_id": 8 }), 11),
            ("dice_secret", json!({ "day": 3 }), 12),
        ] {
            let rule = rules().nth(rule).expect("a rule");
            assert!(broken_by(table, row).contains(&rule), "{table}: {rule}");
        }
    }
}
