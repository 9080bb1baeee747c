//! One client: a socket that is always read, sends its inputs in time, and counts what comes.
//!
//! Keeps true: it answers pings from its first to its last moment; it costs less than the server's
//! side of the same socket: one read for whatever has come, into a buffer all clients of a thread
//! share, and nothing decoded but by the few that have eyes.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::future::poll_fn;
use std::net::SocketAddr;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::task::{Context as Task, Poll};
use std::time::{Duration, Instant};

use anyhow::{Context, anyhow};
use bytes::Bytes;
use tokio::io::{AsyncRead, AsyncWriteExt, ReadBuf};
use tokio::net::TcpStream;
use tokio::sync::{mpsc, oneshot};
use tokio::task::JoinHandle;
use tokio::time::{sleep_until, timeout};
use tokio_tungstenite::tungstenite::protocol::frame::coding::{Control, OpCode};

use super::eyes::{Eyes, Window};
use super::frames::{Frames, Heard, open};
use super::inputs::Inputs;
use super::messages::{Answer, HEAD_BYTES, masked};
use crate::bots::latency::Latencies;

/// How much one read may bring, bytes.
const CHUNK_BYTES: usize = 64 << 10;
/// How long an answer may take while the crowd gathers.
const ANSWER_TIMEOUT: Duration = Duration::from_mins(1);

thread_local! {
    static CHUNK: RefCell<Vec<u8>> = RefCell::new(vec![0; CHUNK_BYTES]);
}

/// What one client counted, or all of them together.
#[derive(Debug, Default)]
pub(super) struct Tally {
    /// Bytes of the messages that came in the window, without the headers of frames.
    pub(super) bytes: u64,
    /// Messages that came in the window.
    pub(super) messages: u64,
    /// Inputs sent in the window.
    pub(super) inputs: u64,
    /// Rows that came to those who read them, in the window.
    pub(super) rows: u64,
    /// From an input to its row.
    pub(super) latencies: Latencies,
    /// Inputs whose row never came.
    pub(super) unseen: u64,
    /// What went wrong.
    pub(super) errors: BTreeMap<String, u64>,
}

impl Tally {
    /// Counts something that went wrong.
    pub(super) fn error(&mut self, what: impl Into<String>) {
        self.errors(what, 1);
    }

    /// Adds another's.
    pub(super) fn add(&mut self, other: Self) {
        self.bytes += other.bytes;
        self.messages += other.messages;
        self.inputs += other.inputs;
        self.rows += other.rows;
        self.latencies.extend(other.latencies);
        self.unseen += other.unseen;
        for (what, times) in other.errors {
            self.errors(what, times);
        }
    }

    fn errors(&mut self, what: impl Into<String>, times: u64) {
        if times > 0 {
            *self.errors.entry(what.into()).or_default() += times;
        }
    }
}

/// What a client does when all are there.
#[derive(Debug)]
pub(super) struct Part {
    /// The client's number.
    pub(super) client: u32,
    pub(super) inputs: Arc<Inputs>,
    /// When its first input is due.
    pub(super) first_at: Instant,
    /// From one input to the next.
    pub(super) interval: Duration,
    /// When it counts.
    pub(super) window: Window,
    /// When it stops listening.
    pub(super) end: Instant,
    /// Present in those that read what comes.
    pub(super) eyes: Option<Eyes>,
}

#[derive(Debug)]
enum Order {
    /// Send this frame and tell how it was answered.
    Ask(Bytes, Reply),
    Play(Part),
}

type Reply = oneshot::Sender<Result<(), String>>;

/// A running client; gone with its handle.
#[derive(Debug)]
pub(super) struct Client {
    orders: mpsc::Sender<Order>,
    task: JoinHandle<Tally>,
}

impl Client {
    /// Connects and waits until the database has let it in.
    pub(super) async fn connect(
        addr: SocketAddr,
        database: &str,
        token: &str,
    ) -> anyhow::Result<Self> {
        let opened = timeout(ANSWER_TIMEOUT, open(addr, database, token)).await;
        let (stream, behind) = opened.context("no connection in time")??;
        let (reply, welcome) = oneshot::channel();
        let (orders, queue) = mpsc::channel(1);
        let mut body = Body { stream, frames: Frames::new(HEAD_BYTES), inbox: Inbox::default() };
        body.inbox.waiting = Some(reply);
        body.hear(&behind);
        let task = tokio::spawn(body.run(queue));
        answered(welcome).await?;
        Ok(Self { orders, task })
    }

    /// Sends a frame and waits for its answer.
    pub(super) async fn ask(&self, frame: Bytes) -> anyhow::Result<()> {
        let (reply, answer) = oneshot::channel();
        let ordered = self.orders.send(Order::Ask(frame, reply)).await;
        ordered.map_err(|_| anyhow!("disconnected"))?;
        answered(answer).await
    }

    /// Gives it its part.
    pub(super) async fn play(&self, part: Part) {
        // A client that is gone says so in its tally.
        let _ = self.orders.send(Order::Play(part)).await;
    }

    /// What it counted, once it has played its part.
    pub(super) async fn tally(self) -> anyhow::Result<Tally> {
        drop(self.orders);
        Ok(self.task.await?)
    }
}

async fn answered(answer: oneshot::Receiver<Result<(), String>>) -> anyhow::Result<()> {
    let answer = timeout(ANSWER_TIMEOUT, answer).await.context("no answer in time")?;
    answer.context("disconnected")?.map_err(anyhow::Error::msg)
}

/// The task behind a client.
struct Body {
    stream: TcpStream,
    frames: Frames,
    inbox: Inbox,
}

/// What comes, and what is to be done about it.
#[derive(Default)]
struct Inbox {
    /// Pongs to be sent.
    pongs: Vec<u8>,
    closed: bool,
    waiting: Option<Reply>,
    window: Option<Window>,
    eyes: Option<Eyes>,
    tally: Tally,
}

impl Body {
    async fn run(mut self, mut orders: mpsc::Receiver<Order>) -> Tally {
        let mut alive = true;
        while alive {
            tokio::select! {
                heard = poll_fn(|task| self.poll_hear(task)) => {
                    alive = heard && self.answer_pings().await;
                }
                order = orders.recv() => match order {
                    Some(Order::Ask(frame, reply)) => {
                        self.inbox.waiting = Some(reply);
                        alive = self.stream.write_all(&frame).await.is_ok();
                    }
                    Some(Order::Play(part)) => return self.play(part).await,
                    None => return self.inbox.tally,
                },
            }
        }
        self.inbox.tally.error("disconnected");
        self.inbox.tally
    }

    async fn play(mut self, part: Part) -> Tally {
        let Part { client, inputs, interval, window, eyes, .. } = part;
        if eyes.is_some() {
            self.frames.keep_whole();
        }
        (self.inbox.window, self.inbox.eyes) = (Some(window), eyes);
        let mut number = 1;
        let mut next = pin!(sleep_until(part.first_at.into()));
        let mut end = pin!(sleep_until(part.end.into()));
        let alive = loop {
            let moving = next.deadline() < window.until.into() && inputs.has_room(number);
            tokio::select! {
                heard = poll_fn(|task| self.poll_hear(task)) => {
                    if !(heard && self.answer_pings().await) {
                        break false;
                    }
                }
                () = &mut next, if moving => {
                    inputs.note(client, number);
                    if self.stream.write_all(inputs.frame(number)).await.is_err() {
                        break false;
                    }
                    let now = Instant::now();
                    self.inbox.tally.inputs += u64::from(window.contains(now));
                    number += 1;
                    // An input that is late is not followed by one that is early.
                    let due = next.deadline() + interval;
                    next.as_mut().reset(due.max(now.into()));
                }
                () = &mut end => break true,
            }
        };
        self.inbox.end(alive)
    }

    /// Reads what has come; false when the connection has ended.
    fn poll_hear(&mut self, task: &mut Task<'_>) -> Poll<bool> {
        CHUNK.with_borrow_mut(|chunk| {
            let mut buffer = ReadBuf::new(chunk);
            match Pin::new(&mut self.stream).poll_read(task, &mut buffer) {
                Poll::Pending => Poll::Pending,
                Poll::Ready(Ok(())) if !buffer.filled().is_empty() => {
                    self.hear(buffer.filled());
                    Poll::Ready(!self.inbox.closed)
                }
                Poll::Ready(_) => Poll::Ready(false),
            }
        })
    }

    fn hear(&mut self, bytes: &[u8]) {
        let Self { frames, inbox, .. } = self;
        let now = Instant::now();
        let counts = inbox.window.is_some_and(|window| window.contains(now));
        frames.feed(bytes, |heard| match heard {
            Heard::Message(message, bytes) => {
                if counts {
                    inbox.tally.messages += 1;
                    inbox.tally.bytes += bytes;
                }
                inbox.take(message, now);
            }
            Heard::Ping(payload) => {
                inbox.pongs.extend(masked(OpCode::Control(Control::Pong), payload));
            }
            Heard::Close => inbox.closed = true,
        });
    }

    async fn answer_pings(&mut self) -> bool {
        if self.inbox.pongs.is_empty() {
            return true;
        }
        let pongs = std::mem::take(&mut self.inbox.pongs);
        self.stream.write_all(&pongs).await.is_ok()
    }
}

impl Inbox {
    fn take(&mut self, message: &[u8], now: Instant) {
        let answer = Answer::read(&message[..message.len().min(HEAD_BYTES)]);
        let outcome = match answer {
            Answer::Update => {
                if let Some(eyes) = &mut self.eyes {
                    eyes.look(message, now);
                }
                Ok(())
            }
            Answer::Welcome | Answer::Watched => Ok(()),
            Answer::Refused(why) => Err(why),
            Answer::NotWatched => Err("a subscription was refused".to_owned()),
            Answer::Other => return,
        };
        match self.waiting.take() {
            // Whoever asked may have stopped waiting.
            Some(waiting) => drop(waiting.send(outcome)),
            None => {
                if let Err(why) = outcome {
                    let code = why.split_once(':').map_or(&*why, |(code, _)| code);
                    self.tally.error(format!("refused: {code}"));
                }
            }
        }
    }

    /// Adds what the eyes saw.
    fn end(mut self, alive: bool) -> Tally {
        if !alive {
            self.tally.error("disconnected");
        }
        if let Some(mut eyes) = self.eyes {
            eyes.shut(Instant::now());
            self.tally.rows = eyes.rows;
            self.tally.unseen = eyes.unseen;
            self.tally.errors("messages that cannot be read", eyes.unreadable);
            self.tally.latencies = eyes.latencies;
        }
        self.tally
    }
}
