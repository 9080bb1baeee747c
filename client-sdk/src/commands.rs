//! The numbers of a client's commands.
//!
//! Keeps true: a session draws its number at random, and no two of its commands have the same, in
//! whatever realm; so a command that is sent again is recognised, and a new one never mistaken.

use crate::module_bindings::CommandId;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

/// How commands are sent.
#[derive(Clone, Copy, Debug)]
pub(crate) struct CommandPolicy {
    /// Whether what is done is reported only when it is on disk.
    pub(crate) waits_written: bool,
    /// Longest wait for the result of a command.
    pub(crate) patience: Duration,
}

impl Default for CommandPolicy {
    /// Long enough for a realm that starts anew.
    fn default() -> Self {
        Self { waits_written: true, patience: Duration::from_secs(30) }
    }
}

/// Commands that may be unanswered at once, half of those a realm tells apart
/// (`haven_rules::commands::WINDOW`).
pub(crate) const UNANSWERED_MAX: usize = 32;

/// Where the numbers come from; one for each login.
#[derive(Debug)]
pub(crate) struct Numbers {
    session: u64,
    last: AtomicU64,
}

impl Numbers {
    /// A new session's.
    pub(crate) fn new() -> Self {
        // 0 is no number.
        Self { session: rand::random_range(1..=u64::MAX), last: AtomicU64::new(0) }
    }

    /// The next command's.
    pub(crate) fn next(&self) -> CommandId {
        let sequence = self.last.fetch_add(1, Ordering::Relaxed).wrapping_add(1);
        CommandId { session: self.session, sequence }
    }
}

/// How the gateway wants a command's number in the header `Idempotency-Key`.
pub(crate) fn key_of(command: &CommandId) -> String {
    format!("{}-{}", command.session, command.sequence)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_rise_from_one_within_a_session_of_their_own() {
        let (one, other) = (Numbers::new(), Numbers::new());
        let [first, second] = [one.next(), one.next()];
        assert_eq!((first.sequence, second.sequence), (1, 2));
        assert_eq!(first.session, second.session);
        assert_ne!(first.session, other.next().session);
        assert_ne!(first.session, 0);
        assert_eq!(
            key_of(&CommandId { session: 7, sequence: u64::MAX }),
            format!("7-{}", u64::MAX)
        );
    }
}
