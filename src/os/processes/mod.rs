//! Describes processes by their pids, and tells who descends from whom and who uses how much.
//!
//! A description must belong to the very process it names, and one of a process that ended or was replaced while it was
//! read is left out. Only the processes asked for are read, never all.

use crate::model::process::{Pid, Process, ProcessId};
use crate::model::stats::ProcessUsage;
use crate::model::text::SystemText;
use crate::os::users::UserNames;
use process_cache::ProcessCache;
use reading::Reading;
use std::collections::{HashMap, HashSet};
use std::sync::Arc;

mod access;
mod process_cache;
mod process_tree;
mod reading;
pub mod start_time;

pub use process_tree::self_pids;

/// What is known of processes, so that one that did not change stays the very same value.
#[derive(Default)]
pub struct Processes {
    /// Those that were described last.
    described: HashMap<ProcessId, Arc<Process>>,
    cache: ProcessCache,
    users: UserNames,
}

impl Processes {
    pub fn new() -> Self {
        Self::default()
    }

    /// The name of a user, where the system has one.
    pub fn user(&mut self, uid: u32) -> Option<SystemText> {
        self.users.name(uid)
    }

    /// Describes these processes as they are now; those that ended or may not be seen are absent.
    ///
    /// Name, arguments, executable and directory are read anew each time, because an exec changes them all under the same
    /// identity; one in the midst of the call may be seen half, until the next call. While nothing changed the same `Arc` is
    /// returned, which makes the tracker's comparison cheap. What [`known`](Self::known) tells stays as it is.
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

    /// What these processes have used so far; those that ended or may not be asked are absent.
    pub fn usage(&mut self, of: &[ProcessId]) -> Vec<ProcessUsage> {
        reading::usage(of)
    }

    fn description(&mut self, reading: Reading) -> Arc<Process> {
        let process = self.with_user_name(reading.process);
        let described = self.described.get(&process.id);
        let same = [described, self.cache.get(process.id)]
            .into_iter()
            .flatten()
            .find(|known| ***known == process);
        same.map_or_else(|| Arc::new(process.clone()), Arc::clone)
    }

    fn with_user_name(&mut self, process: Process) -> Process {
        Process {
            user: process.uid.and_then(|uid| self.users.name(uid)),
            ..process
        }
    }
}

/// The user this program works for: under sudo the one who called it.
#[cfg(unix)]
pub fn invoking_uid() -> Option<u32> {
    let own = rustix::process::geteuid().as_raw();
    let caller = std::env::var("SUDO_UID").ok();
    caller
        .filter(|_| own == 0)
        .and_then(|uid| uid.parse().ok())
        .or(Some(own))
}

/// The user this program works for, numbered as those of processes are.
#[cfg(windows)]
pub fn invoking_uid() -> Option<u32> {
    let own = Pid(std::process::id());
    reading::read(std::iter::once(own))
        .remove(&own)?
        .process
        .uid
}

#[cfg(test)]
#[cfg(target_os = "linux")]
mod tests;
