//! Properties of the mind, whatever it sees.

use super::*;
use proptest::prelude::*;

fn any_seen(ids: std::ops::Range<u64>) -> impl Strategy<Value = Seen> {
    let place = (-60_000_i32..60_000, -60_000_i32..60_000);
    let bools = any::<(bool, bool, bool, bool, bool)>();
    (ids, place, 0_u8..=100, bools, prop::option::of(8_u64..14), 1_u8..20).prop_map(
        |(entity_id, (x_mm, y_mm), hit_points_percent, bools, target_id, level)| Seen {
            target_id,
            level,
            hit_points_percent,
            is_down: bools.0 && bools.1,
            is_casting: bools.2,
            is_hampered: bools.3,
            is_helped: bools.1,
            is_in_sight: bools.4,
            ..seen(entity_id, Point { x_mm, y_mm })
        },
    )
}

fn any_ready() -> impl Strategy<Value = Ready<'static>> {
    let kinds = [Kind::Harm, Kind::Heal, Kind::Help, Kind::Control, Kind::Summon];
    let areas = [
        None,
        Some(Area::Sphere { radius_mm: 6_000 }),
        Some(Area::Cone { length_mm: 9_000 }),
        Some(Area::Line { length_mm: 18_000, width_mm: 1_500 }),
        Some(Area::Cube { side_mm: 3_000 }),
    ];
    let keys = ["one", "two", "three"];
    (
        prop::sample::select(keys.to_vec()),
        prop::sample::select(kinds.to_vec()),
        prop::sample::select(Target::ALL),
        0_u32..40_000,
        prop::sample::select(areas.to_vec()),
        any::<(bool, bool)>(),
    )
        .prop_map(|(key, kind, target, range_mm, area, (is_ready, spares_allies))| Ready {
            area,
            spares_allies,
            is_ready,
            ..ability(key, kind, target, range_mm)
        })
}

prop_compose! {
    fn any_scene()(
        oneself in any_seen(SELF_ID..SELF_ID + 1),
        allies in prop::collection::vec(any_seen(2..8), 0..SEEN_MAX),
        enemies in prop::collection::vec(any_seen(8..14), 0..SEEN_MAX),
        threat in prop::collection::vec((8_u64..14, 0_u64..200), 0..6),
        behaviors in prop::sample::subsequence(Behavior::ALL, 0..6),
        ready in prop::collection::vec(any_ready(), 0..4),
        reaches in (prop::sample::select(vec![0_u32, 1_500, 3_000]), 0_u32..2),
        leash_mm in 0_u32..60_000,
        mood in 0_u8..4,
        target_id in prop::option::of(8_u64..14),
        bools in any::<[bool; 8]>(),
    ) -> Scene {
        let [can_act, can_call, still, is_fearless, casts_a, casts_b, is_walking, is_fire] = bools;
        Scene {
            oneself, allies, enemies, threat, behaviors, ready,
            melee_mm: reaches.0,
            ranged_mm: reaches.1 * 20_000,
            leash_mm,
            mood: Mood::from_code(mood),
            target_id,
            can_act,
            can_call,
            can_go: !still || !casts_a,
            is_fearless,
            is_casting: casts_a && casts_b,
            is_walking,
            is_friendly_fire: is_fire,
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    #[test]
    fn a_decision_keeps_to_what_is_so(scene in any_scene(), chance: u64) {
        with_view(&scene, |view| -> Result<(), TestCaseError> {
            let decision = decide(view, chance);
            prop_assert_eq!(decision, decide(view, chance));
            let friends = || std::iter::once(&view.oneself).chain(view.allies);
            let is_friend = |id: u64| friends().any(|friend| friend.entity_id == id);
            let is_enemy = |id: u64| view.enemies.iter().any(|enemy| enemy.entity_id == id);
            let in_leash = |to: Point| distance_mm(view.home, to) <= i64::from(view.leash_mm);
            let is_usable =
                |key: &str| view.ready.iter().any(|ready| ready.key == key && ready.is_ready);
            let aims_at_seen = |aimed: &Aimed| match aimed {
                Aimed::Entity(id) => is_friend(*id) || is_enemy(*id),
                Aimed::Oneself | Aimed::Point(_) | Aimed::Direction(_) => true,
            };
            match &decision.act {
                Act::Attack { target_id } => {
                    prop_assert!(is_enemy(*target_id) && view.can_act);
                }
                Act::Use { ability, aimed } => {
                    prop_assert!(is_usable(ability) && aims_at_seen(aimed));
                }
                Act::HealAlly { target_id, ability, aimed } => {
                    prop_assert!(is_friend(*target_id) && is_usable(ability));
                    prop_assert!(aims_at_seen(aimed));
                }
                Act::Approach { target_id, to } => {
                    prop_assert!(is_friend(*target_id) || is_enemy(*target_id));
                    prop_assert!(in_leash(*to) && view.can_go());
                }
                Act::KeepDistance { to } | Act::Flee { to } => {
                    prop_assert!(in_leash(*to) && view.can_go());
                }
                Act::Wander { to } | Act::Patrol { to } => {
                    prop_assert!(in_leash(*to) && view.can_go());
                    prop_assert!(decision.mood == Mood::Idle);
                }
                Act::GoHome => prop_assert!(view.can_go()),
                Act::CallForHelp => prop_assert!(view.can_call),
                Act::Guard | Act::Rest => {}
            }
            if !view.oneself.is_down {
                let is_drawn = |(of, threat): &(u64, u64), id: u64| *of == id && *threat > 0;
                let drawn = |id: u64| scene.threat.iter().any(|entry| is_drawn(entry, id));
                prop_assert!(decision.target_id.is_none_or(|id| is_enemy(id) && drawn(id)));
            }
            let best = explain(view, chance).iter().map(|(_, score)| *score).max();
            prop_assert_eq!(best, Some(decision.score));
            Ok(())
        })?;
    }
}
