//! One connection's bytes: read no faster than its budget, followed, ended when its time is over.
//!
//! Keeps true: no Nagle delay; what a player sends is charged before it is looked at; a message
//! beyond the limit ends the connection before it is stored; a reader that stays behind is
//! dropped, and with it what it is owed.
//! Leaves out on purpose: what the bytes mean. The owner and services are counted, not slowed.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::{Duration, Instant};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio::time::Sleep;
use tokio_util::sync::{CancellationToken, DropGuard, WaitForCancellationFutureOwned};

use super::Door;
use super::budget::Budget;
use super::census::LinePlace;
use super::frames::{Fault, Frames};
use super::pass::Pass;
use crate::guard::Refusal;

/// A reader that kept up for so long is not behind any more.
const RESTED: Duration = Duration::from_secs(1);

/// A TCP stream under the door's limits.
pub(crate) struct Line {
    stream: TcpStream,
    door: Arc<Door>,
    pass: Pass,
    frames: Frames,
    budget: Budget,
    pause: Pause,
    behind: Behind,
    ended: Pin<Box<WaitForCancellationFutureOwned>>,
    end: CancellationToken,
    gone: CancellationToken,
    _gone_on_drop: DropGuard,
    _place: LinePlace,
}

/// Why nothing is read at the moment.
enum Pause {
    None,
    /// The budget is spent.
    Spent(Pin<Box<Sleep>>),
    /// All players wait for the log.
    Held(Pin<Box<WaitForCancellationFutureOwned>>),
}

/// Since when a reader does not keep up.
#[derive(Default)]
struct Behind {
    since: Option<Instant>,
    /// When something could be written again after a wait.
    caught_up_at: Option<Instant>,
    waiting: bool,
    timer: Option<Pin<Box<Sleep>>>,
}

impl Line {
    /// A connection that was just accepted.
    pub(crate) fn new(stream: TcpStream, door: &Arc<Door>, pass: Pass, place: LinePlace) -> Self {
        if let Err(error) = stream.set_nodelay(true) {
            tracing::debug!("a connection keeps its Nagle delay: {error}");
        }
        let limits = door.limits();
        let (rate, burst) = (limits.inbound_bytes_per_s, limits.inbound_burst_bytes);
        let end = CancellationToken::new();
        let gone = CancellationToken::new();
        Self {
            stream,
            pass,
            frames: Frames::new(limits.message_bytes_max),
            budget: Budget::new(rate, burst, Instant::now()),
            pause: Pause::None,
            behind: Behind::default(),
            ended: Box::pin(end.clone().cancelled_owned()),
            end,
            _gone_on_drop: gone.clone().drop_guard(),
            gone,
            _place: place,
            door: door.clone(),
        }
    }

    /// Cancel it, and the reader sees the end of its input.
    pub(crate) fn end(&self) -> CancellationToken {
        self.end.clone()
    }

    /// Cancelled when the connection is dropped.
    pub(crate) fn gone(&self) -> CancellationToken {
        self.gone.clone()
    }

    /// Waits until it may be read.
    fn poll_turn(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        if !self.pass.is_metered() {
            return Poll::Ready(());
        }
        loop {
            match &mut self.pause {
                Pause::None => {}
                Pause::Spent(sleep) => ready!(sleep.as_mut().poll(cx)),
                Pause::Held(held) => ready!(held.as_mut().poll(cx)),
            }
            let held = self.door.valve.hold().filter(|_| self.pass.is_socket());
            let wait = self.budget.wait(Instant::now());
            self.pause = match (held, wait) {
                (Some(held), _) => Pause::Held(Box::pin(held)),
                (None, Some(wait)) => {
                    self.door.meters.slowed.add(1);
                    Pause::Spent(Box::pin(tokio::time::sleep(wait)))
                }
                (None, None) => Pause::None,
            };
            if matches!(self.pause, Pause::None) {
                return Poll::Ready(());
            }
        }
    }

    /// Notes what was read; false when the connection must not go on.
    fn note_read(&mut self, from: usize, buffer: &ReadBuf<'_>) -> bool {
        let bytes = &buffer.filled()[from..];
        self.door.meters.inbound_bytes.add(bytes.len());
        if !self.pass.is_metered() {
            return true;
        }
        self.budget.spend(bytes.len(), Instant::now());
        self.frames.feed(bytes);
        !self.is_at_fault()
    }

    /// Whether it is a socket whose client has sent what none may; ends it.
    fn is_at_fault(&self) -> bool {
        if !self.pass.is_metered() || !self.pass.is_socket() {
            return false;
        }
        let Some(fault) = self.frames.fault() else { return false };
        self.door.count(match fault {
            Fault::Head => Refusal::SocketMalformed,
            Fault::TooLong => Refusal::MessageTooLong,
        });
        self.end.cancel();
        true
    }

    /// Notes how a write went; an error when the reader has been behind for too long.
    fn note_write(
        &mut self,
        cx: &mut Context<'_>,
        written: Poll<io::Result<usize>>,
    ) -> Poll<io::Result<usize>> {
        if let Poll::Ready(Ok(bytes)) = &written {
            self.door.meters.outbound_bytes.add(*bytes);
        }
        if !self.pass.is_metered() {
            return written;
        }
        let most = self.door.limits().reader_behind_max();
        if self.behind.note(written.is_pending(), most, cx) {
            self.door.count(Refusal::ReaderBehind);
            self.end.cancel();
            return Poll::Ready(Err(io::ErrorKind::TimedOut.into()));
        }
        written
    }
}

impl Behind {
    /// Whether the reader has been behind for longer than it may.
    fn note(&mut self, waits: bool, most: Duration, cx: &mut Context<'_>) -> bool {
        if !waits && self.since.is_none() {
            return false;
        }
        let now = Instant::now();
        if !waits && self.waiting {
            (self.waiting, self.caught_up_at) = (false, Some(now));
        }
        let rested = self.caught_up_at.is_some_and(|at| now.duration_since(at) > RESTED);
        if rested && !self.waiting {
            *self = Self::default();
        }
        if !waits {
            return self.since.is_some_and(|since| now.duration_since(since) > most);
        }
        self.waiting = true;
        let since = *self.since.get_or_insert(now);
        let until = tokio::time::Instant::from_std(since + most);
        let timer = self.timer.get_or_insert_with(|| Box::pin(tokio::time::sleep_until(until)));
        timer.as_mut().poll(cx).is_ready()
    }
}

impl AsyncRead for Line {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        if self.end.is_cancelled() || self.ended.as_mut().poll(cx).is_ready() {
            return Poll::Ready(Ok(()));
        }
        // What came right behind the request was read before it was known to be a socket's.
        if self.is_at_fault() {
            return Poll::Ready(Ok(()));
        }
        ready!(self.poll_turn(cx));
        let from = buffer.filled().len();
        ready!(Pin::new(&mut self.stream).poll_read(cx, buffer))?;
        if !self.note_read(from, buffer) {
            buffer.set_filled(from);
        }
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for Line {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.stream).poll_write(cx, bytes);
        self.note_write(cx, written)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.stream).poll_write_vectored(cx, slices);
        self.note_write(cx, written)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}
