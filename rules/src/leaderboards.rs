//! Leaderboards: records, exact ranks, seasons and rewards.
//!
//! Keeps true: of two records the better one is before the other, and of two that are equal the one
//! that was there first; a record that a submission does not change keeps its place; a season's
//! rewards are what its board promised when it closed.
//! Leaves out on purpose: where records lie; a rank is found by [`tree`].

pub mod reset;
pub mod tree;

use crate::content::{BoardDef, BoardOperator, BoardOrder};
use crate::errors::domain_errors;
use crate::keys::joint_key;
use tree::Key;

domain_errors! {
    /// Why something about leaderboards was refused.
    LeaderboardError {
        CharacterAbsent = 1500, "leaderboard.not_in_world", "the caller has no character in the world";
        BoardUnknown = 1501, "leaderboard.board_unknown", "there is no such board";
        SeasonUnknown = 1502, "leaderboard.season_unknown", "the board has no such season, or it is not kept any more";
        AskedTooOften = 1503, "leaderboard.asked_too_often", "the character has asked too often; an answer is kept until the next one";
        NotServed = 1504, "leaderboard.not_served", "the board is fed by the game alone";
        EntriesInvalid = 1505, "leaderboard.entries_invalid", "1 to 1000 submissions can be sent at once";
        HolderUnknown = 1506, "leaderboard.holder_unknown", "there is no such character";
        JoinUnneeded = 1507, "leaderboard.join_unneeded", "the board is open to everybody";
        Joined = 1508, "leaderboard.joined", "the character has joined this season already";
        NotJoined = 1509, "leaderboard.not_joined", "the character has not joined this season";
        AttemptsSpent = 1510, "leaderboard.attempts_spent", "no attempts are left in this season";
        ScoreInvalid = 1511, "leaderboard.score_invalid", "a score is within 2^53 of 0, and one that is taken away is not negative";
    }
}

/// Scores are within this of 0: every client can show them exactly.
pub const SCORE_MAX: i64 = 1 << 53;
/// Most records on a page that is asked for.
pub const PAGE_MAX: usize = 25;
/// Records before and after one's own on a page around it.
pub const AROUND: u64 = 10;
/// Most friends, and most members of a guild, that are looked at for a page of theirs.
pub const COMPANY_MAX: usize = 500;
/// Most submissions of one call.
pub const SUBMISSIONS_MAX: usize = 1_000;
/// Questions a character can ask at once after a while without any.
pub const QUESTIONS_BURST: u32 = 20;
/// How long it takes until one more can be asked, microseconds.
pub const QUESTION_MICROS: i64 = 250_000;
/// Winners that are rewarded in one transaction.
pub const REWARDS_PER_SLICE: usize = 25;

/// Most boards that a realm has ever had; what content defines beyond is not begun.
pub const BOARDS_EVER_MAX: u64 = 1_000;
/// When a season ends that is never reset.
pub const NEVER_MICROS: i64 = i64::MAX;

/// How far a season has come. The numbers stand in rows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum SeasonState {
    /// Records are made.
    Running = 0,
    /// It has closed, and is rewarded.
    Rewarding = 1,
    /// It is kept to be looked at.
    Closed = 2,
    /// It is not kept any more.
    Leaving = 3,
}

/// The key of a board's season.
pub const fn season_key(board_id: u32, season: u32) -> u64 {
    ((board_id as u64) << 32) | season as u64
}

/// The key of a board that ends then.
pub const fn ends_key(ends_at_micros: i64, board_id: u32) -> u128 {
    let at = if ends_at_micros < 0 { 0 } else { ends_at_micros.cast_unsigned() };
    joint_key(at, board_id as u64)
}

/// What is on a board.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Standing {
    /// The score.
    pub score: i64,
    /// What decides between equal scores, where the board has it.
    pub subscore: i64,
}

/// Which way a board is read: kept for a season, whatever content says meanwhile.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Order {
    /// Whether high scores are better.
    pub score: BoardOrder,
    /// The same of subscores.
    pub subscore: BoardOrder,
}

impl Order {
    /// That of a board.
    pub fn of(def: &BoardDef) -> Self {
        Self { score: def.order, subscore: def.subscore.unwrap_or(BoardOrder::Descending) }
    }

    /// As rows hold it.
    pub const fn code(self) -> u8 {
        (self.score as u8) | ((self.subscore as u8) << 1)
    }

    /// From a row.
    pub const fn from_code(code: u8) -> Self {
        const fn bit(code: u8) -> BoardOrder {
            if code & 1 == 0 { BoardOrder::Descending } else { BoardOrder::Ascending }
        }
        Self { score: bit(code), subscore: bit(code >> 1) }
    }

    /// Where a record of that standing is.
    pub const fn key(self, standing: Standing, sequence: u64) -> Key {
        let (score, subscore) = (standing.score, standing.subscore);
        Key {
            score: lower_is_better(self.score, score),
            subscore: lower_is_better(self.subscore, subscore),
            sequence,
        }
    }

    /// What a record has that is there.
    pub const fn standing(self, key: Key) -> Standing {
        Standing {
            score: value_of(self.score, key.score),
            subscore: value_of(self.subscore, key.subscore),
        }
    }
}

const SIGN: u64 = 1 << 63;

const fn lower_is_better(order: BoardOrder, value: i64) -> u64 {
    let rising = value.cast_unsigned() ^ SIGN;
    match order {
        BoardOrder::Ascending => rising,
        BoardOrder::Descending => !rising,
    }
}

const fn value_of(order: BoardOrder, number: u64) -> i64 {
    let rising = match order {
        BoardOrder::Ascending => number,
        BoardOrder::Descending => !number,
    };
    (rising ^ SIGN).cast_signed()
}

/// Whose submission it is, as the board sees it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Holder {
    /// What it has on the board.
    pub standing: Option<Standing>,
    /// How often it has submitted this season.
    pub attempts: u32,
    /// Whether it has joined this season.
    pub is_joined: bool,
}

/// What comes of a submission: the standing that is new, if it is; it stays as it was otherwise.
///
/// # Errors
/// In this order: `NotJoined`, `AttemptsSpent`, `ScoreInvalid`.
pub fn submitted(
    def: &BoardDef,
    order: Order,
    holder: &Holder,
    given: Standing,
) -> Result<Option<Standing>, LeaderboardError> {
    if def.joined_only && !holder.is_joined {
        return Err(LeaderboardError::NotJoined);
    }
    if def.attempts_max > 0 && holder.attempts >= def.attempts_max {
        return Err(LeaderboardError::AttemptsSpent);
    }
    let given = Standing { subscore: def.subscore.map_or(0, |_| given.subscore), ..given };
    if !is_score(given.score) || !is_score(given.subscore) {
        return Err(LeaderboardError::ScoreInvalid);
    }
    let begins = Standing { score: def.start, subscore: 0 };
    let had = holder.standing.unwrap_or(begins);
    let new = match def.operator {
        BoardOperator::Best => match holder.standing {
            Some(had) if order.key(given, 0) >= order.key(had, 0) => had,
            Some(_) | None => given,
        },
        BoardOperator::Set => given,
        BoardOperator::Sum => {
            Standing { score: had.score + given.score, subscore: had.subscore + given.subscore }
        }
        BoardOperator::Decrement if given.score < 0 => return Err(LeaderboardError::ScoreInvalid),
        BoardOperator::Decrement => {
            let floor = def.floor.min(had.score);
            Standing { score: (had.score - given.score).max(floor), subscore: given.subscore }
        }
    };
    if !is_score(new.score) || !is_score(new.subscore) {
        return Err(LeaderboardError::ScoreInvalid);
    }
    Ok(Some(new).filter(|new| holder.standing != Some(*new)))
}

fn is_score(score: i64) -> bool {
    (-SCORE_MAX..=SCORE_MAX).contains(&score)
}

/// Refuses a character that joins where it need not or has.
///
/// # Errors
/// In this order: `JoinUnneeded`, `Joined`.
pub fn validate_join(def: &BoardDef, is_joined: bool) -> Result<(), LeaderboardError> {
    if !def.joined_only {
        return Err(LeaderboardError::JoinUnneeded);
    }
    if is_joined { Err(LeaderboardError::Joined) } else { Ok(()) }
}

/// Which reward a rank has, counted from 1: the first whose ranks, both ends within, it is among.
pub fn reward_of(ranks: impl IntoIterator<Item = (u32, u32)>, rank: u64) -> Option<usize> {
    let among = |(from, to): (u32, u32)| (u64::from(from)..=u64::from(to)).contains(&rank);
    ranks.into_iter().position(among)
}

/// The last rank that is rewarded; 0 where none is.
pub fn last_rewarded(ranks: impl IntoIterator<Item = (u32, u32)>) -> u64 {
    ranks.into_iter().map(|(_, to)| u64::from(to)).max().unwrap_or(0)
}

/// What is left of a character's questions, and since when that counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Questions {
    /// How many can be asked at once.
    pub left: u32,
    /// Up to when what has come back is counted, microseconds since 1970.
    pub counted_at_micros: i64,
}

/// Takes a question from what is left; `known` is none for who has asked none for long.
///
/// # Errors
/// `AskedTooOften`.
pub fn ask(known: Option<Questions>, now_micros: i64) -> Result<Questions, LeaderboardError> {
    let full = Questions { left: QUESTIONS_BURST, counted_at_micros: now_micros };
    let had = known.map_or(full, |known| {
        let passed = now_micros.saturating_sub(known.counted_at_micros).max(0);
        let back = u32::try_from(passed / QUESTION_MICROS).unwrap_or(u32::MAX);
        let left = known.left.saturating_add(back);
        if left >= QUESTIONS_BURST {
            return full;
        }
        let counted_at_micros = known.counted_at_micros + i64::from(back) * QUESTION_MICROS;
        Questions { left, counted_at_micros }
    });
    let left = had.left.checked_sub(1).ok_or(LeaderboardError::AskedTooOften)?;
    Ok(Questions { left, ..had })
}

/// The first rank of a page around one, both counted from 0: [`AROUND`] before it, and more where
/// there are fewer after it.
pub const fn around(rank: u64, total: u64) -> u64 {
    let last = total.saturating_sub(2 * AROUND + 1);
    let first = rank.saturating_sub(AROUND);
    if first < last { first } else { last }
}

#[cfg(test)]
mod tests;
