//! One connection to a realm's database: the generated bindings, made to fit into one task.
//!
//! Keeps true: what one message of the realm changes is handed out together; at most eight
//! connections are being opened at a time, because opening one blocks a thread; a connection is
//! drained before it is dropped, because the SpacetimeDB SDK's own tasks panic otherwise.
//! Leaves out on purpose: what anything means. What depends on the SDK's release is all here.

mod calls;

use crate::error::HavenError;
use crate::fights::FightChange;
use crate::kept::{self, Report, Topic};
use crate::land::LandChange;
use crate::module_bindings::{
    CombatCastTableAccess, CombatEventTableAccess, CombatantTableAccess, DbConnection,
    EntityTableAccess, InstancePassTableAccess, LandmarkTableAccess, MotionTableAccess,
    ObstacleTableAccess, RegionTableAccess, SubscriptionHandle, WorldConfig,
    WorldConfigTableAccess, WorldTerrainTableAccess,
};
use crate::regions::FarChange;
use crate::scene::RowChange;
use crate::wire::Admission;
use crate::written::Disk;
pub(crate) use calls::{Call, Reducer};
use futures_util::FutureExt;
use spacetimedb_sdk::{
    Compression, DbContext, SubscriptionHandle as _, Table, TableWithPrimaryKey,
};
use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::panic::AssertUnwindSafe;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::sync::Semaphore;

/// Connections that may be opened at once; each blocks a thread of the runtime's blocking pool.
static OPENING: Semaphore = Semaphore::const_new(8);
/// Longest wait for a connection to open.
const OPEN_TIMEOUT: Duration = Duration::from_secs(10);
/// Longest wait for a connection to close in order.
const CLOSE_TIMEOUT: Duration = Duration::from_secs(2);

/// Something that can be subscribed to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Watch {
    /// A world's configuration and its terrain.
    World(u32),
    /// One character, wherever it is, and the instances it may enter.
    Entity(u64),
    /// Whatever stands in a block.
    Block(u64),
    /// Who fights in a block, what is cast there, and what was decided.
    Fights(u64),
    /// What is known of a region from afar.
    Region(u64),
    /// What lies, grows and is sold in a block.
    Around(u64),
    /// What the game asked for.
    Topic(Topic),
}

impl Watch {
    /// The same text for all clients: the realm evaluates each distinct query once.
    fn queries(self) -> Vec<String> {
        let from = |tables: &[&str], column: &str, value: u64| {
            let query = |table| format!("SELECT * FROM {table} WHERE {column} = {value}");
            tables.iter().map(query).collect()
        };
        match self {
            Self::World(world) => from(&["world_config", "world_terrain"], "world", world.into()),
            Self::Entity(entity_id) => {
                let mut queries = from(&["motion", "entity"], "entity_id", entity_id);
                queries.extend(from(&["instance_pass"], "character_id", entity_id));
                queries
            }
            Self::Block(chunk) => from(&["motion", "entity", "obstacle"], "chunk_index", chunk),
            Self::Fights(chunk) => {
                from(&["combatant", "combat_cast", "combat_event"], "chunk_index", chunk)
            }
            Self::Region(region) => from(&["region", "landmark"], "region_index", region),
            Self::Around(chunk) => kept::around(chunk),
            Self::Topic(topic) => topic.queries(),
        }
    }
}

/// What a message of the realm brought.
#[derive(Debug)]
pub(crate) enum News {
    Row(RowChange),
    Land(LandChange),
    Far(FarChange),
    Fight(FightChange),
    Kept(Report),
    WorldIs(WorldConfig),
    WorldGone(WorldConfig),
    /// A call has run, at that instant of the realm's clock.
    Outcome {
        reducer: Reducer,
        server_micros: i64,
        result: Result<(), HavenError>,
    },
    /// The rows of a subscription are here.
    Watched(Watch),
    /// A subscription was refused; the bindings do not fit the realm's module.
    Unwatchable(String),
}

#[derive(Clone, Default)]
struct Inbox(Arc<Mutex<Vec<News>>>);

impl Inbox {
    fn put(&self, news: News) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).push(news);
    }

    fn take(&self) -> Vec<News> {
        std::mem::take(&mut *self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

/// An open connection.
pub(crate) struct Link {
    /// Where it is asked whether commands are written; none where that is not wanted.
    pub(crate) disk: Option<Arc<Disk>>,
    connection: DbConnection,
    inbox: Inbox,
    watched: HashMap<Watch, SubscriptionHandle>,
}

impl Link {
    /// Connects with an admission. With `http` the realm's host can be asked whether commands are
    /// written.
    ///
    /// # Errors
    /// `client.unreachable` when there is no way in, `client.timeout`.
    pub(crate) async fn open(
        admission: &Admission,
        http: Option<reqwest::Client>,
    ) -> Result<Self, HavenError> {
        let unreachable = |reason: String| HavenError::Unreachable(reason);
        // The SDK panics over an address it cannot parse.
        reqwest::Url::parse(&admission.uri)
            .map_err(|error| unreachable(format!("{}: {error}", admission.uri)))?;
        let disk = match http {
            // Before the connection: what is done over it is done by this run or a later one.
            Some(http) => Some(Arc::new(Disk::find(http, admission).await?)),
            None => None,
        };
        let permit = OPENING.acquire().await.map_err(|_| HavenError::Closed)?;
        let Admission { uri, database, token, .. } = admission.clone();
        let build = tokio::task::spawn_blocking(move || {
            let connection = DbConnection::builder()
                .with_uri(uri)
                .with_module_name(database)
                .with_token(Some(token))
                .with_compression(Compression::None)
                .with_light_mode(true)
                .build();
            drop(permit);
            connection
        });
        let opened = tokio::time::timeout(OPEN_TIMEOUT, build).await;
        let opened = opened.map_err(|_| HavenError::Timeout)?;
        let opened = opened.map_err(|error| unreachable(error.to_string()))?;
        let connection = opened.map_err(|error| unreachable(error.to_string()))?;
        let inbox = Inbox::default();
        report_rows(&connection, &inbox);
        calls::report_outcomes(&connection, &inbox);
        Ok(Self { disk, connection, inbox, watched: HashMap::new() })
    }

    /// The connection's number, as the realm's guard knows it: 32 hex digits.
    pub(crate) fn connection_id(&self) -> String {
        self.connection.connection_id().to_hex().to_string()
    }

    /// Goes on by one message, incoming or outgoing. May be cancelled.
    ///
    /// # Errors
    /// Why the connection has ended.
    pub(crate) async fn advance(&self) -> Result<(), String> {
        // The SDK panics when something is sent just after the socket has closed.
        let step = AssertUnwindSafe(self.connection.advance_one_message_async()).catch_unwind();
        match step.await {
            Ok(Ok(())) => Ok(()),
            Ok(Err(error)) => Err(error.to_string()),
            Err(_) => Err("the connection closed while something was being sent".to_owned()),
        }
    }

    /// What the last messages brought.
    pub(crate) fn take_news(&self) -> Vec<News> {
        self.inbox.take()
    }

    /// Subscribes to something, unless it is watched already.
    pub(crate) fn watch(&mut self, watch: Watch) {
        let Entry::Vacant(unknown) = self.watched.entry(watch) else { return };
        let (applied, failed) = (self.inbox.clone(), self.inbox.clone());
        let handle = self
            .connection
            .subscription_builder()
            .on_applied(move |_| applied.put(News::Watched(watch)))
            .on_error(move |_, error| failed.put(News::Unwatchable(error.to_string())))
            .subscribe(watch.queries());
        unknown.insert(handle);
    }

    pub(crate) fn unwatch(&mut self, watch: Watch) {
        if let Some(handle) = self.watched.remove(&watch) {
            // Refused only when it has ended already.
            let _ = handle.unsubscribe();
        }
    }

    /// # Errors
    /// `client.protocol` when the arguments cannot be encoded.
    pub(crate) fn call(&self, call: Call) -> Result<(), HavenError> {
        let sent = call.send(&self.connection.reducers);
        sent.map_err(|error| HavenError::Protocol(error.to_string()))
    }

    /// Says goodbye, and reads what is still under way.
    pub(crate) async fn close(self) {
        if self.connection.disconnect().is_ok() {
            let drain = async { while self.advance().await.is_ok() {} };
            // A realm that does not answer is left without an answer.
            let _ = tokio::time::timeout(CLOSE_TIMEOUT, drain).await;
        }
    }
}

/// Registers the callbacks of one table: `$is` for a row that is there, `$gone` for one that went.
macro_rules! report_table {
    ($table:expr, $inbox:expr, $is:expr, $gone:expr) => {{
        let inbox = $inbox.clone();
        $table.on_insert(move |_, row| inbox.put($is(row.clone())));
        let inbox = $inbox.clone();
        $table.on_update(move |_, _, row| inbox.put($is(row.clone())));
        let inbox = $inbox.clone();
        $table.on_delete(move |_, row| inbox.put($gone(row.clone())));
    }};
}

/// A row that several subscriptions bring is reported once, and gone when the last drops it: the
/// SpacetimeDB SDK counts.
fn report_rows(connection: &DbConnection, inbox: &Inbox) {
    let db = &connection.db;
    let (is, gone) = (RowChange::MotionIs, RowChange::MotionGone);
    report_table!(db.motion(), inbox, |row| News::Row(is(row)), |row| News::Row(gone(row)));
    let (is, gone) = (RowChange::EntityIs, RowChange::EntityGone);
    report_table!(db.entity(), inbox, |row| News::Row(is(row)), |row| News::Row(gone(row)));
    let (is, gone) = (LandChange::ObstacleIs, LandChange::ObstacleGone);
    report_table!(db.obstacle(), inbox, |row| News::Land(is(row)), |row| News::Land(gone(row)));
    let (is, gone) = (LandChange::TerrainIs, LandChange::TerrainGone);
    let terrain = db.world_terrain();
    report_table!(terrain, inbox, |row| News::Land(is(row)), |row| News::Land(gone(row)));
    let (is, gone) = (FarChange::RegionIs, FarChange::RegionGone);
    report_table!(db.region(), inbox, |row| News::Far(is(row)), |row| News::Far(gone(row)));
    let (is, gone) = (FarChange::LandmarkIs, FarChange::LandmarkGone);
    report_table!(db.landmark(), inbox, |row| News::Far(is(row)), |row| News::Far(gone(row)));
    let (is, gone) = (FarChange::PassIs, FarChange::PassGone);
    report_table!(db.instance_pass(), inbox, |row| News::Far(is(row)), |row| News::Far(gone(row)));
    report_table!(db.world_config(), inbox, News::WorldIs, News::WorldGone);
    report_fights(connection, inbox);
    let inbox = inbox.clone();
    kept::report(connection, move |report| inbox.put(News::Kept(report)));
}

fn report_fights(connection: &DbConnection, inbox: &Inbox) {
    let db = &connection.db;
    let (is, gone) = (FightChange::BodyIs, FightChange::BodyGone);
    report_table!(db.combatant(), inbox, |row| News::Fight(is(row)), |row| News::Fight(gone(row)));
    let (is, gone) = (FightChange::CastIs, FightChange::CastGone);
    let casts = db.combat_cast();
    report_table!(casts, inbox, |row| News::Fight(is(row)), |row| News::Fight(gone(row)));
    let (is, gone) = (FightChange::DecisionIs, FightChange::DecisionGone);
    let events = db.combat_event();
    report_table!(events, inbox, |row| News::Fight(is(row)), |row| News::Fight(gone(row)));
}
