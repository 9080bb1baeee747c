//! What staff does with guilds: a decent name, and a leader where players cannot agree. Each leaves
//! an audit entry.

use super::{founding, members, past, ranks_of};
use crate::authority::{Actor, require};
use crate::{Refusal, audit, characters};
use haven_rules::accounts::Permission;
use haven_rules::guilds::log::Line;
use haven_rules::guilds::{GuildError, LEADERS_MAX};
use haven_tables::guilds::{Guild, guild, guild_member};
use spacetimedb::{ReducerContext, reducer};

/// Gives a guild another name. For staff.
///
/// # Errors
/// In this order: the caller's, the name's (`guild.name_…`, `chat.muted`, `chat.word_refused`
/// before `guild.name_taken`), `guild.unknown`.
#[reducer]
pub fn guild_rename(ctx: &ReducerContext, guild_id: u64, name: String) -> Result<(), Refusal> {
    let actor = require(ctx, Permission::Moderate)?;
    let name = founding::free_name(ctx, actor.account_id, &name)?;
    let row = ctx.db.guild().guild_id().find(guild_id).ok_or(GuildError::Unknown)?;
    let detail = format!("{guild_id} {} {}", row.name, name.display);
    audit::record(ctx, actor.account_id, 0, "guild_renamed", &detail);
    tell(ctx, guild_id, Line::Renamed, (guild_id, &name.display));
    ctx.db.guild().guild_id().update(Guild {
        name: name.display,
        name_skeleton: name.skeleton,
        ..row
    });
    Ok(())
}

/// Makes a member leader of its guild, beside those there are. For staff.
///
/// # Errors
/// In this order: the caller's, `guild.target_unknown`, `guild.rank_too_high` where it is one,
/// `guild.leaders_too_many`.
#[reducer]
pub fn guild_leader_appoint(ctx: &ReducerContext, character_id: u64) -> Result<(), Refusal> {
    let Actor { account_id, .. } = require(ctx, Permission::Moderate)?;
    let member = ctx.db.guild_member().character_id().find(character_id);
    let owner = characters::account_of(ctx, character_id);
    let (Some(member), Some(owner)) = (member, owner) else {
        return Err(GuildError::TargetUnknown.into());
    };
    let guild = super::guild_row(ctx, member.guild_id);
    let ranks = ranks_of(ctx, guild.guild_id);
    if member.rank == ranks[0].rank {
        return Err(GuildError::RankTooHigh.into());
    }
    if guild.leaders >= LEADERS_MAX {
        return Err(GuildError::LeadersTooMany.into());
    }
    let detail = format!("{} {character_id}", guild.guild_id);
    audit::record(ctx, account_id, owner, "guild_leader_appointed", &detail);
    tell(ctx, guild.guild_id, Line::Leader, (character_id, &member.name));
    members::set_rank(ctx, member, &ranks[0]);
    Ok(())
}

fn tell(ctx: &ReducerContext, guild_id: u64, line: Line, subject: (u64, &str)) {
    past::tell(ctx, guild_id, past::Told { line, actor: (0, ""), subject, amount: 0, tab: 0 });
}
