//! Whom a creature fights: threat first, and among those who draw it about as much who is nearly
//! down, casts, wears little or is at hand.
//!
//! Keeps true: whom nobody would turn away from by threat's own rule is only left for somebody who
//! draws as much and is clearly the better prey; a taunt, which is threat, always counts.

use super::view::{Seen, View};
use crate::combat::threat::SWITCH_PERCENT;
use crate::npcs::ways::distance_mm;

/// Below so many percent of its hit points somebody is nearly down, and what that is worth.
const NEARLY_DOWN: (u8, i64) = (25, 40);
/// The same for the wounded.
const WOUNDED: (u8, i64) = (50, 20);
/// What it is worth that somebody casts or concentrates.
const CASTING: i64 = 25;
/// Up to this armor class somebody wears little, and what that is worth.
const UNARMORED: (u8, i64) = (12, 15);
/// What it is worth that somebody can be struck without a step.
const AT_HAND: i64 = 20;
/// What each metre to go costs, up to so many.
const METRES_MAX: i64 = 20;
/// What another must be worth more to be turned to.
const CLEARLY: i64 = 30;

/// Whether somebody can be fought at all: it stands, and it is or comes within what the creature
/// reaches from inside its leash.
fn can_reach(view: &View<'_, '_>, enemy: &Seen) -> bool {
    let reach_mm = i64::from(super::reach_mm(view));
    let leash_mm = if view.can_go() { i64::from(view.leash_mm) } else { 0 };
    !enemy.is_down
        && (distance_mm(view.home, enemy.place) <= leash_mm + reach_mm
            || distance_mm(view.oneself.place, enemy.place) <= reach_mm)
}

/// How good a prey somebody is.
fn worth(view: &View<'_, '_>, enemy: &Seen) -> i64 {
    let hurt = match enemy.hit_points_percent {
        percent if percent < NEARLY_DOWN.0 => NEARLY_DOWN.1,
        percent if percent < WOUNDED.0 => WOUNDED.1,
        _ => 0,
    };
    let casting = if enemy.is_casting { CASTING } else { 0 };
    let bare = if enemy.armor_class <= UNARMORED.0 { UNARMORED.1 } else { 0 };
    let way_mm = distance_mm(view.oneself.place, enemy.place);
    let near = if way_mm <= i64::from(super::reach_mm(view)) {
        AT_HAND
    } else {
        -(way_mm / 1_000).min(METRES_MAX)
    };
    hurt + casting + bare + near
}

/// Whom a creature fights; none where nobody in view draws it.
pub(super) fn target_of<'a>(view: &View<'a, '_>) -> Option<&'a Seen> {
    let threat_of = |enemy: &Seen| {
        let mut entries = view.threat.entries().iter();
        let entry = entries.find(|entry| entry.entity_id == enemy.entity_id);
        entry.map_or(0, |entry| entry.threat)
    };
    let drawn = || {
        view.enemies
            .iter()
            .map(|enemy| (threat_of(enemy), enemy))
            .filter(|(threat, enemy)| *threat > 0 && can_reach(view, enemy))
    };
    let top = drawn().map(|(threat, _)| threat).max()?;
    // By threat's rule nobody turns from these to the one who draws most.
    let is_similar =
        |threat: u64| u128::from(top) * 100 < u128::from(threat) * u128::from(SWITCH_PERCENT);
    let similar = || drawn().filter(|(threat, _)| is_similar(*threat) || *threat == top);
    let (_, _, _, best) = similar()
        .map(|(threat, enemy)| {
            (worth(view, enemy), threat, std::cmp::Reverse(enemy.entity_id), enemy)
        })
        .max_by_key(|(worth, threat, id, _)| (*worth, *threat, *id))?;
    let kept = similar().map(|(_, enemy)| enemy).find(|it| Some(it.entity_id) == view.target_id);
    let stays = kept.filter(|kept| worth(view, best) < worth(view, kept) + CLEARLY);
    Some(stays.unwrap_or(best))
}
