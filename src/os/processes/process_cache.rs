//! Caches descriptions of processes, and rereads them in turn.
//!
//! A cached process is not read again when it is asked for, so its changes are seen late: see
//! [`reread_next`](Processes::reread_next).

use super::Processes;
use super::reading::{self, ExecFingerprint, Reading};
use crate::model::process::{Process, ProcessId};
use std::collections::{HashMap, VecDeque};
use std::sync::Arc;

/// One in this many turns of a process, starting with the first, reads everything.
const FULL_READ_EVERY: u32 = 4;

/// The cached processes, each in one of the queues.
#[derive(Default)]
pub struct ProcessCache {
    processes: HashMap<ProcessId, CachedProcess>,
    /// Those that had no turn yet, or had changed at their last one.
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

    fn insert(&mut self, process: &Arc<Process>, fingerprint: ExecFingerprint) {
        self.recent.push_back(process.id);
        let entry = CachedProcess {
            process: Arc::clone(process),
            fingerprint,
            rereads: 0,
        };
        self.processes.insert(process.id, entry);
    }

    /// Takes the next process out of its queue. Recent ones get every second turn: they are the likeliest to change, but
    /// must not starve the others.
    fn next(&mut self) -> Option<ProcessId> {
        self.is_recent_turn = !self.is_recent_turn;
        let (first, second) = if self.is_recent_turn {
            (&mut self.recent, &mut self.settled)
        } else {
            (&mut self.settled, &mut self.recent)
        };
        first.pop_front().or_else(|| second.pop_front())
    }
}

impl CachedProcess {
    /// True if this turn reads everything.
    fn is_due(&mut self) -> bool {
        let is_full_read = self.rereads.is_multiple_of(FULL_READ_EVERY);
        self.rereads = self.rereads.wrapping_add(1);
        is_full_read || reading::exec_changed(self.process.pid(), self.fingerprint)
    }
}

impl Processes {
    /// Returns the cached description of this very process, read at the first call and kept until [`retain`](Self::retain)
    /// drops it, even if the process has ended. `None` if it had ended before it was read, its pid was reused, or it is
    /// hidden.
    pub fn known(&mut self, id: ProcessId) -> Option<Arc<Process>> {
        if let Some(known) = self.cache.get(id) {
            return Some(Arc::clone(known));
        }
        let reading = read(id)?;
        let fingerprint = reading.fingerprint;
        let process = self.description(reading);
        self.cache.insert(&process, fingerprint);
        Some(process)
    }

    /// Rereads the next cached process, because an exec changes all but the identity; returns its description if it
    /// changed.
    ///
    /// Most turns cost one read of `/proc/PID/stat`, which shows an exec, a new name, parent or terminal; the first turn of
    /// a new or changed process and every fourth one read everything. So with N cached processes an exec is seen within N
    /// calls, a new user, directory or title within 4 N; twice that while others keep changing. Until then a row shows the
    /// old program, never another process. The exec of another user's process that keeps name, parent and terminal is seen
    /// like a new title. On other systems than Linux every turn reads everything.
    pub fn reread_next(&mut self) -> Option<Arc<Process>> {
        let id = self.cache.next()?;
        let changed = self.reread_if_due(id);
        // A changed one may have been read during an exec.
        let queue = match changed {
            Some(_) => &mut self.cache.recent,
            None => &mut self.cache.settled,
        };
        queue.push_back(id);
        changed
    }

    fn reread_if_due(&mut self, id: ProcessId) -> Option<Arc<Process>> {
        let is_due = self.cache.processes.get_mut(&id)?.is_due();
        is_due.then(|| self.reread(id)).flatten()
    }

    /// True if a single read shows that this cached process has executed another program, or has another name, parent or
    /// terminal.
    pub fn has_execed(&self, id: ProcessId) -> bool {
        let cached = self.cache.processes.get(&id);
        cached.is_some_and(|cached| reading::exec_changed(id.pid, cached.fingerprint))
    }

    /// Reads everything about this cached process again; returns its description if it changed.
    pub fn reread(&mut self, id: ProcessId) -> Option<Arc<Process>> {
        self.cache.processes.get(&id)?;
        // An exiting process has lost its arguments and executable; the cached description says more.
        let reading = read(id).filter(|found| !found.is_ending)?;
        let fingerprint = reading.fingerprint;
        let process = self.description(reading);
        let entry = self.cache.processes.get_mut(&id)?;
        entry.fingerprint = fingerprint;
        if entry.process == process {
            return None;
        }
        entry.process = Arc::clone(&process);
        entry.rereads = 0;
        Some(process)
    }

    /// Drops all processes but these.
    pub fn retain(&mut self, is_wanted: impl Fn(ProcessId) -> bool) {
        let cache = &mut self.cache;
        cache.processes.retain(|id, _| is_wanted(*id));
        cache.recent.retain(|id| cache.processes.contains_key(id));
        cache.settled.retain(|id| cache.processes.contains_key(id));
    }
}

fn read(id: ProcessId) -> Option<Reading> {
    let reading = reading::read(std::iter::once(id.pid)).pop();
    reading.filter(|found| found.process.id == id)
}

#[cfg(test)]
mod tests;
