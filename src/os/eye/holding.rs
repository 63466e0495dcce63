//! Who holds the sockets of a look: asks for what is new, and tells the tracker what is found.

use super::Eye;
use crate::model::endpoint::Owners;
use crate::model::process::{Process, ProcessId, topmost_first};
use crate::model::sighting::Sighting;
use crate::model::tracker::Slot;
use crate::os::holders::{Finding, Sought};
use hashbrown::{HashMap, HashSet};
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
        let sought = self.tracker.sought();
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
        self.assign(care, &sought, findings);
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
    fn assign(&mut self, care: Care, sought: &[(Slot, Sighting)], mut findings: Vec<Finding>) {
        let bereft = std::mem::take(&mut self.bereft);
        let open = std::mem::take(&mut self.open);
        // In the order in which they came to light, for each socket.
        findings.sort_by_key(|finding| finding.inode);
        let mut new: HashSet<u32> = sought.iter().map(|(_, socket)| socket.mark).collect();
        new.extend(open);
        let mut marks: HashSet<u32> = new.union(&bereft).copied().collect();
        marks.extend(findings.iter().map(|finding| finding.inode));
        if marks.is_empty() {
            return;
        }
        let each = self.tracker.each();
        let concerned: Vec<(Slot, u32)> = each
            .filter(|(_, socket, _)| marks.contains(&socket.mark))
            .map(|(slot, socket, _)| (slot, socket.mark))
            .collect();
        let mut families = Families::new();
        for (slot, mark) in concerned {
            let is_anew = new.contains(&mark) || bereft.contains(&mark);
            let mut holders = if is_anew { Vec::new() } else { self.ids(slot) };
            for finding in of(&findings, mark) {
                holders.retain(|id| *id != finding.process);
                if finding.holds {
                    holders.push(finding.process);
                }
            }
            let was_held = !holders.is_empty() || self.has_known(slot);
            match self.family(holders, &mut families) {
                Some(owners) => self.own(slot, &owners),
                None if care == Care::Usual && was_held && !bereft.contains(&mark) => {
                    self.bereft.insert(mark);
                }
                None if care == Care::Usual && self.holders.is_seeking(mark) => {
                    self.open.insert(mark);
                }
                None => self.tracker.own(slot, &Owners::Hidden),
            }
        }
    }

    /// These processes as owners, unless all of them have ended.
    fn family(&mut self, holders: Vec<ProcessId>, families: &mut Families) -> Option<Owners> {
        if let Some(family) = families.get(&holders) {
            return family.clone();
        }
        let processes = holders.iter().filter_map(|id| self.processes.known(*id));
        let known: Vec<Arc<Process>> = processes.collect();
        let family = (!known.is_empty()).then(|| Owners::Known(topmost_first(known).into()));
        families.insert(holders, family.clone());
        family
    }

    fn own(&mut self, slot: Slot, owners: &Owners) {
        match owners.known() {
            [only] if Some(only.pid()) == self.own => self.tracker.disregard(slot),
            _ => self.tracker.own(slot, owners),
        }
    }

    fn ids(&self, slot: Slot) -> Vec<ProcessId> {
        let known = self.tracker.owners(slot).map_or(&[][..], Owners::known);
        known.iter().map(|process| process.id).collect()
    }

    fn has_known(&self, slot: Slot) -> bool {
        let owners = self.tracker.owners(slot);
        owners.is_some_and(|owners| !owners.known().is_empty())
    }
}

/// What was made of the same holders, of which most sockets have one.
type Families = HashMap<Vec<ProcessId>, Option<Owners>>;

/// Those about one socket, of findings in the order of their sockets.
fn of(findings: &[Finding], mark: u32) -> &[Finding] {
    let first = findings.partition_point(|finding| finding.inode < mark);
    let rest = findings.get(first..).unwrap_or_default();
    let count = rest.partition_point(|finding| finding.inode == mark);
    rest.get(..count).unwrap_or_default()
}
