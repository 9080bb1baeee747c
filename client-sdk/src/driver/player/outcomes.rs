//! What the outcomes of calls mean: who hears of them, and when the connection is over with one.
//!
//! Keeps true: outcomes teach the realm's clock; each answers the oldest call of its reducer.

use super::{Player, answer};
use crate::driver::End;
use crate::error::HavenError;
use crate::event::Event;
use crate::link::Reducer;
use crate::shared::State;
use haven_rules::realms::RealmError;
use std::collections::VecDeque;
use std::ops::ControlFlow;
use std::time::Instant;

impl Player {
    pub(super) fn outcome(
        &mut self,
        state: &mut State,
        reducer: Reducer,
        server_micros: i64,
        result: Result<(), HavenError>,
    ) -> ControlFlow<End> {
        let now = Instant::now();
        self.shared.traffic.count_outcome();
        let pending = self.pending.get_mut(&reducer).and_then(VecDeque::pop_front);
        let Some(pending) = pending else { return ControlFlow::Continue(()) };
        let micros_at = |at| self.shared.local.micros_at(at);
        state.clock.learn(micros_at(pending.sent_at), micros_at(now), server_micros);
        if let Err(error) = &result {
            if error.code() == RealmError::TakenOver.code() {
                answer(pending.reply, Err(HavenError::TakenOver));
                // Right after a reconnect it is the end of the own old connection that was noticed
                // late: the SpacetimeDB SDK gives all connections of a process the same id.
                return ControlFlow::Break(if self.restoring {
                    End::Lost(error.to_string())
                } else {
                    End::Closed(HavenError::TakenOver)
                });
            }
            if is_unadmitted(error) {
                // Before anybody hears of it: who tries again waits for the next connection.
                state.connected = false;
                let reason = error.to_string();
                answer(pending.reply, Err(error.clone()));
                if matches!(reducer, Reducer::Enter) && !self.restoring {
                    self.entered(state, result);
                }
                return ControlFlow::Break(End::Lost(reason));
            }
        }
        if let Some(sequence) = pending.held {
            self.held_outcome(sequence, result);
            return ControlFlow::Continue(());
        }
        match reducer {
            Reducer::Enter => {
                self.entered(state, result);
                return ControlFlow::Continue(());
            }
            Reducer::Leave if result.is_ok() => self.leave_world(state),
            Reducer::Course | Reducer::Goal | Reducer::Follow => {
                state.own.outcome(result.is_ok(), now);
                let server_micros = self.shared.server_micros(state, now);
                self.settle_own(state, server_micros, now);
            }
            // Whoever called it hears of it, and nothing else follows here.
            _ => {}
        }
        match (pending.reply, result) {
            (None, Err(error)) => self.tell_refusal(state, &error),
            (reply, result) => answer(reply, result),
        }
        ControlFlow::Continue(())
    }

    pub(super) fn tell_refusal(&self, state: &State, error: &HavenError) {
        if let HavenError::Refused { code, message, .. } = error {
            let (code, message) = (code.clone(), message.clone());
            self.shared.tell(state, Event::Refused { code, message, at: Instant::now() });
        }
    }
}

/// Whether the realm refused because the admission is over: a fresh one is needed.
fn is_unadmitted(error: &HavenError) -> bool {
    [RealmError::NotAdmitted, RealmError::AdmissionExpired]
        .iter()
        .any(|ended| ended.code() == error.code())
}
