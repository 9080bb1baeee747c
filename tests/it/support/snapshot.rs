//! Reducers as snapshots: calls in, refusals and changed rows out.
//!
//! Rows are sorted; identities, connections, instants and hashes are redacted, because they differ
//! from run to run.

use super::Database;
use super::client::Client;
use serde_json::Value;
use std::collections::BTreeSet;
use std::fmt::Write as _;

/// Tables whose rows change by themselves, or hang on chance.
const RESTLESS: &[&str] = &[
    "tick_health",
    "block_state",
    "block_input",
    "region",
    "region_count",
    "survey_request",
    "dice_day",
    "dice_pool",
    "dice_secret",
];

/// Every table of the module but the timers.
async fn tables(database: &Database) -> Vec<String> {
    let rows = database.rows("st_table").await;
    rows.iter()
        .filter(|row| row["table_type"] == "user")
        .map(|row| row["table_name"].as_str().expect("a name").to_owned())
        .filter(|table| !table.ends_with("_timer") && !RESTLESS.contains(&table.as_str()))
        .collect()
}

/// What calls did, as text.
pub struct Story<'a> {
    database: &'a Database,
    text: String,
    rows: BTreeSet<String>,
}

impl<'a> Story<'a> {
    /// Begins with the rows as they are now.
    pub async fn begin(database: &'a Database) -> Self {
        let rows = all_rows(database).await;
        Self { database, text: String::new(), rows }
    }

    /// Calls a reducer and writes down what came of it.
    pub async fn call(&mut self, who: &str, client: &Client, reducer: &str, args: Value) {
        let outcome = client.call(reducer, args.clone()).await;
        let shown = redact_args(&args);
        let _ = writeln!(self.text, "{who}: {reducer}{shown}");
        match outcome {
            Ok(()) => {}
            Err(message) => {
                let _ = writeln!(self.text, "  refused: {message}");
            }
        }
        self.changes().await;
    }

    /// Writes down that something else happened.
    pub async fn note(&mut self, what: &str) {
        let _ = writeln!(self.text, "{what}");
        self.changes().await;
    }

    async fn changes(&mut self) {
        let rows = all_rows(self.database).await;
        for row in self.rows.difference(&rows) {
            let _ = writeln!(self.text, "  - {row}");
        }
        for row in rows.difference(&self.rows) {
            let _ = writeln!(self.text, "  + {row}");
        }
        self.rows = rows;
    }

    /// The whole story.
    pub fn end(self) -> String {
        self.text
    }
}

/// Every row of the database but the restless ones, redacted.
pub async fn all_rows(database: &Database) -> BTreeSet<String> {
    let mut rows = BTreeSet::new();
    for table in tables(database).await {
        for row in database.rows(&table).await {
            rows.insert(format!("{table} {}", redact(row)));
        }
    }
    rows
}

fn redact(row: Value) -> String {
    let Value::Object(fields) = row else { return row.to_string() };
    let shown = fields.into_iter().map(|(name, value)| {
        let value = match name.as_str() {
            "identity" | "actor" => "[identity]".to_owned(),
            "connection_id" => "[connection]".to_owned(),
            "wheel_slot" => "[slot]".to_owned(),
            name if name.ends_with("_at") || name.ends_with("at_micros") => instant(&value),
            name if name.ends_with("_sha256") => "[digest]".to_owned(),
            "password_phc" => "[hash]".to_owned(),
            _ => value.to_string(),
        };
        format!("{name}={value}")
    });
    shown.collect::<Vec<_>>().join(" ")
}

/// An instant that was never is told from one that was.
fn instant(value: &Value) -> String {
    let text = value.to_string();
    let zero = text.chars().filter(char::is_ascii_digit).all(|digit| digit == '0');
    if text == "[1,[]]" || text.contains("none") {
        "none".to_owned()
    } else if zero {
        "0".to_owned()
    } else {
        "[instant]".to_owned()
    }
}

fn redact_args(args: &Value) -> String {
    let shown = args.as_array().into_iter().flatten().map(|value| match value {
        Value::String(text) if text.len() == 64 => "[digest]".to_owned(),
        Value::String(text) if text.starts_with("$argon2id$") => "[hash]".to_owned(),
        Value::String(text) if text.len() > 80 => format!("[{} bytes]", text.len()),
        Value::Object(fields) if fields.contains_key("__identity__") => "[identity]".to_owned(),
        Value::Number(number) if number.as_i64().is_some_and(|n| n > 1 << 50 && n < 1 << 55) => {
            "[instant]".to_owned()
        }
        other => other.to_string(),
    });
    format!("({})", shown.collect::<Vec<_>>().join(", "))
}
