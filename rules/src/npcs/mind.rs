//! The mind of a creature: of all it could do at an instant, what is worth most.
//!
//! Every option gets a score in whole numbers from a few considerations, each a function of its own
//! with its weights beside it (`weights` has those of the options); the highest score wins, the
//! earlier option of equals. Keeps true: a decision names only who is in view, uses only what is
//! ready, approaches nobody beyond the leash, and hangs on the view and the chance that comes with
//! it alone. Nothing is allocated. Leaves out on purpose: walls, which the path is found around,
//! and what becomes of a decision.

mod focus;
mod moves;
#[cfg(test)]
mod tests;
mod uses;
mod view;

pub use view::{
    Aimed, Kind, Mood, READY_MAX, Ready, SEEN_MAX, Seen, Strikes, View, is_fearless, ready_of,
    strikes_of,
};

use super::aggro;
use super::ways::distance_mm;
use crate::combat::areas::Point;
use crate::content::{Area, AttackKind, Behavior, Target};

/// What the options are worth before their considerations.
mod weights {
    /// Going on with what it casts: whoever moves or acts breaks it off.
    pub(super) const CASTING: i64 = 2_000;
    /// Beyond the leash there is only the way home.
    pub(super) const LEASH: i64 = 1_500;
    /// Going on home.
    pub(super) const GOING_HOME: i64 = 1_400;
    /// The shy run before anything else.
    pub(super) const PANIC: i64 = 1_000;
    /// Who is losing runs, if it tends to; and if it does not.
    pub(super) const FLEE: i64 = 800;
    pub(super) const FLEE_AT_LAST: i64 = 600;
    /// Calling costs no action and no step, so it comes before both.
    pub(super) const CALL: i64 = 900;
    /// Healing, and what each percent lost adds, and the healing of the ability, up to so much.
    pub(super) const HEAL: i64 = 450;
    pub(super) const EACH_PERCENT: i64 = 4;
    pub(super) const HEAL_POWER_MAX: i64 = 20;
    /// Going where somebody can be healed from.
    pub(super) const HEAL_FROM_NEAR: i64 = 300;
    /// Whoever has less of its hit points than this is healed.
    pub(super) const PATIENT_PERCENT: u8 = 60;
    /// Calling creatures to its side.
    pub(super) const SUMMON: i64 = 480;
    /// Hindering, and what each one reached adds, up to so much.
    pub(super) const CONTROL: i64 = 330;
    pub(super) const EACH: i64 = 25;
    pub(super) const EACH_MAX: i64 = 100;
    /// Making a friend stronger.
    pub(super) const HELP: i64 = 320;
    /// Striking, and hurting by an ability; each point of damage on average adds one, up to so
    /// much.
    pub(super) const ATTACK: i64 = 300;
    pub(super) const HARM: i64 = 290;
    pub(super) const POWER_MAX: i64 = 150;
    /// What it adds to an ability that it tends to cast.
    pub(super) const CASTS: i64 = 60;
    /// Stepping back, coming near, and finding a better side.
    pub(super) const STEP_BACK: i64 = 280;
    pub(super) const APPROACH: i64 = 250;
    pub(super) const SURROUND: i64 = 200;
    /// Giving up on whom it cannot get at.
    pub(super) const GIVE_UP: i64 = 150;
    /// Standing ready.
    pub(super) const STAND: i64 = 50;
    /// Going home after a fight, or from where nothing keeps it.
    pub(super) const HOMESICK: i64 = 100;
    /// What it does when nothing is to be done.
    pub(super) const PATROL: i64 = 30;
    pub(super) const WANDER: i64 = 20;
    pub(super) const GUARD: i64 = 10;
    pub(super) const REST: i64 = 0;
}

/// Below so many percent of its hit points who tends to flee does so, if the others are stronger;
/// below the second whoever they are.
const FLEE_PERCENT: (u8, u8) = (50, 25);
/// The same for who does not tend to flee, if the others are stronger by half.
const FLEE_AT_LAST_PERCENT: u8 = 20;
/// Who flees turns back with more than this.
const TURN_BACK_PERCENT: u8 = 75;
/// Who cannot run any further fights whoever is nearer than this, millimetres.
const CORNERED_MM: i64 = 6_000;
/// Below so many percent of its hit points it calls whoever is near, else only if outnumbered.
const CALL_PERCENT: u8 = 60;
/// One of so many times a creature strolls when it could, or goes on with its round.
const STROLL_ONE_OF: u64 = 3;
const PATROL_ONE_OF: u64 = 2;

/// What a creature can do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Act<'a> {
    /// Strike or shoot.
    Attack {
        /// At whom.
        target_id: u64,
    },
    /// Use an ability.
    Use {
        /// Its key.
        ability: &'a str,
        /// At what it is aimed.
        aimed: Aimed,
    },
    /// Heal somebody of its side, or itself.
    HealAlly {
        /// Whom.
        target_id: u64,
        /// Key of the ability.
        ability: &'a str,
        /// At what it is aimed.
        aimed: Aimed,
    },
    /// Go where somebody is within reach.
    Approach {
        /// Who.
        target_id: u64,
        /// Where to go.
        to: Point,
    },
    /// Step back from who is too near.
    KeepDistance {
        /// Where to go.
        to: Point,
    },
    /// Run.
    Flee {
        /// Where to go.
        to: Point,
    },
    /// Call others of its side to the fight.
    CallForHelp,
    /// Give up and go home.
    GoHome,
    /// Stroll.
    Wander {
        /// Where to go.
        to: Point,
    },
    /// Go on with its round.
    Patrol {
        /// Where to go.
        to: Point,
    },
    /// Stand where it is.
    Guard,
    /// Nothing new: whoever is on its way goes on.
    Rest,
}

/// What a creature decided.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Decision<'a> {
    /// What it does.
    pub act: Act<'a>,
    /// What that was worth.
    pub score: i64,
    /// Whom it fights from now on.
    pub target_id: Option<u64>,
    /// What it is about from now on.
    pub mood: Mood,
    /// Whether the fight is over for it: it heals, and forgets who drew it.
    pub forgets: bool,
}

/// Who takes an option and its score.
type Weigh<'w, 'a> = dyn FnMut(Act<'a>, i64) + 'w;

/// Decides what a creature does. `chance` is a number at random, for what matters to nobody.
pub fn decide<'a>(view: &View<'_, 'a>, chance: u64) -> Decision<'a> {
    let target = focus::target_of(view);
    let mut best = (Act::Rest, weights::REST);
    weigh(view, target, chance, &mut |act, score| {
        if score > best.1 {
            best = (act, score);
        }
    });
    conclude(view, target, best)
}

/// Every option a creature has, with what it is worth: why it decided as it did.
pub fn explain<'a>(view: &View<'_, 'a>, chance: u64) -> Vec<(Act<'a>, i64)> {
    let mut options = vec![(Act::Rest, weights::REST)];
    let target = focus::target_of(view);
    weigh(view, target, chance, &mut |act, score| options.push((act, score)));
    options
}

/// Calls `weigh` with each option.
fn weigh<'a>(view: &View<'_, 'a>, target: Option<&Seen>, chance: u64, weigh: &mut Weigh<'_, 'a>) {
    if view.oneself.is_down {
        return;
    }
    if view.is_casting {
        weigh(Act::Guard, weights::CASTING);
        return;
    }
    if let Some(score) = homewards(view, target) {
        weigh(Act::GoHome, score);
        return;
    }
    uses::weigh_healing(view, weigh);
    match target {
        Some(target) => weigh_fight(view, target, weigh),
        None => weigh_peace(view, chance, weigh),
    }
}

/// Whether a creature must go home, whoever is there: beyond its leash; and once it has given up,
/// until it is there, or somebody draws it anew in the inner half of its leash.
fn homewards(view: &View<'_, '_>, target: Option<&Seen>) -> Option<i64> {
    let home_mm = distance_mm(view.home, view.oneself.place);
    let leash_mm = i64::from(view.leash_mm).max(moves::HOME_NEAR_MM);
    if !view.can_go() {
        None
    } else if home_mm > leash_mm {
        Some(weights::LEASH)
    } else if view.mood == Mood::GoingHome && home_mm > moves::HOME_NEAR_MM {
        let is_drawn = target.is_some() && home_mm <= leash_mm / 2;
        (!is_drawn).then_some(weights::GOING_HOME)
    } else {
        None
    }
}

/// What a creature can do while somebody draws it.
fn weigh_fight<'a>(view: &View<'_, 'a>, target: &Seen, weigh: &mut Weigh<'_, 'a>) {
    let own = view.oneself.place;
    let target_id = target.entity_id;
    let way_mm = distance_mm(own, target.place);
    if let Some(score) = fear(view) {
        weigh_flight(view, score, weigh);
    }
    if wants_help(view) {
        weigh(Act::CallForHelp, weights::CALL);
    }
    uses::weigh_all(view, target, weigh);
    let reach_mm = i64::from(strike_mm(view, target));
    if reach_mm > 0 && way_mm <= reach_mm && view.can_act {
        let power = i64::from(view.strike_power).min(weights::POWER_MAX);
        weigh(Act::Attack { target_id }, weights::ATTACK + power);
    }
    let within_mm = i64::from(stand_within_mm(view, target));
    if view.tends(Behavior::KeepDistance)
        && let Some(to) = moves::step_back(view, shoots_mm(view))
    {
        weigh(Act::KeepDistance { to }, weights::STEP_BACK);
    }
    let to = if within_mm > 0 { moves::approach(view, target, within_mm) } else { None };
    match to {
        Some(to) if way_mm > within_mm => {
            weigh(Act::Approach { target_id, to }, weights::APPROACH);
        }
        Some(to) => weigh(Act::Approach { target_id, to }, weights::SURROUND),
        None if within_mm > 0 && way_mm > within_mm.max(reach_mm) && view.can_go() => {
            weigh(Act::GoHome, weights::GIVE_UP);
        }
        None => {}
    }
    weigh(Act::Guard, weights::STAND);
}

/// What who is afraid can do: run; go home once nobody is near; stand where no way helps, unless
/// somebody is so near that it must fight.
fn weigh_flight<'a>(view: &View<'_, 'a>, score: i64, weigh: &mut Weigh<'_, 'a>) {
    let own = view.oneself.place;
    let standing = view.enemies.iter().filter(|enemy| !enemy.is_down);
    let nearest_mm = standing.map(|enemy| distance_mm(own, enemy.place)).min().unwrap_or(0);
    if nearest_mm > i64::from(view.sight_mm) && view.can_go() {
        weigh(Act::GoHome, score);
    } else if let Some(to) = moves::flee(view) {
        weigh(Act::Flee { to }, score);
    } else if nearest_mm > CORNERED_MM {
        weigh(Act::Guard, score);
    }
}

/// What a creature can do while nobody draws it.
fn weigh_peace<'a>(view: &View<'_, 'a>, chance: u64, weigh: &mut Weigh<'_, 'a>) {
    let home_mm = distance_mm(view.home, view.oneself.place);
    let was_fighting = matches!(view.mood, Mood::Fighting | Mood::Fleeing);
    let near_mm = if was_fighting {
        moves::HOME_NEAR_MM
    } else {
        i64::from(view.roam_mm.min(view.leash_mm)) + moves::HOME_NEAR_MM
    };
    if view.can_go() && home_mm > near_mm {
        weigh(Act::GoHome, weights::HOMESICK);
    }
    if view.is_walking {
        return;
    }
    if view.tends(Behavior::Patrol)
        && chance.is_multiple_of(PATROL_ONE_OF)
        && let Some(to) = moves::patrol(view)
    {
        weigh(Act::Patrol { to }, weights::PATROL);
    }
    if view.tends(Behavior::Wander)
        && chance.is_multiple_of(STROLL_ONE_OF)
        && let Some(to) = moves::wander(view, chance / STROLL_ONE_OF)
    {
        weigh(Act::Wander { to }, weights::WANDER);
    }
    if view.tends(Behavior::Guard) {
        weigh(Act::Guard, weights::GUARD);
    }
}

/// What running is worth: for the shy always, for others while they are losing.
fn fear(view: &View<'_, '_>) -> Option<i64> {
    if aggro::is_shy(view.behaviors) {
        return Some(weights::PANIC);
    }
    if view.is_fearless {
        return None;
    }
    let percent = view.oneself.hit_points_percent;
    let tends = view.tends(Behavior::Flee);
    let score = if tends { weights::FLEE } else { weights::FLEE_AT_LAST };
    if view.mood == Mood::Fleeing && percent <= TURN_BACK_PERCENT {
        return Some(score);
    }
    let (own, theirs) = strengths(view);
    let is_losing = if tends {
        (percent < FLEE_PERCENT.0 && theirs > own) || percent < FLEE_PERCENT.1
    } else {
        percent < FLEE_AT_LAST_PERCENT && theirs * 2 > own * 3
    };
    is_losing.then_some(score)
}

/// How strong both sides are: levels times percent of hit points, of all who stand.
fn strengths(view: &View<'_, '_>) -> (i64, i64) {
    let strength = |seen: &Seen| i64::from(seen.level.max(1)) * i64::from(seen.hit_points_percent);
    let sum = |all: &[Seen]| all.iter().filter(|seen| !seen.is_down).map(strength).sum::<i64>();
    (strength(&view.oneself) + sum(view.allies), sum(view.enemies))
}

/// Whether it calls: it may, somebody of its side is at peace, and it is hurt or outnumbered.
fn wants_help(view: &View<'_, '_>) -> bool {
    let may = view.can_call && view.tends(Behavior::CallForHelp);
    let is_idle = |ally: &Seen| !ally.is_down && ally.target_id.is_none();
    let (own, theirs) = strengths(view);
    may && view.allies.iter().any(is_idle)
        && (view.oneself.hit_points_percent < CALL_PERCENT || theirs > own)
}

/// How far a creature can strike or shoot at all.
fn reach_mm(view: &View<'_, '_>) -> u32 {
    view.melee_mm.max(view.ranged_mm).max(shoots_mm(view))
}

/// How far it can strike at somebody: what is shot meets what stands between.
fn strike_mm(view: &View<'_, '_>, target: &Seen) -> u32 {
    if target.is_in_sight { view.melee_mm.max(view.ranged_mm) } else { view.melee_mm }
}

/// How far it shoots or casts at enemies, ready or not.
fn shoots_mm(view: &View<'_, '_>) -> u32 {
    let hurts = |ready: &&Ready<'_>| matches!(ready.kind, Kind::Harm | Kind::Control);
    let is_cast = |ready: &&Ready<'_>| ready.attack != Some(AttackKind::Weapon);
    let reach = |ready: &Ready<'_>| match (ready.target, ready.area) {
        (Target::Oneself, Some(Area::Sphere { radius_mm })) => radius_mm,
        _ => ready.range_mm,
    };
    let cast = view.ready.iter().filter(hurts).filter(is_cast).map(reach).max();
    cast.unwrap_or(0).max(view.ranged_mm)
}

/// How near a creature wants to be to whom it fights: who keeps its distance as far as it shoots,
/// others as far as they strike; who does not strike as far as it shoots.
fn stand_within_mm(view: &View<'_, '_>, target: &Seen) -> u32 {
    let shoots_mm = shoots_mm(view);
    let keeps = view.tends(Behavior::KeepDistance) || view.melee_mm == 0;
    if keeps && target.is_in_sight && shoots_mm > view.melee_mm {
        shoots_mm
    } else if view.melee_mm > 0 {
        view.melee_mm
    } else {
        // Who only shoots and sees nothing comes nearer until it does.
        shoots_mm.min(u32::try_from(moves::HOME_NEAR_MM).unwrap_or(shoots_mm))
    }
}

fn conclude<'a>(
    view: &View<'_, 'a>,
    target: Option<&Seen>,
    (act, score): (Act<'a>, i64),
) -> Decision<'a> {
    if view.oneself.is_down {
        let (target_id, mood) = (view.target_id, view.mood);
        return Decision { act, score, target_id, mood, forgets: false };
    }
    let mood = match act {
        Act::GoHome => Mood::GoingHome,
        Act::Flee { .. } => Mood::Fleeing,
        Act::Wander { .. }
        | Act::Patrol { .. }
        | Act::Guard
        | Act::Rest
        | Act::Attack { .. }
        | Act::Use { .. }
        | Act::HealAlly { .. }
        | Act::Approach { .. }
        | Act::KeepDistance { .. }
        | Act::CallForHelp => {
            if target.is_some() {
                Mood::Fighting
            } else {
                Mood::Idle
            }
        }
    };
    let was_fighting = matches!(view.mood, Mood::Fighting | Mood::Fleeing);
    let is_over = matches!(mood, Mood::Idle | Mood::GoingHome);
    Decision {
        act,
        score,
        target_id: if is_over { None } else { target.map(|target| target.entity_id) },
        mood,
        forgets: is_over && (was_fighting || (mood == Mood::GoingHome && view.mood != mood)),
    }
}
