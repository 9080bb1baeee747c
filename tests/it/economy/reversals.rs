//! Taking back a cause: with everything that followed from it, or not at all.

use super::{BAG, LONGSWORD, Town, purge};
use crate::combat::Hero;
use crate::support::content::set;
use crate::support::{on_database, until};
use haven_checks::text;
use haven_rules::content::Binding;
use serde_json::json;

/// `ledger_cause.kind`.
const VENDOR: u64 = 200;
/// See above.
const TRADE: u64 = 201;
/// See above.
const PAYMENT: u64 = 204;

/// One gives a stack, the other coins, and both want it so.
async fn trade(town: &Town, one: &Hero, item_id: u64, other: &Hero, copper: u64) {
    one.player.call("trade_request", json!([other.id])).await.expect("asked");
    let rows = town.database().rows("trade").await;
    let trade_id = rows[0]["trade_id"].clone();
    other.player.call("trade_answer", json!([trade_id, true])).await.expect("agreed");
    one.player.call("trade_offer_item", json!([item_id])).await.expect("offered");
    if copper > 0 {
        other.player.call("trade_offer_coins", json!([copper])).await.expect("offered");
    }
    let revision = town.database().rows("trade_side").await[0]["revision"].clone();
    for hero in [one, other] {
        hero.player.call("trade_lock", json!([revision])).await.expect("locked");
    }
    for hero in [one, other] {
        let args = json!([trade_id, revision, town.command()]);
        hero.player.call("trade_confirm", args).await.expect("confirmed");
    }
}

#[test]
fn goods_that_went_from_hand_to_hand_are_taken_back_and_everybody_is_paid_back() {
    on_database(|database| async move {
        let town = Town::open(database, |pack| set(pack, "trade_tax_bps", 100)).await;
        let ann = town.hero("Ann", 2 * LONGSWORD).await;
        let (bob, cid) = (town.hero("Bob", 1_000).await, town.hero("Cid", 1_000).await);
        let owner = &town.database().owner;
        let sword = town.buys(&ann, "longsword").await;
        let made = town.last_cause(VENDOR).await;
        trade(&town, &ann, sword, &bob, 300).await;
        trade(&town, &bob, sword, &cid, 400).await;
        // Its holders are traced, and it stays with the last of them while it is looked into.
        let freeze = json!([{ "Descent": sword }, "too many swords"]);
        owner.call("goods_freeze", freeze).await.expect("frozen");
        assert_eq!(town.stacks(BAG, cid.id).await[0].0, sword);
        let sale = json!([town.smith, sword, 1, 0, town.command()]);
        town.refuses(&cid.player, "vendor_sell", sale, "item.frozen").await;

        owner.call("cause_reverse", json!([made, "too many swords"])).await.expect("taken back");
        for (hero, copper) in [(&ann, 2 * LONGSWORD), (&bob, 1_000), (&cid, 1_000)] {
            assert_eq!(town.copper(hero).await, copper);
            assert_eq!(town.bag(hero).await, Vec::<String>::new());
        }
        let told = town.database().rows("audit_entry").await;
        let told =
            told.iter().find(|row| text(row, "action") == "cause_reversed").expect("audited");
        let detail = text(told, "detail");
        assert!(detail.starts_with(&format!("{made} and 2 others")), "{detail}");
        assert!(detail.ends_with("too many swords"), "{detail}");
        assert_eq!(told["subject_account_id"], ann.account_id);
        let args = json!([made, "once more"]);
        town.refuses(owner, "cause_reverse", args, "economy.cause_reversed").await;
        town.is_sound().await;
    });
}

#[test]
fn a_cause_in_the_middle_is_taken_back_with_what_came_after_it_alone() {
    on_database(|database| async move {
        let town = Town::open(database, |_| ()).await;
        let ann = town.hero("Ann", 2 * LONGSWORD).await;
        let (bob, cid) = (town.hero("Bob", 1_000).await, town.hero("Cid", 1_000).await);
        let sword = town.buys(&ann, "longsword").await;
        let had = town.copper(&ann).await;
        trade(&town, &ann, sword, &bob, 300).await;
        let first = town.last_cause(TRADE).await;
        trade(&town, &bob, sword, &cid, 400).await;
        let owner = &town.database().owner;
        owner.call("cause_reverse", json!([first, "a cheat"])).await.expect("taken back");
        assert_eq!(town.bag(&ann).await, ["longsword 1"]);
        assert_eq!(town.copper(&ann).await, had);
        assert_eq!((town.copper(&bob).await, town.copper(&cid).await), (1_000, 1_000));
        // What has taken something back is not taken back itself; what came before it can be.
        let reversal = town.last_cause(901).await;
        let args = json!([reversal, "x"]);
        town.refuses(owner, "cause_reverse", args, "economy.cause_in_way").await;
        let made = town.last_cause(VENDOR).await;
        owner.call("cause_reverse", json!([made, "and that"])).await.expect("taken back");
        assert_eq!(town.copper(&ann).await, 2 * LONGSWORD);
        assert!(town.bag(&ann).await.is_empty());
        town.is_sound().await;
    });
}

#[test]
fn what_stands_in_the_way_is_named_and_nothing_is_taken_back() {
    on_database(|database| async move {
        let town = Town::open(database, |_| ()).await;
        let ann = town.hero("Ann", 2 * LONGSWORD).await;
        let bob = town.hero("Bob", 1_000).await;
        let owner = &town.database().owner;
        let sword = town.buys(&ann, "longsword").await;
        let made = town.last_cause(VENDOR).await;
        trade(&town, &ann, sword, &bob, 300).await;
        // Ann has spent what she got.
        let all = town.copper(&ann).await;
        let args = json!([ann.id, all - 10, "a fine", town.command()]);
        owner.call("coins_take", args).await.expect("taken");
        let spent = town.last_cause(900).await;
        let args = json!([made, "too many swords"]);
        let refused = town.refuses(owner, "cause_reverse", args.clone(), "economy.coins_missing");
        let refused = refused.await;
        assert!(refused.ends_with(&format!("(cause {spent})")), "{refused}");
        town.gives(ann.id, 1_000).await;
        // Bob sells it, and has it in the vendor's keeping until it is gone for good.
        let sale = json!([town.smith, sword, 1, 0, town.command()]);
        bob.player.call("vendor_sell", sale).await.expect("sold");
        for _ in 0..12 {
            let club = town.buys(&bob, "club").await;
            let sale = json!([town.smith, club, 1, 0, town.command()]);
            bob.player.call("vendor_sell", sale).await.expect("sold");
        }
        let gone = town.last_cause(VENDOR).await;
        let refused = town.refuses(owner, "cause_reverse", args, "economy.cause_in_way").await;
        assert!(refused.ends_with(&format!("(cause {gone})")), "{refused}");
        for (cause, code) in [(0, "economy.cause_unknown"), (u64::MAX, "economy.cause_unknown")] {
            town.refuses(owner, "cause_reverse", json!([cause, "x"]), code).await;
        }
        town.refuses(owner, "cause_reverse", json!([made, ""]), "economy.reason_invalid").await;
        town.is_sound().await;
    });
}

#[test]
fn what_is_offered_or_lies_with_a_vendor_is_taken_back() {
    on_database(|database| async move {
        let town = Town::open(database, |_| ()).await;
        let ann = town.hero("Ann", 4 * LONGSWORD).await;
        let bob = town.hero("Bob", 0).await;
        let owner = &town.database().owner;
        let sword = town.buys(&ann, "longsword").await;
        let offered = town.last_cause(VENDOR).await;
        ann.player.call("trade_request", json!([bob.id])).await.expect("asked");
        let trade_id = town.database().rows("trade").await[0]["trade_id"].clone();
        bob.player.call("trade_answer", json!([trade_id, true])).await.expect("agreed");
        ann.player.call("trade_offer_item", json!([sword])).await.expect("offered");
        owner.call("cause_reverse", json!([offered, "x"])).await.expect("taken back");
        assert!(town.database().rows("trade").await.is_empty());
        let sword = town.buys(&ann, "longsword").await;
        let bought = town.last_cause(VENDOR).await;
        let sale = json!([town.smith, sword, 1, 0, town.command()]);
        ann.player.call("vendor_sell", sale).await.expect("sold");
        owner.call("cause_reverse", json!([bought, "x"])).await.expect("taken back");
        assert_eq!(town.copper(&ann).await, 4 * LONGSWORD);
        assert!(town.database().rows("item").await.is_empty());
        town.is_sound().await;
    });
}

#[test]
fn what_was_destroyed_comes_back_and_stays() {
    on_database(|database| async move {
        let town = Town::open(database, |_| ()).await;
        let ann = town.hero("Ann", 2 * LONGSWORD).await;
        let bob = town.hero("Bob", 0).await;
        let sword = town.buys(&ann, "longsword").await;
        trade(&town, &ann, sword, &bob, 0).await;
        let traded = town.last_cause(TRADE).await;
        let args = json!([sword, 1, town.command()]);
        bob.player.call("item_destroy", args).await.expect("destroyed");
        assert_eq!(town.database().rows("item_destroyed").await.len(), 1);
        let owner = &town.database().owner;
        owner.call("cause_reverse", json!([traded, "a cheat"])).await.expect("taken back");
        assert_eq!(town.stacks(BAG, ann.id).await, [(sword, "longsword".to_owned(), 1)]);
        assert!(town.database().rows("item_destroyed").await.is_empty(), "it is not swept away");
        let args = json!([sword, "a mistake"]);
        town.refuses(owner, "item_restore", args, "item.not_destroyed").await;
        town.is_sound().await;
    });
}

#[test]
fn what_somebody_else_bound_to_itself_comes_back_unbound() {
    on_database(|database| async move {
        let town = Town::open(database, |pack| {
            let swords = pack.item.iter_mut().filter(|item| item.key == "longsword");
            swords.for_each(|item| item.binding = Binding::OnEquip);
        })
        .await;
        let ann = town.hero("Ann", 2 * LONGSWORD).await;
        let bob = town.hero("Bob", 0).await;
        let sword = town.buys(&ann, "longsword").await;
        trade(&town, &ann, sword, &bob, 0).await;
        let traded = town.last_cause(TRADE).await;
        let args = json!([sword, 0, town.command()]);
        bob.player.call("item_equip", args).await.expect("put on");
        assert_eq!(town.database().rows("item").await[0]["bound_to"], bob.id);
        let owner = &town.database().owner;
        owner.call("cause_reverse", json!([traded, "a cheat"])).await.expect("taken back");
        assert_eq!(town.database().rows("item").await[0]["bound_to"], 0);
        trade(&town, &ann, sword, &bob, 0).await;
        assert_eq!(town.bag(&bob).await, ["longsword 1"], "Ann can give it away");
        town.is_sound().await;
    });
}

#[test]
fn what_was_taken_back_is_forgotten_with_its_causes() {
    on_database(|database| async move {
        let town = Town::open(database, |_| ()).await;
        let ann = town.hero("Ann", 2 * LONGSWORD).await;
        let (bob, cid) = (town.hero("Bob", 1_000).await, town.hero("Cid", 1_000).await);
        let sword = town.buys(&ann, "longsword").await;
        let made = town.last_cause(VENDOR).await;
        trade(&town, &ann, sword, &bob, 300).await;
        trade(&town, &bob, sword, &cid, 400).await;
        let owner = &town.database().owner;
        owner.call("cause_reverse", json!([made, "too many swords"])).await.expect("taken back");
        let reversal = town.last_cause(901).await;
        assert_eq!(town.database().rows("ledger_reversal").await.len(), 3);
        // First what was taken back is older than it is kept, then what took it back.
        for old in [format!("WHERE cause_id < {reversal}"), String::new()] {
            town.is_sound().await;
            town.database().run(&format!("UPDATE ledger_cause SET at_micros = 1 {old}")).await;
            until("what was taken back is forgotten", || async {
                town.database().rows("ledger_reversal").await.is_empty().then_some(())
            })
            .await;
        }
        until("so is what took it back", || async {
            let rows = town.database().rows("ledger_cause").await;
            rows.iter().all(|row| row["cause_id"] != reversal).then_some(())
        })
        .await;
        assert!(town.database().rows("ledger_reversal").await.is_empty());
        town.is_sound().await;
    });
}

#[test]
fn what_too_much_followed_from_is_not_taken_back() {
    on_database(|database| async move {
        let town = Town::open(database, |_| ()).await;
        let ann = town.hero("Ann", 100 * LONGSWORD).await;
        let sword = town.buys(&ann, "longsword").await;
        let bought = town.last_cause(VENDOR).await;
        for _ in 0..50 {
            let sale = json!([town.smith, sword, 1, 0, town.command()]);
            ann.player.call("vendor_sell", sale).await.expect("sold");
            let back = json!([sword, town.command()]);
            ann.player.call("vendor_buy_back", back).await.expect("bought back");
        }
        let owner = &town.database().owner;
        let args = json!([bought, "x"]);
        town.refuses(owner, "cause_reverse", args, "economy.cause_too_long").await;
    });
}

#[test]
fn coins_are_not_taken_back_to_who_is_gone() {
    on_database(|database| async move {
        let town = Town::open(database, |_| ()).await;
        let (ann, bob) = (town.hero("Ann", 500).await, town.hero("Bob", 0).await);
        let args = json!([bob.id, 200, town.command()]);
        ann.player.call("coins_pay", args).await.expect("paid");
        let paid = town.last_cause(PAYMENT).await;
        purge(town.database(), &ann.player, ann.id).await;
        let args = json!([paid, "a stolen account"]);
        let owner = &town.database().owner;
        let refused = town.refuses(owner, "cause_reverse", args, "economy.cause_in_way").await;
        assert!(refused.ends_with(&format!("(cause {paid})")), "{refused}");
        assert_eq!(town.copper(&bob).await, 200);
        town.is_sound().await;
    });
}
