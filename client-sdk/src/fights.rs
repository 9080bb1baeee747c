//! Fights in view: bodies, casts, and what was decided, as the realm's rows tell it.
//!
//! Keeps true: what is decided is told once and in order, however its rows come into view; what was
//! decided before somebody came near is there to be looked at, and not told. A body that moves
//! between watched blocks stays known.
//! Leaves out on purpose: foreseeing anything; the realm alone throws dice.

use crate::module_bindings::{CombatCast, CombatEvent, CombatLine, Combatant};
use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

/// How late news of a decision may come and still be told, microseconds.
const NEWS_MICROS: i64 = 2_000_000;

/// A body that can fight.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BodyView {
    /// Its entity; a character's is the character's id.
    pub entity_id: u64,
    /// 0 to `hit_points_max`.
    pub hit_points: i32,
    /// At least 1.
    pub hit_points_max: i32,
    /// Lost first.
    pub temporary_hit_points: i32,
    /// On whose side it fights: 0 players, 1 the creatures of camps.
    pub side: u32,
    /// Bit `n` for condition `n` (`haven_rules::content::Condition::ALL`).
    pub conditions: u16,
    /// 1 to 20.
    pub level: u8,
    /// 0 awake, 1 dying, 2 stable, 3 dead.
    pub vital: u8,
    /// Whether somebody plays it.
    pub is_player: bool,
}

impl BodyView {
    /// Whether it can act.
    pub fn is_awake(&self) -> bool {
        self.vital == 0
    }
}

/// Something that is being cast.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CastView {
    /// Who casts.
    pub entity_id: u64,
    /// Key of the ability.
    pub ability: Arc<str>,
    /// When it began, microseconds since 1970 by the realm's clock.
    pub began_at_micros: i64,
    /// When it is done.
    pub ends_at_micros: i64,
}

/// What was decided, with every die.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DecisionView {
    /// Its number; of two the lower was first.
    pub event_id: u64,
    /// Who did it.
    pub actor_id: u64,
    /// When, microseconds since 1970 by the realm's clock.
    pub at_micros: i64,
    /// The dice's day.
    pub day: u32,
    /// Key of the ability, or `initiative`, `death_save`, `short_rest`, `long_rest`.
    pub ability: Arc<str>,
    /// Each die in the order they were thrown: its sides, and what it showed.
    pub dice: Vec<(u8, u8)>,
    /// What happened, target by target.
    pub lines: Vec<DecisionLine>,
}

/// What was decided about one target.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DecisionLine {
    /// Whom it happened to.
    pub target_id: u64,
    /// What the d20 showed; 0 without a roll.
    pub natural: u8,
    /// What was added to it.
    pub modifier: i16,
    /// What it had to reach.
    pub against: i16,
    /// 0 no roll, 1 miss, 2 hit, 3 critical hit, 4 saved, 5 not saved.
    pub verdict: u8,
    /// Damage or healing as rolled.
    pub rolled: i32,
    /// What arrived.
    pub amount: i32,
    /// Type of damage, counted from 1 (`haven_rules::content::DamageType::ALL`); 0 for none.
    pub damage: u8,
    /// Whether it healed.
    pub is_healing: bool,
    /// 0 nothing, 1 endured, 2 dying, 3 knocked out, 4 a death save missed, 5 dead.
    pub fell: u8,
    /// All of it in words, in English.
    pub text: Arc<str>,
}

impl fmt::Display for DecisionLine {
    /// `14 + 5 = 19 against 17: hit; 2d6+3: 4 + 4 + 3 = 11; 11 slashing, 5 resisted`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

/// A change of a row.
#[derive(Clone, Debug)]
pub(crate) enum FightChange {
    BodyIs(Combatant),
    BodyGone(Combatant),
    CastIs(CombatCast),
    CastGone(CombatCast),
    DecisionIs(CombatEvent),
    DecisionGone(CombatEvent),
}

/// What is known of fights, each with the block its row was in.
#[derive(Debug, Default)]
pub(crate) struct Fights {
    bodies: BTreeMap<u64, (u64, BodyView)>,
    casts: BTreeMap<u64, (u64, CastView)>,
    decisions: BTreeMap<u64, Arc<DecisionView>>,
    /// Those that came with the transaction that is being applied.
    news: Vec<Arc<DecisionView>>,
    told_until: u64,
}

impl Fights {
    pub(crate) fn apply(&mut self, change: FightChange) {
        match change {
            FightChange::BodyIs(row) => {
                self.bodies.insert(row.entity_id, (row.chunk_index, body_of(&row)));
            }
            // A row that is gone from one block may already be here from another.
            FightChange::BodyGone(row) => forget(&mut self.bodies, row.entity_id, row.chunk_index),
            FightChange::CastIs(row) => {
                self.casts.insert(row.entity_id, (row.chunk_index, cast_of(row)));
            }
            FightChange::CastGone(row) => forget(&mut self.casts, row.entity_id, row.chunk_index),
            FightChange::DecisionIs(row) => {
                let decision = Arc::new(decision_of(row));
                self.news.push(Arc::clone(&decision));
                self.decisions.insert(decision.event_id, decision);
            }
            FightChange::DecisionGone(row) => {
                self.decisions.remove(&row.event_id);
            }
        }
    }

    /// What is to be told now, at an instant of the realm's clock.
    pub(crate) fn take_news(&mut self, server_micros: i64) -> Vec<Arc<DecisionView>> {
        let mut news = std::mem::take(&mut self.news);
        news.sort_by_key(|decision| decision.event_id);
        let since = server_micros.saturating_sub(NEWS_MICROS);
        let known = self.told_until;
        news.retain(|decision| decision.event_id > known && decision.at_micros >= since);
        self.told_until = news.last().map_or(known, |decision| decision.event_id);
        news
    }

    pub(crate) fn bodies(&self) -> impl Iterator<Item = &BodyView> {
        self.bodies.values().map(|(_, body)| body)
    }

    pub(crate) fn body(&self, entity_id: u64) -> Option<&BodyView> {
        self.bodies.get(&entity_id).map(|(_, body)| body)
    }

    pub(crate) fn casts(&self) -> impl Iterator<Item = &CastView> {
        self.casts.values().map(|(_, cast)| cast)
    }

    pub(crate) fn decisions(&self) -> impl Iterator<Item = &Arc<DecisionView>> {
        self.decisions.values()
    }

    /// Forgets who is in view, and not what was told.
    pub(crate) fn clear(&mut self) {
        *self = Self { told_until: self.told_until, ..Self::default() };
    }
}

fn forget<T>(known: &mut BTreeMap<u64, (u64, T)>, entity_id: u64, chunk_index: u64) {
    if known.get(&entity_id).is_some_and(|(chunk, _)| *chunk == chunk_index) {
        known.remove(&entity_id);
    }
}

fn body_of(row: &Combatant) -> BodyView {
    BodyView {
        entity_id: row.entity_id,
        hit_points: row.hit_points,
        hit_points_max: row.hit_points_max,
        temporary_hit_points: row.temporary_hit_points,
        side: row.side,
        conditions: row.conditions,
        level: row.level,
        vital: row.vital,
        is_player: row.is_player,
    }
}

fn cast_of(row: CombatCast) -> CastView {
    CastView {
        entity_id: row.entity_id,
        ability: row.ability.into(),
        began_at_micros: row.began_at.to_micros_since_unix_epoch(),
        ends_at_micros: row.ends_at.to_micros_since_unix_epoch(),
    }
}

fn decision_of(row: CombatEvent) -> DecisionView {
    let die = |pair: &[u8]| (pair[0], pair.get(1).copied().unwrap_or(0));
    DecisionView {
        event_id: row.event_id,
        actor_id: row.actor_id,
        at_micros: row.at_micros,
        day: row.day,
        ability: row.ability.into(),
        dice: row.dice.chunks(2).map(die).collect(),
        lines: row.lines.into_iter().map(line_of).collect(),
    }
}

fn line_of(row: CombatLine) -> DecisionLine {
    DecisionLine {
        target_id: row.target_id,
        natural: row.natural,
        modifier: row.modifier,
        against: row.against,
        verdict: row.verdict,
        rolled: row.rolled,
        amount: row.amount,
        damage: row.damage,
        is_healing: row.is_healing,
        fell: row.fell,
        text: row.text.into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn body(entity_id: u64, chunk_index: u64, hit_points: i32) -> Combatant {
        Combatant {
            entity_id,
            chunk_index,
            hit_points,
            hit_points_max: 9,
            temporary_hit_points: 0,
            side: 1,
            conditions: 0,
            level: 1,
            vital: u8::from(hit_points == 0) * 3,
            is_player: false,
        }
    }

    fn event(event_id: u64, at_micros: i64) -> CombatEvent {
        let (ability, dice, lines) = ("attack".to_owned(), vec![20, 14, 6, 2], vec![]);
        let (chunk_index, actor_id, day, slot) = (5, 7, 1, 0);
        CombatEvent { event_id, chunk_index, actor_id, at_micros, day, slot, ability, dice, lines }
    }

    #[test]
    fn a_body_that_moves_between_blocks_stays_known() {
        let mut fights = Fights::default();
        fights.apply(FightChange::BodyIs(body(1, 5, 9)));
        fights.apply(FightChange::BodyIs(body(1, 6, 4)));
        fights.apply(FightChange::BodyGone(body(1, 5, 9)));
        assert_eq!(fights.body(1).map(|body| (body.hit_points, body.is_awake())), Some((4, true)));
        fights.apply(FightChange::BodyIs(body(1, 6, 0)));
        assert!(!fights.body(1).is_some_and(BodyView::is_awake));
        fights.apply(FightChange::BodyGone(body(1, 6, 0)));
        assert_eq!(fights.bodies().count(), 0);
    }

    #[test]
    fn decisions_are_told_once_in_order_and_only_while_they_are_new() {
        let mut fights = Fights::default();
        let told = |fights: &mut Fights, events: &[(u64, i64)]| {
            for (event_id, at) in events {
                fights.apply(FightChange::DecisionIs(event(*event_id, *at)));
            }
            let news = fights.take_news(10_000_000);
            news.iter().map(|decision| decision.event_id).collect::<Vec<_>>()
        };
        // Two were decided long before anybody came near.
        assert_eq!(told(&mut fights, &[(3, 1), (2, 7_999_999), (5, 9_000_000)]), [5]);
        assert_eq!(told(&mut fights, &[(7, 9_900_000), (6, 9_900_000), (5, 9_000_000)]), [6, 7]);
        assert_eq!(told(&mut fights, &[]), [0_u64; 0]);
        assert_eq!(fights.decisions().count(), 5);
        fights.apply(FightChange::DecisionGone(event(2, 0)));
        assert_eq!(fights.decisions().next().map(|decision| decision.event_id), Some(3));
        fights.clear();
        assert_eq!(told(&mut fights, &[(7, 9_900_000), (8, 9_900_000)]), [8], "after a reconnect");
        let dice = fights.decisions().last().map(|decision| decision.dice.clone());
        assert_eq!(dice, Some(vec![(20, 14), (6, 2)]));
    }
}
