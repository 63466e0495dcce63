//! Sockets whose holders are not known, each with the time when it is looked for again.
//!
//! Some are never found: those of the kernel itself, of io_uring, of processes that may not be read. Others are gone
//! before anybody could look. Neither may cost a search of everything again and again.

use super::LookupRequest;
use crate::model::process::Pid;
use hashbrown::HashMap;

/// The pause between two searches doubles up to two to the power of this.
const MAX_BACKOFF_EXPONENT: u32 = 10;

/// A socket that nobody is known to hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PendingLookup {
    pub uid: Option<u32>,
    pub likely_owner: Option<Pid>,
    /// How many searches were in vain.
    failed_searches: u32,
    /// The update in which it is looked for again.
    due: u32,
}

impl PendingLookup {
    /// One that was never looked for.
    pub fn new(requests: &LookupRequest, now: u32) -> Self {
        Self {
            uid: Some(requests.uid),
            likely_owner: requests.likely_owner,
            failed_searches: 0,
            due: now,
        }
    }

    /// One whose last holder let go of it: whoever has it now may have had it for long, and not be seen by any change.
    pub fn lost(now: u32) -> Self {
        Self {
            uid: None,
            likely_owner: None,
            failed_searches: 1,
            due: now,
        }
    }

    pub fn is_due(&self, now: u32) -> bool {
        self.due <= now
    }

    /// Whether even processes in which nothing changed are to be searched. Not the first time: a socket that closed
    /// since the table was read will be known as closed by the second.
    pub fn needs_full_scan(&self) -> bool {
        self.failed_searches == 1 || self.failed_searches > MAX_BACKOFF_EXPONENT
    }

    /// After a search in vain.
    fn postpone(&mut self, now: u32) {
        self.failed_searches = self.failed_searches.saturating_add(1);
        self.due = now.saturating_add(1 << self.failed_searches.min(MAX_BACKOFF_EXPONENT));
    }

    /// After a search that was too dear for now.
    fn defer_briefly(&mut self, now: u32) {
        self.due = now.saturating_add(2);
    }
}

/// How far a search went.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SearchExtent {
    /// Not even where something changed.
    None,
    Changed,
    /// Everywhere, so that a second search would find nothing more.
    All,
}

#[derive(Default)]
pub struct PendingLookups {
    all: HashMap<u32, PendingLookup>,
    /// How many of those due now are not found yet, during a search.
    remaining: usize,
    /// When the next one is due.
    next: u32,
}

impl PendingLookups {
    pub fn contains(&self, inode: u32) -> bool {
        self.all.contains_key(&inode)
    }

    /// Whether it is yet to be searched for everywhere, as it is at its second try.
    pub fn awaits_full_search(&self, inode: u32) -> bool {
        self.all
            .get(&inode)
            .is_some_and(|pending| pending.failed_searches <= 1)
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

    /// Gives back the memory of the first search, in which everything was wanted.
    pub fn shrink(&mut self) {
        if self.all.capacity() > self.all.len().saturating_mul(4).saturating_add(256) {
            self.all.shrink_to(self.all.len().saturating_mul(2));
        }
    }

    /// Those to look for now.
    pub fn due(&mut self, now: u32) -> Vec<PendingLookup> {
        if self.next > now {
            return Vec::new();
        }
        let due: Vec<PendingLookup> = self
            .all
            .values()
            .filter(|one| one.is_due(now))
            .copied()
            .collect();
        self.remaining = due.len();
        if due.is_empty() {
            // What was due first is found or closed.
            let all = self.all.values();
            self.next = all.map(|one| one.due).min().unwrap_or(u32::MAX);
        }
        due
    }

    /// How many of those looked for are not found yet; 0 outside a search.
    pub fn remaining(&self) -> usize {
        self.remaining
    }

    pub fn has_remaining(&self) -> bool {
        self.remaining > 0
    }

    /// Puts off what was not found.
    pub fn defer_unfound(&mut self, now: u32, searched: SearchExtent) {
        self.remaining = 0;
        let mut next = u32::MAX;
        for pending in self.all.values_mut() {
            if pending.is_due(now) {
                match searched {
                    SearchExtent::None => pending.defer_briefly(now),
                    SearchExtent::Changed if pending.needs_full_scan() => {
                        pending.defer_briefly(now);
                    }
                    SearchExtent::Changed => pending.postpone(now),
                    SearchExtent::All => {
                        pending.failed_searches = pending.failed_searches.max(1);
                        pending.postpone(now);
                    }
                }
            }
            next = next.min(pending.due);
        }
        self.next = next;
    }
}

/// What searching may cost: so many system calls at each update, saved up for some updates, with one search on credit.
pub struct SyscallBudget {
    refill: i64,
    calls: i64,
}

impl SyscallBudget {
    pub const fn new(refill: i64) -> Self {
        Self { refill, calls: 0 }
    }

    pub fn refill(&mut self) {
        self.calls = (self.calls + self.refill).min(self.refill * 8);
    }

    pub fn can_spend(&self) -> bool {
        self.calls >= 0
    }

    pub fn spend(&mut self, calls: usize) {
        self.calls -= i64::try_from(calls).unwrap_or(i64::MAX / 2);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const REQUEST: LookupRequest = LookupRequest {
        inode: 7,
        uid: 0,
        holds_port: false,
        likely_owner: None,
    };

    #[test]
    fn unfound_sockets_are_searched_with_backoff() {
        let mut sockets = PendingLookups::default();
        sockets.insert(7, PendingLookup::new(&REQUEST, 0));
        let mut looked = Vec::new();
        for now in 0..5_000 {
            for pending in sockets.due(now) {
                looked.push((now, pending.needs_full_scan()));
                let all = pending.needs_full_scan();
                let searched = [SearchExtent::Changed, SearchExtent::All];
                sockets.defer_unfound(now, searched[usize::from(all)]);
            }
        }
        let at = [0, 2, 6, 14, 30, 62, 126, 254, 510, 1022, 2046, 3070, 4094];
        assert_eq!(looked, at.map(|now| (now, now == 2 || now > 3_000)));
    }

    #[test]
    fn a_search_over_budget_is_repeated_later() {
        let mut sockets = PendingLookups::default();
        sockets.insert(7, PendingLookup::lost(5));
        sockets.defer_unfound(5, SearchExtent::Changed);
        assert_eq!(sockets.due(6), []);
        assert!(sockets.due(7).iter().all(PendingLookup::needs_full_scan));
        assert!(sockets.has_remaining());
        sockets.remove(7, 7);
        assert!(!sockets.has_remaining());
    }

    #[test]
    fn an_overdrawn_budget_allows_nothing_until_refilled() {
        let mut budget = SyscallBudget::new(10);
        budget.spend(25);
        let is_open = [(); 4].map(|()| {
            budget.refill();
            budget.can_spend()
        });
        assert_eq!(is_open, [false, false, true, true]);
    }
}
