//! Visits the entries of a hash table in turn, without a list of its own.

use hashbrown::HashTable;

/// Empty buckets to pass at most, so that a nearly empty table costs no time.
const MAX_EMPTY_BUCKETS: usize = 512;

#[derive(Default)]
pub struct RoundRobin(usize);

impl RoundRobin {
    /// Returns the next entry, and true if a new round began. An entry inserted or moved meanwhile may be skipped once.
    pub fn next<'t, T>(&mut self, table: &'t HashTable<T>) -> (Option<&'t T>, bool) {
        let mut wrapped = false;
        for _ in 0..MAX_EMPTY_BUCKETS.min(table.num_buckets()) {
            if self.0 >= table.num_buckets() {
                self.0 = 0;
                wrapped = true;
            }
            let found = table.get_bucket(self.0);
            self.0 += 1;
            if found.is_some() {
                return (found, wrapped);
            }
        }
        (None, wrapped)
    }
}
