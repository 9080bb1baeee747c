//! Paths: how often one may be looked for, and what a search may cost.
//!
//! Keeps true: an entity has a path found at most every `PATH_INTERVAL_MICROS`, all together at
//! most `PATHS_PER_TICK_MAX` a tick, and one search makes at most `PATH_BLOCKS_MADE_MAX` blocks.
//! What was looked for last is kept in memory and not in rows, because a refusal leaves no row.

use crate::world::land::Land;
use haven_rules::motion::{
    MotionError, PATH_BLOCKS_MADE_MAX, PATH_INTERVAL_MICROS, PATHS_PER_TICK_MAX, path, tick_of,
};
use haven_rules::world::cell_of_mm;
use spacetimedb::ReducerContext;
use std::cell::RefCell;
use std::collections::BTreeMap;

/// Most entities whose last search is remembered; beyond that all are forgotten.
const REMEMBERED_MAX: usize = 20_000;

#[derive(Default)]
struct Searches {
    /// When each entity last had a path looked for.
    last: BTreeMap<u64, i64>,
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
/// `motion.goal_blocked`, `motion.too_often`, `motion.busy`, `motion.land_unknown`,
/// `motion.no_path`.
pub(super) fn find(
    ctx: &ReducerContext,
    entity_id: u64,
    world: u32,
    from: (i32, i32),
    goal: (i32, i32),
    now: i64,
) -> Result<Vec<(i32, i32)>, crate::Refusal> {
    let mut land = Land::new(ctx, world)?.making_at_most(PATH_BLOCKS_MADE_MAX);
    if !land.bounds().contains(goal.0, goal.1) {
        return Err(MotionError::GoalOutside.into());
    }
    let square = |a: i32, b: i32| u64::from(a.abs_diff(b)).pow(2);
    let range = u64::from(path::PATH_RANGE_MM.unsigned_abs());
    if square(from.0, goal.0) + square(from.1, goal.1) > range.pow(2) {
        return Err(MotionError::GoalTooFar.into());
    }
    if !land.is_open(cell_of_mm(goal.0), cell_of_mm(goal.1)) {
        let refused =
            if land.is_short { MotionError::LandUnknown } else { MotionError::GoalBlocked };
        return Err(refused.into());
    }
    if path::is_clear(&mut land, from, goal) {
        return Ok(vec![goal]);
    }
    allow(entity_id, now)?;
    let found = path::find(&mut land, from, goal);
    found.map_err(|error| match error {
        path::PathError::TooFar => MotionError::GoalTooFar.into(),
        path::PathError::GoalBlocked => MotionError::GoalBlocked.into(),
        _ if land.is_short => MotionError::LandUnknown.into(),
        path::PathError::StartBlocked | path::PathError::NoPath | path::PathError::TooComplex => {
            MotionError::NoPath.into()
        }
    })
}

/// Counts a search.
///
/// # Errors
/// In this order: `motion.too_often`, `motion.busy`.
pub(super) fn allow(entity_id: u64, now: i64) -> Result<(), MotionError> {
    SEARCHES.with_borrow_mut(|searches| {
        let last = searches.last.get(&entity_id);
        // A clock that was set back must not shut anybody out.
        if last.is_some_and(|last| (0..PATH_INTERVAL_MICROS).contains(&(now - last))) {
            return Err(MotionError::TooOften);
        }
        if searches.tick != tick_of(now) {
            (searches.tick, searches.count) = (tick_of(now), 0);
        }
        if searches.count >= PATHS_PER_TICK_MAX {
            return Err(MotionError::Busy);
        }
        searches.count += 1;
        if searches.last.len() >= REMEMBERED_MAX {
            searches.last.clear();
        }
        searches.last.insert(entity_id, now);
        Ok(())
    })
}
