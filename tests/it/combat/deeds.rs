//! Deeds that are done: what they leave in rows, and what their events tell.

use super::{Arena, FIELD, Hero, at, oneself};
use crate::support::content::{set, srd};
use crate::support::{on_database, until};
use haven_checks::{instant, number};
use haven_rules::combat::experience::of_challenge;
use haven_rules::content::Condition;
use serde_json::json;

/// Its challenge is 0 and it runs away: nobody is hurt by it.
const PREY: &str = "commoner";

/// So far east of the field.
fn east(mm: i32) -> (i32, i32) {
    (FIELD.0 + mm, FIELD.1)
}

async fn slots_left(arena: &Arena, hero: &Hero) -> u8 {
    let row = arena.row("character_resources", "character_id", hero.id).await;
    super::bytes(&row.expect("it has used some")["slots_left"])[0]
}

#[test]
fn an_attack_is_told_with_its_dice() {
    on_database(|database| async move {
        let arena = Arena::open(database, |_| {}).await;
        let fay = arena.hero("Fay", "fighter", FIELD).await;
        let prey = arena.database.creatures(PREY, east(3_000), 1, 1).await[0];
        until("she may strike", || async { fay.uses("attack", at(prey)).await.ok() }).await;
        let initiative = arena.event(fay.id, "initiative").await;
        assert_eq!(initiative.lines[0].natural, initiative.dice[1]);
        let event = arena.event(fay.id, "attack").await;
        assert!(event.event_id > initiative.event_id);
        let line = &event.lines[0];
        let armor = srd().creature.iter().find(|one| one.key == PREY).expect("known").armor_class;
        assert_eq!((line.target_id, line.against), (prey, i16::from(armor)));
        let d20s = event.dice.chunks(2).filter(|die| die[0] == 20);
        assert!(d20s.clone().any(|die| die[1] == line.natural), "{event:?}");
        let total = i16::from(line.natural) + line.modifier;
        let hits = line.natural == 20 || line.natural > 1 && total >= line.against;
        assert_eq!(hits, line.verdict == 2 || line.verdict == 3, "{line:?}");
        let told = format!("{} + {} = {total} against {armor}: ", line.natural, line.modifier);
        assert!(line.text.contains(&told), "{}", line.text);
        assert_eq!(hits, event.dice.len() / 2 > d20s.count(), "damage is rolled for hits alone");
        assert_eq!(hits, line.rolled > 0);
        let row = arena.row("combat_threat", "creature_id", prey).await;
        if let Some(row) = row {
            assert_eq!(number(&row, "entity_id"), fay.id);
            assert_eq!(number(&row, "contribution"), u64::from(line.amount.unsigned_abs()));
        } else {
            let body = arena.row("combatant", "entity_id", prey).await;
            assert!(body.is_none_or(|body| body["vital"] == 3), "the dead draw nobody");
        }
    });
}

#[test]
fn a_spell_works_when_it_is_cast_and_not_before() {
    on_database(|database| async move {
        let arena = Arena::open(database, |_| {}).await;
        let cle = arena.hero("Cle", "cleric", FIELD).await;
        let ann = arena.hero("Ann", "fighter", east(1_000)).await;
        cle.prepares(&["cure_wounds"]).await;
        arena.make(ann.id, 1, 0).await;
        cle.uses("cure_wounds", at(ann.id)).await.expect("begun");
        let cast = arena.row("combat_cast", "entity_id", cle.id).await.expect("all see it");
        let (began, ends) = (instant(&cast, "began_at"), instant(&cast, "ends_at"));
        assert_eq!((&cast["ability"], ends - began), (&json!("cure_wounds"), 1_500_000));
        let event = arena.event(cle.id, "cure_wounds").await;
        assert!(event.at_micros >= ends, "{} before {ends}", event.at_micros);
        assert_eq!((event.lines[0].target_id, event.dice[0]), (ann.id, 8));
        let body = arena.database.body(ann.id).await;
        assert_eq!(body["hit_points"], 1 + event.lines[0].amount);
        assert_eq!(arena.database.rows("combat_cast").await.len(), 0);
        assert_eq!(slots_left(&arena, &cle).await, 1);
    });
}

#[test]
fn a_step_breaks_off_what_is_cast_and_so_does_leaving() {
    on_database(|database| async move {
        let arena = Arena::open(database, |_| {}).await;
        let cle = arena.hero("Cle", "cleric", FIELD).await;
        cle.prepares(&["cure_wounds"]).await;
        arena.make(cle.id, 1, 0).await;
        cle.uses("cure_wounds", oneself()).await.expect("begun");
        cle.player.call("course_set", json!([0, 0, false])).await.expect("she stands");
        assert_eq!(arena.database.rows("combat_cast").await.len(), 1, "who stands still casts");
        cle.player.call("course_set", json!([1, 0, false])).await.expect("a step");
        for table in ["combat_cast", "combat_deed"] {
            assert_eq!(arena.database.rows(table).await.len(), 0, "{table}");
        }
        cle.player.call("course_set", json!([0, 0, false])).await.expect("she stands");
        assert_eq!(slots_left(&arena, &cle).await, 1, "what it cost is spent");

        until("her action is back", || async { cle.uses("cure_wounds", oneself()).await.ok() })
            .await;
        cle.player.call("character_leave", json!([])).await.expect("left");
        for table in ["combat_cast", "combat_deed", "combat_due", "combatant", "combat_state"] {
            assert_eq!(arena.database.rows(table).await.len(), 0, "{table}");
        }
        cle.player.call("character_enter", json!([cle.id])).await.expect("back");
        assert_eq!(slots_left(&arena, &cle).await, 0);
        assert_eq!(arena.database.body(cle.id).await["hit_points"], 1, "she is as she was");
        let told = arena.events().await;
        assert!(told.iter().all(|event| event.ability != "cure_wounds"), "{told:?}");
    });
}

#[test]
fn whoever_walks_away_while_a_spell_is_cast_is_not_reached() {
    on_database(|database| async move {
        let arena = Arena::open(database, |_| {}).await;
        let cle = arena.hero("Cle", "cleric", FIELD).await;
        let ann = arena.hero("Ann", "fighter", east(1_500)).await;
        cle.prepares(&["cure_wounds"]).await;
        arena.make(ann.id, 1, 0).await;
        cle.uses("cure_wounds", at(ann.id)).await.expect("begun");
        arena.put(ann.id, east(1_501)).await;
        arena.quiet().await;
        assert_eq!(arena.database.body(ann.id).await["hit_points"], 1);
    });
}

#[test]
fn a_blessing_lies_on_allies_and_ends_with_concentration() {
    on_database(|database| async move {
        let arena = Arena::open(database, |_| {}).await;
        let cle = arena.hero("Cle", "cleric", FIELD).await;
        let ann = arena.hero("Ann", "fighter", east(1_000)).await;
        let far = arena.hero("Far", "fighter", east(20_000)).await;
        cle.prepares(&["bless", "shield_of_faith"]).await;
        cle.uses("bless", oneself()).await.expect("begun");
        arena.event(cle.id, "bless").await;
        for blessed in [&cle, &ann] {
            assert_eq!(arena.lies_on(blessed.id).await, ["bless", "bless"], "rolls and saves");
        }
        assert_eq!(arena.lies_on(far.id).await.len(), 0);
        let state = arena.row("combat_state", "entity_id", cle.id).await.expect("a state");
        assert_eq!(state["concentrates_on"], "bless");

        cle.uses("shield_of_faith", at(ann.id)).await.expect("another to concentrate on");
        arena.event(cle.id, "shield_of_faith").await;
        assert_eq!(arena.lies_on(ann.id).await, ["shield_of_faith"]);
        assert_eq!(arena.lies_on(cle.id).await.len(), 0, "the blessing is gone");
        cle.player.call("character_leave", json!([])).await.expect("left");
        assert_eq!(arena.lies_on(ann.id).await.len(), 0, "nobody holds it any more");
        let due = arena.database.rows("combat_due").await;
        assert!(due.is_empty(), "{due:?}");
    });
}

#[test]
fn a_creature_that_dies_is_paid_for_once_and_its_corpse_goes() {
    on_database(|database| async move {
        let arena = Arena::open(database, |pack| set(pack, "corpse_millis", 1_000)).await;
        let fay = arena.hero("Fay", "fighter", FIELD).await;
        let bob = arena.hero("Bob", "fighter", east(1_000)).await;
        let prey = arena.database.creatures(PREY, east(3_000), 1, 1).await[0];
        for hero in [&fay, &bob] {
            arena.makes_sure(hero.id).await;
        }
        let is_dead = async || {
            let body = arena.row("combatant", "entity_id", prey).await;
            body.is_none_or(|body| body["vital"] == 3)
        };
        until("it is dead", || async {
            // Both at once, whether or not their actions are back.
            let _ =
                futures::future::join(fay.uses("attack", at(prey)), bob.uses("attack", at(prey)))
                    .await;
            is_dead().await.then_some(())
        })
        .await;
        let experience = async || {
            let rows = arena.database.rows("character_progress").await;
            rows.iter().map(|row| number(row, "experience")).sum::<u64>()
        };
        let worth = u64::from(of_challenge("0").expect("a challenge"));
        assert_eq!(experience().await, worth);
        for hero in [&fay, &bob] {
            let refused = hero.uses("attack", at(prey)).await.expect_err("it is dead");
            let codes = ["combat.target_dead:", "combat.target_unknown:", "combat.turn_used:"];
            assert!(codes.iter().any(|code| refused.starts_with(code)), "{refused}");
        }
        until("its corpse is gone", || async {
            arena.database.rows("creature").await.is_empty().then_some(())
        })
        .await;
        for (table, column) in
            [("combatant", "entity_id"), ("entity", "entity_id"), ("motion", "entity_id")]
        {
            assert!(arena.row(table, column, prey).await.is_none(), "{table}");
        }
        assert_eq!(arena.database.rows("combat_threat").await.len(), 0);
        assert_eq!(experience().await, worth, "once");
    });
}

#[test]
fn whoever_goes_away_is_struck_at_unless_it_disengages() {
    on_database(|database| async move {
        let arena = Arena::open(database, |pack| set(pack, "in_combat_millis", 60_000)).await;
        let ann = arena.hero("Ann", "fighter", FIELD).await;
        let bob = arena.hero("Bob", "fighter", east(1_000)).await;
        super::duels::fight(&ann, &bob).await;
        ann.uses("disengage", oneself()).await.expect("with care");
        arena.quiet().await;
        ann.player.call("course_set", json!([-1, 0, true])).await.expect("away");
        until("she is far", || async {
            (arena.database.position(ann.id).await.0 < FIELD.0 - 4_000).then_some(())
        })
        .await;
        ann.player.call("course_set", json!([0, 0, false])).await.expect("she stands");
        let struck = async || {
            let told = arena.events().await;
            told.iter().filter(|event| event.ability == "opportunity_attack").count()
        };
        assert_eq!(struck().await, 0);
        until("her care is over", || async {
            arena.lies_on(ann.id).await.is_empty().then_some(())
        })
        .await;
        arena.put(ann.id, FIELD).await;
        ann.player.call("course_set", json!([-1, 0, true])).await.expect("away again");
        let event = arena.event(bob.id, "opportunity_attack").await;
        assert_eq!(event.lines[0].target_id, ann.id);
        assert_eq!(struck().await, 1);
    });
}

#[test]
fn a_changed_number_counts_in_the_next_attack() {
    on_database(|database| async move {
        let arena = Arena::open(database, |pack| set(pack, "damage_percent", 100)).await;
        let fay = arena.hero("Fay", "fighter", FIELD).await;
        arena.makes_sure(fay.id).await;
        let hits = async |event_id: u64| {
            let is_it = |event: &haven_rules::combat::proof::Event| {
                let hit = event.lines.first().is_some_and(|line| line.verdict >= 2);
                event.ability == "attack" && event.event_id > event_id && hit
            };
            arena.events().await.into_iter().find(is_it)
        };
        let strike = async |after: u64| {
            // The first hit may be its last, and it must not run out of reach before.
            let prey = arena.database.creatures(PREY, east(1_000), 1, 1).await[0];
            arena.befall(prey, fay.id, Condition::Restrained).await;
            until("it is hit", || async {
                let _ = fay.uses("attack", at(prey)).await;
                hits(after).await
            })
            .await
        };
        let first = strike(0).await;
        assert!(!first.lines[0].text.contains("percent"), "{}", first.lines[0].text);
        let mut pack = srd();
        set(&mut pack, "attack_millis", 500);
        set(&mut pack, "damage_percent", 300);
        arena.database.put_in_force(&pack).await;
        let latest = arena.events().await.last().map_or(0, |event| event.event_id);
        let next = strike(latest).await;
        assert!(next.lines[0].text.contains("300 percent: "), "{}", next.lines[0].text);
    });
}
