//! Every reducer with every refusal.

use super::{board, define, id, look, reward, service};
use crate::support::content::srd;
use crate::support::snapshot::Story;
use crate::support::{Database, on_database, until};
use haven_rules::content::{BoardHolder, BoardOperator, BoardOrder};
use serde_json::{Value, json};

async fn open(database: &Database) {
    let mut trial = board("trial");
    trial.joined_only = true;
    trial.attempts_max = 2;
    let mut times = board("times");
    (times.order, times.subscore) = (BoardOrder::Ascending, Some(BoardOrder::Descending));
    let mut fed = board("fed");
    (fed.served, fed.operator) = (false, BoardOperator::Sum);
    let mut lives = board("lives");
    (lives.operator, lives.start, lives.floor) = (BoardOperator::Decrement, 100, 10);
    let mut teams = board("teams");
    (teams.holder, teams.operator) = (BoardHolder::Free, BoardOperator::Set);
    let mut prized = board("prized");
    prized.rewards = vec![reward(1, 1, 500)];
    define(database, vec![trial, times, fed, lives, teams, prized]).await;
}

#[test]
fn board_join_is_for_boards_that_ask_for_it_and_once_a_season() {
    on_database(|database| async move {
        open(&database).await;
        let (_, _, ann) = database.enter("ann@example.org", "Ann").await;
        let absent = database.register("bob@example.org").await;
        let bob = database.admit(absent, "player").await;
        let mut story = Story::begin(&database).await;
        for (who, client, board, command) in [
            ("bob", &bob, "trial", id(1, 1)),
            ("ann", &ann, "trial", id(0, 1)),
            ("ann", &ann, "nowhere", id(1, 1)),
            ("ann", &ann, "times", id(1, 1)),
            ("ann", &ann, "trial", id(1, 1)),
            ("ann", &ann, "trial", id(1, 1)),
            ("ann", &ann, "trial", id(1, 2)),
        ] {
            story.call(who, client, "board_join", json!([board, command])).await;
        }
        insta::assert_snapshot!(story.end());
    });
}

#[test]
fn board_submit_is_for_services_and_does_what_the_board_says() {
    on_database(|database| async move {
        open(&database).await;
        let (_, ann, player) = database.enter("ann@example.org", "Ann").await;
        let owner = service(&database, "arena@example.org").await;
        let largest = 1_i64 << 53;
        let mut story = Story::begin(&database).await;
        let player_args = json!(["times", ann, 5, 0, id(1, 1)]);
        story.call("ann", &player, "board_submit", player_args).await;
        for (number, (board, holder, score, subscore)) in [
            ("nowhere", ann, 5, 0),
            ("fed", ann, 5, 0),
            ("times", 0, 5, 0),
            ("times", u64::MAX, 5, 0),
            ("trial", ann, 5, 0),
            ("times", ann, i64::MAX, 0),
            ("times", ann, 5, largest + 1),
            ("lives", ann, -1, 0),
            ("times", ann, 900, 3),
            ("times", ann, 901, 9),
            ("times", ann, 900, 4),
            ("times", ann, 899, 0),
            ("lives", ann, 30, 0),
            ("lives", ann, 61, 0),
            ("lives", ann, 5, 0),
            ("teams", 7, 12, 99),
            ("teams", 7, 11, 0),
        ]
        .into_iter()
        .enumerate()
        {
            let command = id(1, u64::try_from(number).expect("small") + 1);
            let args = json!([board, holder, score, subscore, command]);
            story.call("service", &owner, "board_submit", args).await;
        }
        // Whoever has joined has two attempts, whatever comes of them.
        player.call("board_join", json!(["trial", id(1, 1)])).await.expect("joined");
        story.note("ann joins the trial").await;
        for (sequence, score) in [(40, 5), (40, 5), (41, 4), (42, 6)] {
            let args = json!(["trial", ann, score, 0, id(1, sequence)]);
            story.call("service", &owner, "board_submit", args).await;
        }
        insta::assert_snapshot!(story.end());
    });
}

#[test]
fn a_service_submits_times_of_dungeons_to_the_board_that_is_shipped() {
    on_database(|database| async move {
        database.put_in_force(&srd()).await;
        let (_, ann, player) = database.enter("ann@example.org", "Ann").await;
        let (_, bob, _other) = database.enter("bob@example.org", "Bob").await;
        let dungeons = service(&database, "dungeons@example.org").await;
        let run = |holder: u64, millis: i64, deaths: i64, sequence: u64| {
            json!(["dungeon_speed_week", holder, millis, deaths, id(1, sequence)])
        };
        let refused = player.call("board_submit", run(ann, 1, 0, 1)).await.expect_err("a player");
        assert!(refused.starts_with("account.permission_denied:"), "{refused}");
        // The faster one, of equal times the one with fewer deaths, the best of each.
        for (sequence, (holder, millis, deaths)) in
            (1..).zip([(ann, 95_000, 0), (ann, 90_000, 2), (bob, 90_000, 1), (bob, 91_000, 0)])
        {
            let args = run(holder, millis, deaths, sequence);
            dungeons.call("board_submit", args).await.expect("submitted");
        }
        for (holder, rank) in [(bob, 1), (ann, 2)] {
            let own = json!({ "Rank": [] });
            let answer = look(&database, "dungeon_speed_week", 0, holder, own).await;
            assert_eq!((&answer["rank"], &answer["total"]), (&json!(rank), &json!(2)));
        }
    });
}

#[test]
fn board_submit_many_takes_all_or_none() {
    on_database(|database| async move {
        open(&database).await;
        let (_, ann, player) = database.enter("ann@example.org", "Ann").await;
        let owner = service(&database, "arena@example.org").await;
        let one =
            |holder: u64, score: i64| json!({ "holder_id": holder, "score": score, "subscore": 0 });
        let many: Vec<Value> = (0..1_001).map(|number| one(number, 1)).collect();
        let mut story = Story::begin(&database).await;
        let lines = json!([one(ann, 3)]);
        story.call("ann", &player, "board_submit_many", json!(["times", lines, id(1, 1)])).await;
        for (sequence, board, lines) in [
            (1, "times", json!([])),
            (2, "teams", json!(many)),
            (3, "nowhere", json!([one(ann, 3)])),
            (4, "fed", json!([one(ann, 3)])),
            (5, "times", json!([one(ann, 3), one(1, 3)])),
            (6, "times", json!([one(ann, 3), one(ann, i64::MAX)])),
            (7, "teams", json!([one(1, 3), one(2, 3), one(1, 4)])),
            (7, "teams", json!([one(1, 3), one(2, 3), one(1, 4)])),
            (7, "teams", json!([one(1, 5)])),
        ] {
            let args = json!([board, lines, id(1, sequence)]);
            let reducer = "board_submit_many";
            story.call("service", &owner, reducer, args).await;
        }
        insta::assert_snapshot!(story.end());
    });
}

#[test]
fn board_season_close_is_for_staff_and_leaves_the_old_season_as_it_was() {
    on_database(|database| async move {
        open(&database).await;
        let (_, ann, player) = database.enter("ann@example.org", "Ann").await;
        let master = database.register("master@example.org").await;
        let master = database.admit(master, "game_master").await;
        let args = json!(["times", ann, 5, 0, id(1, 1)]);
        database.owner.call("board_submit", args).await.expect("submitted");
        let mut story = Story::begin(&database).await;
        let args = |board: &str, sequence| json!([board, id(1, sequence)]);
        story.call("ann", &player, "board_season_close", args("times", 1)).await;
        story.call("master", &master, "board_season_close", args("nowhere", 1)).await;
        story.call("master", &master, "board_season_close", args("times", 2)).await;
        story.call("master", &master, "board_season_close", args("times", 2)).await;
        insta::assert_snapshot!(story.end());
    });
}

#[test]
fn board_ask_answers_in_one_row_for_each_kind_of_question() {
    on_database(|database| async move {
        open(&database).await;
        let (_, ann, player) = database.enter("ann@example.org", "Ann").await;
        let (_, bob, _other) = database.enter("bob@example.org", "Bob").await;
        let absent = database.register("cid@example.org").await;
        let cid = database.admit(absent, "player").await;
        for (sequence, (holder, score)) in [(1, (ann, 5)), (2, (bob, 4))] {
            let args = json!(["times", holder, score, 0, id(1, sequence)]);
            database.owner.call("board_submit", args).await.expect("submitted");
        }
        until("the top page is there", || async {
            (database.rows("board_top").await.len() == 2).then_some(())
        })
        .await;
        let mut story = Story::begin(&database).await;
        let rank = json!({ "Rank": [] });
        let args = json!(["times", 0, rank, 1]);
        story.call("cid", &cid, "board_ask", args.clone()).await;
        for (board, season, question) in [
            ("nowhere", 0, rank.clone()),
            ("times", 2, rank.clone()),
            ("times", u32::MAX, rank.clone()),
            ("times", 0, rank.clone()),
            ("times", 1, json!({ "Around": [] })),
            ("times", 1, json!({ "Page": 2 })),
            ("times", 1, json!({ "Page": u32::MAX })),
            ("times", 1, json!({ "Friends": [] })),
            ("times", 1, json!({ "Guild": [] })),
            ("lives", 0, rank.clone()),
        ] {
            let args = json!([board, season, question, 9]);
            story.call("ann", &player, "board_ask", args).await;
        }
        let args = json!(["times", 0, bob, rank, 3]);
        story.call("ann", &player, "board_look", args.clone()).await;
        for args in [json!(["nowhere", 0, bob, rank, 3]), json!(["times", 9, bob, rank, 3]), args] {
            story.call("owner", &database.owner, "board_look", args).await;
        }
        let refused = loop {
            match player.call("board_ask", json!(["times", 0, rank, 1])).await {
                Ok(()) => {}
                Err(refused) => break refused,
            }
        };
        assert!(refused.starts_with("leaderboard.asked_too_often:"), "{refused}");
        insta::assert_snapshot!(story.end());
    });
}
