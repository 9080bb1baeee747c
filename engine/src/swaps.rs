//! What becomes of a database's sockets when its module is replaced: they end before, and none
//! opens meanwhile.
//!
//! The engine goes on answering a socket that was opened before a publish with the module that is
//! gone ("no such module"), and never forgets its subscriptions, for as long as the socket lives.
//! So a publish first ends the sockets, and clients reconnect to the new module at once.
//! Keeps true: no socket lives through a publish of its database, by whatever name it was opened.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use spacetimedb::Identity;
use tokio::sync::{OwnedRwLockReadGuard, OwnedRwLockWriteGuard, RwLock};
use tokio_util::sync::CancellationToken;

/// One database's door.
#[derive(Debug, Clone, Default)]
struct Door {
    /// Read while a socket opens, written while a module is replaced.
    lock: Arc<RwLock<()>>,
    /// Cancelled when the sockets that hold it must end.
    sockets: CancellationToken,
}

/// The databases with sockets.
#[derive(Debug, Default)]
pub(crate) struct Swaps(Mutex<BTreeMap<Identity, Door>>);

/// A socket may open while this is held.
pub(crate) struct Opening {
    /// Ends it.
    pub(crate) end: CancellationToken,
    _held: OwnedRwLockReadGuard<()>,
}

/// No socket opens while this is held.
pub(crate) struct Closed(#[expect(dead_code, reason = "held")] OwnedRwLockWriteGuard<()>);

impl Swaps {
    /// Waits until no module of the database is being replaced.
    pub(crate) async fn open(&self, database: Identity) -> Opening {
        let lock = self.door(database).lock;
        let held = lock.read_owned().await;
        // Only now: a publish that was waited for has put a new token there.
        Opening { end: self.door(database).sockets, _held: held }
    }

    /// Ends the database's sockets and keeps new ones out.
    pub(crate) async fn close(&self, database: Identity) -> Closed {
        let held = self.door(database).lock.write_owned().await;
        self.end(database);
        Closed(held)
    }

    /// Ends the database's sockets.
    pub(crate) fn end(&self, database: Identity) {
        if let Some(door) = self.doors().get_mut(&database) {
            std::mem::take(&mut door.sockets).cancel();
        }
    }

    fn door(&self, database: Identity) -> Door {
        self.doors().entry(database).or_default().clone()
    }

    fn doors(&self) -> MutexGuard<'_, BTreeMap<Identity, Door>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use futures::FutureExt as _;

    #[tokio::test]
    async fn a_publish_ends_the_sockets_of_its_database_alone() {
        let (swaps, [one, other]) =
            (Swaps::default(), [1, 2].map(|n| Identity::from_byte_array([n; 32])));
        let (its, others) = (swaps.open(one).await.end, swaps.open(other).await.end);
        drop(swaps.close(one).await);
        assert!(its.is_cancelled() && !others.is_cancelled());
        swaps.end(other);
        assert!(others.is_cancelled());
    }

    #[tokio::test]
    async fn no_socket_opens_during_a_publish_and_the_next_one_is_left_alone() {
        let (swaps, database) = (Swaps::default(), Identity::ZERO);
        let closed = swaps.close(database).await;
        assert!(swaps.open(database).now_or_never().is_none());
        assert!(swaps.open(Identity::ONE).now_or_never().is_some());
        drop(closed);
        assert!(!swaps.open(database).await.end.is_cancelled());
    }

    #[tokio::test]
    async fn a_publish_waits_for_a_socket_that_opens_and_ends_it() {
        let (swaps, database) = (Swaps::default(), Identity::ZERO);
        let opening = swaps.open(database).await;
        assert!(swaps.close(database).now_or_never().is_none());
        let end = opening.end.clone();
        drop(opening);
        drop(swaps.close(database).await);
        assert!(end.is_cancelled());
    }
}
