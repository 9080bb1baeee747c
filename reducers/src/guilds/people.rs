//! What members do to each other: leaving, sending away, raising, lowering, banning, leading.
//!
//! Keeps true: nobody acts on an equal or a better, nor gives anybody a rank that has what his own
//! and the one before lack; the last leader neither leaves nor steps down without another one;
//! where the last one is gone for good, another one follows at once.

use super::{Own, asking, grant_of, members, past, ranks_of, sweep};
use crate::authority::require_player;
use crate::ordered::ranges;
use crate::{Refusal, characters, now_micros};
use haven_rules::guilds::log::Line;
use haven_rules::guilds::ranks::{LEADERS, check_above, check_gain, demoted, promoted};
use haven_rules::guilds::rights::Right;
use haven_rules::guilds::{BANS_MAX, GuildError, LEADERS_MAX};
use haven_rules::keys::{joint_key, keys_of};
use haven_tables::guilds::asking::{GuildBan, guild_ban};
use haven_tables::guilds::{GuildRank, guild_member};
use spacetimedb::{ReducerContext, Table, reducer};

/// Takes the caller's character out of its guild. The last leader passes the lead on first, or
/// disbands the guild.
///
/// # Errors
/// In this order: the caller's, `guild.not_in_world`, `guild.none`, `guild.leader_stays`.
#[reducer]
pub fn guild_leave(ctx: &ReducerContext) -> Result<(), Refusal> {
    let own = Own::unpaced(ctx, require_player(ctx)?)?;
    if own.rank.position == LEADERS && own.guild.leaders <= 1 {
        return Err(GuildError::LeaderStays.into());
    }
    members::remove(ctx, &own.member);
    own.tell(ctx, Line::Left, (own.character_id(), &own.member.name), 0, 0);
    Ok(())
}

/// Sends a member of a lower rank away.
///
/// # Errors
/// In this order: the caller's, `guild.not_in_world`, `guild.none`, `guild.too_fast`,
/// `guild.right_missing`, `guild.target_unknown`, `guild.target_self`, `guild.rank_too_high`.
#[reducer]
pub fn guild_member_kick(ctx: &ReducerContext, character_id: u64) -> Result<(), Refusal> {
    let own = Own::with(ctx, Right::Kick)?;
    let (other, rank) = own.other(ctx, character_id)?;
    check_above(own.rank.position, rank.position)?;
    members::remove(ctx, &other);
    own.tell(ctx, Line::Kicked, (character_id, &other.name), 0, 0);
    Ok(())
}

/// Raises a member of a lower rank by one, not up to the caller's own, nor to a rank that has more
/// than the one before and more than the caller's: a leader may have put one below his.
///
/// # Errors
/// In this order: the caller's, `guild.not_in_world`, `guild.none`, `guild.too_fast`,
/// `guild.right_missing`, `guild.target_unknown`, `guild.target_self`, `guild.rank_too_high`,
/// `guild.grant_too_high`.
#[reducer]
pub fn guild_member_promote(ctx: &ReducerContext, character_id: u64) -> Result<(), Refusal> {
    let own = Own::with(ctx, Right::Promote)?;
    let (other, rank) = own.other(ctx, character_id)?;
    let position = promoted(own.rank.position, rank.position)?;
    let to = at(ctx, &own, position);
    check_gain(&own.grant(), &grant_of(&rank), &grant_of(&to))?;
    let name = other.name.clone();
    members::set_rank(ctx, other, &to);
    own.tell(ctx, Line::Promoted, (character_id, &name), 0, to.rank);
    Ok(())
}

/// Lowers a member of a lower rank by one, not to a rank that has more than the one before and more
/// than the caller's.
///
/// # Errors
/// In this order: the caller's, `guild.not_in_world`, `guild.none`, `guild.too_fast`,
/// `guild.right_missing`, `guild.target_unknown`, `guild.target_self`, `guild.rank_too_high`,
/// `guild.rank_lowest`, `guild.grant_too_high`.
#[reducer]
pub fn guild_member_demote(ctx: &ReducerContext, character_id: u64) -> Result<(), Refusal> {
    let own = Own::with(ctx, Right::Demote)?;
    let (other, rank) = own.other(ctx, character_id)?;
    let lowest = members::lowest_rank(ctx, own.guild_id()).position;
    let to = at(ctx, &own, demoted(own.rank.position, rank.position, lowest)?);
    check_gain(&own.grant(), &grant_of(&rank), &grant_of(&to))?;
    let name = other.name.clone();
    members::set_rank(ctx, other, &to);
    own.tell(ctx, Line::Demoted, (character_id, &name), 0, to.rank);
    Ok(())
}

/// The rank of that position.
fn at(ctx: &ReducerContext, own: &Own, position: u8) -> GuildRank {
    let mut ranks = ranks_of(ctx, own.guild_id()).into_iter();
    let rank = ranks.nth(position.into());
    rank.expect("invariant: positions of ranks have no gaps")
}

/// Bans the account of the character of that name, member or not: whoever of it is a member is sent
/// away, and none of it can ask or be asked. Banning it again changes nothing.
///
/// # Errors
/// In this order: the caller's, `guild.not_in_world`, `guild.none`, `guild.too_fast`,
/// `guild.right_missing`, `guild.target_unknown`, `guild.target_self`, `guild.rank_too_high` where
/// any character of the account has no lower rank, `guild.bans_too_many`.
#[reducer]
pub fn guild_member_ban(ctx: &ReducerContext, name: String) -> Result<(), Refusal> {
    let own = Own::with(ctx, Right::Ban)?;
    let guild_id = own.guild_id();
    let other = characters::by_name(ctx, &name).ok_or(GuildError::TargetUnknown)?;
    if other.account_id == own.account_id {
        return Err(GuildError::TargetSelf.into());
    }
    let all = characters::characters_of(ctx, other.account_id);
    let rows = all.iter().filter_map(|one| ctx.db.guild_member().character_id().find(*one));
    let inside: Vec<_> = rows.filter(|row| row.guild_id == guild_id).collect();
    for row in &inside {
        let rank = super::rank_row(ctx, guild_id, row.rank);
        check_above(own.rank.position, rank.position)?;
    }
    let ban_key = joint_key(guild_id, other.account_id);
    if ctx.db.guild_ban().ban_key().find(ban_key).is_some() {
        return Ok(());
    }
    if ranges(ctx.db.guild_ban().ban_key()).filter(keys_of(guild_id)).nth(BANS_MAX - 1).is_some() {
        return Err(GuildError::BansTooMany.into());
    }
    for row in inside {
        members::remove(ctx, &row);
        own.tell(ctx, Line::Kicked, (row.character_id, &row.name), 0, 0);
    }
    for one in all {
        asking::forget(ctx, guild_id, one);
    }
    ctx.db.guild_ban().insert(GuildBan {
        ban_key,
        guild_id,
        at_micros: now_micros(ctx),
        character_id: other.character_id,
        name: other.name.clone(),
        by_name: own.member.name.clone(),
    });
    own.tell(ctx, Line::Banned, (other.character_id, &other.name), 0, 0);
    Ok(())
}

/// Lifts the ban that names that character.
///
/// # Errors
/// In this order: the caller's, `guild.not_in_world`, `guild.none`, `guild.too_fast`,
/// `guild.right_missing`, `guild.ban_unknown`.
#[reducer]
pub fn guild_member_unban(ctx: &ReducerContext, character_id: u64) -> Result<(), Refusal> {
    let own = Own::with(ctx, Right::Ban)?;
    let mut bans = ranges(ctx.db.guild_ban().ban_key()).filter(keys_of(own.guild_id()));
    let ban = bans.find(|row| row.character_id == character_id).ok_or(GuildError::BanUnknown)?;
    ctx.db.guild_ban().ban_key().delete(ban.ban_key);
    own.tell(ctx, Line::Unbanned, (character_id, &ban.name), 0, 0);
    Ok(())
}

/// Makes another member leader, if it is none yet, in place of the caller, who has the rank below
/// then.
///
/// # Errors
/// In this order: the caller's, `guild.not_in_world`, `guild.none`, `guild.too_fast`,
/// `guild.leaders_only`, `guild.target_unknown`, `guild.target_self`.
#[reducer]
pub fn guild_leader_pass(ctx: &ReducerContext, character_id: u64) -> Result<(), Refusal> {
    let own = Own::leader(ctx)?;
    let (other, rank) = own.other(ctx, character_id)?;
    if characters::account_of(ctx, character_id).is_none() {
        return Err(GuildError::TargetUnknown.into());
    }
    if rank.position != LEADERS {
        let name = other.name.clone();
        members::set_rank(ctx, other, &own.rank);
        own.tell(ctx, Line::Leader, (character_id, &name), 0, own.rank.rank);
    }
    let below = at(ctx, &own, LEADERS + 1);
    members::set_rank(ctx, own.member.clone(), &below);
    own.tell(ctx, Line::SteppedDown, (own.character_id(), &own.member.name), 0, below.rank);
    Ok(())
}

/// Makes another member leader beside the caller.
///
/// # Errors
/// In this order: the caller's, `guild.not_in_world`, `guild.none`, `guild.too_fast`,
/// `guild.leaders_only`, `guild.target_unknown`, `guild.target_self`, `guild.rank_too_high` where
/// it is one already, `guild.leaders_too_many`.
#[reducer]
pub fn guild_leader_add(ctx: &ReducerContext, character_id: u64) -> Result<(), Refusal> {
    let own = Own::leader(ctx)?;
    let (other, rank) = own.other(ctx, character_id)?;
    if characters::account_of(ctx, character_id).is_none() {
        return Err(GuildError::TargetUnknown.into());
    }
    check_above(own.rank.position, rank.position)?;
    if own.guild.leaders >= LEADERS_MAX {
        return Err(GuildError::LeadersTooMany.into());
    }
    let name = other.name.clone();
    members::set_rank(ctx, other, &own.rank);
    own.tell(ctx, Line::Leader, (character_id, &name), 0, own.rank.rank);
    Ok(())
}

/// Asks now what is asked of every guild now and then: whether its leaders are gone for
/// `guild_inactivity_days`, and another member leads it. That is not always the caller.
///
/// # Errors
/// In this order: the caller's, `guild.not_in_world`, `guild.none`, `guild.too_fast`,
/// `guild.leader_active`.
#[reducer]
pub fn guild_leader_claim(ctx: &ReducerContext) -> Result<(), Refusal> {
    let own = Own::find(ctx)?;
    if sweep::look_for_leader(ctx, own.guild_id()) {
        Ok(())
    } else {
        Err(GuildError::LeaderActive.into())
    }
}

/// A character is gone for good. If it was the last leader another one follows; if it was the last
/// member the guild ends, and its bank goes to the account's lost-and-found.
pub(super) fn gone(ctx: &ReducerContext, account_id: u64, character_id: u64) {
    let Some(member) = ctx.db.guild_member().character_id().find(character_id) else { return };
    let guild = members::remove(ctx, &member);
    let (actor, subject) = ((0, ""), (character_id, member.name.as_str()));
    let told = past::Told { line: Line::Gone, actor, subject, amount: 0, tab: 0 };
    past::tell(ctx, guild.guild_id, told);
    if guild.members == 0 {
        members::end(ctx, guild.guild_id, Some(account_id));
    } else if guild.leaders == 0 {
        sweep::look_for_leader(ctx, guild.guild_id);
    }
}
