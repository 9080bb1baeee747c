//! One client: it speaks in time, and looks at every message of its channel that comes.
//!
//! Keeps true: a message is told by who sent it, its number and when: all of that stands in its
//! text; the order is that of the messages' numbers.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::pin::pin;
use std::time::{Duration, Instant};

use anyhow::{Context, bail};
use bytes::Bytes;
use spacetimedb_client_api_messages::websocket::{
    BsatnFormat, CallReducerFlags, CompressableQueryUpdate, QueryUpdate, ServerMessage,
    UpdateStatus,
};
use spacetimedb_lib::bsatn;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::{sleep_until, timeout};
use tokio_tungstenite::tungstenite::protocol::frame::coding::{Control, OpCode};

use super::Case;
use crate::bench::crowd::frames::{Frames, Heard, open};
use crate::bench::crowd::messages::{call, encode, masked};
use crate::bots::latency::Latencies;

/// How long an answer may take while the clients gather.
const ANSWER_TIMEOUT: Duration = Duration::from_mins(1);
/// How much one read may bring, bytes.
const CHUNK_BYTES: usize = 8 << 10;
/// What a text of this benchmark begins with; then sender, number and microseconds since the
/// start, each of so many digits.
const MARK: &[u8] = b"~bench~";
const DIGITS: usize = 10;

/// What a client heard and what it sent.
#[derive(Debug, Default)]
pub(super) struct Tally {
    /// Messages that it sent.
    pub(super) sent: u64,
    /// Those of them that were refused.
    pub(super) refused: u64,
    /// Messages of its channel that came, its own among them.
    pub(super) heard: u64,
    /// Those that came after one with a higher number.
    pub(super) out_of_order: u64,
    /// From a message being sent to its row.
    pub(super) latencies: Latencies,
    /// What went wrong.
    pub(super) errors: BTreeMap<String, u64>,
}

/// When a client speaks.
#[derive(Clone, Copy, Debug)]
pub(super) struct Part {
    /// From when on microseconds are counted.
    pub(super) epoch: Instant,
    /// When its first message is due.
    pub(super) first_at: Instant,
    /// From one message to the next.
    pub(super) interval: Duration,
    /// When it speaks no more.
    pub(super) until: Instant,
    /// When it stops listening.
    pub(super) end: Instant,
    /// The client's number.
    pub(super) client: u32,
    /// Kind and number of the channel that it speaks in.
    pub(super) channel: (u8, u64),
}

/// A connected client.
pub(super) struct Talker {
    case: Case,
    stream: TcpStream,
    frames: Frames,
    chunk: Vec<u8>,
    messages: Vec<Vec<u8>>,
    pongs: Vec<u8>,
    sequence: u64,
    last_message_id: u64,
    tally: Tally,
}

impl Talker {
    /// Connects and waits until the database has let it in.
    pub(super) async fn connect(
        case: Case,
        addr: SocketAddr,
        database: &str,
        token: &str,
    ) -> anyhow::Result<Self> {
        let opened = timeout(ANSWER_TIMEOUT, open(addr, database, token)).await;
        let (stream, behind) = opened.context("no connection in time")??;
        let mut frames = Frames::new(0);
        frames.keep_whole();
        let mut talker = Self {
            case,
            stream,
            frames,
            chunk: vec![0; CHUNK_BYTES],
            messages: Vec::new(),
            pongs: Vec::new(),
            sequence: 0,
            last_message_id: 0,
            tally: Tally::default(),
        };
        talker.take(&behind);
        talker.answer().await?;
        Ok(talker)
    }

    /// Sends a frame and waits for what comes next: its answer, as long as nobody speaks.
    pub(super) async fn ask(&mut self, frame: Bytes) -> anyhow::Result<()> {
        self.messages.clear();
        self.stream.write_all(&frame).await?;
        self.answer().await
    }

    /// A command's number: the next one.
    pub(super) fn command(&mut self) -> Vec<u8> {
        self.sequence += 1;
        [encode(&1_u64), encode(&self.sequence)].concat()
    }

    async fn answer(&mut self) -> anyhow::Result<()> {
        let deadline = Instant::now() + ANSWER_TIMEOUT;
        loop {
            while let Some(message) = self.messages.pop() {
                match bsatn::from_slice(message.get(1..).unwrap_or_default()) {
                    Ok(ServerMessage::<BsatnFormat>::TransactionUpdate(update)) => {
                        match update.status {
                            UpdateStatus::Committed(_) => return Ok(()),
                            UpdateStatus::Failed(why) => bail!("refused: {why}"),
                            UpdateStatus::OutOfEnergy => bail!("out of energy"),
                        }
                    }
                    Ok(ServerMessage::SubscriptionError(error)) => bail!("{}", error.error),
                    Ok(ServerMessage::TransactionUpdateLight(_)) => {}
                    Ok(_) => return Ok(()),
                    Err(error) => bail!("a message cannot be read: {error}"),
                }
            }
            let heard = timeout(deadline.saturating_duration_since(Instant::now()), self.hear());
            heard.await.context("no answer in time")??;
        }
    }

    async fn hear(&mut self) -> anyhow::Result<()> {
        let count = self.stream.read(&mut self.chunk).await?;
        if count == 0 {
            bail!("disconnected");
        }
        let chunk = std::mem::take(&mut self.chunk);
        self.take(&chunk[..count]);
        self.chunk = chunk;
        if !self.pongs.is_empty() {
            let pongs = std::mem::take(&mut self.pongs);
            self.stream.write_all(&pongs).await?;
        }
        Ok(())
    }

    fn take(&mut self, bytes: &[u8]) {
        let Self { frames, messages, pongs, .. } = self;
        frames.feed(bytes, |heard| match heard {
            Heard::Message(message, _) => messages.push(message.to_vec()),
            Heard::Ping(payload) => {
                pongs.extend(masked(OpCode::Control(Control::Pong), payload));
            }
            Heard::Close => {}
        });
    }

    /// Speaks and listens until its part is over.
    pub(super) async fn play(mut self, part: Part) -> Tally {
        self.messages.clear();
        let mut next = pin!(sleep_until(part.first_at.into()));
        let mut end = pin!(sleep_until(part.end.into()));
        loop {
            let speaks = next.deadline() < part.until.into();
            tokio::select! {
                heard = self.hear() => {
                    if let Err(error) = heard {
                        self.error(&error.to_string());
                        break;
                    }
                    self.look(part.epoch);
                }
                () = &mut next, if speaks => {
                    let frame = self.message(&part);
                    if self.stream.write_all(&frame).await.is_err() {
                        self.error("disconnected");
                        break;
                    }
                    self.tally.sent += 1;
                    let due = next.deadline() + part.interval;
                    next.as_mut().reset(due.max(Instant::now().into()));
                }
                () = &mut end => break,
            }
        }
        self.tally
    }

    fn message(&mut self, part: &Part) -> Bytes {
        let micros = part.epoch.elapsed().as_micros();
        let (client, number) = (part.client, self.tally.sent);
        let mark = std::str::from_utf8(MARK).unwrap_or_default();
        let text = format!("{mark}{client:010}{number:010}{micros:010} is how long this takes");
        let (kind, channel_id) = part.channel;
        let none: u32 = 0;
        let args =
            [encode(&kind), encode(&channel_id), encode(&text), encode(&none), self.command()];
        // With `NoSuccessNotify` the engine does not tell of refusals either.
        call("chat_say", &args.concat(), CallReducerFlags::FullUpdate)
    }

    fn error(&mut self, what: &str) {
        *self.tally.errors.entry(what.to_owned()).or_default() += 1;
    }

    /// Looks at every row of the messages that have come.
    fn look(&mut self, epoch: Instant) {
        let now = epoch.elapsed();
        for message in std::mem::take(&mut self.messages) {
            let update = match bsatn::from_slice(message.get(1..).unwrap_or_default()) {
                Ok(ServerMessage::<BsatnFormat>::TransactionUpdate(update)) => {
                    match update.status {
                        UpdateStatus::Committed(update) => update,
                        UpdateStatus::Failed(why) => {
                            self.tally.refused += 1;
                            let code = why.split(':').next().unwrap_or_default();
                            self.error(&format!("refused: {code}"));
                            continue;
                        }
                        UpdateStatus::OutOfEnergy => continue,
                    }
                }
                Ok(ServerMessage::TransactionUpdateLight(update)) => update.update,
                Ok(_) => continue,
                Err(_) => {
                    self.error("a message cannot be read");
                    continue;
                }
            };
            for changes in update.tables.into_iter().flat_map(|table| table.updates) {
                let CompressableQueryUpdate::Uncompressed(QueryUpdate { inserts, .. }) = changes
                else {
                    self.error("a message is compressed");
                    continue;
                };
                for row in &inserts {
                    self.look_at_row(&row, now);
                }
            }
        }
    }

    fn look_at_row(&mut self, row: &[u8], now: Duration) {
        // `message_id` is the first column of the shared row, and behind two keys and the viewer
        // in that of an inbox.
        let at = match self.case {
            Case::Shared => 0,
            Case::Private => 16 + 16 + 32,
        };
        let id = row.get(at..at + 8).and_then(|bytes| bytes.try_into().ok());
        let Some(message_id) = id.map(u64::from_le_bytes) else { return };
        let Some(micros) = sent_micros(row) else { return };
        self.tally.heard += 1;
        self.tally.out_of_order += u64::from(message_id <= self.last_message_id);
        self.last_message_id = self.last_message_id.max(message_id);
        self.tally.latencies.add(now.saturating_sub(Duration::from_micros(micros)));
    }
}

/// When the message in a row was sent.
fn sent_micros(row: &[u8]) -> Option<u64> {
    let at = row.windows(MARK.len()).position(|bytes| bytes == MARK)?;
    let begin = at + MARK.len() + 2 * DIGITS;
    std::str::from_utf8(row.get(begin..begin + DIGITS)?).ok()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_row_tells_when_it_was_sent() {
        let row = b"\x01\0\0~bench~000000000700000000090000012345 is how long";
        assert_eq!(sent_micros(row), Some(12_345));
        assert_eq!(sent_micros(b"~bench~12"), None);
        assert_eq!(sent_micros(b""), None);
    }
}
