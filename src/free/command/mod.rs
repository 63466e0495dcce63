//! `portmon free`: which ports are meant, what would be done to each, and what became of it.
//!
//! Values only: `wording` writes the sentences, `report` prints them.

mod port_plan;
mod port_specs;
mod unowned;

pub use port_plan::PortPlan;
pub use port_specs::port_specs;

use super::{
    Explanation, FreeMachine, NextSteps, NotPermitted, Obstacle, RelativeObstacle, SignalError,
    TargetChoice, Unseen, Verdict, VerdictClass, VerdictKind, Warning,
};
use crate::model::port::{Availability, PortSpec};
use crate::model::process::{Process, Signal, SocketCandidates};
use crate::model::snapshot::Problem;
use crate::model::socket::{Socket, State, TimeWaitLeft};
use serde::Serialize;
use std::sync::Arc;
use std::time::Duration;

/// Outcome for a port, the best first. The worst of several ports gives the exit code.
///
/// The JSON has the names of the variants, which stay the same.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum FreeOutcome {
    Free,
    StillHeld,
    /// A signal ended the watch before that was known; the exit code is the signal's.
    Interrupted,
    TakenAgain,
    NotPermitted,
    /// Refused by portmon, or not confirmed.
    Refused,
}

impl FreeOutcome {
    pub fn exit_code(self) -> u8 {
        match self {
            Self::Free => 0,
            Self::StillHeld | Self::Interrupted => 3,
            Self::TakenAgain => 5,
            Self::NotPermitted => 4,
            Self::Refused => 6,
        }
    }
}

/// The report on one port.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FreeReport {
    pub spec: PortSpec,
    pub conclusion: Conclusion,
    /// The signals that were sent, in order.
    pub signalled: Vec<(Arc<Process>, Signal)>,
    /// The visible owners of the port now.
    pub holders: Vec<Arc<Process>>,
    /// The targets that were asked for.
    pub choice: TargetChoice,
    /// What can be done next.
    pub next_steps: NextSteps,
    /// Time from the last signal until the processes released the port, or until the last poll if they did not.
    pub after: Option<Duration>,
}

/// Result for a port.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Conclusion {
    /// No socket and no connection in the tables holds the port.
    NotHeld {
        availability: Availability,
        /// The state of each connection that is left.
        left: Vec<Option<State>>,
    },
    /// This socket holds it, maybe on another address than the requested one.
    StillHeld(Box<Socket>),
    /// It is the local port of this connection.
    HeldByConnection(Box<Socket>),
    /// Only connections in TIME_WAIT prevent a bind.
    TimeWait {
        states: Vec<Option<State>>,
        /// Until the last one ends.
        left: Option<TimeWaitLeft>,
    },
    /// No process is stopped for it.
    Explained {
        explanation: Box<Explanation>,
        /// A port to take instead.
        unused: Option<u16>,
    },
    /// Who holds it is only probable, and the pid of one of these candidates was not typed: `--yes` does not confirm it.
    Unproved {
        explanation: Box<Explanation>,
        candidates: Vec<Arc<Process>>,
        /// A port to take instead.
        unused: Option<u16>,
    },
    /// The verdict after the signals; `None` if the port was not watched to the end.
    Freed(Option<Box<Verdict>>),
    /// A signal ended the watch, whatever becomes of the signals that were sent.
    Interrupted {
        /// True if nothing held the port at the last poll, and it was not watched for long enough.
        was_free: bool,
    },
    /// Nothing was sent, because the processes were no longer those that had been shown.
    Outdated {
        error: SignalError,
        now: Result<Box<FreeReport>, Problem>,
    },
    Refused(Refusal),
    DryRun(DryRun),
}

/// What would be done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DryRun {
    pub signal: Signal,
    /// Those that would get the signal, unless one of them must not.
    pub targets: Result<Vec<Arc<Process>>, NotPermitted>,
    /// Those of them that would get SIGCONT too, because they are suspended.
    pub resumed: Vec<Arc<Process>>,
    /// Why the port would still be held, or may be, and why a port proxy may be stopped.
    pub stays_held: Vec<Warning>,
    pub unseen: Option<Unseen>,
}

/// Why nothing was sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// The process group is not signaled.
    NoGroup(RelativeObstacle),
    /// No parent is stopped together with the owner.
    NoParent(RelativeObstacle),
    NotConfirmed,
    /// `--yes` agreed to another number of ports.
    WrongCount {
        agreed: usize,
        count: usize,
    },
    /// A range needs `--yes` with this number.
    NeedsCount(usize),
    /// There is no terminal to ask on; a range has this number of ports.
    NoTerminal {
        count: Option<usize>,
    },
}

impl FreeReport {
    /// Creates the report on a port to which nothing was sent.
    pub fn new(spec: PortSpec, conclusion: Conclusion, holders: Vec<Arc<Process>>) -> Self {
        Self {
            spec,
            conclusion,
            signalled: Vec::new(),
            holders,
            choice: TargetChoice::Topmost,
            next_steps: NextSteps::default(),
            after: None,
        }
    }

    /// Reports that no process is stopped for the port, and why.
    pub fn explained(spec: PortSpec, explanation: Box<Explanation>, unused: Option<u16>) -> Self {
        let holders = explanation.owners().to_vec();
        let conclusion = Conclusion::Explained {
            explanation,
            unused,
        };
        Self::new(spec, conclusion, holders)
    }

    /// Reports the verdict on a port whose owners got a signal.
    pub fn freed(plan: &PortPlan, freeing: &FreeMachine) -> Self {
        let holders = freeing.owners().into_iter().cloned().collect();
        let verdict = freeing.verdict().cloned().map(Box::new);
        let signalled = freeing.signaled().to_vec();
        Self {
            after: (!signalled.is_empty()).then(|| after(freeing)),
            signalled,
            choice: plan.choice,
            next_steps: NextSteps::after(freeing),
            ..Self::new(plan.spec, Conclusion::Freed(verdict), holders)
        }
    }

    /// Reports on a port whose watch a signal has ended.
    pub fn interrupted(plan: &PortPlan, freeing: &FreeMachine) -> Self {
        let report = Self::freed(plan, freeing);
        let class = freeing.verdict().map(|verdict| verdict.kind.class());
        let was_free = match class {
            Some(VerdictClass::Held | VerdictClass::Taken | VerdictClass::NothingSent) => {
                return report;
            }
            Some(VerdictClass::Free) => true,
            None => false,
        };
        Self {
            conclusion: Conclusion::Interrupted { was_free },
            ..report
        }
    }

    /// Returns the few processes that probably hold the port.
    pub fn candidates(&self) -> Vec<&Arc<Process>> {
        match &self.conclusion {
            Conclusion::Unproved { explanation, .. }
            | Conclusion::Explained { explanation, .. } => {
                let candidates = explanation.candidates().into_iter();
                candidates.flat_map(SocketCandidates::named).collect()
            }
            _ => Vec::new(),
        }
    }

    /// Returns `None` for a dry run that would send the signals.
    pub fn outcome(&self) -> Option<FreeOutcome> {
        Some(match &self.conclusion {
            Conclusion::NotHeld { availability, .. } if availability.is_free() => FreeOutcome::Free,
            Conclusion::NotHeld { .. }
            | Conclusion::StillHeld(_)
            | Conclusion::HeldByConnection(_)
            | Conclusion::TimeWait { .. }
            | Conclusion::Freed(None) => FreeOutcome::StillHeld,
            Conclusion::Interrupted { .. } => FreeOutcome::Interrupted,
            Conclusion::Explained { explanation, .. } => outcome_of_obstacle(&explanation.obstacle),
            Conclusion::Freed(Some(verdict)) => outcome_of_verdict(self.spec, verdict),
            Conclusion::Outdated { now: Ok(now), .. } => return now.outcome(),
            Conclusion::Outdated { error, .. } => outcome_of_error(error),
            Conclusion::Refused(_) => FreeOutcome::Refused,
            Conclusion::DryRun(would) if would.targets.is_ok() => return None,
            Conclusion::Unproved { .. } | Conclusion::DryRun(_) => FreeOutcome::NotPermitted,
        })
    }

    /// Returns why nothing was sent, if the processes were no longer those that had been shown: then the port is polled again.
    pub fn outdated(&self) -> Option<&SignalError> {
        use SignalError::{AlreadyExited, NotACandidate, NotAnOwner, PidReused, ProgramChanged};
        let Conclusion::Freed(Some(verdict)) = &self.conclusion else {
            return None;
        };
        match &verdict.kind {
            VerdictKind::NothingSent(
                error @ (AlreadyExited(_) | PidReused(_) | ProgramChanged(..) | NotAnOwner(_)
                | NotACandidate(..)),
            ) => Some(error),
            _ => None,
        }
    }
}

/// Returns the exit code for all ports.
pub fn exit_code(reports: &[FreeReport]) -> u8 {
    let worst = reports.iter().filter_map(FreeReport::outcome).max();
    worst.map_or(0, FreeOutcome::exit_code)
}

/// Time until the processes had released the port. The verdict comes later: a free port is watched for a while.
fn after(freeing: &FreeMachine) -> Duration {
    let outcomes = freeing.outcomes();
    let times = outcomes.iter().filter_map(|outcome| outcome.after);
    let last = times.map(|(after, _)| after).max();
    last.unwrap_or_else(|| freeing.waited())
}

fn outcome_of_obstacle(obstacle: &Obstacle) -> FreeOutcome {
    match obstacle {
        Obstacle::NotFound { .. } | Obstacle::Pending(_) => FreeOutcome::NotPermitted,
        Obstacle::Protected { .. } | Obstacle::Supervised { .. } => FreeOutcome::Refused,
        Obstacle::Closed { .. }
        | Obstacle::TimeWait { .. }
        | Obstacle::Kernel(_)
        | Obstacle::Client { .. }
        | Obstacle::LeftOver { .. } => FreeOutcome::StillHeld,
    }
}

fn outcome_of_verdict(spec: PortSpec, verdict: &Verdict) -> FreeOutcome {
    let is_asked_for = |ip| {
        let addresses = spec.address.bind_addresses(spec.port);
        addresses.iter().any(|address| address.ip() == ip)
    };
    match &verdict.kind {
        VerdictKind::Free(_) | VerdictKind::OnlyWithReuseAddr(_) => FreeOutcome::Free,
        VerdictKind::PartlyFree { free, held, .. }
            if free.iter().any(|at| is_asked_for(at.ip()))
                && !held.iter().any(|socket| spec.conflicts(socket)) =>
        {
            FreeOutcome::Free
        }
        VerdictKind::CannotBind { .. }
        | VerdictKind::PartlyFree { .. }
        | VerdictKind::HeldByOthers(_) => FreeOutcome::StillHeld,
        VerdictKind::NotEnded { survivors, .. } | VerdictKind::Unknown { survivors, .. } => {
            let mut errors = survivors.iter().filter_map(|one| one.error.as_ref());
            errors
                .next()
                .map_or(FreeOutcome::StillHeld, outcome_of_error)
        }
        VerdictKind::TakenAgain { .. } => FreeOutcome::TakenAgain,
        VerdictKind::NothingSent(error) => outcome_of_error(error),
    }
}

fn outcome_of_error(error: &SignalError) -> FreeOutcome {
    match error {
        SignalError::NotPermitted(_) => FreeOutcome::NotPermitted,
        SignalError::Protected(..) => FreeOutcome::Refused,
        SignalError::AlreadyExited(_)
        | SignalError::PidReused(_)
        | SignalError::ProgramChanged(..)
        | SignalError::NotAnOwner(_)
        | SignalError::OwnerNotFound(..)
        | SignalError::NotACandidate(..)
        | SignalError::Failed(..)
        | SignalError::TablesUnread(_) => FreeOutcome::StillHeld,
    }
}

#[cfg(test)]
mod tests;
