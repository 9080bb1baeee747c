//! Rests, dying, and the way back.

use super::{Arena, FIELD, Hero, at, oneself};
use crate::support::content::{set, switch};
use crate::support::{Database, on_database, until};
use haven_checks::number;
use serde_json::json;

async fn resting(arena: &Arena) -> usize {
    arena.database.rows("combat_rest").await.len()
}

#[test]
fn nobody_rests_in_a_fight_and_a_step_ends_a_rest() {
    on_database(|database| async move {
        let arena = Arena::open(database, |pack| set(pack, "in_combat_millis", 2_000)).await;
        let fay = arena.hero("Fay", "fighter", FIELD).await;
        arena.refuses(&fay, "rest_end", json!([]), "combat.not_resting").await;
        fay.uses("dodge", oneself()).await.expect("that is fighting");
        arena.quiet().await;
        arena.refuses(&fay, "rest_begin", json!([false]), "combat.rest_fighting").await;
        arena.refuses(&fay, "rest_begin", json!([true]), "combat.rest_fighting").await;
        until("the fight is over", || async {
            fay.player.call("rest_begin", json!([false])).await.ok()
        })
        .await;
        let begun = arena.fights().await;
        fay.player.call("rest_begin", json!([false])).await.expect("the same rest");
        assert_eq!(arena.fights().await, begun);
        fay.player.call("course_set", json!([0, 0, false])).await.expect("she stands");
        assert_eq!(resting(&arena).await, 1, "who stands still rests");
        fay.player.call("course_set", json!([1, 0, false])).await.expect("a step");
        assert_eq!(resting(&arena).await, 0);
        fay.player.call("course_set", json!([0, 0, false])).await.expect("she stands");

        fay.player.call("rest_begin", json!([true])).await.expect("a long one");
        fay.player.call("rest_end", json!([])).await.expect("broken off");
        fay.player.call("rest_begin", json!([true])).await.expect("it gave nothing");
        fay.uses("dodge", oneself()).await.expect("that ends it");
        assert_eq!(resting(&arena).await, 0);
        until("the deed is done", || async {
            arena.database.rows("combat_deed").await.is_empty().then_some(())
        })
        .await;
        arena.make(fay.id, 0, 1).await;
        arena.refuses(&fay, "rest_begin", json!([false]), "combat.down").await;
        arena.make(fay.id, 0, 3).await;
        arena.refuses(&fay, "rest_begin", json!([true]), "combat.dead").await;
    });
}

#[test]
fn rests_give_back_what_they_should_and_long_ones_not_too_often() {
    on_database(|database| async move {
        let arena = Arena::open(database, |pack| {
            set(pack, "short_rest_millis", 0);
            set(pack, "long_rest_millis", 0);
            set(pack, "in_combat_millis", 0);
        })
        .await;
        let cle = arena.hero("Cle", "cleric", FIELD).await;
        cle.prepares(&["healing_word"]).await;
        let slots = async || {
            let row = arena.row("character_resources", "character_id", cle.id).await?;
            Some(super::bytes(&row["slots_left"])[0])
        };
        cle.uses("healing_word", oneself()).await.expect("a slot");
        arena.quiet().await;
        assert_eq!(slots().await, Some(1));

        arena.make(cle.id, 1, 0).await;
        cle.player.call("rest_begin", json!([false])).await.expect("a short one");
        let event = arena.event(cle.id, "short_rest").await;
        let [sides, shown] = event.dice[..] else { panic!("one die: {:?}", event.dice) };
        assert_eq!(sides, 8, "a cleric's");
        let body = arena.database.body(cle.id).await;
        let healed = i64::from(event.lines[0].amount);
        assert_eq!(body["hit_points"], 1 + healed);
        let words = &event.lines[0].text;
        assert!(words.starts_with("1d8") && words.contains(&format!(": {shown}")), "{words}");
        assert_eq!(slots().await, Some(1), "a short rest brings no slots back");

        arena.make(cle.id, 1, 0).await;
        cle.player.call("rest_begin", json!([true])).await.expect("a long one");
        arena.event(cle.id, "long_rest").await;
        let body = arena.database.body(cle.id).await;
        assert_eq!(body["hit_points"], body["hit_points_max"]);
        assert_eq!(slots().await, Some(2));
        arena.refuses(&cle, "rest_begin", json!([true]), "combat.rest_too_soon").await;
        cle.player.call("rest_begin", json!([false])).await.expect("a short one may be");
    });
}

/// Two in a duel, of whom the second has one hit point and is surely hit.
async fn last_breath(database: Database, death_saves: bool) -> (Arena, Hero, Hero) {
    let arena = Arena::open(database, |pack| {
        switch(pack, "death_saves", death_saves);
        set(pack, "death_save_millis", 500);
        set(pack, "stable_millis", 1_000);
        // A hit point a blow: nobody is dead at once.
        set(pack, "pvp_damage_percent", 1);
        set(pack, "respawn_wait_millis", 3_000);
    })
    .await;
    let ann = arena.hero("Ann", "fighter", FIELD).await;
    let bob = arena.hero("Bob", "fighter", (FIELD.0 + 1_000, FIELD.1)).await;
    super::duels::fight(&ann, &bob).await;
    arena.make(bob.id, 1, 0).await;
    arena.makes_sure(ann.id).await;
    until("bob falls", || async {
        // Refused while the action is not back.
        let _ = ann.uses("attack", at(bob.id)).await;
        (arena.database.body(bob.id).await["vital"] != 0).then_some(())
    })
    .await;
    (arena, ann, bob)
}

#[test]
fn the_dead_wait_a_moment_and_return_to_the_spawn() {
    on_database(|database| async move {
        let (arena, ann, bob) = last_breath(database, false).await;
        assert_eq!(arena.database.body(bob.id).await["vital"], 3);
        arena.refuses(&ann, "death_return", json!([]), "combat.not_dead").await;
        arena.refuses(&bob, "death_return", json!([]), "combat.respawn_too_early").await;
        arena.refuses_use(&bob, "dodge", oneself(), "combat.dead").await;
        let before = arena.database.position(bob.id).await;
        bob.player.call("course_set", json!([1, 0, true])).await.ok();
        assert_eq!(arena.database.position(bob.id).await, before, "the dead go nowhere");
        until("he may return", || async {
            match bob.player.call("death_return", json!([])).await {
                Ok(()) => Some(()),
                Err(refused) => {
                    assert!(refused.starts_with("combat.respawn_too_early:"), "{refused}");
                    None
                }
            }
        })
        .await;
        let body = arena.database.body(bob.id).await;
        let (now, max) = (number(&body, "hit_points"), number(&body, "hit_points_max"));
        assert_eq!((now, &body["vital"]), (max / 2, &json!(0)));
        assert_eq!(arena.database.position(bob.id).await, (32_500, 32_500));
        arena.refuses(&bob, "death_return", json!([]), "combat.not_dead").await;
        bob.uses("dodge", oneself()).await.expect("he is well");
    });
}

#[test]
fn the_dying_roll_for_their_lives_until_it_is_decided() {
    on_database(|database| async move {
        let (arena, _, bob) = last_breath(database, true).await;
        let event = arena.event(bob.id, "death_save").await;
        assert_eq!((event.dice[0], event.dice[1]), (20, event.lines[0].natural));
        let vital = until("it is decided", || async {
            let vital = number(&arena.database.body(bob.id).await, "vital");
            (vital == 0 || vital == 3).then_some(vital)
        })
        .await;
        let saves: Vec<_> = arena
            .events()
            .await
            .into_iter()
            .filter(|event| event.ability == "death_save")
            .collect();
        assert!((1..=5).contains(&saves.len()), "{saves:?}");
        let last = &saves.last().expect("one").lines[0].text;
        let expected = if vital == 3 { "dies" } else { "stable wakes" };
        assert!(expected.split(' ').any(|word| last.contains(word)), "{vital}: {last}");
        let left = arena.database.body(bob.id).await;
        assert_eq!(left["hit_points"], u64::from(vital == 0));
    });
}
