//! Searches sockets without a known owner: first where they probably are, then everywhere.

use super::fd_cache::FdEntry;
use super::owner_cache::OwnerCache;
use super::pending_lookups::PendingLookup;
use super::scan::ScanScope;
use rustix::io::Errno;

/// Free descriptors in a row that end a probe. A process with many descriptors has more gaps, and scanning it costs more.
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
    /// Searches the due sockets until all are found. `is_all_read`: every process was scanned in this update.
    pub fn run(&mut self, cache: &mut OwnerCache, is_all_read: bool) {
        self.budget = (self.budget + CALLS_PER_UPDATE).min(CALLS_PER_UPDATE * MAX_SAVED_UPDATES);
        let due = cache.pending.due(cache.now);
        if due.is_empty() {
            return;
        }
        let are_all_scanned = is_all_read || self.search(cache, &due);
        cache.pending.defer_unfound(cache.now, are_all_scanned);
    }

    /// True if every process was scanned.
    fn search(&mut self, cache: &mut OwnerCache, due: &[PendingLookup]) -> bool {
        for slot in likely_owners(cache, due) {
            if !cache.pending.has_remaining() {
                return false;
            }
            probe(cache, slot);
        }
        if !cache.pending.has_remaining() {
            return false;
        }
        let order = scan_order(cache, due);
        scan_changed(cache, &order);
        let needs_full_scan =
            cache.pending.has_remaining() && due.iter().any(PendingLookup::needs_full_scan);
        if !needs_full_scan || self.budget < 0 {
            return false;
        }
        let before = cache.proc.calls();
        for pid in order {
            if !cache.pending.has_remaining() {
                break;
            }
            cache.scan(pid, ScanScope::Untracked);
        }
        self.budget -= i64::try_from(cache.proc.calls() - before).unwrap_or(i64::MAX / 2);
        true
    }
}

/// Owners that probably opened the due sockets: those of the listeners, those with freed descriptors, the most recently
/// found. portmon itself is last.
fn likely_owners(cache: &OwnerCache, due: &[PendingLookup]) -> Vec<u32> {
    let mut listener_owners: Vec<u32> = due
        .iter()
        .filter_map(|pending| cache.slot(pending.likely_owner?.0))
        .collect();
    listener_owners.sort_unstable();
    listener_owners.dedup();
    let mut likely: Vec<u32> = Vec::new();
    let freed = cache.freed_fd_owners.iter();
    for slot in listener_owners
        .iter()
        .chain(freed)
        .chain(cache.owner_table.recent())
    {
        if !likely.contains(slot) {
            likely.push(*slot);
        }
    }
    likely.sort_by_key(|slot| {
        let owner = cache.owner_table.get(*slot);
        owner.is_some_and(|owner| cache.proc.is_own(owner.id.pid))
    });
    likely
}

/// Reads the descriptors that the kernel would have given an owner next: the lowest free ones.
fn probe(cache: &mut OwnerCache, slot: u32) {
    let Ok(directory) = cache.owner_table.directory(&cache.proc, slot) else {
        return;
    };
    let (mut next, mut missed) = (0, 0);
    while cache.pending.has_remaining() {
        let Some(owner) = cache.owner_table.get_mut(slot) else {
            return;
        };
        let max_misses = MAX_MISSES + owner.open_fds.len() / FDS_PER_MISS;
        let descriptor = owner.open_fds.first_free(next);
        next = descriptor.saturating_add(1);
        match cache.proc.socket_at(&directory, descriptor) {
            Ok(socket) => {
                missed = 0;
                record_opened_fd(cache, slot, descriptor, socket);
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
fn record_opened_fd(cache: &mut OwnerCache, slot: u32, descriptor: u32, socket: Option<u32>) {
    let Some(owner) = cache.owner_table.get_mut(slot) else {
        return;
    };
    owner.open_fds.insert(descriptor);
    let process = owner.id.pid.0;
    if let Some(known) = cache.pid_table.get_mut(process) {
        known.fd_stat.count = known.fd_stat.count.saturating_add(1);
    }
    let Some(inode) = socket else {
        return;
    };
    if cache.is_tracked(inode) {
        cache.add_fd(slot, descriptor, inode);
    } else {
        // Opened after the tables were read; likely in the next request.
        cache.unclaimed.insert(FdEntry {
            inode,
            process,
            descriptor,
        });
    }
}

/// Readable processes: owners first, then those of the users of the due sockets.
fn scan_order(cache: &OwnerCache, due: &[PendingLookup]) -> Vec<u32> {
    let mut uids: Vec<u32> = due.iter().filter_map(|pending| pending.uid).collect();
    uids.sort_unstable();
    uids.dedup();
    let mut order: Vec<(bool, bool, u32)> = cache
        .pid_table
        .all()
        .filter(|known| known.denied_until <= cache.now)
        .map(|known| {
            let is_other_user = uids.binary_search(&known.fd_stat.uid).is_err();
            (known.slot.is_none(), is_other_user, known.pid)
        })
        .collect();
    order.sort_unstable();
    order.into_iter().map(|(_, _, pid)| pid).collect()
}

/// Scans the processes whose number of descriptors changed: first what was not open before, then the rest, because a socket
/// may have replaced a file.
fn scan_changed(cache: &mut OwnerCache, order: &[u32]) {
    for pid in order {
        let before = cache.pending.remaining();
        if before == 0 {
            return;
        }
        let is_denied = cache
            .pid_table
            .get(*pid)
            .is_some_and(|known| known.denied_until != 0);
        if !is_denied
            && cache.scan_if_changed(*pid, ScanScope::Unused)
            && cache.pending.remaining() == before
        {
            cache.scan(*pid, ScanScope::Untracked);
        }
    }
}
