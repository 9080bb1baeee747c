//! Looking after trades: whether both are still there, and whether the time is over.

use super::range_mm;
use super::state::end;
use crate::authority::require_database;
use crate::economy::near::{are_near, is_awake};
use crate::sequences;
use crate::{Refusal, at_micros, now_micros};
use haven_rules::sequences::Numbered;
use haven_tables::economy::trades::{Trade, trade};
use spacetimedb::{ReducerContext, ScheduleAt, Table, reducer, table};

/// How often it is looked after a trade, microseconds.
const LOOK_MICROS: i64 = 2_000_000;
/// How much farther apart the two may be while nobody does anything.
const SLACK: u32 = 2;

/// The timer of [`trade_look()`]: one for each trade.
#[table(name = trade_timer, scheduled(trade_look))]
pub struct TradeTimer {
    /// The timer's number.
    #[primary_key]
    pub scheduled_id: u64,
    /// When it fires.
    pub scheduled_at: ScheduleAt,
    /// The trade.
    #[unique]
    pub trade_id: u64,
}

/// Ends a trade whose time is over, or whose two are not there any more.
///
/// # Errors
/// `realm.database_only` for clients.
#[reducer]
pub fn trade_look(ctx: &ReducerContext, timer: TradeTimer) -> Result<(), Refusal> {
    require_database(ctx)?;
    forget(ctx, timer.trade_id);
    let Some(row) = ctx.db.trade().trade_id().find(timer.trade_id) else { return Ok(()) };
    let reach_mm = range_mm(ctx).saturating_mul(SLACK);
    let are_there = are_near(ctx, row.asker_id, row.asked_id, reach_mm)
        && is_awake(ctx, row.asker_id)
        && is_awake(ctx, row.asked_id);
    if !are_there || now_micros(ctx) >= row.ends_at_micros {
        end(ctx, &row);
    } else {
        set(ctx, &row);
    }
    Ok(())
}

/// Looks after a trade again, at its end at the latest.
pub(super) fn set(ctx: &ReducerContext, row: &Trade) {
    let next = row.ends_at_micros.min(now_micros(ctx) + LOOK_MICROS);
    ctx.db.trade_timer().insert(TradeTimer {
        scheduled_id: sequences::next(ctx, Numbered::TradeTimer),
        scheduled_at: ScheduleAt::Time(at_micros(next)),
        trade_id: row.trade_id,
    });
}

/// Does not look after it any more.
pub(super) fn forget(ctx: &ReducerContext, trade_id: u64) {
    ctx.db.trade_timer().trade_id().delete(trade_id);
}
