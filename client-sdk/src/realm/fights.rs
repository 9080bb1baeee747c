//! Fights: what a player does in them, and what is seen of them.
//!
//! Keeps true: a call says what is meant and never what comes of it; that is told as `Decided` to
//! whoever watches fights.

use super::RealmClient;
use crate::driver::Command;
use crate::error::HavenError;
use crate::fights::{BodyView, CastView, DecisionView};
use crate::link::Call;
use crate::module_bindings::AbilityAim;
use haven_rules::combat::aim::ATTACK;
use std::sync::Arc;

impl RealmClient {
    /// From now on also watches who fights in the blocks around, what is cast, and what is decided
    /// (`Decided`). Twice changes nothing.
    ///
    /// # Errors
    /// `client.closed`.
    pub async fn watch_fights(&self) -> Result<(), HavenError> {
        let sent = self.commands.send(Command::WatchFights).await;
        sent.map_err(|_| HavenError::Closed)
    }

    /// Strikes at somebody with what is in hand.
    ///
    /// # Errors
    /// As [`Self::use_ability`].
    pub async fn attack(&self, entity_id: u64) -> Result<(), HavenError> {
        self.use_ability(ATTACK, AbilityAim::Entity(entity_id), 0).await
    }

    /// Uses an ability by its key. A spell takes a slot of that level, 0 for its own. What comes of
    /// it is decided by the realm's next tick, or when it is cast.
    ///
    /// # Errors
    /// `combat.…` (docs/COMBAT.md), those of an admission that ended, `client.…`.
    pub async fn use_ability(
        &self,
        ability: &str,
        aim: AbilityAim,
        slot_level: u8,
    ) -> Result<(), HavenError> {
        self.ask(Call::UseAbility { ability: ability.to_owned(), aim, slot_level }).await
    }

    /// Breaks off what is being cast; what it cost is spent. Nothing is no error.
    ///
    /// # Errors
    /// `combat.not_in_world`, those of an admission that ended, `client.…`.
    pub async fn cancel_cast(&self) -> Result<(), HavenError> {
        self.ask(Call::CancelCast).await
    }

    /// Offers a duel to a player who is near.
    ///
    /// # Errors
    /// `combat.switched_off`, `combat.target_self`, `combat.target_unknown`,
    /// `combat.out_of_range`, `combat.duel_busy`, else as [`Self::cancel_cast`].
    pub async fn offer_duel(&self, entity_id: u64) -> Result<(), HavenError> {
        self.ask(Call::OfferDuel { entity_id }).await
    }

    /// Accepts or refuses the duel that a player has offered.
    ///
    /// # Errors
    /// `combat.duel_unknown`, else as [`Self::cancel_cast`].
    pub async fn answer_duel(&self, entity_id: u64, accepts: bool) -> Result<(), HavenError> {
        self.ask(Call::AnswerDuel { entity_id, accepts }).await
    }

    /// Gives up a duel or takes back an offer.
    ///
    /// # Errors
    /// `combat.duel_unknown`, else as [`Self::cancel_cast`].
    pub async fn end_duel(&self) -> Result<(), HavenError> {
        self.ask(Call::EndDuel).await
    }

    /// Begins a rest: a short one, or a long one after which everything is back.
    ///
    /// # Errors
    /// `combat.dead`, `combat.down`, `combat.rest_fighting`, `combat.rest_too_soon`, else as
    /// [`Self::cancel_cast`].
    pub async fn rest(&self, is_long: bool) -> Result<(), HavenError> {
        self.ask(Call::BeginRest { is_long }).await
    }

    /// Breaks off a rest.
    ///
    /// # Errors
    /// `combat.not_resting`, else as [`Self::cancel_cast`].
    pub async fn end_rest(&self) -> Result<(), HavenError> {
        self.ask(Call::EndRest).await
    }

    /// Brings a dead character back to the spawn, alive.
    ///
    /// # Errors
    /// `combat.not_dead`, `combat.respawn_too_early`, else as [`Self::cancel_cast`].
    pub async fn return_to_life(&self) -> Result<(), HavenError> {
        self.ask(Call::ReturnToLife).await
    }

    /// Bodies in view, the own among them, by their ids; none unless fights are watched.
    pub fn bodies(&self) -> Vec<BodyView> {
        self.shared.lock().fights.bodies().cloned().collect()
    }

    /// A body in view.
    pub fn body_of(&self, entity_id: u64) -> Option<BodyView> {
        self.shared.lock().fights.body(entity_id).cloned()
    }

    /// What is being cast in view.
    pub fn casts(&self) -> Vec<CastView> {
        self.shared.lock().fights.casts().cloned().collect()
    }

    /// What was decided in view within the last minute, in order.
    pub fn combat_events(&self) -> Vec<Arc<DecisionView>> {
        self.shared.lock().fights.decisions().cloned().collect()
    }
}
