//! All rows of a database as of one transaction: what one subscription to every table begins with.
//!
//! Keeps true: the tables and their columns are those that the database declares, so a snapshot can
//! be taken of any version of the module.

use futures::StreamExt as _;
use futures::sink::SinkExt as _;
use haven_rules::world::Area;
use serde_json::{Map, Value, json};
use spacetimedb_lib::AlgebraicType;
use spacetimedb_lib::db::raw_def::v9::{RawModuleDefV9, TableAccess};
use spacetimedb_lib::de::serde::DeserializeWrapper;
use std::collections::BTreeMap;
use std::time::Duration;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::client::IntoClientRequest as _;
use tokio_tungstenite::tungstenite::protocol::WebSocketConfig;

/// How long all of it may take.
const READ_TIMEOUT: Duration = Duration::from_secs(30);
/// Most bytes of all rows, as JSON.
const BYTES_MAX: usize = 4 << 30;

/// Why there is no snapshot.
#[derive(Debug, thiserror::Error)]
pub enum ReadError {
    /// The database cannot be reached, or does not answer in time.
    #[error("the database cannot be read: {0}")]
    Unreachable(String),
    /// It answers what is not understood.
    #[error("the database answers what is not understood: {0}")]
    Unreadable(String),
}

/// What a database declares: its tables and reducers.
pub struct Declarations(RawModuleDefV9);

impl Declarations {
    /// Reads what the engine shows the database's owner.
    ///
    /// # Errors
    /// See [`ReadError`].
    pub async fn read(uri: &str, database: &str, token: &str) -> Result<Self, ReadError> {
        let unreachable = |error: reqwest::Error| ReadError::Unreachable(error.to_string());
        let url = format!("{uri}/v1/database/{database}/schema?version=9");
        let client = reqwest::Client::builder().timeout(READ_TIMEOUT).build();
        let answer = client.map_err(unreachable)?.get(url).bearer_auth(token).send().await;
        let answer = answer.and_then(reqwest::Response::error_for_status).map_err(unreachable)?;
        let declared = answer.text().await.map_err(unreachable)?;
        let declared = serde_json::from_str::<DeserializeWrapper<RawModuleDefV9>>(&declared);
        declared.map(|read| Self(read.0)).map_err(|error| ReadError::Unreadable(error.to_string()))
    }

    /// All of it, as the engine knows it.
    pub fn module(&self) -> &RawModuleDefV9 {
        &self.0
    }

    /// Every table but those of timers: name, and whether it is public.
    pub fn tables(&self) -> Vec<(&str, bool)> {
        let tables = self.0.tables.iter().filter(|table| table.schedule.is_none());
        tables.map(|table| (&*table.name, table.table_access == TableAccess::Public)).collect()
    }

    /// The columns of one table, in order; none of a table that is not there.
    pub fn columns_of(&self, table: &str) -> Vec<&str> {
        let table = self.0.tables.iter().find(|known| &*known.name == table);
        let row = table.and_then(|table| self.0.typespace.get(table.product_type_ref));
        let row = row.and_then(AlgebraicType::as_product);
        let columns = row.iter().flat_map(|row| row.elements.iter());
        columns.filter_map(|column| column.name.as_deref()).collect()
    }
}

/// Every row but those of timers.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Snapshot(BTreeMap<String, Vec<Value>>);

impl Snapshot {
    /// Takes one, with the owner's token.
    ///
    /// # Errors
    /// See [`ReadError`].
    pub async fn read(uri: &str, database: &str, token: &str) -> Result<Self, ReadError> {
        let declared = Declarations::read(uri, database, token).await?;
        Self::of(&declared, uri, database, token).await
    }

    /// Takes one of a database whose declarations are known.
    ///
    /// # Errors
    /// See [`ReadError`].
    pub async fn of(
        declared: &Declarations,
        uri: &str,
        database: &str,
        token: &str,
    ) -> Result<Self, ReadError> {
        let applied = tokio::time::timeout(READ_TIMEOUT, subscribe(declared, uri, database, token));
        let late = |_| ReadError::Unreachable("no answer in time".to_owned());
        let applied = applied.await.map_err(late)??;
        let tables = declared.tables();
        let mut rows: BTreeMap<String, Vec<Value>> =
            tables.iter().map(|(table, _)| ((*table).to_owned(), vec![])).collect();
        let unreadable = || ReadError::Unreadable("a subscription without rows".to_owned());
        let updates = applied["update"]["tables"].as_array().ok_or_else(unreadable)?;
        for update in updates {
            let table = update["table_name"].as_str().ok_or_else(unreadable)?;
            let columns = declared.columns_of(table);
            let inserts = update["updates"].as_array().into_iter().flatten();
            let inserts = inserts.filter_map(|update| update["inserts"].as_array()).flatten();
            let inserts: Option<Vec<Value>> = inserts.map(|row| named(row, &columns)).collect();
            rows.entry(table.to_owned()).or_default().extend(inserts.ok_or_else(unreadable)?);
        }
        Ok(Self(rows))
    }

    /// Adds a row, for what is checked without a database.
    pub fn insert(&mut self, table: &str, row: Value) {
        self.0.entry(table.to_owned()).or_default().push(row);
    }

    /// The tables that were read.
    pub fn tables(&self) -> impl Iterator<Item = &str> {
        self.0.keys().map(String::as_str)
    }

    /// The rows of a table.
    pub fn rows(&self, table: &str) -> &[Value] {
        self.0.get(table).map_or(&[], Vec::as_slice)
    }

    /// The rows of all tables.
    pub fn rows_total(&self) -> usize {
        self.0.values().map(Vec::len).sum()
    }

    /// The numbers of a column.
    pub fn column(&self, table: &str, column: &str) -> Vec<u64> {
        self.rows(table).iter().map(|row| number(row, column)).collect()
    }

    /// The same, less those tables.
    #[must_use]
    pub fn without(&self, tables: &[&str]) -> Self {
        let kept = self.0.iter().filter(|(table, _)| !tables.contains(&table.as_str()));
        Self(kept.map(|(table, rows)| (table.clone(), rows.clone())).collect())
    }

    /// Rows that only one of two snapshots has, each with its table and `-` or `+`; at most that
    /// many.
    pub fn differences(&self, later: &Self, most: usize) -> Vec<String> {
        let texts = |snapshot: &Self, table: &str| {
            let mut texts: Vec<_> = snapshot.rows(table).iter().map(Value::to_string).collect();
            texts.sort_unstable();
            texts
        };
        let tables: std::collections::BTreeSet<&str> =
            self.tables().chain(later.tables()).collect();
        let mut found = vec![];
        for table in tables {
            let (before, after) = (texts(self, table), texts(later, table));
            let only = |these: &[String], those: &[String], sign: char| -> Vec<String> {
                let missing = these.iter().filter(|row| those.binary_search(row).is_err());
                missing.map(|row| format!("{sign} {table} {row}")).collect()
            };
            found.extend(only(&before, &after, '-'));
            found.extend(only(&after, &before, '+'));
        }
        found.truncate(most);
        found
    }

    /// The bounds of a world.
    pub fn bounds(&self, world: u32) -> Option<Area> {
        let row = self.rows("world_config").iter().find(|row| row["world"] == world)?;
        Some(area(row))
    }
}

/// What a subscription to every table begins with.
async fn subscribe(
    declared: &Declarations,
    uri: &str,
    database: &str,
    token: &str,
) -> Result<Value, ReadError> {
    let unreachable =
        |error: tokio_tungstenite::tungstenite::Error| ReadError::Unreachable(error.to_string());
    let url = format!("{uri}/v1/database/{database}/subscribe").replacen("http", "ws", 1);
    let mut request = url.into_client_request().map_err(unreachable)?;
    let header = |value: &str| {
        value.parse().map_err(|_| ReadError::Unreadable("a token that is no header".to_owned()))
    };
    request.headers_mut().insert("sec-websocket-protocol", header("v1.json.spacetimedb")?);
    request.headers_mut().insert("authorization", header(&format!("Bearer {token}"))?);
    let config = WebSocketConfig::default()
        .max_message_size(Some(BYTES_MAX))
        .max_frame_size(Some(BYTES_MAX));
    let connected =
        tokio_tungstenite::connect_async_with_config(request, Some(config), false).await;
    let (mut socket, _) = connected.map_err(unreachable)?;
    let tables = declared.tables();
    let queries: Vec<_> =
        tables.iter().map(|(table, _)| format!("SELECT * FROM {table}")).collect();
    let ask = json!({ "SubscribeMulti": {
        "query_strings": queries, "request_id": 1, "query_id": { "id": 1 },
    }});
    socket.send(Message::text(ask.to_string())).await.map_err(unreachable)?;
    while let Some(message) = socket.next().await {
        let Message::Text(text) = message.map_err(unreachable)? else { continue };
        let mut told: Value = serde_json::from_str(&text)
            .map_err(|error| ReadError::Unreadable(error.to_string()))?;
        if let Some(applied) = told.get_mut("SubscribeMultiApplied") {
            let applied = applied.take();
            // The rows are here; how the goodbye goes is of no interest.
            let _ = socket.close(None).await;
            return Ok(applied);
        }
        if let Some(error) = told.get("SubscriptionError") {
            return Err(ReadError::Unreadable(error.to_string()));
        }
    }
    Err(ReadError::Unreachable("it hung up".to_owned()))
}

/// A row by its columns, however the engine wrote it.
fn named(row: &Value, columns: &[&str]) -> Option<Value> {
    let row: Value = serde_json::from_str(row.as_str()?).ok()?;
    let Value::Array(values) = row else { return Some(row) };
    let fields = columns.iter().map(|name| (*name).to_owned()).zip(values);
    Some(Value::Object(fields.collect::<Map<_, _>>()))
}

/// A rectangle of a row.
pub(crate) fn area(row: &Value) -> Area {
    let edge = |column| i32::try_from(row[column].as_i64().expect("a number")).expect("fits");
    Area {
        min_x_mm: edge("min_x_mm"),
        min_y_mm: edge("min_y_mm"),
        max_x_mm: edge("max_x_mm"),
        max_y_mm: edge("max_y_mm"),
    }
}

/// A number of a row.
///
/// # Panics
/// The row has no such number.
pub fn number(row: &Value, column: &str) -> u64 {
    row[column].as_u64().unwrap_or_else(|| panic!("{column} of {row}"))
}

/// A text of a row.
///
/// # Panics
/// The row has no such text.
pub fn text<'a>(row: &'a Value, column: &str) -> &'a str {
    row[column].as_str().unwrap_or_else(|| panic!("{column} of {row}"))
}

/// An instant of a row, microseconds since 1970.
///
/// # Panics
/// The row has no such instant.
pub fn instant(row: &Value, column: &str) -> i64 {
    let value = &row[column];
    let inner = value[0].as_i64();
    inner
        .or_else(|| value["__timestamp_micros_since_unix_epoch__"].as_i64())
        .unwrap_or_else(|| panic!("{column} of {row}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn snapshot(rows: &[(&str, Value)]) -> Snapshot {
        let mut snapshot = Snapshot::default();
        for (table, row) in rows {
            snapshot.insert(table, row.clone());
        }
        snapshot
    }

    #[test]
    fn differences_are_told_row_by_row_in_whatever_order_they_come() {
        let (one, two) = (json!({ "id": 1 }), json!({ "id": 2 }));
        let before = snapshot(&[("a", one.clone()), ("a", two.clone())]);
        assert!(
            before.differences(&snapshot(&[("a", two.clone()), ("a", one.clone())]), 9).is_empty()
        );
        let after = snapshot(&[("a", one), ("b", two)]);
        assert_eq!(before.differences(&after, 9), ["- a {\"id\":2}", "+ b {\"id\":2}"]);
        assert_eq!(before.differences(&after, 1).len(), 1);
    }

    #[test]
    fn rows_are_known_by_column_as_array_and_as_object() {
        let expected = json!({ "id": 7, "name": "Ann" });
        let columns = ["id", "name"];
        assert_eq!(named(&json!("[7, \"Ann\"]"), &columns), Some(expected.clone()));
        assert_eq!(named(&json!(expected.to_string()), &columns), Some(expected));
        assert_eq!(named(&json!(7), &columns), None);
    }
}
