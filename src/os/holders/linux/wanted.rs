//! Sockets whose holders are not known, each with the time when it is looked for again.
//!
//! Some are never found: those of the kernel itself, of io_uring, of processes that may not be read. Others are gone
//! before anybody could look. Neither may cost a search of everything again and again.

use super::Sought;
use crate::model::process::Pid;
use hashbrown::HashMap;

/// The pause between two searches doubles up to two to the power of this.
const LONGEST: u32 = 10;

/// A socket that nobody is known to hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Wanted {
    pub uid: Option<u32>,
    pub neighbour: Option<Pid>,
    /// How many searches were in vain.
    tries: u32,
    /// The update in which it is looked for again.
    due: u32,
}

impl Wanted {
    /// One that was never looked for.
    pub fn new(sought: &Sought, now: u32) -> Self {
        Self {
            uid: Some(sought.uid),
            neighbour: sought.neighbour,
            tries: 0,
            due: now,
        }
    }

    /// One whose last holder let go of it: whoever has it now may have had it for long, and not be seen by any change.
    pub fn lost(now: u32) -> Self {
        Self {
            uid: None,
            neighbour: None,
            tries: 1,
            due: now,
        }
    }

    pub fn is_due(&self, now: u32) -> bool {
        self.due <= now
    }

    /// Whether even processes in which nothing changed are to be searched. Not the first time: a socket that closed
    /// since the table was read will be known as closed by the second.
    pub fn deserves_all(&self) -> bool {
        self.tries == 1 || self.tries > LONGEST
    }

    /// After a search in vain.
    fn postpone(&mut self, now: u32) {
        self.tries = self.tries.saturating_add(1);
        self.due = now.saturating_add(1 << self.tries.min(LONGEST));
    }

    /// After a search that was too dear for now.
    fn wait(&mut self, now: u32) {
        self.due = now.saturating_add(2);
    }
}

/// How far a search went.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Searched {
    /// Not even where something changed.
    Nowhere,
    WhereItChanged,
    /// Everywhere, so that a second search would find nothing more.
    Everywhere,
}

#[derive(Default)]
pub struct WantedSockets {
    all: HashMap<u32, Wanted>,
    /// How many of those due now are not found yet, during a search.
    remaining: usize,
    /// When the next one is due.
    next: u32,
}

impl WantedSockets {
    pub fn contains(&self, inode: u32) -> bool {
        self.all.contains_key(&inode)
    }

    /// Whether it is yet to be searched for everywhere, as it is at its second try.
    pub fn is_fresh(&self, inode: u32) -> bool {
        self.all.get(&inode).is_some_and(|wanted| wanted.tries <= 1)
    }

    pub fn insert(&mut self, inode: u32, wanted: Wanted) {
        self.next = self.next.min(wanted.due);
        self.all.insert(inode, wanted);
    }

    pub fn remove(&mut self, inode: u32, now: u32) {
        if self.all.remove(&inode).is_some_and(|one| one.is_due(now)) {
            self.remaining = self.remaining.saturating_sub(1);
        }
    }

    /// Gives back the memory of the first search, in which everything was wanted.
    pub fn tidy(&mut self) {
        if self.all.capacity() > self.all.len().saturating_mul(4).saturating_add(256) {
            self.all.shrink_to(self.all.len().saturating_mul(2));
        }
    }

    /// Those to look for now.
    pub fn due(&mut self, now: u32) -> Vec<Wanted> {
        if self.next > now {
            return Vec::new();
        }
        let due: Vec<Wanted> = self
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

    pub fn is_open(&self) -> bool {
        self.remaining > 0
    }

    /// Puts off what was not found.
    pub fn put_off(&mut self, now: u32, searched: Searched) {
        self.remaining = 0;
        let mut next = u32::MAX;
        for wanted in self.all.values_mut() {
            if wanted.is_due(now) {
                match searched {
                    Searched::Nowhere => wanted.wait(now),
                    Searched::WhereItChanged if wanted.deserves_all() => wanted.wait(now),
                    Searched::WhereItChanged => wanted.postpone(now),
                    Searched::Everywhere => {
                        wanted.tries = wanted.tries.max(1);
                        wanted.postpone(now);
                    }
                }
            }
            next = next.min(wanted.due);
        }
        self.next = next;
    }
}

/// What searching may cost: so many system calls at each update, saved up for some updates, with one search on credit.
pub struct Purse {
    income: i64,
    calls: i64,
}

impl Purse {
    pub const fn new(income: i64) -> Self {
        Self { income, calls: 0 }
    }

    pub fn earn(&mut self) {
        self.calls = (self.calls + self.income).min(self.income * 8);
    }

    pub fn may_spend(&self) -> bool {
        self.calls >= 0
    }

    pub fn spend(&mut self, calls: usize) {
        self.calls -= i64::try_from(calls).unwrap_or(i64::MAX / 2);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SOUGHT: Sought = Sought {
        inode: 7,
        uid: 0,
        is_standing: false,
        neighbour: None,
    };

    #[test]
    fn what_is_not_found_is_looked_for_ever_more_rarely() {
        let mut sockets = WantedSockets::default();
        sockets.insert(7, Wanted::new(&SOUGHT, 0));
        let mut looked = Vec::new();
        for now in 0..5_000 {
            for wanted in sockets.due(now) {
                looked.push((now, wanted.deserves_all()));
                let all = wanted.deserves_all();
                let searched = [Searched::WhereItChanged, Searched::Everywhere];
                sockets.put_off(now, searched[usize::from(all)]);
            }
        }
        let at = [0, 2, 6, 14, 30, 62, 126, 254, 510, 1022, 2046, 3070, 4094];
        assert_eq!(looked, at.map(|now| (now, now == 2 || now > 3_000)));
    }

    #[test]
    fn a_search_that_was_too_dear_is_made_up_for() {
        let mut sockets = WantedSockets::default();
        sockets.insert(7, Wanted::lost(5));
        sockets.put_off(5, Searched::WhereItChanged);
        assert_eq!(sockets.due(6), []);
        assert!(sockets.due(7).iter().all(Wanted::deserves_all));
        assert!(sockets.is_open());
        sockets.remove(7, 7);
        assert!(!sockets.is_open());
    }

    #[test]
    fn a_purse_in_debt_stays_shut_until_it_is_paid() {
        let mut purse = Purse::new(10);
        purse.spend(25);
        let is_open = [(); 4].map(|()| {
            purse.earn();
            purse.may_spend()
        });
        assert_eq!(is_open, [false, false, true, true]);
    }
}
