//! Letters with goods and coins, from player to player and from the realm.

mod ends;
mod limits;
mod races;
mod stories;
mod strangers;

use crate::support::client::Client;
use crate::support::content::srd;
use crate::support::{Database, until};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};

/// Something that stacks.
const ARROW: &str = "arrows";
/// Something else.
const TORCH: &str = "torch";

/// A realm whose players write letters.
struct Office {
    database: Database,
    commands: AtomicU64,
}

/// Somebody in the world.
struct Person {
    account_id: u64,
    id: u64,
    name: String,
    player: Client,
}

impl Office {
    /// With content in force, and nobody who begins with anything.
    async fn open(database: Database) -> Self {
        let mut pack = srd();
        pack.class.iter_mut().for_each(|class| class.equipment.clear());
        pack.background.iter_mut().for_each(|background| background.coins = 0);
        database.put_in_force(&pack).await;
        Self { database, commands: AtomicU64::new(0) }
    }

    /// The number of a command that there was not yet.
    fn command(&self) -> Value {
        let sequence = self.commands.fetch_add(1, Ordering::Relaxed) + 1;
        json!({ "session": 7, "sequence": sequence })
    }

    async fn person(&self, name: &str) -> Person {
        let email = format!("{}@example.org", name.to_lowercase());
        let (account_id, id, player) = self.database.enter(&email, name).await;
        Person { account_id, id, name: name.to_owned(), player }
    }

    /// A letter of staff.
    fn gift(&self, to: &str, gifts: &[(&str, u32)], copper: u64) -> Value {
        let gifts: Vec<_> =
            gifts.iter().map(|(def, count)| json!({ "def": def, "count": count })).collect();
        json!([to, "For a test", "", gifts, copper, self.command()])
    }

    /// A letter of a player: what goes with it, coins, and cash on delivery.
    fn letter(&self, to: &str, attached: &[(u64, u32)], copper: u64, cod_copper: u64) -> Value {
        let attached = attached.iter();
        let attached: Vec<_> =
            attached.map(|(id, count)| json!({ "item_id": id, "count": count })).collect();
        json!([to, "Goods", "As we said.", attached, copper, cod_copper, self.command()])
    }

    /// Gives somebody goods and coins, by a letter that is gone when they are taken.
    async fn give(&self, person: &Person, gifts: &[(&str, u32)], copper: u64) {
        let owner = &self.database.owner;
        let gift = self.gift(&person.name, gifts, copper);
        owner.call("mail_send_by_staff", gift).await.expect("sent");
        let letters = self.letters(person.id).await;
        let mail_id = letters.iter().filter_map(|row| row["mail_id"].as_u64()).max();
        let take = json!([mail_id, 0, 0, self.command()]);
        person.player.call("mail_take", take).await.expect("taken");
        person.player.call("mail_delete", json!([mail_id])).await.expect("deleted");
    }

    /// The letters of a character, by number.
    async fn letters(&self, character_id: u64) -> Vec<Value> {
        let letters = self.database.rows("mail").await.into_iter();
        let mut letters: Vec<_> =
            letters.filter(|row| row["to_character_id"] == character_id).collect();
        letters.sort_by_key(|row| row["mail_id"].as_u64());
        letters
    }

    /// The one letter of a character.
    async fn only_letter(&self, character_id: u64) -> u64 {
        let letters = self.letters(character_id).await;
        assert_eq!(letters.len(), 1, "{letters:?}");
        letters[0]["mail_id"].as_u64().expect("a number")
    }

    /// The stacks that lie in a holder: number, definition and count.
    async fn stacks(&self, kind: u64, owner_id: u64) -> Vec<(u64, String, u64)> {
        let containers = self.database.rows("item_container").await;
        let is_it = |row: &&Value| row["kind"] == kind && row["owner_id"] == owner_id;
        let Some(container) = containers.iter().find(is_it) else { return vec![] };
        let container_id = container["container_id"].as_u64();
        let items = self.database.rows("item").await.into_iter();
        let mut stacks: Vec<_> = items
            .filter(|row| row["place_key"].as_u64().map(|key| key >> 16) == container_id)
            .map(|row| {
                let (id, count) = (row["item_id"].as_u64(), row["count"].as_u64());
                let def = row["def"].as_str().unwrap_or_default().to_owned();
                (id.expect("a number"), def, count.expect("a number"))
            })
            .collect();
        stacks.sort();
        stacks
    }

    /// The first stack in somebody's bag.
    async fn stack(&self, person: &Person) -> u64 {
        self.stacks(BAG, person.id).await.first().expect("a stack").0
    }

    /// How many coins something holds.
    async fn copper(&self, kind: u64, owner_id: u64) -> u64 {
        let accounts = self.database.rows("ledger_account").await;
        let is_it = |row: &&Value| row["kind"] == kind && row["owner_id"] == owner_id;
        accounts.iter().find(is_it).map_or(0, |row| row["copper"].as_u64().expect("a number"))
    }

    /// All coins that anything but a source holds or has taken, less those that sources gave, and
    /// all items by definition.
    async fn totals(&self) -> (i64, BTreeMap<String, u64>) {
        let mut coins = 0;
        for row in self.database.rows("ledger_account").await {
            let copper = row["copper"].as_i64().expect("a number");
            coins += if row["kind"] == SOURCE { -copper } else { copper };
        }
        let mut items = BTreeMap::new();
        for row in self.database.rows("item").await {
            let def = row["def"].as_str().expect("a definition").to_owned();
            *items.entry(def).or_default() += row["count"].as_u64().expect("a number");
        }
        (coins, items)
    }

    /// Lets a letter be due, and waits until that was handled.
    async fn age(&self, mail_id: u64) {
        let before = self.due(mail_id).await.expect("a letter");
        // Its key with an instant of 0.
        let due = format!("UPDATE mail_due SET due_key = {mail_id} WHERE mail_id = {mail_id}");
        self.database.run(&due).await;
        until("the letter was handled", || async {
            let after = self.due(mail_id).await;
            let waits = after.as_ref().is_some_and(|row| row["due_key"] == mail_id);
            (!waits && after.as_ref() != Some(&before)).then_some(())
        })
        .await;
    }

    async fn due(&self, mail_id: u64) -> Option<Value> {
        let rows = self.database.rows("mail_due").await;
        rows.into_iter().find(|row| row["mail_id"] == mail_id)
    }
}

/// `rules::items::HolderKind`.
const BAG: u64 = 1;
const MAIL: u64 = 3;
const LOST: u64 = 8;
/// `rules::economy::PurseKind`.
const WALLET: u64 = 1;
const LOST_COINS: u64 = 6;
const SOURCE: u64 = 101;

/// A call that is refused with that code.
async fn refused(client: &Client, reducer: &str, args: Value, code: &str) {
    let shown = args.to_string();
    let message = client.call(reducer, args).await.expect_err(&shown);
    assert!(message.starts_with(&format!("{code}:")), "{reducer}{shown}: {message}");
}
