//! Guilds: founding, joining, leaving; `ruling` them; their `bank`.
//!
//! Keeps true: members are named by character id, which rosters tell; who is none by name.

mod bank;
mod ruling;

use crate::error::HavenError;
use crate::kept::rows::{
    Guild, GuildCharter, GuildInvite, GuildMember, GuildMembership, GuildPage, GuildRank,
    GuildRequest,
};
use crate::link::Call;
use std::sync::Arc;

handle! {
    /// A guild. [`Topic::Guild`](crate::Topic::Guild) keeps one's own part of it known here,
    /// [`Topic::GuildRoster`](crate::Topic::GuildRoster) a roster.
    GuildHandle
}

impl GuildHandle<'_> {
    /// Founds a guild that the player leads. It costs `guild_cost_copper`; where the settings ask
    /// for signatures, those who signed the player's charter of that name become members.
    ///
    /// # Errors
    /// `guild.not_in_world`, `guild.has_guild`, `guild.too_fast`, the name's (`guild.name_…`),
    /// `guild.signatures_missing`, those of the coins (`economy.…`).
    pub async fn found(&self, name: &str) -> Result<(), HavenError> {
        let name = name.to_owned();
        self.realm.command(|command| Call::GuildFound { name, command }).await
    }

    /// Opens a charter for a guild of that name, for seven days; one that the player had is over.
    ///
    /// # Errors
    /// `guild.not_in_world`, `guild.has_guild`, `guild.too_fast`, the name's (`guild.name_…`).
    pub async fn open_charter(&self, name: &str) -> Result<(), HavenError> {
        let name = name.to_owned();
        self.realm.ask(Call::GuildCharterOpen { name }).await
    }

    /// Signs the charter of the character of that name: who signs becomes a member when the guild
    /// is founded. Signing again changes nothing.
    ///
    /// # Errors
    /// `guild.not_in_world`, `guild.has_guild`, `guild.too_fast`, `guild.charter_unknown`,
    /// `guild.target_self`, `guild.charter_full`.
    pub async fn sign_charter(&self, founder: &str) -> Result<(), HavenError> {
        let founder = founder.to_owned();
        self.realm.ask(Call::GuildCharterSign { founder }).await
    }

    /// Ends the player's charter.
    ///
    /// # Errors
    /// `guild.not_in_world`, `guild.has_guild`, `guild.too_fast`, `guild.charter_unknown`.
    pub async fn withdraw_charter(&self) -> Result<(), HavenError> {
        self.realm.ask(Call::GuildCharterWithdraw).await
    }

    /// Invites the character of that name, whether or not it is in the world. Who is invited again
    /// has the invitation for longer.
    ///
    /// # Errors
    /// `guild.not_in_world`, `guild.none`, `guild.too_fast`, `guild.right_missing`,
    /// `guild.target_unknown`, `guild.has_guild`, `guild.banned`, `guild.invites_too_many`.
    pub async fn invite(&self, name: &str) -> Result<(), HavenError> {
        let name = name.to_owned();
        self.realm.ask(Call::GuildMemberInvite { name }).await
    }

    /// Takes back an invitation of the player's guild.
    ///
    /// # Errors
    /// `guild.not_in_world`, `guild.none`, `guild.too_fast`, `guild.right_missing`,
    /// `guild.invite_unknown`.
    pub async fn revoke_invite(&self, character_id: u64) -> Result<(), HavenError> {
        self.realm.ask(Call::GuildInviteRevoke { character_id }).await
    }

    /// Accepts an invitation: the player's character is a member, with the lowest rank, and
    /// whatever else it was asked or has asked is over.
    ///
    /// # Errors
    /// `guild.not_in_world`, `guild.has_guild`, `guild.too_fast`, `guild.invite_unknown`,
    /// `guild.full`.
    pub async fn accept_invite(&self, guild_id: u64) -> Result<(), HavenError> {
        self.realm.ask(Call::GuildInviteAccept { guild_id }).await
    }

    /// Declines an invitation.
    ///
    /// # Errors
    /// `guild.not_in_world`, `guild.invite_unknown`.
    pub async fn decline_invite(&self, guild_id: u64) -> Result<(), HavenError> {
        self.realm.ask(Call::GuildInviteDecline { guild_id }).await
    }

    /// Asks a guild to be let in. Who asks again has the request for longer, and with other words.
    ///
    /// # Errors
    /// `guild.not_in_world`, `guild.has_guild`, `guild.too_fast`, `guild.text_invalid`,
    /// `chat.muted`, `guild.unknown`, `guild.banned`, `guild.requests_too_many`.
    pub async fn request(&self, guild_id: u64, text: &str) -> Result<(), HavenError> {
        let text = text.to_owned();
        self.realm.ask(Call::GuildRequestSend { guild_id, text }).await
    }

    /// Takes back the player's request.
    ///
    /// # Errors
    /// `guild.not_in_world`, `guild.request_unknown`.
    pub async fn cancel_request(&self, guild_id: u64) -> Result<(), HavenError> {
        self.realm.ask(Call::GuildRequestCancel { guild_id }).await
    }

    /// Lets in a character that asked, with the lowest rank, whether or not it is in the world.
    ///
    /// # Errors
    /// `guild.not_in_world`, `guild.none`, `guild.too_fast`, `guild.right_missing`,
    /// `guild.request_unknown`, `guild.full`.
    pub async fn accept_request(&self, character_id: u64) -> Result<(), HavenError> {
        self.realm.ask(Call::GuildRequestAccept { character_id }).await
    }

    /// Refuses a character that asked.
    ///
    /// # Errors
    /// `guild.not_in_world`, `guild.none`, `guild.too_fast`, `guild.right_missing`,
    /// `guild.request_unknown`.
    pub async fn refuse_request(&self, character_id: u64) -> Result<(), HavenError> {
        self.realm.ask(Call::GuildRequestRefuse { character_id }).await
    }

    /// Takes the player's character out of its guild. The last leader passes the lead on first, or
    /// disbands the guild.
    ///
    /// # Errors
    /// `guild.not_in_world`, `guild.none`, `guild.leader_stays`.
    pub async fn leave(&self) -> Result<(), HavenError> {
        self.realm.ask(Call::GuildLeave).await
    }

    /// Ends the player's guild, whose bank must be empty. Any of its leaders may.
    ///
    /// # Errors
    /// `guild.not_in_world`, `guild.none`, `guild.too_fast`, `guild.leaders_only`,
    /// `guild.bank_not_empty`.
    pub async fn disband(&self) -> Result<(), HavenError> {
        self.realm.command(|command| Call::GuildDisband { command }).await
    }

    /// Shows the player a page of a list of its guild, as it is now: `guild_page` has at most 50
    /// lines that come after `cursor`, that of the last line seen or 0, in the place of those it
    /// had.
    ///
    /// # Errors
    /// `guild.not_in_world`, `guild.none`, `guild.too_fast`, `guild.list_unknown`,
    /// `guild.right_missing`.
    pub async fn show_list(&self, list: u8, cursor: u64) -> Result<(), HavenError> {
        self.realm.ask(Call::GuildListShow { list, cursor }).await
    }

    snapshots! {
        /// One's own membership while the character is in the world.
        memberships = guild_membership: GuildMembership;
        /// Guilds whose rosters are watched.
        guilds = guild: Guild;
        /// Their members.
        members = guild_member: GuildMember;
        /// Their ranks.
        ranks = guild_rank: GuildRank;
        /// Invitations to own characters.
        invites = guild_invite: GuildInvite;
        /// What own characters have asked.
        requests = guild_request: GuildRequest;
        /// One's own charter.
        charters = guild_charter: GuildCharter;
        /// The lines of the pages one asked for.
        lines = guild_page: GuildPage;
    }
}
