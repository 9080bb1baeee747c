//! Coins that a player hands to another one: once, in full, near by, and to nobody who takes none.

use super::{REACH_MM, Town};
use crate::combat::FIELD;
use crate::support::on_database;
use haven_checks::number;
use haven_rules::economy::{COPPER_MAX, CauseKind};
use haven_rules::friends::What;
use serde_json::json;

/// What Ann has to begin with, copper.
const COPPER: u64 = 1_000;

#[test]
fn coins_pay_moves_coins_once_however_often_it_is_asked_for() {
    on_database(|database| async move {
        let town = Town::open(database, |_| {}).await;
        let (ann, bob) = (town.hero("Ann", COPPER).await, town.hero("Bob", 0).await);
        let command = town.command();
        let args = json!([bob.id, 300, command]);
        ann.player.call("coins_pay", args.clone()).await.expect("paid");
        let after = town.goods().await;
        ann.player.call("coins_pay", args).await.expect("was paid");
        assert_eq!(town.goods().await, after, "a repetition moves nothing");
        assert_eq!((town.copper(&ann).await, town.copper(&bob).await), (COPPER - 300, 300));
        // Neither another amount nor another one goes by the same number.
        for args in [json!([bob.id, 301, command]), json!([ann.id, 300, command])] {
            town.refuses(&ann.player, "coins_pay", args, "command.reused").await;
        }
        // The whole of it, and back again by the other one's own command.
        let args = json!([bob.id, COPPER - 300, town.command()]);
        ann.player.call("coins_pay", args).await.expect("paid");
        assert_eq!((town.copper(&ann).await, town.copper(&bob).await), (0, COPPER));
        let args = json!([ann.id, 1, town.command()]);
        bob.player.call("coins_pay", args).await.expect("paid back");
        assert_eq!((town.copper(&ann).await, town.copper(&bob).await), (1, COPPER - 1));
        let cause = town.last_cause(CauseKind::Payment as u64).await;
        let rows = town.database().rows("ledger_cause").await;
        let row = rows.iter().find(|row| row["cause_id"] == cause).expect("a cause");
        let told = ["account_id", "character_id", "subject_id"].map(|name| number(row, name));
        assert_eq!(told, [bob.account_id, bob.id, ann.id]);
        let given = rows.iter().filter(|row| row["kind"] == CauseKind::Payment as u64);
        assert_eq!(given.count(), 3, "one for each that was paid");
        town.is_sound().await;
    });
}

#[test]
fn coins_pay_refuses_amounts_that_cannot_be() {
    on_database(|database| async move {
        let town = Town::open(database, |_| {}).await;
        let (ann, bob) = (town.hero("Ann", COPPER).await, town.hero("Bob", 5).await);
        for (copper, code) in [
            (0, "economy.amount_invalid"),
            (COPPER_MAX + 1, "economy.amount_invalid"),
            (u64::MAX, "economy.amount_invalid"),
            (COPPER_MAX, "economy.coins_missing"),
            (COPPER + 1, "economy.coins_missing"),
        ] {
            let args = json!([bob.id, copper, town.command()]);
            town.refuses(&ann.player, "coins_pay", args, code).await;
        }
        for command in
            [json!({ "session": 0, "sequence": 1 }), json!({ "session": 7, "sequence": 0 })]
        {
            let args = json!([bob.id, 1, command]);
            town.refuses(&ann.player, "coins_pay", args, "command.id_invalid").await;
        }
        // A wallet holds so much and no more.
        town.gives(bob.id, COPPER_MAX - 5).await;
        let args = json!([bob.id, 1, town.command()]);
        town.refuses(&ann.player, "coins_pay", args, "economy.too_rich").await;
        // What staff keeps from moving goes in neither direction.
        let owner = &town.database().owner;
        let frozen = json!([{ "Wallet": bob.id }, "looked into"]);
        owner.call("goods_freeze", frozen).await.expect("frozen");
        for (from, to) in [(&ann, &bob), (&bob, &ann)] {
            let args = json!([to.id, 1, town.command()]);
            town.refuses(&from.player, "coins_pay", args, "economy.frozen").await;
        }
        assert_eq!((town.copper(&ann).await, town.copper(&bob).await), (COPPER, COPPER_MAX));
        town.is_sound().await;
    });
}

#[test]
fn coins_pay_refuses_whoever_could_not_trade() {
    on_database(|database| async move {
        let town = Town::open(database, |_| {}).await;
        let (ann, bob) = (town.hero("Ann", COPPER).await, town.hero("Bob", COPPER).await);
        let pay = |id: u64| json!([id, 1, town.command()]);
        let unknown = "economy.trade_partner_unknown";
        for (id, code) in [
            (ann.id, "economy.trade_self"),
            (0, unknown),
            (town.smith, unknown),
            (u64::MAX, unknown),
        ] {
            town.refuses(&ann.player, "coins_pay", pay(id), code).await;
        }
        town.arena.put(bob.id, (FIELD.0 + REACH_MM + 1, FIELD.1)).await;
        town.refuses(&ann.player, "coins_pay", pay(bob.id), "economy.trade_too_far").await;
        town.arena.put(bob.id, FIELD).await;
        // Who is dying neither gives nor takes.
        town.arena.make(bob.id, 0, 3).await;
        town.refuses(&ann.player, "coins_pay", pay(bob.id), unknown).await;
        town.refuses(&bob.player, "coins_pay", pay(ann.id), "economy.not_awake").await;
        town.arena.make(bob.id, 10, 0).await;
        // A block holds in both directions; a choice keeps others from the one who made it.
        let dan = town.hero("Dan", COPPER).await;
        dan.player.call("block_add", json!(["Ann"])).await.expect("blocked");
        for (hero, other) in [(&ann, &dan), (&dan, &ann)] {
            let args = pay(other.id);
            town.refuses(&hero.player, "coins_pay", args, "economy.trade_blocked").await;
        }
        let nobody = json!([What::Trade as u8, 2]);
        bob.player.call("privacy_set", nobody).await.expect("chosen");
        town.refuses(&ann.player, "coins_pay", pay(bob.id), "economy.trade_blocked").await;
        bob.player.call("coins_pay", pay(ann.id)).await.expect("paid");
        bob.player.call("character_leave", json!([])).await.expect("left");
        town.refuses(&ann.player, "coins_pay", pay(bob.id), unknown).await;
        town.refuses(&bob.player, "coins_pay", pay(ann.id), "economy.not_in_world").await;
        // The owner has no character, and so no wallet to pay from.
        let owner = &town.database().owner;
        assert!(owner.call("coins_pay", pay(ann.id)).await.is_err());
        let all = [&ann, &bob, &dan].map(|hero| town.copper(hero));
        let [ann, bob, dan] = all;
        assert_eq!((ann.await, bob.await, dan.await), (COPPER + 1, COPPER - 1, COPPER));
        town.is_sound().await;
    });
}
