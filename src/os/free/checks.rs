//! What must still be true at the moment a signal is sent, and the signal itself.

use super::process_handle::HandleError;
use super::signal_state::signal_state;
use super::target_handle::TargetHandle;
use crate::free::{KillRequest, Protected, SignalError, Target, protected};
use crate::model::process::{Pid, Process, ProcessState, Signal, StartTime};
use crate::model::snapshot::Snapshot;
use crate::model::socket::{EndpointId, Owners, Socket};
use crate::os::processes::pid_namespace;
use std::sync::Arc;

/// Verifies that every target is the process that was shown, still owns what it was shown to own, and may be signalled.
/// Returns failed targets; allowed only for repeat signals.
pub fn check_targets(
    request: &KillRequest,
    handles: &[TargetHandle],
    snapshot: &Snapshot,
    start_time: fn(Pid) -> Option<StartTime>,
) -> Result<Vec<SignalError>, SignalError> {
    let mut failed = Vec::new();
    for target in request.targets() {
        match check_target(request, target, handles, snapshot, start_time) {
            Ok(()) => {}
            Err(error) if request.is_repeated() => failed.push(error),
            Err(error) => return Err(error),
        }
    }
    Ok(failed)
}

fn check_target(
    request: &KillRequest,
    target: &Target,
    handles: &[TargetHandle],
    snapshot: &Snapshot,
    start_time: fn(Pid) -> Option<StartTime>,
) -> Result<(), SignalError> {
    let process = &target.process;
    check_not_protected(process, request.self_pids())?;
    let to_signal_error = |error| signal_error(process, error);
    let handle = handles.iter().find(|handle| handle.id() == target.id());
    let handle = handle.ok_or_else(|| to_signal_error(HandleError::Ended))?;
    handle.check(start_time).map_err(to_signal_error)?;
    check_still_owner(request, target, snapshot)?;
    handle.check_permission().map_err(to_signal_error)
}

/// Signals one target; true if SIGCONT was sent after it. A suspended process acts on no signal but SIGKILL before it is
/// resumed.
pub fn signal(
    handle: &TargetHandle,
    process: &Arc<Process>,
    signal: Signal,
) -> Result<bool, SignalError> {
    let is_suspended = signal_state(process.pid(), signal)
        .is_some_and(|state| state.process_state == Some(ProcessState::Suspended));
    handle
        .signal(signal)
        .map_err(|error| signal_error(process, error))?;
    // The signal was sent, so a failed SIGCONT is no error.
    Ok(is_suspended && signal.resumes() && handle.signal(Signal::Continue).is_ok())
}

/// Checks again: a confirmation is not trusted to have been checked.
fn check_not_protected(process: &Arc<Process>, self_pids: &[Pid]) -> Result<(), SignalError> {
    let reason = if pid_namespace::own_pid() == Some(process.pid()) {
        Some(Protected::SelfPid)
    } else {
        protected(process, self_pids)
    };
    reason.map_or(Ok(()), |reason| {
        Err(SignalError::Protected(Arc::clone(process), reason))
    })
}

/// Verifies that the target still owns one of its sockets. A target that was no owner (a parent, a member of the group) is
/// stopped only for the owners it was shown with, so one of them must still own one of the sockets; the error names them.
fn check_still_owner(
    request: &KillRequest,
    target: &Target,
    snapshot: &Snapshot,
) -> Result<(), SignalError> {
    let process = &target.process;
    let shown: Vec<EndpointId> = if target.is_owner() {
        target.sockets.clone()
    } else {
        request.sockets().iter().map(|socket| socket.id).collect()
    };
    let is_expected = |owner: &Arc<Process>| {
        if target.is_owner() {
            owner.id == process.id
        } else {
            request.owners().iter().any(|shown| shown.id == owner.id)
        }
    };
    let open: Vec<&Socket> = snapshot
        .sockets
        .iter()
        .filter(|socket| shown.contains(&socket.id))
        .collect();
    if open
        .iter()
        .any(|socket| socket.owners.known().iter().any(is_expected))
    {
        return Ok(());
    }
    let mut problems = snapshot.problems.iter().filter(|_| open.is_empty());
    let unread = problems.find(|problem| problem.protocol == request.port().protocol);
    let process = Arc::clone(process);
    Err(match unread {
        Some(problem) => SignalError::TablesUnread(problem.clone()),
        None if open
            .iter()
            .any(|socket| socket.owners == Owners::NoPermission) =>
        {
            SignalError::OwnerHidden(process)
        }
        None if target.is_owner() => SignalError::NotAnOwner(process),
        None => SignalError::NotAnOwner(request.owners().first().cloned().unwrap_or(process)),
    })
}

fn signal_error(process: &Arc<Process>, error: HandleError) -> SignalError {
    let process = Arc::clone(process);
    match error {
        HandleError::Ended => SignalError::AlreadyExited(process),
        HandleError::Reused => SignalError::PidReused(process),
        HandleError::NotPermitted => SignalError::NotPermitted(process),
        HandleError::Failed(reason) => SignalError::Failed(process, reason),
    }
}
