//! All rows of a database as of one transaction: what one subscription to every table begins with.

use super::arguments::Module;
use crate::support::client::Client;
use crate::support::{Database, owner_token};
use haven_rules::world::Area;
use serde_json::{Map, Value};
use std::collections::BTreeMap;

/// Every row but those of timers.
pub(super) struct Snapshot(BTreeMap<String, Vec<Value>>);

impl Snapshot {
    /// Takes one, as the owner.
    pub(super) async fn take(database: &Database, module: &Module) -> Self {
        let token = owner_token(&database.stage.keys);
        let client = Client::connect(&database.stage.uri, &database.name, &token).await;
        let client = client.expect("the owner connects");
        let tables = module.tables();
        let queries: Vec<String> =
            tables.iter().map(|(table, _)| format!("SELECT * FROM {table}")).collect();
        client.subscribe(&queries.iter().map(String::as_str).collect::<Vec<_>>()).await;
        let applied = client.wait_for("SubscribeMultiApplied").await.expect("applied");
        client.close().await;
        let mut rows: BTreeMap<String, Vec<Value>> =
            tables.iter().map(|(table, _)| ((*table).to_owned(), vec![])).collect();
        let updates = applied["SubscribeMultiApplied"]["update"]["tables"].as_array();
        for update in updates.expect("tables") {
            let table = update["table_name"].as_str().expect("a name");
            let columns = module.columns_of(table);
            let inserts = update["updates"].as_array().into_iter().flatten();
            let inserts = inserts.filter_map(|update| update["inserts"].as_array()).flatten();
            rows.entry(table.to_owned())
                .or_default()
                .extend(inserts.map(|row| named(row, &columns)));
        }
        Self(rows)
    }

    /// The rows of a table.
    pub(super) fn rows(&self, table: &str) -> &[Value] {
        self.0.get(table).map_or(&[], Vec::as_slice)
    }

    /// The numbers of a column.
    pub(super) fn column(&self, table: &str, column: &str) -> Vec<u64> {
        self.rows(table).iter().map(|row| number(row, column)).collect()
    }

    /// The bounds of a world.
    pub(super) fn bounds(&self, world: u32) -> Option<Area> {
        let row = self.rows("world_config").iter().find(|row| row["world"] == world)?;
        Some(area(row))
    }
}

/// A row by its columns, however the engine wrote it.
fn named(row: &Value, columns: &[&str]) -> Value {
    let row: Value = serde_json::from_str(row.as_str().expect("a row")).expect("JSON");
    let Value::Array(values) = row else { return row };
    let fields = columns.iter().map(|name| (*name).to_owned()).zip(values);
    Value::Object(fields.collect::<Map<_, _>>())
}

/// A rectangle of a row.
pub(super) fn area(row: &Value) -> Area {
    let edge = |column| i32::try_from(row[column].as_i64().expect("a number")).expect("fits");
    Area {
        min_x_mm: edge("min_x_mm"),
        min_y_mm: edge("min_y_mm"),
        max_x_mm: edge("max_x_mm"),
        max_y_mm: edge("max_y_mm"),
    }
}

/// A number of a row.
pub(super) fn number(row: &Value, column: &str) -> u64 {
    row[column].as_u64().unwrap_or_else(|| panic!("{column} of {row}"))
}

/// A text of a row.
pub(super) fn text<'a>(row: &'a Value, column: &str) -> &'a str {
    row[column].as_str().unwrap_or_else(|| panic!("{column} of {row}"))
}
