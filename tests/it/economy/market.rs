//! What everybody sees of the market, and what nobody sees but whose it is.

use super::bazaar::{Bazaar, ORE};
use crate::support::{on_database, until};
use haven_checks::number;
use haven_rules::economy::market::def_hash;
use serde_json::{Value, json};

#[test]
fn what_things_went_for_is_gathered_by_hour_and_by_day() {
    on_database(|database| async move {
        let bazaar = Bazaar::open(database).await;
        let ann = bazaar.merchant("Ann", 1_000, &[(ORE, 40)]).await;
        let bob = bazaar.merchant("Bob", 1_000, &[]).await;
        for (price, count) in [(10, 5), (12, 3), (8, 2)] {
            bazaar.does(&ann, "order_place", json!([ORE, false, price, count])).await;
            bazaar.does(&bob, "order_place", json!([ORE, true, price, count])).await;
        }
        let ore = bazaar.stack(&ann, ORE).await;
        bazaar.does(&ann, "auction_create", json!([ore, 3, 1, 50, 12])).await;
        let auction = bazaar.newest_auction().await;
        bazaar.does(&bob, "auction_buyout", json!([auction])).await;
        let rows = bazaar.database.rows("market_price").await;
        let sums = |span: u64| {
            let rows = rows.iter().filter(|row| row["span"] == span).collect::<Vec<_>>();
            let all = |column: &str| rows.iter().map(|row| number(row, column)).sum::<u64>();
            (all("volume"), all("sum_copper"))
        };
        // In two hours or days where one ended meanwhile.
        assert_eq!((sums(1), sums(2)), ((13, 152), (13, 152)));
        if let [row] = &rows.iter().filter(|row| row["span"] == 2).collect::<Vec<_>>()[..] {
            let of = |column: &str| number(row, column);
            assert_eq!((of("low_copper"), of("high_copper"), of("last_copper")), (8, 16, 16));
            assert_eq!(of("def_hash"), u64::from(def_hash(ORE)));
            assert_eq!(row["begins_at_micros"].as_i64().map(|at| at % 86_400_000_000), Some(0));
        }
        assert_eq!(number(&bazaar.only("market_item").await, "last_copper"), 16);
        let refused = ann.player.call("market_tick", json!([[0, { "Interval": [0] }]])).await;
        assert!(refused.is_err());
    });
}

/// Rows of a table that a message inserts or deletes.
fn rows_in(messages: &[Value], table: &str) -> usize {
    fn walk(value: &Value, table: &str, found: &mut usize) {
        match value {
            Value::Object(fields) => {
                let is_table = fields.get("table_name").is_some_and(|name| name == table);
                if is_table {
                    for update in fields["updates"].as_array().into_iter().flatten() {
                        for part in ["inserts", "deletes"] {
                            *found += update[part].as_array().map_or(0, Vec::len);
                        }
                    }
                }
                fields.values().for_each(|value| walk(value, table, found));
            }
            Value::Array(values) => values.iter().for_each(|value| walk(value, table, found)),
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
        }
    }
    let mut found = 0;
    for message in messages {
        walk(message, table, &mut found);
    }
    found
}

#[test]
fn a_stranger_sees_neither_whose_auctions_nor_whose_orders_there_are() {
    on_database(|database| async move {
        let bazaar = Bazaar::open(database).await;
        let ann = bazaar.merchant("Ann", 1_000, &[(ORE, 40)]).await;
        let bob = bazaar.merchant("Bob", 1_000, &[]).await;
        let eve = bazaar.merchant("Eve", 0, &[]).await;
        let hash = def_hash(ORE);
        let personal = ["SELECT * FROM market_order", "SELECT * FROM auction_party"];
        let shared = [
            format!("SELECT * FROM auction WHERE def_hash = {hash}"),
            format!("SELECT * FROM market_level WHERE def_hash = {hash}"),
            format!("SELECT * FROM market_item WHERE def_hash = {hash}"),
            format!("SELECT * FROM market_price WHERE def_hash = {hash}"),
        ];
        let shared: Vec<&str> = shared.iter().map(String::as_str).collect();
        // There already, then new, changed and gone.
        bazaar.does(&ann, "order_place", json!([ORE, false, 10, 10])).await;
        for client in [&ann, &eve] {
            client.player.subscribe(&[&personal[..], &shared[..]].concat()).await;
        }
        let ore = bazaar.stack(&ann, ORE).await;
        bazaar.does(&ann, "auction_create", json!([ore, 3, 1, 50, 12])).await;
        let auction = bazaar.newest_auction().await;
        bazaar.does(&bob, "auction_bid", json!([auction, 10])).await;
        bazaar.does(&bob, "order_place", json!([ORE, true, 10, 5])).await;
        bazaar.does(&ann, "order_place", json!([ORE, false, 11, 5])).await;
        let order = bazaar.newest_order().await;
        bazaar.does(&ann, "order_cancel", json!([order])).await;
        bazaar.does(&bob, "auction_buyout", json!([auction])).await;
        until("everybody has heard of it", || async {
            let seen =
                |who: &super::bazaar::Merchant, table| rows_in(&who.player.messages(), table) > 0;
            let tables = ["auction", "market_level", "market_item", "market_price"];
            let all = |who| tables.iter().all(|table| seen(who, table));
            (all(&ann) && all(&eve)).then_some(())
        })
        .await;
        assert!(rows_in(&ann.player.messages(), "market_order") >= 4);
        assert!(rows_in(&ann.player.messages(), "auction_party") >= 2);
        let heard = eve.player.messages();
        for table in ["market_order", "auction_party"] {
            assert_eq!(rows_in(&heard, table), 0, "{table}");
        }
        let text = Value::Array(heard).to_string();
        assert!(text.contains("Ann"), "the seller's name is told");
        for (who, what) in [(&ann, "seller"), (&bob, "buyer")] {
            assert!(!text.contains(&who.id.to_string()), "the {what}'s number is not");
        }
        for table in ["auction_state", "market_account", "market_order_link", "market_order_due"] {
            eve.player.send(&json!({ "SubscribeMulti": {
                "query_strings": [format!("SELECT * FROM {table}")],
                "request_id": 900, "query_id": { "id": 900 },
            }}));
        }
        until("private tables are refused", || async {
            let messages = eve.player.messages();
            let refused = |message: &&Value| message.get("SubscriptionError").is_some();
            (messages.iter().filter(refused).count() == 4).then_some(())
        })
        .await;
    });
}
