//! Who asks whom: invitations and requests.
//!
//! Keeps true: what is open is bounded for a character and for a guild, and is over when the
//! character joins any guild; who has blocked the one who invites hears nothing of it, and that one
//! cannot tell.

use super::{Own, founding, grant_of, members, past, ranks_of, words};
use crate::authority::require_player;
use crate::content::book;
use crate::ordered::ranges;
use crate::{Refusal, characters, chat, friends, notices, now_micros};
use haven_rules::friends::What;
use haven_rules::guilds::log::Line;
use haven_rules::guilds::rights::{Right, has};
use haven_rules::guilds::{
    GuildError, INVITES_PER_CHARACTER_MAX, INVITES_PER_GUILD_MAX, NOTE_CHARS_MAX, REQUEST_TOLD_MAX,
    REQUESTS_PER_CHARACTER_MAX, REQUESTS_PER_GUILD_MAX,
};
use haven_rules::keys::{joint_key, keys_of};
use haven_rules::notices::{LIFETIME_SECONDS_MAX, LIFETIME_SECONDS_MIN, NoticeKind, Wording};
use haven_tables::characters::{Character, character};
use haven_tables::guilds::asking::{
    GuildInvite, GuildRequest, guild_ban, guild_invite, guild_request,
};
use haven_tables::guilds::{Guild, guild, guild_member};
use spacetimedb::{Identity, ReducerContext, Table, reducer};
use std::collections::BTreeSet;

/// When what is asked now ends, microseconds since 1970.
fn ends_at_micros(ctx: &ReducerContext) -> i64 {
    now_micros(ctx) + book(ctx).setting("guild_invite_seconds") * 1_000_000
}

fn is_banned(ctx: &ReducerContext, guild_id: u64, account_id: u64) -> bool {
    ctx.db.guild_ban().ban_key().find(joint_key(guild_id, account_id)).is_some()
}

/// Invites the character of that name, whether or not it is in the world. Who is invited again has
/// the invitation for longer.
///
/// # Errors
/// In this order: the caller's, `guild.not_in_world`, `guild.none`, `guild.too_fast`,
/// `guild.right_missing`, `guild.target_unknown`, `guild.has_guild`, `guild.banned`,
/// `guild.invites_too_many`.
#[reducer]
pub fn guild_member_invite(ctx: &ReducerContext, name: String) -> Result<(), Refusal> {
    let own = Own::with(ctx, Right::Invite)?;
    let guild_id = own.guild_id();
    let other = characters::by_name(ctx, &name).ok_or(GuildError::TargetUnknown)?;
    let character_id = other.character_id;
    if characters::account_of(ctx, character_id).is_none() {
        return Err(GuildError::TargetUnknown.into());
    }
    if super::guild_of(ctx, character_id).is_some() {
        return Err(GuildError::HasGuild.into());
    }
    if is_banned(ctx, guild_id, other.account_id) {
        return Err(GuildError::Banned.into());
    }
    let (guild_key, invite_key) =
        (joint_key(guild_id, character_id), joint_key(character_id, guild_id));
    let before = ctx.db.guild_invite().invite_key().find(invite_key);
    let is_renewed = ctx.db.guild_invite().invite_key().delete(invite_key);
    let mut others = ranges(ctx.db.guild_invite().guild_key()).filter(keys_of(guild_id));
    let of_other = ranges(ctx.db.guild_invite().invite_key()).filter(keys_of(character_id));
    let mut shown = of_other.filter(|row| !row.is_silent);
    let is_full = others.nth(INVITES_PER_GUILD_MAX - 1).is_some()
        || shown.nth(INVITES_PER_CHARACTER_MAX - 1).is_some();
    if is_full {
        return Err(GuildError::InvitesTooMany.into());
    }
    let is_admitted = friends::may(ctx, What::Invites, other.account_id, own.account_id);
    // One that another member's call has shown stays shown, and that one's.
    let by_other = before.filter(|row| !is_admitted && !row.is_silent);
    let is_silent = !is_admitted && by_other.is_none();
    let shown_to = characters::viewer_of(ctx, character_id);
    let ends_at_micros = ends_at_micros(ctx);
    ctx.db.guild_invite().insert(GuildInvite {
        invite_key,
        guild_key,
        due_key: past::due_key(ctx, ends_at_micros),
        viewer: if is_silent { Identity::ZERO } else { shown_to },
        character_id,
        guild_id,
        ends_at_micros,
        is_silent,
        guild_name: own.guild.name.clone(),
        by_name: by_other.map_or_else(|| own.member.name.clone(), |row| row.by_name),
        name: other.name.clone(),
    });
    if !is_renewed {
        own.tell(ctx, Line::Invited, (character_id, &other.name), 0, 0);
    }
    Ok(())
}

/// Takes back an invitation of the caller's guild.
///
/// # Errors
/// In this order: the caller's, `guild.not_in_world`, `guild.none`, `guild.too_fast`,
/// `guild.right_missing`, `guild.invite_unknown`.
#[reducer]
pub fn guild_invite_revoke(ctx: &ReducerContext, character_id: u64) -> Result<(), Refusal> {
    let own = Own::with(ctx, Right::Invite)?;
    let key = joint_key(character_id, own.guild_id());
    let row = ctx.db.guild_invite().invite_key().find(key).ok_or(GuildError::InviteUnknown)?;
    ctx.db.guild_invite().invite_key().delete(key);
    own.tell(ctx, Line::TurnedDown, (character_id, &row.name), 0, 0);
    Ok(())
}

/// The invitation of a guild that a character was shown and that has not ended.
fn invite_of(
    ctx: &ReducerContext,
    character_id: u64,
    guild_id: u64,
) -> Result<GuildInvite, GuildError> {
    let row = ctx.db.guild_invite().invite_key().find(joint_key(character_id, guild_id));
    let is_open = |row: &GuildInvite| !row.is_silent && row.ends_at_micros > now_micros(ctx);
    row.filter(is_open).ok_or(GuildError::InviteUnknown)
}

/// Accepts an invitation: the caller's character is a member, with the lowest rank, and whatever
/// else it was asked or has asked is over.
///
/// # Errors
/// In this order: the caller's, `guild.not_in_world`, `guild.has_guild`, `guild.too_fast`,
/// `guild.invite_unknown`, `guild.full`.
#[reducer]
pub fn guild_invite_accept(ctx: &ReducerContext, guild_id: u64) -> Result<(), Refusal> {
    let player = require_player(ctx)?;
    let own = founding::guildless(ctx, player)?;
    let invite = invite_of(ctx, own.character_id, guild_id)?;
    members::check_room(ctx, &super::guild_row(ctx, guild_id))?;
    members::join(ctx, guild_id, &own, &members::lowest_rank(ctx, guild_id));
    let (actor, subject) = ((0, invite.by_name.as_str()), (own.character_id, own.name.as_str()));
    let told = past::Told { line: Line::Joined, actor, subject, amount: 0, tab: 0 };
    past::tell(ctx, guild_id, told);
    Ok(())
}

/// Declines an invitation.
///
/// # Errors
/// In this order: the caller's, `guild.not_in_world`, `guild.invite_unknown`.
#[reducer]
pub fn guild_invite_decline(ctx: &ReducerContext, guild_id: u64) -> Result<(), Refusal> {
    let player = require_player(ctx)?;
    let own = characters::entity_of(ctx, player.account_id);
    let own = own.ok_or(GuildError::CharacterAbsent)?;
    let row = invite_of(ctx, own, guild_id)?;
    ctx.db.guild_invite().invite_key().delete(row.invite_key);
    Ok(())
}

/// Asks a guild to be let in. Who asks again has the request for longer, and with other words. Of a
/// new request those who may answer it are told by a notice. Of who is muted as a shadow nobody
/// hears, and it is not told.
///
/// # Errors
/// In this order: the caller's, `guild.not_in_world`, `guild.has_guild`, `guild.too_fast`,
/// `guild.text_invalid`, `chat.muted`, `chat.word_refused`, `chat.link_refused`, `guild.unknown`,
/// `guild.banned`, `guild.requests_too_many`.
#[reducer]
pub fn guild_request_send(
    ctx: &ReducerContext,
    guild_id: u64,
    text: String,
) -> Result<(), Refusal> {
    let player = require_player(ctx)?;
    let own = founding::guildless(ctx, player)?;
    let character_id = own.character_id;
    let text = words::said(ctx, player.account_id, &text, NOTE_CHARS_MAX)?;
    let guild = ctx.db.guild().guild_id().find(guild_id).ok_or(GuildError::Unknown)?;
    if is_banned(ctx, guild_id, player.account_id) {
        return Err(GuildError::Banned.into());
    }
    let (guild_key, request_key) =
        (joint_key(guild_id, character_id), joint_key(character_id, guild_id));
    let is_renewed = ctx.db.guild_request().request_key().delete(request_key);
    let mut others = ranges(ctx.db.guild_request().guild_key()).filter(keys_of(guild_id));
    let mut of_own = ranges(ctx.db.guild_request().request_key()).filter(keys_of(character_id));
    let is_full = others.nth(REQUESTS_PER_GUILD_MAX - 1).is_some()
        || of_own.nth(REQUESTS_PER_CHARACTER_MAX - 1).is_some();
    if is_full {
        return Err(GuildError::RequestsTooMany.into());
    }
    let ends_at_micros = ends_at_micros(ctx);
    ctx.db.guild_request().insert(GuildRequest {
        request_key,
        guild_key,
        due_key: past::due_key(ctx, ends_at_micros),
        viewer: characters::viewer_of(ctx, character_id),
        character_id,
        guild_id,
        ends_at_micros,
        guild_name: guild.name.clone(),
        name: own.name.clone(),
        text,
    });
    if !is_renewed && !is_unheard(ctx, character_id) {
        tell_of_request(ctx, &guild, &own);
    }
    Ok(())
}

/// Whether a character's account is muted without being told: for all others it asks nothing.
pub(super) fn is_unheard(ctx: &ReducerContext, character_id: u64) -> bool {
    let account_id = characters::owner_of(ctx, character_id);
    account_id.is_some_and(|account_id| chat::is_shadow(ctx, account_id))
}

/// Tells those who may let somebody in that a character asks, the highest first, in the world or
/// not. Whoever has blocked it hears nothing; who has not read it yet is not told again.
fn tell_of_request(ctx: &ReducerContext, guild: &Guild, own: &Character) {
    let guild_id = guild.guild_id;
    let mut ranks = ranks_of(ctx, guild_id);
    ranks.retain(|rank| has(grant_of(rank).rights, Right::Invite));
    let place = |rank: u8| ranks.iter().position(|row| row.rank == rank);
    let members = ctx.db.guild_member().by_guild().filter(guild_id);
    let mut officers: Vec<(usize, u64)> =
        members.filter_map(|row| Some((place(row.rank)?, row.character_id))).collect();
    officers.sort_unstable();
    let seconds = u32::try_from(book(ctx).setting("guild_invite_seconds")).unwrap_or(u32::MAX);
    let seconds = seconds.clamp(LIFETIME_SECONDS_MIN, LIFETIME_SECONDS_MAX);
    let mut told = BTreeSet::from([own.account_id]);
    for (_, character_id) in officers {
        let Some(account_id) = characters::account_of(ctx, character_id) else { continue };
        if friends::has_blocked(ctx, account_id, own.account_id) || !told.insert(account_id) {
            continue;
        }
        let title = format!("{} asks to join {}", own.name, guild.name);
        let wording = Wording { title, body: String::new() };
        notices::tell_once(ctx, account_id, NoticeKind::Game, wording, seconds);
        // The one who asks is none of them.
        if told.len() > REQUEST_TOLD_MAX {
            break;
        }
    }
}

/// Takes back the caller's request.
///
/// # Errors
/// In this order: the caller's, `guild.not_in_world`, `guild.request_unknown`.
#[reducer]
pub fn guild_request_cancel(ctx: &ReducerContext, guild_id: u64) -> Result<(), Refusal> {
    let player = require_player(ctx)?;
    let own = characters::entity_of(ctx, player.account_id);
    let own = own.ok_or(GuildError::CharacterAbsent)?;
    if ctx.db.guild_request().request_key().delete(joint_key(own, guild_id)) {
        Ok(())
    } else {
        Err(GuildError::RequestUnknown.into())
    }
}

/// The request of a character to the caller's guild that has not ended.
fn request_of(
    ctx: &ReducerContext,
    own: &Own,
    character_id: u64,
) -> Result<GuildRequest, GuildError> {
    let row = ctx.db.guild_request().request_key().find(joint_key(character_id, own.guild_id()));
    let is_open = |row: &GuildRequest| {
        row.ends_at_micros > now_micros(ctx)
            && characters::account_of(ctx, character_id).is_some()
            && !is_unheard(ctx, character_id)
    };
    row.filter(is_open).ok_or(GuildError::RequestUnknown)
}

/// Lets in a character that asked, with the lowest rank, whether or not it is in the world.
///
/// # Errors
/// In this order: the caller's, `guild.not_in_world`, `guild.none`, `guild.too_fast`,
/// `guild.right_missing`, `guild.request_unknown`, `guild.full`.
#[reducer]
pub fn guild_request_accept(ctx: &ReducerContext, character_id: u64) -> Result<(), Refusal> {
    let own = Own::with(ctx, Right::Invite)?;
    request_of(ctx, &own, character_id)?;
    let other = ctx.db.character().character_id().find(character_id);
    let other = other.ok_or(GuildError::RequestUnknown)?;
    members::check_room(ctx, &own.guild)?;
    members::join(ctx, own.guild_id(), &other, &members::lowest_rank(ctx, own.guild_id()));
    own.tell(ctx, Line::Joined, (character_id, &other.name), 0, 0);
    Ok(())
}

/// Refuses a character that asked.
///
/// # Errors
/// In this order: the caller's, `guild.not_in_world`, `guild.none`, `guild.too_fast`,
/// `guild.right_missing`, `guild.request_unknown`.
#[reducer]
pub fn guild_request_refuse(ctx: &ReducerContext, character_id: u64) -> Result<(), Refusal> {
    let own = Own::with(ctx, Right::Invite)?;
    let row = request_of(ctx, &own, character_id)?;
    ctx.db.guild_request().request_key().delete(row.request_key);
    own.tell(ctx, Line::TurnedDown, (character_id, &row.name), 0, 0);
    Ok(())
}

/// Ends all that a character was asked and has asked.
pub(super) fn forget_all(ctx: &ReducerContext, character_id: u64) {
    let keys = keys_of(character_id);
    let invites = ranges(ctx.db.guild_invite().invite_key()).filter(keys.clone());
    for key in invites.map(|row| row.invite_key).collect::<Vec<_>>() {
        ctx.db.guild_invite().invite_key().delete(key);
    }
    let requests = ranges(ctx.db.guild_request().request_key()).filter(keys);
    for key in requests.map(|row| row.request_key).collect::<Vec<_>>() {
        ctx.db.guild_request().request_key().delete(key);
    }
}

/// An account has blocked another one: invitations that one sent are shown no more. They count for
/// its guild until they would have ended, so that it cannot tell.
pub(crate) fn blocked(ctx: &ReducerContext, account_id: u64, other_account_id: u64) {
    let is_of_other = |row: &GuildInvite| {
        let by = characters::by_name(ctx, &row.by_name);
        by.is_some_and(|by| by.account_id == other_account_id)
    };
    for character_id in characters::characters_of(ctx, account_id) {
        let invites = ranges(ctx.db.guild_invite().invite_key()).filter(keys_of(character_id));
        let shown = invites.filter(|row| !row.is_silent && is_of_other(row));
        for row in shown.collect::<Vec<_>>() {
            let hidden = GuildInvite { viewer: Identity::ZERO, is_silent: true, ..row };
            ctx.db.guild_invite().invite_key().update(hidden);
        }
    }
}

/// A character that is asked or asks has another name.
pub(super) fn renamed(ctx: &ReducerContext, character_id: u64, name: &str) {
    let keys = keys_of(character_id);
    let invites = ranges(ctx.db.guild_invite().invite_key()).filter(keys.clone());
    for row in invites.collect::<Vec<_>>() {
        let row = GuildInvite { name: name.to_owned(), ..row };
        ctx.db.guild_invite().invite_key().update(row);
    }
    let requests = ranges(ctx.db.guild_request().request_key()).filter(keys);
    for row in requests.collect::<Vec<_>>() {
        let row = GuildRequest { name: name.to_owned(), ..row };
        ctx.db.guild_request().request_key().update(row);
    }
}

/// Who has invited for a guild has another name: at most `INVITES_PER_GUILD_MAX` rows.
pub(super) fn inviter_renamed(ctx: &ReducerContext, guild_id: u64, before: &str, name: &str) {
    let invites = ranges(ctx.db.guild_invite().guild_key()).filter(keys_of(guild_id));
    for row in invites.filter(|row| row.by_name == before).collect::<Vec<_>>() {
        let row = GuildInvite { by_name: name.to_owned(), ..row };
        ctx.db.guild_invite().invite_key().update(row);
    }
}

/// Ends what a guild and a character asked each other.
pub(super) fn forget(ctx: &ReducerContext, guild_id: u64, character_id: u64) {
    let key = joint_key(character_id, guild_id);
    ctx.db.guild_invite().invite_key().delete(key);
    ctx.db.guild_request().request_key().delete(key);
}

/// What a character was asked and has asked is shown to somebody else than before.
pub(super) fn rebind(ctx: &ReducerContext, character_id: u64, viewer: Identity) {
    let keys = keys_of(character_id);
    let invites = ranges(ctx.db.guild_invite().invite_key()).filter(keys.clone());
    for row in invites.filter(|row| !row.is_silent).collect::<Vec<_>>() {
        ctx.db.guild_invite().invite_key().update(GuildInvite { viewer, ..row });
    }
    let requests = ranges(ctx.db.guild_request().request_key()).filter(keys);
    for row in requests.collect::<Vec<_>>() {
        ctx.db.guild_request().request_key().update(GuildRequest { viewer, ..row });
    }
}

/// Removes what has ended, at most so many of each.
pub(super) fn sweep(ctx: &ReducerContext, rows_max: usize) {
    let up_to = past::due_up_to(now_micros(ctx));
    let invites = ranges(ctx.db.guild_invite().due_key()).filter(..=up_to).take(rows_max);
    for key in invites.map(|row| row.invite_key).collect::<Vec<_>>() {
        ctx.db.guild_invite().invite_key().delete(key);
    }
    let requests = ranges(ctx.db.guild_request().due_key()).filter(..=up_to).take(rows_max);
    for key in requests.map(|row| row.request_key).collect::<Vec<_>>() {
        ctx.db.guild_request().request_key().delete(key);
    }
}
