//! An order-statistic tree: how many records are before one, and which record has a rank.
//!
//! A counted B+-tree without leaves of its own: records lie in a unique ordered index of the
//! database, and the tree only says how many of them are in each of its ranges. A range is a leaf;
//! it has at most [`Store::LEAF_MAX`] records, so that counting within it is reading one short
//! range. A node is two values, because they change at different times: its shape (where ranges
//! begin, which nodes are below), which only a split or a merge changes, and its counts, which
//! every submission changes.
//! Keeps true: counts are exactly how many records each range has; a rank costs one path of nodes
//! and one leaf, a submission two paths; records alone are the truth, and the counts follow from
//! them ([`audit`]).
//! Leaves out on purpose: where nodes and records are kept ([`Store`]).

mod node;

use crate::keys::{joint_key, part_of, whole_of};
use node::Node;
use std::collections::BTreeMap;

/// Bytes of a bound: score, subscore and sequence.
const BOUND_BYTES: usize = 24;

/// Where a record stands: whoever has the lower key has the better rank.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Key {
    /// The score, so that better ones are lower.
    pub score: u64,
    /// The subscore, likewise.
    pub subscore: u64,
    /// Counts up: of two that are equal the one that was there first is before the other.
    pub sequence: u64,
}

impl Key {
    /// Before all records.
    pub const LOWEST: Self = Self { score: 0, subscore: 0, sequence: 0 };

    /// The key in a tree, as the database orders it: score and tree above, the rest below.
    pub const fn place(self, tree_id: u64) -> (u128, u128) {
        (joint_key(tree_id, self.score), joint_key(self.subscore, self.sequence))
    }

    /// The key of a place; the tree's number is left out.
    pub const fn of_place(high: u128, low: u128) -> Self {
        Self { score: part_of(high), subscore: whole_of(low), sequence: part_of(low) }
    }

    fn bytes(self) -> [u8; BOUND_BYTES] {
        let mut bytes = [0; BOUND_BYTES];
        for (part, number) in
            bytes.chunks_exact_mut(8).zip([self.score, self.subscore, self.sequence])
        {
            part.copy_from_slice(&number.to_be_bytes());
        }
        bytes
    }

    fn of_bytes(bytes: &[u8]) -> Self {
        let part = |index: usize| {
            let bytes = bytes.get(index * 8..index * 8 + 8);
            let bytes = bytes.and_then(|bytes| bytes.try_into().ok());
            u64::from_be_bytes(bytes.expect("invariant: a bound is whole"))
        };
        Self { score: part(0), subscore: part(1), sequence: part(2) }
    }
}

/// A record as the tree sees it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Entry {
    /// Where it stands.
    pub key: Key,
    /// Whose it is.
    pub holder_id: u64,
}

/// Keys from one up to another one, which is not within; to the end where there is none.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Span {
    /// The first that can be within.
    pub from: Key,
    /// The first that is beyond.
    pub until: Option<Key>,
}

/// Where a tree's nodes and records are.
pub trait Store {
    /// Most records of a leaf.
    const LEAF_MAX: u32 = 256;
    /// Most children of a node.
    const FANOUT_MAX: usize = 128;

    /// A node's shape.
    fn shape(&self, node_id: u32) -> Vec<u8>;
    /// A node's counts.
    fn counts(&self, node_id: u32) -> Vec<u8>;
    /// Writes a shape; `is_new` where there is none.
    fn put_shape(&self, node_id: u32, shape: Vec<u8>, is_new: bool);
    /// Writes counts; `is_new` where there are none.
    fn put_counts(&self, node_id: u32, counts: Vec<u8>, is_new: bool);
    /// Removes both.
    fn remove(&self, node_id: u32);
    /// The records of a span in their order: it is never longer than a leaf can be for a moment,
    /// which is one more than [`Self::LEAF_MAX`].
    fn entries(&self, span: Span) -> Vec<Entry>;
}

/// What a tree is known by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Head {
    /// The node at the top.
    pub root: u32,
    /// Nodes on the way from it to a leaf, at least 1.
    pub levels: u8,
    /// Nodes there ever were: the next one's number.
    pub nodes: u32,
}

/// A node on the way to a leaf, and which of its children is next. Ways begin at the top.
type Step = (u32, usize);

/// A tree while it is worked with: nodes are read once, and written once by [`Self::finish`].
pub struct Tree<'a, S: Store> {
    store: &'a S,
    head: Head,
    nodes: BTreeMap<u32, Node>,
}

impl<'a, S: Store> Tree<'a, S> {
    /// A tree without records; its first node is written by [`Self::finish`].
    pub fn new(store: &'a S) -> Self {
        let root = Node::new(Vec::new(), Vec::new(), 0_u32.to_le_bytes().to_vec());
        let head = Head { root: 0, levels: 1, nodes: 1 };
        Self { store, head, nodes: BTreeMap::from([(0, root)]) }
    }

    /// A tree that is there.
    pub const fn open(store: &'a S, head: Head) -> Self {
        Self { store, head, nodes: BTreeMap::new() }
    }

    /// Writes what has changed. Whoever changes nothing need not call it.
    pub fn finish(self) -> Head {
        for (node_id, node) in self.nodes {
            if node.has_new_shape {
                let shape = [node.bounds, node.children].concat();
                self.store.put_shape(node_id, shape, node.is_new);
            }
            if node.has_new_counts {
                self.store.put_counts(node_id, node.counts, node.is_new);
            }
        }
        self.head
    }

    /// How many records there are.
    pub fn total(&mut self) -> u64 {
        let root = self.head.root;
        u64::from(self.node(root).sum())
    }

    /// Counts a record that lies in the index already.
    pub fn add(&mut self, key: Key) {
        let path = self.path(key);
        self.count(&path, |count| count + 1);
        let (node_id, index) = lowest(&path);
        if self.node(node_id).count(index) > S::LEAF_MAX {
            self.split(&path);
        }
    }

    /// Counts a record no more that lies in the index no more.
    pub fn subtract(&mut self, key: Key) {
        let path = self.path(key);
        self.count(&path, |count| count.saturating_sub(1));
        self.mend(&path);
    }

    /// Counts a record elsewhere that lies in the index there already. Costs no write where it
    /// stays in the same leaf.
    pub fn replace(&mut self, old: Key, new: Key) {
        let (from, to) = (self.path(old), self.path(new));
        if from == to {
            return;
        }
        // Nodes that both ways go through the same child of keep their counts, so only what is
        // below the fork is counted anew.
        let shared = from.iter().zip(&to).take_while(|(one, other)| one == other).count();
        self.count(from.get(shared..).unwrap_or_default(), |count| count.saturating_sub(1));
        self.count(to.get(shared..).unwrap_or_default(), |count| count + 1);
        let (node_id, index) = lowest(&to);
        if self.node(node_id).count(index) > S::LEAF_MAX {
            self.split(&to);
        }
        let from = self.path(old);
        self.mend(&from);
    }

    /// How many records are before a key.
    pub fn rank(&mut self, key: Key) -> u64 {
        let path = self.path(key);
        let mut before = 0;
        for (node_id, index) in &path {
            let node = self.node(*node_id);
            before += (0..*index).map(|index| u64::from(node.count(index))).sum::<u64>();
        }
        let from = self.span(&path).from;
        let within = self.store.entries(Span { from, until: Some(key) });
        before + u64::try_from(within.len()).unwrap_or_default()
    }

    /// Records from a rank on, which counts from 0; at most so many.
    pub fn page(&mut self, rank: u64, most: usize) -> Vec<Entry> {
        let Some((path, skip)) = self.path_to_rank(rank) else { return Vec::new() };
        let mut span = self.span(&path);
        let mut found: Vec<Entry> = self.store.entries(span).into_iter().skip(skip).collect();
        while let Some(from) = span.until.filter(|_| found.len() < most) {
            let path = self.path(from);
            span = self.span(&path);
            found.extend(self.store.entries(span));
        }
        found.truncate(most);
        found
    }

    /// Records after a key, all those of one leaf that has any: none only where none are left.
    pub fn after(&mut self, key: Option<Key>) -> Vec<Entry> {
        let mut from = key.unwrap_or(Key::LOWEST);
        loop {
            let path = self.path(from);
            let span = self.span(&path);
            let mut found = self.store.entries(Span { from, ..span });
            found.retain(|entry| key.is_none_or(|key| entry.key > key));
            match span.until {
                Some(until) if found.is_empty() => from = until,
                Some(_) | None => return found,
            }
        }
    }

    /// The records of the first leaf, which are counted no more: whoever calls this removes them.
    pub fn shed(&mut self) -> Vec<Entry> {
        let path = self.path(Key::LOWEST);
        let entries = self.store.entries(self.span(&path));
        let gone = u32::try_from(entries.len()).unwrap_or(u32::MAX);
        self.count(&path, |count| count.saturating_sub(gone));
        self.mend(&path);
        entries
    }

    /// Removes the last node of a tree that has no records left.
    pub fn fell(self) {
        self.store.remove(self.head.root);
    }

    fn node(&mut self, node_id: u32) -> &mut Node {
        let store = self.store;
        let read = || Node::of(&store.shape(node_id), store.counts(node_id));
        self.nodes.entry(node_id).or_insert_with(read)
    }

    fn path(&mut self, key: Key) -> Vec<Step> {
        let (mut node_id, levels) = (self.head.root, self.head.levels);
        let mut path = Vec::with_capacity(levels.into());
        for level in 1..=levels {
            let node = self.node(node_id);
            let index = node.index_of(key);
            path.push((node_id, index));
            if level < levels {
                node_id = node.child(index);
            }
        }
        path
    }

    /// The way to the leaf with the record of a rank, and how many of the leaf are before it.
    fn path_to_rank(&mut self, rank: u64) -> Option<(Vec<Step>, usize)> {
        let (mut node_id, levels) = (self.head.root, self.head.levels);
        let mut left = rank;
        let mut path = Vec::with_capacity(levels.into());
        for level in 1..=levels {
            let node = self.node(node_id);
            let index = (0..node.len()).find(|index| {
                let count = u64::from(node.count(*index));
                let is_here = left < count;
                left -= if is_here { 0 } else { count };
                is_here
            })?;
            path.push((node_id, index));
            if level < levels {
                node_id = node.child(index);
            }
        }
        Some((path, usize::try_from(left).unwrap_or_default()))
    }

    /// The keys of the leaf at the end of a way.
    fn span(&mut self, path: &[Step]) -> Span {
        let (mut from, mut until) = (Key::LOWEST, None);
        for (node_id, index) in path {
            let node = self.node(*node_id);
            from = node.bound(*index).unwrap_or(from);
            until = node.bound(*index + 1).or(until);
        }
        Span { from, until }
    }

    fn count(&mut self, path: &[Step], change: impl Fn(u32) -> u32) {
        for (node_id, index) in path {
            let node = self.node(*node_id);
            node.set_count(*index, change(node.count(*index)));
        }
    }

    /// Halves a leaf, and whatever has too many children then.
    fn split(&mut self, path: &[Step]) {
        let (node_id, index) = lowest(path);
        let entries = self.store.entries(self.span(path));
        let kept = entries.len() / 2;
        let begins = entries.get(kept).expect("invariant: a leaf that is split has records").key;
        let part = |count: usize| u32::try_from(count).unwrap_or(u32::MAX);
        let node = self.node(node_id);
        node.set_count(index, part(kept));
        node.insert(index + 1, begins, None, part(entries.len() - kept));
        for depth in (0..path.len()).rev() {
            let (node_id, _) = path[depth];
            if self.node(node_id).len() <= S::FANOUT_MAX {
                break;
            }
            let (begins, upper) = self.node(node_id).halve();
            let moved = upper.sum();
            let upper_id = self.add_node(upper);
            if let Some((parent_id, index)) = depth.checked_sub(1).map(|above| path[above]) {
                let parent = self.node(parent_id);
                parent.set_count(index, parent.count(index) - moved);
                parent.insert(index + 1, begins, Some(upper_id), moved);
            } else {
                self.grow(node_id, begins, upper_id);
            }
        }
    }

    fn add_node(&mut self, node: Node) -> u32 {
        let node_id = self.head.nodes;
        self.head.nodes += 1;
        self.nodes.insert(node_id, node);
        node_id
    }

    /// A new top above the old one and what was split from it.
    fn grow(&mut self, lower_id: u32, begins: Key, upper_id: u32) {
        let (lower, upper) = (self.node(lower_id).sum(), self.node(upper_id).sum());
        let children = [lower_id, upper_id].map(u32::to_le_bytes).concat();
        let counts = [lower, upper].map(u32::to_le_bytes).concat();
        let root = Node::new(begins.bytes().to_vec(), children, counts);
        self.head.root = self.add_node(root);
        self.head.levels += 1;
    }

    /// Joins what has become small with what is beside it.
    fn mend(&mut self, path: &[Step]) {
        let (node_id, index) = lowest(path);
        let node = self.node(node_id);
        let mate = beside(node.len(), index).find(|right| {
            let (one, other) = (node.count(right - 1), node.count(*right));
            one == 0 || other == 0 || one + other <= S::LEAF_MAX / 2
        });
        if let Some(right) = mate {
            node.absorb(right);
        } else if node.sum() > 0 {
            return;
        }
        for depth in (1..path.len()).rev() {
            let ((parent_id, index), (node_id, _)) = (path[depth - 1], path[depth]);
            let node = self.node(node_id);
            let (len, is_empty) = (node.len(), node.sum() == 0);
            let mates: Vec<usize> = beside(self.node(parent_id).len(), index).collect();
            if is_empty {
                if let Some(right) = mates.first() {
                    self.drop_child(parent_id, index, *right);
                }
                continue;
            }
            if len > S::FANOUT_MAX / 4 {
                break;
            }
            let mate = mates.into_iter().find(|right| {
                let parent = self.node(parent_id);
                let (one, other) = (parent.child(right - 1), parent.child(*right));
                self.node(one).len() + self.node(other).len() <= S::FANOUT_MAX / 2
            });
            let Some(right) = mate else { break };
            self.join(parent_id, right);
        }
        self.shrink();
    }

    /// A child without records goes; the one beside it has its range then. `right` is the right
    /// one of the two.
    fn drop_child(&mut self, parent_id: u32, index: usize, right: usize) {
        let parent = self.node(parent_id);
        let gone = parent.child(index);
        let kept = parent.child(if index == right { right - 1 } else { right });
        parent.absorb(right);
        parent.set_child(right - 1, kept);
        let mut below = vec![gone];
        while let Some(node_id) = below.pop() {
            let node = self.node(node_id);
            below.extend(node.children());
            self.forget(node_id);
        }
    }

    /// Removes a node that nothing refers to.
    fn forget(&mut self, node_id: u32) -> Node {
        self.node(node_id);
        let gone = self.nodes.remove(&node_id).expect("invariant: it was read");
        if !gone.is_new {
            self.store.remove(node_id);
        }
        gone
    }

    /// Puts all of a node into the one before it.
    fn join(&mut self, parent_id: u32, right: usize) {
        let parent = self.node(parent_id);
        let begins = parent.bound(right).expect("invariant: a child has a bound");
        let (one, other) = (parent.child(right - 1), parent.child(right));
        parent.absorb(right);
        let gone = self.forget(other);
        self.node(one).append(begins, &gone);
    }

    /// Takes away tops with one child.
    fn shrink(&mut self) {
        while self.head.levels > 1 {
            let root = self.head.root;
            if self.node(root).len() > 1 {
                return;
            }
            self.head.root = self.node(root).child(0);
            self.head.levels -= 1;
            self.forget(root);
        }
    }
}

fn lowest(path: &[Step]) -> Step {
    *path.last().expect("invariant: a tree has at least one level")
}

/// Each pair of neighbours that a child is in, by the right one's place.
fn beside(len: usize, index: usize) -> impl Iterator<Item = usize> {
    [index, index + 1].into_iter().filter(move |right| (1..len).contains(right))
}

/// What is wrong with a tree: nothing, where every count is that of its records.
pub fn audit<S: Store>(store: &S, head: Head) -> Vec<String> {
    let mut faults = Vec::new();
    let mut tree = Tree::open(store, head);
    let mut ways = vec![(head.root, 1_u8, Span { from: Key::LOWEST, until: None }, None)];
    while let Some((node_id, level, span, expected)) = ways.pop() {
        let node = tree.node(node_id).clone();
        if expected.is_some_and(|expected| expected != node.sum()) {
            faults.push(format!("node {node_id} has {}, counted {expected:?}", node.sum()));
        }
        for index in 0..node.len() {
            let from = node.bound(index).unwrap_or(span.from);
            let until = node.bound(index + 1).or(span.until);
            if until.is_some_and(|until| until <= from) {
                faults.push(format!("node {node_id}: range {index} ends before it begins"));
            }
            let (span, count) = (Span { from, until }, node.count(index));
            if level < head.levels {
                ways.push((node.child(index), level + 1, span, Some(count)));
                continue;
            }
            let there = store.entries(span).len();
            if u32::try_from(there) != Ok(count) || count > S::LEAF_MAX {
                faults.push(format!("node {node_id}: {there} in range {index}, counted {count}"));
            }
        }
    }
    faults
}

#[cfg(test)]
mod tests;
