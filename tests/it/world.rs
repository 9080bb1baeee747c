//! The world: its configuration, and that entity ids carry the realm's number.

mod terrain;

use crate::support::snapshot::Story;
use crate::support::{on_database, world};
use serde_json::{Value, json};

fn changed(change: impl FnOnce(&mut Value)) -> Value {
    let mut definition = world();
    change(&mut definition);
    json!([definition])
}

#[test]
fn world_configure_takes_only_a_world_that_can_be() {
    on_database(|database| async move {
        let owner = &database.owner;
        let mut story = Story::begin(&database).await;
        let rock =
            |x: i32| json!({ "cell_x": x, "cell_y": 0, "width_cells": 1, "height_cells": 1 });
        for args in [
            changed(|world| world["world"] = json!(1)),
            changed(|world| world["max_block_x"] = json!(-4)),
            changed(|world| world["min_block_x"] = json!(i32::MIN)),
            changed(|world| world["walk_speed_mm_per_s"] = json!(0)),
            changed(|world| world["run_speed_mm_per_s"] = json!(i32::MAX)),
            changed(|world| world["obstacles"] = json!([rock(256)])),
            changed(|world| world["obstacles"] = json!([rock(i32::MAX)])),
            changed(|world| world["spawn_x_mm"] = json!(i32::MAX)),
            changed(|world| world["obstacles"] = json!([rock(64), rock(-1)])),
        ] {
            story.call("owner", owner, "world_configure", args).await;
        }
        insta::assert_snapshot!(story.end());
        let many = changed(|world| world["obstacles"] = json!(vec![rock(1); 4_097]));
        let refused = owner.call("world_configure", many).await.expect_err("too many");
        assert!(refused.starts_with("world.obstacles_too_many:"), "{refused}");
    });
}

#[test]
fn configuring_the_same_again_changes_nothing() {
    on_database(|database| async move {
        let owner = &database.owner;
        let realm = json!([1, "Haven", "http://127.0.0.1:3000", "haven", 10]);
        owner.call("realm_upsert", realm.clone()).await.expect("listed");
        let mut story = Story::begin(&database).await;
        story.call("owner", owner, "realm_configure", json!([1, "Haven", true, 100])).await;
        story.call("owner", owner, "realm_upsert", realm).await;
        owner.call("world_configure", json!([world()])).await.expect("configured");
        story.note("world_configure").await;
        let told = story.end();
        assert!(!told.contains("  +") && !told.contains("  -"), "{told}");
    });
}

#[test]
fn entity_ids_carry_the_realm_number() {
    on_database(|database| async move {
        let args = json!([513, "Far", false, 10]);
        database.owner.call("realm_configure", args).await.expect("configured");
        let ann = database.register("ann@example.org").await;
        assert_eq!(database.create(ann, "Ann").await, (513 << 48) | 1);
        assert_eq!(database.create(ann, "Berta").await, (513 << 48) | 2);
    });
}

#[test]
fn a_character_whose_place_became_an_obstacle_enters_at_the_spawn() {
    on_database(|database| async move {
        let (_, character_id, player) = database.enter("ann@example.org", "Ann").await;
        player.call("character_leave", json!([])).await.expect("left");
        let moved = changed(|world| {
            world["spawn_x_mm"] = json!(500);
            let rock = json!({
                "cell_x": 32, "cell_y": 32, "width_cells": 1, "height_cells": 1
            });
            world["obstacles"] = json!([rock]);
        });
        database.owner.call("world_configure", moved).await.expect("configured");
        player.call("character_enter", json!([character_id])).await.expect("entered");
        let row = &database.rows("motion").await[0];
        assert_eq!((&row["pos_x_mm"], &row["pos_y_mm"]), (&json!(500), &json!(32_500)));
    });
}
