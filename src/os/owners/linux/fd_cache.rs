//! The fd cache: descriptors that are sockets, found by inode. A socket open several times has several entries.
//!
//! An entry takes 12 bytes, because a machine may have 100,000 of them.

use super::round_robin::{Keyed, RoundRobinTable};

/// One descriptor of one process that is a socket.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct FdEntry {
    pub inode: u32,
    pub pid: u32,
    pub descriptor: u32,
}

impl Keyed for FdEntry {
    fn key(&self) -> u32 {
        self.inode
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FdInsert {
    Known,
    /// An owner of the socket has it on another descriptor too.
    NewFd,
    /// The process was no owner of the socket.
    NewOwner,
}

pub type FdCache = RoundRobinTable<FdEntry>;

impl FdCache {
    pub fn has(&self, inode: u32) -> bool {
        self.get(inode).is_some()
    }

    pub fn has_owner(&self, inode: u32, pid: u32) -> bool {
        self.of(inode).any(|entry| entry.pid == pid)
    }

    pub fn insert(&mut self, entry: FdEntry) -> FdInsert {
        let mut inserted = FdInsert::NewOwner;
        for other in self.of(entry.inode) {
            if *other == entry {
                return FdInsert::Known;
            }
            if other.pid == entry.pid {
                inserted = FdInsert::NewFd;
            }
        }
        self.push(entry);
        inserted
    }

    /// Removes the entries of a socket.
    pub fn take(&mut self, inode: u32) -> Vec<FdEntry> {
        std::iter::from_fn(|| self.remove(inode)).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(inode: u32, pid: u32, descriptor: u32) -> FdEntry {
        FdEntry {
            inode,
            pid,
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
        for (pid, descriptor, expected) in [
            (1, 3, FdInsert::NewOwner),
            (1, 3, FdInsert::Known),
            (1, 4, FdInsert::NewFd),
            (2, 3, FdInsert::NewOwner),
        ] {
            assert_eq!(fd_cache.insert(entry(7, pid, descriptor)), expected);
        }
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
        let seen = (0..501).filter_map(|_| fd_cache.next_in_turn().0.copied());
        let seen = seen.collect();
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
        let bytes = fd_cache.size();
        assert!(bytes / fd_cache.len() <= 22, "{bytes}");
        fd_cache.remove_if(|_| true);
        fd_cache.shrink();
        assert!(fd_cache.size() < 4096, "{}", fd_cache.size());
    }
}
