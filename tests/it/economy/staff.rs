//! What staff does with coins and goods: it is audited, once, and nobody else may.

use super::{BAG, LONGSWORD, Town, purge};
use crate::combat::Hero;
use crate::support::{on_database, owner_token, rows};
use haven_checks::{number, text};
use serde_json::{Value, json};

#[test]
fn staff_gives_and_takes_coins_and_says_why() {
    on_database(|database| async move {
        let town = Town::open(database, |_| ()).await;
        let ann = town.hero("Ann", 0).await;
        let master = town.database().register("gm@example.org").await;
        let master = town.database().admit(master, "game_master").await;
        let give = json!([ann.id, 500, "a prize", town.command()]);
        master.call("coins_give", give.clone()).await.expect("given");
        master.call("coins_give", give).await.expect("was given");
        assert_eq!(town.copper(&ann).await, 500);
        let take = json!([ann.id, 200, "too much", town.command()]);
        master.call("coins_take", take).await.expect("taken");
        assert_eq!(town.copper(&ann).await, 300);
        let of = |copper: u64, reason: &str| json!([ann.id, copper, reason, town.command()]);
        let long = "x".repeat(121);
        for (reducer, args, code) in [
            ("coins_give", of(0, "x"), "economy.amount_invalid"),
            ("coins_give", of(u64::MAX, "x"), "economy.amount_invalid"),
            ("coins_give", of(1 << 60, "x"), "economy.too_rich"),
            ("coins_take", of(301, "x"), "economy.coins_missing"),
            ("coins_give", of(1, ""), "economy.reason_invalid"),
            ("coins_give", of(1, &long), "economy.reason_invalid"),
            ("coins_take", of(1, "a\nb"), "economy.reason_invalid"),
            ("coins_give", json!([u64::MAX, 1, "x", town.command()]), "character.unknown"),
            ("coins_take", json!([0, 1, "x", town.command()]), "character.unknown"),
        ] {
            town.refuses(&master, reducer, args, code).await;
        }
        for (reducer, args) in [
            ("coins_give", of(1, "x")),
            ("coins_take", of(1, "x")),
            ("goods_freeze", json!([{ "Wallet": ann.id }, "x"])),
            ("goods_thaw", json!([{ "Wallet": ann.id }, "x"])),
            ("cause_reverse", json!([1, "x"])),
            ("economy_audit_begin", json!([])),
        ] {
            town.refuses(&ann.player, reducer, args, "account.permission_denied").await;
        }
        let told = town.database().rows("audit_entry").await;
        let told: Vec<_> = told.iter().filter(|row| text(row, "action") == "coins_given").collect();
        assert!(text(told[0], "detail").ends_with("a prize"), "{told:?}");
        town.is_sound().await;
    });
}

#[test]
fn frozen_goods_do_not_move_until_they_are_thawed() {
    on_database(|database| async move {
        let town = Town::open(database, |_| ()).await;
        let ann = town.hero("Ann", 2 * LONGSWORD).await;
        let owner = &town.database().owner;
        let sword = town.buys(&ann, "longsword").await;
        let freeze = async |goods: Value| {
            owner.call("goods_freeze", json!([goods, "looked into"])).await.expect("frozen");
        };
        freeze(json!({ "Wallet": ann.id })).await;
        let buy = json!([town.smith, "club", 1, 100, town.command()]);
        town.refuses(&ann.player, "vendor_buy", buy.clone(), "economy.frozen").await;
        freeze(json!({ "Item": sword })).await;
        let sell = json!([town.smith, sword, 1, 0, town.command()]);
        town.refuses(&ann.player, "vendor_sell", sell.clone(), "item.frozen").await;
        let thaw = async |goods: Value| {
            owner.call("goods_thaw", json!([goods, "nothing wrong"])).await.expect("thawed");
        };
        let wallet = town.database().rows("ledger_account").await;
        let wallet = wallet.iter().find(|row| row["owner_id"] == ann.id).expect("a wallet");
        thaw(json!({ "Account": number(wallet, "ledger_account_id") })).await;
        thaw(json!({ "Descent": sword })).await;
        ann.player.call("vendor_buy", buy).await.expect("bought");
        ann.player.call("vendor_sell", sell).await.expect("sold");
        for (goods, code) in [
            (json!({ "Wallet": 0 }), "character.unknown"),
            (json!({ "Account": u64::MAX }), "economy.account_unknown"),
            (json!({ "Item": u64::MAX }), "item.unknown"),
            (json!({ "Descent": u64::MAX }), "item.unknown"),
        ] {
            town.refuses(owner, "goods_freeze", json!([goods, "x"]), code).await;
        }
        let args = json!([{ "Wallet": ann.id }, " "]);
        town.refuses(owner, "goods_freeze", args, "economy.reason_invalid").await;
        town.is_sound().await;
    });
}

#[test]
fn frozen_coins_stay_frozen_when_their_character_is_removed() {
    on_database(|database| async move {
        let town = Town::open(database, |_| ()).await;
        let ann = town.hero("Ann", 500).await;
        let owner = &town.database().owner;
        let args = json!([{ "Wallet": ann.id }, "looked into"]);
        owner.call("goods_freeze", args).await.expect("frozen");
        purge(town.database(), &ann.player, ann.id).await;
        let id = town.database().create(ann.account_id, "Amy").await;
        ann.player.call("character_enter", json!([id])).await.expect("entered");
        let args = json!([0, town.command()]);
        town.refuses(&ann.player, "lost_item_claim", args, "economy.frozen").await;
        let args = json!([town.command()]);
        town.refuses(&ann.player, "lost_claim", args, "economy.frozen").await;
        let rows = town.database().rows("ledger_account").await;
        let frozen: Vec<_> = rows.iter().filter(|row| row["is_frozen"] == true).collect();
        assert_eq!(frozen.len(), 1, "the wallet is not frozen any more: {frozen:?}");
        let goods = json!({ "Account": number(frozen[0], "ledger_account_id") });
        owner.call("goods_thaw", json!([goods, "nothing wrong"])).await.expect("thawed");
        ann.player.call("lost_claim", json!([town.command()])).await.expect("claimed");
        assert_eq!(town.copper(&Hero { id, ..ann }).await, 500);
        town.is_sound().await;
    });
}

/// The statements of `docs/ECONOMY.md`, as staff types them.
#[test]
fn goods_are_traced_by_sql() {
    on_database(|database| async move {
        let town = Town::open(database, |_| ()).await;
        let ann = town.hero("Ann", 2 * LONGSWORD).await;
        let sword = town.buys(&ann, "longsword").await;
        let cause = town.last_cause(200).await;
        let stage = &town.database().stage;
        let token = owner_token(&stage.keys);
        let ask = async |query: String| {
            rows::sql(&stage.uri, &town.database().name, &token, &query).await
        };
        let of_cause = |table: &str, column: &str| {
            let (from, to) = (cause << 16, (cause + 1) << 16);
            format!("SELECT * FROM {table} WHERE {column} >= {from} AND {column} < {to}")
        };
        assert_eq!(ask(of_cause("ledger_entry", "entry_key")).await.len(), 2, "price and tax");
        assert_eq!(ask(of_cause("item_history", "history_key")).await.len(), 1);
        let whole = |number: u64| (u128::from(number) << 64, u128::from(number + 1) << 64);
        let (from, to) = whole(sword);
        let query = "SELECT * FROM item_history WHERE";
        let lines = ask(format!("{query} item_key >= {from} AND item_key < {to}")).await;
        assert_eq!(lines.len(), 1);
        assert_eq!(number(&lines[0], "item_id"), sword);
        let lines = ask(format!("{query} other_key >= {from} AND other_key < {to}")).await;
        assert_eq!(lines.len(), 0);
        let query =
            format!("SELECT * FROM ledger_account WHERE owner_id = {} AND kind = 1", ann.id);
        let wallet = number(&ask(query).await[0], "ledger_account_id");
        let (from, to) = whole(wallet);
        let query = "SELECT * FROM ledger_entry WHERE";
        assert_eq!(ask(format!("{query} from_key >= {from} AND from_key < {to}")).await.len(), 2);
        assert_eq!(ask(format!("{query} to_key >= {from} AND to_key < {to}")).await.len(), 1);
        assert_eq!(town.stacks(BAG, ann.id).await.len(), 1);
    });
}
