//! Random messages of the WebSocket protocol: odd queries, unknown ids, bytes that are no message.
//!
//! Keeps true: after each message a question is asked whose answer, or the end of the connection,
//! must come; a player is shown rows of public tables and of no other of the module's.
//! Leaves out on purpose: the engine's own tables (`st_…`), which it shows to every caller.

use super::arena::Arena;
use super::line::{Heard, Line, call_message, length};
use crate::support::chance::{Chance, Run};
use crate::support::{owner_token, player_token};
use spacetimedb_client_api_messages::websocket::{
    BsatnFormat, DatabaseUpdate, ServerMessage, UpdateStatus,
};
use std::collections::BTreeSet;
use tokio_tungstenite::tungstenite::Message;

/// Messages on one connection before it is left for a new one.
const MESSAGES_PER_LINE: u64 = 150;
/// Messages between two calls of the bystander.
const MESSAGES_PER_CALL: u64 = 100;
/// Messages of a connection that a failure tells.
const MESSAGES_TOLD: usize = 40;
/// The longest query that the engine looks at, bytes.
const QUERY_BYTES_MAX: usize = 50_000;

/// Tags of client messages in BSATN.
const SUBSCRIBE: u8 = 1;
const ONE_OFF_QUERY: u8 = 2;
const SUBSCRIBE_SINGLE: u8 = 3;
const SUBSCRIBE_MULTI: u8 = 4;
const UNSUBSCRIBE: u8 = 5;
const UNSUBSCRIBE_MULTI: u8 = 6;

/// Reducers that a random message calls.
const REDUCERS: [&str; 4] = ["course_set", "init", "nothing", ""];

/// Who sends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Who {
    Player,
    Owner,
}

/// Sends messages of a run.
pub(super) async fn run(run: &Run, arena: &mut Arena) {
    let account_id = arena.database.register("frank@example.org").await;
    arena.database.grant(account_id, "player", 900).await.expect("admitted");
    let tables = arena.module.0.tables();
    let public = tables.iter().filter(|(_, public)| *public).map(|(table, _)| (*table).to_owned());
    let public: BTreeSet<String> = public.collect();
    let tables: Vec<String> = tables.into_iter().map(|(table, _)| table.to_owned()).collect();
    let (stage, name) = (arena.database.stage.clone(), arena.database.name.clone());
    let mut line: Option<(Who, Line)> = None;
    let mut sent: Vec<String> = vec![];
    for case in 0..run.cases {
        let mut chance = run.case(case);
        if case % MESSAGES_PER_LINE == 0
            && let Some((_, old)) = line.take()
        {
            old.close().await;
        }
        if line.is_none() {
            sent.clear();
            let who = if chance.one_in(3) { Who::Owner } else { Who::Player };
            let token = match who {
                Who::Owner => owner_token(&stage.keys),
                Who::Player => player_token(&stage.keys, &name, account_id, "player"),
            };
            let opened = Line::open(&stage.uri, &name, &token).await;
            line = opened.expect("a connection").map(|line| (who, line));
        }
        let Some((who, open)) = line.as_mut().map(|(who, line)| (*who, line)) else {
            run.fail(case, "an admitted player is shown out")
        };
        let message = message(&tables, &mut chance);
        sent.push(told(&message));
        let told = &sent[sent.len().saturating_sub(MESSAGES_TOLD)..];
        open.send_message(message).await;
        let allowed = (who == Who::Player).then_some(&public);
        match ask(open, case, allowed).await {
            Ok(true) => {}
            Ok(false) => line = None,
            Err(wrong) => {
                let others = arena.bystander_plays().await;
                run.fail(case, &format!("{who:?}: {told:#?}: {wrong}; others: {others:?}"));
            }
        }
        if case % MESSAGES_PER_CALL == 0
            && let Err(wrong) = arena.bystander_plays().await
        {
            run.fail(case, &format!("{who:?}: {told:#?}: {wrong}"));
        }
    }
}

/// Asks a question and listens until it is answered; false when the connection has ended.
async fn ask(
    line: &mut Line,
    case: u64,
    allowed: Option<&BTreeSet<String>>,
) -> Result<bool, String> {
    let id = case.to_le_bytes();
    line.send(one_off(&id, "SELECT * FROM world_config")).await;
    loop {
        let message = match line.hear().await {
            Heard::Message(message) => message,
            Heard::Closed => return Ok(false),
            Heard::Silence => return Err("no answer".to_owned()),
            Heard::Nonsense(what) => return Err(what),
        };
        let shown = tables_of(&message);
        if let Some(allowed) = allowed
            && let Some(private) = shown.iter().find(|table| is_private(table, allowed))
        {
            return Err(format!("a player was shown {private}"));
        }
        if let ServerMessage::OneOffQueryResponse(answer) = &*message
            && answer.message_id[..] == id
        {
            let error = answer.error.as_deref().map(str::to_owned);
            return error.map_or(Ok(true), |error| Err(format!("the question: {error}")));
        }
    }
}

fn is_private(table: &str, allowed: &BTreeSet<String>) -> bool {
    !allowed.contains(table) && !table.starts_with("st_")
}

/// The tables that a message has rows of.
fn tables_of(message: &ServerMessage<BsatnFormat>) -> Vec<&str> {
    match message {
        ServerMessage::InitialSubscription(message) => names(&message.database_update),
        ServerMessage::TransactionUpdate(message) => match &message.status {
            UpdateStatus::Committed(update) => names(update),
            UpdateStatus::Failed(_) | UpdateStatus::OutOfEnergy => vec![],
        },
        ServerMessage::TransactionUpdateLight(message) => names(&message.update),
        ServerMessage::OneOffQueryResponse(message) => {
            message.tables.iter().map(|table| &*table.table_name).collect()
        }
        ServerMessage::SubscribeApplied(message) => vec![&*message.rows.table_name],
        ServerMessage::UnsubscribeApplied(message) => vec![&*message.rows.table_name],
        ServerMessage::SubscribeMultiApplied(message) => names(&message.update),
        ServerMessage::UnsubscribeMultiApplied(message) => names(&message.update),
        ServerMessage::IdentityToken(_) | ServerMessage::SubscriptionError(_) => vec![],
    }
}

fn names(update: &DatabaseUpdate<BsatnFormat>) -> Vec<&str> {
    update.tables.iter().map(|table| &*table.table_name).collect()
}

/// What was sent, for people.
fn told(message: &Message) -> String {
    let bytes = message.clone().into_data();
    let head = &bytes[..bytes.len().min(400)];
    format!("{} bytes {}", bytes.len(), head.escape_ascii())
}

/// A random message.
fn message(tables: &[String], chance: &mut Chance) -> Message {
    let mut bytes = match chance.below(8) {
        0 => {
            let args = chance.below(40);
            let args = chance.bytes(args);
            let reducer = *chance.pick(&REDUCERS);
            call_message(reducer, &args)
        }
        1 => one_off(&chance.bits().to_le_bytes(), &query(tables, chance)),
        2 => {
            let mut bytes = vec![*chance.pick(&[UNSUBSCRIBE, UNSUBSCRIBE_MULTI])];
            bytes.extend(7_u32.to_le_bytes());
            bytes.extend(query_id(chance).to_le_bytes());
            bytes
        }
        3 => {
            let count = chance.below(300);
            chance.bytes(count)
        }
        4 => return other(chance),
        _ => subscription(tables, chance),
    };
    if chance.one_in(4) {
        chance.spoil(&mut bytes);
    }
    Message::binary(bytes)
}

/// A message that is none of the protocol, or of another protocol.
fn other(chance: &mut Chance) -> Message {
    match chance.below(4) {
        0 => Message::text(chance.text(10_000)),
        1 => {
            let count = chance.below(125);
            Message::Ping(chance.bytes(count).into())
        }
        2 => {
            let count = chance.below(125);
            Message::Pong(chance.bytes(count).into())
        }
        _ => Message::binary(vec![chance.bits().to_le_bytes()[0]; 60_000]),
    }
}

fn query_id(chance: &mut Chance) -> u32 {
    *chance.pick(&[0, 1, 2, 3, 7, 40, u32::MAX])
}

fn subscription(tables: &[String], chance: &mut Chance) -> Vec<u8> {
    let tag = *chance.pick(&[SUBSCRIBE, SUBSCRIBE_SINGLE, SUBSCRIBE_MULTI, SUBSCRIBE_MULTI]);
    let mut bytes = vec![tag];
    if tag == SUBSCRIBE_SINGLE {
        put_text(&mut bytes, &query(tables, chance));
    } else {
        let count = *chance.pick(&[0, 1, 1, 1, 2, 9]);
        bytes.extend(length(count));
        for _ in 0..count {
            put_text(&mut bytes, &query(tables, chance));
        }
    }
    bytes.extend(7_u32.to_le_bytes());
    if tag != SUBSCRIBE {
        bytes.extend(query_id(chance).to_le_bytes());
    }
    bytes
}

fn one_off(id: &[u8], query: &str) -> Vec<u8> {
    let mut bytes = vec![ONE_OFF_QUERY];
    bytes.extend(length(id.len()));
    bytes.extend(id);
    put_text(&mut bytes, query);
    bytes
}

fn put_text(bytes: &mut Vec<u8>, text: &str) {
    bytes.extend(length(text.len()));
    bytes.extend(text.as_bytes());
}

/// A query, more or less.
fn query(tables: &[String], chance: &mut Chance) -> String {
    const ODD: [&str; 16] = [
        "",
        ";",
        "SELECT",
        "SELECT * FROM",
        "SELECT * FROM st_table",
        "SELECT * FROM st_client",
        "SELECT * FROM st_module",
        "DELETE FROM entity",
        "UPDATE account SET role = 5",
        "INSERT INTO realm_owner (singleton_id, identity) VALUES (0, 0x00)",
        "SELECT COUNT(*) AS n FROM account",
        "SELECT * FROM entity; SELECT * FROM account",
        "SELECT * FROM entity e JOIN account a ON e.entity_id = a.account_id",
        "SELECT a.* FROM entity e JOIN account a ON e.entity_id = a.account_id",
        "SELECT e.* FROM entity e JOIN motion m ON e.entity_id = m.entity_id",
        "SET x = 1",
    ];
    const COLUMNS: [&str; 6] =
        ["chunk_index", "entity_id", "account_id", "name", "world", "nothing"];
    const VALUES: [&str; 12] = [
        "0",
        "-1",
        "18446744073709551615",
        "99999999999999999999999999999999999999999999",
        "1e400",
        "''",
        "'x'",
        "0x00",
        "true",
        "NULL",
        ":sender",
        "entity_id",
    ];
    let table = chance.pick(tables).clone();
    let term = |chance: &mut Chance| {
        let (column, value) = (*chance.pick(&COLUMNS), *chance.pick(&VALUES));
        let compare = *chance.pick(&["=", "<", ">=", "<>", "LIKE"]);
        format!("{column} {compare} {value}")
    };
    match chance.below(12) {
        0..=1 => (*chance.pick(&ODD)).to_owned(),
        2 => chance.text(QUERY_BYTES_MAX),
        3 => {
            let one = *chance.pick(&["entity_id = 1", "(entity_id = 1)", "NOT entity_id = 1"]);
            let link = *chance.pick(&[" AND ", " OR "]);
            let most = (QUERY_BYTES_MAX - 100) / (one.len() + link.len());
            let count = *chance.pick(&[2, 40, 300, most, 2 * most]);
            format!("SELECT * FROM entity WHERE {}", vec![one; count].join(link))
        }
        4 => {
            let count = *chance.pick(&[2, 40, 300, QUERY_BYTES_MAX / 2 - 100]);
            let (open, close) = ("(".repeat(count), ")".repeat(count));
            format!("SELECT * FROM entity WHERE {open}entity_id = 1{close}")
        }
        5 => {
            let query = format!("SELECT * FROM {table} WHERE {}", term(chance));
            let mut bytes = query.into_bytes();
            chance.spoil(&mut bytes);
            String::from_utf8_lossy(&bytes).into_owned()
        }
        6..=7 => format!("SELECT * FROM {table}"),
        8 => format!("SELECT * FROM {table} WHERE {} OR {}", term(chance), term(chance)),
        9 => format!("SELECT * FROM {table} LIMIT {}", chance.bits()),
        _ => format!("SELECT * FROM {table} WHERE {}", term(chance)),
    }
}
