//! The state that one read shows; this system has neither control groups nor PID namespaces.

use crate::model::process::{ProcessId, ProcessState, RunState};
use crate::os::processes::stat;
use std::collections::BTreeSet;

/// Returns the state of this very process; `None` if it has ended or the system does not report it.
pub fn process_state(id: ProcessId) -> Option<ProcessState> {
    let stat = stat::read(id.pid).filter(|stat| stat.start == id.start)?;
    ProcessState::of(stat.state?)
}

/// Returns the run states of these very processes that have one.
pub fn run_states(of: BTreeSet<ProcessId>) -> Vec<RunState> {
    let states = of.into_iter().map(|process| RunState {
        state: process_state(process),
        ..RunState::plain(process)
    });
    states.filter(|one| !one.is_plain()).collect()
}
