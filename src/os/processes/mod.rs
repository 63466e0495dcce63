//! Describes processes by their pids: what they are, their process trees, and what they use.
//!
//! A description must be of the very process it names; one of a process that ended or was replaced while it was read is
//! left out. Only the requested processes are read, never all.

use crate::model::inspection::ProcessTree;
use crate::model::ports::Port;
use crate::model::process::{Pid, Process, ProcessId};
use crate::model::stats::ProcessUsage;
use crate::model::text::SystemText;
use process_cache::ProcessCache;
use reading::Reading;
use std::collections::{HashMap, HashSet};
use std::sync::Arc;
use users::UserNames;

mod access;
pub mod pid_namespace;
mod process_cache;
mod process_tree;
mod reading;
pub mod start_time;
mod users;

pub use process_tree::self_pids;
pub use users::{invoking_uid, is_root};

/// Descriptions of processes, kept so that an unchanged process stays the same `Arc`.
#[derive(Default)]
pub struct Processes {
    /// The result of the last [`describe`](Self::describe).
    described: HashMap<ProcessId, Arc<Process>>,
    cache: ProcessCache,
    users: UserNames,
}

impl Processes {
    pub fn new() -> Self {
        Self::default()
    }

    /// Returns the name of a user, `None` where the system has none.
    pub fn user(&mut self, uid: u32) -> Option<SystemText> {
        self.users.name(uid)
    }

    /// Describes these processes as they are now; those that ended or are hidden are absent.
    ///
    /// Everything is read again each time, because an exec changes all but the identity; one during the call may be seen
    /// half, until the next call. An unchanged process is the same `Arc`, which makes the tracker's comparison cheap. What
    /// [`known`](Self::known) returns does not change.
    pub fn describe(&mut self, pids: &HashSet<Pid>) -> HashMap<Pid, Arc<Process>> {
        let readings = reading::read(pids.iter().copied());
        let described: HashMap<Pid, Arc<Process>> = readings
            .into_iter()
            .map(|(pid, reading)| (pid, self.description(reading)))
            .collect();
        self.described = described
            .values()
            .map(|process| (process.id, Arc::clone(process)))
            .collect();
        described
    }

    /// Returns what these processes have used so far; those that ended or are hidden are absent.
    pub fn usage(&mut self, of: &[ProcessId]) -> Vec<ProcessUsage> {
        reading::usage(of)
    }

    /// Returns the process tree of each of these processes that still is the same. `port` is the port that each was asked
    /// about.
    pub fn process_trees(
        &mut self,
        of: &[ProcessId],
        port: impl Fn(ProcessId) -> Option<Port>,
    ) -> Vec<ProcessTree> {
        process_tree::process_trees(self, of, port)
    }

    fn description(&mut self, reading: Reading) -> Arc<Process> {
        let mut process = reading.process;
        process.user = process.uid.and_then(|uid| self.users.name(uid));
        let described = self.described.get(&process.id);
        let same = [described, self.cache.get(process.id)]
            .into_iter()
            .flatten()
            .find(|known| ***known == process);
        same.map_or_else(|| Arc::new(process.clone()), Arc::clone)
    }
}

#[cfg(test)]
mod tests;
