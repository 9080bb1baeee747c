//! Motion on the real engine: courses, obstacles, block borders, the pending intent, the tick.

mod crowds;
mod effects;
mod hostile;
mod sleep;
mod ways;

use crate::support::client::Client;
use crate::support::snapshot::Story;
use crate::support::{Database, instant, on_database, until};
use haven_rules::world::chunk_of;
use serde_json::{Value, json};

async fn row(database: &Database) -> Value {
    database.rows("motion").await.into_iter().next().expect("a motion row")
}

async fn until_it_stands(database: &Database) -> Value {
    until("the entity stands", || async {
        let row = row(database).await;
        (row["end_kind"] == 0).then_some(row)
    })
    .await
}

#[test]
fn course_set_and_course_to_refuse_what_cannot_be() {
    on_database(|database| async move {
        let ann = database.register("ann@example.org").await;
        let id = database.create(ann, "Ann").await;
        let player = database.admit(ann, "player").await;
        let mut story = Story::begin(&database).await;
        story.call("ann", &player, "course_set", json!([1, 0, false])).await;
        story.call("ann", &player, "course_to", json!([0, 0])).await;
        story.call("ann", &player, "character_enter", json!([id])).await;
        for goal in [
            json!([i32::MAX, 0]),
            json!([0, i32::MIN]),
            json!([256_000, 0]),
            json!([55_500, 32_500]),
            json!([32_505, 32_495]),
        ] {
            story.call("ann", &player, "course_to", goal).await;
        }
        insta::assert_snapshot!(story.end());
    });
}

#[test]
fn numbers_out_of_range_are_refused_and_change_nothing() {
    on_database(|database| async move {
        let (_, _, player) = database.enter("ann@example.org", "Ann").await;
        let before = row(&database).await;
        for args in [
            json!([32_768, 0, false]),
            json!([0, -32_769, false]),
            json!([1e300, 0, false]),
            json!([0.5, 0, false]),
            json!([1, 0]),
            json!([1, 0, false, 0]),
            json!(["1", 0, false]),
            json!({}),
        ] {
            player.call("course_set", args.clone()).await.expect_err(&args.to_string());
        }
        assert_eq!(row(&database).await, before);
    });
}

#[test]
fn a_straight_course_writes_one_row_and_ends_at_an_obstacle() {
    on_database(|database| async move {
        let (_, _, player) = database.enter("ann@example.org", "Ann").await;
        player.call("course_set", json!([7, 0, true])).await.expect("running east");
        let moving = row(&database).await;
        assert_eq!(moving["vel_x_mm_per_s"], 6_000);
        assert_eq!(moving["vel_y_mm_per_s"], 0);
        assert_eq!(moving["end_kind"], 2);
        let lasts = instant(&moving, "ends_at") - instant(&moving, "started_at");
        assert_eq!(lasts, 2_916_666, "17.5 m at 6 m/s, less the last microsecond");
        let standing = until_it_stands(&database).await;
        assert_eq!(standing["pos_x_mm"], 49_999, "in the last free cell");
        assert_eq!(standing["course_number"], 1);
        assert!(database.rows("motion_due").await.is_empty());
    });
}

#[test]
fn a_course_goes_on_across_a_block_border_without_a_gap() {
    on_database(|database| async move {
        let (_, entity_id, player) = database.enter("ann@example.org", "Ann").await;
        player.call("course_set", json!([-1, 0, true])).await.expect("running west");
        let before = row(&database).await;
        assert_eq!(before["end_kind"], 1);
        let after = until("the border is crossed", || async {
            let row = row(&database).await;
            (row["chunk_index"] != before["chunk_index"]).then_some(row)
        })
        .await;
        assert_eq!(after["chunk_index"], json!(chunk_of(0, -1, 32_500)));
        assert_eq!(after["pos_x_mm"], -1);
        assert_eq!(after["vel_x_mm_per_s"], -6_000);
        assert_eq!(instant(&after, "started_at"), instant(&before, "ends_at"));
        let entity = &database.rows("entity").await[0];
        assert_eq!(entity["entity_id"], json!(entity_id));
        assert_eq!(entity["chunk_index"], after["chunk_index"]);
    });
}

#[test]
fn a_course_to_a_goal_ends_there() {
    on_database(|database| async move {
        let (_, _, player) = database.enter("ann@example.org", "Ann").await;
        player.call("course_set", json!([0, 1, true])).await.expect("running");
        player.call("course_to", json!([30_123, 36_789])).await.expect("going");
        let standing = until_it_stands(&database).await;
        for (column, goal) in [("pos_x_mm", 30_123), ("pos_y_mm", 36_789)] {
            let off = (standing[column].as_i64().expect("a number") - goal).abs();
            assert!(off <= 10, "{standing}");
        }
    });
}

#[test]
fn only_the_first_course_of_a_tick_is_applied_at_once_and_the_last_one_waits() {
    on_database(|database| async move {
        let (_, _, player) = database.enter("ann@example.org", "Ann").await;
        let flood = 400;
        let calls = (0..flood).map(|number| {
            let (dx, dy) = if number % 2 == 0 { (0, 1) } else { (0, -1) };
            player.call("course_set", json!([dx, dy, false]))
        });
        for outcome in futures::future::join_all(calls).await {
            outcome.expect("a flood is not an error");
        }
        player.call("course_set", json!([0, 0, false])).await.expect("stopped");
        let standing = until("the last intent is applied", || async {
            let course = database.rows("motion_course").await.into_iter().next()?;
            let row = row(&database).await;
            (course["pending_kind"] == 0 && row["end_kind"] == 0).then_some(row)
        })
        .await;
        let applied = standing["course_number"].as_u64().expect("a number");
        assert!(applied >= 2, "the first and the last were applied: {applied}");
        assert!(applied < flood / 4, "a flood costs one row a tick, not one a call: {applied}");
        let off = (standing["pos_y_mm"].as_i64().expect("a number") - 32_500).abs();
        assert!(off < 8_000, "nobody gets faster by sending more: {off} mm");
    });
}

fn motion_updates(watcher: &Client, entity_id: u64) -> usize {
    let messages = watcher.messages();
    let of_entity = |message: &&Value| {
        let text = message.to_string();
        text.contains("TransactionUpdate")
            && text.contains("motion")
            && text.contains(&entity_id.to_string())
    };
    messages.iter().filter(of_entity).count()
}

#[test]
fn nothing_is_published_while_an_entity_moves_straight() {
    on_database(|database| async move {
        let (_, entity_id, player) = database.enter("ann@example.org", "Ann").await;
        let (_, _, watcher) = database.enter("bob@example.org", "Bob").await;
        let chunk = chunk_of(0, 32_500, 32_500);
        watcher.subscribe(&[&format!("SELECT * FROM motion WHERE chunk_index = {chunk}")]).await;
        player.call("course_set", json!([1, 0, true])).await.expect("running east");
        until_it_stands(&database).await;
        until("the watcher has seen it stand", || async {
            (motion_updates(&watcher, entity_id) >= 2).then_some(())
        })
        .await;
        let seen = motion_updates(&watcher, entity_id);
        assert_eq!(seen, 2, "three seconds of running are two messages: set off, and stand");
    });
}

#[test]
fn the_tick_tells_how_it_is_doing() {
    on_database(|database| async move {
        let (_, _, player) = database.enter("ann@example.org", "Ann").await;
        player.call("course_to", json!([33_000, 32_500])).await.expect("going");
        until_it_stands(&database).await;
        let health = until("the tick has written", || async {
            database.rows("tick_health").await.into_iter().next()
        })
        .await;
        assert_eq!(health["tick"], "motion");
        assert_eq!(health["rows_budget"], 20_000);
        assert!(health["rows_total"].as_u64().is_some_and(|rows| rows >= 1), "{health}");
        assert_eq!(health["window_runs_over_budget"], 0);
    });
}
