//! Wallets, offers and sales are nobody else's business: rows, updates and deletions.

use super::{LONGSWORD, Town};
use crate::support::client::Client;
use crate::support::{on_database, until};
use serde_json::{Value, json};

/// Personal tables of the economy.
const PERSONAL: [&str; 4] =
    ["ledger_account", "trade_side", "trade_offer", "vendor_buy_back_offer"];
/// Tables of the economy that nobody but the owner reads.
const PRIVATE: [&str; 12] = [
    "ledger_cause",
    "ledger_entry",
    "ledger_fold",
    "ledger_reversal",
    "trade",
    "vendor_due",
    "economy_imbalance",
    "economy_audit",
    "economy_audit_mark",
    "economy_audit_count",
    "item_history",
    "item_tally",
];

/// Rows of a table that came, with updates and deletions.
fn heard(client: &Client, table: &str) -> usize {
    let mut rows = 0;
    for message in client.messages() {
        count(&message, table, &mut rows);
    }
    rows
}

fn count(value: &Value, table: &str, rows: &mut usize) {
    match value {
        Value::Object(fields) if fields.get("table_name").is_some_and(|name| name == table) => {
            for update in fields["updates"].as_array().into_iter().flatten() {
                for list in ["inserts", "deletes"] {
                    *rows += update[list].as_array().map_or(0, Vec::len);
                }
            }
        }
        Value::Object(fields) => fields.values().for_each(|value| count(value, table, rows)),
        Value::Array(values) => values.iter().for_each(|value| count(value, table, rows)),
        _ => {}
    }
}

#[test]
fn a_stranger_sees_nothing_of_wallets_trades_and_sales() {
    on_database(|database| async move {
        let town = Town::open(database, |_| ()).await;
        let (ann, bob) = (town.hero("Ann", 5 * LONGSWORD).await, town.hero("Bob", 100).await);
        let eve = town.hero("Eve", 0).await;
        let queries = PERSONAL.map(|table| format!("SELECT * FROM {table}"));
        for hero in [&ann, &bob, &eve] {
            hero.player.subscribe(&queries.each_ref().map(String::as_str)).await;
        }
        let (sword, club) = (town.buys(&ann, "longsword").await, town.buys(&ann, "club").await);
        let sale = json!([town.smith, club, 1, 0, town.command()]);
        ann.player.call("vendor_sell", sale).await.expect("sold");
        ann.player.call("trade_request", json!([bob.id])).await.expect("asked");
        let trade_id = town.database().rows("trade").await[0]["trade_id"].clone();
        bob.player.call("trade_answer", json!([trade_id, true])).await.expect("agreed");
        ann.player.call("trade_offer_item", json!([sword])).await.expect("offered");
        bob.player.call("trade_offer_coins", json!([100])).await.expect("offered");
        until("bob sees it", || async {
            let offers = heard(&bob.player, "trade_offer");
            (offers == 1 && heard(&bob.player, "trade_side") >= 3).then_some(())
        })
        .await;
        assert_eq!(heard(&bob.player, "vendor_buy_back_offer"), 0);
        assert!(heard(&ann.player, "ledger_account") >= 2);
        assert_eq!(heard(&bob.player, "ledger_account"), 1, "his own");
        ann.player.call("trade_cancel", json!([])).await.expect("cancelled");
        // Whoever hears of something later has heard of all that was before.
        town.gives(eve.id, 1).await;
        until("eve has her copper", || async {
            (heard(&eve.player, "ledger_account") == 1).then_some(())
        })
        .await;
        for table in ["trade_side", "trade_offer", "vendor_buy_back_offer"] {
            assert_eq!(heard(&eve.player, table), 0, "{table}");
        }
    });
}

#[test]
fn nobody_subscribes_to_the_ledger() {
    on_database(|database| async move {
        let town = Town::open(database, |_| ()).await;
        let ann = town.hero("Ann", 100).await;
        for (number, table) in (900..).zip(PRIVATE) {
            let queries = [format!("SELECT * FROM {table}")];
            ann.player.send(&json!({ "SubscribeMulti": {
                "query_strings": queries, "request_id": number, "query_id": { "id": number },
            }}));
        }
        until("all are refused", || async {
            let messages = ann.player.messages();
            let refused = |message: &&Value| message.get("SubscriptionError").is_some();
            let applied = |message: &Value| message.get("SubscribeMultiApplied").is_some();
            assert!(!messages.iter().any(applied), "{messages:?}");
            (messages.iter().filter(refused).count() == PRIVATE.len()).then_some(())
        })
        .await;
    });
}

#[test]
fn wallets_and_offers_follow_an_account_to_its_new_identity() {
    on_database(|database| async move {
        let town = Town::open(database, |_| ()).await;
        let ann = town.hero("Ann", 100).await;
        let before = town.database().rows("ledger_account").await;
        let viewer = |rows: &[Value]| {
            rows.iter().find(|row| row["kind"] == 1).map(|row| row["viewer"].clone())
        };
        let identity = json!({ "__identity__": format!("0x{}", "7".repeat(64)) });
        let now = crate::support::now_micros();
        let role = haven_rules::accounts::Role::Player.code();
        let args = json!([identity, ann.account_id, ann.account_id, role, now, 900]);
        town.database().owner.call("admission_grant", args).await.expect("admitted");
        let after = town.database().rows("ledger_account").await;
        assert_ne!(viewer(&before), viewer(&after));
    });
}
