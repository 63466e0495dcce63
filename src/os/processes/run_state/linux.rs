//! The state letters of the threads, and the freezer of the control group.

use super::cgroup_mounts::CgroupMounts;
use super::freezer;
use super::status::{Status, live_threads};
use crate::model::process::{Pid, ProcessId, ProcessState, RunState};
use crate::os::processes::stat;
use std::collections::BTreeSet;

/// Returns the state of this very process; `None` if it simply runs or has ended.
pub fn process_state(id: ProcessId) -> Option<ProcessState> {
    state_among(id, &CgroupMounts::read())
}

/// Returns the run states of these very processes that have one.
pub fn run_states(of: BTreeSet<ProcessId>) -> Vec<RunState> {
    let mounts = CgroupMounts::read();
    let states = of.into_iter().map(|id| run_state(id, &mounts));
    states.filter(|one| !one.is_plain()).collect()
}

fn run_state(id: ProcessId, mounts: &CgroupMounts) -> RunState {
    let status = Status::of(id.pid);
    let status = status.filter(|_| stat::process_id(id.pid) == Some(id));
    RunState {
        process: id,
        state: state_among(id, mounts),
        tracer: status.as_ref().and_then(Status::tracer),
        is_namespace_init: status.is_some_and(|status| status.is_namespace_init()),
        ..RunState::plain(id)
    }
}

fn state_among(id: ProcessId, mounts: &CgroupMounts) -> Option<ProcessState> {
    let stat = stat::read(id.pid).filter(|stat| stat.start == id.start)?;
    let state = of_threads(id.pid, ProcessState::of(stat.state?));
    if state != Some(ProcessState::Zombie) && freezer::is_frozen(id.pid, mounts) {
        return Some(ProcessState::Frozen);
    }
    state
}

/// Returns the state of a process by that of its first thread. Where the first has exited the others may run on, which
/// proc_pid_stat(5) shows as Z: then their own states count.
pub fn of_threads(pid: Pid, first: Option<ProcessState>) -> Option<ProcessState> {
    if first != Some(ProcessState::Zombie) {
        return first;
    }
    let threads = live_threads(pid).unwrap_or_default();
    if threads.is_empty() {
        return first;
    }
    let mut states = threads
        .iter()
        .map(|thread| ProcessState::of(thread.state()?));
    states.find(Option::is_some).flatten()
}
