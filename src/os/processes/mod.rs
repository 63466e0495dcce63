//! Describes processes by their pids: what they are, their process trees, and what they use.
//!
//! A description must be of the very process it names; one of a process that ended or was replaced while it was read is
//! left out. Only the requested processes are read, never all.

use crate::model::process::{Pid, Process, ProcessId};
use crate::model::text::SystemText;
use process_cache::ProcessCache;
use reading::Reading;
use std::collections::{HashMap, HashSet};
use std::sync::Arc;

#[cfg_attr(target_os = "linux", path = "access/linux.rs")]
#[cfg_attr(target_os = "macos", path = "access/macos.rs")]
#[cfg_attr(windows, path = "access/windows.rs")]
pub mod access;
pub mod activity;
pub mod pid_namespace;
mod process_cache;
mod process_tree;
mod reading;
pub mod run_state;
pub mod stat;
#[cfg_attr(unix, path = "users/unix.rs")]
#[cfg_attr(windows, path = "users/windows.rs")]
mod users;

pub use process_tree::{process_trees, self_pids};
pub use reading::usage;
pub use users::{invoking_uid, is_root};

/// Returns how many processes have this name.
pub fn count_named(name: &str) -> usize {
    let stats = reading::all_stats().into_values();
    let names = stats.filter_map(|stat| stat.name);
    names.filter(|found| found.raw() == name).count()
}

/// Descriptions of processes, kept so that an unchanged process stays the same `Arc`.
#[derive(Default)]
pub struct Processes {
    /// The result of the last [`describe`](Self::describe).
    described: HashMap<Pid, Arc<Process>>,
    cache: ProcessCache,
    users: HashMap<u32, Option<SystemText>>,
}

impl Processes {
    /// Returns the name of a user, looked up once, because a directory service behind it may be slow; `None` where the system
    /// has none.
    pub fn user(&mut self, uid: u32) -> Option<SystemText> {
        let name = self.users.entry(uid);
        name.or_insert_with(|| users::look_up(uid)).clone()
    }

    /// Describes these processes as they are now; those that ended or are hidden are absent.
    ///
    /// Everything is read again each time, because an exec changes all but the identity; one during the call may be seen
    /// half, until the next call. An unchanged process is the same `Arc`, which makes the tracker's comparison cheap. What
    /// [`known`](Self::known) returns does not change.
    pub fn describe(&mut self, pids: &HashSet<Pid>) -> HashMap<Pid, Arc<Process>> {
        let readings = reading::read(pids.iter().copied()).into_iter();
        let processes = readings.map(|reading| self.description(reading));
        let described: HashMap<_, _> = processes.map(|one| (one.pid(), one)).collect();
        self.described.clone_from(&described);
        described
    }

    /// Describes these very processes as they are now; those that ended or are hidden are absent.
    pub fn describe_known(&mut self, ids: &[ProcessId]) -> Vec<Arc<Process>> {
        let described = self.describe(&ids.iter().map(|id| id.pid).collect());
        let described = ids
            .iter()
            .filter_map(|id| described.get(&id.pid).filter(|one| one.id == *id));
        described.cloned().collect()
    }

    fn description(&mut self, reading: Reading) -> Arc<Process> {
        let mut process = reading.process;
        process.user = process.uid.and_then(|uid| self.user(uid));
        let known = [
            self.described.get(&process.pid()),
            self.cache.get(process.id),
        ];
        let same = known.into_iter().flatten().find(|one| ***one == process);
        same.cloned().unwrap_or_else(|| Arc::new(process))
    }
}

#[cfg(test)]
mod tests;
