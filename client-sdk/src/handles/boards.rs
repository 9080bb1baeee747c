//! Leaderboards.
//!
//! Keeps true: an answer has the number that its question was given.

use crate::error::HavenError;
use crate::kept::rows::{Board, BoardAnswer, BoardSeason, BoardTop};
use crate::link::Call;
use crate::module_bindings::BoardQuestion;
use std::sync::Arc;

handle! {
    /// Leaderboards. [`Topic::Boards`](crate::Topic::Boards) keeps boards and answers known here,
    /// [`Topic::BoardTop`](crate::Topic::BoardTop) a season's top page.
    BoardsHandle
}

impl BoardsHandle<'_> {
    /// Joins the season of a board that asks for it.
    ///
    /// # Errors
    /// `leaderboard.not_in_world`, `leaderboard.board_unknown`, `leaderboard.join_unneeded`,
    /// `leaderboard.joined`.
    pub async fn join(&self, board: &str) -> Result<(), HavenError> {
        let board = board.to_owned();
        self.realm.command(|command| Call::BoardJoin { board, command }).await
    }

    /// Asks about a season of a board, 0 for the one that runs; the answer is the player's row in
    /// `board_answer`, with the number that the question is given here.
    ///
    /// # Errors
    /// `leaderboard.not_in_world`, `leaderboard.board_unknown`, `leaderboard.season_unknown`,
    /// `leaderboard.asked_too_often`.
    pub async fn ask(
        &self,
        board: &str,
        season: u32,
        question: BoardQuestion,
        request: u32,
    ) -> Result<(), HavenError> {
        let board = board.to_owned();
        self.realm.ask(Call::BoardAsk { board, season, question, request }).await
    }

    snapshots! {
        /// All boards.
        boards = board: Board;
        /// Seasons that are kept.
        seasons = board_season: BoardSeason;
        /// Lines of the top pages that are watched, in no order of rank.
        top = board_top: BoardTop;
        /// Answers to what one asked.
        answers = board_answer: BoardAnswer;
    }
}
