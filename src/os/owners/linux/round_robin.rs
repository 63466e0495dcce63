//! Hash table that can visit its entries round robin without a separate list.

use hashbrown::{DefaultHashBuilder, HashTable};
use std::hash::BuildHasher;

/// Empty buckets to pass at most, so that a nearly empty table costs no time.
const MAX_EMPTY_BUCKETS: usize = 512;

/// An entry of a [`RoundRobinTable`].
pub trait Keyed {
    fn key(&self) -> u32;
}

impl Keyed for u32 {
    fn key(&self) -> u32 {
        *self
    }
}

#[derive(Default)]
pub struct RoundRobinTable<T> {
    table: HashTable<T>,
    hasher: DefaultHashBuilder,
    /// The bucket to visit next.
    next: usize,
}

impl<T: Keyed> RoundRobinTable<T> {
    pub fn len(&self) -> usize {
        self.table.len()
    }

    /// Every entry, in no particular order.
    pub fn all(&self) -> impl Iterator<Item = &T> {
        self.table.iter()
    }

    pub fn all_mut(&mut self) -> impl Iterator<Item = &mut T> {
        self.table.iter_mut()
    }

    /// The entries with this key.
    pub fn of(&self, key: u32) -> impl Iterator<Item = &T> {
        let same_hash = self.table.iter_hash(self.hasher.hash_one(key));
        same_hash.filter(move |entry| entry.key() == key)
    }

    pub fn get(&self, key: u32) -> Option<&T> {
        self.of(key).next()
    }

    pub fn get_mut(&mut self, key: u32) -> Option<&mut T> {
        let hash = self.hasher.hash_one(key);
        self.table.find_mut(hash, |entry| entry.key() == key)
    }

    /// Adds an entry, also if others have its key.
    pub fn push(&mut self, entry: T) {
        let hash = |entry: &T| self.hasher.hash_one(entry.key());
        self.table.insert_unique(hash(&entry), entry, hash);
    }

    /// Returns the entry with the key of this one, which is added if there is none.
    pub fn get_or_insert(&mut self, new: T) -> &mut T {
        let hash = |entry: &T| self.hasher.hash_one(entry.key());
        let is_same = |entry: &T| entry.key() == new.key();
        let entry = self.table.entry(hash(&new), is_same, hash);
        entry.or_insert(new).into_mut()
    }

    /// Removes one entry with this key.
    pub fn remove(&mut self, key: u32) -> Option<T> {
        let hash = self.hasher.hash_one(key);
        let found = self.table.find_entry(hash, |entry| entry.key() == key);
        Some(found.ok()?.remove().0)
    }

    /// Removes the entries that match, in one pass over the table.
    pub fn remove_if(&mut self, matches: impl Fn(&T) -> bool) -> Vec<T> {
        self.table.extract_if(|entry| matches(entry)).collect()
    }

    /// Returns the next entry, if it is found soon, and true if a new round began. An entry added or moved meanwhile may be
    /// skipped once.
    pub fn next_in_turn(&mut self) -> (Option<&T>, bool) {
        let mut wrapped = false;
        for _ in 0..MAX_EMPTY_BUCKETS.min(self.table.num_buckets()) {
            if self.next >= self.table.num_buckets() {
                self.next = 0;
                wrapped = true;
            }
            let found = self.table.get_bucket(self.next);
            self.next += 1;
            if found.is_some() {
                return (found, wrapped);
            }
        }
        (None, wrapped)
    }

    /// Frees memory once most of it is unused.
    pub fn shrink(&mut self) {
        let Self { table, hasher, .. } = self;
        if table.len().saturating_mul(8) < table.num_buckets() && table.num_buckets() > 256 {
            let hash = |entry: &T| hasher.hash_one(entry.key());
            table.shrink_to(table.len().saturating_mul(2), hash);
        }
    }

    #[cfg(test)]
    pub fn size(&self) -> usize {
        self.table.allocation_size()
    }
}
