//! What one connection's messages mean for the player: outcomes, rows, and the blocks to watch.
//!
//! Keeps true: the rows of a message are known before anybody hears of them or of the outcome they
//! came with; blocks are watched from the moment the character's place is known until it leaves.

mod presence;

use super::End;
use crate::error::HavenError;
use crate::event::Event;
use crate::link::{Call, Link, News, Reducer, Watch};
use crate::realm::Reply;
use crate::ring::Ring;
use crate::scene::Sight;
use crate::shared::{Shared, State};
use crate::world::World;
use haven_rules::realms::RealmError;
use haven_rules::world::{OPEN_WORLD, chunk_of, chunk_parts};
use presence::Presence;
use std::collections::{HashMap, VecDeque};
use std::ops::ControlFlow;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// How often to look whether watched blocks can be dropped, while there are more than needed.
const RING_INTERVAL: Duration = Duration::from_millis(500);

/// Longest wait for the character to be back after a reconnect.
const RESTORE_TIMEOUT: Duration = Duration::from_secs(10);

/// A call without an outcome.
struct Pending {
    sent_at: Instant,
    reply: Option<Reply>,
}

/// A player on a connection.
pub(super) struct Player {
    shared: Arc<Shared>,
    link: Option<Link>,
    pending: HashMap<Reducer, VecDeque<Pending>>,
    ring: Ring,
    presence: Presence,
    /// Hears when the connection can be used first.
    ready: Option<Reply>,
    /// Whether the connection was lost and is not yet as it was.
    restoring: bool,
    restore_by: Instant,
    ring_at: Instant,
}

impl Player {
    pub(super) fn new(shared: Arc<Shared>, link: Link, ready: Reply) -> Self {
        let mut player = Self {
            shared,
            link: None,
            pending: HashMap::new(),
            ring: Ring::default(),
            presence: Presence::Out,
            ready: Some(ready),
            restoring: false,
            restore_by: Instant::now(),
            ring_at: Instant::now(),
        };
        player.attach(link);
        player
    }

    fn attach(&mut self, mut link: Link) {
        link.watch(Watch::World);
        self.link = Some(link);
        self.restore_by = Instant::now() + RESTORE_TIMEOUT;
    }

    /// Whether the connection has not been usable yet.
    pub(super) fn is_new(&self) -> bool {
        self.ready.is_some()
    }

    pub(super) fn refuse_ready(&mut self, error: HavenError) {
        answer(self.ready.take(), Err(error));
    }

    /// The connection is lost. What was under way fails; what is in view stays there.
    pub(super) fn suspend(&mut self, reason: String) {
        self.link = None;
        for pending in std::mem::take(&mut self.pending).into_values().flatten() {
            answer(pending.reply, Err(HavenError::Disconnected));
        }
        self.ring.clear();
        self.presence = match std::mem::replace(&mut self.presence, Presence::Out) {
            Presence::Out => Presence::Out,
            Presence::Entering { character_id, .. } if self.restoring => {
                Presence::In { character_id }
            }
            Presence::Entering { reply, .. } => {
                answer(reply, Err(HavenError::Disconnected));
                self.forget_world();
                Presence::Out
            }
            Presence::In { character_id } | Presence::Searched { character_id } => {
                Presence::In { character_id }
            }
        };
        let mut state = self.shared.lock();
        state.connected = false;
        state.scene.suspend();
        state.obstacles.clear();
        state.own.reset();
        if !self.restoring {
            let event = Event::Disconnected { reason, at: Instant::now() };
            self.shared.tell(&state, event);
        }
        self.restoring = true;
    }

    /// There is a connection again.
    pub(super) fn resume(&mut self, link: Link) {
        self.attach(link);
    }

    /// Goes on by one message.
    pub(super) async fn advance(&mut self) -> ControlFlow<End> {
        let Some(link) = &self.link else { return ControlFlow::Break(End::Lost(String::new())) };
        if let Err(reason) = link.advance().await {
            return ControlFlow::Break(End::Lost(reason));
        }
        let news = link.take_news();
        if news.is_empty() {
            return ControlFlow::Continue(());
        }
        self.take_in(news)
    }

    /// Rows first, so that whoever hears of an outcome finds what it led to.
    fn take_in(&mut self, news: Vec<News>) -> ControlFlow<End> {
        let shared = Arc::clone(&self.shared);
        let mut state = shared.lock();
        let mut rest = Vec::new();
        let course_before = state.me().map(|me| me.course_number);
        for news in news {
            match news {
                News::Row(change) => state.scene.apply(change),
                News::ObstacleIs(row) => state.obstacles.put(&row),
                News::ObstacleGone(row) => state.obstacles.take(&row),
                News::World(row) if row.world == OPEN_WORLD => state.world = Some(World::new(&row)),
                News::World(_) => {}
                other => {
                    rest.push(other);
                    continue;
                }
            }
            shared.traffic.count_row();
        }
        self.settle_in(&mut state, Instant::now());
        let course_changed = state.me().map(|me| me.course_number) != course_before;
        for news in rest {
            match news {
                News::Outcome { reducer, server_micros, result } => {
                    self.outcome(&mut state, reducer, server_micros, result, course_changed)?;
                }
                News::Watched(watch) => self.watched(&mut state, watch),
                News::Unwatchable(reason) => return ControlFlow::Break(End::Lost(reason)),
                News::Row(_) | News::ObstacleIs(_) | News::ObstacleGone(_) | News::World(_) => {}
            }
        }
        self.arrive(&mut state);
        ControlFlow::Continue(())
    }

    /// When [`Self::settle`] is to be called, whether or not a message arrives.
    pub(super) fn next_deadline(&self) -> Option<Instant> {
        let state = self.shared.lock();
        let ring = self.ring.has_extra().then_some(self.ring_at + RING_INTERVAL);
        let believe = state.me().and_then(|_| state.own.believe_at());
        let restore = self.restoring.then_some(self.restore_by);
        let deadlines = [state.scene.next_deadline(), believe, ring, restore];
        deadlines.into_iter().flatten().min()
    }

    /// Does what is due.
    pub(super) fn settle(&mut self) -> ControlFlow<End> {
        let now = Instant::now();
        if self.restoring && self.restore_by <= now {
            return ControlFlow::Break(End::Lost("the character did not come back".to_owned()));
        }
        self.ring_at = now;
        let shared = Arc::clone(&self.shared);
        self.settle_in(&mut shared.lock(), now);
        ControlFlow::Continue(())
    }

    fn settle_in(&mut self, state: &mut State, now: Instant) {
        let sights = state.scene.settle(now);
        if matches!(self.presence, Presence::Out) {
            // Rows of blocks that are not watched any more, still under way.
            state.scene.clear();
            return;
        }
        for sight in sights {
            self.tell_sight(state, sight, now);
        }
        let truth = state.me().map(|me| (me.segment, me.chunk_index));
        if let Some((truth, chunk_index)) = truth {
            let server_micros = self.shared.server_micros(state, now);
            state.own.reconcile(&truth, server_micros, now);
            self.follow(state, chunk_index, now);
        }
    }

    fn tell_sight(&mut self, state: &mut State, sight: Sight, at: Instant) {
        let mine = |entity_id: u64| state.me == Some(entity_id);
        let event = match sight {
            Sight::Entered(seen) if mine(seen.entity_id) => return,
            Sight::Left(seen) if mine(seen.entity_id) => return self.search(seen.entity_id),
            Sight::Moved { seen, course_changed, block_crossed } => {
                if mine(seen.entity_id) && course_changed {
                    state.own.course_arrived(at);
                }
                Event::Moved { seen, course_changed, block_crossed, at }
            }
            Sight::Entered(seen) => Event::Entered { seen, at },
            Sight::Left(seen) => Event::Left { seen, at },
        };
        self.shared.tell(state, event);
    }

    fn follow(&mut self, state: &State, chunk_index: u64, now: Instant) {
        let (Some(me), Some(world), Some(link)) = (state.me, &state.world, &mut self.link) else {
            return;
        };
        let Some(position) = self.shared.position_of(state, me, now) else { return };
        let number = chunk_parts(chunk_index).0;
        let centre = chunk_of(number, position.0, position.1);
        let changes = self.ring.has_extra() || self.ring.centre() != Some(centre);
        if !changes || !state.scene.is_present(me) {
            return;
        }
        let change = self.ring.follow(number, position, &world.bounds);
        for chunk in change.watch {
            link.watch(Watch::Block(chunk));
        }
        for chunk in change.drop {
            link.unwatch(Watch::Block(chunk));
        }
    }

    fn watched(&mut self, state: &mut State, watch: Watch) {
        match watch {
            Watch::World => {
                match self.presence {
                    Presence::In { character_id } if self.restoring => {
                        self.enter_in(state, character_id, None);
                    }
                    _ => self.restored(state),
                }
                answer(self.ready.take(), Ok(()));
            }
            Watch::Block(chunk) => self.ring.applied(chunk),
            Watch::Entity(character_id) => {
                if matches!(self.presence, Presence::Searched { .. }) {
                    if state.scene.is_present(character_id) {
                        self.presence = Presence::In { character_id };
                    } else {
                        self.out_of_world(state);
                    }
                }
            }
        }
    }

    /// Calls a reducer.
    pub(super) fn call(&mut self, call: Call, reply: Option<Reply>) {
        let sent = self.link.as_ref().ok_or(HavenError::Disconnected);
        if let Err(error) = sent.and_then(|link| link.call(call)) {
            return answer(reply, Err(error));
        }
        self.shared.traffic.count_call();
        let pending = Pending { sent_at: Instant::now(), reply };
        self.pending.entry(call.reducer()).or_default().push_back(pending);
    }

    fn outcome(
        &mut self,
        state: &mut State,
        reducer: Reducer,
        server_micros: i64,
        result: Result<(), HavenError>,
        course_changed: bool,
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
        match reducer {
            Reducer::Enter => {
                self.entered(state, result);
                return ControlFlow::Continue(());
            }
            Reducer::Leave if result.is_ok() => self.leave_world(state),
            Reducer::Leave => {}
            Reducer::Course | Reducer::Goal => {
                state.own.outcome(result.is_ok(), course_changed, now);
                if let Some(truth) = state.me().map(|me| me.segment) {
                    let server_micros = self.shared.server_micros(state, now);
                    state.own.reconcile(&truth, server_micros, now);
                }
            }
        }
        match (pending.reply, result) {
            (None, Err(error)) => self.tell_refusal(state, &error),
            (reply, result) => answer(reply, result),
        }
        ControlFlow::Continue(())
    }

    fn tell_refusal(&self, state: &State, error: &HavenError) {
        if let HavenError::Refused { code, message, .. } = error {
            let (code, message) = (code.clone(), message.clone());
            self.shared.tell(state, Event::Refused { code, message, at: Instant::now() });
        }
    }

    pub(super) async fn close(self) {
        if let Some(link) = self.link {
            link.close().await;
        }
    }
}

/// Whether the realm refused because the admission is over: a fresh one is needed.
fn is_unadmitted(error: &HavenError) -> bool {
    [RealmError::NotAdmitted, RealmError::AdmissionExpired]
        .iter()
        .any(|ended| ended.code() == error.code())
}

/// Answers whoever waits, if anybody does.
fn answer(reply: Option<Reply>, result: Result<(), HavenError>) {
    if let Some(reply) = reply {
        // Dropped when the caller has given up.
        let _ = reply.send(result);
    }
}
