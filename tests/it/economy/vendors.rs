//! Vendors: what they ask and pay, who may deal with them, and how prices answer.

use super::{BAG, BUY_BACK, LONGSWORD, REACH_MM, Town, purge};
use crate::combat::FIELD;
use crate::support::content::{set, srd};
use crate::support::{on_database, until};
use haven_checks::{number, text};
use haven_rules::content::Pack;
use serde_json::{Value, json};

/// `item_container.kind` of lost-and-founds.
const LOST: u64 = 8;
/// Columns of `vendor`.
const COLUMNS: &str = "(vendor_id, chunk_index, pos_x_mm, pos_y_mm, def)";

async fn shelf(town: &Town, def: &str) -> Value {
    let rows = town.database().rows("vendor_shelf").await;
    rows.into_iter().find(|row| text(row, "def") == def).expect("a shelf")
}

#[test]
fn buying_selling_and_buying_back_cost_what_they_say() {
    on_database(|database| async move {
        let town = Town::open(database, |_| ()).await;
        let ann = town.hero("Ann", 10_000).await;
        let before = number(&shelf(&town, "longsword").await, "stock");
        let sword = town.buys(&ann, "longsword").await;
        // 5 % of tax, rounded up.
        let after_buying = 10_000 - LONGSWORD - LONGSWORD * 5 / 100;
        assert_eq!(town.copper(&ann).await, after_buying);
        assert_eq!(number(&shelf(&town, "longsword").await, "stock"), before - 1);

        let pays = number(&shelf(&town, "longsword").await, "pays_copper");
        assert_eq!(pays, LONGSWORD / 4);
        let tax = (pays * 5).div_ceil(100);
        let sale = json!([town.smith, sword, 1, pays - tax, town.command()]);
        ann.player.call("vendor_sell", sale.clone()).await.expect("sold");
        ann.player.call("vendor_sell", sale).await.expect("was sold");
        assert_eq!(town.copper(&ann).await, after_buying + pays - tax);
        assert_eq!(town.bag(&ann).await, Vec::<String>::new());
        let sold = town.stacks(BUY_BACK, ann.id).await;
        assert_eq!(sold.len(), 1);
        assert_eq!(number(&shelf(&town, "longsword").await, "stock"), before);

        let back = json!([sold[0].0, town.command()]);
        ann.player.call("vendor_buy_back", back.clone()).await.expect("bought back");
        ann.player.call("vendor_buy_back", back).await.expect("was bought back");
        assert_eq!(town.copper(&ann).await, after_buying - tax, "what was paid, but for the tax");
        assert_eq!(town.bag(&ann).await, ["longsword 1"]);
        town.is_sound().await;
    });
}

#[test]
fn deals_that_cannot_be_are_refused() {
    on_database(|database| async move {
        let town = Town::open(database, |_| ()).await;
        let ann = town.hero("Ann", 0).await;
        let bob = town.hero("Bob", 2_000).await;
        let sword = town.buys(&bob, "longsword").await;
        let (vendor, swords) = (town.smith, "longsword");
        let buy = |vendor: u64, def: &str, count: u32, most: u64| {
            json!([vendor, def, count, most, town.command()])
        };
        let sell = |vendor: u64, item: u64, count: u32, least: u64| {
            json!([vendor, item, count, least, town.command()])
        };
        for (reducer, args, code) in [
            ("vendor_buy", buy(vendor, swords, 0, u64::MAX), "item.count_invalid"),
            ("vendor_buy", buy(vendor, swords, u32::MAX, u64::MAX), "item.count_invalid"),
            ("vendor_buy", buy(u64::MAX, swords, 1, u64::MAX), "economy.vendor_unknown"),
            ("vendor_buy", buy(vendor, "moon", 1, u64::MAX), "economy.goods_unknown"),
            ("vendor_buy", buy(vendor, "", 1, u64::MAX), "economy.goods_unknown"),
            ("vendor_buy", buy(vendor, swords, 1_000, u64::MAX), "economy.stock_missing"),
            ("vendor_buy", buy(vendor, swords, 1, LONGSWORD), "economy.price_changed"),
            ("vendor_buy", buy(vendor, swords, 1, u64::MAX), "economy.coins_missing"),
            ("vendor_sell", sell(vendor, sword, 1, 0), "item.unknown"),
            ("vendor_sell", sell(vendor, u64::MAX, 1, 0), "item.unknown"),
            ("vendor_buy_back", json!([sword, town.command()]), "economy.not_sold"),
            ("vendor_buy_back", json!([u64::MAX, town.command()]), "economy.not_sold"),
            ("vendor_place", json!(["armorer", FIELD.0, FIELD.1]), "account.permission_denied"),
            ("vendor_remove", json!([vendor]), "account.permission_denied"),
        ] {
            town.refuses(&ann.player, reducer, args, code).await;
        }
        for (args, code) in [
            (sell(vendor, sword, 0, 0), "item.count_invalid"),
            (sell(vendor, sword, 2, 0), "item.count_invalid"),
            (sell(vendor, sword, 1, LONGSWORD), "economy.price_changed"),
        ] {
            town.refuses(&bob.player, "vendor_sell", args, code).await;
        }
        town.arena.put(bob.id, (FIELD.0 + REACH_MM + 1, FIELD.1)).await;
        let args = sell(vendor, sword, 1, 0);
        town.refuses(&bob.player, "vendor_sell", args, "economy.vendor_too_far").await;
        town.arena.put(bob.id, (FIELD.0 + REACH_MM, FIELD.1)).await;
        town.arena.make(bob.id, 0, 3).await;
        let args = sell(vendor, sword, 1, 0);
        town.refuses(&bob.player, "vendor_sell", args, "economy.not_awake").await;
        bob.player.call("character_leave", json!([])).await.expect("left");
        let args = sell(vendor, sword, 1, 0);
        town.refuses(&bob.player, "vendor_sell", args, "economy.not_in_world").await;
        town.is_sound().await;
    });
}

#[test]
fn what_is_worth_nothing_or_too_much_of_is_not_taken() {
    on_database(|database| async move {
        let town = Town::open(database, |pack| {
            set(pack, "vendor_tax_bps", 5_000);
            let smith = pack.vendor.iter_mut().find(|vendor| vendor.key == "weaponsmith");
            for goods in &mut smith.expect("a weaponsmith").goods {
                match goods.item.as_str() {
                    // A copper for a club, and half a copper of tax is one.
                    "club" => goods.pays_bps = 1_000,
                    "dagger" => (goods.stock, goods.restock) = (1, 0),
                    "mace" => goods.sells = false,
                    "spear" => goods.buys = false,
                    _ => {}
                }
            }
        })
        .await;
        let ann = town.hero("Ann", 100_000).await;
        let clubs = town.buys(&ann, "club").await;
        let spear = town.buys(&ann, "spear").await;
        let args = json!([town.smith, clubs, 1, 0, town.command()]);
        town.refuses(&ann.player, "vendor_sell", args, "economy.worthless").await;
        let args = json!([town.smith, spear, 1, 0, town.command()]);
        town.refuses(&ann.player, "vendor_sell", args, "economy.goods_unknown").await;
        let args = json!([town.smith, "mace", 1, 1_000_000, town.command()]);
        town.refuses(&ann.player, "vendor_buy", args, "economy.goods_unknown").await;
        // It has one dagger normally, and takes four.
        let dagger = town.buys(&ann, "dagger").await;
        let query = "UPDATE vendor_shelf SET stock = 4 WHERE def = 'dagger'";
        town.database().run(query).await;
        let args = json!([town.smith, dagger, 1, 0, town.command()]);
        town.refuses(&ann.player, "vendor_sell", args, "economy.stock_full").await;
    });
}

#[test]
fn prices_answer_to_what_lies_on_the_shelf() {
    on_database(|database| async move {
        let town = Town::open(database, |pack| {
            set(pack, "vendor_tick_millis", 1_000);
            let smith = pack.vendor.iter_mut().find(|vendor| vendor.key == "weaponsmith");
            for goods in &mut smith.expect("a weaponsmith").goods {
                goods.restock = 0;
            }
        })
        .await;
        let ann = town.hero("Ann", 1_000_000).await;
        let before = number(&shelf(&town, "longsword").await, "asks_copper");
        for _ in 0..4 {
            town.buys(&ann, "longsword").await;
        }
        let asks = async || number(&shelf(&town, "longsword").await, "asks_copper");
        until("a shortage raises the price", || async { (asks().await > before).then_some(()) })
            .await;
        let pays = number(&shelf(&town, "longsword").await, "pays_copper");
        assert_eq!(pays, LONGSWORD / 4, "what is paid never rises above what is normal");
        let query = "UPDATE vendor_shelf SET stock = 30 WHERE def = 'longsword'";
        town.database().run(query).await;
        until("a glut lowers it", || async { (asks().await < before).then_some(()) }).await;
        let pays = number(&shelf(&town, "longsword").await, "pays_copper");
        assert!(pays < LONGSWORD / 4, "{pays}");
        town.is_sound().await;
    });
}

#[test]
fn vendors_stand_where_one_can_stand_and_are_gone_with_their_shelves() {
    on_database(|database| async move {
        let town = Town::open(database, |_| ()).await;
        let ann = town.hero("Ann", 5_000).await;
        let sword = town.buys(&ann, "longsword").await;
        let sale = json!([town.smith, sword, 1, 0, town.command()]);
        ann.player.call("vendor_sell", sale).await.expect("sold");
        let sold = town.stacks(BUY_BACK, ann.id).await[0].0;
        let owner = &town.database().owner;
        for (args, code) in [
            (json!(["nobody", FIELD.0, FIELD.1]), "economy.vendor_unknown"),
            (json!(["armorer", i32::MAX, FIELD.1]), "motion.goal_outside"),
            (json!(["armorer", 51_000, 31_000]), "motion.goal_blocked"),
        ] {
            town.refuses(owner, "vendor_place", args, code).await;
        }
        for vendor_id in 1_000..1_499 {
            let values = format!("({vendor_id}, 0, 0, 0, 'armorer')");
            town.database().run(&format!("INSERT INTO vendor {COLUMNS} VALUES {values}")).await;
        }
        let args = json!(["armorer", FIELD.0, FIELD.1]);
        town.refuses(owner, "vendor_place", args, "economy.vendors_too_many").await;
        town.database().run("DELETE FROM vendor WHERE chunk_index = 0").await;
        owner.call("vendor_remove", json!([town.smith])).await.expect("removed");
        town.refuses(owner, "vendor_remove", json!([town.smith]), "economy.vendor_unknown").await;
        assert!(town.database().rows("vendor_shelf").await.is_empty());
        let args = json!([sold, town.command()]);
        town.refuses(&ann.player, "vendor_buy_back", args, "economy.vendor_unknown").await;
        town.is_sound().await;
    });
}

#[test]
fn what_is_sold_last_can_be_bought_back_longest() {
    on_database(|database| async move {
        let town = Town::open(database, |_| ()).await;
        let ann = town.hero("Ann", 1_000_000).await;
        for index in 0..13 {
            let club = town.buys(&ann, "quarterstaff").await;
            let args = json!([town.smith, club, 1, 0, town.command()]);
            ann.player.call("vendor_sell", args).await.expect("sold");
            let kept = town.stacks(BUY_BACK, ann.id).await.len();
            assert_eq!(kept, (index + 1).min(12));
        }
        let made = town.database().rows("item_tally").await;
        let staffs = made.iter().find(|row| text(row, "def") == "quarterstaff").expect("a tally");
        assert_eq!((number(staffs, "made"), number(staffs, "gone")), (13, 1));
        town.is_sound().await;
    });
}

#[test]
fn what_staff_freezes_after_it_was_sold_stays_with_its_offer() {
    on_database(|database| async move {
        let town = Town::open(database, |_| ()).await;
        let ann = town.hero("Ann", 1_000_000).await;
        let mut staffs = vec![];
        for _ in 0..12 {
            let staff = town.buys(&ann, "quarterstaff").await;
            let args = json!([town.smith, staff, 1, 0, town.command()]);
            ann.player.call("vendor_sell", args).await.expect("sold");
            staffs.push(staff);
        }
        let frozen = |flags: u8, which: &str| format!("UPDATE item SET flags = {flags} {which}");
        town.database().run(&frozen(1, "WHERE def = 'quarterstaff'")).await;
        let sword = town.buys(&ann, "longsword").await;
        let sale = json!([town.smith, sword, 1, 0, town.command()]);
        town.refuses(&ann.player, "vendor_sell", sale.clone(), "item.no_room").await;
        // Not the oldest one, but the one that staff does not keep.
        let thawed = staffs.remove(7);
        town.database().run(&frozen(0, &format!("WHERE item_id = {thawed}"))).await;
        ann.player.call("vendor_sell", sale).await.expect("sold");
        let kept: Vec<u64> =
            town.stacks(BUY_BACK, ann.id).await.into_iter().map(|(id, ..)| id).collect();
        let mut expected = [&staffs[..], &[sword]].concat();
        expected.sort_unstable();
        assert_eq!(kept, expected);
        // Its time is over, and so is that of the sword: it is looked after once a minute.
        for item_id in [staffs[0], sword] {
            let set = format!("due_key = {item_id} WHERE item_id = {item_id}");
            town.database().run(&format!("UPDATE vendor_buy_back_offer SET {set}")).await;
        }
        let offers = async || town.database().rows("vendor_buy_back_offer").await.len();
        let mut look = tokio::time::interval(std::time::Duration::from_millis(250));
        for _ in 0..400 {
            look.tick().await;
            if offers().await == 11 {
                break;
            }
        }
        assert_eq!(offers().await, 11, "the sword is gone, the frozen one is not");
        assert_eq!(town.stacks(BUY_BACK, ann.id).await.len(), 11);
        town.is_sound().await;
        // It costs what was paid for it, and who is gone has it no more.
        town.database().run(&frozen(0, &format!("WHERE item_id = {}", staffs[0]))).await;
        let before = town.copper(&ann).await;
        let back = json!([staffs[0], town.command()]);
        ann.player.call("vendor_buy_back", back).await.expect("bought back");
        assert!(town.copper(&ann).await < before);
        purge(town.database(), &ann.player, ann.id).await;
        let rows = town.database().rows("item_destroyed").await;
        assert_eq!(rows.len(), 10, "staff can restore what it keeps");
        let lost = [(staffs[0], "quarterstaff".to_owned(), 1)];
        assert_eq!(town.stacks(LOST, ann.account_id).await, lost);
        town.is_sound().await;
    });
}

#[test]
fn what_lies_higher_than_it_may_is_sold_and_bought_back_as_a_whole() {
    on_database(|database| async move {
        let deals = |pack: &mut Pack| {
            let smith = pack.vendor.iter_mut().find(|vendor| vendor.key == "weaponsmith");
            smith.expect("a weaponsmith").goods[0].item = "arrows".to_owned();
        };
        let town = Town::open(database, deals).await;
        let ann = town.hero("Ann", 1_000).await;
        let owner = &town.database().owner;
        let give = json!([ann.id, "arrows", 50, "for a test", town.command()]);
        owner.call("item_give", give).await.expect("given");
        let arrows = town.stacks(BAG, ann.id).await[0].0;
        let mut pack = srd();
        deals(&mut pack);
        let def = pack.item.iter_mut().find(|item| item.key == "arrows");
        def.expect("arrows").stack_max = 20;
        town.database().put_in_force(&pack).await;
        let sale = json!([town.smith, arrows, 50, 0, town.command()]);
        ann.player.call("vendor_sell", sale).await.expect("sold");
        assert_eq!(town.stacks(BUY_BACK, ann.id).await, [(arrows, "arrows".to_owned(), 50)]);
        assert_eq!(town.database().rows("vendor_buy_back_offer").await.len(), 1);
        let back = json!([arrows, town.command()]);
        ann.player.call("vendor_buy_back", back).await.expect("bought back");
        assert_eq!(town.bag(&ann).await, ["arrows 10", "arrows 20", "arrows 20"]);
        town.is_sound().await;
    });
}
