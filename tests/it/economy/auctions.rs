//! Auctions: bid on, bought out, taken back, over; and what is refused.

use super::bazaar::{Bazaar, HERB, IN_AUCTION, Merchant, OF_AUCTION, OF_ORDER, ORE};
use super::purge;
use crate::support::content::set;
use crate::support::{Database, now_micros, on_database, until};
use haven_checks::number;
use serde_json::{Value, json};

/// `ledger_account.kind` and `item_container.kind` of what could not be given back.
const OF_LOST: u64 = 6;
/// See above.
const IN_LOST: u64 = 8;
/// `ledger_cause.kind` of auctions.
const CAUSE_AUCTION: u64 = 202;
/// See above.
const CAUSE_ORDER: u64 = 203;

/// A seller with ore and two who bid.
async fn open(database: Database) -> (Bazaar, [Merchant; 3]) {
    gather(Bazaar::open(database).await).await
}

async fn gather(bazaar: Bazaar) -> (Bazaar, [Merchant; 3]) {
    let ann = bazaar.merchant("Ann", 1_000, &[(ORE, 20), (HERB, 5)]).await;
    let bob = bazaar.merchant("Bob", 1_000, &[]).await;
    let cid = bazaar.merchant("Cid", 1_000, &[]).await;
    (bazaar, [ann, bob, cid])
}

/// Ann offers ten pieces of ore for 100 copper, or at once for 500: the deposit is 1.
async fn offers(bazaar: &Bazaar, ann: &Merchant) -> u64 {
    let ore = bazaar.stack(ann, ORE).await;
    bazaar.does(ann, "auction_create", json!([ore, 10, 100, 500, 12])).await;
    bazaar.newest_auction().await
}

async fn is_over(bazaar: &Bazaar) {
    for table in ["auction", "auction_state", "auction_party", "auction_due", "market_account"] {
        bazaar.until_rows(table, 0).await;
    }
}

#[test]
fn the_highest_bid_wins_and_whoever_is_outbid_has_the_coins_back_at_once() {
    on_database(|database| async move {
        let (bazaar, [ann, bob, cid]) = open(database).await;
        let sums = bazaar.sums().await;
        let auction = offers(&bazaar, &ann).await;
        assert_eq!(bazaar.wallet(&ann).await, 999);
        assert_eq!(bazaar.goods(IN_AUCTION, auction, ORE).await, 10);
        bazaar.does(&bob, "auction_bid", json!([auction, 100])).await;
        assert_eq!(bazaar.wallet(&bob).await, 900);
        bazaar.refuses(&cid, "auction_bid", json!([auction, 104]), "market.bid_too_low").await;
        bazaar.does(&cid, "auction_bid", json!([auction, 105])).await;
        assert_eq!((bazaar.wallet(&bob).await, bazaar.wallet(&cid).await), (1_000, 895));
        bazaar.does(&cid, "auction_bid", json!([auction, 200])).await;
        assert_eq!(bazaar.wallet(&cid).await, 800, "one's own bid comes back too");
        assert_eq!(bazaar.escrow(OF_AUCTION, auction).await, 201);
        let row = bazaar.only("auction").await;
        assert_eq!((number(&row, "next_bid_copper"), number(&row, "bids")), (210, 3));
        bazaar.is_sound_since(&sums).await;

        bazaar.ends_at(auction, now_micros()).await;
        is_over(&bazaar).await;
        assert_eq!(bazaar.letters(&cid).await, [("auction_won".to_owned(), 0, 10)]);
        assert_eq!(bazaar.letters(&ann).await, [("auction_sold".to_owned(), 191, 0)]);
        assert_eq!(bazaar.letters(&bob).await, []);
        assert_eq!(bazaar.kept().await, 10, "five in a hundred");
        bazaar.is_sound_since(&sums).await;
        for (merchant, copper, ore) in [(&ann, 1_190, 10), (&cid, 800, 10)] {
            bazaar.empties_letters(merchant).await;
            assert_eq!(bazaar.wallet(merchant).await, copper);
            assert_eq!(bazaar.has(merchant, ORE).await, ore);
        }
        bazaar.is_sound_since(&sums).await;
    });
}

#[test]
fn what_is_not_sold_comes_back_and_loses_its_deposit() {
    on_database(|database| async move {
        let (bazaar, [ann, ..]) = open(database).await;
        let sums = bazaar.sums().await;
        let auction = offers(&bazaar, &ann).await;
        bazaar.ends_at(auction, now_micros()).await;
        is_over(&bazaar).await;
        assert_eq!(bazaar.letters(&ann).await, [("auction_unsold".to_owned(), 0, 10)]);
        assert_eq!((bazaar.wallet(&ann).await, bazaar.kept().await), (999, 1));
        bazaar.is_sound_since(&sums).await;
    });
}

#[test]
fn a_buyout_ends_it_at_once_and_gives_the_highest_bid_back() {
    on_database(|database| async move {
        let (bazaar, [ann, bob, cid]) = open(database).await;
        let sums = bazaar.sums().await;
        let auction = offers(&bazaar, &ann).await;
        bazaar.does(&bob, "auction_bid", json!([auction, 499])).await;
        bazaar.does(&cid, "auction_buyout", json!([auction])).await;
        is_over(&bazaar).await;
        assert_eq!((bazaar.wallet(&bob).await, bazaar.wallet(&cid).await), (1_000, 500));
        assert_eq!(bazaar.letters(&cid).await, [("auction_won".to_owned(), 0, 10)]);
        assert_eq!(bazaar.letters(&ann).await, [("auction_sold".to_owned(), 476, 0)]);
        bazaar.is_sound_since(&sums).await;
        // Whoever has bid may buy it out as well.
        let auction = offers(&bazaar, &ann).await;
        bazaar.does(&bob, "auction_bid", json!([auction, 400])).await;
        bazaar.does(&bob, "auction_buyout", json!([auction])).await;
        assert_eq!(bazaar.wallet(&bob).await, 500);
        bazaar.is_sound_since(&sums).await;
    });
}

#[test]
fn an_auction_is_taken_back_while_nobody_has_bid() {
    on_database(|database| async move {
        let (bazaar, [ann, bob, _]) = open(database).await;
        let sums = bazaar.sums().await;
        let auction = offers(&bazaar, &ann).await;
        let args = json!([auction]);
        bazaar.refuses(&bob, "auction_cancel", args.clone(), "market.auction_not_own").await;
        bazaar.does(&ann, "auction_cancel", args.clone()).await;
        is_over(&bazaar).await;
        assert_eq!(bazaar.has(&ann, ORE).await, 20);
        assert_eq!(bazaar.kept().await, 1);
        bazaar.refuses(&ann, "auction_cancel", args, "market.auction_unknown").await;
        let auction = offers(&bazaar, &ann).await;
        bazaar.does(&bob, "auction_bid", json!([auction, 100])).await;
        let args = json!([auction]);
        bazaar.refuses(&ann, "auction_cancel", args.clone(), "market.auction_has_bids").await;
        bazaar.ends_at(auction, now_micros()).await;
        let refused = bazaar.tries(&ann, "auction_cancel", args).await;
        assert!(["market.auction_ended", "market.auction_unknown"].contains(&&*refused));
        bazaar.is_sound_since(&sums).await;
    });
}

#[test]
fn what_cannot_be_offered_is_refused() {
    on_database(|database| async move {
        let (bazaar, [ann, bob, _]) = open(database).await;
        let ore = bazaar.stack(&ann, ORE).await;
        let herb = bazaar.stack(&ann, HERB).await;
        let most = 1_000_000_000_000_000_u64;
        for (args, code) in [
            (json!([ore, 1, 0, 0, 12]), "market.price_invalid"),
            (json!([ore, 1, u64::MAX, 0, 12]), "market.price_invalid"),
            (json!([ore, 1, most + 1, 0, 12]), "market.price_invalid"),
            (json!([ore, 1, 2, 1, 12]), "market.buyout_invalid"),
            (json!([ore, 1, 1, u64::MAX, 12]), "market.buyout_invalid"),
            (json!([ore, 1, 1, 0, 0]), "market.hours_invalid"),
            (json!([ore, 1, 1, 0, 13]), "market.hours_invalid"),
            (json!([ore, 1, 1, 0, 255]), "market.hours_invalid"),
            (json!([0, 1, 1, 0, 12]), "item.unknown"),
            (json!([u64::MAX, 1, 1, 0, 12]), "item.unknown"),
            (json!([ore, 0, 1, 0, 12]), "item.count_invalid"),
            (json!([ore, 21, 1, 0, 12]), "item.count_invalid"),
            (json!([ore, u32::MAX, 1, 0, 12]), "item.count_invalid"),
            (json!([ore, 1, most, 0, 48]), "economy.coins_missing"),
        ] {
            bazaar.refuses(&ann, "auction_create", args, code).await;
        }
        let args = json!([ore, 1, 1, 0, 12]);
        bazaar.refuses(&bob, "auction_create", args.clone(), "item.unknown").await;
        for (change, code) in [
            ("flags = 1", "item.frozen"),
            ("flags = 2", "item.locked"),
            ("flags = 0, bound_to = 5", "item.bound"),
        ] {
            bazaar.sql(&format!("UPDATE item SET {change} WHERE item_id = {ore}")).await;
            bazaar.refuses(&ann, "auction_create", args.clone(), code).await;
        }
        bazaar.sql(&format!("UPDATE item SET bound_to = 0 WHERE item_id = {ore}")).await;
        bazaar.does(&ann, "auction_create", json!([herb, 5, 1, 0, 12])).await;
        let args = json!([herb, 5, 1, 0, 12]);
        bazaar.refuses(&ann, "auction_create", args, "item.unknown").await;
    });
}

#[test]
fn what_is_worn_is_not_sold_and_the_dead_and_absent_do_not_trade() {
    on_database(|database| async move {
        let (bazaar, [ann, bob, _]) = open(database).await;
        let auction = offers(&bazaar, &ann).await;
        let ore = bazaar.stack(&ann, ORE).await;
        let dead = format!("UPDATE combatant SET vital = 3 WHERE entity_id = {}", bob.id);
        bazaar.sql(&dead).await;
        let herb = json!([ORE, true, 1, 1]);
        for (reducer, args) in [
            ("auction_create", json!([ore, 1, 1, 0, 12])),
            ("auction_bid", json!([auction, 100])),
            ("auction_buyout", json!([auction])),
            ("order_place", herb),
        ] {
            bazaar.refuses(&bob, reducer, args, "market.dead").await;
        }
        bob.player.call("character_leave", json!([])).await.expect("left");
        for (reducer, args) in [
            ("auction_create", json!([ore, 1, 1, 0, 12])),
            ("auction_bid", json!([auction, 100])),
            ("auction_buyout", json!([auction])),
            ("auction_cancel", json!([auction])),
            ("order_place", json!([ORE, true, 1, 1])),
            ("order_cancel", json!([1])),
            ("market_collect", json!([])),
        ] {
            bazaar.refuses(&bob, reducer, args, "economy.not_in_world").await;
        }
        // What a fighter begins with is worn.
        let worn = bazaar.select("SELECT * FROM item_container WHERE kind = 2").await;
        let worn = worn.iter().find(|row| row["owner_id"] == ann.id).expect("equipment");
        let container = number(worn, "container_id");
        let items = bazaar.database.rows("item").await;
        let lies = |row: &&Value| number(row, "place_key") >> 16 == container;
        let worn = number(items.iter().find(lies).expect("something worn"), "item_id");
        let args = json!([worn, 1, 1, 0, 12]);
        bazaar.refuses(&ann, "auction_create", args, "market.not_in_bags").await;
    });
}

#[test]
fn bids_that_cannot_be_are_refused() {
    on_database(|database| async move {
        let (bazaar, [ann, bob, _]) = open(database).await;
        let auction = offers(&bazaar, &ann).await;
        for (who, reducer, args, code) in [
            (&bob, "auction_bid", json!([0, 100]), "market.auction_unknown"),
            (&bob, "auction_bid", json!([u64::MAX, 100]), "market.auction_unknown"),
            (&bob, "auction_bid", json!([auction, 0]), "market.bid_too_low"),
            (&bob, "auction_bid", json!([auction, 99]), "market.bid_too_low"),
            (&bob, "auction_bid", json!([auction, 500]), "market.bid_too_high"),
            (&bob, "auction_bid", json!([auction, u64::MAX]), "market.bid_too_high"),
            (&ann, "auction_bid", json!([auction, 100]), "market.auction_own"),
            (&ann, "auction_buyout", json!([auction]), "market.auction_own"),
            (&bob, "auction_buyout", json!([u64::MAX]), "market.auction_unknown"),
            (&bob, "auction_cancel", json!([u64::MAX]), "market.auction_unknown"),
        ] {
            bazaar.refuses(who, reducer, args, code).await;
        }
        let ore = bazaar.stack(&ann, ORE).await;
        bazaar.does(&ann, "auction_create", json!([ore, 1, 1_001, 0, 48])).await;
        let dear = bazaar.newest_auction().await;
        bazaar.refuses(&bob, "auction_bid", json!([dear, 1_001]), "economy.coins_missing").await;
        bazaar.refuses(&bob, "auction_buyout", json!([dear]), "market.no_buyout").await;
    });
}

#[test]
fn an_account_has_so_many_auctions_and_bids_and_orders_and_no_more() {
    on_database(|database| async move {
        let bazaar = Bazaar::with(database, |pack| {
            for key in ["auctions", "bids", "orders"] {
                set(pack, &format!("market_{key}_per_account"), 1);
            }
        });
        let (bazaar, [ann, bob, cid]) = gather(bazaar.await).await;
        let first = offers(&bazaar, &ann).await;
        let ore = bazaar.stack(&ann, ORE).await;
        let args = json!([ore, 1, 1, 0, 12]);
        bazaar.refuses(&ann, "auction_create", args, "market.auctions_too_many").await;
        bazaar.gives(&bob, 0, &[(ORE, 1)]).await;
        let stack = bazaar.stack(&bob, ORE).await;
        bazaar.does(&bob, "auction_create", json!([stack, 1, 1, 0, 12])).await;
        let second = bazaar.newest_auction().await;
        bazaar.does(&cid, "auction_bid", json!([first, 100])).await;
        bazaar.refuses(&cid, "auction_bid", json!([second, 1]), "market.bids_too_many").await;
        bazaar.does(&cid, "auction_bid", json!([first, 110])).await;
        bazaar.does(&cid, "order_place", json!([HERB, true, 1, 1])).await;
        let args = json!([HERB, true, 1, 1]);
        bazaar.refuses(&cid, "order_place", args.clone(), "market.orders_too_many").await;
        let order = bazaar.newest_order().await;
        bazaar.does(&cid, "order_cancel", json!([order])).await;
        bazaar.does(&cid, "order_place", args).await;
    });
}

#[test]
fn a_late_bid_puts_the_end_off() {
    on_database(|database| async move {
        let (bazaar, [ann, bob, _]) = open(database).await;
        let auction = offers(&bazaar, &ann).await;
        bazaar.ends_at(auction, now_micros() + 60_000_000).await;
        let before = now_micros();
        bazaar.does(&bob, "auction_bid", json!([auction, 100])).await;
        let ends = bazaar.only("auction").await["ends_at_micros"].as_i64().expect("an instant");
        assert!((before + 300_000_000..=now_micros() + 300_000_000).contains(&ends));
        let due = bazaar.only("auction_state").await["due_at_micros"].as_i64();
        assert_eq!(due, Some(ends));
    });
}

#[test]
fn what_staff_has_frozen_waits() {
    on_database(|database| async move {
        let (bazaar, [ann, bob, cid]) = open(database).await;
        let sums = bazaar.sums().await;
        let auction = offers(&bazaar, &ann).await;
        bazaar.does(&bob, "auction_bid", json!([auction, 100])).await;
        bazaar.sql("UPDATE ledger_account SET is_frozen = true WHERE kind = 3").await;
        bazaar.refuses(&cid, "auction_bid", json!([auction, 200]), "economy.frozen").await;
        bazaar.sql("UPDATE ledger_account SET is_frozen = false WHERE kind = 3").await;
        bazaar.sql("UPDATE item SET flags = 1 WHERE count = 10").await;
        bazaar.refuses(&cid, "auction_buyout", json!([auction]), "item.frozen").await;
        let over = now_micros();
        bazaar.ends_at(auction, over).await;
        until("it is put off", || async {
            let due = bazaar.only("auction_state").await["due_at_micros"].as_i64();
            (due > Some(over + 3_500_000_000)).then_some(())
        })
        .await;
        bazaar.refuses(&cid, "auction_bid", json!([auction, 300]), "market.auction_ended").await;
        bazaar.sql("UPDATE item SET flags = 0 WHERE count = 10").await;
        bazaar.ends_at(auction, over).await;
        is_over(&bazaar).await;
        assert_eq!(bazaar.letters(&bob).await, [("auction_won".to_owned(), 0, 10)]);
        bazaar.is_sound_since(&sums).await;
    });
}

#[test]
fn frozen_coins_of_who_is_removed_for_good_have_an_owner() {
    on_database(|database| async move {
        let (bazaar, [ann, bob, _]) = open(database).await;
        let sums = bazaar.sums().await;
        let auction = offers(&bazaar, &ann).await;
        bazaar.does(&bob, "auction_bid", json!([auction, 100])).await;
        bazaar.does(&bob, "order_place", json!([HERB, true, 20, 2])).await;
        let order = bazaar.newest_order().await;
        let state = bazaar.only("auction_state").await;
        let account_id = number(&state, "bidder_account_id");
        for kind in [OF_AUCTION, OF_ORDER] {
            let freeze = "UPDATE ledger_account SET is_frozen = true WHERE kind";
            bazaar.sql(&format!("{freeze} = {kind}")).await;
        }
        purge(&bazaar.database, &bob.player, bob.id).await;
        assert_eq!(bazaar.only("auction_state").await, state, "the bid stands");
        assert_eq!(bazaar.escrow(OF_AUCTION, auction).await, 101);
        let left = bazaar.only("market_order").await;
        assert_eq!((number(&left, "remaining"), number(&left, "coins_due")), (0, 40));
        assert_eq!(bazaar.escrow(OF_ORDER, order).await, 40);
        bazaar.is_sound_since(&sums).await;
        for kind in [OF_AUCTION, OF_ORDER] {
            let thaw = "UPDATE ledger_account SET is_frozen = false WHERE kind";
            bazaar.sql(&format!("{thaw} = {kind}")).await;
        }
        bazaar.order_is_due(order).await;
        bazaar.until_rows("market_order", 0).await;
        bazaar.ends_at(auction, now_micros()).await;
        is_over(&bazaar).await;
        assert_eq!(bazaar.letters(&ann).await, [("auction_sold".to_owned(), 96, 0)]);
        assert_eq!(bazaar.escrow(OF_LOST, account_id).await, 860 + 40);
        assert_eq!(bazaar.goods(IN_LOST, account_id, ORE).await, 10);
        bazaar.is_sound_since(&sums).await;
    });
}

#[test]
fn a_bid_is_not_taken_back_before_its_auction_is_over() {
    on_database(|database| async move {
        let (bazaar, [ann, bob, _]) = open(database).await;
        let sums = bazaar.sums().await;
        let auction = offers(&bazaar, &ann).await;
        bazaar.does(&bob, "auction_bid", json!([auction, 100])).await;
        let causes = async |kind: u64, what: u64| {
            let rows = bazaar.database.rows("ledger_cause").await;
            let of_it = rows.iter().filter(|row| row["kind"] == kind && row["subject_id"] == what);
            let mut causes: Vec<u64> = of_it.map(|row| number(row, "cause_id")).collect();
            causes.sort_unstable();
            causes
        };
        let reverse = async |cause: u64| {
            let args = json!([cause, "a stolen account"]);
            let refused = bazaar.database.owner.call("cause_reverse", args).await;
            refused.err().unwrap_or_default()
        };
        let bid = causes(CAUSE_AUCTION, auction).await[1];
        let refused = reverse(bid).await;
        assert!(refused.starts_with("economy.cause_in_way:"), "{refused}");
        assert!(refused.ends_with(&format!("(cause {bid}, auction {auction})")), "{refused}");
        assert_eq!(bazaar.escrow(OF_AUCTION, auction).await, 101);
        bazaar.does(&bob, "order_place", json!([HERB, true, 20, 2])).await;
        let order = bazaar.newest_order().await;
        let placed = causes(CAUSE_ORDER, order).await[0];
        let refused = reverse(placed).await;
        assert!(refused.starts_with("economy.cause_in_way:"), "{refused}");
        assert!(refused.ends_with(&format!("(cause {placed}, order {order})")), "{refused}");
        bazaar.is_sound_since(&sums).await;
        // When it is over, what it gave back goes to no account that nobody has any more.
        bazaar.does(&bob, "order_cancel", json!([order])).await;
        let cancelled = causes(CAUSE_ORDER, order).await[1];
        let refused = reverse(cancelled).await;
        assert!(refused.starts_with("economy.cause_in_way:"), "{refused}");
        assert!(refused.ends_with(&format!("(cause {cancelled})")), "{refused}");
        assert_eq!(reverse(placed).await, "", "both together move nothing");
        assert_eq!(bazaar.wallet(&bob).await, 900);
        bazaar.is_sound_since(&sums).await;
    });
}

#[test]
fn a_wallet_that_takes_no_coins_gets_them_by_mail() {
    on_database(|database| async move {
        let (bazaar, [ann, bob, cid]) = open(database).await;
        let sums = bazaar.sums().await;
        let auction = offers(&bazaar, &ann).await;
        bazaar.does(&bob, "auction_bid", json!([auction, 100])).await;
        let frozen = |is| {
            let id = bob.id;
            format!("UPDATE ledger_account SET is_frozen = {is} WHERE kind = 1 AND owner_id = {id}")
        };
        bazaar.sql(&frozen(true)).await;
        bazaar.does(&cid, "auction_bid", json!([auction, 200])).await;
        assert_eq!(bazaar.letters(&bob).await, [("auction_outbid".to_owned(), 100, 0)]);
        bazaar.sql(&frozen(false)).await;
        bazaar.empties_letters(&bob).await;
        assert_eq!(bazaar.wallet(&bob).await, 1_000);
        bazaar.is_sound_since(&sums).await;
    });
}

/// Arguments, by the number of an auction.
type Args<'a> = &'a dyn Fn(u64) -> serde_json::Value;

#[test]
fn of_two_who_race_one_wins_and_nothing_is_lost() {
    on_database(|database| async move {
        let (bazaar, [ann, bob, cid]) = open(database).await;
        for buyer in [&bob, &cid] {
            bazaar.gives(buyer, 10_000, &[]).await;
        }
        let sums = bazaar.sums().await;
        let bid = |copper| move |auction: u64| json!([auction, copper]);
        let only = |auction: u64| json!([auction]);
        let pairs: [(&Merchant, &str, Args<'_>, &Merchant, &str, Args<'_>); 6] = [
            (&bob, "auction_bid", &bid(100), &cid, "auction_bid", &bid(100)),
            (&bob, "auction_bid", &bid(100), &cid, "auction_buyout", &only),
            (&bob, "auction_buyout", &only, &cid, "auction_buyout", &only),
            (&ann, "auction_cancel", &only, &bob, "auction_bid", &bid(100)),
            (&ann, "auction_cancel", &only, &bob, "auction_buyout", &only),
            (&ann, "auction_cancel", &only, &ann, "auction_cancel", &only),
        ];
        for (one, first, first_args, other, second, second_args) in pairs {
            let auction = offers(&bazaar, &ann).await;
            let (won, lost) = tokio::join!(
                bazaar.tries(one, first, first_args(auction)),
                bazaar.tries(other, second, second_args(auction)),
            );
            let both = [&won, &lost];
            let passed = both.iter().filter(|code| code.is_empty()).count();
            let is_beaten = first == "auction_bid" && second == "auction_buyout";
            assert!(passed == 1 || is_beaten && passed == 2, "{first} {second}: {both:?}");
            let coded = both.iter().filter(|code| code.starts_with("market.")).count();
            assert_eq!(passed + coded, 2, "{first} {second}: {both:?}");
            if let Some(row) = bazaar.database.rows("auction").await.pop() {
                bazaar.ends_at(number(&row, "auction_id"), now_micros()).await;
            }
            is_over(&bazaar).await;
            for merchant in [&ann, &bob, &cid] {
                // Refused where nothing came.
                let _ = bazaar.tries(merchant, "mail_take_all", json!([])).await;
            }
            bazaar.is_sound_since(&sums).await;
            back(&bazaar, &ann, [&bob, &cid]).await;
        }
    });
}

/// Whatever the others have bought is Ann's again.
async fn back(bazaar: &Bazaar, ann: &Merchant, others: [&Merchant; 2]) {
    for other in others {
        if bazaar.has(other, ORE).await == 0 {
            continue;
        }
        let ore = bazaar.stack(other, ORE).await;
        bazaar.does(other, "auction_create", json!([ore, 10, 1, 1, 12])).await;
        let auction = bazaar.newest_auction().await;
        bazaar.does(ann, "auction_buyout", json!([auction])).await;
        bazaar.empties_letters(ann).await;
        bazaar.empties_letters(other).await;
    }
}

#[test]
fn the_end_races_with_whatever_comes() {
    on_database(|database| async move {
        let (bazaar, [ann, bob, _]) = open(database).await;
        let sums = bazaar.sums().await;
        for (who, reducer, later_micros) in [
            (&ann, "auction_cancel", 0),
            (&ann, "auction_cancel", 500_000),
            (&bob, "auction_buyout", 0),
        ] {
            let auction = offers(&bazaar, &ann).await;
            bazaar.ends_at(auction, now_micros() + later_micros).await;
            let code = bazaar.tries(who, reducer, json!([auction])).await;
            assert!(["", "market.auction_ended", "market.auction_unknown"].contains(&&*code));
            is_over(&bazaar).await;
            for merchant in [&ann, &bob] {
                let _ = bazaar.tries(merchant, "mail_take_all", json!([])).await;
            }
            bazaar.is_sound_since(&sums).await;
            assert_eq!(bazaar.has(&ann, ORE).await + bazaar.has(&bob, ORE).await, 20);
        }
    });
}

#[test]
fn whoever_leaves_while_bidding_has_bid_or_has_not() {
    on_database(|database| async move {
        let (bazaar, [ann, bob, _]) = open(database).await;
        let sums = bazaar.sums().await;
        for copper in [100, 200, 300] {
            let auction = match bazaar.database.rows("auction").await.first() {
                Some(row) => number(row, "auction_id"),
                None => offers(&bazaar, &ann).await,
            };
            let (code, left) = tokio::join!(
                bazaar.tries(&bob, "auction_bid", json!([auction, copper])),
                bob.player.call("character_leave", json!([])),
            );
            left.expect("left");
            assert!(["", "economy.not_in_world"].contains(&&*code), "{code}");
            bazaar.is_sound_since(&sums).await;
            bob.player.call("character_enter", json!([bob.id])).await.expect("back");
        }
    });
}

#[test]
fn a_command_that_is_repeated_bids_once() {
    on_database(|database| async move {
        let (bazaar, [ann, bob, _]) = open(database).await;
        let auction = offers(&bazaar, &ann).await;
        let args = json!([auction, 100, bazaar.command()]);
        for _ in 0..3 {
            bob.player.call("auction_bid", args.clone()).await.expect("done");
        }
        let args = json!([auction, 200, args[2]]);
        let refused = bob.player.call("auction_bid", args).await.expect_err("another one");
        assert!(refused.starts_with("command.reused:"), "{refused}");
        assert_eq!(number(&bazaar.only("auction").await, "bids"), 1);
        assert_eq!(bazaar.wallet(&bob).await, 900);
    });
}

#[test]
fn the_account_of_what_is_over_stays_as_long_as_entries_name_it() {
    on_database(|database| async move {
        let (bazaar, [ann, bob, _]) = open(database).await;
        let auction = offers(&bazaar, &ann).await;
        bazaar.does(&bob, "auction_buyout", json!([auction])).await;
        is_over(&bazaar).await;
        bazaar.does(&bob, "order_place", json!([HERB, true, 20, 2])).await;
        let order = bazaar.newest_order().await;
        bazaar.does(&bob, "order_cancel", json!([order])).await;
        bazaar.until_rows("market_order", 0).await;
        let sums = bazaar.sums().await;
        let accounts = async || {
            let rows = bazaar.database.rows("ledger_account").await.into_iter();
            let of_these = [OF_AUCTION, OF_ORDER];
            rows.filter(|row| of_these.contains(&number(row, "kind"))).collect::<Vec<_>>()
        };
        let empty = accounts().await;
        assert_eq!(empty.len(), 2, "{empty:?}");
        assert!(empty.iter().all(|row| row["copper"] == 0), "{empty:?}");
        bazaar.is_sound_since(&sums).await;
        // One is frozen while the ledger forgets both.
        let frozen = empty.iter().find(|row| row["kind"] == OF_AUCTION).expect("an account");
        let goods = json!({ "Account": number(frozen, "ledger_account_id") });
        let owner = &bazaar.database.owner;
        owner.call("goods_freeze", json!([goods, "looked into"])).await.expect("frozen");
        bazaar.sql("UPDATE ledger_cause SET at_micros = 1").await;
        for table in ["ledger_cause", "ledger_entry"] {
            bazaar.until_rows(table, 0).await;
        }
        let left = accounts().await;
        assert_eq!((left.len(), &left[0]["kind"]), (1, &json!(OF_AUCTION)));
        owner.call("goods_thaw", json!([goods, "nothing wrong"])).await.expect("thawed");
        assert!(accounts().await.is_empty(), "it goes when it is thawed");
        bazaar.is_sound_since(&sums).await;
    });
}
