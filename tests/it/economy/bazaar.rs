//! A market for tests: merchants with goods and coins, and what is counted of them.
//!
//! Keeps true: goods and coins come by letters of staff, so that the ledger knows them.

use crate::support::client::Client;
use crate::support::content::srd;
use crate::support::rows::sql;
use crate::support::{Database, owner_token, until};
use haven_checks::{Snapshot, number, text};
use haven_rules::content::Pack;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};

/// Something that stacks and is bound to nobody.
pub const ORE: &str = "iron_ore";
/// Another such thing.
pub const HERB: &str = "coal";
/// How high both of them stack here.
pub const STACK: u16 = 20;
/// `rules::items::HolderKind` of bags, letters, auctions and orders.
pub const BAG: u64 = 1;
const MAIL: u64 = 3;
pub const IN_AUCTION: u64 = 4;
pub const IN_ORDER: u64 = 5;
/// `rules::economy::PurseKind` of wallets, letters, auctions, orders, sources and sinks.
const WALLET: u64 = 1;
const LETTER: u64 = 2;
pub const OF_AUCTION: u64 = 3;
pub const OF_ORDER: u64 = 4;
const SOURCE: u64 = 101;
const SINK: u64 = 102;
/// `rules::economy::Sink::Market`.
const MARKET: u64 = 3;

/// The market of a test.
pub struct Bazaar {
    pub database: Database,
    sequence: AtomicU64,
}

/// Somebody who trades.
pub struct Merchant {
    pub id: u64,
    pub name: String,
    pub player: Client,
}

impl Bazaar {
    /// With content as it comes, but that both goods stack up to [`STACK`].
    pub async fn open(database: Database) -> Self {
        Self::with(database, |_| {}).await
    }

    /// The same with what a test changes.
    pub async fn with(database: Database, change: impl FnOnce(&mut Pack)) -> Self {
        let mut pack = srd();
        for item in pack.item.iter_mut().filter(|item| [ORE, HERB].contains(&&*item.key)) {
            item.stack_max = STACK;
        }
        for background in &mut pack.background {
            background.coins = 0;
        }
        change(&mut pack);
        database.put_in_force(&pack).await;
        Self { database, sequence: AtomicU64::new(1) }
    }

    /// The number of a new command.
    pub fn command(&self) -> Value {
        let sequence = self.sequence.fetch_add(1, Ordering::Relaxed);
        json!({ "session": 7, "sequence": sequence })
    }

    /// Somebody in the world with so many coins and goods.
    pub async fn merchant(&self, name: &str, copper: u64, goods: &[(&str, u32)]) -> Merchant {
        let email = format!("{}@example.org", name.to_lowercase());
        let (_, id, player) = self.database.enter(&email, name).await;
        let merchant = Merchant { id, name: name.to_owned(), player };
        self.gives(&merchant, copper, goods).await;
        merchant
    }

    /// Gives somebody coins and goods, by a letter that is taken at once.
    pub async fn gives(&self, to: &Merchant, copper: u64, goods: &[(&str, u32)]) {
        if copper == 0 && goods.is_empty() {
            return;
        }
        let gift = |(def, count): &(&str, u32)| json!({ "def": def, "count": count });
        let gifts: Vec<Value> = goods.iter().map(gift).collect();
        let args = json!([to.name, "For a test", "", gifts, copper, self.command()]);
        self.database.owner.call("mail_send_by_staff", args).await.expect("sent");
        let taken = to.player.call("mail_take_all", json!([self.command()])).await;
        taken.expect("taken");
    }

    /// Takes whatever is in somebody's letters.
    pub async fn empties_letters(&self, of: &Merchant) {
        let taken = of.player.call("mail_take_all", json!([self.command()])).await;
        taken.expect("taken");
    }

    /// Calls a command of the market; answers the code of its refusal, or nothing.
    pub async fn tries(&self, who: &Merchant, reducer: &str, mut args: Value) -> String {
        args.as_array_mut().expect("arguments").push(self.command());
        let outcome = who.player.call(reducer, args).await;
        let refused = outcome.err().unwrap_or_default();
        refused.split(':').next().unwrap_or_default().to_owned()
    }

    /// The same, which succeeds.
    pub async fn does(&self, who: &Merchant, reducer: &str, args: Value) {
        let refused = self.tries(who, reducer, args.clone()).await;
        assert_eq!(refused, "", "{reducer} {args}");
    }

    /// The same, which is refused and changes nothing.
    pub async fn refuses(&self, who: &Merchant, reducer: &str, args: Value, code: &str) {
        let before = self.sums().await;
        let refused = self.tries(who, reducer, args.clone()).await;
        assert_eq!(refused, code, "{reducer} {args}");
        assert_eq!(self.sums().await, before, "{reducer} {args}");
    }

    /// The coins of an account of the ledger.
    async fn copper(&self, kind: u64, owner_id: u64) -> u64 {
        let rows = self.database.rows("ledger_account").await;
        let is_it = |row: &&Value| row["kind"] == kind && row["owner_id"] == owner_id;
        rows.iter().find(is_it).map_or(0, |row| number(row, "copper"))
    }

    /// The coins in a wallet.
    pub async fn wallet(&self, who: &Merchant) -> u64 {
        self.copper(WALLET, who.id).await
    }

    /// The coins of an auction or an order.
    pub async fn escrow(&self, kind: u64, owner_id: u64) -> u64 {
        self.copper(kind, owner_id).await
    }

    /// What the market has kept.
    pub async fn kept(&self) -> u64 {
        self.copper(SINK, MARKET).await
    }

    /// How many of something lie in a holder's slots.
    pub async fn goods(&self, kind: u64, owner_id: u64, def: &str) -> u64 {
        let containers = self.database.rows("item_container").await;
        let is_it = |row: &&Value| row["kind"] == kind && row["owner_id"] == owner_id;
        let Some(container) = containers.iter().find(is_it) else { return 0 };
        let container_id = number(container, "container_id");
        let items = self.database.rows("item").await;
        let lie = items.iter().filter(|row| number(row, "place_key") >> 16 == container_id);
        lie.filter(|row| row["def"] == def).map(|row| number(row, "count")).sum()
    }

    /// How many of something somebody has in the bags.
    pub async fn has(&self, who: &Merchant, def: &str) -> u64 {
        self.goods(BAG, who.id, def).await
    }

    /// A stack of something in somebody's bags.
    pub async fn stack(&self, who: &Merchant, def: &str) -> u64 {
        let containers = self.database.rows("item_container").await;
        let is_it = |row: &&Value| row["kind"] == BAG && row["owner_id"] == who.id;
        let container = number(containers.iter().find(is_it).expect("a bag"), "container_id");
        let items = self.database.rows("item").await;
        let is_it = |row: &&Value| row["def"] == def && number(row, "place_key") >> 16 == container;
        number(items.iter().find(is_it).expect("a stack"), "item_id")
    }

    /// What came to somebody by mail, with its template: coins and goods.
    pub async fn letters(&self, to: &Merchant) -> Vec<(String, u64, u64)> {
        let mut letters = vec![];
        for row in self.database.rows("mail").await {
            if row["to_character_id"] == to.id && !text(&row, "template").is_empty() {
                let mail_id = number(&row, "mail_id");
                let copper = self.copper(LETTER, mail_id).await;
                let goods = self.goods(MAIL, mail_id, ORE).await;
                letters.push((text(&row, "template").to_owned(), copper, goods));
            }
        }
        letters.sort();
        letters
    }

    /// Coins everywhere, and goods by definition: what no command of the market changes.
    pub async fn sums(&self) -> (u64, BTreeMap<String, u64>) {
        let rows = self.database.rows("ledger_account").await;
        let held = rows.iter().filter(|row| row["kind"] != SOURCE);
        let copper = held.map(|row| number(row, "copper")).sum();
        let mut goods = BTreeMap::new();
        for row in self.database.rows("item").await {
            *goods.entry(text(&row, "def").to_owned()).or_default() += number(&row, "count");
        }
        (copper, goods)
    }

    /// That nothing was made or lost since then, and that every rule holds.
    pub async fn is_sound_since(&self, sums: &(u64, BTreeMap<String, u64>)) {
        assert_eq!(&self.sums().await, sums);
        let stage = &self.database.stage;
        let token = owner_token(&stage.keys);
        let read = Snapshot::read(&stage.uri, &self.database.name, &token).await;
        assert_eq!(haven_checks::check(&read.expect("a snapshot")), []);
    }

    /// Changes rows as the owner.
    pub async fn sql(&self, statement: &str) {
        self.database.run(statement).await;
    }

    /// The rows that a query finds.
    pub async fn select(&self, query: &str) -> Vec<Value> {
        let token = owner_token(&self.database.stage.keys);
        sql(&self.database.stage.uri, &self.database.name, &token, query).await
    }

    /// The only row of a table.
    pub async fn only(&self, table: &str) -> Value {
        let mut rows = self.database.rows(table).await;
        assert_eq!(rows.len(), 1, "{table}: {rows:?}");
        rows.remove(0)
    }

    /// The number of the newest auction.
    pub async fn newest_auction(&self) -> u64 {
        let rows = self.database.rows("auction").await;
        rows.iter().map(|row| number(row, "auction_id")).max().expect("an auction")
    }

    /// The number of the newest order.
    pub async fn newest_order(&self) -> u64 {
        let rows = self.database.rows("market_order").await;
        rows.iter().map(|row| number(row, "order_id")).max().expect("an order")
    }

    /// Lets an auction be over at an instant, microseconds since 1970.
    pub async fn ends_at(&self, auction_id: u64, micros: i64) {
        let query = format!("SELECT * FROM auction_state WHERE auction_id = {auction_id}");
        let state = self.select(&query).await.remove(0);
        let due = state["due_at_micros"].as_i64().expect("an instant");
        let key = |micros: i64| (u128::from(micros.unsigned_abs()) << 64) | u128::from(auction_id);
        let set = |table, change: String| {
            format!("UPDATE {table} SET {change} WHERE auction_id = {auction_id}")
        };
        self.sql(&set("auction", format!("ends_at_micros = {micros}"))).await;
        let last = micros + 3_600_000_000;
        let change = format!("due_at_micros = {micros}, last_end_at_micros = {last}");
        self.sql(&set("auction_state", change)).await;
        self.sql(&format!("INSERT INTO auction_due (due_key) VALUES ({})", key(micros))).await;
        self.sql(&format!("DELETE FROM auction_due WHERE due_key = {}", key(due))).await;
    }

    /// Lets the time of an order be over.
    pub async fn order_is_due(&self, order_id: u64) {
        let query = format!("SELECT * FROM market_order WHERE order_id = {order_id}");
        let due = self.select(&query).await.remove(0)["due_at_micros"].as_i64();
        let due = due.expect("an instant");
        let micros = crate::support::now_micros();
        let key = |micros: i64| (u128::from(micros.unsigned_abs()) << 64) | u128::from(order_id);
        let change = format!("due_at_micros = {micros}");
        self.sql(&format!("UPDATE market_order SET {change} WHERE order_id = {order_id}")).await;
        self.sql(&format!("INSERT INTO market_order_due (due_key) VALUES ({})", key(micros))).await;
        self.sql(&format!("DELETE FROM market_order_due WHERE due_key = {}", key(due))).await;
    }

    /// Waits until a table has so many rows.
    pub async fn until_rows(&self, table: &str, count: usize) {
        until(&format!("{table} has {count} rows"), || async {
            (self.database.rows(table).await.len() == count).then_some(())
        })
        .await;
    }
}
