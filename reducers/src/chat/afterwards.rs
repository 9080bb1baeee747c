//! What is done to messages later: changing them, taking them back, reporting them.
//!
//! Keeps true: what a message said is kept for moderators; whoever cannot read a message does not
//! learn that it is there; new words reach nobody whom a new message would not reach.

use super::store::{CHANGED, REMOVED, SHADOWED, change, line, reporter_key, rewrite};
use super::{audience, channels, cursors, present, speech};
use crate::commands::once;
use crate::ordered::ranges;
use crate::{Refusal, characters, friends, now_micros, sequences};
use haven_rules::chat::roles::{Action, may};
use haven_rules::chat::text::validate_reason;
use haven_rules::chat::{
    AFTERWARDS_LIMIT, CONTEXT_AFTER, CONTEXT_BEFORE, ChatError, ChatKind, REPORTS_OPEN_MAX,
    is_editable_at, kind_of, number_of,
};
use haven_rules::friends::What;
use haven_rules::keys::{joint_key, keys_of};
use haven_rules::sequences::Numbered;
use haven_tables::chat::moderation::{ChatReported, chat_reported};
use haven_tables::chat::{ChatLine, ChatLog, chat_delivery, chat_log};
use haven_tables::commands::CommandId;
use spacetimedb::{ReducerContext, Table, reducer};

/// Most rows of a channel's log that a report's context is read from.
const ROWS_MAX: usize = 600;

/// Has a message of the caller say something else, within five minutes; its links stay. Whoever
/// has blocked the caller keeps the old words; what a shadow changes, it alone sees changed.
///
/// # Errors
/// In this order: the caller's, `chat.not_in_world`, the command's, `chat.muted`,
/// `chat.message_unknown`, `chat.not_editable`, `chat.edit_too_late`, `chat.text_length`,
/// `chat.text_letters`, `chat.links_invalid`, `chat.too_fast`, `chat.word_refused`,
/// `chat.link_refused`.
#[reducer]
pub fn chat_edit(
    ctx: &ReducerContext,
    message_id: u64,
    text: String,
    command: CommandId,
) -> Result<(), Refusal> {
    let speaker = speech::Speaker::of_caller(ctx)?;
    let account_id = speaker.account_id;
    once(ctx, account_id, command, &("chat_edit", message_id, &text), || {
        speaker.require_voice(ctx)?;
        let (row, kind) = found(ctx, message_id)?;
        if row.sender_id != speaker.character_id || !takes_part(ctx, &row, kind, row.sender_id) {
            return Err(ChatError::MessageUnknown.into());
        }
        if !kind.is_editable() {
            return Err(ChatError::NotEditable.into());
        }
        if !is_editable_at(row.sent_at_micros, now_micros(ctx)) {
            return Err(ChatError::EditTooLate.into());
        }
        let text = haven_rules::chat::text::validate_text(&text, row.parts.len())?;
        speech::spend(ctx, account_id, AFTERWARDS_LIMIT)?;
        let text = speech::decent(ctx, text)?;
        if speech::is_shadow(ctx, account_id) {
            change_unheard(ctx, row, kind, text);
            return Ok(());
        }
        let hears = |twin: &ChatLog| {
            let other = characters::owner_of(ctx, twin.other_id);
            other.is_some_and(|other| friends::may(ctx, What::Whispers, other, account_id))
        };
        for row in with_twin(ctx, row, hears) {
            let parts = row.parts.clone();
            change(ctx, row, account_id, text.clone(), parts, CHANGED);
        }
        Ok(())
    })
}

/// Takes a message back: one of the caller's own, or in a channel that the caller keeps order in
/// one of a lower role.
///
/// # Errors
/// In this order: the caller's, `chat.not_in_world`, the command's, `chat.message_unknown`,
/// `chat.not_allowed`, `chat.not_editable`, `chat.too_fast`.
#[reducer]
pub fn chat_remove(
    ctx: &ReducerContext,
    message_id: u64,
    command: CommandId,
) -> Result<(), Refusal> {
    let (account_id, character_id) = present(ctx)?;
    once(ctx, account_id, command, &("chat_remove", message_id), || {
        let (row, kind) = found(ctx, message_id)?;
        if !takes_part(ctx, &row, kind, character_id) {
            return Err(ChatError::MessageUnknown.into());
        }
        if row.sender_id != character_id {
            let number = number_of(row.channel_key);
            let role = channels::role_of(ctx, number, character_id);
            let over = channels::role_of(ctx, number, row.sender_id);
            let rules = kind == ChatKind::Channel && may(role, Action::Remove, over);
            if !rules {
                return Err(ChatError::NotAllowed.into());
            }
        }
        if !kind.is_editable() {
            return Err(ChatError::NotEditable.into());
        }
        speech::spend(ctx, account_id, AFTERWARDS_LIMIT)?;
        remove(ctx, row, account_id);
        Ok(())
    })
}

/// Reports a message that the caller could read, with what was said around it. One that came to its
/// inbox and lies there still can be reported though the log has let it go: who says much in a
/// channel does not get rid of what it said.
///
/// # Errors
/// In this order: the caller's, `chat.not_in_world`, `chat.reason_length`, `chat.text_letters`, the
/// command's, `chat.message_unknown`, `chat.target_self`, `chat.already_reported`,
/// `chat.reports_too_many`, `chat.too_fast`.
#[reducer]
pub fn chat_report(
    ctx: &ReducerContext,
    message_id: u64,
    reason: String,
    command: CommandId,
) -> Result<(), Refusal> {
    let (account_id, character_id) = present(ctx)?;
    let reason = validate_reason(&reason)?;
    once(ctx, account_id, command, &("chat_report", message_id, &reason), || {
        let row = read_by(ctx, message_id, (account_id, character_id))?;
        if row.sender_account_id == account_id {
            return Err(ChatError::TargetSelf.into());
        }
        let pair_key = joint_key(message_id, account_id);
        if ctx.db.chat_reported().pair_key().find(pair_key).is_some() {
            return Err(ChatError::AlreadyReported.into());
        }
        // Those that a release before this one has closed are among them until they lapse.
        let open = ranges(ctx.db.chat_reported().reporter_key()).filter(keys_of(account_id));
        if open.filter(|row| !row.is_closed).count() >= REPORTS_OPEN_MAX {
            return Err(ChatError::ReportsTooMany.into());
        }
        speech::spend(ctx, account_id, AFTERWARDS_LIMIT)?;
        let report_id = sequences::next(ctx, Numbered::ChatReport);
        ctx.db.chat_reported().insert(ChatReported {
            report_id,
            pair_key,
            reporter_key: reporter_key(account_id, report_id, false),
            reporter_account_id: account_id,
            sender_account_id: row.sender_account_id,
            message_id,
            channel_key: row.channel_key,
            reported_at_micros: now_micros(ctx),
            is_closed: false,
            reason: reason.clone(),
            outcome: String::new(),
            context: context(ctx, &row),
        });
        Ok(())
    })
}

/// A message that has not been taken back, and its kind.
///
/// # Errors
/// `MessageUnknown`.
pub(super) fn found(
    ctx: &ReducerContext,
    message_id: u64,
) -> Result<(ChatLog, ChatKind), ChatError> {
    let row = ctx.db.chat_log().message_id().find(message_id);
    let row = row.filter(|row| row.flags & REMOVED == 0).ok_or(ChatError::MessageUnknown)?;
    let kind = kind_of(row.channel_key).ok_or(ChatError::MessageUnknown)?;
    Ok((row, kind))
}

/// Takes a message back everywhere.
pub(super) fn remove(ctx: &ReducerContext, row: ChatLog, by_account_id: u64) {
    let hears = |twin: &ChatLog| audience::hears(ctx, twin.other_id, twin.sender_account_id);
    for row in with_twin(ctx, row, hears) {
        change(ctx, row, by_account_id, String::new(), vec![], REMOVED);
    }
}

/// Has a message of a shadow say something else where it alone sees that: in the log if nobody
/// else reads that row, in its inbox in any case.
fn change_unheard(ctx: &ReducerContext, row: ChatLog, kind: ChatKind, text: String) {
    let account_id = row.sender_account_id;
    // The row of a whisper that a sender can mean is its own copy.
    if kind == ChatKind::Whisper || hidden(&row) {
        let parts = row.parts.clone();
        change(ctx, row, account_id, text, parts, CHANGED);
        return;
    }
    let own = ctx.db.chat_delivery().delivery_key().find(joint_key(account_id, row.message_id));
    if let Some(own) = own {
        let flags = row.flags | CHANGED;
        rewrite(ctx, own, &ChatLog { flags, text, ..row });
    }
}

/// A message, and the same one in the other one's whispers if that one hears of it.
fn with_twin(ctx: &ReducerContext, row: ChatLog, hears: impl Fn(&ChatLog) -> bool) -> Vec<ChatLog> {
    let twin = ctx.db.chat_log().message_id().find(row.twin_message_id);
    let twin = twin.filter(|twin| twin.flags & REMOVED == 0 && hears(twin));
    std::iter::once(row).chain(twin).collect()
}

/// Whether a character takes part in the channel of a message now. Where somebody was when a
/// message was said does not count for what is said aloud.
fn takes_part(ctx: &ReducerContext, row: &ChatLog, kind: ChatKind, character_id: u64) -> bool {
    let number = number_of(row.channel_key);
    match kind {
        ChatKind::Say | ChatKind::Yell | ChatKind::Block | ChatKind::Region => {
            row.sender_id == character_id
        }
        ChatKind::Realm
        | ChatKind::Trade
        | ChatKind::Guild
        | ChatKind::Officer
        | ChatKind::Party
        | ChatKind::Raid
        | ChatKind::Whisper
        | ChatKind::Channel => {
            let own = audience::takes_part_in(ctx, character_id, kind, number);
            own.is_ok_and(|own| number_of(own) == number)
        }
    }
}

/// Whether somebody could have read a message: it came to its inbox, or everybody may read it, or
/// it takes part in its channel.
fn could_read(
    ctx: &ReducerContext,
    row: &ChatLog,
    kind: ChatKind,
    (account_id, character_id): (u64, u64),
) -> bool {
    let came = joint_key(account_id, row.message_id);
    let came = ctx.db.chat_delivery().delivery_key().find(came).is_some();
    let is_open = kind.is_shared() || takes_part(ctx, row, kind, character_id);
    let is_blocked = friends::has_blocked(ctx, account_id, row.sender_account_id);
    came || is_open && (is_blocked || cursors::is_seen(ctx, row, account_id)) && !hidden(row)
}

/// A message that somebody could read: as it is in the log, or where that has let it go, as it came
/// to that one's inbox.
///
/// # Errors
/// `MessageUnknown`.
fn read_by(
    ctx: &ReducerContext,
    message_id: u64,
    (account_id, character_id): (u64, u64),
) -> Result<ChatLog, ChatError> {
    if let Some(row) = ctx.db.chat_log().message_id().find(message_id) {
        let kind = kind_of(row.channel_key).ok_or(ChatError::MessageUnknown)?;
        let is_read = could_read(ctx, &row, kind, (account_id, character_id));
        return if is_read { Ok(row) } else { Err(ChatError::MessageUnknown) };
    }
    let came = ctx.db.chat_delivery().delivery_key().find(joint_key(account_id, message_id));
    let came = came.ok_or(ChatError::MessageUnknown)?;
    let sender_account_id = characters::owner_of(ctx, came.sender_id);
    Ok(ChatLog {
        message_id,
        place_key: joint_key(came.channel_key, message_id),
        expiry_key: 0,
        channel_key: came.channel_key,
        sender_id: came.sender_id,
        sender_account_id: sender_account_id.ok_or(ChatError::MessageUnknown)?,
        other_id: came.other_id,
        twin_message_id: 0,
        sent_at_micros: came.sent_at_micros,
        flags: came.flags,
        sender_name: came.sender_name,
        text: came.text,
        parts: came.parts,
    })
}

const fn hidden(row: &ChatLog) -> bool {
    row.flags & SHADOWED != 0
}

/// What was said around a message in its channel, itself among it, whether or not the log still has
/// it.
fn context(ctx: &ReducerContext, row: &ChatLog) -> Vec<ChatLine> {
    let place = row.place_key;
    let before = ranges(ctx.db.chat_log().place_key()).filter(joint_key(row.channel_key, 0)..place);
    let before: Vec<ChatLog> = before.take(ROWS_MAX).collect();
    let skipped = before.len().saturating_sub(CONTEXT_BEFORE);
    let after = ranges(ctx.db.chat_log().place_key())
        .filter(place + 1..=joint_key(row.channel_key, u64::MAX))
        .take(CONTEXT_AFTER);
    let rows = before.into_iter().skip(skipped).chain([row.clone()]).chain(after);
    rows.map(|row| {
        let flags = row.flags;
        line(row, flags)
    })
    .collect()
}
