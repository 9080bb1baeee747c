//! Creatures and camps on the real engine: they appear, fight, go home, sleep, and are refused.

use crate::support::content::srd;
use crate::support::{Database, on_database, until};
use haven_checks::number;
use serde_json::json;

/// Beside the spawn of the test world, in the open.
const BESIDE: (i32, i32) = (34_500, 32_500);
/// Where nobody sees the spawn from, in the same block.
const FAR: (i32, i32) = (3_500, 3_500);

async fn ready(database: &Database) {
    database.configure().await;
    database.put_in_force(&srd()).await;
}

#[test]
fn creature_spawn_refuses_strangers_sides_keys_places_and_crowds() {
    on_database(|database| async move {
        ready(&database).await;
        let (_, player) = database.hero("Ann", "human", "fighter").await;
        let refused = player.call("creature_spawn", json!([0, "wolf", 0, 0, 1, 1])).await;
        let refused = refused.expect_err("a player is refused");
        assert!(refused.starts_with("account.permission_denied:"), "{refused}");
        let (x, y) = BESIDE;
        for (args, code) in [
            (json!([7, "wolf", x, y, 1, 1]), "world.unknown"),
            (json!([0, "wolf", x, y, 1, 0]), "combat.side_invalid"),
            (json!([0, "wolf", x, y, 1, 65_536]), "combat.side_invalid"),
            (json!([0, "unicorn_of_doom", x, y, 1, 1]), "combat.creature_unknown"),
            (json!([0, "wolf", x, y, 1_000_000, 1]), "combat.creatures_too_many"),
            (json!([0, "wolf", i32::MAX, y, 1, 1]), "npc.place_invalid"),
            (json!([0, "wolf", 52_500, 32_500, 1, 1]), "npc.place_invalid"),
        ] {
            let refused = database.owner.call("creature_spawn", args.clone()).await;
            let refused = refused.expect_err("refused");
            assert!(refused.starts_with(&format!("{code}:")), "{args}: {refused}");
        }
        assert_eq!(database.rows("creature").await.len(), 0);
    });
}

#[test]
fn a_wolf_that_sees_somebody_comes_and_bites_and_what_it_does_is_told() {
    on_database(|database| async move {
        ready(&database).await;
        let (ann, _player) = database.hero("Ann", "human", "fighter").await;
        let wolves = database.creatures("wolf", (38_500, 32_500), 2, 1).await;
        assert_eq!(wolves.len(), 2);
        let bitten = until("a bite", || async {
            let events = database.rows("combat_event").await;
            events.into_iter().find(|event| {
                wolves.contains(&number(event, "actor_id")) && event["ability"] == "attack"
            })
        });
        let bitten = bitten.await;
        // The columns of a line, in their order.
        let line = &bitten["lines"][0];
        assert_eq!(line[0], ann, "{bitten}");
        assert!(line[10].as_str().is_some_and(|text| text.starts_with("Bite: ")), "{bitten}");
        let creatures = database.rows("creature").await;
        assert!(creatures.iter().any(|row| number(row, "target_id") == ann), "{creatures:?}");
    });
}

#[test]
fn what_nobody_watches_does_not_think_and_is_cleared_whole() {
    on_database(|database| async move {
        ready(&database).await;
        let wolves = database.creatures("wolf", FAR, 3, 1).await;
        let goblins = database.creatures("goblin", FAR, 3, 2).await;
        assert_eq!((wolves.len(), goblins.len()), (3, 3));
        // Enemies side by side, and nobody there to see it.
        until("rest", || async { database.rows("combat_due").await.is_empty().then_some(()) })
            .await;
        assert_eq!(database.rows("combat_event").await.len(), 0);
        database.owner.call("creature_clear", json!([0, 100])).await.expect("cleared");
        for table in ["creature", "combatant", "combat_state", "combat_threat", "entity", "motion"]
        {
            assert_eq!(database.rows(table).await.len(), 0, "{table}");
        }
    });
}

#[test]
fn a_camp_wakes_where_somebody_comes_and_sleeps_when_he_is_gone() {
    on_database(|database| async move {
        ready(&database).await;
        database.owner.call("camp_scatter", json!([0, 64])).await.expect("scattered");
        let camps = database.rows("camp").await;
        assert_eq!(camps.len(), 64);
        assert_eq!(database.rows("creature").await.len(), 0, "they sleep");
        assert_eq!(database.rows("combat_due").await.len(), 0);
        let (_, player) = database.hero("Ann", "human", "fighter").await;
        let awake = database.rows("camp").await;
        let awake = awake.iter().filter(|row| row["is_awake"] == true).count();
        assert_eq!(awake, 9, "the block of the spawn and those around it");
        assert!(!database.rows("creature").await.is_empty());
        player.call("character_leave", json!([])).await.expect("left");
        until("sleep", || async {
            let camps = database.rows("camp").await;
            let awake = camps.iter().any(|row| row["is_awake"] == true);
            let creatures = database.rows("creature").await;
            (!awake && creatures.is_empty()).then_some(())
        })
        .await;
        let refused = database.owner.call("camp_scatter", json!([0, 1_000_000])).await;
        let refused = refused.expect_err("too many");
        assert!(refused.starts_with("combat.creatures_too_many:"), "{refused}");
    });
}
