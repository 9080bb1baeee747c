//! Chat: channels, who may speak and read, history, moderation.
//!
//! Keeps true: what is not for everybody comes to inboxes of those who take part, and only theirs;
//! whoever whispers to somebody who has blocked it sees no difference.
//! Who hears what (`audience`), what is asked of who speaks (`speech`), where messages lie
//! (`store`), cursors and histories (`cursors`), channels that players make (`channels`, `ruling`),
//! what is done to messages later (`afterwards`) and staff's part (`staff`) have their own files.

mod afterwards;
mod audience;
mod channels;
mod cursors;
mod ruling;
mod speech;
mod staff;
mod store;
pub mod sweep;

pub use afterwards::{chat_edit, chat_remove, chat_report};
pub use channels::{
    chat_channel_create, chat_channel_delete, chat_channel_invite, chat_channel_join,
    chat_channel_leave, chat_channel_roster,
};
pub use cursors::{chat_history, chat_read};
pub use ruling::{
    chat_channel_ban, chat_channel_kick, chat_channel_role_set, chat_channel_slow_set,
    chat_channel_unban,
};
pub use staff::{chat_limit_set, chat_message_remove, chat_mute, chat_report_close, chat_unmute};
pub use sweep::chat_sweep;

pub(crate) use speech::{decent, decent_name, is_shadow, require_voice};

use crate::authority::require_player;
use crate::commands::once;
use crate::content::book;
use crate::ordered::ranges;
use crate::{Refusal, characters, friends, sequences};
use haven_rules::chat::{ChatError, ChatKind};
use haven_rules::friends::What;
use haven_rules::keys::keys_of;
use haven_rules::sequences::Numbered;
use haven_tables::characters::character;
use haven_tables::chat::moderation::{ChatMuted, chat_muted};
use haven_tables::chat::{
    ChatCursor, ChatDelivery, ChatLink, ChatPage, chat_cursor, chat_delivery, chat_page,
};
use haven_tables::commands::CommandId;
use spacetimedb::{Identity, ReducerContext, reducer};
use speech::Speaker;

/// Says something in a channel of a kind, in the one that the character takes part in; of those
/// that players have made in `channel_id`, which is 0 for all other kinds.
///
/// # Errors
/// In this order: the caller's, `chat.not_in_world`, `chat.kind_unknown`, `chat.text_length`,
/// `chat.text_letters`, `chat.links_invalid`, the command's, `chat.muted`, `chat.not_participant`,
/// `chat.not_allowed`, `chat.channel_unknown`, `chat.too_fast`, `chat.slow_mode`,
/// `chat.word_refused`, `chat.link_refused`, `chat.link_unknown`, `chat.busy`.
#[reducer]
pub fn chat_say(
    ctx: &ReducerContext,
    kind: u8,
    channel_id: u64,
    text: String,
    links: Vec<ChatLink>,
    command: CommandId,
) -> Result<(), Refusal> {
    let speaker = Speaker::of_caller(ctx)?;
    let kind = ChatKind::from_code(kind).ok_or(ChatError::KindUnknown)?;
    let said = speech::read(&text, &links)?;
    let what = ("chat_say", kind.code(), channel_id, &text, &links);
    once(ctx, speaker.account_id, command, &what, || {
        speaker.require_voice(ctx)?;
        let number = audience::speaks_in(ctx, speaker.character_id, kind, channel_id)?;
        speech::spend(ctx, speaker.account_id, kind.code())?;
        if kind == ChatKind::Channel {
            channels::wait_turn(ctx, number, speaker.character_id)?;
        }
        let spoken = speaker.speak(ctx, said, &links)?;
        let channel = (kind, number);
        let mut listeners = vec![];
        if !kind.is_shared() {
            let hearers = audience::hearers(ctx, speaker.character_id, channel, &book(ctx));
            listeners = audience::listeners(ctx, &hearers, speaker.account_id);
            speech::spend_crowd(ctx, listeners.len())?;
        }
        // A shadow is refused where others are, and does not know that it alone hears it.
        if spoken.is_shadowed {
            listeners = vec![speaker.account_id];
        }
        let row = store::keep(ctx, channel, &spoken, (0, 0));
        store::deliver(ctx, &row, &listeners);
        Ok(())
    })
}

/// Whispers to a character, who need not be in the world: it is told of it when it comes. Whoever
/// is blocked by it, or kept out by its choice, whispers to nobody, and sees no difference.
///
/// # Errors
/// In this order: the caller's, `chat.not_in_world`, `chat.text_length`, `chat.text_letters`,
/// `chat.links_invalid`, the command's, `chat.muted`, `chat.target_unknown`, `chat.target_self`,
/// `chat.too_fast`, `chat.word_refused`, `chat.link_refused`, `chat.link_unknown`.
#[reducer]
pub fn chat_whisper(
    ctx: &ReducerContext,
    name: String,
    text: String,
    links: Vec<ChatLink>,
    command: CommandId,
) -> Result<(), Refusal> {
    let speaker = Speaker::of_caller(ctx)?;
    let said = speech::read(&text, &links)?;
    let what = ("chat_whisper", &name, &text, &links);
    once(ctx, speaker.account_id, command, &what, || {
        speaker.require_voice(ctx)?;
        let (other_id, other_account_id) = living(ctx, &name)?;
        if other_account_id == speaker.account_id {
            return Err(ChatError::TargetSelf.into());
        }
        speech::spend(ctx, speaker.account_id, ChatKind::Whisper.code())?;
        let spoken = speaker.speak(ctx, said, &links)?;
        let reaches = !spoken.is_shadowed
            && friends::may(ctx, What::Whispers, other_account_id, speaker.account_id);
        let twin = if reaches {
            let row = store::keep(ctx, (ChatKind::Whisper, other_id), &spoken, (other_id, 0));
            if characters::is_present(ctx, other_id) {
                store::deliver(ctx, &row, &[other_account_id]);
            }
            row.message_id
        } else {
            // As many numbers as one that is heard takes: who whispers sees its own.
            sequences::next(ctx, Numbered::ChatMessage);
            0
        };
        let own = (ChatKind::Whisper, speaker.character_id);
        let row = store::keep(ctx, own, &spoken, (other_id, twin));
        store::deliver(ctx, &row, &[speaker.account_id]);
        Ok(())
    })
}

/// The living character of a name, and its account.
fn living(ctx: &ReducerContext, name: &str) -> Result<(u64, u64), ChatError> {
    let character = characters::by_name(ctx, name).ok_or(ChatError::TargetUnknown)?;
    let account_id = characters::account_of(ctx, character.character_id);
    Ok((character.character_id, account_id.ok_or(ChatError::TargetUnknown)?))
}

/// The name of a living character.
fn living_name(ctx: &ReducerContext, character_id: u64) -> Option<String> {
    characters::account_of(ctx, character_id)?;
    Some(ctx.db.character().character_id().find(character_id)?.name)
}

/// The caller's account and its character in the world.
///
/// # Errors
/// In this order: the caller's, `chat.not_in_world`.
fn present(ctx: &ReducerContext) -> Result<(u64, u64), Refusal> {
    let player = require_player(ctx)?;
    let character_id = characters::entity_of(ctx, player.account_id);
    Ok((player.account_id, character_id.ok_or(ChatError::CharacterAbsent)?))
}

pub(crate) fn ensure_timers(ctx: &ReducerContext) {
    sweep::ensure_timers(ctx);
    speech::ensure_limits(ctx);
}

pub(crate) fn character_entered(ctx: &ReducerContext, _account_id: u64, character_id: u64) {
    cursors::tell_unread(ctx, character_id);
}

pub(crate) fn character_leaving(ctx: &ReducerContext, account_id: u64, _character_id: u64) {
    ctx.db.chat_page().account_id().delete(account_id);
    channels::forget_roster(ctx, account_id);
}

pub(crate) fn character_purged(ctx: &ReducerContext, _account_id: u64, character_id: u64) {
    channels::character_purged(ctx, character_id);
    cursors::character_purged(ctx, character_id);
}

pub(crate) fn account_rebound(ctx: &ReducerContext, account_id: u64, viewer: Identity) {
    let delivered: Vec<ChatDelivery> =
        ranges(ctx.db.chat_delivery().delivery_key()).filter(keys_of(account_id)).collect();
    for row in delivered {
        ctx.db.chat_delivery().delivery_key().update(ChatDelivery { viewer, ..row });
    }
    if let Some(row) = ctx.db.chat_page().account_id().find(account_id) {
        ctx.db.chat_page().account_id().update(ChatPage { viewer, ..row });
    }
    if let Some(row) = ctx.db.chat_muted().account_id().find(account_id) {
        if !row.is_shadow {
            ctx.db.chat_muted().account_id().update(ChatMuted { viewer, ..row });
        }
    }
    for character_id in characters::characters_of(ctx, account_id) {
        let cursors: Vec<ChatCursor> =
            ranges(ctx.db.chat_cursor().cursor_key()).filter(keys_of(character_id)).collect();
        for row in cursors {
            ctx.db.chat_cursor().cursor_key().update(ChatCursor { viewer, ..row });
        }
        channels::rebound(ctx, character_id, viewer);
    }
    channels::forget_roster(ctx, account_id);
}
