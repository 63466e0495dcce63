//! What must still be true in the moment a signal goes out, and the signal itself.

use super::conduct::conduct;
use super::handle::{Handle, Lost};
use crate::model::endpoint::{Owners, Socket};
use crate::model::freeing::{Hindrance, Order, Refusal, RunState, Signal, Target, refusal};
use crate::model::process::{Pid, Process, StartTime};
use crate::model::snapshot::Snapshot;
use std::sync::Arc;

/// Makes sure that every target is the process that was shown, holds what it was shown to hold, and may be ended.
pub fn all(
    order: &Order,
    handles: &[Handle],
    snapshot: &Snapshot,
    start_time: fn(Pid) -> Option<StartTime>,
) -> Result<(), Hindrance> {
    order.targets().iter().try_for_each(|target| {
        let process = &target.process;
        never_ended(process, order.lineage())?;
        let handle = handles.iter().find(|handle| handle.id() == target.id());
        let handle = handle.ok_or_else(|| hindrance(process, Lost::Ended))?;
        let lost = |lost| hindrance(process, lost);
        handle.check(start_time).map_err(lost)?;
        still_holds(order, target, snapshot)?;
        handle.permits().map_err(lost)
    })
}

/// The signal that was confirmed and nothing else, or with a SIGCONT for a process that could not act on it.
pub enum Given {
    Signal,
    SignalAndContinue,
}

/// Signals one target. A stopped process acts on no signal but SIGKILL before it is woken.
pub fn signal(handle: &Handle, process: &Arc<Process>, signal: Signal) -> Result<Given, Hindrance> {
    let is_stopped =
        conduct(process.pid(), signal).is_some_and(|conduct| conduct.state == RunState::Stopped);
    let lost = |lost| hindrance(process, lost);
    handle.signal(signal).map_err(lost)?;
    match signal {
        Signal::Terminate if is_stopped => {
            handle.wake().map_err(lost)?;
            Ok(Given::SignalAndContinue)
        }
        Signal::Terminate | Signal::Kill => Ok(Given::Signal),
    }
}

/// The refusals once more: what was confirmed is not trusted to have been checked.
fn never_ended(process: &Arc<Process>, lineage: &[Pid]) -> Result<(), Hindrance> {
    let why = if process.pid() == Pid(std::process::id()) {
        Some(Refusal::Itself)
    } else {
        refusal(process, lineage)
    };
    why.map_or(Ok(()), |why| {
        Err(Hindrance::Refused(Arc::clone(process), why))
    })
}

fn still_holds(order: &Order, target: &Target, snapshot: &Snapshot) -> Result<(), Hindrance> {
    let process = &target.process;
    let shown = |socket: &&Socket| target.sockets.contains(&socket.id);
    let mut sockets = snapshot.sockets.iter().filter(shown).peekable();
    if let (None, Some(problem)) = (
        sockets.peek(),
        snapshot
            .problems
            .iter()
            .find(|problem| problem.protocol == order.protocol()),
    ) {
        return Err(Hindrance::Blind(problem.to_string()));
    }
    let mut is_hidden = false;
    for socket in sockets {
        if socket
            .owners
            .known()
            .iter()
            .any(|owner| owner.id == process.id)
        {
            return Ok(());
        }
        is_hidden |= socket.owners == Owners::Hidden;
    }
    if is_hidden {
        let reason = "who holds the socket may not be seen any more".to_owned();
        Err(Hindrance::Failed(Arc::clone(process), reason))
    } else {
        Err(Hindrance::LetGo(Arc::clone(process)))
    }
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
