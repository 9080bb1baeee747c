//! Whatever players send that they may not do, and what strangers see.

use super::{EQUIPMENT, Shop, with_id};
use crate::combat::FIELD;
use crate::support::on_database;
use haven_checks::number;
use serde_json::json;

#[test]
fn moving_and_destroying_what_is_not_ones_own_or_cannot_be_is_refused() {
    on_database(|database| async move {
        let shop = Shop::open(database, |_| {}).await;
        let ann = shop.arena.hero("Ann", "fighter", FIELD).await;
        let bob = shop.arena.hero("Bob", "fighter", FIELD).await;
        let wool = shop.give(&ann, "wool", 30).await;
        let bone = shop.give(&ann, "bone", 5).await;
        let worn = shop.stacks(EQUIPMENT, ann.id).await;
        let sword = number(&worn[&0], "item_id");
        for (hero, item_id, count, slot, code) in [
            (&bob, wool, 30, 3, "item.unknown"),
            (&ann, 0, 1, 3, "item.unknown"),
            (&ann, u64::MAX, 1, 3, "item.unknown"),
            (&ann, sword, 1, 3, "item.unknown"),
            (&ann, wool, 0, 3, "item.count_invalid"),
            (&ann, wool, 31, 3, "item.count_invalid"),
            (&ann, wool, u32::MAX, 3, "item.count_invalid"),
            (&ann, wool, 30, 20, "item.slot_invalid"),
            (&ann, wool, 30, u16::MAX, "item.slot_invalid"),
            (&ann, wool, 30, 0, "item.slot_taken"),
            (&ann, wool, 3, 1, "item.slot_taken"),
        ] {
            shop.refuses(hero, "item_move", json!([item_id, count, slot]), code).await;
        }
        for (hero, item_id, count, code) in [
            (&bob, wool, 1, "item.unknown"),
            (&ann, sword, 1, "item.unknown"),
            (&ann, wool, 0, "item.count_invalid"),
            (&ann, wool, 31, "item.count_invalid"),
        ] {
            shop.refuses(hero, "item_destroy", json!([item_id, count]), code).await;
        }
        for (flag, code) in [(1, "item.frozen"), (2, "item.locked")] {
            let set = format!("UPDATE item SET flags = {flag} WHERE item_id = {bone}");
            shop.database().run(&set).await;
            shop.refuses(&ann, "item_move", json!([bone, 5, 9]), code).await;
            shop.refuses(&ann, "item_move", json!([wool, 30, 1]), code).await;
            shop.refuses(&ann, "item_destroy", json!([bone, 1]), code).await;
            let oneself = json!({ "Oneself": [] });
            shop.refuses(&ann, "item_use", json!([bone, oneself]), code).await;
        }
        ann.player.call("character_leave", json!([])).await.expect("left");
        for (reducer, args) in [
            ("item_move", json!([wool, 1, 5])),
            ("item_destroy", json!([wool, 1])),
            ("item_equip", json!([wool, 0])),
            ("item_unequip", json!([wool])),
            ("item_repair", json!([wool])),
            ("item_use", json!([wool, { "Oneself": [] }])),
            ("item_craft", json!(["linen"])),
            ("item_gather", json!([0, 0])),
            ("loot_take", json!([1, 0])),
            ("loot_take_all", json!([1])),
            ("loot_roll", json!([1, 1, 1])),
            ("loot_assign", json!([1, 1, 1])),
            ("lost_item_claim", json!([0])),
        ] {
            shop.refuses(&ann, reducer, args, "item.not_in_world").await;
        }
    });
}

#[test]
fn putting_a_bag_in_order_leaves_nothing_in_the_ledger() {
    on_database(|database| async move {
        let shop = Shop::open(database, |_| {}).await;
        let ann = shop.arena.hero("Ann", "fighter", FIELD).await;
        let wool = shop.give(&ann, "wool", 30).await;
        shop.give(&ann, "bone", 5).await;
        let causes = async || shop.database().rows("ledger_cause").await.len();
        let before = causes().await;
        // Into a free slot, and in exchange with the other stack.
        for slot in [9, 1, 0] {
            shop.call(&ann, "item_move", json!([wool, 30, slot])).await.expect("moved");
        }
        assert_eq!(causes().await, before);
        shop.call(&ann, "item_move", json!([wool, 10, 5])).await.expect("split");
        assert_eq!(causes().await, before + 1, "a stack was made of another");
    });
}

#[test]
fn what_staff_keeps_is_passed_over_when_the_oldest_that_was_destroyed_makes_room() {
    on_database(|database| async move {
        let shop = Shop::open(database, |_| {}).await;
        let ann = shop.arena.hero("Ann", "fighter", FIELD).await;
        // Three stacks of 100. All from one session: an account has so many of them.
        let wool = shop.give(&ann, "wool", 300).await;
        let mut sequence = 0;
        for stack in shop.stacks(super::BAG, ann.id).await.values() {
            let item_id = number(stack, "item_id");
            for _ in 0..if item_id == wool { 66 } else { 67 } {
                sequence += 1;
                let args = super::with(json!([item_id, 1]), 1 << 40, sequence);
                ann.player.call("item_destroy", args).await.expect("destroyed");
            }
        }
        let destroyed = async || {
            let rows = shop.database().rows("item_destroyed").await;
            let mut stacks: Vec<u64> = rows.iter().map(|row| number(row, "item_id")).collect();
            stacks.sort_unstable();
            stacks
        };
        let before = destroyed().await;
        assert_eq!(before.len(), 200);
        let oldest = format!("UPDATE item SET flags = 1 WHERE item_id = {}", before[0]);
        shop.database().run(&oldest).await;
        shop.call(&ann, "item_destroy", json!([wool, 1])).await.expect("destroyed");
        let after = destroyed().await;
        assert_eq!((after.len(), after[0], after[1]), (200, before[0], before[2]));
        // All that was destroyed, each by itself.
        shop.database().run("UPDATE item SET flags = 1 WHERE count = 1").await;
        shop.refuses(&ann, "item_destroy", json!([wool, 1]), "item.no_room").await;
        shop.adds_up().await;
    });
}

#[test]
fn what_cannot_be_claimed_does_not_hold_up_the_rest() {
    on_database(|database| async move {
        let shop = Shop::open(database, |_| {}).await;
        let ann = shop.arena.hero("Ann", "fighter", FIELD).await;
        let wool = shop.give(&ann, "wool", 40).await;
        let bone = shop.give(&ann, "bone", 1).await;
        // Forty stacks of wool, and one behind them. All from one session: an account has so many.
        let stacks = std::iter::repeat_n(wool, 40).chain([bone]);
        for (sequence, item_id) in (1..).zip(stacks) {
            let args = super::with(json!([item_id, 1]), 1 << 40, sequence);
            ann.player.call("item_destroy", args).await.expect("destroyed");
        }
        shop.give(&ann, "sack", 20).await;
        let owner = &shop.database().owner;
        let rows = shop.database().rows("item_destroyed").await;
        let ids = rows.iter().map(|row| number(row, "item_id"));
        for item_id in ids.filter(|item_id| *item_id != bone).chain([bone]) {
            owner.call("item_restore", json!([item_id, "a mistake"])).await.expect("restored");
        }
        let lost = async || shop.stacks(super::LOST, ann.account_id).await.len();
        assert_eq!(lost().await, 41);
        shop.refuses(&ann, "lost_claim", json!([]), "item.no_room").await;
        for _ in 0..2 {
            let sack = shop.find(&ann, "sack").await;
            shop.call(&ann, "item_destroy", json!([sack, 1])).await.expect("destroyed");
        }
        shop.database().run("UPDATE item SET flags = 1 WHERE def = 'wool'").await;
        shop.call(&ann, "lost_claim", json!([])).await.expect("what is behind them");
        assert_eq!(lost().await, 40);
        shop.find(&ann, "bone").await;
        shop.refuses(&ann, "lost_claim", json!([]), "item.frozen").await;
        // Of a character that is gone, and so hers now: 32 of them at a time.
        let bound = "UPDATE item SET flags = 0, bound_to = 12345 WHERE def = 'wool'";
        shop.database().run(bound).await;
        for left in [8, 0] {
            shop.call(&ann, "lost_claim", json!([])).await.expect("claimed");
            assert_eq!(lost().await, left);
        }
        let bag = shop.stacks(super::BAG, ann.id).await;
        let wool = bag.values().find(|row| row["def"] == "wool").expect("in the bag");
        assert_eq!((number(wool, "count"), &wool["bound_to"]), (40, &json!(ann.id)));
        shop.adds_up().await;
    });
}

#[test]
fn using_what_does_nothing_or_cannot_be_used_is_refused() {
    on_database(|database| async move {
        let shop = Shop::open(database, |_| {}).await;
        let ann = shop.arena.hero("Ann", "fighter", FIELD).await;
        let wool = shop.give(&ann, "wool", 1).await;
        let strong = shop.give(&ann, "potion_of_superior_healing", 1).await;
        let acid = shop.give(&ann, "acid_vial", 1).await;
        for (item_id, aim, code) in [
            (wool, json!({ "Oneself": [] }), "item.not_usable"),
            (strong, json!({ "Oneself": [] }), "item.level_too_low"),
            (acid, json!({ "Oneself": [] }), "combat.aim_wrong"),
            (acid, json!({ "Entity": u64::MAX }), "combat.target_unknown"),
            (acid, json!({ "Entity": ann.id }), "combat.target_self"),
        ] {
            shop.refuses(&ann, "item_use", json!([item_id, aim]), code).await;
        }
        shop.arena
            .refuses_use(&ann, "throw_acid", crate::combat::oneself(), "combat.ability_not_known")
            .await;
        shop.database().run(&format!("UPDATE item SET def = 'gone' WHERE item_id = {wool}")).await;
        let args = json!([wool, { "Oneself": [] }]);
        shop.refuses(&ann, "item_use", args, "item.definition_unknown").await;
    });
}

#[test]
fn giving_is_for_staff_and_within_bounds() {
    on_database(|database| async move {
        let shop = Shop::open(database, |_| {}).await;
        let ann = shop.arena.hero("Ann", "fighter", FIELD).await;
        let args = json!([ann.id, "wool", 5, "for a test"]);
        shop.refuses(&ann, "item_give", args.clone(), "account.permission_denied").await;
        let owner = &shop.database().owner;
        let why = "for a test";
        for (args, code) in [
            (json!([ann.id, "wool", 1, ""]), "economy.reason_invalid"),
            (json!([ann.id, "wool", 1, "x".repeat(121)]), "economy.reason_invalid"),
            (json!([7, "wool", 1, why]), "item.character_unknown"),
            (json!([ann.id, "", 1, why]), "item.definition_unknown"),
            (json!([ann.id, "no_such", 1, why]), "item.definition_unknown"),
            (json!([ann.id, "wool", 0, why]), "item.count_invalid"),
            (json!([ann.id, "wool", u32::MAX, why]), "item.no_room"),
            (json!([ann.id, "oathkeeper", 2, why]), "item.unique_taken"),
        ] {
            let refused = owner.call("item_give", with_id(args.clone())).await;
            let refused = refused.expect_err(code);
            assert!(refused.starts_with(&format!("{code}:")), "{args}: {refused}");
        }
        owner.call("item_give", with_id(json!([ann.id, "oathkeeper", 1, why]))).await.expect("one");
        let again = owner.call("item_give", with_id(json!([ann.id, "oathkeeper", 1, why]))).await;
        assert!(again.expect_err("unique").starts_with("item.unique_taken:"));
        let once = with_id(args);
        for _ in 0..3 {
            owner.call("item_give", once.clone()).await.expect("once");
        }
        let shown = shop.shown(super::BAG, ann.id).await;
        assert_eq!(shown, ["0: 1 × oathkeeper", "1: 5 × wool"]);
        let audited = shop.database().rows("audit_entry").await;
        assert_eq!(audited.iter().filter(|row| row["action"] == "item_given").count(), 2);
        shop.adds_up().await;
    });
}

#[test]
fn strangers_see_nothing_of_anybodys_goods() {
    on_database(|database| async move {
        let shop = Shop::open(database, super::loot::certain).await;
        let ann = shop.arena.hero("Ann", "fighter", FIELD).await;
        let eve = shop.arena.hero("Eve", "fighter", FIELD).await;
        shop.arena.makes_sure(ann.id).await;
        let tables = ["item", "item_container", "loot_share", "ledger_account"];
        let queries = tables.map(|table| format!("SELECT * FROM {table}"));
        let queries: Vec<&str> = queries.iter().map(String::as_str).collect();
        ann.player.subscribe(&queries).await;
        eve.player.subscribe(&queries).await;
        let wool = shop.give(&ann, "wool", 30).await;
        shop.call(&ann, "item_move", json!([wool, 10, 5])).await.expect("split");
        shop.call(&ann, "item_move", json!([wool, 20, 9])).await.expect("moved");
        shop.call(&ann, "item_destroy", json!([wool, 20])).await.expect("destroyed");
        // What only she has a right to: wool again, and a sword.
        super::loot::kill(&shop, &ann).await;
        let shares = shop.database().rows("loot_share").await;
        assert!(shares.len() == 1 && shares[0]["character_id"] == ann.id, "{shares:?}");
        crate::support::until("she sees it", || async {
            let all = format!("{:?}", ann.player.messages());
            all.contains("longsword_1").then_some(())
        })
        .await;
        // What she has seen of her own ends with what comes now.
        shop.give(&eve, "bone", 1).await;
        crate::support::until("the last of it has come", || async {
            let all = format!("{:?}", eve.player.messages());
            all.contains("bone").then_some(())
        })
        .await;
        let seen = format!("{:?}", eve.player.messages());
        assert!(!seen.contains("wool"), "a stack of another's");
        assert!(!seen.contains("longsword_1"), "what lies there for another");
        assert!(!seen.contains(&ann.id.to_string()), "a bag of another's");
        assert!(format!("{:?}", ann.player.messages()).contains("wool"), "her own she sees");
        for table in [
            "item_history",
            "item_tally",
            "sequence",
            "item_container_free",
            "item_outfit",
            "item_destroyed",
            "item_work",
            "loot_find",
            "loot_fallen",
            "loot_due",
            "loot_open_roll",
            "loot_choice",
            "ledger_cause",
            "ledger_entry",
        ] {
            let before = eve.player.messages().len();
            eve.player.send(&json!({ "SubscribeMulti": {
                "query_strings": [format!("SELECT * FROM {table}")],
                "request_id": 99, "query_id": { "id": 99 },
            }}));
            let answer = crate::support::until("an answer", || async {
                let messages = eve.player.messages();
                (messages.len() > before).then(|| format!("{:?}", messages[before]))
            })
            .await;
            assert!(answer.contains("Error"), "{table}: {answer}");
        }
    });
}
