//! Coins, vendors, trades, the auditor, and what staff does with goods, on the real engine.
//!
//! Keeps true: what is refused has changed no row of anybody's goods, and after each test all coins
//! and items are accounted for.

mod auctions;
mod audit;
mod bazaar;
mod frozen;
mod market;
mod orders;
mod payments;
mod races;
mod reversals;
mod staff;
mod strangers;
mod trades;
mod vendors;

use crate::combat::{Arena, FIELD, Hero};
use crate::support::client::Client;
use crate::support::content::set;
use crate::support::{Database, owner_token};
use haven_checks::{Snapshot, number, text};
use haven_rules::content::Pack;
use serde_json::{Value, json};
use std::future::Future;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

/// Tables in which goods leave something.
const TABLES: [&str; 15] = [
    "ledger_account",
    "ledger_cause",
    "ledger_entry",
    "ledger_fold",
    "ledger_reversal",
    "item",
    "item_container",
    "item_history",
    "item_tally",
    "trade",
    "trade_side",
    "trade_offer",
    "vendor",
    "vendor_buy_back_offer",
    "audit_entry",
];
/// `ledger_account.kind` of a wallet.
const WALLET: u64 = 1;
/// `item_container.kind`.
pub const BAG: u64 = 1;
/// See above.
pub const BUY_BACK: u64 = 10;
/// What a longsword costs by its definition, copper.
pub const LONGSWORD: u64 = 1_500;
/// `trade_range_mm` and `vendor_range_mm` here.
pub const REACH_MM: i32 = 5_000;

/// Removes somebody for good who is in the world. That is looked after once a minute.
pub async fn purge(database: &Database, player: &Client, character_id: u64) {
    player.call("character_leave", json!([])).await.expect("left");
    let rows = database.rows("character").await;
    let row = rows.iter().find(|row| row["character_id"] == character_id).expect("a character");
    let account_id = number(row, "account_id");
    let args = json!([account_id, character_id]);
    database.owner.call("character_delete", args).await.expect("deleted");
    database.run("UPDATE character_deletion SET purge_at_micros = 1").await;
    let mut look = tokio::time::interval(Duration::from_millis(250));
    for _ in 0..400 {
        look.tick().await;
        let rows = database.rows("character").await;
        if rows.iter().all(|row| row["character_id"] != character_id) {
            return;
        }
    }
    panic!("the character was not removed");
}

/// A database with content in force and a weaponsmith in the field.
pub struct Town {
    /// Who is there, and where.
    pub arena: Arena,
    /// The weaponsmith.
    pub smith: u64,
    next: AtomicU64,
}

impl Town {
    /// Opens it with content as it comes, but for what a test changes.
    pub async fn open(database: Database, change: impl FnOnce(&mut Pack)) -> Self {
        let arena = Arena::open(database, |pack| {
            set(pack, "trade_range_mm", REACH_MM.into());
            set(pack, "vendor_range_mm", REACH_MM.into());
            // Who comes has nothing.
            pack.class.iter_mut().for_each(|class| class.equipment.clear());
            pack.background.iter_mut().for_each(|background| background.coins = 0);
            change(pack);
        })
        .await;
        let args = json!(["weaponsmith", FIELD.0, FIELD.1]);
        arena.database.owner.call("vendor_place", args).await.expect("placed");
        let smith = number(&arena.database.rows("vendor").await[0], "vendor_id");
        Self { arena, smith, next: AtomicU64::new(1) }
    }

    /// The database.
    pub const fn database(&self) -> &Database {
        &self.arena.database
    }

    /// The next command of a session that all share; an account's numbers may have gaps.
    pub fn command(&self) -> Value {
        json!({ "session": 7, "sequence": self.next.fetch_add(1, Ordering::Relaxed) })
    }

    /// Somebody in the field with so much copper.
    pub async fn hero(&self, name: &str, copper: u64) -> Hero {
        let hero = self.arena.hero(name, "fighter", FIELD).await;
        if copper > 0 {
            self.gives(hero.id, copper).await;
        }
        hero
    }

    /// Staff gives coins.
    pub async fn gives(&self, character_id: u64, copper: u64) {
        let args = json!([character_id, copper, "to begin with", self.command()]);
        self.database().owner.call("coins_give", args).await.expect("given");
    }

    /// What is in a wallet, copper.
    pub async fn copper(&self, hero: &Hero) -> u64 {
        let rows = self.database().rows("ledger_account").await;
        let is_it = |row: &&Value| row["kind"] == WALLET && row["owner_id"] == hero.id;
        rows.iter().find(is_it).map_or(0, |row| number(row, "copper"))
    }

    /// What lies in a holder of somebody: each stack's number, definition and count.
    pub async fn stacks(&self, kind: u64, owner_id: u64) -> Vec<(u64, String, u64)> {
        let containers = self.database().rows("item_container").await;
        let is_it = |row: &&Value| row["kind"] == kind && row["owner_id"] == owner_id;
        let Some(container) = containers.iter().find(is_it) else { return vec![] };
        let container_id = number(container, "container_id");
        let items = self.database().rows("item").await;
        let inside = items.iter().filter(|row| number(row, "place_key") >> 16 == container_id);
        let stack = |row: &Value| {
            (number(row, "item_id"), text(row, "def").to_owned(), number(row, "count"))
        };
        let mut stacks: Vec<_> = inside.map(stack).collect();
        stacks.sort();
        stacks
    }

    /// What somebody has in its bag, by definition.
    pub async fn bag(&self, hero: &Hero) -> Vec<String> {
        let mut defs: Vec<_> = self.stacks(BAG, hero.id).await;
        defs.sort_by(|one, other| one.1.cmp(&other.1));
        defs.into_iter().map(|(_, def, count)| format!("{def} {count}")).collect()
    }

    /// Buys something of the weaponsmith: the new stack, or the one that it was added to.
    pub async fn buys(&self, hero: &Hero, def: &str) -> u64 {
        let args = json!([self.smith, def, 1, 1_000_000, self.command()]);
        hero.player.call("vendor_buy", args).await.expect("bought");
        let stacks = self.stacks(BAG, hero.id).await;
        let stack = stacks.iter().rfind(|(_, known, _)| known == def);
        stack.expect("it is in the bag").0
    }

    /// The last cause of a kind.
    pub async fn last_cause(&self, kind: u64) -> u64 {
        let rows = self.database().rows("ledger_cause").await;
        let of_kind = rows.iter().filter(|row| row["kind"] == kind);
        of_kind.map(|row| number(row, "cause_id")).max().expect("a cause")
    }

    /// All rows of goods.
    pub async fn goods(&self) -> Vec<String> {
        let mut all = vec![];
        for table in TABLES {
            let rows = self.database().rows(table).await;
            all.extend(rows.iter().map(|row| format!("{table} {row}")));
        }
        all.sort_unstable();
        all
    }

    /// A call is refused with a code, and nothing has changed.
    #[track_caller]
    pub fn refuses<'a>(
        &'a self,
        client: &'a Client,
        reducer: &'a str,
        args: Value,
        code: &'a str,
    ) -> impl Future<Output = String> + 'a {
        let line = std::panic::Location::caller().line();
        async move {
            let before = self.goods().await;
            let told = args.to_string().chars().take(120).collect::<String>();
            let refused = client.call(reducer, args).await;
            let refused = refused.expect_err(&format!("line {line}: {reducer} {told}: {code}"));
            let is_it = refused.starts_with(&format!("{code}:"));
            assert!(is_it, "line {line}: {reducer} {told}: {refused}, not {code}");
            assert_eq!(self.goods().await, before, "line {line}: {reducer} {told}");
            refused
        }
    }

    /// Every rule about rows holds: those about coins, items, trades and vendors with the others.
    pub async fn is_sound(&self) {
        let stage = &self.database().stage;
        let token = owner_token(&stage.keys);
        let now = Snapshot::read(&stage.uri, &self.database().name, &token).await;
        assert_eq!(haven_checks::check(&now.expect("a snapshot")), []);
    }
}
