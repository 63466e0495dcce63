//! Who holds the sockets of a look: asks for what is new, and tells the tracker what is found.

use super::Eye;
use crate::model::endpoint::Owners;
use crate::model::process::{Process, ProcessId, topmost_first};
use crate::model::sighting::Sighting;
use crate::model::tracker::Slot;
use crate::os::holders::{Finding, Sought};
use crate::os::own;
use std::collections::{HashMap, HashSet};
use std::sync::Arc;

/// How many looks come to one process that is read again: a steady look must cost hardly more than its tables.
const REREAD_EVERY: u32 = 3;

/// How holders are looked at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Care {
    /// Those that are new or changed, and the others in turn.
    Usual,
    /// All of them.
    Close,
}

impl Eye {
    pub(super) fn find_holders(&mut self, care: Care) {
        let mut sought = self.tracker.sought();
        sought.retain(|(slot, socket)| {
            let is_own = own::is_own(socket.cookie());
            if is_own {
                self.tracker.disregard(*slot);
            }
            !is_own
        });
        let released = self.tracker.released();
        let wanted: Vec<Sought> = sought
            .iter()
            .map(|(_, socket)| self.wanted(socket))
            .collect();
        let mut findings = self.holders.update(&released, &wanted, self.tracker.len());
        if care == Care::Close {
            let marks: Vec<u32> = self
                .tracker
                .each()
                .map(|(_, socket, _)| socket.mark)
                .collect();
            findings.extend(self.holders.check(&marks));
        }
        self.assign(&sought, &findings);
        if !released.is_empty() {
            let held: HashSet<ProcessId> =
                self.tracker.holders().map(|process| process.id).collect();
            self.processes.retain(|id| held.contains(&id));
        }
        self.looks = self.looks.wrapping_add(1);
        if self.looks.is_multiple_of(REREAD_EVERY)
            && let Some(process) = self.processes.reread_next()
        {
            self.tracker.describe(&process);
        }
    }

    fn wanted(&self, socket: &Sighting) -> Sought {
        let listener = (!socket.stands()).then(|| self.tracker.listener_owners(socket));
        let owner = listener.flatten().and_then(Owners::first);
        Sought {
            inode: socket.mark,
            uid: socket.uid,
            is_standing: socket.stands(),
            neighbour: owner.map(|owner| owner.pid()),
        }
    }

    /// Tells the tracker who holds what was sought and what was found to have other holders.
    fn assign(&mut self, sought: &[(Slot, Sighting)], findings: &[Finding]) {
        let bereft = std::mem::take(&mut self.bereft);
        if sought.is_empty() && findings.is_empty() && bereft.is_empty() {
            return;
        }
        let mut found: HashMap<u32, Vec<&Finding>> = HashMap::new();
        for finding in findings {
            found.entry(finding.inode).or_default().push(finding);
        }
        let sought: HashSet<Slot> = sought.iter().map(|(slot, _)| *slot).collect();
        let concerned: Vec<(Slot, u32, Vec<ProcessId>)> = self
            .tracker
            .each()
            .filter(|(slot, socket, _)| {
                sought.contains(slot)
                    || found.contains_key(&socket.mark)
                    || bereft.contains(&socket.mark)
            })
            .map(|(slot, socket, owners)| (slot, socket.mark, ids(owners)))
            .collect();
        for (slot, mark, before) in concerned {
            let was_bereft = bereft.contains(&mark);
            let mut holders = if was_bereft || sought.contains(&slot) {
                Vec::new()
            } else {
                before.clone()
            };
            for finding in found.get(&mark).into_iter().flatten() {
                holders.retain(|id| *id != finding.process);
                if finding.holds {
                    holders.push(finding.process);
                }
            }
            self.own(slot, mark, &holders, was_bereft);
        }
    }

    fn own(&mut self, slot: Slot, mark: u32, holders: &[ProcessId], was_bereft: bool) {
        let known: Vec<Arc<Process>> = holders
            .iter()
            .filter_map(|id| self.processes.known(*id))
            .collect();
        match known.as_slice() {
            [only] if only.pid() == self.own => self.tracker.disregard(slot),
            [_, ..] => {
                let owners = Owners::Known(topmost_first(known).into());
                self.tracker.own(slot, &owners);
            }
            [] if was_bereft || holders.is_empty() && !self.has_known(slot) => {
                self.tracker.own(slot, &Owners::Hidden);
            }
            [] => {
                self.bereft.insert(mark);
            }
        }
    }

    fn has_known(&self, slot: Slot) -> bool {
        let owners = self.tracker.owners(slot);
        owners.is_some_and(|owners| !owners.known().is_empty())
    }
}

fn ids(owners: &Owners) -> Vec<ProcessId> {
    owners.known().iter().map(|process| process.id).collect()
}
