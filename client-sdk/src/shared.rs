//! What a realm's client knows: written by its task, read by the game.
//!
//! Keeps true: a reader sees whole transactions; the lock is never held across a wait.

use crate::clock::{LocalClock, ServerClock};
use crate::error::HavenError;
use crate::event::{EVENTS_KEPT, Event, Events, Seen};
use crate::own::Own;
use crate::scene::Scene;
use crate::world::{Obstacles, World};
use haven_rules::motion::{Ground, Intent, Segment, plan};
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
    pub(crate) local: LocalClock,
    pub(crate) traffic: TrafficCounters,
}

/// What is known.
pub(crate) struct State {
    pub(crate) connected: bool,
    pub(crate) world: Option<World>,
    pub(crate) obstacles: Obstacles,
    pub(crate) scene: Scene,
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
            world: None,
            obstacles: Obstacles::default(),
            scene: Scene::default(),
            clock: ServerClock::default(),
            own: Own::default(),
            me: None,
            closed: None,
            events: Some(broadcast::Sender::new(EVENTS_KEPT)),
        };
        Self {
            state: Mutex::new(state),
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
        let seen = state.scene.seen(entity_id)?;
        let server_micros = self.server_micros(state, at);
        Some(if state.me == Some(entity_id) {
            state.own.position(&seen.segment, server_micros, at)
        } else {
            seen.segment.predict_at(server_micros)
        })
    }

    /// The segment the own character would enter, were the intent taken up now.
    pub(crate) fn foresee(&self, state: &State, intent: Intent, running: bool) -> Option<Segment> {
        let now = Instant::now();
        let position = self.position_of(state, state.me?, now)?;
        let world = state.world.as_ref()?;
        let at_micros = self.server_micros(state, now);
        let speed = world.speed_mm_per_s(running);
        let plan_on = |ground: &mut Ground<'_>| plan(at_micros, position, intent, speed, ground);
        Some(state.obstacles.plan(world, plan_on))
    }
}

impl State {
    /// The own character, as last heard of.
    pub(crate) fn me(&self) -> Option<&Seen> {
        self.scene.seen(self.me?)
    }
}
