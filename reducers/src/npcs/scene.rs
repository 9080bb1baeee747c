//! What a creature sees: its rows, who is around, what draws it, and what it can use.
//!
//! Keeps true: at most `SEEN_MAX` allies and enemies are looked at, the nearest of each. Looking
//! changes nothing but who draws it a little because it was noticed.

use super::around::{self, Near};
use crate::combat;
use crate::motion;
use crate::world::land::Land;
use haven_rules::combat::aim::distance_mm;
use haven_rules::combat::areas::Point;
use haven_rules::combat::conditions::Conditions;
use haven_rules::combat::threat::Threat;
use haven_rules::content::book::Book;
use haven_rules::content::{AbilityKind, Action, Condition, CreatureDef};
use haven_rules::motion::path;
use haven_rules::npcs::CALL_MICROS;
use haven_rules::npcs::aggro::{Watcher, notices};
use haven_rules::npcs::mind::{
    Kind, Mood, READY_MAX, Ready, SEEN_MAX, Seen, View, is_fearless, ready_of, strikes_of,
};
use haven_rules::npcs::phases::{current, percent_of};
use haven_tables::combat::{
    CombatState, Combatant, combat_cooldown, combat_effect, combat_state, combatant,
};
use haven_tables::npcs::Creature;
use spacetimedb::ReducerContext;
use std::rc::Rc;

/// How far from where it belongs a creature walks about, millimetres.
pub(super) const ROAM_MM: u32 = 8_000;
/// How far from its master a summoned creature walks about, and follows at least.
const SUMMONED_ROAM_MM: u32 = 3_000;
const SUMMONED_LEASH_MM: u32 = 20_000;

/// A creature's rows.
pub(super) struct Own {
    pub(super) row: Creature,
    /// The row as it is stored.
    pub(super) known: Creature,
    pub(super) body: Combatant,
    pub(super) state: CombatState,
    pub(super) chunk_index: u64,
    pub(super) place: Point,
    pub(super) is_moving: bool,
}

impl Own {
    /// Its rows; none where one is missing.
    pub(super) fn load(ctx: &ReducerContext, row: Creature, now: i64) -> Option<Self> {
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

    pub(super) fn conditions(&self) -> Conditions {
        Conditions::from_bits(self.body.conditions)
    }

    pub(super) fn home(&self) -> Point {
        Point { x_mm: self.row.home_x_mm, y_mm: self.row.home_y_mm }
    }
}

/// What a creature sees, with what it borrows from.
#[expect(clippy::struct_excessive_bools, reason = "what a creature knows, one by one")]
pub(super) struct Scene<'a> {
    pub(super) threat: Threat,
    pub(super) allies: Vec<Seen>,
    pub(super) enemies: Vec<Seen>,
    /// Allies that are at peace, for calls.
    pub(super) idle: Vec<u64>,
    pub(super) ready: Vec<Ready<'a>>,
    pub(super) home: Point,
    pub(super) is_casting: bool,
    pub(super) is_helped: bool,
    pub(super) can_act: bool,
    pub(super) can_call: bool,
    pub(super) is_friendly_fire: bool,
    /// Whether a player is so near that it should look again soon.
    pub(super) has_company: bool,
    /// Whether whom it fights goes anywhere.
    pub(super) is_target_moving: bool,
}

impl<'a> Scene<'a> {
    /// Looks around.
    pub(super) fn gather(
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

    /// What `rules` decides by.
    pub(super) fn view<'v>(&'v self, own: &Own, def: &'v CreatureDef) -> View<'v, 'a> {
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
