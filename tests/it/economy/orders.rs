//! Orders: who is served first and at which price, what is held and what comes back; and what is
//! refused.

use super::bazaar::{Bazaar, HERB, IN_ORDER, Merchant, OF_ORDER, ORE, STACK};
use crate::support::{Database, now_micros, on_database, until};
use haven_checks::number;
use serde_json::{Value, json};

const COPPER: u64 = 100_000;

/// Two who have ore, and one who has coins.
async fn open(database: Database) -> (Bazaar, [Merchant; 3]) {
    let bazaar = Bazaar::open(database).await;
    let ann = bazaar.merchant("Ann", COPPER, &[(ORE, 100)]).await;
    let bob = bazaar.merchant("Bob", COPPER, &[(ORE, 100)]).await;
    let cid = bazaar.merchant("Cid", COPPER, &[]).await;
    (bazaar, [ann, bob, cid])
}

fn buy(price: u64, count: u32) -> Value {
    json!([ORE, true, price, count])
}

fn sell(price: u64, count: u32) -> Value {
    json!([ORE, false, price, count])
}

async fn places(bazaar: &Bazaar, who: &Merchant, args: Value) -> u64 {
    bazaar.does(who, "order_place", args).await;
    bazaar.newest_order().await
}

/// The best prices: who buys, who sells.
async fn best(bazaar: &Bazaar) -> (u64, u64) {
    let row = bazaar.only("market_item").await;
    (number(&row, "buy_copper"), number(&row, "sell_copper"))
}

async fn nothing_waits(bazaar: &Bazaar) {
    for table in [
        "market_order",
        "market_order_due",
        "market_order_link",
        "market_level",
        "market_word",
        "market_book",
        "market_account",
    ] {
        assert_eq!(bazaar.database.rows(table).await, Vec::<Value>::new(), "{table}");
    }
}

#[test]
fn the_best_price_is_served_first_and_at_one_price_who_came_first() {
    on_database(|database| async move {
        let (bazaar, [ann, bob, cid]) = open(database).await;
        let sums = bazaar.sums().await;
        let dear = places(&bazaar, &ann, sell(12, 10)).await;
        let first = places(&bazaar, &ann, sell(10, 10)).await;
        let second = places(&bazaar, &bob, sell(10, 10)).await;
        assert_eq!(best(&bazaar).await, (0, 10));
        assert_eq!(bazaar.goods(IN_ORDER, dear, ORE).await, 10);
        // Fifteen at ten copper, though twelve were offered: the difference stays in the wallet.
        bazaar.does(&cid, "order_place", buy(12, 15)).await;
        assert_eq!(bazaar.has(&cid, ORE).await, 15);
        assert_eq!(bazaar.wallet(&cid).await, COPPER - 150);
        assert_eq!(bazaar.escrow(OF_ORDER, first).await, 95, "100 less five in a hundred");
        assert_eq!(bazaar.escrow(OF_ORDER, second).await, 48, "50 less 2, rounded down");
        assert_eq!(bazaar.kept().await, 7);
        bazaar.is_sound_since(&sums).await;
        // Five at ten and ten at twelve; the other eight wait.
        bazaar.does(&cid, "order_place", buy(12, 23)).await;
        assert_eq!(best(&bazaar).await, (12, 0));
        assert_eq!(bazaar.has(&cid, ORE).await, 30);
        assert_eq!(bazaar.wallet(&cid).await, COPPER - 150 - 50 - 120 - 96);
        bazaar.is_sound_since(&sums).await;
        // Whoever sells for less gets what is offered.
        bazaar.does(&bob, "order_place", sell(1, 8)).await;
        assert_eq!(bazaar.wallet(&bob).await, COPPER + 96 - 4);
        assert_eq!(best(&bazaar).await, (0, 0));
        for merchant in [&ann, &bob, &cid] {
            bazaar.does(merchant, "market_collect", json!([])).await;
        }
        assert_eq!(bazaar.wallet(&ann).await, COPPER + 95 + 114);
        assert_eq!(bazaar.has(&cid, ORE).await, 38);
        nothing_waits(&bazaar).await;
        bazaar.refuses(&cid, "market_collect", json!([]), "market.nothing_to_collect").await;
        bazaar.is_sound_since(&sums).await;
    });
}

#[test]
fn what_waits_can_be_taken_back_once() {
    on_database(|database| async move {
        let (bazaar, [ann, bob, _]) = open(database).await;
        let sums = bazaar.sums().await;
        let order = places(&bazaar, &ann, sell(10, 50)).await;
        let other = places(&bazaar, &bob, buy(9, 100)).await;
        assert_eq!((bazaar.has(&ann, ORE).await, bazaar.wallet(&bob).await), (50, COPPER - 900));
        for (who, order_id) in [(&bob, order), (&ann, other), (&ann, 0), (&ann, u64::MAX)] {
            let args = json!([order_id]);
            bazaar.refuses(who, "order_cancel", args, "market.order_unknown").await;
        }
        bazaar.does(&ann, "order_cancel", json!([order])).await;
        bazaar.does(&bob, "order_cancel", json!([other])).await;
        assert_eq!((bazaar.has(&ann, ORE).await, bazaar.wallet(&bob).await), (100, COPPER));
        nothing_waits(&bazaar).await;
        bazaar.refuses(&ann, "order_cancel", json!([order]), "market.order_unknown").await;
        bazaar.is_sound_since(&sums).await;
    });
}

#[test]
fn what_cannot_be_ordered_is_refused() {
    on_database(|database| async move {
        let (bazaar, [ann, _, cid]) = open(database).await;
        let most = 9_990_000_000_000_u64;
        for (args, code) in [
            (buy(0, 1), "market.price_invalid"),
            (buy(u64::MAX, 1), "market.price_invalid"),
            (buy(most + 1, 1), "market.price_invalid"),
            (buy(most, u32::MAX), "market.count_invalid"),
            (buy(most, 400), "economy.coins_missing"),
            (buy(1_001, 1), "market.price_step"),
            (buy(1, 0), "market.count_invalid"),
            (buy(1, 401), "market.count_invalid"),
            (buy(1, u32::MAX), "market.count_invalid"),
            (buy(COPPER, 2), "economy.coins_missing"),
            (sell(1, 1), "market.goods_missing"),
            (json!(["", true, 1, 1]), "item.definition_unknown"),
            (json!(["no_such_thing", true, 1, 1]), "item.definition_unknown"),
            (json!(["longsword", true, 1, 1]), "market.not_a_commodity"),
        ] {
            bazaar.refuses(&cid, "order_place", args, code).await;
        }
        bazaar.refuses(&ann, "order_place", sell(1, 101), "market.goods_missing").await;
        let args = json!([HERB, false, 1, 1]);
        bazaar.refuses(&ann, "order_place", args, "market.goods_missing").await;
        for change in ["flags = 1", "flags = 2", "flags = 0, bound_to = 5"] {
            bazaar.sql(&format!("UPDATE item SET {change} WHERE def = '{ORE}'")).await;
            bazaar.refuses(&ann, "order_place", sell(1, 1), "market.goods_missing").await;
        }
        bazaar
            .sql(&format!("UPDATE item SET bound_to = 0, durability = 3 WHERE def = '{ORE}'"))
            .await;
        bazaar.refuses(&ann, "order_place", sell(1, 1), "market.goods_missing").await;
    });
}

#[test]
fn nobody_meets_himself_and_nothing_of_such_an_order_stays() {
    on_database(|database| async move {
        let (bazaar, [ann, bob, _]) = open(database).await;
        let sums = bazaar.sums().await;
        let own = places(&bazaar, &ann, sell(11, 10)).await;
        let others = places(&bazaar, &bob, sell(10, 5)).await;
        bazaar.refuses(&ann, "order_place", buy(11, 6), "market.order_own").await;
        assert_eq!(bazaar.goods(IN_ORDER, others, ORE).await, 5, "not even the first part");
        bazaar.does(&ann, "order_place", buy(11, 5)).await;
        bazaar.does(&ann, "order_place", buy(9, 5)).await;
        assert_eq!(bazaar.goods(IN_ORDER, own, ORE).await, 10);
        bazaar.is_sound_since(&sums).await;
    });
}

#[test]
fn what_sixteen_fills_leave_comes_back_where_more_could_be_filled() {
    on_database(|database| async move {
        let (bazaar, [ann, _, cid]) = open(database).await;
        let sums = bazaar.sums().await;
        for _ in 0..18 {
            bazaar.does(&ann, "order_place", sell(10, 1)).await;
        }
        bazaar.does(&cid, "order_place", buy(10, 20)).await;
        assert_eq!((bazaar.has(&cid, ORE).await, bazaar.wallet(&cid).await), (16, COPPER - 160));
        assert_eq!(best(&bazaar).await, (0, 10));
        bazaar.does(&cid, "order_place", buy(10, 4)).await;
        assert_eq!((bazaar.has(&cid, ORE).await, bazaar.wallet(&cid).await), (18, COPPER - 200));
        assert_eq!(best(&bazaar).await, (10, 0));
        bazaar.is_sound_since(&sums).await;
    });
}

#[test]
fn what_finds_no_room_waits_to_be_collected() {
    on_database(|database| async move {
        let (bazaar, [ann, bob, cid]) = open(database).await;
        for stacks in [12, 7] {
            bazaar.gives(&cid, 0, &[(HERB, stacks * u32::from(STACK))]).await;
        }
        let sums = bazaar.sums().await;
        // One slot is free for forty pieces.
        bazaar.does(&ann, "order_place", sell(10, 40)).await;
        bazaar.does(&cid, "order_place", buy(10, 40)).await;
        assert_eq!(bazaar.has(&cid, ORE).await, 20);
        bazaar.refuses(&cid, "market_collect", json!([]), "item.no_room").await;
        let order = bazaar.newest_order().await;
        bazaar.refuses(&cid, "order_cancel", json!([order]), "market.order_done").await;
        bazaar.is_sound_since(&sums).await;
        bazaar.does(&cid, "order_place", json!([HERB, false, 5, 20])).await;
        bazaar.does(&bob, "order_place", json!([HERB, true, 5, 20])).await;
        bazaar.does(&cid, "market_collect", json!([])).await;
        assert_eq!(bazaar.has(&cid, ORE).await, 40);
        bazaar.does(&ann, "market_collect", json!([])).await;
        nothing_waits(&bazaar).await;
        bazaar.is_sound_since(&sums).await;
    });
}

#[test]
fn an_order_ends_after_its_time_and_what_nobody_collects_comes_by_mail() {
    on_database(|database| async move {
        let (bazaar, [ann, bob, _]) = open(database).await;
        let sums = bazaar.sums().await;
        let goods = places(&bazaar, &ann, sell(10, 20)).await;
        bazaar.order_is_due(goods).await;
        until("it has ended", || async {
            let row = bazaar.only("market_order").await;
            (number(&row, "remaining") == 0).then_some(())
        })
        .await;
        let due = bazaar.only("market_order").await["due_at_micros"].as_i64().expect("an instant");
        assert!(due > now_micros() + 29 * 86_400_000_000, "it can be collected for 30 days");
        bazaar.is_sound_since(&sums).await;
        bazaar.order_is_due(goods).await;
        bazaar.until_rows("market_order", 0).await;
        assert_eq!(bazaar.letters(&ann).await, [("order_ended".to_owned(), 0, 20)]);
        let coins = places(&bazaar, &bob, buy(10, 20)).await;
        for _ in 0..2 {
            bazaar.order_is_due(coins).await;
            until("it was looked at", || async {
                let rows = bazaar.database.rows("market_order").await;
                rows.iter()
                    .all(|row| row["due_at_micros"].as_i64() > Some(now_micros()))
                    .then_some(())
            })
            .await;
        }
        assert_eq!(bazaar.letters(&bob).await, [("order_ended".to_owned(), 200, 0)]);
        nothing_waits(&bazaar).await;
        bazaar.is_sound_since(&sums).await;
    });
}

#[test]
fn an_order_that_staff_has_frozen_is_withdrawn_and_the_next_one_is_served() {
    on_database(|database| async move {
        let (bazaar, [ann, bob, cid]) = open(database).await;
        let sums = bazaar.sums().await;
        places(&bazaar, &ann, sell(10, 7)).await;
        bazaar.does(&bob, "order_place", sell(10, 5)).await;
        bazaar.sql("UPDATE item SET flags = 1 WHERE count = 7").await;
        bazaar.does(&cid, "order_place", buy(10, 5)).await;
        assert_eq!(bazaar.has(&cid, ORE).await, 5);
        assert_eq!(best(&bazaar).await, (0, 0));
        bazaar.refuses(&ann, "market_collect", json!([]), "item.frozen").await;
        bazaar.sql("UPDATE item SET flags = 0 WHERE count = 7").await;
        bazaar.does(&ann, "market_collect", json!([])).await;
        assert_eq!(bazaar.has(&ann, ORE).await, 100);
        let coins = places(&bazaar, &cid, buy(10, 5)).await;
        let frozen = |is: bool| {
            format!(
                "UPDATE ledger_account SET is_frozen = {is} WHERE kind = 4 AND owner_id = {coins}"
            )
        };
        bazaar.sql(&frozen(true)).await;
        bazaar.does(&ann, "order_place", sell(10, 5)).await;
        assert_eq!(best(&bazaar).await, (0, 10));
        bazaar.refuses(&cid, "market_collect", json!([]), "economy.frozen").await;
        bazaar.sql(&frozen(false)).await;
        bazaar.does(&cid, "market_collect", json!([])).await;
        assert_eq!(bazaar.wallet(&cid).await, COPPER - 50);
        bazaar.is_sound_since(&sums).await;
    });
}

#[test]
fn of_two_who_race_for_an_order_one_wins_and_nothing_is_lost() {
    on_database(|database| async move {
        let (bazaar, [ann, bob, cid]) = open(database).await;
        let sums = bazaar.sums().await;
        for round in 0..4 {
            let order = places(&bazaar, &ann, sell(10, 10)).await;
            let cancel = json!([order]);
            // Fill and cancel; two fills; cancel twice; fill and leave.
            let (one, other) = match round {
                0 => tokio::join!(
                    bazaar.tries(&ann, "order_cancel", cancel),
                    bazaar.tries(&cid, "order_place", buy(10, 10)),
                ),
                1 => tokio::join!(
                    bazaar.tries(&bob, "order_place", buy(10, 10)),
                    bazaar.tries(&cid, "order_place", buy(10, 10)),
                ),
                2 => tokio::join!(
                    bazaar.tries(&ann, "order_cancel", cancel.clone()),
                    bazaar.tries(&ann, "order_cancel", cancel),
                ),
                _ => tokio::join!(bazaar.tries(&cid, "order_place", buy(10, 10)), async {
                    ann.player.call("character_leave", json!([])).await.expect("left");
                    String::new()
                }),
            };
            let codes = [one, other];
            let known = ["", "market.order_unknown", "market.order_done"];
            assert!(codes.iter().all(|code| known.contains(&&**code)), "{round}: {codes:?}");
            bazaar.is_sound_since(&sums).await;
            if round == 3 {
                ann.player.call("character_enter", json!([ann.id])).await.expect("back");
            }
            for merchant in [&ann, &bob, &cid] {
                let _ = bazaar.tries(merchant, "market_collect", json!([])).await;
            }
            for row in bazaar.database.rows("market_order").await {
                let mut owners = [&ann, &bob, &cid].into_iter();
                let owner = owners.find(|who| row["character_id"] == who.id);
                let args = json!([number(&row, "order_id")]);
                bazaar.does(owner.expect("a merchant"), "order_cancel", args).await;
            }
            nothing_waits(&bazaar).await;
            bazaar.is_sound_since(&sums).await;
        }
    });
}

#[test]
fn goods_that_are_ordered_and_offered_at_once_are_sold_once() {
    on_database(|database| async move {
        let (bazaar, [ann, ..]) = open(database).await;
        let sums = bazaar.sums().await;
        let stack = bazaar.stack(&ann, ORE).await;
        let (order, auction) = tokio::join!(
            bazaar.tries(&ann, "order_place", sell(10, 100)),
            bazaar.tries(&ann, "auction_create", json!([stack, 20, 1, 0, 12])),
        );
        let passed = [&order, &auction].iter().filter(|code| code.is_empty()).count();
        assert_eq!(passed, 1, "{order} {auction}");
        bazaar.is_sound_since(&sums).await;
    });
}

/// Numbers that look like chance, the same in each run.
struct Numbers(u64);

impl Numbers {
    fn below(&mut self, bound: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963);
        (self.0 >> 33) % bound
    }
}

#[test]
fn whatever_is_ordered_nothing_is_made_or_lost() {
    on_database(|database| async move {
        let (bazaar, merchants) = open(database).await;
        let sums = bazaar.sums().await;
        let mut numbers = Numbers(42);
        for round in 0..240 {
            let who = &merchants[usize::try_from(numbers.below(3)).expect("small")];
            let (reducer, args) = match numbers.below(8) {
                0 => {
                    let rows = bazaar.database.rows("market_order").await;
                    let own: Vec<&Value> =
                        rows.iter().filter(|row| row["character_id"] == who.id).collect();
                    let Some(row) = own.first() else { continue };
                    ("order_cancel", json!([number(row, "order_id")]))
                }
                1 => ("market_collect", json!([])),
                side => {
                    let count = u32::try_from(1 + numbers.below(25)).expect("small");
                    let price = 8 + numbers.below(5);
                    ("order_place", json!([ORE, side % 2 == 0, price, count]))
                }
            };
            // Some are refused: goods are missing, one's own order is met, nothing is there.
            let _ = bazaar.tries(who, reducer, args).await;
            if round % 40 == 0 {
                bazaar.is_sound_since(&sums).await;
            }
        }
        for merchant in &merchants {
            let _ = bazaar.tries(merchant, "market_collect", json!([])).await;
        }
        bazaar.is_sound_since(&sums).await;
    });
}
