//! Guilds on the real engine: who may do what, what comes of it, and who sees what.
//!
//! Keeps true: what is refused has changed nothing. Guilds and tabs cost nothing here but where a
//! test says so.

mod asking;
mod bank;
mod ends;
mod hidden;
mod matrix;
mod stories;

use crate::support::Database;
use crate::support::client::Client;
use crate::support::content::{set, srd};
use haven_rules::content::Pack;
use serde_json::{Value, json};
use std::sync::atomic::{AtomicU64, Ordering};

/// A player in the world.
pub struct Hero {
    account_id: u64,
    id: u64,
    name: String,
    player: Client,
    commands: AtomicU64,
}

impl Hero {
    /// The number of the next command.
    fn next(&self) -> Value {
        json!({ "session": 7, "sequence": self.commands.fetch_add(1, Ordering::Relaxed) })
    }

    /// Calls what must be done.
    #[track_caller]
    fn does(&self, reducer: &'static str, args: Value) -> impl Future<Output = ()> {
        let place = std::panic::Location::caller();
        async move {
            let done = self.player.call(reducer, args.clone()).await;
            assert_eq!(done, Ok(()), "{}: {reducer}{args} at {place}", self.name);
        }
    }

    /// Calls, and answers the code of the refusal, or `ok`.
    async fn tries(&self, reducer: &str, args: Value) -> String {
        match self.player.call(reducer, args).await {
            Ok(()) => "ok".to_owned(),
            Err(refused) => refused.split(':').next().unwrap_or_default().to_owned(),
        }
    }
}

/// A database with guilds in it.
pub struct Hall {
    database: Database,
}

impl Hall {
    /// Puts the numbers of the balance in force, changed as a test needs.
    async fn open(database: Database, change: impl FnOnce(&mut Pack)) -> Self {
        let Pack { level, setting, switch, .. } = srd();
        let mut pack = Pack { level, setting, switch, ..Pack::default() };
        for key in ["guild_cost_copper", "guild_tab_cost_copper"] {
            set(&mut pack, key, 0);
        }
        change(&mut pack);
        database.put_in_force(&pack).await;
        Self { database }
    }

    async fn hero(&self, name: &str) -> Hero {
        let email = format!("{}@example.org", name.to_lowercase());
        let (account_id, id, player) = self.database.enter(&email, name).await;
        Hero { account_id, id, name: name.to_owned(), player, commands: AtomicU64::new(1) }
    }

    async fn heroes<const N: usize>(&self, names: [&str; N]) -> [Hero; N] {
        let mut heroes = vec![];
        for name in names {
            heroes.push(self.hero(name).await);
        }
        heroes.try_into().ok().expect("as many as names")
    }

    /// Lets somebody found a guild.
    async fn found(&self, leader: &Hero, name: &str) -> u64 {
        leader.does("guild_found", json!([name, leader.next()])).await;
        self.member(leader).await["guild_id"].as_u64().expect("a number")
    }

    /// Lets a leader's guild take somebody in.
    async fn join(&self, leader: &Hero, other: &Hero) {
        let guild_id = self.member(leader).await["guild_id"].clone();
        leader.does("guild_member_invite", json!([other.name])).await;
        other.does("guild_invite_accept", json!([guild_id])).await;
    }

    /// A guild with a member of each rank, from its leader down to the initiate.
    async fn ladder(&self) -> (u64, [Hero; 5]) {
        let heroes = self.heroes(["Ann", "Bob", "Cid", "Dora", "Eve"]).await;
        let guild_id = self.found(&heroes[0], "Quiet Oak").await;
        for (place, hero) in heroes.iter().enumerate().skip(1) {
            self.join(&heroes[0], hero).await;
            for _ in place..4 {
                heroes[0].does("guild_member_promote", json!([hero.id])).await;
            }
        }
        (guild_id, heroes)
    }

    /// Somebody's row as a member; `null` for who is none.
    async fn member(&self, hero: &Hero) -> Value {
        let rows = self.database.rows("guild_member").await;
        let row = rows.into_iter().find(|row| row["character_id"] == hero.id);
        row.unwrap_or(Value::Null)
    }

    async fn guild(&self, guild_id: u64) -> Value {
        let rows = self.database.rows("guild").await;
        rows.into_iter().find(|row| row["guild_id"] == guild_id).unwrap_or(Value::Null)
    }

    async fn count(&self, table: &str) -> usize {
        self.database.rows(table).await.len()
    }

    /// Changes rows as no reducer would.
    async fn sql(&self, statement: &str) {
        self.database.run(statement).await;
    }

    /// Adds a row as no reducer would.
    async fn insert(&self, table: &str, columns: &str, values: &str) {
        self.sql(&format!("INSERT INTO {table} ({columns}) VALUES ({values})")).await;
    }

    /// Puts a stack into somebody's bag: its number.
    async fn give(&self, hero: &Hero, def: &str, count: u32) -> u64 {
        let (zero, holder) = ("0".repeat(64), hero.id);
        let key = (1_u128 << 64) | u128::from(holder);
        let known = self.database.rows("item_container").await;
        let is_bag = |row: &&Value| row["kind"] == 1 && row["owner_id"] == holder;
        let known = known.iter().find(is_bag);
        let container_id = if let Some(row) = known {
            row["container_id"].as_u64().expect("a number")
        } else {
            let container_id = 1_000_000 + self.count("item_container").await as u64;
            let columns = "owner_key, container_id, owner_id, viewer, slots, kind";
            let values = format!("{key}, {container_id}, {holder}, 0x{zero}, 64, 1");
            self.insert("item_container", columns, &values).await;
            container_id
        };
        let places = self.database.rows("item").await;
        let places: Vec<u64> = places.iter().filter_map(|row| row["place_key"].as_u64()).collect();
        let slots = (0..64).map(|slot| (container_id << 16) | slot);
        let place = slots.into_iter().find(|place| !places.contains(place)).expect("a free slot");
        let item_id = (1_u64 << 48) + 1_000_000 + places.len() as u64;
        let columns = "item_id, place_key, viewer, bound_to, count, durability, flags, def";
        let values = format!("{item_id}, {place}, 0x{zero}, 0, {count}, 0, 0, '{def}'");
        self.insert("item", columns, &values).await;
        item_id
    }

    /// Gives somebody coins, as staff does.
    async fn pay(&self, hero: &Hero, copper: u64) {
        let command = json!({ "session": 9, "sequence": hero.id });
        let args = json!([hero.id, copper, "For a test", command]);
        self.database.owner.call("coins_give", args).await.expect("given");
    }

    /// How much copper an account of that kind and number has.
    async fn copper(&self, kind: u64, owner_id: u64) -> u64 {
        let rows = self.database.rows("ledger_account").await;
        let row = rows.iter().find(|row| row["kind"] == kind && row["owner_id"] == owner_id);
        row.map_or(0, |row| row["copper"].as_u64().expect("a number"))
    }

    /// How many of a definition lie in holders of that kind.
    async fn items(&self, kind: u64, def: &str) -> u64 {
        let containers = self.database.rows("item_container").await;
        let of_kind: Vec<u64> = containers
            .iter()
            .filter(|row| row["kind"] == kind)
            .filter_map(|row| row["container_id"].as_u64())
            .collect();
        let rows = self.database.rows("item").await;
        let inside = rows
            .iter()
            .filter(|row| row["def"] == def)
            .filter(|row| of_kind.contains(&(row["place_key"].as_u64().expect("a number") >> 16)));
        inside.map(|row| row["count"].as_u64().expect("a number")).sum()
    }
}
