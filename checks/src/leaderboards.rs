//! The rules about leaderboards: seasons, records and the trees that count them.

use crate::Rule;
use crate::invariants::{set, strays};
use crate::snapshot::{Snapshot, number};
use haven_rules::leaderboards::tree::{Entry, Head, Key, Span, Store, audit};
use haven_rules::leaderboards::{Order, SeasonState, Standing};
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};

/// The rules about leaderboards.
pub(crate) const RULES: [Rule; 2] = [
    ("a board has the season that runs, and a season its tree", seasons),
    ("a tree counts each record of its season once, in its order", trees),
];

fn seasons(now: &Snapshot) -> Vec<String> {
    let kept = set(now, "board_season", "tree_id");
    let mut found = strays(now, "board", "tree_id", &kept);
    let trees = set(now, "board_tree", "tree_id");
    found.extend(kept.symmetric_difference(&trees).map(|id| format!("season or tree alone: {id}")));
    for table in ["board_top", "board_payout", "board_sweep"] {
        found.extend(strays(now, table, "tree_id", &kept));
    }
    let running = set(now, "board", "tree_id");
    for row in now.rows("board_season") {
        let runs = number(row, "state") == SeasonState::Running as u64;
        if runs != running.contains(&number(row, "tree_id")) {
            found.push(format!("board_season {row}"));
        }
    }
    found
}

/// A tree as its rows say.
#[derive(Default)]
struct Rows<'a> {
    shapes: BTreeMap<u64, &'a Value>,
    counts: BTreeMap<u64, &'a Value>,
    records: BTreeMap<Key, u64>,
}

impl Store for Rows<'_> {
    fn shape(&self, node_id: u32) -> Vec<u8> {
        self.shapes.get(&node_id.into()).map(|row| bytes(&row["shape"])).unwrap_or_default()
    }

    fn counts(&self, node_id: u32) -> Vec<u8> {
        self.counts.get(&node_id.into()).map(|row| bytes(&row["counts"])).unwrap_or_default()
    }

    fn put_shape(&self, _: u32, _: Vec<u8>, _: bool) {}

    fn put_counts(&self, _: u32, _: Vec<u8>, _: bool) {}

    fn remove(&self, _: u32) {}

    fn entries(&self, span: Span) -> Vec<Entry> {
        let within = self.records.range(span.from..);
        let within = within.take_while(|(key, _)| span.until.is_none_or(|until| **key < until));
        within.map(|(key, holder_id)| Entry { key: *key, holder_id: *holder_id }).collect()
    }
}

/// Bytes as JSON has them: a list of numbers, or their digits to the base of 16.
fn bytes(value: &Value) -> Vec<u8> {
    let of = |value: &Value| value.as_u64().and_then(|byte| u8::try_from(byte).ok());
    if let Some(list) = value.as_array() {
        return list.iter().filter_map(of).collect();
    }
    let text = value.as_str().unwrap_or_default();
    let digits: Vec<char> = text.trim_start_matches("0x").chars().collect();
    let byte = |pair: &[char]| u8::from_str_radix(&pair.iter().collect::<String>(), 16).ok();
    digits.chunks(2).filter_map(byte).collect()
}

fn narrow<T: TryFrom<u64>>(row: &Value, column: &str) -> T {
    let value = T::try_from(number(row, column)).ok();
    value.unwrap_or_else(|| panic!("{column} of {row} is too large"))
}

fn signed(row: &Value, column: &str) -> i64 {
    row[column].as_i64().unwrap_or_else(|| panic!("{column} of {row}"))
}

fn trees(now: &Snapshot) -> Vec<String> {
    let trees = set(now, "board_tree", "tree_id");
    let mut found = strays(now, "board_record", "tree_id", &trees);
    let part = |row: &Value| (number(row, "node_key") >> 32, number(row, "node_key") & 0xffff_ffff);
    let mut all: BTreeMap<u64, Rows<'_>> = BTreeMap::new();
    for row in now.rows("board_node") {
        let (tree_id, node_id) = part(row);
        all.entry(tree_id).or_default().shapes.insert(node_id, row);
    }
    for row in now.rows("board_count") {
        let (tree_id, node_id) = part(row);
        all.entry(tree_id).or_default().counts.insert(node_id, row);
    }
    let orders: BTreeMap<u64, Order> = now
        .rows("board_tree")
        .iter()
        .map(|row| (number(row, "tree_id"), Order::from_code(narrow(row, "order"))))
        .collect();
    let mut holders = BTreeSet::new();
    for row in now.rows("board_record") {
        let (tree_id, holder_id) = (number(row, "tree_id"), number(row, "holder_id"));
        let Some(order) = orders.get(&tree_id) else { continue };
        let standing = Standing { score: signed(row, "score"), subscore: signed(row, "subscore") };
        let key = order.key(standing, number(row, "sequence"));
        let records = &mut all.entry(tree_id).or_default().records;
        if records.insert(key, holder_id).is_some() || !holders.insert((tree_id, holder_id)) {
            found.push(format!("there twice: board_record {row}"));
        }
    }
    for row in now.rows("board_tree") {
        let tree_id = number(row, "tree_id");
        let Some(rows) = all.remove(&tree_id) else {
            found.push(format!("board_tree {row} has no nodes"));
            continue;
        };
        let head = Head {
            root: narrow(row, "root"),
            levels: narrow(row, "levels"),
            nodes: narrow(row, "nodes"),
        };
        let is_whole = rows.shapes.keys().eq(rows.counts.keys())
            && rows.shapes.contains_key(&head.root.into());
        if is_whole {
            let faults = audit(&rows, head);
            found.extend(faults.into_iter().map(|fault| format!("tree {tree_id}: {fault}")));
        } else {
            found.push(format!("tree {tree_id} lacks nodes or counts"));
        }
    }
    found.extend(all.into_keys().map(|tree_id| format!("nodes without a tree: {tree_id}")));
    found
}
