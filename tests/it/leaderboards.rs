//! Leaderboards: every reducer and refusal, exact ranks, seasons that close while others submit,
//! and rewards that are given once.

mod answers;
mod ranks;
mod seasons;
mod stories;

use crate::support::client::Client;
use crate::support::content::srd;
use crate::support::{Database, until};
use haven_rules::content::{BoardDef, BoardHolder, BoardOperator, BoardOrder, BoardReward};
use serde_json::{Value, json};

/// A board that services submit to, the best score of a character counting.
pub(crate) fn board(key: &str) -> BoardDef {
    BoardDef {
        key: key.to_owned(),
        name: "For a test".to_owned(),
        text: String::new(),
        order: BoardOrder::Descending,
        subscore: None,
        operator: BoardOperator::Best,
        start: 0,
        floor: 0,
        joined_only: false,
        attempts_max: 0,
        holder: BoardHolder::Character,
        feed: String::new(),
        served: true,
        reset: String::new(),
        reset_zone: String::new(),
        seasons_kept: 4,
        top: 5,
        rewards: vec![],
    }
}

/// Coins for ranks.
pub(crate) fn reward(from_rank: u32, to_rank: u32, copper: u32) -> BoardReward {
    BoardReward { from_rank, to_rank, copper, items: vec![] }
}

/// Puts these boards in force, and no others.
pub(crate) async fn define(database: &Database, boards: Vec<BoardDef>) {
    let mut pack = srd();
    pack.board = boards;
    database.put_in_force(&pack).await;
}

/// The number of a command.
pub(crate) fn id(session: u64, sequence: u64) -> Value {
    json!({ "session": session, "sequence": sequence })
}

/// A service that is connected.
pub(crate) async fn service(database: &Database, email: &str) -> Client {
    let account_id = database.register(email).await;
    database.admit(account_id, "service").await
}

/// A board's row.
pub(crate) async fn row_of(database: &Database, board: &str) -> Value {
    let rows = database.rows("board").await;
    rows.into_iter().find(|row| row["key"] == board).expect("a board")
}

/// What a service is answered about somebody.
pub(crate) async fn look(
    database: &Database,
    board: &str,
    season: u32,
    holder_id: u64,
    question: Value,
) -> Value {
    let args = json!([board, season, holder_id, question, 7]);
    database.owner.call("board_look", args).await.expect("answered");
    let mut answers = database.rows("board_answer").await;
    answers.sort_by_key(|row| row["answered_at_micros"].as_i64());
    answers.pop().expect("an answer")
}

/// Waits until nothing is left to do with what has closed.
pub(crate) async fn settled(database: &Database) {
    until("everything is rewarded, shown and removed", || async {
        for table in ["board_payout", "board_top_due", "board_sweep"] {
            if !database.rows(table).await.is_empty() {
                return None;
            }
        }
        Some(())
    })
    .await;
}
