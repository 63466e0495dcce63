//! Looks for sockets whose holders are not known: first where they probably are, last everywhere.

use super::OwnerResolver;
use super::fd_cache::FdEntry;
use super::pending_lookups::{PendingLookup, SearchExtent};
use super::pid_table::PidEntry;
use super::scan::ScanScope;
use rustix::io::Errno;

/// How many free descriptors in a row end a probe; a process with many has more gaps, and a scan of it costs more.
const MAX_MISSES: usize = 2;
const FDS_PER_MISS: usize = 32;

impl OwnerResolver {
    /// Looks for what is due, and stops as soon as all of it is found. `is_all_read`: every process was just read.
    pub(super) fn search(&mut self, is_all_read: bool) {
        for budget in &mut self.budgets {
            budget.refill();
        }
        let due = self.pending.due(self.now);
        if due.is_empty() {
            return;
        }
        let searched = if is_all_read {
            SearchExtent::All
        } else {
            self.search_for(&due)
        };
        self.pending.defer_unfound(self.now, searched);
    }

    fn search_for(&mut self, due: &[PendingLookup]) -> SearchExtent {
        for slot in self.likely_owners(due) {
            if !self.pending.has_remaining() {
                break;
            }
            self.probe(slot);
        }
        let [changed, all] = &self.budgets;
        let (can_spend, can_spend_all) = (changed.can_spend(), all.can_spend());
        if !self.pending.has_remaining() || !can_spend {
            return SearchExtent::None;
        }
        let order = self.scan_order(due);
        let before = self.proc.calls();
        self.search_changed(&order);
        let between = self.proc.calls();
        let needs_full_scan =
            self.pending.has_remaining() && due.iter().any(PendingLookup::needs_full_scan);
        let searches_all = needs_full_scan && can_spend_all;
        if searches_all {
            self.search_all(&order);
        }
        let [changed, all] = &mut self.budgets;
        changed.spend(between - before);
        all.spend(self.proc.calls() - between);
        if searches_all {
            SearchExtent::All
        } else {
            SearchExtent::Changed
        }
    }

    /// The holders that probably opened it: those of the listeners, those whose descriptors became free, those that
    /// opened something last. This process itself comes last.
    fn likely_owners(&self, due: &[PendingLookup]) -> Vec<u32> {
        let mut listener_owners: Vec<u32> = due
            .iter()
            .filter_map(|pending| self.pid_table.get(pending.likely_owner?.0)?.slot)
            .collect();
        listener_owners.sort_unstable();
        listener_owners.dedup();
        let mut likely: Vec<u32> = Vec::new();
        let all = listener_owners.iter().chain(&self.freed_fd_owners);
        for slot in all.chain(self.owner_table.recent()) {
            if !likely.contains(slot) {
                likely.push(*slot);
            }
        }
        let is_own = |slot: &u32| {
            let owner = self.owner_table.get(*slot);
            owner.is_some_and(|owner| self.proc.is_own(owner.id.pid))
        };
        likely.sort_by_key(is_own);
        likely
    }

    /// Reads the descriptors that the holder would have been given next.
    fn probe(&mut self, slot: u32) {
        let Ok(directory) = self.owner_table.directory(&self.proc, slot) else {
            return;
        };
        let (mut next, mut missed) = (0, 0);
        while self.pending.has_remaining() {
            let Some(owner) = self.owner_table.get_mut(slot) else {
                return;
            };
            let max_misses = MAX_MISSES + owner.open_fds.len() / FDS_PER_MISS;
            let descriptor = owner.open_fds.first_free(next);
            next = descriptor.saturating_add(1);
            match self.proc.socket_at(&directory, descriptor) {
                Ok(socket) => {
                    missed = 0;
                    self.record_opened_fd(slot, descriptor, socket);
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

    /// Takes in a descriptor that was free before.
    fn record_opened_fd(&mut self, slot: u32, descriptor: u32, socket: Option<u32>) {
        let Some(owner) = self.owner_table.get_mut(slot) else {
            return;
        };
        owner.open_fds.insert(descriptor);
        if let Some(known) = self.pid_table.get_mut(owner.id.pid.0) {
            known.fd_stat.count = known.fd_stat.count.saturating_add(1);
        }
        let process = owner.id.pid.0;
        let Some(inode) = socket else {
            return;
        };
        if self.is_tracked(inode) {
            self.add_fd(slot, descriptor, inode);
        } else {
            // Opened since the tables were read, it may be sought next.
            self.unclaimed.insert(FdEntry {
                inode,
                process,
                descriptor,
            });
        }
    }

    /// All processes that may be read now: holders before others, and among them those of the users sought first.
    fn scan_order(&self, due: &[PendingLookup]) -> Vec<u32> {
        let mut uids: Vec<u32> = due.iter().filter_map(|pending| pending.uid).collect();
        uids.sort_unstable();
        uids.dedup();
        let rank = |known: &PidEntry| {
            let is_other_user = uids.binary_search(&known.fd_stat.uid).is_err();
            (known.slot.is_none(), is_other_user, known.pid)
        };
        let may_be_read = |known: &&PidEntry| known.denied_until <= self.now;
        let mut order: Vec<_> = self.pid_table.all().filter(may_be_read).map(rank).collect();
        order.sort_unstable();
        order.into_iter().map(|(_, _, pid)| pid).collect()
    }

    /// The processes that may be read, or for long were not tried.
    pub(super) fn readable_pids(&self) -> Vec<u32> {
        let may_be_read = |known: &&PidEntry| known.denied_until <= self.now;
        let all = self.pid_table.all().filter(may_be_read);
        all.map(|known| known.pid).collect()
    }

    /// Scans processes in which the number of descriptors changed: first what was not in use before, then the rest, as a
    /// socket may have taken the place of a file.
    fn search_changed(&mut self, order: &[u32]) {
        for pid in order {
            if !self.pending.has_remaining() {
                return;
            }
            let is_denied = |known: &PidEntry| known.denied_until != 0;
            if self.pid_table.get(*pid).is_some_and(is_denied) {
                continue;
            }
            let before = self.pending.remaining();
            if self.scan_if_changed(*pid, ScanScope::Unused) && self.pending.remaining() == before {
                self.scan(*pid, ScanScope::Untracked);
            }
        }
    }

    /// Scans every process.
    fn search_all(&mut self, order: &[u32]) {
        for pid in order {
            if !self.pending.has_remaining() {
                return;
            }
            self.scan(*pid, ScanScope::Untracked);
        }
    }
}
