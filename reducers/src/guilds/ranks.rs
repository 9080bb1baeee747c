//! Ranks of a guild: adding, changing and removing those below one's own.
//!
//! Keeps true: positions have no gaps, 0 is the leaders'; a rank with members stays; nobody gives a
//! rank what his own lacks, nor takes it away.

use super::{Own, grant_of, rank_key, ranks_of, shown};
use crate::ordered::ranges;
use crate::{Refusal, chat};
use haven_rules::guilds::log::Line;
use haven_rules::guilds::ranks::{
    Grant, check_above, check_grant, check_rank_left, check_rank_room, check_removal,
};
use haven_rules::guilds::rights::Right;
use haven_rules::guilds::{GuildError, validate_rank_name};
use haven_rules::keys::keys_of;
use haven_tables::guilds::{GuildGrant, GuildRank, guild_member, guild_membership, guild_rank};
use spacetimedb::{ReducerContext, Table, reducer};

/// Adds a rank at that position, below the caller's, that gives nothing yet; the rank there and
/// those below it move down. Below the lowest it becomes that of new members.
///
/// # Errors
/// In this order: the caller's, `guild.not_in_world`, `guild.none`, `guild.too_fast`,
/// `guild.right_missing`, the name's (`guild.name_length`, `guild.name_letters`, `chat.muted`,
/// `chat.word_refused`), `guild.rank_too_high`, `guild.rank_unknown` for a position that would
/// leave a gap, `guild.ranks_too_many`.
#[reducer]
pub fn guild_rank_add(ctx: &ReducerContext, name: String, position: u8) -> Result<(), Refusal> {
    let own = Own::with(ctx, Right::Ranks)?;
    let name = validate_rank_name(&name)?;
    chat::decent_name(ctx, own.account_id, &name)?;
    check_above(own.rank.position, position)?;
    let guild_id = own.guild_id();
    let ranks = ranks_of(ctx, guild_id);
    if usize::from(position) > ranks.len() {
        return Err(GuildError::RankUnknown.into());
    }
    check_rank_room(ranks.len())?;
    let is_free = |rank: &u8| ranks.iter().all(|row| row.rank != *rank);
    let rank = (0..=u8::MAX).find(is_free).ok_or(GuildError::RanksTooMany)?;
    for row in ranks.into_iter().filter(|row| row.position >= position) {
        let moved = GuildRank { position: row.position + 1, ..row };
        ctx.db.guild_rank().rank_key().update(moved);
    }
    own.tell(ctx, Line::RankAdded, (rank.into(), &name), 0, rank);
    ctx.db.guild_rank().insert(GuildRank {
        rank_key: rank_key(guild_id, rank),
        guild_id,
        copper_per_day: 0,
        rights: 0,
        tab_rights: 0,
        rank,
        position,
        items_per_day: vec![0; 6],
        name,
    });
    Ok(())
}

/// Gives a rank below the caller's another name and other rights and limits: rights that change the
/// caller's rank has, and a limit that changes is at most its own, before and after. Bits that mean
/// nothing are dropped. A leader may rename the leaders' rank; they have every right whatever it
/// says.
///
/// # Errors
/// In this order: the caller's, `guild.not_in_world`, `guild.none`, `guild.too_fast`,
/// `guild.right_missing`, the name's (`guild.name_length`, `guild.name_letters`; of another name
/// `chat.muted`, `chat.word_refused`), `guild.grant_invalid`, `guild.rank_unknown`,
/// `guild.rank_too_high`, `guild.grant_too_high`.
#[reducer]
pub fn guild_rank_change(
    ctx: &ReducerContext,
    rank: u8,
    name: String,
    grant: GuildGrant,
) -> Result<(), Refusal> {
    let own = Own::with(ctx, Right::Ranks)?;
    let name = validate_rank_name(&name)?;
    let row = row_of(ctx, &own, rank);
    // Who is muted may still change what a rank may do.
    if row.as_ref().is_ok_and(|row| row.name != name) {
        chat::decent_name(ctx, own.account_id, &name)?;
    }
    let items_per_day = grant.items_per_day.try_into().map_err(|_| GuildError::GrantInvalid)?;
    let GuildGrant { rights, tab_rights, copper_per_day, .. } = grant;
    let after = Grant { rights, tab_rights, items_per_day, copper_per_day }.tidy();
    let row = row?;
    let is_leaders = own.check_leads().is_ok() && row.rank == own.rank.rank;
    if !is_leaders {
        check_above(own.rank.position, row.position)?;
    }
    check_grant(&own.grant(), &grant_of(&row), &after)?;
    let after = if is_leaders { Grant::ALL } else { after };
    own.tell(ctx, Line::RankChanged, (rank.into(), &name), 0, rank);
    ctx.db.guild_rank().rank_key().update(GuildRank {
        copper_per_day: after.copper_per_day,
        rights: after.rights,
        tab_rights: after.tab_rights,
        items_per_day: after.items_per_day.to_vec(),
        name,
        ..row
    });
    let present = ranges(ctx.db.guild_membership().guild_key()).filter(keys_of(own.guild_id()));
    for character_id in present.map(|row| row.character_id).collect::<Vec<_>>() {
        let member = ctx.db.guild_member().character_id().find(character_id);
        if let Some(member) = member.filter(|member| member.rank == rank) {
            shown::rank_changed(ctx, &member);
        }
    }
    Ok(())
}

/// Removes a rank below the caller's that no member has; those below it move up. Neither it nor,
/// where it was that of new members, the one that is so then has what the caller's rank lacks.
///
/// # Errors
/// In this order: the caller's, `guild.not_in_world`, `guild.none`, `guild.too_fast`,
/// `guild.right_missing`, `guild.rank_unknown`, `guild.rank_too_high`, `guild.ranks_too_few`,
/// `guild.rank_in_use`, `guild.grant_too_high`.
#[reducer]
pub fn guild_rank_remove(ctx: &ReducerContext, rank: u8) -> Result<(), Refusal> {
    let own = Own::with(ctx, Right::Ranks)?;
    let row = row_of(ctx, &own, rank)?;
    check_above(own.rank.position, row.position)?;
    let guild_id = own.guild_id();
    let ranks = ranks_of(ctx, guild_id);
    check_rank_left(ranks.len())?;
    if ctx.db.guild_member().by_guild().filter(guild_id).any(|member| member.rank == rank) {
        return Err(GuildError::RankInUse.into());
    }
    let is_lowest = usize::from(row.position) + 1 == ranks.len();
    let next = is_lowest.then(|| ranks.iter().rev().nth(1)).flatten().map(grant_of);
    check_removal(&own.grant(), &grant_of(&row), next.as_ref())?;
    own.tell(ctx, Line::RankRemoved, (rank.into(), &row.name), 0, rank);
    ctx.db.guild_rank().rank_key().delete(row.rank_key);
    for lower in ranks.into_iter().filter(|lower| lower.position > row.position) {
        let moved = GuildRank { position: lower.position - 1, ..lower };
        ctx.db.guild_rank().rank_key().update(moved);
    }
    Ok(())
}

fn row_of(ctx: &ReducerContext, own: &Own, rank: u8) -> Result<GuildRank, GuildError> {
    let row = ctx.db.guild_rank().rank_key().find(rank_key(own.guild_id(), rank.min(15)));
    row.ok_or(GuildError::RankUnknown)
}
