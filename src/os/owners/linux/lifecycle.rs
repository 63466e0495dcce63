//! Takes in that processes came and went.

use super::OwnerResolver;
use super::pid_table::PidEntry;
use super::scan::ScanScope;
use std::collections::HashSet;

impl OwnerResolver {
    pub(super) fn remove_exited_owners(&mut self) {
        let ended = self.owner_table.ended(&self.proc);
        if !ended.is_empty() {
            self.remove_exited(&ended);
        }
    }

    /// Forgets holders that ended. One pass over the table serves them all.
    pub(super) fn remove_exited(&mut self, ended: &[u32]) {
        let is_ended: HashSet<u32> = ended.iter().copied().collect();
        let of = |slot: &u32| {
            self.owner_table
                .get(*slot)
                .map_or(0, |owner| owner.entry_count)
        };
        if ended.iter().map(of).sum::<usize>() > 0 {
            let lost = self
                .fd_cache
                .remove_if(|entry| is_ended.contains(&entry.process));
            self.remove_fds(lost);
        }
        for slot in ended {
            let Some(owner) = self.owner_table.remove(*slot) else {
                continue;
            };
            let pid = owner.id.pid.0;
            if self
                .pid_table
                .get(pid)
                .is_some_and(|known| known.slot == Some(*slot))
            {
                self.pid_table.forget(pid);
            }
        }
    }

    /// Reads the processes that came since the last look, and tells whether these are all there are.
    pub(super) fn scan_new(&mut self) -> bool {
        let pid_changes = self.pid_table.poll(&self.proc);
        let gone: Vec<u32> = pid_changes
            .gone
            .iter()
            .filter_map(|known| known.slot)
            .collect();
        self.remove_exited(&gone);
        for pid in std::mem::take(&mut self.recently_forked) {
            self.scan_if_changed(pid, ScanScope::All);
        }
        for pid in &pid_changes.appeared {
            self.forget_reused_pid(*pid);
            self.scan(*pid, ScanScope::Untracked);
            let is_owner = |known: &PidEntry| known.slot.is_some();
            if !pid_changes.is_first && self.pid_table.get(*pid).is_some_and(is_owner) {
                self.recently_forked.push(*pid);
            }
        }
        pid_changes.is_first
    }

    /// Forgets what is known of a pid if that was another process.
    fn forget_reused_pid(&mut self, pid: u32) {
        let Some(known) = self.pid_table.get_mut(pid) else {
            return;
        };
        known.denied_until = 0;
        if let Some(slot) = known.slot {
            let directory = self.owner_table.directory(&self.proc, slot);
            if !directory.is_ok_and(|directory| self.proc.is_alive(&directory)) {
                self.remove_exited(&[slot]);
            }
        }
    }
}
