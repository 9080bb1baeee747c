//! Leaderboards: records, exact ranks, seasons and rewards.
//!
//! Keeps true: a record, its rank and its season change in one transaction; whoever submits after
//! the instant at which a season ends is in the next one; a question costs the realm a bounded
//! number of rows, and a character only so many questions.
//! Leaves out on purpose: what is worth a place on a board, which content and services say.

pub mod ask;
mod seasons;
mod top;
mod trees;

use crate::authority::{require, require_database, require_player};
use crate::commands::once;
use crate::content::book;
use crate::{Refusal, audit, characters, economy, now_micros};
use haven_rules::accounts::Permission;
use haven_rules::content::book::Book;
use haven_rules::content::{BoardDef, BoardHolder};
use haven_rules::economy::PurseKind;
use haven_rules::keys::joint_key;
use haven_rules::leaderboards::{LeaderboardError, SUBMISSIONS_MAX, Standing, validate_join};
use haven_tables::characters::character_progress;
use haven_tables::commands::CommandId;
use haven_tables::leaderboards::{Board, BoardJoined, board_joined};
use spacetimedb::{Identity, ReducerContext, ScheduleAt, SpacetimeType, Table, reducer, table};
use std::time::Duration;
use trees::{Rows, Season};

/// How often top pages are looked at, seasons closed, rewards given and old seasons removed.
const TICK_INTERVAL: Duration = Duration::from_millis(250);

/// The timer of [`board_tick()`].
#[table(name = board_tick_timer, scheduled(board_tick))]
pub struct BoardTickTimer {
    /// The timer's number.
    #[primary_key]
    #[auto_inc]
    pub scheduled_id: u64,
    /// When it fires.
    pub scheduled_at: ScheduleAt,
}

/// One of many submissions.
#[derive(SpacetimeType, Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct BoardSubmission {
    /// The character, or whatever the board's records are of.
    pub holder_id: u64,
    /// Within 2⁵³ of 0.
    pub score: i64,
    /// The same; not kept where the board has none.
    pub subscore: i64,
}

pub(crate) fn ensure_timers(ctx: &ReducerContext) {
    if ctx.db.board_tick_timer().count() == 0 {
        let scheduled_at = TICK_INTERVAL.into();
        ctx.db.board_tick_timer().insert(BoardTickTimer { scheduled_id: 0, scheduled_at });
    }
}

/// Another version of content comes in force: what has ended by now ends by the one that still is.
pub(crate) fn content_changes(ctx: &ReducerContext) {
    seasons::close_all_due(ctx);
}

/// Another version of content is in force.
pub(crate) fn content_changed(ctx: &ReducerContext) {
    seasons::match_content(ctx);
}

pub(crate) fn character_entered(ctx: &ReducerContext, _account_id: u64, character_id: u64) {
    // Whoever was there before a board was has a place on it, too.
    let progress = ctx.db.character_progress().character_id().find(character_id);
    let level = progress.map_or(1, |row| row.level);
    feed(ctx, "level", character_id, level.into());
    feed_wealth(ctx, character_id);
}

pub(crate) fn character_leaving(ctx: &ReducerContext, _account_id: u64, character_id: u64) {
    feed_wealth(ctx, character_id);
    ask::forget(ctx, character_id);
}

pub(crate) fn character_purged(ctx: &ReducerContext, _account_id: u64, character_id: u64) {
    seasons::forget(ctx, character_id);
    ask::forget(ctx, character_id);
}

pub(crate) fn account_rebound(ctx: &ReducerContext, account_id: u64, viewer: Identity) {
    for character_id in characters::characters_of(ctx, account_id) {
        ask::show_to(ctx, character_id, viewer);
    }
}

/// A character has another name: top pages that show it are looked at.
pub(crate) fn character_renamed(ctx: &ReducerContext, character_id: u64) {
    seasons::renamed(ctx, character_id);
}

fn feed_wealth(ctx: &ReducerContext, character_id: u64) {
    let copper = economy::copper_of(ctx, PurseKind::Wallet, character_id);
    feed(ctx, "wealth", character_id, i64::try_from(copper).unwrap_or(i64::MAX));
}

/// Something happened that boards count: `feed` is the name by which their definitions ask for it.
/// Whoever may not be on a board is not.
pub(crate) fn feed(ctx: &ReducerContext, feed: &str, character_id: u64, score: i64) {
    let defs = book(ctx);
    let fed = |def: &&BoardDef| def.feed == feed && def.holder == BoardHolder::Character;
    for def in defs.boards().iter().filter(fed) {
        let Some((def, row)) = seasons::current(ctx, &defs, &def.key) else { continue };
        let rows = Rows::new(ctx, row.tree_id);
        let mut season = Season::open(&rows);
        if season.submit(def, character_id, Standing { score, subscore: 0 }).is_ok() {
            season.save();
        }
    }
}

/// Joins the season of a board that asks for it.
///
/// # Errors
/// In this order: the caller's, `leaderboard.not_in_world`, the command's,
/// `leaderboard.board_unknown`, `leaderboard.join_unneeded`, `leaderboard.joined`.
#[reducer]
pub fn board_join(ctx: &ReducerContext, board: String, command: CommandId) -> Result<(), Refusal> {
    let player = require_player(ctx)?;
    let character_id = characters::entity_of(ctx, player.account_id);
    let character_id = character_id.ok_or(LeaderboardError::CharacterAbsent)?;
    once(ctx, player.account_id, command, &("board_join", &board, character_id), || {
        let defs = book(ctx);
        let (def, row) = find(ctx, &defs, &board)?;
        let rows = Rows::new(ctx, row.tree_id);
        let mut season = Season::open(&rows);
        validate_join(def, season.is_joined(character_id))?;
        let joined_key = joint_key(row.tree_id, season.next_joined());
        let owner_key = joint_key(character_id, row.tree_id);
        ctx.db.board_joined().insert(BoardJoined { owner_key, joined_key });
        season.save();
        Ok(())
    })
}

/// Submits a score to a board that services may submit to. For services.
///
/// # Errors
/// In this order: the caller's, the command's, `leaderboard.board_unknown`,
/// `leaderboard.not_served`, `leaderboard.holder_unknown`, `leaderboard.not_joined`,
/// `leaderboard.attempts_spent`, `leaderboard.score_invalid`.
#[reducer]
pub fn board_submit(
    ctx: &ReducerContext,
    board: String,
    holder_id: u64,
    score: i64,
    subscore: i64,
    command: CommandId,
) -> Result<(), Refusal> {
    let given = BoardSubmission { holder_id, score, subscore };
    submit_all(ctx, "board_submit", &board, &[given], command)
}

/// Submits many scores to a board, all or none of them. For services.
///
/// # Errors
/// In this order: the caller's, the command's, `leaderboard.entries_invalid`,
/// `leaderboard.board_unknown`, `leaderboard.not_served`; then one by one
/// `leaderboard.holder_unknown`, `leaderboard.not_joined`, `leaderboard.attempts_spent`,
/// `leaderboard.score_invalid`.
#[reducer]
pub fn board_submit_many(
    ctx: &ReducerContext,
    board: String,
    submissions: Vec<BoardSubmission>,
    command: CommandId,
) -> Result<(), Refusal> {
    submit_all(ctx, "board_submit_many", &board, &submissions, command)
}

fn submit_all(
    ctx: &ReducerContext,
    what: &str,
    board: &str,
    submissions: &[BoardSubmission],
    command: CommandId,
) -> Result<(), Refusal> {
    let actor = require(ctx, Permission::Serve)?;
    if !(1..=SUBMISSIONS_MAX).contains(&submissions.len()) {
        return Err(LeaderboardError::EntriesInvalid.into());
    }
    once(ctx, actor.account_id, command, &(what, board, submissions), || {
        let defs = book(ctx);
        let (def, row) = find(ctx, &defs, board)?;
        if !def.served {
            return Err(LeaderboardError::NotServed.into());
        }
        let rows = Rows::new(ctx, row.tree_id);
        let mut season = Season::open(&rows);
        for BoardSubmission { holder_id, score, subscore } in submissions {
            if season.has_characters() && characters::account_of(ctx, *holder_id).is_none() {
                return Err(LeaderboardError::HolderUnknown.into());
            }
            let given = Standing { score: *score, subscore: *subscore };
            season.submit(def, *holder_id, given)?;
        }
        season.save();
        Ok(())
    })
}

/// Closes a board's season now, with all that closing brings. For staff.
///
/// # Errors
/// In this order: the caller's, the command's, `leaderboard.board_unknown`.
#[reducer]
pub fn board_season_close(
    ctx: &ReducerContext,
    board: String,
    command: CommandId,
) -> Result<(), Refusal> {
    let actor = require(ctx, Permission::ManageGoods)?;
    once(ctx, actor.account_id, command, &("board_season_close", &board), || {
        let defs = book(ctx);
        let (def, row) = find(ctx, &defs, &board)?;
        let detail = format!("{board} {}", row.season);
        audit::record(ctx, actor.account_id, 0, "board_season_closed", &detail);
        seasons::close(ctx, row, Some(def), now_micros(ctx));
        Ok(())
    })
}

fn find<'a>(
    ctx: &ReducerContext,
    defs: &'a Book,
    board: &str,
) -> Result<(&'a BoardDef, Board), LeaderboardError> {
    seasons::current(ctx, defs, board).ok_or(LeaderboardError::BoardUnknown)
}

/// Does what is due: closes seasons, looks at top pages, gives rewards, removes old seasons. Each
/// of it is bounded; what is left waits for the next run.
///
/// # Errors
/// `realm.database_only` for clients.
#[reducer]
pub fn board_tick(ctx: &ReducerContext, _timer: BoardTickTimer) -> Result<(), Refusal> {
    require_database(ctx)?;
    seasons::close_due(ctx);
    top::refresh(ctx);
    seasons::pay_slice(ctx);
    seasons::sweep(ctx);
    Ok(())
}
