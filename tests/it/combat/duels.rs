//! Duels: offered, refused, fought, and the ways they end.

use super::{Arena, DUEL, FIELD, Hero, at};
use crate::support::content::{set, switch};
use crate::support::{on_database, until};
use serde_json::json;

/// How near an offer is made here, the least there can be, millimetres.
const RANGE_MM: i32 = 5_000;

/// Both want it.
pub(super) async fn fight(one: &Hero, other: &Hero) {
    one.player.call("duel_offer", json!([other.id])).await.expect("offered");
    other.player.call("duel_answer", json!([one.id, true])).await.expect("accepted");
}

async fn open(database: crate::support::Database) -> (Arena, [Hero; 3]) {
    let arena = Arena::open(database, |pack| {
        set(pack, "duel_range_mm", RANGE_MM.into());
        // Somebody falls with the first blow.
        switch(pack, "death_saves", false);
    })
    .await;
    let ann = arena.hero("Ann", "fighter", FIELD).await;
    let bob = arena.hero("Bob", "fighter", (FIELD.0 + 1_000, FIELD.1)).await;
    let cid = arena.hero("Cid", "fighter", (FIELD.0, FIELD.1 + 1_000)).await;
    (arena, [ann, bob, cid])
}

async fn until_it_is_over(arena: &Arena) {
    until("the duel is over", || async {
        arena.database.rows("combat_duel").await.is_empty().then_some(())
    })
    .await;
}

#[test]
fn offers_and_answers_that_cannot_be_are_refused() {
    on_database(|database| async move {
        let (arena, [ann, bob, cid]) = open(database).await;
        arena.refuses(&ann, "duel_offer", json!([ann.id]), "combat.target_self").await;
        for nobody in [0, u64::MAX] {
            arena.refuses(&ann, "duel_offer", json!([nobody]), "combat.target_unknown").await;
        }
        arena.put(bob.id, (FIELD.0 + RANGE_MM + 1, FIELD.1)).await;
        arena.refuses(&ann, "duel_offer", json!([bob.id]), "combat.out_of_range").await;
        arena.refuses(&ann, "duel_end", json!([]), "combat.duel_unknown").await;
        arena.put(bob.id, (FIELD.0 + RANGE_MM, FIELD.1)).await;
        ann.player.call("duel_offer", json!([bob.id])).await.expect("near enough");
        arena.put(bob.id, FIELD).await;

        for (hero, reducer, args, code) in [
            (&ann, "duel_offer", json!([bob.id]), "combat.duel_busy"),
            (&bob, "duel_offer", json!([ann.id]), "combat.duel_busy"),
            (&cid, "duel_offer", json!([bob.id]), "combat.duel_busy"),
            (&cid, "duel_offer", json!([ann.id]), "combat.duel_busy"),
            (&ann, "duel_answer", json!([bob.id, true]), "combat.duel_unknown"),
            (&ann, "duel_answer", json!([ann.id, true]), "combat.duel_unknown"),
            (&cid, "duel_answer", json!([ann.id, true]), "combat.duel_unknown"),
            (&bob, "duel_answer", json!([u64::MAX, true]), "combat.duel_unknown"),
            (&cid, "duel_end", json!([]), "combat.duel_unknown"),
        ] {
            arena.refuses(hero, reducer, args, code).await;
        }
        // As long as it is an offer nobody may strike.
        arena.refuses_use(&ann, "attack", at(bob.id), "combat.target_protected").await;
        bob.player.call("duel_answer", json!([ann.id, false])).await.expect("refused");
        assert_eq!(arena.database.rows("combat_duel").await.len(), 0);
        arena.refuses(&bob, "duel_answer", json!([ann.id, true]), "combat.duel_unknown").await;

        let pet = arena.database.creatures("commoner", (60_500, 60_500), 1, 1).await[0];
        let refused = ann.player.call("duel_offer", json!([pet])).await.expect_err("no player");
        assert!(refused.starts_with("combat.target_unknown:"), "{refused}");
    });
}

#[test]
fn to_whoever_is_blocked_or_kept_out_everybody_seems_busy() {
    on_database(|database| async move {
        let (arena, [ann, bob, cid]) = open(database).await;
        bob.player.call("block_add", json!(["Ann"])).await.expect("blocked");
        arena.refuses(&ann, "duel_offer", json!([bob.id]), "combat.duel_busy").await;
        cid.player.call("privacy_set", json!([4, 2])).await.expect("no invitations");
        arena.refuses(&ann, "duel_offer", json!([cid.id]), "combat.duel_busy").await;
        assert_eq!(arena.database.rows("combat_duel").await.len(), 0, "nothing was written");
        // Who blocks reaches the other one still.
        fight(&bob, &ann).await;
    });
}

#[test]
fn whoever_fights_a_duel_may_be_struck_by_the_other_alone() {
    on_database(|database| async move {
        let (arena, [ann, bob, cid]) = open(database).await;
        fight(&ann, &bob).await;
        assert_eq!(arena.database.rows("combat_duel").await[0]["is_on"], true);
        let answer = json!([ann.id, true]);
        arena.refuses(&bob, "duel_answer", answer, "combat.duel_unknown").await;
        arena.refuses_use(&cid, "attack", at(bob.id), "combat.target_protected").await;
        arena.refuses_use(&ann, "attack", at(cid.id), "combat.target_protected").await;
        ann.uses("attack", at(bob.id)).await.expect("they fight");
        arena.quiet().await;
        bob.player.call("duel_end", json!([])).await.expect("he gives up");
        assert_eq!(arena.database.rows("combat_duel").await.len(), 0);
        let refused = async || bob.uses("attack", at(ann.id)).await.expect_err("it is over");
        assert!(refused().await.starts_with("combat.target_protected:"));
    });
}

#[test]
fn a_duel_ends_when_one_goes_too_far_or_leaves() {
    on_database(|database| async move {
        let (arena, [ann, bob, _]) = open(database).await;
        fight(&ann, &bob).await;
        arena.put(bob.id, (FIELD.0 + 2 * RANGE_MM + 1, FIELD.1)).await;
        until_it_is_over(&arena).await;
        assert_eq!(arena.database.rows("combat_due").await.len(), 0);

        arena.put(bob.id, FIELD).await;
        fight(&ann, &bob).await;
        bob.player.call("character_leave", json!([])).await.expect("left");
        assert_eq!(arena.database.rows("combat_duel").await.len(), 0, "at once");

        bob.player.call("character_enter", json!([bob.id])).await.expect("back");
        fight(&bob, &ann).await;
        ann.player.close().await;
        until_it_is_over(&arena).await;
    });
}

#[test]
fn a_duel_goes_on_while_both_are_there() {
    on_database(|database| async move {
        let (arena, [ann, bob, _]) = open(database).await;
        fight(&ann, &bob).await;
        let next_look = async || arena.row("combat_due", "kind", DUEL).await;
        for _ in 0..3 {
            let before = next_look().await;
            until("it was looked again", || async { (next_look().await != before).then_some(()) })
                .await;
        }
        assert_eq!(arena.database.rows("combat_duel").await.len(), 1);
        ann.uses("attack", at(bob.id)).await.expect("they fight");
    });
}

#[test]
fn a_duel_ends_when_one_falls() {
    on_database(|database| async move {
        let (arena, [ann, bob, _]) = open(database).await;
        fight(&ann, &bob).await;
        arena.make(bob.id, 1, 0).await;
        arena.makes_sure(ann.id).await;
        until("bob falls", || async {
            // Refused while the action is not back.
            let _ = ann.uses("attack", at(bob.id)).await;
            (arena.database.body(bob.id).await["vital"] == 3).then_some(())
        })
        .await;
        assert_eq!(arena.database.rows("combat_duel").await.len(), 0);
        let given = arena.database.rows("character_progress").await;
        let given: u64 = given.iter().filter_map(|row| row["experience"].as_u64()).sum();
        assert_eq!(given, 0, "players are worth nothing to players");
    });
}

#[test]
fn duels_can_be_switched_off() {
    on_database(|database| async move {
        let arena = Arena::open(database, |pack| switch(pack, "duels", false)).await;
        let ann = arena.hero("Ann", "fighter", FIELD).await;
        let bob = arena.hero("Bob", "fighter", FIELD).await;
        arena.refuses(&ann, "duel_offer", json!([bob.id]), "combat.switched_off").await;
    });
}
