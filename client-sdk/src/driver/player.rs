//! What one connection's messages mean for the player: outcomes, rows, and the blocks to watch.
//!
//! Keeps true: the rows of a message are known before anybody hears of them or of the outcome they
//! came with; the character's own rows are watched from the moment it is to enter until it leaves,
//! wherever it is, and so are the blocks around it once its place is known.

mod held;
mod outcomes;
mod presence;
mod topics;
mod views;

use super::End;
use crate::commands::Numbers;
use crate::error::HavenError;
use crate::event::Event;
use crate::link::{Call, Link, News, Reducer, Watch};
use crate::realm::Reply;
use crate::ring::{Grid, Ring};
use crate::scene::Sight;
use crate::shared::{Shared, State};
use crate::wire::Admission;
use crate::world::World;
use haven_rules::world::OPEN_WORLD;
use held::HeldCommands;
pub(super) use held::Report;
use presence::Presence;
use std::collections::{HashMap, VecDeque};
use std::ops::ControlFlow;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::sync::mpsc;
use topics::Topics;

/// How often to look whether something watched can be dropped, while there is more than needed.
const RING_INTERVAL: Duration = Duration::from_millis(500);

/// Longest wait for the character to be back after a reconnect.
const RESTORE_TIMEOUT: Duration = Duration::from_secs(10);

/// A call without an outcome.
struct Pending {
    sent_at: Instant,
    reply: Option<Reply>,
    /// The number of the command that is held until its outcome is certain.
    held: Option<u64>,
}

/// A player on a connection.
pub(super) struct Player {
    shared: Arc<Shared>,
    link: Option<Link>,
    pending: HashMap<Reducer, VecDeque<Pending>>,
    numbers: Arc<Numbers>,
    held: HeldCommands,
    /// The blocks around the character.
    ring: Ring,
    /// The regions around it.
    far: Ring,
    presence: Presence,
    /// Whether fights in them are watched, too.
    watches_fights: bool,
    /// What else the game asked for.
    topics: Topics,
    /// The world that is watched: the one the character is in, or the open one.
    world_watched: u32,
    /// The world the game was told the character is in.
    world_told: Option<u32>,
    /// The region the game was told the character is in.
    region_told: Option<u64>,
    /// Hears when the connection can be used first.
    ready: Option<Reply>,
    /// Whether the connection was lost and is not yet as it was.
    restoring: bool,
    restore_by: Instant,
    ring_at: Instant,
}

impl Player {
    pub(super) fn new(
        shared: Arc<Shared>,
        link: Link,
        ready: Reply,
        numbers: Arc<Numbers>,
        reports: mpsc::UnboundedSender<Report>,
    ) -> Self {
        let mut player = Self {
            shared,
            link: None,
            pending: HashMap::new(),
            numbers,
            held: HeldCommands::new(reports),
            ring: Ring::new(Grid::BLOCKS),
            far: Ring::new(Grid::REGIONS),
            presence: Presence::Out,
            watches_fights: false,
            topics: Topics::default(),
            world_watched: OPEN_WORLD,
            world_told: None,
            region_told: None,
            ready: Some(ready),
            restoring: false,
            restore_by: Instant::now(),
            ring_at: Instant::now(),
        };
        player.attach(link);
        player
    }

    fn attach(&mut self, mut link: Link) {
        link.watch(Watch::World(OPEN_WORLD));
        self.topics.attach(&mut link);
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

    /// The connection is lost. What was under way fails, but for commands and for whoever is about
    /// to enter; what is in view stays there.
    pub(super) fn suspend(&mut self, reason: String) {
        self.link = None;
        for pending in std::mem::take(&mut self.pending).into_values().flatten() {
            answer(pending.reply, Err(HavenError::Disconnected));
        }
        self.held.suspend();
        self.topics.suspend();
        self.ring.clear();
        self.far.clear();
        self.world_watched = OPEN_WORLD;
        self.presence = match std::mem::replace(&mut self.presence, Presence::Out) {
            Presence::Out => Presence::Out,
            Presence::Entering { character_id, reply: Some(reply), .. } if !reply.is_closed() => {
                Presence::Entering { character_id, reply: Some(reply), admitted: false }
            }
            Presence::Entering { character_id, reply: None, .. } if self.restoring => {
                Presence::In { character_id }
            }
            Presence::Entering { .. } => {
                self.forget_world();
                Presence::Out
            }
            Presence::In { character_id } => Presence::In { character_id },
        };
        let mut state = self.shared.lock();
        state.connected = false;
        state.scene.suspend();
        state.atlas.clear();
        state.fights.clear();
        state.kept.suspend();
        state.blocks_watched = 0;
        state.own.reset();
        self.shared.land.suspend();
        if !self.restoring {
            let event = Event::Disconnected { reason, at: Instant::now() };
            self.shared.tell(&state, event);
        }
        self.restoring = true;
    }

    /// There is a newer admission for the same connection.
    pub(super) fn renewed(&self, admission: &Admission) {
        if let Some(disk) = self.link.as_ref().and_then(|link| link.disk.as_ref()) {
            disk.renew(admission);
        }
    }

    /// There is a connection again.
    /// The number of the connection, while there is one.
    pub(super) fn connection_id(&self) -> Option<String> {
        self.link.as_ref().map(Link::connection_id)
    }

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
        for news in news {
            match news {
                News::Row(change) => state.scene.apply(change),
                News::Land(change) => shared.land.apply(&change),
                News::Far(change) => state.atlas.apply(change),
                News::Fight(change) => state.fights.apply(change),
                News::Kept(report) => state.kept.apply(report),
                News::WorldIs(row) => {
                    state.worlds.insert(row.world, World::new(&row));
                }
                News::WorldGone(row) => {
                    state.worlds.remove(&row.world);
                }
                other => {
                    rest.push(other);
                    continue;
                }
            }
            shared.traffic.count_row();
        }
        self.settle_in(&mut state, Instant::now());
        self.tell_kept(&mut state);
        for news in rest {
            match news {
                News::Outcome { reducer, server_micros, result } => {
                    self.outcome(&mut state, reducer, server_micros, result)?;
                }
                News::Watched(watch) => self.watched(&mut state, watch),
                News::Unwatchable(reason) => return ControlFlow::Break(End::Lost(reason)),
                News::Row(_)
                | News::Land(_)
                | News::Far(_)
                | News::Fight(_)
                | News::Kept(_)
                | News::WorldIs(_)
                | News::WorldGone(_) => {}
            }
        }
        self.arrive(&mut state);
        self.tell_kept(&mut state);
        self.topics.answer_waiting();
        ControlFlow::Continue(())
    }

    /// When [`Self::settle`] is to be called, whether or not a message arrives.
    pub(super) fn next_deadline(&self) -> Option<Instant> {
        let state = self.shared.lock();
        let has_extra = self.ring.has_extra() || self.far.has_extra();
        let rings = has_extra.then_some(self.ring_at + RING_INTERVAL);
        let own = self.own_deadline(&state);
        let restore = self.restoring.then_some(self.restore_by);
        let deadlines = [state.scene.next_deadline(), own, rings, restore];
        deadlines.into_iter().flatten().min()
    }

    /// When the own prediction is to be looked at again; never while nothing could be done then.
    fn own_deadline(&self, state: &State) -> Option<Instant> {
        state.world()?;
        state.scene.input_number(state.me?)?;
        let now = Instant::now();
        let ends = state.own.ends_at_micros().map(|ends_at| {
            let left = ends_at.saturating_sub(self.shared.server_micros(state, now));
            // A millisecond late, so that it has surely ended.
            now + Duration::from_micros(u64::try_from(left).unwrap_or(0).saturating_add(1_000))
        });
        [ends, state.own.believe_at()].into_iter().flatten().min()
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
        let server_micros = self.shared.server_micros(state, now);
        let world_before = state.world_number();
        let sights = state.scene.settle(now, server_micros);
        if matches!(self.presence, Presence::Out) {
            // Rows of blocks that are not watched any more, still under way.
            state.scene.clear();
            state.fights.clear();
            return;
        }
        if state.world_number() != world_before {
            state.own.displaced();
        }
        for sight in sights {
            self.tell_sight(state, sight, now);
        }
        for decision in state.fights.take_news(server_micros) {
            self.shared.tell(state, Event::Decided { decision, at: now });
        }
        self.settle_own(state, server_micros, now);
        self.follow(state, now);
    }

    /// Compares the own prediction with the realm's row, and carries it on.
    fn settle_own(&self, state: &mut State, server_micros: i64, now: Instant) {
        let counted = state.me.and_then(|me| Some((me, state.scene.input_number(me)?)));
        let Some((me, input_number)) = counted else { return };
        let drawn = state.own.position(server_micros);
        if state.own.reconcile(input_number, now) {
            let drawn = drawn.into_iter();
            drawn.for_each(|drawn| state.scene.glide(me, drawn, server_micros, now));
        }
        let ended = state.own.ends_at_micros().is_some_and(|ends_at| ends_at <= server_micros);
        if let Some(world) = state.world().copied().filter(|_| ended) {
            self.shared.land.plan(&world, |ground| state.own.carry(server_micros, ground));
        }
    }

    fn tell_sight(&mut self, state: &mut State, sight: Sight, at: Instant) {
        let mine = |entity_id: u64| state.me == Some(entity_id);
        let event = match sight {
            Sight::Entered(seen) if mine(seen.entity_id) => return,
            Sight::Left(seen) if mine(seen.entity_id) => return self.vanished(state),
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

    fn watched(&mut self, state: &mut State, watch: Watch) {
        match watch {
            Watch::World(world) => {
                self.shared.land.world_arrived(world);
                if world == OPEN_WORLD {
                    self.ready(state);
                }
            }
            Watch::Block(chunk) => self.ring.applied(chunk),
            Watch::Region(region) => self.far.applied(region),
            Watch::Around(_) | Watch::Topic(_) => self.topics.arrived(watch),
            Watch::Entity(_) | Watch::Fights(_) => {}
        }
    }

    /// The connection can be used.
    fn ready(&mut self, state: &mut State) {
        match std::mem::replace(&mut self.presence, Presence::Out) {
            Presence::In { character_id } if self.restoring => {
                self.enter_in(state, character_id, None);
            }
            Presence::Entering { character_id, reply, .. } if self.restoring => {
                self.enter_in(state, character_id, reply);
            }
            presence => {
                self.presence = presence;
                self.restored(state);
            }
        }
        answer(self.ready.take(), Ok(()));
    }

    /// Calls a reducer.
    pub(super) fn call(&mut self, call: Call, reply: Option<Reply>) {
        let reducer = call.reducer();
        let sent = self.link.as_ref().ok_or(HavenError::Disconnected);
        if let Err(error) = sent.and_then(|link| link.call(call)) {
            if reducer.is_input() {
                self.shared.lock().own.outcome(false, Instant::now());
            }
            return answer(reply, Err(error));
        }
        self.shared.traffic.count_call();
        let pending = Pending { sent_at: Instant::now(), reply, held: None };
        self.pending.entry(reducer).or_default().push_back(pending);
    }

    pub(super) async fn close(self) {
        if let Some(link) = self.link {
            link.close().await;
        }
    }
}

/// Answers whoever waits, if anybody does.
fn answer(reply: Option<Reply>, result: Result<(), HavenError>) {
    if let Some(reply) = reply {
        // Dropped when the caller has given up.
        let _ = reply.send(result);
    }
}
