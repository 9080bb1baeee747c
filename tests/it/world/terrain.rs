//! Terrain on the real engine: the module makes the very blocks that native code makes.

use crate::support::{Database, on_database, until};
use haven_rules::world::terrain::{Block, Recipe, SHIPPED, Terrain};
use haven_rules::world::{BLOCK_BOUND, chunk_parts};
use serde_json::{Value, json};

fn recipe() -> &'static str {
    SHIPPED[0].1
}

/// Bytes of a row's column: hex text, or a list of numbers.
fn bytes(value: &Value) -> Vec<u8> {
    if let Some(text) = value.as_str() {
        let text = text.trim_start_matches("0x");
        let digits = |at: usize| u8::from_str_radix(&text[at..at + 2], 16).expect("hex");
        return (0..text.len()).step_by(2).map(digits).collect();
    }
    let list = value.as_array().unwrap_or_else(|| panic!("bytes: {value}"));
    list.iter().map(|byte| u8::try_from(byte.as_u64().expect("a byte")).expect("fits")).collect()
}

async fn with_land(database: &Database, seed: u64) {
    let args = json!([0, seed, recipe()]);
    database.owner.call("world_terrain_set", args).await.expect("land");
}

#[test]
fn world_terrain_set_takes_only_what_can_be_read() {
    on_database(|database| async move {
        let (_, _, player) = database.enter("ann@example.org", "Ann").await;
        let owner = &database.owner;
        let refused = player.call("world_terrain_set", json!([0, 1, recipe()])).await;
        assert!(refused.expect_err("a player").starts_with("account.permission_denied:"));
        let refused = player.call("world_survey", json!([0, 0, 0, 1, 1])).await;
        assert!(refused.expect_err("a player").starts_with("account.permission_denied:"));
        for (reducer, args, code) in [
            ("world_terrain_set", json!([7, 1, recipe()]), "world.unknown"),
            ("world_terrain_set", json!([0, 1, "title = 3"]), "world.recipe_invalid"),
            ("world_terrain_set", json!([0, 1, "#".repeat(32_769)]), "world.recipe_invalid"),
            ("world_survey", json!([7, 0, 0, 1, 1]), "world.unknown"),
            ("world_survey", json!([0, 0, 0, 0, 1]), "world.survey_invalid"),
            ("world_survey", json!([0, 0, 0, 5, 1]), "world.survey_invalid"),
            ("world_survey", json!([0, i32::MIN, 0, 1, 1]), "world.survey_invalid"),
            ("world_survey", json!([0, 0, 0, u32::MAX, u32::MAX]), "world.survey_invalid"),
        ] {
            let refused = owner.call(reducer, args).await.expect_err(code);
            assert!(refused.starts_with(&format!("{code}:")), "{code}: {refused}");
        }
        assert_eq!(database.rows("world_terrain").await, Vec::<Value>::new());
        with_land(&database, 1).await;
        let config = database.rows("world_config").await;
        with_land(&database, 1).await;
        assert_eq!(database.rows("world_config").await, config, "the same again changes nothing");
        with_land(&database, 2).await;
        assert_ne!(
            database.rows("world_config").await[0]["ground_version"],
            config[0]["ground_version"]
        );
    });
}

#[test]
fn the_module_and_native_code_make_the_same_blocks() {
    on_database(|database| async move {
        let mut definition = crate::support::world();
        definition["obstacles"] = json!([]);
        for (edge, block) in [
            ("min_block_x", 1 - BLOCK_BOUND),
            ("min_block_y", 1 - BLOCK_BOUND),
            ("max_block_x", BLOCK_BOUND - 1),
            ("max_block_y", BLOCK_BOUND - 1),
        ] {
            definition[edge] = json!(block);
        }
        (definition["spawn_x_mm"], definition["spawn_y_mm"]) = (json!(500), json!(500));
        database.owner.call("world_configure", json!([definition])).await.expect("wide");
        let mut compared = 0;
        for round in 0..50_u64 {
            let seed = haven_rules::motion::mix(round, 1);
            with_land(&database, seed).await;
            let blocks: Vec<(i32, i32)> = (0..20).map(|number| somewhere(round, number)).collect();
            for (x, y) in &blocks {
                let args = json!([0, x, y, 1, 1]);
                database.owner.call("world_survey", args).await.expect("made");
            }
            let native = Terrain::new(seed, Recipe::from_toml(recipe()).expect("valid"));
            for row in database.rows("terrain_block").await {
                let (_, x, y) = chunk_parts(row["chunk_index"].as_u64().expect("a number"));
                let made = Block::decode(&bytes(&row["data"])).expect("a block");
                assert_eq!(made.hash(), native.block(x, y).hash(), "seed {seed}, block {x}, {y}");
                compared += 1;
            }
        }
        assert!(compared >= 1_000, "{compared} blocks were compared");
    });
}

/// A block at random: near to the origin and far from it.
fn somewhere(round: u64, number: u64) -> (i32, i32) {
    let mixed = haven_rules::motion::mix(round + 1_000, number);
    let span = if number.is_multiple_of(2) { 64 } else { 65_500 };
    let part = |bits: u64| i32::try_from((bits & 0xffff_ffff) % span).expect("it fits");
    let half = i32::try_from(span / 2).expect("it fits");
    (part(mixed) - half, part(mixed >> 32) - half)
}

#[test]
fn land_is_surveyed_around_players_and_told_from_afar() {
    on_database(|database| async move {
        let mut wide = crate::support::world();
        for edge in ["min_block_x", "min_block_y"] {
            wide[edge] = json!(-16);
        }
        for edge in ["max_block_x", "max_block_y"] {
            wide[edge] = json!(16);
        }
        database.owner.call("world_configure", json!([wide])).await.expect("configured");
        with_land(&database, 1).await;
        let (_, _, player) = database.enter("ann@example.org", "Ann").await;
        until("the land around is made", || async {
            let made = database.rows("terrain_block").await.len();
            (made == 121).then_some(())
        })
        .await;
        until("nothing is left to survey", || async {
            database.rows("survey_request").await.is_empty().then_some(())
        })
        .await;
        let regions = database.rows("region").await;
        assert_eq!(regions.len(), 9);
        assert!(regions.iter().all(|row| row["name"].as_str().is_some_and(|name| name.len() > 2)));
        assert!(!database.rows("landmark").await.is_empty(), "there are settlements");
        until("the region counts her", || async {
            let regions = database.rows("region").await;
            regions.iter().any(|row| row["players"] == 1).then_some(())
        })
        .await;
        player.call("character_leave", json!([])).await.expect("left");
        until("the region counts nobody", || async {
            let regions = database.rows("region").await;
            regions.iter().all(|row| row["players"] == 0).then_some(())
        })
        .await;
        assert_eq!(database.rows("region_count").await, Vec::<Value>::new());
    });
}

#[test]
fn new_land_is_described_to_those_who_stand_on_it() {
    on_database(|database| async move {
        with_land(&database, 1).await;
        let (_, _, _ann) = database.enter("ann@example.org", "Ann").await;
        let names = || async {
            let rows = database.rows("region").await;
            let name = |row: &Value| row["name"].as_str().unwrap_or_default().to_owned();
            rows.iter().map(name).collect::<Vec<_>>()
        };
        let before = names().await;
        with_land(&database, 2).await;
        let after = names().await;
        assert_eq!(after.len(), 9);
        assert_ne!(before, after);
        let regions = database.rows("region").await;
        assert_eq!(regions.iter().filter(|row| row["players"] == 1).count(), 1, "{regions:?}");
        let edge = 256_000;
        for row in database.rows("landmark").await {
            let inside = |column: &str| row[column].as_i64().is_some_and(|mm| mm.abs() <= edge);
            assert!(inside("pos_x_mm") && inside("pos_y_mm"), "outside of the world: {row}");
        }
    });
}

#[test]
fn a_path_through_land_that_nobody_was_near_is_refused_until_it_is_made() {
    on_database(|database| async move {
        let mut wide = crate::support::world();
        wide["obstacles"] = json!([]);
        for edge in ["min_block_x", "min_block_y"] {
            wide[edge] = json!(-20);
        }
        for edge in ["max_block_x", "max_block_y"] {
            wide[edge] = json!(20);
        }
        (wide["spawn_x_mm"], wide["spawn_y_mm"]) = (json!(500), json!(500));
        database.owner.call("world_configure", json!([wide])).await.expect("configured");
        with_land(&database, haven_rules::world::terrain::OPEN_SEED).await;
        let (_, _, player) = database.enter("ann@example.org", "Ann").await;
        let goals = [[-700_500, 300_500], [500_500, 600_500], [300_500, 700_500]];
        let mut codes = vec![];
        for goal in goals {
            let refused = player.call("course_to", json!(goal)).await.err().unwrap_or_default();
            codes.push(refused.split(':').next().unwrap_or_default().to_owned());
        }
        assert!(codes.contains(&"motion.land_unknown".to_owned()), "{codes:?}");
        for block_x in -20..20 {
            let args = json!([0, block_x, -20, 1, 40]);
            database.owner.call("world_survey", args).await.expect("made");
        }
        for goal in goals {
            let reached = until("the path is found or refused for good", || async {
                match player.call("course_to", json!(goal)).await {
                    Ok(()) => Some(true),
                    Err(refused) if refused.starts_with("motion.goal_blocked") => Some(false),
                    Err(refused) if refused.starts_with("motion.too_often") => None,
                    Err(refused) => panic!("{goal:?}: {refused}"),
                }
            })
            .await;
            if reached {
                return;
            }
        }
        panic!("no goal could be reached");
    });
}
