//! Fights on the real engine: who may do what to whom, what comes of it, and the dice of it.
//!
//! Keeps true: what is refused has changed no row of any fight. Content is the pack that comes with
//! Haven, with times that can be waited for. Bodies are brought into a state by the owner's SQL
//! where a fight would need luck to get there.

mod deeds;
mod dice;
mod duels;
mod hostile;
mod rests;

use crate::support::client::Client;
use crate::support::content::{set, srd};
use crate::support::{Database, until};
use haven_checks::{number, text};
use haven_rules::combat::proof::{Event, Line};
use haven_rules::content::{Condition, Pack, Stat};
use serde_json::{Value, json};

/// A place in the open, 60 m from the wall of the test world.
pub const FIELD: (i32, i32) = (10_500, 10_500);
/// What a roll is raised by so that only a natural 1 misses.
const SURE: i16 = 60;

/// Tables in which a fight leaves something.
const TABLES: [&str; 16] = [
    "combatant",
    "combat_state",
    "combat_effect",
    "combat_cast",
    "combat_deed",
    "combat_due",
    "combat_cooldown",
    "combat_threat",
    "combat_duel",
    "combat_rest",
    "combat_event",
    "dice_pool",
    "character_progress",
    "character_resources",
    "character_spell",
    "character_use",
];
/// `combat_due.kind` of what looks after a duel by itself, every second.
const DUEL: u64 = 7;

/// At somebody.
pub fn at(entity_id: u64) -> Value {
    json!({ "Entity": entity_id })
}

/// At oneself.
pub fn oneself() -> Value {
    json!({ "Oneself": [] })
}

/// At a place.
pub fn point(x_mm: i32, y_mm: i32) -> Value {
    json!({ "Point": { "x_mm": x_mm, "y_mm": y_mm } })
}

/// A character in the world.
pub struct Hero {
    /// Its entity.
    pub id: u64,
    /// The account that plays it.
    pub account_id: u64,
    /// Its player's connection.
    pub player: Client,
}

impl Hero {
    /// Uses an ability; a spell with a slot of its own level.
    pub async fn uses(&self, ability: &str, aim: Value) -> Result<(), String> {
        self.player.call("ability_use", json!([ability, aim, 0])).await
    }

    /// Prepares spells in place of all others.
    pub async fn prepares(&self, spells: &[&str]) {
        self.player.call("spell_prepare", json!([spells])).await.expect("prepared");
    }
}

/// A database with content in force, and who fights there.
pub struct Arena {
    /// The database.
    pub database: Database,
}

impl Arena {
    /// Content as it comes, but for what a test changes; no time between two uses of anything.
    pub async fn open(database: Database, change: impl FnOnce(&mut Pack)) -> Self {
        let mut pack = srd();
        for (key, value) in [
            ("global_cooldown_millis", 0),
            ("attack_millis", 500),
            ("bonus_action_millis", 0),
            ("reaction_millis", 0),
        ] {
            set(&mut pack, key, value);
        }
        change(&mut pack);
        database.put_in_force(&pack).await;
        Self { database }
    }

    /// A human of a class, standing somewhere.
    pub async fn hero(&self, name: &str, class: &str, place: (i32, i32)) -> Hero {
        let (id, player) = self.database.hero(name, "human", class).await;
        self.put(id, place).await;
        let rows = self.database.rows("character").await;
        let row = rows.iter().find(|row| row["character_id"] == id).expect("a character");
        Hero { id, account_id: number(row, "account_id"), player }
    }

    /// Puts a character somewhere, to the millimetre.
    pub async fn put(&self, id: u64, (x_mm, y_mm): (i32, i32)) {
        let args = json!([id, x_mm, y_mm]);
        self.database.owner.call("character_teleport", args).await.expect("put there");
    }

    /// Gives a body hit points, and a state: 0 awake, 1 dying, 2 stable, 3 dead.
    pub async fn make(&self, id: u64, hit_points: i32, vital: u8) {
        let set = format!("hit_points = {hit_points}, vital = {vital}");
        self.database.run(&format!("UPDATE combatant SET {set} WHERE entity_id = {id}")).await;
    }

    /// Lays something on a body that stays until it leaves.
    async fn lay(&self, on: u64, by: u64, (kind, subject): (u8, u8), amount: i16) {
        const COLUMNS: &str = "(effect_id, entity_id, source_id, ends_at_micros, next_at_micros, \
                               every_millis, amount, dice_bonus, difficulty, kind, subject, \
                               dice_count, dice_sides, save, is_concentration, ability)";
        let known = self.database.rows("combat_effect").await;
        let effect_id = 1_000_000 + known.len();
        let never = i64::MAX / 2_000 * 1_000;
        let values = format!(
            "({effect_id}, {on}, {by}, {never}, {}, 0, {amount}, 0, 0, {kind}, {subject}, 0, 0, 0, \
             false, 'before')",
            i64::MAX
        );
        self.database.run(&format!("INSERT INTO combat_effect {COLUMNS} VALUES {values}")).await;
        let lying = known.iter().filter(|row| row["entity_id"] == on).count() + 1;
        self.database
            .run(&format!("UPDATE combat_state SET effects = {lying} WHERE entity_id = {on}"))
            .await;
    }

    /// Lays a condition on a body.
    pub async fn befall(&self, on: u64, by: u64, condition: Condition) {
        self.lay(on, by, (1, condition as u8), 0).await;
    }

    /// From now on what it strikes at is hit, but for a natural 1.
    pub async fn makes_sure(&self, who: u64) {
        self.lay(who, who, (2, Stat::AttackRoll as u8), SURE).await;
    }

    /// All rows of fights; without what changes while nobody does anything.
    pub async fn fights(&self) -> Vec<String> {
        let mut all = vec![];
        for table in TABLES {
            let rows = self.database.rows(table).await;
            let rows = rows.iter().filter(|row| table != "combat_due" || row["kind"] != DUEL);
            all.extend(rows.map(|row| format!("{table} {row}")));
        }
        all.sort_unstable();
        all
    }

    /// A call is refused with a code, and nothing has changed.
    #[track_caller]
    pub fn refuses<'a>(
        &'a self,
        hero: &'a Hero,
        reducer: &'a str,
        args: Value,
        code: &'a str,
    ) -> impl Future<Output = ()> + 'a {
        let line = std::panic::Location::caller().line();
        async move {
            let before = self.fights().await;
            let told = args.to_string().chars().take(120).collect::<String>();
            let refused = hero.player.call(reducer, args).await;
            let refused = refused.expect_err(&format!("line {line}: {reducer} {told}: {code}"));
            let is_it = refused.starts_with(&format!("{code}:"));
            assert!(is_it, "line {line}: {reducer} {told}: {refused}, not {code}");
            assert_eq!(self.fights().await, before, "line {line}: {reducer} {told}");
        }
    }

    /// An ability is refused with a code, and nothing has changed.
    #[track_caller]
    pub fn refuses_use<'a>(
        &'a self,
        hero: &'a Hero,
        ability: &'a str,
        aim: Value,
        code: &'a str,
    ) -> impl Future<Output = ()> + 'a {
        let args = Value::from(vec![ability.into(), aim, 0.into()]);
        self.refuses(hero, "ability_use", args, code)
    }

    /// Every event, in order.
    pub async fn events(&self) -> Vec<Event> {
        let rows = self.database.rows("combat_event").await;
        let mut events: Vec<Event> = rows.iter().map(event_of).collect();
        events.sort_by_key(|event| event.event_id);
        events
    }

    /// The first event of an ability by somebody, once there is one.
    pub async fn event(&self, actor_id: u64, ability: &str) -> Event {
        until(&format!("{ability} is told"), || async {
            let is_it = |event: &Event| event.actor_id == actor_id && event.ability == ability;
            self.events().await.into_iter().find(is_it)
        })
        .await
    }

    /// Waits until nobody has begun anything that is not done.
    pub async fn quiet(&self) {
        until("all is done", || async {
            self.database.rows("combat_deed").await.is_empty().then_some(())
        })
        .await;
    }

    /// The row of a body in a table, if there is one.
    pub async fn row(&self, table: &str, column: &str, id: u64) -> Option<Value> {
        let rows = self.database.rows(table).await;
        rows.into_iter().find(|row| row[column] == id)
    }

    /// The keys of what lies on a body, in order.
    pub async fn lies_on(&self, id: u64) -> Vec<String> {
        let rows = self.database.rows("combat_effect").await;
        let rows = rows.iter().filter(|row| row["entity_id"] == id);
        let mut keys: Vec<String> = rows.map(|row| text(row, "ability").to_owned()).collect();
        keys.sort_unstable();
        keys
    }
}

/// Bytes of a row: SQL answers them as hexadecimal digits.
pub fn bytes(value: &Value) -> Vec<u8> {
    let digits = value.as_str().expect("bytes as digits");
    let pairs = digits.as_bytes().chunks(2).map(|pair| std::str::from_utf8(pair).expect("ASCII"));
    pairs.map(|pair| u8::from_str_radix(pair, 16).expect("a byte")).collect()
}

/// A row of `combat_event`.
fn event_of(row: &Value) -> Event {
    let id = |column: &str| number(row, column);
    Event {
        event_id: id("event_id"),
        day: u32::try_from(id("day")).expect("it fits"),
        at_micros: row["at_micros"].as_i64().expect("an instant"),
        actor_id: id("actor_id"),
        ability: text(row, "ability").to_owned(),
        dice: bytes(&row["dice"]),
        lines: row["lines"].as_array().expect("lines").iter().map(line_of).collect(),
    }
}

/// A line of an event, which SQL answers without the names of its fields.
fn line_of(line: &Value) -> Line {
    let signed = |at: usize| line[at].as_i64().expect("a number");
    let small = |at: usize| u8::try_from(signed(at)).expect("it fits");
    Line {
        target_id: line[0].as_u64().expect("an id"),
        rolled: i32::try_from(signed(1)).expect("it fits"),
        amount: i32::try_from(signed(2)).expect("it fits"),
        modifier: i16::try_from(signed(3)).expect("it fits"),
        against: i16::try_from(signed(4)).expect("it fits"),
        natural: small(5),
        verdict: small(6),
        text: line[10].as_str().expect("words").to_owned(),
    }
}
