//! Seasons: closed by the clock and by staff, while others submit, over a kill; what is given, kept
//! and removed.

use super::{board, define, id, look, reward, row_of, service, settled};
use crate::restart::cut;
use crate::support::client::Client;
use crate::support::content::{sent, srd};
use crate::support::{
    Database, engine_config, on_database, owner_token, rows, share_compiled, until,
};
use haven_engine::{Engine, MODULE_WASM};
use haven_gateway::keys::KeyStore;
use haven_rules::content::{BoardHolder, BoardOperator, BoardOrder};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use tempfile::TempDir;

async fn close(database: &Database, board: &str, sequence: u64) {
    let args = json!([board, id(9, sequence)]);
    database.owner.call("board_season_close", args).await.expect("closed");
}

/// Services, each with a connection of its own and one submission under way on it.
const CLIENTS: u64 = 200;
/// How often each submits.
const ROUNDS: u64 = 6;

async fn submit_rounds(client: &Client, holder: u64) {
    for round in 1..=ROUNDS {
        let args = json!(["sums", holder, 1, 0, id(1, round)]);
        client.call("board_submit", args).await.expect("submitted");
    }
}

#[test]
fn a_season_closes_while_200_clients_submit_and_each_submission_is_in_one_season() {
    on_database(|database| async move {
        let mut sums = board("sums");
        (sums.holder, sums.operator) = (BoardHolder::Free, BoardOperator::Sum);
        sums.seasons_kept = 20;
        define(&database, vec![sums]).await;
        let mut clients = vec![];
        for number in 0..CLIENTS {
            clients.push(service(&database, &format!("service{number}@example.org")).await);
        }
        let submitters =
            clients.iter().zip(1..).map(|(client, holder)| submit_rounds(client, holder));
        let closer = async {
            for sequence in 1..=5 {
                close(&database, "sums", sequence).await;
            }
        };
        futures::future::join(futures::future::join_all(submitters), closer).await;
        assert_eq!(database.rows("board_season").await.len(), 6);
        let records = database.rows("board_record").await;
        let total: i64 = records.iter().filter_map(|row| row["score"].as_i64()).sum();
        let expected = i64::try_from(CLIENTS * ROUNDS).expect("small");
        assert_eq!(total, expected, "each submission is counted once");
        let mut counted: BTreeMap<u64, u64> = BTreeMap::new();
        for record in &records {
            let tree_id = record["tree_id"].as_u64().expect("a number");
            *counted.entry(tree_id).or_default() += 1;
        }
        assert!(counted.len() > 1, "one closed between two submissions: {counted:?}");
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
        database.run(&late).await;
        submit(2).await;
        let after = row_of(&database, "daily").await;
        assert_eq!(after["season"], 2, "the submission itself has closed it");
        assert_ne!(before["tree_id"], after["tree_id"]);
        let late = format!(
            "UPDATE board SET ends_at_micros = 1, ends_key = {board_id} WHERE board_id = {board_id}"
        );
        database.run(&late).await;
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

/// Content that comes in force at or after the end of a season, and before the tick: one board gets
/// another end, other rewards and another order, one is dropped.
#[test]
fn a_season_that_has_ended_closes_by_the_content_it_ran_under() {
    on_database(|database| async move {
        let mut kept = board("kept");
        (kept.reset, kept.rewards) = ("0 4 * * *".to_owned(), vec![reward(1, 1, 500)]);
        let mut dropped = kept.clone();
        dropped.key = "dropped".to_owned();
        define(&database, vec![kept.clone(), dropped]).await;
        let mut heroes = vec![];
        for (sequence, name) in (1..).zip(["Ann", "Bob"]) {
            let account_id = database.register(&format!("{name}@example.org").to_lowercase()).await;
            let hero = database.create(account_id, name).await;
            for board in ["kept", "dropped"] {
                let number = 2 * sequence + u64::from(board == "kept");
                let args = json!([board, hero, 10 * sequence, 0, id(1, number)]);
                database.owner.call("board_submit", args).await.expect("submitted");
            }
            heroes.push(hero);
        }
        // The tick goes by the key, and does not see it.
        database.run("UPDATE board SET ends_at_micros = 1").await;
        (kept.reset, kept.rewards) = ("0 5 * * *".to_owned(), vec![reward(1, 2, 1)]);
        kept.order = BoardOrder::Ascending;
        define(&database, vec![kept]).await;
        for board in ["kept", "dropped"] {
            assert_eq!(row_of(&database, board).await["season"], 2, "{board}");
        }
        settled(&database).await;
        assert_eq!(given(&database.rows("ledger_account").await), 1_000, "what was promised");
        let rewards = database.rows("board_reward").await;
        assert!(rewards.iter().all(|row| row["rank"] == 1), "{rewards:?}");
        assert_eq!(rewards.len(), 2, "of each season its first");
        let seasons = database.rows("board_season").await;
        let closed = seasons.iter().filter(|row| row["closed_at_micros"] != 0);
        let states: Vec<_> = closed.map(|row| (&row["state"], &row["records"])).collect();
        // Nothing of a dropped board is let go because nothing says how many are kept.
        assert_eq!(states, [(&json!(2), &json!(2)), (&json!(2), &json!(2))]);
        let ends = row_of(&database, "dropped").await["ends_at_micros"].as_i64();
        assert_eq!(ends, Some(i64::MAX), "it has no next end");
        // The next season is read as the content in force says.
        for (sequence, (hero, score)) in (21..).zip([(heroes[0], 9), (heroes[1], 5)]) {
            let args = json!(["kept", hero, score, 0, id(1, sequence)]);
            database.owner.call("board_submit", args).await.expect("submitted");
        }
        let answer = look(&database, "kept", 0, heroes[1], json!({ "Rank": [] })).await;
        assert_eq!((&answer["rank"], &answer["total"]), (&json!(1), &json!(2)), "less is better");
    });
}

/// So many that giving to all of them takes 16 slices, a quarter of a second apart.
const WINNERS: u64 = 400;

/// A database on disk that can be cut off and started again.
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

    /// Puts a board in force that rewards all of its winners, who have submitted. Who they are.
    async fn compete(&self, engine: &Engine, owner: &Client) -> Vec<u64> {
        let mut best = board("best");
        best.rewards = vec![reward(1, 1_000, 5)];
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
        let letter = |part: u64| char::from(b'a' + u8::try_from(part).expect("a letter"));
        for number in 0..WINNERS {
            // None of them looks like another one.
            let [first, second, third] = [number / 64, number / 8 % 8, number % 8].map(letter);
            let name = format!("Win{first}{second}{third}");
            let args = json!([1_000 + number, name, "human", "fighter"]);
            owner.call("character_create", args).await.expect("created");
        }
        let rows = self.rows(engine, "character").await;
        let mut heroes: Vec<u64> =
            rows.iter().filter_map(|row| row["character_id"].as_u64()).collect();
        heroes.sort_unstable();
        let mut lines = vec![];
        for (score, hero) in (1..).zip(&heroes) {
            lines.push(json!({ "holder_id": hero, "score": score, "subscore": 0 }));
        }
        owner.call("board_submit_many", json!(["best", lines, id(1, 1)])).await.expect("submitted");
        heroes
    }

    /// That each of them was rewarded once, in coins and by letter.
    async fn assert_rewarded(&self, engine: &Engine, heroes: &[u64]) {
        let rewards = self.rows(engine, "board_reward").await;
        let mut ranks: Vec<_> = rewards.iter().filter_map(|row| row["rank"].as_u64()).collect();
        ranks.sort_unstable();
        assert_eq!(ranks, (1..=WINNERS).collect::<Vec<_>>(), "each rank once");
        let causes = self.rows(engine, "ledger_cause").await;
        let paid = causes.iter().filter(|row| row["kind"] == 500).count();
        assert_eq!(u64::try_from(paid), Ok(WINNERS), "each with one cause");
        assert_eq!(given(&self.rows(engine, "ledger_account").await), 5 * WINNERS);
        let letters = self.rows(engine, "mail").await;
        assert!(letters.iter().all(|row| row["template"] == "leaderboard_reward"), "no others");
        let mut told: Vec<u64> =
            letters.iter().filter_map(|row| row["to_character_id"].as_u64()).collect();
        told.sort_unstable();
        assert_eq!(told, heroes, "one letter each");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn rewards_are_given_once_though_the_process_is_killed_half_way() {
    let dir = TempDir::new().expect("a temporary directory");
    share_compiled(dir.path());
    let keys = KeyStore::open_or_create(dir.path().join("keys")).expect("keys");
    let before = OnDisk { dir, keys };
    let (engine, owner) = before.start().await;
    let heroes = before.compete(&engine, &owner).await;
    owner.call("board_season_close", json!(["best", id(2, 1)])).await.expect("closed");
    let early = until("some are rewarded", || async {
        let rewards = before.rows(&engine, "board_reward").await;
        (!rewards.is_empty()).then_some(rewards)
    })
    .await;
    let copy = cut(&engine, &before.keys, before.dir.path()).await;
    // What is outstanding after the copy was made was outstanding in it.
    assert_eq!(before.rows(&engine, "board_payout").await.len(), 1, "some are not rewarded yet");
    drop(owner);
    engine.stop().await.expect("the engine stops");

    let after = OnDisk { dir: copy, keys: before.keys };
    let (engine, owner) = after.start().await;
    until("all are rewarded", || async {
        after.rows(&engine, "board_payout").await.is_empty().then_some(())
    })
    .await;
    let rewards = after.rows(&engine, "board_reward").await;
    let is_kept = |row: &Value| rewards.contains(row);
    assert!(early.iter().all(is_kept), "what was given before the kill is not given anew");
    after.assert_rewarded(&engine, &heroes).await;
    drop(owner);
    engine.stop().await.expect("the engine stops");
}
