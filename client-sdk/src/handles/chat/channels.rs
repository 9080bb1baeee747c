//! Channels that players make.
//!
//! Keeps true: roles decide who rules whom.

use super::ChatHandle;
use crate::error::HavenError;
use crate::kept::rows::{ChatMember, ChatRoster};
use crate::link::Call;
use std::sync::Arc;

impl ChatHandle<'_> {
    /// Makes a channel whose owner the player's character is; everybody may join an open one.
    ///
    /// # Errors
    /// `chat.not_in_world`, `chat.muted`, `chat.too_fast`, `chat.channel_name`,
    /// `chat.channel_name_taken`, `chat.channels_too_many`, `chat.channels_owned`.
    pub async fn create_channel(&self, name: &str, is_open: bool) -> Result<(), HavenError> {
        let name = name.to_owned();
        self.realm.command(|command| Call::ChatChannelCreate { name, is_open, command }).await
    }

    /// Joins an open channel, or one that the player's character is invited to.
    ///
    /// # Errors
    /// `chat.not_in_world`, `chat.too_fast`, `chat.channel_unknown`, `chat.already_member`,
    /// `chat.banned`, `chat.channels_too_many`, `chat.channel_full`.
    pub async fn join_channel(&self, name: &str) -> Result<(), HavenError> {
        let name = name.to_owned();
        self.realm.command(|command| Call::ChatChannelJoin { name, command }).await
    }

    /// Leaves a channel, or turns an invitation down. Where the owner leaves, the moderator who
    /// joined first owns it, else the member who did; the channel goes with its last member.
    ///
    /// # Errors
    /// `chat.not_in_world`, `chat.channel_unknown`.
    pub async fn leave_channel(&self, channel_id: u64) -> Result<(), HavenError> {
        self.realm.command(|command| Call::ChatChannelLeave { channel_id, command }).await
    }

    /// Deletes a channel, whoever is in it.
    ///
    /// # Errors
    /// `chat.not_in_world`, `chat.channel_unknown`, `chat.not_allowed`.
    pub async fn delete_channel(&self, channel_id: u64) -> Result<(), HavenError> {
        self.realm.command(|command| Call::ChatChannelDelete { channel_id, command }).await
    }

    /// Reads who is in a channel into the player's row of `chat_roster`.
    ///
    /// # Errors
    /// `chat.not_in_world`, `chat.channel_unknown`, `chat.not_allowed`, `chat.too_fast`.
    pub async fn ask_roster(&self, channel_id: u64) -> Result<(), HavenError> {
        self.realm.ask(Call::ChatChannelRoster { channel_id }).await
    }

    /// Invites a character to a channel. Whoever has blocked the player is not told of it.
    ///
    /// # Errors
    /// `chat.not_in_world`, `chat.muted`, `chat.too_fast`, `chat.channel_unknown`,
    /// `chat.not_allowed`, `chat.target_unknown`, `chat.banned`, `chat.already_member`,
    /// `chat.channel_full`, `chat.channels_too_many`.
    pub async fn invite(&self, channel_id: u64, name: &str) -> Result<(), HavenError> {
        let name = name.to_owned();
        self.realm.command(|command| Call::ChatChannelInvite { channel_id, name, command }).await
    }

    /// Puts a member out of a channel, or takes its invitation back.
    ///
    /// # Errors
    /// `chat.not_in_world`, `chat.channel_unknown`, `chat.not_allowed`, `chat.member_unknown`.
    pub async fn kick(&self, channel_id: u64, character_id: u64) -> Result<(), HavenError> {
        self.realm
            .command(|command| Call::ChatChannelKick { channel_id, character_id, command })
            .await
    }

    /// Bans the account of a character from a channel: none of its characters is in it or joins it.
    ///
    /// # Errors
    /// `chat.not_in_world`, `chat.channel_unknown`, `chat.not_allowed`, `chat.target_unknown`,
    /// `chat.target_self`, `chat.banned`, `chat.channel_full`.
    pub async fn ban(&self, channel_id: u64, character_id: u64) -> Result<(), HavenError> {
        self.realm
            .command(|command| Call::ChatChannelBan { channel_id, character_id, command })
            .await
    }

    /// Lifts the ban of a character's account.
    ///
    /// # Errors
    /// `chat.not_in_world`, `chat.channel_unknown`, `chat.not_allowed`, `chat.member_unknown`.
    pub async fn unban(&self, channel_id: u64, character_id: u64) -> Result<(), HavenError> {
        self.realm
            .command(|command| Call::ChatChannelUnban { channel_id, character_id, command })
            .await
    }

    /// Gives a member a role: 2 member, 3 moderator, 4 owner, which the player then is no longer,
    /// but a moderator.
    ///
    /// # Errors
    /// `chat.not_in_world`, `chat.role_invalid`, `chat.channel_unknown`, `chat.not_allowed`,
    /// `chat.target_self`, `chat.member_unknown`, `chat.channels_owned`.
    pub async fn set_role(
        &self,
        channel_id: u64,
        character_id: u64,
        role: u8,
    ) -> Result<(), HavenError> {
        self.realm
            .command(|command| Call::ChatChannelRoleSet { channel_id, character_id, role, command })
            .await
    }

    /// Makes a channel slow: each member speaks once in so many seconds; 0 for as often as it
    /// likes.
    ///
    /// # Errors
    /// `chat.not_in_world`, `chat.slow_invalid`, `chat.channel_unknown`, `chat.not_allowed`,
    /// `chat.too_fast`.
    pub async fn set_slow(&self, channel_id: u64, seconds: u16) -> Result<(), HavenError> {
        self.realm
            .command(|command| Call::ChatChannelSlowSet { channel_id, seconds, command })
            .await
    }

    snapshots! {
        /// The channels one is in or invited to.
        places = chat_member: ChatMember;
        /// Who is in a channel, as one asked last.
        rosters = chat_roster: ChatRoster;
    }
}
