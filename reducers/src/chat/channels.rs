//! Channels that players make: making, joining, leaving, inviting.
//!
//! Keeps true: a channel has one owner and goes with its last member; the counts of a channel are
//! those of its rows; whoever is neither in a closed channel nor invited is told of it as of one
//! that is not there, but that nobody else can have its name.
//!
//! Whoever is invited by somebody that it does not hear has a row as others have, so that who
//! invited it sees no difference, with the role of an outsider and shown to nobody: for itself that
//! row is none.

use super::store::instant;
use super::{living, living_name, present, speech};
use crate::commands::once;
use crate::ordered::ranges;
use crate::{Refusal, characters, friends, now_micros, realms, sequences};
use haven_rules::chat::roles::{
    Action, CHANNELS_OWNED_MAX, CHANNELS_PER_CHARACTER_MAX, MEMBERS_MAX, Role, may, next_owner,
    validate_name,
};
use haven_rules::chat::{ChatError, RULING_LIMIT, text};
use haven_rules::friends::What;
use haven_rules::keys::{joint_key, keys_of};
use haven_rules::sequences::Numbered;
use haven_tables::chat::channels::{
    ChatChannel, ChatMember, ChatRoster, ChatRosterName, ChatSlow, chat_ban, chat_channel,
    chat_member, chat_roster, chat_slow,
};
use haven_tables::commands::CommandId;
use spacetimedb::{Identity, ReducerContext, Table, reducer};

/// Makes a channel whose owner the caller's character is; everybody may join an open one.
///
/// # Errors
/// In this order: the caller's, `chat.not_in_world`, the command's, `chat.muted`, `chat.too_fast`,
/// `chat.channel_name`, `chat.channel_name_taken`, `chat.channels_too_many`,
/// `chat.channels_owned`.
#[reducer]
pub fn chat_channel_create(
    ctx: &ReducerContext,
    name: String,
    is_open: bool,
    command: CommandId,
) -> Result<(), Refusal> {
    let speaker = speech::Speaker::of_caller(ctx)?;
    let what = ("chat_channel_create", &name, is_open);
    once(ctx, speaker.account_id, command, &what, || {
        speaker.require_voice(ctx)?;
        speech::spend(ctx, speaker.account_id, RULING_LIMIT)?;
        let name = validate_name(&name, &speech::filter(ctx))?;
        let namesake = ctx.db.chat_channel().name_skeleton().find(&name.skeleton);
        if namesake.is_some() {
            return Err(ChatError::ChannelNameTaken.into());
        }
        require_room_for_one(ctx, speaker.character_id)?;
        if owned(ctx, speaker.account_id) >= CHANNELS_OWNED_MAX {
            return Err(ChatError::ChannelsOwned.into());
        }
        let channel = ctx.db.chat_channel().insert(ChatChannel {
            channel_id: sequences::next(ctx, Numbered::ChatChannel),
            name_skeleton: name.skeleton,
            name: name.display,
            members: 0,
            bans: 0,
            slow_seconds: 0,
            is_open,
        });
        admit(ctx, channel, speaker.character_id, Role::Owner, 0);
        Ok(())
    })
}

/// Joins an open channel, or one that the caller's character is invited to.
///
/// # Errors
/// In this order: the caller's, `chat.not_in_world`, the command's, `chat.too_fast`,
/// `chat.channel_unknown`, `chat.already_member`, `chat.banned`, `chat.channels_too_many`,
/// `chat.channel_full`.
#[reducer]
pub fn chat_channel_join(
    ctx: &ReducerContext,
    name: String,
    command: CommandId,
) -> Result<(), Refusal> {
    let (account_id, character_id) = present(ctx)?;
    once(ctx, account_id, command, &("chat_channel_join", &name), || {
        speech::spend(ctx, account_id, RULING_LIMIT)?;
        let skeleton = if name.len() > 256 { String::new() } else { text::skeleton(&name) };
        let channel = ctx.db.chat_channel().name_skeleton().find(&skeleton);
        let channel = channel.ok_or(ChatError::ChannelUnknown)?;
        let member = member(ctx, channel.channel_id, character_id);
        let role = role_in(member.as_ref());
        if role >= Role::Member {
            return Err(ChatError::AlreadyMember.into());
        }
        if role == Role::Outsider && !channel.is_open {
            return Err(ChatError::ChannelUnknown.into());
        }
        if is_banned(ctx, channel.channel_id, account_id) {
            return Err(ChatError::Banned.into());
        }
        if let Some(row) = member {
            if role == Role::Invited {
                let joined_at_micros = now_micros(ctx);
                let role = Role::Member.code();
                let row = ChatMember { role, joined_at_micros, ..row };
                ctx.db.chat_member().member_key().update(row);
                return Ok(());
            }
            put_out(ctx, &row);
        }
        require_room_for_one(ctx, character_id)?;
        let channel = find(ctx, channel.channel_id)?;
        require_room_in(&channel)?;
        admit(ctx, channel, character_id, Role::Member, 0);
        Ok(())
    })
}

/// Leaves a channel, or turns an invitation down. Where the owner leaves, the moderator who joined
/// first owns it, else the member who did; the channel goes with its last member.
///
/// # Errors
/// In this order: the caller's, `chat.not_in_world`, the command's, `chat.channel_unknown`.
#[reducer]
pub fn chat_channel_leave(
    ctx: &ReducerContext,
    channel_id: u64,
    command: CommandId,
) -> Result<(), Refusal> {
    let (account_id, character_id) = present(ctx)?;
    once(ctx, account_id, command, &("chat_channel_leave", channel_id), || {
        let row = member(ctx, channel_id, character_id).filter(is_known_to_its_own);
        put_out(ctx, &row.ok_or(ChatError::ChannelUnknown)?);
        Ok(())
    })
}

/// Invites a character to a channel. Whoever has blocked the caller, or whose choice keeps the
/// caller out, is not told of it; the caller sees no difference.
///
/// # Errors
/// In this order: the caller's, `chat.not_in_world`, the command's, `chat.muted`, `chat.too_fast`,
/// `chat.channel_unknown`, `chat.not_allowed`, `chat.target_unknown`, `chat.banned`,
/// `chat.already_member`, `chat.channel_full`, `chat.channels_too_many`.
#[reducer]
pub fn chat_channel_invite(
    ctx: &ReducerContext,
    channel_id: u64,
    name: String,
    command: CommandId,
) -> Result<(), Refusal> {
    let speaker = speech::Speaker::of_caller(ctx)?;
    let what = ("chat_channel_invite", channel_id, &name);
    once(ctx, speaker.account_id, command, &what, || {
        speaker.require_voice(ctx)?;
        speech::spend(ctx, speaker.account_id, RULING_LIMIT)?;
        require(ctx, channel_id, speaker.character_id, Action::Invite)?;
        let (target_id, target_account_id) = living(ctx, &name)?;
        if is_banned(ctx, channel_id, target_account_id) {
            return Err(ChatError::Banned.into());
        }
        if member(ctx, channel_id, target_id).is_some() {
            return Err(ChatError::AlreadyMember.into());
        }
        let channel = find(ctx, channel_id)?;
        require_room_in(&channel)?;
        let is_shown = !speech::is_shadow(ctx, speaker.account_id)
            && friends::may(ctx, What::Invites, target_account_id, speaker.account_id);
        let places = of_character(ctx, target_id);
        let counts = |row: &&ChatMember| !is_shown || is_known_to_its_own(row);
        require_room(places.iter().filter(counts).count())?;
        let role = if is_shown { Role::Invited } else { Role::Outsider };
        admit(ctx, channel, target_id, role, speaker.character_id);
        Ok(())
    })
}

/// Deletes a channel, whoever is in it.
///
/// # Errors
/// In this order: the caller's, `chat.not_in_world`, the command's, `chat.channel_unknown`,
/// `chat.not_allowed`.
#[reducer]
pub fn chat_channel_delete(
    ctx: &ReducerContext,
    channel_id: u64,
    command: CommandId,
) -> Result<(), Refusal> {
    let (account_id, character_id) = present(ctx)?;
    once(ctx, account_id, command, &("chat_channel_delete", channel_id), || {
        require(ctx, channel_id, character_id, Action::Delete)?;
        for row in members(ctx, channel_id) {
            ctx.db.chat_member().member_key().delete(row.member_key);
        }
        forget(ctx, channel_id);
        Ok(())
    })
}

/// Reads who is in a channel into the caller's row of `chat_roster`. Who is invited is not told to
/// be in the world, nor is who does not show that to the caller.
///
/// # Errors
/// In this order: the caller's, `chat.not_in_world`, `chat.channel_unknown`, `chat.not_allowed`,
/// `chat.too_fast`.
#[reducer]
pub fn chat_channel_roster(ctx: &ReducerContext, channel_id: u64) -> Result<(), Refusal> {
    let (account_id, character_id) = present(ctx)?;
    require(ctx, channel_id, character_id, Action::Read)?;
    speech::spend(ctx, account_id, RULING_LIMIT)?;
    // An invitation that is hidden from the caller's account is none for its other characters.
    let is_listed = |row: &ChatMember| {
        is_known_to_its_own(row) || characters::owner_of(ctx, row.character_id) != Some(account_id)
    };
    let listed = members(ctx, channel_id).into_iter().filter(is_listed);
    let names = listed.filter_map(|row| {
        let is_member = row.role >= Role::Member.code();
        Some(ChatRosterName {
            character_id: row.character_id,
            role: row.role.max(Role::Invited.code()),
            is_present: is_member && friends::shows_presence(ctx, row.character_id, account_id),
            name: living_name(ctx, row.character_id)?,
        })
    });
    let names = names.collect();
    let viewer = realms::viewer_of(ctx, account_id);
    forget_roster(ctx, account_id);
    ctx.db.chat_roster().insert(ChatRoster { account_id, viewer, channel_id, names });
    Ok(())
}

/// A channel.
///
/// # Errors
/// `ChannelUnknown`.
pub(super) fn find(ctx: &ReducerContext, channel_id: u64) -> Result<ChatChannel, ChatError> {
    ctx.db.chat_channel().channel_id().find(channel_id).ok_or(ChatError::ChannelUnknown)
}

/// A character's place in a channel.
pub(super) fn member(
    ctx: &ReducerContext,
    channel_id: u64,
    character_id: u64,
) -> Option<ChatMember> {
    ctx.db.chat_member().member_key().find(joint_key(channel_id, character_id))
}

pub(super) fn role_in(member: Option<&ChatMember>) -> Role {
    member.and_then(|row| Role::from_code(row.role)).unwrap_or(Role::Outsider)
}

/// What a character is to a channel.
pub(super) fn role_of(ctx: &ReducerContext, channel_id: u64, character_id: u64) -> Role {
    role_in(member(ctx, channel_id, character_id).as_ref())
}

/// What a character's role lets it do, where it is done to nobody.
///
/// # Errors
/// In this order: `ChannelUnknown` for whoever is neither a member nor invited, `NotAllowed`.
pub(super) fn require(
    ctx: &ReducerContext,
    channel_id: u64,
    character_id: u64,
    action: Action,
) -> Result<Role, ChatError> {
    let role = role_of(ctx, channel_id, character_id);
    if role == Role::Outsider {
        Err(ChatError::ChannelUnknown)
    } else if may(role, action, Role::Outsider) {
        Ok(role)
    } else {
        Err(ChatError::NotAllowed)
    }
}

/// Members and invited ones of a channel, in the order of their numbers: 500 at most.
pub(super) fn members(ctx: &ReducerContext, channel_id: u64) -> Vec<ChatMember> {
    ranges(ctx.db.chat_member().member_key()).filter(keys_of(channel_id)).collect()
}

/// A character's places in channels: ten at most, and as many that are hidden from it.
pub(super) fn of_character(ctx: &ReducerContext, character_id: u64) -> Vec<ChatMember> {
    ranges(ctx.db.chat_member().own_key()).filter(keys_of(character_id)).collect()
}

/// Channels that characters of an account own.
pub(super) fn owned(ctx: &ReducerContext, account_id: u64) -> usize {
    let own = characters::characters_of(ctx, account_id).into_iter();
    let places = own.flat_map(|character_id| of_character(ctx, character_id));
    places.filter(|row| row.role == Role::Owner.code()).count()
}

/// Whether a place is there for the character whose it is, and not only for who invited it.
fn is_known_to_its_own(row: &ChatMember) -> bool {
    role_in(Some(row)) != Role::Outsider
}

fn require_room_for_one(ctx: &ReducerContext, character_id: u64) -> Result<(), ChatError> {
    let places = of_character(ctx, character_id);
    require_room(places.iter().filter(|row| is_known_to_its_own(row)).count())
}

const fn require_room(held: usize) -> Result<(), ChatError> {
    if held >= CHANNELS_PER_CHARACTER_MAX { Err(ChatError::ChannelsTooMany) } else { Ok(()) }
}

fn require_room_in(channel: &ChatChannel) -> Result<(), ChatError> {
    if channel.members >= MEMBERS_MAX { Err(ChatError::ChannelFull) } else { Ok(()) }
}

pub(super) fn is_banned(ctx: &ReducerContext, channel_id: u64, account_id: u64) -> bool {
    ctx.db.chat_ban().ban_key().find(joint_key(channel_id, account_id)).is_some()
}

/// Gives a character a place in a channel; as an outsider one that it does not see.
fn admit(
    ctx: &ReducerContext,
    channel: ChatChannel,
    character_id: u64,
    role: Role,
    invited_by: u64,
) {
    let channel_id = channel.channel_id;
    let is_hidden = role == Role::Outsider;
    let own = characters::viewer_of(ctx, character_id);
    ctx.db.chat_member().insert(ChatMember {
        member_key: joint_key(channel_id, character_id),
        own_key: joint_key(character_id, channel_id),
        viewer: if is_hidden { Identity::ZERO } else { own },
        channel_id,
        character_id,
        invited_by,
        joined_at_micros: now_micros(ctx),
        slow_seconds: channel.slow_seconds,
        role: role.code(),
        channel_name: channel.name.clone(),
    });
    let members = channel.members + 1;
    ctx.db.chat_channel().channel_id().update(ChatChannel { members, ..channel });
}

/// Takes a character's place in a channel away; the channel has another owner or is gone, where
/// that one owned it. Who is deleted owns nothing that it does not own already: nobody could rule
/// the channel until it is restored.
pub(super) fn put_out(ctx: &ReducerContext, row: &ChatMember) {
    let channel_id = row.channel_id;
    ctx.db.chat_member().member_key().delete(row.member_key);
    let Ok(channel) = find(ctx, channel_id) else { return };
    let members_left = channel.members.saturating_sub(1);
    ctx.db.chat_channel().channel_id().update(ChatChannel { members: members_left, ..channel });
    if row.role != Role::Owner.code() {
        return;
    }
    let rows = members(ctx, channel_id);
    let standing = |row: &ChatMember| {
        characters::account_of(ctx, row.character_id)?;
        Some((Role::from_code(row.role)?, row.joined_at_micros, row.character_id))
    };
    let heirs: Vec<_> = rows.iter().filter_map(standing).collect();
    let heir = next_owner(&heirs).and_then(|heir| member(ctx, channel_id, heir));
    if let Some(heir) = heir {
        let role = Role::Owner.code();
        ctx.db.chat_member().member_key().update(ChatMember { role, ..heir });
    } else {
        for row in rows {
            ctx.db.chat_member().member_key().delete(row.member_key);
        }
        forget(ctx, channel_id);
    }
}

/// Removes a channel that nobody is in, and its bans. What was said in it goes with time.
fn forget(ctx: &ReducerContext, channel_id: u64) {
    ctx.db.chat_channel().channel_id().delete(channel_id);
    let bans: Vec<u128> = ranges(ctx.db.chat_ban().ban_key())
        .filter(keys_of(channel_id))
        .map(|row| row.ban_key)
        .collect();
    for ban_key in bans {
        ctx.db.chat_ban().ban_key().delete(ban_key);
    }
}

/// Refuses a member of a slow channel who has just spoken, and notes that it speaks now.
///
/// # Errors
/// `SlowMode`.
pub(super) fn wait_turn(
    ctx: &ReducerContext,
    channel_id: u64,
    character_id: u64,
) -> Result<(), ChatError> {
    let slow_seconds = find(ctx, channel_id)?.slow_seconds;
    let role = role_of(ctx, channel_id, character_id);
    if slow_seconds == 0 || may(role, Action::SpeakAtOnce, Role::Outsider) {
        return Ok(());
    }
    let slow_key = joint_key(channel_id, character_id);
    let now = now_micros(ctx);
    if let Some(row) = ctx.db.chat_slow().slow_key().find(slow_key) {
        if row.ready_key > joint_key(instant(now), character_id) {
            return Err(ChatError::SlowMode);
        }
        ctx.db.chat_slow().slow_key().delete(slow_key);
    }
    let ready_at_micros = now + i64::from(slow_seconds) * 1_000_000;
    let ready_key = joint_key(instant(ready_at_micros), character_id);
    ctx.db.chat_slow().insert(ChatSlow { slow_key, ready_key });
    Ok(())
}

pub(super) fn forget_roster(ctx: &ReducerContext, account_id: u64) {
    ctx.db.chat_roster().account_id().delete(account_id);
}

pub(super) fn character_purged(ctx: &ReducerContext, character_id: u64) {
    for row in of_character(ctx, character_id) {
        put_out(ctx, &row);
    }
}

pub(super) fn rebound(ctx: &ReducerContext, character_id: u64, viewer: Identity) {
    for row in of_character(ctx, character_id).into_iter().filter(is_known_to_its_own) {
        ctx.db.chat_member().member_key().update(ChatMember { viewer, ..row });
    }
}
