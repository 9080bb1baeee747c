//! What is written in a guild: the message of the day, notes, the emblem.
//!
//! Keeps true: words are bounded and as decent as in chat, and shown to members alone, officers'
//! notes to who may read them; who is muted writes none. A shadow's message of the day is shown to
//! itself alone, until it is shown the guild's again; its notes are not kept.

use super::{Own, shown};
use crate::{Refusal, chat, now_micros};
use haven_rules::guilds::log::Line;
use haven_rules::guilds::ranks::check_right;
use haven_rules::guilds::rights::Right;
use haven_rules::guilds::{
    GuildError, MESSAGE_CHARS_MAX, NOTE_CHARS_MAX, check_emblem, validate_text,
};
use haven_tables::guilds::{
    Guild, GuildEmblem, GuildMember, GuildMessage, GuildNote, guild, guild_member, guild_message,
    guild_note,
};
use spacetimedb::{ReducerContext, Table, reducer};

/// Writes the message of the day; an empty one removes it.
///
/// # Errors
/// In this order: the caller's, `guild.not_in_world`, `guild.none`, `guild.too_fast`,
/// `guild.right_missing`, `guild.text_invalid`, `chat.muted`, `chat.word_refused`,
/// `chat.link_refused`.
#[reducer]
pub fn guild_message_set(ctx: &ReducerContext, message: String) -> Result<(), Refusal> {
    let own = Own::with(ctx, Right::Message)?;
    let message = said(ctx, own.account_id, &message, MESSAGE_CHARS_MAX)?;
    let guild_id = own.guild_id();
    let (at_micros, by_name) = (now_micros(ctx), own.member.name.clone());
    let row = GuildMessage { guild_id, at_micros, by_name, message };
    if chat::is_shadow(ctx, own.account_id) {
        shown::message_for_itself(ctx, own.character_id(), row);
        return Ok(());
    }
    ctx.db.guild_message().guild_id().delete(guild_id);
    if !row.message.is_empty() {
        ctx.db.guild_message().insert(row);
    }
    own.tell(ctx, Line::Message, (0, ""), 0, 0);
    shown::message_changed(ctx, guild_id);
    Ok(())
}

/// Who has written the message of the day has another name.
pub(super) fn writer_renamed(ctx: &ReducerContext, guild_id: u64, before: &str, name: &str) {
    let row = ctx.db.guild_message().guild_id().find(guild_id);
    if let Some(row) = row.filter(|row| row.by_name == before) {
        let row = GuildMessage { by_name: name.to_owned(), ..row };
        ctx.db.guild_message().guild_id().update(row);
        shown::message_changed(ctx, guild_id);
    }
}

/// Writes the note about a member: one's own, or, with the right, anybody's.
///
/// # Errors
/// In this order: the caller's, `guild.not_in_world`, `guild.none`, `guild.too_fast`,
/// `guild.text_invalid`, `chat.muted`, `chat.word_refused`, `chat.link_refused`,
/// `guild.right_missing`, `guild.target_unknown`.
#[reducer]
pub fn guild_note_set(
    ctx: &ReducerContext,
    character_id: u64,
    note: String,
) -> Result<(), Refusal> {
    let own = Own::find(ctx)?;
    let note = said(ctx, own.account_id, &note, NOTE_CHARS_MAX)?;
    if character_id != own.character_id() {
        check_right(own.grant().rights, Right::Notes)?;
    }
    let member = fellow(ctx, &own, character_id)?;
    if chat::is_shadow(ctx, own.account_id) {
        return Ok(());
    }
    let before = note_of(ctx, character_id);
    save(ctx, GuildNote { note, ..before });
    own.tell(ctx, Line::Noted, (character_id, &member.name), 0, 0);
    Ok(())
}

/// Writes the officers' note about a member.
///
/// # Errors
/// In this order: the caller's, `guild.not_in_world`, `guild.none`, `guild.too_fast`,
/// `guild.right_missing`, `guild.text_invalid`, `chat.muted`, `chat.word_refused`,
/// `chat.link_refused`, `guild.target_unknown`.
#[reducer]
pub fn guild_officer_note_set(
    ctx: &ReducerContext,
    character_id: u64,
    note: String,
) -> Result<(), Refusal> {
    let own = Own::with(ctx, Right::OfficerNotes)?;
    let officer_note = said(ctx, own.account_id, &note, NOTE_CHARS_MAX)?;
    let member = fellow(ctx, &own, character_id)?;
    if chat::is_shadow(ctx, own.account_id) {
        return Ok(());
    }
    let before = note_of(ctx, character_id);
    save(ctx, GuildNote { officer_note, ..before });
    own.tell(ctx, Line::Noted, (character_id, &member.name), 0, 0);
    Ok(())
}

/// Changes what is on the guild's banner.
///
/// # Errors
/// In this order: the caller's, `guild.not_in_world`, `guild.none`, `guild.too_fast`,
/// `guild.right_missing`, `guild.emblem_invalid`.
#[reducer]
pub fn guild_emblem_set(ctx: &ReducerContext, emblem: GuildEmblem) -> Result<(), Refusal> {
    let own = Own::with(ctx, Right::Emblem)?;
    let GuildEmblem { symbol, symbol_color, border, border_color, ground_color } = emblem;
    check_emblem((symbol, symbol_color), (border, border_color), ground_color)?;
    ctx.db.guild().guild_id().update(Guild { emblem, ..own.guild.clone() });
    own.tell(ctx, Line::Emblem, (0, ""), 0, 0);
    Ok(())
}

/// A text as it is stored. Who is muted writes none; an empty one says nothing.
///
/// # Errors
/// In this order: `guild.text_invalid`, `chat.muted`, `chat.word_refused`, `chat.link_refused`.
pub(super) fn said(
    ctx: &ReducerContext,
    account_id: u64,
    text: &str,
    chars_max: usize,
) -> Result<String, Refusal> {
    let text = validate_text(text, chars_max)?;
    if !text.is_empty() {
        chat::require_voice(ctx, account_id)?;
    }
    Ok(chat::decent(ctx, text)?)
}

/// A member of the caller's guild, the caller itself too.
fn fellow(ctx: &ReducerContext, own: &Own, character_id: u64) -> Result<GuildMember, GuildError> {
    let row = ctx.db.guild_member().character_id().find(character_id);
    row.filter(|row| row.guild_id == own.guild_id()).ok_or(GuildError::TargetUnknown)
}

pub(super) fn note_of(ctx: &ReducerContext, character_id: u64) -> GuildNote {
    let known = ctx.db.guild_note().character_id().find(character_id);
    known.unwrap_or_else(|| GuildNote {
        character_id,
        note: String::new(),
        officer_note: String::new(),
    })
}

fn save(ctx: &ReducerContext, row: GuildNote) {
    ctx.db.guild_note().character_id().delete(row.character_id);
    if !(row.note.is_empty() && row.officer_note.is_empty()) {
        ctx.db.guild_note().insert(row);
    }
}
