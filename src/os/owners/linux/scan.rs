//! Reads the descriptors of one process and compares them with the cache.

use super::fd_cache::{FdEntry, FdInsert};
use super::fd_set::FdSet;
use super::owner_cache::OwnerCache;
use super::proc_fs::{FdDir, FdLink, FdStat};
use rustix::io::{Errno, Result};
use std::sync::Arc;

/// Updates until a process that denied access is tried again.
const DENIED_UPDATES: u32 = 64;

/// Which descriptors of an owner are read; of any other process all are read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ScanScope {
    /// Those that were not open before.
    New,
    /// Those that are not known as sockets.
    NonSocket,
    All,
}

struct FdScan {
    fd_stat: FdStat,
    open: FdSet,
    /// Tracked sockets, sorted.
    tracked: Vec<FdEntry>,
    /// Other sockets.
    unclaimed: Vec<FdEntry>,
    /// Descriptors that are io_urings.
    rings: Vec<u32>,
}

impl OwnerCache {
    pub fn scan(&mut self, pid: u32, scope: ScanScope) {
        let directory = match self.pid_table.owner(pid) {
            Some(owner) => owner.directory(&self.proc),
            None => self.proc.open(pid).map(Arc::new),
        };
        let scan = directory.and_then(|directory| {
            let scan = self.read(&directory, pid, scope)?;
            Ok((directory, scan))
        });
        match scan {
            Ok((directory, scan)) => self.apply_scan(pid, &directory, &scan, scope),
            Err(errno) => self.handle_read_error(pid, errno),
        }
    }

    /// Scans the process if its number of descriptors has changed; returns true if it has.
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
        let known = self.pid_table.known.get(pid).ok_or(Errno::NOENT)?;
        let fd_stat = match &known.owner {
            Some(owner) => {
                let directory = owner.directory(&self.proc)?;
                self.proc.fd_stat(&directory)?
            }
            None => self.proc.fd_stat_of_pid(pid)?,
        };
        Ok(fd_stat.count != known.fd_stat.count)
    }

    fn read(&self, directory: &FdDir, pid: u32, scope: ScanScope) -> Result<FdScan> {
        let mut scan = FdScan {
            // Before the listing, so that a change meanwhile still counts as one.
            fd_stat: self.proc.fd_stat(directory)?,
            open: FdSet::default(),
            tracked: Vec::new(),
            unclaimed: Vec::new(),
            rings: Vec::new(),
        };
        let owner = self.pid_table.owner(pid);
        let skipped = owner.and_then(|owner| match scope {
            ScanScope::New => Some(&owner.open_fds),
            ScanScope::NonSocket => Some(&owner.socket_fds),
            ScanScope::All => None,
        });
        self.proc.descriptors(directory, |descriptor, name| {
            scan.open.insert(descriptor);
            if skipped.is_some_and(|skipped| skipped.contains(descriptor)) {
                return Ok(());
            }
            match self.proc.link(directory, name) {
                Ok(FdLink::Socket(inode)) => {
                    let entry = FdEntry {
                        inode,
                        pid,
                        descriptor,
                    };
                    if self.is_tracked(inode) {
                        scan.tracked.push(entry);
                    } else {
                        scan.unclaimed.push(entry);
                    }
                }
                Ok(FdLink::Ring) => scan.rings.push(descriptor),
                // Closed since it was listed.
                Ok(FdLink::Other) | Err(Errno::NOENT) => {}
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
        known.has_reserved_fds = usize::try_from(scan.fd_stat.count) != Ok(scan.open.len());
        known.denied_until = 0;
        if known.owner.is_none() && !scan.tracked.is_empty() {
            self.register(pid, directory);
        }
        if !scan.tracked.is_empty() || !scan.unclaimed.is_empty() {
            self.pid_table.with_sockets.get_or_insert(pid);
        }
        let is_whole = scope != ScanScope::New;
        self.indirect.set_rings(pid, &scan.rings, is_whole);
        for entry in &scan.unclaimed {
            self.unclaimed.insert(*entry);
        }
        self.compare(pid, scan, scope);
    }

    /// Makes a process an owner, so that its exit is noticed.
    pub fn register_owner(&mut self, pid: u32) {
        if self.pid_table.owner(pid).is_none()
            && let Ok(directory) = self.proc.open(pid)
        {
            self.register(pid, &Arc::new(directory));
        }
    }

    fn register(&mut self, pid: u32, directory: &Arc<FdDir>) {
        let others = self.pid_table.owners_mut();
        let owner = self.handles.register(&self.proc, pid, directory, others);
        self.pid_table.get_or_insert(pid).owner = owner;
    }

    /// Adds found sockets before it removes lost ones: a socket that moved to another descriptor was never closed.
    fn compare(&mut self, pid: u32, scan: &FdScan, scope: ScanScope) {
        let Some(owner) = self.pid_table.owner(pid) else {
            return;
        };
        let entry_count = owner.entry_count;
        // Descriptors that were not read count as unchanged.
        let mut confirmed = match scope {
            ScanScope::New | ScanScope::NonSocket => owner.socket_fds.count_common(&scan.open),
            ScanScope::All => 0,
        };
        for entry in &scan.tracked {
            confirmed += usize::from(self.add_fd(*entry) == FdInsert::Known);
        }
        if confirmed < entry_count {
            self.remove_fds(|entry| {
                let is_unread = scope != ScanScope::All && scan.open.contains(entry.descriptor);
                entry.pid == pid && !is_unread && scan.tracked.binary_search(entry).is_err()
            });
        }
        if let Some(owner) = self.pid_table.owner_mut(pid) {
            owner.open_fds.clone_from(&scan.open);
            if scope != ScanScope::New {
                let others = scan.unclaimed.iter().map(|entry| entry.inode);
                owner.other_sockets = others.collect();
            }
            for entry in &scan.tracked {
                owner.socket_fds.insert(entry.descriptor);
            }
        }
    }

    /// Reads a descriptor on which a socket was seen before it was requested.
    pub fn check_unclaimed(&mut self, entry: FdEntry) {
        match self.read_fd(entry) {
            None => self.scan(entry.pid, ScanScope::NonSocket),
            Some(Ok(Some(inode))) if inode == entry.inode => {
                self.add_fd(entry);
            }
            Some(_) => {}
        }
    }

    /// Reads every descriptor of a socket again.
    pub fn verify_socket(&mut self, inode: u32) {
        let entries: Vec<FdEntry> = self.fds.of(inode).copied().collect();
        for entry in entries {
            self.verify_fd(entry);
        }
    }

    /// Reads one descriptor again, and scans its process if it is not the expected socket.
    pub fn verify_fd(&mut self, entry: FdEntry) {
        match self.read_fd(entry) {
            None => {}
            Some(Ok(Some(inode))) if inode == entry.inode => {}
            // Closed: only new descriptors matter.
            Some(Err(Errno::NOENT)) => self.scan(entry.pid, ScanScope::NonSocket),
            Some(Ok(_)) => self.scan(entry.pid, ScanScope::All),
            Some(Err(errno)) => self.handle_read_error(entry.pid, errno),
        }
    }

    /// Returns the inode of the socket on this descriptor; `None` if the process is no owner.
    fn read_fd(&self, entry: FdEntry) -> Option<Result<Option<u32>>> {
        let directory = self.pid_table.owner(entry.pid)?.directory(&self.proc);
        Some(directory.and_then(|directory| self.proc.socket_at(&directory, entry.descriptor)))
    }

    /// Forgets a process that exited, and stops reading one that denies access. Other errors may pass.
    pub fn handle_read_error(&mut self, pid: u32, errno: Errno) {
        match errno {
            Errno::ACCESS | Errno::PERM => {
                let uid = self.proc.uid(pid).ok();
                let known = self.pid_table.get_or_insert(pid);
                known.denied_until = self.now.saturating_add(DENIED_UPDATES);
                known.denied_uid = uid;
            }
            Errno::NOENT | Errno::SRCH => self.remove_exited(&[pid]),
            Errno::MFILE | Errno::NFILE => self.no_descriptors = Some(errno),
            _ => {}
        }
    }
}
