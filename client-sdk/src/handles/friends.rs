//! Friends, blocks, presence and what others may see.
//!
//! Keeps true: that one is blocked or refused is never told.

use crate::error::HavenError;
use crate::kept::rows::{
    Friend, FriendBlockName, FriendChoice, FriendLook, FriendPresence, FriendProfile,
};
use crate::link::Call;
use std::sync::Arc;

handle! {
    /// Friends. [`Topic::Friends`](crate::Topic::Friends) keeps them known here.
    FriendsHandle
}

impl FriendsHandle<'_> {
    /// Asks the player of a name to be friends, as the character that the player plays. Where that
    /// one has asked already, they are friends at once. Whether it was shown, refused or kept away
    /// by a block is not told.
    ///
    /// # Errors
    /// `friend.not_in_world`, `friend.player_unknown`, `friend.self`, `friend.blocked`,
    /// `friend.already`, `friend.request_pending`, `friend.requests_declined`, `friend.too_many`,
    /// `friend.requests_too_many`, `friend.other_full`, `friend.too_fast`.
    pub async fn request(&self, name: &str) -> Result<(), HavenError> {
        let name = name.to_owned();
        self.realm.ask(Call::FriendRequest { name }).await
    }

    /// Accepts or refuses a request to the player. Who is refused is not told.
    ///
    /// # Errors
    /// `friend.unknown`, `friend.not_asked`.
    pub async fn answer(&self, friend_id: u64, accepts: bool) -> Result<(), HavenError> {
        self.realm.ask(Call::FriendAnswer { friend_id, accepts }).await
    }

    /// Ends a friendship for both, or takes back a request of the player's.
    ///
    /// # Errors
    /// `friend.unknown`; `friend.not_asked` for a request to the player, which is answered.
    pub async fn remove(&self, friend_id: u64) -> Result<(), HavenError> {
        self.realm.ask(Call::FriendRemove { friend_id }).await
    }

    /// Writes a note to a friend or a request, for the player alone.
    ///
    /// # Errors
    /// `friend.note_invalid`, `friend.unknown`.
    pub async fn set_note(&self, friend_id: u64, note: &str) -> Result<(), HavenError> {
        let note = note.to_owned();
        self.realm.ask(Call::FriendNoteSet { friend_id, note }).await
    }

    /// Blocks the player of a name, with all its characters: it is a friend no more, its requests
    /// and invitations are gone, and nothing of it arrives. Again changes nothing.
    ///
    /// # Errors
    /// `friend.player_unknown`, `friend.self`, `friend.blocks_too_many`.
    pub async fn block(&self, name: &str) -> Result<(), HavenError> {
        let name = name.to_owned();
        self.realm.ask(Call::BlockAdd { name }).await
    }

    /// Takes back a block, by its number. What was kept from the player meanwhile stays so.
    ///
    /// # Errors
    /// `friend.block_unknown`.
    pub async fn unblock(&self, block_id: u64) -> Result<(), HavenError> {
        self.realm.ask(Call::BlockRemove { block_id }).await
    }

    /// Says what others see of the player while it is in the world: 1 online, 2 away, 3 busy, 4
    /// invisible. It stays so until it says something else. The same again changes nothing.
    ///
    /// # Errors
    /// `friend.status_unknown`, `friend.too_fast`.
    pub async fn set_status(&self, status: u8) -> Result<(), HavenError> {
        self.realm.ask(Call::PresenceSet { status }).await
    }

    /// Chooses for whom something of the player's is (`haven_rules::friends::What`): 0 everyone, 1
    /// friends, 2 nobody. The same again changes nothing.
    ///
    /// # Errors
    /// `friend.choice_unknown`, `friend.too_fast`.
    pub async fn set_privacy(&self, what: u8, whom: u8) -> Result<(), HavenError> {
        self.realm.ask(Call::PrivacySet { what, whom }).await
    }

    /// Looks for the player of a name; `friend_look` has what that one lets the player see. Whether
    /// it is not there, or shows nothing, or has blocked the player is not told.
    ///
    /// # Errors
    /// `friend.not_in_world`, `friend.player_unknown`, `friend.self`, `friend.too_fast`.
    pub async fn look_for(&self, name: &str) -> Result<(), HavenError> {
        let name = name.to_owned();
        self.realm.ask(Call::PresenceLook { name }).await
    }

    snapshots! {
        /// Friends and requests.
        friends = friend: Friend;
        /// Where friends are.
        presences = friend_presence: FriendPresence;
        /// What looking for somebody found.
        looks = friend_look: FriendLook;
        /// One's own status.
        profiles = friend_profile: FriendProfile;
        /// What one lets others see and do.
        choices = friend_choice: FriendChoice;
        /// Names one has blocked.
        blocks = friend_block_name: FriendBlockName;
    }
}
