//! Chat: speaking, reading, `channels` of players.
//!
//! Keeps true: what is said is told once, in its order (`Event::Chat`, `ChatEvent::said`).

mod channels;

use crate::error::HavenError;
use crate::kept::rows::{ChatCursor, ChatDelivery, ChatLimit, ChatMessage, ChatMuted, ChatPage};
use crate::link::Call;
use crate::module_bindings::ChatLink;
use std::sync::Arc;

handle! {
    /// Chat. [`Topic::Chat`](crate::Topic::Chat) keeps one's own part of it known here,
    /// [`Topic::Channel`](crate::Topic::Channel) a channel that everybody may read.
    ChatHandle
}

impl ChatHandle<'_> {
    /// Says something in a channel of a kind, in the one that the character takes part in; of those
    /// that players have made in `channel_id`, which is 0 for all other kinds.
    ///
    /// # Errors
    /// `chat.not_in_world`, `chat.kind_unknown`, `chat.text_length`, `chat.text_letters`,
    /// `chat.links_invalid`, `chat.muted`, `chat.not_participant`, `chat.not_allowed`,
    /// `chat.channel_unknown`, `chat.too_fast`, `chat.slow_mode`, `chat.word_refused`,
    /// `chat.link_refused`, `chat.link_unknown`, `chat.busy`.
    pub async fn say(
        &self,
        kind: u8,
        channel_id: u64,
        text: &str,
        links: Vec<ChatLink>,
    ) -> Result<(), HavenError> {
        let text = text.to_owned();
        self.realm.command(|command| Call::ChatSay { kind, channel_id, text, links, command }).await
    }

    /// Whispers to a character, who need not be in the world: it is told of it when it comes.
    /// Whoever is blocked by it, or kept out by its choice, whispers to nobody, and sees no
    /// difference.
    ///
    /// # Errors
    /// `chat.not_in_world`, `chat.text_length`, `chat.text_letters`, `chat.links_invalid`,
    /// `chat.muted`, `chat.target_unknown`, `chat.target_self`, `chat.too_fast`,
    /// `chat.word_refused`, `chat.link_refused`, `chat.link_unknown`.
    pub async fn whisper(
        &self,
        name: &str,
        text: &str,
        links: Vec<ChatLink>,
    ) -> Result<(), HavenError> {
        let name = name.to_owned();
        let text = text.to_owned();
        self.realm.command(|command| Call::ChatWhisper { name, text, links, command }).await
    }

    /// Has a message of the player say something else, within five minutes; its links stay.
    ///
    /// # Errors
    /// `chat.not_in_world`, `chat.muted`, `chat.message_unknown`, `chat.not_editable`,
    /// `chat.edit_too_late`, `chat.text_length`, `chat.text_letters`, `chat.links_invalid`,
    /// `chat.too_fast`, `chat.word_refused`, `chat.link_refused`.
    pub async fn edit(&self, message_id: u64, text: &str) -> Result<(), HavenError> {
        let text = text.to_owned();
        self.realm.command(|command| Call::ChatEdit { message_id, text, command }).await
    }

    /// Takes a message back: one of the player's own, or in a channel that the player keeps order
    /// in one of a lower role.
    ///
    /// # Errors
    /// `chat.not_in_world`, `chat.message_unknown`, `chat.not_allowed`, `chat.not_editable`,
    /// `chat.too_fast`.
    pub async fn take_back(&self, message_id: u64) -> Result<(), HavenError> {
        self.realm.command(|command| Call::ChatRemove { message_id, command }).await
    }

    /// Reports a message that the player could read, with what was said around it.
    ///
    /// # Errors
    /// `chat.not_in_world`, `chat.reason_length`, `chat.text_letters`, `chat.message_unknown`,
    /// `chat.target_self`, `chat.already_reported`, `chat.reports_too_many`, `chat.too_fast`.
    pub async fn report(&self, message_id: u64, reason: &str) -> Result<(), HavenError> {
        let reason = reason.to_owned();
        self.realm.command(|command| Call::ChatReport { message_id, reason, command }).await
    }

    /// Reads a page of a channel's history into the player's row of `chat_page`: at most `count`
    /// messages, 50 at most, older than `before_message_id`, the newest where that is 0.
    ///
    /// # Errors
    /// `chat.not_in_world`, `chat.kind_unknown`, `chat.no_history`, `chat.not_participant`,
    /// `chat.not_allowed`, `chat.channel_unknown`, `chat.too_fast`.
    pub async fn ask_history(
        &self,
        kind: u8,
        channel_id: u64,
        before_message_id: u64,
        count: u16,
    ) -> Result<(), HavenError> {
        self.realm.ask(Call::ChatHistory { kind, channel_id, before_message_id, count }).await
    }

    /// Notes how far the player's character has read a channel. A cursor goes forward only, and not
    /// beyond the last message.
    ///
    /// # Errors
    /// `chat.not_in_world`, `chat.kind_unknown`, `chat.no_history`, `chat.not_participant`,
    /// `chat.not_allowed`, `chat.channel_unknown`, `chat.too_fast`.
    pub async fn mark_read(
        &self,
        kind: u8,
        channel_id: u64,
        message_id: u64,
    ) -> Result<(), HavenError> {
        self.realm.ask(Call::ChatRead { kind, channel_id, message_id }).await
    }

    snapshots! {
        /// Messages of the shared channels that are watched, in their order.
        messages = chat_message: ChatMessage;
        /// What came to oneself within the last minutes.
        inbox = chat_delivery: ChatDelivery;
        /// The page of history one asked for last.
        pages = chat_page: ChatPage;
        /// How far one has read.
        cursors = chat_cursor: ChatCursor;
        /// That one is muted.
        mutes = chat_muted: ChatMuted;
        /// How often one may do what.
        limits = chat_limit: ChatLimit;
    }
}
