//! Looks for sockets whose holders are not known: first where they probably are, last everywhere.

use super::Holders;
use super::census::Known;
use super::edges::Edge;
use super::scan::Depth;
use super::wanted::{Searched, Wanted};
use rustix::io::Errno;

/// How many free descriptors in a row end a probe; a process with many has more gaps, and a scan of it costs more.
const MISSES: usize = 2;
const DESCRIPTORS_PER_MISS: usize = 32;

impl Holders {
    /// Looks for what is due, and stops as soon as all of it is found. `is_all_read`: every process was just read.
    pub(super) fn search(&mut self, is_all_read: bool) {
        for purse in &mut self.purses {
            purse.earn();
        }
        let due = self.wanted.due(self.now);
        if due.is_empty() {
            return;
        }
        let searched = if is_all_read {
            Searched::Everywhere
        } else {
            self.search_for(&due)
        };
        self.wanted.put_off(self.now, searched);
    }

    fn search_for(&mut self, due: &[Wanted]) -> Searched {
        for slot in self.likely(due) {
            if !self.wanted.is_open() {
                break;
            }
            self.probe(slot);
        }
        let [changed, all] = &self.purses;
        let (may_spend, may_spend_all) = (changed.may_spend(), all.may_spend());
        if !self.wanted.is_open() || !may_spend {
            return Searched::Nowhere;
        }
        let order = self.order(due);
        let before = self.proc.calls();
        self.search_changed(&order);
        let between = self.proc.calls();
        let is_worth_it = self.wanted.is_open() && due.iter().any(Wanted::deserves_all);
        let goes_on = is_worth_it && may_spend_all;
        if goes_on {
            self.search_all(&order);
        }
        let [changed, all] = &mut self.purses;
        changed.spend(between - before);
        all.spend(self.proc.calls() - between);
        if goes_on {
            Searched::Everywhere
        } else {
            Searched::WhereItChanged
        }
    }

    /// The holders that probably opened it: those of the listeners, those whose descriptors became free, those that
    /// opened something last. This process itself comes last.
    fn likely(&self, due: &[Wanted]) -> Vec<u32> {
        let mut neighbours: Vec<u32> = due
            .iter()
            .filter_map(|wanted| self.census.get(wanted.neighbour?.0)?.slot)
            .collect();
        neighbours.sort_unstable();
        neighbours.dedup();
        let mut likely: Vec<u32> = Vec::new();
        let all = neighbours.iter().chain(&self.freed);
        for slot in all.chain(self.roster.recent()) {
            if !likely.contains(slot) {
                likely.push(*slot);
            }
        }
        let is_own = |slot: &u32| {
            let holder = self.roster.get(*slot);
            holder.is_some_and(|holder| self.proc.is_own(holder.id.pid))
        };
        likely.sort_by_key(is_own);
        likely
    }

    /// Reads the descriptors that the holder would have been given next.
    fn probe(&mut self, slot: u32) {
        let Ok(directory) = self.roster.directory(&self.proc, slot) else {
            return;
        };
        let (mut next, mut misses) = (0, 0);
        while self.wanted.is_open() {
            let Some(holder) = self.roster.get_mut(slot) else {
                return;
            };
            let patience = MISSES + holder.used.len() / DESCRIPTORS_PER_MISS;
            let descriptor = holder.used.first_free(next);
            next = descriptor.saturating_add(1);
            match self.proc.socket_at(&directory, descriptor) {
                Ok(socket) => {
                    misses = 0;
                    self.opened(slot, descriptor, socket);
                }
                Err(Errno::NOENT) => {
                    misses += 1;
                    if misses >= patience {
                        return;
                    }
                }
                Err(_) => return,
            }
        }
    }

    /// Takes in a descriptor that was free before.
    fn opened(&mut self, slot: u32, descriptor: u32, socket: Option<u32>) {
        let Some(holder) = self.roster.get_mut(slot) else {
            return;
        };
        holder.used.insert(descriptor);
        if let Some(known) = self.census.get_mut(holder.id.pid.0) {
            known.facts.count = known.facts.count.saturating_add(1);
        }
        let process = holder.id.pid.0;
        let Some(inode) = socket else {
            return;
        };
        if self.is_followed(inode) {
            self.hold(slot, descriptor, inode);
        } else {
            // Opened since the tables were read, it may be sought next.
            self.strangers.insert(Edge {
                inode,
                process,
                descriptor,
            });
        }
    }

    /// All processes that may be read now: holders before others, and among them those of the users sought first.
    fn order(&self, due: &[Wanted]) -> Vec<u32> {
        let mut uids: Vec<u32> = due.iter().filter_map(|wanted| wanted.uid).collect();
        uids.sort_unstable();
        uids.dedup();
        let rank = |known: &Known| {
            let is_other_user = uids.binary_search(&known.facts.uid).is_err();
            (known.slot.is_none(), is_other_user, known.pid)
        };
        let may_be_read = |known: &&Known| known.denied_until <= self.now;
        let mut order: Vec<_> = self.census.all().filter(may_be_read).map(rank).collect();
        order.sort_unstable();
        order.into_iter().map(|(_, _, pid)| pid).collect()
    }

    /// The processes that may be read, or for long were not tried.
    pub(super) fn readable(&self) -> Vec<u32> {
        let may_be_read = |known: &&Known| known.denied_until <= self.now;
        let all = self.census.all().filter(may_be_read);
        all.map(|known| known.pid).collect()
    }

    /// Scans processes in which the number of descriptors changed: first what was not in use before, then the rest, as a
    /// socket may have taken the place of a file.
    fn search_changed(&mut self, order: &[u32]) {
        for pid in order {
            if !self.wanted.is_open() {
                return;
            }
            let is_denied = |known: &Known| known.denied_until != 0;
            if self.census.get(*pid).is_some_and(is_denied) {
                continue;
            }
            let before = self.wanted.remaining();
            if self.scan_if_changed(*pid, Depth::Unused) && self.wanted.remaining() == before {
                self.scan(*pid, Depth::Unheld);
            }
        }
    }

    /// Scans every process.
    fn search_all(&mut self, order: &[u32]) {
        for pid in order {
            if !self.wanted.is_open() {
                return;
            }
            self.scan(*pid, Depth::Unheld);
        }
    }
}
