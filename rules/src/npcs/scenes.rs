//! Scenes: creatures of the shipped content play out what is told of them, in a world of their own
//! that knows nothing but places, hit points and cooldowns.
//!
//! Each scene is told as it went: who did what when, each deed once until something else is done.
//! Blows always hit and do their average, so that a scene is the same every time.

use super::mind::{Act, Kind, Mood, Ready, Seen, View, decide, is_fearless, ready_of, strikes_of};
use super::ways::{distance_mm, side_of, towards};
use super::{CALL_MICROS, THINK_FIGHTING_MICROS, phases};
use crate::combat::areas::Point;
use crate::combat::threat::Threat;
use crate::content::book::Book;
use crate::content::tests::read_shipped;
use crate::content::{Action, CreatureDef};
use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::sync::OnceLock;

const STEP_MICROS: i64 = 100_000;
const ROUND_MICROS: i64 = 6_000_000;
/// How far creatures hear a call.
const HELP_MM: i64 = 15_000;

fn shipped() -> &'static Book {
    static BOOK: OnceLock<Book> = OnceLock::new();
    BOOK.get_or_init(|| Book::new(read_shipped()))
}

const fn at(x_m: i32, y_m: i32) -> Point {
    Point { x_mm: x_m * 1_000, y_mm: y_m * 1_000 }
}

/// Somebody in a scene: a creature, or somebody who does as the scene says.
struct Body {
    entity_id: u64,
    name: &'static str,
    def: Option<&'static CreatureDef>,
    place: Point,
    home: Point,
    hit_points: i32,
    hit_points_max: i32,
    speed_mm_per_s: i64,
    goes_to: Option<Point>,
    threat: Threat,
    mood: Mood,
    target_id: Option<u64>,
    phases: u8,
    action_at: i64,
    called_at: i64,
    ready_at: BTreeMap<&'static str, i64>,
    said: String,
}

impl Body {
    fn percent(&self) -> u8 {
        phases::percent_of(self.hit_points, self.hit_points_max)
    }

    fn is_down(&self) -> bool {
        self.hit_points == 0
    }

    fn seen(&self) -> Seen {
        Seen {
            entity_id: self.entity_id,
            place: self.place,
            target_id: self.target_id,
            level: 1,
            armor_class: self.def.map_or(14, |def| def.armor_class),
            hit_points_percent: self.percent(),
            is_down: self.is_down(),
            is_in_sight: true,
            ..Seen::default()
        }
    }
}

#[derive(Default)]
struct Scene {
    bodies: Vec<Body>,
    now: i64,
    told: String,
}

impl Scene {
    fn add(&mut self, name: &'static str, place: Point) -> &mut Body {
        let entity_id = u64::try_from(self.bodies.len()).expect("few") + 1;
        self.bodies.push(Body {
            entity_id,
            name,
            def: None,
            place,
            home: place,
            hit_points: 60,
            hit_points_max: 60,
            speed_mm_per_s: 3_000,
            goes_to: None,
            threat: Threat::default(),
            mood: Mood::Idle,
            target_id: None,
            phases: 0,
            action_at: 0,
            called_at: -CALL_MICROS,
            ready_at: BTreeMap::new(),
            said: String::new(),
        });
        self.bodies.last_mut().expect("just added")
    }

    /// A creature of the shipped content that somebody draws already.
    fn creature(&mut self, name: &'static str, key: &str, place: Point, drawn_by: u64) {
        let def = shipped().creature(key).expect("shipped");
        let body = self.add(name, place);
        body.def = Some(def);
        body.hit_points_max = def.hit_dice.average();
        body.hit_points = body.hit_points_max;
        // Whoever fights runs, twice as fast as in a round of the table game.
        body.speed_mm_per_s = i64::from(def.speed_mm_per_round) * 2 / 6;
        if drawn_by > 0 {
            body.threat.draw(drawn_by, 1);
        }
    }

    fn body(&mut self, entity_id: u64) -> &mut Body {
        let index = usize::try_from(entity_id - 1).expect("few");
        &mut self.bodies[index]
    }

    fn name(&mut self, entity_id: u64) -> &'static str {
        self.body(entity_id).name
    }

    fn tell(&mut self, entity_id: u64, what: &str) {
        let seconds = (self.now / 1_000_000, self.now / 100_000 % 10);
        let body = self.body(entity_id);
        if body.said != what {
            what.clone_into(&mut body.said);
            let name = body.name;
            writeln!(self.told, "{:>2}.{} {name} {what}", seconds.0, seconds.1).expect("a string");
        }
    }

    /// Lets so many seconds pass; `script` is asked at each step.
    fn play(&mut self, seconds: i64, mut script: impl FnMut(&mut Self)) -> &mut Self {
        let until = self.now + seconds * 1_000_000;
        while self.now < until {
            script(self);
            for index in 0..self.bodies.len() {
                self.walk(index);
                let id = index as u64 + 1;
                let thinks_at = i64::try_from(id).expect("few") * STEP_MICROS;
                let is_due = (self.now - thinks_at).rem_euclid(THINK_FIGHTING_MICROS) == 0;
                if is_due && self.bodies[index].def.is_some() && !self.bodies[index].is_down() {
                    self.think(id);
                }
            }
            self.now += STEP_MICROS;
        }
        self
    }

    fn walk(&mut self, index: usize) {
        let body = &mut self.bodies[index];
        let Some(to) = body.goes_to.filter(|_| body.hit_points > 0) else { return };
        let step_mm = body.speed_mm_per_s * STEP_MICROS / 1_000_000;
        if distance_mm(body.place, to) <= step_mm {
            (body.place, body.goes_to) = (to, None);
        } else {
            body.place = towards(body.place, to, step_mm);
        }
    }

    fn nearest_first(&self, of: &Body, is_ally: bool) -> Vec<Seen> {
        let others = self
            .bodies
            .iter()
            .filter(|other| other.entity_id != of.entity_id && (other.def.is_some() == is_ally));
        let mut seen: Vec<Seen> = others.map(Body::seen).collect();
        seen.sort_by_key(|seen| distance_mm(seen.place, of.place));
        seen
    }

    fn enemies_of(&self, entity_id: u64) -> Vec<Seen> {
        let own = self.bodies.iter().find(|body| body.entity_id == entity_id);
        self.nearest_first(own.expect("of the scene"), false)
    }

    fn think(&mut self, entity_id: u64) {
        self.begin_phase(entity_id);
        let now = self.now;
        let own = &self.bodies[usize::try_from(entity_id - 1).expect("few")];
        let def = own.def.expect("a creature");
        let (keys, behaviors) = phases::current(def, own.phases);
        let mut ready: Vec<Ready<'_>> = Vec::new();
        for key in keys {
            let ability = shipped().ability(key).expect("shipped");
            let is_back = ability.action != Action::Action || own.action_at <= now;
            let is_cool = own.ready_at.get(key.as_str()).is_none_or(|at| *at <= now);
            let known = ready_of(ability);
            ready.extend(known.map(|known| Ready { is_ready: is_back && is_cool, ..known }));
        }
        let strikes = strikes_of(def);
        let threat = own.threat.clone();
        let (allies, enemies) = (self.nearest_first(own, true), self.nearest_first(own, false));
        let view = View {
            oneself: own.seen(),
            allies: &allies,
            enemies: &enemies,
            threat: &threat,
            home: own.home,
            roam_mm: 8_000,
            leash_mm: def.leash_mm,
            sight_mm: def.sight_mm,
            behaviors,
            ready: &ready,
            melee_mm: strikes.melee_mm,
            ranged_mm: strikes.ranged_mm,
            strike_power: strikes.power,
            speed_mm_per_round: def.speed_mm_per_round,
            mood: own.mood,
            target_id: own.target_id,
            can_act: own.action_at <= now,
            can_call: own.called_at + CALL_MICROS <= now,
            is_friendly_fire: false,
            is_fearless: is_fearless(def.kind),
            is_casting: false,
            is_walking: own.goes_to.is_some(),
        };
        let decision = decide(&view, 1);
        let body = self.body(entity_id);
        (body.mood, body.target_id) = (decision.mood, decision.target_id);
        if decision.forgets {
            body.threat = Threat::default();
            body.hit_points = body.hit_points_max;
        }
        self.act(entity_id, &decision.act, strikes.power);
    }

    fn begin_phase(&mut self, entity_id: u64) {
        let body = self.body(entity_id);
        let def = body.def.expect("a creature");
        if let Some(index) = phases::begun(def, body.percent(), body.phases) {
            body.phases = u8::try_from(index + 1).expect("few");
            let percent = body.percent();
            self.tell(entity_id, &format!("begins phase {} at {percent} %", index + 1));
        }
    }

    fn act(&mut self, entity_id: u64, act: &Act<'static>, power: u16) {
        let now = self.now;
        let (home, place) = (self.body(entity_id).home, self.body(entity_id).place);
        let what = match *act {
            Act::Attack { target_id } => {
                self.body(entity_id).action_at = now + ROUND_MICROS;
                self.body(entity_id).goes_to = None;
                let what = format!("strikes {}", self.name(target_id));
                self.tell(entity_id, &what);
                self.hurt(entity_id, target_id, i32::from(power));
                return;
            }
            Act::Use { ability, .. } => {
                self.spend(entity_id, ability);
                format!("uses {ability}")
            }
            Act::HealAlly { target_id, ability, .. } => {
                let power = self.spend(entity_id, ability);
                let patient = self.body(target_id);
                let before = patient.percent();
                patient.hit_points = (patient.hit_points + power).min(patient.hit_points_max);
                format!("heals {} at {before} %", self.name(target_id))
            }
            Act::Approach { target_id, to } => {
                self.body(entity_id).goes_to = Some(to);
                format!("goes for {}", self.name(target_id))
            }
            Act::KeepDistance { to } => {
                self.body(entity_id).goes_to = Some(to);
                let nearest = self.enemies_of(entity_id);
                format!("steps back at {} m", distance_mm(place, nearest[0].place) / 1_000)
            }
            Act::Flee { to } => {
                self.body(entity_id).goes_to = Some(to);
                "flees".to_owned()
            }
            Act::CallForHelp => {
                self.call(entity_id);
                "calls for help".to_owned()
            }
            Act::GoHome => {
                self.body(entity_id).goes_to = Some(home);
                "goes home".to_owned()
            }
            Act::Wander { to } | Act::Patrol { to } => {
                self.body(entity_id).goes_to = Some(to);
                "walks about".to_owned()
            }
            // Between blows.
            Act::Guard if self.body(entity_id).mood == Mood::Fighting => return,
            Act::Guard => "stands guard".to_owned(),
            Act::Rest => "rests".to_owned(),
        };
        self.tell(entity_id, &what);
    }

    fn spend(&mut self, entity_id: u64, key: &str) -> i32 {
        let ability = shipped().ability(key).expect("shipped");
        let now = self.now;
        let body = self.body(entity_id);
        if ability.action == Action::Action {
            body.action_at = now + ROUND_MICROS;
        }
        let cooldown = i64::from(ability.cooldown_millis) * 1_000;
        body.ready_at.insert(&ability.key, now + cooldown.max(ROUND_MICROS));
        let ready = ready_of(ability).expect("it was used");
        assert!(ready.kind == Kind::Heal || ready.is_attack() || ready.power < 100);
        i32::from(ready.power)
    }

    fn hurt(&mut self, by: u64, target_id: u64, damage: i32) {
        let target = self.body(target_id);
        target.hit_points = (target.hit_points - damage).max(0);
        target.threat.hurt(by, damage.unsigned_abs());
        if target.hit_points == 0 {
            self.tell(target_id, "falls");
        }
    }

    fn call(&mut self, entity_id: u64) {
        let now = self.now;
        let caller = self.body(entity_id);
        caller.called_at = now;
        let (place, target) = (caller.place, caller.target_id);
        for body in &mut self.bodies {
            let hears = body.def.is_some() && distance_mm(body.place, place) <= HELP_MM;
            if let Some(target) = target.filter(|_| hears) {
                body.threat.draw(target, 1);
            }
        }
    }

    /// On which side of somebody each creature stands.
    fn sides(&mut self, of: u64) -> &str {
        let names = ["e", "ne", "n", "nw", "w", "sw", "s", "se"];
        let middle = self.body(of).place;
        let sides: Vec<String> = self
            .bodies
            .iter()
            .filter(|body| body.def.is_some())
            .map(|body| {
                let side = names[usize::from(side_of(middle, body.place))];
                format!("{} {side}", body.name)
            })
            .collect();
        writeln!(self.told, "sides: {}", sides.join(", ")).expect("a string");
        &self.told
    }
}

fn check(told: &str, expected: &str) {
    assert_eq!(told.trim(), expected.trim(), "\n{told}");
}

#[test]
fn a_pack_surrounds() {
    let mut scene = Scene::default();
    scene.add("fighter", at(0, 0)).hit_points = 500;
    for (name, y) in [("wolf a", 0), ("wolf b", 2), ("wolf c", 4), ("wolf d", 6)] {
        scene.creature(name, "wolf", at(-12, y), 1);
    }
    scene.play(10, |_| {});
    check(
        scene.sides(1),
        "
 0.2 wolf a goes for fighter
 0.3 wolf b goes for fighter
 0.4 wolf c goes for fighter
 0.5 wolf d goes for fighter
 3.2 wolf a strikes fighter
 3.3 wolf b strikes fighter
 3.4 wolf c strikes fighter
 4.3 wolf b goes for fighter
 4.4 wolf c goes for fighter
 4.5 wolf d strikes fighter
 5.5 wolf d goes for fighter
 9.3 wolf b strikes fighter
 9.4 wolf c strikes fighter
sides: wolf a w, wolf b e, wolf c s, wolf d n
",
    );
}

#[test]
fn a_healer_heals_who_has_lost_most() {
    let mut scene = Scene::default();
    scene.add("fighter", at(0, 0));
    scene.creature("priest", "priest", at(-12, 0), 1);
    scene.creature("guard a", "guard", at(-2, 1), 1);
    scene.creature("guard b", "guard", at(-2, -1), 1);
    scene.play(24, |scene| match scene.now {
        1_000_000 => scene.hurt(1, 3, 6),
        1_500_000 => scene.hurt(1, 4, 9),
        _ => {}
    });
    check(
        &scene.told,
        "
 0.2 priest uses sacred_flame
 0.3 guard a strikes fighter
 0.4 guard b strikes fighter
 1.3 guard a goes for fighter
 1.4 guard b goes for fighter
 6.2 priest goes for guard b
 6.3 guard a strikes fighter
 6.4 guard b strikes fighter
10.3 guard a goes for fighter
10.4 guard b goes for fighter
12.3 guard a strikes fighter
12.4 guard b strikes fighter
13.2 priest heals guard b at 18 %
13.3 guard a goes for fighter
13.4 guard b goes for fighter
14.2 priest steps back at 0 m
15.2 priest steps back at 2 m
16.2 priest steps back at 5 m
18.3 guard a strikes fighter
18.4 guard b strikes fighter
19.2 priest goes for guard a
23.2 priest heals guard b at 54 %
23.4 guard b goes for fighter
",
    );
}

#[test]
fn a_boss_changes_with_its_phase() {
    let mut scene = Scene::default();
    scene.add("fighter", at(0, 0)).hit_points = 500;
    scene.creature("captain", "bandit_captain", at(-3, 0), 1);
    scene.creature("bandit", "bandit", at(-12, 0), 0);
    scene.play(12, |scene| {
        if scene.now % 2_000_000 == 0 {
            scene.hurt(1, 2, 9);
        }
    });
    check(
        &scene.told,
        "
 0.2 captain strikes fighter
 0.3 bandit stands guard
 1.2 captain goes for fighter
 4.2 captain calls for help
 4.3 bandit strikes fighter
 5.3 bandit goes for fighter
 6.2 captain strikes fighter
 8.2 captain begins phase 1 at 30 %
 8.2 captain uses rally
10.3 bandit strikes fighter
",
    );
}

#[test]
fn who_is_chased_escapes_beyond_the_leash() {
    let mut scene = Scene::default();
    scene.add("runner", at(3, 0)).goes_to = Some(at(90, 0));
    scene.creature("ogre", "ogre", at(0, 0), 1);
    scene.play(2, |_| {});
    scene.hurt(1, 2, 20);
    scene.play(40, |_| {});
    let ogre = scene.body(2);
    let left = (ogre.percent(), ogre.place, ogre.threat.entries().len());
    assert_eq!(left, (100, at(0, 0), 0));
    check(
        &scene.told,
        "
 0.2 ogre strikes runner
 1.2 ogre goes for runner
 6.2 ogre strikes runner
 7.2 ogre goes for runner
12.2 ogre strikes runner
14.2 ogre goes home
23.2 ogre stands guard
",
    );
}

#[test]
fn who_is_losing_flees() {
    let mut scene = Scene::default();
    scene.add("fighter", at(0, 0));
    scene.add("ranger", at(1, 1));
    scene.creature("wolf", "wolf", at(-2, 0), 1);
    scene.play(2, |_| {});
    scene.hurt(1, 3, 7);
    scene.play(20, |_| {});
    check(
        &scene.told,
        "
 0.3 wolf goes for fighter
 1.3 wolf strikes fighter
 2.3 wolf flees
 7.3 wolf goes home
12.3 wolf rests
",
    );
}

#[test]
fn who_shoots_keeps_its_distance() {
    let mut scene = Scene::default();
    let fighter = scene.add("fighter", at(0, 0));
    (fighter.speed_mm_per_s, fighter.hit_points) = (1_500, 500);
    scene.creature("centaur", "centaur", at(-14, 0), 1);
    scene.play(30, |scene| {
        let centaur = scene.body(2).place;
        let nearer = towards(centaur, scene.body(1).place, 1_000);
        scene.body(1).goes_to = Some(nearer);
    });
    check(
        &scene.told,
        "
 0.2 centaur strikes fighter
 5.2 centaur steps back at 6 m
 6.2 centaur strikes fighter
 8.2 centaur steps back at 6 m
12.2 centaur strikes fighter
14.2 centaur steps back at 6 m
18.2 centaur strikes fighter
20.2 centaur steps back at 6 m
24.2 centaur strikes fighter
26.2 centaur steps back at 6 m
",
    );
}
