//! A realm as a game sees it: enter, move, look around.
//!
//! Keeps true: looking never waits; what is awaited is answered or fails, at the latest after ten
//! seconds; dropping the last clone closes the connection in order.

use crate::driver::{Command, Driver};
use crate::error::HavenError;
use crate::event::{Events, Seen};
use crate::link::{Call, Link};
use crate::session::Session;
use crate::shared::{Shared, State, Traffic};
use crate::world::World;
use haven_rules::motion::{Intent, Segment};
use haven_rules::realms::RealmError;
use haven_rules::world::Area;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::sync::mpsc::error::TrySendError;
use tokio::sync::{mpsc, oneshot};

/// Longest wait for the outcome of a call.
const CALL_TIMEOUT: Duration = Duration::from_secs(10);
/// Commands that may wait for the driver; at most this many are asked for and not yet sent.
const COMMANDS_MAX: usize = 1_024;

/// A connection to a realm. Clones are the same connection; it is driven by one task.
#[derive(Clone)]
pub struct RealmClient {
    shared: Arc<Shared>,
    commands: mpsc::Sender<Command>,
}

impl RealmClient {
    pub(crate) async fn connect(session: Session, realm_id: u16) -> Result<Self, HavenError> {
        let admission = session.admission(realm_id).await?;
        let link = Link::open(&admission).await?;
        let shared = Arc::new(Shared::new());
        let (commands, receiver) = mpsc::channel(COMMANDS_MAX);
        let (ready, is_ready) = oneshot::channel();
        let driver = Driver::new(Arc::clone(&shared), session, realm_id, receiver);
        tokio::spawn(driver.run(link, admission, ready));
        let client = Self { shared, commands };
        client.answer(is_ready).await?;
        Ok(client)
    }

    /// Brings a character into the world, where it last was. Answers it once everything around it
    /// is in view; whoever is there already has been told as `Entered`.
    ///
    /// # Errors
    /// `character.unknown`, `character.deleted`, `character.other_in_world`, `realm.full`, those of
    /// an admission that ended (`realm.…`), `client.…`.
    pub async fn enter_world(&self, character_id: u64) -> Result<Seen, HavenError> {
        self.call(|reply| Command::Enter { character_id, reply }).await?;
        self.me().ok_or(HavenError::Disconnected)
    }

    /// Takes the character out of the world; the connection stays.
    ///
    /// # Errors
    /// `character.not_in_world`, those of an admission that ended, `client.…`.
    pub async fn leave(&self) -> Result<(), HavenError> {
        self.call(|reply| Command::Call { call: Call::Leave, reply: Some(reply) }).await
    }

    /// Walks in a direction, until something is in the way. Only the angle counts.
    ///
    /// # Errors
    /// `motion.not_in_world`, those of an admission that ended, `client.…`.
    pub async fn walk(&self, dx: i16, dy: i16) -> Result<(), HavenError> {
        self.set_course(dx, dy, false).await
    }

    /// Runs in a direction; else as [`Self::walk`].
    pub async fn run(&self, dx: i16, dy: i16) -> Result<(), HavenError> {
        self.set_course(dx, dy, true).await
    }

    /// Stands still.
    ///
    /// # Errors
    /// As [`Self::walk`].
    pub async fn stop(&self) -> Result<(), HavenError> {
        self.set_course(0, 0, false).await
    }

    /// Goes straight to a place, walking or running as before.
    ///
    /// # Errors
    /// `motion.goal_outside`, `motion.goal_blocked`, else as [`Self::walk`].
    pub async fn go_to(&self, x_mm: i32, y_mm: i32) -> Result<(), HavenError> {
        let intent = Intent::Goal { x_mm, y_mm };
        let running = self.shared.lock().own.is_running();
        let call = Call::Goal { x_mm, y_mm };
        self.input_and_wait(call, intent, running).await
    }

    /// Sets a direction without waiting; at any rate, though the realm takes up one course per
    /// 50 ms and entity. A refusal is told as `Refused`. Answers the course number that the realm
    /// will give this input if it is the only one of its tick, so that it can be recognised
    /// elsewhere.
    ///
    /// # Errors
    /// `client.disconnected`, `client.taken_over`, `client.closed`, `client.unreachable` when 1,024
    /// calls wait to be sent already.
    pub fn steer(&self, dx: i16, dy: i16, running: bool) -> Result<u32, HavenError> {
        self.input(Call::Course { dx, dy, running }, Intent::direction(dx, dy), running, None)
    }

    /// The own character, while it is in the world.
    pub fn me(&self) -> Option<Seen> {
        self.shared.lock().me().cloned()
    }

    /// Everybody else in view, in no order.
    pub fn nearby(&self) -> Vec<Seen> {
        let state = self.shared.lock();
        let others = state.scene.all().filter(|seen| Some(seen.entity_id) != state.me);
        others.cloned().collect()
    }

    /// Somebody in view.
    pub fn seen(&self, entity_id: u64) -> Option<Seen> {
        self.shared.lock().scene.seen(entity_id).cloned()
    }

    /// Where to draw somebody in view at an instant, now or soon: millimetres east and north of the
    /// origin. The own character answers inputs at once, ahead of the realm.
    pub fn position_of(&self, entity_id: u64, at: Instant) -> Option<(i32, i32)> {
        let state = self.shared.lock();
        self.shared.position_of(&state, entity_id, at)
    }

    /// What a course in that direction would be from here and now: how it ends, and when.
    pub fn foresee(&self, dx: i16, dy: i16, running: bool) -> Option<Segment> {
        let state = self.shared.lock();
        self.shared.foresee(&state, Intent::direction(dx, dy), running)
    }

    /// The world's bounds and speeds; none if the realm has no world yet.
    pub fn world(&self) -> Option<World> {
        self.shared.lock().world
    }

    /// What stands in the way in the blocks around.
    pub fn obstacles(&self) -> Vec<Area> {
        self.shared.lock().obstacles.areas().collect()
    }

    /// The realm's clock at an instant, as estimated here: microseconds since 1970.
    pub fn server_micros(&self, at: Instant) -> i64 {
        let state = self.shared.lock();
        self.shared.server_micros(&state, at)
    }

    /// The quickest recent round trip of a call; none before the first.
    pub fn round_trip(&self) -> Option<Duration> {
        self.shared.lock().clock.round_trip()
    }

    /// What went over the connection.
    pub fn traffic(&self) -> Traffic {
        self.shared.traffic.read()
    }

    /// Whether there is a connection; if not, it is being restored or closed for good.
    pub fn is_connected(&self) -> bool {
        self.shared.lock().connected
    }

    /// Listens to what happens from now on. Any number of listeners may.
    pub fn events(&self) -> Events {
        self.shared.listen()
    }

    /// Closes the connection in order; the character leaves the world.
    pub async fn disconnect(&self) {
        let (done, is_done) = oneshot::channel();
        if self.commands.send(Command::Disconnect { done }).await.is_ok() {
            // Dropped when it was closed already.
            let _ = is_done.await;
        }
    }

    async fn set_course(&self, dx: i16, dy: i16, running: bool) -> Result<(), HavenError> {
        let call = Call::Course { dx, dy, running };
        self.input_and_wait(call, Intent::direction(dx, dy), running).await
    }

    async fn input_and_wait(
        &self,
        call: Call,
        intent: Intent,
        running: bool,
    ) -> Result<(), HavenError> {
        self.renewing(|| {
            let (reply, answer) = oneshot::channel();
            self.input(call, intent, running, Some(reply)).map(|_| answer)
        })
        .await
    }

    /// Predicts and sends an input; answers its expected course number.
    fn input(
        &self,
        call: Call,
        intent: Intent,
        running: bool,
        reply: Option<Reply>,
    ) -> Result<u32, HavenError> {
        let mut state = self.shared.lock();
        if !state.connected {
            return Err(Shared::refusal(&state));
        }
        // Before the prediction, which nothing would settle if it were not sent.
        let place = self.commands.try_reserve().map_err(|error| no_place(error, &state))?;
        let predicted = self.shared.foresee(&state, intent, running);
        state.own.input(predicted, running);
        let known = state.me().map_or(0, |me| me.course_number);
        let number = known.wrapping_add(state.own.in_flight());
        // Sent under the lock, so that inputs arrive in the order they were predicted.
        place.send(Command::Call { call, reply });
        Ok(number)
    }

    async fn call(&self, command: impl Fn(Reply) -> Command) -> Result<(), HavenError> {
        self.renewing(|| {
            let (reply, answer) = oneshot::channel();
            let place = self.commands.try_reserve();
            place.map_err(|error| no_place(error, &self.shared.lock()))?.send(command(reply));
            Ok(answer)
        })
        .await
    }

    /// Sends something and waits for its outcome; once more, over the next connection, when the
    /// admission has run out, as it does for a client that was suspended.
    async fn renewing(
        &self,
        send: impl Fn() -> Result<Answer, HavenError>,
    ) -> Result<(), HavenError> {
        match self.answer(send()?).await {
            Err(error) if error.code() == RealmError::AdmissionExpired.code() => {
                self.reconnected().await?;
                self.answer(send()?).await
            }
            result => result,
        }
    }

    /// Waits for a connection.
    async fn reconnected(&self) -> Result<(), HavenError> {
        // Listens before it looks, so that it misses nothing.
        let mut events = self.events();
        let wait = async {
            while !self.is_connected() {
                if events.next_event().await.is_none() {
                    return Err(Shared::refusal(&self.shared.lock()));
                }
            }
            Ok(())
        };
        tokio::time::timeout(CALL_TIMEOUT, wait).await.unwrap_or(Err(HavenError::Disconnected))
    }

    async fn answer(&self, answer: Answer) -> Result<(), HavenError> {
        match tokio::time::timeout(CALL_TIMEOUT, answer).await {
            Ok(Ok(result)) => result,
            Ok(Err(_)) => Err(Shared::refusal(&self.shared.lock())),
            Err(_) => Err(HavenError::Timeout),
        }
    }
}

/// Why a command cannot wait to be sent.
fn no_place(error: TrySendError<()>, state: &State) -> HavenError {
    match error {
        TrySendError::Full(()) => {
            HavenError::Unreachable("too many calls wait to be sent".to_owned())
        }
        TrySendError::Closed(()) => Shared::refusal(state),
    }
}

/// Where an outcome is awaited.
pub(crate) type Reply = oneshot::Sender<Result<(), HavenError>>;
type Answer = oneshot::Receiver<Result<(), HavenError>>;
