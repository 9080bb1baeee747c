//! The owner's own socket: it watches a table and hears of every run of a reducer that changed it.
//!
//! Keeps true: the socket is always read, so that no run is lost and the server never waits; how
//! long a run took is the engine's own word. The gateway's link is not asked, because it keeps
//! neither rows nor times.

use std::time::Duration;

use anyhow::{Context, anyhow, bail, ensure};
use bytes::Bytes;
use futures::{SinkExt, StreamExt};
use haven_gateway::tokens::owner_token;
use spacetimedb_client_api_messages::websocket::{
    BIN_PROTOCOL, BsatnFormat, BsatnRowList, ClientMessage, CompressableQueryUpdate, OneOffQuery,
    SERVER_MSG_COMPRESSION_TAG_NONE, ServerMessage, Subscribe, TransactionUpdate, UpdateStatus,
};
use spacetimedb_lib::bsatn;
use tokio::net::TcpStream;
use tokio::sync::mpsc;
use tokio::sync::mpsc::error::TryRecvError;
use tokio::task::JoinHandle;
use tokio::time::timeout;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::tungstenite::protocol::WebSocketConfig;
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream, connect_async_with_config};

use crate::bench::server::Target;

/// Runs that may wait to be asked for; half an hour of ticks and more.
const RUNS_MAX: usize = 1 << 16;
/// How long an answer may take: a query for a million rows is one.
const ANSWER_TIMEOUT: Duration = Duration::from_mins(2);
/// Lifetime of the socket's token, seconds.
const TOKEN_SECONDS: u64 = 3_600;

pub(crate) type Socket = WebSocketStream<MaybeTlsStream<TcpStream>>;

/// One run of a reducer that changed a watched row.
#[derive(Clone, Debug)]
pub(crate) struct Run {
    pub(crate) reducer: Box<str>,
    /// When it began, microseconds since 1970.
    pub(crate) at_micros: i64,
    /// How long the engine says it took.
    pub(crate) took: Duration,
    /// The row as it stood afterwards, BSATN.
    pub(crate) row: Bytes,
}

/// A watched table; gone with its handle.
#[derive(Debug)]
pub(crate) struct Watch {
    runs: mpsc::Receiver<Run>,
    task: JoinHandle<()>,
}

impl Drop for Watch {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Watch {
    /// Watches a table of a database.
    pub(crate) async fn open(target: &Target, database: &str, table: &str) -> anyhow::Result<Self> {
        let mut socket = connect(target, database).await?;
        let query_strings = [format!("SELECT * FROM {table}").into()].into();
        send(&mut socket, ClientMessage::Subscribe(Subscribe { query_strings, request_id: 1 }))
            .await?;
        loop {
            match receive(&mut socket).await? {
                ServerMessage::InitialSubscription(_) => break,
                ServerMessage::SubscriptionError(refused) => bail!("{}", refused.error),
                _ => {}
            }
        }
        let (sender, runs) = mpsc::channel(RUNS_MAX);
        let task = tokio::spawn(async move {
            while let Ok(message) = hear(&mut socket).await {
                let ServerMessage::TransactionUpdate(update) = message else { continue };
                if let Some(run) = run_of(update)
                    && sender.send(run).await.is_err()
                {
                    return;
                }
            }
        });
        Ok(Self { runs, task })
    }

    /// The runs since this was last asked.
    pub(crate) fn heard(&mut self) -> anyhow::Result<Vec<Run>> {
        let mut runs = Vec::new();
        loop {
            match self.runs.try_recv() {
                Ok(run) => runs.push(run),
                Err(TryRecvError::Empty) => return Ok(runs),
                Err(TryRecvError::Disconnected) => bail!("the server closed the connection"),
            }
        }
    }

    /// The next run.
    pub(crate) async fn next(&mut self) -> anyhow::Result<Run> {
        let run = timeout(ANSWER_TIMEOUT, self.runs.recv()).await.context("no run in time")?;
        run.context("the server closed the connection")
    }
}

/// All rows of a table, BSATN.
pub(crate) async fn rows(
    target: &Target,
    database: &str,
    table: &str,
) -> anyhow::Result<BsatnRowList> {
    let mut socket = connect(target, database).await?;
    let query_string = format!("SELECT * FROM {table}").into();
    let query = OneOffQuery { message_id: [1].into(), query_string };
    send(&mut socket, ClientMessage::OneOffQuery(query)).await?;
    loop {
        if let ServerMessage::OneOffQueryResponse(response) = receive(&mut socket).await? {
            if let Some(error) = response.error {
                bail!("{table} cannot be read: {error}");
            }
            let table = response.tables.into_iter().next();
            return Ok(table.map(|table| table.rows).unwrap_or_default());
        }
    }
}

/// Opens a socket that is told everything about each run, not its rows alone.
pub(crate) async fn connect(target: &Target, database: &str) -> anyhow::Result<Socket> {
    let address = target.uri.trim_start_matches("http://");
    let address = format!("ws://{address}/v1/database/{database}/subscribe?compression=None");
    let mut request = address.into_client_request()?;
    let token = owner_token(&target.keys, &target.issuer, TOKEN_SECONDS)?;
    let headers = request.headers_mut();
    headers.insert("authorization", format!("Bearer {token}").parse()?);
    headers.insert("sec-websocket-protocol", BIN_PROTOCOL.parse()?);
    let config = WebSocketConfig::default().max_message_size(None).max_frame_size(None);
    let connected = connect_async_with_config(request, Some(config), true);
    let (mut socket, _) = timeout(ANSWER_TIMEOUT, connected).await.context("no connection")??;
    let first = receive(&mut socket).await?;
    ensure!(matches!(first, ServerMessage::IdentityToken(_)), "the server did not say welcome");
    Ok(socket)
}

/// Sends a message.
pub(crate) async fn send(socket: &mut Socket, message: ClientMessage<Bytes>) -> anyhow::Result<()> {
    let bytes = bsatn::to_vec(&message).expect("invariant: writing to memory does not fail");
    Ok(socket.send(Message::Binary(bytes.into())).await?)
}

/// The next message, if it comes in time.
pub(crate) async fn receive(socket: &mut Socket) -> anyhow::Result<ServerMessage<BsatnFormat>> {
    timeout(ANSWER_TIMEOUT, hear(socket)).await.context("no answer in time")?
}

/// The next message, however long it takes.
async fn hear(socket: &mut Socket) -> anyhow::Result<ServerMessage<BsatnFormat>> {
    while let Some(message) = socket.next().await {
        let Message::Binary(bytes) = message? else { continue };
        let Some((&SERVER_MSG_COMPRESSION_TAG_NONE, body)) = bytes.split_first() else {
            bail!("a compressed message, though none was asked for");
        };
        return bsatn::from_slice(body).map_err(|error| anyhow!("an unreadable message: {error}"));
    }
    bail!("the server closed the connection")
}

/// What a message says about a run; nothing about one that changed no watched row.
fn run_of(update: TransactionUpdate<BsatnFormat>) -> Option<Run> {
    let UpdateStatus::Committed(changes) = update.status else { return None };
    let changes = changes.tables.into_iter().flat_map(|table| table.updates).next()?;
    let CompressableQueryUpdate::Uncompressed(changes) = changes else { return None };
    let took = update.total_host_execution_duration.to_duration().unwrap_or_default();
    Some(Run {
        reducer: update.reducer_call.reducer_name,
        at_micros: update.timestamp.to_micros_since_unix_epoch(),
        took,
        row: changes.inserts.get(0)?,
    })
}
