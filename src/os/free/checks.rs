//! What must still be true at the moment a signal is sent, and the signal itself.

use super::process_handle::{HandleError, ProcessHandle};
use super::signal_state::signal_state;
use super::target_handle::{TargetHandle, TargetHandles};
use crate::free::{KillRequest, Protected, SignalError, SignalState, Target, protected};
use crate::model::port::Port;
use crate::model::process::{CandidateChange, Pid, Process, ProcessId, ProcessState, Signal};
use crate::model::snapshot::Snapshot;
use crate::model::socket::{Owners, Socket};
use crate::os::candidates;
use crate::os::processes::pid_namespace;
use std::collections::HashMap;
use std::sync::Arc;

/// Verifies that every target is the process that was shown, still owns what it was shown to own, and may be signaled.
/// Returns the targets that failed, of which only a repeated request may have some. `described` are the targets as they are
/// now.
pub fn check_targets(
    request: &KillRequest,
    handles: &TargetHandles,
    snapshot: &Snapshot,
    described: &[Arc<Process>],
    is_left_over: fn(&Process, Port) -> bool,
) -> Result<HashMap<ProcessId, SignalError>, SignalError> {
    let mut failed = HashMap::new();
    for target in request.targets() {
        let left_over = || is_left_over(&target.process, request.port());
        let checked = check_not_protected(&target.process, request.self_pids(), left_over)
            .and_then(|()| check_target(request, target, handles, snapshot))
            .and_then(|()| check_same_program(target, described));
        match checked {
            Ok(()) => {}
            Err(error) if request.is_repeated() => drop(failed.insert(target.id(), error)),
            Err(error) => return Err(error),
        }
    }
    Ok(failed)
}

fn check_target(
    request: &KillRequest,
    target: &Target,
    handles: &TargetHandles,
    snapshot: &Snapshot,
) -> Result<(), SignalError> {
    let to_signal_error = |error| signal_error(&target.process, error);
    let handle = handle_of(target, handles)?;
    handle.check().map_err(to_signal_error)?;
    if target.is_candidate() {
        check_still_candidate(request, target, snapshot)?;
    } else {
        check_still_owner(request, target, snapshot)?;
    }
    let permission = handle.process().and_then(ProcessHandle::check_permission);
    permission.map_err(to_signal_error)
}

/// An exec keeps the identity and the sockets, but the program that was shown is gone. The kernel hides the addresses that
/// tell an exec of a candidate, so nothing that was shown of it may have changed. Fails where it cannot be told.
fn check_same_program(target: &Target, described: &[Arc<Process>]) -> Result<(), SignalError> {
    let process = &target.process;
    let is_same = |now: &Process| {
        let is_unchanged = (&now.name, &now.command) == (&process.name, &process.command);
        process.is_same_program(now) && (is_unchanged || !target.is_candidate())
    };
    let mut described = described.iter();
    match described.find(|now| now.id == process.id) {
        Some(now) if !is_same(now) => Err(SignalError::ProgramChanged(
            Arc::clone(process),
            Arc::clone(now),
        )),
        Some(_) => Ok(()),
        None => Err(SignalError::Failed(
            Arc::clone(process),
            "it could not be read again".to_owned(),
        )),
    }
}

/// A signal that was sent.
#[derive(Clone, Copy, Debug)]
pub struct SentSignal {
    /// How the process handled it just before.
    pub state: Option<SignalState>,
    /// True if SIGCONT was sent after it. A suspended process acts on no signal but SIGKILL before it is resumed.
    pub is_resumed: bool,
}

/// Signals one target.
pub fn signal(
    target: &Target,
    signal: Signal,
    handles: &TargetHandles,
) -> Result<SentSignal, SignalError> {
    let to_signal_error = |error| signal_error(&target.process, error);
    let process = handle_of(target, handles)?.process();
    let process = process.map_err(to_signal_error)?;
    let state = signal_state(target.process.pid(), signal);
    let is_suspended =
        state.is_some_and(|state| state.process_state == Some(ProcessState::Suspended));
    process.signal(signal).map_err(to_signal_error)?;
    Ok(SentSignal {
        state,
        // The signal was sent, so a failed SIGCONT is no error.
        is_resumed: is_suspended && signal.resumes() && process.signal(Signal::Continue).is_ok(),
    })
}

fn handle_of<'a>(
    target: &Target,
    handles: &'a TargetHandles,
) -> Result<&'a TargetHandle, SignalError> {
    let handle = handles.get(&target.id());
    handle.ok_or_else(|| SignalError::AlreadyExited(Arc::clone(&target.process)))
}

/// Checks again: a confirmation is not trusted to have been checked. The engine of a port proxy is asked again too, since a
/// container may have been started.
fn check_not_protected(
    process: &Arc<Process>,
    self_pids: &[Pid],
    is_left_over: impl FnOnce() -> bool,
) -> Result<(), SignalError> {
    let is_self = pid_namespace::own_pid() == Some(process.pid());
    let reason = is_self.then_some(Protected::SelfPid);
    match reason.or_else(|| protected(process, self_pids)) {
        Some(Protected::ContainerPortProxy) if is_left_over() => Ok(()),
        Some(reason) => Err(SignalError::Protected(Arc::clone(process), reason)),
        None => Ok(()),
    }
}

/// Verifies that the target still owns one of its sockets. A target that was no owner (a parent, a member of the group) is
/// stopped only for the owners it was shown with, so one of them must still own one of the sockets; the error names them.
fn check_still_owner(
    request: &KillRequest,
    target: &Target,
    snapshot: &Snapshot,
) -> Result<(), SignalError> {
    let is_shown = |socket: &&Socket| {
        if target.is_owner() {
            target.sockets.contains(&socket.id)
        } else {
            request.sockets().iter().any(|shown| shown.id == socket.id)
        }
    };
    let is_expected = |owner: &Arc<Process>| {
        if target.is_owner() {
            owner.id == target.id()
        } else {
            request.has_owner(owner.id)
        }
    };
    let open: Vec<&Socket> = snapshot.sockets.iter().filter(is_shown).collect();
    let mut owners = open.iter().flat_map(|socket| socket.owners.known());
    if owners.any(is_expected) {
        return Ok(());
    }
    let mut problems = snapshot.problems.iter();
    let unread = problems.find(|problem| problem.protocol == request.port().protocol);
    let mut owners = open.iter().map(|socket| &socket.owners);
    let process = Arc::clone(&target.process);
    Err(match unread {
        Some(problem) if open.is_empty() => SignalError::TablesUnread(problem.clone()),
        _ if let Some(not_found) = owners.find_map(Owners::not_found) => {
            SignalError::OwnerNotFound(process, not_found.clone())
        }
        _ if target.is_owner() => SignalError::NotAnOwner(process),
        _ => SignalError::NotAnOwner(request.owners().first().cloned().unwrap_or(process)),
    })
}

/// Verifies that the owner of one of its sockets still is unknown, and that the target is the program that was shown, with the
/// user and the control group of the socket. If it turned out to be the owner, that is proof enough.
fn check_still_candidate(
    request: &KillRequest,
    target: &Target,
    snapshot: &Snapshot,
) -> Result<(), SignalError> {
    let changed = |why| SignalError::NotACandidate(Arc::clone(&target.process), why);
    let sockets = snapshot.sockets.iter();
    let open: Vec<&Socket> = sockets
        .filter(|socket| target.sockets.contains(&socket.id))
        .collect();
    let mut owners = open.iter().flat_map(|socket| socket.owners.known());
    if owners.any(|owner| owner.id == target.id()) {
        return Ok(());
    }
    let mut problems = snapshot.problems.iter();
    let unread = problems.find(|problem| problem.protocol == request.port().protocol);
    if open.is_empty() {
        let closed = changed(CandidateChange::SocketClosed);
        return Err(unread.map_or(closed, |problem| SignalError::TablesUnread(problem.clone())));
    }
    if open.iter().all(|socket| !socket.owners.known().is_empty()) {
        return Err(changed(CandidateChange::OwnerFound));
    }
    let mut origins = target.origins.iter();
    origins.try_for_each(|origin| candidates::verify(target.id().pid, *origin).map_err(changed))
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
