//! Fights through the SDK: calls, bodies in view, and decisions as they are heard.

use super::{next_of, open, play};
use crate::support::content::{set, srd};
use crate::support::{on_database, until};
use haven_client_sdk::{AbilityAim, Event, Haven};

#[test]
fn two_players_fight_and_hear_every_decision_with_its_dice() {
    on_database(|database| async move {
        let mut pack = srd();
        set(&mut pack, "attack_millis", 500);
        set(&mut pack, "global_cooldown_millis", 0);
        // The duel goes on after a blow, however well it was struck.
        set(&mut pack, "pvp_damage_percent", 20);
        database.put_in_force(&pack).await;
        let gateway = open(&database).await;
        let haven = Haven::new(&gateway.uri()).expect("a gateway");
        let (_, ann, ann_id) = play(&haven, "Ann").await;
        // One asks when it is in the world, the other had better asked before.
        ann.watch_fights().await.expect("watched");
        let (_, bob, bob_id) = play(&haven, "Bob").await;
        bob.watch_fights().await.expect("watched");
        bob.watch_fights().await.expect("twice is no more");
        let (_, eve, _) = play(&haven, "Eve").await;
        until("both see both", || async {
            let sees = [ann.body_of(bob_id), bob.body_of(ann_id), bob.body_of(bob_id)];
            sees.iter().all(Option::is_some).then_some(())
        })
        .await;

        let refused = ann.attack(bob_id).await.expect_err("they are friends");
        assert_eq!(refused.code(), "combat.target_protected");
        let mut heard = bob.events();
        ann.offer_duel(bob_id).await.expect("offered");
        bob.answer_duel(ann_id, true).await.expect("accepted");
        ann.attack(bob_id).await.expect("they fight");
        let is_attack = |event: &Event| matches!(event, Event::Decided { decision, .. } if &*decision.ability == "attack");
        let event = next_of(&mut heard, is_attack).await;
        let Event::Decided { decision, .. } = event else { unreachable!("filtered above") };
        let line = &decision.lines[0];
        assert_eq!((decision.actor_id, line.target_id), (ann_id, bob_id));
        assert!(decision.dice.contains(&(20, line.natural)), "{decision:?}");
        assert!(line.to_string().contains(" against "), "{line}");
        until("his hit points follow", || async {
            let body = bob.body_of(bob_id).expect("in view");
            (body.hit_points == body.hit_points_max - line.amount).then_some(())
        })
        .await;
        until("she has it in her list", || async {
            let events = ann.combat_events();
            events.iter().any(|known| known.event_id == decision.event_id).then_some(())
        })
        .await;
        assert!(eve.bodies().is_empty() && eve.combat_events().is_empty(), "she did not ask");

        for (refused, code) in [
            (ann.rest(false).await, "combat.rest_fighting"),
            (ann.end_rest().await, "combat.not_resting"),
            (ann.return_to_life().await, "combat.not_dead"),
            (ann.use_ability("fly", AbilityAim::Oneself, 0).await, "combat.ability_unknown"),
            (eve.end_duel().await, "combat.duel_unknown"),
        ] {
            assert_eq!(refused.expect_err(code).code(), code);
        }
        ann.cancel_cast().await.expect("nothing is no error");
        bob.end_duel().await.expect("he gives up");
        for player in [ann, bob, eve] {
            player.disconnect().await;
        }
        gateway.stop().await;
    });
}
