//! The state letters of the threads, and the freezer of the control group.

use super::freezer;
use super::status::{Status, live_threads};
use crate::model::process::{Pid, ProcessId, ProcessState};
use crate::os::processes::stat;

/// Returns the state of this very process; `None` if it simply runs or has ended.
pub fn process_state(id: ProcessId) -> Option<ProcessState> {
    let stat = stat::read(id.pid).filter(|stat| stat.start == id.start)?;
    let state = of_threads(id.pid, ProcessState::of(stat.state?));
    if state != Some(ProcessState::Zombie) && freezer::is_frozen(id.pid) {
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
    let threads = live_threads(pid);
    if threads.is_empty() {
        return first;
    }
    let mut states = threads
        .iter()
        .map(|thread| ProcessState::of(thread.state()?));
    states.find(Option::is_some).flatten()
}

/// True if it is the first process of another PID namespace than that of `/proc`.
pub fn is_namespace_init(pid: Pid) -> bool {
    Status::of(pid).is_some_and(|status| status.is_namespace_init())
}
