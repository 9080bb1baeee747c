//! What a realm's client knows: written by its task, read by the game.
//!
//! Keeps true: a reader sees whole transactions; the lock is never held across a wait. The land has
//! a lock of its own, taken after the other if both are, so that making it holds up nobody.

use crate::clock::{LocalClock, ServerClock};
use crate::error::HavenError;
use crate::event::{EVENTS_KEPT, Event, Events, Seen};
use crate::fights::Fights;
use crate::kept::Kept;
use crate::land::Land;
use crate::own::{Own, Predicted};
use crate::regions::Atlas;
use crate::scene::Scene;
use crate::world::World;
use haven_rules::motion::{Intent, plan};
use haven_rules::world::{OPEN_WORLD, chunk_parts};
use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Instant;
use tokio::sync::broadcast;

/// What went over a client's connection since it was made.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Traffic {
    /// Reducers called.
    pub calls: u64,
    /// Outcomes of calls received.
    pub outcomes: u64,
    /// Changed rows received.
    pub rows: u64,
    /// Events told, whether or not anybody listened.
    pub events: u64,
}

#[derive(Debug, Default)]
pub(crate) struct TrafficCounters {
    calls: AtomicU64,
    outcomes: AtomicU64,
    rows: AtomicU64,
    events: AtomicU64,
}

impl TrafficCounters {
    pub(crate) fn count_call(&self) {
        self.calls.fetch_add(1, Ordering::Relaxed);
    }

    pub(crate) fn count_outcome(&self) {
        self.outcomes.fetch_add(1, Ordering::Relaxed);
    }

    pub(crate) fn count_row(&self) {
        self.rows.fetch_add(1, Ordering::Relaxed);
    }

    pub(crate) fn read(&self) -> Traffic {
        Traffic {
            calls: self.calls.load(Ordering::Relaxed),
            outcomes: self.outcomes.load(Ordering::Relaxed),
            rows: self.rows.load(Ordering::Relaxed),
            events: self.events.load(Ordering::Relaxed),
        }
    }
}

/// Shared between a client and its task.
pub(crate) struct Shared {
    state: Mutex<State>,
    pub(crate) land: Land,
    pub(crate) local: LocalClock,
    pub(crate) traffic: TrafficCounters,
}

/// What is known.
pub(crate) struct State {
    pub(crate) connected: bool,
    /// The open world, and the instance the character is in.
    pub(crate) worlds: HashMap<u32, World>,
    pub(crate) scene: Scene,
    pub(crate) atlas: Atlas,
    pub(crate) fights: Fights,
    /// What the game asked to hear of.
    pub(crate) kept: Kept,
    /// How many blocks are watched.
    pub(crate) blocks_watched: usize,
    pub(crate) clock: ServerClock,
    pub(crate) own: Own,
    /// The entity the player plays.
    pub(crate) me: Option<u64>,
    /// Why the client is closed, once it is.
    closed: Option<HavenError>,
    events: Option<broadcast::Sender<Event>>,
}

impl Shared {
    pub(crate) fn new() -> Self {
        let state = State {
            connected: false,
            worlds: HashMap::new(),
            scene: Scene::default(),
            atlas: Atlas::default(),
            fights: Fights::default(),
            kept: Kept::default(),
            blocks_watched: 0,
            clock: ServerClock::default(),
            own: Own::default(),
            me: None,
            closed: None,
            events: Some(broadcast::Sender::new(EVENTS_KEPT)),
        };
        Self {
            state: Mutex::new(state),
            land: Land::default(),
            local: LocalClock::start(),
            traffic: TrafficCounters::default(),
        }
    }

    pub(crate) fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The realm's clock at a local instant, microseconds since 1970.
    pub(crate) fn server_micros(&self, state: &State, at: Instant) -> i64 {
        state.clock.server_micros(self.local.micros_at(at))
    }

    /// Tells an event to whoever listens.
    pub(crate) fn tell(&self, state: &State, event: Event) {
        self.traffic.events.fetch_add(1, Ordering::Relaxed);
        if let Some(events) = state.events.as_ref().filter(|events| events.receiver_count() > 0) {
            // Fails only when the last listener has just gone.
            let _ = events.send(event);
        }
    }

    pub(crate) fn listen(&self) -> Events {
        Events::new(self.lock().events.as_ref().map(broadcast::Sender::subscribe))
    }

    /// Ends everything: listeners hear no more, and calls answer why.
    pub(crate) fn close(&self, error: HavenError) {
        let mut state = self.lock();
        state.connected = false;
        state.events = None;
        state.own.reset();
        state.closed.get_or_insert(error);
    }

    /// Why nothing can be sent.
    pub(crate) fn refusal(state: &State) -> HavenError {
        state.closed.clone().unwrap_or(HavenError::Disconnected)
    }

    /// Where an entity is to be shown at a local instant, millimetres.
    pub(crate) fn position_of(
        &self,
        state: &State,
        entity_id: u64,
        at: Instant,
    ) -> Option<(i32, i32)> {
        let server_micros = self.server_micros(state, at);
        let predicted = (state.me == Some(entity_id)).then(|| state.own.position(server_micros));
        predicted.flatten().or_else(|| state.scene.position(entity_id, server_micros, at))
    }

    /// What the own character would do, were the intent taken up now.
    pub(crate) fn foresee(
        &self,
        state: &State,
        intent: Intent,
        running: bool,
    ) -> Option<Predicted> {
        Some(self.predict(&self.outset(state, running)?, intent))
    }

    /// As [`Self::foresee`], but holds up nobody while land is made.
    pub(crate) fn foresee_unlocked(&self, intent: Intent, running: bool) -> Option<Predicted> {
        let outset = self.outset(&self.lock(), running);
        outset.map(|outset| self.predict(&outset, intent))
    }

    fn outset(&self, state: &State, running: bool) -> Option<Outset> {
        let now = Instant::now();
        let position = self.position_of(state, state.me?, now)?;
        let at_micros = self.server_micros(state, now);
        let world = *state.world()?;
        Some(Outset { at_micros, position, world, speed: world.speed_mm_per_s(running) })
    }

    fn predict(&self, outset: &Outset, intent: Intent) -> Predicted {
        let Outset { at_micros, position, world, speed } = *outset;
        let segment =
            self.land.plan(&world, |ground| plan(at_micros, position, intent, speed, ground));
        Predicted { segment, intent, speed_mm_per_s: speed }
    }
}

/// Whence a course would begin.
struct Outset {
    at_micros: i64,
    position: (i32, i32),
    world: World,
    /// On easy ground, millimetres per second.
    speed: i32,
}

impl State {
    /// The own character, as last heard of.
    pub(crate) fn me(&self) -> Option<&Seen> {
        self.scene.seen(self.me?)
    }

    /// The number of the world the character is in; that of the open world while it is in none.
    pub(crate) fn world_number(&self) -> u32 {
        self.me().map_or(OPEN_WORLD, |me| chunk_parts(me.chunk_index).0)
    }

    /// The world the character is in, once its configuration is here.
    pub(crate) fn world(&self) -> Option<&World> {
        self.worlds.get(&self.world_number())
    }
}

#[cfg(test)]
mod tests;
