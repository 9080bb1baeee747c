//! Trades: asked for, agreed to, offered, locked, confirmed; what ends them; and who is too late.

use super::{BAG, LONGSWORD, REACH_MM, Town};
use crate::combat::{FIELD, Hero};
use crate::support::content::set;
use crate::support::{Database, on_database, until};
use haven_checks::number;
use haven_rules::content::Pack;
use serde_json::{Value, json};

/// What Ann and Bob have to begin with, copper.
const COPPER: u64 = 10_000;

/// Two who trade.
pub(super) struct Pair {
    pub(super) town: Town,
    pub(super) ann: Hero,
    pub(super) bob: Hero,
}

impl Pair {
    async fn open(database: Database) -> Self {
        Self::with(database, |_| {}).await
    }

    /// The same with what a test changes.
    pub(super) async fn with(database: Database, change: impl FnOnce(&mut Pack)) -> Self {
        let town = Town::open(database, |pack| {
            set(pack, "vendor_tax_bps", 0);
            change(pack);
        })
        .await;
        let (ann, bob) = (town.hero("Ann", COPPER).await, town.hero("Bob", COPPER).await);
        Self { town, ann, bob }
    }

    /// Ann asks and Bob agrees.
    pub(super) async fn begins(&self) {
        self.ann.player.call("trade_request", json!([self.bob.id])).await.expect("asked");
        let args = json!([self.trade_id().await, true]);
        self.bob.player.call("trade_answer", args).await.expect("agreed");
    }

    async fn trade_id(&self) -> u64 {
        number(&self.town.database().rows("trade").await[0], "trade_id")
    }

    async fn side(&self, hero: &Hero) -> Value {
        let rows = self.town.database().rows("trade_side").await;
        rows.into_iter().find(|row| row["character_id"] == hero.id).expect("a side")
    }

    async fn revision(&self) -> u64 {
        number(&self.side(&self.ann).await, "revision")
    }

    /// Locks what is offered now.
    pub(super) async fn locks(&self, hero: &Hero) {
        hero.player.call("trade_lock", json!([self.revision().await])).await.expect("locked");
    }

    pub(super) async fn confirmation(&self) -> Value {
        json!([self.trade_id().await, self.revision().await, self.town.command()])
    }

    pub(super) async fn is_over(&self) -> bool {
        let database = self.town.database();
        let mut left = 0;
        for table in ["trade", "trade_side", "trade_offer"] {
            left += database.rows(table).await.len();
        }
        left += database.rows("item").await.iter().filter(|row| row["flags"] != 0).count();
        left == 0
    }
}

#[test]
fn goods_and_coins_change_hands_when_both_have_confirmed() {
    on_database(|database| async move {
        let pair = Pair::open(database).await;
        let Pair { town, ann, bob } = &pair;
        let sword = town.buys(ann, "longsword").await;
        let mace = town.buys(bob, "mace").await;
        let had = (town.copper(ann).await, town.copper(bob).await);
        pair.begins().await;
        ann.player.call("trade_offer_item", json!([sword])).await.expect("offered");
        bob.player.call("trade_offer_item", json!([mace])).await.expect("offered");
        bob.player.call("trade_offer_coins", json!([700])).await.expect("offered");
        let seen = pair.side(ann).await;
        assert_eq!((number(&seen, "copper"), number(&seen, "other_copper")), (0, 700));
        pair.locks(ann).await;
        pair.locks(bob).await;
        let confirmation = pair.confirmation().await;
        ann.player.call("trade_confirm", confirmation.clone()).await.expect("confirmed");
        ann.player.call("trade_confirm", confirmation).await.expect("was confirmed");
        assert_eq!(town.bag(ann).await, ["longsword 1"], "nothing moves before both have");
        let confirmation = pair.confirmation().await;
        bob.player.call("trade_confirm", confirmation.clone()).await.expect("confirmed");
        bob.player.call("trade_confirm", confirmation).await.expect("was confirmed");
        assert_eq!(town.bag(ann).await, ["mace 1"]);
        assert_eq!(town.bag(bob).await, ["longsword 1"]);
        assert_eq!(town.copper(ann).await, had.0 + 700);
        assert_eq!(town.copper(bob).await, had.1 - 700);
        assert!(pair.is_over().await);
        town.is_sound().await;
    });
}

#[test]
fn any_change_unlocks_both() {
    on_database(|database| async move {
        let pair = Pair::open(database).await;
        let Pair { town, ann, bob } = &pair;
        let sword = town.buys(ann, "longsword").await;
        pair.begins().await;
        ann.player.call("trade_offer_item", json!([sword])).await.expect("offered");
        bob.player.call("trade_offer_coins", json!([LONGSWORD])).await.expect("offered");
        for (hero, reducer, args) in [
            (bob, "trade_offer_coins", json!([1])),
            (ann, "trade_withdraw", json!([sword])),
            (ann, "trade_offer_item", json!([sword])),
        ] {
            pair.locks(ann).await;
            pair.locks(bob).await;
            let args_of_bob = pair.confirmation().await;
            bob.player.call("trade_confirm", args_of_bob).await.expect("confirmed");
            let seen = pair.confirmation().await;
            hero.player.call(reducer, args).await.expect("changed");
            let side = pair.side(ann).await;
            for column in ["is_locked", "other_is_locked", "other_has_confirmed"] {
                assert_eq!(side[column], false, "{reducer} {column}");
            }
            let refused = town.refuses(&ann.player, "trade_confirm", seen, "economy.trade_changed");
            refused.await;
            let args = json!([pair.revision().await - 1]);
            town.refuses(&ann.player, "trade_lock", args, "economy.trade_changed").await;
            let args = pair.confirmation().await;
            town.refuses(&ann.player, "trade_confirm", args, "economy.trade_not_locked").await;
        }
    });
}

#[test]
fn steps_that_cannot_be_are_refused() {
    on_database(|database| async move {
        let pair = Pair::open(database).await;
        let Pair { town, ann, bob } = &pair;
        let cid = town.hero("Cid", 0).await;
        let sword = town.buys(ann, "longsword").await;
        let unknown = "economy.trade_partner_unknown";
        for (reducer, args, code) in [
            ("trade_request", json!([ann.id]), "economy.trade_self"),
            ("trade_request", json!([0]), unknown),
            ("trade_request", json!([u64::MAX]), unknown),
            ("trade_answer", json!([1, true]), "economy.trade_unknown"),
            ("trade_cancel", json!([]), "economy.trade_unknown"),
            ("trade_offer_item", json!([sword]), "economy.trade_unknown"),
            ("trade_offer_coins", json!([1]), "economy.trade_unknown"),
            ("trade_withdraw", json!([sword]), "economy.trade_unknown"),
            ("trade_lock", json!([0]), "economy.trade_unknown"),
            ("trade_confirm", json!([1, 0, town.command()]), "economy.trade_unknown"),
        ] {
            town.refuses(&ann.player, reducer, args, code).await;
        }
        town.arena.put(bob.id, (FIELD.0 + REACH_MM + 1, FIELD.1)).await;
        let args = json!([bob.id]);
        town.refuses(&ann.player, "trade_request", args, "economy.trade_too_far").await;
        town.arena.put(bob.id, FIELD).await;
        // A block holds in both directions.
        let dan = town.hero("Dan", 0).await;
        dan.player.call("block_add", json!(["Ann"])).await.expect("blocked");
        for (hero, other) in [(ann, &dan), (&dan, ann)] {
            let args = json!([other.id]);
            town.refuses(&hero.player, "trade_request", args, "economy.trade_blocked").await;
        }
        ann.player.call("trade_request", json!([bob.id])).await.expect("asked");
        let trade_id = pair.trade_id().await;
        for (hero, reducer, args, code) in [
            (ann, "trade_request", json!([cid.id]), "economy.trade_busy"),
            (bob, "trade_request", json!([cid.id]), "economy.trade_busy"),
            (&cid, "trade_request", json!([ann.id]), "economy.trade_busy"),
            (&cid, "trade_answer", json!([trade_id, true]), "economy.trade_unknown"),
            (bob, "trade_answer", json!([trade_id + 1, true]), "economy.trade_unknown"),
            (ann, "trade_answer", json!([trade_id, true]), "economy.trade_not_open"),
            (ann, "trade_offer_item", json!([sword]), "economy.trade_not_open"),
            (bob, "trade_lock", json!([0]), "economy.trade_not_open"),
        ] {
            town.refuses(&hero.player, reducer, args, code).await;
        }
        bob.player.call("trade_answer", json!([trade_id, true])).await.expect("agreed");
        for (hero, reducer, args, code) in [
            (bob, "trade_answer", json!([trade_id, true]), "economy.trade_open"),
            (bob, "trade_offer_item", json!([sword]), "item.unknown"),
            (ann, "trade_offer_item", json!([u64::MAX]), "item.unknown"),
            (ann, "trade_offer_coins", json!([COPPER]), "economy.coins_missing"),
            (ann, "trade_offer_coins", json!([u64::MAX]), "economy.amount_invalid"),
            (ann, "trade_withdraw", json!([sword]), "economy.trade_not_offered"),
            (ann, "trade_lock", json!([0]), "economy.trade_empty"),
            (ann, "trade_lock", json!([1]), "economy.trade_changed"),
        ] {
            town.refuses(&hero.player, reducer, args, code).await;
        }
        ann.player.call("trade_offer_item", json!([sword])).await.expect("offered");
        let args = json!([sword]);
        town.refuses(&ann.player, "trade_offer_item", args, "economy.trade_offered").await;
        let sale = json!([town.smith, sword, 1, 0, town.command()]);
        town.refuses(&ann.player, "vendor_sell", sale, "item.locked").await;
        town.is_sound().await;
    });
}

#[test]
fn a_side_offers_eight_stacks_at_most() {
    on_database(|database| async move {
        let pair = Pair::open(database).await;
        let Pair { town, ann, .. } = &pair;
        town.gives(ann.id, 1_000_000).await;
        let mut stacks = vec![];
        for def in [
            "club",
            "dagger",
            "handaxe",
            "javelin",
            "mace",
            "quarterstaff",
            "spear",
            "shortbow",
            "longsword",
        ] {
            stacks.push(town.buys(ann, def).await);
        }
        pair.begins().await;
        for item_id in &stacks[..8] {
            ann.player.call("trade_offer_item", json!([item_id])).await.expect("offered");
        }
        let args = json!([stacks[8]]);
        town.refuses(&ann.player, "trade_offer_item", args, "economy.trade_full").await;
        town.is_sound().await;
        ann.player.call("trade_cancel", json!([])).await.expect("cancelled");
        assert!(pair.is_over().await);
    });
}

#[test]
fn a_trade_ends_with_whatever_ends_it_and_nothing_has_moved() {
    on_database(|database| async move {
        let pair = Pair::open(database).await;
        let Pair { town, ann, bob } = &pair;
        let sword = town.buys(ann, "longsword").await;
        let offers = async || {
            pair.begins().await;
            ann.player.call("trade_offer_item", json!([sword])).await.expect("offered");
        };
        let until_over = async || {
            until("the trade is over", || async { pair.is_over().await.then_some(()) }).await;
            assert_eq!(town.bag(ann).await, ["longsword 1"]);
        };
        offers().await;
        bob.player.call("trade_cancel", json!([])).await.expect("cancelled");
        assert!(pair.is_over().await, "at once");
        // Bob does not want to.
        ann.player.call("trade_request", json!([bob.id])).await.expect("asked");
        let args = json!([pair.trade_id().await, false]);
        bob.player.call("trade_answer", args).await.expect("answered");
        assert!(pair.is_over().await, "at once");
        offers().await;
        // It is looked after again and again.
        let looks = async || town.database().rows("trade_timer").await;
        let first = looks().await;
        until("it was looked after", || async { (looks().await != first).then_some(()) }).await;
        town.arena.put(bob.id, (FIELD.0 + 2 * REACH_MM + 1, FIELD.1)).await;
        until_over().await;
        town.arena.put(bob.id, FIELD).await;
        offers().await;
        town.database().run("UPDATE trade SET ends_at_micros = 1").await;
        let refused = bob.player.call("trade_offer_coins", json!([1])).await;
        if let Err(refused) = refused {
            let is_it = ["economy.trade_over:", "economy.trade_unknown:"];
            assert!(is_it.iter().any(|code| refused.starts_with(code)), "{refused}");
        }
        until_over().await;
        offers().await;
        town.arena.make(bob.id, 0, 3).await;
        until_over().await;
        town.arena.make(bob.id, 10, 0).await;
        offers().await;
        bob.player.call("character_leave", json!([])).await.expect("left");
        assert!(pair.is_over().await, "at once");
        bob.player.call("character_enter", json!([bob.id])).await.expect("back");
        offers().await;
        bob.player.close().await;
        until_over().await;
        town.is_sound().await;
    });
}

#[test]
fn full_bags_swap_and_a_bag_without_room_refuses() {
    on_database(|database| async move {
        let pair = Pair::open(database).await;
        let Pair { town, ann, bob } = &pair;
        // Rows as they would be after a long shopping: bags of 20 slots, each with one sword.
        let (mine, yours) = (town.buys(ann, "longsword").await, town.buys(bob, "mace").await);
        let query = format!("UPDATE item_container SET slots = 1 WHERE kind = {BAG}");
        town.database().run(&query).await;
        pair.begins().await;
        ann.player.call("trade_offer_item", json!([mine])).await.expect("offered");
        pair.locks(ann).await;
        pair.locks(bob).await;
        let args = pair.confirmation().await;
        bob.player.call("trade_confirm", args).await.expect("confirmed");
        let args = pair.confirmation().await;
        town.refuses(&ann.player, "trade_confirm", args, "item.no_room").await;
        bob.player.call("trade_offer_item", json!([yours])).await.expect("offered");
        for hero in [ann, bob] {
            pair.locks(hero).await;
        }
        for hero in [ann, bob] {
            let args = pair.confirmation().await;
            hero.player.call("trade_confirm", args).await.expect("confirmed");
        }
        assert_eq!(town.bag(ann).await, ["mace 1"]);
        assert_eq!(town.bag(bob).await, ["longsword 1"]);
        town.is_sound().await;
    });
}

#[test]
fn a_tax_on_trades_is_taken_of_what_changes_hands() {
    on_database(|database| async move {
        let pair = Pair::open(database).await;
        let Pair { town, ann, bob } = &pair;
        let mut pack = crate::support::content::srd();
        set(&mut pack, "trade_tax_bps", 250);
        set(&mut pack, "trade_range_mm", REACH_MM.into());
        town.database().put_in_force(&pack).await;
        pair.begins().await;
        ann.player.call("trade_offer_coins", json!([101])).await.expect("offered");
        for hero in [ann, bob] {
            pair.locks(hero).await;
        }
        for hero in [ann, bob] {
            let args = pair.confirmation().await;
            hero.player.call("trade_confirm", args).await.expect("confirmed");
        }
        // 2.525 of tax is 3.
        assert_eq!(town.copper(ann).await, COPPER - 101);
        assert_eq!(town.copper(bob).await, COPPER + 98);
        town.is_sound().await;
    });
}

/// Two calls that want the same goods: whoever is first wins, the other gets a code.
#[test]
fn of_two_calls_for_the_same_goods_one_wins() {
    on_database(|database| async move {
        let pair = Pair::open(database).await;
        let Pair { town, ann, bob } = &pair;
        for round in 0..12 {
            town.gives(ann.id, LONGSWORD).await;
            let sword = town.buys(ann, "longsword").await;
            pair.begins().await;
            ann.player.call("trade_offer_item", json!([sword])).await.expect("offered");
            ann.player.call("trade_offer_coins", json!([5])).await.expect("offered");
            for hero in [ann, bob] {
                pair.locks(hero).await;
            }
            let args = pair.confirmation().await;
            ann.player.call("trade_confirm", args).await.expect("confirmed");
            let confirms = bob.player.call("trade_confirm", pair.confirmation().await);
            let sells = json!([town.smith, sword, 1, 0, town.command()]);
            let copper = town.copper(ann).await;
            let take = json!([ann.id, copper, "a race", town.command()]);
            // What happens to the goods in the same moment, and how it is refused if it is late.
            let owner = &town.database().owner;
            let (other, late): (_, &[&str]) = match round % 6 {
                0 => (ann.player.call("trade_cancel", json!([])), &["economy.trade_unknown"]),
                1 => (ann.player.call("character_leave", json!([])), &[]),
                2 => (ann.player.call("vendor_sell", sells), &["item.locked", "item.unknown"]),
                3 => {
                    (ann.player.call("trade_withdraw", json!([sword])), &["economy.trade_unknown"])
                }
                4 => (owner.call("coins_take", take), &["economy.coins_missing"]),
                _ => (ann.player.call("trade_offer_coins", json!([1])), &["economy.trade_unknown"]),
            };
            // Each of them is the first to be sent once.
            let (confirmed, other) = if round < 6 {
                tokio::join!(confirms, other)
            } else {
                let (other, confirmed) = tokio::join!(other, confirms);
                (confirmed, other)
            };
            let has = town.stacks(BAG, bob.id).await.iter().any(|stack| stack.0 == sword);
            assert_eq!(confirmed.is_ok(), has, "{round}: {confirmed:?} {other:?}");
            if let Err(refused) = &other {
                assert!(late.iter().any(|code| refused.starts_with(code)), "{round}: {refused}");
            }
            if let Err(refused) = &confirmed {
                let codes = ["economy.trade_", "economy.coins_missing"];
                assert!(codes.iter().any(|code| refused.starts_with(code)), "{round}: {refused}");
            }
            town.is_sound().await;
            if !crate::economy::trades::is_there(town, ann).await {
                ann.player.call("character_enter", json!([ann.id])).await.expect("back");
            }
            let _ = ann.player.call("trade_cancel", json!([])).await;
            if has {
                let args = json!([town.smith, sword, 1, 0, town.command()]);
                bob.player.call("vendor_sell", args).await.expect("out of the way");
            } else {
                for (item_id, _, count) in town.stacks(BAG, ann.id).await {
                    let args = json!([town.smith, item_id, count, 0, town.command()]);
                    ann.player.call("vendor_sell", args).await.expect("out of the way");
                }
            }
        }
    });
}

/// Whether a character is in the world.
pub(super) async fn is_there(town: &Town, hero: &Hero) -> bool {
    let rows = town.database().rows("character_presence").await;
    rows.iter().any(|row| row["character_id"] == hero.id)
}
