//! What is checked of leaderboards.

use crate::content::entry::Kind;
use crate::content::{BoardDef, BoardHolder, limits};
use crate::leaderboards::reset::ends;
use crate::notices::schedule::ScheduleError;

use super::Check;

pub(super) fn board(check: &mut Check<'_>, board: &BoardDef) {
    check.key(&board.key);
    check.name("name", &board.name);
    check.text_if_any(&board.text);
    check.range("start", board.start, &limits::BOARD_SCORE);
    check.range("floor", board.floor, &limits::BOARD_SCORE);
    check.range("attempts_max", board.attempts_max, &limits::BOARD_ATTEMPTS);
    reset(check, board);
    check.range("seasons_kept", board.seasons_kept, &limits::BOARD_SEASONS);
    check.range("top", board.top, &limits::BOARD_TOP);
    if !board.feed.is_empty() && !is_feed(&board.feed) {
        check.fail("feed", "is not 1 to 48 of a-z, 0-9 and _");
    }
    if board.holder == BoardHolder::Free {
        if !board.feed.is_empty() {
            check.fail("feed", "is there, though no characters are on the board");
        }
        if board.joined_only {
            check.fail("joined_only", "is set, though no characters are on the board");
        }
        if !board.rewards.is_empty() {
            check.fail("rewards", "are there, though no characters are on the board");
        }
    }
    check.length("rewards", board.rewards.len(), 0, limits::LIST_MAX, "entries");
    for (index, reward) in board.rewards.iter().enumerate() {
        let path = |field: &str| format!("rewards[{index}].{field}");
        check.range(&path("from_rank"), reward.from_rank, &limits::BOARD_RANK);
        check.range(&path("to_rank"), reward.to_rank, &limits::BOARD_RANK);
        if reward.from_rank > reward.to_rank {
            check.fail(&path("to_rank"), "is before from_rank");
        }
        check.range(&path("copper"), reward.copper, &limits::BOARD_COPPER);
        let items = reward.items.len();
        check.length(&path("items"), items, 0, limits::BOARD_ITEMS, "entries");
        if reward.copper == 0 && reward.items.is_empty() {
            check.fail(&path("copper"), "is 0, though there are no items");
        }
        for (number, item) in reward.items.iter().enumerate() {
            let path = |field: &str| format!("rewards[{index}].items[{number}].{field}");
            check.range(&path("count"), item.count, &limits::BOARD_ITEM_COUNT);
            check.refers(&path("item"), &[Kind::Item], &item.item);
        }
    }
}

fn reset(check: &mut Check<'_>, board: &BoardDef) {
    match ends(board) {
        Some(Err(ScheduleError::PatternInvalid)) => check.fail("reset", "is no pattern of cron"),
        Some(Err(ScheduleError::ZoneUnknown)) => {
            check.fail("reset_zone", "is no time zone there is");
        }
        Some(Err(ScheduleError::NeverDue)) => check.fail("reset", "never comes"),
        None if !board.reset_zone.is_empty() => {
            check.fail("reset_zone", "is there, though there is no reset");
        }
        Some(Ok(_)) | None => {}
    }
}

fn is_feed(word: &str) -> bool {
    let is_good = |letter: char| matches!(letter, 'a'..='z' | '0'..='9' | '_');
    (1..=super::KEY_CHARS_MAX).contains(&word.len()) && word.chars().all(is_good)
}
