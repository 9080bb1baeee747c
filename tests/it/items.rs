//! Items on the real engine: what a new character has, what can be done with stacks, what is worn,
//! used, made and gathered, what the dead leave, and that it is nobody else's business.

mod gear;
mod hostile;
mod loot;
mod work;

use crate::combat::{Arena, FIELD, Hero};
use crate::support::Database;
use crate::support::snapshot::Story;
use crate::support::{on_database, until};
use haven_checks::{number, text};
use haven_rules::content::Pack;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};

/// Tables in which goods leave something, and `motion` what they weigh.
const TABLES: [&str; 14] = [
    "item",
    "item_container",
    "item_tally",
    "item_history",
    "item_outfit",
    "item_destroyed",
    "item_work",
    "gather_spent",
    "loot",
    "loot_find",
    "loot_share",
    "loot_open_roll",
    "loot_choice",
    "ledger_account",
];

/// `HolderKind`s by what they are called in these tests.
pub const BAG: u64 = 1;
pub const EQUIPMENT: u64 = 2;
pub const LOST: u64 = 8;

static COMMANDS: AtomicU64 = AtomicU64::new(1);

/// The number of a command that nobody has sent before.
pub fn id() -> Value {
    json!({ "session": COMMANDS.fetch_add(1, Ordering::Relaxed), "sequence": 1 })
}

/// A database with content in force, and who has goods there.
pub struct Shop {
    pub arena: Arena,
}

impl Shop {
    pub async fn open(database: Database, change: impl FnOnce(&mut Pack)) -> Self {
        Self { arena: Arena::open(database, change).await }
    }

    pub const fn database(&self) -> &Database {
        &self.arena.database
    }

    /// A fighter who has served in a temple, and begins with 1,500 copper.
    pub async fn acolyte(&self, name: &str) -> Hero {
        let email = format!("{}@example.org", name.to_lowercase());
        let account_id = self.database().register(&email).await;
        let plan = json!({
            "name": name, "race": "human", "class": "fighter", "background": "acolyte",
            "method": 0, "scores": [], "order": [], "skills": [], "spells": [],
        });
        let owner = &self.database().owner;
        owner.call("character_make", json!([account_id, plan])).await.expect("made");
        let rows = self.database().rows("character").await;
        let row = rows.iter().find(|row| row["name"] == name).expect("the character's row");
        let id = number(row, "character_id");
        let player = self.database().admit(account_id, "player").await;
        player.call("character_enter", json!([id])).await.expect("entered");
        self.arena.put(id, FIELD).await;
        Hero { id, account_id, player }
    }

    /// Calls something as a command.
    pub async fn call(&self, hero: &Hero, reducer: &str, args: Value) -> Result<(), String> {
        hero.player.call(reducer, with_id(args)).await
    }

    /// Gives somebody something, and answers the stack it is in.
    pub async fn give(&self, hero: &Hero, def: &str, count: u32) -> u64 {
        let args = with_id(json!([hero.id, def, count, "for a test"]));
        self.database().owner.call("item_give", args).await.expect("given");
        self.find(hero, def).await
    }

    /// The last stack of a kind that somebody has in its bag.
    pub async fn find(&self, hero: &Hero, def: &str) -> u64 {
        let stacks = self.stacks(BAG, hero.id).await;
        let found = stacks.iter().rfind(|(_, row)| row["def"] == def);
        number(found.unwrap_or_else(|| panic!("no {def} in the bag")).1, "item_id")
    }

    /// What lies in a holder, by slot.
    pub async fn stacks(&self, kind: u64, owner_id: u64) -> BTreeMap<u64, Value> {
        let containers = self.database().rows("item_container").await;
        let found = containers
            .iter()
            .find(|row| row["kind"] == kind && row["owner_id"] == owner_id)
            .map(|row| number(row, "container_id"));
        let rows = self.database().rows("item").await.into_iter();
        rows.map(|row| (number(&row, "place_key"), row))
            .filter(|(place, _)| Some(place >> 16) == found)
            .map(|(place, row)| (place & 0xffff, row))
            .collect()
    }

    /// The same in words: slot, kind and count.
    pub async fn shown(&self, kind: u64, owner_id: u64) -> Vec<String> {
        let stacks = self.stacks(kind, owner_id).await;
        let shown = |(slot, row): (&u64, &Value)| {
            format!("{slot}: {} × {}", number(row, "count"), text(row, "def"))
        };
        stacks.iter().map(shown).collect()
    }

    /// All rows of goods.
    async fn goods(&self) -> Vec<String> {
        let mut all = vec![];
        for table in TABLES {
            let rows = self.database().rows(table).await;
            all.extend(rows.iter().map(|row| format!("{table} {row}")));
        }
        all.sort_unstable();
        all
    }

    /// A command is refused with a code, and nothing has changed.
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
            let before = self.goods().await;
            let told = args.to_string().chars().take(120).collect::<String>();
            let refused = self.call(hero, reducer, args).await;
            let refused = refused.expect_err(&format!("line {line}: {reducer} {told}: {code}"));
            let is_it = refused.starts_with(&format!("{code}:"));
            assert!(is_it, "line {line}: {reducer} {told}: {refused}, not {code}");
            assert_eq!(self.goods().await, before, "line {line}: {reducer} {told}");
        }
    }

    /// What there is of each kind is what was made and is not gone.
    pub async fn adds_up(&self) {
        let mut there: BTreeMap<String, u64> = BTreeMap::new();
        for row in self.database().rows("item").await {
            *there.entry(text(&row, "def").to_owned()).or_default() += number(&row, "count");
        }
        for row in self.database().rows("item_tally").await {
            let def = text(&row, "def");
            let made = number(&row, "made") - number(&row, "gone");
            assert_eq!(there.remove(def).unwrap_or(0), made, "{def}");
        }
        assert!(there.is_empty(), "never made: {there:?}");
    }

    /// A wallet's coins, copper.
    pub async fn coins(&self, hero: &Hero) -> u64 {
        let rows = self.database().rows("ledger_account").await;
        let row = rows.iter().find(|row| row["kind"] == 1 && row["owner_id"] == hero.id);
        row.map_or(0, |row| number(row, "copper"))
    }
}

/// Arguments, and a new command's number.
pub fn with_id(args: Value) -> Value {
    let Value::Array(mut args) = args else { panic!("a list") };
    args.push(id());
    Value::Array(args)
}

/// A command with a number of its own choice.
fn with(args: Value, session: u64, sequence: u64) -> Value {
    let Value::Array(mut args) = args else { panic!("a list") };
    args.push(json!({ "session": session, "sequence": sequence }));
    Value::Array(args)
}

#[test]
fn a_new_character_has_what_its_class_begins_with_and_its_coins_once() {
    on_database(|database| async move {
        let shop = Shop::open(database, |_| {}).await;
        let ann = shop.acolyte("Ann").await;
        assert_eq!(
            shop.shown(EQUIPMENT, ann.id).await,
            ["0: 1 × longsword", "1: 1 × light_crossbow", "4: 1 × shield", "5: 1 × chain_mail"]
        );
        assert_eq!(shop.coins(&ann).await, 1_500);
        let worn = shop.stacks(EQUIPMENT, ann.id).await;
        assert!(worn.values().all(|row| row["bound_to"] == ann.id), "it cannot be given away");
        let before = shop.goods().await;
        ann.player.call("character_leave", json!([])).await.expect("left");
        ann.player.call("character_enter", json!([ann.id])).await.expect("entered again");
        assert_eq!(shop.goods().await, before);
        shop.adds_up().await;
    });
}

#[test]
fn stacks_are_moved_split_merged_and_swapped_within_a_bag() {
    on_database(|database| async move {
        let shop = Shop::open(database, |_| {}).await;
        let ann = shop.arena.hero("Ann", "fighter", FIELD).await;
        let wool = shop.give(&ann, "wool", 30).await;
        let bone = shop.give(&ann, "bone", 5).await;
        let mut story = Story::begin(shop.database()).await;
        for (reducer, args) in [
            ("item_move", with(json!([wool, 10, 7]), 5, 1)),
            // The same once more is the same command.
            ("item_move", with(json!([wool, 10, 7]), 5, 1)),
            ("item_move", with(json!([wool, 5, 7]), 5, 2)),
            ("item_move", with(json!([bone, 5, 0]), 5, 3)),
            ("item_move", with(json!([wool, 15, 7]), 5, 4)),
            ("item_move", with(json!([bone, 2, 7]), 5, 5)),
        ] {
            story.call("Ann", &ann.player, reducer, args).await;
        }
        insta::assert_snapshot!(story.end());
        assert_eq!(shop.shown(BAG, ann.id).await, ["0: 5 × bone", "7: 30 × wool"]);
        shop.adds_up().await;
    });
}

#[test]
fn what_is_destroyed_can_be_restored_by_staff_alone() {
    on_database(|database| async move {
        let shop = Shop::open(database, |_| {}).await;
        let ann = shop.arena.hero("Ann", "fighter", FIELD).await;
        let bob = shop.arena.hero("Bob", "fighter", FIELD).await;
        let wool = shop.give(&ann, "wool", 30).await;
        shop.call(&ann, "item_destroy", json!([wool, 10])).await.expect("destroyed");
        shop.call(&ann, "item_destroy", json!([wool, 20])).await.expect("destroyed");
        assert_eq!(shop.shown(BAG, ann.id).await, [""; 0]);
        let rows = shop.database().rows("item_destroyed").await;
        assert_eq!(rows.len(), 2, "each stays by itself");
        shop.refuses(&ann, "item_destroy", json!([wool, 20]), "item.unknown").await;
        let part = rows.iter().map(|row| number(row, "item_id")).find(|id| *id != wool);
        let part = part.expect("the part that was split off");
        let mut story = Story::begin(shop.database()).await;
        story.call("Bob", &bob.player, "item_restore", json!([wool, "a mistake"])).await;
        let owner = &shop.database().owner;
        story.call("owner", owner, "item_restore", json!([part, ""])).await;
        for _ in 0..2 {
            story.call("owner", owner, "item_restore", json!([part, "a mistake"])).await;
        }
        story.call("owner", owner, "item_restore", json!([u64::MAX, "a mistake"])).await;
        insta::assert_snapshot!(story.end());
        shop.adds_up().await;
    });
}

#[test]
fn what_lies_higher_than_it_may_is_destroyed_and_restored_as_a_whole() {
    on_database(|database| async move {
        let shop = Shop::open(database, |_| {}).await;
        let ann = shop.arena.hero("Ann", "fighter", FIELD).await;
        let wool = shop.give(&ann, "wool", 60).await;
        let mut pack = crate::support::content::srd();
        let def = pack.item.iter_mut().find(|item| item.key == "wool");
        def.expect("wool").stack_max = 20;
        shop.database().put_in_force(&pack).await;
        // A part that is higher than a stack may be now, and what is left.
        for count in [35, 25] {
            shop.call(&ann, "item_destroy", json!([wool, count])).await.expect("destroyed");
        }
        assert_eq!(shop.shown(BAG, ann.id).await, [""; 0]);
        assert_eq!(shop.shown(9, ann.account_id).await, ["0: 35 × wool", "1: 25 × wool"]);
        let rows = shop.database().rows("item_destroyed").await;
        assert_eq!(rows.len(), 2, "each stack has its row");
        for row in rows {
            let args = json!([number(&row, "item_id"), "a mistake"]);
            shop.database().owner.call("item_restore", args).await.expect("restored");
        }
        let shown = ["0: 20 × wool", "1: 20 × wool", "2: 20 × wool"];
        assert_eq!(shop.shown(BAG, ann.id).await, shown);
        shop.adds_up().await;
    });
}

#[test]
fn what_has_no_room_is_in_the_lost_and_found_until_it_is_claimed() {
    on_database(|database| async move {
        let shop = Shop::open(database, |_| {}).await;
        let ann = shop.arena.hero("Ann", "fighter", FIELD).await;
        let bob = shop.arena.hero("Bob", "fighter", FIELD).await;
        let wool = shop.give(&ann, "wool", 7).await;
        shop.call(&ann, "item_destroy", json!([wool, 7])).await.expect("destroyed");
        shop.give(&ann, "sack", 20).await;
        shop.refuses(&ann, "lost_item_claim", json!([wool]), "item.unknown").await;
        shop.database()
            .owner
            .call("item_restore", json!([wool, "a mistake"]))
            .await
            .expect("restored");
        assert_eq!(shop.shown(LOST, ann.account_id).await, ["0: 7 × wool"]);
        shop.refuses(&ann, "lost_item_claim", json!([wool]), "item.no_room").await;
        shop.refuses(&bob, "lost_item_claim", json!([wool]), "item.unknown").await;
        shop.refuses(&ann, "lost_item_claim", json!([0]), "economy.amount_invalid").await;
        let sack = shop.find(&ann, "sack").await;
        shop.call(&ann, "item_destroy", json!([sack, 1])).await.expect("destroyed");
        let bound = |to: u64| format!("UPDATE item SET bound_to = {to} WHERE item_id = {wool}");
        shop.database().run(&bound(bob.id)).await;
        shop.refuses(&ann, "lost_item_claim", json!([wool]), "item.bound").await;
        // Of a character that is gone it is bound to the one that claims it.
        shop.database().run(&bound(12_345)).await;
        shop.call(&ann, "lost_item_claim", json!([wool])).await.expect("claimed");
        let stacks = shop.stacks(BAG, ann.id).await;
        let stack = stacks.values().find(|row| row["def"] == "wool").expect("in the bag");
        assert_eq!(stack["bound_to"], ann.id);
        assert!(shop.stacks(LOST, ann.account_id).await.is_empty());
        shop.adds_up().await;
    });
}

#[test]
fn using_something_uses_it_up_and_does_what_it_does() {
    on_database(|database| async move {
        let shop = Shop::open(database, |_| {}).await;
        let ann = shop.arena.hero("Ann", "fighter", FIELD).await;
        let potion = shop.give(&ann, "potion_of_healing", 2).await;
        shop.arena.make(ann.id, 1, 0).await;
        let oneself = json!({ "Oneself": [] });
        let args = with_id(json!([potion, oneself]));
        for _ in 0..3 {
            ann.player.call("item_use", args.clone()).await.expect("used once");
        }
        let event = shop.arena.event(ann.id, "drink_healing").await;
        assert!(!event.dice.is_empty());
        let body = shop.database().body(ann.id).await;
        assert!(number(&body, "hit_points") >= 5, "{body}");
        assert_eq!(shop.shown(BAG, ann.id).await, ["0: 1 × potion_of_healing"]);
        // A spell that she does not know and has no slot for.
        let scroll = shop.give(&ann, "scroll_of_mage_armor", 1).await;
        until("her action is back", || async {
            let args = json!([scroll, { "Oneself": [] }]);
            shop.call(&ann, "item_use", args).await.ok()
        })
        .await;
        shop.arena.event(ann.id, "mage_armor").await;
        shop.adds_up().await;
    });
}
