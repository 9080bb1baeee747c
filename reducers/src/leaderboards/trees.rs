//! A season's tree in its tables, and the records that lie in it.
//!
//! Keeps true: a record and its count change in one transaction, so that no rank is ever off; what
//! changes the top page says so.

use crate::now_micros;
use crate::ordered::ranges;
use haven_rules::content::BoardDef;
use haven_rules::keys::joint_key;
use haven_rules::leaderboards::tree::{Entry, Head, Key, Span, Store, Tree};
use haven_rules::leaderboards::{Holder, LeaderboardError, Order, Standing, submitted};
use haven_tables::leaderboards::{
    BoardCount, BoardNode, BoardRecord, BoardTopDue, BoardTree, board_count, board_joined,
    board_node, board_record, board_top_due, board_tree,
};
use spacetimedb::sats::u256;
use spacetimedb::{ReducerContext, Table};

/// The rows of a tree.
pub(super) struct Rows<'a> {
    pub(super) ctx: &'a ReducerContext,
    tree_id: u64,
}

impl<'a> Rows<'a> {
    pub(super) const fn new(ctx: &'a ReducerContext, tree_id: u64) -> Self {
        Self { ctx, tree_id }
    }

    const fn key(&self, node_id: u32) -> u64 {
        (self.tree_id << 32) | node_id as u64
    }
}

/// Where a record of a tree lies.
pub(super) fn place(tree_id: u64, key: Key) -> u256 {
    let (high, low) = key.place(tree_id);
    u256::from_words(high, low)
}

/// What lies there.
pub(super) fn key_of(place_key: u256) -> Key {
    let (high, low) = place_key.into_words();
    Key::of_place(high, low)
}

impl Store for Rows<'_> {
    fn shape(&self, node_id: u32) -> Vec<u8> {
        let row = self.ctx.db.board_node().node_key().find(self.key(node_id));
        row.expect("invariant: a tree has its nodes").shape
    }

    fn counts(&self, node_id: u32) -> Vec<u8> {
        let row = self.ctx.db.board_count().node_key().find(self.key(node_id));
        row.expect("invariant: a node has its counts").counts
    }

    fn put_shape(&self, node_id: u32, shape: Vec<u8>, is_new: bool) {
        let row = BoardNode { node_key: self.key(node_id), shape };
        if is_new {
            self.ctx.db.board_node().insert(row);
        } else {
            self.ctx.db.board_node().node_key().update(row);
        }
    }

    fn put_counts(&self, node_id: u32, counts: Vec<u8>, is_new: bool) {
        let row = BoardCount { node_key: self.key(node_id), counts };
        if is_new {
            self.ctx.db.board_count().insert(row);
        } else {
            self.ctx.db.board_count().node_key().update(row);
        }
    }

    fn remove(&self, node_id: u32) {
        self.ctx.db.board_node().node_key().delete(self.key(node_id));
        self.ctx.db.board_count().node_key().delete(self.key(node_id));
    }

    fn entries(&self, span: Span) -> Vec<Entry> {
        let from = place(self.tree_id, span.from);
        let until = match span.until {
            Some(until) => place(self.tree_id, until),
            None => place(self.tree_id + 1, Key::LOWEST),
        };
        if from >= until {
            return Vec::new();
        }
        let rows = ranges(self.ctx.db.board_record().place_key()).filter(from..until);
        let mut found: Vec<Entry> = rows
            .map(|row| Entry { key: key_of(row.place_key), holder_id: row.holder_id })
            .collect();
        // What this transaction wrote comes before what was there.
        found.sort_unstable_by_key(|entry| entry.key);
        found
    }
}

/// A season while it is worked with. What has changed is written by [`Self::save`].
pub(super) struct Season<'a> {
    rows: &'a Rows<'a>,
    row: BoardTree,
    /// Its tree.
    pub(super) tree: Tree<'a, Rows<'a>>,
    /// Which way it is read.
    pub(super) order: Order,
    is_changed: bool,
    is_top_changed: bool,
}

impl<'a> Season<'a> {
    pub(super) fn open(rows: &'a Rows<'a>) -> Self {
        let row = rows.ctx.db.board_tree().tree_id().find(rows.tree_id);
        let row = row.expect("invariant: a season that is kept has its tree");
        let head = Head { root: row.root, levels: row.levels, nodes: row.nodes };
        let (tree, order) = (Tree::open(rows, head), Order::from_code(row.order));
        Self { rows, row, tree, order, is_changed: false, is_top_changed: false }
    }

    /// The season's first rows.
    pub(super) fn begin(rows: &'a Rows<'a>, def: &BoardDef, has_characters: bool) {
        let Head { root, levels, nodes } = Tree::new(rows).finish();
        rows.ctx.db.board_tree().insert(BoardTree {
            tree_id: rows.tree_id,
            sequence: 0,
            joined: 0,
            cut_score: u64::MAX,
            cut_subscore: u64::MAX,
            cut_sequence: u64::MAX,
            root,
            nodes,
            levels,
            order: Order::of(def).code(),
            has_characters,
        });
    }

    /// Has a season that began in this transaction, and is without records, be read as another
    /// definition says.
    pub(super) fn fit(rows: &'a Rows<'a>, def: &BoardDef, has_characters: bool) {
        let mut season = Self::open(rows);
        if season.tree.total() == 0 {
            let row = BoardTree { order: Order::of(def).code(), has_characters, ..season.row };
            rows.ctx.db.board_tree().tree_id().update(row);
        }
    }

    /// Whose numbers its records are.
    pub(super) const fn has_characters(&self) -> bool {
        self.row.has_characters
    }

    /// Somebody's record.
    pub(super) fn record(&self, holder_id: u64) -> Option<BoardRecord> {
        let owner_key = joint_key(holder_id, self.rows.tree_id);
        self.rows.ctx.db.board_record().owner_key().find(owner_key)
    }

    /// Whether somebody has joined.
    pub(super) fn is_joined(&self, holder_id: u64) -> bool {
        let owner_key = joint_key(holder_id, self.rows.tree_id);
        self.rows.ctx.db.board_joined().owner_key().find(owner_key).is_some()
    }

    /// Takes a submission. Nothing is changed where it is refused.
    ///
    /// # Errors
    /// In this order: `leaderboard.not_joined`, `leaderboard.attempts_spent`,
    /// `leaderboard.score_invalid`.
    pub(super) fn submit(
        &mut self,
        def: &BoardDef,
        holder_id: u64,
        given: Standing,
    ) -> Result<(), LeaderboardError> {
        let known = self.record(holder_id);
        let standing =
            known.as_ref().map(|row| Standing { score: row.score, subscore: row.subscore });
        let attempts = known.as_ref().map_or(0, |row| row.attempts);
        let is_joined = def.joined_only && self.is_joined(holder_id);
        let holder = Holder { standing, attempts, is_joined };
        let new = submitted(def, self.order, &holder, given)?;
        let attempts = if def.attempts_max > 0 { attempts + 1 } else { attempts };
        match (known, new) {
            (known, Some(standing)) => self.put(known, holder_id, standing, attempts),
            (Some(row), None) if row.attempts != attempts => {
                let row = BoardRecord { attempts, ..row };
                self.rows.ctx.db.board_record().owner_key().update(row);
            }
            (Some(_) | None, None) => {}
        }
        Ok(())
    }

    fn put(
        &mut self,
        known: Option<BoardRecord>,
        holder_id: u64,
        standing: Standing,
        attempts: u32,
    ) {
        self.row.sequence += 1;
        let key = self.order.key(standing, self.row.sequence);
        let row = BoardRecord {
            place_key: place(self.rows.tree_id, key),
            owner_key: joint_key(holder_id, self.rows.tree_id),
            tree_id: self.rows.tree_id,
            holder_id,
            score: standing.score,
            subscore: standing.subscore,
            sequence: key.sequence,
            attempts,
        };
        self.touch(key);
        if let Some(known) = known {
            let old = key_of(known.place_key);
            self.touch(old);
            self.rows.ctx.db.board_record().owner_key().update(row);
            self.tree.replace(old, key);
        } else {
            self.rows.ctx.db.board_record().insert(row);
            self.tree.add(key);
        }
    }

    /// Removes somebody's record, if there is one.
    pub(super) fn strike(&mut self, holder_id: u64) {
        let Some(row) = self.record(holder_id) else { return };
        let key = key_of(row.place_key);
        self.rows.ctx.db.board_record().owner_key().delete(row.owner_key);
        self.tree.subtract(key);
        self.touch(key);
    }

    /// Removes the records of the first leaf, without a look at the top page; whose they were.
    pub(super) fn shed(&mut self) -> Vec<u64> {
        let gone = self.tree.shed();
        for entry in &gone {
            let owner_key = joint_key(entry.holder_id, self.rows.tree_id);
            self.rows.ctx.db.board_record().owner_key().delete(owner_key);
        }
        self.is_changed = true;
        gone.iter().map(|entry| entry.holder_id).collect()
    }

    /// The number of who joins now.
    pub(super) fn next_joined(&mut self) -> u64 {
        self.row.joined += 1;
        self.is_changed = true;
        self.row.joined
    }

    /// How many have joined.
    pub(super) const fn joined(&self) -> u64 {
        self.row.joined
    }

    /// The last record of the top page, so that what comes behind it does not count there.
    pub(super) fn cut(&mut self, last: Option<Key>) {
        let all = Key { score: u64::MAX, subscore: u64::MAX, sequence: u64::MAX };
        let Key { score, subscore, sequence } = last.unwrap_or(all);
        let (cut_score, cut_subscore, cut_sequence) = (score, subscore, sequence);
        let row = BoardTree { cut_score, cut_subscore, cut_sequence, ..self.row.clone() };
        self.row = row;
        self.is_changed = true;
    }

    fn touch(&mut self, key: Key) {
        let BoardTree { cut_score, cut_subscore, cut_sequence, .. } = self.row;
        let (score, subscore, sequence) = (cut_score, cut_subscore, cut_sequence);
        self.is_changed = true;
        self.is_top_changed |= key <= Key { score, subscore, sequence };
    }

    /// Writes what has changed.
    pub(super) fn save(self) {
        if !self.is_changed {
            return;
        }
        let ctx = self.rows.ctx;
        let Head { root, levels, nodes } = self.tree.finish();
        ctx.db.board_tree().tree_id().update(BoardTree { root, levels, nodes, ..self.row });
        if self.is_top_changed {
            look_at_top(ctx, self.rows.tree_id);
        }
    }

    /// Removes a tree without records.
    pub(super) fn fell(self) {
        self.tree.fell();
        self.rows.ctx.db.board_tree().tree_id().delete(self.rows.tree_id);
    }
}

/// Has a season's top page looked at by one of the next ticks.
pub(super) fn look_at_top(ctx: &ReducerContext, tree_id: u64) {
    if ctx.db.board_top_due().tree_id().find(tree_id).is_none() {
        ctx.db.board_top_due().insert(BoardTopDue { tree_id, since_at_micros: now_micros(ctx) });
    }
}
