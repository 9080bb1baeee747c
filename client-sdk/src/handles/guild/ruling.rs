//! Ruling a guild: members, leaders, ranks, what it says of itself.
//!
//! Keeps true: nobody acts on an equal or a better.

use super::GuildHandle;
use crate::error::HavenError;
use crate::link::Call;
use crate::module_bindings::{GuildEmblem, GuildGrant};

impl GuildHandle<'_> {
    /// Sends a member of a lower rank away.
    ///
    /// # Errors
    /// `guild.not_in_world`, `guild.none`, `guild.too_fast`, `guild.right_missing`,
    /// `guild.target_unknown`, `guild.target_self`, `guild.rank_too_high`.
    pub async fn kick(&self, character_id: u64) -> Result<(), HavenError> {
        self.realm.ask(Call::GuildMemberKick { character_id }).await
    }

    /// Raises a member of a lower rank by one, not up to the player's own, nor to a rank that has
    /// more than the one before and more than the player's.
    ///
    /// # Errors
    /// `guild.not_in_world`, `guild.none`, `guild.too_fast`, `guild.right_missing`,
    /// `guild.target_unknown`, `guild.target_self`, `guild.rank_too_high`, `guild.grant_too_high`.
    pub async fn promote(&self, character_id: u64) -> Result<(), HavenError> {
        self.realm.ask(Call::GuildMemberPromote { character_id }).await
    }

    /// Lowers a member of a lower rank by one, not to a rank that has more than the one before and
    /// more than the player's.
    ///
    /// # Errors
    /// `guild.not_in_world`, `guild.none`, `guild.too_fast`, `guild.right_missing`,
    /// `guild.target_unknown`, `guild.target_self`, `guild.rank_too_high`, `guild.rank_lowest`,
    /// `guild.grant_too_high`.
    pub async fn demote(&self, character_id: u64) -> Result<(), HavenError> {
        self.realm.ask(Call::GuildMemberDemote { character_id }).await
    }

    /// Bans the account of the character of that name, member or not: whoever of it is a member is
    /// sent away, and none of it can ask or be asked. Banning it again changes nothing.
    ///
    /// # Errors
    /// `guild.not_in_world`, `guild.none`, `guild.too_fast`, `guild.right_missing`,
    /// `guild.target_unknown`, `guild.target_self`, `guild.rank_too_high` where any character of
    /// the account has no lower rank, `guild.bans_too_many`.
    pub async fn ban(&self, name: &str) -> Result<(), HavenError> {
        let name = name.to_owned();
        self.realm.ask(Call::GuildMemberBan { name }).await
    }

    /// Lifts the ban that names that character.
    ///
    /// # Errors
    /// `guild.not_in_world`, `guild.none`, `guild.too_fast`, `guild.right_missing`,
    /// `guild.ban_unknown`.
    pub async fn unban(&self, character_id: u64) -> Result<(), HavenError> {
        self.realm.ask(Call::GuildMemberUnban { character_id }).await
    }

    /// Makes another member leader, if it is none yet, in place of the player, who has the rank
    /// below then.
    ///
    /// # Errors
    /// `guild.not_in_world`, `guild.none`, `guild.too_fast`, `guild.leaders_only`,
    /// `guild.target_unknown`, `guild.target_self`.
    pub async fn pass_lead(&self, character_id: u64) -> Result<(), HavenError> {
        self.realm.ask(Call::GuildLeaderPass { character_id }).await
    }

    /// Makes another member leader beside the player.
    ///
    /// # Errors
    /// `guild.not_in_world`, `guild.none`, `guild.too_fast`, `guild.leaders_only`,
    /// `guild.target_unknown`, `guild.target_self`, `guild.rank_too_high` where it is one already,
    /// `guild.leaders_too_many`.
    pub async fn add_leader(&self, character_id: u64) -> Result<(), HavenError> {
        self.realm.ask(Call::GuildLeaderAdd { character_id }).await
    }

    /// Asks now what is asked of every guild now and then: whether its leaders are gone for
    /// `guild_inactivity_days`, and another member leads it. That is not always the player.
    ///
    /// # Errors
    /// `guild.not_in_world`, `guild.none`, `guild.too_fast`, `guild.leader_active`.
    pub async fn claim_lead(&self) -> Result<(), HavenError> {
        self.realm.ask(Call::GuildLeaderClaim).await
    }

    /// Adds a rank at that position, below the player's, that gives nothing yet; the rank there and
    /// those below it move down. Below the lowest it becomes that of new members.
    ///
    /// # Errors
    /// `guild.not_in_world`, `guild.none`, `guild.too_fast`, `guild.right_missing`, the name's
    /// (`guild.name_length`, `guild.name_letters`), `guild.rank_too_high`, `guild.rank_unknown` for
    /// a position that would leave a gap, `guild.ranks_too_many`.
    pub async fn add_rank(&self, name: &str, position: u8) -> Result<(), HavenError> {
        let name = name.to_owned();
        self.realm.ask(Call::GuildRankAdd { name, position }).await
    }

    /// Gives a rank below the player's another name and other rights and limits: rights that change
    /// the player's rank has, and a limit that changes is at most its own, before and after. Bits
    /// that mean nothing are dropped. A leader may rename the leaders' rank; they have every right
    /// whatever it says.
    ///
    /// # Errors
    /// `guild.not_in_world`, `guild.none`, `guild.too_fast`, `guild.right_missing`, the name's
    /// (`guild.name_length`, `guild.name_letters`), `guild.grant_invalid`, `guild.rank_unknown`,
    /// `guild.rank_too_high`, `guild.grant_too_high`.
    pub async fn change_rank(
        &self,
        rank: u8,
        name: &str,
        grant: GuildGrant,
    ) -> Result<(), HavenError> {
        let name = name.to_owned();
        self.realm.ask(Call::GuildRankChange { rank, name, grant }).await
    }

    /// Removes a rank below the player's that no member has; those below it move up. Neither it
    /// nor, where it was that of new members, the one that is so then has what the player's lacks.
    ///
    /// # Errors
    /// `guild.not_in_world`, `guild.none`, `guild.too_fast`, `guild.right_missing`,
    /// `guild.rank_unknown`, `guild.rank_too_high`, `guild.ranks_too_few`, `guild.rank_in_use`,
    /// `guild.grant_too_high`.
    pub async fn remove_rank(&self, rank: u8) -> Result<(), HavenError> {
        self.realm.ask(Call::GuildRankRemove { rank }).await
    }

    /// Writes the message of the day; an empty one removes it.
    ///
    /// # Errors
    /// `guild.not_in_world`, `guild.none`, `guild.too_fast`, `guild.right_missing`,
    /// `guild.text_invalid`, `chat.muted`.
    pub async fn set_message(&self, message: &str) -> Result<(), HavenError> {
        let message = message.to_owned();
        self.realm.ask(Call::GuildMessageSet { message }).await
    }

    /// Writes the note about a member: one's own, or, with the right, anybody's.
    ///
    /// # Errors
    /// `guild.not_in_world`, `guild.none`, `guild.too_fast`, `guild.text_invalid`, `chat.muted`,
    /// `guild.right_missing`, `guild.target_unknown`.
    pub async fn set_note(&self, character_id: u64, note: &str) -> Result<(), HavenError> {
        let note = note.to_owned();
        self.realm.ask(Call::GuildNoteSet { character_id, note }).await
    }

    /// Writes the officers' note about a member.
    ///
    /// # Errors
    /// `guild.not_in_world`, `guild.none`, `guild.too_fast`, `guild.right_missing`,
    /// `guild.text_invalid`, `chat.muted`, `guild.target_unknown`.
    pub async fn set_officer_note(&self, character_id: u64, note: &str) -> Result<(), HavenError> {
        let note = note.to_owned();
        self.realm.ask(Call::GuildOfficerNoteSet { character_id, note }).await
    }

    /// Changes what is on the guild's banner.
    ///
    /// # Errors
    /// `guild.not_in_world`, `guild.none`, `guild.too_fast`, `guild.right_missing`,
    /// `guild.emblem_invalid`.
    pub async fn set_emblem(&self, emblem: GuildEmblem) -> Result<(), HavenError> {
        self.realm.ask(Call::GuildEmblemSet { emblem }).await
    }
}
