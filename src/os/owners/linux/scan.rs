//! Reads the descriptors of one process and compares them with the cache.

use super::fd_cache::{FdEntry, FdInsert};
use super::fd_set::FdSet;
use super::owner_cache::OwnerCache;
use super::proc_fs::{FdDir, FdStat};
use rustix::io::{Errno, Result};
use std::sync::Arc;

/// Updates until a process that denied access is tried again.
const DENIED_UPDATES: u32 = 64;

/// Descriptors of an owner that are read. Of another process all are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ScanScope {
    /// Those that were not open before.
    Unused,
    /// Those that are not known as sockets.
    Untracked,
    All,
}

struct FdScan {
    fd_stat: FdStat,
    open: FdSet,
    /// Tracked sockets by descriptor and inode, sorted.
    tracked: Vec<(u32, u32)>,
    /// Other sockets.
    unclaimed: Vec<(u32, u32)>,
}

impl OwnerCache {
    pub fn scan(&mut self, pid: u32, scope: ScanScope) {
        let slot = self.slot(pid);
        let directory = match slot {
            Some(slot) => self.owner_table.directory(&self.proc, slot),
            None => self.proc.open(pid).map(Arc::new),
        };
        let scan = directory.and_then(|directory| {
            let scan = self.read(&directory, slot, scope)?;
            Ok((directory, scan))
        });
        match scan {
            Ok((directory, scan)) => self.apply_scan(pid, &directory, &scan, scope),
            Err(errno) => self.handle_read_error(pid, errno),
        }
    }

    /// Scans a process whose number of descriptors is not the expected one; true if it was so.
    pub fn scan_if_changed(&mut self, pid: u32, scope: ScanScope) -> bool {
        let has_changed = self.has_changed(pid);
        match has_changed {
            Ok(true) => self.scan(pid, scope),
            Ok(false) => {}
            Err(errno) => self.handle_read_error(pid, errno),
        }
        has_changed == Ok(true)
    }

    /// True if the number of descriptors is not the expected one, or is not reported.
    fn has_changed(&self, pid: u32) -> Result<bool> {
        if !self.proc.reports_fd_counts {
            return Ok(true);
        }
        let known = self.pid_table.get(pid).ok_or(Errno::NOENT)?;
        let fd_stat = match known.slot {
            Some(slot) => self
                .owner_table
                .directory(&self.proc, slot)
                .and_then(|directory| self.proc.fd_stat(&directory))?,
            None => self.proc.fd_stat_of_pid(pid)?,
        };
        Ok(fd_stat.count != known.fd_stat.count)
    }

    fn read(&self, directory: &FdDir, slot: Option<u32>, scope: ScanScope) -> Result<FdScan> {
        let mut scan = FdScan {
            // Before the listing, so that a change meanwhile still counts as one.
            fd_stat: self.proc.fd_stat(directory)?,
            open: FdSet::default(),
            tracked: Vec::new(),
            unclaimed: Vec::new(),
        };
        let owner = slot.and_then(|slot| self.owner_table.get(slot));
        let skipped = owner.and_then(|owner| match scope {
            ScanScope::Unused => Some(&owner.open_fds),
            ScanScope::Untracked => Some(&owner.socket_fds),
            ScanScope::All => None,
        });
        self.proc.descriptors(directory, |descriptor, name| {
            scan.open.insert(descriptor);
            if skipped.is_some_and(|skipped| skipped.contains(descriptor)) {
                return Ok(());
            }
            match self.proc.socket(directory, name) {
                Ok(Some(inode)) if self.is_tracked(inode) => scan.tracked.push((descriptor, inode)),
                Ok(Some(inode)) => scan.unclaimed.push((descriptor, inode)),
                // Closed since it was listed.
                Ok(None) | Err(Errno::NOENT) => {}
                Err(errno) => return Err(errno),
            }
            Ok(())
        })?;
        scan.tracked.sort_unstable();
        Ok(scan)
    }

    fn apply_scan(&mut self, pid: u32, directory: &Arc<FdDir>, scan: &FdScan, scope: ScanScope) {
        let known = self.pid_table.get_or_insert(pid);
        known.fd_stat = scan.fd_stat;
        known.denied_until = 0;
        if known.slot.is_none() && !scan.tracked.is_empty() {
            known.slot = self.owner_table.register(&self.proc, pid, directory);
        }
        let slot = known.slot;
        for (descriptor, inode) in &scan.unclaimed {
            self.unclaimed.insert(FdEntry {
                inode: *inode,
                process: pid,
                descriptor: *descriptor,
            });
        }
        if let Some(slot) = slot {
            self.compare(slot, scan, scope);
        }
    }

    /// Adds found sockets before it removes lost ones: a socket that moved to another descriptor was never closed.
    fn compare(&mut self, slot: u32, scan: &FdScan, scope: ScanScope) {
        let Some(owner) = self.owner_table.get(slot) else {
            return;
        };
        let entry_count = owner.entry_count;
        // Descriptors that were not read count as unchanged.
        let mut confirmed = match scope {
            ScanScope::Unused | ScanScope::Untracked => owner.socket_fds.count_common(&scan.open),
            ScanScope::All => 0,
        };
        for (descriptor, inode) in &scan.tracked {
            let inserted = self.add_fd(slot, *descriptor, *inode);
            confirmed += usize::from(inserted == FdInsert::Known);
        }
        if confirmed < entry_count {
            self.remove_fds(|entry| {
                let is_unread = scope != ScanScope::All && scan.open.contains(entry.descriptor);
                let found = (entry.descriptor, entry.inode);
                entry.process == slot && !is_unread && scan.tracked.binary_search(&found).is_err()
            });
        }
        if let Some(owner) = self.owner_table.get_mut(slot) {
            owner.open_fds.clone_from(&scan.open);
            for (descriptor, _) in &scan.tracked {
                owner.socket_fds.insert(*descriptor);
            }
        }
    }

    /// Reads a descriptor on which a socket was seen before it was requested.
    pub fn check_unclaimed(&mut self, entry: FdEntry) {
        let pid = entry.process;
        let Some(slot) = self.slot(pid) else {
            return self.scan(pid, ScanScope::Untracked);
        };
        if self.read_fd(slot, entry.descriptor) == Ok(Some(entry.inode)) {
            self.add_fd(slot, entry.descriptor, entry.inode);
        }
    }

    /// Reads one descriptor again, and scans its process if it is not the expected socket.
    pub fn verify_fd(&mut self, entry: FdEntry) {
        let Some(owner) = self.owner_table.get(entry.process) else {
            return;
        };
        let pid = owner.id.pid.0;
        match self.read_fd(entry.process, entry.descriptor) {
            Ok(Some(inode)) if inode == entry.inode => {}
            // Closed: only new descriptors matter.
            Err(Errno::NOENT) => self.scan(pid, ScanScope::Untracked),
            Ok(_) => self.scan(pid, ScanScope::All),
            Err(errno) => self.handle_read_error(pid, errno),
        }
    }

    /// Returns the inode of the socket on this descriptor of an owner.
    fn read_fd(&self, slot: u32, descriptor: u32) -> Result<Option<u32>> {
        let directory = self.owner_table.directory(&self.proc, slot)?;
        self.proc.socket_at(&directory, descriptor)
    }

    /// Forgets a process that exited, and stops reading one that denies access. Other errors may pass.
    pub fn handle_read_error(&mut self, pid: u32, errno: Errno) {
        match errno {
            Errno::ACCESS | Errno::PERM => {
                self.pid_table.get_or_insert(pid).denied_until =
                    self.now.saturating_add(DENIED_UPDATES);
            }
            Errno::NOENT | Errno::SRCH => {
                if let Some(slot) = self.slot(pid) {
                    self.remove_exited(&[slot]);
                }
                self.pid_table.forget(pid);
            }
            _ => {}
        }
    }
}
