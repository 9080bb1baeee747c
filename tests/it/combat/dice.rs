//! Dice on the engine: short days whose secrets are told, every throw proved, one altered.

use super::{Arena, FIELD, at};
use crate::support::content::set;
use crate::support::{on_database, until};
use haven_checks::{number, text};
use haven_rules::combat::proof::{Day, Event, Wrong, prove};
use serde_json::{Value, json};

fn day_of(row: &Value) -> Day {
    Day {
        day: u32::try_from(number(row, "day")).expect("it fits"),
        begins_at_micros: row["begins_at_micros"].as_i64().expect("an instant"),
        commitment: text(row, "commitment").to_owned(),
        secret: text(row, "secret").to_owned(),
    }
}

/// The days as they are told now.
async fn days(arena: &Arena) -> Vec<Day> {
    arena.database.rows("dice_day").await.iter().map(day_of).collect()
}

#[test]
fn a_days_events_are_proved_when_it_is_over_and_an_altered_roll_is_found() {
    on_database(|database| async move {
        let arena = Arena::open(database, |pack| {
            set(pack, "dice_day_millis", 1_000);
            // A hit point a blow: the fight lasts.
            set(pack, "pvp_damage_percent", 1);
        })
        .await;
        let ann = arena.hero("Ann", "fighter", FIELD).await;
        let bob = arena.hero("Bob", "fighter", (FIELD.0 + 1_000, FIELD.1)).await;
        let mut told = days(&arena).await;
        assert!(!told.is_empty(), "the hash is told before the first throw");
        super::duels::fight(&ann, &bob).await;
        let events: Vec<Event> = until("they have fought for a while", || async {
            for (hero, other) in [(&ann, &bob), (&bob, &ann)] {
                // Refused while the action is not back, and when one has fallen.
                let _ = hero.uses("attack", at(other.id)).await;
                let _ = hero.player.call("duel_offer", json!([other.id])).await;
                let args = json!([hero.id, true]);
                let _ = other.player.call("duel_answer", args).await;
            }
            let events = arena.events().await;
            (events.len() >= 8).then_some(events)
        })
        .await;
        // As somebody has it who looked before the days were over.
        told.extend(days(&arena).await);
        let last = events.iter().map(|event| event.day).max().expect("events");
        let over = until("the secrets are told", || async {
            let days = days(&arena).await;
            let is_told = |day: &&Day| day.day <= last && !day.secret.is_empty();
            let count = days.iter().filter(is_told).count();
            (count == usize::try_from(last).expect("few")).then_some(days)
        })
        .await;
        assert!(over.len() > 1, "the next day has begun");
        let kept = arena.database.rows("dice_secret").await;
        assert_eq!(kept.len(), 1, "only the secret of the day that runs is kept");

        told.extend(over);
        let proof = prove(&told, &events);
        assert_eq!(proof.faults, []);
        let proved: u64 = proof.proved.values().map(|proved| proved.events).sum();
        assert_eq!(proved, u64::try_from(events.len()).expect("few"));
        let dice: u64 = proof.proved.values().map(|proved| proved.dice).sum();
        assert!(dice >= proved, "{dice} dice of {proved} events");
        assert_eq!((proof.missing, proof.waiting.len()), (0, 0), "no number was left out");

        let mut altered = events.clone();
        let event = altered.iter_mut().find(|event| !event.dice.is_empty()).expect("dice");
        let (sides, thrown) = (event.dice[0], event.dice[1]);
        event.dice[1] = thrown % sides + 1;
        let (event_id, shown) = (event.event_id, event.dice[1]);
        let faults = prove(&told, &altered).faults;
        assert_eq!(faults.len(), 1, "{faults:?}");
        assert_eq!(faults[0].event.as_ref().map(|(id, ..)| *id), Some(event_id));
        assert_eq!(faults[0].wrong, Wrong::DieDiffers { number: 1, sides, thrown, shown });
    });
}

#[test]
fn a_running_days_secret_is_nobodys() {
    on_database(|database| async move {
        let arena = Arena::open(database, |_| {}).await;
        let ann = arena.hero("Ann", "fighter", FIELD).await;
        let running = days(&arena).await;
        assert_eq!((running.len(), running[0].secret.as_str()), (1, ""));
        assert_eq!(running[0].commitment.len(), 64);
        let private = ["dice_secret", "dice_pool", "combat_state", "combat_threat"];
        for (number, table) in (900..).zip(private) {
            ann.player.send(&json!({ "SubscribeMulti": {
                "query_strings": [format!("SELECT * FROM {table}")],
                "request_id": number, "query_id": { "id": number },
            }}));
        }
        until("all are refused", || async {
            let messages = ann.player.messages();
            let refused = |message: &&Value| message.get("SubscriptionError").is_some();
            let applied = |message: &Value| message.get("SubscribeMultiApplied").is_some();
            assert!(!messages.iter().any(applied), "{messages:?}");
            (messages.iter().filter(refused).count() == private.len()).then_some(())
        })
        .await;
    });
}

#[test]
fn the_pool_is_stirred_by_the_owner_by_logins_and_by_whoever_enters() {
    on_database(|database| async move {
        let arena = Arena::open(database, |_| {}).await;
        let state = async || {
            let rows = arena.database.rows("dice_pool").await;
            rows.first().map(|row| row["state"].clone())
        };
        let owner = &arena.database.owner;
        let mut known = vec![state().await];
        // Bytes are hexadecimal digits in JSON; longer ones are cut off.
        for unforeseen in [String::new(), "00".to_owned(), "ff".repeat(10_000)] {
            owner.call("dice_stir", json!([unforeseen])).await.expect("stirred");
            known.push(state().await);
        }
        let account_id = arena.database.register("ann@example.org").await;
        known.push(state().await);
        let character_id = arena.database.create(account_id, "Ann").await;
        let ann = arena.database.admit(account_id, "player").await;
        ann.call("character_enter", json!([character_id])).await.expect("entered");
        known.push(state().await);
        let differ = known.iter().collect::<std::collections::HashSet<_>>().len();
        assert_eq!(differ, known.len(), "{known:?}");
        let refused = ann.call("dice_stir", json!(["00"])).await.expect_err("for the owner");
        assert!(refused.starts_with("account.permission_denied:"), "{refused}");
        assert_eq!(state().await, known[known.len() - 1]);
    });
}
