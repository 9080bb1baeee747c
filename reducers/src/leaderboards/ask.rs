//! Questions and their answers: rows that whoever asked alone sees.
//!
//! Keeps true: there is one answer to each kind of question of an asker, so that what is kept is
//! bounded; a question that is refused leaves the answer before it.

use super::top::name_of;
use super::trees::{Rows, Season, key_of};
use crate::authority::{require, require_player};
use crate::{Refusal, characters, friends, guilds, now_micros};
use haven_rules::accounts::Permission;
use haven_rules::keys::joint_key;
use haven_rules::leaderboards::tree::{Entry, Key};
use haven_rules::leaderboards::{
    AROUND, COMPANY_MAX, LeaderboardError, PAGE_MAX, Questions, around, ask, season_key,
};
use haven_tables::leaderboards::{
    Board, BoardAnswer, BoardAsker, BoardLine, BoardQuestion, BoardSeason, board, board_answer,
    board_asker, board_season,
};
use spacetimedb::{Identity, ReducerContext, Table, reducer};

/// What is added to a question's number where a service asks.
const OF_SERVICES: u64 = 16;
/// Questions of different kinds.
const KINDS: u64 = 5;

/// Who asks, and of whom.
struct Asker {
    answer_key: u128,
    viewer: Identity,
    holder_id: u64,
    request: u32,
}

/// Asks about a season of a board, 0 for the one that runs; the answer is the caller's row in
/// `board_answer`, with the number that the question is given here.
///
/// # Errors
/// In this order: the caller's, `leaderboard.not_in_world`, `leaderboard.board_unknown`,
/// `leaderboard.season_unknown`, `leaderboard.asked_too_often`.
#[reducer]
pub fn board_ask(
    ctx: &ReducerContext,
    board: String,
    season: u32,
    question: BoardQuestion,
    request: u32,
) -> Result<(), Refusal> {
    let player = require_player(ctx)?;
    let character_id = characters::entity_of(ctx, player.account_id);
    let character_id = character_id.ok_or(LeaderboardError::CharacterAbsent)?;
    let (board, season) = find(ctx, board, season)?;
    take_question(ctx, character_id)?;
    let answer_key = joint_key(character_id, number_of(question));
    let asker = Asker { answer_key, viewer: ctx.sender, holder_id: character_id, request };
    answer(ctx, &board, &season, question, &asker);
    Ok(())
}

/// The same about anybody, and without a bound on how often. For services, which have one answer
/// to each kind of question, too.
///
/// # Errors
/// In this order: the caller's, `leaderboard.board_unknown`, `leaderboard.season_unknown`.
#[reducer]
pub fn board_look(
    ctx: &ReducerContext,
    board: String,
    season: u32,
    holder_id: u64,
    question: BoardQuestion,
    request: u32,
) -> Result<(), Refusal> {
    let actor = require(ctx, Permission::Serve)?;
    let (board, season) = find(ctx, board, season)?;
    let answer_key = joint_key(actor.account_id, OF_SERVICES + number_of(question));
    let asker = Asker { answer_key, viewer: ctx.sender, holder_id, request };
    answer(ctx, &board, &season, question, &asker);
    Ok(())
}

const fn number_of(question: BoardQuestion) -> u64 {
    match question {
        BoardQuestion::Rank => 1,
        BoardQuestion::Around => 2,
        BoardQuestion::Friends => 3,
        BoardQuestion::Guild => 4,
        BoardQuestion::Page(_) => 5,
    }
}

fn find(
    ctx: &ReducerContext,
    board: String,
    season: u32,
) -> Result<(Board, BoardSeason), LeaderboardError> {
    let row = ctx.db.board().key().find(board).ok_or(LeaderboardError::BoardUnknown)?;
    let season = if season == 0 { row.season } else { season };
    let kept = ctx.db.board_season().season_key().find(season_key(row.board_id, season));
    Ok((row, kept.ok_or(LeaderboardError::SeasonUnknown)?))
}

fn take_question(ctx: &ReducerContext, character_id: u64) -> Result<(), LeaderboardError> {
    let row = ctx.db.board_asker().character_id().find(character_id);
    let is_known = row.is_some();
    let known =
        row.map(|row| Questions { left: row.left, counted_at_micros: row.counted_at_micros });
    let Questions { left, counted_at_micros } = ask(known, now_micros(ctx))?;
    let row = BoardAsker { character_id, counted_at_micros, left };
    if is_known {
        ctx.db.board_asker().character_id().update(row);
    } else {
        ctx.db.board_asker().insert(row);
    }
    Ok(())
}

fn answer(
    ctx: &ReducerContext,
    board: &Board,
    kept: &BoardSeason,
    question: BoardQuestion,
    asker: &Asker,
) {
    let rows = Rows::new(ctx, kept.tree_id);
    let mut season = Season::open(&rows);
    let own = season.record(asker.holder_id);
    let rank = own.as_ref().map(|row| season.tree.rank(key_of(row.place_key)));
    let total = season.tree.total();
    let lines = lines_of(ctx, &mut season, question, asker.holder_id, rank, total);
    let row = BoardAnswer {
        answer_key: asker.answer_key,
        viewer: asker.viewer,
        request: asker.request,
        board_id: board.board_id,
        season: u32::try_from(kept.season_key & u64::from(u32::MAX)).unwrap_or(0),
        attempts: own.as_ref().map_or(0, |row| row.attempts),
        holder_id: asker.holder_id,
        rank: rank.map_or(0, |rank| rank + 1),
        total,
        score: own.as_ref().map_or(0, |row| row.score),
        subscore: own.as_ref().map_or(0, |row| row.subscore),
        answered_at_micros: now_micros(ctx),
        is_joined: season.is_joined(asker.holder_id),
        lines,
    };
    if ctx.db.board_answer().answer_key().find(asker.answer_key).is_some() {
        ctx.db.board_answer().answer_key().update(row);
    } else {
        ctx.db.board_answer().insert(row);
    }
}

fn lines_of(
    ctx: &ReducerContext,
    season: &mut Season<'_>,
    question: BoardQuestion,
    holder_id: u64,
    rank: Option<u64>,
    total: u64,
) -> Vec<BoardLine> {
    let has_characters = season.has_characters();
    match question {
        BoardQuestion::Around => rank.map_or_else(Vec::new, |rank| {
            let most = usize::try_from(2 * AROUND + 1).unwrap_or(PAGE_MAX);
            page(ctx, season, around(rank, total), most)
        }),
        BoardQuestion::Page(from) => page(ctx, season, u64::from(from).saturating_sub(1), PAGE_MAX),
        BoardQuestion::Friends if has_characters => {
            let account_id = characters::owner_of(ctx, holder_id);
            let of = |account_id| friends::friends_of(ctx, account_id);
            let mut company = account_id.map_or_else(Vec::new, of);
            company.push(holder_id);
            best_of(ctx, season, company)
        }
        BoardQuestion::Guild if has_characters => {
            let guild = guilds::guild_of(ctx, holder_id);
            let company = guild.map_or_else(Vec::new, |guild| guilds::members_of(ctx, guild));
            best_of(ctx, season, company)
        }
        BoardQuestion::Rank | BoardQuestion::Friends | BoardQuestion::Guild => Vec::new(),
    }
}

/// Records from a rank on, which counts from 0.
fn page(ctx: &ReducerContext, season: &mut Season<'_>, first: u64, most: usize) -> Vec<BoardLine> {
    let entries = season.tree.page(first, most);
    let ranks = (first + 1)..;
    entries.into_iter().zip(ranks).map(|(entry, rank)| line(ctx, season, entry, rank)).collect()
}

/// The best of some characters, each with its rank among all.
fn best_of(ctx: &ReducerContext, season: &mut Season<'_>, company: Vec<u64>) -> Vec<BoardLine> {
    let mut found: Vec<Entry> = company
        .into_iter()
        .take(COMPANY_MAX)
        .filter_map(|holder_id| {
            let key: Key = key_of(season.record(holder_id)?.place_key);
            Some(Entry { key, holder_id })
        })
        .collect();
    found.sort_unstable_by_key(|entry| entry.key);
    found.dedup();
    found.truncate(PAGE_MAX);
    let ranked = found.into_iter().map(|entry| {
        let rank = season.tree.rank(entry.key) + 1;
        line(ctx, season, entry, rank)
    });
    ranked.collect()
}

fn line(ctx: &ReducerContext, season: &Season<'_>, entry: Entry, rank: u64) -> BoardLine {
    let standing = season.order.standing(entry.key);
    BoardLine {
        rank,
        holder_id: entry.holder_id,
        score: standing.score,
        subscore: standing.subscore,
        name: name_of(ctx, entry.holder_id, season.has_characters()),
    }
}

/// A character that is not there any more has asked nothing.
pub(super) fn forget(ctx: &ReducerContext, character_id: u64) {
    if ctx.db.board_asker().character_id().delete(character_id) {
        for number in 1..=KINDS {
            ctx.db.board_answer().answer_key().delete(joint_key(character_id, number));
        }
    }
}

/// Shows a character's answers to another identity.
pub(super) fn show_to(ctx: &ReducerContext, character_id: u64, viewer: Identity) {
    for number in 1..=KINDS {
        let row = ctx.db.board_answer().answer_key().find(joint_key(character_id, number));
        if let Some(row) = row {
            ctx.db.board_answer().answer_key().update(BoardAnswer { viewer, ..row });
        }
    }
}
