//! Reads the descriptors of one process and compares them with what is known of it.

use super::OwnerResolver;
use super::fd_cache::{FdEntry, FdInsert};
use super::fd_set::FdSet;
use super::proc_fs::{FdDir, FdStat};
use rustix::io::{Errno, Result};
use std::sync::Arc;

/// After so many updates a process that may not be read is tried again.
const DENIED_UPDATES: u32 = 64;

/// Which descriptors of a holder are read. Of another process it is always all of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ScanScope {
    /// Those that were not in use before.
    Unused,
    /// Those that are not known to be sockets it holds.
    Untracked,
    All,
}

/// What one process was seen to have open.
struct FdScan {
    fd_stat: FdStat,
    open: FdSet,
    /// Sockets that are followed, by descriptor and inode, in order.
    tracked: Vec<(u32, u32)>,
    /// Sockets that are not.
    unclaimed: Vec<(u32, u32)>,
}

impl OwnerResolver {
    pub(super) fn scan(&mut self, pid: u32, scope: ScanScope) {
        let slot = self.pid_table.get(pid).and_then(|known| known.slot);
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

    /// Scans a process in which the number of descriptors is another than it should be, and tells whether it was.
    pub(super) fn scan_if_changed(&mut self, pid: u32, scope: ScanScope) -> bool {
        let has_changed = self.has_changed(pid);
        match has_changed {
            Ok(true) => self.scan(pid, scope),
            Ok(false) => {}
            Err(errno) => self.handle_read_error(pid, errno),
        }
        has_changed == Ok(true)
    }

    /// Whether the number of descriptors is another than it should be, or is not told.
    fn has_changed(&self, pid: u32) -> Result<bool> {
        if !self.proc.reports_fd_counts() {
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
            // Before the listing, so that what changes meanwhile is a change yet.
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

    /// What was found first: a socket that moved to another descriptor was never let go.
    fn compare(&mut self, slot: u32, scan: &FdScan, scope: ScanScope) {
        let Some(owner) = self.owner_table.get(slot) else {
            return;
        };
        let entry_count = owner.entry_count;
        // What was not read, as it is taken to be what it was.
        let mut confirmed = match scope {
            ScanScope::Unused | ScanScope::Untracked => owner.socket_fds.count_common(&scan.open),
            ScanScope::All => 0,
        };
        for (descriptor, inode) in &scan.tracked {
            let inserted = self.add_fd(slot, *descriptor, *inode);
            confirmed += usize::from(inserted == FdInsert::Known);
        }
        if confirmed < entry_count {
            self.remove_stale_fds(slot, scan, scope);
        }
        if let Some(owner) = self.owner_table.get_mut(slot) {
            owner.open_fds.clone_from(&scan.open);
            for (descriptor, _) in &scan.tracked {
                owner.socket_fds.insert(*descriptor);
            }
        }
    }

    fn remove_stale_fds(&mut self, slot: u32, scan: &FdScan, scope: ScanScope) {
        let is_found = |entry: &FdEntry| {
            let found = (entry.descriptor, entry.inode);
            scan.tracked.binary_search(&found).is_ok()
        };
        let is_stale = |entry: &FdEntry| {
            let may_stay = scope != ScanScope::All && scan.open.contains(entry.descriptor);
            entry.process == slot && !may_stay && !is_found(entry)
        };
        let lost = self.fd_cache.remove_if(is_stale);
        self.remove_fds(lost);
    }

    /// A process that could not be read has ended or may not be; anything else may pass.
    pub(super) fn handle_read_error(&mut self, pid: u32, errno: Errno) {
        match errno {
            Errno::ACCESS | Errno::PERM => {
                self.pid_table.get_or_insert(pid).denied_until =
                    self.now.saturating_add(DENIED_UPDATES);
            }
            Errno::NOENT | Errno::SRCH => {
                let slot = self.pid_table.get(pid).and_then(|known| known.slot);
                if let Some(slot) = slot {
                    self.remove_exited(&[slot]);
                }
                self.pid_table.forget(pid);
            }
            _ => {}
        }
    }
}
