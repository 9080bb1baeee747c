//! The auditor: it finds nothing where nothing is wrong, also while goods move, and names what is.

use super::{BAG, LONGSWORD, Town};
use crate::support::{on_database, until};
use haven_checks::number;
use serde_json::{Value, json};

async fn pass(town: &Town) -> Value {
    let database = town.database();
    let passes = async || {
        let rows = database.rows("economy_health").await;
        rows.first().map_or(0, |row| number(row, "pass"))
    };
    let before = passes().await;
    until("the auditor has begun and come to an end", || async {
        // It may have been in a pass that began before.
        database.owner.call("economy_audit_begin", json!([])).await.expect("begun");
        (passes().await > before + 1).then_some(())
    })
    .await;
    database.rows("economy_health").await[0].clone()
}

#[test]
fn a_pass_counts_everything_and_finds_nothing() {
    on_database(|database| async move {
        let town = Town::open(database, |_| ()).await;
        let ann = town.hero("Ann", 10 * LONGSWORD).await;
        town.buys(&ann, "longsword").await;
        town.buys(&ann, "club").await;
        let health = pass(&town).await;
        assert_eq!((number(&health, "imbalances"), number(&health, "first_cause_id")), (0, 0));
        assert_eq!(number(&health, "copper_given"), 10 * LONGSWORD);
        assert_eq!(number(&health, "copper_held"), town.copper(&ann).await);
        let taken = 10 * LONGSWORD - town.copper(&ann).await;
        assert_eq!(number(&health, "copper_taken"), taken);
        // Her wallet, the source that gave to it, and two sinks.
        assert_eq!(number(&health, "accounts"), 4);
        assert_eq!((number(&health, "stacks"), number(&health, "definitions")), (2, 2));
        assert!(town.database().rows("economy_audit_mark").await.is_empty());
        // A player sees it, too.
        ann.player.subscribe(&["SELECT * FROM economy_health"]).await;
    });
}

#[test]
fn passes_that_go_on_while_goods_move_find_nothing() {
    on_database(|database| async move {
        let town = Town::open(database, |_| ()).await;
        let ann = town.hero("Ann", 1_000_000).await;
        let moves = async {
            for _ in 0..60 {
                let club = town.buys(&ann, "club").await;
                let args = json!([town.smith, club, 1, 0, town.command()]);
                ann.player.call("vendor_sell", args).await.expect("sold");
            }
        };
        let passes = async {
            for _ in 0..2 {
                assert_eq!(number(&pass(&town).await, "imbalances"), 0);
            }
        };
        tokio::join!(moves, passes);
        assert_eq!(number(&pass(&town).await, "imbalances"), 0);
        town.is_sound().await;
    });
}

#[test]
fn an_imbalance_names_the_account_or_the_items_and_the_cause() {
    on_database(|database| async move {
        let town = Town::open(database, |_| ()).await;
        let ann = town.hero("Ann", 10 * LONGSWORD).await;
        assert_eq!(number(&pass(&town).await, "imbalances"), 0);
        let sword = town.buys(&ann, "longsword").await;
        let cause = town.last_cause(200).await;
        // As a fault would write it: a coin that no entry tells of, and a sword that nobody made.
        let wallet = format!("kind = 1 AND owner_id = {}", ann.id);
        let more = town.copper(&ann).await + 1;
        town.database()
            .run(&format!("UPDATE ledger_account SET copper = {more} WHERE {wallet}"))
            .await;
        let health = pass(&town).await;
        // The wallet, and all of it together.
        assert_eq!(number(&health, "imbalances"), 2);
        assert_eq!(number(&health, "first_cause_id"), cause);
        let mut found = town.database().rows("economy_imbalance").await;
        found.sort_by_key(|row| std::cmp::Reverse(number(row, "found")));
        assert_eq!(found.len(), 2);
        assert_eq!(number(&found[0], "cause_id"), cause);
        assert_eq!(number(&found[0], "found"), more);
        assert_eq!(number(&found[0], "expected"), more - 1);
        let query = format!("UPDATE ledger_account SET copper = {} WHERE {wallet}", more - 1);
        town.database().run(&query).await;
        town.database().run(&format!("UPDATE item SET count = 2 WHERE item_id = {sword}")).await;
        let health = pass(&town).await;
        assert_eq!(number(&health, "imbalances"), 1);
        assert_eq!(number(&health, "first_cause_id"), cause);
        let found = town.database().rows("economy_imbalance").await;
        assert_eq!((found.len(), &found[0]["def"]), (1, &json!("longsword")));
        town.database().run(&format!("UPDATE item SET count = 1 WHERE item_id = {sword}")).await;
        assert_eq!(number(&pass(&town).await, "imbalances"), 0);
        assert_eq!(town.stacks(BAG, ann.id).await.len(), 1);
    });
}

#[test]
fn what_is_old_is_folded_and_still_adds_up() {
    on_database(|database| async move {
        let town = Town::open(database, |_| ()).await;
        let ann = town.hero("Ann", 10 * LONGSWORD).await;
        town.buys(&ann, "longsword").await;
        let args = json!([ann.id, town.copper(&ann).await, "all of it", town.command()]);
        town.database().owner.call("coins_take", args).await.expect("taken");
        town.is_sound().await;
        // As if all of that had been before the ledger's retention.
        town.database().run("UPDATE ledger_cause SET at_micros = 1").await;
        let left = async || town.database().rows("ledger_cause").await.len();
        until("it is forgotten", || async { (left().await == 0).then_some(()) }).await;
        for table in ["ledger_entry", "item_history"] {
            assert_eq!(town.database().rows(table).await.len(), 0, "{table}");
        }
        let accounts = town.database().rows("ledger_account").await;
        assert!(accounts.iter().all(|row| row["kind"] != 1), "an empty wallet is forgotten");
        town.is_sound().await;
        let health = pass(&town).await;
        assert_eq!(number(&health, "imbalances"), 0);
        assert_eq!(number(&health, "copper_held"), 0);
        town.gives(ann.id, 7).await;
        assert_eq!(town.copper(&ann).await, 7);
        town.is_sound().await;
    });
}

#[test]
fn sums_that_no_number_holds_end_a_pass_all_the_same() {
    on_database(|database| async move {
        let town = Town::open(database, |_| ()).await;
        let ann = town.hero("Ann", 10 * LONGSWORD).await;
        // Of a second source: what a vendor pays.
        let sword = town.buys(&ann, "longsword").await;
        let args = json!([town.smith, sword, 1, 0, town.command()]);
        ann.player.call("vendor_sell", args).await.expect("sold");
        let most = u64::MAX;
        let query = format!("UPDATE ledger_account SET copper = {most} WHERE kind = 101");
        town.database().run(&query).await;
        let health = pass(&town).await;
        assert_eq!(number(&health, "copper_given"), most);
        assert!(number(&health, "imbalances") > 0, "{health}");
        assert!(pass(&town).await["pass"].as_u64() > health["pass"].as_u64(), "and the next one");
    });
}
