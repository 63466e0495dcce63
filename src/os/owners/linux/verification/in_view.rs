//! Keeps the owners of the sockets on the screen true from one update to the next.
//!
//! A process can only pass a socket on (`SCM_RIGHTS` of unix(7)), close it or share it while it runs. So an update that finds
//! every owner in view as it was costs nothing here. Once one has run, its own descriptors are verified, and the processes
//! that may have received a socket are asked for the number of their descriptors: in this update and in the next, since what
//! was sent may not have been received yet.

use crate::model::process::Pid;
use crate::os::owners::InView;
use crate::os::owners::system::fd_cache::FdEntry;
use crate::os::owners::system::owner_cache::OwnerCache;
use crate::os::owners::system::scan::ScanScope;

/// System calls that are added to the budget in each update, one more for this many rows. An owner that always runs costs
/// no more than that.
const REFILL: i64 = 8;
const ROWS_PER_CALL: usize = 128;

/// The budget is enough for two rounds through all processes, and these changes.
const CALLS_FOR_CHANGES: usize = 512;

#[derive(Default)]
pub struct InViewVerification {
    /// System calls left; `None` before the first update.
    budget: Option<i64>,
    /// Processes with sockets that are still to be asked: only through a socket does one receive another.
    with_sockets_left: usize,
    /// Processes of all kinds that are still to be asked: one without sockets may have opened one.
    others_left: usize,
    /// True if an owner ran in the last update.
    was_active: bool,
}

impl InViewVerification {
    pub fn run(&mut self, cache: &mut OwnerCache, in_view: &InView, rows: usize) {
        cache.set_in_view(&in_view.hints);
        let is_active = !in_view.active.is_empty();
        self.refill(cache, rows);
        if is_active {
            verify_owners(cache, &in_view.active);
        }
        if is_active || self.was_active {
            self.with_sockets_left = cache.pid_table.with_sockets.len();
        }
        if is_active && self.others_left == 0 {
            self.others_left = cache.pid_table.known.len();
        }
        self.was_active = is_active;
        self.ask_for_changes(cache);
    }

    fn refill(&mut self, cache: &OwnerCache, rows: usize) {
        let most = 2 * cache.pid_table.known.len() + CALLS_FOR_CHANGES;
        let most = i64::try_from(most).unwrap_or(i64::MAX);
        let added = REFILL.saturating_add(i64::try_from(rows / ROWS_PER_CALL).unwrap_or(0));
        let left = self.budget.map_or(most, |left| left.saturating_add(added));
        self.budget = Some(left.min(most));
    }

    /// Scans the processes whose number of descriptors has changed, as far as the budget goes.
    fn ask_for_changes(&mut self, cache: &mut OwnerCache) {
        let Some(budget) = &mut self.budget else {
            return;
        };
        while *budget > 0 {
            let known = if self.with_sockets_left > 0 {
                self.with_sockets_left -= 1;
                cache.pid_table.next_with_sockets()
            } else if self.others_left > 0 {
                self.others_left -= 1;
                cache.pid_table.next_in_turn()
            } else {
                return;
            };
            // A denied process cannot be scanned.
            let Some(known) = known.filter(|known| known.denied_until == 0) else {
                continue;
            };
            let (pid, before) = (known.pid, cache.proc.calls());
            cache.scan_if_changed(pid, ScanScope::NonSocket);
            *budget -= cache.proc.calls() - before;
        }
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
