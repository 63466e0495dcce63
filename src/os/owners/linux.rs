//! Which processes hold which sockets, kept from look to look instead of searched again.
//!
//! Where the holders of a socket are known, one readlink now and then checks them; a new socket is looked for where it
//! probably is; only what cannot be found so is searched for everywhere, and rarely. What makes a kept holder wrong, and
//! what puts it right:
//!
//! | what happens | is noticed by |
//! | --- | --- |
//! | a process ends | its pidfd, at the next update |
//! | fork | the last pid given away: new processes are read once, at the next update |
//! | exec that closes, soon after fork | a second look at new holders, at the next update |
//! | a socket passed (`SCM_RIGHTS`), dup, close, a later exec | the number of descriptors changed, in turn |
//! | a descriptor reused for another socket | the checking of single descriptors, in turn |
//!
//! A turn comes round within as many updates as there are processes (fewer with many sockets), and at most four more
//! for each that changed. This module never signals a process, never holds
//! a reference to a socket of another one (no pidfd_getfd(2), which would delay its close) and never takes a failed read
//! for an answer. A process that may not be read holds nothing, as far as is known here. The sockets of a process whose
//! first thread has ended are not found, as its `/proc/PID/fd` is empty then.

use super::{LookupRequest, OwnerChange};
use bound_inodes::BoundInodes;
use fd_cache::{FdCache, FdEntry, FdInsert};
use owner_table::OwnerTable;
use pending_lookups::{PendingLookup, PendingLookups, SyscallBudget};
use pid_table::PidTable;
use proc_fs::ProcFs;
use scan::ScanScope;
use verification::VerifyBudget;

mod bound_inodes;
mod fd_cache;
mod fd_set;
mod lifecycle;
mod owner_table;
mod pending_lookups;
mod pid_table;
mod proc_fs;
mod round_robin;
mod scan;
mod search;
mod verification;

/// So many strangers are remembered at most, in 3.4 MB: local sockets, those of other network namespaces, and such.
const MAX_UNCLAIMED: usize = 229_376;

/// Who holds what, as far as it is followed: sought once and not closed since.
pub struct OwnerResolver {
    proc: ProcFs,
    pid_table: PidTable,
    owner_table: OwnerTable,
    /// By the slots of the roster.
    fd_cache: FdCache,
    /// Sockets nobody asked for yet, by pid: a socket is in no table before it is bound or connected, and then its
    /// holder shows no change any more. Only hints, which may be out of date.
    unclaimed: FdCache,
    /// How many strangers there were when those of ended processes were last removed.
    unclaimed_after_prune: usize,
    pending: PendingLookups,
    bound_inodes: BoundInodes,
    /// New processes that held something at once, which an exec may soon make them close.
    recently_forked: Vec<u32>,
    /// Holders of which sockets closed in this update, and whose free descriptors so are likely taken first.
    freed_fd_owners: Vec<u32>,
    owner_changes: Vec<OwnerChange>,
    verify_budget: VerifyBudget,
    /// For searches where something changed, and for searches everywhere.
    budgets: [SyscallBudget; 2],
    /// The number of the update.
    now: u32,
}

impl Default for OwnerResolver {
    fn default() -> Self {
        Self::new()
    }
}

impl OwnerResolver {
    /// Knows nothing and reads nothing yet; the first update reads everything.
    pub fn new() -> Self {
        Self {
            proc: ProcFs::default(),
            pid_table: PidTable::default(),
            owner_table: OwnerTable::default(),
            fd_cache: FdCache::default(),
            unclaimed: FdCache::default(),
            unclaimed_after_prune: 0,
            pending: PendingLookups::default(),
            bound_inodes: BoundInodes::default(),
            recently_forked: Vec::new(),
            freed_fd_owners: Vec::new(),
            owner_changes: Vec::new(),
            verify_budget: VerifyBudget::default(),
            budgets: [SyscallBudget::new(512), SyscallBudget::new(128)],
            now: 0,
        }
    }

    /// Once per look, after the tables were read: tells every change of the holders of every socket that is followed, in
    /// the order they came to light.
    ///
    /// `closed` are gone from the tables, `sought` came or got their first holder; one in both is another socket under
    /// the same inode. `rows` is how many sockets there are: it sets how much is checked.
    pub fn update(
        &mut self,
        closed: &[u32],
        requests: &[LookupRequest],
        rows: usize,
    ) -> Vec<OwnerChange> {
        self.proc.prepare();
        self.now = self.now.saturating_add(1);
        for inode in closed {
            self.forget(*inode);
        }
        let hints = self.start_lookups(requests);
        self.remove_exited_owners();
        let is_first = self.scan_new();
        for hint in hints {
            self.check_hint(hint);
        }
        self.verify(rows);
        self.search(is_first);
        self.freed_fd_owners.clear();
        self.shrink();
        std::mem::take(&mut self.owner_changes)
    }

    /// Reads anew who holds these, as far as they are followed: every known holder is checked, and every process that may
    /// be read is searched if one was lost or none was known.
    pub fn recheck(&mut self, inodes: &[u32]) -> Vec<OwnerChange> {
        self.proc.prepare();
        self.remove_exited_owners();
        self.scan_new();
        for inode in inodes {
            let known: Vec<FdEntry> = self.fd_cache.of(*inode).collect();
            for entry in known {
                self.verify_fd(entry);
            }
        }
        let is_of_these = |change: &OwnerChange| inodes.contains(&change.inode);
        let is_lost = |change: &OwnerChange| !change.is_owner && is_of_these(change);
        let is_unknown = |inode: &u32| self.pending.contains(*inode);
        if self.owner_changes.iter().any(is_lost) || inodes.iter().any(is_unknown) {
            for pid in self.readable_pids() {
                self.scan(pid, ScanScope::Untracked);
            }
        }
        std::mem::take(&mut self.owner_changes)
    }

    /// Follows these, and gives the strangers that they were until now.
    fn start_lookups(&mut self, requests: &[LookupRequest]) -> Vec<FdEntry> {
        let mut hints = Vec::new();
        for one in requests.iter().filter(|one| one.inode != 0) {
            self.bound_inodes.set(one.inode, one.holds_port);
            hints.extend(self.unclaimed.take(one.inode));
            if self.fd_cache.has(one.inode) {
                self.report_again(one.inode);
            } else if !self.is_tracked(one.inode) {
                self.pending
                    .insert(one.inode, PendingLookup::new(one, self.now));
            }
        }
        hints
    }

    /// Another row has the inode of one that is followed: a further subflow of a multipath connection.
    fn report_again(&mut self, inode: u32) {
        let holders = self
            .fd_cache
            .of(inode)
            .filter_map(|entry| self.owner_table.get(entry.process));
        let again = holders.map(|owner| OwnerChange {
            inode,
            process: owner.id,
            is_owner: true,
        });
        self.owner_changes.extend(again);
    }

    /// Whether a search through all processes for who holds this is still to come.
    pub fn has_pending_search(&self, inode: u32) -> bool {
        self.pending.awaits_full_search(inode)
    }

    /// Looks where a socket was seen before anybody asked for it.
    fn check_hint(&mut self, hint: FdEntry) {
        let pid = hint.process;
        let Some(slot) = self.pid_table.get(pid).and_then(|known| known.slot) else {
            return self.scan(pid, ScanScope::Untracked);
        };
        let directory = self.owner_table.directory(&self.proc, slot);
        let socket =
            directory.and_then(|directory| self.proc.socket_at(&directory, hint.descriptor));
        if socket == Ok(Some(hint.inode)) {
            self.add_fd(slot, hint.descriptor, hint.inode);
        }
    }

    fn forget(&mut self, inode: u32) {
        self.pending.remove(inode, self.now);
        self.bound_inodes.set(inode, false);
        let entries = self.fd_cache.take(inode);
        let is_shared = entries.len() > 1;
        for entry in entries {
            let Some(owner) = self.owner_table.get_mut(entry.process) else {
                continue;
            };
            owner.entry_count -= 1;
            owner.socket_fds.remove(entry.descriptor);
            owner.open_fds.remove(entry.descriptor);
            if let Some(known) = self.pid_table.get_mut(owner.id.pid.0) {
                known.fd_stat.count = known.fd_stat.count.saturating_sub(1);
            }
            // A listener may only be no listener for a while, and of several holders a search finds the first.
            if is_shared {
                self.unclaimed.insert(FdEntry {
                    process: owner.id.pid.0,
                    ..entry
                });
            }
            if self.freed_fd_owners.last() != Some(&entry.process) {
                self.freed_fd_owners.push(entry.process);
            }
        }
    }

    fn is_tracked(&self, inode: u32) -> bool {
        self.fd_cache.has(inode) || self.pending.contains(inode)
    }

    /// Takes in that a holder has this socket, and tells whether that is new.
    fn add_fd(&mut self, slot: u32, descriptor: u32, inode: u32) -> FdInsert {
        let Some(owner) = self.owner_table.get_mut(slot) else {
            return FdInsert::Known;
        };
        owner.socket_fds.insert(descriptor);
        owner.open_fds.insert(descriptor);
        let process = owner.id;
        let inserted = self.fd_cache.insert(FdEntry {
            inode,
            process: slot,
            descriptor,
        });
        owner.entry_count += usize::from(inserted != FdInsert::Known);
        if inserted == FdInsert::NewOwner {
            self.owner_table.touch(slot);
            self.owner_changes.push(OwnerChange {
                inode,
                process,
                is_owner: true,
            });
        }
        self.pending.remove(inode, self.now);
        inserted
    }

    /// Takes in that these, no longer in the table, are held no more.
    fn remove_fds(&mut self, mut lost: Vec<FdEntry>) {
        for entry in &lost {
            if let Some(owner) = self.owner_table.get_mut(entry.process) {
                owner.entry_count -= 1;
                owner.socket_fds.remove(entry.descriptor);
            }
        }
        // What is lost during a search is searched for by the next one.
        let due = self.now.saturating_add(self.pending.has_remaining().into());
        lost.sort_unstable();
        lost.dedup_by_key(|entry| (entry.inode, entry.process));
        for FdEntry { inode, process, .. } in lost {
            if self.fd_cache.has_owner(inode, process) {
                continue;
            }
            if let Some(owner) = self.owner_table.get(process) {
                self.owner_changes.push(OwnerChange {
                    inode,
                    process: owner.id,
                    is_owner: false,
                });
            }
            if !self.fd_cache.has(inode) {
                self.pending.insert(inode, PendingLookup::lost(due));
            }
        }
    }

    /// Keeps the memory in proportion to what there is.
    fn shrink(&mut self) {
        self.fd_cache.shrink();
        self.pending.shrink();
        if self.unclaimed.len() > MAX_UNCLAIMED {
            self.unclaimed = FdCache::default();
        }
        if self.unclaimed.len()
            > self
                .unclaimed_after_prune
                .saturating_mul(2)
                .saturating_add(1024)
        {
            let pid_table = &self.pid_table;
            let is_gone = |entry: &FdEntry| pid_table.get(entry.process).is_none();
            self.unclaimed.remove_if(is_gone);
            self.unclaimed.shrink();
            self.unclaimed_after_prune = self.unclaimed.len();
        }
    }
}

#[cfg(test)]
mod tests;
