//! What is read of a process once and kept, and when it is looked at again.
//!
//! A process is not read again to be told of, so what it does to itself is seen late: see
//! [`reread_next`](Processes::reread_next).

use super::Processes;
use super::reading::{self, ExecFingerprint, Reading};
use crate::model::process::{Process, ProcessId};
use std::collections::{HashMap, VecDeque};
use std::sync::Arc;

/// Which of the turns of a process reads everything, the first being one of them.
const FULL_READ_EVERY: u32 = 4;

/// The processes that are kept, each in one of the queues.
#[derive(Default)]
pub struct ProcessCache {
    processes: HashMap<ProcessId, CachedProcess>,
    /// Those that had no turn yet, or were found changed at their last.
    recent: VecDeque<ProcessId>,
    settled: VecDeque<ProcessId>,
    is_recent_turn: bool,
}

struct CachedProcess {
    process: Arc<Process>,
    fingerprint: ExecFingerprint,
    rereads: u32,
}

impl ProcessCache {
    pub fn get(&self, id: ProcessId) -> Option<&Arc<Process>> {
        self.processes.get(&id).map(|entry| &entry.process)
    }

    fn insert(&mut self, process: Arc<Process>, fingerprint: ExecFingerprint) {
        let rereads = 0;
        self.recent.push_back(process.id);
        self.processes.insert(
            process.id,
            CachedProcess {
                process,
                fingerprint,
                rereads,
            },
        );
    }

    /// Takes out whose turn it is. Newcomers have every second one: they are the likeliest to change, but however many come,
    /// the others must have theirs.
    fn next(&mut self) -> Option<ProcessId> {
        self.is_recent_turn = !self.is_recent_turn;
        let (first, second) = if self.is_recent_turn {
            (&mut self.recent, &mut self.settled)
        } else {
            (&mut self.settled, &mut self.recent)
        };
        first.pop_front().or_else(|| second.pop_front())
    }

    /// Keeps what a process is now if that is another thing.
    fn update(&mut self, process: &Arc<Process>, fingerprint: ExecFingerprint) -> bool {
        let Some(entry) = self.processes.get_mut(&process.id) else {
            return false;
        };
        entry.fingerprint = fingerprint;
        let is_other = entry.process != *process;
        if is_other {
            entry.process = Arc::clone(process);
            entry.rereads = 0;
        }
        is_other
    }
}

impl CachedProcess {
    /// Whether its turn must read everything.
    fn is_due(&mut self, id: ProcessId) -> bool {
        let is_full_read = self.rereads.is_multiple_of(FULL_READ_EVERY);
        self.rereads = self.rereads.wrapping_add(1);
        is_full_read || reading::exec_changed(id.pid, self.fingerprint)
    }
}

impl Processes {
    /// What is known of this very process: read once, and kept until it is forgotten, even if the process has ended by then.
    /// `None` if it had ended before it was read, or another process has its pid, or it may not be seen.
    pub fn known(&mut self, id: ProcessId) -> Option<Arc<Process>> {
        if let Some(known) = self.cache.get(id) {
            return Some(Arc::clone(known));
        }
        let reading = read(id)?;
        let fingerprint = reading.fingerprint;
        let process = self.description(reading);
        self.cache.insert(Arc::clone(&process), fingerprint);
        Some(process)
    }

    /// Looks at one of the kept processes again, in turn, because an exec changes all but the identity: tells and keeps what
    /// it is now if that differs from what was known.
    ///
    /// Most turns cost one read of `/proc/PID/stat`, which shows an exec and another name, parent or terminal; the first turn
    /// of what is new or changed and every fourth read everything. So with N kept processes an exec is seen after N calls,
    /// and another user, directory or title after four times N; twice that while others keep changing. Until then rows name
    /// the program that ran before, and only the words are old: the identity is never another's. An exec of another user's
    /// process that keeps name, parent and terminal is seen like a title. Elsewhere than on Linux every turn reads everything.
    pub fn reread_next(&mut self) -> Option<Arc<Process>> {
        let id = self.cache.next()?;
        let changed = self.reread(id);
        if changed.is_some() {
            // It may have been seen in the midst of an exec.
            self.cache.recent.push_back(id);
        } else {
            self.cache.settled.push_back(id);
        }
        changed
    }

    fn reread(&mut self, id: ProcessId) -> Option<Arc<Process>> {
        if !self.cache.processes.get_mut(&id)?.is_due(id) {
            return None;
        }
        // One that is about to end has lost its arguments and its executable, and what was known says more.
        let reading = read(id).filter(|found| !found.is_ending)?;
        let fingerprint = reading.fingerprint;
        let process = self.description(reading);
        self.cache.update(&process, fingerprint).then_some(process)
    }

    /// Forgets all processes but these.
    pub fn retain(&mut self, is_wanted: impl Fn(ProcessId) -> bool) {
        let cache = &mut self.cache;
        cache.processes.retain(|id, _| is_wanted(*id));
        cache.recent.retain(|id| cache.processes.contains_key(id));
        cache.settled.retain(|id| cache.processes.contains_key(id));
    }
}

fn read(id: ProcessId) -> Option<Reading> {
    let mut readings = reading::read(std::iter::once(id.pid));
    readings
        .remove(&id.pid)
        .filter(|found| found.process.id == id)
}

#[cfg(test)]
#[cfg(target_os = "linux")]
mod tests;
