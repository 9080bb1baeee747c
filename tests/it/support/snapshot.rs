//! Reducers as snapshots: calls in, refusals and changed rows out.
//!
//! Rows are sorted; identities, connections, instants and hashes are redacted, because they differ
//! from run to run.

use super::client::Client;
use super::{Database, owner_token};
use haven_checks::{Declarations, Snapshot};
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

/// Tables whose rows change by themselves, or hang on chance.
const RESTLESS: &[&str] = &[
    "tick_health",
    "block_state",
    "block_input",
    "board_asker",
    "board_top",
    "board_top_due",
    "board_tree",
    "region",
    "region_count",
    "survey_request",
    "dice_day",
    "dice_pool",
    "dice_secret",
    "economy_audit",
    "economy_audit_count",
    "economy_audit_mark",
    "economy_health",
    "chat_bucket",
    "chat_swept",
    "friend_place",
    "guild_pace",
    "guild_swept",
    "ledger_swept",
    "sequence",
];

/// All rows that are told of, by table. A database has some two hundred tables, most of them empty:
/// one subscription shows which of them are not as they were, and only these are read.
#[derive(Default)]
struct Watched {
    declared: Option<Declarations>,
    seen: BTreeMap<String, Vec<Value>>,
    rows: BTreeMap<String, BTreeSet<String>>,
}

impl Watched {
    async fn look(&mut self, database: &Database) {
        let token = owner_token(&database.stage.keys);
        let (uri, name) = (&database.stage.uri, &database.name);
        let declared = match self.declared.take() {
            Some(declared) => declared,
            None => Declarations::read(uri, name, &token).await.expect("declarations"),
        };
        let now = Snapshot::of(&declared, uri, name, &token).await.expect("a snapshot");
        for table in now.tables().filter(|table| !RESTLESS.contains(table)) {
            let mut rows = now.rows(table).to_vec();
            rows.sort_by_cached_key(ToString::to_string);
            if self.seen.get(table).is_some_and(|seen| *seen == rows) {
                continue;
            }
            let read = if rows.is_empty() { vec![] } else { database.rows(table).await };
            let read = read.into_iter().map(|row| format!("{table} {}", redact(row))).collect();
            self.rows.insert(table.to_owned(), read);
            self.seen.insert(table.to_owned(), rows);
        }
        self.declared = Some(declared);
    }

    fn all(&self) -> BTreeSet<String> {
        self.rows.values().flatten().cloned().collect()
    }
}

/// What calls did, as text.
pub struct Story<'a> {
    database: &'a Database,
    text: String,
    watched: Watched,
}

impl<'a> Story<'a> {
    /// Begins with the rows as they are now.
    pub async fn begin(database: &'a Database) -> Self {
        let mut watched = Watched::default();
        watched.look(database).await;
        Self { database, text: String::new(), watched }
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
        let before = self.watched.all();
        self.watched.look(self.database).await;
        let after = self.watched.all();
        for row in before.difference(&after) {
            let _ = writeln!(self.text, "  - {row}");
        }
        for row in after.difference(&before) {
            let _ = writeln!(self.text, "  + {row}");
        }
    }

    /// The whole story.
    pub fn end(self) -> String {
        self.text
    }
}

/// Every row of the database but the restless ones, redacted.
pub async fn all_rows(database: &Database) -> BTreeSet<String> {
    let mut watched = Watched::default();
    watched.look(database).await;
    watched.all()
}

fn redact(row: Value) -> String {
    let Value::Object(fields) = row else { return row.to_string() };
    let shown = fields.into_iter().map(|(name, value)| {
        let value = match name.as_str() {
            "identity" | "actor" | "viewer" => "[identity]".to_owned(),
            // They have an instant at their head or their end.
            "due_key" | "end_key" | "ends_key" | "expiry_key" | "gone_key" | "ready_key"
            | "revision_key" | "said_key" | "sweep_key" => "[key]".to_owned(),
            "connection_id" => "[connection]".to_owned(),
            "wheel_slot" => "[slot]".to_owned(),
            "swept_message_id" => "[swept]".to_owned(),
            name if name.ends_with("_at") || name.ends_with("at_micros") => instant(&value),
            name if name.ends_with("_sha256") => "[digest]".to_owned(),
            "password_phc" => "[hash]".to_owned(),
            _ => timeless(value).to_string(),
        };
        format!("{name}={value}")
    });
    shown.collect::<Vec<_>>().join(" ")
}

/// A list without the instants in it.
fn timeless(value: Value) -> Value {
    match value {
        Value::Array(parts) => parts.into_iter().map(part_timeless).collect(),
        other => other,
    }
}

fn part_timeless(part: Value) -> Value {
    if is_instant(&part) { "[instant]".into() } else { timeless(part) }
}

/// Whether a number can only be microseconds since 1970.
fn is_instant(value: &Value) -> bool {
    value.as_i64().is_some_and(|number| number > 1 << 50 && number < 1 << 55)
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
        value if is_instant(value) => "[instant]".to_owned(),
        other => other.to_string(),
    });
    format!("({})", shown.collect::<Vec<_>>().join(", "))
}
