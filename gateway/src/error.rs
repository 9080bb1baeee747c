//! Why a gateway could not start, one clear line each.
//!
//! Leaves out what goes wrong while it runs: that is answered to the caller as a `problem`.

use std::{io, net::SocketAddr};

use crate::keys::KeyError;

/// Why a gateway could not start.
#[derive(Debug, thiserror::Error)]
pub enum GatewayError {
    /// A field of the configuration is out of its range.
    #[error("gateway.{field}: {reason}")]
    Config {
        /// The field, as it is written in the configuration.
        field: &'static str,
        /// What is wrong with it.
        reason: String,
    },
    /// Somebody else listens there.
    #[error("{0} is in use by another program")]
    PortTaken(SocketAddr),
    /// The address cannot be listened on for another reason.
    #[error("cannot listen on {addr}: {source}")]
    Listen {
        /// The address asked for.
        addr: SocketAddr,
        /// What the system says.
        source: io::Error,
    },
    /// The signing keys cannot be used.
    #[error(transparent)]
    Keys(#[from] KeyError),
}
