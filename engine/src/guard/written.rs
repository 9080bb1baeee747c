//! The written barrier: who asks is answered when everything that was committed is on disk.
//!
//! The engine acknowledges a call when it is committed in memory and syncs its log up to 500 ms
//! later. Whoever must know that what was acknowledged survives asks here. Keeps true: nothing of
//! it reaches the engine; who waits holds a place, of which there are so many in all and so many
//! for each player, and gives it back when he hangs up.
//! Leaves out on purpose: what was asked for. An answer is about a whole database.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use spacetimedb::Identity;

use super::refusal::Refusal;
use super::token::{Caller, Standing};
use crate::places::Places;

/// Longest wait, after which the answer is `guard.not_written`: ten times what a sync that is not
/// held up takes.
const PATIENCE: Duration = Duration::from_secs(5);
/// Most callers that wait at once, on all databases.
const WAITING_MAX: u32 = 4_096;
/// Most callers that wait at once with tokens of one account.
const WAITING_PER_ACCOUNT_MAX: u32 = 16;

/// What knows the databases, and how far they are written.
#[async_trait]
pub(crate) trait Logbook: Send + Sync {
    /// Which database that is, by name or identity; `None` when there is no such name.
    fn identity(&self, database: &str) -> Option<Identity>;

    /// Waits until everything that a database, by name or identity, has committed before this call
    /// is on disk; `false` when it was closed first, `None` when there is no such database.
    async fn written(&self, database: &str) -> Option<bool>;

    /// How often a database was opened again since the start: what it had acknowledged before and
    /// not written is lost then, as after a start.
    fn reopened(&self) -> u32 {
        0
    }
}

/// Those who wait.
pub(super) struct Barrier {
    logbook: Arc<dyn Logbook>,
    all: Places<()>,
    accounts: Places<String>,
    patience: Duration,
}

impl Barrier {
    pub(super) fn new(logbook: Arc<dyn Logbook>) -> Self {
        Self { logbook, all: Places::default(), accounts: Places::default(), patience: PATIENCE }
    }

    /// How often a database was opened again since the start.
    pub(super) fn reopened(&self) -> u32 {
        self.logbook.reopened()
    }

    /// Waits until the database is written, [`PATIENCE`] at most.
    ///
    /// # Errors
    /// In this order: [`Refusal::WaitersTooMany`], [`Refusal::DatabaseUnknown`],
    /// [`Refusal::NotWritten`].
    pub(super) async fn wait(&self, database: &str, caller: &Caller) -> Result<(), Refusal> {
        let all = self.all.take((), WAITING_MAX).ok_or(Refusal::WaitersTooMany)?;
        // Gateways are the owner, and wait for many accounts.
        let of_account = if caller.standing == Standing::Owner {
            None
        } else {
            let place = self.accounts.take(caller.subject.clone(), WAITING_PER_ACCOUNT_MAX);
            Some(place.ok_or(Refusal::WaitersTooMany)?)
        };
        let written = tokio::time::timeout(self.patience, self.logbook.written(database)).await;
        drop((all, of_account));
        match written {
            Ok(Some(true)) => Ok(()),
            Ok(None) => Err(Refusal::DatabaseUnknown),
            Ok(Some(false)) | Err(_) => Err(Refusal::NotWritten),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use futures::FutureExt as _;

    /// A database that is written when the test says so.
    struct Disk(tokio::sync::watch::Receiver<bool>);

    #[async_trait]
    impl Logbook for Disk {
        fn identity(&self, _: &str) -> Option<Identity> {
            None
        }

        async fn written(&self, database: &str) -> Option<bool> {
            if database != "haven" {
                return None;
            }
            Some(self.0.clone().wait_for(|written| *written).await.is_ok())
        }
    }

    fn disk() -> (tokio::sync::watch::Sender<bool>, Barrier) {
        let (sync, written) = tokio::sync::watch::channel(false);
        (sync, Barrier::new(Arc::new(Disk(written))))
    }

    fn caller(subject: &str) -> Caller {
        let standing = match subject {
            "owner" => Standing::Owner,
            _ => Standing::Player(vec!["haven".to_owned()]),
        };
        let (issuer, subject) = ("haven".to_owned(), subject.to_owned());
        Caller { issuer, subject, standing, is_service: false, expires_at_seconds: 0 }
    }

    #[tokio::test]
    async fn who_waits_is_answered_when_all_is_written_and_gives_the_place_back() {
        let (sync, barrier) = disk();
        let (ann, unknown) = (caller("1"), Err(Refusal::DatabaseUnknown));
        assert_eq!(barrier.wait("other", &ann).await, unknown);
        let mut wait = Box::pin(barrier.wait("haven", &ann));
        assert!(wait.as_mut().now_or_never().is_none());
        sync.send_replace(true);
        assert_eq!(wait.await, Ok(()));
        assert_eq!(barrier.wait("haven", &ann).now_or_never(), Some(Ok(())));
        assert_eq!((barrier.all.taken(), barrier.accounts.keys()), (0, 0));
    }

    #[tokio::test]
    async fn a_disk_that_does_not_keep_up_is_not_waited_for_for_ever() {
        let (sync, mut barrier) = disk();
        barrier.patience = Duration::from_millis(1);
        assert_eq!(barrier.wait("haven", &caller("1")).await, Err(Refusal::NotWritten));
        drop(sync);
        let closed = barrier.wait("haven", &caller("1")).now_or_never();
        assert_eq!(closed, Some(Err(Refusal::NotWritten)), "it was closed");
    }

    #[tokio::test]
    async fn an_account_takes_sixteen_places_and_the_owner_takes_what_there_is() {
        let (_sync, barrier) = disk();
        let callers = [caller("1"), caller("2"), caller("owner")];
        let [ann, bob, owner] = [0, 1, 2];
        let too_many = Some(Err(Refusal::WaitersTooMany));
        let mut waits = vec![];
        let mut wait = |who: usize| {
            let mut wait = Box::pin(barrier.wait("haven", &callers[who]));
            let answer = wait.as_mut().now_or_never();
            waits.push(wait);
            answer
        };
        for _ in 0..WAITING_PER_ACCOUNT_MAX {
            assert_eq!(wait(ann), None);
        }
        assert_eq!(wait(ann), too_many);
        assert_eq!(wait(bob), None);
        for _ in 0..WAITING_MAX - WAITING_PER_ACCOUNT_MAX - 1 {
            assert_eq!(wait(owner), None);
        }
        assert_eq!((wait(owner), wait(bob)), (too_many, too_many));
        drop(waits);
        let left = (barrier.all.taken(), barrier.accounts.keys());
        assert_eq!(left, (0, 0), "who hangs up makes room");
    }
}
