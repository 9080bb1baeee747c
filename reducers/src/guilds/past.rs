//! The log of guilds, and the numbers of what ends.
//!
//! Keeps true: a line is written in the transaction that does what it says.

use crate::now_micros;
use crate::ordered::ranges;
use haven_rules::guilds::log::{Line, line_key, swept_up_to_micros};
use haven_tables::guilds::{GuildCounter, GuildLog, guild_counter, guild_log};
use spacetimedb::{ReducerContext, Table};

/// Most lines one sweep removes.
const SWEEP_ROWS_MAX: usize = 1_000;

/// What a line says.
pub(super) struct Told<'a> {
    /// What happened.
    pub(super) line: Line,
    /// Who did it: number and name.
    pub(super) actor: (u64, &'a str),
    /// Whom it is about; of an item its number and definition.
    pub(super) subject: (u64, &'a str),
    /// How many items, how much copper, which level.
    pub(super) amount: u64,
    /// The tab of the bank, or the rank.
    pub(super) tab: u8,
}

/// Writes a line.
pub(super) fn tell(ctx: &ReducerContext, guild_id: u64, told: Told<'_>) {
    let log_id = next_number(ctx);
    ctx.db.guild_log().insert(GuildLog {
        log_id,
        line_key: line_key(guild_id, log_id),
        at_micros: now_micros(ctx),
        by_id: told.actor.0,
        subject_id: told.subject.0,
        amount: told.amount,
        line: told.line as u8,
        tab: told.tab,
        by_name: told.actor.1.to_owned(),
        subject: told.subject.1.to_owned(),
    });
}

/// A number that was never given before.
pub(super) fn next_number(ctx: &ReducerContext) -> u64 {
    if let Some(row) = ctx.db.guild_counter().singleton_id().find(0) {
        let last = row.last + 1;
        ctx.db.guild_counter().singleton_id().update(GuildCounter { last, ..row });
        return last;
    }
    ctx.db.guild_counter().insert(GuildCounter { singleton_id: 0, last: 1 });
    1
}

/// The key of something that ends then: in the order of instants.
pub(super) fn due_key(ctx: &ReducerContext, ends_at_micros: i64) -> u128 {
    let ends = u64::try_from(ends_at_micros).unwrap_or(0);
    (u128::from(ends) << 64) | u128::from(next_number(ctx))
}

/// The greatest key of what has ended by then.
pub(super) fn due_up_to(now_micros: i64) -> u128 {
    (u128::from(u64::try_from(now_micros).unwrap_or(0)) << 64) | u128::from(u64::MAX)
}

/// Removes lines that are too old: they have the lowest numbers.
pub(super) fn sweep(ctx: &ReducerContext) {
    let up_to = swept_up_to_micros(now_micros(ctx));
    let old: Vec<u64> = ranges(ctx.db.guild_log().log_id())
        .filter(0_u64..)
        .take(SWEEP_ROWS_MAX)
        .take_while(|row| row.at_micros <= up_to)
        .map(|row| row.log_id)
        .collect();
    for log_id in old {
        ctx.db.guild_log().log_id().delete(log_id);
    }
}
