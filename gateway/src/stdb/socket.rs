//! The task behind a link: connects, sends, hands out answers, connects again.
//!
//! Keeps true: a connection that is silent or stuck is given up; attempts to reconnect are spread
//! out, so that a host that returns is not met by everybody at once.

use std::{
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant},
};

use futures_util::{SinkExt, StreamExt};
use http::{HeaderValue, Uri, header};
use spacetimedb_client_api_messages::websocket::BIN_PROTOCOL;
use tokio::{
    net::TcpStream,
    sync::{Notify, mpsc, watch},
    time::{MissedTickBehavior, interval, sleep_until, timeout},
};
use tokio_tungstenite::{
    MaybeTlsStream, WebSocketStream, connect_async_with_config,
    tungstenite::{Message, client::IntoClientRequest, protocol::WebSocketConfig},
};

use super::{
    CallError, LinkConfig, Request,
    pending::{Pending, SentCall},
    wire::{self, Answer},
};

/// Calls and queries under way on one connection; the host drops whoever sends 2,048 unread.
const IN_FLIGHT_MAX: usize = 512;
/// Longest answer, bytes.
const MESSAGE_BYTES_MAX: usize = 32 << 20;
/// Longest wait for the connection, for the first message, and for one write.
const STEP_TIMEOUT: Duration = Duration::from_secs(5);
/// A ping is sent this often.
const PING_EVERY: Duration = Duration::from_secs(5);
/// A connection on which nothing was heard for so long is given up.
const SILENCE_MAX: Duration = Duration::from_secs(15);
/// A connection on which something was not answered for so long is given up. The engine lets a
/// reducer run for about a minute.
const UNANSWERED_MAX: Duration = Duration::from_secs(75);
/// First and longest pause between two attempts to connect.
const BACKOFF: (Duration, Duration) = (Duration::from_millis(100), Duration::from_secs(3));
/// A connection that lasted so long was a good one: the next pause is short again.
const GOOD_AFTER: Duration = Duration::from_secs(5);

type Socket = WebSocketStream<MaybeTlsStream<TcpStream>>;

/// The state of the task.
pub(super) struct Keeper {
    pub(super) config: LinkConfig,
    pub(super) queue: mpsc::Receiver<Request>,
    pub(super) up: watch::Sender<bool>,
    pub(super) failure: Arc<Mutex<Option<String>>>,
    pub(super) stop: Arc<Notify>,
}

/// Why a connection ended.
enum End {
    /// The link was closed or dropped.
    Stopped,
    /// It broke; try again.
    Broken(String),
}

impl Keeper {
    /// Runs until the link is closed or dropped.
    pub(super) async fn run(mut self) {
        let mut attempts = 0;
        loop {
            let connected = tokio::select! {
                connected = connect(&self.config) => connected,
                () = self.stop.notified() => return,
                () = refuse_until_dropped(&mut self.queue) => return,
            };
            let failure = match connected {
                Ok(mut socket) => {
                    tracing::info!(database = self.config.database, "connected");
                    let began = Instant::now();
                    self.up.send_replace(true);
                    let end = self.serve(&mut socket).await;
                    self.up.send_replace(false);
                    if began.elapsed() >= GOOD_AFTER {
                        attempts = 0;
                    }
                    match end {
                        End::Stopped => return,
                        End::Broken(reason) => reason,
                    }
                }
                Err(reason) => reason,
            };
            self.report(failure);
            let until = tokio::time::Instant::now() + pause(attempts);
            attempts = attempts.saturating_add(1);
            tokio::select! {
                () = sleep_until(until) => (),
                () = self.stop.notified() => return,
                () = refuse_until_dropped(&mut self.queue) => return,
            }
        }
    }

    /// Remembers and logs a failure; the same one is logged once.
    fn report(&self, reason: String) {
        let mut failure = self.failure.lock().unwrap_or_else(PoisonError::into_inner);
        let database = &self.config.database;
        if failure.as_ref() == Some(&reason) {
            tracing::debug!(database, reason, "still not connected");
        } else {
            tracing::warn!(database, reason, "not connected");
        }
        *failure = Some(reason);
    }

    async fn serve(&mut self, socket: &mut Socket) -> End {
        let mut connection = Connection::default();
        let mut ticks = interval(PING_EVERY);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let end = loop {
            let room = connection.pending.len() < IN_FLIGHT_MAX;
            let step = tokio::select! {
                request = self.queue.recv(), if room => match request {
                    Some(request) => connection.send(socket, request, &mut self.queue).await,
                    None => Err(End::Stopped),
                },
                message = socket.next() => connection.receive(message),
                _ = ticks.tick() => connection.tick(socket).await,
                () = self.stop.notified() => Err(End::Stopped),
            };
            if let Err(end) = step {
                break end;
            }
        };
        connection.pending.lose_all();
        if matches!(end, End::Stopped) {
            // Politeness only: the host notices a closed socket as well.
            let _ = timeout(Duration::from_millis(250), socket.close(None)).await;
        }
        end
    }
}

/// One connection from its first to its last message.
struct Connection {
    pending: Pending,
    next_id: u32,
    heard_at: Instant,
}

impl Default for Connection {
    fn default() -> Self {
        // Failures carry the id 0, so no call does.
        Self { pending: Pending::default(), next_id: 1, heard_at: Instant::now() }
    }
}

impl Connection {
    /// Sends a request and what has queued up behind it, in one go.
    async fn send(
        &mut self,
        socket: &mut Socket,
        first: Request,
        queue: &mut mpsc::Receiver<Request>,
    ) -> Result<(), End> {
        let mut next = Some(first);
        let write = async {
            while let Some(request) = next {
                if !request.is_abandoned() {
                    socket.feed(Message::Binary(self.encode(request))).await?;
                }
                let room = self.pending.len() < IN_FLIGHT_MAX;
                next = if room { queue.try_recv().ok() } else { None };
            }
            socket.flush().await
        };
        match timeout(STEP_TIMEOUT, write).await {
            Ok(Ok(())) => Ok(()),
            Ok(Err(error)) => Err(End::Broken(error.to_string())),
            Err(_) => Err(End::Broken("the host does not read".to_owned())),
        }
    }

    fn encode(&mut self, request: Request) -> bytes::Bytes {
        let id = self.next_id;
        self.next_id = self.next_id.checked_add(1).unwrap_or(1);
        match request {
            Request::Call { reducer, args, reply } => {
                let message = wire::call(id, &reducer, &args);
                let sent_at = Instant::now();
                self.pending.add_call(SentCall { request_id: id, reducer, args, sent_at, reply });
                message
            }
            Request::Query { sql, reply } => {
                self.pending.add_query(id, reply);
                wire::query(id, &sql)
            }
        }
    }

    fn receive(
        &mut self,
        message: Option<Result<Message, tokio_tungstenite::tungstenite::Error>>,
    ) -> Result<(), End> {
        self.heard_at = Instant::now();
        match message {
            Some(Ok(Message::Binary(bytes))) => {
                let answer = wire::read(&bytes).map_err(End::Broken)?;
                self.take(answer);
                Ok(())
            }
            Some(Ok(Message::Close(frame))) => {
                let reason = frame.map(|frame| frame.reason.to_string()).unwrap_or_default();
                Err(End::Broken(format!("the host closed the connection: {reason}")))
            }
            Some(Ok(_)) => Ok(()),
            Some(Err(error)) => Err(End::Broken(error.to_string())),
            None => Err(End::Broken("the host closed the connection".to_owned())),
        }
    }

    fn take(&mut self, answer: Answer) {
        match answer {
            Answer::Committed(request_id) => self.pending.committed(request_id),
            Answer::Failed { reducer, args, message } => {
                let error = CallError::from_message(message);
                if !self.pending.failed(&reducer, &args, error) {
                    tracing::warn!(reducer = &*reducer, "a call failed that nobody made");
                }
            }
            Answer::Rows(message_id, rows) => {
                self.pending.rows(message_id, rows.map_err(CallError::Query));
            }
            Answer::Welcome | Answer::Other => (),
        }
    }

    async fn tick(&mut self, socket: &mut Socket) -> Result<(), End> {
        if self.heard_at.elapsed() > SILENCE_MAX {
            return Err(End::Broken("the host is silent".to_owned()));
        }
        if self.pending.oldest().is_some_and(|sent_at| sent_at.elapsed() > UNANSWERED_MAX) {
            return Err(End::Broken("the host does not answer".to_owned()));
        }
        let ping = socket.send(Message::Ping(bytes::Bytes::new()));
        match timeout(STEP_TIMEOUT, ping).await {
            Ok(Ok(())) => Ok(()),
            Ok(Err(error)) => Err(End::Broken(error.to_string())),
            Err(_) => Err(End::Broken("the host does not read".to_owned())),
        }
    }
}

/// Opens a connection and waits until the database has let the caller in.
async fn connect(config: &LinkConfig) -> Result<Socket, String> {
    let address = subscribe_uri(&config.uri, &config.database)?;
    let mut request = address.into_client_request().map_err(|error| error.to_string())?;
    let token = (config.token)().map_err(|error| error.to_string())?;
    let mut bearer = HeaderValue::try_from(format!("Bearer {token}"))
        .map_err(|_| "the token cannot stand in a header".to_owned())?;
    bearer.set_sensitive(true);
    let headers = request.headers_mut();
    headers.insert(header::AUTHORIZATION, bearer);
    let protocol = HeaderValue::from_static(BIN_PROTOCOL);
    headers.insert(header::SEC_WEBSOCKET_PROTOCOL, protocol);
    let limits = WebSocketConfig::default()
        .max_message_size(Some(MESSAGE_BYTES_MAX))
        .max_frame_size(Some(MESSAGE_BYTES_MAX));
    // The last argument sets TCP_NODELAY: without it an answer takes 17 ms instead of 2.
    let connected = timeout(STEP_TIMEOUT, connect_async_with_config(request, Some(limits), true));
    let (mut socket, _) = connected
        .await
        .map_err(|_| "no connection in time".to_owned())?
        .map_err(|error| error.to_string())?;
    let welcomed = timeout(STEP_TIMEOUT, welcome(&mut socket));
    welcomed.await.map_err(|_| "the database did not let us in in time".to_owned())??;
    Ok(socket)
}

async fn welcome(socket: &mut Socket) -> Result<(), String> {
    loop {
        match socket.next().await {
            Some(Ok(Message::Binary(bytes))) => {
                return match wire::read(&bytes)? {
                    Answer::Welcome => Ok(()),
                    _ => Err("the database did not greet us".to_owned()),
                };
            }
            Some(Ok(Message::Ping(_) | Message::Pong(_))) => (),
            Some(Ok(_)) | None => return Err("the database did not let us in".to_owned()),
            Some(Err(error)) => return Err(error.to_string()),
        }
    }
}

/// The address of the socket. No compression: hosts are near; light: nothing but own outcomes.
fn subscribe_uri(uri: &str, database: &str) -> Result<Uri, String> {
    let unusable = || format!("{uri} is not the address of a host");
    let parsed: Uri = uri.parse().map_err(|_| unusable())?;
    let scheme = match parsed.scheme_str() {
        Some("http" | "ws") => "ws",
        Some("https" | "wss") => "wss",
        _ => return Err(unusable()),
    };
    let authority = parsed.authority().ok_or_else(unusable)?;
    let path = parsed.path().trim_end_matches('/');
    let query = "compression=None&light=true";
    format!("{scheme}://{authority}{path}/v1/database/{database}/subscribe?{query}")
        .parse()
        .map_err(|_| unusable())
}

/// Answers whoever asks while there is no connection; returns when the link is dropped.
async fn refuse_until_dropped(queue: &mut mpsc::Receiver<Request>) {
    while let Some(request) = queue.recv().await {
        request.refuse(CallError::Unavailable);
    }
}

/// The pause before the next attempt: doubled each time up to a bound, half of it by chance.
fn pause(attempts: u32) -> Duration {
    let doubled = BACKOFF.0.saturating_mul(1 << attempts.min(10)).min(BACKOFF.1);
    doubled.mul_f64(rand::random_range(0.5..1.0))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_address_of_the_socket_is_built_from_the_hosts() {
        let check = |uri: &str, expected: Option<&str>| {
            let built = subscribe_uri(uri, "haven").ok().map(|uri| uri.to_string());
            assert_eq!(built.as_deref(), expected, "{uri}");
        };
        let tail = "v1/database/haven/subscribe?compression=None&light=true";
        check("http://127.0.0.1:3000", Some(&format!("ws://127.0.0.1:3000/{tail}")));
        check("https://host/db/", Some(&format!("wss://host/db/{tail}")));
        check("ftp://host", None);
        check("host", None);
        check("", None);
    }

    #[test]
    fn pauses_grow_to_a_bound() {
        for attempts in [0, 1, 5, 40, u32::MAX] {
            let pause = pause(attempts);
            assert!(pause >= BACKOFF.0 / 2 && pause <= BACKOFF.1, "{pause:?}");
        }
    }
}
