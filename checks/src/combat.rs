//! The rules about bodies, what lies on them, and dice.

use crate::Rule;
use crate::invariants::{count_by, set, strays};
use crate::snapshot::{Snapshot, number, text};
use std::collections::{BTreeMap, BTreeSet};

/// The rules about fights.
pub(crate) const RULES: [Rule; 4] = [
    ("bodies have hit points within their bounds, and all their rows", bodies),
    ("what lies on a body or waits for it has a body, and is counted", lying),
    ("creatures draw nobody who is gone, and belong to camps that are there", creatures),
    ("a day's secret is told when it is over, and kept while it is not", dice),
];

/// `combatant.vital` of the dead.
const DEAD: u64 = 3;

fn signed(row: &serde_json::Value, column: &str) -> i64 {
    row[column].as_i64().unwrap_or_else(|| panic!("{column} of {row}"))
}

fn bodies(now: &Snapshot) -> Vec<String> {
    let mut found = vec![];
    let blocks: BTreeMap<u64, u64> = now
        .rows("motion")
        .iter()
        .map(|row| (number(row, "entity_id"), number(row, "chunk_index")))
        .collect();
    let players = set(now, "character_presence", "character_id");
    let creatures = set(now, "creature", "entity_id");
    for row in now.rows("combatant") {
        let id = number(row, "entity_id");
        let (hit_points, max) = (signed(row, "hit_points"), signed(row, "hit_points_max"));
        let is_awake = number(row, "vital") == 0;
        let is_sound = max >= 1
            && (0..=max).contains(&hit_points)
            && is_awake == (hit_points > 0)
            && signed(row, "temporary_hit_points") >= 0
            && number(row, "vital") <= DEAD
            && blocks.get(&id) == Some(&number(row, "chunk_index"));
        let is_player = row["is_player"] == true;
        let belongs = if is_player { players.contains(&id) } else { creatures.contains(&id) };
        if !is_sound || !belongs {
            found.push(format!("combatant {row}"));
        }
    }
    let bodies = set(now, "combatant", "entity_id");
    let states = set(now, "combat_state", "entity_id");
    let differing = states.symmetric_difference(&bodies);
    found.extend(differing.map(|id| format!("combatant or combat_state without the other: {id}")));
    found
}

fn lying(now: &Snapshot) -> Vec<String> {
    let bodies = set(now, "combatant", "entity_id");
    let mut found = vec![];
    for table in [
        "combat_effect",
        "combat_deed",
        "combat_cast",
        "combat_due",
        "combat_cooldown",
        "combat_rest",
        "combat_duel",
    ] {
        found.extend(strays(now, table, "entity_id", &bodies));
    }
    found.extend(strays(now, "combat_cast", "entity_id", &set(now, "combat_deed", "entity_id")));
    found.extend(strays(now, "combat_duel", "other_id", &bodies));
    let lying = count_by(now.column("combat_effect", "entity_id"));
    for row in now.rows("combat_state") {
        let count = lying.get(&number(row, "entity_id")).copied().unwrap_or_default();
        // One that is over goes with its row in `combat_due`, a moment later.
        if count < number(row, "effects") || count > 32 + 8 {
            found.push(format!("{count} effects on combat_state {row}"));
        }
    }
    let doubled = count_by(now.column("combat_cast", "entity_id"));
    found
        .extend(doubled.iter().filter(|(_, n)| **n > 1).map(|(id, _)| format!("{id} casts twice")));
    found
}

fn creatures(now: &Snapshot) -> Vec<String> {
    let bodies = set(now, "combatant", "entity_id");
    let mut found = strays(now, "combat_threat", "creature_id", &bodies);
    found.extend(strays(now, "combat_threat", "entity_id", &bodies));
    found.extend(strays(now, "creature", "entity_id", &bodies));
    let mut camps = set(now, "camp", "camp_id");
    camps.insert(0);
    found.extend(strays(now, "creature", "camp_id", &camps));
    let dead: BTreeSet<u64> = now
        .rows("combatant")
        .iter()
        .filter(|row| number(row, "vital") == DEAD)
        .map(|row| number(row, "entity_id"))
        .collect();
    for row in now.rows("combat_threat") {
        if dead.contains(&number(row, "creature_id")) {
            found.push(format!("the dead are drawn: {row}"));
        }
    }
    found
}

fn dice(now: &Snapshot) -> Vec<String> {
    let kept = set(now, "dice_secret", "day");
    let mut found = strays(now, "dice_secret", "day", &set(now, "dice_day", "day"));
    for row in now.rows("dice_day") {
        let is_told = !text(row, "secret").is_empty();
        if is_told == kept.contains(&number(row, "day")) {
            found.push(format!("dice_day {}: told {is_told}", number(row, "day")));
        }
    }
    if kept.len() > 1 {
        found.push(format!("days {kept:?} run at once"));
    }
    found
}
