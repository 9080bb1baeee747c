//! The tree against a sorted reference: a million steps find no rank that differs.

use super::*;
use proptest::prelude::*;
use std::cell::{Cell, RefCell};
use std::collections::BTreeSet;

/// Nodes and records in memory; counts what is read and written.
#[derive(Default)]
struct Memory<const LEAF: u32, const FANOUT: usize> {
    shapes: RefCell<BTreeMap<u32, Vec<u8>>>,
    counts: RefCell<BTreeMap<u32, Vec<u8>>>,
    records: RefCell<BTreeMap<Key, u64>>,
    steps: Cell<usize>,
    entries: Cell<usize>,
}

impl<const LEAF: u32, const FANOUT: usize> Store for Memory<LEAF, FANOUT> {
    const LEAF_MAX: u32 = LEAF;
    const FANOUT_MAX: usize = FANOUT;

    fn shape(&self, node_id: u32) -> Vec<u8> {
        self.steps.set(self.steps.get() + 1);
        self.shapes.borrow()[&node_id].clone()
    }

    fn counts(&self, node_id: u32) -> Vec<u8> {
        self.steps.set(self.steps.get() + 1);
        self.counts.borrow()[&node_id].clone()
    }

    fn put_shape(&self, node_id: u32, shape: Vec<u8>, is_new: bool) {
        self.steps.set(self.steps.get() + 1);
        let before = self.shapes.borrow_mut().insert(node_id, shape);
        assert_eq!(before.is_none(), is_new, "shape {node_id}");
    }

    fn put_counts(&self, node_id: u32, counts: Vec<u8>, is_new: bool) {
        self.steps.set(self.steps.get() + 1);
        let before = self.counts.borrow_mut().insert(node_id, counts);
        assert_eq!(before.is_none(), is_new, "counts {node_id}");
    }

    fn remove(&self, node_id: u32) {
        let shape = self.shapes.borrow_mut().remove(&node_id);
        let counts = self.counts.borrow_mut().remove(&node_id);
        assert!(shape.is_some() && counts.is_some(), "node {node_id}");
    }

    fn entries(&self, span: Span) -> Vec<Entry> {
        let records = self.records.borrow();
        let within = records.range(span.from..);
        let within = within.take_while(|(key, _)| span.until.is_none_or(|until| **key < until));
        let found: Vec<Entry> =
            within.map(|(key, holder_id)| Entry { key: *key, holder_id: *holder_id }).collect();
        assert!(found.len() <= LEAF as usize + 1, "{} records are read at once", found.len());
        self.entries.set(self.entries.get() + found.len());
        found
    }
}

/// A board as the reducers keep it, and what it should be.
struct Board<const LEAF: u32, const FANOUT: usize> {
    store: Memory<LEAF, FANOUT>,
    head: Head,
    held: BTreeMap<u64, Key>,
    reference: BTreeSet<Key>,
    sequence: u64,
}

impl<const LEAF: u32, const FANOUT: usize> Board<LEAF, FANOUT> {
    fn new() -> Self {
        let store = Memory::default();
        let head = Tree::new(&store).finish();
        let (held, reference) = (BTreeMap::new(), BTreeSet::new());
        Self { store, head, held, reference, sequence: 0 }
    }

    fn submit(&mut self, holder_id: u64, score: u64) {
        self.sequence += 1;
        let key = Key { score, subscore: score % 3, sequence: self.sequence };
        let old = self.held.insert(holder_id, key);
        let mut records = self.store.records.borrow_mut();
        if let Some(old) = old {
            self.reference.remove(&old);
            records.remove(&old);
        }
        self.reference.insert(key);
        records.insert(key, holder_id);
        drop(records);
        let mut tree = Tree::open(&self.store, self.head);
        match old {
            Some(old) => tree.replace(old, key),
            None => tree.add(key),
        }
        self.head = tree.finish();
    }

    fn drop_out(&mut self, holder_id: u64) {
        let Some(key) = self.held.remove(&holder_id) else { return };
        self.reference.remove(&key);
        self.store.records.borrow_mut().remove(&key);
        let mut tree = Tree::open(&self.store, self.head);
        tree.subtract(key);
        self.head = tree.finish();
    }

    fn sound(&self) {
        assert_eq!(audit(&self.store, self.head), Vec::<String>::new());
        let mut tree = Tree::open(&self.store, self.head);
        assert_eq!(tree.total(), self.reference.len() as u64);
        assert_eq!(self.store.shapes.borrow().len(), self.store.counts.borrow().len());
    }

    /// Every rank, every page and every walk.
    fn agrees(&self, every: usize) {
        let sorted: Vec<Key> = self.reference.iter().copied().collect();
        for (rank, key) in sorted.iter().enumerate().step_by(every) {
            let mut tree = Tree::open(&self.store, self.head);
            assert_eq!(tree.rank(*key), rank as u64, "{key:?}");
            let page: Vec<Key> =
                tree.page(rank as u64, 21).into_iter().map(|entry| entry.key).collect();
            assert_eq!(page, sorted[rank..sorted.len().min(rank + 21)], "page from {rank}");
        }
        let mut tree = Tree::open(&self.store, self.head);
        assert_eq!(tree.page(sorted.len() as u64, 1), []);
        let (mut walked, mut after) = (Vec::new(), None);
        loop {
            let found = tree.after(after);
            let Some(last) = found.last() else { break };
            after = Some(last.key);
            walked.extend(found.iter().map(|entry| entry.key));
        }
        assert_eq!(walked, sorted);
    }
}

fn mix(number: u64) -> u64 {
    let number = (number ^ (number >> 31)).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    (number ^ (number >> 29)).wrapping_mul(0xbf58_476d_1ce4_e5b9) ^ (number >> 17)
}

#[test]
fn ranks_agree_with_a_sorted_reference_after_100_000_random_submissions() {
    let mut board: Board<256, 128> = Board::new();
    for step in 0..100_000_u64 {
        board.submit(mix(step) % 30_000, mix(step ^ 0xabcd) % 5_000);
    }
    board.sound();
    board.agrees(1);
    assert!(board.head.levels >= 2, "{:?}", board.head);
}

#[test]
fn a_million_records_are_two_or_three_levels_and_few_rows_a_submission() {
    let mut board: Board<256, 128> = Board::new();
    for holder_id in 0..1_000_000_u64 {
        board.submit(holder_id, mix(holder_id));
    }
    board.sound();
    assert!(board.head.levels <= 3, "{:?}", board.head);
    board.store.steps.set(0);
    board.store.entries.set(0);
    for step in 0..10_000_u64 {
        board.submit(mix(step) % 1_000_000, mix(step ^ 0x1234));
    }
    let steps = board.store.steps.get() / 10_000;
    assert!(steps <= 12, "{steps} rows of nodes are read and written by a submission");
    board.store.steps.set(0);
    board.store.entries.set(0);
    let keys: Vec<Key> = board.reference.iter().copied().step_by(1_000).collect();
    for key in &keys {
        Tree::open(&board.store, board.head).rank(*key);
    }
    let (steps, entries) =
        (board.store.steps.get() / keys.len(), board.store.entries.get() / keys.len());
    assert!(steps <= 6 && entries <= 256, "{steps} rows of nodes, {entries} records for a rank");
}

#[test]
fn scores_that_only_rise_or_fall_keep_the_tree_low() {
    for is_rising in [true, false] {
        let mut board: Board<256, 128> = Board::new();
        for step in 0..200_000_u64 {
            board.submit(step, if is_rising { step } else { u64::MAX - step });
        }
        board.sound();
        board.agrees(997);
        assert_eq!(board.head.levels, 2);
    }
}

#[test]
fn everybody_with_the_same_score_stands_in_the_order_they_came() {
    let mut board: Board<8, 6> = Board::new();
    for holder_id in 0..500 {
        board.submit(holder_id, 7);
    }
    board.sound();
    let mut tree = Tree::open(&board.store, board.head);
    let order: Vec<u64> = tree.page(0, 500).iter().map(|entry| entry.holder_id).collect();
    assert_eq!(order, (0..500).collect::<Vec<_>>());
}

#[test]
fn the_ends_of_the_numbers_are_scores_too() {
    let mut board: Board<4, 4> = Board::new();
    for holder_id in 0..200 {
        board.submit(holder_id, if holder_id % 2 == 0 { 0 } else { u64::MAX });
    }
    board.sound();
    board.agrees(1);
    for key in
        [Key { score: 0, subscore: 5, sequence: u64::MAX }, Key { score: u64::MAX, ..Key::LOWEST }]
    {
        assert_eq!(Key::of_place(key.place(9).0, key.place(9).1), key);
        assert_eq!(Key::of_bytes(&key.bytes()), key);
    }
}

#[test]
fn a_tree_that_is_felled_leaf_by_leaf_leaves_nothing() {
    let mut board: Board<8, 6> = Board::new();
    for holder_id in 0..3_000 {
        board.submit(holder_id, mix(holder_id) % 100);
    }
    let mut gone = 0;
    loop {
        let mut tree = Tree::open(&board.store, board.head);
        let entries = tree.shed();
        for entry in &entries {
            assert!(board.store.records.borrow_mut().remove(&entry.key).is_some());
        }
        gone += entries.len();
        let left = tree.total();
        board.head = tree.finish();
        assert_eq!(audit(&board.store, board.head), Vec::<String>::new());
        if left == 0 {
            break;
        }
    }
    assert_eq!((gone, board.head.levels), (3_000, 1));
    Tree::open(&board.store, board.head).fell();
    assert!(board.store.shapes.borrow().is_empty() && board.store.counts.borrow().is_empty());
}

#[test]
fn an_empty_tree_has_no_ranks() {
    let board: Board<8, 6> = Board::new();
    let mut tree = Tree::open(&board.store, board.head);
    assert_eq!((tree.total(), tree.rank(Key::LOWEST)), (0, 0));
    assert_eq!((tree.page(0, 10), tree.after(None)), (vec![], vec![]));
}

#[derive(Clone, Debug)]
enum Step {
    Submit(u64, u64),
    DropOut(u64),
    Shed,
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let step = prop_oneof![
        8 => (0..120_u64, 0..40_u64).prop_map(|(holder, score)| Step::Submit(holder, score)),
        2 => (0..120_u64).prop_map(Step::DropOut),
        1 => Just(Step::Shed),
    ];
    prop::collection::vec(step, 0..600)
}

proptest! {
    /// Small leaves and nodes, so that everything splits and joins all the time.
    #[test]
    fn counts_are_those_of_the_records_whatever_happens(steps in steps()) {
        let mut board: Board<4, 4> = Board::new();
        for step in steps {
            match step {
                Step::Submit(holder, score) => board.submit(holder, score),
                Step::DropOut(holder) => board.drop_out(holder),
                Step::Shed => {
                    let mut tree = Tree::open(&board.store, board.head);
                    for entry in tree.shed() {
                        board.held.remove(&entry.holder_id);
                        board.reference.remove(&entry.key);
                        board.store.records.borrow_mut().remove(&entry.key);
                    }
                    board.head = tree.finish();
                }
            }
        }
        board.sound();
        board.agrees(1);
    }
}
