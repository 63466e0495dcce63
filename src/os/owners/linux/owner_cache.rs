//! Known processes, owners and descriptors, and the changes since the last update.

use super::fd_cache::{FdCache, FdEntry, FdInsert};
use super::indirect::indirect_sockets::IndirectSockets;
use super::not_found::kernel::BuiltInModules;
use super::owner_handles::OwnerHandles;
use super::pending_lookups::{PendingLookup, PendingLookups};
use super::pid_table::{PidChanges, PidEntry, PidTable};
use super::proc_fs::ProcFs;
use crate::model::process::ProcessId;
use crate::model::socket::OwnerHint;
use crate::os::owners::OwnerChange;
use crate::os::processes::access::Rights;
use rustix::io::Errno;
use std::collections::HashSet;
use std::sync::Arc;

/// Number of owners that are remembered as recent.
const MAX_RECENT_OWNERS: usize = 8;

/// Bound of the unclaimed sockets, in 3.4 MB: sockets of other families, of other network namespaces and the like.
const MAX_UNCLAIMED: usize = 229_376;

#[derive(Default)]
pub struct OwnerCache {
    pub proc: ProcFs,
    pub pid_table: PidTable,
    /// portmon's own rights, once they were needed: it never changes them.
    pub rights: Option<Rights>,
    pub built_in_modules: Option<Arc<BuiltInModules>>,
    pub handles: OwnerHandles,
    /// Owners that were found to own another socket, the latest first.
    pub recent: Vec<u32>,
    /// Sockets of the owners.
    pub fds: FdCache,
    /// Sockets that were not requested yet. A socket is in no table until it is bound or connected, and by then the fd
    /// count of its owner no longer changes. Entries may be out of date.
    pub unclaimed: FdCache,
    /// Number of unclaimed sockets when those of exited processes were last removed.
    unclaimed_after_prune: usize,
    /// Sockets that their owners have elsewhere than on descriptors of the process.
    pub indirect: IndirectSockets,
    pub pending: PendingLookups,
    /// Owners that closed sockets in this update: new sockets likely take the freed descriptors.
    pub freed_fd_owners: Vec<u32>,
    pub owner_changes: Vec<OwnerChange>,
    /// Set if a process could not be opened in this update for lack of descriptors.
    pub no_descriptors: Option<Errno>,
    /// Inodes of the sockets on the screen, sorted.
    pub in_view: Vec<u32>,
    pub now: u32,
}

impl OwnerCache {
    /// Frees unused memory and takes the changes.
    pub fn end_update(&mut self) -> Vec<OwnerChange> {
        self.freed_fd_owners.clear();
        self.fds.shrink();
        self.pending.shrink();
        if self.unclaimed.len() > MAX_UNCLAIMED {
            self.unclaimed = FdCache::default();
        }
        let max_unclaimed = self.unclaimed_after_prune.saturating_mul(2);
        if self.unclaimed.len() > max_unclaimed.saturating_add(1024) {
            let known = &self.pid_table.known;
            self.unclaimed
                .remove_if(|entry| known.get(entry.pid).is_none());
            self.unclaimed.shrink();
            self.unclaimed_after_prune = self.unclaimed.len();
        }
        std::mem::take(&mut self.owner_changes)
    }

    pub fn set_in_view(&mut self, hints: &[OwnerHint]) {
        self.in_view.clear();
        self.in_view.extend(hints.iter().map(|hint| hint.0.get()));
        self.in_view.sort_unstable();
    }

    pub fn is_tracked(&self, inode: u32) -> bool {
        self.has_known_owner(inode) || self.pending.contains(inode)
    }

    pub fn has_known_owner(&self, inode: u32) -> bool {
        self.fds.has(inode) || self.indirect.has(inode)
    }

    pub fn has_owner(&self, inode: u32, pid: u32) -> bool {
        self.fds.has_owner(inode, pid) || self.indirect.has_owner(inode, pid)
    }

    /// Processes that can be read, and those that were denied long ago.
    pub fn readable(&self) -> impl Iterator<Item = &PidEntry> {
        let known = self.pid_table.known.all();
        known.filter(|known| known.denied_until <= self.now)
    }

    /// Reports the owners of a socket that has another row with the same inode: a subflow of a multipath connection.
    pub fn report_again(&mut self, inode: u32) {
        let entries = self.fds.of(inode);
        let owners = entries.filter_map(|entry| Some(self.pid_table.owner(entry.pid)?.id));
        let owners = owners.chain(self.indirect.of(inode).map(|found| found.owner));
        let changes = owners.filter_map(|owner| owner_change(inode, owner, true));
        self.owner_changes.extend(changes);
    }

    pub fn forget(&mut self, inode: u32) {
        self.pending.remove(inode, self.now);
        self.indirect.forget(inode);
        let entries = self.fds.take(inode);
        let is_shared = entries.len() > 1;
        for entry in entries {
            let Some(known) = self.pid_table.known.get_mut(entry.pid) else {
                continue;
            };
            known.fd_stat.count = known.fd_stat.count.saturating_sub(1);
            if let Some(owner) = &mut known.owner {
                owner.entry_count -= 1;
                owner.socket_fds.remove(entry.descriptor);
                owner.open_fds.remove(entry.descriptor);
            }
            // A listener may stop listening for a while, and a search finds only the first of several owners.
            if is_shared {
                self.unclaimed.insert(entry);
            }
            if self.freed_fd_owners.last() != Some(&entry.pid) {
                self.freed_fd_owners.push(entry.pid);
            }
        }
    }

    /// Records that an owner has this socket.
    pub fn add_fd(&mut self, entry: FdEntry) -> FdInsert {
        let FdEntry {
            inode,
            pid,
            descriptor,
        } = entry;
        let Some(owner) = self.pid_table.owner_mut(pid) else {
            return FdInsert::Known;
        };
        owner.socket_fds.insert(descriptor);
        owner.open_fds.insert(descriptor);
        let inserted = self.fds.insert(entry);
        owner.entry_count += usize::from(inserted != FdInsert::Known);
        if inserted == FdInsert::NewOwner {
            let change = owner_change(inode, owner.id, true);
            self.owner_changes.extend(change);
            if self.recent.first() != Some(&pid) {
                self.recent.retain(|recent| *recent != pid);
                self.recent.insert(0, pid);
                self.recent.truncate(MAX_RECENT_OWNERS);
            }
        }
        self.pending.remove(inode, self.now);
        inserted
    }

    /// Removes descriptors that do not have their socket any more.
    pub fn remove_fds(&mut self, is_lost: impl Fn(&FdEntry) -> bool) {
        let mut lost = self.fds.remove_if(is_lost);
        for entry in &lost {
            if let Some(owner) = self.pid_table.owner_mut(entry.pid) {
                owner.entry_count -= 1;
                owner.socket_fds.remove(entry.descriptor);
            }
        }
        lost.sort_unstable();
        lost.dedup_by_key(|entry| (entry.inode, entry.pid));
        for FdEntry { inode, pid, .. } in lost {
            if let Some(owner) = self.pid_table.owner(pid) {
                self.lose_owner(inode, owner.id);
            }
        }
    }

    /// Records that a process has a socket in one place less, in the last of which it is an owner no more.
    pub fn lose_owner(&mut self, inode: u32, owner: ProcessId) {
        if self.has_owner(inode, owner.pid.0) {
            return;
        }
        self.report_owner(inode, owner, false);
        if !self.has_known_owner(inode) {
            // What is lost during a search is due in the next one.
            let is_searching = self.pending.remaining > 0;
            let due = self.now.saturating_add(is_searching.into());
            let is_in_view = self.in_view.binary_search(&inode).is_ok();
            let lookup = PendingLookup::lost(due, is_in_view);
            self.pending.insert(inode, lookup);
        }
    }

    pub fn report_owner(&mut self, inode: u32, owner: ProcessId, is_owner: bool) {
        self.owner_changes
            .extend(owner_change(inode, owner, is_owner));
        if is_owner {
            self.pending.remove(inode, self.now);
        }
    }

    /// Forgets processes that exited, in one pass over the cache.
    pub fn remove_exited(&mut self, exited: &[u32]) {
        let owners = exited.iter().filter_map(|pid| self.pid_table.owner(*pid));
        if owners.map(|owner| owner.entry_count).sum::<usize>() > 0 {
            let is_exited: HashSet<u32> = exited.iter().copied().collect();
            self.remove_fds(|entry| is_exited.contains(&entry.pid));
        }
        for pid in exited {
            self.pid_table.with_sockets.remove(*pid);
            for lost in self.indirect.remove_exited(*pid) {
                self.lose_owner(lost.inode, lost.owner);
            }
            let known = self.pid_table.known.remove(*pid);
            if let Some(mut owner) = known.and_then(|known| known.owner) {
                self.handles.close(&mut owner);
                self.recent.retain(|recent| recent != pid);
            }
        }
    }

    /// Forgets exited processes and returns the changes of the processes.
    pub fn poll_pids(&mut self) -> PidChanges {
        self.proc.reopen();
        self.remove_exited(&self.handles.exited(&self.proc));
        let pid_changes = self.pid_table.poll(&self.proc);
        self.remove_exited(&pid_changes.gone);
        pid_changes
    }

    /// Forgets what is known of a pid that another process has now.
    pub fn forget_reused_pid(&mut self, pid: u32) {
        let Some(known) = self.pid_table.known.get_mut(pid) else {
            return;
        };
        known.denied_until = 0;
        if let Some(owner) = &known.owner {
            let directory = owner.directory(&self.proc);
            if !directory.is_ok_and(|directory| self.proc.is_alive(&directory)) {
                self.remove_exited(&[pid]);
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
