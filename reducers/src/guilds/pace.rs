//! How often an account may call what guilds cost others: rows of all members, lines of the log.
//!
//! Keeps true: whoever leaves a guild, or takes back what is asked, is never too fast: each of
//! these undoes something that was counted. A refused call costs nothing.

use crate::now_micros;
use haven_rules::guilds::{GuildError, PACE};
use haven_tables::guilds::{GuildPace, guild_pace};
use spacetimedb::{ReducerContext, Table};

/// One more call of an account.
///
/// # Errors
/// `guild.too_fast`.
pub(super) fn spend(ctx: &ReducerContext, account_id: u64) -> Result<(), GuildError> {
    let known = ctx.db.guild_pace().account_id().find(account_id);
    let before = known.as_ref().map_or(0, |row| row.on_time_at_micros);
    let on_time_at_micros = PACE.spend(before, now_micros(ctx)).ok_or(GuildError::TooFast)?;
    let row = GuildPace { account_id, on_time_at_micros };
    if known.is_some() {
        ctx.db.guild_pace().account_id().update(row);
    } else {
        ctx.db.guild_pace().insert(row);
    }
    Ok(())
}

/// An account's character leaves the world: unless it was too quick, nothing is kept of it.
pub(super) fn forget(ctx: &ReducerContext, account_id: u64) {
    let known = ctx.db.guild_pace().account_id().find(account_id);
    if known.is_some_and(|row| row.on_time_at_micros <= now_micros(ctx)) {
        ctx.db.guild_pace().account_id().delete(account_id);
    }
}
