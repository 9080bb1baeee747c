//! Instances: worlds of their own, opened by a player for whoever is invited.
//!
//! Keeps true: `instances` tells the numbers of those the character may enter, its own among them.

use super::RealmClient;
use crate::error::HavenError;
use crate::link::Call;

impl RealmClient {
    /// Opens an instance of that kind for the player; the character stays where it is. A command:
    /// done once even if the connection breaks, and answered when it is on the realm's disk.
    ///
    /// # Errors
    /// `character.not_in_world`, `instance.definition_unknown`, `instance.already_open`,
    /// `instance.too_many`, `command.…`, those of an admission that was taken back, `client.…`;
    /// after `client.timeout` it may still be done.
    pub async fn open_instance(&self, name: &str) -> Result<(), HavenError> {
        self.command(|command| Call::InstanceOpen { name: name.to_owned(), command }).await
    }

    /// Invites a character into an instance the player opened; again changes nothing.
    ///
    /// # Errors
    /// `instance.unknown`, `instance.not_owner`, `instance.guest_unknown`,
    /// `instance.guests_too_many`, those of an admission that ended, `client.…`.
    pub async fn invite(&self, world: u32, character_id: u64) -> Result<(), HavenError> {
        self.ask(Call::InstanceInvite { world, character_id }).await
    }

    /// Takes the character into an instance. `WorldChanged` tells when everything around it there
    /// is in view.
    ///
    /// # Errors
    /// `character.not_in_world`, `instance.already_inside`, `instance.unknown`,
    /// `instance.not_invited`, `instance.full`, those of an admission that ended, `client.…`.
    pub async fn enter_instance(&self, world: u32) -> Result<(), HavenError> {
        self.ask(Call::InstanceEnter { world }).await
    }

    /// Takes the character out of the instance it is in, back to where it came from; else as
    /// [`Self::enter_instance`].
    ///
    /// # Errors
    /// `character.not_in_world`, `instance.not_inside`, those of an admission that ended,
    /// `client.…`.
    pub async fn leave_instance(&self) -> Result<(), HavenError> {
        self.ask(Call::InstanceLeave).await
    }
}
