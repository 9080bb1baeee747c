//! What is due about parties: members who were away for too long, parties of one, ready checks,
//! invitations.
//!
//! Keeps true: everything that ends by itself has a row here until it has ended, so a restart or a
//! publish loses none of it; what is due while nothing runs is done by the first run after it.

use super::{invites, rows};
use crate::authority::require_database;
use crate::ordered::ranges;
use crate::{Refusal, now_micros};
use haven_rules::keys::{joint_key, part_of, whole_of};
use haven_tables::parties::{PartyDue, party_due};
use spacetimedb::{ReducerContext, ScheduleAt, Table, reducer, table};
use std::time::Duration;

/// How often what is due is looked for.
const TICK_INTERVAL: Duration = Duration::from_secs(1);
/// Most rows that one run looks at.
const TICK_ROWS_MAX: usize = 500;
/// Most that what one run does may cost, by [`Kind::cost`]: so that invitations, of which there may
/// be many, do not hold back what members wait for, and a run is no longer than it was with 50.
const TICK_COST_MAX: usize = 500;
/// What the lapse of an invitation costs: its rows alone.
const INVITE_COST: usize = 1;
/// What a change of a party costs: at most `RAID_MAX` copies.
const CHANGE_COST: usize = 10;

/// The timer of [`party_tick()`].
#[table(name = party_tick_timer, scheduled(party_tick))]
pub struct PartyTickTimer {
    /// The timer's number.
    #[primary_key]
    #[auto_inc]
    pub scheduled_id: u64,
    /// When it fires.
    pub scheduled_at: ScheduleAt,
}

pub(super) fn ensure_timers(ctx: &ReducerContext) {
    if ctx.db.party_tick_timer().count() == 0 {
        let scheduled_at = TICK_INTERVAL.into();
        ctx.db.party_tick_timer().insert(PartyTickTimer { scheduled_id: 0, scheduled_at });
    }
}

/// What is due.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub(super) enum Kind {
    /// A member was away for too long.
    Away = 0,
    /// A party was one alone for too long.
    Alone = 1,
    /// A ready check ends.
    Ready = 2,
    /// An invitation lapses.
    Invite = 3,
}

impl Kind {
    fn of(upper: u64) -> Self {
        match upper & 3 {
            0 => Self::Away,
            1 => Self::Alone,
            2 => Self::Ready,
            _ => Self::Invite,
        }
    }

    const fn cost(self) -> usize {
        match self {
            Self::Away | Self::Alone | Self::Ready => CHANGE_COST,
            Self::Invite => INVITE_COST,
        }
    }
}

fn key(kind: Kind, at_micros: i64, subject_id: u64) -> u128 {
    let at = u64::try_from(at_micros).unwrap_or(0);
    joint_key((at << 2) | kind as u64, subject_id)
}

/// Something is due at an instant.
pub(super) fn set(ctx: &ReducerContext, kind: Kind, at_micros: i64, subject_id: u64) {
    let due_key = key(kind, at_micros, subject_id);
    if ctx.db.party_due().due_key().find(due_key).is_none() {
        ctx.db.party_due().insert(PartyDue { due_key });
    }
}

/// Something is due no more at that instant.
pub(super) fn forget(ctx: &ReducerContext, kind: Kind, at_micros: i64, subject_id: u64) {
    ctx.db.party_due().due_key().delete(key(kind, at_micros, subject_id));
}

/// Something is due at another instant than before; 0 for never.
pub(super) fn replace(ctx: &ReducerContext, kind: Kind, subject_id: u64, was: i64, is: i64) {
    if was == is {
        return;
    }
    if was != 0 {
        forget(ctx, kind, was, subject_id);
    }
    if is != 0 {
        set(ctx, kind, is, subject_id);
    }
}

/// Does what is due, the oldest first, as much as `TICK_ROWS_MAX` and `TICK_COST_MAX` let a run do.
///
/// # Errors
/// `realm.database_only` for clients.
#[reducer]
pub fn party_tick(ctx: &ReducerContext, _timer: PartyTickTimer) -> Result<(), Refusal> {
    require_database(ctx)?;
    let now = u64::try_from(now_micros(ctx)).unwrap_or(0);
    let until = ..=joint_key((now << 2) | 3, u64::MAX);
    let due: Vec<PartyDue> =
        ranges(ctx.db.party_due().due_key()).filter(until).take(TICK_ROWS_MAX).collect();
    let mut left = TICK_COST_MAX;
    for row in due {
        let kind = Kind::of(whole_of(row.due_key));
        let Some(rest) = left.checked_sub(kind.cost()) else { break };
        left = rest;
        ctx.db.party_due().due_key().delete(row.due_key);
        let subject_id = part_of(row.due_key);
        match kind {
            Kind::Away => rows::take_out(ctx, subject_id),
            Kind::Alone => end(ctx, subject_id),
            Kind::Ready => end_check(ctx, subject_id),
            Kind::Invite => invites::lapse(ctx, subject_id),
        }
    }
    Ok(())
}

/// A party was one alone for too long.
fn end(ctx: &ReducerContext, party_id: u64) {
    for character_id in rows::members_of(ctx, party_id) {
        rows::take_out(ctx, character_id);
    }
}

fn end_check(ctx: &ReducerContext, party_id: u64) {
    let Some(before) = rows::load(ctx, party_id) else { return };
    let mut after = before.clone();
    after.end_check();
    rows::write(ctx, party_id, &before, &after);
}
