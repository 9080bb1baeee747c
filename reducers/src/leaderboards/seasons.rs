//! Seasons: they begin, close, are rewarded, kept and removed.
//!
//! Keeps true: a season closes in one transaction, after which every submission is of the next one;
//! a slice of rewards is given in the transaction that moves the cursor over it, so that a reward
//! is given once, whenever the process ends; a season that is closed changes no more, but for
//! characters that are removed for good.

use super::trees::{Rows, Season, key_of, look_at_top, place};
use crate::content::book;
use crate::economy::{Cause, Purse};
use crate::items::{self, Holder, Spot};
use crate::mail::{self, RealmLetter};
use crate::ordered::ranges;
use crate::sequences;
use crate::{characters, now_micros};
use haven_rules::content::{BoardDef, BoardHolder};
use haven_rules::economy::{CauseKind, Source};
use haven_rules::keys::{joint_key, keys_of, part_of};
use haven_rules::leaderboards::{
    BOARDS_EVER_MAX, NEVER_MICROS, REWARDS_PER_SLICE, SeasonState, ends_key, last_rewarded, reset,
    reward_of, season_key,
};
use haven_rules::sequences::Numbered;
use haven_tables::items::item;
use haven_tables::leaderboards::{
    Board, BoardPayout, BoardPrize, BoardPrizeItem, BoardReward, BoardSeason, BoardSweep, board,
    board_joined, board_payout, board_record, board_reward, board_season, board_sweep, board_top,
    board_top_due,
};
use spacetimedb::sats::u256;
use spacetimedb::{ReducerContext, Table};

/// Most boards that one tick closes.
const CLOSES_PER_TICK: usize = 8;
/// Most of those who joined that one tick removes.
const JOINED_PER_TICK: u64 = 256;
/// Records of the top page of a board that content does not define any more.
const TOP_WITHOUT_DEFINITION: usize = 100;
/// The text of the letter that rewards come with: board, season, rank.
const LETTER: &str = "leaderboard_reward";

/// A board that content defines, and its row.
pub(super) fn current<'a>(
    ctx: &ReducerContext,
    defs: &'a haven_rules::content::book::Book,
    key: &str,
) -> Option<(&'a BoardDef, Board)> {
    let def = defs.board(key)?;
    let row = ctx.db.board().key().find(key.to_owned())?;
    let now = now_micros(ctx);
    // The tick may be late; whoever submits is not.
    let row = if row.ends_at_micros <= now { close(ctx, row, Some(def), now) } else { row };
    Some((def, row))
}

/// Boards that content has added begin, and those whose resets it has changed end when it says.
pub(super) fn match_content(ctx: &ReducerContext) {
    let (defs, now) = (book(ctx), now_micros(ctx));
    #[expect(clippy::disallowed_methods, reason = "bounded by BOARDS_EVER_MAX")]
    let known: Vec<Board> = ctx.db.board().iter().collect();
    for row in known {
        let def = defs.board(&row.key);
        let reset = def.map(reset::spelled).unwrap_or_default();
        if reset != row.reset {
            let ends_at_micros = end_of(def, now);
            let ends_key = ends_key(ends_at_micros, row.board_id);
            let row = Board { ends_key, ends_at_micros, reset, ..row.clone() };
            ctx.db.board().board_id().update(row);
        }
        // What this transaction has closed goes on by what is in force from now on.
        if let Some(def) = def.filter(|_| row.began_at_micros == now) {
            let rows = Rows::new(ctx, row.tree_id);
            Season::fit(&rows, def, def.holder == BoardHolder::Character);
        }
    }
    for def in defs.boards() {
        let is_known = ctx.db.board().key().find(&def.key).is_some();
        if !is_known && ctx.db.board().count() < BOARDS_EVER_MAX {
            found(ctx, def, now);
        }
    }
}

fn end_of(def: Option<&BoardDef>, now: i64) -> i64 {
    def.and_then(|def| reset::next_end_micros(def, now)).unwrap_or(NEVER_MICROS)
}

/// A board that was not there before.
fn found(ctx: &ReducerContext, def: &BoardDef, now: i64) {
    let ends_at_micros = end_of(Some(def), now);
    let board_id = sequences::next_of_few(ctx, Numbered::Board);
    let tree_id = begin(ctx, board_id, 1, def, now);
    ctx.db.board().insert(Board {
        ends_key: ends_key(ends_at_micros, board_id),
        board_id,
        season: 1,
        tree_id,
        began_at_micros: now,
        ends_at_micros,
        key: def.key.clone(),
        reset: reset::spelled(def),
    });
}

fn begin(ctx: &ReducerContext, board_id: u32, season: u32, def: &BoardDef, now: i64) -> u64 {
    let row = ctx.db.board_season().insert(BoardSeason {
        tree_id: sequences::next(ctx, Numbered::BoardSeason),
        season_key: season_key(board_id, season),
        began_at_micros: now,
        closed_at_micros: 0,
        records: 0,
        state: SeasonState::Running as u8,
    });
    let rows = Rows::new(ctx, row.tree_id);
    Season::begin(&rows, def, def.holder == BoardHolder::Character);
    row.tree_id
}

/// Closes what is due.
pub(super) fn close_due(ctx: &ReducerContext) {
    let now = now_micros(ctx);
    let due: Vec<Board> = ranges(ctx.db.board().ends_key())
        .filter(..=ends_key(now, u32::MAX))
        .take(CLOSES_PER_TICK)
        .collect();
    if due.is_empty() {
        return;
    }
    let defs = book(ctx);
    for row in due {
        let def = defs.board(&row.key);
        close(ctx, row, def, now);
    }
}

/// Closes all that has ended by now, however much it is: content that comes in force would give it
/// another end, other rewards, or none.
pub(super) fn close_all_due(ctx: &ReducerContext) {
    let (defs, now) = (book(ctx), now_micros(ctx));
    #[expect(clippy::disallowed_methods, reason = "bounded by BOARDS_EVER_MAX")]
    let known = ctx.db.board().iter();
    let due: Vec<Board> = known.filter(|row| row.ends_at_micros <= now).collect();
    for row in due {
        let def = defs.board(&row.key);
        close(ctx, row, def, now);
    }
}

/// Closes a season, and begins the next one. A board that content does not define any more has no
/// next one: its season goes on, and nobody can submit to it.
pub(super) fn close(ctx: &ReducerContext, row: Board, def: Option<&BoardDef>, now: i64) -> Board {
    let ends_at_micros = end_of(def, now);
    let ends_key = ends_key(ends_at_micros, row.board_id);
    let Some(def) = def else {
        let reset = String::new();
        let row = Board { ends_key, ends_at_micros, reset, ..row };
        return ctx.db.board().board_id().update(row);
    };
    let rows = Rows::new(ctx, row.tree_id);
    let records = Season::open(&rows).tree.total();
    let is_rewarded = records > 0 && !def.rewards.is_empty();
    let state = if is_rewarded { SeasonState::Rewarding } else { SeasonState::Closed };
    let known = ctx.db.board_season().tree_id().find(row.tree_id);
    let known = known.expect("invariant: a board has its season");
    let state = state as u8;
    let closed = BoardSeason { closed_at_micros: now, records, state, ..known };
    ctx.db.board_season().tree_id().update(closed);
    if is_rewarded {
        ctx.db.board_payout().insert(BoardPayout {
            after_key: u256::ZERO,
            tree_id: row.tree_id,
            next_rank: 1,
            prizes: prizes_of(def),
        });
    }
    let season = row.season + 1;
    let tree_id = begin(ctx, row.board_id, season, def, now);
    let row = Board { ends_key, season, tree_id, began_at_micros: now, ends_at_micros, ..row };
    let row = ctx.db.board().board_id().update(row);
    let_go(ctx, row.board_id, def.seasons_kept);
    row
}

fn prizes_of(def: &BoardDef) -> Vec<BoardPrize> {
    let item_of = |item: &haven_rules::content::BoardItem| BoardPrizeItem {
        item: item.item.clone(),
        count: item.count,
    };
    let prize = |reward: &haven_rules::content::BoardReward| BoardPrize {
        from_rank: reward.from_rank,
        to_rank: reward.to_rank,
        copper: reward.copper,
        items: reward.items.iter().map(item_of).collect(),
    };
    def.rewards.iter().map(prize).collect()
}

const fn ranks_of(prize: &BoardPrize) -> (u32, u32) {
    (prize.from_rank, prize.to_rank)
}

/// Closed seasons beyond those that are kept, the oldest first, begin to be removed.
fn let_go(ctx: &ReducerContext, board_id: u32, kept: u8) {
    let all = season_key(board_id, 0)..=season_key(board_id, u32::MAX);
    let mut seasons: Vec<BoardSeason> =
        ranges(ctx.db.board_season().season_key()).filter(all).collect();
    seasons.retain(|row| row.state != SeasonState::Running as u8);
    seasons.sort_unstable_by_key(|row| std::cmp::Reverse(row.season_key));
    let state = SeasonState::Leaving as u8;
    for row in seasons.into_iter().skip(kept.into()) {
        if row.state == SeasonState::Closed as u8 {
            ctx.db.board_sweep().insert(BoardSweep { tree_id: row.tree_id, joined: 0 });
            ctx.db.board_season().tree_id().update(BoardSeason { state, ..row });
        }
    }
}

/// A board's row and its definition, by a season of it.
fn board_of(ctx: &ReducerContext, season: &BoardSeason) -> Option<Board> {
    let board_id = u32::try_from(season.season_key >> 32).ok()?;
    ctx.db.board().board_id().find(board_id)
}

/// How many records a season's top page has.
pub(super) fn top_of(ctx: &ReducerContext, season: &BoardSeason) -> usize {
    let defs = book(ctx);
    let key = board_of(ctx, season).map(|row| row.key).unwrap_or_default();
    defs.board(&key).map_or(TOP_WITHOUT_DEFINITION, |def| def.top.into())
}

/// Gives a slice of one season's rewards.
pub(super) fn pay_slice(ctx: &ReducerContext) {
    if ctx.db.board_payout().count() == 0 {
        return;
    }
    #[expect(clippy::disallowed_methods, reason = "bounded by the seasons that are kept")]
    let Some(mut payout) = ctx.db.board_payout().iter().next() else { return };
    let tree_id = payout.tree_id;
    let rows = Rows::new(ctx, tree_id);
    let after = (payout.after_key != u256::ZERO).then(|| key_of(payout.after_key));
    let winners = Season::open(&rows).tree.after(after);
    let last_rank = last_rewarded(payout.prizes.iter().map(ranks_of));
    for winner in winners.iter().take(REWARDS_PER_SLICE) {
        if payout.next_rank <= last_rank {
            give(ctx, &payout, winner.holder_id);
        }
        payout.after_key = place(tree_id, winner.key);
        payout.next_rank += 1;
    }
    if !winners.is_empty() && payout.next_rank <= last_rank {
        ctx.db.board_payout().tree_id().update(payout);
        return;
    }
    ctx.db.board_payout().tree_id().delete(tree_id);
    let Some(row) = ctx.db.board_season().tree_id().find(tree_id) else { return };
    let state = SeasonState::Closed as u8;
    let row = ctx.db.board_season().tree_id().update(BoardSeason { state, ..row });
    // What content does not define any more says of no season that it is not kept.
    if let Some(board) = board_of(ctx, &row) {
        if let Some(def) = book(ctx).board(&board.key) {
            let_go(ctx, board.board_id, def.seasons_kept);
        }
    }
}

/// Sends a winner what its rank has, if anything, and notes that it has.
fn give(ctx: &ReducerContext, payout: &BoardPayout, character_id: u64) {
    let (tree_id, rank) = (payout.tree_id, payout.next_rank);
    let index = reward_of(payout.prizes.iter().map(ranks_of), rank);
    let Some(prize) = index.and_then(|index| payout.prizes.get(index)) else { return };
    let Some(account_id) = characters::owner_of(ctx, character_id) else { return };
    let cause = Cause::new(ctx, CauseKind::Reward, (0, 0), tree_id);
    let holder = Holder::lost_and_found(ctx, account_id);
    let mut stacks = Vec::new();
    for BoardPrizeItem { item, count } in &prize.items {
        match items::make(ctx, &cause, item, *count, holder, Spot::Anywhere) {
            Ok(made) => stacks.extend(made),
            Err(error) => log::warn!("tree {tree_id}, rank {rank}: {count} {item}: {error}"),
        }
    }
    stacks.sort_unstable();
    stacks.dedup();
    let stacks: Vec<_> =
        stacks.into_iter().filter_map(|id| ctx.db.item().item_id().find(id)).collect();
    let copper = u64::from(prize.copper);
    let season = ctx.db.board_season().tree_id().find(tree_id);
    let board = season.as_ref().and_then(|row| board_of(ctx, row));
    let number = season.map_or(0, |row| row.season_key & u64::from(u32::MAX));
    let letter = RealmLetter {
        to_character_id: character_id,
        template: LETTER,
        words: vec![
            board.map(|row| row.key).unwrap_or_default(),
            number.to_string(),
            rank.to_string(),
        ],
        stacks: &stacks,
        coins: (copper > 0).then(|| (Purse::source(Source::Reward), copper)),
    };
    mail::send_by_realm(ctx, &cause, letter);
    let owner_key = joint_key(character_id, tree_id);
    ctx.db.board_reward().insert(BoardReward { owner_key, rank, cause_id: cause.cause_id });
}

/// Removes a leaf of a season that is not kept any more.
pub(super) fn sweep(ctx: &ReducerContext) {
    if ctx.db.board_sweep().count() == 0 {
        return;
    }
    #[expect(clippy::disallowed_methods, reason = "bounded by the seasons there are")]
    let Some(sweep) = ctx.db.board_sweep().iter().next() else { return };
    let tree_id = sweep.tree_id;
    let rows = Rows::new(ctx, tree_id);
    let mut season = Season::open(&rows);
    if sweep.joined < season.joined() {
        let key = |number: u64| joint_key(tree_id, number);
        let joined = sweep.joined + JOINED_PER_TICK;
        let gone: Vec<u128> = ranges(ctx.db.board_joined().joined_key())
            .filter(key(sweep.joined)..=key(joined))
            .map(|row| row.owner_key)
            .collect();
        for owner_key in gone {
            ctx.db.board_joined().owner_key().delete(owner_key);
        }
        ctx.db.board_sweep().tree_id().update(BoardSweep { joined, ..sweep });
        return;
    }
    for holder_id in season.shed() {
        ctx.db.board_reward().owner_key().delete(joint_key(holder_id, tree_id));
    }
    if season.tree.total() > 0 {
        season.save();
        return;
    }
    let shown: Vec<u128> =
        ctx.db.board_top().by_tree().filter(tree_id).map(|row| row.owner_key).collect();
    for owner_key in shown {
        ctx.db.board_top().owner_key().delete(owner_key);
    }
    ctx.db.board_top_due().tree_id().delete(tree_id);
    ctx.db.board_season().tree_id().delete(tree_id);
    ctx.db.board_sweep().tree_id().delete(tree_id);
    season.fell();
}

/// Has the top pages looked at that show a character.
pub(super) fn renamed(ctx: &ReducerContext, character_id: u64) {
    let all = keys_of(character_id);
    let shown: Vec<u64> =
        ranges(ctx.db.board_top().owner_key()).filter(all).map(|row| row.tree_id).collect();
    for tree_id in shown {
        look_at_top(ctx, tree_id);
    }
}

/// Removes all that a character has on boards.
pub(super) fn forget(ctx: &ReducerContext, character_id: u64) {
    let all = keys_of(character_id);
    let mut trees: Vec<u64> = ranges(ctx.db.board_joined().owner_key())
        .filter(all.clone())
        .map(|row| part_of(row.owner_key))
        .collect();
    let recorded = ranges(ctx.db.board_record().owner_key()).filter(all);
    trees.extend(recorded.map(|row| row.tree_id));
    trees.sort_unstable();
    trees.dedup();
    for tree_id in trees {
        let rows = Rows::new(ctx, tree_id);
        let mut season = Season::open(&rows);
        // The number may be that of something else on a board without characters.
        if !season.has_characters() {
            continue;
        }
        season.strike(character_id);
        season.save();
        let owner_key = joint_key(character_id, tree_id);
        ctx.db.board_joined().owner_key().delete(owner_key);
        ctx.db.board_reward().owner_key().delete(owner_key);
    }
}
