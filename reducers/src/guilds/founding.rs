//! Founding guilds, charters that collect signatures for it, and disbanding.
//!
//! Keeps true: no two guilds have names that look alike; a charter has one signature of an account
//! and none of its founder's; a guild that is disbanded leaves nothing in its bank.

use super::{Own, members, pace, past};
use crate::authority::{Player, require_player};
use crate::commands::once;
use crate::content::book;
use crate::economy::{Cause, Purse, pay};
use crate::ordered::ranges;
use crate::sequences;
use crate::{Refusal, characters, chat, friends, now_micros};
use haven_rules::economy::{CauseKind, Sink};
use haven_rules::guilds::log::Line;
use haven_rules::guilds::ranks::RANKS_AT_FIRST;
use haven_rules::guilds::{CHARTER_DAYS, GuildError, GuildName, validate_name};
use haven_rules::keys::{joint_key, keys_of};
use haven_rules::sequences::Numbered;
use haven_tables::characters::{Character, character};
use haven_tables::commands::CommandId;
use haven_tables::guilds::asking::{GuildCharter, GuildSignature, guild_charter, guild_signature};
use haven_tables::guilds::{Guild, GuildEmblem, GuildRank, guild, guild_member, guild_rank};
use spacetimedb::{Identity, ReducerContext, Table, reducer};

/// Founds a guild that the caller leads. It costs `guild_cost_copper`; where the settings ask for
/// signatures, those who signed the caller's charter of that name become members.
///
/// # Errors
/// In this order: the caller's, the command's, `guild.not_in_world`, `guild.has_guild`,
/// `guild.too_fast`, the name's (`guild.name_…`, `chat.muted`, `chat.word_refused` before
/// `guild.name_taken`), `guild.signatures_missing`, those of the coins (`economy.…`).
#[reducer]
pub fn guild_found(ctx: &ReducerContext, name: String, command: CommandId) -> Result<(), Refusal> {
    let player = require_player(ctx)?;
    let what = ("guild_found", &name);
    once(ctx, player.account_id, command, &what, || found(ctx, player, &name))
}

fn found(ctx: &ReducerContext, player: Player, name: &str) -> Result<(), Refusal> {
    let founder = guildless(ctx, player)?;
    let name = free_name(ctx, player.account_id, name)?;
    let signers = signers_of(ctx, founder.character_id, &name)?;
    let guild_id = insert(ctx, &name);
    let cost = u64::try_from(book(ctx).setting("guild_cost_copper")).unwrap_or(0);
    if cost > 0 {
        let who = (player.account_id, founder.character_id);
        let cause = Cause::new(ctx, CauseKind::GuildCost, who, guild_id);
        let wallet = Purse::wallet(ctx, founder.character_id);
        pay(ctx, &cause, wallet, Purse::sink(Sink::Guild), cost)?;
    }
    let ranks = super::ranks_of(ctx, guild_id);
    let actor = (founder.character_id, founder.name.as_str());
    let line = |line, subject| past::Told { line, actor, subject, amount: 0, tab: 0 };
    past::tell(ctx, guild_id, line(Line::Founded, (guild_id, name.display.as_str())));
    members::join(ctx, guild_id, &founder, &ranks[0]);
    for signer in &signers {
        let is_room = members::check_room(ctx, &super::guild_row(ctx, guild_id)).is_ok();
        if is_room {
            members::join(ctx, guild_id, signer, &ranks[ranks.len() - 1]);
            past::tell(ctx, guild_id, line(Line::Joined, (signer.character_id, &signer.name)));
        }
    }
    Ok(())
}

/// The caller's character, which is in no guild.
///
/// # Errors
/// In this order: `guild.not_in_world`, `guild.has_guild`, `guild.too_fast`.
pub(super) fn guildless(ctx: &ReducerContext, player: Player) -> Result<Character, GuildError> {
    let own = characters::entity_of(ctx, player.account_id);
    let own = own.and_then(|own| ctx.db.character().character_id().find(own));
    let own = own.ok_or(GuildError::CharacterAbsent)?;
    if ctx.db.guild_member().character_id().find(own.character_id).is_some() {
        return Err(GuildError::HasGuild);
    }
    pace::spend(ctx, player.account_id)?;
    Ok(own)
}

/// A name that no guild has, without words that are not said in chat.
///
/// # Errors
/// Those of names, then `chat.muted`, `chat.word_refused`, `guild.name_taken`.
pub(super) fn free_name(
    ctx: &ReducerContext,
    account_id: u64,
    name: &str,
) -> Result<GuildName, Refusal> {
    let name = validate_name(name)?;
    chat::decent_name(ctx, account_id, &name.display)?;
    let taken = ctx.db.guild().name_skeleton().find(&name.skeleton);
    if taken.is_some() { Err(GuildError::NameTaken.into()) } else { Ok(name) }
}

fn insert(ctx: &ReducerContext, name: &GuildName) -> u64 {
    let emblem =
        GuildEmblem { symbol: 0, symbol_color: 0, border: 0, border_color: 0, ground_color: 0 };
    let row = ctx.db.guild().insert(Guild {
        guild_id: sequences::next(ctx, Numbered::Guild),
        founded_at_micros: now_micros(ctx),
        members: 0,
        leaders: 0,
        level: 1,
        tabs: 0,
        emblem,
        name: name.display.clone(),
        name_skeleton: name.skeleton.clone(),
    });
    for (rank, (name, grant)) in (0_u8..).zip(RANKS_AT_FIRST) {
        ctx.db.guild_rank().insert(GuildRank {
            rank_key: super::rank_key(row.guild_id, rank),
            guild_id: row.guild_id,
            copper_per_day: grant.copper_per_day,
            rights: grant.rights,
            tab_rights: grant.tab_rights,
            rank,
            position: rank,
            items_per_day: grant.items_per_day.to_vec(),
            name: name.to_owned(),
        });
    }
    row.guild_id
}

fn signatures_min(ctx: &ReducerContext) -> u16 {
    u16::try_from(book(ctx).setting("guild_signatures_min")).unwrap_or(0)
}

/// Who signed the founder's charter and may become a member: none where none need sign.
fn signers_of(
    ctx: &ReducerContext,
    character_id: u64,
    name: &GuildName,
) -> Result<Vec<Character>, GuildError> {
    let needed = signatures_min(ctx);
    if needed == 0 {
        return Ok(vec![]);
    }
    let charter = charter_of(ctx, character_id).filter(|row| {
        validate_name(&row.name).is_ok_and(|of_charter| of_charter.skeleton == name.skeleton)
    });
    if charter.is_none_or(|row| row.signatures < needed) {
        return Err(GuildError::SignaturesMissing);
    }
    let rows = ranges(ctx.db.guild_signature().signature_key()).filter(keys_of(character_id));
    let is_free = |signer: &u64| {
        characters::account_of(ctx, *signer).is_some() && super::guild_of(ctx, *signer).is_none()
    };
    let signers = rows.filter(|row| !row.is_hidden).map(|row| row.character_id).filter(is_free);
    Ok(signers.filter_map(|signer| ctx.db.character().character_id().find(signer)).collect())
}

/// The charter of a character that has not ended.
fn charter_of(ctx: &ReducerContext, character_id: u64) -> Option<GuildCharter> {
    let row = ctx.db.guild_charter().character_id().find(character_id);
    row.filter(|row| row.ends_at_micros > now_micros(ctx))
}

/// Opens a charter for a guild of that name, for seven days; one that the caller had is over.
///
/// # Errors
/// In this order: the caller's, `guild.not_in_world`, `guild.has_guild`, `guild.too_fast`, the
/// name's (`guild.name_…`, `chat.muted`, `chat.word_refused` before `guild.name_taken`).
#[reducer]
pub fn guild_charter_open(ctx: &ReducerContext, name: String) -> Result<(), Refusal> {
    let player = require_player(ctx)?;
    let own = guildless(ctx, player)?;
    let name = free_name(ctx, player.account_id, &name)?;
    forget_charter(ctx, own.character_id);
    let ends_at_micros = now_micros(ctx) + i64::from(CHARTER_DAYS) * 86_400_000_000;
    ctx.db.guild_charter().insert(GuildCharter {
        character_id: own.character_id,
        due_key: past::due_key(ctx, ends_at_micros),
        viewer: characters::viewer_of(ctx, own.character_id),
        ends_at_micros,
        signatures: 0,
        name: name.display,
    });
    Ok(())
}

/// Signs the charter of the character of that name: who signs becomes a member when the guild is
/// founded. Signing again changes nothing.
///
/// # Errors
/// In this order: the caller's, `guild.not_in_world`, `guild.has_guild`, `guild.too_fast`,
/// `guild.charter_unknown`, `guild.target_self`, `guild.charter_full`.
#[reducer]
pub fn guild_charter_sign(ctx: &ReducerContext, founder: String) -> Result<(), Refusal> {
    let player = require_player(ctx)?;
    let own = guildless(ctx, player)?;
    let founder = characters::by_name(ctx, &founder).ok_or(GuildError::CharterUnknown)?;
    let charter = charter_of(ctx, founder.character_id).ok_or(GuildError::CharterUnknown)?;
    if founder.account_id == player.account_id {
        return Err(GuildError::TargetSelf.into());
    }
    let signature_key = joint_key(founder.character_id, player.account_id);
    if ctx.db.guild_signature().signature_key().find(signature_key).is_some() {
        return Ok(());
    }
    if charter.signatures >= signatures_min(ctx) {
        return Err(GuildError::CharterFull.into());
    }
    let is_hidden = friends::has_blocked(ctx, founder.account_id, player.account_id);
    let character_id = own.character_id;
    ctx.db.guild_signature().insert(GuildSignature { signature_key, character_id, is_hidden });
    if !is_hidden {
        let signatures = charter.signatures + 1;
        ctx.db.guild_charter().character_id().update(GuildCharter { signatures, ..charter });
    }
    Ok(())
}

/// Ends the caller's charter.
///
/// # Errors
/// In this order: the caller's, `guild.not_in_world`, `guild.has_guild`, `guild.too_fast`,
/// `guild.charter_unknown`.
#[reducer]
pub fn guild_charter_withdraw(ctx: &ReducerContext) -> Result<(), Refusal> {
    let player = require_player(ctx)?;
    let own = guildless(ctx, player)?;
    charter_of(ctx, own.character_id).ok_or(GuildError::CharterUnknown)?;
    forget_charter(ctx, own.character_id);
    Ok(())
}

/// Removes a character's charter, if it has one, with at most 50 signatures.
pub(super) fn forget_charter(ctx: &ReducerContext, character_id: u64) {
    if !ctx.db.guild_charter().character_id().delete(character_id) {
        return;
    }
    let rows = ranges(ctx.db.guild_signature().signature_key()).filter(keys_of(character_id));
    for key in rows.map(|row| row.signature_key).collect::<Vec<_>>() {
        ctx.db.guild_signature().signature_key().delete(key);
    }
}

/// A charter is shown to somebody else than before.
pub(super) fn rebind(ctx: &ReducerContext, character_id: u64, viewer: Identity) {
    if let Some(row) = ctx.db.guild_charter().character_id().find(character_id) {
        ctx.db.guild_charter().character_id().update(GuildCharter { viewer, ..row });
    }
}

/// Removes charters that have ended, at most so many.
pub(super) fn sweep(ctx: &ReducerContext, rows_max: usize) {
    let up_to = past::due_up_to(now_micros(ctx));
    let ended = ranges(ctx.db.guild_charter().due_key()).filter(..=up_to).take(rows_max);
    for character_id in ended.map(|row| row.character_id).collect::<Vec<_>>() {
        forget_charter(ctx, character_id);
    }
}

/// Ends the caller's guild, whose bank must be empty. Any of its leaders may.
///
/// # Errors
/// In this order: the caller's, the command's, `guild.not_in_world`, `guild.none`,
/// `guild.too_fast`, `guild.leaders_only`, `guild.bank_not_empty`.
#[reducer]
pub fn guild_disband(ctx: &ReducerContext, command: CommandId) -> Result<(), Refusal> {
    let player = require_player(ctx)?;
    once(ctx, player.account_id, command, &"guild_disband", || {
        let own = Own::of(ctx, player)?;
        own.check_leads()?;
        if !members::is_bank_empty(ctx, own.guild_id()) {
            return Err(GuildError::BankNotEmpty.into());
        }
        members::end(ctx, own.guild_id(), None);
        own.tell(ctx, Line::Ended, (own.guild_id(), &own.guild.name), 0, 0);
        Ok(())
    })
}
