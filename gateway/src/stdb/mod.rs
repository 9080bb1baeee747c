//! A client of one SpacetimeDB database: a WebSocket that calls reducers and reads rows.
//!
//! Keeps true: each call ends with an outcome, at the latest when its time is up; while there is
//! no connection calls fail at once; the connection comes back by itself. Queues are bounded.
//! Leaves out subscriptions: the gateway keeps no state of its own.

mod args;
mod pending;
pub mod reducers;
pub mod rows;
mod socket;
mod sql;
#[cfg(test)]
mod tests;
mod wire;
mod written;

use std::{
    fmt,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use bytes::Bytes;
use spacetimedb_lib::bsatn;
use tokio::{
    sync::{Notify, mpsc, oneshot, watch},
    task::JoinHandle,
    time::timeout,
};

pub use self::{
    args::Args,
    rows::Row,
    sql::{Filter, HEX_DIGITS_MAX, Hex},
};
use crate::{
    keys::{KeyError, KeyStore},
    tokens,
};

/// Requests that may wait for their turn; beyond that callers wait, up to their time limit.
const QUEUE_LENGTH: usize = 512;
/// Lifetime of the owner token of a connection, seconds. A host may close the connection when it
/// ends; the next one brings a new token.
const OWNER_TOKEN_SECONDS: u64 = 3_600;

/// Makes the token of a connection; asked at every (re)connect.
pub type TokenSource = Arc<dyn Fn() -> Result<String, KeyError> + Send + Sync>;

/// Which database, and how.
#[derive(Clone)]
pub struct LinkConfig {
    /// The host, as `http://host:port`.
    pub uri: String,
    /// The name of the database on it.
    pub database: String,
    /// Where the token comes from.
    pub token: TokenSource,
    /// Longest wait for the outcome of a call or a query.
    pub call_timeout: Duration,
}

impl LinkConfig {
    /// A link with the default time limit of 5 seconds.
    pub fn new(uri: &str, database: &str, token: TokenSource) -> Self {
        let (uri, database) = (uri.to_owned(), database.to_owned());
        Self { uri, database, token, call_timeout: Duration::from_secs(5) }
    }

    /// A link of the database's owner, with short-lived tokens signed by these keys.
    pub fn owner(uri: &str, database: &str, keys: Arc<KeyStore>, issuer: &str) -> Self {
        let issuer = issuer.to_owned();
        let token = move || tokens::owner_token(&keys, &issuer, OWNER_TOKEN_SECONDS);
        Self::new(uri, database, Arc::new(token))
    }
}

impl fmt::Debug for LinkConfig {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("LinkConfig")
            .field("uri", &self.uri)
            .field("database", &self.database)
            .finish_non_exhaustive()
    }
}

/// Why a call or a query has no result.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CallError {
    /// The reducer refused, with one of the codes of `haven_rules::errors`.
    #[error("{message}")]
    Refused {
        /// What stands before the colon.
        code: &'static str,
        /// The whole message.
        message: String,
    },
    /// The reducer failed in a way it should not.
    #[error("the database failed: {0}")]
    Broken(String),
    /// There is no connection; nothing was sent.
    #[error("the database cannot be reached")]
    Unavailable,
    /// The connection broke before the outcome came; the call may have been done or not.
    #[error("the connection to the database broke")]
    Lost,
    /// The outcome did not come in time; the call may have been done or not.
    #[error("the database did not answer in time")]
    Timeout,
    /// The call was done, and is not on the host's disk yet.
    #[error("the database's disk does not keep up")]
    NotWritten,
    /// The query was refused, or its rows are not what they should be.
    #[error("a query failed: {0}")]
    Query(String),
}

impl CallError {
    /// The code, if the reducer refused with one.
    pub fn code(&self) -> Option<&'static str> {
        match self {
            Self::Refused { code, .. } => Some(code),
            _ => None,
        }
    }

    /// Reads the message of a reducer.
    fn from_message(message: String) -> Self {
        match haven_rules::errors::code_of(&message) {
            Some(code) => Self::Refused { code, message },
            None => Self::Broken(message),
        }
    }
}

/// What a link is asked to send.
#[derive(Debug)]
pub(crate) enum Request {
    Call { reducer: Box<str>, args: Bytes, reply: pending::CallReply },
    Query { sql: String, reply: pending::QueryReply },
}

impl Request {
    /// Answers without sending.
    fn refuse(self, error: CallError) {
        // Nobody may be waiting any more.
        match self {
            Self::Call { reply, .. } => drop(reply.send(Err(error))),
            Self::Query { reply, .. } => drop(reply.send(Err(error))),
        }
    }

    /// Whether nobody waits for the outcome any more.
    fn is_abandoned(&self) -> bool {
        match self {
            Self::Call { reply, .. } => reply.is_closed(),
            Self::Query { reply, .. } => reply.is_closed(),
        }
    }
}

/// A connection to one database that is kept up. Clones share it; the last one closes it.
#[derive(Clone)]
pub struct Link {
    inner: Arc<Inner>,
}

struct Inner {
    uri: String,
    database: String,
    token: TokenSource,
    requests: mpsc::Sender<Request>,
    connected: watch::Receiver<bool>,
    failure: Arc<Mutex<Option<String>>>,
    stop: Arc<Notify>,
    task: Mutex<Option<JoinHandle<()>>>,
    call_timeout: Duration,
}

impl fmt::Debug for Link {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Link")
            .field("uri", &self.inner.uri)
            .field("database", &self.inner.database)
            .field("connected", &self.is_connected())
            .finish_non_exhaustive()
    }
}

impl Link {
    /// Returns at once and connects in the background. Must be called within a tokio runtime.
    pub fn open(config: LinkConfig) -> Self {
        let (requests, queue) = mpsc::channel(QUEUE_LENGTH);
        let (up, connected) = watch::channel(false);
        let (failure, stop) = (Arc::new(Mutex::new(None)), Arc::new(Notify::new()));
        let (uri, database) = (config.uri.clone(), config.database.clone());
        let (token, call_timeout) = (Arc::clone(&config.token), config.call_timeout);
        let keeper = socket::Keeper {
            config,
            queue,
            up,
            failure: Arc::clone(&failure),
            stop: Arc::clone(&stop),
        };
        let task = Mutex::new(Some(tokio::spawn(keeper.run())));
        Self {
            inner: Arc::new(Inner {
                uri,
                database,
                token,
                requests,
                connected,
                failure,
                stop,
                task,
                call_timeout,
            }),
        }
    }

    /// Calls a reducer and waits for its outcome.
    ///
    /// # Errors
    /// Any [`CallError`] but [`CallError::NotWritten`] and [`CallError::Query`].
    pub async fn call(&self, reducer: &str, args: Args) -> Result<(), CallError> {
        let (reducer, args) = (Box::from(reducer), args.into_bytes());
        self.send(|reply| Request::Call { reducer, args, reply }).await
    }

    /// Reads the rows of a table.
    ///
    /// # Errors
    /// [`CallError::Query`], [`CallError::Unavailable`], [`CallError::Lost`] or
    /// [`CallError::Timeout`].
    pub async fn query<R: Row>(&self, filter: Filter) -> Result<Vec<R>, CallError> {
        let sql = filter.select(R::TABLE);
        let rows = self.send(|reply| Request::Query { sql, reply }).await?;
        let decode = |row: &Bytes| bsatn::from_slice::<R>(row);
        let decoded: Result<Vec<R>, _> = rows.iter().map(decode).collect();
        decoded.map_err(|error| CallError::Query(format!("{}: {error}", R::TABLE)))
    }

    /// As [`Link::query`], for keys that at most one row has.
    ///
    /// # Errors
    /// As [`Link::query`].
    pub async fn query_one<R: Row>(&self, filter: Filter) -> Result<Option<R>, CallError> {
        Ok(self.query(filter).await?.pop())
    }

    async fn send<T>(
        &self,
        request: impl FnOnce(oneshot::Sender<Result<T, CallError>>) -> Request,
    ) -> Result<T, CallError> {
        if !self.is_connected() {
            return Err(CallError::Unavailable);
        }
        let (reply, outcome) = oneshot::channel();
        let exchange = async {
            let queued = self.inner.requests.send(request(reply)).await;
            queued.map_err(|_| CallError::Unavailable)?;
            outcome.await.unwrap_or(Err(CallError::Lost))
        };
        timeout(self.inner.call_timeout, exchange).await.unwrap_or(Err(CallError::Timeout))
    }

    /// Whether there is a connection now.
    pub fn is_connected(&self) -> bool {
        *self.inner.connected.borrow()
    }

    /// Waits for a connection. Returns whether there is one in time.
    pub async fn wait_connected(&self, limit: Duration) -> bool {
        let mut connected = self.inner.connected.clone();
        let up = timeout(limit, connected.wait_for(|up| *up)).await;
        matches!(up, Ok(Ok(_)))
    }

    /// Why the last attempt to connect failed, or the last connection ended.
    pub fn last_failure(&self) -> Option<String> {
        self.inner.failure.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// The host's address.
    pub fn uri(&self) -> &str {
        &self.inner.uri
    }

    /// The database's name.
    pub fn database(&self) -> &str {
        &self.inner.database
    }

    /// Closes the connection for all clones and waits until it is gone, a second at most.
    pub async fn close(&self) {
        self.inner.stop.notify_one();
        let task = self.inner.task.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(mut task) = task
            && timeout(Duration::from_secs(1), &mut task).await.is_err()
        {
            task.abort();
        }
    }
}
