//! The arena: random commands against the rules of fights, put together as the module does.
//!
//! Keeps true: bodies are loaded, decided about and stored as `reducers/src/combat` does it, in
//! memory in place of rows; after each command all of `held` holds. Leaves out on purpose: walls,
//! and blocks of the world.
//!
//! `HAVEN_ARENA_SEED` and `HAVEN_ARENA_COMMANDS` choose another run; what fails names its seed and
//! the number of the command.

mod acts;
mod after;
mod held;

use std::collections::{BTreeMap, BTreeSet};

use super::aim::CombatError;
use super::areas::Point;
use super::dice::Roller;
use super::fighter::{Effect, Fighter};
use super::house::House;
use super::rest::spend_hit_die;
use super::sheet::of_character;
use super::stage;
use super::threat::Threat;
use super::{aim::Aim, health::Vital};
use crate::characters::resources::Resources;
use crate::characters::spells::knows;
use crate::content::book::Book;
use crate::content::{AbilityDef, AbilityKind, Action, Area, Casting, Target};

/// The seed where nobody asks for another.
const SEED: u64 = 5;
/// Commands where nobody asks for more or fewer: without optimization a part of them.
const COMMANDS: u64 = if cfg!(debug_assertions) { 30_000 } else { 1_000_000 };
/// Fighters at a time.
const FIGHTERS: std::ops::RangeInclusive<usize> = 8..=12;
/// When it begins, milliseconds since 1970.
const BEGIN: i64 = 1_700_000_000_000;
/// How far from the middle they stand at most, millimetres.
const ROOM_MM: i32 = 15_000;

/// Chance of a seed (`SplitMix64`), for commands and dice.
struct Chance(u64);

impl Chance {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let one = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let other = (one ^ (one >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        other ^ (other >> 31)
    }

    /// 0 to one less than `count`.
    fn below(&mut self, count: usize) -> usize {
        let count = u64::try_from(count.max(1)).unwrap_or(u64::MAX);
        usize::try_from(self.next() % count).unwrap_or(0)
    }

    fn one_in(&mut self, count: usize) -> bool {
        self.below(count) == 0
    }

    fn between(&mut self, from: i64, to: i64) -> i64 {
        let span = usize::try_from(to - from + 1).unwrap_or(1);
        from + i64::try_from(self.below(span)).unwrap_or(0)
    }

    fn pick<'a, T>(&mut self, list: &'a [T]) -> Option<&'a T> {
        list.get(self.below(list.len()))
    }
}

impl Roller for Chance {
    fn roll(&mut self, sides: u8) -> u8 {
        u8::try_from(self.below(sides.into())).unwrap_or(0) + 1
    }
}

/// A deed that was begun.
#[derive(Clone, Copy)]
struct Begun {
    entity_id: u64,
    ability: &'static AbilityDef,
    aim: Aim,
    slot_level: u8,
    is_cast: bool,
    done_at: i64,
}

/// A body, and what stands in its rows.
struct Body {
    fighter: Fighter,
    /// What it can use.
    known: Vec<&'static AbilityDef>,
    casting: Casting,
    /// Slots and hit dice of a character.
    had: Resources,
    /// Uses since a rest.
    used: BTreeMap<&'static str, u8>,
    cooldowns: BTreeMap<&'static str, i64>,
    ready_at: i64,
    /// When it rolls for its life, wakes, or its corpse goes.
    looked_at: i64,
    threat: Threat,
    experience: u64,
    /// What it took of its turn comes back then, as the house said when it took it: action, bonus
    /// action, reaction. The judge's own note, no rule reads it.
    back_at: [i64; 3],
}

/// How often something happened, so that a run that proves nothing is noticed.
#[derive(Debug, Default)]
struct Count {
    begun: u64,
    refused: BTreeMap<&'static str, u64>,
    done: BTreeMap<&'static str, u64>,
    moments: u64,
    deaths: u64,
    revived: u64,
    broken: u64,
}

struct Arena {
    chance: Chance,
    book: &'static Book,
    house: House,
    now: i64,
    bodies: Vec<Body>,
    begun: Vec<Begun>,
    last_entity_id: u64,
    last_effect_id: u64,
    duel: Option<(u64, u64)>,
    /// What was given for each creature.
    paid: BTreeMap<u64, u64>,
    /// Experience of those who left.
    gone: u64,
    /// Who may live again by this command.
    returned: BTreeSet<u64>,
    count: Count,
    /// What broke.
    problem: Option<String>,
}

impl Arena {
    fn new(seed: u64) -> Self {
        let mut arena = Self {
            chance: Chance(seed),
            book: stage::book(),
            house: stage::house(),
            now: BEGIN,
            bodies: vec![],
            begun: vec![],
            last_entity_id: 0,
            last_effect_id: 0,
            duel: None,
            paid: BTreeMap::new(),
            gone: 0,
            returned: BTreeSet::new(),
            count: Count::default(),
            problem: None,
        };
        let count = 8 + arena.chance.below(5);
        for _ in 0..count {
            arena.join();
        }
        arena
    }

    fn breaks(&mut self, problem: impl Into<String>) {
        self.problem.get_or_insert(problem.into());
    }

    fn place(&mut self) -> Point {
        // Mostly so near that blades reach; now and then far away.
        let room = match self.chance.below(12) {
            0 => 3_000_000,
            1..=4 => i64::from(ROOM_MM),
            _ => 2_000,
        };
        let mut one = || i32::try_from(self.chance.between(-room, room)).unwrap_or(0);
        Point { x_mm: one(), y_mm: one() }
    }

    /// Somebody new: a character of any class and level, or a creature.
    fn join(&mut self) {
        self.last_entity_id += 1;
        let entity_id = self.last_entity_id;
        let players = self.bodies.iter().filter(|body| body.fighter.is_player).count();
        let is_player = players * 2 < self.bodies.len() || self.bodies.is_empty();
        let (fighter, known, casting) = if is_player {
            self.character(entity_id)
        } else {
            let creatures = &self.book.pack().creature;
            let def = self.chance.pick(creatures).expect("there are creatures");
            let mut known = self.of_kind(AbilityKind::Basic);
            known.extend(def.abilities.iter().filter_map(|key| self.book.ability(key)));
            (stage::foe(entity_id, &def.key), known, Casting::None)
        };
        let place = self.place();
        let had = Resources::full(&fighter.sheet);
        self.bodies.push(Body {
            fighter: Fighter { place, ..fighter },
            known,
            casting,
            had,
            used: BTreeMap::new(),
            cooldowns: BTreeMap::new(),
            ready_at: 0,
            looked_at: i64::MAX,
            threat: Threat::default(),
            experience: 0,
            back_at: [0; 3],
        });
    }

    fn character(&mut self, entity_id: u64) -> (Fighter, Vec<&'static AbilityDef>, Casting) {
        let pack = self.book.pack();
        let race = self.chance.pick(&pack.race).expect("there are races");
        let class = self.chance.pick(&pack.class).expect("there are classes");
        let level = u8::try_from(1 + self.chance.below(20)).unwrap_or(1);
        let build = stage::build(&race.key, &class.key, level);
        let sheet = of_character(&build, self.book).expect("content has both");
        // All of the class's list, as if it had prepared that.
        let can = |ability: &&AbilityDef| {
            let is_listed = ability.classes.contains(&class.key);
            is_listed && ability.level == 0 || knows(&build, &[], ability, self.book).0
        };
        let known = pack.ability.iter().filter(can).collect();
        (stage::body(entity_id, sheet, true), known, class.casting)
    }

    fn of_kind(&self, kind: AbilityKind) -> Vec<&'static AbilityDef> {
        self.book.pack().ability.iter().filter(|ability| ability.kind == kind).collect()
    }

    fn at_of(&self, entity_id: u64) -> Option<usize> {
        self.bodies.iter().position(|body| body.fighter.entity_id == entity_id)
    }

    /// A body as it is now: what is over is not loaded.
    fn load(&self, at: usize) -> Fighter {
        let mut fighter = self.bodies[at].fighter.clone();
        fighter.effects.retain(|effect| effect.ends_at > self.now);
        let entity_id = fighter.entity_id;
        fighter.is_casting =
            self.begun.iter().any(|begun| begun.is_cast && begun.entity_id == entity_id);
        fighter.health.set_max(fighter.hit_points_max());
        fighter
    }

    /// Writes a body: what is new gets its number, what was not loaded stays until its end is seen.
    fn store(&mut self, at: usize, mut fighter: Fighter) {
        for effect in &mut fighter.effects {
            if effect.effect_id == 0 {
                self.last_effect_id += 1;
                effect.effect_id = self.last_effect_id;
            }
        }
        let now = self.now;
        let old = std::mem::replace(&mut self.bodies[at].fighter, fighter);
        let over = old.effects.into_iter().filter(|effect| effect.ends_at <= now);
        self.bodies[at].fighter.effects.extend(over);
    }

    /// One command.
    fn step(&mut self) -> &'static str {
        match self.chance.below(100) {
            0..=59 => self.try_something(),
            60..=75 => self.pass(),
            76..=78 => self.tick(),
            79..=84 => self.moment_of_anything(),
            85..=87 => self.strike_at_somebody(),
            88 => self.save_of_somebody(),
            89..=90 => self.rest(),
            91 => self.come_back(),
            92..=93 => self.leave(),
            94 => self.tire(),
            95..=97 => self.walk(),
            98 => self.duel_somebody(),
            _ => match self.chance.below(20) {
                0 => self.change_house(),
                1 => self.bury_somebody(),
                _ => "nothing",
            },
        }
    }

    /// Anybody tries anything at anybody.
    fn try_something(&mut self) -> &'static str {
        let at = self.chance.below(self.bodies.len());
        let ability = if self.chance.one_in(4) {
            self.chance.pick(&self.book.pack().ability)
        } else {
            self.chance.pick(&self.bodies[at].known).copied()
        };
        let Some(ability) = ability else { return "nothing" };
        let aim = self.aim_for(at, ability);
        let asked = if self.chance.one_in(2) { 0 } else { self.chance.below(11) };
        match self.begin(at, ability, aim, u8::try_from(asked).unwrap_or(0)) {
            Ok(()) => self.count.begun += 1,
            Err(error) => *self.count.refused.entry(CombatError::code(error)).or_default() += 1,
        }
        // Mostly the tick comes before anything else does.
        if self.chance.one_in(3) {
            return "try";
        }
        self.now += 50;
        self.tick();
        "try and tick"
    }

    /// Mostly what suits the ability, now and then anything.
    fn aim_for(&mut self, at: usize, ability: &AbilityDef) -> Aim {
        let fighter = &self.bodies[at].fighter;
        let (side, entity_id) = (fighter.side, fighter.entity_id);
        let wanted = if self.chance.one_in(12) {
            *self.chance.pick(Target::ALL).expect("there are targets")
        } else {
            ability.target
        };
        let fits = |body: &&Body| match wanted {
            Target::Enemy => body.fighter.side != side && !body.fighter.health.is_dead(),
            Target::Ally => body.fighter.side == side,
            Target::Corpse => body.fighter.health.is_dead(),
            Target::Oneself | Target::Anyone | Target::Point | Target::Direction => true,
        };
        let fitting: Vec<u64> =
            self.bodies.iter().filter(fits).map(|body| body.fighter.entity_id).collect();
        let somebody = self.chance.pick(&fitting).copied().unwrap_or(entity_id);
        let is_area = ability.area.is_some_and(|area| matches!(area, Area::Sphere { .. }));
        match wanted {
            Target::Oneself => Aim::Oneself,
            Target::Ally if is_area && self.chance.one_in(2) => Aim::Oneself,
            Target::Ally | Target::Enemy | Target::Anyone | Target::Corpse => {
                Aim::Entity(if self.chance.one_in(50) { 999_999_999 } else { somebody })
            }
            Target::Point | Target::Direction if self.chance.one_in(3) => Aim::Entity(somebody),
            Target::Point => Aim::Point(self.place()),
            Target::Direction => {
                let Point { x_mm, y_mm } = self.place();
                Aim::Direction(x_mm, y_mm)
            }
        }
    }

    /// Time goes by: not at all, a moment, a round, or days.
    fn pass(&mut self) -> &'static str {
        let millis = match self.chance.below(20) {
            0 => 0,
            1..=5 => self.chance.between(1, 200),
            6..=14 => self.chance.between(200, 6_000),
            15..=17 => self.chance.between(6_000, 60_000),
            18 => self.chance.between(60_000, 3_600_000),
            _ => self.chance.between(0, 30 * 86_400_000),
        };
        self.now += millis;
        // Now and then the tick is late.
        if self.chance.one_in(4) {
            return "time passes unseen";
        }
        self.tick();
        "time passes"
    }

    /// A rest is over.
    fn rest(&mut self) -> &'static str {
        let at = self.chance.below(self.bodies.len());
        let is_long = self.chance.one_in(2);
        let mut fighter = self.load(at);
        let sheet = fighter.sheet.clone();
        if !fighter.is_player || !fighter.health.is_awake() {
            return "no rest";
        }
        let mut had = self.bodies[at].had;
        if !is_long {
            let constitution = sheet.modifier(crate::content::Attribute::Constitution);
            while fighter.health.current < fighter.health.max {
                let dice = &mut had.hit_dice;
                let health = &mut fighter.health;
                if spend_hit_die(health, dice, constitution, &mut self.chance).is_none() {
                    break;
                }
            }
        }
        (had.hit_points, had.vital) = (fighter.health.current, fighter.health.vital);
        (had.exhaustion, had.has_endured) = (fighter.exhaustion, fighter.has_endured);
        had = had.rested(is_long, self.bodies[at].casting, &sheet, self.now * 1_000);
        let book = self.book;
        self.bodies[at].used.retain(|key, _| is_long_only(book, key) && !is_long);
        if is_long {
            (fighter.exhaustion, fighter.has_endured) = (had.exhaustion, had.has_endured);
            fighter.health.temporary = 0;
            let max = fighter.hit_points_max();
            fighter.health.set_max(max);
            fighter.health.heal(max);
        }
        self.bodies[at].had = had;
        self.store(at, fighter);
        if is_long { "a long rest" } else { "a short rest" }
    }

    /// Somebody leaves, the dead first, and somebody else comes.
    fn leave(&mut self) -> &'static str {
        let dead = self.bodies.iter().position(|body| body.fighter.health.is_dead());
        let at = dead.unwrap_or_else(|| self.chance.below(self.bodies.len()));
        self.remove(at);
        while self.bodies.len() < *FIGHTERS.start() || self.chance.one_in(2) {
            if self.bodies.len() >= *FIGHTERS.end() {
                break;
            }
            self.join();
        }
        "somebody leaves"
    }

    /// Nothing of somebody's fight stays.
    fn remove(&mut self, at: usize) {
        let gone = self.bodies.remove(at);
        let entity_id = gone.fighter.entity_id;
        self.gone += gone.experience;
        self.begun.retain(|begun| begun.entity_id != entity_id);
        self.end_concentration(entity_id);
        for body in &mut self.bodies {
            body.threat.forget(entity_id);
        }
    }

    /// Hunger and cold; nothing of it kills here.
    fn tire(&mut self) -> &'static str {
        let at = self.chance.below(self.bodies.len());
        let mut fighter = self.load(at);
        fighter.exhaustion = u8::try_from(self.chance.below(6)).unwrap_or(0);
        fighter.health.set_max(fighter.hit_points_max());
        self.store(at, fighter);
        "exhaustion"
    }

    fn walk(&mut self) -> &'static str {
        let at = self.chance.below(self.bodies.len());
        self.bodies[at].fighter.place = self.place();
        let entity_id = self.bodies[at].fighter.entity_id;
        self.begun.retain(|begun| !begun.is_cast || begun.entity_id != entity_id);
        "somebody walks"
    }

    fn duel_somebody(&mut self) -> &'static str {
        let players: Vec<u64> = self
            .bodies
            .iter()
            .filter(|body| body.fighter.is_player)
            .map(|body| body.fighter.entity_id)
            .collect();
        let both = (self.chance.pick(&players).copied(), self.chance.pick(&players).copied());
        self.duel = both.0.zip(both.1);
        "a duel"
    }

    /// Anything that lasts and asks for no roll is laid on one body, more than may lie on it.
    fn bury_somebody(&mut self) -> &'static str {
        let lasts = |ability: &&AbilityDef| {
            let is_rolled = ability.attack.is_some() || ability.save.is_some();
            !is_rolled && !ability.concentration && ability.area.is_none()
        };
        let able: Vec<&'static AbilityDef> =
            self.book.pack().ability.iter().filter(lasts).collect();
        let at = self.chance.below(self.bodies.len());
        let entity_id = self.bodies[at].fighter.entity_id;
        for ability in able {
            let by = self.chance.below(self.bodies.len());
            let by = self.bodies[by].fighter.entity_id;
            let (aim, is_cast, done_at) = (Aim::Entity(entity_id), false, self.now);
            let begun =
                Begun { entity_id: by, ability, aim, slot_level: ability.level, is_cast, done_at };
            self.finish(begun);
        }
        "somebody is buried"
    }

    /// Now and then other content comes into force.
    fn change_house(&mut self) -> &'static str {
        let mut house = stage::house();
        for switch in [
            &mut house.critical_hits,
            &mut house.death_saves,
            &mut house.friendly_fire,
            &mut house.concentration,
            &mut house.flanking,
            &mut house.resurrection,
            &mut house.summoning,
            &mut house.pvp,
        ] {
            *switch ^= self.chance.one_in(3);
        }
        house.action_millis = self.chance.between(500, 12_000);
        house.reaction_millis = self.chance.between(0, 12_000);
        house.creature_damage_percent = self.chance.between(0, 200);
        house.healing_percent = self.chance.between(0, 300);
        house.death_save_difficulty = i32::try_from(self.chance.between(1, 30)).unwrap_or(10);
        house.death_saves_needed = u8::try_from(self.chance.between(1, 10)).unwrap_or(3);
        self.house = house;
        "another house"
    }

    /// Forgets what an effect of somebody's concentration did, wherever it lies.
    fn end_concentration(&mut self, by: u64) {
        for at in 0..self.bodies.len() {
            let hangs = |effect: &Effect| effect.is_concentration && effect.by == by;
            if self.bodies[at].fighter.effects.iter().any(hangs) {
                let mut fighter = self.load(at);
                fighter.forget(hangs);
                self.store(at, fighter);
            }
        }
    }
}

/// Whether only a long rest brings uses of an ability back.
fn is_long_only(book: &Book, key: &str) -> bool {
    book.ability(key).is_some_and(|ability| ability.uses_per_long_rest > 0)
}

/// Whether two bodies are in a duel.
fn are_in(duel: Option<(u64, u64)>, one: &Fighter, other: &Fighter) -> bool {
    let both = (one.entity_id, other.entity_id);
    let are_players = one.is_player && other.is_player && both.0 != both.1;
    are_players && duel.is_some_and(|(a, b)| both == (a, b) || both == (b, a))
}

/// Which of three times of a turn an action takes; none for what is free.
const fn turn_at(action: Action) -> Option<usize> {
    match action {
        Action::Action => Some(0),
        Action::BonusAction => Some(1),
        Action::Reaction => Some(2),
        Action::Free => None,
    }
}

fn of_environment(name: &str, usual: u64) -> u64 {
    std::env::var(name).ok().and_then(|text| text.parse().ok()).unwrap_or(usual)
}

#[test]
fn whatever_is_tried_the_rules_hold() {
    let seed = of_environment("HAVEN_ARENA_SEED", SEED);
    let commands = of_environment("HAVEN_ARENA_COMMANDS", COMMANDS);
    let mut arena = Arena::new(seed);
    for number in 0..commands {
        let before = arena.seen();
        let what = arena.step();
        arena.judge(&before);
        if let Some(problem) = &arena.problem {
            panic!("seed {seed}, command {number}, {what}: {problem}");
        }
    }
    arena.judge_run(commands);
}
