//! What dealers know of the market: who has what, as it was a moment ago.

use std::collections::BTreeMap;

use haven_checks::{Snapshot, number};
use haven_rules::items::{HolderKind, place_parts};

/// A stack.
#[derive(Clone, Debug)]
pub(super) struct Stack {
    pub(super) item_id: u64,
    pub(super) count: u64,
    pub(super) def: String,
}

/// A trade as one side sees it.
#[derive(Clone, Debug)]
pub(super) struct Trade {
    pub(super) id: u64,
    pub(super) revision: u64,
    pub(super) is_open: bool,
}

/// What there is.
#[derive(Clone, Debug, Default)]
pub(super) struct View {
    /// Stacks in bags, by character.
    pub(super) bags: BTreeMap<u64, Vec<Stack>>,
    /// Letters, by recipient: the number, and what is asked for on delivery.
    pub(super) letters: BTreeMap<u64, Vec<(u64, u64)>>,
    /// Trades, by side.
    pub(super) trades: BTreeMap<u64, Trade>,
    /// Auctions that run.
    pub(super) auctions: Vec<u64>,
    /// Orders in the book.
    pub(super) orders: Vec<u64>,
}

impl View {
    pub(super) fn of(now: &Snapshot) -> Self {
        let mut view = Self::default();
        let bag = u64::from(HolderKind::Bag as u8);
        let bags: BTreeMap<u64, u64> = now
            .rows("item_container")
            .iter()
            .filter(|row| number(row, "kind") == bag)
            .map(|row| (number(row, "container_id"), number(row, "owner_id")))
            .collect();
        for row in now.rows("item") {
            let (container_id, _) = place_parts(number(row, "place_key"));
            if let Some(owner) = bags.get(&container_id) {
                let def = row["def"].as_str().unwrap_or_default().to_owned();
                let (item_id, count) = (number(row, "item_id"), number(row, "count"));
                view.bags.entry(*owner).or_default().push(Stack { item_id, count, def });
            }
        }
        for row in now.rows("mail") {
            let letter = (number(row, "mail_id"), number(row, "cod_copper"));
            view.letters.entry(number(row, "to_character_id")).or_default().push(letter);
        }
        for row in now.rows("trade_side") {
            let trade = Trade {
                id: number(row, "trade_id"),
                revision: number(row, "revision"),
                is_open: row["is_open"] == true,
            };
            view.trades.insert(number(row, "character_id"), trade);
        }
        view.auctions = now.column("auction", "auction_id");
        view.orders = now.column("market_order", "order_id");
        view
    }
}
