//! What a publish means for a database's sockets: they end before it, and none opens during it.
//!
//! The engine goes on answering a socket that was opened before a publish with the module that is
//! gone ("no such module"), and never forgets its subscriptions, for as long as the socket lives.
//! So a publish first ends the sockets, and clients reconnect to the new module at once.
//! Keeps true: no socket lives through a publish of its database. A publish that fails ends them
//! too: that it fails is known only afterwards.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::{OwnedRwLockReadGuard, OwnedRwLockWriteGuard, RwLock};
use tokio_util::sync::CancellationToken;

/// One database's door.
#[derive(Debug, Clone, Default)]
struct Door {
    /// Read while a socket opens, written while a module is published.
    lock: Arc<RwLock<()>>,
    /// Cancelled when the sockets that hold it must end.
    sockets: CancellationToken,
}

/// The databases with sockets, by what stands in the path: a name, or an identity in hex.
#[derive(Debug, Default)]
pub(crate) struct Swaps(Mutex<BTreeMap<String, Door>>);

/// What a request holds while the engine answers it.
pub(crate) enum Passage {
    /// A socket may open; the token ends it.
    Socket(CancellationToken, #[expect(dead_code, reason = "held")] OwnedRwLockReadGuard<()>),
    /// A module is published.
    Publish(#[expect(dead_code, reason = "held")] OwnedRwLockWriteGuard<()>),
    /// Neither.
    Other,
}

impl Passage {
    /// What ends the socket that may open.
    pub(crate) fn end_of_socket(&self) -> Option<CancellationToken> {
        match self {
            Self::Socket(token, _) => Some(token.clone()),
            Self::Publish(_) | Self::Other => None,
        }
    }
}

impl Swaps {
    /// Waits until no module is being published to the database.
    pub(crate) async fn open(&self, database: &str) -> Passage {
        let lock = self.door(database).lock;
        let held = lock.read_owned().await;
        // Only now: a publish that was waited for has put a new token there.
        Passage::Socket(self.door(database).sockets, held)
    }

    /// Ends the database's sockets and keeps new ones out. Under an identity the name is not known
    /// here, nor the other way round: sockets opened by identity end with every publish, and a
    /// publish by identity ends all.
    pub(crate) async fn publish(&self, database: &str) -> Passage {
        let held = self.door(database).lock.write_owned().await;
        let mut doors = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        for (path, door) in doors.iter_mut() {
            if path == database || is_identity(path) || is_identity(database) {
                door.sockets.cancel();
                door.sockets = CancellationToken::new();
            }
        }
        Passage::Publish(held)
    }

    /// Ends the sockets of all databases: one of them was dropped by the engine and is opened
    /// again.
    pub(crate) fn end_all(&self) {
        let mut doors = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        for door in doors.values_mut() {
            door.sockets.cancel();
            door.sockets = CancellationToken::new();
        }
    }

    fn door(&self, database: &str) -> Door {
        let mut doors = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        doors.entry(database.to_owned()).or_default().clone()
    }
}

fn is_identity(path: &str) -> bool {
    path.len() == 64 && path.bytes().all(|byte| byte.is_ascii_hexdigit())
}

#[cfg(test)]
mod tests {
    use super::*;
    use futures::FutureExt as _;

    async fn open(swaps: &Swaps, database: &str) -> CancellationToken {
        swaps.open(database).await.end_of_socket().expect("a socket")
    }

    async fn check(opened: &str, published: &str, ends: bool) {
        let swaps = Swaps::default();
        let socket = open(&swaps, opened).await;
        drop(swaps.publish(published).await);
        assert_eq!(socket.is_cancelled(), ends, "{opened} {published}");
    }

    #[tokio::test]
    async fn a_publish_ends_the_sockets_of_its_database() {
        let identity = "c2".repeat(32);
        check("haven", "haven", true).await;
        check("haven", "other", false).await;
        check(&identity, "haven", true).await;
        check("haven", &identity, true).await;
    }

    #[tokio::test]
    async fn no_socket_opens_during_a_publish_and_the_next_one_is_left_alone() {
        let swaps = Swaps::default();
        let publish = swaps.publish("haven").await;
        assert!(swaps.open("haven").now_or_never().is_none());
        assert!(swaps.open("other").now_or_never().is_some());
        drop(publish);
        assert!(!open(&swaps, "haven").await.is_cancelled());
    }
}
