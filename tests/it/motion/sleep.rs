//! Sleep: what nobody watches does not move, and catches up when somebody comes.

use crate::support::{on_database, until};
use haven_rules::world::chunk_parts;
use serde_json::{Value, json};

#[test]
fn creatures_sleep_where_nobody_watches_and_wake_when_somebody_comes() {
    on_database(|database| async move {
        let owner = &database.owner;
        let spawn = json!([0, -4, -4, 2, 30, 7]);
        owner.call("wanderer_spawn", spawn).await.expect("they appear");
        let due = || async { database.rows("motion_due").await.len() };
        until("all are asleep", || async { (due().await == 0).then_some(()) }).await;
        let asleep = database.rows("motion").await;
        assert_eq!(asleep.len(), 30);
        let blocks = database.rows("block_state").await;
        assert!(!blocks.is_empty() && blocks.iter().all(|row| row["watchers"] == 0));
        assert!(blocks.iter().all(|row| row["simulated_until_micros"] != 0), "{blocks:?}");

        // The spawn is six blocks away: nobody wakes.
        let (_, ann_id, player) = database.enter("ann@example.org", "Ann").await;
        assert_eq!(database.rows("motion").await.len(), 31);
        assert_eq!(due().await, 0);
        let place = json!([ann_id, -192_500, -192_500]);
        owner.call("character_teleport", place).await.expect("moved");
        until("those around her are awake", || async { (due().await >= 10).then_some(()) }).await;
        until("they have caught up", || async {
            let blocks = database.rows("block_state").await;
            let watched = blocks.iter().filter(|row| row["watchers"] == 1).count();
            let sleeping = blocks.iter().filter(|row| row["simulated_until_micros"] != 0).count();
            (watched == 9 && sleeping == 0).then_some(())
        })
        .await;
        player.call("character_leave", json!([])).await.expect("left");
        until("they sleep again", || async { (due().await == 0).then_some(()) }).await;
    });
}

#[test]
fn a_rooted_creature_that_sleeps_goes_on_when_it_wakes() {
    on_database(|database| async move {
        let owner = &database.owner;
        owner.call("world_vigil_set", json!([0, true])).await.expect("awake");
        owner.call("wanderer_spawn", json!([0, -4, -4, 1, 1, 7])).await.expect("it appears");
        let id = database.rows("motion").await[0]["entity_id"].as_u64().expect("a number");
        owner.call("world_vigil_set", json!([0, false])).await.expect("may sleep");
        owner.call("motion_effect_apply", json!([id, 1, 0, 1_000])).await.expect("rooted");
        until("it is asleep", || async {
            database.rows("motion_due").await.is_empty().then_some(())
        })
        .await;
        let (_, ann_id, _ann) = database.enter("ann@example.org", "Ann").await;
        let place = json!([ann_id, -224_500, -224_500]);
        owner.call("character_teleport", place).await.expect("moved");
        until("its root is gone", || async {
            database.rows("motion_effect").await.is_empty().then_some(())
        })
        .await;
        until("it walks again", || async {
            let rows = database.rows("motion").await;
            let row = rows.iter().find(|row| row["entity_id"] == id)?;
            (row["vel_x_mm_per_s"] != 0 || row["vel_y_mm_per_s"] != 0).then_some(())
        })
        .await;
        owner.call("wanderer_clear", json!([0, 1])).await.expect("it goes");
        let blocks = database.rows("block_state").await;
        assert_eq!(blocks.len(), 9, "those around Ann alone: {blocks:?}");
    });
}

#[test]
fn a_vigil_keeps_a_world_awake() {
    on_database(|database| async move {
        let owner = &database.owner;
        owner.call("world_vigil_set", json!([0, true])).await.expect("awake");
        owner.call("wanderer_spawn", json!([0, -4, -4, 8, 50, 7])).await.expect("they appear");
        let total = || async {
            let health = database.rows("tick_health").await;
            health.first().and_then(|row| row["rows_total"].as_u64()).unwrap_or(0)
        };
        until("they move", || async { (total().await > 20).then_some(()) }).await;
        owner.call("wanderer_clear", json!([0, 20])).await.expect("some go");
        assert_eq!(database.rows("motion").await.len(), 30);
        owner.call("wanderer_clear", json!([0, 20_000])).await.expect("all go");
        for table in ["motion", "motion_course", "motion_due", "entity", "wanderer"] {
            assert_eq!(database.rows(table).await, Vec::<Value>::new(), "{table}");
        }
    });
}

#[test]
fn wanderers_and_vigils_are_the_owners_and_bounded() {
    on_database(|database| async move {
        let (_, _, player) = database.enter("ann@example.org", "Ann").await;
        let owner = &database.owner;
        for (reducer, args) in [
            ("wanderer_spawn", json!([0, 0, 0, 1, 1, 1])),
            ("wanderer_clear", json!([0, 1])),
            ("world_vigil_set", json!([0, true])),
        ] {
            let refused = player.call(reducer, args).await.expect_err(reducer);
            assert!(refused.starts_with("account.permission_denied:"), "{refused}");
        }
        for (reducer, args, code) in [
            ("wanderer_spawn", json!([9, 0, 0, 1, 1, 1]), "world.unknown"),
            ("wanderer_spawn", json!([0, 0, 0, 1, 20_001, 1]), "motion.wanderers_too_many"),
            ("wanderer_spawn", json!([0, 4, 0, 1, 1, 1]), "world.survey_invalid"),
            ("wanderer_spawn", json!([0, i32::MIN, 0, 1, 1, 1]), "world.survey_invalid"),
            ("wanderer_spawn", json!([0, 0, 0, 0, 1, 1]), "world.survey_invalid"),
            ("wanderer_clear", json!([0, u32::MAX]), "motion.wanderers_too_many"),
            ("world_vigil_set", json!([9, true]), "world.unknown"),
        ] {
            let refused = owner.call(reducer, args).await.expect_err(code);
            assert!(refused.starts_with(&format!("{code}:")), "{code}: {refused}");
        }
    });
}

#[test]
fn watchers_are_counted_block_by_block() {
    on_database(|database| async move {
        let (_, ann_id, _ann) = database.enter("ann@example.org", "Ann").await;
        let (_, _, bob) = database.enter("bob@example.org", "Bob").await;
        let counts = || async {
            let rows = database.rows("block_state").await;
            let mut counts: Vec<_> = rows
                .iter()
                .map(|row| {
                    let (_, x, y) = chunk_parts(row["chunk_index"].as_u64().expect("a number"));
                    (x, y, row["players"].clone(), row["watchers"].clone())
                })
                .filter(|(_, _, _, watchers)| watchers != 0)
                .collect();
            counts.sort_by_key(|(x, y, _, _)| (*x, *y));
            counts
        };
        let both = counts().await;
        assert_eq!(both.len(), 9);
        assert!(both.iter().all(|(_, _, _, watchers)| watchers == 2), "{both:?}");
        assert!(both.contains(&(0, 0, json!(2), json!(2))), "{both:?}");
        let place = json!([ann_id, 96_500, 32_500]);
        database.owner.call("character_teleport", place).await.expect("moved");
        let apart = counts().await;
        assert_eq!(apart.len(), 12);
        assert!(apart.contains(&(1, 0, json!(1), json!(2))), "{apart:?}");
        assert!(apart.contains(&(-1, 1, json!(0), json!(1))), "{apart:?}");
        bob.call("character_leave", json!([])).await.expect("left");
        assert_eq!(counts().await.len(), 9);
    });
}
