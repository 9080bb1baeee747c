//! What a frozen wallet keeps from moving besides what is in it, and what is due of something that
//! is gone.

use super::bazaar::{Bazaar, Merchant, OF_AUCTION, ORE};
use super::{Town, purge};
use crate::support::{now_micros, on_database, until};
use haven_checks::number;
use haven_rules::keys::joint_key;
use serde_json::{Value, json};

/// `ledger_account.kind`.
const WALLET: u64 = 1;
/// See above.
const OF_LOST: u64 = 6;
/// What who trades begins with, copper.
const COPPER: u64 = 1_000;

/// Staff freezes or thaws something.
async fn staff(bazaar: &Bazaar, reducer: &str, goods: Value) {
    let args = json!([goods, "looked into"]);
    bazaar.database.owner.call(reducer, args).await.expect(reducer);
}

fn wallet(of: &Merchant) -> Value {
    json!({ "Wallet": of.id })
}

#[test]
fn a_frozen_wallet_moves_nothing_by_its_orders_and_freezes_what_they_leave() {
    on_database(|database| async move {
        let bazaar = Bazaar::open(database).await;
        let ann = bazaar.merchant("Ann", COPPER, &[(ORE, 20)]).await;
        let cid = bazaar.merchant("Cid", COPPER, &[]).await;
        let sums = bazaar.sums().await;
        bazaar.does(&cid, "order_place", json!([ORE, true, 10, 5])).await;
        let order = bazaar.newest_order().await;
        let account_id = number(&bazaar.only("market_order").await, "account_id");
        staff(&bazaar, "goods_freeze", wallet(&cid)).await;
        bazaar.does(&ann, "order_place", json!([ORE, false, 10, 5])).await;
        let item = bazaar.only("market_item").await;
        assert_eq!(number(&item, "buy_copper"), 0, "it was withdrawn");
        assert_eq!(number(&item, "sell_copper"), 10, "and not filled");
        bazaar.refuses(&cid, "market_collect", json!([]), "economy.frozen").await;
        // What nobody collects comes by mail, which cannot be taken either.
        bazaar.order_is_due(order).await;
        bazaar.until_rows("market_order", 1).await;
        assert_eq!(bazaar.letters(&cid).await, [("order_ended".to_owned(), 50, 0)]);
        bazaar.refuses(&cid, "mail_take_all", json!([]), "economy.frozen").await;
        // Its time is over: what is in it goes to where another character of the account looks.
        let letters = bazaar.database.rows("mail").await;
        let of_order = letters.iter().find(|row| row["template"] == "order_ended");
        let mail_id = number(of_order.expect("a letter"), "mail_id");
        let due = format!("UPDATE mail_due SET due_key = {mail_id} WHERE mail_id = {mail_id}");
        bazaar.sql(&due).await;
        until("it is over", || async { bazaar.letters(&cid).await.is_empty().then_some(()) }).await;
        bazaar.is_sound_since(&sums).await;
        let accounts = bazaar.database.rows("ledger_account").await;
        let is_lost = |row: &&Value| row["kind"] == OF_LOST && row["owner_id"] == account_id;
        let lost = accounts.iter().find(is_lost).expect("coins");
        assert_eq!((number(lost, "copper"), &lost["is_frozen"]), (50, &json!(true)));
        let twin = bazaar.database.create(account_id, "Cora").await;
        cid.player.call("character_leave", json!([])).await.expect("left");
        cid.player.call("character_enter", json!([twin])).await.expect("entered");
        bazaar.refuses(&cid, "lost_claim", json!([]), "economy.frozen").await;
        let lost = json!({ "Account": number(lost, "ledger_account_id") });
        staff(&bazaar, "goods_thaw", lost).await;
        bazaar.does(&cid, "lost_claim", json!([])).await;
        assert_eq!(bazaar.escrow(WALLET, twin).await, 50);
    });
}

#[test]
fn an_auction_that_a_frozen_wallet_leads_stays_open_and_others_bid() {
    on_database(|database| async move {
        let bazaar = Bazaar::open(database).await;
        let ann = bazaar.merchant("Ann", COPPER, &[(ORE, 20)]).await;
        let bob = bazaar.merchant("Bob", COPPER, &[]).await;
        let cid = bazaar.merchant("Cid", COPPER, &[]).await;
        let sums = bazaar.sums().await;
        let ore = bazaar.stack(&ann, ORE).await;
        bazaar.does(&ann, "auction_create", json!([ore, 10, 100, 0, 12])).await;
        let auction = bazaar.newest_auction().await;
        bazaar.does(&cid, "auction_bid", json!([auction, 100])).await;
        staff(&bazaar, "goods_freeze", wallet(&cid)).await;
        bazaar.does(&bob, "auction_bid", json!([auction, 200])).await;
        assert_eq!(bazaar.letters(&cid).await, [("auction_outbid".to_owned(), 100, 0)]);
        staff(&bazaar, "goods_freeze", wallet(&bob)).await;
        let over = now_micros();
        bazaar.ends_at(auction, over).await;
        until("it is put off", || async {
            let due = bazaar.only("auction_state").await["due_at_micros"].as_i64();
            (due > Some(over + 3_500_000_000)).then_some(())
        })
        .await;
        assert_eq!(bazaar.escrow(OF_AUCTION, auction).await, 201, "the bid and the deposit");
        bazaar.is_sound_since(&sums).await;
        staff(&bazaar, "goods_thaw", wallet(&bob)).await;
        bazaar.ends_at(auction, over).await;
        bazaar.until_rows("auction", 0).await;
        assert_eq!(bazaar.letters(&bob).await, [("auction_won".to_owned(), 0, 10)]);
        bazaar.is_sound_since(&sums).await;
    });
}

#[test]
fn an_empty_wallet_that_is_frozen_freezes_the_lost_and_found_when_it_ends() {
    on_database(|database| async move {
        let town = Town::open(database, |_| ()).await;
        let ann = town.hero("Ann", 0).await;
        let owner = &town.database().owner;
        let args = json!([{ "Wallet": ann.id }, "looked into"]);
        owner.call("goods_freeze", args).await.expect("frozen");
        purge(town.database(), &ann.player, ann.id).await;
        let rows = town.database().rows("ledger_account").await;
        assert!(rows.iter().all(|row| row["owner_id"] != ann.id), "nothing names the wallet");
        let frozen: Vec<_> = rows.iter().filter(|row| row["is_frozen"] == true).collect();
        assert_eq!(frozen.len(), 1, "{frozen:?}");
        assert_eq!((&frozen[0]["kind"], number(frozen[0], "copper")), (&json!(OF_LOST), 0));
        assert_eq!(frozen[0]["owner_id"], ann.account_id);
        town.is_sound().await;
        let goods = json!({ "Account": number(frozen[0], "ledger_account_id") });
        owner.call("goods_thaw", json!([goods, "nothing wrong"])).await.expect("thawed");
        let rows = town.database().rows("ledger_account").await;
        assert!(rows.iter().all(|row| row["kind"] != OF_LOST), "nothing is in it: {rows:?}");
        town.is_sound().await;
    });
}

#[test]
fn what_is_due_of_something_that_is_gone_does_not_stay() {
    on_database(|database| async move {
        let bazaar = Bazaar::open(database).await;
        for table in ["auction_due", "market_order_due"] {
            // At an instant of 1, of a number that nothing has.
            let key = joint_key(1, 77);
            bazaar.sql(&format!("INSERT INTO {table} (due_key) VALUES ({key})")).await;
            bazaar.until_rows(table, 0).await;
        }
    });
}

#[test]
fn what_cannot_be_collected_does_not_hold_up_the_rest() {
    on_database(|database| async move {
        let bazaar = Bazaar::open(database).await;
        let ann = bazaar.merchant("Ann", COPPER, &[(ORE, 100)]).await;
        let sums = bazaar.sums().await;
        let mut orders = vec![];
        // One more than one call collects from.
        for _ in 0..51 {
            bazaar.does(&ann, "order_place", json!([ORE, false, 10, 1])).await;
            orders.push(bazaar.newest_order().await);
        }
        bazaar.sql("UPDATE item SET flags = 1 WHERE count = 1").await;
        for order in &orders {
            bazaar.does(&ann, "order_cancel", json!([order])).await;
        }
        assert_eq!(bazaar.has(&ann, ORE).await, 49);
        bazaar.refuses(&ann, "market_collect", json!([]), "item.frozen").await;
        let containers = bazaar.database.rows("item_container").await;
        let last = containers.iter().find(|row| row["kind"] == 5 && row["owner_id"] == orders[50]);
        let place = number(last.expect("what the last one holds"), "container_id") << 16;
        bazaar.sql(&format!("UPDATE item SET flags = 0 WHERE place_key = {place}")).await;
        bazaar.does(&ann, "market_collect", json!([])).await;
        assert_eq!(bazaar.has(&ann, ORE).await, 50);
        bazaar.is_sound_since(&sums).await;
    });
}
