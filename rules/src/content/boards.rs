//! Leaderboards as content: what is counted, who may be on them, and what a season brings.

use serde::{Deserialize, Serialize};

use super::words;

words! {
    /// Which way something is better.
    BoardOrder {
        /// High is better.
        Descending = "descending",
        /// Low is better, as with times.
        Ascending = "ascending",
    }
}

words! {
    /// What a submission does with what is there.
    BoardOperator {
        /// The better one stays.
        Best = "best",
        /// The later one stays.
        Set = "set",
        /// They are added up.
        Sum = "sum",
        /// It is taken from what is there, down to the floor.
        Decrement = "decrement",
    }
}

words! {
    /// Whose numbers stand on a board.
    BoardHolder {
        /// Characters: they have names and are rewarded.
        Character = "character",
        /// Whatever a trusted service means by them.
        Free = "free",
    }
}

/// A leaderboard.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BoardDef {
    pub key: String,
    pub name: String,
    #[serde(default)]
    pub text: String,
    pub order: BoardOrder,
    /// What decides between equal scores; none where it is who was there first.
    #[serde(default)]
    pub subscore: Option<BoardOrder>,
    pub operator: BoardOperator,
    /// What a sum begins with, and what is taken from first.
    #[serde(default)]
    pub start: i64,
    /// Down to where is taken away.
    #[serde(default)]
    pub floor: i64,
    /// Whether one has to join each season.
    #[serde(default)]
    pub joined_only: bool,
    /// Submissions of a season; 0 for any number.
    #[serde(default)]
    pub attempts_max: u32,
    #[serde(default = "characters")]
    pub holder: BoardHolder,
    /// What of the game feeds it; empty for nothing.
    #[serde(default)]
    pub feed: String,
    /// Whether trusted services may submit.
    #[serde(default)]
    pub served: bool,
    /// A season ends whenever this comes: five fields of cron, or a name such as `@monthly`; empty
    /// for never.
    #[serde(default)]
    pub reset: String,
    /// The zone by whose clock that is read, such as `Europe/Berlin`; empty for `UTC`.
    #[serde(default)]
    pub reset_zone: String,
    /// Seasons that are kept after they have closed.
    pub seasons_kept: u8,
    /// Records on the page that everybody can watch.
    pub top: u8,
    #[serde(default)]
    pub rewards: Vec<BoardReward>,
}

const fn characters() -> BoardHolder {
    BoardHolder::Character
}

/// What ranks are rewarded with when a season closes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BoardReward {
    /// Counted from 1.
    pub from_rank: u32,
    pub to_rank: u32,
    #[serde(default)]
    pub copper: u32,
    #[serde(default)]
    pub items: Vec<BoardItem>,
}

/// Items of a reward.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BoardItem {
    /// Key of an item of the same pack.
    pub item: String,
    pub count: u32,
}
