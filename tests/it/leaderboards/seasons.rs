//! Seasons: closed by the clock and by staff, while others submit, over a restart; what is given,
//! kept and removed.

use super::{board, define, id, look, reward, row_of, service, settled, sql};
use crate::support::client::Client;
use crate::support::content::{sent, srd};
use crate::support::{Database, engine_config, on_database, owner_token, rows, until};
use haven_engine::{Engine, MODULE_WASM};
use haven_gateway::keys::KeyStore;
use haven_rules::content::{BoardHolder, BoardOperator};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use tempfile::TempDir;

async fn close(database: &Database, board: &str, sequence: u64) {
    let args = json!([board, id(9, sequence)]);
    database.owner.call("board_season_close", args).await.expect("closed");
}

/// Connections, and submissions under way on each of them.
const CONNECTIONS: u64 = 20;
const PIPELINED: u64 = 10;
/// How often each holder submits.
const ROUNDS: u64 = 6;

async fn submit_rounds(client: &Client, number: u64) {
    for round in 0..ROUNDS {
        let calls = (0..PIPELINED).map(|line| {
            let holder = number * PIPELINED + line + 1;
            let command = id(1, round * PIPELINED + line + 1);
            client.call("board_submit", json!(["sums", holder, 1, 0, command]))
        });
        for outcome in futures::future::join_all(calls).await {
            outcome.expect("submitted");
        }
    }
}

#[test]
fn a_season_closes_while_200_submit_and_each_submission_is_in_one_season() {
    on_database(|database| async move {
        let mut sums = board("sums");
        (sums.holder, sums.operator) = (BoardHolder::Free, BoardOperator::Sum);
        sums.seasons_kept = 20;
        define(&database, vec![sums]).await;
        let mut clients = vec![];
        for number in 0..CONNECTIONS {
            clients.push(service(&database, &format!("service{number}@example.org")).await);
        }
        let submitters =
            clients.iter().zip(0..).map(|(client, number)| submit_rounds(client, number));
        let closer = async {
            for sequence in 1..=5 {
                close(&database, "sums", sequence).await;
            }
        };
        futures::future::join(futures::future::join_all(submitters), closer).await;
        assert_eq!(database.rows("board_season").await.len(), 6);
        let records = database.rows("board_record").await;
        let total: i64 = records.iter().filter_map(|row| row["score"].as_i64()).sum();
        let expected = i64::try_from(CONNECTIONS * PIPELINED * ROUNDS).expect("small");
        assert_eq!(total, expected, "each submission is counted once");
        let mut counted: BTreeMap<u64, u64> = BTreeMap::new();
        for record in &records {
            let tree_id = record["tree_id"].as_u64().expect("a number");
            *counted.entry(tree_id).or_default() += 1;
        }
        for season in database.rows("board_season").await {
            if season["closed_at_micros"] != 0 {
                let tree_id = season["tree_id"].as_u64().expect("a number");
                let there = counted.get(&tree_id).copied().unwrap_or_default();
                assert_eq!(season["records"], there, "what it closed with is what it has");
            }
        }
    });
}

#[test]
fn a_season_ends_when_it_is_due_and_whoever_submits_later_is_in_the_next() {
    on_database(|database| async move {
        let mut daily = board("daily");
        daily.reset = "0 4 * * *".to_owned();
        define(&database, vec![daily]).await;
        let (_, ann, _player) = database.enter("ann@example.org", "Ann").await;
        let submit = async |sequence| {
            let args = json!(["daily", ann, 5, 0, id(1, sequence)]);
            database.owner.call("board_submit", args).await.expect("submitted");
        };
        submit(1).await;
        let before = row_of(&database, "daily").await;
        let board_id = before["board_id"].as_u64().expect("a number");
        // As if the database had been down for years: the tick has not come yet.
        let late = format!("UPDATE board SET ends_at_micros = 1 WHERE board_id = {board_id}");
        sql(&database, &late).await;
        submit(2).await;
        let after = row_of(&database, "daily").await;
        assert_eq!(after["season"], 2, "the submission itself has closed it");
        assert_ne!(before["tree_id"], after["tree_id"]);
        let late = format!(
            "UPDATE board SET ends_at_micros = 1, ends_key = {board_id} WHERE board_id = {board_id}"
        );
        sql(&database, &late).await;
        until("the tick has closed it", || async {
            (row_of(&database, "daily").await["season"] == 3).then_some(())
        })
        .await;
        assert_eq!(row_of(&database, "daily").await["ends_at_micros"], before["ends_at_micros"]);
        let old = look(&database, "daily", 1, ann, json!({ "Rank": [] })).await;
        assert_eq!((&old["season"], &old["rank"]), (&json!(1), &json!(1)), "old ones are kept");
        let new = look(&database, "daily", 3, ann, json!({ "Rank": [] })).await;
        assert_eq!((&new["rank"], &new["total"]), (&json!(0), &json!(0)));
    });
}

#[test]
fn seasons_beyond_those_that_are_kept_are_removed_with_all_they_had() {
    on_database(|database| async move {
        let mut free = board("free");
        (free.holder, free.seasons_kept) = (BoardHolder::Free, 1);
        define(&database, vec![free]).await;
        for season in 1..=3 {
            let lines: Vec<Value> = (1..=700)
                .map(|holder| json!({ "holder_id": holder, "score": holder % 50, "subscore": 0 }))
                .collect();
            let args = json!(["free", lines, id(1, season)]);
            database.owner.call("board_submit_many", args).await.expect("submitted");
            close(&database, "free", season).await;
        }
        settled(&database).await;
        let seasons = database.rows("board_season").await;
        assert_eq!(seasons.len(), 2, "the third, which is kept, and the fourth, which runs");
        assert_eq!(database.rows("board_record").await.len(), 700);
        assert_eq!(database.rows("board_tree").await.len(), 2);
        assert_eq!(database.rows("board_top").await.len(), 5);
        let nodes = database.rows("board_node").await.len();
        assert_eq!((nodes, database.rows("board_count").await.len()), (2, 2));
        let args = json!(["free", 2, 1, { "Rank": [] }, 1]);
        let refused = database.owner.call("board_look", args).await.expect_err("not kept");
        assert!(refused.starts_with("leaderboard.season_unknown:"), "{refused}");
    });
}

/// What all rewards gave so far, copper: what their source has given.
fn given(accounts: &[Value]) -> u64 {
    let is_source = |row: &&Value| row["kind"] == 101 && row["owner_id"] == 5;
    accounts.iter().filter(is_source).filter_map(|row| row["copper"].as_u64()).sum()
}

#[test]
fn winners_are_rewarded_by_their_rank() {
    on_database(|database| async move {
        let mut best = board("best");
        best.rewards = vec![reward(1, 1, 500), reward(2, 3, 100)];
        define(&database, vec![best]).await;
        let mut heroes = vec![];
        for (number, name) in ["Ann", "Bob", "Cid", "Dan"].into_iter().enumerate() {
            let account_id = database.register(&format!("{name}@example.org").to_lowercase()).await;
            let hero = database.create(account_id, name).await;
            let score = 100 - 10 * i64::try_from(number).expect("small");
            let sequence = u64::try_from(number).expect("small") + 1;
            let args = json!(["best", hero, score, 0, id(1, sequence)]);
            database.owner.call("board_submit", args).await.expect("submitted");
            heroes.push(hero);
        }
        close(&database, "best", 1).await;
        settled(&database).await;
        let mut rewarded: Vec<_> = database
            .rows("board_reward")
            .await
            .iter()
            .map(|row| row["rank"].as_u64().expect("a rank"))
            .collect();
        rewarded.sort_unstable();
        assert_eq!(rewarded, [1, 2, 3], "the fourth has none");
        let seasons = database.rows("board_season").await;
        let closed = seasons.iter().find(|row| row["closed_at_micros"] != 0).expect("one closed");
        assert_eq!((&closed["records"], &closed["state"]), (&json!(4), &json!(2)));
        let causes = database.rows("ledger_cause").await;
        assert_eq!(causes.iter().filter(|row| row["kind"] == 500).count(), 3);
        assert_eq!(given(&database.rows("ledger_account").await), 700);
        let letters = database.rows("mail").await;
        let told = letters.iter().filter(|row| row["template"] == "leaderboard_reward").count();
        assert_eq!((told, letters.len()), (3, 3), "{letters:?}");
    });
}

/// A database on disk that can be stopped and started again.
struct OnDisk {
    dir: TempDir,
    keys: KeyStore,
}

impl OnDisk {
    async fn start(&self) -> (Engine, Client) {
        let keys_dir = self.dir.path().join("keys");
        let config = engine_config(self.dir.path(), &keys_dir, false);
        let engine =
            until("the engine starts", || async { Engine::start(config.clone()).await.ok() }).await;
        let token = owner_token(&self.keys);
        haven_engine::publish(&engine.uri(), "haven", &token, MODULE_WASM)
            .await
            .expect("published");
        let owner = Client::connect(&engine.uri(), "haven", &token).await.expect("the owner");
        (engine, owner)
    }

    async fn rows(&self, engine: &Engine, table: &str) -> Vec<Value> {
        rows::select(&engine.uri(), "haven", &owner_token(&self.keys), table).await
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn rewards_are_given_once_though_the_database_stops_half_way() {
    const WINNERS: u64 = 60;
    let dir = TempDir::new().expect("a temporary directory");
    let keys = KeyStore::open_or_create(dir.path().join("keys")).expect("keys");
    let here = OnDisk { dir, keys };
    let (engine, owner) = here.start().await;
    let mut best = board("best");
    best.rewards = vec![reward(1, 100, 5)];
    let mut pack = srd();
    pack.board = vec![best];
    for (reducer, args) in [
        ("realm_configure", json!([1, "Haven", true, 100])),
        ("world_configure", json!([crate::support::world()])),
        ("content_stage", json!(["For a test", sent(&pack)])),
        ("content_activate", json!([1, 0])),
    ] {
        owner.call(reducer, args).await.expect(reducer);
    }
    for number in 0..WINNERS {
        let letter = |part: u64| char::from(b'a' + u8::try_from(part).expect("a letter"));
        // None of them looks like another one.
        let name = format!("Win{}{}", letter(number / 8), letter(number % 8));
        let args = json!([1_000 + number, name, "human", "fighter"]);
        owner.call("character_create", args).await.expect("created");
    }
    let heroes = here.rows(&engine, "character").await;
    for (number, hero) in (1..).zip(&heroes) {
        let args = json!(["best", hero["character_id"], number, 0, id(1, number)]);
        owner.call("board_submit", args).await.expect("submitted");
    }
    owner.call("board_season_close", json!(["best", id(2, 1)])).await.expect("closed");
    until("some are rewarded", || async {
        (!here.rows(&engine, "board_reward").await.is_empty()).then_some(())
    })
    .await;
    drop(owner);
    engine.stop().await.expect("the engine stops");
    let (engine, owner) = here.start().await;
    until("all are rewarded", || async {
        here.rows(&engine, "board_payout").await.is_empty().then_some(())
    })
    .await;
    let rewards = here.rows(&engine, "board_reward").await;
    let mut ranks: Vec<_> = rewards.iter().filter_map(|row| row["rank"].as_u64()).collect();
    ranks.sort_unstable();
    assert_eq!(ranks, (1..=WINNERS).collect::<Vec<_>>(), "each rank once");
    let causes = here.rows(&engine, "ledger_cause").await;
    let paid = causes.iter().filter(|row| row["kind"] == 500).count();
    assert_eq!(u64::try_from(paid), Ok(WINNERS), "each with one cause");
    assert_eq!(given(&here.rows(&engine, "ledger_account").await), 5 * WINNERS);
    drop(owner);
    engine.stop().await.expect("the engine stops");
}
