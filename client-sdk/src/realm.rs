//! A realm as a game sees it: enter, move, look around (`look`), visit instances (`instances`),
//! fight (`fights`), and the handles of goods and company (`domains`).
//!
//! Keeps true: what is awaited is answered or fails, at the latest after ten seconds, commands
//! after thirty unless the game is more patient; dropping the last clone closes the connection in
//! order.

mod domains;
mod fights;
mod instances;
mod look;

use crate::commands::{CommandPolicy, Numbers};
use crate::driver::{Command, Driver};
use crate::error::HavenError;
use crate::event::Seen;
use crate::link::{Call, Link};
use crate::module_bindings::CommandId;
use crate::own::Predicted;
use crate::session::Session;
use crate::shared::{Shared, State};
use haven_rules::motion::{Intent, SegmentEnd};
use haven_rules::realms::RealmError;
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
    numbers: Arc<Numbers>,
    policy: CommandPolicy,
}

impl RealmClient {
    pub(crate) async fn connect(session: Session, realm_id: u16) -> Result<Self, HavenError> {
        let admission = session.admission(realm_id).await?;
        let link = Link::open(&admission, session.http_to_ask()).await?;
        let shared = Arc::new(Shared::new());
        let (commands, receiver) = mpsc::channel(COMMANDS_MAX);
        let (ready, is_ready) = oneshot::channel();
        let (numbers, policy) = (Arc::clone(session.numbers()), session.command_policy());
        let driver = Driver::new(Arc::clone(&shared), session, realm_id, receiver);
        tokio::spawn(driver.run(link, admission, ready));
        let client = Self { shared, commands, numbers, policy };
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
        self.ask(Call::Leave).await
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

    /// Goes to a place at most 1000 m away, around what is in the way, walking or running as
    /// before.
    ///
    /// # Errors
    /// `motion.not_in_world`, `motion.goal_outside`, `motion.goal_too_far`, `motion.goal_blocked`;
    /// where no straight line leads `motion.too_often`, `motion.busy`, `motion.land_unknown`,
    /// `motion.no_path`; else as [`Self::walk`].
    pub async fn go_to(&self, x_mm: i32, y_mm: i32) -> Result<(), HavenError> {
        let intent = Intent::Goal { x_mm, y_mm };
        let running = self.shared.lock().own.is_running();
        let call = Call::Goal { x_mm, y_mm };
        self.input_and_wait(call, intent, running).await
    }

    /// Follows somebody within 64 m, walking or running as before, until another course is set or
    /// that one is gone.
    ///
    /// # Errors
    /// `motion.not_in_world`, `motion.target_self`, `motion.target_unknown`, else as
    /// [`Self::walk`].
    pub async fn follow(&self, entity_id: u64) -> Result<(), HavenError> {
        let running = self.shared.lock().own.is_running();
        let place = self.position_of(entity_id, Instant::now());
        let intent = place.map_or(Intent::Stand, |(x_mm, y_mm)| Intent::Goal { x_mm, y_mm });
        self.input_and_wait(Call::Follow { entity_id }, intent, running).await
    }

    /// Puts the character where characters enter the world it is in.
    ///
    /// # Errors
    /// `character.not_in_world`, `character.respawn_too_early`, those of an admission that ended,
    /// `client.…`.
    pub async fn respawn(&self) -> Result<(), HavenError> {
        self.ask(Call::Respawn).await
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
            self.input(call.clone(), intent, running, Some(reply)).map(|_| answer)
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
        // Makes the land that is not known yet while nobody waits.
        self.shared.foresee_unlocked(intent, running);
        let mut state = self.shared.lock();
        if !state.connected {
            return Err(Shared::refusal(&state));
        }
        // Before the prediction, which nothing would settle if it were not sent.
        let place = self.commands.try_reserve().map_err(|error| no_place(error, &state))?;
        let predicted = self.shared.foresee(&state, intent, running);
        state.own.input(predicted.filter(is_likely), running);
        let known = state.me().map_or(0, |me| me.course_number);
        let number = known.wrapping_add(state.own.in_flight());
        // Sent under the lock, so that inputs arrive in the order they were predicted.
        place.send(Command::Call { call, reply });
        Ok(number)
    }

    pub(crate) async fn ask(&self, call: Call) -> Result<(), HavenError> {
        self.call(|reply| Command::Call { call: call.clone(), reply: Some(reply) }).await
    }

    /// Has a command done once, however often the connection breaks meanwhile.
    pub(crate) async fn command(
        &self,
        call: impl FnOnce(CommandId) -> Call,
    ) -> Result<(), HavenError> {
        let id = self.numbers.next();
        let (sequence, call) = (id.sequence, call(id));
        let (reply, answer) = oneshot::channel();
        let place = self.commands.try_reserve();
        let place = place.map_err(|error| no_place(error, &self.shared.lock()))?;
        place.send(Command::Hold { sequence, call, reply });
        self.answer_within(self.policy.patience, answer).await
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
        self.answer_within(CALL_TIMEOUT, answer).await
    }

    async fn answer_within(&self, limit: Duration, answer: Answer) -> Result<(), HavenError> {
        match tokio::time::timeout(limit, answer).await {
            Ok(Ok(result)) => result,
            Ok(Err(_)) => Err(Shared::refusal(&self.shared.lock())),
            Err(_) => Err(HavenError::Timeout),
        }
    }
}

/// Whether the realm will do what is predicted: to a goal behind an obstacle it finds a path, which
/// is waited for.
fn is_likely(predicted: &Predicted) -> bool {
    let has_goal = matches!(predicted.intent, Intent::Goal { .. });
    !has_goal || predicted.segment.end != SegmentEnd::Obstacle
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
