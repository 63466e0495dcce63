//! The processes, and which are new since the last poll.
//!
//! The kernel reports the last pid it assigned, so most polls cost one read. A thread must never be taken for a process,
//! nor a process for an earlier one with the same pid.

use super::owner_handles::OwnerEntry;
use super::proc_fs::{FdStat, ProcFs};
use super::round_robin::{Keyed, RoundRobinTable};
use std::time::{Duration, Instant};

/// Above this number of new pids, listing all processes is cheaper than probing each.
const MAX_SINGLE_PROBES: u32 = 256;

/// After this time the pids may have wrapped around unseen: pid_max(5) may be as low as 32768.
const MAX_PROBE_AGE: Duration = Duration::from_secs(10);

#[derive(Default)]
pub struct PidEntry {
    pub pid: u32,
    /// Inode of its directory in `/proc`; 0 while it is unknown.
    directory: u32,
    /// Expected number of descriptors, and its user.
    pub fd_stat: FdStat,
    /// True if that number counted descriptors without a file: accept(2) reserves one before it waits, so that a socket may
    /// come while the number stays.
    pub has_reserved_fds: bool,
    /// The update in which it may be opened again; 0 if it was never denied.
    pub denied_until: u32,
    /// Its user when it was denied; `None` if that could not be read.
    pub denied_uid: Option<u32>,
    /// If it owns sockets, or did.
    pub owner: Option<Box<OwnerEntry>>,
}

impl Keyed for PidEntry {
    fn key(&self) -> u32 {
        self.pid
    }
}

#[derive(Default)]
pub struct PidChanges {
    /// New processes, and those that may have reused a pid.
    pub appeared: Vec<u32>,
    /// Known processes that are gone, if all were listed.
    pub gone: Vec<u32>,
    /// True if these are all processes.
    pub scanned_all: bool,
}

#[derive(Default)]
pub struct PidTable {
    pub known: RoundRobinTable<PidEntry>,
    /// Processes that had a socket of any kind when they were last scanned.
    pub with_sockets: RoundRobinTable<u32>,
    /// The last pid assigned at the last poll, and when that was.
    last: Option<(u32, Instant)>,
    /// Assigned pids that were no process yet: a fork assigns the pid before the process is visible.
    not_yet_visible: Vec<u32>,
    /// Number of processes in the last listing.
    listed: usize,
    is_listing_due: bool,
}

impl PidTable {
    pub fn poll(&mut self, proc: &ProcFs) -> PidChanges {
        // Before the listing, so that a fork meanwhile is found next time.
        let last = proc.last_pid().map(|pid| (pid, Instant::now()));
        let before = std::mem::replace(&mut self.last, last);
        let has_outgrown_listing =
            self.known.len() > self.listed.saturating_mul(2).saturating_add(512);
        let can_probe = !has_outgrown_listing && !self.is_listing_due;
        let range = before.zip(last).filter(|((from, then), (to, now))| {
            let is_short = from <= to && to - from <= MAX_SINGLE_PROBES;
            can_probe && is_short && *now - *then < MAX_PROBE_AGE
        });
        range
            .and_then(|((from, _), (to, _))| self.probe_pids(proc, from, to))
            .unwrap_or_else(|| self.list_all(proc))
    }

    /// Probes each pid after `from` up to `to`; `None` if the kernel cannot be asked.
    fn probe_pids(&mut self, proc: &ProcFs, from: u32, to: u32) -> Option<PidChanges> {
        let mut pid_changes = PidChanges::default();
        for pid in std::mem::take(&mut self.not_yet_visible) {
            if self.known.get(pid).is_none() && proc.is_process(pid)? {
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
            scanned_all: self.known.len() == 0,
            ..PidChanges::default()
        };
        let mut all: Vec<(u32, u32)> = Vec::with_capacity(self.listed + 16);
        let listed = proc.processes(|pid, directory| all.push((pid, directory)));
        if listed.is_err() {
            return pid_changes;
        }
        all.sort_unstable();
        self.listed = all.len();
        self.is_listing_due = false;
        let is_listed = |pid| all.binary_search_by_key(&pid, |(pid, _)| *pid).is_ok();
        let known = self.known.all().map(|known| known.pid);
        pid_changes.gone = known.filter(|pid| !is_listed(*pid)).collect();
        for (pid, directory) in all {
            let before = self.known.get(pid).map(|known| known.directory);
            self.get_or_insert(pid).directory = directory;
            // The inode of a probed one was not known yet.
            if before.is_none_or(|before| before != 0 && before != directory) {
                pid_changes.appeared.push(pid);
            }
        }
        pid_changes
    }

    pub fn owner(&self, pid: u32) -> Option<&OwnerEntry> {
        self.known.get(pid)?.owner.as_deref()
    }

    pub fn owner_mut(&mut self, pid: u32) -> Option<&mut OwnerEntry> {
        self.known.get_mut(pid)?.owner.as_deref_mut()
    }

    pub fn owners_mut(&mut self) -> impl Iterator<Item = &mut OwnerEntry> {
        let known = self.known.all_mut();
        known.filter_map(|known| known.owner.as_deref_mut())
    }

    pub fn get_or_insert(&mut self, pid: u32) -> &mut PidEntry {
        self.known.get_or_insert(PidEntry {
            pid,
            ..PidEntry::default()
        })
    }

    /// Returns the next process of a round through those that have sockets.
    pub fn next_with_sockets(&mut self) -> Option<&PidEntry> {
        let pid = *self.with_sockets.next_in_turn().0?;
        self.known.get(pid)
    }

    /// Returns the next process of the round. After a round all are listed again, because a process with a chosen pid
    /// (`set_tid` of clone3(2)) never was the last one.
    pub fn next_in_turn(&mut self) -> Option<&PidEntry> {
        let (known, wrapped) = self.known.next_in_turn();
        self.is_listing_due |= wrapped;
        known
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::os::testing::SocketHolder;
    use std::fs::File;

    fn own() -> u32 {
        std::process::id()
    }

    fn polled() -> (ProcFs, PidTable) {
        let (proc, mut pid_table) = (ProcFs::default(), PidTable::default());
        let first = pid_table.poll(&proc);
        assert!(first.scanned_all && first.appeared.contains(&own()));
        (proc, pid_table)
    }

    fn sleeper() -> SocketHolder {
        crate::os::testing::sleeper(File::open("/dev/null").expect("a file"))
    }

    #[test]
    fn a_new_process_is_reported_once() {
        let (proc, mut pid_table) = polled();
        let child = sleeper();
        let reported = [(); 2].map(|()| {
            let is_reported = pid_table.poll(&proc).appeared.contains(&child.pid().0);
            // The scan does the same.
            pid_table.get_or_insert(child.pid().0);
            is_reported
        });
        assert_eq!(reported, [true, false]);
    }

    #[test]
    fn listing_all_pids_finds_new_and_gone_ones() {
        let (proc, mut pid_table) = polled();
        let child = sleeper();
        let pid = child.pid().0;
        pid_table.last = None;
        assert!(pid_table.poll(&proc).appeared.contains(&pid));
        drop(child);
        pid_table.last = None;
        assert!(pid_table.poll(&proc).gone.contains(&pid));
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
        pid_table.known.remove(own());
        assert!(pid_table.poll(&proc).appeared.contains(&own()));
        assert!(!pid_table.poll(&proc).appeared.contains(&own()));
    }

    #[test]
    fn a_pid_wraparound_between_polls_lists_all_processes() {
        let (proc, mut pid_table) = polled();
        pid_table.known.remove(own());
        let (_, polled_at) = pid_table.last.as_mut().expect("a pid");
        *polled_at -= MAX_PROBE_AGE;
        assert!(pid_table.poll(&proc).appeared.contains(&own()));
    }
}
