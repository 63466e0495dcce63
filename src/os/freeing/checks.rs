//! What must still be true in the moment a signal goes out, and the signal itself.

use super::conduct::conduct;
use super::handle::{Handle, Lost};
use crate::model::endpoint::{EndpointId, Owners, Socket};
use crate::model::freeing::{Hindrance, Order, Refusal, Signal, Target, refusal};
use crate::model::process::{Condition, Pid, Process, StartTime};
use crate::model::snapshot::Snapshot;
use crate::os::pids;
use std::sync::Arc;

/// Makes sure that every target is the process that was shown, holds what it was shown to hold, and may be ended. Gives
/// those that are not, which only what follows an earlier order may have.
pub fn all(
    order: &Order,
    handles: &[Handle],
    snapshot: &Snapshot,
    start_time: fn(Pid) -> Option<StartTime>,
) -> Result<Vec<Hindrance>, Hindrance> {
    let mut hindered = Vec::new();
    for target in order.targets() {
        match one(order, target, handles, snapshot, start_time) {
            Ok(()) => {}
            Err(hindrance) if order.is_repeated() => hindered.push(hindrance),
            Err(hindrance) => return Err(hindrance),
        }
    }
    Ok(hindered)
}

fn one(
    order: &Order,
    target: &Target,
    handles: &[Handle],
    snapshot: &Snapshot,
    start_time: fn(Pid) -> Option<StartTime>,
) -> Result<(), Hindrance> {
    let process = &target.process;
    never_ended(process, order.lineage())?;
    let handle = handles.iter().find(|handle| handle.id() == target.id());
    let handle = handle.ok_or_else(|| hindrance(process, Lost::Ended))?;
    let lost = |lost| hindrance(process, lost);
    handle.check(start_time).map_err(lost)?;
    still_holds(order, target, snapshot)?;
    handle.permits().map_err(lost)
}

/// The signal that was confirmed and nothing else, or with a SIGCONT for a process that could not act on it.
pub enum Given {
    Signal,
    SignalAndContinue,
}

/// Signals one target. A stopped process acts on no signal but SIGKILL before it is woken.
pub fn signal(handle: &Handle, process: &Arc<Process>, signal: Signal) -> Result<Given, Hindrance> {
    let is_stopped = conduct(process.pid(), signal)
        .is_some_and(|conduct| conduct.condition == Some(Condition::Stopped));
    let lost = |lost| hindrance(process, lost);
    handle.signal(signal).map_err(lost)?;
    // Where it cannot be woken the signal has gone out nevertheless.
    let is_woken = is_stopped && signal.wakes() && handle.signal(Signal::Continue).is_ok();
    Ok(if is_woken {
        Given::SignalAndContinue
    } else {
        Given::Signal
    })
}

/// The refusals once more: what was confirmed is not trusted to have been checked.
fn never_ended(process: &Arc<Process>, lineage: &[Pid]) -> Result<(), Hindrance> {
    let why = if pids::own() == Some(process.pid()) {
        Some(Refusal::Itself)
    } else {
        refusal(process, lineage)
    };
    why.map_or(Ok(()), |why| {
        Err(Hindrance::Refused(Arc::clone(process), why))
    })
}

/// Whether the target still holds what it was shown to hold; of one that holds nothing, whether somebody whom it was shown
/// with still does, for it is to end for nothing but that; then it is those who are said to have let go.
fn still_holds(order: &Order, target: &Target, snapshot: &Snapshot) -> Result<(), Hindrance> {
    let process = &target.process;
    let shown: Vec<EndpointId> = if target.is_holder() {
        target.sockets.clone()
    } else {
        order.sockets().iter().map(|socket| socket.id).collect()
    };
    let is_meant = |owner: &Arc<Process>| {
        if target.is_holder() {
            owner.id == process.id
        } else {
            order.holders().iter().any(|holder| holder.id == owner.id)
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
        .find(|problem| problem.protocol == order.protocol());
    let process = Arc::clone(process);
    Err(match unread {
        Some(problem) => Hindrance::Blind(problem.to_string()),
        None if there.iter().any(|one| one.owners == Owners::Hidden) => {
            let reason = "who holds the socket may not be seen any more".to_owned();
            Hindrance::Failed(process, reason)
        }
        None if target.is_holder() => Hindrance::LetGo(process),
        None => Hindrance::LetGo(order.holders().first().cloned().unwrap_or(process)),
    })
}

fn hindrance(process: &Arc<Process>, lost: Lost) -> Hindrance {
    let process = Arc::clone(process);
    match lost {
        Lost::Ended => Hindrance::EndedMeanwhile(process),
        Lost::Reused => Hindrance::PidReused(process),
        Lost::NotPermitted => Hindrance::NotPermitted(process),
        Lost::Failed(reason) => Hindrance::Failed(process, reason),
    }
}
