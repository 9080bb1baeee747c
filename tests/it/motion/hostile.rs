//! Hostile callers: what floods of dear, impossible and forbidden calls do to somebody else.

use crate::support::client::Client;
use crate::support::{Database, on_database, world};
use serde_json::{Value, json};
use std::time::{Duration, Instant};

/// How long the flood lasts.
const FLOOD: Duration = Duration::from_secs(3);
/// How long a call of a bystander may take, on a busy machine.
const BYSTANDER: Duration = Duration::from_secs(1);

/// One flooder's calls, over and over.
fn hostile_calls(victim: u64) -> Vec<(&'static str, Value)> {
    vec![
        ("course_to", json!([-700_500, 300_500])),
        ("course_to", json!([500_500, -600_500])),
        ("course_to", json!([90_500, 90_500])),
        ("course_to", json!([2_000_000_000, 0])),
        ("course_to", json!([i32::MIN, i32::MAX])),
        ("course_follow", json!([victim])),
        ("course_set", json!([i16::MAX, i16::MIN, true])),
        ("instance_enter", json!([1])),
        ("instance_open", json!(["castle"])),
        ("character_teleport", json!([victim, 0, 0])),
        ("motion_effect_apply", json!([victim, 1, 0, 0])),
        ("character_respawn", json!([])),
    ]
}

/// Codes such calls may be refused with.
const CODES: [&str; 13] = [
    "motion.goal_outside",
    "motion.goal_too_far",
    "motion.goal_blocked",
    "motion.too_often",
    "motion.busy",
    "motion.land_unknown",
    "motion.no_path",
    "motion.target_unknown",
    "instance.unknown",
    "instance.not_invited",
    "instance.definition_unknown",
    "account.permission_denied",
    "character.respawn_too_early",
];

async fn flood(flooder: &Client, victim: u64) -> usize {
    let began = Instant::now();
    let mut refused = 0;
    while began.elapsed() < FLOOD {
        let calls = hostile_calls(victim);
        let calls = calls.into_iter().map(|(reducer, args)| flooder.call(reducer, args));
        for outcome in futures::future::join_all(calls).await {
            let Err(refusal) = outcome else { continue };
            let code = refusal.split(':').next().unwrap_or_default();
            assert!(CODES.contains(&code), "{refusal}");
            refused += 1;
        }
    }
    refused
}

/// A valley closed by obstacles around 90 m, 90 m, and much land that nobody has seen.
async fn lay_out(database: &Database) {
    let mut wide = world();
    for edge in ["min_block_x", "min_block_y"] {
        wide[edge] = json!(-32_000);
    }
    for edge in ["max_block_x", "max_block_y"] {
        wide[edge] = json!(32_000);
    }
    wide["obstacles"] = json!([
        { "cell_x": 80, "cell_y": 80, "width_cells": 20, "height_cells": 1 },
        { "cell_x": 80, "cell_y": 99, "width_cells": 20, "height_cells": 1 },
        { "cell_x": 80, "cell_y": 81, "width_cells": 1, "height_cells": 18 },
        { "cell_x": 99, "cell_y": 81, "width_cells": 1, "height_cells": 18 },
    ]);
    database.owner.call("world_configure", json!([wide])).await.expect("configured");
    let recipe = haven_rules::world::terrain::SHIPPED[0].1;
    let land = json!([0, haven_rules::world::terrain::OPEN_SEED, recipe]);
    database.owner.call("world_terrain_set", land).await.expect("land");
}

#[test]
fn a_flood_of_hostile_calls_harms_nobody_else() {
    on_database(|database| async move {
        lay_out(&database).await;
        let (_, ann_id, ann) = database.enter("ann@example.org", "Ann").await;
        let mut flooders: Vec<Client> = vec![];
        for name in ["Bob", "Cid", "Dan", "Eve"] {
            let email = format!("{name}@example.org").to_lowercase();
            flooders.push(database.enter(&email, name).await.2);
        }
        let floods = futures::future::join_all(flooders.iter().map(|one| flood(one, ann_id)));
        let bystander = async {
            let (began, mut worst) = (Instant::now(), Duration::ZERO);
            while began.elapsed() < FLOOD {
                let asked = Instant::now();
                ann.call("course_set", json!([-1, 0, false])).await.expect("she walks");
                worst = worst.max(asked.elapsed());
            }
            worst
        };
        let (refused, worst) = futures::future::join(floods, bystander).await;
        assert!(refused.iter().all(|count| *count > 20), "{refused:?}");
        assert!(worst < BYSTANDER, "a call took {worst:?}");
        let health = &database.rows("tick_health").await[0];
        let late = health["window_late_max_micros"].as_i64().expect("a number");
        assert!(late < 1_000_000, "the tick was late by {late} microseconds");
        assert_eq!(database.rows("motion_effect").await, Vec::<Value>::new());
        let searching = database.rows("motion_path").await.len();
        assert!(searching <= flooders.len(), "{searching} paths");
    });
}
