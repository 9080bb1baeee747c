//! Paths: how often one may be looked for, and what a search may cost.
//!
//! Keeps true: an entity has a path looked for at most every `PATH_INTERVAL_MICROS`, after a search
//! in vain every `PATH_RETRY_MICROS`, all together at most `PATHS_PER_TICK_MAX` a tick; one search
//! makes at most `PATH_BLOCKS_MADE_MAX` blocks, and nothing else here makes any.
//! What was looked for last is kept in memory and not in rows, because a refusal leaves no row.

use crate::world::land::Land;
use haven_rules::motion::{
    MotionError, PATH_BLOCKS_MADE_MAX, PATH_INTERVAL_MICROS, PATH_RETRY_MICROS, PATHS_PER_TICK_MAX,
    path, tick_of,
};
use haven_rules::world::cell_of_mm;
use spacetimedb::ReducerContext;
use std::cell::RefCell;
use std::collections::BTreeMap;

/// Most entities whose last search is remembered; beyond that all are forgotten.
const REMEMBERED_MAX: usize = 20_000;

#[derive(Default)]
struct Searches {
    /// From when on each entity may have a path looked for again.
    next: BTreeMap<u64, i64>,
    /// The tick that `count` is of.
    tick: i64,
    count: u32,
}

thread_local! {
    static SEARCHES: RefCell<Searches> = RefCell::default();
}

/// The places to pass from one position to another: just the goal where a straight line leads.
///
/// # Errors
/// In this order: `world.unknown`, `motion.goal_outside`, `motion.goal_too_far`,
/// `motion.goal_blocked` (where the goal's land is not known yet, after the next two),
/// `motion.too_often`, `motion.busy`, `motion.land_unknown`, `motion.no_path`.
pub(super) fn find(
    ctx: &ReducerContext,
    entity_id: u64,
    world: u32,
    from: (i32, i32),
    goal: (i32, i32),
    now: i64,
) -> Result<Vec<(i32, i32)>, crate::Refusal> {
    let mut land = Land::new(ctx, world)?.making_at_most(0);
    if !land.bounds().contains(goal.0, goal.1) {
        return Err(MotionError::GoalOutside.into());
    }
    if path::is_too_far(from, goal) {
        return Err(MotionError::GoalTooFar.into());
    }
    // First over the land that is known: that costs little, and is enough nearly always.
    if let Some(straight) = straight(&mut land, from, goal)? {
        return Ok(straight);
    }
    allow(entity_id, now)?;
    let mut land = land.making_at_most(PATH_BLOCKS_MADE_MAX);
    if let Some(straight) = straight(&mut land, from, goal)? {
        return Ok(straight);
    }
    let found = path::find(&mut land, from, goal);
    found.map_err(|error| match error {
        path::PathError::TooFar => MotionError::GoalTooFar.into(),
        path::PathError::GoalBlocked => MotionError::GoalBlocked.into(),
        _ if land.is_short => MotionError::LandUnknown.into(),
        path::PathError::StartBlocked | path::PathError::NoPath | path::PathError::TooComplex => {
            failed(entity_id, now);
            MotionError::NoPath.into()
        }
    })
}

/// The goal, where a straight line leads to it; none where the line is blocked or not known.
///
/// # Errors
/// `motion.goal_blocked`.
fn straight(
    land: &mut Land<'_>,
    from: (i32, i32),
    goal: (i32, i32),
) -> Result<Option<Vec<(i32, i32)>>, MotionError> {
    if !land.is_open(cell_of_mm(goal.0), cell_of_mm(goal.1)) {
        return if land.is_short { Ok(None) } else { Err(MotionError::GoalBlocked) };
    }
    Ok(path::is_clear(land, from, goal).then(|| vec![goal]))
}

/// Counts a search. Making land counts as one, or goals in land nobody has seen would cost more
/// than any search.
///
/// # Errors
/// In this order: `motion.too_often`, `motion.busy`.
pub(super) fn allow(entity_id: u64, now: i64) -> Result<(), MotionError> {
    SEARCHES.with_borrow_mut(|searches| {
        let next = searches.next.get(&entity_id);
        // A clock that was set back must not shut anybody out.
        if next.is_some_and(|next| (1..=PATH_RETRY_MICROS).contains(&(next - now))) {
            return Err(MotionError::TooOften);
        }
        if searches.tick != tick_of(now) {
            (searches.tick, searches.count) = (tick_of(now), 0);
        }
        if searches.count >= PATHS_PER_TICK_MAX {
            return Err(MotionError::Busy);
        }
        searches.count += 1;
        if searches.next.len() >= REMEMBERED_MAX {
            searches.next.clear();
        }
        searches.next.insert(entity_id, now + PATH_INTERVAL_MICROS);
        Ok(())
    })
}

/// A search found nothing: whoever asks for what cannot be waits longer, and leaves room for
/// others.
pub(super) fn failed(entity_id: u64, now: i64) {
    SEARCHES.with_borrow_mut(|searches| {
        searches.next.insert(entity_id, now + PATH_RETRY_MICROS);
    });
}
