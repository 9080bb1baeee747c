//! What the guard found out about a connection, where the connection's own bytes are metered.
//!
//! Keeps true: a connection is metered from its first byte until the guard knows it for the
//! owner's or a service's; a socket's time ends with its token, and a later token of the same
//! account extends it.

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, OnceLock, PoisonError, Weak};
use std::time::Instant;

use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

use crate::places::Place;

/// One connection, as the listener, the guard and the line itself see it.
#[derive(Debug, Clone, Default)]
pub(crate) struct Pass(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    is_free: AtomicBool,
    is_socket: AtomicBool,
    /// When a socket's time is over; none while it is not one, or has all the time it wants.
    until: watch::Sender<Option<Instant>>,
    swap: OnceLock<CancellationToken>,
    account: OnceLock<Place<String>>,
}

impl Default for Inner {
    fn default() -> Self {
        Self {
            is_free: AtomicBool::new(false),
            is_socket: AtomicBool::new(false),
            until: watch::Sender::new(None),
            swap: OnceLock::new(),
            account: OnceLock::new(),
        }
    }
}

impl Pass {
    /// The connection is the owner's or a service's.
    pub(crate) fn set_free(&self) {
        self.0.is_free.store(true, Ordering::Release);
    }

    /// Whether limits hold for it.
    pub(crate) fn is_metered(&self) -> bool {
        !self.0.is_free.load(Ordering::Acquire)
    }

    /// Whether it is a socket.
    pub(crate) fn is_socket(&self) -> bool {
        self.0.is_socket.load(Ordering::Acquire)
    }

    /// It became a socket: of an account that has this place, if limits hold for it, and until
    /// then; `swap` ends it when its database gets another module.
    pub(crate) fn opened(
        &self,
        swap: CancellationToken,
        account: Option<Place<String>>,
        until: Option<Instant>,
    ) {
        // A connection becomes a socket once; a second time would have nothing to add.
        let _ = self.0.swap.set(swap);
        if let Some(account) = account {
            let _ = self.0.account.set(account);
        }
        self.0.until.send_replace(until);
        self.0.is_socket.store(true, Ordering::Release);
    }

    /// Waits until its database gets a new module; for ever if it is on none.
    pub(crate) async fn swapped(&self) {
        match self.0.swap.get() {
            Some(token) => token.cancelled().await,
            None => std::future::pending().await,
        }
    }

    /// Waits until its time is over; for ever if it has no end.
    pub(crate) async fn ran_out(&self) {
        let mut changes = self.0.until.subscribe();
        loop {
            let until = *changes.borrow_and_update();
            let ended = async {
                match until {
                    Some(until) => tokio::time::sleep_until(until.into()).await,
                    None => std::future::pending().await,
                }
            };
            tokio::select! {
                () = ended => return,
                changed = changes.changed() => if changed.is_err() {
                    return std::future::pending().await;
                },
            }
        }
    }
}

/// The sockets that can be given more time, by account and connection.
#[derive(Debug, Default)]
pub(crate) struct Renewals(Mutex<HashMap<(String, u128), Weak<Inner>>>);

impl Renewals {
    /// Remembers a socket. What was forgotten meanwhile is thrown away when the map has doubled.
    pub(crate) fn add(&self, account: &str, connection: u128, pass: &Pass) {
        let mut sockets = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if sockets.len() == sockets.capacity() {
            sockets.retain(|_, socket| socket.strong_count() > 0);
        }
        sockets.insert((account.to_owned(), connection), Arc::downgrade(&pass.0));
    }

    /// Gives a socket time until then, if that is later; false when there is no such socket.
    pub(crate) fn extend(&self, account: &str, connection: u128, until: Instant) -> bool {
        let sockets = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let socket = sockets.get(&(account.to_owned(), connection)).and_then(Weak::upgrade);
        let Some(socket) = socket else {
            return false;
        };
        socket.until.send_if_modified(|now| {
            let later = now.is_some_and(|now| now < until);
            if later {
                *now = Some(until);
            }
            later
        });
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use futures::FutureExt as _;
    use std::time::Duration;

    #[tokio::test]
    async fn a_later_token_gives_more_time_to_its_own_socket() {
        let (renewals, pass) = (Renewals::default(), Pass::default());
        let start = Instant::now();
        pass.opened(CancellationToken::new(), None, Some(start));
        renewals.add("7", 1, &pass);
        let later = start + Duration::from_millis(200);
        assert!(!renewals.extend("8", 1, later));
        assert!(!renewals.extend("7", 2, later));
        assert!(renewals.extend("7", 1, later));
        assert!(renewals.extend("7", 1, start), "which takes nothing away");
        pass.ran_out().await;
        assert!(start.elapsed() >= Duration::from_millis(200));
        drop(pass);
        assert!(!renewals.extend("7", 1, later));
    }

    #[tokio::test]
    async fn who_is_no_socket_has_no_end() {
        let pass = Pass::default();
        assert!(pass.is_metered() && !pass.is_socket());
        assert!(pass.ran_out().now_or_never().is_none());
        assert!(pass.swapped().now_or_never().is_none());
    }

    #[test]
    fn sockets_that_are_gone_are_forgotten() {
        let renewals = Renewals::default();
        for connection in 0..10_000 {
            renewals.add("7", connection, &Pass::default());
        }
        assert!(renewals.0.lock().expect("whole").len() < 100);
    }
}
