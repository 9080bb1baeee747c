//! The realms: their list, the links to their databases, and the task that looks after them.
//!
//! Keeps true: the list is always the home database's, never a copy; a new realm gets a link by
//! itself; a realm that answers has a heartbeat. Who loses a session loses his admissions in
//! every realm, also in one that is away just now, as long as the admission could be used.

use std::{
    collections::{BTreeMap, HashMap},
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, Instant},
};

use futures_util::{StreamExt, future::join_all, stream};
use haven_rules::realms::RealmError;
use serde::Serialize;
use spacetimedb_lib::Timestamp;
use tokio::sync::Semaphore;
use utoipa::ToSchema;

use crate::{
    config::GatewayConfig,
    keys::KeyStore,
    problem::Problem,
    stdb::{
        CallError, Filter, Link, LinkConfig, reducers,
        rows::{Realm, RealmPopulation},
    },
};

/// Realms that are looked after at the same time.
const CONCURRENT: usize = 16;
/// Longest wait for the link of a realm that was just added.
const LINK_WAIT: Duration = Duration::from_secs(2);
/// Pause between rounds until the first one is complete.
const FIRST_ROUNDS: Duration = Duration::from_millis(200);
/// Revocations that may wait for their realm at the same time.
const WAITING_REVOCATIONS: usize = 1_024;
/// First and longest pause between two attempts to revoke.
const REVOKE_PAUSE: (Duration, Duration) = (Duration::from_millis(500), Duration::from_secs(15));

/// Whether a realm can be entered.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub(crate) enum RealmStatus {
    /// It can.
    Open,
    /// Staff has closed it.
    Closed,
    /// No more characters fit into its world.
    Full,
    /// Its database does not answer.
    Offline,
}

/// What is taken back.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Revocation {
    /// What one session was admitted with.
    Session(u64),
    /// What an account was admitted with, except for one session.
    Account {
        /// The account.
        account_id: u64,
        /// The session that goes on.
        keep_session_id: u64,
    },
}

impl Revocation {
    async fn apply(self, link: &Link) -> Result<(), CallError> {
        match self {
            Self::Session(session_id) => reducers::admission_revoke(link, session_id).await,
            Self::Account { account_id, keep_session_id } => {
                reducers::admission_revoke_account(link, account_id, keep_session_id).await
            }
        }
    }
}

/// The realms as one gateway sees them.
pub(crate) struct Realms {
    home: Link,
    keys: Arc<KeyStore>,
    issuer: String,
    call_timeout: Duration,
    uris: BTreeMap<String, String>,
    offline_after: Duration,
    heartbeat_every: Duration,
    /// How long a revocation matters: no admission lasts longer.
    revoke_for: Duration,
    links: Mutex<HashMap<u16, Link>>,
    /// Whether all realms were looked after once.
    settled: AtomicBool,
    waiting: Arc<Semaphore>,
    closed: Arc<AtomicBool>,
}

impl Realms {
    pub(crate) fn new(config: &GatewayConfig, home: Link, keys: Arc<KeyStore>) -> Self {
        let seconds = |seconds: u32| Duration::from_secs(u64::from(seconds));
        Self {
            home,
            keys,
            issuer: config.issuer.clone(),
            call_timeout: config.database_timeout(),
            uris: config.realm_uris.clone(),
            offline_after: seconds(config.realm_offline_seconds),
            heartbeat_every: seconds(config.heartbeat_seconds),
            revoke_for: seconds(config.realm_token_seconds),
            links: Mutex::default(),
            settled: AtomicBool::new(false),
            waiting: Arc::new(Semaphore::new(WAITING_REVOCATIONS)),
            closed: Arc::default(),
        }
    }

    /// The list, by rising number.
    pub(crate) async fn list(&self) -> Result<Vec<Realm>, CallError> {
        // Bounded: staff adds realms by hand.
        let mut realms = self.home.query::<Realm>(Filter::all()).await?;
        realms.sort_unstable_by_key(|realm| realm.realm_id);
        Ok(realms)
    }

    /// One realm of the list.
    ///
    /// # Errors
    /// `realm.unknown`, or why the home database does not answer.
    pub(crate) async fn get(&self, realm_id: u16) -> Result<Realm, Problem> {
        let realm = self.home.query_one::<Realm>(Filter::number("realm_id", realm_id)).await?;
        realm.ok_or_else(|| RealmError::Unknown.into())
    }

    /// What the list says about a realm.
    pub(crate) fn status(&self, realm: &Realm) -> RealmStatus {
        let since = Timestamp::now().duration_since(realm.heartbeat_at);
        if realm.closed {
            RealmStatus::Closed
        } else if since.is_some_and(|since| since > self.offline_after) {
            RealmStatus::Offline
        } else if realm.population >= realm.capacity {
            RealmStatus::Full
        } else {
            RealmStatus::Open
        }
    }

    /// A connected link to a realm's database.
    ///
    /// # Errors
    /// `realm.offline`.
    pub(crate) async fn connected(&self, realm: &Realm) -> Result<Link, Problem> {
        let link = self.link(realm);
        if link.wait_connected(LINK_WAIT).await {
            return Ok(link);
        }
        Err(RealmError::Offline.into())
    }

    /// How many characters are in a realm's world now.
    pub(crate) async fn population(&self, link: &Link) -> Result<u32, CallError> {
        let row = link.query_one::<RealmPopulation>(Filter::number("singleton_id", 0u8)).await?;
        Ok(row.map_or(0, |row| row.online))
    }

    /// The link to a realm's database; the home database's own where they are the same.
    fn link(&self, realm: &Realm) -> Link {
        let uri = self.uris.get(&realm.realm_id.to_string()).unwrap_or(&realm.uri);
        let same = |link: &Link| same_host(link.uri(), uri) && link.database() == realm.database;
        if same(&self.home) {
            return self.home.clone();
        }
        let mut links = self.links.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(link) = links.get(&realm.realm_id).filter(|link| same(link)) {
            return link.clone();
        }
        let keys = Arc::clone(&self.keys);
        let mut config = LinkConfig::owner(uri, &realm.database, keys, &self.issuer);
        config.call_timeout = self.call_timeout;
        let link = Link::open(config);
        links.insert(realm.realm_id, link.clone());
        link
    }

    /// The realms with a link of their own, and whether it is up.
    pub(crate) fn links(&self) -> Vec<(u16, bool)> {
        let links = self.links.lock().unwrap_or_else(PoisonError::into_inner);
        let mut states: Vec<_> =
            links.iter().map(|(realm_id, link)| (*realm_id, link.is_connected())).collect();
        states.sort_unstable();
        states
    }

    /// Whether every realm was looked after since the gateway started.
    pub(crate) fn settled(&self) -> bool {
        self.settled.load(Ordering::Relaxed)
    }

    /// Looks after the realms until the task is aborted.
    pub(crate) async fn look_after(self: Arc<Self>) {
        // Asked any sooner, the first round only fails, and everybody waits for the second.
        self.home.wait_connected(LINK_WAIT).await;
        loop {
            let began = Instant::now();
            if let Err(error) = self.round().await {
                tracing::debug!(%error, "the realm list cannot be read");
            } else {
                self.settled.store(true, Ordering::Relaxed);
            }
            let every = if self.settled() { self.heartbeat_every } else { FIRST_ROUNDS };
            tokio::time::sleep(every.saturating_sub(began.elapsed())).await;
        }
    }

    async fn round(&self) -> Result<(), CallError> {
        let realms = self.list().await?;
        self.forget_links(&realms);
        stream::iter(&realms)
            .for_each_concurrent(CONCURRENT, |realm| async move {
                if let Err(error) = self.heartbeat(realm).await {
                    tracing::debug!(realm_id = realm.realm_id, %error, "no heartbeat");
                }
            })
            .await;
        Ok(())
    }

    async fn heartbeat(&self, realm: &Realm) -> Result<(), CallError> {
        let link = self.link(realm);
        if !link.wait_connected(LINK_WAIT).await {
            return Err(CallError::Unavailable);
        }
        let population = self.population(&link).await?;
        reducers::realm_heartbeat(&self.home, realm.realm_id, population).await
    }

    /// Closes the links of realms that are no longer listed.
    fn forget_links(&self, realms: &[Realm]) {
        let listed = |realm_id: u16| realms.iter().any(|realm| realm.realm_id == realm_id);
        let mut links = self.links.lock().unwrap_or_else(PoisonError::into_inner);
        links.retain(|realm_id, _| listed(*realm_id));
    }

    /// Takes admissions back in every realm. Those that do not answer are asked again in the
    /// background, until no admission of now can be valid any more.
    pub(crate) async fn revoke_everywhere(&self, revocation: Revocation) {
        let links: Vec<Link> = match self.list().await {
            Ok(realms) => realms.iter().map(|realm| self.link(realm)).collect(),
            Err(_) => self.known_links(),
        };
        self.revoke_in(&links, revocation).await;
    }

    /// Takes admissions back in some realms; else as [`Realms::revoke_everywhere`].
    pub(crate) async fn revoke_in(&self, links: &[Link], revocation: Revocation) {
        let results = join_all(links.iter().map(|link| revocation.apply(link))).await;
        for (link, result) in links.iter().zip(results) {
            let Err(error) = result else { continue };
            let Ok(place) = Arc::clone(&self.waiting).try_acquire_owned() else {
                tracing::error!(database = link.database(), %error, "an admission stays");
                continue;
            };
            let (link, until) = (link.clone(), Instant::now() + self.revoke_for);
            let closed = Arc::clone(&self.closed);
            tokio::spawn(async move {
                revoke_later(&link, revocation, until, &closed).await;
                drop(place);
            });
        }
    }

    fn known_links(&self) -> Vec<Link> {
        let links = self.links.lock().unwrap_or_else(PoisonError::into_inner);
        links.values().cloned().chain([self.home.clone()]).collect()
    }

    /// Closes the links to the realms and gives up what waits for them.
    pub(crate) async fn close(&self) {
        self.closed.store(true, Ordering::Relaxed);
        let links = {
            let mut links = self.links.lock().unwrap_or_else(PoisonError::into_inner);
            std::mem::take(&mut *links)
        };
        join_all(links.values().map(Link::close)).await;
    }
}

async fn revoke_later(link: &Link, revocation: Revocation, until: Instant, closed: &AtomicBool) {
    let mut pause = REVOKE_PAUSE.0;
    while Instant::now() < until && !closed.load(Ordering::Relaxed) {
        tokio::time::sleep(pause).await;
        pause = (pause * 2).min(REVOKE_PAUSE.1);
        match revocation.apply(link).await {
            Ok(()) => return,
            Err(error) => tracing::debug!(database = link.database(), %error, "not revoked yet"),
        }
    }
    tracing::warn!(database = link.database(), "an admission ended by its time only");
}

/// Whether two addresses are written the same, but for a slash at the end.
fn same_host(one: &str, other: &str) -> bool {
    one.trim_end_matches('/').eq_ignore_ascii_case(other.trim_end_matches('/'))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::app::tests::config_without_database;

    fn realm(change: impl FnOnce(&mut Realm)) -> Realm {
        let mut realm = Realm {
            realm_id: 1,
            closed: false,
            capacity: 10,
            population: 0,
            name: "Haven".to_owned(),
            uri: "http://127.0.0.1:1/".to_owned(),
            database: "haven".to_owned(),
            created_at: Timestamp::now(),
            heartbeat_at: Timestamp::now(),
        };
        change(&mut realm);
        realm
    }

    fn realms() -> (tempfile::TempDir, Realms) {
        let (dir, config) = config_without_database();
        let keys = Arc::new(KeyStore::open_or_create(&config.keys_dir).expect("keys"));
        let (uri, database) = (&config.home_uri, &config.home_database);
        let home = Link::open(LinkConfig::owner(uri, database, Arc::clone(&keys), "haven"));
        (dir, Realms::new(&config, home, keys))
    }

    #[tokio::test]
    async fn a_realms_status_is_closed_then_offline_then_full() {
        let (_dir, realms) = realms();
        let check = |realm: &Realm, status| assert_eq!(realms.status(realm), status);
        check(&realm(|_| ()), RealmStatus::Open);
        check(&realm(|realm| realm.population = 10), RealmStatus::Full);
        let long_ago = Timestamp::UNIX_EPOCH;
        let offline = |realm: &mut Realm| {
            realm.population = 10;
            realm.heartbeat_at = long_ago;
        };
        check(&realm(offline), RealmStatus::Offline);
        let closed = |realm: &mut Realm| {
            realm.closed = true;
            realm.heartbeat_at = long_ago;
        };
        check(&realm(closed), RealmStatus::Closed);
    }

    #[tokio::test]
    async fn the_home_database_is_linked_once() {
        let (_dir, realms) = realms();
        let home = realm(|_| ());
        assert_eq!(realms.link(&home).uri(), realms.home.uri());
        assert!(realms.links().is_empty());
        let other = realm(|realm| {
            realm.realm_id = 2;
            realm.database = "other".to_owned();
        });
        assert_eq!(realms.link(&other).database(), "other");
        assert_eq!(realms.links(), [(2, false)]);
        realms.forget_links(&[home]);
        assert!(realms.links().is_empty());
    }
}
