//! Where the player's character is: coming into the world, in it, looked for, or out of it.
//!
//! Keeps true: a character counts as in the world once the realm has said so, its row is here, and
//! every block around it is watched; one whose row vanishes is looked for before it counts as gone.

use super::{Player, answer};
use crate::error::HavenError;
use crate::event::Event;
use crate::link::{Call, Watch};
use crate::realm::Reply;
use crate::shared::State;
use haven_rules::characters::CharacterError;
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
    /// Out of view: elsewhere, or not in the world any more.
    Searched { character_id: u64 },
}

impl Player {
    /// Brings a character into the world.
    pub(in crate::driver) fn enter(&mut self, character_id: u64, reply: Option<Reply>) {
        let other = match self.presence {
            Presence::Out => false,
            Presence::Entering { character_id: present, .. }
            | Presence::In { character_id: present }
            | Presence::Searched { character_id: present } => present != character_id,
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
            link.unwatch(Watch::Entity(character_id));
            link.watch(Watch::Entity(character_id));
        }
        self.call(Call::Enter { character_id }, None);
    }

    /// Whether the character has arrived and everything around it is in view.
    pub(super) fn arrive(&mut self, state: &mut State) {
        let me = state.me.filter(|me| state.scene.is_present(*me) && self.ring.is_complete());
        let (Some(me), Some(link)) = (me, &mut self.link) else { return };
        link.unwatch(Watch::Entity(me));
        if let Presence::Entering { reply, admitted: true, character_id } = &mut self.presence {
            let (reply, character_id) = (reply.take(), *character_id);
            self.presence = Presence::In { character_id };
            self.restored(state);
            answer(reply, Ok(()));
        }
    }

    pub(super) fn entered(&mut self, state: &mut State, result: Result<(), HavenError>) {
        let Presence::Entering { reply, admitted, .. } = &mut self.presence else { return };
        match (result, reply.take()) {
            (Ok(()), taken) => (*reply, *admitted) = (taken, true),
            (Err(error), Some(taken)) => {
                self.leave_world(state);
                answer(Some(taken), Err(error));
            }
            (Err(error), None) => {
                self.tell_refusal(state, &error);
                self.out_of_world(state);
                self.restored(state);
            }
        }
    }

    /// The character is out of view: looks for it elsewhere before believing that it is gone.
    pub(super) fn search(&mut self, character_id: u64) {
        if let (Presence::In { .. }, Some(link)) = (&self.presence, &mut self.link) {
            link.watch(Watch::Entity(character_id));
            self.presence = Presence::Searched { character_id };
        }
    }

    pub(super) fn restored(&mut self, state: &mut State) {
        let at = Instant::now();
        state.connected = true;
        if std::mem::take(&mut self.restoring) {
            for sight in state.scene.restored() {
                self.tell_sight(state, sight, at);
            }
            self.shared.tell(state, Event::Reconnected { at });
        }
    }

    pub(super) fn out_of_world(&mut self, state: &mut State) {
        self.leave_world(state);
        self.shared.tell(state, Event::OutOfWorld { at: Instant::now() });
    }

    /// Watches nothing any more and forgets who was in view.
    pub(super) fn leave_world(&mut self, state: &mut State) {
        if let Some(link) = &mut self.link {
            self.ring.clear().into_iter().for_each(|chunk| link.unwatch(Watch::Block(chunk)));
            state.me.into_iter().for_each(|me| link.unwatch(Watch::Entity(me)));
        }
        self.presence = Presence::Out;
        state.me = None;
        state.scene.clear();
        state.own.reset();
    }

    pub(super) fn forget_world(&mut self) {
        let shared = Arc::clone(&self.shared);
        self.leave_world(&mut shared.lock());
    }
}
