//! Verifies known owners, a little in every update, so that nothing wrong stays for ever.

use super::fd_cache::FdEntry;
use super::owner_cache::OwnerCache;
use super::round_robin::RoundRobin;
use super::scan::ScanScope;
use hashbrown::hash_table::Entry;
use hashbrown::{DefaultHashBuilder, HashTable};
use std::hash::BuildHasher;

/// Updates that one expensive check may use up.
const MAX_DEBT: i64 = 4;

#[derive(Default)]
pub struct Verification {
    /// System calls left in this update; negative after an expensive check.
    budget: i64,
    turn: u8,
    /// Sockets that hold a port, whose owners matter most.
    bound: HashTable<u32>,
    hasher: DefaultHashBuilder,
    next_bound: RoundRobin,
}

impl Verification {
    pub fn set_bound(&mut self, inode: u32, is_bound: bool) {
        let Self { bound, hasher, .. } = self;
        let hash = |inode: &u32| hasher.hash_one(*inode);
        match bound.entry(hash(&inode), |other| *other == inode, hash) {
            Entry::Vacant(entry) if is_bound => {
                entry.insert(inode);
            }
            Entry::Occupied(entry) if !is_bound => {
                entry.remove();
            }
            Entry::Vacant(_) | Entry::Occupied(_) => {}
        }
    }

    /// Verifies sockets that hold a port, other sockets and processes in turn; more of them the more rows there are.
    pub fn run(&mut self, cache: &mut OwnerCache, rows: usize) {
        let refill = i64::try_from(2 + rows / 20_000).unwrap_or(i64::MAX / MAX_DEBT);
        self.budget = (self.budget.max(-MAX_DEBT * refill) + refill).min(refill);
        while self.budget > 0 {
            let before = cache.proc.calls();
            self.turn = self.turn.wrapping_add(1);
            match self.turn % 4 {
                0 => {
                    let inode = self.next_bound.next(&self.bound).0;
                    let entries: Vec<FdEntry> = inode
                        .into_iter()
                        .flat_map(|inode| cache.fds.of(*inode))
                        .collect();
                    for entry in entries {
                        cache.verify_fd(entry);
                    }
                }
                2 => {
                    if let Some(entry) = cache.fds.next_in_turn() {
                        cache.verify_fd(entry);
                    }
                }
                _ => verify_next_process(cache),
            }
            let cost = cache.proc.calls().saturating_sub(before).max(1);
            self.budget -= i64::try_from(cost).unwrap_or(i64::MAX / 2);
        }
    }
}

/// A denied process cannot be scanned, so its number of descriptors does not matter.
fn verify_next_process(cache: &mut OwnerCache) {
    if let Some(known) = cache.pid_table.next_in_turn()
        && known.denied_until == 0
    {
        cache.scan_if_changed(known.pid, ScanScope::Untracked);
    }
}
