//! What must still be true in the moment a signal goes out, and the signal itself.

use super::signal_state::signal_state;
use super::target_handle::{HandleError, TargetHandle};
use crate::free::{KillRequest, Protected, Signal, SignalError, Target, protected};
use crate::model::endpoint::{EndpointId, Owners, Socket};
use crate::model::process::{Pid, Process, ProcessState, StartTime};
use crate::model::snapshot::Snapshot;
use crate::os::pids;
use std::sync::Arc;

/// Makes sure that every target is the process that was shown, holds what it was shown to hold, and may be ended. Gives
/// those that are not, which only what follows an earlier order may have.
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
    let handle = handles.iter().find(|handle| handle.id() == target.id());
    let handle = handle.ok_or_else(|| signal_error(process, HandleError::Ended))?;
    let to_signal_error = |lost| signal_error(process, lost);
    handle.check(start_time).map_err(to_signal_error)?;
    check_still_owner(request, target, snapshot)?;
    handle.check_permission().map_err(to_signal_error)
}

/// The signal that was confirmed and nothing else, or with a SIGCONT for a process that could not act on it.
pub enum Delivery {
    Signal,
    SignalAndContinue,
}

/// Signals one target. A stopped process acts on no signal but SIGKILL before it is resumed.
pub fn signal(
    handle: &TargetHandle,
    process: &Arc<Process>,
    signal: Signal,
) -> Result<Delivery, SignalError> {
    let is_stopped = signal_state(process.pid(), signal)
        .is_some_and(|state| state.process_state == Some(ProcessState::Suspended));
    let to_signal_error = |lost| signal_error(process, lost);
    handle.signal(signal).map_err(to_signal_error)?;
    // Where it cannot be resumed the signal has gone out nevertheless.
    let is_woken = is_stopped && signal.resumes() && handle.signal(Signal::Continue).is_ok();
    Ok(if is_woken {
        Delivery::SignalAndContinue
    } else {
        Delivery::Signal
    })
}

/// The refusals once more: what was confirmed is not trusted to have been checked.
fn check_not_protected(process: &Arc<Process>, self_pids: &[Pid]) -> Result<(), SignalError> {
    let why = if pids::own() == Some(process.pid()) {
        Some(Protected::Itself)
    } else {
        protected(process, self_pids)
    };
    why.map_or(Ok(()), |why| {
        Err(SignalError::Protected(Arc::clone(process), why))
    })
}

/// Whether the target still holds what it was shown to hold; of one that holds nothing, whether somebody whom it was shown
/// with still does, for it is to end for nothing but that; then it is those who are said to have let go.
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
    let is_meant = |owner: &Arc<Process>| {
        if target.is_owner() {
            owner.id == process.id
        } else {
            request.owners().iter().any(|holder| holder.id == owner.id)
        }
    };
    let there = snapshot.sockets.iter();
    let there: Vec<&Socket> = there.filter(|socket| shown.contains(&socket.id)).collect();
    if there
        .iter()
        .any(|one| one.owners.known().iter().any(is_meant))
    {
        return Ok(());
    }
    let problems = snapshot.problems.iter();
    let unread = problems
        .filter(|_| there.is_empty())
        .find(|problem| problem.protocol == request.protocol());
    let process = Arc::clone(process);
    Err(match unread {
        Some(problem) => SignalError::TablesUnread(problem.to_string()),
        None if there.iter().any(|one| one.owners == Owners::NoPermission) => {
            let reason = "who holds the socket may not be seen any more".to_owned();
            SignalError::Failed(process, reason)
        }
        None if target.is_owner() => SignalError::NotAnOwner(process),
        None => SignalError::NotAnOwner(request.owners().first().cloned().unwrap_or(process)),
    })
}

fn signal_error(process: &Arc<Process>, lost: HandleError) -> SignalError {
    let process = Arc::clone(process);
    match lost {
        HandleError::Ended => SignalError::AlreadyExited(process),
        HandleError::Reused => SignalError::PidReused(process),
        HandleError::NotPermitted => SignalError::NotPermitted(process),
        HandleError::Failed(reason) => SignalError::Failed(process, reason),
    }
}
