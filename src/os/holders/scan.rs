//! Reads the descriptors of one process and compares them with what is known of it.

use super::Holders;
use super::descriptors::Descriptors;
use super::edges::{Edge, News};
use super::proc::{Directory, Facts};
use rustix::io::{Errno, Result};
use std::sync::Arc;

/// After so many updates a process that may not be read is tried again.
const DENIED_FOR: u32 = 64;

/// Which descriptors of a holder are read. Of another process it is always all of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Depth {
    /// Those that were not in use before.
    Unused,
    /// Those that are not known to be sockets it holds.
    Unheld,
    All,
}

/// What one process was seen to have open.
struct Seen {
    facts: Facts,
    open: Descriptors,
    /// Sockets that are followed, by descriptor and inode, in order.
    found: Vec<(u32, u32)>,
    /// Sockets that are not.
    strangers: Vec<(u32, u32)>,
}

impl Holders {
    pub(super) fn scan(&mut self, pid: u32, depth: Depth) {
        let slot = self.census.get(pid).and_then(|known| known.slot);
        let directory = match slot {
            Some(slot) => self.roster.directory(&self.proc, slot),
            None => self.proc.open(pid).map(Arc::new),
        };
        let seen = directory.and_then(|directory| {
            let seen = self.read(&directory, slot, depth)?;
            Ok((directory, seen))
        });
        match seen {
            Ok((directory, seen)) => self.take_in(pid, &directory, &seen, depth),
            Err(errno) => self.miss(pid, errno),
        }
    }

    /// Scans a process in which the number of descriptors is another than it should be, and tells whether it was.
    pub(super) fn scan_if_changed(&mut self, pid: u32, depth: Depth) -> bool {
        let has_changed = self.has_changed(pid);
        match has_changed {
            Ok(true) => self.scan(pid, depth),
            Ok(false) => {}
            Err(errno) => self.miss(pid, errno),
        }
        has_changed == Ok(true)
    }

    /// Whether the number of descriptors is another than it should be, or is not told.
    fn has_changed(&self, pid: u32) -> Result<bool> {
        if !self.proc.tells_counts() {
            return Ok(true);
        }
        let known = self.census.get(pid).ok_or(Errno::NOENT)?;
        let facts = match known.slot {
            Some(slot) => self
                .roster
                .directory(&self.proc, slot)
                .and_then(|directory| self.proc.facts(&directory))?,
            None => self.proc.facts_of(pid)?,
        };
        Ok(facts.count != known.facts.count)
    }

    fn read(&self, directory: &Directory, slot: Option<u32>, depth: Depth) -> Result<Seen> {
        let mut seen = Seen {
            // Before the listing, so that what changes meanwhile is a change yet.
            facts: self.proc.facts(directory)?,
            open: Descriptors::default(),
            found: Vec::new(),
            strangers: Vec::new(),
        };
        let holder = slot.and_then(|slot| self.roster.get(slot));
        let skipped = holder.and_then(|holder| match depth {
            Depth::Unused => Some(&holder.used),
            Depth::Unheld => Some(&holder.held),
            Depth::All => None,
        });
        self.proc.descriptors(directory, |descriptor, name| {
            seen.open.insert(descriptor);
            if skipped.is_some_and(|skipped| skipped.contains(descriptor)) {
                return Ok(());
            }
            match self.proc.socket(directory, name) {
                Ok(Some(inode)) if self.is_followed(inode) => seen.found.push((descriptor, inode)),
                Ok(Some(inode)) => seen.strangers.push((descriptor, inode)),
                // Closed since it was listed.
                Ok(None) | Err(Errno::NOENT) => {}
                Err(errno) => return Err(errno),
            }
            Ok(())
        })?;
        seen.found.sort_unstable();
        Ok(seen)
    }

    fn take_in(&mut self, pid: u32, directory: &Arc<Directory>, seen: &Seen, depth: Depth) {
        let known = self.census.get_or_insert(pid);
        known.facts = seen.facts;
        known.denied_until = 0;
        if known.slot.is_none() && !seen.found.is_empty() {
            known.slot = self.roster.enrol(&self.proc, pid, directory);
        }
        let slot = known.slot;
        for (descriptor, inode) in &seen.strangers {
            self.strangers.insert(Edge {
                inode: *inode,
                process: pid,
                descriptor: *descriptor,
            });
        }
        if let Some(slot) = slot {
            self.compare(slot, seen, depth);
        }
    }

    /// What was found first: a socket that moved to another descriptor was never let go.
    fn compare(&mut self, slot: u32, seen: &Seen, depth: Depth) {
        let Some(holder) = self.roster.get(slot) else {
            return;
        };
        let edges = holder.edges;
        // What was not read, as it is taken to be what it was.
        let mut confirmed = match depth {
            Depth::Unused | Depth::Unheld => holder.held.common(&seen.open),
            Depth::All => 0,
        };
        for (descriptor, inode) in &seen.found {
            let news = self.hold(slot, *descriptor, *inode);
            confirmed += usize::from(news == News::None);
        }
        if confirmed < edges {
            self.lose_stale(slot, seen, depth);
        }
        if let Some(holder) = self.roster.get_mut(slot) {
            holder.used.clone_from(&seen.open);
            for (descriptor, _) in &seen.found {
                holder.held.insert(*descriptor);
            }
        }
    }

    fn lose_stale(&mut self, slot: u32, seen: &Seen, depth: Depth) {
        let is_found = |edge: &Edge| {
            let found = (edge.descriptor, edge.inode);
            seen.found.binary_search(&found).is_ok()
        };
        let is_stale = |edge: &Edge| {
            let may_stay = depth != Depth::All && seen.open.contains(edge.descriptor);
            edge.process == slot && !may_stay && !is_found(edge)
        };
        let lost = self.edges.take_if(is_stale);
        self.lose(lost);
    }

    /// A process that could not be read has ended or may not be; anything else may pass.
    pub(super) fn miss(&mut self, pid: u32, errno: Errno) {
        match errno {
            Errno::ACCESS | Errno::PERM => {
                self.census.get_or_insert(pid).denied_until = self.now.saturating_add(DENIED_FOR);
            }
            Errno::NOENT | Errno::SRCH => {
                let slot = self.census.get(pid).and_then(|known| known.slot);
                if let Some(slot) = slot {
                    self.bury(&[slot]);
                }
                self.census.forget(pid);
            }
            _ => {}
        }
    }
}
