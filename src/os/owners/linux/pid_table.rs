//! The processes, and which are new since the last poll.
//!
//! The kernel reports the last pid it assigned, so most polls cost one read. A thread must never be taken for a process,
//! nor a process for an earlier one with the same pid.

use super::proc_fs::{FdStat, ProcFs};
use super::round_robin::RoundRobin;
use hashbrown::{DefaultHashBuilder, HashTable};
use std::hash::BuildHasher;
use std::time::{Duration, Instant};

/// Above this number of new pids, listing all processes is cheaper than probing each.
const MAX_SINGLE_PROBES: u32 = 256;

/// After this time the pids may have wrapped around unseen: pid_max(5) may be as low as 32768.
const MAX_PROBE_AGE: Duration = Duration::from_secs(10);

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PidEntry {
    pub pid: u32,
    /// Inode of its directory in `/proc`; 0 while it is unknown.
    directory: u32,
    /// Expected number of descriptors, and its user.
    pub fd_stat: FdStat,
    /// The update in which it may be opened again; 0 if it was never denied.
    pub denied_until: u32,
    /// Its slot in the owner table, if it is an owner.
    pub slot: Option<u32>,
}

#[derive(Debug, Default, PartialEq, Eq)]
pub struct PidChanges {
    /// New processes, and those that may have reused a pid.
    pub appeared: Vec<u32>,
    /// Known processes that are gone, if all were listed.
    pub gone: Vec<PidEntry>,
    /// True if these are all processes.
    pub is_first: bool,
}

#[derive(Default)]
pub struct PidTable {
    known: HashTable<PidEntry>,
    hasher: DefaultHashBuilder,
    round_robin: RoundRobin,
    /// The last pid assigned at the last poll.
    last: Option<u32>,
    polled_at: Option<Instant>,
    /// Assigned pids that were no process yet: a fork assigns the pid before the process is visible.
    not_yet_visible: Vec<u32>,
    /// Number of processes in the last listing.
    listed: usize,
    is_listing_due: bool,
}

impl PidTable {
    pub fn poll(&mut self, proc: &ProcFs) -> PidChanges {
        // Before the listing, so that a fork meanwhile is found next time.
        let last = proc.last_pid();
        let now = Instant::now();
        let is_recent = self
            .polled_at
            .is_some_and(|polled_at| now - polled_at < MAX_PROBE_AGE);
        let before = self.last;
        self.last = last;
        self.polled_at = Some(now);
        let advanced = last.zip(before).and_then(|(to, from)| to.checked_sub(from));
        let has_outgrown_listing =
            self.known.len() > self.listed.saturating_mul(2).saturating_add(512);
        match (advanced, before) {
            (Some(advanced @ 0..=MAX_SINGLE_PROBES), Some(before))
                if is_recent && !has_outgrown_listing && !self.is_listing_due =>
            {
                self.probe_pids(proc, before, before.saturating_add(advanced))
                    .unwrap_or_else(|| self.list_all(proc))
            }
            _ => self.list_all(proc),
        }
    }

    /// Probes each pid after `from` up to `to`; `None` if the kernel cannot be asked.
    fn probe_pids(&mut self, proc: &ProcFs, from: u32, to: u32) -> Option<PidChanges> {
        let mut pid_changes = PidChanges::default();
        for pid in std::mem::take(&mut self.not_yet_visible) {
            if self.get(pid).is_none() && proc.is_process(pid)? {
                pid_changes.appeared.push(pid);
            }
        }
        for pid in from.saturating_add(1)..=to {
            if proc.is_process(pid)? {
                pid_changes.appeared.push(pid);
            } else {
                self.not_yet_visible.push(pid);
            }
        }
        Some(pid_changes)
    }

    /// Lists all processes and compares them with the known ones.
    fn list_all(&mut self, proc: &ProcFs) -> PidChanges {
        let mut pid_changes = PidChanges {
            is_first: self.known.is_empty(),
            ..PidChanges::default()
        };
        let mut all: Vec<(u32, u32)> = Vec::with_capacity(self.listed + 16);
        if proc
            .processes(|pid, number| all.push((pid, number)))
            .is_err()
        {
            return pid_changes;
        }
        all.sort_unstable();
        self.listed = all.len();
        self.is_listing_due = false;
        let is_listed = |pid| all.binary_search_by_key(&pid, |(pid, _)| *pid).is_ok();
        let gone = self.known.extract_if(|known| !is_listed(known.pid));
        pid_changes.gone = gone.collect();
        for (pid, directory) in all {
            match self.get_mut(pid) {
                Some(known) if known.directory == directory => {}
                Some(known) => {
                    // The inode of a probed one is not known yet.
                    let is_same = known.directory == 0;
                    known.directory = directory;
                    if !is_same {
                        pid_changes.appeared.push(pid);
                    }
                }
                None => {
                    self.get_or_insert(pid).directory = directory;
                    pid_changes.appeared.push(pid);
                }
            }
        }
        pid_changes
    }

    pub fn get(&self, pid: u32) -> Option<&PidEntry> {
        let hash = self.hasher.hash_one(pid);
        self.known.find(hash, |known| known.pid == pid)
    }

    pub fn get_mut(&mut self, pid: u32) -> Option<&mut PidEntry> {
        let hash = self.hasher.hash_one(pid);
        self.known.find_mut(hash, |known| known.pid == pid)
    }

    pub fn get_or_insert(&mut self, pid: u32) -> &mut PidEntry {
        let Self { known, hasher, .. } = self;
        let hash = |pid: u32| hasher.hash_one(pid);
        let new = PidEntry {
            pid,
            directory: 0,
            fd_stat: FdStat { count: 0, uid: 0 },
            denied_until: 0,
            slot: None,
        };
        known
            .entry(hash(pid), |known| known.pid == pid, |known| hash(known.pid))
            .or_insert(new)
            .into_mut()
    }

    pub fn forget(&mut self, pid: u32) {
        let hash = self.hasher.hash_one(pid);
        if let Ok(entry) = self.known.find_entry(hash, |known| known.pid == pid) {
            entry.remove();
        }
    }

    pub fn all(&self) -> impl Iterator<Item = &PidEntry> {
        self.known.iter()
    }

    /// Returns the next process of the round. After a round all are listed again, because a process with a chosen pid
    /// (`set_tid` of clone3(2)) never was the last one.
    pub fn next_in_turn(&mut self) -> Option<PidEntry> {
        let (known, wrapped) = self.round_robin.next(&self.known);
        self.is_listing_due |= wrapped;
        known.copied()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn own() -> u32 {
        std::process::id()
    }

    fn polled() -> (ProcFs, PidTable) {
        let (mut proc, mut pid_table) = (ProcFs::default(), PidTable::default());
        proc.prepare();
        let first = pid_table.poll(&proc);
        assert!(first.is_first && first.appeared.contains(&own()));
        (proc, pid_table)
    }

    fn sleeper() -> std::process::Child {
        std::process::Command::new("sleep")
            .arg("60")
            .spawn()
            .expect("sleep runs")
    }

    fn end(mut child: std::process::Child) {
        child.kill().expect("it may be killed");
        child.wait().expect("it ends");
    }

    #[test]
    fn a_new_process_is_reported_once() {
        let (proc, mut pid_table) = polled();
        let child = sleeper();
        let reported = [(); 2].map(|()| {
            let is_reported = pid_table.poll(&proc).appeared.contains(&child.id());
            // The scan does the same.
            pid_table.get_or_insert(child.id());
            is_reported
        });
        assert_eq!(reported, [true, false]);
        end(child);
    }

    #[test]
    fn listing_all_pids_finds_new_and_gone_ones() {
        let (proc, mut pid_table) = polled();
        let child = sleeper();
        pid_table.last = None;
        assert!(pid_table.poll(&proc).appeared.contains(&child.id()));
        let pid = child.id();
        end(child);
        pid_table.last = None;
        let gone = pid_table.poll(&proc).gone;
        assert!(gone.iter().any(|known| known.pid == pid));
        assert_eq!(pid_table.get(pid), None);
    }

    #[test]
    fn a_pid_whose_directory_changed_is_a_new_process() {
        let (proc, mut pid_table) = polled();
        pid_table.get_or_insert(own()).directory ^= 1;
        pid_table.last = None;
        assert!(pid_table.poll(&proc).appeared.contains(&own()));
        pid_table.last = None;
        assert!(!pid_table.poll(&proc).appeared.contains(&own()));
    }

    #[test]
    fn a_pid_being_forked_is_probed_again() {
        let (proc, mut pid_table) = polled();
        pid_table.not_yet_visible = vec![own()];
        pid_table.forget(own());
        assert!(pid_table.poll(&proc).appeared.contains(&own()));
        assert!(!pid_table.poll(&proc).appeared.contains(&own()));
    }

    #[test]
    fn a_pid_wraparound_between_polls_lists_all_processes() {
        let (proc, mut pid_table) = polled();
        pid_table.forget(own());
        pid_table.polled_at = Instant::now().checked_sub(MAX_PROBE_AGE);
        assert!(pid_table.poll(&proc).appeared.contains(&own()));
    }
}
