//! Channels that players make: keeping order in them.
//!
//! Keeps true: nobody rules over an equal or a higher role (`rules::chat::roles`), and there is one
//! owner however the role is handed over.

use super::channels::{find, is_banned, member, members, owned, put_out, require, role_in};
use super::{present, speech};
use crate::commands::once;
use crate::{Refusal, characters, now_micros};
use haven_rules::chat::roles::{Action, BANS_MAX, CHANNELS_OWNED_MAX, Role, may, validate_slow};
use haven_rules::chat::{ChatError, RULING_LIMIT};
use haven_rules::keys::joint_key;
use haven_tables::chat::channels::{
    ChatBan, ChatChannel, ChatMember, chat_ban, chat_channel, chat_member,
};
use haven_tables::commands::CommandId;
use spacetimedb::{ReducerContext, Table, reducer};

/// Puts a member out of a channel, or takes its invitation back.
///
/// # Errors
/// In this order: the caller's, `chat.not_in_world`, the command's, `chat.channel_unknown`,
/// `chat.not_allowed`, `chat.member_unknown`.
#[reducer]
pub fn chat_channel_kick(
    ctx: &ReducerContext,
    channel_id: u64,
    character_id: u64,
    command: CommandId,
) -> Result<(), Refusal> {
    let (account_id, own) = present(ctx)?;
    once(ctx, account_id, command, &("chat_channel_kick", channel_id, character_id), || {
        let row = ruled(ctx, channel_id, own, character_id, Action::Kick)?;
        put_out(ctx, &row);
        Ok(())
    })
}

/// Bans the account of a character from a channel: none of its characters is in it or joins it.
///
/// # Errors
/// In this order: the caller's, `chat.not_in_world`, the command's, `chat.channel_unknown`,
/// `chat.not_allowed`, `chat.target_unknown`, `chat.target_self`, `chat.banned`,
/// `chat.channel_full`.
#[reducer]
pub fn chat_channel_ban(
    ctx: &ReducerContext,
    channel_id: u64,
    character_id: u64,
    command: CommandId,
) -> Result<(), Refusal> {
    let (account_id, own) = present(ctx)?;
    once(ctx, account_id, command, &("chat_channel_ban", channel_id, character_id), || {
        let role = require(ctx, channel_id, own, Action::Ban)?;
        let banned = characters::owner_of(ctx, character_id).ok_or(ChatError::TargetUnknown)?;
        if banned == account_id {
            return Err(ChatError::TargetSelf.into());
        }
        let places = characters::characters_of(ctx, banned).into_iter();
        let places: Vec<ChatMember> =
            places.filter_map(|character_id| member(ctx, channel_id, character_id)).collect();
        if places.iter().any(|row| !may(role, Action::Ban, role_in(Some(row)))) {
            return Err(ChatError::NotAllowed.into());
        }
        if is_banned(ctx, channel_id, banned) {
            return Err(ChatError::Banned.into());
        }
        let channel = find(ctx, channel_id)?;
        if channel.bans >= BANS_MAX {
            return Err(ChatError::ChannelFull.into());
        }
        let bans = channel.bans + 1;
        ctx.db.chat_channel().channel_id().update(ChatChannel { bans, ..channel });
        ctx.db.chat_ban().insert(ChatBan {
            ban_key: joint_key(channel_id, banned),
            banned_by: own,
            banned_at_micros: now_micros(ctx),
        });
        for row in places {
            put_out(ctx, &row);
        }
        Ok(())
    })
}

/// Lifts the ban of a character's account.
///
/// # Errors
/// In this order: the caller's, `chat.not_in_world`, the command's, `chat.channel_unknown`,
/// `chat.not_allowed`, `chat.member_unknown`.
#[reducer]
pub fn chat_channel_unban(
    ctx: &ReducerContext,
    channel_id: u64,
    character_id: u64,
    command: CommandId,
) -> Result<(), Refusal> {
    let (account_id, own) = present(ctx)?;
    once(ctx, account_id, command, &("chat_channel_unban", channel_id, character_id), || {
        require(ctx, channel_id, own, Action::Ban)?;
        let banned = characters::owner_of(ctx, character_id).ok_or(ChatError::MemberUnknown)?;
        let is_gone = ctx.db.chat_ban().ban_key().delete(joint_key(channel_id, banned));
        if !is_gone {
            return Err(ChatError::MemberUnknown.into());
        }
        let channel = find(ctx, channel_id)?;
        let bans = channel.bans.saturating_sub(1);
        ctx.db.chat_channel().channel_id().update(ChatChannel { bans, ..channel });
        Ok(())
    })
}

/// Gives a member a role: 2 member, 3 moderator, 4 owner, which the caller then is no longer, but a
/// moderator.
///
/// # Errors
/// In this order: the caller's, `chat.not_in_world`, the command's, `chat.role_invalid`,
/// `chat.channel_unknown`, `chat.not_allowed`, `chat.target_self`, `chat.member_unknown`, of an
/// owner also where it is deleted; `chat.channels_owned` where the account of the next owner has
/// three.
#[reducer]
pub fn chat_channel_role_set(
    ctx: &ReducerContext,
    channel_id: u64,
    character_id: u64,
    role: u8,
    command: CommandId,
) -> Result<(), Refusal> {
    let (account_id, own) = present(ctx)?;
    let what = ("chat_channel_role_set", channel_id, character_id, role);
    once(ctx, account_id, command, &what, || {
        let given = Role::from_code(role).filter(|role| *role >= Role::Member);
        let given = given.ok_or(ChatError::RoleInvalid)?;
        let action = if given == Role::Owner { Action::HandOver } else { Action::SetRole };
        require(ctx, channel_id, own, action)?;
        if own == character_id {
            return Err(ChatError::TargetSelf.into());
        }
        let row = ruled(ctx, channel_id, own, character_id, action)?;
        if role_in(Some(&row)) < Role::Member {
            return Err(ChatError::MemberUnknown.into());
        }
        if given == Role::Owner {
            let next = characters::account_of(ctx, character_id).ok_or(ChatError::MemberUnknown)?;
            // Among the characters of one account it owns as many as before.
            if next != account_id && owned(ctx, next) >= CHANNELS_OWNED_MAX {
                return Err(ChatError::ChannelsOwned.into());
            }
        }
        ctx.db.chat_member().member_key().update(ChatMember { role: given.code(), ..row });
        if given == Role::Owner {
            let former = member(ctx, channel_id, own).ok_or(ChatError::ChannelUnknown)?;
            let role = Role::Moderator.code();
            ctx.db.chat_member().member_key().update(ChatMember { role, ..former });
        }
        Ok(())
    })
}

/// Makes a channel slow: each member speaks once in so many seconds; 0 for as often as it likes.
///
/// # Errors
/// In this order: the caller's, `chat.not_in_world`, the command's, `chat.slow_invalid`,
/// `chat.channel_unknown`, `chat.not_allowed`, `chat.too_fast`.
#[reducer]
pub fn chat_channel_slow_set(
    ctx: &ReducerContext,
    channel_id: u64,
    seconds: u16,
    command: CommandId,
) -> Result<(), Refusal> {
    let (account_id, own) = present(ctx)?;
    once(ctx, account_id, command, &("chat_channel_slow_set", channel_id, seconds), || {
        validate_slow(seconds)?;
        require(ctx, channel_id, own, Action::SetSlow)?;
        speech::spend(ctx, account_id, RULING_LIMIT)?;
        let channel = find(ctx, channel_id)?;
        ctx.db.chat_channel().channel_id().update(ChatChannel { slow_seconds: seconds, ..channel });
        for row in members(ctx, channel_id) {
            let row = ChatMember { slow_seconds: seconds, ..row };
            ctx.db.chat_member().member_key().update(row);
        }
        Ok(())
    })
}

/// The place of a character over whom another one may do that.
///
/// # Errors
/// In this order: `ChannelUnknown`, `NotAllowed`, `MemberUnknown`.
fn ruled(
    ctx: &ReducerContext,
    channel_id: u64,
    own: u64,
    character_id: u64,
    action: Action,
) -> Result<ChatMember, ChatError> {
    let role = require(ctx, channel_id, own, action)?;
    let row = member(ctx, channel_id, character_id).ok_or(ChatError::MemberUnknown)?;
    if may(role, action, role_in(Some(&row))) { Ok(row) } else { Err(ChatError::NotAllowed) }
}
