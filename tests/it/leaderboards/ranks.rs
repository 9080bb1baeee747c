//! Ranks against a sorted reference, on the engine; who feeds boards; who is gone from them.

use super::{board, define, id, look, row_of, settled};
use crate::combat::{Arena, FIELD, at};
use crate::support::content::{srd, switch};
use crate::support::{on_database, until};
use haven_checks::{Snapshot, check};
use haven_rules::content::{BoardHolder, BoardOperator};
use serde_json::{Value, json};
use std::collections::BTreeMap;

/// A number that follows from another one.
fn mix(number: u64) -> u64 {
    haven_rules::motion::mix(number, 7)
}

async fn sound(database: &crate::support::Database) {
    let mut now = Snapshot::default();
    for table in
        ["board", "board_season", "board_tree", "board_record", "board_node", "board_count"]
    {
        for row in database.rows(table).await {
            now.insert(table, row);
        }
    }
    now.insert("world_config", json!({ "world": 0 }));
    now.insert("realm_population", json!({ "online": 0 }));
    assert_eq!(check(&now), []);
}

#[test]
fn ranks_and_pages_agree_with_a_sorted_reference_after_random_submissions() {
    on_database(|database| async move {
        let mut free = board("free");
        (free.holder, free.operator) = (BoardHolder::Free, BoardOperator::Set);
        define(&database, vec![free]).await;
        // Each holder's score, and when it got it.
        let mut reference: BTreeMap<u64, (i64, u64)> = BTreeMap::new();
        for call in 0..20_u64 {
            let lines: Vec<(u64, i64)> = (call * 500..call * 500 + 500)
                .map(|step| {
                    (mix(step) % 3_000, i64::try_from(mix(step + 1_000_000) % 400).expect("small"))
                })
                .collect();
            for (line, (holder, score)) in (0_u64..).zip(&lines) {
                let same = reference.get(holder).is_some_and(|(had, _)| had == score);
                if !same {
                    reference.insert(*holder, (*score, call * 500 + line));
                }
            }
            let lines: Vec<Value> = lines
                .iter()
                .map(
                    |(holder, score)| json!({ "holder_id": holder, "score": score, "subscore": 0 }),
                )
                .collect();
            let args = json!(["free", lines, id(1, call + 1)]);
            database.owner.call("board_submit_many", args).await.expect("submitted");
        }
        let mut sorted: Vec<(i64, u64, u64)> =
            reference.iter().map(|(holder, (score, at))| (-score, *at, *holder)).collect();
        sorted.sort_unstable();
        let total = sorted.len();
        for rank in (0..total).step_by(97).chain([total - 1]) {
            let (score, _, holder) = sorted[rank];
            let answer = look(&database, "free", 0, holder, json!({ "Around": [] })).await;
            assert_eq!(answer["rank"], rank + 1, "{answer}");
            assert_eq!((&answer["score"], &answer["total"]), (&json!(-score), &json!(total)));
            let first = rank.saturating_sub(10).min(total - 21);
            let expected: Vec<u64> = sorted[first..first + 21].iter().map(|row| row.2).collect();
            let lines = answer["lines"].as_array().expect("lines");
            let holders: Vec<u64> = lines.iter().filter_map(|line| line[1].as_u64()).collect();
            assert_eq!(holders, expected, "around {rank}");
            let ranks: Vec<u64> = lines.iter().filter_map(|line| line[0].as_u64()).collect();
            let from = u64::try_from(first).expect("small") + 1;
            assert_eq!(ranks, (from..from + 21).collect::<Vec<_>>());
        }
        sound(&database).await;
        settled(&database).await;
        let mut top = database.rows("board_top").await;
        top.sort_by_key(|row| (-row["score"].as_i64().expect("a score"), row["sequence"].as_u64()));
        let top: Vec<u64> = top.iter().filter_map(|row| row["holder_id"].as_u64()).collect();
        assert_eq!(top, sorted[..5].iter().map(|row| row.2).collect::<Vec<_>>());
    });
}

#[test]
fn the_game_feeds_the_boards_that_ask_for_it() {
    on_database(|database| async move {
        let arena = Arena::open(database, |pack| switch(pack, "death_saves", false)).await;
        let ann = arena.hero("Ann", "fighter", FIELD).await;
        let bob = arena.hero("Bob", "fighter", (FIELD.0 + 1_000, FIELD.1)).await;
        let owner = &arena.database.owner;
        let scores = async |board: &str| {
            let tree_id = row_of(&arena.database, board).await["tree_id"].as_u64();
            let rows = arena.database.rows("board_top").await;
            let rows = rows.iter().filter(|row| row["tree_id"].as_u64() == tree_id);
            let of = |row: &Value| (row["holder_id"].as_u64(), row["score"].as_i64());
            let mut scores: Vec<_> = rows.map(of).collect();
            scores.sort_unstable();
            scores
        };
        let both = |one: i64, other: i64| {
            let mut both = vec![(Some(ann.id), Some(one)), (Some(bob.id), Some(other))];
            both.sort_unstable();
            both
        };
        until("both are beginners", || async {
            (scores("level").await == both(1, 1)).then_some(())
        })
        .await;
        let args = json!([ann.id, 1_000]);
        owner.call("character_experience_give", args).await.expect("given");
        until("one has risen", || async { (scores("level").await == both(3, 1)).then_some(()) })
            .await;

        ann.player.call("duel_offer", json!([bob.id])).await.expect("offered");
        bob.player.call("duel_answer", json!([ann.id, true])).await.expect("accepted");
        arena.make(bob.id, 1, 0).await;
        arena.makes_sure(ann.id).await;
        until("bob falls", || async {
            // Refused while the action is not back.
            let _ = ann.uses("attack", at(bob.id)).await;
            (arena.database.body(bob.id).await["vital"] == 3).then_some(())
        })
        .await;
        until("the duel counts", || async {
            (scores("duels_month").await == [(Some(ann.id), Some(1))]).then_some(())
        })
        .await;
        assert_eq!(scores("wealth").await.len(), 2);
        let refused = owner.call("board_submit", json!(["level", ann.id, 20, 0, id(1, 1)])).await;
        assert!(refused.expect_err("fed").starts_with("leaderboard.not_served:"));
    });
}

#[test]
fn a_character_that_is_removed_for_good_is_on_no_board() {
    on_database(|database| async move {
        let mut free = board("free");
        free.holder = BoardHolder::Free;
        define(&database, vec![board("best"), free]).await;
        let (account_id, ann, player) = database.enter("ann@example.org", "Ann").await;
        let (_, bob, _other) = database.enter("bob@example.org", "Bob").await;
        for (sequence, (board, holder)) in
            [("best", ann), ("best", bob), ("free", ann)].into_iter().enumerate()
        {
            let command = id(1, u64::try_from(sequence).expect("small") + 1);
            let args = json!([board, holder, 5, 0, command]);
            database.owner.call("board_submit", args).await.expect("submitted");
        }
        player.call("board_ask", json!(["best", 0, { "Rank": [] }, 1])).await.expect("asked");
        player.call("character_leave", json!([])).await.expect("left");
        assert_eq!(database.rows("board_answer").await.len(), 0, "it has left");
        assert_eq!(database.rows("board_asker").await.len(), 0);
        let owner = &database.owner;
        owner.call("character_delete", json!([account_id, ann])).await.expect("deleted");
        assert_eq!(database.rows("board_record").await.len(), 3, "it may come back");
        database.run("UPDATE character_deletion SET purge_at_micros = 1").await;
        until("it is gone", || async {
            (database.rows("character").await.len() == 1).then_some(())
        })
        .await;
        settled(&database).await;
        assert_eq!(database.rows("board_record").await.len(), 2, "a number is no character");
        let first = look(&database, "best", 0, bob, json!({ "Rank": [] })).await;
        assert_eq!((&first["rank"], &first["total"]), (&json!(1), &json!(1)));
        assert_eq!(database.rows("board_top").await.len(), 2);
        sound(&database).await;
    });
}

#[test]
fn boards_that_come_and_go_with_content_keep_what_they_have() {
    on_database(|database| async move {
        let (_, ann, _player) = database.enter("ann@example.org", "Ann").await;
        define(&database, vec![board("best")]).await;
        let submit = async |sequence| {
            let args = json!(["best", ann, 5, 0, id(1, sequence)]);
            database.owner.call("board_submit", args).await
        };
        submit(1).await.expect("submitted");
        let before = row_of(&database, "best").await;
        define(&database, vec![]).await;
        let refused = submit(2).await.expect_err("there is no such board now");
        assert!(refused.starts_with("leaderboard.board_unknown:"), "{refused}");
        let mut again = board("best");
        again.reset = "0 4 * * *".to_owned();
        define(&database, vec![again]).await;
        submit(3).await.expect("submitted");
        let after = row_of(&database, "best").await;
        assert_eq!(before["board_id"], after["board_id"]);
        assert_eq!(before["tree_id"], after["tree_id"]);
        assert_ne!(before["ends_at_micros"], after["ends_at_micros"], "it ends at 4 o'clock");
        assert_eq!(database.rows("board_record").await.len(), 1);
        let shipped = srd().board.len();
        database.put_in_force(&srd()).await;
        assert_eq!(database.rows("board").await.len(), shipped + 1);
    });
}

/// More boards than one tick looks at, and all of them change before the next one.
#[test]
fn a_page_that_changes_all_the_time_holds_back_no_others() {
    on_database(|database| async move {
        let keys: Vec<String> = (0..20).map(|number| format!("busy_{number}")).collect();
        let free = |key: &String| {
            let mut free = board(key);
            free.holder = BoardHolder::Free;
            free
        };
        define(&database, keys.iter().map(free).collect()).await;
        let mut sequence = 0;
        for round in 1_u64.. {
            assert!(round < 200, "some page is never shown");
            for key in &keys {
                sequence += 1;
                let args = json!([key, 7, round, 0, id(1, sequence)]);
                database.owner.call("board_submit", args).await.expect("submitted");
            }
            let shown = database.rows("board_top").await;
            if shown.len() == keys.len() {
                break;
            }
        }
    });
}
