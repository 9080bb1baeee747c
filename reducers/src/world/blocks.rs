//! Blocks: who is in them and watches them, which sleep, and which are crowded.
//!
//! Keeps true: `watchers` of a block is the number of players in it and the eight around it; a
//! block sleeps only while nobody watches it; a block without players, watchers or sleepers has no
//! row.

use crate::{motion, npcs};
use haven_rules::motion::{
    CROWD_WINDOW_MICROS, Crowding, TICK_MICROS, is_crowd_already, is_crowded, publish_every_ticks,
    slot_of, slots_between,
};
use haven_rules::world::{Area, block_of_mm, chunk_index, neighbours};
use haven_tables::world::{BlockInput, BlockState, block_input, block_state, world_vigil};
use spacetimedb::{ReducerContext, Table};
use std::collections::BTreeSet;

/// Most windows closed in one tick; the rest waits for the next.
const WINDOWS_MAX: usize = 2_000;

/// What closing windows changed.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct CrowdChange {
    /// Blocks that became crowded or calm.
    pub(crate) switches: u32,
    /// Crowded blocks more, or fewer.
    pub(crate) crowded: i32,
    /// Messages a second more, or fewer.
    pub(crate) messages_per_s: i64,
    /// Courses that were published one by one.
    pub(crate) at_once: u32,
    /// Courses that the tick published.
    pub(crate) by_tick: u32,
    /// Whether some were left for the next run.
    pub(crate) is_full: bool,
}

impl CrowdChange {
    /// Whether no block's second was over.
    pub(crate) fn is_nothing(&self) -> bool {
        (self.switches, self.messages_per_s, self.at_once, self.by_tick) == (0, 0, 0, 0)
    }
}

/// A player is in a block now; or in another one than before; or in none any more.
pub(crate) fn player_moved(ctx: &ReducerContext, from: Option<u64>, to: Option<u64>) {
    let around = |chunk: Option<u64>| chunk.map(neighbours).unwrap_or_default();
    let before: BTreeSet<u64> = around(from).into_iter().collect();
    let after: BTreeSet<u64> = around(to).into_iter().collect();
    let (mut watched, mut unwatched) = (Vec::new(), Vec::new());
    for chunk in after.difference(&before) {
        change(ctx, *chunk, |row| {
            row.watchers += 1;
            watched.extend((row.watchers == 1).then_some(*chunk));
        });
    }
    if let Some(to) = to {
        change(ctx, to, |row| row.players += 1);
    }
    if let Some(from) = from {
        change(ctx, from, |row| row.players = row.players.saturating_sub(1));
    }
    for chunk in before.difference(&after) {
        change(ctx, *chunk, |row| {
            unwatched.extend((row.watchers == 1).then_some(*chunk));
            row.watchers = row.watchers.saturating_sub(1);
        });
    }
    for chunk in watched {
        npcs::block_watched(ctx, chunk);
    }
    for chunk in unwatched {
        npcs::block_unwatched(ctx, chunk);
    }
}

fn empty(chunk_index: u64) -> BlockState {
    BlockState { chunk_index, simulated_until_micros: 0, players: 0, watchers: 0, crowded: false }
}

fn change(ctx: &ReducerContext, chunk: u64, apply: impl FnOnce(&mut BlockState)) {
    let known = ctx.db.block_state().chunk_index().find(chunk);
    let exists = known.is_some();
    let mut row = known.unwrap_or_else(|| empty(chunk));
    apply(&mut row);
    let wakes = row.watchers > 0 && row.simulated_until_micros != 0;
    if wakes {
        row.simulated_until_micros = 0;
    }
    let idle = row.watchers == 0 && row.simulated_until_micros == 0 && !row.crowded;
    match (exists, idle) {
        (true, true) => {
            ctx.db.block_state().chunk_index().delete(chunk);
        }
        (true, false) => {
            ctx.db.block_state().chunk_index().update(row);
        }
        (false, false) => {
            ctx.db.block_state().insert(row);
        }
        (false, true) => {}
    }
    if wakes {
        motion::wake(ctx, chunk);
    }
}

/// Whether somebody watches a block.
pub(crate) fn is_watched(ctx: &ReducerContext, chunk: u64) -> bool {
    ctx.db.block_state().chunk_index().find(chunk).is_some_and(|row| row.watchers > 0)
}

/// Whether a world's creatures move where no player is.
pub(crate) fn keeps_vigil(ctx: &ReducerContext, world: u32) -> bool {
    ctx.db.world_vigil().world().find(world).is_some_and(|row| row.always_awake)
}

/// A block falls asleep, unless it sleeps already.
pub(crate) fn fall_asleep(ctx: &ReducerContext, chunk: u64, now_micros: i64) {
    change(ctx, chunk, |row| {
        if row.watchers == 0 && row.simulated_until_micros == 0 {
            row.simulated_until_micros = now_micros;
        }
    });
}

/// A creature is gone; without any a block does not sleep, nor wake.
pub(crate) fn creature_gone(ctx: &ReducerContext, chunk: u64, is_empty: bool) {
    if is_empty {
        change(ctx, chunk, |row| row.simulated_until_micros = 0);
    }
}

/// Counts a course set in a block, and answers whether it may be published at once: if not, the
/// tick does so, every so many microseconds. A second that has seen enough to be crowded ends at
/// once, or a crowd that comes all at once would be published one by one until its end.
///
/// `is_new` is whether it does not overwrite one that waits: that would be no message more.
pub(crate) fn count_input(
    ctx: &ReducerContext,
    chunk: u64,
    now_micros: i64,
    is_new: bool,
) -> Option<i64> {
    let state = ctx.db.block_state().chunk_index().find(chunk)?;
    let known = ctx.db.block_input().chunk_index().find(chunk);
    let exists = known.is_some();
    let mut row = known.unwrap_or_else(|| window(chunk, now_micros, 0));
    row.inputs = row.inputs.saturating_add(u32::from(is_new));
    let is_gathered = state.crowded || is_crowd_already(row.inputs, state.watchers);
    row.gathered = row.gathered.saturating_add(u32::from(is_new && is_gathered));
    if is_gathered && !state.crowded && row.ends_at_micros > now_micros {
        row.ends_at_micros = now_micros;
        row.slot = slot_of(now_micros);
    }
    if exists {
        ctx.db.block_input().chunk_index().update(row);
    } else {
        ctx.db.block_input().insert(row);
    }
    is_gathered.then(|| publish_every_ticks(state.watchers) * TICK_MICROS)
}

/// A second that begins.
fn window(chunk_index: u64, now_micros: i64, messages_per_s: u32) -> BlockInput {
    let ends_at_micros = now_micros + CROWD_WINDOW_MICROS;
    let slot = slot_of(ends_at_micros);
    BlockInput { chunk_index, ends_at_micros, inputs: 0, gathered: 0, messages_per_s, slot }
}

/// Decides anew about the blocks whose second has ended since an instant.
pub(crate) fn close_windows(
    ctx: &ReducerContext,
    since: i64,
    now: i64,
    realm_messages_per_s: u64,
) -> CrowdChange {
    let over: Vec<BlockInput> = slots_between(since, now)
        .into_iter()
        .flat_map(|slots| ctx.db.block_input().by_slot().filter(slots))
        .filter(|row| row.ends_at_micros <= now)
        .take(WINDOWS_MAX)
        .collect();
    let mut sum = CrowdChange { is_full: over.len() >= WINDOWS_MAX, ..CrowdChange::default() };
    for row in over {
        close_window(ctx, row, now, realm_messages_per_s, &mut sum);
    }
    sum
}

fn close_window(
    ctx: &ReducerContext,
    row: BlockInput,
    now: i64,
    realm_messages_per_s: u64,
    sum: &mut CrowdChange,
) {
    let chunk = row.chunk_index;
    let state = ctx.db.block_state().chunk_index().find(chunk);
    let was_crowded = state.as_ref().is_some_and(|state| state.crowded);
    let seen = Crowding {
        inputs: row.inputs,
        watchers: state.map_or(0, |state| state.watchers),
        window_micros: CROWD_WINDOW_MICROS + (now - row.ends_at_micros),
        realm_messages_per_s,
    };
    let crowded = is_crowded(was_crowded, &seen);
    let messages_per_s = u32::try_from(seen.messages_per_s()).unwrap_or(u32::MAX);
    sum.by_tick = sum.by_tick.saturating_add(row.gathered);
    sum.at_once = sum.at_once.saturating_add(row.inputs.saturating_sub(row.gathered));
    sum.messages_per_s += i64::from(messages_per_s) - i64::from(row.messages_per_s);
    if crowded != was_crowded {
        sum.switches += 1;
        sum.crowded += i32::from(crowded) - i32::from(was_crowded);
        change(ctx, chunk, |state| state.crowded = crowded);
    }
    if row.inputs == 0 {
        ctx.db.block_input().chunk_index().delete(chunk);
    } else {
        ctx.db.block_input().chunk_index().update(window(chunk, now, messages_per_s));
    }
}

/// Forgets the blocks of a world that ends, and those around it that were watched from its edge.
pub(crate) fn forget(ctx: &ReducerContext, world: u32, bounds: &Area) {
    for block_x in block_of_mm(bounds.min_x_mm) - 1..=block_of_mm(bounds.max_x_mm) {
        for block_y in block_of_mm(bounds.min_y_mm) - 1..=block_of_mm(bounds.max_y_mm) {
            // A crowded one is counted as such until its second is over.
            change(ctx, chunk_index(world, block_x, block_y), |row| {
                (row.players, row.watchers, row.simulated_until_micros) = (0, 0, 0);
            });
        }
    }
}
