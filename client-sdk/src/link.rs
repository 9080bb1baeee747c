//! One connection to a realm's database: the generated bindings, made to fit into one task.
//!
//! Keeps true: what one message of the realm changes is handed out together; at most eight
//! connections are being opened at a time, because opening one blocks a thread; a connection is
//! drained before it is dropped, because the SpacetimeDB SDK's own tasks panic otherwise.
//! Leaves out on purpose: what anything means. What depends on the SDK's release is all here.

use crate::error::HavenError;
use crate::module_bindings::{
    DbConnection, EntityTableAccess, MotionTableAccess, Obstacle, ObstacleTableAccess,
    ReducerEventContext, SubscriptionHandle, WorldConfig, WorldConfigTableAccess, character_enter,
    character_leave, course_set, course_to,
};
use crate::scene::RowChange;
use crate::wire::Admission;
use futures_util::FutureExt;
use spacetimedb_sdk::{
    Compression, DbContext, Status, SubscriptionHandle as _, Table, TableWithPrimaryKey,
};
use std::collections::HashMap;
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

/// A reducer and its arguments.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Call {
    Enter { character_id: u64 },
    Leave,
    Course { dx: i16, dy: i16, running: bool },
    Goal { x_mm: i32, y_mm: i32 },
}

/// A reducer. Calls of one reducer have their outcomes in the order they were made.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Reducer {
    Enter,
    Leave,
    Course,
    Goal,
}

impl Call {
    pub(crate) fn reducer(&self) -> Reducer {
        match self {
            Self::Enter { .. } => Reducer::Enter,
            Self::Leave => Reducer::Leave,
            Self::Course { .. } => Reducer::Course,
            Self::Goal { .. } => Reducer::Goal,
        }
    }
}

/// Something that can be subscribed to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Watch {
    /// The worlds' configuration.
    World,
    /// One entity, wherever it is.
    Entity(u64),
    /// Whatever stands in a block.
    Block(u64),
}

impl Watch {
    /// The same text for all clients: the realm evaluates each distinct query once.
    fn queries(self) -> Vec<String> {
        let from = |tables: &[&str], column: &str, value: u64| {
            let query = |table| format!("SELECT * FROM {table} WHERE {column} = {value}");
            tables.iter().map(query).collect()
        };
        match self {
            Self::World => vec!["SELECT * FROM world_config".to_owned()],
            Self::Entity(entity_id) => from(&["motion", "entity"], "entity_id", entity_id),
            Self::Block(chunk) => from(&["motion", "entity", "obstacle"], "chunk_index", chunk),
        }
    }
}

/// What a message of the realm brought.
#[derive(Debug)]
pub(crate) enum News {
    Row(RowChange),
    ObstacleIs(Obstacle),
    ObstacleGone(Obstacle),
    World(WorldConfig),
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
    connection: DbConnection,
    inbox: Inbox,
    watched: HashMap<Watch, SubscriptionHandle>,
}

impl Link {
    /// Connects with an admission.
    ///
    /// # Errors
    /// `client.unreachable` when there is no way in, `client.timeout`.
    pub(crate) async fn open(admission: &Admission) -> Result<Self, HavenError> {
        let unreachable = |reason: String| HavenError::Unreachable(reason);
        // The SDK panics over an address it cannot parse.
        reqwest::Url::parse(&admission.uri)
            .map_err(|error| unreachable(format!("{}: {error}", admission.uri)))?;
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
        report_outcomes(&connection, &inbox);
        Ok(Self { connection, inbox, watched: HashMap::new() })
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

    pub(crate) fn watch(&mut self, watch: Watch) {
        let (applied, failed) = (self.inbox.clone(), self.inbox.clone());
        let handle = self
            .connection
            .subscription_builder()
            .on_applied(move |_| applied.put(News::Watched(watch)))
            .on_error(move |_, error| failed.put(News::Unwatchable(error.to_string())))
            .subscribe(watch.queries());
        self.watched.insert(watch, handle);
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
        let reducers = &self.connection.reducers;
        let sent = match call {
            Call::Enter { character_id } => reducers.character_enter(character_id),
            Call::Leave => reducers.character_leave(),
            Call::Course { dx, dy, running } => reducers.course_set(dx, dy, running),
            Call::Goal { x_mm, y_mm } => reducers.course_to(x_mm, y_mm),
        };
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

fn report_rows(connection: &DbConnection, inbox: &Inbox) {
    let db = &connection.db;
    report_table!(db.motion(), inbox, |row| News::Row(RowChange::MotionIs(row)), |row| News::Row(
        RowChange::MotionGone(row)
    ));
    report_table!(db.entity(), inbox, |row| News::Row(RowChange::EntityIs(row)), |row| News::Row(
        RowChange::EntityGone(row)
    ));
    report_table!(db.obstacle(), inbox, News::ObstacleIs, News::ObstacleGone);
    let changed = inbox.clone();
    db.world_config().on_insert(move |_, row| changed.put(News::World(row.clone())));
    let changed = inbox.clone();
    db.world_config().on_update(move |_, _, row| changed.put(News::World(row.clone())));
}

/// Only own calls are reported: a light client hears of no others.
fn report_outcomes(connection: &DbConnection, inbox: &Inbox) {
    let reducers = &connection.reducers;
    let inbox_of = |reducer| {
        let inbox = inbox.clone();
        move |context: &ReducerEventContext| inbox.put(outcome(reducer, context))
    };
    let report = inbox_of(Reducer::Enter);
    reducers.on_character_enter(move |context, _| report(context));
    let report = inbox_of(Reducer::Leave);
    reducers.on_character_leave(report);
    let report = inbox_of(Reducer::Course);
    reducers.on_course_set(move |context, _, _, _| report(context));
    let report = inbox_of(Reducer::Goal);
    reducers.on_course_to(move |context, _, _| report(context));
}

fn outcome(reducer: Reducer, context: &ReducerEventContext) -> News {
    let result = match &context.event.status {
        Status::Committed => Ok(()),
        Status::Failed(message) => Err(HavenError::from_reducer(message)),
        Status::OutOfEnergy => Err(HavenError::from_reducer("the realm is out of energy")),
    };
    let server_micros = context.event.timestamp.to_micros_since_unix_epoch();
    News::Outcome { reducer, server_micros, result }
}
