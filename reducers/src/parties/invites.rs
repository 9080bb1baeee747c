//! Invitations: who asks whom into a party.
//!
//! Keeps true: whether somebody is in the world, in a party, or has blocked who invites is not told
//! by any answer to that one; an invitation that is kept away lapses as any other.

use super::due::{self, Kind};
use super::rows;
use crate::authority::require_player;
use crate::ordered::ranges;
use crate::sequences;
use crate::{Refusal, characters, friends, now_micros};
use haven_rules::friends::What;
use haven_rules::friends::pace::Pace;
use haven_rules::keys::{joint_key, keys_of};
use haven_rules::parties::{INVITES_MAX, Party, PartyError, invite_lapses_at_micros};
use haven_rules::sequences::Numbered;
use haven_tables::characters::{Character, character};
use haven_tables::parties::{
    PartyInvitation, PartyInvitee, PartyPace, party_invitation, party_invitee, party_pace,
};
use spacetimedb::{Identity, ReducerContext, Table, reducer};

/// How often an account may invite: a raid can be filled at once.
const INVITES: Pace = Pace { burst: 40, interval_micros: 2_000_000 };
/// How often an account may change what all members see.
const CHANGES: Pace = Pace { burst: 60, interval_micros: 250_000 };

/// Invites the player of a name into the caller's party, or into one that is made when it accepts.
/// Of no use while it is not in the world or in another party, and kept away where it has blocked
/// the caller; neither is told.
///
/// # Errors
/// In this order: the caller's, `party.not_in_world`, `party.player_unknown`, `party.self`,
/// `party.not_assistant`, `party.full`, `party.blocked`, `party.invite_pending`,
/// `party.invites_too_many`, `party.too_fast`.
#[reducer]
pub fn party_invite(ctx: &ReducerContext, name: String) -> Result<(), Refusal> {
    let account_id = require_player(ctx)?.account_id;
    let own = characters::entity_of(ctx, account_id).ok_or(PartyError::CharacterAbsent)?;
    let (invited, other) = player_of(ctx, account_id, &name)?;
    let party = super::of(ctx, own);
    if let Some((_, party)) = &party {
        party.check_assistant(own)?;
        party.check_room()?;
    }
    if friends::has_blocked(ctx, account_id, other) {
        return Err(PartyError::Blocked.into());
    }
    let waiting = invitees(ctx, invited.character_id);
    if waiting.iter().any(|row| row.from_id == own) {
        return Err(PartyError::InvitePending.into());
    }
    if waiting.iter().filter(|row| !row.is_hidden).count() >= INVITES_MAX {
        return Err(PartyError::InvitesTooMany.into());
    }
    spend(ctx, account_id, INVITES, |row| &mut row.invites_on_time_at_micros)?;
    let is_hidden = !friends::may(ctx, What::Invites, other, account_id);
    let is_raid = party.is_some_and(|(_, party)| party.is_raid);
    invite(ctx, own, invited.character_id, is_raid, is_hidden);
    Ok(())
}

/// Accepts or refuses an invitation. Who invited is not told that it was refused.
///
/// # Errors
/// In this order: the caller's, `party.not_in_world`, `party.invite_unknown`; when it accepts
/// `party.already_in`, `party.invite_over`, `party.full`.
#[reducer]
pub fn party_answer(
    ctx: &ReducerContext,
    invitation_id: u64,
    accepts: bool,
) -> Result<(), Refusal> {
    let account_id = require_player(ctx)?.account_id;
    let own = characters::entity_of(ctx, account_id).ok_or(PartyError::CharacterAbsent)?;
    let row = ctx.db.party_invitee().invitation_id().find(invitation_id);
    let is_own =
        |row: &PartyInvitee| row.invitee_key == joint_key(own, row.invitation_id) && !row.is_hidden;
    let row = row.filter(is_own).ok_or(PartyError::InviteUnknown)?;
    let lapses = ctx.db.party_invitation().invitation_id().find(invitation_id);
    let now = now_micros(ctx);
    lapses.filter(|row| row.lapses_at_micros > now).ok_or(PartyError::InviteUnknown)?;
    if accepts {
        accept(ctx, own, row.from_id)?;
    }
    take_back(ctx, &row);
    Ok(())
}

fn accept(ctx: &ReducerContext, own: u64, from_id: u64) -> Result<(), PartyError> {
    if super::party_of(ctx, own).is_some() {
        return Err(PartyError::AlreadyIn);
    }
    characters::account_of(ctx, from_id).ok_or(PartyError::InviteOver)?;
    let now = now_micros(ctx);
    if let Some((party_id, before)) = super::of(ctx, from_id) {
        before.check_assistant(from_id).map_err(|_| PartyError::InviteOver)?;
        let mut after = before.clone();
        after.join(own, now)?;
        rows::write(ctx, party_id, &before, &after);
        return Ok(());
    }
    if !characters::is_present(ctx, from_id) {
        return Err(PartyError::InviteOver);
    }
    let mut party = Party::new(from_id, now);
    party.join(own, now)?;
    rows::make(ctx, &party);
    Ok(())
}

/// Another player's living character of that name, and its account.
fn player_of(
    ctx: &ReducerContext,
    account_id: u64,
    name: &str,
) -> Result<(Character, u64), PartyError> {
    let found = characters::by_name(ctx, name).ok_or(PartyError::PlayerUnknown)?;
    let other = characters::account_of(ctx, found.character_id);
    let other = other.ok_or(PartyError::PlayerUnknown)?;
    if other == account_id { Err(PartyError::Oneself) } else { Ok((found, other)) }
}

fn invite(ctx: &ReducerContext, own: u64, invited: u64, is_raid: bool, is_hidden: bool) {
    let name = ctx.db.character().character_id().find(own).map(|row| row.name);
    let viewer = if is_hidden { Identity::ZERO } else { characters::viewer_of(ctx, invited) };
    let lapses_at_micros = invite_lapses_at_micros(now_micros(ctx));
    let row = ctx.db.party_invitation().insert(PartyInvitation {
        invitation_id: sequences::next(ctx, Numbered::PartyInvitation),
        viewer,
        from_id: own,
        lapses_at_micros,
        is_raid,
        name: name.unwrap_or_default(),
    });
    let invitation_id = row.invitation_id;
    ctx.db.party_invitee().insert(PartyInvitee {
        invitation_id,
        invitee_key: joint_key(invited, invitation_id),
        from_id: own,
        is_hidden,
    });
    due::set(ctx, Kind::Invite, lapses_at_micros, invitation_id);
}

/// All invitations of a character: shown ones are at most `INVITES_MAX`, hidden ones at most one of
/// each character that is blocked.
fn invitees(ctx: &ReducerContext, character_id: u64) -> Vec<PartyInvitee> {
    let keys = keys_of(character_id);
    ranges(ctx.db.party_invitee().invitee_key()).filter(keys).collect()
}

fn take_back(ctx: &ReducerContext, row: &PartyInvitee) {
    let invitation_id = row.invitation_id;
    if let Some(shown) = ctx.db.party_invitation().invitation_id().find(invitation_id) {
        due::forget(ctx, Kind::Invite, shown.lapses_at_micros, invitation_id);
    }
    ctx.db.party_invitation().invitation_id().delete(invitation_id);
    ctx.db.party_invitee().invitation_id().delete(invitation_id);
}

/// The time of an invitation is over.
pub(super) fn lapse(ctx: &ReducerContext, invitation_id: u64) {
    if let Some(row) = ctx.db.party_invitee().invitation_id().find(invitation_id) {
        take_back(ctx, &row);
    }
}

/// An account has blocked another one: invitations of that one are shown no more. They lapse when
/// they would have.
pub(crate) fn blocked(ctx: &ReducerContext, account_id: u64, other_account_id: u64) {
    for character_id in characters::characters_of(ctx, account_id) {
        for row in invitees(ctx, character_id) {
            let is_of_other = characters::owner_of(ctx, row.from_id) == Some(other_account_id);
            if is_of_other && !row.is_hidden {
                let id = row.invitation_id;
                ctx.db
                    .party_invitee()
                    .invitation_id()
                    .update(PartyInvitee { is_hidden: true, ..row });
                if let Some(shown) = ctx.db.party_invitation().invitation_id().find(id) {
                    let viewer = Identity::ZERO;
                    let hidden = PartyInvitation { viewer, ..shown };
                    ctx.db.party_invitation().invitation_id().update(hidden);
                }
            }
        }
    }
}

/// A character is gone for good.
pub(super) fn purged(ctx: &ReducerContext, character_id: u64) {
    for row in invitees(ctx, character_id) {
        take_back(ctx, &row);
    }
}

/// A character's invitations are shown to another client, but for those that are hidden.
pub(super) fn rebound(ctx: &ReducerContext, character_id: u64, viewer: Identity) {
    for row in invitees(ctx, character_id).into_iter().filter(|row| !row.is_hidden) {
        let id = row.invitation_id;
        if let Some(shown) = ctx.db.party_invitation().invitation_id().find(id) {
            let shown = PartyInvitation { viewer, ..shown };
            ctx.db.party_invitation().invitation_id().update(shown);
        }
    }
}

/// One more change that all members see.
///
/// # Errors
/// `party.too_fast`.
pub(super) fn spend_change(ctx: &ReducerContext, account_id: u64) -> Result<(), PartyError> {
    spend(ctx, account_id, CHANGES, |row| &mut row.changes_on_time_at_micros)
}

fn spend(
    ctx: &ReducerContext,
    account_id: u64,
    pace: Pace,
    kept: impl FnOnce(&mut PartyPace) -> &mut i64,
) -> Result<(), PartyError> {
    let known = ctx.db.party_pace().account_id().find(account_id);
    let is_known = known.is_some();
    let mut row = known.unwrap_or(PartyPace {
        account_id,
        invites_on_time_at_micros: 0,
        changes_on_time_at_micros: 0,
    });
    let kept = kept(&mut row);
    *kept = pace.spend(*kept, now_micros(ctx)).ok_or(PartyError::TooFast)?;
    if is_known {
        ctx.db.party_pace().account_id().update(row);
    } else {
        ctx.db.party_pace().insert(row);
    }
    Ok(())
}
