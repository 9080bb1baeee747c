//! The rules about coins, trades and vendors.

use crate::Rule;
use crate::invariants::{count_by, set, strays};
use crate::snapshot::{Snapshot, number};
use haven_rules::economy::{CauseKind, PurseKind, cause_of};
use haven_rules::items::{FLAG_OFFERED, HolderKind};
use std::collections::{BTreeMap, BTreeSet};

pub(crate) const RULES: [Rule; 5] = [
    ("an account holds what its fold and its entries add up to", accounts),
    ("what sources gave is held or was taken", totals),
    ("entries belong to causes and to two accounts", entries),
    ("trades have two sides that agree, and mark what is offered", trades),
    ("shelves belong to vendors, and what can be bought back lies there", vendors),
];

/// Copper of an account: less than nothing for a source.
fn held(row: &serde_json::Value) -> i128 {
    let copper = i128::from(number(row, "copper"));
    if number(row, "kind") == PurseKind::Source as u64 { -copper } else { copper }
}

fn accounts(now: &Snapshot) -> Vec<String> {
    let mut sums: BTreeMap<u64, i128> = BTreeMap::new();
    for row in now.rows("ledger_fold") {
        let sum = sums.entry(number(row, "ledger_account_id")).or_default();
        *sum += i128::from(number(row, "copper_in")) - i128::from(number(row, "copper_out"));
    }
    for row in now.rows("ledger_entry") {
        let copper = i128::from(number(row, "copper"));
        *sums.entry(number(row, "from_account_id")).or_default() -= copper;
        *sums.entry(number(row, "to_account_id")).or_default() += copper;
    }
    let rows = now.rows("ledger_account").iter();
    let sum = |row| sums.get(&number(row, "ledger_account_id")).copied().unwrap_or_default();
    let differing = rows.filter(|row| held(row) != sum(row));
    differing.map(|row| format!("{row}, its entries: {}", sum(row))).collect()
}

fn totals(now: &Snapshot) -> Vec<String> {
    let mut found = strays(
        now,
        "ledger_fold",
        "ledger_account_id",
        &set(now, "ledger_account", "ledger_account_id"),
    );
    let sum: i128 = now.rows("ledger_account").iter().map(held).sum();
    if sum != 0 {
        found.push(format!("{sum} copper too many"));
    }
    found
}

fn entries(now: &Snapshot) -> Vec<String> {
    let accounts = set(now, "ledger_account", "ledger_account_id");
    let mut found = strays(now, "ledger_entry", "from_account_id", &accounts);
    found.extend(strays(now, "ledger_entry", "to_account_id", &accounts));
    let causes = set(now, "ledger_cause", "cause_id");
    for (table, column) in [("ledger_entry", "entry_key"), ("item_history", "history_key")] {
        let rows = now.rows(table).iter();
        let lost = rows.filter(|row| !causes.contains(&cause_of(number(row, column))));
        found.extend(lost.map(|row| format!("{table} without a cause: {row}")));
    }
    found.extend(strays(now, "ledger_reversal", "by_cause_id", &causes));
    let is_reversal = |row: &&serde_json::Value| number(row, "kind") == CauseKind::Reverse as u64;
    for row in now.rows("ledger_cause").iter().filter(|row| number(row, "reverses") != 0) {
        if !is_reversal(&row) {
            found.push(format!("takes something back, but is no reversal: {row}"));
        }
    }
    found
}

fn trades(now: &Snapshot) -> Vec<String> {
    let trades = set(now, "trade", "trade_id");
    let mut found = strays(now, "trade_side", "trade_id", &trades);
    let sides = count_by(now.column("trade_side", "trade_id"));
    let alone = trades.iter().filter(|trade_id| sides.get(trade_id) != Some(&2));
    found.extend(alone.map(|trade_id| format!("trade {trade_id} has no two sides")));
    let of_other = |row: &serde_json::Value| {
        let other = number(row, "other_id");
        now.rows("trade_side").iter().find(|side| number(side, "character_id") == other)
    };
    for row in now.rows("trade_side") {
        let agrees = of_other(row).is_some_and(|other| {
            row["revision"] == other["revision"]
                && row["is_open"] == other["is_open"]
                && row["has_asked"] != other["has_asked"]
                && row["copper"] == other["other_copper"]
                && row["is_locked"] == other["other_is_locked"]
                && row["has_confirmed"] == other["other_has_confirmed"]
        });
        if !agrees {
            found.push(format!("trade_side {row}"));
        }
    }
    let own = |is_own: bool| -> BTreeSet<u64> {
        let rows = now.rows("trade_offer").iter().filter(|row| row["is_own"] == is_own);
        rows.map(|row| number(row, "item_id")).collect()
    };
    let marked = now.rows("item").iter();
    let marked = marked.filter(|row| number(row, "flags") & u64::from(FLAG_OFFERED) != 0);
    let marked: BTreeSet<u64> = marked.map(|row| number(row, "item_id")).collect();
    if own(true) != marked || own(false) != marked {
        found.push(format!("offered {:?}, seen {:?}, marked {marked:?}", own(true), own(false)));
    }
    found
}

fn vendors(now: &Snapshot) -> Vec<String> {
    let vendors = set(now, "vendor", "vendor_id");
    let mut found = strays(now, "vendor_shelf", "vendor_id", &vendors);
    if set(now, "vendor_due", "vendor_id") != vendors {
        found.push("vendors that are never looked at, or looked at and not there".to_owned());
    }
    let containers = now.rows("item_container").iter();
    let containers = containers.filter(|row| number(row, "kind") == HolderKind::BuyBack as u64);
    let owners: BTreeMap<u64, u64> =
        containers.map(|row| (number(row, "container_id"), number(row, "owner_id"))).collect();
    let lying = now.rows("item").iter().filter_map(|row| {
        let owner = owners.get(&(number(row, "place_key") >> 16))?;
        Some((number(row, "item_id"), *owner))
    });
    let lying: BTreeSet<(u64, u64)> = lying.collect();
    let offers = now.rows("vendor_buy_back_offer").iter();
    let offers: BTreeSet<(u64, u64)> =
        offers.map(|row| (number(row, "item_id"), number(row, "character_id"))).collect();
    if lying != offers {
        let differing: Vec<_> = lying.symmetric_difference(&offers).collect();
        found.push(format!("to be bought back: {differing:?}"));
    }
    found
}
