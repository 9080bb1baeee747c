//! Leaderboards: boards and their seasons, records, the tree that ranks them, and answers.
//!
//! Keeps true: a season has one tree, and a record lies in one; `board_record` alone is the truth,
//! the tree only counts it; whoever asks sees what was answered, and nobody else does.
//!
//! A season that has closed is kept as long as its board says (`seasons_kept`), then it is removed
//! leaf by leaf. An answer is kept until the next one to the same question, or until its character
//! leaves the world.

use spacetimedb::sats::u256;
use spacetimedb::{Filter, Identity, SpacetimeType, client_visibility_filter, table};

/// A board that content has defined at some time. What it is stands in `content_def`, kind `board`.
#[table(name = board, public)]
#[derive(Clone)]
pub struct Board {
    /// When the season ends in the upper 64 bits, `board_id` in the lower: read by the tick.
    #[unique]
    pub ends_key: u128,
    /// Never reused.
    #[primary_key]
    pub board_id: u32,
    /// The season that runs, from 1.
    pub season: u32,
    /// That season's tree: what `board_top` is watched by.
    pub tree_id: u64,
    /// When it began, microseconds since 1970.
    pub began_at_micros: i64,
    /// When it ends, microseconds since 1970; the largest number for never.
    pub ends_at_micros: i64,
    /// Its key in content.
    #[unique]
    pub key: String,
    /// What in content says when seasons end (`rules::leaderboards::reset::spelled`).
    pub reset: String,
}

/// A season, as long as it is kept.
#[table(name = board_season, public)]
#[derive(Clone)]
pub struct BoardSeason {
    /// The season's tree. Never reused.
    #[primary_key]
    pub tree_id: u64,
    /// `board_id` in the upper 32 bits, the season in the lower.
    #[unique]
    pub season_key: u64,
    /// When it began, microseconds since 1970.
    pub began_at_micros: i64,
    /// When it closed, microseconds since 1970; 0 while it runs.
    pub closed_at_micros: i64,
    /// How many records it closed with; 0 while it runs.
    pub records: u64,
    /// `rules::leaderboards::SeasonState`.
    pub state: u8,
}

/// Somebody's record of a season.
#[table(name = board_record)]
#[derive(Clone)]
pub struct BoardRecord {
    /// Where it stands: tree, score, subscore and sequence, 64 bits each, so that whoever is better
    /// is lower (`rules::leaderboards::tree::Key`). Read in ranges.
    #[unique]
    pub place_key: u256,
    /// Whose it is in the upper 64 bits, `tree_id` in the lower.
    #[primary_key]
    pub owner_key: u128,
    /// The season's.
    pub tree_id: u64,
    /// Whose it is.
    pub holder_id: u64,
    /// The score, within 2⁵³ of 0.
    pub score: i64,
    /// The subscore, likewise; 0 where the board has none.
    pub subscore: i64,
    /// Who was first: the lower one. Another one with each score.
    pub sequence: u64,
    /// Submissions this season; counted where the board bounds them.
    pub attempts: u32,
}

/// Who has joined a season.
#[table(name = board_joined)]
pub struct BoardJoined {
    /// The character in the upper 64 bits, `tree_id` in the lower.
    #[primary_key]
    pub owner_key: u128,
    /// `tree_id` in the upper 64 bits, the how-manieth it was in the lower: read by the sweep.
    #[unique]
    pub joined_key: u128,
}

/// What the tree of a season is known by. Written with every record that gets another place.
#[table(name = board_tree)]
#[derive(Clone)]
pub struct BoardTree {
    /// The season's.
    #[primary_key]
    pub tree_id: u64,
    /// The last sequence that was given: who was first.
    pub sequence: u64,
    /// How many have joined.
    pub joined: u64,
    /// Of the last record of the top page, or the largest number where the page has room.
    pub cut_score: u64,
    /// See above.
    pub cut_subscore: u64,
    /// See above.
    pub cut_sequence: u64,
    /// `rules::leaderboards::tree::Head`.
    pub root: u32,
    /// See above.
    pub nodes: u32,
    /// See above.
    pub levels: u8,
    /// Which way it is read (`rules::leaderboards::Order`).
    pub order: u8,
    /// Whether records are of characters.
    pub has_characters: bool,
}

/// Where the ranges of a node begin and which nodes are below it. Written where one is split or
/// joined.
#[table(name = board_node)]
pub struct BoardNode {
    /// `tree_id` in the upper 32 bits, the node's number in the lower.
    #[primary_key]
    pub node_key: u64,
    /// `rules::leaderboards::tree`.
    pub shape: Vec<u8>,
}

/// How many records each of a node's ranges has. Written with every record that gets another place.
#[table(name = board_count)]
pub struct BoardCount {
    /// As in `board_node`.
    #[primary_key]
    pub node_key: u64,
    /// 32 bits for each range.
    pub counts: Vec<u8>,
}

/// A record of a season's top page, as of the last look, which is a quarter of a second ago at
/// most. Clients put them in order: by score and subscore as the board says, then by sequence.
#[table(
    name = board_top,
    public,
    // Watched: `SELECT * FROM board_top WHERE tree_id = …`.
    index(name = by_tree, btree(columns = [tree_id]))
)]
#[derive(Clone, PartialEq)]
pub struct BoardTop {
    /// As in `board_record`.
    #[primary_key]
    pub owner_key: u128,
    /// The season's.
    pub tree_id: u64,
    /// Whose it is.
    pub holder_id: u64,
    /// The score.
    pub score: i64,
    /// The subscore.
    pub subscore: i64,
    /// Who was first: the lower one.
    pub sequence: u64,
    /// The character's name; empty for what is none.
    pub name: String,
}

/// A season whose top page has changed and was not looked at since.
#[table(name = board_top_due)]
pub struct BoardTopDue {
    /// The season's.
    #[primary_key]
    pub tree_id: u64,
    /// Since when it waits, microseconds since 1970: the oldest are looked at first.
    pub since_at_micros: i64,
}

/// A season that is not kept any more, and how far it is removed.
#[table(name = board_sweep)]
pub struct BoardSweep {
    /// The season's.
    #[primary_key]
    pub tree_id: u64,
    /// Those who joined that are removed.
    pub joined: u64,
}

/// A reward as it was promised when the season closed.
#[derive(SpacetimeType, Clone, Debug, PartialEq, Eq)]
pub struct BoardPrize {
    /// From this rank, counted from 1.
    pub from_rank: u32,
    /// To this one.
    pub to_rank: u32,
    /// Coins.
    pub copper: u32,
    /// Kinds of items.
    pub items: Vec<BoardPrizeItem>,
}

/// Items of a reward.
#[derive(SpacetimeType, Clone, Debug, PartialEq, Eq)]
pub struct BoardPrizeItem {
    /// Key of the definition.
    pub item: String,
    /// How many.
    pub count: u32,
}

/// How far a closed season has been rewarded: there until all are.
#[table(name = board_payout)]
#[derive(Clone)]
pub struct BoardPayout {
    /// The last record that was looked at (as `board_record.place_key`); 0 at first.
    pub after_key: u256,
    /// The season's.
    #[primary_key]
    pub tree_id: u64,
    /// The rank of the next one, counted from 1.
    pub next_rank: u64,
    /// What is given.
    pub prizes: Vec<BoardPrize>,
}

/// That a character was rewarded. Kept as long as the season.
#[table(name = board_reward)]
pub struct BoardReward {
    /// The character in the upper 64 bits, `tree_id` in the lower.
    #[primary_key]
    pub owner_key: u128,
    /// The rank it was for.
    pub rank: u64,
    /// The cause of the ledger that its goods have.
    pub cause_id: u64,
}

/// What somebody asks of a board.
#[derive(SpacetimeType, Clone, Copy, Debug, PartialEq, Eq)]
pub enum BoardQuestion {
    /// One's own record and rank.
    Rank,
    /// The page around one's own.
    Around,
    /// The best of one's friends and oneself.
    Friends,
    /// The best of one's guild.
    Guild,
    /// The page from a rank on, counted from 1.
    Page(u32),
}

/// A line of a page.
#[derive(SpacetimeType, Clone, Debug, PartialEq, Eq)]
pub struct BoardLine {
    /// Counted from 1.
    pub rank: u64,
    /// Whose it is.
    pub holder_id: u64,
    /// The score.
    pub score: i64,
    /// The subscore.
    pub subscore: i64,
    /// The character's name; empty for what is none.
    pub name: String,
}

/// What was answered: the last answer to each kind of question.
#[table(name = board_answer, public)]
pub struct BoardAnswer {
    /// Who asked in the upper 64 bits (a character; a service's account), the question in the
    /// lower: 1 for rank, 2 around, 3 friends, 4 guild, 5 page; 16 more for services.
    #[primary_key]
    pub answer_key: u128,
    /// Who may see it.
    pub viewer: Identity,
    /// The number that the question was given by who asked.
    pub request: u32,
    /// Which board.
    pub board_id: u32,
    /// Which season.
    pub season: u32,
    /// Submissions of whom it is about, this season, where the board bounds them.
    pub attempts: u32,
    /// Whom it is about.
    pub holder_id: u64,
    /// Its rank, counted from 1; 0 where it has no record.
    pub rank: u64,
    /// Records of the season.
    pub total: u64,
    /// Its score.
    pub score: i64,
    /// Its subscore.
    pub subscore: i64,
    /// When it was answered, microseconds since 1970.
    pub answered_at_micros: i64,
    /// Whether it has joined.
    pub is_joined: bool,
    /// The page that was asked for.
    pub lines: Vec<BoardLine>,
}

#[client_visibility_filter]
const BOARD_ANSWER_FILTER: Filter =
    Filter::Sql("SELECT * FROM board_answer WHERE viewer = :sender");

/// What is left of a character's questions (`rules::leaderboards::Questions`).
#[table(name = board_asker)]
pub struct BoardAsker {
    /// The character.
    #[primary_key]
    pub character_id: u64,
    /// Up to when what has come back is counted, microseconds since 1970.
    pub counted_at_micros: i64,
    /// How many can be asked at once.
    pub left: u32,
}
