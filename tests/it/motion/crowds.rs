//! Crowds: a block with many inputs and many watchers is published by the tick, and calms down.

use crate::support::client::Client;
use crate::support::{Database, on_database, until};
use serde_json::{Value, json};

async fn health(database: &Database) -> Value {
    database.rows("tick_health").await.into_iter().next().unwrap_or_default()
}

const NAMES: [&str; 12] = [
    "Adam", "Berta", "Conrad", "Dora", "Emma", "Frank", "Gustav", "Hanna", "Jona", "Karl",
    "Martha", "Otto",
];

#[test]
fn a_crowded_block_is_published_by_the_tick_until_it_is_calm() {
    on_database(|database| async move {
        let mut players: Vec<Client> = vec![];
        for name in NAMES {
            let email = format!("{name}@example.org").to_lowercase();
            players.push(database.enter(&email, name).await.2);
        }
        // Each changes course as fast as it can: far more than 1,000 messages a second.
        let crowded = until("the block is crowded", || async {
            let inputs = players.iter().flat_map(|player| {
                (0..10).map(move |number: i16| {
                    player.call("course_set", json!([1, number % 3 - 1, false]))
                })
            });
            for outcome in futures::future::join_all(inputs).await {
                outcome.expect("a crowd is no error");
            }
            let health = health(&database).await;
            (health["blocks_crowded"] == 1).then_some(health)
        })
        .await;
        assert!(crowded["messages_per_s"].as_u64().is_some_and(|rate| rate > 1_000), "{crowded}");
        assert!(crowded["crowd_switches_total"].as_u64().is_some_and(|count| count >= 1));

        // In a crowded block even the first input of a tick waits for the tick.
        players[0].call("course_set", json!([0, -1, false])).await.expect("set");
        until("the tick has published it", || async {
            let rows = database.rows("motion_course").await;
            rows.iter().all(|row| row["pending_kind"] == 0).then_some(())
        })
        .await;
        let calm = until("the block is calm", || async {
            let health = health(&database).await;
            let is_calm = health["blocks_crowded"] == 0 && health["messages_per_s"] == 0;
            is_calm.then_some(health)
        })
        .await;
        assert!(calm["published_by_tick_total"].as_u64().is_some_and(|count| count > 0), "{calm}");
        assert!(calm["published_at_once_total"].as_u64().is_some_and(|count| count > 0));
    });
}

#[test]
fn a_crowd_that_comes_all_at_once_is_gathered_within_its_first_second() {
    on_database(|database| async move {
        let (_, _, ann) = database.enter("ann@example.org", "Ann").await;
        let (_, _, bob) = database.enter("bob@example.org", "Bob").await;
        database.run("UPDATE block_state SET watchers = 600").await;
        // The second input is the 1,200th message: it waits for the tick.
        ann.call("course_set", json!([1, 0, false])).await.expect("600 messages");
        bob.call("course_set", json!([1, 0, false])).await.expect("a crowd is no error");
        let crowded = until("the block is crowded", || async {
            let health = health(&database).await;
            (health["blocks_crowded"] == 1).then_some(health)
        })
        .await;
        assert_eq!(crowded["published_at_once_total"], 1, "{crowded}");
        assert_eq!(crowded["published_by_tick_total"], 1, "{crowded}");
    });
}

#[test]
fn a_thin_block_is_published_at_once() {
    on_database(|database| async move {
        let (_, _, ann) = database.enter("ann@example.org", "Ann").await;
        ann.call("course_set", json!([1, 0, false])).await.expect("set");
        let motion = database.rows("motion").await;
        assert_eq!(motion[0]["vel_x_mm_per_s"], 2_000, "no tick was needed");
        assert_eq!(motion[0]["input_number"], 1);
        until("the second is over", || async {
            (health(&database).await["published_at_once_total"] == 1).then_some(())
        })
        .await;
        assert_eq!(health(&database).await["blocks_crowded"], 0);
    });
}

#[test]
fn all_together_may_look_for_so_many_paths_a_tick() {
    on_database(|database| async move {
        let mut players: Vec<Client> = vec![];
        for name in NAMES {
            let email = format!("{name}@example.org").to_lowercase();
            players.push(database.enter(&email, name).await.2);
        }
        // Behind the wall: no straight line leads there, but a path does.
        until("somebody has to try again", || async {
            let calls =
                players.iter().map(|player| player.call("course_to", json!([75_500, 33_500])));
            let outcomes = futures::future::join_all(calls).await;
            let codes = outcomes.into_iter().filter_map(Result::err);
            let codes: Vec<String> = codes
                .map(|refused| refused.split(':').next().unwrap_or_default().to_owned())
                .collect();
            let known = ["motion.busy", "motion.too_often"];
            assert!(codes.iter().all(|code| known.contains(&code.as_str())), "{codes:?}");
            codes.contains(&"motion.busy".to_owned()).then_some(())
        })
        .await;
    });
}
