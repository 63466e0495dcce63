//! Whose turn it is in a table, so that everything in it is looked at again without a list of its own.

use hashbrown::HashTable;

/// How many empty places of a table are passed at most, so that a nearly empty one costs no time.
const MAX_EMPTY_BUCKETS: usize = 512;

/// A place in a table that moves on.
#[derive(Default)]
pub struct RoundRobin(usize);

impl RoundRobin {
    /// What comes next, and whether that began anew. What is inserted or moved meanwhile may be passed over once.
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
