//! Where messages lie: the log, the shared rows and the inboxes.
//!
//! Keeps true: a message that everybody may read has a shared row as long as it is in the log; a
//! channel has no more messages than its kind keeps; what is changed is changed everywhere at once
//! but in inboxes of those who have blocked its sender, and what it said before is kept.

use crate::ordered::ranges;
use crate::{friends, now_micros, realms, sequences};
use haven_rules::chat::{
    ChatKind, INBOX_ROWS_MAX, channel_key, kept_until_micros, kind_of, surplus,
};
use haven_rules::keys::{joint_key, keys_of, whole_of};
use haven_rules::sequences::Numbered;
use haven_tables::chat::moderation::{ChatRevision, ChatSwept, chat_revision, chat_swept};
use haven_tables::chat::{
    ChatDelivery, ChatHead, ChatLine, ChatLog, ChatMessage, ChatPart, chat_delivery, chat_head,
    chat_log, chat_message,
};
use spacetimedb::{ReducerContext, Table};

/// A flag of a message: it was changed.
pub(super) const CHANGED: u8 = 1;
/// It was taken back.
pub(super) const REMOVED: u8 = 2;
/// Its sender alone sees it.
pub(super) const SHADOWED: u8 = 4;

/// Most messages that are looked at together for those that are in inboxes.
const STRIDE_MAX: u64 = 65_536;

/// A bit above all accounts' numbers: the keys of closed reports have it, so that the range of an
/// account's has the open ones alone.
const CLOSED: u64 = 1 << 63;

/// The key of a report among those of who reported.
pub(super) const fn reporter_key(account_id: u64, report_id: u64, is_closed: bool) -> u128 {
    let upper = if is_closed { account_id | CLOSED } else { account_id };
    joint_key(upper, report_id)
}

/// An instant as the upper half of a key.
pub(super) fn instant(micros: i64) -> u64 {
    u64::try_from(micros).unwrap_or(0)
}

/// What is said, before it is a row.
#[derive(Clone)]
pub(super) struct Spoken {
    /// Who says it.
    pub(super) sender_id: u64,
    /// Its account.
    pub(super) account_id: u64,
    /// Its name.
    pub(super) sender_name: String,
    /// What.
    pub(super) text: String,
    /// Its links.
    pub(super) parts: Vec<ChatPart>,
    /// Whether nobody else hears it.
    pub(super) is_shadowed: bool,
}

/// Up to where inboxes and reports are swept.
pub(super) fn swept(ctx: &ReducerContext) -> ChatSwept {
    let known = ctx.db.chat_swept().singleton_id().find(0);
    known.unwrap_or_else(|| {
        ctx.db.chat_swept().insert(ChatSwept { singleton_id: 0, report_id: 0, message_id: 0 })
    })
}

/// Puts a message into a channel's log, and into the shared rows where everybody may read it.
pub(super) fn keep(
    ctx: &ReducerContext,
    (kind, number): (ChatKind, u64),
    spoken: &Spoken,
    (other_id, twin_message_id): (u64, u64),
) -> ChatLog {
    let message_id = sequences::next(ctx, Numbered::ChatMessage);
    let channel_key = channel_key(kind, number);
    let now = now_micros(ctx);
    let row = ctx.db.chat_log().insert(ChatLog {
        message_id,
        place_key: joint_key(channel_key, message_id),
        expiry_key: joint_key(instant(kept_until_micros(kind, now)), message_id),
        channel_key,
        sender_id: spoken.sender_id,
        sender_account_id: spoken.account_id,
        other_id,
        twin_message_id,
        sent_at_micros: now,
        flags: if spoken.is_shadowed { SHADOWED } else { 0 },
        sender_name: spoken.sender_name.clone(),
        text: spoken.text.clone(),
        parts: spoken.parts.clone(),
    });
    if kind.is_shared() && !spoken.is_shadowed {
        ctx.db.chat_message().insert(shared(&row));
    }
    trim(ctx, kind, channel_key, message_id);
    row
}

/// Counts a new message, and lets the oldest go where there are too many.
fn trim(ctx: &ReducerContext, kind: ChatKind, channel_key: u64, last_message_id: u64) {
    let known = ctx.db.chat_head().channel_key().find(channel_key);
    let is_known = known.is_some();
    let held = known.map_or(0, |row| row.held) + 1;
    let row = ChatHead { channel_key, last_message_id, held };
    if is_known {
        ctx.db.chat_head().channel_key().update(row);
    } else {
        ctx.db.chat_head().insert(row);
    }
    let surplus = usize::try_from(surplus(kind, held)).unwrap_or(0);
    if surplus == 0 {
        return;
    }
    let mut rows: Vec<ChatLog> =
        ranges(ctx.db.chat_log().place_key()).filter(keys_of(channel_key)).collect();
    // What this transaction has written comes before what was there.
    rows.sort_unstable_by_key(|row| row.message_id);
    for row in rows.iter().take(surplus) {
        forget(ctx, row);
    }
}

/// Removes a message that is kept no longer.
pub(super) fn forget(ctx: &ReducerContext, row: &ChatLog) {
    ctx.db.chat_log().message_id().delete(row.message_id);
    if kind_of(row.channel_key).is_some_and(ChatKind::is_shared) {
        ctx.db.chat_message().message_id().delete(row.message_id);
    }
    if let Some(head) = ctx.db.chat_head().channel_key().find(row.channel_key) {
        if head.held > 1 {
            let held = head.held - 1;
            ctx.db.chat_head().channel_key().update(ChatHead { held, ..head });
        } else {
            ctx.db.chat_head().channel_key().delete(row.channel_key);
        }
    }
}

/// Puts a message into the inboxes of accounts that have a character in the world. The oldest of
/// all inboxes go where they have grown beyond their bound: twice as many as come, so that they
/// shrink.
pub(super) fn deliver(ctx: &ReducerContext, row: &ChatLog, account_ids: &[u64]) {
    for account_id in account_ids {
        ctx.db.chat_delivery().insert(ChatDelivery {
            delivery_key: joint_key(*account_id, row.message_id),
            message_key: joint_key(row.message_id, *account_id),
            viewer: realms::viewer_of(ctx, *account_id),
            message_id: row.message_id,
            channel_key: row.channel_key,
            sender_id: row.sender_id,
            other_id: row.other_id,
            sent_at_micros: row.sent_at_micros,
            flags: shown_flags(row.flags),
            sender_name: row.sender_name.clone(),
            text: row.text.clone(),
            parts: row.parts.clone(),
        });
    }
    if !account_ids.is_empty() && ctx.db.chat_delivery().count() > INBOX_ROWS_MAX {
        drop_oldest(ctx, 2 * account_ids.len(), |_, _| true);
    }
}

/// Removes the oldest of all inboxes, at most so many, as long as they are to go: each with how
/// many went before it. The last two messages stay, since they may still be under way.
pub(super) fn drop_oldest(
    ctx: &ReducerContext,
    most: usize,
    goes: impl Fn(usize, &ChatDelivery) -> bool,
) {
    let before = swept(ctx);
    let end = sequences::last(ctx, Numbered::ChatMessage).saturating_sub(2);
    let (mut message_id, mut width, mut gone) = (before.message_id, 1, 0);
    'messages: while message_id < end && gone < most {
        let last = (message_id + width).min(end);
        let keys = joint_key(message_id + 1, 0)..=joint_key(last, u64::MAX);
        let mut rows: Vec<ChatDelivery> =
            ranges(ctx.db.chat_delivery().message_key()).filter(keys).collect();
        rows.sort_unstable_by_key(|row| row.message_key);
        // Messages that came to no inbox are passed in strides.
        width = if rows.is_empty() { (width * 4).min(STRIDE_MAX) } else { 1 };
        for row in rows {
            if gone >= most || !goes(gone, &row) {
                break 'messages;
            }
            ctx.db.chat_delivery().delivery_key().delete(row.delivery_key);
            gone += 1;
        }
        message_id = last;
    }
    if message_id != before.message_id {
        ctx.db.chat_swept().singleton_id().update(ChatSwept { message_id, ..before });
    }
}

/// Has a message say something else, or nothing more; what it said is kept. Whoever has blocked its
/// sender since it came is not sent new words.
pub(super) fn change(
    ctx: &ReducerContext,
    row: ChatLog,
    by_account_id: u64,
    text: String,
    parts: Vec<ChatPart>,
    flag: u8,
) {
    let now = now_micros(ctx);
    ctx.db.chat_revision().insert(ChatRevision {
        revision_key: joint_key(instant(now), row.message_id),
        said_key: joint_key(row.message_id, instant(now)),
        channel_key: row.channel_key,
        sender_account_id: row.sender_account_id,
        by_account_id,
        is_removal: flag == REMOVED,
        text: row.text.clone(),
        parts: row.parts.clone(),
    });
    let row = ctx.db.chat_log().message_id().update(ChatLog {
        flags: row.flags | flag,
        text,
        parts,
        ..row
    });
    if ctx.db.chat_message().message_id().find(row.message_id).is_some() {
        ctx.db.chat_message().message_id().update(shared(&row));
    }
    let delivered: Vec<ChatDelivery> =
        ranges(ctx.db.chat_delivery().message_key()).filter(keys_of(row.message_id)).collect();
    for delivery in delivered {
        let account_id = whole_of(delivery.delivery_key);
        if flag == REMOVED || !friends::has_blocked(ctx, account_id, row.sender_account_id) {
            rewrite(ctx, delivery, &row);
        }
    }
}

/// Has a message in an inbox say what it says now.
pub(super) fn rewrite(ctx: &ReducerContext, delivery: ChatDelivery, row: &ChatLog) {
    ctx.db.chat_delivery().delivery_key().update(ChatDelivery {
        flags: shown_flags(row.flags),
        text: row.text.clone(),
        parts: row.parts.clone(),
        ..delivery
    });
}

/// A message as everybody sees it.
fn shared(row: &ChatLog) -> ChatMessage {
    ChatMessage {
        message_id: row.message_id,
        channel_key: row.channel_key,
        sender_id: row.sender_id,
        sent_at_micros: row.sent_at_micros,
        flags: shown_flags(row.flags),
        sender_name: row.sender_name.clone(),
        text: row.text.clone(),
        parts: row.parts.clone(),
    }
}

/// A message as it stands in pages and reports.
pub(super) fn line(row: ChatLog, flags: u8) -> ChatLine {
    ChatLine {
        message_id: row.message_id,
        sender_id: row.sender_id,
        other_id: row.other_id,
        sent_at_micros: row.sent_at_micros,
        flags,
        sender_name: row.sender_name,
        text: row.text,
        parts: row.parts,
    }
}

/// Who is a shadow must not see that.
pub(super) const fn shown_flags(flags: u8) -> u8 {
    flags & !SHADOWED
}
