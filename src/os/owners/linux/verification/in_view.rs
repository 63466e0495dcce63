//! Keeps the owners of the sockets on the screen true from one update to the next.
//!
//! A process can only pass a socket on (`SCM_RIGHTS` of unix(7)), close it or share it while it runs. So an update that finds
//! every owner in view as it was costs nothing here. Once one has run, its own descriptors are verified, and the processes
//! that may have received a socket are asked for the number of their descriptors: in this update and in the next, since what
//! was sent may not have been received yet. First those at the other ends of its UNIX sockets, which are few, then all.

use super::unix_peers::UnixPeers;
use crate::model::process::Pid;
use crate::os::owners::InView;
use crate::os::owners::system::fd_cache::FdEntry;
use crate::os::owners::system::owner_cache::OwnerCache;
use crate::os::owners::system::pid_table::{PidEntry, PidTable};
use crate::os::owners::system::scan::ScanScope;

/// Bound of the processes at the other ends of UNIX sockets that one update asks.
const MAX_PEERS: usize = 64;

/// Descriptors up to which a process whose number tells nothing is scanned anyway.
const MAX_FDS_TO_LIST: u32 = 256;

/// The budget of a round is enough for the processes of two rounds and these changes.
const CALLS_FOR_CHANGES: usize = 512;

#[derive(Default)]
pub struct InViewVerification {
    unix_peers: UnixPeers,
    /// Through processes with sockets: only through a socket does a process receive another.
    with_sockets: Round,
    /// Through all processes: one without sockets may have opened one since it was scanned.
    all: Round,
    /// Owners that ran before the last update. What they sent may have been received after it.
    were_active: Vec<Pid>,
}

impl InViewVerification {
    pub fn run(&mut self, cache: &mut OwnerCache, in_view: &InView, rows: usize) {
        cache.set_in_view(&in_view.hints);
        let table = &cache.pid_table;
        self.with_sockets
            .refill(table.with_sockets.len(), 6 + rows / 128);
        self.all.refill(table.known.len(), 2 + rows / 512);
        let were_active = std::mem::replace(&mut self.were_active, in_view.active.clone());
        if !in_view.active.is_empty() {
            verify_owners(cache, &in_view.active);
            self.all.begin(cache.pid_table.known.len());
        }
        if !in_view.active.is_empty() || !were_active.is_empty() {
            self.ask_peers(cache, were_active.iter().chain(&in_view.active));
            self.with_sockets.begin(cache.pid_table.with_sockets.len());
        }
        self.with_sockets.run(cache, PidTable::next_with_sockets);
        self.all.run(cache, PidTable::next_in_turn);
    }

    /// Scans the processes at the other ends of the owners' UNIX sockets if they have more descriptors now, or fewer.
    fn ask_peers<'o>(&mut self, cache: &mut OwnerCache, owners: impl Iterator<Item = &'o Pid>) {
        let peers = self.unix_peers.of(cache, owners.map(|owner| owner.0));
        for pid in peers.into_iter().take(MAX_PEERS) {
            scan_receiver(cache, pid);
        }
    }
}

/// A round through processes, each of which is asked for the number of its descriptors, as far as the budget goes.
#[derive(Default)]
struct Round {
    /// System calls left; `None` before the first update.
    budget: Option<i64>,
    /// Processes that are still to be asked.
    left: usize,
}

impl Round {
    /// Adds to the budget. A round that is never done, since an owner always runs, costs no more than what is added.
    fn refill(&mut self, processes: usize, calls: usize) {
        let number = |calls| i64::try_from(calls).unwrap_or(i64::MAX);
        let most = number(2 * processes + CALLS_FOR_CHANGES);
        let left = self
            .budget
            .map_or(most, |left| left.saturating_add(number(calls)));
        self.budget = Some(left.min(most));
    }

    /// Begins a round, unless one is under way.
    fn begin(&mut self, processes: usize) {
        if self.left == 0 {
            self.left = processes;
        }
    }

    fn run(&mut self, cache: &mut OwnerCache, next: fn(&mut PidTable) -> Option<&PidEntry>) {
        let Some(mut budget) = self.budget else {
            return;
        };
        while budget > 0 && self.left > 0 {
            self.left -= 1;
            if let Some(pid) = next(&mut cache.pid_table).map(|known| known.pid) {
                let before = cache.proc.calls();
                scan_receiver(cache, pid);
                budget -= cache.proc.calls() - before;
            }
        }
        self.budget = Some(budget);
    }
}

/// Scans a process that may have received a socket. A denied one cannot be scanned, so its number of descriptors does not
/// matter.
fn scan_receiver(cache: &mut OwnerCache, pid: u32) {
    let Some(known) = cache.pid_table.known.get(pid) else {
        return;
    };
    if known.denied_until > 0 {
        return;
    }
    if known.has_reserved_fds && known.fd_stat.count <= MAX_FDS_TO_LIST {
        cache.scan(pid, ScanScope::NonSocket);
    } else {
        cache.scan_if_changed(pid, ScanScope::NonSocket);
    }
}

/// Verifies the number of descriptors of these owners, and each of their descriptors that is a socket in view.
fn verify_owners(cache: &mut OwnerCache, owners: &[Pid]) {
    for owner in owners {
        cache.scan_if_changed(owner.0, ScanScope::NonSocket);
    }
    let entries = cache.in_view.iter().flat_map(|inode| cache.fds.of(*inode));
    let is_of_owner = |entry: &&FdEntry| owners.contains(&Pid(entry.pid));
    let entries: Vec<FdEntry> = entries.filter(is_of_owner).copied().collect();
    for entry in entries {
        cache.verify_fd(entry);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::socket::OwnerHint;
    use crate::os::owners::LookupRequest;
    use crate::os::owners::system::pending_lookups::PendingLookup;
    use crate::os::testing::helper_process::HelperProcess;
    use crate::os::testing::inode;
    use std::net::TcpListener;

    /// As after many updates in which an owner ran.
    fn exhausted() -> Round {
        Round {
            budget: Some(-1_000_000),
            left: 0,
        }
    }

    #[test]
    fn the_other_end_of_a_unix_socket_is_asked_whatever_the_budget() {
        let mut helper = HelperProcess::new();
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let hint = OwnerHint::new(inode(&listener)).expect("an inode");
        let request = LookupRequest {
            owner_hint: hint,
            uid: 0,
            holds_port: true,
            likely_owner: None,
        };
        let mut cache = OwnerCache::default();
        let lookup = PendingLookup::new(&request, 0);
        cache.pending.insert(hint.0.get(), lookup);
        for pid in cache.poll_pids().appeared {
            cache.scan(pid, ScanScope::NonSocket);
        }
        cache.end_update();
        helper.take(&listener);
        let mut verification = InViewVerification {
            with_sockets: exhausted(),
            all: exhausted(),
            ..InViewVerification::default()
        };
        let in_view = InView {
            hints: vec![hint],
            active: vec![Pid(std::process::id())],
        };
        verification.run(&mut cache, &in_view, 0);
        let changes = cache.end_update();
        let mut found = changes.iter().map(|change| change.process.pid.0);
        assert!(found.any(|pid| pid == helper.pid()), "{changes:?}");
    }
}
