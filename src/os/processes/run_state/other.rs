//! The state that one read shows; this system has neither control groups nor PID namespaces.

use crate::model::process::{Pid, ProcessId, ProcessState};
use crate::os::processes::stat;

/// Returns the state of this very process; `None` if it has ended or the system does not report it.
pub fn process_state(id: ProcessId) -> Option<ProcessState> {
    let stat = stat::read(id.pid).filter(|stat| stat.start == id.start)?;
    ProcessState::of(stat.state?)
}

pub fn is_namespace_init(_pid: Pid) -> bool {
    false
}
