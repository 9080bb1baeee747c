//! The log of guilds, and the numbers of what ends.
//!
//! Keeps true: a line is written in the transaction that does what it says.

use crate::now_micros;
use crate::ordered::{Walk, ranges};
use crate::sequences;
use haven_rules::guilds::log::{Line, line_key, swept_up_to_micros};
use haven_rules::keys::joint_key;
use haven_rules::sequences::Numbered;
use haven_tables::guilds::{GuildLog, GuildSwept, guild_log, guild_swept};
use spacetimedb::{ReducerContext, Table};
use std::ops::RangeInclusive;

/// Lines after which a sweep removes no more, but for those it has read already.
const SWEEP_ROWS_MAX: usize = 1_000;
/// Lines that one scan of a sweep asks for at least, by their numbers.
const SWEEP_WINDOW: u64 = 64;
/// The same at most.
const SWEEP_WINDOW_MAX: u64 = 1_024;
/// Most scans of a sweep.
const SWEEP_SCANS_MAX: usize = 64;

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
    let log_id = sequences::next(ctx, Numbered::GuildLog);
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

/// The key of something that ends then: in the order of instants.
pub(super) fn due_key(ctx: &ReducerContext, ends_at_micros: i64) -> u128 {
    let ends = u64::try_from(ends_at_micros).unwrap_or(0);
    joint_key(ends, sequences::next(ctx, Numbered::GuildLog))
}

/// The greatest key of what has ended by then.
pub(super) fn due_up_to(now_micros: i64) -> u128 {
    joint_key(u64::try_from(now_micros).unwrap_or(0), u64::MAX)
}

/// The numbers that lines can have: from the first one that is not swept to the last one given.
pub(super) fn numbers(ctx: &ReducerContext) -> RangeInclusive<u64> {
    let swept = ctx.db.guild_swept().singleton_id().find(0).map_or(0, |row| row.log_id);
    let last = sequences::last(ctx, Numbered::GuildLog);
    swept + 1..=last
}

/// Removes lines that are too old: they have the lowest numbers.
pub(super) fn sweep(ctx: &ReducerContext) {
    let up_to = swept_up_to_micros(now_micros(ctx));
    let numbers = numbers(ctx);
    let (mut kept_from, last) = (*numbers.start(), *numbers.end());
    let mut walk = Walk::new(kept_from, SWEEP_WINDOW).up_to(SWEEP_WINDOW_MAX).until(last);
    let mut gone = 0;
    for _ in 0..SWEEP_SCANS_MAX {
        let Some(window) = walk.window().filter(|_| gone < SWEEP_ROWS_MAX) else { break };
        kept_from = *window.end() + 1;
        let lines: Vec<(u64, i64)> = ranges(ctx.db.guild_log().log_id())
            .filter(window)
            .map(|row| (row.log_id, row.at_micros))
            .collect();
        walk.pass(lines.len());
        let young = lines.iter().find(|(_, at_micros)| *at_micros > up_to);
        kept_from = young.map_or(kept_from, |(log_id, _)| *log_id);
        for (log_id, _) in lines.iter().filter(|(log_id, _)| *log_id < kept_from) {
            ctx.db.guild_log().log_id().delete(*log_id);
            gone += 1;
        }
        if young.is_some() {
            break;
        }
    }
    if kept_from != *numbers.start() {
        set_swept(ctx, kept_from - 1);
    }
}

fn set_swept(ctx: &ReducerContext, log_id: u64) {
    let row = GuildSwept { singleton_id: 0, log_id };
    if ctx.db.guild_swept().singleton_id().find(0).is_some() {
        ctx.db.guild_swept().singleton_id().update(row);
    } else {
        ctx.db.guild_swept().insert(row);
    }
}
