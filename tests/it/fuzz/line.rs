//! A WebSocket in BSATN, which sends any bytes and reads what comes as the protocol defines it.
//!
//! Keeps true: whoever waits gets an answer, the end of the connection, or `Silence` in the end.

use crate::support::PATIENCE;
use futures::{SinkExt, StreamExt};
use spacetimedb_client_api_messages::websocket::{
    BsatnFormat, SERVER_MSG_COMPRESSION_TAG_NONE, ServerMessage, UpdateStatus,
};
use spacetimedb_lib::bsatn;
use tokio::net::TcpStream;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream};

/// What came.
pub(super) enum Heard {
    /// A message.
    Message(Box<ServerMessage<BsatnFormat>>),
    /// The end of the connection.
    Closed,
    /// Nothing, for as long as anybody would wait.
    Silence,
    /// Bytes that are no message.
    Nonsense(String),
}

/// What came of a call.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Outcome {
    /// It was done.
    Done,
    /// It was refused, in these words.
    Refused(String),
    /// The connection ended.
    Closed,
    /// What should never happen.
    Broken(String),
}

/// A connection.
pub(super) struct Line {
    socket: WebSocketStream<MaybeTlsStream<TcpStream>>,
}

impl Line {
    /// Connects. None when the database shows the caller out.
    ///
    /// # Errors
    /// What else was wrong.
    pub(super) async fn open(
        uri: &str,
        database: &str,
        token: &str,
    ) -> Result<Option<Self>, String> {
        let host = uri.replacen("http", "ws", 1);
        let url = format!("{host}/v1/database/{database}/subscribe?compression=None");
        let mut request = url.into_client_request().map_err(|error| error.to_string())?;
        let protocol = "v1.bsatn.spacetimedb".parse().expect("a header");
        request.headers_mut().insert("sec-websocket-protocol", protocol);
        let bearer = format!("Bearer {token}").parse().expect("a header");
        request.headers_mut().insert("authorization", bearer);
        let connected = tokio_tungstenite::connect_async(request).await;
        let mut line = Self { socket: connected.map_err(|error| error.to_string())?.0 };
        match line.hear().await {
            Heard::Message(message) if matches!(*message, ServerMessage::IdentityToken(_)) => {
                Ok(Some(line))
            }
            Heard::Message(_) => Err("another message before the welcome".to_owned()),
            Heard::Closed => Ok(None),
            Heard::Silence => Err("no welcome".to_owned()),
            Heard::Nonsense(what) => Err(what),
        }
    }

    /// Sends bytes as a message; nothing happens on a connection that has ended.
    pub(super) async fn send(&mut self, bytes: Vec<u8>) {
        let _ = self.socket.send(Message::binary(bytes)).await;
    }

    /// Sends a message of any other kind.
    pub(super) async fn send_message(&mut self, message: Message) {
        let _ = self.socket.send(message).await;
    }

    /// Waits for what comes next.
    pub(super) async fn hear(&mut self) -> Heard {
        loop {
            let Ok(next) = tokio::time::timeout(PATIENCE, self.socket.next()).await else {
                return Heard::Silence;
            };
            let bytes = match next {
                Some(Ok(Message::Binary(bytes))) => bytes,
                Some(Ok(_)) => continue,
                Some(Err(_)) | None => return Heard::Closed,
            };
            let [SERVER_MSG_COMPRESSION_TAG_NONE, message @ ..] = &bytes[..] else {
                return Heard::Nonsense("a message that is compressed or empty".to_owned());
            };
            return match bsatn::from_slice(message) {
                Ok(message) => Heard::Message(Box::new(message)),
                Err(error) => Heard::Nonsense(format!("a message that cannot be read: {error}")),
            };
        }
    }

    /// Calls a reducer with these bytes, and waits for the outcome. Nothing may be subscribed to.
    pub(super) async fn call(&mut self, reducer: &str, args: &[u8]) -> Outcome {
        self.send(call_message(reducer, args)).await;
        loop {
            match self.hear().await {
                Heard::Message(message) => {
                    if let ServerMessage::TransactionUpdate(update) = *message {
                        return match update.status {
                            UpdateStatus::Committed(_) => Outcome::Done,
                            UpdateStatus::Failed(reason) => Outcome::Refused(reason.into()),
                            UpdateStatus::OutOfEnergy => Outcome::Broken("no energy".to_owned()),
                        };
                    }
                }
                Heard::Closed => return Outcome::Closed,
                Heard::Silence => return Outcome::Broken("no answer".to_owned()),
                Heard::Nonsense(what) => return Outcome::Broken(what),
            }
        }
    }

    /// Ends the connection and waits until the other side has seen it.
    pub(super) async fn close(mut self) {
        let _ = self.socket.close(None).await;
        while !matches!(self.hear().await, Heard::Closed | Heard::Silence) {}
    }
}

/// `CallReducer` in BSATN: its tag, the reducer, the arguments, a request id and no flags.
pub(super) fn call_message(reducer: &str, args: &[u8]) -> Vec<u8> {
    let mut bytes = vec![0];
    for part in [reducer.as_bytes(), args] {
        bytes.extend(length(part.len()));
        bytes.extend(part);
    }
    bytes.extend(7_u32.to_le_bytes());
    bytes.push(0);
    bytes
}

/// A length as it stands before text, bytes and lists.
pub(super) fn length(count: usize) -> [u8; 4] {
    u32::try_from(count).unwrap_or(u32::MAX).to_le_bytes()
}
