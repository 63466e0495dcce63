//! The fd cache: descriptors that are sockets, found by inode. A socket open several times has several entries.
//!
//! An entry takes 12 bytes, because a machine may have 100,000 of them.

use super::round_robin::RoundRobin;
use hashbrown::{DefaultHashBuilder, HashTable};
use std::hash::BuildHasher;

/// One descriptor of one process that is a socket.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct FdEntry {
    pub inode: u32,
    /// A slot or a pid, whichever the owner of the cache uses.
    pub process: u32,
    pub descriptor: u32,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FdInsert {
    Known,
    /// An owner of the socket has it on another descriptor too.
    NewFd,
    /// The process was no owner of the socket.
    NewOwner,
}

#[derive(Default)]
pub struct FdCache {
    table: HashTable<FdEntry>,
    hasher: DefaultHashBuilder,
    round_robin: RoundRobin,
}

impl FdCache {
    pub fn len(&self) -> usize {
        self.table.len()
    }

    pub fn of(&self, inode: u32) -> impl Iterator<Item = FdEntry> {
        let hash = self.hasher.hash_one(inode);
        let equal = self.table.iter_hash(hash);
        equal.copied().filter(move |entry| entry.inode == inode)
    }

    pub fn has(&self, inode: u32) -> bool {
        self.of(inode).next().is_some()
    }

    pub fn has_owner(&self, inode: u32, process: u32) -> bool {
        self.of(inode).any(|entry| entry.process == process)
    }

    pub fn insert(&mut self, entry: FdEntry) -> FdInsert {
        let mut inserted = FdInsert::NewOwner;
        for other in self.of(entry.inode) {
            if other == entry {
                return FdInsert::Known;
            }
            if other.process == entry.process {
                inserted = FdInsert::NewFd;
            }
        }
        let Self { table, hasher, .. } = self;
        let hash = |inode: u32| hasher.hash_one(inode);
        table.insert_unique(hash(entry.inode), entry, |entry| hash(entry.inode));
        inserted
    }

    pub fn take(&mut self, inode: u32) -> Vec<FdEntry> {
        let hash = self.hasher.hash_one(inode);
        let mut taken = Vec::new();
        while let Ok(entry) = self.table.find_entry(hash, |entry| entry.inode == inode) {
            taken.push(entry.remove().0);
        }
        taken
    }

    /// Takes the entries that match, in one pass over the table.
    pub fn remove_if(&mut self, matches: impl Fn(&FdEntry) -> bool) -> Vec<FdEntry> {
        self.table.extract_if(|entry| matches(entry)).collect()
    }

    /// Returns the next entry of the round, if it is found soon.
    pub fn next_in_turn(&mut self) -> Option<FdEntry> {
        self.round_robin.next(&self.table).0.copied()
    }

    /// Frees memory once most of it is unused.
    pub fn shrink(&mut self) {
        let Self { table, hasher, .. } = self;
        if table.len().saturating_mul(8) < table.num_buckets() && table.num_buckets() > 256 {
            table.shrink_to(table.len().saturating_mul(2), |entry| {
                hasher.hash_one(entry.inode)
            });
        }
    }

    #[cfg(test)]
    pub fn size(&self) -> usize {
        self.table.allocation_size()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(inode: u32, process: u32, descriptor: u32) -> FdEntry {
        FdEntry {
            inode,
            process,
            descriptor,
        }
    }

    fn sorted(mut entries: Vec<FdEntry>) -> Vec<FdEntry> {
        entries.sort_unstable();
        entries
    }

    #[test]
    fn a_process_becomes_an_owner_of_a_socket_once() {
        let mut fd_cache = FdCache::default();
        let inserted = [
            entry(7, 1, 3),
            entry(7, 1, 3),
            entry(7, 1, 4),
            entry(7, 2, 3),
        ];
        let inserted = inserted.map(|entry| fd_cache.insert(entry));
        assert_eq!(
            inserted,
            [
                FdInsert::NewOwner,
                FdInsert::Known,
                FdInsert::NewFd,
                FdInsert::NewOwner
            ]
        );
        assert_eq!(
            sorted(fd_cache.take(7)),
            [entry(7, 1, 3), entry(7, 1, 4), entry(7, 2, 3)]
        );
        assert!(!fd_cache.has(7));
    }

    #[test]
    fn every_fd_entry_is_visited_in_a_round() {
        let mut fd_cache = FdCache::default();
        for inode in 0..500 {
            fd_cache.insert(entry(inode, 1, inode));
        }
        let seen = (0..501).filter_map(|_| fd_cache.next_in_turn()).collect();
        let mut seen = sorted(seen);
        seen.dedup();
        assert_eq!(seen.len(), 500);
    }

    #[test]
    fn an_fd_entry_takes_at_most_22_bytes_at_100_000() {
        let mut fd_cache = FdCache::default();
        for inode in 0..100_000 {
            fd_cache.insert(entry(inode, 1, inode));
        }
        assert!(
            fd_cache.size() / fd_cache.len() <= 22,
            "{}",
            fd_cache.size()
        );
        fd_cache.remove_if(|_| true);
        fd_cache.shrink();
        assert!(fd_cache.size() < 4096, "{}", fd_cache.size());
    }
}
