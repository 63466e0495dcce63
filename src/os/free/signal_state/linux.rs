//! `/proc/PID/status` (proc_pid_status(5)), and that of the threads where the first one's does not decide.

use crate::free::{BlockedBy, SignalDisposition, SignalState};
use crate::model::process::{Pid, ProcessState, Signal};
use crate::os::processes::run_state::cgroup_mounts::CgroupMounts;
use crate::os::processes::run_state::freezer::is_frozen;
use crate::os::processes::run_state::status::{Status, live_threads};
use crate::os::processes::run_state::system::of_threads;
use std::fs;

/// Returns `None` if it cannot be read: the process has ended.
pub fn signal_state(pid: Pid, signal: Signal) -> Option<SignalState> {
    let first = Status::of(pid)?;
    let state = SignalState {
        disposition: disposition(&first, signal),
        blocked_by: BlockedBy::NotFirst,
        is_pending: first.has_signal("SigPnd", signal) || first.has_signal("ShdPnd", signal),
        tracer: first.tracer(),
        process_state: ProcessState::of(first.state()?),
    };
    Some(SignalState {
        blocked_by: blocked_by(pid, &first, state, signal),
        process_state: process_state(pid, state),
        ..state
    })
}

fn disposition(first: &Status, signal: Signal) -> SignalDisposition {
    if first.has_signal("SigIgn", signal) {
        SignalDisposition::Ignored
    } else if first.has_signal("SigCgt", signal) {
        SignalDisposition::Caught
    } else if signal.bit() != 0 && first.is_namespace_init() {
        SignalDisposition::DefaultOfInit
    } else {
        SignalDisposition::Default
    }
}

fn blocked_by(pid: Pid, first: &Status, state: SignalState, signal: Signal) -> BlockedBy {
    if first.has_signal("SigBlk", signal) {
        let mut threads = live_threads(pid).into_iter();
        let is_every = threads.all(|thread| thread.has_signal("SigBlk", signal));
        return if is_every {
            BlockedBy::Every
        } else {
            BlockedBy::First
        };
    }
    // Asked only of a signal that otherwise counts as dropped, since the file takes a permission of its own.
    if !state.is_dropped() || first.state() == Some('R') {
        return BlockedBy::NotFirst;
    }
    match (sleeping_in(pid).as_deref(), state.disposition) {
        (Some(function), _) if function.contains("sigtimedwait") => BlockedBy::Unknown,
        (None, SignalDisposition::DefaultOfInit) => BlockedBy::Unknown,
        _ => BlockedBy::NotFirst,
    }
}

/// Returns the function of the kernel in which the first thread sleeps (proc_pid_wchan(5)); `None` if that is unknown.
fn sleeping_in(pid: Pid) -> Option<String> {
    let function = fs::read_to_string(format!("/proc/{pid}/wchan")).ok()?;
    (function != "0").then_some(function)
}

/// Returns the state of the process; whether it is frozen is asked only where it may be what keeps it from acting.
fn process_state(pid: Pid, state: SignalState) -> Option<ProcessState> {
    let own = of_threads(pid, state.process_state);
    let may_be_frozen = state.is_pending || own.is_some_and(|own| own != ProcessState::Zombie);
    if may_be_frozen && is_frozen(pid, &CgroupMounts::read()) {
        Some(ProcessState::Frozen)
    } else {
        own
    }
}
