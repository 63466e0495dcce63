//! Owners of sockets, found through `/proc`, cached and verified from poll to poll.
//!
//! The known owners of a socket are verified by single readlinks now and then. A new socket is searched where it probably
//! is, and only then everywhere, which is rare. What makes a known owner wrong, and how that is noticed:
//!
//! | event | noticed by |
//! | --- | --- |
//! | exit | its pidfd, in the next update |
//! | fork | the last pid of the kernel: new processes are scanned once, in the next update |
//! | exec that closes, soon after a fork | a second scan of new owners, in the next update |
//! | a passed socket (`SCM_RIGHTS`), dup, close, a later exec | the number of descriptors: of what is on the screen once an owner has run, else round robin |
//! | a descriptor that is reused for another socket | verification of single descriptors, likewise |
//!
//! A round takes as many updates as there are processes (fewer with many sockets), and at most four more for each
//! process that changed. Nothing here signals a process, holds a reference to a socket of another process
//! (pidfd_getfd(2) would delay its close) or takes a failed read as proof. A process that cannot be read counts as
//! owning nothing. Where the first thread of a process has exited, its `/proc/PID/fd` is empty, and the sockets are searched
//! in its other threads ([`indirect`]).

use super::{InView, LookupRequest, OwnerChange};
use crate::model::socket::OwnerHint;
use fd_cache::FdEntry;
pub use not_found::SearchReport;
use owner_cache::OwnerCache;
use pending_lookups::PendingLookup;
use scan::ScanScope;
use search::{OwnerSearch, search_elsewhere};
use std::collections::HashSet;
use verification::{InViewVerification, Verification};

mod fd_cache;
mod fd_set;
mod indirect;
mod not_found;
mod owner_cache;
mod owner_handles;
mod pending_lookups;
mod pid_table;
mod proc_fs;
mod round_robin;
mod scan;
mod search;
mod verification;

/// Owners of the sockets that were requested and have not closed since. The first update scans every process.
#[derive(Default)]
pub struct OwnerResolver {
    cache: OwnerCache,
    search: OwnerSearch,
    in_view: InViewVerification,
    verification: Verification,
    /// New processes with sockets, which an exec may soon make them close.
    recently_forked: Vec<u32>,
}

impl OwnerResolver {
    /// Returns every change of the owners of the tracked sockets, in order. To be called after each poll of the tables.
    ///
    /// `closed` are sockets that closed, `requests` new ones; an inode in both was reused by another socket. The number of
    /// `rows` in the tables sets how much is verified, and the sockets `in_view` are verified first.
    pub fn update(
        &mut self,
        closed: &[OwnerHint],
        requests: &[LookupRequest],
        rows: usize,
        in_view: &InView,
    ) -> Vec<OwnerChange> {
        let cache = &mut self.cache;
        cache.now = cache.now.saturating_add(1);
        cache.no_descriptors = None;
        cache.pending.unfound.clear();
        self.forget(closed);
        let seen = self.track(requests);
        let scanned_all = self.scan_new_processes();
        for entry in seen {
            self.cache.check_unclaimed(entry);
        }
        self.in_view.run(&mut self.cache, in_view, rows);
        self.verification.run(&mut self.cache, rows);
        self.cache.verify_next_indirect();
        self.search.run(&mut self.cache, scanned_all);
        self.cache.end_update()
    }

    /// Reads the owners of these tracked sockets again: verifies every known owner, and scans every readable process if one
    /// was lost or none is known.
    pub fn recheck(&mut self, hints: &[OwnerHint]) -> Vec<OwnerChange> {
        self.cache.no_descriptors = None;
        self.scan_new_processes();
        let cache = &mut self.cache;
        let inodes: HashSet<u32> = hints.iter().copied().map(inode).collect();
        for inode in &inodes {
            cache.verify_socket(*inode);
            cache.verify_indirect_socket(*inode);
        }
        let is_lost =
            |change: &OwnerChange| !change.is_owner && inodes.contains(&inode(change.owner_hint));
        if cache.owner_changes.iter().any(is_lost)
            || inodes.iter().any(|inode| cache.pending.contains(*inode))
        {
            let pids: Vec<u32> = cache.readable().map(|known| known.pid).collect();
            for pid in pids {
                cache.scan(pid, ScanScope::NonSocket);
            }
            search_elsewhere(cache, |inode| inodes.contains(&inode));
        }
        std::mem::take(&mut cache.owner_changes)
    }

    /// True if a search through all processes for the owner of this socket is still to come. For lack of descriptors it
    /// may never be.
    pub fn has_pending_search(&self, owner_hint: OwnerHint) -> bool {
        self.cache.no_descriptors.is_none()
            && self.cache.pending.awaits_full_search(inode(owner_hint))
    }

    /// Sockets that the last update searched and did not find, most of them not for the first time.
    pub fn unfound(&self) -> impl Iterator<Item = OwnerHint> {
        let unfound = self.cache.pending.unfound.iter();
        unfound.filter_map(|inode| OwnerHint::new(*inode))
    }

    /// Returns what the searches met, which tells why an owner was not found.
    pub fn search_report(&mut self) -> SearchReport {
        SearchReport::of(&mut self.cache)
    }

    fn forget(&mut self, closed: &[OwnerHint]) {
        for inode in closed.iter().copied().map(inode) {
            self.verification.set_holds_port(inode, false);
            self.cache.forget(inode);
        }
    }

    /// Tracks the requested sockets; returns the descriptors on which a scan already saw them.
    fn track(&mut self, requests: &[LookupRequest]) -> Vec<FdEntry> {
        let mut seen = Vec::new();
        for request in requests {
            let inode = inode(request.owner_hint);
            self.verification.set_holds_port(inode, request.holds_port);
            seen.extend(self.cache.unclaimed.take(inode));
            if self.cache.has_known_owner(inode) {
                self.cache.report_again(inode);
            } else if !self.cache.is_tracked(inode) {
                let lookup = PendingLookup::new(request, self.cache.now);
                self.cache.pending.insert(inode, lookup);
            }
        }
        seen
    }

    /// Forgets exited processes and scans new ones; returns true if every process was scanned.
    fn scan_new_processes(&mut self) -> bool {
        let pid_changes = self.cache.poll_pids();
        for pid in std::mem::take(&mut self.recently_forked) {
            self.cache.scan_if_changed(pid, ScanScope::All);
        }
        for pid in &pid_changes.appeared {
            self.cache.forget_reused_pid(*pid);
            self.cache.scan(*pid, ScanScope::NonSocket);
            if !pid_changes.scanned_all && self.cache.pid_table.owner(*pid).is_some() {
                self.recently_forked.push(*pid);
            }
        }
        pid_changes.scanned_all
    }
}

fn inode(owner_hint: OwnerHint) -> u32 {
    owner_hint.0.get()
}

#[cfg(test)]
mod tests;
