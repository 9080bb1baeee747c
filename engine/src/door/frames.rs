//! The lengths of what a socket's client sends, seen in passing, before anything is stored.
//!
//! A message is kept in memory until it is whole, and the engine's own limit is 32 MiB. So the
//! headers of frames (RFC 6455, section 5.2) are followed here, where they come in.
//! Keeps true: no byte of a message beyond the limit is passed on; where the head of the request
//! ends is decided more strictly than the HTTP parser does, so that nobody can hide a frame in it.
//! Leaves out on purpose: whether frames are well made, which the engine checks.

/// What is wrong with a client's bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Fault {
    /// The request does not start like one.
    Head,
    /// A message is longer than the limit.
    TooLong,
}

#[derive(Debug, Clone, Copy)]
enum State {
    /// Nothing has come.
    Start,
    /// Within the request's head; whether a line has just begun.
    Head { line_is_empty: bool },
    /// Within a frame's header.
    Header,
    /// Within a frame's payload, with so many bytes to come.
    Payload { left: u64 },
    /// Nothing more is followed.
    Broken(Fault),
}

/// Follows one connection: a request's head, then frames.
#[derive(Debug)]
pub(crate) struct Frames {
    state: State,
    header: [u8; HEADER_BYTES_MAX],
    header_bytes: usize,
    /// Of the message that is under way.
    message_bytes: u64,
    message_bytes_max: u64,
}

const HEADER_BYTES_MAX: usize = 14;
const FINAL_BIT: u8 = 0x80;
const MASK_BIT: u8 = 0x80;
const CONTROL_BIT: u8 = 0x08;
/// RFC 6455, section 5.5.
const CONTROL_BYTES_MAX: u64 = 125;

impl Frames {
    /// Nothing has come yet.
    pub(crate) fn new(message_bytes_max: u32) -> Self {
        Self {
            state: State::Start,
            header: [0; HEADER_BYTES_MAX],
            header_bytes: 0,
            message_bytes: 0,
            message_bytes_max: message_bytes_max.into(),
        }
    }

    /// What is wrong, if anything. It means nothing while the connection is not a socket.
    pub(crate) fn fault(&self) -> Option<Fault> {
        match self.state {
            State::Broken(fault) => Some(fault),
            State::Start | State::Head { .. } => Some(Fault::Head),
            State::Header | State::Payload { .. } => None,
        }
    }

    /// Follows what has come.
    pub(crate) fn feed(&mut self, mut bytes: &[u8]) {
        while let Some((first, rest)) = bytes.split_first() {
            match self.state {
                State::Broken(_) => return,
                State::Start => {
                    self.state = if first.is_ascii_uppercase() {
                        State::Head { line_is_empty: false }
                    } else {
                        State::Broken(Fault::Head)
                    };
                    bytes = rest;
                }
                State::Head { line_is_empty } => {
                    self.state = match (*first, line_is_empty) {
                        (b'\n', true) => State::Header,
                        (b'\n', false) => State::Head { line_is_empty: true },
                        // A bare carriage return does not end a line, nor fill an empty one.
                        (b'\r', _) => State::Head { line_is_empty },
                        _ => State::Head { line_is_empty: false },
                    };
                    bytes = rest;
                }
                State::Header => {
                    self.take_header(*first);
                    bytes = rest;
                }
                State::Payload { left } => {
                    let here = left.min(bytes.len() as u64);
                    let (_, after) = bytes.split_at(usize::try_from(here).unwrap_or(bytes.len()));
                    bytes = after;
                    self.state = match left - here {
                        0 => State::Header,
                        left => State::Payload { left },
                    };
                }
            }
        }
    }

    fn take_header(&mut self, byte: u8) {
        self.header[self.header_bytes] = byte;
        self.header_bytes += 1;
        let Some(length) = payload_length(&self.header[..self.header_bytes]) else {
            return;
        };
        self.header_bytes = 0;
        let first = self.header[0];
        if first & CONTROL_BIT == 0 {
            self.message_bytes = self.message_bytes.saturating_add(length);
            if self.message_bytes > self.message_bytes_max {
                self.state = State::Broken(Fault::TooLong);
                return;
            }
            if first & FINAL_BIT != 0 {
                self.message_bytes = 0;
            }
        } else if length > CONTROL_BYTES_MAX {
            self.state = State::Broken(Fault::TooLong);
            return;
        }
        self.state = match length {
            0 => State::Header,
            left => State::Payload { left },
        };
    }
}

/// The payload's length, once the header is whole.
fn payload_length(header: &[u8]) -> Option<u64> {
    let [_, second, rest @ ..] = header else {
        return None;
    };
    let length_bytes = match second & !MASK_BIT {
        126 => 2,
        127 => 8,
        _ => 0,
    };
    let mask_bytes = if second & MASK_BIT == 0 { 0 } else { 4 };
    if rest.len() < length_bytes + mask_bytes {
        return None;
    }
    let big_endian = rest[..length_bytes].iter();
    Some(match length_bytes {
        0 => u64::from(second & !MASK_BIT),
        _ => big_endian.fold(0, |length, byte| (length << 8) | u64::from(*byte)),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const HEAD: &[u8] = b"GET /v1/database/haven/subscribe HTTP/1.1\r\nhost: x\r\n\r\n";
    const BINARY: u8 = 0x2;
    const CONTINUATION: u8 = 0x0;
    const PING: u8 = 0x9;

    fn frame(first: u8, length: usize) -> Vec<u8> {
        let mut bytes = vec![first];
        match length {
            0..=125 => bytes.push(MASK_BIT | u8::try_from(length).expect("short")),
            126..=0xffff => {
                bytes.push(MASK_BIT | 0x7e);
                bytes.extend(u16::try_from(length).expect("short").to_be_bytes());
            }
            _ => {
                bytes.push(MASK_BIT | 0x7f);
                bytes.extend((length as u64).to_be_bytes());
            }
        }
        bytes.extend([1, 2, 3, 4]);
        bytes.extend(vec![0x81; length.min(1 << 20)]);
        bytes
    }

    #[track_caller]
    fn check(parts: &[&[u8]], expected: Option<Fault>) {
        let whole = parts.concat();
        for size in [1, 2, 3, 7, 1_000, whole.len()] {
            let mut frames = Frames::new(1_000);
            for bytes in whole.chunks(size) {
                frames.feed(bytes);
            }
            assert_eq!(frames.fault(), expected, "in pieces of {size}");
        }
    }

    #[test]
    fn messages_within_the_limit_pass() {
        let last = FINAL_BIT | BINARY;
        let ping = frame(FINAL_BIT | PING, 125);
        check(&[HEAD], None);
        check(&[HEAD, &frame(last, 0), &frame(last, 125), &frame(last, 126)], None);
        check(&[HEAD, &frame(last, 1_000), &ping, &frame(last, 1_000)], None);
        let (start, end) = (frame(BINARY, 500), frame(FINAL_BIT | CONTINUATION, 500));
        check(&[HEAD, &start, &ping, &end, &start, &end], None);
    }

    #[test]
    fn a_message_beyond_the_limit_is_seen_in_its_header() {
        let last = FINAL_BIT | BINARY;
        check(&[HEAD, &frame(last, 1_001)[..4]], None);
        check(&[HEAD, &frame(last, 1_001)[..8]], Some(Fault::TooLong));
        check(&[HEAD, &frame(last, 32 << 20)[..14]], Some(Fault::TooLong));
        check(&[HEAD, &frame(last, usize::MAX)[..14]], Some(Fault::TooLong));
        let (start, more) = (frame(BINARY, 600), frame(CONTINUATION, 401));
        check(&[HEAD, &start, &more], Some(Fault::TooLong));
        check(&[HEAD, &frame(FINAL_BIT | PING, 1_000)], Some(Fault::TooLong));
    }

    #[test]
    fn no_head_hides_a_frame() {
        let long = frame(FINAL_BIT | BINARY, 5_000);
        check(&[b"GET / HTTP/1.1\nhost: x\n\n", &long], Some(Fault::TooLong));
        check(&[b"GET / HTTP/1.1\r\nhost: x\n\r\n", &long], Some(Fault::TooLong));
        check(&[b"\r\n\r\nGET / HTTP/1.1\r\n\r\n", &long], Some(Fault::Head));
        check(&[b"GET / HTTP/1.1\r\nhost: x\r\n", b"a: b"], Some(Fault::Head));
    }

    proptest::proptest! {
        #[test]
        fn any_bytes_in_any_pieces_give_the_same(
            bytes in proptest::collection::vec(proptest::prelude::any::<u8>(), 0..200),
            at in 0_usize..200,
        ) {
            let whole = [HEAD, &bytes].concat();
            let (mut once, mut twice) = (Frames::new(1_000), Frames::new(1_000));
            once.feed(&whole);
            let (left, right) = whole.split_at(at.min(whole.len()));
            twice.feed(left);
            twice.feed(right);
            assert_eq!(once.fault(), twice.fault());
        }
    }
}
