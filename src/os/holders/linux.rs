//! Which processes hold which sockets, kept from look to look instead of searched again.
//!
//! Where the holders of a socket are known, one readlink now and then checks them; a new socket is looked for where it
//! probably is; only what cannot be found so is searched for everywhere, and rarely. What makes a kept holder wrong, and
//! what puts it right:
//!
//! | what happens | is noticed by |
//! | --- | --- |
//! | a process ends | its pidfd, at the next update |
//! | fork | the last pid given away: new processes are read once, at the next update |
//! | exec that closes, soon after fork | a second look at new holders, at the next update |
//! | a socket passed (`SCM_RIGHTS`), dup, close, a later exec | the number of descriptors changed, in turn |
//! | a descriptor reused for another socket | the checking of single descriptors, in turn |
//!
//! A turn comes round within as many updates as there are processes (fewer with many sockets), and at most four more
//! for each that changed. This module never signals a process, never holds
//! a reference to a socket of another one (no pidfd_getfd(2), which would delay its close) and never takes a failed read
//! for an answer. A process that may not be read holds nothing, as far as is known here. The sockets of a process whose
//! first thread has ended are not found, as its `/proc/PID/fd` is empty then.

use super::{Finding, Sought};
use census::Census;
use edges::{Edge, Edges, News};
use proc::Proc;
use roster::Roster;
use scan::Depth;
use standing::Standing;
use verification::Checks;
use wanted::{Purse, Wanted, WantedSockets};

mod census;
mod comings;
mod descriptors;
mod edges;
mod proc;
mod roster;
mod scan;
mod search;
mod standing;
mod turns;
mod verification;
mod wanted;

/// So many strangers are remembered at most, in 3.4 MB: local sockets, those of other network namespaces, and such.
const MOST_STRANGERS: usize = 229_376;

/// Who holds what, as far as it is followed: sought once and not closed since.
pub struct Holders {
    proc: Proc,
    census: Census,
    roster: Roster,
    /// By the slots of the roster.
    edges: Edges,
    /// Sockets nobody asked for yet, by pid: a socket is in no table before it is bound or connected, and then its
    /// holder shows no change any more. Only hints, which may be out of date.
    strangers: Edges,
    /// How many strangers there were when those of ended processes were last removed.
    strangers_kept: usize,
    wanted: WantedSockets,
    standing: Standing,
    /// New processes that held something at once, which an exec may soon make them close.
    young: Vec<u32>,
    /// Holders of which sockets closed in this update, and whose free descriptors so are likely taken first.
    freed: Vec<u32>,
    findings: Vec<Finding>,
    checks: Checks,
    /// For searches where something changed, and for searches everywhere.
    purses: [Purse; 2],
    /// The number of the update.
    now: u32,
}

impl Default for Holders {
    fn default() -> Self {
        Self::new()
    }
}

impl Holders {
    /// Knows nothing and reads nothing yet; the first update reads everything.
    pub fn new() -> Self {
        Self {
            proc: Proc::default(),
            census: Census::default(),
            roster: Roster::default(),
            edges: Edges::default(),
            strangers: Edges::default(),
            strangers_kept: 0,
            wanted: WantedSockets::default(),
            standing: Standing::default(),
            young: Vec::new(),
            freed: Vec::new(),
            findings: Vec::new(),
            checks: Checks::default(),
            purses: [Purse::new(512), Purse::new(128)],
            now: 0,
        }
    }

    /// Once per look, after the tables were read: tells every change of the holders of every socket that is followed, in
    /// the order they came to light.
    ///
    /// `closed` are gone from the tables, `sought` came or got their first holder; one in both is another socket under
    /// the same inode. `rows` is how many sockets there are: it sets how much is checked.
    pub fn update(&mut self, closed: &[u32], sought: &[Sought], rows: usize) -> Vec<Finding> {
        self.proc.prepare();
        self.now = self.now.saturating_add(1);
        for inode in closed {
            self.forget(*inode);
        }
        let hints = self.want(sought);
        self.bury_ended();
        let is_first = self.meet();
        for hint in hints {
            self.follow_hint(hint);
        }
        self.verify(rows);
        self.search(is_first);
        self.freed.clear();
        self.tidy();
        std::mem::take(&mut self.findings)
    }

    /// Reads anew who holds these, as far as they are followed: every known holder is checked, and every process that may
    /// be read is searched if one was lost or none was known.
    pub fn check(&mut self, inodes: &[u32]) -> Vec<Finding> {
        self.proc.prepare();
        self.bury_ended();
        self.meet();
        for inode in inodes {
            let known: Vec<Edge> = self.edges.of(*inode).collect();
            for edge in known {
                self.verify_edge(edge);
            }
        }
        let is_of_these = |finding: &Finding| inodes.contains(&finding.inode);
        let is_lost = |finding: &Finding| !finding.holds && is_of_these(finding);
        let is_unknown = |inode: &u32| self.wanted.contains(*inode);
        if self.findings.iter().any(is_lost) || inodes.iter().any(is_unknown) {
            for pid in self.readable() {
                self.scan(pid, Depth::Unheld);
            }
        }
        std::mem::take(&mut self.findings)
    }

    /// Follows these, and gives the strangers that they were until now.
    fn want(&mut self, sought: &[Sought]) -> Vec<Edge> {
        let mut hints = Vec::new();
        for one in sought.iter().filter(|one| one.inode != 0) {
            self.standing.set(one.inode, one.is_standing);
            hints.extend(self.strangers.take(one.inode));
            if self.edges.has(one.inode) {
                self.tell_again(one.inode);
            } else if !self.is_followed(one.inode) {
                self.wanted.insert(one.inode, Wanted::new(one, self.now));
            }
        }
        hints
    }

    /// Another row has the inode of one that is followed: a further subflow of a multipath connection.
    fn tell_again(&mut self, inode: u32) {
        let holders = self
            .edges
            .of(inode)
            .filter_map(|edge| self.roster.get(edge.process));
        let again = holders.map(|holder| Finding {
            inode,
            process: holder.id,
            holds: true,
        });
        self.findings.extend(again);
    }

    /// Whether a search through all processes for who holds this is still to come.
    pub fn is_seeking(&self, inode: u32) -> bool {
        self.wanted.is_fresh(inode)
    }

    /// Looks where a socket was seen before anybody asked for it.
    fn follow_hint(&mut self, hint: Edge) {
        let pid = hint.process;
        let Some(slot) = self.census.get(pid).and_then(|known| known.slot) else {
            return self.scan(pid, Depth::Unheld);
        };
        let directory = self.roster.directory(&self.proc, slot);
        let socket =
            directory.and_then(|directory| self.proc.socket_at(&directory, hint.descriptor));
        if socket == Ok(Some(hint.inode)) {
            self.hold(slot, hint.descriptor, hint.inode);
        }
    }

    fn forget(&mut self, inode: u32) {
        self.wanted.remove(inode, self.now);
        self.standing.set(inode, false);
        let edges = self.edges.take(inode);
        let is_shared = edges.len() > 1;
        for edge in edges {
            let Some(holder) = self.roster.get_mut(edge.process) else {
                continue;
            };
            holder.edges -= 1;
            holder.held.remove(edge.descriptor);
            holder.used.remove(edge.descriptor);
            if let Some(known) = self.census.get_mut(holder.id.pid.0) {
                known.facts.count = known.facts.count.saturating_sub(1);
            }
            // A listener may only be no listener for a while, and of several holders a search finds the first.
            if is_shared {
                self.strangers.insert(Edge {
                    process: holder.id.pid.0,
                    ..edge
                });
            }
            if self.freed.last() != Some(&edge.process) {
                self.freed.push(edge.process);
            }
        }
    }

    fn is_followed(&self, inode: u32) -> bool {
        self.edges.has(inode) || self.wanted.contains(inode)
    }

    /// Takes in that a holder has this socket, and tells whether that is new.
    fn hold(&mut self, slot: u32, descriptor: u32, inode: u32) -> News {
        let Some(holder) = self.roster.get_mut(slot) else {
            return News::None;
        };
        holder.held.insert(descriptor);
        holder.used.insert(descriptor);
        let process = holder.id;
        let news = self.edges.insert(Edge {
            inode,
            process: slot,
            descriptor,
        });
        holder.edges += usize::from(news != News::None);
        if news == News::Holder {
            self.roster.touch(slot);
            self.findings.push(Finding {
                inode,
                process,
                holds: true,
            });
        }
        self.wanted.remove(inode, self.now);
        news
    }

    /// Takes in that these, no longer in the table, are held no more.
    fn lose(&mut self, mut lost: Vec<Edge>) {
        for edge in &lost {
            if let Some(holder) = self.roster.get_mut(edge.process) {
                holder.edges -= 1;
                holder.held.remove(edge.descriptor);
            }
        }
        // What is lost during a search is searched for by the next one.
        let due = self.now.saturating_add(self.wanted.is_open().into());
        lost.sort_unstable();
        lost.dedup_by_key(|edge| (edge.inode, edge.process));
        for Edge { inode, process, .. } in lost {
            if self.edges.has_pair(inode, process) {
                continue;
            }
            if let Some(holder) = self.roster.get(process) {
                self.findings.push(Finding {
                    inode,
                    process: holder.id,
                    holds: false,
                });
            }
            if !self.edges.has(inode) {
                self.wanted.insert(inode, Wanted::lost(due));
            }
        }
    }

    /// Keeps the memory in proportion to what there is.
    fn tidy(&mut self) {
        self.edges.tidy();
        self.wanted.tidy();
        if self.strangers.len() > MOST_STRANGERS {
            self.strangers = Edges::default();
        }
        if self.strangers.len() > self.strangers_kept.saturating_mul(2).saturating_add(1024) {
            let census = &self.census;
            let is_gone = |edge: &Edge| census.get(edge.process).is_none();
            self.strangers.take_if(is_gone);
            self.strangers.tidy();
            self.strangers_kept = self.strangers.len();
        }
    }
}

#[cfg(test)]
mod tests;
