//! Searches sockets without a known owner: first where they probably are, then everywhere.

use super::fd_cache::FdEntry;
use super::owner_cache::OwnerCache;
use super::pending_lookups::PendingLookup;
use super::pid_table::PidEntry;
use super::scan::ScanScope;
use crate::model::process::Pid;
use rustix::io::Errno;
use std::collections::BTreeSet;

/// Number of consecutive free descriptors after which a probe stops; more for a process with many descriptors, which
/// has more gaps and is expensive to scan.
const MAX_MISSES: usize = 2;
const FDS_PER_MISS: usize = 32;

/// System calls that full scans may cost per update; unspent ones add up for this many updates.
const CALLS_PER_UPDATE: i64 = 128;
const MAX_SAVED_UPDATES: i64 = 8;

#[derive(Default)]
pub struct OwnerSearch {
    /// System calls left for full scans. One full scan may overdraw it.
    budget: i64,
}

impl OwnerSearch {
    /// Searches the due sockets until all are found. `scanned_all`: every process was scanned in this update.
    pub fn run(&mut self, cache: &mut OwnerCache, scanned_all: bool) {
        self.budget = (self.budget + CALLS_PER_UPDATE).min(CALLS_PER_UPDATE * MAX_SAVED_UPDATES);
        let due = cache.pending.due(cache.now);
        if !due.is_empty() {
            let scanned_all = scanned_all || self.search(cache, &due);
            let scanned_all = scanned_all && cache.no_descriptors.is_none();
            if scanned_all && cache.pending.remaining > 0 {
                let before = cache.proc.calls();
                search_elsewhere(cache, |_| true);
                self.budget -= cache.proc.calls() - before;
            }
            cache.pending.defer_unfound(cache.now, scanned_all);
        }
    }

    /// True if every process was scanned.
    fn search(&mut self, cache: &mut OwnerCache, due: &[PendingLookup]) -> bool {
        for pid in likely_owners(cache, due) {
            if cache.pending.remaining == 0 {
                return false;
            }
            probe(cache, pid);
        }
        if cache.pending.remaining == 0 {
            return false;
        }
        let order = scan_order(cache, due);
        scan_changed(cache, &order);
        if cache.pending.remaining == 0
            || self.budget < 0 && !due.iter().any(|pending| pending.is_in_view)
            || !due.iter().any(PendingLookup::needs_full_scan)
        {
            return false;
        }
        let before = cache.proc.calls();
        for pid in order {
            if cache.pending.remaining == 0 {
                break;
            }
            cache.scan(pid, ScanScope::NonSocket);
        }
        self.budget -= cache.proc.calls() - before;
        true
    }
}

/// Searches the wanted sockets that no scan found where descriptors of processes do not show them. Not those of another
/// user while some processes cannot be read: one of these most likely has them.
pub fn search_elsewhere(cache: &mut OwnerCache, is_wanted: impl Fn(u32) -> bool) {
    let known = &cache.pid_table.known;
    let has_denied = known.all().any(|known| known.denied_until > 0);
    let own_uid = rustix::process::geteuid().as_raw();
    let is_explained = |uid: Option<u32>| has_denied && uid.is_some_and(|uid| uid != own_uid);
    let due = cache.pending.due_elsewhere(cache.now, |inode, pending| {
        is_wanted(inode) && !is_explained(pending.uid)
    });
    if !due.is_empty() {
        let mut order = scan_order(cache, &[]);
        order.extend(closed_own(cache, own_uid));
        cache.search_indirect(due, &order);
    }
}

/// Processes of this user that could not be read: where the first thread has exited, only its descriptors are closed.
fn closed_own(cache: &OwnerCache, own_uid: u32) -> Vec<u32> {
    let known = cache.pid_table.known.all();
    let denied = known.filter(|known| known.denied_until > cache.now);
    let pids = denied.map(|known| known.pid);
    pids.filter(|pid| cache.proc.uid(*pid) == Ok(own_uid))
        .collect()
}

/// Owners that probably opened the due sockets: those of the listeners, those with freed descriptors, the most recently
/// found. portmon itself is last.
fn likely_owners(cache: &OwnerCache, due: &[PendingLookup]) -> Vec<u32> {
    let listener_owners: BTreeSet<u32> = due
        .iter()
        .filter_map(|pending| Some(pending.likely_owner?.0))
        .filter(|pid| cache.pid_table.owner(*pid).is_some())
        .collect();
    let mut likely: Vec<u32> = Vec::new();
    let others = cache.freed_fd_owners.iter().chain(&cache.recent);
    for pid in listener_owners.iter().chain(others) {
        if !likely.contains(pid) {
            likely.push(*pid);
        }
    }
    likely.sort_by_key(|pid| cache.proc.own == Some(Pid(*pid)));
    likely
}

/// Reads the descriptors that the kernel would have given an owner next: the lowest free ones.
fn probe(cache: &mut OwnerCache, pid: u32) {
    let owner = cache.pid_table.owner(pid);
    let Some(Ok(directory)) = owner.map(|owner| owner.directory(&cache.proc)) else {
        return;
    };
    let (mut next, mut missed) = (0, 0);
    while cache.pending.remaining > 0 {
        let Some(owner) = cache.pid_table.owner(pid) else {
            return;
        };
        let max_misses = MAX_MISSES + owner.open_fds.len() / FDS_PER_MISS;
        let descriptor = owner.open_fds.first_free(next);
        next = descriptor.saturating_add(1);
        match cache.proc.socket_at(&directory, descriptor) {
            Ok(socket) => {
                missed = 0;
                record_opened_fd(cache, pid, descriptor, socket);
            }
            Err(Errno::NOENT) => {
                missed += 1;
                if missed >= max_misses {
                    return;
                }
            }
            Err(_) => return,
        }
    }
}

/// Records a descriptor that was free before, with the inode if it is a socket.
fn record_opened_fd(cache: &mut OwnerCache, pid: u32, descriptor: u32, socket: Option<u32>) {
    if let Some(known) = cache.pid_table.known.get_mut(pid) {
        known.fd_stat.count = known.fd_stat.count.saturating_add(1);
        if let Some(owner) = &mut known.owner {
            owner.open_fds.insert(descriptor);
        }
    }
    let Some(inode) = socket else {
        return;
    };
    let entry = FdEntry {
        inode,
        pid,
        descriptor,
    };
    if cache.is_tracked(inode) {
        cache.add_fd(entry);
    } else {
        // Opened after the tables were read; likely in the next request.
        cache.unclaimed.insert(entry);
    }
}

/// Readable processes: owners first, then those of the users of the due sockets.
fn scan_order(cache: &OwnerCache, due: &[PendingLookup]) -> Vec<u32> {
    let uids: BTreeSet<u32> = due.iter().filter_map(|pending| pending.uid).collect();
    let rank = |known: &PidEntry| {
        let is_other_user = !uids.contains(&known.fd_stat.uid);
        (known.owner.is_none(), is_other_user, known.pid)
    };
    let mut order: Vec<_> = cache.readable().map(rank).collect();
    order.sort_unstable();
    order.into_iter().map(|(.., pid)| pid).collect()
}

/// Scans the processes whose number of descriptors changed: first what was not open before, then the rest, because a socket
/// may have replaced a file.
fn scan_changed(cache: &mut OwnerCache, order: &[u32]) {
    for pid in order {
        let before = cache.pending.remaining;
        if before == 0 {
            return;
        }
        let known = cache.pid_table.known.get(*pid);
        if known.is_some_and(|known| known.denied_until == 0)
            && cache.scan_if_changed(*pid, ScanScope::New)
            && cache.pending.remaining == before
        {
            cache.scan(*pid, ScanScope::NonSocket);
        }
    }
}
