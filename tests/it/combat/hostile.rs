//! Whatever players send that they may not do: each refused with its code, and without effect.

use super::{Arena, FIELD, at, oneself, point};
use crate::support::content::{set, srd, switch};
use crate::support::{on_database, until, world};
use haven_rules::content::Condition;
use serde_json::{Value, json};

/// So far east of the field.
fn east(mm: i32) -> (i32, i32) {
    (FIELD.0 + mm, FIELD.1)
}

/// How far an ability reaches, millimetres.
fn reach_of(ability: &str) -> i32 {
    let pack = srd();
    let found = pack.ability.iter().find(|known| known.key == ability);
    i32::try_from(found.expect(ability).range_mm).expect("it fits")
}

#[test]
fn abilities_that_are_not_known_or_not_prepared_are_refused() {
    on_database(|database| async move {
        let arena = Arena::open(database, |_| {}).await;
        let fay = arena.hero("Fay", "fighter", FIELD).await;
        let wil = arena.hero("Wil", "wizard", east(1_000)).await;
        let long = "x".repeat(20_000);
        for unknown in ["", "no_such_thing", "Attack", "attack ", "'; DELETE FROM combatant", &long]
        {
            let code = "combat.ability_unknown";
            arena.refuses_use(&fay, unknown, oneself(), code).await;
        }
        wil.prepares(&["shield", "sleep"]).await;
        for (hero, ability, aim, code) in [
            (&fay, "fire_bolt", at(wil.id), "combat.ability_not_known"),
            (&fay, "rage", oneself(), "combat.ability_not_known"),
            // Only when somebody goes away, and by itself.
            (&fay, "opportunity_attack", at(wil.id), "combat.ability_not_known"),
            (&wil, "cure_wounds", at(fay.id), "combat.ability_not_known"),
            (&wil, "misty_step", point(FIELD.0, FIELD.1), "combat.ability_not_known"),
            (&wil, "acid_spray", oneself(), "combat.ability_not_known"),
            (&wil, "magic_missile", at(fay.id), "combat.ability_not_prepared"),
        ] {
            arena.refuses_use(hero, ability, aim, code).await;
        }
        wil.uses("shield", oneself()).await.expect("that one is prepared");
    });
}

#[test]
fn reach_ends_to_the_millimetre() {
    on_database(|database| async move {
        let arena = Arena::open(database, |pack| {
            for ability in &mut pack.ability {
                ability.cooldown_millis = 0;
                ability.cast_millis = 0;
            }
        })
        .await;
        let cle = arena.hero("Cle", "cleric", FIELD).await;
        let ann = arena.hero("Ann", "fighter", FIELD).await;
        cle.prepares(&["healing_word", "cure_wounds"]).await;
        let (far, near) = (reach_of("healing_word"), reach_of("cure_wounds"));
        assert_eq!((far, near), (18_000, 1_500));
        for (place, ability, is_within) in [
            (east(near + 1), "cure_wounds", false),
            (east(far + 1), "healing_word", false),
            (east(far), "healing_word", true),
            ((FIELD.0 + 10_801, FIELD.1 + 14_400), "healing_word", false),
            ((FIELD.0 + 10_800, FIELD.1 + 14_400), "healing_word", true),
        ] {
            arena.put(ann.id, place).await;
            if is_within {
                cle.uses(ability, at(ann.id)).await.expect("within reach, if by no millimetre");
                arena.quiet().await;
            } else {
                arena.refuses_use(&cle, ability, at(ann.id), "combat.out_of_range").await;
            }
        }
        let wil = arena.hero("Wil", "wizard", FIELD).await;
        wil.prepares(&["sleep"]).await;
        let reach = reach_of("sleep");
        let beyond = point(FIELD.0 + reach + 1, FIELD.1);
        arena.refuses_use(&wil, "sleep", beyond, "combat.out_of_range").await;
        let edge = point(FIELD.0 + reach, FIELD.1);
        wil.uses("sleep", edge).await.expect("the edge is within reach");
    });
}

#[test]
fn nothing_is_done_through_a_wall() {
    on_database(|database| async move {
        let mut walled = world();
        walled["obstacles"] =
            json!([{ "cell_x": 50, "cell_y": 30, "width_cells": 1, "height_cells": 6 }]);
        database.owner.call("world_configure", json!([walled])).await.expect("walled");
        let arena = Arena::open(database, |pack| {
            pack.ability.iter_mut().for_each(|ability| ability.cast_millis = 0);
        })
        .await;
        let cle = arena.hero("Cle", "cleric", (48_500, 33_500)).await;
        let ann = arena.hero("Ann", "fighter", (52_500, 33_500)).await;
        let wil = arena.hero("Wil", "wizard", (48_500, 33_500)).await;
        cle.prepares(&["healing_word"]).await;
        wil.prepares(&["sleep"]).await;
        arena.refuses_use(&cle, "healing_word", at(ann.id), "combat.no_sight").await;
        arena.refuses_use(&wil, "sleep", point(52_500, 33_500), "combat.no_sight").await;
        arena.put(cle.id, (48_500, 35_500)).await;
        arena.put(ann.id, (52_500, 36_500)).await;
        arena.refuses_use(&cle, "healing_word", at(ann.id), "combat.no_sight").await;
        arena.put(cle.id, (48_500, 37_500)).await;
        cle.uses("healing_word", at(ann.id)).await.expect("past the end of the wall");
    });
}

#[test]
fn aims_at_oneself_at_the_dead_and_at_nobody_are_refused() {
    on_database(|database| async move {
        let arena = Arena::open(database, |_| {}).await;
        let fay = arena.hero("Fay", "fighter", FIELD).await;
        let cle = arena.hero("Cle", "cleric", east(1_000)).await;
        let owner = &arena.database.owner;
        let args = json!([cle.id, 6_500]);
        owner.call("character_experience_give", args).await.expect("level 5");
        cle.prepares(&["healing_word", "revivify"]).await;
        let gone = arena.hero("Gon", "fighter", east(500)).await;
        gone.player.call("character_leave", json!([])).await.expect("left");

        arena.refuses_use(&fay, "attack", at(fay.id), "combat.target_self").await;
        arena.refuses_use(&cle, "revivify", at(cle.id), "combat.target_self").await;
        for nobody in [0, 1, u64::MAX, gone.id] {
            arena.refuses_use(&fay, "attack", at(nobody), "combat.target_unknown").await;
        }
        arena.refuses_use(&cle, "revivify", at(fay.id), "combat.target_not_dead").await;
        arena.make(fay.id, 0, 3).await;
        arena.refuses_use(&cle, "healing_word", at(fay.id), "combat.target_dead").await;
        cle.uses("revivify", at(fay.id)).await.expect("the dead can be brought back");
        let body = until("she lives", || async {
            Some(arena.database.body(fay.id).await).filter(|row| row["vital"] == 0)
        });
        assert_eq!(body.await["hit_points"], 1);
    });
}

#[test]
fn friends_are_not_struck_and_strangers_only_where_players_fight() {
    on_database(|database| async move {
        let arena = Arena::open(database, |pack| {
            switch(pack, "pvp", true);
            set(pack, "safe_radius_mm", 10_000);
        })
        .await;
        // The spawn is at 32.5 m, 32.5 m.
        let fay = arena.hero("Fay", "fighter", (34_500, 32_500)).await;
        let bob = arena.hero("Bob", "fighter", (35_500, 32_500)).await;
        arena.refuses_use(&fay, "attack", at(bob.id), "combat.target_protected").await;
        arena.put(fay.id, FIELD).await;
        arena.put(bob.id, east(1_000)).await;
        fay.uses("attack", at(bob.id)).await.expect("far from the spawn they may");

        let mut pack = srd();
        switch(&mut pack, "resurrection", false);
        arena.database.put_in_force(&pack).await;
        arena.quiet().await;
        let args = json!(["attack", at(bob.id), 0]);
        until("it is peace again", || async {
            let refused = fay.player.call("ability_use", args.clone()).await.err()?;
            refused.starts_with("combat.target_protected:").then_some(())
        })
        .await;
        let pet = arena.database.creatures("commoner", east(2_000), 1, 1).await[0];
        arena.database.run(&format!("UPDATE combatant SET side = 0 WHERE entity_id = {pet}")).await;
        let args = json!(["attack", at(pet), 0]);
        let refused = fay.player.call("ability_use", args).await.expect_err("a friend");
        assert!(refused.starts_with("combat.target_not_enemy:"), "{refused}");

        let cle = arena.hero("Cle", "cleric", east(500)).await;
        let args = json!([cle.id, 6_500]);
        arena.database.owner.call("character_experience_give", args).await.expect("level 5");
        cle.prepares(&["revivify"]).await;
        let args = json!(["revivify", at(bob.id), 0]);
        let refused = cle.player.call("ability_use", args).await.expect_err("not in this realm");
        assert!(refused.starts_with("combat.switched_off:"), "{refused}");
    });
}

#[test]
fn aims_and_numbers_beyond_all_bounds_are_refused() {
    on_database(|database| async move {
        let arena = Arena::open(database, |_| {}).await;
        let fay = arena.hero("Fay", "fighter", FIELD).await;
        let wil = arena.hero("Wil", "wizard", FIELD).await;
        wil.prepares(&["sleep", "burning_hands", "magic_missile"]).await;
        let way = |dx: i32, dy: i32| json!({ "Direction": { "dx": dx, "dy": dy } });
        for (hero, ability, aim, code) in [
            (&fay, "attack", oneself(), "combat.aim_wrong"),
            (&fay, "attack", point(FIELD.0, FIELD.1), "combat.aim_wrong"),
            (&fay, "attack", way(1, 0), "combat.aim_wrong"),
            (&fay, "dodge", at(wil.id), "combat.aim_wrong"),
            (&fay, "dodge", point(0, 0), "combat.aim_wrong"),
            (&wil, "burning_hands", way(0, 0), "combat.aim_wrong"),
            (&wil, "burning_hands", oneself(), "combat.aim_wrong"),
            (&wil, "burning_hands", point(FIELD.0, FIELD.1), "combat.aim_wrong"),
            (&wil, "burning_hands", at(wil.id), "combat.target_self"),
            (&wil, "burning_hands", at(u64::MAX), "combat.target_unknown"),
            (&wil, "sleep", way(1, 1), "combat.aim_wrong"),
            (&wil, "sleep", point(i32::MAX, i32::MAX), "combat.out_of_range"),
            (&wil, "sleep", point(i32::MIN, i32::MIN), "combat.out_of_range"),
            (&wil, "sleep", point(i32::MIN, i32::MAX), "combat.out_of_range"),
            (&wil, "sleep", at(0), "combat.target_unknown"),
        ] {
            arena.refuses_use(hero, ability, aim, code).await;
        }
        for (slot, code) in
            [(255, "combat.slot_unknown"), (10, "combat.slot_unknown"), (2, "combat.slot_unknown")]
        {
            let args = json!(["sleep", point(FIELD.0, FIELD.1), slot]);
            arena.refuses(&wil, "ability_use", args, code).await;
        }
        let before = arena.fights().await;
        for args in [
            json!(["attack", { "Nowhere": [] }, 0]),
            json!(["attack", { "Entity": -1 }, 0]),
            json!(["attack", { "Entity": 1e300 }, 0]),
            json!(["attack", { "Entity": null }, 0]),
            json!(["sleep", { "Point": { "x_mm": 2_147_483_648_i64, "y_mm": 0 } }, 0]),
            json!(["sleep", { "Point": { "x_mm": 0.5, "y_mm": 0 } }, 0]),
            json!(["sleep", { "Point": { "x_mm": 0 } }, 0]),
            json!(["burning_hands", way(32_768, 0), 0]),
            json!(["attack", at(wil.id), 256]),
            json!(["attack", at(wil.id), -1]),
            json!(["attack", at(wil.id)]),
            json!([7, at(wil.id), 0]),
            Value::Null,
        ] {
            wil.player.call("ability_use", args.clone()).await.expect_err(&args.to_string());
        }
        assert_eq!(arena.fights().await, before);
        wil.uses("burning_hands", way(i16::MIN.into(), i16::MAX.into())).await.expect("a way");
    });
}

#[test]
fn during_a_cast_nothing_else_is_begun() {
    on_database(|database| async move {
        let arena = Arena::open(database, |pack| {
            for ability in &mut pack.ability {
                ability.cooldown_millis = 0;
                if ability.key == "cure_wounds" {
                    ability.cast_millis = 60_000;
                }
            }
        })
        .await;
        let cle = arena.hero("Cle", "cleric", FIELD).await;
        cle.prepares(&["cure_wounds", "healing_word"]).await;
        cle.uses("cure_wounds", oneself()).await.expect("begun");
        assert_eq!(arena.database.rows("combat_cast").await.len(), 1);
        for (ability, aim) in
            [("dodge", oneself()), ("healing_word", oneself()), ("cure_wounds", oneself())]
        {
            arena.refuses_use(&cle, ability, aim, "combat.casting").await;
        }
        cle.player.call("cast_cancel", json!([])).await.expect("broken off");
        assert_eq!(arena.database.rows("combat_cast").await.len(), 0);
        assert_eq!(arena.database.rows("combat_deed").await.len(), 0);
        let quiet = arena.fights().await;
        cle.player.call("cast_cancel", json!([])).await.expect("nothing is no error");
        assert_eq!(arena.fights().await, quiet);
        // The slot is spent all the same; the second is the last.
        cle.uses("healing_word", oneself()).await.expect("the second slot");
        arena.quiet().await;
        arena.refuses_use(&cle, "healing_word", oneself(), "combat.slot_spent").await;
    });
}

#[test]
fn nothing_is_ready_before_its_millisecond() {
    on_database(|database| async move {
        let arena = Arena::open(database, |pack| {
            set(pack, "global_cooldown_millis", 3_000);
            set(pack, "attack_millis", 500);
        })
        .await;
        let fay = arena.hero("Fay", "fighter", FIELD).await;
        let ready_at = async |column: &str| {
            let row = arena.row("combat_state", "entity_id", fay.id).await.expect("a state");
            row[column].as_i64().expect("an instant")
        };
        fay.uses("dodge", oneself()).await.expect("at first");
        arena.quiet().await;
        arena.refuses_use(&fay, "dodge", oneself(), "combat.cooldown").await;
        for _ in 0..2 {
            let (anything, action) =
                (ready_at("ready_at_micros").await, ready_at("action_at_micros").await);
            until("it is ready", || async {
                match fay.uses("dodge", oneself()).await {
                    Ok(()) => Some(()),
                    Err(refused) => {
                        assert!(refused.starts_with("combat.cooldown:"), "{refused}");
                        None
                    }
                }
            })
            .await;
            // When it was used stands in what it is ready again by.
            let used = ready_at("ready_at_micros").await - 3_000_000;
            assert!(used >= anything && used >= action, "{used}, not before {anything}");
        }
    });
}

#[test]
fn turns_uses_and_slots_are_counted() {
    on_database(|database| async move {
        let arena = Arena::open(database, |pack| set(pack, "attack_millis", 60_000)).await;
        let fay = arena.hero("Fay", "fighter", FIELD).await;
        fay.uses("dodge", oneself()).await.expect("the action");
        arena.quiet().await;
        arena.refuses_use(&fay, "dodge", oneself(), "combat.turn_used").await;
        arena.refuses_use(&fay, "dash", oneself(), "combat.turn_used").await;
        fay.uses("second_wind", oneself()).await.expect("the bonus action is there");
        arena.quiet().await;
        arena.refuses_use(&fay, "second_wind", oneself(), "combat.uses_spent").await;
        let cle = arena.hero("Cle", "cleric", FIELD).await;
        cle.prepares(&["healing_word"]).await;
        cle.uses("healing_word", oneself()).await.expect("a slot");
        arena.quiet().await;
        arena.refuses_use(&cle, "healing_word", oneself(), "combat.cooldown").await;
    });
}

#[test]
fn the_dead_the_dying_and_the_helpless_do_nothing() {
    on_database(|database| async move {
        let arena = Arena::open(database, |_| {}).await;
        let wil = arena.hero("Wil", "wizard", FIELD).await;
        let fay = arena.hero("Fay", "fighter", east(1_000)).await;
        wil.prepares(&["shield"]).await;
        for (vital, code) in [(1, "combat.down"), (2, "combat.down"), (3, "combat.dead")] {
            arena.make(wil.id, 0, vital).await;
            for ability in ["dodge", "shield", "acid_splash"] {
                arena.refuses_use(&wil, ability, oneself(), code).await;
            }
        }
        arena.make(wil.id, 5, 0).await;
        // Who cannot speak may still do what needs no word.
        arena.befall(wil.id, fay.id, Condition::Silenced).await;
        arena.refuses_use(&wil, "acid_splash", oneself(), "combat.silenced").await;
        wil.uses("dodge", oneself()).await.expect("dodging");
        arena.quiet().await;
        arena.befall(wil.id, fay.id, Condition::Incapacitated).await;
        arena.refuses_use(&wil, "dodge", oneself(), "combat.incapacitated").await;
        arena.refuses_use(&wil, "shield", oneself(), "combat.incapacitated").await;
        arena.befall(fay.id, wil.id, Condition::Paralyzed).await;
        arena.refuses_use(&fay, "dodge", oneself(), "combat.incapacitated").await;
        arena.refuses_use(&fay, "second_wind", oneself(), "combat.incapacitated").await;
    });
}

#[test]
fn who_is_not_in_the_world_does_nothing_there() {
    on_database(|database| async move {
        let arena = Arena::open(database, |_| {}).await;
        let ann = arena.hero("Ann", "fighter", FIELD).await;
        let bob = arena.hero("Bob", "fighter", east(1_000)).await;
        let calls = || {
            [
                ("ability_use", json!(["dodge", oneself(), 0])),
                ("ability_use", json!(["attack", at(ann.id), 0])),
                ("cast_cancel", json!([])),
                ("duel_offer", json!([ann.id])),
                ("duel_answer", json!([ann.id, true])),
                ("duel_end", json!([])),
                ("rest_begin", json!([false])),
                ("rest_end", json!([])),
                ("death_return", json!([])),
            ]
        };
        bob.player.call("character_leave", json!([])).await.expect("left");
        for (reducer, args) in calls() {
            arena.refuses(&bob, reducer, args, "combat.not_in_world").await;
        }
        // Somebody else's character is none of his.
        let before = arena.fights().await;
        let refused = bob.player.call("character_enter", json!([ann.id])).await;
        assert!(refused.expect_err("not his").starts_with("character.unknown:"));
        assert_eq!(arena.fights().await, before);
        for (reducer, args) in calls() {
            arena.refuses(&bob, reducer, args, "combat.not_in_world").await;
        }
        let second = arena.database.connect(ann.account_id, "player").await.expect("connected");
        arena.refuses_use(&ann, "dodge", oneself(), "realm.taken_over").await;
        second.call("ability_use", json!(["dodge", oneself(), 0])).await.expect("in control");
    });
}

#[test]
fn without_content_there_is_nothing_to_do() {
    on_database(|database| async move {
        let (_, _, player) = database.enter("ann@example.org", "Ann").await;
        for (reducer, args, code) in [
            ("ability_use", json!(["attack", oneself(), 0]), "combat.ability_unknown"),
            ("rest_begin", json!([true]), "combat.not_in_world"),
            ("death_return", json!([]), "combat.not_in_world"),
            ("duel_offer", json!([1]), "combat.switched_off"),
        ] {
            let refused = player.call(reducer, args).await.expect_err(reducer);
            assert!(refused.starts_with(&format!("{code}:")), "{reducer}: {refused}");
        }
        assert_eq!(database.rows("combatant").await, Vec::<Value>::new());
    });
}

#[test]
fn only_the_database_runs_the_timers_of_fights() {
    on_database(|database| async move {
        let (_, _, player) = database.enter("ann@example.org", "Ann").await;
        let timer = json!([{ "scheduled_id": 0, "scheduled_at": { "Interval":
            { "__time_duration_micros__": 1 } } }]);
        for caller in [&player, &database.owner] {
            for reducer in ["combat_tick", "combat_event_sweep", "dice_day_end"] {
                let refused = caller.call(reducer, timer.clone()).await.expect_err(reducer);
                assert!(refused.starts_with("realm.database_only:"), "{reducer}: {refused}");
            }
        }
    });
}

#[test]
fn the_charmed_spare_who_charmed_them() {
    on_database(|database| async move {
        let arena = Arena::open(database, |_| {}).await;
        let ann = arena.hero("Ann", "fighter", FIELD).await;
        let bob = arena.hero("Bob", "cleric", east(1_000)).await;
        bob.prepares(&["healing_word"]).await;
        super::duels::fight(&ann, &bob).await;
        arena.refuses_use(&bob, "healing_word", at(ann.id), "combat.target_not_ally").await;
        arena.befall(ann.id, bob.id, Condition::Charmed).await;
        arena.refuses_use(&ann, "attack", at(bob.id), "combat.charmed").await;
        bob.uses("attack", at(ann.id)).await.expect("he is not charmed");
    });
}
