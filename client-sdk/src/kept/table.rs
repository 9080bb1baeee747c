//! The rows of one table, and what changes about them.
//!
//! Keeps true: a row is told only when it differs from what was known under its key; one that is
//! gone from one subscription and here from another stays.

use std::collections::BTreeMap;
use std::sync::Arc;

/// What happened to a row.
#[derive(Clone, Debug, PartialEq)]
pub enum Change<R> {
    /// It is there.
    Is {
        /// As it is now.
        row: Arc<R>,
        /// As it was; none when it has just come.
        before: Option<Arc<R>>,
    },
    /// It is gone, or not to be seen any more.
    Gone {
        /// As it was last.
        row: Arc<R>,
    },
}

impl<R> Change<R> {
    /// The row, as it is or was last.
    pub fn row(&self) -> &Arc<R> {
        match self {
            Self::Is { row, .. } | Self::Gone { row } => row,
        }
    }

    /// The row as it is; none when it is gone.
    pub fn is(&self) -> Option<&R> {
        match self {
            Self::Is { row, .. } => Some(row),
            Self::Gone { .. } => None,
        }
    }

    /// The row, when it has just come.
    pub fn came(&self) -> Option<&R> {
        match self {
            Self::Is { row, before: None } => Some(row),
            Self::Is { .. } | Self::Gone { .. } => None,
        }
    }
}

/// What a connection says of a row.
#[derive(Clone, Debug)]
pub(crate) enum Heard<R> {
    Is(Arc<R>),
    Gone(Arc<R>),
}

impl<R> Heard<R> {
    pub(crate) fn row(&self) -> &R {
        match self {
            Self::Is(row) | Self::Gone(row) => row,
        }
    }
}

#[derive(Debug)]
struct Known<R> {
    row: Arc<R>,
    /// Whether this connection has brought it.
    is_current: bool,
}

/// The rows of a table by their keys.
#[derive(Debug)]
pub(crate) struct Table<K, R> {
    by_key: BTreeMap<K, Known<R>>,
}

impl<K, R> Default for Table<K, R> {
    fn default() -> Self {
        Self { by_key: BTreeMap::new() }
    }
}

impl<K: Ord, R: PartialEq> Table<K, R> {
    pub(super) fn apply(&mut self, key: K, heard: Heard<R>) -> Option<Change<R>> {
        match heard {
            Heard::Is(row) => {
                let known = Known { row: Arc::clone(&row), is_current: true };
                let before = self.by_key.insert(key, known).map(|known| known.row);
                let differs = before.as_ref().is_none_or(|before| **before != *row);
                differs.then_some(Change::Is { row, before })
            }
            Heard::Gone(row) => {
                let is_it = |known: &Known<R>| known.is_current && *known.row == *row;
                self.by_key.get(&key).is_some_and(is_it).then(|| {
                    self.by_key.remove(&key);
                    Change::Gone { row }
                })
            }
        }
    }

    /// What is known is of a connection that is lost.
    pub(super) fn suspend(&mut self) {
        self.by_key.values_mut().for_each(|known| known.is_current = false);
    }

    /// Forgets what the new connection has not brought.
    pub(super) fn settle(&mut self) -> Vec<Change<R>> {
        let mut gone = Vec::new();
        self.by_key.retain(|_, known| {
            if !known.is_current {
                gone.push(Change::Gone { row: Arc::clone(&known.row) });
            }
            known.is_current
        });
        gone
    }

    /// The rows in the order of their keys.
    pub(crate) fn rows(&self) -> impl Iterator<Item = &Arc<R>> {
        self.by_key.values().map(|known| &known.row)
    }
}
