//! A node of the tree: where the ranges of its children begin, the children, and their counts.
//!
//! Keeps true: one bound less than children, one count for each; what has changed says so.

use super::{BOUND_BYTES, Key};
use std::cmp::Ordering;

/// Bytes of a child's number.
const CHILD_BYTES: usize = 4;
/// Bytes of a count.
const COUNT_BYTES: usize = 4;

/// One of a list of numbers: counts and children have the same width.
fn number(list: &[u8], index: usize) -> u32 {
    let bytes = list.get(index * COUNT_BYTES..(index + 1) * COUNT_BYTES);
    let bytes = bytes.and_then(|bytes| bytes.try_into().ok());
    u32::from_le_bytes(bytes.expect("invariant: a node is whole"))
}

/// A node while it is worked with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Node {
    /// Where each child but the first begins.
    pub(super) bounds: Vec<u8>,
    /// The nodes below; none at the lowest level, where leaves are below.
    pub(super) children: Vec<u8>,
    /// Records below each child.
    pub(super) counts: Vec<u8>,
    pub(super) is_new: bool,
    pub(super) has_new_shape: bool,
    pub(super) has_new_counts: bool,
}

impl Node {
    pub(super) fn new(bounds: Vec<u8>, children: Vec<u8>, counts: Vec<u8>) -> Self {
        let (is_new, has_new_shape, has_new_counts) = (true, true, true);
        Self { bounds, children, counts, is_new, has_new_shape, has_new_counts }
    }

    /// From its two values. A shape is the bounds, one less than there are children, and they.
    pub(super) fn of(shape: &[u8], counts: Vec<u8>) -> Self {
        let split = (counts.len() / COUNT_BYTES).saturating_sub(1) * BOUND_BYTES;
        let (bounds, children) = shape.split_at_checked(split).expect("invariant: a node is whole");
        let (bounds, children) = (bounds.to_vec(), children.to_vec());
        let (is_new, has_new_shape, has_new_counts) = (false, false, false);
        Self { bounds, children, counts, is_new, has_new_shape, has_new_counts }
    }

    pub(super) fn len(&self) -> usize {
        self.counts.len() / COUNT_BYTES
    }

    pub(super) fn count(&self, index: usize) -> u32 {
        number(&self.counts, index)
    }

    pub(super) fn set_count(&mut self, index: usize, count: u32) {
        let at = index * COUNT_BYTES;
        let bytes = self.counts.get_mut(at..at + COUNT_BYTES);
        bytes.expect("invariant: a child is counted").copy_from_slice(&count.to_le_bytes());
        self.has_new_counts = true;
    }

    pub(super) fn sum(&self) -> u32 {
        (0..self.len()).map(|index| self.count(index)).sum()
    }

    /// Where a child begins; the first one begins where the node does.
    pub(super) fn bound(&self, index: usize) -> Option<Key> {
        let at = index.checked_sub(1)? * BOUND_BYTES;
        self.bounds.get(at..at + BOUND_BYTES).map(Key::of_bytes)
    }

    pub(super) fn child(&self, index: usize) -> u32 {
        number(&self.children, index)
    }

    /// All nodes below; none at the lowest level.
    pub(super) fn children(&self) -> impl Iterator<Item = u32> + '_ {
        (0..self.children.len() / CHILD_BYTES).map(|index| self.child(index))
    }

    pub(super) fn set_child(&mut self, index: usize, child: u32) {
        let at = index * CHILD_BYTES;
        let bytes = self.children.get_mut(at..at + CHILD_BYTES);
        bytes.expect("invariant: a node has the child").copy_from_slice(&child.to_le_bytes());
        self.has_new_shape = true;
    }

    /// The child whose range a key is in.
    pub(super) fn index_of(&self, key: Key) -> usize {
        let (mut low, mut high) = (0, self.len() - 1);
        while low < high {
            let middle = (low + high).div_ceil(2);
            let begins = self.bound(middle).expect("invariant: a child has a bound");
            match begins.cmp(&key) {
                Ordering::Less | Ordering::Equal => low = middle,
                Ordering::Greater => high = middle - 1,
            }
        }
        low
    }

    /// A child after another one.
    pub(super) fn insert(&mut self, index: usize, begins: Key, child: Option<u32>, count: u32) {
        let at = (index - 1) * BOUND_BYTES;
        self.bounds.splice(at..at, begins.bytes());
        if let Some(child) = child {
            let at = index * CHILD_BYTES;
            self.children.splice(at..at, child.to_le_bytes());
        }
        let at = index * COUNT_BYTES;
        self.counts.splice(at..at, count.to_le_bytes());
        (self.has_new_shape, self.has_new_counts) = (true, true);
    }

    /// A child that is not the first goes, and its range becomes part of the one before it.
    pub(super) fn absorb(&mut self, index: usize) {
        let together = self.count(index - 1) + self.count(index);
        self.set_count(index - 1, together);
        let at = (index - 1) * BOUND_BYTES;
        self.bounds.drain(at..at + BOUND_BYTES);
        if !self.children.is_empty() {
            self.children.drain(index * CHILD_BYTES..(index + 1) * CHILD_BYTES);
        }
        self.counts.drain(index * COUNT_BYTES..(index + 1) * COUNT_BYTES);
        self.has_new_shape = true;
    }

    /// The upper half, which goes into another node, and where that one begins.
    pub(super) fn halve(&mut self) -> (Key, Self) {
        let keep = self.len() / 2;
        let begins = self.bound(keep).expect("invariant: a node that is halved has children");
        let bounds = self.bounds.split_off(keep * BOUND_BYTES);
        self.bounds.truncate((keep - 1) * BOUND_BYTES);
        let children = if self.children.is_empty() {
            Vec::new()
        } else {
            self.children.split_off(keep * CHILD_BYTES)
        };
        let counts = self.counts.split_off(keep * COUNT_BYTES);
        (self.has_new_shape, self.has_new_counts) = (true, true);
        (begins, Self::new(bounds, children, counts))
    }

    /// Everything of the node after it, which begins there.
    pub(super) fn append(&mut self, begins: Key, other: &Self) {
        self.bounds.extend(begins.bytes());
        self.bounds.extend(&other.bounds);
        self.children.extend(&other.children);
        self.counts.extend(&other.counts);
        (self.has_new_shape, self.has_new_counts) = (true, true);
    }
}
