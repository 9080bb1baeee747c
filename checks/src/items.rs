//! The rules about stacks, what they lie in, and what was ever made of them.

use crate::Rule;
use crate::invariants::{set, strays};
use crate::snapshot::{Snapshot, number, text};
use haven_rules::content::book::Book;
use haven_rules::content::versions::StoredEntry;
use haven_rules::items::worn::{slots_of, wear_of};
use haven_rules::items::{HolderKind, place_parts};
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};

/// The rules about goods.
pub(crate) const RULES: [Rule; 5] = [
    ("a stack has a slot of its own in a container that is there", places),
    ("what there is of a kind is what was made and is not gone", tallies),
    ("a stack is no higher than its kind stacks, and put on where it fits", shapes),
    ("containers have owners, and numbers that are not free", containers),
    ("what was destroyed or lies on the dead has all its rows", endings),
];

fn kind_of(row: &Value) -> Option<HolderKind> {
    u8::try_from(number(row, "kind")).ok().and_then(HolderKind::of)
}

/// The container and the slot of each stack.
fn placed(now: &Snapshot) -> impl Iterator<Item = (u64, u16, &Value)> {
    now.rows("item").iter().map(|row| {
        let (container_id, slot) = place_parts(number(row, "place_key"));
        (container_id, slot, row)
    })
}

fn by_id(now: &Snapshot) -> BTreeMap<u64, &Value> {
    now.rows("item_container").iter().map(|row| (number(row, "container_id"), row)).collect()
}

fn places(now: &Snapshot) -> Vec<String> {
    let containers = by_id(now);
    let mut taken = BTreeSet::new();
    let mut found = vec![];
    for (container_id, slot, row) in placed(now) {
        let container = containers.get(&container_id);
        let is_within =
            container.is_some_and(|container| u64::from(slot) < number(container, "slots"));
        let is_seen = container.is_some_and(|container| container["viewer"] == row["viewer"]);
        if !taken.insert((container_id, slot)) || !is_within || !is_seen {
            found.push(format!("item {row}"));
        }
    }
    found
}

fn tallies(now: &Snapshot) -> Vec<String> {
    let mut there: BTreeMap<&str, u64> = BTreeMap::new();
    for row in now.rows("item") {
        *there.entry(text(row, "def")).or_default() += number(row, "count");
    }
    let mut found = vec![];
    for row in now.rows("item_tally") {
        let count = there.remove(text(row, "def")).unwrap_or(0);
        if number(row, "gone").checked_add(count) != Some(number(row, "made")) {
            found.push(format!("{count} there, item_tally {row}"));
        }
    }
    found.extend(there.iter().map(|(def, count)| format!("{count} of {def} were never made")));
    found
}

/// What of the content in force is about goods.
fn book_of(now: &Snapshot) -> Book {
    let stored = |row: &Value| StoredEntry {
        kind: text(row, "kind").to_owned(),
        key: text(row, "key").to_owned(),
        body: text(row, "body").to_owned(),
    };
    let kinds = ["item", "weapon", "armor"];
    let rows = now.rows("content_def").iter().map(stored);
    Book::of(rows.filter(|entry| kinds.contains(&entry.kind.as_str()))).0
}

/// Of kinds that the content in force does not know nothing is asked.
fn shapes(now: &Snapshot) -> Vec<String> {
    let (book, containers) = (book_of(now), by_id(now));
    let mut found = vec![];
    for (container_id, slot, row) in placed(now) {
        let def = book.item(text(row, "def"));
        let stack_max = def.map_or(u64::from(u32::MAX), |def| u64::from(def.stack_max));
        let is_worn =
            containers.get(&container_id).copied().and_then(kind_of) == Some(HolderKind::Equipment);
        let fits = def.is_none_or(|def| {
            wear_of(def, &book).is_some_and(|wear| slots_of(wear).contains(&slot))
        });
        if !(1..=stack_max).contains(&number(row, "count")) || (is_worn && !fits) {
            found.push(format!("item {row}"));
        }
    }
    found
}

fn containers(now: &Snapshot) -> Vec<String> {
    let characters = set(now, "character", "character_id");
    let mut full: BTreeSet<u64> = placed(now).map(|(container_id, ..)| container_id).collect();
    let free = set(now, "item_container_free", "container_id");
    let mut found = vec![];
    for row in now.rows("item_container") {
        let container_id = number(row, "container_id");
        let kind = kind_of(row);
        let is_characters =
            matches!(kind, Some(HolderKind::Bag | HolderKind::Equipment | HolderKind::BuyBack));
        let has_owner = !is_characters || characters.contains(&number(row, "owner_id"));
        let may_be_bare = kind.is_some_and(HolderKind::is_own);
        let is_full = full.remove(&container_id);
        if !has_owner || !(is_full || may_be_bare) || free.contains(&container_id) {
            found.push(format!("item_container {row}"));
        }
    }
    for table in ["item_outfit", "item_work"] {
        found.extend(strays(now, table, "character_id", &characters));
    }
    found
}

fn endings(now: &Snapshot) -> Vec<String> {
    let containers = by_id(now);
    let mut destroyed = set(now, "item_destroyed", "item_id");
    let loots = set(now, "loot", "loot_id");
    let items = set(now, "item", "item_id");
    let mut found = vec![];
    for (container_id, _, row) in placed(now) {
        let Some(container) = containers.get(&container_id) else { continue };
        let is_known = match kind_of(container) {
            Some(HolderKind::Destroyed) => destroyed.remove(&number(row, "item_id")),
            Some(HolderKind::Loot) => loots.contains(&number(container, "owner_id")),
            Some(_) | None => true,
        };
        if !is_known {
            found.push(format!("item {row}"));
        }
    }
    found.extend(destroyed.iter().map(|item_id| format!("item_destroyed {item_id}")));
    for table in ["loot_find", "loot_share", "loot_open_roll"] {
        found.extend(strays(now, table, "loot_id", &loots));
    }
    found.extend(strays(now, "loot_open_roll", "item_id", &items));
    found
}
