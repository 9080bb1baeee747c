//! The board under test: one socket of the owner's, which is told of its own answers.

use std::time::{Duration, Instant};

use anyhow::{bail, ensure};
use haven_gateway::stdb::Args;
use haven_rules::content::versions::{StoredEntry, entries_of};
use haven_rules::content::{BoardDef, BoardHolder, BoardOperator, BoardOrder};
use spacetimedb_client_api_messages::websocket::{
    CallReducer, CallReducerFlags, ClientMessage, ServerMessage, Subscribe, UpdateStatus,
};
use spacetimedb_lib::SpacetimeType;

use super::Call;
use crate::bench::motion::watch::{Socket, connect, receive, send};
use crate::bench::server::Target;
use crate::content;

/// The board's key.
const BOARD: &str = "bench";
/// The version of content that `haven up` has put in force is the first one.
const VERSION: u32 = 2;
/// The session of commands.
const SESSION: u64 = 1;

/// The same as the reducer's.
#[derive(Debug, SpacetimeType)]
#[sats(crate = spacetimedb_lib)]
struct CommandId {
    session: u64,
    sequence: u64,
}

#[derive(Debug, SpacetimeType)]
#[sats(crate = spacetimedb_lib)]
struct Submission {
    holder_id: u64,
    score: i64,
    subscore: i64,
}

/// The first of what can be asked, in the reducer's order.
#[derive(Debug, SpacetimeType)]
#[sats(crate = spacetimedb_lib)]
enum Question {
    Rank,
    Around,
}

#[derive(Debug, SpacetimeType)]
#[sats(crate = spacetimedb_lib)]
struct SentEntry {
    kind: String,
    key: String,
    body: String,
}

/// A board on a server.
pub(super) struct Haven {
    target: Target,
    socket: Socket,
    request: u32,
    sequence: u64,
}

impl Haven {
    /// Defines the board and watches the answers.
    pub(super) async fn open(target: &Target) -> anyhow::Result<Self> {
        let mut socket = connect(target, &target.database).await?;
        let query_strings = ["SELECT * FROM board_answer".to_owned().into()].into();
        let subscribe = Subscribe { query_strings, request_id: 1 };
        send(&mut socket, ClientMessage::Subscribe(subscribe)).await?;
        while !matches!(receive(&mut socket).await?, ServerMessage::InitialSubscription(_)) {}
        let target = target.clone();
        let mut haven = Self { target, socket, request: 1, sequence: 0 };
        let mut pack = content::shipped()?;
        pack.board = vec![definition()];
        let sent = |StoredEntry { kind, key, body }| SentEntry { kind, key, body };
        let entries: Vec<SentEntry> = entries_of(&pack).into_iter().map(sent).collect();
        let stage = Args::new().with("For a benchmark").with(&entries);
        haven.run("content_stage", stage).await?;
        haven.run("content_activate", Args::new().with(&VERSION).with(&0_i64)).await?;
        Ok(haven)
    }

    /// Resident memory of the server, bytes.
    pub(super) fn memory_bytes(&self) -> anyhow::Result<f64> {
        Ok(self.target.usage()?.memory_mb() * 1e6)
    }

    /// Submits many records at once; how long that took.
    pub(super) async fn fill(&mut self, lines: &[(u64, i64)]) -> anyhow::Result<Duration> {
        let line = |(holder_id, score): &(u64, i64)| Submission {
            holder_id: *holder_id,
            score: *score,
            subscore: 0,
        };
        let lines: Vec<Submission> = lines.iter().map(line).collect();
        let args = Args::new().with(BOARD).with(&lines).with(&self.command());
        let began = Instant::now();
        self.run("board_submit_many", args).await?;
        Ok(began.elapsed())
    }

    /// Makes a call; how long it took, and how long inside of the engine.
    pub(super) async fn call(
        &mut self,
        call: Call,
        (holder_id, score): (u64, i64),
    ) -> anyhow::Result<(Duration, Duration)> {
        let look = |question: Question| {
            let args = Args::new().with(BOARD).with(&0_u32).with(&holder_id);
            ("board_look", args.with(&question).with(&7_u32))
        };
        let (reducer, args) = match call {
            Call::Submit => {
                let args = Args::new().with(BOARD).with(&holder_id).with(&score).with(&0_i64);
                ("board_submit", args.with(&self.command()))
            }
            Call::Rank => look(Question::Rank),
            Call::Around => look(Question::Around),
        };
        let began = Instant::now();
        let inside = self.run(reducer, args).await?;
        Ok((began.elapsed(), inside))
    }

    fn command(&mut self) -> CommandId {
        self.sequence += 1;
        CommandId { session: SESSION, sequence: self.sequence }
    }

    /// Calls a reducer and waits for its outcome, with the rows it changed that are watched.
    async fn run(&mut self, reducer: &str, args: Args) -> anyhow::Result<Duration> {
        self.request += 1;
        let request_id = self.request;
        let call = CallReducer {
            reducer: reducer.into(),
            args: args.into_bytes(),
            request_id,
            flags: CallReducerFlags::FullUpdate,
        };
        send(&mut self.socket, ClientMessage::CallReducer(call)).await?;
        loop {
            let ServerMessage::TransactionUpdate(update) = receive(&mut self.socket).await? else {
                continue;
            };
            if update.reducer_call.request_id != request_id {
                continue;
            }
            match update.status {
                UpdateStatus::Committed(changes) => {
                    let is_answered = reducer != "board_look" || !changes.tables.is_empty();
                    ensure!(is_answered, "there is no answer in what {reducer} has changed");
                }
                UpdateStatus::Failed(error) => bail!("{reducer} was refused: {error}"),
                UpdateStatus::OutOfEnergy => bail!("{reducer} was cut short"),
            }
            return Ok(update.total_host_execution_duration.to_duration().unwrap_or_default());
        }
    }
}

fn definition() -> BoardDef {
    BoardDef {
        key: BOARD.to_owned(),
        name: "For a benchmark".to_owned(),
        text: String::new(),
        order: BoardOrder::Descending,
        subscore: None,
        operator: BoardOperator::Set,
        start: 0,
        floor: 0,
        joined_only: false,
        attempts_max: 0,
        holder: BoardHolder::Free,
        feed: String::new(),
        served: true,
        reset: String::new(),
        reset_zone: String::new(),
        seasons_kept: 0,
        top: 100,
        rewards: vec![],
    }
}
