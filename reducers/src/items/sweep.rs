//! What ends by itself: rolls, loot, what was destroyed, and places that were gathered at.
//!
//! Keeps true: each run handles at most so many rows of each, the oldest first, found by an index.
//! Whether something is over does not wait for it: whoever gathers or takes looks at the time.

use super::moves::{DAY_MICROS, forget, key_at};
use super::{loot, rolls};
use crate::authority::require_database;
use crate::economy::Cause;
use crate::ordered::ranges;
use crate::{Refusal, now_micros};
use haven_rules::economy::CauseKind;
use haven_rules::keys::part_of;
use haven_tables::items::{
    GatherSpent, ItemDestroyed, LootOpenRoll, gather_spent, item_destroyed, loot_due,
    loot_open_roll,
};
use spacetimedb::{ReducerContext, ScheduleAt, Table, reducer, table};
use std::time::Duration;

/// How often it is looked what has ended.
const SWEEP_INTERVAL: Duration = Duration::from_secs(1);
/// Most rolls, loots and destroyed stacks, of each, that one run handles; a loot has up to 24
/// stacks.
const SWEEP_ROWS_MAX: usize = 200;
/// Most places that one run lets be gathered at again: two a second of each of 500 who gather.
const PLACES_MAX: usize = 1_000;

/// The timer of [`item_sweep()`].
#[table(name = item_sweep_timer, scheduled(item_sweep))]
pub struct ItemSweepTimer {
    /// The timer's number.
    #[primary_key]
    #[auto_inc]
    pub scheduled_id: u64,
    /// When it fires.
    pub scheduled_at: ScheduleAt,
}

pub(crate) fn ensure_timers(ctx: &ReducerContext) {
    if ctx.db.item_sweep_timer().count() == 0 {
        let scheduled_at = SWEEP_INTERVAL.into();
        ctx.db.item_sweep_timer().insert(ItemSweepTimer { scheduled_id: 0, scheduled_at });
    }
}

/// Decides rolls whose time is over, removes loot that nobody took, what was destroyed 30 days ago,
/// and lets places be gathered at again; at most `SWEEP_ROWS_MAX` of each a run, of places
/// `PLACES_MAX`.
///
/// # Errors
/// `realm.database_only` for clients.
#[reducer]
pub fn item_sweep(ctx: &ReducerContext, _timer: ItemSweepTimer) -> Result<(), Refusal> {
    require_database(ctx)?;
    let now = now_micros(ctx);
    let up_to = key_at(now, u64::MAX);
    let over: Vec<LootOpenRoll> =
        ranges(ctx.db.loot_open_roll().ends_key()).filter(..=up_to).take(SWEEP_ROWS_MAX).collect();
    for roll in over {
        rolls::settle(ctx, &roll);
    }
    let over: Vec<u128> = ranges(ctx.db.loot_due().due_key())
        .filter(..=up_to)
        .take(SWEEP_ROWS_MAX)
        .map(|row| row.due_key)
        .collect();
    for due_key in over {
        ctx.db.loot_due().due_key().delete(due_key);
        loot::expire(ctx, part_of(due_key));
    }
    let ready: Vec<GatherSpent> =
        ranges(ctx.db.gather_spent().ready_key()).filter(..=up_to).take(PLACES_MAX).collect();
    for row in ready {
        ctx.db.gather_spent().node_key().delete(row.node_key);
    }
    end_destroyed(ctx, now);
    Ok(())
}

/// What was destroyed and cannot be restored any more is gone for good.
fn end_destroyed(ctx: &ReducerContext, now: i64) {
    let over: Vec<ItemDestroyed> = ranges(ctx.db.item_destroyed().gone_key())
        .filter(..=key_at(now, u64::MAX))
        .take(SWEEP_ROWS_MAX)
        .collect();
    for row in over {
        let owner = (row.account_id, row.character_id);
        let cause = Cause::new(ctx, CauseKind::Destroy, owner, row.item_id);
        if !forget(ctx, &cause, row.item_id) {
            // Staff keeps it: it is looked at again tomorrow.
            cause.forget_if_bare(ctx);
            let gone_key = key_at(now + DAY_MICROS, row.item_id);
            ctx.db.item_destroyed().item_id().update(ItemDestroyed { gone_key, ..row });
        }
    }
}
