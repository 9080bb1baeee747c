//! A WebSocket from the client's side that costs next to nothing: frames are counted, not kept.
//!
//! Keeps true: however the bytes are cut, every message is heard once, whole where that is asked
//! for and otherwise by its beginning; buffers do not grow with what is not kept. Leaves out what
//! the server does not use: extensions, and text.

use std::net::SocketAddr;

use anyhow::{Context, bail, ensure};
use spacetimedb_client_api_messages::websocket::BIN_PROTOCOL;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio_tungstenite::tungstenite::handshake::client::generate_key;

/// Longest answer to the request for a WebSocket, bytes.
const ANSWER_BYTES_MAX: usize = 16_384;
/// Longest message that is kept whole, bytes.
const MESSAGE_BYTES_MAX: usize = 64 << 20;
/// Longest header of a server's frame, bytes: it has no mask.
const HEADER_BYTES_MAX: usize = 10;
/// Longest payload of a control frame, bytes (RFC 6455, 5.5).
const CONTROL_BYTES_MAX: usize = 125;

/// What came from the server.
#[derive(Debug, PartialEq, Eq)]
pub(in crate::bench) enum Heard<'a> {
    /// A message: its beginning, or all of it, and how many bytes it has.
    Message(&'a [u8], u64),
    /// A ping, to be answered with the same payload.
    Ping(&'a [u8]),
    /// The server says goodbye.
    Close,
}

/// Cuts a stream of bytes into messages.
#[derive(Debug)]
pub(in crate::bench) struct Frames {
    header: [u8; HEADER_BYTES_MAX],
    header_bytes: usize,
    /// Bytes of the payload that are still to come; none before the header is whole.
    left: Option<u64>,
    message: Vec<u8>,
    message_bytes: u64,
    control: Vec<u8>,
    keep_bytes_max: usize,
}

impl Frames {
    /// Keeps that much of each message.
    pub(in crate::bench) fn new(keep_bytes_max: usize) -> Self {
        Self {
            header: [0; HEADER_BYTES_MAX],
            header_bytes: 0,
            left: None,
            message: Vec::new(),
            message_bytes: 0,
            control: Vec::new(),
            keep_bytes_max,
        }
    }

    /// From the next message on, keeps messages whole.
    pub(in crate::bench) fn keep_whole(&mut self) {
        self.keep_bytes_max = MESSAGE_BYTES_MAX;
    }

    /// Takes the next bytes of the stream.
    pub(in crate::bench) fn feed(&mut self, mut bytes: &[u8], mut heard: impl FnMut(Heard<'_>)) {
        while let Some((first, rest)) = bytes.split_first() {
            let Some(left) = self.left else {
                self.header[self.header_bytes] = *first;
                self.header_bytes += 1;
                bytes = rest;
                self.left = payload_length(&self.header[..self.header_bytes]);
                if self.left == Some(0) {
                    self.end_frame(&mut heard);
                }
                continue;
            };
            let here = usize::try_from(left).unwrap_or(usize::MAX).min(bytes.len());
            let (payload, rest) = bytes.split_at(here);
            let (kept, most) = if self.is_control() {
                (&mut self.control, CONTROL_BYTES_MAX)
            } else {
                self.message_bytes += here as u64;
                (&mut self.message, self.keep_bytes_max)
            };
            let room = most.saturating_sub(kept.len());
            kept.extend_from_slice(&payload[..payload.len().min(room)]);
            bytes = rest;
            self.left = Some(left - here as u64);
            if self.left == Some(0) {
                self.end_frame(&mut heard);
            }
        }
    }

    fn is_control(&self) -> bool {
        self.header[0] & 0x08 != 0
    }

    fn end_frame(&mut self, heard: &mut impl FnMut(Heard<'_>)) {
        let is_final = self.header[0] & 0x80 != 0;
        match self.header[0] & 0x0f {
            0x8 => heard(Heard::Close),
            0x9 => heard(Heard::Ping(&self.control)),
            0x0..=0x2 if is_final => {
                heard(Heard::Message(&self.message, self.message_bytes));
                self.message.clear();
                self.message_bytes = 0;
                // The rows of a subscription are many; what follows them is not.
                self.message.shrink_to(ANSWER_BYTES_MAX);
            }
            _ => {}
        }
        self.control.clear();
        self.header_bytes = 0;
        self.left = None;
    }
}

/// The length in a frame's header, once the header is whole (RFC 6455, 5.2).
fn payload_length(header: &[u8]) -> Option<u64> {
    let [_, length, long @ ..] = header else { return None };
    match length & 0x7f {
        126 => Some(u16::from_be_bytes(long.try_into().ok()?).into()),
        127 => Some(u64::from_be_bytes(long.try_into().ok()?)),
        short => Some(short.into()),
    }
}

/// Opens a WebSocket to a database: no compression, and nothing but own outcomes and rows.
/// Answers the stream and what came right behind the server's answer.
pub(in crate::bench) async fn open(
    addr: SocketAddr,
    database: &str,
    token: &str,
) -> anyhow::Result<(TcpStream, Vec<u8>)> {
    let mut stream = TcpStream::connect(addr).await.context("no connection")?;
    stream.set_nodelay(true)?;
    let key = generate_key();
    let request = format!(
        "GET /v1/database/{database}/subscribe?compression=None&light=true HTTP/1.1\r\n\
         Host: {addr}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\
         Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: {key}\r\n\
         Sec-WebSocket-Protocol: {BIN_PROTOCOL}\r\nAuthorization: Bearer {token}\r\n\r\n"
    );
    stream.write_all(request.as_bytes()).await?;
    let mut answer = Vec::with_capacity(1_024);
    let end = loop {
        if stream.read_buf(&mut answer).await? == 0 {
            bail!("closed before it was open");
        }
        if let Some(end) = answer.windows(4).position(|four| four == b"\r\n\r\n") {
            break end + 4;
        }
        ensure!(answer.len() < ANSWER_BYTES_MAX, "an answer that does not end");
    };
    let behind = answer.split_off(end);
    let first_line = String::from_utf8_lossy(&answer);
    let first_line = first_line.lines().next().unwrap_or_default();
    ensure!(first_line.starts_with("HTTP/1.1 101"), "refused: {first_line}");
    Ok((stream, behind))
}

#[cfg(test)]
mod tests {
    use super::*;
    use bytes::Bytes;
    use tokio_tungstenite::tungstenite::protocol::frame::Frame;
    use tokio_tungstenite::tungstenite::protocol::frame::coding::{Data, OpCode};

    fn frame(opcode: Data, payload: &[u8], is_final: bool) -> Vec<u8> {
        let payload = Bytes::copy_from_slice(payload);
        let mut bytes = Vec::new();
        let frame = Frame::message(payload, OpCode::Data(opcode), is_final);
        frame.format(&mut bytes).expect("written");
        bytes
    }

    /// Feeds a stream in pieces of that size, and says what was heard.
    fn check(stream: &[u8], keep_bytes_max: usize, expected: &[String]) {
        for size in [1, 2, 3, 7, 1_000, stream.len()] {
            let mut frames = Frames::new(keep_bytes_max);
            let mut said = Vec::new();
            for piece in stream.chunks(size) {
                frames.feed(piece, |heard| said.push(tell(&heard)));
            }
            assert_eq!(said, expected, "in pieces of {size}");
        }
    }

    fn tell(heard: &Heard<'_>) -> String {
        match heard {
            Heard::Message(head, bytes) => format!("{} of {bytes}: {:?}", head.len(), head.first()),
            Heard::Ping(payload) => format!("ping {}", payload.len()),
            Heard::Close => "close".to_owned(),
        }
    }

    #[test]
    fn messages_are_heard_once_however_they_are_cut() {
        let mut stream = Vec::new();
        for length in [0, 1, 125, 126, 65_535, 65_536] {
            stream.extend(frame(Data::Binary, &vec![7; length], true));
        }
        Frame::ping(vec![1, 2, 3]).format(&mut stream).expect("written");
        Frame::close(None).format(&mut stream).expect("written");
        for keep_bytes_max in [usize::MAX, 100] {
            let told = |bytes: usize| {
                let first = (bytes > 0).then_some(7);
                format!("{} of {bytes}: {first:?}", bytes.min(keep_bytes_max))
            };
            let mut expected: Vec<String> = [0, 1, 125, 126, 65_535, 65_536].map(told).to_vec();
            expected.extend(["ping 3".to_owned(), "close".to_owned()]);
            check(&stream, keep_bytes_max, &expected);
        }
    }

    #[test]
    fn a_message_in_parts_is_one_also_around_a_ping() {
        let mut stream = frame(Data::Binary, &[5; 10], false);
        Frame::ping(vec![0; 9]).format(&mut stream).expect("written");
        stream.extend(frame(Data::Continue, &[6; 10], true));
        check(&stream, usize::MAX, &["ping 9".to_owned(), "20 of 20: Some(5)".to_owned()]);
    }
}
