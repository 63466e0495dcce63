//! Sockets without a known owner, each with the update in which it is searched again.
//!
//! Some are never found: those of the kernel, of io_uring, of processes that cannot be read. Others close before they are
//! searched. Neither may cost repeated searches of every process.

use crate::model::process::Pid;
use crate::os::owners::LookupRequest;
use hashbrown::HashMap;
use std::collections::HashSet;

/// The pause between two searches doubles up to 2 to this power.
const MAX_BACKOFF_EXPONENT: u32 = 10;

/// Updates between two searches of other places than the descriptors of processes, which are expensive.
const PAUSE_ELSEWHERE: u32 = 16;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PendingLookup {
    pub uid: Option<u32>,
    pub likely_owner: Option<Pid>,
    failed_searches: u32,
    /// It is on the screen, where its last owner must not stay.
    pub is_in_view: bool,
    /// The update in which it is searched again.
    due: u32,
    /// The update from which on it may be searched again where descriptors of processes do not show it.
    due_elsewhere: u32,
}

impl PendingLookup {
    pub fn new(request: &LookupRequest, now: u32) -> Self {
        Self {
            uid: Some(request.uid),
            likely_owner: request.likely_owner,
            failed_searches: 0,
            is_in_view: false,
            due: now,
            due_elsewhere: 0,
        }
    }

    /// Lookup for a socket whose last known owner closed it. Its other owner may have had it for a long time, so no fd
    /// count changed there.
    pub fn lost(due: u32, is_in_view: bool) -> Self {
        Self {
            uid: None,
            likely_owner: None,
            failed_searches: 1,
            is_in_view,
            due,
            due_elsewhere: 0,
        }
    }

    fn is_due(&self, now: u32) -> bool {
        self.due <= now
    }

    /// True if processes without changes are to be scanned too. False in the first search: by the second one, a socket
    /// that closed after the tables were read is known to be closed.
    pub fn needs_full_scan(&self) -> bool {
        self.failed_searches == 1 || self.failed_searches > MAX_BACKOFF_EXPONENT
    }

    /// Sets when to search again. `scanned_all`: another search would find nothing more.
    fn postpone(&mut self, now: u32, scanned_all: bool) {
        if self.needs_full_scan() && !scanned_all {
            self.due = now.saturating_add(2);
            return;
        }
        if scanned_all {
            self.failed_searches = self.failed_searches.max(1);
        }
        self.failed_searches = self.failed_searches.saturating_add(1);
        let exponent = self.failed_searches.min(MAX_BACKOFF_EXPONENT);
        self.due = now.saturating_add(1 << exponent);
    }
}

#[derive(Default)]
pub struct PendingLookups {
    all: HashMap<u32, PendingLookup>,
    /// Number of due sockets that are not found yet; 0 outside a search.
    pub remaining: usize,
    /// Sockets that were searched in this update and not found.
    pub unfound: Vec<u32>,
    /// When the next one is due.
    next: u32,
}

impl PendingLookups {
    pub fn contains(&self, inode: u32) -> bool {
        self.all.contains_key(&inode)
    }

    /// True if a search of every process is to come, which is the second one.
    pub fn awaits_full_search(&self, inode: u32) -> bool {
        let pending = self.all.get(&inode);
        pending.is_some_and(|pending| pending.failed_searches <= 1)
    }

    pub fn insert(&mut self, inode: u32, pending: PendingLookup) {
        self.next = self.next.min(pending.due);
        self.all.insert(inode, pending);
    }

    pub fn remove(&mut self, inode: u32, now: u32) {
        if self.all.remove(&inode).is_some_and(|one| one.is_due(now)) {
            self.remaining = self.remaining.saturating_sub(1);
        }
    }

    /// Frees the memory of the first search, in which every socket was pending.
    pub fn shrink(&mut self) {
        if self.all.capacity() > self.all.len().saturating_mul(4).saturating_add(256) {
            self.all.shrink_to(self.all.len().saturating_mul(2));
        }
    }

    /// Begins a search and returns the due sockets.
    pub fn due(&mut self, now: u32) -> Vec<PendingLookup> {
        if self.next > now {
            return Vec::new();
        }
        let due = self.all.values().filter(|one| one.is_due(now));
        let due: Vec<PendingLookup> = due.copied().collect();
        self.remaining = due.len();
        if due.is_empty() {
            // The one that was due first is found or closed.
            self.next = self.first_due();
        }
        due
    }

    /// Returns the sockets to be searched where descriptors of processes do not show them, if `is_wanted`, each time after
    /// a pause.
    pub fn due_elsewhere(
        &mut self,
        now: u32,
        is_wanted: impl Fn(u32, &PendingLookup) -> bool,
    ) -> HashSet<u32> {
        let mut due = HashSet::new();
        for (inode, pending) in &mut self.all {
            if pending.due_elsewhere <= now && is_wanted(*inode, pending) {
                pending.due_elsewhere = now.saturating_add(PAUSE_ELSEWHERE);
                due.insert(*inode);
            }
        }
        due
    }

    /// Ends a search and postpones what was not found.
    pub fn defer_unfound(&mut self, now: u32, scanned_all: bool) {
        self.remaining = 0;
        for (inode, pending) in self.all.iter_mut().filter(|(_, one)| one.is_due(now)) {
            pending.postpone(now, scanned_all);
            self.unfound.push(*inode);
        }
        self.next = self.first_due();
    }

    fn first_due(&self) -> u32 {
        let due = self.all.values().map(|one| one.due);
        due.min().unwrap_or(u32::MAX)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::socket::OwnerHint;

    #[test]
    fn unfound_sockets_are_searched_with_backoff() {
        let request = LookupRequest {
            owner_hint: OwnerHint::new(7).expect("an inode"),
            uid: 0,
            holds_port: false,
            likely_owner: None,
        };
        let mut sockets = PendingLookups::default();
        sockets.insert(7, PendingLookup::new(&request, 0));
        let mut searched = Vec::new();
        for now in 0..5_000 {
            for pending in sockets.due(now) {
                searched.push((now, pending.needs_full_scan()));
                sockets.defer_unfound(now, pending.needs_full_scan());
            }
        }
        let at = [0, 2, 6, 14, 30, 62, 126, 254, 510, 1022, 2046, 3070, 4094];
        assert_eq!(searched, at.map(|now| (now, now == 2 || now > 3_000)));
    }

    #[test]
    fn a_full_scan_over_budget_is_repeated_soon() {
        let mut sockets = PendingLookups::default();
        sockets.insert(7, PendingLookup::lost(5, false));
        sockets.defer_unfound(5, false);
        assert_eq!(sockets.due(6), []);
        assert!(sockets.due(7).iter().all(PendingLookup::needs_full_scan));
        assert_eq!(sockets.remaining, 1);
        sockets.remove(7, 7);
        assert_eq!(sockets.remaining, 0);
    }
}
