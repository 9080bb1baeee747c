//! The one error of the crate: what was refused, or why there was no answer.
//!
//! Keeps true: every error has a stable code, and a refusal's code is the one the gateway or the
//! reducer gave. Clients branch on the code and show the message.

use haven_rules::errors::code_of;
use std::time::Duration;

/// Codes of the gateway for what may have been done: its own time or that of the database was over,
/// the connection to the database broke, or it is done and not yet on disk.
const DOUBTFUL: [&str; 3] = ["gateway.unavailable", "request.timeout", "gateway.not_written"];

/// Why a call did not succeed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum HavenError {
    /// The gateway or the realm said no.
    #[error("{code}: {message}")]
    Refused {
        /// The stable code, such as `account.email_taken`.
        code: String,
        /// A sentence for people.
        message: String,
        /// The HTTP status; 0 when a reducer refused.
        status: u16,
        /// How long to wait before another try, when the gateway said so.
        retry_after: Option<Duration>,
    },
    /// The gateway or the realm could not be reached, or did not answer.
    #[error("client.unreachable: {0}")]
    Unreachable(String),
    /// The answer made no sense.
    #[error("client.protocol: {0}")]
    Protocol(String),
    /// There is no connection to the realm at the moment; it is being restored.
    #[error("client.disconnected: the realm is not connected")]
    Disconnected,
    /// Another connection of the account plays now; this one is closed.
    #[error("client.taken_over: another connection of the account took over")]
    TakenOver,
    /// The connection to the realm is closed for good.
    #[error("client.closed: the connection to the realm is closed")]
    Closed,
    /// The realm did not answer in time; the call may still take effect.
    #[error("client.timeout: the realm did not answer in time")]
    Timeout,
    /// The gateway's address is not a URL.
    #[error("client.bad_url: {0}")]
    BadUrl(String),
}

impl HavenError {
    /// The stable code to branch on: the refusal's own, or `client.…`.
    pub fn code(&self) -> &str {
        match self {
            Self::Refused { code, .. } => code,
            Self::Unreachable(_) => "client.unreachable",
            Self::Protocol(_) => "client.protocol",
            Self::Disconnected => "client.disconnected",
            Self::TakenOver => "client.taken_over",
            Self::Closed => "client.closed",
            Self::Timeout => "client.timeout",
            Self::BadUrl(_) => "client.bad_url",
        }
    }

    /// The refusal in a reducer's message: `code: sentence`. What is not one of ours, such as a
    /// broken invariant in the module, has the code `realm.failed`.
    pub(crate) fn from_reducer(message: &str) -> Self {
        let refused = |code: &str, message: &str| Self::Refused {
            code: code.to_owned(),
            message: message.to_owned(),
            status: 0,
            retry_after: None,
        };
        match code_of(message) {
            Some(code) => {
                refused(code, message.split_once(':').map_or("", |(_, sentence)| sentence.trim()))
            }
            None => refused("realm.failed", message),
        }
    }

    /// Whether what the gateway was asked for may have been done.
    pub(crate) fn leaves_doubt(&self) -> bool {
        match self {
            Self::Unreachable(_) => true,
            Self::Refused { code, .. } => DOUBTFUL.contains(&code.as_str()),
            _ => false,
        }
    }

    /// Whether the same may be answered otherwise a little later.
    pub(crate) fn may_pass(&self) -> bool {
        matches!(self, Self::Unreachable(_) | Self::Refused { status: 429 | 503, .. })
    }

    /// Whether the session itself is over, so that trying again is of no use.
    pub(crate) fn ends_session(&self) -> bool {
        matches!(self, Self::Refused { status: 401, .. })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use haven_rules::motion::MotionError;

    #[test]
    fn a_reducers_refusal_keeps_its_code() {
        let error = HavenError::from_reducer(&MotionError::GoalBlocked.to_string());
        assert_eq!(error.code(), "motion.goal_blocked");
        assert_eq!(error.to_string(), MotionError::GoalBlocked.to_string());
        let error = HavenError::from_reducer("panicked at 'invariant'");
        assert_eq!(error.code(), "realm.failed");
    }
}
