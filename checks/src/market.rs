//! The rules about auctions and orders: what they hold, where they wait, and who has them.

use crate::Rule;
use crate::invariants::{count_by, set, strays};
use crate::snapshot::{Snapshot, number};
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};

/// The rules about the market.
pub(crate) const RULES: [Rule; 3] = [
    ("auctions and orders hold what they say, and nothing is held for one that is gone", escrow),
    ("orders wait at their prices in a line, and the book is not crossed", book),
    ("what an account has of the market is counted, and is looked at in time", shares),
];

/// `rules::items::HolderKind` of auctions and orders.
const GOODS_OF: [u64; 2] = [4, 5];
/// `rules::economy::PurseKind` of auctions and orders.
const COINS_OF: [u64; 2] = [3, 4];

/// Pieces in the containers of a kind, by owner.
fn goods(now: &Snapshot, kind: u64) -> BTreeMap<u64, u64> {
    let containers: BTreeMap<u64, u64> = now
        .rows("item_container")
        .iter()
        .filter(|row| number(row, "kind") == kind)
        .map(|row| (number(row, "container_id"), number(row, "owner_id")))
        .collect();
    let mut goods: BTreeMap<u64, u64> = containers.values().map(|owner| (*owner, 0)).collect();
    for row in now.rows("item") {
        if let Some(owner) = containers.get(&(number(row, "place_key") >> 16)) {
            *goods.entry(*owner).or_default() += number(row, "count");
        }
    }
    goods
}

/// Coins of the accounts of a kind, by owner; those that are empty left out.
fn coins(now: &Snapshot, kind: u64) -> BTreeMap<u64, u64> {
    let rows = now.rows("ledger_account").iter();
    let rows = rows.filter(|row| number(row, "kind") == kind && number(row, "copper") > 0);
    rows.map(|row| (number(row, "owner_id"), number(row, "copper"))).collect()
}

fn escrow(now: &Snapshot) -> Vec<String> {
    let mut expected = [BTreeMap::new(), BTreeMap::new(), BTreeMap::new(), BTreeMap::new()];
    let bids: BTreeMap<u64, &Value> =
        now.rows("auction").iter().map(|row| (number(row, "auction_id"), row)).collect();
    for row in now.rows("auction_state") {
        let auction_id = number(row, "auction_id");
        let Some(auction) = bids.get(&auction_id) else { continue };
        expected[0].insert(auction_id, number(auction, "count"));
        let coins = number(row, "deposit_copper") + number(auction, "bid_copper");
        expected[2].insert(auction_id, coins);
    }
    for row in now.rows("market_order") {
        let order_id = number(row, "order_id");
        let remaining = number(row, "remaining");
        let (goods, coins) = (number(row, "goods_due"), number(row, "coins_due"));
        let (goods, coins) = if row["is_buy"] == true {
            (goods, coins + remaining * number(row, "price_copper"))
        } else {
            (goods + remaining, coins)
        };
        expected[1].insert(order_id, goods);
        expected[3].insert(order_id, coins);
    }
    for held in &mut expected {
        held.retain(|_, held| *held > 0);
    }
    let held = [
        goods(now, GOODS_OF[0]),
        goods(now, GOODS_OF[1]),
        coins(now, COINS_OF[0]),
        coins(now, COINS_OF[1]),
    ];
    let names = ["goods of auctions", "goods of orders", "coins of auctions", "coins of orders"];
    let mut found = vec![];
    for ((name, held), expected) in names.iter().zip(&held).zip(&expected) {
        let owners: BTreeSet<&u64> = held.keys().chain(expected.keys()).collect();
        for owner in owners {
            let (held, expected) = (held.get(owner), expected.get(owner));
            if held != expected {
                found.push(format!("{name} {owner}: {held:?}, expected {expected:?}"));
            }
        }
    }
    found
}

/// An item, a side and a price.
fn place(row: &Value) -> (u64, bool, u64) {
    (number(row, "market_item_id"), row["is_buy"] == true, number(row, "price_copper"))
}

fn book(now: &Snapshot) -> Vec<String> {
    let mut found = vec![];
    let mut waiting: BTreeMap<(u64, bool, u64), BTreeMap<u64, u64>> = BTreeMap::new();
    for row in now.rows("market_order").iter().filter(|row| number(row, "remaining") > 0) {
        let line = waiting.entry(place(row)).or_default();
        line.insert(number(row, "order_id"), number(row, "remaining"));
    }
    let links: BTreeMap<u64, (u64, u64)> = now
        .rows("market_order_link")
        .iter()
        .map(|row| (number(row, "order_id"), (number(row, "before"), number(row, "after"))))
        .collect();
    let mut stand = 0;
    for row in now.rows("market_level") {
        let line = waiting.remove(&place(row)).unwrap_or_default();
        let (mut order_id, mut last, mut count, mut orders) =
            (number(row, "first_order_id"), 0, 0, 0_u64);
        while let (Some(pieces), Some((before, after))) =
            (line.get(&order_id), links.get(&order_id))
        {
            if *before != last || order_id <= last {
                break;
            }
            (count, orders, last, order_id) = (count + pieces, orders + 1, order_id, *after);
        }
        let expected = (number(row, "count"), number(row, "orders"));
        let is_all = u64::try_from(line.len()) == Ok(orders);
        let is_last = order_id == 0 && last == number(row, "last_order_id");
        if !is_all || !is_last || (count, orders) != expected || orders == 0 {
            found.push(format!("market_level {row}: {line:?}"));
        }
        stand += orders;
    }
    found.extend(waiting.keys().map(|place| format!("no level for {place:?}")));
    if u64::try_from(links.len()) != Ok(stand) {
        found.push(format!("{} stand in lines, {stand} are served", links.len()));
    }
    found.extend(now.rows("market_item").iter().filter_map(|row| best(now, row)));
    found
}

/// What is wrong about an item's best prices.
fn best(now: &Snapshot, item: &Value) -> Option<String> {
    let item_id = number(item, "market_item_id");
    let levels = now.rows("market_level").iter().map(place);
    let prices = |is_buy: bool| {
        let of_item = levels.clone().filter(move |place| (place.0, place.1) == (item_id, is_buy));
        of_item.map(|place| place.2)
    };
    let (buy, sell) = (prices(true).max().unwrap_or(0), prices(false).min().unwrap_or(0));
    let is_crossed = buy > 0 && sell > 0 && buy >= sell;
    let told = (number(item, "buy_copper"), number(item, "sell_copper"));
    let auctions = now.rows("auction").iter();
    let auctions = auctions.filter(|row| row["def"] == item["def"]).count();
    let counts = u64::try_from(auctions) == Ok(number(item, "auctions"));
    (is_crossed || told != (buy, sell) || !counts)
        .then(|| format!("market_item {item}: {buy} is offered, {sell} asked, {auctions} auctions"))
}

fn shares(now: &Snapshot) -> Vec<String> {
    let auctions = set(now, "auction", "auction_id");
    let mut found = strays(now, "auction_state", "auction_id", &auctions);
    found.extend(strays(now, "auction_party", "auction_id", &auctions));
    for (table, due) in [("auction", "auction_due"), ("market_order", "market_order_due")] {
        let (rows, due_rows) = (now.rows(table).len(), now.rows(due).len());
        if rows != due_rows {
            found.push(format!("{rows} of {table}, {due_rows} of {due}"));
        }
    }
    if now.rows("auction_state").len() != auctions.len() {
        found.push("an auction without its state".to_owned());
    }
    let of_role = |sells: bool| {
        let parties = now.rows("auction_party").iter();
        let parties = parties.filter(move |row| (number(row, "role") == 1) == sells);
        count_by(parties.map(|row| number(row, "account_id")))
    };
    let orders = count_by(now.column("market_order", "account_id"));
    for (column, expected) in
        [("auctions", of_role(true)), ("bids", of_role(false)), ("orders", orders)]
    {
        let rows = now.rows("market_account").iter();
        let counted: BTreeMap<u64, u64> = rows
            .map(|row| (number(row, "account_id"), number(row, column)))
            .filter(|(_, count)| *count > 0)
            .collect();
        if counted != expected {
            found.push(format!("market_account.{column}: {counted:?}, expected {expected:?}"));
        }
    }
    found
}
