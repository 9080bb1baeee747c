//! Places that are counted by a key: as many as there may be, and no more.
//!
//! Keeps true: a place that was taken is given back when its holder is dropped, however it ends;
//! nothing is remembered of who is gone.

use std::collections::HashMap;
use std::hash::Hash;
use std::sync::{Arc, Mutex, PoisonError};

/// Numbers of holders by key.
#[derive(Debug)]
pub(crate) struct Places<K>(Arc<Mutex<HashMap<K, u32>>>);

/// A place among those with the same key.
#[derive(Debug)]
pub(crate) struct Place<K: Eq + Hash> {
    key: K,
    counts: Arc<Mutex<HashMap<K, u32>>>,
}

impl<K> Default for Places<K> {
    fn default() -> Self {
        Self(Arc::default())
    }
}

impl<K: Eq + Hash + Clone> Places<K> {
    /// A place, or none when that many hold one.
    pub(crate) fn take(&self, key: K, most: u32) -> Option<Place<K>> {
        if most == 0 {
            return None;
        }
        let mut map = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let count = map.entry(key.clone()).or_default();
        if *count >= most {
            return None;
        }
        *count += 1;
        Some(Place { key, counts: Arc::clone(&self.0) })
    }

    /// How many hold a place, over all keys.
    pub(crate) fn taken(&self) -> u32 {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).values().sum()
    }

    /// How many keys are remembered.
    #[cfg(test)]
    pub(crate) fn keys(&self) -> usize {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).len()
    }
}

impl<K: Eq + Hash> Drop for Place<K> {
    fn drop(&mut self) {
        let mut map = self.counts.lock().unwrap_or_else(PoisonError::into_inner);
        // The key is borrowed from the place, so it is looked up and then removed.
        if let Some(count) = map.get_mut(&self.key) {
            *count = count.saturating_sub(1);
            if *count == 0 {
                map.remove(&self.key);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn as_many_have_a_place_as_may_and_who_is_gone_is_forgotten() {
        let places = Places::default();
        let held: Vec<_> = (0..3).map_while(|_| places.take("ann", 2)).collect();
        assert_eq!((held.len(), places.taken()), (2, 2));
        let other = places.take("bob", 2);
        assert!(other.is_some());
        drop((held, other));
        assert_eq!((places.taken(), places.keys()), (0, 0));
    }
}
