//! A creature thinks: what it sees is gathered, `rules` decides, and what it decided is begun.
//!
//! Keeps true: at most `SEEN_MAX` allies and enemies are looked at; what a creature does goes the
//! way that players' deeds go, and may be refused like theirs; nobody thinks where nobody watches,
//! unless the world's vigil says otherwise.

use super::around::{self, Near};
use crate::combat::{self, Kind as DueKind};
use crate::content::book;
use crate::motion;
use crate::now_micros;
use crate::world::blocks;
use crate::world::land::Land;
use haven_rules::combat::aim::{ATTACK, Aim, distance_mm};
use haven_rules::combat::areas::Point;
use haven_rules::combat::conditions::Conditions;
use haven_rules::combat::threat::Threat;
use haven_rules::content::book::Book;
use haven_rules::content::{AbilityKind, Action, Condition, CreatureDef};
use haven_rules::motion::{mix, path};
use haven_rules::npcs::aggro::{Watcher, notices};
use haven_rules::npcs::mind::{
    Act, Aimed, Decision, Kind, Mood, READY_MAX, Ready, SEEN_MAX, Seen, View, decide, is_fearless,
    ready_of, strikes_of,
};
use haven_rules::npcs::phases::{begun, current, percent_of};
use haven_rules::npcs::{
    CALL_MICROS, THINK_FIGHTING_MICROS, THINK_IDLE_MICROS, THINK_WAITING_MICROS,
};
use haven_rules::world::chunk_parts;
use haven_tables::combat::{
    CombatState, Combatant, combat_cooldown, combat_effect, combat_state, combatant,
};
use haven_tables::npcs::{Creature, creature};
use spacetimedb::ReducerContext;
use std::rc::Rc;

/// How far from where it stands a creature walks about, millimetres.
const ROAM_MM: u32 = 8_000;
/// How far from its master a summoned creature walks about, and follows at least.
const SUMMONED_ROAM_MM: u32 = 3_000;
const SUMMONED_LEASH_MM: u32 = 20_000;
/// One of so many times that no way is found a creature gives up.
const GIVE_UP_ONE_OF: u64 = 8;
/// The number of a body that is dead.
const DEAD: u8 = 3;

/// A creature's rows.
struct Own {
    row: Creature,
    /// The row as it is stored.
    known: Creature,
    body: Combatant,
    state: CombatState,
    chunk_index: u64,
    place: Point,
    is_moving: bool,
}

impl Own {
    fn load(ctx: &ReducerContext, row: Creature, now: i64) -> Option<Self> {
        let entity_id = row.entity_id;
        let (chunk_index, segment) = motion::segment(ctx, entity_id)?;
        let (x_mm, y_mm) = segment.position_at(now);
        Some(Self {
            known: row.clone(),
            row,
            body: ctx.db.combatant().entity_id().find(entity_id)?,
            state: ctx.db.combat_state().entity_id().find(entity_id)?,
            chunk_index,
            place: Point { x_mm, y_mm },
            is_moving: segment.is_moving(),
        })
    }

    fn conditions(&self) -> Conditions {
        Conditions::from_bits(self.body.conditions)
    }

    fn home(&self) -> Point {
        Point { x_mm: self.row.home_x_mm, y_mm: self.row.home_y_mm }
    }
}

/// A creature thinks, and says when it thinks again.
pub(crate) fn think(ctx: &ReducerContext, entity_id: u64) {
    let now = now_micros(ctx);
    let Some(row) = ctx.db.creature().entity_id().find(entity_id) else { return };
    if row.goes_at_micros <= now || is_orphan(ctx, &row) {
        super::remove(ctx, entity_id);
        return;
    }
    let Some(mut own) = Own::load(ctx, row, now).filter(|own| own.body.vital != DEAD) else {
        return;
    };
    let vigil = blocks::keeps_vigil(ctx, own.row.world);
    if !vigil && !blocks::is_watched(ctx, own.chunk_index) {
        fall_asleep(ctx, &own);
        return;
    }
    let book = book(ctx);
    let Some(def) = book.creature(&own.row.key) else { return };
    begin_phase(&mut own, def, &book);
    let scene = Scene::gather(ctx, &mut own, def, &book, now);
    let view = scene.view(&own, def);
    let chance = mix(entity_id, now.unsigned_abs());
    let decision = decide(&view, chance);
    let next = next_micros(&own, &scene, &decision, now);
    apply(ctx, own, &scene, &decision, chance, now);
    combat::replace(ctx, entity_id, 0, DueKind::Thought, next);
}

/// Whether who summoned it is dead, gone or elsewhere.
fn is_orphan(ctx: &ReducerContext, row: &Creature) -> bool {
    row.master_id != 0 && {
        let master = ctx.db.combatant().entity_id().find(row.master_id);
        let is_with = |master: &Combatant| {
            master.vital != DEAD && chunk_parts(master.chunk_index).0 == row.world
        };
        !master.as_ref().is_some_and(is_with)
    }
}

/// Nobody watches a creature: it is home and whole when somebody comes, and its camp sleeps.
fn fall_asleep(ctx: &ReducerContext, own: &Own) {
    let row = &own.row;
    if row.mood != Mood::Idle.code() {
        combat::recover(ctx, row.entity_id);
        let (target_id, mood, phase) = (0, Mood::Idle.code(), 0);
        ctx.db.creature().entity_id().update(Creature { target_id, mood, phase, ..row.clone() });
    }
    if row.master_id == 0 && distance_mm(own.home(), own.place) > ROAM_MM {
        motion::relocate(ctx, row.entity_id, row.world, (row.home_x_mm, row.home_y_mm));
    }
    super::camps::fall_asleep(ctx, row.camp_id);
}

fn begin_phase(own: &mut Own, def: &CreatureDef, book: &Book) {
    if !def.phases.is_empty() && book.switch("boss_phases") {
        let percent = percent_of(own.body.hit_points, own.body.hit_points_max);
        if let Some(index) = begun(def, percent, own.row.phase) {
            own.row.phase = u8::try_from(index + 1).unwrap_or(u8::MAX);
        }
    }
}

/// What a creature sees, with what it borrows from.
#[expect(clippy::struct_excessive_bools, reason = "what a creature knows, one by one")]
struct Scene<'a> {
    threat: Threat,
    allies: Vec<Seen>,
    enemies: Vec<Seen>,
    /// Allies that are at peace, for calls.
    idle: Vec<u64>,
    ready: Vec<Ready<'a>>,
    home: Point,
    is_casting: bool,
    is_helped: bool,
    can_act: bool,
    can_call: bool,
    is_friendly_fire: bool,
    /// Whether a player is so near that it should look again soon.
    has_company: bool,
    /// Whether whom it fights goes anywhere.
    is_target_moving: bool,
}

impl<'a> Scene<'a> {
    fn gather(
        ctx: &ReducerContext,
        own: &mut Own,
        def: &'a CreatureDef,
        book: &'a Rc<Book>,
        now: i64,
    ) -> Self {
        let entity_id = own.row.entity_id;
        let mut threat = combat::threat_of(ctx, entity_id);
        let near = look_around(ctx, own, def, book, &threat, now);
        let home = home_of(ctx, own, book, now);
        let mut scene = Self {
            allies: Vec::with_capacity(SEEN_MAX),
            enemies: Vec::with_capacity(SEEN_MAX),
            idle: Vec::new(),
            ready: Vec::new(),
            home,
            is_casting: combat::is_casting(ctx, entity_id),
            is_helped: false,
            can_act: false,
            can_call: now >= own.row.called_at_micros.saturating_add(CALL_MICROS)
                && book.switch("call_for_help"),
            is_friendly_fire: book.switch("friendly_fire"),
            has_company: near.iter().any(|near| near.side != own.body.side),
            is_target_moving: near
                .iter()
                .any(|near| near.seen.entity_id == own.row.target_id && near.is_moving()),
            threat: Threat::default(),
        };
        scene.sort(ctx, own, near);
        scene.notice(ctx, own, def, &mut threat);
        scene.threat = threat;
        scene.prepare(ctx, own, def, book, now);
        scene
    }

    /// Takes allies and enemies, the nearest first, and looks what stands between.
    fn sort(&mut self, ctx: &ReducerContext, own: &Own, mut near: Vec<Near>) {
        near.sort_unstable_by_key(|near| {
            (distance_mm(own.place, near.seen.place), near.seen.entity_id)
        });
        let land = Land::new(ctx, own.row.world);
        let mut land = land.ok().map(|land| land.making_at_most(0));
        let from = (own.place.x_mm, own.place.y_mm);
        let mut sees = |seen: &Seen| {
            let to = (seen.place.x_mm, seen.place.y_mm);
            land.as_mut().is_some_and(|land| path::is_clear(land, from, to))
        };
        for near in near {
            let (is_ally, mut seen) = (near.side == own.body.side, near.seen);
            let list = if is_ally { &mut self.allies } else { &mut self.enemies };
            if list.len() >= SEEN_MAX {
                continue;
            }
            // Of allies it matters only of who may need healing.
            seen.is_in_sight = if is_ally {
                seen.hit_points_percent == 100 || sees(&seen)
            } else {
                !near.is_invisible && sees(&seen)
            };
            list.push(seen);
            if is_ally && !near.is_player && near.mood == Mood::Idle {
                self.idle.push(seen.entity_id);
            }
        }
    }

    /// Who is noticed, or fights its master, draws it a little.
    fn notice(&self, ctx: &ReducerContext, own: &Own, def: &CreatureDef, threat: &mut Threat) {
        let mood = Mood::from_code(own.row.mood);
        if mood == Mood::GoingHome {
            return;
        }
        let (_, behaviors) = current(def, own.row.phase);
        let watcher = Watcher { sight_mm: def.sight_mm, level: own.body.level, behaviors };
        let master_id = Some(own.row.master_id).filter(|master_id| *master_id != 0);
        let known = |threat: &Threat, entity_id: u64| {
            let mut entries = threat.entries().iter();
            entries.any(|entry| entry.entity_id == entity_id && entry.threat > 0)
        };
        let mut drawn = Vec::new();
        for enemy in &self.enemies {
            let way_mm = distance_mm(own.place, enemy.place);
            let is_noticed = notices(&watcher, way_mm, enemy.is_in_sight, enemy.level)
                || (master_id.is_some() && enemy.target_id == master_id);
            // Who was seen a moment ago may be gone.
            let is_there = |id: u64| ctx.db.combatant().entity_id().find(id).is_some();
            if is_noticed && !known(threat, enemy.entity_id) && is_there(enemy.entity_id) {
                threat.draw(enemy.entity_id, 1);
                drawn.push(enemy.entity_id);
            }
        }
        if !drawn.is_empty() {
            combat::change_threat(ctx, own.row.entity_id, |threat| {
                for entity_id in drawn {
                    threat.draw(entity_id, 1);
                }
            });
        }
    }

    /// What it can use now.
    fn prepare(
        &mut self,
        ctx: &ReducerContext,
        own: &Own,
        def: &'a CreatureDef,
        book: &'a Rc<Book>,
        now: i64,
    ) {
        let entity_id = own.row.entity_id;
        let (state, conditions) = (&own.state, own.conditions());
        let is_free = conditions.can_act() && !combat::is_busy(ctx, entity_id);
        let is_back = |action: Action| match action {
            Action::Action => state.action_at_micros.max(state.ready_at_micros) <= now,
            Action::BonusAction => state.bonus_action_at_micros.max(state.ready_at_micros) <= now,
            Action::Reaction => false,
            Action::Free => true,
        };
        self.can_act = is_free && is_back(Action::Action);
        let (keys, _) = current(def, own.row.phase);
        if keys.is_empty() {
            return;
        }
        let cooldowns = ctx.db.combat_cooldown().by_entity().filter(entity_id);
        let waits = cooldowns.filter(|row| row.ready_at_micros > now);
        let waits: Vec<String> = waits.map(|row| row.ability).collect();
        for ability in keys.iter().filter_map(|key| book.ability(key)).take(READY_MAX) {
            let Some(known) = ready_of(ability) else { continue };
            let is_silent = ability.kind == AbilityKind::Spell && !conditions.can_speak();
            let is_off = known.kind == Kind::Summon && !book.switch("summoning");
            let is_ready = is_free
                && is_back(ability.action)
                && !is_silent
                && !is_off
                && !waits.contains(&ability.key);
            self.ready.push(Ready { is_ready, ..known });
        }
        if self.ready.iter().any(|ready| ready.is_ready && ready.kind == Kind::Help) {
            self.is_helped = is_helped(ctx, entity_id);
            for ally in &mut self.allies {
                ally.is_helped = is_helped(ctx, ally.entity_id);
            }
        }
    }

    fn view<'v>(&'v self, own: &Own, def: &'v CreatureDef) -> View<'v, 'a> {
        let strikes = strikes_of(def);
        let (_, behaviors) = current(def, own.row.phase);
        let conditions = own.conditions();
        let is_held = !conditions.can_move() || own.state.speed_percent == 0;
        let target_id = Some(own.row.target_id).filter(|target_id| *target_id != 0);
        let is_summoned = own.row.master_id != 0;
        View {
            oneself: Seen {
                entity_id: own.row.entity_id,
                place: own.place,
                target_id,
                level: own.body.level,
                armor_class: def.armor_class,
                hit_points_percent: percent_of(own.body.hit_points, own.body.hit_points_max),
                is_in_sight: true,
                is_helped: self.is_helped,
                ..Seen::default()
            },
            allies: &self.allies,
            enemies: &self.enemies,
            threat: &self.threat,
            home: self.home,
            roam_mm: if is_summoned { SUMMONED_ROAM_MM } else { ROAM_MM },
            leash_mm: if is_summoned { def.leash_mm.max(SUMMONED_LEASH_MM) } else { def.leash_mm },
            sight_mm: def.sight_mm,
            behaviors,
            ready: &self.ready,
            melee_mm: strikes.melee_mm,
            ranged_mm: strikes.ranged_mm,
            strike_power: strikes.power,
            speed_mm_per_round: if is_held { 0 } else { def.speed_mm_per_round },
            mood: Mood::from_code(own.row.mood),
            target_id,
            can_act: self.can_act,
            can_call: self.can_call,
            is_friendly_fire: self.is_friendly_fire,
            is_fearless: is_fearless(def.kind),
            is_casting: self.is_casting,
            is_walking: own.is_moving,
        }
    }
}

/// Everybody awake whom a creature can see or keeps in mind, less who charmed it.
fn look_around(
    ctx: &ReducerContext,
    own: &Own,
    def: &CreatureDef,
    book: &Book,
    threat: &Threat,
    now: i64,
) -> Vec<Near> {
    let entity_id = own.row.entity_id;
    let world = own.row.world;
    let mut near = around::within(ctx, world, own.place, def.sight_mm, book, now);
    near.retain(|near| near.seen.entity_id != entity_id);
    for entry in threat.entries().iter().filter(|entry| entry.threat > 0).take(SEEN_MAX) {
        if near.iter().all(|near| near.seen.entity_id != entry.entity_id) {
            near.extend(around::one(ctx, world, entry.entity_id, book, now));
        }
    }
    if own.conditions().has(Condition::Charmed) {
        let charms = Condition::ALL.iter().position(|known| *known == Condition::Charmed);
        let rows = ctx.db.combat_effect().by_entity().filter(entity_id);
        let rows = rows.filter(|row| row.kind == 1 && Some(usize::from(row.subject)) == charms);
        let friends: Vec<u64> = rows.map(|row| row.source_id).collect();
        near.retain(|near| !friends.contains(&near.seen.entity_id));
    }
    near
}

/// Where it belongs: of a summoned creature where its master is.
fn home_of(ctx: &ReducerContext, own: &Own, book: &Book, now: i64) -> Point {
    let master_id = own.row.master_id;
    let master =
        if master_id == 0 { None } else { around::one(ctx, own.row.world, master_id, book, now) };
    master.map_or(own.home(), |master| master.seen.place)
}

/// Whether something that helps lies on a body.
fn is_helped(ctx: &ReducerContext, entity_id: u64) -> bool {
    let mut rows = ctx.db.combat_effect().by_entity().filter(entity_id);
    rows.any(|row| match row.kind {
        2 => row.amount > 0,
        3 | 5 | 7 | 8 => true,
        _ => false,
    })
}

/// When it thinks again, microseconds since 1970.
fn next_micros(own: &Own, scene: &Scene<'_>, decision: &Decision<'_>, now: i64) -> i64 {
    let until = |at: i64| at.clamp(now + THINK_FIGHTING_MICROS, now + THINK_WAITING_MICROS);
    let wait = match (decision.mood, &decision.act) {
        // It stands where it wants to and waits for its action.
        (Mood::Fighting, Act::Guard) if !scene.is_target_moving => {
            return until(own.state.action_at_micros);
        }
        (Mood::Fighting | Mood::Fleeing | Mood::GoingHome, _) => THINK_FIGHTING_MICROS,
        (Mood::Idle, _) if scene.has_company => THINK_FIGHTING_MICROS,
        (Mood::Idle, _) => THINK_IDLE_MICROS,
    };
    now + wait
}

/// Writes what changed of its mind, and begins what it decided.
fn apply(
    ctx: &ReducerContext,
    own: Own,
    scene: &Scene<'_>,
    decision: &Decision<'_>,
    chance: u64,
    now: i64,
) {
    let entity_id = own.row.entity_id;
    let mut after = Creature {
        target_id: decision.target_id.unwrap_or(0),
        mood: decision.mood.code(),
        ..own.row.clone()
    };
    if decision.forgets {
        combat::recover(ctx, entity_id);
        // The next fight begins anew.
        after.phase = 0;
    }
    let is_stuck = match decision.act {
        Act::Attack { target_id } => {
            // What is refused is decided anew.
            combat::begin(ctx, entity_id, ATTACK, Aim::Entity(target_id), 0).ok();
            false
        }
        Act::Use { ability, aimed } | Act::HealAlly { ability, aimed, .. } => {
            combat::begin(ctx, entity_id, ability, aim_of(aimed), 0).ok();
            false
        }
        Act::Approach { to, .. } => !go(ctx, &own, to, true),
        Act::KeepDistance { to } | Act::Flee { to } => !leave(ctx, &own, to),
        Act::GoHome => !leave(ctx, &own, scene.home),
        Act::Wander { to } | Act::Patrol { to } => {
            go(ctx, &own, to, false);
            false
        }
        Act::CallForHelp => {
            after.called_at_micros = now;
            call(ctx, &own, scene, after.target_id);
            false
        }
        Act::Guard => {
            if own.is_moving && decision.mood == Mood::Idle {
                motion::halt(ctx, entity_id);
            }
            false
        }
        Act::Rest => false,
    };
    // Whom no way leads to cannot keep it standing there to be shot at.
    if is_stuck && !own.is_moving && chance.is_multiple_of(GIVE_UP_ONE_OF) {
        combat::recover(ctx, entity_id);
        motion::relocate(ctx, entity_id, own.row.world, (scene.home.x_mm, scene.home.y_mm));
        (after.target_id, after.mood, after.phase) = (0, Mood::Idle.code(), 0);
    }
    if after != own.known {
        ctx.db.creature().entity_id().update(after);
    }
}

/// Sends it somewhere; whether it goes.
fn go(ctx: &ReducerContext, own: &Own, to: Point, running: bool) -> bool {
    motion::send(ctx, own.row.entity_id, (to.x_mm, to.y_mm), running)
}

/// The same away from enemies, who may strike at it.
fn leave(ctx: &ReducerContext, own: &Own, to: Point) -> bool {
    if !own.is_moving {
        combat::sets_out(ctx, own.row.entity_id);
    }
    go(ctx, own, to, true)
}

fn aim_of(aimed: Aimed) -> Aim {
    match aimed {
        Aimed::Oneself => Aim::Oneself,
        Aimed::Entity(entity_id) => Aim::Entity(entity_id),
        Aimed::Point(point) => Aim::Point(point),
        Aimed::Direction(direction) => Aim::Direction(direction.dx, direction.dy),
    }
}

/// Calls whoever of its side is at peace and near enough to the one it fights.
fn call(ctx: &ReducerContext, own: &Own, scene: &Scene<'_>, target_id: u64) {
    let radius = book(ctx).setting("help_radius_mm");
    if ctx.db.combatant().entity_id().find(target_id).is_none() {
        return;
    }
    for ally in &scene.allies {
        let is_near = i64::from(distance_mm(own.place, ally.place)) <= radius;
        if is_near && scene.idle.contains(&ally.entity_id) {
            combat::change_threat(ctx, ally.entity_id, |threat| threat.draw(target_id, 1));
            super::wake(ctx, ally.entity_id);
        }
    }
}
