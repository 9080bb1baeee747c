//! The messages of a client: what it sends, made once, and what it tells answers apart by.
//!
//! Keeps true: what is sent is what `spacetimedb-client-api-messages` reads; the queries are those
//! of the SDK, letter by letter, so that the engine evaluates each once for everybody. Answers are
//! told apart by their first bytes, because reading them whole would cost more than sending them.

use bytes::Bytes;
use spacetimedb_client_api_messages::websocket::{
    CallReducer, CallReducerFlags, ClientMessage, QueryId, SERVER_MSG_COMPRESSION_TAG_NONE,
    SubscribeMulti,
};
use spacetimedb_lib::bsatn;
use spacetimedb_lib::ser::Serialize;
use tokio_tungstenite::tungstenite::protocol::frame::Frame;
use tokio_tungstenite::tungstenite::protocol::frame::coding::{Data, OpCode};

/// How many bytes of a message [`Answer::read`] needs.
pub(in crate::bench) const HEAD_BYTES: usize = 256;
/// Courses a walker takes in turn. Each is 135° from the one before, so that its way is a star
/// around the place where it began; and each says which of eight inputs made it.
pub(in crate::bench) const COURSES: u32 = 8;
/// Directions at every 45°, anticlockwise from the east.
const DIRECTIONS: [(i16, i16); 8] = [
    (1_000, 0),
    (707, 707),
    (0, 1_000),
    (-707, 707),
    (-1_000, 0),
    (-707, -707),
    (0, -1_000),
    (707, -707),
];
/// The tables a player watches block by block.
const BLOCK_TABLES: [&str; 3] = ["motion", "entity", "obstacle"];

/// What a message of the server is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::bench) enum Answer {
    /// The database has let the caller in.
    Welcome,
    /// Rows that changed, by the caller's own call or another's.
    Update,
    /// A call of the caller's was refused, and why.
    Refused(String),
    /// The queries that were asked for are watched.
    Watched,
    /// The queries that were asked for are not watched.
    NotWatched,
    /// Nothing that a client asked for.
    Other,
}

impl Answer {
    /// Reads the beginning of a message, [`HEAD_BYTES`] or all of it.
    pub(in crate::bench) fn read(head: &[u8]) -> Self {
        // Compression, variant of `ServerMessage`, and for updates that of `UpdateStatus`.
        match head {
            [SERVER_MSG_COMPRESSION_TAG_NONE, 1, 1, text @ ..] => Self::Refused(text_of(text)),
            [SERVER_MSG_COMPRESSION_TAG_NONE, 1 | 2, ..] => Self::Update,
            [SERVER_MSG_COMPRESSION_TAG_NONE, 3, ..] => Self::Welcome,
            [SERVER_MSG_COMPRESSION_TAG_NONE, 7, ..] => Self::NotWatched,
            [SERVER_MSG_COMPRESSION_TAG_NONE, 8, ..] => Self::Watched,
            _ => Self::Other,
        }
    }
}

fn text_of(encoded: &[u8]) -> String {
    let text = encoded.get(4..).unwrap_or_default();
    String::from_utf8_lossy(text).into_owned()
}

/// The frame that brings a character into the world. Its outcome is answered.
pub(in crate::bench) fn character_enter(character_id: u64) -> Bytes {
    call("character_enter", &encode(&character_id), CallReducerFlags::FullUpdate)
}

/// The frame of a walker's input by its number. No outcome is sent but in the update it causes.
pub(in crate::bench) fn course_set(number: u32) -> Bytes {
    let (dx, dy) = DIRECTIONS[(number * 3 % COURSES) as usize];
    let args = [encode(&dx), encode(&dy), encode(&false)].concat();
    call("course_set", &args, CallReducerFlags::NoSuccessNotify)
}

/// The number of the input behind a velocity, less multiples of [`COURSES`]; none while standing.
pub(in crate::bench) fn course_of(vel_x: i32, vel_y: i32) -> Option<u32> {
    if (vel_x, vel_y) == (0, 0) {
        return None;
    }
    let (x, y) = (f64::from(vel_x), f64::from(vel_y));
    let eighths = y.atan2(x) / std::f64::consts::FRAC_PI_4;
    // 3 × 3 is 1 modulo 8: tripling undoes the tripling of `course_set`.
    (0..COURSES).find(|number| {
        let turned = (eighths - f64::from(number * 3 % COURSES)).rem_euclid(f64::from(COURSES));
        turned.min(f64::from(COURSES) - turned) < 0.5
    })
}

/// The frame that watches blocks.
pub(in crate::bench) fn watch(chunks: &[u64]) -> Bytes {
    let query = |chunk: &u64, table: &str| -> Box<str> {
        format!("SELECT * FROM {table} WHERE chunk_index = {chunk}").into()
    };
    let of_block = |chunk| BLOCK_TABLES.iter().map(move |table| query(chunk, table));
    framed(&ClientMessage::SubscribeMulti(SubscribeMulti {
        query_strings: chunks.iter().flat_map(of_block).collect(),
        request_id: 1,
        query_id: QueryId::new(1),
    }))
}

pub(in crate::bench) fn call(reducer: &str, args: &[u8], flags: CallReducerFlags) -> Bytes {
    let args = Bytes::copy_from_slice(args);
    framed(&ClientMessage::CallReducer(CallReducer {
        reducer: reducer.into(),
        args,
        request_id: 1,
        flags,
    }))
}

pub(in crate::bench) fn encode(value: &impl Serialize) -> Vec<u8> {
    bsatn::to_vec(value).expect("invariant: writing to memory does not fail")
}

pub(in crate::bench) fn framed(message: &ClientMessage<Bytes>) -> Bytes {
    masked(OpCode::Data(Data::Binary), &encode(message))
}

/// A whole frame of a client. The mask is the same in all: it hides nothing (RFC 6455, 10.3), and
/// so a frame can be sent many times.
pub(in crate::bench) fn masked(opcode: OpCode, payload: &[u8]) -> Bytes {
    let mut frame = Frame::message(Bytes::copy_from_slice(payload), opcode, true);
    frame.header_mut().mask = Some([0x4d, 0x61, 0x73, 0x6b]);
    let mut bytes = Vec::with_capacity(payload.len() + 14);
    frame.format(&mut bytes).expect("invariant: writing to memory does not fail");
    bytes.into()
}

#[cfg(test)]
mod tests {
    use super::*;
    use spacetimedb_client_api_messages::websocket::{
        BsatnFormat, DatabaseUpdate, IdentityToken, ServerMessage, SubscribeMultiApplied,
        SubscriptionError, TransactionUpdateLight,
    };
    use spacetimedb_lib::{ConnectionId, Identity};
    use std::io::Cursor;
    use tokio_tungstenite::tungstenite::protocol::frame::FrameHeader;

    /// What the server reads of a frame.
    fn decoded(frame: &Bytes) -> ClientMessage<Bytes> {
        let mut cursor = Cursor::new(frame);
        let (header, length) = FrameHeader::parse(&mut cursor).expect("valid").expect("whole");
        let begin = usize::try_from(cursor.position()).expect("small");
        let mask = header.mask.expect("clients mask");
        let payload: Vec<u8> =
            frame[begin..].iter().zip(mask.iter().cycle()).map(|(byte, key)| byte ^ key).collect();
        assert_eq!(payload.len() as u64, length);
        bsatn::from_slice(&payload).expect("a client's message")
    }

    #[test]
    fn a_call_is_what_the_server_reads() {
        let ClientMessage::CallReducer(call) = decoded(&course_set(1)) else {
            panic!("a call");
        };
        assert_eq!(&*call.reducer, "course_set");
        assert!(matches!(call.flags, CallReducerFlags::NoSuccessNotify));
        let (dx, dy) = ((-707_i16).to_le_bytes(), 707_i16.to_le_bytes());
        assert_eq!(*call.args, [dx[0], dx[1], dy[0], dy[1], 0]);
        let ClientMessage::CallReducer(call) = decoded(&character_enter(7)) else {
            panic!("a call");
        };
        assert_eq!(*call.args, [7, 0, 0, 0, 0, 0, 0, 0]);
        assert!(matches!(call.flags, CallReducerFlags::FullUpdate));
    }

    #[test]
    fn blocks_are_watched_by_equality() {
        let ClientMessage::SubscribeMulti(subscribe) = decoded(&watch(&[5, 6])) else {
            panic!("a subscription");
        };
        let queries = subscribe.query_strings;
        assert_eq!(queries.len(), 6);
        assert_eq!(&*queries[3], "SELECT * FROM motion WHERE chunk_index = 6");
    }

    #[test]
    fn an_input_is_told_by_its_direction() {
        for number in 0..20 {
            let (dx, dy) = DIRECTIONS[(number * 3 % COURSES) as usize];
            let (dx, dy) = (i32::from(dx), i32::from(dy));
            // As walking speed may round it.
            for (vel_x, vel_y) in [(dx, dy), (dx * 9 / 5 + 1, dy * 9 / 5 - 1), (dx / 90, dy / 90)] {
                assert_eq!(course_of(vel_x, vel_y), Some(number % COURSES), "{number}");
            }
        }
        assert_eq!(course_of(0, 0), None);
        let steps = (0..COURSES).map(|number| DIRECTIONS[(number * 3 % COURSES) as usize]);
        let ends_at = steps.fold((0, 0), |(x, y), (dx, dy)| (x + dx, y + dy));
        assert_eq!(ends_at, (0, 0), "a star ends where it began");
    }

    fn head(message: &ServerMessage<BsatnFormat>) -> Vec<u8> {
        let mut bytes = vec![SERVER_MSG_COMPRESSION_TAG_NONE];
        bytes.extend(encode(message));
        bytes
    }

    #[test]
    fn answers_are_told_apart_by_their_first_bytes() {
        let (request_id, total_host_execution_duration_micros) = (1, 2);
        let query_id = QueryId::new(1);
        let welcome = ServerMessage::IdentityToken(IdentityToken {
            identity: Identity::ZERO,
            token: "t".into(),
            connection_id: ConnectionId::ZERO,
        });
        let update = || DatabaseUpdate { tables: vec![] };
        let light = TransactionUpdateLight { request_id, update: update() };
        let watched = SubscribeMultiApplied {
            request_id,
            total_host_execution_duration_micros,
            query_id,
            update: update(),
        };
        let not_watched = SubscriptionError {
            total_host_execution_duration_micros,
            request_id: Some(1),
            query_id: Some(1),
            table_id: None,
            error: "no".into(),
        };
        for (message, expected) in [
            (welcome, Answer::Welcome),
            (ServerMessage::TransactionUpdateLight(light), Answer::Update),
            (ServerMessage::SubscribeMultiApplied(watched), Answer::Watched),
            (ServerMessage::SubscriptionError(not_watched), Answer::NotWatched),
        ] {
            assert_eq!(Answer::read(&head(&message)), expected);
        }
        let refused = b"\0\x01\x01\x02\0\0\0no";
        assert_eq!(Answer::read(refused), Answer::Refused("no".to_owned()));
        assert_eq!(Answer::read(b"\0\x01\0"), Answer::Update);
        assert_eq!(Answer::read(b""), Answer::Other);
    }
}
