//! Cases of the mind.

use super::*;
use crate::combat::threat::{Entry, Threat};

mod any;
mod told;

use told::act;

const SELF_ID: u64 = 1;

/// What a view is made of, so that it can be changed in a case.
#[derive(Clone, Debug)]
#[expect(clippy::struct_excessive_bools, reason = "as in a view")]
struct Scene {
    oneself: Seen,
    allies: Vec<Seen>,
    enemies: Vec<Seen>,
    threat: Vec<(u64, u64)>,
    behaviors: Vec<Behavior>,
    ready: Vec<Ready<'static>>,
    melee_mm: u32,
    ranged_mm: u32,
    leash_mm: u32,
    mood: Mood,
    target_id: Option<u64>,
    can_act: bool,
    can_call: bool,
    can_go: bool,
    is_fearless: bool,
    is_casting: bool,
    is_walking: bool,
    is_friendly_fire: bool,
}

const fn at(x_m: i32, y_m: i32) -> Point {
    Point { x_mm: x_m * 1_000, y_mm: y_m * 1_000 }
}

fn seen(entity_id: u64, place: Point) -> Seen {
    Seen {
        entity_id,
        place,
        level: 1,
        armor_class: 14,
        hit_points_percent: 100,
        is_in_sight: true,
        ..Seen::default()
    }
}

/// A creature at home that strikes at 1.5 m, fighting somebody of id 10 a metre away.
fn scene() -> Scene {
    Scene {
        oneself: seen(SELF_ID, at(0, 0)),
        allies: vec![],
        enemies: vec![seen(10, at(1, 0))],
        threat: vec![(10, 100)],
        behaviors: vec![Behavior::Hunt],
        ready: vec![],
        melee_mm: 1_500,
        ranged_mm: 0,
        leash_mm: 40_000,
        mood: Mood::Fighting,
        target_id: Some(10),
        can_act: true,
        can_call: false,
        can_go: true,
        is_fearless: false,
        is_casting: false,
        is_walking: false,
        is_friendly_fire: false,
    }
}

fn with_view<T>(scene: &Scene, run: impl FnOnce(&View<'_, '_>) -> T) -> T {
    let entry = |(entity_id, threat): &(u64, u64)| Entry {
        entity_id: *entity_id,
        threat: *threat,
        contribution: 0,
    };
    let threat = Threat::new(scene.threat.iter().map(entry).collect());
    run(&View {
        oneself: scene.oneself,
        allies: &scene.allies,
        enemies: &scene.enemies,
        threat: &threat,
        home: at(0, 0),
        roam_mm: 8_000,
        leash_mm: scene.leash_mm,
        sight_mm: 20_000,
        behaviors: &scene.behaviors,
        ready: &scene.ready,
        melee_mm: scene.melee_mm,
        ranged_mm: scene.ranged_mm,
        strike_power: 7,
        speed_mm_per_round: if scene.can_go { 9_000 } else { 0 },
        mood: scene.mood,
        target_id: scene.target_id,
        can_act: scene.can_act,
        can_call: scene.can_call,
        is_friendly_fire: scene.is_friendly_fire,
        is_fearless: scene.is_fearless,
        is_casting: scene.is_casting,
        is_walking: scene.is_walking,
    })
}

fn told(scene: &Scene, chance: u64) -> String {
    with_view(scene, |view| {
        let decision = decide(view, chance);
        let forgets = if decision.forgets { ", forgets" } else { "" };
        format!("{}, {:?}{forgets}", act(&decision.act), decision.mood)
    })
}

/// Changes the scene and compares what is decided.
fn check(change: impl FnOnce(&mut Scene), expected: &str) {
    let mut scene = scene();
    change(&mut scene);
    assert_eq!(told(&scene, 0), expected, "{scene:#?}");
}

fn ability(key: &'static str, kind: Kind, target: Target, range_mm: u32) -> Ready<'static> {
    Ready {
        key,
        kind,
        target,
        range_mm,
        area: None,
        attack: None,
        spares_allies: false,
        power: 20,
        is_ready: true,
    }
}

#[test]
fn it_strikes_who_is_within_reach_and_goes_to_who_is_not() {
    check(|_| {}, "attack 10, Fighting");
    check(|scene| scene.can_act = false, "guard, Fighting");
    check(|scene| scene.enemies[0].place = at(10, 0), "approach 10 at 8800 0, Fighting");
    check(|scene| scene.is_casting = true, "guard, Fighting");
    check(|scene| scene.oneself.is_down = true, "rest, Fighting");
    check(|scene| scene.enemies[0].is_down = true, "rest, Idle, forgets");
    check(|scene| scene.threat.clear(), "rest, Idle, forgets");
}

#[test]
fn it_turns_by_threat_and_else_to_the_better_prey() {
    let second = |scene: &mut Scene, threat| {
        scene.enemies.push(seen(11, at(0, 1)));
        scene.threat.push((11, threat));
    };
    check(|scene| second(scene, 109), "attack 10, Fighting");
    check(|scene| second(scene, 110), "attack 11, Fighting");
    // Nearly down: clearly the better prey, but only among those who draw it as much.
    check(
        |scene| {
            second(scene, 92);
            scene.enemies[1].hit_points_percent = 20;
        },
        "attack 11, Fighting",
    );
    check(
        |scene| {
            second(scene, 90);
            scene.enemies[1].hit_points_percent = 20;
        },
        "attack 10, Fighting",
    );
    check(
        |scene| {
            second(scene, 100);
            (scene.enemies[1].is_casting, scene.enemies[1].armor_class) = (true, 11);
        },
        "attack 11, Fighting",
    );
    check(
        |scene| {
            second(scene, 100);
            scene.enemies[1].is_casting = true;
        },
        "attack 10, Fighting",
    );
    check(
        |scene| {
            second(scene, 100);
            scene.enemies[1].hit_points_percent = 20;
            // A taunt is threat.
            let mut threat = Threat::default();
            threat.draw(10, 100);
            threat.taunt(10, 10);
            scene.threat[0].1 = threat.entries()[0].threat;
        },
        "attack 10, Fighting",
    );
}

#[test]
fn it_gives_up_beyond_its_leash_and_on_who_cannot_be_reached() {
    check(|scene| scene.oneself.place = at(41, 0), "go home, GoingHome, forgets");
    check(
        |scene| {
            scene.oneself.place = at(39, 0);
            scene.enemies[0].place = at(45, 0);
        },
        "go home, GoingHome, forgets",
    );
    check(
        |scene| {
            scene.oneself.place = at(30, 0);
            scene.enemies[0].place = at(31, 0);
            scene.mood = Mood::GoingHome;
        },
        "go home, GoingHome",
    );
    check(
        |scene| {
            scene.oneself.place = at(15, 0);
            scene.enemies[0].place = at(16, 0);
            scene.mood = Mood::GoingHome;
        },
        "attack 10, Fighting",
    );
    check(
        |scene| {
            scene.threat.clear();
            scene.oneself.place = at(15, 0);
        },
        "go home, GoingHome, forgets",
    );
    check(
        |scene| {
            scene.threat.clear();
            (scene.mood, scene.oneself.place) = (Mood::GoingHome, at(1, 0));
        },
        "rest, Idle",
    );
    // Who cannot go stays, wherever it is.
    check(
        |scene| {
            scene.can_go = false;
            (scene.oneself.place, scene.enemies[0].place) = (at(50, 0), at(60, 0));
        },
        "rest, Idle, forgets",
    );
}

#[test]
fn who_shoots_keeps_its_distance() {
    let archer = |scene: &mut Scene| {
        scene.ranged_mm = 24_000;
        scene.behaviors = vec![Behavior::Guard, Behavior::KeepDistance];
        scene.enemies[0].place = at(12, 0);
    };
    check(archer, "attack 10, Fighting");
    check(
        |scene| {
            archer(scene);
            scene.can_act = false;
        },
        "guard, Fighting",
    );
    check(
        |scene| {
            archer(scene);
            (scene.can_act, scene.enemies[0].place) = (false, at(5, 0));
        },
        "keep distance at -9000 0, Fighting",
    );
    check(
        |scene| {
            archer(scene);
            scene.enemies[0].place = at(30, 0);
        },
        "approach 10 at 10800 0, Fighting",
    );
    // What stands between is walked around.
    check(
        |scene| {
            archer(scene);
            scene.enemies[0].is_in_sight = false;
        },
        "approach 10 at 10800 0, Fighting",
    );
    // With its back to the leash it steps aside.
    check(
        |scene| {
            archer(scene);
            scene.can_act = false;
            (scene.oneself.place, scene.enemies[0].place) = (at(-38, 0), at(-35, 0));
        },
        "keep distance at -38000 -9000, Fighting",
    );
}

#[test]
fn a_pack_takes_different_sides() {
    let pack = |scene: &mut Scene| {
        scene.behaviors.push(Behavior::Flank);
        scene.enemies[0].place = at(10, 0);
        let mut ally = seen(2, at(9, 0));
        ally.target_id = Some(10);
        scene.allies.push(ally);
        scene.oneself.entity_id = 5;
    };
    // The far side of the ally that was first, a quarter of a turn at a time.
    check(pack, "approach 10 at 10000 -1200, Fighting");
    check(
        |scene| {
            pack(scene);
            (scene.oneself.place, scene.can_act) = (at(10, -1), false);
        },
        "approach 10 at 11200 0, Fighting",
    );
    check(
        |scene| {
            pack(scene);
            (scene.oneself.place, scene.can_act) = (at(11, 0), false);
        },
        "guard, Fighting",
    );
    // One that does not flank goes straight until there are three of them.
    check(
        |scene| {
            pack(scene);
            scene.behaviors.pop();
        },
        "approach 10 at 8800 0, Fighting",
    );
}

#[test]
fn who_is_losing_flees() {
    let loses = |scene: &mut Scene| {
        scene.enemies.push(seen(11, at(5, 0)));
        scene.oneself.hit_points_percent = 45;
    };
    check(loses, "attack 10, Fighting");
    check(
        |scene| {
            loses(scene);
            scene.behaviors.push(Behavior::Flee);
        },
        "flee to -12000 0, Fleeing",
    );
    check(
        |scene| {
            loses(scene);
            scene.oneself.hit_points_percent = 15;
        },
        "flee to -12000 0, Fleeing",
    );
    check(
        |scene| {
            loses(scene);
            scene.behaviors.push(Behavior::Flee);
            scene.is_fearless = true;
        },
        "attack 10, Fighting",
    );
    check(
        |scene| {
            (scene.mood, scene.oneself.hit_points_percent) = (Mood::Fleeing, 70);
        },
        "flee to -12000 0, Fleeing",
    );
    // Cornered, it fights.
    check(
        |scene| {
            loses(scene);
            scene.behaviors.push(Behavior::Flee);
            scene.leash_mm = 3_000;
        },
        "attack 10, Fighting",
    );
    check(
        |scene| scene.behaviors = vec![Behavior::Wander, Behavior::Flee],
        "flee to -12000 0, Fleeing",
    );
}

#[test]
fn it_calls_whoever_is_at_peace() {
    let calls = |scene: &mut Scene| {
        scene.can_call = true;
        scene.behaviors.push(Behavior::CallForHelp);
        scene.allies.push(seen(2, at(-9, 0)));
        scene.oneself.hit_points_percent = 50;
    };
    check(calls, "call, Fighting");
    for change in [
        |scene: &mut Scene| scene.can_call = false,
        |scene: &mut Scene| scene.oneself.hit_points_percent = 100,
        |scene: &mut Scene| scene.allies[0].target_id = Some(10),
        |scene: &mut Scene| scene.allies.clear(),
        |scene: &mut Scene| scene.behaviors.truncate(1),
    ] {
        check(
            |scene| {
                calls(scene);
                change(scene);
            },
            "attack 10, Fighting",
        );
    }
}

#[test]
fn it_heals_who_has_lost_most() {
    let heals = |scene: &mut Scene| {
        scene.behaviors.push(Behavior::HealAllies);
        scene.ready.push(ability("mend", Kind::Heal, Target::Ally, 9_000));
        for (id, percent) in [(2, 55), (3, 30), (4, 90)] {
            let place = at(0, i32::try_from(id).expect("small"));
            scene.allies.push(Seen { hit_points_percent: percent, ..seen(id, place) });
        }
    };
    check(heals, "heal 3 by mend at 3, Fighting");
    check(
        |scene| {
            heals(scene);
            scene.allies[1].is_down = true;
        },
        "heal 2 by mend at 2, Fighting",
    );
    check(
        |scene| {
            heals(scene);
            scene.ready[0].is_ready = false;
        },
        "attack 10, Fighting",
    );
    check(
        |scene| {
            heals(scene);
            scene.behaviors.truncate(1);
            scene.oneself.hit_points_percent = 40;
        },
        "heal 1 by mend at 1, Fighting",
    );
    check(
        |scene| {
            heals(scene);
            scene.allies.truncate(2);
            scene.allies[1].place = at(0, 20);
            scene.allies[0].hit_points_percent = 100;
        },
        "approach 3 at 0 12800, Fighting",
    );
}

#[test]
fn it_uses_what_reaches_most() {
    let sphere = Some(Area::Sphere { radius_mm: 3_000 });
    let blast = Ready { area: sphere, ..ability("blast", Kind::Harm, Target::Point, 30_000) };
    let crowd = |scene: &mut Scene| {
        scene.behaviors.push(Behavior::Cast);
        for (id, x) in [(11, 18), (12, 20)] {
            scene.enemies.push(seen(id, at(x, 0)));
        }
        scene.ready.push(blast);
    };
    check(crowd, "use blast at (18000 0), Fighting");
    // With friends in its way it is not worth it.
    check(
        |scene| {
            crowd(scene);
            scene.is_friendly_fire = true;
            scene.allies.push(seen(2, at(19, 0)));
        },
        "attack 10, Fighting",
    );
    check(
        |scene| {
            crowd(scene);
            scene.ready[0].is_ready = false;
        },
        "attack 10, Fighting",
    );
    check(
        |scene| {
            let cone = Some(Area::Cone { length_mm: 9_000 });
            let breath = ability("breath", Kind::Harm, Target::Direction, 9_000);
            scene.ready.push(Ready { area: cone, ..breath });
            scene.behaviors.push(Behavior::Cast);
        },
        "use breath at direction 1000 0, Fighting",
    );
    check(
        |scene| {
            let roar = ability("roar", Kind::Control, Target::Oneself, 0);
            scene.ready.push(Ready { area: sphere, ..roar });
        },
        "use roar at oneself, Fighting",
    );
    check(
        |scene| {
            scene.ready.push(ability("hold", Kind::Control, Target::Enemy, 9_000));
            scene.enemies[0].is_hampered = true;
        },
        "attack 10, Fighting",
    );
    check(
        |scene| scene.ready.push(ability("call_rats", Kind::Summon, Target::Oneself, 0)),
        "use call_rats at oneself, Fighting",
    );
    check(
        |scene| scene.ready.push(ability("bless", Kind::Help, Target::Ally, 9_000)),
        "use bless at 1, Fighting",
    );
    check(
        |scene| {
            scene.ready.push(ability("bless", Kind::Help, Target::Ally, 9_000));
            scene.oneself.is_helped = true;
        },
        "attack 10, Fighting",
    );
    // It goes as near as it reaches before it casts.
    check(
        |scene| {
            scene.ready.push(ability("bolt", Kind::Harm, Target::Enemy, 9_000));
            (scene.melee_mm, scene.enemies[0].place) = (0, at(10, 0));
        },
        "approach 10 at 2800 0, Fighting",
    );
}

#[test]
fn at_peace_it_does_what_it_tends_to() {
    let peace = |scene: &mut Scene, behavior| {
        scene.threat.clear();
        (scene.mood, scene.behaviors) = (Mood::Idle, vec![behavior]);
    };
    check(|scene| peace(scene, Behavior::Guard), "guard, Idle");
    check(|scene| peace(scene, Behavior::Hunt), "rest, Idle");
    check(|scene| peace(scene, Behavior::Patrol), "patrol to 8000 0, Idle");
    check(
        |scene| {
            peace(scene, Behavior::Patrol);
            scene.oneself.place = at(8, 0);
        },
        "patrol to 5656 5656, Idle",
    );
    check(
        |scene| {
            peace(scene, Behavior::Patrol);
            scene.is_walking = true;
        },
        "rest, Idle",
    );
    check(
        |scene| {
            peace(scene, Behavior::Guard);
            scene.oneself.place = at(11, 0);
        },
        "go home, GoingHome, forgets",
    );
    let mut scene = scene();
    peace(&mut scene, Behavior::Wander);
    let strolls = (0..300).filter(|chance| told(&scene, chance * 7_919).contains("wander"));
    let strolls = strolls.count();
    assert!((40..=100).contains(&strolls), "{strolls} of 300");
}

#[test]
fn it_can_say_why() {
    let mut scene = scene();
    scene.ready.push(ability("bolt", Kind::Harm, Target::Enemy, 9_000));
    let told = with_view(&scene, |view| {
        let options = explain(view, 0);
        options.iter().map(|(option, score)| (act(option), *score)).collect::<Vec<_>>()
    });
    let expected = [("rest", 0), ("use bolt at 10", 310), ("attack 10", 307), ("guard", 50)];
    assert_eq!(told, expected.map(|(act, score)| (act.to_owned(), score)));
}
