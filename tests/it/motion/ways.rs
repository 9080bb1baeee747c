//! Ways: sliding, paths around what is in the way, following, respawning and being moved.

use crate::support::snapshot::Story;
use crate::support::{Database, now_micros, on_database, segment, until, world};
use haven_rules::motion::SegmentEnd;
use serde_json::{Value, json};

/// Puts a wall of obstacles around a square of cells, with a gate of that many cells to the east.
fn walled(gate_cells: i32) -> Value {
    let mut definition = world();
    definition["obstacles"] = json!([
        { "cell_x": 40, "cell_y": 20, "width_cells": 20, "height_cells": 1 },
        { "cell_x": 40, "cell_y": 50, "width_cells": 20, "height_cells": 1 },
        { "cell_x": 40, "cell_y": 21, "width_cells": 1, "height_cells": 29 },
        { "cell_x": 59, "cell_y": 21 + gate_cells, "width_cells": 1, "height_cells": 29 - gate_cells },
    ]);
    definition
}

async fn until_it_stands(database: &Database, entity_id: u64) -> (i32, i32) {
    until("it stands", || async {
        let rows = database.rows("motion").await;
        let row = rows.iter().find(|row| row["entity_id"] == entity_id)?;
        let segment = segment(row);
        (segment.end == SegmentEnd::Stands).then_some((segment.pos_x_mm, segment.pos_y_mm))
    })
    .await
}

#[test]
fn whoever_meets_a_wall_at_an_angle_slides_along_it_and_goes_on() {
    on_database(|database| async move {
        let (_, entity_id, player) = database.enter("ann@example.org", "Ann").await;
        // The wall lies east of x = 50 m from y = 30 to 36 m; the spawn is at 32.5 m, 32.5 m.
        player.call("course_set", json!([3, 1, true])).await.expect("running");
        let beyond = until("she is past the wall", || async {
            let (x, y) = database.position(entity_id).await;
            (x > 51_000).then_some((x, y))
        })
        .await;
        assert!(beyond.1 > 36_000, "around the corner, not through it: {beyond:?}");
        let stop = player.call("course_set", json!([0, 0, false])).await;
        stop.expect("stopped");
    });
}

#[test]
fn course_to_finds_a_way_around_and_tells_when_there_is_none() {
    on_database(|database| async move {
        let (_, entity_id, player) = database.enter("ann@example.org", "Ann").await;
        database.owner.call("world_configure", json!([walled(3)])).await.expect("walled");
        player.call("course_set", json!([0, 1, true])).await.expect("running");
        player.call("course_to", json!([45_500, 32_500])).await.expect("there is a gate");
        let path = database.rows("motion_path").await;
        assert_eq!(path.len(), 1, "{path:?}");
        let arrived = until_it_stands(&database, entity_id).await;
        let off = (arrived.0 - 45_500).abs().max((arrived.1 - 32_500).abs());
        assert!(off <= 10, "{arrived:?}");

        database.owner.call("world_configure", json!([walled(0)])).await.expect("shut");
        let mut codes = vec![];
        for _ in 0..20 {
            let refused = player.call("course_to", json!([20_500, 32_500])).await;
            let refused = refused.expect_err("there is no gate");
            codes.push(refused.split(':').next().unwrap_or_default().to_owned());
        }
        assert_eq!(codes[0], "motion.no_path");
        let too_often = codes.iter().filter(|code| *code == "motion.too_often").count();
        let searched = codes.iter().filter(|code| *code == "motion.no_path").count();
        assert_eq!(too_often + searched, 20, "{codes:?}");
        assert!(too_often >= 10, "a flood of searches is not searched: {codes:?}");
        assert_eq!(database.position(entity_id).await, arrived, "nothing has changed");
        player.call("course_to", json!([46_500, 33_500])).await.expect("a straight way is free");
    });
}

#[test]
fn goals_too_far_or_outside_are_refused() {
    on_database(|database| async move {
        let mut wide = world();
        (wide["min_block_x"], wide["max_block_x"]) = (json!(-32_000), json!(32_000));
        database.owner.call("world_configure", json!([wide])).await.expect("configured");
        let (_, _, player) = database.enter("ann@example.org", "Ann").await;
        let mut story = Story::begin(&database).await;
        for goal in [
            json!([1_032_501, 32_500]),
            json!([2_000_000_000, 0]),
            json!([i32::MAX, i32::MIN]),
            json!([55_500, 32_500]),
        ] {
            story.call("ann", &player, "course_to", goal).await;
        }
        insta::assert_snapshot!(story.end());
    });
}

#[test]
fn nobody_gets_further_by_sending_more_or_by_coming_back() {
    on_database(|database| async move {
        let mut flat = world();
        flat["obstacles"] = json!([]);
        database.owner.call("world_configure", json!([flat])).await.expect("configured");
        let (_, entity_id, player) = database.enter("ann@example.org", "Ann").await;
        let from = database.position(entity_id).await;
        let began = now_micros();
        for number in 0..300_u32 {
            let course = json!([1, number % 2, true]);
            if number % 3 == 0 {
                player.call("course_set", course).await.expect("running");
            } else {
                let both =
                    [player.call("course_set", course.clone()), player.call("course_set", course)];
                for outcome in futures::future::join_all(both).await {
                    outcome.expect("running");
                }
            }
            if number % 100 == 99 {
                player.call("character_leave", json!([])).await.expect("gone");
                player.call("character_enter", json!([entity_id])).await.expect("back");
            }
        }
        player.call("course_set", json!([1, 0, true])).await.expect("running");
        let to = database.position(entity_id).await;
        let micros = i128::from(now_micros() - began);
        let square = |a: i32, b: i32| (i128::from(a) - i128::from(b)).pow(2);
        let way = square(from.0, to.0) + square(from.1, to.1);
        assert!(way > 0, "she did run");
        // 6,000 mm/s, and a millimetre or two for each segment, of which a tick has one.
        let most = 6_000 * micros / 1_000_000 + 2 * (micros / 50_000 + 10);
        assert!(way <= most.pow(2), "{from:?} to {to:?} in {micros} microseconds");
    });
}

#[test]
fn course_follow_keeps_near_to_whom_it_follows_until_that_one_is_gone() {
    on_database(|database| async move {
        let (_, ann_id, ann) = database.enter("ann@example.org", "Ann").await;
        let (_, bob_id, bob) = database.enter("bob@example.org", "Bob").await;
        let mut story = Story::begin(&database).await;
        story.call("ann", &ann, "course_follow", json!([ann_id])).await;
        story.call("ann", &ann, "course_follow", json!([0])).await;
        story.call("ann", &ann, "course_follow", json!([u64::MAX])).await;
        insta::assert_snapshot!(story.end());
        ann.call("course_set", json!([0, 0, true])).await.expect("she would run");
        ann.call("course_follow", json!([bob_id])).await.expect("following");
        bob.call("course_to", json!([10_500, 60_500])).await.expect("walking");
        until_it_stands(&database, bob_id).await;
        until("ann is near", || async {
            let (x, y) = database.position(ann_id).await;
            let off = (x - 10_500).abs().max((y - 60_500).abs());
            (off <= 2_500).then_some(())
        })
        .await;
        bob.call("character_leave", json!([])).await.expect("gone");
        until("ann follows nobody", || async {
            let courses = database.rows("motion_course").await;
            (courses[0]["target_id"] == 0).then_some(())
        })
        .await;
        until_it_stands(&database, ann_id).await;
        until("nothing is due", || async {
            database.rows("motion_due").await.is_empty().then_some(())
        })
        .await;
    });
}

#[test]
fn staff_moves_characters_and_players_return_to_the_spawn_now_and_then() {
    on_database(|database| async move {
        let (_, ann_id, player) = database.enter("ann@example.org", "Ann").await;
        let keeper = database.register("gm@example.org").await;
        let keeper = database.admit(keeper, "game_master").await;
        let mut story = Story::begin(&database).await;
        story.call("ann", &player, "character_teleport", json!([ann_id, 0, 0])).await;
        story.call("gm", &keeper, "character_teleport", json!([7, 0, 0])).await;
        for place in [[i32::MAX, 0], [256_000, 0], [55_500, 32_500]] {
            let args = json!([ann_id, place[0], place[1]]);
            story.call("gm", &keeper, "character_teleport", args).await;
        }
        story.call("gm", &keeper, "character_teleport", json!([ann_id, -200_500, 1_500])).await;
        story.call("ann", &player, "character_respawn", json!([])).await;
        story.call("ann", &player, "character_respawn", json!([])).await;
        player.call("character_leave", json!([])).await.expect("left");
        player.call("character_enter", json!([ann_id])).await.expect("entered");
        story.note("ann leaves and enters again").await;
        story.call("ann", &player, "character_respawn", json!([])).await;
        insta::assert_snapshot!(story.end());
    });
}
