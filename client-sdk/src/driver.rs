//! The task behind a realm's client: connects again when the connection is lost, stays admitted.
//!
//! Keeps true: one connection at a time; the admission is renewed before it runs out, without
//! reconnecting; after a reconnect the character is back in the world and everything around it in
//! view before anybody is told, and then what is held goes out again; the task ends when nobody
//! holds the client any more.
//! Leaves out on purpose: what the realm's messages mean (`player`).

mod player;

use crate::error::HavenError;
use crate::event::Event;
use crate::http::{self, Http};
use crate::kept::Topic;
use crate::link::{Call, Link};
use crate::realm::Reply;
use crate::retry::Backoff;
use crate::session::Session;
use crate::shared::Shared;
use crate::wire::Admission;
use player::{Player, Report};
use reqwest::Method;
use std::future::Future;
use std::ops::ControlFlow;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::sync::{mpsc, oneshot};
use tokio::task::JoinSet;

/// How long to wait after a renewal that failed.
const RENEW_AGAIN: Duration = Duration::from_secs(10);
/// A connection that held for so long has not failed for the reason the last one did.
const STABLE: Duration = Duration::from_secs(10);
/// What a host answers to a route that it does not have.
const NOT_FOUND: u16 = 404;
/// How far away a deadline is that there is not.
const NEVER: Duration = Duration::from_hours(1);

/// What a client asks its task to do.
pub(crate) enum Command {
    Enter {
        character_id: u64,
        reply: Reply,
    },
    Call {
        call: Call,
        reply: Option<Reply>,
    },
    /// A call that is repeated under its number until its result is certain.
    Hold {
        sequence: u64,
        call: Call,
        reply: Reply,
    },
    /// Fights are watched from now on.
    WatchFights,
    /// A topic is watched from now on; answered when its rows are here.
    Watch {
        topic: Topic,
        reply: Reply,
    },
    /// A topic is watched no more.
    Unwatch(Topic),
    Disconnect {
        done: oneshot::Sender<()>,
    },
}

/// Why a connection is over.
enum End {
    /// It broke, for that reason.
    Lost(String),
    /// It must not go on.
    Closed(HavenError),
    /// The client is not wanted any more.
    Done(Option<oneshot::Sender<()>>),
}

/// The task.
pub(crate) struct Driver {
    shared: Arc<Shared>,
    session: Session,
    realm_id: u16,
    commands: mpsc::Receiver<Command>,
    renewal: JoinSet<Result<Admission, HavenError>>,
    renew_at: Instant,
    backoff: Backoff,
    /// Hears of commands that are written.
    reports: mpsc::UnboundedReceiver<Report>,
    reporter: mpsc::UnboundedSender<Report>,
}

impl Driver {
    pub(crate) fn new(
        shared: Arc<Shared>,
        session: Session,
        realm_id: u16,
        commands: mpsc::Receiver<Command>,
    ) -> Self {
        let renew_at = Instant::now() + NEVER;
        let (renewal, backoff) = (JoinSet::new(), Backoff::default());
        // Bounded by the commands that may be unanswered.
        let (reporter, reports) = mpsc::unbounded_channel();
        Self { shared, session, realm_id, commands, renewal, renew_at, backoff, reports, reporter }
    }

    /// Runs until nobody wants the client any more. `ready` hears when it can be used first.
    pub(crate) async fn run(mut self, link: Link, admission: Admission, ready: Reply) {
        self.renew_later(&admission);
        let (numbers, reporter) = (Arc::clone(self.session.numbers()), self.reporter.clone());
        let mut player = Player::new(Arc::clone(&self.shared), link, ready, numbers, reporter);
        let (error, done) = loop {
            let began_at = Instant::now();
            let end = self.play(&mut player).await;
            if began_at.elapsed() >= STABLE {
                self.backoff = Backoff::default();
            }
            match end {
                End::Done(done) => break (HavenError::Closed, done),
                End::Closed(error) => break (error, None),
                End::Lost(reason) if player.is_new() => {
                    player.refuse_ready(HavenError::Unreachable(reason));
                    break (HavenError::Closed, None);
                }
                End::Lost(reason) => {
                    player.suspend(reason);
                    match self.reconnect(&mut player).await {
                        Ok(link) => player.resume(link),
                        Err(End::Done(done)) => break (HavenError::Closed, done),
                        Err(End::Closed(error)) => break (error, None),
                        Err(End::Lost(_)) => break (HavenError::Disconnected, None),
                    }
                }
            }
        };
        self.finish(player, error, done).await;
    }

    async fn play(&mut self, player: &mut Player) -> End {
        loop {
            let now = Instant::now();
            self.renew_if_due(now, player.connection_id());
            let deadline = player.next_deadline().unwrap_or(now + NEVER).min(self.renew_at);
            tokio::select! {
                step = player.advance() => {
                    if let ControlFlow::Break(end) = step {
                        return end;
                    }
                }
                command = self.commands.recv() => match command {
                    None => return End::Done(None),
                    Some(Command::Disconnect { done }) => return End::Done(Some(done)),
                    Some(Command::Enter { character_id, reply }) => {
                        player.enter(character_id, Some(reply));
                    }
                    Some(Command::WatchFights) => player.watch_fights(),
                    Some(Command::Watch { topic, reply }) => player.watch_topic(topic, reply),
                    Some(Command::Unwatch(topic)) => player.unwatch_topic(topic),
                    Some(Command::Call { call, reply }) => player.call(call, reply),
                    Some(Command::Hold { sequence, call, reply }) => {
                        player.hold(sequence, call, reply);
                    }
                },
                Some(report) = self.reports.recv() => {
                    if let ControlFlow::Break(end) = player.written(report) {
                        return end;
                    }
                }
                Some(renewed) = self.renewal.join_next() => match renewed {
                    Ok(Ok(admission)) => {
                        self.renew_later(&admission);
                        player.renewed(&admission);
                    }
                    Ok(Err(_)) | Err(_) => self.renew_at = Instant::now() + RENEW_AGAIN,
                },
                () = tokio::time::sleep_until(deadline.into()) => {
                    if let ControlFlow::Break(end) = player.settle() {
                        return end;
                    }
                }
            }
        }
    }

    fn renew_later(&mut self, admission: &Admission) {
        let lifetime = Duration::from_secs(admission.expires_in);
        self.renew_at = Instant::now() + (lifetime * 2 / 3).max(Duration::from_secs(1));
    }

    fn renew_if_due(&mut self, now: Instant, connection_id: Option<String>) {
        if now < self.renew_at {
            return;
        }
        self.renew_at = now + NEVER;
        let (session, realm_id) = (self.session.clone(), self.realm_id);
        self.renewal.spawn(renew(session, realm_id, connection_id));
    }

    /// Tries until it succeeds, the session is over, or nobody wants it any more.
    async fn reconnect(&mut self, player: &mut Player) -> Result<Link, End> {
        self.renewal.abort_all();
        loop {
            let wait = self.backoff.next_wait(rand::random());
            let connecting = connect(self.session.clone(), self.realm_id, wait);
            match self.refusing(player, connecting).await? {
                Ok((link, admission)) => {
                    self.renew_later(&admission);
                    return Ok(link);
                }
                Err(error) if error.ends_session() => return Err(End::Closed(error)),
                // Whatever else it is, the realm may come back.
                Err(_) => {}
            }
        }
    }

    /// Waits for something, refusing what is asked for meanwhile but commands, which are held.
    async fn refusing<T>(
        &mut self,
        player: &mut Player,
        wait: impl Future<Output = T>,
    ) -> Result<T, End> {
        let mut wait = std::pin::pin!(wait);
        loop {
            tokio::select! {
                result = &mut wait => return Ok(result),
                command = self.commands.recv() => match command {
                    None => return Err(End::Done(None)),
                    Some(Command::Disconnect { done }) => return Err(End::Done(Some(done))),
                    Some(Command::Enter { reply, .. }) => refuse(Some(reply)),
                    Some(Command::WatchFights) => player.watch_fights(),
                    Some(Command::Watch { topic, reply }) => player.watch_topic(topic, reply),
                    Some(Command::Unwatch(topic)) => player.unwatch_topic(topic),
                    Some(Command::Call { reply, .. }) => refuse(reply),
                    Some(Command::Hold { sequence, call, reply }) => {
                        player.hold(sequence, call, reply);
                    }
                },
            }
        }
    }

    async fn finish(self, player: Player, error: HavenError, done: Option<oneshot::Sender<()>>) {
        let at = Instant::now();
        match &error {
            HavenError::Closed => {}
            HavenError::TakenOver => {
                self.shared.tell(&self.shared.lock(), Event::TakenOver { at });
            }
            error => {
                let event = Event::Closed { error: error.clone(), at };
                self.shared.tell(&self.shared.lock(), event);
            }
        }
        self.shared.close(error);
        player.close().await;
        if let Some(done) = done {
            // Dropped when nobody waits any more.
            let _ = done.send(());
        }
    }
}

fn refuse(reply: Option<Reply>) {
    if let Some(reply) = reply {
        // Dropped when nobody waits any more.
        let _ = reply.send(Err(HavenError::Disconnected));
    }
}

/// Asks for a new admission, and tells the realm's guard that the connection may stay as long. A
/// host without a guard does not know that route and does not end connections either.
async fn renew(
    session: Session,
    realm_id: u16,
    connection_id: Option<String>,
) -> Result<Admission, HavenError> {
    let admission = session.admission(realm_id).await?;
    if let Some(connection_id) = connection_id {
        let path =
            format!("/v1/database/{}/renew?connection_id={connection_id}", admission.database);
        let call = http::Call::new(Method::POST, &path).token(&admission.token);
        let renewed = Http::new(&admission.uri)?.send::<()>(&call).await;
        match renewed {
            Err(HavenError::Refused { status: NOT_FOUND, .. }) | Ok(()) => {}
            Err(error) => return Err(error),
        }
    }
    Ok(admission)
}

async fn connect(
    session: Session,
    realm_id: u16,
    wait: Duration,
) -> Result<(Link, Admission), HavenError> {
    tokio::time::sleep(wait).await;
    let admission = session.admission(realm_id).await?;
    let link = Link::open(&admission, session.http_to_ask()).await?;
    Ok((link, admission))
}
