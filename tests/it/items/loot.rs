//! What the dead leave: who sees it, who may take it, what becomes of the rest.

use super::{BAG, Shop};
use crate::combat::{FIELD, Hero, at};
use crate::support::content::set;
use crate::support::{on_database, until};
use haven_checks::{number, text};
use haven_rules::content::{LootEntry, LootTableDef, Pack};
use serde_json::{Value, json};

/// Always so many of something.
pub fn always(item: &str, count: &str) -> LootEntry {
    LootEntry { item: item.to_owned(), percent: 100, count: count.parse().expect("dice") }
}

/// Every creature leaves the same.
pub fn certain(pack: &mut Pack) {
    pack.loot_table = vec![LootTableDef {
        key: "always".to_owned(),
        kinds: vec![],
        creatures: vec![],
        challenge_min: "0".to_owned(),
        challenge_max: "20".to_owned(),
        coins: Some("7".parse().expect("dice")),
        coin_copper: 10,
        entries: vec![always("wool", "3"), always("longsword_1", "1")],
    }];
    set(pack, "creature_damage_percent", 0);
}

/// A hero kills a creature beside it; what lies there then.
pub async fn kill(shop: &Shop, hero: &Hero) -> Value {
    let known = shop.database().rows("loot").await.len();
    let place = (FIELD.0 + 1_000, FIELD.1);
    let prey = shop.database().creatures("commoner", place, 1, 1).await[0];
    shop.arena.make(prey, 1, 0).await;
    until("it is dead", || async {
        let row = shop.arena.row("combatant", "entity_id", prey).await;
        if row.is_none_or(|row| row["vital"] == 3) {
            return Some(());
        }
        // Refused while the action is not back.
        let _ = hero.uses("attack", at(prey)).await;
        None
    })
    .await;
    until("something lies there", || async {
        let mut rows = shop.database().rows("loot").await;
        let is_more = rows.len() > known;
        rows.sort_by_key(|row| number(row, "loot_id"));
        is_more.then(|| rows.pop()).flatten()
    })
    .await
}

#[test]
fn who_killed_it_takes_what_lies_there_and_nobody_else() {
    on_database(|database| async move {
        let shop = Shop::open(database, certain).await;
        let ann = shop.arena.hero("Ann", "fighter", FIELD).await;
        let bob = shop.arena.hero("Bob", "fighter", FIELD).await;
        shop.arena.makes_sure(ann.id).await;
        let loot = kill(&shop, &ann).await;
        let loot_id = number(&loot, "loot_id");
        let share = &shop.database().rows("loot_share").await[0];
        assert_eq!((number(share, "copper"), &share["character_id"]), (70, &json!(ann.id)));
        let lines = share["lines"].as_array().expect("lines");
        let shown: Vec<_> = lines.iter().map(|line| (&line[1], &line[3])).collect();
        assert_eq!(shown, [(&json!(3), &json!("wool")), (&json!(1), &json!("longsword_1"))]);
        let wool = lines[0][0].as_u64().expect("a stack");
        for (hero, args, code) in [
            (&bob, json!([loot_id, wool]), "item.loot_unknown"),
            (&bob, json!([loot_id, 0]), "item.loot_unknown"),
            (&ann, json!([u64::MAX, 0]), "item.loot_unknown"),
            (&ann, json!([loot_id, 999]), "item.unknown"),
        ] {
            shop.refuses(hero, "loot_take", args, code).await;
        }
        shop.refuses(&bob, "loot_take_all", json!([loot_id]), "item.loot_unknown").await;
        shop.refuses(&ann, "loot_assign", json!([loot_id, wool, bob.id]), "item.not_master").await;
        shop.refuses(&ann, "loot_roll", json!([loot_id, wool, 1]), "item.not_rolled").await;
        shop.refuses(&ann, "loot_roll", json!([loot_id, wool, 3]), "item.choice_invalid").await;
        // As if its time were over and the sweep had not come to it.
        for (expires_at, is_over) in [(1, true), (number(&loot, "expires_at_micros"), false)] {
            let set = format!("expires_at_micros = {expires_at} WHERE loot_id = {loot_id}");
            shop.database().run(&format!("UPDATE loot SET {set}")).await;
            if is_over {
                let (one, all) = (json!([loot_id, wool]), json!([loot_id]));
                shop.refuses(&ann, "loot_take", one, "item.loot_unknown").await;
                shop.refuses(&ann, "loot_take_all", all, "item.loot_unknown").await;
            }
        }
        let coins = shop.coins(&ann).await;
        // It lies where the creature fell, some steps away.
        shop.arena.put(ann.id, (FIELD.0 + 20_000, FIELD.1)).await;
        shop.refuses(&ann, "loot_take", json!([loot_id, 0]), "item.too_far").await;
        shop.arena.put(ann.id, FIELD).await;
        shop.call(&ann, "loot_take", json!([loot_id, 0])).await.expect("coins");
        shop.refuses(&ann, "loot_take", json!([loot_id, 0]), "item.unknown").await;
        assert_eq!(shop.coins(&ann).await, coins + 70);
        shop.call(&ann, "loot_take", json!([loot_id, wool])).await.expect("wool");
        shop.call(&ann, "loot_take_all", json!([loot_id])).await.expect("the rest");
        assert_eq!(shop.shown(BAG, ann.id).await, ["0: 3 × wool", "1: 1 × longsword_1"]);
        for table in ["loot", "loot_find", "loot_share", "loot_due"] {
            assert_eq!(shop.database().rows(table).await.len(), 0, "{table}");
        }
        shop.adds_up().await;
    });
}

#[test]
fn what_nobody_takes_is_gone_and_counted() {
    on_database(|database| async move {
        let shop = Shop::open(database, |pack| {
            certain(pack);
            set(pack, "loot_millis", 1_000);
        })
        .await;
        let ann = shop.arena.hero("Ann", "fighter", FIELD).await;
        shop.arena.makes_sure(ann.id).await;
        kill(&shop, &ann).await;
        until("it is gone", || async {
            shop.database().rows("loot").await.is_empty().then_some(())
        })
        .await;
        let rows = shop.database().rows("item_tally").await;
        let wool = rows.iter().find(|row| text(row, "def") == "wool").expect("it was made");
        assert_eq!((number(wool, "made"), number(wool, "gone")), (3, 3));
        let containers = shop.database().rows("item_container").await;
        assert!(containers.iter().all(|row| row["kind"] != 6), "no corpse is left");
        shop.adds_up().await;
    });
}

#[test]
fn what_staff_keeps_lies_there_out_of_reach_and_is_gone_when_it_is_thawed() {
    on_database(|database| async move {
        let shop = Shop::open(database, certain).await;
        let ann = shop.arena.hero("Ann", "fighter", FIELD).await;
        shop.arena.makes_sure(ann.id).await;
        let loot = kill(&shop, &ann).await;
        let loot_id = number(&loot, "loot_id");
        let frozen =
            |flags: u8| format!("UPDATE item SET flags = {flags} WHERE def = 'wool' AND count = 3");
        shop.database().run(&frozen(1)).await;
        // As if its time were over: an instant of 1.
        let over = async || {
            let set = format!("expires_at_micros = 1 WHERE loot_id = {loot_id}");
            shop.database().run(&format!("UPDATE loot SET {set}")).await;
            shop.database().run("DELETE FROM loot_due WHERE due_key > 0").await;
            let key = (1_u128 << 64) | u128::from(loot_id);
            shop.database().run(&format!("INSERT INTO loot_due (due_key) VALUES ({key})")).await;
        };
        over().await;
        until("nobody has a right to it", || async {
            shop.database().rows("loot_share").await.is_empty().then_some(())
        })
        .await;
        let left = async || {
            let rows = shop.database().rows("item").await;
            rows.iter().filter(|row| ["wool", "longsword_1"].contains(&text(row, "def"))).count()
        };
        assert_eq!(left().await, 1, "the sword is gone, the wool is kept");
        assert_eq!(shop.database().rows("loot").await.len(), 1);
        assert_eq!(shop.database().rows("loot_due").await.len(), 1, "it is looked at again");
        shop.refuses(&ann, "loot_take_all", json!([loot_id]), "item.loot_unknown").await;
        shop.database().run(&frozen(0)).await;
        shop.refuses(&ann, "loot_take_all", json!([loot_id]), "item.loot_unknown").await;
        over().await;
        until("it is gone", || async {
            shop.database().rows("loot").await.is_empty().then_some(())
        })
        .await;
        assert_eq!(left().await, 0);
        assert!(shop.database().rows("loot_due").await.is_empty());
        shop.adds_up().await;
    });
}

#[test]
fn what_is_rare_is_the_masters_to_assign() {
    on_database(|database| async move {
        let shop = Shop::open(database, certain).await;
        let ann = shop.arena.hero("Ann", "fighter", FIELD).await;
        let bob = shop.arena.hero("Bob", "fighter", FIELD).await;
        shop.arena.makes_sure(ann.id).await;
        let loot = kill(&shop, &ann).await;
        let loot_id = number(&loot, "loot_id");
        // As if her party shared so, and she led it.
        let set = format!("mode = 4, threshold = 1, master_id = {}", ann.id);
        shop.database().run(&format!("UPDATE loot SET {set} WHERE loot_id = {loot_id}")).await;
        let share = shop.database().rows("loot_share").await.remove(0);
        let stack = |at: usize| share["lines"][at][0].as_u64().expect("a stack");
        let (wool, sword) = (stack(0), stack(1));
        shop.refuses(&ann, "loot_take", json!([loot_id, sword]), "item.withheld").await;
        // Wool is common: nobody's to assign.
        shop.refuses(&ann, "loot_assign", json!([loot_id, wool, ann.id]), "item.not_master").await;
        let to_bob = json!([loot_id, sword, bob.id]);
        shop.refuses(&ann, "loot_assign", to_bob, "item.holder_unknown").await;
        shop.refuses(&ann, "loot_assign", json!([loot_id, 9, ann.id]), "item.unknown").await;
        shop.call(&ann, "loot_assign", json!([loot_id, sword, ann.id])).await.expect("assigned");
        assert_eq!(shop.shown(BAG, ann.id).await, ["0: 1 × longsword_1"]);
        // It is another's turn.
        let later = crate::support::now_micros() + 60_000_000;
        let turn = format!("turn_of = {}, turn_ends_at_micros = {later}", bob.id);
        shop.database().run(&format!("UPDATE loot SET {turn} WHERE loot_id = {loot_id}")).await;
        shop.refuses(&ann, "loot_take_all", json!([loot_id]), "item.not_turn").await;
        let over = format!("UPDATE loot SET turn_ends_at_micros = 1 WHERE loot_id = {loot_id}");
        shop.database().run(&over).await;
        shop.call(&ann, "loot_take_all", json!([loot_id])).await.expect("the turn is over");
        shop.adds_up().await;
    });
}

#[test]
fn what_is_rolled_for_is_decided_when_all_have_chosen_or_time_is_over() {
    on_database(|database| async move {
        let shop = Shop::open(database, |pack| {
            certain(pack);
            pack.loot_table[0].entries.push(always("plate_1", "1"));
        })
        .await;
        let ann = shop.arena.hero("Ann", "fighter", FIELD).await;
        shop.arena.makes_sure(ann.id).await;
        for is_late in [false, true] {
            let loot_id = number(&kill(&shop, &ann).await, "loot_id");
            let shares = shop.database().rows("loot_share").await;
            let share = shares.iter().find(|row| row["loot_id"] == loot_id).expect("a share");
            let stack = |at: usize| share["lines"][at][0].as_u64().expect("a stack");
            let (sword, plate) = (stack(1), stack(2));
            let ends = crate::support::now_micros() + if is_late { -1 } else { 60_000_000 };
            for item_id in [sword, plate] {
                let key = (u128::from(ends.unsigned_abs()) << 64) | u128::from(item_id);
                let values = format!("({item_id}, {key}, {loot_id})");
                let columns = "(item_id, ends_key, loot_id)";
                let query = format!("INSERT INTO loot_open_roll {columns} VALUES {values}");
                shop.database().run(&query).await;
            }
            if is_late {
                until("nobody has won", || async {
                    shop.database().rows("loot_open_roll").await.is_empty().then_some(())
                })
                .await;
                assert!(shop.database().rows("loot_choice").await.is_empty());
                shop.call(&ann, "loot_take", json!([loot_id, plate])).await.expect("free");
                continue;
            }
            shop.refuses(&ann, "loot_take", json!([loot_id, sword]), "item.withheld").await;
            // She is of too low a level for it.
            let args = json!([loot_id, plate, 2]);
            shop.refuses(&ann, "loot_roll", args, "item.need_unfit").await;
            shop.call(&ann, "loot_roll", json!([loot_id, plate, 1])).await.expect("greed");
            shop.arena.event(number_of(&shop, loot_id).await, "loot_roll").await;
            assert_eq!(shop.shown(BAG, ann.id).await, ["0: 1 × plate_1"]);
            shop.refuses(&ann, "loot_roll", json!([loot_id, plate, 1]), "item.not_rolled").await;
            // As if another were still to choose.
            let key = (u128::from(sword) << 64) | u128::from(ann.id);
            let columns = "(choice_key, character_id, choice)";
            let query = format!("INSERT INTO loot_choice {columns} VALUES ({key}, {}, 1)", ann.id);
            shop.database().run(&query).await;
            let args = json!([loot_id, sword, 0]);
            shop.refuses(&ann, "loot_roll", args, "item.chosen_already").await;
            shop.database().run(&format!("DELETE FROM loot_choice WHERE choice_key = {key}")).await;
            shop.call(&ann, "loot_roll", json!([loot_id, sword, 0])).await.expect("passed");
            shop.call(&ann, "loot_take_all", json!([loot_id])).await.expect("free for all");
        }
        shop.adds_up().await;
    });
}

/// The creature of a loot.
async fn number_of(shop: &Shop, loot_id: u64) -> u64 {
    let row = shop.arena.row("loot", "loot_id", loot_id).await;
    number(&row.expect("loot"), "creature_id")
}
