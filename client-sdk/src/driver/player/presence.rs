//! Where the player's character is: coming into the world, in it, or out of it.
//!
//! Keeps true: a character counts as in the world once the realm has said so, its row is here, and
//! every block around it is watched. Its rows are watched by its id as well, wherever it is, so one
//! whose rows vanish is gone.

use super::{Player, answer};
use crate::error::HavenError;
use crate::event::Event;
use crate::link::{Call, Watch};
use crate::realm::Reply;
use crate::shared::State;
use haven_rules::characters::CharacterError;
use haven_rules::world::OPEN_WORLD;
use std::sync::Arc;
use std::time::Instant;

/// Where the player's character is.
pub(super) enum Presence {
    /// Not in the world.
    Out,
    /// On the way into the world.
    Entering { character_id: u64, reply: Option<Reply>, admitted: bool },
    /// In the world.
    In { character_id: u64 },
}

impl Player {
    /// Brings a character into the world.
    pub(in crate::driver) fn enter(&mut self, character_id: u64, reply: Option<Reply>) {
        let other = match self.presence {
            Presence::Out => false,
            Presence::Entering { character_id: present, .. }
            | Presence::In { character_id: present } => present != character_id,
        };
        if other {
            let error = HavenError::from_reducer(&CharacterError::OtherInWorld.to_string());
            return answer(reply, Err(error));
        }
        let shared = Arc::clone(&self.shared);
        self.enter_in(&mut shared.lock(), character_id, reply);
    }

    pub(super) fn enter_in(&mut self, state: &mut State, character_id: u64, reply: Option<Reply>) {
        state.me = Some(character_id);
        self.presence = Presence::Entering { character_id, reply, admitted: false };
        if let Some(link) = &mut self.link {
            link.watch(Watch::Entity(character_id));
        }
        let command = self.numbers.next();
        self.call(Call::Enter { character_id, command }, None);
    }

    /// Whether the character has arrived and everything around it is in view.
    pub(super) fn arrive(&mut self, state: &mut State) {
        let present = state.me.is_some_and(|me| state.scene.is_present(me));
        if !present || !self.ring.is_complete_in(state.world_number()) {
            return;
        }
        if let Presence::Entering { reply, admitted: true, character_id } = &mut self.presence {
            let (reply, character_id) = (reply.take(), *character_id);
            self.presence = Presence::In { character_id };
            self.restored(state);
            answer(reply, Ok(()));
        }
        self.world_reached(state);
        // What was kept until now may go.
        self.follow(state, Instant::now());
    }

    pub(super) fn entered(&mut self, state: &mut State, result: Result<(), HavenError>) {
        let Presence::Entering { reply, admitted, .. } = &mut self.presence else { return };
        match (result, reply.take()) {
            (Ok(()), taken) => (*reply, *admitted) = (taken, true),
            (Err(error), Some(taken)) => {
                self.leave_world(state);
                self.restored(state);
                answer(Some(taken), Err(error));
            }
            (Err(error), None) => {
                self.tell_refusal(state, &error);
                self.out_of_world(state);
                self.restored(state);
            }
        }
    }

    /// The character's rows are gone, and did not come back in time.
    pub(super) fn vanished(&mut self, state: &mut State) {
        if matches!(self.presence, Presence::In { .. }) {
            self.out_of_world(state);
        }
    }

    pub(super) fn restored(&mut self, state: &mut State) {
        let at = Instant::now();
        state.connected = true;
        if std::mem::take(&mut self.restoring) {
            // An instance that the character is not in any more.
            let number = state.world_number();
            state.worlds.retain(|world, _| [OPEN_WORLD, number].contains(world));
            self.shared.land.restored();
            for sight in state.scene.restored() {
                self.tell_sight(state, sight, at);
            }
            self.shared.tell(state, Event::Reconnected { at });
        }
        self.send_held();
    }

    pub(super) fn out_of_world(&mut self, state: &mut State) {
        self.leave_world(state);
        self.shared.tell(state, Event::OutOfWorld { at: Instant::now() });
    }

    /// Watches nothing any more and forgets who was in view.
    pub(super) fn leave_world(&mut self, state: &mut State) {
        self.leave_surroundings();
        if let (Some(link), Some(me)) = (&mut self.link, state.me) {
            link.unwatch(Watch::Entity(me));
        }
        self.presence = Presence::Out;
        state.me = None;
        state.scene.clear();
        state.atlas.clear();
        state.fights.clear();
        state.blocks_watched = 0;
        state.own.reset();
    }

    pub(super) fn forget_world(&mut self) {
        let shared = Arc::clone(&self.shared);
        self.leave_world(&mut shared.lock());
    }
}
