//! What happens to guilds by itself: what is asked ends, lines of the log go, banks without a guild
//! are handed over, and guilds whose leaders are gone get another one.
//!
//! Keeps true: each run looks at no more than it has room for, and the next one goes on.

use super::{asking, bank, founding, members, past, ranks_of};
use crate::authority::require_database;
use crate::content::book;
use crate::economy::{Cause, Purse, copper_of, pay};
use crate::ordered::{Walk, ranges};
use crate::{Refusal, characters, items, now_micros};
use haven_rules::economy::{CauseKind, PurseKind};
use haven_rules::guilds::bank::{TABS_MAX, tab_id};
use haven_rules::guilds::succession::{Candidate, successor};
use haven_rules::items::HolderKind;
use haven_tables::guilds::bank::{GuildEstate, guild_estate};
use haven_tables::guilds::{
    GuildMember, GuildSweepState, guild, guild_member, guild_seen, guild_sweep_state,
};
use spacetimedb::{ReducerContext, ScheduleAt, Table, reducer, table};
use std::time::Duration;

/// How often it is looked what has ended.
const SWEEP_INTERVAL: Duration = Duration::from_secs(10);
/// Most rows of each kind that have ended and are removed in a run.
const SWEEP_ROWS_MAX: usize = 200;
/// How many guilds are looked at in a run for leaders who are gone, each with 500 members at most.
const SWEEP_GUILDS_MAX: usize = 20;
/// Guilds that one scan asks for at least, by their numbers.
const SWEEP_GUILDS_WINDOW: u64 = 32;
/// The same at most.
const SWEEP_GUILDS_WINDOW_MAX: u64 = 4_096;
/// How many banks without a guild are handed over in a run, a tab of each.
const SWEEP_ESTATES_MAX: usize = 10;

/// The timer of [`guild_sweep()`].
#[table(name = guild_sweep_timer, scheduled(guild_sweep))]
pub struct GuildSweepTimer {
    /// The timer's number.
    #[primary_key]
    #[auto_inc]
    pub scheduled_id: u64,
    /// When it fires.
    pub scheduled_at: ScheduleAt,
}

pub(crate) fn ensure_timers(ctx: &ReducerContext) {
    if ctx.db.guild_sweep_state().count() == 0 {
        let row = GuildSweepState { singleton_id: 0, guild_id: 0, estate_guild_id: 0 };
        ctx.db.guild_sweep_state().insert(row);
    }
    if ctx.db.guild_sweep_timer().count() == 0 {
        let scheduled_at = SWEEP_INTERVAL.into();
        ctx.db.guild_sweep_timer().insert(GuildSweepTimer { scheduled_id: 0, scheduled_at });
    }
}

/// Removes what has ended, hands over what is left of guilds, and looks for leaders who are gone,
/// each bounded.
///
/// # Errors
/// `realm.database_only` for clients.
#[reducer]
pub fn guild_sweep(ctx: &ReducerContext, _timer: GuildSweepTimer) -> Result<(), Refusal> {
    require_database(ctx)?;
    past::sweep(ctx);
    asking::sweep(ctx, SWEEP_ROWS_MAX);
    founding::sweep(ctx, SWEEP_ROWS_MAX);
    let Some(known) = ctx.db.guild_sweep_state().singleton_id().find(0) else { return Ok(()) };
    let estate_guild_id = hand_over(ctx, known.estate_guild_id);
    let next = guilds_after(ctx, known.guild_id);
    for guild_id in &next {
        look_for_leader(ctx, *guild_id);
    }
    let guild_id = cursor(&next, SWEEP_GUILDS_MAX);
    let row = GuildSweepState { singleton_id: 0, guild_id, estate_guild_id };
    if row != known {
        ctx.db.guild_sweep_state().singleton_id().update(row);
    }
    Ok(())
}

/// Behind what the next run goes on: after the last one it begins with the first again.
fn cursor(next: &[u64], most: usize) -> u64 {
    let is_all = next.len() < most;
    next.last().copied().filter(|_| !is_all).unwrap_or(0)
}

/// The next guilds that there are.
fn guilds_after(ctx: &ReducerContext, guild_id: u64) -> Vec<u64> {
    let walk = Walk::new(guild_id.saturating_add(1), SWEEP_GUILDS_WINDOW);
    walk.up_to(SWEEP_GUILDS_WINDOW_MAX).rows(SWEEP_GUILDS_MAX, |window| {
        let rows = ranges(ctx.db.guild().guild_id()).filter(window);
        rows.map(|row| row.guild_id).collect()
    })
}

/// Lets a member lead a guild whose leaders are gone; whether one does now.
pub(super) fn look_for_leader(ctx: &ReducerContext, guild_id: u64) -> bool {
    let now = now_micros(ctx);
    let inactive_micros = book(ctx).setting("guild_inactivity_days") * 86_400_000_000;
    let ranks = ranks_of(ctx, guild_id);
    let position = |rank: u8| {
        let row = ranks.iter().find(|row| row.rank == rank);
        row.map_or(u8::MAX, |row| row.position)
    };
    let candidate = |row: GuildMember| {
        let seen = ctx.db.guild_seen().character_id().find(row.character_id);
        let seen = seen.map_or(row.joined_at_micros, |row| row.seen_at_micros);
        let is_here = characters::is_present(ctx, row.character_id);
        Candidate {
            character_id: row.character_id,
            position: position(row.rank),
            joined_at_micros: row.joined_at_micros,
            seen_at_micros: if is_here { now } else { seen },
            is_deleted: characters::account_of(ctx, row.character_id).is_none(),
        }
    };
    let rows = ctx.db.guild_member().by_guild().filter(guild_id);
    let candidates: Vec<_> = rows.map(candidate).collect();
    let Some(character_id) = successor(&candidates, now, inactive_micros) else { return false };
    members::succeed(ctx, guild_id, character_id);
    true
}

/// Hands over banks whose guild ended with its last member, the next ones behind that guild: the
/// coins and one tab of each. So those that staff keeps from moving hold back no others. Behind
/// which one the next run goes on.
fn hand_over(ctx: &ReducerContext, after: u64) -> u64 {
    let walk = Walk::new(after.saturating_add(1), SWEEP_GUILDS_WINDOW);
    let estates: Vec<GuildEstate> =
        walk.up_to(SWEEP_GUILDS_WINDOW_MAX).rows(SWEEP_ESTATES_MAX, |window| {
            ranges(ctx.db.guild_estate().guild_id()).filter(window).collect()
        });
    let guilds: Vec<u64> = estates.iter().map(|row| row.guild_id).collect();
    for GuildEstate { guild_id, account_id } in estates {
        let cause = Cause::new(ctx, CauseKind::Purge, (account_id, 0), guild_id);
        let copper = copper_of(ctx, PurseKind::Guild, guild_id);
        if copper > 0 {
            let heir = Purse::lost_and_found(ctx, account_id);
            // Coins that staff keeps from moving stay until it does not any more.
            let _ = pay(ctx, &cause, bank::purse(guild_id), heir, copper);
        }
        let of_tab = |tab| (HolderKind::GuildTab, tab_id(guild_id, tab));
        let full = (0..TABS_MAX).map(of_tab).find(|(kind, id)| !items::is_empty(ctx, *kind, *id));
        if let Some(tab) = full {
            items::give_up(ctx, &cause, tab, account_id);
        }
        if members::is_bank_empty(ctx, guild_id) {
            ctx.db.guild_estate().guild_id().delete(guild_id);
        }
        cause.forget_if_bare(ctx);
    }
    cursor(&guilds, SWEEP_ESTATES_MAX)
}
