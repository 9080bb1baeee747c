//! Putting on and off: what it is worth, how it wears, what it weighs.

use super::{BAG, EQUIPMENT, Shop, with_id};
use crate::combat::FIELD;
use crate::support::{on_database, until};
use haven_checks::number;
use serde_json::{Value, json};

/// As a slot: the first that fits.
const ANY: u16 = u16::MAX;

async fn armor_class(shop: &Shop, id: u64) -> u64 {
    let row = shop.arena.row("character_sheet", "character_id", id).await;
    number(&row.expect("a sheet"), "armor_class")
}

async fn worn(shop: &Shop, id: u64, slot: u64) -> Value {
    shop.stacks(EQUIPMENT, id).await.remove(&slot).expect("something is put on there")
}

#[test]
fn what_is_put_on_and_off_is_what_a_character_is_worth() {
    on_database(|database| async move {
        let shop = Shop::open(database, |_| {}).await;
        let ann = shop.arena.hero("Ann", "fighter", FIELD).await;
        let whole = armor_class(&shop, ann.id).await;
        assert!(whole >= 18, "chain mail and a shield: {whole}");
        let shield = number(&worn(&shop, ann.id, 4).await, "item_id");
        shop.call(&ann, "item_unequip", json!([shield])).await.expect("put off");
        assert_eq!(armor_class(&shop, ann.id).await, whole - 2);
        let better = shop.give(&ann, "shield_1", 1).await;
        let level = format!("SET level = 2 WHERE character_id = {}", ann.id);
        shop.database().run(&format!("UPDATE character_progress {level}")).await;
        shop.call(&ann, "item_equip", json!([better, ANY])).await.expect("put on");
        assert_eq!(armor_class(&shop, ann.id).await, whole + 1);
        let row = worn(&shop, ann.id, 4).await;
        assert_eq!(row["bound_to"], ann.id, "it is bound when it is put on");
        // The other one goes to where this one lay.
        shop.call(&ann, "item_equip", json!([shield, 4])).await.expect("changed");
        assert_eq!(armor_class(&shop, ann.id).await, whole);
        assert_eq!(shop.shown(BAG, ann.id).await, ["0: 1 × shield_1"]);
        let mail = number(&worn(&shop, ann.id, 5).await, "item_id");
        shop.call(&ann, "item_unequip", json!([mail])).await.expect("put off");
        assert!(armor_class(&shop, ann.id).await < whole - 2);
        shop.adds_up().await;
    });
}

#[test]
fn what_cannot_be_put_on_is_refused() {
    on_database(|database| async move {
        let shop = Shop::open(database, |_| {}).await;
        let ann = shop.arena.hero("Ann", "fighter", FIELD).await;
        let rob = shop.arena.hero("Rob", "rogue", FIELD).await;
        let [axe, sword, ration, ring] = [
            shop.give(&ann, "greataxe", 1).await,
            shop.give(&ann, "longsword_2", 1).await,
            shop.give(&ann, "ration", 3).await,
            shop.give(&ann, "copper_ring", 1).await,
        ];
        let plate = shop.give(&rob, "plate", 1).await;
        let own = number(&worn(&shop, ann.id, 0).await, "item_id");
        for (hero, item_id, slot, code) in [
            (&rob, axe, ANY, "item.unknown"),
            (&ann, 0, ANY, "item.unknown"),
            (&ann, own, ANY, "item.unknown"),
            (&ann, ration, ANY, "item.not_wearable"),
            (&ann, sword, ANY, "item.level_too_low"),
            (&rob, plate, ANY, "item.class_unfit"),
            (&ann, ring, 0, "item.slot_unfit"),
            (&ann, ring, 18, "item.slot_unfit"),
            (&ann, axe, 1, "item.hands_full"),
        ] {
            shop.refuses(hero, "item_equip", json!([item_id, slot]), code).await;
        }
        shop.database().run(&format!("UPDATE item SET durability = 0 WHERE item_id = {axe}")).await;
        shop.refuses(&ann, "item_equip", json!([axe, 1]), "item.broken").await;
        shop.refuses(&ann, "item_unequip", json!([ring]), "item.unknown").await;
        let mail = number(&worn(&shop, ann.id, 5).await, "item_id");
        let soon = crate::support::now_micros() + 60_000_000;
        let fought = format!("fought_at_micros = {soon} WHERE entity_id = {}", ann.id);
        let fought = format!("UPDATE combat_state SET {fought}");
        shop.database().run(&fought).await;
        shop.refuses(&ann, "item_unequip", json!([mail]), "item.in_fight").await;
        shop.call(&ann, "item_equip", json!([ring, ANY])).await.expect("a ring may be");
        shop.arena.make(ann.id, 0, 3).await;
        shop.refuses(&ann, "item_unequip", json!([mail]), "item.not_awake").await;
        shop.refuses(&ann, "item_equip", json!([axe, ANY]), "item.not_awake").await;
    });
}

#[test]
fn containers_bring_slots_and_stay_while_those_are_used() {
    on_database(|database| async move {
        let shop = Shop::open(database, |_| {}).await;
        let ann = shop.arena.hero("Ann", "fighter", FIELD).await;
        let pack = shop.give(&ann, "backpack", 1).await;
        let wool = shop.give(&ann, "wool", 3).await;
        shop.refuses(&ann, "item_move", json!([wool, 3, 20]), "item.slot_invalid").await;
        shop.call(&ann, "item_equip", json!([pack, ANY])).await.expect("put on");
        shop.call(&ann, "item_move", json!([wool, 3, 29])).await.expect("there is such a slot now");
        shop.refuses(&ann, "item_unequip", json!([pack]), "item.bag_in_use").await;
        shop.call(&ann, "item_move", json!([wool, 3, 1])).await.expect("back");
        shop.call(&ann, "item_unequip", json!([pack])).await.expect("put off");
        shop.refuses(&ann, "item_move", json!([wool, 3, 20]), "item.slot_invalid").await;
    });
}

#[test]
fn dying_wears_what_is_put_on_and_repairs_cost() {
    on_database(|database| async move {
        let shop = Shop::open(database, |pack| {
            crate::support::content::set(pack, "death_durability_percent", 100);
            crate::support::content::switch(pack, "death_saves", false);
        })
        .await;
        let ann = shop.arena.hero("Ann", "fighter", FIELD).await;
        let bob = shop.acolyte("Bob").await;
        let whole = armor_class(&shop, bob.id).await;
        let mail = number(&worn(&shop, ann.id, 5).await, "item_id");
        shop.refuses(&ann, "item_repair", json!([mail]), "item.not_worn").await;
        shop.refuses(&bob, "item_repair", json!([mail]), "item.unknown").await;
        let broken = format!("UPDATE item SET durability = 0 WHERE item_id = {mail}");
        shop.database().run(&broken).await;
        let take = json!([ann.id, shop.coins(&ann).await, "for a test"]);
        shop.database().owner.call("coins_take", with_id(take)).await.expect("taken");
        shop.refuses(&ann, "item_repair", json!([mail]), "economy.coins_missing").await;
        ann.player.call("character_leave", json!([])).await.expect("left");
        shop.arena.make(bob.id, 1, 0).await;
        let beside = (FIELD.0 + 1_000, FIELD.1);
        shop.database().creatures("adult_red_dragon", beside, 1, 1).await;
        until("he is dead", || async {
            (shop.database().body(bob.id).await["vital"] == 3).then_some(())
        })
        .await;
        let outfit = shop.arena.row("item_outfit", "character_id", bob.id).await;
        assert_eq!(
            outfit.expect("an outfit")["defs"],
            json!([]),
            "what is broken is worth nothing"
        );
        assert!(armor_class(&shop, bob.id).await < whole - 2);
        let mail = number(&worn(&shop, bob.id, 5).await, "item_id");
        shop.refuses(&bob, "item_repair", json!([mail]), "item.not_awake").await;
        shop.arena.make(bob.id, 1, 0).await;
        // Seven thousand five hundred copper, a fifth of it.
        shop.call(&bob, "item_repair", json!([mail])).await.expect("repaired");
        assert_eq!(shop.coins(&bob).await, 0);
        assert_eq!(worn(&shop, bob.id, 5).await["durability"], 150);
        assert_eq!(armor_class(&shop, bob.id).await, whole - 2, "the shield is broken");
    });
}

#[test]
fn a_load_slows_who_carries_it() {
    on_database(|database| async move {
        let shop = Shop::open(database, |pack| {
            crate::support::content::set(pack, "carry_g_per_strength", 3_000);
        })
        .await;
        let ann = shop.arena.hero("Ann", "fighter", FIELD).await;
        let load = async || {
            let row = shop.arena.row("item_outfit", "character_id", ann.id).await;
            let row = row.expect("an outfit");
            let effects = shop.database().rows("motion_effect").await;
            let of = effects.iter().filter(|effect| effect["entity_id"] == ann.id);
            let own = of.filter(|effect| effect["kind"] == 4).count();
            (number(&row, "load_percent"), own)
        };
        assert_eq!(load().await, (0, 0));
        let ore = shop.give(&ann, "iron_ore", 100).await;
        assert_eq!(load().await, (66, 1));
        ann.player.call("character_leave", json!([])).await.expect("left");
        assert_eq!(load().await, (0, 0));
        ann.player.call("character_enter", json!([ann.id])).await.expect("entered");
        assert_eq!(load().await, (66, 1));
        shop.call(&ann, "item_destroy", json!([ore, 100])).await.expect("destroyed");
        assert_eq!(load().await, (0, 0));
    });
}

#[test]
fn what_a_repair_cost_is_not_given_back() {
    on_database(|database| async move {
        let shop = Shop::open(database, |_| {}).await;
        let ann = shop.acolyte("Ann").await;
        let mail = number(&worn(&shop, ann.id, 5).await, "item_id");
        shop.database()
            .run(&format!("UPDATE item SET durability = 1 WHERE item_id = {mail}"))
            .await;
        shop.call(&ann, "item_repair", json!([mail])).await.expect("repaired");
        let left = shop.coins(&ann).await;
        assert!(left < 1_500, "{left}");
        let causes = shop.database().rows("ledger_cause").await;
        let repair = causes.iter().find(|row| row["kind"] == 107).expect("a cause");
        let cause = number(repair, "cause_id");
        let args = json!([cause, "a mistake"]);
        let refused = shop.database().owner.call("cause_reverse", args).await;
        let refused = refused.expect_err("it stays whole");
        assert!(refused.starts_with("economy.cause_in_way:"), "{refused}");
        assert!(refused.ends_with(&format!("(cause {cause})")), "{refused}");
        assert_eq!(shop.coins(&ann).await, left);
    });
}
