//! Parties and raids.
//!
//! Keeps true: who is away for a moment stays a member.

use crate::error::HavenError;
use crate::kept::rows::{PartyInvitation, PartyMember, PartyView};
use crate::link::Call;
use std::sync::Arc;

handle! {
    /// The own party or raid. [`Topic::Party`](crate::Topic::Party) keeps it known here.
    PartyHandle
}

impl PartyHandle<'_> {
    /// Invites the player of a name into the player's party, or into one that is made when it
    /// accepts. Of no use while it is not in the world or in another party, and kept away where it
    /// has blocked the player; neither is told.
    ///
    /// # Errors
    /// `party.not_in_world`, `party.player_unknown`, `party.self`, `party.not_assistant`,
    /// `party.full`, `party.blocked`, `party.invite_pending`,
    /// `party.invites_too_many`, `party.too_fast`.
    pub async fn invite(&self, name: &str) -> Result<(), HavenError> {
        let name = name.to_owned();
        self.realm.ask(Call::PartyInvite { name }).await
    }

    /// Accepts or refuses an invitation. Who invited is not told that it was refused.
    ///
    /// # Errors
    /// `party.not_in_world`, `party.invite_unknown`; when it accepts `party.already_in`,
    /// `party.invite_over`, `party.full`.
    pub async fn answer(&self, invitation_id: u64, accepts: bool) -> Result<(), HavenError> {
        self.realm.ask(Call::PartyAnswer { invitation_id, accepts }).await
    }

    /// Leaves the player's party. Where it led, the next leader does: of those who are there the
    /// assistant who is a member for longest, else the member who is.
    ///
    /// # Errors
    /// `party.not_in_world`, `party.none`.
    pub async fn leave(&self) -> Result<(), HavenError> {
        self.realm.ask(Call::PartyLeave).await
    }

    /// Takes a member out of the player's party.
    ///
    /// # Errors
    /// `party.not_in_world`, `party.none`, `party.not_assistant`, `party.member_unknown`,
    /// `party.self`, `party.not_leader` for assistants, whom the leader takes out, and the leader,
    /// `party.too_fast`.
    pub async fn kick(&self, character_id: u64) -> Result<(), HavenError> {
        self.realm.ask(Call::PartyKick { character_id }).await
    }

    /// Makes another member the leader; the player is an assistant then.
    ///
    /// # Errors
    /// `party.not_in_world`, `party.none`, `party.not_leader`, `party.member_unknown`,
    /// `party.self`, `party.member_away`, `party.too_fast`.
    pub async fn pass_lead(&self, character_id: u64) -> Result<(), HavenError> {
        self.realm.ask(Call::PartyLeaderPass { character_id }).await
    }

    /// Makes a member an assistant, who may invite, take out, group, mark and ask whether all are
    /// ready; or no longer.
    ///
    /// # Errors
    /// `party.not_in_world`, `party.none`, `party.not_leader`, `party.member_unknown`,
    /// `party.self`, `party.too_fast`.
    pub async fn set_assistant(&self, character_id: u64, assists: bool) -> Result<(), HavenError> {
        self.realm.ask(Call::PartyAssistantSet { character_id, assists }).await
    }

    /// Makes a raid of the player's party, or a party of it again.
    ///
    /// # Errors
    /// `party.not_in_world`, `party.none`, `party.not_leader`, `party.too_large`, `party.too_fast`.
    pub async fn convert(&self, is_raid: bool) -> Result<(), HavenError> {
        self.realm.ask(Call::PartyConvert { is_raid }).await
    }

    /// Puts a member of the player's raid into a group of 1 to 8.
    ///
    /// # Errors
    /// `party.not_in_world`, `party.none`, `party.group_unknown`, `party.not_assistant`,
    /// `party.not_raid`, `party.member_unknown`, `party.group_full`, `party.too_fast`.
    pub async fn set_group(&self, character_id: u64, group: u8) -> Result<(), HavenError> {
        self.realm.ask(Call::PartyGroupSet { character_id, group }).await
    }

    /// Says who may take what lies on corpses: 1 everybody, 2 members in turn, 3 need before greed,
    /// 4 one member gives it out; for 3 and 4 from a rarity of 0 to 5 on. `master_id` counts for 4
    /// alone.
    ///
    /// # Errors
    /// `party.not_in_world`, `party.none`, `party.loot_invalid`, `party.not_leader`,
    /// `party.member_unknown`, `party.too_fast`.
    pub async fn set_loot(
        &self,
        mode: u8,
        threshold: u8,
        master_id: u64,
    ) -> Result<(), HavenError> {
        self.realm.ask(Call::PartyLootSet { mode, threshold, master_id }).await
    }

    /// Puts a marker of 1 to 8 on a target that is near the player, 0 to take it away. In a raid
    /// the leader and assistants do, in a party everybody.
    ///
    /// # Errors
    /// `party.not_in_world`, `party.none`, `party.marker_unknown`, `party.not_assistant`,
    /// `party.target_unknown`, `party.too_fast`.
    pub async fn set_marker(&self, marker: u8, entity_id: u64) -> Result<(), HavenError> {
        self.realm.ask(Call::PartyMarkerSet { marker, entity_id }).await
    }

    /// Asks all members who are there whether they are ready. It ends when all have answered, and
    /// after 30 seconds.
    ///
    /// # Errors
    /// `party.not_in_world`, `party.none`, `party.not_assistant`, `party.ready_going`,
    /// `party.too_fast`.
    pub async fn begin_ready_check(&self) -> Result<(), HavenError> {
        self.realm.ask(Call::PartyReadyBegin).await
    }

    /// Answers a ready check; while it goes on also anew.
    ///
    /// # Errors
    /// `party.not_in_world`, `party.none`, `party.ready_none`, `party.too_fast`.
    pub async fn answer_ready_check(&self, is_ready: bool) -> Result<(), HavenError> {
        self.realm.ask(Call::PartyReadyAnswer { is_ready }).await
    }

    snapshots! {
        /// One's own party; none or one for each character.
        parties = party_view: PartyView;
        /// Its members.
        members = party_member: PartyMember;
        /// Invitations to the player.
        invitations = party_invitation: PartyInvitation;
    }
}
