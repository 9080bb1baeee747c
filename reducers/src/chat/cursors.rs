//! Cursors and histories: what a character has read, and what it can read still.
//!
//! Keeps true: a page has only what the character takes part in now, nothing of whom its account
//! has blocked, and of a shadow's only its own.

use super::store::{REMOVED, SHADOWED, line, shown_flags};
use super::{audience, present, speech};
use crate::ordered::ranges;
use crate::{Refusal, characters, friends, realms};
use haven_rules::chat::{
    CURSORS_MAX, ChatError, ChatKind, HISTORY_LIMIT, PAGE_MESSAGES_MAX, UNREAD_MAX, channel_key,
    cursor_moved,
};
use haven_rules::keys::{joint_key, keys_of};
use haven_tables::chat::{
    ChatCursor, ChatLog, ChatPage, chat_cursor, chat_head, chat_log, chat_page,
};
use spacetimedb::{ReducerContext, Table, reducer};

/// Most rows of the log that a page or a count looks at.
const ROWS_MAX: usize = 600;

/// Reads a page of a channel's history into the caller's row of `chat_page`: at most `count`
/// messages, 50 at most, older than `before_message_id`, the newest where that is 0.
///
/// # Errors
/// In this order: the caller's, `chat.not_in_world`, `chat.kind_unknown`, `chat.no_history`,
/// `chat.not_participant`, `chat.not_allowed`, `chat.channel_unknown`, `chat.too_fast`.
#[reducer]
pub fn chat_history(
    ctx: &ReducerContext,
    kind: u8,
    channel_id: u64,
    before_message_id: u64,
    count: u16,
) -> Result<(), Refusal> {
    let (account_id, character_id) = present(ctx)?;
    let channel_key = readable(ctx, character_id, kind, channel_id)?;
    speech::spend(ctx, account_id, HISTORY_LIMIT)?;
    let last = if before_message_id == 0 { u64::MAX } else { before_message_id - 1 };
    let range = joint_key(channel_key, 0)..=joint_key(channel_key, last);
    // A channel has so few rows that reading them in their order and keeping the end is cheap.
    let seen: Vec<ChatLog> = ranges(ctx.db.chat_log().place_key())
        .filter(range)
        .take(ROWS_MAX)
        .filter(|row| is_seen(ctx, row, account_id))
        .collect();
    let count = usize::from(count).clamp(1, PAGE_MESSAGES_MAX);
    let has_more = seen.len() > count;
    let skipped = seen.len().saturating_sub(count);
    let lines = seen.into_iter().skip(skipped).map(|row| {
        let flags = shown_flags(row.flags);
        line(row, flags)
    });
    let row = ChatPage {
        account_id,
        viewer: realms::viewer_of(ctx, account_id),
        channel_key,
        before_message_id,
        lines: lines.collect(),
        has_more,
    };
    ctx.db.chat_page().account_id().delete(account_id);
    ctx.db.chat_page().insert(row);
    Ok(())
}

/// Notes how far the caller's character has read a channel. A cursor goes forward only, and not
/// beyond the last message.
///
/// # Errors
/// In this order: the caller's, `chat.not_in_world`, `chat.kind_unknown`, `chat.no_history`,
/// `chat.not_participant`, `chat.not_allowed`, `chat.channel_unknown`, `chat.too_fast`.
#[reducer]
pub fn chat_read(
    ctx: &ReducerContext,
    kind: u8,
    channel_id: u64,
    message_id: u64,
) -> Result<(), Refusal> {
    let (account_id, character_id) = present(ctx)?;
    let channel_key = readable(ctx, character_id, kind, channel_id)?;
    // Counting what is unread reads the log as a page does.
    speech::spend(ctx, account_id, HISTORY_LIMIT)?;
    let known = ctx.db.chat_cursor().cursor_key().find(joint_key(character_id, channel_key));
    let read = known.as_ref().map_or(0, |row| row.read_message_id);
    let head = ctx.db.chat_head().channel_key().find(channel_key);
    // What is gone from the log was read by whoever has a cursor behind it.
    let last = head.map_or(read, |row| row.last_message_id);
    let read_message_id = cursor_moved(read, message_id, last.max(read));
    set(ctx, account_id, character_id, channel_key, read_message_id);
    Ok(())
}

/// The key of a channel that the character reads and that has a history.
fn readable(
    ctx: &ReducerContext,
    character_id: u64,
    kind: u8,
    channel_id: u64,
) -> Result<u64, ChatError> {
    let kind = ChatKind::from_code(kind).ok_or(ChatError::KindUnknown)?;
    if !kind.has_history() {
        return Err(ChatError::NoHistory);
    }
    let number = audience::takes_part_in(ctx, character_id, kind, channel_id)?;
    Ok(channel_key(kind, number))
}

/// Whether an account sees a message that is in the log.
pub(super) fn is_seen(ctx: &ReducerContext, row: &ChatLog, account_id: u64) -> bool {
    let is_own = row.sender_account_id == account_id;
    is_own
        || row.flags & SHADOWED == 0
            && !friends::has_blocked(ctx, account_id, row.sender_account_id)
}

/// Writes a cursor with what is unread behind it, if either has changed.
fn set(
    ctx: &ReducerContext,
    account_id: u64,
    character_id: u64,
    channel_key: u64,
    read_message_id: u64,
) {
    let after = joint_key(channel_key, read_message_id.saturating_add(1));
    let unread = ranges(ctx.db.chat_log().place_key())
        .filter(after..=joint_key(channel_key, u64::MAX))
        .take(ROWS_MAX)
        .filter(|row| row.sender_id != character_id && row.flags & REMOVED == 0)
        .filter(|row| is_seen(ctx, row, account_id))
        .take(UNREAD_MAX)
        .count();
    let row = ChatCursor {
        cursor_key: joint_key(character_id, channel_key),
        viewer: realms::viewer_of(ctx, account_id),
        character_id,
        channel_key,
        read_message_id,
        unread: u16::try_from(unread).unwrap_or(u16::MAX),
    };
    match ctx.db.chat_cursor().cursor_key().find(row.cursor_key) {
        Some(known) => {
            let is_same = (known.read_message_id, known.unread, known.viewer)
                == (row.read_message_id, row.unread, row.viewer);
            if !is_same {
                ctx.db.chat_cursor().cursor_key().update(row);
            }
        }
        None if row.read_message_id == 0 && row.unread == 0 => {}
        None => {
            make_room(ctx, character_id);
            ctx.db.chat_cursor().insert(row);
        }
    }
}

/// Lets the cursor that has read least far go, where a character has too many.
fn make_room(ctx: &ReducerContext, character_id: u64) {
    let own: Vec<ChatCursor> =
        ranges(ctx.db.chat_cursor().cursor_key()).filter(keys_of(character_id)).collect();
    if own.len() >= CURSORS_MAX {
        if let Some(row) = own.iter().min_by_key(|row| row.read_message_id) {
            ctx.db.chat_cursor().cursor_key().delete(row.cursor_key);
        }
    }
}

/// Counts what a character has not read, in every channel it takes part in.
pub(super) fn tell_unread(ctx: &ReducerContext, character_id: u64) {
    let Some(account_id) = characters::owner_of(ctx, character_id) else { return };
    for (kind, number) in audience::with_history(ctx, character_id) {
        // What everybody may read is there for the client to count.
        if !kind.is_shared() {
            let channel_key = channel_key(kind, number);
            let known =
                ctx.db.chat_cursor().cursor_key().find(joint_key(character_id, channel_key));
            let read = known.map_or(0, |row| row.read_message_id);
            set(ctx, account_id, character_id, channel_key, read);
        }
    }
}

pub(super) fn character_purged(ctx: &ReducerContext, character_id: u64) {
    let own: Vec<u128> = ranges(ctx.db.chat_cursor().cursor_key())
        .filter(keys_of(character_id))
        .map(|row| row.cursor_key)
        .collect();
    for cursor_key in own {
        ctx.db.chat_cursor().cursor_key().delete(cursor_key);
    }
    let whispers = channel_key(ChatKind::Whisper, character_id);
    let heard: Vec<ChatLog> =
        ranges(ctx.db.chat_log().place_key()).filter(keys_of(whispers)).take(ROWS_MAX).collect();
    for row in heard {
        super::store::forget(ctx, &row);
    }
}
