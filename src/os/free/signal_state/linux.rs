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
        let threads = live_threads(pid);
        return blocked_by_threads(threads.as_deref(), signal);
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

/// Returns which threads block a signal that the first one blocks; every one only if all were read.
fn blocked_by_threads(threads: Option<&[Status]>, signal: Signal) -> BlockedBy {
    let threads = threads.filter(|threads| !threads.is_empty());
    let Some(threads) = threads else {
        return BlockedBy::Unknown;
    };
    let mut threads = threads.iter();
    if threads.all(|thread| thread.has_signal("SigBlk", signal)) {
        BlockedBy::Every
    } else {
        BlockedBy::First
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_threads_that_were_read_block_a_signal() {
        let with_mask =
            |mask: u64| Status::of_text(&format!("State:\tS (sleeping)\nSigBlk:\t{mask:016x}\n"));
        let bit = Signal::Terminate.bit();
        let cases = [
            (None, BlockedBy::Unknown),
            (Some(vec![]), BlockedBy::Unknown),
            (Some(vec![bit]), BlockedBy::Every),
            (Some(vec![bit, bit]), BlockedBy::Every),
            (Some(vec![bit, 0]), BlockedBy::First),
        ];
        for (masks, expected) in cases {
            let threads = masks.as_ref().map(|masks| {
                masks
                    .iter()
                    .map(|mask| with_mask(*mask))
                    .collect::<Vec<_>>()
            });
            let found = blocked_by_threads(threads.as_deref(), Signal::Terminate);
            assert_eq!(found, expected, "{masks:?}");
        }
    }
}
