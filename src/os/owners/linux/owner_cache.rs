//! Known processes, owners and descriptors, and the changes since the last update.

use super::fd_cache::{FdCache, FdEntry, FdInsert};
use super::owner_table::OwnerTable;
use super::pending_lookups::{PendingLookup, PendingLookups};
use super::pid_table::{PidChanges, PidTable};
use super::proc_fs::ProcFs;
use crate::model::process::ProcessId;
use crate::model::socket::OwnerHint;
use crate::os::owners::OwnerChange;
use std::collections::HashSet;

/// Bound of the unclaimed sockets, in 3.4 MB: sockets of other families, of other network namespaces and the like.
const MAX_UNCLAIMED: usize = 229_376;

#[derive(Default)]
pub struct OwnerCache {
    pub proc: ProcFs,
    pub pid_table: PidTable,
    pub owner_table: OwnerTable,
    /// Sockets of the owners, by slot.
    pub fds: FdCache,
    /// Sockets that were not requested yet, by pid. A socket is in no table before it is bound or connected, and then its
    /// owner shows no change any more. Possibly out of date.
    pub unclaimed: FdCache,
    /// Number of unclaimed sockets when those of exited processes were last removed.
    unclaimed_after_prune: usize,
    pub pending: PendingLookups,
    /// Owners that closed sockets in this update: new sockets likely take the freed descriptors.
    pub freed_fd_owners: Vec<u32>,
    pub owner_changes: Vec<OwnerChange>,
    pub now: u32,
}

impl OwnerCache {
    pub fn begin_update(&mut self) {
        self.proc.prepare();
        self.now = self.now.saturating_add(1);
    }

    /// Frees unused memory and takes the changes.
    pub fn end_update(&mut self) -> Vec<OwnerChange> {
        self.freed_fd_owners.clear();
        self.fds.shrink();
        self.pending.shrink();
        if self.unclaimed.len() > MAX_UNCLAIMED {
            self.unclaimed = FdCache::default();
        }
        let max_unclaimed = self
            .unclaimed_after_prune
            .saturating_mul(2)
            .saturating_add(1024);
        if self.unclaimed.len() > max_unclaimed {
            let pid_table = &self.pid_table;
            self.unclaimed
                .remove_if(|entry| pid_table.get(entry.process).is_none());
            self.unclaimed.shrink();
            self.unclaimed_after_prune = self.unclaimed.len();
        }
        std::mem::take(&mut self.owner_changes)
    }

    pub fn is_tracked(&self, inode: u32) -> bool {
        self.fds.has(inode) || self.pending.contains(inode)
    }

    /// The slot of a process that is an owner.
    pub fn slot(&self, pid: u32) -> Option<u32> {
        self.pid_table.get(pid)?.slot
    }

    /// Processes that can be read, and those that were denied long ago.
    pub fn readable_pids(&self) -> Vec<u32> {
        self.pid_table
            .all()
            .filter(|known| known.denied_until <= self.now)
            .map(|known| known.pid)
            .collect()
    }

    /// Reports the owners of a socket that has another row with the same inode: a subflow of a multipath connection.
    pub fn report_again(&mut self, inode: u32) {
        let owners = self
            .fds
            .of(inode)
            .filter_map(|entry| self.owner_table.get(entry.process));
        self.owner_changes
            .extend(owners.filter_map(|owner| owner_change(inode, owner.id, true)));
    }

    pub fn forget(&mut self, inode: u32) {
        self.pending.remove(inode, self.now);
        let entries = self.fds.take(inode);
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
            // A listener may stop listening for a while, and a search finds only the first of several owners.
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

    /// Records that an owner has this socket.
    pub fn add_fd(&mut self, slot: u32, descriptor: u32, inode: u32) -> FdInsert {
        let Some(owner) = self.owner_table.get_mut(slot) else {
            return FdInsert::Known;
        };
        owner.socket_fds.insert(descriptor);
        owner.open_fds.insert(descriptor);
        let process = owner.id;
        let inserted = self.fds.insert(FdEntry {
            inode,
            process: slot,
            descriptor,
        });
        owner.entry_count += usize::from(inserted != FdInsert::Known);
        if inserted == FdInsert::NewOwner {
            self.owner_table.touch(slot);
            self.owner_changes
                .extend(owner_change(inode, process, true));
        }
        self.pending.remove(inode, self.now);
        inserted
    }

    /// Removes descriptors that do not have their socket any more.
    pub fn remove_fds(&mut self, is_lost: impl Fn(&FdEntry) -> bool) {
        let mut lost = self.fds.remove_if(is_lost);
        for entry in &lost {
            if let Some(owner) = self.owner_table.get_mut(entry.process) {
                owner.entry_count -= 1;
                owner.socket_fds.remove(entry.descriptor);
            }
        }
        // What is lost during a search is due in the next one.
        let due = self.now.saturating_add(self.pending.has_remaining().into());
        lost.sort_unstable();
        lost.dedup_by_key(|entry| (entry.inode, entry.process));
        for FdEntry { inode, process, .. } in lost {
            if self.fds.has_owner(inode, process) {
                continue;
            }
            if let Some(owner) = self.owner_table.get(process) {
                self.owner_changes
                    .extend(owner_change(inode, owner.id, false));
            }
            if !self.fds.has(inode) {
                self.pending.insert(inode, PendingLookup::lost(due));
            }
        }
    }

    pub fn remove_exited_owners(&mut self) {
        let exited = self.owner_table.exited(&self.proc);
        self.remove_exited(&exited);
    }

    /// Removes owners that exited, in one pass over the cache.
    pub fn remove_exited(&mut self, exited: &[u32]) {
        let has_entries = exited.iter().any(|slot| {
            let owner = self.owner_table.get(*slot);
            owner.is_some_and(|owner| owner.entry_count > 0)
        });
        if has_entries {
            let is_exited: HashSet<u32> = exited.iter().copied().collect();
            self.remove_fds(|entry| is_exited.contains(&entry.process));
        }
        for slot in exited {
            if let Some(owner) = self.owner_table.remove(*slot)
                && self.slot(owner.id.pid.0) == Some(*slot)
            {
                self.pid_table.forget(owner.id.pid.0);
            }
        }
    }

    pub fn poll_pids(&mut self) -> PidChanges {
        let pid_changes = self.pid_table.poll(&self.proc);
        let exited = pid_changes.gone.iter().filter_map(|known| known.slot);
        self.remove_exited(&exited.collect::<Vec<u32>>());
        pid_changes
    }

    /// Forgets what is known of a pid that another process has now.
    pub fn forget_reused_pid(&mut self, pid: u32) {
        let Some(known) = self.pid_table.get_mut(pid) else {
            return;
        };
        known.denied_until = 0;
        if let Some(slot) = known.slot {
            let directory = self.owner_table.directory(&self.proc, slot);
            if !directory.is_ok_and(|directory| self.proc.is_alive(&directory)) {
                self.remove_exited(&[slot]);
            }
        }
    }
}

/// `None` for inode 0, which no socket has.
fn owner_change(inode: u32, process: ProcessId, is_owner: bool) -> Option<OwnerChange> {
    Some(OwnerChange {
        owner_hint: OwnerHint::new(inode)?,
        process,
        is_owner,
    })
}
