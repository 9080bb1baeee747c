//! Commands: whatever is done through `once` is done once, however often it is asked for.
//!
//! Keeps true: the receipt is written in the transaction that does the thing, so there is never one
//! without the other, on disk neither; a refused command leaves nothing, and may be asked again.

use crate::authority::require_database;
use crate::sequences;
use crate::{Refusal, now_micros};
use haven_rules::commands::{
    Done, PERIOD_SECONDS, WINDOW, fingerprint, is_forgotten, period_of, place_for, slot_of,
    swept_slots, validate_id, was_done, wheel_slot_of,
};
use haven_rules::keys::joint_key;
use haven_rules::sequences::Numbered;
use haven_tables::commands::{
    CommandId, CommandReceipt, CommandSession, command_receipt, command_session,
};
use spacetimedb::{ReducerContext, ScheduleAt, Table, reducer, table};
use std::hash::Hash;
use std::time::Duration;

/// How often sessions are swept.
const SWEEP_INTERVAL: Duration = Duration::from_secs(10);
/// Most sessions one sweep removes, each with [`WINDOW`] receipts at most.
const SWEEP_ROWS_MAX: usize = 50;

/// The timer of [`command_sweep()`].
#[table(name = command_sweep_timer, scheduled(command_sweep))]
pub struct CommandSweepTimer {
    /// The timer's number.
    #[primary_key]
    #[auto_inc]
    pub scheduled_id: u64,
    /// When it fires.
    pub scheduled_at: ScheduleAt,
}

pub(crate) fn ensure_timers(ctx: &ReducerContext) {
    if ctx.db.command_sweep_timer().count() == 0 {
        let scheduled_at = SWEEP_INTERVAL.into();
        ctx.db.command_sweep_timer().insert(CommandSweepTimer { scheduled_id: 0, scheduled_at });
    }
}

/// Does what a command asks for, unless the account has had it done under that number. `what` is
/// the command's name and arguments; `act` does it. The caller has been checked already.
///
/// A repetition of what was done changes nothing and succeeds. A refusal is not remembered, and
/// cannot be: who answers with one has written nothing. So a refused command that is repeated is
/// decided anew, which does no harm, because it has not been done.
///
/// # Errors
/// In this order: `command.id_invalid`, `command.sessions_too_many`, `command.too_old`,
/// `command.reused`, those of `act`.
pub(crate) fn once(
    ctx: &ReducerContext,
    account_id: u64,
    command: CommandId,
    what: &impl Hash,
    act: impl FnOnce() -> Result<(), Refusal>,
) -> Result<(), Refusal> {
    let CommandId { session, sequence } = command;
    validate_id(session, sequence)?;
    let receipt_key = receipt_key(used_session(ctx, account_id, session)?, slot_of(sequence));
    let remembered = ctx.db.command_receipt().receipt_key().find(receipt_key);
    let is_kept = remembered.is_some();
    let remembered =
        remembered.map(|row| Done { sequence: row.sequence, fingerprint: row.fingerprint });
    let fingerprint = fingerprint(what);
    if was_done(Done { sequence, fingerprint }, remembered)? {
        return Ok(());
    }
    act()?;
    let receipt = CommandReceipt { receipt_key, sequence, fingerprint };
    if is_kept {
        ctx.db.command_receipt().receipt_key().update(receipt);
    } else {
        ctx.db.command_receipt().insert(receipt);
    }
    Ok(())
}

/// Removes the sessions that are old, and what they have done, at most `SWEEP_ROWS_MAX` a run.
///
/// # Errors
/// `realm.database_only` for clients.
#[reducer]
pub fn command_sweep(ctx: &ReducerContext, _timer: CommandSweepTimer) -> Result<(), Refusal> {
    require_database(ctx)?;
    let now = period_of(now_micros(ctx));
    let forgotten: Vec<u64> = swept_slots(now)
        .flat_map(|slot| ctx.db.command_session().by_wheel_slot().filter(slot))
        .filter(|row| is_forgotten(period_of(row.used_at_micros), now))
        .take(SWEEP_ROWS_MAX)
        .map(|row| row.command_session_id)
        .collect();
    for command_session_id in forgotten {
        forget(ctx, command_session_id);
    }
    Ok(())
}

/// The row of a session that is used now: known, or made where there is room.
fn used_session(ctx: &ReducerContext, account_id: u64, session: u64) -> Result<u64, Refusal> {
    let session_key = joint_key(account_id, session);
    let period = period_of(now_micros(ctx));
    let used_at_micros = i64::from(period) * i64::from(PERIOD_SECONDS) * 1_000_000;
    let wheel_slot = wheel_slot_of(period);
    if let Some(row) = ctx.db.command_session().session_key().find(session_key) {
        let command_session_id = row.command_session_id;
        if row.used_at_micros != used_at_micros {
            let row = CommandSession { used_at_micros, wheel_slot, ..row };
            ctx.db.command_session().command_session_id().update(row);
        }
        return Ok(command_session_id);
    }
    make_room(ctx, account_id, period)?;
    let row = ctx.db.command_session().insert(CommandSession {
        session_key,
        command_session_id: sequences::next(ctx, Numbered::CommandSession),
        account_id,
        used_at_micros,
        wheel_slot,
    });
    Ok(row.command_session_id)
}

fn make_room(ctx: &ReducerContext, account_id: u64, now_period: u32) -> Result<(), Refusal> {
    let mut sessions: Vec<CommandSession> =
        ctx.db.command_session().by_account().filter(account_id).collect();
    sessions.sort_unstable_by_key(|row| row.command_session_id);
    let used: Vec<u32> = sessions.iter().map(|row| period_of(row.used_at_micros)).collect();
    if let Some(row) = place_for(&used, now_period)?.and_then(|index| sessions.get(index)) {
        forget(ctx, row.command_session_id);
    }
    Ok(())
}

fn forget(ctx: &ReducerContext, command_session_id: u64) {
    for slot in 0..WINDOW {
        ctx.db.command_receipt().receipt_key().delete(receipt_key(command_session_id, slot));
    }
    ctx.db.command_session().command_session_id().delete(command_session_id);
}

fn receipt_key(command_session_id: u64, slot: u64) -> u64 {
    command_session_id * WINDOW + slot
}
