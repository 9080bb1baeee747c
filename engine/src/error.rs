//! What can go wrong with the engine, one clear line each.
//!
//! Keeps true: a user who reads the line knows what to do; the cause stays available as `source`.
//! Leaves out on purpose: refusals of requests, which are `guard::Refusal`.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

/// Why the engine did not start, stop, publish or generate.
#[derive(Debug, thiserror::Error)]
pub enum EngineError {
    /// Something else listens there already.
    #[error("{0} is taken: another program listens there; choose another address")]
    PortTaken(SocketAddr),
    /// Another engine, in this process or another, works on this directory.
    #[error("{path} is in use by another engine{}; stop it first or choose another directory",
        .pid.map(|pid| format!(" (process {pid})")).unwrap_or_default())]
    DataDirInUse {
        /// The directory that was asked for.
        path: PathBuf,
        /// The process that holds it, when it told.
        pid: Option<u32>,
    },
    /// Not called from a multi-threaded tokio runtime.
    #[error("the engine needs a multi-threaded tokio runtime")]
    Runtime,
    /// A file or folder of the engine could not be read or written.
    #[error("{path}: {source}")]
    Io {
        /// The file or folder.
        path: PathBuf,
        /// What the operating system said.
        source: std::io::Error,
    },
    /// The address could not be listened on, for another reason than being taken.
    #[error("cannot listen on {addr}: {source}")]
    Listen {
        /// The address that was asked for.
        addr: SocketAddr,
        /// What the operating system said.
        source: std::io::Error,
    },
    /// The data directory was written by another release of the engine or is damaged.
    #[error("the engine's data in {path} cannot be used: {reason}")]
    DataDirUnusable {
        /// The directory that was asked for.
        path: PathBuf,
        /// What is wrong with it.
        reason: String,
    },
    /// A database's commit log was changed from outside; nothing was started.
    #[error(
        "the log of the database {database} is damaged: {path} cannot be read from byte \
        {byte} on; its last good transaction is {last_good}; nothing was changed; restore a \
        backup with `haven backup restore BACKUP_DIR --data-dir NEW_DIR`"
    )]
    LogDamaged {
        /// The database's name and identity.
        database: String,
        /// The segment.
        path: PathBuf,
        /// Where reading it ends.
        byte: u64,
        /// Offset and time of the transaction before that.
        last_good: String,
    },
    /// The engine could not make its own signing key.
    #[error("the engine could not make its key pair: {0}")]
    Keys(String),
    /// `stop` gave up waiting; what was acknowledged may not be on disk.
    #[error("the engine did not finish writing within {0:?}")]
    NotWritten(Duration),
    /// The server that was published to cannot be reached.
    #[error("no SpacetimeDB answers at {uri}: {reason}")]
    Unreachable {
        /// Where it was expected.
        uri: String,
        /// What the network said.
        reason: String,
    },
    /// The server refused the module.
    #[error("the database {database} was not published: {status} {reason}")]
    PublishRefused {
        /// The database's name.
        database: String,
        /// The HTTP status.
        status: u16,
        /// What the server said.
        reason: String,
    },
    /// The bytes are not a module that this engine can load.
    #[error("the module cannot be read: {0}")]
    Module(String),
}

impl EngineError {
    /// An [`EngineError::Io`] about `path`.
    pub(crate) fn io(path: impl Into<PathBuf>) -> impl FnOnce(std::io::Error) -> Self {
        let path = path.into();
        move |source| Self::Io { path, source }
    }
}
