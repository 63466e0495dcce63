//! Takes in that processes came and went.

use super::Holders;
use super::census::Known;
use super::scan::Depth;
use std::collections::HashSet;

impl Holders {
    pub(super) fn bury_ended(&mut self) {
        let ended = self.roster.ended(&self.proc);
        if !ended.is_empty() {
            self.bury(&ended);
        }
    }

    /// Forgets holders that ended. One pass over the table serves them all.
    pub(super) fn bury(&mut self, ended: &[u32]) {
        let is_ended: HashSet<u32> = ended.iter().copied().collect();
        let of = |slot: &u32| self.roster.get(*slot).map_or(0, |holder| holder.edges);
        if ended.iter().map(of).sum::<usize>() > 0 {
            let lost = self.edges.take_if(|edge| is_ended.contains(&edge.process));
            self.lose(lost);
        }
        for slot in ended {
            let Some(holder) = self.roster.remove(*slot) else {
                continue;
            };
            let pid = holder.id.pid.0;
            if self
                .census
                .get(pid)
                .is_some_and(|known| known.slot == Some(*slot))
            {
                self.census.forget(pid);
            }
        }
    }

    /// Reads the processes that came since the last look, and tells whether these are all there are.
    pub(super) fn meet(&mut self) -> bool {
        let arrivals = self.census.look(&self.proc);
        let gone: Vec<u32> = arrivals
            .gone
            .iter()
            .filter_map(|known| known.slot)
            .collect();
        self.bury(&gone);
        for pid in std::mem::take(&mut self.young) {
            self.scan_if_changed(pid, Depth::All);
        }
        for pid in &arrivals.fresh {
            self.part_from_predecessor(*pid);
            self.scan(*pid, Depth::Unheld);
            let is_holder = |known: &Known| known.slot.is_some();
            if !arrivals.is_first && self.census.get(*pid).is_some_and(is_holder) {
                self.young.push(*pid);
            }
        }
        arrivals.is_first
    }

    /// Forgets what is known of a pid if that was another process.
    fn part_from_predecessor(&mut self, pid: u32) {
        let Some(known) = self.census.get_mut(pid) else {
            return;
        };
        known.denied_until = 0;
        if let Some(slot) = known.slot {
            let directory = self.roster.directory(&self.proc, slot);
            if !directory.is_ok_and(|directory| self.proc.is_alive(&directory)) {
                self.bury(&[slot]);
            }
        }
    }
}
